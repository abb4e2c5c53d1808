/* account: what noise costs (docs/methods/accounting.md). Zero-concentrated differential privacy composes by adding rho; these functions turn
 * rho into (epsilon, delta) and back by Canonne, Kamath, Steinke 2020 (arXiv 2004.00010).
 *
 * Safe side: every published number must be on the pessimistic side of the true one. Terms are computed in long double and a bound on
 * their rounding error is added before the result is rounded outward to a double: each elementary function of the C library is taken to
 * be within 8 units in the last place (glibc documents at most 5 for those used), each operation within 1. The inverse functions return
 * an argument at which the forward function was evaluated and found to satisfy the bound; nothing rests on how far a search got. */
#include <suha/protect.h>

#include <float.h>
#include <math.h>

#define UNIT LDBL_EPSILON
#define PI 3.141592653589793238462643383279502884L

#define NAME(id, name, about) name,
#define ABOUT(id, name, about) about,
static const char *const accountant_names[] = { SU_ACCOUNTANT_LIST(NAME) };
static const char *const accountant_abouts[] = { SU_ACCOUNTANT_LIST(ABOUT) };

const char *su_accountant_name(su_accountant a) { return a < SU_ACCOUNTANT_COUNT ? accountant_names[a] : "unknown"; }
const char *su_accountant_about(su_accountant a) { return a < SU_ACCOUNTANT_COUNT ? accountant_abouts[a] : "unknown"; }

static double outward_up(long double x)
{
    double d = (double)x;
    return (long double)d >= x ? d : nextafter(d, INFINITY);
}

static double probability_up(long double x)
{
    double d = outward_up(x);
    return d >= 1 ? 1 : d > 0 ? d : DBL_TRUE_MIN;
}

/* Logarithm of the CKS bound at alpha = 1 + x, plus a bound on its rounding error:
 *   (alpha-1)(alpha rho - eps) + alpha ln(1 - 1/alpha) - ln(alpha-1)  =  x((1+x) rho - eps) - x ln(1+1/x) - ln(1+x)
 * The right-hand form has no cancellation near alpha = 1. */
static long double log_delta(long double rho, long double epsilon, long double x)
{
    long double gain = x * (1 + x) * rho, loss = x * epsilon, a = x * log1pl(1 / x), b = log1pl(x);
    return gain - loss - a - b + 16 * UNIT * (gain + loss + a + b + 1);
}

/* Derivative of the exponent in alpha, increasing: its zero is the best alpha. */
static long double log_delta_slope(long double rho, long double epsilon, long double x)
{
    return (2 * x + 1) * rho - epsilon - log1pl(1 / x);
}

double su_zcdp_delta(double rho, double epsilon)
{
    if (!(rho >= 0) || !(epsilon >= 0) || isinf(rho)) {
        return 1; /* also NaN: claim nothing */
    }
    if (rho == 0 || isinf(epsilon)) {
        return 0;
    }
    /* Beyond high the slope is positive: 2 x rho > epsilon + 1 and ln(1 + 1/x) < 1. */
    long double low = logl(1e-30L), high = logl(((long double)epsilon + 1) / (2 * (long double)rho) + 1);
    /* 48 halvings find ln x to 1e-12; at a minimum that leaves nothing of delta unfound, and any x gives a valid bound. */
    for (int i = 0; i < 48; i++) {
        long double middle = (low + high) / 2;
        if (log_delta_slope(rho, epsilon, expl(middle)) > 0) {
            high = middle;
        } else {
            low = middle;
        }
    }
    return probability_up(expl(log_delta(rho, epsilon, expl(high))) * (1 + 16 * UNIT));
}

/* Largest argument found in [0, infinity) at which the non-decreasing `f` is still <= delta. */
static double last_within(double (*f)(double argument, double fixed), double fixed, double delta)
{
    double low = 0, high = 1;
    while (f(high, fixed) <= delta) {
        low = high;
        high *= 2;
        if (isinf(high)) {
            return low;
        }
    }
    for (;;) {
        /* Halving the exponent first reaches tiny arguments in a few steps. */
        double middle = low > 0 && high / low < 4 ? low + (high - low) / 2 : low > 0 ? sqrt(low) * sqrt(high) : high / 1024;
        if (!(middle > low && middle < high)) {
            return low;
        }
        if (f(middle, fixed) <= delta) {
            low = middle;
        } else {
            high = middle;
        }
    }
}

