/* Small areas of a file: rows with an estimate are fitted, rows without are extrapolated. */
#include <math.h>
#include <stdlib.h>

#include <suha/area.h>

#include "flow/margin_words.h"
#include "numeric/special.h"

enum { MOST_COLUMNS = 60 };

typedef struct areas {
    const su_frame *f;
    const su_area_options *o;
    const su_variable *name; /* factor */
    su_arena arena;
    size_t columns, sampled, smoothed;
    const char **names;
    double *x;       /* rows by columns */
    double *y, *psi; /* rows; y NaN = no sample */
    uint64_t *row;   /* of the sampled areas */
    double *fit_y, *fit_psi, *fit_x;
} areas;

static su_status columns_of(su_context *ctx, areas *a)
{
    a->names = su_arena_array(&a->arena, MOST_COLUMNS, sizeof *a->names);
    a->names[a->columns++] = "(Intercept)";
    for (size_t k = 0; k < a->o->predictor_count; k++) {
        const su_variable *v = a->o->predictors[k];
        uint32_t width = v->kind == SU_VARIABLE_NUMBER ? 1 : v->level_count ? v->level_count - 1 : 0;
        if (a->columns + width > MOST_COLUMNS) return su_fail(ctx, SU_REFUSED, "at most %d predictor columns", MOST_COLUMNS);
        for (uint32_t w = 0; w < width; w++)
            a->names[a->columns++] =
                width == 1 && v->kind == SU_VARIABLE_NUMBER ? v->name : su_arena_printf(&a->arena, "%s=%s", v->name, v->levels[w + 1]);
    }
    return SU_OK;
}

static su_status read_x(su_context *ctx, areas *a, uint64_t row)
{
    double *x = a->x + row * a->columns;
    size_t at = 0;
    x[at++] = 1;
    for (size_t k = 0; k < a->o->predictor_count; k++) {
        const su_variable *v = a->o->predictors[k];
        bool number = v->kind == SU_VARIABLE_NUMBER;
        uint32_t level = number ? 0 : su_frame_level(v, row);
        if (number ? isnan(su_frame_number(v, row)) : level == 0)
            return su_fail(ctx, SU_INPUT, "data row %llu: predictor '%s' is empty; every area needs it", (unsigned long long)row + 1,
                           v->name);
        if (number) x[at++] = su_frame_number(v, row);
        for (uint32_t w = 1; !number && w < v->level_count; w++) x[at++] = level == w + 1;
    }
    return SU_OK;
}

/* One unit's variance, pooled over areas by their size: psi_i = pooled / n_i (a generalised variance function). */
static su_status smooth(su_context *ctx, areas *a)
{
    double total = 0, units = 0;
    const su_variable *size = a->o->size;
    bool needed = a->o->smooth;
    for (uint64_t row = 0; row < a->f->rows; row++) {
        if (isnan(a->y[row])) continue;
        needed |= !(a->psi[row] > 0);
        double n = size ? su_frame_number(size, row) : NAN;
        if (!(n > 0) || !(a->psi[row] > 0)) continue;
        total += n * a->psi[row] * n;
        units += n;
    }
    if (!needed) return SU_OK;
    for (uint64_t row = 0; row < a->f->rows; row++) {
        if (isnan(a->y[row]) || (a->psi[row] > 0 && !a->o->smooth)) continue;
        double n = size ? su_frame_number(size, row) : NAN;
        if (!size)
            return su_fail(
                ctx, SU_REFUSED,
                "data row %llu: the sampling variance is %g; an area with no cases has no variance of its own. Give the sample sizes "
                "(--size) to smooth it",
                (unsigned long long)row + 1, a->psi[row]);
        if (!(n > 0) || !(units > 0))
            return su_fail(ctx, SU_INPUT, "data row %llu: the sample size is %g; it must be above zero", (unsigned long long)row + 1, n);
        a->psi[row] = total / units / n;
        a->smoothed++;
    }
    return SU_OK;
}

static su_status read_rows(su_context *ctx, areas *a)
{
    const su_area_options *o = a->o;
    su_status st = SU_OK;
    for (uint64_t row = 0; !st && row < a->f->rows; row++) {
        a->y[row] = su_frame_number(o->estimate, row);
        double v = isnan(a->y[row]) ? NAN : su_frame_number(o->variance, row);
        if (v < 0)
            return su_fail(ctx, SU_INPUT, "data row %llu: '%s' is %g; it cannot be negative", (unsigned long long)row + 1,
                           o->variance->name, v);
        a->psi[row] = o->variance_is_error ? v * v : v;
        st = read_x(ctx, a, row);
    }
    if (!st) st = smooth(ctx, a);
    for (uint64_t row = 0; !st && row < a->f->rows; row++) {
        if (isnan(a->y[row])) continue;
        a->row[a->sampled] = row;
        a->fit_y[a->sampled] = a->y[row];
        a->fit_psi[a->sampled] = a->psi[row];
        for (size_t k = 0; k < a->columns; k++) a->fit_x[a->sampled * a->columns + k] = a->x[row * a->columns + k];
        a->sampled++;
    }
    return st;
}

