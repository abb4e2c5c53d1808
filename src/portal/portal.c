/* The portal: bundles and pages become a fixed list of addresses; whatever is not on the list is not there. */
#include <suha/portal.h>

#include "http.h"
#include "page.h"
#include "style.h"

#include <stdlib.h>
#include <string.h>

typedef struct asset {
    const char *path, *media_type, *download, *location;
    su_str body;
    const char *etag;
} asset;

struct su_portal {
    su_arena arena;
    su_folder *folders;
    su_view **views;
    size_t count;
    asset *assets;
    size_t asset_count, asset_capacity;
    su_str missing;
    su_http *http;
};

static const char icon[] =
    "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 32 32\"><rect width=\"32\" height=\"32\" rx=\"7\" fill=\"#1b2250\"/>"
    "<path fill=\"#f4c56b\" d=\"M20 4l2 8 8 2-8 2-2 8-2-8-8-2 8-2z\"/><circle fill=\"#aab4ff\" cx=\"8\" cy=\"25\" r=\"2.2\"/></svg>";

static asset *add(su_portal *p, const char *path, const char *media_type, su_str body)
{
    char hex[65];
    su_sha256 hash = su_sha256_of(body.p ? body.p : "", body.n);
    su_hex(hash.bytes, 32, hex);
    p->assets = su_grow(p->assets, &p->asset_capacity, p->asset_count + 1, sizeof *p->assets);
    asset *a = &p->assets[p->asset_count++];
    *a = (asset) { .path = path, .media_type = media_type, .body = body, .etag = su_arena_printf(&p->arena, "\"%.32s\"", hex) };
    return a;
}

static void add_page(su_portal *p, const char *path, su_buf *b)
{
    add(p, path, "text/html; charset=utf-8", (su_str) { su_arena_strndup(&p->arena, b->p, b->n), b->n });
    b->n = 0;
}

static const char *media_type_of(const char *path)
{
    static const char *const list[][2] = {
        { ".csv", "text/csv; charset=utf-8" },   { ".json", "application/json" },        { ".html", "text/html; charset=utf-8" },
        { ".css", "text/css; charset=utf-8" },   { ".md", "text/plain; charset=utf-8" }, { ".txt", "text/plain; charset=utf-8" },
        { ".cff", "text/plain; charset=utf-8" },
    };
    const char *dot = strrchr(path, '.');
    for (size_t i = 0; dot && i < sizeof list / sizeof *list; i++)
        if (strcmp(list[i][0], dot) == 0) return list[i][1];
    return strcmp(path, "SHA256SUMS") == 0 ? "text/plain; charset=utf-8" : "application/octet-stream";
}

/* A CSV leaves the site under a name that says what it is, and says NOT-PRIVATE when it must. */
static const char *download_name(su_portal *p, const su_view *v, const char *name, const char *path)
{
    const char *dot = strrchr(path, '.'), *slash = strrchr(path, '/');
    bool shown = dot && strcmp(dot, ".csv") != 0 && strcmp(media_type_of(path), "application/octet-stream") != 0;
    if (shown || !dot) return NULL;
    return su_arena_printf(&p->arena, "%s%s-%s", v->stamp ? "NOT-PRIVATE-" : "", name, slash ? slash + 1 : path);
}

static void add_release(su_portal *p, const su_shown *s)
{
    for (size_t i = 0; i < s->folder->count; i++) {
        const su_folder_file *f = &s->folder->files[i];
        asset *a =
            add(p, su_arena_printf(&p->arena, "/r/%s/%s", s->name, f->path), media_type_of(f->path), (su_str) { f->bytes.p, f->bytes.n });
        a->download = download_name(p, s->view, s->name, f->path);
    }
    add(p, su_arena_printf(&p->arena, "/r/%s/SHA256SUMS", s->name), "text/plain; charset=utf-8",
        (su_str) { s->folder->sums.p, s->folder->sums.n });
    asset *moved = add(p, su_arena_printf(&p->arena, "/r/%s", s->name), "text/plain; charset=utf-8",
                       SU_STR("See the address with a slash at its end.\n"));
    moved->location = su_arena_printf(&p->arena, "/r/%s/", s->name);
}

static int by_path(const void *x, const void *y) { return strcmp(((const asset *)x)->path, ((const asset *)y)->path); }

