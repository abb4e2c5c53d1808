/* regress: the same logistic regression on true and on synthetic records. */
#ifndef SU_PROTECT_REGRESS_H
#define SU_PROTECT_REGRESS_H

#include <suha/utility.h>

enum { SU_REGRESS_MOST_VALUES = 32 }; /* columns with more values are left out: a public rule */

/* SU_USAGE when `outcome` names no column or code. Everything else that stands in the way is a note in `out`. */
su_status su_regress(su_context *ctx, su_arena *arena, const su_code_matrix *truth, const su_code_matrix *records, const char *outcome,
                     su_utility_regression *out) SU_MUST_CHECK;

#endif
