/* Effects, predictions and measures against R (logit_fms.json). */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "model.h"
#include "logit/effects.h"
#include "logit/measures.h"
#include "logit/profile.h"
#include "numeric/matrix.h"

#define PREDICTORS "route + sex + age_group + region + conflict + company + duration + cost + edu"

static bool open_model(model *m, const char *formula)
{
    if (!fms_open(&m->data, "statistics/fms_synthetic.csv", "logit_fms.json")) return false;
    model_fit(m, formula, SU_FAMILY_LOGIT);
    return true;
}

static uint32_t atom_of(const model *m, const char *name)
{
    for (uint32_t a = 0; a < m->x->formula->atom_count; a++)
        if (strcmp(m->x->atoms[a].variable->name, name) == 0) return a;
    fail_msg("no %s", name);
    return 0;
}

/* Contrast of a category against its reference, with `others` set beforehand. */
static su_average contrast(model *m, uint32_t atom, uint32_t position, su_setting *settings)
{
    su_average a = su_average_new(m->x->columns), b = su_average_new(m->x->columns);
    su_settings_level(m->x, atom, position, settings);
    su_average_mean(&m->units, m->fit->beta, settings, &a);
    su_settings_level(m->x, atom, m->x->atoms[atom].reference, settings);
    su_average_mean(&m->units, m->fit->beta, settings, &b);
    su_average_subtract(&a, &b, m->x->columns);
    su_average_free(&b);
    return a;
}

static void check(const model *m, const json_t *e, const char *name, su_average *a, const double *v)
{
    char path[32];
    size_t place = fms_place(su_reference_at(e, "names"), name);
    snprintf(path, sizeof path, "ame/%zu", place);
    su_reference_near(name, a->value, su_reference_number(e, path), 1e-8);
    snprintf(path, sizeof path, "se/%zu", place);
    su_reference_near(name, sqrt(su_quadratic(v, a->gradient, m->x->columns)), su_reference_number(e, path), 1e-8);
    su_average_free(a);
}

static void check_effects(model *m, const char *path, const double *v)
{
    const json_t *e = su_reference_at(m->data.expected, path);
    su_setting *settings = su_settings_new(m->x);
    for (uint32_t a = 0; a < m->x->formula->atom_count; a++) {
        const su_predictors_atom *atom = &m->x->atoms[a];
        char name[128];
        for (uint32_t l = 1; atom->factor && l <= atom->level_count; l++) {
            if (l == atom->reference) continue;
            su_average c = contrast(m, a, l, settings);
            snprintf(name, sizeof name, "%s%s", atom->variable->name, atom->names[l - 1]);
            check(m, e, name, &c, v);
        }
        su_settings_clear(m->x, settings);
        if (atom->factor) continue;
        su_average slope = su_average_new(m->x->columns), zero = su_average_new(m->x->columns);
        su_average_slope(&m->units, m->fit->beta, NULL, atom->variable, &slope);
        if (strcmp(path, "interaction/ame") == 0)
            su_average_free(&slope); /* there the stored number leaves the interaction out */
        else
            check(m, e, "conflict_derivative", &slope, v);
        slope = su_average_new(m->x->columns);
        for (int to = 1; to >= 0; to--) {
            assert_int_equal(su_settings_put(&m->data.ctx, m->x, SU_STR("conflict"), su_str_of(to ? "1" : "0"), settings), SU_OK);
            su_average_mean(&m->units, m->fit->beta, settings, to ? &slope : &zero);
        }
        su_average_subtract(&slope, &zero, m->x->columns);
        check(m, e, "conflict_discrete", &slope, v);
        su_average_free(&zero);
        su_settings_clear(m->x, settings);
    }
    free(settings);
}

