/* What a stored cell says: references, numbers, and dates, which a workbook stores as numbers and tells apart by their format only. */
#include "xlsx.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

bool xlsx_cell_reference(const char *text, uint32_t *column, uint32_t *row)
{
    uint32_t c = 0, r = 0;
    const char *p = text;
    for (; *p >= 'A' && *p <= 'Z'; p++) {
        if (c > 1u << 20) return false;
        c = c * 26 + (uint32_t)(*p - 'A') + 1;
    }
    if (c == 0 || *p == '\0') return false;
    for (; *p >= '0' && *p <= '9'; p++) {
        if (r > 1u << 26) return false;
        r = r * 10 + (uint32_t)(*p - '0');
    }
    if (r == 0 || *p != '\0') return false;
    *column = c - 1;
    *row = r;
    return true;
}

void xlsx_cell_name(uint32_t column, uint32_t row, char out[24])
{
    char letters[8];
    size_t n = sizeof letters;
    letters[--n] = '\0';
    for (uint32_t c = column + 1; c > 0 && n > 0; c = (c - 1) / 26) letters[--n] = (char)('A' + (c - 1) % 26);
    snprintf(out, 24, "%s%u", letters + n, row);
}

/* ECMA-376 part 1, 18.8.30. */
xlsx_format xlsx_format_of_builtin(unsigned id)
{
    if (id >= 14 && id <= 17) return FORMAT_DATE;
    if ((id >= 18 && id <= 21) || id == 45 || id == 47) return FORMAT_TIME;
    if (id == 22) return FORMAT_DATE_TIME;
    if (id == 46) return FORMAT_ELAPSED;
    return FORMAT_NUMBER;
}

static bool is_word(const char *p, const char *word)
{
    for (; *word != '\0'; p++, word++)
        if ((*p | 0x20) != (*word | 0x20)) return false;
    return true;
}

/* Only the first section counts, and only letters that stand for parts of a date or time: not quoted or escaped text, colours, conditions,
 * locales. */
xlsx_format xlsx_format_of_code(const char *code)
{
    bool day = false, month_or_minute = false, clock = false, elapsed = false;
    if (is_word(code, "general")) return FORMAT_NUMBER;
    for (const char *p = code; *p != '\0' && *p != ';'; p++) {
        char c = (char)(*p | 0x20);
        if (*p == '"') {
            const char *close = strchr(p + 1, '"');
            if (close == NULL) break;
            p = close;
        } else if (*p == '\\' || *p == '_' || *p == '*') {
            if (p[1] != '\0') p++;
        } else if (*p == '[') {
            const char *close = strchr(p, ']');
            if (close == NULL) break;
            char inner = (char)(p[1] | 0x20);
            bool all_same = close > p + 1;
            for (const char *q = p + 1; q < close; q++) all_same = all_same && (*q | 0x20) == inner;
            if (all_same && (inner == 'h' || inner == 'm' || inner == 's')) elapsed = true;
            p = close;
        } else if (is_word(p, "am/pm")) {
            clock = true;
            p += 4;
        } else if (is_word(p, "a/p")) {
            clock = true;
            p += 2;
        } else if (c == 'd' || c == 'y') {
            day = true;
        } else if (c == 'h' || c == 's') {
            clock = true;
        } else if (c == 'm') {
            month_or_minute = true;
        }
    }
    if (elapsed) return FORMAT_ELAPSED;
    if (day && clock) return FORMAT_DATE_TIME;
    if (clock) return FORMAT_TIME;
    return day || month_or_minute ? FORMAT_DATE : FORMAT_NUMBER;
}

/* Shortest decimal that reads back as the same double. */
static void print_shortest(double value, su_buf *out)
{
    char text[40];
    for (int digits = 15; digits <= 17; digits++) {
        double back = 0;
        snprintf(text, sizeof text, "%.*g", digits, value);
        char *comma = strchr(text, ','); /* some locales */
        if (comma != NULL) *comma = '.';
        if (su_parse_f64(su_str_of(text), &back) && back == value) break;
    }
    su_buf_text(out, text);
}

static void print_number(double value, su_buf *out)
{
    if (value == 0)
        su_buf_char(out, '0'); /* also for -0 */
    else if (fabs(value) < 1e15 && value == trunc(value))
        su_buf_printf(out, "%lld", (long long)value);
    else
        print_shortest(value, out);
}