static void coefficient_table(const areas *a, const su_area_fit *f, su_result *out)
{
    su_result_table *t = su_result_table_add(out, "coefficients", "Model of the areas");
    su_result_column(t, "term", "term", SU_COLUMN_TEXT);
    su_result_column(t, "estimate", "estimate", SU_COLUMN_NUMBER);
    su_result_column(t, "se", "SE", SU_COLUMN_NUMBER);
    su_result_column(t, "p", "p", SU_COLUMN_P);
    for (size_t k = 0; k < a->columns; k++) {
        double se = sqrt(f->covariance[k * a->columns + k]);
        su_result_text(t, a->names[k]);
        su_result_number(t, f->beta[k]);
        su_result_number(t, se);
        su_result_number(t, 2 * su_normal_upper(fabs(f->beta[k] / se)));
    }
}

typedef struct shown {
    double estimate, low, high;
} shown;

/* Of an area without a sample the error is mostly A, which is estimated with variance 2 / sum (A + psi)^-2 (of the maximum of the
 * likelihood): t with twice the squared error over that as degrees of freedom (Satterthwaite 1946, doi:10.2307/3002019). */
static double degrees_of_freedom(const areas *a, const su_area_fit *f, double mse)
{
    double sum = 0;
    for (uint64_t row = 0; row < a->f->rows; row++)
        if (!isnan(a->y[row])) sum += 1 / ((f->a + a->psi[row]) * (f->a + a->psi[row]));
    return fmax(mse * mse * sum, 1);
}

static void area_row(const areas *a, const su_area_fit *f, const su_area_fit *safe, uint64_t row, size_t at, su_result_table *t, shown *s)
{
    bool sampled = !isnan(a->y[row]);
    double mse, estimate, other;
    if (sampled) {
        estimate = f->estimate[at];
        mse = f->mse[at];
        other = safe ? safe->mse[at] : NAN;
    } else {
        estimate = su_area_predict(f, a->x + row * a->columns, &mse);
        other = mse;
        if (safe) (void)su_area_predict(safe, a->x + row * a->columns, &other);
    }
    double used = safe ? fmax(mse, other) : mse, p = 0.5 + a->o->level / 2;
    double reach = (sampled || safe ? su_normal_quantile(p) : su_t_quantile(p, degrees_of_freedom(a, f, mse))) * sqrt(used);
    uint32_t level = su_frame_level(a->name, row);
    *s = (shown) { estimate, estimate - reach, estimate + reach };
    su_result_text(t, level ? a->name->levels[level - 1] : "");
    su_result_text(t, sampled ? "sample" : "extrapolated");
    double cells[8] = {
        a->y[row], sampled ? sqrt(a->psi[row]) : NAN, sampled ? f->gamma[at] : 0, estimate, mse, sqrt(used), s->low, s->high
    };
    for (int k = 0; k < 8; k++) su_result_number(t, cells[k]);
}

static void area_table(const areas *a, const su_area_fit *f, const su_area_fit *safe, su_result *out)
{
    su_result_table *t = su_result_table_add(out, "areas", "Areas, in the order of the file (not a ranking)");
    static const char *const heads[][2] = { { "direct", "direct" },     { "direct_se", "its SE" }, { "gamma", "weight of sample" },
                                            { "estimate", "estimate" }, { "mse", "MSE" },          { "se", "root MSE" },
                                            { "low", "from" },          { "high", "to" } };
    su_result_column(t, "area", "area", SU_COLUMN_TEXT);
    su_result_column(t, "kind", "", SU_COLUMN_TEXT);
    for (size_t k = 0; k < sizeof heads / sizeof *heads; k++) su_result_column(t, heads[k][0], heads[k][1], SU_COLUMN_NUMBER);
    shown *all = su_alloc_array(a->f->rows, sizeof *all);
    size_t at = 0, pairs = 0, overlapping = 0;
    for (uint64_t row = 0; row < a->f->rows; row++) {
        area_row(a, f, safe, row, at, t, &all[row]);
        at += !isnan(a->y[row]);
    }
    for (uint64_t i = 0; i < a->f->rows; i++)
        for (uint64_t j = 0; j < i; j++) {
            pairs++;
            overlapping += all[i].low <= all[j].high && all[j].low <= all[i].high;
        }
    free(all);
    su_result_plot(out, SU_PLOT_INTERVALS, "Areas", t, "area", NULL, "estimate", "low", "high");
    if (pairs && overlapping)
        su_result_warn(out, "W_NO_RANKING",
                       "%.0f %% of the pairs of areas have intervals that overlap: do not rank areas by these estimates",
                       100.0 * (double)overlapping / (double)pairs);
    if (at < a->f->rows)
        su_result_warn(
            out, "W_EXTRAPOLATED",
            "%zu areas have no sample: their values are the model's, risk factors turned into prevalence; say so wherever they are shown",
            (size_t)a->f->rows - at);
}

