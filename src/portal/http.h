/* http: the one place that knows the HTTP library. Listens, guards every request, asks one handler, answers with the security headers of
 * the house, cuts slow clients off and writes the access log. */
#ifndef SU_PORTAL_HTTP_H
#define SU_PORTAL_HTTP_H

#include "blob.h"

#include <suha/portal.h>

typedef struct su_http su_http;

typedef struct su_http_request {
    const char *path;                     /* raw target up to '?': never decoded, so that it can only match what is listed */
    const char *query;                    /* raw, after '?'; "" = none */
    const char *accept, *accept_language; /* headers; NULL = not sent */
} su_http_request;

typedef struct su_http_answer {
    unsigned status;
    su_blob *blob;        /* taken: what is sent, its type and tag; NULL only with `location` */
    const char *download; /* file name of an attachment; NULL = shown in the browser */
    const char *location; /* of a redirect; NULL = none */
    const char *vary;     /* request headers that the answer depends on besides Accept-Encoding; NULL = none */
    bool open;            /* may be read from pages of other sites (CORS) */
    bool immutable;       /* may be kept for ever */
    bool ranges;          /* parts may be asked for */
    bool foreign;         /* the path is not one of ours: the access log does not repeat it */
} su_http_answer;

/* Called from several threads at once, for GET and HEAD that passed the guard. */
typedef void (*su_http_handler)(void *user, const su_http_request *request, su_http_answer *out);
/* Whether other sites may read what is at this path: answers OPTIONS. */
typedef bool (*su_http_is_open)(void *user, const char *path);

/* Errors: SU_USAGE address; SU_IO port or socket in use or not allowed, log that cannot be written. */
su_status su_http_start(su_context *ctx, const su_portal_options *opts, su_http_handler handler, su_http_is_open is_open, void *user,
                        su_http **out) SU_MUST_CHECK;
uint16_t su_http_port(const su_http *h);
void su_http_stop(su_http *h); /* no new requests; waits up to 10 seconds for answers under way; NULL is fine */

#endif
