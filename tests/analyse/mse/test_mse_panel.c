/* The panel: checks of lists, refusals, bounds, sensitivity, traits, verdict; determinism. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "tables.h"
#include "mse/covariate.h"
#include "mse/panel.h"

static su_context ctx;

static su_result *run(const su_overlaps *o, const su_mse_options *options, su_status want)
{
    su_result *r = su_result_new("mse", "test");
    unsigned threads = ctx.threads;
    su_context_init(&ctx);
    ctx.threads = threads;
    su_status st = su_mse_panel(&ctx, o, options, r);
    if (st != want) fail_msg("status %d, wanted %d: %s", st, want, ctx.message);
    return r;
}

static su_mse_options quick(void)
{
    su_mse_options o = su_mse_defaults();
    o.replicates = 100;
    o.best_replicates = 30;
    o.latent_sweeps = 1000;
    o.coverage = 4;
    return o;
}

static size_t row_of(const su_result *r, const char *table, const char *column, const char *text)
{
    for (size_t i = 0; i < su_result_rows(r, table); i++)
        if (strcmp(su_result_get_text(r, table, i, column), text) == 0) return i;
    fail_msg("table %s has no row %s", table, text);
    return 0;
}

static double panel_number(const su_result *r, const char *id, const char *column)
{
    return su_result_get(r, "panel", row_of(r, "panel", "id", id), column);
}

/* The average's limits leave one tail each of the weighted normal laws of log unseen, over all models. */
static void average_is_a_mixture(void **state)
{
    (void)state;
    static const int64_t counts[16] = { 0, 60, 50, 22, 70, 14, 11, 6, 40, 9, 8, 3, 12, 4, 2, 1 };
    su_overlaps *o = NULL;
    su_context_init(&ctx);
    assert_int_equal(su_overlaps_new(&ctx, 4, NULL, counts, &o), SU_OK);
    su_mse_options options = quick();
    options.methods = 1u << SU_MSE_AVERAGE;
    options.coverage = 0;
    options.sensitivity = false;
    su_result *r = run(o, &options, SU_OK);
    su_space space;
    assert_true(su_space_init(&space, 4, 0, 40000));
    su_ranked *ranked = su_alloc_array(space.count, sizeof *ranked);
    size_t n = su_space_rank(&ctx, &space, o, ranked);
    su_mse_lattice l;
    su_mse_lattice_init(&l, 4);
    su_mse_lattice_set_integers(&l, o->counts);
    for (int side = 0; side < 2; side++) {
        double limit = panel_number(r, "average", side ? "high" : "low"), below = 0;
        for (size_t i = 0; i < n; i++) {
            su_fit f = su_fit_full(&l, &space.models[ranked[i].model]);
            double z = (log(limit - (double)o->n) - log(f.unseen)) / sqrt(f.variance + 1 / f.unseen);
            below += ranked[i].weight * erfc(-z / sqrt(2)) / 2;
        }
        if (fabs(below - (side ? 0.975 : 0.025)) > 3e-6) fail_msg("%.9g of the mixture lies below %g", below, limit);
    }
    assert_true(su_result_has_warning(r, "W_MSE_INTERVALS"));
    su_mse_lattice_free(&l);
    su_space_free(&space);
    free(ranked);
    su_result_free(r);
    su_overlaps_free(o);
}

/* The published table, end to end. Chao's bound and its interval: recomputed by hand from 2,492 people on one list and 241 on
 * two. */
