#include "cli.h"

#include <suha/count.h>

#include <string.h>

const su_option su_options_count[] = { SU_OPTIONS_SOURCE,
                                       { "length", "R", "longest combination, 1 to 8; default 3" },
                                       { "min", "K", "smallest count reported; default 1" },
                                       { "out", "FILE", "tab-separated combination, length, count; default stdout" },
                                       { NULL, NULL, NULL } };

typedef struct writer {
    const su_code_matrix *matrix;
    su_buf *text;
} writer;

static void write_combination(void *arg, const su_combination *c)
{
    writer *w = arg;
    for (uint32_t i = 0; i < c->length; i++) {
        if (i) su_buf_char(w->text, ';');
        su_buf_escape(w->text, w->matrix->columns[c->at[i].column].name, ";=");
        su_buf_char(w->text, '=');
        su_buf_escape(w->text, su_matrix_value(w->matrix, c->at[i].column, c->at[i].value), ";=");
    }
    su_buf_printf(w->text, "\t%u\t%llu\n", c->length, (unsigned long long)c->count);
}

static void totals_json(su_cli *cli, const su_code_matrix *m, uint32_t length, const uint64_t *totals)
{
    su_json j;
    su_json_init(&j, &cli->out);
    su_json_object(&j);
    su_json_kv_int(&j, "records", (int64_t)m->row_count);
    su_json_kv_int(&j, "columns", m->column_count);
    su_json_key(&j, "combinations");
    su_json_object(&j);
    for (uint32_t l = 1; l <= length; l++) {
        char key[8];
        snprintf(key, sizeof key, "%u", l);
        su_json_kv_int(&j, key, (int64_t)totals[l - 1]);
    }
    su_json_end(&j);
    su_json_end(&j);
    su_buf_char(&cli->out, '\n');
}

static su_status count_and_write(su_cli *cli, const su_code_matrix *m, const su_count_options *options)
{
    const char *out = su_cli_option(cli, "out");
    uint64_t totals[SU_MAX_LENGTH] = { 0 };
    su_buf text = { 0 };
    writer w = { m, &text };
    bool quiet = !out && cli->json;
    if (!quiet) su_buf_text(&text, "combination\tlength\tcount\n");
    su_status st = su_count_combinations(&cli->ctx, m, options, quiet ? NULL : write_combination, &w, totals);
    /* Exact counts of case data: whoever asks for the file gets it, readable by its owner only. */
    if (!st && out) st = su_file_write(&cli->ctx, out, text.p, text.n, 0600);
    if (!st && !out && !cli->json) su_buf_add(&cli->out, text.p, text.n);
    if (!st && cli->json) totals_json(cli, m, options->length, totals);
    for (uint32_t l = 1; !st && l <= options->length; l++)
        su_log(&cli->ctx, "length %u: %llu combinations", l, (unsigned long long)totals[l - 1]);
    su_wipe(text.p, text.n);
    su_buf_free(&text);
    return st;
}

su_status su_command_count(su_cli *cli)
{
    su_source s = { .nameless = true, .emptied = true }; /* it is only counted */
    su_code_matrix *m = NULL;
    int64_t length = 3, least = 1;
    su_status st = su_cli_positionals(cli, 1, 1);
    if (!st) st = su_cli_integer(cli, "length", 1, SU_MAX_LENGTH, 3, &length);
    if (!st) st = su_cli_integer(cli, "min", 1, INT64_MAX, 1, &least);
    if (!st) st = su_source_load(cli, cli->positional[0], &s);
    if (!st) st = su_code_matrix_of(&cli->ctx, s.cases, &m);
    su_count_options options = { .length = (uint32_t)length, .min_count = (uint64_t)least };
    if (!st) st = count_and_write(cli, m, &options);
    su_code_matrix_free(m);
    su_source_free(&s);
    return st;
}
