/* utility: all metrics of one release, from one walk per side. */
#include <suha/utility.h>

#include "collect.h"
#include "rare.h"
#include "regress.h"
#include "variation.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SDS_RESOLUTION = 10 }; /* what Synthetic Data Showcase takes when nobody says anything */

static su_status sides(su_context *ctx, const su_code_matrix *truth, su_utility *u)
{
    su_combinations truths[SU_MAX_LENGTH + 1];
    su_collector *collector = su_alloc_array(2, sizeof *collector);
    uint32_t length = u->basic.length;
    collector[0].k = collector[1].k = u->k;
    su_status st = su_true_combinations(ctx, truth, length, truths);
    if (!st) st = su_compare_aggregates(ctx, u->release, truths, su_collect, &collector[0]);
    if (!st) st = su_compare_records(ctx, u->release, truths, su_collect, &collector[1]);
    if (!st) {
        su_collect_finish(&collector[0], length, u->basic.aggregates, &u->aggregates);
        su_collect_finish(&collector[1], length, u->basic.records, &u->records);
        su_rare_records(truth, truths, length, u->k, u->risk);
    }
    su_true_free(truths);
    su_wipe(collector, 2 * sizeof *collector);
    free(collector);
    return st;
}

static void keep_variations(su_utility *u, const su_variations *v)
{
    for (size_t i = 0; i < v->n; i++) {
        su_table_variation *t = &u->variations[u->variation_count++];
        t->length = v->length;
        memcpy(t->columns, v->columns + i * v->length, v->length * sizeof *t->columns);
        t->total_variation = v->distance[i];
    }
}

static su_status variations(su_context *ctx, const su_code_matrix *truth, const su_code_matrix *records, su_utility *u)
{
    size_t d = truth->column_count;
    u->variations = su_arena_array(&u->arena, d + d * (d - 1) / 2 + 1, sizeof *u->variations);
    for (uint32_t l = 1; l <= u->basic.length; l++) {
        su_variations v;
        su_progress(ctx, "comparing with the data", (double)l / u->basic.length);
        su_variations_of(ctx, truth, records, l, &v);
        u->basic.records[l].total_variation = su_variations_mean(&v);
        if (l <= 2) keep_variations(u, &v);
        su_variations_free(&v);
        if (su_cancelled(ctx)) return su_fail(ctx, SU_CANCELLED, "stopped while comparing the release with the data");
    }
    return SU_OK;
}

static uint64_t broken_records(const su_rules *rules, const su_code_matrix *m)
{
    uint64_t n = 0;
    uint16_t **codes = su_alloc_array(m->column_count, sizeof *codes);
    for (uint32_t c = 0; c < m->column_count; c++) codes[c] = (uint16_t *)m->columns[c].codes; /* only read */
    for (uint64_t row = 0; row < m->row_count; row++) n += su_rules_broken(rules, codes, row);
    free(codes);
    return n;
}

static bool holds_impossible(const su_rules *rules, const su_aggregate *a)
{
    for (uint32_t i = 0; i < a->length; i++)
        for (uint32_t k = i + 1; k < a->length; k++)
            if (!su_rules_allow(rules, a->at[i].column, a->at[i].value, a->at[k].column, a->at[k].value)) return true;
    return false;
}

static su_status zeros(su_context *ctx, const su_code_matrix *truth, const su_code_matrix *records, su_utility *u)
{
    const su_release *r = u->release;
    const su_rules *rules = NULL;
    su_utility_zeros *z = &u->zeros;
    su_status st = su_rules_of(ctx, &u->arena, r->schema, r->columns, r->column_count, &rules);
    if (st || !rules) return st;
    double sum = 0;
    z->any = true;
    for (size_t i = 0; i < rules->pair_count; i++) {
        const su_rule_pair *p = &rules->pairs[i];
        for (uint32_t va = 1; va < rules->card[p->a]; va++)
            for (uint32_t vb = 1; vb < rules->card[p->b]; vb++) z->pairs += p->impossible[(size_t)va * rules->card[p->b] + vb];
    }
    for (size_t i = 0; i < r->aggregate_count; i++) {
        if (!holds_impossible(rules, &r->aggregates[i])) continue;
        z->aggregates++;
        sum += r->aggregates[i].length == 2 ? (double)r->aggregates[i].count : 0;
    }
    z->error = z->pairs ? sum / (double)z->pairs : 0;
    z->records = broken_records(rules, records);
    z->truth = broken_records(rules, truth);
    return SU_OK;
}

su_status su_utility_evaluate(su_context *ctx, const su_release *r, const su_code_matrix *truth, const su_utility_options *opts,
                              su_utility **out)
{
    static const su_utility_options none = { 0 };
    if (!opts) opts = &none;
    *out = NULL;
    su_status st = su_compare_columns(ctx, r, truth);
    if (st) return st;
    su_utility *u = su_alloc(sizeof *u);
    su_arena_init(&u->arena);
    u->release = r;
    u->k = opts->k ? opts->k : r->options.k > 1 ? r->options.k : SDS_RESOLUTION;
    u->true_records = truth->row_count;
    u->basic.length = su_compare_length(r);
    u->basic.record_expansion = truth->row_count ? (double)r->record_count / (double)truth->row_count - 1 : NAN;
    su_code_matrix records = su_record_matrix(r);
    st = su_regress(ctx, &u->arena, truth, &records, opts->outcome, &u->regression);
    if (!st) st = sides(ctx, truth, u);
    if (!st) st = variations(ctx, truth, &records, u);
    if (!st) st = zeros(ctx, truth, &records, u);
    free(records.columns);
    if (st)
        su_utility_free(u);
    else
        *out = u;
    return st;
}

void su_utility_free(su_utility *u)
{
    if (!u) return;
    su_arena_free(&u->arena);
    su_wipe(u, sizeof *u);
    free(u);
}
