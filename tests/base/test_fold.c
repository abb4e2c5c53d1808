/* Folding: hand-checked pairs, and properties that must hold for any text. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "su_test.h"

static void folds_to(const char *text, const char *expected)
{
    su_arena a;
    su_arena_init(&a);
    su_str folded = su_text_fold(&a, su_str_of(text));
    if (!su_str_equal(folded, su_str_of(expected)))
        fail_msg("\"%s\" folds to \"%.*s\", not \"%s\"", text, (int)folded.n, folded.p, expected);
    assert_int_equal(folded.p[folded.n], '\0');
    su_arena_free(&a);
}

static void pairs(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        { "", "" },
        { "   ", "" },
        { "\t\r\n", "" },
        { "Female", "female" },
        { "  South   Sudan ", "south sudan" },
        { "9 -- 17", "9-17" },
        { "9 - 17", "9-17" },
        { "9\xE2\x80\x93"
          "17",
          "9-17" },                             /* en dash */
        { "9\xC2\xA0\xE2\x80\x94 17", "9-17" }, /* no-break space, em dash */
        { "9\xE2\x88\x92"
          "17",
          "9-17" }, /* minus sign */
        { "-99", "-99" },
        { " - 99", "-99" },
        { "a-", "a-" },
        { "-", "-" },
        { "- -", "-" },
        { "co\xC2\xADoperate", "cooperate" }, /* soft hyphen */
        { "C\xC3\xB4te d\xE2\x80\x99Ivoire", "c\xC3\xB4te d\xE2\x80\x99ivoire" },
        { "CO\xCC\x82TE", "c\xC3\xB4te" }, /* O + combining circumflex */
        { "STRASSE", "strasse" },
        { "stra\xC3\x9F"
          "e",
          "strasse" },
        { "\xEF\xBC\xA6\xEF\xBC\x91", "f1" },                                                               /* fullwidth F1 */
        { "\xE2\x80\x8F\xD8\xA3\xD9\x86\xD8\xAB\xD9\x89\xE2\x80\x8E", "\xD8\xA3\xD9\x86\xD8\xAB\xD9\x89" }, /* direction marks */
        { "\xEF\xBB\xBFyear", "year" },
        { "a\xE2\x80\x8B"
          "b",
          "ab" }, /* BOM, zero width space */
        { "\xCE\xA3\xCE\x91\xCE\xA3", "\xCF\x83\xCE\xB1\xCF\x83" },
        { "\xCF\x82", "\xCF\x83" }, /* final sigma */
        { "a\xE3\x80\x80"
          "b",
          "a b" },
        { "a\xE2\x80\xA8"
          "b",
          "a b" }, /* ideographic space, line separator */
        { "a\xFF"
          "B",
          "a\xFF"
          "b" },
        { "\xC3", "\xC3" },
        { "A \xED\xA0\x80 B", "a \xED\xA0\x80 b" }, /* not UTF-8 */
        { "\xEF\xAC\x81", "fi" },
        { "under_score", "under_score" },
        { "\xD6\x8A\xD6\xBE", "-" }, /* ligature, Armenian, Hebrew dash */
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) folds_to(cases[i][0], cases[i][1]);
}

/* One allocation of 18 letters from one: the buffer must grow. */
static void long_expansion(void **state)
{
    (void)state;
    su_buf b = { NULL, 0, 0 };
    for (int i = 0; i < 1000; i++) su_buf_text(&b, "\xEF\xB7\xBA"); /* U+FDFA */
    su_arena a;
    su_arena_init(&a);
    su_str folded = su_text_fold(&a, (su_str) { b.p, b.n });
    assert_true(folded.n > 10 * b.n);
    assert_true(su_utf8_valid(folded.p, folded.n, NULL));
    su_arena_free(&a);
    su_buf_free(&b);
}

static void append_character(su_buf *b, uint32_t c)
{
    if (c >= 0xD800 && c <= 0xDFFF) c = '-';
    if (c < 0x80)
        su_buf_char(b, (char)c);
    else if (c < 0x800)
        su_buf_printf(b, "%c%c", (int)(0xC0 | c >> 6), (int)(0x80 | (c & 63)));
    else if (c < 0x10000)
        su_buf_printf(b, "%c%c%c", (int)(0xE0 | c >> 12), (int)(0x80 | (c >> 6 & 63)), (int)(0x80 | (c & 63)));
    else
        su_buf_printf(b, "%c%c%c%c", (int)(0xF0 | c >> 18), (int)(0x80 | (c >> 12 & 63)), (int)(0x80 | (c >> 6 & 63)),
                      (int)(0x80 | (c & 63)));
}

