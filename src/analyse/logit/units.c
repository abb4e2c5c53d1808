/* Identical rows become one. */
#include "logit/fit.h"

#include <stdlib.h>
#include <string.h>

enum { TRIAL = 65536 };
static const uint64_t MOST_STORED = 128u << 20; /* bytes */

static uint64_t bits(double x)
{
    uint64_t u;
    x += 0.0; /* minus zero is zero */
    memcpy(&u, &x, sizeof u);
    return u;
}

static uint64_t key_of(const su_predictors_atom *a, uint32_t row)
{
    return a->factor ? a->position[su_frame_level(a->variable, row)] : bits(a->number[a->variable->ids ? a->variable->ids[row] : row]);
}

static uint64_t hash_of(const su_predictors *x, uint32_t row, double y)
{
    uint64_t h = bits(y) * 0x9E3779B97F4A7C15u;
    for (uint32_t a = 0; a < x->formula->atom_count; a++) h = (h ^ (h >> 29) ^ key_of(&x->atoms[a], row)) * 0xBF58476D1CE4E5B9u;
    return h ^ (h >> 32);
}

static bool same(const su_predictors *x, uint32_t a, uint32_t b)
{
    for (uint32_t i = 0; i < x->formula->atom_count; i++)
        if (key_of(&x->atoms[i], a) != key_of(&x->atoms[i], b)) return false;
    return true;
}

/* False when more than half of the first rows are different: then nothing is gained. */
static bool collapse(su_units *u, const double *weight)
{
    const su_predictors *x = u->x;
    size_t size = 1024;
    while (size < x->row_count * 2) size *= 2;
    uint32_t *slots = su_alloc_array(size, sizeof *slots);
    bool good = true;
    for (uint64_t i = 0; i < x->row_count && good; i++) {
        uint32_t row = x->rows[i];
        double w = weight ? weight[row] : 1;
        if (w == 0) continue;
        size_t at = hash_of(x, row, x->y[i]) & (size - 1);
        while (slots[at] && !(u->y[slots[at] - 1] == x->y[i] && same(x, u->row[slots[at] - 1], row))) at = (at + 1) & (size - 1);
        if (!slots[at]) {
            u->row[u->n] = row;
            u->y[u->n] = x->y[i];
            u->weight[u->n] = 0;
            slots[at] = (uint32_t)++u->n;
        }
        u->weight[slots[at] - 1] += w;
        good = !(i + 1 == TRIAL && u->n > TRIAL / 2);
    }
    free(slots);
    return good;
}

static void room(su_units *u, const su_predictors *x, su_family family)
{
    *u = (su_units) { .x = x, .family = family };
    u->row = su_alloc_array(x->row_count, sizeof *u->row);
    u->y = su_alloc_array(x->row_count, sizeof *u->y);
    u->weight = su_alloc_array(x->row_count, sizeof *u->weight);
}

static void each_row(su_units *u, const double *weight)
{
    u->n = 0;
    for (uint64_t i = 0; i < u->x->row_count; i++) {
        double w = weight ? weight[u->x->rows[i]] : 1;
        if (w == 0) continue;
        u->row[u->n] = u->x->rows[i];
        u->y[u->n] = u->x->y[i];
        u->weight[u->n++] = w;
    }
    if (weight) return;
    free(u->weight);
    u->weight = NULL;
}

/* Dictionaries of numbers are read in any order, which costs more than all sums together: for many units that is done once. */
static void store_rows(su_units *u)
{
    const su_predictors *x = u->x;
    uint32_t fixed = x->fixed_count, rest = x->term_count - fixed;
    bool plain = true;
    for (uint32_t t = 0; t < x->term_count; t++)
        for (uint32_t k = 0; !x->terms[t].fixed && k < x->terms[t].part_count; k++) plain &= x->atoms[x->terms[t].parts[k].atom].factor;
    if (!plain || u->n <= SU_UNITS_SMALL || u->n * (fixed * sizeof(double) + rest * sizeof(uint16_t)) > MOST_STORED) return;
    u->fixed = su_alloc_array(u->n, (fixed + 1) * sizeof *u->fixed);
    u->rest = su_alloc_array(u->n, (rest + 1) * sizeof *u->rest);
    su_sparse s = su_sparse_new(x);
    for (uint64_t i = 0; i < u->n; i++) {
        su_predictors_split(x, u->row[i], u->fixed + i * fixed, &s);
        for (uint32_t k = 0; k < rest; k++) u->rest[i * rest + k] = k < s.n ? (uint16_t)s.column[k] : UINT16_MAX;
    }
    su_sparse_free(&s);
}

void su_units_init(su_units *u, const su_predictors *x, su_family family, const double *weight)
{
    room(u, x, family);
    u->collapsed = collapse(u, weight);
    if (!u->collapsed) each_row(u, weight);
    store_rows(u);
}

void su_units_rows(su_units *u, const su_predictors *x, su_family family, const double *weight)
{
    room(u, x, family);
    each_row(u, weight);
}

void su_units_shrink(su_units *u)
{
    free(u->fixed);
    free(u->rest);
    u->fixed = NULL;
    u->rest = NULL;
}

void su_units_free(su_units *u)
{
    su_units_shrink(u);
    free(u->row);
    free(u->y);
    free(u->weight);
    *u = (su_units) { 0 };
}
