/* listen: the socket that the server waits on: an address and a port, or a Unix socket. */
#ifndef SU_PORTAL_LISTEN_H
#define SU_PORTAL_LISTEN_H

#include <suha/portal.h>

typedef struct su_listen {
    int fd;
    uint16_t port; /* 0 on a Unix socket */
    bool loopback; /* only this computer, by name: Host is checked */
    bool local;    /* a Unix socket */
} su_listen;

/* Errors: SU_USAGE address; SU_IO in use, not allowed. */
su_status su_listen_open(su_context *ctx, const su_portal_options *opts, su_listen *out) SU_MUST_CHECK;

#endif
