/* Home: what is published, newest first, and the newest within a minute. */
#include "page_parts.h"

#include <math.h>
#include <string.h>

/* ---- parts ---- */

bool su_page_period(const su_view *v, const char **first, const char **last)
{
    *first = *last = NULL;
    for (size_t i = 0; i < v->field_count && !*first; i++) {
        const su_view_field *f = &v->fields[i];
        for (size_t k = 0; f->kind == SU_VIEW_YEAR && k < f->value_count; k++) {
            if (!f->values[k].published) continue;
            if (!*first) *first = f->values[k].code;
            *last = f->values[k].code;
        }
    }
    return *first != NULL;
}

const char *su_page_range(su_page *p, const su_figure *n)
{
    su_buf b = { 0 }, *old = p->b;
    p->b = &b;
    if (isfinite(n->low) && isfinite(n->high))
        su_page_interval(p, n->low, n->high);
    else {
        put(p, "≈\u00a0");
        su_put_count(p->b, p->l, n->count);
    }
    p->b = old;
    const char *out = su_arena_strndup(p->arena, b.p, b.n);
    su_buf_free(&b);
    return out;
}

double su_page_suspicion(double before, double odds)
{
    double after = odds * before / (1 - before);
    return after / (1 + after);
}

static void put_people(su_page *p, const su_view *v)
{
    const char *first, *last;
    put(p, "<p class=\"people\"><strong>");
    say(p, "{n} people", SU_PCOUNT("n", v->estimated));
    put(p, "</strong>");
    if (isfinite(v->estimated_low) && isfinite(v->estimated_high)) {
        put(p, " <span>(");
        say(p, "95% interval {low} to {high}", SU_PCOUNT("low", fmax(0, floor(v->estimated_low))),
            SU_PCOUNT("high", ceil(v->estimated_high)));
        put(p, ")</span>");
    } else if (!v->bounded) {
        put(p, " <span>(");
        say(p, "rounded");
        put(p, ")</span>");
    }
    if (su_page_period(v, &first, &last)) {
        put(p, "<span class=\"period\"> · ");
        say(p, "{first} to {last}", SU_PTEXT("first", first), SU_PTEXT("last", last));
        put(p, "</span>");
    }
    put(p, "</p>\n");
}

void su_page_lead(su_page *p, const su_view *v)
{
    put_people(p, v);
    if (!v->description[0]) return;
    put(p, "<p class=\"lead\" lang=\"en\" dir=\"ltr\">");
    su_page_text(p, v->description);
    put(p, "</p>\n");
}

void su_page_guarantee(su_page *p, const su_view *v)
{
    if (v->stamp) {
        tag(p, "p", "This release keeps no promise to the people in it: {stamp}. It is for trying things out.",
            SU_PTEXT("stamp", v->stamp));
        return;
    }
    if (!v->bounded || !isfinite(v->odds)) {
        tag(p, "p", "This release has no mathematical bound on what can be learnt about one person.");
        return;
    }
    su_buf b = { 0 };
    su_put_percent(&b, p->l, 100 * su_page_suspicion(0.01, v->odds), 0);
    tag(p, "p",
        "Noise hides each person. Suppose somebody suspects, with 1% certainty, that a person's record was used here: after seeing all of "
        "this release the suspicion can rise to at most {after}, whatever else they know.",
        SU_PHTML("after", b.p));
    su_buf_free(&b);
}

/* ---- versions ---- */

static bool names(const char *supersedes, const su_shown *s)
{
    size_t n = supersedes ? strcspn(supersedes, "@") : 0;
    if (!n || strncmp(supersedes, s->view->name, n) != 0 || s->view->name[n]) return false;
    return !supersedes[n] || strcmp(supersedes + n + 1, s->view->version) == 0;
}

static bool same_line(const su_view *a, const su_view *b)
{
    const char *x = a->publisher ? a->publisher : "", *y = b->publisher ? b->publisher : "";
    return strcmp(a->title, b->title) == 0 && strcmp(x, y) == 0;
}

/* The release before: the one it names; without a name the newest older one of the same title and publisher. */
static const su_shown *before(su_page *p, const su_shown *s)
{
    const su_shown **list = su_page_newest(p);
    for (size_t i = 0; s->view->supersedes && i < p->site->count; i++)
        if (list[i] != s && names(s->view->supersedes, list[i])) return list[i];
    for (size_t i = 0; !s->view->supersedes && i < p->site->count; i++)
        if (list[i] != s && same_line(list[i]->view, s->view) && strcmp(list[i]->view->created, s->view->created) < 0) return list[i];
    return NULL;
}

