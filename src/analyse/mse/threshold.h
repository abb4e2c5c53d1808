/* threshold: all pairs with a normal prior on their effects; the pairs whose effect is clear are kept, and the model of those is fitted
 * again (Silverman 2020, doi:10.1111/rssa.12505). The posterior is by importance sampling from a t distribution at its mode with the
 * curvature there, in place of the paper's Markov chain. */
#ifndef SU_MSE_THRESHOLD_H
#define SU_MSE_THRESHOLD_H

#include "mse/lattice.h"

typedef struct su_threshold_options {
    double prior_variance; /* of an effect; 0 = 1 */
    double keep;           /* |mean / sd| at least; 0 = 2 */
    uint32_t draws;        /* 0 = 20,000 */
    uint64_t seed;
} su_threshold_options;

typedef struct su_threshold {
    bool good; /* false: no posterior mode was found */
    su_model model;
    double median, mean, low, high, effective; /* effective: sample size of the second posterior */
} su_threshold;

/* l must have been given its counts. N is the number seen plus a Poisson number of unseen. */
void su_threshold_run(su_mse_lattice *l, const su_threshold_options *options, double level, su_threshold *out);

#endif
