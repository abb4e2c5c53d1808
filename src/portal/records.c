/* The synthetic records as columns and bitmaps: a filter is an AND of ORs, a table is a population count per cell or one walk over the
 * records that match, whichever is less work. */
#include "cube.h"
#include "cells.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define PATH "data/microdata.csv"

/* The same code twice, with and without the processor's own population count; the one that runs is chosen when the program starts. */
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#define SU_CLONES __attribute__((target_clones("popcnt", "default")))
#else
#define SU_CLONES
#endif

static su_status damaged(su_context *ctx, size_t line, const char *column, const char *what)
{
    return su_fail(ctx, SU_INPUT,
                   PATH ", line %zu, column %.100s: %s. The release does not fit its own datapackage.json: publish it again.", line, column,
                   what);
}

static void set_bit(uint64_t *bits, uint64_t row) { bits[row >> 6] |= (uint64_t)1 << (row & 63); }

/* ---- reading ------------------------------------------------------------------------------------------------------------------------ */

typedef struct reader {
    su_context *ctx;
    su_cube *c;
    su_cells cells;
    uint64_t capacity;
    uint16_t **code; /* per field, growing */
    char **last;     /* per field: the previous record's cell; sorted records repeat themselves */
    uint16_t *last_id;
    size_t *last_room;
    size_t grown; /* records that the arrays have room for */
} reader;

static bool is_set(const reader *r, size_t field) { return r->c->view->fields[field].kind == SU_VIEW_SET; }

static void remember(reader *r, size_t field, const char *cell, uint16_t id)
{
    size_t n = strlen(cell) + 1;
    r->last[field] = su_grow(r->last[field], &r->last_room[field], n, 1);
    memcpy(r->last[field], cell, n);
    r->last_id[field] = id;
}

static su_status read_code(reader *r, size_t field, const char *cell, uint16_t *out)
{
    const su_view_field *f = &r->c->view->fields[field];
    uint32_t value;
    *out = 0;
    if (r->last[field] && strcmp(cell, r->last[field]) == 0) {
        *out = r->last_id[field];
        return SU_OK;
    }
    if (su_dict_find(f->codes, su_str_of(cell), &value) && value < f->value_count)
        *out = (uint16_t)(value + 1);
    else if (cell[0] && strcmp(cell, f->missing) != 0)
        return damaged(r->ctx, r->cells.line, f->name, "a code that is not in its codelist");
    remember(r, field, cell, *out);
    return SU_OK;
}

static su_status read_members(reader *r, size_t field, const char *cell, uint64_t row)
{
    const su_view_field *f = &r->c->view->fields[field];
    su_cube_column *col = &r->c->columns[field];
    uint32_t value;
    if (!cell[0] || strcmp(cell, f->missing) == 0) return SU_OK;
    for (const char *p = cell; p;) {
        const char *end = strchr(p, f->separator);
        size_t n = end ? (size_t)(end - p) : strlen(p);
        if (!su_dict_find(f->codes, (su_str) { p, n }, &value) || value >= f->value_count)
            return damaged(r->ctx, r->cells.line, f->name, "a code that is not in its codelist");
        set_bit(col->bits[value], row);
        p = end ? end + 1 : NULL;
    }
    return SU_OK;
}

static void make_room(reader *r, uint64_t rows)
{
    const su_view *v = r->c->view;
    if (rows <= r->capacity) return;
    uint64_t capacity = r->capacity ? 2 * r->capacity : 4096;
    for (size_t i = 0; i < v->field_count; i++) {
        su_cube_column *col = &r->c->columns[i];
        size_t room = (size_t)r->capacity, words = (size_t)(r->capacity / 64);
        if (!col->there) continue;
        if (!is_set(r, i)) {
            col->code = su_grow(col->code, &room, (size_t)capacity, sizeof *col->code);
            continue;
        }
        for (uint32_t k = 0; k < col->values; k++) {
            size_t had = words;
            col->bits[k] = su_grow(col->bits[k], &had, (size_t)(capacity / 64), sizeof **col->bits);
            memset(col->bits[k] + words, 0, (size_t)(capacity / 64 - words) * sizeof **col->bits);
        }
    }
    r->capacity = capacity;
}

