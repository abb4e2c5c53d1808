#include "mse/covariate.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "mse/existence.h"
#include "mse/incomplete.h"
#include "numeric/matrix.h"

enum { NEWTON_MAX = 60 };
static const double SETTLED = 1e-18, PIVOT = 1e-12;

/* A column: 1 where the history has the lists and the stratum the levels. */
typedef struct column {
    unsigned lists;
    int trait[2];
    unsigned level[2];
} column;

typedef struct design {
    const su_overlaps *o;
    const double *counts; /* strata x cells */
    size_t rows, columns, all_columns;
    column *column;
    uint32_t *stratum;
    uint16_t *cell;
    double *count;
    uint16_t *ones; /* row by columns: indices of its ones */
    uint16_t *one_count;
    double *mu, *beta, *information;
} design;

static unsigned level_of(const su_overlaps *o, size_t stratum, int trait)
{
    for (int c = (int)o->covariates - 1; c > trait; c--) stratum /= o->covariate_levels[c];
    return (unsigned)(stratum % o->covariate_levels[trait]);
}

static unsigned reference_level(const su_overlaps *o, const double *counts, int trait)
{
    unsigned best = 0;
    double most = -1;
    for (unsigned v = 0; v < o->covariate_levels[trait]; v++) {
        double people = 0;
        for (size_t s = 0; s < o->strata; s++)
            for (size_t w = 1; w < o->cells && level_of(o, s, trait) == v; w++) people += counts[s * o->cells + w];
        if (people > most) most = people, best = v;
    }
    return best;
}

static bool is_one(const su_overlaps *o, const column *c, size_t stratum, size_t cell)
{
    if ((cell & c->lists) != c->lists) return false;
    for (int k = 0; k < 2; k++)
        if (c->trait[k] >= 0 && level_of(o, stratum, c->trait[k]) != c->level[k]) return false;
    return true;
}

static void add_columns(design *d, const su_trait_term *t, const unsigned *reference)
{
    unsigned first = t->first >= 0 ? d->o->covariate_levels[t->first] : 1, second = t->second >= 0 ? d->o->covariate_levels[t->second] : 1;
    for (unsigned i = 0; i < first; i++) {
        for (unsigned j = 0; j < second; j++) {
            if (t->first >= 0 && i == reference[t->first]) continue;
            if (t->second >= 0 && j == reference[t->second]) continue;
            if (d->all_columns < SU_TRAIT_COLUMNS_MAX) d->column[d->columns++] = (column) { t->lists, { t->first, t->second }, { i, j } };
            d->all_columns++;
        }
    }
}

static double people_in(const su_overlaps *o, const double *counts, const column *c)
{
    double sum = 0;
    for (size_t s = 0; s < o->strata; s++)
        for (size_t w = 1; w < o->cells; w++)
            if (counts[s * o->cells + w] > 0 && is_one(o, c, s, w)) sum += counts[s * o->cells + w];
    return sum;
}

static void add_rows(design *d, const column *empty, size_t empty_count)
{
    const su_overlaps *o = d->o;
    size_t most = o->strata * (o->cells - 1);
    d->stratum = su_alloc_array(most, sizeof *d->stratum);
    d->cell = su_alloc_array(most, sizeof *d->cell);
    d->count = su_alloc_array(most, sizeof *d->count);
    d->mu = su_alloc_array(most, sizeof *d->mu);
    d->one_count = su_alloc_array(most, sizeof *d->one_count);
    d->ones = su_alloc_array(most * (d->columns ? d->columns : 1), sizeof *d->ones);
    for (size_t s = 0; s < o->strata; s++) {
        for (size_t w = 1; w < o->cells; w++) {
            bool gone = false;
            for (size_t e = 0; e < empty_count && !gone; e++) gone = is_one(o, &empty[e], s, w);
            if (gone) continue;
            uint16_t *ones = d->ones + d->rows * d->columns;
            for (size_t j = 0; j < d->columns; j++)
                if (is_one(o, &d->column[j], s, w)) ones[d->one_count[d->rows]++] = (uint16_t)j;
            d->stratum[d->rows] = (uint32_t)s;
            d->cell[d->rows] = (uint16_t)w;
            d->count[d->rows++] = d->counts[s * o->cells + w];
        }
    }
}

