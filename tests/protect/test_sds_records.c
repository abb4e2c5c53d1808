/* Records of the Synthetic Data Showcase mechanisms. The oracles make the same records from the same random numbers in the slow way: every
 * weight is counted anew from the definition. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "kanon.h"
#include "sds_world.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const uint32_t card[] = { 4, 2, 3, 2, 5, 2, 2, 3 };
enum { COLUMNS = 8 };

static void assert_same_made(const su_made *a, const su_made *b)
{
    assert_int_equal(a->n, b->n);
    assert_int_equal(a->item_count, b->item_count);
    if (a->n) assert_memory_equal(a->first, b->first, (a->n + 1) * sizeof *a->first);
    if (a->item_count) assert_memory_equal(a->items, b->items, a->item_count * sizeof *a->items);
}

/* Levels of all combinations that at least `least` rows hold. */
static void count_levels(su_tuple_graph *g, const world *w, uint32_t length, uint64_t least)
{
    for (uint32_t n = 1; n <= length; n++) {
        uint32_t ids[SU_TUPLE_MAX];
        for (uint32_t k = 0; k < n; k++) ids[k] = k;
        do {
            su_attribute at[SU_TUPLE_MAX];
            uint64_t key = 0;
            bool columns = true;
            for (uint32_t k = 0; k < n; k++) {
                at[k] = su_universe_attribute(g->universe, ids[k]);
                columns = columns && (k == 0 || at[k].column != at[k - 1].column);
                key = su_key_with(key, k, ids[k]);
            }
            uint64_t rows = columns ? world_count(w, at, n) : 0;
            if (rows < least) continue;
            if (n == 1)
                g->level[1].count[ids[0]] = (uint32_t)rows;
            else
                su_tuple_add(&g->level[n], key, (uint32_t)rows);
        } while (next_set(ids, n, g->universe->attribute_count));
        if (n == 1) continue;
        su_tuple_index(g, &g->level[n]);
        su_tuple_graph_link(g, n);
    }
}

static void test_graph(void **state)
{
    (void)state;
    su_random random;
    su_random_seeded(&random, 21);
    world w;
    su_universe u;
    su_tuple_graph g;
    world_init(&w, 60, card, COLUMNS, &random);
    su_universe_init(&u, w.columns, COLUMNS);
    su_tuple_graph_init(&g, &u);
    count_levels(&g, &w, 4, 1);
    for (uint32_t n = 1; n <= 4; n++)
        for (size_t i = 0; i < g.level[n].n; i++) {
            assert_int_equal(su_tuple_find(&g, g.level[n].key[i], n), i);
            for (uint32_t a = 0; n < 4 && g.level[n].count[i] && a < u.attribute_count; a++) {
                su_attribute at[SU_TUPLE_MAX];
                bool other = true;
                for (uint32_t k = 0; k < n; k++) {
                    at[k] = su_universe_attribute(&u, su_key_at(g.level[n].key[i], k));
                    other = other && at[k].column != u.column[a];
                }
                at[n] = su_universe_attribute(&u, a);
                uint32_t child = su_tuple_child(&g.level[n], (uint32_t)i, a);
                if (!other || world_count(&w, at, n + 1) == 0)
                    assert_int_equal(child, SU_TUPLE_NONE);
                else
                    assert_int_equal(g.level[n + 1].count[child], world_count(&w, at, n + 1));
            }
        }
    su_tuple_level shuffled = { .length = 3 };
    for (size_t i = g.level[3].n; i-- > 0;) su_tuple_add(&shuffled, g.level[3].key[i], g.level[3].count[i]);
    su_tuple_sort(&u, &shuffled);
    assert_memory_equal(shuffled.key, g.level[3].key, shuffled.n * sizeof *shuffled.key);
    assert_memory_equal(shuffled.count, g.level[3].count, shuffled.n * sizeof *shuffled.count);
    su_tuple_level_free(&shuffled);
    su_tuple_graph_free(&g);
    su_universe_free(&u);
    world_free(&w);
}

/* ---- records from aggregates --------------------------------------------------------------------------------------------- */

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

typedef struct slow {
    const su_tuple_graph *g;
    uint64_t *made[SU_TUPLE_MAX + 1];
    bool synthetic_counts;
} slow;

