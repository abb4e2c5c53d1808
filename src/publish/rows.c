#include "rows.h"

#include <stdlib.h>

void su_rows_init(su_rows *r, const char *source, su_str bytes)
{
    *r = (su_rows) { .source = source, .p = bytes.p, .end = bytes.p + bytes.n, .next_line = 1 };
}

void su_rows_free(su_rows *r)
{
    su_buf_free(&r->text);
    free(r->start);
    *r = (su_rows) { 0 };
}

static su_status bad(su_context *ctx, const su_rows *r, const char *what)
{
    return su_fail(ctx, SU_INPUT, "%s, line %zu: %s.", r->source, r->line, what);
}

static su_status quoted(su_context *ctx, su_rows *r)
{
    for (r->p++;; r->p++) {
        if (r->p == r->end) return bad(ctx, r, "a quote that does not close");
        if (*r->p == '"') {
            if (r->p + 1 == r->end || r->p[1] != '"') break;
            r->p++;
        }
        if (*r->p == 0) return bad(ctx, r, "a zero byte");
        if (*r->p == '\n') r->next_line++;
        su_buf_char(&r->text, *r->p);
    }
    r->p++;
    return r->p == r->end || *r->p == ',' || *r->p == '\n' ? SU_OK : bad(ctx, r, "text after a closing quote");
}

static su_status plain(su_context *ctx, su_rows *r)
{
    for (; r->p < r->end && *r->p != ',' && *r->p != '\n'; r->p++) {
        if (*r->p == 0 || *r->p == '"') return bad(ctx, r, *r->p ? "a quote inside a cell" : "a zero byte");
        su_buf_char(&r->text, *r->p);
    }
    return SU_OK;
}

su_status su_rows_next(su_context *ctx, su_rows *r, bool *more)
{
    r->text.n = r->count = 0;
    *more = r->p < r->end;
    if (!*more) return SU_OK;
    r->line = r->next_line;
    for (;;) {
        if (r->count + 2 > r->capacity) r->start = su_grow(r->start, &r->capacity, r->count + 2, sizeof *r->start);
        r->start[r->count++] = r->text.n;
        su_status st = r->p < r->end && *r->p == '"' ? quoted(ctx, r) : plain(ctx, r);
        if (st) return st;
        r->start[r->count] = r->text.n;
        if (r->p == r->end || *r->p == '\n') break;
        r->p++;
    }
    if (r->p < r->end) {
        r->p++;
        r->next_line++;
    }
    return SU_OK;
}

su_str su_rows_cell(const su_rows *r, size_t i)
{
    return (su_str) { r->text.p ? r->text.p + r->start[i] : "", r->start[i + 1] - r->start[i] };
}
