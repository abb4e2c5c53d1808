/* Which rows become people: weights, record numbers, rejects. */
#include "harmonise_test.h"

static const char *record(const toy_run *r, uint64_t row) { return su_dict_get(r->table->records, r->table->record_ids[row]).p; }

static void weights_make_people(void **state)
{
    (void)state;
    toy_run r = run("n,,,,weight,,\ng,,gender,,rename,,\n", "g,n\nF,2\nM,0\nX,1.0\nF,3\n");
    assert_int_equal(r.table->row_count, 6);
    assert_int_equal(r.report->rows_out, 6);
    assert_int_equal(r.report->rows_expanded, 6);
    static const char *const genders[] = { "Woman", "Woman", "Other", "Woman", "Woman", "Woman" }, *const records[] = {
        "2#1", "2#2", "4#1", "5#1", "5#2", "5#3"
    };
    for (size_t i = 0; i < 6; i++) {
        assert_string_equal(got(&r, i, "gender"), genders[i]);
        assert_string_equal(strchr(record(&r, i), ':') + 1, records[i]);
    }
    assert_string_equal(column_of(&r, "n")->coverage, "weight");
    run_free(&r);
}

static void bad_weights_reject_the_row(void **state)
{
    (void)state;
    toy_run r = run("n,,,,weight,,\ng,,gender,,rename,,\n", "g,n\nF,1\nM,-1\nM,1.5\nM,\nM,many\nM,2\n");
    assert_int_equal(r.report->rows_in, 6);
    assert_int_equal(r.report->rows_rejected, 4);
    assert_int_equal(r.report->rows_out, 3);
    static const uint32_t lines[] = { 3, 4, 5, 6 };
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(r.report->rejects[i].line, lines[i]);
        assert_string_equal(r.report->rejects[i].column, "n");
    }
    assert_string_equal(r.report->rejects[0].value, "-1");
    assert_non_null(strstr(r.report->rejects[0].reason, "whole number"));
    assert_non_null(strstr(r.report->rejects[2].reason, "empty"));
    run_free(&r);
}

static void too_many_people_is_a_mistake(void **state)
{
    (void)state;
    toy_run r = run_with("n,,,,weight,,\ng,,gender,,rename,,\n", "g,n\nF,50000000\nM,1\n", NULL);
    assert_says(&r.ctx, r.status, SU_REFUSED, "cases.csv", "line 3", "\"n\"", "50000000");
    assert_null(r.table);
    run_free(&r);
    r = run_with("n,,,,weight,,\ng,,gender,,rename,,\n", "g,n\nF,9223372036854775807\nM,9223372036854775807\nM,9223372036854775807\n",
                 NULL);
    assert_int_equal(r.status, SU_REFUSED);
    run_free(&r);
}

static void record_numbers_are_unique(void **state)
{
    (void)state;
    toy_run r = run("id,,,,record,,\ng,,gender,,rename,,\n", "id,g\nHB-1,F\n HB-2 ,M\nHB-1,X\n,F\nHB-2,F\nhb-1,F\n");
    assert_int_equal(r.report->rows_rejected, 3);
    assert_int_equal(r.table->row_count, 3);
    assert_string_equal(record(&r, 0), "HB-1");
    assert_string_equal(record(&r, 1), "HB-2");
    assert_string_equal(record(&r, 2), "hb-1");
    assert_int_equal(r.report->rejects[0].line, 4);
    assert_non_null(strstr(r.report->rejects[0].reason, "already on line 2"));
    assert_non_null(strstr(r.report->rejects[1].reason, "empty"));
    assert_non_null(strstr(r.report->rejects[2].reason, "already on line 3"));
    for (size_t i = 0; i < 3; i++) assert_string_equal(r.report->rejects[i].value, ""); /* record numbers are never shown */
    assert_true(su_mapping_has_record(r.mapping));
    run_free(&r);
    r = run("id,,,,record,,\nn,,,,weight,,\n", "id,n\nA,2\nB,1\n");
    assert_string_equal(record(&r, 1), "A#2");
    assert_string_equal(record(&r, 2), "B#1");
    run_free(&r);
}

