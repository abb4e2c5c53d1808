/* Measurement: sensitivity, independence of shape and noise from the data, noise of the variance planned, the same bytes on any number of
 * threads, noise drawn before data are read. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "world.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define SEED 9
#define CHAINS 640

static su_measurement *exact(su_context *ctx, const su_release *r, const world *w)
{
    su_measurement *m = NULL;
    if (su_release_measure_exact(ctx, r, &w->matrix, &m)) {
        fail_msg("%s", ctx->message);
    }
    return m;
}

static su_measurement *noisy(su_context *ctx, su_release *r, const world *w, su_random *random)
{
    su_measurement *m = NULL;
    if (su_release_measure(ctx, r, &w->matrix, random, &m)) {
        fail_msg("%s", ctx->message);
    }
    return m;
}

/* Everything that is printed about the measurement without its numbers. */
static void assert_same_shape(const su_release *a, const su_release *b)
{
    assert_int_equal(a->table_count, b->table_count);
    assert_int_equal(a->dropped_count, b->dropped_count);
    assert_memory_equal(a->tables, b->tables, a->table_count * sizeof *a->tables);
    assert_memory_equal(a->gate, b->gate, sizeof a->gate);
    assert_true(a->rho == b->rho && a->epsilon_stated == b->epsilon_stated && a->column_count == b->column_count);
}

/* after - before is 1 in one cell of every table and 0 elsewhere. */
static void assert_one_more(const su_release *r, const su_measurement *before, const su_measurement *after)
{
    assert_true(before->table_count == after->table_count && before->total_cells == after->total_cells);
    for (size_t t = 0; t < before->table_count; t++) {
        int64_t changed = 0;
        for (uint64_t i = 0; i < r->tables[t].cells; i++) {
            int64_t change = after->cells[t][i] - before->cells[t][i];
            assert_true(change == 0 || change == 1);
            changed += change;
        }
        assert_int_equal(changed, 1);
    }
}

/* A chain of neighbours: one world, then WORLD_SPARE records more, one by one: empty, full of last codes, twice the same, random. */
static void one_chain(su_context *ctx, su_random *random, uint64_t rows)
{
    uint32_t card[6], d = 1 + (uint32_t)su_random_below(random, 6);
    for (uint32_t c = 0; c < d; c++) {
        card[c] = 1 + (uint32_t)su_random_below(random, 6);
    }
    world w;
    world_init(&w, rows, card, d, random);
    su_release_options o = { .epsilon = 0.1 + (double)su_random_below(random, 40) / 4,
                             .length = 1 + (uint32_t)su_random_below(random, 4),
                             .max_table_cells = 6 + su_random_below(random, 200) };
    su_release *r = NULL, *again = NULL;
    assert_int_equal(su_release_plan(ctx, NULL, w.columns, d, &o, &r), SU_OK);
    su_measurement *before = exact(ctx, r, &w);
    uint16_t record[6];
    for (int i = 0; i < WORLD_SPARE; i++) {
        for (uint32_t c = 0; c < d && i != 3; c++) {
            record[c] = (uint16_t)(i == 0 ? 0 : i == 1 ? card[c] - 1 : su_random_below(random, card[c]));
        }
        world_append(&w, record);
        su_measurement *after = exact(ctx, r, &w);
        assert_one_more(r, before, after);
        su_measurement_free(before);
        before = after;
    }
    if (rows % 4 == 0) {
        assert_int_equal(su_release_plan(ctx, NULL, w.columns, d, &o, &again), SU_OK);
        assert_same_shape(r, again);
    }
    su_measurement_free(before);
    su_release_free(r);
    su_release_free(again);
    world_free(&w);
}

/* Adding one record adds 1 to exactly one cell of every table, so the sensitivity is 1 in L1, L2 and L-infinity: more than 10,000 pairs of
 * neighbours, from no data and one record up. */
static void test_sensitivity(void **state)
{
    (void)state;
    su_context ctx;
    su_context_init(&ctx);
    ctx.threads = 1;
    su_random random;
    su_random_seeded(&random, SEED);
    for (int i = 0; i < CHAINS; i++) {
        one_chain(&ctx, &random, i % 5 < 2 ? (uint64_t)(i % 5) : su_random_below(&random, 30));
    }
}

