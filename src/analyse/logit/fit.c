#include "logit/fit.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "numeric/matrix.h"

static const double DECREMENT = 1e-12; /* squared length of the next step, in standard errors */
enum { HALVINGS = 30 };

/* Aliased columns of the units at equal working weights. */
static void fit_aliased(su_context *ctx, const su_units *u, bool *kept)
{
    su_units equal = *u;
    equal.family = SU_FAMILY_LINEAR; /* working weight 1 everywhere */
    su_moments m = su_moments_new(u->x->columns);
    double *zero = su_alloc_array(u->x->columns, sizeof *zero);
    su_units_moments(ctx, &equal, zero, NULL, &m);
    su_cholesky(m.information, u->x->columns, SU_FIT_PIVOT, kept);
    free(zero);
    su_moments_free(&m);
}

/* step = information^-1 score over the active columns; false when that is not possible. Keeps the moments. */
static bool scoring_step(const su_moments *m, const bool *active, uint32_t p, double *work, double *step, double *decrement)
{
    memcpy(work, m->information, (size_t)p * p * sizeof *work);
    bool *kept = su_alloc_array(p, sizeof *kept);
    size_t wanted = 0;
    for (uint32_t j = 0; j < p; j++) {
        step[j] = active[j] ? m->score[j] : 0;
        wanted += active[j];
        if (!active[j]) work[(size_t)j * p + j] = 0;
    }
    bool good = su_cholesky(work, p, 1e-15, kept) == wanted;
    if (good) su_cholesky_solve(work, p, kept, step);
    *decrement = 0;
    for (uint32_t j = 0; j < p; j++) {
        if (active[j]) *decrement += step[j] * m->score[j];
        good &= isfinite(step[j]);
    }
    free(kept);
    return good;
}

/* As su_fit_maximise, with the moments at *beta in m already. */
static bool maximise_from(su_context *ctx, const su_units *u, const bool *active, double *beta, su_moments *m, unsigned *iterations)
{
    uint32_t p = u->x->columns;
    double *work = su_alloc_array((size_t)p * p, sizeof *work), *step = su_alloc_array(p, sizeof *step);
    double *trial = su_alloc_array(p, sizeof *trial), decrement;
    bool settled = false, last = false;
    for (*iterations = 0; *iterations < SU_FIT_ITERATIONS && !su_cancelled(ctx); ++*iterations) {
        if (!scoring_step(m, active, p, work, step, &decrement)) break;
        last = decrement < DECREMENT;
        double before = m->loglik, length = 1;
        for (int h = 0; h < HALVINGS; h++, length /= 2) {
            for (uint32_t j = 0; j < p; j++) trial[j] = beta[j] + length * step[j];
            su_units_moments(ctx, u, trial, last ? step : NULL, m); /* how far it moved counts for the last step only */
            if (last || m->loglik >= before - 1e-12 * fabs(before)) break;
        }
        memcpy(beta, trial, p * sizeof *beta);
        if (last) {
            settled = true;
            ++*iterations;
            break;
        }
    }
    free(work);
    free(step);
    free(trial);
    return settled;
}

bool su_fit_maximise(su_context *ctx, const su_units *u, const bool *active, double *beta, su_moments *m, unsigned *iterations)
{
    su_units_moments(ctx, u, beta, NULL, m);
    return maximise_from(ctx, u, active, beta, m, iterations);
}

/* Of the constant alone (0 when there is none): in closed form, or by scoring when offsets make the mean no solution. */
static double null_loglik(su_context *ctx, const su_units *u, double start, double mean, double total)
{
    uint32_t p = u->x->columns;
    if (u->x->formula->offset_count == 0) {
        double eta = u->x->intercept >= 0 ? start : 0;
        if (u->family != SU_FAMILY_LINEAR) return total * su_family_loglik(u->family, mean, eta); /* linear in y */
        su_sum sum = { 0 };
        for (uint64_t i = 0; i < u->n; i++) su_sum_add(&sum, su_units_weight(u, i) * su_family_loglik(u->family, u->y[i], eta));
        return su_sum_of(&sum);
    }
    bool *active = su_alloc_array(p, sizeof *active);
    double *beta = su_alloc_array(p, sizeof *beta);
    su_moments m = su_moments_new(p);
    unsigned iterations;
    if (u->x->intercept >= 0) {
        active[u->x->intercept] = true;
        beta[u->x->intercept] = start;
        su_fit_maximise(ctx, u, active, beta, &m, &iterations);
    } else {
        su_units_moments(ctx, u, beta, NULL, &m);
    }
    double loglik = m.loglik;
    su_moments_free(&m);
    free(active);
    free(beta);
    return loglik;
}

