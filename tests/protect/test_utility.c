/* Evaluation in full: an example worked by hand, random releases against naive definitions, records at risk record by record. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "../su_test.h"
#include "world.h"

#include <suha/utility.h>

#include <math.h>

/* ---- by hand ------------------------------------------------------------------------------------------------------------------------- */

/* One column of three values: true counts 30, 12, 3; published 24, -, 5. A second column of one value: true 0; published 11. K = 10.
 *
 *   leaked: value 3 (3 < 10 and 5 < 10)                        1 of 3 true ones
 *   fabricated: b                                              1 of 3 true, 1 of 3 released
 *   preservation, of the combinations with a true count >= 10 or released:  value 1 24/30, value 2 0, value 3 min(5/3, 1), b 0
 *   proportional error:                                        6/30, 12/12, 2/3, 1
 *   by released count: (0,10]: value 2 (0) and value 3 (5);  (10,20]: b (11);  (20,40]: value 1 (24)
 *   combination loss: ((1 - 1/2) + (1 - 0) + (1 - 0.8)) / 3
 *   bands of the true count: 0: b;  (0,10]: value 3;  (10,20]: value 2;  (20,40]: value 1 */
static void worked_by_hand(void **state)
{
    (void)state;
    uint16_t a[45] = { 0 }, b[45] = { 0 };
    for (int i = 0; i < 45; i++) a[i] = i < 30 ? 1 : i < 42 ? 2 : 3;
    su_matrix_column columns[2] = { { .name = "a", .card = 4, .codes = a }, { .name = "b", .card = 2, .codes = b } };
    su_code_matrix truth = { .row_count = 45, .column_count = 2, .columns = columns };
    su_aggregate published[] = { { 1, { { 0, 1 } }, 24, 20, 31 }, { 1, { { 0, 3 } }, 5, 4, 6 }, { 1, { { 1, 1 } }, 11, 0, 20 } };
    su_release r = { .options = { .length = 1 }, .column_count = 2, .columns = columns, .aggregates = published, .aggregate_count = 3 };
    su_context ctx;
    su_utility *u = NULL;
    su_context_init(&ctx);
    assert_int_equal(su_utility_evaluate(&ctx, &r, &truth, NULL, &u), SU_OK);
    const su_utility_side *s = &u->aggregates;
    const su_utility_level *l = &s->level[1];
    assert_int_equal(u->k, 10);
    assert_int_equal(l->leaked, 1);
    world_near(l->leakage, 1.0 / 3);
    world_near(u->basic.aggregates[1].fabricated, 1.0 / 3);
    world_near(l->fabricated_of_released, 1.0 / 3);
    world_near(l->mean_count_true, 15);
    world_near(l->mean_count_released, 40.0 / 3);
    world_near(u->basic.aggregates[1].error_common, 4);
    world_near(u->basic.aggregates[1].error_union, (6 + 12 + 2 + 11) / 4.0);
    world_near(u->basic.aggregates[1].coverage, 2.0 / 3);
    assert_int_equal(l->preservation.n, 4);
    world_near(l->preservation.preservation, (0.8 + 0 + 1 + 0) / 4);
    world_near(l->preservation.proportional_error, (0.2 + 1 + 2.0 / 3 + 1) / 4);
    world_near(l->preservation.mean_count, 10);
    assert_int_equal(s->bin_count, 3);
    assert_int_equal(s->by_count[0].n, 2);
    world_near(s->by_count[0].preservation, 0.5);
    world_near(s->by_count[0].mean_count, 2.5);
    world_near(s->by_count[1].preservation, 0);
    world_near(s->by_count[2].preservation, 0.8);
    assert_int_equal(s->by_count[2].above, 20);
    assert_int_equal(s->by_count[2].most, 40);
    world_near(s->combination_loss, (0.5 + 1 + 0.2) / 3);
    assert_int_equal(s->band_count, 4);
    world_near(s->band[0].error_union, 11);
    world_near(s->band[1].error_union, 2);
    world_near(s->band[2].error_union, 12);
    world_near(s->band[2].suppressed, 1);
    world_near(s->band[3].error_union, 6);
    /* column a: true 1 2 3, released 1 3: two of three; column b has nothing true */
    assert_int_equal(l->top_tables, 1);
    world_near(l->top_agreement, 2.0 / 3);
    /* Not one record of the true data is isolated but the three with value 3, which are fewer than ten. */
    assert_int_equal(u->risk[1].rare_records, 3);
    assert_int_equal(u->risk[1].unique_records, 0);
    assert_int_equal(u->risk[1].rare_combinations, 1);
    world_near(u->records.level[1].preservation.preservation, 0);
    world_near(u->records.combination_loss, 1);
    su_utility_free(u);
}

