/* portal: serves bundles of releases over HTTP on loopback. Reads bundle directories, never a vault.
 *
 * What is served is a fixed list made at start: the pages, the style sheet, and the files that each bundle's SHA256SUMS lists. Pages are
 * server-rendered HTML with inline SVG, without scripts, under a Content-Security-Policy that allows none; no cookies, no log of visits.
 * Every request passes a guard against request smuggling and DNS rebinding (src/portal/guard.h). For other computers put a reverse proxy
 * with TLS in front.
 */
#ifndef SUHA_PORTAL_H
#define SUHA_PORTAL_H

#include <suha/base.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct su_portal su_portal;
typedef struct su_portal_options {
    const char *address; /* IPv4 or IPv6 of this computer; NULL or "localhost" = 127.0.0.1 */
    uint16_t port;       /* 0 = any free */
} su_portal_options;

/* Loads the bundles and starts to serve in threads of its own. One bundle: its page is "/" and "/r/<name>/"; several: "/" lists them. opts
 * may be NULL. GET and HEAD only. Errors: SU_INPUT a folder that is no bundle or was changed after publication (message: folder, file, what
 * to do); SU_USAGE no folder, or no address; SU_IO port in use or not allowed, unreadable files. Memory: the bundles' bytes and pages. */
su_status su_portal_start(su_context *ctx, const char *const *dirs, size_t count, const su_portal_options *opts,
                          su_portal **out) SU_MUST_CHECK;
uint16_t su_portal_port(const su_portal *p);
void su_portal_stop(su_portal *p); /* waits for answers under way, then frees everything; NULL is fine */

#ifdef __cplusplus
}
#endif
#endif