double su_zcdp_rho(double epsilon, double delta)
{
    if (!(epsilon >= 0) || !(delta > 0) || isinf(epsilon)) {
        return 0;
    }
    return last_within(su_zcdp_delta, epsilon, delta < 1 ? delta : nextafter(1, 0));
}

double su_zcdp_epsilon(double rho, double delta)
{
    if (!(rho >= 0) || !(delta > 0) || isinf(rho)) {
        return INFINITY;
    }
    if (delta >= 1 || su_zcdp_delta(rho, 0) <= delta) {
        return 0;
    }
    double low = 0, high = 1;
    while (su_zcdp_delta(rho, high) > delta) {
        low = high;
        high *= 2;
        if (isinf(high)) {
            return INFINITY;
        }
    }
    for (;;) {
        double middle = low + (high - low) / 2;
        if (!(middle > low && middle < high)) {
            return high;
        }
        if (su_zcdp_delta(rho, middle) <= delta) {
            high = middle;
        } else {
            low = middle;
        }
    }
}

/* Upper bound of P(N(0,1) > x) with its rounding error; *error receives what was added. The argument's own rounding moves the tail by
 * about x^2 units. */
static long double tail(long double x, long double *error)
{
    long double q = erfcl(x / sqrtl(2)) / 2;
    *error = q * UNIT * (16 + 4 * x * x);
    return q;
}

/* Exact curve of the continuous Gaussian mechanism with mu = sensitivity/sigma (Balle, Wang 2018, arXiv 1805.06530):
 * Q(eps/mu - mu/2) - e^eps Q(eps/mu + mu/2). */
static double gaussian_delta_of(long double mu, long double epsilon)
{
    if (epsilon > 10000) {
        return 1; /* e^epsilon leaves long double: claim nothing */
    }
    long double a = epsilon / mu - mu / 2, b = epsilon / mu + mu / 2, error_a, error_b;
    long double first = tail(a, &error_a), second = expl(epsilon) * tail(b, &error_b);
    error_b = expl(epsilon) * error_b + second * UNIT * 16 * (1 + epsilon);
    return probability_up(first - second + error_a + error_b);
}

double su_gaussian_delta(double sigma, double epsilon)
{
    if (!(sigma > 0) || !(epsilon >= 0)) {
        return 1;
    }
    if (isinf(sigma) || isinf(epsilon)) {
        return 0;
    }
    return gaussian_delta_of(1 / (long double)sigma, epsilon);
}

static double gaussian_delta_at_rho(double rho, double epsilon)
{
    return rho > 0 ? gaussian_delta_of(sqrtl(2 * (long double)rho), epsilon) : 0;
}

double su_gaussian_rho(double epsilon, double delta)
{
    if (!(epsilon >= 0) || !(delta > 0) || isinf(epsilon)) {
        return 0;
    }
    return last_within(gaussian_delta_at_rho, epsilon, delta < 1 ? delta : nextafter(1, 0));
}

/* Sums over all integers of w(k) e^(-c k^2) with w = 1 and w = k^2. For c >= 1 twelve terms leave less than 1e-60. */
typedef struct theta {
    long double sum, second;
} theta;

static theta theta_of(long double c)
{
    theta t = { 0, 0 };
    for (int k = 12; k >= 1; k--) {
        long double term = 2 * expl(-c * k * k);
        t.sum += term;
        t.second += term * k * k;
    }
    t.sum += 1;
    return t;
}

/* Poisson summation gives two series for the same sum; e^(-k^2 / 2 s2) is short when s2 is small, its transform when s2 is large, and
 * at s2 = 1/(2 pi) they are the same. */
static bool direct_series(long double s2) { return s2 * 2 * PI < 1; }

double su_discrete_gaussian_pmf(su_variance v, int64_t x)
{
    long double s2 = (long double)v.num / (long double)v.den;
    long double whole = direct_series(s2) ? theta_of(1 / (2 * s2)).sum : sqrtl(2 * PI * s2) * theta_of(2 * PI * PI * s2).sum;
    return (double)(expl(-(long double)x * (long double)x / (2 * s2)) / whole);
}

double su_discrete_gaussian_variance(su_variance v)
{
    long double s2 = (long double)v.num / (long double)v.den;
    if (direct_series(s2)) {
        theta t = theta_of(1 / (2 * s2));
        return (double)(t.second / t.sum);
    }
    theta t = theta_of(2 * PI * PI * s2);
    return (double)(s2 - 4 * PI * PI * s2 * s2 * t.second / t.sum);
}
