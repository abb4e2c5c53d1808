/* mst and the steps it shares with aim, through the public door: budget, tree, edge cases, what records and counts may show, determinism.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "pgm_test.h"

static const uint32_t cards[6] = { 4, 2, 9, 3, 2, 6 };

static void test_budget_and_tree(void **state)
{
    (void)state;
    su_random random;
    su_test_random(&random);
    for (int round = 0; round < 40; round++) {
        world w;
        world_init(&w, 500, cards, 6, &random);
        double epsilon = exp(-2 + 6 * (double)su_random_below(&random, 1000) / 1000);
        su_release *r = world_release(
            &w, &(su_release_options) { .mechanism = SU_MECHANISM_MST, .epsilon = epsilon, .length = 2, .rare_values = round % 2 }, round,
            1);
        pgm_check_budget(r);
        assert_int_equal(r->table_count, 6 + 5);
        uint32_t part[6] = { 0, 1, 2, 3, 4, 5 };
        for (size_t t = 6; t < r->table_count; t++) {
            assert_int_equal(r->tables[t].length, 2);
            uint32_t a = part[r->tables[t].columns[0]], b = part[r->tables[t].columns[1]];
            assert_int_not_equal(a, b); /* a tree */
            for (uint32_t c = 0; c < 6; c++) part[c] = part[c] == a ? b : part[c];
        }
        pgm_check_release(r);
        su_release_free(r);
        world_free(&w);
    }
}

/* With next to no noise, counts are the true ones, in the columns and codes of the data; every printed pair lies in the tree. */
static void test_exact_at_large_epsilon(void **state)
{
    (void)state;
    pgm_check_exact(SU_MECHANISM_MST);
}

static void test_threads(void **state)
{
    (void)state;
    pgm_check_threads(SU_MECHANISM_MST);
}

static void test_small_worlds(void **state)
{
    (void)state;
    pgm_check_small_worlds(SU_MECHANISM_MST);
}

static void test_refusals(void **state)
{
    (void)state;
    su_context ctx;
    su_release *r = NULL;
    su_matrix_column columns[130];
    su_context_init(&ctx);
    for (int c = 0; c < 130; c++) columns[c] = (su_matrix_column) { .name = "c", .card = 2 };
    su_release_options o = { .mechanism = SU_MECHANISM_MST, .epsilon = 1, .length = 2 };
    assert_int_equal(su_release_plan(&ctx, NULL, columns, 129, &o, &r), SU_REFUSED);
    assert_non_null(strstr(ctx.message, "129 columns"));
    assert_int_equal(su_release_plan(&ctx, NULL, columns, 128, &o, &r), SU_OK);
    su_release_free(r);
    o.model_mib = NAN;
    assert_int_equal(su_release_plan(&ctx, NULL, columns, 2, &o, &r), SU_USAGE);
    o.model_mib = 0;
    o.epsilon = 1e-7;
    assert_int_equal(su_release_plan(&ctx, NULL, columns, 2, &o, &r), SU_REFUSED);
}

static su_status count_call(void *arg)
{
    ++*(int *)arg;
    return SU_OK;
}

static su_status refuse_call(void *arg)
{
    ++*(int *)arg;
    return SU_IO;
}

/* The hook is called once, after the last look at the data, and its failure ends the run. */
static void test_hook_and_cancel(void **state)
{
    (void)state;
    su_random random;
    su_test_random(&random);
    world w;
    world_init(&w, 300, cards, 6, &random);
    for (su_mechanism m = SU_MECHANISM_MST; m <= SU_MECHANISM_AIM; m++) {
        su_context ctx;
        volatile int cancel = 1;
        int calls = 0;
        su_release_options o = { .mechanism = m, .epsilon = 1, .length = 2 };
        su_release *r = NULL;
        su_context_init(&ctx);
        assert_int_equal(su_release_plan(&ctx, NULL, w.columns, 6, &o, &r), SU_OK);
        assert_int_equal(su_release_run(&ctx, r, &w.matrix, &random, refuse_call, &calls), SU_IO);
        su_release_free(r);
        assert_int_equal(su_release_plan(&ctx, NULL, w.columns, 6, &o, &r), SU_OK);
        assert_int_equal(su_release_run(&ctx, r, &w.matrix, &random, count_call, &calls), SU_OK);
        assert_int_equal(calls, 2);
        su_release_free(r);
        ctx.cancel = &cancel;
        assert_int_equal(su_release_plan(&ctx, NULL, w.columns, 6, &o, &r), SU_OK);
        assert_int_equal(su_release_run(&ctx, r, &w.matrix, &random, count_call, &calls), SU_CANCELLED);
        assert_int_equal(calls, 2);
        su_release_free(r);
    }
    world_free(&w);
}

/* The plan is a function of public facts: two data sets, one plan. */
static void test_plan_is_public(void **state)
{
    (void)state;
    su_random random;
    su_test_random(&random);
    world a, b;
    su_context ctx;
    su_context_init(&ctx);
    world_init(&a, 10, cards, 6, &random);
    world_init(&b, 900, cards, 6, &random);
    for (su_mechanism m = SU_MECHANISM_MST; m <= SU_MECHANISM_AIM; m++) {
        su_release_options o = { .mechanism = m, .epsilon = 1, .length = 3 };
        su_release *x = NULL, *y = NULL;
        assert_int_equal(su_release_plan(&ctx, NULL, a.columns, 6, &o, &x), SU_OK);
        assert_int_equal(su_release_plan(&ctx, NULL, b.columns, 6, &o, &y), SU_OK);
        assert_int_equal(x->table_count, y->table_count);
        assert_memory_equal(x->tables, y->tables, x->table_count * sizeof *x->tables);
        assert_true(x->rho == y->rho && x->epsilon_stated == y->epsilon_stated);
        su_release_free(x);
        su_release_free(y);
    }
    world_free(&a);
    world_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_budget_and_tree), cmocka_unit_test(test_exact_at_large_epsilon),
        cmocka_unit_test(test_threads),         cmocka_unit_test(test_small_worlds),
        cmocka_unit_test(test_refusals),        cmocka_unit_test(test_hook_and_cancel),
        cmocka_unit_test(test_plan_is_public),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
