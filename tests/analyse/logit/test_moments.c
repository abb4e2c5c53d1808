/* Sums over units in tiles against sums row by row, and a survey design's covariance against the formula written out. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "su_test.h"
#include "logit/variance.h"

static const char *const LETTERS[] = { "a", "b", "c", "d", "e", "f", "g" };

typedef struct world {
    su_context ctx;
    su_arena arena;
    su_frame *frame;
    su_predictors *x;
    double *y, *weight;
} world;

/* `values` numbers take that many values each, so that rows repeat when they are few. */
static void world_open(world *w, su_random *r, uint64_t rows, uint32_t values, const char *formula)
{
    su_context_init(&w->ctx);
    w->ctx.threads = 2;
    su_arena_init(&w->arena);
    w->frame = su_frame_new(rows);
    w->weight = su_arena_array(&w->frame->arena, rows, sizeof *w->weight);
    w->y = su_arena_array(&w->frame->arena, rows, sizeof *w->y);
    for (uint64_t i = 0; i < rows; i++) w->y[i] = (double)su_random_below(r, 2);
    for (uint64_t i = 0; i < rows; i++) w->weight[i] = 0.5 + (double)su_random_below(r, 4);
    static const char *const numbers[] = { "x1", "x2", "x3", "x4", "x5" };
    for (int k = 0; k < 5; k++) {
        double *x = su_arena_array(&w->frame->arena, rows, sizeof *x);
        for (uint64_t i = 0; i < rows; i++) x[i] = (double)su_random_below(r, values) / values - 0.4;
        su_frame_add_number(w->frame, numbers[k], x);
    }
    static const char *const factors[] = { "f1", "f2", "f3" };
    for (int k = 0; k < 3; k++) {
        uint32_t *x = su_arena_array(&w->frame->arena, rows, sizeof *x), levels = (uint32_t[]) { 2, 7, 4 }[k];
        for (uint64_t i = 0; i < rows; i++) x[i] = 1 + (uint32_t)su_random_below(r, levels);
        su_frame_add_factor(w->frame, factors[k], x, LETTERS, levels);
    }
    su_frame_add_number(w->frame, "y", w->y);
    su_formula *f = NULL;
    su_predictors_options o = { 0 };
    if (su_formula_parse(&w->ctx, &w->arena, su_str_of(formula), NULL, 0, &f) || su_predictors_build(&w->ctx, w->frame, f, &o, &w->x))
        fail_msg("%s", w->ctx.message);
}

static void world_close(world *w)
{
    su_predictors_free(w->x);
    su_frame_free(w->frame);
    su_arena_free(&w->arena);
}

/* Row by row, in long double. */
static void slowly(const world *w, const double *weight, const double *beta, const double *delta, su_moments *out, double *squares)
{
    uint32_t p = w->x->columns;
    long double *score = su_alloc_array(p, sizeof *score), *information = su_alloc_array((size_t)p * p, sizeof *information);
    long double *square = su_alloc_array((size_t)p * p, sizeof *square), loglik = 0;
    su_sparse s = su_sparse_new(w->x);
    for (uint64_t i = 0; i < w->x->row_count; i++) {
        su_predictors_row(w->x, w->x->rows[i], NULL, &s);
        double eta = su_sparse_dot(&s, beta), k = weight ? weight[w->x->rows[i]] : 1, mu = 1 / (1 + exp(-eta)), y = w->x->y[i];
        loglik += k * (y * log(mu) + (1 - y) * log(1 - mu));
        out->moved = fmax(out->moved, fabs(su_sparse_dot(&s, delta)));
        for (uint32_t a = 0; a < s.n; a++) {
            score[s.column[a]] += (long double)(k * (y - mu)) * s.value[a];
            for (uint32_t b = 0; b < s.n; b++) {
                size_t at = (size_t)s.column[a] * p + s.column[b];
                information[at] += (long double)(k * mu * (1 - mu)) * s.value[a] * s.value[b];
                square[at] += (long double)(k * k * (y - mu) * (y - mu)) * s.value[a] * s.value[b];
            }
        }
    }
    out->loglik = (double)loglik;
    for (uint32_t a = 0; a < p; a++) out->score[a] = (double)score[a];
    for (size_t a = 0; a < (size_t)p * p; a++) out->information[a] = (double)information[a];
    for (size_t a = 0; a < (size_t)p * p; a++) squares[a] = (double)square[a];
    su_sparse_free(&s);
    free(score);
    free(information);
    free(square);
}

static void near(const char *what, double found, double expected, double scale)
{
    if (!(fabs(found - expected) <= 1e-12 * scale)) fail_msg("%s: %.17g, row by row %.17g", what, found, expected);
}

