#include "logit/separation.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "numeric/lp.h"

enum { FIRST_ROWS = 160, MORE_ROWS = 40, MOST_ROWS = 480, MOST_ROUNDS = 300 };
static const double TINY = 1e-8;

typedef struct program {
    const su_units *u;
    const uint32_t *column; /* of the frame's columns kept */
    uint32_t k;
    const bool *decided;
    double *objective;
    uint64_t *unit; /* constraints */
    size_t rows;
    double *a, *zero, *low, *high, *b, *full;
    su_sparse s;
} program;

static double sign_of(const su_units *u, uint64_t i) { return u->y[i] > 0 ? 1 : -1; }

static double margin(program *p, uint64_t unit)
{
    su_predictors_row(p->u->x, p->u->row[unit], NULL, &p->s);
    return sign_of(p->u, unit) * su_sparse_dot(&p->s, p->full);
}

static void add_row(program *p, uint64_t unit)
{
    for (size_t r = 0; r < p->rows; r++)
        if (p->unit[r] == unit) return;
    p->unit[p->rows++] = unit;
}

/* -s x'b <= 0 for every row chosen. */
static su_lp_status solve(program *p, double *value)
{
    double *dense = su_alloc_array(p->u->x->columns, sizeof *dense);
    for (size_t r = 0; r < p->rows; r++) {
        memset(dense, 0, p->u->x->columns * sizeof *dense);
        su_predictors_row(p->u->x, p->u->row[p->unit[r]], NULL, &p->s);
        su_sparse_axpy(&p->s, -sign_of(p->u, p->unit[r]), dense);
        double largest = 0;
        for (uint32_t j = 0; j < p->k; j++) largest = fmax(largest, fabs(dense[p->column[j]]));
        for (uint32_t j = 0; j < p->k; j++) p->a[r * p->k + j] = largest > 0 ? dense[p->column[j]] / largest : 0;
    }
    free(dense);
    su_lp_status st = su_lp_maximise(p->a, p->zero, p->rows, p->k, p->objective, p->low, p->high, p->b, value);
    for (uint32_t j = 0; j < p->k; j++) p->full[p->column[j]] = fabs(p->b[j]) > TINY ? p->b[j] : 0;
    return st;
}

static void drop_slack(program *p)
{
    size_t kept = 0;
    for (size_t r = 0; r < p->rows; r++)
        if (margin(p, p->unit[r]) < TINY) p->unit[kept++] = p->unit[r];
    p->rows = kept;
}

/* Adds the rows that b gets most wrong; false when there is none. */
static bool add_violated(program *p)
{
    uint64_t worst[MORE_ROWS];
    double by[MORE_ROWS];
    size_t n = 0;
    for (uint64_t i = 0; i < p->u->n; i++) {
        if (p->decided[i]) continue;
        double m = margin(p, i);
        if (m > -TINY || (n == MORE_ROWS && m >= by[n - 1])) continue;
        size_t at = n < MORE_ROWS ? n++ : n - 1;
        for (; at > 0 && by[at - 1] > m; at--) {
            by[at] = by[at - 1];
            worst[at] = worst[at - 1];
        }
        by[at] = m;
        worst[at] = i;
    }
    if (p->rows + n > MOST_ROWS) drop_slack(p);
    for (size_t i = 0; i < n && p->rows < MOST_ROWS; i++) add_row(p, worst[i]);
    return n > 0;
}

static void start(program *p)
{
    memset(p->objective, 0, p->k * sizeof *p->objective);
    double *sum = su_alloc_array(p->u->x->columns, sizeof *sum);
    uint64_t undecided = 0, seen = 0;
    for (uint64_t i = 0; i < p->u->n; i++) {
        if (p->decided[i]) continue;
        undecided++;
        su_predictors_row(p->u->x, p->u->row[i], NULL, &p->s);
        su_sparse_axpy(&p->s, su_units_weight(p->u, i) * sign_of(p->u, i), sum);
    }
    for (uint32_t j = 0; j < p->k; j++) p->objective[j] = sum[p->column[j]];
    free(sum);
    p->rows = 0;
    uint64_t step = undecided <= MOST_ROWS / 2 ? 1 : undecided / FIRST_ROWS;
    for (uint64_t i = 0; i < p->u->n; i++)
        if (!p->decided[i] && seen++ % step == 0 && p->rows < MOST_ROWS / 2) add_row(p, i);
}

