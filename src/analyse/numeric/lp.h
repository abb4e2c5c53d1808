/* lp: small dense linear programs: maximise c'x subject to A x <= b, with free or non-negative variables. Bounded simplex, Bland's rule after
 * stalls; for questions of existence (separation, extended maximum likelihood), at most some hundreds of rows and 64 variables. */
#ifndef SU_ANALYSE_LP_H
#define SU_ANALYSE_LP_H

#include <stdbool.h>
#include <stddef.h>

typedef enum su_lp_status { SU_LP_OPTIMAL, SU_LP_INFEASIBLE, SU_LP_UNBOUNDED, SU_LP_STALLED } su_lp_status;

/* low[j] <= x_j <= high[j] (infinite allowed); a is rows x columns, row-major. x gets the solution, *value its objective. */
su_lp_status su_lp_maximise(const double *a, const double *b, size_t rows, size_t columns, const double *c, const double *low,
                            const double *high, double *x, double *value);

#endif
