/* Poisson and negative binomial regression with a logarithmic link. */
#include <suha/flow.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "flow/count_model.h"
#include "numeric/matrix.h"
#include "numeric/special.h"

enum { MOST_STEPS = 100, MOST_TURNS = 200 };
#define ALIAS_TOLERANCE 1e-9

static double counts_deviance(const su_counts_design *d, const double *mu, double theta)
{
    su_sum s = { 0 };
    for (size_t i = 0; i < d->rows; i++) {
        double y = d->y[i], m = mu[i], part = y > 0 ? y * log(y / m) : 0;
        su_sum_add(&s, isinf(theta) ? part - (y - m) : part - (y + theta) * log((y + theta) / (m + theta)));
    }
    return 2 * su_sum_of(&s);
}

static double likelihood(const su_counts_design *d, const double *mu, double theta)
{
    su_sum s = { 0 };
    for (size_t i = 0; i < d->rows; i++) {
        double y = d->y[i], m = mu[i];
        if (isinf(theta))
            su_sum_add(&s, y * log(m) - m - su_lgamma(y + 1));
        else
            su_sum_add(&s, su_lgamma(theta + y) - su_lgamma(theta) - su_lgamma(y + 1) + theta * log(theta) + y * log(m) -
                               (theta + y) * log(theta + m));
    }
    return su_sum_of(&s);
}

/* The Cholesky factor of X'WX (into l) and X'Wz (into b). */
static size_t normal_equations(const su_counts_design *d, const double *weight, const double *z, double *l, double *b, bool *kept)
{
    size_t p = d->columns;
    memset(l, 0, p * p * sizeof *l);
    memset(b, 0, p * sizeof *b);
    size_t *used = su_alloc_array(p, sizeof *used); /* designs of points and weeks are nearly all zeros */
    for (size_t i = 0; i < d->rows; i++) {
        const double *row = d->x + i * p;
        size_t n = 0;
        for (size_t j = 0; j < p; j++)
            if (row[j] != 0) used[n++] = j;
        for (size_t a = 0; a < n; a++) {
            double wx = weight[i] * row[used[a]];
            b[used[a]] += wx * z[i];
            for (size_t c = 0; c <= a; c++) l[used[a] * p + used[c]] += wx * row[used[c]];
        }
    }
    free(used);
    for (size_t j = 0; j < p; j++)
        for (size_t k = j + 1; k < p; k++) l[j * p + k] = l[k * p + j];
    return su_cholesky(l, p, ALIAS_TOLERANCE, kept);
}

static void means(const su_counts_design *d, const double *coefficients, double *mu)
{
    for (size_t i = 0; i < d->rows; i++) {
        double eta = d->offset ? d->offset[i] : 0;
        for (size_t j = 0; j < d->columns; j++) eta += d->x[i * d->columns + j] * coefficients[j];
        mu[i] = fmax(exp(fmin(eta, 600)), 1e-12);
    }
}

/* Maximum likelihood of the coefficients at a given theta, from the means in f->fitted. False when it does not converge. */
static bool fit_at(const su_counts_design *d, double theta, su_counts_fit *f, double *l, double *work)
{
    size_t n = d->rows, p = d->columns;
    double *weight = work, *z = work + n, *b = work + 2 * n, *before = b + p, *mu = f->fitted;
    double deviance = counts_deviance(d, mu, theta);
    for (int step = 0; step < MOST_STEPS; step++) {
        for (size_t i = 0; i < n; i++) {
            weight[i] = isinf(theta) ? mu[i] : mu[i] / (1 + mu[i] / theta);
            z[i] = log(mu[i]) - (d->offset ? d->offset[i] : 0) + (d->y[i] - mu[i]) / mu[i];
        }
        size_t rank = normal_equations(d, weight, z, l, b, f->kept);
        su_cholesky_solve(l, p, f->kept, b);
        f->df = n - rank;
        memcpy(before, f->coefficients, p * sizeof *b);
        memcpy(f->coefficients, b, p * sizeof *b);
        means(d, f->coefficients, mu);
        double next = counts_deviance(d, mu, theta);
        for (int half = 0; step > 0 && half < 30 && !(next <= deviance + 1e-8 * (fabs(deviance) + 1)); half++) {
            for (size_t j = 0; j < p; j++) f->coefficients[j] = 0.5 * (f->coefficients[j] + before[j]);
            means(d, f->coefficients, mu);
            next = counts_deviance(d, mu, theta);
        }
        if (!isfinite(next)) return false;
        if (fabs(next - deviance) / (fabs(next) + 0.1) < 1e-13) return true;
        deviance = next;
    }
    return false;
}

/* Newton for theta at the given means; infinite when the counts vary no more than Poisson's. */
static double theta_at(const su_counts_design *d, const double *mu, double theta, double *error)
{
    for (int step = 0; step < MOST_STEPS; step++) {
        su_sum score = { 0 }, information = { 0 };
        for (size_t i = 0; i < d->rows; i++) {
            double y = d->y[i], m = mu[i];
            su_sum_add(&score, su_digamma(theta + y) - su_digamma(theta) + log(theta) + 1 - log(theta + m) - (y + theta) / (m + theta));
            su_sum_add(&information, su_trigamma(theta) - su_trigamma(theta + y) - 1 / theta + 2 / (m + theta) -
                                         (y + theta) / ((m + theta) * (m + theta)));
        }
        double g = su_sum_of(&score), h = su_sum_of(&information);
        *error = h > 0 ? 1 / sqrt(h) : NAN;
        /* in log theta, where the likelihood is closer to a parabola: d/dlog = theta g, second derivative theta g - theta^2 h */
        double curvature = theta * theta * h - theta * g, move = curvature > 0 ? theta * g / curvature : (g > 0 ? 1 : -1);
        move = fmax(fmin(move, 2), -2);
        theta *= exp(move);
        if (theta > 1e7) return INFINITY;
        if (fabs(move) < 1e-12) return theta;
    }
    return theta;
}

