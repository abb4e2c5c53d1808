/* expel: no record shows two values whose combination is not reported. Post-processing. */
#ifndef SU_PROTECT_EXPEL_H
#define SU_PROTECT_EXPEL_H

#include "../dp/lattice.h"

/* As long as a record of r holds two values together that are in a table of the lattice and not reported (count 0 there), the one that
 * stands in most such pairs of the record becomes absent; of several the one that most records have, then the first column. Taking a value
 * away makes no new combination, so this ends, and it ends without such a pair. Each record by itself: O(columns^2) and once more for every
 * value taken away.
 * What was taken away is then given back where it makes no combination of count 0, of any length: every place that was emptied gets the
 * code, of those lost in its column and not yet given, that brings pairs and single values nearest to `count`; or stays absent. So no
 * code has more records than before, and only records that held such a pair change. Returns how many values were taken away, those given
 * back included. O(sets through the column * codes) for each, and 4 bytes per cell of pairs.
 */
uint64_t su_expel_pairs(su_release *r, const su_lattice *l, const uint32_t *count);

#endif