static void bins_of_sds(void **state)
{
    (void)state;
    /* One value each of the published counts 10, 11, 20, 21, 160: last values of bins stay in them. */
    static const uint64_t counts[] = { 10, 11, 20, 21, 160 };
    static const uint64_t sizes[] = { 1, 2, 1, 0, 1 };
    uint16_t codes[5] = { 1, 2, 3, 4, 5 };
    su_matrix_column column = { .name = "a", .card = 6, .codes = codes };
    su_code_matrix truth = { .row_count = 5, .column_count = 1, .columns = &column };
    su_aggregate published[5];
    for (uint16_t v = 0; v < 5; v++) published[v] = (su_aggregate) { .length = 1, .at = { { 0, (uint16_t)(v + 1) } }, .count = counts[v] };
    su_release r = { .options = { .length = 1 }, .column_count = 1, .columns = &column, .aggregates = published, .aggregate_count = 5 };
    su_context ctx;
    su_utility *u = NULL;
    su_context_init(&ctx);
    assert_int_equal(su_utility_evaluate(&ctx, &r, &truth, &(su_utility_options) { .k = 3 }, &u), SU_OK);
    assert_int_equal(u->aggregates.bin_count, 5);
    for (size_t i = 0; i < 5; i++) assert_int_equal(u->aggregates.by_count[i].n, sizes[i]);
    world_near(u->aggregates.combination_loss, 0); /* an empty bin loses nothing */
    assert_int_equal(u->risk[1].unique_records, 5);
    assert_int_equal(u->risk[1].rare_records, 0);
    su_utility_free(u);
}

/* Twelve values, all counts alike: the first ten are the ten largest on both sides; when the release has the last ten, eight are common. */
static void ties_go_to_the_first(void **state)
{
    (void)state;
    uint16_t codes[12];
    for (uint16_t i = 0; i < 12; i++) codes[i] = (uint16_t)(i + 1);
    su_matrix_column column = { .name = "a", .card = 13, .codes = codes };
    su_code_matrix truth = { .row_count = 12, .column_count = 1, .columns = &column };
    for (uint16_t skip = 0; skip <= 2; skip += 2) {
        su_aggregate published[12];
        for (uint16_t v = 0; v < 12; v++)
            published[v] = (su_aggregate) { .length = 1, .at = { { 0, (uint16_t)(v + 1) } }, .count = v < skip ? 4 : 7 };
        su_release r = {
            .options = { .length = 1 }, .column_count = 1, .columns = &column, .aggregates = published, .aggregate_count = 12
        };
        su_context ctx;
        su_utility *u = NULL;
        su_context_init(&ctx);
        assert_int_equal(su_utility_evaluate(&ctx, &r, &truth, NULL, &u), SU_OK);
        world_near(u->aggregates.level[1].top_agreement, skip ? 0.8 : 1);
        su_utility_free(u);
    }
}

/* ---- naive definitions ---- */

enum { D = 4, CARD = 4, MOST = 300 };

typedef struct cell {
    uint32_t length;
    su_attribute at[D];
    uint64_t truly, released;
} cell;

static uint64_t count_of(uint16_t *const *codes, uint64_t rows, const cell *c)
{
    uint64_t n = 0;
    for (uint64_t r = 0; r < rows; r++) {
        bool all = true;
        for (uint32_t k = 0; k < c->length; k++) all = all && codes[c->at[k].column][r] == c->at[k].value;
        n += all;
    }
    return n;
}

