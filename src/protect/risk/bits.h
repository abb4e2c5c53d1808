/* bits: rows of a table by attribute, for counting what matches. */
#ifndef SU_PROTECT_BITS_H
#define SU_PROTECT_BITS_H

#include <suha/protect.h>

typedef struct su_bits {
    size_t words; /* per attribute */
    uint64_t *all;
    uint64_t **column; /* column[c] + code * words: rows with that code, 0 = absent included */
    uint32_t column_count;
} su_bits;

void su_bits_init(su_bits *b, const su_code_matrix *m);
void su_bits_free(su_bits *b);
/* Rows that have all n attributes (code 0 allowed). */
uint64_t su_bits_count(const su_bits *b, const uint32_t *columns, const uint16_t *codes, uint32_t n);

#endif