static void test_exact_is_contingency(void **state)
{
    (void)state;
    su_context ctx;
    su_context_init(&ctx);
    su_random random;
    su_random_seeded(&random, SEED + 1);
    world w;
    world_init(&w, 3000, (uint32_t[]) { 7, 2, 5, 3, 11, 2 }, 6, &random);
    su_release *r = world_plan(&w, 1, 3, 0);
    su_measurement *m = exact(&ctx, r, &w);
    for (size_t t = 0; t < r->table_count; t++) {
        const su_release_table *table = &r->tables[t];
        int64_t *slow = su_alloc_array(table->cells, sizeof *slow);
        for (uint64_t row = 0; row < w.matrix.row_count; row++) {
            size_t cell = 0;
            for (uint32_t i = 0; i < table->length; i++) {
                cell = cell * w.columns[table->columns[i]].card + w.codes[table->columns[i]][row];
            }
            slow[cell]++;
        }
        assert_memory_equal(slow, m->cells[t], table->cells * sizeof *slow);
        free(slow);
    }
    su_measurement_free(m);
    su_release_free(r);
    world_free(&w);
}

/* The same source gives the same bytes on one and two threads; noise does not depend on the data; a second measurement, and every other
 * table, has noise of its own. */
static void test_streams(void **state)
{
    (void)state;
    su_context one, two;
    su_context_init(&one);
    su_context_init(&two);
    one.threads = 1;
    two.threads = 2;
    su_random random, a, b;
    su_random_seeded(&random, SEED + 2);
    world w, other;
    world_init(&w, 500, (uint32_t[]) { 7, 2, 5, 3 }, 4, &random);
    world_init(&other, 40, (uint32_t[]) { 7, 2, 5, 3 }, 4, &random);
    su_release *r = world_plan(&w, 0.5, 3, 0);
    su_random_seeded(&a, SEED);
    su_random_seeded(&b, SEED);
    su_measurement *x = noisy(&one, r, &w, &a), *y = noisy(&two, r, &w, &b), *again = noisy(&one, r, &w, &a);
    su_random_seeded(&b, SEED);
    su_measurement *z = noisy(&two, r, &other, &b), *truth = exact(&one, r, &w), *other_truth = exact(&two, r, &other);
    assert_false(r->private_noise);
    assert_memory_equal(x->cells[0], y->cells[0], x->total_cells * sizeof **x->cells);
    size_t same = 0, twin = 0;
    for (size_t i = 0; i < x->total_cells; i++) {
        assert_int_equal(x->cells[0][i] - truth->cells[0][i], z->cells[0][i] - other_truth->cells[0][i]);
        same += x->cells[0][i] == again->cells[0][i];
    }
    for (size_t i = 0; i < 30; i++) {
        twin += x->cells[1][i] - truth->cells[1][i] == x->cells[2][i] - truth->cells[2][i];
    }
    assert_true(same < x->total_cells / 4 && twin < 15);
    su_measurement *all[] = { x, y, z, again, truth, other_truth };
    for (size_t i = 0; i < 6; i++) {
        su_measurement_free(all[i]);
    }
    su_release_free(r);
    world_free(&w);
    world_free(&other);
}

/* Noise of every table and of every attempt: no two tables share a stream, on one thread or two, and an attempt after a failure does not
 * repeat what the failed one drew (its charge stands, and its noise may have been seen). */
static size_t equal_cells(const int64_t *a, const int64_t *b, size_t n)
{
    size_t same = 0;
    for (size_t i = 0; i < n; i++) {
        same += a[i] == b[i];
    }
    return same;
}

