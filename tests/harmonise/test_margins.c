/* Rows that are totals: refused with the list, or left out and counted. */
#include "harmonise_test.h"

static const char *const cube = "type,g,land,n\nA,F,UA,3\nA,M,UA,2\nA,Total,UA,5\nA,F,Total,3\nA,M,Total,2\nA,Total,Total,5\n";
static const char *const cube_map = "n,,,,weight,,\ng,,gender,,rename,,\nland,,citizenship,,rename,,\n";
static const su_harmonise_options leave_out = { .margins = SU_MARGINS_EXCLUDE, .max_rejected = UINT64_MAX };

static void totals_refuse_the_file(void **state)
{
    (void)state;
    toy_run r = run_with(cube_map, cube, NULL);
    assert_says(&r.ctx, r.status, SU_REFUSED, "cases.csv", "4 of 6 rows", "\"g\", value \"Total\": 2 rows, counting 10",
                "\"land\", value \"Total\": 3 rows, counting 10", "count 5, all rows together 20", "4.0 times too many",
                "--margins exclude");
    assert_null(r.table);
    assert_non_null(r.report);
    assert_int_equal(r.report->rows_margin, 4);
    assert_non_null(strstr(r.report->margins, "4.0 times"));
    run_free(&r);
}

static void totals_can_be_left_out(void **state)
{
    (void)state;
    toy_run r = run_with(cube_map, cube, &leave_out);
    assert_int_equal(r.status, SU_OK);
    assert_int_equal(r.table->row_count, 5);
    assert_int_equal(r.report->rows_margin, 4);
    assert_int_equal(column_of(&r, "g")->rows_unmapped, 0); /* a total is no unmapped value */
    run_free(&r);
}

static void declared_totals_need_no_option(void **state)
{
    (void)state;
    toy_run r = run("n,,,,weight,,\ng,,gender,,rename,,\nland,,citizenship,,rename,,\ng,TOTAL,,,margin,,\nland,total,,,margin,,\n", cube);
    assert_int_equal(r.table->row_count, 5);
    assert_int_equal(r.report->rows_margin, 4);
    run_free(&r);
    /* One declared, one not: the one that is not still refuses. */
    r = run_with("n,,,,weight,,\ng,,gender,,rename,,\nland,,citizenship,,rename,,\ng,Total,,,margin,,\n", cube, NULL);
    assert_says(&r.ctx, r.status, SU_REFUSED, "\"land\", value \"Total\"");
    run_free(&r);
    /* A margin row may name any column and any value. */
    r = run("g,,gender,,rename,,\nkeep,no,,,margin,,\n", "g,keep\nF,yes\nM,no\n");
    assert_int_equal(r.table->row_count, 1);
    run_free(&r);
}

static void a_value_the_mapping_knows_is_no_total(void **state)
{
    (void)state;
    toy_run r = run("g,all,gender,Other,value,,\ng,,gender,,rename,,\n", "g,k\nF,\nall,\n");
    assert_int_equal(r.table->row_count, 2);
    assert_string_equal(got(&r, 1, "gender"), "Other");
    run_free(&r);
}

static void totals_hide_in_columns_nobody_maps(void **state)
{
    (void)state;
    /* With a weight, plain words are believed in any column; without, only beside totals in a coded column. */
    toy_run r = run_with("n,,,,weight,,\ng,,gender,,rename,,\n", "g,land,n\nF,UA,3\nF,Total,3\n", NULL);
    assert_says(&r.ctx, r.status, SU_REFUSED, "\"land\", value \"Total\"");
    run_free(&r);
    r = run("g,,gender,,rename,,\n", "g,note\nF,all\nM,total\nX,in total\n");
    assert_int_equal(r.table->row_count, 3);
    run_free(&r);
    r = run("n,,,,weight,,\ng,,gender,,rename,,\n", "g,note,n\nF,in total,1\n");
    assert_int_equal(r.table->row_count, 1);
    run_free(&r);
    r = run_with("g,,gender,,rename,,\n", "g,force\nF,Kent\nM,Kent\nTotal,Kent\nF,Police total\n", &leave_out);
    assert_int_equal(r.table->row_count, 2);
    run_free(&r);
}

static void identifiers_and_texts_are_left_alone(void **state)
{
    (void)state;
    toy_run r =
        run("id,,,,record,,\nn,,,,weight,,\nname,,caseNumber,,rename,,\nphone,,phone,,rename,,\n", "id,n,name,phone\nall,1,Total,Total\n");
    assert_int_equal(r.table->row_count, 1);
    assert_string_equal(r.report->margins, "");
    run_free(&r);
}

static void totals_in_four_languages(void **state)
{
    (void)state;
    static const char *const words[] = { "Total", "ALL", "Tous", "todos", "Overall", "الإجمالي", "Both sexes", "Sub-total" };
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        su_buf data = { 0 };
        su_buf_printf(&data, "g,k\nF,1\n%s,2\n", words[i]);
        toy_run r = run_with("g,,gender,,rename,,\n", data.p, &leave_out);
        assert_int_equal(r.status, SU_OK);
        if (r.table->row_count != 1) fail_msg("%s is not seen", words[i]);
        run_free(&r);
        su_buf_free(&data);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(totals_refuse_the_file),
        cmocka_unit_test(totals_can_be_left_out),
        cmocka_unit_test(declared_totals_need_no_option),
        cmocka_unit_test(a_value_the_mapping_knows_is_no_total),
        cmocka_unit_test(totals_hide_in_columns_nobody_maps),
        cmocka_unit_test(identifiers_and_texts_are_left_alone),
        cmocka_unit_test(totals_in_four_languages),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