static su_status check_header(reader *r)
{
    const su_view *v = r->c->view;
    if (r->cells.count != v->field_count) return damaged(r->ctx, 1, "1", "its header does not name the fields of datapackage.json");
    for (size_t i = 0; i < v->field_count; i++)
        if (strcmp(r->cells.at[i], v->fields[i].name) != 0)
            return damaged(r->ctx, 1, r->cells.at[i], "its header does not name the fields of datapackage.json");
    return SU_OK;
}

static su_status read_rows(reader *r)
{
    su_cube *c = r->c;
    bool more;
    su_status st = su_cells_next(r->ctx, &r->cells, &more);
    if (!st) st = check_header(r);
    while (!st && !(st = su_cells_next(r->ctx, &r->cells, &more)) && more) {
        if (r->cells.count != c->view->field_count) return damaged(r->ctx, r->cells.line, "1", "the line has not one cell per column");
        if (c->records == UINT32_MAX) return damaged(r->ctx, r->cells.line, "1", "more records than can be counted");
        make_room(r, c->records + 1);
        for (size_t i = 0; i < c->view->field_count && !st; i++) {
            if (!c->columns[i].there) continue;
            st = is_set(r, i) ? read_members(r, i, r->cells.at[i], c->records)
                              : read_code(r, i, r->cells.at[i], &c->columns[i].code[c->records]);
        }
        if (!st) c->records++;
    }
    return st;
}

/* ---- indexes ------------------------------------------------------------------------------------------------------------------------ */

static uint64_t *new_bits(const su_cube *c) { return su_alloc_array((size_t)c->words + 1, sizeof(uint64_t)); }

static void index_short(su_cube *c, su_cube_column *col)
{
    for (uint32_t k = 0; k < col->values; k++) col->bits[k] = new_bits(c);
    for (uint64_t row = 0; row < c->records; row++)
        if (col->code[row]) set_bit(col->bits[col->code[row] - 1], row);
}

static void index_long(su_cube *c, su_cube_column *col)
{
    col->start = su_alloc_array((size_t)col->values + 2, sizeof *col->start);
    col->rows = su_alloc_array((size_t)c->records + 1, sizeof *col->rows);
    for (uint64_t row = 0; row < c->records; row++) col->start[col->code[row] + 1]++;
    uint32_t before = 0; /* records without a value are not listed */
    for (uint32_t k = 0; k <= col->values; k++) {
        uint32_t n = k ? col->start[k + 1] : 0;
        col->start[k] = before;
        before += n;
    }
    /* start[k] is now where code k begins, k = 1 ..; start[0] = start[1] = 0. */
    for (uint64_t row = 0; row < c->records; row++)
        if (col->code[row]) col->rows[col->start[col->code[row]]++] = (uint32_t)row;
    /* Each start has moved to its end: start[k] is now the end of code k = the beginning of value k. */
    col->start[0] = 0;
}

static void index_column(su_cube *c, size_t field)
{
    su_cube_column *col = &c->columns[field];
    col->answered = new_bits(c);
    if (c->view->fields[field].kind == SU_VIEW_SET) {
        for (uint32_t k = 0; k < col->values; k++)
            for (uint64_t w = 0; w < c->words; w++) col->answered[w] |= col->bits[k][w];
        return;
    }
    for (uint64_t row = 0; row < c->records; row++)
        if (col->code[row]) set_bit(col->answered, row);
    if (col->values <= SU_CUBE_SHORT_LIST) {
        col->bits = su_alloc_array((size_t)col->values + 1, sizeof *col->bits);
        index_short(c, col);
    } else {
        index_long(c, col);
    }
}

/* A flag's yes is its code "1"; a flag without that code has no yes. */
static void index_groups(su_cube *c)
{
    const su_view *v = c->view;
    c->group_answered = su_alloc_array(v->group_count + 1, sizeof *c->group_answered);
    for (size_t g = 0; g < v->group_count; g++) c->group_answered[g] = new_bits(c);
    for (size_t i = 0; i < v->field_count; i++) {
        const su_view_field *f = &v->fields[i];
        int yes = f->kind == SU_VIEW_FLAG && f->group >= 0 && c->columns[i].there ? su_cube_code(c, (uint32_t)i, SU_STR("1")) : -1;
        for (uint64_t w = 0; yes >= 0 && w < c->words; w++) c->group_answered[f->group][w] |= c->columns[i].bits[yes][w];
    }
}

