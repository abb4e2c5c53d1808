#include "design_options.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

const su_option su_options_weight[] = { { "out", "FILE.csv", "rows (in the file's order) with their new weights" },
                                        { "id", "COL", "column copied into FILE.csv, to join by; default the number of the row" },
                                        { "trim", "W", "no weight above W; what is cut is shared among the others" },
                                        { "trim-times", "X", "the same, X times the median weight" },
                                        SU_OPTIONS_DESIGN,
                                        SU_OPTIONS_ANALYSIS,
                                        { NULL, NULL, NULL } };

typedef struct weighing {
    su_analysis a;
    su_cli_design d;
    su_design_facts before;
    double *old, limit, low, high, median;
    uint64_t trimmed;
} weighing;

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median_weight(su_cli *cli, const weighing *w)
{
    size_t n = 0, rows = (size_t)w->a.frame->rows;
    double *sorted = su_arena_array(&cli->arena, rows, sizeof *sorted);
    for (size_t r = 0; r < rows; r++)
        if (su_design_weights(w->d.design)[r] > 0) sorted[n++] = su_design_weights(w->d.design)[r];
    qsort(sorted, n, sizeof *sorted, by_size);
    return n % 2 ? sorted[n / 2] : (sorted[n / 2 - 1] + sorted[n / 2]) / 2;
}

static su_status trim(su_cli *cli, weighing *w)
{
    double times = 0;
    bool plain = su_cli_option(cli, "trim") != NULL, relative = su_cli_option(cli, "trim-times") != NULL;
    su_status st = su_cli_real(cli, "trim", 0, &w->limit);
    if (!st) st = su_cli_real(cli, "trim-times", 0, &times);
    if (st || (!plain && !relative)) return st;
    if (plain && relative) return su_fail(&cli->ctx, SU_USAGE, "give --trim or --trim-times, not both");
    if (relative) w->limit = times * median_weight(cli, w);
    return su_design_trim(&cli->ctx, w->d.design, w->limit, &w->trimmed);
}

/* The file before anything is fitted: the weights the design starts from. */
static su_status keep_old(su_cli *cli, weighing *w)
{
    const su_variable *v = NULL;
    su_status st = su_analysis_variable(cli, &w->a, "weight", &v);
    w->old = su_arena_array(&cli->arena, (size_t)w->a.frame->rows, sizeof *w->old);
    for (uint64_t r = 0; r < w->a.frame->rows && !st; r++) w->old[r] = v && v->kind == SU_VARIABLE_NUMBER ? su_frame_number(v, r) : 1;
    return st;
}

static double kish(const double *weights, uint64_t rows)
{
    double n = 0, sum = 0, squares = 0;
    for (uint64_t r = 0; r < rows; r++) {
        if (!(weights[r] > 0)) continue;
        n++;
        sum += weights[r];
        squares += weights[r] * weights[r];
    }
    return n * squares / (sum * sum);
}

static void margins_table(su_result *r, const su_cli_design *d)
{
    su_result_table *t = su_result_table_add(r, "margins", "Known totals");
    su_result_column(t, "variable", "variable", SU_COLUMN_TEXT);
    su_result_column(t, "level", "level", SU_COLUMN_TEXT);
    su_result_column(t, "total", "known total", SU_COLUMN_NUMBER);
    su_result_column(t, "before", "before", SU_COLUMN_NUMBER);
    su_result_column(t, "after", "after", SU_COLUMN_NUMBER);
    for (size_t i = 0; i < d->margin_count; i++) {
        su_result_text(t, d->margins[i].variable);
        su_result_text(t, d->margins[i].level);
        su_result_number(t, d->margins[i].target);
        su_result_number(t, d->margins[i].before);
        su_result_number(t, d->margins[i].after);
    }
}

