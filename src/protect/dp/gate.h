/* gate: which combinations are reported, their whole-number counts and their intervals (docs/methods/noise.md, Gate). Post-processing. */
#ifndef SU_PROTECT_GATE_H
#define SU_PROTECT_GATE_H

#include "residual.h"

/* Gates the combinations of `length` columns; those of length - 1 must have been gated before (length 0 fills the total).
 * The value judged is the estimate or, where `fit` is given, fit[cell] (l->cells numbers, consistent tables of whole people).
 * count[l->cells]: for a cell whose columns all have values, the published count of that combination, 0 = not reported; for a cell with
 * absent columns, the count of the combination of its other columns (so 0 means that no record may show the cell's values).
 *   total       the estimate rounded, at least 0
 *   reported    when all combinations with one attribute less are reported, the value is above gate[length] standard deviations (of the
 *               estimate; for fitted values of all estimates of that length together) and at least least_count[length], and the count is
 *               at least 1
 *   impossible  by the rules of r: 0, and not counted as suppressed
 *   forced      when the rules leave a combination no other choice, given one of its parts: reported with that part, with the smallest count
 *               of its parts, whatever its value
 *   count       the value rounded, at most the count of every combination with one attribute less
 * Counts above 2^32 - 1 are held there. suppressed[length]: combinations whose parts were all reported and that were not. */
void su_gate_length(const su_release *r, const su_lattice *l, const su_estimates *e, uint32_t length, const float *fit, uint32_t *count,
                    uint64_t *suppressed);
/* Calls see(arg, cell) for every combination of `length` columns whose parts are all reported and that no rule decides, in order. */
void su_gate_candidates(const su_release *r, const su_lattice *l, uint32_t length, const uint32_t *count,
                        void (*see)(void *arg, size_t cell), void *arg);
/* All lengths, by the estimates. */
void su_gate(const su_release *r, const su_lattice *l, const su_estimates *e, uint32_t *count, uint64_t *suppressed);

/* Fills r->aggregates (arena) and r->suppressed_by_k with the reported combinations of at least options.k.
 * Interval: 95 %, E -+ 1.96 sd from the estimate before it was held at 0 and at its parents, widened to hold the printed count, at
 * least 0. It covers the true count in 95 % of cells; among reported cells, which are selected for being large, a little less. */
void su_gate_aggregates(su_release *r, const su_lattice *l, const su_estimates *e, const uint32_t *count);

#endif
