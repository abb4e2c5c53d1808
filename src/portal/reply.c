#include "reply.h"

#include <stdlib.h>
#include <string.h>

static void add(struct MHD_Response *r, const char *name, const char *value) { MHD_add_response_header(r, name, value); }

static void house_headers(struct MHD_Response *r, bool open)
{
    static const char *const list[][2] = {
        { "Content-Security-Policy",
          "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; worker-src 'self'; "
          "manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'" },
        { "X-Content-Type-Options", "nosniff" },
        { "X-Frame-Options", "DENY" },
        { "Referrer-Policy", "no-referrer" },
        { "Cross-Origin-Opener-Policy", "same-origin" },
        { "Permissions-Policy", "camera=(), geolocation=(), microphone=()" },
    };
    for (size_t i = 0; i < sizeof list / sizeof *list; i++) add(r, list[i][0], list[i][1]);
    add(r, "Cross-Origin-Resource-Policy", open ? "cross-origin" : "same-origin");
    if (!open) return;
    add(r, "Access-Control-Allow-Origin", "*");
    add(r, "Access-Control-Expose-Headers", "ETag, Content-Disposition, Content-Range, Accept-Ranges");
}

bool su_names_tag(const char *list, const char *etag)
{
    size_t n = strlen(etag) - 1; /* without the closing quote */
    for (const char *p = list; p && *p;) {
        while (*p == ' ' || *p == '\t' || *p == ',') p++;
        if (*p == '*') return true;
        if (p[0] == 'W' && p[1] == '/') p += 2;
        if (strncmp(p, etag, n) == 0 && (p[n] == '"' || strncmp(p + n, "-gzip\"", 6) == 0)) return true;
        while (*p && *p != ',') p++;
    }
    return false;
}

bool su_accepts_gzip(const char *list)
{
    for (const char *p = list; p && *p;) {
        p += strspn(p, " \t,");
        size_t n = strcspn(p, ";, \t"), whole = strcspn(p, ",");
        bool named = (n == 4 && strncasecmp(p, "gzip", 4) == 0) || (n == 1 && *p == '*');
        const char *q = memmem(p, whole, "q=", 2);
        bool refused = q && q[2] == '0' && strspn(q + 2, "0.") == strcspn(q + 2, ", \t");
        if (named) return !refused;
        p += whole;
    }
    return false;
}

static bool digits(const char **at, uint64_t *out)
{
    const char *p = *at;
    *out = 0;
    for (; *p >= '0' && *p <= '9'; p++)
        if (__builtin_mul_overflow(*out, 10u, out) || __builtin_add_overflow(*out, (uint64_t)(*p - '0'), out)) return false;
    bool any = p > *at;
    *at = p;
    return any;
}

unsigned su_range_parse(const char *text, uint64_t size, uint64_t *from, uint64_t *count)
{
    uint64_t first, last = UINT64_MAX;
    if (!text || strncmp(text, "bytes=", 6) != 0 || strchr(text, ',')) return 0;
    const char *p = text + 6;
    if (*p == '-') {
        p++;
        if (!digits(&p, &last) || *p) return 0;
        if (last == 0 || size == 0) return 416;
        *count = last < size ? last : size;
        *from = size - *count;
        return 206;
    }
    if (!digits(&p, &first) || *p++ != '-') return 0;
    if (*p && (!digits(&p, &last) || *p)) return 0;
    if (last < first) return 0;
    if (first >= size) return 416;
    *from = first;
    *count = (last < size - 1 ? last : size - 1) - first + 1;
    return 206;
}

static void release(void *blob) { su_blob_release(blob); }

/* Takes over one reference of the blob. */
static struct MHD_Response *body_of(su_blob *blob, su_str bytes)
{
    struct MHD_Response *r =
        MHD_create_response_from_buffer_with_free_callback_cls(bytes.n, (void *)(uintptr_t)(bytes.n ? bytes.p : ""), release, blob);
    if (!r) su_blob_release(blob);
    return r;
}

static const char *header(struct MHD_Connection *c, const char *name) { return MHD_lookup_connection_value(c, MHD_HEADER_KIND, name); }

static void describe(struct MHD_Response *r, const su_http_answer *a, unsigned status, bool gzip)
{
    char text[400];
    const char *etag = su_blob_etag(a->blob);
    house_headers(r, a->open);
    snprintf(text, sizeof text, "%.*s%s\"", (int)strlen(etag) - 1, etag, gzip ? "-gzip" : "");
    if (status == 200 || status == 206 || status == 304) add(r, "ETag", text);
    add(r, "Cache-Control", a->immutable ? "public, max-age=31536000, immutable" : "no-cache");
    if (status != 304) add(r, "Content-Type", su_blob_media_type(a->blob));
    snprintf(text, sizeof text, "Accept-Encoding%s%.200s", a->vary ? ", " : "", a->vary ? a->vary : "");
    add(r, "Vary", text);
    if (gzip) add(r, "Content-Encoding", "gzip");
    if (a->ranges) add(r, "Accept-Ranges", "bytes");
    if (a->location) add(r, "Location", a->location);
    if (a->download && status != 304) {
        snprintf(text, sizeof text, "attachment; filename=\"%.200s\"", a->download);
        add(r, "Content-Disposition", text);
    }
}

