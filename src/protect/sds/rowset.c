#include "rowset.h"

#include <stdlib.h>
#include <string.h>

#define BITS_MAX (UINT64_C(4) << 30)

/* ---- bitmaps ------------------------------------------------------------------------------------------------------ */

/* Order of the rows by their codes, the columns with most codes first: counting sorts from the last column to the first. */
static uint64_t *alike_order(const su_code_matrix *m)
{
    uint64_t *order = su_alloc_array(m->row_count + 1, sizeof *order), *other = su_alloc_array(m->row_count + 1, sizeof *other);
    uint32_t *columns = su_alloc_array((size_t)m->column_count + 1, sizeof *columns), most = 0;
    for (uint32_t c = 0; c < m->column_count; c++) {
        uint32_t at = c;
        for (; at > 0 && m->columns[columns[at - 1]].card > m->columns[c].card; at--) columns[at] = columns[at - 1];
        columns[at] = c;
        if (m->columns[c].card > most) most = m->columns[c].card;
    }
    uint64_t *start = su_alloc_array((size_t)most + 2, sizeof *start);
    for (uint64_t i = 0; i < m->row_count; i++) order[i] = i;
    for (uint32_t k = 0; k < m->column_count; k++) {
        const su_matrix_column *column = &m->columns[columns[k]];
        memset(start, 0, ((size_t)most + 2) * sizeof *start);
        for (uint64_t i = 0; i < m->row_count; i++) start[column->codes[i] + 1]++;
        for (uint32_t v = 0; v < most; v++) start[v + 1] += start[v];
        for (uint64_t i = 0; i < m->row_count; i++) other[start[column->codes[order[i]]]++] = order[i];
        uint64_t *swap = order;
        order = other;
        other = swap;
    }
    free(start);
    free(columns);
    free(other);
    return order;
}

static void renumber(su_row_bits *b, const su_code_matrix *m)
{
    uint64_t *order = alike_order(m);
    b->codes = su_alloc_array((size_t)m->column_count + 1, sizeof(uint16_t *));
    for (uint32_t c = 0; c < m->column_count; c++) {
        b->codes[c] = su_alloc_array(m->row_count + 1, sizeof **b->codes);
        for (uint64_t i = 0; i < m->row_count; i++) {
            uint16_t code = m->columns[c].codes[order[i]];
            b->codes[c][i] = code;
            if (code)
                b->count[b->universe->first[c] + code - 1]++;
            else
                b->empty[c]++;
        }
    }
    free(order);
}

static void set_bits(su_row_bits *b)
{
    uint32_t attributes = b->universe->attribute_count;
    for (uint32_t c = 0; c < b->universe->column_count; c++)
        for (uint64_t i = 0; i < b->row_count; i++) {
            uint16_t code = b->codes[c][i];
            uint32_t at = b->bitmap[code ? b->universe->first[c] + code - 1 : attributes + c];
            if (at != SU_TUPLE_NONE) b->bits[at * b->words + i / 64] |= UINT64_C(1) << (i % 64);
        }
}

static su_status list_rows(su_context *ctx, su_row_bits *b, const su_code_matrix *m)
{
    bool *keep = su_alloc_array((size_t)b->universe->attribute_count + 1, sizeof *keep);
    su_matrix_column *columns = su_alloc_array((size_t)m->column_count + 1, sizeof *columns);
    for (uint32_t a = 0; a < b->universe->attribute_count; a++) keep[a] = b->count[a] >= b->K;
    for (uint32_t c = 0; c < m->column_count; c++) {
        columns[c] = m->columns[c];
        columns[c].codes = b->codes[c];
    }
    su_code_matrix renumbered = { .row_count = m->row_count, .column_count = m->column_count, .columns = columns };
    su_status status = su_row_lists_init(ctx, &b->lists, &renumbered, b->universe, keep);
    free(columns);
    free(keep);
    return status;
}

static su_status check_codes(su_context *ctx, const su_code_matrix *m)
{
    if (m->row_count >= UINT32_MAX)
        return su_fail(ctx, SU_REFUSED, "The table has %llu records; at most 4,294,967,294 are possible here.",
                       (unsigned long long)m->row_count);
    for (uint32_t c = 0; c < m->column_count; c++)
        for (uint64_t i = 0; i < m->row_count; i++)
            if (m->columns[c].codes[i] >= m->columns[c].card)
                return su_fail(ctx, SU_INTERNAL, "Column %s holds a code outside its codelist. Nothing was released; please report this.",
                               m->columns[c].name);
    return SU_OK;
}

