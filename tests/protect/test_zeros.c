/* Structural zeros (docs/methods/structural-zeros.md): sensitivity, least squares under conditions, releases of all mechanisms. */
#include "dp/gate.h"
#include "pgm/pgm.h"
#include "prepare.h"
#include "ruled.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* One record more, also one that breaks every rule: at most one cell of a table, by 1, and never an impossible one. */
static void test_sensitivity(void **state)
{
    (void)state;
    su_random random;
    su_context ctx;
    su_context_init(&ctx);
    su_random_seeded(&random, RULED_SEED + 3);
    for (int i = 0; i < 150; i++) {
        world w;
        ruled x;
        chain(&x, &w, su_random_below(&random, 40), &random);
        su_release *r = plan_of(&x, &w, SU_MECHANISM_RESIDUAL, 1);
        su_measurement *m[2];
        for (int k = 0; k < 2; k++) {
            su_prepared p;
            assert_int_equal(su_prepare(&ctx, r, &w.matrix, &random, &p), SU_OK);
            assert_int_equal(su_release_measure_exact(&ctx, r, &p.matrix, &m[k]), SU_OK);
            su_prepared_free(&p);
            uint16_t record[4];
            for (uint32_t c = 0; c < 4; c++) record[c] = (uint16_t)su_random_below(&random, w.columns[c].card);
            if (k == 0) world_append(&w, record);
        }
        for (size_t t = 0; t < r->table_count; t++) {
            uint8_t *mark = su_zeros_of(r, r->tables[t].columns, r->tables[t].length, r->tables[t].cells);
            int64_t moved = 0;
            uint64_t impossible = 0;
            for (uint64_t c = 0; c < r->tables[t].cells; c++) {
                moved += llabs(m[1]->cells[t][c] - m[0]->cells[t][c]);
                impossible += mark && mark[c] == SU_CELL_IMPOSSIBLE;
                assert_true(!mark || mark[c] != SU_CELL_IMPOSSIBLE || m[1]->cells[t][c] == 0);
            }
            assert_int_equal(moved, 1);
            assert_int_equal(impossible, r->tables[t].impossible);
            free(mark);
        }
        su_measurement_free(m[0]);
        su_measurement_free(m[1]);
        su_release_free(r);
        ruled_free(&x);
        world_free(&w);
    }
}

/* ---- least squares beside a dense solution */

#define JOINT 144 /* 4 * 3 * 3 * 4 */

static uint32_t cell_of(const world *w, const uint32_t *columns, uint32_t n, uint32_t joint)
{
    uint32_t value[4], cell = 0;
    for (uint32_t c = 4; c-- > 0; joint /= w->columns[c].card) value[c] = joint % w->columns[c].card;
    for (uint32_t k = 0; k < n; k++) cell = cell * w->columns[columns[k]].card + value[columns[k]];
    return cell;
}

static void solve(double (*a)[JOINT + 1])
{
    for (int i = 0; i < JOINT; i++) {
        int best = i;
        for (int k = i; k < JOINT; k++) best = fabs(a[k][i]) > fabs(a[best][i]) ? k : best;
        for (int j = 0; j <= JOINT; j++) {
            double keep = a[i][j];
            a[i][j] = a[best][j];
            a[best][j] = keep;
        }
        for (int k = 0; k < JOINT; k++) {
            double f = k == i ? 0 : a[k][i] / a[i][i];
            for (int j = i; f != 0 && j <= JOINT; j++) a[k][j] -= f * a[i][j];
        }
    }
    for (int i = 0; i < JOINT; i++) a[i][JOINT] /= a[i][i];
}

