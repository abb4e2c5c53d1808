/* The whole release: from plan to records, at the edges of data and noise. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "world.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SEED 5150

static const uint32_t CARD[] = { 6, 4, 3, 2, 9, 2 };

static su_release *release(su_context *ctx, const world *w, su_release_options o, uint64_t seed)
{
    su_release *r = NULL;
    su_measurement *m = NULL;
    su_random random;
    su_random_seeded(&random, seed);
    if (su_release_plan(ctx, NULL, w->columns, w->matrix.column_count, &o, &r) || su_release_measure(ctx, r, &w->matrix, &random, &m) ||
        su_release_finish(ctx, r, m, &random)) {
        fail_msg("%s", ctx->message);
    }
    su_measurement_free(m);
    return r;
}

/* Promises every release keeps: counts never exceed their parents' or the total; records show reported values only. */
static void assert_promises(const su_release *r)
{
    bool *reported = su_alloc_array((size_t)r->column_count * 65536, sizeof *reported);
    for (size_t i = 0; i < r->aggregate_count; i++) {
        const su_aggregate *a = &r->aggregates[i];
        assert_true(a->count >= 1 && a->count >= r->options.k && a->count <= r->record_count);
        if (a->length == 1) {
            reported[(size_t)a->at[0].column * 65536 + a->at[0].value] = true;
        }
    }
    for (uint32_t c = 0; c < r->column_count; c++) {
        for (uint64_t i = 0; i < r->record_count; i++) {
            uint16_t code = r->records[c][i];
            assert_true(code < r->columns[c].card);
            assert_true(code == 0 || r->options.k > 1 || reported[(size_t)c * 65536 + code]);
        }
    }
    assert_true(r->record_count == (uint64_t)floor(fmax(r->total_estimate, 0) + 0.5));
    assert_true(r->total_ci_low >= 0 && r->total_ci_low <= r->total_ci_high);
    free(reported);
}

static void test_typical(void **state)
{
    (void)state;
    su_context ctx;
    su_context_init(&ctx);
    su_random random;
    su_random_seeded(&random, SEED);
    world w;
    world_init(&w, 2000, CARD, 6, &random);
    for (uint32_t length = 1; length <= 4; length++) {
        su_release *r = release(&ctx, &w, (su_release_options) { .epsilon = 4, .length = length, .seconds = 1 }, SEED + length);
        assert_promises(r);
        assert_true(r->aggregate_count > 15 && fabs(r->total_estimate - 2000) < 200 && !r->private_noise);
        for (uint32_t c = 0; c < 6; c++) {
            double present = 0, want = 0;
            for (uint64_t i = 0; i < r->record_count; i++) {
                present += r->records[c][i] > 0;
            }
            for (uint64_t i = 0; i < 2000; i++) {
                want += w.codes[c][i] > 0;
            }
            assert_true(fabs(present - want) < 400);
        }
        su_release_free(r);
    }
    world_free(&w);
}

/* No data, one record, noise far above the data: nothing fails, and a negative total makes no records. */
static void test_edges(void **state)
{
    (void)state;
    su_context ctx;
    su_context_init(&ctx);
    su_random random;
    su_random_seeded(&random, SEED + 10);
    static const uint64_t rows[] = { 0, 1, 3 };
    static const double epsilons[] = { 0.01, 1, 100 };
    unsigned negative = 0;
    for (size_t i = 0; i < 3; i++) {
        world w;
        world_init(&w, rows[i], CARD, 6, &random);
        for (size_t e = 0; e < 3; e++) {
            for (uint64_t seed = 0; seed < 8; seed++) {
                su_release_options o = { .epsilon = epsilons[e], .length = 2, .seconds = 0.2, .max_table_cells = seed % 2 ? 8 : 0 };
                su_release *r = release(&ctx, &w, o, seed);
                negative += r->total_estimate < -0.5 && r->record_count == 0;
                if (r->record_count < 5000) {
                    assert_promises(r);
                }
                if (epsilons[e] == 100) {
                    assert_true(r->record_count <= rows[i] + 2);
                }
                su_release_free(r);
            }
        }
        world_free(&w);
    }
    assert_true(negative > 0);
}

