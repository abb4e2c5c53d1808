/* Charts from published counts. Labels are HTML text, so that they wrap on a phone and are read aloud; the marks are SVG that stretches. */
#include "page.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MOST_BARS 15u
#define WIDTH 1000.0

typedef struct bar {
    const char *label, *code;
    su_view_count n;
    double percent;
    size_t order;
} bar;

static double top_of(const su_view_count *n) { return isfinite(n->high) && n->high > (double)n->count ? n->high : (double)n->count; }

static void put_interval(su_buf *b, const su_view_count *n, const char *between)
{
    if (!isfinite(n->low) || !isfinite(n->high)) {
        su_buf_text(b, "not given");
        return;
    }
    su_html_count(b, (uint64_t)fmax(0, floor(n->low)));
    su_buf_text(b, between);
    su_html_count(b, (uint64_t)fmax(0, fmin(ceil(n->high), 1e18)));
}

static void put_percent(su_buf *b, double percent)
{
    if (percent < 0.95)
        su_buf_printf(b, "%.1f %%", percent);
    else
        su_buf_printf(b, "%.0f %%", percent);
}

static void open_figure(su_buf *b, unsigned id, const char *kind, const char *title)
{
    su_buf_printf(b, "<figure class=\"card chart %s\" aria-labelledby=\"t%u\">\n<h3 id=\"t%u\">", kind, id, id);
    su_html(b, title);
    su_buf_text(b, "</h3>\n");
}

/* ---- bars --------------------------------------------------------------------------------------------------------------------------- */

static void put_bar(su_buf *b, const bar *x, double scale, unsigned id, size_t row)
{
    su_buf_text(b, "<li><span class=\"label\">");
    su_html(b, x->label);
    su_buf_text(b, "</span> <span class=\"value\">");
    su_html_count(b, x->n.count);
    if (isfinite(x->percent)) {
        su_buf_text(b, " <small>");
        put_percent(b, x->percent);
        su_buf_text(b, "</small>");
    }
    su_buf_printf(b,
                  "</span>\n<svg role=\"img\" aria-labelledby=\"c%ur%zu\" viewBox=\"0 0 1000 14\" preserveAspectRatio=\"none\"><title "
                  "id=\"c%ur%zu\">",
                  id, row, id, row);
    su_html(b, x->label);
    su_buf_text(b, ": ");
    su_html_count(b, x->n.count);
    bool whisker = isfinite(x->n.low) && isfinite(x->n.high);
    if (whisker) {
        su_buf_text(b, ", 95 % interval ");
        put_interval(b, &x->n, " to ");
    }
    su_buf_printf(
        b, "</title><rect class=\"track\" width=\"1000\" y=\"3\" height=\"8\"/><rect class=\"mark\" width=\"%.1f\" y=\"3\" height=\"8\"/>",
        WIDTH * (double)x->n.count / scale);
    if (whisker) {
        double low = WIDTH * fmin(fmax(0, x->n.low) / scale, 1), high = WIDTH * fmin(fmax(0, x->n.high) / scale, 1);
        su_buf_printf(b, "<path class=\"whisker\" d=\"M%.1f 7H%.1fM%.1f 2V12M%.1f 2V12\"/>", low, high, low, high);
    }
    su_buf_text(b, "</svg></li>\n");
}

static void put_table(su_buf *b, const bar *bars, size_t n, const char *what)
{
    bool percents = n && isfinite(bars[0].percent);
    su_buf_text(
        b,
        "<details>\n<summary>The same as a table</summary>\n<div class=\"scroll\" tabindex=\"0\">\n<table>\n<thead><tr><th scope=\"col\">");
    su_html(b, what);
    su_buf_text(b, "</th><th scope=\"col\">code</th><th scope=\"col\">count</th><th scope=\"col\">95 % interval</th>");
    su_buf_text(b, percents ? "<th scope=\"col\">percent</th></tr></thead>\n<tbody>\n" : "</tr></thead>\n<tbody>\n");
    for (size_t i = 0; i < n; i++) {
        su_buf_text(b, "<tr><th scope=\"row\">");
        su_html(b, bars[i].label);
        su_buf_text(b, "</th><td><code>");
        su_html(b, bars[i].code);
        su_buf_text(b, "</code></td><td>");
        su_html_count(b, bars[i].n.count);
        su_buf_text(b, "</td><td>");
        put_interval(b, &bars[i].n, "–");
        su_buf_text(b, "</td>");
        if (percents) {
            su_buf_text(b, "<td>");
            put_percent(b, bars[i].percent);
            su_buf_text(b, "</td>");
        }
        su_buf_text(b, "</tr>\n");
    }
    su_buf_text(b, "</tbody>\n</table>\n</div>\n</details>\n");
}

