/* aim through the public door: budget, model size, rounds, intervals, determinism; and the choice of a mechanism from public facts. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "pgm_test.h"
#include "tree.h"

static const uint32_t cards[7] = { 4, 2, 9, 3, 2, 6, 15 };

/* Whatever is measured, the noise costs no more than rho, and the model of the tables chosen is no larger than allowed. */
static void test_budget_and_size(void **state)
{
    (void)state;
    su_random random;
    su_test_random(&random);
    for (int round = 0; round < 25; round++) {
        world w;
        world_init(&w, 800, cards, 7, &random);
        double epsilon = exp(-2 + 6 * (double)su_random_below(&random, 1000) / 1000), mib = round % 5 == 0 ? 0.001 : 0.01;
        su_release_options o = {
            .mechanism = SU_MECHANISM_AIM, .epsilon = epsilon, .length = 2, .rare_values = round % 2, .model_mib = mib
        };
        su_release *r = world_release(&w, &o, (uint64_t)round, 1);
        pgm_check_budget(r);
        pgm_check_release(r);
        su_column_set sets[200];
        su_elimination e;
        assert_true(r->table_count < 200);
        for (size_t t = 0; t < r->table_count; t++) {
            sets[t] = 0;
            for (uint32_t k = 0; k < r->tables[t].length; k++) sets[t] |= su_set_of(r->tables[t].columns[k]);
        }
        /* Cells as pooled: at most those of the release's codes, so the bound is checked where nothing was pooled. */
        uint32_t card[7];
        for (uint32_t c = 0; c < 7; c++) card[c] = cards[c];
        bool pooled = false;
        for (size_t t = 7; t < r->table_count; t++) {
            uint64_t full = 1;
            for (uint32_t k = 0; k < r->tables[t].length; k++) full *= cards[r->tables[t].columns[k]];
            pooled = pooled || r->tables[t].cells != full;
            assert_true(r->tables[t].cells <= full);
        }
        su_elimination_init(&e, 7, card, sets, r->table_count);
        if (!pooled && r->table_count > 7) assert_true((double)su_elimination_cells(&e) * 8 <= fmax(mib * 1048576, 8.0 * 42));
        su_elimination_free(&e);
        su_release_free(r);
        world_free(&w);
    }
}

static void test_exact_at_large_epsilon(void **state)
{
    (void)state;
    pgm_check_exact(SU_MECHANISM_AIM);
}

static void test_threads(void **state)
{
    (void)state;
    pgm_check_threads(SU_MECHANISM_AIM);
}

static void test_small_worlds(void **state)
{
    (void)state;
    pgm_check_small_worlds(SU_MECHANISM_AIM);
}

/* Two columns that are copies of each other, the others noise: the pair that matters is found. */
static void test_finds_the_dependence(void **state)
{
    (void)state;
    su_random random;
    su_test_random(&random);
    static const uint32_t card[5] = { 3, 3, 3, 3, 3 };
    world w;
    world_init(&w, 5000, card, 5, &random);
    for (uint64_t i = 0; i < 5000; i++) {
        for (uint32_t c = 0; c < 5; c++) w.codes[c][i] = (uint16_t)su_random_below(&random, 3);
        w.codes[3][i] = w.codes[1][i];
    }
    for (su_mechanism m = SU_MECHANISM_MST; m <= SU_MECHANISM_AIM; m++) {
        su_release *r = world_release(&w, &(su_release_options) { .mechanism = m, .epsilon = 1, .length = 2 }, 1, 1);
        bool found = false;
        for (size_t t = 5; t < r->table_count; t++)
            found = found || (r->tables[t].length == 2 && r->tables[t].columns[0] == 1 && r->tables[t].columns[1] == 3);
        assert_true(found);
        uint64_t same = 0;
        for (uint64_t i = 0; i < r->record_count; i++) same += r->records[1][i] == r->records[3][i];
        assert_true((double)same > 0.9 * (double)r->record_count);
        su_release_free(r);
    }
    world_free(&w);
}

/* Share of intervals that hold the truth, over single values that are far above the gate (so that printing does not select). */
static void test_intervals(void **state)
{
    (void)state;
    su_random random;
    su_test_random(&random);
    world w;
    world_init(&w, 2500, cards, 7, &random);
    for (su_mechanism m = SU_MECHANISM_MST; m <= SU_MECHANISM_AIM; m++) {
        unsigned held[3] = { 0 }, all[3] = { 0 };
        for (uint64_t seed = 0; seed < 80; seed++) {
            su_release *r = world_release(&w, &(su_release_options) { .mechanism = m, .epsilon = 4, .length = 2 }, seed, 1);
            all[0]++;
            held[0] += r->total_ci_low <= 2500 && 2500 <= r->total_ci_high;
            for (size_t i = 0; i < r->aggregate_count; i++) {
                const su_aggregate *a = &r->aggregates[i];
                uint64_t truth = world_count(&w, a->at, a->length);
                if (truth < 100) continue;
                all[a->length]++;
                held[a->length] += a->ci_low <= (double)truth && (double)truth <= a->ci_high;
            }
            su_release_free(r);
        }
        for (int l = 0; l < 3; l++) {
            double share = (double)held[l] / all[l];
            print_message("# %s: intervals of length %d hold in %.3f of %u\n", su_mechanism_name(m), l, share, all[l]);
            assert_true(share > (l ? 0.92 : 0.88));
        }
    }
    world_free(&w);
}

