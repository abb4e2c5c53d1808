/* Borrowed strings: comparing, trimming, checking, reading numbers, measuring how far apart two are. */
#include <suha/base.h>

#include "utf8.h"

#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

su_str su_str_of(const char *c_string) { return c_string ? (su_str) { c_string, strlen(c_string) } : (su_str) { "", 0 }; }

bool su_str_equal(su_str a, su_str b) { return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0); }

static bool is_ascii_blank(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

su_str su_str_trim(su_str s)
{
    for (;;) {
        if (s.n >= 1 && is_ascii_blank(s.p[0])) {
            s.p += 1;
            s.n -= 1;
        } else if (s.n >= 2 && memcmp(s.p, "\xC2\xA0", 2) == 0) {
            s.p += 2;
            s.n -= 2;
        } else if (s.n >= 3 && memcmp(s.p, "\xEF\xBB\xBF", 3) == 0) {
            s.p += 3;
            s.n -= 3;
        } else
            break;
    }
    for (;;) {
        if (s.n >= 1 && is_ascii_blank(s.p[s.n - 1]))
            s.n -= 1;
        else if (s.n >= 2 && memcmp(s.p + s.n - 2, "\xC2\xA0", 2) == 0)
            s.n -= 2;
        else if (s.n >= 3 && memcmp(s.p + s.n - 3, "\xEF\xBB\xBF", 3) == 0)
            s.n -= 3;
        else
            break;
    }
    return s;
}

bool su_utf8_valid(const char *p, size_t n, size_t *bad_offset)
{
    size_t i = 0;
    while (i < n) {
        uint64_t eight;
        while (n - i >= 8 && (memcpy(&eight, p + i, 8), (eight & 0x8080808080808080u) == 0)) i += 8;
        if (i == n) break;
        uint32_t code;
        size_t length = utf8_decode(p + i, n - i, &code);
        if (!length) {
            if (bad_offset) *bad_offset = i;
            return false;
        }
        i += length;
    }
    return true;
}

bool su_parse_i64(su_str s, int64_t *out)
{
    s = su_str_trim(s);
    size_t i = 0;
    bool negative = s.n > 0 && s.p[0] == '-';
    if (s.n > 0 && (s.p[0] == '-' || s.p[0] == '+')) i = 1;
    if (i == s.n) return false;
    int64_t value = 0; /* kept negative: its range is the larger one */
    for (; i < s.n; i++) {
        if (s.p[i] < '0' || s.p[i] > '9') return false;
        if (__builtin_mul_overflow(value, (int64_t)10, &value)) return false;
        if (__builtin_sub_overflow(value, (int64_t)(s.p[i] - '0'), &value)) return false;
    }
    if (!negative && value == INT64_MIN) return false;
    *out = negative ? value : -value;
    return true;
}

/* sign? (digits (. digits?)? | . digits) (e sign? digits)? */
static bool is_decimal_number(su_str s)
{
    size_t i = 0, digits = 0;
    if (i < s.n && (s.p[i] == '-' || s.p[i] == '+')) i++;
    while (i < s.n && s.p[i] >= '0' && s.p[i] <= '9') {
        i++;
        digits++;
    }
    if (i < s.n && s.p[i] == '.') {
        i++;
        while (i < s.n && s.p[i] >= '0' && s.p[i] <= '9') {
            i++;
            digits++;
        }
    }
    if (!digits) return false;
    if (i < s.n && (s.p[i] == 'e' || s.p[i] == 'E')) {
        i++;
        if (i < s.n && (s.p[i] == '-' || s.p[i] == '+')) i++;
        size_t first = i;
        while (i < s.n && s.p[i] >= '0' && s.p[i] <= '9') i++;
        if (i == first) return false;
    }
    return i == s.n;
}

bool su_parse_f64(su_str s, double *out)
{
    s = su_str_trim(s);
    if (!is_decimal_number(s)) return false;
    char small[64], *text = s.n < sizeof small ? small : su_alloc(s.n + 1);
    memcpy(text, s.p, s.n);
    text[s.n] = '\0';
    locale_t c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0); /* glibc: a constant, no allocation */
    double value = c_locale ? strtod_l(text, NULL, c_locale) : NAN;
    if (c_locale) freelocale(c_locale);
    if (text != small) free(text);
    if (!isfinite(value)) return false;
    *out = value;
    return true;
}

/* Characters of s; a byte that is not UTF-8 counts as one character of its own kind. */
static size_t characters(su_str s, uint32_t *out)
{
    size_t count = 0;
    for (size_t i = 0; i < s.n; count++) {
        uint32_t code = 0;
        size_t length = utf8_decode(s.p + i, s.n - i, &code);
        if (!length) {
            code = 0x110000u + (unsigned char)s.p[i];
            length = 1;
        }
        out[count] = code;
        i += length;
    }
    return count;
}

size_t su_text_distance(su_str a, su_str b, size_t cap)
{
    uint32_t *x = su_alloc_array(a.n + b.n + 1, sizeof *x), *y = x + a.n;
    size_t m = characters(a, x), n = characters(b, y), distance = cap;
    size_t *rows = su_alloc_array(3 * (n + 1), sizeof *rows);
    if ((m > n ? m - n : n - m) >= cap) goto out;

    size_t *before = rows, *above = rows + n + 1, *here = rows + 2 * (n + 1);
    for (size_t j = 0; j <= n; j++) above[j] = j;
    for (size_t i = 1; i <= m; i++) {
        size_t least = here[0] = i;
        for (size_t j = 1; j <= n; j++) {
            size_t best = above[j - 1] + (x[i - 1] != y[j - 1]);
            if (above[j] + 1 < best) best = above[j] + 1;
            if (here[j - 1] + 1 < best) best = here[j - 1] + 1;
            bool swapped = i > 1 && j > 1 && x[i - 1] == y[j - 2] && x[i - 2] == y[j - 1];
            if (swapped && before[j - 2] + 1 < best) best = before[j - 2] + 1;
            here[j] = best;
            if (best < least) least = best;
        }
        if (least > cap) goto out; /* the row before is then at least cap, and a swap from there costs one more */
        size_t *oldest = before;
        before = above;
        above = here;
        here = oldest;
    }
    distance = above[n] < cap ? above[n] : cap;
out:
    su_wipe(x, (a.n + b.n) * sizeof *x);
    free(x);
    free(rows);
    return distance;
}
