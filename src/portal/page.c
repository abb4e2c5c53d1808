#include "page.h"
#include "assets.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The faint star beside the bright one: the old test of good eyes that gave Suha its name. */
static const char *const star = "<svg class=\"star\" viewBox=\"0 0 32 32\" aria-hidden=\"true\" focusable=\"false\"><path class=\"bright\" "
                                "d=\"M20 4l2 8 8 2-8 2-2 8-2-8-8-2 8-2z\"/>"
                                "<circle class=\"faint\" cx=\"8\" cy=\"25\" r=\"2.2\"/></svg>";

/* ---- words ---- */

void su_page_text(su_page *p, const char *text) { su_buf_html(p->b, su_str_of(text)); }

void su_page_tag(su_page *p, const char *element, const char *english, const su_put *puts)
{
    su_buf_printf(p->b, "<%s>", element);
    su_say_with(p->b, p->l, english, puts);
    su_buf_printf(p->b, "</%.*s>\n", (int)strcspn(element, " "), element);
}

void su_page_href(su_page *p, const char *address)
{
    size_t plain = strcspn(address, "#");
    su_buf_html(p->b, (su_str) { address, plain });
    if (p->keep) su_buf_printf(p->b, "%slang=%s", memchr(address, '?', plain) ? "&amp;" : "?", su_locale_tag(p->l));
    su_buf_html(p->b, su_str_of(address + plain));
}

void su_page_link(su_page *p, const char *address)
{
    put(p, "<a href=\"");
    su_page_href(p, address);
    put(p, "\">");
}

const char *su_page_anchor(su_page *p, const char *address)
{
    su_buf b = { 0 }, *old = p->b;
    p->b = &b;
    su_page_link(p, address);
    p->b = old;
    const char *text = su_arena_strndup(p->arena, b.p, b.n);
    su_buf_free(&b);
    return text;
}

const char *su_page_address(su_page *p, const su_shown *s, const char *rest)
{
    return su_arena_printf(p->arena, "/r/%s/%s", s->name, rest);
}

const char *su_page_without(const char *title, const char *heading)
{
    size_t n = strlen(heading);
    if (!n || strncmp(title, heading, n) != 0) return title;
    const char *rest = title + n;
    while (*rest == ' ' || strncmp(rest, "\u00a0", 2) == 0 || strncmp(rest, "\u202f", 3) == 0)
        rest += *rest == ' ' ? 1 : *rest == '\xc2' ? 2 : 3;
    return rest[0] == ':' && rest[1] == ' ' && rest[2] ? rest + 2 : title;
}

void su_page_interval(su_page *p, double low, double high)
{
    if (!isfinite(low) || !isfinite(high)) {
        say(p, "no interval");
        return;
    }
    say(p, "{low} to {high}", SU_PCOUNT("low", fmax(0, floor(low))), SU_PCOUNT("high", fmax(0, ceil(high))));
}

static int newest_first(const void *x, const void *y)
{
    const su_shown *a = *(const su_shown *const *)x, *b = *(const su_shown *const *)y;
    int order = strcmp(b->view->created, a->view->created);
    return order ? order : strcmp(a->name, b->name);
}

const su_shown **su_page_newest(su_page *p)
{
    const su_shown **list = su_arena_array(p->arena, p->site->count + 1, sizeof *list);
    for (size_t i = 0; i < p->site->count; i++) list[i] = &p->site->shown[i];
    qsort(list, p->site->count, sizeof *list, newest_first);
    return list;
}

/* ---- shell ---- */

/* The same page in another language: the path and the query without its lang. */
static void put_same_page(su_page *p, su_locale l)
{
    bool any = false;
    su_buf_html(p->b, su_str_of(p->path));
    for (const char *q = p->query; q && *q;) {
        size_t n = strcspn(q, "&");
        if (n && strncmp(q, "lang=", 5) != 0) {
            put(p, any ? "&amp;" : "?");
            su_buf_html(p->b, (su_str) { q, n });
            any = true;
        }
        q += n + (q[n] == '&');
    }
    su_buf_printf(p->b, "%slang=%s", any ? "&amp;" : "?", su_locale_tag(l));
}

