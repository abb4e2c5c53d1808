#include "flow_options.h"

#include <string.h>

const su_option su_options_trend[] = { SU_OPTIONS_SERIES,
                                       { "model", "nb|poisson", "distribution of the counts; default nb (negative binomial)" },
                                       { "se", "model|quasi|hc0|newey-west", "standard errors; default model" },
                                       { "lag", "N", "periods that newey-west looks back; default 3" },
                                       { "harmonics", "N",
                                         "sine and cosine pairs a year; default 1 where the times have seasons, otherwise 0" },
                                       { "break", "PERIOD", "level shift from this period on" },
                                       { "forecast", "N", "periods ahead" },
                                       { "holt-winters", NULL, "forecast by Holt-Winters smoothing instead of the model" },
                                       { "decompose", NULL, "seasonal figures by STL and by the classical decomposition" },
                                       { "additive", NULL, "seasons add to the trend; default: they multiply it" },
                                       { "series", NULL, "print the series itself" },
                                       { "level", "P", "confidence level; default 0.95" },
                                       { NULL, NULL, NULL } };

static su_status choose(su_cli *cli, const char *option, const char *const *names, size_t count, size_t *out)
{
    const char *given = su_cli_option(cli, option);
    for (size_t i = 0; given && i < count; i++)
        if (strcmp(names[i], given) == 0) {
            *out = i;
            return SU_OK;
        }
    return given ? su_fail(&cli->ctx, SU_USAGE, "--%s '%s' is not known; see suha %s --help", option, given, cli->command->name) : SU_OK;
}

static su_status break_option(su_cli *cli, const su_series *s, su_trend_options *o)
{
    const char *text = su_cli_option(cli, "break");
    su_period p;
    if (!text) return SU_OK;
    if (s->shift) return su_fail(&cli->ctx, SU_USAGE, "give --break or --shift, not both");
    if (!su_period_parse(su_str_of(text), &p)) return su_fail(&cli->ctx, SU_USAGE, "--break '%s' is no period", text);
    if (p.kind == 'y' && s->kind == 'n') p.kind = 'n';
    if (p.kind != s->kind) return su_fail(&cli->ctx, SU_USAGE, "--break '%s' is not written as the times of the file are", text);
    o->has_break = true;
    o->break_at = p.ordinal;
    o->shift_name = text;
    return SU_OK;
}

static su_status trend_options(su_cli *cli, const su_series *s, su_trend_options *o)
{
    static const char *const models[] = { "nb", "poisson" }, *const errors[] = { "model", "quasi", "hc0", "newey-west" };
    size_t model = 0, se = 0;
    int64_t lag, harmonics, ahead;
    su_status st = choose(cli, "model", models, 2, &model);
    if (!st) st = choose(cli, "se", errors, 4, &se);
    if (!st) st = su_cli_integer(cli, "lag", 0, 1000, 3, &lag);
    if (!st) st = su_cli_integer(cli, "harmonics", 0, 16, s->period >= 4 && s->n >= 2 * s->period ? 1 : 0, &harmonics);
    if (!st) st = su_cli_integer(cli, "forecast", 0, 1000, 0, &ahead);
    if (!st) st = su_level_option(cli, &o->level);
    if (st) return st;
    o->family = model ? SU_COUNT_POISSON : SU_COUNT_NEGATIVE_BINOMIAL;
    o->errors = (su_counts_errors)se;
    if (o->errors == SU_ERRORS_QUASI && !model) {
        if (su_cli_option(cli, "model")) return su_fail(&cli->ctx, SU_USAGE, "--se quasi goes with --model poisson");
        o->family = SU_COUNT_POISSON;
    }
    o->lag = (unsigned)lag;
    o->harmonics = (unsigned)harmonics;
    o->ahead = (unsigned)ahead;
    o->holt_winters = su_cli_switch(cli, "holt-winters");
    o->decompose = su_cli_switch(cli, "decompose");
    o->product = !su_cli_switch(cli, "additive");
    o->print_series = su_cli_switch(cli, "series") || su_cli_option(cli, "report");
    o->calendar_exposure = su_cli_option(cli, "exposure") && strcmp(su_cli_option(cli, "exposure"), "days") == 0;
    o->count_name = su_cli_option(cli, "count");
    if (s->shift) o->shift_name = su_cli_option(cli, "shift");
    return o->holt_winters && !o->ahead ? su_fail(&cli->ctx, SU_USAGE, "--holt-winters needs --forecast N") : break_option(cli, s, o);
}

su_status su_command_trend(su_cli *cli)
{
    su_analysis a = { 0 };
    su_series *s = NULL;
    su_trend_options o = { 0 };
    su_result *r = su_result_new("trend", "Trend of counts");
    su_status st = su_series_open(cli, &a, &s);
    if (!st) st = trend_options(cli, s, &o);
    if (!st) st = su_trend(&cli->ctx, s, &o, r);
    if (!st) st = su_analysis_print(cli, a.frame, 0, r);
    su_series_free(s);
    su_result_free(r);
    su_analysis_free(&a);
    return st;
}
