/* chart: figures drawn by the server as SVG, each with its intervals, a text summary and a table twin. Labels are HTML text, so that they
 * wrap on a phone and are read aloud; the marks are SVG that stretches. What is not published is drawn as such, with the reason, and
 * never as zero. */
#ifndef SU_PORTAL_CHART_H
#define SU_PORTAL_CHART_H

#include "page.h"
#include "query.h"

typedef struct su_bar {
    const char *label, *code;
    su_figure n;
    double percent, percent_low, percent_high; /* NaN: none */
    const char *address;                       /* where the label leads; NULL = nowhere */
    size_t order;
} su_bar;

typedef struct su_chart {
    const char *title; /* in the page's language */
    const char *what;  /* heading of the table's first column */
    const char *note;  /* HTML below the title: what percentages are of, where numbers come from; NULL = none */
    const char *more;  /* address of the same in Explore; NULL = none */
    bool ranked;       /* largest first; otherwise in the order given, which means something */
    bool several;      /* one record may have several of these */
    size_t most;       /* bars drawn; the table has all. 0 = 12 */
    size_t hidden;     /* further values without a number, not among the bars */
    su_reason hidden_reason;
} su_chart;

void su_chart_bars(su_page *p, const su_chart *c, su_bar *bars, size_t n); /* sorts the bars when ranked */
void su_chart_years(su_page *p, const su_chart *c, const su_bar *bars, size_t n);
/* rows x columns of cells, row by row; the drawing is its own table. */
void su_chart_grid(su_page *p, const su_chart *c, const su_bar *cells, const char *const *row, size_t rows, const char *const *column,
                   size_t columns);

/* Which bars are the largest: those whose interval reaches the largest lower end. In `lead`, at most 4; 0 when nothing can be said. */
size_t su_chart_leaders(const su_bar *bars, size_t n, const su_bar *lead[4]);
/* "1,234", "not published" ...; and its interval or the reason why there is none. */
void su_chart_number(su_page *p, const su_figure *n);
void su_chart_percent(su_page *p, double percent);
/* The bar of a figure alone, `scale` wide at most. */
void su_chart_marks(su_page *p, const su_figure *n, double scale);
/* How to read the charts: once in a page. */
void su_chart_legend(su_page *p);

/* ---- figure.c: charts of a release, asked with su_cube_tabulate ---- */

/* Title of a column, value or group in the language of the page. */
const char *su_figure_title(su_page *p, const su_view_field *f);
const char *su_figure_label(su_page *p, const su_view_value *v);
const char *su_figure_group(su_page *p, int group);

/* Charts under the filters of `base` (its by and group are not looked at). False, and nothing drawn, when the column has no values. */
bool su_figure_column(su_page *p, const su_ask *base, uint32_t field);
bool su_figure_of_group(su_page *p, const su_ask *base, int group);
bool su_figure_flags(su_page *p, const su_ask *base); /* yes-or-no columns of no group */
bool su_figure_pairs(su_page *p, const su_ask *base, uint32_t from, uint32_t to);
bool su_figure_grid(su_page *p, const su_ask *base, uint32_t row, uint32_t column);

#define SU_ROLES_PEOPLE 4u
/* What the columns of a release are for a reader: by their kind, never by name. -1 = none. */
typedef struct su_roles {
    int year;                         /* first year column */
    int origin, destination;          /* two columns of one long list; destination -1 when there is one only */
    uint32_t people[SU_ROLES_PEOPLE]; /* columns of short lists: about people first, then in the schema's order */
    size_t people_count;
} su_roles;
void su_figure_roles(const su_view *v, su_roles *out);
/* The same question as an address of Explore: "/r/x/explore?where=...". */
const char *su_figure_address(su_page *p, const su_ask *base, const char *page);
/* Bars of a tabulation with one dimension, in the arena; with_reason counts values without number into c->hidden when there are many. */
su_bar *su_figure_bars(su_page *p, const su_ask *base, const su_tabulation *t, su_chart *c, size_t *n);

#endif
