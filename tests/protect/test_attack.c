/* Attacks: scores worked by hand and against naive ones, and campaigns on mechanisms of which the answer is known. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "../su_test.h"
#include "classify.h"
#include "score.h"
#include "target.h"
#include "world.h"

#include <math.h>

static void near(double got, double want, double by)
{
    if (!(fabs(got - want) <= by)) fail_msg("%.12g, not %.12g", got, want);
}

/* ---- scores ---- */

/* Members 3 2 2 0, others 2 1 0 -1: pairs won 4 + (3 + .5) * 2 + (1 + .5) = 12.5 of 16. */
static void area_by_hand(void **state)
{
    (void)state;
    su_try tries[] = { { .score = 2, .member = true }, { .score = 0 },  { .score = 3, .member = true }, { .score = 2 },
                       { .score = 2, .member = true }, { .score = -1 }, { .score = 0, .member = true }, { .score = 1 } };
    double tpr, fpr;
    uint64_t positives, negatives;
    near(su_auc(tries, 8), 12.5 / 16, 1e-12);
    su_tpr_at(tries, 8, 0.01, &tpr, &fpr, &positives, &negatives);
    near(tpr, 0.25, 1e-12); /* below 3 stands a tie with an other in it */
    near(fpr, 0, 0);
    su_tpr_at(tries, 8, 0.25, &tpr, &fpr, &positives, &negatives);
    near(tpr, 0.75, 1e-12);
    near(fpr, 0.25, 1e-12);
    assert_int_equal(positives, 4);
    assert_int_equal(negatives, 4);
}

static void area_against_all_pairs(void **state)
{
    (void)state;
    su_random random;
    su_test_random(&random);
    for (int round = 0; round < 50; round++) {
        su_try tries[60];
        double won = 0, pairs = 0;
        for (int i = 0; i < 60; i++)
            tries[i] = (su_try) { .score = (double)su_random_below(&random, 12), .member = su_random_below(&random, 3) == 0 };
        for (int i = 0; i < 60; i++)
            for (int k = 0; k < 60; k++) {
                if (!tries[i].member || tries[k].member) continue;
                pairs++;
                won += tries[i].score > tries[k].score ? 1 : tries[i].score == tries[k].score ? 0.5 : 0;
            }
        near(su_auc(tries, 60), won / pairs, 1e-12);
    }
}

/* Exact binomial tail, summed. */
static double tail(uint64_t n, uint64_t from, uint64_t to, double p)
{
    double sum = 0;
    for (uint64_t k = from; k <= to; k++)
        sum += exp(lgamma((double)n + 1) - lgamma((double)k + 1) - lgamma((double)(n - k) + 1) + (double)k * log(p) +
                   (double)(n - k) * log1p(-p));
    return sum;
}

static void chernoff_holds(void **state)
{
    (void)state;
    static const uint64_t seen[] = { 1, 5, 30, 99 };
    for (size_t i = 0; i < 4; i++) {
        double low = su_chernoff_low(seen[i], 100, 1e-3), high = su_chernoff_high(seen[i], 100, 1e-3), share = (double)seen[i] / 100;
        assert_true(low < share && share < high);
        assert_true(tail(100, seen[i], 100, low) <= 1e-3);
        assert_true(tail(100, 0, seen[i], high) <= 1e-3);
        near(share * log(share / low) + (1 - share) * log((1 - share) / (1 - low)), log(1e3) / 100, 1e-9);
    }
    near(su_chernoff_high(0, 100, 1e-3), 1 - pow(1e-3, 0.01), 1e-9);
    near(su_chernoff_low(0, 100, 1e-3), 0, 0);
    near(su_chernoff_high(100, 100, 1e-3), 1, 0);
}

/* Perfect scores in 2,000 tries show a large epsilon, coins show none. */
static void epsilon_that_is_shown(void **state)
{
    (void)state;
    enum { N = 2000 };
    su_random random;
    su_test_random(&random);
    su_try *tries = su_alloc_array(N, sizeof *tries);
    for (uint32_t i = 0; i < N; i++) tries[i] = (su_try) { .score = i % 2, .member = i % 2, .run = i / 2, .target = 0 };
    su_attack_result r = su_score(tries, N, N / 2, 1, 1, 0, true);
    near(r.auc, 1, 0);
    near(r.auc_se, 0, 1e-9);
    near(r.tpr, 1, 0);
    near(r.bound, 0, 1e-12);
    near(r.epsilon_low, log(pow(1e-6, 1e-3) / (1 - pow(1e-6, 1e-3))), 1e-6);
    for (uint32_t i = 0; i < N; i++) tries[i] = (su_try) { .score = (double)su_random_below(&random, 1000), .member = i % 2, .run = i / 2 };
    r = su_score(tries, N, N / 2, 1, 1, 0, true);
    near(r.auc, 0.5, 0.06);
    assert_true(r.auc_se > 0.005 && r.auc_se < 0.03); /* theory: sqrt((n + 1) / 12 / 1000 / 1000) = 0.013 */
    near(r.epsilon_low, 0, 0);
    free(tries);
}

/* ---- the shadow model ---- */

static double area_of_model(su_random *random, double signal, size_t features)
{
    enum { RUNS = 120 };
    double *x = su_alloc_array(RUNS * features, sizeof *x), score[RUNS];
    bool member[RUNS];
    su_try tries[RUNS];
    for (size_t i = 0; i < RUNS; i++) {
        member[i] = su_random_below(random, 2);
        for (size_t j = 0; j < features; j++) x[i * features + j] = (double)su_random_below(random, 1000) / 1000;
        x[i * features + features / 2] += member[i] ? signal : 0;
    }
    su_cross_classify(x, RUNS, features, member, score);
    for (size_t i = 0; i < RUNS; i++) tries[i] = (su_try) { .score = score[i], .member = member[i] };
    free(x);
    return su_auc(tries, RUNS);
}

