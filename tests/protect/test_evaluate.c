/* Evaluation: an example worked by hand, and random releases against a naive oracle that lists all combinations of all codes. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "../su_test.h"
#include "world.h"

#include <math.h>

/* ---- by hand ---------------------------------------------------------------------------------------------------------------- */

/* Truth: (1,1) (1,1) (1,2) (0,1) (2,0).   Records: (1,1) (1,0) (2,2) (0,1).
 *   length 1   a1: 3 | 2, a2: 1 | 1, b1: 3 | 2, b2: 1 | 1           length 2   a1b1: 2 | 1, a1b2: 1 | 0, a2b2: 0 | 1
 * Aggregates: a1 = 4 in [2,6], b1 = 3 in [3,3], b2 = 5 in [4,6], a1b1 = 2 in [0,4], a2b1 = 3 in [1,5]. */
static void worked_by_hand(void **state)
{
    (void)state;
    uint16_t ta[] = { 1, 1, 1, 0, 2 }, tb[] = { 1, 1, 2, 1, 0 }, ra[] = { 1, 1, 2, 0 }, rb[] = { 1, 0, 2, 1 };
    su_matrix_column truth_columns[2] = { { .name = "a", .card = 3, .codes = ta }, { .name = "b", .card = 3, .codes = tb } };
    su_matrix_column columns[2] = { { .name = "a", .card = 3 }, { .name = "b", .card = 3 } };
    su_code_matrix truth = { .row_count = 5, .column_count = 2, .columns = truth_columns };
    uint16_t *records[2] = { ra, rb };
    su_aggregate aggregates[] = {
        { 1, { { 0, 1 } }, 4, 2, 6 },           { 1, { { 1, 1 } }, 3, 3, 3 },           { 1, { { 1, 2 } }, 5, 4, 6 },
        { 2, { { 0, 1 }, { 1, 1 } }, 2, 0, 4 }, { 2, { { 0, 2 }, { 1, 1 } }, 3, 1, 5 },
    };
    su_release r = { .options = { .length = 2 },
                     .column_count = 2,
                     .columns = columns,
                     .aggregates = aggregates,
                     .aggregate_count = 5,
                     .record_count = 4,
                     .records = records };
    su_context ctx;
    su_evaluation e;
    su_context_init(&ctx);
    assert_int_equal(su_release_evaluate(&ctx, &r, &truth, &e), SU_OK);
    assert_int_equal(e.length, 2);
    world_near(e.record_expansion, -0.2);

    const su_evaluation_level *one = &e.aggregates[1], *two = &e.aggregates[2];
    assert_int_equal(one->combinations_true, 4);
    assert_int_equal(one->combinations_released, 3);
    assert_int_equal(one->common, 3);
    world_near(one->mean_count, 7.0 / 3);
    world_near(one->error_common, 5.0 / 3);
    world_near(one->error_union, 6.0 / 4);
    world_near(one->suppressed, 0.25);
    world_near(one->fabricated, 0);
    world_near(one->max_error, 4);
    world_near(one->coverage, 2.0 / 3);
    world_near(one->total_variation, NAN);
    assert_int_equal(two->combinations_true, 2);
    assert_int_equal(two->common, 1);
    world_near(two->error_common, 0);
    world_near(two->error_union, (0 + 1 + 3) / 3.0);
    world_near(two->suppressed, 0.5);
    world_near(two->fabricated, 0.5);
    world_near(two->coverage, 0.5);
    world_near(e.aggregates[0].error_union, (6.0 + 4.0) / 7);
    world_near(e.aggregates[0].suppressed, 2.0 / 6);
    world_near(e.aggregates[0].coverage, 3.0 / 5);

    one = &e.records[1], two = &e.records[2];
    world_near(one->error_common, 0.5);
    world_near(one->error_union, 0.5);
    world_near(one->coverage, NAN);
    /* a: 1/5 3/5 1/5 against 1/4 2/4 1/4; b: the same shares. */
    world_near(one->total_variation, 0.1);
    world_near(two->mean_count, 2);
    world_near(two->error_common, 1);
    world_near(two->error_union, 1);
    world_near(two->suppressed, 0.5);
    world_near(two->fabricated, 0.5);
    /* Shares: 11: 2/5 1/4, 12: 1/5 0, 01: 1/5 1/4, 20: 1/5 0, 10: 0 1/4, 22: 0 1/4. */
    world_near(two->total_variation, (0.15 + 0.2 + 0.05 + 0.2 + 0.25 + 0.25) / 2);
}

