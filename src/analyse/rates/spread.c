/* What follows the estimates: their variances where every row is a unit, and the spread and units of each group. */
#include "numeric/matrix.h"
#include "rates/block.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MOST_SUMS ((size_t)2 << 20) /* strata x columns */

static bool one_row_each(const su_design *d) { return d->stages == 1 && d->stage[0].units == d->rows; }

/* Stratum of every unit of the first stage; NULL where there is one stratum. */
static uint32_t *strata_of_units(const su_stage *s)
{
    if (s->strata == 1) return NULL;
    uint32_t *out = su_alloc_array(s->units, sizeof *out);
    for (uint32_t h = 0; h < s->strata; h++)
        for (uint32_t u = s->first[h]; u < s->first[h + 1]; u++) out[u] = h;
    return out;
}

bool su_rows_are_units(const su_design *d, size_t columns)
{
    const su_stage *s = &d->stage[0];
    if (!one_row_each(d) || d->before || (size_t)s->strata * columns > MOST_SUMS) return false;
    for (uint32_t h = 0; h < s->strata; h++)
        if (s->first[h + 1] - s->first[h] < 2) return false;
    return true;
}

/* A stratum and a group: the mean of z over the stratum, and the squares around it. */
typedef struct row_cell {
    su_sum sum, squares;
    double n, mean;
} row_cell;

static void row_pass(const su_design *d, const su_estimand *e, const su_influence *z, const uint32_t *home, row_cell *cells, bool second)
{
    su_block *b = su_alloc(sizeof *b);
    uint32_t groups = su_estimand_groups(e);
    for (uint64_t from = 0; from < d->rows; from += SU_BLOCK) {
        su_block_read(d, e, from, b);
        for (uint32_t i = 0; i < b->n; i++) {
            if (!b->group[i]) continue;
            uint32_t g = b->group[i] - 1, h = home ? home[d->leaf[from + i]] : 0;
            double x = b->weight[i] * (b->y[i] - z[g].slope * b->x[i]) * z[g].scale;
            row_cell *c = &cells[(size_t)h * groups + g];
            if (second) {
                su_sum_add(&c->squares, (x - c->mean) * (x - c->mean));
            } else {
                su_sum_add(&c->sum, x);
                c->n++;
            }
        }
    }
    free(b);
}

/* Rows outside the group stand in the stratum with z = 0. */
void su_row_variances(const su_design *d, const su_estimand *e, const su_influence *z, su_estimate *out)
{
    const su_stage *s = &d->stage[0];
    uint32_t groups = su_estimand_groups(e), *home = strata_of_units(s);
    row_cell *cells = su_alloc_array((size_t)s->strata * groups, sizeof *cells);
    row_pass(d, e, z, home, cells, false);
    for (uint32_t h = 0; h < s->strata; h++)
        for (uint32_t g = 0; g < groups; g++) {
            row_cell *c = &cells[(size_t)h * groups + g];
            c->mean = su_sum_of(&c->sum) / (s->first[h + 1] - s->first[h]);
        }
    row_pass(d, e, z, home, cells, true);
    for (uint32_t g = 0; g < groups; g++) {
        double v = 0;
        for (uint32_t h = 0; h < s->strata; h++) {
            double n = s->first[h + 1] - s->first[h], f = 1 - su_stage_fraction(s, h);
            const row_cell *c = &cells[(size_t)h * groups + g];
            if (f >= SU_CENSUS) v += f * n / (n - 1) * (su_sum_of(&c->squares) + (n - c->n) * c->mean * c->mean);
        }
        if (!isnan(out[g].estimate)) out[g].variance = v;
    }
    free(home);
    free(cells);
}

/* ---- spread and units ------------------------------------------------------------------------------------------------------- */

/* Where a group occurs: bits of units, or of strata where every row is a unit (then its units are its rows). */
typedef struct places {
    bool rows;
    size_t words;
    uint64_t *bits;
    uint32_t *home;
} places;

static void count_units(const su_design *d, const places *p, uint32_t g, su_estimate *o)
{
    const su_stage *top = &d->stage[0];
    uint64_t strata = 0;
    o->psus = p->rows ? o->n : 0;
    for (uint32_t h = 0; h < top->strata; h++) {
        uint64_t before = o->psus;
        if (p->rows) {
            strata += p->bits[(size_t)h * p->words + g / 64] >> (g % 64) & 1;
            continue;
        }
        for (uint32_t u = top->first[h]; u < top->first[h + 1]; u++) o->psus += p->bits[(size_t)u * p->words + g / 64] >> (g % 64) & 1;
        strata += o->psus > before;
    }
    o->df = (double)o->psus - (double)strata;
}

static void design_effect(const su_estimand *e, const su_influence *z, double squares, su_estimate *o)
{
    double n = (double)o->n, w = o->weight_sum, s2 = n > 1 ? n / (n - 1) * squares / w : NAN;
    double scale = e->statistic == SU_MEAN ? 1 : e->statistic == SU_TOTAL ? w : w * z->scale;
    double simple = s2 / n * scale * scale;
    o->deff_replace = simple > 0 ? o->variance / simple : NAN;
    o->deff = simple > 0 && w > n ? o->deff_replace / ((w - n) / w) : NAN;
}

void su_spread_and_units(const su_design *d, const su_estimand *e, const su_influence *z, su_estimate *out)
{
    uint32_t groups = su_estimand_groups(e);
    const su_stage *top = &d->stage[0];
    places p = { .rows = one_row_each(d), .words = ((size_t)groups + 63) / 64 };
    p.bits = su_alloc_array((size_t)(p.rows ? top->strata : top->units) * p.words, sizeof *p.bits);
    p.home = p.rows ? strata_of_units(top) : NULL;
    su_sum *squares = su_alloc_array(groups, sizeof *squares);
    double *part = su_alloc_array(groups, sizeof *part);
    su_block *b = su_alloc(sizeof *b);
    for (uint64_t from = 0; from < d->rows; from += SU_BLOCK) {
        su_block_read(d, e, from, b);
        memset(part, 0, groups * sizeof *part);
        for (uint32_t i = 0; i < b->n; i++) {
            if (!b->group[i]) continue;
            uint32_t g = b->group[i] - 1, unit = d->top[from + i];
            size_t place = !p.rows ? unit : p.home ? p.home[unit] : 0;
            double dev = b->y[i] - (e->statistic == SU_RATIO ? z[g].slope * b->x[i] : z[g].mean);
            part[g] += b->weight[i] * dev * dev;
            p.bits[place * p.words + g / 64] |= UINT64_C(1) << (g % 64);
        }
        for (uint32_t g = 0; g < groups; g++) su_sum_add(&squares[g], part[g]);
    }
    for (uint32_t g = 0; g < groups; g++) {
        count_units(d, &p, g, &out[g]);
        design_effect(e, &z[g], su_sum_of(&squares[g]), &out[g]);
    }
    free(p.bits);
    free(p.home);
    free(squares);
    free(part);
    free(b);
}
