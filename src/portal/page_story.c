/* Stories of a release: the list, and one. */
#include "page_parts.h"
#include "story.h"

#include <string.h>

/* The story of that name for this release's instrument, in the page's language; English where there is no other. */
static const su_site_story *find_story(su_page *p, const char *name)
{
    const su_site_story *found = NULL;
    for (size_t i = 0; i < p->site->story_count; i++) {
        const su_site_story *s = &p->site->stories[i];
        if (!p->shown->view->schema || strcmp(s->instrument, p->shown->view->schema) != 0 || strcmp(s->name, name) != 0) continue;
        if (s->locale == p->l) return s;
        if (s->locale == SU_LOCALE_EN) found = s;
    }
    return found;
}

size_t su_story_names(su_page *p, const char **names)
{
    size_t n = 0;
    for (size_t i = 0; p->shown->cube && i < p->site->story_count && n < SU_STORIES_SHOWN; i++) {
        const su_site_story *s = &p->site->stories[i];
        if (s->locale == SU_LOCALE_EN && find_story(p, s->name)) names[n++] = s->name;
    }
    /* In the order that the stories give themselves. */
    for (size_t i = 1; i < n; i++)
        for (size_t k = i; k > 0; k--) {
            su_str a = su_story_key(find_story(p, names[k - 1])->text, "order"), b = su_story_key(find_story(p, names[k])->text, "order");
            int64_t x = 99, y = 99;
            if (!su_parse_i64(a, &x)) x = 99;
            if (!su_parse_i64(b, &y)) y = 99;
            if (x <= y) break;
            const char *other = names[k];
            names[k] = names[k - 1];
            names[k - 1] = other;
        }
    return n;
}

static void put_key(su_page *p, const su_site_story *s, const char *key)
{
    if (s->locale != p->l) su_buf_printf(p->b, "<span lang=\"%s\" dir=\"%s\">", su_locale_tag(s->locale), su_locale_dir(s->locale));
    su_buf_html(p->b, su_story_key(s->text, key));
    if (s->locale != p->l) put(p, "</span>");
}

void su_story_cards(su_page *p, const char *const *names, size_t n, const char *heading)
{
    put(p, "<ul class=\"stories\">\n");
    for (size_t i = 0; i < n; i++) {
        const su_site_story *s = find_story(p, names[i]);
        su_buf_printf(p->b, "<li class=\"card\"><%s>", heading);
        su_page_link(p, su_page_address(p, p->shown, su_arena_printf(p->arena, "stories/%s", names[i])));
        put_key(p, s, "title");
        su_buf_printf(p->b, "</a></%s>\n<p>", heading);
        put_key(p, s, "summary");
        put(p, "</p></li>\n");
    }
    put(p, "</ul>\n");
}

static void put_list(su_page *p)
{
    const char *names[SU_STORIES_SHOWN];
    size_t n = su_story_names(p, names);
    su_page_open(p, &(su_page_head) { .title = su_tr(p->l, "Stories"), .here = su_page_address(p, p->shown, "stories/") });
    put(p, "<div class=\"hero\">\n<h1>");
    say(p, "Stories");
    put(p, "</h1>\n<p class=\"lead\">");
    say(p, "Texts that fill themselves from this release. A sentence stands here only if the intervals allow it.");
    put(p, "</p>\n</div>\n");
    if (n)
        su_story_cards(p, names, n, "h2");
    else
        tag(p, "p class=\"empty\"", "There are no stories for this kind of release yet.");
    su_page_close(p);
}

bool su_page_story(su_page *p, const char *name)
{
    const su_site_story *s = name[0] ? find_story(p, name) : NULL;
    if (!name[0]) {
        put_list(p);
        return true;
    }
    if (!s || !p->shown->cube) return false;
    su_str title = su_story_key(s->text, "title");
    bool other = s->locale != p->l;
    su_page_open(p, &(su_page_head) { .title = su_arena_strndup(p->arena, title.p, title.n),
                                      .here = su_page_address(p, p->shown, "stories/") });
    put(p, "<article class=\"story\">\n<header class=\"hero\">\n<p class=\"eyebrow\">");
    su_page_link(p, su_page_address(p, p->shown, "stories/"));
    say(p, "Stories");
    put(p, "</a></p>\n<h1>");
    put_key(p, s, "title");
    put(p, "</h1>\n<p class=\"lead\">");
    put_key(p, s, "summary");
    put(p, "</p>\n</header>\n");
    if (other) {
        tag(p, "p class=\"note\"", "This story is not translated yet.");
        su_buf_printf(p->b, "<div class=\"prose\" lang=\"%s\" dir=\"%s\">\n", su_locale_tag(s->locale), su_locale_dir(s->locale));
    } else
        put(p, "<div class=\"prose\">\n");
    su_story_html(p, s->text);
    put(p, "</div>\n<footer class=\"story-end\">\n");
    su_chart_legend(p);
    tag(p, "p class=\"note\"",
        "Numbers in brackets are 95% intervals. Recorded cases are not a sample of all who were trafficked: they show who was found and "
        "helped.");
    put(p, "</footer>\n</article>\n");
    su_page_close(p);
    return true;
}
