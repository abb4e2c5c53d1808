/* view: a source column as its distinct values ("cells"), and, where cells hold several values, their members ("items"). All mapping work
 * is done per item; rows only carry ids. A view is of a raw column, or of a field that the mapping has filled already (@name). */
#ifndef SUHA_HARMONISE_VIEW_H
#define SUHA_HARMONISE_VIEW_H

#include "lookup.h"
#include "mapping.h"

/* What the fields made of an item. */
enum { ITEM_VALUE = 1, ITEM_STATED = 2, ITEM_MISSING = 4, ITEM_FAILED = 8 };

typedef struct source_view {
    const map_source *source;
    uint32_t cell_count;
    const su_raw_column *column; /* per row its cell: the ids of this column, */
    const uint32_t *ids;         /* or where there is none these */
    uint32_t *owned_ids;         /* the same when made here */
    uint32_t item_count;
    cell_text *items;
    su_cell *item_reason; /* @columns: why there is no value, 0 where there is one; NULL otherwise */
    uint32_t *first_item; /* cell_count + 1 offsets into item_of; NULL: item i is cell i */
    uint32_t *item_of;
    su_cell *empty_reason; /* cells without items: why; NULL with first_item NULL */
    uint8_t *state;        /* per item */
    date_order order;
    su_arena arena;
} source_view;

void view_of_column(source_view *v, const su_mapping *m, const map_source *source, const su_raw_column *column);
void view_of_field(source_view *v, const su_mapping *m, const map_source *source, const su_case_table *t);
void view_free(source_view *v);
/* Cells of the rows from..from+n-1; `room` has place for n. */
static inline const uint32_t *view_cells(const source_view *v, uint64_t from, uint64_t n, uint32_t *room)
{
    return v->column != NULL ? su_raw_ids(v->column, from, n, room) : v->ids + from;
}
static inline bool item_is_unmapped(uint8_t state) { return (state & ITEM_FAILED) != 0 || (state & ~ITEM_FAILED) == 0; }

#endif
