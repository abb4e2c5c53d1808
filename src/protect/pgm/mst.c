/* mst: one-way tables, then a tree of pairs chosen where independence fits worst, then those pairs (McKenna, Miklau, Sheldon 2021, arXiv
 * 2108.04978; docs/methods/mst.md). Half of rho for the single columns. */
#include "pgm.h"

#include <math.h>
#include <stdlib.h>

#define CHOOSING 0.15 /* of what the single columns leave; the rest measures the pairs. docs/methods/mst.md */

/* Pairs whose columns are in different parts of the forest. */
static size_t joining(const su_candidates *c, const uint32_t *part, size_t *among)
{
    size_t n = 0;
    for (size_t i = 0; i < c->count; i++) {
        su_column_set set = c->list[i].set;
        if (part[su_set_first(set)] != part[su_set_first(set & (set - 1))]) among[n++] = i;
    }
    return n;
}

static void join(uint32_t *part, uint32_t column_count, su_column_set set)
{
    uint32_t to = part[su_set_first(set)], from = part[su_set_first(set & (set - 1))];
    for (uint32_t c = 0; c < column_count; c++) part[c] = part[c] == from ? to : part[c];
}

/* Chooses up to one edge less than columns. The scores stay as they are: the model has one-way tables only until all edges are chosen. */
static su_status choose_edges(su_pgm *p, double rho, su_column_set *edges, uint32_t *edge_count)
{
    uint32_t d = p->model.column_count, part[SU_MODEL_COLUMNS];
    su_candidates c;
    su_status st = su_candidates_init(p, &c, false, p->r->options.max_table_cells);
    if (st) return st;
    for (size_t i = 0; i < c.count; i++) c.list[i].weight = 1;
    su_model_fit(&p->model, &(su_fit_options) { .entropy = SU_PGM_ENTROPY, .tolerance = 0.05, .most = 200 }, &(su_fit) { 0 });
    su_candidates_expect(p, &c);
    size_t *among = su_alloc_array(c.count, sizeof *among), chosen = 0;
    uint64_t units = (uint64_t)(sqrt(8 * rho / (d - 1)) * (double)SU_SELECTION_UNITS);
    for (uint32_t i = 0; i < d; i++) part[i] = i;
    for (*edge_count = 0; !st && *edge_count + 1 < d;) {
        size_t n = joining(&c, part, among);
        if (n == 0) break;
        st = su_candidates_select(p, &c, among, n, 0, units, &chosen);
        if (st) break;
        edges[(*edge_count)++] = c.list[chosen].set;
        join(part, d, c.list[chosen].set);
    }
    free(among);
    su_candidates_free(&c);
    return st;
}

su_status su_run_mst(su_context *ctx, su_release *r, const su_code_matrix *m, su_random *random, const su_measured_hook *hook)
{
    su_pgm p;
    su_column_set edges[SU_MODEL_COLUMNS];
    uint32_t edge_count = 0;
    su_status st = su_pgm_init(ctx, &p, r, m, random);
    if (st) return st;
    if (r->column_count > 1) st = choose_edges(&p, CHOOSING * su_spending_left(&p.spending), edges, &edge_count);
    double share = edge_count ? su_spending_left(&p.spending) / edge_count : 0;
    for (uint32_t e = 0; !st && e < edge_count; e++) {
        su_progress(ctx, "measuring the tree", (double)e / edge_count);
        st = su_pgm_measure(&p, edges[e], su_variance_above((1 + 1e-9) / (2 * share)));
    }
    if (!st) st = su_measured(hook);
    if (!st) st = su_pgm_finish(&p);
    su_pgm_free(&p);
    return st;
}
