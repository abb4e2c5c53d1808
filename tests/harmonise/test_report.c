/* The report: what a person and a program read, and what neither may see. */
#include "harmonise_test.h"

#include <jansson.h>

static const char *const map = "id,,,,record,,\ncase,,caseNumber,,rename,,\nsex,,gender,,rename,,\nage,,ageBand,,band,partial,\nphone,,"
                               "phone,,rename,,\nnotes,,,,drop,,\n";
static const char *const data = "id,case,sex,age,phone,notes,extra\nSECRET-1,SECRET-2,F,30,SECRET-3,SECRET-4,SECRET-5\nSECRET-1,SECRET-6,"
                                "Frau,abt 30,+441234,SECRET-7,\n"
                                "SECRET-8,,Frau,-99,,,\n";

static char *text_of(const su_harmonise_report *r)
{
    su_buf b = { 0 };
    su_harmonise_report_text(r, &b);
    return b.p;
}

static char *json_of(const su_harmonise_report *r)
{
    su_buf b = { 0 };
    su_json j;
    su_json_init(&j, &b);
    su_harmonise_report_json(r, &j);
    return b.p;
}

static void the_text_is_for_a_person(void **state)
{
    (void)state;
    toy_run r = run(map, data);
    char *text = text_of(r.report);
    static const char *const wanted[] = {
        "cases.csv (UTF-8) in the schema toy\n  rows read 3, rejected 1, person rows 2\n",
        "  column  becomes     coverage     values      mapped     missing    unmapped\n",
        "  sex     gender      exact             2           1           0           2\n",
        "  age     ageBand     partial           3           1           1           1\n",
        "  notes   -           dropped ",
        "  extra   -           unmapped",
        "  sex: in 2 rows\n           2  Frau\n",
        "  phone: in 1 row; values of this column are not shown\n",
        "Rejected rows\n  line 3, column \"id\": the record number is already on line 2\n",
        "Nothing in this file fills",
    };
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
        if (strstr(text, wanted[i]) == NULL) fail_msg("\"%s\" is not in:\n%s", wanted[i], text);
    free(text);
    run_free(&r);
}

static void identifiers_are_never_shown(void **state)
{
    (void)state;
    toy_run r = run(map, data);
    char *text = text_of(r.report), *json = json_of(r.report);
    assert_null(strstr(text, "SECRET"));
    assert_null(strstr(json, "SECRET"));
    free(text);
    free(json);
    run_free(&r);
}

static void the_json_says_the_same(void **state)
{
    (void)state;
    toy_run r = run(map, data);
    char *json = json_of(r.report);
    json_error_t error;
    json_t *root = json_loads(json, 0, &error);
    if (root == NULL) fail_msg("%s in %s", error.text, json);
    assert_int_equal(json_integer_value(json_object_get(root, "rows_in")), 3);
    assert_int_equal(json_integer_value(json_object_get(root, "rows_out")), 2);
    assert_int_equal(json_integer_value(json_object_get(root, "rows_rejected")), 1);
    assert_int_equal(json_array_size(json_object_get(root, "columns")), 7);
    json_t *sex = json_array_get(json_object_get(root, "columns"), 2);
    assert_string_equal(json_string_value(json_object_get(sex, "source")), "sex");
    assert_int_equal(json_integer_value(json_object_get(sex, "rows_unmapped")), 2);
    json_t *value = json_array_get(json_object_get(sex, "unmapped"), 0);
    assert_string_equal(json_string_value(json_object_get(value, "value")), "Frau");
    assert_int_equal(json_integer_value(json_object_get(value, "rows")), 2);
    assert_int_equal(json_array_size(json_object_get(root, "fields")), r.schema->field_count);
    assert_int_equal(json_array_size(json_object_get(root, "rejects")), 1);
    json_decref(root);
    free(json);
    run_free(&r);
}

static void the_same_input_gives_the_same_bytes(void **state)
{
    (void)state;
    toy_run a = run(map, data), b = run(map, data);
    char *x = text_of(a.report), *y = text_of(b.report), *u = json_of(a.report), *v = json_of(b.report);
    assert_string_equal(x, y);
    assert_string_equal(u, v);
    free(x);
    free(y);
    free(u);
    free(v);
    run_free(&a);
    run_free(&b);
}

static void unmapped_values_come_most_frequent_first(void **state)
{
    (void)state;
    toy_run r = run("g,,gender,,rename,,\n", "g,k\nzz,\nyy,\nzz,\nxx,\nyy,\nww,\n");
    const su_column_report *c = column_of(&r, "g");
    static const char *const order[] = { "yy", "zz", "ww", "xx" };
    assert_int_equal(c->unmapped_count, 4);
    for (size_t i = 0; i < 4; i++) assert_string_equal(c->unmapped[i].value, order[i]);
    run_free(&r);
}

static void fields_are_counted_on_person_rows(void **state)
{
    (void)state;
    toy_run r = run("n,,,,weight,,\na,,meansAbuse,,rename,,\nt,,meansThreats,,rename,,\n", "n,a,t\n3,1,1\n2,0,0\n1,,\n");
    const su_field_report *abuse = &r.report->fields[su_schema_field(r.schema, SU_STR("meansAbuse"))];
    const su_field_report *threats = &r.report->fields[su_schema_field(r.schema, SU_STR("meansThreats"))];
    assert_int_equal(abuse->values, 3);
    assert_int_equal(abuse->negative, 2);
    assert_int_equal(abuse->missing, 1);
    assert_int_equal(threats->values, 3);
    assert_int_equal(threats->negative, 2);
    assert_int_equal(threats->missing, 1);
    assert_false(r.report->fields[0].provided);
    assert_int_equal(r.report->fields[0].missing, 6);
    run_free(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_text_is_for_a_person),
        cmocka_unit_test(identifiers_are_never_shown),
        cmocka_unit_test(the_json_says_the_same),
        cmocka_unit_test(the_same_input_gives_the_same_bytes),
        cmocka_unit_test(unmapped_values_come_most_frequent_first),
        cmocka_unit_test(fields_are_counted_on_person_rows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
