#include "harmonise_test.h"

#include <inttypes.h>

static void the_toy_schema_is_read(void **state)
{
    (void)state;
    su_schema *s = toy();
    assert_int_equal(s->field_count, 15);
    assert_string_equal(s->name, "toy");
    const su_field *f = &s->fields[su_schema_field(s, SU_STR("year"))];
    assert_int_equal(f->type, SU_TYPE_YEAR);
    assert_int_equal(f->codelist->count, 11);
    assert_true(f->released);
    assert_int_equal(su_schema_field(s, SU_STR("YEAROFREG")), 1);
    f = &s->fields[su_schema_field(s, SU_STR("adult"))];
    assert_string_equal(f->codelist->id, "flag"); /* flags without a codelist use flag, and its 0 is the no */
    assert_int_equal(f->negative, 2);
    f = &s->fields[su_schema_field(s, SU_STR("meansAbuse"))];
    assert_int_equal(f->negative, 0);
    assert_int_equal(f->group, 0);
    f = &s->fields[su_schema_field(s, SU_STR("phone"))];
    assert_false(f->released);
    assert_int_equal(f->missing_count, 5);
    assert_string_equal(f->missing_print, "");
    f = &s->fields[su_schema_field(s, SU_STR("caseNumber"))];
    assert_int_equal(f->role, SU_ROLE_IDENTIFIER);
    assert_false(f->released);
    su_schema_free(s);
}

/* Replaces `old` by `new` in the toy schema and loads that. */
static su_status load_changed(su_context *ctx, const char *old, const char *new, su_schema **out)
{
    static char text[sizeof toy_schema + 2000];
    toy_file files[8];
    const char *at = strstr(toy_schema, old);
    assert_non_null(at);
    snprintf(text, sizeof text, "%.*s%s%s", (int)(at - toy_schema), toy_schema, new, at + strlen(old));
    memcpy(files, toy_files, sizeof files);
    files[0].text = text;
    su_context_init(ctx);
    return su_schema_load(ctx, "toy", toy_resource, files, out);
}

static void mistakes_name_file_field_and_key(void **state)
{
    (void)state;
    static const struct {
        const char *old, *new, *says[3];
    } cases[] = {
        { "\"name\": \"year\"", "\"nome\": \"year\"", { "toy/schema.json", "field 2", "\"name\"" } },
        { "\"suha:type\": \"year\"", "\"suha:type\": \"anno\"", { "field 2 \"year\"", "suha:type", "anno" } },
        { "\"minimum\": 2000", "\"minimum\": \"soon\"", { "field 2 \"year\"", "minimum", "whole number" } },
        { "\"minimum\": 2000", "\"minimum\": 2011", { "\"year\"", "constraints", "above maximum" } },
        { ", \"maximum\": 2010", "", { "\"year\"", "constraints", "public domain" } },
        { "\"suha:codelist\": \"gender\", ", "", { "field 3 \"gender\"", "suha:codelist", "needs a codelist" } },
        { "\"suha:codelist\": \"gender\"",
          "\"suha:codelist\": \"sex\"",
          { "toy/schema.json", "no codelist \"sex\"", "toy/codelists/sex.csv" } },
        { "\"suha:codelist\": \"gender\"", "\"suha:codelist\": \"../../etc/passwd\"", { "not the id of a codelist", "gender", "" } },
        { "\"suha:role\": \"identifier\"", "\"suha:role\": \"secret\"", { "field 1", "suha:role", "secret" } },
        { "\"suha:role\": \"identifier\"",
          "\"suha:role\": \"identifier\", \"suha:privacy\": \"release\"",
          { "field 1", "suha:privacy", "never released" } },
        { "\"suha:negative\": \"0\"", "\"suha:negative\": \"7\"", { "meansThreats", "suha:negative", "codelist flag" } },
        { "\"suha:group\": \"means\"", "\"suha:group\": \"meens\"", { "meansThreats", "suha:group", "meens" } },
        { "\"label\": \"refused\"", "\"label\": \"did not say\"", { "missingValues", "did not say", "not recorded" } },
        { "\"yearOfReg\"", "\"GENDER\"", { "field 3 \"gender\"", "already leads to field \"year\"", "the name" } },
        { "\\\\d{1,14}", "\\\\d{1,14", { "field 15 \"phone\"", "pattern", "not a regular expression" } },
        { "\"version\": \"1\"", "\"version\": 1", { "toy/schema.json", "\"version\"", "text" } },
        { "\"name\": \"toy\"", "\"name\": \"play\"", { "play", "folder", "toy" } },
        { "\"fields\": [", "\"fields\": [[],", { "toy/schema.json", "field 1", "object" } },
        { "\"title\": \"Toy\",", "\"title\": \"Toy\"", { "toy/schema.json", "line 1", "column" } },
        { "\"title\": \"Toy\",", "\"title\": \"Toy\", \"title\": \"Toy\",", { "toy/schema.json", "duplicate", "" } },
        { "\"title\": \"Toy\",", "\"x\": [[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]],", { "nested deeper", "toy/schema.json", "" } },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        su_context ctx;
        su_schema *s = NULL;
        su_status st = load_changed(&ctx, cases[i].old, cases[i].new, &s);
        assert_null(s);
        assert_message(&ctx, st, SU_INPUT, cases[i].says, 3);
    }
}

