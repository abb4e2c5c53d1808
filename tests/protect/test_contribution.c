/* Several records of one person (docs/methods/contribution.md): what a person can move, what it costs, who stays. */
#include "prepare.h"
#include "world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SEED 20261123

static su_measurement *exact_of(const su_release *r, const su_code_matrix *m, su_random *random)
{
    su_context ctx;
    su_prepared ready;
    su_measurement *out = NULL;
    su_context_init(&ctx);
    if (su_prepare(&ctx, r, m, random, &ready)) fail_msg("%s", ctx.message);
    if (su_release_measure_exact(&ctx, r, &ready.matrix, &out)) fail_msg("%s", ctx.message);
    su_prepared_free(&ready);
    return out;
}

/* A data set of people with 1 to `most` records each; then one more person, with `extra` records, comes. Per table the sum of all changes.
 */
static void one_person_more(su_random *random, uint32_t most, uint32_t extra, bool alike)
{
    enum { ROWS = 60 };
    uint32_t cards[] = { 4, 3, 2, 5 }, units[ROWS + WORLD_SPARE], person = 0, has = 0;
    world w;
    world_init(&w, ROWS, cards, 4, random);
    for (uint32_t i = 0; i < ROWS; i++) {
        if (has == 0) {
            person++;
            has = 1 + (uint32_t)su_random_below(random, most);
        }
        units[i] = person;
        has--;
    }
    su_release_options o = { .epsilon = 2, .length = 3, .contribution = most };
    su_release *r = world_plan_of(&w, &o);
    w.matrix.units = units;
    su_measurement *before = exact_of(r, &w.matrix, random);
    uint16_t record[4] = { 1, 1, 1, 1 };
    for (uint32_t k = 0; k < extra; k++) {
        for (uint32_t c = 0; c < 4 && !alike; c++) record[c] = (uint16_t)su_random_below(random, cards[c]);
        units[w.matrix.row_count] = person + 1;
        world_append(&w, record);
    }
    su_measurement *after = exact_of(r, &w.matrix, random);
    uint32_t counted = extra < most ? extra : most;
    for (size_t t = 0; t < r->table_count; t++) {
        int64_t sum = 0, square = 0;
        for (uint64_t i = 0; i < r->tables[t].cells; i++) {
            int64_t d = after->cells[t][i] - before->cells[t][i];
            assert_true(d >= 0);
            sum += d;
            square += d * d;
        }
        assert_int_equal(sum, counted);
        assert_true(square <= (int64_t)most * most);
        assert_true(!alike || square == (int64_t)counted * counted); /* the bound is reached */
    }
    su_measurement_free(before);
    su_measurement_free(after);
    su_release_free(r);
    world_free(&w);
}

static void test_sensitivity_over_persons(void **state)
{
    (void)state;
    su_random random;
    su_random_seeded(&random, SEED);
    for (int i = 0; i < 600; i++)
        one_person_more(&random, 1 + (uint32_t)su_random_below(&random, 6), 1 + (uint32_t)su_random_below(&random, 12), i % 3 == 0);
}

/* M^2 times what one record costs stays within the budget, and uses it; for every mechanism that knows persons. */
static void test_cost_of_a_person(void **state)
{
    (void)state;
    su_random random;
    world w;
    su_random_seeded(&random, SEED + 1);
    world_init(&w, 400, (uint32_t[]) { 5, 3, 2, 4, 6 }, 5, &random);
    uint32_t units[400];
    for (uint32_t i = 0; i < 400; i++) units[i] = i / 3;
    w.matrix.units = units;
    static const su_mechanism mechanisms[] = { SU_MECHANISM_RESIDUAL, SU_MECHANISM_MST, SU_MECHANISM_AIM };
    for (size_t k = 0; k < 3; k++)
        for (uint32_t most = 1; most <= 9; most += 4) {
            su_context ctx;
            su_context_init(&ctx);
            su_release_options o = { .epsilon = 1, .length = 2, .seconds = 0.1, .mechanism = mechanisms[k], .contribution = most };
            su_release *r = world_plan_of(&w, &o);
            if (su_release_run(&ctx, r, &w.matrix, &random, NULL, NULL)) fail_msg("%s", ctx.message);
            long double sum = 0, people = (long double)most * most;
            for (size_t t = 0; t < r->table_count; t++)
                sum += people * (long double)r->tables[t].variance.den / (2 * (long double)r->tables[t].variance.num);
            assert_true(sum <= (long double)r->rho * (1 + 1e-12L));
            assert_true(sum > 0.5L * (long double)r->rho);
            assert_true(r->epsilon_stated <= 1 * (1 + 1e-12));
            if (most > 1) {
                assert_true(r->rho <= su_zcdp_rho(1, 1e-9));
                assert_int_equal(r->accountant, SU_ACCOUNTANT_ZCDP); /* the loss distribution is that of one record */
            }
            su_release_free(r);
        }
    world_free(&w);
}

