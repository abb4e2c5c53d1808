#include "submap.h"

#include <suha/base.h>

#include <stdlib.h>
#include <string.h>

#ifdef __clang__ /* clang 14 leaves cloned functions undefined for other files; the fuzz build needs no speed */
#define SU_CLONES
#else
#define SU_CLONES __attribute__((target_clones("avx2", "default")))
#endif
typedef double doubles4 __attribute__((vector_size(32), aligned(8), may_alias));

uint64_t su_set_cells(su_column_set s, const uint32_t *card)
{
    uint64_t cells = 1;
    for (su_column_set left = s; left; left &= left - 1)
        if (__builtin_mul_overflow(cells, (uint64_t)card[su_set_first(left)], &cells)) return UINT64_MAX;
    return cells;
}

void su_submap_init(su_submap *m, su_column_set whole, su_column_set sub, const uint32_t *card)
{
    uint32_t columns[SU_MODEL_COLUMNS], n = 0, value[SU_MODEL_COLUMNS] = { 0 };
    size_t stride[SU_MODEL_COLUMNS], cells = (size_t)su_set_cells(whole, card);
    for (su_column_set left = whole; left; left &= left - 1) columns[n++] = su_set_first(left);
    *m = (su_submap) { .inner = 1, .cells = 1, .kept = n > 0 && su_set_has(sub, columns[n - 1]) };
    for (uint32_t i = n; i-- > 0;) {
        bool kept = su_set_has(sub, columns[i]);
        stride[i] = kept ? m->cells : 0;
        m->cells *= kept ? card[columns[i]] : 1;
    }
    uint32_t outer = n;
    for (; outer > 0 && su_set_has(sub, columns[outer - 1]) == m->kept; outer--) m->inner *= card[columns[outer - 1]];
    m->rows = cells / m->inner;
    m->at = su_alloc_array(m->rows, sizeof *m->at);
    size_t at = 0;
    for (size_t r = 0; r < m->rows; r++) {
        m->at[r] = (uint32_t)at;
        for (uint32_t i = outer; i-- > 0;) {
            at += stride[i];
            if (++value[i] < card[columns[i]]) break;
            at -= stride[i] * value[i];
            value[i] = 0;
        }
    }
}

void su_submap_free(su_submap *m)
{
    free(m->at);
    memset(m, 0, sizeof *m);
}

static inline __attribute__((always_inline)) void add_row(const double *restrict x, size_t n, double *restrict to)
{
    size_t i = 0;
    for (; i + 4 <= n; i += 4) *(doubles4 *)(to + i) += *(const doubles4 *)(x + i);
    for (; i < n; i++) to[i] += x[i];
}

static inline __attribute__((always_inline)) double sum_row(const double *x, size_t n)
{
    doubles4 four = { 0 };
    double sum = 0;
    size_t i = 0;
    for (; i + 4 <= n; i += 4) four += *(const doubles4 *)(x + i);
    for (; i < n; i++) sum += x[i];
    return ((four[0] + four[1]) + (four[2] + four[3])) + sum;
}

/* A part may begin and end within a row. */
SU_CLONES void su_submap_sum_part(const su_submap *m, const double *x, size_t from, size_t to, double *sub)
{
    size_t r = from / m->inner, skip = from % m->inner;
    for (; from < to; r++, skip = 0) {
        size_t n = m->inner - skip < to - from ? m->inner - skip : to - from;
        if (m->kept)
            add_row(x + from, n, sub + m->at[r] + skip);
        else
            sub[m->at[r]] += sum_row(x + from, n);
        from += n;
    }
}

void su_submap_sum(const su_submap *m, const double *x, double *sub)
{
    memset(sub, 0, m->cells * sizeof *sub);
    su_submap_sum_part(m, x, 0, m->rows * m->inner, sub);
}

void su_submap_max(const su_submap *m, const double *x, double *sub)
{
    for (size_t i = 0; i < m->cells; i++) sub[i] = -__builtin_inf();
    for (size_t r = 0; r < m->rows; r++, x += m->inner) {
        double *to = sub + m->at[r];
        for (size_t i = 0; i < m->inner; i++) {
            double *cell = m->kept ? to + i : to;
            *cell = x[i] > *cell ? x[i] : *cell;
        }
    }
}

static inline __attribute__((always_inline)) void add_one(double value, size_t n, double *to)
{
    size_t i = 0;
    for (; i + 4 <= n; i += 4) *(doubles4 *)(to + i) += value;
    for (; i < n; i++) to[i] += value;
}

static inline __attribute__((always_inline)) void scale_row(const double *restrict by, size_t n, double *restrict to)
{
    size_t i = 0;
    for (; i + 4 <= n; i += 4) *(doubles4 *)(to + i) *= *(const doubles4 *)(by + i);
    for (; i < n; i++) to[i] *= by[i];
}

static inline __attribute__((always_inline)) void scale_one(double value, size_t n, double *to)
{
    size_t i = 0;
    for (; i + 4 <= n; i += 4) *(doubles4 *)(to + i) *= value;
    for (; i < n; i++) to[i] *= value;
}

SU_CLONES void su_submap_add(const su_submap *m, const double *sub, double *x, size_t from, size_t to)
{
    size_t r = from / m->inner, skip = from % m->inner;
    for (; from < to; r++, skip = 0) {
        size_t n = m->inner - skip < to - from ? m->inner - skip : to - from;
        if (m->kept)
            add_row(sub + m->at[r] + skip, n, x + from);
        else
            add_one(sub[m->at[r]], n, x + from);
        from += n;
    }
}

SU_CLONES void su_submap_scale(const su_submap *m, const double *sub, double *x, size_t from, size_t to)
{
    size_t r = from / m->inner, skip = from % m->inner;
    for (; from < to; r++, skip = 0) {
        size_t n = m->inner - skip < to - from ? m->inner - skip : to - from;
        if (m->kept)
            scale_row(sub + m->at[r] + skip, n, x + from);
        else
            scale_one(sub[m->at[r]], n, x + from);
        from += n;
    }
}
