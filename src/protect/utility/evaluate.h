/* evaluate: the metrics of su_evaluation, as a visitor of the comparison, so that one walk serves several. */
#ifndef SU_PROTECT_EVALUATE_H
#define SU_PROTECT_EVALUATE_H

#include "compare.h"

typedef struct su_tally {
    uint64_t truly, released, common, unions, intervals, held;
    double true_sum, error_common, error_union, max_error;
} su_tally;
typedef struct su_tallies {
    su_tally level[SU_MAX_LENGTH + 1]; /* by length; 0 is filled by su_tallies_summarise */
} su_tallies;

void su_tally_meet(su_tallies *t, const su_meeting *m);
void su_tallies_summarise(su_tallies *t, uint32_t length, su_evaluation_level *out);

#endif