static void defaults_are_sensible(void **state)
{
    (void)state;
    static const toy_file files[] = {
        { "mini/schema.json",
          "{\"fields\": [{\"name\": \"a\"}, {\"name\": \"b\", \"type\": \"boolean\"}, {\"name\": \"c\", \"suha:codelist\": \"l\"},"
          " {\"name\": \"d\", \"type\": \"integer\"}, {\"name\": \"e\", \"type\": \"date\", \"missingValues\": [\"x\", \"y\"]},"
          " {\"name\": \"f\", \"suha:type\": \"flag\", \"suha:role\": \"identifier\"}, {\"name\": \"g\", \"suha:type\": \"flag\", "
          "\"suha:privacy\": \"vault\"}]}" },
        { "codelists/flag.csv", toy_flag },
        { "codelists/l.csv", "code,label_en\nshared,Shared\n" },
        { "mini/codelists/l.csv", "code,label_en\nown,Own\n" },
        { NULL, NULL }
    };
    su_context ctx;
    su_schema *s = NULL;
    su_context_init(&ctx);
    assert_int_equal(su_schema_load(&ctx, "mini", toy_resource, (void *)(uintptr_t)files, &s), SU_OK);
    static const su_type types[] = { SU_TYPE_TEXT, SU_TYPE_FLAG, SU_TYPE_CODE, SU_TYPE_INTEGER, SU_TYPE_DATE };
    for (uint32_t i = 0; i < 5; i++) assert_int_equal(s->fields[i].type, types[i]);
    assert_string_equal(s->fields[2].codelist->codes[0].code, "own"); /* the instrument's own list goes before the shared one */
    assert_string_equal(s->fields[4].missing_print, "x");
    assert_int_equal(s->fields[4].missing[1].reason, SU_CELL_NOT_RECORDED);
    static const bool released[] = { false, true, true, false, false, false, false };
    for (uint32_t i = 0; i < 7; i++) assert_int_equal(s->fields[i].released, released[i]);
    assert_string_equal(s->title, "mini");
    su_schema_free(s);
}

static void the_fingerprint_covers_schema_and_codelists(void **state)
{
    (void)state;
    su_context ctx;
    su_schema *a = toy(), *b = toy(), *c = NULL, *d = NULL;
    toy_file files[8];
    assert_memory_equal(&a->fingerprint, &b->fingerprint, sizeof a->fingerprint);
    assert_int_equal(load_changed(&ctx, "\"version\": \"1\"", "\"version\": \"2\"", &c), SU_OK);
    assert_memory_not_equal(&a->fingerprint, &c->fingerprint, sizeof a->fingerprint);
    memcpy(files, toy_files, sizeof files);
    files[6].text = "code,label_en\na,Alpha\nb,Beta\nc,Gamma ray\n";
    assert_int_equal(su_schema_load(&ctx, "toy", toy_resource, files, &d), SU_OK);
    assert_memory_not_equal(&a->fingerprint, &d->fingerprint, sizeof a->fingerprint);
    su_schema_free(a);
    su_schema_free(b);
    su_schema_free(c);
    su_schema_free(d);
}

static void names_that_climb_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = { "", "..", "../toy", "toy/../toy", ".hidden", "a b", "toy\n" };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        su_context ctx;
        su_schema *s = NULL;
        su_context_init(&ctx);
        assert_int_equal(su_schema_load(&ctx, bad[i], toy_resource, NULL, &s), SU_USAGE);
    }
    su_context ctx;
    su_schema *s = NULL;
    su_context_init(&ctx);
    assert_says(&ctx, su_schema_load(&ctx, "absent", toy_resource, NULL, &s), SU_INPUT, "absent/schema.json");
}

