/* A statistical audit of the whole measurement (docs/methods/audit.md, layer 5): release one of two neighbours many times, decide which one it
 * was by the most telling statistic there is, and turn the success into a lower bound of epsilon. It must stay below the epsilon stated,
 * and it must come close to what the noise planned allows, or the audit would pass anything. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "world.h"

#include <math.h>
#include <stdlib.h>

#define SEED 6021
#define RUNS 100000
#define Z 4.75 /* one in a million on each side */

typedef struct bound {
    double low, high;
} bound;

/* Wilson interval of a share. */
static bound share_of(double hits, double n)
{
    double p = hits / n, centre = (p + Z * Z / (2 * n)) / (1 + Z * Z / n);
    double half = Z / (1 + Z * Z / n) * sqrt(p * (1 - p) / n + Z * Z / (4 * n * n));
    return (bound) { centre - half, centre + half };
}

/* Logarithm of the likelihood ratio of "with the record" to "without", up to a constant: sum of (noisy - exact)/sigma^2 over the cells of
 * the record. */
static double score(const su_release *r, const su_measurement *noisy, const su_measurement *without, const su_measurement *with)
{
    double sum = 0;
    for (size_t t = 0; t < r->table_count; t++) {
        double weight = (double)r->tables[t].variance.den / (double)r->tables[t].variance.num;
        for (uint64_t i = 0; i < r->tables[t].cells; i++) {
            if (with->cells[t][i] != without->cells[t][i]) {
                sum += weight * (double)(noisy->cells[t][i] - without->cells[t][i]);
            }
        }
    }
    return sum;
}

static double share_above(su_context *ctx, su_release *r, const world *w, const su_measurement *without, const su_measurement *with,
                          double threshold, su_random *random)
{
    double hits = 0;
    for (int i = 0; i < RUNS; i++) {
        su_measurement *m = NULL;
        assert_int_equal(su_release_measure(ctx, r, &w->matrix, random, &m), SU_OK);
        hits += score(r, m, without, with) > threshold;
        su_measurement_free(m);
    }
    return hits;
}

static void audit(su_context *ctx, double epsilon, su_random *random)
{
    world w;
    world_init(&w, 20, (uint32_t[]) { 2, 2, 2 }, 3, random);
    su_release_options o = { .epsilon = epsilon, .delta = 1e-3, .length = 2 };
    su_release *r = NULL;
    su_measurement *without = NULL, *with = NULL;
    assert_int_equal(su_release_plan(ctx, NULL, w.columns, 3, &o, &r), SU_OK);
    assert_int_equal(su_release_measure_exact(ctx, r, &w.matrix, &without), SU_OK);
    world_append(&w, (uint16_t[]) { 1, 1, 1 });
    assert_int_equal(su_release_measure_exact(ctx, r, &w.matrix, &with), SU_OK);
    /* The score is about N(0, 2 rho) without the record and N(2 rho, 2 rho) with it. It moves in steps of 1/sigma^2 (the tables are alike):
     * the threshold lies between two steps. */
    double mu = sqrt(2 * r->rho), step = (double)r->tables[0].variance.den / (double)r->tables[0].variance.num;
    double threshold = (round(1.5 * mu / step) + 0.5) * step;
    bound p1 = share_of(share_above(ctx, r, &w, without, with, threshold, random), RUNS);
    w.matrix.row_count--;
    bound p0 = share_of(share_above(ctx, r, &w, without, with, threshold, random), RUNS);
    double lower = log((p1.low - 1e-3) / p0.high), x0 = threshold / mu, x1 = x0 - mu;
    double expected = log(erfc(x1 / sqrt(2)) / erfc(x0 / sqrt(2)));
    print_message("# epsilon %g: audited lower bound %.3f; the noise planned allows %.3f at this threshold\n", epsilon, lower, expected);
    assert_true(lower <= r->epsilon_stated);
    assert_true(lower > 0.5 * expected);
    assert_true(p1.low <= erfc(x1 / sqrt(2)) / 2 * 1.02 && p1.high >= erfc(x1 / sqrt(2)) / 2 * 0.98);
    assert_true(p0.low <= erfc(x0 / sqrt(2)) / 2 * 1.02 && p0.high >= erfc(x0 / sqrt(2)) / 2 * 0.98);
    su_measurement_free(without);
    su_measurement_free(with);
    su_release_free(r);
    world_free(&w);
}

static void test_audit(void **state)
{
    (void)state;
    su_context ctx;
    su_context_init(&ctx);
    ctx.threads = 1;
    su_random random;
    su_random_seeded(&random, SEED);
    audit(&ctx, 0.5, &random);
    audit(&ctx, 1, &random);
    audit(&ctx, 4, &random);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_audit) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
