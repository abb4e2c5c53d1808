/* The privacy-loss-distribution accountant: against delta by exact convolution with 40 digits, against a slow sum over all outcomes, below
 * the zCDP bound, near the curve of continuous noise, and its grid against itself. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "pld.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SEED 31

static double delta_at(const su_noise *noise, size_t count, double epsilon)
{
    su_pld d;
    if (!su_pld_init(&d, noise, count, epsilon)) {
        fail_msg("no distribution at epsilon %g", epsilon);
    }
    double delta = su_pld_delta(&d, epsilon);
    su_pld_free(&d);
    return delta;
}

/* tests/protect/vectors/pld_vectors.py. One variance is summed on its own lattice: equal but for rounding. Several are split between grid
 * points: never below, little above. */
static void test_vectors(void **state)
{
    (void)state;
    su_context ctx;
    su_context_init(&ctx);
    su_buf text = { 0 };
    char path[4096];
    snprintf(path, sizeof path, "%s/tests/protect/vectors/pld_vectors.txt", getenv("SUHA_SOURCE"));
    assert_int_equal(su_file_read(&ctx, path, 1 << 20, &text), SU_OK);
    su_buf_char(&text, '\0');
    unsigned vectors = 0;
    char *rest = text.p, *line;
    while ((line = strsep(&rest, "\n")) != NULL && *line) {
        char *word = line;
        su_noise noise[4];
        double epsilon = strtod(word, &word), exact = strtod(word, &word);
        size_t count = strtoul(word, &word, 10);
        assert_true(count >= 1 && count <= 4);
        for (size_t i = 0; i < count; i++) {
            noise[i].variance.num = strtoul(word, &word, 10);
            noise[i].variance.den = strtoul(word, &word, 10);
            noise[i].tables = strtoul(word, &word, 10);
        }
        double got = delta_at(noise, count, epsilon);
        double above = count == 1 ? 1e-6 : exact > 1e-6 ? 0.05 : 0.3;
        if (!(got >= exact * (1 - 1e-15) && got <= exact * (1 + above))) {
            fail_msg("vector %u, epsilon %g: %.17g, exact %.17g", vectors + 1, epsilon, got, exact);
        }
        vectors++;
    }
    assert_true(vectors >= 150);
    su_buf_free(&text);
}

/* delta of two tables by adding up all pairs of outcomes. */
static double slow_delta(su_variance a, su_variance b, double epsilon)
{
    long double va = (long double)a.num / a.den, vb = (long double)b.num / b.den, sum = 0;
    int64_t ra = (int64_t)(12 * sqrtl(va)) + 3, rb = (int64_t)(12 * sqrtl(vb)) + 3;
    for (int64_t x = -ra; x <= ra; x++) {
        for (int64_t y = -rb; y <= rb; y++) {
            long double loss = (1 - 2 * (long double)x) / (2 * va) + (1 - 2 * (long double)y) / (2 * vb);
            if (loss > epsilon) {
                sum += (long double)su_discrete_gaussian_pmf(a, x) * su_discrete_gaussian_pmf(b, y) * -expm1l(epsilon - loss);
            }
        }
    }
    return (double)sum;
}

static void test_pairs_against_slow_sum(void **state)
{
    (void)state;
    su_random random;
    su_random_seeded(&random, SEED);
    for (int i = 0; i < 60; i++) {
        su_noise noise[2];
        for (int k = 0; k < 2; k++) {
            noise[k] = (su_noise) { { 1 + su_random_below(&random, 4000), 1 + su_random_below(&random, 100) }, 1 };
        }
        double rho = 0;
        for (int k = 0; k < 2; k++) {
            rho += (double)noise[k].variance.den / (2 * (double)noise[k].variance.num);
        }
        double epsilon = rho + sqrt(2 * rho) * (double)su_random_below(&random, 50) / 10;
        double exact = slow_delta(noise[0].variance, noise[1].variance, epsilon), got = delta_at(noise, 2, epsilon);
        if (!(got >= exact * (1 - 1e-12) && got <= exact * 1.1 + 1e-15)) {
            fail_msg("seed %d, pair %d, epsilon %g: %.17g, slowly %.17g", SEED, i, epsilon, got, exact);
        }
    }
}

static void random_noise(su_random *random, su_noise *noise, size_t count, double rho)
{
    double weight[40], sum = 0;
    for (size_t i = 0; i < count; i++) {
        noise[i].tables = 1 + su_random_below(random, i % 3 ? 5 : 300);
        weight[i] = 1 + (double)su_random_below(random, 40);
        sum += weight[i] * (double)noise[i].tables;
    }
    for (size_t i = 0; i < count; i++) {
        noise[i].variance = (su_variance) { (uint64_t)ceil(1024 * sum / weight[i] / (2 * rho)), 1024 };
    }
}

static double total_rho(const su_noise *noise, size_t count)
{
    double rho = 0;
    for (size_t i = 0; i < count; i++) {
        rho += (double)noise[i].tables * (double)noise[i].variance.den / (2 * (double)noise[i].variance.num);
    }
    return rho;
}

/* Never above the zCDP bound. Many tables: near continuous noise. What the grid adds to the variance of the loss, up to a part in 1000,
 * raises delta at x standard deviations s by a part in 1000 of x (x + s) at most, and a little. */
