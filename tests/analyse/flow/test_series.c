/* Periods, series out of rows, rows that are totals of others, flows at points, editions and delays. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <suha/official.h>

#include "analyse/reference.h"

static su_frame *frame_of(const char *csv, su_raw_table **raw)
{
    su_context ctx;
    su_frame *f = NULL;
    su_context_init(&ctx);
    if (su_csv_parse(&ctx, "made.csv", su_str_of(csv), NULL, raw)) fail_msg("%s", ctx.message);
    if (su_frame_of_table(&ctx, *raw, NULL, &f)) fail_msg("%s", ctx.message);
    return f;
}

static const su_variable *variable(const su_frame *f, const char *name)
{
    su_context ctx;
    const su_variable *v = NULL;
    su_context_init(&ctx);
    if (su_frame_find(&ctx, f, su_str_of(name), &v)) fail_msg("%s", ctx.message);
    return v;
}

/* Every day of 400 years, against a calendar that counts one by one; months, quarters and weeks come back as they were printed. */
static void calendar(void **state)
{
    (void)state;
    static const unsigned lengths[12] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    int64_t expected = 0;
    bool first = true;
    for (int year = 1800; year < 2200; year++)
        for (unsigned month = 1; month <= 12; month++) {
            bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
            unsigned days = lengths[month - 1] + (month == 2 && leap);
            su_period p;
            char text[48], back[24];
            snprintf(text, sizeof text, "%04d-%02u", year, month);
            assert_true(su_period_parse(su_str_of(text), &p) && p.kind == 'm' && p.days == days && p.season == month - 1);
            for (unsigned day = 1; day <= days; day++, expected++) {
                snprintf(text, sizeof text, "%04d-%02u-%02u", year, month, day);
                assert_true(su_period_parse(su_str_of(text), &p) && p.kind == 'd');
                if (first) expected = p.ordinal;
                first = false;
                assert_true(p.ordinal == expected);
                su_period_print('d', p.ordinal, back);
                assert_string_equal(back, text);
            }
        }
    static const char *const same[] = { "2024-Q3", "2020-W53", "2021-W01", "1999-12", "2024", "17" };
    for (size_t k = 0; k < sizeof same / sizeof *same; k++) {
        su_period p;
        char back[24];
        assert_true(su_period_parse(su_str_of(same[k]), &p));
        su_period_print(p.kind, p.ordinal, back);
        assert_string_equal(back, same[k]);
    }
    su_period a, b;
    assert_true(su_period_parse(SU_STR("2020-W53"), &a) && su_period_parse(SU_STR("2021-W01"), &b) && b.ordinal == a.ordinal + 1);
    static const char *const bad[] = { "", "2024-13", "2024-02-30", "2021-W53", "2024-Q5", "Total", "3.5", "2024-", "20240101x" };
    for (size_t k = 0; k < sizeof bad / sizeof *bad; k++) assert_false(su_period_parse(su_str_of(bad[k]), &a));
}

static su_status series(su_context *ctx, const char *csv, bool exclude, bool zero, su_series **s)
{
    su_raw_table *raw = NULL;
    su_frame *f = frame_of(csv, &raw);
    su_series_input in = { .time = variable(f, "t"), .count = variable(f, "n"), .exclude_margins = exclude, .absent_zero = zero };
    su_context_init(ctx);
    su_status st = su_series_of(ctx, f, &in, s);
    su_frame_free(f);
    su_raw_table_free(raw);
    return st;
}

static void totals_are_not_added(void **state)
{
    (void)state;
    su_context ctx;
    su_series *s = NULL;
    const char *csv = "t,sex,n\n2024-01,female,3\n2024-01,male,4\n2024-01,Total,7\n2024-04,female,1\n2024-04,male,\n";
    assert_int_equal(series(&ctx, csv, false, false, &s), SU_REFUSED);
    assert_non_null(strstr(ctx.message, "'sex' has rows 'Total'"));
    assert_int_equal(series(&ctx, csv, true, false, &s), SU_OK);
    assert_true(s->n == 2 && s->value[0] == 7 && s->value[1] == 1 && s->absent == 2 && s->missing == 1 && s->margins == 1);
    su_series_free(s);
    assert_int_equal(series(&ctx, csv, true, true, &s), SU_OK);
    assert_true(s->n == 4 && s->value[1] == 0 && s->season[3] == 3);
    su_series_free(s);
    assert_int_equal(series(&ctx, "t,n\n2024-01,3\nsoon,4\n", true, false, &s), SU_INPUT);
    assert_non_null(strstr(ctx.message, "data row 2: 'soon'"));
    assert_int_equal(series(&ctx, "t,n\n2024-01,3\n2024-Q1,4\n", true, false, &s), SU_REFUSED);
    assert_non_null(strstr(ctx.message, "different kinds"));
    assert_int_equal(series(&ctx, "t,n\n2024-01,3\n2024-02,-4\n", true, false, &s), SU_INPUT);
    assert_non_null(strstr(ctx.message, "zero or more"));
}

static su_result *points(const char *csv, su_status expected, const char *words)
{
    su_context ctx;
    su_raw_table *raw = NULL;
    su_frame *f = frame_of(csv, &raw);
    su_points_input in = { .point = variable(f, "p"),
                           .period = variable(f, "w"),
                           .count = variable(f, "n"),
                           .active = variable(f, "d"),
                           .open_days = 7,
                           .level = 0.95,
                           .print_weeks = true };
    su_context_init(&ctx);
    su_result *r = su_result_new("points", "");
    su_status st = su_flow_points(&ctx, f, &in, r);
    if (st != expected || (words && !strstr(ctx.message, words))) fail_msg("status %d, '%s'", (int)st, ctx.message);
    su_frame_free(f);
    su_raw_table_free(raw);
    return r;
}

