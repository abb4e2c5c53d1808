/* Matrices against their definitions: products multiplied out, eigenvectors applied, an aliased column found by name. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>

#include "su_test.h"
#include "numeric/matrix.h"

enum { N = 9 };

static double uniform(su_random *r) { return (double)(su_random_u64(r) >> 11) / 9007199254740992.0 * 2 - 1; }

/* a = b b' + I, positive definite. */
static void definite(su_random *r, double *a)
{
    double b[N * N];
    for (int i = 0; i < N * N; i++) b[i] = uniform(r);
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) {
            a[i * N + j] = i == j;
            for (int k = 0; k < N; k++) a[i * N + j] += b[i * N + k] * b[j * N + k];
        }
}

static void near(double a, double b, double tolerance)
{
    if (!(fabs(a - b) <= tolerance * fmax(1, fabs(b)))) fail_msg("%.17g is not %.17g", a, b);
}

static void test_cholesky(void **state)
{
    (void)state;
    su_random r;
    su_test_random(&r);
    double a[N * N], l[N * N], inverse[N * N], product[N * N], x[N], b[N];
    definite(&r, a);
    memcpy(l, a, sizeof l);
    assert_int_equal(su_cholesky(l, N, 1e-9, NULL), N);
    su_cholesky_inverse(l, N, NULL, inverse);
    su_multiply(a, inverse, N, N, N, product);
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) near(product[i * N + j], i == j, 1e-11);
    for (int i = 0; i < N; i++) x[i] = uniform(&r);
    su_multiply(a, x, N, N, 1, b);
    su_cholesky_solve(l, N, NULL, b);
    for (int i = 0; i < N; i++) near(b[i], x[i], 1e-11);
    double values[N], v[N * N], log_determinant = 0, copy[N * N];
    memcpy(copy, a, sizeof copy);
    su_eigen_symmetric(copy, N, values, v);
    for (int i = 0; i < N; i++) log_determinant += log(values[i]);
    near(su_cholesky_log_determinant(l, N, NULL), log_determinant, 1e-12);
}

/* Column 5 is the sum of columns 1 and 3 of the data: it, and only it, is aliased, and the rest solves as if it were not there. */
static void test_aliased(void **state)
{
    (void)state;
    su_random r;
    su_test_random(&r);
    enum { ROWS = 40 };
    double x[ROWS][N], a[N * N] = { 0 }, small[(N - 1) * (N - 1)], b[N], c[N - 1], y[ROWS];
    bool kept[N];
    for (int i = 0; i < ROWS; i++) {
        for (int j = 0; j < N; j++) x[i][j] = uniform(&r);
        x[i][5] = x[i][1] + x[i][3];
        y[i] = uniform(&r);
    }
    for (int j = 0; j < N; j++) {
        b[j] = 0;
        for (int i = 0; i < ROWS; i++) b[j] += x[i][j] * y[i];
        for (int k = 0; k < N; k++)
            for (int i = 0; i < ROWS; i++) a[j * N + k] += x[i][j] * x[i][k];
    }
    for (int j = 0, p = 0; j < N; j++) {
        if (j == 5) continue;
        c[p] = b[j];
        for (int k = 0, q = 0; k < N; k++)
            if (k != 5) small[p * (N - 1) + q++] = a[j * N + k];
        p++;
    }
    assert_int_equal(su_cholesky(a, N, 1e-9, kept), N - 1);
    for (int j = 0; j < N; j++) assert_int_equal(kept[j], j != 5);
    su_cholesky_solve(a, N, kept, b);
    double inverse[N * N];
    su_cholesky_inverse(a, N, kept, inverse);
    assert_true(su_solve(small, N - 1, c));
    for (int j = 0, p = 0; j < N; j++) {
        near(b[j], j == 5 ? 0 : c[p], 1e-10);
        assert_true(j != 5 || (inverse[5 * N + 2] == 0 && inverse[2 * N + 5] == 0 && inverse[5 * N + 5] == 0));
        p += j != 5;
    }
}

static void test_eigen(void **state)
{
    (void)state;
    su_random r;
    su_test_random(&r);
    double a[N * N], copy[N * N], values[N], v[N * N];
    for (int i = 0; i < N; i++)
        for (int j = 0; j <= i; j++) a[i * N + j] = a[j * N + i] = uniform(&r);
    memcpy(copy, a, sizeof copy);
    su_eigen_symmetric(copy, N, values, v);
    for (int e = 0; e < N; e++) {
        assert_true(e == 0 || values[e] >= values[e - 1]);
        for (int i = 0; i < N; i++) {
            double av = 0, dot = 0;
            for (int k = 0; k < N; k++) av += a[i * N + k] * v[k * N + e], dot += v[k * N + i] * v[k * N + e];
            near(av, values[e] * v[i * N + e], 1e-13);
            near(dot, i == e, 1e-13);
        }
    }
}

static void test_solve(void **state)
{
    (void)state;
    su_random r;
    su_test_random(&r);
    double a[N * N], copy[N * N], x[N], b[N];
    for (int i = 0; i < N * N; i++) a[i] = uniform(&r);
    a[0] = 0; /* needs a swap */
    for (int i = 0; i < N; i++) x[i] = uniform(&r);
    su_multiply(a, x, N, N, 1, b);
    memcpy(copy, a, sizeof copy);
    assert_true(su_solve(copy, N, b));
    for (int i = 0; i < N; i++) near(b[i], x[i], 1e-11);
    for (int j = 0; j < N; j++) a[3 * N + j] = 2 * a[7 * N + j];
    assert_false(su_solve(a, N, b));
}

static void test_sums(void **state)
{
    (void)state;
    su_sum s = { 0 };
    const double terms[] = { 1, 1e100, 1, -1e100 }; /* Neumaier's own example: a plain sum gives 0 */
    for (int i = 0; i < 4; i++) su_sum_add(&s, terms[i]);
    assert_true(su_sum_of(&s) == 2);
    const double v[] = { 2, -1, 0.5, -1, 3, 0, 0.5, 0, 1 }, g[] = { 1, 2, -3 };
    near(su_quadratic(v, g, 3), 2 - 4 - 3 + 12 + 9, 1e-15);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cholesky), cmocka_unit_test(test_aliased), cmocka_unit_test(test_eigen),
        cmocka_unit_test(test_solve),    cmocka_unit_test(test_sums),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
