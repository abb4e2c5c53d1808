/* Median bias-reduced estimates of the logit: each as likely too high as too low. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "logit/profile.h"
#include "numeric/matrix.h"

enum { STEPS = 500 };
static const double LONGEST = 5, SETTLED = 1e-12;

typedef struct work {
    const su_units *u;
    uint32_t p;
    su_moments m;
    double *l, *bread, *score, *shift, *step;
    bool *good;
    su_sparse s;
} work;

/* The adjusted score, and the shift of every coefficient on top of it: with B the inverse information, w = p(1-p) and column j of B,
 * shift_j = -B_j' sum_i x_i w_i (x_i'B_j)^2 / B_jj (1 - 2 p_i) / 3. */
static void adjustments(work *k, const double *beta)
{
    uint32_t p = k->p;
    su_cholesky_inverse(k->l, p, k->good, k->bread);
    memcpy(k->score, k->m.score, p * sizeof *k->score);
    memset(k->shift, 0, p * sizeof *k->shift);
    for (uint64_t i = 0; i < k->u->n; i++) {
        su_predictors_row(k->u->x, k->u->row[i], NULL, &k->s);
        double eta = su_sparse_dot(&k->s, beta) + su_predictors_offset(k->u->x, k->u->row[i], NULL), leverage = 0;
        su_mean m = su_family_mean(SU_FAMILY_LOGIT, eta);
        for (uint32_t j = 0; j < p; j++) k->step[j] = k->good[j] ? su_sparse_dot(&k->s, k->bread + (size_t)j * p) : 0; /* x'B */
        for (uint32_t a = 0; a < k->s.n; a++) leverage += k->s.value[a] * k->step[k->s.column[a]];
        double weight = su_units_weight(k->u, i) * m.slope;
        su_sparse_axpy(&k->s, weight * leverage * (0.5 - m.mu), k->score);
        for (uint32_t j = 0; j < p; j++)
            if (k->good[j]) k->shift[j] -= weight * k->step[j] * k->step[j] * k->step[j] / k->bread[(size_t)j * p + j] * (1 - 2 * m.mu) / 3;
    }
}

static bool information(su_context *ctx, work *k, const double *beta, uint32_t wanted, const bool *kept)
{
    su_units_moments(ctx, k->u, beta, NULL, &k->m);
    memcpy(k->l, k->m.information, (size_t)k->p * k->p * sizeof *k->l);
    for (uint32_t j = 0; j < k->p; j++)
        if (!kept[j]) k->l[(size_t)j * k->p + j] = 0;
    return su_cholesky(k->l, k->p, 1e-15, k->good) == wanted;
}

su_status su_median_fit(su_context *ctx, const su_units *u, su_fit *fit)
{
    uint32_t p = fit->columns, wanted = 0;
    su_status st = su_firth_fit(ctx, u, fit); /* finite, and near */
    if (st) return st;
    work k = { u,
               p,
               su_moments_new(p),
               su_alloc_array((size_t)p * p, sizeof(double)),
               su_alloc_array((size_t)p * p, sizeof(double)),
               su_alloc_array(p, sizeof(double)),
               su_alloc_array(p, sizeof(double)),
               su_alloc_array(p, sizeof(double)),
               su_alloc_array(p, sizeof(bool)),
               su_sparse_new(u->x) };
    double longest = INFINITY;
    for (uint32_t j = 0; j < p; j++) wanted += fit->kept[j];
    fit->converged = false;
    for (fit->iterations = 0; fit->iterations < STEPS && !fit->converged && !su_cancelled(ctx); fit->iterations++) {
        if (!information(ctx, &k, fit->beta, wanted, fit->kept)) break;
        adjustments(&k, fit->beta);
        memcpy(k.step, k.score, p * sizeof *k.step);
        su_cholesky_solve(k.l, p, k.good, k.step);
        longest = 0;
        for (uint32_t j = 0; j < p; j++) {
            k.step[j] = fit->kept[j] ? k.step[j] + k.shift[j] : 0;
            longest = fmax(longest, fabs(k.step[j]));
        }
        double length = longest > LONGEST ? LONGEST / longest : 1;
        for (uint32_t j = 0; j < p; j++) fit->beta[j] += length * k.step[j];
        fit->converged = longest < SETTLED * fmax(1, fabs(fit->beta[0]));
    }
    if (fit->converged && !information(ctx, &k, fit->beta, wanted, fit->kept)) fit->converged = false;
    if (!fit->converged)
        st = su_cancelled(ctx)
                 ? su_fail(ctx, SU_CANCELLED, "Stopped.")
                 : su_fail(ctx, SU_REFUSED, "The median bias-reduced fit did not settle; use --firth, or join rare categories.");
    memcpy(fit->factor, k.l, (size_t)p * p * sizeof *fit->factor);
    su_cholesky_inverse(k.l, p, k.good, fit->bread);
    fit->loglik = k.m.loglik;
    fit->deviance = -2 * k.m.loglik;
    su_moments_free(&k.m);
    su_sparse_free(&k.s);
    void *all[] = { k.l, k.bread, k.score, k.shift, k.step, k.good };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) free(all[i]);
    return st;
}
