#include "zeros.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MOST_STEPS 500
#define TOLERANCE 1e-10 /* of the first residual */

static bool ruled(const su_release *r, const uint32_t *columns, uint32_t n)
{
    for (size_t i = 0; r->rules && i < r->rules->pair_count; i++) {
        uint32_t found = 0;
        for (uint32_t k = 0; k < n; k++) found += columns[k] == r->rules->pairs[i].a || columns[k] == r->rules->pairs[i].b;
        if (found == 2) return true;
    }
    return false;
}

/* A possible cell is forced when along some column all other codes are impossible. */
static void mark_forced(const su_release *r, const uint32_t *columns, uint32_t n, uint64_t cells, uint8_t *mark)
{
    uint64_t stride = 1;
    for (uint32_t axis = n; axis-- > 0; stride *= r->columns[columns[axis]].card) {
        uint64_t card = r->columns[columns[axis]].card;
        for (uint64_t from = 0; from < cells; from++) {
            if (from / stride % card != 0) continue;
            uint64_t possible = 0, last = 0;
            for (uint64_t v = 0; v < card; v++) {
                if (mark[from + v * stride] == SU_CELL_IMPOSSIBLE) continue;
                possible++;
                last = from + v * stride;
            }
            if (possible == 1 && card > 1) mark[last] = SU_CELL_FORCED;
        }
    }
}

uint8_t *su_zeros_of(const su_release *r, const uint32_t *columns, uint32_t n, uint64_t cells)
{
    if (!ruled(r, columns, n)) return NULL;
    uint8_t *mark = su_alloc((size_t)cells);
    su_rules_mark(r->rules, r->columns, columns, n, mark);
    mark_forced(r, columns, n, cells, mark);
    return mark;
}

/* Whether every column has a value in the cell; columns without codes are not asked. */
static bool is_positive(const su_release *r, const su_release_table *t, uint64_t cell)
{
    for (uint32_t k = t->length; k-- > 0;) {
        uint64_t card = r->columns[t->columns[k]].card;
        if (card > 1 && cell % card == 0) return false;
        cell /= card;
    }
    return true;
}

double su_zeros_positive(const su_release *r, su_release_table *t)
{
    double positive = 1;
    for (uint32_t i = 0; i < t->length; i++) {
        uint32_t card = r->columns[t->columns[i]].card;
        positive *= card > 1 ? card - 1 : 1;
    }
    uint8_t *mark = su_zeros_of(r, t->columns, t->length, t->cells);
    t->impossible = 0;
    for (uint64_t c = 0; mark && c < t->cells; c++) {
        if (mark[c] != SU_CELL_IMPOSSIBLE) continue;
        t->impossible++;
        positive -= is_positive(r, t, c);
    }
    free(mark);
    return fmax(positive, 1);
}

void su_zeros_clear(const su_release *r, su_measurement *m)
{
    for (size_t t = 0; r->rules && t < r->table_count; t++) {
        uint8_t *mark = su_zeros_of(r, r->tables[t].columns, r->tables[t].length, r->tables[t].cells);
        for (uint64_t c = 0; mark && c < r->tables[t].cells; c++)
            if (mark[c] == SU_CELL_IMPOSSIBLE) m->cells[t][c] = 0;
        free(mark);
    }
}

/* ---- least squares ---- */

static void add_pin(su_pins *p, size_t *capacity, size_t cell, double precision)
{
    if (p->n == *capacity) {
        size_t precisions = *capacity;
        p->cell = su_grow(p->cell, capacity, p->n + 1, sizeof *p->cell);
        p->precision = su_grow(p->precision, &precisions, p->n + 1, sizeof *p->precision);
    }
    p->cell[p->n] = cell;
    p->precision[p->n++] = precision;
}

void su_pins_init(su_pins *p, const su_release *r, const su_lattice *l)
{
    size_t capacity = 0;
    *p = (su_pins) { 0 };
    for (size_t t = 0; r->rules && t < r->table_count; t++) {
        const su_subset *s = &l->sets[l->table_set[t]];
        uint8_t *mark = su_zeros_of(r, s->columns, s->length, s->cells);
        double precision = mark ? 1 / su_discrete_gaussian_variance(r->tables[t].variance) : 0;
        for (size_t c = 0; mark && c < s->cells; c++)
            if (mark[c] == SU_CELL_IMPOSSIBLE) add_pin(p, &capacity, s->offset + c, precision);
        free(mark);
    }
    p->value = su_alloc_array(p->n, sizeof *p->value);
}

void su_pins_free(su_pins *p)
{
    free(p->cell);
    free(p->precision);
    free(p->value);
    *p = (su_pins) { 0 };
}

static double dot(const double *a, const double *b, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) sum += a[i] * b[i];
    return sum;
}

/* In units of a table's standard deviation the map from pins to estimates is symmetric with eigenvalues in [0, 1]: a projection,
 * restricted. */
void su_pins_solve(su_pins *p, const double *cell, su_pinned_estimate estimate, void *arg)
{
    size_t n = p->n;
    double *x = su_alloc_array(n, sizeof *x), *left = su_alloc_array(n, sizeof *left), *way = su_alloc_array(n, sizeof *way),
           *mapped = su_alloc_array(n, sizeof *mapped);
    estimate(arg, p, false);
    for (size_t i = 0; i < n; i++) way[i] = left[i] = -cell[p->cell[i]] * sqrt(p->precision[i]);
    double size = dot(left, left, n), enough = size * TOLERANCE * TOLERANCE;
    for (int step = 0; step < MOST_STEPS && size > enough; step++) {
        for (size_t i = 0; i < n; i++) p->value[i] = way[i] / sqrt(p->precision[i]);
        estimate(arg, p, true);
        for (size_t i = 0; i < n; i++) mapped[i] = cell[p->cell[i]] * sqrt(p->precision[i]);
        double along = dot(way, mapped, n), before = size;
        if (!(along > 0)) break;
        for (size_t i = 0; i < n; i++) {
            x[i] += size / along * way[i];
            left[i] -= size / along * mapped[i];
        }
        size = dot(left, left, n);
        for (size_t i = 0; i < n; i++) way[i] = left[i] + size / before * way[i];
    }
    for (size_t i = 0; i < n; i++) p->value[i] = x[i] / sqrt(p->precision[i]);
    estimate(arg, p, false);
    free(x);
    free(left);
    free(way);
    free(mapped);
}

void su_zeros_settle(const su_release *r, const su_lattice *l, double *cell)
{
    for (uint32_t i = l->length >= 2 ? l->first[2] : l->set_count; r->rules && i < l->set_count; i++) {
        const su_subset *s = &l->sets[i];
        uint8_t *mark = su_zeros_of(r, s->columns, s->length, s->cells);
        for (size_t c = 0; mark && c < s->cells; c++)
            if (mark[c] == SU_CELL_IMPOSSIBLE) cell[s->offset + c] = 0;
        free(mark);
    }
}
