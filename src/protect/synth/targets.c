#include "targets.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

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
        want[v] = count[cell] > 0 ? fmax(0, e->cell[cell]) : 0; /* below 0 only in a replay, which reports the release's values */
        sum += want[v];
    }
    for (uint32_t v = 1; sum > (double)n && v < card; v++) {
        want[v] *= (double)n / sum;
    }
    want[0] = sum > (double)n ? 0 : (double)n - sum;
    apportion(want, card, n, out);
    free(want);
}

/* ---- tables ------------------------------------------------------------------------------------------------------ */

/* One mark per cell of all tables, in their order; NULL without rules. */
static uint8_t *mark_impossible(const su_release *r, size_t cells)
{
    uint8_t *marks = r->rules ? su_alloc_array(cells, sizeof *marks) : NULL, *at = marks;
    for (size_t t = 0; marks && t < r->table_count; at += r->tables[t++].cells) {
        su_rules_mark(r->rules, r->columns, r->tables[t].columns, r->tables[t].length, at);
    }
    return marks;
}

/* Squared distance to the reconciled tables, each weighted by its precision, is up to a constant the squared distance to the noisy
 * tables themselves: the likelihood of the records. So the estimates are given as they are, negative ones too. */
static void tables(su_targets *out, const su_release *r, const su_lattice *l, const su_estimates *e)
{
    size_t cells = 0;
    for (size_t t = 0; t < r->table_count; t++) {
        cells += (size_t)r->tables[t].cells;
    }
    out->tables = su_alloc_array(r->table_count, sizeof *out->tables);
    out->estimate = su_alloc_array(cells, sizeof *out->estimate);
    float *estimate = out->estimate;
    uint8_t *impossible = out->forbidden = mark_impossible(r, cells);
    for (size_t t = 0; t < r->table_count; t++) {
        uint32_t set = l->table_set[t];
        const su_subset *s = &l->sets[set];
        su_target_table *to = &out->tables[t];
        to->length = s->length;
        memcpy(to->columns, s->columns, s->length * sizeof *s->columns);
        to->cells = s->cells;
        to->estimate = estimate;
        to->weight = 1 / su_discrete_gaussian_variance(r->tables[t].variance);
        for (size_t i = 0; i < s->cells; i++) {
            estimate[i] = (float)e->cell[s->offset + i];
        }
        estimate += s->cells;
        to->forbidden = impossible;
        impossible += impossible ? s->cells : 0;
        out->noise += to->weight * e->variance[set] * (double)(s->cells - r->tables[t].impossible);
    }
}

static void one_ways(su_targets *out, const su_release *r, const su_lattice *l, const su_estimates *e, const uint32_t *count)
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

void su_targets_init(su_targets *t, const su_release *r, const su_lattice *l, const su_estimates *e, const uint32_t *count)
{
    memset(t, 0, sizeof *t);
    tables(t, r, l, e);
    one_ways(t, r, l, e, count);
    t->problem = (su_synthesis) { .column_count = r->column_count,
                                  .card = t->card,
                                  .record_count = r->record_count,
                                  .one_way = t->one_way,
                                  .tables = t->tables,
                                  .table_count = r->table_count,
                                  .seconds = r->options.seconds };
}

void su_targets_forbid(su_targets *t, const su_release *r, const su_lattice *l, const uint32_t *count)
{
    size_t cells = 0;
    for (size_t i = 0; i < r->table_count; i++) {
        cells += (size_t)r->tables[i].cells;
    }
    free(t->forbidden);
    t->forbidden = su_alloc_array(cells, sizeof *t->forbidden);
    uint8_t *forbidden = t->forbidden;
    for (size_t i = 0; i < r->table_count; i++) {
        const su_subset *s = &l->sets[l->table_set[i]];
        for (size_t c = 0; c < s->cells; c++) {
            forbidden[c] = count[s->offset + c] == 0;
        }
        t->tables[i].forbidden = forbidden;
        forbidden += s->cells;
    }
}

void su_targets_free(su_targets *t)
{
    free(t->tables);
    free(t->estimate);
    free(t->forbidden);
    free(t->counts);
    free(t->one_way);
    free(t->card);
    memset(t, 0, sizeof *t);
}
