/* Replicates and calibration: R's survey package. */
#include "analyse/rates/survey_world.h"

static void replicated_jointly(world *w, su_replication method, double fay, const su_estimand *e, size_t count, su_estimate *out, double *v)
{
    su_replicates *r = NULL;
    su_replicate_options o = { .method = method, .fay = fay };
    if (su_replicates_new(&w->ctx, w->design, &o, &r)) fail_msg("%s", w->ctx.message);
    if (su_replicates_estimate(&w->ctx, w->design, r, e, count, out, v)) fail_msg("%s", w->ctx.message);
    su_replicates_free(r);
}

static void replicated(world *w, su_replication method, double fay, const su_estimand *e, size_t count, su_estimate *out)
{
    replicated_jointly(w, method, fay, e, count, out, NULL);
}

/* name/est, /se and /vcov of two means. */
static void near_both(const json_t *want, const char *name, const su_estimate *e, const double *v)
{
    char path[64];
    for (int i = 0; i < 4; i++) {
        snprintf(path, sizeof path, "%s/vcov/%d/%d", name, i / 2, i % 2);
        near(name, want, path, v[i]);
        if (i > 1) continue;
        snprintf(path, sizeof path, "%s/est/%d", name, i);
        near(name, want, path, e[i].estimate);
        snprintf(path, sizeof path, "%s/se/%d", name, i);
        near(name, want, path, sqrt(e[i].variance));
    }
}

static void test_jackknife(void **state)
{
    (void)state;
    world w;
    if (!reference || !world_of(&w, &plans[2])) skip();
    const json_t *want = su_reference_at(reference, "rep");
    su_estimand means[2] = { { .y = numbers(&w, "api00") }, { .y = numbers(&w, "enroll") } };
    su_estimand total = { .statistic = SU_TOTAL, .y = means[1].y }, by = { .y = means[0].y, .group = levels(&w, "stype"), .groups = 3 };
    su_estimate e[3];
    double v[4];
    replicated_jointly(&w, SU_REPLICATE_JK1, 0, means, 2, e, v);
    near_both(want, "JK1_apiclus1", e, v);
    replicated(&w, SU_REPLICATE_JK1, 0, &total, 1, e);
    near("JK1", want, "JK1_total/est", e[0].estimate);
    near("JK1", want, "JK1_total/vcov/0/0", e[0].variance);
    near("JK1", want, "JK1_total/se", sqrt(e[0].variance));
    replicated(&w, SU_REPLICATE_JK1, 0, &by, 1, e);
    for (int i = 0; i < 3; i++) {
        char path[32];
        snprintf(path, sizeof path, "JK1_by/est/%d", i);
        near("JK1", want, path, e[i].estimate);
        snprintf(path, sizeof path, "JK1_by/se/%d", i);
        near("JK1", want, path, sqrt(e[i].variance));
    }
    world_free(&w);
    if (!world_of(&w, &plans[0])) skip();
    su_estimand strat[2] = { { .y = numbers(&w, "api00") }, { .y = numbers(&w, "enroll") } };
    su_estimand ratio = { .statistic = SU_RATIO, .y = strat[0].y, .x = numbers(&w, "api99") };
    replicated_jointly(&w, SU_REPLICATE_JKN, 0, strat, 2, e, v);
    near_both(want, "JKn_apistrat", e, v);
    replicated(&w, SU_REPLICATE_JKN, 0, &ratio, 1, e);
    near("JKn", want, "JKn_ratio/est", e[0].estimate);
    near("JKn", want, "JKn_ratio/se", sqrt(e[0].variance));
    world_free(&w);
}

/* Rao-Wu has Monte Carlo error: 2,000 replicates come within 6 % of the linearised standard error. */
static void test_bootstrap(void **state)
{
    (void)state;
    world w;
    if (!reference || !world_of(&w, &plans[3])) skip();
    su_estimand mean = { .y = numbers(&w, "api00") };
    su_estimate linear, boot;
    su_replicates *r = NULL;
    su_replicate_options o = { .method = SU_REPLICATE_RAO_WU, .replicates = 2000, .seed = 7 };
    estimate(&w, &mean, 1, &linear, NULL);
    assert_int_equal(su_replicates_new(&w.ctx, w.design, &o, &r), SU_OK);
    assert_int_equal(su_replicates_count(r), 2000);
    assert_int_equal(su_replicates_estimate(&w.ctx, w.design, r, &mean, 1, &boot, NULL), SU_OK);
    su_reference_near("Rao-Wu", sqrt(boot.variance), sqrt(linear.variance), 0.06);
    su_replicates_free(r);
    world_free(&w);
}

