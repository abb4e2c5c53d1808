/* evaluate: a release beside the truth (spec privacy 1.6). Outside the guarantee: the numbers themselves say something about the data. */
#include <suha/protect.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Total variation reads every record once per table: above this many readings per length, an even sample of the tables is taken. */
#define TV_READINGS UINT64_C(3000000000)
#define TV_CELLS (UINT64_C(1) << 24)

/* ---- true combinations, kept compactly in the order in which su_count_combinations and a release list them ------------------- */

typedef struct truth {
    su_attribute *at; /* `length` attributes per combination */
    uint64_t *count;
    size_t n, at_capacity, count_capacity;
    uint32_t length;
} truth;

static void keep(void *arg, const su_combination *c)
{
    truth *t = (truth *)arg + c->length;
    size_t need = (t->n + 1) * c->length;
    if (need > t->at_capacity) t->at = su_grow(t->at, &t->at_capacity, need, sizeof *t->at);
    if (t->n == t->count_capacity) t->count = su_grow(t->count, &t->count_capacity, t->n + 1, sizeof *t->count);
    memcpy(t->at + t->n * c->length, c->at, c->length * sizeof *c->at);
    t->count[t->n++] = c->count;
}

/* By columns, then by values. */
static int compare(const su_attribute *a, const su_attribute *b, uint32_t length)
{
    for (uint32_t k = 0; k < length; k++)
        if (a[k].column != b[k].column) return a[k].column < b[k].column ? -1 : 1;
    for (uint32_t k = 0; k < length; k++)
        if (a[k].value != b[k].value) return a[k].value < b[k].value ? -1 : 1;
    return 0;
}

/* ---- one list of released combinations against the true one ------------------------------------------------------------------ */

typedef struct tally {
    uint64_t truly, released, common, unions, intervals, held;
    double true_sum, error_common, error_union, max_error;
} tally;

typedef struct comparison {
    const truth *truths;            /* by length */
    size_t next[SU_MAX_LENGTH + 1]; /* first true combination not yet met */
    tally level[SU_MAX_LENGTH + 1];
} comparison;

static void meet(tally *t, uint64_t truly, uint64_t released)
{
    double error = truly > released ? (double)(truly - released) : (double)(released - truly);
    t->unions++;
    t->error_union += error;
    if (error > t->max_error) t->max_error = error;
    if (truly) t->truly++;
    if (released) t->released++;
    if (truly && released) {
        t->common++;
        t->true_sum += (double)truly;
        t->error_common += error;
    }
}

/* Moves on to the released combination; true ones on the way were not released. Returns its true count. */
static uint64_t meet_released(comparison *c, uint32_t length, const su_attribute *at, uint64_t count)
{
    const truth *t = &c->truths[length];
    uint64_t truly = 0;
    while (c->next[length] < t->n) {
        size_t i = c->next[length];
        int order = compare(t->at + i * length, at, length);
        if (order > 0) break;
        c->next[length]++;
        if (order == 0) {
            truly = t->count[i];
            break;
        }
        meet(&c->level[length], t->count[i], 0);
    }
    if (truly || count) meet(&c->level[length], truly, count);
    return truly;
}

static void meet_rest(comparison *c, uint32_t length)
{
    const truth *t = &c->truths[length];
    for (; c->next[length] < t->n; c->next[length]++) meet(&c->level[length], t->count[c->next[length]], 0);
}

static void meet_record_combination(void *arg, const su_combination *c) { meet_released(arg, c->length, c->at, c->count); }

static double share(double part, double whole) { return whole > 0 ? part / whole : NAN; }

static void summarise(const tally *t, su_evaluation_level *out)
{
    out->combinations_true = t->truly;
    out->combinations_released = t->released;
    out->common = t->common;
    out->mean_count = share(t->true_sum, (double)t->common);
    out->error_common = share(t->error_common, (double)t->common);
    out->error_union = share(t->error_union, (double)t->unions);
    out->suppressed = share((double)(t->truly - t->common), (double)t->truly);
    out->fabricated = share((double)(t->released - t->common), (double)t->truly);
    out->max_error = t->max_error;
    out->coverage = share((double)t->held, (double)t->intervals);
    out->total_variation = NAN;
}

