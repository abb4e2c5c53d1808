/* The share of invented combinations: bins, curve, choice and distance against slow ways; expected against actual share in simulation; the
 * replay on small worlds, one of which had its small groups removed; what is expelled from records. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "dp/share.h"
#include "synth/expel.h"
#include "synth/replay.h"
#include "world.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SEED 90125

static double uniform(su_random *random) { return (double)(su_random_u64(random) >> 11) * 0x1p-53; }

static void test_bins(void **state)
{
    (void)state;
    uint32_t before = 0;
    for (uint64_t sum = 0; sum < 20000; sum++) {
        uint32_t bin = su_share_bin(sum);
        assert_true(bin == before || bin == before + 1);
        assert_true(sum >= 64 || bin == sum);
        assert_true(su_share_least(bin) <= sum && (bin == before || su_share_least(bin) == sum));
        if (bin + 1 < SU_SHARE_BINS) {
            assert_true(sum < su_share_least(bin + 1));
        }
        before = bin;
    }
    assert_int_equal(su_share_bin(UINT64_MAX), SU_SHARE_BINS - 1);
}

static su_share random_share(su_random *random)
{
    su_share s = { 0 };
    uint64_t most = 1 + su_random_below(random, 30);
    for (uint32_t b = 0; b < SU_SHARE_BINS; b++) {
        if (su_random_below(random, 4) == 0) {
            continue;
        }
        s.seen[b] = su_random_below(random, most);
        s.replayed[b] = su_random_below(random, most);
        s.small[b] = s.replayed[b] ? su_random_below(random, s.replayed[b] + 1) : 0;
        s.empty[b] = s.small[b] ? su_random_below(random, s.small[b] + 1) : 0;
    }
    return s;
}

/* Isotonic regression by its min-max formula: at b the least, over starts at or before b, of the greatest mean of a run from there to an
 * end at or after b; here non-increasing, so the other way round. */
static double slow_curve(const su_share *s, bool small, uint32_t at)
{
    while (s->replayed[at] == 0) {
        if (at-- == 0) {
            return 1;
        }
    }
    double least = INFINITY;
    for (uint32_t from = 0; from <= at; from++) {
        double most = -INFINITY, hits = 0, weight = 0;
        for (uint32_t to = from; to < SU_SHARE_BINS; to++) {
            hits += (double)(small ? s->small[to] : s->empty[to]);
            weight += (double)s->replayed[to];
            if (to >= at && weight > 0) {
                most = fmax(most, hits / weight);
            }
        }
        least = fmin(least, most);
    }
    return least;
}

static void test_curve_and_choice(void **state)
{
    (void)state;
    su_random random;
    su_random_seeded(&random, SEED);
    for (int round = 0; round < 200; round++) {
        su_share s = random_share(&random);
        double curve[SU_SHARE_BINS], target = uniform(&random) * 0.6, most = uniform(&random) * 1.5, expected = -1;
        uint32_t from = (uint32_t)su_random_below(&random, 10), want = SU_SHARE_BINS;
        su_share_curve(&s, round % 2, curve);
        for (uint32_t b = 0; b < SU_SHARE_BINS; b++) {
            double slow = slow_curve(&s, round % 2, b);
            if (fabs(curve[b] - slow) > 1e-12) {
                fail_msg("bin %u: %.15g instead of %.15g (seed %d, round %d)", b, curve[b], slow, SEED, round);
            }
        }
        double share = 0;
        for (uint32_t first = SU_SHARE_BINS; first-- > from;) {
            double hits = 0, all = 0;
            for (uint32_t b = first; b < SU_SHARE_BINS; b++) {
                hits += curve[b] * (double)s.seen[b];
                all += (double)s.seen[b];
            }
            if (hits > target * all || curve[first] > most) {
                break;
            }
            want = first;
            share = all > 0 ? hits / all : 0;
        }
        assert_int_equal(su_share_choose(&s, curve, from, target, most, &expected), want);
        assert_true(fabs(expected - share) < 1e-12);
    }
}

static void test_distance(void **state)
{
    (void)state;
    su_random random;
    su_random_seeded(&random, SEED + 1);
    for (int round = 0; round < 100; round++) {
        su_share s = random_share(&random);
        uint64_t n = 0, m = 0;
        for (uint32_t b = 0; b < SU_SHARE_BINS; b++) {
            n += s.seen[b];
            m += s.replayed[b];
        }
        double most = 0;
        for (uint32_t to = 0; n && m && to < SU_SHARE_BINS; to++) {
            uint64_t a = 0, c = 0;
            for (uint32_t b = 0; b <= to; b++) {
                a += s.seen[b];
                c += s.replayed[b];
            }
            most = fmax(most, (double)a / (double)n - (double)c / (double)m);
        }
        double want = n && m ? most * sqrt((double)n * (double)m / (double)(n + m)) : 0;
        assert_true(fabs(su_share_distance(&s) - want) < 1e-9);
    }
    su_share none = { 0 };
    assert_true(su_share_distance(&none) == 0);
}

