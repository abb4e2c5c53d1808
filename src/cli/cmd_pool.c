#include "flow_options.h"

#include <suha/impute.h>

#include <math.h>

const su_option su_options_pool[] = { SU_OPTIONS_ANALYSIS,
                                      { "imputation", "COL",
                                        "number of the completion; default .imp (0 = the incomplete original, left out)" },
                                      { "formula", "'y ~ a + b'", "model to fit in every completion" },
                                      { "linear", NULL, "the outcome is a number; default: yes or no (logistic)" },
                                      { "event", "VALUE", "outcome category that counts as yes" },
                                      { "weight", "COL", "survey weight" },
                                      { "strata", "COL", "stratum" },
                                      { "psu", "COL", "primary sampling unit" },
                                      { "cluster", "COL", "or: cluster-robust variance" },
                                      { "test", "TERM[,TERM]", "terms tested as a whole (D1)" },
                                      { "term", "COL", "instead of --formula: pool a file of estimates; its term" },
                                      { "estimate", "COL", "the estimate" },
                                      { "se", "COL", "its standard error" },
                                      { "complete-df", "N", "with estimates: degrees of freedom if nothing were missing" },
                                      { "level", "P", "confidence level; default 0.95" },
                                      { NULL, NULL, NULL } };

static su_status pool_estimates(su_cli *cli, su_analysis *a, double level, su_result *r)
{
    const su_variable *v[3] = { NULL };
    static const char *const options[3] = { "term", "estimate", "se" };
    size_t n;
    double df = INFINITY;
    su_status st = su_cli_real(cli, "complete-df", INFINITY, &df);
    for (size_t k = 0; !st && k < 3; k++) st = su_columns_option(cli, a->frame, options[k], 1, 1, &v[k], &n);
    if (!st && !(df > 0)) st = su_fail(&cli->ctx, SU_REFUSED, "--complete-df must be above zero");
    return st ? st : su_pool_estimates(&cli->ctx, a->frame, v[0], v[1], v[2], df, level, r);
}

static su_status pool_formula(su_cli *cli, su_analysis *a, double level, su_result *r)
{
    su_pool_options o = { .formula = su_cli_option(cli, "formula"),
                          .linear = su_cli_switch(cli, "linear"),
                          .event = su_cli_option(cli, "event"),
                          .level = level };
    su_str *words = NULL;
    const char *name = su_cli_option(cli, "imputation");
    su_status st = su_frame_find(&cli->ctx, a->frame, su_str_of(name ? name : ".imp"), &o.imputation);
    if (st) return su_fail_prefix(&cli->ctx, "--imputation: ");
    st = su_analysis_variable(cli, a, "weight", &o.weight);
    if (!st) st = su_analysis_variable(cli, a, "strata", &o.strata);
    if (!st) st = su_analysis_variable(cli, a, "psu", &o.psu);
    if (!st) st = su_analysis_variable(cli, a, "cluster", &o.cluster);
    if (!st && o.cluster && (o.weight || o.strata || o.psu))
        st = su_fail(&cli->ctx, SU_USAGE, "give --cluster, or a design (--weight, --strata, --psu), not both");
    if (!st) st = su_cli_words(cli, "test", &words, &o.test_count);
    const char **tests = su_arena_array(&cli->arena, o.test_count + 1, sizeof *tests);
    for (size_t k = 0; !st && k < o.test_count; k++) tests[k] = words[k].p;
    o.tests = tests;
    return st ? st : su_pool_formula(&cli->ctx, a->frame, &o, r);
}

su_status su_command_pool(su_cli *cli)
{
    su_analysis a = { 0 };
    double level;
    su_result *r = su_result_new("pool", "Pooled over completions");
    bool formula = su_cli_option(cli, "formula") != NULL;
    su_status st = su_cli_positionals(cli, 1, 1);
    if (!st) st = su_level_option(cli, &level);
    if (!st && formula == (su_cli_option(cli, "term") != NULL))
        st = su_fail(&cli->ctx, SU_USAGE,
                     "give --formula for a file of completions, or --term, --estimate and --se for a file of estimates");
    if (!st) st = su_analysis_open(cli, cli->positional[0], &a);
    if (!st) {
        st = formula ? pool_formula(cli, &a, level, r) : pool_estimates(cli, &a, level, r);
        if (st != SU_USAGE) st = su_in_file(cli, a.raw, st);
    }
    if (!st) st = su_analysis_print(cli, a.frame, 0, r);
    su_result_free(r);
    su_analysis_free(&a);
    return st;
}
