/* Bounded primal simplex on a condensed tableau (Chvatal, Linear Programming, 1983, chapter 8). The nonbasic variables sit at a bound, or
 * at 0 when they are free; the first phase minimises the sum of the bounds' violations, so that no artificial column is needed. */
#include "numeric/lp.h"

#include <math.h>
#include <stdlib.h>

#include <suha/base.h>

static const double FEASIBLE = 1e-9, OPTIMAL = 1e-9, PIVOT = 1e-9;

/* Variables 0..columns-1 are the caller's, columns..columns+rows-1 the slacks (0 <= slack). table[i * columns + j] is minus the rate at
 * which basic variable i moves with nonbasic variable j. */
typedef struct simplex {
    size_t rows, columns;
    double *table, *value, *gain, *cost; /* value: of every variable; gain: of every nonbasic one in this phase */
    double *low, *high;
    size_t *basic, *nonbasic;
    bool bland;
} simplex;

static double start_of(double low, double high)
{
    if (isfinite(low) && isfinite(high)) return fabs(low) <= fabs(high) ? low : high;
    return isfinite(low) ? low : isfinite(high) ? high : 0.0;
}

static void simplex_init(simplex *s, const double *a, const double *b, size_t rows, size_t columns, const double *low, const double *high)
{
    *s = (simplex) { .rows = rows, .columns = columns };
    s->table = su_alloc_array(rows * columns + 1, sizeof *s->table);
    s->value = su_alloc_array(rows + columns, sizeof *s->value);
    s->gain = su_alloc_array(columns + 1, sizeof *s->gain);
    s->cost = su_alloc_array(columns + 1, sizeof *s->cost);
    s->low = su_alloc_array(rows + columns, sizeof *s->low);
    s->high = su_alloc_array(rows + columns, sizeof *s->high);
    s->basic = su_alloc_array(rows + 1, sizeof *s->basic);
    s->nonbasic = su_alloc_array(columns + 1, sizeof *s->nonbasic);
    for (size_t j = 0; j < columns; j++) {
        s->nonbasic[j] = j;
        s->low[j] = low[j];
        s->high[j] = high[j];
        s->value[j] = start_of(low[j], high[j]);
    }
    for (size_t i = 0; i < rows; i++) {
        double largest = 0, rest = b[i];
        for (size_t j = 0; j < columns; j++) largest = fmax(largest, fabs(a[i * columns + j]));
        double scale = largest > 0 ? 1 / largest : 1; /* rows of one size, so that one tolerance fits all */
        for (size_t j = 0; j < columns; j++) {
            s->table[i * columns + j] = a[i * columns + j] * scale;
            rest -= a[i * columns + j] * s->value[j];
        }
        s->basic[i] = columns + i;
        s->value[columns + i] = rest * scale;
        s->high[columns + i] = INFINITY;
    }
}

static void simplex_free(simplex *s)
{
    free(s->table), free(s->value), free(s->gain), free(s->cost), free(s->low), free(s->high), free(s->basic), free(s->nonbasic);
}

/* Gains of the first phase: how fast the sum of violations falls. Returns that sum. */
static double violation(simplex *s)
{
    double sum = 0;
    for (size_t j = 0; j < s->columns; j++) s->gain[j] = 0;
    for (size_t i = 0; i < s->rows; i++) {
        double x = s->value[s->basic[i]], below = s->low[s->basic[i]] - x, above = x - s->high[s->basic[i]];
        double sign = below > FEASIBLE ? -1 : above > FEASIBLE ? 1 : 0;
        if (sign == 0) continue;
        sum += sign < 0 ? below : above;
        for (size_t j = 0; j < s->columns; j++) s->gain[j] += sign * s->table[i * s->columns + j];
    }
    return sum;
}

/* The nonbasic variable that enters, and its direction; false when none gains. */
static bool choose_column(const simplex *s, const double *gain, size_t *column, double *direction)
{
    double best = OPTIMAL;
    bool found = false;
    for (size_t j = 0; j < s->columns; j++) {
        size_t v = s->nonbasic[j];
        bool can = gain[j] > OPTIMAL ? s->value[v] < s->high[v] : gain[j] < -OPTIMAL && s->value[v] > s->low[v];
        if (!can || (found && (s->bland ? v > s->nonbasic[*column] : fabs(gain[j]) <= best))) continue;
        best = fabs(gain[j]);
        *column = j;
        *direction = gain[j] > 0 ? 1 : -1;
        found = true;
    }
    return found;
}