static double moment_theta(const su_counts_design *d, const double *mu, size_t df)
{
    double above = 0;
    for (size_t i = 0; i < d->rows; i++) above += (d->y[i] - mu[i]) * (d->y[i] - mu[i]) / (mu[i] * mu[i]) - 1 / mu[i];
    return above > 0 ? fmin((double)df / above, 1e5) : 1e5;
}

static bool fit_negative_binomial(const su_counts_design *d, su_counts_fit *f, double *l, double *work)
{
    double theta = moment_theta(d, f->fitted, f->df);
    for (int turn = 0; turn < MOST_TURNS; turn++) {
        double next = theta_at(d, f->fitted, theta, &f->theta_error);
        if (isinf(next)) {
            f->theta = INFINITY;
            f->theta_error = NAN;
            return fit_at(d, INFINITY, f, l, work);
        }
        if (!fit_at(d, next, f, l, work)) return false;
        bool done = fabs(log(next / theta)) < 1e-10;
        theta = next;
        if (done) break;
    }
    f->theta = theta_at(d, f->fitted, theta, &f->theta_error);
    f->overdispersed = true;
    return true;
}

static su_status check(su_context *ctx, const su_counts_design *d)
{
    double total = 0;
    for (size_t i = 0; i < d->rows; i++) {
        if (!(d->y[i] >= 0) || isinf(d->y[i]))
            return su_fail(ctx, SU_REFUSED, "row %zu: a count must be zero or more, not %g", i + 1, d->y[i]);
        if (d->offset && !isfinite(d->offset[i]))
            return su_fail(ctx, SU_REFUSED, "row %zu: the exposure must be above zero (its logarithm is the offset)", i + 1);
        total += d->y[i];
    }
    if (!(total > 0)) return su_fail(ctx, SU_REFUSED, "every count is zero: there is nothing to model");
    return SU_OK;
}

static void finish(const su_counts_design *d, const su_counts_options *o, su_counts_fit *f, const double *l)
{
    double pearson = 0;
    for (size_t i = 0; i < d->rows; i++) {
        double m = f->fitted[i], v = isinf(f->theta) ? m : m + m * m / f->theta;
        pearson += (d->y[i] - m) * (d->y[i] - m) / v;
    }
    f->dispersion = pearson / (double)f->df;
    f->deviance = counts_deviance(d, f->fitted, f->theta);
    f->log_likelihood = likelihood(d, f->fitted, f->theta);
    f->aic = -2 * f->log_likelihood + 2 * ((double)(d->rows - f->df) + f->overdispersed);
    su_cholesky_inverse(l, d->columns, f->kept, f->covariance);
    su_counts_sandwich(d, o, f);
}

su_status su_counts_fit_new(su_context *ctx, const su_counts_design *d, const su_counts_options *o, su_counts_fit **out)
{
    size_t n = d->rows, p = d->columns;
    su_counts_fit *f = NULL;
    double *l = NULL, *work = NULL;
    *out = NULL;
    su_status st = check(ctx, d);
    if (st) return st;
    f = su_alloc(sizeof *f);
    *f = (su_counts_fit) { .rows = n, .columns = p, .theta = INFINITY, .theta_error = NAN };
    f->coefficients = su_alloc_array(p, sizeof *f->coefficients);
    f->covariance = su_alloc_array(p * p, sizeof *f->covariance);
    f->kept = su_alloc_array(p, sizeof *f->kept);
    f->fitted = su_alloc_array(n, sizeof *f->fitted);
    l = su_alloc_array(p * p, sizeof *l);
    work = su_alloc_array(2 * n + 2 * p, sizeof *work);
    for (size_t i = 0; i < n; i++) f->fitted[i] = d->y[i] + 0.1;
    bool done = fit_at(d, INFINITY, f, l, work);
    if (done && f->df == 0)
        st = su_fail(ctx, SU_REFUSED, "%zu rows cannot carry a model of %zu terms: no degree of freedom is left; use fewer terms", n, p);
    if (done && !st && o->family == SU_COUNT_NEGATIVE_BINOMIAL) done = fit_negative_binomial(d, f, l, work);
    if (!done && !st)
        st = su_fail(ctx, SU_REFUSED, "the count model does not converge: a term may be zero wherever the count is; leave it out");
    if (!st) finish(d, o, f, l);
    free(l);
    free(work);
    if (st)
        su_counts_fit_free(f);
    else
        *out = f;
    return st;
}

void su_counts_fit_free(su_counts_fit *f)
{
    if (!f) return;
    free(f->coefficients);
    free(f->covariance);
    free(f->kept);
    free(f->fitted);
    free(f);
}

double su_counts_predict(const su_counts_fit *f, const double *row, double offset, double *error)
{
    double eta = offset;
    for (size_t j = 0; j < f->columns; j++) eta += row[j] * f->coefficients[j];
    if (error) *error = sqrt(fmax(su_quadratic(f->covariance, row, f->columns), 0));
    return eta;
}
