#include "mse/lattice.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "mse/existence.h"
#include "numeric/matrix.h"
#include "numeric/special.h"

enum { NEWTON_MAX = 60, CACHE_SLOTS = 4096 };
static const double SETTLED_FAST = 1e-11, SETTLED_FULL = 1e-24, PIVOT = 1e-13;

/* Direct-mapped: what the slow existence test said of (cells with people, model). Only for at most six lists, where both fit 64 bits. */
typedef struct su_existence_cache {
    uint64_t pattern[CACHE_SLOTS], model[CACHE_SLOTS];
    unsigned char code[CACHE_SLOTS];
} su_existence_cache;

void su_superset_sums(double *x, unsigned lists)
{
    size_t cells = (size_t)1 << lists;
    for (size_t bit = 1; bit < cells; bit <<= 1)
        for (size_t base = 0; base < cells; base += 2 * bit)
            for (size_t w = base; w < base + bit; w++) x[w] += x[w + bit];
}

static void subset_sums(double *x, unsigned lists)
{
    size_t cells = (size_t)1 << lists;
    for (size_t bit = 1; bit < cells; bit <<= 1)
        for (size_t base = 0; base < cells; base += 2 * bit)
            for (size_t w = base; w < base + bit; w++) x[w + bit] += x[w];
}

void su_mse_lattice_init(su_mse_lattice *l, unsigned lists)
{
    size_t cells = (size_t)1 << lists;
    *l = (su_mse_lattice) { .lists = lists, .cells = cells };
    double **arrays[] = { &l->count, &l->overlap, &l->start_weight, &l->start_score, &l->eta, &l->mu, &l->sum, &l->work, &l->work2 };
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++) *arrays[i] = su_alloc_array(cells, sizeof(double));
    l->information = su_alloc_array(SU_TERMS_MAX * SU_TERMS_MAX, sizeof(double));
    l->euler = su_alloc_array(cells, sizeof *l->euler);
    l->active = su_alloc_array(cells, 1);
    l->positive = su_alloc_array(cells, sizeof *l->positive);
    if (lists <= 6) l->cache = su_alloc(sizeof *l->cache);
}

void su_mse_lattice_free(su_mse_lattice *l)
{
    free(l->count), free(l->overlap), free(l->start_weight), free(l->start_score), free(l->eta), free(l->mu), free(l->sum);
    free(l->work), free(l->work2), free(l->information), free(l->euler), free(l->active), free(l->positive), free(l->cache);
    *l = (su_mse_lattice) { 0 };
}

void su_mse_lattice_set(su_mse_lattice *l, const double *count, bool whole)
{
    l->whole = whole;
    l->n = 0;
    l->pattern = 0;
    l->positive_count = 0;
    l->started = false;
    l->saturated = NAN;
    memcpy(l->count, count, l->cells * sizeof *count);
    if (!whole) l->count[0] = 0;
    for (size_t w = 0; w < l->cells; w++) {
        l->n += l->count[w];
        if (w < 64 && l->count[w] > 0) l->pattern |= 1ull << w;
    }
    for (unsigned size = 0; size <= l->lists; size++)
        for (size_t w = 0; w < l->cells; w++)
            if (l->count[w] > 0 && (unsigned)__builtin_popcountll(w) == size) l->positive[l->positive_count++] = (uint16_t)w;
    memcpy(l->overlap, l->count, l->cells * sizeof *count);
    su_superset_sums(l->overlap, l->lists);
}

void su_mse_lattice_set_integers(su_mse_lattice *l, const int64_t *count)
{
    for (size_t w = 0; w < l->cells; w++) l->work2[w] = (double)count[w];
    su_mse_lattice_set(l, l->work2, false);
}

/* ---- which terms and cells stay ---- */