static void handle(void *user, const char *path, su_http_answer *out)
{
    const su_portal *p = user;
    asset key = { .path = path };
    const asset *a = bsearch(&key, p->assets, p->asset_count, sizeof key, by_path);
    if (!a) {
        *out = (su_http_answer) { .status = 404, .media_type = "text/html; charset=utf-8", .body = p->missing };
        return;
    }
    *out = (su_http_answer) { .status = a->location ? 308 : 200,
                              .media_type = a->media_type,
                              .body = a->body,
                              .etag = a->etag,
                              .download = a->download,
                              .location = a->location };
}

static bool file_of(void *arg, const char *path, su_str *bytes)
{
    const su_folder_file *f = su_folder_find(arg, path);
    if (!f) return false;
    *bytes = (su_str) { f->bytes.p ? f->bytes.p : "", f->bytes.n };
    return true;
}

static su_status load(su_context *ctx, su_portal *p, const char *const *dirs, size_t count)
{
    p->folders = su_alloc_array(count, sizeof *p->folders);
    p->views = su_alloc_array(count, sizeof *p->views);
    for (size_t i = 0; i < count; i++) {
        su_progress(ctx, "reading releases", (double)i / (double)count);
        su_status st = su_folder_read(ctx, dirs[i], &p->folders[i]);
        if (st) return st;
        p->count++;
        st = su_view_read(ctx, dirs[i], file_of, &p->folders[i], &p->views[i]);
        if (st) return st;
    }
    return SU_OK;
}

/* The release's own name, with -2, -3 ... when two releases have the same. */
static const char *name_of(su_portal *p, const su_shown *shown, size_t at)
{
    const char *name = p->views[at]->name;
    for (unsigned n = 2;; n++) {
        bool taken = false;
        for (size_t i = 0; i < at; i++) taken = taken || strcmp(shown[i].name, name) == 0;
        if (!taken) return name;
        name = su_arena_printf(&p->arena, "%s-%u", p->views[at]->name, n);
    }
}

static void render(su_portal *p)
{
    su_shown *shown = su_arena_array(&p->arena, p->count, sizeof *shown);
    su_buf b = { 0 };
    for (size_t i = 0; i < p->count; i++) {
        shown[i] = (su_shown) { p->views[i], &p->folders[i], NULL };
        shown[i].name = name_of(p, shown, i);
        add_release(p, &shown[i]);
        su_page_release(&shown[i], p->count == 1, &b);
        add_page(p, su_arena_printf(&p->arena, "/r/%s/", shown[i].name), &b);
    }
    if (p->count == 1)
        su_page_release(&shown[0], true, &b);
    else
        su_page_index(shown, p->count, &b);
    add_page(p, "/", &b);
    su_page_missing(&b);
    p->missing = (su_str) { su_arena_strndup(&p->arena, b.p, b.n), b.n };
    su_buf_free(&b);
    add(p, "/style.css", "text/css; charset=utf-8", (su_str) { su_portal_style, su_portal_style_size });
    add(p, "/icon.svg", "image/svg+xml", (su_str) { icon, sizeof icon - 1 });
    add(p, "/healthz", "text/plain; charset=utf-8", SU_STR("ok\n"));
    qsort(p->assets, p->asset_count, sizeof *p->assets, by_path);
}

su_status su_portal_start(su_context *ctx, const char *const *dirs, size_t count, const su_portal_options *opts, su_portal **out)
{
    static const su_portal_options none = { 0 };
    if (!opts) opts = &none;
    *out = NULL;
    if (count == 0) return su_fail(ctx, SU_USAGE, "No release was given. Name at least one folder that `suha release` wrote.");
    su_portal *p = su_alloc(sizeof *p);
    su_arena_init(&p->arena);
    su_status st = load(ctx, p, dirs, count);
    if (!st) {
        render(p);
        st = su_http_start(ctx, opts->address, opts->port, handle, p, &p->http);
    }
    if (st)
        su_portal_stop(p);
    else
        *out = p;
    return st;
}

uint16_t su_portal_port(const su_portal *p) { return su_http_port(p->http); }

void su_portal_stop(su_portal *p)
{
    if (!p) return;
    su_http_stop(p->http);
    for (size_t i = 0; i < p->count; i++) {
        su_view_free(p->views[i]);
        su_folder_free(&p->folders[i]);
    }
    free(p->views);
    free(p->folders);
    free(p->assets);
    su_arena_free(&p->arena);
    free(p);
}