/* What is beyond the longest bars is one line without a bar: drawn to scale it would dwarf them. */
static void put_others(su_buf *b, const bar *bars, size_t from, size_t n)
{
    uint64_t count = 0;
    double percent = 0;
    for (size_t i = from; i < n; i++) count += bars[i].n.count, percent += bars[i].percent;
    su_buf_printf(b, "<li class=\"others\"><span class=\"label\">%zu others together</span> <span class=\"value\">", n - from);
    su_html_count(b, count);
    if (isfinite(percent)) {
        su_buf_text(b, " <small>");
        put_percent(b, percent);
        su_buf_text(b, "</small>");
    }
    su_buf_text(b, "</span></li>\n");
}

static void put_bars(su_buf *b, const bar *bars, size_t n, unsigned id)
{
    size_t shown = n > MOST_BARS + 1 ? MOST_BARS : n;
    double scale = 1;
    for (size_t i = 0; i < shown; i++) scale = fmax(scale, top_of(&bars[i].n));
    su_buf_text(b, "<ol class=\"bars\">\n");
    for (size_t i = 0; i < shown; i++) put_bar(b, &bars[i], scale, id, i);
    if (n > shown) put_others(b, bars, shown, n);
    su_buf_text(b, "</ol>\n");
}

static int largest_first(const void *x, const void *y)
{
    const bar *a = x, *b = y;
    if (a->n.count != b->n.count) return a->n.count > b->n.count ? -1 : 1;
    return a->order < b->order ? -1 : a->order > b->order;
}

static bar *published_bars(const su_view_field *f, size_t *n, double *total)
{
    bar *bars = su_alloc_array(f->published + 1, sizeof *bars);
    *n = 0;
    *total = 0;
    for (size_t i = 0; i < f->value_count; i++) {
        const su_view_value *v = &f->values[i];
        if (!v->published || *n == f->published) continue;
        bars[*n] = (bar) { v->label, v->code, v->n, NAN, *n };
        *total += (double)v->n.count;
        ++*n;
    }
    return bars;
}

static void put_unpublished(su_buf *b, const su_view_field *f)
{
    if (f->published == f->value_count) return;
    su_buf_text(b, "<p class=\"note\">");
    su_html_count(b, f->value_count - f->published);
    su_buf_text(b, " of the ");
    su_html_count(b, f->value_count);
    su_buf_text(b, " codes of the public list have no published count: none, or too few to stand out from the noise.</p>\n");
}

static void bars_of_field(const su_view_field *f, unsigned id, su_buf *b)
{
    size_t n;
    double total;
    bar *bars = published_bars(f, &n, &total);
    for (size_t i = 0; i < n && f->kind == SU_VIEW_CODE && total > 0; i++) bars[i].percent = 100 * (double)bars[i].n.count / total;
    /* Short lists are scales (age bands, months): their order means something. Long ones are ranked. */
    if (f->value_count > MOST_BARS) qsort(bars, n, sizeof *bars, largest_first);
    open_figure(b, id, "", f->title);
    if (n == 0)
        su_buf_text(b, "<p class=\"note\">No count of this column stands out from the noise.</p>\n");
    else {
        if (f->kind == SU_VIEW_CODE) su_buf_text(b, "<p class=\"note\">Percent of the records with a published value.</p>\n");
        if (f->kind == SU_VIEW_SET) su_buf_text(b, "<p class=\"note\">One record may have several of these.</p>\n");
        put_bars(b, bars, n, id);
        put_unpublished(b, f);
        put_table(b, bars, n, f->title);
    }
    su_buf_text(b, "</figure>\n");
    free(bars);
}

/* ---- question groups ---------------------------------------------------------------------------------------------------------------- */

static bool in_group(const su_view_field *f, int group) { return f->kind == SU_VIEW_FLAG && f->provided && f->group == group; }

/* The yes of a flag: its first published code. */
static const su_view_value *yes_of(const su_view_field *f)
{
    for (size_t i = 0; i < f->value_count; i++)
        if (f->values[i].published) return &f->values[i];
    return NULL;
}

/* "Means of control: Threats" reads "Threats" under the heading "Means of control". */
static const char *without_heading(const char *title, const char *heading)
{
    size_t n = strlen(heading);
    bool repeats = n && strncmp(title, heading, n) == 0 && title[n] == ':' && title[n + 1] == ' ' && title[n + 2];
    return repeats ? title + n + 2 : title;
}

bool su_chart_has_group(const su_view *v, int group)
{
    for (size_t i = 0; i < v->field_count; i++)
        if (in_group(&v->fields[i], group)) return true;
    return false;
}

