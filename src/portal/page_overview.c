/* One release within a minute: who, where, how, since when, how certain, and what was hidden on purpose. */
#include "chart.h"
#include "page_parts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MOST_PLACES 3u
#define MOST_VALUES 3u

static const su_ask everybody = { .group = SU_QUERY_NO_GROUP };

static su_bar *bars_of(su_page *p, const uint32_t *by, int group, size_t *n)
{
    su_tabulation t;
    su_problem problem = { 0 };
    su_ask ask = { .group = group };
    su_chart unused = { 0 };
    *n = 0;
    if (by) ask.by[ask.by_count++] = *by;
    if (!p->shown->cube || !su_cube_tabulate(p->shown->cube, &ask, p->arena, &t, &problem) || !t.cell_count) return NULL;
    return su_figure_bars(p, &everybody, &t, &unused, n);
}

static int largest_first(const void *x, const void *y)
{
    const su_bar *a = x, *b = y;
    double m = a->n.known ? a->n.count : -1, k = b->n.known ? b->n.count : -1;
    return m != k ? (m > k ? -1 : 1) : a->order < b->order ? -1 : a->order > b->order;
}

static void put_value(su_page *p, const su_bar *x, double scale)
{
    put(p, "<li><span>");
    su_page_text(p, x->label);
    put(p, "</span> <b>");
    if (isfinite(x->percent))
        su_chart_percent(p, x->percent);
    else
        su_chart_number(p, &x->n);
    put(p, "</b>");
    su_chart_marks(p, &x->n, scale);
    put(p, "<small>");
    say(p, "{range} people", SU_PHTML("range", su_page_range(p, &x->n)));
    put(p, "</small></li>\n");
}

/* The values that stand on top, as far as the intervals tell them apart; `most` when the list is long. */
static void put_top(su_page *p, const char *title, su_bar *bars, size_t n, size_t most)
{
    const su_bar *lead[4];
    size_t leaders = su_chart_leaders(bars, n, lead), shown = 0;
    double scale = 1;
    qsort(bars, n, sizeof *bars, largest_first);
    put(p, "<h4>");
    su_page_text(p, title);
    put(p, "</h4>\n");
    if (leaders > 1) {
        put(p, "<p class=\"note\">");
        say(p, "Too close to tell which is the largest:");
        put(p, "</p>\n");
        most = leaders > most ? leaders : most;
    }
    for (size_t i = 0; i < n; i++)
        if (bars[i].n.known) scale = fmax(scale, isfinite(bars[i].n.high) ? bars[i].n.high : bars[i].n.count);
    put(p, "<ul class=\"top\">\n");
    for (size_t i = 0; i < n && shown < most; i++)
        if (bars[i].n.known && isfinite(bars[i].n.low)) {
            put_value(p, &bars[i], scale);
            shown++;
        }
    put(p, "</ul>\n");
}

static void open_fact(su_page *p, const char *english)
{
    put(p, "<section class=\"fact\">\n<h3>");
    su_say_with(p->b, p->l, english, NULL);
    put(p, "</h3>\n");
}

static void put_who(su_page *p, const su_roles *roles)
{
    size_t n;
    if (!roles->people_count) return;
    open_fact(p, T("Who"));
    for (size_t i = 0; i < roles->people_count && i < 2; i++) {
        su_bar *bars = bars_of(p, &roles->people[i], SU_QUERY_NO_GROUP, &n);
        if (n) put_top(p, su_figure_title(p, &p->shown->view->fields[roles->people[i]]), bars, n, MOST_VALUES);
    }
    put(p, "</section>\n");
}

static void put_where(su_page *p, const su_roles *roles)
{
    size_t n;
    int both[] = { roles->origin, roles->destination };
    if (roles->origin < 0) return;
    open_fact(p, T("Where"));
    for (int i = 0; i < 2; i++) {
        uint32_t field = (uint32_t)both[i];
        su_bar *bars = both[i] < 0 ? NULL : bars_of(p, &field, SU_QUERY_NO_GROUP, &n);
        if (bars && n) put_top(p, su_figure_title(p, &p->shown->view->fields[field]), bars, n, MOST_PLACES);
    }
    put(p, "</section>\n");
}

