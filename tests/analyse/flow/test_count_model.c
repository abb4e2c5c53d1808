/* Count regression against R's glm, MASS::glm.nb and sandwich, and its refusals. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <suha/flow.h>

#include "analyse/flow/arrivals.h"

typedef struct problem {
    arrivals a;
    double x[ARRIVALS_MOST * 5], offset[ARRIVALS_MOST];
    su_counts_design design;
} problem;

static bool problem_read(problem *p)
{
    if (!arrivals_read(&p->a)) return false;
    for (size_t i = 0; i < p->a.n; i++) {
        arrivals_row(p->a.t[i], p->a.month[i], p->a.post[i], p->x + 5 * i);
        p->offset[i] = log(p->a.days[i]);
    }
    p->design = (su_counts_design) { p->a.count, p->x, p->offset, NULL, p->a.n, 5 };
    return true;
}

static su_counts_fit *fit(const su_counts_design *d, su_counts_family family, su_counts_errors errors, unsigned lag)
{
    su_context ctx;
    su_context_init(&ctx);
    su_counts_options o = { family, errors, lag };
    su_counts_fit *f = NULL;
    if (su_counts_fit_new(&ctx, d, &o, &f)) fail_msg("%s", ctx.message);
    return f;
}

static void check_errors(const json_t *r, const char *path, const problem *p, su_counts_errors errors, unsigned lag)
{
    su_counts_fit *f = fit(&p->design, SU_COUNT_POISSON, errors, lag);
    for (size_t j = 0; j < 5; j++) {
        char at[64];
        snprintf(at, sizeof at, "poisson/%s/%zu", path, j);
        su_reference_near(at, sqrt(f->covariance[j * 5 + j]), su_reference_number(r, at), 1e-7);
    }
    su_counts_fit_free(f);
}

static void poisson(void **state)
{
    (void)state;
    problem p;
    json_t *r = su_reference("trend_flow.json");
    if (!r || !problem_read(&p)) skip();
    su_counts_fit *f = fit(&p.design, SU_COUNT_POISSON, SU_ERRORS_MODEL, 0);
    for (size_t j = 0; j < 5; j++) {
        char at[64];
        snprintf(at, sizeof at, "poisson/coef/%zu", j);
        su_reference_near(at, f->coefficients[j], su_reference_number(r, at), 1e-7);
    }
    su_reference_near("phi", f->dispersion, su_reference_number(r, "poisson/phi"), 1e-7);
    su_reference_near("deviance", f->deviance, su_reference_number(r, "poisson/deviance"), 1e-7);
    su_reference_near("aic", f->aic, su_reference_number(r, "poisson/aic"), 1e-7);
    su_reference_near("df", f->df, su_reference_number(r, "poisson/df"), 0);
    su_counts_fit_free(f);
    check_errors(r, "se", &p, SU_ERRORS_MODEL, 0);
    check_errors(r, "se_quasi", &p, SU_ERRORS_QUASI, 0);
    check_errors(r, "HC0", &p, SU_ERRORS_HC0, 0);
    check_errors(r, "NeweyWest_lag3", &p, SU_ERRORS_NEWEY_WEST, 3);
    json_decref(r);
}

static void negative_binomial(void **state)
{
    (void)state;
    problem p;
    json_t *r = su_reference("trend_flow.json");
    if (!r || !problem_read(&p)) skip();
    su_counts_fit *f = fit(&p.design, SU_COUNT_NEGATIVE_BINOMIAL, SU_ERRORS_MODEL, 0);
    for (size_t j = 0; j < 5; j++) {
        char at[64];
        snprintf(at, sizeof at, "negbin/coef/%zu", j);
        su_reference_near(at, f->coefficients[j], su_reference_number(r, at), 1e-6);
        snprintf(at, sizeof at, "negbin/se/%zu", j);
        su_reference_near(at, sqrt(f->covariance[j * 5 + j]), su_reference_number(r, at), 1e-6);
    }
    su_reference_near("theta", f->theta, su_reference_number(r, "negbin/theta"), 1e-5);
    su_reference_near("se theta", f->theta_error, su_reference_number(r, "negbin/se_theta"), 1e-5);
    su_reference_near("loglik", f->log_likelihood, su_reference_number(r, "negbin/loglik"), 1e-9);
    su_reference_near("twice", 2 * f->log_likelihood, su_reference_number(r, "negbin/twologlik"), 1e-9);
    su_reference_near("aic", f->aic, su_reference_number(r, "negbin/aic"), 1e-9);
    double b = f->coefficients[4], reach = 1.959963984540054 * sqrt(f->covariance[24]);
    su_reference_near("change", 100 * expm1(b), su_reference_number(r, "negbin/pct_change_post/est"), 1e-5);
    su_reference_near("from", 100 * expm1(b - reach), su_reference_number(r, "negbin/pct_change_post/lo"), 1e-5);
    su_reference_near("to", 100 * expm1(b + reach), su_reference_number(r, "negbin/pct_change_post/hi"), 1e-5);
    static const double days[3] = { 31, 28, 31 };
    for (size_t k = 0; k < 3; k++) {
        double row[5], error;
        char at[64];
        arrivals_row(61 + (double)k, 1 + (double)k, 1, row);
        snprintf(at, sizeof at, "negbin/forecast_61_63/link/%zu", k);
        su_reference_near(at, su_counts_predict(f, row, log(days[k]), &error), su_reference_number(r, at), 1e-6);
        snprintf(at, sizeof at, "negbin/forecast_61_63/se/%zu", k);
        su_reference_near(at, error, su_reference_number(r, at), 1e-6);
        snprintf(at, sizeof at, "negbin/forecast_61_63/mean/%zu", k);
        su_reference_near(at, exp(su_counts_predict(f, row, log(days[k]), &error)), su_reference_number(r, at), 1e-6);
    }
    su_counts_fit_free(f);
    json_decref(r);
}

/* A column that repeats another is left out by name and changes nothing; counts with no more than Poisson variance give theta = infinity.
 */
