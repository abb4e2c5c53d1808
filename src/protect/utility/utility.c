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
