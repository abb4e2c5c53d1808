/* replay: what the fit does to a population that is known. Post-processing (docs/methods/invented.md).
 *
 * The imaginary people of the first search are measured with fresh noise of the release's own kind and fitted as the real ones were: a
 * parametric bootstrap. Of every combination of theirs it is known whether anybody is there, so the replay tells how often a combination
 * that the searches show is empty, and from how many people on combinations of each length may be reported. */
#ifndef SU_PROTECT_REPLAY_H
#define SU_PROTECT_REPLAY_H

#include "fit.h"

/* Gates combinations of two and more columns; single values are gated (`count`). mean: of su_fit_tables for t, whose first search's records
 * are in r->records. Fills r->gate, r->least_count and r->expected_invented from 2 on, count and r->suppressed_by_gate. Where the effort
 * that shown[l->cells]: the same for what the published records may show, looser from three columns on: what is priced there costs error
 * elsewhere (docs/methods/invented.md). Where the effort that
 * r->options.seconds allow is too small for a replay (su_fit_replayed), the plan's fixed thresholds stand and expected_invented is NaN.
 * Advances `random`; the same result for any number of threads. Costs as much as the fit, and 12 bytes per cell of the tables. */
su_status su_replay_gate(su_context *ctx, su_release *r, const su_lattice *l, const su_estimates *e, const su_targets *t, const float *mean,
                         su_random *random, uint32_t *count, uint32_t *shown) SU_MUST_CHECK;

#endif