/* Year, month, day of a day number counted from 1970-01-01 (H. Hinnant, "chrono-compatible low-level date algorithms", civil_from_days). */
static void print_date(int64_t days, su_buf *out)
{
    days += 719468;
    int64_t era = days / 146097, doe = days - era * 146097;
    int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100), mp = (5 * doy + 2) / 153;
    int64_t day = doy - (153 * mp + 2) / 5 + 1, month = mp < 10 ? mp + 3 : mp - 9;
    su_buf_printf(out, "%04lld-%02lld-%02lld", (long long)(yoe + era * 400 + (month <= 2)), (long long)month, (long long)day);
}

/* Day number from 1970-01-01 of a date serial; false where the calendar has no such day. The 1900 system has a 29 February 1900 (serial
 * 60), which never was, so serials above it are one too high (ECMA-376 part 1, 18.17.4.1). */
static bool days_of_serial(int64_t serial, bool date1904, int64_t *days)
{
    if (date1904) {
        *days = serial - 24107;
        return serial >= 0 && serial <= 2957003;
    }
    *days = serial - (serial < 60 ? 25568 : 25569);
    return serial >= 1 && serial != 60 && serial <= 2958465;
}

static void print_clock(int64_t seconds, su_buf *out)
{
    su_buf_printf(out, "%02lld:%02lld:%02lld", (long long)(seconds / 3600), (long long)(seconds / 60 % 60), (long long)(seconds % 60));
}

static void print_as(double value, xlsx_format format, bool date1904, su_buf *out)
{
    if (format == FORMAT_NUMBER || value < 0 || value > 1e7) {
        print_number(value, out);
        return;
    }
    int64_t seconds = llround(value * 86400.0), days = 0;
    if (format == FORMAT_ELAPSED || (format == FORMAT_TIME && seconds < 86400)) {
        print_clock(seconds, out);
        return;
    }
    int64_t serial = format == FORMAT_DATE ? (int64_t)floor(value) : seconds / 86400;
    if (!days_of_serial(serial, date1904, &days)) {
        print_number(value, out);
        return;
    }
    print_date(days, out);
    if (format == FORMAT_DATE || seconds % 86400 == 0) return;
    su_buf_char(out, 'T');
    print_clock(seconds % 86400, out);
}

/* Up to 15 digits without leading zero or sign tricks print as they stand. */
static bool is_plain_integer(su_str s)
{
    size_t i = s.n > 1 && s.p[0] == '-' ? 1 : 0;
    if (s.n == 0 || s.n - i > 15 || (s.p[i] == '0' && s.n > 1)) return false;
    for (; i < s.n; i++)
        if (s.p[i] < '0' || s.p[i] > '9') return false;
    return true;
}

bool xlsx_number_text(su_str stored, xlsx_format format, bool date1904, su_buf *out)
{
    double value = 0;
    if (format == FORMAT_NUMBER && is_plain_integer(stored)) {
        su_buf_add(out, stored.p, stored.n);
        return true;
    }
    if (!su_parse_f64(stored, &value)) return false;
    print_as(value, format, date1904, out);
    return true;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The character of _xHHHH_ at p, or 0: not an escape, NUL, or half a character, which stay as they are. */
static uint32_t escape_at(const char *p, size_t left)
{
    uint32_t c = 0;
    if (left < 7 || p[0] != '_' || p[1] != 'x' || p[6] != '_') return 0;
    for (int i = 2; i < 6; i++) {
        int digit = hex_digit(p[i]);
        if (digit < 0) return 0;
        c = c << 4 | (uint32_t)digit;
    }
    return c >= 0xD800 && c <= 0xDFFF ? 0 : c;
}

void xlsx_unescape(su_buf *text, size_t from)
{
    if (text->n < from + 7 || memmem(text->p + from, text->n - from, "_x", 2) == NULL) return;
    size_t to = from;
    for (size_t i = from; i < text->n;) {
        uint32_t c = escape_at(text->p + i, text->n - i);
        if (c == 0) {
            text->p[to++] = text->p[i++];
            continue;
        }
        i += 7;
        if (c < 0x80) {
            text->p[to++] = (char)c;
        } else if (c < 0x800) {
            text->p[to++] = (char)(0xC0 | c >> 6);
            text->p[to++] = (char)(0x80 | (c & 0x3F));
        } else {
            text->p[to++] = (char)(0xE0 | c >> 12);
            text->p[to++] = (char)(0x80 | (c >> 6 & 0x3F));
            text->p[to++] = (char)(0x80 | (c & 0x3F));
        }
    }
    text->n = to;
    text->p[to] = '\0';
}
