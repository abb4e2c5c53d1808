/* residual: one consistent estimate from many noisy tables by generalised least squares in closed form (spec privacy 1.7 steps 3, 4; the
 * residual decomposition of ResidualPlanner, Xiao et al., NeurIPS 2023, arXiv 2305.08175). Post-processing: costs no privacy. */
#ifndef SU_PROTECT_RESIDUAL_H
#define SU_PROTECT_RESIDUAL_H

#include "lattice.h"

typedef struct su_estimates {
    double *cell;     /* l->cells estimates, unbiased, may be negative; sums agree across all sets */
    double *variance; /* per set: variance of each of its cells */
} su_estimates;

/* Best linear unbiased estimates of every set of the lattice from the tables measured, whatever tables those are: each table's noise is
 * independent and of equal variance in its cells, so the parts of a table that no smaller table holds (residuals) are independent between
 * sets, and each is the weighted mean of what the tables say about it. O(cells * length) time, no other memory than the result. */
void su_estimates_init(su_estimates *e, const su_release *r, const su_lattice *l, const su_measurement *noisy);
void su_estimates_free(su_estimates *e);

#endif
