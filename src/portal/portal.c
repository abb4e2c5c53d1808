/* The portal: bundles become releases, and every address one of: a file of a release, an asset of the browser part, the API, a page. What
 * is none of these is not there. */
#include <suha/portal.h>

#include "api.h"
#include "assets.h"
#include "http.h"
#include "texts.h"

#include <stdlib.h>
#include <string.h>

#define CACHE_BYTES (64u << 20)

/* A file of a bundle, at the address it has. */
typedef struct place {
    const char *path, *download;
    su_blob *blob;
    size_t shown;               /* index into the portal's releases, newest first */
    const su_folder_file *file; /* NULL: SHA256SUMS */
} place;

typedef struct release {
    su_folder folder;
    su_view *view;
    su_cube *cube;
} release;

struct su_portal {
    su_arena arena;
    release *releases;
    size_t count;
    su_shown *shown;    /* newest first */
    const char **roots; /* of each: /r/<id>/ */
    su_site site;
    place *places;
    size_t place_count;
    su_cache *cache;
    su_http *http;
};

/* ---- loading ------------------------------------------------------------------------------------------------------------------------ */

static bool file_of(void *arg, const char *path, su_str *bytes)
{
    const su_folder_file *f = su_folder_find(arg, path);
    if (!f) return false;
    *bytes = (su_str) { f->bytes.p ? f->bytes.p : "", f->bytes.n };
    return true;
}

static void free_release(release *r)
{
    su_cube_free(r->cube);
    su_view_free(r->view);
    su_folder_free(&r->folder);
    *r = (release) { 0 };
}

static su_status load_one(su_context *ctx, const char *dir, release *r)
{
    su_status st = su_folder_read(ctx, dir, &r->folder);
    if (st) return st;
    st = su_view_read(ctx, dir, file_of, &r->folder, &r->view);
    if (!st) {
        st = su_cube_new(ctx, r->view, file_of, &r->folder, &r->cube);
        if (st) su_fail_prefix(ctx, "%s/", dir);
    }
    if (st) free_release(r);
    return st;
}

/* A bundle that cannot be served is left out aloud; without any other there is nothing to serve. */
static su_status load(su_context *ctx, su_portal *p, const char *const *dirs, size_t count)
{
    char first[sizeof ctx->message] = "";
    su_status why = SU_OK;
    p->releases = su_alloc_array(count, sizeof *p->releases);
    for (size_t i = 0; i < count; i++) {
        su_progress(ctx, "reading releases", (double)i / (double)count);
        su_status st = load_one(ctx, dirs[i], &p->releases[p->count]);
        if (!st) {
            p->count++;
            continue;
        }
        if (su_cancelled(ctx)) return st;
        if (!why) {
            why = st;
            snprintf(first, sizeof first, "%s", ctx->message);
        }
        if (count > 1) su_log(ctx, "not served: %s", ctx->message);
    }
    su_progress(ctx, "reading releases", 1);
    if (p->count == 0) return su_fail(ctx, why, "%s", first);
    ctx->status = SU_OK;
    ctx->message[0] = '\0';
    return SU_OK;
}

/* ---- addresses ---------------------------------------------------------------------------------------------------------------------- */

/* The release's own name, with -2, -3 ... when two releases have the same. */
static const char *name_of(su_portal *p, size_t at)
{
    const char *name = p->releases[at].view->name;
    for (unsigned n = 2;; n++) {
        bool taken = false;
        for (size_t i = 0; i < at; i++) taken = taken || strcmp(p->shown[i].name, name) == 0;
        if (!taken) return name;
        name = su_arena_printf(&p->arena, "%s-%u", p->releases[at].view->name, n);
    }
}

static int newest_first(const void *x, const void *y)
{
    const su_shown *a = x, *b = y;
    int order = strcmp(b->view->created, a->view->created);
    return order ? order : strcmp(a->name, b->name);
}

