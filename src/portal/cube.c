/* Reading data/aggregates.csv into a hash of attribute sets, and knowing which columns were counted together. */
#include "cube.h"
#include "cells.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static su_status damaged(su_context *ctx, const char *path, size_t line, const char *what)
{
    return su_fail(ctx, SU_INPUT, "%s, line %zu: %s. The release does not fit its own datapackage.json: publish it again.", path, line,
                   what);
}

static uint64_t hash_words(const uint32_t *p, size_t n)
{
    uint64_t h = 0x9e3779b97f4a7c15u ^ n;
    for (size_t i = 0; i < n; i++) {
        h = (h ^ p[i]) * 0xff51afd7ed558ccdu;
        h ^= h >> 32;
    }
    return h ? h : 1;
}

static void sort_words(uint32_t *p, size_t n)
{
    for (size_t i = 1; i < n; i++)
        for (size_t k = i; k > 0 && p[k - 1] > p[k]; k--) {
            uint32_t other = p[k];
            p[k] = p[k - 1];
            p[k - 1] = other;
        }
}

/* ---- column sets -------------------------------------------------------------------------------------------------------------------- */

static bool has_set(const su_cube *c, uint64_t hash)
{
    for (size_t at = hash & (c->set_slots - 1);; at = (at + 1) & (c->set_slots - 1)) {
        if (c->sets[at] == hash) return true;
        if (c->sets[at] == 0) return false;
    }
}

static void put_set(su_cube *c, uint64_t hash)
{
    if (c->set_slots && has_set(c, hash)) return;
    if (2 * (c->set_count + 1) > c->set_slots) {
        uint64_t *old = c->sets;
        size_t slots = c->set_slots;
        c->set_slots = slots ? 2 * slots : 256;
        c->sets = su_alloc_array(c->set_slots, sizeof *c->sets);
        c->set_count = 0;
        for (size_t i = 0; i < slots; i++)
            if (old[i]) put_set(c, old[i]);
        free(old);
    }
    size_t at = hash & (c->set_slots - 1);
    while (c->sets[at]) at = (at + 1) & (c->set_slots - 1);
    c->sets[at] = hash;
    c->set_count++;
}

/* Every part of a table was counted together too. */
static void put_parts(su_cube *c, const su_view_table *t)
{
    uint32_t part[SU_VIEW_MAX_LENGTH];
    for (uint32_t mask = 1; mask < 1u << t->length; mask++) {
        size_t n = 0;
        for (uint32_t i = 0; i < t->length; i++)
            if (mask >> i & 1) part[n++] = t->field[i];
        put_set(c, hash_words(part, n));
    }
}

static bool left_out(const su_view *v, const uint32_t *fields, size_t n)
{
    for (size_t i = 0; i < v->left_out_count; i++) {
        const su_view_table *t = &v->left_out[i];
        size_t found = 0;
        for (size_t k = 0; k < n && found < t->length; k++) found += fields[k] == t->field[found];
        if (found == t->length) return true;
    }
    return false;
}

bool su_cube_together(const su_cube *c, const uint32_t *fields, size_t n)
{
    if (n <= 1 || has_set(c, hash_words(fields, n))) return true;
    return c->view->measured_count == 0 && !left_out(c->view, fields, n);
}

/* ---- released counts ---------------------------------------------------------------------------------------------------------------- */

static bool same_key(const su_cube *c, size_t row, const uint32_t *key) /* key: padded */
{
    return memcmp(&c->keys[row * c->length], key, c->length * sizeof *key) == 0;
}

static void pad(const su_cube *c, const uint32_t *attributes, size_t n, uint32_t *key)
{
    for (size_t i = 0; i < c->length; i++) key[i] = i < n ? attributes[i] : SU_CUBE_NONE;
}

const su_cube_count *su_cube_find(const su_cube *c, const uint32_t *attributes, size_t n)
{
    uint32_t key[SU_VIEW_MAX_LENGTH];
    if (n == 0 || n > c->length || c->slot_count == 0) return NULL;
    pad(c, attributes, n, key);
    for (size_t at = hash_words(attributes, n) & (c->slot_count - 1);; at = (at + 1) & (c->slot_count - 1)) {
        if (c->slots[at] == 0) return NULL;
        if (same_key(c, c->slots[at] - 1, key)) return &c->counts[c->slots[at] - 1];
    }
}

static void index_counts(su_cube *c)
{
    c->slot_count = 16;
    while (c->slot_count < 2 * c->count) c->slot_count *= 2;
    c->slots = su_alloc_array(c->slot_count, sizeof *c->slots);
    for (size_t row = 0; row < c->count; row++) {
        const uint32_t *key = &c->keys[row * c->length];
        size_t n = 0;
        while (n < c->length && key[n] != SU_CUBE_NONE) n++;
        size_t at = hash_words(key, n) & (c->slot_count - 1);
        while (c->slots[at] && !same_key(c, c->slots[at] - 1, key)) at = (at + 1) & (c->slot_count - 1);
        if (c->slots[at] == 0) c->slots[at] = (uint32_t)row + 1;
    }
}

typedef struct counts_reader {
    su_cube *c;
    su_cells cells;
    su_dict *names;
    su_buf scratch;
} counts_reader;

