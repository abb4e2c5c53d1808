#include "logit/random.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "logit/random_likelihood.h"
#include "numeric/matrix.h"
#include "numeric/special.h"

enum { ITERATIONS = 200, HALVINGS = 30, POLISH = 8 };
static const double SMALLEST = -9, SMALL = -2.5; /* log s: no step goes below the first; below the second the boundary is asked for */

typedef struct optimum {
    su_context *ctx;
    su_random_data *data;
    const bool *kept;
    uint32_t p; /* columns; p + 1 parameters */
    double *theta, *gradient, *other, *trial, *step, *hessian, *work;
    bool *good;
    double loglik;
} optimum;

/* step = hessian^-1 gradient over kept columns and log s; the squared length in standard errors. */
static double newton_step(optimum *o)
{
    uint32_t n = o->p + 1;
    memcpy(o->work, o->hessian, (size_t)n * n * sizeof *o->work);
    for (uint32_t j = 0; j < o->p; j++)
        if (!o->kept[j]) o->work[(size_t)j * n + j] = 0;
    su_cholesky(o->work, n, 1e-12, o->good);
    memcpy(o->step, o->gradient, n * sizeof *o->step);
    su_cholesky_solve(o->work, n, o->good, o->step);
    double sum = 0;
    for (uint32_t j = 0; j < n; j++) sum += o->step[j] * o->gradient[j];
    return sum;
}

/* Approximate information: analytic for b, a difference of gradients for log s. */
static void approximate_hessian(optimum *o, const double *information)
{
    uint32_t p = o->p, n = p + 1;
    const double h = 1e-4;
    for (uint32_t a = 0; a < p; a++) memcpy(o->hessian + (size_t)a * n, information + (size_t)a * p, p * sizeof *o->hessian);
    memcpy(o->trial, o->theta, n * sizeof *o->trial);
    o->trial[p] += h;
    su_random_loglik(o->ctx, o->data, o->trial, o->other, NULL);
    for (uint32_t a = 0; a < n; a++) o->hessian[(size_t)a * n + p] = o->hessian[(size_t)p * n + a] = -(o->other[a] - o->gradient[a]) / h;
    double *own = &o->hessian[(size_t)p * n + p];
    if (*own > 0.5) return;
    for (uint32_t a = 0; a < p; a++) o->hessian[(size_t)a * n + p] = o->hessian[(size_t)p * n + a] = 0;
    *own = fmax(fabs(*own), 0.5) + fabs(o->gradient[p]); /* not concave there: a bounded step uphill */
}

/* Observed information by central differences of the gradient, steps of a small part of a standard error. */
static void full_hessian(optimum *o)
{
    uint32_t p = o->p, n = p + 1;
    double *next = su_alloc_array((size_t)n * n, sizeof *next), *plus = su_alloc_array(n, sizeof *plus);
    for (uint32_t j = 0; j < n; j++) {
        if (j < p && !o->kept[j]) continue;
        double h = 1e-3 / sqrt(fmax(o->hessian[(size_t)j * n + j], 1e-8));
        memcpy(o->trial, o->theta, n * sizeof *o->trial);
        o->trial[j] = o->theta[j] + h;
        su_random_loglik(o->ctx, o->data, o->trial, plus, NULL);
        o->trial[j] = o->theta[j] - h;
        su_random_loglik(o->ctx, o->data, o->trial, o->other, NULL);
        for (uint32_t a = 0; a < n; a++) next[(size_t)a * n + j] = -(plus[a] - o->other[a]) / (2 * h);
    }
    for (uint32_t a = 0; a < n; a++)
        for (uint32_t b = 0; b < n; b++) {
            bool both = (a == p || o->kept[a]) && (b == p || o->kept[b]);
            o->hessian[(size_t)a * n + b] = both ? (next[(size_t)a * n + b] + next[(size_t)b * n + a]) / 2 : 0;
        }
    free(next);
    free(plus);
}

/* Moves along step, halved until the likelihood does not fall. */
static bool move(optimum *o, double *information)
{
    uint32_t n = o->p + 1;
    double before = o->loglik, length = 1;
    for (int h = 0; h < HALVINGS; h++, length /= 2) {
        for (uint32_t j = 0; j < n; j++) o->trial[j] = o->theta[j] + length * o->step[j];
        o->trial[o->p] = fmax(o->trial[o->p], SMALLEST);
        double loglik = su_random_loglik(o->ctx, o->data, o->trial, o->gradient, information);
        if (!(loglik >= before - 1e-12 * fabs(before))) continue;
        memcpy(o->theta, o->trial, n * sizeof *o->theta);
        o->loglik = loglik;
        return true;
    }
    o->loglik = su_random_loglik(o->ctx, o->data, o->theta, o->gradient, information);
    return false;
}

