/* Trend tests, decompositions and smoothing against R's Kendall variance, stl, decompose and HoltWinters. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <suha/flow.h>

#include "analyse/flow/arrivals.h"

static void check_kendall(const json_t *r, const char *where, su_mann_kendall k, double tolerance)
{
    const struct {
        const char *key;
        double got;
    } all[] = { { "S", k.s }, { "varS", k.variance }, { "Z", k.z }, { "p", k.p } };
    for (size_t i = 0; i < 4; i++) {
        char at[64];
        snprintf(at, sizeof at, "%s/%s", where, all[i].key);
        su_reference_near(at, all[i].got, su_reference_number(r, at), tolerance);
    }
}

static void mann_kendall(void **state)
{
    (void)state;
    arrivals a;
    json_t *r = su_reference("trend_flow.json");
    if (!r || !arrivals_read(&a)) skip();
    su_mann_kendall k = su_mann_kendall_of(a.count, a.n);
    check_kendall(r, "mann_kendall_arrivals", k, 1e-7);
    su_reference_near("tau", k.tau, su_reference_number(r, "mann_kendall_arrivals/tau_b"), 1e-7);
    su_sen sen = su_sen_slope(a.count, NULL, a.n, k.variance, 0.95);
    su_reference_near("sen", sen.slope, su_reference_number(r, "mann_kendall_arrivals/sen_slope"), 1e-7);
    assert_true(sen.low < sen.slope && sen.slope < sen.high);
    double annual[5];
    for (size_t i = 0; i < 5; i++) annual[i] = su_reference_value(json_array_get(su_reference_at(r, "mann_kendall_annual/x"), i));
    k = su_mann_kendall_of(annual, 5);
    check_kendall(r, "mann_kendall_annual", k, 1e-7);
    su_reference_near("tau", k.tau, su_reference_number(r, "mann_kendall_annual/tau_b"), 1e-7);
    su_reference_near("sen", su_sen_slope(annual, NULL, 5, k.variance, 0.95).slope, su_reference_number(r, "mann_kendall_annual/sen_slope"),
                      1e-7);
    unsigned season[ARRIVALS_MOST];
    for (size_t i = 0; i < a.n; i++) season[i] = (unsigned)a.month[i] - 1;
    check_kendall(r, "seasonal_mann_kendall", su_mann_kendall_seasonal(a.count, season, a.n, 12), 1e-7);
    json_decref(r);
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* All slopes kept and sorted, Gilbert's ranks read off. */
static su_sen sen_by_sorting(const double *x, const double *t, size_t n, double variance)
{
    su_sen out = { NAN, NAN, NAN };
    size_t m = 0;
    double *slope = su_alloc_array(n * n, sizeof *slope);
    for (size_t i = 0; i < n; i++)
        for (size_t j = i + 1; j < n; j++) {
            double step = t ? t[j] - t[i] : (double)(j - i), one = (x[j] - x[i]) / step;
            if (step != 0 && !isnan(one)) slope[m++] = one;
        }
    qsort(slope, m, sizeof *slope, by_value);
    double reach = 1.959963984540054 * sqrt(variance), low = ((double)m - reach) / 2, high = ((double)m + reach) / 2;
    if (m) out.slope = (slope[(m - 1) / 2] + slope[m / 2]) / 2;
    if (m && variance > 0 && low >= 1 && high + 1 <= (double)m) {
        size_t a = (size_t)low, b = (size_t)high;
        out.low = slope[a - 1] + (low - (double)a) * (slope[a] - slope[a - 1]);
        out.high = slope[b] + (b + 1 < m ? (high - (double)b) * (slope[b + 1] - slope[b]) : 0);
    }
    free(slope);
    return out;
}

/* Whole numbers with many ties, values of all sizes and signs, missing ones, times with gaps and twice the same. */
static void sen_against_sorting(void **state)
{
    (void)state;
    enum { MOST = 60 };
    su_random r;
    su_random_seeded(&r, 20261122);
    double x[MOST], t[MOST];
    for (int trial = 0; trial < 400; trial++) {
        size_t n = 2 + (size_t)su_random_below(&r, MOST - 1), kind = (size_t)trial % 4;
        for (size_t i = 0; i < n; i++) {
            double unit = (double)su_random_below(&r, 1000000) / 1e6 - 0.4;
            x[i] = kind == 0 ? (double)su_random_below(&r, 3) - 1 : kind == 1 ? unit * pow(10, (double)su_random_below(&r, 40) - 20) : unit;
            if (kind == 2 && su_random_below(&r, 5) == 0) x[i] = NAN;
            t[i] = (i ? t[i - 1] : 2000) + (double)su_random_below(&r, 3);
        }
        double variance = su_mann_kendall_of(x, n).variance;
        const double *time = kind == 3 ? t : NULL;
        su_sen got = su_sen_slope(x, time, n, variance, 0.95), want = sen_by_sorting(x, time, n, variance);
        double pairs[][2] = { { got.slope, want.slope }, { got.low, want.low }, { got.high, want.high } };
        for (int k = 0; k < 3; k++)
            if (!(fabs(pairs[k][0] - pairs[k][1]) <= (k ? 1e-12 * fabs(pairs[k][1]) : 0)) && !(isnan(pairs[k][0]) && isnan(pairs[k][1])))
                fail_msg("seed 20261122, trial %d: number %d is %.17g, by sorting %.17g", trial, k, pairs[k][0], pairs[k][1]);
    }
    assert_true(isnan(su_sen_slope(x, NULL, 1, 1, 0.95).slope));
    assert_true(isnan(su_sen_slope(x, NULL, SU_SEN_MOST + 1, 1, 0.95).slope));
}