static void test_balanced(void **state)
{
    (void)state;
    if (!reference) skip();
    const json_t *want = su_reference_at(reference, "rep"), *data = su_reference_at(want, "scd_data");
    size_t n = json_array_size(data);
    double area[16], unit[16], arrests[16], alive[16];
    assert_true(n <= 16);
    for (size_t i = 0; i < n; i++) {
        const json_t *row = json_array_get(data, i);
        area[i] = su_reference_number(row, "ESA");
        unit[i] = su_reference_number(row, "ambulance");
        arrests[i] = su_reference_number(row, "arrests");
        alive[i] = su_reference_number(row, "alive");
    }
    world w = { 0 };
    su_context_init(&w.ctx);
    w.frame = su_frame_new(n);
    su_design_options o = { .nest = true };
    o.strata[0] = su_frame_add_number(w.frame, "area", area);
    o.psu[0] = su_frame_add_number(w.frame, "unit", unit);
    if (su_design_new(&w.ctx, w.frame, &o, &w.design)) fail_msg("%s", w.ctx.message);
    su_estimand ratio = { .statistic = SU_RATIO, .y = alive, .x = arrests };
    su_estimate e;
    replicated(&w, SU_REPLICATE_BRR, 0, &ratio, 1, &e);
    near("BRR", want, "BRR_scd_ratio/est", e.estimate);
    near("BRR", want, "BRR_scd_ratio/se", sqrt(e.variance));
    replicated(&w, SU_REPLICATE_FAY, 0.3, &ratio, 1, &e);
    near("Fay", want, "Fay03_scd_ratio/est", e.estimate);
    near("Fay", want, "Fay03_scd_ratio/se", sqrt(e.variance));
    estimate(&w, &ratio, 1, &e, NULL);
    near("Taylor", want, "Taylor_scd_ratio/est", e.estimate);
    near("Taylor", want, "Taylor_scd_ratio/se", sqrt(e.variance));
    world_free(&w);
}

/* BRR of a linear statistic equals the linearised variance for any number of strata: the replicates are balanced. */
static void test_balance_is_full(void **state)
{
    (void)state;
    for (uint32_t strata = 1; strata <= 40; strata++) {
        double y[80], area[80];
        su_random random;
        su_random_seeded(&random, strata);
        for (uint32_t i = 0; i < 2 * strata; i++) {
            area[i] = i / 2;
            y[i] = (double)su_random_below(&random, 1000);
        }
        world w = { 0 };
        su_context_init(&w.ctx);
        w.frame = su_frame_new(2 * strata);
        su_design_options o = { 0 };
        o.strata[0] = su_frame_add_number(w.frame, "area", area);
        assert_int_equal(su_design_new(&w.ctx, w.frame, &o, &w.design), SU_OK);
        su_estimand total = { .statistic = SU_TOTAL, .y = y };
        su_estimate linear, brr;
        estimate(&w, &total, 1, &linear, NULL);
        replicated(&w, SU_REPLICATE_BRR, 0, &total, 1, &brr);
        su_reference_near("balanced", brr.variance, linear.variance, 1e-10);
        world_free(&w);
    }
}

/* ---- calibration ---- */

static void population(const json_t *list, const char *name, const su_variable *v, double *totals)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *row = json_array_get(list, i);
        for (uint32_t k = 0; k < v->level_count; k++)
            if (strcmp(v->levels[k], json_string_value(json_object_get(row, name))) == 0) totals[k] = su_reference_number(row, "Freq");
    }
}

static void check_mean_and_total(world *w, const char *what, const json_t *want)
{
    su_estimand both[2] = { { .y = numbers(w, "api00") }, { .statistic = SU_TOTAL, .y = numbers(w, "enroll") } };
    su_estimate e[2];
    estimate(w, both, 2, e, NULL);
    near(what, want, "mean_api00/est", e[0].estimate);
    near(what, want, "mean_api00/se", sqrt(e[0].variance));
    near(what, want, "mean_api00/vcov/0/0", e[0].variance);
    if (!json_object_get(want, "total_enroll")) return;
    near(what, want, "total_enroll/est", e[1].estimate);
    near(what, want, "total_enroll/se", sqrt(e[1].variance));
    near(what, want, "total_enroll/vcov/0/0", e[1].variance);
}

