#include "http.h"
#include "access.h"
#include "clients.h"
#include "guard.h"
#include "listen.h"
#include "reply.h"

#include <arpa/inet.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define MOST_THREADS 16u
#define CONNECTIONS 512u
#define IDLE_SECONDS 15u
#define CONNECTION_BYTES (32u * 1024u)
#define STOP_MILLISECONDS 10000

struct su_http {
    struct MHD_Daemon *daemon;
    su_http_handler handler;
    su_http_is_open is_open;
    void *user;
    su_guard_policy policy;
    su_listen listen;
    const char *socket_path;
    su_clients *clients;
    su_access *access;
    bool log_addresses;
    atomic_uint answering;
    atomic_bool closing; /* nobody new is let in */
};

/* What is known of a request until it is answered. */
typedef struct request {
    su_http *http;
    su_client *client;
    double since;
    bool seen, counted, foreign;
    unsigned status;
    uint64_t bytes;
    char method[12];
    size_t path_n, query_n;
    char target[]; /* the path, NUL, the query, NUL */
} request;

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

/* The request line has been read. The library is about to take the target apart in its place, so it is copied here. */
static void *on_target(void *user, const char *target, struct MHD_Connection *c)
{
    size_t path_n = strcspn(target, "?"), n = strlen(target);
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(c, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    request *r = su_alloc(sizeof *r + n + 2);
    r->http = user;
    r->client = info ? info->socket_context : NULL;
    r->since = su_clients_clock();
    r->path_n = path_n;
    memcpy(r->target, target, path_n);
    if (target[path_n] == '?') {
        r->query_n = n - path_n - 1;
        memcpy(r->target + path_n + 1, target + path_n + 1, r->query_n);
    }
    return r;
}

static const char *address_of(struct MHD_Connection *c, char text[INET6_ADDRSTRLEN])
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(c, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    const struct sockaddr *a = info ? info->client_addr : NULL;
    if (a && a->sa_family == AF_INET)
        return inet_ntop(AF_INET, &((const struct sockaddr_in *)(const void *)a)->sin_addr, text, INET6_ADDRSTRLEN);
    if (a && a->sa_family == AF_INET6)
        return inet_ntop(AF_INET6, &((const struct sockaddr_in6 *)(const void *)a)->sin6_addr, text, INET6_ADDRSTRLEN);
    return "unix";
}

static void on_completed(void *user, struct MHD_Connection *c, void **state, enum MHD_RequestTerminationCode code)
{
    su_http *h = user;
    request *r = *state;
    char text[INET6_ADDRSTRLEN];
    (void)code;
    if (!r) return;
    if (r->status) {
        su_access_line line = { r->method, r->foreign ? NULL : r->target, h->log_addresses ? address_of(c, text) : NULL, r->status,
                                r->bytes,  su_clients_clock() - r->since };
        su_access_write(h->access, &line);
    }
    if (r->counted) atomic_fetch_sub(&h->answering, 1);
    su_client_allow(r->client, SU_CLIENT_HEAD_SECONDS);
    free(r);
    *state = NULL;
}

static enum MHD_Result on_knock(void *user, const struct sockaddr *from, socklen_t size)
{
    su_http *h = user;
    (void)from;
    (void)size;
    return atomic_load(&h->closing) ? MHD_NO : MHD_YES;
}

static void on_connection(void *user, struct MHD_Connection *c, void **state, enum MHD_ConnectionNotificationCode code)
{
    su_http *h = user;
    if (code == MHD_CONNECTION_NOTIFY_CLOSED) {
        su_client_leave(h->clients, *state);
        *state = NULL;
        return;
    }
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(c, MHD_CONNECTION_INFO_CONNECTION_FD);
    *state = info ? su_client_enter(h->clients, info->connect_fd) : NULL;
}

static su_guard_verdict check(const su_http *h, struct MHD_Connection *c, const request *r, const char *method, const char *version)
{
    head seen = { .count = 0 };
    MHD_get_connection_values_n(c, MHD_HEADER_KIND, collect, &seen);
    su_guard_request q = { su_str_of(method),  { r->target, r->path_n },
                           su_str_of(version), seen.headers,
                           seen.count,         { r->target + r->path_n + 1, r->query_n } };
    return su_guard_check(&q, &h->policy);
}

static enum MHD_Result give(su_http *h, struct MHD_Connection *c, request *r)
{
    su_http_request q = { r->target, r->target + r->path_n + 1, MHD_lookup_connection_value(c, MHD_HEADER_KIND, "Accept"),
                          MHD_lookup_connection_value(c, MHD_HEADER_KIND, "Accept-Language") };
    su_http_answer a = { .status = 200 };
    if (strcmp(r->method, "OPTIONS") == 0) {
        r->status = MHD_HTTP_NO_CONTENT;
        r->foreign = true; /* whether the path is ours was not looked up */
        return su_reply_options(c, h->is_open(h->user, r->target));
    }
    h->handler(h->user, &q, &a);
    r->foreign = a.foreign;
    enum MHD_Result queued = su_reply(c, &a, strcmp(r->method, "HEAD") == 0, false, &r->status, &r->bytes);
    su_client_allow(r->client, SU_CLIENT_ANSWER_SECONDS + (double)r->bytes / SU_CLIENT_BYTES_PER_SECOND);
    return queued;
}

/* MHD calls once with the head alone and again when a body, if any, was read. Refusals happen at the first call, so that a refused
 * request's body is never waited for; answering there also closes the connection. What passes has no body, so the second call follows at
 * once and the connection lives. */
static enum MHD_Result on_request(void *user, struct MHD_Connection *c, const char *url, const char *method, const char *version,
                                  const char *upload, size_t *upload_n, void **state)
{
    su_http *h = user;
    request *r = *state;
    (void)url;
    (void)upload;
    if (!r) return MHD_NO;
    if (r->seen) return *upload_n ? MHD_NO : give(h, c, r);
    r->seen = true;
    su_guard_verdict verdict = check(h, c, r, method, version);
    snprintf(r->method, sizeof r->method, "%.10s", method);
    if (!verdict.status) {
        r->counted = true;
        atomic_fetch_add(&h->answering, 1);
        return MHD_YES;
    }
    r->status = verdict.status;
    r->foreign = true;
    if (verdict.status == 400) snprintf(r->method, sizeof r->method, "-");
    return su_reply_refusal(c, r->target, verdict.status, verdict.reason, &r->bytes);
}

/* Paths stay as they came. MHD wants the length back. */
static size_t keep_escapes(void *arg, struct MHD_Connection *c, char *s)
{
    (void)arg;
    (void)c;
    return strlen(s);
}

static unsigned threads_of(const su_portal_options *o)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    unsigned n = o->threads ? o->threads : cores > 0 ? (unsigned)cores : 1;
    return n < MOST_THREADS ? n : MOST_THREADS;
}

