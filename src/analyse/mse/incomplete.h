/* incomplete: traits that some lists do not record. Log-linear models of lists and traits by the EM algorithm (van der Heijden, Whittaker,
 * Cruyff, Bakker and van der Vliet 2012, doi:10.1214/12-AOAS536; Zwane and van der Heijden 2007, doi:10.1002/sim.2577): people without a
 * value are shared out over the strata they may belong to, in proportion to the fitted numbers, and the model is fitted again, until the
 * likelihood of what was seen stands still. Values are taken as missing at random given lists and known traits.
 *
 * A term of a list and a trait needs people off that list whose trait is known: otherwise nothing in the table speaks of it, and it is
 * never fitted. O(rounds * fit); some tens of rounds. */
#ifndef SU_MSE_INCOMPLETE_H
#define SU_MSE_INCOMPLETE_H

#include "mse/covariate.h"

/* As su_trait_fit_model, for a table with partial rows; BIC and AIC by the likelihood of what was seen, deviance NaN. full: covariance from
 * 200 resamples of people (Philox stream of `seed`), and `completed`. */
su_trait_fit su_incomplete_fit(su_context *ctx, const su_overlaps *o, const su_trait_model *m, bool full, uint64_t seed);
/* Whether the term can be told from the table. */
bool su_incomplete_knows(const su_overlaps *o, const su_trait_term *t);

#endif
