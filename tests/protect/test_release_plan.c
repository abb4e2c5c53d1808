/* The plan: workload, budget, refusals, and that nothing but public facts enters it. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "world.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SEED 77

static su_status plan_of(su_context *ctx, const uint32_t *card, uint32_t count, const su_release_options *o, su_release **out)
{
    su_matrix_column columns[64];
    assert_true(count <= 64);
    for (uint32_t c = 0; c < count; c++) {
        columns[c] = (su_matrix_column) { .name = "column", .card = card[c] };
    }
    return su_release_plan(ctx, NULL, columns, count, o, out);
}

static bool holds(const uint32_t *larger, uint32_t larger_length, const uint32_t *set, uint32_t length)
{
    uint32_t found = 0;
    for (uint32_t i = 0; i < larger_length && found < length; i++) {
        found += larger[i] == set[found];
    }
    return found == length;
}

/* Every set of up to R columns is inside a measured table, or is listed as dropped; measured tables respect the limit; one that is inside
 * another says so, none is there twice; dropped ones are too large. */
static void assert_workload(const su_release *r, const uint32_t *card, uint32_t d)
{
    for (uint32_t set = 1; set < UINT32_C(1) << d; set++) {
        uint32_t columns[16], length = 0, covered = 0, dropped = 0;
        uint64_t cells = 1;
        for (uint32_t c = 0; c < d; c++) {
            if (set >> c & 1) {
                columns[length++] = c;
                cells *= card[c];
            }
        }
        if (length > r->options.length) {
            continue;
        }
        for (size_t t = 0; t < r->table_count; t++) {
            covered += holds(r->tables[t].columns, r->tables[t].length, columns, length);
        }
        for (size_t t = 0; t < r->dropped_count; t++) {
            dropped += r->dropped[t].length == length && memcmp(r->dropped[t].columns, columns, length * sizeof *columns) == 0;
        }
        assert_true((covered > 0) == (dropped == 0) && dropped <= 1);
        assert_true(dropped == 0 || cells > r->options.max_table_cells);
    }
    for (size_t t = 0; t < r->table_count; t++) {
        assert_true(r->tables[t].cells <= r->options.max_table_cells);
        bool inside = false;
        for (size_t u = 0; u < r->table_count; u++) {
            bool held = u != t && holds(r->tables[u].columns, r->tables[u].length, r->tables[t].columns, r->tables[t].length);
            assert_true(!held || r->tables[u].length > r->tables[t].length);
            inside |= held;
        }
        assert_true(inside == r->tables[t].inside_larger && r->tables[t].share > 0);
    }
}

static void test_workload(void **state)
{
    (void)state;
    su_context ctx;
    su_context_init(&ctx);
    su_random random;
    su_random_seeded(&random, SEED);
    for (int i = 0; i < 200; i++) {
        uint32_t card[8], d = 1 + (uint32_t)su_random_below(&random, 8);
        for (uint32_t c = 0; c < d; c++) {
            card[c] = 1 + (uint32_t)su_random_below(&random, su_random_below(&random, 3) ? 5 : 40);
        }
        su_release_options o = { .epsilon = 1,
                                 .length = 1 + (uint32_t)su_random_below(&random, 4),
                                 .max_table_cells = 1 + su_random_below(&random, 300) };
        su_release *r = NULL;
        su_status status = plan_of(&ctx, card, d, &o, &r);
        if (status) {
            assert_int_equal(status, SU_REFUSED);
            for (uint32_t c = 0; c < d; c++) {
                assert_true(card[c] > o.max_table_cells);
            }
            continue;
        }
        assert_workload(r, card, d);
        su_release_free(r);
    }
}

/* The schema of the 2024 synthetic data: country by country is measured as a pair, nothing else is lost but its combinations. */
static void test_two_country_columns(void **state)
{
    (void)state;
    su_context ctx;
    su_context_init(&ctx);
    uint32_t card[27] = { 22, 4, 10, 250, 250, 4 };
    for (int c = 6; c < 27; c++) {
        card[c] = 2;
    }
    su_release_options o = { .epsilon = 4, .length = 3 };
    su_release *r = NULL;
    assert_int_equal(plan_of(&ctx, card, 27, &o, &r), SU_OK);
    assert_int_equal(r->dropped_count, 25);
    size_t outer = 0, pair = 0;
    for (size_t t = 0; t < r->table_count; t++) {
        outer += !r->tables[t].inside_larger;
        pair = !r->tables[t].inside_larger && r->tables[t].length == 2 ? t : pair;
    }
    assert_int_equal(outer, 2925 - 25 + 1);
    assert_true(r->tables[pair].length == 2 && r->tables[pair].columns[0] == 3 && r->tables[pair].columns[1] == 4);
    for (size_t t = 0; t < r->dropped_count; t++) {
        assert_true(r->dropped[t].length == 3 && holds(r->dropped[t].columns, 3, (uint32_t[]) { 3, 4 }, 2));
    }
    su_release_free(r);
}

