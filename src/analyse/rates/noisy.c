/* Rates from protected counts: the noise's law is public, so its variance goes into the interval. docs/methods/protected-analyses.md. */
#include "numeric/special.h"

#include <suha/rates.h>

#include <math.h>

su_noise_law su_noise_geometric(double epsilon, double level)
{
    double a = exp(-epsilon);
    su_noise_law law = { 2 * a / ((1 - a) * (1 - a)), 0, 0 };
    for (;; law.half_width++) {
        law.coverage = 1 - 2 * pow(a, law.half_width + 1) / (1 + a);
        if (law.coverage >= level || law.half_width > 1e7) return law;
    }
}

su_noise_law su_noise_discrete_gaussian(double sigma, double level)
{
    su_noise_law law = { 0, 0, 0 };
    double sum = 1, square = 0, reach = ceil(12 * sigma) + 12;
    for (double x = 1; x <= reach; x++) {
        double p = 2 * exp(-x * x / (2 * sigma * sigma));
        sum += p;
        square += p * x * x;
    }
    law.variance = square / sum;
    law.coverage = 1 / sum;
    while (law.coverage < level && law.half_width < reach) {
        law.half_width++;
        law.coverage += 2 * exp(-law.half_width * law.half_width / (2 * sigma * sigma)) / sum;
    }
    return law;
}

/* Roots of a x^2 - 2 b x + c = 0 as an interval; not one when a is not positive. */
static su_interval roots(double a, double b, double c)
{
    double inner = b * b - a * c;
    if (!(a > 0) || inner < 0) return (su_interval) { NAN, NAN };
    return (su_interval) { (b - sqrt(inner)) / a, (b + sqrt(inner)) / a };
}

su_noisy_rate su_noisy_rate_of(double k, double k_variance, double n, double n_variance, double level)
{
    su_noisy_rate out = { NAN, NAN, NAN, NAN, { NAN, NAN }, { NAN, NAN }, true };
    double z = su_normal_quantile(0.5 + level / 2), z2 = z * z;
    if (!(n > 0)) return out;
    double p = fmin(1, fmax(0, k / n)), noise = (k_variance + p * p * n_variance) / (n * n), sampling = p * (1 - p) / n;
    out.p = p;
    out.se_noise = sqrt(noise);
    out.se = sqrt(noise + sampling);
    out.effective_n = noise + sampling > 0 ? p * (1 - p) / (noise + sampling) : NAN;
    out.coarse = sqrt(n_variance) > 0.5 * n || sqrt(k_variance) > 0.5 * k;
    /* All rates that a score test does not reject: (p - x)^2 <= z^2 (x (1 - x) / n + (Vk + x^2 Vn) / n^2). */
    out.population = roots(1 + z2 / n - z2 * n_variance / (n * n), p + z2 / (2 * n), p * p - z2 * k_variance / (n * n));
    if (isnan(out.population.low)) out.population = (su_interval) { 0, 1 };
    out.population.low = fmax(0, out.population.low);
    out.population.high = fmin(1, out.population.high);
    out.noise_only = roots(n * n - z2 * n_variance, k * n, k * k - z2 * k_variance);
    return out;
}

su_combined su_synthetic_combine(const double *q, const double *u, size_t m)
{
    su_combined c = { 0 };
    for (size_t i = 0; i < m; i++) {
        c.estimate += q[i] / (double)m;
        c.within += u[i] / (double)m;
    }
    for (size_t i = 0; i < m; i++) c.between += (q[i] - c.estimate) * (q[i] - c.estimate) / (double)(m - 1);
    double extra = c.between / (double)m;
    c.partial = c.within + extra;
    c.partial_df = (double)(m - 1) * (1 + c.within / extra) * (1 + c.within / extra);
    c.full = (1 + 1 / (double)m) * c.between - c.within;
    c.full_adjusted = fmax(0, c.full);
    return c;
}
