/* Margins, overlaps, changes and rates. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <suha/flow.h>

#include "analyse/reference.h"

static void refused(su_context *ctx, su_status st, const char *words)
{
    assert_int_equal(st, SU_REFUSED);
    if (!strstr(ctx->message, words)) fail_msg("'%s' does not say '%s'", ctx->message, words);
}

static void margins(void **state)
{
    (void)state;
    su_context ctx;
    su_context_init(&ctx);
    double table[9] = { 10, 5, 0, 20, 8, 3, 7, 15, 4 }, rows[3] = { 120, 200, 180 }, columns[3] = { 210, 160, 130 }; /* ipf/seed, row, col */
    su_fitted_margins m;
    assert_int_equal(su_fit_margins(&ctx, table, 3, 3, rows, columns, NULL, NULL, &m), SU_OK);
    for (size_t i = 0; i < 3; i++) {
        double row = 0, column = 0;
        for (size_t j = 0; j < 3; j++) {
            row += table[3 * i + j];
            column += table[3 * j + i];
        }
        assert_true(fabs(row - rows[i]) < 1e-9 && fabs(column - columns[i]) < 1e-9);
    }
    assert_true(table[2] == 0);
    /* odds ratios of the start are kept */
    assert_true(fabs(table[0] * table[4] / (table[1] * table[3]) - 10.0 * 8 / (5 * 20)) < 1e-9);
    json_t *r = su_reference("trend_flow.json");
    if (!r) skip();
    for (size_t i = 0; i < 9; i++) {
        char at[64];
        snprintf(at, sizeof at, "ipf/fitted/%zu/%zu", i / 3, i % 3);
        su_reference_near(at, table[i], su_reference_number(r, at), 1e-7);
    }
    json_decref(r);
}

static void impossible_margins(void **state)
{
    (void)state;
    su_context ctx;
    su_context_init(&ctx);
    su_fitted_margins m;
    static const char *const from[2] = { "Agadez", "Gao" };
    double a[4] = { 1, 1, 1, 1 }, ten[2] = { 10, 10 }, twelve[2] = { 12, 10 };
    refused(&ctx, su_fit_margins(&ctx, a, 2, 2, ten, twelve, from, NULL, &m), "must agree");
    double empty[4] = { 0, 0, 1, 1 };
    refused(&ctx, su_fit_margins(&ctx, empty, 2, 2, ten, ten, from, NULL, &m), "Agadez");
    double diagonal[4] = { 1, 0, 0, 1 }, left[2] = { 15, 5 };
    refused(&ctx, su_fit_margins(&ctx, diagonal, 2, 2, ten, left, from, NULL, &m), "no table with these zeros");
    double negative[4] = { 1, -1, 1, 1 };
    refused(&ctx, su_fit_margins(&ctx, negative, 2, 2, ten, ten, from, NULL, &m), "zero or more");
}

/* log of n over k, for any n */
static double choose(double n, double k) { return lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1); }

/* At the limits the number seen twice has half of its own probability and all of the lesser numbers' in one tail. */
static void overlap_limits(void **state)
{
    (void)state;
    static const double cases[][3] = { { 420, 310, 38 }, { 50, 50, 5 }, { 30, 200, 1 }, { 12, 9, 9 } };
    su_context ctx;
    su_context_init(&ctx);
    su_flow_estimate c;
    for (size_t i = 0; i < 4; i++) {
        double a = cases[i][0], b = cases[i][1], both = cases[i][2];
        assert_int_equal(su_two_points(&ctx, a, b, both, 0.95, &c), SU_OK);
        for (int side = 0; side < 2; side++) {
            double n = side ? c.high : c.low, sum = 0;
            for (double k = fmax(0, ceil(a + b - n) - 1); k <= both; k++) /* between whole numbers of people by the gamma function */
                sum += (k == both ? 0.5 : 1) * exp(choose(a, k) + choose(n - a, b - k) - choose(n, b));
            bool all = n == a + b - both; /* cannot be fewer */
            if (!all && fabs(sum - (side ? 0.975 : 0.025)) > 1e-6) fail_msg("%g %g %g: %g people, tail %g", a, b, both, n, sum);
            assert_true(!all || sum >= 0.025);
        }
    }
    assert_int_equal(su_two_points(&ctx, 50, 40, 0, 0.95, &c), SU_OK);
    assert_true(isinf(c.high) && c.low > 200 && c.low < c.estimate);
    assert_int_equal(su_two_points(&ctx, 50.5, 40, 3, 0.95, &c), SU_OK); /* no whole numbers: lognormal */
    assert_true(c.low < c.estimate && c.estimate < c.high && isfinite(c.high));
}