/* Spent budget in long double from the outside; shares in proportion; the stated epsilon holds by the accountant it names, is never above
 * the one asked for, and no weaker than what zCDP alone would have bought. */
static void assert_budget(const su_release *r, const uint32_t *card, double epsilon, double delta)
{
    su_noise *noise = su_alloc_array(r->table_count, sizeof *noise);
    long double spent = 0, shares = 0;
    double first[SU_MAX_LENGTH + 1] = { 0 }; /* share of a cell's root, per length of the tables inside larger ones; 0: the others */
    for (size_t t = 0; t < r->table_count; t++) {
        const su_release_table *table = &r->tables[t];
        assert_true(table->variance.den >= 1 && table->variance.den <= 65536);
        long double cost = (long double)table->variance.den / (2 * (long double)table->variance.num);
        assert_true(cost <= r->rho * table->share * (1 + 1e-3) && cost >= r->rho * table->share * (1 - 1e-3));
        spent += cost;
        shares += table->share;
        double cells = 1;
        for (uint32_t i = 0; i < table->length; i++) {
            cells *= card[table->columns[i]] > 1 ? card[table->columns[i]] - 1 : 1;
        }
        double *root = &first[table->inside_larger ? table->length : 0], here = table->share / sqrt(cells);
        *root = *root > 0 ? *root : here;
        assert_true(fabs(here / *root - 1) < 0.016);
        noise[t] = (su_noise) { table->variance, 1 };
    }
    assert_true(spent <= r->rho && spent >= r->rho * (1 - 1e-12L) && fabsl(shares - 1) < 1e-12);
    assert_true(r->epsilon_stated <= epsilon && r->epsilon_stated >= epsilon * (1 - 1e-3) && r->options.delta == delta);
    assert_true(su_noise_delta(noise, r->table_count, epsilon) <= delta);
    assert_true(su_noise_delta(noise, r->table_count, r->epsilon_stated) <= delta * (1 + 1e-6));
    assert_true(r->accountant == SU_ACCOUNTANT_PLD ? su_zcdp_delta(r->rho, r->epsilon_stated) > delta
                                                   : su_zcdp_delta(r->rho, r->epsilon_stated) <= delta);
    assert_true(r->rho >= su_zcdp_rho(epsilon, delta) * (1 - 1e-3));
    assert_true(sqrt(su_gaussian_rho(epsilon, delta) / r->rho) <= 1.002); /* sigma above exact accounting of continuous noise: goal P2 */
    free(noise);
}

static void test_budget(void **state)
{
    (void)state;
    su_context ctx;
    su_context_init(&ctx);
    static const double epsilons[] = { 0.05, 0.5, 1, 4, 12 }, deltas[] = { 0, 1e-12, 5.8e-6, 1e-3 };
    static const uint32_t card[] = { 22, 5, 10, 61, 1, 2, 2, 2 };
    for (size_t e = 0; e < 5; e++) {
        for (size_t d = 0; d < 4; d++) {
            su_release_options o = { .epsilon = epsilons[e], .delta = deltas[d], .length = 3 };
            su_release *r = NULL;
            assert_int_equal(plan_of(&ctx, card, 8, &o, &r), SU_OK);
            assert_budget(r, card, epsilons[e], deltas[d] > 0 ? deltas[d] : 1e-9);
            su_release_free(r);
        }
    }
}