/* All joint cells are unknowns; a table's cell is an equation of its precision, an impossible one is 0 at ten million times that. */
static void dense(const world *w, const su_release *r, const su_measurement *m, double *joint)
{
    double(*a)[JOINT + 1] = calloc(JOINT, sizeof *a);
    for (uint32_t i = 0; i < JOINT; i++) a[i][i] = 1e-10;
    for (size_t t = 0; t < r->table_count; t++) {
        const su_release_table *table = &r->tables[t];
        uint8_t *mark = su_alloc(table->cells);
        su_rules_mark(r->rules, r->columns, table->columns, table->length, mark);
        double precision = 1 / su_discrete_gaussian_variance(table->variance);
        for (uint32_t i = 0; i < JOINT; i++) {
            uint32_t cell = cell_of(w, table->columns, table->length, i);
            double weight = mark[cell] ? 1e7 * precision : precision;
            for (uint32_t k = 0; k < JOINT; k++) a[i][k] += cell_of(w, table->columns, table->length, k) == cell ? weight : 0;
            a[i][JOINT] += mark[cell] ? 0 : weight * (double)m->cells[t][cell];
        }
        free(mark);
    }
    solve(a);
    for (uint32_t i = 0; i < JOINT; i++) joint[i] = a[i][JOINT];
    free(a);
}

static void test_least_squares(void **state)
{
    (void)state;
    su_context ctx;
    su_context_init(&ctx);
    su_random random;
    su_random_seeded(&random, RULED_SEED + 4);
    world w;
    ruled x;
    chain(&x, &w, 500, &random);
    su_release *r = plan_of(&x, &w, SU_MECHANISM_RESIDUAL, 1);
    su_measurement *noisy = NULL;
    su_lattice l;
    su_estimates e;
    double joint[JOINT], worst = 0, largest = 0;
    assert_int_equal(su_release_measure(&ctx, r, &w.matrix, &random, &noisy), SU_OK);
    su_lattice_init(&l, r);
    su_estimates_init(&e, r, &l, noisy);
    dense(&w, r, noisy, joint);
    for (uint32_t s = 0; s < l.set_count; s++) {
        const su_subset *set = &l.sets[s];
        double *sum = su_alloc_array(set->cells, sizeof *sum);
        for (uint32_t i = 0; i < JOINT; i++) sum[cell_of(&w, set->columns, set->length, i)] += joint[i];
        uint8_t *mark = su_zeros_of(r, set->columns, set->length, set->cells);
        for (size_t c = 0; c < set->cells; c++) {
            worst = fmax(worst, fabs(sum[c] - e.cell[set->offset + c]));
            largest = fmax(largest, fabs(sum[c]));
            assert_true(!mark || mark[c] != SU_CELL_IMPOSSIBLE || e.cell[set->offset + c] == 0);
        }
        free(mark);
        free(sum);
    }
    print_message("# worst difference to the dense solution %.2g, largest cell %.0f\n", worst, largest);
    assert_true(worst < 1e-3);
    su_estimates_free(&e);
    su_lattice_free(&l);
    su_measurement_free(noisy);
    su_release_free(r);
    ruled_free(&x);
    world_free(&w);
}

/* ---- releases */

static void test_noise_on_possible_cells_only(void **state)
{
    (void)state;
    su_context ctx;
    su_context_init(&ctx);
    su_random random;
    su_random_seeded(&random, RULED_SEED + 5);
    world w;
    ruled x;
    chain(&x, &w, 100, &random);
    su_release *r = plan_of(&x, &w, SU_MECHANISM_RESIDUAL, 0.2);
    su_measurement *noisy = NULL;
    uint64_t impossible = 0, moved = 0;
    assert_int_equal(su_release_measure(&ctx, r, &w.matrix, &random, &noisy), SU_OK);
    for (size_t t = 0; t < r->table_count; t++) {
        uint8_t *mark = su_zeros_of(r, r->tables[t].columns, r->tables[t].length, r->tables[t].cells);
        for (uint64_t c = 0; mark && c < r->tables[t].cells; c++) {
            impossible += mark[c] == SU_CELL_IMPOSSIBLE;
            assert_true(mark[c] != SU_CELL_IMPOSSIBLE || noisy->cells[t][c] == 0);
            moved += noisy->cells[t][c] != 0;
        }
        free(mark);
    }
    assert_true(impossible > 20 && moved > 40);
    su_measurement_free(noisy);
    su_release_free(r);
    ruled_free(&x);
    world_free(&w);
}

static const su_aggregate *find(const su_release *r, const su_attribute *at, uint32_t n)
{
    for (size_t i = 0; i < r->aggregate_count; i++)
        if (r->aggregates[i].length == n && memcmp(r->aggregates[i].at, at, n * sizeof *at) == 0) return &r->aggregates[i];
    return NULL;
}