/* The noise that is really drawn, not only planned, is M times as wide. */
static void test_noise_is_as_wide(void **state)
{
    (void)state;
    su_context ctx;
    su_context_init(&ctx);
    su_random random;
    world w;
    su_random_seeded(&random, SEED + 2);
    world_init(&w, 50, (uint32_t[]) { 20, 20 }, 2, &random);
    double spread[2] = { 0, 0 };
    for (int k = 0; k < 2; k++) {
        su_release_options o = { .epsilon = 0.5, .length = 2, .contribution = k ? 4 : 1 };
        su_release *r = world_plan_of(&w, &o);
        for (int i = 0; i < 50; i++) {
            su_measurement *noisy = NULL, *truth = NULL;
            assert_int_equal(su_release_measure(&ctx, r, &w.matrix, &random, &noisy), SU_OK);
            assert_int_equal(su_release_measure_exact(&ctx, r, &w.matrix, &truth), SU_OK);
            for (size_t c = 0; c < noisy->total_cells; c++) spread[k] += pow((double)(noisy->cells[0][c] - truth->cells[0][c]), 2);
            su_measurement_free(noisy);
            su_measurement_free(truth);
        }
        su_release_free(r);
    }
    double ratio = sqrt(spread[1] / spread[0]); /* above 4: group privacy of zCDP in the place of the tighter accountant */
    print_message("# noise of 4 records a person beside 1: %.3f times as wide\n", ratio);
    assert_true(ratio > 3.9 && ratio < 4.8);
    world_free(&w);
}

/* Each record of a person stays as often as any other, whatever the others do. */
static void test_uniform_choice(void **state)
{
    (void)state;
    enum { RUNS = 20000, HAS = 5, KEPT = 2 };
    su_context ctx;
    su_context_init(&ctx);
    su_random random;
    world w;
    su_random_seeded(&random, SEED + 3);
    world_init(&w, 12, (uint32_t[]) { 13 }, 1, &random);
    uint32_t units[12] = { 7, 7, 3, 7, 0, 7, 3, 7, 3, 3, 3, 3 };
    uint64_t kept[13] = { 0 }, both = 0;
    for (uint16_t i = 0; i < 12; i++) w.codes[0][i] = i; /* a row is known by its code */
    su_release_options o = { .epsilon = 1, .length = 1, .contribution = KEPT };
    su_release *r = world_plan_of(&w, &o);
    w.matrix.units = units;
    for (int run = 0; run < RUNS; run++) {
        su_prepared p;
        assert_int_equal(su_prepare(&ctx, r, &w.matrix, &random, &p), SU_OK);
        assert_int_equal(p.matrix.row_count, 1 + 2 * KEPT);
        assert_int_equal(p.left_out, 12 - 5);
        bool first = false, second = false;
        for (uint64_t i = 0; i < p.matrix.row_count; i++) {
            kept[p.matrix.columns[0].codes[i]]++;
            first = first || p.matrix.columns[0].codes[i] == 0;
            second = second || p.matrix.columns[0].codes[i] == 1;
        }
        both += first && second;
        su_prepared_free(&p);
    }
    assert_int_equal(kept[4], RUNS); /* one record only */
    for (uint32_t i = 0; i < 12; i++) {
        double p = units[i] == 7 ? (double)KEPT / HAS : units[i] == 3 ? (double)KEPT / 6 : 1;
        assert_true(fabs((double)kept[i] - RUNS * p) < 5 * sqrt(RUNS * p * (1 - p)) + 1e-9);
    }
    double pair = 1.0 / 10; /* of the 10 pairs of 5 records */
    assert_true(fabs((double)both - RUNS * pair) < 5 * sqrt(RUNS * pair * (1 - pair)));
    su_release_free(r);
    world_free(&w);
}

static void test_ten_thousand_records_of_one(void **state)
{
    (void)state;
    enum { ROWS = 10000 };
    su_random random;
    world w;
    su_random_seeded(&random, SEED + 4);
    world_init(&w, ROWS, (uint32_t[]) { 4, 3 }, 2, &random);
    uint32_t *units = su_alloc_array(ROWS, sizeof *units); /* all of them person 0 */
    su_release_options o = { .epsilon = 1, .length = 2, .contribution = 3 };
    su_release *r = world_plan_of(&w, &o);
    w.matrix.units = units;
    su_measurement *m = exact_of(r, &w.matrix, &random);
    int64_t sum = 0;
    for (uint64_t i = 0; i < r->tables[0].cells; i++) sum += m->cells[0][i];
    assert_int_equal(sum, 3);
    su_measurement_free(m);
    su_release_free(r);
    free(units);
    world_free(&w);
}