/* A product of point and week effects is filled exactly. */
static void points_fill_gaps(void **state)
{
    (void)state;
    su_result *r =
        points("p,w,n,d\nA,1,100,7\nA,2,200,7\nA,3,400,7\nB,1,50,7\nB,2,100,7\nB,3,,0\nC,1,20,3.5\nC,2,80,7\nC,3,160,7\n", SU_OK, NULL);
    assert_true(su_result_get(r, "points", 0, "flow") == 700);
    double c = su_result_get(r, "weeks", 6, "flow"), b = su_result_get(r, "weeks", 5, "flow");
    assert_true(fabs(c - 40) < 1e-9);
    assert_true(fabs(b - 200) < 1e-4);
    assert_true(fabs(su_result_get(r, "points", 1, "flow") - 350) < 1e-4);
    assert_string_equal(su_result_get_text(r, "weeks", 5, "how"), "filled");
    assert_true(su_result_has_warning(r, "W_DOUBLE_COUNTING"));
    su_result_free(r);
    su_result_free(points("p,w,n,d\nA,1,100,8\n", SU_INPUT, "longer than the period"));
    su_result_free(points("p,w,n,d\nA,1,100,0\n", SU_INPUT, "not active"));
    su_result_free(points("p,w,n,d\nA,1,,0\nB,1,,0\n", SU_INPUT, "no value at all"));
    su_result_free(points("p,w,n,d\nA,1,,0\nB,1,0,0\n", SU_REFUSED, "no point was watched"));
}

/* Freireich's leukaemia data, arm 6-MP, as printed in every textbook: median 23, 9 events of 21. Dates are days after 2020-01-01. */
static void delays(void **state)
{
    (void)state;
    static const int days[21] = { 6, 6, 6, 6, 7, 9, 10, 10, 11, 13, 16, 17, 19, 20, 22, 23, 25, 32, 32, 34, 35 };
    static const bool event[21] = { 1, 1, 1, 0, 1, 0, 1, 0, 0, 1, 1, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0 };
    su_buf csv = { 0 };
    su_period end;
    assert_true(su_period_parse(SU_STR("2020-02-05"), &end)); /* day 35 */
    su_buf_text(&csv, "in,out\n");
    for (size_t i = 0; i < 21; i++) {
        /* an open case is one received as many days before the end; a decided one is decided as many days after receipt */
        char from[24], to[24] = "";
        su_period_print('d', end.ordinal - days[i], from);
        if (event[i]) su_period_print('d', end.ordinal, to);
        su_buf_printf(&csv, "%s,%s\n", from, to);
    }
    su_context ctx;
    su_raw_table *raw = NULL;
    su_context_init(&ctx);
    su_frame *f = frame_of(csv.p, &raw);
    su_delays_input in = { variable(f, "in"), variable(f, "out"), NULL, end.ordinal, 10, 0.95 };
    su_result *r = su_result_new("delays", "");
    assert_int_equal(su_official_delays(&ctx, f, &in, r), SU_OK);
    assert_true(su_result_get(r, "delays", 0, "median") == 23);
    assert_true(su_result_get(r, "delays", 0, "low") == 13); /* R survfit, conf.type = "log-log": 13 to NA */
    assert_true(isnan(su_result_get(r, "delays", 0, "high")));
    assert_true(fabs(su_result_get(r, "delays", 0, "within") - (1 - 0.7529412)) < 1e-6); /* S(10) = .7529412 in the textbooks */
    su_result_free(r);
    su_frame_free(f);
    su_raw_table_free(raw);
    su_buf_free(&csv);
}

static void revisions(void **state)
{
    (void)state;
    su_context ctx;
    su_raw_table *a = NULL, *b = NULL;
    su_str key[2] = { SU_STR("year"), SU_STR("quarter") };
    su_context_init(&ctx);
    assert_int_equal(su_csv_parse(&ctx, "old.csv", SU_STR("year,quarter,n\n2023,Q1,4746\n2023,Q2,4033\n2022,Q4,9\n"), NULL, &a), SU_OK);
    assert_int_equal(su_csv_parse(&ctx, "new.csv", SU_STR("quarter,year,n\nQ1,2023,4738\nQ2,2023,4033.0\nQ3,2023,4138\n"), NULL, &b),
                     SU_OK);
    su_result *r = su_result_new("revisions", "");
    assert_int_equal(su_official_revisions(&ctx, a, b, key, 2, r), SU_OK);
    assert_true(su_result_rows(r, "changed") == 1 && su_result_get(r, "changed", 0, "difference") == -8);
    assert_true(su_result_get_fact(r, "added") == 1 && su_result_get_fact(r, "removed") == 1 && su_result_get_fact(r, "n") == 2);
    su_result_free(r);
    r = su_result_new("revisions", "");
    assert_int_equal(su_official_revisions(&ctx, a, b, key, 1, r), SU_INPUT);
    assert_non_null(strstr(ctx.message, "lines 2 and 3"));
    su_result_free(r);
    su_raw_table_free(a);
    su_raw_table_free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(calendar),  cmocka_unit_test(totals_are_not_added), cmocka_unit_test(points_fill_gaps), cmocka_unit_test(delays),
        cmocka_unit_test(revisions),
    };
    return cmocka_run_group_tests_name("series", tests, NULL, NULL);
}
