/* sds: aggregates with differential privacy and records made from them, as Synthetic Data Showcase defines them (docs/methods/sds.md;
 * "Differentially Private Marginals", Gopi, Mahabadi, Yekhanin; docs/methods/sds.md has what is done differently and why). */
#include "sds.h"

#include <math.h>
#include <stdlib.h>

#define OUTSIDE 0.05 /* of the interval for the number of records */

/* Number of records: discrete Laplace noise, pure differential privacy. */
static void estimate_total(su_release *r, uint64_t rows, su_random *random)
{
    su_random stream;
    su_random_split(random, su_random_u64(random), &stream);
    int64_t total = (int64_t)rows + su_sample_discrete_laplace(&stream, r->sds.record_scale_num, r->sds.record_scale_den);
    double scale = (double)r->sds.record_scale_num / (double)r->sds.record_scale_den;
    double half = ceil(scale * -log(OUTSIDE)); /* P(|Z| > half) <= e^(-half/scale) */
    r->total_estimate = (double)(total > 0 ? total : 0);
    r->total_ci_low = fmax(0, (double)total - half);
    r->total_ci_high = fmax(0, (double)total + half);
    su_random_wipe(&stream);
}

/* At most the count of every combination with one attribute less. Those are all there: candidates have no others. */
static void hold_at_parents(su_tuple_graph *g)
{
    for (uint32_t k = 2; k <= g->length; k++) {
        su_tuple_level *l = &g->level[k], *up = &g->level[k - 1];
        for (size_t p = 0; p < up->n; p++)
            for (size_t e = up->first[p]; e < up->first[p + 1]; e++)
                if (l->count[up->child[e]] > up->count[p]) l->count[up->child[e]] = up->count[p];
    }
}

static void list_aggregates(su_release *r, const su_tuple_graph *g)
{
    size_t n = 0;
    for (uint32_t k = 1; k <= g->length; k++) n += g->level[k].n;
    r->aggregates = su_arena_array(&r->arena, n, sizeof *r->aggregates);
    for (uint32_t k = 1; k <= g->length; k++) {
        const su_tuple_level *l = &g->level[k];
        uint32_t *order = su_alloc_array(l->n + 1, sizeof *order);
        su_tuple_print_order(g->universe, l, order);
        for (size_t i = 0; i < l->n; i++) {
            uint32_t count = l->count[order[i]];
            if (!count) continue;
            if (count < r->options.k) {
                r->suppressed_by_k[k]++;
                continue;
            }
            su_aggregate *a = &r->aggregates[r->aggregate_count++];
            *a = (su_aggregate) { .length = k, .count = count, .ci_low = NAN, .ci_high = NAN };
            for (uint32_t p = 0; p < k; p++) a->at[p] = su_universe_attribute(g->universe, su_key_at(l->key[order[i]], p));
        }
        free(order);
    }
}

/* Pairs that a rule makes impossible are no candidates, and so no longer combination that holds one. */
static void drop_impossible(const su_release *r, const su_universe *u, su_tuple_level *pairs)
{
    size_t kept = 0;
    for (size_t i = 0; i < pairs->n; i++) {
        su_attribute a = su_universe_attribute(u, su_key_at(pairs->key[i], 0)), b = su_universe_attribute(u, su_key_at(pairs->key[i], 1));
        if (su_rules_allow(r->rules, a.column, a.value, b.column, b.value)) pairs->key[kept++] = pairs->key[i];
    }
    pairs->n = kept;
}

/* Everything that looks at the data. Lengths follow one another: what is asked at one depends on what was released at the shorter ones. */
static su_status measure(su_context *ctx, su_release *r, const su_code_matrix *m, su_tuple_graph *g, su_random *random)
{
    su_row_lists rows;
    su_status status = su_row_lists_init(ctx, &rows, m, g->universe, NULL);
    if (!status) estimate_total(r, m->row_count, random);
    for (uint32_t k = 1; !status && k <= r->sds.lengths; k++) {
        su_progress(ctx, "measuring combinations", (double)(k - 1) / r->sds.lengths);
        if (k > 1 && !su_sds_candidates(g, k, &g->level[k])) {
            su_tuple_level_free(&g->level[k]);
            g->level[k].length = k;
            su_log(ctx, "more than 67 million combinations of %u attributes could be there: combinations of %u and more are left out", k,
                   k);
            break;
        }
        if (k == 2 && r->rules) drop_impossible(r, g->universe, &g->level[k]);
        size_t candidates = g->level[k].n;
        status = su_sds_level(ctx, r, &rows, g, k, random);
        if (status) break;
        size_t kept = 0;
        for (size_t i = 0; i < g->level[k].n; i++) kept += g->level[k].count[i] > 0;
        r->sds.length[k].candidates = candidates;
        r->suppressed_by_gate[k] = candidates - kept;
        if (k > 1) su_tuple_graph_link(g, k);
    }
    su_row_lists_free(&rows);
    return status;
}

su_status su_sds_run(su_context *ctx, su_release *r, const su_code_matrix *m, su_random *random, const su_measured_hook *hook)
{
    su_universe domain;
    su_tuple_graph graph;
    su_made made = { NULL };
    su_status status = su_sds_same_columns(ctx, r, m);
    if (status) return status;
    su_universe_init(&domain, r->columns, r->column_count);
    su_tuple_graph_init(&graph, &domain);
    r->private_noise = su_random_is_private(random);
    status = measure(ctx, r, m, &graph, random);
    if (!status) status = su_measured(hook);
    if (!status) {
        const su_sds_options *o = &r->options.sds;
        hold_at_parents(&graph);
        list_aggregates(r, &graph);
        status = su_seed_from_aggregates(ctx, &graph, &(su_aggregate_seeded) { o->weight_percentile, o->synthetic_counts, o->records },
                                         random, &made);
    }
    if (!status) su_made_publish(&made, &domain, r);
    su_made_free(&made);
    su_tuple_graph_free(&graph);
    su_universe_free(&domain);
    return status;
}
