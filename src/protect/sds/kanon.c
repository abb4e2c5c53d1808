#include "kanon.h"

#include <math.h>
#include <stdlib.h>

#define COUNTED 3u /* combinations counted for the synthesis, also when shorter ones are published */

/* Receives every combination that K rows hold, in print order. */
typedef struct gather {
    su_release *r;
    su_tuple_graph *g;
    size_t capacity;
    su_aggregate *published;
} gather;

static void take(void *arg, const su_combination *c)
{
    gather *t = arg;
    const su_universe *u = t->g->universe;
    uint64_t key = 0;
    for (uint32_t i = 0; i < c->length; i++) key = su_key_with(key, i, u->first[c->at[i].column] + c->at[i].value - 1);
    if (c->length == 1)
        t->g->level[1].count[su_key_at(key, 0)] = (uint32_t)c->count;
    else
        su_tuple_add(&t->g->level[c->length], key, (uint32_t)c->count);
    su_release *r = t->r;
    if (c->length > r->options.length) return;
    if (r->aggregate_count == t->capacity) t->published = su_grow(t->published, &t->capacity, t->capacity + 1, sizeof *t->published);
    su_aggregate *a = &t->published[r->aggregate_count++];
    *a = (su_aggregate) { .length = c->length, .count = su_floor_k(c->count, r->options.k), .ci_low = NAN, .ci_high = NAN };
    for (uint32_t i = 0; i < c->length; i++) a->at[i] = c->at[i];
}

/* Aggregates rounded down to multiples of K, and the graph of the exact counts for the synthesis. */
static su_status count_groups(su_context *ctx, su_release *r, const su_code_matrix *m, su_tuple_graph *g)
{
    gather t = { .r = r, .g = g };
    bool walk = r->options.mechanism != SU_MECHANISM_UNSEEDED;
    su_count_options o = { .length = walk && r->options.length < COUNTED ? COUNTED : r->options.length, .min_count = r->options.k };
    su_status status = su_count_combinations(ctx, m, &o, take, &t, NULL);
    if (!status) {
        r->aggregates = su_arena_array(&r->arena, r->aggregate_count, sizeof *r->aggregates);
        for (size_t i = 0; i < r->aggregate_count; i++) r->aggregates[i] = t.published[i];
        for (uint32_t k = 2; walk && k <= o.length; k++) {
            su_tuple_sort(g->universe, &g->level[k]);
            su_tuple_index(g, &g->level[k]);
            su_tuple_graph_link(g, k);
        }
    } else
        r->aggregate_count = 0;
    if (t.published) su_wipe(t.published, t.capacity * sizeof *t.published);
    free(t.published);
    return status;
}

su_status su_k_run(su_context *ctx, su_release *r, const su_code_matrix *m, su_random *random, const su_measured_hook *hook)
{
    su_universe domain;
    su_tuple_graph graph;
    su_row_bits bits = { 0 };
    su_made made = { NULL };
    bool unseeded = r->options.mechanism == SU_MECHANISM_UNSEEDED;
    su_status status = su_sds_same_columns(ctx, r, m);
    if (status) return status;
    su_universe_init(&domain, r->columns, r->column_count);
    su_tuple_graph_init(&graph, &domain);
    r->private_noise = su_random_is_private(random);
    r->total_estimate = (double)su_floor_k(m->row_count, r->options.k);
    r->total_ci_low = r->total_ci_high = NAN;
    status = su_row_bits_init(ctx, &bits, m, &domain, r->options.k, unseeded);
    if (!status) status = count_groups(ctx, r, m, &graph);
    if (!status)
        status = unseeded ? su_unseeded(ctx, &bits, random, &made)
                          : su_row_seeded(ctx, &bits, &graph, r->options.mechanism == SU_MECHANISM_ROW_SEEDED, random, &made);
    if (!status) status = su_measured(hook);
    if (!status) su_made_publish(&made, &domain, r);
    su_made_free(&made);
    su_row_bits_free(&bits);
    su_tuple_graph_free(&graph);
    su_universe_free(&domain);
    return status;
}
