#include "dates.h"

#include <string.h>

static bool is_digit(char c) { return c >= '0' && c <= '9'; }

/* Reads min..max digits at *at and moves on. */
static bool read_number(su_str s, size_t *at, size_t min, size_t max, int *out)
{
    size_t n = 0;
    int value = 0;
    while (n < max && *at + n < s.n && is_digit(s.p[*at + n])) {
        value = value * 10 + (s.p[*at + n] - '0');
        n++;
    }
    if (n < min || (*at + n < s.n && is_digit(s.p[*at + n]))) return false;
    *at += n;
    *out = value;
    return true;
}

static bool read_separator(su_str s, size_t *at, char *separator)
{
    if (*at >= s.n || (s.p[*at] != '-' && s.p[*at] != '/' && s.p[*at] != '.')) return false;
    if (*separator != 0 && s.p[*at] != *separator) return false;
    *separator = s.p[*at];
    *at += 1;
    return true;
}

static bool day_exists(civil_date d)
{
    static const int days[12] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    if (d.year < 1000 || d.month < 1 || d.month > 12 || d.day < 1) return false;
    bool leap = (d.year % 4 == 0 && d.year % 100 != 0) || d.year % 400 == 0;
    return d.day <= days[d.month - 1] + (leap && d.month == 2 ? 1 : 0);
}

/* After a day there may be a time: it is not looked at closely, but it must look like one. */
static bool time_follows(su_str s, size_t at)
{
    if (at == s.n) return true;
    if (s.p[at] != 'T' && s.p[at] != 't' && s.p[at] != ' ') return false;
    int hour = 0, minute = 0;
    at++;
    if (!read_number(s, &at, 1, 2, &hour) || at >= s.n || s.p[at] != ':') return false;
    at++;
    if (!read_number(s, &at, 2, 2, &minute)) return false;
    for (; at < s.n; at++)
        if (!is_digit(s.p[at]) && strchr(":.,Zz+- AaPpMm", s.p[at]) == NULL) return false;
    return hour <= 24 && minute < 60;
}

/* d/m/Y or m/d/Y, the two small numbers as written. */
static bool read_small_first(su_str s, int *first, int *second, int *year)
{
    size_t at = 0;
    char separator = 0;
    return read_number(s, &at, 1, 2, first) && read_separator(s, &at, &separator) && read_number(s, &at, 1, 2, second) &&
           read_separator(s, &at, &separator) && read_number(s, &at, 4, 4, year) && time_follows(s, at);
}

int date_order_hint(su_str cell)
{
    int first = 0, second = 0, year = 0;
    if (!read_small_first(su_str_trim(cell), &first, &second, &year)) return 0;
    if (first > 12 && second <= 12) return 1;
    if (second > 12 && first <= 12) return -1;
    return 0;
}

bool date_parse(su_str cell, date_order order, civil_date *out)
{
    su_str s = su_str_trim(cell);
    civil_date d = { 0 };
    size_t at = 0;
    char separator = 0;
    if (read_number(s, &at, 4, 4, &d.year) && read_separator(s, &at, &separator) && read_number(s, &at, 1, 2, &d.month) &&
        read_separator(s, &at, &separator) && read_number(s, &at, 1, 2, &d.day) && time_follows(s, at)) {
        *out = d;
        return day_exists(d);
    }
    int first = 0, second = 0;
    if (!read_small_first(s, &first, &second, &d.year)) return false;
    d.day = order == DATE_DAY_FIRST ? first : second;
    d.month = order == DATE_DAY_FIRST ? second : first;
    *out = d;
    return day_exists(d);
}

bool year_parse(su_str cell, date_order order, int *out)
{
    civil_date d;
    int64_t n = 0;
    if (date_parse(cell, order, &d)) {
        *out = d.year;
        return true;
    }
    if (integer_parse(cell, &n)) {
        if (n < 1000 || n > 9999) return false;
        *out = (int)n;
        return true;
    }
    su_str s = su_str_trim(cell);
    size_t at = 0;
    int year = 0, part = 0;
    if (!read_number(s, &at, 4, 4, &year) || at >= s.n || year < 1000) return false;
    if (s.p[at] == '-' || s.p[at] == ' ' || s.p[at] == '/') at++;
    bool quarter = at < s.n && (s.p[at] == 'Q' || s.p[at] == 'q');
    if (quarter) at++;
    if (!read_number(s, &at, 1, 2, &part) || at != s.n || part < 1 || part > (quarter ? 4 : 12)) return false;
    *out = year;
    return true;
}
