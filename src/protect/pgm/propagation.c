#include "propagation.h"
#include "kernels.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A separator's sum below this, relative to the largest cell of its node, has lost digits: then every separator cell gets its own largest.
 */
#define TINY 1e-200

/* ---- plan -------------------------------------------------------------------------------------------------------- */

static void plan_nodes(su_propagation *p, const su_model *m)
{
    size_t separators = 0, widest = 0;
    p->nodes = su_alloc_array(m->tree.count, sizeof *p->nodes);
    for (uint32_t i = 0; i < m->tree.count; i++) {
        const su_tree_node *node = &m->tree.nodes[i];
        p->nodes[i] = (su_node_plan) { .offset = p->cells, .cells = (size_t)node->cells, .separator_offset = separators };
        p->cells += (size_t)node->cells;
        widest = node->cells > widest ? (size_t)node->cells : widest;
        if (node->parent == UINT32_MAX) continue;
        su_submap_init(&p->nodes[i].up, node->set, node->separator, m->card);
        su_submap_init(&p->nodes[i].down, m->tree.nodes[node->parent].set, node->separator, m->card);
        separators += p->nodes[i].up.cells;
    }
    p->belief = su_alloc_array(p->cells, sizeof *p->belief);
    p->kept = su_alloc_array(widest, sizeof *p->kept);
    p->sum = su_alloc_array(separators + 1, sizeof *p->sum);
    p->message = su_alloc_array(separators + 1, sizeof *p->message);
}

static void plan_factor(su_propagation *p, const su_model *m, size_t f)
{
    const su_factor *factor = &m->factors[f];
    su_factor_plan *plan = &p->factors[f];
    plan->host = su_tree_holder(&m->tree, factor->set);
    su_column_set host = m->tree.nodes[plan->host].set;
    size_t cells = (size_t)m->tree.nodes[plan->host].cells;
    for (size_t g = 0; g < m->factor_count; g++) {
        if (g == f || !su_set_within(factor->set, m->factors[g].set) || m->factors[g].cells > cells) continue;
        if (m->factors[g].cells == cells && (host != m->factors[g].set || plan->in_factor)) continue;
        plan->in_factor = true;
        plan->host = g;
        host = m->factors[g].set;
        cells = m->factors[g].cells;
    }
    su_submap_init(&plan->map, host, factor->set, m->card);
}

su_propagation *su_propagation_new(const su_model *m)
{
    su_propagation *p = su_alloc(sizeof *p);
    plan_nodes(p, m);
    p->factors = su_alloc_array(m->factor_count, sizeof *p->factors);
    p->by_size = su_alloc_array(m->factor_count, sizeof *p->by_size);
    p->pushed = su_alloc_array(m->cells, sizeof *p->pushed);
    for (size_t f = 0; f < m->factor_count; f++) {
        size_t at = f;
        for (; at > 0 && su_set_size(m->factors[p->by_size[at - 1]].set) > su_set_size(m->factors[f].set); at--)
            p->by_size[at] = p->by_size[at - 1];
        p->by_size[at] = f;
        plan_factor(p, m, f);
    }
    return p;
}

void su_propagation_free(su_propagation *p, uint32_t node_count, size_t factor_count)
{
    if (!p) return;
    for (uint32_t i = 0; i < node_count; i++) {
        su_submap_free(&p->nodes[i].up);
        su_submap_free(&p->nodes[i].down);
    }
    for (size_t f = 0; f < factor_count; f++) su_submap_free(&p->factors[f].map);
    free(p->nodes);
    free(p->factors);
    free(p->by_size);
    free(p->belief);
    free(p->kept);
    free(p->pushed);
    free(p->sum);
    free(p->message);
    free(p);
}

/* ---- passes ------------------------------------------------------------------------------------------------------ */

static void push_potentials(su_propagation *p, const su_model *m)
{
    memset(p->belief, 0, p->cells * sizeof *p->belief);
    memcpy(p->pushed, m->potential, m->cells * sizeof *p->pushed);
    for (size_t i = 0; i < m->factor_count; i++) {
        const su_factor_plan *plan = &p->factors[p->by_size[i]];
        double *to = plan->in_factor ? p->pushed + m->factors[plan->host].offset : p->belief + p->nodes[plan->host].offset;
        su_submap_add(&plan->map, p->pushed + m->factors[p->by_size[i]].offset, to);
    }
}

