#include "cells.h"

#include <string.h>

void su_cells_init(su_cells *c, const char *source, su_str bytes)
{
    *c = (su_cells) { .source = source, .p = bytes.p, .end = bytes.p ? bytes.p + bytes.n : bytes.p };
}

void su_cells_free(su_cells *c) { su_buf_free(&c->text); }

static su_status bad(su_context *ctx, const su_cells *c, const char *what)
{
    return su_fail(ctx, SU_INPUT, "%s, line %zu: %s. The release is damaged: publish it again.", c->source, c->line, what);
}

/* One cell into c->text; leaves c->p on the comma, the line end or the end. */
static su_status read_cell(su_context *ctx, su_cells *c)
{
    if (c->p < c->end && *c->p == '"') {
        for (c->p++;; c->p++) {
            if (c->p == c->end) return bad(ctx, c, "a quote that does not close");
            if (*c->p == '"') {
                if (c->p + 1 == c->end || c->p[1] != '"') break;
                c->p++;
            }
            if (*c->p == 0) return bad(ctx, c, "a zero byte");
            su_buf_char(&c->text, *c->p);
        }
        c->p++;
        if (c->p < c->end && *c->p != ',' && *c->p != '\n' && *c->p != '\r') return bad(ctx, c, "text after a closing quote");
    } else {
        while (c->p < c->end && *c->p != ',' && *c->p != '\n' && *c->p != '\r') {
            if (*c->p == 0 || *c->p == '"') return bad(ctx, c, *c->p ? "a quote inside a cell" : "a zero byte");
            su_buf_char(&c->text, *c->p++);
        }
    }
    su_buf_add(&c->text, "", 1);
    return SU_OK;
}

su_status su_cells_next(su_context *ctx, su_cells *c, bool *more)
{
    size_t start[SU_CELLS_MAX];
    c->text.n = 0;
    c->count = 0;
    *more = c->p < c->end;
    if (!*more) return SU_OK;
    c->line++;
    for (;;) {
        if (c->count == SU_CELLS_MAX) {
            c->count = 0;
            return bad(ctx, c, "too many columns");
        }
        start[c->count++] = c->text.n;
        su_status st = read_cell(ctx, c);
        if (st) {
            c->count = 0;
            return st;
        }
        if (c->p < c->end && *c->p == ',') {
            c->p++;
            continue;
        }
        break;
    }
    if (c->p < c->end && *c->p == '\r') c->p++;
    if (c->p < c->end && *c->p == '\n') c->p++;
    for (size_t i = 0; i < c->count; i++) c->at[i] = c->text.p + start[i];
    return SU_OK;
}

int su_cells_find(const su_cells *c, const char *name)
{
    for (size_t i = 0; i < c->count; i++)
        if (strcmp(c->at[i], name) == 0) return (int)i;
    return -1;
}

bool su_cells_part(const char **at, su_buf *into, su_str *name, su_str *code)
{
    size_t equals = SIZE_MAX;
    const char *p = *at;
    into->n = 0;
    for (; *p && *p != ';'; p++) {
        if (*p == '\\' && p[1])
            p++;
        else if (*p == '=' && equals == SIZE_MAX) {
            equals = into->n;
            continue;
        }
        su_buf_char(into, *p);
    }
    *at = *p ? p + 1 : p;
    if (equals == SIZE_MAX) return false;
    *name = (su_str) { into->p ? into->p : "", equals };
    *code = (su_str) { into->p ? into->p + equals : "", into->n - equals };
    return true;
}
