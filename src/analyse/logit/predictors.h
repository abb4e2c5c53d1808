/* predictors: from a formula and a frame to the columns of a model matrix, one sparse row at a time.
 *
 * Categories are coded by treatment contrasts against an explicit reference; where a term's margin is not in the model a category has a
 * column for every level (the rule of Chambers and Hastie 1992, Statistical Models in S, chapter 2). A term puts at most one value into a
 * row, so a row has as many entries as the model has terms, in ascending columns. The matrix is never stored. */
#ifndef SU_ANALYSE_PREDICTORS_H
#define SU_ANALYSE_PREDICTORS_H

#include <suha/logit.h>

#include "logit/formula.h"

enum { SU_PREDICTORS_COLUMNS = 300 };

typedef struct su_predictors_atom {
    const su_variable *variable;
    const char *name; /* as the formula writes it */
    bool factor;
    su_transform transform;
    unsigned power;
    const double *knots; /* splines: of + 1, ascending */
    unsigned of;
    const double *number; /* numbers: transformed, indexed like the variable's */
    uint32_t level_count; /* factors: categories that occur in the rows used */
    uint32_t *position;   /* by level of the variable: 1..level_count, 0 = never seen */
    const char **names;   /* of the categories that occur */
    uint64_t *rows;       /* of each of them */
    uint32_t reference;   /* position */
} su_predictors_atom;

typedef struct su_predictors_part {
    uint32_t atom;
    bool full; /* a column per level; otherwise none for the reference */
    uint32_t size, stride;
} su_predictors_part;

typedef struct su_predictors_term {
    uint64_t mask;
    const char *name;
    uint32_t first, columns;
    su_predictors_part *parts;
    uint32_t part_count;
    bool fixed;                /* no categories: an entry in every row, in one column */
    const uint32_t *column_of; /* one factor alone: by level, UINT32_MAX for the reference; NULL otherwise */
} su_predictors_term;

typedef struct su_predictors_missing {
    const char *variable, *reason;
    uint64_t rows;
} su_predictors_missing;

typedef struct su_predictors {
    su_arena arena;
    su_frame *frame;
    const su_formula *formula;
    su_predictors_atom *atoms;
    su_predictors_term *terms;
    uint32_t term_count, columns;
    const char **names; /* of the columns: "route=CMR", "age", "route=CMR:sex=male" */
    uint32_t *term_of;  /* of each column */
    uint32_t fixed_count, *fixed_term, *fixed_column;
    int intercept;  /* its column, -1 without */
    uint32_t *rows; /* rows of the frame in which nothing is missing, ascending */
    uint64_t row_count;
    double *y;         /* outcome of those rows */
    const char *event; /* category counted as 1; NULL for a number */
    su_predictors_missing *missing;
    uint32_t missing_count;
} su_predictors;

typedef struct su_predictors_options {
    const su_logit_reference *references;
    size_t reference_count;
    const char *event;                /* category of the outcome that counts as 1; NULL = the second of two */
    bool any_number;                  /* the outcome may be any number; otherwise 0 and 1, or two categories */
    const su_variable *const *needed; /* further variables that must not be missing */
    size_t needed_count;
} su_predictors_options;

/* f is not const: numbers seen as categories join its arena. Errors (SU_INPUT, with a caret): unknown variable, category never seen, one
 * category only, logarithm of a number at or below zero, outcome constant or not 0/1, no row complete; SU_REFUSED above 300 columns.
 * O(rows * variables). */
su_status su_predictors_build(su_context *ctx, su_frame *f, const su_formula *formula, const su_predictors_options *options,
                              su_predictors **out) SU_MUST_CHECK;
void su_predictors_free(su_predictors *d);

typedef struct su_sparse {
    uint32_t n;
    uint32_t *column;
    double *value;
} su_sparse;
su_sparse su_sparse_new(const su_predictors *d);
void su_sparse_free(su_sparse *s);

/* One variable set to a value for everybody: by atom, all atoms of the variable together. */
typedef struct su_setting {
    bool set;
    uint32_t position;  /* factor */
    double raw, number; /* number as given, and transformed */
} su_setting;
su_setting *su_settings_new(const su_predictors *d); /* nothing set; free() it */
/* value: a category or a number as text. SU_INPUT: not in the model, category never seen (with the nearest), no number. */
su_status su_settings_put(su_context *ctx, const su_predictors *d, su_str variable, su_str value, su_setting *settings) SU_MUST_CHECK;
void su_settings_level(const su_predictors *d, uint32_t atom, uint32_t position, su_setting *settings);
void su_settings_clear(const su_predictors *d, su_setting *settings);

/* Column `power` of a natural cubic spline: linear beyond the outer knots (the restricted cubic spline of Harrell 2015,
 * doi:10.1007/978-3-319-19425-7, section 2.4.5); and its derivative. */
double su_spline(const double *knots, unsigned of, unsigned power, double x);
double su_spline_slope(const double *knots, unsigned of, unsigned power, double x);

/* The row as values of the fixed terms (fixed_count of them, in fixed_column's order) and the entries of the others. */
void su_predictors_split(const su_predictors *d, uint32_t row, double *fixed, su_sparse *rest);
/* One column of the row alone. */
double su_predictors_value(const su_predictors *d, uint32_t row, uint32_t column);
/* settings may be NULL. A row of the frame; with every variable set, any row. */
void su_predictors_row(const su_predictors *d, uint32_t row, const su_setting *settings, su_sparse *out);
/* The derivative of that row to a number (all atoms of the variable). */
void su_predictors_slope(const su_predictors *d, uint32_t row, const su_setting *settings, const su_variable *variable, su_sparse *out);
double su_predictors_offset(const su_predictors *d, uint32_t row, const su_setting *settings);

static inline double su_sparse_dot(const su_sparse *s, const double *b)
{
    double sum = 0;
    for (uint32_t i = 0; i < s->n; i++) sum += s->value[i] * b[s->column[i]];
    return sum;
}
static inline void su_sparse_axpy(const su_sparse *s, double c, double *out)
{
    for (uint32_t i = 0; i < s->n; i++) out[s->column[i]] += c * s->value[i];
}

#endif
