#include "zeros.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A table of cells seen along one axis: outer blocks of `card` slices of `inner` cells. */
typedef struct axis_view {
    size_t outer, card, inner;
} axis_view;

static axis_view view_of(const su_subset *s, uint32_t axis)
{
    axis_view v = { 1, s->card[axis], 1 };
    for (uint32_t i = 0; i < axis; i++) {
        v.outer *= s->card[i];
    }
    v.inner = s->cells / (v.outer * v.card);
    return v;
}

/* to += scale * (sum of from along the axis) */
static void collapse(const double *from, axis_view v, double scale, double *to)
{
    for (size_t o = 0; o < v.outer; o++) {
        double *out = to + o * v.inner;
        for (size_t k = 0; k < v.card; k++) {
            const double *slice = from + (o * v.card + k) * v.inner;
            for (size_t i = 0; i < v.inner; i++) {
                out[i] += scale * slice[i];
            }
        }
    }
}

/* to += scale * from, repeated along the axis */
static void spread(const double *from, axis_view v, double scale, double *to)
{
    for (size_t o = 0; o < v.outer; o++) {
        const double *in = from + o * v.inner;
        for (size_t k = 0; k < v.card; k++) {
            double *slice = to + (o * v.card + k) * v.inner;
            for (size_t i = 0; i < v.inner; i++) {
                slice[i] += scale * in[i];
            }
        }
    }
}

/* Subtracts the mean along the axis. */
static void centre(double *cells, axis_view v, double *mean)
{
    for (size_t o = 0; o < v.outer; o++) {
        double *block = cells + o * v.card * v.inner;
        memset(mean, 0, v.inner * sizeof *mean);
        for (size_t k = 0; k < v.card; k++) {
            for (size_t i = 0; i < v.inner; i++) {
                mean[i] += block[k * v.inner + i];
            }
        }
        for (size_t i = 0; i < v.inner; i++) {
            mean[i] /= (double)v.card;
        }
        for (size_t k = 0; k < v.card; k++) {
            for (size_t i = 0; i < v.inner; i++) {
                block[k * v.inner + i] -= mean[i];
            }
        }
    }
}

/* Every table adds itself to every set inside it, weighted by the precision 1/(variance * product of the cards summed out). Columns are
 * taken one at a time, so that from a table to a set there is exactly one way. */
static void gather(const su_lattice *l, double *cell)
{
    for (uint32_t c = 0; c < l->column_count; c++) {
        for (size_t i = l->member_first[c]; i < l->member_first[c + 1]; i++) {
            const su_subset *s = &l->sets[l->members[i].set];
            uint32_t axis = l->members[i].axis;
            collapse(cell + s->offset, view_of(s, axis), 1.0 / s->card[axis], cell + l->sets[s->parent[axis]].offset);
        }
    }
}

void su_precision_gather(const su_lattice *l, double *precision)
{
    for (uint32_t c = 0; c < l->column_count; c++) {
        for (size_t i = l->member_first[c]; i < l->member_first[c + 1]; i++) {
            const su_subset *s = &l->sets[l->members[i].set];
            precision[s->parent[l->members[i].axis]] += precision[l->members[i].set] / s->card[l->members[i].axis];
        }
    }
}

void su_precision_variances(const su_lattice *l, double *variance)
{
    for (uint32_t k = 0; k < l->set_count; k++) {
        variance[k] = 1 / variance[k];
        for (uint32_t axis = 0; axis < l->sets[k].length; axis++) {
            variance[k] *= 1 - 1.0 / l->sets[k].card[axis];
        }
    }
}

void su_variance_join(const su_lattice *l, double *variance)
{
    for (uint32_t c = 0; c < l->column_count; c++) {
        for (size_t i = l->member_first[c]; i < l->member_first[c + 1]; i++) {
            const su_subset *s = &l->sets[l->members[i].set];
            double card = s->card[l->members[i].axis];
            variance[l->members[i].set] += variance[s->parent[l->members[i].axis]] / (card * card);
        }
    }
}

void su_residual_split(const su_lattice *l, double *cell)
{
    size_t widest = 1;
    for (uint32_t s = 0; s < l->set_count; s++) {
        widest = l->sets[s].cells > widest ? l->sets[s].cells : widest;
    }
    double *mean = su_alloc_array(widest, sizeof *mean);
    for (uint32_t k = 0; k < l->set_count; k++) {
        for (uint32_t axis = 0; axis < l->sets[k].length; axis++) {
            centre(cell + l->sets[k].offset, view_of(&l->sets[k], axis), mean);
        }
    }
    free(mean);
}