static void finish(comparison *c, uint32_t length, su_evaluation_level *out)
{
    tally *all = &c->level[0];
    for (uint32_t l = 1; l <= length; l++) {
        const tally *t = &c->level[l];
        meet_rest(c, l);
        all->truly += t->truly;
        all->released += t->released;
        all->common += t->common;
        all->unions += t->unions;
        all->intervals += t->intervals;
        all->held += t->held;
        all->true_sum += t->true_sum;
        all->error_common += t->error_common;
        all->error_union += t->error_union;
        if (t->max_error > all->max_error) all->max_error = t->max_error;
        summarise(t, &out[l]);
    }
    summarise(all, &out[0]);
}

/* ---- total variation of the tables of one length ----------------------------------------------------------------------------- */

typedef struct variation {
    const su_code_matrix *truth, *records;
    uint32_t length;
    uint32_t *columns; /* `length` per table */
    double *result;    /* one per table */
} variation;

static double distance(const int64_t *a, const int64_t *b, uint64_t cells, uint64_t rows_a, uint64_t rows_b)
{
    double sum = 0;
    for (uint64_t i = 0; i < cells; i++) sum += fabs((double)a[i] / (double)rows_a - (double)b[i] / (double)rows_b);
    return sum / 2;
}

static void variation_of_table(void *arg, size_t i, unsigned worker)
{
    const variation *v = arg;
    const uint32_t *columns = v->columns + i * v->length;
    uint64_t cells = 1;
    (void)worker;
    for (uint32_t k = 0; k < v->length; k++) cells *= v->truth->columns[columns[k]].card;
    int64_t *a = su_alloc_array(cells, sizeof *a), *b = su_alloc_array(cells, sizeof *b);
    su_contingency(v->truth, columns, v->length, a);
    su_contingency(v->records, columns, v->length, b);
    v->result[i] = distance(a, b, cells, v->truth->row_count, v->records->row_count);
    free(a);
    free(b);
}

static bool next_table(uint32_t *columns, uint32_t length, uint32_t d)
{
    uint32_t k = length;
    while (k > 0 && columns[k - 1] == d - length + k - 1) k--;
    if (k == 0) return false;
    columns[k - 1]++;
    for (; k < length; k++) columns[k] = columns[k - 1] + 1;
    return true;
}

static bool small(const su_code_matrix *m, const uint32_t *columns, uint32_t length)
{
    uint64_t cells = 1;
    for (uint32_t k = 0; k < length; k++)
        if (__builtin_mul_overflow(cells, (uint64_t)m->columns[columns[k]].card, &cells)) return false;
    return cells <= TV_CELLS;
}

/* Walks the tables in order and keeps every `step`-th that is small enough; kept may be NULL. Returns how many there are. */
static size_t choose_tables(const variation *v, uint64_t step, uint32_t *kept)
{
    uint32_t columns[SU_MAX_LENGTH];
    size_t seen = 0, n = 0;
    for (uint32_t k = 0; k < v->length; k++) columns[k] = k;
    do {
        if (!small(v->truth, columns, v->length) || seen++ % step) continue;
        if (kept) memcpy(kept + n * v->length, columns, v->length * sizeof *columns);
        n++;
    } while (next_table(columns, v->length, v->truth->column_count));
    return n;
}

static double total_variation(su_context *ctx, const su_code_matrix *m, const su_code_matrix *records, uint32_t length)
{
    variation v = { .truth = m, .records = records, .length = length };
    if (length > m->column_count || m->row_count == 0 || records->row_count == 0) return NAN;
    uint64_t readings = (m->row_count + records->row_count) * (uint64_t)choose_tables(&v, 1, NULL);
    uint64_t step = 1 + readings / TV_READINGS;
    size_t n = choose_tables(&v, step, NULL);
    if (n == 0) return NAN;
    v.columns = su_alloc_array(n, length * sizeof *v.columns);
    v.result = su_alloc_array(n, sizeof *v.result);
    choose_tables(&v, step, v.columns);
    su_parallel(ctx, n, variation_of_table, &v);
    double sum = 0;
    for (size_t i = 0; i < n; i++) sum += v.result[i];
    free(v.columns);
    free(v.result);
    return sum / (double)n;
}