static void design_init(design *d, const su_overlaps *o, const double *counts, const su_trait_model *m)
{
    unsigned reference[64] = { 0 };
    size_t kept = 0, empty_count = 0;
    *d = (design) { .o = o, .counts = counts, .column = su_alloc_array(SU_TRAIT_COLUMNS_MAX, sizeof *d->column) };
    column *empty = su_alloc_array(SU_TRAIT_COLUMNS_MAX, sizeof *empty);
    for (unsigned c = 0; c < o->covariates && c < 64; c++) reference[c] = reference_level(o, counts, (int)c);
    for (unsigned t = 0; t < m->count; t++) add_columns(d, &m->term[t], reference);
    for (size_t j = 0; j < d->columns; j++) {
        if (people_in(o, counts, &d->column[j]) > 0)
            d->column[kept++] = d->column[j];
        else
            empty[empty_count++] = d->column[j];
    }
    d->columns = kept;
    add_rows(d, empty, empty_count);
    d->beta = su_alloc_array(kept + 1, sizeof *d->beta);
    d->information = su_alloc_array(kept * kept + 1, sizeof *d->information);
    free(empty);
}

static void design_free(design *d)
{
    free(d->column), free(d->stratum), free(d->cell), free(d->count), free(d->ones), free(d->one_count), free(d->mu), free(d->beta),
        free(d->information);
}

static su_existence existence(const design *d)
{
    unsigned char *x = su_alloc_array(d->rows * d->columns + 1, 1);
    bool *positive = su_alloc_array(d->rows + 1, sizeof *positive);
    for (size_t i = 0; i < d->rows; i++) {
        for (unsigned k = 0; k < d->one_count[i]; k++) x[i * d->columns + d->ones[i * d->columns + k]] = 1;
        positive[i] = d->count[i] > 0;
    }
    su_existence code = su_existence_01(x, d->rows, d->columns, positive);
    free(x);
    free(positive);
    return code;
}

/* ---- Newton's method on the ones ---- */

static double evaluate(design *d)
{
    double sum = 0;
    for (size_t i = 0; i < d->rows; i++) {
        double eta = 0;
        for (unsigned k = 0; k < d->one_count[i]; k++) eta += d->beta[d->ones[i * d->columns + k]];
        d->mu[i] = exp(eta);
        sum += d->count[i] * eta - d->mu[i];
    }
    return sum;
}

/* Information with weights and score with residuals; factored. */
static bool normal_equations(design *d, const double *weight, const double *residual, double *score)
{
    size_t p = d->columns;
    memset(d->information, 0, p * p * sizeof *d->information);
    memset(score, 0, p * sizeof *score);
    for (size_t i = 0; i < d->rows; i++) {
        const uint16_t *ones = d->ones + i * p;
        for (unsigned a = 0; a < d->one_count[i]; a++) {
            score[ones[a]] += residual[i];
            for (unsigned b = 0; b <= a; b++) d->information[ones[a] * p + ones[b]] += weight[i];
        }
    }
    return su_cholesky(d->information, p, PIVOT, NULL) == p;
}

static bool newton(design *d, double *likelihood)
{
    size_t p = d->columns;
    double *work = su_alloc_array(2 * d->rows + 1, sizeof *work), *weight = work + d->rows;
    double *step = su_alloc_array(3 * p + 1, sizeof *step), *score = step + p, *old = score + p, decrement = INFINITY;
    for (size_t i = 0; i < d->rows; i++) {
        weight[i] = d->count[i] + 0.1;
        work[i] = weight[i] * log(weight[i]) - 0.1;
    }
    bool good = normal_equations(d, weight, work, d->beta);
    if (good) su_cholesky_solve(d->information, p, NULL, d->beta);
    if (good) *likelihood = evaluate(d);
    good = good && isfinite(*likelihood);
    for (int round = 0; round < NEWTON_MAX && good && decrement > SETTLED; round++) {
        double last = decrement, before = *likelihood, length = 1;
        for (size_t i = 0; i < d->rows; i++) work[i] = d->count[i] - d->mu[i];
        if (!(good = normal_equations(d, d->mu, work, score))) break;
        memcpy(step, score, p * sizeof *step);
        su_cholesky_solve(d->information, p, NULL, step);
        decrement = 0;
        for (size_t j = 0; j < p; j++) decrement += step[j] * score[j];
        if (decrement < 1e-11 && decrement > last / 4) break; /* rounding is all that is left */
        memcpy(old, d->beta, p * sizeof *old);
        for (int halvings = 0;; halvings++, length /= 2) {
            for (size_t j = 0; j < p; j++) d->beta[j] = old[j] + length * step[j];
            *likelihood = evaluate(d);
            if (*likelihood >= before - 1e-12 * (1 + fabs(before))) break;
            if (halvings == 40) {
                good = decrement < 1e-9;
                break;
            }
        }
    }
    for (size_t i = 0; i < d->rows && good; i++) work[i] = 0;
    good = good && decrement < 1e-6 && normal_equations(d, d->mu, work, score);
    free(work);
    free(step);
    return good;
}

