/* Encodings. The rule is in suha/table.h at su_csv_parse; what cannot be told apart safely is refused rather than guessed. */
#include "csv.h"

#include <string.h>

#define NUL_SAMPLE 4096u

/* Unicode of the Windows-1252 bytes 80..9F; 0 = undefined. Source: Unicode Consortium, MAPPINGS/VENDORS/MICSFT/WINDOWS/CP1252.TXT. */
static const uint16_t cp1252_high[32] = { 0x20AC, 0,      0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160,
                                          0x2039, 0x0152, 0,      0x017D, 0,      0,      0x2018, 0x2019, 0x201C, 0x201D, 0x2022,
                                          0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0,      0x017E, 0x0178 };

csv_position csv_position_of(su_str text, size_t offset)
{
    csv_position at = { 1, 1 };
    for (size_t i = 0; i < offset && i < text.n; i++) {
        unsigned char c = (unsigned char)text.p[i];
        bool crlf = c == '\r' && i + 1 < text.n && text.p[i + 1] == '\n';
        if (c == '\n' || (c == '\r' && !crlf)) {
            at.line++;
            at.character = 1;
        } else if ((c & 0xC0) != 0x80) {
            at.character++;
        }
    }
    return at;
}

static size_t put_utf8(char *to, uint32_t c)
{
    if (c < 0x80) {
        to[0] = (char)c;
        return 1;
    }
    if (c < 0x800) {
        to[0] = (char)(0xC0 | c >> 6);
        to[1] = (char)(0x80 | (c & 0x3F));
        return 2;
    }
    if (c < 0x10000) {
        to[0] = (char)(0xE0 | c >> 12);
        to[1] = (char)(0x80 | (c >> 6 & 0x3F));
        to[2] = (char)(0x80 | (c & 0x3F));
        return 3;
    }
    to[0] = (char)(0xF0 | c >> 18);
    to[1] = (char)(0x80 | (c >> 12 & 0x3F));
    to[2] = (char)(0x80 | (c >> 6 & 0x3F));
    to[3] = (char)(0x80 | (c & 0x3F));
    return 4;
}

/* An owned buffer of room for `bytes` and a NUL, so that converting never moves it. */
static su_buf room_for(size_t bytes)
{
    size_t capacity = 0;
    if (__builtin_add_overflow(bytes, (size_t)1, &capacity)) su_out_of_memory(SIZE_MAX);
    return (su_buf) { .p = su_alloc(capacity), .n = 0, .capacity = capacity };
}

static su_status fail_at(su_context *ctx, const char *name, su_str text, size_t offset, const char *reason)
{
    csv_position at = csv_position_of(text, offset);
    return su_fail(ctx, SU_INPUT, "%s, line %u, character %u: %s", name, at.line, at.character, reason);
}

static su_status fail_nul(su_context *ctx, const char *name, su_str text, size_t offset)
{
    return fail_at(
        ctx, name, text, offset,
        "a NUL byte, which no text file holds. The file is damaged or is no CSV file. Export it again from the system it comes from.");
}

