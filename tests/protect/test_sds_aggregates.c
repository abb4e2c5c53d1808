/* The noisy aggregates of Synthetic Data Showcase: candidates, bounded contributions, bounds, thresholds, budget. Oracles count by going
 * through all rows and all tuples. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "sds_world.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const uint32_t card[] = { 4, 2, 3, 2, 5, 2, 2 };
enum { COLUMNS = 7 };

static bool reported(const su_tuple_graph *g, const uint32_t *ids, uint32_t n)
{
    if (n == 1) return g->level[1].count[ids[0]] > 0;
    uint64_t key = 0;
    for (uint32_t k = 0; k < n; k++) key = su_key_with(key, k, ids[k]);
    for (size_t i = 0; i < g->level[n].n; i++)
        if (g->level[n].key[i] == key) return true;
    return false;
}

/* The definition of a candidate (docs/methods/sds.md), word by word. */
static bool is_candidate(const su_tuple_graph *g, const uint32_t *ids, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        for (uint32_t j = i + 1; j < n; j++)
            if (g->universe->column[ids[i]] == g->universe->column[ids[j]]) return false;
    for (uint32_t mask = 1; mask + 1 < 1u << n; mask++) {
        uint32_t part[SU_TUPLE_MAX], size = 0;
        for (uint32_t i = 0; i < n; i++)
            if (mask & 1u << i) part[size++] = ids[i];
        if (!reported(g, part, size)) return false;
    }
    return true;
}

/* Levels with a part of what could be there, chosen at random. */
static void random_level(su_tuple_graph *g, uint32_t length, unsigned keep_in_4, su_random *random)
{
    su_tuple_level all = { .length = length }, *l = &g->level[length];
    if (length == 1) {
        for (size_t i = 0; i < l->n; i++)
            l->count[i] = su_random_below(random, 4) < keep_in_4 ? 1 + (uint32_t)su_random_below(random, 50) : 0;
        return;
    }
    assert_true(su_sds_candidates(g, length, &all));
    for (size_t i = 0; i < all.n; i++)
        if (su_random_below(random, 4) < keep_in_4) su_tuple_add(l, all.key[i], 1 + (uint32_t)su_random_below(random, 50));
    su_tuple_index(g, l);
    su_tuple_graph_link(g, length);
    su_tuple_level_free(&all);
}

static void test_candidates_are_the_definition(void **state)
{
    (void)state;
    su_random random;
    su_random_seeded(&random, 11);
    for (int round = 0; round < 12; round++) {
        world w;
        su_universe u;
        su_tuple_graph g;
        world_init(&w, 1, card, COLUMNS, &random);
        su_universe_init(&u, w.columns, COLUMNS);
        su_tuple_graph_init(&g, &u);
        for (uint32_t n = 1; n <= 3; n++) {
            random_level(&g, n, 3, &random);
            su_tuple_level out = { .length = n + 1 };
            assert_true(su_sds_candidates(&g, n + 1, &out));
            uint32_t ids[SU_TUPLE_MAX];
            for (uint32_t k = 0; k <= n; k++) ids[k] = k;
            size_t at = 0;
            do {
                if (!is_candidate(&g, ids, n + 1)) continue;
                uint64_t key = 0;
                for (uint32_t k = 0; k <= n; k++) key = su_key_with(key, k, ids[k]);
                assert_true(at < out.n && out.key[at] == key); /* the same tuples, in ascending order */
                at++;
            } while (next_set(ids, n + 1, u.attribute_count));
            assert_true(at == out.n);
            su_tuple_level_free(&out);
        }
        su_tuple_graph_free(&g);
        su_universe_free(&u);
        world_free(&w);
    }
}

static uint32_t candidates_in_row(const world *w, const su_universe *u, const su_tuple_level *l, uint64_t row, uint32_t *counts)
{
    uint32_t found = 0;
    for (size_t i = 0; i < l->n; i++) {
        bool all = true;
        for (uint32_t k = 0; k < l->length; k++) {
            su_attribute a = su_universe_attribute(u, su_key_at(l->key[i], k));
            all = all && w->codes[a.column][row] == a.value;
        }
        found += all;
        counts[i] += all;
    }
    return found;
}

