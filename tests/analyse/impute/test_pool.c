/* Rubin's rules against mice 3.15's numbers on fixed completions. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <suha/impute.h>
#include <suha/logit.h>

#include "analyse/reference.h"

static void scalar(void **state)
{
    (void)state;
    json_t *r = su_reference("multiple_imputation.json");
    if (!r) skip();
    double q[5], u[5];
    for (size_t i = 0; i < 5; i++) {
        q[i] = su_reference_value(json_array_get(su_reference_at(r, "scalar/Q"), i));
        u[i] = su_reference_value(json_array_get(su_reference_at(r, "scalar/U"), i));
    }
    su_pooled p = su_pool(q, u, 5, 249); /* n = 250, one parameter */
    su_reference_near("qbar", p.estimate, su_reference_number(r, "scalar/qbar"), 1e-9);
    su_reference_near("ubar", p.within, su_reference_number(r, "scalar/ubar"), 1e-9);
    su_reference_near("t", p.total, su_reference_number(r, "scalar/t"), 1e-9);
    su_reference_near("b", p.between, su_reference_number(r, "scalar/b"), 1e-9);
    su_reference_near("r", p.riv, su_reference_number(r, "scalar/r"), 1e-9);
    su_reference_near("df", p.df, su_reference_number(r, "scalar/df"), 1e-9);
    su_reference_near("fmi", p.fmi, su_reference_number(r, "scalar/fmi"), 1e-9);
    p = su_pool(q, u, 5, INFINITY);
    su_reference_near("df", p.df, su_reference_number(r, "scalar_inf/df"), 1e-9);
    su_reference_near("fmi", p.fmi, su_reference_number(r, "scalar_inf/fmi"), 1e-9);
    json_decref(r);
}

static void nhanes(void **state)
{
    (void)state;
    json_t *r = su_reference("multiple_imputation.json");
    if (!r) skip();
    for (size_t j = 0; j < 3; j++) {
        double q[5], u[5];
        char at[96];
        for (size_t i = 0; i < 5; i++) {
            snprintf(at, sizeof at, "nhanes_lm/per_imputation/%zu/coef/%zu", i, j);
            q[i] = su_reference_number(r, at);
            snprintf(at, sizeof at, "nhanes_lm/per_imputation/%zu/se/%zu", i, j);
            u[i] = su_reference_number(r, at) * su_reference_number(r, at);
        }
        su_pooled p = su_pool(q, u, 5, 22);
        const struct {
            const char *key;
            double got;
        } all[] = { { "qbar", p.estimate }, { "ubar", p.within }, { "b", p.between },     { "t", p.total },
                    { "df", p.df },         { "riv", p.riv },     { "lambda", p.lambda }, { "fmi", p.fmi } };
        for (size_t k = 0; k < sizeof all / sizeof *all; k++) {
            snprintf(at, sizeof at, "nhanes_lm/%s/%zu", all[k].key, j);
            su_reference_near(at, all[k].got, su_reference_number(r, at), 1e-9);
        }
        p = su_pool(q, u, 5, INFINITY);
        snprintf(at, sizeof at, "nhanes_mitools_df_inf/df/%zu", j);
        su_reference_near(at, p.df, su_reference_number(r, at), 1e-9);
        snprintf(at, sizeof at, "nhanes_mitools_df_inf/coef/%zu", j);
        su_reference_near(at, p.estimate, su_reference_number(r, at), 1e-9);
        snprintf(at, sizeof at, "nhanes_mitools_df_inf/vcov/%zu/%zu", j, j);
        su_reference_near(at, p.total, su_reference_number(r, at), 1e-9);
        snprintf(at, sizeof at, "nhanes_mitools_df_inf/missinfo/%zu", j);
        su_reference_near(at, p.fmi, su_reference_number(r, at), 1e-9);
    }
    json_decref(r);
}

static su_result *pooled_file(const char *file, const char *formula, bool linear, const char *test)
{
    char name[128];
    su_context ctx;
    su_raw_table *raw = NULL;
    su_frame *f = NULL;
    su_pool_options o = { .formula = formula, .linear = linear, .tests = &test, .test_count = test != NULL, .level = 0.95 };
    snprintf(name, sizeof name, "statistics/%s", file);
    const char *path = su_test_shared(name);
    if (!path) return NULL;
    su_context_init(&ctx);
    assert_int_equal(su_table_read(&ctx, path, NULL, &raw), SU_OK);
    assert_int_equal(su_frame_of_table(&ctx, raw, NULL, &f), SU_OK);
    assert_int_equal(su_frame_find(&ctx, f, SU_STR(".imp"), &o.imputation), SU_OK);
    su_result *out = su_result_new("pool", "");
    if (su_pool_formula(&ctx, f, &o, out)) fail_msg("%s", ctx.message);
    su_frame_free(f);
    su_raw_table_free(raw);
    return out;
}

