#include "block.h"

#include <stdlib.h>
#include <string.h>

static bool wanted(const su_target_table *t, uint32_t column, const bool *placed)
{
    bool through = false;
    for (uint32_t k = 0; k < t->length; k++) {
        if (t->columns[k] == column) through = true;
        else if (!placed[t->columns[k]]) return false;
    }
    return through && t->weight > 0;
}

static void add_context(su_synth_block *b, uint32_t table)
{
    const su_target_table *t = &b->problem->tables[table];
    if (b->count == b->capacity) b->contexts = su_grow(b->contexts, &b->capacity, b->count + 1, sizeof *b->contexts);
    su_synth_context *c = &b->contexts[b->count++];
    memset(c, 0, sizeof *c);
    c->table = table;
    c->start = b->floats;
    c->weight = (float)t->weight;
    uint64_t stride = b->width;
    for (uint32_t k = t->length; k-- > 0;) {
        if (t->columns[k] == b->column) continue;
        c->column[c->others] = t->columns[k];
        c->stride[c->others++] = stride;
        stride *= b->problem->card[t->columns[k]];
    }
    b->floats += stride;
    b->total_weight += c->weight;
}

/* Walks the table in its own order and drops every cell at its place in the block. */
static void fill_context(su_synth_block *b, const su_synth_context *c, float penalty)
{
    const su_target_table *t = &b->problem->tables[c->table];
    uint32_t value[SU_MAX_LENGTH] = {0}, own = 0;
    uint64_t stride[SU_MAX_LENGTH] = {0}, at = c->start;
    for (uint32_t k = 0; k < t->length; k++) {
        if (t->columns[k] == b->column) own = k;
        for (uint32_t o = 0; o < c->others; o++)
            if (c->column[o] == t->columns[k]) stride[k] = c->stride[o];
    }
    for (uint64_t i = 0; i < t->cells; i++) {
        float d = -t->estimate[i];
        if (t->forbidden && t->forbidden[i]) d += penalty;
        d *= c->weight;
        if (b->width > 1) b->d[at + value[own]] = d;
        else if (value[own]) b->d[at] += d;
        else b->d[at] -= d;
        for (uint32_t k = t->length; k-- > 0;) {
            at += stride[k];
            if (++value[k] < b->problem->card[t->columns[k]]) break;
            at -= stride[k] * value[k];
            value[k] = 0;
        }
    }
}

void su_synth_block_build(su_synth_block *b, const su_synthesis *problem, uint32_t column, const bool *placed, float penalty)
{
    uint32_t card = problem->card[column];
    b->problem = problem;
    b->column = column;
    b->width = card == 2 ? 1 : card;
    b->count = 0;
    b->floats = 0;
    b->total_weight = 0;
    for (uint32_t others = 0; others < SU_MAX_LENGTH; others++)
        for (size_t t = 0; t < problem->table_count; t++)
            if (problem->tables[t].length == others + 1 && wanted(&problem->tables[t], column, placed)) add_context(b, (uint32_t)t);
    if (b->floats > b->d_capacity) {
        free(b->d);
        b->d_capacity = b->floats;
        b->d = su_alloc_array(b->d_capacity, sizeof *b->d);
    } else if (b->floats) {
        memset(b->d, 0, b->floats * sizeof *b->d);
    }
    free(b->at);
    free(b->sum);
    b->at = su_alloc_array(b->count + 1, sizeof *b->at);
    b->sum = su_alloc_array(card, sizeof *b->sum);
    for (size_t i = 0; i < b->count; i++) fill_context(b, &b->contexts[i], penalty);
}

void su_synth_block_locate(su_synth_block *b, const uint16_t *record)
{
    for (size_t i = 0; i < b->count; i++) {
        const su_synth_context *c = &b->contexts[i];
        uint64_t at = c->start;
        for (uint32_t o = 0; o < c->others; o++) at += c->stride[o] * record[c->column[o]];
        b->at[i] = at;
    }
}

void su_synth_block_add(su_synth_block *b, uint32_t value, float sign)
{
    uint32_t offset = b->width > 1 ? value : 0;
    float step = b->width > 1 || value ? sign : -sign;
    for (size_t i = 0; i < b->count; i++) b->d[b->at[i] + offset] += step * b->contexts[i].weight;
}

typedef float floats8 __attribute__((vector_size(32), aligned(4), may_alias));

/* Element by element, so the result does not depend on the instruction set. */
__attribute__((target_clones("avx2", "default")))
static void add_all(const su_synth_block *b, uint32_t card)
{
    for (size_t i = 0; i < b->count; i++) {
        const float *d = b->d + b->at[i];
        uint32_t v = 0;
        for (; v + 8 <= card; v += 8) *(floats8 *)(b->sum + v) += *(const floats8 *)(d + v);
        for (; v < card; v++) b->sum[v] += d[v];
    }
}

const float *su_synth_block_sum(su_synth_block *b)
{
    uint32_t card = b->problem->card[b->column];
    memset(b->sum, 0, card * sizeof *b->sum);
    if (b->width == 1) {
        float f = 0;
        for (size_t i = 0; i < b->count; i++) f += b->d[b->at[i]];
        b->sum[1] = f;
    } else {
        add_all(b, card);
    }
    return b->sum;
}

void su_synth_block_free(su_synth_block *b)
{
    free(b->contexts);
    free(b->at);
    free(b->d);
    free(b->sum);
    memset(b, 0, sizeof *b);
}
