/* From people reported over a window to people on a day. */
#include <math.h>
#include <stdlib.h>

#include <suha/estimate.h>

#include "flow/margin_words.h"
#include "numeric/special.h"

typedef struct columns {
    double *flow, *stock, *duration; /* 1 (or 1 / family) for a case; times d / window; d where there is a case */
    uint64_t cases, cut;
} columns;

static su_status read_rows(su_context *ctx, const su_frame *f, const su_stock_options *o, columns *c)
{
    for (uint64_t row = 0; row < f->rows; row++) {
        double is = o->is_case ? su_frame_number(o->is_case, row) : 1, d = su_frame_number(o->duration, row);
        double family = o->family ? su_frame_number(o->family, row) : 1;
        if (is != 0 && is != 1)
            return su_fail(ctx, SU_INPUT, "data row %llu: '%s' must be 0 or 1", (unsigned long long)row + 1, o->is_case->name);
        if (is == 0) continue;
        if (isnan(d) || d < 0)
            return su_fail(ctx, SU_INPUT, "data row %llu: a case needs a duration of zero months or more", (unsigned long long)row + 1);
        if (!(family > 0))
            return su_fail(ctx, SU_INPUT, "data row %llu: '%s' must be above zero: how many people could have reported this person",
                           (unsigned long long)row + 1, o->family->name);
        c->cut += d > o->window;
        d = fmin(d, o->window);
        c->flow[row] = 1 / family;
        c->stock[row] = d / o->window / family;
        c->duration[row] = d / family;
        c->cases++;
    }
    return c->cases ? SU_OK : su_fail(ctx, SU_REFUSED, "no case in the file: nothing to turn into a stock");
}

static void estimate_row(su_result_table *t, const char *what, const su_estimate *e, double level)
{
    double se = sqrt(e->variance), reach = e->df > 0 ? su_t_quantile(0.5 + level / 2, e->df) * se / e->estimate : NAN;
    su_result_text(t, what);
    su_result_number(t, e->estimate);
    su_result_number(t, se);
    su_result_number(t, e->estimate * exp(-reach));
    su_result_number(t, e->estimate * exp(reach));
    su_result_number(t, e->df);
}

su_status su_stock(su_context *ctx, su_frame *f, const su_stock_options *o, su_result *out)
{
    su_design *design = NULL;
    su_estimate e[4];
    if (!(o->window > 0)) return su_fail(ctx, SU_REFUSED, "the window must be above zero months");
    columns c = { su_alloc_array(f->rows, sizeof(double)), su_alloc_array(f->rows, sizeof(double)), su_alloc_array(f->rows, sizeof(double)),
                  0, 0 };
    su_status st = su_need_number(ctx, o->duration);
    if (!st) st = su_need_number(ctx, o->is_case);
    if (!st) st = su_need_number(ctx, o->family);
    if (!st) st = read_rows(ctx, f, o, &c);
    if (!st) st = su_design_new(ctx, f, o->design, &design);
    su_estimand estimands[4] = { { .statistic = SU_TOTAL, .y = c.flow, .groups = 1 },
                                 { .statistic = SU_RATIO, .y = c.duration, .x = c.flow, .groups = 1 },
                                 { .statistic = SU_TOTAL, .y = c.stock, .groups = 1 },
                                 { .statistic = SU_RATIO, .y = c.stock, .x = c.flow, .groups = 1 } };
    if (!st) st = su_design_estimate(ctx, design, estimands, 4, e, NULL);
    if (!st) {
        static const char *const names[4] = { "flow over the window", "mean duration, months", "stock on a day", "stock / flow" };
        su_result_table *t = su_result_table_add(out, "estimates", "From flow to stock");
        su_result_column(t, "what", "", SU_COLUMN_TEXT);
        su_result_column(t, "estimate", "estimate", SU_COLUMN_NUMBER);
        su_result_column(t, "se", "SE", SU_COLUMN_NUMBER);
        su_result_column(t, "low", "from", SU_COLUMN_NUMBER);
        su_result_column(t, "high", "to", SU_COLUMN_NUMBER);
        su_result_column(t, "df", "df", SU_COLUMN_NUMBER);
        for (int k = 0; k < 4; k++) estimate_row(t, names[k], &e[k], o->level);
        su_result_fact(out, "n", "Rows", (double)f->rows);
        su_result_fact(out, "cases", "People reported", (double)c.cases);
        su_result_fact(out, "window", "Window, months", o->window);
        su_result_fact_text(out, "method", "Method", "sum of w d / window, linearised variance");
        if (c.cut) su_result_warn(out, "W_DURATION_CUT", "%llu durations longer than the window were cut to it", (unsigned long long)c.cut);
        if (c.cases < 30)
            su_result_warn(out, "W_FEW_CASES", "%llu people were reported: the interval rests on few", (unsigned long long)c.cases);
        if (!o->family)
            su_result_warn(out, "W_NO_MULTIPLICITY",
                           "without --family a person whom several relatives can report is counted several times");
        su_result_method(out,
                         "The stock on a day is the weighted sum of months within a window of %g months over its length; durations are cut "
                         "to the window.",
                         o->window);
    }
    su_design_free(design);
    free(c.flow);
    free(c.stock);
    free(c.duration);
    return st;
}
