#include "logit/profile.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "numeric/matrix.h"
#include "numeric/special.h"

enum { FIRTH_ITERATIONS = 500, HALVINGS = 40, EXPANSIONS = 60, ROOT_STEPS = 60 };
static const double LONGEST_STEP = 5; /* without a bound the profile diverges (Heinze and Ploner 2003) */

typedef struct firth_work {
    const su_units *u;
    const bool *kept;
    uint32_t p;
    su_moments m;
    double *l, *bread, *score, *step, *trial;
    bool *good;
    su_sparse s;
} firth_work;

static firth_work firth_open(const su_units *u, const bool *kept)
{
    uint32_t p = u->x->columns;
    return (firth_work) { u,
                          kept,
                          p,
                          su_moments_new(p),
                          su_alloc_array((size_t)p * p, sizeof(double)),
                          su_alloc_array((size_t)p * p, sizeof(double)),
                          su_alloc_array(p, sizeof(double)),
                          su_alloc_array(p, sizeof(double)),
                          su_alloc_array(p, sizeof(double)),
                          su_alloc_array(p, sizeof(bool)),
                          su_sparse_new(u->x) };
}

static void firth_close(firth_work *w)
{
    su_moments_free(&w->m);
    su_sparse_free(&w->s);
    void *all[] = { w->l, w->bread, w->score, w->step, w->trial, w->good };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) free(all[i]);
}

/* loglik + log det I / 2; leaves the factor of I in l. */
static double penalised(su_context *ctx, firth_work *w, const double *beta)
{
    uint32_t p = w->p, wanted = 0;
    su_units_moments(ctx, w->u, beta, NULL, &w->m);
    memcpy(w->l, w->m.information, (size_t)p * p * sizeof *w->l);
    for (uint32_t j = 0; j < p; j++) {
        wanted += w->kept[j];
        if (!w->kept[j]) w->l[(size_t)j * p + j] = 0;
    }
    if (su_cholesky(w->l, p, 1e-15, w->good) != wanted) return -INFINITY;
    return w->m.loglik + su_cholesky_log_determinant(w->l, p, w->good) / 2;
}

static void penalised_score(firth_work *w, const double *beta)
{
    uint32_t p = w->p;
    su_cholesky_inverse(w->l, p, w->good, w->bread);
    memcpy(w->score, w->m.score, p * sizeof *w->score);
    for (uint64_t i = 0; i < w->u->n; i++) {
        su_predictors_row(w->u->x, w->u->row[i], NULL, &w->s);
        double eta = su_sparse_dot(&w->s, beta) + su_predictors_offset(w->u->x, w->u->row[i], NULL), h = 0;
        su_mean m = su_family_mean(SU_FAMILY_LOGIT, eta);
        for (uint32_t a = 0; a < w->s.n; a++) {
            const double *line = w->bread + (size_t)w->s.column[a] * p;
            for (uint32_t b = 0; b < w->s.n; b++) h += w->s.value[a] * line[w->s.column[b]] * w->s.value[b];
        }
        su_sparse_axpy(&w->s, su_units_weight(w->u, i) * m.slope * h * (0.5 - m.mu), w->score);
    }
}

/* Penalised maximum over the active columns from *beta. */
static double firth_maximise(su_context *ctx, firth_work *w, const bool *active, double *beta, unsigned *iterations)
{
    uint32_t p = w->p;
    double *work = su_alloc_array((size_t)p * p, sizeof *work), best = penalised(ctx, w, beta);
    bool *good = su_alloc_array(p, sizeof *good);
    for (*iterations = 0; *iterations < FIRTH_ITERATIONS && !su_cancelled(ctx); ++*iterations) {
        penalised_score(w, beta);
        memcpy(work, w->m.information, (size_t)p * p * sizeof *work);
        double decrement = 0, longest = 0, before = best;
        for (uint32_t j = 0; j < p; j++) {
            w->step[j] = active[j] ? w->score[j] : 0;
            if (!active[j]) work[(size_t)j * p + j] = 0;
        }
        su_cholesky(work, p, 1e-15, good);
        su_cholesky_solve(work, p, good, w->step);
        for (uint32_t j = 0; j < p; j++) {
            if (!active[j]) w->step[j] = 0;
            decrement += w->step[j] * w->score[j];
            longest = fmax(longest, fabs(w->step[j]));
        }
        double length = longest > LONGEST_STEP ? LONGEST_STEP / longest : 1;
        bool better = false;
        for (int h = 0; h < HALVINGS && !better; h++, length /= 2) {
            for (uint32_t j = 0; j < p; j++) w->trial[j] = beta[j] + length * w->step[j];
            best = penalised(ctx, w, w->trial);
            better = best >= before - 1e-13 * fabs(before);
        }
        if (!better) {
            best = penalised(ctx, w, beta);
            break;
        }
        memcpy(beta, w->trial, p * sizeof *beta);
        if (decrement < 1e-18) break;
    }
    free(work);
    free(good);
    return best;
}

