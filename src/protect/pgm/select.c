#include "select.h"
#include "../dp/spend.h"

int64_t su_misfit(const int64_t *counts, const int64_t *expected, size_t cells)
{
    int64_t sum = 0;
    for (size_t i = 0; i < cells; i++) {
        int64_t off = counts[i] * SU_SCORE_UNIT - expected[i];
        sum += off < 0 ? -off : off;
    }
    return sum;
}

size_t su_select(su_random *random, const int64_t *score, size_t n, uint64_t sensitivity, uint64_t units)
{
    int64_t largest = score[0];
    for (size_t i = 1; i < n; i++) largest = score[i] > largest ? score[i] : largest;
    unsigned __int128 den = (unsigned __int128)sensitivity * (2 * SU_SELECTION_UNITS);
    for (;;) {
        size_t i = (size_t)su_random_below(random, n);
        unsigned __int128 behind = (unsigned __int128)((__int128)largest - score[i]);
        if (su_sample_bernoulli_exp(random, behind * units, den)) return i;
    }
}
