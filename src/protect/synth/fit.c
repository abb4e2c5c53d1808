#include "fit.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SEARCHES 3u
#define SEARCH_SWEEPS 1.25 /* start and two steps: what a search needs in most data; hard ones take more while there is time */
#define MOST_SWEEPS 16.0
#define LEAST_SWEEPS 0.75 /* of a search for which a replay is worth its time: the start and a step */
#define LAST_SWEEPS 1.5 /* of the published records */
#define LAST_SHARE 0.4
#define LEAST_RELUCTANCE 50.0 /* what showing a combination that is not reported costs the published records: grows with the noise */
#define MOST_RELUCTANCE 1500.0
#define RELUCTANCE_SHARE (1 / 34.0) /* of the cube of the standard deviation */

typedef struct search {
    su_context context;
    su_fit_part part;
    su_status status;
    uint16_t **records;
} search;

typedef struct fit {
    su_context *ctx;
    unsigned n;
    const su_release *r;
    const su_lattice *l;
    const su_synthesis *problem;
    const su_random *source;
    search *searches;
    unsigned first, threads; /* of the searches that go side by side now: the first, and the threads of each */
    uint32_t **sum;          /* per worker: counts of all its searches, l->cells */
} fit;

static void report_part(void *user, const char *step, double done)
{
    const su_fit_part *part = user;
    su_progress(part->ctx, step, part->from + part->span * done);
}

void su_fit_context(su_context *out, su_fit_part *part, su_context *ctx, double from, double span)
{
    *part = (su_fit_part) { ctx, from, span };
    su_context_init(out);
    out->cancel = ctx->cancel;
    out->threads = ctx->threads;
    out->progress = report_part;
    out->user = part;
}

double su_fit_reluctance(const su_estimates *e, const su_lattice *l)
{
    double sd = su_estimates_deviation(e, l, l->length);
    return fmin(MOST_RELUCTANCE, fmax(LEAST_RELUCTANCE, RELUCTANCE_SHARE * sd * sd * sd));
}

double su_fit_leaves(const su_targets *t) { return fmin(LAST_SWEEPS, LAST_SHARE * su_synth_affordable(&t->problem)); }

/* Adds the records' tables. The context's own threads are not used: the searches share them. */
static su_status add_tables(su_context *ctx, const su_release *r, const su_lattice *l, const uint16_t *const *records, uint32_t *sum)
{
    size_t cells = 0;
    for (size_t t = 0; t < r->table_count; t++) {
        cells += (size_t)r->tables[t].cells;
    }
    int64_t *block = su_alloc_array(cells, sizeof *block), *at = block;
    su_contingency_request *requests = su_alloc_array(r->table_count, sizeof *requests);
    su_matrix_column *columns = su_alloc_array(r->column_count, sizeof *columns);
    for (uint32_t c = 0; c < r->column_count; c++) {
        columns[c] = r->columns[c];
        columns[c].codes = records[c];
    }
    su_code_matrix m = { .row_count = r->record_count, .column_count = r->column_count, .columns = columns };
    for (size_t t = 0; t < r->table_count; t++) {
        requests[t] = (su_contingency_request) { .n = r->tables[t].length, .columns = r->tables[t].columns, .out = at };
        at += r->tables[t].cells;
    }
    su_status status = su_contingency_many(ctx, &m, requests, r->table_count);
    for (size_t t = 0; status == SU_OK && t < r->table_count; t++) {
        const su_subset *set = &l->sets[l->table_set[t]];
        for (size_t i = 0; i < set->cells; i++) {
            sum[set->offset + i] += (uint32_t)requests[t].out[i];
        }
    }
    free(block);
    free(requests);
    free(columns);
    return status;
}

static void run_search(void *arg, size_t index, unsigned worker)
{
    fit *f = arg;
    size_t i = f->first + index;
    search *s = &f->searches[i];
    uint16_t **own = NULL;
    su_random stream;
    su_fit_context(&s->context, &s->part, f->ctx, SU_FIT_PART * (double)i / f->n, SU_FIT_PART / f->n);
    s->context.threads = f->threads;
    if (worker > 0) {
        s->context.progress = NULL; /* one voice is enough */
    }
    if (i > 0) {
        s->records = own = su_alloc_array(f->r->column_count, sizeof *own);
        for (uint32_t c = 0; c < f->r->column_count; c++) {
            own[c] = su_alloc_array(f->r->record_count, sizeof *own[c]);
        }
    }
    su_random_split(f->source, i, &stream);
    s->status = su_synthesise(&s->context, f->problem, &stream, s->records);
    if (s->status == SU_OK) {
        s->status = add_tables(&s->context, f->r, f->l, (const uint16_t *const *)s->records, f->sum[worker]);
    }
    su_random_wipe(&stream);
    for (uint32_t c = 0; own && c < f->r->column_count; c++) {
        free(own[c]);
    }
    free(own);
}

