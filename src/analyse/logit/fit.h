/* fit: maximum likelihood by iteratively reweighted least squares (Fisher scoring) over distinct rows.
 *
 * Aliased columns are found once, at equal working weights, by a pivot tolerance of 1e-9 that does not depend on the convergence
 * tolerance. A fit has settled when the last step moves no linear predictor: under separation every step moves some by about one, however
 * little the likelihood gains, so a fit that has settled is finite. */
#ifndef SU_ANALYSE_FIT_H
#define SU_ANALYSE_FIT_H

#include "logit/family.h"
#include "logit/predictors.h"

#define SU_FIT_PIVOT 1e-9

enum { SU_UNITS_SMALL = 20000 }; /* up to here rows are neither stored nor shared out among threads */

/* What is fitted: n units (a row of the frame, an outcome, a weight). */
typedef struct su_units {
    const su_predictors *x;
    su_family family;
    uint32_t *row;
    double *y;
    double *weight; /* NULL = 1 */
    uint64_t n;
    bool collapsed;
    double *fixed;  /* many units: their rows once, as su_predictors_split gives them (values of the rest are 1); NULL = read each time */
    uint16_t *rest; /* columns; UINT16_MAX = none */
} su_units;

/* weight: one per row of the frame, NULL = 1. Rows alike in outcome and all predictors become one unit unless few are.
 * O(rows * variables). */
void su_units_init(su_units *u, const su_predictors *x, su_family family, const double *weight);
/* The same with every row of weight above 0 a unit of its own, in order. */
void su_units_rows(su_units *u, const su_predictors *x, su_family family, const double *weight);
void su_units_free(su_units *u);
/* Gives back the stored rows; sums still work, reading rows again. */
void su_units_shrink(su_units *u);
static inline double su_units_weight(const su_units *u, uint64_t i) { return u->weight ? u->weight[i] : 1; }

/* Sums over the units at beta: log likelihood, score, expected information (whole, symmetric). */
typedef struct su_moments {
    double loglik;
    double *score, *information;
    double moved; /* largest |x'delta| */
} su_moments;
su_moments su_moments_new(uint32_t columns);
void su_moments_free(su_moments *m);
/* delta may be NULL. The same numbers on any number of threads. */
void su_units_moments(su_context *ctx, const su_units *u, const double *beta, const double *delta, su_moments *out);
/* As information: the sum over rows of (residual)^2 x x'. Rows that were collapsed must have had weight 1. */
void su_units_squares(su_context *ctx, const su_units *u, const double *beta, su_moments *out);
/* totals[group[i] * columns ...] += residual * x of unit i; units must not be collapsed. */
void su_units_group_sums(const su_units *u, const double *beta, const uint32_t *group, double *totals);

typedef struct su_fit {
    double *beta; /* 0 where not kept */
    bool *kept;
    double *bread;  /* inverse information, rows and columns not kept are 0 */
    double *factor; /* Cholesky factor of the information */
    uint32_t columns, rank;
    double loglik, deviance, null_loglik, null_deviance;
    double dispersion; /* linear: residual variance; 1 otherwise */
    double moved;      /* by the last step */
    unsigned iterations;
    bool converged;
} su_fit;

enum { SU_FIT_ITERATIONS = 50 };

/* Scoring from *beta over the columns of `active` (the others stay as they are). False: not settled within 50 iterations. */
bool su_fit_maximise(su_context *ctx, const su_units *u, const bool *active, double *beta, su_moments *m, unsigned *iterations);
/* The whole fit. SU_CANCELLED only. */
su_status su_fit_new(su_context *ctx, const su_units *u, su_fit **out) SU_MUST_CHECK;
void su_fit_free(su_fit *fit);

#endif