static size_t all_cells(cell *out)
{
    size_t n = 0;
    for (uint32_t mask = 1; mask < 1u << D; mask++) {
        uint32_t columns[D], l = 0, total = 1;
        for (uint32_t c = 0; c < D; c++)
            if (mask >> c & 1) columns[l++] = c;
        for (uint32_t k = 0; k < l; k++) total *= CARD - 1;
        for (uint32_t i = 0; i < total && l <= 3; i++) {
            cell *x = &out[n++];
            x->length = l;
            uint32_t rest = i;
            for (uint32_t k = l; k-- > 0; rest /= CARD - 1)
                x->at[k] = (su_attribute) { (uint16_t)columns[k], (uint16_t)(1 + rest % (CARD - 1)) };
        }
    }
    return n;
}

/* Shortest length at which a combination of the record has a count that passes; 0 = none. */
static uint32_t isolating(const world *w, uint64_t row, const cell *cells, size_t n, uint64_t least, uint64_t most)
{
    for (uint32_t l = 1; l <= 3; l++)
        for (size_t i = 0; i < n; i++) {
            bool has = cells[i].length == l && cells[i].truly >= least && cells[i].truly <= most;
            for (uint32_t k = 0; has && k < l; k++) has = w->codes[cells[i].at[k].column][row] == cells[i].at[k].value;
            if (has) return l;
        }
    return 0;
}

static double naive_top(const cell *cells, size_t n, uint32_t length)
{
    double sum = 0, tables = 0;
    for (uint32_t mask = 1; mask < 1u << D; mask++) {
        size_t in[64], m = 0, truly = 0, kept = 0;
        if ((uint32_t)__builtin_popcount(mask) != length) continue;
        for (size_t i = 0; i < n; i++) {
            uint32_t own = 0;
            for (uint32_t k = 0; k < cells[i].length; k++) own |= 1u << cells[i].at[k].column;
            if (own == mask) in[m++] = i;
        }
        for (size_t i = 0; i < m; i++) truly += cells[in[i]].truly > 0;
        if (!truly) continue;
        for (size_t i = 0; i < m; i++) { /* rank = number of better ones, ties to the earlier */
            size_t rank_true = 0, rank_released = 0;
            const cell *x = &cells[in[i]];
            for (size_t k = 0; k < m; k++) {
                const cell *y = &cells[in[k]];
                rank_true += y->truly > x->truly || (y->truly == x->truly && k < i);
                rank_released += y->released > x->released || (y->released == x->released && k < i);
            }
            kept += x->truly && x->released && rank_true < 10 && rank_released < 10;
        }
        sum += (double)kept / (double)(truly < 10 ? truly : 10);
        tables++;
    }
    return tables > 0 ? sum / tables : NAN;
}

static void check_side(const cell *cells, size_t n, uint64_t k, const su_utility_side *s)
{
    for (uint32_t l = 0; l <= 3; l++) {
        double leaked = 0, truly = 0, released = 0, fabricated = 0, kept = 0, preserved = 0, error = 0;
        for (size_t i = 0; i < n; i++) {
            const cell *c = &cells[i];
            if (l && c->length != l) continue;
            truly += c->truly > 0;
            released += c->released > 0;
            fabricated += c->released && !c->truly;
            leaked += c->truly && c->truly < k && c->released && c->released < k;
            if (c->truly < k && !c->released) continue;
            kept++;
            preserved += c->truly ? fmin(1, (double)c->released / (double)c->truly) : 0;
            error += c->truly ? fabs((double)c->released - (double)c->truly) / (double)c->truly : 1;
        }
        world_near(s->level[l].leakage, leaked / truly);
        world_near(s->level[l].fabricated_of_released, released > 0 ? fabricated / released : NAN);
        world_near(s->level[l].preservation.preservation, kept > 0 ? preserved / kept : 0);
        world_near(s->level[l].preservation.proportional_error, kept > 0 ? error / kept : 0);
        if (l == 1 || l == 2) world_near(s->level[l].top_agreement, naive_top(cells, n, l));
    }
}