static void aliases_and_poisson_limit(void **state)
{
    (void)state;
    double x[24], y[8] = { 4, 5, 6, 5, 7, 8, 7, 9 };
    for (size_t i = 0; i < 8; i++) {
        x[3 * i] = 1;
        x[3 * i + 1] = (double)i;
        x[3 * i + 2] = 2 * (double)i + 1;
    }
    su_counts_design d = { y, x, NULL, NULL, 8, 3 };
    su_counts_fit *f = fit(&d, SU_COUNT_NEGATIVE_BINOMIAL, SU_ERRORS_MODEL, 0);
    assert_true(f->kept[0] && f->kept[1] && !f->kept[2]);
    assert_true(f->coefficients[2] == 0 && f->df == 6);
    assert_true(isinf(f->theta) && !f->overdispersed);
    double total = 0, moment = 0;
    for (size_t i = 0; i < 8; i++) {
        total += y[i] - f->fitted[i];
        moment += (double)i * (y[i] - f->fitted[i]);
    }
    assert_true(fabs(total) < 1e-8 && fabs(moment) < 1e-7); /* the score equations */
    su_counts_fit_free(f);
}

static void refuse(su_counts_design d, const char *words)
{
    su_context ctx;
    su_context_init(&ctx);
    su_counts_options o = { SU_COUNT_POISSON, SU_ERRORS_MODEL, 0 };
    su_counts_fit *f = NULL;
    assert_int_equal(su_counts_fit_new(&ctx, &d, &o, &f), SU_REFUSED);
    assert_null(f);
    if (!strstr(ctx.message, words)) fail_msg("'%s' does not say '%s'", ctx.message, words);
}

static void refusals(void **state)
{
    (void)state;
    double one[3] = { 1, 1, 1 }, zero[3] = { 0 }, negative[3] = { 1, -2, 3 }, y[3] = { 1, 2, 3 }, square[9] = { 1, 0, 0, 1, 1, 1, 1, 2, 4 };
    double no_exposure[3] = { 0, -INFINITY, 0 };
    refuse((su_counts_design) { zero, one, NULL, NULL, 3, 1 }, "every count is zero");
    refuse((su_counts_design) { negative, one, NULL, NULL, 3, 1 }, "row 2");
    refuse((su_counts_design) { y, square, NULL, NULL, 3, 3 }, "no degree of freedom");
    refuse((su_counts_design) { y, one, no_exposure, NULL, 3, 1 }, "exposure");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(poisson),
        cmocka_unit_test(negative_binomial),
        cmocka_unit_test(aliases_and_poisson_limit),
        cmocka_unit_test(refusals),
    };
    return cmocka_run_group_tests_name("count_model", tests, NULL, NULL);
}