static void uk_six_lists(void **state)
{
    (void)state;
    su_overlaps *o = read_table("UKdat");
    if (!o) skip();
    su_mse_options options = quick();
    options.methods = 1u << SU_MSE_MAIN | 1u << SU_MSE_STEPWISE_P | 1u << SU_MSE_CHAO | 1u << SU_MSE_BEST_BIC | 1u << SU_MSE_FIXED;
    options.model = "[12,13,24,25,35,36,45]";
    su_result *r = run(o, &options, SU_OK);
    su_reference_near("n", su_result_get_fact(r, "n"), 2744, 0);
    su_reference_near("main", panel_number(r, "main", "N"), 12213.9951246007, 1e-9);
    su_reference_near("stepwise", panel_number(r, "stepwise", "N"), 11417.9910915046, 1e-9);
    su_reference_near("fixed", panel_number(r, "fixed", "N"), 11417.9910915046, 1e-9);
    su_reference_within("fixed low", panel_number(r, "fixed", "low"), 9982.25626547059, 1e-3);
    su_reference_near("Chao", panel_number(r, "chao", "N"), 15627.95, 1e-6);
    su_reference_within("Chao low", panel_number(r, "chao", "low"), 13839, 1);
    su_reference_within("Chao high", panel_number(r, "chao", "high"), 17705, 1);
    su_reference_near("best pairs", panel_number(r, "best_bic", "N"), 12349.586953562, 1e-7);
    /* six lists agree with each other, and merging two of them doubles the answer: the verdict must see it */
    assert_true(su_result_get_fact(r, "factor") < 1.2);
    assert_true(su_result_has_warning(r, "W_MSE_UNSTABLE"));
    su_reference_near("merged", su_result_get(r, "sensitivity", row_of(r, "sensitivity", "change", "PF and NCA as one"), "best_bic"),
                      25311.29, 1e-6);
    su_reference_near("all links found", su_result_get(r, "linkage", 0, "N"), 11417.9910915046, 1e-9);
    assert_int_equal(su_result_rows(r, "coverage"), 2);
    su_result_free(r);
    su_overlaps_free(o);
}

/* Two lists: N * (1 - e) when a share e of the links was missed. */
static void chapman_and_links(void **state)
{
    (void)state;
    su_overlaps *o = table_of(2, (const history_count[]) { { "10", 382 }, { "01", 272 }, { "11", 38 }, { NULL, 0 } });
    su_mse_options options = quick();
    su_result *r = run(o, &options, SU_OK);
    su_reference_near("Chapman", panel_number(r, "chapman", "N"), 3356.205128, 1e-9); /* 420/310/38, SE 472.871100803397 */
    assert_true(su_result_has_warning(r, "W_MSE_TWO_LISTS"));
    su_result_free(r);
    su_overlaps_free(o);
    /* 100 people on each pair and a tenth of the links missed: 10 of each pair were counted twice */
    su_overlaps *truth =
        table_of(3, (const history_count[]) {
                        { "100", 500 }, { "010", 400 }, { "001", 300 }, { "110", 100 }, { "101", 100 }, { "011", 100 }, { NULL, 0 } });
    o = table_of(3, (const history_count[]) {
                        { "100", 520 }, { "010", 420 }, { "001", 320 }, { "110", 90 }, { "101", 90 }, { "011", 90 }, { NULL, 0 } });
    options.methods = 1u << SU_MSE_MAIN;
    r = run(o, &options, SU_OK);
    su_mse_lattice l;
    su_model m = su_model_main(3);
    su_mse_lattice_init(&l, 3);
    su_mse_lattice_set_integers(&l, truth->counts);
    su_steps steps = { 0 };
    su_reference_near("links restored", su_result_get(r, "linkage", 4, "N"), su_stepwise_p(&l, 0.02, &m, &steps).N, 1e-8);
    su_reference_near("people", su_result_get(r, "linkage", 4, "people"), 1500, 1e-12);
    su_mse_lattice_free(&l);
    su_result_free(r);
    su_overlaps_free(o);
    su_overlaps_free(truth);
}

