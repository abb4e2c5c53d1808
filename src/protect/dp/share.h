/* share: from how many fitted people on a combination is reported, so that the expected share of invented ones among those reported stays
 * below a target fixed in advance. Post-processing (docs/methods/invented.md).
 *
 * Needs a replay: a population that is known, measured and fitted as the real one was (synth/replay.h). What the searches say of a
 * combination is the sum of their counts; combinations with the same sum are alike but for the truth, and the replay knows how many of its
 * own are empty: the local false discovery rate at that sum (Efron, Tibshirani, Storey, Tusher 2001, doi:10.1198/016214501753382129). */
#ifndef SU_PROTECT_SHARE_H
#define SU_PROTECT_SHARE_H

#include <stdbool.h>
#include <stdint.h>

#define SU_SHARE_BINS 128u /* sums below 64 have one each, larger ones eight for every doubling */
/* Fewer people than this in a replay count as nobody when the replay is refuted: small groups were removed from the data before they came
 * here, and ten or eleven is the customary limit. */
#define SU_SHARE_FLOOR 11u
#define SU_SHARE_REFUTED 3.0 /* su_share_distance: by chance alone once in 10^7 were the combinations independent */

typedef struct su_share {
    uint64_t seen[SU_SHARE_BINS];     /* combinations whose parts are reported, by what the searches say */
    uint64_t replayed[SU_SHARE_BINS]; /* the same of the replay */
    uint64_t empty[SU_SHARE_BINS];    /* of these, nobody is there */
    uint64_t small[SU_SHARE_BINS];    /* of these, fewer than SU_SHARE_FLOOR people are there */
} su_share;

uint32_t su_share_bin(uint64_t sum);
uint64_t su_share_least(uint32_t bin); /* the smallest sum in it */

/* How many more of the combinations have small sums than the replay's: the largest difference of the two distribution functions, one-sided,
 * times sqrt(n m / (n + m)) (Smirnov 1939). 0 when there are none. */
double su_share_distance(const su_share *s);
/* Share of empty (of small, when `small`) combinations per bin, as the replay has it, made non-increasing by weighted isotonic regression
 * (pool adjacent violators; Barlow, Bartholomew, Bremner, Brunk 1972). A bin that the replay lacks has the share of the one below it, 1 if
 * there is none. */
void su_share_curve(const su_share *s, bool small, double *curve);
/* The first bin, at least `from`, with which all combinations from there on have a mean share of at most `target` and each bin one of at most
 * `most`, down to `from` if nothing speaks against it: SU_SHARE_BINS when there is none. *expected: that mean share. O(SU_SHARE_BINS). */
uint32_t su_share_choose(const su_share *s, const double *curve, uint32_t from, double target, double most, double *expected);

#endif