/* Where the replay is drawn from the same law as what is seen, the expected share is the actual one, and at most the target. */
static void test_expected_is_actual(void **state)
{
    (void)state;
    static const double targets[] = { 0.005, 0.02, 0.08 };
    su_random random;
    su_random_seeded(&random, SEED + 2);
    for (int t = 0; t < 3; t++) {
        su_share s = { 0 };
        uint64_t invented[SU_SHARE_BINS] = { 0 }, reported = 0, wrong = 0;
        for (int i = 0; i < 400000; i++) {
            uint64_t people = uniform(&random) < 0.4 ? 0 : (uint64_t)(-4 * log(1 - uniform(&random))) + 1, noise = 0;
            for (int k = 0; k < 4; k++) {
                noise += uniform(&random) < 0.35;
            }
            uint32_t bin = su_share_bin(people + noise);
            if (i % 2) {
                s.seen[bin]++;
                invented[bin] += people == 0;
            } else {
                s.replayed[bin]++;
                s.empty[bin] += people == 0;
            }
        }
        double curve[SU_SHARE_BINS], expected;
        su_share_curve(&s, false, curve);
        uint32_t first = su_share_choose(&s, curve, 0, targets[t], 1, &expected);
        for (uint32_t b = first; b < SU_SHARE_BINS; b++) {
            reported += s.seen[b];
            wrong += invented[b];
        }
        double actual = (double)wrong / (double)reported;
        print_message("# seed %d, target %.3f: expected %.4f, actual %.4f of %.0f\n", SEED + 2, targets[t], expected, actual,
                      (double)reported);
        assert_true(reported > 50000 && expected <= targets[t]);
        assert_true(fabs(actual - expected) < 5 * sqrt(2 * fmax(expected, 1e-4) / (double)reported));
        assert_true(su_share_distance(&s) < 2);
    }
}

/* ---- the replay ---------------------------------------------------------------------------------------------------------- */

static const uint32_t CARD[] = { 14, 12, 9, 2, 10, 2, 2, 2 };

/* Takes a value out of every record that has a pair fewer than `least` people have, until there is no such pair. */
static void remove_small_groups(world *w, uint32_t columns, uint32_t least)
{
    for (bool again = true; again;) {
        again = false;
        for (uint32_t a = 0; a < columns; a++) {
            for (uint32_t b = a + 1; b < columns; b++) {
                uint32_t *people = su_alloc_array((size_t)CARD[a] * CARD[b], sizeof *people);
                for (uint64_t i = 0; i < w->matrix.row_count; i++) {
                    people[w->codes[a][i] * CARD[b] + w->codes[b][i]]++;
                }
                for (uint64_t i = 0; i < w->matrix.row_count; i++) {
                    if (w->codes[a][i] && w->codes[b][i] && people[w->codes[a][i] * CARD[b] + w->codes[b][i]] < least) {
                        w->codes[a][i] = 0;
                        again = true;
                    }
                }
                free(people);
            }
        }
    }
}

typedef struct shares {
    double printed, invented; /* pairs */
} shares;

static shares pairs_of(const su_release *r, const world *w)
{
    shares s = { 0 };
    for (size_t i = 0; i < r->aggregate_count; i++) {
        if (r->aggregates[i].length == 2) {
            s.printed++;
            s.invented += world_count(w, r->aggregates[i].at, 2) == 0;
        }
    }
    return s;
}

/* Pairs of records whose combination is not reported, by the list of aggregates alone. */
static uint64_t pairs_not_reported(const su_release *r)
{
    uint64_t bad = 0;
    for (uint32_t a = 0; a < r->column_count; a++) {
        for (uint32_t b = a + 1; b < r->column_count; b++) {
            size_t width = r->columns[b].card;
            uint8_t *shown = su_alloc((size_t)r->columns[a].card * width);
            for (size_t i = 0; i < r->aggregate_count; i++) {
                const su_aggregate *g = &r->aggregates[i];
                if (g->length == 2 && g->at[0].column == a && g->at[1].column == b) {
                    shown[g->at[0].value * width + g->at[1].value] = 1;
                }
            }
            for (uint64_t i = 0; i < r->record_count; i++) {
                uint16_t u = r->records[a][i], v = r->records[b][i];
                bad += u && v && !shown[u * width + v];
            }
            free(shown);
        }
    }
    return bad;
}

