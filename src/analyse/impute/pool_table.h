/* pool_table: the table of pooled coefficients, from a fitted model or from a file. */
#ifndef SU_ANALYSE_POOL_TABLE_H
#define SU_ANALYSE_POOL_TABLE_H

#include <suha/impute.h>

su_result_table *su_pool_table(su_result *out, bool odds);
void su_pool_row(su_result_table *t, const char *term, const su_pooled *q, double level, bool odds);

#endif
