/* STL with a periodic season: R. B. Cleveland, W. S. Cleveland, J. E. McRae, I. Terpenning 1990, Journal of Official Statistics 6, 3-73. */
#include <suha/flow.h>

#include <math.h>
#include <stdlib.h>

typedef struct smoother {
    size_t window;
    unsigned degree; /* 0 or 1 */
    size_t jump;     /* fitted at every jump-th place, straight lines between */
} smoother;

/* The local fit of y[0..n) at place `at` (1-based, may lie outside 1..n) from the points left..right (1-based). */
static bool local_fit(const double *y, size_t n, const smoother *s, double at, size_t left, size_t right, double *weight, double *out)
{
    double reach = fmax(at - (double)left, (double)right - at), total = 0;
    if (s->window > n) reach += (double)((s->window - n) / 2);
    for (size_t j = left; j <= right; j++) {
        double r = fabs((double)j - at), w = 0;
        if (r <= 0.999 * reach) {
            double q = r / reach;
            w = r <= 0.001 * reach ? 1 : (1 - q * q * q) * (1 - q * q * q) * (1 - q * q * q);
        }
        weight[j - 1] = w;
        total += w;
    }
    if (!(total > 0)) return false;
    for (size_t j = left; j <= right; j++) weight[j - 1] /= total;
    if (reach > 0 && s->degree > 0) {
        double centre = 0, spread = 0;
        for (size_t j = left; j <= right; j++) centre += weight[j - 1] * (double)j;
        for (size_t j = left; j <= right; j++) spread += weight[j - 1] * ((double)j - centre) * ((double)j - centre);
        if (sqrt(spread) > 0.001 * (double)(n - 1)) {
            double slope = (at - centre) / spread;
            for (size_t j = left; j <= right; j++) weight[j - 1] *= slope * ((double)j - centre) + 1;
        }
    }
    *out = 0;
    for (size_t j = left; j <= right; j++) *out += weight[j - 1] * y[j - 1];
    return true;
}

static void between(double *out, size_t from, size_t to)
{
    for (size_t j = from + 1; j < to; j++)
        out[j - 1] = out[from - 1] + (out[to - 1] - out[from - 1]) * (double)(j - from) / (double)(to - from);
}

static void loess(const double *y, size_t n, const smoother *s, double *weight, double *out)
{
    if (n < 2) {
        out[0] = y[0];
        return;
    }
    size_t jump = s->jump < n - 1 ? s->jump : n - 1, half = (s->window + 1) / 2, last = 1;
    for (size_t i = 1;; i += jump) {
        if (i > n) i = n; /* the end is always fitted */
        size_t left = 1, right = n;
        if (s->window < n) {
            left = i < half ? 1 : i - half + 1;
            if (left > n - s->window + 1) left = n - s->window + 1;
            right = left + s->window - 1;
        }
        if (!local_fit(y, n, s, (double)i, left, right, weight, &out[i - 1])) out[i - 1] = y[i - 1];
        if (i > 1) between(out, last, i);
        if (i == n) break;
        last = i;
    }
}

static void moving_average(const double *x, size_t n, size_t length, double *out)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        sum += x[i];
        if (i >= length) sum -= x[i - length];
        if (i + 1 >= length) out[i + 1 - length] = sum / (double)length;
    }
}

/* Each season's own series smoothed, one period beyond both ends: out has n + 2 * period values. */
static void cycle_smooth(const double *y, size_t n, size_t period, const smoother *s, double *weight, double *part, double *fit,
                         double *out)
{
    for (size_t j = 0; j < period; j++) {
        size_t k = (n - j - 1) / period + 1;
        for (size_t i = 0; i < k; i++) part[i] = y[i * period + j];
        loess(part, k, s, weight, fit + 1);
        size_t window = s->window < k ? s->window : k;
        if (!local_fit(part, k, s, 0, 1, window, weight, &fit[0])) fit[0] = fit[1];
        if (!local_fit(part, k, s, (double)(k + 1), k - window + 1, k, weight, &fit[k + 1])) fit[k + 1] = fit[k];
        for (size_t m = 0; m < k + 2; m++) out[m * period + j] = fit[m];
    }
}

static size_t odd_above(double x)
{
    size_t n = (size_t)ceil(x);
    return n % 2 ? n : n + 1;
}

su_status su_stl_periodic(su_context *ctx, const double *x, size_t n, unsigned period, double *seasonal, double *trend)
{
    if (period < 2 || n < 2 * (size_t)period)
        return su_fail(ctx, SU_REFUSED, "a seasonal decomposition needs two full years: %zu periods, there are %zu", 2 * (size_t)period, n);
    size_t wide = 10 * n + 1, room = n + 2 * (size_t)period;
    smoother cycle = { wide, 0, (wide + 9) / 10 }, low = { odd_above(period), 1, 0 };
    smoother slow = { odd_above(1.5 * period / (1 - 1.5 / (double)wide)), 1, 0 };
    low.jump = (low.window + 9) / 10;
    slow.jump = (slow.window + 9) / 10;
    double *weight = su_alloc_array(room, sizeof *weight), *flat = su_alloc_array(room, sizeof *flat);
    double *wave = su_alloc_array(room, sizeof *wave), *a = su_alloc_array(room, sizeof *a), *b = su_alloc_array(room, sizeof *b);
    for (size_t i = 0; i < n; i++) trend[i] = 0;
    for (int round = 0; round < 2; round++) {
        for (size_t i = 0; i < n; i++) flat[i] = x[i] - trend[i];
        cycle_smooth(flat, n, period, &cycle, weight, a, b, wave);
        moving_average(wave, room, period, a);
        moving_average(a, n + period + 1, period, b);
        moving_average(b, n + 2, 3, a);
        loess(a, n, &low, weight, b);
        for (size_t i = 0; i < n; i++) {
            seasonal[i] = wave[i + period] - b[i];
            flat[i] = x[i] - seasonal[i];
        }
        loess(flat, n, &slow, weight, trend);
    }
    /* periodic: one figure per season */
    for (size_t j = 0; j < period; j++) {
        double sum = 0, count = 0;
        for (size_t i = j; i < n; i += period, count++) sum += seasonal[i];
        for (size_t i = j; i < n; i += period) seasonal[i] = sum / count;
    }
    free(weight);
    free(flat);
    free(wave);
    free(a);
    free(b);
    return SU_OK;
}