/* Signals are the program's business: the server's threads do not take them. */
static su_status start_daemon(su_context *ctx, su_http *h, unsigned threads)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    su_status st = su_clients_start(ctx, &h->clients);
    if (!st)
        h->daemon =
            MHD_start_daemon(MHD_USE_AUTO_INTERNAL_THREAD | MHD_USE_ITC, 0, on_knock, h, on_request, h, MHD_OPTION_LISTEN_SOCKET,
                             h->listen.fd, MHD_OPTION_THREAD_POOL_SIZE, threads > 1 ? threads : 0, MHD_OPTION_CONNECTION_LIMIT, CONNECTIONS,
                             MHD_OPTION_CONNECTION_TIMEOUT, IDLE_SECONDS, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_BYTES,
                             MHD_OPTION_UNESCAPE_CALLBACK, keep_escapes, NULL, MHD_OPTION_URI_LOG_CALLBACK, on_target, h,
                             MHD_OPTION_NOTIFY_COMPLETED, on_completed, h, MHD_OPTION_NOTIFY_CONNECTION, on_connection, h, MHD_OPTION_END);
    if (!st && !h->daemon) st = su_fail(ctx, SU_IO, "The web server could not be started: %s.", strerror(errno));
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return st;
}

static void close_all(su_http *h)
{
    su_clients_stop(h->clients);
    su_access_close(h->access);
    if (h->listen.fd >= 0) close(h->listen.fd);
    if (h->listen.local) unlink(h->socket_path);
    free(h);
}

su_status su_http_start(su_context *ctx, const su_portal_options *opts, su_http_handler handler, su_http_is_open is_open, void *user,
                        su_http **out)
{
    su_http *h = su_alloc(sizeof *h);
    *h = (su_http) { .handler = handler, .is_open = is_open, .user = user, .socket_path = opts->unix_socket, .listen = { .fd = -1 } };
    h->log_addresses = opts->log_addresses;
    *out = NULL;
    su_status st = su_listen_open(ctx, opts, &h->listen);
    h->policy.loopback = h->listen.loopback;
    if (!st) st = su_access_open(ctx, opts->access_log, &h->access);
    if (!st) st = start_daemon(ctx, h, threads_of(opts));
    if (st)
        close_all(h);
    else
        *out = h;
    return st;
}

uint16_t su_http_port(const su_http *h) { return h->listen.port; }

/* First nobody new is let in, then answers under way are given time, then the rest is closed. MHD_quiesce_daemon is not used: in 0.9.75 it
 * and a thread that a leaving client wakes both take the socket out of the same set, and the second of the two ends the process. */
void su_http_stop(su_http *h)
{
    if (!h) return;
    atomic_store(&h->closing, true);
    for (int waited = 0; atomic_load(&h->answering) && waited < STOP_MILLISECONDS; waited += 20)
        nanosleep(&(struct timespec) { .tv_nsec = 20000000 }, NULL);
    MHD_stop_daemon(h->daemon);
    h->listen.fd = -1; /* closed with it */
    close_all(h);
}
