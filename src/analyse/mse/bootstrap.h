/* bootstrap: intervals that repeat the whole search on every resample, bias-corrected and accelerated (Efron 1987,
 * doi:10.1080/01621459.1987.10478410; Chan, Silverman and Vincent 2021; Silverman, Chan and Vincent 2024).
 *
 * A resample is n draws from the observed histories; the acceleration comes from leaving out one person of each observed history. Replicate
 * r of seed s is the Philox stream (s, r), so the result does not depend on threads. */
#ifndef SU_MSE_BOOTSTRAP_H
#define SU_MSE_BOOTSTRAP_H

#include "mse/lattice.h"

/* N by a method with its search on the counts of l; NAN when the method gives none. Called from many threads, each with its own l. */
typedef double (*su_estimator)(const void *arg, su_mse_lattice *l);

typedef struct su_bootstrap {
    double estimate, z0, acceleration;
    double *sorted; /* N of the resamples that gave one, ascending; the caller frees */
    size_t count;
    size_t failed; /* resamples and histories left out for which the search found no estimate */
} su_bootstrap;

typedef struct su_limits {
    double low, high, low_error, high_error; /* errors: Monte Carlo standard deviation of the limits */
} su_limits;

/* estimator(original counts) gives the estimate. On cancel the result has count 0. */
void su_bootstrap_run(su_context *ctx, const su_overlaps *o, su_estimator estimator, const void *arg, uint32_t replicates, uint64_t seed,
                      su_bootstrap *out);
/* The parts, for tests against stored resamples. sorted is sorted here. */
void su_bootstrap_sort(su_bootstrap *b);
double su_bca_limit(const double *sorted, size_t count, double z0, double acceleration, double p);
/* Quantile of type 8 (Hyndman and Fan 1996): (count + 1/3) p + 1/3. */
double su_quantile_8(const double *sorted, size_t count, double p);
/* BCa limits at a level, with their Monte Carlo errors by resampling the replicates 200 times. NAN with fewer than 20 replicates. */
su_limits su_bca_limits(const su_bootstrap *b, double level, uint64_t seed);

#endif