static void refusals(void **state)
{
    (void)state;
    static const struct {
        unsigned lists;
        history_count rows[5];
        const char *words;
    } cases[] = { { 1, { { "1", 9 } }, "one list alone" },
                  { 3, { { "100", 9 }, { "010", 8 }, { "001", 3 } }, "nobody is on two lists" },
                  { 3, { { NULL, 0 } }, "no people" },
                  { 2, { { "11", 9 }, { "10", 8 } }, "fewer than two lists" },
                  { 3, { { "111", 9 } }, "fewer than two lists" } };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        su_overlaps *o = table_of(cases[i].lists, cases[i].rows);
        su_mse_options options = quick();
        su_result_free(run(o, &options, SU_REFUSED));
        if (!strstr(ctx.message, cases[i].words)) fail_msg("'%s' is not in: %s", cases[i].words, ctx.message);
        su_overlaps_free(o);
    }
    su_overlaps *o = table_of(3, (const history_count[]) { { "100", 40 }, { "010", 30 }, { "001", 20 }, { "110", 6 }, { NULL, 0 } });
    su_mse_options options = quick();
    options.methods = 1u << SU_MSE_FIXED;
    static const struct {
        const char *model, *words;
        su_status status;
    } models[] = { { "[12,3]", "no maximum likelihood estimate", SU_REFUSED },
                   { "[12,13,23]", "not identifiable", SU_REFUSED },
                   { "[14]", "no such list", SU_USAGE } };
    for (size_t i = 0; i < sizeof models / sizeof *models; i++) {
        options.model = models[i].model;
        su_result_free(run(o, &options, models[i].status));
        if (!strstr(ctx.message, models[i].words)) fail_msg("'%s' is not in: %s", models[i].words, ctx.message);
    }
    su_overlaps_free(o);
}

static void flawed_lists(void **state)
{
    (void)state;
    static const struct {
        const char *code;
        history_count rows[10];
    } cases[] = {
        { "W_MSE_EMPTY_LIST", { { "1000", 50 }, { "0100", 40 }, { "0010", 45 }, { "1100", 9 }, { "1010", 8 }, { "0110", 7 } } },
        { "W_MSE_FULL_LIST", { { "1001", 50 }, { "0101", 40 }, { "0011", 45 }, { "1101", 9 }, { "1011", 8 }, { "0111", 7 } } },
        { "W_MSE_DUPLICATE_LIST", { { "1001", 50 }, { "0100", 40 }, { "0010", 45 }, { "1101", 9 }, { "1011", 8 }, { "0110", 7 } } },
        { "W_MSE_NESTED_LIST",
          { { "1001", 30 }, { "1000", 20 }, { "0100", 40 }, { "0010", 45 }, { "1100", 9 }, { "1010", 8 }, { "0110", 7 } } },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        su_overlaps *o = table_of(4, cases[i].rows);
        su_mse_options options = quick();
        options.methods = 1u << SU_MSE_MAIN;
        options.coverage = 0;
        su_result *r = run(o, &options, SU_OK);
        if (!su_result_has_warning(r, cases[i].code)) fail_msg("no %s", cases[i].code);
        assert_true(su_result_get_fact(r, "lists") == 3);
        assert_true(panel_number(r, "main", "N") > 199);
        su_result_free(r);
        options.keep_flawed_lists = true;
        r = run(o, &options, SU_OK); /* whatever it says, it must say it without falling over */
        assert_true(su_result_get_fact(r, "lists") == 4);
        su_result_free(r);
        su_overlaps_free(o);
    }
}