/* plain: log likelihood without variation between groups, which the boundary does not exceed. */
static void maximise(optimum *o, double plain, su_random_fit *f)
{
    double *information = su_alloc_array((size_t)o->p * o->p, sizeof *information);
    o->loglik = su_random_loglik(o->ctx, o->data, o->theta, o->gradient, information);
    for (f->iterations = 0; f->iterations < ITERATIONS && !su_cancelled(o->ctx); f->iterations++) {
        approximate_hessian(o, information);
        double length = newton_step(o);
        if (length < 1e-8) break;
        o->step[o->p] = fmax(fmin(o->step[o->p], 1.5), -1.5);
        if (!move(o, information)) break;
        f->boundary = o->theta[o->p] < SMALL && o->loglik <= plain + 1e-6;
        if (f->boundary) break;
    }
    f->boundary = o->theta[o->p] < SMALL && o->loglik <= plain + 1e-6;
    if (!f->boundary) {
        full_hessian(o);
        for (int i = 0; i < POLISH && newton_step(o) > 1e-16; i++)
            if (!move(o, NULL)) break;
    }
    free(information);
}

/* Columns of groups: kept ones that do not vary inside any group. */
static void find_columns_of_groups(const optimum *o, su_random_fit *f)
{
    const su_random_data *d = o->data;
    su_sparse s = su_sparse_new(d->x);
    double *first = su_alloc_array(o->p, sizeof *first), *own = su_alloc_array(o->p, sizeof *own);
    f->of_groups = su_alloc_array(o->p, sizeof *f->of_groups);
    for (uint32_t j = 0; j < o->p; j++) f->of_groups[j] = o->kept[j];
    for (uint32_t g = 0; g < d->groups; g++)
        for (uint64_t i = d->start[g]; i < d->start[g + 1]; i++) {
            double *to = i == d->start[g] ? first : own;
            memset(to, 0, o->p * sizeof *to);
            su_predictors_row(d->x, d->x->rows[d->order[i]], NULL, &s);
            su_sparse_axpy(&s, 1, to);
            for (uint32_t j = 0; j < o->p && to == own; j++) f->of_groups[j] &= own[j] == first[j];
        }
    for (uint32_t j = 0; j < o->p; j++) f->of_groups_count += f->of_groups[j];
    su_sparse_free(&s);
    free(first);
    free(own);
}

/* The mode e of group g solves s^2 (sum of y - mu) = e, so with c = 1 + s^2 sum w: de/db = -s^2 (sum of w x) / c, de/dlog s = 2 e / c. */
static double effect_error(const optimum *o, const su_random_fit *f, uint32_t g, double *slope)
{
    const su_random_data *d = o->data;
    uint32_t n = o->p + 1;
    double weights = 0, square = f->sigma * f->sigma;
    su_sparse s = su_sparse_new(d->x);
    memset(slope, 0, n * sizeof *slope);
    for (uint64_t i = d->start[g]; i < d->start[g + 1]; i++) {
        uint32_t row = d->x->rows[d->order[i]];
        su_predictors_row(d->x, row, NULL, &s);
        double eta = su_sparse_dot(&s, f->theta) + su_predictors_offset(d->x, row, NULL) + f->effect[g];
        double w = su_family_mean(SU_FAMILY_LOGIT, eta).slope;
        weights += w;
        su_sparse_axpy(&s, w, slope);
    }
    su_sparse_free(&s);
    double c = 1 + square * weights;
    for (uint32_t j = 0; j < o->p; j++) slope[j] *= -square / c;
    slope[o->p] = 2 * f->effect[g] / c;
    return sqrt(f->effect_sd[g] * f->effect_sd[g] + fmax(su_quadratic(f->covariance, slope, n), 0));
}