static void put_languages(su_page *p)
{
    put(p, "<nav class=\"languages\" aria-label=\"");
    say(p, "Language");
    put(p, "\"><ul>\n");
    for (int l = 0; l < SU_LOCALES; l++) {
        const char *name = su_locale_tag((su_locale)l);
        su_buf_printf(p->b, "<li><a href=\"");
        put_same_page(p, (su_locale)l);
        su_buf_printf(p->b, "\" hreflang=\"%s\" lang=\"%s\" dir=\"%s\"%s>%s</a></li>\n", name, name, su_locale_dir((su_locale)l),
                      l == (int)p->l ? " aria-current=\"true\"" : "", su_locale_name((su_locale)l));
    }
    put(p, "</ul></nav>\n");
}

static void put_entry(su_page *p, const char *address, const char *english, const char *here)
{
    put(p, "<li><a href=\"");
    su_page_href(p, address);
    put(p, here && strcmp(here, address) == 0 ? "\" aria-current=\"page\">" : "\">");
    su_say_with(p->b, p->l, english, NULL);
    put(p, "</a></li>\n");
}

static void put_release_menu(su_page *p, const char *here)
{
    static const char *const entries[][2] = {
        { "", T("Overview") },        { "explore", T("Explore") }, { "combinations", T("Combinations") },
        { "stories/", T("Stories") }, { "data", T("Data") },       { "protection", T("Protection") }
    };
    put(p, "<nav class=\"release\" aria-label=\"");
    say(p, "This release");
    put(p, "\"><div class=\"inner\">\n<p>");
    su_page_text(p, p->shown->view->title);
    put(p, "</p>\n<ul>\n");
    for (size_t i = 0; i < sizeof entries / sizeof *entries; i++)
        put_entry(p, su_page_address(p, p->shown, entries[i][0]), entries[i][1], here);
    put(p, "</ul></div></nav>\n");
}

static void put_asset(su_page *p, const char *before, const char *name, const char *after)
{
    const char *path = su_asset_path(name);
    if (!path) return;
    put(p, before);
    su_page_text(p, path);
    put(p, after);
}

static void put_head(su_page *p, const su_page_head *head)
{
    su_buf_printf(p->b,
                  "<!DOCTYPE html>\n<html lang=\"%s\" dir=\"%s\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" "
                  "content=\"width=device-width, initial-scale=1\">\n<meta name=\"color-scheme\" content=\"light dark\">\n<title>",
                  su_locale_tag(p->l), su_locale_dir(p->l));
    if (p->shown && p->shown->view->stamp) {
        su_page_text(p, p->shown->view->stamp);
        put(p, ": ");
    }
    su_page_text(p, head->title);
    put(p, " · Suha</title>\n");
    if (head->about) {
        put(p, "<meta name=\"description\" content=\"");
        su_page_text(p, head->about);
        put(p, "\">\n");
    }
    put(p, "<link rel=\"icon\" href=\"/icon.svg\" type=\"image/svg+xml\">\n<link rel=\"manifest\" href=\"/manifest.webmanifest\">\n");
    put_asset(p, "<link rel=\"stylesheet\" href=\"", "portal.css", "\">\n");
    put_asset(p, "<script type=\"module\" src=\"", "app.js", "\"></script>\n");
    for (int l = 0; l < SU_LOCALES; l++) {
        su_buf_printf(p->b, "<link rel=\"alternate\" hreflang=\"%s\" href=\"", su_locale_tag((su_locale)l));
        put_same_page(p, (su_locale)l);
        put(p, "\">\n");
    }
    if (head->jsonld) {
        put(p, "<script type=\"application/ld+json\">");
        put(p, head->jsonld);
        put(p, "</script>\n");
    }
    put(p, "</head>\n");
}

