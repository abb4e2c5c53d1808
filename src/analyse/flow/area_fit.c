/* The Fay-Herriot model: variance between areas, best predictions, their mean squared errors. */
#include <math.h>
#include <stdlib.h>

#include <suha/area.h>

#include "numeric/matrix.h"
#include "numeric/special.h"

enum { GRID = 240 };

/* Everything that depends on A. */
typedef struct state {
    const su_area_data *d;
    double *l, *beta, *inverse, *residual; /* factor of X'V^-1X, its inverse */
    double log_determinant, weighted;      /* log |X'V^-1X|, sum r^2 / v */
    double s1, s2, leverage;               /* sums of 1/v and 1/v^2, trace of (X'V^-1X)^-1 X'V^-2X */
    double scores;                         /* sum (r / v)^2 */
    double log_v;
} state;

static bool solve_at(state *s, double a)
{
    const su_area_data *d = s->d;
    size_t p = d->columns;
    double *second = su_alloc_array(p * p, sizeof *second);
    for (size_t k = 0; k < p * p; k++) s->l[k] = 0;
    for (size_t k = 0; k < p; k++) s->beta[k] = 0;
    s->s1 = s->s2 = s->log_v = s->weighted = s->scores = s->leverage = 0;
    for (size_t i = 0; i < d->areas; i++) {
        const double *x = d->x + i * p;
        double w = 1 / (a + d->psi[i]);
        s->s1 += w;
        s->s2 += w * w;
        s->log_v -= log(w);
        for (size_t j = 0; j < p; j++) {
            s->beta[j] += w * x[j] * d->y[i];
            for (size_t k = 0; k < p; k++) {
                s->l[j * p + k] += w * x[j] * x[k];
                second[j * p + k] += w * w * x[j] * x[k];
            }
        }
    }
    bool whole = su_cholesky(s->l, p, 1e-10, NULL) == p;
    if (whole) {
        su_cholesky_solve(s->l, p, NULL, s->beta);
        su_cholesky_inverse(s->l, p, NULL, s->inverse);
        s->log_determinant = su_cholesky_log_determinant(s->l, p, NULL);
        for (size_t k = 0; k < p * p; k++) s->leverage += s->inverse[k] * second[k];
        for (size_t i = 0; i < d->areas; i++) {
            double r = d->y[i], w = 1 / (a + d->psi[i]);
            for (size_t j = 0; j < p; j++) r -= d->x[i * p + j] * s->beta[j];
            s->residual[i] = r;
            s->weighted += w * r * r;
            s->scores += w * w * r * r;
        }
    }
    free(second);
    return whole;
}

static double criterion(const state *s, su_area_method method, double a)
{
    double n = (double)s->d->areas, p = (double)s->d->columns, half_log_2pi = 0.91893853320467274178;
    if (method == SU_AREA_ML) return -0.5 * (s->log_v + s->weighted) - n * half_log_2pi;
    double value = -0.5 * (s->log_v + s->log_determinant + s->weighted) - (n - p) * half_log_2pi;
    return method == SU_AREA_ADJUSTED ? value + log(a) : value;
}

static double slope(const state *s, su_area_method method, double a)
{
    if (method == SU_AREA_ML) return 0.5 * (s->scores - s->s1);
    double value = 0.5 * (s->scores - s->s1 + s->leverage);
    return method == SU_AREA_ADJUSTED ? value + 1 / a : value;
}

static double scale_of(const su_area_data *d)
{
    double psi = 0, mean = 0, square = 0;
    for (size_t i = 0; i < d->areas; i++) {
        psi += d->psi[i] / (double)d->areas;
        mean += d->y[i] / (double)d->areas;
    }
    for (size_t i = 0; i < d->areas; i++) square += (d->y[i] - mean) * (d->y[i] - mean) / (double)d->areas;
    return fmax(psi, square);
}

static double grid_at(double scale, int k) { return k == 0 ? 0 : scale * pow(10, -9 + 12.0 * k / GRID); }

