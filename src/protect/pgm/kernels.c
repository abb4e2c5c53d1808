/* exp: range reduction exp(x) = 2^k exp(r), |r| <= ln(2)/2 (Cody & Waite 1980), and the Taylor polynomial of degree 13, whose remainder is
 * below 5e-18. Written on vectors of four, without contraction, so that every machine of IEEE 754 arithmetic gives the same bits. */
#include "kernels.h"

#include <stdint.h>
#include <string.h>

#ifdef __clang__ /* clang 14 leaves cloned functions undefined for other files; the fuzz build needs no speed */
#define SU_CLONES
#else
#define SU_CLONES __attribute__((target_clones("avx2", "default")))
#endif
typedef double doubles4 __attribute__((vector_size(32), aligned(8), may_alias));
typedef int64_t words4 __attribute__((vector_size(32), aligned(8), may_alias));

#define LOWEST (-700.0)
#define LOG2E 0x1.71547652b82fep+0
#define LN2_HIGH 0x1.62e42fee00000p-1 /* 33 bits: k * LN2_HIGH is exact for |k| < 2^20 */
#define LN2_LOW 0x1.a39ef35793c76p-33
#define ROUND 0x1.8p52 /* adding it leaves the nearest whole number in the low bits */

/* *value = exp(*value) */
static inline __attribute__((always_inline)) void exp4(doubles4 *value)
{
    doubles4 x = *value;
    const doubles4 zero = { 0 };
    words4 low = x < zero + LOWEST;
    x = (doubles4)(((words4)x & ~low) | ((words4)(zero + LOWEST) & low));
    doubles4 shifted = x * LOG2E + ROUND, k = shifted - ROUND;
    doubles4 r = (x - k * LN2_HIGH) - k * LN2_LOW;
    doubles4 r2 = r * r;
    doubles4 odd = zero + 1.0 / 6227020800, even = zero + 1.0 / 479001600;
    odd = odd * r2 + 1.0 / 39916800, even = even * r2 + 1.0 / 3628800;
    odd = odd * r2 + 1.0 / 362880, even = even * r2 + 1.0 / 40320;
    odd = odd * r2 + 1.0 / 5040, even = even * r2 + 1.0 / 720;
    odd = odd * r2 + 1.0 / 120, even = even * r2 + 1.0 / 24;
    odd = odd * r2 + 1.0 / 6, even = even * r2 + 0.5;
    doubles4 tail = (odd * r + even) * r2 + r; /* exp(r) - 1 */
    words4 power = ((words4)shifted + 1023) << 52;
    *value = (doubles4)power + (doubles4)power * tail;
}

SU_CLONES void su_exp_shifted(const double *x, double shift, size_t n, double *out)
{
    size_t i = 0;
    for (; i + 4 <= n; i += 4) {
        doubles4 four = *(const doubles4 *)(x + i) - shift;
        exp4(&four);
        *(doubles4 *)(out + i) = four;
    }
    if (i < n) {
        double rest[4] = { 0 };
        memcpy(rest, x + i, (n - i) * sizeof *rest);
        doubles4 four = *(const doubles4 *)rest - shift;
        exp4(&four);
        memcpy(out + i, &four, (n - i) * sizeof *rest);
    }
}

SU_CLONES double su_dot(const double *a, const double *b, size_t n)
{
    doubles4 low = { 0 }, high = { 0 };
    double rest = 0;
    size_t i = 0;
    for (; i + 8 <= n; i += 8) {
        low += *(const doubles4 *)(a + i) * *(const doubles4 *)(b + i);
        high += *(const doubles4 *)(a + i + 4) * *(const doubles4 *)(b + i + 4);
    }
    for (; i < n; i++) rest += a[i] * b[i];
    low += high;
    return ((low[0] + low[1]) + (low[2] + low[3])) + rest;
}

SU_CLONES double su_sum(const double *x, size_t n)
{
    doubles4 low = { 0 }, high = { 0 };
    double rest = 0;
    size_t i = 0;
    for (; i + 8 <= n; i += 8) {
        low += *(const doubles4 *)(x + i);
        high += *(const doubles4 *)(x + i + 4);
    }
    for (; i < n; i++) rest += x[i];
    low += high;
    return ((low[0] + low[1]) + (low[2] + low[3])) + rest;
}

SU_CLONES void su_add_scaled(double scale, const double *x, size_t n, double *out)
{
    size_t i = 0;
    for (; i + 4 <= n; i += 4) *(doubles4 *)(out + i) += scale * *(const doubles4 *)(x + i);
    for (; i < n; i++) out[i] += scale * x[i];
}

double su_largest(const double *x, size_t n)
{
    double best[4] = { x[0], x[0], x[0], x[0] };
    size_t i = 0;
    for (; i + 4 <= n; i += 4)
        for (size_t k = 0; k < 4; k++) best[k] = x[i + k] > best[k] ? x[i + k] : best[k];
    for (; i < n; i++) best[0] = x[i] > best[0] ? x[i] : best[0];
    double left = best[0] > best[1] ? best[0] : best[1], right = best[2] > best[3] ? best[2] : best[3];
    return left > right ? left : right;
}