static const char *title_of(unsigned status)
{
    switch (status) {
    case 405:
        return "Method not allowed";
    case 414:
        return "Address too long";
    case 416:
        return "Range not satisfiable";
    case 505:
        return "HTTP version not supported";
    default:
        return "Bad request";
    }
}

/* One sentence: application/problem+json, or plain text. */
static struct MHD_Response *sentence_of(bool problem, unsigned status, const char *sentence, uint64_t *bytes)
{
    const char *media_type = problem ? "application/problem+json" : "text/plain; charset=utf-8";
    su_buf b = { 0 };
    if (problem) {
        su_json j;
        su_json_init(&j, &b);
        j.compact = true;
        su_json_object(&j);
        su_json_kv_text(&j, "type", "about:blank");
        su_json_kv_text(&j, "title", title_of(status));
        su_json_kv_int(&j, "status", (int64_t)status);
        su_json_kv_text(&j, "detail", sentence);
        su_json_end(&j);
    } else {
        su_buf_printf(&b, "%s\n", sentence);
    }
    *bytes = b.n;
    su_blob *blob = su_blob_take(&b, media_type);
    struct MHD_Response *r = body_of(blob, su_blob_bytes(blob));
    if (!r) return NULL;
    house_headers(r, problem);
    add(r, "Cache-Control", "no-store");
    add(r, "Content-Type", media_type);
    return r;
}

static enum MHD_Result queue(struct MHD_Connection *c, unsigned status, struct MHD_Response *r)
{
    enum MHD_Result queued = MHD_queue_response(c, status, r);
    MHD_destroy_response(r);
    return queued;
}

static enum MHD_Result outside(struct MHD_Connection *c, const su_http_answer *a, uint64_t size, uint64_t *bytes)
{
    char text[120];
    snprintf(text, sizeof text, "The part asked for lies outside the file, which has %llu bytes.", (unsigned long long)size);
    struct MHD_Response *r = sentence_of(true, MHD_HTTP_RANGE_NOT_SATISFIABLE, text, bytes);
    su_blob_release(a->blob);
    if (!r) return MHD_NO;
    snprintf(text, sizeof text, "bytes */%llu", (unsigned long long)size);
    add(r, "Content-Range", text);
    return queue(c, MHD_HTTP_RANGE_NOT_SATISFIABLE, r);
}

enum MHD_Result su_reply(struct MHD_Connection *c, const su_http_answer *a, bool head, bool close_after, unsigned *status, uint64_t *bytes)
{
    su_str body = su_blob_bytes(a->blob);
    uint64_t from = 0, count = body.n, size = body.n;
    bool gzip = false;
    char range[100] = "";
    *status = a->status;
    if (a->status == 200 && su_names_tag(header(c, "If-None-Match"), su_blob_etag(a->blob))) {
        *status = MHD_HTTP_NOT_MODIFIED;
    } else if (a->status == 200 && a->ranges && !head) {
        const char *only_if = header(c, "If-Range");
        bool same = !only_if || su_names_tag(only_if, su_blob_etag(a->blob));
        unsigned part = same ? su_range_parse(header(c, "Range"), size, &from, &count) : 0;
        if (part) *status = part;
        if (part == 206)
            snprintf(range, sizeof range, "bytes %llu-%llu/%llu", (unsigned long long)from, (unsigned long long)(from + count - 1),
                     (unsigned long long)size);
        if (part == 416) return outside(c, a, size, bytes);
    }
    if ((*status == a->status || *status == 304) && su_accepts_gzip(header(c, "Accept-Encoding"))) {
        su_str small = su_blob_gzip(a->blob);
        gzip = small.n > 0;
        if (gzip) body = small;
    }
    if (*status == 206) body = (su_str) { body.p + from, (size_t)count };
    if (*status == 304) body = (su_str) { "", 0 };
    struct MHD_Response *r = body_of(a->blob, body);
    if (!r) return MHD_NO;
    describe(r, a, *status, gzip);
    if (range[0]) add(r, "Content-Range", range);
    if (close_after) add(r, "Connection", "close");
    *bytes = head ? 0 : body.n;
    return queue(c, *status, r);
}

enum MHD_Result su_reply_refusal(struct MHD_Connection *c, const char *path, unsigned status, const char *sentence, uint64_t *bytes)
{
    struct MHD_Response *r = sentence_of(strncmp(path, "/api/", 5) == 0, status, sentence, bytes);
    if (!r) return MHD_NO;
    if (status == MHD_HTTP_METHOD_NOT_ALLOWED) add(r, "Allow", "GET, HEAD, OPTIONS");
    add(r, "Connection", "close");
    return queue(c, status, r);
}

enum MHD_Result su_reply_options(struct MHD_Connection *c, bool open)
{
    struct MHD_Response *r = MHD_create_response_from_buffer(0, (void *)(uintptr_t) "", MHD_RESPMEM_PERSISTENT);
    if (!r) return MHD_NO;
    house_headers(r, open);
    add(r, "Allow", "GET, HEAD, OPTIONS");
    if (open) {
        add(r, "Access-Control-Allow-Methods", "GET, HEAD, OPTIONS");
        add(r, "Access-Control-Allow-Headers", "Accept, Accept-Language, If-None-Match, If-Range, Range");
        add(r, "Access-Control-Max-Age", "86400");
    }
    return queue(c, MHD_HTTP_NO_CONTENT, r);
}
