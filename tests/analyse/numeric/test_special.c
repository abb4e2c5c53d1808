/* Distributions against another program's numbers, against identities, and back through their inverses. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "analyse/reference.h"

#include "numeric/special.h"

#include <math.h>

enum function {
    GAMMA_P,
    GAMMA_Q,
    BETA_I,
    T_TWO_SIDED,
    F_UPPER,
    NORMAL_CDF,
    DIGAMMA,
    TRIGAMMA,
    LGAMMA,
    LBETA,
    BINOMIAL_CDF,
    POISSON_CDF,
    POISSON_UPPER
};

#include "spots.h"

static double evaluate(enum function f, const double *a)
{
    switch (f) {
    case GAMMA_P:
        return su_gamma_p(a[0], a[1]);
    case GAMMA_Q:
        return su_gamma_q(a[0], a[1]);
    case BETA_I:
        return su_beta_i(a[0], a[1], a[2]);
    case T_TWO_SIDED:
        return su_t_two_sided(a[0], a[1]);
    case F_UPPER:
        return su_f_upper(a[0], a[1], a[2]);
    case NORMAL_CDF:
        return su_normal_cdf(a[0]);
    case DIGAMMA:
        return su_digamma(a[0]);
    case TRIGAMMA:
        return su_trigamma(a[0]);
    case LGAMMA:
        return su_lgamma(a[0]);
    case LBETA:
        return su_lbeta(a[0], a[1]);
    case BINOMIAL_CDF:
        return su_binomial_cdf((int64_t)a[0], (int64_t)a[1], a[2]);
    case POISSON_CDF:
        return su_poisson_cdf((int64_t)a[0], a[1]);
    case POISSON_UPPER:
        return su_poisson_upper((int64_t)a[0], a[1]);
    }
    return NAN;
}

static void spots_agree(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof spots / sizeof *spots; i++) {
        char what[64];
        snprintf(what, sizeof what, "function %d of %g, %g, %g", (int)spots[i].function, spots[i].argument[0], spots[i].argument[1],
                 spots[i].argument[2]);
        /* 1e-12 in the body, 1e-10 in the tails (special.h) */
        su_reference_near(what, evaluate(spots[i].function, spots[i].argument), spots[i].value, fabs(spots[i].value) > 1e-20 ? 1e-12 : 1e-10);
    }
}

/* R's values; the arguments of the rest of that block are not stored, their functions are among the spots above. */
static void reference_agrees(void **state)
{
    (void)state;
    json_t *all = su_reference("proportions.json");
    if (!all) skip();
    const json_t *r = json_object_get(all, "special");
    su_reference_near("qt", su_t_quantile(0.975, 14), su_reference_value(json_object_get(r, "qt_975_14")), 1e-12);
    su_reference_near("qt", su_t_quantile(0.975, 197), su_reference_value(json_object_get(r, "qt_975_197")), 1e-12);
    su_reference_near("qbeta", su_beta_quantile(0.025, 12.3, 87.6), su_reference_value(json_object_get(r, "qbeta")), 1e-12);
    su_reference_near("qgamma", su_gamma_quantile(0.975, 8), su_reference_value(json_object_get(r, "qgamma")), 1e-12);
    su_reference_near("qnorm", su_normal_quantile(1e-12), su_reference_value(json_object_get(r, "qnorm_tiny")), 1e-12);
    su_reference_near("lgamma", su_lgamma(123.45), su_reference_value(json_object_get(r, "lgamma")), 1e-12);
    su_reference_near("ppois", su_poisson_cdf(3, 8.7), su_reference_value(json_object_get(r, "ppois_lower")), 1e-12);
    su_reference_near("ppois", su_poisson_upper(3, 0.9), su_reference_value(json_object_get(r, "ppois_upper")), 1e-12);
    su_reference_near("qnorm", su_normal_quantile(0.975), su_reference_value(json_object_get(all, "qnorm975")), 1e-12);
    /* Clopper-Pearson and the exact Poisson interval are beta and gamma quantiles. */
    const char *key;
    json_t *one;
    json_object_foreach(json_object_get(all, "one_sample"), key, one)
    {
        double k = su_reference_value(json_object_get(one, "k")), n = su_reference_value(json_object_get(one, "n"));
        const json_t *cp = json_object_get(one, "clopper_pearson"), *rate = json_object_get(one, "poisson_exact_rate");
        su_reference_near(key, su_beta_quantile(0.025, k, n - k + 1), su_reference_value(json_array_get(cp, 0)), 1e-12);
        su_reference_near(key, su_beta_quantile(0.975, k + 1, n - k), su_reference_value(json_array_get(cp, 1)), 1e-12);
        su_reference_near(key, su_gamma_quantile(0.025, k) / n, su_reference_value(json_array_get(rate, 0)), 1e-12);
        su_reference_near(key, su_gamma_quantile(0.975, k + 1) / n, su_reference_value(json_array_get(rate, 1)), 1e-12);
    }
    json_decref(all);
}

