/* su_logit from formula to tables, against R: families, fixed effects, survey designs; and what it refuses. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "fms.h"

#define PREDICTORS "route + sex + age_group + region + conflict + company + duration + cost + edu"

static su_logit_options defaults(const fms *f, const char *formula)
{
    return (su_logit_options) { .formula = formula, .references = f->references, .reference_count = f->reference_count };
}

static su_result *run(fms *f, const su_logit_options *o)
{
    su_result *r;
    if (su_logit(&f->ctx, f->frame, o, &r) != SU_OK) fail_msg("%s", f->ctx.message);
    return r;
}

/* A column of the coefficients table against an array of the reference, by name. */
static void compare(const su_result *r, const char *column, const json_t *names, const json_t *expected, double tolerance)
{
    size_t n = su_result_rows(r, "coefficients");
    assert_true(n > 0);
    for (size_t i = 0; i < n; i++) {
        const char *term = su_result_get_text(r, "coefficients", i, "term");
        const json_t *want = json_array_get(expected, fms_place(names, term));
        char what[160];
        snprintf(what, sizeof what, "%s of %s", column, term);
        su_reference_near(what, su_result_get(r, "coefficients", i, column), su_reference_value(want),
                          tolerance);
    }
}

static const su_variable *variable(fms *f, const char *name, bool factor)
{
    const su_variable *v;
    assert_int_equal(su_frame_find(&f->ctx, f->frame, su_str_of(name), &v), SU_OK);
    if (factor) assert_int_equal(su_frame_as_factor(&f->ctx, f->frame, v, &v), SU_OK);
    return v;
}