su_status su_cube_read_records(su_context *ctx, su_cube *c, su_str bytes)
{
    size_t fields = c->view->field_count;
    reader r = { .ctx = ctx, .c = c };
    size_t bad;
    if (!su_utf8_valid(bytes.p, bytes.n, &bad)) return su_fail(ctx, SU_INPUT, PATH ": not UTF-8. Publish the release again.");
    r.last = su_alloc_array(fields + 1, sizeof *r.last);
    r.last_id = su_alloc_array(fields + 1, sizeof *r.last_id);
    r.last_room = su_alloc_array(fields + 1, sizeof *r.last_room);
    for (size_t i = 0; i < fields; i++)
        if (c->columns[i].there && is_set(&r, i)) c->columns[i].bits = su_alloc_array((size_t)c->columns[i].values + 1, sizeof(uint64_t *));
    su_cells_init(&r.cells, PATH, bytes);
    make_room(&r, 1);
    su_status st = read_rows(&r);
    c->words = (c->records + 63) / 64;
    if (!st) {
        for (size_t i = 0; i < fields; i++)
            if (c->columns[i].there) index_column(c, i);
        index_groups(c);
    }
    for (size_t i = 0; i < fields; i++) free(r.last[i]);
    free(r.last);
    free(r.last_id);
    free(r.last_room);
    su_cells_free(&r.cells);
    return st;
}

void su_cube_free_records(su_cube *c)
{
    for (size_t i = 0; i < c->view->field_count && c->columns; i++) {
        su_cube_column *col = &c->columns[i];
        for (uint32_t k = 0; col->bits && k < col->values; k++) free(col->bits[k]);
        free(col->bits);
        free(col->code);
        free(col->start);
        free(col->rows);
        free(col->answered);
    }
    for (size_t g = 0; c->group_answered && g < c->view->group_count; g++) free(c->group_answered[g]);
    free(c->group_answered);
}

/* ---- counting ----------------------------------------------------------------------------------------------------------------------- */

SU_CLONES uint64_t su_cube_popcount(const uint64_t *bits, uint64_t words)
{
    uint64_t n = 0;
    for (uint64_t w = 0; w < words; w++) n += (uint64_t)__builtin_popcountll(bits[w]);
    return n;
}

static void or_value(const su_cube *c, const su_cube_column *col, uint32_t value, uint64_t *into)
{
    if (col->bits)
        for (uint64_t w = 0; w < c->words; w++) into[w] |= col->bits[value][w];
    else
        for (uint32_t i = col->start[value]; i < col->start[value + 1]; i++) set_bit(into, col->rows[i]);
}

void su_cube_and_filter(const su_cube *c, const su_filter *f, uint64_t *into)
{
    const su_cube_column *col = &c->columns[f->field];
    if (f->count == 1 && col->bits) {
        for (uint64_t w = 0; w < c->words; w++) into[w] &= col->bits[f->code[0]][w];
        return;
    }
    uint64_t *any = new_bits(c);
    for (size_t i = 0; i < f->count; i++) or_value(c, col, f->code[i], any);
    for (uint64_t w = 0; w < c->words; w++) into[w] &= any[w];
    free(any);
}

uint32_t su_cube_attribute(const su_cube *c, const su_dimension *d, size_t member)
{
    if (d->field >= 0) return c->columns[d->field].base + d->value[member];
    int yes = su_cube_code(c, d->value[member], SU_STR("1"));
    return c->columns[d->value[member]].base + (uint32_t)(yes < 0 ? 0 : yes);
}

typedef struct walk {
    const su_cube *c;
    const su_dimension *d;
    size_t dimensions;
    size_t stride[SU_QUERY_MAX_BY + 1];
    uint32_t *place[SU_QUERY_MAX_BY + 1]; /* per code column: 1 + member of code, 0 = not asked for */
} walk;

