/* Parsing and checking mappings: every refusal names the file, the line and the column. */
#include "harmonise_test.h"

static su_status parse(su_context *ctx, const char *rows, su_mapping **out)
{
    su_schema *s = toy();
    su_buf csv = { 0 };
    su_context_init(ctx);
    su_buf_text(&csv, MAP_HEADER);
    su_buf_text(&csv, rows);
    su_mapping *m = NULL;
    su_status st = su_mapping_parse(ctx, "map.csv", (su_str) { csv.p, csv.n }, s, &m);
    if (out == NULL)
        su_mapping_free(m);
    else
        *out = m;
    su_buf_free(&csv);
    su_schema_free(s);
    return st;
}

static void contradictions_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *rows, *line, *column, *says;
    } cases[] = {
        { "sex,,gender,,renam,,\n", "line 2", "column 5 (rule)", "\"renam\" is not a rule" },
        { "sex,,gender,,rename,sure,\n", "line 2", "column 6 (coverage)", "exact, partial, none" },
        { "sex,,gendre,,rename,,\n", "line 2", "column 3 (target_column)", "did you mean \"gender\"" },
        { "sex,,,,rename,,\n", "line 2", "column 3 (target_column)", "needs a target column" },
        { ",,gender,,rename,,\n", "line 2", "column 1 (source_column)", "source column is missing" },
        { "sex,F,gender,Womann,value,,\n", "line 2", "column 4 (target_value)", "did you mean \"Woman\"" },
        { "sex,F,gender,?dunno,value,,\n", "line 2", "column 4 (target_value)", "not a reason" },
        { "sex,,gender,Woman,rename,,\n", "line 2", "column 4 (target_value)", "takes no target_value" },
        { "sex,F,gender,,rename,,\n", "line 2", "column 2 (source_value)", "looks at every cell" },
        { "a,,gender,,rename,,\na,,gender,,rename,,\n", "line 3", "column 5 (rule)", "two rules for one cell: line 2" },
        { "a,,gender,,rename,,\nb,,gender,,rename,,\n", "line 3", "column 3", "two rules for one cell: line 2 fills gender from a" },
        { "a,F,gender,Woman,value,,\na,f,gender,Man,value,,\n", "line 3", "column 2 (source_value)", "two rules for one cell: line 2" },
        { "a,*,gender,Woman,value,,\na,*,gender,Man,value,,\n", "line 3", "column 2 (source_value)", "default (*)" },
        { ",,gender,Woman,constant,,\na,,gender,,rename,,\n", "line 3", "column 3", "line 2 gives gender a constant" },
        { ",,gender,Woman,constant,,\n,,gender,Man,constant,,\n", "line 3", "column 3", "two rules for one cell" },
        { ",,gender,,constant,,\n", "line 2", "column 4", "needs a value" },
        { "a,,gender,Woman,constant,,\n", "line 2", "column 1", "leave source_column empty" },
        { "a,,gender,,or,,\n", "line 2", "column 5", "or joins flags" },
        { "a,,meansAbuse,,or,,\nb,,meansAbuse,,rename,,\n", "line 3", "column 5", "use or for b too" },
        { "a,,meansAbuse,sometimes,or,,\n", "line 2", "column 4", "known-negative" },
        { "a,,kinds,Zeta,or,,\n", "line 2", "column 4", "not in the codelist kinds" },
        { "a,,meansAbuse,,band,,\n", "line 2", "column 5", "needs a coded target" },
        { "a,,gender,,band,,\n", "line 2", "column 5", "has no bands" },
        { "a,,months,,year,,\n", "line 2", "column 5", "needs a coded target" },
        { "a,F,gender,Woman,value,,\na,f,,,drop,,\n", "line 2", "column 2 (source_value)", "is dropped by another row" },
        { "a,f,,,drop,,\na,F,,,drop,,\n", "line 3", "column 2 (source_value)", "dropped twice" },
        { "a,*,,,drop,,\n", "line 2", "column 2 (source_value)", "hide every misspelling" },
        { "a,f,gender,,drop,,\n", "line 2", "column 3 (target_column)", "fills no column" },
        { "a,;,,,split,,\na,,gender,,rename,,\n", "line 3", "column 3", "holds one" },
        { "a,;,,,split,,\na,|,kinds,,split,,\n", "line 3", "column 2", "line 2 already splits" },
        { "a,,,,drop,,\na,,gender,,rename,,\n", "line 2", "column 5", "line 3 uses it" },
        { "a,,gender,,drop,,\n", "line 2", "column 3", "fills no column" },
        { "a,,,,weight,,\nb,,,,weight,,\n", "line 3", "column 5", "one weight column" },
        { "a,,,,record,,\nb,,,,record,,\n", "line 3", "column 5", "one record column" },
        { "a,,,,margin,,\n", "line 2", "column 2", "marks a total" },
        { "@gendre,,adult,,rename,,\n", "line 2", "column 1", "names no column" },
        { "@gender,F,adult,1,value,,\n", "line 2", "column 1", "no row of this mapping fills gender" },
        { "@gender,,,,weight,,\n", "line 2", "column 1", "needs a column of the file" },
        { "a,,gender,,rename,,\n@gender,Q,adult,1,value,,\n", "line 3", "column 2", "not in the codelist gender" },
        { "@adult,1,adult,1,value,,\n", "line 2", "column 1", "a cycle" },
        { "@gender,Woman,ageBand,18+,value,,\n@ageBand,18+,citizenship,UA,value,,\n@citizenship,UA,gender,Man,value,,\n", "line",
          "column 1 (source_column)", "a cycle" },
        { "a,x,months,many,value,,\n", "line 2", "column 4", "not a valid integer" },
        { "a,x,months,601,value,,\n", "line 2", "column 4", "not a valid integer" },
        { "a,x,interviewed,31/02/2004,value,,\n", "line 2", "column 4", "not a valid date" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        su_context ctx;
        su_status st = parse(&ctx, cases[i].rows, NULL);
        assert_says(&ctx, st, SU_INPUT, "map.csv", cases[i].line, cases[i].column, cases[i].says);
    }
}

