/* evaluate: fills a case table, one row per source row, from a raw table by a mapping's plan. Cost: the distinct values, and one gather per
 * row and source column. */
#ifndef SUHA_HARMONISE_EVALUATE_H
#define SUHA_HARMONISE_EVALUATE_H

#include "view.h"

typedef struct evaluation {
    su_context *ctx;
    const su_raw_table *raw;
    const su_mapping *mapping;
    const int *columns;   /* raw column per mapping source, -1 for @columns and absent dropped ones */
    source_view *views;   /* one per mapping source; source == NULL where none was needed */
    uint32_t **cell_rows; /* per raw column and distinct value: rows that are no blank and no total */
    su_raw_table *emptied; /* raw, or NULL: columns of which the ids go after their last use */
    bool *kept;            /* per raw column: not this one */
    su_case_table *table;  /* raw->row_count rows */
} evaluation;

/* Rows at a time when ids are spread out. */
#define ID_BLOCK 2048u

/* Fills e->views and e->table (both made by the caller, empty). SU_CANCELLED only. */
su_status evaluate(evaluation *e) SU_MUST_CHECK;

#endif
