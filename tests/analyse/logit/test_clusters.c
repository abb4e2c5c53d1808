/* CR2 against its definition written out with matrices of the size of a cluster: roots by eigenvalues, P by all pairs of clusters.
 * One column lives in one cluster alone (leverage 1), rows are weighted, clusters differ in size. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "analyse/reference.h"
#include "logit/variance.h"
#include "numeric/matrix.h"

enum { N = 72, G = 6, P = 5 };

static double y[N], x[N], z[N], weight[N];
static uint32_t cluster[N], only[N];

static void make(su_frame **frame)
{
    static const char *const clusters[] = { "a", "b", "c", "d", "e", "f" }, *const kinds[] = { "elsewhere", "here" };
    su_random r;
    su_test_random(&r);
    for (int i = 0; i < N; i++) {
        cluster[i] = i < 24 ? 1 : (uint32_t)(2 + (i - 24) % 5);
        x[i] = (double)su_random_below(&r, 1000) / 250 - 2;
        z[i] = (double)su_random_below(&r, 3);
        weight[i] = 0.5 + (double)su_random_below(&r, 100) / 50;
        only[i] = cluster[i] == 3 ? 2 : 1; /* a column of one cluster */
        y[i] = su_random_below(&r, 100) < (x[i] > 0 ? 65 : 35);
    }
    *frame = su_frame_new(N);
    su_frame_add_number(*frame, "y", y);
    su_frame_add_number(*frame, "x", x);
    su_frame_add_number(*frame, "z", z);
    su_frame_add_factor(*frame, "only", only, kinds, 2);
    su_frame_add_factor(*frame, "cluster", cluster, clusters, G);
}

/* m^-1/2 of a symmetric n x n matrix, eigenvalues of nothing left out. */
static void inverse_root(double *m, size_t n)
{
    double *values = su_alloc_array(n, sizeof *values), *v = su_alloc_array(n * n, sizeof *v), *copy = su_alloc_array(n * n, sizeof *copy);
    memcpy(copy, m, n * n * sizeof *m);
    su_eigen_symmetric(copy, n, values, v);
    memset(m, 0, n * n * sizeof *m);
    for (size_t e = 0; e < n; e++)
        for (size_t i = 0; values[e] > 1e-9 * values[n - 1] && i < n; i++)
            for (size_t j = 0; j < n; j++) m[i * n + j] += v[i * n + e] * v[j * n + e] / sqrt(values[e]);
    free(values);
    free(v);
    free(copy);
}

typedef struct brute {
    double design[N][P], slope[N], variance[N], residual[N]; /* x mu', V/w, y - mu */
    double adjusted[N][N];                                   /* A, blocks of clusters */
} brute;

static void adjust(brute *b, const double *bread)
{
    static double block[N * N];
    for (uint32_t g = 1; g <= G; g++) {
        size_t at[N], n = 0;
        for (size_t i = 0; i < N; i++)
            if (cluster[i] == g) at[n++] = i;
        for (size_t i = 0; i < n; i++)
            for (size_t j = 0; j < n; j++) { /* D (phi - X M X') D, D = phi^1/2 */
                double h = 0;
                for (int a = 0; a < P; a++)
                    for (int c = 0; c < P; c++) h += b->design[at[i]][a] * bread[a * P + c] * b->design[at[j]][c];
                block[i * n + j] = ((i == j ? b->variance[at[i]] : 0) - h) * sqrt(b->variance[at[i]] * b->variance[at[j]]);
            }
        inverse_root(block, n);
        for (size_t i = 0; i < n; i++)
            for (size_t j = 0; j < n; j++) b->adjusted[at[i]][at[j]] = block[i * n + j] * sqrt(b->variance[at[i]] * b->variance[at[j]]);
    }
}

