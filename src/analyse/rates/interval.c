/* Intervals for a proportion. docs/methods/rates.md has each formula with its source. */
#include "numeric/special.h"

#include <suha/rates.h>

#include <math.h>
#include <string.h>

static const char *const names[] = {
#define NAME(id, name, about) name,
    SU_CI_LIST(NAME)
#undef NAME
};

bool su_ci_parse(su_str name, su_ci *out)
{
    for (int i = 0; i < SU_CI_COUNT; i++)
        if (su_str_equal(name, su_str_of(names[i]))) {
            *out = (su_ci)i;
            return true;
        }
    return false;
}

const char *su_ci_name(su_ci method) { return names[method]; }

bool su_ci_needs_counts(su_ci method)
{
    return method == SU_CI_WILSON_CC || method == SU_CI_CLOPPER_PEARSON || method == SU_CI_AGRESTI_COULL || method == SU_CI_JEFFREYS ||
           method == SU_CI_POISSON;
}

static const su_interval nothing = { NAN, NAN };

/* Wilson 1927 (doi:10.1080/01621459.1927.10502953); n need not be whole. */
static su_interval wilson(double p, double n, double t)
{
    double t2 = t * t, root = t / (2 * n) * sqrt(4 * n * p * (1 - p) + t2), scale = 1 + t2 / n;
    su_interval i = { (p + t2 / (2 * n) - root) / scale, (p + t2 / (2 * n) + root) / scale };
    if (p <= 0) i.low = 0;
    if (p >= 1) i.high = 1;
    return i;
}

/* Clopper and Pearson 1934 (doi:10.1093/biomet/26.4.404); n need not be whole. */
static su_interval exact(double k, double n, double level)
{
    double a = (1 - level) / 2;
    return (su_interval) { k <= 0 ? 0 : su_beta_quantile(a, k, n - k + 1), k >= n ? 1 : su_beta_quantile(1 - a, k + 1, n - k) };
}

static su_interval logit_interval(double p, double half)
{
    double x = log(p / (1 - p));
    return (su_interval) { 1 / (1 + exp(-(x - half))), 1 / (1 + exp(-(x + half))) };
}

static su_interval wilson_corrected(double k, double n, double z)
{
    double p = k / n, z2 = z * z, correction = fmin(0.5, fabs(k - n / 2));
    /* As R's prop.test against 1/2: the correction is half a case, and none at the middle. */
    double low = p - correction / n, high = p + correction / n;
    su_interval a = { (low + z2 / (2 * n) - z * sqrt(low * (1 - low) / n + z2 / (4 * n * n))) / (1 + z2 / n),
                      (high + z2 / (2 * n) + z * sqrt(high * (1 - high) / n + z2 / (4 * n * n))) / (1 + z2 / n) };
    if (k <= 0) a.low = 0;
    if (k >= n) a.high = 1;
    return a;
}

static su_interval jeffreys(double k, double n, double level)
{
    double a = (1 - level) / 2;
    return (su_interval) { k <= 0 ? 0 : su_beta_quantile(a, k + 0.5, n - k + 0.5),
                           k >= n ? 1 : su_beta_quantile(1 - a, k + 0.5, n - k + 0.5) };
}

/* Garwood 1936 (doi:10.1093/biomet/28.3-4.437). */
static su_interval poisson(double k, double n, double level)
{
    double a = (1 - level) / 2;
    return (su_interval) { k <= 0 ? 0 : su_gamma_quantile(a, k) / n, su_gamma_quantile(1 - a, k + 1) / n };
}

su_interval su_binomial_interval(su_ci method, double k, double n, double level)
{
    if (!(n > 0) || !(k >= 0) || (k > n && method != SU_CI_POISSON)) return nothing;
    double z = su_normal_quantile(0.5 + level / 2), p = k / n, v = p * (1 - p) / n;
    switch (method) {
    case SU_CI_WILSON:
        return wilson(p, n, z);
    case SU_CI_WILSON_CC:
        return wilson_corrected(k, n, z);
    case SU_CI_KORN_GRAUBARD:
    case SU_CI_BETA:
    case SU_CI_CLOPPER_PEARSON:
        return exact(k, n, level);
    case SU_CI_AGRESTI_COULL: {
        double m = n + z * z, q = (k + z * z / 2) / m, half = z * sqrt(q * (1 - q) / m);
        return (su_interval) { q - half, q + half };
    }
    case SU_CI_JEFFREYS:
        return jeffreys(k, n, level);
    case SU_CI_POISSON:
        return poisson(k, n, level);
    case SU_CI_MEAN:
        return (su_interval) { p - z * sqrt(v), p + z * sqrt(v) };
    case SU_CI_LOGIT:
        return p > 0 && p < 1 ? logit_interval(p, z * sqrt(v) / (p * (1 - p))) : nothing;
    default:
        return su_proportion_interval(method, p, v, INFINITY, n, 1, level);
    }
}

