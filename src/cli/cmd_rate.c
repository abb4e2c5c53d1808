/* flow overlap, flow change, flow rate: small questions about a few numbers. */
#include "flow_options.h"

#include <math.h>
#include <stdlib.h>

const su_option su_options_flow_overlap[] = { { "first", "N", "people at the first point (or found the first time)" },
                                              { "second", "N", "people at the second point" },
                                              { "both", "N", "people at both, known again" },
                                              { "seen", "N", "or: people seen at all" },
                                              { "once", "N", "of them seen once" },
                                              { "twice", "N", "of them seen twice" },
                                              { "level", "P", "confidence level; default 0.95" },
                                              { "report", "FILE.html", "also write a page" },
                                              { NULL, NULL, NULL } };

static void interval_columns(su_result_table *t)
{
    su_result_column(t, "what", "", SU_COLUMN_TEXT);
    su_result_column(t, "estimate", "estimate", SU_COLUMN_NUMBER);
    su_result_column(t, "se", "SE", SU_COLUMN_NUMBER);
    su_result_column(t, "low", "from", SU_COLUMN_NUMBER);
    su_result_column(t, "high", "to", SU_COLUMN_NUMBER);
}

static void interval_row(su_result_table *t, const char *what, const su_flow_estimate *x)
{
    su_result_text(t, what);
    su_result_number(t, x->estimate);
    su_result_number(t, x->error);
    su_result_number(t, x->low);
    su_result_number(t, x->high);
}

/* An option that must be there and be a number of zero or more. */
static su_status number_of(su_cli *cli, const char *option, double *out)
{
    const char *text;
    su_status st = su_cli_need(cli, option, &text);
    if (!st) st = su_cli_real(cli, option, 0, out);
    if (!st && *out < 0) st = su_fail(&cli->ctx, SU_REFUSED, "--%s is %g; it must be zero or more", option, *out);
    return st;
}

static su_status two_points(su_cli *cli, double level, su_result *r)
{
    double n1, n2, both;
    su_flow_estimate x;
    su_status st = number_of(cli, "first", &n1);
    if (!st) st = number_of(cli, "second", &n2);
    if (!st) st = number_of(cli, "both", &both);
    if (!st) st = su_two_points(&cli->ctx, n1, n2, both, level, &x);
    if (st) return st;
    su_result_table *t = su_result_table_add(r, "estimate", "People in all");
    interval_columns(t);
    interval_row(t, "Chapman", &x);
    su_result_fact(r, "n", "People seen", n1 + n2 - both);
    su_result_fact_text(r, "method", "Method", "Chapman, Seber's variance, mid-p interval");
    su_result_warn(r, "W_TWO_LISTS",
                   "two counts cannot show whether they are independent; people who pass together or avoid both make this wrong");
    if (both < 7) su_result_warn(r, "W_SMALL_OVERLAP", "only %g people were seen at both points: the estimate is unstable", both);
    su_result_method(r, "The number of people behind two overlapping counts was estimated by Chapman's estimator with Seber's variance; "
                        "the interval inverts the hypergeometric law of the number seen twice (lognormal above 10,000, and for fractions).");
    return SU_OK;
}

static su_status lower_bound(su_cli *cli, double level, su_result *r)
{
    double n, once, twice;
    su_flow_estimate x;
    su_status st = number_of(cli, "seen", &n);
    if (!st) st = number_of(cli, "once", &once);
    if (!st) st = number_of(cli, "twice", &twice);
    if (!st) st = su_seen_once_twice(&cli->ctx, n, once, twice, level, &x);
    if (st) return st;
    su_result_table *t = su_result_table_add(r, "estimate", "People in all, at least");
    interval_columns(t);
    interval_row(t, "Chao's lower bound", &x);
    su_result_fact(r, "n", "People seen", n);
    su_result_fact_text(r, "method", "Method", "Chao's lower bound");
    su_result_warn(r, "W_LOWER_BOUND", "this is a lower bound: people who are never seen are not counted by anything");
    su_result_method(r, "A lower bound of all people was computed from the numbers seen once and twice (Chao 1987).");
    return SU_OK;
}

su_status su_command_flow_overlap(su_cli *cli)
{
    double level;
    su_result *r = su_result_new("flow overlap", "People behind overlapping counts");
    su_status st = su_cli_positionals(cli, 0, 0);
    if (!st) st = su_level_option(cli, &level);
    if (!st) st = su_cli_option(cli, "seen") ? lower_bound(cli, level, r) : two_points(cli, level, r);
    if (!st) st = su_analysis_print(cli, NULL, 0, r);
    su_result_free(r);
    return st;
}