/* belief becomes exp(belief - largest of its separator cell); message the logarithm of the sums, however far apart they lie. */
static void up_exactly(const su_node_plan *node, double *belief, double *sum, double *message)
{
    su_submap_max(&node->up, belief, message);
    for (size_t s = 0; s < node->up.cells; s++) message[s] = -message[s];
    su_submap_add(&node->up, message, belief);
    su_exp_shifted(belief, 0, node->cells, belief);
    su_submap_sum(&node->up, belief, sum);
    for (size_t s = 0; s < node->up.cells; s++) message[s] = log(sum[s]) - message[s];
}

static void send_up(su_propagation *p, const su_model *m, uint32_t i)
{
    const su_node_plan *node = &p->nodes[i];
    double *belief = p->belief + node->offset, *sum = p->sum + node->separator_offset, *message = p->message + node->separator_offset;
    double top = su_largest(belief, node->cells), least = INFINITY;
    memcpy(p->kept, belief, node->cells * sizeof *p->kept);
    su_exp_shifted(belief, top, node->cells, belief);
    su_submap_sum(&node->up, belief, sum);
    for (size_t s = 0; s < node->up.cells; s++) least = sum[s] < least ? sum[s] : least;
    if (least < TINY) {
        memcpy(belief, p->kept, node->cells * sizeof *p->kept);
        up_exactly(node, belief, sum, message);
    } else {
        for (size_t s = 0; s < node->up.cells; s++) message[s] = top + log(sum[s]);
    }
    su_submap_add(&node->down, message, p->belief + p->nodes[m->tree.nodes[i].parent].offset);
}

/* The node's cells are exp(belief - c_s) with sum S_s over separator cell s; times P(s) / S_s they are probabilities. */
static void send_down(su_propagation *p, const su_model *m, uint32_t i)
{
    const su_node_plan *node = &p->nodes[i];
    double *sum = p->sum + node->separator_offset, *shared = p->message + node->separator_offset;
    su_submap_sum(&node->down, p->belief + p->nodes[m->tree.nodes[i].parent].offset, shared);
    for (size_t s = 0; s < node->up.cells; s++) sum[s] = shared[s] / sum[s];
    su_submap_scale(&node->up, sum, p->belief + node->offset);
}

double su_model_infer(su_model *m)
{
    if (!m->plan) {
        su_elimination_free(&m->elimination);
        su_tree_free(&m->tree);
        su_column_set *sets = su_alloc_array(m->factor_count, sizeof *sets);
        for (size_t f = 0; f < m->factor_count; f++) sets[f] = m->factors[f].set;
        su_elimination_init(&m->elimination, m->column_count, m->card, sets, m->factor_count);
        su_tree_init(&m->tree, &m->elimination);
        free(sets);
        m->plan = su_propagation_new(m);
    }
    su_propagation *p = m->plan;
    uint32_t root = m->tree.count - 1;
    double *belief = p->belief + p->nodes[root].offset;
    push_potentials(p, m);
    for (uint32_t i = 0; i < root; i++) send_up(p, m, i);
    double top = su_largest(belief, p->nodes[root].cells), sum = 0;
    su_exp_shifted(belief, top, p->nodes[root].cells, belief);
    for (size_t i = 0; i < p->nodes[root].cells; i++) sum += belief[i];
    for (size_t i = 0; i < p->nodes[root].cells; i++) belief[i] /= sum;
    for (uint32_t i = root; i-- > 0;) send_down(p, m, i);
    for (size_t i = m->factor_count; i-- > 0;) {
        const su_factor_plan *plan = &p->factors[p->by_size[i]];
        const double *from = plan->in_factor ? m->share + m->factors[plan->host].offset : p->belief + p->nodes[plan->host].offset;
        su_submap_sum(&plan->map, from, m->share + m->factors[p->by_size[i]].offset);
    }
    return top + log(sum);
}