static bool has_group(const su_view *v, int g)
{
    for (size_t i = 0; i < v->field_count; i++)
        if (v->fields[i].kind == SU_VIEW_FLAG && v->fields[i].provided && v->fields[i].group == g) return true;
    return false;
}

static void put_how(su_page *p)
{
    const su_view *v = p->shown->view;
    size_t n, shown = 0;
    for (int g = 0; g < (int)v->group_count && shown < 2; g++) {
        su_bar *bars = has_group(v, g) ? bars_of(p, NULL, g, &n) : NULL;
        if (!bars || !n) continue;
        if (!shown++) open_fact(p, T("How"));
        put_top(p, su_figure_group(p, g), bars, n, MOST_VALUES);
    }
    if (shown) put(p, "</section>\n");
}

static void put_since(su_page *p, const su_roles *roles)
{
    size_t n;
    uint32_t year = (uint32_t)roles->year;
    const char *first, *last;
    if (roles->year < 0 || !su_page_period(p->shown->view, &first, &last)) return;
    open_fact(p, T("Since when"));
    put(p, "<p class=\"big\">");
    say(p, "{first} to {last}", SU_PTEXT("first", first), SU_PTEXT("last", last));
    put(p, "</p>\n");
    su_bar *bars = bars_of(p, &year, SU_QUERY_NO_GROUP, &n);
    if (n) put_top(p, su_tr(p->l, "Year with the most people"), bars, n, 1);
    put(p, "</section>\n");
}

static int ascending(const void *x, const void *y)
{
    double a = *(const double *)x, b = *(const double *)y;
    return a < b ? -1 : a > b;
}

/* Half of the published counts of single values are at least so certain; NaN when there are none. */
static double median_error(su_page *p, const su_view *v, size_t *n)
{
    size_t room = 1;
    for (size_t i = 0; i < v->field_count; i++) room += v->fields[i].published;
    double *error = su_arena_array(p->arena, room, sizeof *error);
    *n = 0;
    for (size_t i = 0; i < v->field_count; i++)
        for (size_t k = 0; k < v->fields[i].value_count; k++) {
            const su_view_value *x = &v->fields[i].values[k];
            if (!x->published || !isfinite(x->n.low) || !isfinite(x->n.high) || !x->n.count || *n + 1 >= room) continue;
            error[(*n)++] = 50 * (x->n.high - x->n.low) / (double)x->n.count;
        }
    qsort(error, *n, sizeof *error, ascending);
    return *n ? error[*n / 2] : NAN;
}

static void put_certain(su_page *p)
{
    const su_view *v = p->shown->view;
    size_t n;
    double error = median_error(p, v, &n);
    open_fact(p, T("How certain"));
    if (isfinite(error)) {
        su_buf b = { 0 };
        su_put_percent(&b, p->l, error, error < 9.95 ? 1 : 0);
        put(p, "<p class=\"big\">±\u00a0");
        put(p, b.p);
        put(p, "</p>\n<p>");
        say(p,
            "Half of the {n} published counts of single values are at least as certain as this. Every number shows its own 95% interval.",
            SU_PCOUNT("n", n));
        put(p, "</p>\n");
        su_buf_free(&b);
    } else
        tag(p, "p", "This release has no intervals: how certain its numbers are was not published.");
    tag(p, "p class=\"note\"",
        "The interval covers the noise that protects people. It does not cover mistakes in the case records, nor people whom nobody "
        "recorded.");
    put(p, "</section>\n");
}

