/* The generator against the published test vectors, its streams, and every draw's first two moments and exact law. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "analyse/reference.h"

#include "numeric/philox.h"
#include "numeric/special.h"

#include <math.h>

/* Random123's known answers for philox4x32-10 (kat_vectors). */
static void known_answers(void **state)
{
    (void)state;
    su_philox r = { .key = { 0, 0 } };
    (void)su_philox_u64(&r);
    assert_true(r.block[0] == 0x6627e8d5 && r.block[1] == 0xe169c58d && r.block[2] == 0xbc57ac4c && r.block[3] == 0x9b00dbd8);
    r = (su_philox) { .key = { 0xa4093822, 0x299f31d0 }, .counter = { 0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344 } };
    (void)su_philox_u64(&r);
    assert_true(r.block[0] == 0xd16cfe09 && r.block[1] == 0x94fdcceb && r.block[2] == 0x5001e420 && r.block[3] == 0x24126ea1);
}

static void streams(void **state)
{
    (void)state;
    su_philox a = su_philox_of(7, 1), b = su_philox_of(7, 1), c = su_philox_of(7, 2);
    unsigned same = 0;
    for (int i = 0; i < 1000; i++) {
        uint64_t x = su_philox_u64(&a);
        assert_true(x == su_philox_u64(&b));
        same += x == su_philox_u64(&c);
    }
    assert_int_equal(same, 0);
    su_philox full = { .key = { 1, 1 }, .counter = { UINT32_MAX, 0, 5, 0 } };
    (void)su_philox_u64(&full);
    assert_true(full.counter[0] == 0 && full.counter[1] == 1 && full.counter[2] == 5); /* the carry never reaches the stream's words */
}

typedef double draw(su_philox *r);

static double unit(su_philox *r) { return su_philox_unit(r); }
static double normal(su_philox *r) { return su_philox_normal(r); }
static double exponential(su_philox *r) { return su_philox_exponential(r); }
static double gamma_small(su_philox *r) { return su_philox_gamma(r, 0.3); }
static double gamma_large(su_philox *r) { return su_philox_gamma(r, 40); }
static double beta(su_philox *r) { return su_philox_beta(r, 2, 5); }
static double poisson_low(su_philox *r) { return (double)su_philox_poisson(r, 3.5); }
static double poisson_high(su_philox *r) { return (double)su_philox_poisson(r, 812.5); }
static double binomial_low(su_philox *r) { return (double)su_philox_binomial(r, 30, 0.1); }
static double binomial_high(su_philox *r) { return (double)su_philox_binomial(r, 1000, 0.8); }
static double negative_binomial(su_philox *r) { return (double)su_philox_negative_binomial(r, 12, 0.25); }
static double below(su_philox *r) { return (double)su_philox_below(r, 7); }

static void moments(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        draw *draw;
        double mean, variance;
    } laws[] = { { "unit", unit, 0.5, 1.0 / 12 },
                 { "normal", normal, 0, 1 },
                 { "exponential", exponential, 1, 1 },
                 { "gamma 0.3", gamma_small, 0.3, 0.3 },
                 { "gamma 40", gamma_large, 40, 40 },
                 { "beta", beta, 2.0 / 7, 10.0 / 49 / 8 },
                 { "Poisson 3.5", poisson_low, 3.5, 3.5 },
                 { "Poisson 812.5", poisson_high, 812.5, 812.5 },
                 { "binomial 30", binomial_low, 3, 2.7 },
                 { "binomial 1000", binomial_high, 800, 160 },
                 { "negative binomial", negative_binomial, 36, 144 },
                 { "below", below, 3, 4 } };
    enum { DRAWS = 40000 };
    for (size_t i = 0; i < sizeof laws / sizeof *laws; i++) {
        su_philox r = su_philox_of(20240211, i); /* a fixed seed: this test never fails by chance */
        double s = 0, square = 0;
        for (int k = 0; k < DRAWS; k++) {
            double d = laws[i].draw(&r) - laws[i].mean;
            s += d;
            square += d * d;
        }
        double z = s / sqrt(DRAWS * laws[i].variance), ratio = square / DRAWS / laws[i].variance;
        if (!(fabs(z) < 4.5) || !(fabs(ratio - 1) < 0.12)) {
            fprintf(stderr, "%s: mean off by %.2f standard errors, variance ratio %.3f\n", laws[i].name, z, ratio);
            fail();
        }
    }
}

/* The whole law of the rejection samplers, by a chi-square test over the probable values. */
static void exact_law(bool binomial)
{
    enum { DRAWS = 60000, CELLS = 200 };
    su_philox r = su_philox_of(99, binomial);
    double expected[CELLS + 1] = { 0 }, statistic = 0;
    int seen[CELLS + 1] = { 0 }, df = -1;
    for (int k = 0; k < CELLS; k++) expected[k] = DRAWS * exp(binomial ? su_binomial_log(k, 190, 0.31) : su_poisson_log(k, 47.3));
    for (int i = 0; i < DRAWS; i++) {
        int64_t k = binomial ? su_philox_binomial(&r, 190, 0.31) : su_philox_poisson(&r, 47.3);
        seen[k < CELLS ? k : CELLS]++;
    }
    for (int k = 0; k < CELLS; k++) {
        if (expected[k] < 8) continue;
        statistic += (seen[k] - expected[k]) * (seen[k] - expected[k]) / expected[k];
        df++;
    }
    assert_true(df > 20);
    assert_true(su_chi2_upper(statistic, df) > 1e-4);
}

static void poisson_law(void **state)
{
    (void)state;
    exact_law(false);
}

static void binomial_law(void **state)
{
    (void)state;
    exact_law(true);
}

static void multinomial(void **state)
{
    (void)state;
    su_philox r = su_philox_of(3, 3);
    static const double p[5] = { 0.2, 0, 0.5, 0.3, 0 };
    int64_t sum[5] = { 0 };
    for (int i = 0; i < 2000; i++) {
        int64_t counts[5], n = 0;
        su_philox_multinomial(&r, 100, p, 5, counts);
        for (int k = 0; k < 5; k++) {
            n += counts[k];
            sum[k] += counts[k];
        }
        assert_int_equal(n, 100);
    }
    assert_true(sum[1] == 0 && sum[4] == 0);
    for (int k = 0; k < 5; k++) assert_true(fabs((double)sum[k] / 200000 - p[k]) < 0.006);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_answers), cmocka_unit_test(streams),      cmocka_unit_test(moments),
        cmocka_unit_test(poisson_law),   cmocka_unit_test(binomial_law), cmocka_unit_test(multinomial),
    };
    return cmocka_run_group_tests_name("philox", tests, NULL, NULL);
}
