/* Proportional odds: logit P(Y <= c) = a_c - x b. Fisher scoring; parameters are the cut points, then b (no intercept). */
#include "impute/chain.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "numeric/matrix.h"

enum { MOST_STEPS = 60, MOST_REDRAWS = 50 };

typedef struct fit {
    uint32_t cuts, k, q; /* k: columns without the intercept */
    double *theta, *trial, *gradient, *information, *step, *x;
    double *density, *p; /* cuts + 2, cuts + 1: f at each cut with zeros at both ends, and each category's probability */
    bool *kept;
} fit;

static double logistic(double x) { return 1 / (1 + exp(-x)); }

static void at_row(const fit *f, const double *theta, const double *x, double delta)
{
    double eta = delta, before = 0;
    for (uint32_t j = 0; j < f->k; j++) eta += theta[f->cuts + j] * x[j + 1];
    f->density[0] = f->density[f->cuts + 1] = 0;
    for (uint32_t c = 0; c < f->cuts; c++) {
        double below = logistic(theta[c] - eta);
        f->density[c + 1] = below * (1 - below);
        f->p[c] = fmax(below - before, 1e-15);
        before = below;
    }
    f->p[f->cuts] = fmax(1 - before, 1e-15);
}

static double add_row(fit *f, const double *theta, const double *x, uint32_t category, double weight)
{
    at_row(f, theta, x, 0);
    const double *d = f->density, *p = f->p;
    uint32_t q = f->q, cuts = f->cuts;
    double slope = 0, rise = d[category + 1] - d[category];
    if (category < cuts) f->gradient[category] += weight * d[category + 1] / p[category];
    if (category > 0) f->gradient[category - 1] -= weight * d[category] / p[category];
    for (uint32_t j = 0; j < f->k; j++) f->gradient[cuts + j] -= weight * rise / p[category] * x[j + 1];
    for (uint32_t c = 0; c <= cuts; c++) slope += (d[c + 1] - d[c]) * (d[c + 1] - d[c]) / p[c];
    for (uint32_t c = 0; c < cuts; c++) {
        f->information[c * q + c] += weight * d[c + 1] * d[c + 1] * (1 / p[c] + 1 / p[c + 1]);
        if (c) f->information[c * q + c - 1] -= weight * d[c + 1] * d[c] / p[c];
        double cross = -weight * d[c + 1] * ((d[c + 1] - d[c]) / p[c] - (d[c + 2] - d[c + 1]) / p[c + 1]);
        for (uint32_t j = 0; j < f->k; j++) f->information[(cuts + j) * q + c] += cross * x[j + 1];
    }
    for (uint32_t j = 0; j < f->k; j++)
        for (uint32_t i = 0; i <= j; i++) f->information[(cuts + j) * q + cuts + i] += weight * slope * x[j + 1] * x[i + 1];
    return weight * log(p[category]);
}

static double sums(fit *f, const double *theta, const su_chain_variable *v, const uint16_t *code, const su_chain_row *r,
                   const su_augment *a)
{
    double loglik = 0;
    memset(f->gradient, 0, f->q * sizeof *f->gradient);
    memset(f->information, 0, (size_t)f->q * f->q * sizeof *f->information);
    for (uint64_t i = 0; i < v->observed_count; i++) {
        su_chain_fill(r, v->observed[i], f->x);
        loglik += add_row(f, theta, f->x, code[v->observed[i]], 1);
    }
    for (uint32_t i = 0; i < a->count; i++)
        for (uint32_t c = 0; c <= f->cuts; c++) loglik += add_row(f, theta, a->x + (size_t)i * r->columns, c, a->weight);
    return loglik;
}

static bool increasing(const double *cut, uint32_t n)
{
    for (uint32_t c = 1; c < n; c++)
        if (!(cut[c] > cut[c - 1])) return false;
    return true;
}

static void factor(fit *f)
{
    for (uint32_t i = 0; i < f->q; i++)
        for (uint32_t j = 0; j < i; j++) f->information[j * f->q + i] = f->information[i * f->q + j];
    (void)su_cholesky(f->information, f->q, 1e-9, f->kept);
}

