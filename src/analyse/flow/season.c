/* Classical decomposition and Holt-Winters smoothing. */
#include <suha/flow.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

su_status su_decompose(su_context *ctx, const double *x, size_t n, unsigned period, bool product, double *figure, double *trend)
{
    if (period < 2 || n < 2 * (size_t)period)
        return su_fail(ctx, SU_REFUSED, "a seasonal decomposition needs two full years: %zu periods, there are %zu", 2 * (size_t)period, n);
    size_t half = period / 2;
    for (size_t i = 0; i < n; i++) {
        trend[i] = NAN;
        if (i < half || i + half >= n) continue;
        double sum = 0;
        for (size_t j = i - half; j <= i + half; j++) sum += period % 2 == 0 && (j == i - half || j == i + half) ? 0.5 * x[j] : x[j];
        trend[i] = sum / period;
    }
    double mean = 0;
    for (unsigned s = 0; s < period; s++) {
        double sum = 0, count = 0;
        for (size_t i = s; i < n; i += period) {
            if (isnan(trend[i])) continue;
            sum += product ? x[i] / trend[i] : x[i] - trend[i];
            count++;
        }
        figure[s] = sum / count;
        mean += figure[s] / period;
    }
    for (unsigned s = 0; s < period; s++) figure[s] = product ? figure[s] / mean : figure[s] - mean;
    return SU_OK;
}

typedef struct smoothing {
    const double *x;
    size_t n;
    unsigned period;
    bool product;
    double level, slope;
    const double *figure;
    double *season; /* work: period values */
} smoothing;

/* One pass; returns the sum of squared one-step errors and leaves the final state. */
static double pass(const smoothing *s, const double p[3], double *level, double *slope)
{
    double a = s->level, b = s->slope, sse = 0;
    memcpy(s->season, s->figure, s->period * sizeof *s->season);
    for (size_t i = s->period; i < s->n; i++) {
        double *figure = &s->season[i % s->period], old = *figure, before = a;
        double expected = s->product ? (a + b) * old : a + b + old, miss = s->x[i] - expected;
        sse += miss * miss;
        a = p[0] * (s->product ? s->x[i] / old : s->x[i] - old) + (1 - p[0]) * (a + b);
        b = p[1] * (a - before) + (1 - p[1]) * b;
        *figure = p[2] * (s->product ? s->x[i] / a : s->x[i] - a) + (1 - p[2]) * old;
    }
    if (level) *level = a;
    if (slope) *slope = b;
    return isfinite(sse) ? sse : INFINITY;
}

/* Compass search inside the unit cube from one start: no derivative, never leaves the bounds. */
static double descend(const smoothing *s, double p[3])
{
    double best = pass(s, p, NULL, NULL);
    for (double step = 0.1; step > 1e-8;) {
        bool better = false;
        for (int k = 0; k < 26; k++) {
            int code = k < 13 ? k : k + 1; /* all directions of {-1, 0, 1}^3 but none */
            double q[3] = { p[0] + step * (code % 3 - 1), p[1] + step * (code / 3 % 3 - 1), p[2] + step * (code / 9 - 1) };
            for (int j = 0; j < 3; j++) q[j] = fmin(fmax(q[j], 0), 1);
            double sse = pass(s, q, NULL, NULL);
            if (sse < best) {
                best = sse;
                memcpy(p, q, sizeof q);
                better = true;
            }
        }
        if (!better) step /= 2;
    }
    return best;
}

/* Level and slope by a straight line through the first two periods' moving average. */
static void start_line(const double *trend, size_t n, double *level, double *slope)
{
    double count = 0, t = 0, y = 0, tt = 0, ty = 0;
    for (size_t i = 0; i < n; i++) {
        if (isnan(trend[i])) continue;
        count++;
        t += count;
        y += trend[i];
        tt += count * count;
        ty += count * trend[i];
    }
    double spread = tt - t * t / count;
    *slope = spread > 0 ? (ty - t * y / count) / spread : 0;
    *level = (y - *slope * t) / count;
}

su_status su_holt_winters_new(su_context *ctx, const double *x, size_t n, unsigned period, bool product, su_holt_winters **out)
{
    *out = NULL;
    if (period < 2 || n < 2 * (size_t)period + 1)
        return su_fail(ctx, SU_REFUSED, "Holt-Winters needs more than two full years: at least %zu periods, there are %zu",
                       2 * (size_t)period + 1, n);
    for (size_t i = 0; product && i < n; i++)
        if (!(x[i] > 0)) return su_fail(ctx, SU_REFUSED, "a multiplicative season needs every count above zero; use the additive form");
    su_holt_winters *h = su_alloc(sizeof *h);
    h->season = su_alloc_array(period, sizeof *h->season);
    double *figure = su_alloc_array(period, sizeof *figure), *trend = su_alloc_array(2 * (size_t)period, sizeof *trend);
    smoothing s = { x, n, period, product, 0, 0, figure, h->season };
    su_status st = su_decompose(ctx, x, 2 * (size_t)period, period, product, figure, trend);
    if (!st) {
        start_line(trend, 2 * (size_t)period, &s.level, &s.slope);
        static const double starts[][3] = { { 0.3, 0.1, 0.1 }, { 0.1, 0, 0.3 }, { 0.7, 0.1, 0.1 }, { 0.1, 0.1, 0.8 }, { 0.9, 0.5, 0.5 } };
        double best[3] = { 0.3, 0.1, 0.1 };
        h->sse = INFINITY;
        for (size_t k = 0; k < sizeof starts / sizeof *starts; k++) {
            double p[3] = { starts[k][0], starts[k][1], starts[k][2] }, sse = descend(&s, p);
            if (sse >= h->sse) continue;
            h->sse = sse;
            memcpy(best, p, sizeof best);
        }
        (void)pass(&s, best, &h->level, &h->slope);
        h->alpha = best[0];
        h->beta = best[1];
        h->gamma = best[2];
        h->period = period;
        h->product = product;
        h->predicted = n - period;
        /* the next season's figure first */
        for (unsigned k = 0; k < period; k++) figure[k] = h->season[(n + k) % period];
        memcpy(h->season, figure, period * sizeof *figure);
        *out = h;
    }
    free(figure);
    free(trend);
    if (st) su_holt_winters_free(h);
    return st;
}

void su_holt_winters_free(su_holt_winters *h)
{
    if (!h) return;
    free(h->season);
    free(h);
}

double su_holt_winters_ahead(const su_holt_winters *h, size_t steps)
{
    double level = h->level + (double)steps * h->slope, figure = h->season[(steps - 1) % h->period];
    return h->product ? level * figure : level + figure;
}