/* q of cluster g for coefficient c: A' W X M c, zero outside the cluster. */
static void row_weights(const brute *b, const double *bread, uint32_t g, int c, double *q)
{
    for (size_t i = 0; i < N; i++) {
        q[i] = 0;
        for (size_t j = 0; j < N && cluster[i] == g; j++) {
            if (cluster[j] != g) continue;
            double w = 0;
            for (int a = 0; a < P; a++) w += b->design[j][a] * bread[a * P + c];
            q[i] += b->adjusted[j][i] * w / b->variance[j];
        }
    }
}

static void expected(const brute *b, const double *bread, int c, double *v, double *df)
{
    static double q[G][N];
    double trace = 0, squares = 0;
    *v = 0;
    for (uint32_t g = 0; g < G; g++) {
        row_weights(b, bread, g + 1, c, q[g]);
        double sum = 0;
        for (size_t i = 0; i < N; i++) sum += q[g][i] * b->residual[i];
        *v += sum * sum;
    }
    for (int g = 0; g < G; g++)
        for (int h = 0; h < G; h++) {
            double p = 0;
            for (size_t i = 0; i < N; i++)
                for (size_t j = 0; j < N; j++) {
                    double m = i == j ? b->variance[i] : 0;
                    for (int a = 0; a < P; a++)
                        for (int d = 0; d < P; d++) m -= b->design[i][a] * bread[a * P + d] * b->design[j][d];
                    p += q[g][i] * m * q[h][j];
                }
            trace += g == h ? p : 0;
            squares += p * p;
        }
    *df = trace * trace / squares;
}

static void test_cr2(void **state)
{
    (void)state;
    static brute b;
    su_context ctx;
    su_context_init(&ctx);
    su_frame *frame;
    make(&frame);
    su_arena arena;
    su_arena_init(&arena);
    su_formula *f;
    su_predictors *p;
    su_predictors_options o = { 0 };
    if (su_formula_parse(&ctx, &arena, SU_STR("y ~ x + z + x:z + only"), NULL, 0, &f) != SU_OK ||
        su_predictors_build(&ctx, frame, f, &o, &p) != SU_OK)
        fail_msg("%s", ctx.message);
    assert_int_equal(p->columns, P);
    su_units u;
    su_units_init(&u, p, SU_FAMILY_LOGIT, weight);
    su_fit *fit;
    assert_int_equal(su_fit_new(&ctx, &u, &fit), SU_OK);
    su_variance_input in = { .fit = fit, .x = p, .family = SU_FAMILY_LOGIT, .weight = weight };
    assert_int_equal(su_frame_find(&ctx, frame, SU_STR("cluster"), &in.cluster[0]), SU_OK);
    su_covariance c = su_covariance_new(P);
    assert_int_equal(su_covariance_of(&ctx, &in, SU_VARIANCE_CR2, &c), SU_OK);
    su_sparse s = su_sparse_new(p);
    for (uint32_t i = 0; i < N; i++) {
        su_predictors_row(p, i, NULL, &s);
        double mu = 1 / (1 + exp(-su_sparse_dot(&s, fit->beta)));
        memset(b.design[i], 0, sizeof b.design[i]);
        su_sparse_axpy(&s, mu * (1 - mu), b.design[i]);
        b.variance[i] = mu * (1 - mu) / weight[i];
        b.residual[i] = y[i] - mu;
    }
    adjust(&b, fit->bread);
    for (int j = 0; j < P; j++) {
        double v, df;
        expected(&b, fit->bread, j, &v, &df);
        printf("# %-10s variance %.12g, df %.10g\n", p->names[j], v, df);
        su_reference_near("variance", c.v[j * P + j], v, 1e-8);
        su_reference_near("df", c.df[j], df, 1e-7);
    }
    su_sparse_free(&s);
    su_covariance_free(&c);
    su_fit_free(fit);
    su_units_free(&u);
    su_predictors_free(p);
    su_arena_free(&arena);
    su_frame_free(frame);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_cr2) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
