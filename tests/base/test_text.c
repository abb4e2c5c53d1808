/* Borrowed strings: UTF-8 against a decoder written from the definition, numbers, distances against plain recursion. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "su_test.h"

/* Table 3-7 of the Unicode standard, read row by row. */
static size_t slow_character(const unsigned char *p, size_t n)
{
    static const struct {
        unsigned first[2], second[2];
        size_t length;
    } rows[] = {
        { { 0x00, 0x7F }, { 0, 0 }, 1 },       { { 0xC2, 0xDF }, { 0x80, 0xBF }, 2 }, { { 0xE0, 0xE0 }, { 0xA0, 0xBF }, 3 },
        { { 0xE1, 0xEC }, { 0x80, 0xBF }, 3 }, { { 0xED, 0xED }, { 0x80, 0x9F }, 3 }, { { 0xEE, 0xEF }, { 0x80, 0xBF }, 3 },
        { { 0xF0, 0xF0 }, { 0x90, 0xBF }, 4 }, { { 0xF1, 0xF3 }, { 0x80, 0xBF }, 4 }, { { 0xF4, 0xF4 }, { 0x80, 0x8F }, 4 },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (p[0] < rows[i].first[0] || p[0] > rows[i].first[1]) continue;
        if (rows[i].length > n) return 0;
        if (rows[i].length > 1 && (p[1] < rows[i].second[0] || p[1] > rows[i].second[1])) return 0;
        for (size_t k = 2; k < rows[i].length; k++) {
            if (p[k] < 0x80 || p[k] > 0xBF) return 0;
        }
        return rows[i].length;
    }
    return 0;
}

static void check_utf8(const unsigned char *p, size_t n)
{
    size_t at = 0, bad = 999;
    while (at < n) {
        size_t length = slow_character(p + at, n - at);
        if (!length) break;
        at += length;
    }
    bool valid = su_utf8_valid((const char *)p, n, &bad);
    assert_int_equal(valid, at == n);
    if (!valid) assert_int_equal(bad, at);
}

static void utf8(void **state)
{
    (void)state;
    unsigned char text[40];
    for (unsigned a = 0; a < 256; a++) {
        for (unsigned b = 0; b < 256; b++) {
            static const unsigned char tails[] = { 'a', 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0 };
            for (size_t c = 0; c < sizeof tails; c++) {
                text[0] = (unsigned char)a;
                text[1] = (unsigned char)b;
                text[2] = tails[c];
                text[3] = tails[(c + a + b) % sizeof tails];
                for (size_t n = 1; n <= 4; n++) check_utf8(text, n);
            }
        }
    }
    su_random r;
    su_test_random(&r);
    for (int k = 0; k < 100000; k++) {
        size_t n = su_random_below(&r, sizeof text);
        for (size_t i = 0; i < n; i++) text[i] = (unsigned char)(su_random_below(&r, 12) ? 'a' + i % 26 : su_random_below(&r, 256));
        check_utf8(text, n);
    }
    assert_true(su_utf8_valid(NULL, 0, NULL));
}

static void trim(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        { "", "" },         { " \t\r\n", "" },  { " a b ", "a b" }, { "\xEF\xBB\xBF\xC2\xA0 a\xC2\xA0\xEF\xBB\xBF ", "a" },
        { "\xC2\xA0", "" }, { "\xA0", "\xA0" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_true(su_str_equal(su_str_trim(su_str_of(cases[i][0])), su_str_of(cases[i][1])));
    }
    assert_int_equal(su_str_of(NULL).n, 0);
    assert_true(su_str_equal((su_str) { NULL, 0 }, SU_STR("")));
    assert_false(su_str_equal(SU_STR("a"), SU_STR("b")));
}