/* A CSV leaves the site under a name that says what it is, and says NOT-PRIVATE when it must. */
static const char *download_name(su_portal *p, const su_shown *s, const char *path)
{
    const char *dot = strrchr(path, '.'), *slash = strrchr(path, '/');
    bool shown = dot && strcmp(dot, ".csv") != 0 && strcmp(su_folder_media_type(path), "application/octet-stream") != 0;
    if (shown || !dot) return NULL;
    return su_arena_printf(&p->arena, "%s%s-%s", s->view->stamp ? "NOT-PRIVATE-" : "", s->name, slash ? slash + 1 : path);
}

static void add_place(su_portal *p, size_t at, const su_folder_file *f)
{
    static const char sums[] = "SHA256SUMS";
    const su_shown *s = &p->shown[at];
    const su_buf *bytes = f ? &f->bytes : &s->folder->sums;
    const char *path = f ? f->path : sums;
    p->places[p->place_count++] =
        (place) { .path = su_arena_printf(&p->arena, "/r/%s/%s", s->name, path),
                  .download = download_name(p, s, path),
                  .blob = su_blob_borrow((su_str) { bytes->p, bytes->n }, (su_str) { 0 }, su_folder_media_type(path), NULL),
                  .shown = at,
                  .file = f };
}

static int by_path(const void *x, const void *y) { return strcmp(((const place *)x)->path, ((const place *)y)->path); }

static void arrange(su_portal *p)
{
    size_t files = 0;
    p->shown = su_arena_array(&p->arena, p->count, sizeof *p->shown);
    for (size_t i = 0; i < p->count; i++) {
        const release *r = &p->releases[i];
        p->shown[i] = (su_shown) { .view = r->view, .folder = &r->folder, .cube = r->cube };
        p->shown[i].name = name_of(p, i);
        files += r->folder.count + 1;
    }
    qsort(p->shown, p->count, sizeof *p->shown, newest_first);
    p->roots = su_arena_array(&p->arena, p->count, sizeof *p->roots);
    for (size_t i = 0; i < p->count; i++) p->roots[i] = su_arena_printf(&p->arena, "/r/%s/", p->shown[i].name);
    p->places = su_arena_array(&p->arena, files, sizeof *p->places);
    for (size_t i = 0; i < p->count; i++) {
        for (size_t k = 0; k < p->shown[i].folder->count; k++) add_place(p, i, &p->shown[i].folder->files[k]);
        add_place(p, i, NULL);
    }
    qsort(p->places, p->place_count, sizeof *p->places, by_path);
    p->site = (su_site) { .shown = p->shown,
                          .count = p->count,
                          .stories = su_text_stories,
                          .story_count = su_text_story_count,
                          .openapi = { su_text_openapi, su_text_openapi_size } };
}

/* ---- answering ---------------------------------------------------------------------------------------------------------------------- */

static void plain(su_http_answer *out, unsigned status, const char *text)
{
    *out =
        (su_http_answer) { .status = status, .blob = su_blob_borrow(su_str_of(text), (su_str) { 0 }, "text/plain; charset=utf-8", NULL) };
}

static void give_place(const place *at, su_http_answer *out)
{
    *out = (su_http_answer) { .status = 200, .blob = su_blob_retain(at->blob), .download = at->download, .open = true, .ranges = true };
}

static const place *find_file(const su_portal *p, size_t shown, const su_folder_file *file)
{
    for (size_t i = 0; i < p->place_count; i++)
        if (p->places[i].shown == shown && p->places[i].file == file) return &p->places[i];
    return NULL;
}

static void render_api(const su_portal *p, const su_http_request *q, su_locale locale, su_arena *arena, su_http_answer *out)
{
    su_api_call call = { &p->site, arena, q->path, q->query, locale, su_api_accept(q->accept) };
    su_api_reply reply;
    su_api_answer(&call, &reply);
    const place *file = reply.file ? find_file(p, reply.file_release, reply.file) : NULL;
    if (file) {
        su_buf_free(&reply.body);
        give_place(file, out);
        return;
    }
    *out = (su_http_answer) { .status = reply.status, .blob = su_blob_take(&reply.body, reply.media_type), .foreign = reply.foreign };
    if (reply.download) su_blob_set_download(out->blob, reply.download);
}