static void assert_tables_apart(const su_release *r, const su_measurement *a, const su_measurement *b, bool one_measurement)
{
    for (size_t t = 0; t < r->table_count; t++) {
        for (size_t u = one_measurement ? t + 1 : 0; u < r->table_count; u++) {
            size_t n = (size_t)(r->tables[t].cells < r->tables[u].cells ? r->tables[t].cells : r->tables[u].cells);
            assert_true(n == 81 || n == 9);
            for (size_t lag = 0; lag < 9; lag++) { /* a stream shared but read from another place */
                assert_true(equal_cells(a->cells[t], b->cells[u] + lag, n - lag) < (n == 81 ? 16 : 5));
                assert_true(equal_cells(a->cells[t] + lag, b->cells[u], n - lag) < (n == 81 ? 16 : 5));
            }
        }
    }
}

static void test_no_stream_twice(void **state)
{
    (void)state;
    su_context ctx, quick;
    su_context_init(&ctx);
    su_context_init(&quick);
    quick.threads = 2;
    su_random random, twin, data;
    su_random_seeded(&data, SEED + 5);
    world w;
    world_init(&w, 1, (uint32_t[]) { 9, 9, 9, 9, 9 }, 5, &data);
    w.matrix.row_count = 0; /* what is measured is the noise itself */
    su_release *r = world_plan(&w, 0.5, 2, 0);
    su_random_seeded(&random, SEED + 6);
    su_random_seeded(&twin, SEED + 6);
    su_measurement *failed = noisy(&quick, r, &w, &twin), *none = NULL; /* what the failing attempt below draws */
    w.matrix.row_count = 1;
    w.codes[0][0] = 200;
    assert_int_equal(su_release_measure(&ctx, r, &w.matrix, &random, &none), SU_INTERNAL);
    assert_null(none);
    w.matrix.row_count = 0;
    su_measurement *again = noisy(&quick, r, &w, &random), *third = noisy(&ctx, r, &w, &random);
    assert_int_equal(r->table_count, 10 + 5); /* all pairs, and the columns alone */
    assert_tables_apart(r, failed, failed, true);
    assert_tables_apart(r, again, again, true);
    assert_tables_apart(r, failed, again, false);
    assert_tables_apart(r, again, third, false);
    su_measurement_free(failed);
    su_measurement_free(again);
    su_measurement_free(third);
    su_release_free(r);
    world_free(&w);
}

/* Over repeated measurements the noise of every table has the variance planned, mean 0, and no correlation with its neighbour table. */
static void test_noise_is_as_planned(void **state)
{
    (void)state;
    enum { REPEATS = 400 };
    su_context ctx;
    su_context_init(&ctx);
    ctx.threads = 1;
    su_random random;
    su_random_seeded(&random, SEED + 3);
    world w;
    world_init(&w, 100, (uint32_t[]) { 9, 2, 4, 2, 2 }, 5, &random);
    su_release *r = world_plan(&w, 2, 3, 0);
    su_measurement *truth = exact(&ctx, r, &w);
    double *sum = su_alloc_array(r->table_count, sizeof *sum), *square = su_alloc_array(r->table_count, sizeof *square);
    double *cross = su_alloc_array(r->table_count, sizeof *cross);
    for (int k = 0; k < REPEATS; k++) {
        su_measurement *m = noisy(&ctx, r, &w, &random);
        for (size_t t = 0; t < r->table_count; t++) {
            for (uint64_t i = 0; i < r->tables[t].cells; i++) {
                double e = (double)(m->cells[t][i] - truth->cells[t][i]);
                sum[t] += e;
                square[t] += e * e;
                cross[t] += t > 0 && i < 8 ? e * (double)(m->cells[t - 1][i] - truth->cells[t - 1][i]) : 0;
            }
        }
        su_measurement_free(m);
    }
    double spent = 0;
    for (size_t t = 0; t < r->table_count; t++) {
        double n = (double)REPEATS * (double)r->tables[t].cells, s2 = (double)r->tables[t].variance.num / (double)r->tables[t].variance.den;
        spent += 1 / (2 * s2);
        assert_true(fabs(sum[t] / n) < 5 * sqrt(s2 / n));
        assert_true(fabs(square[t] / n / s2 - 1) < 5 * sqrt(2 / n));
        assert_true(t == 0 || fabs(cross[t]) < 5 * s2 * 2 * sqrt(8.0 * REPEATS));
    }
    assert_true(spent <= r->rho * (1 + 1e-12) && r->epsilon_stated <= 2);
    free(sum);
    free(square);
    free(cross);
    su_measurement_free(truth);
    su_release_free(r);
    world_free(&w);
}

