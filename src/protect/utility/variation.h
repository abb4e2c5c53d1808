/* variation: total variation distance of the tables of one length, absent values included. */
#ifndef SU_PROTECT_VARIATION_H
#define SU_PROTECT_VARIATION_H

#include <suha/protect.h>

/* Tables in order of columns; NULL and 0 when there is nothing to compare. The caller frees both arrays. */
typedef struct su_variations {
    size_t n;
    uint32_t length, *columns; /* `length` per table */
    double *distance;
} su_variations;

void su_variations_of(su_context *ctx, const su_code_matrix *truth, const su_code_matrix *records, uint32_t length, su_variations *out);
double su_variations_mean(const su_variations *v); /* NaN of nothing */
void su_variations_free(su_variations *v);

#endif