/* Empty overlaps of the model's terms leave; returns whether any did. */
static bool drop_empty(su_mse_lattice *l, const su_model *m)
{
    bool dropped = false;
    l->kept_count = 0;
    memset(l->active, 1, l->cells);
    l->active[0] = l->whole;
    for (unsigned i = 0; i < m->count; i++) {
        unsigned term = m->term[i];
        if (l->overlap[term] > 0 || l->prior_variance > 0) {
            l->kept[l->kept_count++] = i;
            continue;
        }
        dropped = true;
        for (size_t w = term; w < l->cells; w = (w + 1) | term) l->active[w] = 0;
    }
    return dropped;
}

/* When every kept term is itself a cell with people, the rows of those cells leave one null vector open: (-1)^size. It is ruled out by any
 * further cell with people where its sum over the model's terms in the cell is not 0. */
static bool euler_settles(su_mse_lattice *l, const su_model *m)
{
    if (l->whole) return false;
    memset(l->euler, 0, l->cells * sizeof *l->euler);
    for (unsigned i = 0; i < l->kept_count; i++) {
        unsigned term = m->term[l->kept[i]];
        if (term && !(l->count[term] > 0)) return false;
        l->euler[term] = __builtin_popcount(term) & 1 ? -1 : 1;
    }
    for (size_t bit = 1; bit < l->cells; bit <<= 1)
        for (size_t base = 0; base < l->cells; base += 2 * bit)
            for (size_t w = base; w < base + bit; w++) l->euler[w + bit] += l->euler[w];
    for (unsigned i = 0; i < l->positive_count; i++)
        if (l->euler[l->positive[i]] != 0) return true;
    return false;
}

static su_existence existence_slow(su_mse_lattice *l, const su_model *m)
{
    size_t rows = 0, columns = l->kept_count;
    unsigned char *x = su_alloc_array(l->cells * columns, 1);
    bool *positive = su_alloc_array(l->cells, sizeof *positive);
    for (size_t w = 0; w < l->cells; w++) {
        if (!l->active[w]) continue;
        for (size_t j = 0; j < columns; j++) x[rows * columns + j] = (w & m->term[l->kept[j]]) == m->term[l->kept[j]];
        positive[rows++] = l->count[w] > 0;
    }
    su_existence code = su_existence_01(x, rows, columns, positive);
    free(x);
    free(positive);
    return code;
}

su_existence su_mse_lattice_existence(su_mse_lattice *l, const su_model *m)
{
    drop_empty(l, m);
    if (l->kept_count == 0) return SU_NO_ESTIMATE;
    if (euler_settles(l, m)) return SU_EXISTS;
    if (!l->cache || l->whole) return existence_slow(l, m);
    uint64_t model = su_model_set(m), key[2] = { l->pattern, model };
    size_t slot = su_hash64(key, sizeof key) % CACHE_SLOTS;
    su_existence_cache *c = l->cache;
    if (c->model[slot] != model || c->pattern[slot] != l->pattern) { /* an unused slot has model 0, which no model is */
        c->code[slot] = (unsigned char)existence_slow(l, m);
        c->pattern[slot] = l->pattern;
        c->model[slot] = model;
    }
    return (su_existence)c->code[slot];
}

/* ---- Newton's method ---- */

/* What the prior takes from the curvature of a term: 0 for the intercept, single lists, and without a prior. */
static double precision_of(const su_mse_lattice *l, unsigned term)
{
    return l->prior_variance > 0 && (term & (term - 1)) ? 1 / l->prior_variance : 0;
}

static double log_likelihood(su_mse_lattice *l, const su_model *m)
{
    double sum = 0;
    for (unsigned i = 0; i < l->kept_count; i++) {
        unsigned term = m->term[l->kept[i]];
        double beta = l->beta[l->kept[i]];
        sum += beta * l->overlap[term] - precision_of(l, term) * beta * beta / 2;
    }
    return sum - l->sum[0];
}

/* Fitted values and their superset sums at beta; the log likelihood. */
static double evaluate(su_mse_lattice *l, const su_model *m)
{
    memset(l->eta, 0, l->cells * sizeof *l->eta);
    for (unsigned i = 0; i < l->kept_count; i++) l->eta[m->term[l->kept[i]]] = l->beta[l->kept[i]];
    subset_sums(l->eta, l->lists);
    for (size_t w = 0; w < l->cells; w++) l->mu[w] = l->active[w] ? exp(l->eta[w]) : 0;
    memcpy(l->sum, l->mu, l->cells * sizeof *l->mu);
    su_superset_sums(l->sum, l->lists);
    return log_likelihood(l, m);
}

