/* Periods of the calendar: years, quarters, months, ISO weeks, days. */
#include <suha/flow.h>

#include <string.h>

/* Days since 1970-01-01 of the proleptic Gregorian calendar; year and month by era of 400 years. */
static int64_t days_of(int64_t year, unsigned month, unsigned day)
{
    year -= month <= 2;
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    unsigned in_era = (unsigned)(year - era * 400), in_year = (153 * (month + (month > 2 ? -3u : 9u)) + 2) / 5 + day - 1;
    return era * 146097 + (int64_t)(in_era * 365 + in_era / 4 - in_era / 100 + in_year) - 719468;
}

static void date_of(int64_t days, int64_t *year, unsigned *month, unsigned *day)
{
    days += 719468;
    int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    unsigned in_era = (unsigned)(days - era * 146097), years = (in_era - in_era / 1460 + in_era / 36524 - in_era / 146096) / 365;
    unsigned in_year = in_era - (365 * years + years / 4 - years / 100), shifted = (5 * in_year + 2) / 153;
    *day = in_year - (153 * shifted + 2) / 5 + 1;
    *month = shifted < 10 ? shifted + 3 : shifted - 9;
    *year = (int64_t)years + era * 400 + (*month <= 2);
}

static unsigned days_in_month(int64_t year, unsigned month)
{
    return (unsigned)(days_of(month == 12 ? year + 1 : year, month == 12 ? 1 : month + 1, 1) - days_of(year, month, 1));
}

/* Monday of week 1: the week of 4 January (ISO 8601). 1970-01-01 is a Thursday. */
static int64_t first_monday(int64_t year)
{
    int64_t fourth = days_of(year, 1, 4), weekday = ((fourth + 3) % 7 + 7) % 7;
    return fourth - weekday;
}

static bool digits(const char **p, const char *end, unsigned least, unsigned most, int64_t *out)
{
    unsigned n = 0;
    *out = 0;
    while (*p < end && n < most && **p >= '0' && **p <= '9') {
        *out = *out * 10 + (**p - '0');
        (*p)++;
        n++;
    }
    return n >= least && (*p == end || **p < '0' || **p > '9');
}

static su_period month_period(int64_t year, unsigned month)
{
    return (su_period) { 'm', year * 12 + month - 1, month - 1, days_in_month(year, month) };
}

static su_period quarter_period(int64_t year, unsigned quarter)
{
    unsigned days = 0;
    for (unsigned m = 3 * quarter - 2; m <= 3 * quarter; m++) days += days_in_month(year, m);
    return (su_period) { 'q', year * 4 + quarter - 1, quarter - 1, days };
}

static su_period year_period(int64_t year)
{
    return (su_period) { 'y', year, 0, (unsigned)(days_of(year + 1, 1, 1) - days_of(year, 1, 1)) };
}

static bool week_period(int64_t year, int64_t week, su_period *out)
{
    int64_t monday = first_monday(year) + 7 * (week - 1);
    if (week < 1 || monday >= first_monday(year + 1)) return false;
    *out = (su_period) { 'w', (monday + 3) / 7, (unsigned)week - 1, 7 };
    return true;
}

static bool dated(int64_t year, const char *p, const char *end, su_period *out)
{
    int64_t month, day;
    if (!digits(&p, end, 1, 2, &month) || month < 1 || month > 12) return false;
    if (p == end) {
        *out = month_period(year, (unsigned)month);
        return true;
    }
    if (*p != '-' && *p != '/') return false;
    p++;
    if (!digits(&p, end, 1, 2, &day)) return false;
    if (p < end && *p != 'T' && *p != ' ') return false;
    if (day < 1 || day > days_in_month(year, (unsigned)month)) return false;
    int64_t at = days_of(year, (unsigned)month, (unsigned)day);
    *out = (su_period) { 'd', at, (unsigned)(((at + 3) % 7 + 7) % 7), 1 };
    return true;
}

bool su_period_parse(su_str text, su_period *out)
{
    text = su_str_trim(text);
    const char *p = text.p, *end = text.p + text.n;
    int64_t year, part;
    double number;
    bool four = text.n >= 4 && digits(&p, p + 4, 4, 4, &year) && year >= 1500 && year <= 2500;
    if (four && text.n == 4) {
        *out = year_period(year);
        return true;
    }
    if (four && text.n > 4) {
        bool separated = *p == '-' || *p == '/' || *p == ' ';
        p += separated;
        if (p < end && (*p == 'Q' || *p == 'q')) {
            p++;
            if (!digits(&p, end, 1, 1, &part) || p != end || part < 1 || part > 4) return false;
            *out = quarter_period(year, (unsigned)part);
            return true;
        }
        if (p < end && (*p == 'W' || *p == 'w')) {
            p++;
            return digits(&p, end, 1, 2, &part) && p == end && week_period(year, part, out);
        }
        if (separated) return dated(year, p, end, out);
    }
    if (!su_parse_f64(text, &number) || number < -1e9 || number > 1e9 || number != (double)(int64_t)number) return false;
    *out = (su_period) { 'n', (int64_t)number, 0, 0 };
    return true;
}

void su_period_print(char kind, int64_t ordinal, char out[24])
{
    int64_t year = ordinal;
    unsigned month = 1, day = 1;
    int64_t step = kind == 'm' ? 12 : 4, in_year = ((ordinal % step) + step) % step, at = (ordinal - in_year) / step;
    switch (kind) {
    case 'm':
        snprintf(out, 24, "%04lld-%02lld", (long long)at, (long long)in_year + 1);
        return;
    case 'q':
        snprintf(out, 24, "%04lld-Q%lld", (long long)at, (long long)in_year + 1);
        return;
    case 'd':
        date_of(ordinal, &year, &month, &day);
        snprintf(out, 24, "%04lld-%02u-%02u", (long long)year, month, day);
        return;
    case 'w': {
        int64_t monday = 7 * ordinal - 3;
        date_of(monday + 3, &year, &month, &day); /* Thursday decides the year */
        snprintf(out, 24, "%04lld-W%02u", (long long)year, (unsigned)((monday - first_monday(year)) / 7 + 1) % 100);
        return;
    }
    default:
        snprintf(out, 24, "%lld", (long long)ordinal);
    }
}

unsigned su_period_seasons(char kind)
{
    static const struct {
        char kind;
        unsigned seasons;
    } all[] = { { 'm', 12 }, { 'q', 4 }, { 'w', 52 }, { 'd', 7 } };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (all[i].kind == kind) return all[i].seasons;
    return 0;
}

bool su_period_of(char kind, int64_t ordinal, su_period *out)
{
    char text[24];
    if (kind == 'n') {
        *out = (su_period) { 'n', ordinal, 0, 0 };
        return true;
    }
    su_period_print(kind, ordinal, text);
    return su_period_parse(su_str_of(text), out);
}
