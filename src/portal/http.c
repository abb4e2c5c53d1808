#include "http.h"
#include "guard.h"

#include <arpa/inet.h>
#include <errno.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define THREADS 2u
#define CONNECTIONS 256u
#define IDLE_SECONDS 15u
#define CONNECTION_BYTES (32u * 1024u)

struct su_http {
    struct MHD_Daemon *daemon;
    su_http_handler handler;
    void *user;
    su_guard_policy policy;
    uint16_t port;
};

typedef struct head {
    su_guard_header headers[SU_GUARD_MAX_HEADERS + 1];
    size_t count;
} head;

/* One more than the limit is kept, so that the guard sees that there were too many. */
static enum MHD_Result collect(void *arg, enum MHD_ValueKind kind, const char *name, size_t name_n, const char *value, size_t value_n)
{
    head *h = arg;
    (void)kind;
    if (h->count > SU_GUARD_MAX_HEADERS) return MHD_NO;
    h->headers[h->count++] = (su_guard_header) { { name, name_n }, { value ? value : "", value ? value_n : 0 } };
    return MHD_YES;
}

/* If-None-Match: "*" or a list of tags; weak comparison (RFC 9110 section 13.1.2). */
static bool names_tag(const char *list, const char *etag)
{
    if (!list || !etag) return false;
    size_t n = strlen(etag);
    for (const char *p = list; *p;) {
        while (*p == ' ' || *p == '\t' || *p == ',') p++;
        if (*p == '*') return true;
        if (p[0] == 'W' && p[1] == '/') p += 2;
        if (strncmp(p, etag, n) == 0 && (p[n] == 0 || p[n] == ',' || p[n] == ' ')) return true;
        while (*p && *p != ',') p++;
    }
    return false;
}

static void house_headers(struct MHD_Response *r)
{
    static const char *const list[][2] = {
        { "Content-Security-Policy",
          "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'" },
        { "X-Content-Type-Options", "nosniff" },
        { "X-Frame-Options", "DENY" },
        { "Referrer-Policy", "no-referrer" },
        { "Cross-Origin-Opener-Policy", "same-origin" },
        { "Cross-Origin-Resource-Policy", "same-origin" },
        { "Permissions-Policy", "camera=(), geolocation=(), microphone=()" },
        { "Cache-Control", "no-cache" },
    };
    for (size_t i = 0; i < sizeof list / sizeof *list; i++) MHD_add_response_header(r, list[i][0], list[i][1]);
}

static enum MHD_Result answer(struct MHD_Connection *c, const su_http_answer *a, bool close_after)
{
    bool empty = a->status == MHD_HTTP_NOT_MODIFIED;
    struct MHD_Response *r =
        MHD_create_response_from_buffer(empty ? 0 : a->body.n, empty ? (void *)"" : (void *)(uintptr_t)a->body.p, MHD_RESPMEM_PERSISTENT);
    if (!r) return MHD_NO;
    house_headers(r);
    if (a->media_type && !empty) MHD_add_response_header(r, "Content-Type", a->media_type);
    if (a->etag) MHD_add_response_header(r, "ETag", a->etag);
    if (a->location) MHD_add_response_header(r, "Location", a->location);
    if (a->status == MHD_HTTP_METHOD_NOT_ALLOWED) MHD_add_response_header(r, "Allow", "GET, HEAD");
    if (close_after) MHD_add_response_header(r, "Connection", "close");
    if (a->download && !empty) {
        char disposition[256];
        snprintf(disposition, sizeof disposition, "attachment; filename=\"%.200s\"", a->download);
        MHD_add_response_header(r, "Content-Disposition", disposition);
    }
    enum MHD_Result queued = MHD_queue_response(c, a->status, r);
    MHD_destroy_response(r);
    return queued;
}

/* MHD calls once with the head alone and again when a body, if any, was read. Refusals happen at the first call, so that a refused
 * request's body is never waited for; answering there also closes the connection. What passes has no body, so the second call follows at
 * once and the connection lives. */
static enum MHD_Result on_request(void *user, struct MHD_Connection *c, const char *url, const char *method, const char *version,
                                  const char *upload, size_t *upload_n, void **state)
{
    static const char passed = 1;
    su_http *h = user;
    su_http_answer a = { .status = MHD_HTTP_OK, .media_type = "text/plain; charset=utf-8" };
    (void)upload;
    if (!*state) {
        head seen = { .count = 0 };
        MHD_get_connection_values_n(c, MHD_HEADER_KIND, collect, &seen);
        su_guard_request request = { su_str_of(method), su_str_of(url), su_str_of(version), seen.headers, seen.count };
        su_guard_verdict verdict = su_guard_check(&request, &h->policy);
        *state = (void *)(uintptr_t)&passed;
        if (!verdict.status) return MHD_YES;
        a.status = verdict.status;
        a.body = su_str_of(verdict.reason);
        return answer(c, &a, true);
    }
    if (*upload_n) return MHD_NO;
    h->handler(h->user, url, &a);
    if (a.status == MHD_HTTP_OK && names_tag(MHD_lookup_connection_value(c, MHD_HEADER_KIND, "If-None-Match"), a.etag))
        a.status = MHD_HTTP_NOT_MODIFIED;
    return answer(c, &a, false);
}