su_status su_firth_fit(su_context *ctx, const su_units *u, su_fit *fit)
{
    firth_work w = firth_open(u, fit->kept);
    memset(fit->beta, 0, fit->columns * sizeof *fit->beta);
    fit->loglik = firth_maximise(ctx, &w, fit->kept, fit->beta, &fit->iterations);
    memcpy(fit->factor, w.l, (size_t)fit->columns * fit->columns * sizeof *fit->factor);
    su_cholesky_inverse(w.l, fit->columns, w.good, fit->bread);
    fit->converged = fit->iterations < FIRTH_ITERATIONS;
    fit->deviance = -2 * w.m.loglik;
    fit->moved = 0;
    bool *constant = su_alloc_array(fit->columns, sizeof *constant);
    double *beta = su_alloc_array(fit->columns, sizeof *beta);
    firth_work null = firth_open(u, fit->kept); /* the same penalty, so that the two compare */
    if (u->x->intercept >= 0) constant[u->x->intercept] = true;
    unsigned iterations;
    fit->null_loglik = firth_maximise(ctx, &null, constant, beta, &iterations);
    fit->null_deviance = -2 * null.m.loglik;
    firth_close(&null);
    firth_close(&w);
    free(constant);
    free(beta);
    return su_cancelled(ctx) ? su_fail(ctx, SU_CANCELLED, "Stopped.") : SU_OK;
}

/* ---- profiles ----------------------------------------------------------------------------------------------------------------------- */

typedef struct profile_work {
    su_context *ctx;
    const su_units *u;
    const su_fit *fit;
    bool is_firth, *active;
    firth_work firth;
    su_moments m;
    double *beta;
    uint32_t j;
} profile_work;

/* sqrt of twice the fall of the log likelihood with coefficient j at `value`. */
static double fall(profile_work *w, double value)
{
    const su_fit *f = w->fit;
    uint32_t p = f->columns;
    unsigned iterations;
    double along = (value - f->beta[w->j]) / f->bread[(size_t)w->j * p + w->j], top;
    for (uint32_t k = 0; k < p; k++) w->beta[k] = f->beta[k] + along * f->bread[(size_t)k * p + w->j];
    w->beta[w->j] = value;
    if (w->is_firth) {
        top = firth_maximise(w->ctx, &w->firth, w->active, w->beta, &iterations);
    } else {
        su_fit_maximise(w->ctx, w->u, w->active, w->beta, &w->m, &iterations);
        top = w->m.loglik;
    }
    return sqrt(fmax(0, 2 * (f->loglik - top) / f->dispersion));
}

/* Where fall() = wanted on one side: bracket, then regula falsi (Illinois). */
static double limit(profile_work *w, double side, double wanted)
{
    double estimate = w->fit->beta[w->j], se = sqrt(w->fit->bread[(size_t)w->j * w->fit->columns + w->j] * w->fit->dispersion);
    double a = estimate, fa = -wanted, step = side * wanted * se, b = estimate + step, fb = fall(w, b) - wanted;
    for (int i = 0; fb < 0; i++) {
        if (i == EXPANSIONS || fabs(b) > 1e6 * fmax(1, fabs(estimate))) return side * INFINITY;
        double before = fb;
        a = b;
        fa = fb;
        step *= 1.5;
        b += step;
        fb = fall(w, b) - wanted;
        if (fabs(fb - before) < 1e-10) return side * INFINITY; /* the profile is flat: no limit on this side */
    }
    int kept = 0;
    for (int i = 0; i < ROOT_STEPS && fabs(b - a) > 1e-11 * fmax(1, fabs(b)); i++) {
        double c = b - fb * (b - a) / (fb - fa), fc = fall(w, c) - wanted;
        if (fabs(fc) < 1e-11) return c;
        if (fc > 0) {
            b = c;
            fb = fc;
            if (kept == 1) fa /= 2;
            kept = 1;
        } else {
            a = c;
            fa = fc;
            if (kept == -1) fb /= 2;
            kept = -1;
        }
    }
    return fabs(fa) < fabs(fb) ? a : b;
}

su_profile su_logit_profile_interval(su_context *ctx, const su_units *u, const su_fit *fit, bool firth, uint32_t j, double level)
{
    uint32_t p = fit->columns;
    profile_work w = { .ctx = ctx, .u = u, .fit = fit, .is_firth = firth, .j = j };
    w.active = su_alloc_array(p, sizeof *w.active);
    w.beta = su_alloc_array(p, sizeof *w.beta);
    memcpy(w.active, fit->kept, p * sizeof *w.active);
    w.active[j] = false;
    if (firth)
        w.firth = firth_open(u, fit->kept);
    else
        w.m = su_moments_new(p);
    double wanted = -su_normal_quantile((1 - level) / 2), at_zero = fall(&w, 0);
    su_profile out = { limit(&w, -1, wanted), limit(&w, 1, wanted), 2 * su_normal_upper(at_zero) };
    if (firth)
        firth_close(&w.firth);
    else
        su_moments_free(&w.m);
    free(w.active);
    free(w.beta);
    return out;
}
