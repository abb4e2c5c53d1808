/* Results: the three printers, on ordinary and on hostile content. The page must be well-formed XML with no script and no outside request.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <expat.h>
#include <jansson.h>
#include <math.h>
#include <string.h>
#include <suha/analyse.h>

#define HOSTILE "<script>alert('x')</script> & \"quoted\" \xF0\x9F\x98\x80"

static su_result *sample(void)
{
    static const su_plot_kind kinds[] = { SU_PLOT_INTERVALS, SU_PLOT_FOREST, SU_PLOT_CURVE, SU_PLOT_BARS };
    su_result *r = su_result_new("rates", "A result");
    su_result_fact(r, "n", "Rows", 250);
    su_result_fact(r, "deff", "Design effect", 1.25);
    su_result_fact(r, "nothing", "Nothing", NAN);
    su_result_fact_text(r, "method", "Method", HOSTILE);
    su_result_table *t = su_result_table_add(r, "rates", "Rates");
    su_result_column(t, "group", "group", SU_COLUMN_TEXT);
    su_result_column(t, "n", "n", SU_COLUMN_INTEGER);
    su_result_column(t, "x", "x", SU_COLUMN_NUMBER);
    su_result_column(t, "estimate", "estimate", SU_COLUMN_PERCENT);
    su_result_column(t, "low", "low", SU_COLUMN_PERCENT);
    su_result_column(t, "high", "high", SU_COLUMN_PERCENT);
    su_result_column(t, "p", "p", SU_COLUMN_P);
    const double rows[4][6] = {
        { 120, 1, 0.25, 0.2, 0.3, 0.04 }, { 130, 2.5, 0.0005, 0, 0.02, 1e-9 }, { 0, 3, NAN, NAN, NAN, NAN }, { 5, 4, 1, 0.4, INFINITY, 0.5 }
    };
    const char *names[4] = { "first", HOSTILE, "empty", "السها" };
    for (int i = 0; i < 4; i++) {
        su_result_text(t, names[i]);
        for (int k = 0; k < 6; k++) su_result_number(t, rows[i][k]);
    }
    su_result_warn(r, "W_ONE", "%s happened", HOSTILE);
    su_result_warn(r, "W_ONE", "%s happened", HOSTILE);
    su_result_warn(r, "W_TWO",
                   "a long warning that has to be broken over lines because no terminal is as wide as this sentence is long, is it, and "
                   "what if it is?");
    su_result_method(r, "Done by %s.", "hand");
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        su_result_plot(r, kinds[i], HOSTILE, t, "group", "x", "estimate", "low", "high");
    su_result_hash(r, NULL, "rates --outcome y", 7);
    return r;
}

static void test_json(void **state)
{
    (void)state;
    su_result *r = sample();
    su_buf out = { 0 };
    su_result_print_json(r, &out);
    json_error_t error;
    json_t *j = json_loadb(out.p, out.n, JSON_REJECT_DUPLICATES, &error);
    if (!j) fail_msg("line %d: %s", error.line, error.text);
    assert_string_equal(json_string_value(json_object_get(j, "command")), "rates");
    assert_true(json_number_value(json_object_get(j, "n")) == 250);
    assert_true(json_is_null(json_object_get(j, "nothing")));
    assert_int_equal(json_array_size(json_object_get(j, "warnings")), 2); /* the same one is kept once */
    assert_int_equal(strlen(json_string_value(json_object_get(j, "hash"))), 64);
    const json_t *rows = json_object_get(json_object_get(j, "tables"), "rates");
    assert_int_equal(json_array_size(rows), 4);
    const json_t *second = json_array_get(rows, 1), *third = json_array_get(rows, 2);
    assert_string_equal(json_string_value(json_object_get(second, "group")), HOSTILE);
    assert_true(json_is_integer(json_object_get(second, "n")));
    assert_true(json_real_value(json_object_get(second, "estimate")) == 0.0005);
    assert_true(json_real_value(json_object_get(second, "p")) == 1e-9);
    assert_true(json_is_null(json_object_get(third, "estimate")));
    json_decref(j);
    su_buf_free(&out);
    su_result_free(r);
}