static const char *anchor_of(su_page *p, const su_shown *s) { return su_page_anchor(p, su_page_address(p, s, "")); }

void su_page_history(su_page *p, const su_shown *s)
{
    const su_shown *old = before(p, s), *newer = NULL;
    for (size_t i = 0; i < p->site->count && !newer; i++)
        if (before(p, &p->site->shown[i]) == s) newer = &p->site->shown[i];
    if (newer)
        tag(p, "p class=\"history newer\"", "A newer version has replaced this one: {a}version {version}{/a}.",
            SU_PHTML("a", anchor_of(p, newer)), SU_PTEXT("version", newer->view->version), SU_PHTML("/a", "</a>"));
    if (old)
        tag(p, "p class=\"history\"", "Supersedes {a}version {version}{/a}.", SU_PHTML("a", anchor_of(p, old)),
            SU_PTEXT("version", old->view->version), SU_PHTML("/a", "</a>"));
    else if (s->view->supersedes)
        tag(p, "p class=\"history\"", "Supersedes {name}, which is not shown here.", SU_PTEXT("name", s->view->supersedes));
}

/* ---- page ---- */

static void put_card(su_page *p, const su_shown *s)
{
    const su_view *v = s->view;
    put(p, "<li class=\"card\">\n");
    if (v->stamp) {
        put(p, "<p class=\"badge\">");
        su_page_text(p, v->stamp);
        put(p, "</p>\n");
    }
    su_page_day(p, v);
    put(p, "<h3>");
    su_page_link(p, su_page_address(p, s, ""));
    su_page_text(p, v->title);
    put(p, "</a></h3>\n");
    put_people(p, v);
    su_page_guarantee(p, v);
    su_page_history(p, s);
    put(p, "</li>\n");
}

static void put_newest(su_page *p, const su_shown *s)
{
    const char *names[SU_STORIES_SHOWN];
    p->shown = s;
    put(p, "<section class=\"newest\" aria-labelledby=\"newest\">\n");
    su_page_day(p, s->view);
    put(p, "<h2 id=\"newest\">");
    su_page_link(p, su_page_address(p, s, ""));
    su_page_text(p, s->view->title);
    put(p, "</a></h2>\n");
    if (s->view->stamp) {
        put(p, "<p class=\"badge\">");
        su_page_text(p, s->view->stamp);
        put(p, "</p>\n");
    }
    put_people(p, s->view);
    su_page_guarantee(p, s->view);
    su_page_history(p, s);
    su_page_facts(p);
    put(p, "<ul class=\"doors\">\n<li>");
    su_page_link(p, su_page_address(p, s, "explore"));
    say(p, "Explore it");
    put(p, "</a></li>\n");
    if (su_story_names(p, names)) {
        put(p, "<li>");
        su_page_link(p, su_page_address(p, s, "stories/"));
        say(p, "Read the stories");
        put(p, "</a></li>\n");
    }
    put(p, "<li>");
    su_page_link(p, su_page_address(p, s, "data"));
    say(p, "Take the data");
    put(p, "</a></li>\n</ul>\n</section>\n");
    p->shown = NULL;
}

void su_page_catalogue(su_page *p)
{
    const su_shown **list = su_page_newest(p);
    su_page_open(
        p, &(su_page_head) {
               .title = su_tr(p->l, "Open data on human trafficking"),
               .here = "/",
               .about = su_tr(p->l, "Counts and synthetic records about people who were trafficked, with the uncertainty of every number."),
               .jsonld = su_jsonld_catalogue(p) });
    put(p, "<div class=\"hero home\">\n<h1>");
    say(p, "Human trafficking: what the records tell");
    put(p, "</h1>\n<p class=\"lead\">");
    say(p, "Organisations that assist trafficked people keep records. From these records come the counts on this site, protected so that no "
           "single person stands out. Each number says how certain it is, and what was hidden on purpose.");
    put(p, "</p>\n</div>\n");
    if (p->site->count) put_newest(p, list[0]);
    if (p->site->count > 1) {
        put(p, "<section aria-labelledby=\"all\">\n<h2 id=\"all\">");
        say(p, "All releases, newest first");
        put(p, "</h2>\n<ol class=\"releases\">\n");
        for (size_t i = 0; i < p->site->count; i++) put_card(p, list[i]);
        put(p, "</ol>\n</section>\n");
    }
    su_page_close(p);
}
