/* kernels: loops over arrays of doubles, the same bits with and without AVX2. */
#ifndef SU_PROTECT_KERNELS_H
#define SU_PROTECT_KERNELS_H

#include <stddef.h>

/* out[i] = exp(x[i] - shift), n values, relative error below 1e-15; arguments below -700 give exp(-700), so no result is 0. Arguments must
 * not be NaN and at most 700. out may be x. About 1 ns a value. */
void su_exp_shifted(const double *x, double shift, size_t n, double *out);

double su_dot(const double *a, const double *b, size_t n);
void su_add_scaled(double scale, const double *x, size_t n, double *out); /* out += scale * x */
double su_sum(const double *x, size_t n);
double su_largest(const double *x, size_t n);                             /* n >= 1 */

#endif
