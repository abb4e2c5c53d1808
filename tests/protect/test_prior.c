/* An earlier release as public prior (docs/methods/public-prior.md). Two imaginary years; the first one's records, released, are the prior
 * of the second. */
#include "dp/prior.h"
#include "world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <string.h>

#define SEED 20261122
#define COLUMNS 8
#define ROWS 1500

static const uint32_t cards[COLUMNS] = { 12, 4, 9, 6, 2, 2, 2, 3 };

/* The second year: each record is the first year's with this chance in a hundred, else another one of the same population; or of a
 * population whose codes mean other things. */
static void second_year(const world *first, world *second, unsigned same, bool drifted, su_random *random)
{
    world_init(second, ROWS, cards, COLUMNS, random);
    for (uint64_t i = 0; i < ROWS; i++)
        for (uint32_t c = 0; c < COLUMNS; c++) {
            if (drifted && second->codes[c][i]) second->codes[c][i] = (uint16_t)(cards[c] - second->codes[c][i]);
        }
    for (uint64_t i = 0; i < ROWS; i++) {
        if (su_random_below(random, 100) >= same) continue;
        for (uint32_t c = 0; c < COLUMNS; c++) second->codes[c][i] = first->codes[c][i];
    }
}

static su_release *release_of(const world *w, double epsilon, const su_public_records *prior, uint64_t seed)
{
    return world_release(w, &(su_release_options) { .epsilon = epsilon, .length = 2, .seconds = 0.05, .prior = prior }, seed, 0);
}

typedef struct errors {
    double aggregates, records, covered;
} errors;

static errors errors_of(const su_release *r, const world *w)
{
    su_context ctx;
    su_evaluation e;
    su_context_init(&ctx);
    assert_int_equal(su_release_evaluate(&ctx, r, &w->matrix, &e), SU_OK);
    return (errors) { e.aggregates[0].error_union, e.records[0].error_union, e.aggregates[0].coverage };
}

/* Means over ten pairs of years: without and with the prior, which was released with `known`; the new release has epsilon 1. */
static void two_years(double known, unsigned same, bool drifted, errors *without, errors *with, double *weight)
{
    *without = *with = (errors) { 0 };
    *weight = 0;
    for (uint64_t s = 0; s < 10; s++) {
        su_random random;
        world first, second;
        su_random_seeded(&random, SEED + s);
        world_init(&first, ROWS, cards, COLUMNS, &random);
        second_year(&first, &second, same, drifted, &random);
        su_release *before = release_of(&first, known, NULL, SEED + 100 + s);
        su_public_records prior = { before->record_count, (const uint16_t *const *)before->records };
        su_release *plain = release_of(&second, 1, NULL, SEED + 200 + s), *helped = release_of(&second, 1, &prior, SEED + 200 + s);
        errors a = errors_of(plain, &second), b = errors_of(helped, &second);
        assert_true(helped->epsilon_stated <= 1 && helped->rho <= 1.001 * plain->rho); /* nothing is charged for what is public */
        without->aggregates += a.aggregates / 10;
        without->records += a.records / 10;
        without->covered += a.covered / 10;
        with->aggregates += b.aggregates / 10;
        with->records += b.records / 10;
        with->covered += b.covered / 10;
        *weight += helped->prior_weight[2] / 10;
        su_release_free(before);
        su_release_free(plain);
        su_release_free(helped);
        world_free(&first);
        world_free(&second);
    }
    print_message("# prior of epsilon %g, overlap %u %%%s: union error of counts %.3f -> %.3f, of records %.3f -> %.3f, coverage %.3f -> "
                  "%.3f, weight of the data %.2f\n",
                  known, same, drifted ? ", drifted" : "", without->aggregates, with->aggregates, without->records, with->records,
                  without->covered, with->covered, *weight);
}

/* A prior released with a larger budget, with the same, and one about other people's lives, which costs next to nothing: the data outvote
 * it. Intervals do not rest on any. */
static void test_two_years(void **state)
{
    (void)state;
    errors without, with;
    double alike, weight, other;
    two_years(4, 90, false, &without, &with, &alike);
    assert_true(with.aggregates < 0.88 * without.aggregates && with.records < 0.88 * without.records);
    two_years(1, 90, false, &without, &with, &weight);
    assert_true(with.aggregates < 0.97 * without.aggregates && with.records < 0.97 * without.records);
    two_years(4, 0, true, &without, &with, &other);
    assert_true(with.aggregates < 1.05 * without.aggregates && with.records < 1.05 * without.records);
    assert_true(with.covered > 0.93 && other > alike);
}

