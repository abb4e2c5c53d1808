#include "listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define BACKLOG 512

typedef union address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
    struct sockaddr_un local;
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
    int on = 1, fd = socket(at->any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) return su_fail(ctx, SU_IO, "No network socket could be made: %s.", strerror(errno));
    bool ok = setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 && bind(fd, &at->any, n) == 0 && listen(fd, BACKLOG) == 0;
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

static su_status listen_at_port(su_context *ctx, const su_portal_options *o, su_listen *out)
{
    address at;
    socklen_t n = 0;
    su_status st = parse_address(ctx, o->address, o->port, &at, &n, &out->loopback);
    if (!st) st = listen_on(ctx, o->address, o->port, &at, n, &out->fd);
    if (st) return st;
    if (!out->loopback)
        su_log(ctx, "note: listening on %s, which other computers can reach. Put a reverse proxy with TLS in front of it.", o->address);
    socklen_t got = sizeof at;
    getsockname(out->fd, &at.any, &got);
    out->port = ntohs(at.any.sa_family == AF_INET ? at.v4.sin_port : at.v6.sin6_port);
    return SU_OK;
}

/* A socket that nobody answers on was left by a server that died; anything else stays where it is. */
static su_status clear_place(su_context *ctx, const char *path, const address *at, socklen_t n)
{
    struct stat there;
    if (lstat(path, &there) != 0)
        return errno == ENOENT ? SU_OK : su_fail(ctx, SU_IO, "The socket %s cannot be made: %s.", path, strerror(errno));
    if (!S_ISSOCK(there.st_mode))
        return su_fail(ctx, SU_IO, "%s is there already and is no socket. Name another place for the socket.", path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool alive = fd >= 0 && connect(fd, &at->any, n) == 0;
    if (fd >= 0) close(fd);
    if (alive) return su_fail(ctx, SU_IO, "Another server listens on the socket %s. Stop that one or name another place.", path);
    if (unlink(path) != 0) return su_fail(ctx, SU_IO, "The dead socket %s cannot be removed: %s.", path, strerror(errno));
    return SU_OK;
}

static su_status listen_at_path(su_context *ctx, const char *path, su_listen *out)
{
    address at = { .local = { .sun_family = AF_UNIX } };
    size_t length = strlen(path);
    if (length == 0 || length >= sizeof at.local.sun_path)
        return su_fail(ctx, SU_USAGE, "The path of a Unix socket has 1 to %zu bytes; \"%.100s\" has %zu.", sizeof at.local.sun_path - 1,
                       path, length);
    memcpy(at.local.sun_path, path, length + 1);
    su_status st = clear_place(ctx, path, &at, sizeof at.local);
    if (st) return st;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) return su_fail(ctx, SU_IO, "No socket could be made: %s.", strerror(errno));
    if (bind(fd, &at.any, sizeof at.local) != 0 || chmod(path, 0660) != 0 || listen(fd, BACKLOG) != 0) {
        int why = errno;
        close(fd);
        return su_fail(ctx, SU_IO, "Cannot listen on the socket %s: %s.", path, strerror(why));
    }
    out->fd = fd;
    out->local = true;
    return SU_OK;
}

su_status su_listen_open(su_context *ctx, const su_portal_options *o, su_listen *out)
{
    *out = (su_listen) { .fd = -1 };
    return o->unix_socket ? listen_at_path(ctx, o->unix_socket, out) : listen_at_port(ctx, o, out);
}
