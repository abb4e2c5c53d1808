#include "sds_world.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

uint64_t rows_with(const world *w, const su_attribute *at, uint32_t n)
{
    uint64_t rows = 0;
    for (uint64_t i = 0; i < w->matrix.row_count; i++) {
        bool all = true;
        for (uint32_t k = 0; k < n; k++) all = all && w->codes[at[k].column][i] == at[k].value;
        rows += all;
    }
    return rows;
}

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

su_release *sds_release(const world *w, const su_release_options *o, uint64_t seed, unsigned threads)
{
    su_context ctx;
    su_random random;
    su_release *r = NULL;
    su_context_init(&ctx);
    ctx.threads = threads;
    su_random_seeded(&random, seed);
    if (su_release_plan(&ctx, NULL, w->columns, w->matrix.column_count, o, &r)) fail_msg("%s", ctx.message);
    if (su_release_run(&ctx, r, &w->matrix, &random, NULL, NULL)) fail_msg("%s", ctx.message);
    return r;
}

void assert_same_release(const su_release *a, const su_release *b)
{
    assert_true(a->aggregate_count == b->aggregate_count && a->record_count == b->record_count);
    assert_true(a->total_estimate == b->total_estimate);
    for (size_t i = 0; i < a->aggregate_count; i++) {
        assert_true(a->aggregates[i].length == b->aggregates[i].length && a->aggregates[i].count == b->aggregates[i].count);
        assert_memory_equal(a->aggregates[i].at, b->aggregates[i].at, a->aggregates[i].length * sizeof a->aggregates[i].at[0]);
    }
    for (uint32_t c = 0; c < a->column_count; c++) assert_memory_equal(a->records[c], b->records[c], a->record_count * sizeof **a->records);
}
