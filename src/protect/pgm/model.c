#include "model.h"
#include "propagation.h"

#include <stdlib.h>
#include <string.h>

void su_model_init(su_model *m, uint32_t column_count, const uint32_t *card)
{
    memset(m, 0, sizeof *m);
    m->column_count = column_count;
    m->total = 1;
    m->card = su_alloc_array(column_count, sizeof *m->card);
    memcpy(m->card, card, column_count * sizeof *card);
}

static void forget_plan(su_model *m)
{
    su_propagation_free(m->plan, m->tree.count, m->factor_count);
    m->plan = NULL;
}

void su_model_free(su_model *m)
{
    forget_plan(m);
    su_elimination_free(&m->elimination);
    su_tree_free(&m->tree);
    for (size_t k = 0; k < m->bar_count; k++) free(m->bars[k].impossible);
    free(m->bars);
    free(m->card);
    free(m->factors);
    free(m->answer);
    free(m->variance);
    free(m->potential);
    free(m->share);
    memset(m, 0, sizeof *m);
}

void su_model_bar(su_model *m, uint32_t a, uint32_t b, const uint8_t *impossible)
{
    size_t cells = (size_t)m->card[a] * m->card[b];
    forget_plan(m);
    m->bars = su_grow(m->bars, &m->bar_capacity, m->bar_count + 1, sizeof *m->bars);
    m->bars[m->bar_count] = (su_bar) { .a = a, .b = b, .impossible = su_alloc(cells) };
    memcpy(m->bars[m->bar_count++].impossible, impossible, cells);
}

bool su_model_barred(const su_model *m, su_column_set set, uint8_t *impossible)
{
    bool any = false;
    memset(impossible, 0, (size_t)su_set_cells(set, m->card));
    for (size_t k = 0; k < m->bar_count; k++) {
        const su_bar *bar = &m->bars[k];
        su_column_set both = su_set_of(bar->a) | su_set_of(bar->b);
        if (!su_set_within(both, set)) continue;
        su_submap map;
        su_submap_init(&map, set, both, m->card);
        for (size_t r = 0; r < map.rows; r++)
            for (size_t i = 0; i < map.inner; i++) impossible[r * map.inner + i] |= bar->impossible[map.at[r] + (map.kept ? i : 0)];
        su_submap_free(&map);
        any = true;
    }
    return any;
}

static void *longer(void *old, size_t *capacity, size_t need) { return su_grow(old, capacity, need, sizeof(double)); }

void su_model_measure(su_model *m, su_column_set set, const double *answer, const double *variance)
{
    for (size_t f = 0; f < m->factor_count; f++) {
        if (m->factors[f].set != set) continue;
        double *y = m->answer + m->factors[f].offset, *v = m->variance + m->factors[f].offset;
        for (size_t i = 0; i < m->factors[f].cells; i++) {
            double both = v[i] * variance[i] / (v[i] + variance[i]);
            y[i] = both * (y[i] / v[i] + answer[i] / variance[i]);
            v[i] = both;
        }
        return;
    }
    forget_plan(m);
    size_t cells = (size_t)su_set_cells(set, m->card);
    for (int k = 0; k < 4; k++) {
        double **array = k == 0 ? &m->answer : k == 1 ? &m->variance : k == 2 ? &m->potential : &m->share;
        size_t capacity = m->cells_capacity;
        *array = longer(*array, &capacity, m->cells + cells);
        if (k == 3) m->cells_capacity = capacity;
    }
    memcpy(m->answer + m->cells, answer, cells * sizeof *answer);
    memcpy(m->variance + m->cells, variance, cells * sizeof *variance);
    memset(m->potential + m->cells, 0, cells * sizeof *m->potential);
    m->factors = su_grow(m->factors, &m->factor_capacity, m->factor_count + 1, sizeof *m->factors);
    m->factors[m->factor_count++] = (su_factor) { .set = set, .cells = cells, .offset = m->cells };
    m->cells += cells;
}

void su_model_marginal(const su_model *m, su_column_set set, double *out)
{
    uint32_t holder = su_tree_holder(&m->tree, set);
    su_submap map;
    su_submap_init(&map, m->tree.nodes[holder].set, set, m->card);
    su_submap_sum(&map, m->plan->belief + m->plan->nodes[holder].offset, out);
    for (size_t i = 0; i < map.cells; i++) out[i] *= m->total;
    su_submap_free(&map);
}
