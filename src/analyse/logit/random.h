/* random: logistic model with a normal random intercept per group, by adaptive Gauss-Hermite quadrature.
 *
 * L = prod_g int prod_k Bern(y_k; Lambda(x_k'b + s u)) phi(u) du. Nodes are centred at the mode of each group's integrand and scaled by its
 * curvature (Pinheiro and Bates 1995, doi:10.1080/10618600.1995.10474663); one node is Laplace's approximation. The gradient is that of
 * the approximation itself, modes included, so the maximum found is its own. */
#ifndef SU_ANALYSE_RANDOM_H
#define SU_ANALYSE_RANDOM_H

#include "logit/fit.h"

enum { SU_RANDOM_NODES = 64 };

typedef struct su_random_fit {
    uint32_t columns;   /* of the fixed part; parameters are these and log s */
    double *theta;      /* columns + 1 */
    double *covariance; /* (columns + 1)^2, inverse of the observed information; 0 for aliased columns */
    double sigma;       /* 0 at the boundary */
    bool boundary;      /* the likelihood is highest without any variation between groups */
    double loglik, largest_gradient;
    bool converged;
    unsigned iterations, nodes;
    uint32_t groups;
    const char **names; /* of the groups, by order of level; borrowed */
    uint64_t *sizes;
    double *effect, *effect_sd; /* s u at the mode, and its posterior standard deviation there */
    double *effect_error;       /* the same with what the parameters leave open (Kass and Steffey 1989, doi:10.1080/01621459.1989.10478825) */
    bool *of_groups;            /* columns that are the same for all rows of each group: their information is the groups', not the rows' */
    uint32_t of_groups_count;
} su_random_fit;

/* start: a plain fit of the same units (its kept columns and coefficients). group is a factor without missing values in the rows used.
 * Units must be the rows (no weights, nothing collapsed): su_units_rows. O(rows * (terms + nodes)) per evaluation. */
su_status su_random_fit_new(su_context *ctx, const su_predictors *x, const su_fit *start, const su_variable *group, unsigned nodes,
                            su_random_fit **out) SU_MUST_CHECK;
void su_random_fit_free(su_random_fit *f);

/* int Lambda(eta + s u) phi(u) du and its derivatives to eta and log s; 40 nodes. */
double su_population_average(double eta, double sigma, double *by_eta, double *by_log_sigma);

#endif
