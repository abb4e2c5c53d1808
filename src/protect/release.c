/* release: from noisy tables to what may be published. Post-processing only: nothing here sees the data, and nothing costs privacy. */
#include "dp/gate.h"
#include "synth/synth.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define NORMAL_975 1.959963984540054

/* ---- one-way tables of whole numbers ----------------------------------------------------------------------------- */

typedef struct fraction {
    double part;
    uint32_t code;
} fraction;

static int by_fraction(const void *a, const void *b)
{
    const fraction *x = a, *y = b;
    if (x->part != y->part) {
        return x->part > y->part ? -1 : 1;
    }
    return x->code < y->code ? -1 : 1;
}

/* Whole numbers that sum to n and lie within 1 of their share of n (largest remainder; ties to the smaller code). Needs sum(want) = n up
 * to rounding error. */
static void apportion(const double *want, uint32_t card, uint64_t n, int64_t *out)
{
    fraction *rest = su_alloc_array(card, sizeof *rest);
    int64_t left = (int64_t)n;
    for (uint32_t v = 0; v < card; v++) {
        out[v] = (int64_t)floor(want[v]);
        left -= out[v];
        rest[v] = (fraction) { want[v] - floor(want[v]), v };
    }
    qsort(rest, card, sizeof *rest, by_fraction);
    for (uint32_t i = 0; left > 0; i = (i + 1) % card, left--) {
        out[rest[i].code]++;
    }
    for (uint32_t i = card; left < 0; left++) {
        do {
            i = i > 0 ? i - 1 : card - 1;
        } while (out[rest[i].code] == 0);
        out[rest[i].code]--;
    }
    free(rest);
}

/* Target counts of one column: reported values get their estimates, absent gets the rest. Values that are not reported get nothing. When
 * the values together exceed n, they are scaled down and no record is without a value. */
static void one_way(const su_lattice *l, const su_estimates *e, const uint32_t *count, uint32_t set, uint32_t card, uint64_t n,
                    int64_t *out)
{
    double *want = su_alloc_array(card, sizeof *want);
    double sum = 0;
    for (uint32_t v = 1; set != UINT32_MAX && v < card; v++) {
        size_t cell = l->sets[set].offset + v;
        want[v] = count[cell] > 0 ? e->cell[cell] : 0;
        sum += want[v];
    }
    for (uint32_t v = 1; sum > (double)n && v < card; v++) {
        want[v] *= (double)n / sum;
    }
    want[0] = sum > (double)n ? 0 : (double)n - sum;
    apportion(want, card, n, out);
    free(want);
}

/* ---- the problem given to the synthesiser ------------------------------------------------------------------------ */

typedef struct targets {
    su_target_table *tables;
    size_t table_count;
    float *estimate;
    uint8_t *forbidden;
    int64_t *counts;
    const int64_t **one_way;
    uint32_t *card;
} targets;

static void targets_free(targets *t)
{
    free(t->tables);
    free(t->estimate);
    free(t->forbidden);
    free(t->counts);
    free(t->one_way);
    free(t->card);
}

/* Squared distance to the reconciled tables, each weighted by its precision, is up to a constant the squared distance to the noisy
 * tables themselves: the likelihood of the records. So the estimates are given as they are, negative ones too. */
static void targets_tables(targets *out, const su_release *r, const su_lattice *l, const su_estimates *e, const uint32_t *count)
{
    size_t cells = 0;
    for (size_t t = 0; t < r->table_count; t++) {
        cells += (size_t)r->tables[t].cells;
    }
    out->table_count = r->table_count;
    out->tables = su_alloc_array(r->table_count, sizeof *out->tables);
    out->estimate = su_alloc_array(cells, sizeof *out->estimate);
    out->forbidden = su_alloc_array(cells, sizeof *out->forbidden);
    float *estimate = out->estimate;
    uint8_t *forbidden = out->forbidden;
    for (size_t t = 0; t < r->table_count; t++) {
        const su_subset *s = &l->sets[l->table_set[t]];
        su_target_table *to = &out->tables[t];
        to->length = s->length;
        memcpy(to->columns, s->columns, s->length * sizeof *s->columns);
        to->cells = s->cells;
        to->estimate = estimate;
        to->forbidden = forbidden;
        to->weight = 1 / su_discrete_gaussian_variance(r->tables[t].variance);
        for (size_t i = 0; i < s->cells; i++) {
            estimate[i] = (float)e->cell[s->offset + i];
            forbidden[i] = count[s->offset + i] == 0;
        }
        estimate += s->cells;
        forbidden += s->cells;
    }
}