/* What is forced counts as many as what forces it, whatever its own table says; what is not forced needs evidence. */
static void test_forced_without_evidence(void **state)
{
    (void)state;
    su_context ctx;
    su_context_init(&ctx);
    su_random random;
    su_random_seeded(&random, RULED_SEED + 8);
    world w;
    ruled x;
    chain(&x, &w, 2000, &random);
    su_release *r = plan_of(&x, &w, SU_MECHANISM_RESIDUAL, 2);
    su_measurement *noisy = NULL;
    su_lattice l;
    su_estimates e;
    uint64_t suppressed[SU_MAX_LENGTH + 1] = { 0 }, forced = 0, others = 0;
    assert_int_equal(su_release_measure(&ctx, r, &w.matrix, &random, &noisy), SU_OK);
    su_lattice_init(&l, r);
    su_estimates_init(&e, r, &l, noisy);
    for (uint32_t s = l.first[2]; s < l.first[3]; s++)
        for (size_t c = 0; c < l.sets[s].cells; c++) {
            e.cell[l.sets[s].offset + c] = 0;
            if (e.plain) e.plain[l.sets[s].offset + c] = 0;
        }
    uint32_t *count = su_alloc_array(l.cells, sizeof *count);
    for (uint32_t length = 0; length <= 2; length++) su_gate_length(r, &l, &e, length, NULL, count, suppressed);
    for (uint32_t s = l.first[2]; s < l.first[3]; s++) {
        const su_subset *set = &l.sets[s], *first = &l.sets[set->parent[1]], *second = &l.sets[set->parent[0]];
        uint8_t *mark = su_zeros_of(r, set->columns, 2, set->cells);
        for (size_t c = 0; c < set->cells; c++) {
            size_t a = c / set->card[1], b = c % set->card[1];
            uint32_t most = count[first->offset + a] < count[second->offset + b] ? count[first->offset + a] : count[second->offset + b];
            if (a == 0 || b == 0) continue;
            assert_int_equal(count[set->offset + c], mark && mark[c] == SU_CELL_FORCED ? most : 0);
            forced += mark && mark[c] == SU_CELL_FORCED && most > 0;
            others += !mark || mark[c] == SU_CELL_POSSIBLE;
        }
        free(mark);
    }
    assert_true(forced > 0 && others > 0);
    free(count);
    su_estimates_free(&e);
    su_lattice_free(&l);
    su_measurement_free(noisy);
    su_release_free(r);
    ruled_free(&x);
    world_free(&w);
}

/* All mechanisms, on records most of which break the rules: nothing impossible comes out. */
static void test_no_mechanism_breaks_a_rule(void **state)
{
    (void)state;
    su_context ctx;
    su_context_init(&ctx);
    su_random random;
    su_random_seeded(&random, RULED_SEED + 6);
    for (su_mechanism mechanism = 0; mechanism < SU_MECHANISM_COUNT; mechanism++) {
        world w;
        ruled x;
        chain(&x, &w, 2000, &random);
        su_release *r = plan_of(&x, &w, mechanism, 2);
        if (su_release_run(&ctx, r, &w.matrix, &random, NULL, NULL)) fail_msg("%s", ctx.message);
        assert_true(r->record_count > 500 && r->aggregate_count > 10);
        for (uint64_t i = 0; i < r->record_count; i++) {
            uint16_t record[4] = { r->records[0][i], r->records[1][i], r->records[2][i], r->records[3][i] };
            assert_true(obeys(&x, record));
        }
        for (size_t i = 0; i < r->aggregate_count; i++) {
            const su_aggregate *a = &r->aggregates[i];
            for (uint32_t p = 0; p < a->length; p++)
                for (uint32_t q = p + 1; q < a->length; q++)
                    assert_true(su_rules_allow(r->rules, a->at[p].column, a->at[p].value, a->at[q].column, a->at[q].value));
        }
        /* What is forced is reported with what forces it. */
        const su_aggregate *part = find(r, (su_attribute[]) { { 0, 1 } }, 1), *whole = find(r, (su_attribute[]) { { 0, 1 }, { 1, 1 } }, 2);
        if (mechanism == SU_MECHANISM_RESIDUAL) {
            assert_non_null(part);
            assert_non_null(whole);
            assert_true(whole->count <= part->count && whole->count + 3 >= part->count);
        }
        su_release_free(r);
        ruled_free(&x);
        world_free(&w);
    }
}