/* The oracle, for two columns: margins and interaction of a table, each moved by the James-Stein share, written out. */
static void moved(const double *data, const double *known, double noise, double *out)
{
    enum { A = 7, B = 6 };
    double part[2][A + B + A * B];
    for (int k = 0; k < 2; k++) {
        const double *x = k ? known : data;
        double all = 0, *rows = part[k], *columns = part[k] + A, *both = part[k] + A + B;
        memset(part[k], 0, sizeof part[k]);
        for (int i = 0; i < A * B; i++) {
            all += x[i] / (A * B);
            rows[i / B] += x[i] / B;
            columns[i % B] += x[i] / A;
        }
        for (int i = 0; i < A * B; i++) both[i] = x[i] - rows[i / B] - columns[i % B] + all;
        for (int i = 0; i < A; i++) rows[i] -= all;
        for (int i = 0; i < B; i++) columns[i] -= all;
    }
    struct {
        int from, n, free, over;
    } parts[] = { { 0, A, A - 1, B }, { A, B, B - 1, A }, { A + B, A * B, (A - 1) * (B - 1), 1 } };
    double total = 0, kept[A + B + A * B];
    for (int i = 0; i < A * B; i++) total += data[i] / (A * B);
    for (int p = 0; p < 3; p++) {
        double distance = 0;
        for (int i = parts[p].from; i < parts[p].from + parts[p].n; i++) distance += pow(part[0][i] - part[1][i], 2);
        double share = fmax(0, 1 - (parts[p].free - 2) / (distance / (noise / parts[p].over)));
        for (int i = parts[p].from; i < parts[p].from + parts[p].n; i++) kept[i] = part[1][i] + share * (part[0][i] - part[1][i]);
    }
    for (int i = 0; i < A * B; i++) out[i] = total + kept[i / B] + kept[A + i % B] + kept[A + B + i];
}

static void test_weighing(void **state)
{
    (void)state;
    su_context ctx;
    su_context_init(&ctx);
    su_random random;
    su_random_seeded(&random, SEED + 50);
    world w, before;
    world_init(&w, 900, (uint32_t[]) { 7, 6 }, 2, &random);
    world_init(&before, 700, (uint32_t[]) { 7, 6 }, 2, &random);
    const uint16_t *codes[] = { before.codes[0], before.codes[1] };
    su_public_records prior = { 700, codes };
    su_release_options o = { .epsilon = 0.5, .length = 2, .prior = &prior };
    su_release *r = NULL;
    su_measurement *noisy = NULL;
    su_lattice l;
    su_estimates e;
    double data[42], known[42] = { 0 }, expected[42], total = 0, moved_by = 0;
    assert_int_equal(su_release_plan(&ctx, NULL, w.columns, 2, &o, &r), SU_OK);
    r->table_count = 1; /* moved() knows the table of both columns only */
    assert_true(r->tables[0].length == 2);
    assert_int_equal(su_release_measure(&ctx, r, &w.matrix, &random, &noisy), SU_OK);
    su_lattice_init(&l, r);
    su_estimates_init(&e, r, &l, noisy);
    for (int i = 0; i < 42; i++) total += data[i] = (double)noisy->cells[0][i];
    for (int i = 0; i < 700; i++) known[before.codes[0][i] * 6 + before.codes[1][i]] += total / 700;
    moved(data, known, su_discrete_gaussian_variance(r->tables[0].variance), expected);
    assert_int_equal(su_prior_use(&ctx, r, &l, &e), SU_OK);
    const su_subset *pair = &l.sets[l.first[2]];
    for (int i = 0; i < 42; i++) {
        assert_true(fabs(e.cell[pair->offset + (size_t)i] - expected[i]) < 1e-6);
        assert_true(fabs(e.plain[pair->offset + (size_t)i] - data[i]) < 1e-6);
        moved_by += fabs(expected[i] - data[i]);
    }
    assert_true(moved_by > 1);
    assert_true(e.variance[l.first[2]] < e.plain_variance[l.first[2]]);
    su_estimates_free(&e);
    su_lattice_free(&l);
    su_measurement_free(noisy);
    su_release_free(r);
    world_free(&w);
    world_free(&before);
}

/* Columns that the earlier release did not show, no records in it, another mechanism. */
static void test_gaps_and_errors(void **state)
{
    (void)state;
    su_context ctx;
    su_context_init(&ctx);
    su_random random;
    su_random_seeded(&random, SEED + 60);
    world w;
    world_init(&w, ROWS, cards, COLUMNS, &random);
    const uint16_t *codes[COLUMNS] = { w.codes[0], NULL, w.codes[2], w.codes[3], NULL, NULL, w.codes[6], w.codes[7] };
    su_public_records prior = { ROWS, codes }, empty = { 0, codes };
    su_release *r = release_of(&w, 1, &prior, SEED), *none = release_of(&w, 1, &empty, SEED);
    assert_true(r->prior_weight[2] < 1 && r->prior_weight[2] > 0.05);
    assert_true(none->prior_weight[2] == 1);
    su_release_free(r);
    su_release_free(none);
    su_release_options o = { .epsilon = 1, .length = 2, .mechanism = SU_MECHANISM_AIM, .prior = &prior };
    assert_int_equal(su_release_plan(&ctx, NULL, w.columns, COLUMNS, &o, &r), SU_USAGE);
    assert_non_null(strstr(ctx.message, "can help the mechanism residual only, not aim"));
    o.mechanism_auto = true;
    o.mechanism = SU_MECHANISM_RESIDUAL;
    assert_int_equal(su_release_plan(&ctx, NULL, w.columns, COLUMNS, &o, &r), SU_OK);
    assert_int_equal(r->options.mechanism, SU_MECHANISM_RESIDUAL);
    su_release_free(r);
    world_free(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_weighing),
        cmocka_unit_test(test_gaps_and_errors),
        cmocka_unit_test(test_two_years),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
