/* Odds in a case file, and how much they depend on who filled it. */
#include <math.h>
#include <stdlib.h>

#include <suha/estimate.h>
#include <suha/flow.h>

#include "flow/margin_words.h"
#include "numeric/special.h"

typedef struct cell {
    double a, b; /* cases of the numerator's and the denominator's kind */
} cell;

typedef struct odds {
    double value, dispersion, log_error, low, high, without_low, without_high;
} odds;

static odds odds_of(const cell *by_organisation, uint32_t organisations, cell all, double level)
{
    odds o = { .value = all.a / all.b, .dispersion = 1, .without_low = NAN, .without_high = NAN };
    double share = all.a / (all.a + all.b), square = 0, used = 0;
    for (uint32_t k = 0; k < organisations; k++) {
        double n = by_organisation[k].a + by_organisation[k].b, miss = by_organisation[k].a - n * share;
        if (n == 0) continue;
        if (share > 0 && share < 1) square += miss * miss / (n * share * (1 - share));
        used++;
        double without = (all.a - by_organisation[k].a) / (all.b - by_organisation[k].b);
        o.without_low = fmin(isnan(o.without_low) ? INFINITY : o.without_low, without);
        o.without_high = fmax(isnan(o.without_high) ? 0 : o.without_high, without);
    }
    if (used < 2) o.without_low = o.without_high = NAN;
    if (used > 1) o.dispersion = fmax(1, square / (used - 1));
    o.log_error = sqrt(o.dispersion * (1 / all.a + 1 / all.b));
    /* the dispersion is estimated from the organisations: few of them know it badly */
    double reach = (used > 1 ? su_t_quantile(0.5 + level / 2, used - 1) : su_normal_quantile(0.5 + level / 2)) * o.log_error;
    o.low = o.value * exp(-reach);
    o.high = o.value * exp(reach);
    return o;
}

static void odds_row(su_result_table *t, const char *name, cell all, const odds *o, bool organisations, su_result *out)
{
    su_result_text(t, name);
    double row[9] = { all.a,   all.b,          o->value,       organisations ? o->dispersion : NAN, o->log_error, o->low,
                      o->high, o->without_low, o->without_high };
    for (int k = 0; k < 9; k++) su_result_number(t, all.a > 0 && all.b > 0 ? row[k] : k < 2 ? row[k] : NAN);
    if (!(all.a > 0) || !(all.b > 0))
        su_result_warn(out, "W_ZERO_CELL", "%s: one of the two kinds has no case: no odds can be carried over", name);
    else if (o->without_high > 2 * o->value || o->without_low < o->value / 2)
        su_result_warn(out, "W_ONE_ORGANISATION",
                       "%s: without one organisation the odds would be %.3g to %.3g: they are mostly that organisation's", name,
                       o->without_low, o->without_high);
}

static su_result_table *odds_table(su_result *out)
{
    static const char *const heads[][2] = { { "cases", "cases" },
                                            { "of", "of" },
                                            { "odds", "odds" },
                                            { "dispersion", "dispersion" },
                                            { "log_se", "SE of log" },
                                            { "low", "from" },
                                            { "high", "to" },
                                            { "without_low", "one out, lowest" },
                                            { "without_high", "one out, highest" } };
    su_result_table *t = su_result_table_add(out, "odds", "Odds in the case file");
    su_result_column(t, "group", "group", SU_COLUMN_TEXT);
    for (size_t k = 0; k < sizeof heads / sizeof *heads; k++) su_result_column(t, heads[k][0], heads[k][1], SU_COLUMN_NUMBER);
    su_result_plot(out, SU_PLOT_FOREST, "Odds", t, "group", NULL, "odds", "low", "high");
    return t;
}

static su_status count_cases(su_context *ctx, const su_frame *f, const su_odds_options *o, uint32_t organisations, cell *cells)
{
    su_filter kinds[2] = { { o->kind, o->numerator }, { o->kind, o->denominator } };
    su_status st = su_filter_check(ctx, &kinds[0]);
    if (!st) st = su_filter_check(ctx, &kinds[1]);
    for (uint64_t row = 0; !st && row < f->rows; row++) {
        bool first = su_filter_row(&kinds[0], 1, row), second = su_filter_row(&kinds[1], 1, row);
        uint32_t group = o->by ? su_frame_level(o->by, row) : 1, who = o->organisation ? su_frame_level(o->organisation, row) : 0;
        double n = o->count ? su_frame_number(o->count, row) : 1;
        if (isnan(n) || !group || !(first || second)) continue;
        if (n < 0) return su_fail(ctx, SU_INPUT, "data row %llu: the count is %g; counts are zero or more", (unsigned long long)row + 1, n);
        cell *c = &cells[(size_t)(group - 1) * (organisations + 1) + who];
        *(first ? &c->a : &c->b) += n;
    }
    return st;
}

su_status su_case_odds(su_context *ctx, const su_frame *f, const su_odds_options *o, su_result *out)
{
    uint32_t organisations = o->organisation ? o->organisation->level_count : 0, groups = o->by ? o->by->level_count : 1;
    su_status st = su_need_number(ctx, o->count);
    if (st) return st;
    cell *cells = su_alloc_array((size_t)groups * (organisations + 1), sizeof *cells);
    st = count_cases(ctx, f, o, organisations, cells);
    su_result_table *t = st ? NULL : odds_table(out);
    for (uint32_t g = 0; !st && g < groups; g++) {
        const cell *row = cells + (size_t)g * (organisations + 1);
        cell all = { 0, 0 };
        for (uint32_t k = 0; k <= organisations; k++) all = (cell) { all.a + row[k].a, all.b + row[k].b };
        odds x = odds_of(row + 1, organisations, all, o->level);
        odds_row(t, o->by ? o->by->levels[g] : "all", all, &x, organisations > 0, out);
    }
    free(cells);
    if (st) return st;
    su_result_fact(out, "n", "Rows", (double)f->rows);
    su_result_fact_text(out, "method", "Method", "odds, log scale, dispersion over organisations");
    su_result_warn(out, "W_ASSISTED",
                   "case files count assisted persons: ratios taken from them follow who is found and helped, and where");
    if (!o->organisation)
        su_result_warn(out, "W_NO_ORGANISATION",
                       "without --organisation the interval takes every case as found by itself: it is too narrow");
    su_result_method(
        out, "Odds of %.*s to %.*s were taken from case files, with the dispersion between organisations; they describe assisted persons.",
        (int)o->numerator.n, o->numerator.p, (int)o->denominator.n, o->denominator.p);
    return SU_OK;
}
