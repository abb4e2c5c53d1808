/* The same model in every completion, pooled. */
#include <suha/impute.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "impute/pool_table.h"
#include "logit/variance.h"
#include "numeric/special.h"

/* The fits of all completions, side by side. */
typedef struct fits {
    size_t m, columns, room;
    const char **names;
    const char **terms;  /* per column */
    double *estimates;   /* m by columns */
    double *covariances; /* m by columns by columns */
    bool *kept;          /* in every completion */
    double df;           /* smallest */
    uint64_t rows;
    char label[160];
    su_arena arena;
} fits;

/* ---- one completion as a frame ---- */

static su_frame *part_of(const su_frame *f, const su_variable *imputation, double which)
{
    uint64_t n = 0;
    for (uint64_t row = 0; row < f->rows; row++) n += su_frame_number(imputation, row) == which;
    su_frame *p = su_frame_new(n);
    uint32_t *rows = su_arena_array(&p->arena, n ? n : 1, sizeof *rows);
    n = 0;
    for (uint64_t row = 0; row < f->rows; row++)
        if (su_frame_number(imputation, row) == which) rows[n++] = (uint32_t)row;
    for (uint32_t j = 0; j < f->count; j++) {
        const su_variable *v = &f->variables[j];
        uint32_t *ids = su_arena_array(&p->arena, n ? n : 1, sizeof *ids);
        for (uint64_t i = 0; i < n; i++) ids[i] = v->ids ? v->ids[rows[i]] : rows[i];
        su_variable *copy = v->kind == SU_VARIABLE_NUMBER ? su_frame_add_number(p, v->name, v->number)
                                                          : su_frame_add_factor(p, v->name, v->level, v->levels, v->level_count);
        copy->ids = ids;
        copy->reason = v->reason;
    }
    return p;
}

static const su_variable *same(const su_frame *part, const su_frame *whole, const su_variable *v)
{
    return v ? &part->variables[v - whole->variables] : NULL;
}

/* ---- one fit ---- */

static su_status covariance(su_context *ctx, su_frame *part, const su_frame *whole, const su_pool_options *o, const su_fit *fit,
                            const su_predictors *x, su_covariance *out)
{
    su_family family = o->linear ? SU_FAMILY_LINEAR : SU_FAMILY_LOGIT;
    su_variance_input in = { .fit = fit, .x = x, .family = family };
    su_design *design = NULL;
    su_status st = SU_OK;
    if (o->cluster) {
        st = su_frame_as_factor(ctx, part, same(part, whole, o->cluster), &in.cluster[0]);
        if (!st) st = su_covariance_of(ctx, &in, SU_VARIANCE_DEFAULT, out);
    } else if (o->weight || o->strata || o->psu) {
        su_design_options d = { .weight = same(part, whole, o->weight), .stages = o->psu ? 1 : 0 };
        if (o->strata) st = su_frame_as_factor(ctx, part, same(part, whole, o->strata), &d.strata[0]);
        if (!st && o->psu) st = su_frame_as_factor(ctx, part, same(part, whole, o->psu), &d.psu[0]);
        if (!st) st = su_design_new(ctx, part, &d, &design);
        if (!st) {
            in.weight = su_design_weights(design);
            st = su_covariance_of_design(ctx, &in, design, out);
        }
        su_design_free(design);
    } else {
        for (size_t k = 0; k < (size_t)fit->columns * fit->columns; k++) out->v[k] = fit->dispersion * fit->bread[k];
        for (uint32_t k = 0; k < fit->columns; k++) out->df[k] = (double)x->row_count - fit->rank;
        snprintf(out->label, sizeof out->label, "model");
    }
    return st;
}

