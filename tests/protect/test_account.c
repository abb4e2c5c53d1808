/* Accounting against values computed with 50 digits, against slow integrals and sums, and against itself at the extremes. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <suha/protect.h>

#include <math.h>

/* `got` is on the safe side of `exact` (whose last digit is rounded) and within `relative` of it. */
static void assert_upper(double got, double exact, double relative)
{
    if (!(got >= exact * (1 - 4e-16) && got <= exact * (1 + relative))) {
        fail_msg("%.17g is not a close upper bound of %.17g", got, exact);
    }
}

static void assert_lower(double got, double exact, double relative)
{
    if (!(got <= exact * (1 + 5e-15) && got >= exact * (1 - relative))) {
        fail_msg("%.17g is not a close lower bound of %.17g", got, exact);
    }
}

static void test_known_answers(void **state)
{
    (void)state;
    assert_upper(su_zcdp_delta(0.1, 1), 0.0089332457718183618, 1e-12);
    assert_upper(su_zcdp_delta(0.5, 4), 0.0001957954169577216, 1e-12);
    assert_upper(su_zcdp_delta(1, 8), 4.3453415166484502e-7, 1e-12);
    assert_upper(su_zcdp_delta(0.05, 0.5), 0.023031697736737616, 1e-12);
    assert_lower(su_zcdp_rho(1, 1e-9), 0.0149730576735885, 1e-12);
    assert_lower(su_zcdp_rho(4, 1e-6), 0.311064954940835, 1e-12);
    assert_lower(su_zcdp_rho(1, 1e-6), 0.0243559703595384, 1e-12);
    assert_lower(su_zcdp_rho(2, 1e-6), 0.0881526883799463, 1e-12);
    assert_lower(su_gaussian_rho(1, 1e-9), 0.0165574152450867, 1e-12);
    assert_lower(su_gaussian_rho(4, 1e-6), 0.351003648416198, 1e-12);
    assert_lower(su_gaussian_rho(1, 1e-6), 0.0280144819126303, 1e-12);
    assert_lower(su_gaussian_rho(2, 1e-6), 0.100502019722612, 1e-12);
    assert_upper(su_gaussian_delta(1, 1), 0.12693673750664395, 1e-12);
    assert_upper(su_gaussian_delta(2, 1), 0.0068295949831145754, 1e-12);
    assert_upper(su_gaussian_delta(5, 0.5), 0.00051253608315833247, 1e-12);
    assert_upper(su_gaussian_delta(10, 1), 1.2308359836427042e-25, 1e-12);
}

static void test_discrete_gaussian_law(void **state)
{
    (void)state;
    static const struct {
        su_variance v;
        int64_t x;
        double p;
    } known[] = {
        { { 1, 4 }, 0, 0.7865707070419479 },  { { 1, 4 }, 1, 0.10645076942314472 },  { { 1, 1 }, 0, 0.39894227826686171 },
        { { 4, 1 }, 0, 0.19947114020071634 }, { { 4, 1 }, -1, 0.17603266338214974 }, { { 100, 1 }, 0, 0.039894228040143268 },
        { { 16, 1 }, 0, 0.0997355701003582 }, { { 400, 1 }, 0, 0.0199471140200716 },
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        assert_true(fabs(su_discrete_gaussian_pmf(known[i].v, known[i].x) / known[i].p - 1) < 4e-15);
    }
    assert_true(fabs(su_discrete_gaussian_variance((su_variance) { 1, 4 }) / 0.21501267508813849 - 1) < 1e-15);
    assert_true(fabs(su_discrete_gaussian_variance((su_variance) { 1, 1 }) / 0.99999978876772808 - 1) < 1e-15);
}

/* Probabilities sum to 1 and give the variance, from noise that is nearly always 0 to wide noise; both series meet at 1/(2 pi). */
static void test_law_is_whole(void **state)
{
    (void)state;
    for (uint64_t num = 1; num < UINT64_C(1) << 34; num = num * 3 / 2 + 1) {
        su_variance v = { num, 65536 };
        int64_t reach = (int64_t)(12 * sqrt((double)num / 65536)) + 3;
        long double whole = 0, second = 0;
        for (int64_t x = -reach; x <= reach; x++) {
            long double p = su_discrete_gaussian_pmf(v, x);
            whole += p;
            second += p * (long double)x * (long double)x;
        }
        assert_true(fabsl(whole - 1) < 1e-14L);
        assert_true(fabsl(second - su_discrete_gaussian_variance(v)) <= 1e-13L * second);
    }
}

/* Any alpha bounds delta, so a fine grid can only be above the minimum, and comes close to it. */
static void test_delta_is_the_minimum(void **state)
{
    (void)state;
    static const double cases[][2] = { { 0.001, 0.1 }, { 0.02, 0.5 }, { 0.3, 4 }, { 2, 12 }, { 1, 0.5 }, { 10, 40 } };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        long double rho = cases[i][0], epsilon = cases[i][1], best = 1;
        for (int k = -20000; k < 60000; k++) {
            long double alpha = 1 + expl(k * 2e-4L);
            long double delta = expl((alpha - 1) * (alpha * rho - epsilon)) * powl(1 - 1 / alpha, alpha) / (alpha - 1);
            best = delta < best ? delta : best;
        }
        double got = su_zcdp_delta(cases[i][0], cases[i][1]);
        assert_true(got <= best * (1 + 1e-12L) && got >= best * (1 - 1e-6L));
    }
}

