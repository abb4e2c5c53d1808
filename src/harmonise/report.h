/* report: fills a su_harmonise_report from the work done. Writing it out is report_write.c. */
#ifndef SUHA_HARMONISE_REPORT_H
#define SUHA_HARMONISE_REPORT_H

#include "evaluate.h"

typedef enum row_state { ROW_KEPT, ROW_MARGIN, ROW_REJECTED, ROW_BLANK } row_state;

#define MAX_REJECTS 1000u

su_harmonise_report *report_new(const su_raw_table *raw, const su_schema *schema);
/* Adds a rejected row; only the first MAX_REJECTS are kept, all are counted by the caller. column and value may be NULL. */
void report_reject(su_harmonise_report *r, uint32_t line, const char *column, su_str value, const char *reason);
/* True where cells of this raw column must not be shown: record numbers, and columns that feed identifiers or texts. */
bool report_hides(const su_mapping *m, size_t source);
/* evaluation.cell_rows: rows that are neither blank nor totals. Every array from su_alloc. */
uint32_t **report_cell_rows(const su_raw_table *raw, const uint8_t *state);
/* One entry per raw column, then one per @column. Rows in state ROW_MARGIN or ROW_BLANK are not counted. e->views may be empty (nothing was
 * evaluated). */
void report_columns(su_harmonise_report *r, const evaluation *e, const uint8_t *state);
void report_fields(su_harmonise_report *r, const su_case_table *t);
void report_rules(su_harmonise_report *r, const su_case_table *t); /* record_rules.c */

#endif
