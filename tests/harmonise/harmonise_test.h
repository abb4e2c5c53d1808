/* harmonise_test: a small instrument in memory, and one call from two CSV texts to a case table. */
#ifndef HARMONISE_TEST_H
#define HARMONISE_TEST_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>
#include <suha/harmonise.h>

#include "su_test.h"

#define UNUSED __attribute__((unused))
#define MAP_HEADER "source_column,source_value,target_column,target_value,rule,coverage,note\n"

typedef struct toy_file {
    const char *path, *text;
} toy_file;

static const char toy_schema[] =
    "{\"name\": \"toy\", \"title\": \"Toy\", \"version\": \"1\",\n"
    " \"suha:groups\": [{\"name\": \"means\", \"title\": \"Means of control\"}, {\"name\": \"exploit\", \"title\": \"Type of "
    "exploitation\"}],\n"
    " \"missingValues\": [{\"value\": \"\", \"label\": \"not recorded\"}, {\"value\": \"-99\", \"label\": \"not recorded\"},\n"
    "   {\"value\": \"unknown\", \"label\": \"unknown\"}, {\"value\": \"refused\", \"label\": \"refused\"}, {\"value\": \"N/A\", "
    "\"label\": \"not applicable\"}],\n"
    " \"fields\": [\n"
    "  {\"name\": \"caseNumber\", \"type\": \"string\", \"suha:type\": \"text\", \"suha:role\": \"identifier\"},\n"
    "  {\"name\": \"year\", \"suha:type\": \"year\", \"suha:role\": \"quasi-identifier\", \"suha:aliases\": [\"yearOfReg\", \"YEAR\"], "
    "\"constraints\": {\"minimum\": 2000, \"maximum\": 2010}},\n"
    "  {\"name\": \"gender\", \"title\": \"Gender\", \"suha:titles\": {\"fr\": \"Genre\"}, \"suha:type\": \"code\", \"suha:codelist\": "
    "\"gender\", \"suha:role\": \"quasi-identifier\"},\n"
    "  {\"name\": \"ageBand\", \"suha:type\": \"code\", \"suha:codelist\": \"age\", \"suha:role\": \"quasi-identifier\"},\n"
    "  {\"name\": \"citizenship\", \"suha:titles\": {\"es\": \"Nacionalidad\"}, \"suha:type\": \"code\", \"suha:codelist\": \"country\", "
    "\"suha:role\": \"quasi-identifier\"},\n"
    "  {\"name\": \"adult\", \"suha:type\": \"flag\"},\n"
    "  {\"name\": \"meansThreats\", \"title\": \"Threats\", \"suha:type\": \"flag\", \"suha:codelist\": \"flag\", \"suha:negative\": "
    "\"0\", \"suha:group\": \"means\"},\n"
    "  {\"name\": \"meansAbuse\", \"title\": \"Abuse\", \"suha:type\": \"flag\", \"suha:codelist\": \"flag-present\", \"suha:group\": "
    "\"means\"},\n"
    "  {\"name\": \"isForcedLabour\", \"title\": \"Forced labour\", \"suha:type\": \"flag\", \"suha:codelist\": \"flag-present\", "
    "\"suha:group\": \"exploit\"},\n"
    "  {\"name\": \"isSexualExploit\", \"title\": \"Sexual exploitation\", \"suha:type\": \"flag\", \"suha:codelist\": \"flag-present\", "
    "\"suha:group\": \"exploit\"},\n"
    "  {\"name\": \"isOtherExploit\", \"title\": \"Other exploitation\", \"suha:type\": \"flag\", \"suha:codelist\": \"flag-present\", "
    "\"suha:group\": \"exploit\"},\n"
    "  {\"name\": \"kinds\", \"suha:type\": \"code-set\", \"suha:codelist\": \"kinds\"},\n"
    "  {\"name\": \"months\", \"suha:type\": \"integer\", \"constraints\": {\"minimum\": 0, \"maximum\": 600}},\n"
    "  {\"name\": \"interviewed\", \"suha:type\": \"date\"},\n"
    "  {\"name\": \"phone\", \"suha:type\": \"text\", \"constraints\": {\"pattern\": \"^\\\\+?[1-9]\\\\d{1,14}$\"}}\n"
    " ]}\n";

static const char toy_flag[] = "code,label_en,label_fr,aliases\n1,Yes,Oui,y|true|x|1.0\n0,No,Non,n|false|0.0\n";
static const char toy_flag_present[] = "code,label_en,label_fr,aliases\n1,Yes,Oui,y|true|x|1.0\n";
static const char toy_gender[] = "code,label_en,label_fr,aliases\nWoman,Woman,Femme,F|Female\nMan,Man,Homme,M|Male\nOther,Other,Autre,X\n";
static const char toy_age[] = "code,label_en,aliases,min,max\n0--8,0 to 8,,0,8\n9--17,9 to 17,,9,17\n18+,18 and over,adults,18,\n";
static const char toy_country[] =
    "code,label_en,label_fr,aliases\nUKR,Ukraine,Ukraine,UA\nMDA,Moldova,Moldavie,MD\nNAM,Namibia,Namibie,NA\n";