static void test_families(void **state)
{
    (void)state;
    fms f;
    if (!fms_open(&f, "statistics/fms_synthetic.csv", "logit_fms.json")) skip();
    const json_t *names = su_reference_at(f.expected, "logit/names");
    su_logit_options o = defaults(&f, "any_ind ~ " PREDICTORS);
    static const struct {
        su_family family;
        su_logit_variance variance;
        bool cluster;
        const char *coef, *se;
    } cases[] = {
        { SU_FAMILY_POISSON, SU_VARIANCE_DEFAULT, false, "modified_poisson/coef", "modified_poisson/se_HC0" },
        { SU_FAMILY_POISSON, SU_VARIANCE_HC1, true, "modified_poisson/coef", "modified_poisson/se_cl_HC1" },
        { SU_FAMILY_LINEAR, SU_VARIANCE_DEFAULT, false, "lpm/coef", "lpm/se_HC1" },
        { SU_FAMILY_LINEAR, SU_VARIANCE_HC3, false, "lpm/coef", "lpm/se_HC3" },
        { SU_FAMILY_LINEAR, SU_VARIANCE_HC1, true, "lpm/coef", "lpm/se_cl_HC1" },
        { SU_FAMILY_PROBIT, SU_VARIANCE_DEFAULT, false, "probit/coef", "probit/se" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        o.family = cases[i].family;
        o.variance = cases[i].variance;
        o.cluster[0] = cases[i].cluster ? variable(&f, "site", true) : NULL;
        su_result *r = run(&f, &o);
        double tolerance = cases[i].family == SU_FAMILY_PROBIT ? 1e-6 : 1e-8; /* R's probit stops at a gain of 1e-8 in the deviance */
        compare(r, "estimate", names, su_reference_at(f.expected, cases[i].coef), tolerance);
        compare(r, "se", names, su_reference_at(f.expected, cases[i].se), tolerance);
        if (cases[i].family == SU_FAMILY_PROBIT)
            su_reference_near("loglik", su_result_get_fact(r, "loglik"), su_reference_number(f.expected, "probit/loglik"), 1e-10);
        su_result_free(r);
    }
    fms_close(&f);
}

static void test_report(void **state)
{
    (void)state;
    fms f;
    if (!fms_open(&f, "statistics/fms_synthetic.csv", "logit_fms.json")) skip();
    const json_t *names = su_reference_at(f.expected, "logit/names");
    su_logit_options o = defaults(&f, "any_ind ~ " PREDICTORS);
    su_result *r = run(&f, &o);
    compare(r, "odds_ratio", names, su_reference_at(f.expected, "logit/or"), 1e-8);
    compare(r, "low", names, su_reference_at(f.expected, "logit/or_wald_lo"), 1e-8);
    compare(r, "high", names, su_reference_at(f.expected, "logit/or_wald_hi"), 1e-8);
    compare(r, "p", names, su_reference_at(f.expected, "logit/p"), 1e-6);
    su_reference_near("aic", su_result_get_fact(r, "aic"), su_reference_number(f.expected, "logit/aic"), 1e-10);
    su_reference_near("bic", su_result_get_fact(r, "bic"), su_reference_number(f.expected, "logit/bic"), 1e-10);
    assert_true(su_result_get_fact(r, "n") == 2400);
    su_result_free(r);
    o.profile = true;
    r = run(&f, &o);
    for (size_t i = 0; i < su_result_rows(r, "likelihood_ratios"); i++) {
        if (strcmp(su_result_get_text(r, "likelihood_ratios", i, "term"), "region") != 0) continue;
        su_reference_near("likelihood ratio of region", su_result_get(r, "likelihood_ratios", i, "statistic"),
                          su_reference_number(f.expected, "tests/lr_region/chisq"), 1e-8);
        su_reference_near("its df", su_result_get(r, "likelihood_ratios", i, "df"), su_reference_number(f.expected, "tests/lr_region/df"), 0);
        su_reference_near("its p", su_result_get(r, "likelihood_ratios", i, "p"), su_reference_number(f.expected, "tests/lr_region/p"),
                          1e-8);
    }
    assert_int_equal(su_result_rows(r, "likelihood_ratios"), 9);
    su_result_free(r);
    o.profile = false;
    o.cluster[0] = variable(&f, "site", true);
    o.variance = SU_VARIANCE_HC1;
    r = run(&f, &o);
    for (size_t i = 0; i < su_result_rows(r, "tests"); i++) {
        if (strcmp(su_result_get_text(r, "tests", i, "term"), "region") != 0) continue;
        su_reference_near("Wald test of region", su_result_get(r, "tests", i, "statistic"),
                          su_reference_number(f.expected, "tests/wald_region_cluster/chisq"), 1e-8);
        su_reference_near("its df", su_result_get(r, "tests", i, "df1"), su_reference_number(f.expected, "tests/wald_region_cluster/df"), 0);
        su_reference_near("its p", su_result_get(r, "tests", i, "p"), su_reference_number(f.expected, "tests/wald_region_cluster/p"), 1e-7);
    }
    su_result_free(r);
    fms_close(&f);
}

static void test_fixed_effects(void **state)
{
    (void)state;
    fms f;
    if (!fms_open(&f, "statistics/fms_synthetic.csv", "logit_fms.json")) skip();
    su_logit_options o = defaults(&f, "any_ind ~ " PREDICTORS " + country");
    su_result *r = run(&f, &o);
    compare(r, "estimate", su_reference_at(f.expected, "fixed_effects_aliased/names"),
            su_reference_at(f.expected, "fixed_effects_aliased/coef"), 1e-8);
    assert_true(su_result_has_warning(r, "W_ALIASED"));
    assert_true(su_result_get_fact(r, "columns") == 29);
    su_result_free(r);
    su_logit_reference references[16];
    size_t n = 0;
    for (size_t i = 0; i < f.reference_count; i++)
        if (strcmp(f.references[i].variable, "route") != 0) references[n++] = f.references[i];
    o = (su_logit_options) { .formula = "any_ind ~ . - id - site - quarter - age - months - n_ind - weight - route",
                             .references = references,
                             .reference_count = n,
                             .cluster = { variable(&f, "site", true) },
                             .variance = SU_VARIANCE_HC1 };
    r = run(&f, &o);
    compare(r, "estimate", su_reference_at(f.expected, "fixed_effects/names"), su_reference_at(f.expected, "fixed_effects/coef"), 1e-8);
    compare(r, "se", su_reference_at(f.expected, "fixed_effects/names"), su_reference_at(f.expected, "fixed_effects/se_cl_site_HC1"), 1e-8);
    su_reference_near("loglik", su_result_get_fact(r, "loglik"), su_reference_number(f.expected, "fixed_effects/loglik"), 1e-10);
    su_result_free(r);
    fms_close(&f);
}

static void test_survey_fms(void **state)
{
    (void)state;
    fms f;
    if (!fms_open(&f, "statistics/fms_synthetic.csv", "logit_fms.json")) skip();
    su_design_options d = { .weight = variable(&f, "weight", false),
                            .strata = { variable(&f, "country", true) },
                            .psu = { variable(&f, "site", true) },
                            .stages = 1 };
    su_design *design;
    if (su_design_new(&f.ctx, f.frame, &d, &design) != SU_OK) fail_msg("%s", f.ctx.message);
    su_logit_options o = defaults(&f, "any_ind ~ " PREDICTORS);
    o.design = design;
    o.effects = true;
    su_result *r = run(&f, &o);
    const json_t *e = su_reference_at(f.expected, "svyglm"), *ame = su_reference_at(e, "ame_weighted");
    compare(r, "estimate", su_reference_at(e, "names"), su_reference_at(e, "coef"), 1e-8);
    compare(r, "se", su_reference_at(e, "names"), su_reference_at(e, "se"), 1e-8);
    assert_true(su_result_get(r, "coefficients", 0, "df") == su_reference_number(e, "df_resid"));
    for (size_t i = 0; i < su_result_rows(r, "effects"); i++) {
        if (strcmp(su_result_get_text(r, "effects", i, "variable"), "route") != 0) continue;
        su_reference_near("effect of route", su_result_get(r, "effects", i, "effect"), su_reference_number(ame, "ame/0"), 1e-8);
        su_reference_near("its SE", su_result_get(r, "effects", i, "se"), su_reference_number(ame, "se/0"), 1e-8);
    }
    su_result_free(r);
    su_design_free(design);
    fms_close(&f);
}

/* ---- without shared files ------------------------------------------------------------------------------------------------------------ */

enum { N = 240 };
static double outcome[N], age[N], weight[N], copy[N], constant[N];
static uint32_t route[N], sex[N], site[N], pair[N];

static su_frame *people(void)
{
    static const char *const routes[] = { "CMR", "EMR" }, *const sexes[] = { "female", "male" }, *const pairs[] = { "one", "two" };
    static char names[12][4];
    static const char *sites[12];
    su_random r;
    su_test_random(&r);
    for (int s = 0; s < 12; s++) {
        snprintf(names[s], sizeof names[s], "s%d", s);
        sites[s] = names[s];
    }
    for (int i = 0; i < N; i++) {
        route[i] = (uint32_t)su_random_below(&r, 2) + 1;
        sex[i] = (uint32_t)su_random_below(&r, 2) + 1;
        site[i] = (uint32_t)(i % 12) + 1;
        pair[i] = (uint32_t)(i % 2) + 1;
        age[i] = (double)su_random_below(&r, 40) + 14;
        outcome[i] = su_random_below(&r, 10) < (route[i] == 1 ? 7 : 3);
        weight[i] = 1 + i % 3;
        copy[i] = 2 * age[i] - 3;
        constant[i] = 1;
    }
    su_frame *f = su_frame_new(N);
    su_frame_add_number(f, "y", outcome);
    su_frame_add_number(f, "age", age);
    su_frame_add_number(f, "weight", weight);
    su_frame_add_number(f, "copy", copy);
    su_frame_add_number(f, "always", constant);
    su_frame_add_factor(f, "route", route, routes, 2);
    su_frame_add_factor(f, "sex", sex, sexes, 2);
    su_frame_add_factor(f, "site", site, sites, 12);
    su_frame_add_factor(f, "pair", pair, pairs, 2);
    return f;
}

static void refused(su_frame *f, su_logit_options o, su_status status, const char *words)
{
    su_context ctx;
    su_result *r = NULL;
    su_context_init(&ctx);
    su_status st = su_logit(&ctx, f, &o, &r);
    if (st != status || !strstr(ctx.message, words))
        fail_msg("'%s': status %d, message: %s\nexpected %d and: %s", o.formula, st, ctx.message, status, words);
    assert_null(r);
}

static void test_refusals(void **state)
{
    (void)state;
    su_frame *f = people();
    const su_variable *sites, *pairs, *weights;
    su_context ctx;
    su_context_init(&ctx);
    assert_int_equal(su_frame_find(&ctx, f, SU_STR("site"), &sites), SU_OK);
    assert_int_equal(su_frame_find(&ctx, f, SU_STR("pair"), &pairs), SU_OK);
    assert_int_equal(su_frame_find(&ctx, f, SU_STR("weight"), &weights), SU_OK);
#define MODEL(text, ...) (su_logit_options) { .formula = text, __VA_ARGS__ }
    refused(f, MODEL("y ~ age + + route"), SU_USAGE, "^");
    refused(f, MODEL("y ~ rotue"), SU_INPUT, "did you mean 'route'");
    refused(f, MODEL("y ~ factor(route, ref=CMX)"), SU_INPUT, "did you mean 'CMR'");
    refused(f, MODEL("always ~ age"), SU_INPUT, "the outcome is constant: all 240 rows used are 1");
    refused(f, MODEL("age ~ route"), SU_INPUT, "the outcome must be 0 or 1");
    refused(f, MODEL("y ~ log(copy) + sqrt(weight) + log(route)"), SU_INPUT, "has categories");
    refused(f, MODEL("y ~ age", .cluster = { pairs }, .variance = SU_VARIANCE_HC1), SU_REFUSED, "pair has 2 clusters");
    refused(f, MODEL("y ~ age", .variance = SU_VARIANCE_CR2), SU_USAGE, "needs clusters");
    refused(f, MODEL("y ~ age", .conditional = sites, .firth = true), SU_USAGE, "--conditional is for the logit alone");
    refused(f, MODEL("y ~ age", .median = true, .firth = true), SU_USAGE, "--median is for the logit alone");
    refused(f, MODEL("y ~ age", .likelihood_ratios = true, .random = sites), SU_USAGE, "do not go with --random");
    refused(f, MODEL("y ~ age", .weight = weights, .firth = true), SU_USAGE, "--firth is for the logit alone");
    static const char *const person[] = { "id=17" }, *const nobody[] = { "route=Mars" }, *const broken[] = { "route" },
                             *const alone[] = { "route=CMR" };
    static const char *const refuse[] = { "route" };
    refused(f, MODEL("y ~ age + route", .profiles = person, .profile_count = 1), SU_INPUT, "never for a person");
    refused(f, MODEL("y ~ age + route", .profiles = nobody, .profile_count = 1), SU_INPUT, "No row used has the category 'Mars' of route");
    refused(f, MODEL("y ~ age + route", .profiles = broken, .profile_count = 1), SU_USAGE, "VARIABLE=VALUE is expected");
    refused(f, MODEL("y ~ age + route", .profiles = alone, .profile_count = 1, .refuse_alone = refuse, .refuse_alone_count = 1), SU_REFUSED,
            "from route alone is refused");
    weight[7] = -1;
    refused(f, MODEL("y ~ age", .weight = weights), SU_INPUT, "Row 8: the weight is -1");
    for (int i = 0; i < N; i++) weight[i] = 0;
    refused(f, MODEL("y ~ age", .weight = weights), SU_INPUT, "All weights are 0");
    for (int i = 0; i < N; i++) age[i] = NAN;
    refused(f, MODEL("y ~ age"), SU_INPUT, "No row has a value for every variable");
    su_frame_free(f);
}

static void test_aliased(void **state)
{
    (void)state;
    su_frame *f = people();
    fms g = { .frame = f };
    su_context_init(&g.ctx);
    su_logit_options o = { .formula = "y ~ age + copy + route" };
    su_result *r = run(&g, &o);
    assert_true(su_result_has_warning(r, "W_ALIASED"));
    assert_string_equal(su_result_get_text(r, "coefficients", 2, "term"), "copy");
    assert_string_equal(su_result_get_text(r, "coefficients", 2, "note"), "left out: follows from the columns before it");
    assert_true(isnan(su_result_get(r, "coefficients", 2, "estimate")));
    su_result_free(r);
    su_frame_free(f);
}

/* Everyone on one route has the outcome: its odds ratio is infinite, and the others are those of the other route alone. */
static void test_separated(void **state)
{
    (void)state;
    su_frame *f = people();
    fms g = { .frame = f };
    su_context_init(&g.ctx);
    for (int i = 0; i < N; i++)
        if (route[i] == 2) outcome[i] = 1;
    su_logit_options o = { .formula = "y ~ age + sex + route" };
    su_result *r = run(&g, &o);
    assert_true(su_result_has_warning(r, "W_SEPARATION"));
    assert_string_equal(su_result_get_text(r, "coefficients", 3, "term"), "route=EMR");
    assert_string_equal(su_result_get_text(r, "coefficients", 3, "note"), "infinite (separation)");
    double both[3];
    for (size_t i = 0; i < 3; i++) both[i] = su_result_get(r, "coefficients", i, "estimate");
    su_result_free(r);
    for (int i = 0; i < N; i++)
        if (route[i] == 2) outcome[i] = NAN;
    o.formula = "y ~ age + sex";
    r = run(&g, &o);
    for (size_t i = 0; i < 3; i++) su_reference_near("left", both[i], su_result_get(r, "coefficients", i, "estimate"), 1e-9);
    su_result_free(r);
    for (int i = 0; i < N; i++)
        if (route[i] == 2) outcome[i] = 1;
    o = (su_logit_options) { .formula = "y ~ age + sex + route", .firth = true };
    r = run(&g, &o);
    assert_true(isfinite(su_result_get(r, "coefficients", 3, "estimate")));
    assert_true(su_result_get(r, "coefficients", 3, "p") < 1e-6);
    su_result_free(r);
    su_frame_free(f);
}

/* Weights scaled by a constant change nothing; a weight of two is two rows; the rows' order does not matter. */
static void test_invariance(void **state)
{
    (void)state;
    su_frame *f = people();
    fms g = { .frame = f };
    su_context_init(&g.ctx);
    const su_variable *weights;
    assert_int_equal(su_frame_find(&g.ctx, f, SU_STR("weight"), &weights), SU_OK);
    su_logit_options o = { .formula = "y ~ I(age^2) + sex*route", .weight = weights };
    su_result *a = run(&g, &o);
    for (int i = 0; i < N; i++) weight[i] *= 7.5;
    su_result *b = run(&g, &o);
    for (size_t i = 0; i < su_result_rows(a, "coefficients"); i++) {
        su_reference_near("estimate", su_result_get(b, "coefficients", i, "estimate"), su_result_get(a, "coefficients", i, "estimate"),
                          1e-9);
        su_reference_near("se", su_result_get(b, "coefficients", i, "se"), su_result_get(a, "coefficients", i, "se"), 1e-9);
    }
    su_result_free(a);
    su_result_free(b);
    su_frame_free(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_families),   cmocka_unit_test(test_report),     cmocka_unit_test(test_fixed_effects),
        cmocka_unit_test(test_survey_fms), cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_aliased),    cmocka_unit_test(test_separated),  cmocka_unit_test(test_invariance),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
