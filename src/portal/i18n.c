#include "i18n.h"

#include <math.h>
#include <string.h>

static const struct {
    const char *tag, *name, *dir, *group, *point, *percent;
} locales[SU_LOCALES] = {
    { "en", "English", "ltr", ",", ".", "%" },
    { "fr", "Français", "ltr", "\u202f", ",", "\u202f%" },
    { "es", "Español", "ltr", ".", ",", "\u00a0%" },
    { "ar", "العربية", "rtl", ",", ".", "%" },
};

const char *su_locale_tag(su_locale l) { return locales[l].tag; }
const char *su_locale_name(su_locale l) { return locales[l].name; }
const char *su_locale_dir(su_locale l) { return locales[l].dir; }

bool su_locale_find(su_str tag, su_locale *out)
{
    for (int l = 0; l < SU_LOCALES; l++)
        if (su_str_equal(tag, su_str_of(locales[l].tag))) {
            *out = (su_locale)l;
            return true;
        }
    return false;
}

/* ";q=0.8" as 800; what is no weight counts as 0. */
static int weight_of(su_str parameters)
{
    double q = 1;
    const char *p = memchr(parameters.p, 'q', parameters.n);
    if (!p) return parameters.n ? 0 : 1000;
    const char *end = parameters.p + parameters.n;
    if (p + 1 >= end || p[1] != '=') return 0;
    return su_parse_f64((su_str) { p + 2, (size_t)(end - p - 2) }, &q) && q >= 0 && q <= 1 ? (int)lround(q * 1000) : 0;
}

su_locale su_locale_accept(const char *accept_language)
{
    su_locale best = SU_LOCALE_EN, one;
    int best_weight = 0;
    for (const char *p = accept_language; p && *p;) {
        size_t n = strcspn(p, ","), range = strcspn(p, ",;");
        su_str tag = su_str_trim((su_str) { p, range });
        char primary[2] = { 0 };
        if (tag.n >= 2 && (tag.n == 2 || tag.p[2] == '-'))
            for (int i = 0; i < 2; i++) primary[i] = (char)(tag.p[i] | 0x20);
        int weight = weight_of(su_str_trim((su_str) { p + range, n - range }));
        if (su_locale_find((su_str) { primary, 2 }, &one) && weight > best_weight) {
            best = one;
            best_weight = weight;
        }
        p += n + (p[n] == ',');
    }
    return best;
}

/* ---- messages ------------------------------------------------------------------------------------------------------------------------ */

const char *su_tr(su_locale l, const char *english)
{
    size_t low = 0, high = su_message_count;
    while (low < high && l != SU_LOCALE_EN) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(su_messages[middle].english, english);
        if (order == 0) {
            const char *other = su_messages[middle].other[l - 1];
            return other ? other : english;
        }
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return english;
}

static void put_one(su_buf *out, su_locale l, const su_put *put)
{
    switch (put->kind) {
    case SU_PUT_TEXT:
        su_buf_html(out, su_str_of(put->text));
        break;
    case SU_PUT_HTML:
        su_buf_text(out, put->text ? put->text : "");
        break;
    case SU_PUT_COUNT:
        su_put_count(out, l, put->number);
        break;
    case SU_PUT_REAL:
        su_put_real(out, l, put->number);
        break;
    case SU_PUT_END:
        break;
    }
}

void su_say_with(su_buf *out, su_locale l, const char *english, const su_put *puts)
{
    static const su_put none = { .kind = SU_PUT_END };
    const char *p = su_tr(l, english);
    for (;;) {
        size_t plain = strcspn(p, "{"), n = plain;
        su_buf_html(out, (su_str) { p, plain });
        if (!p[n]) return;
        size_t name = strcspn(p + n + 1, "}");
        const su_put *put = puts ? puts : &none;
        while (put->kind != SU_PUT_END && (strlen(put->name) != name || strncmp(put->name, p + n + 1, name) != 0)) put++;
        if (put->kind != SU_PUT_END)
            put_one(out, l, put);
        else
            su_buf_html(out, (su_str) { p + n, p[n + 1 + name] ? name + 2 : name + 1 });
        p += n + 1 + name + (p[n + 1 + name] == '}');
    }
}

/* ---- numbers ------------------------------------------------------------------------------------------------------------------------- */

