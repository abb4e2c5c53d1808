/* official: published statistics: series, shares, decisions, backlog, delays, revisions. */
#include "flow_options.h"

#include <suha/official.h>

#include <stdlib.h>
#include <string.h>

#define OPTIONS_TIME                                                                                                                       \
    SU_OPTIONS_ANALYSIS, { "where", "COL=VALUE[,COL=VALUE]", "only rows with these values" },                                              \
    {                                                                                                                                      \
        "time", "COL[,COL]", "period of each row, or year and quarter (or month); rows called Total are left out"                          \
    }

const su_option su_options_official_series[] = {
    OPTIONS_TIME, { "count", "COL", "people in each row; default: every row counts one" }, { "by", "COL", "groups" }, { NULL, NULL, NULL }
};
const su_option su_options_official_shares[] = { SU_OPTIONS_ANALYSIS,
                                                 { "where", "COL=VALUE[,COL=VALUE]", "only rows with these values" },
                                                 { "by", "COL", "the column" },
                                                 { "count", "COL", "people in each row; default: every row counts one" },
                                                 { NULL, NULL, NULL } };
const su_option su_options_official_decisions[] = { OPTIONS_TIME,
                                                    { "outcome", "COL",
                                                      "one row per outcome; default: columns named positive and negative" },
                                                    { "positive", "VALUE", "its positive value" },
                                                    { "negative", "VALUE", "its negative value" },
                                                    { "count", "COL", "decisions in each row; default: every row counts one" },
                                                    { NULL, NULL, NULL } };
const su_option su_options_official_backlog[] = { OPTIONS_TIME,
                                                  { "count", "COL", "cases received, in the first file" },
                                                  { "decided", "COL", "cases decided, in the second" },
                                                  { "opening", "N", "cases open at the start; default 0" },
                                                  { NULL, NULL, NULL } };
const su_option su_options_official_delays[] = { SU_OPTIONS_ANALYSIS,
                                                 { "received", "COL", "date of receipt" },
                                                 { "decided", "COL", "date of decision; empty = open" },
                                                 { "until", "DATE", "open cases as of this day; default: the last date in the file" },
                                                 { "target", "DAYS", "share decided within so many days" },
                                                 { "by", "COL", "groups" },
                                                 { "level", "P", "confidence level; default 0.95" },
                                                 { NULL, NULL, NULL } };
const su_option su_options_official_revisions[] = { { "key", "COL[,COL]", "columns that say what a row is" },
                                                    { "sheet", "NAME", "sheet of both workbooks" },
                                                    { "report", "FILE.html", "also write a page" },
                                                    { NULL, NULL, NULL } };

static su_status numeric(su_cli *cli, const su_frame *f, const char *option, bool needed, const su_variable **out)
{
    size_t n;
    *out = NULL;
    su_status st = su_columns_option(cli, f, option, needed, 1, out, &n);
    if (!st && *out && (*out)->kind != SU_VARIABLE_NUMBER)
        st = su_fail(&cli->ctx, SU_INPUT, "--%s: column '%s' holds text; numbers are needed", option, (*out)->name);
    return st;
}

/* --time and --where of a frame. */
static su_status time_input(su_cli *cli, const su_frame *f, su_series_input *in)
{
    const su_variable *time[2] = { NULL, NULL };
    su_filter *filters = NULL;
    size_t n;
    *in = (su_series_input) { .exclude_margins = true };
    su_status st = su_columns_option(cli, f, "time", 1, 2, time, &n);
    if (!st) st = su_where_option(cli, f, &filters, &in->filter_count);
    in->time = time[0];
    in->within = time[1];
    in->filters = filters;
    return st;
}

static su_status finish(su_cli *cli, su_analysis *a, su_result *r, su_status st)
{
    if (!st) st = su_analysis_print(cli, a->frame, 0, r);
    su_result_free(r);
    su_analysis_free(a);
    return st;
}

su_status su_command_official_series(su_cli *cli)
{
    su_analysis a = { 0 };
    su_series_input in;
    const su_variable *by = NULL;
    su_result *r = su_result_new("official series", "Counts by period");
    su_status st = su_cli_positionals(cli, 1, 1);
    if (!st) st = su_analysis_open(cli, cli->positional[0], &a);
    if (!st) st = time_input(cli, a.frame, &in);
    if (!st) st = numeric(cli, a.frame, "count", false, &in.count);
    if (!st) st = su_analysis_factor(cli, &a, "by", &by);
    if (!st) st = su_in_file(cli, a.raw, su_official_series(&cli->ctx, a.frame, &in, by, r));
    return finish(cli, &a, r, st);
}

su_status su_command_official_shares(su_cli *cli)
{
    su_analysis a = { 0 };
    const su_variable *by = NULL, *count = NULL;
    su_filter *filters = NULL;
    size_t filter_count = 0, n;
    su_result *r = su_result_new("official shares", "Shares");
    su_status st = su_cli_positionals(cli, 1, 1);
    if (!st) st = su_analysis_open(cli, cli->positional[0], &a);
    if (!st) st = su_columns_option(cli, a.frame, "by", 1, 1, &by, &n);
    if (!st) st = su_frame_as_factor(&cli->ctx, a.frame, by, &by);
    if (!st) st = numeric(cli, a.frame, "count", false, &count);
    if (!st) st = su_where_option(cli, a.frame, &filters, &filter_count);
    if (!st) st = su_in_file(cli, a.raw, su_official_shares(&cli->ctx, a.frame, by, count, filters, filter_count, r));
    return finish(cli, &a, r, st);
}

