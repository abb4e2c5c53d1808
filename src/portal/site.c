#include "site.h"
#include "page.h"
#include "query.h"

#include <string.h>

typedef struct place {
    const char *path;
    void (*show)(su_page *p);
    bool counts; /* nothing to show without counts */
} place;

static const place texts[] = {
    { "/", su_page_catalogue, false },  { "/glossary", su_page_glossary, false },
    { "/about", su_page_about, false }, { "/accessibility", su_page_accessibility, false },
    { "/api", su_page_api, false },
};
static const place parts[] = {
    { "", su_page_overview, false }, { "explore", su_page_explore, true },        { "combinations", su_page_combinations, true },
    { "data", su_page_data, false }, { "protection", su_page_protection, false },
};

static const su_shown *find_release(const su_site *site, const char *name, size_t n)
{
    for (size_t i = 0; i < site->count; i++)
        if (strlen(site->shown[i].name) == n && memcmp(site->shown[i].name, name, n) == 0) return &site->shown[i];
    return NULL;
}

/* The lang of the raw query: its last one; ours are two letters, which nobody escapes. */
static bool language_of(const char *query, su_locale *out)
{
    bool found = false;
    for (const char *q = query; q && *q;) {
        size_t n = strcspn(q, "&");
        su_locale one;
        if (n > 5 && strncmp(q, "lang=", 5) == 0 && su_locale_find((su_str) { q + 5, n - 5 }, &one)) {
            *out = one;
            found = true;
        }
        q += n + (q[n] == '&');
    }
    return found;
}

static bool show_release(su_page *p, const char *rest)
{
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (strcmp(parts[i].path, rest) == 0 && (p->shown->cube || !parts[i].counts)) {
            parts[i].show(p);
            return true;
        }
    return strncmp(rest, "stories/", 8) == 0 && su_page_story(p, rest + 8);
}

static bool show(su_page *p)
{
    if (strncmp(p->path, "/r/", 3) == 0) {
        const char *slash = strchr(p->path + 3, '/');
        const su_shown *s = slash ? find_release(p->site, p->path + 3, (size_t)(slash - p->path - 3)) : NULL;
        p->shown = s;
        return s && show_release(p, slash + 1);
    }
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (strcmp(texts[i].path, p->path) == 0) {
            texts[i].show(p);
            return true;
        }
    return false;
}

static void start(const su_site *site, const su_site_request *rq, su_arena *arena, su_buf *out, su_page *p)
{
    su_arena_init(arena);
    out->n = 0;
    *p = (su_page) { .b = out, .arena = arena, .site = site, .path = rq->path, .query = rq->query, .status = 200 };
    p->keep = language_of(rq->query, &p->l);
    if (!p->keep) p->l = su_locale_accept(rq->accept_language);
}

unsigned su_site_answer(const su_site *site, const su_site_request *request, su_buf *out)
{
    su_arena arena;
    su_page p;
    start(site, request, &arena, out, &p);
    if (!show(&p)) {
        p.shown = NULL;
        p.status = 404;
        su_page_wrong(&p, 404, T("This page is not here"), T("The address may have changed, or a release has been taken down."));
    }
    su_arena_free(&arena);
    return p.status;
}
