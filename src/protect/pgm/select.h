/* select: the exponential mechanism in integers (docs/methods/mst.md, Privacy). No floating point. */
#ifndef SU_PROTECT_SELECT_H
#define SU_PROTECT_SELECT_H

#include <suha/protect.h>

/* Scores are made of whole 256ths of a record, so that the model's expected counts keep eight binary places. */
#define SU_SCORE_UNIT 256

/* sum over cells of |256 counts - expected|, where `expected` are whole 256ths that do not depend on the data beyond what was measured
 * before. Sensitivity: adding or removing a record moves one count by 1, so one term by at most 256 and the sum by at most 256. */
int64_t su_misfit(const int64_t *counts, const int64_t *expected, size_t cells);
/* One index with probability in proportion to exp(epsilon score / (2 sensitivity)), epsilon = units / 2^20: a uniform index is taken with
 * probability exp(-epsilon (largest - score) / (2 sensitivity)), else another is drawn. Every chance is exact. The number of draws depends
 * on the scores (about n divided by the number of good candidates). n >= 1, sensitivity >= 1. */
size_t su_select(su_random *random, const int64_t *score, size_t n, uint64_t sensitivity, uint64_t units);

#endif
