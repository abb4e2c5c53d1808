/* chain: one chain of imputations, and the models that draw its values.
 *
 * Values live as compact columns (a double per number, two bytes per category); a row of a model's design is put together when it is
 * needed, so that a million rows cost a million times the columns, not the terms. Numbers are standardised by what was observed. */
#ifndef SU_ANALYSE_CHAIN_H
#define SU_ANALYSE_CHAIN_H

#include <suha/impute.h>

#include "numeric/philox.h"

enum { SU_CHAIN_COLUMNS = 200, SU_CHAIN_CATEGORIES = 30, SU_CHAIN_DONORS = 5 };

/* What all chains share about one variable. */
typedef struct su_chain_variable {
    const su_variable *source;
    su_impute_method method;
    bool used, category;
    uint32_t categories; /* of those that occur */
    uint16_t *level_of;  /* category (0-based) -> level of a factor, 1-based */
    double value_of[2];  /* a number of two values seen as categories */
    double mean, sd, delta;
    double *number; /* standardised; missing cells hold anything */
    uint16_t *code; /* category, 0-based */
    uint32_t *missing, *observed;
    uint64_t missing_count, observed_count;
} su_chain_variable;

typedef struct su_chain_data {
    su_chain_variable *variables;
    uint32_t count;
    uint64_t rows;
} su_chain_data;

typedef struct su_chain {
    const su_chain_data *data;
    double **number; /* by variable: shared where nothing is missing, this chain's own otherwise */
    uint16_t **code;
    double **start; /* coefficients of the last fit, by variable */
    su_philox random;
} su_chain;

/* The predictors of one variable: all others. */
typedef struct su_chain_row {
    uint32_t columns; /* the intercept included */
    uint32_t parts;
    struct su_chain_part {
        const double *number;
        const uint16_t *code;
        uint32_t column, width;
    } * part;
} su_chain_row;
su_chain_row su_chain_row_of(const su_chain *c, uint32_t target);
void su_chain_row_free(su_chain_row *r);
uint32_t su_chain_columns(const su_chain_data *d, uint32_t target);
static inline void su_chain_fill(const su_chain_row *r, uint64_t row, double *x)
{
    x[0] = 1;
    for (uint32_t k = 0; k < r->parts; k++) {
        const struct su_chain_part *p = &r->part[k];
        if (p->number) {
            x[p->column] = p->number[row];
            continue;
        }
        for (uint32_t w = 0; w < p->width; w++) x[p->column + w] = 0;
        if (p->code[row]) x[p->column + p->code[row] - 1] = 1;
    }
}

/* Rows of augmentation: for each column but the intercept, mean - sd and mean + sd, in every category, together as heavy as there are
 * columns (White, Daniel and Royston 2010). */
typedef struct su_augment {
    uint32_t columns, count;
    double *x, weight;
} su_augment;
su_augment su_augment_of(const su_chain_row *r, const su_chain_variable *v);
void su_augment_free(su_augment *a);

/* out ~ N(mean, (L L')^-1) over the kept columns. */
void su_chain_draw(su_philox *random, const double *l, size_t n, const bool *kept, const double *mean, double *out);

/* Each fits the variable on its observed rows, draws parameters, and draws its missing values into the chain. */
void su_chain_multinomial(su_chain *c, uint32_t target);
void su_chain_ordered(su_chain *c, uint32_t target);
void su_chain_pmm(su_chain *c, uint32_t target);
void su_chain_matched(su_chain *c, uint32_t target);

#endif
