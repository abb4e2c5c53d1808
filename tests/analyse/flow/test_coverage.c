/* Simulated coverage of the default 95 % intervals: a level shift, small areas, a change, an overlap. Fixed seeds; the bounds are 93 to 97
 * % less Monte Carlo error of three standard errors. docs/methods has the figures of larger runs. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <suha/area.h>
#include <suha/flow.h>

#include "analyse/reference.h"
#include "numeric/philox.h"
#include "numeric/special.h"

static void within(const char *what, int hits, int runs, double least, double most)
{
    double share = (double)hits / runs, error = 3 * sqrt(0.05 * 0.95 / runs);
    printf("# %s: %.1f %% of %d\n", what, 100 * share, runs);
    assert_true(share > least - error && share < most + error);
}

static void shift(void **state)
{
    (void)state;
    enum { RUNS = 300, ROWS = 60 };
    int hits = 0;
    for (uint64_t run = 0; run < RUNS; run++) {
        su_philox r = su_philox_of(1, run);
        su_context ctx;
        su_context_init(&ctx);
        double y[ROWS], x[ROWS * 5];
        for (size_t i = 0; i < ROWS; i++) {
            double *row = x + 5 * i, angle = 2 * acos(-1) * (double)(i % 12 + 1) / 12;
            double one[5] = { 1, (double)i + 1, cos(angle), sin(angle), i >= ROWS / 2 };
            memcpy(row, one, sizeof one);
            double mu = exp(5 + 0.01 * row[1] - 0.35 * row[2] - 0.18 * row[3] - 0.3 * row[4]);
            y[i] = (double)su_philox_poisson(&r, mu * su_philox_gamma(&r, 12) / 12);
        }
        su_counts_design d = { y, x, NULL, NULL, ROWS, 5 };
        su_counts_options o = { SU_COUNT_NEGATIVE_BINOMIAL, SU_ERRORS_MODEL, 0 };
        su_counts_fit *f = NULL;
        assert_int_equal(su_counts_fit_new(&ctx, &d, &o, &f), SU_OK);
        hits += fabs(f->coefficients[4] + 0.3) < su_t_quantile(0.975, (double)f->df) * sqrt(f->covariance[24]);
        su_counts_fit_free(f);
    }
    within("level shift, 60 months", hits, RUNS, 0.93, 0.97);
}

static void areas(void **state)
{
    (void)state;
    enum { RUNS = 60, AREAS = 24 };
    int hits = 0;
    for (uint64_t run = 0; run < RUNS; run++) {
        su_philox r = su_philox_of(77, run);
        su_context ctx;
        su_context_init(&ctx);
        double y[AREAS], psi[AREAS], x[2 * AREAS], truth[AREAS];
        for (size_t i = 0; i < AREAS; i++) {
            psi[i] = 4 + (double)(i % 6) * 6;
            x[2 * i] = 1;
            x[2 * i + 1] = 20 + 3.0 * (double)i;
            truth[i] = 1 + 0.2 * x[2 * i + 1] + sqrt(40) * su_philox_normal(&r);
            y[i] = truth[i] + sqrt(psi[i]) * su_philox_normal(&r);
        }
        su_area_fit *f = NULL;
        assert_int_equal(su_area_fit_new(&ctx, &(su_area_data) { y, psi, x, AREAS, 2 }, SU_AREA_REML, &f), SU_OK);
        for (size_t i = 0; i < AREAS; i++) hits += fabs(f->estimate[i] - truth[i]) < 1.96 * sqrt(f->mse[i]);
        su_area_fit_free(f);
    }
    within("small areas", hits, RUNS * AREAS, 0.93, 0.97);
}

static void change_and_overlap(void **state)
{
    (void)state;
    enum { RUNS = 500, PEOPLE = 2000 };
    int poisson = 0, dispersed = 0, overlap = 0;
    for (uint64_t run = 0; run < RUNS; run++) {
        su_philox r = su_philox_of(5, run);
        su_context ctx;
        su_change c;
        su_flow_estimate e;
        su_context_init(&ctx);
        su_change_input in = { (double)su_philox_poisson(&r, 40), (double)su_philox_poisson(&r, 60), 1, 1, 1, 0, INFINITY };
        assert_int_equal(su_change_of(&ctx, &in, 0.95, &c), SU_OK);
        poisson += c.low < 1.5 && c.high > 1.5;
        in.before = (double)su_philox_negative_binomial(&r, 400 / 7.0, 1 / 8.0);
        in.after = (double)su_philox_negative_binomial(&r, 600 / 7.0, 1 / 8.0);
        in.dispersion = 8;
        assert_int_equal(su_change_of(&ctx, &in, 0.95, &c), SU_OK);
        dispersed += c.low < 1.5 && c.high > 1.5;
        double n1 = 0, n2 = 0, both = 0;
        for (int i = 0; i < PEOPLE; i++) {
            bool a = su_philox_unit(&r) < 0.2, b = su_philox_unit(&r) < 0.15;
            n1 += a;
            n2 += b;
            both += a && b;
        }
        assert_int_equal(su_two_points(&ctx, n1, n2, both, 0.95, &e), SU_OK);
        overlap += e.low < PEOPLE && e.high > PEOPLE;
    }
    within("change of Poisson counts (exact)", poisson, RUNS, 0.95, 0.98);
    within("change of dispersed counts", dispersed, RUNS, 0.93, 0.97);
    within("overlap", overlap, RUNS, 0.93, 0.97);
}

/* A count three months ahead of 36: negative binomial, mean 6, theta 4. */
static void forecast(void **state)
{
    (void)state;
    enum { MONTHS = 36, AHEAD = 3, TRIES = 400 };
    su_philox r = su_philox_of(su_test_seed(), 77);
    su_context ctx;
    su_context_init(&ctx);
    int held = 0, runs = 0;
    for (int k = 0; k < TRIES; k++) {
        double value[MONTHS];
        int64_t ordinal[MONTHS];
        unsigned season[MONTHS];
        for (int i = 0; i < MONTHS; i++) {
            value[i] = (double)su_philox_negative_binomial(&r, 4, 0.4);
            ordinal[i] = 24000 + i;
            season[i] = (unsigned)i % 12;
        }
        double later = (double)su_philox_negative_binomial(&r, 4, 0.4);
        su_series s = { .kind = 'm', .n = MONTHS, .ordinal = ordinal, .value = value, .season = season, .period = 12 };
        su_trend_options o = { .family = SU_COUNT_NEGATIVE_BINOMIAL, .ahead = AHEAD, .count_name = "n", .level = 0.95 };
        su_result *out = su_result_new("trend", "");
        if (!su_trend(&ctx, &s, &o, out)) {
            double low = su_result_get(out, "forecast", AHEAD - 1, "count_low"), high = su_result_get(out, "forecast", AHEAD - 1, "count_high");
            double mean = su_result_get(out, "forecast", AHEAD - 1, "mean");
            assert_true(low == floor(low) && high == floor(high) && low >= 0 && low < mean && mean < high);
            held += low <= later && later <= high;
            runs++;
        }
        su_result_free(out);
    }
    assert_true(runs > TRIES * 0.95);
    within("a new count", held, runs, 0.925, 0.985);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(shift), cmocka_unit_test(areas), cmocka_unit_test(change_and_overlap),
                                        cmocka_unit_test(forecast) };
    return cmocka_run_group_tests_name("flow coverage", tests, NULL, NULL);
}