static void the_header_is_checked(void **state)
{
    (void)state;
    su_context ctx;
    su_mapping *m = NULL;
    su_schema *s = toy();
    su_context_init(&ctx);
    assert_says(&ctx, su_mapping_parse(&ctx, "map.csv", SU_STR("source_column,target_column\na,gender\n"), s, &m), SU_INPUT, "map.csv",
                "line 1", "rule");
    assert_null(m);
    su_schema_free(s);
}

static void spreadsheets_write_it_in_several_ways(void **state)
{
    (void)state;
    static const char *const same[] = {
        "source_column,source_value,target_column,target_value,rule,coverage,note\nsex,,gender,,rename,exact,\n",
        "\xEF\xBB\xBFsource_column;source_value;target_column;target_value;rule;coverage;note\r\nsex;;gender;;rename;exact;\r\n;;;;;;\r\n",
        "source_column;target_column;rule\nsex;GENDER;Rename\n",
        "rule,target_column,source_column\n rename , Gender , sex \n",
    };
    for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
        su_context ctx;
        su_mapping *m = NULL;
        su_schema *s = toy();
        su_case_table *t = NULL;
        su_raw_table *raw = csv_table("cases.csv", "sex\nF\n");
        su_context_init(&ctx);
        if (su_mapping_parse(&ctx, "map.csv", su_str_of(same[i]), s, &m) != SU_OK) fail_msg("%s", ctx.message);
        assert_false(su_mapping_has_record(m));
        assert_int_equal(su_harmonise(&ctx, raw, s, m, NULL, &t, NULL), SU_OK);
        assert_int_equal(t->columns[su_schema_field(s, SU_STR("gender"))].codes[0], 1);
        su_case_table_free(t);
        su_mapping_free(m);
        su_raw_table_free(raw);
        su_schema_free(s);
    }
}

static void the_fingerprint_is_of_the_bytes(void **state)
{
    (void)state;
    su_context ctx;
    su_schema *s = toy();
    su_mapping *a = NULL, *b = NULL;
    su_context_init(&ctx);
    assert_int_equal(su_mapping_parse(&ctx, "a", SU_STR(MAP_HEADER "sex,,gender,,rename,,\n"), s, &a), SU_OK);
    assert_int_equal(su_mapping_parse(&ctx, "b", SU_STR(MAP_HEADER "sex,,gender,,rename,,!\n"), s, &b), SU_OK);
    su_sha256 x = su_mapping_fingerprint(a), y = su_mapping_fingerprint(b),
              z = su_sha256_of(MAP_HEADER "sex,,gender,,rename,,\n", strlen(MAP_HEADER) + 22);
    assert_memory_equal(&x, &z, sizeof x);
    assert_memory_not_equal(&x, &y, sizeof x);
    su_mapping_free(a);
    su_mapping_free(b);
    su_schema_free(s);
}