static void finish(optimum *o, su_random_fit *f, const su_variable *group, const uint32_t *levels)
{
    uint32_t p = o->p, n = p + 1;
    f->loglik = o->loglik;
    f->sigma = f->boundary ? 0 : exp(o->theta[p]);
    memcpy(f->theta, o->theta, n * sizeof *f->theta);
    for (uint32_t j = 0; j < n; j++)
        if (j == p ? !f->boundary : o->kept[j]) f->largest_gradient = fmax(f->largest_gradient, fabs(o->gradient[j]));
    f->converged = f->boundary || newton_step(o) < 1e-8;
    memcpy(o->work, o->hessian, (size_t)n * n * sizeof *o->work);
    for (uint32_t j = 0; j < p; j++)
        if (!o->kept[j]) o->work[(size_t)j * n + j] = 0;
    if (f->boundary)
        for (uint32_t j = 0; j < n; j++) o->work[(size_t)j * n + p] = o->work[(size_t)p * n + j] = 0;
    su_cholesky(o->work, n, 1e-12, o->good);
    su_cholesky_inverse(o->work, n, o->good, f->covariance);
    f->groups = o->data->groups;
    f->names = su_alloc_array(f->groups, sizeof *f->names);
    f->sizes = su_alloc_array(f->groups, sizeof *f->sizes);
    f->effect = su_alloc_array(f->groups, sizeof *f->effect);
    f->effect_sd = su_alloc_array(f->groups, sizeof *f->effect_sd);
    f->effect_error = su_alloc_array(f->groups, sizeof *f->effect_error);
    for (uint32_t g = 0; g < f->groups; g++) {
        f->names[g] = group->levels[levels[g] - 1];
        f->sizes[g] = o->data->start[g + 1] - o->data->start[g];
        f->effect[g] = f->sigma * o->data->mode[g];
        f->effect_sd[g] = f->sigma / sqrt(o->data->curvature[g]);
        f->effect_error[g] = effect_error(o, f, g, o->step);
    }
    find_columns_of_groups(o, f);
}

su_status su_random_fit_new(su_context *ctx, const su_predictors *x, const su_fit *start, const su_variable *group, unsigned nodes,
                            su_random_fit **out)
{
    uint32_t p = x->columns, n = p + 1, *levels = su_alloc_array((size_t)group->level_count + 1, sizeof *levels);
    su_random_data data;
    su_random_data_init(&data, x, group, nodes, levels);
    *out = NULL;
    su_status st = SU_OK;
    if (data.groups < 2) {
        st = su_fail(ctx, SU_REFUSED, "All rows used are in one group of %s: a random intercept needs several.", group->name);
        goto out;
    }
    su_random_fit *f = su_alloc(sizeof *f);
    *f = (su_random_fit) { .columns = p,
                           .nodes = nodes,
                           .theta = su_alloc_array(n, sizeof(double)),
                           .covariance = su_alloc_array((size_t)n * n, sizeof(double)) };
    optimum o = { ctx,
                  &data,
                  start->kept,
                  p,
                  su_alloc_array(n, sizeof(double)),
                  su_alloc_array(n, sizeof(double)),
                  su_alloc_array(n, sizeof(double)),
                  su_alloc_array(n, sizeof(double)),
                  su_alloc_array(n, sizeof(double)),
                  su_alloc_array((size_t)n * n, sizeof(double)),
                  su_alloc_array((size_t)n * n, sizeof(double)),
                  su_alloc_array(n, sizeof(bool)),
                  0 };
    memcpy(o.theta, start->beta, p * sizeof *o.theta);
    o.theta[p] = log(0.5);
    maximise(&o, start->loglik, f);
    if (f->boundary) {
        memcpy(o.theta, start->beta, p * sizeof *o.theta);
        o.theta[p] = SMALLEST;
        o.loglik = start->loglik;
        for (uint32_t a = 0; a < p; a++)
            for (uint32_t b = 0; b < p; b++) {
                double sum = 0; /* information = L L' */
                for (uint32_t k = 0; k <= (a < b ? a : b); k++) sum += start->factor[(size_t)a * p + k] * start->factor[(size_t)b * p + k];
                o.hessian[(size_t)a * n + b] = sum;
            }
    }
    finish(&o, f, group, levels);
    double *all[] = { o.theta, o.gradient, o.other, o.trial, o.step, o.hessian, o.work };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) free(all[i]);
    free(o.good);
    *out = f;
    if (su_cancelled(ctx)) {
        su_random_fit_free(f);
        *out = NULL;
        st = su_fail(ctx, SU_CANCELLED, "Stopped.");
    }
out:
    su_random_data_free(&data);
    free(levels);
    return st;
}

void su_random_fit_free(su_random_fit *f)
{
    if (!f) return;
    free(f->theta);
    free(f->covariance);
    free(f->names);
    free(f->sizes);
    free(f->effect);
    free(f->effect_sd);
    free(f->effect_error);
    free(f->of_groups);
    free(f);
}

double su_population_average(double eta, double sigma, double *by_eta, double *by_log_sigma)
{
    enum { NODES = 40 };
    double z[NODES], w[NODES], p = 0, d = 0, s = 0;
    su_gauss_hermite(NODES, z, w);
    for (int q = 0; q < NODES; q++) {
        double u = M_SQRT2 * z[q], share = w[q] / sqrt(M_PI);
        su_mean m = su_family_mean(SU_FAMILY_LOGIT, eta + sigma * u);
        p += share * m.mu;
        d += share * m.slope;
        s += share * m.slope * sigma * u;
    }
    *by_eta = d;
    *by_log_sigma = s;
    return p;
}