/* Sparse random tables, every method: no NaN where a number is claimed, low <= N <= high, nothing below the people seen. */
static void random_tables(void **state)
{
    (void)state;
    su_random r;
    su_test_random(&r);
    int ran = 0;
    for (int trial = 0; trial < 12; trial++) {
        unsigned lists = 3 + (unsigned)su_random_below(&r, 3);
        int64_t counts[32] = { 0 };
        su_overlaps *o = NULL;
        for (size_t w = 1; w < (size_t)1 << lists; w++) {
            uint64_t room = 40u >> (2 * __builtin_popcountll(w) - 2);
            counts[w] = room && su_random_below(&r, 3) ? (int64_t)su_random_below(&r, room) : 0;
        }
        assert_int_equal(su_overlaps_new(&ctx, lists, NULL, counts, &o), SU_OK);
        su_mse_options options = quick();
        options.replicates = options.best_replicates = 40;
        options.coverage = 3;
        su_result *result = su_result_new("mse", "test");
        su_status st = su_mse_panel(&ctx, o, &options, result);
        assert_true(st == SU_OK || st == SU_REFUSED);
        for (size_t i = 0; !st && i < su_result_rows(result, "panel"); i++, ran++) {
            double N = su_result_get(result, "panel", i, "N"), low = su_result_get(result, "panel", i, "low"),
                   high = su_result_get(result, "panel", i, "high");
            assert_true(isnan(N) || (N >= su_result_get_fact(result, "n") - 1e-9 && isfinite(N)));
            assert_true(!(low > high));
            if (isnan(N)) assert_true(strlen(su_result_get_text(result, "panel", i, "note")) > 10);
        }
        su_buf json = { 0 };
        su_result_print_json(result, &json);
        json_t *parsed = json_loads(json.p, 0, NULL);
        assert_non_null(parsed);
        json_decref(parsed);
        su_buf_free(&json);
        su_result_free(result);
        su_overlaps_free(o);
    }
    assert_true(ran > 40);
}

static void same_on_any_threads(void **state)
{
    (void)state;
    su_overlaps *o = table_of(4, (const history_count[]) { { "1000", 70 },
                                                           { "0100", 90 },
                                                           { "0010", 60 },
                                                           { "0001", 55 },
                                                           { "1100", 11 },
                                                           { "1010", 7 },
                                                           { "0110", 9 },
                                                           { "0011", 8 },
                                                           { "1001", 4 },
                                                           { NULL, 0 } });
    su_mse_options options = quick();
    su_buf json[2] = { { 0 }, { 0 } };
    for (int i = 0; i < 2; i++) {
        ctx.threads = i ? 4 : 1;
        su_result *r = run(o, &options, SU_OK);
        su_result_print_json(r, &json[i]);
        su_result_free(r);
    }
    ctx.threads = 0;
    assert_string_equal(json[0].p, json[1].p);
    su_buf_free(&json[0]);
    su_buf_free(&json[1]);
    su_overlaps_free(o);
}

/* ---- traits ---- */

static su_overlaps *table_with_sex(const int64_t *woman, const int64_t *man)
{
    su_raw_table *raw = NULL;
    su_overlaps *o = NULL;
    const char *const traits[] = { "sex" };
    su_overlap_options options = { .covariates = traits, .covariate_count = 1 };
    su_buf csv = { 0 };
    su_buf_text(&csv, "A,B,C,sex,n\n");
    for (size_t w = 1; w < 8; w++)
        for (int s = 0; s < 2; s++)
            su_buf_printf(&csv, "%zu,%zu,%zu,%s,%lld\n", w & 1, w >> 1 & 1, w >> 2, s ? "man" : "woman", (long long)(s ? man : woman)[w]);
    su_context_init(&ctx);
    assert_int_equal(su_csv_parse(&ctx, "t.csv", (su_str) { csv.p, csv.n }, NULL, &raw), SU_OK);
    assert_int_equal(su_overlaps_of_table(&ctx, raw, &options, &o), SU_OK);
    su_raw_table_free(raw);
    su_buf_free(&csv);
    return o;
}