/* Weight of a combination, 0 if it is not reported or used up. */
static double combination_weight(const slow *s, const uint32_t *ids, uint32_t n)
{
    uint32_t sorted[SU_TUPLE_MAX];
    memcpy(sorted, ids, n * sizeof *ids);
    for (uint32_t i = 0; i < n; i++)
        for (uint32_t j = i + 1; j < n; j++)
            if (sorted[j] < sorted[i]) {
                uint32_t swap = sorted[i];
                sorted[i] = sorted[j];
                sorted[j] = swap;
            }
    uint64_t key = 0;
    for (uint32_t i = 0; i < n; i++) key = su_key_with(key, i, sorted[i]);
    for (size_t i = 0; i < s->g->level[n].n; i++)
        if (s->g->level[n].key[i] == key) {
            double count = s->g->level[n].count[i], made = s->synthetic_counts ? (double)s->made[n][i] : 0;
            return count > made ? count - made : 0;
        }
    return 0;
}

/* The combination itself, or the percentile over all its parts with the attribute; any missing one forbids. */
static double attribute_weight(const slow *s, const uint32_t *record, uint32_t n, uint32_t a, uint32_t percent)
{
    uint32_t ids[COLUMNS + 1], count = 0;
    double weights[1 << COLUMNS];
    for (uint32_t i = 0; i < n; i++)
        if (s->g->universe->column[record[i]] == s->g->universe->column[a]) return 0;
    for (uint32_t mask = 0; mask < 1u << n; mask++) {
        uint32_t size = 1;
        ids[0] = a;
        for (uint32_t i = 0; i < n; i++)
            if (mask & 1u << i) ids[size++] = record[i];
        if (size > s->g->length) continue;
        if (n + 1 <= s->g->length && size != n + 1) continue;
        double weight = combination_weight(s, ids, size);
        if (weight == 0) return 0;
        weights[count++] = weight;
    }
    if (n + 1 <= s->g->length) return weights[0];
    qsort(weights, count, sizeof *weights, ascending);
    double h = (count + 1.0 / 3) * percent / 100 + 1.0 / 3;
    uint32_t low = (uint32_t)floor(h + 1e-9);
    if (low == 0) return weights[0];
    if (low >= count) return weights[count - 1];
    return floor(weights[low - 1] + (h - low) * (weights[low] - weights[low - 1]) + 0.5 + 1e-9);
}

static void slow_seeded(const su_tuple_graph *g, const su_aggregate_seeded *o, su_random *random, su_made *out)
{
    uint32_t attributes = g->universe->attribute_count;
    uint32_t *available = su_alloc_array(attributes, sizeof *available);
    slow s = { .g = g, .synthetic_counts = o->synthetic_counts };
    su_random stream;
    su_random_split(random, su_random_u64(random), &stream);
    for (uint32_t k = 1; k <= g->length; k++) s.made[k] = su_alloc_array(g->level[k].n + 1, sizeof **s.made);
    memcpy(available, g->level[1].count, attributes * sizeof *available);
    while (!o->target || out->n < o->target) {
        uint32_t record[COLUMNS], n = 0;
        for (;;) {
            uint64_t weight[64] = { 0 }, total = 0;
            for (uint32_t a = 0; a < attributes; a++) {
                weight[a] = available[a] ? (uint64_t)attribute_weight(&s, record, n, a, o->weight_percentile) : 0;
                total += weight[a];
            }
            if (!total) break;
            uint32_t a = su_draw_weighted(&stream, weight, total);
            if (n == 0) su_made_begin(out);
            su_made_push(out, a);
            available[a]--;
            record[n++] = a;
        }
        if (n == 0) {
            if (!o->target) break;
            memcpy(available, g->level[1].count, attributes * sizeof *available);
            for (uint32_t k = 1; k <= g->length; k++) memset(s.made[k], 0, g->level[k].n * sizeof **s.made);
        }
        for (uint32_t k = 1; k <= g->length; k++)
            for (size_t i = 0; i < g->level[k].n; i++) {
                uint32_t held = 0;
                for (uint32_t p = 0; p < k; p++)
                    for (uint32_t x = 0; x < n; x++) held += su_key_at(g->level[k].key[i], p) == record[x];
                s.made[k][i] += held == k;
            }
    }
    for (uint32_t k = 1; k <= g->length; k++) free(s.made[k]);
    free(available);
}

