/* JSON: the bytes, the escapes, numbers that read back exactly in any locale. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "su_test.h"

#include <locale.h>
#include <math.h>

static const char one_line[] = "{\"a\":\"x\",\"b\":[-9223372036854775808,0.1,{},[],null],\"c\":true,\"d\":-1,\"e\":null,\"f\":null}";
static const char indented[] = "{\n  \"a\": \"x\",\n  \"b\": [\n    -9223372036854775808,\n    0.1,\n    {},\n    [],\n    null\n  ],\n"
                               "  \"c\": true,\n  \"d\": -1,\n  \"e\": null,\n  \"f\": null\n}\n";

static void layout(void **state)
{
    (void)state;
    for (int compact = 0; compact < 2; compact++) {
        su_buf b = { NULL, 0, 0 };
        su_json j;
        su_json_init(&j, &b);
        j.compact = compact;
        su_json_object(&j);
        su_json_kv_text(&j, "a", "x");
        su_json_key(&j, "b");
        su_json_array(&j);
        su_json_int(&j, INT64_MIN);
        su_json_real(&j, 0.1);
        su_json_object(&j);
        su_json_end(&j);
        su_json_array(&j);
        su_json_end(&j);
        su_json_null(&j);
        su_json_end(&j);
        su_json_kv_bool(&j, "c", true);
        su_json_kv_int(&j, "d", -1);
        su_json_kv_real(&j, "e", NAN);
        su_json_kv_text(&j, "f", NULL);
        su_json_end(&j);
        assert_string_equal(b.p, compact ? one_line : indented);
        su_buf_free(&b);
    }
}

static void writes(su_str text, const char *expected)
{
    su_buf b = { NULL, 0, 0 };
    su_json j;
    su_json_init(&j, &b);
    j.compact = true;
    su_json_str(&j, text);
    assert_string_equal(b.p, expected);
    su_buf_free(&b);
}

static void escapes(void **state)
{
    (void)state;
    writes(SU_STR(""), "\"\"");
    writes(SU_STR("a\"b\\c/d"), "\"a\\\"b\\\\c/d\"");
    writes(SU_STR("\n\r\t\x01\x7F"), "\"\\n\\r\\t\\u0001\\u007f\"");
    writes((su_str) { "a\0b", 3 }, "\"a\\u0000b\"");
    writes(SU_STR("\xD8\xA3\xF0\x9F\x8C\x9F"), "\"\xD8\xA3\xF0\x9F\x8C\x9F\"");
    writes(SU_STR("a\xFFz"), "\"a\xEF\xBF\xBDz\"");
    writes(SU_STR("\xED\xA0\x80"), "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\""); /* surrogate */
    writes(SU_STR("\xC3"), "\"\xEF\xBF\xBD\"");
}

static void real_text(double value, char out[64])
{
    su_buf b = { NULL, 0, 0 };
    su_json j;
    su_json_init(&j, &b);
    j.compact = true;
    su_json_real(&j, value);
    snprintf(out, 64, "%s", b.p);
    su_buf_free(&b);
}

static void numbers_read_back(void **state)
{
    (void)state;
    static const struct {
        double value;
        const char *text;
    } known[] = {
        { 0, "0" },
        { 1, "1" },
        { 0.1, "0.1" },
        { 1e300, "1e+300" },
        { 1.0 / 3, "0.3333333333333333" },
        { 0.1 + 0.2, "0.30000000000000004" },
        { 5e-324, "4.94065645841247e-324" },
        { 123456789, "123456789" },
        { INFINITY, "null" },
        { -INFINITY, "null" },
    };
    char text[64];
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        real_text(known[i].value, text);
        assert_string_equal(text, known[i].text);
    }
    su_random r;
    su_test_random(&r);
    for (int k = 0; k < 100000; k++) {
        union {
            uint64_t bits;
            double value;
        } u = { su_random_u64(&r) };
        if (!isfinite(u.value)) continue;
        double back;
        real_text(u.value, text);
        assert_true(su_parse_f64(su_str_of(text), &back));
        assert_true(back == u.value);
    }
}

static void locale_does_not_matter(void **state)
{
    (void)state;
    static const char *const locales[] = { "de_DE.UTF-8", "fr_FR.UTF-8", "ar_EG.UTF-8", "ps_AF.UTF-8", "de_DE", "fr_FR" };
    unsigned tried = 0;
    for (size_t i = 0; i < sizeof locales / sizeof locales[0]; i++) {
        if (!setlocale(LC_ALL, locales[i])) continue;
        tried++;
        char text[64];
        double back;
        real_text(-1234.5e-10, text);
        assert_string_equal(text, "-1.2345e-07");
        assert_true(su_parse_f64(SU_STR("2.5"), &back) && back == 2.5);
        assert_false(su_parse_f64(SU_STR("2,5"), &back));
    }
    setlocale(LC_ALL, "C");
    if (!tried) printf("# skipped: no locale with a decimal comma is installed\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(layout),
        cmocka_unit_test(escapes),
        cmocka_unit_test(numbers_read_back),
        cmocka_unit_test(locale_does_not_matter),
    };
    return cmocka_run_group_tests_name("json", tests, NULL, NULL);
}