static void first_names(fits *all, const su_predictors *x)
{
    all->columns = x->columns;
    all->names = su_arena_array(&all->arena, x->columns, sizeof *all->names);
    all->terms = su_arena_array(&all->arena, x->columns, sizeof *all->terms);
    all->kept = su_arena_array(&all->arena, x->columns, sizeof *all->kept);
    for (uint32_t j = 0; j < x->columns; j++) {
        const char *term = x->terms[x->term_of[j]].name;
        all->names[j] = su_arena_strndup(&all->arena, x->names[j], strlen(x->names[j]));
        all->terms[j] = su_arena_strndup(&all->arena, term ? term : "", term ? strlen(term) : 0);
        all->kept[j] = true;
    }
    all->estimates = su_arena_array(&all->arena, all->room * x->columns, sizeof *all->estimates);
    all->covariances = su_arena_array(&all->arena, all->room * x->columns * x->columns, sizeof *all->covariances);
    all->df = INFINITY;
    all->rows = x->row_count;
}

static su_status add_fit(su_context *ctx, fits *all, const su_predictors *x, const su_fit *fit, const su_covariance *v)
{
    size_t p = x->columns;
    if (!all->m) first_names(all, x);
    bool alike = p == all->columns;
    for (size_t j = 0; alike && j < p; j++) alike = strcmp(x->names[j], all->names[j]) == 0;
    if (!alike)
        return su_fail(ctx, SU_REFUSED,
                       "the model has other columns in another completion (a category occurs only in some); join rare categories");
    memcpy(all->estimates + all->m * p, fit->beta, p * sizeof *fit->beta);
    memcpy(all->covariances + all->m * p * p, v->v, p * p * sizeof *v->v);
    for (size_t j = 0; j < p; j++) {
        all->kept[j] = all->kept[j] && fit->kept[j];
        if (fit->kept[j]) all->df = fmin(all->df, v->df[j]);
    }
    snprintf(all->label, sizeof all->label, "%s", v->label);
    all->m++;
    return SU_OK;
}

static su_status fit_part(su_context *ctx, su_frame *part, const su_frame *whole, const su_pool_options *o, fits *all)
{
    su_arena arena;
    su_formula *formula = NULL;
    su_predictors *x = NULL;
    su_fit *fit = NULL;
    su_units u = { 0 };
    su_covariance v = { 0 };
    double *weight = NULL;
    const char **names = su_alloc_array(part->count, sizeof *names);
    su_arena_init(&arena);
    for (uint32_t j = 0; j < part->count; j++) names[j] = part->variables[j].name;
    su_predictors_options options = { .event = o->event, .any_number = o->linear };
    su_status st = su_formula_parse(ctx, &arena, su_str_of(o->formula), names, part->count, &formula);
    if (!st) st = su_predictors_build(ctx, part, formula, &options, &x);
    if (!st && o->weight) {
        const su_variable *w = same(part, whole, o->weight);
        weight = su_arena_array(&arena, part->rows, sizeof *weight);
        for (uint64_t row = 0; row < part->rows; row++) weight[row] = su_frame_number(w, row);
    }
    if (!st) {
        su_units_init(&u, x, o->linear ? SU_FAMILY_LINEAR : SU_FAMILY_LOGIT, weight);
        st = su_fit_new(ctx, &u, &fit);
    }
    if (!st && !fit->converged)
        st = su_fail(ctx, SU_REFUSED, "the model does not converge: a category may decide the outcome; join or leave out categories");
    if (!st) {
        v = su_covariance_new(x->columns);
        st = covariance(ctx, part, whole, o, fit, x, &v);
    }
    if (!st) st = add_fit(ctx, all, x, fit, &v);
    if (x) su_covariance_free(&v);
    su_fit_free(fit);
    if (x) su_units_free(&u);
    su_predictors_free(x);
    su_arena_free(&arena);
    free(names);
    return st;
}

/* ---- tables ---- */