static void test_seeded_from_aggregates_as_defined(void **state)
{
    (void)state;
    su_context ctx;
    su_random random;
    su_context_init(&ctx);
    su_random_seeded(&random, 22);
    for (uint32_t length = 1; length <= 4; length++)
        for (int mode = 0; mode < 4; mode++) {
            world w;
            su_universe u;
            su_tuple_graph g;
            world_init(&w, 120, card, COLUMNS, &random);
            su_universe_init(&u, w.columns, COLUMNS);
            su_tuple_graph_init(&g, &u);
            count_levels(&g, &w, length, 2);
            su_aggregate_seeded o = { .weight_percentile = mode == 2   ? 50
                                                           : mode == 3 ? 10
                                                                       : 95,
                                      .synthetic_counts = mode % 2 == 1,
                                      .target = mode == 3 ? 300 : 0 };
            su_made fast = { NULL }, slowly = { NULL };
            su_random one = random, other = random;
            assert_int_equal(su_seed_from_aggregates(&ctx, &g, &o, &one, &fast), SU_OK);
            slow_seeded(&g, &o, &other, &slowly);
            assert_same_made(&fast, &slowly);
            assert_true(fast.n > 20);
            su_made_free(&fast);
            su_made_free(&slowly);
            su_tuple_graph_free(&g);
            su_universe_free(&u);
            world_free(&w);
        }
}

/* ---- K-anonymous modes --------------------------------------------------------------------------------------------------- */

/* Rows that hold everything in the record and `a`. */
static uint64_t rows_with_ids(const world *w, const su_universe *u, const uint16_t *record, uint32_t n, uint32_t a)
{
    su_attribute at[COLUMNS + 1];
    for (uint32_t i = 0; i < n; i++) {
        at[i] = su_universe_attribute(u, record[i]);
        if (at[i].column == u->column[a]) return 0;
    }
    at[n] = su_universe_attribute(u, a);
    return world_count(w, at, n + 1);
}

/* Grows one record out of `pool`; takes what it uses when `take`. */
static uint32_t slow_record(const world *w, const su_universe *u, uint64_t K, uint64_t *pool, bool take, su_random *random,
                            uint16_t *record)
{
    uint32_t n = 0;
    for (;;) {
        uint64_t weight[64] = { 0 }, total = 0;
        for (uint32_t a = 0; a < u->attribute_count; a++) {
            uint64_t rows = pool[a] ? rows_with_ids(w, u, record, n, a) : 0;
            weight[a] = rows >= K ? rows : 0;
            total += weight[a];
        }
        if (!total) return n;
        uint32_t a = su_draw_weighted(random, weight, total);
        record[n++] = (uint16_t)a;
        if (take) pool[a]--;
    }
}

/* The three steps of row-seeded synthesis; rows in the order of b (theirs is as good as any). */
static void slow_row_seeded(const world *w, const su_row_bits *b, const su_universe *u, uint64_t K, bool seeded, su_random *random,
                            su_made *out)
{
    uint64_t count[64] = { 0 }, used[64] = { 0 }, pool[64];
    su_random source, stream;
    uint16_t record[COLUMNS];
    for (uint32_t a = 0; a < u->attribute_count; a++) {
        su_attribute at = su_universe_attribute(u, a);
        count[a] = world_count(w, &at, 1);
    }
    if (seeded) {
        su_random_split(random, su_random_u64(random), &source);
        for (uint64_t i = 0; i < w->matrix.row_count; i++) {
            if (i % 256 == 0) su_random_split(&source, i / 256, &stream);
            memset(pool, 0, sizeof pool);
            for (uint32_t c = 0; c < COLUMNS; c++)
                if (b->codes[c][i]) pool[u->first[c] + b->codes[c][i] - 1] = 1;
            uint32_t n = slow_record(w, u, K, pool, false, &stream, record);
            if (n) su_made_begin(out);
            for (uint32_t k = 0; k < n; k++) {
                su_made_push(out, record[k]);
                used[record[k]]++;
            }
        }
    }
    su_random_split(random, su_random_u64(random), &stream);
    uint64_t left = 0;
    for (uint32_t a = 0; a < u->attribute_count; a++) {
        uint64_t target = count[a] / K * K;
        pool[a] = target > used[a] ? target - used[a] : 0;
        left += pool[a];
    }
    while (left) {
        uint32_t n = slow_record(w, u, K, pool, true, &stream, record);
        su_made_begin(out);
        for (uint32_t k = 0; k < n; k++) su_made_push(out, record[k]);
        left -= n;
    }
}

