/* Iterative proportional fitting with structural zeros. */
#include <suha/flow.h>

#include <math.h>
#include <stdlib.h>

enum { MOST_ROUNDS = 20000 };

static const char *name_of(const char *const *names, size_t i, char buf[32])
{
    if (names) return names[i];
    snprintf(buf, 32, "%zu", i + 1);
    return buf;
}

typedef struct shape {
    size_t rows, columns;
    const double *row_totals, *column_totals;
    const char *const *row_names, *const *column_names;
} shape;

static su_status check_line(su_context *ctx, const double *table, const shape *s, bool row, size_t at)
{
    char buf[32];
    double sum = 0, total = row ? s->row_totals[at] : s->column_totals[at];
    const char *name = name_of(row ? s->row_names : s->column_names, at, buf), *side = row ? "row" : "column";
    size_t n = row ? s->columns : s->rows;
    if (!(total >= 0) || isinf(total))
        return su_fail(ctx, SU_REFUSED, "the total of %s %s is %g; totals are zero or more", side, name, total);
    for (size_t k = 0; k < n; k++) {
        double cell = row ? table[at * s->columns + k] : table[k * s->columns + at];
        if (!(cell >= 0) || isinf(cell)) return su_fail(ctx, SU_REFUSED, "a cell of %s %s is %g; cells are zero or more", side, name, cell);
        sum += cell;
    }
    if (total > 0 && sum == 0)
        return su_fail(ctx, SU_REFUSED, "%s %s should sum to %g but all its cells are zero in the starting table; give one of them a value",
                       side, name, total);
    return SU_OK;
}

static su_status check(su_context *ctx, const double *table, const shape *s)
{
    su_status st = SU_OK;
    double rows = 0, columns = 0;
    for (size_t i = 0; !st && i < s->rows; i++) {
        st = check_line(ctx, table, s, true, i);
        rows += s->row_totals[i];
    }
    for (size_t j = 0; !st && j < s->columns; j++) {
        st = check_line(ctx, table, s, false, j);
        columns += s->column_totals[j];
    }
    if (!st && fabs(rows - columns) > 1e-9 * fmax(rows, columns))
        st = su_fail(ctx, SU_REFUSED,
                     "the rows' totals sum to %.10g and the columns' to %.10g; they are counts of the same people and must agree", rows,
                     columns);
    return st;
}

static double scale(double *first, size_t step, size_t n, double total)
{
    double sum = 0;
    for (size_t k = 0; k < n; k++) sum += first[k * step];
    if (sum == 0) return total > 0 ? INFINITY : 0;
    for (size_t k = 0; k < n; k++) first[k * step] *= total / sum;
    return fabs(sum - total) / fmax(total, 1e-300);
}

static double worst_row(const double *table, const shape *s, size_t *which)
{
    double worst = 0;
    for (size_t i = 0; i < s->rows; i++) {
        double sum = 0;
        for (size_t j = 0; j < s->columns; j++) sum += table[i * s->columns + j];
        double miss = fabs(sum - s->row_totals[i]) / fmax(s->row_totals[i], 1);
        if (miss > worst || isnan(miss)) {
            worst = miss;
            *which = i;
        }
    }
    return worst;
}

su_status su_fit_margins(su_context *ctx, double *table, size_t rows, size_t columns, const double *row_totals, const double *column_totals,
                         const char *const *row_names, const char *const *column_names, su_fitted_margins *out)
{
    shape s = { rows, columns, row_totals, column_totals, row_names, column_names };
    su_status st = check(ctx, table, &s);
    size_t at = 0;
    double miss = INFINITY;
    for (unsigned round = 1; !st && round <= MOST_ROUNDS; round++) {
        for (size_t i = 0; i < rows; i++) (void)scale(table + i * columns, 1, columns, row_totals[i]);
        for (size_t j = 0; j < columns; j++) (void)scale(table + j, columns, rows, column_totals[j]);
        miss = worst_row(table, &s, &at);
        *out = (su_fitted_margins) { round, miss };
        if (miss < 1e-12) return SU_OK;
    }
    if (!st && miss > 1e-6) {
        char buf[32];
        st = su_fail(
            ctx, SU_REFUSED,
            "no table with these zeros has these totals (after %d rounds row %s is off by %.2g %%); give a zero cell in it a small value",
            MOST_ROUNDS, name_of(row_names, at, buf), 100 * miss);
    }
    return st;
}