static void a_schema_can_be_read_off_a_table(void **state)
{
    (void)state;
    su_context ctx;
    su_schema *s = NULL;
    su_case_table *t = NULL;
    su_harmonise_report *report = NULL;
    su_context_init(&ctx);
    su_raw_table *raw = csv_table("x.csv", "name,n\nb,1\na,2\n,1\n\"A \",01\n");
    assert_int_equal(su_schema_from_table(&ctx, raw, &s), SU_OK);
    assert_int_equal(s->field_count, 2);
    assert_int_equal(s->fields[0].codelist->count, 3); /* "a" and "A " are two */
    assert_string_equal(s->fields[0].codelist->codes[0].code, "A ");
    assert_int_equal(s->fields[1].codelist->count, 3);
    assert_int_equal(su_harmonise(&ctx, raw, s, NULL, NULL, &t, &report), SU_OK);
    assert_int_equal(t->columns[0].codes[0], 3);
    assert_int_equal(t->columns[0].codes[1], 2);
    assert_int_equal(t->columns[0].codes[2], 0);
    assert_int_equal(t->columns[0].codes[3], 1);
    for (size_t i = 0; i < report->column_count; i++) assert_int_equal(report->columns[i].rows_unmapped, 0);
    su_harmonise_report_free(report);
    su_case_table_free(t);
    su_schema_free(s);
    su_raw_table_free(raw);
}

/* Counting by the schema read off a table is counting strings: against a plain comparison of every cell with every cell. */
static void automatic_codes_are_the_strings_themselves(void **state)
{
    (void)state;
    static const char *const pool[] = { "",
                                        "A",
                                        "a",
                                        " a",
                                        "a ",
                                        "9\xE2\x80\x93"
                                        "17",
                                        "9--17",
                                        "9-17",
                                        "1",
                                        "1.0",
                                        "1,0",
                                        "01",
                                        " ",
                                        "É",
                                        "E\xCC\x81",
                                        "é",
                                        "Total",
                                        "-99",
                                        "yes",
                                        "a  b",
                                        "a b" };
    enum { ROWS = 600, COLUMNS = 3, POOL = sizeof pool / sizeof *pool };
    su_random random;
    su_context ctx;
    su_schema *s = NULL;
    su_case_table *t = NULL;
    su_buf csv = { 0 };
    const char *cells[ROWS][COLUMNS];
    su_random_seeded(&random, 20261121);
    su_buf_text(&csv, "id,x,y,z\n");
    for (int r = 0; r < ROWS; r++) {
        su_buf_printf(&csv, "%d", r);
        for (int c = 0; c < COLUMNS; c++) {
            cells[r][c] = pool[su_random_below(&random, POOL)];
            su_buf_char(&csv, ',');
            su_buf_csv(&csv, su_str_of(cells[r][c]), ',');
        }
        su_buf_char(&csv, '\n');
    }
    su_context_init(&ctx);
    su_raw_table *raw = csv_table("x.csv", csv.p);
    assert_int_equal(su_schema_from_table(&ctx, raw, &s), SU_OK);
    if (su_harmonise(&ctx, raw, s, NULL, NULL, &t, NULL) != SU_OK) fail_msg("%s", ctx.message);
    assert_int_equal(t->row_count, ROWS);
    for (uint32_t c = 0; c < COLUMNS; c++) {
        const su_cell *codes = t->columns[c + 1].codes;
        for (int r = 0; r < ROWS; r++) {
            if ((codes[r] == 0) != (*cells[r][c] == '\0')) fail_msg("row %d: \"%s\" is code %d", r, cells[r][c], codes[r]);
            if (codes[r] != 0) assert_string_equal(s->fields[c + 1].codelist->codes[codes[r] - 1].code, cells[r][c]);
            for (int q = 0; q < r; q++) assert_int_equal(codes[q] == codes[r], strcmp(cells[q][c], cells[r][c]) == 0);
        }
    }
    su_case_table_free(t);
    su_schema_free(s);
    su_raw_table_free(raw);
    su_buf_free(&csv);
}

static void a_column_of_identifiers_has_no_domain(void **state)
{
    (void)state;
    su_buf csv = { 0 };
    su_context ctx;
    su_schema *s = NULL;
    su_context_init(&ctx);
    su_buf_text(&csv, "id\n");
    for (int i = 0; i < 66000; i++) su_buf_printf(&csv, "%d\n", i);
    su_raw_table *raw = csv_table("ids.csv", csv.p);
    assert_says(&ctx, su_schema_from_table(&ctx, raw, &s), SU_REFUSED, "ids.csv", "\"id\"", "65000");
    su_raw_table_free(raw);
    su_buf_free(&csv);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_toy_schema_is_read),
        cmocka_unit_test(mistakes_name_file_field_and_key),
        cmocka_unit_test(defaults_are_sensible),
        cmocka_unit_test(the_fingerprint_covers_schema_and_codelists),
        cmocka_unit_test(names_that_climb_are_refused),
        cmocka_unit_test(a_schema_can_be_read_off_a_table),
        cmocka_unit_test(automatic_codes_are_the_strings_themselves),
        cmocka_unit_test(a_column_of_identifiers_has_no_domain),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