static void test_row_seeded_as_defined(void **state)
{
    (void)state;
    su_random random;
    su_random_seeded(&random, 23);
    for (int round = 0; round < 8; round++) {
        su_context ctx;
        world w;
        su_universe u;
        su_tuple_graph g;
        su_row_bits b;
        uint64_t K = 2 + su_random_below(&random, 5);
        bool seeded = round % 2;
        su_context_init(&ctx);
        ctx.threads = 1 + (unsigned)round % 3;
        world_init(&w, 150 + 100 * (uint64_t)round, card, COLUMNS, &random);
        su_universe_init(&u, w.columns, COLUMNS);
        su_tuple_graph_init(&g, &u);
        count_levels(&g, &w, round < 4 ? 3 : 4, K);
        assert_int_equal(su_row_bits_init(&ctx, &b, &w.matrix, &u, K, false), SU_OK);
        su_made fast = { NULL }, slowly = { NULL };
        su_random one = random, other = random;
        assert_int_equal(su_row_seeded(&ctx, &b, &g, seeded, &one, &fast), SU_OK);
        slow_row_seeded(&w, &b, &u, K, seeded, &other, &slowly);
        if (!seeded) assert_same_made(&fast, &slowly);
        /* The seeded mode takes excess away at the end, in random order: what is left is part of what was, and counts are exact. */
        uint64_t count[64] = { 0 }, made[64] = { 0 };
        for (size_t i = 0; i < fast.item_count; i++) made[fast.items[i]]++;
        for (size_t i = 0; i < slowly.item_count; i++) count[slowly.items[i]]++;
        for (uint32_t a = 0; a < u.attribute_count; a++) {
            su_attribute at = su_universe_attribute(&u, a);
            uint64_t target = world_count(&w, &at, 1) / K * K;
            assert_int_equal(made[a], target);
            assert_true(count[a] >= target);
        }
        assert_true(fast.n <= slowly.n && fast.item_count <= slowly.item_count);
        su_made_free(&fast);
        su_made_free(&slowly);
        su_row_bits_free(&b);
        su_tuple_graph_free(&g);
        su_universe_free(&u);
        world_free(&w);
        su_random_u64(&random);
    }
}

/* Every combination of attributes of every record, up to its full width, occurs in at least K rows. */
static void assert_admissible(const world *w, const su_release *r, uint64_t K)
{
    for (uint64_t i = 0; i < r->record_count; i++) {
        su_attribute at[COLUMNS], part[COLUMNS];
        uint32_t n = record_attributes(r, i, at);
        for (uint32_t mask = 1; mask < 1u << n; mask++) {
            uint32_t size = 0;
            for (uint32_t k = 0; k < n; k++)
                if (mask & 1u << k) part[size++] = at[k];
            assert_true(world_count(w, part, size) >= K);
        }
    }
}

