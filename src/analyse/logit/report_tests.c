/* Tests of whole terms: Wald, and likelihood ratios. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "logit/session.h"
#include "numeric/matrix.h"
#include "numeric/special.h"

/* b' V^-1 b over the kept columns of a term. */
static bool wald(const su_session *s, const su_predictors_term *t, double *chi2, uint32_t *df1)
{
    uint32_t n = 0, *column = su_alloc_array(t->columns, sizeof *column);
    for (uint32_t c = 0; c < t->columns; c++)
        if (s->fit->kept[t->first + c]) column[n++] = t->first + c;
    double *v = su_alloc_array((size_t)n * n + 1, sizeof *v), *b = su_alloc_array(n + 1, sizeof *b);
    for (uint32_t i = 0; i < n; i++) {
        b[i] = su_session_beta(s, column[i]);
        for (uint32_t k = 0; k < n; k++) v[(size_t)i * n + k] = su_session_variance(s, column[i], column[k]);
    }
    bool good = n > 0 && su_cholesky(v, n, 1e-12, NULL) == n;
    *df1 = n;
    if (good) {
        su_cholesky_solve(v, n, NULL, b);
        *chi2 = 0;
        for (uint32_t i = 0; i < n; i++) *chi2 += b[i] * su_session_beta(s, column[i]);
    }
    free(column);
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

static void ratio_row(su_session *s, su_result_table *t, const su_predictors_term *term, const uint32_t *column, uint32_t n, double chi2)
{
    double *values = su_alloc_array(n, sizeof *values), df2 = su_session_df(s), mean = 0;
    su_result_text(t, term->name);
    su_result_number(t, chi2);
    su_result_integer(t, n);
    if (plain_likelihood(s)) {
        su_result_number(t, su_chi2_upper(chi2, n));
    } else {
        misspecification(s, column, n, values);
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

/* Each term that no other contains, left out in turn (marginality). */
static void likelihood_ratios(su_session *s)
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
    uint32_t *column = su_alloc_array(p, sizeof *column);
    su_moments m = su_moments_new(p);
    for (uint32_t i = 0; i < s->x->term_count && !su_cancelled(s->ctx); i++) {
        const su_predictors_term *term = &s->x->terms[i];
        bool inside = term->mask == 0;
        for (uint32_t k = 0; k < s->x->term_count; k++) inside |= k != i && (s->x->terms[k].mask & term->mask) == term->mask;
        uint32_t df = 0;
        unsigned iterations;
        memcpy(active, s->fit->kept, p * sizeof *active);
        memcpy(beta, s->fit->beta, p * sizeof *beta);
        for (uint32_t c = term->first; c < term->first + term->columns; c++) {
            if (active[c]) column[df++] = c;
            active[c] = false;
            beta[c] = 0;
        }
        if (inside || df == 0) continue;
        su_fit_maximise(s->ctx, &s->units, active, beta, &m, &iterations);
        ratio_row(s, t, term, column, df, fmax(0, 2 * (s->fit->loglik - m.loglik) / s->fit->dispersion));
    }
    su_moments_free(&m);
    free(active);
    free(beta);
    free(column);
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
    for (uint32_t i = 0; i < s->x->term_count; i++) {
        const su_predictors_term *term = &s->x->terms[i];
        double chi2, df2 = INFINITY;
        uint32_t df1;
        if (term->mask == 0 || !wald(s, term, &chi2, &df1)) continue;
        for (uint32_t c = 0; c < term->columns; c++)
            if (s->fit->kept[term->first + c]) df2 = fmin(df2, s->covariance.df[term->first + c]);
        su_result_text(t, term->name);
        su_result_number(t, normal ? chi2 : chi2 / df1);
        su_result_integer(t, df1);
        su_result_number(t, isinf(df2) ? NAN : df2);
        su_result_number(t, normal ? su_chi2_upper(chi2, df1) : df2 > 0 ? su_f_upper(chi2 / df1, df1, df2) : NAN);
    }
    if ((s->o->profile || s->o->likelihood_ratios) && !s->o->firth && !s->separation.separated) likelihood_ratios(s);
}
