/* A recipe carried out: values, delta method, simulation, what drives the total. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "flow/recipe.h"
#include "numeric/philox.h"
#include "numeric/special.h"

typedef struct run {
    const su_recipe *r;
    const su_estimate_options *o;
    uint32_t draws;
    double *point;      /* by row */
    double *error;      /* by row, delta method */
    double *part;       /* result by input: share of the delta variance, with the input's correlations split evenly */
    double **drawn;     /* by result, draws */
    uint64_t *negative; /* by row */
} run;

static double correlation(const su_recipe *r, uint32_t i, uint32_t j)
{
    if (i == j) return 1;
    if (!r->factor) return 0;
    double sum = 0;
    for (uint32_t k = 0; k <= (i < j ? i : j); k++) sum += r->factor[i * r->count + k] * r->factor[j * r->count + k];
    return sum;
}

static void delta_method(run *w)
{
    uint32_t n = w->r->count;
    double *gradient = su_alloc_array((size_t)n * n, sizeof *gradient), *slope = su_alloc_array(n, sizeof *slope); /* input, row */
    for (uint32_t j = 0; j < n; j++) {
        if (w->r->rows[j].formula) continue;
        memset(slope, 0, n * sizeof *slope);
        slope[j] = 1;
        su_recipe_values(w->r, w->point, slope);
        memcpy(gradient + (size_t)j * n, slope, n * sizeof *slope);
    }
    for (uint32_t k = 0; k < n; k++) {
        double variance = 0;
        for (uint32_t i = 0; i < n; i++) {
            double share = 0;
            if (w->r->rows[i].formula) continue;
            for (uint32_t j = 0; j < n; j++)
                if (!w->r->rows[j].formula)
                    share += gradient[(size_t)i * n + k] * w->r->rows[i].se * gradient[(size_t)j * n + k] * w->r->rows[j].se *
                             correlation(w->r, i, j);
            w->part[(size_t)k * n + i] = share;
            variance += share;
        }
        w->error[k] = sqrt(fmax(variance, 0));
        for (uint32_t i = 0; i < n && variance > 0; i++) w->part[(size_t)k * n + i] /= variance;
    }
    free(gradient);
    free(slope);
}