static void test_k_threshold(void **state)
{
    (void)state;
    su_context ctx;
    su_context_init(&ctx);
    su_random random;
    su_random_seeded(&random, SEED + 20);
    world w;
    world_init(&w, 500, CARD, 6, &random);
    su_release *all = release(&ctx, &w, (su_release_options) { .epsilon = 12, .length = 3, .seconds = 0.5 }, 4);
    su_release *ten = release(&ctx, &w, (su_release_options) { .epsilon = 12, .length = 3, .seconds = 0.5, .k = 10 }, 4);
    assert_promises(ten);
    uint64_t hidden = ten->suppressed_by_k[1] + ten->suppressed_by_k[2] + ten->suppressed_by_k[3];
    assert_true(hidden > 0 && all->aggregate_count == ten->aggregate_count + hidden && all->suppressed_by_k[3] == 0);
    su_release_free(all);
    su_release_free(ten);
    world_free(&w);
}

/* One seed gives one release, on any number of threads. */
static void test_repeatable(void **state)
{
    (void)state;
    su_context one, two;
    su_context_init(&one);
    su_context_init(&two);
    one.threads = 1;
    two.threads = 2;
    su_random random;
    su_random_seeded(&random, SEED + 30);
    world w;
    world_init(&w, 800, CARD, 6, &random);
    su_release_options o = { .epsilon = 4, .length = 3 };
    su_release *a = release(&one, &w, o, 8), *b = release(&two, &w, o, 8), *c = release(&two, &w, o, 9);
    world_same_release(a, b);
    assert_true(c->total_estimate != a->total_estimate);
    su_release_free(a);
    su_release_free(b);
    su_release_free(c);
    world_free(&w);
}

/* Same noisy tables, same release: the finish sees nothing else. Columns without any table stay empty in the records. */
static void test_post_processing(void **state)
{
    (void)state;
    su_context ctx;
    su_context_init(&ctx);
    su_random random, source;
    su_random_seeded(&random, SEED + 40);
    world w;
    world_init(&w, 300, (uint32_t[]) { 3, 50, 2 }, 3, &random);
    su_release_options o = { .epsilon = 10, .length = 2, .max_table_cells = 20, .seconds = 1 };
    su_release *r = NULL, *other = NULL;
    su_measurement *m = NULL;
    su_random_seeded(&source, 1);
    assert_int_equal(su_release_plan(&ctx, NULL, w.columns, 3, &o, &r), SU_OK);
    assert_int_equal(su_release_plan(&ctx, NULL, w.columns, 3, &o, &other), SU_OK);
    assert_int_equal(su_release_measure(&ctx, r, &w.matrix, &source, &m), SU_OK);
    world_free(&w);
    su_random_seeded(&source, 2);
    assert_int_equal(su_release_finish(&ctx, r, m, &source), SU_OK);
    su_random_seeded(&source, 2);
    assert_int_equal(su_release_finish(&ctx, other, m, &source), SU_OK);
    assert_true(r->aggregate_count > 0 && r->aggregate_count == other->aggregate_count && r->record_count == other->record_count);
    assert_memory_equal(r->aggregates, other->aggregates, r->aggregate_count * sizeof *r->aggregates);
    for (uint64_t i = 0; i < r->record_count; i++) {
        assert_int_equal(r->records[1][i], 0);
        assert_int_equal(r->records[0][i], other->records[0][i]);
    }
    for (size_t i = 0; i < r->aggregate_count; i++) {
        assert_true(r->aggregates[i].at[0].column != 1 && (r->aggregates[i].length == 1 || r->aggregates[i].at[1].column != 1));
    }
    su_release_free(r);
    su_release_free(other);
    su_measurement_free(m);
}

static void test_errors(void **state)
{
    (void)state;
    su_context ctx;
    su_context_init(&ctx);
    su_random random;
    su_random_seeded(&random, SEED + 50);
    world w;
    world_init(&w, 50, CARD, 6, &random);
    su_release *r = world_plan(&w, 4, 2, 0), *other = world_plan(&w, 4, 1, 0);
    su_measurement *m = NULL;
    assert_int_equal(su_release_measure(&ctx, r, &w.matrix, &random, &m), SU_OK);
    assert_int_equal(su_release_finish(&ctx, other, m, &random), SU_USAGE);
    const volatile int stop = 1;
    ctx.cancel = &stop;
    assert_int_equal(su_release_finish(&ctx, r, m, &random), SU_CANCELLED);
    su_release_free(NULL);
    su_measurement_free(NULL);
    su_release_free(r);
    su_release_free(other);
    su_measurement_free(m);
    world_free(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_typical),    cmocka_unit_test(test_edges),           cmocka_unit_test(test_k_threshold),
        cmocka_unit_test(test_repeatable), cmocka_unit_test(test_post_processing), cmocka_unit_test(test_errors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
