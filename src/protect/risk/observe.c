#include "observe.h"
#include "../utility/compare.h"
#include "bits.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_CORRELATED = 40 };         /* columns */
#define PAIR_CELLS (UINT64_C(1) << 16) /* tables above give no correlation */

void su_observations_init(su_arena *arena, su_observations *o, const su_code_matrix *m, const su_target *targets, uint32_t target_count,
                          uint32_t runs, uint32_t sensitive)
{
    size_t tries = (size_t)target_count * runs, d = m->column_count;
    *o = (su_observations) { .runs = runs, .target_count = target_count, .sensitive = sensitive, .targets = targets };
    o->member = su_arena_array(arena, tries, sizeof *o->member);
    o->linkage = su_arena_array(arena, tries, sizeof(double));
    o->closest = su_arena_array(arena, tries, sizeof(double));
    o->inference = su_arena_array(arena, tries, sizeof(double));
    o->match = su_arena_array(arena, tries, SU_QUERIES * sizeof(double));
    o->count = su_arena_array(arena, tries, SU_QUERIES * sizeof(double));
    o->naive_n = 1 + 3 * d;
    for (uint32_t c = 0; c < m->column_count; c++) o->histogram_n += m->columns[c].card - 1;
    o->correlation_n = d <= MOST_CORRELATED ? d * (d - 1) / 2 : 0;
    o->naive = su_arena_array(arena, runs, o->naive_n * sizeof(double));
    o->histogram = su_arena_array(arena, runs, (o->histogram_n + 1) * sizeof(double));
    if (o->correlation_n) o->correlation = su_arena_array(arena, runs, o->correlation_n * sizeof(double));
}

/* ---- the whole release ---- */

static void one_way(const su_code_matrix *m, double *naive, double *histogram)
{
    double rows = m->row_count ? (double)m->row_count : 1;
    *naive++ = (double)m->row_count;
    for (uint32_t c = 0; c < m->column_count; c++) {
        uint64_t *count = su_alloc_array(m->columns[c].card, sizeof *count), distinct = 0, largest = 0;
        for (uint64_t r = 0; r < m->row_count; r++) count[m->columns[c].codes[r]]++;
        for (uint32_t v = 1; v < m->columns[c].card; v++) {
            *histogram++ = (double)count[v] / rows;
            distinct += count[v] > 0;
            largest = count[v] > largest ? count[v] : largest;
        }
        *naive++ = 1 - (double)count[0] / rows;
        *naive++ = (double)distinct;
        *naive++ = (double)largest / rows;
        free(count);
    }
}

/* Mean square contingency of two columns: sum of (p_ab - p_a p_b)^2 / (p_a p_b); the square of the correlation when both have two codes. */
static double contingency(const su_code_matrix *m, uint32_t c, uint32_t d)
{
    uint32_t tall = m->columns[c].card, wide = m->columns[d].card;
    if ((uint64_t)tall * wide > PAIR_CELLS || m->row_count == 0) return 0;
    const uint16_t *a = m->columns[c].codes, *b = m->columns[d].codes;
    uint32_t *count = su_alloc_array((size_t)tall * wide, sizeof *count);
    double *rows = su_alloc_array(tall, sizeof *rows), *columns = su_alloc_array(wide, sizeof *columns), n = (double)m->row_count, sum = 0;
    for (uint64_t r = 0; r < m->row_count; r++) count[(size_t)a[r] * wide + b[r]]++;
    for (uint32_t i = 0; i < tall; i++)
        for (uint32_t j = 0; j < wide; j++) {
            rows[i] += count[(size_t)i * wide + j];
            columns[j] += count[(size_t)i * wide + j];
        }
    for (uint32_t i = 0; i < tall; i++)
        for (uint32_t j = 0; j < wide; j++) {
            double expected = rows[i] * columns[j] / n, apart = count[(size_t)i * wide + j] - expected;
            if (expected > 0) sum += apart * apart / expected;
        }
    free(count);
    free(rows);
    free(columns);
    return sum / n;
}

/* ---- one target ---- */

/* Distance = number of columns that differ. The nearest over all columns, and among the nearest over all but the sensitive one the share
 * that has the target's sensitive value. */
static void nearest(const su_code_matrix *m, const su_target *t, uint32_t sensitive, double *closest, double *inference)
{
    uint32_t best = m->column_count + 1, best_other = best, ties = 0, right = 0;
    for (uint64_t r = 0; r < m->row_count; r++) {
        uint32_t other = 0;
        for (uint32_t c = 0; c < m->column_count; c++) other += c != sensitive && m->columns[c].codes[r] != t->codes[c];
        bool same = m->columns[sensitive].codes[r] == t->codes[sensitive];
        if (other + !same < best) best = other + !same;
        if (other > best_other) continue;
        if (other < best_other) ties = right = 0;
        best_other = other;
        ties++;
        right += same;
    }
    *closest = -(double)best;
    *inference = ties ? (double)right / ties : 0;
}

static double matches(const su_bits *bits, const su_target *t, const su_query *q)
{
    uint32_t columns[64], n = 0;
    uint16_t codes[64];
    for (uint32_t c = 0; c < bits->column_count && c < 64; c++) {
        if (!(q->columns >> c & 1)) continue;
        columns[n] = c;
        codes[n++] = t->codes[c];
    }
    return (double)su_bits_count(bits, columns, codes, n);
}

static int order(const su_query *q, const su_aggregate *a)
{
    if (q->length != a->length) return q->length < a->length ? -1 : 1;
    return su_compare_attributes(q->at, a->at, q->length);
}

static double published(const su_view *v, const su_bits *bits, const su_query *q)
{
    uint32_t columns[SU_MAX_LENGTH];
    uint16_t codes[SU_MAX_LENGTH];
    if (!v->aggregates) {
        for (uint32_t k = 0; k < q->length; k++) {
            columns[k] = q->at[k].column;
            codes[k] = q->at[k].value;
        }
        return (double)su_bits_count(bits, columns, codes, q->length);
    }
    for (size_t low = 0, high = v->aggregate_count; low < high;) {
        size_t middle = low + (high - low) / 2;
        int o = order(q, &v->aggregates[middle]);
        if (o == 0) return (double)v->aggregates[middle].count;
        if (o < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return 0;
}

void su_observe(su_observations *o, uint32_t run, const su_view *view)
{
    const su_code_matrix *m = &view->records;
    su_bits bits;
    su_bits_init(&bits, m);
    one_way(m, o->naive + run * o->naive_n, o->histogram + run * o->histogram_n);
    double *correlation = o->correlation + run * o->correlation_n;
    for (uint32_t c = 0; o->correlation && c < m->column_count; c++)
        for (uint32_t d = c + 1; d < m->column_count; d++) *correlation++ = contingency(m, c, d);
    for (uint32_t i = 0; i < o->target_count; i++) {
        const su_target *t = &o->targets[i];
        size_t at = (size_t)i * o->runs + run;
        nearest(m, t, o->sensitive, &o->closest[at], &o->inference[at]);
        for (size_t q = 0; q < SU_QUERIES; q++) o->match[at * SU_QUERIES + q] = matches(&bits, t, &t->match[q]);
        for (size_t q = 0; q < t->count_queries; q++) o->count[at * SU_QUERIES + q] = published(view, &bits, &t->count[q]);
        o->linkage[at] = o->closest[at] == 0 ? 1 : 0;
    }
    su_bits_free(&bits);
}