static void test_between_the_bounds(void **state)
{
    (void)state;
    su_random random;
    su_random_seeded(&random, SEED + 1);
    static const double rhos[] = { 1e-4, 0.01, 0.3, 2, 15 };
    for (size_t k = 0; k < 5; k++) {
        for (int i = 0; i < 6; i++) {
            su_noise noise[40];
            size_t count = 1 + su_random_below(&random, 40);
            random_noise(&random, noise, count, rhos[k]);
            double rho = total_rho(noise, count), tables = 0;
            for (size_t g = 0; g < count; g++) {
                tables += (double)noise[g].tables;
            }
            for (double x = 0; x < 8; x += 1.3) {
                double epsilon = rho + x * sqrt(2 * rho), got = delta_at(noise, count, epsilon);
                double zcdp = su_zcdp_delta(rho, epsilon), normal = su_gaussian_delta(1 / sqrt(2 * rho), epsilon);
                assert_true(got <= zcdp * (1 + 1e-9) && got > 0);
                if (tables > 100 * rho && (fabs(got / normal - 1) > 0.005 + 1e-3 * x * (x + sqrt(2 * rho)))) {
                    fail_msg("seed %d: rho %g epsilon %g: %.9g, continuous noise %.9g", SEED + 1, rho, epsilon, got, normal);
                }
            }
        }
    }
}

/* Sorting, splitting a group in two and giving one table at a time change nothing but rounding; more tables never cost less. */
static void test_groups(void **state)
{
    (void)state;
    su_noise whole[] = { { { 50, 1 }, 7 }, { { 9, 2 }, 2 } },
             parts[] = { { { 9, 2 }, 1 }, { { 100, 2 }, 3 }, { { 50, 1 }, 4 }, { { 18, 4 }, 1 }, { { 50, 1 }, 0 } };
    double before = 0;
    for (double epsilon = 0.5; epsilon < 6; epsilon += 0.5) {
        assert_true(fabs(delta_at(whole, 2, epsilon) / delta_at(parts, 5, epsilon) - 1) < 1e-9);
    }
    for (uint64_t tables = 1; tables < 3000; tables = tables * 3 / 2 + 1) {
        su_noise noise[] = { { { 3000, 1 }, tables }, { { 77, 1 }, 1 } };
        double delta = delta_at(noise, 2, 0.5);
        assert_true(delta >= before * (1 - 1e-3));
        before = delta;
    }
}

/* One grid answers for epsilons around the one it was made for: never below a grid made for them. */
static void test_one_grid_for_many(void **state)
{
    (void)state;
    su_noise noise[] = { { { 500, 1 }, 60 }, { { 1300, 1 }, 200 } };
    su_pld d;
    assert_true(su_pld_init(&d, noise, 2, 2));
    double before = 1;
    for (double epsilon = 1; epsilon < 3; epsilon += 0.05) {
        double here = su_pld_delta(&d, epsilon), own = delta_at(noise, 2, epsilon);
        assert_true(here <= before && fabs(here / own - 1) < 1e-5);
        before = here;
    }
    assert_true(su_pld_delta(&d, NAN) == 1 && su_pld_delta(&d, -1) == 1 && su_pld_delta(&d, 1e9) <= d.above * (1 + 1e-9));
    su_pld_free(&d);
}

static void test_epsilon_inverts_delta(void **state)
{
    (void)state;
    su_random random;
    su_random_seeded(&random, SEED + 2);
    static const double deltas[] = { 1e-20, 1e-12, 1e-9, 1e-6, 1e-3 };
    for (size_t i = 0; i < 5; i++) {
        for (double rho = 1e-3; rho < 20; rho *= 7) {
            su_noise noise[8];
            random_noise(&random, noise, 8, rho);
            double epsilon = su_noise_epsilon(noise, 8, deltas[i]);
            assert_true(su_noise_delta(noise, 8, epsilon) <= deltas[i] * (1 + 1e-5));
            assert_true(su_noise_delta(noise, 8, epsilon * (1 - 1e-3)) > deltas[i]);
            assert_true(epsilon <= su_zcdp_epsilon(total_rho(noise, 8) * (1 + 1e-12), deltas[i]) * (1 + 1e-12));
        }
    }
}

/* Where there is no distribution, the answer is the zCDP bound; nonsense claims nothing. */
static void test_edges(void **state)
{
    (void)state;
    su_pld d;
    su_noise one = { { 100, 1 }, 1 }, none = { { 0, 1 }, 1 }, wide = { { UINT64_C(1000000000000), 1 }, 3 };
    assert_false(su_pld_init(&d, &one, 1, NAN));
    assert_false(su_pld_init(&d, &one, 1, -1));
    assert_false(su_pld_init(&d, &one, 0, 1));
    assert_false(su_pld_init(&d, &none, 1, 1));
    assert_false(su_pld_init(&d, &one, 1, 50)); /* far below 1e-38 */
    assert_true(su_noise_delta(&one, 1, 50) == su_zcdp_delta(0.005 * (1 + 0x1p-50), 50));
    assert_true(su_noise_delta(&one, 1, NAN) == 1 && su_noise_delta(&one, 1, -1) == 1 && su_noise_delta(&none, 1, 1) == 1);
    assert_true(isinf(su_noise_epsilon(&one, 1, 0)) && isinf(su_noise_epsilon(&none, 1, 1e-9)) && isinf(su_noise_epsilon(&one, 1, NAN)));
    assert_true(su_noise_epsilon(&one, 1, 1) == 0 && su_noise_delta(&one, 0, 1) == 0);
    double tiny = su_noise_epsilon(&wide, 1, 1e-9);
    assert_true(tiny > 0 && tiny <= su_zcdp_epsilon(1.5e-12 * (1 + 1e-9), 1e-9));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vectors), cmocka_unit_test(test_pairs_against_slow_sum), cmocka_unit_test(test_between_the_bounds),
        cmocka_unit_test(test_groups),  cmocka_unit_test(test_one_grid_for_many),      cmocka_unit_test(test_epsilon_inverts_delta),
        cmocka_unit_test(test_edges),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