/* The attributes of a row's combination, ascending. NULL, or what is wrong with it. */
static const char *read_key(counts_reader *r, uint32_t *key, size_t *n, bool *known)
{
    const char *rest = r->cells.at[0];
    su_str name, code;
    uint32_t field, value;
    *n = 0;
    *known = true;
    do {
        if (!su_cells_part(&rest, &r->scratch, &name, &code)) return "not column=code";
        if (*n == r->c->length) return "a combination longer than the release says";
        if (!su_dict_find(r->names, name, &field)) return "a column that datapackage.json does not name";
        const su_view_field *f = &r->c->view->fields[field];
        if (!r->c->columns[field].there)
            *known = false; /* a column without a public list: nobody can ask for it */
        else if (!su_dict_find(f->codes, code, &value) || value >= f->value_count)
            return "a code that is not in its codelist";
        if (*known) key[(*n)++] = r->c->columns[field].base + value;
    } while (*rest);
    sort_words(key, *n);
    return NULL;
}

static const char *read_count(counts_reader *r)
{
    su_cube *c = r->c;
    uint32_t key[SU_VIEW_MAX_LENGTH], fields[SU_VIEW_MAX_LENGTH];
    size_t n;
    bool known;
    int64_t count;
    if (r->cells.count != 5) return "a line has not five cells";
    const char *fault = read_key(r, key, &n, &known);
    if (fault || !known) return fault;
    if (!su_parse_i64(su_str_of(r->cells.at[2]), &count) || count < 0 || count > (int64_t)1 << 52) return "the count is not a whole number";
    su_cube_count one = { (double)count, NAN, NAN };
    if (r->cells.at[3][0] && !su_parse_f64(su_str_of(r->cells.at[3]), &one.low)) return "an interval end is not a number";
    if (r->cells.at[4][0] && !su_parse_f64(su_str_of(r->cells.at[4]), &one.high)) return "an interval end is not a number";
    if (c->count == UINT32_MAX - 1) return "too many combinations";
    c->counts = su_grow(c->counts, &c->capacity, c->count + 1, sizeof *c->counts);
    c->keys = su_grow(c->keys, &c->key_capacity, (c->count + 1) * c->length, sizeof *c->keys);
    pad(c, key, n, &c->keys[c->count * c->length]);
    c->counts[c->count++] = one;
    for (size_t i = 0; i < n; i++) fields[i] = c->field_of[key[i]];
    put_set(c, hash_words(fields, n));
    return NULL;
}

static su_status read_counts(su_context *ctx, su_cube *c, su_str bytes)
{
    static const char *const path = "data/aggregates.csv";
    counts_reader r = { .c = c, .names = su_dict_new() };
    bool more;
    su_status st = SU_OK;
    for (size_t i = 0; i < c->view->field_count && !st; i++)
        if (su_dict_add(r.names, su_str_of(c->view->fields[i].name)) != i) st = damaged(ctx, path, 1, "two columns have one name");
    su_cells_init(&r.cells, path, bytes);
    if (!st) st = su_cells_next(ctx, &r.cells, &more); /* the header: su_view_read has checked it */
    while (!st && !(st = su_cells_next(ctx, &r.cells, &more)) && more) {
        const char *fault = read_count(&r);
        if (fault) st = damaged(ctx, path, r.cells.line, fault);
    }
    su_cells_free(&r.cells);
    su_buf_free(&r.scratch);
    su_dict_free(r.names);
    if (!st) index_counts(c);
    return st;
}

/* ---- the cube ----------------------------------------------------------------------------------------------------------------------- */

static void number_attributes(su_cube *c)
{
    const su_view *v = c->view;
    c->columns = su_arena_array(&c->arena, v->field_count + 1, sizeof *c->columns);
    for (size_t i = 0; i < v->field_count; i++) {
        const su_view_field *f = &v->fields[i];
        su_cube_column *col = &c->columns[i];
        *col = (su_cube_column) { .there = f->provided && f->value_count > 0, .base = c->attributes };
        col->values = col->there ? (uint32_t)f->value_count : 0;
        c->attributes += col->values;
    }
    c->field_of = su_arena_array(&c->arena, c->attributes + 1, sizeof *c->field_of);
    for (size_t i = 0; i < v->field_count; i++)
        for (uint32_t k = 0; k < c->columns[i].values; k++) c->field_of[c->columns[i].base + k] = (uint16_t)i;
}

su_status su_cube_new(su_context *ctx, const su_view *view, su_view_file file, void *arg, su_cube **out)
{
    su_str counts, records;
    su_cube *c = su_alloc(sizeof *c);
    su_arena_init(&c->arena);
    c->view = view;
    c->length = view->length;
    *out = NULL;
    number_attributes(c);
    put_set(c, 1); /* never empty */
    for (size_t i = 0; i < view->measured_count; i++) put_parts(c, &view->measured[i]);
    su_status st = SU_OK;
    if (!file(arg, "data/aggregates.csv", &counts) || !file(arg, "data/microdata.csv", &records))
        st = su_fail(ctx, SU_INPUT, "The release has no data/aggregates.csv or no data/microdata.csv: publish it again.");
    if (!st) st = read_counts(ctx, c, counts);
    if (!st) st = su_cube_read_records(ctx, c, records);
    if (st)
        su_cube_free(c);
    else
        *out = c;
    return st;
}

void su_cube_free(su_cube *c)
{
    if (!c) return;
    su_cube_free_records(c);
    free(c->keys);
    free(c->counts);
    free(c->slots);
    free(c->sets);
    su_arena_free(&c->arena);
    free(c);
}