/* Hockey-stick divergence of N(1/sigma, 1) and N(0, 1) by Simpson's rule. */
static double slow_gaussian_delta(double sigma, double epsilon)
{
    double mu = 1 / sigma, from = epsilon / mu + mu / 2, width = 14, sum = 0;
    int steps = 40000;
    for (int i = 0; i <= steps; i++) {
        double x = from + width * i / steps, weight = i == 0 || i == steps ? 1 : i % 2 ? 4 : 2;
        sum += weight * (exp(-(x - mu) * (x - mu) / 2) - exp(epsilon - x * x / 2));
    }
    return sum * width / steps / 3 / sqrt(2 * M_PI);
}

static void test_gaussian_against_integral(void **state)
{
    (void)state;
    static const double cases[][2] = { { 0.5, 0.1 }, { 1, 0.01 }, { 1, 5 }, { 3, 0.3 }, { 8, 0.2 }, { 0.2, 20 }, { 40, 0.01 } };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        double slow = slow_gaussian_delta(cases[i][0], cases[i][1]), got = su_gaussian_delta(cases[i][0], cases[i][1]);
        assert_true(fabs(got / slow - 1) < 1e-9);
    }
}

/* The whole range of use: inverses hold their bound when put back, never exceed what was asked, and lie in the right order. */
static void test_round_trips(void **state)
{
    (void)state;
    static const double epsilons[] = { 1e-3, 0.01, 0.1, 0.5, 1, 2, 4, 12, 40, 100 };
    static const double deltas[] = { 1e-30, 1e-20, 1e-12, 1e-9, 1e-6, 5.8e-6, 1e-3, 0.1 };
    for (size_t d = 0; d < sizeof deltas / sizeof *deltas; d++) {
        double before = 0;
        for (size_t e = 0; e < sizeof epsilons / sizeof *epsilons; e++) {
            double epsilon = epsilons[e], delta = deltas[d], rho = su_zcdp_rho(epsilon, delta);
            assert_true(rho > before && su_zcdp_delta(rho, epsilon) <= delta);
            assert_true(su_zcdp_delta(rho * (1 + 1e-9), epsilon) > delta);
            double back = su_zcdp_epsilon(rho, delta);
            assert_true(su_zcdp_delta(rho, back) <= delta && back <= epsilon * (1 + 1e-13) && back >= epsilon * (1 - 1e-9));
            double gaussian = su_gaussian_rho(epsilon, delta);
            assert_true(gaussian >= rho && su_gaussian_delta(1 / sqrt(2 * gaussian) * (1 + 1e-12), epsilon) <= delta * (1 + 1e-9));
            double old = rho + 2 * sqrt(rho * log(1 / delta)); /* Bun, Steinke 2016: never better */
            assert_true(back <= old * (1 + 1e-12));
            before = rho;
        }
    }
}

static void test_monotone(void **state)
{
    (void)state;
    double before = 0;
    for (double rho = 1e-8; rho < 100; rho *= 1.3) {
        double delta = su_zcdp_delta(rho, 1);
        assert_true(delta >= before && delta <= 1);
        before = delta;
    }
    before = 1;
    for (double epsilon = 0; epsilon < 50; epsilon += 0.25) {
        double delta = su_zcdp_delta(0.5, epsilon);
        assert_true(delta <= before && delta > 0);
        before = delta;
    }
}

/* Nonsense never yields a claim. */
static void test_nonsense(void **state)
{
    (void)state;
    assert_true(su_zcdp_delta(NAN, 1) == 1 && su_zcdp_delta(1, NAN) == 1 && su_zcdp_delta(-1, 1) == 1 && su_zcdp_delta(INFINITY, 1) == 1);
    assert_true(su_zcdp_delta(0, 1) == 0 && su_zcdp_delta(1, -1) == 1);
    assert_true(su_zcdp_rho(NAN, 1e-9) == 0 && su_zcdp_rho(1, 0) == 0 && su_zcdp_rho(1, NAN) == 0 && su_zcdp_rho(-1, 0.1) == 0);
    assert_true(isinf(su_zcdp_epsilon(1, 0)) && isinf(su_zcdp_epsilon(NAN, 0.1)) && isinf(su_zcdp_epsilon(-1, 0.1)));
    assert_true(su_gaussian_delta(0, 1) == 1 && su_gaussian_delta(NAN, 1) == 1 && su_gaussian_delta(1, NAN) == 1);
    assert_true(su_gaussian_delta(1e6, 100) > 0 && su_gaussian_delta(1e6, 100) < 1e-300);
    assert_true(su_zcdp_delta(1e-9, 100) > 0 && su_zcdp_epsilon(1e-9, 0.1) == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known_answers),
        cmocka_unit_test(test_discrete_gaussian_law),
        cmocka_unit_test(test_law_is_whole),
        cmocka_unit_test(test_delta_is_the_minimum),
        cmocka_unit_test(test_gaussian_against_integral),
        cmocka_unit_test(test_round_trips),
        cmocka_unit_test(test_monotone),
        cmocka_unit_test(test_nonsense),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