su_result_table *su_pool_table(su_result *out, bool odds)
{
    su_result_table *t = su_result_table_add(out, "coefficients", "Pooled coefficients");
    su_result_column(t, "term", "term", SU_COLUMN_TEXT);
    su_result_column(t, "estimate", "estimate", SU_COLUMN_NUMBER);
    su_result_column(t, "se", "SE", SU_COLUMN_NUMBER);
    su_result_column(t, "df", "df", SU_COLUMN_NUMBER);
    su_result_column(t, "low", "from", SU_COLUMN_NUMBER);
    su_result_column(t, "high", "to", SU_COLUMN_NUMBER);
    su_result_column(t, "p", "p", SU_COLUMN_P);
    su_result_column(t, "lambda", "lambda", SU_COLUMN_NUMBER);
    su_result_column(t, "fmi", "missing information", SU_COLUMN_PERCENT);
    if (!odds) return t;
    su_result_column(t, "odds_ratio", "odds ratio", SU_COLUMN_NUMBER);
    su_result_column(t, "odds_low", "from", SU_COLUMN_NUMBER);
    su_result_column(t, "odds_high", "to", SU_COLUMN_NUMBER);
    return t;
}

void su_pool_row(su_result_table *t, const char *term, const su_pooled *q, double level, bool odds)
{
    double se = sqrt(q->total), reach = su_t_quantile(0.5 + level / 2, q->df) * se, low = q->estimate - reach, high = q->estimate + reach;
    double row[8] = { q->estimate, se, q->df, low, high, su_t_two_sided(q->estimate / se, q->df), q->lambda, q->fmi };
    su_result_text(t, term);
    for (int k = 0; k < 8; k++) su_result_number(t, row[k]);
    if (!odds) return;
    su_result_number(t, exp(q->estimate));
    su_result_number(t, exp(low));
    su_result_number(t, exp(high));
}

static void coefficients(const fits *all, const su_pool_options *o, su_result *out)
{
    su_result_table *t = su_pool_table(out, !o->linear);
    double *q = su_alloc_array(all->m, sizeof *q), *u = su_alloc_array(all->m, sizeof *u), worst = 0;
    size_t p = all->columns;
    for (size_t j = 0; j < p; j++) {
        if (!all->kept[j]) {
            su_result_warn(out, "W_ALIASED", "'%s' follows from other columns in a completion and was left out", all->names[j]);
            continue;
        }
        for (size_t i = 0; i < all->m; i++) {
            q[i] = all->estimates[i * p + j];
            u[i] = all->covariances[i * p * p + j * p + j];
        }
        su_pooled one = su_pool(q, u, all->m, all->df);
        su_pool_row(t, all->names[j], &one, o->level, !o->linear);
        worst = fmax(worst, one.fmi);
    }
    if (!o->linear) su_result_plot(out, SU_PLOT_FOREST, "Odds ratios", t, "term", NULL, "odds_ratio", "odds_low", "odds_high");
    if ((double)all->m < 100 * worst)
        su_result_warn(out, "W_FEW_IMPUTATIONS",
                       "%zu completions for up to %.0f %% missing information: use about %.0f (White, Royston and Wood 2011)", all->m,
                       100 * worst, ceil(100 * worst));
    free(q);
    free(u);
}

static su_status test_row(su_context *ctx, const fits *all, const char *name, su_result_table *t)
{
    size_t p = all->columns, k = 0, *at = su_alloc_array(p, sizeof *at);
    for (size_t j = 0; j < p; j++)
        if (strcmp(all->terms[j], name) == 0 && all->kept[j]) at[k++] = j;
    su_status st = k ? SU_OK : su_fail(ctx, SU_REFUSED, "--test: the model has no term '%s'", name);
    double *q = su_alloc_array(all->m * (k + 1), sizeof *q), *v = su_alloc_array(all->m * (k * k + 1), sizeof *v);
    for (size_t i = 0; i < all->m; i++)
        for (size_t a = 0; a < k; a++) {
            q[i * k + a] = all->estimates[i * p + at[a]];
            for (size_t b = 0; b < k; b++) v[(i * k + a) * k + b] = all->covariances[(i * p + at[a]) * p + at[b]];
        }
    su_pooled_test test;
    if (!st) st = su_pool_test(ctx, q, v, all->m, k, all->df, &test);
    if (!st) {
        su_result_text(t, name);
        double row[5] = { test.f, test.df1, test.df2, test.p, test.riv };
        for (int c = 0; c < 5; c++) su_result_number(t, row[c]);
    }
    free(at);
    free(q);
    free(v);
    return st;
}

