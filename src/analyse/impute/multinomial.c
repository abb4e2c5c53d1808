/* Bayesian logistic regression of two or more categories. */
#include "impute/chain.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "numeric/matrix.h"

enum { MOST_STEPS = 60 };

typedef struct fit {
    uint32_t k, classes, q; /* columns, categories - 1, parameters */
    size_t packed;          /* k (k + 1) / 2 */
    double *beta, *trial, *gradient, *step;
    double *blocks; /* classes (classes + 1) / 2 packed sums of w xx' */
    double *l, *x, *outer, *p;
    bool *kept;
} fit;

static fit fit_new(uint32_t k, uint32_t categories)
{
    fit f = { .k = k, .classes = categories - 1, .q = k * (categories - 1), .packed = (size_t)k * (k + 1) / 2 };
    size_t pairs = (size_t)f.classes * (f.classes + 1) / 2;
    f.beta = su_alloc_array(f.q, sizeof *f.beta);
    f.trial = su_alloc_array(f.q, sizeof *f.trial);
    f.gradient = su_alloc_array(f.q, sizeof *f.gradient);
    f.step = su_alloc_array(f.q, sizeof *f.step);
    f.blocks = su_alloc_array(pairs * f.packed, sizeof *f.blocks);
    f.l = su_alloc_array((size_t)f.q * f.q, sizeof *f.l);
    f.x = su_alloc_array(k, sizeof *f.x);
    f.outer = su_alloc_array(f.packed, sizeof *f.outer);
    f.p = su_alloc_array(f.classes + 1, sizeof *f.p);
    f.kept = su_alloc_array(f.q, sizeof *f.kept);
    return f;
}

static void fit_free(fit *f)
{
    free(f->beta);
    free(f->trial);
    free(f->gradient);
    free(f->step);
    free(f->blocks);
    free(f->l);
    free(f->x);
    free(f->outer);
    free(f->p);
    free(f->kept);
}

/* p[c] of category c + 1, p[classes] of the first; returns the log of their sum's scale. */
static double probabilities(const fit *f, const double *beta, const double *x, double delta, double *p)
{
    double top = 0;
    for (uint32_t c = 0; c < f->classes; c++) {
        double eta = 0;
        for (uint32_t j = 0; j < f->k; j++) eta += beta[c * f->k + j] * x[j];
        p[c] = eta + (c == 0 ? delta : 0);
        top = fmax(top, p[c]);
    }
    double sum = exp(-top);
    p[f->classes] = sum;
    for (uint32_t c = 0; c < f->classes; c++) sum += p[c] = exp(p[c] - top);
    for (uint32_t c = 0; c <= f->classes; c++) p[c] /= sum;
    return top + log(sum);
}

static double add_row(fit *f, const double *beta, const double *x, uint32_t category, double weight)
{
    uint32_t k = f->k;
    size_t at = 0;
    (void)probabilities(f, beta, x, 0, f->p);
    for (uint32_t i = 0; i < k; i++)
        for (uint32_t j = 0; j <= i; j++) f->outer[at++] = x[i] * x[j];
    double *block = f->blocks;
    for (uint32_t a = 0; a < f->classes; a++) {
        double miss = weight * ((category == a + 1) - f->p[a]);
        for (uint32_t j = 0; j < k; j++) f->gradient[a * k + j] += miss * x[j];
        for (uint32_t b = 0; b <= a; b++, block += f->packed) {
            double w = weight * f->p[a] * ((a == b) - f->p[b]);
            for (size_t t = 0; t < f->packed; t++) block[t] += w * f->outer[t];
        }
    }
    return weight * log(fmax(f->p[category ? category - 1 : f->classes], 1e-300));
}

/* Log likelihood of the observed and augmented rows, with its derivatives. */
static double sums(fit *f, const double *beta, const su_chain_variable *v, const uint16_t *code, const su_chain_row *r, const su_augment *a)
{
    size_t pairs = (size_t)f->classes * (f->classes + 1) / 2;
    memset(f->gradient, 0, f->q * sizeof *f->gradient);
    memset(f->blocks, 0, pairs * f->packed * sizeof *f->blocks);
    double loglik = 0;
    for (uint64_t i = 0; i < v->observed_count; i++) {
        su_chain_fill(r, v->observed[i], f->x);
        loglik += add_row(f, beta, f->x, code[v->observed[i]], 1);
    }
    for (uint32_t i = 0; i < a->count; i++)
        for (uint32_t c = 0; c <= f->classes; c++) loglik += add_row(f, beta, a->x + (size_t)i * f->k, c, a->weight);
    return loglik;
}

static void factor(fit *f)
{
    const double *block = f->blocks;
    for (uint32_t a = 0; a < f->classes; a++)
        for (uint32_t b = 0; b <= a; b++) {
            size_t t = 0;
            for (uint32_t i = 0; i < f->k; i++)
                for (uint32_t j = 0; j <= i; j++, t++) {
                    size_t ai = a * f->k + i, aj = a * f->k + j, bi = b * f->k + i, bj = b * f->k + j;
                    f->l[ai * f->q + bj] = f->l[bj * f->q + ai] = block[t];
                    f->l[aj * f->q + bi] = f->l[bi * f->q + aj] = block[t];
                }
            block += f->packed;
        }
    (void)su_cholesky(f->l, f->q, 1e-9, f->kept);
}

static void maximise(fit *f, const su_chain_variable *v, const uint16_t *code, const su_chain_row *r, const su_augment *a)
{
    double loglik = sums(f, f->beta, v, code, r, a);
    for (int step = 0; step < MOST_STEPS; step++) {
        factor(f);
        memcpy(f->step, f->gradient, f->q * sizeof *f->step);
        su_cholesky_solve(f->l, f->q, f->kept, f->step);
        double gain = 0, part = 1, next = -INFINITY;
        for (uint32_t j = 0; j < f->q; j++) gain += f->step[j] * f->gradient[j];
        /* the likelihood can rise by half of this: far below the spread of the draw that follows */
        if (gain < 1e-6) return;
        for (int half = 0; half < 30; half++, part /= 2) {
            for (uint32_t j = 0; j < f->q; j++) f->trial[j] = f->beta[j] + part * f->step[j];
            next = sums(f, f->trial, v, code, r, a);
            if (next >= loglik - 1e-9 * fabs(loglik)) break;
        }
        memcpy(f->beta, f->trial, f->q * sizeof *f->beta);
        loglik = next;
    }
    factor(f);
}

void su_chain_multinomial(su_chain *c, uint32_t target)
{
    const su_chain_variable *v = &c->data->variables[target];
    su_chain_row r = su_chain_row_of(c, target);
    su_augment a = su_augment_of(&r, v);
    fit f = fit_new(r.columns, v->categories);
    uint16_t *code = c->code[target];
    memcpy(f.beta, c->start[target], f.q * sizeof *f.beta);
    maximise(&f, v, code, &r, &a);
    memcpy(c->start[target], f.beta, f.q * sizeof *f.beta);
    su_chain_draw(&c->random, f.l, f.q, f.kept, f.beta, f.trial);
    for (uint64_t i = 0; i < v->missing_count; i++) {
        su_chain_fill(&r, v->missing[i], f.x);
        (void)probabilities(&f, f.trial, f.x, v->delta, f.p);
        double left = su_philox_unit(&c->random) - f.p[f.classes];
        uint16_t drawn = 0;
        while (left > 0 && drawn < f.classes) left -= f.p[drawn++];
        code[v->missing[i]] = drawn;
    }
    fit_free(&f);
    su_augment_free(&a);
    su_chain_row_free(&r);
}
