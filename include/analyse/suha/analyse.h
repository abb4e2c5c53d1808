/* analyse: rates, survey design, models, hidden populations and flows. Cores: frames and options in, results out; no files, no clock.
 *
 * This header holds what all of them share: the frame (data as variables) and the result (tables that people read and programs parse).
 * The methods are in suha/rates.h, suha/logit.h, suha/mse.h, suha/flow.h, suha/impute.h. */
#ifndef SUHA_ANALYSE_H
#define SUHA_ANALYSE_H

#include <suha/table.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- frame: rows by variables ------------------------------------------------------------------------------------------------------- */

typedef enum su_variable_kind {
    SU_VARIABLE_NUMBER, /* every value that is there is a finite number */
    SU_VARIABLE_FACTOR  /* levels in a public order: the codelist's where a schema gives one, otherwise numbers by size, then text by bytes */
} su_variable_kind;

/* A variable is dictionary encoded when it comes from a table (ids, one per row, index the arrays below) and plain when it comes from
 * arrays (ids NULL: the row number indexes them). */
typedef struct su_variable {
    const char *name;
    su_variable_kind kind;
    const uint32_t *ids;
    const double *number;  /* SU_VARIABLE_NUMBER; NaN = missing */
    const uint32_t *level; /* SU_VARIABLE_FACTOR; 0 = missing, otherwise 1..level_count */
    const char *const *levels;
    uint32_t level_count;
    const su_cell *reason; /* why a value is missing (SU_CELL_...), beside number or level; NULL = not recorded in all cases */
} su_variable;

typedef struct su_frame {
    su_arena arena;
    uint64_t rows;
    su_variable *variables;
    uint32_t count;
    su_sha256 fingerprint; /* of the data, for the reproducibility hash */
} su_frame;

static inline double su_frame_number(const su_variable *v, uint64_t row) { return v->number[v->ids ? v->ids[row] : row]; }
static inline uint32_t su_frame_level(const su_variable *v, uint64_t row) { return v->level[v->ids ? v->ids[row] : row]; }

/* A frame over a raw table: borrows its ids, so the table must outlive the frame. Cells that name a missing value ("", NA, a schema's
 * missing codes) are missing with their reason. A column is a number when every other cell is a finite number, otherwise a factor.
 * schema may be NULL; a column that the schema knows takes its codelist's order and its missing codes. O(distinct values). */
su_status su_frame_of_table(su_context *ctx, const su_raw_table *table, const su_schema *schema, su_frame **out) SU_MUST_CHECK;
/* The same with further missing codes (compared after folding; numbers also by value: -99 is -99.0) that hold for every column. Levels
 * that no row has are left out; values that the codelist does not know stand behind it, by bytes. */
typedef struct su_frame_options {
    const su_missing *missing;
    uint32_t missing_count;
} su_frame_options;
su_status su_frame_of_table_with(su_context *ctx, const su_raw_table *table, const su_schema *schema, const su_frame_options *options,
                                 su_frame **out) SU_MUST_CHECK;
su_frame *su_frame_new(uint64_t rows);
/* Adds a variable; copies the name and the levels' names, borrows the data. */
su_variable *su_frame_add_number(su_frame *f, const char *name, const double *values);
su_variable *su_frame_add_factor(su_frame *f, const char *name, const uint32_t *levels_by_row, const char *const *names, uint32_t count);
void su_frame_free(su_frame *f); /* NULL is fine */
/* The variable of this name (exact, then folded). SU_INPUT names the nearest one. */
su_status su_frame_find(su_context *ctx, const su_frame *f, su_str name, const su_variable **out) SU_MUST_CHECK;
/* A number variable seen as a factor (its distinct values in order): for groups, strata, clusters. A factor is returned as it is. The new
 * variable lives in the frame's arena. */
su_status su_frame_as_factor(su_context *ctx, su_frame *f, const su_variable *v, const su_variable **out) SU_MUST_CHECK;

/* ---- result: tables, warnings, words, plots ------------------------------------------------------------------------------------------- */

/* All text given to these functions is copied. A result is printed as text, JSON or HTML by the command line; the JSON has the tables by
 * id, each an array of objects by column name. NaN prints as "" and null. */
typedef struct su_result su_result;
typedef struct su_result_table su_result_table;

typedef enum su_column_kind {
    SU_COLUMN_TEXT,
    SU_COLUMN_INTEGER,
    SU_COLUMN_NUMBER, /* printed with the significant digits that its use needs; JSON has all of them */
    SU_COLUMN_PERCENT, /* a fraction; text shows 12.3 %, JSON the fraction */
    SU_COLUMN_P        /* a p value; text shows < 0.001 */
} su_column_kind;

typedef enum su_plot_kind {
    SU_PLOT_INTERVALS, /* label, estimate, low, high on a linear axis */
    SU_PLOT_FOREST,    /* the same on a logarithmic axis with a line at 1 (odds ratios) */
    SU_PLOT_CURVE,     /* x, estimate, low, high as a line with a band; label = series */
    SU_PLOT_BARS       /* label, estimate */
} su_plot_kind;

su_result *su_result_new(const char *command, const char *title);
void su_result_free(su_result *r);
/* id: JSON key, lower case and underscores, unique in the result. */
su_result_table *su_result_table_add(su_result *r, const char *id, const char *title);
void su_result_column(su_result_table *t, const char *name, const char *title, su_column_kind kind);
/* Cells of a row, in the order of the columns. */
void su_result_text(su_result_table *t, const char *text);
void su_result_number(su_result_table *t, double x);
void su_result_integer(su_result_table *t, int64_t n);
/* A single value of the whole result: n, log likelihood, method ... JSON key and title for people. */
void su_result_fact(su_result *r, const char *key, const char *title, double x);
void su_result_fact_text(su_result *r, const char *key, const char *title, const char *text);
/* Warnings have a code ("W_FEW_CLUSTERS") that docs/methods/warnings.md explains; the same code and text is kept once. */
void su_result_warn(su_result *r, const char *code, const char *fmt, ...) SU_PRINTF(3, 4);
bool su_result_has_warning(const su_result *r, const char *code);
/* A sentence of the methods paragraph, fit for a report's annex. */
void su_result_method(su_result *r, const char *fmt, ...) SU_PRINTF(2, 3);
/* Columns by name; x only for curves (NULL otherwise); low and high may be NULL. label may join up to three columns of text: "value+group". */
void su_result_plot(su_result *r, su_plot_kind kind, const char *title, const su_result_table *t, const char *label, const char *x,
                    const char *estimate, const char *low, const char *high);
/* SHA-256 over the data's fingerprint, the specification (the options as text), the seed and the version. */
void su_result_hash(su_result *r, const su_sha256 *data, const char *specification, uint64_t seed);

/* The three ways to print. Text is for a terminal of any width and ends with a newline. */
void su_result_print_text(const su_result *r, su_buf *out);
void su_result_print_json(const su_result *r, su_buf *out);
void su_result_print_html(const su_result *r, su_buf *out); /* a page of its own: tables, plots as inline SVG, methods paragraph; no script */

/* For tests and callers in C: NaN or NULL where there is no such cell. */
double su_result_get(const su_result *r, const char *table, size_t row, const char *column);
const char *su_result_get_text(const su_result *r, const char *table, size_t row, const char *column);
size_t su_result_rows(const su_result *r, const char *table);
double su_result_get_fact(const su_result *r, const char *key);

#ifdef __cplusplus
}
#endif
#endif