const su_option su_options_flow_change[] = { { "before", "N", "count of the earlier period" },
                                             { "after", "N", "count of the later period" },
                                             { "days-before", "N", "its length, or any exposure; default 1" },
                                             { "days-after", "N", "the later one's; default 1" },
                                             { "dispersion", "F", "variance over mean, from suha trend; default 1 (Poisson, exact)" },
                                             { "theta", "T", "or: theta of a negative binomial, from suha trend" },
                                             { "df", "N", "degrees of freedom of the dispersion; default: it is known" },
                                             { "level", "P", "confidence level; default 0.95" },
                                             { "report", "FILE.html", "also write a page" },
                                             { NULL, NULL, NULL } };

enum { FEW_COUNTED = 10 };

static void few_counted(su_result *r)
{
    su_result_warn(r, "W_FEW_CASES",
                   "fewer than %d people were counted: intervals of 95 %% are wider than needed there (97 to 100 %% of simulated ones held the "
                   "truth), because whole numbers leave no exact one",
                   FEW_COUNTED);
}

su_status su_command_flow_change(su_cli *cli)
{
    su_change_input in = { 0 };
    su_change c;
    double level;
    su_result *r = su_result_new("flow change", "Change between two counts");
    su_status st = su_cli_positionals(cli, 0, 0);
    if (!st) st = su_level_option(cli, &level);
    if (!st) st = number_of(cli, "before", &in.before);
    if (!st) st = number_of(cli, "after", &in.after);
    if (!st) st = su_cli_real(cli, "days-before", 1, &in.exposure_before);
    if (!st) st = su_cli_real(cli, "days-after", 1, &in.exposure_after);
    if (!st) st = su_cli_real(cli, "dispersion", 1, &in.dispersion);
    if (!st) st = su_cli_real(cli, "theta", 0, &in.theta);
    if (!st) st = su_cli_real(cli, "df", INFINITY, &in.df);
    if (!st && !(in.df > 0)) st = su_fail(&cli->ctx, SU_REFUSED, "--df must be above zero");
    if (!st) st = su_change_of(&cli->ctx, &in, level, &c);
    if (!st) {
        su_result_table *t = su_result_table_add(r, "change", "After over before, per day");
        su_result_column(t, "what", "", SU_COLUMN_TEXT);
        su_result_column(t, "estimate", "estimate", SU_COLUMN_NUMBER);
        su_result_column(t, "low", "from", SU_COLUMN_NUMBER);
        su_result_column(t, "high", "to", SU_COLUMN_NUMBER);
        su_result_column(t, "p", "p", SU_COLUMN_P);
        double ratio[4] = { c.ratio, c.low, c.high, c.p }, percent[3] = { 100 * (c.ratio - 1), 100 * (c.low - 1), 100 * (c.high - 1) };
        su_result_text(t, "ratio");
        for (int k = 0; k < 4; k++) su_result_number(t, ratio[k]);
        su_result_text(t, "change in %");
        for (int k = 0; k < 3; k++) su_result_number(t, percent[k]);
        su_result_number(t, c.p);
        su_result_fact(r, "n", "People in both counts", in.before + in.after);
        su_result_fact_text(r, "method", "Method", c.exact ? "exact (binomial)" : "log ratio with over-dispersion");
        if (in.before < FEW_COUNTED || in.after < FEW_COUNTED) few_counted(r);
        if (c.exact)
            su_result_warn(r, "W_POISSON_ASSUMED",
                           "counts are taken as Poisson; people travel in groups and routes shift, so real counts vary more: "
                           "take --dispersion from suha trend");
        su_result_method(r, "The two counts were compared as a ratio of rates, %s.",
                         c.exact ? "exactly, by the binomial distribution" : "on the logarithmic scale with over-dispersed variances");
        st = su_analysis_print(cli, NULL, 0, r);
    }
    su_result_free(r);
    return st;
}

const su_option su_options_flow_rate[] = { SU_OPTIONS_ANALYSIS,
                                           { "count", "N|COL", "people; a column when FILE is given" },
                                           { "population", "N|COL", "out of how many" },
                                           { "by", "COL", "with FILE: what each row is" },
                                           { "per", "N", "rate per N people; default 100000 (SDG 16.2.2)" },
                                           { "level", "P", "confidence level; default 0.95" },
                                           { NULL, NULL, NULL } };