static void put_hidden(su_page *p)
{
    const su_view *v = p->shown->view;
    uint64_t hidden = 0, published = 0;
    for (size_t i = 0; i < v->level_count; i++) {
        hidden += v->levels[i].gated + v->levels[i].below_k;
        published += v->levels[i].published;
    }
    open_fact(p, T("Hidden on purpose"));
    put(p, "<p class=\"big\">");
    su_put_count(p->b, p->l, (double)hidden);
    put(p, "</p>\n<p>");
    say(p,
        "combinations are left out because too few people could stand behind them; {published} are published. Left out does not mean none.",
        SU_PCOUNT("published", published));
    put(p, "</p>\n<p>");
    say(p, "Names, contacts and exact numbers are not in it. {a}How people are protected{/a}",
        SU_PHTML("a", su_page_anchor(p, su_page_address(p, p->shown, "protection"))), SU_PHTML("/a", "</a>"));
    put(p, "</p>\n</section>\n");
}

void su_page_facts(su_page *p)
{
    su_roles roles;
    su_figure_roles(p->shown->view, &roles);
    put(p, "<div class=\"facts\">\n");
    put_who(p, &roles);
    put_where(p, &roles);
    put_how(p);
    put_since(p, &roles);
    put_certain(p);
    put_hidden(p);
    put(p, "</div>\n");
}

/* ---- charts ---- */

void su_page_charts(su_page *p, const su_ask *base)
{
    const su_view *v = p->shown->view;
    su_roles roles;
    su_figure_roles(v, &roles);
    if (roles.year >= 0) su_figure_column(p, base, (uint32_t)roles.year);
    put(p, "<div class=\"cards\">\n");
    for (size_t i = 0; i < v->field_count; i++)
        if (v->fields[i].kind == SU_VIEW_CODE || v->fields[i].kind == SU_VIEW_SET) su_figure_column(p, base, (uint32_t)i);
    for (int g = 0; g < (int)v->group_count; g++)
        if (has_group(v, g)) su_figure_of_group(p, base, g);
    su_figure_flags(p, base);
    if (roles.destination >= 0) su_figure_pairs(p, base, (uint32_t)roles.origin, (uint32_t)roles.destination);
    put(p, "</div>\n");
    if (roles.people_count >= 2 && !su_figure_grid(p, base, roles.people[1], roles.people[0]))
        su_figure_grid(p, base, roles.people[0], roles.people[1]);
}

static void put_stories(su_page *p)
{
    const char *names[SU_STORIES_SHOWN];
    size_t n = su_story_names(p, names);
    if (!n) return;
    put(p, "<section aria-labelledby=\"stories\">\n<h2 id=\"stories\">");
    say(p, "Stories");
    put(p, "</h2>\n");
    su_story_cards(p, names, n, "h3");
    put(p, "</section>\n");
}

void su_page_overview(su_page *p)
{
    const su_view *v = p->shown->view;
    su_page_open(
        p, &(su_page_head) {
               .title = v->title, .here = su_page_address(p, p->shown, ""), .about = v->description, .jsonld = su_jsonld_dataset(p) });
    put(p, "<div class=\"hero\">\n");
    su_page_day(p, v);
    put(p, "<h1>");
    su_page_text(p, v->title);
    put(p, "</h1>\n");
    su_page_lead(p, v);
    su_page_history(p, p->shown);
    put(p, "</div>\n<section aria-labelledby=\"minute\">\n<h2 id=\"minute\">");
    say(p, "Within a minute");
    put(p, "</h2>\n");
    su_page_facts(p);
    put(p, "</section>\n");
    put_stories(p);
    put(p, "<section aria-labelledby=\"glance\">\n<h2 id=\"glance\">");
    say(p, "The data at a glance");
    put(p, "</h2>\n<p class=\"lead\">");
    say(p, "Everybody in this release. To ask about some of them, {a}explore it{/a}.",
        SU_PHTML("a", su_page_anchor(p, su_page_address(p, p->shown, "explore"))), SU_PHTML("/a", "</a>"));
    put(p, "</p>\n");
    su_chart_legend(p);
    su_page_charts(p, &everybody);
    put(p, "</section>\n");
    su_page_close(p);
}
