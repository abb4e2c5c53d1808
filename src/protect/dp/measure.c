/* measure: noisy contingency tables (spec privacy 1.7 step 2).
 *
 * Sensitivity: a record adds 1 to exactly one cell of every table, so adding or removing one record moves table t by 1 in L2 (and L1).
 * Cost: discrete Gaussian noise of parameter sigma_t^2 on an integer vector of sensitivity 1 is 1/(2 sigma_t^2)-zCDP (Canonne, Kamath,
 * Steinke 2020, arXiv 2004.00010); the tables compose to rho = sum of 1/(2 sigma_t^2), which is what su_release_plan filled in. */
#include <suha/protect.h>

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
    su_random_split(task->source, t, &stream);
    su_sample_discrete_gaussian_fill(&stream, task->r->tables[t].variance, task->out->cells[t], (size_t)task->r->tables[t].cells);
    su_random_wipe(&stream);
}

/* The streams of a measurement hang below a number drawn from the caller's source, so that two measurements from one source, of a data
 * set and its neighbour say, never share noise. */
static void draw_noise(su_context *ctx, const su_release *r, su_random *random, su_measurement *out)
{
    su_random source;
    su_random_split(random, su_random_u64(random), &source);
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
        unsigned largest = 0;
        for (uint64_t i = 0; i < m->row_count; i++) {
            largest = m->columns[c].codes[i] > largest ? m->columns[c].codes[i] : largest;
        }
        if (m->row_count && largest >= m->columns[c].card) {
            return su_fail(ctx, SU_INTERNAL, "Column %s holds a code outside its codelist. Nothing was released; please report this.",
                           r->columns[c].name);
        }
    }
    return SU_OK;
}

typedef struct count_task {
    const su_release *r;
    const su_code_matrix *m;
    su_measurement *out;
    int64_t **scratch;
} count_task;

static void count_table(void *arg, size_t t, unsigned worker)
{
    count_task *task = arg;
    const su_release_table *table = &task->r->tables[t];
    int64_t *counts = task->scratch[worker], *cells = task->out->cells[t];
    su_contingency(task->m, table->columns, table->length, counts);
    for (uint64_t i = 0; i < table->cells; i++) {
        cells[i] += counts[i];
    }
}

/* Adds the contingency tables of the data to what is in `out`: noise, or zeros in su_release_measure_exact. */
static su_status add_counts(su_context *ctx, const su_release *r, const su_code_matrix *m, su_measurement *out)
{
    su_status status = check_codes(ctx, r, m);
    if (status) {
        return status;
    }
    size_t widest = 1;
    for (size_t t = 0; t < r->table_count; t++) {
        widest = r->tables[t].cells > widest ? (size_t)r->tables[t].cells : widest;
    }
    unsigned workers = su_parallel_workers(ctx);
    int64_t **scratch = su_alloc_array(workers, sizeof *scratch);
    for (unsigned w = 0; w < workers; w++) {
        scratch[w] = su_alloc_array(widest, sizeof **scratch);
    }
    su_parallel(ctx, r->table_count, count_table, &(count_task) { r, m, out, scratch });
    for (unsigned w = 0; w < workers; w++) {
        su_wipe(scratch[w], widest * sizeof **scratch);
        free(scratch[w]);
    }
    free(scratch);
    return SU_OK;
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