static void test_errors(void **state)
{
    (void)state;
    su_context ctx;
    su_context_init(&ctx);
    su_random random;
    world w;
    su_random_seeded(&random, SEED + 5);
    world_init(&w, 50, (uint32_t[]) { 4, 3 }, 2, &random);
    su_release *r = NULL;
    su_prepared p;
    su_release_options o = { .epsilon = 1, .length = 2, .contribution = 2 };
    assert_int_equal(su_release_plan(&ctx, NULL, w.columns, 2, &o, &r), SU_OK);
    assert_int_equal(su_prepare(&ctx, r, &w.matrix, &random, &p), SU_USAGE);
    assert_non_null(strstr(ctx.message, "which records are one person's"));
    assert_int_equal(su_release_run(&ctx, r, &w.matrix, &random, NULL, NULL), SU_USAGE);
    su_release_free(r);
    o.contribution = SU_MAX_CONTRIBUTION + 1;
    assert_int_equal(su_release_plan(&ctx, NULL, w.columns, 2, &o, &r), SU_USAGE);
    assert_non_null(strstr(ctx.message, "at most 1000"));
    static const su_mechanism refused[] = { SU_MECHANISM_SDS, SU_MECHANISM_ROW_SEEDED, SU_MECHANISM_VALUE_SEEDED, SU_MECHANISM_UNSEEDED };
    for (size_t i = 0; i < 4; i++) {
        su_release_options peer = { .epsilon = 1, .length = 2, .k = 5, .contribution = 2, .mechanism = refused[i] };
        assert_int_equal(su_release_plan(&ctx, NULL, w.columns, 2, &peer, &r), SU_USAGE);
        assert_non_null(strstr(ctx.message, "protects one record"));
    }
    world_free(&w);
}

/* Codes in bytes: the same release, byte for byte, from every mechanism, with and without persons of several records; and the same records
 * for an evaluation to compare with. */
static void test_bytes_release_as_words(void **state)
{
    (void)state;
    enum { ROWS = 900 };
    static const uint32_t cards[] = { 4, 3, 2, 300, 2 };
    su_random random;
    world w;
    su_random_seeded(&random, SEED + 6);
    world_init(&w, ROWS, cards, 5, &random);
    su_matrix_column narrow[5];
    uint8_t *bytes[5];
    uint32_t *units = su_alloc_array(ROWS, sizeof *units);
    for (uint32_t i = 0; i < ROWS; i++) units[i] = (uint32_t)su_random_below(&random, 500);
    for (uint32_t c = 0; c < 5; c++) {
        narrow[c] = w.columns[c];
        bytes[c] = su_alloc_array(ROWS, 1);
        for (uint64_t i = 0; i < ROWS; i++) bytes[c][i] = (uint8_t)w.codes[c][i];
        if (cards[c] > 256) continue;
        narrow[c].bytes = bytes[c];
        narrow[c].codes = NULL;
    }
    for (int m = 0; m < SU_MECHANISM_COUNT; m++)
        for (uint32_t most = 0; most <= (m <= SU_MECHANISM_AIM ? 2 : 0); most += 2) {
            su_release_options o = { .epsilon = 8, .length = 2, .seconds = 0.1, .mechanism = (su_mechanism)m, .k = 3, .contribution = most };
            w.matrix.units = most ? units : NULL;
            w.matrix.columns = w.columns;
            su_release *words = world_release(&w, &o, 5, 1);
            w.matrix.columns = narrow;
            su_release *same = world_release(&w, &o, 5, 1);
            world_same_release(words, same);
            su_release_free(words);
            su_release_free(same);
        }
    su_context ctx;
    su_context_init(&ctx);
    w.matrix.units = units;
    su_code_matrix *kept[2] = { NULL, NULL };
    for (int k = 0; k < 2; k++) {
        w.matrix.columns = k ? narrow : w.columns;
        su_random_seeded(&random, SEED + 7);
        assert_int_equal(su_contribution_bound(&ctx, &w.matrix, 1, &random, &kept[k]), SU_OK);
    }
    assert_true(kept[0]->row_count == kept[1]->row_count && kept[0]->row_count < ROWS);
    for (uint32_t c = 0; c < 5; c++)
        assert_memory_equal(kept[0]->columns[c].codes, kept[1]->columns[c].codes, kept[0]->row_count * sizeof(uint16_t));
    su_code_matrix_free(kept[0]);
    su_code_matrix_free(kept[1]);
    for (uint32_t c = 0; c < 5; c++) free(bytes[c]);
    free(units);
    world_free(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sensitivity_over_persons),
        cmocka_unit_test(test_cost_of_a_person),
        cmocka_unit_test(test_noise_is_as_wide),
        cmocka_unit_test(test_uniform_choice),
        cmocka_unit_test(test_ten_thousand_records_of_one),
        cmocka_unit_test(test_bytes_release_as_words),
        cmocka_unit_test(test_errors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