/* The optimum over all undecided rows in p->full; its value, 0 when nothing separates. */
static su_status optimum(su_context *ctx, program *p, double *value)
{
    start(p);
    for (int round = 0; round < MOST_ROUNDS; round++) {
        if (su_cancelled(ctx)) return su_fail(ctx, SU_CANCELLED, "Stopped.");
        if (solve(p, value) != SU_LP_OPTIMAL) break;
        if (*value < 1e-6) {
            *value = 0;
            return SU_OK;
        }
        if (!add_violated(p)) return SU_OK;
    }
    return su_fail(ctx, SU_REFUSED, "The test for separation did not finish. Use --firth, or leave out rare categories.");
}

static uint64_t decide(program *p, bool *decided, signed char *infinite)
{
    uint64_t n = 0;
    for (uint64_t i = 0; i < p->u->n; i++) {
        if (decided[i] || margin(p, i) <= 1e-7) continue;
        decided[i] = true;
        n++;
    }
    for (uint32_t j = 0; j < p->k; j++)
        if (p->full[p->column[j]] != 0 && !infinite[p->column[j]]) infinite[p->column[j]] = p->full[p->column[j]] > 0 ? 1 : -1;
    return n;
}

su_status su_separation_find(su_context *ctx, const su_units *u, const bool *kept, su_separation *out)
{
    uint32_t columns = u->x->columns, *column = su_alloc_array(columns, sizeof *column), k = 0;
    for (uint32_t j = 0; j < columns; j++)
        if (kept[j]) column[k++] = j;
    *out = (su_separation) { .direction = su_alloc_array(columns, sizeof(double)),
                             .infinite = su_alloc_array(columns, 1),
                             .decided = su_alloc_array(u->n, sizeof(bool)) };
    if (k > SU_SEPARATION_COLUMNS) {
        free(column);
        return su_fail(ctx, SU_REFUSED,
                       "The fit did not settle, and the test for separation takes at most %d columns; the model has %u. Use --firth, or "
                       "group categories.",
                       SU_SEPARATION_COLUMNS, k);
    }
    program p = { u,
                  column,
                  k,
                  out->decided,
                  su_alloc_array(k, sizeof(double)),
                  su_alloc_array(MOST_ROWS, sizeof(uint64_t)),
                  0,
                  su_alloc_array((size_t)MOST_ROWS * k, sizeof(double)),
                  su_alloc_array(MOST_ROWS, sizeof(double)),
                  su_alloc_array(k, sizeof(double)),
                  su_alloc_array(k, sizeof(double)),
                  su_alloc_array(k, sizeof(double)),
                  su_alloc_array(columns, sizeof(double)),
                  su_sparse_new(u->x) };
    for (uint32_t j = 0; j < k; j++) {
        p.low[j] = -1;
        p.high[j] = 1;
    }
    su_status st = SU_OK;
    while (st == SU_OK) {
        double value = 0;
        st = optimum(ctx, &p, &value);
        if (st != SU_OK || value <= 0) break;
        if (!out->separated) {
            out->objective = value;
            memcpy(out->direction, p.full, columns * sizeof *p.full);
        }
        out->separated = true;
        uint64_t n = decide(&p, out->decided, out->infinite);
        out->decided_units += n;
        if (n == 0) break;
    }
    su_sparse_free(&p.s);
    void *all[] = { column, p.objective, p.unit, p.a, p.zero, p.low, p.high, p.b, p.full };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) free(all[i]);
    return st;
}

void su_separation_free(su_separation *s)
{
    free(s->direction);
    free(s->infinite);
    free(s->decided);
    *s = (su_separation) { 0 };
}
