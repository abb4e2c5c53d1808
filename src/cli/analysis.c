#include "analysis.h"

#include <math.h>
#include <string.h>

/* ---- lists in options ------------------------------------------------------------------------------------------------------- */

su_status su_cli_words(su_cli *cli, const char *option, su_str **words, size_t *count)
{
    const char *text = su_cli_option(cli, option);
    *count = 0;
    *words = NULL;
    if (!text) return SU_OK;
    *words = su_arena_array(&cli->arena, strlen(text) + 1, sizeof **words);
    for (const char *p = text;;) {
        const char *start = p;
        bool quoted = false;
        for (; *p && (quoted || *p != ','); p++) quoted ^= *p == '"';
        su_str word = su_str_trim((su_str) { start, (size_t)(p - start) });
        if (word.n >= 2 && word.p[0] == '"' && word.p[word.n - 1] == '"') word = (su_str) { word.p + 1, word.n - 2 };
        if (!word.n)
            return su_fail(&cli->ctx, SU_USAGE, "--%s '%s' has an empty word; write words with a comma between them", option, text);
        (*words)[(*count)++] = (su_str) { su_arena_strndup(&cli->arena, word.p, word.n), word.n };
        if (!*p) return SU_OK;
        p++;
    }
}

su_status su_cli_reals(su_cli *cli, const char *option, double **numbers, size_t *count)
{
    su_str *words = NULL;
    su_status st = su_cli_words(cli, option, &words, count);
    *numbers = su_arena_array(&cli->arena, *count ? *count : 1, sizeof **numbers);
    for (size_t i = 0; !st && i < *count; i++)
        if (!su_parse_f64(words[i], &(*numbers)[i])) st = su_fail(&cli->ctx, SU_USAGE, "--%s: '%s' is not a number", option, words[i].p);
    return st;
}

/* "-99", "-98=refused" */
static su_status missing_codes(su_cli *cli, su_frame_options *out)
{
    su_str *words = NULL;
    size_t count = 0;
    su_status st = su_cli_words(cli, "missing", &words, &count);
    su_missing *list = su_arena_array(&cli->arena, count ? count : 1, sizeof *list);
    for (size_t i = 0; !st && i < count; i++) {
        char *equals = strchr((char *)words[i].p, '=');
        list[i] = (su_missing) { words[i].p, SU_CELL_NOT_RECORDED };
        if (!equals) continue;
        if (!su_cell_reason_parse(su_str_of(equals + 1), &list[i].reason))
            st =
                su_fail(&cli->ctx, SU_USAGE,
                        "--missing: '%s' is no reason; reasons are not recorded, unknown, refused, not applicable, suppressed", equals + 1);
        *equals = '\0';
    }
    *out = (su_frame_options) { list, (uint32_t)count };
    return st;
}

/* ---- reading ---------------------------------------------------------------------------------------------------------------- */

/* A code such as -99 that slips into a mean does more harm than a note that was not needed. */
static void look_for_codes(su_cli *cli, const su_analysis *a)
{
    static const double suspects[] = { -99, -98, -97, -999, 999, 9999 };
    for (uint32_t v = 0; v < a->frame->count; v++) {
        const su_variable *variable = &a->frame->variables[v];
        uint32_t distinct = su_dict_count(a->raw->columns[v].values);
        double low = INFINITY, high = -INFINITY, found = NAN;
        if (variable->kind != SU_VARIABLE_NUMBER) continue;
        for (uint32_t i = 0; i < distinct; i++) {
            double x = variable->number[i];
            bool suspect = false;
            for (size_t s = 0; s < sizeof suspects / sizeof *suspects; s++) suspect |= x == suspects[s];
            if (suspect)
                found = x;
            else if (!isnan(x)) {
                low = fmin(low, x);
                high = fmax(high, x);
            }
        }
        if (!isnan(found) && (found < 0 ? low >= 0 : high < found / 5))
            su_log(&cli->ctx, "note: column '%s' has the value %g far from its others; if it means missing, say --missing %g",
                   variable->name, found, found);
    }
}

/* The line of the first cell with this text. */
static uint32_t line_of_cell(const su_raw_table *raw, uint32_t column, const char *text)
{
    const su_raw_column *c = &raw->columns[column];
    for (uint64_t row = 0; row < raw->row_count; row++)
        if (su_str_equal(su_str_trim(su_dict_get(c->values, c->ids[row])), su_str_of(text))) return raw->row_line[row];
    return 0;
}

/* A column of numbers that one cell turned into text would fail much later with a message about categories. "NA" among codes of countries is
 * read as Namibia, which has to be said. */