/* As many side by side as there are threads; a search that is left over gets the threads of those that have ended. */
static void run_searches(fit *f, unsigned workers)
{
    for (unsigned together; f->first < f->n; f->first += together) {
        together = f->n - f->first < workers ? f->n - f->first : workers;
        f->threads = workers / together;
        su_parallel(f->ctx, together, run_search, f);
    }
}

/* Sums a table along one axis into the set without that column. */
static void collapse(const su_subset *s, uint32_t axis, const uint32_t *from, uint32_t *to)
{
    size_t inner = 1;
    for (uint32_t i = axis + 1; i < s->length; i++) {
        inner *= s->card[i];
    }
    for (size_t i = 0; i < s->cells; i++) {
        to[i / (inner * s->card[axis]) * inner + i % inner] += from[i];
    }
}

/* From the measured tables to every set inside them. */
static void fill_smaller(const su_release *r, const su_lattice *l, uint32_t *sum)
{
    bool *done = su_alloc_array(l->set_count, sizeof *done);
    for (size_t t = 0; t < r->table_count; t++) {
        done[l->table_set[t]] = true;
    }
    for (uint32_t s = l->set_count; s-- > 0;) {
        const su_subset *set = &l->sets[s];
        for (uint32_t axis = 0; axis < set->length; axis++) {
            if (!done[set->parent[axis]]) {
                done[set->parent[axis]] = true;
                collapse(set, axis, sum + set->offset, sum + l->sets[set->parent[axis]].offset);
            }
        }
    }
    free(done);
}

su_status su_fit_count(su_context *ctx, const su_release *r, const su_lattice *l, const uint16_t *const *records, uint32_t *count)
{
    su_status status = add_tables(ctx, r, l, records, count);
    fill_smaller(r, l, count);
    return status;
}

/* Sweeps for all searches of one fit. */
static double fit_sweeps(const su_targets *t) { return su_synth_affordable(&t->problem) - su_fit_leaves(t); }

bool su_fit_replayed(const su_targets *t) { return fit_sweeps(t) >= LEAST_SWEEPS; }

unsigned su_fit_searches(const su_targets *t)
{
    double searches = fmin(SEARCHES, fmax(1, floor(fit_sweeps(t) / SEARCH_SWEEPS)));
    return t->problem.record_count > UINT32_MAX / SEARCHES ? 1 : (unsigned)searches; /* the sums are 32 bits wide */
}

su_status su_fit_tables(su_context *ctx, su_release *r, const su_lattice *l, const su_targets *t, su_random *random, float *mean)
{
    su_synthesis problem = t->problem;
    search searches[SEARCHES] = { { .records = r->records } };
    unsigned n = su_fit_searches(t), workers = su_parallel_workers(ctx);
    problem.sweeps = fmin(MOST_SWEEPS, fmax(0.01, fit_sweeps(t) / n));
    problem.noise = t->noise;
    su_random source;
    su_random_split(random, su_random_u64(random), &source);
    fit f = { ctx, n, r, l, &problem, &source, searches, 0, 1, su_alloc_array(SEARCHES, sizeof *f.sum) };
    for (unsigned w = 0; w < SEARCHES && w < workers; w++) {
        f.sum[w] = su_alloc_array(l->cells, sizeof **f.sum);
    }
    run_searches(&f, workers);
    su_status status = SU_OK;
    for (unsigned i = 0; i < n && status == SU_OK; i++) {
        status = searches[i].status;
        if (status != SU_OK) {
            su_fail(ctx, status, "%s", searches[i].context.message);
        }
    }
    for (unsigned w = 1; w < SEARCHES && f.sum[w]; w++) {
        for (size_t i = 0; i < l->cells; i++) {
            f.sum[0][i] += f.sum[w][i];
        }
    }
    fill_smaller(r, l, f.sum[0]);
    for (size_t i = 0; i < l->cells; i++) {
        mean[i] = (float)f.sum[0][i] / (float)n;
    }
    for (unsigned w = 0; w < SEARCHES; w++) {
        free(f.sum[w]);
    }
    free(f.sum);
    su_random_wipe(&source);
    return status;
}
