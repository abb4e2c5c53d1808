#include "cli.h"

const su_option su_options_map_suggest[] = { { "schema", "S", "the schema to map to" },
                                             { "sheet", "NAME", "sheet of a workbook; default: the first with rows" },
                                             { "header-rows", "N", "1, or 2 for two merged header rows" },
                                             { NULL, NULL, NULL } };

su_status su_command_map_suggest(su_cli *cli)
{
    const char *schema = NULL;
    su_source s = { 0 };
    su_status st = su_cli_positionals(cli, 1, 1);
    if (!st) st = su_cli_need(cli, "schema", &schema);
    if (!st) st = su_source_read(cli, cli->positional[0], schema, &s);
    su_buf csv = { 0 };
    if (!st) st = su_mapping_suggest(&cli->ctx, s.raw, s.schema, &csv);
    if (!st && cli->json) {
        su_json j;
        su_json_init(&j, &cli->out);
        su_json_object(&j);
        su_json_kv_text(&j, "source", s.raw->source);
        su_json_kv_text(&j, "schema", s.schema->name);
        su_json_key(&j, "mapping_csv");
        su_json_str(&j, (su_str) { csv.p, csv.n });
        su_json_end(&j);
        su_buf_char(&cli->out, '\n');
    } else if (!st) {
        su_buf_add(&cli->out, csv.p, csv.n);
    }
    su_buf_free(&csv);
    su_source_free(&s);
    return st;
}
