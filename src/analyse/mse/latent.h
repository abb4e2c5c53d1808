/* latent: Bayesian latent classes, a truncated Dirichlet process mixture of independent lists (Manrique-Vallier 2016,
 * doi:10.1111/biom.12502). People belong to hidden classes; within a class the lists are independent.
 *
 * Several chains of the Gibbs sampler in mse/latent_sampler.h, each a Philox stream of its own. A chain begins with few of the table's
 * people, whose posterior is flat, and the others join in steps during the first half of the burn-in: a sampler that is set down among all
 * people at once can stay near where it began for tens of thousands of sweeps. What chains disagree about is said by R-hat (Gelman and
 * Rubin 1992, split, on log N), not averaged away. O(classes * cells with people) per sweep. */
#ifndef SU_MSE_LATENT_H
#define SU_MSE_LATENT_H

#include <suha/mse.h>

typedef struct su_latent_options {
    unsigned classes, chains;
    uint32_t burn_in, sweeps, thin; /* sweeps after burn-in; every thin-th is kept */
    double shape, rate;             /* gamma prior of the concentration; 0 = 0.25 */
    double most;                    /* unseen people are at most this many times those seen; 0 = 20 */
    uint64_t seed;
} su_latent_options;

typedef struct su_latent {
    unsigned chains;
    size_t draws;   /* per chain */
    double *N;      /* chain by draw */
    double *sorted; /* all of them, ascending */
    double r_hat;
} su_latent;

void su_latent_run(su_context *ctx, const su_overlaps *o, const su_latent_options *options, su_latent *out);
void su_latent_free(su_latent *l);
/* Split R-hat of chains x draws values. 1 when all chains have one mean; INFINITY when chains stand still at different values. */
double su_split_r_hat(const double *x, unsigned chains, size_t draws);

#endif
