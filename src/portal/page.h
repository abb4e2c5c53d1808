/* page: the shell of every page and the words that its parts share. Every text is escaped here; no inline style or script, so that the
 * strict Content-Security-Policy holds. */
#ifndef SU_PORTAL_PAGE_H
#define SU_PORTAL_PAGE_H

#include "site.h"

/* One page under way. */
typedef struct su_page {
    su_buf *b;
    su_arena *arena; /* of this request */
    su_locale l;
    bool keep; /* ?lang was given: links keep it */
    const su_site *site;
    const su_shown *shown; /* NULL outside a release */
    const char *path, *query;
    unsigned ids;    /* last id given to a figure */
    unsigned status; /* of the answer; 400 when a parameter is wrong */
} su_page;

/* What a page is called and where it stands. */
typedef struct su_page_head {
    const char *title;  /* plain text, already in the page's language */
    const char *here;   /* address of the entry of the menus that is current; NULL = none */
    const char *about;  /* one sentence for search engines; NULL = none */
    const char *jsonld; /* JSON text for machines; NULL = none */
} su_page_head;

void su_page_open(su_page *p, const su_page_head *head); /* up to and including <main id="main"> */
void su_page_close(su_page *p);

/* HTML as it is; a message; a text that came from outside. */
#define put(p, html) su_buf_text((p)->b, html)
#define say(p, ...) su_say((p)->b, (p)->l, __VA_ARGS__)
void su_page_text(su_page *p, const char *text);
/* <element>message</element>; `element` may hold attributes. */
#define tag(p, element, ...) su_page_tag_(p, element, __VA_ARGS__)
#define su_page_tag_(p, element, english, ...)                                                                                             \
    su_page_tag(p, element, english, (const su_put[]) { __VA_ARGS__ __VA_OPT__(, ) { .kind = SU_PUT_END } })
void su_page_tag(su_page *p, const char *element, const char *english, const su_put *puts);
/* Value of an attribute href for an address of ours (path, maybe with a query): keeps the language, escaped, without quotes. */
void su_page_href(su_page *p, const char *address);
/* <a href="...">  */
void su_page_link(su_page *p, const char *address);
/* "/r/<name>/rest" in the arena. */
const char *su_page_address(su_page *p, const su_shown *s, const char *rest);
/* "<a href=...>" as text, for a put of kind SU_PUT_HTML. */
const char *su_page_anchor(su_page *p, const char *address);
void su_page_day(su_page *p, const su_view *v); /* Version 2026.11.21 · 21 November 2026 · publisher */
/* Title of a column or group in the language, and without the heading that it repeats. */
const char *su_page_without(const char *title, const char *heading);
/* A number with its interval in HTML: "1,234 (1,200 to 1,268)". */
void su_page_interval(su_page *p, double low, double high);
/* Where every release stands, newest first; in the arena. */
const su_shown **su_page_newest(su_page *p);

/* ---- pages ---- */

void su_page_catalogue(su_page *p);
void su_page_overview(su_page *p);
void su_page_explore(su_page *p);
void su_page_combinations(su_page *p);
bool su_page_story(su_page *p, const char *name); /* false: there is none of this name; "" = the list */
void su_page_data(su_page *p);
void su_page_protection(su_page *p);
void su_page_glossary(su_page *p);
void su_page_about(su_page *p);
void su_page_accessibility(su_page *p);
void su_page_api(su_page *p);
void su_page_wrong(su_page *p, unsigned status, const char *title, const char *sentence); /* both English messages */

#endif