/* Sensitivity: with one row more, at most `bound` counts move, each by 1; before the bound, counts are the plain ones. */
static void test_one_row_moves_bound_counts_by_one(void **state)
{
    (void)state;
    su_context ctx;
    su_random random, choice;
    su_context_init(&ctx);
    su_random_seeded(&random, 12);
    for (int round = 0; round < 60; round++) {
        world w;
        su_universe u;
        su_tuple_graph g;
        su_row_lists rows;
        uint32_t length = 1 + (uint32_t)su_random_below(&random, 4);
        ctx.threads = 1 + round % 2;
        world_init(&w, su_random_below(&random, 60), card, COLUMNS, &random);
        su_universe_init(&u, w.columns, COLUMNS);
        su_tuple_graph_init(&g, &u);
        for (uint32_t k = 1; k < length; k++) random_level(&g, k, 3, &random);
        su_tuple_level *l = &g.level[length];
        if (length > 1) {
            assert_true(su_sds_candidates(&g, length, l));
            su_tuple_index(&g, l);
        }
        uint64_t bound = su_random_below(&random, 12);
        su_random_split(&random, 7, &choice);
        uint32_t *before = su_alloc_array(l->n + 1, sizeof *before);
        for (int with = 0; with < 2; with++) {
            if (with) {
                uint16_t record[COLUMNS];
                for (uint32_t c = 0; c < COLUMNS; c++) record[c] = (uint16_t)(round % 3 ? su_random_below(&random, card[c]) : card[c] - 1);
                world_append(&w, record);
            }
            su_bounded b;
            uint32_t *naive = su_alloc_array(l->n + 1, sizeof *naive);
            assert_int_equal(su_row_lists_init(&ctx, &rows, &w.matrix, &u, NULL), SU_OK);
            assert_int_equal(su_bounded_count(&ctx, &g, &rows, l, 40, &b), SU_OK);
            for (uint64_t i = 0; i < w.matrix.row_count; i++) assert_int_equal(b.own[i], candidates_in_row(&w, &u, l, i, naive));
            assert_memory_equal(b.counts, naive, l->n * sizeof *naive);
            assert_true(b.point[0] == 0 && b.point[b.points - 1] == 40);
            for (size_t p = 0; p < b.points; p++) {
                uint64_t at_most = 0;
                for (uint64_t i = 0; i < w.matrix.row_count; i++) at_most += b.own[i] <= b.point[p];
                assert_int_equal(b.at_most[p], at_most);
            }
            su_bounded_drop(&ctx, &g, &rows, l, bound, &choice, &b);
            uint64_t kept = 0, sum = 0, moved = 0;
            for (uint64_t i = 0; i < w.matrix.row_count; i++) kept += b.own[i] < bound ? b.own[i] : bound;
            for (size_t i = 0; i < l->n; i++) {
                sum += b.counts[i];
                assert_true(b.counts[i] <= naive[i]);
                if (!with)
                    before[i] = b.counts[i];
                else {
                    assert_true(b.counts[i] == before[i] || b.counts[i] == before[i] + 1);
                    moved += b.counts[i] - before[i];
                }
            }
            assert_int_equal(sum, kept);
            assert_true(moved <= bound);
            su_bounded_free(&b, w.matrix.row_count, l->n);
            su_row_lists_free(&rows);
            free(naive);
        }
        free(before);
        su_tuple_graph_free(&g);
        su_universe_free(&u);
        world_free(&w);
    }
}