/* ---- fits ---- */

/* The unseen of each stratum and their covariance: V = E (X0 I^-1 X0') E, E = diag(unseen). */
static void unseen_of(const design *d, su_trait_fit *f)
{
    size_t p = d->columns, strata = d->o->strata;
    double *x = su_alloc_array(strata * p + 1, sizeof *x), *half = su_alloc_array(p + 1, sizeof *half);
    f->strata = strata;
    f->unseen = su_alloc_array(strata, sizeof *f->unseen);
    f->covariance = su_alloc_array(strata * strata, sizeof *f->covariance);
    for (size_t s = 0; s < strata; s++) {
        double eta = 0;
        for (size_t j = 0; j < p; j++) {
            x[s * p + j] = is_one(d->o, &d->column[j], s, 0);
            eta += x[s * p + j] * d->beta[j];
        }
        f->unseen[s] = exp(eta);
    }
    for (size_t s = 0; s < strata; s++) {
        memcpy(half, x + s * p, p * sizeof *half);
        su_cholesky_solve(d->information, p, NULL, half);
        for (size_t r = 0; r <= s; r++) {
            double sum = 0;
            for (size_t j = 0; j < p; j++) sum += half[j] * x[r * p + j];
            f->covariance[s * strata + r] = f->covariance[r * strata + s] = sum * f->unseen[s] * f->unseen[r];
        }
    }
    free(x);
    free(half);
}

su_trait_fit su_trait_fit_model(const su_overlaps *o, const su_trait_model *m, bool full)
{
    double *counts = su_alloc_array(o->strata * o->cells, sizeof *counts);
    for (size_t i = 0; i < o->strata * o->cells; i++) counts[i] = (double)o->stratum_counts[i];
    su_trait_fit f = su_trait_fit_counts(o, counts, m, full, NULL);
    free(counts);
    return f;
}

su_trait_fit su_trait_fit_counts(const su_overlaps *o, const double *counts, const su_trait_model *m, bool full, double *fitted)
{
    su_trait_fit f = { .code = SU_NOT_CONVERGED };
    design d;
    design_init(&d, o, counts, m);
    f.parameters = (unsigned)d.all_columns;
    if (d.all_columns <= SU_TRAIT_COLUMNS_MAX && d.columns) {
        f.code = existence(&d);
        if (!f.code && !newton(&d, &f.log_likelihood)) f.code = SU_NOT_CONVERGED;
    }
    if (!f.code) {
        double saturated = 0;
        for (size_t i = 0; i < d.rows; i++) saturated += d.count[i] > 0 ? d.count[i] * log(d.count[i]) - d.count[i] : 0;
        f.deviance = 2 * (saturated - f.log_likelihood);
        f.bic = f.parameters * log((double)o->n) - 2 * f.log_likelihood;
        f.aic = 2.0 * f.parameters - 2 * f.log_likelihood;
        if (full) unseen_of(&d, &f);
        if (fitted) {
            memset(fitted, 0, o->strata * o->cells * sizeof *fitted);
            for (size_t i = 0; i < d.rows; i++) fitted[d.stratum[i] * o->cells + d.cell[i]] = d.mu[i];
        }
    }
    design_free(&d);
    return f;
}