/* With every list:sex term the joint model is two models side by side: each stratum's N and variance are those of its own table. */
static void traits_against_separate_fits(void **state)
{
    (void)state;
    const int64_t woman[8] = { 0, 60, 49, 14, 47, 12, 22, 5 }, man[8] = { 0, 30, 80, 9, 90, 11, 30, 4 };
    su_overlaps *o = table_with_sex(woman, man);
    su_trait_model m = su_trait_model_base(o);
    for (unsigned i = 0; i < 3; i++) m.term[m.count++] = (su_trait_term) { 1u << i, 0, -1 };
    su_trait_fit f = su_trait_fit_model(o, &m, true);
    assert_int_equal(f.code, SU_EXISTS);
    for (size_t s = 0; s < 2; s++) {
        su_overlaps *one = su_overlaps_stratum(o, s); /* man comes before woman */
        assert_memory_equal(one->counts, s ? woman : man, sizeof woman);
        su_mse_lattice l;
        su_model alone = su_model_main(3);
        su_mse_lattice_init(&l, 3);
        su_mse_lattice_set_integers(&l, one->counts);
        su_fit want = su_fit_full(&l, &alone);
        su_reference_near("unseen", f.unseen[s], want.unseen, 1e-9);
        su_reference_near("variance", f.covariance[s * 2 + s], want.unseen * want.unseen * want.variance, 1e-8);
        su_reference_within("covariance", f.covariance[s * 2 + 1 - s], 0, 1e-6);
        su_mse_lattice_free(&l);
        su_overlaps_free(one);
    }
    su_trait_fit_free(&f);
    /* without list:sex terms, one list's rates are shared: the joint fit is the fit of the sum with unseen in the proportion of those seen
     */
    m = su_trait_model_base(o);
    f = su_trait_fit_model(o, &m, true);
    su_mse_lattice l;
    su_model all = su_model_main(3);
    su_mse_lattice_init(&l, 3);
    su_mse_lattice_set_integers(&l, o->counts);
    su_fit want = su_fit_full(&l, &all);
    su_reference_near("sum", f.unseen[0] + f.unseen[1], want.unseen, 1e-9);
    su_mse_lattice_free(&l);
    su_trait_fit_free(&f);
    su_overlaps_free(o);
}

/* The search finds the terms that made the table: counts are expected values of a known model. */
static void traits_search(void **state)
{
    (void)state;
    int64_t table[2][8] = { { 0 } };
    for (int s = 0; s < 2; s++) {
        double rate[3] = { 0.30, s ? 0.45 : 0.12, 0.2 }, N = s ? 4000 : 9000;
        for (size_t w = 1; w < 8; w++) {
            double p = N;
            for (int i = 0; i < 3; i++) p *= w >> i & 1 ? rate[i] : 1 - rate[i];
            table[s][w] = (int64_t)(p + 0.5);
        }
    }
    su_overlaps *o = table_with_sex(table[0], table[1]);
    su_trait_model m = su_trait_search(&ctx, o, false);
    assert_int_equal(m.count, 6); /* intercept, lists, sex, and B:sex */
    assert_int_equal(m.term[5].lists, 2);
    assert_int_equal(m.term[5].first, 0);
    su_trait_fit f = su_trait_fit_model(o, &m, true);
    double seen[2] = { 0 };
    for (int s = 0; s < 2; s++)
        for (size_t w = 1; w < 8; w++) seen[s] += (double)table[s][w];
    su_reference_near("women", seen[0] + f.unseen[1], 9000, 0.005);
    su_reference_near("men", seen[1] + f.unseen[0], 4000, 0.005);
    su_trait_fit_free(&f);
    su_overlaps_free(o);
}

int main(void)
{
    su_context_init(&ctx);
    const struct CMUnitTest tests[] = { cmocka_unit_test(average_is_a_mixture), cmocka_unit_test(uk_six_lists),
                                        cmocka_unit_test(chapman_and_links),
                                        cmocka_unit_test(refusals),
                                        cmocka_unit_test(flawed_lists),
                                        cmocka_unit_test(random_tables),
                                        cmocka_unit_test(same_on_any_threads),
                                        cmocka_unit_test(traits_against_separate_fits),
                                        cmocka_unit_test(traits_search) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
