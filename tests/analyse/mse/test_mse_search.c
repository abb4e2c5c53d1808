/* Searches over models and the bootstrap against MultipleSystemsEstimation and SparseMSE: stored resamples, one by one. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "tables.h"
#include "mse/bootstrap.h"
#include "mse/interval.h"
#include "mse/search.h"
#include "numeric/special.h"

static double by_stepwise(const void *arg, su_mse_lattice *l)
{
    su_model m;
    (void)arg;
    return su_stepwise_p(l, 0.02, &m, NULL).N;
}

static double by_downhill(const void *arg, su_mse_lattice *l)
{
    su_model start = su_model_main(l->lists), m;
    return su_downhill(l, *(const unsigned *)arg, &start, &m).N;
}

/* ---- numbers of models, and the ranking ---- */

static void model_counts(void **state)
{
    (void)state;
    static const size_t want[] = { 0, 0, 1, 8, 113, 6893 };
    uint64_t *sets;
    for (unsigned lists = 2; lists <= 5; lists++) {
        assert_int_equal(su_models_enumerate(lists, 9, 100000, &sets), want[lists]);
        free(sets);
    }
    assert_int_equal(su_models_enumerate(6, 2, 100000, &sets), 32768);
    free(sets);
    assert_int_equal(su_models_enumerate(6, 3, 100000, &sets), 0); /* refuses instead of taking the afternoon */
    assert_null(sets);
    su_space s;
    assert_true(su_space_init(&s, 6, 0, 40000));
    assert_int_equal(s.order, 2);
    su_space_free(&s);
}

/* Every model of four lists, by asking of every set of terms whether it is closed. */
static void models_against_all_sets(void **state)
{
    (void)state;
    uint64_t *sets;
    size_t count = su_models_enumerate(4, 3, 1000, &sets), found = 0;
    for (uint32_t choice = 0; choice < 1u << 15; choice++) {
        uint64_t set = 1 | (uint64_t)choice << 1;
        bool closed = true, all_lists = true;
        for (unsigned term = 1; term < 16 && closed; term++)
            for (unsigned part = 1; part < 16; part++)
                if (set >> term & 1 && (part & term) == part && !(set >> part & 1)) closed = false;
        for (unsigned i = 0; i < 4; i++) all_lists = all_lists && set >> (1u << i) & 1;
        if (!closed || !all_lists || set >> 15 & 1) continue;
        bool listed = false;
        for (size_t i = 0; i < count; i++) listed = listed || sets[i] == set;
        assert_true(listed);
        found++;
    }
    assert_int_equal(found, count);
    free(sets);
}

static void best_models(void **state)
{
    (void)state;
    json_t *ref = su_reference("mse_models_bic.json");
    if (!ref) skip();
    static const struct {
        const char *key, *table;
        unsigned order;
    } runs[] = { { "UKdat_5_maxorder2", "UKdat_5", 2 },
                 { "Ned_5_maxorder2", "Ned_5", 2 },
                 { "UKdat_5_maxorder4", "UKdat_5", 4 },
                 { "Ned_5_maxorder4", "Ned_5", 4 } };
    for (size_t i = 0; i < sizeof runs / sizeof *runs; i++) {
        su_overlaps *o = read_table(runs[i].table);
        const json_t *run = su_reference_at(ref, runs[i].key), *names = su_reference_at(run, "top/model");
        su_space s;
        assert_true(su_space_init(&s, 5, runs[i].order, 40000));
        su_ranked *ranked = su_alloc_array(s.count, sizeof *ranked);
        size_t count = su_space_rank(NULL, &s, o, ranked);
        su_reference_near("valid models", (double)count, su_reference_number(run, "n_models_valid"), 0);
        double mean = 0;
        for (size_t k = 0; k < count; k++) mean += ranked[k].weight * ranked[k].N;
        su_reference_near("mean over models", mean, su_reference_number(run, "bma_bic_mean"), 1e-6);
        for (size_t k = 0; k < json_array_size(names); k++) {
            char text[SU_MODEL_TEXT], path[64];
            su_model_print(&s.models[ranked[k].model], 5, text);
            assert_string_equal(text, json_string_value(json_array_get(names, k)));
            snprintf(path, sizeof path, "top/bic/%zu", k);
            su_reference_near(path, ranked[k].bic, su_reference_number(run, path), 1e-6);
            snprintf(path, sizeof path, "top/abundance/%zu", k);
            su_reference_near(path, ranked[k].N, su_reference_number(run, path), 1e-6);
            snprintf(path, sizeof path, "top/bic_weight/%zu", k);
            su_reference_near(path, ranked[k].weight, su_reference_number(run, path), 1e-5);
        }
        su_mse_lattice l;
        uint32_t best = 0;
        su_mse_lattice_init(&l, 5);
        su_mse_lattice_set_integers(&l, o->counts);
        su_fit f = su_space_best(&l, &s, NULL, 0, &best); /* with its shortcut */
        assert_int_equal(best, ranked[0].model);
        assert_true(fabs(f.N - ranked[0].N) < 1e-6);
        su_mse_lattice_free(&l);
        free(ranked);
        su_space_free(&s);
        su_overlaps_free(o);
    }
    json_decref(ref);
}