static void test_poststratify(void **state)
{
    (void)state;
    static const char *const names[] = { "postStratify_apiclus1", "postStratify_apiclus1_nofpc" };
    for (int i = 0; i < 2; i++) {
        world w;
        if (!reference || !world_of(&w, &plans[2 + i])) skip();
        const json_t *want = su_reference_at(reference, names[i]);
        double totals[3];
        su_margin margin = { factor(&w, "stype"), totals };
        su_calibration_options o = { .method = SU_CALIBRATE_POSTSTRATIFY };
        population(su_reference_at(reference, "pop/stype"), "stype", margin.variable, totals);
        if (su_design_calibrate(&w.ctx, w.design, &margin, 1, &o, NULL)) fail_msg("%s", w.ctx.message);
        check_mean_and_total(&w, names[i], want);
        for (uint32_t k = 0; k < 3; k++) {
            su_estimand group = { .statistic = SU_TOTAL, .level = levels(&w, "stype"), .value = k + 1 };
            su_estimate e;
            char path[64];
            estimate(&w, &group, 1, &e, NULL);
            su_reference_near("total of a post-stratum", e.estimate, totals[k], 1e-12);
            su_reference_within("its standard error", sqrt(e.variance), 0, 1e-9);
            if (i) continue;
            snprintf(path, sizeof path, "total_stype/est/%u", k);
            near(names[i], want, path, e.estimate);
            snprintf(path, sizeof path, "total_stype/se/%u", k);
            near(names[i], want, path, sqrt(e.variance));
            for (uint32_t j = 0; j < 3; j++) {
                snprintf(path, sizeof path, "total_stype/vcov/%u/%u", k, j);
                if (j == k) near(names[i], want, path, e.variance);
            }
            uint64_t row = 0;
            while (levels(&w, "stype")[row] != k + 1) row++;
            snprintf(path, sizeof path, "weights_by_stype/%u", k);
            near(names[i], want, path, su_design_weights(w.design)[row]);
        }
        world_free(&w);
    }
}

/* R 4.2.2, survey 4.1-1: as.svrepdesign(apiclus1 without fpc, type = "JK1"), then postStratify and rake (epsilon 1e-12) of the replicates;
 * SE of mean(api00) and total(enroll). */
static void test_recalibrated(void **state)
{
    (void)state;
    for (int raked = 0; raked < 2; raked++) {
        world w;
        if (!reference || !world_of(&w, &plans[3])) skip();
        double stype[3], wide[2], sums[4] = { 0 };
        su_margin margins[2] = { { factor(&w, "stype"), stype }, { factor(&w, "sch.wide"), wide } };
        su_calibration_options o = { .method = raked ? SU_CALIBRATE_RAKE : SU_CALIBRATE_POSTSTRATIFY };
        population(su_reference_at(reference, "pop/stype"), "stype", margins[0].variable, stype);
        population(su_reference_at(reference, "pop/schwide"), "sch.wide", margins[1].variable, wide);
        if (su_design_calibrate(&w.ctx, w.design, margins, raked ? 2 : 1, &o, NULL)) fail_msg("%s", w.ctx.message);
        su_estimand both[2] = { { .y = numbers(&w, "api00") }, { .statistic = SU_TOTAL, .y = numbers(&w, "enroll") } };
        su_estimate e[2];
        replicated(&w, SU_REPLICATE_JK1, 0, both, 2, e);
        su_reference_near("SE of the mean", sqrt(e[0].variance), raked ? 27.1442585775909 : 27.205422525194, raked ? 1e-7 : 1e-10);
        if (!raked) su_reference_near("SE of the total", sqrt(e[1].variance), 478192.770811499, 1e-10);
        /* every replicate meets the margins, a replicate's own unit is out */
        su_replicates *r = NULL;
        su_replicate_options ro = { .method = SU_REPLICATE_RAO_WU, .replicates = 20, .seed = 3 };
        if (su_replicates_new(&w.ctx, w.design, &ro, &r)) fail_msg("%s", w.ctx.message);
        double *weight = su_alloc_array(w.frame->rows, sizeof *weight);
        uint32_t *level = levels(&w, "stype");
        su_replicates_weights(w.design, r, 7, weight);
        for (uint64_t i = 0; i < w.frame->rows; i++) sums[level[i]] += weight[i];
        for (int k = 0; k < 3; k++) su_reference_near("margin of a replicate", sums[k + 1], stype[k], 1e-9);
        free(weight);
        su_replicates_free(r);
        world_free(&w);
    }
}