/* Every character by itself: folding twice changes nothing, and the result is UTF-8. */
static void every_character_folds_once(void **state)
{
    (void)state;
    su_buf b = { NULL, 0, 0 };
    unsigned different = 0;
    for (uint32_t c = 1; c <= 0x10FFFF; c++) {
        su_arena a;
        su_arena_init(&a);
        b.n = 0;
        append_character(&b, c);
        su_str once = su_text_fold(&a, (su_str) { b.p, b.n });
        su_str twice = su_text_fold(&a, once);
        if (!su_str_equal(once, twice)) {
            different++;
            if (different < 20) printf("# U+%04X is not stable\n", (unsigned)c);
        }
        assert_true(su_utf8_valid(once.p, once.n, NULL));
        su_arena_free(&a);
    }
    su_buf_free(&b);
    assert_int_equal(different, 0);
}

static void random_text_folds_once(void **state)
{
    (void)state;
    su_random r;
    su_test_random(&r);
    static const uint32_t likely[] = { ' ',   '-',    'A',   'z',    0xA0,   0xAD,   0x2013, 0x2212, 0x301,
                                       0x327, 0x3099, 0x130, 0x1E9E, 0x200F, 0xFB03, 0x1C6,  0x345 };
    su_buf b = { NULL, 0, 0 };
    for (int k = 0; k < 50000; k++) {
        su_arena a;
        su_arena_init(&a);
        b.n = 0;
        su_buf_add(&b, "", 0);
        for (uint64_t n = su_random_below(&r, 12); n > 0; n--) {
            uint64_t kind = su_random_below(&r, 4);
            if (kind < 2)
                append_character(&b, likely[su_random_below(&r, sizeof likely / sizeof likely[0])]);
            else if (kind == 2)
                append_character(&b, 1 + (uint32_t)su_random_below(&r, 0x2FFF));
            else
                su_buf_char(&b, (char)su_random_below(&r, k % 2 ? 128 : 256));
        }
        su_str once = su_text_fold(&a, (su_str) { b.p, b.n });
        su_str twice = su_text_fold(&a, once);
        /* bytes that are not UTF-8 may become a character when what stood between them has gone */
        if (su_utf8_valid(b.p, b.n, NULL) && !su_str_equal(once, twice)) {
            char hex[256];
            su_hex((const uint8_t *)b.p, b.n, hex);
            fail_msg("not stable: %s", hex);
        }
        for (size_t i = 0; i + 1 < once.n; i++) {
            assert_false(once.p[i] == '-' && (once.p[i + 1] == '-' || once.p[i + 1] == ' '));
            assert_false(once.p[i] == ' ' && (once.p[i + 1] == '-' || once.p[i + 1] == ' '));
        }
        if (once.n) assert_true(once.p[0] != ' ' && once.p[once.n - 1] != ' ');
        su_arena_free(&a);
    }
    su_buf_free(&b);
}

/* The fast path for ASCII gives what the general path gives: the same text after a letter that is not ASCII. */
static void ascii_path_is_the_general_path(void **state)
{
    (void)state;
    su_random r;
    su_test_random(&r);
    for (int k = 0; k < 20000; k++) {
        su_arena a;
        su_arena_init(&a);
        char text[24] = "\xC3\xA9"; /* e acute */
        size_t n = su_random_below(&r, 16);
        for (size_t i = 0; i < n; i++) {
            char c = (char)(1 + su_random_below(&r, 127));
            text[2 + i] = su_random_below(&r, 3) ? c : " -\tA"[su_random_below(&r, 4)];
        }
        text[2 + n] = 'x'; /* a letter at both ends keeps the gaps */
        char ascii[24] = "y";
        memcpy(ascii + 1, text + 2, n + 1);
        su_str general = su_text_fold(&a, (su_str) { text, n + 3 });
        su_str fast = su_text_fold(&a, (su_str) { ascii, n + 2 });
        assert_int_equal(general.n, fast.n + 1);
        assert_memory_equal(general.p + 2, fast.p + 1, fast.n - 1);
        su_arena_free(&a);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pairs),
        cmocka_unit_test(long_expansion),
        cmocka_unit_test(every_character_folds_once),
        cmocka_unit_test(random_text_folds_once),
        cmocka_unit_test(ascii_path_is_the_general_path),
    };
    return cmocka_run_group_tests_name("fold", tests, NULL, NULL);
}