double su_proportion_effective_n(double p, double v) { return v > 0 ? p * (1 - p) / v : NAN; }

/* Korn and Graubard 1998 (Survey Methodology 24, 193-201). Where the variance says nothing the sample is as good as its size over the
 * design effect assumed; the effective size never exceeds the rows. */
static su_interval korn_graubard(double p, double v, double df, double n, double deff0, double level, bool ours)
{
    double m = su_proportion_effective_n(p, v), a = 0.5 + level / 2;
    bool blind = !(v > 1e-16 * p * (1 - p)) || p <= 0 || p >= 1;
    if (ours && blind) {
        m = n / fmax(1, deff0);
    } else {
        double ratio = n > 1 ? su_t_quantile(a, n - 1) / su_t_quantile(a, df) : 1;
        m *= ratio * ratio;
    }
    if (ours && m > n) m = n;
    if (!(m > 0)) return nothing;
    return exact(p * m, m, level);
}

static double deviance(double p, double q)
{
    double d = 0;
    if (p > 0) d += p * log(p / q);
    if (p < 1) d += (1 - p) * log((1 - p) / (1 - q));
    return 2 * d;
}

/* Values q at which the deviance of n_eff rows reaches the quantile of F(1, df); n / (n - 1) as a model with estimated dispersion has it.
 */
static su_interval likelihood(double p, double m, double df, double n, double level)
{
    double limit = su_f_quantile(level, 1, df) / m * n / (n - 1);
    su_interval out = { 0, 1 };
    for (int side = 0; side < 2; side++) {
        double inner = p, outer = side ? 1 : 0;
        for (int i = 0; i < 200; i++) {
            double middle = 0.5 * (inner + outer);
            if (deviance(p, middle) < limit)
                inner = middle;
            else
                outer = middle;
        }
        if (side)
            out.high = inner;
        else
            out.low = inner;
    }
    return out;
}

su_interval su_proportion_interval(su_ci method, double p, double v, double df, double n, double deff0, double level)
{
    if (!(df > 0) || isnan(p) || isnan(v) || su_ci_needs_counts(method)) return nothing;
    double t = su_t_quantile(0.5 + level / 2, df), m = su_proportion_effective_n(p, v), se = sqrt(v), spread = p * (1 - p);
    switch (method) {
    case SU_CI_KORN_GRAUBARD:
        return korn_graubard(p, v, df, n, deff0, level, true);
    case SU_CI_BETA:
        return korn_graubard(p, v, df, n, deff0, level, false);
    case SU_CI_LOGIT:
        return spread > 0 ? logit_interval(p, t * se / spread) : nothing;
    case SU_CI_ASIN: {
        if (!(spread > 0)) return nothing;
        double x = asin(sqrt(p)), half = t * se / (2 * sqrt(spread));
        double low = sin(fmax(0, x - half)), high = sin(fmin(1.5707963267948966, x + half));
        return (su_interval) { low * low, high * high };
    }
    case SU_CI_MEAN:
        return (su_interval) { p - t * se, p + t * se };
    case SU_CI_WILSON:
        return isnan(m) ? wilson(p, n / fmax(1, deff0), t) : wilson(p, m, t);
    case SU_CI_LIKELIHOOD:
        return spread > 0 && m > 0 ? likelihood(p, m, df, n, level) : nothing;
    default:
        return nothing;
    }
}

su_interval su_mean_interval(double estimate, double variance, double df, double level)
{
    if (!(df > 0) || isnan(variance)) return nothing;
    double half = su_t_quantile(0.5 + level / 2, df) * sqrt(variance);
    return (su_interval) { estimate - half, estimate + half };
}
