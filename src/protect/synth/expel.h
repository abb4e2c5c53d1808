/* expel: no record shows two values whose combination is not reported. Post-processing. */
#ifndef SU_PROTECT_EXPEL_H
#define SU_PROTECT_EXPEL_H

#include "../dp/lattice.h"

/* As long as a record of r holds two values together that are in a table of the lattice and not reported (count 0 there), the one that
 * stands in most such pairs of the record becomes absent; of several the one that most records have, then the first column. Taking a value
 * away makes no new combination, so this ends, and it ends without such a pair. Returns how many values were taken away. Each record by
 * itself: O(columns^2) and once more for every value taken away. */
uint64_t su_expel_pairs(su_release *r, const su_lattice *l, const uint32_t *count);

#endif
