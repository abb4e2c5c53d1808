/* portal: serves bundles of releases over HTTP. Reads bundle directories, never a vault: the library has no name of one in it
 * (tests/house/test_portal_link.py).
 *
 * What is served is fixed at start: pages (src/portal/site.h), the browser part, the files that each bundle's SHA256SUMS lists, and the
 * API of web/openapi.json, which answers questions from the released counts and the synthetic records. A strict Content-Security-Policy, no
 * cookies, nothing from elsewhere. Every request passes a guard against request smuggling and DNS rebinding (src/portal/guard.h); slow
 * clients are cut off. Loopback unless told otherwise; for other computers put a reverse proxy with TLS in front. docs/portal.md.
 */
#ifndef SUHA_PORTAL_H
#define SUHA_PORTAL_H

#include <suha/base.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct su_portal su_portal;
typedef struct su_portal_options {
    const char *address;     /* IPv4 or IPv6 of this computer; NULL or "localhost" = 127.0.0.1 */
    uint16_t port;           /* 0 = any free */
    const char *unix_socket; /* path of a socket to listen on in the place of address and port; NULL = none. A dead socket is replaced.
                                Borrowed until su_portal_stop */
    const char *access_log;  /* file that gets one line per request: time, method, path, status, bytes, milliseconds; NULL = none. No
                                question, and no path that is not ours, is written */
    bool log_addresses;      /* the address of the client on each line: personal data */
    unsigned threads;        /* that answer; 0 = one per core, at most 16 */
} su_portal_options;

/* Loads the bundles and starts to serve in threads of its own. A bundle that cannot be read, or was changed after publication, is not
 * served; ctx's log says why (folder, file, what to do) and the others are. opts may be NULL. GET, HEAD and OPTIONS only. Errors: SU_INPUT
 * when no bundle is left (message: that of the first); SU_USAGE no folder, or no address; SU_IO port or socket in use or not allowed, log
 * not writable. Memory: the bundles' bytes, 2 bytes per record and column, bitmaps, and 64 MiB of answers. */
su_status su_portal_start(su_context *ctx, const char *const *dirs, size_t count, const su_portal_options *opts,
                          su_portal **out) SU_MUST_CHECK;
uint16_t su_portal_port(const su_portal *p);   /* 0 on a Unix socket */
size_t su_portal_releases(const su_portal *p); /* served */
void su_portal_stop(su_portal *p);             /* waits up to 10 seconds for answers under way, then frees everything; NULL is fine */

#ifdef __cplusplus
}
#endif
#endif