static void test_average_effects(void **state)
{
    (void)state;
    model m;
    if (!open_model(&m, "any_ind ~ " PREDICTORS)) skip();
    check_effects(&m, "ame/model_vcov", m.fit->bread);
    assert_int_equal(su_frame_find(&m.data.ctx, m.data.frame, SU_STR("site"), &m.input.cluster[0]), SU_OK);
    su_covariance c = su_covariance_new(m.x->columns);
    assert_int_equal(su_covariance_of(&m.data.ctx, &m.input, SU_VARIANCE_HC1, &c), SU_OK);
    check_effects(&m, "ame/cluster_site_HC1", c.v);
    /* margins of region under the cluster variance */
    const json_t *e = su_reference_at(m.data.expected, "predictive_margins_region_clusterHC1");
    su_setting *settings = su_settings_new(m.x);
    for (size_t i = 0; i < 6; i++) {
        char path[32];
        snprintf(path, sizeof path, "levels/%zu", i);
        const char *level = json_string_value(su_reference_at(e, path));
        assert_int_equal(su_settings_put(&m.data.ctx, m.x, SU_STR("region"), su_str_of(level), settings), SU_OK);
        su_average a = su_average_new(m.x->columns);
        su_average_mean(&m.units, m.fit->beta, settings, &a);
        snprintf(path, sizeof path, "p/%zu", i);
        su_reference_near(level, a.value, su_reference_number(e, path), 1e-8);
        snprintf(path, sizeof path, "se/%zu", i);
        su_reference_near(level, sqrt(su_quadratic(c.v, a.gradient, m.x->columns)), su_reference_number(e, path), 1e-8);
        su_average_free(&a);
    }
    free(settings);
    su_covariance_free(&c);
    model_close(&m);
}

static void test_interactions(void **state)
{
    (void)state;
    model m;
    if (!open_model(&m, "any_ind ~ route*(sex + conflict) + age_group + region + company + duration + cost + edu")) skip();
    const json_t *e = su_reference_at(m.data.expected, "interaction"), *names = su_reference_at(e, "names");
    for (uint32_t j = 0; j < m.x->columns; j++) {
        char path[32];
        snprintf(path, sizeof path, "coef/%zu", fms_place(names, m.x->names[j]));
        su_reference_near(m.x->names[j], m.fit->beta[j], su_reference_number(e, path), 1e-8);
    }
    check_effects(&m, "interaction/ame", m.fit->bread);
    su_setting *settings = su_settings_new(m.x);
    static const char *const routes[] = { "EMR", "CMR" };
    for (int r = 0; r < 2; r++) {
        char path[64];
        su_settings_clear(m.x, settings);
        assert_int_equal(su_settings_put(&m.data.ctx, m.x, SU_STR("route"), su_str_of(routes[r]), settings), SU_OK);
        uint32_t sex = atom_of(&m, "sex");
        su_average a = contrast(&m, sex, 3 - m.x->atoms[sex].reference, settings);
        snprintf(path, sizeof path, "ame_sex_at_route/%s/ame", routes[r]);
        su_reference_near(path, a.value, su_reference_number(e, path), 1e-8);
        snprintf(path, sizeof path, "ame_sex_at_route/%s/se", routes[r]);
        su_reference_near(path, sqrt(su_quadratic(m.fit->bread, a.gradient, m.x->columns)), su_reference_number(e, path), 1e-8);
        su_average_free(&a);
    }
    free(settings);
    model_close(&m);
}

static void test_profiles(void **state)
{
    (void)state;
    model m;
    if (!open_model(&m, "any_ind ~ " PREDICTORS)) skip();
    su_setting *settings = su_settings_new(m.x);
    double *gradient = su_alloc_array(m.x->columns, sizeof *gradient);
    for (int i = 0; i < 4; i++) {
        char path[64], text[512] = "", at[32];
        snprintf(at, sizeof at, "profiles/profiles/%d", i + 1);
        const char *key;
        json_t *value, *all = (json_t *)(uintptr_t)su_reference_at(m.data.expected, at);
        size_t n = 0;
        json_object_foreach(all, key, value)
        {
            char number[16];
            snprintf(number, sizeof number, "%d", (int)su_reference_value(value));
            n += (size_t)snprintf(text + n, sizeof text - n, "%s%s=%s", n ? ", " : "", key,
                                  json_is_string(value) ? json_string_value(value) : number);
        }
        uint32_t set;
        const char *last;
        su_settings_clear(m.x, settings);
        if (su_profile_parse(&m.data.ctx, m.x, su_str_of(text), settings, &set, &last) != SU_OK)
            fail_msg("%s: %s", text, m.data.ctx.message);
        assert_true(su_settings_complete(m.x, settings));
        double link = su_profile_link(m.x, m.fit->beta, settings, gradient), se = sqrt(su_quadratic(m.fit->bread, gradient, m.x->columns));
        snprintf(path, sizeof path, "profiles/model_vcov/link/%d", i);
        su_reference_near(path, link, su_reference_number(m.data.expected, path), 1e-8);
        snprintf(path, sizeof path, "profiles/model_vcov/link_se/%d", i);
        su_reference_near(path, se, su_reference_number(m.data.expected, path), 1e-8);
        snprintf(path, sizeof path, "profiles/model_vcov/p/%d", i);
        su_reference_near(path, su_family_mean(SU_FAMILY_LOGIT, link).mu, su_reference_number(m.data.expected, path), 1e-8);
    }
    free(settings);
    free(gradient);
    model_close(&m);
}

