/* profile: Firth's penalised fit, and intervals from the profile of a likelihood.
 *
 * Firth (1993, doi:10.1093/biomet/80.1.27), Heinze and Schemper (2002, doi:10.1002/sim.1047): maximises loglik + log det I / 2, whose score
 * is sum (y - p + h (1/2 - p)) x with the leverages h. Always finite for a model of full rank. */
#ifndef SU_ANALYSE_PROFILE_H
#define SU_ANALYSE_PROFILE_H

#include "logit/fit.h"

/* From *fit's kept columns and beta to the penalised maximum; bread is the inverse information there, loglik the penalised one. Logit only.
 */
su_status su_firth_fit(su_context *ctx, const su_units *u, su_fit *fit) SU_MUST_CHECK;
/* Median bias reduction (Kenne Pagui, Salvan and Sartori 2017, doi:10.1093/biomet/asx046; Kosmidis, Kenne Pagui and Sartori 2020,
 * doi:10.1007/s11222-019-09860-6): finite, and every coefficient is as likely above as below its truth. loglik is the plain one. Logit only.
 * SU_REFUSED: not settled. */
su_status su_median_fit(su_context *ctx, const su_units *u, su_fit *fit) SU_MUST_CHECK;

typedef struct su_profile {
    double low, high; /* infinite where the profile never falls far enough */
    double p;         /* likelihood ratio test of 0 */
} su_profile;
/* Of column j: where twice the (penalised) log likelihood falls by the quantile of chi square on 1 df. About 15 constrained fits. */
su_profile su_logit_profile_interval(su_context *ctx, const su_units *u, const su_fit *fit, bool firth, uint32_t j, double level);

#endif