static void test_rake(void **state)
{
    (void)state;
    world w;
    if (!reference || !world_of(&w, &plans[2])) skip();
    const json_t *want = su_reference_at(reference, "rake_apiclus1");
    double stype[3], wide[2];
    su_margin margins[2] = { { factor(&w, "stype"), stype }, { factor(&w, "sch.wide"), wide } };
    su_calibration_options o = { .method = SU_CALIBRATE_RAKE };
    population(su_reference_at(reference, "pop/stype"), "stype", margins[0].variable, stype);
    population(su_reference_at(reference, "pop/schwide"), "sch.wide", margins[1].variable, wide);
    if (su_design_calibrate(&w.ctx, w.design, margins, 2, &o, NULL)) fail_msg("%s", w.ctx.message);
    check_mean_and_total(&w, "rake", want);
    const json_t *weights = su_reference_at(want, "weights");
    for (size_t i = 0; i < json_array_size(weights); i++)
        su_reference_near("raked weight", su_design_weights(w.design)[i], su_reference_value(json_array_get(weights, i)), 1e-8);
    world_free(&w);
}

static void test_calibrate(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        su_calibration method;
    } kinds[] = { { "calibrate_linear", SU_CALIBRATE_LINEAR }, { "calibrate_raking", SU_CALIBRATE_RAKING } };
    for (int i = 0; i < 2; i++) {
        world w;
        if (!reference || !world_of(&w, &plans[2])) skip();
        const json_t *want = su_reference_at(reference, kinds[i].name);
        double stype[3], api99 = su_reference_number(reference, "calibrate_linear/api99_total");
        su_margin margins[2] = { { factor(&w, "stype"), stype }, { column(&w, "api99"), &api99 } };
        su_calibration_options o = { .method = kinds[i].method };
        population(su_reference_at(reference, "pop/stype"), "stype", margins[0].variable, stype);
        if (su_design_calibrate(&w.ctx, w.design, margins, 2, &o, NULL)) fail_msg("%s", w.ctx.message);
        check_mean_and_total(&w, kinds[i].name, want);
        const json_t *weights = json_object_get(want, i ? "weights_head" : "weights");
        for (size_t r = 0; r < json_array_size(weights); r++)
            su_reference_near("calibrated weight", su_design_weights(w.design)[r], su_reference_value(json_array_get(weights, r)), 1e-8);
        world_free(&w);
    }
}

/* Bounded calibration meets the margins inside the bounds; bounds too tight are refused with the margin's name. */
static void test_bounds(void **state)
{
    (void)state;
    static const su_calibration methods[] = { SU_CALIBRATE_LOGIT, SU_CALIBRATE_LINEAR };
    for (int i = 0; i < 2; i++)
        for (int tight = 0; tight < 2; tight++) {
            world w;
            if (!reference || !world_of(&w, &plans[2])) skip();
            double stype[3], sum[4] = { 0 }, api99 = su_reference_number(reference, "calibrate_linear/api99_total");
            su_margin margins[2] = { { factor(&w, "stype"), stype }, { column(&w, "api99"), &api99 } };
            su_calibration_options o = { .method = methods[i], .low = tight ? 0.98 : 0.5, .high = tight ? 1.02 : 2 };
            population(su_reference_at(reference, "pop/stype"), "stype", margins[0].variable, stype);
            su_status st = su_design_calibrate(&w.ctx, w.design, margins, 2, &o, NULL);
            if (tight) {
                assert_int_equal(st, SU_REFUSED);
                assert_non_null(strstr(w.ctx.message, "within the bounds"));
            } else {
                if (st) fail_msg("%s", w.ctx.message);
                uint32_t *level = levels(&w, "stype");
                double *api = numbers(&w, "api99"), before = 33.846996307373757;
                for (uint64_t r = 0; r < w.frame->rows; r++) {
                    double g = su_design_weights(w.design)[r];
                    assert_true(g / before >= 0.5 - 1e-9 && g / before <= 2 + 1e-9);
                    sum[level[r]] += g;
                    sum[0] += g * api[r];
                }
                for (int k = 0; k < 3; k++) su_reference_near("margin", sum[k + 1], stype[k], 1e-9);
                su_reference_near("margin", sum[0], api99, 1e-9);
            }
            world_free(&w);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_jackknife),    cmocka_unit_test(test_bootstrap),
        cmocka_unit_test(test_balanced),     cmocka_unit_test(test_balance_is_full),
        cmocka_unit_test(test_poststratify), cmocka_unit_test(test_recalibrated),
        cmocka_unit_test(test_rake),         cmocka_unit_test(test_calibrate),
        cmocka_unit_test(test_bounds),
    };
    return cmocka_run_group_tests_name("weights", tests, load, unload);
}