/* Sum of k log(mean variance of a cell of k columns) by the formula of docs/methods/residual-gls.md, set by set, with share[t] of the budget on table t. */
static double badness(const su_release *r, const double *share, const uint32_t *card, uint32_t d, uint32_t length)
{
    double sum[SU_MAX_LENGTH + 1] = { 0 }, sets[SU_MAX_LENGTH + 1] = { 0 }, total = 0;
    for (uint32_t m = 1; m < UINT32_C(1) << d; m++) {
        uint32_t k = (uint32_t)__builtin_popcount(m);
        double variance = 0;
        for (uint32_t part = m;; part = (part - 1) & m) {
            double precision = 0, weight = 1;
            for (size_t t = 0; t < r->table_count; t++) {
                uint32_t columns = 0;
                double out = 1;
                for (uint32_t i = 0; i < r->tables[t].length; i++) {
                    columns |= UINT32_C(1) << r->tables[t].columns[i];
                    out *= part >> r->tables[t].columns[i] & 1 ? 1 : card[r->tables[t].columns[i]];
                }
                precision += (columns & part) == part ? share[t] / out : 0;
            }
            for (uint32_t c = 0; c < d; c++) {
                double n = card[c];
                weight *= part >> c & 1 ? 1 - 1 / n : m >> c & 1 ? 1 / (n * n) : 1;
            }
            variance += weight / precision;
            if (part == 0) {
                break;
            }
        }
        if (k <= length) {
            sum[k] += variance;
            sets[k]++;
        }
    }
    for (uint32_t k = 1; k <= length; k++) {
        total += k * log(sum[k] / sets[k]);
    }
    return total;
}

/* No tenth of the budget moved from one length to another makes it better; with a long list of codes, single columns get a part. */
static void test_division(void **state)
{
    (void)state;
    su_context ctx;
    su_context_init(&ctx);
    static const uint32_t cards[][5] = { { 200, 5, 10, 3, 2 }, { 2, 2, 2, 2, 2 }, { 40, 30, 2, 2, 2 } };
    for (size_t w = 0; w < 3; w++) {
        su_release_options o = { .epsilon = 1, .length = 3 };
        su_release *r = NULL;
        assert_int_equal(plan_of(&ctx, cards[w], 5, &o, &r), SU_OK);
        double group[4] = { 0 }, *share = su_alloc_array(r->table_count, sizeof *share);
        for (size_t t = 0; t < r->table_count; t++) {
            share[t] = r->tables[t].share;
            group[r->tables[t].inside_larger ? r->tables[t].length : 0] += share[t];
        }
        double best = badness(r, share, cards[w], 5, 3);
        assert_true(w > 0 || group[1] > 0.01);
        assert_true(group[0] > 0.499);
        for (int from = 0; from < 3; from++) {
            for (int to = 0; to < 3; to++) {
                if (from == to || group[from] < 0.1 || group[to] == 0 || (from == 0 && group[0] < 0.6)) {
                    continue;
                }
                for (size_t t = 0; t < r->table_count; t++) {
                    int g = r->tables[t].inside_larger ? (int)r->tables[t].length : 0;
                    share[t] = r->tables[t].share * (g == from ? 1 - 0.1 / group[g] : g == to ? 1 + 0.1 / group[g] : 1);
                }
                assert_true(badness(r, share, cards[w], 5, 3) > best - 1e-3);
            }
        }
        free(share);
        su_release_free(r);
    }
}

/* What a ledger has left is never exceeded, and a plan held back by it states the smaller epsilon it really has. */
static void test_budget_left(void **state)
{
    (void)state;
    su_context ctx;
    su_context_init(&ctx);
    static const uint32_t card[] = { 22, 5, 10 };
    double left = su_zcdp_rho(4, 1e-9);
    su_release_options o = { .epsilon = 4, .length = 2, .rho_most = left };
    su_release *r = NULL, *tight = NULL;
    assert_int_equal(plan_of(&ctx, card, 3, &o, &r), SU_OK);
    assert_true(r->rho <= left && r->rho > left * (1 - 1e-3) && r->epsilon_stated < 3.9 && r->accountant == SU_ACCOUNTANT_PLD);
    o.rho_most = left / 100;
    assert_int_equal(plan_of(&ctx, card, 3, &o, &tight), SU_OK);
    assert_true(tight->rho <= left / 100 && tight->epsilon_stated < 0.5);
    su_release_free(r);
    su_release_free(tight);
}

/* Few tables with little noise: the discrete law is no normal one there, either way; what is stated still holds and is never worse than
 * zCDP. */
static void test_budget_of_few_tables(void **state)
{
    (void)state;
    su_context ctx;
    su_context_init(&ctx);
    static const uint32_t card[] = { 2, 2, 2 };
    for (uint32_t count = 1; count <= 3; count++) {
        for (double epsilon = 0.1; epsilon <= 100; epsilon *= 1.7) {
            su_release_options o = { .epsilon = epsilon, .length = 1, .delta = 1e-6 };
            su_release *r = NULL;
            assert_int_equal(plan_of(&ctx, card, count, &o, &r), SU_OK);
            su_noise noise = { r->tables[0].variance, count };
            assert_true(r->epsilon_stated <= epsilon && su_noise_delta(&noise, 1, r->epsilon_stated) <= 1e-6 * (1 + 1e-6));
            assert_true(r->rho >= su_zcdp_rho(epsilon, 1e-6) * (1 - 1e-3));
            su_release_free(r);
        }
    }
}