static void required_fields_must_be_filled(void **state)
{
    (void)state;
    static const toy_file files[] = { { "need/schema.json",
                                        "{\"fields\": [{\"name\": \"a\", \"constraints\": {\"required\": true}}, {\"name\": \"b\"}]}" },
                                      { NULL, NULL } };
    su_context ctx;
    su_schema *s = NULL;
    su_mapping *m = NULL;
    su_context_init(&ctx);
    assert_int_equal(su_schema_load(&ctx, "need", toy_resource, (void *)(uintptr_t)files, &s), SU_OK);
    assert_says(&ctx, su_mapping_parse(&ctx, "map.csv", SU_STR(MAP_HEADER "x,,b,,rename,,\n"), s, &m), SU_INPUT, "map.csv",
                "requires the column a");
    assert_null(m);
    assert_int_equal(su_mapping_parse(&ctx, "map.csv", SU_STR(MAP_HEADER "x,,a,,rename,,\n"), s, &m), SU_OK);
    su_raw_table *raw = csv_table("cases.csv", "x,k\none,\n\" \",1\ntwo,\n");
    su_case_table *t = NULL;
    su_harmonise_report *r = NULL;
    assert_int_equal(su_harmonise(&ctx, raw, s, m, NULL, &t, &r), SU_OK);
    assert_int_equal(t->row_count, 2);
    assert_int_equal(r->rows_rejected, 1);
    assert_int_equal(r->rejects[0].line, 3);
    assert_string_equal(r->rejects[0].column, "x");
    assert_non_null(strstr(r->rejects[0].reason, "a is required"));
    su_harmonise_report_free(r);
    su_case_table_free(t);
    su_raw_table_free(raw);
    su_mapping_free(m);
    su_schema_free(s);
}

static void columns_find_their_fields_by_name(void **state)
{
    (void)state;
    toy_run r = run(NULL, "GENDER,yearOfReg,Nacionalidad,other\nF,2002.0,UA,x\n");
    assert_string_equal(got(&r, 0, "gender"), "Woman");
    assert_string_equal(got(&r, 0, "year"), "2002");
    assert_string_equal(got(&r, 0, "citizenship"), "(not provided)"); /* titles are for people, not for automatic mapping */
    assert_string_equal(column_of(&r, "other")->coverage, "unmapped");
    run_free(&r);
    r = run_with(NULL, "a,b\n1,2\n", NULL);
    assert_says(&r.ctx, r.status, SU_INPUT, "cases.csv", "none of its 2 columns");
    run_free(&r);
    r = run_with(NULL, "Gender,GENDER\nF,M\n", NULL);
    assert_says(&r.ctx, r.status, SU_INPUT, "\"Gender\"", "\"GENDER\"", "both gender");
    run_free(&r);
    r = run(NULL, "yearOfReg,year\n2001,2002\n"); /* the name itself goes before an alias */
    assert_string_equal(got(&r, 0, "year"), "2002");
    run_free(&r);
}

static su_status parse_text(su_context *ctx, su_str text)
{
    su_schema *s = toy();
    su_mapping *m = NULL;
    su_context_init(ctx);
    su_status st = su_mapping_parse(ctx, "map.csv", text, s, &m);
    su_mapping_free(m);
    su_schema_free(s);
    return st;
}

static void what_is_no_mapping_is_said(void **state)
{
    (void)state;
    su_context ctx;
    su_status st = parse_text(&ctx, SU_STR("PK\x03\x04 and so on"));
    assert_says(&ctx, st, SU_INPUT, "map.csv", "spreadsheet", "save the mapping as CSV (UTF-8)");
    st = parse_text(&ctx, SU_STR("\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1"));
    assert_says(&ctx, st, SU_INPUT, "map.csv", "save the mapping as CSV (UTF-8)");
    st = parse_text(&ctx, SU_STR(MAP_HEADER));
    assert_says(&ctx, st, SU_INPUT, "map.csv", "no rows", "suha map suggest");
    st = parse_text(&ctx, SU_STR(MAP_HEADER ",,,,,,\n  ,,,,,,\n"));
    assert_says(&ctx, st, SU_INPUT, "map.csv", "no rows");
}

static void guarded_cells_are_read_without_their_guard(void **state)
{
    (void)state;
    toy_run r = run("'=x,'+F,gender,Woman,value,,\n'=x,-99,gender,Man,value,,\n'=x,'-1,gender,Other,value,,\n'@gender,,,,drop,,\n",
                    "=x,@gender\n+F,a\n-99,b\n'-1,c\n");
    assert_string_equal(got(&r, 0, "gender"), "Woman");
    assert_string_equal(got(&r, 1, "gender"), "Man");
    assert_string_equal(got(&r, 2, "gender"), "Other"); /* a number needs no guard, so this ' is the cell's own */
    assert_string_equal(column_of(&r, "@gender")->coverage, "dropped");
    run_free(&r);
}