/* The permutation distribution itself: all 720 orders of six values with a tie have variance as the formula says, and mean 0. */
static void kendall_by_permutation(void **state)
{
    (void)state;
    static const double value[6] = { 1, 2, 2, 3, 5, 8 };
    double sum = 0, square = 0;
    int orders = 0;
    for (int code = 0; code < 46656; code++) {
        double x[6];
        int used = 0, rest = code;
        for (int i = 0; i < 6; i++, rest /= 6) {
            used |= 1 << rest % 6;
            x[i] = value[rest % 6];
        }
        if (used != 63) continue;
        double s = su_mann_kendall_of(x, 6).s;
        sum += s;
        square += s * s;
        orders++;
    }
    assert_int_equal(orders, 720);
    assert_true(sum == 0);
    assert_true(fabs(square / orders - su_mann_kendall_of(value, 6).variance) < 1e-9);
}

static void seasons(void **state)
{
    (void)state;
    arrivals a;
    su_context ctx;
    json_t *r = su_reference("trend_flow.json");
    if (!r || !arrivals_read(&a)) skip();
    su_context_init(&ctx);
    double seasonal[ARRIVALS_MOST], trend[ARRIVALS_MOST], figure[12];
    assert_int_equal(su_stl_periodic(&ctx, a.count, a.n, 12, seasonal, trend), SU_OK);
    for (size_t i = 0; i < a.n; i++) {
        char at[64];
        if (i < 12) {
            snprintf(at, sizeof at, "stl_periodic/seasonal12/%zu", i);
            su_reference_near(at, seasonal[i], su_reference_number(r, at), 1e-7);
        }
        snprintf(at, sizeof at, "stl_periodic/trend/%zu", i);
        su_reference_near(at, trend[i], su_reference_number(r, at), 1e-7);
    }
    assert_int_equal(su_decompose(&ctx, a.count, a.n, 12, true, figure, trend), SU_OK);
    for (size_t i = 0; i < a.n; i++) {
        char at[64];
        if (i < 12) {
            snprintf(at, sizeof at, "decompose_mult/figure/%zu", i);
            su_reference_near(at, figure[i], su_reference_number(r, at), 1e-9);
        }
        snprintf(at, sizeof at, "decompose_mult/trend/%zu", i);
        su_reference_near(at, trend[i], su_reference_number(r, at), 1e-9);
    }
    json_decref(r);
}

static void holt_winters(void **state)
{
    (void)state;
    arrivals a;
    su_context ctx;
    json_t *r = su_reference("trend_flow.json");
    if (!r || !arrivals_read(&a)) skip();
    su_context_init(&ctx);
    su_holt_winters *h = NULL;
    assert_int_equal(su_holt_winters_new(&ctx, a.count, a.n, 12, true, &h), SU_OK);
    su_reference_within("alpha", h->alpha, su_reference_number(r, "holtwinters_mult/alpha"), 1e-3);
    su_reference_within("beta", h->beta, su_reference_number(r, "holtwinters_mult/beta"), 1e-3);
    su_reference_within("gamma", h->gamma, su_reference_number(r, "holtwinters_mult/gamma"), 1e-3);
    su_reference_near("sse", h->sse, su_reference_number(r, "holtwinters_mult/sse"), 1e-3);
    su_holt_winters_free(h);
    json_decref(r);
}

/* A straight line and a fixed season come back whole. */
static void exact_series(void **state)
{
    (void)state;
    static const double wave[4] = { 3, -1, -4, 2 };
    double x[32], seasonal[32], trend[32], figure[4];
    su_context ctx;
    su_context_init(&ctx);
    for (size_t i = 0; i < 32; i++) x[i] = 50 + 2 * (double)i + wave[i % 4];
    assert_int_equal(su_stl_periodic(&ctx, x, 32, 4, seasonal, trend), SU_OK);
    for (size_t i = 0; i < 32; i++) assert_true(fabs(seasonal[i] - wave[i % 4]) < 0.6);
    assert_int_equal(su_decompose(&ctx, x, 32, 4, false, figure, trend), SU_OK);
    for (size_t i = 0; i < 4; i++) assert_true(fabs(figure[i] - wave[i]) < 1e-10);
    su_holt_winters *h = NULL;
    assert_int_equal(su_holt_winters_new(&ctx, x, 32, 4, false, &h), SU_OK);
    for (size_t k = 1; k <= 6; k++)
        assert_true(fabs(su_holt_winters_ahead(h, k) - (50 + 2 * (31 + (double)k) + wave[(31 + k) % 4])) < 1e-6);
    su_holt_winters_free(h);
    assert_int_equal(su_stl_periodic(&ctx, x, 7, 4, seasonal, trend), SU_REFUSED);
    assert_non_null(strstr(ctx.message, "two full years"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mann_kendall), cmocka_unit_test(sen_against_sorting), cmocka_unit_test(kendall_by_permutation),
        cmocka_unit_test(seasons),      cmocka_unit_test(holt_winters),        cmocka_unit_test(exact_series),
    };
    return cmocka_run_group_tests_name("season", tests, NULL, NULL);
}
