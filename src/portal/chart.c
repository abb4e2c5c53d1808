#include "chart.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MOST_BARS 12u
#define WIDTH 1000.0
#define HEIGHT 260.0

static double top_of(const su_figure *n) { return isfinite(n->high) && n->high > n->count ? n->high : n->count; }
static bool has_interval(const su_figure *n) { return n->known && isfinite(n->low) && isfinite(n->high); }

/* ---- words ---- */

void su_chart_percent(su_page *p, double percent) { su_put_percent(p->b, p->l, percent, percent < 9.95 ? 1 : 0); }

void su_chart_number(su_page *p, const su_figure *n)
{
    if (n->known) {
        if (n->state == SU_CELL_ESTIMATED) put(p, "≈\u00a0");
        su_put_count(p->b, p->l, n->count);
    } else if (n->state == SU_CELL_SUPPRESSED)
        say(p, "not published");
    else
        say(p, "none found");
}

static void chart_interval(su_page *p, const su_figure *n)
{
    const char *reason = su_reason_text(n->reason);
    if (has_interval(n))
        su_page_interval(p, n->low, n->high);
    else if (n->known && isfinite(n->low))
        say(p, "at least {low}", SU_PCOUNT("low", fmax(0, floor(n->low))));
    else if (n->known && !reason)
        say(p, "no interval");
    if (!reason) return;
    if (n->known && isfinite(n->low)) put(p, "; ");
    su_say_with(p->b, p->l, reason, NULL);
}

size_t su_chart_leaders(const su_bar *bars, size_t n, const su_bar *lead[4])
{
    double floor_of_top = -1;
    size_t found = 0;
    for (size_t i = 0; i < n; i++)
        if (has_interval(&bars[i].n)) floor_of_top = fmax(floor_of_top, bars[i].n.low);
    if (floor_of_top <= 0) return 0;
    for (size_t i = 0; i < n; i++) {
        const su_figure *f = &bars[i].n;
        /* A number without an interval could be anything: then nothing is called the largest. */
        if (f->known && !has_interval(f) && f->count > 0) return 0;
        if (!has_interval(f) || f->high < floor_of_top) continue;
        if (found == 4) return 0;
        lead[found++] = &bars[i];
    }
    return found;
}

static void put_leader(su_page *p, const su_bar *x)
{
    put(p, "<strong>");
    su_page_text(p, x->label);
    put(p, "</strong> (");
    if (isfinite(x->percent)) {
        su_chart_percent(p, x->percent);
        put(p, "; ");
    }
    su_page_interval(p, x->n.low, x->n.high);
    put(p, ")");
}

/* Sentence about the largest bars, no more than the intervals allow. */
static void chart_summary(su_page *p, const su_bar *bars, size_t n)
{
    const su_bar *lead[4];
    size_t leaders = su_chart_leaders(bars, n, lead);
    if (!leaders) return;
    put(p, "<p class=\"summary\">");
    if (leaders == 1)
        say(p, "Largest:");
    else
        say(p, "Largest, too close to tell which:");
    for (size_t i = 0; i < leaders; i++) {
        put(p, i ? "; " : " ");
        put_leader(p, lead[i]);
    }
    put(p, ".</p>\n");
}

static unsigned open_figure(su_page *p, const char *kind, const su_chart *c)
{
    unsigned id = ++p->ids;
    su_buf_printf(p->b, "<figure class=\"card chart%s\" aria-labelledby=\"t%u\">\n<h3 id=\"t%u\">", kind, id, id);
    su_page_text(p, c->title);
    put(p, "</h3>\n");
    return id;
}

static void close_figure(su_page *p, const su_chart *c)
{
    if (c->note) {
        put(p, "<p class=\"note\">");
        put(p, c->note);
        put(p, "</p>\n");
    }
    if (c->more) {
        put(p, "<p class=\"more\">");
        su_page_link(p, c->more);
        say(p, "Filter this in Explore");
        put(p, "</a></p>\n");
    }
    put(p, "</figure>\n");
}

