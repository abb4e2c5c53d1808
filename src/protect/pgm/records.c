#include "records.h"
#include "whole.h"

#include "propagation.h"

#include <stdlib.h>
#include <string.h>

/* One column: given the columns eliminated after it that are its neighbours, it is independent of the others. */
typedef struct step {
    uint32_t column, given_count, given[SU_MODEL_COLUMNS];
    size_t groups, stride[SU_MODEL_COLUMNS], column_stride;
    double *table; /* of given and column together */
    size_t *base;  /* per group: its first cell in the table */
} step;

static void step_init(step *s, const su_model *m, uint32_t place)
{
    const su_elimination *e = &m->elimination;
    *s = (step) { .column = e->order[place], .groups = 1 };
    su_column_set given = e->clique[place] & ~su_set_of(s->column);
    s->table = su_alloc_array((size_t)su_set_cells(e->clique[place], m->card), sizeof *s->table);
    su_model_marginal(m, e->clique[place], s->table);
    for (su_column_set left = given; left; left &= left - 1) s->given[s->given_count++] = su_set_first(left);
    for (uint32_t i = s->given_count; i-- > 0;) {
        s->stride[i] = s->groups;
        s->groups *= m->card[s->given[i]];
    }
    s->base = su_alloc_array(s->groups, sizeof *s->base);
    s->column_stride = 1;
    for (uint32_t i = 0; i < s->given_count; i++) s->column_stride *= s->given[i] > s->column ? m->card[s->given[i]] : 1;
    for (size_t g = 0; g < s->groups; g++) s->base[g] = g / s->column_stride * s->column_stride * m->card[s->column] + g % s->column_stride;
}

static void step_free(step *s)
{
    free(s->table);
    free(s->base);
}

/* Deals out the values of the column to the `n` records listed, all of one group. */
static void deal(const step *s, const su_model *m, size_t group, const uint32_t *record, uint64_t n, su_random *random, uint16_t *codes)
{
    uint32_t card = m->card[s->column];
    double *weight = su_alloc_array(card, sizeof *weight);
    int64_t *count = su_alloc_array(card, sizeof *count);
    uint16_t *values = su_alloc_array(n, sizeof *values);
    uint64_t at = 0;
    for (uint32_t v = 0; v < card; v++) weight[v] = s->table[s->base[group] + v * s->column_stride];
    su_whole_counts(weight, card, n, random, count);
    for (uint32_t v = 0; v < card; v++)
        for (int64_t k = 0; k < count[v]; k++) values[at++] = (uint16_t)v;
    su_shuffle16(random, values, n);
    for (uint64_t i = 0; i < n; i++) codes[record[i]] = values[i];
    free(weight);
    free(count);
    free(values);
}

static void fill_column(const step *s, const su_model *m, su_random *random, uint64_t n, uint16_t **codes)
{
    uint64_t *first = su_alloc_array(s->groups + 1, sizeof *first);
    uint32_t *group = su_alloc_array(n, sizeof *group), *record = su_alloc_array(n, sizeof *record);
    for (uint64_t i = 0; i < n; i++) {
        size_t g = 0;
        for (uint32_t k = 0; k < s->given_count; k++) g += codes[s->given[k]][i] * s->stride[k];
        group[i] = (uint32_t)g;
        first[g]++;
    }
    for (size_t g = 1; g <= s->groups; g++) first[g] += first[g - 1];
    for (uint64_t i = n; i-- > 0;) record[--first[group[i]]] = (uint32_t)i;
    for (size_t g = 0; g < s->groups; g++)
        if (first[g + 1] > first[g]) deal(s, m, g, record + first[g], first[g + 1] - first[g], random, codes[s->column]);
    free(first);
    free(group);
    free(record);
}

void su_model_records(const su_model *m, su_random *random, uint64_t record_count, uint16_t **codes)
{
    for (uint32_t place = m->column_count; place-- > 0;) {
        step s;
        step_init(&s, m, place);
        fill_column(&s, m, random, record_count, codes);
        step_free(&s);
    }
}
