/* records: synthetic records from a fitted model. Post-processing. */
#ifndef SU_PROTECT_RECORDS_H
#define SU_PROTECT_RECORDS_H

#include "model.h"

/* The round method (McKenna et al. 2019): columns in reverse order of elimination; within every group of records that
 * agree on the earlier columns that matter, the values of the next column get their expected numbers as whole numbers (remainders by
 * sampling without replacement) and are dealt out in random order. codes[column][record] are filled. */
void su_model_records(const su_model *m, su_random *random, uint64_t record_count, uint16_t **codes);

#endif