/* ---- naive oracle ------------------------------------------------------------------------------------------------------------ */

enum { D = 5, MOST_CELLS = 4 * 4 * 4 };

static uint64_t count_of(uint16_t *const *codes, uint64_t rows, uint32_t length, const su_attribute *at)
{
    uint64_t n = 0;
    for (uint64_t r = 0; r < rows; r++) {
        bool all = true;
        for (uint32_t k = 0; k < length; k++) all = all && codes[at[k].column][r] == at[k].value;
        n += all;
    }
    return n;
}

typedef struct oracle {
    double truly, released, common, mean, error_common, unions, error_union, max, intervals, held, tv, tables;
} oracle;

static void oracle_add(oracle *o, uint64_t t, uint64_t b)
{
    double e = fabs((double)t - (double)b);
    o->truly += t > 0;
    o->released += b > 0;
    o->unions += t > 0 || b > 0;
    o->error_union += e;
    if (e > o->max) o->max = e;
    if (t > 0 && b > 0) {
        o->common++;
        o->mean += (double)t;
        o->error_common += e;
    }
}

/* A mean or share of nothing is not a number, not infinity. */
static double ratio(double part, double whole) { return whole == 0 ? NAN : part / whole; }

static void check(const oracle *o, const su_evaluation_level *l)
{
    assert_int_equal(l->combinations_true, (uint64_t)o->truly);
    assert_int_equal(l->combinations_released, (uint64_t)o->released);
    assert_int_equal(l->common, (uint64_t)o->common);
    world_near(l->mean_count, ratio(o->mean, o->common));
    world_near(l->error_common, ratio(o->error_common, o->common));
    world_near(l->error_union, ratio(o->error_union, o->unions));
    world_near(l->suppressed, ratio(o->truly - o->common, o->truly));
    world_near(l->fabricated, ratio(o->released - o->common, o->truly));
    world_near(l->max_error, o->max);
}

/* Calls once per tuple of columns and values of a length, in the order of a release; cells with absent values too. */
static void each_cell(const uint32_t *card, uint32_t length, void (*f)(void *arg, uint32_t length, const su_attribute *at), void *arg)
{
    for (uint32_t set = 0; set < 1u << D; set++) {
        /* Columns in lexicographic order: bit D-1-c stands for column c, larger sets of bits first. */
        uint32_t chosen = (1u << D) - 1 - set, cells = 1, n = 0;
        su_attribute at[D];
        for (uint32_t c = 0; c < D; c++)
            if (chosen >> (D - 1 - c) & 1) at[n++] = (su_attribute) { .column = (uint16_t)c };
        if (n != length) continue;
        for (uint32_t k = 0; k < length; k++) cells *= card[at[k].column];
        for (uint32_t cell = 0; cell < cells; cell++) {
            uint32_t rest = cell;
            for (uint32_t k = length; k-- > 0; rest /= card[at[k].column]) at[k].value = (uint16_t)(rest % card[at[k].column]);
            f(arg, length, at);
        }
    }
}

typedef struct trial {
    world *truth, *made;
    su_release *r;
    su_random *random;
    oracle aggregates[D + 1], records[D + 1];
} trial;