static void test_k_modes_keep_k(void **state)
{
    (void)state;
    su_random random;
    su_random_seeded(&random, 24);
    const su_mechanism modes[] = { SU_MECHANISM_ROW_SEEDED, SU_MECHANISM_VALUE_SEEDED, SU_MECHANISM_UNSEEDED };
    for (int round = 0; round < 9; round++) {
        world w;
        uint64_t K = 2 + su_random_below(&random, 8), singles[64] = { 0 };
        su_release_options o = { .length = 1 + (uint32_t)round % 4, .k = K, .mechanism = modes[round % 3] };
        world_init(&w, 203, card, COLUMNS, &random);
        su_release *r = world_release(&w, &o, 31, 1), *two = world_release(&w, &o, 31, 2);
        world_same_release(r, two);
        assert_admissible(&w, r, K);
        assert_true(r->record_count > 0 && isinf(r->rho) && isinf(r->epsilon_stated) && r->options.delta == 1);
        assert_true(r->total_estimate == (double)(203 / K * K) && isnan(r->total_ci_low));
        if (o.mechanism == SU_MECHANISM_UNSEEDED) assert_true(r->record_count <= 203 / K * K); /* less those without any value */
        uint64_t listed = 0, there = 0;
        for (size_t i = 0; i < r->aggregate_count; i++) {
            const su_aggregate *a = &r->aggregates[i];
            uint64_t truly = world_count(&w, a->at, a->length);
            assert_true(truly >= K && a->count == truly / K * K && isnan(a->ci_low));
            listed++;
            if (a->length == 1) singles[a->at[0].column * 8 + a->at[0].value] = a->count;
        }
        for (uint32_t n = 1; n <= o.length; n++) { /* and none is missing */
            uint32_t set[COLUMNS], values[COLUMNS];
            for (uint32_t k = 0; k < n; k++) set[k] = k;
            do {
                uint64_t tuples = 1;
                for (uint32_t k = 0; k < n; k++) tuples *= card[set[k]] - 1;
                for (uint64_t t = 0; t < tuples; t++) {
                    su_attribute at[COLUMNS];
                    uint64_t rest = t;
                    for (uint32_t k = 0; k < n; k++, rest /= values[k - 1]) {
                        values[k] = card[set[k]] - 1;
                        at[k] = (su_attribute) { (uint16_t)set[k], (uint16_t)(1 + rest % values[k]) };
                    }
                    there += world_count(&w, at, n) >= K;
                }
            } while (next_set(set, n, COLUMNS));
        }
        assert_int_equal(listed, there);
        uint64_t made[64] = { 0 };
        for (uint64_t i = 0; i < r->record_count; i++)
            for (uint32_t c = 0; c < COLUMNS; c++)
                if (r->records[c][i]) made[c * 8 + r->records[c][i]]++;
        if (o.mechanism != SU_MECHANISM_UNSEEDED) assert_memory_equal(made, singles, sizeof made); /* single counts are exact */
        su_release_free(r);
        su_release_free(two);
        world_free(&w);
    }
}

/* Weights of the unseeded mode: with one column the law is known. */
static void test_unseeded_law(void **state)
{
    (void)state;
    su_random random;
    su_random_seeded(&random, 25);
    const uint32_t one[] = { 4 };
    world w;
    world_init(&w, 40000, one, 1, &random);
    for (uint64_t i = 0; i < 40000; i++) w.codes[0][i] = (uint16_t)(i < 10000 ? 1 : i < 30000 ? 2 : i < 30003 ? 3 : 0);
    su_release_options o = { .length = 1, .k = 5, .mechanism = SU_MECHANISM_UNSEEDED };
    su_release *r = world_release(&w, &o, 3, 1);
    double seen[4] = { 0 }; /* rows without a value are left out of a release */
    for (uint64_t i = 0; i < r->record_count; i++) seen[r->records[0][i]]++;
    assert_true(r->record_count < 40000 && seen[0] == 0 && seen[3] == 0);
    assert_true(fabs(seen[1] - 10000) < 5 * sqrt(7500) && fabs(seen[2] - 20000) < 5 * 100);
    su_release_free(r);
    world_free(&w);
}

static void test_k_edges(void **state)
{
    (void)state;
    su_random random;
    su_context ctx;
    su_random_seeded(&random, 26);
    for (su_mechanism mode = SU_MECHANISM_ROW_SEEDED; mode <= SU_MECHANISM_UNSEEDED; mode++) {
        su_release_options o = { .length = 3, .k = 10, .mechanism = mode };
        for (uint64_t rows = 0; rows < 10; rows += 9) { /* fewer than K: nothing to show */
            world w;
            world_init(&w, rows, card, COLUMNS, &random);
            su_release *r = world_release(&w, &o, 1, 1);
            assert_true(r->record_count == 0 && r->aggregate_count == 0 && r->total_estimate == 0);
            su_release_free(r);
            world_free(&w);
        }
        world w;
        su_release *r = NULL;
        world_init(&w, 20, card, COLUMNS, &random);
        for (o.k = 0; o.k < 2; o.k++) {
            su_context_init(&ctx);
            assert_int_equal(su_release_plan(&ctx, NULL, w.columns, COLUMNS, &o, &r), SU_USAGE);
            assert_non_null(strstr(ctx.message, su_mechanism_name(mode)));
        }
        assert_false(su_mechanism_bound(mode));
        assert_non_null(strstr(su_mechanism_about(mode), "no differential privacy bound"));
        world_free(&w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_graph),
        cmocka_unit_test(test_seeded_from_aggregates_as_defined),
        cmocka_unit_test(test_row_seeded_as_defined),
        cmocka_unit_test(test_k_modes_keep_k),
        cmocka_unit_test(test_unseeded_law),
        cmocka_unit_test(test_k_edges),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
