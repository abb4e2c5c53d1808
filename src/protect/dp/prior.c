#include "prior.h"
#include "zeros.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A set with so many free cells tells by itself how far it moved; smaller ones of the same shape are judged together. */
#define FREE_ALONE 24
#define EMPTY_COUNTS 0.1

static bool covers(const su_public_records *p, const uint32_t *columns, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        if (!p->codes[columns[i]]) return false;
    return true;
}

/* The public records as a matrix in the release's columns; columns that are not there are all absent. */
static void as_matrix(const su_release *r, su_matrix_column *columns, su_code_matrix *m)
{
    const su_public_records *p = r->options.prior;
    memcpy(columns, r->columns, r->column_count * sizeof *columns);
    for (uint32_t c = 0; c < r->column_count; c++) columns[c].codes = p->codes[c];
    *m = (su_code_matrix) { .row_count = p->record_count, .column_count = r->column_count, .columns = columns };
}

double su_prior_cells(const su_release *r, const su_release_table *t, double positive)
{
    if (!covers(r->options.prior, t->columns, t->length)) return positive;
    su_code_matrix m;
    su_matrix_column *columns = su_alloc_array(r->column_count, sizeof *columns);
    int64_t *count = su_alloc_array((size_t)t->cells, sizeof *count);
    double filled = 0;
    as_matrix(r, columns, &m);
    su_contingency(&m, t->columns, t->length, count);
    for (uint64_t i = 0; i < t->cells; i++) {
        bool full = count[i] > 0;
        uint64_t rest = i;
        for (uint32_t k = t->length; full && k-- > 0; rest /= r->columns[t->columns[k]].card)
            full = rest % r->columns[t->columns[k]].card > 0;
        filled += full;
    }
    free(count);
    free(columns);
    return filled + EMPTY_COUNTS * fmax(0, positive - filled);
}

/* ---- public tables ---- */

/* The tables of all sets that the public records cover, scaled to the number of records estimated. */
static su_status public_tables(su_context *ctx, const su_release *r, const su_lattice *l, double total, double *cell)
{
    const su_public_records *p = r->options.prior;
    su_code_matrix m;
    su_matrix_column *columns = su_alloc_array(r->column_count, sizeof *columns);
    su_contingency_request *requests = su_alloc_array(l->set_count, sizeof *requests);
    int64_t *block = su_alloc_array(l->cells, sizeof *block);
    size_t n = 0;
    as_matrix(r, columns, &m);
    for (uint32_t s = l->first[1]; s < l->set_count; s++)
        if (covers(p, l->sets[s].columns, l->sets[s].length))
            requests[n++] = (su_contingency_request) { l->sets[s].length, l->sets[s].columns, block + l->sets[s].offset };
    /* Counting several tables at once looks at every column, so those that are not covered are not given to it. */
    su_status status = SU_OK;
    bool all = true;
    for (uint32_t c = 0; c < r->column_count; c++) all = all && p->codes[c];
    if (all) {
        status = su_contingency_many(ctx, &m, requests, n);
    } else {
        for (size_t i = 0; i < n; i++) su_contingency(&m, requests[i].columns, requests[i].n, requests[i].out);
    }
    for (size_t i = 0; i < l->cells; i++) cell[i] = (double)block[i] * (total / (double)p->record_count);
    free(block);
    free(requests);
    free(columns);
    return status;
}

/* ---- weighing ---- */

typedef struct group {
    uint32_t length;
    double free, sets, distance; /* of a set; number of sets; sum of squared distances, each in units of its own noise per free cell */
} group;

static double free_cells(const su_subset *s)
{
    double n = 1;
    for (uint32_t k = 0; k < s->length; k++) n *= s->card[k] - 1;
    return n;
}

static group *group_of(group *groups, size_t *n, uint32_t length, double free)
{
    for (size_t i = 0; i < *n; i++)
        if (groups[i].length == length && groups[i].free == free && free < FREE_ALONE) return &groups[i];
    groups[*n] = (group) { .length = length, .free = free };
    return &groups[(*n)++];
}

/* Share of the way from the public to the private answer that is kept: James and Stein 1961, positive part, towards a point (Efron and
 * Morris 1973). Below three free cells there is nothing to learn from, and the data stand. */
static double share_of(const group *g)
{
    double free = g->free * g->sets;
    return free < 3 ? 1 : g->distance > 0 ? fmax(0, 1 - (free - 2) / g->distance) : 0;
}

typedef struct weighing {
    const su_release *r;
    const su_lattice *l;
    su_estimates *e;
    double *known; /* residuals of the public tables */
    group **of;    /* per set; NULL where the data stand */
} weighing;

static bool weighed(const weighing *w, uint32_t s)
{
    const su_subset *set = &w->l->sets[s];
    return free_cells(set) > 0 && covers(w->r->options.prior, set->columns, set->length);
}

static void measure_distances(weighing *w, group *groups)
{
    size_t n = 0;
    for (uint32_t s = w->l->first[1]; s < w->l->set_count; s++) {
        if (!weighed(w, s)) continue;
        const su_subset *set = &w->l->sets[s];
        double free = free_cells(set), sum = 0, noise = w->e->residual[s] * (double)set->cells / free;
        for (size_t i = set->offset; i < set->offset + set->cells; i++)
            sum += (w->e->cell[i] - w->known[i]) * (w->e->cell[i] - w->known[i]);
        group *g = w->of[s] = group_of(groups, &n, set->length, free);
        g->sets++;
        g->distance += noise > 0 ? sum / noise : 0;
    }
}

static void weigh(weighing *w, su_release *r)
{
    double kept[SU_MAX_LENGTH + 1] = { 0 }, all[SU_MAX_LENGTH + 1] = { 0 };
    for (uint32_t s = w->l->first[1]; s < w->l->set_count; s++) {
        const su_subset *set = &w->l->sets[s];
        double share = w->of[s] ? share_of(w->of[s]) : 1;
        for (size_t i = set->offset; w->of[s] && i < set->offset + set->cells; i++)
            w->e->cell[i] = w->known[i] + share * (w->e->cell[i] - w->known[i]);
        w->e->variance[s] = w->e->residual[s] * share;
        kept[set->length] += share * free_cells(set);
        all[set->length] += free_cells(set);
    }
    w->e->variance[0] = w->e->residual[0];
    for (uint32_t k = 0; k <= SU_MAX_LENGTH; k++) r->prior_weight[k] = all[k] > 0 ? kept[k] / all[k] : 1;
}

su_status su_prior_use(su_context *ctx, su_release *r, const su_lattice *l, su_estimates *e)
{
    double total = e->cell[0];
    weighing w = { r, l, e, su_alloc_array(l->cells, sizeof *w.known), su_alloc_array(l->set_count, sizeof(group *)) };
    group *groups = su_alloc_array(l->set_count, sizeof *groups);
    su_status status = SU_OK;
    if (r->options.prior->record_count > 0 && total > 0) {
        status = public_tables(ctx, r, l, total, w.known);
        if (status == SU_OK) {
            su_estimates_keep(e, l);
            su_residual_split(l, e->cell);
            su_residual_split(l, w.known);
            measure_distances(&w, groups);
            weigh(&w, r);
            su_residual_join(l, e->cell, e->variance);
            su_zeros_settle(r, l, e->cell);
        }
    }
    free(groups);
    free(w.of);
    free(w.known);
    return status;
}
