#include "domain.h"
#include "whole.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static void plan_codes(su_domain_column *c, uint32_t source_card, double variance, bool rare)
{
    double bar = SU_KEEP_SIGMAS * sqrt(variance);
    bool zero_kept = !rare || c->noisy[0] >= bar;
    c->to_model = su_alloc_array(source_card, sizeof *c->to_model);
    c->to_source = su_alloc_array((size_t)source_card + 1, sizeof *c->to_source);
    c->pool = UINT32_MAX;
    c->card = 1;
    for (uint32_t v = 1; v < source_card; v++) {
        if (c->noisy[v] >= bar) {
            c->to_model[v] = (uint16_t)c->card;
            c->to_source[c->card++] = (uint16_t)v;
        } else {
            c->to_model[v] = UINT16_MAX;
            c->pooled++;
        }
    }
    if (!c->pooled) return;
    c->pool = rare && zero_kept ? c->card++ : 0;
    c->pooled += rare && !zero_kept;
    for (uint32_t v = 1; v < source_card; v++)
        if (c->noisy[v] < bar) c->to_model[v] = (uint16_t)c->pool;
}

static void sum_answers(su_domain_column *c, uint32_t source_card, double variance)
{
    c->answer = su_alloc_array(c->card, sizeof *c->answer);
    c->variance = su_alloc_array(c->card, sizeof *c->variance);
    for (uint32_t v = 0; v < source_card; v++) {
        c->answer[c->to_model[v]] += c->noisy[v];
        c->variance[c->to_model[v]] += variance;
    }
}

static void recode(su_domain *d, const su_code_matrix *m)
{
    d->matrix.row_count = m->row_count;
    d->matrix.column_count = d->column_count;
    d->matrix.columns = su_alloc_array(d->column_count, sizeof *d->matrix.columns);
    for (uint32_t c = 0; c < d->column_count; c++) {
        const su_domain_column *column = &d->columns[c];
        uint16_t *codes = su_alloc_array(m->row_count, sizeof *codes);
        const uint16_t *from = m->columns[column->source].codes;
        for (uint64_t i = 0; i < m->row_count; i++) codes[i] = column->to_model[from[i]];
        d->matrix.columns[c] = (su_matrix_column) { .name = m->columns[column->source].name, .card = column->card, .codes = codes };
    }
}

void su_domain_init(su_domain *d, const su_code_matrix *m, int64_t *const *noisy, const double *variance, bool rare)
{
    *d = (su_domain) { .column_count = m->column_count, .columns = su_alloc_array(m->column_count, sizeof *d->columns) };
    for (uint32_t s = 0; s < m->column_count; s++) {
        su_domain_column c = { .source = s, .noisy = su_alloc_array(m->columns[s].card, sizeof *c.noisy) };
        for (uint32_t v = 0; v < m->columns[s].card; v++) c.noisy[v] = (double)noisy[s][v];
        plan_codes(&c, m->columns[s].card, variance[s], rare);
        sum_answers(&c, m->columns[s].card, variance[s]);
        uint32_t at = s;
        for (; at > 0 && d->columns[at - 1].card > c.card; at--) d->columns[at] = d->columns[at - 1];
        d->columns[at] = c;
    }
    recode(d, m);
}

void su_domain_free(su_domain *d)
{
    for (uint32_t c = 0; c < d->column_count; c++) {
        if (d->matrix.columns) {
            su_wipe((void *)d->matrix.columns[c].codes, d->matrix.row_count * sizeof(uint16_t));
            free((void *)d->matrix.columns[c].codes);
        }
        free(d->columns[c].to_model);
        free(d->columns[c].to_source);
        free(d->columns[c].noisy);
        free(d->columns[c].answer);
        free(d->columns[c].variance);
    }
    free(d->matrix.columns);
    free(d->columns);
    memset(d, 0, sizeof *d);
}

/* Answers of pooled values lowered alike, none below 0, until they sum to at most n: the nearest non-negative ones that do. */
static void lower(double *weight, uint32_t count, double n)
{
    double low = 0, high = 0, sum = 0;
    for (uint32_t v = 0; v < count; v++) {
        weight[v] = fmax(weight[v], 0);
        sum += weight[v];
        high = fmax(high, weight[v]);
    }
    for (int step = 0; sum > n && step < 60; step++) {
        double middle = (low + high) / 2, left = 0;
        for (uint32_t v = 0; v < count; v++) left += fmax(weight[v] - middle, 0);
        low = left > n ? middle : low;
        high = left > n ? high : middle;
    }
    for (uint32_t v = 0; v < count; v++) weight[v] = fmax(weight[v] - low, 0);
}

/* The codes for `n` records of the pool, in random order. */
static uint16_t *pool_codes(const su_domain_column *c, su_random *random, uint64_t n)
{
    uint32_t source_card = 0, members = 0;
    while (members < c->pooled) members += c->to_model[source_card++] == c->pool;
    double *weight = su_alloc_array(source_card, sizeof *weight);
    int64_t *count = su_alloc_array(source_card, sizeof *count);
    uint16_t *codes = su_alloc_array(n, sizeof *codes);
    for (uint32_t v = 0; v < source_card; v++) weight[v] = c->to_model[v] == c->pool ? c->noisy[v] : 0;
    lower(weight, source_card, (double)n);
    su_whole_counts(weight, source_card, n, NULL, count);
    uint64_t at = 0;
    for (uint32_t v = 0; v < source_card; v++)
        for (int64_t k = 0; k < count[v]; k++) codes[at++] = (uint16_t)v;
    su_shuffle16(random, codes, n);
    free(weight);
    free(count);
    return codes;
}

void su_domain_restore(const su_domain *d, uint32_t column, bool rare, const bool *shown, su_random *random, uint64_t row_count,
                       uint16_t *codes)
{
    const su_domain_column *c = &d->columns[column];
    uint64_t n = 0, at = 0;
    for (uint64_t i = 0; i < row_count; i++) n += codes[i] == c->pool;
    uint16_t *drawn = rare && c->pool != UINT32_MAX ? pool_codes(c, random, n) : NULL;
    for (uint64_t i = 0; i < row_count; i++) {
        if (drawn && codes[i] == c->pool)
            codes[i] = drawn[at++];
        else
            codes[i] = rare || shown[codes[i]] ? c->to_source[codes[i]] : 0;
    }
    free(drawn);
}