su_status su_row_bits_init(su_context *ctx, su_row_bits *b, const su_code_matrix *m, const su_universe *u, uint64_t K, bool with_empty)
{
    *b = (su_row_bits) { .row_count = m->row_count, .K = K, .words = (size_t)((m->row_count + 63) / 64), .universe = u };
    su_status status = check_codes(ctx, m);
    if (status) return status;
    b->count = su_alloc_array((size_t)u->attribute_count + 1, sizeof *b->count);
    b->empty = su_alloc_array((size_t)u->column_count + 1, sizeof *b->empty);
    b->bitmap = su_alloc_array((size_t)u->attribute_count + u->column_count + 1, sizeof *b->bitmap);
    renumber(b, m);
    for (uint32_t a = 0; a < u->attribute_count; a++) b->bitmap[a] = b->count[a] >= K ? (uint32_t)b->bitmaps++ : SU_TUPLE_NONE;
    for (uint32_t c = 0; c < u->column_count; c++) b->bitmap[u->attribute_count + c] = with_empty ? (uint32_t)b->bitmaps++ : SU_TUPLE_NONE;
    if (b->words && b->bitmaps > BITS_MAX / 8 / b->words)
        return su_fail(ctx, SU_REFUSED,
                       "%zu values in %llu records need more than 4 GiB here. Release fewer columns or fewer records at a time.",
                       b->bitmaps, (unsigned long long)m->row_count);
    b->bits = su_alloc_array(b->bitmaps * b->words + 1, sizeof *b->bits);
    set_bits(b);
    return list_rows(ctx, b, m);
}

void su_row_bits_free(su_row_bits *b)
{
    if (b->bits) su_wipe(b->bits, b->bitmaps * b->words * sizeof *b->bits);
    for (uint32_t c = 0; b->codes && c < b->universe->column_count; c++) {
        if (b->codes[c]) su_wipe(b->codes[c], b->row_count * sizeof *b->codes[c]);
        free(b->codes[c]);
    }
    su_row_lists_free(&b->lists);
    free(b->codes);
    free(b->bits);
    free(b->bitmap);
    free(b->empty);
    free(b->count);
    *b = (su_row_bits) { 0 };
}

/* ---- sets of rows ------------------------------------------------------------------------------------------------- */

void su_row_set_init(su_row_set *s, const su_row_bits *b)
{
    *s = (su_row_set) { .word = su_alloc_array(b->words + 1, sizeof *s->word), .bits = su_alloc_array(b->words + 1, sizeof *s->bits) };
}

void su_row_set_free(su_row_set *s, const su_row_bits *b)
{
    if (s->bits) su_wipe(s->bits, b->words * sizeof *s->bits);
    if (s->word) su_wipe(s->word, b->words * sizeof *s->word);
    free(s->bits);
    free(s->word);
    *s = (su_row_set) { 0 };
}

/* Once with the processor's instruction for the number of bits, where it has one: the same numbers, three times as fast. */
#define DEFINE_KERNELS(suffix, attribute)                                                                                                  \
    attribute static void of_##suffix(su_row_set *s, const su_row_bits *b, const uint32_t *bitmaps, uint32_t n)                            \
    {                                                                                                                                      \
        s->n = s->rows = 0;                                                                                                                \
        for (size_t w = 0; w < b->words; w++) {                                                                                            \
            uint64_t x = b->bits[bitmaps[0] * b->words + w];                                                                               \
            for (uint32_t i = 1; i < n; i++) x &= b->bits[bitmaps[i] * b->words + w];                                                      \
            s->word[s->n] = (uint32_t)w;                                                                                                   \
            s->bits[s->n] = x;                                                                                                             \
            s->n += x != 0;                                                                                                                \
            s->rows += (uint64_t)__builtin_popcountll(x);                                                                                  \
        }                                                                                                                                  \
    }                                                                                                                                      \
    attribute static void narrow_##suffix(su_row_set *s, const su_row_bits *b, uint32_t bitmap)                                            \
    {                                                                                                                                      \
        const uint64_t *other = b->bits + bitmap * b->words;                                                                               \
        size_t n = 0;                                                                                                                      \
        s->rows = 0;                                                                                                                       \
        for (size_t i = 0; i < s->n; i++) {                                                                                                \
            uint64_t x = s->bits[i] & other[s->word[i]];                                                                                   \
            s->word[n] = s->word[i];                                                                                                       \
            s->bits[n] = x;                                                                                                                \
            n += x != 0;                                                                                                                   \
            s->rows += (uint64_t)__builtin_popcountll(x);                                                                                  \
        }                                                                                                                                  \
        s->n = n;                                                                                                                          \
    }                                                                                                                                      \
    attribute static uint32_t count_##suffix(const su_row_set *s, const uint64_t *other)                                                   \
    {                                                                                                                                      \
        uint64_t rows = 0;                                                                                                                 \
        for (size_t i = 0; i < s->n; i++) rows += (uint64_t)__builtin_popcountll(s->bits[i] & other[s->word[i]]);                          \
        return (uint32_t)rows;                                                                                                             \
    }

DEFINE_KERNELS(plain, )
#if defined(__x86_64__)
DEFINE_KERNELS(popcnt, __attribute__((target("popcnt"))))
#define PICK(kernel) (__builtin_cpu_supports("popcnt") ? kernel##_popcnt : kernel##_plain)
#else
#define PICK(kernel) (kernel##_plain)
#endif

void su_row_set_of(su_row_set *s, const su_row_bits *b, const uint32_t *bitmaps, uint32_t n) { PICK(of)(s, b, bitmaps, n); }

void su_row_set_narrow(su_row_set *s, const su_row_bits *b, uint32_t bitmap) { PICK(narrow)(s, b, bitmap); }

void su_row_set_count(const su_row_set *s, const su_row_bits *b, const uint32_t *bitmaps, uint32_t n, uint32_t *counts)
{
    for (uint32_t i = 0; i < n; i++) counts[i] = PICK(count)(s, b->bits + bitmaps[i] * b->words);
}