/* mst and aim know the rules themselves: their records hardly need the repair that follows. The same records from a release that was
 * planned without the rules (so that nothing tells the model) need it often. */
static void test_model_knows_the_rules(void **state)
{
    (void)state;
    su_context ctx;
    su_context_init(&ctx);
    su_random random;
    su_random_seeded(&random, RULED_SEED + 7);
    for (su_mechanism mechanism = SU_MECHANISM_MST; mechanism <= SU_MECHANISM_AIM; mechanism++) {
        uint64_t broken[2] = { 0 }, all[2] = { 0 };
        for (int round = 0; round < 10; round++) {
            world w;
            ruled x;
            chain(&x, &w, 2000, &random);
            for (int told = 0; told < 2; told++) {
                su_release *r = plan_of(&x, &w, mechanism, 0.5);
                su_prepared ready;
                const su_rules *rules = r->rules;
                if (su_prepare(&ctx, r, &w.matrix, &random, &ready)) fail_msg("%s", ctx.message);
                if (!told) r->rules = NULL;
                su_mechanism_run run = mechanism == SU_MECHANISM_MST ? su_run_mst : su_run_aim;
                if (run(&ctx, r, &ready.matrix, &random, &(su_measured_hook) { 0 })) fail_msg("%s", ctx.message);
                all[told] += r->record_count;
                for (uint64_t i = 0; i < r->record_count; i++) broken[told] += su_rules_broken(rules, r->records, i);
                su_prepared_free(&ready);
                su_release_free(r);
            }
            ruled_free(&x);
            world_free(&w);
        }
        print_message("# %s, records that break a rule before repair: %.3f %% told of the rules, %.2f %% not\n",
                      su_mechanism_name(mechanism), 100.0 * (double)broken[1] / (double)all[1], 100.0 * (double)broken[0] / (double)all[0]);
        assert_true((double)broken[1] < 0.005 * (double)all[1]);
        assert_true((double)broken[0] > 0.01 * (double)all[0]);
    }
}

/* Ten seeds: knowing what cannot be makes the rest more exact. */
static void test_rules_help(void **state)
{
    (void)state;
    su_context ctx;
    su_context_init(&ctx);
    double with = 0, without = 0;
    for (uint64_t s = 0; s < 10; s++) {
        su_random random;
        world w;
        ruled x;
        su_random_seeded(&random, RULED_SEED + 100 + s);
        chain(&x, &w, 3000, &random);
        su_release *r = plan_of(&x, &w, SU_MECHANISM_RESIDUAL, 0.5);
        su_prepared p;
        assert_int_equal(su_prepare(&ctx, r, &w.matrix, &random, &p), SU_OK); /* the truth that rules describe */
        for (int k = 0; k < 2; k++) {
            su_evaluation e;
            uint32_t keep = x.schema.rule_count;
            x.schema.rule_count = k ? keep : 0;
            su_release *one = plan_of(&x, &w, SU_MECHANISM_RESIDUAL, 0.5);
            x.schema.rule_count = keep;
            su_random noise;
            su_random_seeded(&noise, RULED_SEED + 200 + s);
            if (su_release_run(&ctx, one, &p.matrix, &noise, NULL, NULL)) fail_msg("%s", ctx.message);
            if (su_release_evaluate(&ctx, one, &p.matrix, &e)) fail_msg("%s", ctx.message);
            *(k ? &with : &without) += e.aggregates[0].error_union / 10;
            su_release_free(one);
        }
        su_prepared_free(&p);
        su_release_free(r);
        ruled_free(&x);
        world_free(&w);
    }
    print_message("# union error of counts without rules %.2f, with rules %.2f\n", without, with);
    assert_true(with < 0.9 * without);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sensitivity),
        cmocka_unit_test(test_least_squares),
        cmocka_unit_test(test_noise_on_possible_cells_only),
        cmocka_unit_test(test_forced_without_evidence),
        cmocka_unit_test(test_no_mechanism_breaks_a_rule),
        cmocka_unit_test(test_model_knows_the_rules),
        cmocka_unit_test(test_rules_help),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