static su_result_table *rate_table(su_result *r, double per)
{
    char title[80];
    snprintf(title, sizeof title, "People per %.15g", per);
    su_result_table *t = su_result_table_add(r, "rates", title);
    su_result_column(t, "group", "", SU_COLUMN_TEXT);
    su_result_column(t, "count", "people", SU_COLUMN_NUMBER);
    su_result_column(t, "population", "population", SU_COLUMN_NUMBER);
    su_result_column(t, "rate", "rate", SU_COLUMN_NUMBER);
    su_result_column(t, "low", "from", SU_COLUMN_NUMBER);
    su_result_column(t, "high", "to", SU_COLUMN_NUMBER);
    return t;
}

static su_status rate_row(su_cli *cli, su_result_table *t, const char *group, double count, double population, double per, double level)
{
    su_flow_estimate x;
    su_status st = su_rate_of(&cli->ctx, count, population, level, &x);
    if (st) return st;
    su_result_text(t, group);
    double row[5] = { count, population, per * x.estimate, per * x.low, per * x.high };
    for (int k = 0; k < 5; k++) su_result_number(t, row[k]);
    return SU_OK;
}

static su_status rates_of_file(su_cli *cli, su_analysis *a, su_result_table *t, double per, double level)
{
    const su_variable *count = NULL, *population = NULL, *by = NULL;
    size_t n;
    su_status st = su_columns_option(cli, a->frame, "count", 1, 1, &count, &n);
    if (!st) st = su_columns_option(cli, a->frame, "population", 1, 1, &population, &n);
    if (!st) st = su_analysis_factor(cli, a, "by", &by);
    if (!st && (count->kind != SU_VARIABLE_NUMBER || population->kind != SU_VARIABLE_NUMBER))
        st = su_fail(&cli->ctx, SU_INPUT, "column '%s' holds text; numbers are needed",
                     count->kind != SU_VARIABLE_NUMBER ? count->name : population->name);
    for (uint64_t row = 0; !st && row < a->frame->rows; row++) {
        char number[24];
        snprintf(number, sizeof number, "%llu", (unsigned long long)row + 1);
        uint32_t level_of = by ? su_frame_level(by, row) : 0;
        st = rate_row(cli, t, level_of ? by->levels[level_of - 1] : number, su_frame_number(count, row), su_frame_number(population, row),
                      per, level);
        if (st) (void)su_fail_prefix(&cli->ctx, "data row %s: ", number);
    }
    return st;
}

su_status su_command_flow_rate(su_cli *cli)
{
    su_analysis a = { 0 };
    double per, level, count = 0, population = 0;
    su_result *r = su_result_new("flow rate", "Rate with its exact Poisson interval");
    su_status st = su_cli_positionals(cli, 0, 1);
    if (!st) st = su_cli_real(cli, "per", 100000, &per);
    if (!st && !(per > 0)) st = su_fail(&cli->ctx, SU_REFUSED, "--per must be above zero");
    if (!st) st = su_level_option(cli, &level);
    su_result_table *t = st ? NULL : rate_table(r, per);
    if (!st && cli->positional_count) {
        st = su_analysis_open(cli, cli->positional[0], &a);
        if (!st) st = su_in_file(cli, a.raw, rates_of_file(cli, &a, t, per, level));
    } else if (!st) {
        st = number_of(cli, "count", &count);
        if (!st) st = number_of(cli, "population", &population);
        if (!st) st = rate_row(cli, t, "", count, population, per, level);
    }
    if (!st) {
        su_result_fact(r, "n", "Rows", a.frame ? (double)a.frame->rows : 1);
        su_result_fact_text(r, "method", "Method", "exact Poisson (gamma)");
        su_result_plot(r, SU_PLOT_INTERVALS, "Rates", t, "group", NULL, "rate", "low", "high");
        su_result_warn(r, "W_DETECTED_ONLY", "detected or assisted people only; a rate of detection is not a rate of occurrence");
        double fewest = INFINITY;
        for (size_t row = 0; row < su_result_rows(r, "rates"); row++) fewest = fmin(fewest, su_result_get(r, "rates", row, "count"));
        if (fewest < FEW_COUNTED) few_counted(r);
        su_result_method(r, "Rates have exact Poisson limits by the gamma distribution (Garwood 1936).");
        st = su_analysis_print(cli, a.frame, 0, r);
    }
    su_result_free(r);
    su_analysis_free(&a);
    return st;
}