/* Weighted: mean of y, saturated log likelihood, sum of weights. */
static void outcome_sums(const su_units *u, double *mean, double *saturated, double *total)
{
    su_sum y = { 0 }, s = { 0 }, w = { 0 };
    for (uint64_t i = 0; i < u->n; i++) {
        double weight = su_units_weight(u, i);
        su_sum_add(&y, weight * u->y[i]);
        su_sum_add(&s, weight * su_family_saturated(u->family, u->y[i]));
        su_sum_add(&w, weight);
    }
    *total = su_sum_of(&w);
    *mean = su_sum_of(&y) / *total;
    *saturated = su_sum_of(&s);
}

static void finish(const su_units *u, su_fit *f, su_moments *m, double saturated)
{
    uint32_t p = f->columns;
    f->loglik = m->loglik;
    f->moved = m->moved;
    f->deviance = 2 * (saturated - m->loglik);
    f->null_deviance = 2 * (saturated - f->null_loglik);
    f->dispersion = 1;
    double *l = f->factor;
    memcpy(l, m->information, (size_t)p * p * sizeof *l);
    for (uint32_t j = 0; j < p; j++)
        if (!f->kept[j]) l[(size_t)j * p + j] = 0;
    bool *good = su_alloc_array(p, sizeof *good);
    su_cholesky(l, p, 1e-15, good);
    su_cholesky_inverse(l, p, good, f->bread);
    free(good);
    if (u->family == SU_FAMILY_LINEAR) {
        double n = (double)u->x->row_count;
        f->dispersion = f->deviance / (n - f->rank);
    }
}

su_status su_fit_new(su_context *ctx, const su_units *u, su_fit **out)
{
    uint32_t p = u->x->columns;
    su_fit *f = su_alloc(sizeof *f);
    *out = f;
    f->columns = p;
    f->beta = su_alloc_array(p, sizeof *f->beta);
    f->kept = su_alloc_array(p, sizeof *f->kept);
    f->bread = su_alloc_array((size_t)p * p, sizeof *f->bread);
    f->factor = su_alloc_array((size_t)p * p, sizeof *f->factor);
    double mean, saturated, total;
    outcome_sums(u, &mean, &saturated, &total);
    double start = su_family_link(u->family, mean);
    f->null_loglik = null_loglik(ctx, u, start, mean, total);
    if (u->x->intercept >= 0) f->beta[u->x->intercept] = start;
    su_moments m = su_moments_new(p);
    su_units_moments(ctx, u, f->beta, NULL, &m);
    if (u->x->formula->offset_count == 0) { /* the linear predictor is the same everywhere, and so are the working weights */
        memcpy(f->factor, m.information, (size_t)p * p * sizeof *f->factor);
        su_cholesky(f->factor, p, SU_FIT_PIVOT, f->kept);
    } else {
        fit_aliased(ctx, u, f->kept);
    }
    for (uint32_t j = 0; j < p; j++) f->rank += f->kept[j];
    f->converged = maximise_from(ctx, u, f->kept, f->beta, &m, &f->iterations);
    finish(u, f, &m, saturated);
    su_moments_free(&m);
    if (!su_cancelled(ctx)) return SU_OK;
    su_fit_free(f);
    *out = NULL;
    return su_fail(ctx, SU_CANCELLED, "Stopped.");
}

void su_fit_free(su_fit *f)
{
    if (!f) return;
    free(f->beta);
    free(f->kept);
    free(f->bread);
    free(f->factor);
    free(f);
}
