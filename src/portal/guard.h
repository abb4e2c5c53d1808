/* guard: decides about a request from its head alone, before anything is answered. Pure: no I/O, no allocation, same input same verdict.
 *
 * The parsers of all HTTP libraries of Debian 12 let request smuggling through (docs/portal.md): two differing
 * Content-Length, Content-Length with Transfer-Encoding, a blank before the colon. This guard refuses all of it; a refused connection is
 * closed, so that no hidden second request is ever read. RFC 9110 section 5.6.2 (tokens), RFC 9112 sections 3.2 (Host) and 6.3 (message
 * length).
 */
#ifndef SU_PORTAL_GUARD_H
#define SU_PORTAL_GUARD_H

#include <suha/base.h>

#define SU_GUARD_MAX_HEADERS 64u
#define SU_GUARD_MAX_TARGET 1024u
#define SU_GUARD_MAX_QUERY 4096u

typedef struct su_guard_header {
    su_str name, value;
} su_guard_header;

typedef struct su_guard_request {
    su_str method, target, version; /* "GET", "/r/x/", "HTTP/1.1"; target without its query */
    const su_guard_header *headers;
    size_t header_count;
    su_str query; /* what follows '?' in the target; n = 0: none */
} su_guard_request;

typedef struct su_guard_policy {
    bool loopback; /* the server listens on loopback: Host must name loopback (DNS rebinding) */
} su_guard_policy;

typedef struct su_guard_verdict {
    unsigned status;    /* 0 = let through; else 400, 405, 414 or 505: answer it and close the connection */
    const char *reason; /* for the answer's body; NULL when let through */
} su_guard_verdict;

su_guard_verdict su_guard_check(const su_guard_request *request, const su_guard_policy *policy);
/* localhost, 127.0.0.0/8 or [::1], each with or without a port. */
bool su_guard_host_is_loopback(su_str host);

#endif