/* Every candidate of a long row is equally likely to stay. */
static void test_what_stays_is_drawn_evenly(void **state)
{
    (void)state;
    enum { ROWS = 20000, BOUND = 3 };
    su_context ctx;
    su_random random;
    world w;
    su_universe u;
    su_tuple_graph g;
    su_row_lists rows;
    su_bounded b;
    su_context_init(&ctx);
    su_random_seeded(&random, 13);
    world_init(&w, ROWS, card, COLUMNS, &random);
    for (uint32_t c = 0; c < COLUMNS; c++)
        for (uint64_t i = 0; i < ROWS; i++) w.codes[c][i] = 1;
    su_universe_init(&u, w.columns, COLUMNS);
    su_tuple_graph_init(&g, &u);
    assert_int_equal(su_row_lists_init(&ctx, &rows, &w.matrix, &u, NULL), SU_OK);
    assert_int_equal(su_bounded_count(&ctx, &g, &rows, &g.level[1], COLUMNS, &b), SU_OK);
    su_bounded_drop(&ctx, &g, &rows, &g.level[1], BOUND, &random, &b);
    double mean = (double)ROWS * BOUND / COLUMNS, sd = sqrt(mean * (1 - (double)BOUND / COLUMNS));
    for (uint32_t c = 0; c < COLUMNS; c++) assert_true(fabs(b.counts[u.first[c]] - mean) < 5 * sd);
    su_bounded_free(&b, ROWS, g.level[1].n);
    su_row_lists_free(&rows);
    su_tuple_graph_free(&g);
    su_universe_free(&u);
    world_free(&w);
}

/* Chi-square against the law e^(-epsilon |100 c(v) - percent n| / (2 max(percent, 100 - percent))). */
static void test_bounds_follow_the_exponential_mechanism(void **state)
{
    (void)state;
    enum { GRID = 6, DRAWS = 60000 };
    const uint64_t at_most[GRID + 1] = { 3, 10, 18, 19, 30, 30, 30 };
    const uint32_t percents[] = { 99, 50, 100, 1 };
    su_random random;
    su_random_seeded(&random, 14);
    for (size_t p = 0; p < 4; p++) {
        double epsilon = 0.7, weight[GRID + 1], sum = 0, chi = 0, wide = fmax(percents[p], 100 - percents[p]);
        uint64_t seen[GRID + 1] = { 0 };
        for (int v = 0; v <= GRID; v++)
            sum += weight[v] = exp(-epsilon * fabs(100.0 * (double)at_most[v] - percents[p] * 30.0) / (2 * wide));
        for (int i = 0; i < DRAWS; i++) seen[su_dp_percentile(&random, at_most, GRID + 1, 30, percents[p], (uint64_t)(epsilon * 0x1p32))]++;
        for (int v = 0; v <= GRID; v++) {
            double expected = DRAWS * weight[v] / sum;
            chi += ((double)seen[v] - expected) * ((double)seen[v] - expected) / expected;
        }
        assert_true(chi < 38); /* 6 degrees of freedom: 1e-6 */
    }
}

static void test_points(void **state)
{
    (void)state;
    uint64_t points[400];
    for (uint64_t most = 0; most < 3000; most += 1 + most / 3) {
        size_t n = su_bound_points(most, points);
        assert_true(n == su_bound_points(most, NULL) && points[0] == 0 && points[n - 1] == most);
        for (size_t i = 1; i < n; i++) assert_true(points[i] > points[i - 1] && points[i] - points[i - 1] <= 1 + points[i - 1] / 16);
    }
}

static su_release *plan(su_context *ctx, const world *w, const su_release_options *o, su_status want)
{
    su_release *r = NULL;
    su_context_init(ctx);
    assert_int_equal(su_release_plan(ctx, NULL, w->columns, w->matrix.column_count, o, &r), want);
    return r;
}