/* Turns weighted sums into residuals: weighted means without what smaller sets say. */
static void residuals(const su_lattice *l, double *cell, const double *precision)
{
    for (uint32_t k = 0; k < l->set_count; k++) {
        const su_subset *s = &l->sets[k];
        for (size_t i = 0; i < s->cells; i++) {
            cell[s->offset + i] /= precision[k];
        }
    }
    su_residual_split(l, cell);
}

/* An estimate is the sum of the residuals of all sets inside it, each spread evenly over the columns it does not hold. */
void su_residual_join(const su_lattice *l, double *cell, double *variance)
{
    for (uint32_t c = 0; c < l->column_count; c++) {
        for (size_t i = l->member_first[c]; i < l->member_first[c + 1]; i++) {
            const su_subset *s = &l->sets[l->members[i].set];
            uint32_t axis = l->members[i].axis;
            spread(cell + l->sets[s->parent[axis]].offset, view_of(s, axis), 1.0 / s->card[axis], cell + s->offset);
        }
    }
    su_variance_join(l, variance);
}

typedef struct work {
    su_estimates *e;
    const su_release *r;
    const su_lattice *l;
    const su_measurement *noisy;
} work;

/* The estimates of the tables, with the values of pins added to their cells. */
static void estimate(void *arg, const su_pins *pins, bool without_tables)
{
    work *w = arg;
    su_estimates *e = w->e;
    memset(e->cell, 0, w->l->cells * sizeof *e->cell);
    memset(e->variance, 0, w->l->set_count * sizeof *e->variance);
    for (size_t t = 0; t < w->r->table_count; t++) {
        const su_subset *s = &w->l->sets[w->l->table_set[t]];
        double precision = 1 / su_discrete_gaussian_variance(w->r->tables[t].variance);
        e->variance[w->l->table_set[t]] += precision;
        for (size_t i = 0; i < s->cells && !without_tables; i++) {
            e->cell[s->offset + i] += precision * (double)w->noisy->cells[t][i];
        }
    }
    for (size_t i = 0; i < pins->n; i++) {
        e->cell[pins->cell[i]] += pins->precision[i] * pins->value[i];
    }
    gather(w->l, e->cell);
    su_precision_gather(w->l, e->variance);
    residuals(w->l, e->cell, e->variance);
    su_precision_variances(w->l, e->variance);
    memcpy(e->residual, e->variance, w->l->set_count * sizeof *e->residual);
    su_residual_join(w->l, e->cell, e->variance);
}

void su_estimates_init(su_estimates *e, const su_release *r, const su_lattice *l, const su_measurement *noisy)
{
    work w = { e, r, l, noisy };
    su_pins pins;
    memset(e, 0, sizeof *e);
    e->cell = su_alloc_array(l->cells, sizeof *e->cell);
    e->variance = su_alloc_array(l->set_count, sizeof *e->variance);
    e->residual = su_alloc_array(l->set_count, sizeof *e->residual);
    su_pins_init(&pins, r, l);
    if (pins.n == 0) {
        estimate(&w, &pins, false);
    } else {
        su_pins_solve(&pins, e->cell, estimate, &w);
        su_zeros_settle(r, l, e->cell);
    }
    su_pins_free(&pins);
}

void su_estimates_keep(su_estimates *e, const su_lattice *l)
{
    e->plain = su_alloc_array(l->cells, sizeof *e->plain);
    e->plain_variance = su_alloc_array(l->set_count, sizeof *e->plain_variance);
    memcpy(e->plain, e->cell, l->cells * sizeof *e->plain);
    memcpy(e->plain_variance, e->variance, l->set_count * sizeof *e->plain_variance);
}

void su_estimates_free(su_estimates *e)
{
    free(e->cell);
    free(e->variance);
    free(e->residual);
    free(e->plain);
    free(e->plain_variance);
    memset(e, 0, sizeof *e);
}

double su_estimates_deviation(const su_estimates *e, const su_lattice *l, uint32_t length)
{
    double sum = 0;
    for (uint32_t i = l->first[length]; i < l->first[length + 1]; i++) {
        sum += e->variance[i];
    }
    return sqrt(sum / fmax(1, l->first[length + 1] - l->first[length]));
}