/* How far a basic variable lets the entering one go: to the bound it moves towards, or, from outside, to the bound it violates. */
static double room(const simplex *s, size_t i, double rate, double *bound)
{
    size_t v = s->basic[i];
    double x = s->value[v];
    if (rate < 0) {
        if (x < s->low[v] - FEASIBLE) return INFINITY;
        *bound = x > s->high[v] + FEASIBLE ? s->high[v] : s->low[v];
    } else {
        if (x > s->high[v] + FEASIBLE) return INFINITY;
        *bound = x < s->low[v] - FEASIBLE ? s->low[v] : s->high[v];
    }
    return isfinite(*bound) ? fmax(0, (*bound - x) / rate) : INFINITY;
}

/* The row that blocks first (rows when none does before the entering variable's own other bound). */
static size_t choose_row(const simplex *s, size_t column, double direction, double *step, double *bound)
{
    size_t v = s->nonbasic[column], row = s->rows;
    *step = direction > 0 ? s->high[v] - s->value[v] : s->value[v] - s->low[v];
    for (size_t i = 0; i < s->rows; i++) {
        double rate = -direction * s->table[i * s->columns + column], to = 0;
        if (fabs(rate) < PIVOT) continue;
        double length = room(s, i, rate, &to);
        if (length > *step + 1e-12 || !isfinite(length)) continue;
        if (row < s->rows && length > *step - 1e-12) {
            bool better = s->bland ? s->basic[i] < s->basic[row]
                                   : fabs(s->table[i * s->columns + column]) > fabs(s->table[row * s->columns + column]);
            if (!better) continue;
        }
        *step = length;
        *bound = to;
        row = i;
    }
    return row;
}

static void pivot(simplex *s, size_t row, size_t column)
{
    size_t n = s->columns;
    double *r = s->table + row * n, inverse = 1 / r[column];
    for (size_t j = 0; j < n; j++) r[j] *= inverse;
    r[column] = inverse;
    for (size_t i = 0; i <= s->rows; i++) {
        double *t = i < s->rows ? s->table + i * n : s->cost;
        double factor = t[column];
        if (i == row || factor == 0) continue;
        t[column] = 0;
        for (size_t j = 0; j < n; j++) t[j] -= factor * r[j];
    }
    size_t v = s->basic[row];
    s->basic[row] = s->nonbasic[column];
    s->nonbasic[column] = v;
}

static void move(simplex *s, size_t column, double direction, double step)
{
    s->value[s->nonbasic[column]] += direction * step;
    for (size_t i = 0; i < s->rows; i++) s->value[s->basic[i]] -= direction * step * s->table[i * s->columns + column];
}

/* One phase: 1 until nothing is violated, 2 until nothing gains. */
static su_lp_status run_phase(simplex *s, int phase)
{
    size_t limit = 100 * (s->rows + s->columns) + 1000, still = 0, patience = s->rows + s->columns + 20;
    s->bland = false;
    for (size_t round = 0; round < limit; round++) {
        if (phase == 1 && violation(s) == 0) return SU_LP_OPTIMAL;
        const double *gain = phase == 1 ? s->gain : s->cost;
        size_t column = 0;
        double direction = 0, step = 0, bound = 0;
        if (!choose_column(s, gain, &column, &direction)) return phase == 1 ? SU_LP_INFEASIBLE : SU_LP_OPTIMAL;
        size_t row = choose_row(s, column, direction, &step, &bound);
        if (!isfinite(step)) return SU_LP_UNBOUNDED;
        still = step < 1e-12 ? still + 1 : 0;
        s->bland = still > patience;
        move(s, column, direction, step);
        if (row < s->rows) {
            s->value[s->basic[row]] = bound;
            pivot(s, row, column);
        } else {
            size_t v = s->nonbasic[column];
            s->value[v] = direction > 0 ? s->high[v] : s->low[v];
        }
    }
    return SU_LP_STALLED;
}

su_lp_status su_lp_maximise(const double *a, const double *b, size_t rows, size_t columns, const double *c, const double *low,
                            const double *high, double *x, double *value)
{
    simplex s;
    *value = NAN;
    for (size_t j = 0; j < columns; j++)
        if (low[j] > high[j]) return SU_LP_INFEASIBLE;
    simplex_init(&s, a, b, rows, columns, low, high);
    for (size_t j = 0; j < columns; j++) s.cost[j] = c[j];
    su_lp_status status = SU_LP_STALLED;
    for (int round = 0; round < 3; round++) { /* rounding may leave a bound: then once more from there */
        status = run_phase(&s, 1);
        if (status == SU_LP_OPTIMAL) status = run_phase(&s, 2);
        if (status != SU_LP_OPTIMAL || violation(&s) == 0) break;
        status = SU_LP_STALLED;
    }
    *value = 0;
    for (size_t j = 0; j < columns; j++) {
        x[j] = s.value[j];
        *value += c[j] * x[j];
    }
    simplex_free(&s);
    return status;
}
