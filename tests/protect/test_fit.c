/* The fit: its mean against the tables of its records, counted slowly; threads; and that it is nearer to the truth than the estimates. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "synth/fit.h"
#include "world.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SEED 4711

typedef struct case_of {
    su_release *r;
    su_measurement *noisy, *exact;
    su_lattice l;
    su_estimates e, truth;
    uint32_t *count;
    su_targets t;
    float *mean;
} case_of;

static void case_init(case_of *x, su_context *ctx, const world *w, double epsilon, uint64_t limit, double seconds, uint64_t seed)
{
    su_random random;
    su_random_seeded(&random, seed);
    x->r = world_plan(w, epsilon, 3, limit);
    x->r->options.seconds = seconds;
    assert_int_equal(su_release_measure(ctx, x->r, &w->matrix, &random, &x->noisy), SU_OK);
    assert_int_equal(su_release_measure_exact(ctx, x->r, &w->matrix, &x->exact), SU_OK);
    su_lattice_init(&x->l, x->r);
    su_estimates_init(&x->e, x->r, &x->l, x->noisy);
    su_estimates_init(&x->truth, x->r, &x->l, x->exact);
    x->count = su_alloc_array(x->l.cells, sizeof *x->count);
    su_gate_length(x->r, &x->l, &x->e, 0, NULL, x->count, x->r->suppressed_by_gate);
    su_gate_length(x->r, &x->l, &x->e, 1, NULL, x->count, x->r->suppressed_by_gate);
    x->r->record_count = x->count[0];
    x->r->records = su_alloc_array(x->r->column_count, sizeof *x->r->records);
    for (uint32_t c = 0; c < x->r->column_count; c++) {
        x->r->records[c] = su_alloc_array(x->r->record_count, sizeof **x->r->records);
    }
    su_targets_init(&x->t, x->r, &x->l, &x->e, x->count);
    x->mean = su_alloc_array(x->l.cells, sizeof *x->mean);
    if (su_fit_tables(ctx, x->r, &x->l, &x->t, &random, x->mean)) {
        fail_msg("%s", ctx->message);
    }
}

static void case_free(case_of *x)
{
    for (uint32_t c = 0; c < x->r->column_count; c++) {
        free(x->r->records[c]);
    }
    free(x->r->records);
    free(x->mean);
    free(x->count);
    su_targets_free(&x->t);
    su_estimates_free(&x->e);
    su_estimates_free(&x->truth);
    su_lattice_free(&x->l);
    su_measurement_free(x->noisy);
    su_measurement_free(x->exact);
    su_release_free(x->r);
}

static const uint32_t CARD[] = { 6, 4, 3, 2, 9, 2 };

/* So little time that there is one search: the mean is then the tables of the very records, in every set of the lattice. */
static void test_mean_is_of_the_records(void **state)
{
    (void)state;
    su_context ctx;
    su_context_init(&ctx);
    su_random random;
    su_random_seeded(&random, SEED);
    world w;
    world_init(&w, 700, CARD, 6, &random);
    for (int round = 0; round < 2; round++) {
        case_of x;
        case_init(&x, &ctx, &w, 4, round ? 40 : 0, 1e-9, SEED);
        for (uint32_t i = 0; i < x.l.set_count; i++) {
            const su_subset *s = &x.l.sets[i];
            double *slow = su_alloc_array(s->cells, sizeof *slow);
            for (uint64_t row = 0; row < x.r->record_count; row++) {
                size_t cell = 0;
                for (uint32_t k = 0; k < s->length; k++) {
                    cell = cell * s->card[k] + x.r->records[s->columns[k]][row];
                }
                slow[cell]++;
            }
            for (size_t c = 0; c < s->cells; c++) {
                assert_true(slow[c] == (double)x.mean[s->offset + c]);
            }
            free(slow);
        }
        case_free(&x);
    }
    world_free(&w);
}

/* With two threads the last of three searches has both to itself, with five every search has one. */
static void test_threads_change_nothing(void **state)
{
    (void)state;
    static const unsigned threads[] = { 2, 3, 5 };
    su_context one, more;
    su_context_init(&one);
    su_context_init(&more);
    one.threads = 1;
    su_random random;
    su_random_seeded(&random, SEED + 1);
    world w;
    world_init(&w, 900, CARD, 6, &random);
    case_of a, b;
    case_init(&a, &one, &w, 4, 0, 0, SEED);
    for (int k = 0; k < 3; k++) {
        more.threads = threads[k];
        case_init(&b, &more, &w, 4, 0, 0, SEED);
        assert_memory_equal(a.mean, b.mean, a.l.cells * sizeof *a.mean);
        for (uint32_t c = 0; c < 6; c++) {
            assert_memory_equal(a.r->records[c], b.r->records[c], a.r->record_count * sizeof **a.r->records);
        }
        case_free(&b);
    }
    bool between = false; /* a mean of several searches is not always whole */
    for (size_t i = 0; i < a.l.cells; i++) {
        between |= a.mean[i] != floorf(a.mean[i]);
    }
    assert_true(between);
    case_free(&a);
    world_free(&w);
}

/* The reason why it exists. */
static void test_nearer_than_estimates(void **state)
{
    (void)state;
    su_context ctx;
    su_context_init(&ctx);
    su_random random;
    su_random_seeded(&random, SEED + 2);
    world w;
    world_init(&w, 3000, (uint32_t[]) { 6, 12, 3, 2, 9, 2, 2, 2 }, 8, &random);
    case_of x;
    case_init(&x, &ctx, &w, 2, 0, 0, SEED);
    for (uint32_t k = 2; k <= 3; k++) {
        double estimates = 0, fit = 0;
        for (size_t i = x.l.sets[x.l.first[k]].offset; i < (k < 3 ? x.l.sets[x.l.first[k + 1]].offset : x.l.cells); i++) {
            estimates += fabs(x.e.cell[i] - x.truth.cell[i]);
            fit += fabs((double)x.mean[i] - x.truth.cell[i]);
        }
        print_message("# length %u: mean error of the fit %.2f of the estimates'\n", k, fit / estimates);
        assert_true(fit < 0.75 * estimates);
    }
    case_free(&x);
    world_free(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mean_is_of_the_records),
        cmocka_unit_test(test_threads_change_nothing),
        cmocka_unit_test(test_nearer_than_estimates),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
