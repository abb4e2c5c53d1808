/* access: the access log. One line per request; no address unless asked for, never a question, never a path that is not ours, so that
 * nothing a visitor typed is kept. */
#ifndef SU_PORTAL_ACCESS_H
#define SU_PORTAL_ACCESS_H

#include <suha/base.h>

typedef struct su_access su_access;
typedef struct su_access_line {
    const char *method, *path; /* NULL = not written: "-" */
    const char *address;       /* NULL = not written at all */
    unsigned status;
    uint64_t bytes;
    double seconds;
} su_access_line;

/* path NULL gives a log that writes nothing. SU_IO: cannot be opened for appending. Made with mode 0640. */
su_status su_access_open(su_context *ctx, const char *path, su_access **out) SU_MUST_CHECK;
void su_access_close(su_access *a);
/* 2026-11-21T19:27:00Z GET /api/v1/releases 200 1234 0.8 [address]; one write, so that lines of several threads do not mix. */
void su_access_write(su_access *a, const su_access_line *line);

#endif
