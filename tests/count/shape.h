/* shape: generated tables of the size and texture of pooled case data, for tests and measurements. No person is behind any row.
 *
 * Latent classes: a row belongs to one of CLASSES kinds; each kind has its own preferences for values (Zipf with a shift) and its own
 * chances of being filled. "c17k", "c206k" have 26 columns (coded 21, 4, 9, 60, 4, 60 values; 20 flags) and nine
 * filled cells per row. */
#ifndef SU_TEST_SHAPE_H
#define SU_TEST_SHAPE_H

#include <suha/count.h>

#include <math.h>
#include <stdlib.h>

enum { SHAPE_CLASSES = 10 };

typedef struct shape {
    uint64_t rows;
    uint32_t columns;
    const uint32_t *values;
    double filled;
} shape;

static const uint32_t shape_case_values[26] = { 21, 4, 9, 60, 4, 60, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1 };

static inline double shape_unit(su_random *r) { return (double)(su_random_u64(r) >> 11) * 0x1p-53; }

/* Fills `codes` for one column. Coded columns are filled more often than flags; `filled` scales both. */
static inline void shape_column(su_random *r, uint64_t rows, const uint8_t *kind, uint32_t values, double filled, uint16_t *codes)
{
    double *cumulated = su_alloc_array((size_t)SHAPE_CLASSES * values, sizeof *cumulated), chance[SHAPE_CLASSES];
    for (uint32_t k = 0; k < SHAPE_CLASSES; k++) {
        double u = shape_unit(r), total = 0;
        chance[k] = values > 1 ? 0.5 + 0.45 * u : u * u * 0.62;
        chance[k] *= filled;
        uint32_t shift = (uint32_t)su_random_below(r, values);
        for (uint32_t v = 0; v < values; v++) total += cumulated[k * values + v] = 1 / pow(1 + (v + shift) % values, 1.5);
        double sum = 0;
        for (uint32_t v = 0; v < values; v++) {
            sum += cumulated[k * values + v] / total;
            cumulated[k * values + v] = sum;
        }
    }
    for (uint64_t i = 0; i < rows; i++) {
        const uint32_t k = kind[i];
        if (shape_unit(r) >= chance[k]) {
            codes[i] = 0;
            continue;
        }
        double u = shape_unit(r);
        uint32_t v = 0;
        while (v + 1 < values && cumulated[k * values + v] < u) v++;
        codes[i] = (uint16_t)(v + 1);
    }
    free(cumulated);
}

/* Returns owned; free with shape_free. */
static inline su_code_matrix *shape_new(su_random *r, const shape *s)
{
    su_code_matrix *m = su_alloc(sizeof *m);
    su_arena_init(&m->arena);
    m->row_count = s->rows;
    m->column_count = s->columns;
    m->columns = su_arena_array(&m->arena, s->columns, sizeof *m->columns);
    uint8_t *kind = su_alloc(s->rows);
    for (uint64_t i = 0; i < s->rows; i++) {
        double u = shape_unit(r);
        kind[i] = (uint8_t)(u * u * SHAPE_CLASSES);
    }
    for (uint32_t c = 0; c < s->columns; c++) {
        uint16_t *codes = su_arena_array(&m->arena, s->rows, sizeof *codes);
        shape_column(r, s->rows, kind, s->values[c], s->filled, codes);
        m->columns[c] = (su_matrix_column) { .name = su_arena_printf(&m->arena, "c%u", c), .card = s->values[c] + 1, .codes = codes };
    }
    free(kind);
    return m;
}

/* The same codes in bytes where they fit; the others are shared with m, which must outlive it. Free with shape_free. */
static inline su_code_matrix *shape_narrow(const su_code_matrix *m)
{
    su_code_matrix *x = su_alloc(sizeof *x);
    su_arena_init(&x->arena);
    x->row_count = m->row_count;
    x->column_count = m->column_count;
    x->columns = su_arena_array(&x->arena, m->column_count, sizeof *x->columns);
    for (uint32_t c = 0; c < m->column_count; c++) {
        x->columns[c] = m->columns[c];
        if (m->columns[c].card > 256) continue;
        uint8_t *bytes = su_arena_array(&x->arena, m->row_count, 1);
        for (uint64_t r = 0; r < m->row_count; r++) bytes[r] = (uint8_t)m->columns[c].codes[r];
        x->columns[c].codes = NULL;
        x->columns[c].bytes = bytes;
    }
    return x;
}

static inline void shape_free(su_code_matrix *m)
{
    su_arena_free(&m->arena);
    free(m);
}

#endif
