/* i18n: four languages. Messages are English sentences in the C sources, marked T("...") where they are not an argument of su_tr or su_say;
 * tools/po.py turns web/po/<lang>.po into the table that is searched here. A message without a translation is shown in English, and the
 * house tests fail. Words in braces stand for what is put in: {count}, {a}...{/a}.
 *
 * Numbers and dates follow Unicode CLDR 42, with Western digits in Arabic, as the United Nations' documents in Arabic have them. */
#ifndef SU_PORTAL_I18N_H
#define SU_PORTAL_I18N_H

#include <suha/base.h>

typedef enum su_locale { SU_LOCALE_EN, SU_LOCALE_FR, SU_LOCALE_ES, SU_LOCALE_AR, SU_LOCALES } su_locale;

#define T(text) (text) /* marks a message for tools/po.py */

const char *su_locale_tag(su_locale l);  /* en fr es ar */
const char *su_locale_name(su_locale l); /* in its own language */
const char *su_locale_dir(su_locale l);  /* ltr rtl */
/* Exactly a tag; false when it is none of ours. */
bool su_locale_find(su_str tag, su_locale *out);
/* RFC 9110 12.5.4: the language of ours with the highest weight; English when there is none. Bad input is ignored, never refused. */
su_locale su_locale_accept(const char *accept_language);

/* The message in the language; `english` itself when there is no other. O(log messages). */
const char *su_tr(su_locale l, const char *english);

/* What a word in braces becomes. */
typedef enum su_put_kind { SU_PUT_END, SU_PUT_TEXT, SU_PUT_HTML, SU_PUT_COUNT, SU_PUT_REAL } su_put_kind;
typedef struct su_put {
    su_put_kind kind;
    const char *name; /* without braces */
    const char *text; /* TEXT: escaped; HTML: as it is; DAY: 2026-11-21... */
    double number;    /* COUNT, REAL */
} su_put;
/* Prints the message as HTML text: the message is escaped, each {name} becomes its put. `puts` ends with kind SU_PUT_END; NULL = none. */
void su_say_with(su_buf *out, su_locale l, const char *english, const su_put *puts);
#define su_say(out, l, ...) su_say_(out, l, __VA_ARGS__)
#define su_say_(out, l, english, ...) su_say_with(out, l, english, (const su_put[]) { __VA_ARGS__ __VA_OPT__(, ) { .kind = SU_PUT_END } })
#define SU_PTEXT(n, t)                                                                                                                     \
    {                                                                                                                                      \
        .kind = SU_PUT_TEXT, .name = (n), .text = (t)                                                                                      \
    }
#define SU_PHTML(n, t)                                                                                                                     \
    {                                                                                                                                      \
        .kind = SU_PUT_HTML, .name = (n), .text = (t)                                                                                      \
    }
#define SU_PCOUNT(n, x)                                                                                                                    \
    {                                                                                                                                      \
        .kind = SU_PUT_COUNT, .name = (n), .number = (double)(x)                                                                           \
    }
#define SU_PREAL(n, x)                                                                                                                     \
    {                                                                                                                                      \
        .kind = SU_PUT_REAL, .name = (n), .number = (x)                                                                                    \
    }

/* ---- numbers and dates as HTML text -------------------------------------------------------------------------------------------------- */

void su_put_count(su_buf *out, su_locale l, double whole); /* rounded; 12,345 */
void su_put_real(su_buf *out, su_locale l, double x);      /* four significant digits; "not stated" for NaN */
/* 0 to 100, `decimals` 0 or 1; 65%, in French with a narrow no-break blank before the sign. */
void su_put_percent(su_buf *out, su_locale l, double percent, int decimals);
void su_put_bytes(su_buf *out, su_locale l, size_t n);
void su_put_day(su_buf *out, su_locale l, const char *iso); /* 21 November 2026; anything that is no date is printed as it is */

/* tools/po.py: sorted by `english`. */
typedef struct su_message {
    const char *english, *other[SU_LOCALES - 1]; /* fr es ar */
} su_message;
extern const su_message su_messages[];
extern const size_t su_message_count;

#endif
