#include "cli.h"
#include "embedded.h"

#include <string.h>

const su_option su_options_schemas[] = { { NULL, NULL, NULL } };

static void one_text(su_cli *cli, const su_schema *s)
{
    su_buf_printf(&cli->out, "%s: %s\n", s->name, s->title ? s->title : "");
    for (uint32_t f = 0; f < s->field_count; f++) {
        const su_field *field = &s->fields[f];
        su_buf_printf(&cli->out, "  %-36s %-9s %-17s %s", field->name, su_type_name(field->type), su_role_name(field->role),
                      field->released ? "release" : "vault  ");
        if (field->codelist) su_buf_printf(&cli->out, "  %s (%u codes)", field->codelist->id, field->codelist->count);
        su_buf_char(&cli->out, '\n');
    }
}

static void one_json(su_cli *cli, const su_schema *s)
{
    su_json j;
    su_json_init(&j, &cli->out);
    su_json_object(&j);
    su_json_kv_text(&j, "name", s->name);
    su_json_kv_text(&j, "title", s->title);
    su_json_kv_text(&j, "version", s->version);
    su_json_key(&j, "fields");
    su_json_array(&j);
    for (uint32_t f = 0; f < s->field_count; f++) {
        const su_field *field = &s->fields[f];
        su_json_object(&j);
        su_json_kv_text(&j, "name", field->name);
        su_json_kv_text(&j, "type", su_type_name(field->type));
        su_json_kv_text(&j, "role", su_role_name(field->role));
        su_json_kv_bool(&j, "released", field->released);
        su_json_kv_text(&j, "codelist", field->codelist ? field->codelist->id : NULL);
        su_json_kv_int(&j, "codes", field->codelist ? field->codelist->count : 0);
        su_json_kv_text(&j, "group", field->group >= 0 ? s->groups[field->group].name : NULL);
        su_json_end(&j);
    }
    su_json_end(&j);
    su_json_end(&j);
    su_buf_char(&cli->out, '\n');
}

static su_status list(su_cli *cli)
{
    su_json j;
    su_json_init(&j, &cli->out);
    if (cli->json) su_json_array(&j);
    su_status st = SU_OK;
    for (const su_embedded *e = su_embedded_instruments; e->path && !st; e++) {
        const char *slash = strchr(e->path, '/');
        if (!slash || strcmp(slash, "/schema.json") != 0) continue;
        su_schema *s = NULL;
        st = su_cli_schema(cli, su_arena_strndup(&cli->arena, e->path, (size_t)(slash - e->path)), NULL, &s);
        if (!st && cli->json) {
            su_json_object(&j);
            su_json_kv_text(&j, "name", s->name);
            su_json_kv_text(&j, "title", s->title);
            su_json_kv_int(&j, "fields", s->field_count);
            su_json_end(&j);
        } else if (!st) {
            su_buf_printf(&cli->out, "%-12s %3u columns  %s\n", s->name, s->field_count, s->title ? s->title : "");
        }
        su_schema_free(s);
    }
    if (cli->json) {
        su_json_end(&j);
        su_buf_char(&cli->out, '\n');
    }
    return st;
}

su_status su_command_schemas(su_cli *cli)
{
    su_status st = su_cli_positionals(cli, 0, 1);
    if (st) return st;
    if (cli->positional_count == 0) return list(cli);
    su_schema *s = NULL;
    st = su_cli_schema(cli, cli->positional[0], NULL, &s);
    if (!st) (cli->json ? one_json : one_text)(cli, s);
    su_schema_free(s);
    return st;
}