static bool factor(su_mse_lattice *l, const su_model *m, const double *sum)
{
    size_t p = l->kept_count;
    for (size_t i = 0; i < p; i++) {
        unsigned a = m->term[l->kept[i]];
        for (size_t j = 0; j <= i; j++) l->information[i * p + j] = sum[a | m->term[l->kept[j]]];
        l->information[i * p + i] += precision_of(l, a);
    }
    return su_cholesky(l->information, p, PIVOT, NULL) == p;
}

/* One step of weighted least squares from fitted values count + 0.1. */
static bool first_step(su_mse_lattice *l, const su_model *m, bool dropped)
{
    double *weight = dropped ? l->work : l->start_weight, *score = dropped ? l->work2 : l->start_score;
    double step[SU_TERMS_MAX];
    if (dropped || !l->started) {
        static const double LOG_TENTH = -2.302585092994045684;
        for (size_t w = 0; w < l->cells; w++) {
            double n = l->count[w];
            bool in = dropped ? l->active[w] : w > 0 || l->whole;
            weight[w] = in ? n + 0.1 : 0;
            score[w] = in ? (n > 0 ? (n + 0.1) * log(n + 0.1) : 0.1 * LOG_TENTH) - 0.1 : 0;
        }
        su_superset_sums(weight, l->lists);
        su_superset_sums(score, l->lists);
        l->started = l->started || !dropped;
    }
    if (!factor(l, m, weight)) return false;
    for (unsigned i = 0; i < l->kept_count; i++) step[i] = score[m->term[l->kept[i]]];
    su_cholesky_solve(l->information, l->kept_count, NULL, step);
    for (unsigned i = 0; i < l->kept_count; i++) l->beta[l->kept[i]] = step[i];
    return true;
}

/* Where nothing better is known: the lists are independent with the rates that a Poisson fit of the mean would give. */
static void plain_start(su_mse_lattice *l)
{
    for (unsigned i = 0; i < l->kept_count; i++) l->beta[l->kept[i]] = 0;
    l->beta[l->kept[0]] = log(l->n / (double)l->cells);
}

static bool begin(su_mse_lattice *l, const su_model *m, bool dropped, const double *start, double *likelihood)
{
    for (unsigned i = 0; i < m->count; i++) l->beta[i] = -INFINITY;
    bool good = true;
    if (start)
        for (unsigned i = 0; i < l->kept_count; i++) l->beta[l->kept[i]] = isfinite(start[l->kept[i]]) ? start[l->kept[i]] : 0;
    else
        good = first_step(l, m, dropped);
    *likelihood = good ? evaluate(l, m) : NAN;
    if (isfinite(*likelihood)) return true;
    plain_start(l);
    *likelihood = evaluate(l, m);
    return isfinite(*likelihood);
}

/* A full step, halved until the likelihood does not fall. */
static bool advance(su_mse_lattice *l, const su_model *m, const double *step, double *likelihood)
{
    double old[SU_TERMS_MAX], before = *likelihood, slack = 1e-12 * (fabs(before) + 1), length = 1;
    for (unsigned i = 0; i < l->kept_count; i++) old[i] = l->beta[l->kept[i]];
    for (int halvings = 0; halvings < 40; halvings++, length /= 2) {
        for (unsigned i = 0; i < l->kept_count; i++) l->beta[l->kept[i]] = old[i] + length * step[i];
        *likelihood = evaluate(l, m);
        if (*likelihood >= before - slack) return true;
    }
    return false;
}

