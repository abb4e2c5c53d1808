/* rowset: which records hold a set of attributes, and how many hold one more. Bitmaps over the records, and sets of records as the words
 * of a bitmap that are not zero. */
#ifndef SU_PROTECT_ROWSET_H
#define SU_PROTECT_ROWSET_H

#include "tuples.h"

/* Rows are renumbered so that alike ones are neighbours: a set of rows then touches few words. Case data: freed wiped. */
typedef struct su_row_bits {
    uint64_t row_count, K;
    size_t words; /* of one bitmap */
    const su_universe *universe;
    uint32_t *count;  /* [attribute] rows that hold it */
    uint32_t *empty;  /* [column] rows without a value */
    uint32_t *bitmap; /* [attribute, then column] number of the bitmap, or SU_TUPLE_NONE */
    uint64_t *bits;   /* [bitmap][words] */
    size_t bitmaps;
    uint16_t **codes;   /* [column][renumbered row] */
    su_row_lists lists; /* attributes that at least K rows hold, per renumbered row */
} su_row_bits;

/* Bitmaps for the attributes that at least K rows hold, and, with_empty, for the rows where a column has no value. SU_REFUSED above 4 GiB.
 */
su_status su_row_bits_init(su_context *ctx, su_row_bits *b, const su_code_matrix *m, const su_universe *u, uint64_t K,
                           bool with_empty) SU_MUST_CHECK;
void su_row_bits_free(su_row_bits *b);

typedef struct su_row_set {
    size_t n; /* words that are not zero */
    uint64_t rows;
    uint32_t *word;
    uint64_t *bits;
} su_row_set;

void su_row_set_init(su_row_set *s, const su_row_bits *b);
void su_row_set_free(su_row_set *s, const su_row_bits *b);
/* Rows that hold all of `n` >= 1 bitmaps. */
void su_row_set_of(su_row_set *s, const su_row_bits *b, const uint32_t *bitmaps, uint32_t n);
void su_row_set_narrow(su_row_set *s, const su_row_bits *b, uint32_t bitmap);
/* counts[i] = rows of s in bitmaps[i]. */
void su_row_set_count(const su_row_set *s, const su_row_bits *b, const uint32_t *bitmaps, uint32_t n, uint32_t *counts);

#endif
