/* estimate: a recipe of inputs and formulas. stock: from people reported over a window to people on a day. odds: from a case file. */
#include "flow_options.h"

#include <suha/estimate.h>

const su_option su_options_estimate[] = { { "draws", "N", "simulated draws of all inputs; default 10000" },
                                          { "seed", "N", "default 1" },
                                          { "level", "P", "confidence level; default 0.95" },
                                          { "report", "FILE.html", "also write a page with tables, plots and a methods paragraph" },
                                          { NULL, NULL, NULL } };

su_status su_command_estimate(su_cli *cli)
{
    su_raw_table *raw = NULL;
    su_estimate_options o = { 0 };
    int64_t draws, seed;
    su_result *r = su_result_new("estimate", "Totals from several sources");
    su_status st = su_cli_positionals(cli, 1, 1);
    if (!st) st = su_cli_integer(cli, "draws", 100, 10000000, 10000, &draws);
    if (!st) st = su_cli_integer(cli, "seed", 0, INT64_MAX, 1, &seed);
    if (!st) st = su_level_option(cli, &o.level);
    if (!st) st = su_table_read(&cli->ctx, cli->positional[0], NULL, &raw);
    if (!st) {
        o.draws = (uint32_t)draws;
        o.seed = (uint64_t)seed;
        st = su_estimate_recipe(&cli->ctx, raw, &o, r);
    }
    if (!st) {
        su_frame *f = su_frame_new(raw->row_count); /* carries the file's fingerprint into the hash */
        f->fingerprint = raw->fingerprint;
        st = su_analysis_print(cli, f, o.seed, r);
        su_frame_free(f);
    }
    su_raw_table_free(raw);
    su_result_free(r);
    return st;
}

const su_option su_options_stock[] = { SU_OPTIONS_ANALYSIS,
                                       { "duration", "COL", "months in the situation within the window" },
                                       { "case", "COL", "1 for a person in the situation; default: every row is one" },
                                       { "family", "COL", "how many people could have reported that person; default 1" },
                                       { "window", "MONTHS", "length of the reference period; default 60" },
                                       { "weight", "COL", "survey weight" },
                                       { "strata", "COL", "stratum" },
                                       { "psu", "COL", "primary sampling unit" },
                                       { "level", "P", "confidence level; default 0.95" },
                                       { NULL, NULL, NULL } };

static su_status numeric(su_cli *cli, su_analysis *a, const char *option, const su_variable **out)
{
    su_status st = su_analysis_variable(cli, a, option, out);
    if (!st && *out && (*out)->kind != SU_VARIABLE_NUMBER)
        st = su_fail(&cli->ctx, SU_INPUT, "--%s: column '%s' holds text; numbers are needed", option, (*out)->name);
    return st;
}

su_status su_command_stock(su_cli *cli)
{
    su_analysis a = { 0 };
    su_design_options design = { 0 };
    su_stock_options o = { .design = &design };
    size_t n;
    su_result *r = su_result_new("stock", "People on a day");
    su_status st = su_cli_positionals(cli, 1, 1);
    if (!st) st = su_cli_real(cli, "window", 60, &o.window);
    if (!st) st = su_level_option(cli, &o.level);
    if (!st) st = su_analysis_open(cli, cli->positional[0], &a);
    if (!st) st = su_columns_option(cli, a.frame, "duration", 1, 1, &o.duration, &n);
    if (!st) st = numeric(cli, &a, "duration", &o.duration);
    if (!st) st = numeric(cli, &a, "case", &o.is_case);
    if (!st) st = numeric(cli, &a, "family", &o.family);
    if (!st) st = numeric(cli, &a, "weight", &design.weight);
    if (!st) st = su_analysis_factor(cli, &a, "strata", &design.strata[0]);
    if (!st) st = su_analysis_factor(cli, &a, "psu", &design.psu[0]);
    design.stages = design.psu[0] ? 1 : 0;
    if (!st) {
        st = su_stock(&cli->ctx, a.frame, &o, r);
        st = su_in_file(cli, a.raw, st);
    }
    if (!st) st = su_analysis_print(cli, a.frame, 0, r);
    su_result_free(r);
    su_analysis_free(&a);
    return st;
}

const su_option su_options_odds[] = { SU_OPTIONS_ANALYSIS,
                                      { "kind", "COL", "kind of case" },
                                      { "numerator", "VALUE", "the kind that is to be estimated" },
                                      { "denominator", "VALUE", "the kind that a survey has estimated" },
                                      { "by", "COL", "groups (sex, age, region)" },
                                      { "organisation", "COL", "who recorded the case: dispersion, and bounds with one left out" },
                                      { "count", "COL", "cases in each row; default: every row counts one" },
                                      { "level", "P", "confidence level; default 0.95" },
                                      { NULL, NULL, NULL } };

su_status su_command_odds(su_cli *cli)
{
    su_analysis a = { 0 };
    su_odds_options o = { 0 };
    const char *numerator = NULL, *denominator = NULL;
    size_t n;
    su_result *r = su_result_new("odds", "Odds in a case file");
    su_status st = su_cli_positionals(cli, 1, 1);
    if (!st) st = su_cli_need(cli, "numerator", &numerator);
    if (!st) st = su_cli_need(cli, "denominator", &denominator);
    if (!st) st = su_level_option(cli, &o.level);
    if (!st) st = su_analysis_open(cli, cli->positional[0], &a);
    if (!st) st = su_columns_option(cli, a.frame, "kind", 1, 1, &o.kind, &n);
    if (!st) st = su_frame_as_factor(&cli->ctx, a.frame, o.kind, &o.kind);
    if (!st) st = su_analysis_factor(cli, &a, "by", &o.by);
    if (!st) st = su_analysis_factor(cli, &a, "organisation", &o.organisation);
    if (!st) st = numeric(cli, &a, "count", &o.count);
    o.numerator = su_str_of(numerator);
    o.denominator = su_str_of(denominator);
    if (!st) {
        st = su_case_odds(&cli->ctx, a.frame, &o, r);
        st = su_in_file(cli, a.raw, st);
    }
    if (!st) st = su_analysis_print(cli, a.frame, 0, r);
    su_result_free(r);
    su_analysis_free(&a);
    return st;
}
