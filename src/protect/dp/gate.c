#include "gate.h"
#include "zeros.h"

#include <suha/plant.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define NORMAL_975 1.959963984540054

/* Walks a table row by row (a row = all values of the last column) and keeps the place of the row in the table and in every parent. */
typedef struct walk {
    const su_subset *s;
    uint32_t value[SU_RELEASE_LENGTH_MAX];                       /* of every column but the last */
    size_t stride[SU_RELEASE_LENGTH_MAX][SU_RELEASE_LENGTH_MAX]; /* [parent axis][column]; 0 where the parent lacks it */
    size_t row, parent_row[SU_RELEASE_LENGTH_MAX];
    uint32_t absent; /* first column of the row without a value, s->length if none */
} walk;

static void walk_place(walk *w)
{
    uint32_t last = w->s->length - 1;
    w->absent = w->s->length;
    for (uint32_t i = 0; i < last && w->absent == w->s->length; i++) {
        w->absent = w->value[i] == 0 ? i : w->absent;
    }
    for (uint32_t p = 0; p <= last; p++) {
        w->parent_row[p] = 0;
        for (uint32_t i = 0; i < last; i++) {
            w->parent_row[p] += w->value[i] * w->stride[p][i];
        }
    }
}

static void walk_start(walk *w, const su_subset *s)
{
    memset(w, 0, sizeof *w);
    w->s = s;
    for (uint32_t p = 0; p < s->length; p++) {
        size_t stride = 1;
        for (uint32_t i = s->length; i-- > 0;) {
            w->stride[p][i] = i == p ? 0 : stride;
            stride *= i == p ? 1 : s->card[i];
        }
    }
    walk_place(w);
}

static bool walk_next(walk *w)
{
    uint32_t last = w->s->length - 1;
    w->row += w->s->card[last];
    for (uint32_t i = last; i-- > 0;) {
        if (++w->value[i] < w->s->card[i]) {
            walk_place(w);
            return true;
        }
        w->value[i] = 0;
    }
    return false;
}

static uint32_t rounded(double estimate)
{
    return estimate < 0.5 ? 0 : estimate >= UINT32_MAX ? UINT32_MAX : (uint32_t)(estimate + SU_PLANT(FLOOR_BIAS, 0, 0.5));
}

typedef struct gated {
    const uint32_t *parent[SU_RELEASE_LENGTH_MAX];
    const double *estimate, *plain; /* plain: of the tables alone, judged where there is no fit; what is known besides reports nothing */
    const float *fit;               /* NULL: the estimate is judged */
    const uint8_t *mark;            /* of su_zeros_of; NULL: no rule says anything */
    double bar, least;              /* the value must be above `bar` and at least `least` */
    uint32_t *count;
    uint64_t suppressed;
} gated;

static uint32_t smallest_parent(const walk *w, const gated *g, uint32_t v)
{
    uint32_t smallest = UINT32_MAX, last = w->s->length - 1;
    for (uint32_t p = 0; p <= last; p++) {
        uint32_t held = g->parent[p][w->parent_row[p] + v * w->stride[p][last]];
        smallest = held < smallest ? held : smallest;
    }
    return smallest;
}

static void gate_row(const walk *w, gated *g)
{
    uint32_t last = w->s->length - 1;
    for (uint32_t v = 0; v < w->s->card[last]; v++) {
        uint32_t absent = w->absent < last ? w->absent : v == 0 ? last : w->s->length, *count = &g->count[w->row + v];
        uint8_t mark = g->mark ? g->mark[w->row + v] : SU_CELL_POSSIBLE;
        if (mark == SU_CELL_IMPOSSIBLE) {
            *count = 0;
            continue;
        }
        if (absent < w->s->length) {
            *count = g->parent[absent][w->parent_row[absent] + v * w->stride[absent][last]];
            continue;
        }
        uint32_t most = smallest_parent(w, g, v);
        double value = g->fit ? (double)g->fit[w->row + v] : g->estimate[w->row + v];
        double judged = g->fit ? value : g->plain[w->row + v];
        if (mark == SU_CELL_FORCED) {
            *count = most;
        } else if (most > 0) {
            *count = judged > g->bar && judged >= g->least ? rounded(value) : 0;
            *count = *count < most ? *count : most;
            g->suppressed += *count == 0;
        } else {
            *count = 0;
        }
    }
}

