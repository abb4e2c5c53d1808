/* The beta family: incomplete beta function, Student's t, F, binomial. */
#include "numeric/saddle.h"
#include "numeric/special.h"

#include <math.h>

#define MOST_TERMS 2000000

/* x^a y^b / B(a, b) with y = 1 - x known by itself. */
static double beta_front(double x, double y, double a, double b)
{
    double n = a + b;
    double exponent =
        -su_deviance_part(a, n * x) - su_deviance_part(b, n * y) + su_stirling_error(n) - su_stirling_error(a) - su_stirling_error(b);
    return sqrt(a / n * b / 6.283185307179586477) * exp(exponent);
}

/* DiDonato and Morris 1992, equation 9, by the modified Lentz method, for x below (a + 1) / (a + b + 2). a - (a + b) x is taken from the
 * smaller of x and y, so that large a or b cost no digits. */
static double fraction(double x, double y, double a, double b)
{
    double lambda = x < y ? a - (a + b) * x : (a + b) * y - b;
    double f = a * (lambda + 1) / (a + 1), c, d = 0;
    if (f == 0) f = 1e-300;
    c = f;
    for (double m = 1; m < MOST_TERMS; m++) {
        double k = a + 2 * m - 1;
        double top = (a + m - 1) / k * (a + b + m - 1) / k * m * (b - m) * x * x;
        double bottom = m + m * (b - m) * x / k + (a + m) * (lambda + 1 + m * (1 + y)) / (k + 2);
        d = bottom + top * d;
        c = bottom + top / c;
        if (d == 0) d = 1e-300;
        if (c == 0) c = 1e-300;
        d = 1 / d;
        double change = c * d;
        f *= change;
        if (fabs(change - 1) < 1e-16) break;
    }
    return beta_front(x, y, a, b) / f;
}

/* I_x(a, b) when both x and y = 1 - x are known to full accuracy. */
static double beta_both(double x, double y, double a, double b)
{
    if (isnan(x) || !(a >= 0) || !(b >= 0) || (a == 0 && b == 0)) return NAN;
    if (x <= 0) return a == 0 && x == 0 ? 1 : 0;
    if (y <= 0) return 1;
    if (a == 0) return 1;
    if (b == 0) return 0;
    return x <= (a + 1) / (a + b + 2) ? fraction(x, y, a, b) : 1 - fraction(y, x, b, a);
}

double su_beta_i(double x, double a, double b) { return beta_both(x, 1 - x, a, b); }

typedef struct beta_at {
    double a, b;
} beta_at;

static double beta_tail(const void *arg, double u, bool upper, double *slope)
{
    const beta_at *s = arg;
    double x = 1 / (1 + exp(-u)), y = 1 / (1 + exp(u));
    *slope = x > 0 && y > 0 ? beta_front(x, y, s->a, s->b) : 0;
    return upper ? beta_both(y, x, s->b, s->a) : beta_both(x, y, s->a, s->b);
}

/* The logit of the beta quantile: x and 1 - x both come from it without loss. */
static double beta_logit(double p, double q, double a, double b)
{
    beta_at s = { a, b };
    /* The first terms of the series at both ends: all there is near the smallest numbers. */
    double first = (log(p) + log(a) + su_lbeta(a, b)) / a, last = -(log(q) + log(b) + su_lbeta(a, b)) / b;
    if (first < -690 || last > 690) return first < -690 ? first : last;
    double z = su_normal_quantile(p <= q ? p : q), start;
    if (p > q) z = -z;
    if (a >= 1 && b >= 1)
        start = log(a / b) + z * sqrt(1 / a + 1 / b);
    else
        start = log(p) / a < log(q) / b ? fmin(first, 0) : fmax(last, 0);
    return su_tail_solve(beta_tail, &s, p, q, start);
}

double su_beta_quantile(double p, double a, double b)
{
    if (!(p >= 0 && p <= 1) || !(a >= 0) || !(b >= 0) || (a == 0 && b == 0)) return NAN;
    if (a == 0 || p == 0) return 0;
    if (b == 0 || p == 1) return 1;
    return 1 / (1 + exp(-beta_logit(p, 1 - p, a, b)));
}

double su_t_two_sided(double t, double df)
{
    if (isnan(t) || !(df > 0)) return NAN;
    if (isinf(t)) return 0;
    if (isinf(df)) return 2 * su_normal_upper(fabs(t));
    double square = t * t;
    if (isinf(square)) return exp(df * (0.5 * log(df) - log(fabs(t))) - log(df / 2) - su_lbeta(df / 2, 0.5));
    return beta_both(df / (df + square), square / (df + square), df / 2, 0.5);
}

double su_t_cdf(double t, double df)
{
    double tail = su_t_two_sided(t, df) / 2;
    return t > 0 ? 1 - tail : tail;
}

double su_t_quantile(double p, double df)
{
    if (!(p >= 0 && p <= 1) || !(df > 0)) return NAN;
    if (isinf(df)) return su_normal_quantile(p);
    if (p == 0.5) return 0;
    if (p == 0 || p == 1) return p == 0 ? -INFINITY : INFINITY;
    double tail = p < 0.5 ? p : 1 - p;
    /* |t| = sqrt(df y / x) with x the beta quantile of the two-sided tail */
    double t = sqrt(df) * exp(-0.5 * beta_logit(2 * tail, 1 - 2 * tail, df / 2, 0.5));
    return p < 0.5 ? -t : t;
}

double su_f_upper(double f, double df1, double df2)
{
    if (isnan(f) || !(df1 > 0) || !(df2 > 0)) return NAN;
    if (f <= 0) return 1;
    if (isinf(f)) return 0;
    if (isinf(df2)) return su_chi2_upper(f * df1, df1);
    double part = df1 * f;
    return beta_both(df2 / (df2 + part), part / (df2 + part), df2 / 2, df1 / 2);
}

double su_f_quantile(double p, double df1, double df2)
{
    if (!(p >= 0 && p <= 1) || !(df1 > 0) || !(df2 > 0)) return NAN;
    if (p == 0 || p == 1) return p == 0 ? 0 : INFINITY;
    if (isinf(df2)) return su_chi2_quantile(p, df1) / df1;
    return df2 / df1 * exp(beta_logit(p, 1 - p, df1 / 2, df2 / 2));
}

double su_binomial_log(int64_t k, int64_t n, double p)
{
    if (n < 0 || !(p >= 0 && p <= 1)) return NAN;
    if (k < 0 || k > n) return -INFINITY;
    if (p == 0 || p == 1) return k == (p == 0 ? 0 : n) ? 0 : -INFINITY;
    double x = (double)k, size = (double)n, rest = size - x;
    if (k == 0) return size * log1p(-p);
    if (k == n) return size * log(p);
    return su_stirling_error(size) - su_stirling_error(x) - su_stirling_error(rest) - su_deviance_part(x, size * p) -
           su_deviance_part(rest, size * (1 - p)) + 0.5 * log(size / (6.283185307179586477 * x * rest));
}

double su_binomial_cdf(int64_t k, int64_t n, double p)
{
    if (n < 0 || !(p >= 0 && p <= 1)) return NAN;
    if (k < 0) return 0;
    if (k >= n) return 1;
    return beta_both(1 - p, p, (double)(n - k), (double)k + 1);
}