static void quantiles_return(void **state)
{
    (void)state;
    static const double ps[] = { 1e-200, 1e-30, 1e-8, 0.001, 0.025, 0.3, 0.5, 0.8, 0.975, 0.9999 };
    /* What comes back is p times (1 + the condition of p in x, up to 1e5 here, times the rounding of x). */
    static const double shapes[] = { 0.05, 0.4, 1, 2.5, 14, 300, 1e5 };
    for (size_t i = 0; i < sizeof ps / sizeof *ps; i++) {
        double p = ps[i];
        su_reference_near("normal", su_normal_cdf(su_normal_quantile(p)), p, 2e-13 * (1 - log(p)));
        for (size_t j = 0; j < sizeof shapes / sizeof *shapes; j++) {
            double a = shapes[j], x = su_gamma_quantile(p, a);
            if (x > 0) su_reference_near("gamma", su_gamma_p(a, x), p, 1e-10);
            double t = su_t_quantile(p, a);
            if (fabs(t) > 1e-3 && fabs(t) < 1e150) su_reference_near("t", su_t_cdf(t, a), p, 1e-10);
            for (size_t k = 0; k < sizeof shapes / sizeof *shapes; k++) {
                double b = shapes[k], y = su_beta_quantile(p, a, b);
                if (y > 1e-300 && y < 0.999) su_reference_near("beta", su_beta_i(y, a, b), p, 1e-10);
                double f = su_f_quantile(p, a, b);
                if (f > 1e-300 && f < 1e300 && p > 1e-8) su_reference_near("F", 1 - su_f_upper(f, a, b), p, 1e-7);
            }
        }
    }
}

static void limits(void **state)
{
    (void)state;
    assert_true(su_beta_quantile(0.025, 0, 11) == 0 && su_beta_quantile(0.975, 11, 0) == 1);
    assert_true(su_gamma_quantile(0.025, 0) == 0);
    assert_true(isinf(su_t_quantile(1, 5)) && su_t_quantile(0.5, 5) == 0);
    su_reference_near("t of infinite df", su_t_quantile(0.975, INFINITY), su_normal_quantile(0.975), 1e-15);
    su_reference_near("t of very large df", su_t_quantile(0.975, 1e10), 1.9599639847772843, 1e-12); /* Abramowitz and Stegun 26.7.5 */
    su_reference_near("F of infinite df", su_f_upper(2, 3, INFINITY), su_chi2_upper(6, 3), 1e-15);
    assert_true(isnan(su_gamma_p(-1, 2)) && isnan(su_beta_i(0.5, -1, 2)) && isnan(su_t_quantile(2, 5)) && isnan(su_lgamma(-3)));
    double total = 0;
    for (int64_t k = 0; k <= 40; k++) total += exp(su_binomial_log(k, 40, 0.37));
    su_reference_near("binomial sums to 1", total, 1, 1e-13);
    total = 0;
    for (int64_t k = 0; k <= 60; k++) total += exp(su_poisson_log(k, 7.5));
    su_reference_near("Poisson sums to 1", total, 1, 1e-13);
}

/* n nodes integrate polynomials of degree 2 n - 1 exactly: the even moments of exp(-x^2) are Gamma(k + 1/2). */
static void hermite_moments(void **state)
{
    (void)state;
    for (unsigned n = 1; n <= 64; n++) {
        double x[64], w[64];
        su_gauss_hermite(n, x, w);
        for (unsigned k = 0; k < n && k < 25; k++) {
            double s = 0, odd = 0;
            for (unsigned i = 0; i < n; i++) {
                s += w[i] * pow(x[i], 2.0 * k);
                odd += w[i] * pow(x[i], 2.0 * k + 1);
            }
            su_reference_near("even moment", s, exp(su_lgamma(k + 0.5)), 1e-11);
            assert_true(fabs(odd) < 1e-11 * exp(su_lgamma(k + 1.0)) + 1e-13);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(spots_agree), cmocka_unit_test(reference_agrees), cmocka_unit_test(quantiles_return),
        cmocka_unit_test(limits),      cmocka_unit_test(hermite_moments),
    };
    return cmocka_run_group_tests_name("special", tests, NULL, NULL);
}
