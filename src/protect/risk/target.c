#include "target.h"
#include "bits.h"

#include <stdlib.h>
#include <string.h>

#define PAIR_CELLS (UINT64_C(1) << 22)

/* ---- isolation ---- */

static void add_single(const su_code_matrix *m, uint32_t c, double *score)
{
    const uint16_t *codes = m->columns[c].codes;
    uint64_t *count = su_alloc_array(m->columns[c].card, sizeof *count);
    for (uint64_t r = 0; r < m->row_count; r++) count[codes[r]]++;
    for (uint64_t r = 0; r < m->row_count; r++) score[r] += codes[r] ? 1 / (double)count[codes[r]] : 0;
    free(count);
}

static void add_pair(const su_code_matrix *m, uint32_t c, uint32_t d, double *score)
{
    const uint16_t *a = m->columns[c].codes, *b = m->columns[d].codes;
    size_t wide = m->columns[d].card;
    if ((uint64_t)m->columns[c].card * wide > PAIR_CELLS) return;
    uint32_t *count = su_alloc_array(m->columns[c].card * wide, sizeof *count);
    for (uint64_t r = 0; r < m->row_count; r++) count[a[r] * wide + b[r]]++;
    for (uint64_t r = 0; r < m->row_count; r++) score[r] += a[r] && b[r] ? 1 / (double)count[a[r] * wide + b[r]] : 0;
    free(count);
}

typedef struct ranked {
    double score;
    uint64_t row;
} ranked;

static int by_isolation(const void *x, const void *y)
{
    const ranked *a = x, *b = y;
    if (a->score != b->score) return a->score > b->score ? -1 : 1;
    return a->row < b->row ? -1 : a->row > b->row;
}

static ranked *rank_rows(const su_code_matrix *m)
{
    double *score = su_alloc_array(m->row_count, sizeof *score);
    ranked *rank = su_alloc_array(m->row_count, sizeof *rank);
    for (uint32_t c = 0; c < m->column_count; c++) {
        add_single(m, c, score);
        for (uint32_t d = c + 1; d < m->column_count; d++) add_pair(m, c, d, score);
    }
    for (uint64_t r = 0; r < m->row_count; r++) rank[r] = (ranked) { score[r], r };
    qsort(rank, m->row_count, sizeof *rank, by_isolation);
    free(score);
    return rank;
}

/* ---- queries ---- */

static void choose_matches(su_target *t, uint32_t columns, su_random *random)
{
    uint32_t d = columns < 64 ? columns : 64;
    for (size_t q = 0; q < SU_QUERIES; q++) {
        uint32_t most = q % 2 && d > 3 ? 3 : d, size = q ? 1 + (uint32_t)su_random_below(random, most) : d;
        uint64_t chosen = 0;
        while ((uint32_t)__builtin_popcountll(chosen) < size) chosen |= UINT64_C(1) << su_random_below(random, d);
        t->match[q] = (su_query) { .columns = chosen };
    }
}

typedef struct counted {
    su_query query;
    uint64_t count;
    size_t order;
} counted;

typedef struct combing {
    const su_bits *bits;
    const su_target *target;
    uint32_t columns, length;
    counted *found;
    size_t n, capacity;
} combing;

static void comb(combing *c, su_query *q, uint32_t from)
{
    uint32_t columns[SU_MAX_LENGTH];
    uint16_t codes[SU_MAX_LENGTH];
    for (uint32_t col = from; col < c->columns; col++) {
        if (c->target->codes[col] == 0) continue;
        q->at[q->length++] = (su_attribute) { (uint16_t)col, c->target->codes[col] };
        for (uint32_t k = 0; k < q->length; k++) {
            columns[k] = q->at[k].column;
            codes[k] = q->at[k].value;
        }
        if (c->n == c->capacity) c->found = su_grow(c->found, &c->capacity, c->n + 1, sizeof *c->found);
        c->found[c->n] = (counted) { *q, su_bits_count(c->bits, columns, codes, q->length), c->n };
        c->n++;
        if (q->length < c->length) comb(c, q, col + 1);
        q->length--;
    }
}

static int by_count(const void *x, const void *y)
{
    const counted *a = x, *b = y;
    if (a->count != b->count) return a->count < b->count ? -1 : 1;
    return a->order < b->order ? -1 : 1;
}

static void choose_counts(su_target *t, const su_bits *bits, uint32_t columns, uint32_t length, su_random *random)
{
    combing c = { .bits = bits, .target = t, .columns = columns, .length = length };
    comb(&c, &(su_query) { 0 }, 0);
    if (c.n) qsort(c.found, c.n, sizeof *c.found, by_count);
    for (size_t i = 0; i < c.n && t->count_queries < SU_QUERIES; i++) {
        if (t->count_queries >= SU_QUERIES / 2) { /* the rarest are in: any of the rest may take this place */
            size_t other = i + (size_t)su_random_below(random, c.n - i);
            counted keep = c.found[i];
            c.found[i] = c.found[other];
            c.found[other] = keep;
        }
        t->count[t->count_queries++] = c.found[i].query;
    }
    free(c.found);
}

void su_targets_choose(su_arena *arena, const su_code_matrix *m, uint32_t wanted, uint32_t length, su_random *random, su_target *targets)
{
    ranked *rank = rank_rows(m);
    su_bits bits;
    su_bits_init(&bits, m);
    for (uint32_t i = 0; i < wanted; i++) {
        su_target *t = &targets[i];
        uint16_t *codes = su_arena_array(arena, m->column_count, sizeof *codes);
        *t = (su_target) { .row = rank[i].row, .codes = codes };
        for (uint32_t c = 0; c < m->column_count; c++) codes[c] = m->columns[c].codes[t->row];
        choose_matches(t, m->column_count, random);
        choose_counts(t, &bits, m->column_count, length, random);
    }
    su_bits_free(&bits);
    free(rank);
}
