/* release: from noisy tables to what may be published. Post-processing only: nothing here sees the data, and nothing costs privacy. */
#include "dp/prior.h"
#include "synth/expel.h"
#include "synth/replay.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define NORMAL_975 1.959963984540054

/* The guarantee does not rest on this, but the promise does: no record shows a value that is not reported. */
static su_status check_records(su_context *ctx, const su_release *r, const su_lattice *l, const uint32_t *count)
{
    uint32_t set = l->first[1];
    for (uint32_t c = 0; c < r->column_count; c++) {
        bool measured = set < l->first[2] && l->sets[set].columns[0] == c;
        for (uint64_t i = 0; i < r->record_count; i++) {
            uint16_t code = r->records[c][i];
            if (code > 0 && (code >= r->columns[c].card || !measured || count[l->sets[set].offset + code] == 0)) {
                return su_fail(ctx, SU_INTERNAL,
                               "The synthetic records show a value of %s that is not reported. Nothing was released; "
                               "please report this.",
                               r->columns[c].name);
            }
        }
        set += measured;
    }
    return SU_OK;
}

/* The records of the first search, moved away from combinations that are not reported. */
static su_status publish_records(su_context *ctx, su_release *r, const su_lattice *l, su_targets *t, const uint32_t *count,
                                 double reluctance, su_random *random)
{
    su_random stream;
    su_context part_context;
    su_fit_part part;
    su_random_split(random, su_random_u64(random), &stream);
    su_fit_context(&part_context, &part, ctx, SU_FIT_PART, 1 - SU_FIT_PART);
    su_targets_forbid(t, r, l, count);
    su_synthesis problem = t->problem;
    problem.sweeps = fmax(0.01, su_fit_leaves(t));
    problem.start = (const uint16_t *const *)r->records;
    problem.reluctance = reluctance;
    su_status status = su_synthesise(&part_context, &problem, &stream, r->records);
    su_random_wipe(&stream);
    if (status) return su_fail(ctx, status, "%s", part_context.message);
    su_expel_pairs(r, l, count);
    return check_records(ctx, r, l, count);
}

/* Gate, aggregates and records; single values are gated. */
static su_status fit_and_gate(su_context *ctx, su_release *r, const su_lattice *l, const su_estimates *e, uint32_t *count,
                              su_random *random)
{
    su_targets t;
    float *mean = su_alloc_array(l->cells, sizeof *mean);
    uint32_t *shown = su_alloc_array(l->cells, sizeof *shown);
    su_targets_init(&t, r, l, e, count);
    su_context part_context;
    su_fit_part part;
    su_fit_context(&part_context, &part, ctx, 0, su_fit_replayed(&t) ? 0.5 : 1);
    su_status status = su_fit_tables(&part_context, r, l, &t, random, mean);
    if (status != SU_OK) {
        su_fail(ctx, status, "%s", part_context.message);
    } else {
        status = su_replay_gate(ctx, r, l, e, &t, mean, random, count, shown);
    }
    if (status == SU_OK) {
        su_gate_aggregates(r, l, e, count);
        status = publish_records(ctx, r, l, &t, shown, su_fit_reluctance(e, l), random);
    }
    su_targets_free(&t);
    free(shown);
    free(mean);
    return status;
}

static void make_room(su_release *r)
{
    r->records = su_arena_array(&r->arena, r->column_count, sizeof *r->records);
    for (uint32_t c = 0; c < r->column_count; c++) {
        r->records[c] = su_arena_array(&r->arena, r->record_count, sizeof *r->records[c]);
    }
}

su_status su_release_finish(su_context *ctx, su_release *r, const su_measurement *noisy, su_random *random)
{
    if (noisy->table_count != r->table_count) {
        return su_fail(ctx, SU_USAGE, "The measurement has %zu tables, the plan of the release %zu.", noisy->table_count, r->table_count);
    }
    su_lattice lattice;
    su_estimates estimates;
    su_status status = SU_OK;
    su_progress(ctx, "reconciling tables", 0);
    su_lattice_init(&lattice, r);
    su_estimates_init(&estimates, r, &lattice, noisy);
    if (r->options.prior) {
        status = su_prior_use(ctx, r, &lattice, &estimates);
    }
    uint32_t *count = su_alloc_array(lattice.cells, sizeof *count);
    su_gate_length(r, &lattice, &estimates, 0, NULL, count, r->suppressed_by_gate);
    su_gate_length(r, &lattice, &estimates, 1, NULL, count, r->suppressed_by_gate);
    double half = NORMAL_975 * sqrt(estimates.variance[0]);
    r->total_estimate = estimates.cell[0];
    r->total_ci_low = fmax(0, estimates.cell[0] - half);
    r->total_ci_high = fmax(0, estimates.cell[0] + half);
    r->record_count = count[0];
    make_room(r);
    su_progress(ctx, "reconciling tables", 1);
    if (status == SU_OK && su_cancelled(ctx)) {
        status = su_fail(ctx, SU_CANCELLED, "Stopped before synthetic records were made.");
    } else if (status == SU_OK && r->record_count > 0) {
        status = fit_and_gate(ctx, r, &lattice, &estimates, count, random);
    } else {
        memset(r->expected_invented + 2, 0, sizeof r->expected_invented - 2 * sizeof *r->expected_invented); /* nothing is printed */
    }
    free(count);
    su_estimates_free(&estimates);
    su_lattice_free(&lattice);
    return status;
}