/* The best point of a wide grid, then bisection of the slope between its neighbours: other maxima are seen. */
static double maximise(state *s, su_area_method method)
{
    double scale = scale_of(s->d), best = -INFINITY;
    int at = 0;
    for (int k = method == SU_AREA_ADJUSTED; k <= GRID; k++) {
        double a = grid_at(scale, k), value;
        (void)solve_at(s, a);
        value = criterion(s, method, a);
        if (value > best) {
            best = value;
            at = k;
        }
    }
    double low = grid_at(scale, at ? at - 1 : 0), high = grid_at(scale, at + 1);
    if (low == 0 && method != SU_AREA_ADJUSTED) {
        (void)solve_at(s, 0);
        if (slope(s, method, 0) <= 0) return 0;
    }
    for (int k = 0; k < 200 && high - low > 1e-15 * high; k++) {
        double middle = 0.5 * (low + high);
        (void)solve_at(s, middle);
        if (slope(s, method, middle) > 0)
            low = middle;
        else
            high = middle;
    }
    return 0.5 * (low + high);
}

/* Paule and Mandel: the A at which the weighted squares equal their degrees of freedom. */
static double moments(state *s, su_area_method method)
{
    double df = (double)(s->d->areas - s->d->columns), low = 0, high = scale_of(s->d);
    (void)solve_at(s, 0);
    if (method == SU_AREA_DL) return fmax((s->weighted - df) / (s->s1 - s->leverage), 0);
    if (s->weighted <= df) return 0;
    while (solve_at(s, high) && s->weighted > df) high *= 2;
    for (int k = 0; k < 200 && high - low > 1e-15 * high; k++) {
        double middle = 0.5 * (low + high);
        (void)solve_at(s, middle);
        if (s->weighted > df)
            low = middle;
        else
            high = middle;
    }
    return 0.5 * (low + high);
}

/* Where the residual likelihood falls by the 95 % quantile of chi square on 1 df, on one side of its maximum. */
static double profile_end(state *s, double top, double best, bool upper)
{
    double fall = best - su_chi2_quantile(0.95, 1) / 2, inside = top, outside = upper ? fmax(top, 1e-3 * scale_of(s->d)) : 0;
    (void)solve_at(s, 0);
    if (!upper && criterion(s, SU_AREA_REML, 0) > fall) return 0;
    for (int k = 0; upper && k < 60; k++) {
        outside *= 2;
        (void)solve_at(s, outside);
        if (criterion(s, SU_AREA_REML, outside) < fall) break;
    }
    for (int k = 0; k < 100; k++) {
        double middle = 0.5 * (inside + outside);
        (void)solve_at(s, middle);
        if (criterion(s, SU_AREA_REML, middle) > fall)
            inside = middle;
        else
            outside = middle;
    }
    return 0.5 * (inside + outside);
}

/* Variance of the estimate of A, and what its bias adds to g1's slope (Rao and Molina 2015, section 6.2; Datta, Rao and Smith 2005,
 * doi:10.1093/biomet/92.1.183). */
static void error_of_a(const state *s, su_area_method method, double *variance, double *bias)
{
    double n = (double)s->d->areas;
    *variance = 2 / s->s2;
    *bias = 0;
    if (method == SU_AREA_ML) *bias = -s->leverage / s->s2;
    if (method == SU_AREA_PM) {
        *variance = 2 * n / (s->s1 * s->s1);
        *bias = 2 * (n * s->s2 - s->s1 * s->s1) / (s->s1 * s->s1 * s->s1);
    }
    if (method == SU_AREA_DL) *variance = NAN;
}

static void predictions(const state *s, su_area_method method, su_area_fit *f)
{
    const su_area_data *d = s->d;
    double variance, bias;
    error_of_a(s, method, &variance, &bias);
    for (size_t i = 0; i < d->areas; i++) {
        double v = f->a + d->psi[i], g = f->a / v;
        f->gamma[i] = g;
        f->estimate[i] = d->y[i] - (1 - g) * s->residual[i];
        f->g1[i] = g * d->psi[i];
        f->g2[i] = (1 - g) * (1 - g) * su_quadratic(s->inverse, d->x + i * d->columns, d->columns);
        f->g3[i] = d->psi[i] * d->psi[i] / (v * v * v) * variance;
        f->mse[i] = f->g1[i] + f->g2[i] + 2 * f->g3[i] - bias * (1 - g) * (1 - g);
    }
}

