/* The parts of mst and aim between data and noise: the budget in integers, scores and their sensitivity, the exact exponential mechanism.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "../su_test.h"
#include "select.h"
#include "spend.h"
#include "world.h"

#include <math.h>

static void test_spending(void **state)
{
    (void)state;
    su_random random;
    su_test_random(&random);
    for (int round = 0; round < 500; round++) {
        double rho = exp(-12 + 14 * (double)(su_random_u64(&random) >> 11) * 0x1p-53);
        long double sum = 0;
        su_spending s;
        su_spending_init(&s, rho);
        assert_true(su_spending_left(&s) <= rho && su_spending_left(&s) >= rho * (1 - 1e-9));
        for (int k = 0; k < 60; k++) {
            double before = su_spending_left(&s);
            if (su_random_below(&random, 2)) {
                double s2 = (1 + (double)su_random_below(&random, 40)) / rho;
                if (s2 > 1e11) continue;
                su_variance v = su_variance_above(s2);
                assert_true((double)v.num / (double)v.den >= s2 && (double)v.num / (double)v.den < s2 * (1 + 0x1p-15) + 0x1p-16 &&
                            v.den <= 65536);
                if (su_spend_table(&s, v))
                    sum += (long double)v.den / (2 * (long double)v.num);
                else
                    assert_true(su_spending_left(&s) == before);
            } else {
                uint64_t units = (uint64_t)(sqrt(rho * (double)su_random_below(&random, 100) / 50) * (double)SU_SELECTION_UNITS);
                if (su_spend_selection(&s, units))
                    sum += (long double)units * (long double)units / 0x1p43L;
                else
                    assert_true(su_spending_left(&s) == before);
            }
            assert_true(sum <= (long double)rho * (1 + 1e-18L));
            assert_true((long double)su_spending_used(&s) >= sum * (1 - 1e-15L));
        }
    }
}

/* A budget is spent to the last unit, and not one more. */
static void test_spending_to_the_end(void **state)
{
    (void)state;
    su_spending s;
    su_spending_init(&s, 0.5);
    assert_true(su_spend_table(&s, (su_variance) { 2, 1 }));  /* 1/4 */
    assert_false(su_spend_table(&s, (su_variance) { 1, 1 })); /* 1/2 */
    assert_true(su_spend_selection(&s, SU_SELECTION_UNITS));  /* 1/8 */
    assert_true(su_spend_table(&s, (su_variance) { 4, 1 }));  /* 1/8 */
    assert_false(su_spend_selection(&s, 1));
    assert_false(su_spend_table(&s, (su_variance) { UINT64_C(1) << 60, 1 }));
    assert_true(su_spend_selection(&s, 0));
}

/* Adding or removing any one record moves weight * (misfit - constant) by at most 256 * weight, whatever the expected counts. */
static void test_sensitivity(void **state)
{
    (void)state;
    su_random random;
    su_test_random(&random);
    uint32_t card[3] = { 3, 2, 5 }, columns[2] = { 0, 2 };
    int64_t largest = 0;
    for (int round = 0; round < 20000; round++) {
        world w;
        uint16_t record[3];
        int64_t before[15], after[15], expected[15];
        world_init(&w, su_random_below(&random, 6), card, 3, &random);
        su_contingency(&w.matrix, columns, 2, before);
        for (uint32_t c = 0; c < 3; c++) record[c] = (uint16_t)su_random_below(&random, card[c]);
        world_append(&w, record);
        su_contingency(&w.matrix, columns, 2, after);
        for (int i = 0; i < 15; i++) expected[i] = (int64_t)su_random_below(&random, 4 * SU_SCORE_UNIT) - SU_SCORE_UNIT / 2;
        int64_t moved = su_misfit(after, expected, 15) - su_misfit(before, expected, 15);
        moved = moved < 0 ? -moved : moved;
        assert_true(moved <= SU_SCORE_UNIT);
        largest = moved > largest ? moved : largest;
        world_free(&w);
    }
    assert_int_equal(largest, SU_SCORE_UNIT); /* and no less: the bound is met */
}

static void test_misfit(void **state)
{
    (void)state;
    int64_t counts[3] = { 1, 0, 7 }, expected[3] = { 256, 100, 2000 };
    assert_int_equal(su_misfit(counts, expected, 3), 0 + 100 + 208);
    assert_int_equal(su_misfit(counts, expected, 0), 0);
}

