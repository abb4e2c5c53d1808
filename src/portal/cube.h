/* cube: a release indexed for counting; private to query.h's implementation. Attributes (column = code) are numbered field by field. */
#ifndef SU_PORTAL_CUBE_H
#define SU_PORTAL_CUBE_H

#include "query.h"

#define SU_CUBE_NONE UINT32_MAX
#define SU_CUBE_SHORT_LIST 64u /* up to so many codes a column has a bitmap per code; longer lists have the rows of each code */

typedef struct su_cube_column {
    bool there;    /* provided, with a public list: can be asked for */
    uint32_t base; /* attribute of its first value */
    uint32_t values;
    uint16_t *code;         /* per record 1 + value, 0 = none; NULL for a code-set */
    uint64_t **bits;        /* per value a bitmap over records; NULL for a long list */
    uint32_t *start, *rows; /* long list: records of value v are rows[start[v]..start[v + 1]) */
    uint64_t *answered;     /* records with any value */
} su_cube_column;

/* A released count. Its key is `length` attributes, ascending. */
typedef struct su_cube_count {
    double count, low, high; /* low, high: NaN without an interval */
} su_cube_count;

struct su_cube {
    su_arena arena;
    const su_view *view;
    su_cube_column *columns;
    uint32_t attributes;
    uint16_t *field_of; /* per attribute */
    uint32_t length;
    uint64_t records, words;
    uint64_t **group_answered; /* per group: records with a yes in it */
    uint32_t *keys;            /* length per released count; the rest SU_CUBE_NONE */
    su_cube_count *counts;
    uint32_t *slots; /* open addressing: 1 + index into counts */
    size_t count, capacity, key_capacity, slot_count;
    uint64_t *sets; /* open addressing: hashes of column sets counted together; 0 = free */
    size_t set_count, set_slots;
};

/* attributes ascending. NULL = not released. O(n). */
const su_cube_count *su_cube_find(const su_cube *c, const uint32_t *attributes, size_t n);
/* Whether these columns (ascending indices, n <= c->length) were counted together. */
bool su_cube_together(const su_cube *c, const uint32_t *fields, size_t n);

/* records.c: bitmaps over the synthetic records. */
su_status su_cube_read_records(su_context *ctx, su_cube *c, su_str bytes) SU_MUST_CHECK;
void su_cube_free_records(su_cube *c);
/* into = into AND (any of the codes). */
void su_cube_and_filter(const su_cube *c, const su_filter *f, uint64_t *into);
uint64_t su_cube_popcount(const uint64_t *bits, uint64_t words);
/* Counts of every cell among the records of `within`, first dimension slowest; `out` has the product of the dimensions' sizes. */
void su_cube_count_cells(const su_cube *c, const su_dimension *d, size_t dimensions, const uint64_t *within, uint64_t *out);
/* Attribute of a member of a dimension. */
uint32_t su_cube_attribute(const su_cube *c, const su_dimension *d, size_t member);

#endif
