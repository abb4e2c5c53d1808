#include "harmonise_test.h"

#include "dates.h"
#include "margins.h"
#include "words.h"

static void is_day(const char *text, date_order order, int y, int m, int d)
{
    civil_date out = { 0 };
    if (!date_parse(su_str_of(text), order, &out)) fail_msg("%s is not read", text);
    if (out.year != y || out.month != m || out.day != d) fail_msg("%s is read as %d-%d-%d", text, out.year, out.month, out.day);
}

static void dates_are_read(void **state)
{
    (void)state;
    static const char *const same[] = { "2019-03-28",      "2019/03/28",           "2019.03.28",       "2019-3-28",
                                        " 2019-03-28 ",    "2019-03-28T10:20:30Z", "2019-03-28 10:20", "2019-03-28T10:20:30.123+02:00",
                                        "28/03/2019",      "28.03.2019",           "28-03-2019",       "28/3/2019",
                                        "28/03/2019 10:20" };
    for (size_t i = 0; i < sizeof same / sizeof *same; i++) is_day(same[i], DATE_DAY_FIRST, 2019, 3, 28);
    is_day("03/04/2019", DATE_DAY_FIRST, 2019, 4, 3);
    is_day("03/04/2019", DATE_MONTH_FIRST, 2019, 3, 4);
    is_day("29/02/2020", DATE_DAY_FIRST, 2020, 2, 29);
    is_day("29/02/2000", DATE_DAY_FIRST, 2000, 2, 29);
}

static void what_is_no_date(void **state)
{
    (void)state;
    static const char *const bad[] = { "",           "2019",        "29/02/2019",  "29/02/1900",      "31/04/2019",
                                       "00/01/2019", "2019-13-01",  "2019-00-10",  "28/03/19",        "28-03/2019",
                                       "2019-03",    "2019-03-28x", "2019-03-28T", "2019-03-28 noon", "20190328",
                                       "1/2/3/2019", "0999-01-01",  "28/03/20190" };
    civil_date out;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (date_parse(su_str_of(bad[i]), DATE_DAY_FIRST, &out)) fail_msg("%s is read as a date", bad[i]);
}

static void years_are_read(void **state)
{
    (void)state;
    static const char *const same[] = { "2019",   "2019.0",  "2019.00", "2019-Q4",    "2019 Q1",
                                        "2019Q2", "2019-03", "2019/11", "28/03/2019", "2019-03-28" };
    static const char *const bad[] = { "",        "19",     "20190",    "2019.5", "2019-Q5",
                                       "2019-13", "2019-Q", "Q4 2019x", "year",   "999999999999999999999" };
    int year = 0;
    for (size_t i = 0; i < sizeof same / sizeof *same; i++)
        if (!year_parse(su_str_of(same[i]), DATE_DAY_FIRST, &year) || year != 2019) fail_msg("%s is not 2019", same[i]);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (year_parse(su_str_of(bad[i]), DATE_DAY_FIRST, &year)) fail_msg("%s is read as a year", bad[i]);
}

static void whole_decimals_are_integers(void **state)
{
    (void)state;
    int64_t n = 0;
    assert_true(integer_parse(SU_STR("2002.0"), &n) && n == 2002);
    assert_true(integer_parse(SU_STR("-99.00"), &n) && n == -99);
    assert_true(integer_parse(SU_STR("7"), &n) && n == 7);
    assert_false(integer_parse(SU_STR("2002.5"), &n));
    assert_false(integer_parse(SU_STR("2002."), &n));
    assert_false(integer_parse(SU_STR(".0"), &n));
    assert_false(integer_parse(SU_STR("-.0"), &n));
    assert_false(integer_parse(SU_STR("1e3"), &n));
    assert_false(integer_parse(SU_STR(""), &n));
}

static void words_of_totals_fold_to_themselves(void **state)
{
    (void)state;
    static const char *const yes[] = {
        "Total", "TOTALS", "all", "Tous", "TODOS", "Total général", "الإجمالي", "Grand  total", "sub – total"
    };
    static const char *const loosely[] = { "Police total", "Total (England)", "Local Authority Total" };
    static const char *const no[] = { "totally", "Totalitarian", "other", "all other countries", "subtotalled", "" };
    su_arena arena;
    su_arena_init(&arena);
    for (size_t i = 0; i < sizeof yes / sizeof *yes; i++)
        if (!margin_is_word(su_text_fold(&arena, su_str_of(yes[i])), false)) fail_msg("%s is not seen as a total", yes[i]);
    for (size_t i = 0; i < sizeof loosely / sizeof *loosely; i++) {
        su_str key = su_text_fold(&arena, su_str_of(loosely[i]));
        if (margin_is_word(key, false) || !margin_is_word(key, true)) fail_msg("%s", loosely[i]);
    }
    for (size_t i = 0; i < sizeof no / sizeof *no; i++)
        if (margin_is_word(su_text_fold(&arena, su_str_of(no[i])), true)) fail_msg("%s is seen as a total", no[i]);
    su_arena_free(&arena);
}

static void tables_line_up(void **state)
{
    (void)state;
    su_buf b = { 0 };
    words_count(&b, 0);
    su_buf_char(&b, ' ');
    words_count(&b, 999);
    su_buf_char(&b, ' ');
    words_count(&b, 1234567);
    assert_string_equal(b.p, "0 999 1,234,567");
    assert_int_equal(words_width(SU_STR("Côte")), 4);
    assert_int_equal(words_width(SU_STR("Co\xCC\x82te")), 4);
    assert_int_equal(words_width(SU_STR("日本")), 4);
    assert_int_equal(words_width(SU_STR("أوكرانيا")), 8);
    b.n = 0;
    words_pad(&b, SU_STR("Côte"), 6, false);
    su_buf_char(&b, '|');
    words_pad(&b, SU_STR("é"), 3, true);
    su_buf_char(&b, '|');
    words_pad(&b, SU_STR("abcdef"), 4, false);
    su_buf_char(&b, '|');
    words_pad(&b, SU_STR("a\nb"), 4, false);
    assert_string_equal(b.p, "Côte  |  é|abc…|a b ");
    su_buf_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dates_are_read),
        cmocka_unit_test(what_is_no_date),
        cmocka_unit_test(years_are_read),
        cmocka_unit_test(whole_decimals_are_integers),
        cmocka_unit_test(words_of_totals_fold_to_themselves),
        cmocka_unit_test(tables_line_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