static void test_measures(void **state)
{
    (void)state;
    model m;
    if (!open_model(&m, "any_ind ~ " PREDICTORS)) skip();
    su_measures got = su_measures_of(&m.units, m.fit, false);
    su_reference_near("auc", got.auc, su_reference_number(m.data.expected, "logit/auc"), 1e-10);
    su_reference_near("brier", got.brier, su_reference_number(m.data.expected, "logit/brier"), 1e-9);
    su_reference_near("mcfadden", got.mcfadden, su_reference_number(m.data.expected, "logit/mcfadden"), 1e-10);
    su_reference_near("tjur", got.tjur, su_reference_number(m.data.expected, "logit/tjur"), 1e-9);
    su_reference_near("hosmer-lemeshow", got.hosmer_lemeshow, su_reference_number(m.data.expected, "logit/hosmer_lemeshow/chisq"), 1e-8);
    assert_int_equal(got.hosmer_lemeshow_df, 8);
    model_close(&m);
}

/* R interpolates the profile by splines, we find its root: the limits agree to 2e-5 on the scale of the coefficient. */
static void test_profile_intervals(void **state)
{
    (void)state;
    model m;
    if (!open_model(&m, "any_ind ~ " PREDICTORS)) skip();
    const json_t *names = su_reference_at(m.data.expected, "logit/names");
    for (uint32_t j = 0; j < m.x->columns; j += 5) {
        char path[64];
        su_profile p = su_logit_profile_interval(&m.data.ctx, &m.units, m.fit, false, j, 0.95);
        snprintf(path, sizeof path, "logit/or_profile_lo/%zu", fms_place(names, m.x->names[j]));
        su_reference_within(path, p.low, log(su_reference_number(m.data.expected, path)), 2e-5);
        snprintf(path, sizeof path, "logit/or_profile_hi/%zu", fms_place(names, m.x->names[j]));
        su_reference_within(path, p.high, log(su_reference_number(m.data.expected, path)), 2e-5);
    }
    model_close(&m);
}

/* R 4.2.2: glm(any_ind ~ ns(age, 3) + sex, binomial), and ns(age, 4) * sex; epsilon 1e-14. Our columns span the same space. */
static void test_splines(void **state)
{
    (void)state;
    static const struct {
        const char *profile;
        double p, se;
    } want[] = { { "age=15,sex=male", 0.470003381776669, 0.0375133702914386 },
                 { "age=22,sex=male", 0.467465706233829, 0.0173412422357541 },
                 { "age=40,sex=male", 0.452842361444722, 0.0250968865455727 } };
    model m;
    if (!open_model(&m, "any_ind ~ ns(age, 3) + sex")) skip();
    su_reference_near("loglik", m.fit->loglik, -1620.180678499238, 1e-13);
    su_setting *settings = su_settings_new(m.x);
    double *gradient = su_alloc_array(m.x->columns, sizeof *gradient);
    for (size_t i = 0; i < 3; i++) {
        uint32_t set;
        const char *last;
        su_settings_clear(m.x, settings);
        assert_int_equal(su_profile_parse(&m.data.ctx, m.x, su_str_of(want[i].profile), settings, &set, &last), SU_OK);
        double link = su_profile_link(m.x, m.fit->beta, settings, gradient), mu = 1 / (1 + exp(-link));
        su_reference_near(want[i].profile, mu, want[i].p, 1e-9);
        su_reference_near("its error", mu * (1 - mu) * sqrt(su_quadratic(m.fit->bread, gradient, m.x->columns)), want[i].se, 1e-9);
    }
    /* the derivative is that of the column, and beyond the outer knots the curve is straight */
    const double knots[] = { 14, 18, 23, 31, 60 };
    for (unsigned power = 1; power <= 4; power++) {
        for (double x = 10; x < 70; x += 1.7)
            su_reference_within("slope", su_spline_slope(knots, 4, power, x),
                                (su_spline(knots, 4, power, x + 1e-5) - su_spline(knots, 4, power, x - 1e-5)) / 2e-5, 1e-6);
        su_reference_within("straight", su_spline_slope(knots, 4, power, 61), su_spline_slope(knots, 4, power, 90), 1e-9);
        su_reference_within("straight", su_spline_slope(knots, 4, power, 1), su_spline_slope(knots, 4, power, 13), 1e-12);
    }
    free(settings);
    free(gradient);
    model_refit(&m, "any_ind ~ ns(age, 4)*sex", SU_FAMILY_LOGIT);
    su_reference_near("loglik", m.fit->loglik, -1617.929222407501, 1e-13);
    assert_int_equal(m.x->columns, 10);
    model_close(&m);
}

