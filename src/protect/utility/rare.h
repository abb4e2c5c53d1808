/* rare: which records have a combination that few others have. */
#ifndef SU_PROTECT_RARE_H
#define SU_PROTECT_RARE_H

#include "compare.h"

#include <suha/utility.h>

/* risk[0..length]; zeroed before. `truths` are the combinations of m. O(rare combinations * rows of their rarest attribute). */
void su_rare_records(const su_code_matrix *m, const su_combinations *truths, uint32_t length, uint64_t k, su_utility_risk *risk);

#endif