static const char toy_kinds[] = "code,label_en\na,Alpha\nb,Beta\nc,Gamma\n";

static const toy_file toy_files[] = {
    { "toy/schema.json", toy_schema },
    { "codelists/flag.csv", toy_flag },
    { "codelists/flag-present.csv", toy_flag_present },
    { "toy/codelists/gender.csv", toy_gender },
    { "toy/codelists/age.csv", toy_age },
    { "codelists/country.csv", toy_country },
    { "toy/codelists/kinds.csv", toy_kinds },
    { NULL, NULL },
};

/* arg: array of toy_file ended by a NULL path; the toy instrument's own files when NULL. */
UNUSED static bool toy_resource(void *arg, const char *path, su_str *bytes)
{
    for (const toy_file *f = arg == NULL ? toy_files : arg; f->path != NULL; f++) {
        if (strcmp(f->path, path) != 0) continue;
        *bytes = su_str_of(f->text);
        return true;
    }
    return false;
}

/* Files under SUHA_SOURCE/instruments; kept until the end of the process. */
UNUSED static bool instrument_resource(void *arg, const char *path, su_str *bytes)
{
    enum { MOST = 200 };
    static struct {
        char *path;
        su_buf bytes;
    } kept[MOST];
    static size_t count;
    (void)arg;
    for (size_t i = 0; i < count; i++) {
        if (strcmp(kept[i].path, path) != 0) continue;
        *bytes = (su_str) { kept[i].bytes.p, kept[i].bytes.n };
        return true;
    }
    su_context ctx;
    su_context_init(&ctx);
    const char *full = su_test_source("instruments");
    su_buf name = { 0 };
    su_buf_printf(&name, "%s/%s", full, path);
    bool found = count < MOST && su_path_exists(name.p) && su_file_read(&ctx, name.p, 1u << 26, &kept[count].bytes) == SU_OK;
    if (found) {
        kept[count].path = su_strdup(path);
        *bytes = (su_str) { kept[count].bytes.p, kept[count].bytes.n };
        count++;
    }
    su_buf_free(&name);
    return found;
}

UNUSED static su_schema *toy(void)
{
    su_context ctx;
    su_schema *s = NULL;
    su_context_init(&ctx);
    if (su_schema_load(&ctx, "toy", toy_resource, NULL, &s) != SU_OK) fail_msg("the toy schema is refused: %s", ctx.message);
    return s;
}

UNUSED static su_raw_table *csv_table(const char *name, const char *text)
{
    su_context ctx;
    su_raw_table *t = NULL;
    su_read_options opts = { .delimiter = ',' };
    su_context_init(&ctx);
    if (su_csv_parse(&ctx, name, su_str_of(text), &opts, &t) != SU_OK) fail_msg("refused: %s", ctx.message);
    return t;
}

/* Everything of one run, freed together. */
typedef struct toy_run {
    su_context ctx;
    su_status status;
    su_schema *schema;
    su_raw_table *raw;
    su_mapping *mapping;
    su_case_table *table;
    su_harmonise_report *report;
    su_arena arena;
} toy_run;

/* All that was made: message, report for people and programs, records. */
UNUSED static void describe(const su_context *ctx, su_status status, const su_harmonise_report *report, const su_case_table *table, su_buf *out)
{
    su_json j;
    su_buf_printf(out, "status %d: %s\n", (int)status, status == SU_OK ? "" : ctx->message);
    if (report != NULL) su_harmonise_report_text(report, out);
    su_json_init(&j, out);
    if (report != NULL) su_harmonise_report_json(report, &j);
    if (table != NULL) su_case_table_csv(table, out);
    for (uint32_t f = 0; table != NULL && f < table->schema->field_count; f++) /* and the reasons, which a file may not show */
        for (uint64_t r = 0; table->columns[f].provided && r < table->row_count; r++) {
            const su_case_column *c = &table->columns[f];
            su_buf_printf(out, " %x", c->ids != NULL ? 0 : c->sets != NULL ? c->set_reason[r] : su_case_cell(c, r));
        }
}

