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

typedef struct wide {
    su_frame *frame;
    su_arena arena;
    su_predictors *x;
    su_units units;
    su_fit *fit;
    double *y, *a, *weight;
    uint32_t *kind, *first, *second;
} wide;

static void wide_open(su_context *ctx, wide *w, uint64_t rows, uint32_t first, uint32_t second, const char *formula, const double *own)
{
    static const char *const kinds[] = { "k1", "k2", "k3" };
    static const char *const names[] = { "g1", "g2", "g3", "g4", "g5", "g6", "g7", "g8", "g9", "g10", "g11", "g12" };
    su_formula *f;
    su_predictors_options o = { 0 };
    su_frame_add_number(w->frame, "y", w->y);
    su_frame_add_number(w->frame, "a", w->a);
    su_frame_add_factor(w->frame, "kind", w->kind, kinds, 3);
    su_frame_add_factor(w->frame, "first", w->first, names, first);
    su_frame_add_factor(w->frame, "second", w->second, names, second);
    su_arena_init(&w->arena);
    if (su_formula_parse(ctx, &w->arena, su_str_of(formula), NULL, 0, &f) != SU_OK ||
        su_predictors_build(ctx, w->frame, f, &o, &w->x) != SU_OK)
        fail_msg("%s", ctx->message);
    su_units_init(&w->units, w->x, SU_FAMILY_LOGIT, own);
    assert_int_equal(su_fit_new(ctx, &w->units, &w->fit), SU_OK);
    assert_int_equal(w->units.n, rows);
}

static void wide_make(su_random *r, wide *w, uint64_t rows, uint32_t first, uint32_t second, double alike)
{
    *w = (wide) { .frame = su_frame_new(rows) };
    double **numbers[] = { &w->y, &w->a, &w->weight };
    uint32_t **factors[] = { &w->kind, &w->first, &w->second };
    for (int k = 0; k < 3; k++) {
        *numbers[k] = su_alloc_array(rows, sizeof(double));
        *factors[k] = su_alloc_array(rows, sizeof(uint32_t));
    }
    for (uint64_t i = 0; i < rows; i++) {
        w->a[i] = (double)su_random_below(r, 1u << 30) / (1u << 29) - 1 + 1e-9 * (double)i;
        w->weight[i] = 0.5 + (double)su_random_below(r, 100) / 50;
        w->kind[i] = 1 + (uint32_t)su_random_below(r, 3);
        w->first[i] = 1 + (uint32_t)su_random_below(r, first);
        w->second[i] = 1 + (uint32_t)su_random_below(r, second);
        double share = 0.5 + 0.2 * w->a[i] + alike * ((w->first[i] % 2) - 0.5) + alike * ((w->second[i] % 2) - 0.5);
        w->y[i] = (double)su_random_below(r, 1000) < 1000 * share;
    }
}

static void wide_close(wide *w)
{
    su_fit_free(w->fit);
    su_units_free(&w->units);
    su_predictors_free(w->x);
    su_arena_free(&w->arena);
    su_frame_free(w->frame);
    free(w->y), free(w->a), free(w->weight);
    free(w->kind), free(w->first), free(w->second);
}

/* Many different rows are decoded once and summed from there: the same as reading every row again, with and without weights. */
static void test_stored_rows(void **state)
{
    (void)state;
    enum { ROWS = 70000, CLUSTERS = 12 };
    su_context ctx;
    su_random r;
    su_context_init(&ctx);
    su_test_random(&r);
    for (int weighted = 0; weighted < 2; weighted++) {
        wide w;
        wide_make(&r, &w, ROWS, CLUSTERS, 3, 0.1);
        wide_open(&ctx, &w, ROWS, CLUSTERS, 3, "y ~ a + kind + I(a^2)", weighted ? w.weight : NULL);
        assert_false(w.units.collapsed);
        assert_non_null(w.units.fixed);
        su_variance_input in = { .fit = w.fit, .x = w.x, .family = SU_FAMILY_LOGIT, .weight = weighted ? w.weight : NULL };
        assert_int_equal(su_frame_find(&ctx, w.frame, SU_STR("first"), &in.cluster[0]), SU_OK);
        su_covariance slow = su_covariance_new(w.x->columns), fast = su_covariance_new(w.x->columns);
        assert_int_equal(su_covariance_of(&ctx, &in, SU_VARIANCE_HC1, &slow), SU_OK);
        in.units = &w.units;
        assert_int_equal(su_covariance_of(&ctx, &in, SU_VARIANCE_HC1, &fast), SU_OK);
        for (uint32_t i = 0; i < w.x->columns; i++)
            for (uint32_t j = 0; j < w.x->columns; j++) {
                size_t at = (size_t)i * w.x->columns + j;
                double scale = sqrt(slow.v[(size_t)i * w.x->columns + i] * slow.v[(size_t)j * w.x->columns + j]);
                su_reference_within("covariance", fast.v[at] / scale, slow.v[at] / scale, 1e-9);
            }
        su_covariance_free(&slow);
        su_covariance_free(&fast);
        wide_close(&w);
    }
}

