/* pairs: the model's table of every pair of columns. From each column b, walk the tree away from one node that holds b, carrying P(b |
 * separator). At a node without b, P(a, b) = sum over the separator's cells s of P(a, s) P(b | s), and so on to the next separator. */
#include "kernels.h"
#include "propagation.h"

#include <stdlib.h>
#include <string.h>

typedef struct walk {
    const su_model *m;
    uint32_t b;
    double **out; /* of column b: out[a] for a < b */
    su_column_set wanted;
} walk;

/* Cells of `columns` in the node, as probabilities. Takes no ownership; the caller frees. */
static double *node_table(const su_model *m, uint32_t node, su_column_set columns)
{
    su_submap map;
    su_submap_init(&map, m->tree.nodes[node].set, columns, m->card);
    double *table = su_alloc_array(map.cells, sizeof *table);
    su_submap_sum(&map, m->plan->belief + m->plan->nodes[node].offset, table);
    su_submap_free(&map);
    return table;
}

/* Where every cell of `whole` falls in the table of `sub`. */
static uint32_t *places(const su_model *m, su_column_set whole, su_column_set sub)
{
    su_submap map;
    su_submap_init(&map, whole, sub, m->card);
    uint32_t *at = su_alloc_array(map.rows * map.inner, sizeof *at);
    for (size_t r = 0; r < map.rows; r++)
        for (size_t i = 0; i < map.inner; i++) at[r * map.inner + i] = map.at[r] + (map.kept ? (uint32_t)i : 0);
    su_submap_free(&map);
    return at;
}

/* Columns of the nodes on the far side of the edge from -> to. */
static su_column_set beyond(const su_tree *t, uint32_t from, uint32_t to)
{
    su_column_set set = t->nodes[to].set;
    for (uint32_t i = 0; i < t->count; i++) {
        bool edge = t->nodes[i].parent == to || t->nodes[to].parent == i;
        if (edge && i != from) set |= beyond(t, to, i);
    }
    return set;
}

/* out[sub cell][b] += sum over the cells u of the node's table of `reach` | `sub` of P(u) carried[reach cell of u][b]. */
static void carry(const walk *w, uint32_t node, su_column_set reach, const double *carried, su_column_set sub, double *out)
{
    su_column_set both = reach | sub;
    size_t cells = (size_t)su_set_cells(both, w->m->card), card = w->m->card[w->b];
    double *table = node_table(w->m, node, both);
    uint32_t *from = places(w->m, both, reach), *to = places(w->m, both, sub);
    for (size_t u = 0; u < cells; u++) su_add_scaled(table[u], carried + from[u] * card, card, out + to[u] * card);
    free(table);
    free(from);
    free(to);
}

/* joint[separator cell][b] becomes P(b | separator cell). */
static void condition(const walk *w, size_t cells, double *joint)
{
    size_t card = w->m->card[w->b];
    for (size_t s = 0; s < cells; s++) {
        double sum = 0;
        for (size_t v = 0; v < card; v++) sum += joint[s * card + v];
        for (size_t v = 0; sum > 0 && v < card; v++) joint[s * card + v] /= sum;
    }
}

/* P(b | separator), for a node that holds b. */
static double *begin(const walk *w, uint32_t node, su_column_set separator)
{
    const su_model *m = w->m;
    su_column_set both = separator | su_set_of(w->b);
    size_t cells = (size_t)su_set_cells(both, m->card), card = m->card[w->b];
    double *table = node_table(m, node, both), *joint = su_alloc_array(cells, sizeof *joint);
    uint32_t *from = places(m, both, separator), *value = places(m, both, su_set_of(w->b));
    for (size_t u = 0; u < cells; u++) joint[from[u] * card + value[u]] = table[u];
    condition(w, cells / card, joint);
    free(table);
    free(from);
    free(value);
    return joint;
}

/* Visits `node`, entered from `from` through `reach` (carried: P(b | reach), NULL where the node holds b), and what lies beyond. */
static void visit(const walk *w, uint32_t from, uint32_t node, su_column_set reach, const double *carried)
{
    const su_model *m = w->m;
    const su_tree *t = &m->tree;
    su_column_set here = carried ? t->nodes[node].set & w->wanted & ~reach : 0;
    for (; here; here &= here - 1) {
        uint32_t a = su_set_first(here);
        carry(w, node, reach, carried, su_set_of(a), w->out[a]);
        for (size_t i = 0; i < (size_t)m->card[a] * m->card[w->b]; i++) w->out[a][i] *= m->total;
    }
    for (uint32_t next = 0; next < t->count; next++) {
        bool below = t->nodes[next].parent == node, above = t->nodes[node].parent == next;
        if (next == from || !(below || above) || !(beyond(t, node, next) & ~t->nodes[node].set & w->wanted)) continue;
        su_column_set separator = below ? t->nodes[next].separator : t->nodes[node].separator;
        if (su_set_has(separator, w->b)) {
            visit(w, node, next, separator, NULL);
            continue;
        }
        double *on;
        if (carried) {
            size_t cells = (size_t)su_set_cells(separator, m->card);
            on = su_alloc_array(cells * m->card[w->b], sizeof *on);
            carry(w, node, reach, carried, separator, on);
            condition(w, cells, on);
        } else {
            on = begin(w, node, separator);
        }
        visit(w, node, next, separator, on);
        free(on);
    }
}

typedef struct task {
    const su_model *m;
    double **out;
} task;

static void pairs_of(void *arg, size_t index, unsigned worker)
{
    (void)worker;
    const task *t = arg;
    uint32_t b = t->m->column_count - 1 - (uint32_t)index; /* the widest first */
    walk w = { .m = t->m, .b = b, .out = t->out + (size_t)b * (b - (b > 0)) / 2 };
    for (uint32_t a = 0; a < b; a++) {
        if (!w.out[a]) continue;
        su_column_set both = su_set_of(a) | su_set_of(b);
        if (su_tree_holder(&t->m->tree, both) != UINT32_MAX) {
            su_model_marginal(t->m, both, w.out[a]);
        } else {
            memset(w.out[a], 0, (size_t)t->m->card[a] * t->m->card[b] * sizeof **w.out);
            w.wanted |= su_set_of(a);
        }
    }
    if (w.wanted) visit(&w, UINT32_MAX, su_tree_holder(&t->m->tree, su_set_of(b)), 0, NULL);
}

void su_model_pairs(const su_model *m, double **out)
{
    task t = { m, out };
    if (m->crew) {
        su_crew_do(m->crew, m->column_count, pairs_of, &t);
        return;
    }
    for (uint32_t i = 0; i < m->column_count; i++) pairs_of(&t, i, 0);
}
