/* The gamma family: log gamma, its derivatives, the incomplete gamma function. */
#include "numeric/saddle.h"
#include "numeric/special.h"

#include <math.h>

#define MOST_TERMS 2000000

double su_lgamma(double x)
{
    int sign;
    return x > 0 ? lgamma_r(x, &sign) : NAN;
}

/* delta(x) = log Gamma(x + 1) - (x + 1/2) log x + x - log(2 pi) / 2, the remainder of Stirling's formula (DLMF 5.11.1). */
double su_stirling_error(double x)
{
    if (x < 15) return su_lgamma(x + 1) - (x + 0.5) * log(x) + x - 0.91893853320467274178;
    double y = 1 / (x * x);
    return (1.0 / 12 - (1.0 / 360 - (1.0 / 1260 - (1.0 / 1680 - (1.0 / 1188 - (691.0 / 360360 - y / 156) * y) * y) * y) * y) * y) / x;
}

/* x log(x / m) + m - x without cancellation near x = m: with v = (x - m) / (x + m), log(x / m) = 2 atanh v. */
double su_deviance_part(double x, double m)
{
    if (x <= 0) return m;
    if (fabs(x - m) > 0.1 * (x + m)) return x * log(x / m) + m - x;
    double v = (x - m) / (x + m), square = v * v, power = v, s = (x - m) * v;
    for (int j = 3; j < 1000; j += 2) {
        power *= square;
        double next = s + 2 * x * power / j;
        if (next == s) break;
        s = next;
    }
    return s;
}

double su_lbeta(double a, double b)
{
    if (!(a > 0) || !(b > 0)) return NAN;
    double small = a < b ? a : b, large = a < b ? b : a;
    if (large < 15) return su_lgamma(a) + su_lgamma(b) - su_lgamma(a + b);
    /* log Gamma(large) - log Gamma(large + small) by the difference of two Stirling formulas */
    double ratio = su_stirling_error(large) - su_stirling_error(large + small) - small * log(large + small) + small -
                   (large - 0.5) * log1p(small / large);
    return su_lgamma(small) + ratio;
}

double su_digamma(double x)
{
    if (!(x > 0)) return NAN;
    double s = 0;
    for (; x < 12; x++) s -= 1 / x;
    double y = 1 / (x * x);
    double tail = y * (1.0 / 12 - y * (1.0 / 120 - y * (1.0 / 252 - y * (1.0 / 240 - y * (1.0 / 132 - y * (691.0 / 32760 - y / 12))))));
    return s + log(x) - 0.5 / x - tail;
}

double su_trigamma(double x)
{
    if (!(x > 0)) return NAN;
    double s = 0;
    for (; x < 12; x++) s += 1 / (x * x);
    double y = 1 / (x * x);
    double tail = y * (1.0 / 6 - y * (1.0 / 30 - y * (1.0 / 42 - y * (1.0 / 30 - y * (5.0 / 66 - y * (691.0 / 2730 - y * 7 / 6))))));
    return s + (1 + 0.5 / x + tail) / x;
}

/* x^a e^-x / Gamma(a + 1), through Loader's saddle point so that large a and x do not cancel. */
static double gamma_front(double a, double x)
{
    if (a == 0) return exp(-x);
    return exp(-su_deviance_part(a, x) - su_stirling_error(a)) / sqrt(6.283185307179586477 * a);
}

/* DLMF 8.7.1: P = front * sum x^k / ((a+1) ... (a+k)). */
static double lower_series(double a, double x)
{
    double term = 1, s = 1;
    for (double k = 1; k < MOST_TERMS; k++) {
        term *= x / (a + k);
        s += term;
        if (term < s * 1e-17) break;
    }
    return gamma_front(a, x) * s;
}

/* DLMF 8.9.2, modified Lentz. */
static double upper_fraction(double a, double x)
{
    double b = x + 1 - a, d = 1 / b, c = 1e300, h = d;
    for (double k = 1; k < MOST_TERMS; k++) {
        double n = -k * (k - a);
        b += 2;
        d = b + n * d;
        if (d == 0) d = 1e-300;
        c = b + n / c;
        if (c == 0) c = 1e-300;
        d = 1 / d;
        double change = c * d;
        h *= change;
        if (fabs(change - 1) < 1e-16) break;
    }
    return gamma_front(a, x) * a * h;
}