static void test_budget(void **state)
{
    (void)state;
    world w;
    su_context ctx;
    su_random random;
    su_random_seeded(&random, 15);
    world_init(&w, 10, card, COLUMNS, &random);
    su_release_options o = { .epsilon = 4, .delta = 5.8e-6, .length = 3, .mechanism = SU_MECHANISM_SDS };
    su_release *r = plan(&ctx, &w, &o, SU_OK);
    /* budget and sigmas (docs/methods/sds.md), computed again */
    double l = log(2 / 5.8e-6), root = sqrt(4 * 0.995 + l) - sqrt(l), rho = root * root, s = 1 + 4 + 9, sigma = sqrt(s / (2 * rho * 0.99));
    for (uint32_t k = 1; k <= 3; k++) {
        double unit = (double)r->sds.length[k].unit.num / (double)r->sds.length[k].unit.den;
        assert_true(unit >= sigma * sigma / k / k && unit <= sigma * sigma / k / k * (1 + 0x1p-15));
    }
    double epsilon_q = (double)r->sds.percentile_epsilon_32 * 0x1p-32,
           scale = (double)r->sds.record_scale_num / (double)r->sds.record_scale_den;
    assert_true(fabs(epsilon_q - sqrt(8 * rho * 0.01 / 3)) < 1e-8);
    assert_true(scale >= 1 / (0.005 * 4) && scale < 1 / (0.005 * 4) + 1e-5);
    double spent = 0.02 * 0.02 / 2 + rho;
    assert_true(fabs(r->rho - spent) < 1e-5 * spent);
    assert_true(r->epsilon_stated == su_zcdp_epsilon(r->rho, 5.8e-6 / 2) && r->epsilon_stated < 4 && r->epsilon_stated > 3.3);
    assert_true(r->sds.delta_threshold == 5.8e-6 / 2);
    double loose = r->rho;
    su_release_free(r);

    o.sds.tight = true;
    r = plan(&ctx, &w, &o, SU_OK);
    assert_true(r->rho > loose && r->epsilon_stated <= 4 && r->epsilon_stated > 3.99);
    su_release_free(r);
    o.sds.codelist_candidates = true;
    r = plan(&ctx, &w, &o, SU_OK);
    assert_true(r->sds.delta_threshold == 0 && r->epsilon_stated == su_zcdp_epsilon(r->rho, 5.8e-6));
    su_release_free(r);

    for (int i = 0; i < 7; i++) {
        su_release_options bad = { .epsilon = 4, .length = 3, .mechanism = SU_MECHANISM_SDS };
        if (i == 0) bad.sds.record_share = 1.5;
        if (i == 1) bad.sds.percentile_share = NAN;
        if (i == 2) bad.sds.percentile = 101;
        if (i == 3) bad.sds.weight_percentile = 200;
        if (i == 4) bad.sds.priority = 7;
        if (i == 5) bad.epsilon = 0;
        if (i == 6) bad.sds.record_share = -1;
        assert_null(plan(&ctx, &w, &bad, SU_USAGE));
    }
    o = (su_release_options) { .epsilon = 1e-7, .length = 3, .mechanism = SU_MECHANISM_SDS };
    assert_null(plan(&ctx, &w, &o, SU_REFUSED));
    o.epsilon = 1;
    w.columns[0].card = w.columns[1].card = 40000;
    assert_null(plan(&ctx, &w, &o, SU_REFUSED));
    assert_non_null(strstr(ctx.message, "80007"));
    world_free(&w);
}

/* P(1 + Z > T) for the noise that was drawn: at most 1 - (1 - delta/2)^(1/bound), and not for a threshold two below. */
static void test_threshold_keeps_single_records_out(void **state)
{
    (void)state;
    su_random random;
    su_random_seeded(&random, 16);
    for (int round = 0; round < 6; round++) {
        world w;
        world_init(&w, 300, card, COLUMNS, &random);
        su_release_options o = { .epsilon = 0.5 + 2 * round, .delta = round % 2 ? 1e-9 : 1e-5, .length = 2, .mechanism = SU_MECHANISM_SDS };
        su_release *r = world_release(&w, &o, 100 + (uint64_t)round, 1);
        const su_sds_length *l = &r->sds.length[1];
        if (l->bound) {
            double most = -expm1(log1p(-o.delta / 2) / (double)l->bound), tail = 0, below = 0;
            for (int64_t z = l->threshold + 4000; z >= l->threshold; z--) tail += su_discrete_gaussian_pmf(l->variance, z);
            below =
                tail + su_discrete_gaussian_pmf(l->variance, l->threshold - 1) + su_discrete_gaussian_pmf(l->variance, l->threshold - 2);
            assert_true(tail <= most && below > most);
            for (size_t i = 0; i < r->aggregate_count && r->aggregates[i].length == 1; i++)
                assert_true((int64_t)r->aggregates[i].count > l->threshold);
        }
        su_release_free(r);
        world_free(&w);
    }
}