static double whole_term(fms *f, const char *formula, su_logit_variance variance, const char *table, const char *term)
{
    su_logit_options o = { .formula = formula, .variance = variance, .likelihood_ratios = variance == SU_VARIANCE_MODEL };
    su_result *r = NULL;
    double found = NAN;
    if (variance == SU_VARIANCE_HC1 && su_frame_find(&f->ctx, f->frame, SU_STR("site"), &o.cluster[0]) != SU_OK)
        fail_msg("%s", f->ctx.message);
    if (su_logit(&f->ctx, f->frame, &o, &r) != SU_OK) fail_msg("%s", f->ctx.message);
    for (size_t i = 0; i < su_result_rows(r, table); i++)
        if (!strcmp(su_result_get_text(r, table, i, "term"), term)) found = su_result_get(r, table, i, "statistic");
    su_result_free(r);
    return found;
}

/* A spline is tested as one: Wald statistics and likelihood ratios of all its columns, in R 4.2.2 as in test_splines (sandwich's vcovCL
 * for the clusters). */
static void test_spline_terms(void **state)
{
    (void)state;
    fms f;
    if (!fms_open(&f, "statistics/fms_synthetic.csv", NULL)) skip();
    const char *plain = "any_ind ~ ns(age, 3) + sex", *crossed = "any_ind ~ ns(age, 4)*sex";
    su_reference_near("Wald", whole_term(&f, plain, SU_VARIANCE_MODEL, "tests", "ns(age,3)"), 1.84201280531418, 1e-9);
    su_reference_near("ratio", whole_term(&f, plain, SU_VARIANCE_MODEL, "likelihood_ratios", "ns(age,3)"), 1.84628416159558, 1e-9);
    su_reference_near("clusters", whole_term(&f, plain, SU_VARIANCE_HC1, "tests", "ns(age,3)"), 3.20531858020416, 1e-9);
    su_reference_near("Wald", whole_term(&f, crossed, SU_VARIANCE_MODEL, "tests", "ns(age,4):sex"), 3.06105841114048, 1e-9);
    su_reference_near("ratio", whole_term(&f, crossed, SU_VARIANCE_MODEL, "likelihood_ratios", "ns(age,4):sex"), 3.11785478622323, 1e-9);
    assert_true(isnan(whole_term(&f, crossed, SU_VARIANCE_MODEL, "tests", "ns(age,4)1")));
    assert_true(isnan(whole_term(&f, crossed, SU_VARIANCE_MODEL, "likelihood_ratios", "ns(age,4)"))); /* its interaction is there */
    /* a number beside its spline is a term of its own (and follows from it); two splines of one number are two */
    assert_false(isnan(whole_term(&f, "any_ind ~ ns(age, 2) + ns(age, 4)", SU_VARIANCE_MODEL, "tests", "ns(age,2)")));
    fms_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_average_effects), cmocka_unit_test(test_interactions),      cmocka_unit_test(test_profiles),
        cmocka_unit_test(test_measures),        cmocka_unit_test(test_profile_intervals), cmocka_unit_test(test_splines),
        cmocka_unit_test(test_spline_terms),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
