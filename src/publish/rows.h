/* rows: a strict reader of the CSV that a bundle holds (RFC 4180, comma, LF), row by row. */
#ifndef SU_PUBLISH_ROWS_H
#define SU_PUBLISH_ROWS_H

#include <suha/base.h>

typedef struct su_rows {
    const char *source; /* for messages */
    const char *p, *end;
    size_t line, next_line; /* where the row last read starts, 1-based; where the next one does */
    su_buf text;            /* its unquoted cells, one after the other */
    size_t *start;          /* start[i] .. start[i+1] of text is cell i */
    size_t count, capacity;
} su_rows;

void su_rows_init(su_rows *r, const char *source, su_str bytes);
void su_rows_free(su_rows *r);
/* Next row; *more = false at the end. SU_INPUT with source and line: a quote that does not close or stands inside a cell, a zero byte. */
su_status su_rows_next(su_context *ctx, su_rows *r, bool *more) SU_MUST_CHECK;
su_str su_rows_cell(const su_rows *r, size_t i); /* until the next row is read */

#endif
