#include "access.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct su_access {
    int fd;
};

su_status su_access_open(su_context *ctx, const char *path, su_access **out)
{
    *out = NULL;
    if (!path) return SU_OK;
    int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
    if (fd < 0) return su_fail(ctx, SU_IO, "The access log %s cannot be written: %s.", path, strerror(errno));
    *out = su_alloc(sizeof **out);
    (*out)->fd = fd;
    return SU_OK;
}

void su_access_close(su_access *a)
{
    if (!a) return;
    close(a->fd);
    free(a);
}

void su_access_write(su_access *a, const su_access_line *l)
{
    char when[21], text[1400];
    if (!a) return;
    su_clock_iso((int64_t)time(NULL), when);
    int n =
        snprintf(text, sizeof text, "%s %.10s %.1000s %u %llu %.1f%s%.100s\n", when, l->method ? l->method : "-", l->path ? l->path : "-",
                 l->status, (unsigned long long)l->bytes, l->seconds * 1000, l->address ? " " : "", l->address ? l->address : "");
    /* A full disk must not stop the answers: what cannot be written is lost. */
    if (n > 0 && write(a->fd, text, (size_t)n < sizeof text ? (size_t)n : sizeof text - 1) < 0) return;
}
