#include "tree.h"

#include <suha/base.h>

#include <stdlib.h>
#include <string.h>

static uint64_t add_saturated(uint64_t a, uint64_t b)
{
    uint64_t sum;
    return __builtin_add_overflow(a, b, &sum) ? UINT64_MAX : sum;
}

/* ---- elimination ------------------------------------------------------------------------------------------------- */

typedef struct elimination_state {
    uint32_t column_count, step;
    const uint32_t *card;
    su_column_set graph[SU_MODEL_COLUMNS], left;
    uint64_t cost[SU_MODEL_COLUMNS];
} elimination_state;

static void cost_of(elimination_state *s, uint32_t column)
{
    s->cost[column] = su_set_cells(s->graph[column] | su_set_of(column), s->card);
}

static void connect(su_column_set *graph, su_column_set clique)
{
    for (su_column_set left = clique; left; left &= left - 1) {
        uint32_t c = su_set_first(left);
        graph[c] |= clique & ~su_set_of(c);
    }
}

/* Removes the cheapest column and returns its clique. */
static su_column_set eliminate(elimination_state *s, uint32_t *removed)
{
    uint32_t best = UINT32_MAX;
    for (su_column_set left = s->left; left; left &= left - 1) {
        uint32_t c = su_set_first(left);
        if (best == UINT32_MAX || s->cost[c] < s->cost[best]) best = c;
    }
    su_column_set around = s->graph[best];
    connect(s->graph, around);
    s->left &= ~su_set_of(best);
    for (su_column_set left = around; left; left &= left - 1) {
        uint32_t c = su_set_first(left);
        s->graph[c] &= ~su_set_of(best);
        cost_of(s, c);
    }
    s->step++;
    *removed = best;
    return around | su_set_of(best);
}

static bool maximal(su_column_set clique, const su_column_set *before, uint32_t count, const su_column_set *more, uint32_t more_count)
{
    for (uint32_t i = 0; i < count; i++)
        if (su_set_within(clique, before[i])) return false;
    for (uint32_t i = 0; i < more_count; i++)
        if (su_set_within(clique, more[i])) return false;
    return true;
}

void su_elimination_init(su_elimination *e, uint32_t column_count, const uint32_t *card, const su_column_set *cliques, size_t clique_count)
{
    elimination_state s = { .column_count = column_count, .card = card };
    *e = (su_elimination) { .column_count = column_count, .card = card };
    e->order = su_alloc_array(column_count, sizeof *e->order);
    e->place = su_alloc_array(column_count, sizeof *e->place);
    e->graph = su_alloc_array((size_t)column_count * column_count, sizeof *e->graph);
    e->clique = su_alloc_array(column_count, sizeof *e->clique);
    e->cells = su_alloc_array((size_t)column_count + 1, sizeof *e->cells);
    for (size_t i = 0; i < clique_count; i++) connect(s.graph, cliques[i]);
    for (uint32_t c = 0; c < column_count; c++) {
        s.left |= su_set_of(c);
        cost_of(&s, c);
    }
    for (uint32_t step = 0; step < column_count; step++) {
        memcpy(e->graph + (size_t)step * column_count, s.graph, column_count * sizeof *e->graph);
        e->clique[step] = eliminate(&s, &e->order[step]);
        e->place[e->order[step]] = step;
        uint64_t cells = maximal(e->clique[step], e->clique, step, NULL, 0) ? su_set_cells(e->clique[step], card) : 0;
        e->cells[step + 1] = add_saturated(e->cells[step], cells);
    }
}

void su_elimination_free(su_elimination *e)
{
    free(e->order);
    free(e->place);
    free(e->graph);
    free(e->clique);
    free(e->cells);
    memset(e, 0, sizeof *e);
}

uint64_t su_elimination_cells(const su_elimination *e) { return e->cells[e->column_count]; }

