/* Two overlapping counts, people never seen, changes and rates. */
#include <suha/flow.h>

#include <math.h>

#include "numeric/special.h"

enum { MANY = 10000 }; /* seen twice: above, the lognormal interval is as good, and the sum long */

static double quantile(double level) { return su_normal_quantile(0.5 + level / 2); }

/* n people seen, n + unseen in all: the interval is lognormal in the unseen, so that it never falls below n. */
static void unseen_interval(su_flow_estimate *out, double n, double level)
{
    double unseen = out->estimate - n;
    out->low = out->high = out->estimate;
    if (!(unseen > 0)) return;
    double c = exp(quantile(level) * sqrt(log1p(out->error * out->error / (unseen * unseen))));
    out->low = n + unseen / c;
    out->high = n + unseen * c;
}

/* P(fewer than `both` are seen twice) and half of P(just as many), of n people of whom n1 and n2 are drawn without looking. */
static double mid_p(double n, double n1, double n2, double both)
{
    double p = exp(su_lgamma(n1 + 1) - su_lgamma(both + 1) - su_lgamma(n1 - both + 1) + su_lgamma(n - n1 + 1) - su_lgamma(n2 - both + 1) -
                   su_lgamma(n - n1 - n2 + both + 1) - su_lgamma(n + 1) + su_lgamma(n2 + 1) + su_lgamma(n - n2 + 1)),
           sum = p / 2;
    for (double k = both; k > 0 && n - n1 - n2 + k > 0 && p > 0; k--) {
        p *= k * (n - n1 - n2 + k) / ((n1 - k + 1) * (n2 - k + 1));
        sum += p;
    }
    return sum;
}

/* The number of people at which mid_p is `wanted`; it grows with that number. */
static double people_at(double wanted, double n1, double n2, double both)
{
    double low = n1 + n2 - both, high = 2 * low + 2;
    if (mid_p(low, n1, n2, both) >= wanted) return low;
    while (mid_p(high, n1, n2, both) < wanted) {
        low = high;
        high *= 4;
        if (high > 1e14) return INFINITY;
    }
    for (int i = 0; i < 200 && high - low > 1e-9 * high; i++) {
        double middle = (low + high) / 2;
        *(mid_p(middle, n1, n2, both) < wanted ? &low : &high) = middle;
    }
    return (low + high) / 2;
}

su_status su_two_points(su_context *ctx, double n1, double n2, double both, double level, su_flow_estimate *out)
{
    if (!(n1 >= 0) || !(n2 >= 0) || !(both >= 0) || isinf(n1) || isinf(n2))
        return su_fail(ctx, SU_REFUSED, "counts of people are zero or more");
    if (both > n1 || both > n2)
        return su_fail(ctx, SU_REFUSED, "%g people were seen at both points but only %g at the %s", both, n1 < n2 ? n1 : n2,
                       n1 < n2 ? "first" : "second");
    out->estimate = (n1 + 1) * (n2 + 1) / (both + 1) - 1;
    out->error = sqrt((n1 + 1) * (n2 + 1) * (n1 - both) * (n2 - both) / ((both + 1) * (both + 1) * (both + 2)));
    bool whole = n1 == floor(n1) && n2 == floor(n2) && both == floor(both);
    if (whole && both <= MANY) {
        out->low = people_at((1 - level) / 2, n1, n2, both);
        out->high = people_at((1 + level) / 2, n1, n2, both);
    } else {
        unseen_interval(out, n1 + n2 - both, level);
    }
    return SU_OK;
}