su_status su_command_official_decisions(su_cli *cli)
{
    su_analysis a = { 0 };
    su_decisions_input in = { .positive = su_str_of(su_cli_option(cli, "positive")),
                              .negative = su_str_of(su_cli_option(cli, "negative")) };
    size_t n;
    su_result *r = su_result_new("official decisions", "Positive decisions");
    su_status st = su_cli_positionals(cli, 1, 1);
    if (!st) st = su_analysis_open(cli, cli->positional[0], &a);
    if (!st) st = time_input(cli, a.frame, &in.series);
    if (!st) st = su_columns_option(cli, a.frame, "outcome", 0, 1, &in.outcome, &n);
    if (!st && in.outcome && (!in.positive.n || !in.negative.n))
        st = su_fail(&cli->ctx, SU_USAGE, "--outcome needs --positive and --negative, the values that count as such");
    if (!st && in.outcome) st = su_frame_as_factor(&cli->ctx, a.frame, in.outcome, &in.outcome);
    if (!st) st = numeric(cli, a.frame, "count", false, &in.series.count);
    if (!st) st = su_in_file(cli, a.raw, su_official_decisions(&cli->ctx, a.frame, &in, r));
    return finish(cli, &a, r, st);
}

su_status su_command_official_backlog(su_cli *cli)
{
    su_analysis a = { 0 }, b = { 0 };
    su_series_input in;
    su_series *received = NULL, *decided = NULL;
    double opening;
    su_result *r = su_result_new("official backlog", "Backlog");
    su_status st = su_cli_positionals(cli, 2, 2);
    if (!st) st = su_cli_real(cli, "opening", 0, &opening);
    if (!st) st = su_analysis_open(cli, cli->positional[0], &a);
    if (!st) st = time_input(cli, a.frame, &in);
    if (!st) st = numeric(cli, a.frame, "count", false, &in.count);
    if (!st) st = su_in_file(cli, a.raw, su_series_of(&cli->ctx, a.frame, &in, &received));
    if (!st) st = su_analysis_open(cli, cli->positional[1], &b);
    if (!st) {
        size_t filters = in.filter_count; /* --where speaks of the first file */
        su_series_input other = { .exclude_margins = true };
        const su_variable *time[2] = { NULL, NULL };
        st = su_columns_option(cli, b.frame, "time", 1, 2, time, &filters);
        other.time = time[0];
        other.within = time[1];
        if (!st) st = numeric(cli, b.frame, "decided", true, &other.count);
        if (!st) {
            st = su_in_file(cli, b.raw, su_series_of(&cli->ctx, b.frame, &other, &decided));
        }
    }
    if (!st) st = su_official_backlog(&cli->ctx, received, decided, opening, r);
    su_series_free(received);
    su_series_free(decided);
    su_analysis_free(&b);
    return finish(cli, &a, r, st);
}

su_status su_command_official_delays(su_cli *cli)
{
    su_analysis a = { 0 };
    su_delays_input in = { .until = INT64_MIN };
    const char *until = su_cli_option(cli, "until");
    su_period p;
    size_t n;
    su_result *r = su_result_new("official delays", "Time to decision");
    su_status st = su_cli_positionals(cli, 1, 1);
    if (!st) st = su_level_option(cli, &in.level);
    if (!st) st = su_cli_real(cli, "target", 0, &in.target);
    if (!st && until && (!su_period_parse(su_str_of(until), &p) || p.kind != 'd'))
        st = su_fail(&cli->ctx, SU_USAGE, "--until '%s' is no date; write 2024-03-31", until);
    if (!st && until) in.until = p.ordinal;
    if (!st) st = su_analysis_open(cli, cli->positional[0], &a);
    if (!st) st = su_columns_option(cli, a.frame, "received", 1, 1, &in.received, &n);
    if (!st) st = su_columns_option(cli, a.frame, "decided", 1, 1, &in.decided, &n);
    if (!st) st = su_analysis_factor(cli, &a, "by", &in.by);
    if (!st) st = su_in_file(cli, a.raw, su_official_delays(&cli->ctx, a.frame, &in, r));
    return finish(cli, &a, r, st);
}

su_status su_command_official_revisions(su_cli *cli)
{
    su_raw_table *older = NULL, *newer = NULL;
    su_str *key = NULL;
    size_t count = 0;
    su_read_options read = { .sheet = su_cli_option(cli, "sheet") };
    su_result *r = su_result_new("official revisions", "What an edition changes");
    su_status st = su_cli_positionals(cli, 2, 2);
    if (!st) st = su_cli_words(cli, "key", &key, &count);
    if (!st) st = su_table_read(&cli->ctx, cli->positional[0], &read, &older);
    if (!st) st = su_table_read(&cli->ctx, cli->positional[1], &read, &newer);
    if (!st) st = su_official_revisions(&cli->ctx, older, newer, key, count, r);
    if (!st) {
        su_frame *f = su_frame_new(newer->row_count); /* carries the newer file's fingerprint into the hash */
        f->fingerprint = newer->fingerprint;
        st = su_analysis_print(cli, f, 0, r);
        su_frame_free(f);
    }
    su_raw_table_free(older);
    su_raw_table_free(newer);
    su_result_free(r);
    return st;
}
