#include "bits.h"

#include <stdlib.h>

void su_bits_init(su_bits *b, const su_code_matrix *m)
{
    size_t attributes = 0;
    b->words = (size_t)(m->row_count / 64 + 1);
    b->column_count = m->column_count;
    b->column = su_alloc_array((size_t)m->column_count + 1, sizeof(uint64_t *));
    for (uint32_t c = 0; c < m->column_count; c++) attributes += m->columns[c].card;
    b->all = su_alloc_array(attributes * b->words + 1, sizeof(uint64_t));
    uint64_t *next = b->all;
    for (uint32_t c = 0; c < m->column_count; c++) {
        b->column[c] = next;
        next += m->columns[c].card * b->words;
        for (uint64_t r = 0; r < m->row_count; r++) b->column[c][m->columns[c].codes[r] * b->words + r / 64] |= UINT64_C(1) << (r % 64);
    }
}

void su_bits_free(su_bits *b)
{
    free(b->all);
    free(b->column);
    *b = (su_bits) { 0 };
}

uint64_t su_bits_count(const su_bits *b, const uint32_t *columns, const uint16_t *codes, uint32_t n)
{
    uint64_t sum = 0;
    for (size_t w = 0; w < b->words; w++) {
        uint64_t rows = n ? UINT64_MAX : 0;
        for (uint32_t i = 0; i < n && rows; i++) rows &= b->column[columns[i]][codes[i] * b->words + w];
        sum += (uint64_t)__builtin_popcountll(rows);
    }
    return sum;
}