static double smallest(const double *m, uint32_t p)
{
    double *copy = su_alloc_array((size_t)p * p, sizeof *copy), *values = su_alloc_array(p, sizeof *values),
           *vectors = su_alloc_array((size_t)p * p, sizeof *vectors);
    memcpy(copy, m, (size_t)p * p * sizeof *copy);
    su_eigen_symmetric(copy, p, values, vectors);
    double least = values[0];
    free(copy), free(values), free(vectors);
    return least;
}

/* Few clusters in both ways: where V is not positive, what is reported is P with P >= 0, P - V >= 0 and P (P - V) = 0, and only the nearest
 * positive matrix is that (Moreau's decomposition); where it is positive, it stays. */
static void test_projection(void **state)
{
    (void)state;
    enum { ROWS = 90, TRIALS = 60 };
    su_context ctx;
    su_random r;
    su_context_init(&ctx);
    su_test_random(&r);
    int projected = 0;
    for (int trial = 0; trial < TRIALS; trial++) {
        wide w;
        uint32_t first = trial % 2 ? 12 : 5, second = trial % 2 ? 11 : 4;
        wide_make(&r, &w, ROWS, first, second, trial % 2 ? 0.3 : 0);
        wide_open(&ctx, &w, ROWS, first, second, trial % 2 ? "y ~ a" : "y ~ a*kind + I(a^2)", NULL);
        su_variance_input in = { .fit = w.fit, .x = w.x, .family = SU_FAMILY_LOGIT };
        uint32_t p = w.x->columns;
        assert_int_equal(su_frame_find(&ctx, w.frame, SU_STR("first"), &in.cluster[0]), SU_OK);
        assert_int_equal(su_frame_find(&ctx, w.frame, SU_STR("second"), &in.cluster[1]), SU_OK);
        su_covariance raw = su_covariance_new(p), own = su_covariance_new(p);
        su_covariance_two_way(&in, SU_VARIANCE_HC1, raw.v, raw.clusters);
        assert_int_equal(su_covariance_of(&ctx, &in, SU_VARIANCE_HC1, &own), SU_OK);
        double least = smallest(raw.v, p), scale = 0;
        for (uint32_t i = 0; i < p; i++) scale = fmax(scale, fabs(own.v[(size_t)i * p + i]));
        assert_true(own.projected == (least < -1e-12 * scale) || fabs(least) < 1e-9 * scale);
        projected += own.projected;
        assert_true(smallest(own.v, p) > -1e-9 * scale);
        double *gap = su_alloc_array((size_t)p * p, sizeof *gap), *product = su_alloc_array((size_t)p * p, sizeof *product);
        for (size_t i = 0; i < (size_t)p * p; i++) gap[i] = own.v[i] - raw.v[i];
        assert_true(smallest(gap, p) > -1e-9 * scale);
        su_multiply(own.v, gap, p, p, p, product);
        for (size_t i = 0; i < (size_t)p * p; i++) assert_true(fabs(product[i]) < 1e-9 * scale * scale);
        for (uint32_t i = 0; i < p; i++) assert_true(own.v[(size_t)i * p + i] >= 0 && own.df[i] == second - 1);
        free(gap), free(product);
        su_covariance_free(&raw);
        su_covariance_free(&own);
        wide_close(&w);
    }
    printf("# %d of %d were projected\n", projected, TRIALS);
    assert_true(projected >= TRIALS / 2 && projected < TRIALS);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_cr2), cmocka_unit_test(test_stored_rows), cmocka_unit_test(test_projection) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
