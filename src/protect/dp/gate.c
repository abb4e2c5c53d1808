#include "gate.h"

#include <math.h>
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

static uint32_t rounded(double estimate) { return estimate < 0.5 ? 0 : estimate >= UINT32_MAX ? UINT32_MAX : (uint32_t)(estimate + 0.5); }

typedef struct gated {
    const uint32_t *parent[SU_RELEASE_LENGTH_MAX];
    const double *estimate;
    double bar; /* theta_k standard deviations */
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
        if (absent < w->s->length) {
            *count = g->parent[absent][w->parent_row[absent] + v * w->stride[absent][last]];
            continue;
        }
        uint32_t most = smallest_parent(w, g, v);
        double estimate = g->estimate[w->row + v];
        if (most > 0) {
            *count = estimate > g->bar ? rounded(estimate) : 0;
            *count = *count < most ? *count : most;
            g->suppressed += *count == 0;
        } else {
            *count = 0;
        }
    }
}

void su_gate(const su_release *r, const su_lattice *l, const su_estimates *e, uint32_t *count, uint64_t *suppressed)
{
    count[0] = rounded(e->cell[0]);
    for (uint32_t k = 1; k <= l->length; k++) {
        suppressed[k] = 0;
        for (uint32_t i = l->first[k]; i < l->first[k + 1]; i++) {
            const su_subset *s = &l->sets[i];
            gated g = { .estimate = e->cell + s->offset, .bar = r->gate[k] * sqrt(e->variance[i]), .count = count + s->offset };
            for (uint32_t p = 0; p < k; p++) {
                g.parent[p] = count + l->sets[s->parent[p]].offset;
            }
            walk w;
            walk_start(&w, s);
            do {
                gate_row(&w, &g);
            } while (walk_next(&w));
            suppressed[k] += g.suppressed;
        }
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
    if (count < out->r->options.k) {
        out->r->suppressed_by_k[s->length] += out->write;
        return;
    }
    if (out->write) {
        double estimate = out->e->cell[s->offset + w->row + v], half = NORMAL_975 * sqrt(out->e->variance[set]);
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