static void maximise(fit *f, const su_chain_variable *v, const uint16_t *code, const su_chain_row *r, const su_augment *a)
{
    double loglik = sums(f, f->theta, v, code, r, a);
    for (int step = 0; step < MOST_STEPS; step++) {
        factor(f);
        memcpy(f->step, f->gradient, f->q * sizeof *f->step);
        su_cholesky_solve(f->information, f->q, f->kept, f->step);
        double gain = 0, part = 1, next = -INFINITY;
        for (uint32_t j = 0; j < f->q; j++) gain += f->step[j] * f->gradient[j];
        if (gain < 1e-6) return;
        for (int half = 0; half < 40; half++, part /= 2) {
            for (uint32_t j = 0; j < f->q; j++) f->trial[j] = f->theta[j] + part * f->step[j];
            if (!increasing(f->trial, f->cuts)) continue;
            next = sums(f, f->trial, v, code, r, a);
            if (next >= loglik - 1e-9 * fabs(loglik)) break;
        }
        if (!increasing(f->trial, f->cuts)) break;
        memcpy(f->theta, f->trial, f->q * sizeof *f->theta);
        loglik = next;
    }
    (void)sums(f, f->theta, v, code, r, a);
    factor(f);
}

/* The first fit starts from the observed shares. */
static void first_cuts(fit *f, const su_chain_variable *v, const uint16_t *code)
{
    double below = 0, n = (double)v->observed_count;
    double *count = su_alloc_array(f->cuts + 1, sizeof *count);
    for (uint64_t i = 0; i < v->observed_count; i++) count[code[v->observed[i]]]++;
    for (uint32_t c = 0; c < f->cuts; c++) {
        below += count[c];
        f->theta[c] = log(below / (n - below));
    }
    free(count);
}

static fit fit_new(uint32_t cuts, uint32_t columns)
{
    fit f = { .cuts = cuts, .k = columns - 1, .q = cuts + columns - 1 };
    f.theta = su_alloc_array(f.q, sizeof *f.theta);
    f.trial = su_alloc_array(f.q, sizeof *f.trial);
    f.gradient = su_alloc_array(f.q, sizeof *f.gradient);
    f.information = su_alloc_array((size_t)f.q * f.q, sizeof *f.information);
    f.step = su_alloc_array(f.q, sizeof *f.step);
    f.x = su_alloc_array(columns, sizeof *f.x);
    f.density = su_alloc_array(cuts + 2, sizeof *f.density);
    f.p = su_alloc_array(cuts + 1, sizeof *f.p);
    f.kept = su_alloc_array(f.q, sizeof *f.kept);
    return f;
}

static void fit_free(fit *f)
{
    free(f->theta);
    free(f->trial);
    free(f->gradient);
    free(f->information);
    free(f->step);
    free(f->x);
    free(f->density);
    free(f->p);
    free(f->kept);
}

void su_chain_ordered(su_chain *c, uint32_t target)
{
    const su_chain_variable *v = &c->data->variables[target];
    su_chain_row r = su_chain_row_of(c, target);
    su_augment a = su_augment_of(&r, v);
    fit f = fit_new(v->categories - 1, r.columns);
    uint16_t *code = c->code[target];
    memcpy(f.theta, c->start[target], f.q * sizeof *f.theta);
    if (!increasing(f.theta, f.cuts) || f.cuts == 1) first_cuts(&f, v, code);
    maximise(&f, v, code, &r, &a);
    memcpy(c->start[target], f.theta, f.q * sizeof *f.theta);
    for (int k = 0; k < MOST_REDRAWS; k++) {
        su_chain_draw(&c->random, f.information, f.q, f.kept, f.theta, f.trial);
        if (increasing(f.trial, f.cuts)) break;
        memcpy(f.trial, f.theta, f.q * sizeof *f.trial); /* the estimate itself if no draw keeps the order */
    }
    for (uint64_t i = 0; i < v->missing_count; i++) {
        su_chain_fill(&r, v->missing[i], f.x);
        at_row(&f, f.trial, f.x, v->delta);
        double left = su_philox_unit(&c->random);
        uint16_t drawn = 0;
        while (drawn < f.cuts && left > f.p[drawn]) left -= f.p[drawn++];
        code[v->missing[i]] = drawn;
    }
    fit_free(&f);
    su_augment_free(&a);
    su_chain_row_free(&r);
}