static void put_grouped(su_buf *out, su_locale l, const char *digits, int n)
{
    int least = l == SU_LOCALE_ES ? 5 : 4; /* CLDR: Spanish groups from 10.000 on */
    for (int i = 0; i < n; i++) {
        if (i && (n - i) % 3 == 0 && n >= least) su_buf_text(out, locales[l].group);
        su_buf_char(out, digits[i]);
    }
}

void su_put_count(su_buf *out, su_locale l, double whole)
{
    char digits[32];
    if (!isfinite(whole)) {
        su_buf_html(out, su_str_of(su_tr(l, "not stated")));
        return;
    }
    double x = fmin(fabs(round(whole)), 1e18);
    int n = snprintf(digits, sizeof digits, "%.0f", x);
    if (whole < 0 && x > 0) su_buf_text(out, "\u2212");
    put_grouped(out, l, digits, n);
}

/* Digits printed by the C locale, with the point of `l`. */
static void put_pointed(su_buf *out, su_locale l, const char *digits)
{
    for (; *digits; digits++) {
        if (*digits == '.')
            su_buf_text(out, locales[l].point);
        else
            su_buf_char(out, *digits);
    }
}

void su_put_real(su_buf *out, su_locale l, double x)
{
    char digits[48];
    if (!isfinite(x) || x >= 999.5) {
        su_put_count(out, l, x);
        return;
    }
    snprintf(digits, sizeof digits, "%.4g", x);
    put_pointed(out, l, digits);
}

void su_put_percent(su_buf *out, su_locale l, double percent, int decimals)
{
    char digits[48];
    if (!isfinite(percent)) {
        su_put_count(out, l, percent);
        return;
    }
    snprintf(digits, sizeof digits, "%.*f", decimals, fmin(fmax(percent, 0), 1e6));
    put_pointed(out, l, digits);
    su_buf_text(out, locales[l].percent);
}

void su_put_bytes(su_buf *out, su_locale l, size_t n)
{
    static const char *const units[SU_LOCALES][3] = {
        { "bytes", "kB", "MB" }, { "octets", "ko", "Mo" }, { "bytes", "kB", "MB" }, { "بايت", "ك.بايت", "م.بايت" }
    };
    char digits[48];
    int unit = n < 1000 ? 0 : n < 1000000 ? 1 : 2;
    snprintf(digits, sizeof digits, "%.*f", unit ? 1 : 0, (double)n / (unit == 2 ? 1e6 : unit ? 1e3 : 1));
    put_pointed(out, l, digits);
    su_buf_printf(out, "\u00a0%s", units[l][unit]);
}

/* ---- dates --------------------------------------------------------------------------------------------------------------------------- */

static const char *const months[SU_LOCALES][12] = {
    { "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December" },
    { "janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre", "octobre", "novembre", "décembre" },
    { "enero", "febrero", "marzo", "abril", "mayo", "junio", "julio", "agosto", "septiembre", "octubre", "noviembre", "diciembre" },
    { "كانون الثاني/يناير", "شباط/فبراير", "آذار/مارس", "نيسان/أبريل", "أيار/مايو", "حزيران/يونيه", "تموز/يوليه", "آب/أغسطس",
      "أيلول/سبتمبر", "تشرين الأول/أكتوبر", "تشرين الثاني/نوفمبر", "كانون الأول/ديسمبر" },
};

void su_put_day(su_buf *out, su_locale l, const char *iso)
{
    int64_t year, month, day;
    size_t n = iso ? strlen(iso) : 0;
    if (n < 10 || iso[4] != '-' || iso[7] != '-' || !su_parse_i64((su_str) { iso, 4 }, &year) ||
        !su_parse_i64((su_str) { iso + 5, 2 }, &month) || !su_parse_i64((su_str) { iso + 8, 2 }, &day) || month < 1 || month > 12 ||
        day < 1 || day > 31) {
        su_buf_html(out, su_str_of(iso));
        return;
    }
    const char *between = l == SU_LOCALE_ES ? " de " : " ";
    su_buf_printf(out, "%d%s%s%s%s%d", (int)day, l == SU_LOCALE_FR && day == 1 ? "er" : "", between, months[l][month - 1], between,
                  (int)year);
}
