/* submap: how a table falls on the table of some of its columns, planned once and used in every pass of belief propagation.
 *
 * Tables are rows of cells, columns ascending, last column fastest. The last columns that are all kept or all summed out form the inner
 * run: row r of `inner` cells falls on the cells at[r] .. at[r] + inner - 1 (kept) or on the one cell at[r] (summed). */
#ifndef SU_PROTECT_SUBMAP_H
#define SU_PROTECT_SUBMAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Columns 0..127 of a model as a set; bit c = column c. */
#define SU_MODEL_COLUMNS 128u
typedef unsigned __int128 su_column_set;

static inline su_column_set su_set_of(uint32_t column) { return (su_column_set)1 << column; }
static inline bool su_set_has(su_column_set s, uint32_t column) { return s >> column & 1; }
static inline bool su_set_within(su_column_set inner, su_column_set outer) { return (inner & ~outer) == 0; }
static inline uint32_t su_set_first(su_column_set s) /* s not empty */
{
    return (uint64_t)s ? (uint32_t)__builtin_ctzll((uint64_t)s) : 64 + (uint32_t)__builtin_ctzll((uint64_t)(s >> 64));
}
static inline uint32_t su_set_size(su_column_set s)
{
    return (uint32_t)(__builtin_popcountll((uint64_t)s) + __builtin_popcountll((uint64_t)(s >> 64)));
}
/* for (su_column_set left = s; left; left &= left - 1) { uint32_t column = su_set_first(left); ... } walks a set in ascending order. */

/* Product of the cards; UINT64_MAX when it does not fit. */
uint64_t su_set_cells(su_column_set s, const uint32_t *card);

typedef struct su_submap {
    size_t rows, inner, cells; /* cells: of the smaller table */
    bool kept;
    uint32_t *at;
} su_submap;

/* `sub` must lie within `whole`; both below 2^32 cells. O(rows) time and memory. */
void su_submap_init(su_submap *m, su_column_set whole, su_column_set sub, const uint32_t *card);
void su_submap_free(su_submap *m);

/* The passes: one read of the large table each. Sums are made in one fixed order. */
void su_submap_sum(const su_submap *m, const double *x, double *sub);   /* sub = sums of x */
void su_submap_max(const su_submap *m, const double *x, double *sub);   /* sub = maxima of x */
/* sub += sums of the cells from .. to - 1. */
void su_submap_sum_part(const su_submap *m, const double *x, size_t from, size_t to, double *sub);
/* x += sub and x *= sub, repeated, in the cells from .. to - 1 of the large table, so that threads can share one. */
void su_submap_add(const su_submap *m, const double *sub, double *x, size_t from, size_t to);
void su_submap_scale(const su_submap *m, const double *sub, double *x, size_t from, size_t to);

#endif
