#include "whole.h"

#include <math.h>
#include <stdlib.h>

typedef struct remainder_of {
    double key;
    size_t index;
} remainder_of;

static int by_key(const void *a, const void *b)
{
    const remainder_of *x = a, *y = b;
    if (x->key != y->key) return x->key > y->key ? -1 : 1;
    return x->index < y->index ? -1 : x->index > y->index;
}

void su_whole_counts(const double *weight, size_t count, uint64_t n, su_random *random, int64_t *out)
{
    double sum = 0;
    int64_t left = (int64_t)n;
    for (size_t i = 0; i < count; i++) sum += weight[i];
    remainder_of *rest = su_alloc_array(count, sizeof *rest);
    for (size_t i = 0; i < count; i++) {
        double want = sum > 0 ? weight[i] / sum * (double)n : 0;
        out[i] = (int64_t)want;
        left -= out[i];
        double part = want - floor(want);
        /* Keys log(U)/part order a sample without replacement in proportion to `part` (Efraimidis, Spirakis). */
        double u = random ? ((double)(su_random_u64(random) >> 11) + 0.5) * 0x1p-53 : 0;
        rest[i] = (remainder_of) { !random ? part : part > 0 ? log(u) / part : -INFINITY, i };
    }
    if (left > 0) qsort(rest, count, sizeof *rest, by_key);
    for (size_t k = 0; left > 0; k = (k + 1) % count, left--) out[sum > 0 ? rest[k].index : 0]++;
    for (size_t k = 0; left < 0; k = (k + 1) % count)
        if (out[k] > 0) out[k]--, left++;
    free(rest);
}

void su_shuffle16(su_random *random, uint16_t *a, uint64_t n)
{
    for (uint64_t i = n; i > 1; i--) {
        uint64_t j = su_random_below(random, i);
        uint16_t keep = a[i - 1];
        a[i - 1] = a[j];
        a[j] = keep;
    }
}