static void page_stamp(su_page *p, const su_view *v)
{
    if (!v->stamp) return;
    put(p, "<div class=\"stamp\" role=\"note\" aria-label=\"");
    say(p, "Warning");
    put(p, "\"><div class=\"inner\"><strong>");
    su_page_text(p, v->stamp);
    put(p, "</strong>\n<div lang=\"en\" dir=\"ltr\">");
    for (size_t i = 0; i < v->warning.count; i++) {
        put(p, "<p>");
        su_page_text(p, v->warning.text[i]);
        put(p, "</p>\n");
    }
    put(p, "</div></div></div>\n");
}

void su_page_open(su_page *p, const su_page_head *head)
{
    put_head(p, head);
    put(p, "<body class=\"portal\">\n<a class=\"skip\" href=\"#main\">");
    say(p, "Skip to the content");
    put(p, "</a>\n<header class=\"site\"><div class=\"inner\">\n<a class=\"brand\" href=\"");
    su_page_href(p, "/");
    put(p, "\">");
    put(p, star);
    put(p, "<span><strong>Suha</strong> <span class=\"motto\">");
    say(p, "Open data on human trafficking");
    put(p, "</span></span></a>\n<nav class=\"menu\" aria-label=\"");
    say(p, "Site");
    put(p, "\"><ul>\n");
    put_entry(p, "/", T("Releases"), head->here);
    put_entry(p, "/glossary", T("Glossary"), head->here);
    put_entry(p, "/about", T("About"), head->here);
    put_entry(p, "/api", T("API"), head->here);
    put(p, "</ul></nav>\n");
    put_languages(p);
    put(p, "<span data-theme-toggle=\"\"></span>\n</div></header>\n");
    if (p->shown) {
        page_stamp(p, p->shown->view);
        put_release_menu(p, head->here);
    }
    put(p, "<main id=\"main\" tabindex=\"-1\">\n");
}

void su_page_close(su_page *p)
{
    put(p, "</main>\n<footer class=\"site\"><div class=\"inner\">\n<p>");
    say(p, "Behind every number are people. Recorded cases show who was found and helped, not everyone who was trafficked.");
    put(p, "</p>\n<ul>\n");
    put_entry(p, "/about", T("About"), NULL);
    put_entry(p, "/glossary", T("Glossary"), NULL);
    put_entry(p, "/accessibility", T("Accessibility"), NULL);
    put_entry(p, "/api", T("API"), NULL);
    put(p, "</ul>\n<p class=\"small\">");
    say(p, "This site sets no cookies and loads nothing from elsewhere.");
    put(p, " Suha " SU_VERSION ".</p>\n</div></footer>\n</body>\n</html>\n");
}

/* ---- parts that several pages have ---- */

void su_page_day(su_page *p, const su_view *v)
{
    put(p, "<p class=\"eyebrow\">");
    say(p, "Version {version}", SU_PTEXT("version", v->version));
    if (v->created[0]) {
        put(p, " · <time datetime=\"");
        su_page_text(p, v->created);
        put(p, "\">");
        su_put_day(p->b, p->l, v->created);
        put(p, "</time>");
    }
    if (v->publisher) {
        put(p, " · ");
        su_page_text(p, v->publisher);
    }
    put(p, "</p>\n");
}

void su_page_wrong(su_page *p, unsigned status, const char *title, const char *sentence)
{
    su_page_open(p, &(su_page_head) { .title = su_tr(p->l, title) });
    put(p, "<div class=\"hero\">\n");
    su_buf_printf(p->b, "<p class=\"eyebrow\">%u</p>\n<h1>", status);
    su_say_with(p->b, p->l, title, NULL);
    put(p, "</h1>\n<p class=\"lead\">");
    su_say_with(p->b, p->l, sentence, NULL);
    put(p, "</p>\n<p>");
    say(p, "{a}See what is published.{/a}", SU_PHTML("a", su_page_anchor(p, "/")), SU_PHTML("/a", "</a>"));
    put(p, "</p>\n</div>\n");
    su_page_close(p);
}