static void overlaps(void **state)
{
    (void)state;
    su_context ctx;
    su_context_init(&ctx);
    su_flow_estimate c;
    refused(&ctx, su_two_points(&ctx, 10, 5, 6, 0.95, &c), "only 5");
    refused(&ctx, su_seen_once_twice(&ctx, 10, 8, 6, 0.95, &c), "cannot be");
    json_t *r = su_reference("trend_flow.json");
    if (!r) skip();
    assert_int_equal(su_two_points(&ctx, 420, 310, 38, 0.95, &c), SU_OK);
    su_reference_near("chapman", c.estimate, su_reference_number(r, "chapman/chapman"), 1e-10);
    su_reference_near("chapman variance", c.error * c.error, su_reference_number(r, "chapman/var_seber"), 1e-10);
    su_reference_near("chapman se", c.error, su_reference_number(r, "chapman/se"), 1e-10);
    assert_true(c.low > 420 + 310 - 38 && c.low < c.estimate && c.estimate < c.high);
    assert_int_equal(su_seen_once_twice(&ctx, 2744, 2492, 241, 0.95, &c), SU_OK);
    su_reference_near("chao", c.estimate, su_reference_number(r, "chao_lower_bound_UK/N"), 1e-10);
    /* that file takes 1.96 for the normal quantile */
    assert_int_equal(su_seen_once_twice(&ctx, 2744, 2492, 241, erf(1.96 / sqrt(2)), &c), SU_OK);
    su_reference_near("chao low", c.low, su_reference_number(r, "chao_lower_bound_UK/lo"), 1e-7);
    su_reference_near("chao high", c.high, su_reference_number(r, "chao_lower_bound_UK/hi"), 1e-7);
    json_decref(r);
}

static void changes(void **state)
{
    (void)state;
    su_context ctx;
    su_context_init(&ctx);
    su_change c, d;
    su_change_input in = { .before = 40, .after = 62, .exposure_before = 90, .exposure_after = 92, .dispersion = 1, .df = INFINITY };
    assert_int_equal(su_change_of(&ctx, &in, 0.95, &c), SU_OK);
    assert_true(c.exact && fabs(c.ratio - 62.0 / 92 / (40.0 / 90)) < 1e-12);
    /* each limit is the ratio at which the observed split has one tail of 2.5 %: summed over all outcomes, slowly */
    for (int side = 0; side < 2; side++) {
        double odds = (side ? c.high : c.low) * 92.0 / 90, p = odds / (1 + odds), tail = 0;
        for (int k = 0; k <= 102; k++)
            if (side ? k <= 62 : k >= 62)
                tail += exp(lgamma(103) - lgamma(k + 1.0) - lgamma(103.0 - k) + k * log(p) + (102 - k) * log1p(-p));
        assert_true(fabs(tail - 0.025) < 1e-9);
    }
    in.dispersion = 31.7;
    in.before = 4000;
    in.after = 6200;
    assert_int_equal(su_change_of(&ctx, &in, 0.95, &c), SU_OK);
    in.df = 5;
    assert_int_equal(su_change_of(&ctx, &in, 0.95, &d), SU_OK);
    assert_true(!c.exact && d.low < c.low && d.high > c.high && fabs(sqrt(c.low * c.high) - c.ratio) < 1e-9);
    in.exposure_after = 0;
    refused(&ctx, su_change_of(&ctx, &in, 0.95, &c), "above zero");
    in = (su_change_input) { .exposure_before = 1, .exposure_after = 1, .dispersion = 1, .df = INFINITY };
    refused(&ctx, su_change_of(&ctx, &in, 0.95, &c), "both counts are zero");
}

static void rates(void **state)
{
    (void)state;
    su_context ctx;
    su_context_init(&ctx);
    su_flow_estimate r;
    assert_int_equal(su_rate_of(&ctx, 0, 250, 0.95, &r), SU_OK);
    assert_true(r.low == 0 && fabs(r.high - 0.0147555178164557) < 1e-15); /* R: qgamma(.975, 1) / 250 */
    assert_int_equal(su_rate_of(&ctx, 37, 100, 0.95, &r), SU_OK);
    assert_true(fabs(r.low - 0.26051414567106) < 1e-13 && fabs(r.high - 0.509996261419308) < 1e-13);
    refused(&ctx, su_rate_of(&ctx, 3, 0, 0.95, &r), "population");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(margins),  cmocka_unit_test(impossible_margins), cmocka_unit_test(overlap_limits),
        cmocka_unit_test(overlaps), cmocka_unit_test(changes),
        cmocka_unit_test(rates),
    };
    return cmocka_run_group_tests_name("rate", tests, NULL, NULL);
}
