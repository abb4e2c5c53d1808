/* residual: one consistent estimate from many noisy tables by generalised least squares in closed form (docs/methods/residual-gls.md; the
 * residual decomposition of ResidualPlanner, Xiao et al., NeurIPS 2023, arXiv 2305.08175). Post-processing: costs no privacy. */
#ifndef SU_PROTECT_RESIDUAL_H
#define SU_PROTECT_RESIDUAL_H

#include "lattice.h"

typedef struct su_estimates {
    double *cell;                   /* l->cells estimates, unbiased, may be negative; sums agree across all sets */
    double *variance;               /* per set: variance of each of its cells */
    double *residual;               /* per set: variance of each cell of its residual */
    double *plain, *plain_variance; /* where `cell` was moved towards something known (prior.h): what the tables alone say; else NULL */
} su_estimates;

/* Best linear unbiased estimates of every set of the lattice from the tables measured, whatever tables those are: each table's noise is
 * independent and of equal variance in its cells, so the parts of a table that no smaller table holds (residuals) are independent between
 * sets, and each is the weighted mean of what the tables say about it. O(cells * length) time, no other memory than the result. Where rules
 * of r make cells impossible, the best ones that are 0 there (zeros.h), in as many times that as conjugate gradients take steps; `variance`
 * is then an upper bound. */
void su_estimates_init(su_estimates *e, const su_release *r, const su_lattice *l, const su_measurement *noisy);
void su_estimates_free(su_estimates *e);
/* Copies cell and variance to plain and plain_variance. */
void su_estimates_keep(su_estimates *e, const su_lattice *l);
/* Tables of all sets, consistent, into residuals, in place; and back. `variance` is that of residuals before and of tables after. */
void su_residual_split(const su_lattice *l, double *cell);
void su_residual_join(const su_lattice *l, double *cell, double *variance);
/* The same without cells, one number per set. Precision of each table's cells (0: not measured) into the precision of each set's residual, in
 * place; that into the variance of a residual's cell; that into the variance of an estimate's cell. O(sets * length). */
void su_precision_gather(const su_lattice *l, double *precision);
void su_precision_variances(const su_lattice *l, double *variance);
void su_variance_join(const su_lattice *l, double *variance);
/* Root mean variance of the estimates of the sets of `length` columns; 0 if there are none. */
double su_estimates_deviation(const su_estimates *e, const su_lattice *l, uint32_t length);

#endif
