/* http: the one place that knows the HTTP library. Listens, guards every request, asks one handler, answers with the security headers of
 * the house. */
#ifndef SU_PORTAL_HTTP_H
#define SU_PORTAL_HTTP_H

#include <suha/base.h>

typedef struct su_http su_http;

typedef struct su_http_answer {
    unsigned status;
    const char *media_type;
    su_str body;          /* borrowed: stays as it is until the server stops */
    const char *etag;     /* quoted; NULL = none. 304 is given when If-None-Match names it */
    const char *download; /* file name of an attachment; NULL = shown in the browser */
    const char *location; /* of a redirect; NULL = none */
} su_http_answer;

/* Called from several threads at once, for GET and HEAD that passed the guard. `path` is the raw target without its query: never decoded,
 * so that it can only match what is listed. */
typedef void (*su_http_handler)(void *user, const char *path, su_http_answer *out);

/* address: NULL or "localhost" = 127.0.0.1; IPv4 or IPv6. port 0 = any free. Errors: SU_USAGE address, SU_IO port in use or not allowed. */
su_status su_http_start(su_context *ctx, const char *address, uint16_t port, su_http_handler handler, void *user,
                        su_http **out) SU_MUST_CHECK;
uint16_t su_http_port(const su_http *h);
void su_http_stop(su_http *h); /* waits for answers under way; NULL is fine */

#endif