/* ---- noise before data ------------------------------------------------------------------------------------------- */

typedef struct guarded {
    void *page;
    size_t bytes;
    bool opened;
} guarded;

static void open_page(void *user, const char *step, double done)
{
    guarded *g = user;
    if (strcmp(step, "drawing noise") == 0 && done >= 1) {
        assert_int_equal(mprotect(g->page, g->bytes, PROT_READ), 0);
        g->opened = true;
    }
}

/* The codes cannot be read until all noise is drawn: an earlier look ends the test with a segmentation fault. */
static void test_noise_precedes_data(void **state)
{
    (void)state;
    guarded g = { .bytes = (size_t)sysconf(_SC_PAGESIZE) };
    g.page = mmap(NULL, g.bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(g.page != MAP_FAILED);
    uint16_t *codes = g.page;
    for (int i = 0; i < 600; i++) {
        codes[i] = (uint16_t)(i % 3);
    }
    su_matrix_column columns[] = { { .name = "a", .card = 3, .codes = codes }, { .name = "b", .card = 3, .codes = codes + 300 } };
    su_code_matrix m = { .row_count = 300, .column_count = 2, .columns = columns };
    su_context ctx;
    su_context_init(&ctx);
    ctx.progress = open_page;
    ctx.user = &g;
    su_release_options o = { .epsilon = 1, .length = 2 };
    su_release *r = NULL;
    su_measurement *out = NULL;
    su_random random;
    assert_int_equal(mprotect(g.page, g.bytes, PROT_NONE), 0);
    assert_int_equal(su_release_plan(&ctx, NULL, columns, 2, &o, &r), SU_OK);
    assert_int_equal(su_random_system(&ctx, &random), SU_OK);
    assert_int_equal(su_release_measure(&ctx, r, &m, &random, &out), SU_OK);
    assert_true(g.opened && r->private_noise);
    su_measurement_free(out);
    su_release_free(r);
    su_random_wipe(&random);
    munmap(g.page, g.bytes);
}

/* ---- errors ------------------------------------------------------------------------------------------------------ */

static void test_errors(void **state)
{
    (void)state;
    su_context ctx;
    su_context_init(&ctx);
    su_random random;
    su_random_seeded(&random, SEED + 4);
    world w, narrow, other;
    world_init(&w, 20, (uint32_t[]) { 3, 4 }, 2, &random);
    world_init(&narrow, 20, (uint32_t[]) { 3 }, 1, &random);
    world_init(&other, 20, (uint32_t[]) { 3, 5 }, 2, &random);
    su_release *r = world_plan(&w, 1, 2, 0);
    su_measurement *m = NULL;
    assert_int_equal(su_release_measure(&ctx, r, &narrow.matrix, &random, &m), SU_USAGE);
    assert_int_equal(su_release_measure(&ctx, r, &other.matrix, &random, &m), SU_USAGE);
    assert_non_null(strstr(ctx.message, "Column b"));
    w.codes[1][7] = 4;
    assert_int_equal(su_release_measure(&ctx, r, &w.matrix, &random, &m), SU_INTERNAL);
    assert_int_equal(su_release_measure_exact(&ctx, r, &w.matrix, &m), SU_INTERNAL);
    w.codes[1][7] = 0;
    const volatile int stop = 1;
    ctx.cancel = &stop;
    assert_int_equal(su_release_measure(&ctx, r, &w.matrix, &random, &m), SU_CANCELLED);
    assert_null(m);
    su_release_free(r);
    world_free(&w);
    world_free(&narrow);
    world_free(&other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sensitivity),     cmocka_unit_test(test_exact_is_contingency), cmocka_unit_test(test_streams),
        cmocka_unit_test(test_no_stream_twice), cmocka_unit_test(test_noise_is_as_planned),  cmocka_unit_test(test_noise_precedes_data),
        cmocka_unit_test(test_errors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
