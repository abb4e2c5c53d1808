/* Draws of whole numbers: transformed rejection with squeeze (W. Hormann 1993, Poisson: doi:10.1016/0167-6687(93)90997-4, binomial:
 * doi:10.1080/00949659308811496), inversion where the mean is below 10. */
#include "numeric/philox.h"
#include "numeric/special.h"

#include <math.h>

static int64_t poisson_small(su_philox *r, double mean)
{
    double left = su_philox_unit(r), p = exp(-mean);
    int64_t k = 0;
    while (left > p && k < 1000) {
        left -= p;
        k++;
        p *= mean / (double)k;
    }
    return k;
}

int64_t su_philox_poisson(su_philox *r, double mean)
{
    if (!(mean > 0)) return 0;
    if (mean < 10) return poisson_small(r, mean);
    double b = 0.931 + 2.53 * sqrt(mean), a = -0.059 + 0.02483 * b, inverse = 1.1239 + 1.1328 / (b - 3.4),
           accept = 0.9277 - 3.6224 / (b - 2);
    for (;;) {
        double u = su_philox_unit(r) - 0.5, v = su_philox_unit(r), us = 0.5 - fabs(u);
        double k = floor((2 * a / us + b) * u + mean + 0.43);
        if (us >= 0.07 && v <= accept) return (int64_t)k;
        if (k < 0 || (us < 0.013 && v > us)) continue;
        if (log(v * inverse / (a / (us * us) + b)) <= su_poisson_log((int64_t)k, mean)) return (int64_t)k;
    }
}

static int64_t binomial_small(su_philox *r, int64_t n, double p)
{
    double left = su_philox_unit(r), odds = p / (1 - p), mass = exp((double)n * log1p(-p));
    int64_t k = 0;
    while (left > mass && k < n) {
        left -= mass;
        k++;
        mass *= odds * (double)(n - k + 1) / (double)k;
        if (k > 200 && mass < 1e-300) break;
    }
    return k;
}

static int64_t binomial_large(su_philox *r, int64_t n, double p)
{
    double size = (double)n, spread = sqrt(size * p * (1 - p)), b = 1.15 + 2.53 * spread, a = -0.0873 + 0.0248 * b + 0.01 * p;
    double centre = size * p + 0.5, accept = 0.92 - 4.2 / b, alpha = (2.83 + 5.1 / b) * spread;
    double mode = su_binomial_log((int64_t)floor((size + 1) * p), n, p);
    for (;;) {
        double u = su_philox_unit(r) - 0.5, v = su_philox_unit(r), us = 0.5 - fabs(u);
        double k = floor((2 * a / us + b) * u + centre);
        if (k < 0 || k > size) continue;
        if (us >= 0.07 && v <= accept) return (int64_t)k;
        if (log(v * alpha / (a / (us * us) + b)) <= su_binomial_log((int64_t)k, n, p) - mode) return (int64_t)k;
    }
}

int64_t su_philox_binomial(su_philox *r, int64_t n, double p)
{
    if (n <= 0 || !(p > 0)) return 0;
    if (p >= 1) return n;
    if (p > 0.5) return n - su_philox_binomial(r, n, 1 - p);
    return (double)n * p < 10 ? binomial_small(r, n, p) : binomial_large(r, n, p);
}

int64_t su_philox_negative_binomial(su_philox *r, double size, double p)
{
    if (!(p < 1) || !(size > 0)) return 0;
    return su_philox_poisson(r, su_philox_gamma(r, size) * (1 - p) / p);
}

void su_philox_multinomial(su_philox *r, int64_t n, const double *probability, size_t cells, int64_t *counts)
{
    double rest = 0;
    size_t last = 0; /* takes what is left, so that a cell of probability 0 never gets a person by rounding */
    for (size_t i = 0; i < cells; i++) {
        rest += probability[i];
        if (probability[i] > 0) last = i;
    }
    for (size_t i = 0; i < cells; i++) {
        counts[i] = i == last ? n : su_philox_binomial(r, n, rest > 0 ? fmin(probability[i] / rest, 1) : 0);
        n -= counts[i];
        rest -= probability[i];
    }
}