/* What is drawn is what is charged: parameter unit * bound, seen in the counts of a world whose records are all alike. */
static void test_noise_is_as_planned(void **state)
{
    (void)state;
    enum { ROWS = 2000, WIDE = 6, RUNS = 150 };
    const uint32_t flags[WIDE] = { 2, 2, 2, 2, 2, 2 };
    su_random random;
    su_random_seeded(&random, 19);
    world w;
    world_init(&w, ROWS, flags, WIDE, &random);
    for (uint32_t c = 0; c < WIDE; c++)
        for (uint64_t i = 0; i < ROWS; i++) w.codes[c][i] = 1;
    su_release_options o = { .epsilon = 4, .delta = 1e-6, .length = 1, .mechanism = SU_MECHANISM_SDS };
    double sum = 0, squares = 0, n = 0, totals = 0, scale = 1 / (0.005 * 4);
    for (uint64_t run = 0; run < RUNS; run++) {
        su_release *r = world_release(&w, &o, 1000 + run, 1);
        const su_sds_length *l = &r->sds.length[1];
        assert_true(l->variance.num == l->unit.num * l->bound && l->variance.den == l->unit.den);
        totals += (r->total_estimate - ROWS) * (r->total_estimate - ROWS) / (2 * scale * scale);
        for (size_t i = 0; l->bound == WIDE && i < r->aggregate_count; i++) {
            double z = ((double)r->aggregates[i].count - ROWS) / sqrt(su_discrete_gaussian_variance(l->variance));
            sum += z;
            squares += z * z;
            n++;
        }
        su_release_free(r);
    }
    assert_true(n > RUNS * WIDE / 2);
    assert_true(fabs(totals / RUNS - 1) < 4 * sqrt(5.0 / RUNS)); /* Laplace: variance 2 scale^2, kurtosis 6 */
    assert_true(fabs(sum / n) < 5 / sqrt(n) && fabs(squares / n - 1) < 5 * sqrt(2 / n));
    world_free(&w);
}

/* With 3,000 codes that nobody has and the largest delta, noise alone would be above the threshold now and then. */
static void test_values_nobody_has_stay_out(void **state)
{
    (void)state;
    const uint32_t wide[] = { 3003, 2 };
    su_random random;
    su_random_seeded(&random, 20);
    world w;
    world_init(&w, 300, wide, 2, &random);
    for (uint64_t i = 0; i < 300; i++) w.codes[0][i] = (uint16_t)(i % 3);
    su_release_options o = { .epsilon = 1, .delta = 1e-3, .length = 1, .mechanism = SU_MECHANISM_SDS };
    for (uint64_t run = 0; run < 60; run++) {
        su_release *r = world_release(&w, &o, run, 1);
        for (size_t i = 0; i < r->aggregate_count; i++) assert_true(world_count(&w, r->aggregates[i].at, 1) > 0);
        su_release_free(r);
    }
    world_free(&w);
}