static void random_releases(void **state)
{
    (void)state;
    static const uint32_t cards[D] = { CARD, CARD, CARD, CARD };
    su_random random;
    su_test_random(&random);
    cell *cells = su_alloc_array(MOST, sizeof *cells);
    for (int round = 0; round < 20; round++) {
        world truth, made;
        world_init(&truth, 40 + su_random_below(&random, 200), cards, D, &random);
        world_init(&made, 40 + su_random_below(&random, 200), cards, D, &random);
        su_release r = { .options = { .length = 3 },
                         .column_count = D,
                         .columns = truth.columns,
                         .record_count = made.matrix.row_count,
                         .records = made.codes };
        uint64_t k = 1 + su_random_below(&random, 12);
        su_context ctx;
        su_utility *u = NULL;
        su_context_init(&ctx);
        if (su_utility_evaluate(&ctx, &r, &truth.matrix, &(su_utility_options) { .k = k }, &u)) fail_msg("%s", ctx.message);
        size_t n = all_cells(cells);
        for (size_t i = 0; i < n; i++) {
            cells[i].truly = count_of(truth.codes, truth.matrix.row_count, &cells[i]);
            cells[i].released = count_of(made.codes, made.matrix.row_count, &cells[i]);
        }
        check_side(cells, n, k, &u->records);
        uint64_t unique[4] = { 0 }, rare[4] = { 0 };
        for (uint64_t row = 0; row < truth.matrix.row_count; row++) {
            uint32_t alone = isolating(&truth, row, cells, n, 1, 1), few = isolating(&truth, row, cells, n, 1, k - 1);
            if (alone) unique[alone]++;
            if (!alone && few) rare[few]++;
        }
        for (uint32_t l = 1; l <= 3; l++) {
            assert_int_equal(u->risk[l].unique_records, unique[l]);
            assert_int_equal(u->risk[l].rare_records, rare[l]);
        }
        su_utility_free(u);
        world_free(&truth);
        world_free(&made);
    }
    free(cells);
}

/* ---- list of rare combinations ---- */

typedef struct seen {
    const world *made;
    uint64_t n, k;
} seen;

static void see(void *arg, const su_rare_combination *c)
{
    seen *s = arg;
    assert_true(c->released < s->k && c->truly % s->k == 0);
    for (uint32_t i = 0; i < c->length; i++) assert_int_equal(s->made->codes[c->at[i].column][c->record], c->at[i].value);
    s->n++;
}

static void rare_combinations_name_their_records(void **state)
{
    (void)state;
    static const uint32_t cards[D] = { CARD, CARD, CARD, CARD };
    su_random random;
    su_test_random(&random);
    world truth, made;
    world_init(&truth, 150, cards, D, &random);
    world_init(&made, 120, cards, D, &random);
    su_release r = { .options = { .length = 3 }, .column_count = D, .columns = truth.columns, .record_count = 120, .records = made.codes };
    su_context ctx;
    su_context_init(&ctx);
    seen s = { .made = &made, .k = 5 };
    assert_int_equal(su_utility_rare(&ctx, &r, &truth.matrix, 5, see, &s), SU_OK);
    cell cells[MOST];
    uint64_t want = 0;
    for (size_t i = 0, n = all_cells(cells); i < n; i++) {
        uint64_t released = count_of(made.codes, 120, &cells[i]);
        want += released < 5 ? released : 0;
    }
    assert_int_equal(s.n, want);
    assert_true(want > 0);
    world_free(&truth);
    world_free(&made);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(worked_by_hand),
        cmocka_unit_test(bins_of_sds),
        cmocka_unit_test(ties_go_to_the_first),
        cmocka_unit_test(random_releases),
        cmocka_unit_test(rare_combinations_name_their_records),
    };
    return cmocka_run_group_tests_name("protect: utility", tests, NULL, NULL);
}
