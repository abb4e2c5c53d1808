#include "cli.h"

#include <string.h>

enum { MAPPING_LIMIT = 64 << 20 };

su_status su_source_read(su_cli *cli, const char *path, const char *schema, su_source *s)
{
    su_read_options read = { .sheet = su_cli_option(cli, "sheet") };
    int64_t header_rows = 1;
    su_status st = su_cli_integer(cli, "header-rows", 1, 2, 1, &header_rows);
    read.header_rows = (unsigned)header_rows;
    read.narrow = s->nameless;
    if (!st) st = su_table_read(&cli->ctx, path, &read, &s->raw);
    if (!st) st = su_cli_schema(cli, schema, s->raw, &s->schema);
    s->domain_from_data = strcmp(schema, "auto") == 0;
    return st;
}

/* A mapping is a file, or the name of one that ships with the schema ("example-harbour"). */
static su_status read_mapping(su_cli *cli, const char *name, su_source *s)
{
    su_str shipped;
    if (!strchr(name, '/') && !strchr(name, '.') &&
        su_instrument_resource(cli, su_arena_printf(&cli->arena, "%s/mappings/%s.csv", s->schema->name, name), &shipped))
        return su_mapping_parse(&cli->ctx, name, shipped, s->schema, &s->mapping);
    su_buf bytes = { 0 };
    su_status st = su_file_read(&cli->ctx, name, MAPPING_LIMIT, &bytes);
    if (!st) st = su_mapping_parse(&cli->ctx, name, (su_str) { bytes.p ? bytes.p : "", bytes.n }, s->schema, &s->mapping);
    su_buf_free(&bytes);
    return st;
}

su_status su_source_margins(su_cli *cli, su_margins *out)
{
    const char *text = su_cli_option(cli, "margins");
    *out = SU_MARGINS_REFUSE;
    if (!text || strcmp(text, "refuse") == 0) return SU_OK;
    if (strcmp(text, "exclude") != 0) return su_fail(&cli->ctx, SU_USAGE, "--margins '%s' must be refuse or exclude", text);
    *out = SU_MARGINS_EXCLUDE;
    return SU_OK;
}

su_status su_source_open(su_cli *cli, const char *path, const char *schema, const char *map, su_margins margins, su_source *s)
{
    su_harmonise_options options = { .margins = margins, .max_rejected = UINT64_MAX, .nameless = s->nameless, .narrow = s->nameless };
    su_status st = su_source_read(cli, path, schema, s);
    if (!st && map) st = read_mapping(cli, map, s);
    if (!st && s->raw->row_count == 0)
        st = su_fail(&cli->ctx, SU_INPUT, "%s has a header and no row below it; is this the right file%s?", s->raw->source,
                     s->raw->sheet ? " and sheet" : "");
    if (s->emptied) options.emptied = s->raw;
    if (!st) st = su_harmonise(&cli->ctx, s->raw, s->schema, s->mapping, &options, &s->cases, &s->report);
    return st;
}

su_status su_source_load(su_cli *cli, const char *path, su_source *s)
{
    const char *schema = NULL;
    su_margins margins = SU_MARGINS_REFUSE;
    su_status st = su_cli_need(cli, "schema", &schema);
    if (!st) st = su_source_margins(cli, &margins);
    return st ? st : su_source_open(cli, path, schema, su_cli_option(cli, "map"), margins, s);
}

void su_source_free(su_source *s)
{
    su_harmonise_report_free(s->report);
    su_case_table_free(s->cases);
    su_mapping_free(s->mapping);
    su_raw_table_free(s->raw);
    su_schema_free(s->schema);
    *s = (su_source) { 0 };
}