static void integers(void **state)
{
    (void)state;
    static const char *const bad[] = { "",
                                       " ",
                                       "-",
                                       "+",
                                       "1a",
                                       "a1",
                                       "1 2",
                                       "--1",
                                       "0x10",
                                       "1.0",
                                       "9223372036854775808",
                                       "-9223372036854775809",
                                       "99999999999999999999999",
                                       "\xD9\xA1" };
    int64_t v = 77;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) assert_false(su_parse_i64(su_str_of(bad[i]), &v));
    assert_int_equal(v, 77);
    static const int64_t good[] = { 0, 1, -1, 42, INT64_MAX, INT64_MIN, INT64_MIN + 1 };
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        char text[40];
        snprintf(text, sizeof text, " %lld\n", (long long)good[i]);
        assert_true(su_parse_i64(su_str_of(text), &v));
        assert_true(v == good[i]);
    }
    assert_true(su_parse_i64(SU_STR("+007"), &v) && v == 7);
}

static void reals(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "", ".", "-", "1e", "1e+", "e5", "nan", "inf", "0x1p3", "1,5", "1 5", "1e999", "--1", "1.2.3", "1d0"
    };
    double v;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        if (su_parse_f64(su_str_of(bad[i]), &v)) fail_msg("%s was read as a number", bad[i]);
    }
    static const struct {
        const char *text;
        double value;
    } good[] = {
        { "0", 0 },
        { "-0.5", -0.5 },
        { " 1e3 ", 1000 },
        { ".25", 0.25 },
        { "5.", 5 },
        { "+1.5E-2", 0.015 },
        { "0.1000000000000000055511151231257827021181583404541015625000000000000000000000000000000000000000000000000001", 0.1 },
    };
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        assert_true(su_parse_f64(su_str_of(good[i].text), &v));
        assert_true(v == good[i].value);
    }
}

/* The definition, by recursion over prefixes. */
static size_t slow_distance(const char *a, size_t m, const char *b, size_t n)
{
    if (!m || !n) return m + n;
    size_t best = slow_distance(a, m - 1, b, n - 1) + (a[m - 1] != b[n - 1]);
    size_t remove_one = slow_distance(a, m - 1, b, n) + 1, add_one = slow_distance(a, m, b, n - 1) + 1;
    if (remove_one < best) best = remove_one;
    if (add_one < best) best = add_one;
    if (m > 1 && n > 1 && a[m - 1] == b[n - 2] && a[m - 2] == b[n - 1]) {
        size_t swap = slow_distance(a, m - 2, b, n - 2) + 1;
        if (swap < best) best = swap;
    }
    return best;
}

static void distances(void **state)
{
    (void)state;
    su_random r;
    su_test_random(&r);
    for (int k = 0; k < 4000; k++) {
        char a[6], b[6];
        size_t m = su_random_below(&r, 7), n = su_random_below(&r, 7), cap = su_random_below(&r, 8);
        for (size_t i = 0; i < m; i++) a[i] = (char)('a' + su_random_below(&r, 3));
        for (size_t i = 0; i < n; i++) b[i] = (char)('a' + su_random_below(&r, 3));
        size_t slow = slow_distance(a, m, b, n);
        assert_int_equal(su_text_distance((su_str) { a, m }, (su_str) { b, n }, cap), slow < cap ? slow : cap);
        assert_int_equal(su_text_distance((su_str) { a, m }, (su_str) { b, n }, SIZE_MAX), slow);
    }
    assert_int_equal(su_text_distance(SU_STR("na\xC3\xAFve"), SU_STR("naive"), 9), 1); /* one character, two bytes */
    assert_int_equal(su_text_distance(SU_STR("gender"), SU_STR("gendre"), 9), 1);
    assert_int_equal(su_text_distance(SU_STR(""), SU_STR(""), 9), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(utf8), cmocka_unit_test(trim), cmocka_unit_test(integers), cmocka_unit_test(reals), cmocka_unit_test(distances),
    };
    return cmocka_run_group_tests_name("text", tests, NULL, NULL);
}
