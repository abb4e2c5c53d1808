/* measure: noisy contingency tables (docs/methods/noise.md).
 *
 * Sensitivity: a record adds 1 to exactly one cell of every table, so adding or removing one record moves table t by 1 in L2 (and L1).
 * Cells that public rules make impossible are set to 0: then a record that is in one adds nothing, which is less. Cost: discrete Gaussian
 * noise of parameter sigma_t^2 on an integer vector of sensitivity 1 is 1/(2 sigma_t^2)-zCDP (Canonne, Kamath, Steinke 2020, arXiv
 * 2004.00010); the tables compose to rho = sum of 1/(2 sigma_t^2), which is what su_release_plan filled in. */
#include "zeros.h"

#include <suha/plant.h>

#include <stdlib.h>
#include <string.h>

static su_measurement *measurement_new(const su_release *r)
{
    su_measurement *n = su_alloc(sizeof *n);
    n->table_count = r->table_count;
    n->cells = su_alloc_array(r->table_count, sizeof *n->cells);
    for (size_t t = 0; t < r->table_count; t++) {
        n->total_cells += (size_t)r->tables[t].cells;
    }
    int64_t *block = su_alloc_array(n->total_cells, sizeof *block);
    for (size_t t = 0; t < r->table_count; t++) {
        n->cells[t] = block;
        block += r->tables[t].cells;
    }
    return n;
}

void su_measurement_free(su_measurement *m)
{
    if (!m) {
        return;
    }
    if (m->cells) {
        su_wipe(m->cells[0], m->total_cells * sizeof *m->cells[0]);
        free(m->cells[0]);
    }
    free(m->cells);
    free(m);
}

typedef struct noise_task {
    const su_release *r;
    const su_random *source;
    su_measurement *out;
} noise_task;

static void draw_table(void *arg, size_t t, unsigned worker)
{
    (void)worker;
    noise_task *task = arg;
    su_random stream;
    su_variance v = task->r->tables[t].variance;
    SU_PLANT(NOISE_HALVED, v.num = (v.num + 3) / 4, (void)0);
    su_random_split(task->source, SU_PLANT(NOISE_PER_TABLE, 0, SU_PLANT(SHARED_STREAM, worker, t)), &stream);
    su_sample_discrete_gaussian_fill(&stream, v, task->out->cells[t], (size_t)task->r->tables[t].cells);
    su_random_wipe(&stream);
}

/* The streams of a measurement hang below a number drawn from the caller's source, so that two measurements from one source, of a data
 * set and its neighbour say, never share noise. */
static void draw_noise(su_context *ctx, const su_release *r, su_random *random, su_measurement *out)
{
    su_random source;
    su_random_split(random, SU_PLANT(NOISE_PER_MEASUREMENT, 0, su_random_u64(random)), &source);
    su_parallel(ctx, r->table_count, draw_table, &(noise_task) { r, &source, out });
    su_random_wipe(&source);
}

static su_status check_shape(su_context *ctx, const su_release *r, const su_code_matrix *m)
{
    if (m->column_count != r->column_count) {
        return su_fail(ctx, SU_USAGE, "The data have %u columns, the plan of the release %u. Plan again with the columns of these data.",
                       m->column_count, r->column_count);
    }
    for (uint32_t c = 0; c < m->column_count; c++) {
        if (m->columns[c].card != r->columns[c].card) {
            return su_fail(ctx, SU_USAGE,
                           "Column %s has %u codes in the data and %u in the plan of the release. Plan again with these "
                           "columns.",
                           r->columns[c].name, m->columns[c].card, r->columns[c].card);
        }
    }
    return SU_OK;
}

/* A code outside its column would be counted in another cell, or outside the table. */
static su_status check_codes(su_context *ctx, const su_release *r, const su_code_matrix *m)
{
    for (uint32_t c = 0; c < m->column_count; c++) {
        const su_matrix_column *column = &m->columns[c];
        unsigned largest = 0;
        for (uint64_t i = 0; i < m->row_count; i++) {
            unsigned code = su_matrix_code(column, i);
            largest = code > largest ? code : largest;
        }
        if (m->row_count && largest >= m->columns[c].card) {
            return su_fail(ctx, SU_INTERNAL, "Column %s holds a code outside its codelist. Nothing was released; please report this.",
                           r->columns[c].name);
        }
    }
    return SU_OK;
}

