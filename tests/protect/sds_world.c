#include "sds_world.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

bool next_set(uint32_t *set, uint32_t n, uint32_t m)
{
    uint32_t k = n;
    while (k > 0 && set[k - 1] == m - n + k - 1) k--;
    if (k == 0) return false;
    set[k - 1]++;
    for (; k < n; k++) set[k] = set[k - 1] + 1;
    return true;
}

uint32_t record_attributes(const su_release *r, uint64_t i, su_attribute *at)
{
    uint32_t n = 0;
    for (uint32_t c = 0; c < r->column_count; c++)
        if (r->records[c][i]) at[n++] = (su_attribute) { (uint16_t)c, r->records[c][i] };
    return n;
}
