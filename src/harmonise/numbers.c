#include "numbers.h"

#include <string.h>

static bool is_digit(char c) { return c >= '0' && c <= '9'; }

static size_t digits_at(su_str s, size_t at)
{
    size_t n = 0;
    while (at + n < s.n && is_digit(s.p[at + n])) n++;
    return n;
}

/* Length of a group separator at `at`, 0 if there is none; *kind tells one from another. */
static size_t group_separator(su_str s, size_t at, char *kind)
{
    static const struct {
        const char *text;
        char kind;
    } known[] = { { ",", ',' },
                  { ".", '.' },
                  { " ", ' ' },
                  { "'", '\'' },
                  { "\xC2\xA0", 'n' },
                  { "\xE2\x80\xAF", 'r' },
                  { "\xE2\x80\x89", 't' },
                  { "\xE2\x80\x99", 'q' } };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        size_t n = strlen(known[i].text);
        if (at + n > s.n || memcmp(s.p + at, known[i].text, n) != 0) continue;
        *kind = known[i].kind;
        return n;
    }
    return 0;
}

bool without_groups(su_str cell, char buf[32], char *separator)
{
    enum { MOST_DIGITS = 18 };
    su_str s = su_str_trim(cell);
    size_t at = s.n > 0 && (s.p[0] == '-' || s.p[0] == '+') ? 1 : 0, used = 0, groups = 0;
    char kind = 0, own = 0;
    if (at == 1 && s.p[0] == '-') buf[used++] = '-';
    size_t lead = digits_at(s, at);
    if (lead == 0 || lead > 3 || s.p[at] == '0') return false;
    for (size_t n = lead;; n = 3) {
        memcpy(buf + used, s.p + at, n);
        used += n;
        at += n;
        if (at == s.n) break;
        size_t length = group_separator(s, at, &own);
        if (length == 0 || (groups > 0 && own != kind)) return false;
        kind = own;
        at += length;
        if (digits_at(s, at) != 3 || used + 3 > MOST_DIGITS) return false;
        groups++;
    }
    buf[used] = '\0';
    *separator = kind;
    return groups > 0;
}

bool integer_form(su_str cell, char buf[32], su_str *out)
{
    char group[32], kind = 0;
    su_str s = su_str_trim(cell);
    const char *point = s.n > 0 ? memchr(s.p, '.', s.n) : NULL;
    if (point == NULL && s.n > 0) point = memchr(s.p, ',', s.n);
    if (point == NULL || s.n > 31) return false;
    if (*point == ',' && without_groups(s, group, &kind)) return false;
    size_t whole = (size_t)(point - s.p);
    size_t start = whole > 0 && (s.p[0] == '-' || s.p[0] == '+') ? 1 : 0;
    if (whole == start || whole + 1 == s.n) return false;
    for (size_t i = start; i < whole; i++)
        if (!is_digit(s.p[i])) return false;
    for (size_t i = whole + 1; i < s.n; i++)
        if (s.p[i] != '0') return false;
    memcpy(buf, s.p, whole);
    buf[whole] = '\0';
    *out = (su_str) { buf, whole };
    return true;
}

bool integer_parse(su_str cell, int64_t *out)
{
    char buf[32], kind = 0;
    su_str whole;
    if (su_parse_i64(cell, out)) return true;
    if (integer_form(cell, buf, &whole)) return su_parse_i64(whole, out);
    return without_groups(cell, buf, &kind) && kind != '.' && su_parse_i64(su_str_of(buf), out);
}

bool decimal_parse(su_str cell, double *out)
{
    char buf[64], kind = 0;
    if (su_parse_f64(cell, out)) return true;
    su_str s = su_str_trim(cell);
    const char *comma = s.n > 0 && s.n < sizeof buf ? memchr(s.p, ',', s.n) : NULL;
    if (comma == NULL || without_groups(s, buf, &kind)) return false;
    size_t at = (size_t)(comma - s.p);
    if (at == 0 || at + 1 == s.n || !is_digit(s.p[at - 1]) || digits_at(s, at + 1) != s.n - at - 1) return false;
    memcpy(buf, s.p, s.n);
    buf[at] = '.';
    return su_parse_f64((su_str) { buf, s.n }, out);
}
