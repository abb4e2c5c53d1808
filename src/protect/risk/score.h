/* score: how well scores tell members from others. */
#ifndef SU_PROTECT_SCORE_H
#define SU_PROTECT_SCORE_H

#include <suha/attack.h>

/* One try: `run` and `target` say which, for the jackknife and the mean over targets. */
typedef struct su_try {
    double score;
    uint32_t run, target;
    bool member;
} su_try;

/* Area under the ROC curve, ties counted half; NaN without both kinds. Sorts the tries. O(n log n). */
double su_auc(su_try *tries, size_t n);
/* Most true positives with at most `most` of the others; a threshold never splits a tie. Sorts the tries. */
void su_tpr_at(su_try *tries, size_t n, double most, double *tpr, double *fpr, uint64_t *positives, uint64_t *negatives);
/* Chernoff bounds on a probability seen k times in n, each wrong with probability at most alpha: n KL(k/n, p) = ln(1/alpha). */
double su_chernoff_low(uint64_t k, uint64_t n, double alpha);
double su_chernoff_high(uint64_t k, uint64_t n, double alpha);
/* All numbers of a result. The tries are reordered. */
su_attack_result su_score(su_try *tries, size_t n, uint32_t runs, uint32_t targets, double epsilon, double delta, bool bound);

#endif