/* The lean way (narrow ids, narrow cells, a raw table that is emptied) must tell and make the same. */
UNUSED static void lean_run_is_the_same(const toy_run *wide, const char *data, const su_harmonise_options *opts)
{
    su_context ctx;
    su_raw_table *raw = NULL;
    su_case_table *table = NULL;
    su_harmonise_report *report = NULL;
    su_buf expected = { 0 }, found = { 0 };
    su_harmonise_options lean = { .max_rejected = UINT64_MAX };
    su_read_options read = { .delimiter = ',', .narrow = true };
    if (opts != NULL) lean = *opts;
    su_context_init(&ctx);
    assert_int_equal(su_csv_parse(&ctx, "cases.csv", su_str_of(data), &read, &raw), SU_OK);
    lean.narrow = true;
    lean.emptied = raw;
    su_status st = su_harmonise(&ctx, raw, wide->schema, wide->mapping, &lean, &table, &report);
    describe(&wide->ctx, wide->status, wide->report, wide->table, &expected);
    describe(&ctx, st, report, table, &found);
    assert_string_equal(found.p, expected.p);
    if (table != NULL) assert_null(table->source_rows);
    for (uint32_t f = 0; table != NULL && f < table->schema->field_count; f++) assert_null(table->columns[f].codes);
    su_buf_free(&expected);
    su_buf_free(&found);
    su_case_table_free(table);
    su_harmonise_report_free(report);
    su_raw_table_free(raw);
}

/* map NULL: by column names. Rows of the mapping without its header line. */
UNUSED static toy_run run_with(const char *map, const char *data, const su_harmonise_options *opts)
{
    toy_run r = { .schema = toy(), .raw = csv_table("cases.csv", data) };
    su_buf csv = { 0 };
    su_context_init(&r.ctx);
    su_arena_init(&r.arena);
    if (map != NULL) {
        su_buf_text(&csv, MAP_HEADER);
        su_buf_text(&csv, map);
        if (su_mapping_parse(&r.ctx, "map.csv", (su_str) { csv.p, csv.n }, r.schema, &r.mapping) != SU_OK)
            fail_msg("mapping refused: %s", r.ctx.message);
    }
    r.status = su_harmonise(&r.ctx, r.raw, r.schema, r.mapping, opts, &r.table, &r.report);
    su_buf_free(&csv);
    lean_run_is_the_same(&r, data, opts);
    return r;
}

UNUSED static toy_run run(const char *map, const char *data)
{
    toy_run r = run_with(map, data, NULL);
    if (r.status != SU_OK) fail_msg("refused: %s", r.ctx.message);
    return r;
}

UNUSED static void run_free(toy_run *r)
{
    su_case_table_free(r->table);
    su_harmonise_report_free(r->report);
    su_mapping_free(r->mapping);
    su_raw_table_free(r->raw);
    su_schema_free(r->schema);
    su_arena_free(&r->arena);
}

/* A cell as text: the code, members joined by "+", the text, or the reason in parentheses. */
UNUSED static const char *got(toy_run *r, uint64_t row, const char *field)
{
    int f = su_schema_field(r->schema, su_str_of(field));
    if (f < 0) fail_msg("no field %s", field);
    const su_case_column *c = &r->table->columns[f];
    const su_field *def = &r->schema->fields[f];
    if (!c->provided) return "(not provided)";
    if (c->ids != NULL) return c->ids[row] == 0 ? "(none)" : su_dict_get(c->texts, c->ids[row]).p;
    if (c->codes != NULL) {
        if (su_cell_is_value(c->codes[row])) return def->codelist->codes[c->codes[row] - 1].code;
        return su_arena_printf(&r->arena, "(%s)", su_cell_reason(c->codes[row]));
    }
    su_buf text = { 0 };
    for (uint32_t v = 0; v < def->codelist->count; v++)
        if (c->sets[row * c->words + v / 64] >> (v % 64) & 1)
            su_buf_printf(&text, "%s%s", text.n > 0 ? "+" : "", def->codelist->codes[v].code);
    const char *kept =
        text.n > 0 ? su_arena_strndup(&r->arena, text.p, text.n) : su_arena_printf(&r->arena, "(%s)", su_cell_reason(c->set_reason[row]));
    su_buf_free(&text);
    return kept;
}

UNUSED static const su_column_report *column_of(const toy_run *r, const char *source)
{
    for (size_t i = 0; i < r->report->column_count; i++)
        if (strcmp(r->report->columns[i].source, source) == 0) return &r->report->columns[i];
    fail_msg("no column %s in the report", source);
    return NULL;
}

/* Wants a failure whose message holds every one of the texts. */
UNUSED static void assert_message(const su_context *ctx, su_status status, su_status wanted, const char *const *texts, size_t n)
{
    if (status != wanted) fail_msg("status %d, not %d: %s", status, wanted, ctx->message);
    for (size_t i = 0; i < n; i++)
        if (strstr(ctx->message, texts[i]) == NULL) fail_msg("\"%s\" is not in: %s", texts[i], ctx->message);
}
#define assert_says(ctx, status, wanted, ...)                                                                                              \
    assert_message(ctx, status, wanted, (const char *const[]) { __VA_ARGS__ },                                                             \
                   sizeof((const char *const[]) { __VA_ARGS__ }) / sizeof(char *))

#endif