static su_status tests(su_context *ctx, const fits *all, const su_pool_options *o, su_result *out)
{
    su_status st = SU_OK;
    if (!o->test_count) return SU_OK;
    su_result_table *t = su_result_table_add(out, "tests", "Terms as a whole (D1)");
    su_result_column(t, "term", "term", SU_COLUMN_TEXT);
    su_result_column(t, "f", "F", SU_COLUMN_NUMBER);
    su_result_column(t, "df1", "df", SU_COLUMN_NUMBER);
    su_result_column(t, "df2", "denominator df", SU_COLUMN_NUMBER);
    su_result_column(t, "p", "p", SU_COLUMN_P);
    su_result_column(t, "riv", "relative increase in variance", SU_COLUMN_NUMBER);
    for (size_t k = 0; !st && k < o->test_count; k++) st = test_row(ctx, all, o->tests[k], t);
    return st;
}

/* The numbers of the completions, ascending; 0 is the incomplete original. */
static su_status completions(su_context *ctx, const su_frame *f, const su_variable *v, double **out, size_t *count)
{
    size_t capacity = 0;
    if (v->kind != SU_VARIABLE_NUMBER) return su_fail(ctx, SU_INPUT, "'%s' must hold the number of the completion (1, 2, 3 ...)", v->name);
    for (uint64_t row = 0; row < f->rows; row++) {
        double x = su_frame_number(v, row);
        size_t at = *count;
        if (isnan(x)) return su_fail(ctx, SU_INPUT, "data row %llu: '%s' is empty", (unsigned long long)row + 1, v->name);
        if (x == 0 || (*count && (*out)[*count - 1] == x)) continue;
        while (at > 0 && (*out)[at - 1] >= x) at--;
        if (at < *count && (*out)[at] == x) continue;
        if (*count == 1000) return su_fail(ctx, SU_REFUSED, "'%s' has more than 1,000 values; is it the completion's number?", v->name);
        *out = su_grow(*out, &capacity, *count + 1, sizeof **out);
        memmove(*out + at + 1, *out + at, (*count - at) * sizeof **out);
        (*out)[at] = x;
        (*count)++;
    }
    return *count >= 2 ? SU_OK : su_fail(ctx, SU_REFUSED, "'%s' names %zu completion; pooling needs two or more", v->name, *count);
}

su_status su_pool_formula(su_context *ctx, su_frame *f, const su_pool_options *o, su_result *out)
{
    double *which = NULL;
    size_t count = 0;
    fits all = { 0 };
    su_arena_init(&all.arena);
    su_status st = completions(ctx, f, o->imputation, &which, &count);
    all.room = count;
    for (size_t k = 0; !st && k < count; k++) {
        su_frame *part = part_of(f, o->imputation, which[k]);
        st = fit_part(ctx, part, f, o, &all);
        if (st && st != SU_USAGE) (void)su_fail_prefix(ctx, "completion %g: ", which[k]);
        su_frame_free(part);
    }
    if (!st) {
        su_result_fact(out, "n", "Rows in each completion", (double)all.rows);
        su_result_fact(out, "imputations", "Completions", (double)all.m);
        su_result_fact(out, "complete_df", "Degrees of freedom of complete data", all.df);
        su_result_fact_text(out, "method", "Method", "Rubin's rules, Barnard-Rubin df");
        su_result_fact_text(out, "variance", "Variance in each completion", all.label);
        coefficients(&all, o, out);
        st = tests(ctx, &all, o, out);
        su_result_method(out,
                         "The model %s was fitted in each of %zu completions and pooled by Rubin's rules with the degrees of freedom of "
                         "Barnard and Rubin (1999).",
                         o->formula, all.m);
    }
    free(which);
    su_arena_free(&all.arena);
    return st;
}