static void test_replay_of_worlds(void **state)
{
    (void)state;
    su_random random;
    su_random_seeded(&random, SEED + 3);
    for (int small = 0; small < 2; small++) {
        shares all = { 0 };
        double expected = 0, least = 0;
        for (int i = 0; i < 4; i++) {
            world w;
            world_init(&w, 6000, CARD, 8, &random);
            if (small) {
                remove_small_groups(&w, 8, 11);
            }
            su_release_options o = { .epsilon = 4, .length = 3 };
            su_release *r = world_release(&w, &o, SEED + (uint64_t)i, 2);
            shares s = pairs_of(r, &w);
            assert_true(r->gate[2] == 0 && r->least_count[2] > 1 && r->expected_invented[2] >= 0);
            assert_true(r->expected_invented[2] <= 0.01 && r->expected_invented[3] <= 0.05 && isnan(r->expected_invented[1]));
            assert_true(pairs_not_reported(r) == 0);
            all.printed += s.printed;
            all.invented += s.invented;
            expected += r->expected_invented[2] * s.printed;
            least += r->least_count[2] / 4;
            su_release_free(r);
            world_free(&w);
        }
        print_message("# seed %d, %s: %.0f pairs from %.1f people on, expected share invented %.4f, actual %.4f\n", SEED + 3,
                      small ? "no small groups" : "as drawn", all.printed, least, expected / all.printed, all.invented / all.printed);
        assert_true(all.printed > 500 && all.invented <= 0.05 * all.printed);
    }
}

static void test_threads(void **state)
{
    (void)state;
    su_random random;
    su_random_seeded(&random, SEED + 4);
    world w;
    world_init(&w, 800, CARD, 8, &random);
    su_release_options o = { .epsilon = 2, .length = 3 };
    su_release *one = world_release(&w, &o, SEED, 1), *three = world_release(&w, &o, SEED, 3);
    world_same_release(one, three);
    for (uint32_t k = 2; k <= 3; k++) {
        assert_true(one->least_count[k] == three->least_count[k] && one->expected_invented[k] == three->expected_invented[k]);
    }
    su_release_free(one);
    su_release_free(three);
    o.seconds = 1e-6; /* no time for a replay: the thresholds of the plan */
    su_release *plan = world_plan_of(&w, &o), *fixed = world_release(&w, &o, SEED, 1);
    for (uint32_t k = 2; k <= 3; k++) {
        assert_true(fixed->gate[k] == plan->gate[k] && fixed->least_count[k] == plan->least_count[k] && isnan(fixed->expected_invented[k]));
    }
    assert_true(pairs_not_reported(fixed) == 0);
    su_release_free(plan);
    su_release_free(fixed);
    world_free(&w);
}

/* ---- expelling ----------------------------------------------------------------------------------------------------------- */

/* Whether the code makes a combination of count 0, of 2 to `longest` columns, with the others of the record. */
static bool blocked(const su_release *r, const su_lattice *l, const uint32_t *count, uint64_t record, uint32_t column, uint16_t code,
                    uint32_t longest)
{
    for (uint32_t s = l->first[2]; s < l->set_count; s++) {
        const su_subset *set = &l->sets[s];
        size_t cell = 0;
        bool through = false, whole = set->length <= longest;
        for (uint32_t k = 0; k < set->length; k++) {
            uint16_t v = set->columns[k] == column ? code : r->records[set->columns[k]][record];
            through |= set->columns[k] == column;
            whole &= v > 0;
            cell = cell * set->card[k] + v;
        }
        if (through && whole && count[set->offset + cell] == 0) {
            return true;
        }
    }
    return false;
}

static uint32_t people_with(const uint16_t *codes, uint16_t code)
{
    uint32_t n = 0;
    for (uint64_t i = 0; i < 60; i++) {
        n += codes[i] == code;
    }
    return n;
}

/* No pair that is not reported is left; records that held none are as they were; no code has more records than before, and one that has fewer
 * may not stand in any place of its column that was emptied. */
static uint64_t check_expelled(const su_release *r, const su_lattice *l, const uint32_t *count, const world *w)
{
    uint64_t fewer = 0;
    for (uint64_t i = 0; i < 60; i++) {
        bool bad_before = false, changed = false;
        for (uint32_t s = l->first[1]; s < l->set_count; s++) {
            const su_subset *set = &l->sets[s];
            if (set->length == 2) {
                uint16_t x = w->codes[set->columns[0]][i], y = w->codes[set->columns[1]][i];
                bad_before |= x && y && count[set->offset + x * set->card[1] + y] == 0;
            }
        }
        for (uint32_t c = 0; c < 6; c++) {
            assert_true(r->records[c][i] == 0 || !blocked(r, l, count, i, c, r->records[c][i], 2));
            assert_true(w->codes[c][i] || r->records[c][i] == 0);
            changed |= r->records[c][i] != w->codes[c][i];
        }
        assert_true(bad_before || !changed);
    }
    for (uint32_t c = 0; c < 6; c++) {
        for (uint16_t v = 1; v < CARD[c]; v++) {
            uint32_t before = people_with(w->codes[c], v), after = people_with(r->records[c], v);
            assert_true(after <= before);
            fewer += before - after;
            for (uint64_t i = 0; after < before && i < 60; i++) {
                assert_true(r->records[c][i] || w->codes[c][i] == 0 || blocked(r, l, count, i, c, v, 4));
            }
        }
    }
    return fewer;
}

