/* The random intercept against the same likelihood maximised by other code to a gradient below 1e-6 (glmm_random_intercept.json), and
 * against lme4 (logit_fms.json). */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "model.h"
#include "logit/random.h"
#include "logit/random_likelihood.h"

#define FORMULA "any_ind ~ route + sex + age_group + region + conflict + company + duration + edu"

static bool open_model(model *m)
{
    if (!fms_open(&m->data, "statistics/fms_synthetic.csv", "logit_fms.json")) return false;
    model_fit(m, FORMULA, SU_FAMILY_LOGIT);
    return true;
}

static const su_variable *group_of(model *m, const char *name)
{
    const su_variable *v;
    assert_int_equal(su_frame_find(&m->data.ctx, m->data.frame, su_str_of(name), &v), SU_OK);
    assert_int_equal(su_frame_as_factor(&m->data.ctx, m->data.frame, v, &v), SU_OK);
    return v;
}

static void compare(model *m, const json_t *all, const char *key, unsigned nodes)
{
    su_random_fit *f;
    char path[64];
    if (su_random_fit_new(&m->data.ctx, m->x, m->fit, group_of(m, "site"), nodes, &f) != SU_OK) fail_msg("%s", m->data.ctx.message);
    const json_t *e = su_reference_at(all, key), *names = su_reference_at(e, "names");
    printf("# %u nodes: %u iterations, largest gradient %.2g\n", nodes, f->iterations, f->largest_gradient);
    assert_true(f->converged && !f->boundary);
    su_reference_within("loglik", f->loglik, su_reference_number(e, "loglik"), 1e-7);
    uint32_t n = f->columns + 1;
    for (uint32_t j = 0; j < n; j++) {
        size_t place = j < f->columns ? fms_place(names, m->x->names[j]) : json_array_size(names) - 1;
        snprintf(path, sizeof path, "theta/%zu", place);
        su_reference_within(path, f->theta[j], su_reference_number(e, path), 1e-6);
        snprintf(path, sizeof path, "se/%zu", place);
        su_reference_near(path, sqrt(f->covariance[(size_t)j * n + j]), su_reference_number(e, path), 1e-5);
    }
    su_random_fit_free(f);
}

static void test_reference(void **state)
{
    (void)state;
    model m;
    if (!open_model(&m)) skip();
    json_t *all = su_reference("glmm_random_intercept.json");
    if (!all) skip();
    const char *key;
    json_t *e;
    json_object_foreach(all, key, e) if (json_is_object(e) && json_object_get(e, "nodes"))
        compare(&m, all, key, (unsigned)json_integer_value(json_object_get(e, "nodes")));
    json_decref(all);
    model_close(&m);
}

static void test_lme4(void **state)
{
    (void)state;
    model m;
    if (!open_model(&m)) skip();
    su_random_fit *f;
    assert_int_equal(su_random_fit_new(&m.data.ctx, m.x, m.fit, group_of(&m, "site"), 25, &f), SU_OK);
    const json_t *e = su_reference_at(m.data.expected, "glmer/nAGQ25");
    su_reference_within("loglik", f->loglik, su_reference_number(e, "loglik"), 1e-6);
    su_reference_within("sigma", f->sigma, su_reference_number(e, "sigma_site"), 1e-3);
    for (uint32_t g = 0; g < f->groups; g++) {
        char path[32];
        snprintf(path, sizeof path, "ranef_names/%u", g);
        assert_string_equal(f->names[g], json_string_value(su_reference_at(e, path)));
        snprintf(path, sizeof path, "ranef/%u", g);
        su_reference_within(path, f->effect[g], su_reference_number(e, path), 1e-3);
    }
    su_random_fit_free(f);
    model_close(&m);
}

/* The gradient is the derivative of the very sum that is maximised: central differences, one node and seven. */
static void test_gradient(void **state)
{
    (void)state;
    model m;
    if (!open_model(&m)) skip();
    const su_variable *group = group_of(&m, "site");
    uint32_t n = m.x->columns + 1, *levels = su_alloc_array(group->level_count + 1, sizeof *levels);
    double *theta = su_alloc_array(n, sizeof *theta), *gradient = su_alloc_array(n, sizeof *gradient);
    for (unsigned nodes = 1; nodes <= 7; nodes += 6) {
        su_random_data d;
        su_random_data_init(&d, m.x, group, nodes, levels);
        for (uint32_t j = 0; j + 1 < n; j++) theta[j] = m.fit->beta[j] * 0.9 + 0.05;
        theta[n - 1] = -0.3;
        su_random_loglik(&m.data.ctx, &d, theta, gradient, NULL);
        for (uint32_t j = 0; j < n; j++) {
            double h = 1e-5, keep = theta[j];
            theta[j] = keep + h;
            double up = su_random_loglik(&m.data.ctx, &d, theta, NULL, NULL);
            theta[j] = keep - h;
            double down = su_random_loglik(&m.data.ctx, &d, theta, NULL, NULL);
            theta[j] = keep;
            su_reference_within("gradient", gradient[j], (up - down) / (2 * h), 2e-5);
        }
        su_random_data_free(&d);
    }
    free(theta);
    free(gradient);
    free(levels);
    model_close(&m);
}

/* Groups that are only labels: no variation between them, which is said. */
static void test_boundary(void **state)
{
    (void)state;
    enum { N = 600 };
    static double y[N], x[N];
    static uint32_t g[N];
    static const char *const names[] = { "a", "b", "c", "d", "e", "f" };
    for (int i = 0; i < N; i++) {
        x[i] = i / 6 % 5;
        y[i] = i / 30 % 2; /* every group has the same outcomes at the same x */
        g[i] = (uint32_t)(i % 6) + 1;
    }
    su_context ctx;
    su_context_init(&ctx);
    su_frame *frame = su_frame_new(N);
    su_frame_add_number(frame, "y", y);
    su_frame_add_number(frame, "x", x);
    su_frame_add_factor(frame, "g", g, names, 6);
    su_arena arena;
    su_arena_init(&arena);
    su_formula *f;
    su_predictors *p;
    su_predictors_options o = { 0 };
    assert_int_equal(su_formula_parse(&ctx, &arena, SU_STR("y ~ x"), NULL, 0, &f), SU_OK);
    assert_int_equal(su_predictors_build(&ctx, frame, f, &o, &p), SU_OK);
    su_units u;
    su_units_init(&u, p, SU_FAMILY_LOGIT, NULL);
    su_fit *start;
    assert_int_equal(su_fit_new(&ctx, &u, &start), SU_OK);
    su_random_fit *r;
    const su_variable *group;
    assert_int_equal(su_frame_find(&ctx, frame, SU_STR("g"), &group), SU_OK);
    assert_int_equal(su_random_fit_new(&ctx, p, start, group, 15, &r), SU_OK);
    assert_true(r->boundary && r->sigma == 0);
    su_reference_within("loglik", r->loglik, start->loglik, 1e-9);
    for (uint32_t j = 0; j < 2; j++) {
        su_reference_within("coefficient", r->theta[j], start->beta[j], 1e-9);
        su_reference_near("variance", r->covariance[j * 3 + j], start->bread[j * 2 + j], 1e-9);
    }
    su_random_fit_free(r);
    su_fit_free(start);
    su_units_free(&u);
    su_predictors_free(p);
    su_arena_free(&arena);
    su_frame_free(frame);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_gradient),
        cmocka_unit_test(test_reference),
        cmocka_unit_test(test_lme4),
        cmocka_unit_test(test_boundary),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
