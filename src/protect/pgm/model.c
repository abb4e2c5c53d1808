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
    free(m->card);
    free(m->factors);
    free(m->answer);
    free(m->variance);
    free(m->potential);
    free(m->share);
    memset(m, 0, sizeof *m);
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
