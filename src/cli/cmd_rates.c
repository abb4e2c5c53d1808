#include "design_options.h"
#include "protected.h"

#include <math.h>
#include <string.h>

const su_option su_options_rates[] = {
    { "outcome", "Y[=VALUE],...", "what is counted (share of VALUE, of 1, or of every value), or averaged (numbers)" },
    { "by", "G[,G]", "groups, or the combinations of several columns" },
    { "within", "COND", "only rows where it holds: sex=female,age>=18,route=CMR|EMR" },
    { "ci", "METHOD",
      "korn-graubard, wilson, logit, beta, asin, mean, likelihood; without a design also clopper-pearson, "
      "agresti-coull, jeffreys, wilson-cc, poisson" },
    { "level", "P", "confidence level; default 0.95" },
    { "total", NULL, "weighted totals instead of rates and means" },
    { "ratio-to", "X", "ratio of sums: sum of Y / sum of X" },
    { "quantile", "P,P,...", "quantiles of Y: 0.25,0.5,0.75" },
    { "rule", "RULE", "of quantiles: math (default), school, hf1 to hf9, shahvaish" },
    SU_OPTIONS_REPLICATES,
    { "seed", "S", "of the bootstrap; default 1" },
    { "min-cell", "K", "hide what rests on fewer than K cases or non-cases; default 0 = nothing" },
    { "release", "DIR", "instead of FILE: the published counts of a release, with the noise in the intervals" },
    SU_OPTIONS_DESIGN,
    SU_OPTIONS_ANALYSIS,
    { NULL, NULL, NULL }
};

static su_status read_kind(su_cli *cli, su_analysis *a, su_rates_options *o)
{
    const char *rule = su_cli_option(cli, "rule");
    double *p = NULL;
    int kinds = su_cli_switch(cli, "total") + (su_cli_option(cli, "ratio-to") != NULL) + (su_cli_option(cli, "quantile") != NULL);
    if (kinds > 1) return su_fail(&cli->ctx, SU_USAGE, "--total, --ratio-to and --quantile exclude each other");
    if (su_cli_option(cli, "quantile") && su_cli_option(cli, "replicates"))
        return su_fail(&cli->ctx, SU_USAGE, "--quantile has Woodruff's interval from the design: leave --replicates out");
    su_status st = su_analysis_variable(cli, a, "ratio-to", &o->denominator);
    if (!st) st = su_cli_reals(cli, "quantile", &p, &o->quantile_count);
    o->quantiles = p;
    for (size_t i = 0; i < o->quantile_count && !st; i++)
        if (!(p[i] > 0 && p[i] < 1))
            st = su_fail(&cli->ctx, SU_REFUSED, "--quantile %g must lie between 0 and 1, for example 0.5 for the median", p[i]);
    if (!st && rule && !su_quantile_rule_parse(su_str_of(rule), &o->rule))
        st = su_fail(&cli->ctx, SU_USAGE, "--rule '%s' must be math, school, hf1 to hf9 or shahvaish", rule);
    if (!st && rule && !o->quantile_count) st = su_fail(&cli->ctx, SU_USAGE, "--rule needs --quantile");
    o->kind = su_cli_switch(cli, "total") ? SU_RATES_TOTAL
              : o->denominator            ? SU_RATES_RATIO
              : o->quantile_count         ? SU_RATES_QUANTILE
                                          : SU_RATES_AUTO;
    return st;
}

static su_status read_options(su_cli *cli, su_analysis *a, su_rates_options *o)
{
    const char *needed = NULL, *ci = su_cli_option(cli, "ci");
    su_str *words = NULL;
    size_t count = 0;
    int64_t least = 0;
    su_status st = su_cli_need(cli, "outcome", &needed);
    if (!st) st = su_cli_words(cli, "outcome", &words, &count);
    su_outcome *outcomes = su_arena_array(&cli->arena, count ? count : 1, sizeof *outcomes);
    for (size_t i = 0; i < count && !st; i++) st = su_cli_outcome(cli, a, words[i], &outcomes[i]);
    o->outcomes = outcomes;
    o->outcome_count = count;
    if (!st) st = su_cli_groups(cli, a, "by", &o->by);
    if (!st) st = su_cli_within(cli, a, &o->within, &o->within_text);
    if (!st) st = su_cli_level(cli, &o->level);
    if (!st) st = su_cli_integer(cli, "min-cell", 0, 1000000, 0, &least);
    if (!st) st = read_kind(cli, a, o);
    o->min_cell = (uint64_t)least;
    o->ci_given = ci != NULL;
    if (!st && ci && !su_ci_parse(su_str_of(ci), &o->ci))
        st = su_fail(&cli->ctx, SU_USAGE, "--ci '%s' is not known; suha rates --help lists the methods", ci);
    return st;
}

su_status su_command_rates(su_cli *cli)
{
    su_analysis a = { 0 };
    su_cli_design d = { 0 };
    su_rates_options o = { 0 };
    su_replicates *replicates = NULL;
    su_result *r = NULL;
    int64_t seed = 1;
    const char *release = su_cli_option(cli, "release");
    if (release) return su_cli_protected_rates(cli, release);
    su_status st = su_cli_positionals(cli, 1, 1);
    if (!st) st = su_cli_integer(cli, "seed", 0, INT64_MAX, 1, &seed);
    if (!st) st = su_analysis_open(cli, cli->positional[0], &a);
    if (!st) st = read_options(cli, &a, &o);
    if (!st) st = su_cli_design_open(cli, &a, &d);
    o.design_given = d.given;
    o.nonprobability = d.nonprobability;
    if (!st) st = su_cli_replicates(cli, d.design, (uint64_t)seed, &replicates, &o.replicate_name);
    o.replicates = replicates;
    if (!st) st = su_rates_result(&cli->ctx, a.frame, d.design, &o, &r);
    if (!st) st = su_analysis_print(cli, a.frame, (uint64_t)seed, r);
    su_result_free(r);
    su_replicates_free(replicates);
    su_cli_design_free(&d);
    su_analysis_free(&a);
    return st;
}
