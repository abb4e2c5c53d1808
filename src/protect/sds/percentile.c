#include "sds.h"

typedef unsigned __int128 u128;

size_t su_bound_points(uint64_t most, uint64_t *points)
{
    size_t n = 0;
    for (uint64_t v = 0;; v += 1 + v / 16) {
        uint64_t point = v < most ? v : most;
        if (points) points[n] = point;
        n++;
        if (point == most) return n;
    }
}

static uint64_t gap(uint64_t at_most, uint64_t n, uint32_t percent)
{
    uint64_t have = 100 * at_most, want = percent * n;
    return have > want ? have - want : want - have;
}

/* Rejection: a uniform point is kept with probability e^(-epsilon (gap - best) / (2 sensitivity)), which is 1 for the best. Integers only.
 */
size_t su_dp_percentile(su_random *random, const uint64_t *at_most, size_t points, uint64_t n, uint32_t percent, uint64_t epsilon_32)
{
    uint64_t best = UINT64_MAX, sensitivity = percent > 100 - percent ? percent : 100 - percent;
    for (size_t i = 0; i < points; i++) {
        uint64_t g = gap(at_most[i], n, percent);
        if (g < best) best = g;
    }
    for (;;) {
        size_t i = su_random_below(random, points);
        u128 worse = gap(at_most[i], n, percent) - best;
        if (su_sample_bernoulli_exp(random, worse * epsilon_32, (u128)(2 * sensitivity) << 32)) return i;
    }
}
