/* conditional: logistic regression given how many of each group had the outcome. What a group has in common drops out, so that many small
 * groups cause no bias (Chamberlain 1980, Review of Economic Studies 47:225).
 *
 * L = prod_g exp(sum_events x'b) / sum over all choices of as many rows of exp(sum_chosen x'b). The sum is a coefficient of
 * prod (1 + w_i t), w = exp(x'b): up to a factor, the chance that independent trials with odds c w_i succeed as often as seen (Gail, Lubin
 * and Rubinstein 1981, Biometrika 68:703, with a c per group that makes this the expected number, so that nothing overflows). */
#ifndef SU_ANALYSE_CONDITIONAL_H
#define SU_ANALYSE_CONDITIONAL_H

#include "logit/fit.h"

typedef struct su_conditional_facts {
    uint64_t rows, groups;            /* that say something: groups with both outcomes */
    uint64_t dropped, dropped_groups; /* of one outcome alone */
} su_conditional_facts;

/* The intercept and columns that are constant within groups are not kept. loglik and null_loglik are conditional. SU_REFUSED: no group with
 * both outcomes, nothing left to estimate, no finite maximum. O(steps * rows * largest number of events in a group * columns^2). */
su_status su_conditional_fit(su_context *ctx, const su_predictors *x, const su_variable *group, su_fit **out,
                             su_conditional_facts *facts) SU_MUST_CHECK;

#endif
