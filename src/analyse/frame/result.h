/* result: what the three printers see. Lists grow in the result's arena, in the order in which they were added. */
#ifndef SU_ANALYSE_RESULT_H
#define SU_ANALYSE_RESULT_H

#include <suha/analyse.h>

typedef struct su_result_cell {
    const char *text; /* SU_COLUMN_TEXT; NULL = nothing */
    double number;
    int64_t integer;
    bool empty;
} su_result_cell;

typedef struct su_result_head {
    const char *name, *title;
    su_column_kind kind;
} su_result_head;

struct su_result_table {
    su_result *result;
    const char *id, *title;
    su_result_head *columns;
    size_t column_count, column_capacity;
    su_result_cell *cells; /* row by row */
    size_t cell_count, cell_capacity;
    su_result_table *next;
};

typedef struct su_result_fact_entry {
    const char *key, *title, *text; /* text NULL: a number */
    double number;
} su_result_fact_entry;

typedef struct su_result_warning {
    const char *code, *text;
} su_result_warning;

enum { SU_LABELS_MOST = 3 };

typedef struct su_result_plot_entry {
    su_plot_kind kind;
    const char *title;
    const su_result_table *table;
    int x, estimate, low, high; /* columns; -1 = none */
    int labels[SU_LABELS_MOST], label_count;
} su_result_plot_entry;

struct su_result {
    su_arena arena;
    const char *command, *title;
    su_result_table *tables, *last;
    su_result_fact_entry *facts;
    size_t fact_count, fact_capacity;
    su_result_warning *warnings;
    size_t warning_count, warning_capacity;
    const char **methods;
    size_t method_count, method_capacity;
    su_result_plot_entry *plots;
    size_t plot_count, plot_capacity;
    char hash[65]; /* "" = not set */
    const char *specification;
    uint64_t seed;
};

static inline size_t su_result_table_rows(const su_result_table *t) { return t->column_count ? t->cell_count / t->column_count : 0; }
const su_result_table *su_result_find(const su_result *r, const char *id);
int su_result_column_index(const su_result_table *t, const char *name);

/* Digits after the point that show a column's largest number with five significant digits; 0..8. */
int su_result_decimals(const su_result_table *t, size_t column);
/* The cell as a person reads it; decimals only for SU_COLUMN_NUMBER. */
void su_result_cell_text(const su_result_cell *c, su_column_kind kind, int decimals, su_buf *out);
void su_result_number_text(double x, su_buf *out); /* a fact: whole numbers whole, others with six significant digits */
void su_result_plot_svg(const su_result_plot_entry *p, su_buf *out);

#endif
