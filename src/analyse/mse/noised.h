/* noised: the Bayesian average over decomposable graphs for an overlap table whose counts carry noise of a known law, added for privacy.
 *
 * The model of mse/dga.h stands for the true counts y and the unseen m; the published z are y plus noise. A Markov chain draws y
 * (Metropolis, one cell at a time) and graph with m together (all graphs, m on a grid of equal steps in its logarithm, so the two cannot
 * block each other). Log-linear fits of z itself are wrong twice: a false zero is a parameter of -infinity, and the noise is in no
 * interval. O(graphs * grid) a sweep. */
#ifndef SU_MSE_NOISED_H
#define SU_MSE_NOISED_H

#include "mse/dga.h"

typedef struct su_noised_options {
    su_mse_noise noise;
    double delta;          /* prior people per cell; 0 = 2^-lists */
    double most;           /* unseen people at most */
    unsigned chains, grid; /* grid: values of m; 0 = 160 */
    uint32_t burn_in, sweeps;
    uint64_t seed;
} su_noised_options;

typedef struct su_noised {
    unsigned chains;
    size_t draws, cells; /* draws per chain */
    double *N;           /* chain by draw: all people */
    double *seen;        /* chain by draw: people on at least one list */
    double *count;       /* chain by draw by cell: true counts */
    double r_hat;        /* split, of log N */
} su_noised;

/* o->counts holds the noised counts, which may be negative. SU_REFUSED beyond six lists. Freed with su_noised_free. */
su_status su_noised_run(su_context *ctx, const su_overlaps *o, const su_noised_options *options, su_noised *out) SU_MUST_CHECK;
void su_noised_free(su_noised *n);

#endif
