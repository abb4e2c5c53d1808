/* The fit and its variances against R (glm, sandwich, clubSandwich), as stored in logit_fms.json. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "model.h"

#define PREDICTORS "route + sex + age_group + region + conflict + company + duration + cost + edu"

static bool model_open(model *m, const char *formula, su_family family)
{
    if (!fms_open(&m->data, "statistics/fms_synthetic.csv", "logit_fms.json")) return false;
    model_fit(m, formula, family);
    assert_true(m->fit->converged);
    return true;
}

static void compare_coefficients(const model *m, const char *path)
{
    char at[128];
    snprintf(at, sizeof at, "%s/names", path);
    const json_t *names = su_reference_at(m->data.expected, at);
    for (uint32_t j = 0; j < m->x->columns; j++) {
        snprintf(at, sizeof at, "%s/coef/%zu", path, fms_place(names, m->x->names[j]));
        su_reference_near(m->x->names[j], m->fit->kept[j] ? m->fit->beta[j] : NAN, su_reference_number(m->data.expected, at), 1e-8);
    }
}

static void compare_se(const model *m, const char *names_path, const char *path, const su_covariance *c, double tolerance)
{
    const json_t *names = su_reference_at(m->data.expected, names_path);
    char at[128], what[160];
    for (uint32_t j = 0; j < m->x->columns; j++) {
        snprintf(at, sizeof at, "%s/%zu", path, fms_place(names, m->x->names[j]));
        snprintf(what, sizeof what, "%s of %s", path, m->x->names[j]);
        su_reference_near(what, sqrt(c->v[(size_t)j * m->x->columns + j]), su_reference_number(m->data.expected, at), tolerance);
    }
}

static void check_variance(model *m, su_logit_variance kind, const char *path)
{
    su_covariance c = su_covariance_new(m->x->columns);
    if (su_covariance_of(&m->data.ctx, &m->input, kind, &c) != SU_OK) fail_msg("%s: %s", path, m->data.ctx.message);
    compare_se(m, "logit/names", path, &c, 1e-8);
    su_covariance_free(&c);
}

static void test_logit(void **state)
{
    (void)state;
    model m;
    if (!model_open(&m, "any_ind ~ " PREDICTORS, SU_FAMILY_LOGIT)) skip();
    compare_coefficients(&m, "logit");
    su_reference_near("loglik", m.fit->loglik, su_reference_number(m.data.expected, "logit/loglik"), 1e-12);
    su_reference_near("deviance", m.fit->deviance, su_reference_number(m.data.expected, "logit/deviance"), 1e-12);
    su_reference_near("null deviance", m.fit->null_deviance, su_reference_number(m.data.expected, "logit/null_deviance"), 1e-12);
    assert_true(m.fit->moved < 1e-5);
    check_variance(&m, SU_VARIANCE_DEFAULT, "logit/se");
    check_variance(&m, SU_VARIANCE_HC0, "robust/HC0");
    check_variance(&m, SU_VARIANCE_HC1, "robust/HC1");
    check_variance(&m, SU_VARIANCE_HC2, "robust/HC2");
    check_variance(&m, SU_VARIANCE_HC3, "robust/HC3");
    m.input.units = &m.units;
    check_variance(&m, SU_VARIANCE_HC0, "robust/HC0");
    check_variance(&m, SU_VARIANCE_HC1, "robust/HC1");
    model_close(&m);
}

static void cluster_by(model *m, const char *first, const char *second)
{
    const char *names[2] = { first, second };
    for (int i = 0; i < 2; i++) {
        m->input.cluster[i] = NULL;
        if (!names[i]) continue;
        assert_int_equal(su_frame_find(&m->data.ctx, m->data.frame, su_str_of(names[i]), &m->input.cluster[i]), SU_OK);
        assert_int_equal(su_frame_as_factor(&m->data.ctx, m->data.frame, m->input.cluster[i], &m->input.cluster[i]), SU_OK);
    }
}

static void test_clusters(void **state)
{
    (void)state;
    model m;
    if (!model_open(&m, "any_ind ~ " PREDICTORS, SU_FAMILY_LOGIT)) skip();
    cluster_by(&m, "site", NULL);
    check_variance(&m, SU_VARIANCE_HC0, "robust/CL_site_HC0_cadjust");
    check_variance(&m, SU_VARIANCE_HC1, "robust/CL_site_HC1");
    static const struct {
        su_logit_variance kind;
        const char *name;
    } cr[] = { { SU_VARIANCE_CR0, "CR0" },
               { SU_VARIANCE_CR1, "CR1" },
               { SU_VARIANCE_CR1S, "CR1S" },
               { SU_VARIANCE_CR2, "CR2" },
               { SU_VARIANCE_CR3, "CR3" } };
    for (size_t i = 0; i < sizeof cr / sizeof *cr; i++) {
        char path[64];
        su_covariance c = su_covariance_new(m.x->columns);
        assert_int_equal(su_covariance_of(&m.data.ctx, &m.input, cr[i].kind, &c), SU_OK);
        snprintf(path, sizeof path, "clubSandwich/%s/se", cr[i].name);
        compare_se(&m, "logit/names", path, &c, 1e-8);
        for (uint32_t j = 0; j < m.x->columns; j++) {
            size_t place = fms_place(su_reference_at(m.data.expected, "logit/names"), m.x->names[j]);
            snprintf(path, sizeof path, "clubSandwich/%s/df_satt/%zu", cr[i].name, place);
            su_reference_near(path, c.df[j], su_reference_number(m.data.expected, path), 1e-8);
        }
        su_covariance_free(&c);
    }
    cluster_by(&m, "site", "quarter");
    su_covariance c = su_covariance_new(m.x->columns);
    su_covariance_two_way(&m.input, SU_VARIANCE_HC0, c.v, c.clusters);
    compare_se(&m, "logit/names", "robust/CL_site_x_quarter_twoway_HC0", &c, 1e-8);
    su_covariance_free(&c);
    model_close(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_logit),
        cmocka_unit_test(test_clusters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
