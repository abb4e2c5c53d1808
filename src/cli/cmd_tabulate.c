#include "cli.h"

#include <string.h>

const su_option su_options_tabulate[] = { SU_OPTIONS_SOURCE,
                                          { "by", "col[,col]", "columns of the schema to count by" },
                                          { "group", "G", "question group: n, denominator and percentage per answer" },
                                          { NULL, NULL, NULL } };

static void as_csv(su_cli *cli, const su_tabulation *t, bool percent)
{
    for (uint32_t b = 0; b < t->by_count; b++) {
        su_buf_csv_safe(&cli->out, su_str_of(t->by[b]), ',');
        su_buf_char(&cli->out, ',');
    }
    su_buf_text(&cli->out, percent ? "count,denominator,percent\r\n" : "count\r\n");
    for (size_t r = 0; r < t->row_count; r++) {
        for (uint32_t b = 0; b < t->by_count; b++) {
            su_buf_csv_safe(&cli->out, su_str_of(t->keys[r * t->by_count + b]), ',');
            su_buf_char(&cli->out, ',');
        }
        su_buf_printf(&cli->out, "%llu", (unsigned long long)t->counts[r]);
        if (percent) su_buf_printf(&cli->out, ",%llu,%.6g", (unsigned long long)t->denominators[r], t->percent[r]);
        su_buf_text(&cli->out, "\r\n");
    }
}

static void as_json(su_cli *cli, const su_tabulation *t, bool percent)
{
    su_json j;
    su_json_init(&j, &cli->out);
    su_json_array(&j);
    for (size_t r = 0; r < t->row_count; r++) {
        su_json_object(&j);
        for (uint32_t b = 0; b < t->by_count; b++) su_json_kv_text(&j, t->by[b], t->keys[r * t->by_count + b]);
        su_json_kv_int(&j, "count", (int64_t)t->counts[r]);
        if (percent) {
            su_json_kv_int(&j, "denominator", (int64_t)t->denominators[r]);
            su_json_kv_real(&j, "percent", t->percent[r]);
        }
        su_json_end(&j);
    }
    su_json_end(&j);
    su_buf_char(&cli->out, '\n');
}

/* "a,b,c" into at most `most` names; the text is cut in place. */
static size_t split_names(char *text, const char **names, size_t most)
{
    size_t n = 0;
    for (char *at = text; at && *at && n < most;) {
        char *comma = strchr(at, ',');
        if (comma) *comma = '\0';
        su_str name = su_str_trim(su_str_of(at));
        ((char *)name.p)[name.n] = '\0';
        if (name.n) names[n++] = name.p;
        at = comma ? comma + 1 : NULL;
    }
    return n;
}

su_status su_command_tabulate(su_cli *cli)
{
    const char *by = su_cli_option(cli, "by"), *group = su_cli_option(cli, "group"), *names[16];
    su_source s = { 0 };
    su_tabulation *t = NULL;
    su_status st = su_cli_positionals(cli, 1, 1);
    if (!st && !by && !group) st = su_fail(&cli->ctx, SU_USAGE, "--by or --group is needed: suha tabulate %s", cli->command->arguments);
    if (!st) st = su_source_load(cli, cli->positional[0], &s);
    size_t count = st || !by ? 0 : split_names(su_arena_strndup(&cli->arena, by, strlen(by)), names, 16);
    if (!st && by && count == 0) st = su_fail(&cli->ctx, SU_USAGE, "--by '%s' names no column", by);
    if (!st) st = su_tabulate(&cli->ctx, s.cases, names, count, group, &t);
    if (!st) (cli->json ? as_json : as_csv)(cli, t, group != NULL);
    su_tabulation_free(t);
    su_source_free(&s);
    return st;
}