static su_status decode_utf16(su_context *ctx, const char *name, su_str bytes, bool big, csv_text *out)
{
    const unsigned char *p = (const unsigned char *)bytes.p;
    if (bytes.n % 2 != 0)
        return su_fail(ctx, SU_INPUT, "%s: UTF-16 text with an odd number of bytes. The file was cut short. Copy or export it again.",
                       name);
    size_t units = bytes.n / 2;
    if (units > SIZE_MAX / 3 - 1) su_out_of_memory(SIZE_MAX);
    out->owned = room_for(units * 3);
    su_buf *to = &out->owned;
    for (size_t i = 0; i < units; i++) {
        uint32_t c = big ? (uint32_t)p[2 * i] << 8 | p[2 * i + 1] : (uint32_t)p[2 * i + 1] << 8 | p[2 * i];
        if (c >= 0xD800 && c <= 0xDFFF) {
            uint32_t low = 0;
            if (c < 0xDC00 && i + 1 < units)
                low = big ? (uint32_t)p[2 * i + 2] << 8 | p[2 * i + 3] : (uint32_t)p[2 * i + 3] << 8 | p[2 * i + 2];
            if (low < 0xDC00 || low > 0xDFFF)
                return fail_at(ctx, name, (su_str) { to->p, to->n }, to->n,
                               "half a character (a UTF-16 surrogate by itself). The file is damaged. Export it again as CSV UTF-8.");
            c = 0x10000 + ((c - 0xD800) << 10) + (low - 0xDC00);
            i++;
        }
        if (c == 0) return fail_nul(ctx, name, (su_str) { to->p, to->n }, to->n);
        to->n += put_utf8(to->p + to->n, c);
    }
    to->p[to->n] = '\0';
    out->text = (su_str) { to->p, to->n };
    out->encoding = big ? "UTF-16BE" : "UTF-16LE";
    return SU_OK;
}

/* Which UTF-16, judged by the first 4 KiB: 'L', 'B', or 0 for neither. High bytes of alphabetic scripts are 00..07, which no other text
 * has. */
static char guess_utf16(su_str bytes)
{
    size_t pairs = (bytes.n < NUL_SAMPLE ? bytes.n : NUL_SAMPLE) / 2;
    size_t nul[2] = { 0, 0 }, small[2] = { 0, 0 };
    for (size_t i = 0; i < pairs * 2; i++) {
        nul[i % 2] += bytes.p[i] == '\0';
        small[i % 2] += (unsigned char)bytes.p[i] < 8;
    }
    if (pairs > 0 && nul[0] == 0 && small[1] * 4 >= pairs * 3) return 'L';
    if (pairs > 0 && nul[1] == 0 && small[0] * 4 >= pairs * 3) return 'B';
    return 0;
}

/* Length of the valid UTF-8 sequence of two bytes or more at p, 0 if there is none (RFC 3629, table 3-7 of the Unicode standard). */
static size_t sequence(const unsigned char *p, size_t left)
{
    unsigned char c = p[0];
    size_t n = c >= 0xC2 && c <= 0xDF ? 2 : c >= 0xE0 && c <= 0xEF ? 3 : c >= 0xF0 && c <= 0xF4 ? 4 : 0;
    if (n == 0 || n > left) return 0;
    for (size_t i = 1; i < n; i++)
        if ((p[i] & 0xC0) != 0x80) return 0;
    if ((c == 0xE0 && p[1] < 0xA0) || (c == 0xED && p[1] > 0x9F) || (c == 0xF0 && p[1] < 0x90) || (c == 0xF4 && p[1] > 0x8F)) return 0;
    return n;
}

typedef struct byte_census {
    size_t sequences;     /* valid multi-byte UTF-8 sequences */
    size_t strays;        /* bytes that belong to none */
    size_t first_stray;   /* offset */
    size_t high, in_runs; /* bytes above 7F; those in runs of three or more */
    bool has_undefined;
    size_t undefined; /* offset of the first byte that Windows-1252 does not have */
} byte_census;

static byte_census take_census(su_str bytes)
{
    byte_census census = { 0 };
    const unsigned char *p = (const unsigned char *)bytes.p;
    size_t run = 0, covered = 0;
    for (size_t i = 0; i < bytes.n; i++) {
        if (p[i] < 0x80) {
            run = 0;
            continue;
        }
        census.high++;
        run++;
        if (run >= 3) census.in_runs += run == 3 ? 3 : 1;
        if (p[i] < 0xA0 && cp1252_high[p[i] - 0x80] == 0 && !census.has_undefined) {
            census.has_undefined = true;
            census.undefined = i;
        }
        if (i < covered) continue;
        size_t n = sequence(p + i, bytes.n - i);
        if (n > 0) {
            census.sequences++;
            covered = i + n;
        } else if (census.strays++ == 0) {
            census.first_stray = i;
        }
    }
    return census;
}