static void compare(su_random *r, uint64_t rows, uint32_t values, const char *formula, bool weighted)
{
    world w;
    world_open(&w, r, rows, values, formula);
    uint32_t p = w.x->columns;
    double *beta = su_alloc_array(p, sizeof *beta), *delta = su_alloc_array(p, sizeof *delta), n = (double)rows;
    double *squares = su_alloc_array((size_t)p * p, sizeof *squares);
    for (uint32_t j = 0; j < p; j++) beta[j] = (double)su_random_below(r, 1000) / 500 - 1;
    for (uint32_t j = 0; j < p; j++) delta[j] = (double)su_random_below(r, 1000) / 500 - 1;
    su_units u;
    su_units_init(&u, w.x, SU_FAMILY_LOGIT, weighted ? w.weight : NULL);
    su_moments slow = su_moments_new(p), fast = su_moments_new(p);
    slowly(&w, weighted ? w.weight : NULL, beta, delta, &slow, squares);
    su_units_moments(&w.ctx, &u, beta, delta, &fast);
    near("log likelihood", fast.loglik, slow.loglik, 4 * n);
    near("moved", fast.moved, slow.moved, 10);
    for (uint32_t j = 0; j < p; j++) near("score", fast.score[j], slow.score[j], 4 * n);
    for (size_t k = 0; k < (size_t)p * p; k++) near("information", fast.information[k], slow.information[k], 4 * n);
    if (!(u.collapsed && weighted)) {
        su_units_squares(&w.ctx, &u, beta, &fast);
        for (size_t k = 0; k < (size_t)p * p; k++) near("squares", fast.information[k], squares[k], 16 * n);
    }
    su_moments_free(&slow);
    su_moments_free(&fast);
    su_units_free(&u);
    free(beta);
    free(delta);
    free(squares);
    world_close(&w);
}

static void test_tiles(void **state)
{
    (void)state;
    su_random r;
    su_test_random(&r);
    static const char *const formulas[] = { "y ~ x1", "y ~ f1 + f2 - 1", "y ~ x1 + x2 + x3 + f2",
                                            "y ~ x1 + x2 + x3 + x4 + x5 + x1:x2 + f1 + f2 + f3 + f1:x1 + f2:f3" };
    for (size_t f = 0; f < sizeof formulas / sizeof *formulas; f++)
        for (int weighted = 0; weighted < 2; weighted++) {
            compare(&r, 64 + su_random_below(&r, 130), 1000, formulas[f], weighted);
            compare(&r, 500, 2, formulas[f], weighted); /* rows repeat */
        }
    compare(&r, 21000 + su_random_below(&r, 100), 100000, "y ~ x1 + x2 + x3 + x4 + f1 + f3", false); /* stored, in chunks */
    compare(&r, 21000, 100000, "y ~ x1 + f2:x2", true);                                              /* not stored */
}

/* sum over strata of n/(n-1) sum (z - mean)(z - mean)' over units, z = B times the weighted scores of the unit. */
static void test_design(void **state)
{
    (void)state;
    su_random r;
    su_test_random(&r);
    enum { ROWS = 600, STRATA = 4, UNITS = 10 };
    world w;
    world_open(&w, &r, ROWS, 50, "y ~ x1 + f2 + f1:x2");
    uint32_t p = w.x->columns, *h = su_arena_array(&w.arena, ROWS, sizeof *h);
    double *unit = su_arena_array(&w.arena, ROWS, sizeof *unit);
    for (uint64_t i = 0; i < ROWS; i++) {
        uint32_t k = (uint32_t)(i % (STRATA * UNITS));
        h[i] = 1 + k / UNITS;
        unit[i] = k;
    }
    su_design_options o = { .stages = 1, .weight = su_frame_add_number(w.frame, "w", w.weight) };
    o.strata[0] = su_frame_add_factor(w.frame, "h", h, LETTERS, STRATA);
    o.psu[0] = su_frame_add_number(w.frame, "u", unit);
    su_design *d = NULL;
    su_fit *fit = NULL;
    su_units u;
    if (su_design_new(&w.ctx, w.frame, &o, &d)) fail_msg("%s", w.ctx.message);
    su_units_init(&u, w.x, SU_FAMILY_LOGIT, w.weight);
    assert_int_equal(su_fit_new(&w.ctx, &u, &fit), SU_OK);
    su_variance_input in = { .fit = fit, .x = w.x, .family = SU_FAMILY_LOGIT, .weight = w.weight };
    su_covariance c = su_covariance_new(p);
    assert_int_equal(su_covariance_of_design(&w.ctx, &in, d, &c), SU_OK);
    double *z = su_alloc_array((size_t)STRATA * UNITS * p, sizeof *z), *expected = su_alloc_array((size_t)p * p, sizeof *expected);
    su_sparse s = su_sparse_new(w.x);
    for (uint64_t i = 0; i < ROWS; i++) {
        su_row_score score = su_row_score_of(&in, i, &s);
        for (uint32_t a = 0; a < s.n; a++)
            for (uint32_t j = 0; j < p; j++)
                z[(i % (STRATA * UNITS)) * p + j] += fit->bread[(size_t)s.column[a] * p + j] * score.residual * s.value[a];
    }
    for (uint32_t k = 0; k < STRATA; k++)
        for (uint32_t a = 0; a < p; a++)
            for (uint32_t b = 0; b < p; b++) {
                double ma = 0, mb = 0;
                for (uint32_t i = 0; i < UNITS; i++) {
                    ma += z[(size_t)(k * UNITS + i) * p + a] / UNITS;
                    mb += z[(size_t)(k * UNITS + i) * p + b] / UNITS;
                }
                for (uint32_t i = 0; i < UNITS; i++)
                    expected[(size_t)a * p + b] +=
                        UNITS / (UNITS - 1.0) * (z[(size_t)(k * UNITS + i) * p + a] - ma) * (z[(size_t)(k * UNITS + i) * p + b] - mb);
            }
    for (size_t k = 0; k < (size_t)p * p; k++) near("covariance", c.v[k], expected[k], 1000 * fabs(expected[0]));
    near("df", c.df[0], STRATA * UNITS - STRATA + 1 - (double)fit->rank, 1);
    su_sparse_free(&s);
    free(z);
    free(expected);
    su_covariance_free(&c);
    su_fit_free(fit);
    su_units_free(&u);
    su_design_free(d);
    world_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_tiles), cmocka_unit_test(test_design) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