static bool newton(su_mse_lattice *l, const su_model *m, bool dropped, const double *start, double settled, double *likelihood)
{
    double step[SU_TERMS_MAX], last = INFINITY;
    if (l->kept_count == 0 || m->term[l->kept[0]] != 0 || !begin(l, m, dropped, start, likelihood)) return false;
    for (int round = 0; round < NEWTON_MAX; round++) {
        double decrement = 0;
        if (!factor(l, m, l->sum)) return false;
        for (unsigned i = 0; i < l->kept_count; i++) {
            unsigned term = m->term[l->kept[i]];
            step[i] = l->overlap[term] - l->sum[term] - precision_of(l, term) * l->beta[l->kept[i]];
        }
        double gradient[SU_TERMS_MAX];
        memcpy(gradient, step, l->kept_count * sizeof *step);
        su_cholesky_solve(l->information, l->kept_count, NULL, step);
        for (unsigned i = 0; i < l->kept_count; i++) decrement += gradient[i] * step[i];
        bool done = decrement < settled || (decrement < SETTLED_FAST && decrement > last / 4);
        last = decrement;
        if (!advance(l, m, step, likelihood)) return decrement < 1e-9;
        if (done) return true;
    }
    return last < 1e-9;
}

su_fit su_fit_fast(su_mse_lattice *l, const su_model *m, const double *start)
{
    su_fit f = { .parameters = m->count, .N = NAN, .unseen = NAN, .variance = NAN, .deviance = NAN };
    bool dropped = drop_empty(l, m);
    if (!newton(l, m, dropped, start, SETTLED_FAST, &f.log_likelihood)) {
        f.code = SU_NOT_CONVERGED;
        f.log_likelihood = -INFINITY;
        return f;
    }
    f.unseen = exp(l->beta[0]);
    f.N = l->n + f.unseen;
    return f;
}

su_fit su_fit_posterior(su_mse_lattice *l, const su_model *m)
{
    su_fit f = { .parameters = m->count, .N = NAN, .unseen = NAN, .variance = NAN, .deviance = NAN };
    drop_empty(l, m);
    if (!newton(l, m, false, NULL, SETTLED_FULL, &f.log_likelihood) || !factor(l, m, l->sum)) {
        f.code = SU_NOT_CONVERGED;
        return f;
    }
    f.unseen = exp(l->beta[0]);
    f.N = l->n + f.unseen;
    return f;
}

double su_mse_lattice_log_posterior(su_mse_lattice *l, const su_model *m, const double *beta)
{
    for (unsigned i = 0; i < m->count; i++) l->beta[i] = beta[i];
    return evaluate(l, m);
}

static void saturate(su_mse_lattice *l)
{
    l->saturated = -l->n;
    l->factorials = 0;
    for (unsigned i = 0; i < l->positive_count; i++) {
        double n = l->count[l->positive[i]];
        l->saturated += n * log(n);
        l->factorials += su_lgamma(n + 1);
    }
}

su_fit su_fit_full(su_mse_lattice *l, const su_model *m)
{
    su_fit f = { .code = su_mse_lattice_existence(l, m),
                 .parameters = m->count,
                 .N = NAN,
                 .unseen = NAN,
                 .variance = NAN,
                 .deviance = NAN,
                 .log_likelihood = NAN };
    bool dropped = drop_empty(l, m);
    if (f.code) return f;
    if (!newton(l, m, dropped, NULL, SETTLED_FULL, &f.log_likelihood) || !factor(l, m, l->sum)) {
        f.code = SU_NOT_CONVERGED;
        return f;
    }
    if (isnan(l->saturated)) saturate(l);
    double first[SU_TERMS_MAX] = { 1 };
    su_cholesky_solve(l->information, l->kept_count, NULL, first);
    f.variance = first[0];
    f.unseen = exp(l->beta[0]);
    f.N = l->n + f.unseen;
    f.deviance = 2 * (l->saturated - f.log_likelihood);
    f.log_likelihood -= l->factorials;
    return f;
}

double su_fit_aic(const su_fit *f) { return 2.0 * f->parameters - 2 * f->log_likelihood; }

double su_fit_bic(const su_mse_lattice *l, const su_fit *f) { return f->parameters * log(l->n) - 2 * f->log_likelihood; }