static void visit(void *arg, uint32_t length, const su_attribute *at)
{
    trial *t = arg;
    oracle *rec = &t->records[length], *agg = &t->aggregates[length];
    uint64_t truly = count_of(t->truth->codes, t->truth->matrix.row_count, length, at);
    uint64_t made = count_of(t->made->codes, t->made->matrix.row_count, length, at);
    rec->tv += fabs((double)truly / (double)t->truth->matrix.row_count - (double)made / (double)t->made->matrix.row_count) / 2;
    bool positive = true, first = true;
    for (uint32_t k = 0; k < length; k++) {
        positive = positive && at[k].value > 0;
        first = first && at[k].value == 0;
    }
    rec->tables += first;
    if (!positive) return;
    oracle_add(rec, truly, made);
    oracle_add(&t->records[0], truly, made);
    uint64_t count = su_random_below(t->random, 2) ? 1 + su_random_below(t->random, 20) : 0;
    oracle_add(agg, truly, count);
    oracle_add(&t->aggregates[0], truly, count);
    if (!count) return;
    su_aggregate *a = &t->r->aggregates[t->r->aggregate_count++];
    *a = (su_aggregate) { .length = length, .count = count, .ci_low = (double)count - 4, .ci_high = (double)count + 4 };
    memcpy(a->at, at, length * sizeof *at);
    agg->intervals++;
    agg->held += a->ci_low <= (double)truly && (double)truly <= a->ci_high;
}

static void random_releases(void **state)
{
    (void)state;
    static const uint32_t cards[D] = { 3, 2, 4, 2, 4 };
    su_random random;
    su_test_random(&random);
    for (int round = 0; round < 20; round++) {
        world truth, made;
        su_aggregate *aggregates = su_alloc_array(2000, sizeof *aggregates);
        world_init(&truth, 20 + su_random_below(&random, 100), cards, D, &random);
        world_init(&made, 20 + su_random_below(&random, 100), cards, D, &random);
        su_release r = { .options = { .length = 1 + (uint32_t)round % 4 },
                         .column_count = D,
                         .columns = truth.columns,
                         .aggregates = aggregates,
                         .record_count = made.matrix.row_count,
                         .records = made.codes };
        trial t = { .truth = &truth, .made = &made, .r = &r, .random = &random };
        for (uint32_t l = 1; l <= r.options.length; l++) each_cell(cards, l, visit, &t);
        su_context ctx;
        su_evaluation e;
        su_context_init(&ctx);
        if (su_release_evaluate(&ctx, &r, &truth.matrix, &e)) fail_msg("%s", ctx.message);
        for (uint32_t l = 0; l <= r.options.length; l++) {
            check(&t.aggregates[l], &e.aggregates[l]);
            check(&t.records[l], &e.records[l]);
            if (l) world_near(e.aggregates[l].coverage, ratio(t.aggregates[l].held, t.aggregates[l].intervals));
            if (l) world_near(e.records[l].total_variation, t.records[l].tv / t.records[l].tables);
        }
        world_near(e.record_expansion, (double)made.matrix.row_count / (double)truth.matrix.row_count - 1);
        free(aggregates);
        world_free(&truth);
        world_free(&made);
    }
}

static void empty_releases_and_wrong_inputs(void **state)
{
    (void)state;
    static const uint32_t cards[3] = { 3, 2, 4 };
    su_random random;
    su_test_random(&random);
    world w;
    su_context ctx;
    su_evaluation e;
    su_context_init(&ctx);
    world_init(&w, 50, cards, 3, &random);
    su_release r = { .options = { .length = 3 }, .column_count = 3, .columns = w.columns };
    assert_int_equal(su_release_evaluate(&ctx, &r, &w.matrix, &e), SU_OK);
    world_near(e.aggregates[2].suppressed, 1);
    world_near(e.records[2].suppressed, 1);
    world_near(e.records[2].fabricated, 0);
    world_near(e.records[2].error_common, NAN);
    world_near(e.records[2].total_variation, NAN);
    world_near(e.record_expansion, -1);

    su_aggregate wrong[] = { { 1, { { 1, 1 } }, 4, 2, 6 }, { 1, { { 0, 1 } }, 3, 3, 3 } };
    r.aggregates = wrong;
    r.aggregate_count = 2;
    assert_int_equal(su_release_evaluate(&ctx, &r, &w.matrix, &e), SU_USAGE);
    r.aggregate_count = 0;
    su_matrix_column other[3] = { w.columns[0], w.columns[1], w.columns[2] };
    other[2].card = 5;
    r.columns = other;
    assert_int_equal(su_release_evaluate(&ctx, &r, &w.matrix, &e), SU_USAGE);
    assert_non_null(strstr(ctx.message, "columns"));
    world_free(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(worked_by_hand),
        cmocka_unit_test(random_releases),
        cmocka_unit_test(empty_releases_and_wrong_inputs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