/* Text all of whose bytes are characters, so that csv_position_of must not skip continuation bytes: convert what is before the offset. */
static su_status fail_single_byte(su_context *ctx, const char *name, su_str bytes, size_t offset, const char *reason)
{
    su_buf plain = { 0 };
    su_buf_add(&plain, bytes.p, offset);
    for (size_t i = 0; i < plain.n; i++)
        if ((unsigned char)plain.p[i] >= 0x80) plain.p[i] = '?';
    su_status status = fail_at(ctx, name, (su_str) { plain.p, plain.n }, offset, reason);
    su_buf_free(&plain);
    return status;
}

static su_status decode_cp1252(su_context *ctx, const char *name, su_str bytes, const byte_census *census, csv_text *out)
{
    if (census->has_undefined)
        return fail_single_byte(
            ctx, name, bytes, census->undefined,
            "the file is neither UTF-8 nor Windows-1252 text. Open it in the program it comes from and save it as CSV UTF-8.");
    if (census->in_runs * 2 > census->high)
        return fail_single_byte(ctx, name, bytes, census->first_stray,
                                "the file is not UTF-8 and looks like an older Arabic, Cyrillic or Greek encoding (such as Windows-1256), "
                                "which cannot be told apart safely. Open it in the program it comes from and save it as CSV UTF-8.");
    out->owned = room_for(bytes.n + 2 * census->high);
    su_buf *to = &out->owned;
    for (size_t i = 0; i < bytes.n; i++) {
        unsigned char c = (unsigned char)bytes.p[i];
        to->n += put_utf8(to->p + to->n, c >= 0x80 && c < 0xA0 ? cp1252_high[c - 0x80] : c);
    }
    to->p[to->n] = '\0';
    out->text = (su_str) { to->p, to->n };
    out->encoding = "Windows-1252";
    return SU_OK;
}

static su_status fail_utf8(su_context *ctx, const char *name, su_str text, size_t offset)
{
    return fail_at(ctx, name, text, offset,
                   "a byte that is not UTF-8 in a file that otherwise is. The text was damaged here, or two files of different encodings "
                   "were joined. Correct this place, or export the file again as CSV UTF-8.");
}

static bool starts_with(su_str s, const char *mark, size_t n) { return s.n >= n && memcmp(s.p, mark, n) == 0; }

su_status csv_decode(su_context *ctx, const char *name, su_str bytes, csv_text *out)
{
    memset(out, 0, sizeof *out);
    if (starts_with(bytes, "\xFF\xFE", 2)) return decode_utf16(ctx, name, (su_str) { bytes.p + 2, bytes.n - 2 }, false, out);
    if (starts_with(bytes, "\xFE\xFF", 2)) return decode_utf16(ctx, name, (su_str) { bytes.p + 2, bytes.n - 2 }, true, out);
    bool marked = starts_with(bytes, "\xEF\xBB\xBF", 3);
    su_str text = marked ? (su_str) { bytes.p + 3, bytes.n - 3 } : bytes;
    const char *nul = text.n == 0 ? NULL : memchr(text.p, '\0', text.n);
    if (nul != NULL) {
        char kind = marked ? 0 : guess_utf16(text);
        if (kind != 0) return decode_utf16(ctx, name, text, kind == 'B', out);
        return fail_nul(ctx, name, text, (size_t)(nul - text.p));
    }
    size_t bad = 0;
    if (su_utf8_valid(text.p, text.n, &bad)) {
        out->text = text;
        out->encoding = marked ? "UTF-8 with BOM" : "UTF-8";
        return SU_OK;
    }
    if (marked) return fail_utf8(ctx, name, text, bad);
    byte_census census = take_census(text);
    if (census.sequences > census.strays / 10) return fail_utf8(ctx, name, text, census.first_stray);
    return decode_cp1252(ctx, name, text, &census, out);
}
