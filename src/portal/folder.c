#include "folder.h"
#include "i18n.h"

#include <string.h>

#define SUMS "SHA256SUMS"
#define SUMS_LIMIT (1u << 20)

bool su_folder_path_ok(su_str path)
{
    bool start = true;
    if (path.n == 0 || path.n > 200) return false;
    for (size_t i = 0; i < path.n; i++) {
        char c = path.p[i];
        bool plain = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '-' || c == '_';
        if (c == '/' ? start : !(plain || (c == '.' && !start))) return false;
        start = c == '/';
    }
    return !start;
}

const su_folder_file *su_folder_find(const su_folder *f, const char *path)
{
    for (size_t i = 0; i < f->count; i++)
        if (strcmp(f->files[i].path, path) == 0) return &f->files[i];
    return NULL;
}

const char *su_folder_media_type(const char *path)
{
    static const char *const list[][2] = {
        { ".csv", "text/csv; charset=utf-8" },   { ".json", "application/json" },        { ".html", "text/html; charset=utf-8" },
        { ".css", "text/css; charset=utf-8" },   { ".md", "text/plain; charset=utf-8" }, { ".txt", "text/plain; charset=utf-8" },
        { ".cff", "text/plain; charset=utf-8" },
    };
    const char *dot = strrchr(path, '.');
    for (size_t i = 0; dot && i < sizeof list / sizeof *list; i++)
        if (strcmp(list[i][0], dot) == 0) return list[i][1];
    return strcmp(path, SUMS) == 0 ? "text/plain; charset=utf-8" : "application/octet-stream";
}

const char *su_folder_purpose(const char *path)
{
    static const char *const list[][2] = {
        { "data/aggregates.csv", T("Protected counts with intervals: for numbers you quote") },
        { "data/microdata.csv", T("Synthetic records: for cross tables and models") },
        { "codebook.html", T("Codebook: every field, code and rule") },
        { "protection/report.html", T("Protection report, for people") },
        { "protection/report.json", T("Protection report, for machines") },
        { "datapackage.json", T("Description for machines (Data Package v2)") },
        { "README.md", T("How to read the files") },
        { "CITATION.cff", T("Citation, for reference managers") },
    };
    for (size_t i = 0; i < sizeof list / sizeof *list; i++)
        if (strcmp(list[i][0], path) == 0) return list[i][1];
    return NULL;
}

void su_folder_free(su_folder *f)
{
    for (size_t i = 0; i < f->count; i++) su_buf_free(&f->files[i].bytes);
    su_buf_free(&f->sums);
    su_arena_free(&f->arena);
    *f = (su_folder) { 0 };
}

static bool is_hex64(const char *p)
{
    for (int i = 0; i < 64; i++)
        if (!((p[i] >= '0' && p[i] <= '9') || (p[i] >= 'a' && p[i] <= 'f'))) return false;
    return true;
}

/* One line of SHA256SUMS: 64 hexadecimal digits, two blanks, a path. */
static su_status parse_line(su_context *ctx, su_folder *f, su_str line, size_t number)
{
    if (line.n < 67 || !is_hex64(line.p) || line.p[64] != ' ' || line.p[65] != ' ')
        return su_fail(ctx, SU_INPUT,
                       "%s/" SUMS ", line %zu: not a SHA-256 sum and a path. This folder is not a release of Suha, or it was changed.",
                       f->dir, number);
    su_str path = { line.p + 66, line.n - 66 };
    if (!su_folder_path_ok(path))
        return su_fail(ctx, SU_INPUT, "%s/" SUMS ", line %zu: the path \"%.*s\" does not lie inside a release. The folder is not served.",
                       f->dir, number, (int)(path.n < 80 ? path.n : 80), path.p);
    if (f->count == SU_FOLDER_MAX_FILES)
        return su_fail(ctx, SU_INPUT, "%s/" SUMS " lists more than %u files.", f->dir, SU_FOLDER_MAX_FILES);
    su_folder_file *file = &f->files[f->count];
    file->path = su_arena_strndup(&f->arena, path.p, path.n);
    memcpy(file->sha256, line.p, 64);
    file->sha256[64] = 0;
    if (su_folder_find(f, file->path))
        return su_fail(ctx, SU_INPUT, "%s/" SUMS ", line %zu: %s is listed twice.", f->dir, number, file->path);
    f->count++;
    return SU_OK;
}

static su_status parse_sums(su_context *ctx, su_folder *f, const su_buf *sums)
{
    size_t number = 0;
    for (size_t at = 0; at < sums->n;) {
        const char *line = sums->p + at, *end = memchr(line, '\n', sums->n - at);
        size_t n = end ? (size_t)(end - line) : sums->n - at;
        su_status st = parse_line(ctx, f, (su_str) { line, n }, ++number);
        if (st) return st;
        at += n + 1;
    }
    return f->count ? SU_OK : su_fail(ctx, SU_INPUT, "%s/" SUMS " is empty. This folder is not a release of Suha.", f->dir);
}

static su_status read_file(su_context *ctx, su_folder *f, su_folder_file *file, uint64_t *total)
{
    uint64_t left = SU_FOLDER_MAX_TOTAL - *total;
    su_status st =
        su_file_read(ctx, su_path_join(&f->arena, f->dir, file->path), left < SU_FOLDER_MAX_FILE ? left : SU_FOLDER_MAX_FILE, &file->bytes);
    if (st) return su_fail_prefix(ctx, "The release in %s cannot be served: ", f->dir);
    *total += file->bytes.n;
    su_sha256 hash = su_sha256_of(file->bytes.p ? file->bytes.p : "", file->bytes.n);
    char hex[65];
    su_hex(hash.bytes, 32, hex);
    if (strcmp(hex, file->sha256) != 0)
        return su_fail(ctx, SU_INPUT,
                       "%s/%s is not the file that was published: its SHA-256 does not match " SUMS
                       ". Publish the release again; do not edit its files.",
                       f->dir, file->path);
    return SU_OK;
}

su_status su_folder_read(su_context *ctx, const char *dir, su_folder *out)
{
    static const char *const needed[] = { "datapackage.json", "data/aggregates.csv", "protection/report.json" };
    uint64_t total = 0;
    *out = (su_folder) { .dir = dir };
    su_arena_init(&out->arena);
    out->files = su_arena_array(&out->arena, SU_FOLDER_MAX_FILES, sizeof *out->files);
    char *path = su_path_join(&out->arena, dir, SUMS);
    su_status st = SU_OK;
    if (!su_path_exists(path))
        st = su_fail(ctx, SU_INPUT, "%s is not a release of Suha: it has no " SUMS ". Give the folder that `suha release` wrote.", dir);
    if (!st) st = su_file_read(ctx, path, SUMS_LIMIT, &out->sums);
    if (!st) st = parse_sums(ctx, out, &out->sums);
    for (size_t i = 0; i < sizeof needed / sizeof *needed && !st; i++)
        if (!su_folder_find(out, needed[i]))
            st = su_fail(ctx, SU_INPUT, "%s is not a release of Suha: its " SUMS " does not list %s.", dir, needed[i]);
    for (size_t i = 0; i < out->count && !st; i++) st = read_file(ctx, out, &out->files[i], &total);
    if (st) su_folder_free(out);
    return st;
}