/* ---- bars ---- */

static const char *mark_of(su_cell_state s)
{
    return s == SU_CELL_UNCERTAIN ? "mark uncertain" : s == SU_CELL_ESTIMATED ? "mark estimated" : "mark";
}

void su_chart_marks(su_page *p, const su_figure *n, double scale)
{
    bool hidden = n->state == SU_CELL_SUPPRESSED;
    put(p, "<svg aria-hidden=\"true\" focusable=\"false\" viewBox=\"0 0 1000 14\" preserveAspectRatio=\"none\">");
    su_buf_printf(p->b, "<rect class=\"track%s\" width=\"1000\" y=\"3\" height=\"8\"/>", hidden ? " hidden" : "");
    if (n->known)
        su_buf_printf(p->b, "<rect class=\"%s\" width=\"%.1f\" y=\"3\" height=\"8\"/>", mark_of(n->state), WIDTH * n->count / scale);
    if (has_interval(n)) {
        double low = WIDTH * fmin(fmax(0, n->low) / scale, 1), high = WIDTH * fmin(fmax(0, n->high) / scale, 1);
        su_buf_printf(p->b, "<path class=\"whisker\" d=\"M%.1f 7H%.1fM%.1f 2V12M%.1f 2V12\"/>", low, high, low, high);
    }
    put(p, "</svg>");
}

static void put_bar(su_page *p, const su_bar *x, double scale)
{
    su_buf_printf(p->b, "<li class=\"%s\"><span class=\"label\">", su_state_key(x->n.state));
    if (x->address) su_page_link(p, x->address);
    su_page_text(p, x->label);
    put(p, x->address ? "</a></span> <span class=\"value\">" : "</span> <span class=\"value\">");
    su_chart_number(p, &x->n);
    if (isfinite(x->percent)) {
        put(p, " <small>");
        su_chart_percent(p, x->percent);
        put(p, "</small>");
    }
    put(p, "</span>\n<span class=\"sr\">");
    chart_interval(p, &x->n);
    put(p, "</span>");
    su_chart_marks(p, &x->n, scale);
    put(p, "</li>\n");
}

static void put_cells(su_page *p, const su_bar *x, bool percents)
{
    su_buf_printf(p->b, "<td class=\"n %s\">", su_state_key(x->n.state));
    su_chart_number(p, &x->n);
    put(p, "</td><td>");
    chart_interval(p, &x->n);
    put(p, "</td>");
    if (!percents) return;
    put(p, "<td class=\"n\">");
    if (isfinite(x->percent)) su_chart_percent(p, x->percent);
    if (isfinite(x->percent_low) && isfinite(x->percent_high)) {
        put(p, " <small>(");
        su_chart_percent(p, x->percent_low);
        put(p, "–");
        su_chart_percent(p, x->percent_high);
        put(p, ")</small>");
    }
    put(p, "</td>");
}