/* Codelists most of whose codes nobody has, and some that few have: values shown that nobody has are as rare as promised, although the gate
 * is lower than for the plan, which knows nothing. */
static void test_invented_values(void **state)
{
    (void)state;
    enum { RELEASES = 120, CODES = 120 };
    su_random random;
    su_test_random(&random);
    static const uint32_t card[4] = { CODES, CODES, 4, 2 };
    world w;
    world_init(&w, 4000, card, 4, &random);
    for (uint64_t i = 0; i < 4000; i++)
        for (uint32_t c = 0; c < 2; c++) w.codes[c][i] = (uint16_t)(1 + su_random_below(&random, 1 + su_random_below(&random, 60)));
    for (su_mechanism m = SU_MECHANISM_MST; m <= SU_MECHANISM_AIM; m++) {
        unsigned invented = 0, shown = 0;
        double gate = 0, plan = 0;
        for (uint64_t seed = 0; seed < RELEASES; seed++) {
            su_release_options o = { .mechanism = m, .epsilon = 1, .length = 2 };
            su_release *planned = world_plan_of(&w, &o), *r = world_release(&w, &o, seed, 1);
            bool there[2][CODES] = { { false } };
            plan += planned->gate[1] / RELEASES;
            gate += r->gate[1] / RELEASES;
            for (uint32_t c = 0; c < 2; c++)
                for (uint64_t i = 0; i < r->record_count; i++) there[c][r->records[c][i]] = true;
            for (uint32_t c = 0; c < 2; c++)
                for (uint32_t v = 1; v < CODES; v++) {
                    shown += there[c][v];
                    invented += there[c][v] && v > 60;
                }
            su_release_free(planned);
            su_release_free(r);
        }
        print_message("# %s: %u values shown, %u invented in %d releases; gate %.2f, of the plan %.2f\n", su_mechanism_name(m), shown,
                      invented, RELEASES, gate, plan);
        assert_true(gate < plan && gate >= 3);
        assert_true(shown > 20 * RELEASES);
        assert_true(invented <= 15); /* 6 expected at most; Poisson of 6 is above 15 once in 2,000 */
    }
    world_free(&w);
}

/* ---- choice of the mechanism --------------------------------------------------------------------------------------- */

static su_mechanism chosen(const uint32_t *card, uint32_t columns, double epsilon, uint32_t length)
{
    su_context ctx;
    su_release *r = NULL;
    su_matrix_column *c = su_alloc_array(columns, sizeof *c);
    su_release_options o = { .epsilon = epsilon, .length = length, .mechanism_auto = true };
    su_context_init(&ctx);
    for (uint32_t k = 0; k < columns; k++) c[k] = (su_matrix_column) { .name = "c", .card = card[k] };
    if (su_release_plan(&ctx, NULL, c, columns, &o, &r)) fail_msg("%s", ctx.message);
    su_mechanism m = r->options.mechanism;
    assert_non_null(r->mechanism_reason);
    assert_non_null(strstr(r->mechanism_reason, su_mechanism_name(m)));
    su_release_free(r);
    free(c);
    return m;
}

static void test_choice(void **state)
{
    (void)state;
    static const uint32_t adult[14] = { 86, 10, 101, 17, 8, 16, 7, 6, 3, 101, 101, 100, 43, 3 };
    uint32_t c17k[26] = { 22, 5, 10, 61, 5, 61 }, wide[130];
    for (int k = 6; k < 26; k++) c17k[k] = 2;
    for (int k = 0; k < 130; k++) wide[k] = 20;
    assert_int_equal(chosen(adult, 14, 1, 2), SU_MECHANISM_AIM);
    assert_int_equal(chosen(adult, 14, 20, 2), SU_MECHANISM_RESIDUAL);
    assert_int_equal(chosen(adult, 14, 1, 1), SU_MECHANISM_RESIDUAL);
    assert_int_equal(chosen(c17k, 26, 4, 3), SU_MECHANISM_RESIDUAL);
    assert_int_equal(chosen(adult, 1, 1, 2), SU_MECHANISM_RESIDUAL);
    assert_int_equal(chosen(wide, 130, 0.5, 2), SU_MECHANISM_RESIDUAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_budget_and_size), cmocka_unit_test(test_exact_at_large_epsilon), cmocka_unit_test(test_threads),
        cmocka_unit_test(test_small_worlds),    cmocka_unit_test(test_finds_the_dependence),   cmocka_unit_test(test_intervals),
        cmocka_unit_test(test_choice),          cmocka_unit_test(test_invented_values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
