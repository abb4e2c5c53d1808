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

static void weights_in_groups_of_three(void **state)
{
    (void)state;
    toy_run r = run("n,,,,weight,,\ng,,gender,,rename,,\n",
                    "g,n\nF,\"1,200\"\nM,1 200\nX,\"3,0\"\nF,1.200\nF,1.000\nF,1.234.567\nF,\"1,5\"\nF,\"1,20\"\n");
    assert_int_equal(r.report->rows_out, 2403);
    assert_int_equal(r.report->rows_rejected, 5);
    static const char *const reasons[] = { "write 1200,", "write 1000,", "write 1234567,", "whole number", "whole number" };
    for (size_t i = 0; i < 5; i++)
        if (strstr(r.report->rejects[i].reason, reasons[i]) == NULL) fail_msg("%s", r.report->rejects[i].reason);
    run_free(&r);
}

static void blank_rows_are_nobody(void **state)
{
    (void)state;
    static const char *const map = "id,,,,record,,\nn,,,,weight,,\ng,,gender,,rename,,\n";
    toy_run r = run_with(map, "id,n,g,other\n,,,\n1,1,F,\n ,\t,\xC2\xA0,\xE2\x80\x8B\n2,2,M,x\n,,,\n", NULL);
    assert_int_equal(r.status, SU_OK);
    assert_int_equal(r.report->rows_in, 5);
    assert_int_equal(r.report->rows_blank, 3);
    assert_int_equal(r.report->rows_rejected, 0);
    assert_int_equal(r.report->rows_out, 3);
    assert_int_equal(column_of(&r, "g")->rows_missing, 0);
    assert_int_equal(column_of(&r, "other")->rows_missing, 1);
    su_buf text = { 0 };
    su_harmonise_report_text(r.report, &text);
    assert_non_null(strstr(text.p, "rows read 5, blank 3, rejected 0, person rows 3"));
    su_buf_free(&text);
    su_json j;
    su_json_init(&j, &text);
    su_harmonise_report_json(r.report, &j);
    assert_non_null(strstr(text.p, "\"rows_blank\": 3"));
    su_buf_free(&text);
    run_free(&r);
    /* Something in a column that nobody maps is something. */
    r = run("g,,gender,,rename,,\n", "g,other\n,x\n,\n");
    assert_int_equal(r.report->rows_out, 1);
    assert_int_equal(r.report->rows_blank, 1);
    run_free(&r);
    /* Totals are counted without them. */
    r = run_with("g,,gender,,rename,,\n", "g,k\nF,1\nTotal,1\n,\n", &(su_harmonise_options) { .margins = SU_MARGINS_EXCLUDE });
    assert_int_equal(r.report->rows_margin, 1);
    assert_int_equal(r.report->rows_blank, 1);
    assert_int_equal(r.report->rows_out, 1);
    assert_non_null(strstr(r.report->margins, "1 of 2 rows"));
    run_free(&r);
}

/* Random tables of few fillings, against a look at every cell. */
static void blank_rows_by_the_letter(void **state)
{
    (void)state;
    static const char *const pool[] = { "", " ", "\t ", "\xC2\xA0", "x", "F" };
    su_random random;
    su_random_seeded(&random, 79);
    for (int round = 0; round < 200; round++) {
        uint64_t rows = 1 + su_random_below(&random, 12), blank = 0;
        su_buf csv = { 0 };
        su_buf_text(&csv, "gender,b,c\n");
        for (uint64_t row = 0; row < rows; row++) {
            bool filled = false;
            for (int c = 0; c < 3; c++) {
                uint64_t pick = su_random_below(&random, 6);
                filled |= pick >= 4;
                su_buf_printf(&csv, "%s%s", c > 0 ? "," : "", pool[pick]);
            }
            su_buf_char(&csv, '\n');
            blank += !filled;
        }
        toy_run r = run(NULL, csv.p);
        assert_int_equal(r.report->rows_blank, blank);
        assert_int_equal(r.table->row_count, rows - blank);
        run_free(&r);
        su_buf_free(&csv);
    }
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
        cmocka_unit_test(weights_in_groups_of_three),
        cmocka_unit_test(blank_rows_are_nobody),
        cmocka_unit_test(blank_rows_by_the_letter),
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
