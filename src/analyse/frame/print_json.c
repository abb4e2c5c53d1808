/* A result as JSON: facts at the top, tables by id, then warnings, method and hash. */
#include "frame/result.h"

#include <string.h>

static void write_cell(su_json *j, const su_result_cell *c, su_column_kind kind)
{
    if (kind == SU_COLUMN_TEXT)
        su_json_text(j, c->text);
    else if (c->empty)
        su_json_null(j);
    else if (kind == SU_COLUMN_INTEGER)
        su_json_int(j, c->integer);
    else
        su_json_real(j, c->number);
}

static void write_table(su_json *j, const su_result_table *t)
{
    su_json_key(j, t->id);
    su_json_array(j);
    for (size_t row = 0; row < su_result_table_rows(t); row++) {
        su_json_object(j);
        for (size_t c = 0; c < t->column_count; c++) {
            su_json_key(j, t->columns[c].name);
            write_cell(j, &t->cells[row * t->column_count + c], t->columns[c].kind);
        }
        su_json_end(j);
    }
    su_json_end(j);
}

void su_result_print_json(const su_result *r, su_buf *out)
{
    su_json j;
    su_json_init(&j, out);
    su_json_object(&j);
    su_json_kv_text(&j, "command", r->command);
    su_json_kv_text(&j, "title", r->title);
    su_json_kv_text(&j, "version", SU_VERSION);
    for (size_t i = 0; i < r->fact_count; i++)
        if (r->facts[i].text)
            su_json_kv_text(&j, r->facts[i].key, r->facts[i].text);
        else
            su_json_kv_real(&j, r->facts[i].key, r->facts[i].number);
    su_json_key(&j, "tables");
    su_json_object(&j);
    for (const su_result_table *t = r->tables; t; t = t->next) write_table(&j, t);
    su_json_end(&j);
    su_json_key(&j, "warnings");
    su_json_array(&j);
    for (size_t i = 0; i < r->warning_count; i++) {
        su_json_object(&j);
        su_json_kv_text(&j, "code", r->warnings[i].code);
        su_json_kv_text(&j, "text", r->warnings[i].text);
        su_json_end(&j);
    }
    su_json_end(&j);
    su_json_key(&j, "methods");
    su_json_array(&j);
    for (size_t i = 0; i < r->method_count; i++) su_json_text(&j, r->methods[i]);
    su_json_end(&j);
    su_json_kv_text(&j, "specification", r->specification);
    su_json_kv_text(&j, "hash", r->hash[0] ? r->hash : NULL);
    su_json_end(&j);
}