static void a_name_may_hold_ages_or_dates(void **state)
{
    (void)state;
    toy_run r = run(NULL, "ageBand,YEAR\n30,2004-05-06\n8,2005-01-02\n112,2006-01-02\n");
    assert_string_equal(got(&r, 0, "ageBand"), "18+");
    assert_string_equal(got(&r, 1, "ageBand"), "0--8");
    assert_string_equal(got(&r, 2, "year"), "2006");
    run_free(&r);
    r = run(NULL, "ageBand\n9-17\n18+\nadults\n");
    assert_string_equal(got(&r, 0, "ageBand"), "9--17");
    run_free(&r);
    r = run(NULL, "GENDER,yearOfReg,YEAR,year\nF,1,2,2004\n"); /* two aliases and the name itself */
    assert_string_equal(got(&r, 0, "year"), "2004");
    run_free(&r);
}

static void a_strange_header_is_explained(void **state)
{
    (void)state;
    toy_run r = run_with(NULL, "Report 2024,,,\nsex,age,citizenship,x\nF,1,UA,2\n", NULL);
    assert_says(&r.ctx, r.status, SU_INPUT, "none of its 4 columns", "single filled cell", "delete the rows above");
    run_free(&r);
    r = run_with("sex,,gender,,rename,,\n", "Victim,,Case,,\nsex,age,country,no,k\nF,1,UA,2,3\n", NULL);
    assert_says(&r.ctx, r.status, SU_INPUT, "\"sex\" (map.csv, line 2)", "3 of its 5 columns have no name", "--header-rows 2");
    run_free(&r);
    r = run_with(NULL, "Report\nsex\n", NULL);
    assert_says(&r.ctx, r.status, SU_INPUT, "single filled cell");
    run_free(&r);
    r = run_with(NULL, "a,b,\n1,2,3\n", NULL); /* one unnamed column is nothing odd */
    assert_null(strstr(r.ctx.message, "header"));
    r.raw->sheet = su_strdup("Notes");
    r.raw->others = su_strdup("\"Cases\"");
    su_harmonise_report_free(r.report);
    r.status = su_harmonise(&r.ctx, r.raw, r.schema, NULL, NULL, &r.table, &r.report);
    assert_says(&r.ctx, r.status, SU_INPUT, "The sheet \"Notes\" was read", "also has \"Cases\"", "--sheet");
    run_free(&r);
}

static void missing_source_columns_are_all_named(void **state)
{
    (void)state;
    toy_run r = run_with("sex,,gender,,rename,,\nage,,ageBand,,band,,\nnotes,,,,drop,,\n", "Sexe,x\nF,1\n", NULL);
    assert_says(&r.ctx, r.status, SU_INPUT, "cases.csv", "2 columns", "\"sex\" (map.csv, line 2)", "\"age\" (map.csv, line 3)");
    assert_null(r.table);
    assert_non_null(r.report);
    assert_int_equal(r.report->rows_in, 1);
    run_free(&r);
    /* "Sex" and "sex" are one column for a mapping, and nobody can say which one when the file has both. */
    r = run("sex,F,gender,Man,value,,\nSEX,,gender,,rename,,\n", "Sex,k\nM,\nF,\n");
    assert_string_equal(got(&r, 1, "gender"), "Man");
    run_free(&r);
    r = run_with("sex,F,gender,Man,value,,\nSEX,,gender,,rename,,\n", "SEX,sex\nM,F\n", NULL);
    assert_says(&r.ctx, r.status, SU_INPUT, "more than once", "\"sex\"");
    run_free(&r);
    r = run("sex,,gender,,rename,,\n", "SEX,sex\nM,F\n");
    assert_string_equal(got(&r, 0, "gender"), "Woman");
    run_free(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(contradictions_are_refused),
        cmocka_unit_test(the_header_is_checked),
        cmocka_unit_test(spreadsheets_write_it_in_several_ways),
        cmocka_unit_test(the_fingerprint_is_of_the_bytes),
        cmocka_unit_test(required_fields_must_be_filled),
        cmocka_unit_test(columns_find_their_fields_by_name),
        cmocka_unit_test(what_is_no_mapping_is_said),
        cmocka_unit_test(guarded_cells_are_read_without_their_guard),
        cmocka_unit_test(a_name_may_hold_ages_or_dates),
        cmocka_unit_test(a_strange_header_is_explained),
        cmocka_unit_test(missing_source_columns_are_all_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
