/* Designs: strata of one unit beside R's survey package, refusals, properties, blocks of columns, definitions of quantiles. */
#include "analyse/rates/survey_world.h"

/* ---- strata of one unit ---- */

static su_design *lonely_design(world *w, su_lone lone)
{
    su_design *d = NULL;
    su_design_options o = { .lone = lone, .stages = 1, .weight = column(w, "w") };
    o.strata[0] = column(w, "h");
    o.psu[0] = column(w, "psu");
    if (su_design_new(&w->ctx, w->frame, &o, &d)) fail_msg("%s", w->ctx.message);
    return d;
}

static void test_lonely(void **state)
{
    (void)state;
    static const struct {
        su_lone lone;
        const char *name, *domain;
    } kinds[] = { { SU_LONE_CERTAINTY, "certainty", "certainty_domainlonelyFALSE" },
                  { SU_LONE_CERTAINTY, "remove", "remove_domainlonelyFALSE" },
                  { SU_LONE_CERTAINTY, "certainty", "certainty_domainlonelyTRUE" }, /* R: the same with adjust.domain on */
                  { SU_LONE_CERTAINTY, "remove", "remove_domainlonelyTRUE" },
                  { SU_LONE_ADJUST, "adjust", "adjust_domainlonelyFALSE" },
                  { SU_LONE_AVERAGE, "average", "average_domainlonelyFALSE" } };
    world w = { 0 };
    if (!reference || !world_read(&w, "svy_lonely.csv")) skip();
    double *y = numbers(&w, "y");
    uint32_t in[16];
    for (uint64_t r = 0; r < w.frame->rows; r++) in[r] = y[r] > 6.5;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        su_estimand both[2] = { { .y = y }, { .statistic = SU_TOTAL, .y = y } };
        su_estimate e[2];
        w.design = lonely_design(&w, kinds[i].lone);
        const json_t *want = su_reference_at(su_reference_at(reference, "lonely"), kinds[i].name);
        estimate(&w, both, 2, e, NULL);
        near(kinds[i].name, want, "mean", e[0].estimate);
        near(kinds[i].name, want, "total", e[1].estimate);
        near(kinds[i].name, want, "se_mean", sqrt(e[0].variance));
        near(kinds[i].name, want, "se_total", sqrt(e[1].variance));
        near(kinds[i].name, want, "degf", e[0].df);
        for (int k = 0; k < 2; k++) {
            both[k].group = in;
            both[k].groups = 1;
        }
        want = su_reference_at(su_reference_at(reference, "lonely_domain_y_gt_6.5"), kinds[i].domain);
        estimate(&w, both, 2, e, NULL);
        near(kinds[i].domain, want, "mean", e[0].estimate);
        near(kinds[i].domain, want, "total", e[1].estimate);
        near(kinds[i].domain, want, "se_mean", sqrt(e[0].variance));
        near(kinds[i].domain, want, "se_total", sqrt(e[1].variance));
        near(kinds[i].domain, want, "degf", e[0].df);
        near(kinds[i].domain, want, "n", (double)e[0].n);
        su_design_free(w.design);
    }
    /* The default refuses, names the stratum and the ways out. */
    su_estimand mean = { .y = y };
    su_estimate e;
    w.design = lonely_design(&w, SU_LONE_FAIL);
    assert_int_equal(su_design_estimate(&w.ctx, w.design, &mean, 1, &e, NULL), SU_REFUSED);
    assert_non_null(strstr(w.ctx.message, "1 stratum has only one primary sampling unit"));
    assert_non_null(strstr(w.ctx.message, "'2'"));
    assert_non_null(strstr(w.ctx.message, "--lone centre"));
    su_design_free(w.design);
    /* centre: by hand. Totals of units w y (13+..): deviations of the single unit from the mean of all six. */
    su_estimand total = { .statistic = SU_TOTAL, .y = y };
    w.design = lonely_design(&w, SU_LONE_CENTRE);
    estimate(&w, &total, 1, &e, NULL);
    double unit[6] = { 2 * 3 + 2 * 5, 3 * 7, 4 * 11, 1 * 2, 1.5 * 4 + 1.5 * 6, 2 * 9 }, grand = 0, v = 0,
           m = (unit[3] + unit[4] + unit[5]) / 3;
    for (int i = 0; i < 6; i++) grand += unit[i] / 6;
    v += 2 * (pow(unit[0] - (unit[0] + unit[1]) / 2, 2) + pow(unit[1] - (unit[0] + unit[1]) / 2, 2)) + pow(unit[2] - grand, 2);
    for (int i = 3; i < 6; i++) v += 1.5 * pow(unit[i] - m, 2);
    su_reference_near("centre", e.variance, v, 1e-12);
    world_free(&w);
}

/* ---- refusals --------------------------------------------------------------------------------------------------------------- */

typedef struct bad {
    const char *csv, *words; /* in the message */
    bool fpc, psu, strata;
} bad;