uint64_t su_elimination_cells_with(const su_elimination *e, su_column_set more)
{
    uint32_t start = e->column_count, removed;
    for (su_column_set left = more; left; left &= left - 1) {
        uint32_t place = e->place[su_set_first(left)];
        start = place < start ? place : start;
    }
    if (start == e->column_count || su_set_within(more, e->clique[start])) return su_elimination_cells(e);
    elimination_state s = { .column_count = e->column_count, .card = e->card };
    memcpy(s.graph, e->graph + (size_t)start * e->column_count, e->column_count * sizeof *s.graph);
    connect(s.graph, more);
    for (uint32_t step = start; step < e->column_count; step++) {
        s.left |= su_set_of(e->order[step]);
        cost_of(&s, e->order[step]);
    }
    su_column_set after[SU_MODEL_COLUMNS];
    uint64_t cells = e->cells[start];
    for (uint32_t n = 0; s.left; n++) {
        after[n] = eliminate(&s, &removed);
        if (maximal(after[n], e->clique, start, after, n)) cells = add_saturated(cells, su_set_cells(after[n], e->card));
    }
    return cells;
}

/* ---- tree -------------------------------------------------------------------------------------------------------- */

/* The step at which the first neighbour of the column removed at `step` goes: the node above in the elimination tree. */
static uint32_t step_above(const su_elimination *e, uint32_t step)
{
    uint32_t above = UINT32_MAX;
    for (su_column_set left = e->clique[step] & ~su_set_of(e->order[step]); left; left &= left - 1) {
        uint32_t place = e->place[su_set_first(left)];
        above = place < above ? place : above;
    }
    return above;
}

/* owner[step]: the step whose clique stands for that of `step`, which is maximal. A clique that lies in that of a step below hands its
 * place to it; parent[] then runs between owners. */
static void absorb(const su_elimination *e, uint32_t *owner, uint32_t *parent)
{
    for (uint32_t s = 0; s < e->column_count; s++) {
        owner[s] = s;
        parent[s] = step_above(e, s);
    }
    for (uint32_t s = 0; s < e->column_count; s++) {
        uint32_t above = parent[s];
        if (above == UINT32_MAX || owner[above] != above || !su_set_within(e->clique[above], e->clique[s])) continue;
        owner[above] = s;
        parent[s] = parent[above];
        s--; /* the next one above may lie within as well */
    }
}

static uint32_t owner_of(const uint32_t *owner, uint32_t step)
{
    while (step != UINT32_MAX && owner[step] != step) step = owner[step];
    return step;
}

static uint32_t depth_of(const uint32_t *parent, uint32_t step)
{
    uint32_t depth = 0;
    for (; parent[step] != UINT32_MAX; step = parent[step]) depth++;
    return depth;
}

void su_tree_init(su_tree *t, const su_elimination *e)
{
    uint32_t d = e->column_count, owner[SU_MODEL_COLUMNS], parent[SU_MODEL_COLUMNS], depth[SU_MODEL_COLUMNS], index[SU_MODEL_COLUMNS];
    uint32_t root = UINT32_MAX, deepest = 0;
    absorb(e, owner, parent);
    for (uint32_t s = 0; s < d; s++) {
        if (owner[s] != s) continue;
        parent[s] = owner_of(owner, parent[s]);
        if (parent[s] != UINT32_MAX) continue;
        if (root != UINT32_MAX) parent[root] = s; /* parts that share nothing: an empty separator joins them */
        root = s;
    }
    *t = (su_tree) { .nodes = su_alloc_array(d, sizeof *t->nodes) };
    for (uint32_t s = 0; s < d; s++) {
        depth[s] = owner[s] == s ? depth_of(parent, s) : 0;
        deepest = depth[s] > deepest ? depth[s] : deepest;
    }
    for (uint32_t at = deepest + 1; at-- > 0;)
        for (uint32_t s = 0; s < d; s++)
            if (owner[s] == s && depth[s] == at) {
                index[s] = t->count;
                t->nodes[t->count++] =
                    (su_tree_node) { .set = e->clique[s], .parent = parent[s], .cells = su_set_cells(e->clique[s], e->card) };
            }
    for (uint32_t i = 0; i + 1 < t->count; i++) {
        t->nodes[i].parent = index[t->nodes[i].parent];
        t->nodes[i].separator = t->nodes[i].set & t->nodes[t->nodes[i].parent].set;
    }
}

void su_tree_free(su_tree *t)
{
    free(t->nodes);
    memset(t, 0, sizeof *t);
}

uint32_t su_tree_holder(const su_tree *t, su_column_set set)
{
    uint32_t best = UINT32_MAX;
    for (uint32_t i = 0; i < t->count; i++)
        if (su_set_within(set, t->nodes[i].set) && (best == UINT32_MAX || t->nodes[i].cells < t->nodes[best].cells)) best = i;
    return best;
}
