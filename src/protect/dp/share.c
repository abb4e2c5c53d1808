#include "share.h"

#include <math.h>

#define SINGLE 64u /* sums with a bin of their own */
#define PER_DOUBLE 8u

uint32_t su_share_bin(uint64_t sum)
{
    if (sum < SINGLE) return (uint32_t)sum;
    uint32_t doublings = 63u - (uint32_t)__builtin_clzll(sum) - 6u; /* 64 is 2^6 */
    uint64_t bin = SINGLE + (uint64_t)doublings * PER_DOUBLE + ((sum >> (doublings + 3u)) - PER_DOUBLE);
    return bin < SU_SHARE_BINS ? (uint32_t)bin : SU_SHARE_BINS - 1;
}

uint64_t su_share_least(uint32_t bin)
{
    if (bin < SINGLE) return bin;
    uint32_t doublings = (bin - SINGLE) / PER_DOUBLE;
    return ((uint64_t)(bin - SINGLE) % PER_DOUBLE + PER_DOUBLE) << (doublings + 3u);
}

double su_share_distance(const su_share *s)
{
    double seen = 0, replayed = 0, below_seen = 0, below_replayed = 0, most = 0;
    for (uint32_t b = 0; b < SU_SHARE_BINS; b++) {
        seen += (double)s->seen[b];
        replayed += (double)s->replayed[b];
    }
    if (seen == 0 || replayed == 0) return 0;
    for (uint32_t b = 0; b < SU_SHARE_BINS; b++) {
        below_seen += (double)s->seen[b] / seen;
        below_replayed += (double)s->replayed[b] / replayed;
        most = fmax(most, below_seen - below_replayed);
    }
    return most * sqrt(seen * replayed / (seen + replayed));
}

void su_share_curve(const su_share *s, bool small, double *curve)
{
    struct {
        double hits, weight;
        uint32_t end; /* first bin behind it */
    } block[SU_SHARE_BINS];
    uint32_t n = 0;
    for (uint32_t b = 0; b < SU_SHARE_BINS; b++) {
        if (s->replayed[b] == 0) continue;
        block[n].hits = (double)(small ? s->small[b] : s->empty[b]);
        block[n].weight = (double)s->replayed[b];
        block[n++].end = b + 1;
        while (n > 1 && block[n - 1].hits * block[n - 2].weight >= block[n - 2].hits * block[n - 1].weight) {
            block[n - 2].hits += block[n - 1].hits;
            block[n - 2].weight += block[n - 1].weight;
            block[n - 2].end = block[n - 1].end;
            n--;
        }
    }
    double before = 1;
    uint32_t at = 0;
    for (uint32_t b = 0; b < SU_SHARE_BINS; b++) {
        while (at < n && b >= block[at].end) at++;
        /* The bins of a block that the replay lacks lie between bins of it, or below it. */
        if (s->replayed[b] > 0) before = block[at].hits / block[at].weight;
        curve[b] = before;
    }
}

uint32_t su_share_choose(const su_share *s, const double *curve, uint32_t from, double target, double most, double *expected)
{
    double invented = 0, all = 0;
    uint32_t first = SU_SHARE_BINS;
    *expected = 0;
    for (uint32_t b = SU_SHARE_BINS; b-- > from;) {
        invented += curve[b] * (double)s->seen[b];
        all += (double)s->seen[b];
        if (invented > target * all || curve[b] > most) break;
        first = b;
        *expected = all > 0 ? invented / all : 0;
    }
    return first;
}