static void test_release(void **state)
{
    (void)state;
    su_random random;
    su_random_seeded(&random, 17);
    for (uint32_t length = 1; length <= 4; length++)
        for (int mode = 0; mode <= SU_SDS_MINIMISED; mode++) {
            world w;
            world_init(&w, 3000, card, COLUMNS, &random);
            for (uint64_t i = 0; i < 3000; i++) w.codes[4][i] = w.codes[4][i] == 4 ? 0 : w.codes[4][i]; /* a value nobody has */
            su_release_options o = { .epsilon = 8, .delta = 1e-6, .length = length, .mechanism = SU_MECHANISM_SDS };
            o.sds.fabrication = (su_sds_fabrication)mode;
            o.sds.priority = (su_sds_priority)(mode % 3);
            o.sds.synthetic_counts = mode == 2;
            su_release *r = world_release(&w, &o, 5, 1), *two = world_release(&w, &o, 5, 2);
            world_same_release(r, two);
            assert_true(r->aggregate_count > 0 && r->record_count > 1000 && !r->private_noise);
            assert_true(fabs(r->total_estimate - 3000) < 1000);
            uint64_t used[64] = { 0 }, error = 0;
            for (uint64_t i = 0; i < r->record_count; i++)
                for (uint32_t c = 0; c < COLUMNS; c++) used[c * 8 + r->records[c][i]]++;
            for (size_t i = 0; i < r->aggregate_count; i++) {
                const su_aggregate *a = &r->aggregates[i];
                uint64_t truly = world_count(&w, a->at, a->length);
                assert_true(a->count > 0 && isnan(a->ci_low) && isnan(a->ci_high));
                if (a->length == 1) {
                    assert_true(truly > 0); /* candidates come from the data */
                    error += truly > a->count ? truly - a->count : a->count - truly;
                    assert_true(used[a->at[0].column * 8 + a->at[0].value] <= a->count);
                }
                for (size_t p = 0; p < i; p++) { /* held at its parts */
                    uint32_t shared = 0;
                    for (uint32_t x = 0; x < a->length; x++)
                        for (uint32_t y = 0; y < r->aggregates[p].length; y++)
                            shared += memcmp(&a->at[x], &r->aggregates[p].at[y], sizeof a->at[x]) == 0;
                    if (r->aggregates[p].length + 1 == a->length && shared == r->aggregates[p].length)
                        assert_true(a->count <= r->aggregates[p].count);
                }
            }
            assert_true(error < 12 * 400);
            su_release_free(r);
            su_release_free(two);
            world_free(&w);
        }
}

static void test_edges(void **state)
{
    (void)state;
    su_random random;
    su_random_seeded(&random, 18);
    const uint32_t narrow[] = { 2, 1 };
    su_release_options o = { .epsilon = 4, .length = 4, .mechanism = SU_MECHANISM_SDS };
    for (uint64_t rows = 0; rows < 2; rows++) {
        world w;
        world_init(&w, rows, card, COLUMNS, &random);
        su_release *r = world_release(&w, &o, rows, 2);
        assert_true(r->aggregate_count == 0 && r->record_count == 0);
        su_release_free(r);
        world_free(&w);
    }
    world w;
    world_init(&w, 500, narrow, 2, &random);
    for (uint64_t i = 0; i < 500; i++) w.codes[0][i] = 1;
    for (int codelist = 0; codelist < 2; codelist++) {
        o.sds.codelist_candidates = codelist;
        su_release *r = world_release(&w, &o, 9, 1);
        assert_int_equal(r->sds.lengths, 2);
        assert_true(r->aggregate_count == 1 && r->record_count == r->aggregates[0].count);
        su_release_free(r);
    }
    o.sds.records = 1234; /* the counts are used more than once */
    su_release *r = world_release(&w, &o, 9, 1);
    assert_int_equal(r->record_count, 1234);
    su_release_free(r);
    o.k = 1000000;
    r = world_release(&w, &o, 9, 1);
    assert_true(r->aggregate_count == 0 && r->suppressed_by_k[1] == 1);
    su_release_free(r);
    world_free(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_candidates_are_the_definition),
        cmocka_unit_test(test_one_row_moves_bound_counts_by_one),
        cmocka_unit_test(test_what_stays_is_drawn_evenly),
        cmocka_unit_test(test_bounds_follow_the_exponential_mechanism),
        cmocka_unit_test(test_points),
        cmocka_unit_test(test_budget),
        cmocka_unit_test(test_threshold_keeps_single_records_out),
        cmocka_unit_test(test_noise_is_as_planned),
        cmocka_unit_test(test_values_nobody_has_stay_out),
        cmocka_unit_test(test_release),
        cmocka_unit_test(test_edges),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
