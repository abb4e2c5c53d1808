#include "design_options.h"

#include <string.h>

const su_option su_options_compare[] = { { "outcome", "Y[=VALUE]", "what is counted or averaged" },
                                         { "by", "G[,G]", "groups to compare" },
                                         { "reference", "LEVEL", "the group that others are compared with; default the first" },
                                         { "within", "COND", "only rows where it holds: sex=female,age>=18,route=CMR|EMR" },
                                         { "stratify", "COL", "Mantel-Haenszel odds ratio of two groups over these strata" },
                                         { "trend", NULL,
                                           "trend over the groups in their order (scores 1, 2, ... or the groups' numbers)" },
                                         { "scores", "X,X,...", "scores of the groups for --trend" },
                                         { "level", "P", "confidence level; default 0.95" },
                                         { "min-cell", "K", "hide groups with fewer cases or non-cases; default 0 = none" },
                                         SU_OPTIONS_DESIGN,
                                         SU_OPTIONS_ANALYSIS,
                                         { NULL, NULL, NULL } };

static su_status read_scores(su_cli *cli, const su_variable *by, const double **out)
{
    double *scores = NULL;
    size_t count = 0;
    *out = NULL;
    su_status st = su_cli_reals(cli, "scores", &scores, &count);
    if (st || (!count && !su_cli_switch(cli, "trend"))) return st;
    if (count && count != by->level_count)
        return su_fail(&cli->ctx, SU_USAGE, "--scores has %zu numbers for %u groups of '%s'", count, by->level_count, by->name);
    if (!count) {
        bool numbers = true;
        scores = su_arena_array(&cli->arena, by->level_count, sizeof *scores);
        for (uint32_t i = 0; i < by->level_count; i++) numbers &= su_parse_f64(su_str_of(by->levels[i]), &scores[i]);
        for (uint32_t i = 0; !numbers && i < by->level_count; i++) scores[i] = i + 1;
    }
    *out = scores;
    return SU_OK;
}

static su_status read_options(su_cli *cli, su_analysis *a, su_compare_options *o)
{
    const char *outcome = NULL, *by = NULL;
    int64_t least = 0;
    su_status st = su_cli_need(cli, "outcome", &outcome);
    if (!st) st = su_cli_need(cli, "by", &by);
    if (!st) st = su_cli_outcome(cli, a, su_str_of(outcome), &o->outcome);
    if (!st) st = su_cli_groups(cli, a, "by", &o->by);
    if (!st) st = su_cli_within(cli, a, &o->within, &o->within_text);
    if (!st) st = su_analysis_factor(cli, a, "stratify", &o->strata);
    if (!st) st = su_cli_level(cli, &o->level);
    if (!st) st = su_cli_integer(cli, "min-cell", 0, 1000000, 0, &least);
    if (!st) st = read_scores(cli, o->by, &o->scores);
    o->min_cell = (uint64_t)least;
    o->reference = su_cli_option(cli, "reference");
    return st;
}

su_status su_command_compare(su_cli *cli)
{
    su_analysis a = { 0 };
    su_cli_design d = { 0 };
    su_compare_options o = { 0 };
    su_result *r = NULL;
    su_status st = su_cli_positionals(cli, 1, 1);
    if (!st) st = su_analysis_open(cli, cli->positional[0], &a);
    if (!st) st = read_options(cli, &a, &o);
    if (!st) st = su_cli_design_open(cli, &a, &d);
    o.design_given = d.given;
    o.nonprobability = d.nonprobability;
    if (!st) st = su_compare_result(&cli->ctx, a.frame, d.design, &o, &r);
    if (!st) st = su_analysis_print(cli, a.frame, 0, r);
    su_result_free(r);
    su_cli_design_free(&d);
    su_analysis_free(&a);
    return st;
}
