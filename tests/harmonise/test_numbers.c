/* Numbers as exports write them, against regular expressions. */
#include "harmonise_test.h"

#include <math.h>
#include <regex.h>

#include "mapping_cell.h"
#include "numbers.h"

enum { MOST_BYTES = 24 };

static bool matches(const char *pattern, const char *text)
{
    regex_t re;
    assert_int_equal(regcomp(&re, pattern, REG_EXTENDED | REG_NOSUB), 0);
    bool found = regexec(&re, text, 0, NULL, 0) == 0;
    regfree(&re);
    return found;
}

/* Digits and a leading minus of the text, without anything else. */
static long long digits_of(const char *text, const char *end)
{
    char digits[64];
    size_t n = 0;
    for (const char *p = text; p < end && *p != '\0'; p++)
        if ((*p >= '0' && *p <= '9') || (*p == '-' && p == text)) digits[n++] = *p;
    digits[n] = '\0';
    return strtoll(digits, NULL, 10);
}

static void random_texts_are_read_as_by_the_letter(void **state)
{
    (void)state;
    static const char *const pieces[] = { "0", "00", "000", "1", "12", "200",      "345",          "9", ",", ",",
                                          ".", " ",  "'",   "-", "+",  "\xC2\xA0", "\xE2\x80\xAF", "x" };
    static const char *const groups[] = { ",", "\\.", " ", "'", "\xC2\xA0", "\xE2\x80\xAF" };
    su_random random;
    su_random_seeded(&random, 77);
    printf("# seed 77\n");
    for (int i = 0; i < 4000; i++) {
        char text[8 * MOST_BYTES] = "", pattern[100], group[32], kind = 0;
        for (uint64_t n = 1 + su_random_below(&random, 6); n > 0; n--) {
            const char *piece = pieces[su_random_below(&random, sizeof pieces / sizeof *pieces)];
            memcpy(text + strlen(text), piece, strlen(piece) + 1);
        }
        su_str s = su_str_trim(su_str_of(text));
        char trimmed[8 * MOST_BYTES];
        snprintf(trimmed, sizeof trimmed, "%.*s", (int)s.n, s.p);
        bool grouped = false, by_point = false;
        for (size_t g = 0; g < sizeof groups / sizeof *groups; g++) {
            snprintf(pattern, sizeof pattern, "^[-+]?[1-9][0-9]{0,2}(%s[0-9]{3})+$", groups[g]);
            if (!matches(pattern, trimmed)) continue;
            grouped = true;
            by_point = g == 1;
        }
        bool plain = matches("^[-+]?[0-9]+$", trimmed), zeros = matches("^[-+]?[0-9]+\\.0+$", trimmed);
        zeros |= matches("^[-+]?[0-9]+,0+$", trimmed) && !grouped;
        bool wanted = plain || zeros || (grouped && !by_point);
        int64_t got = 0;
        bool read = integer_parse(su_str_of(text), &got);
        if (read != wanted) fail_msg("\"%s\": %d, not %d", text, read, wanted);
        size_t whole = zeros ? strcspn(trimmed, ".,") : strlen(trimmed);
        if (read && got != digits_of(trimmed, trimmed + whole)) fail_msg("\"%s\" is read as %lld", text, (long long)got);
        if (without_groups(su_str_of(text), group, &kind) != grouped) fail_msg("\"%s\": groups", text);
        if (grouped && strtoll(group, NULL, 10) != digits_of(trimmed, trimmed + strlen(trimmed))) fail_msg("\"%s\": %s", text, group);
        double real = 0;
        bool decimal = matches("^[-+]?[0-9]+(\\.[0-9]*)?$", trimmed) || matches("^[-+]?\\.[0-9]+$", trimmed) ||
                       (matches("^[-+]?[0-9]+,[0-9]+$", trimmed) && !grouped);
        if (decimal_parse(su_str_of(text), &real) && !decimal) fail_msg("\"%s\" is read as the decimal %f", text, real);
        if (matches("^[-+]?[0-9]+,[0-9]+$", trimmed) && !grouped) {
            trimmed[strcspn(trimmed, ",")] = '.';
            assert_true(decimal_parse(su_str_of(text), &real) && fabs(real - strtod(trimmed, NULL)) < 1e-9);
        }
    }
}

static void some_by_hand(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t value;
        bool read;
    } cases[] = { { "1,200", 1200, true },
                  { "1 200", 1200, true },
                  { "1'200'000", 1200000, true },
                  { "1,200 000", 0, false },
                  { "1.200", 0, false },
                  { "1.000", 1, true },
                  { "1,000", 1000, true },
                  { "2018,0", 2018, true },
                  { "2018,000", 2018, true },
                  { "0,000", 0, true },
                  { "12,34", 0, false },
                  { "1,2000", 0, false },
                  { ",200", 0, false },
                  { "1,", 0, false },
                  { "-1,200", -1200, true },
                  { "1\xE2\x80\x99"
                    "200",
                    1200, true },
                  { "1\xE2\x80\x89"
                    "200",
                    1200, true },
                  { "999,999,999,999,999,999", 999999999999999999, true },
                  { "9,999,999,999,999,999,999", 0, false },
                  { "01,200", 0, false },
                  { "0,200", 0, false } };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int64_t got = 0;
        bool read = integer_parse(su_str_of(cases[i].text), &got);
        if (read != cases[i].read || (read && got != cases[i].value)) fail_msg("%s: %d %lld", cases[i].text, read, (long long)got);
    }
}

/* Whatever a cell holds, writing and reading it gives it back, and nothing a spreadsheet would run is written. */
static void guards_come_and_go(void **state)
{
    (void)state;
    static const char pool[] = "=+-@'\t\r1a, \"";
    su_random random;
    su_random_seeded(&random, 78);
    for (int i = 0; i < 4000; i++) {
        char text[8];
        size_t n = (size_t)su_random_below(&random, 6);
        for (size_t k = 0; k < n; k++) text[k] = pool[su_random_below(&random, sizeof pool - 1)];
        text[n] = '\0';
        su_buf csv = { 0 };
        bool guarded = false;
        double number = 0;
        su_buf_text(&csv, "h,k\n");
        mapping_cell_write(&csv, su_str_of(text));
        su_buf_text(&csv, ",x\n");
        su_raw_table *t = csv_table("guard.csv", csv.p);
        su_str cell = su_dict_get(t->columns[0].values, t->columns[0].ids[0]);
        if (cell.n > 0 && memchr("=+-@\t\r", cell.p[0], 6) != NULL && !su_parse_f64(cell, &number)) fail_msg("written: %s", csv.p);
        if (!su_str_equal(mapping_cell_read(cell, &guarded), su_str_of(text))) fail_msg("\"%s\" comes back from %s", text, csv.p);
        assert_int_equal(guarded, !su_str_equal(cell, su_str_of(text)));
        su_raw_table_free(t);
        su_buf_free(&csv);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_texts_are_read_as_by_the_letter),
        cmocka_unit_test(some_by_hand),
        cmocka_unit_test(guards_come_and_go),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