/* Chi-square against the softmax in long double; the limit is passed by chance once in 10^6. */
static void check_law(su_random *random, const int64_t *score, size_t n, uint64_t sensitivity, uint64_t units)
{
    enum { DRAWS = 200000 };
    long double p[8], sum = 0, chi = 0;
    uint64_t count[8] = { 0 };
    int64_t top = score[0];
    for (size_t i = 0; i < n; i++) top = score[i] > top ? score[i] : top;
    for (size_t i = 0; i < n; i++)
        sum += p[i] = expl((long double)units / SU_SELECTION_UNITS * (long double)(score[i] - top) / (2 * (long double)sensitivity));
    for (int k = 0; k < DRAWS; k++) count[su_select(random, score, n, sensitivity, units)]++;
    size_t cells = 0;
    for (size_t i = 0; i < n; i++) {
        long double want = p[i] / sum * DRAWS;
        if (want < 20) {
            assert_true(count[i] < 90);
            continue;
        }
        chi += ((long double)count[i] - want) * ((long double)count[i] - want) / want;
        cells++;
    }
    static const double limit[8] = { 0, 0, 24, 28, 31, 34, 36, 39 }; /* by number of cells */
    if (cells > 1 && chi > limit[cells - 1 > 7 ? 7 : cells] + 10) fail_msg("chi-square %.1Lf over %zu candidates", chi, cells);
}

static void test_selection_law(void **state)
{
    (void)state;
    su_random random;
    su_test_random(&random);
    check_law(&random, (int64_t[]) { 0, 256, 512, -256, 100, 300 }, 6, 256, SU_SELECTION_UNITS);
    check_law(&random, (int64_t[]) { 5, 5, 5 }, 3, 1, 7 * SU_SELECTION_UNITS);
    check_law(&random, (int64_t[]) { -1000000, -999000, -998000, -1003000 }, 4, 256 * 26, SU_SELECTION_UNITS * 3);
    check_law(&random, (int64_t[]) { 0, 100000 }, 2, 256, SU_SELECTION_UNITS / 100);
    check_law(&random, (int64_t[]) { INT64_MIN / 4, INT64_MAX / 4, 0 }, 3, 256, SU_SELECTION_UNITS);
    check_law(&random, (int64_t[]) { 3, -9, 12, 4, 0 }, 5, 1, 0); /* epsilon 0: uniform */
    check_law(&random, (int64_t[]) { 42 }, 1, 256, SU_SELECTION_UNITS);
}

/* Neighbouring scores (each moved by at most the sensitivity) change no chance by more than e^epsilon, by the law itself. */
static void test_selection_is_private(void **state)
{
    (void)state;
    su_random random;
    su_test_random(&random);
    for (int round = 0; round < 2000; round++) {
        long double a[5], b[5], sum_a = 0, sum_b = 0, epsilon = 0.1L * (long double)(1 + su_random_below(&random, 40));
        for (int i = 0; i < 5; i++) {
            int64_t score = (int64_t)su_random_below(&random, 5000), moved = score + (int64_t)su_random_below(&random, 513) - 256;
            sum_a += a[i] = expl(epsilon * (long double)score / 512);
            sum_b += b[i] = expl(epsilon * (long double)moved / 512);
        }
        for (int i = 0; i < 5; i++) assert_true(fabsl(logl(a[i] / sum_a) - logl(b[i] / sum_b)) <= epsilon * (1 + 1e-15L));
    }
}

/* No floating point where chances are decided. */
static void test_no_floating_point(void **state)
{
    (void)state;
    su_context ctx;
    su_buf text = { 0 };
    su_context_init(&ctx);
    assert_int_equal(su_file_read(&ctx, su_test_source("src/protect/pgm/select.c"), 1 << 20, &text), SU_OK);
    for (const char *const *word = (const char *const[]) { "double", "float", " exp(", " log(", "sqrt", NULL }; *word; word++)
        assert_null(strstr(text.p, *word));
    su_buf_free(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_spending),          cmocka_unit_test(test_spending_to_the_end),
        cmocka_unit_test(test_sensitivity),       cmocka_unit_test(test_misfit),
        cmocka_unit_test(test_selection_law),     cmocka_unit_test(test_selection_is_private),
        cmocka_unit_test(test_no_floating_point),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