void su_chart_group(const su_view *v, int group, unsigned id, su_buf *b)
{
    const su_view_group *g = group >= 0 ? &v->groups[group] : NULL;
    bar *bars = su_alloc_array(v->field_count + 1, sizeof *bars);
    size_t n = 0, silent = 0;
    for (size_t i = 0; i < v->field_count; i++) {
        const su_view_field *f = &v->fields[i];
        if (!in_group(f, group)) continue;
        const su_view_value *yes = yes_of(f);
        if (!yes) {
            silent++;
            continue;
        }
        double percent = g && g->answered ? fmin(100, 100 * (double)yes->n.count / (double)g->answered) : NAN;
        bars[n] = (bar) { without_heading(f->title, g ? g->title : ""), f->name, yes->n, percent, n };
        n++;
    }
    qsort(bars, n, sizeof *bars, largest_first);
    open_figure(b, id, "", g ? g->title : "Other yes-or-no questions");
    if (g && g->answered) {
        su_buf_text(b, "<p class=\"note\">Percent of the records with at least one yes in this group (");
        su_html_count(b, g->answered);
        su_buf_text(b, " of the synthetic records). One person may have several, so the sum may pass 100.</p>\n");
    }
    if (n) put_bars(b, bars, n, id);
    if (silent)
        su_buf_printf(b, "<p class=\"note\">%zu more %s no published count.</p>\n", silent,
                      silent == 1 ? "question has" : "questions have");
    if (n) put_table(b, bars, n, g ? g->title : "Question");
    su_buf_text(b, "</figure>\n");
    free(bars);
}

/* ---- trend -------------------------------------------------------------------------------------------------------------------------- */

#define HEIGHT 260.0

/* Smallest whole 1, 2, 2.5 or 5 times a power of ten whose four steps reach `top`. */
static double nice_step(double top)
{
    static const double factor[] = { 1, 2, 2.5, 5 };
    for (double power = 1; power < 1e16; power *= 10)
        for (size_t i = 0; i < 4; i++)
            if (power * factor[i] * 4 >= top && power * factor[i] == floor(power * factor[i])) return power * factor[i];
    return 1e16;
}

typedef struct plane {
    size_t first, last;
    double top;
} plane; /* value indexes shown, upper end of the axis */

static double px(const plane *p, size_t i)
{
    return p->last > p->first ? WIDTH * (double)(i - p->first) / (double)(p->last - p->first) : WIDTH / 2;
}
static double py(const plane *p, double count) { return HEIGHT - HEIGHT * fmin(fmax(count, 0) / p->top, 1); }

/* Runs of neighbouring published years are drawn; a gap is left as a gap. */
static void put_run(su_buf *b, const su_view_field *f, const plane *p, size_t from, size_t to)
{
    bool band = true;
    for (size_t i = from; i <= to; i++) band = band && isfinite(f->values[i].n.low) && isfinite(f->values[i].n.high);
    if (band && to > from) {
        su_buf_text(b, "<path class=\"band\" d=\"");
        for (size_t i = from; i <= to; i++) su_buf_printf(b, "%c%.1f %.1f", i == from ? 'M' : 'L', px(p, i), py(p, f->values[i].n.high));
        for (size_t i = to + 1; i-- > from;) su_buf_printf(b, "L%.1f %.1f", px(p, i), py(p, f->values[i].n.low));
        su_buf_text(b, "Z\"/>");
    }
    su_buf_text(b, "<path class=\"line\" d=\"");
    for (size_t i = from; i <= to; i++)
        su_buf_printf(b, "%c%.1f %.1f", i == from ? 'M' : 'L', px(p, i), py(p, (double)f->values[i].n.count));
    su_buf_text(b, "\"/>\n");
    for (size_t i = from; i <= to; i++) {
        su_buf_printf(b, "<path class=\"dot\" d=\"M%.1f %.1fh0\"><title>", px(p, i), py(p, (double)f->values[i].n.count));
        su_html(b, f->values[i].label);
        su_buf_text(b, ": ");
        su_html_count(b, f->values[i].n.count);
        su_buf_text(b, "</title></path>\n");
    }
}

static void put_axis(su_buf *b, const su_view_field *f, const plane *p)
{
    size_t span = p->last - p->first, steps = span < 1        ? 1
                                              : span % 4 == 0 ? 4
                                              : span % 3 == 0 ? 3
                                              : span % 5 == 0 ? 5
                                              : span % 2 == 0 ? 2
                                                              : 1;
    su_buf_text(b, "<div class=\"x\" aria-hidden=\"true\">");
    for (size_t s = 0; s <= steps && span; s++) {
        su_buf_text(b, "<span>");
        su_html(b, f->values[p->first + span * s / steps].label);
        su_buf_text(b, "</span>");
    }
    if (!span) {
        su_buf_text(b, "<span>");
        su_html(b, f->values[p->first].label);
        su_buf_text(b, "</span>");
    }
    su_buf_text(b, "</div>\n");
}