static void one_telling_feature_among_noise(void **state)
{
    (void)state;
    su_random random;
    su_test_random(&random);
    double told = 0, guessed = 0;
    for (int i = 0; i < 10; i++) {
        told += area_of_model(&random, 1, 100) / 10;
        guessed += area_of_model(&random, 0, 100) / 10; /* what is learnt on one half must not leak into its own judgement */
    }
    assert_true(told > 0.95);
    near(guessed, 0.5, 0.06);
}

/* ---- targets ---- */

static void the_isolated_are_found(void **state)
{
    (void)state;
    static const uint32_t cards[4] = { 5, 4, 3, 3 };
    static const uint16_t odd[4] = { 4, 3, 2, 2 };
    su_random random;
    su_arena arena;
    world w;
    su_target t[3];
    su_test_random(&random);
    su_arena_init(&arena);
    world_init(&w, 200, cards, 4, &random);
    for (uint64_t r = 0; r < 200; r++) { /* the last value of every column belongs to the one that comes now */
        for (uint32_t c = 0; c < 4; c++)
            if (w.codes[c][r] == cards[c] - 1) w.codes[c][r] = 1;
    }
    world_append(&w, odd);
    su_targets_choose(&arena, &w.matrix, 3, 3, &random, t);
    assert_int_equal(t[0].row, 200);
    assert_memory_equal(t[0].codes, odd, sizeof odd);
    assert_int_equal(t[0].count_queries, 4 + 6 + 4);
    assert_int_equal(t[0].match[0].columns, 15);
    for (size_t q = 0; q < SU_QUERIES; q++) assert_true(t[0].match[q].columns > 0 && t[0].match[q].columns <= 15);
    world_free(&w);
    su_arena_free(&arena);
}

/* ---- campaigns ---- */

static void campaign(const world *w, const su_release_options *release, uint32_t rounds, unsigned threads, su_attack_report *out)
{
    su_context ctx;
    su_random random;
    su_context_init(&ctx);
    ctx.threads = threads;
    su_random_seeded(&random, 5);
    if (su_attack_run(&ctx, &w->matrix, release, &(su_attack_options) { .rounds = rounds, .targets = 10, .sensitive = -1 }, &random, out))
        fail_msg("%s", ctx.message);
}

static double best(const su_attack_result *r)
{
    double most = 0;
    for (int a = 0; a < SU_ATTACK_COUNT; a++)
        if (r[a].ran && r[a].auc > most) most = r[a].auc;
    return most;
}

static void attacks_succeed_where_they_must(void **state)
{
    (void)state;
    static const uint32_t cards[6] = { 9, 8, 7, 6, 5, 4 };
    su_random random;
    world w;
    su_attack_report strict, loose, naked, again;
    su_test_random(&random);
    world_init(&w, 300, cards, 6, &random);
    su_release_options o = { .epsilon = 0.1, .length = 2, .seconds = 1 };
    campaign(&w, &o, 60, 1, &strict);
    assert_true(strict.bound_promised && !strict.contradicted && !strict.vacuous);
    for (int c = 1; c < SU_ATTACKED_COUNT; c++) assert_true(strict.control_succeeded[c] && best(strict.result[c]) > 0.7);
    assert_true(best(strict.result[0]) < 0.62); /* nothing to be learnt at epsilon 0.1 */
    campaign(&w, &o, 60, 2, &again);
    assert_memory_equal(&strict, &again, sizeof again); /* any number of threads */
    o.epsilon = 100;
    campaign(&w, &o, 60, 1, &loose);
    assert_true(best(loose.result[0]) > 0.8); /* and much at epsilon 100: the attacks do look at the release itself */
    assert_false(loose.contradicted);
    o = (su_release_options) { .mechanism = SU_MECHANISM_ROW_SEEDED, .k = 2, .length = 2 };
    campaign(&w, &o, 60, 1, &naked);
    assert_false(naked.bound_promised);
    assert_true(best(naked.result[0]) > 0.8);
    near(naked.result[0][0].bound, 1, 0);
    world_free(&w);
}

static void who_cannot_be_attacked(void **state)
{
    (void)state;
    static const uint32_t cards[2] = { 2, 2 };
    su_random random;
    su_context ctx;
    su_attack_report report;
    world w;
    su_context_init(&ctx);
    su_test_random(&random);
    world_init(&w, 19, cards, 2, &random);
    su_release_options o = { .epsilon = 1, .length = 1 };
    assert_int_equal(su_attack_run(&ctx, &w.matrix, &o, NULL, &random, &report), SU_REFUSED);
    assert_non_null(strstr(ctx.message, "19 records"));
    world_free(&w);
    world_init(&w, 400, cards, 2, &random); /* a hundred twins for everybody: no attack can work, and that is said */
    campaign(&w, &o, 40, 1, &report);
    assert_true(report.vacuous);
    o.epsilon = -1;
    assert_int_equal(su_attack_run(&ctx, &w.matrix, &o, NULL, &random, &report), SU_USAGE);
    world_free(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(area_by_hand),
        cmocka_unit_test(area_against_all_pairs),
        cmocka_unit_test(chernoff_holds),
        cmocka_unit_test(epsilon_that_is_shown),
        cmocka_unit_test(one_telling_feature_among_noise),
        cmocka_unit_test(the_isolated_are_found),
        cmocka_unit_test(attacks_succeed_where_they_must),
        cmocka_unit_test(who_cannot_be_attacked),
    };
    return cmocka_run_group_tests_name("protect: attack", tests, NULL, NULL);
}
