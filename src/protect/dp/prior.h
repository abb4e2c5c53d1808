/* prior: an earlier release as what is known before this one's tables are looked at (docs/methods/public-prior.md; JAM-PGM, Fuentes,
 * Mullins, McKenna, Miklau, Sheldon 2024, arXiv 2403.07797, chooses table by table between public and private answers; here each is
 * weighed). Post-processing of noisy tables and of what was published already: costs no privacy. */
#ifndef SU_PROTECT_PRIOR_H
#define SU_PROTECT_PRIOR_H

#include "residual.h"

/* How many cells of the table count when the budget is shared: of `positive` ones those that the public records fill, and a tenth of the
 * others, which may fill up. All of them when the public records lack one of the columns. */
double su_prior_cells(const su_release *r, const su_release_table *t, double positive);

/* Moves the parts of the estimates that each set of columns adds (all but the total) towards those of r->options.prior, as far as the data
 * allow: the further the data are from the public records, measured in their own noise, the less. e->plain and e->plain_variance keep what
 * the data alone say. Fills r->prior_weight: per length the mean share that the data keep. */
su_status su_prior_use(su_context *ctx, su_release *r, const su_lattice *l, su_estimates *e) SU_MUST_CHECK;

#endif