void su_trait_fit_free(su_trait_fit *f)
{
    free(f->unseen);
    free(f->covariance);
    free(f->completed);
    *f = (su_trait_fit) { .code = SU_NO_ESTIMATE };
}

su_trait_model su_trait_model_base(const su_overlaps *o)
{
    su_trait_model m = { .count = 1, .term = { { 0, -1, -1 } } };
    for (unsigned i = 0; i < o->lists; i++) m.term[m.count++] = (su_trait_term) { 1u << i, -1, -1 };
    for (unsigned c = 0; c < o->covariates; c++) m.term[m.count++] = (su_trait_term) { 0, (int)c, -1 };
    return m;
}

/* ---- search ---- */

static su_trait_fit fit_of(su_context *ctx, const su_overlaps *o, const su_trait_model *m)
{
    return o->partials ? su_incomplete_fit(ctx, o, m, false, 0) : su_trait_fit_model(o, m, false);
}

typedef struct search {
    su_context *ctx;
    const su_overlaps *o;
    su_trait_model here;
    su_trait_term *candidate;
    double *score;
    bool aic;
} search;

static void try_candidate(void *arg, size_t i, unsigned worker)
{
    search *s = arg;
    su_trait_model with = s->here;
    (void)worker;
    s->score[i] = INFINITY;
    if (!su_incomplete_knows(s->o, &s->candidate[i])) return;
    for (unsigned t = 0; t < s->here.count; t++)
        if (memcmp(&s->here.term[t], &s->candidate[i], sizeof s->candidate[i]) == 0) return;
    with.term[with.count++] = s->candidate[i];
    su_trait_fit f = fit_of(s->ctx, s->o, &with);
    if (!f.code) s->score[i] = s->aic ? f.aic : f.bic;
}

static size_t candidates(const su_overlaps *o, su_trait_term *out)
{
    size_t count = 0;
    for (unsigned i = 0; i < o->lists; i++)
        for (unsigned j = i + 1; j < o->lists; j++) out[count++] = (su_trait_term) { 1u << i | 1u << j, -1, -1 };
    for (unsigned i = 0; i < o->lists; i++)
        for (unsigned c = 0; c < o->covariates; c++) out[count++] = (su_trait_term) { 1u << i, (int)c, -1 };
    for (unsigned c = 0; c < o->covariates; c++)
        for (unsigned d = c + 1; d < o->covariates; d++) out[count++] = (su_trait_term) { 0, (int)c, (int)d };
    return count;
}

su_trait_model su_trait_search(su_context *ctx, const su_overlaps *o, bool aic)
{
    size_t most = (size_t)o->lists * o->lists + (size_t)o->lists * o->covariates + (size_t)o->covariates * o->covariates;
    search s = { .ctx = ctx, .o = o, .here = su_trait_model_base(o), .aic = aic };
    s.candidate = su_alloc_array(most + 1, sizeof *s.candidate);
    s.score = su_alloc_array(most + 1, sizeof *s.score);
    size_t count = candidates(o, s.candidate);
    su_trait_fit f = fit_of(ctx, o, &s.here);
    double lowest = f.code ? INFINITY : aic ? f.aic : f.bic;
    while (s.here.count < SU_TRAIT_TERMS_MAX && !su_cancelled(ctx)) {
        size_t best = count;
        su_parallel(ctx, count, try_candidate, &s);
        for (size_t i = 0; i < count; i++)
            if (s.score[i] < lowest - 1e-9) lowest = s.score[i], best = i;
        if (best == count) break;
        s.here.term[s.here.count++] = s.candidate[best];
    }
    free(s.candidate);
    free(s.score);
    return s.here;
}

void su_trait_term_print(const su_overlaps *o, const su_trait_term *t, char *text, size_t size)
{
    const int trait[2] = { t->first, t->second };
    size_t at = 0;
    su_term_names(o, t->lists, text, size);
    at = strlen(text);
    for (int k = 0; k < 2 && at < size; k++) {
        if (trait[k] < 0) continue;
        int n = snprintf(text + at, size - at, "%s%s", at ? ":" : "", o->covariate_names[trait[k]]);
        at += n > 0 ? (size_t)n : 0;
    }
}
