/* recipe: the rows of an estimate, read and checked. */
#ifndef SU_ANALYSE_RECIPE_H
#define SU_ANALYSE_RECIPE_H

#include <suha/estimate.h>

#include "flow/expression.h"

enum { SU_RECIPE_MOST = 500 };
typedef enum su_law { SU_LAW_FIXED, SU_LAW_NORMAL, SU_LAW_LOGNORMAL, SU_LAW_BETA } su_law;
const char *su_law_name(su_law law);

typedef struct su_recipe_row {
    const char *id, *label, *basis, *source, *adjustment, *alternative_source;
    uint32_t line;
    su_expression *formula; /* NULL: an input */
    const char *formula_text;
    su_law law;
    double value, se; /* inputs: as given, or from cases; median and log scale below for the lognormal of odds */
    double log_median, log_sd;
    double alternative; /* NaN = none */
    int partner;        /* row that this one is correlated with, -1 = none */
    double correlation;
    bool case_file; /* rests on people who were assisted */
} su_recipe_row;

typedef struct su_recipe {
    su_arena arena;
    su_recipe_row rows[SU_RECIPE_MOST];
    uint32_t count;
    uint32_t order[SU_RECIPE_MOST]; /* results in an order in which their parts come first */
    uint32_t results;
    double *factor; /* Cholesky factor of the correlations, count by count; NULL when there are none */
} su_recipe;

su_status su_recipe_read(su_context *ctx, const su_raw_table *t, su_recipe **out) SU_MUST_CHECK;
void su_recipe_free(su_recipe *r);
/* The value of an input at a standard normal z. */
double su_recipe_draw(const su_recipe_row *row, double z);
/* Fills the results' values from the inputs'. slope and derivative may be NULL. */
void su_recipe_values(const su_recipe *r, double *value, double *slope);

#endif