static void test_refusals(void **state)
{
    (void)state;
    static const bad cases[] = {
        { "w,h,p,f,y\n1,a,1,9,1\n-2,a,2,9,0\n", "row 2 has the weight -2", false, false, false },
        { "w,h,p,f,y\n0,a,1,9,1\n0,a,2,9,0\n", "all weights of column 'w' are zero", false, false, false },
        { "w,h,p,f,y\n1,a,1,9,1\n,a,2,9,0\n", "row 2 has no weight", false, false, false },
        { "w,h,p,f,y\nx,a,1,9,1\n2,a,2,9,0\n", "must be numbers; 'x' is not one", false, false, false },
        { "w,h,p,f,y\n1,a,1,9,1\n1,b,1,9,0\n1,a,2,9,1\n1,b,3,9,0\n", "unit '1' of 'p' is in stratum 'a' (row 1) and in stratum 'b' (row 2)",
          false, true, true },
        { "w,h,p,f,y\n1,a,1,9,1\n1,a,2,8,0\n", "has two values in the sample: 9 and 8", true, true, false },
        { "w,h,p,f,y\n1,a,1,2,1\n1,a,2,2,0\n1,a,3,2,0\n", "3 sampled units but a population of 2", true, true, false },
        { "w,h,p,f,y\n1,a,1,9,1\n1,,2,9,0\n", "row 2 has no stratum (column 'h')", false, false, true },
        { "w,h,p,f,y\n1,a,1,0.5,1\n1,b,2,4,0\n", "mixes population sizes", true, false, true },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        world w = { 0 };
        su_read_options read = { .delimiter = ',' };
        su_design_options o = { .stages = 1 };
        su_context_init(&w.ctx);
        if (su_csv_parse(&w.ctx, "bad.csv", su_str_of(cases[i].csv), &read, &w.raw)) fail_msg("%s", w.ctx.message);
        if (su_frame_of_table(&w.ctx, w.raw, NULL, &w.frame)) fail_msg("%s", w.ctx.message);
        o.weight = column(&w, "w");
        if (cases[i].fpc) o.fpc[0] = column(&w, "f");
        if (cases[i].psu) o.psu[0] = column(&w, "p");
        if (cases[i].strata) o.strata[0] = column(&w, "h");
        assert_int_equal(su_design_new(&w.ctx, w.frame, &o, &w.design), SU_INPUT);
        assert_null(w.design);
        if (!strstr(w.ctx.message, cases[i].words)) fail_msg("case %zu: '%s' is not in '%s'", i, cases[i].words, w.ctx.message);
        world_free(&w);
    }
}

/* Weights times a constant: rates stay. Rows in another order: nothing moves. A domain of everybody: the whole. */
static void test_properties(void **state)
{
    (void)state;
    enum { N = 300 };
    double y[N], w1[N], w2[N], psu[N], y2[N], w3[N], psu2[N];
    uint32_t all[N];
    su_random random;
    su_test_random(&random);
    for (int i = 0; i < N; i++) {
        y[i] = (double)su_random_below(&random, 2);
        w1[i] = 1 + (double)su_random_below(&random, 50) / 10;
        w2[i] = 1000 * w1[i];
        psu[i] = (double)su_random_below(&random, 20);
        all[i] = 1;
        y2[N - 1 - i] = y[i];
        w3[N - 1 - i] = w1[i];
        psu2[N - 1 - i] = psu[i];
    }
    const double *weights[3] = { w1, w2, w3 }, *units[3] = { psu, psu, psu2 }, *values[3] = { y, y, y2 };
    su_estimate e[3][2];
    for (int i = 0; i < 3; i++) {
        world w = { 0 };
        su_context_init(&w.ctx);
        w.frame = su_frame_new(N);
        su_design_options o = { .stages = 1 };
        o.weight = su_frame_add_number(w.frame, "w", weights[i]);
        o.psu[0] = su_frame_add_number(w.frame, "p", units[i]);
        assert_int_equal(su_design_new(&w.ctx, w.frame, &o, &w.design), SU_OK);
        su_estimand both[2] = { { .y = values[i] }, { .y = values[i], .group = all, .groups = 1 } };
        estimate(&w, both, 2, e[i], NULL);
        world_free(&w);
    }
    for (int i = 1; i < 3; i++) {
        su_reference_near("estimate", e[i][0].estimate, e[0][0].estimate, 1e-12);
        su_reference_near("variance", e[i][0].variance, e[0][0].variance, 1e-10);
    }
    su_reference_near("domain", e[0][1].variance, e[0][0].variance, 1e-13);
}

