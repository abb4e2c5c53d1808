/* block: rows of one estimand read some thousands at a time, and what a row adds to a linearised variable. */
#ifndef SU_RATES_BLOCK_H
#define SU_RATES_BLOCK_H

#include "rates/design.h"

#include <math.h>

enum { SU_BLOCK = 2048 };

typedef struct su_block {
    uint64_t from;
    uint32_t n;
    const double *weight;
    double y[SU_BLOCK], x[SU_BLOCK];
    uint32_t group[SU_BLOCK]; /* 0 = outside */
} su_block;

/* Rows outside the domain, without a value or without weight get group 0 and y = x = 0. */
static inline void su_block_read(const su_design *d, const su_estimand *e, uint64_t from, su_block *b)
{
    uint64_t rest = d->rows - from;
    b->from = from;
    b->n = rest < SU_BLOCK ? (uint32_t)rest : SU_BLOCK;
    b->weight = d->weight + from;
    if (e->read) e->read(e->arg, from, b->n, b->y);
    for (uint32_t i = 0; i < b->n; i++) {
        uint64_t r = from + i;
        uint32_t group = e->group ? e->group[r] : 1;
        double y = e->level ? (double)(e->level[r] == e->value) : e->read ? b->y[i] : e->y[r], x = e->x ? e->x[r] : 1;
        if ((e->level && !e->level[r]) || isnan(y) || isnan(x) || !(b->weight[i] > 0)) group = 0;
        b->group[i] = group;
        b->y[i] = group ? y : 0;
        b->x[i] = group ? x : 0;
    }
}

static inline uint32_t su_estimand_groups(const su_estimand *e) { return e->group ? e->groups : 1; }

/* What one row of a group adds to the linearised variable, per unit of weight: (y - slope x) * scale. */
typedef struct su_influence {
    double slope, scale, mean;
} su_influence;

/* Spread of y for the simple random sample that the design effect compares with, and the units in which each group occurs: the rest of the
 * estimates, whose variance stands. */
void su_spread_and_units(const su_design *d, const su_estimand *e, const su_influence *z, su_estimate *out);

/* Every row a unit of its own, no calibration, no stratum of one row: variances need no table of units. */
bool su_rows_are_units(const su_design *d, size_t columns);
void su_row_variances(const su_design *d, const su_estimand *e, const su_influence *z, su_estimate *out);

#endif