static void say(const areas *a, const su_area_fit *f, const su_area_fit *safe, su_result *out)
{
#define SU_AREA_NAME(id, name, about) about,
    static const char *const methods[] = { SU_AREA_LIST(SU_AREA_NAME) };
#undef SU_AREA_NAME
    su_result_fact(out, "n", "Areas with a sample", (double)a->sampled);
    su_result_fact(out, "extrapolated", "Areas without", (double)(a->f->rows - a->sampled));
    su_result_fact_text(out, "method", "Method", methods[a->o->method]);
    su_result_fact(out, "a", "Variance between areas (A)", f->a);
    su_result_fact(out, "a_low", "  from (profile)", f->a_low);
    su_result_fact(out, "a_high", "  to", f->a_high);
    su_result_fact(out, "heterogeneity", "Q", f->heterogeneity);
    su_result_fact(out, "heterogeneity_p", "  p", su_chi2_upper(f->heterogeneity, (double)(a->sampled - a->columns)));
    su_result_fact(out, "log_likelihood", "Log likelihood", f->log_likelihood);
    if (safe) {
        su_result_fact(out, "a_adjusted", "A by adjusted likelihood", safe->a);
        su_result_warn(
            out, "W_BOUNDARY",
            "the variance between areas is estimated as zero: estimates are the model's alone. Intervals use the larger error of the "
            "adjusted likelihood (A = %.4g)",
            safe->a);
    }
    double psi = 0;
    for (uint64_t row = 0; row < a->f->rows; row++)
        if (!isnan(a->y[row])) psi += a->psi[row] / (double)a->sampled;
    if (!safe && f->a < psi)
        su_result_warn(out, "W_AREAS_ALIKE",
                       "areas differ less than their samples vary (A = %.4g, sampling variance %.4g on average): intervals can be wider than "
                       "needed (94 to 100 %% of simulated ones held the truth), most of all those of areas without a sample",
                       f->a, psi);
    if (a->o->method == SU_AREA_DL) su_result_warn(out, "W_NO_MSE", "no mean squared error is known for this method; use reml");
    if (a->smoothed)
        su_result_warn(out, "W_SMOOTHED", "%zu sampling variances were replaced by the pooled unit variance over the sample size",
                       a->smoothed);
    su_result_method(
        out,
        "Estimates of %zu areas were combined with a regression on %zu predictors (Fay and Herriot 1979); the variance between areas is by "
        "%s; mean squared errors after Prasad and Rao (1990).",
        a->sampled, a->columns - 1, methods[a->o->method]);
}

su_status su_small_areas(su_context *ctx, su_frame *f, const su_area_options *o, su_result *out)
{
    areas a = { .f = f, .o = o };
    su_area_fit *fit = NULL, *safe = NULL;
    su_status st = su_need_number(ctx, o->estimate);
    if (!st) st = su_need_number(ctx, o->variance);
    if (!st) st = su_need_number(ctx, o->size);
    if (st) return st;
    su_arena_init(&a.arena);
    st = su_frame_as_factor(ctx, f, o->area, &a.name);
    if (!st) st = columns_of(ctx, &a);
    if (!st) {
        a.x = su_arena_array(&a.arena, f->rows * a.columns, sizeof *a.x);
        a.fit_x = su_arena_array(&a.arena, f->rows * a.columns, sizeof *a.fit_x);
        a.y = su_arena_array(&a.arena, f->rows, sizeof *a.y);
        a.psi = su_arena_array(&a.arena, f->rows, sizeof *a.psi);
        a.fit_y = su_arena_array(&a.arena, f->rows, sizeof *a.fit_y);
        a.fit_psi = su_arena_array(&a.arena, f->rows, sizeof *a.fit_psi);
        a.row = su_arena_array(&a.arena, f->rows, sizeof *a.row);
        st = read_rows(ctx, &a);
    }
    su_area_data d = { a.fit_y, a.fit_psi, a.fit_x, a.sampled, a.columns };
    if (!st) st = su_area_fit_new(ctx, &d, o->method, &fit);
    if (!st && fit->boundary) st = su_area_fit_new(ctx, &d, SU_AREA_ADJUSTED, &safe);
    if (!st) {
        say(&a, fit, safe, out);
        coefficient_table(&a, fit, out);
        area_table(&a, fit, safe, out);
    }
    su_area_fit_free(fit);
    su_area_fit_free(safe);
    su_arena_free(&a.arena);
    return st;
}