/* More units times groups than are held at once: chunks of columns must give what all of them together would. */
static void test_chunks(void **state)
{
    (void)state;
    enum { N = 420000, G = 31, FEW = 3 };
    double *y = su_alloc_array(N, sizeof *y), *w = su_alloc_array(N, sizeof *w), *all = su_alloc_array((size_t)G * G, sizeof *all),
           few[FEW * FEW];
    uint32_t *group = su_alloc_array(N, sizeof *group), *folded = su_alloc_array(N, sizeof *folded),
             *stratum = su_alloc_array(N, sizeof *stratum);
    static const char *const names[] = { "a", "b", "c" };
    static const uint32_t kept[FEW] = { 1, 16, 31 }; /* in different chunks */
    su_random random;
    su_random_seeded(&random, 5);
    for (int i = 0; i < N; i++) {
        group[i] = 1 + (uint32_t)su_random_below(&random, G);
        stratum[i] = 1 + (uint32_t)su_random_below(&random, 3);
        y[i] = (double)su_random_below(&random, 100) + group[i];
        w[i] = 1 + (double)su_random_below(&random, 4);
        for (uint32_t k = 0; k < FEW; k++)
            if (group[i] == kept[k]) folded[i] = k + 1;
    }
    world v = { 0 };
    su_context_init(&v.ctx);
    v.frame = su_frame_new(N);
    su_design_options o = { .stages = 1, .weight = su_frame_add_number(v.frame, "w", w) };
    o.strata[0] = su_frame_add_factor(v.frame, "h", stratum, names, 3);
    assert_int_equal(su_design_new(&v.ctx, v.frame, &o, &v.design), SU_OK);
    su_estimand many = { .y = y, .group = group, .groups = G }, some = { .y = y, .group = folded, .groups = FEW };
    su_estimate *e = su_alloc_array(G, sizeof *e), s[FEW];
    estimate(&v, &many, 1, e, all);
    estimate(&v, &some, 1, s, few);
    for (int i = 0; i < FEW; i++) {
        su_reference_near("estimate", e[kept[i] - 1].estimate, s[i].estimate, 1e-13);
        su_reference_near("variance", e[kept[i] - 1].variance, s[i].variance, 1e-12);
        for (int k = 0; k < FEW; k++)
            su_reference_within("covariance", all[(kept[i] - 1) * G + kept[k] - 1], few[i * FEW + k], 1e-12 * s[i].variance);
    }
    estimate(&v, &many, 1, e, NULL);
    su_reference_near("variance alone", e[15].variance, s[1].variance, 1e-12);
    world_free(&v);
    free(y);
    free(w);
    free(all);
    free(group);
    free(folded);
    free(stratum);
    free(e);
}

/* Hyndman and Fan's definitions at equal weights: sample quantile (1 - g) x_j + g x_(j+1), written as in their paper. */
static void test_quantile_definitions(void **state)
{
    (void)state;
    static const double shares[] = { 0.05, 0.1, 0.25, 0.3, 1.0 / 3, 0.5, 0.55, 0.75, 0.9, 0.95 };
    static const su_quantile_rule rules[] = { SU_QUANTILE_HF1, SU_QUANTILE_HF2, SU_QUANTILE_HF3, SU_QUANTILE_HF4, SU_QUANTILE_HF5,
                                              SU_QUANTILE_HF6, SU_QUANTILE_HF7, SU_QUANTILE_HF8, SU_QUANTILE_HF9 };
    for (int n = 4; n <= 41; n++) {
        double y[41], sorted[41];
        world v = { 0 };
        su_design_options o = { .stages = 1 };
        su_context_init(&v.ctx);
        for (int i = 0; i < n; i++) sorted[i] = i * i + 0.5;
        for (int i = 0; i < n; i++) y[i] = sorted[n - 1 - i];
        v.frame = su_frame_new((uint64_t)n);
        assert_int_equal(su_design_new(&v.ctx, v.frame, &o, &v.design), SU_OK);
        for (size_t k = 0; k < sizeof shares / sizeof *shares; k++)
            for (int type = 1; type <= 9; type++) {
                double p = shares[k], m = type <= 2   ? 0
                                          : type == 3 ? -0.5
                                          : type == 4 ? 0
                                          : type == 5 ? 0.5
                                          : type == 6 ? p
                                          : type == 7 ? 1 - p
                                          : type == 8 ? (p + 1) / 3
                                                      : p / 4 + 3.0 / 8;
                double at = n * p + m, j = floor(at + 4e-15 * n), g = at - j, share;
                if (fabs(g) < 4e-15 * n) g = 0;
                share = type == 1 ? g > 0 : type == 2 ? (g > 0 ? 1 : 0.5) : type == 3 ? !(g == 0 && fmod(j, 2) == 0) : g;
                double low = sorted[(int)fmin(fmax(j, 1), n) - 1], high = sorted[(int)fmin(fmax(j + 1, 1), n) - 1];
                su_quantile q;
                assert_int_equal(su_design_quantiles(&v.ctx, v.design, y, NULL, 0, rules[type - 1], 0.95, &p, 1, &q), SU_OK);
                char what[60];
                snprintf(what, sizeof what, "type %d, n = %d, p = %g", type, n, p);
                su_reference_near(what, q.estimate, (1 - share) * low + share * high, 1e-9);
            }
        world_free(&v);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lonely),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_properties),
        cmocka_unit_test(test_chunks),
        cmocka_unit_test(test_quantile_definitions),
    };
    return cmocka_run_group_tests_name("designs", tests, load, unload);
}