/* ---- the whole --------------------------------------------------------------------------------------------------------------- */

static su_status same_columns(su_context *ctx, const su_release *r, const su_code_matrix *m)
{
    bool same = r->column_count == m->column_count;
    for (uint32_t j = 0; same && j < m->column_count; j++)
        same = r->columns[j].card == m->columns[j].card && strcmp(r->columns[j].name, m->columns[j].name) == 0;
    if (same) return SU_OK;
    return su_fail(ctx, SU_USAGE, "the release and the data have different columns: evaluate a release against the data it was made from");
}

static bool follows(const su_aggregate *a, const su_aggregate *b)
{
    return a->length < b->length || (a->length == b->length && compare(a->at, b->at, a->length) < 0);
}

static su_status compare_aggregates(su_context *ctx, const su_release *r, const truth *truths, su_evaluation *out)
{
    comparison c = { .truths = truths };
    for (size_t i = 0; i < r->aggregate_count; i++) {
        const su_aggregate *a = &r->aggregates[i];
        if (a->length < 1 || a->length > out->length || (i && !follows(a - 1, a)))
            return su_fail(ctx, SU_USAGE, "aggregate %zu of the release is not in the order of length, columns, values", i);
        uint64_t truly = meet_released(&c, a->length, a->at, a->count);
        c.level[a->length].intervals++;
        if (a->ci_low <= (double)truly && (double)truly <= a->ci_high) c.level[a->length].held++;
    }
    finish(&c, out->length, out->aggregates);
    return SU_OK;
}

static su_status compare_records(su_context *ctx, const su_release *r, const su_code_matrix *m, const truth *truths, su_evaluation *out)
{
    su_code_matrix records = { .row_count = r->record_count, .column_count = r->column_count };
    su_count_options options = { .length = out->length, .min_count = 1 };
    comparison c = { .truths = truths };
    records.columns = su_alloc_array(r->column_count, sizeof *records.columns);
    for (uint32_t j = 0; j < r->column_count; j++) {
        records.columns[j] = r->columns[j];
        records.columns[j].codes = r->record_count ? r->records[j] : NULL;
    }
    su_status status = SU_OK;
    if (r->record_count) status = su_count_combinations(ctx, &records, &options, meet_record_combination, &c, NULL);
    if (status == SU_OK) finish(&c, out->length, out->records);
    for (uint32_t l = 1; status == SU_OK && l <= out->length; l++) {
        su_progress(ctx, "comparing with the data", (double)l / out->length);
        out->records[l].total_variation = total_variation(ctx, m, &records, l);
        if (su_cancelled(ctx)) status = su_fail(ctx, SU_CANCELLED, "stopped while comparing the release with the data");
    }
    free(records.columns);
    return status;
}

su_status su_release_evaluate(su_context *ctx, const su_release *r, const su_code_matrix *m, su_evaluation *out)
{
    truth truths[SU_MAX_LENGTH + 1] = { 0 };
    uint32_t length = r->options.length < r->column_count ? r->options.length : r->column_count;
    su_count_options options = { .length = length, .min_count = 1 };
    memset(out, 0, sizeof *out);
    su_status status = same_columns(ctx, r, m);
    if (status != SU_OK) return status;
    out->length = length;
    out->record_expansion = m->row_count ? (double)r->record_count / (double)m->row_count - 1 : NAN;
    if (length && m->row_count) status = su_count_combinations(ctx, m, &options, keep, truths, NULL);
    if (status == SU_OK) status = compare_aggregates(ctx, r, truths, out);
    if (status == SU_OK) status = compare_records(ctx, r, m, truths, out);
    for (uint32_t l = 0; l <= SU_MAX_LENGTH; l++) {
        if (truths[l].at) su_wipe(truths[l].at, truths[l].at_capacity * sizeof *truths[l].at);
        free(truths[l].at);
        free(truths[l].count);
    }
    return status;
}