static void assert_refused(su_release_options o, const uint32_t *card, uint32_t count, su_status want, const char *word)
{
    su_context ctx;
    su_context_init(&ctx);
    su_release *r = NULL;
    assert_int_equal(plan_of(&ctx, card, count, &o, &r), want);
    assert_null(r);
    if (!strstr(ctx.message, word)) {
        fail_msg("the message does not speak of \"%s\": %s", word, ctx.message);
    }
}

static void test_refusals(void **state)
{
    (void)state;
    static const uint32_t card[] = { 3, 4, 5 }, none[] = { 0, 2 }, many[] = { 70000, 2 };
    uint32_t wide[64];
    for (int c = 0; c < 64; c++) {
        wide[c] = 60;
    }
    static const double bad_epsilon[] = { 0, -1, 101, NAN, INFINITY }, bad_delta[] = { -1e-9, 0.01, NAN };
    for (size_t i = 0; i < 5; i++) {
        assert_refused((su_release_options) { .epsilon = bad_epsilon[i], .length = 2 }, card, 3, SU_USAGE, "epsilon");
    }
    for (size_t i = 0; i < 3; i++) {
        assert_refused((su_release_options) { .epsilon = 1, .length = 2, .delta = bad_delta[i] }, card, 3, SU_USAGE, "delta");
    }
    assert_refused((su_release_options) { .epsilon = 1, .length = 0 }, card, 3, SU_USAGE, "length");
    assert_refused((su_release_options) { .epsilon = 1, .length = 5 }, card, 3, SU_USAGE, "length");
    assert_refused((su_release_options) { .epsilon = 1, .length = 2, .seconds = NAN }, card, 3, SU_USAGE, "seconds");
    assert_refused((su_release_options) { .epsilon = 1, .length = 2, .rho_most = NAN }, card, 3, SU_USAGE, "spent");
    assert_refused((su_release_options) { .epsilon = 1, .length = 2, .rho_most = -1 }, card, 3, SU_USAGE, "spent");
    assert_refused((su_release_options) { .epsilon = 1, .length = 2, .rho_most = 1e-300 }, card, 3, SU_REFUSED, "standard deviation");
    assert_refused((su_release_options) { .epsilon = 1, .length = 2 }, card, 0, SU_REFUSED, "column");
    assert_refused((su_release_options) { .epsilon = 1, .length = 2 }, none, 2, SU_USAGE, "codes");
    assert_refused((su_release_options) { .epsilon = 1, .length = 2 }, many, 2, SU_USAGE, "codes");
    assert_refused((su_release_options) { .epsilon = 1, .length = 2, .max_table_cells = 2 }, card, 3, SU_REFUSED, "limit on table cells");
    assert_refused((su_release_options) { .epsilon = 1, .length = 3, .max_table_cells = UINT64_MAX }, wide, 64, SU_REFUSED, "cells in all");
    assert_refused((su_release_options) { .epsilon = 1e-7, .length = 3, .delta = 1e-12 }, wide, 20, SU_REFUSED, "standard deviation");
}

/* Options are resolved in the plan, names copied, and a length above the number of columns is harmless. */
static void test_small_schemas(void **state)
{
    (void)state;
    su_context ctx;
    su_context_init(&ctx);
    su_release *r = NULL;
    su_release_options o = { .epsilon = 1, .length = 4 };
    assert_int_equal(plan_of(&ctx, (uint32_t[]) { 2 }, 1, &o, &r), SU_OK);
    assert_true(r->table_count == 1 && r->tables[0].length == 1 && r->dropped_count == 0 && r->tables[0].share == 1);
    assert_true(r->gate[1] >= 3 && r->options.seconds > 0 && r->options.max_table_cells == 65536);
    assert_string_equal(r->columns[0].name, "column");
    su_release_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_workload),      cmocka_unit_test(test_two_country_columns),  cmocka_unit_test(test_budget),
        cmocka_unit_test(test_budget_left),   cmocka_unit_test(test_budget_of_few_tables), cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_small_schemas), cmocka_unit_test(test_division),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
