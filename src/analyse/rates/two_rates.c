/* Two groups' counts compared, without a design; several two-by-two tables; a trend. */
#include "numeric/special.h"

#include <suha/rates.h>

#include <math.h>
#include <stdlib.h>

/* ---- Fisher's conditional distribution ---- */

enum { MOST_SUPPORT = 20000 }; /* beyond, no cell is small and the exact answer is the normal one */

typedef struct conditional {
    int64_t low, high, at; /* support of the first cell, and where it stands */
    double *log;           /* log probability at odds ratio 1, unnormalised */
    double most;
} conditional;

static bool conditional_of(int64_t k1, int64_t n1, int64_t k2, int64_t n2, conditional *c)
{
    int64_t k = k1 + k2;
    c->low = k - n2 > 0 ? k - n2 : 0;
    c->high = k < n1 ? k : n1;
    c->at = k1;
    c->most = -INFINITY;
    if (c->high - c->low > MOST_SUPPORT) return false;
    c->log = su_alloc_array((size_t)(c->high - c->low) + 1, sizeof *c->log);
    for (int64_t x = c->low; x <= c->high; x++) {
        double d = -su_lgamma((double)x + 1) - su_lgamma((double)(n1 - x) + 1) - su_lgamma((double)(k - x) + 1) -
                   su_lgamma((double)(n2 - k + x) + 1);
        c->log[x - c->low] = d;
        c->most = fmax(c->most, d);
    }
    return true;
}

/* Mean, P(X <= at) and P(X >= at) at a log odds ratio. */
static void moments(const conditional *c, double log_odds, double *mean, double *lower, double *upper)
{
    double most = -INFINITY, sum = 0, first = 0, below = 0, above = 0;
    for (int64_t x = c->low; x <= c->high; x++) most = fmax(most, c->log[x - c->low] + log_odds * (double)x);
    for (int64_t x = c->low; x <= c->high; x++) {
        double p = exp(c->log[x - c->low] + log_odds * (double)x - most);
        sum += p;
        first += p * (double)x;
        if (x <= c->at) below += p;
        if (x >= c->at) above += p;
    }
    *mean = first / sum;
    *lower = below / sum;
    *upper = above / sum;
}

/* The log odds ratio at which the mean is `at` (what 0), P(X >= at) is target (1), P(X <= at) is target (2). All are monotone. */
static double solve(const conditional *c, int what, double target)
{
    double low = -60, high = 60, mean, lower, upper;
    for (int i = 0; i < 100; i++) {
        double middle = 0.5 * (low + high);
        moments(c, middle, &mean, &lower, &upper);
        bool too_low = what == 0 ? mean < (double)c->at : what == 1 ? upper < target : lower > target;
        if (too_low)
            low = middle;
        else
            high = middle;
    }
    return exp(0.5 * (low + high));
}

static void fisher(int64_t k1, int64_t n1, int64_t k2, int64_t n2, double level, su_two_rates *out)
{
    conditional c = { 0 };
    double a = (1 - level) / 2, sum = 0, extreme = 0;
    out->fisher_p = out->fisher_odds_ratio = out->fisher.low = out->fisher.high = NAN;
    if (!conditional_of(k1, n1, k2, n2, &c)) return;
    double own = c.log[c.at - c.low];
    for (int64_t x = c.low; x <= c.high; x++) {
        double p = exp(c.log[x - c.low] - c.most);
        sum += p;
        if (c.log[x - c.low] <= own + 1e-7) extreme += p;
    }
    out->fisher_p = fmin(1, extreme / sum);
    bool bottom = c.at == c.low, top = c.at == c.high;
    out->fisher_odds_ratio = bottom && top ? NAN : bottom ? 0 : top ? INFINITY : solve(&c, 0, 0);
    out->fisher.low = bottom ? 0 : solve(&c, 1, a);
    out->fisher.high = top ? INFINITY : solve(&c, 2, a);
    free(c.log);
}

/* ---- two rates -------------------------------------------------------------------------------------------------------------- */

static su_interval on_log(double x, double se, double z)
{
    return x > 0 && isfinite(x) && isfinite(se) ? (su_interval) { x * exp(-z * se), x * exp(z * se) } : (su_interval) { NAN, NAN };
}

static void chi_squares(double a, double b, double c, double d, su_two_rates *out)
{
    double n = a + b + c + d, cross = fabs(a * d - b * c), scale = (a + b) * (c + d) * (a + c) * (b + d);
    double correction = fmin(n / 2, cross);
    out->pearson = n * cross * cross / scale;
    out->yates = n * (cross - correction) * (cross - correction) / scale;
    out->pearson_p = su_chi2_upper(out->pearson, 1);
    out->yates_p = su_chi2_upper(out->yates, 1);
}

