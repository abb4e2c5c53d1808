#include "words.h"

#include <string.h>

void words_count(su_buf *out, uint64_t n)
{
    char digits[32];
    int length = snprintf(digits, sizeof digits, "%llu", (unsigned long long)n);
    for (int i = 0; i < length; i++) {
        if (i > 0 && (length - i) % 3 == 0) su_buf_char(out, ',');
        su_buf_char(out, digits[i]);
    }
}

/* Next character; a byte that starts none is taken alone. */
static size_t decode(su_str s, size_t at, uint32_t *code)
{
    unsigned char c = (unsigned char)s.p[at];
    size_t n = c < 0x80 ? 1 : c >= 0xC2 && c < 0xE0 ? 2 : c >= 0xE0 && c < 0xF0 ? 3 : c >= 0xF0 && c < 0xF5 ? 4 : 1;
    if (n == 1 || at + n > s.n) {
        *code = c < 0x80 ? c : 0xFFFD;
        return 1;
    }
    *code = c & (0xFFu >> (n + 1));
    for (size_t i = 1; i < n; i++) *code = *code << 6 | ((unsigned char)s.p[at + i] & 0x3Fu);
    return n;
}

/* The width of the Unicode blocks that matter in tables, without the locale: wcwidth would depend on it. */
static size_t width_of(uint32_t c)
{
    bool mark = (c >= 0x300 && c <= 0x36F) || (c >= 0x610 && c <= 0x61A) || (c >= 0x64B && c <= 0x65F) || c == 0x670 ||
                (c >= 0x6D6 && c <= 0x6DC) || (c >= 0x200B && c <= 0x200F) || (c >= 0x202A && c <= 0x202E) ||
                (c >= 0x2060 && c <= 0x2064) || (c >= 0xFE00 && c <= 0xFE0F) || c == 0xFEFF;
    if (mark || c < 0x20) return 0;
    bool wide = (c >= 0x1100 && c <= 0x115F) || (c >= 0x2E80 && c <= 0xA4CF) || (c >= 0xAC00 && c <= 0xD7A3) ||
                (c >= 0xF900 && c <= 0xFAFF) || (c >= 0xFE30 && c <= 0xFE6F) || (c >= 0xFF00 && c <= 0xFF60) ||
                (c >= 0xFFE0 && c <= 0xFFE6) || (c >= 0x1F300 && c <= 0x1FAFF) || (c >= 0x20000 && c <= 0x3FFFD);
    return wide ? 2 : 1;
}

size_t words_width(su_str s)
{
    size_t width = 0;
    uint32_t code = 0;
    for (size_t at = 0; at < s.n;) {
        at += decode(s, at, &code);
        width += width_of(code);
    }
    return width;
}

void words_pad(su_buf *out, su_str s, size_t width, bool right)
{
    size_t own = words_width(s);
    if (right)
        for (size_t i = own; i < width; i++) su_buf_char(out, ' ');
    size_t used = 0;
    uint32_t code = 0;
    for (size_t at = 0; at < s.n;) {
        size_t n = decode(s, at, &code), w = width_of(code);
        if (own > width && used + w > width - 1) {
            su_buf_text(out, "…");
            used++;
            break;
        }
        if (code < 0x20 || code == 0x7F)
            su_buf_char(out, ' '), used++; /* a line break in a cell must not break the table */
        else if (code == 0xFFFD && n == 1)
            su_buf_text(out, "\xEF\xBF\xBD"), used++;
        else
            su_buf_add(out, s.p + at, n), used += w;
        at += n;
    }
    if (!right)
        for (size_t i = used; i < width; i++) su_buf_char(out, ' ');
}