static void without_a_record_column_the_file_and_line_name_the_row(void **state)
{
    (void)state;
    char expected[32], file[9];
    toy_run r = run("g,,gender,,rename,,\n", "g,k\nF,\"two\nlines\"\nM,\n");
    su_hex(r.raw->fingerprint.bytes, 4, file);
    snprintf(expected, sizeof expected, "%s:2", file);
    assert_string_equal(record(&r, 0), expected);
    snprintf(expected, sizeof expected, "%s:4", file);
    assert_string_equal(record(&r, 1), expected);
    run_free(&r);
}

static void too_many_rejects_refuse_the_file(void **state)
{
    (void)state;
    const char *map = "n,,,,weight,,\ng,,gender,,rename,,\n", *data = "g,n\nF,x\nF,y\nM,1\n";
    su_harmonise_options opts = { .margins = SU_MARGINS_REFUSE, .max_rejected = 1 };
    toy_run r = run_with(map, data, &opts);
    assert_says(&r.ctx, r.status, SU_REFUSED, "cases.csv", "2 rows are rejected", "line 2", "\"n\"");
    assert_null(r.table);
    assert_int_equal(r.report->rows_rejected, 2);
    run_free(&r);
    opts.max_rejected = 2;
    r = run_with(map, data, &opts);
    assert_int_equal(r.status, SU_OK);
    assert_int_equal(r.table->row_count, 1);
    run_free(&r);
}

static void all_kinds_of_columns_survive_the_gathering(void **state)
{
    (void)state;
    toy_run r = run("id,,,,record,,\nn,,,,weight,,\nk,,kinds,,rename,,\nm,,months,,rename,,\ng,,gender,,rename,,\np,,phone,,rename,,\n",
                    "id,n,k,m,g,p\n1,1,a;c,5,F,123\n1,1,b,6,M,456\n2,2,refused,7,unknown,\n3,0,b,8,M,\n4,1,b,5,X,123\n");
    static const char *const kinds[] = { "a+c", "(refused)", "(refused)", "b" }, *const months[] = { "5", "7", "7", "5" },
                             *const phones[] = { "123", "(none)", "(none)", "123" },
                             *const genders[] = { "Woman", "(unknown)", "(unknown)", "Other" };
    assert_int_equal(r.table->row_count, 4);
    for (size_t i = 0; i < 4; i++) {
        assert_string_equal(got(&r, i, "kinds"), kinds[i]);
        assert_string_equal(got(&r, i, "months"), months[i]);
        assert_string_equal(got(&r, i, "phone"), phones[i]);
        assert_string_equal(got(&r, i, "gender"), genders[i]);
    }
    run_free(&r);
}

static void an_empty_file_is_an_empty_table(void **state)
{
    (void)state;
    toy_run r = run("g,,gender,,rename,,\nk,,kinds,,rename,,\n@gender,Woman,adult,1,value,,\n", "g,k\n");
    assert_int_equal(r.table->row_count, 0);
    assert_true(r.table->columns[su_schema_field(r.schema, SU_STR("gender"))].provided);
    run_free(&r);
}

static void work_can_be_cancelled(void **state)
{
    (void)state;
    toy_run r = run("g,,gender,,rename,,\n", "g,k\nF,\n");
    su_case_table_free(r.table);
    su_harmonise_report_free(r.report);
    int cancel = 1;
    r.ctx.cancel = &cancel;
    assert_int_equal(su_harmonise(&r.ctx, r.raw, r.schema, r.mapping, NULL, &r.table, &r.report), SU_CANCELLED);
    assert_null(r.table);
    run_free(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(weights_make_people),
        cmocka_unit_test(bad_weights_reject_the_row),
        cmocka_unit_test(too_many_people_is_a_mistake),
        cmocka_unit_test(record_numbers_are_unique),
        cmocka_unit_test(without_a_record_column_the_file_and_line_name_the_row),
        cmocka_unit_test(too_many_rejects_refuse_the_file),
        cmocka_unit_test(all_kinds_of_columns_survive_the_gathering),
        cmocka_unit_test(an_empty_file_is_an_empty_table),
        cmocka_unit_test(work_can_be_cancelled),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