static void open_table(su_page *p, const char *what)
{
    put(p, "<details>\n<summary>");
    say(p, "The same as a table");
    put(p, "</summary>\n<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"");
    su_page_text(p, what);
    put(p, "\">\n<table>\n<thead><tr>");
}

static void head_cell(su_page *p, const char *text)
{
    put(p, "<th scope=\"col\">");
    su_page_text(p, text);
    put(p, "</th>");
}

static void put_table(su_page *p, const su_chart *c, const su_bar *bars, size_t n)
{
    bool percents = false;
    for (size_t i = 0; i < n; i++) percents = percents || isfinite(bars[i].percent);
    open_table(p, c->title);
    head_cell(p, c->what);
    head_cell(p, su_tr(p->l, "code"));
    head_cell(p, su_tr(p->l, "people"));
    head_cell(p, su_tr(p->l, "95% interval, or why there is none"));
    if (percents) head_cell(p, su_tr(p->l, "percent"));
    put(p, "</tr></thead>\n<tbody>\n");
    for (size_t i = 0; i < n; i++) {
        put(p, "<tr><th scope=\"row\">");
        su_page_text(p, bars[i].label);
        put(p, "</th><td><code>");
        su_page_text(p, bars[i].code);
        put(p, "</code></td>");
        put_cells(p, &bars[i], percents);
        put(p, "</tr>\n");
    }
    put(p, "</tbody>\n</table>\n</div>\n</details>\n");
}

static int largest_first(const void *x, const void *y)
{
    const su_bar *a = x, *b = y;
    if (a->n.known != b->n.known) return a->n.known ? -1 : 1;
    if (a->n.known && a->n.count != b->n.count) return a->n.count > b->n.count ? -1 : 1;
    return a->order < b->order ? -1 : a->order > b->order;
}

/* What is not drawn: smaller ones (in the table), and those without a number, with their reason. */
static void put_rest(su_page *p, const su_chart *c, size_t smaller)
{
    if (smaller) {
        put(p, "<p class=\"note\">");
        say(p, "Smaller ones, in the table: {n}.", SU_PCOUNT("n", smaller));
        put(p, "</p>\n");
    }
    if (c->hidden) {
        put(p, "<p class=\"note hidden-note\"><span class=\"swatch hidden\"></span> ");
        say(p, "Values of the public list without a number: {n}.", SU_PCOUNT("n", c->hidden));
        const char *reason = su_reason_text(c->hidden_reason);
        if (reason) {
            put(p, " ");
            su_say_with(p->b, p->l, reason, NULL);
        }
        put(p, "</p>\n");
    }
}

void su_chart_bars(su_page *p, const su_chart *c, su_bar *bars, size_t n)
{
    size_t most = c->most ? c->most : MOST_BARS, shown = n > most + 1 ? most : n;
    double scale = 1;
    if (c->ranked) qsort(bars, n, sizeof *bars, largest_first);
    open_figure(p, "", c);
    if (n == 0) {
        put(p, "<p class=\"note\">");
        say(p, "No count of this column stands out from the noise.");
        put(p, "</p>\n");
    } else {
        chart_summary(p, bars, n);
        for (size_t i = 0; i < shown; i++)
            if (bars[i].n.known) scale = fmax(scale, top_of(&bars[i].n));
        put(p, "<ol class=\"bars\">\n");
        for (size_t i = 0; i < shown; i++) put_bar(p, &bars[i], scale);
        put(p, "</ol>\n");
        put_rest(p, c, n - shown);
        put_table(p, c, bars, n);
    }
    close_figure(p, c);
}

/* ---- years ---- */

typedef struct plane {
    size_t first, last;
    double top;
} plane; /* bars shown, upper end of the axis */

/* Smallest whole 1, 2, 2.5 or 5 times a power of ten whose four steps reach `top`. */
static double nice_step(double top)
{
    static const double factor[] = { 1, 2, 2.5, 5 };
    for (double power = 1; power < 1e16; power *= 10)
        for (size_t i = 0; i < 4; i++)
            if (power * factor[i] * 4 >= top && power * factor[i] == floor(power * factor[i])) return power * factor[i];
    return 1e16;
}

static double px(const plane *v, size_t i)
{
    return v->last > v->first ? WIDTH * (double)(i - v->first) / (double)(v->last - v->first) : WIDTH / 2;
}
static double py(const plane *v, double count) { return HEIGHT - HEIGHT * fmin(fmax(count, 0) / v->top, 1); }

/* Runs of neighbouring years with a number are drawn; a gap is left as a gap. */
static void put_run(su_page *p, const su_bar *bars, const plane *v, size_t from, size_t to)
{
    bool band = true;
    for (size_t i = from; i <= to; i++) band = band && has_interval(&bars[i].n);
    if (band && to > from) {
        put(p, "<path class=\"band\" d=\"");
        for (size_t i = from; i <= to; i++) su_buf_printf(p->b, "%c%.1f %.1f", i == from ? 'M' : 'L', px(v, i), py(v, bars[i].n.high));
        for (size_t i = to + 1; i-- > from;) su_buf_printf(p->b, "L%.1f %.1f", px(v, i), py(v, bars[i].n.low));
        put(p, "Z\"/>");
    }
    su_buf_printf(p->b, "<path class=\"line%s\" d=\"", band ? "" : " estimated");
    for (size_t i = from; i <= to; i++) su_buf_printf(p->b, "%c%.1f %.1f", i == from ? 'M' : 'L', px(v, i), py(v, bars[i].n.count));
    put(p, "\"/>\n");
    for (size_t i = from; i <= to; i++) {
        double x = px(v, i);
        if (has_interval(&bars[i].n))
            su_buf_printf(p->b, "<path class=\"whisker\" d=\"M%.1f %.1fV%.1f\"/>", x, py(v, bars[i].n.low), py(v, bars[i].n.high));
        su_buf_printf(p->b, "<path class=\"dot\" d=\"M%.1f %.1fh0\"/>\n", x, py(v, bars[i].n.count));
    }
}

/* A column without a number: hatched from top to bottom. */
static void put_gaps(su_page *p, const su_bar *bars, const plane *v)
{
    double step = v->last > v->first ? WIDTH / (double)(v->last - v->first) : WIDTH;
    for (size_t i = v->first; i <= v->last; i++)
        if (!bars[i].n.known)
            su_buf_printf(p->b, "<rect class=\"gap\" x=\"%.1f\" y=\"0\" width=\"%.1f\" height=\"260\"/>", px(v, i) - step / 4, step / 2);
}

static void put_axis(su_page *p, const su_bar *bars, const plane *v)
{
    size_t span = v->last - v->first, steps = span < 1        ? 1
                                              : span % 4 == 0 ? 4
                                              : span % 3 == 0 ? 3
                                              : span % 5 == 0 ? 5
                                              : span % 2 == 0 ? 2
                                                              : 1;
    put(p, "<div class=\"x\" aria-hidden=\"true\">");
    for (size_t s = 0; s <= (span ? steps : 0); s++) {
        put(p, "<span>");
        su_page_text(p, bars[v->first + (span ? span * s / steps : 0)].label);
        put(p, "</span>");
    }
    put(p, "</div>\n");
}

static void put_plot(su_page *p, const su_bar *bars, const plane *v, double step)
{
    put(p, "<div class=\"plot\">\n<div class=\"y\" aria-hidden=\"true\">");
    for (int i = 4; i >= 0; i--) {
        put(p, "<span>");
        su_put_count(p->b, p->l, step * i);
        put(p, "</span>");
    }
    put(p, "</div>\n<svg aria-hidden=\"true\" focusable=\"false\" viewBox=\"0 0 1000 260\" preserveAspectRatio=\"none\">\n");
    for (int i = 0; i <= 4; i++) su_buf_printf(p->b, "<path class=\"grid\" d=\"M0 %.1fH1000\"/>", HEIGHT * i / 4);
    put_gaps(p, bars, v);
    for (size_t i = v->first; i <= v->last; i++) {
        if (!bars[i].n.known) continue;
        size_t to = i;
        while (to < v->last && bars[to + 1].n.known) to++;
        put_run(p, bars, v, i, to);
        i = to;
    }
    put(p, "</svg>\n");
    put_axis(p, bars, v);
    put(p, "</div>\n");
}

void su_chart_years(su_page *p, const su_chart *c, const su_bar *bars, size_t n)
{
    plane v = { SIZE_MAX, 0, 1 };
    double top = 1;
    for (size_t i = 0; i < n; i++) {
        if (!bars[i].n.known) continue;
        if (v.first == SIZE_MAX) v.first = i;
        v.last = i;
        top = fmax(top, top_of(&bars[i].n));
    }
    open_figure(p, " wide", c);
    if (v.first == SIZE_MAX) {
        put(p, "<p class=\"note\">");
        say(p, "No count of this column stands out from the noise.");
        put(p, "</p>\n");
    } else {
        double step = nice_step(top);
        v.top = step * 4;
        chart_summary(p, bars, n);
        put_plot(p, bars, &v, step);
        put_table(p, c, bars, n);
    }
    close_figure(p, c);
}

/* ---- grid ---- */

void su_chart_grid(su_page *p, const su_chart *c, const su_bar *cells, const char *const *row, size_t rows, const char *const *column,
                   size_t columns)
{
    double scale = 1;
    for (size_t i = 0; i < rows * columns; i++)
        if (cells[i].n.known) scale = fmax(scale, top_of(&cells[i].n));
    open_figure(p, " wide", c);
    put(p, "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"");
    su_page_text(p, c->title);
    put(p, "\">\n<table class=\"grid\">\n<thead><tr>");
    head_cell(p, c->what);
    for (size_t k = 0; k < columns; k++) head_cell(p, column[k]);
    put(p, "</tr></thead>\n<tbody>\n");
    for (size_t i = 0; i < rows; i++) {
        put(p, "<tr><th scope=\"row\">");
        su_page_text(p, row[i]);
        put(p, "</th>");
        for (size_t k = 0; k < columns; k++) {
            const su_bar *x = &cells[i * columns + k];
            su_buf_printf(p->b, "<td class=\"%s\"><span class=\"value\">", su_state_key(x->n.state));
            su_chart_number(p, &x->n);
            put(p, "</span>");
            su_chart_marks(p, &x->n, scale);
            put(p, "<small>");
            chart_interval(p, &x->n);
            put(p, "</small></td>");
        }
        put(p, "</tr>\n");
    }
    put(p, "</tbody>\n</table>\n</div>\n");
    close_figure(p, c);
}

/* ---- how to read ---- */

static void put_key(su_page *p, su_cell_state state, const char *english)
{
    static const su_figure samples[] = {
        [SU_CELL_OK] = { SU_CELL_OK, SU_SOURCE_AGGREGATES, SU_REASON_NONE, true, 60, 52, 68 },
        [SU_CELL_UNCERTAIN] = { SU_CELL_UNCERTAIN, SU_SOURCE_AGGREGATES, SU_REASON_WIDE, true, 40, 5, 75 },
        [SU_CELL_SUPPRESSED] = { SU_CELL_SUPPRESSED, SU_SOURCE_AGGREGATES, SU_REASON_GATE, false, 0, NAN, NAN },
        [SU_CELL_ESTIMATED] = { SU_CELL_ESTIMATED, SU_SOURCE_RECORDS, SU_REASON_LENGTH, true, 60, NAN, NAN },
    };
    put(p, "<li>");
    su_chart_marks(p, &samples[state], 100);
    put(p, "<span>");
    su_say_with(p->b, p->l, english, NULL);
    put(p, "</span></li>\n");
}

void su_chart_legend(su_page *p)
{
    put(p, "<details class=\"legend\">\n<summary>");
    say(p, "How to read the charts");
    put(p, "</summary>\n<ul>\n");
    put_key(p, SU_CELL_OK,
            T("A published count. The thin line is its 95% interval: in 95 of 100 such cells it holds the number in the case records."));
    put_key(p, SU_CELL_UNCERTAIN,
            T("A published count that is very uncertain: its interval is wide beside the count. Do not quote it alone."));
    put_key(p, SU_CELL_ESTIMATED,
            T("Counted in the synthetic records, marked ≈. No interval was published for such a number: treat it as a hint."));
    put_key(p, SU_CELL_SUPPRESSED,
            T("Not published, on purpose: too few to stand out from the noise that protects people. It is not a zero."));
    put(p, "</ul>\n</details>\n");
}