static void simulate(run *w)
{
    uint32_t n = w->r->count;
    double *z = su_alloc_array(n, sizeof *z), *value = su_alloc_array(n, sizeof *value);
    for (uint32_t draw = 0; draw < w->draws; draw++) {
        su_philox random = su_philox_of(w->o->seed, draw);
        for (uint32_t k = 0; k < n; k++) z[k] = su_philox_normal(&random);
        for (uint32_t k = 0; k < n; k++) {
            double own = z[k];
            if (w->r->factor) {
                own = 0;
                for (uint32_t j = 0; j <= k; j++) own += w->r->factor[k * n + j] * z[j];
            }
            value[k] = w->r->rows[k].formula ? 0 : su_recipe_draw(&w->r->rows[k], own);
            w->negative[k] += value[k] < 0;
        }
        su_recipe_values(w->r, value, NULL);
        for (uint32_t k = 0; k < w->r->results; k++) w->drawn[k][draw] = value[w->r->order[k]];
    }
    free(z);
    free(value);
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Type 7 of sorted values. */
static double quantile(const double *x, uint32_t n, double p)
{
    double at = p * (n - 1);
    uint32_t low = (uint32_t)at;
    return low + 1 < n ? x[low] + (at - low) * (x[low + 1] - x[low]) : x[n - 1];
}

static bool used_by_another(const su_recipe *r, uint32_t k)
{
    for (uint32_t i = 0; i < r->count; i++)
        for (uint32_t s = 0; r->rows[i].formula && s < r->rows[i].formula->count; s++)
            if (r->rows[i].formula->steps[s].kind == SU_STEP_NAME && r->rows[i].formula->steps[s].name == k) return true;
    return false;
}

static const char *shown(const su_recipe_row *x) { return x->label[0] ? x->label : x->id; }

static su_status results_table(su_context *ctx, run *w, su_result *out)
{
    su_result_table *t = su_result_table_add(out, "results", "Results");
    static const char *const heads[][2] = { { "value", "value" },   { "se", "SE (delta)" }, { "cv", "CV" },
                                            { "median", "median" }, { "low", "from" },      { "high", "to" } };
    su_result_column(t, "id", "id", SU_COLUMN_TEXT);
    su_result_column(t, "label", "", SU_COLUMN_TEXT);
    for (size_t k = 0; k < 6; k++) su_result_column(t, heads[k][0], heads[k][1], k == 2 ? SU_COLUMN_PERCENT : SU_COLUMN_NUMBER);
    su_result_column(t, "note", "", SU_COLUMN_TEXT);
    bool case_files = false;
    for (uint32_t k = 0; k < w->r->results; k++) {
        uint32_t at = w->r->order[k];
        const su_recipe_row *x = &w->r->rows[at];
        double tail = (1 - w->o->level) / 2;
        for (uint32_t d = 0; d < w->draws; d++)
            if (!isfinite(w->drawn[k][d]) || !isfinite(w->point[at]))
                return su_fail(
                    ctx, SU_REFUSED,
                    "'%s' is not a number in some draws: an input that it divides by, or takes the logarithm of, reaches zero. Give that "
                    "input the distribution lognormal",
                    x->id);
        qsort(w->drawn[k], w->draws, sizeof **w->drawn, by_size);
        su_result_text(t, x->id);
        su_result_text(t, x->label);
        double row[6] = { w->point[at],
                          w->error[at],
                          w->error[at] / fabs(w->point[at]),
                          quantile(w->drawn[k], w->draws, 0.5),
                          quantile(w->drawn[k], w->draws, tail),
                          quantile(w->drawn[k], w->draws, 1 - tail) };
        for (size_t c = 0; c < 6; c++) su_result_number(t, row[c]);
        su_result_text(t, x->case_file ? "case files count assisted persons" : "");
        case_files |= x->case_file;
    }
    su_result_plot(out, SU_PLOT_INTERVALS, "Results", t, "id", NULL, "median", "low", "high");
    if (case_files)
        su_result_warn(out, "W_ASSISTED",
                       "case files count assisted persons: ratios taken from them follow who is found and helped, and where");
    return SU_OK;
}

typedef struct bar {
    uint32_t input;
    double low, high, share;
} bar;

static int by_swing(const void *a, const void *b)
{
    const bar *x = a, *y = b;
    double i = fabs(x->high - x->low), j = fabs(y->high - y->low);
    return i != j ? (i > j ? -1 : 1) : (x->input > y->input) - (x->input < y->input);
}

/* A final result with each input alone at both ends of its interval. */
static void tornado_of(const run *w, uint32_t result, su_result_table *t)
{
    uint32_t n = w->r->count, count = 0;
    bar *bars = su_alloc_array(n, sizeof *bars);
    double *value = su_alloc_array(n, sizeof *value), z = su_normal_quantile(0.5 + w->o->level / 2);
    for (uint32_t j = 0; j < n; j++) {
        const su_recipe_row *x = &w->r->rows[j];
        if (x->formula || x->law == SU_LAW_FIXED || w->part[(size_t)result * n + j] == 0) continue;
        bar *b = &bars[count++];
        *b = (bar) { .input = j, .share = w->part[(size_t)result * n + j] };
        for (int side = 0; side < 2; side++) {
            memcpy(value, w->point, n * sizeof *value);
            value[j] = su_recipe_draw(x, side ? z : -z);
            su_recipe_values(w->r, value, NULL);
            *(side ? &b->high : &b->low) = value[result];
        }
    }
    qsort(bars, count, sizeof *bars, by_swing);
    for (uint32_t k = 0; k < count; k++) {
        su_result_text(t, w->r->rows[result].id);
        su_result_text(t, shown(&w->r->rows[bars[k].input]));
        su_result_number(t, bars[k].low);
        su_result_number(t, w->point[result]);
        su_result_number(t, bars[k].high);
        su_result_number(t, fabs(bars[k].high - bars[k].low));
        su_result_number(t, bars[k].share);
    }
    free(bars);
    free(value);
}

static void tornado_table(const run *w, su_result *out)
{
    su_result_table *t = su_result_table_add(out, "tornado", "What drives the total: each input alone at both ends of its interval");
    static const char *const heads[][2] = {
        { "low", "input low" }, { "value", "as it is" }, { "high", "input high" }, { "swing", "swing" }
    };
    su_result_column(t, "result", "result", SU_COLUMN_TEXT);
    su_result_column(t, "input", "input", SU_COLUMN_TEXT);
    for (size_t k = 0; k < 4; k++) su_result_column(t, heads[k][0], heads[k][1], SU_COLUMN_NUMBER);
    su_result_column(t, "share", "share of variance", SU_COLUMN_PERCENT);
    for (uint32_t k = 0; k < w->r->results; k++)
        if (!used_by_another(w->r, w->r->order[k])) tornado_of(w, w->r->order[k], t);
    su_result_plot(out, SU_PLOT_INTERVALS, "What drives the total", t, "input", NULL, "value", "low", "high");
}

static void alternatives_table(const run *w, su_result *out)
{
    uint32_t n = w->r->count;
    bool any = false;
    for (uint32_t j = 0; j < n; j++) any |= !isnan(w->r->rows[j].alternative) && !w->r->rows[j].formula;
    if (!any) {
        su_result_warn(out, "W_NO_ALTERNATIVE",
                       "no input has an alternative: the answer to 'what if another source were used' is missing (column 'alternative')");
        return;
    }
    su_result_table *t = su_result_table_add(out, "alternatives", "What another source would change");
    su_result_column(t, "input", "input", SU_COLUMN_TEXT);
    su_result_column(t, "source", "other source", SU_COLUMN_TEXT);
    su_result_column(t, "input_value", "other value", SU_COLUMN_NUMBER);
    su_result_column(t, "result", "result", SU_COLUMN_TEXT);
    su_result_column(t, "value", "becomes", SU_COLUMN_NUMBER);
    su_result_column(t, "change", "change", SU_COLUMN_PERCENT);
    double *value = su_alloc_array(n, sizeof *value);
    for (uint32_t j = 0; j < n; j++) {
        const su_recipe_row *x = &w->r->rows[j];
        if (x->formula || isnan(x->alternative)) continue;
        memcpy(value, w->point, n * sizeof *value);
        value[j] = x->alternative;
        su_recipe_values(w->r, value, NULL);
        for (uint32_t k = 0; k < w->r->results; k++) {
            uint32_t at = w->r->order[k];
            if (used_by_another(w->r, at) || value[at] == w->point[at]) continue;
            su_result_text(t, shown(x));
            su_result_text(t, x->alternative_source);
            su_result_number(t, x->alternative);
            su_result_text(t, w->r->rows[at].id);
            su_result_number(t, value[at]);
            su_result_number(t, value[at] / w->point[at] - 1);
        }
    }
    free(value);
}

static void inputs_table(const run *w, su_result *out)
{
    su_result_table *t = su_result_table_add(out, "inputs", "Inputs and assumptions, all of them");
    su_result_column(t, "id", "id", SU_COLUMN_TEXT);
    su_result_column(t, "value", "value", SU_COLUMN_NUMBER);
    su_result_column(t, "se", "SE", SU_COLUMN_NUMBER);
    su_result_column(t, "law", "law", SU_COLUMN_TEXT);
    su_result_column(t, "basis", "basis", SU_COLUMN_TEXT);
    su_result_column(t, "source", "source", SU_COLUMN_TEXT);
    su_result_column(t, "adjustment", "adjustment or formula", SU_COLUMN_TEXT);
    for (uint32_t j = 0; j < w->r->count; j++) {
        const su_recipe_row *x = &w->r->rows[j];
        su_result_text(t, x->id);
        su_result_number(t, w->point[j]);
        su_result_number(t, x->formula ? w->error[j] : x->se);
        su_result_text(t, x->formula ? "result" : su_law_name(x->law));
        su_result_text(t, x->basis);
        su_result_text(t, x->source);
        su_result_text(t, x->formula ? x->formula_text : x->adjustment);
        if (x->formula) continue;
        if (!x->source[0]) su_result_warn(out, "W_NO_SOURCE", "'%s' has no source", x->id);
        if (x->law == SU_LAW_FIXED) su_result_warn(out, "W_FIXED", "'%s' has no standard error: it is taken as exactly known", x->id);
        if (x->value > 0 && w->negative[j] * 200 > w->draws)
            su_result_warn(out, "W_NEGATIVE_DRAWS",
                           "'%s' is below zero in %.1f %% of the draws; give it the distribution lognormal (or beta for a share)", x->id,
                           100.0 * (double)w->negative[j] / w->draws);
    }
}

static void run_free(run *w)
{
    for (uint32_t k = 0; w->drawn && k < w->r->results; k++) free(w->drawn[k]);
    free(w->drawn);
    free(w->point);
    free(w->error);
    free(w->part);
    free(w->negative);
}

su_status su_estimate_recipe(su_context *ctx, const su_raw_table *recipe, const su_estimate_options *o, su_result *out)
{
    su_recipe *r = NULL;
    su_status st = su_recipe_read(ctx, recipe, &r);
    if (st) return st;
    run w = { .r = r, .o = o, .draws = o->draws ? o->draws : 10000 };
    w.point = su_alloc_array(r->count, sizeof *w.point);
    w.error = su_alloc_array(r->count, sizeof *w.error);
    w.part = su_alloc_array((size_t)r->count * r->count, sizeof *w.part);
    w.negative = su_alloc_array(r->count, sizeof *w.negative);
    w.drawn = su_alloc_array(r->results, sizeof *w.drawn);
    for (uint32_t k = 0; k < r->results; k++) w.drawn[k] = su_alloc_array(w.draws, sizeof **w.drawn);
    for (uint32_t k = 0; k < r->count; k++) w.point[k] = r->rows[k].value;
    su_recipe_values(r, w.point, NULL);
    delta_method(&w);
    simulate(&w);
    su_result_fact(out, "n", "Inputs", (double)(r->count - r->results));
    su_result_fact(out, "draws", "Draws", w.draws);
    su_result_fact_text(out, "method", "Method", "simulation; standard errors by the delta method");
    su_result_fact_text(out, "label", "Label", "after the published outline of the Global Estimates");
    st = results_table(ctx, &w, out);
    if (!st) {
        tornado_table(&w, out);
        alternatives_table(&w, out);
        inputs_table(&w, out);
        su_result_method(out,
                         "Totals were put together from %u inputs by the formulas shown, with %u draws of all inputs at once; every input, "
                         "its source and "
                         "its adjustment is in the table of inputs.",
                         r->count - r->results, w.draws);
    }
    run_free(&w);
    su_recipe_free(r);
    return st;
}
