/* saddle: what the distributions share: Loader's saddle-point pieces (C. Loader 2000, Fast and Accurate Computation of Binomial
 * Probabilities) and the solver behind every continuous quantile. */
#ifndef SU_ANALYSE_SADDLE_H
#define SU_ANALYSE_SADDLE_H

#include <stdbool.h>

double su_stirling_error(double x);             /* x > 0 */
double su_deviance_part(double x, double mean); /* x log(x / mean) + mean - x */

/* The tail probability at u (P(U <= u), or P(U > u) when upper) and the density of U there. */
typedef double su_tail_at(const void *arg, double u, bool upper, double *density);
/* u with P(U <= u) = p; q = 1 - p as exactly as the caller knows it. Newton on the logarithm of the smaller tail, which is concave for the
 * log-concave densities used here, with bisection as a net. */
double su_tail_solve(su_tail_at *tail, const void *arg, double p, double q, double start);

#endif
