/* Tests of whole terms: Wald, and likelihood ratios. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "logit/session.h"
#include "numeric/matrix.h"
#include "numeric/special.h"

/* What is tested as one: a term, or all columns of a spline. */
typedef struct block {
    const char *name;
    uint64_t mask;    /* 0 = the intercept */
    bool inside;      /* another block contains it */
    uint32_t *column; /* kept ones */
    uint32_t n;
} block;

/* A spline's own products (ns(x,3)1:ns(x,3)2) have its mask and are not part of it. */
static bool same_block(const su_session *s, const su_predictors_term *a, const su_predictors_term *b)
{
    return __builtin_popcountll(a->mask) == __builtin_popcountll(b->mask) &&
           su_formula_block(s->formula, a->mask) == su_formula_block(s->formula, b->mask);
}

static block *blocks_of(su_session *s, uint32_t *count)
{
    const su_predictors *x = s->x;
    block *blocks = su_arena_array(&s->arena, x->term_count + 1, sizeof *blocks);
    *count = 0;
    for (uint32_t i = 0; i < x->term_count; i++) {
        const su_predictors_term *term = &x->terms[i];
        bool seen = false, several = false;
        block b = { .name = term->name, .mask = su_formula_block(s->formula, term->mask) };
        b.column = su_arena_array(&s->arena, x->columns, sizeof *b.column);
        for (uint32_t k = 0; k < x->term_count; k++) {
            bool own = same_block(s, term, &x->terms[k]);
            uint64_t other = su_formula_block(s->formula, x->terms[k].mask);
            seen |= own && k < i;
            several |= own && k > i;
            b.inside |= !own && (other & b.mask) == b.mask;
            for (uint32_t c = 0; own && c < x->terms[k].columns; c++)
                if (s->fit->kept[x->terms[k].first + c]) b.column[b.n++] = x->terms[k].first + c;
        }
        if (several) b.name = su_formula_block_name(&s->arena, s->formula, b.mask);
        if (!seen) blocks[(*count)++] = b;
    }
    return blocks;
}

/* b' V^-1 b over the columns of a block. */
static bool wald(const su_session *s, const block *t, double *chi2)
{
    uint32_t n = t->n;
    double *v = su_alloc_array((size_t)n * n + 1, sizeof *v), *b = su_alloc_array(n + 1, sizeof *b);
    for (uint32_t i = 0; i < n; i++) {
        b[i] = su_session_beta(s, t->column[i]);
        for (uint32_t k = 0; k < n; k++) v[(size_t)i * n + k] = su_session_variance(s, t->column[i], t->column[k]);
    }
    bool good = n > 0 && su_cholesky(v, n, 1e-12, NULL) == n;
    if (good) {
        su_cholesky_solve(v, n, NULL, b);
        *chi2 = 0;
        for (uint32_t i = 0; i < n; i++) *chi2 += b[i] * su_session_beta(s, t->column[i]);
    }
    free(v);
    free(b);
    return good;
}

/* What the likelihood ratio of these columns is a weighted sum of chi squares of, when rows are weighted or depend on each other: the
 * eigenvalues of V0^-1 V, V0 the inverse information (Rao and Scott 1984; Lumley and Scott 2014). */
static void misspecification(const su_session *s, const uint32_t *column, uint32_t n, double *values)
{
    uint32_t p = s->x->columns;
    double *l = su_alloc_array((size_t)n * n, sizeof *l), *v = su_alloc_array((size_t)n * n, sizeof *v),
           *half = su_alloc_array((size_t)n * n, sizeof *half);
    for (uint32_t i = 0; i < n; i++)
        for (uint32_t k = 0; k < n; k++) {
            l[(size_t)i * n + k] = s->fit->bread[(size_t)column[i] * p + column[k]];
            v[(size_t)i * n + k] = su_session_variance(s, column[i], column[k]);
        }
    su_cholesky(l, n, 1e-15, NULL);
    for (int side = 0; side < 2; side++) { /* L^-1 V, and L^-1 of its transpose */
        for (uint32_t i = 0; i < n; i++)
            for (uint32_t k = 0; k < n; k++) {
                double sum = side ? half[(size_t)k * n + i] : v[(size_t)i * n + k];
                double *out = side ? v : half;
                for (uint32_t x = 0; x < i; x++) sum -= l[(size_t)i * n + x] * out[(size_t)x * n + k];
                out[(size_t)i * n + k] = sum / l[(size_t)i * n + i];
            }
    }
    su_eigen_symmetric(v, n, values, half);
    free(l);
    free(v);
    free(half);
}