/* Paths stay as they came. MHD wants the length back. */
static size_t keep_escapes(void *arg, struct MHD_Connection *c, char *s)
{
    (void)arg;
    (void)c;
    return strlen(s);
}

typedef union address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
} address;

static su_status parse_address(su_context *ctx, const char *text, uint16_t port, address *out, socklen_t *n, bool *loopback)
{
    memset(out, 0, sizeof *out);
    if (!text || strcmp(text, "localhost") == 0) text = "127.0.0.1";
    if (inet_pton(AF_INET, text, &out->v4.sin_addr) == 1) {
        out->v4.sin_family = AF_INET;
        out->v4.sin_port = htons(port);
        *n = sizeof out->v4;
        *loopback = (ntohl(out->v4.sin_addr.s_addr) >> 24) == 127;
        return SU_OK;
    }
    if (inet_pton(AF_INET6, text, &out->v6.sin6_addr) == 1) {
        out->v6.sin6_family = AF_INET6;
        out->v6.sin6_port = htons(port);
        *n = sizeof out->v6;
        *loopback = IN6_IS_ADDR_LOOPBACK(&out->v6.sin6_addr);
        return SU_OK;
    }
    return su_fail(ctx, SU_USAGE,
                   "\"%.100s\" is not an IP address to listen on. Give 127.0.0.1 (this computer only) or another address of this computer.",
                   text);
}

static su_status listen_on(su_context *ctx, const char *text, uint16_t port, const address *at, socklen_t n, int *out)
{
    int on = 1, fd = socket(at->any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return su_fail(ctx, SU_IO, "No network socket could be made: %s.", strerror(errno));
    bool ok = setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 && bind(fd, &at->any, n) == 0 && listen(fd, 128) == 0;
    if (ok) {
        *out = fd;
        return SU_OK;
    }
    int why = errno;
    close(fd);
    const char *host = text ? text : "127.0.0.1";
    if (why == EADDRINUSE)
        return su_fail(ctx, SU_IO, "Port %u of %s is already in use, perhaps by another portal. Stop that one or choose another port.",
                       port, host);
    if (why == EACCES) return su_fail(ctx, SU_IO, "Port %u needs rights you do not have. Choose a port above 1023.", port);
    return su_fail(ctx, SU_IO, "Cannot listen on %s, port %u: %s.", host, port, strerror(why));
}

su_status su_http_start(su_context *ctx, const char *text, uint16_t port, su_http_handler handler, void *user, su_http **out)
{
    address at;
    socklen_t n = 0;
    bool loopback = false;
    int fd = -1;
    *out = NULL;
    su_status st = parse_address(ctx, text, port, &at, &n, &loopback);
    if (!st) st = listen_on(ctx, text, port, &at, n, &fd);
    if (st) return st;
    if (!loopback)
        su_log(ctx, "note: listening on %s, which other computers can reach. Put a reverse proxy with TLS in front of it.", text);
    socklen_t got = sizeof at;
    getsockname(fd, &at.any, &got);
    su_http *h = su_alloc(sizeof *h);
    *h = (su_http) { .handler = handler, .user = user, .policy = { loopback } };
    h->port = ntohs(at.any.sa_family == AF_INET ? at.v4.sin_port : at.v6.sin6_port);
    h->daemon = MHD_start_daemon(MHD_USE_AUTO_INTERNAL_THREAD, 0, NULL, NULL, on_request, h, MHD_OPTION_LISTEN_SOCKET, fd,
                                 MHD_OPTION_THREAD_POOL_SIZE, THREADS, MHD_OPTION_CONNECTION_LIMIT, CONNECTIONS,
                                 MHD_OPTION_CONNECTION_TIMEOUT, IDLE_SECONDS, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_BYTES,
                                 MHD_OPTION_UNESCAPE_CALLBACK, keep_escapes, NULL, MHD_OPTION_END);
    if (!h->daemon) {
        close(fd);
        free(h);
        return su_fail(ctx, SU_IO, "The web server could not be started: %s.", strerror(errno));
    }
    *out = h;
    return SU_OK;
}

uint16_t su_http_port(const su_http *h) { return h->port; }

void su_http_stop(su_http *h)
{
    if (!h) return;
    MHD_stop_daemon(h->daemon);
    free(h);
}