su_status su_seen_once_twice(su_context *ctx, double n, double once, double twice, double level, su_flow_estimate *out)
{
    if (!(once >= 0) || !(twice >= 0) || !(n >= once + twice) || isinf(n))
        return su_fail(ctx, SU_REFUSED,
                       "of %g people %g were seen once and %g twice: these cannot be, counts are zero or more and part of n", n, once,
                       twice);
    if (twice > 0) {
        double q = once / twice;
        out->estimate = n + once * q / 2;
        out->error = sqrt(twice * (q * q * q * q / 4 + q * q * q + q * q / 2));
    } else {
        out->estimate = n + once * (once - 1) / 2;
        out->error = sqrt(fmax(once * (once - 1) / 2 + once * (2 * once - 1) * (2 * once - 1) / 4 -
                                   (out->estimate > 0 ? once * once * once * once / (4 * out->estimate) : 0),
                               0));
    }
    unseen_interval(out, n, level);
    return SU_OK;
}

/* Poisson and Poisson: given the sum, `after` is binomial with odds ratio * exposures (Clopper and Pearson). */
static void exact_change(const su_change_input *in, double level, su_change *out)
{
    double n = in->before + in->after, k = in->after, odds = in->exposure_after / in->exposure_before;
    double low = su_beta_quantile((1 - level) / 2, k, n - k + 1), high = su_beta_quantile((1 + level) / 2, k + 1, n - k);
    out->low = low / (1 - low) / odds;
    out->high = high < 1 ? high / (1 - high) / odds : INFINITY;
    double share = odds / (1 + odds);
    double below = su_binomial_cdf((int64_t)k, (int64_t)n, share), above = k > 0 ? su_beta_i(share, k, n - k + 1) : 1;
    out->p = fmin(1, 2 * fmin(below, above));
    out->exact = true;
}

su_status su_change_of(su_context *ctx, const su_change_input *in, double level, su_change *out)
{
    if (!(in->before >= 0) || !(in->after >= 0) || isinf(in->before) || isinf(in->after))
        return su_fail(ctx, SU_REFUSED, "counts are zero or more");
    if (!(in->exposure_before > 0) || !(in->exposure_after > 0))
        return su_fail(ctx, SU_REFUSED, "exposures (days, people) must be above zero");
    if (!(in->dispersion >= 1) && !(in->theta > 0))
        return su_fail(ctx, SU_REFUSED, "the dispersion must be 1 or more (1 = Poisson), not %g", in->dispersion);
    if (in->before + in->after == 0) return su_fail(ctx, SU_REFUSED, "both counts are zero: there is no ratio");
    *out = (su_change) { .ratio = in->before > 0 ? in->after / in->exposure_after / (in->before / in->exposure_before) : INFINITY };
    bool whole = in->before == floor(in->before) && in->after == floor(in->after) && in->before + in->after < 1e15;
    if (!(in->theta > 0) && in->dispersion == 1 && whole) {
        exact_change(in, level, out);
        return SU_OK;
    }
    if (in->before == 0 || in->after == 0)
        return su_fail(ctx, SU_REFUSED,
                       "a ratio with a zero count and over-dispersion has no interval; add periods until both counts are above zero");
    double v = in->theta > 0 ? 1 / in->before + 1 / in->after + 2 / in->theta : in->dispersion * (1 / in->before + 1 / in->after);
    double error = sqrt(v), reach = su_t_quantile(0.5 + level / 2, in->df) * error;
    out->low = out->ratio * exp(-reach);
    out->high = out->ratio * exp(reach);
    out->p = su_t_two_sided(log(out->ratio) / error, in->df);
    return SU_OK;
}

su_status su_rate_of(su_context *ctx, double count, double exposure, double level, su_flow_estimate *out)
{
    if (!(count >= 0) || isinf(count)) return su_fail(ctx, SU_REFUSED, "a count is zero or more, not %g", count);
    if (!(exposure > 0) || isinf(exposure)) return su_fail(ctx, SU_REFUSED, "a population must be above zero, not %g", exposure);
    out->estimate = count / exposure;
    out->error = sqrt(count) / exposure;
    out->low = su_gamma_quantile((1 - level) / 2, count) / exposure;
    out->high = su_gamma_quantile((1 + level) / 2, count + 1) / exposure;
    return SU_OK;
}
