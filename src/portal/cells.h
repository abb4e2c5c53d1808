/* cells: a strict reader of the CSV that a bundle holds (RFC 4180, comma, UTF-8). */
#ifndef SU_PORTAL_CELLS_H
#define SU_PORTAL_CELLS_H

#include <suha/base.h>

#define SU_CELLS_MAX 1024u

typedef struct su_cells {
    const char *source; /* for messages */
    const char *p, *end;
    size_t line; /* of the row last read, 1-based */
    su_buf text; /* the row's unquoted cells, each NUL-terminated */
    const char *at[SU_CELLS_MAX];
    size_t count;
} su_cells;

void su_cells_init(su_cells *c, const char *source, su_str bytes);
void su_cells_free(su_cells *c);
/* Next row; *more = false at the end. SU_INPUT with source and line for a quote that does not close, a NUL, or more than SU_CELLS_MAX
 * cells. */
su_status su_cells_next(su_context *ctx, su_cells *c, bool *more) SU_MUST_CHECK;
/* Index of the named column of the row last read (the header), or -1. */
int su_cells_find(const su_cells *c, const char *name);
/* Takes one column=code off a combination (docs/bundle.md, aggregates), undoing its escapes into `into`. False when it has no '='. */
bool su_cells_part(const char **at, su_buf *into, su_str *name, su_str *code);

#endif
