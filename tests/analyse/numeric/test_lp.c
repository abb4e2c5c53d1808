/* Linear programs against an oracle that tries every vertex, and the cases with a name: infeasible, unbounded, cycling, free variables. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>

#include "su_test.h"
#include "numeric/lp.h"
#include "numeric/matrix.h"

enum { N = 3, M = 5, PLANES = M + 2 * N };

static bool feasible(const double planes[PLANES][N + 1], const double *x)
{
    for (int i = 0; i < PLANES; i++) {
        double sum = 0;
        for (int j = 0; j < N; j++) sum += planes[i][j] * x[j];
        if (sum > planes[i][N] + 1e-7) return false;
    }
    return true;
}

/* The best vertex of a box cut by M half spaces; -infinity when there is none. */
static double best_vertex(const double planes[PLANES][N + 1], const double *c)
{
    double best = -INFINITY;
    for (int i = 0; i < PLANES; i++) {
        for (int j = i + 1; j < PLANES; j++) {
            for (int k = j + 1; k < PLANES; k++) {
                double a[N * N], x[N];
                const int pick[N] = { i, j, k };
                for (int r = 0; r < N; r++) {
                    for (int s = 0; s < N; s++) a[r * N + s] = planes[pick[r]][s];
                    x[r] = planes[pick[r]][N];
                }
                if (!su_solve(a, N, x) || !feasible(planes, x)) continue;
                best = fmax(best, c[0] * x[0] + c[1] * x[1] + c[2] * x[2]);
            }
        }
    }
    return best;
}

static void against_every_vertex(void **state)
{
    (void)state;
    su_random r;
    su_test_random(&r);
    int infeasible = 0;
    for (int trial = 0; trial < 3000; trial++) {
        double planes[PLANES][N + 1] = { { 0 } }, a[M * N], b[M], c[N], low[N], high[N], x[N], value;
        for (int i = 0; i < M; i++) {
            for (int j = 0; j < N; j++) planes[i][j] = a[i * N + j] = (double)su_random_below(&r, 7) - 3;
            planes[i][N] = b[i] = (double)su_random_below(&r, 12) - 5;
        }
        for (int j = 0; j < N; j++) {
            c[j] = (double)su_random_below(&r, 9) - 4;
            low[j] = (double)su_random_below(&r, 5) - 4;
            high[j] = low[j] + (double)su_random_below(&r, 6);
            planes[M + 2 * j][j] = 1, planes[M + 2 * j][N] = high[j];
            planes[M + 2 * j + 1][j] = -1, planes[M + 2 * j + 1][N] = -low[j];
        }
        double best = best_vertex(planes, c);
        su_lp_status status = su_lp_maximise(a, b, M, N, c, low, high, x, &value);
        if (isinf(best)) {
            assert_int_equal(status, SU_LP_INFEASIBLE);
            infeasible++;
            continue;
        }
        assert_int_equal(status, SU_LP_OPTIMAL);
        assert_true(fabs(value - best) < 1e-7);
        assert_true(feasible(planes, x));
    }
    assert_true(infeasible > 100 && infeasible < 2900);
}

static void named_cases(void **state)
{
    (void)state;
    double x[4], value;
    /* x + y <= 4, x + 3y <= 6, maximise 3x + 5y: 14 at (3, 1) */
    const double a[] = { 1, 1, 1, 3 }, b[] = { 4, 6 }, c[] = { 3, 5 }, zero[] = { 0, 0 }, far[] = { INFINITY, INFINITY };
    assert_int_equal(su_lp_maximise(a, b, 2, 2, c, zero, far, x, &value), SU_LP_OPTIMAL);
    assert_true(fabs(value - 14) < 1e-12 && fabs(x[0] - 3) < 1e-12 && fabs(x[1] - 1) < 1e-12);
    /* free variables: maximise -x with x >= -3 written as a row */
    const double row[] = { -1, 0 }, bound[] = { 3 }, down[] = { -1, 0 }, none[] = { -INFINITY, -INFINITY };
    assert_int_equal(su_lp_maximise(row, bound, 1, 2, down, none, far, x, &value), SU_LP_OPTIMAL);
    assert_true(fabs(value - 3) < 1e-12);
    assert_int_equal(su_lp_maximise(row, bound, 1, 2, c, none, far, x, &value), SU_LP_UNBOUNDED);
    const double both[] = { 1, -1 }, gap[] = { 1, -2 }; /* x <= 1 and x >= 2 */
    assert_int_equal(su_lp_maximise(both, gap, 2, 1, c, none, far, x, &value), SU_LP_INFEASIBLE);
    assert_int_equal(su_lp_maximise(NULL, NULL, 0, 2, c, zero, (const double[]) { 2, 3 }, x, &value), SU_LP_OPTIMAL);
    assert_true(fabs(value - 21) < 1e-12);
}

/* Beale's example: Dantzig's rule goes round in circles; optimum 1/20 at (1/25, 0, 1, 0). */
static void beale(void **state)
{
    (void)state;
    const double a[] = { 0.25, -60, -1.0 / 25, 9, 0.5, -90, -1.0 / 50, 3, 0, 0, 1, 0 }, b[] = { 0, 0, 1 };
    const double c[] = { 0.75, -150, 1.0 / 50, -6 }, low[4] = { 0 }, high[] = { INFINITY, INFINITY, INFINITY, INFINITY };
    double x[4], value;
    assert_int_equal(su_lp_maximise(a, b, 3, 4, c, low, high, x, &value), SU_LP_OPTIMAL);
    assert_true(fabs(value - 0.05) < 1e-12);
}

/* The separation test of a logistic model: a cone of 400 rows, box |b| <= 1. Overlapping outcomes give 0, a separating column does not. */
static void separation(void **state)
{
    (void)state;
    su_random r;
    su_test_random(&r);
    enum { ROWS = 400, COLUMNS = 12 };
    static double a[ROWS * COLUMNS], b[ROWS];
    double c[COLUMNS], low[COLUMNS], high[COLUMNS], x[COLUMNS], value;
    for (int separated = 0; separated < 2; separated++) {
        memset(c, 0, sizeof c);
        for (int i = 0; i < ROWS; i++) {
            double sign = su_random_below(&r, 2) ? 1 : -1;
            for (int j = 0; j < COLUMNS; j++) {
                double z = j == 0 ? 1 : (double)su_random_below(&r, 3);
                if (separated && j == 5) z = sign > 0 ? 1 + (double)su_random_below(&r, 2) : 0;
                a[i * COLUMNS + j] = -sign * z;
                c[j] += sign * z;
            }
        }
        for (int j = 0; j < COLUMNS; j++) low[j] = -1, high[j] = 1;
        assert_int_equal(su_lp_maximise(a, b, ROWS, COLUMNS, c, low, high, x, &value), SU_LP_OPTIMAL);
        assert_true(separated ? value > 1 && fabs(x[5]) > 0.1 : fabs(value) < 1e-7);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(against_every_vertex), cmocka_unit_test(named_cases), cmocka_unit_test(beale),
                                        cmocka_unit_test(separation) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