su_two_rates su_two_rates_of(int64_t k1, int64_t n1, int64_t k2, int64_t n2, double level)
{
    su_two_rates out = {
        NAN, NAN, NAN, { NAN, NAN }, { NAN, NAN }, { NAN, NAN }, { NAN, NAN }, NAN, NAN, NAN, NAN, NAN, NAN, { NAN, NAN }
    };
    if (n1 <= 0 || n2 <= 0 || k1 < 0 || k2 < 0 || k1 > n1 || k2 > n2) return out;
    double a = (double)k1, b = (double)(n1 - k1), c = (double)k2, d = (double)(n2 - k2), z = su_normal_quantile(0.5 + level / 2);
    double p1 = a / (double)n1, p2 = c / (double)n2, se = sqrt(p1 * (1 - p1) / (double)n1 + p2 * (1 - p2) / (double)n2);
    su_interval w1 = su_binomial_interval(SU_CI_WILSON, a, (double)n1, level),
                w2 = su_binomial_interval(SU_CI_WILSON, c, (double)n2, level);
    out.difference = p1 - p2;
    out.ratio = p1 / p2;
    out.odds_ratio = a * d / (b * c);
    out.wald = (su_interval) { p1 - p2 - z * se, p1 - p2 + z * se };
    /* Newcombe 1998, method 10 (doi:10.1002/(SICI)1097-0258(19980430)17:8<873::AID-SIM779>3.0.CO;2-I). */
    out.newcombe = (su_interval) { p1 - p2 - hypot(p1 - w1.low, w2.high - p2), p1 - p2 + hypot(w1.high - p1, p2 - w2.low) };
    out.ratio_log = on_log(out.ratio, sqrt(1 / a - 1 / (double)n1 + 1 / c - 1 / (double)n2), z);
    out.woolf = on_log(out.odds_ratio, sqrt(1 / a + 1 / b + 1 / c + 1 / d), z);
    chi_squares(a, b, c, d, &out);
    fisher(k1, n1, k2, n2, level, &out);
    return out;
}

/* ---- strata of tables, trend ------------------------------------------------------------------------------------------------ */

/* Expected first cell under the common odds ratio, for the test of homogeneity. */
static double expected_cell(double n1, double n2, double k, double odds)
{
    double a = 1 - odds, b = n2 - k + odds * (n1 + k), c = -odds * n1 * k;
    if (fabs(a) < 1e-12) return n1 * k / (n1 + n2);
    double root = sqrt(fmax(0, b * b - 4 * a * c)), x = (-b + root) / (2 * a);
    return x >= fmax(0, k - n2) - 1e-9 && x <= fmin(n1, k) + 1e-9 ? x : (-b - root) / (2 * a);
}

su_mantel_haenszel su_mantel_haenszel_of(const double *tables, size_t strata, double level)
{
    su_mantel_haenszel out = { 0 };
    double r = 0, s = 0, pr = 0, ps_qr = 0, qs = 0, delta = 0, variance = 0, used = 0;
    for (size_t h = 0; h < strata; h++) {
        double a = tables[4 * h], b = tables[4 * h + 1], c = tables[4 * h + 2], d = tables[4 * h + 3], n = a + b + c + d;
        if (!(n > 1)) continue;
        r += a * d / n;
        s += b * c / n;
        pr += (a + d) / n * (a * d / n);
        ps_qr += (a + d) / n * (b * c / n) + (b + c) / n * (a * d / n);
        qs += (b + c) / n * (b * c / n);
        delta += a - (a + b) * (a + c) / n;
        variance += (a + b) * (c + d) * (a + c) * (b + d) / (n * n * (n - 1));
    }
    double z = su_normal_quantile(0.5 + level / 2);
    out.odds_ratio = r / s;
    out.interval = on_log(out.odds_ratio, sqrt(pr / (2 * r * r) + ps_qr / (2 * r * s) + qs / (2 * s * s)), z);
    double corrected = fabs(delta) - fmin(0.5, fabs(delta));
    out.chi2 = delta * delta / variance;
    out.chi2_corrected = corrected * corrected / variance;
    out.p = su_chi2_upper(out.chi2, 1);
    out.p_corrected = su_chi2_upper(out.chi2_corrected, 1);
    for (size_t h = 0; h < strata; h++) {
        double a = tables[4 * h], n1 = a + tables[4 * h + 1], k = a + tables[4 * h + 2], n2 = tables[4 * h + 2] + tables[4 * h + 3];
        double e = expected_cell(n1, n2, k, out.odds_ratio), v = 1 / (1 / e + 1 / (n1 - e) + 1 / (k - e) + 1 / (n2 - k + e));
        if (!(n1 > 0) || !(n2 > 0) || !(k > 0) || !(k < n1 + n2)) continue;
        out.breslow_day += (a - e) * (a - e) / v;
        used++;
    }
    out.breslow_day_p = used > 1 ? su_chi2_upper(out.breslow_day, used - 1) : NAN;
    return out;
}

double su_trend_chi2(const double *k, const double *n, const double *score, size_t groups)
{
    double all = 0, total = 0, first = 0, second = 0, t = 0;
    for (size_t i = 0; i < groups; i++) {
        all += k[i];
        total += n[i];
        first += n[i] * score[i];
        second += n[i] * score[i] * score[i];
    }
    double p = all / total;
    for (size_t i = 0; i < groups; i++) t += score[i] * (k[i] - n[i] * p);
    return t * t / (p * (1 - p) * (second - first * first / total));
}
