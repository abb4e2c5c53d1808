#include "flow_options.h"

#include <suha/area.h>

#include <string.h>

const su_option su_options_smallarea[] = { SU_OPTIONS_ANALYSIS,
                                           { "area", "COL", "name of the area" },
                                           { "estimate", "COL", "direct estimate; empty = no sample, to be extrapolated" },
                                           { "variance", "COL", "its sampling variance" },
                                           { "se", "COL", "or: its standard error" },
                                           { "size", "COL", "sample size, for areas whose variance is 0" },
                                           { "smooth", NULL, "smooth all sampling variances by the sample size" },
                                           { "predictors", "COL[,COL]", "what the areas are known by" },
                                           { "method", "reml|ml|dl|pm|adjusted", "variance between areas; default reml" },
                                           { "level", "P", "confidence level; default 0.95" },
                                           { NULL, NULL, NULL } };

static su_status method_option(su_cli *cli, su_area_method *out)
{
#define SU_AREA_NAME(id, name, about) name,
    static const char *const names[] = { SU_AREA_LIST(SU_AREA_NAME) };
#undef SU_AREA_NAME
    const char *given = su_cli_option(cli, "method");
    for (size_t k = 0; given && k < sizeof names / sizeof *names; k++)
        if (strcmp(names[k], given) == 0) {
            *out = (su_area_method)k;
            return SU_OK;
        }
    return given ? su_fail(&cli->ctx, SU_USAGE, "--method '%s' is not known; methods are reml, ml, dl, pm, adjusted", given) : SU_OK;
}

su_status su_command_smallarea(su_cli *cli)
{
    su_analysis a = { 0 };
    su_area_options o = { .smooth = su_cli_switch(cli, "smooth"), .variance_is_error = su_cli_option(cli, "se") != NULL };
    const su_variable *predictors[64];
    size_t n;
    su_result *r = su_result_new("smallarea", "Small areas");
    su_status st = su_cli_positionals(cli, 1, 1);
    if (!st) st = su_level_option(cli, &o.level);
    if (!st) st = method_option(cli, &o.method);
    if (!st && o.variance_is_error == (su_cli_option(cli, "variance") != NULL))
        st = su_fail(&cli->ctx, SU_USAGE, "give --variance or --se, one of them");
    if (!st) st = su_analysis_open(cli, cli->positional[0], &a);
    if (!st) st = su_columns_option(cli, a.frame, "area", 1, 1, &o.area, &n);
    if (!st) st = su_columns_option(cli, a.frame, "estimate", 1, 1, &o.estimate, &n);
    if (!st) st = su_columns_option(cli, a.frame, o.variance_is_error ? "se" : "variance", 1, 1, &o.variance, &n);
    if (!st) st = su_columns_option(cli, a.frame, "size", 0, 1, &o.size, &n);
    if (!st) st = su_columns_option(cli, a.frame, "predictors", 0, 64, predictors, &o.predictor_count);
    if (!st && o.size && o.size->kind != SU_VARIABLE_NUMBER)
        st = su_fail(&cli->ctx, SU_INPUT, "--size: column '%s' holds text", o.size->name);
    o.predictors = predictors;
    if (!st) {
        st = su_small_areas(&cli->ctx, a.frame, &o, r);
        st = su_in_file(cli, a.raw, st);
    }
    if (!st) st = su_analysis_print(cli, a.frame, 0, r);
    su_result_free(r);
    su_analysis_free(&a);
    return st;
}