/* Downhill stops at a local minimum on UK_5 (12,262); restarts find the best of all models (25,311). Numbers by R. */
static void downhill_and_restarts(void **state)
{
    (void)state;
    su_overlaps *o = read_table("UKdat_5");
    if (!o) skip();
    su_mse_lattice l;
    su_model start = su_model_main(5), m;
    unsigned agree = 0;
    char text[SU_MODEL_TEXT];
    su_mse_lattice_init(&l, 5);
    su_mse_lattice_set_integers(&l, o->counts);
    su_fit f = su_downhill(&l, 4, &start, &m);
    su_reference_near("downhill", f.N, 12262.4124205469, 1e-7);
    f = su_downhill_restarted(&l, 4, 20, 1, &m, &agree);
    su_reference_near("restarted", f.N, 25311.29, 1e-6);
    su_model_print(&m, 5, text);
    assert_string_equal(text, "[123,25,34]");
    assert_true(agree >= 1);
    su_mse_lattice_free(&l);
    su_overlaps_free(o);
}

/* ---- bootstrap ---- */

static void stored_resamples(void **state)
{
    (void)state;
    json_t *ref = su_reference("mse_sparsemse_bootstrap.json");
    const char *path = su_test_shared("data/mse/mse_boot_UKdat_5_1000.csv");
    su_overlaps *o = read_table("UKdat_5");
    if (!ref || !path || !o) skip();
    su_context ctx;
    su_raw_table *raw = NULL;
    su_context_init(&ctx);
    assert_int_equal(su_table_read(&ctx, path, NULL, &raw), SU_OK);
    assert_int_equal(raw->row_count, 1000);
    su_mse_lattice l;
    su_mse_lattice_init(&l, 5);
    su_bootstrap b = { .count = 1000 };
    b.sorted = su_alloc_array(1000, sizeof *b.sorted);
    for (uint64_t row = 0; row < 1000; row++) {
        double counts[32] = { 0 }, want = 0, x;
        for (uint32_t c = 0; c < raw->column_count; c++) {
            assert_true(su_parse_f64(su_dict_get(raw->columns[c].values, raw->columns[c].ids[row]), &x));
            if (raw->columns[c].name[0] == 'h')
                counts[cell_of(raw->columns[c].name + 1)] = x;
            else
                want = x;
        }
        su_mse_lattice_set(&l, counts, false);
        b.sorted[row] = by_stepwise(NULL, &l);
        su_reference_near("resample", b.sorted[row], want, 1e-6);
    }
    su_bootstrap own;
    su_bootstrap_run(&ctx, o, by_stepwise, NULL, 0, 1, &own); /* estimate and acceleration by leaving one out */
    b.estimate = own.estimate;
    b.acceleration = own.acceleration;
    su_bootstrap_sort(&b);
    const json_t *want = su_reference_at(ref, "UKdat_5");
    su_reference_near("acceleration", b.acceleration, su_reference_number(want, "ahat"), 1e-6);
    su_reference_near("z0", b.z0, su_reference_number(want, "z0"), 1e-9);
    const char *p;
    json_t *value;
    json_object_foreach((json_t *)su_reference_at(want, "BCa"), p, value)
        su_reference_near(p, su_bca_limit(b.sorted, b.count, b.z0, b.acceleration, strtod(p, NULL)), su_reference_value(value), 1e-6);
    json_object_foreach((json_t *)su_reference_at(want, "boot_percentile_type8"), p, value)
        su_reference_near(p, su_quantile_8(b.sorted, 1000, strtod(p, NULL) / 100), su_reference_value(value), 1e-6);
    free(b.sorted);
    free(own.sorted);
    su_mse_lattice_free(&l);
    su_raw_table_free(raw);
    su_overlaps_free(o);
    json_decref(ref);
}

