/* pgm_test: what the tests of mst and aim share. */
#ifndef SU_TEST_PGM_H
#define SU_TEST_PGM_H

#include "../su_test.h"
#include "world.h"

#include <math.h>

/* The noise of all tables costs less than rho (the rest went into choosing), and rho is what epsilon allows. */
SU_TEST_UNUSED static void pgm_check_budget(const su_release *r)
{
    long double sum = 0;
    for (size_t t = 0; t < r->table_count; t++)
        sum += (long double)r->tables[t].variance.den / (2 * (long double)r->tables[t].variance.num);
    assert_true(sum <= (long double)r->rho);
    assert_true(sum > 0.5L * (long double)r->rho);
    assert_true(r->rho <= su_zcdp_rho(r->options.epsilon, r->options.delta));
    assert_true(r->epsilon_stated <= r->options.epsilon * (1 + 1e-12));
}

SU_TEST_UNUSED static const su_aggregate *pgm_single(const su_release *r, uint32_t column, uint32_t value)
{
    for (size_t i = 0; i < r->aggregate_count && r->aggregates[i].length == 1; i++)
        if (r->aggregates[i].at[0].column == column && r->aggregates[i].at[0].value == value) return &r->aggregates[i];
    return NULL;
}

/* Order, ranges, parents; without rare_values no record shows a value that is not reported. */
SU_TEST_UNUSED static void pgm_check_release(const su_release *r)
{
    for (size_t i = 0; i < r->aggregate_count; i++) {
        const su_aggregate *a = &r->aggregates[i];
        assert_in_range(a->length, 1, r->options.length);
        assert_true(a->count >= 1 && a->ci_low <= (double)a->count && (double)a->count <= a->ci_high && a->ci_low >= 0);
        for (uint32_t k = 0; k < a->length; k++) {
            assert_true(a->at[k].value >= 1 && a->at[k].value < r->columns[a->at[k].column].card);
            assert_true(k == 0 || a->at[k].column > a->at[k - 1].column);
            const su_aggregate *part = pgm_single(r, a->at[k].column, a->at[k].value);
            assert_true(part && part->count >= a->count);
        }
        assert_true(i == 0 || r->aggregates[i - 1].length <= a->length);
    }
    for (uint32_t c = 0; c < r->column_count; c++) {
        bool *shown = su_alloc_array(r->columns[c].card, sizeof *shown);
        for (uint32_t v = 0; v < r->columns[c].card; v++) shown[v] = v == 0 || r->options.rare_values || pgm_single(r, c, v);
        for (uint64_t i = 0; i < r->record_count; i++) assert_true(r->records[c][i] < r->columns[c].card && shown[r->records[c][i]]);
        free(shown);
    }
}

SU_TEST_UNUSED static void pgm_check_exact(su_mechanism mechanism)
{
    static const uint32_t card[5] = { 7, 2, 5, 3, 4 };
    su_random random;
    su_test_random(&random);
    world w;
    world_init(&w, 4000, card, 5, &random);
    for (int rare = 0; rare < 2; rare++) {
        su_release *r =
            world_release(&w, &(su_release_options) { .mechanism = mechanism, .epsilon = 100, .length = 2, .rare_values = rare }, 9, 1);
        size_t pairs = 0;
        for (size_t i = 0; i < r->aggregate_count; i++) {
            const su_aggregate *a = &r->aggregates[i];
            double off = fabs((double)world_count(&w, a->at, a->length) - (double)a->count);
            if (off > 12) fail_msg("count %llu is off by %g", (unsigned long long)a->count, off);
            if (a->length < 2) continue;
            bool measured = false;
            for (size_t t = 0; t < r->table_count; t++)
                measured = measured || (r->tables[t].length == 2 && r->tables[t].columns[0] == a->at[0].column &&
                                        r->tables[t].columns[1] == a->at[1].column);
            assert_true(measured);
            pairs++;
        }
        assert_true(pairs >= 4);
        assert_true(fabs(r->total_estimate - 4000) < 30 && r->total_ci_low <= r->total_estimate && r->total_estimate <= r->total_ci_high);
        for (uint32_t c = 0; c < 5; c++)
            for (uint32_t v = 1; v < card[c]; v++) { /* not 0: records without any value are not printed */
                double off = 0;
                for (uint64_t i = 0; i < r->record_count; i++) off += r->records[c][i] == v;
                for (uint64_t i = 0; i < 4000; i++) off -= w.codes[c][i] == v;
                if (fabs(off) >= 30) fail_msg("column %u, value %u: %g records too many (rare_values %d)", c, v, off, rare);
            }
        pgm_check_release(r);
        su_release_free(r);
    }
    world_free(&w);
}

SU_TEST_UNUSED static void pgm_check_threads(su_mechanism mechanism)
{
    static const uint32_t card[8] = { 7, 2, 5, 3, 4, 2, 2, 12 };
    su_random random;
    su_test_random(&random);
    world w;
    world_init(&w, 2000, card, 8, &random);
    su_release_options o = { .mechanism = mechanism, .epsilon = 2, .length = 2 };
    su_release *a = world_release(&w, &o, 5, 1), *b = world_release(&w, &o, 5, 2), *c = world_release(&w, &o, 6, 1);
    world_same_release(a, b);
    assert_true(a->total_estimate != c->total_estimate);
    assert_false(a->private_noise);
    su_release_free(a);
    su_release_free(b);
    su_release_free(c);
    world_free(&w);
    /* Tables and nodes large enough that threads share one. */
    static const uint32_t wide[5] = { 40, 36, 30, 24, 12 };
    world_init(&w, 3000, wide, 5, &random);
    o.epsilon = 20;
    a = world_release(&w, &o, 7, 1);
    for (unsigned threads = 2; threads <= 3; threads++) {
        b = world_release(&w, &o, 7, threads);
        world_same_release(a, b);
        su_release_free(b);
    }
    su_release_free(a);
    world_free(&w);
}

/* One column, columns of one code, no record, one record, fewer records than noise. */
SU_TEST_UNUSED static void pgm_check_small_worlds(su_mechanism mechanism)
{
    su_random random;
    su_test_random(&random);
    static const uint32_t card[4][4] = { { 5, 0, 0, 0 }, { 1, 3, 0, 0 }, { 1, 1, 1, 1 }, { 2, 40, 2, 3 } };
    static const uint32_t columns[4] = { 1, 2, 4, 4 };
    for (int shape = 0; shape < 4; shape++)
        for (uint64_t rows = 0; rows <= 30; rows += rows < 2 ? 1 : 28)
            for (int k = 0; k < 12; k++) {
                world w;
                world_init(&w, rows, card[shape], columns[shape], &random);
                su_release_options o = {
                    .mechanism = mechanism, .epsilon = k % 3 ? 1 : 50, .length = 1 + (uint32_t)k % 3, .rare_values = k % 2
                };
                su_release *r = world_release(&w, &o, (uint64_t)k, 1);
                pgm_check_budget(r);
                pgm_check_release(r);
                su_release_free(r);
                world_free(&w);
            }
}

#endif