void su_gate_length(const su_release *r, const su_lattice *l, const su_estimates *e, uint32_t length, const float *fit, uint32_t *count,
                    uint64_t *suppressed)
{
    if (length == 0) {
        count[0] = rounded(e->cell[0]);
        return;
    }
    suppressed[length] = 0;
    double pooled = su_estimates_deviation(e, l, length); /* fitted people depend on all tables, not on one */
    for (uint32_t i = l->first[length]; i < l->first[length + 1]; i++) {
        const su_subset *s = &l->sets[i];
        gated g = { .estimate = e->cell + s->offset,
                    .plain = (e->plain ? e->plain : e->cell) + s->offset,
                    .fit = fit ? fit + s->offset : NULL,
                    .bar = r->gate[SU_PLANT(GATE_OFF_BY_ONE, length - 1, length)] *
                           (fit ? pooled : sqrt((e->plain ? e->plain_variance : e->variance)[i])),
                    .least = r->least_count[length],
                    .count = count + s->offset };
        for (uint32_t p = 0; p < length; p++) {
            g.parent[p] = count + l->sets[s->parent[p]].offset;
        }
        uint8_t *mark = su_zeros_of(r, s->columns, s->length, s->cells);
        g.mark = mark;
        walk w;
        walk_start(&w, s);
        do {
            gate_row(&w, &g);
        } while (walk_next(&w));
        free(mark);
        suppressed[length] += g.suppressed;
    }
}

void su_gate_candidates(const su_release *r, const su_lattice *l, uint32_t length, const uint32_t *count,
                        void (*see)(void *arg, size_t cell), void *arg)
{
    for (uint32_t i = l->first[length]; i < l->first[length + 1]; i++) {
        const su_subset *s = &l->sets[i];
        gated g = { .mark = NULL };
        for (uint32_t p = 0; p < length; p++) {
            g.parent[p] = count + l->sets[s->parent[p]].offset;
        }
        uint8_t *mark = su_zeros_of(r, s->columns, s->length, s->cells);
        walk w;
        walk_start(&w, s);
        do {
            for (uint32_t v = 1; w.absent == length && v < s->card[length - 1]; v++) {
                if ((!mark || mark[w.row + v] == SU_CELL_POSSIBLE) && smallest_parent(&w, &g, v) > 0) {
                    see(arg, s->offset + w.row + v);
                }
            }
        } while (walk_next(&w));
        free(mark);
    }
}

void su_gate(const su_release *r, const su_lattice *l, const su_estimates *e, uint32_t *count, uint64_t *suppressed)
{
    for (uint32_t k = 0; k <= l->length; k++) {
        su_gate_length(r, l, e, k, NULL, count, suppressed);
    }
}

/* ---- aggregates -------------------------------------------------------------------------------------------------- */

typedef struct listing {
    su_release *r;
    const su_estimates *e;
    const uint32_t *count;
    bool write;
    size_t n;
} listing;

static void list_cell(listing *out, const walk *w, uint32_t set, uint32_t v)
{
    const su_subset *s = w->s;
    uint32_t last = s->length - 1, count = out->count[s->offset + w->row + v];
    if (count == 0) {
        return;
    }
    if (count SU_PLANT(K_OFF_BY_ONE, +1 <, <) out->r->options.k) {
        out->r->suppressed_by_k[s->length] += out->write;
        return;
    }
    if (out->write) {
        const su_estimates *e = out->e;
        double estimate = (e->plain ? e->plain : e->cell)[s->offset + w->row + v];
        double half = NORMAL_975 * sqrt((e->plain ? e->plain_variance : e->variance)[set]);
        su_aggregate *a = &out->r->aggregates[out->n];
        a->length = s->length;
        for (uint32_t i = 0; i <= last; i++) {
            a->at[i] = (su_attribute) { .column = (uint16_t)s->columns[i], .value = (uint16_t)(i < last ? w->value[i] : v) };
        }
        a->count = count;
        a->ci_low = fmax(0, fmin(estimate - half, count));
        a->ci_high = fmax(estimate + half, count);
    }
    out->n++;
}

static void list_all(listing *out, const su_lattice *l)
{
    out->n = 0;
    for (uint32_t i = l->first[1]; i < l->set_count; i++) {
        walk w;
        walk_start(&w, &l->sets[i]);
        do {
            for (uint32_t v = 1; w.absent == w.s->length && v < w.s->card[w.s->length - 1]; v++) {
                list_cell(out, &w, i, v);
            }
        } while (walk_next(&w));
    }
}

void su_gate_aggregates(su_release *r, const su_lattice *l, const su_estimates *e, const uint32_t *count)
{
    listing out = { .r = r, .e = e, .count = count };
    memset(r->suppressed_by_k, 0, sizeof r->suppressed_by_k);
    list_all(&out, l);
    r->aggregate_count = out.n;
    r->aggregates = su_arena_array(&r->arena, out.n, sizeof *r->aggregates);
    out.write = true;
    list_all(&out, l);
}
