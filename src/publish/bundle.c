/* A release as a list of files in memory. */
#include "publication.h"
#include "style.h"

#include <stdlib.h>
#include <string.h>

typedef struct file_list {
    su_bundle_file *files;
    size_t count;
    su_arena *arena;
} file_list;

/* Moves the buffer's bytes into the arena and empties it for the next file. */
static void add_file(file_list *l, const char *path, const char *media_type, su_buf *b)
{
    char *bytes = su_arena_strndup(l->arena, b->p ? b->p : "", b->n);
    l->files[l->count++] = (su_bundle_file) {
        .path = path, .media_type = media_type, .bytes = { bytes, b->n }, .hash = su_sha256_of(bytes, b->n)
    };
    b->n = 0;
}

typedef struct measure {
    su_sha256_run run;
    size_t n;
} measure;

static bool measure_piece(void *arg, su_str piece)
{
    measure *x = arg;
    su_sha256_add(&x->run, piece.p, piece.n);
    x->n += piece.n;
    return true;
}

/* A file that is known by its size and hash alone. */
static void add_microdata(file_list *l, const su_microdata *m, const char *path, const char *media_type)
{
    measure x = { .n = 0 };
    su_sha256_begin(&x.run);
    su_microdata_pour(m, measure_piece, &x);
    l->files[l->count++] = (su_bundle_file) {
        .path = path, .media_type = media_type, .bytes = { NULL, x.n }, .hash = su_sha256_end(&x.run)
    };
}

static int by_path(const void *x, const void *y) { return strcmp(((const su_bundle_file *)x)->path, ((const su_bundle_file *)y)->path); }

static void add_sums(file_list *l, su_buf *b)
{
    for (size_t i = 0; i < l->count; i++) {
        char hex[65];
        su_hex(l->files[i].hash.bytes, 32, hex);
        su_buf_printf(b, "%s  %s\n", hex, l->files[i].path);
    }
    add_file(l, "SHA256SUMS", "text/plain", b);
}

/* microdata NULL: in memory like the rest. */
static su_status make(su_context *ctx, su_arena *arena, const su_release *r, const su_bundle_info *info, su_microdata **microdata,
                      su_bundle_file **files, size_t *count)
{
    static const struct {
        const char *path, *media_type;
        void (*emit)(const su_publication *, su_buf *);
    } plan[] = {
        { SU_MICRODATA_FILE, "text/csv", su_emit_microdata },
        { "data/aggregates.csv", "text/csv", su_emit_aggregates },
        { "codebook.md", "text/markdown", su_emit_codebook_md },
        { "codebook.html", "text/html", su_emit_codebook_html },
        { "protection/report.json", "application/json", su_emit_report_json },
        { "protection/report.html", "text/html", su_emit_report_html },
        { "README.md", "text/markdown", su_emit_readme },
        { "CITATION.cff", "text/yaml", su_emit_citation },
    };
    *files = NULL;
    *count = 0;
    su_publication *p = su_arena_alloc(arena, sizeof *p);
    su_status st = su_publication_init(ctx, p, arena, r, info);
    if (st) return st;
    if (microdata) *microdata = su_microdata_new(p);
    size_t planned = sizeof plan / sizeof *plan;
    file_list l = { .arena = arena, .files = su_arena_array(arena, planned + p->list_count + 4, sizeof(su_bundle_file)) };
    su_buf b = { 0 };
    for (size_t i = 0; i < planned; i++) {
        if (su_cancelled(ctx)) {
            st = su_fail(ctx, SU_CANCELLED, "Stopped on request; nothing was written.");
            goto out;
        }
        if (microdata && plan[i].emit == su_emit_microdata) {
            add_microdata(&l, *microdata, plan[i].path, plan[i].media_type);
            continue;
        }
        plan[i].emit(p, &b);
        add_file(&l, plan[i].path, plan[i].media_type, &b);
    }
    for (size_t i = 0; i < p->list_count; i++) {
        su_emit_codelist(p, p->lists[i].list, &b);
        add_file(&l, p->lists[i].path, "text/csv", &b);
    }
    su_buf_add(&b, su_publish_style, su_publish_style_size);
    add_file(&l, SU_STYLE_FILE, "text/css", &b);
    if (p->stamp) {
        su_emit_notice(p, &b);
        add_file(&l, "NOT-PRIVATE.txt", "text/plain", &b);
    }
    qsort(l.files, l.count, sizeof *l.files, by_path);
    su_emit_datapackage(p, l.files, l.count, &b);
    add_file(&l, "datapackage.json", "application/json", &b);
    qsort(l.files, l.count, sizeof *l.files, by_path);
    add_sums(&l, &b);
    *files = l.files;
    *count = l.count;
out:
    su_buf_free(&b);
    return st;
}

su_status su_bundle_make(su_context *ctx, su_arena *arena, const su_release *r, const su_bundle_info *info, su_bundle_file **files,
                         size_t *count)
{
    return make(ctx, arena, r, info, NULL, files, count);
}

su_status su_bundle_plan(su_context *ctx, su_arena *arena, const su_release *r, const su_bundle_info *info, su_microdata **microdata,
                         su_bundle_file **files, size_t *count)
{
    *microdata = NULL;
    return make(ctx, arena, r, info, microdata, files, count);
}
