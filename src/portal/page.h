/* page: HTML of the portal. Every text is escaped here; no inline style or script, so that the strict Content-Security-Policy holds. */
#ifndef SU_PORTAL_PAGE_H
#define SU_PORTAL_PAGE_H

#include "folder.h"
#include "view.h"

typedef struct su_shown {
    const su_view *view;
    const su_folder *folder;
    const char *name; /* in the address: /r/<name>/ */
} su_shown;

void su_page_release(const su_shown *shown, bool alone, su_buf *out); /* alone: there is no list to go back to */
void su_page_index(const su_shown *shown, size_t count, su_buf *out);
void su_page_missing(su_buf *out); /* 404 */

/* chart.c: figures with a table twin. `id` is unique in the page. */
void su_chart_field(const su_view *v, const su_view_field *f, unsigned id, su_buf *out);
void su_chart_group(const su_view *v, int group, unsigned id, su_buf *out); /* group -1: flags of no group */
bool su_chart_has_group(const su_view *v, int group);
void su_chart_pairs(const su_view *v, unsigned id, su_buf *out);

/* text.c */
void su_html(su_buf *out, const char *text);
void su_html_count(su_buf *out, uint64_t n); /* 12,345 */
void su_html_real(su_buf *out, double x);    /* four significant digits, grouped; "not stated" for NaN */
void su_html_bytes(su_buf *out, size_t n);   /* 12.3 KB */

#endif
