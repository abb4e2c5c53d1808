/* compare: one merge of two ordered lists; every metric is a visitor of it. */
#include "compare.h"

#include <stdlib.h>
#include <string.h>

int su_compare_attributes(const su_attribute *a, const su_attribute *b, uint32_t length)
{
    for (uint32_t k = 0; k < length; k++)
        if (a[k].column != b[k].column) return a[k].column < b[k].column ? -1 : 1;
    for (uint32_t k = 0; k < length; k++)
        if (a[k].value != b[k].value) return a[k].value < b[k].value ? -1 : 1;
    return 0;
}

uint32_t su_compare_length(const su_release *r) { return r->options.length < r->column_count ? r->options.length : r->column_count; }

static bool same_column(const su_matrix_column *a, const su_matrix_column *b)
{
    return a->card == b->card && strcmp(a->name, b->name) == 0;
}

su_status su_compare_columns(su_context *ctx, const su_release *r, const su_code_matrix *m)
{
    uint32_t j = 0;
    while (j < r->column_count && j < m->column_count && same_column(&r->columns[j], &m->columns[j])) j++;
    if (j == r->column_count && j == m->column_count) return SU_OK;
    const char *of_release = j < r->column_count ? r->columns[j].name : "no more",
               *of_data = j < m->column_count ? m->columns[j].name : "no more";
    return su_fail(ctx, SU_USAGE,
                   "the release and the data have different columns (the release has %s where the data have %s): evaluate a release "
                   "against the data it "
                   "was made from, with the same schema and mapping",
                   of_release, of_data);
}

/* ---- true combinations --------------------------------------------------------------------------------------------------------- */

static void keep(void *arg, const su_combination *c)
{
    su_combinations *t = (su_combinations *)arg + c->length;
    size_t need = (t->n + 1) * c->length;
    if (need > t->at_capacity) t->at = su_grow(t->at, &t->at_capacity, need, sizeof *t->at);
    if (t->n == t->count_capacity) t->count = su_grow(t->count, &t->count_capacity, t->n + 1, sizeof *t->count);
    memcpy(t->at + t->n * c->length, c->at, c->length * sizeof *c->at);
    t->count[t->n++] = c->count;
}

su_status su_true_combinations(su_context *ctx, const su_code_matrix *m, uint32_t length, su_combinations *truths)
{
    su_count_options options = { .length = length, .min_count = 1 };
    memset(truths, 0, (SU_MAX_LENGTH + 1) * sizeof *truths);
    if (length == 0 || m->row_count == 0) return SU_OK;
    return su_count_combinations(ctx, m, &options, keep, truths, NULL);
}

void su_true_free(su_combinations *truths)
{
    for (uint32_t l = 0; l <= SU_MAX_LENGTH; l++) {
        if (truths[l].at) su_wipe(truths[l].at, truths[l].at_capacity * sizeof *truths[l].at);
        free(truths[l].at);
        free(truths[l].count);
        truths[l] = (su_combinations) { 0 };
    }
}

/* ---- the walk -------------------------------------------------------------------------------------------------------------------- */

typedef struct walk {
    const su_combinations *truths;
    size_t next[SU_MAX_LENGTH + 1]; /* first true combination not yet met */
    su_meeting_fn each;
    void *arg;
} walk;

static void true_only(walk *w, uint32_t length)
{
    const su_combinations *t = &w->truths[length];
    size_t i = w->next[length]++;
    w->each(w->arg, &(su_meeting) { .length = length, .at = t->at + i * length, .truly = t->count[i] });
}

/* The true ones up to this length that are left. */
static void rest(walk *w, uint32_t length)
{
    for (uint32_t l = 1; l <= length; l++)
        while (w->next[l] < w->truths[l].n) true_only(w, l);
}

/* Moves on to the released combination; true ones on the way were not released. */
static void released(walk *w, uint32_t length, const su_attribute *at, uint64_t count, const su_aggregate *aggregate)
{
    const su_combinations *t = &w->truths[length];
    su_meeting m = { .length = length, .at = at, .released = count, .aggregate = aggregate };
    int order = 1;
    rest(w, length - 1);
    while (w->next[length] < t->n && (order = su_compare_attributes(t->at + w->next[length] * length, at, length)) < 0)
        true_only(w, length);
    if (order == 0 && w->next[length] < t->n) m.truly = t->count[w->next[length]++];
    if (m.truly || m.released || aggregate) w->each(w->arg, &m);
}

static bool follows(const su_aggregate *a, const su_aggregate *b)
{
    return a->length < b->length || (a->length == b->length && su_compare_attributes(a->at, b->at, a->length) < 0);
}

su_status su_compare_aggregates(su_context *ctx, const su_release *r, const su_combinations *truths, su_meeting_fn each, void *arg)
{
    walk w = { .truths = truths, .each = each, .arg = arg };
    uint32_t length = su_compare_length(r);
    for (size_t i = 0; i < r->aggregate_count; i++) {
        const su_aggregate *a = &r->aggregates[i];
        if (a->length < 1 || a->length > length || (i && !follows(a - 1, a)))
            return su_fail(ctx, SU_USAGE, "aggregate %zu of the release is not in the order of length, columns, values", i);
        released(&w, a->length, a->at, a->count, a);
    }
    rest(&w, length);
    return SU_OK;
}

static void released_by_records(void *arg, const su_combination *c) { released(arg, c->length, c->at, c->count, NULL); }

su_code_matrix su_record_matrix(const su_release *r)
{
    su_code_matrix m = { .schema = r->schema, .row_count = r->record_count, .column_count = r->column_count };
    m.columns = su_alloc_array(r->column_count, sizeof *m.columns);
    for (uint32_t j = 0; j < r->column_count; j++) {
        m.columns[j] = r->columns[j];
        m.columns[j].codes = r->record_count ? r->records[j] : NULL;
    }
    return m;
}

su_status su_compare_records(su_context *ctx, const su_release *r, const su_combinations *truths, su_meeting_fn each, void *arg)
{
    walk w = { .truths = truths, .each = each, .arg = arg };
    su_code_matrix records = su_record_matrix(r);
    su_count_options options = { .length = su_compare_length(r), .min_count = 1 };
    su_status status = SU_OK;
    if (r->record_count && options.length) status = su_count_combinations(ctx, &records, &options, released_by_records, &w, NULL);
    if (status == SU_OK) rest(&w, options.length);
    free(records.columns);
    return status;
}