static void targets_one_way(targets *out, const su_release *r, const su_lattice *l, const su_estimates *e, const uint32_t *count)
{
    size_t codes = 0;
    for (uint32_t c = 0; c < r->column_count; c++) {
        codes += r->columns[c].card;
    }
    out->card = su_alloc_array(r->column_count, sizeof *out->card);
    out->one_way = su_alloc_array(r->column_count, sizeof *out->one_way);
    out->counts = su_alloc_array(codes, sizeof *out->counts);
    int64_t *counts = out->counts;
    uint32_t set = l->first[1];
    for (uint32_t c = 0; c < r->column_count; c++) {
        bool measured = set < l->first[2] && l->sets[set].columns[0] == c;
        one_way(l, e, count, measured ? set : UINT32_MAX, r->columns[c].card, r->record_count, counts);
        set += measured;
        out->card[c] = r->columns[c].card;
        out->one_way[c] = counts;
        counts += r->columns[c].card;
    }
}

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

static su_status make_records(su_context *ctx, su_release *r, const su_lattice *l, const su_estimates *e, const uint32_t *count,
                              su_random *random)
{
    r->records = su_arena_array(&r->arena, r->column_count, sizeof *r->records);
    for (uint32_t c = 0; c < r->column_count; c++) {
        r->records[c] = su_arena_array(&r->arena, r->record_count, sizeof *r->records[c]);
    }
    if (r->record_count == 0) {
        return SU_OK;
    }
    targets t = { NULL };
    su_random stream;
    su_random_split(random, su_random_u64(random), &stream);
    targets_tables(&t, r, l, e, count);
    targets_one_way(&t, r, l, e, count);
    su_synthesis problem = { .column_count = r->column_count,
                             .card = t.card,
                             .record_count = r->record_count,
                             .one_way = t.one_way,
                             .tables = t.tables,
                             .table_count = t.table_count,
                             .seconds = r->options.seconds };
    su_status status = su_synthesise(ctx, &problem, &stream, r->records);
    if (!status) {
        status = check_records(ctx, r, l, count);
    }
    targets_free(&t);
    su_random_wipe(&stream);
    return status;
}

/* ---- finish ------------------------------------------------------------------------------------------------------ */

su_status su_release_finish(su_context *ctx, su_release *r, const su_measurement *noisy, su_random *random)
{
    if (noisy->table_count != r->table_count) {
        return su_fail(ctx, SU_USAGE, "The measurement has %zu tables, the plan of the release %zu.", noisy->table_count, r->table_count);
    }
    su_lattice lattice;
    su_estimates estimates;
    su_progress(ctx, "reconciling tables", 0);
    su_lattice_init(&lattice, r);
    su_estimates_init(&estimates, r, &lattice, noisy);
    uint32_t *count = su_alloc_array(lattice.cells, sizeof *count);
    su_gate(r, &lattice, &estimates, count, r->suppressed_by_gate);
    su_gate_aggregates(r, &lattice, &estimates, count);
    double half = NORMAL_975 * sqrt(estimates.variance[0]);
    r->total_estimate = estimates.cell[0];
    r->total_ci_low = fmax(0, estimates.cell[0] - half);
    r->total_ci_high = fmax(0, estimates.cell[0] + half);
    r->record_count = count[0];
    su_progress(ctx, "reconciling tables", 1);
    su_status status = su_cancelled(ctx) ? su_fail(ctx, SU_CANCELLED, "Stopped before synthetic records were made.")
                                         : make_records(ctx, r, &lattice, &estimates, count, random);
    free(count);
    su_estimates_free(&estimates);
    su_lattice_free(&lattice);
    return status;
}