static void render_page(const su_portal *p, const su_http_request *q, su_http_answer *out)
{
    su_buf b = { 0 };
    su_site_request page = { q->path, q->query, q->accept_language };
    unsigned status = su_site_answer(&p->site, &page, &b);
    *out = (su_http_answer) { .status = status, .blob = su_blob_take(&b, "text/html; charset=utf-8"), .foreign = status == 404 };
}

/* Only what was asked for in full and answered is kept, so that nonsense cannot push answers out. */
static void give_rendered(const su_portal *p, const su_http_request *q, bool api, su_http_answer *out)
{
    su_arena arena;
    su_buf key = { 0 };
    su_locale locale = su_locale_accept(q->accept_language);
    su_buf_printf(&key, "%d%d", (int)locale, api ? (int)su_api_accept(q->accept) : 9);
    su_buf_text(&key, q->path);
    su_buf_char(&key, '?');
    su_buf_text(&key, q->query);
    su_str name = { key.p, key.n };
    *out = (su_http_answer) { .status = 200, .blob = su_cache_get(p->cache, name) };
    if (!out->blob) {
        su_arena_init(&arena);
        if (api)
            render_api(p, q, locale, &arena, out);
        else
            render_page(p, q, out);
        if (out->status == 200 && !out->ranges) su_cache_put(p->cache, name, out->blob);
        su_arena_free(&arena);
    }
    if (!out->download) out->download = su_blob_download(out->blob);
    out->vary = api ? "Accept, Accept-Language" : "Accept-Language";
    out->open = api;
    su_buf_free(&key);
}

/* /r/<id> without its slash. */
static bool give_moved(const su_portal *p, const char *path, su_http_answer *out)
{
    if (strncmp(path, "/r/", 3) != 0) return false;
    for (size_t i = 0; i < p->count; i++)
        if (strcmp(p->shown[i].name, path + 3) == 0) {
            plain(out, 308, "See the address with a slash at its end.\n");
            out->location = p->roots[i];
            return true;
        }
    return false;
}

static void handle(void *user, const su_http_request *q, su_http_answer *out)
{
    const su_portal *p = user;
    place key = { .path = q->path };
    const place *at = bsearch(&key, p->places, p->place_count, sizeof key, by_path);
    const su_asset *asset = at ? NULL : su_asset_at(q->path);
    if (at) {
        give_place(at, out);
    } else if (asset) {
        *out = (su_http_answer) { .status = 200, .immutable = asset->immutable };
        out->blob = su_blob_borrow(asset->bytes, asset->gzip, asset->media_type, asset->etag);
    } else if (strcmp(q->path, "/healthz") == 0) {
        plain(out, 200, "ok\n");
    } else if (!give_moved(p, q->path, out)) {
        give_rendered(p, q, su_api_is_mine(q->path), out);
    }
}

static bool is_open(void *user, const char *path)
{
    const su_portal *p = user;
    place key = { .path = path };
    return su_api_is_mine(path) || bsearch(&key, p->places, p->place_count, sizeof key, by_path) != NULL;
}

/* ---- start and stop ----------------------------------------------------------------------------------------------------------------- */

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
        arrange(p);
        p->cache = su_cache_new(CACHE_BYTES);
        st = su_http_start(ctx, opts, handle, is_open, p, &p->http);
    }
    if (st)
        su_portal_stop(p);
    else
        *out = p;
    return st;
}

uint16_t su_portal_port(const su_portal *p) { return su_http_port(p->http); }
size_t su_portal_releases(const su_portal *p) { return p->count; }

void su_portal_stop(su_portal *p)
{
    if (!p) return;
    su_http_stop(p->http);
    su_cache_free(p->cache);
    for (size_t i = 0; i < p->place_count; i++) su_blob_release(p->places[i].blob);
    for (size_t i = 0; i < p->count; i++) free_release(&p->releases[i]);
    free(p->releases);
    su_arena_free(&p->arena);
    free(p);
}