/* Tables are counted in batches of so many cells: two numbers of 8 bytes for each, besides the measurement. */
#define BATCH_CELLS (UINT64_C(1) << 23)

/* Counts tables from..to-1 and adds them. `counts` has room for their cells. */
static su_status add_batch(su_context *ctx, const su_release *r, const su_code_matrix *m, size_t from, size_t to, int64_t *counts,
                           su_measurement *out)
{
    su_contingency_request *requests = su_alloc_array(to - from, sizeof *requests);
    int64_t *at = counts;
    for (size_t t = from; t < to; at += r->tables[t++].cells) {
        requests[t - from] = (su_contingency_request) { .n = r->tables[t].length, .columns = r->tables[t].columns, .out = at };
    }
    su_status status = su_contingency_many(ctx, m, requests, to - from);
    for (size_t t = from; status == SU_OK && t < to; t++) {
        const int64_t *count = requests[t - from].out;
        int64_t *cells = out->cells[t];
        for (uint64_t i = 0; i < r->tables[t].cells; i++) {
            cells[i] += SU_PLANT(TWO_CELLS, count[i] + (i ? count[i - 1] : 0), count[i]);
        }
    }
    free(requests);
    return status;
}

/* The first table that does not go into the batch beginning with `from`. */
static size_t batch_end(const su_release *r, size_t from, uint64_t *cells)
{
    size_t to = from;
    for (*cells = 0; to < r->table_count && (to == from || *cells + r->tables[to].cells <= BATCH_CELLS); to++) {
        *cells += r->tables[to].cells;
    }
    return to;
}

/* Adds the contingency tables of the data to what is in `out`: noise, or zeros in su_release_measure_exact. */
static su_status add_counts(su_context *ctx, const su_release *r, const su_code_matrix *m, su_measurement *out)
{
    su_status status = check_codes(ctx, r, m);
    uint64_t cells, most = 1;
    for (size_t from = 0; from < r->table_count;) {
        from = batch_end(r, from, &cells);
        most = cells > most ? cells : most;
    }
    int64_t *counts = su_alloc_array((size_t)most, sizeof *counts);
    for (size_t from = 0, to; status == SU_OK && from < r->table_count; from = to) {
        to = batch_end(r, from, &cells);
        status = add_batch(ctx, r, m, from, to, counts, out);
    }
    su_wipe(counts, (size_t)most * sizeof *counts);
    free(counts);
    SU_PLANT(RULES_FORGOTTEN, (void)0, su_zeros_clear(r, out));
    return status;
}

su_status su_release_measure(su_context *ctx, su_release *r, const su_code_matrix *m, su_random *random, su_measurement **out)
{
    *out = NULL;
    su_status status = check_shape(ctx, r, m);
    if (status) {
        return status;
    }
    su_measurement *n = measurement_new(r);
    r->private_noise = su_random_is_private(random);
    su_progress(ctx, "drawing noise", 0);
    draw_noise(ctx, r, random, n);
    su_progress(ctx, "drawing noise", 1);
    if (su_cancelled(ctx)) {
        status = su_fail(ctx, SU_CANCELLED, "Stopped before the data were read.");
    } else {
        status = add_counts(ctx, r, m, n);
    }
    if (status) {
        su_measurement_free(n);
        return status;
    }
    *out = n;
    return SU_OK;
}

su_status su_release_measure_exact(su_context *ctx, const su_release *r, const su_code_matrix *m, su_measurement **out)
{
    *out = NULL;
    su_status status = check_shape(ctx, r, m);
    if (status) {
        return status;
    }
    su_measurement *n = measurement_new(r);
    status = add_counts(ctx, r, m, n);
    if (status) {
        su_measurement_free(n);
        return status;
    }
    *out = n;
    return SU_OK;
}
