/* whole: whole numbers in the place of fractions. */
#ifndef SU_PROTECT_WHOLE_H
#define SU_PROTECT_WHOLE_H

#include <suha/base.h>

/* out[i]: whole numbers >= 0 that sum to n, each the share of n that weight[i] >= 0 has in their sum, rounded down or up. Largest
 * remainders are rounded up, ties to the smaller index (random NULL), or a random choice without replacement in proportion to the
 * remainders. All to index 0 when no weight is positive. count >= 1. */
void su_whole_counts(const double *weight, size_t count, uint64_t n, su_random *random, int64_t *out);
void su_shuffle16(su_random *random, uint16_t *a, uint64_t n);

#endif
