/* portal: serves bundles of releases over HTTP on loopback. Reads bundle directories, never a vault. */
#ifndef SUHA_PORTAL_H
#define SUHA_PORTAL_H

#include <suha/base.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct su_portal su_portal;
typedef struct su_portal_options { const char *address; /* NULL = 127.0.0.1 */ uint16_t port; /* 0 = any free */ } su_portal_options;

/* Loads the bundles (checks SHA256SUMS, refuses a damaged or foreign directory) and starts to serve. GET and HEAD only. Pages are rendered once, at start. */
su_status su_portal_start(su_context *ctx, const char *const *dirs, size_t count, const su_portal_options *opts, su_portal **out) SU_MUST_CHECK;
uint16_t su_portal_port(const su_portal *p);
void su_portal_stop(su_portal *p);

#ifdef __cplusplus
}
#endif
#endif