static bool is_coded(const walk *k, size_t from)
{
    for (size_t i = from; i < k->dimensions; i++)
        if (k->d[i].field < 0 || !k->c->columns[k->d[i].field].code) return false;
    return true;
}

/* One walk over the records that match; all dimensions from `from` on have one code per record. */
static void count_by_rows(const walk *k, size_t from, const uint64_t *within, uint64_t *out)
{
    const uint16_t *code[SU_QUERY_MAX_BY + 1];
    for (size_t i = from; i < k->dimensions; i++) code[i] = k->c->columns[k->d[i].field].code;
    for (uint64_t w = 0; w < k->c->words; w++)
        for (uint64_t left = within[w]; left; left &= left - 1) {
            uint64_t row = w * 64 + (uint64_t)__builtin_ctzll(left);
            size_t at = 0, i = from;
            for (; i < k->dimensions; i++) {
                uint32_t member = k->place[i][code[i][row]];
                if (member == 0) break;
                at += (member - 1) * k->stride[i];
            }
            if (i == k->dimensions) out[at]++;
        }
}

SU_CLONES static uint64_t and_count(const uint64_t *a, const uint64_t *b, uint64_t words)
{
    uint64_t n = 0;
    for (uint64_t w = 0; w < words; w++) n += (uint64_t)__builtin_popcountll(a[w] & b[w]);
    return n;
}

static void count_level(const walk *k, size_t level, const uint64_t *within, uint64_t *out)
{
    const su_cube *c = k->c;
    const su_dimension *d = &k->d[level];
    size_t cells = d->count * k->stride[level];
    bool bitmaps = true;
    for (size_t i = level; i < k->dimensions; i++) bitmaps = bitmaps && (k->d[i].field < 0 || c->columns[k->d[i].field].bits);
    if (is_coded(k, level) && (!bitmaps || su_cube_popcount(within, c->words) < cells * c->words / 2)) {
        count_by_rows(k, level, within, out);
        return;
    }
    uint64_t *part = new_bits(c);
    for (size_t m = 0; m < d->count; m++) {
        uint32_t attribute = su_cube_attribute(c, d, m);
        const su_cube_column *col = &c->columns[c->field_of[attribute]];
        uint32_t value = attribute - col->base;
        if (level + 1 == k->dimensions && col->bits) {
            out[m] = and_count(within, col->bits[value], c->words);
            continue;
        }
        memset(part, 0, (size_t)c->words * sizeof *part);
        or_value(c, col, value, part);
        for (uint64_t w = 0; w < c->words; w++) part[w] &= within[w];
        if (level + 1 == k->dimensions)
            out[m] = su_cube_popcount(part, c->words);
        else
            count_level(k, level + 1, part, out + m * k->stride[level]);
    }
    free(part);
}

void su_cube_count_cells(const su_cube *c, const su_dimension *d, size_t dimensions, const uint64_t *within, uint64_t *out)
{
    walk k = { .c = c, .d = d, .dimensions = dimensions };
    size_t stride = 1;
    for (size_t i = dimensions; i-- > 0;) {
        k.stride[i] = stride;
        stride *= d[i].count;
        if (d[i].field < 0 || !c->columns[d[i].field].code) continue;
        k.place[i] = su_alloc_array((size_t)c->columns[d[i].field].values + 1, sizeof *k.place[i]);
        for (size_t m = 0; m < d[i].count; m++) k.place[i][d[i].value[m] + 1] = (uint32_t)m + 1;
    }
    memset(out, 0, stride * sizeof *out);
    if (dimensions && stride)
        count_level(&k, 0, within, out);
    else if (!dimensions)
        out[0] = su_cube_popcount(within, c->words);
    for (size_t i = 0; i < dimensions; i++) free(k.place[i]);
}

double su_cube_value_records(const su_cube *c, uint32_t field, uint32_t value)
{
    const su_cube_column *k = &c->columns[field];
    if (!k->there || value >= k->values || (!k->bits && !k->start)) return NAN;
    return k->bits ? (double)su_cube_popcount(k->bits[value], c->words) : (double)(k->start[value + 1] - k->start[value]);
}