/* log Gamma(1 + a) for small a, where 1 + a would lose the digits of a (DLMF 5.7.3). */
static double lgamma_above_one(double a)
{
    if (a > 1e-3) return su_lgamma(1 + a);
    return a * (-0.57721566490153286061 +
                a * (0.82246703342411321824 - a * (0.40068563438653142847 - a * (0.27058080842778454788 - a * 0.20738555102867398527))));
}

/* Q for a < 1, x < 1 from DLMF 8.7.1 of the other kind: no difference of near equal numbers when Q is small. */
static double upper_small(double a, double x)
{
    double head = a * log(x) - lgamma_above_one(a), s = 0, power = 1;
    for (int k = 1; k < 200; k++) {
        power *= -x / k;
        double next = s + power / (a + k);
        if (next == s) break;
        s = next;
    }
    return -expm1(head) - exp(head) * a * s;
}

double su_gamma_p(double a, double x)
{
    if (!(a >= 0) || !(x >= 0)) return NAN;
    if (x == 0) return a == 0 ? 1 : 0;
    if (a == 0 || isinf(x)) return 1;
    return x < a + 1 ? lower_series(a, x) : 1 - upper_fraction(a, x);
}

double su_gamma_q(double a, double x)
{
    if (!(a >= 0) || !(x >= 0)) return NAN;
    if (x == 0) return a == 0 ? 0 : 1;
    if (a == 0 || isinf(x)) return 0;
    if (a < 1 && x < 1) return upper_small(a, x);
    return x < a + 1 && a >= 1 ? 1 - lower_series(a, x) : upper_fraction(a, x);
}

double su_poisson_log(int64_t k, double mean)
{
    if (k < 0) return -INFINITY;
    if (!(mean >= 0)) return NAN;
    if (mean == 0) return k == 0 ? 0 : -INFINITY;
    double x = (double)k;
    if (k == 0) return -mean;
    return -su_stirling_error(x) - su_deviance_part(x, mean) - 0.5 * log(6.283185307179586477 * x);
}

double su_poisson_cdf(int64_t k, double mean) { return k < 0 ? 0 : su_gamma_q((double)k + 1, mean); }

double su_poisson_upper(int64_t k, double mean) { return k <= 0 ? 1 : su_gamma_p((double)k, mean); }

double su_chi2_upper(double x, double df) { return x <= 0 ? 1 : su_gamma_q(df / 2, x / 2); }

/* d P / d log x */
static double gamma_slope(double a, double u)
{
    double x = exp(u);
    return gamma_front(a, x) * a;
}

typedef struct gamma_at {
    double shape;
} gamma_at;

static double gamma_tail(const void *arg, double u, bool upper, double *slope)
{
    const gamma_at *g = arg;
    *slope = gamma_slope(g->shape, u);
    return upper ? su_gamma_q(g->shape, exp(u)) : su_gamma_p(g->shape, exp(u));
}

double su_gamma_quantile(double p, double shape)
{
    if (!(p >= 0 && p <= 1) || !(shape >= 0)) return NAN;
    if (p == 0 || shape == 0) return 0;
    if (p == 1) return INFINITY;
    gamma_at g = { shape };
    double first = (log(p) + su_lgamma(shape + 1)) / shape; /* of the series: all there is near the smallest numbers */
    if (first < -690) return exp(first);
    /* Wilson and Hilferty where it is positive */
    double z = su_normal_quantile(p), c = 1 / (9 * shape), root = 1 - c + z * sqrt(c);
    double start = root > 0.1 ? log(shape) + 3 * log(root) : first;
    return exp(su_tail_solve(gamma_tail, &g, p, 1 - p, start));
}

double su_chi2_quantile(double p, double df) { return 2 * su_gamma_quantile(p, df / 2); }