static su_result *result_of(su_cli *cli, weighing *w)
{
    su_result *r = su_result_new("weight", "Weights");
    su_design_facts f = su_design_facts_of(w->d.design);
    const double *weights = su_design_weights(w->d.design);
    double low = INFINITY, high = 0, change_low = INFINITY, change_high = 0;
    for (uint64_t i = 0; i < w->a.frame->rows; i++) {
        if (!(weights[i] > 0)) continue;
        low = fmin(low, weights[i]);
        high = fmax(high, weights[i]);
        change_low = fmin(change_low, weights[i] / w->old[i]);
        change_high = fmax(change_high, weights[i] / w->old[i]);
    }
    su_result_fact(r, "n", "Rows of positive weight", (double)f.weighted);
    su_result_fact(r, "rows", "Rows in the file", (double)f.rows);
    su_result_fact_text(r, "method", "Method", w->d.calibration ? w->d.calibration : w->limit > 0 ? "trim" : "none");
    su_result_fact(r, "effective_n", "Effective n", (double)f.weighted / f.kish);
    su_result_fact(r, "df", "Degrees of freedom", f.df);
    su_result_fact(r, "deff_before", "Design effect of the weights before", kish(w->old, w->a.frame->rows));
    su_result_fact(r, "deff", "Design effect of the weights after", f.kish);
    su_result_fact(r, "weight_sum", "Sum of weights", f.weight_sum);
    su_result_fact(r, "weight_min", "Smallest weight", low);
    su_result_fact(r, "weight_median", "Median weight", median_weight(cli, w));
    su_result_fact(r, "weight_max", "Largest weight", high);
    su_result_fact(r, "change_min", "Smallest new / old", change_low);
    su_result_fact(r, "change_max", "Largest new / old", change_high);
    if (w->d.calibration) {
        su_result_fact(r, "rounds", "Rounds", w->d.rounds);
        margins_table(r, &w->d);
        su_result_method(r,
                         "Weights were fitted to %zu known totals by %s. Variances of later estimates need the margins too: give them to "
                         "suha rates (--margins) "
                         "rather than the weights alone.",
                         w->d.margin_count, w->d.calibration);
    }
    if (w->limit > 0) {
        su_result_fact(r, "trimmed", "Rows trimmed", (double)w->trimmed);
        su_result_method(r, "Weights above %g were cut to it, and what was cut was shared among the others in proportion.", w->limit);
        if (w->d.calibration && w->trimmed)
            su_result_warn(r, "W_TRIMMED_MARGINS", "trimming after the fit moved the margins away from their totals; --bounds keeps both");
    }
    if (high > 10 * median_weight(cli, w))
        su_result_warn(
            r, "W_EXTREME_WEIGHTS",
            "the largest weight is %.1f times the median: a few people decide the results; consider --bounds, --trim or fewer margins",
            high / median_weight(cli, w));
    if (change_low < 0) su_result_warn(r, "W_NEGATIVE_WEIGHTS", "linear calibration made negative weights; use --bounds, raking or logit");
    return r;
}

static su_status write_weights(su_cli *cli, const weighing *w)
{
    const char *path = su_cli_option(cli, "out"), *id = su_cli_option(cli, "id");
    const double *weights = su_design_weights(w->d.design);
    su_buf out = { 0 };
    int column = -1;
    if (!path) return SU_OK;
    if (id && (column = su_raw_table_column(w->a.raw, su_str_of(id))) < 0)
        return su_fail(&cli->ctx, SU_INPUT, "--id: there is no column '%s'", id);
    su_buf_csv_safe(&out, su_str_of(id ? id : "row"), ',');
    su_buf_text(&out, ",weight\n");
    for (uint64_t r = 0; r < w->a.frame->rows; r++) {
        if (column >= 0)
            su_buf_csv_safe(&out, su_dict_get(w->a.raw->columns[column].values, w->a.raw->columns[column].ids[r]), ',');
        else
            su_buf_printf(&out, "%llu", (unsigned long long)r + 1);
        su_buf_printf(&out, ",%.17g\n", weights[r]);
    }
    su_status st = su_file_write(&cli->ctx, path, out.p, out.n, 0600);
    su_buf_free(&out);
    return st;
}

su_status su_command_weight(su_cli *cli)
{
    weighing w = { 0 };
    su_result *r = NULL;
    su_status st = su_cli_positionals(cli, 1, 1);
    if (!st && !su_cli_option(cli, "margins") && !su_cli_option(cli, "trim") && !su_cli_option(cli, "trim-times"))
        st = su_fail(&cli->ctx, SU_USAGE, "say what to do: --margins FILE.csv fits weights to known totals, --trim W cuts the largest");
    if (!st) st = su_analysis_open(cli, cli->positional[0], &w.a);
    if (!st) st = keep_old(cli, &w);
    if (!st) st = su_cli_design_open(cli, &w.a, &w.d);
    if (!st) st = trim(cli, &w);
    if (!st) st = write_weights(cli, &w);
    if (!st) {
        r = result_of(cli, &w);
        st = su_analysis_print(cli, w.a.frame, 0, r);
    }
    su_result_free(r);
    su_cli_design_free(&w.d);
    su_analysis_free(&w.a);
    return st;
}