static void put_trend(const su_view_field *f, unsigned id, su_buf *b)
{
    plane p = { SIZE_MAX, 0, 1 };
    double top = 1;
    for (size_t i = 0; i < f->value_count; i++) {
        if (!f->values[i].published) continue;
        if (p.first == SIZE_MAX) p.first = i;
        p.last = i;
        top = fmax(top, top_of(&f->values[i].n));
    }
    double step = nice_step(top);
    p.top = step * 4;
    su_buf_text(b, "<div class=\"plot\">\n<div class=\"y\" aria-hidden=\"true\">");
    for (int i = 4; i >= 0; i--) {
        su_buf_text(b, "<span>");
        su_html_count(b, (uint64_t)(step * i));
        su_buf_text(b, "</span>");
    }
    su_buf_printf(
        b,
        "</div>\n<svg role=\"img\" aria-labelledby=\"l%u d%u\" viewBox=\"0 0 1000 260\" preserveAspectRatio=\"none\">\n<title id=\"l%u\">",
        id, id, id);
    su_html(b, f->title);
    su_buf_printf(b, "</title>\n<desc id=\"d%u\">Line of the published count per year with its 95 %% interval, ", id);
    su_html(b, f->values[p.first].label);
    su_buf_text(b, " to ");
    su_html(b, f->values[p.last].label);
    su_buf_text(b, ". The table below has the same numbers.</desc>\n");
    for (int i = 0; i <= 4; i++) su_buf_printf(b, "<path class=\"grid\" d=\"M0 %.1fH1000\"/>", HEIGHT * i / 4);
    su_buf_char(b, '\n');
    for (size_t i = p.first; i <= p.last; i++) {
        if (!f->values[i].published) continue;
        size_t to = i;
        while (to < p.last && f->values[to + 1].published) to++;
        put_run(b, f, &p, i, to);
        i = to;
    }
    su_buf_text(b, "</svg>\n");
    put_axis(b, f, &p);
    su_buf_text(b, "</div>\n");
}

static void trend_of_field(const su_view_field *f, unsigned id, su_buf *b)
{
    size_t n;
    double total;
    bar *bars = published_bars(f, &n, &total);
    open_figure(b, id, "wide", f->title);
    if (n == 0)
        su_buf_text(b, "<p class=\"note\">No count of this column stands out from the noise.</p>\n");
    else {
        su_buf_text(b, "<p class=\"note\">Records per year; the band is the 95 % interval of the noise. Years without a published count "
                       "are left open.</p>\n");
        put_trend(f, id, b);
        put_table(b, bars, n, "Year");
    }
    su_buf_text(b, "</figure>\n");
    free(bars);
}

void su_chart_field(const su_view *v, const su_view_field *f, unsigned id, su_buf *out)
{
    (void)v;
    if (f->kind == SU_VIEW_YEAR)
        trend_of_field(f, id, out);
    else
        bars_of_field(f, id, out);
}

/* ---- corridors ---------------------------------------------------------------------------------------------------------------------- */

void su_chart_pairs(const su_view *v, unsigned id, su_buf *b)
{
    bar bars[SU_VIEW_MAX_PAIRS];
    su_buf labels[SU_VIEW_MAX_PAIRS] = { 0 }, codes[SU_VIEW_MAX_PAIRS] = { 0 }, title = { 0 };
    for (size_t i = 0; i < v->pair_count; i++) {
        const su_view_pair *p = &v->pairs[i];
        su_buf_printf(&labels[i], "%s → %s", p->from->label, p->to->label);
        su_buf_printf(&codes[i], "%s → %s", p->from->code, p->to->code);
        bars[i] = (bar) { labels[i].p, codes[i].p, p->n, NAN, i };
    }
    su_buf_printf(&title, "%s → %s", v->pair_from->title, v->pair_to->title);
    open_figure(b, id, "", title.p);
    su_buf_printf(b, "<p class=\"note\">The %zu largest published pairs.</p>\n", v->pair_count);
    put_bars(b, bars, v->pair_count, id);
    put_table(b, bars, v->pair_count, "Pair");
    su_buf_text(b, "</figure>\n");
    for (size_t i = 0; i < v->pair_count; i++) {
        su_buf_free(&labels[i]);
        su_buf_free(&codes[i]);
    }
    su_buf_free(&title);
}