static su_status check(su_context *ctx, const su_area_data *d)
{
    for (size_t i = 0; i < d->areas; i++)
        if (!(d->psi[i] > 0) || isinf(d->psi[i]) || !isfinite(d->y[i]))
            return su_fail(ctx, SU_REFUSED, "area %zu: the sampling variance is %g; it must be above zero (smooth it by the sample size)",
                           i + 1, d->psi[i]);
    if (d->areas < d->columns + 2)
        return su_fail(ctx, SU_REFUSED, "%zu areas with an estimate cannot carry %zu coefficients and a variance between areas", d->areas,
                       d->columns);
    return SU_OK;
}

static void room(su_area_fit *f)
{
    double **by_area[] = { &f->gamma, &f->estimate, &f->g1, &f->g2, &f->g3, &f->mse };
    for (size_t k = 0; k < sizeof by_area / sizeof *by_area; k++) *by_area[k] = su_alloc_array(f->areas, sizeof(double));
    f->beta = su_alloc_array(f->columns, sizeof *f->beta);
    f->covariance = su_alloc_array(f->columns * f->columns, sizeof *f->covariance);
}

su_status su_area_fit_new(su_context *ctx, const su_area_data *d, su_area_method method, su_area_fit **out)
{
    size_t p = d->columns;
    *out = NULL;
    su_status st = check(ctx, d);
    if (st) return st;
    state s = { .d = d };
    s.l = su_alloc_array(p * p, sizeof *s.l);
    s.inverse = su_alloc_array(p * p, sizeof *s.inverse);
    s.beta = su_alloc_array(p, sizeof *s.beta);
    s.residual = su_alloc_array(d->areas, sizeof *s.residual);
    if (!solve_at(&s, 0)) {
        st = su_fail(ctx, SU_REFUSED, "the predictors follow from each other (or one is constant); leave one out");
    } else {
        su_area_fit *f = su_alloc(sizeof *f);
        *f = (su_area_fit) { .areas = d->areas, .columns = p, .heterogeneity = s.weighted };
        room(f);
        double top = maximise(&s, SU_AREA_REML), best;
        (void)solve_at(&s, top);
        best = criterion(&s, SU_AREA_REML, top);
        f->a_low = profile_end(&s, top, best, false);
        f->a_high = profile_end(&s, top, best, true);
        f->a = method == SU_AREA_REML ? top : method == SU_AREA_DL || method == SU_AREA_PM ? moments(&s, method) : maximise(&s, method);
        f->boundary = f->a == 0;
        (void)solve_at(&s, f->a);
        bool residual = method == SU_AREA_REML || method == SU_AREA_ADJUSTED;
        f->log_likelihood = criterion(&s, residual ? SU_AREA_REML : SU_AREA_ML, f->a);
        for (size_t k = 0; k < p; k++) f->beta[k] = s.beta[k];
        for (size_t k = 0; k < p * p; k++) f->covariance[k] = s.inverse[k];
        predictions(&s, method, f);
        *out = f;
    }
    free(s.l);
    free(s.inverse);
    free(s.beta);
    free(s.residual);
    return st;
}

void su_area_fit_free(su_area_fit *f)
{
    if (!f) return;
    double *by_area[] = { f->gamma, f->estimate, f->g1, f->g2, f->g3, f->mse, f->beta, f->covariance };
    for (size_t k = 0; k < sizeof by_area / sizeof *by_area; k++) free(by_area[k]);
    free(f);
}

double su_area_predict(const su_area_fit *f, const double *x, double *mse)
{
    double value = 0;
    for (size_t j = 0; j < f->columns; j++) value += x[j] * f->beta[j];
    *mse = f->a + su_quadratic(f->covariance, x, f->columns);
    return value;
}