/* R's names of these terms are ours without blanks and signs; numbers as categories have another first level. */
static void complete_cases(const json_t *r)
{
    const char *path = su_test_shared("statistics/mi_fms400.csv");
    su_context ctx;
    su_raw_table *raw = NULL;
    su_frame *f = NULL;
    su_result *out = NULL;
    su_logit_options o = { .formula = "any_ind ~ factor(route, ref=EMR) + sex + age + factor(conflict) + months + edu" };
    if (!path) return;
    su_context_init(&ctx);
    assert_int_equal(su_table_read(&ctx, path, NULL, &raw), SU_OK);
    assert_int_equal(su_frame_of_table(&ctx, raw, NULL, &f), SU_OK);
    if (su_logit(&ctx, f, &o, &out)) fail_msg("%s", ctx.message);
    su_reference_near("n", su_result_get_fact(out, "n"), su_reference_number(r, "fms400_complete_case/n"), 0);
    for (size_t j = 0; j < 9; j++) {
        char at[64];
        snprintf(at, sizeof at, "fms400_complete_case/coef/%zu", j);
        su_reference_near(at, su_result_get(out, "coefficients", j, "estimate"), su_reference_number(r, at), 1e-8);
        snprintf(at, sizeof at, "fms400_complete_case/se/%zu", j);
        su_reference_near(at, su_result_get(out, "coefficients", j, "se"), su_reference_number(r, at),
                          1e-5); /* R's glm at its default tolerance: of the weights of the step before the last */
    }
    su_result_free(out);
    su_frame_free(f);
    su_raw_table_free(raw);
}

static void fits_and_pools(void **state)
{
    (void)state;
    json_t *r = su_reference("multiple_imputation.json");
    su_result *out = pooled_file("mi_nhanes_imputed_m5.csv", "bmi ~ age + chl", true, "chl");
    if (!r || !out) skip();
    for (size_t j = 0; j < 3; j++) {
        char at[64];
        snprintf(at, sizeof at, "nhanes_lm/qbar/%zu", j);
        su_reference_near(at, su_result_get(out, "coefficients", j, "estimate"), su_reference_number(r, at), 1e-9);
        snprintf(at, sizeof at, "nhanes_lm/df/%zu", j);
        su_reference_near(at, su_result_get(out, "coefficients", j, "df"), su_reference_number(r, at), 1e-9);
    }
    su_reference_near("D1 F", su_result_get(out, "tests", 0, "f"), su_reference_number(r, "D1_test/F.value"), 1e-9);
    su_reference_near("D1 df1", su_result_get(out, "tests", 0, "df1"), su_reference_number(r, "D1_test/df1"), 0);
    su_reference_near("D1 df2", su_result_get(out, "tests", 0, "df2"), su_reference_number(r, "D1_test/df2"), 1e-9);
    su_reference_near("D1 p", su_result_get(out, "tests", 0, "p"), su_reference_number(r, "D1_test/P(>F)"), 1e-8);
    su_reference_near("D1 riv", su_result_get(out, "tests", 0, "riv"), su_reference_number(r, "D1_test/RIV"), 1e-9);
    su_result_free(out);
    /* our references are the first level, mice's file has CMR as the second: rows in another order, signs as they are */
    out = pooled_file("mi_fms400_imputed_m5.csv", "any_ind ~ factor(route, ref=EMR) + sex + age + factor(conflict) + months + edu", false,
                      NULL);
    assert_non_null(out);
    for (size_t j = 0; j < 9; j++) {
        char at[64];
        snprintf(at, sizeof at, "fms400_logit/qbar/%zu", j);
        su_reference_near(at, su_result_get(out, "coefficients", j, "estimate"), su_reference_number(r, at), 1e-8);
        snprintf(at, sizeof at, "fms400_logit/t/%zu", j);
        double se = su_result_get(out, "coefficients", j, "se");
        su_reference_near(at, se * se, su_reference_number(r, at), 1e-8);
        static const char *const keys[] = { "ubar", "b", "riv", "lambda" };
        double lambda = su_result_get(out, "coefficients", j, "lambda"), b = lambda * se * se / 1.2; /* m = 5 */
        double got[] = { se * se - 1.2 * b, b, lambda / (1 - lambda), lambda };
        for (size_t k = 0; k < 4; k++) {
            snprintf(at, sizeof at, "fms400_logit/%s/%zu", keys[k], j);
            su_reference_near(at, got[k], su_reference_number(r, at), 1e-8);
        }
        snprintf(at, sizeof at, "fms400_logit/df/%zu", j);
        su_reference_near(at, su_result_get(out, "coefficients", j, "df"), su_reference_number(r, at), 1e-8);
        snprintf(at, sizeof at, "fms400_logit/fmi/%zu", j);
        su_reference_near(at, su_result_get(out, "coefficients", j, "fmi"), su_reference_number(r, at), 1e-8);
    }
    su_result_free(out);
    /* listwise: the rows that are complete in the incomplete original */
    complete_cases(r);
    json_decref(r);
}

/* No variance between completions: nothing was missing, T = U, df = Barnard and Rubin's observed ones. */
static void nothing_missing(void **state)
{
    (void)state;
    double q[3] = { 2, 2, 2 }, u[3] = { 0.25, 0.25, 0.25 };
    su_pooled p = su_pool(q, u, 3, 40);
    assert_true(p.total == 0.25 && p.lambda == 0 && fabs(p.df - 41.0 / 43 * 40) < 1e-12);
    assert_true(isinf(su_pool(q, u, 3, INFINITY).df));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scalar),
        cmocka_unit_test(nhanes),
        cmocka_unit_test(fits_and_pools),
        cmocka_unit_test(nothing_missing),
    };
    return cmocka_run_group_tests_name("pool", tests, NULL, NULL);
}