/* With our own random numbers the limits agree within Monte Carlo error of both runs (R's has 1,000 replicates too). */
static void own_resamples(void **state)
{
    (void)state;
    json_t *ref = su_reference("mse_sparsemse_bootstrap.json"), *downhill = su_reference("mse_downhill_bca.json");
    if (!ref || !downhill) skip();
    static const char *const tables[] = { "UKdat_5", "UKdat", "Ned_5", "Ned", NULL };
    unsigned order = 2;
    for (int i = 0; i < 5; i++) {
        bool down = !tables[i];
        const char *name = down ? "UKdat" : tables[i];
        su_overlaps *o = read_table(name);
        const json_t *want = su_reference_at(down ? downhill : ref, name);
        su_context ctx;
        su_context_init(&ctx);
        su_bootstrap b;
        su_bootstrap_run(&ctx, o, down ? by_downhill : by_stepwise, &order, 1000, 7, &b);
        su_limits got = su_bca_limits(&b, 0.95, 7);
        su_reference_near("estimate", b.estimate, su_reference_number(want, down ? "estimate" : "popest"), 1e-7);
        su_reference_near("acceleration", b.acceleration, su_reference_number(want, "ahat"), 1e-5);
        double low = su_reference_number(want, down ? "lo95" : "BCa/0.025"), high = su_reference_number(want, down ? "hi95" : "BCa/0.975");
        printf("# %s%s: %.0f (%.0f) to %.0f (%.0f); R %.0f to %.0f; %zu failed\n", name, down ? " downhill" : "", got.low, got.low_error,
               got.high, got.high_error, low, high, b.failed);
        su_reference_within("low", got.low, low, 4.5 * got.low_error * sqrt(2));
        su_reference_within("high", got.high, high, 4.5 * got.high_error * sqrt(2));
        free(b.sorted);
        su_overlaps_free(o);
    }
    json_decref(ref);
    json_decref(downhill);
}

static void threads_do_not_matter(void **state)
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
                                                           { "1110", 2 },
                                                           { NULL, 0 } });
    su_bootstrap b[2];
    for (int i = 0; i < 2; i++) {
        su_context ctx;
        su_context_init(&ctx);
        ctx.threads = i ? 5 : 1;
        su_bootstrap_run(&ctx, o, by_stepwise, NULL, 300, 11, &b[i]);
    }
    assert_int_equal(b[0].count, b[1].count);
    assert_memory_equal(b[0].sorted, b[1].sorted, b[0].count * sizeof *b[0].sorted);
    assert_memory_equal(&b[0].acceleration, &b[1].acceleration, sizeof(double));
    free(b[0].sorted);
    free(b[1].sorted);
    su_overlaps_free(o);
}

/* ---- profile likelihood, bias, empty overlaps ---- */

static void profile_and_bias(void **state)
{
    (void)state;
    json_t *ref = su_reference("mse_rcapture.json");
    if (!ref) skip();
    const char *name;
    json_t *table;
    json_object_foreach(ref, name, table)
    {
        su_overlaps *o = read_table(name);
        su_mse_lattice l;
        su_model m = su_model_main(o->lists);
        su_mse_lattice_init(&l, o->lists);
        su_mse_lattice_set_integers(&l, o->counts);
        su_fit f = su_fit_full(&l, &m);
        su_reference_near("bias", su_fit_bias(&l, &m, &f), su_reference_number(table, "main_profile/bias"), 1e-4);
        su_profile p = su_profile_interval(&l, &m, &f, 0.95);
        /* the top of the likelihood is flat: within 0.1 of it the likelihood differs by less than 1e-8 */
        su_reference_within("N", p.N, su_reference_number(table, "main_profile/multinomial_N"), 0.1);
        su_reference_within("low", p.low, su_reference_number(table, "main_profile/lo"), 1e-3);
        su_reference_within("high", p.high, su_reference_number(table, "main_profile/hi"), 1e-3);
        f = su_stepwise_aic(&l, 0.05, &m, NULL);
        p = su_profile_interval(&l, &m, &f, 0.95);
        su_reference_within("low", p.low, su_reference_number(table, "stepAIC_p05/profile_CI95/1"), 1e-3);
        su_reference_within("high", p.high, su_reference_number(table, "stepAIC_p05/profile_CI95/2"), 1e-3);
        su_mse_lattice_free(&l);
        su_overlaps_free(o);
    }
    json_decref(ref);
}

static void empty_overlaps(void **state)
{
    (void)state;
    json_t *ref = su_reference("mse_sparsemse_point.json");
    su_overlaps *o = read_table("Ned_5");
    if (!ref || !o) skip();
    su_mse_lattice l;
    su_model m;
    su_mse_lattice_init(&l, 5);
    su_mse_lattice_set_integers(&l, o->counts);
    su_stepwise_p(&l, 0.02, &m, NULL);
    su_reference_near("K:R", su_empty_p(&l, &m, term_of("24")), su_reference_number(ref, "Ned_5/stepwise_p02/poisspempty/K:R"), 1e-6);
    su_mse_lattice_free(&l);
    su_overlaps_free(o);
    json_decref(ref);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(model_counts),          cmocka_unit_test(models_against_all_sets), cmocka_unit_test(best_models),
        cmocka_unit_test(downhill_and_restarts), cmocka_unit_test(stored_resamples),        cmocka_unit_test(own_resamples),
        cmocka_unit_test(threads_do_not_matter), cmocka_unit_test(profile_and_bias),        cmocka_unit_test(empty_overlaps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
