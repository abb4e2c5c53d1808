/* random_likelihood: the quadrature of random.h and its gradient. */
#ifndef SU_ANALYSE_RANDOM_LIKELIHOOD_H
#define SU_ANALYSE_RANDOM_LIKELIHOOD_H

#include "logit/random.h"

typedef struct su_random_data {
    const su_predictors *x;
    uint32_t groups;
    uint64_t *order; /* rows used (places in x->rows), sorted by group */
    uint64_t *start; /* groups + 1 */
    unsigned nodes;
    double node[SU_RANDOM_NODES], log_weight[SU_RANDOM_NODES]; /* sqrt(2) z; log of w exp(z^2) / sqrt(pi) */
    double *mode, *curvature;                                  /* per group, kept from one evaluation to the next */
} su_random_data;

void su_random_data_init(su_random_data *d, const su_predictors *x, const su_variable *group, unsigned nodes, uint32_t *levels);
void su_random_data_free(su_random_data *d);
/* theta = b, log s. gradient (columns + 1) may be NULL; information (columns^2) may be NULL: of b, without the part through the weights.
 * The same numbers on any number of threads. */
double su_random_loglik(su_context *ctx, su_random_data *d, const double *theta, double *gradient, double *information);

#endif
