/* search: ways to choose a log-linear model. All work on a lattice that has been given its counts and leave it ready for the next table. */
#ifndef SU_MSE_SEARCH_H
#define SU_MSE_SEARCH_H

#include "mse/lattice.h"

/* One step of a forward search, for the record. */
typedef struct su_step {
    unsigned term;
    double seen, expected; /* people on both lists, and what the model before the step fits */
    double p;              /* Poisson tail (p search), Wald (AIC search) */
    bool added;
    double N, deviance; /* after the step; NAN when it was not made */
} su_step;
enum { SU_STEPS_MAX = 80 };
typedef struct su_steps {
    unsigned count;
    su_step step[SU_STEPS_MAX];
} su_steps;

/* Forward by the Poisson tail of each absent pair's overlap, smallest first, while it is below `threshold` and an estimate exists; ties go
 * to the lower pair. Chan, Silverman and Vincent 2021 (doi:10.1080/01621459.2019.1708748). steps may be NULL (then fits are fast).
 * Returns the last fit; *m the model. */
su_fit su_stepwise_p(su_mse_lattice *l, double threshold, su_model *m, su_steps *steps);
/* min(P(X <= seen), P(X >= seen)), X Poisson with mean `expected`. */
double su_overlap_p(double seen, double expected);
/* Forward by AIC: the pair of lowest AIC enters if it lowers it and its Wald p is at most wald_p. Bales, Hesketh and Silverman 2015
 * (doi:10.1111/j.1740-9713.2015.00824.x). */
su_fit su_stepwise_aic(su_mse_lattice *l, double wald_p, su_model *m, su_steps *steps);

/* All hierarchical models. */
typedef struct su_space {
    unsigned lists, order;
    size_t count;
    uint64_t *sets;
    su_model *models; /* by number of terms */
} su_space;
/* The largest order up to `order` (0: as large as it goes) that keeps to `most` models; false when not even pairs do, or beyond six lists.
 */
bool su_space_init(su_space *s, unsigned lists, unsigned order, size_t most);
void su_space_free(su_space *s);

typedef struct su_ranked {
    uint32_t model; /* in the space */
    double bic, N;  /* bic with the full log likelihood */
    double weight;  /* exp(-bic/2), normalised */
} su_ranked;
/* Fits every model for which an estimate exists; ranked by BIC; returns how many. out has room for all. Parallel by ctx. */
size_t su_space_rank(su_context *ctx, const su_space *s, const su_overlaps *o, su_ranked *out);
/* The best model alone: models whose penalty by itself is worse than the best so far are not fitted. among: indices of the models that
 * compete (ascending), NULL for all. A code other than SU_EXISTS when there is none. */
su_fit su_space_best(su_mse_lattice *l, const su_space *s, const uint32_t *among, size_t count, uint32_t *best);

/* From `start` to the best neighbour by BIC until none is better: a term whose parts are all in is added, or a largest term taken out.
 * Silverman, Chan and Vincent 2024 (doi:10.1007/s11222-023-10346-9). */
su_fit su_downhill(su_mse_lattice *l, unsigned order, const su_model *start, su_model *m);
/* The same from `starts` random models of pairs too (stream by seed); *agree: how many starts ended at the best one. */
su_fit su_downhill_restarted(su_mse_lattice *l, unsigned order, unsigned starts, uint64_t seed, su_model *m, unsigned *agree);

#endif