static void test_expel(void **state)
{
    (void)state;
    su_random random;
    su_random_seeded(&random, SEED + 5);
    uint64_t all_taken = 0, all_fewer = 0;
    for (int round = 0; round < 40; round++) {
        world w;
        world_init(&w, 60, CARD, 6, &random);
        su_release *r = world_plan(&w, 4, 1 + (uint32_t)round % 3, 0);
        su_lattice l;
        su_lattice_init(&l, r);
        uint32_t *count = su_alloc_array(l.cells, sizeof *count);
        for (size_t i = 0; i < l.cells; i++) {
            count[i] = i < l.sets[l.first[1]].offset || su_random_below(&random, 4) ? 1 + (uint32_t)su_random_below(&random, 9) : 0;
        }
        r->record_count = 60;
        r->records = su_alloc_array(6, sizeof *r->records);
        for (uint32_t c = 0; c < 6; c++) {
            r->records[c] = su_alloc_array(60, sizeof **r->records);
            memcpy(r->records[c], w.codes[c], 60 * sizeof **r->records);
        }
        uint64_t taken = su_expel_pairs(r, &l, count), fewer = check_expelled(r, &l, count, &w);
        assert_true(taken >= fewer && (round % 3 || taken == 0));
        all_taken += taken;
        all_fewer += fewer;
        for (uint32_t c = 0; c < 6; c++) {
            free(r->records[c]);
        }
        free(r->records);
        free(count);
        su_lattice_free(&l);
        su_release_free(r);
        world_free(&w);
    }
    print_message("# seed %d: %llu values taken away, %llu of them given back\n", SEED + 5, (unsigned long long)all_taken,
                  (unsigned long long)(all_taken - all_fewer));
    assert_true(all_fewer < all_taken);
}

/* Two records hold pairs that are not reported: what the one loses the other may or may not have. */
static void test_given_back(void **state)
{
    (void)state;
    su_random random;
    su_random_seeded(&random, SEED + 6);
    world w;
    world_init(&w, 60, CARD, 2, &random);
    for (uint64_t i = 0; i < 60; i++) {
        w.codes[0][i] = w.codes[1][i] = 1;
    }
    w.codes[0][3] = 2; /* (2, 1) and (1, 2) are not reported, (2, 2) and (1, 1) are */
    w.codes[1][7] = 2;
    su_release *r = world_plan(&w, 4, 2, 0);
    su_lattice l;
    su_lattice_init(&l, r);
    uint32_t *count = su_alloc_array(l.cells, sizeof *count);
    for (size_t i = 0; i < l.cells; i++) {
        count[i] = 50;
    }
    const su_subset *pair = &l.sets[l.first[2]];
    count[l.sets[l.first[1]].offset + 1] = 60; /* of the two values of a bad pair the one that most have goes */
    count[l.sets[l.first[1] + 1].offset + 1] = 60;
    count[pair->offset + 2 * pair->card[1] + 1] = count[pair->offset + 1 * pair->card[1] + 2] = 0;
    r->record_count = 60;
    r->records = w.codes;
    assert_int_equal(su_expel_pairs(r, &l, count), 2);
    /* Each lost a 1 and stays without, as no other value was lost there: a 1 beside its 2 would be the pair again. */
    assert_true(w.codes[0][3] == 2 && w.codes[1][3] == 0 && w.codes[0][7] == 0 && w.codes[1][7] == 2);
    w.codes[1][3] = w.codes[0][7] = 1;
    count[l.sets[l.first[1]].offset + 2] = 70; /* now both lose their first value, and each may have the other's */
    count[l.sets[l.first[1] + 1].offset + 1] = 50;
    assert_int_equal(su_expel_pairs(r, &l, count), 2);
    assert_true(w.codes[0][3] == 1 && w.codes[1][3] == 1 && w.codes[0][7] == 2 && w.codes[1][7] == 2);
    free(count);
    su_lattice_free(&l);
    r->records = NULL;
    su_release_free(r);
    world_free(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bins),
        cmocka_unit_test(test_curve_and_choice),
        cmocka_unit_test(test_distance),
        cmocka_unit_test(test_expected_is_actual),
        cmocka_unit_test(test_replay_of_worlds),
        cmocka_unit_test(test_threads),
        cmocka_unit_test(test_expel),
        cmocka_unit_test(test_given_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