static void test_text(void **state)
{
    (void)state;
    su_result *r = sample();
    su_buf out = { 0 };
    su_result_print_text(r, &out);
    assert_non_null(strstr(out.p, "25.0 %"));
    assert_non_null(strstr(out.p, "0.05 %")); /* not 0.1 % */
    assert_non_null(strstr(out.p, "< 0.001"));
    assert_non_null(strstr(out.p, "  ! W_TWO a long warning"));
    assert_non_null(strstr(out.p, "Method. Done by hand."));
    assert_null(strstr(out.p, "nan"));
    for (const char *p = out.p; *p;) {
        size_t n = strcspn(p, "\n");
        if (n > 2 && p[2] == '!') assert_true(n <= 200);
        p += n + 1;
    }
    assert_true(out.p[out.n - 1] == '\n');
    su_buf_free(&out);
    su_result_free(r);
}

static int depth, scripts, outside;
static void XMLCALL on_start(void *user, const char *name, const char **attributes)
{
    (void)user;
    depth++;
    scripts += strcmp(name, "script") == 0;
    for (; *attributes; attributes += 2) {
        bool link = strcmp(attributes[0], "src") == 0 || strcmp(attributes[0], "href") == 0 || strncmp(attributes[0], "on", 2) == 0;
        outside += link;
    }
}
static void XMLCALL on_end(void *user, const char *name)
{
    (void)user, (void)name;
    depth--;
}

static void test_html(void **state)
{
    (void)state;
    su_result *r = sample();
    su_buf out = { 0 };
    su_result_print_html(r, &out);
    XML_Parser parser = XML_ParserCreate("UTF-8");
    XML_SetElementHandler(parser, on_start, on_end);
    if (XML_Parse(parser, out.p, (int)out.n, 1) != XML_STATUS_OK)
        fail_msg("line %lu: %s", XML_GetCurrentLineNumber(parser), XML_ErrorString(XML_GetErrorCode(parser)));
    XML_ParserFree(parser);
    assert_int_equal(depth, 0);
    assert_int_equal(scripts, 0);
    assert_int_equal(outside, 0);
    assert_null(strstr(out.p, "<script"));
    assert_null(strstr(out.p, "nan"));
    assert_null(strstr(out.p, "inf\""));
    assert_non_null(strstr(out.p, "default-src 'none'"));
    size_t figures = 0;
    for (const char *p = out.p; (p = strstr(p, "<figure>")); p++) figures++;
    assert_int_equal(figures, 4);
    su_buf_free(&out);
    su_result_free(r);
}

static void test_empty_result(void **state)
{
    (void)state;
    su_result *r = su_result_new("x", "Nothing");
    su_result_table *t = su_result_table_add(r, "t", "No rows");
    su_result_column(t, "a", "a", SU_COLUMN_NUMBER);
    su_result_plot(r, SU_PLOT_FOREST, "none", t, NULL, NULL, "a", NULL, NULL);
    su_buf out = { 0 };
    su_result_print_text(r, &out);
    assert_non_null(strstr(out.p, "(no rows)"));
    su_result_print_html(r, &out);
    su_result_print_json(r, &out);
    assert_int_equal(su_result_rows(r, "t"), 0);
    assert_int_equal(su_result_rows(r, "absent"), 0);
    assert_true(isnan(su_result_get(r, "t", 0, "a")));
    su_buf_free(&out);
    su_result_free(r);
}

static void test_lookup_and_hash(void **state)
{
    (void)state;
    su_result *r = sample(), *same = sample();
    su_buf a = { 0 }, b = { 0 };
    assert_true(su_result_get(r, "rates", 0, "estimate") == 0.25);
    assert_string_equal(su_result_get_text(r, "rates", 0, "group"), "first");
    assert_true(su_result_get_fact(r, "deff") == 1.25);
    assert_true(su_result_has_warning(r, "W_TWO"));
    assert_false(su_result_has_warning(r, "W_THREE"));
    su_result_print_json(r, &a);
    su_result_print_json(same, &b);
    assert_string_equal(a.p, b.p);
    su_result_hash(same, NULL, "rates --outcome y", 8); /* another seed */
    b.n = 0;
    su_result_print_json(same, &b);
    assert_string_not_equal(a.p, b.p);
    su_buf_free(&a);
    su_buf_free(&b);
    su_result_free(r);
    su_result_free(same);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_json),
        cmocka_unit_test(test_text),
        cmocka_unit_test(test_html),
        cmocka_unit_test(test_empty_result),
        cmocka_unit_test(test_lookup_and_hash),
    };
    return cmocka_run_group_tests_name("result", tests, NULL, NULL);
}