static bool plain_likelihood(const su_session *s) { return !s->o->design && !s->weight && s->covariance.kind == SU_VARIANCE_MODEL; }

static void ratio_row(su_session *s, su_result_table *t, const block *b, double chi2)
{
    uint32_t n = b->n;
    double *values = su_alloc_array(n, sizeof *values), df2 = su_session_df(s), mean = 0;
    su_result_text(t, b->name);
    su_result_number(t, chi2);
    su_result_integer(t, n);
    if (plain_likelihood(s)) {
        su_result_number(t, su_chi2_upper(chi2, n));
    } else {
        misspecification(s, b->column, n, values);
        for (uint32_t i = 0; i < n; i++) mean += values[i] / n;
        bool one = n == 1; /* exact: t squared, scaled */
        su_result_number(t, !(df2 > 0) ? NAN
                            : one      ? isinf(df2) ? su_chi2_upper(chi2 / mean, 1) : su_f_upper(chi2 / mean, 1, df2)
                                       : su_weighted_chi2_upper(values, n, chi2, df2));
        su_result_number(t, isinf(df2) ? NAN : df2);
        su_result_number(t, mean);
    }
    free(values);
}

/* Each block that no other contains, left out in turn (marginality). */
static void likelihood_ratios(su_session *s, const block *blocks, uint32_t count)
{
    uint32_t p = s->x->columns;
    su_result_table *t =
        su_result_table_add(s->result, "likelihood_ratios",
                            plain_likelihood(s) ? "Whole terms (likelihood ratio)" : "Whole terms (Rao-Scott likelihood ratio)");
    su_result_column(t, "term", "", SU_COLUMN_TEXT);
    su_result_column(t, "statistic", "chi square", SU_COLUMN_NUMBER);
    su_result_column(t, "df", "df", SU_COLUMN_INTEGER);
    su_result_column(t, "p", "p", SU_COLUMN_P);
    if (!plain_likelihood(s)) {
        su_result_column(t, "df2", "df below", SU_COLUMN_NUMBER);
        su_result_column(t, "design_effect", "mean design effect", SU_COLUMN_NUMBER);
    }
    bool *active = su_alloc_array(p, sizeof *active);
    double *beta = su_alloc_array(p, sizeof *beta);
    su_moments m = su_moments_new(p);
    for (uint32_t i = 0; i < count && !su_cancelled(s->ctx); i++) {
        const block *b = &blocks[i];
        unsigned iterations;
        if (b->mask == 0 || b->inside || b->n == 0) continue;
        memcpy(active, s->fit->kept, p * sizeof *active);
        memcpy(beta, s->fit->beta, p * sizeof *beta);
        for (uint32_t c = 0; c < b->n; c++) {
            active[b->column[c]] = false;
            beta[b->column[c]] = 0;
        }
        su_fit_maximise(s->ctx, &s->units, active, beta, &m, &iterations);
        ratio_row(s, t, b, fmax(0, 2 * (s->fit->loglik - m.loglik) / s->fit->dispersion));
    }
    su_moments_free(&m);
    free(active);
    free(beta);
}

void su_report_tests(su_session *s)
{
    bool normal = isinf(su_session_df(s));
    su_result_table *t = su_result_table_add(s->result, "tests", "Whole terms (Wald)");
    su_result_column(t, "term", "", SU_COLUMN_TEXT);
    su_result_column(t, "statistic", normal ? "chi square" : "F", SU_COLUMN_NUMBER);
    su_result_column(t, "df1", "df", SU_COLUMN_INTEGER);
    su_result_column(t, "df2", "df below", SU_COLUMN_NUMBER);
    su_result_column(t, "p", "p", SU_COLUMN_P);
    uint32_t count;
    const block *blocks = blocks_of(s, &count);
    for (uint32_t i = 0; i < count; i++) {
        const block *b = &blocks[i];
        double chi2, df2 = INFINITY;
        if (b->mask == 0 || !wald(s, b, &chi2)) continue;
        for (uint32_t c = 0; c < b->n; c++) df2 = fmin(df2, s->covariance.df[b->column[c]]);
        su_result_text(t, b->name);
        su_result_number(t, normal ? chi2 : chi2 / b->n);
        su_result_integer(t, b->n);
        su_result_number(t, isinf(df2) ? NAN : df2);
        su_result_number(t, normal ? su_chi2_upper(chi2, b->n) : df2 > 0 ? su_f_upper(chi2 / b->n, b->n, df2) : NAN);
    }
    if ((s->o->profile || s->o->likelihood_ratios) && !s->o->firth && !s->separation.separated) likelihood_ratios(s, blocks, count);
}