static void look_for_strays(su_cli *cli, const su_analysis *a)
{
    for (uint32_t v = 0; v < a->frame->count; v++) {
        const su_variable *variable = &a->frame->variables[v];
        uint32_t numbers = 0, others = 0, stray = 0;
        double x;
        if (variable->kind != SU_VARIABLE_FACTOR) continue;
        for (uint32_t k = 0; k < variable->level_count; k++) {
            if (su_parse_f64(su_str_of(variable->levels[k]), &x)) {
                numbers++;
                continue;
            }
            if (!others++) stray = k;
            if (strcmp(variable->levels[k], "NA") == 0 && !a->schema)
                su_log(&cli->ctx,
                       "note: column '%s' holds codes of two letters, so NA is read as Namibia; if it means missing, say --missing NA",
                       variable->name);
        }
        if (others && numbers >= 10 && numbers >= 4 * others)
            su_log(&cli->ctx, "note: column '%s' is read as text because of '%s' (line %u)%s; if it means missing, say --missing '%s'",
                   variable->name, variable->levels[stray], line_of_cell(a->raw, v, variable->levels[stray]),
                   others > 1 ? " and other cells" : "", variable->levels[stray]);
    }
}

su_status su_analysis_open(su_cli *cli, const char *path, su_analysis *a)
{
    su_read_options read = { .sheet = su_cli_option(cli, "sheet") };
    su_frame_options options = { 0 };
    const char *schema = su_cli_option(cli, "schema");
    su_status st = missing_codes(cli, &options);
    if (!st) st = su_table_read(&cli->ctx, path, &read, &a->raw);
    if (!st && schema) st = su_cli_schema(cli, schema, a->raw, &a->schema);
    if (!st) st = su_frame_of_table_with(&cli->ctx, a->raw, a->schema, &options, &a->frame);
    if (!st && schema) su_analysis_mix(a, &a->schema->fingerprint);
    if (!st) look_for_codes(cli, a);
    if (!st) look_for_strays(cli, a);
    return st;
}

void su_analysis_mix(su_analysis *a, const su_sha256 *fingerprint)
{
    su_sha256 both[2] = { a->frame->fingerprint, *fingerprint };
    a->frame->fingerprint = su_sha256_of(both, sizeof both);
}

void su_analysis_free(su_analysis *a)
{
    su_frame_free(a->frame);
    su_raw_table_free(a->raw);
    su_schema_free(a->schema);
    *a = (su_analysis) { 0 };
}

su_status su_analysis_variable(su_cli *cli, su_analysis *a, const char *option, const su_variable **out)
{
    const char *name = su_cli_option(cli, option);
    *out = NULL;
    if (!name) return SU_OK;
    su_status st = su_frame_find(&cli->ctx, a->frame, su_str_of(name), out);
    return st ? su_fail_prefix(&cli->ctx, "--%s: ", option) : SU_OK;
}

su_status su_analysis_factor(su_cli *cli, su_analysis *a, const char *option, const su_variable **out)
{
    const su_variable *v = NULL;
    *out = NULL;
    su_status st = su_analysis_variable(cli, a, option, &v);
    return st || !v ? st : su_frame_as_factor(&cli->ctx, a->frame, v, out);
}

/* ---- printing --------------------------------------------------------------------------------------------------------------- */

/* The options given, but those that change nothing in the result (json, threads, report), as one line: for the reproducibility hash. */
static const char *analysis_specification(su_cli *cli)
{
    static const char *const apart[] = { "json", "threads", "report", "help", "out" };
    static const char *const paths[] = { "margins", "release" };
    su_buf text = { 0 };
    su_buf_text(&text, cli->command->name);
    for (int i = 1; i < cli->positional_count; i++) su_buf_printf(&text, " %s", cli->positional[i]);
    for (const su_option *o = cli->command->options; o && o->name; o++) {
        const char *value = su_cli_option(cli, o->name);
        bool skip = !value;
        for (size_t k = 0; k < sizeof apart / sizeof *apart; k++) skip |= strcmp(o->name, apart[k]) == 0;
        for (size_t k = 0; k < sizeof paths / sizeof *paths; k++) /* where a file lies is not what was asked */
            if (value && strcmp(o->name, paths[k]) == 0) value = su_path_base(value);
        if (!skip) su_buf_printf(&text, " --%s %s", o->name, value);
    }
    char *kept = su_arena_strndup(&cli->arena, text.p, text.n);
    su_buf_free(&text);
    return kept;
}

su_status su_analysis_print(su_cli *cli, const su_frame *frame, uint64_t seed, su_result *r)
{
    const char *report = su_cli_option(cli, "report");
    su_status st = SU_OK;
    su_result_hash(r, frame ? &frame->fingerprint : NULL, analysis_specification(cli), seed);
    if (report) {
        su_buf page = { 0 };
        su_result_print_html(r, &page);
        st = su_file_write(&cli->ctx, report, page.p, page.n, 0644);
        su_buf_free(&page);
    }
    if (cli->json)
        su_result_print_json(r, &cli->out);
    else
        su_result_print_text(r, &cli->out);
    return st;
}
