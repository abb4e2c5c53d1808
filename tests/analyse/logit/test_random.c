/* The random intercept against the same likelihood maximised by other code to a gradient below 1e-6 (glmm_random_intercept.json), and
 * against lme4 (logit_fms.json). */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "model.h"
#include "logit/effects.h"
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
    su_reference_within("sigma", f->sigma, su_reference_number(e, "sigma"), 1e-6);
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
        compare(&m, all, key, (unsigned)su_reference_value(json_object_get(e, "nodes")));
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

/* What the parameters leave open of a group's effect: its mode differentiated numerically to each of them. */
static void test_effect_error(void **state)
{
    (void)state;
    model m;
    if (!open_model(&m)) skip();
    const su_variable *group = group_of(&m, "site");
    su_random_fit *f;
    assert_int_equal(su_random_fit_new(&m.data.ctx, m.x, m.fit, group, 1, &f), SU_OK);
    uint32_t n = f->columns + 1, *levels = su_alloc_array(group->level_count + 1, sizeof *levels);
    double *slope = su_alloc_array((size_t)n * f->groups, sizeof *slope), *theta = su_alloc_array(n, sizeof *theta);
    su_random_data d;
    su_random_data_init(&d, m.x, group, 1, levels);
    for (uint32_t j = 0; j < n; j++)
        for (int side = -1; side <= 1; side += 2) {
            memcpy(theta, f->theta, n * sizeof *theta);
            theta[j] += side * 1e-5;
            su_random_loglik(&m.data.ctx, &d, theta, NULL, NULL);
            for (uint32_t g = 0; g < f->groups; g++) slope[(size_t)g * n + j] += side * exp(theta[n - 1]) * d.mode[g] / 2e-5;
        }
    for (uint32_t g = 0; g < f->groups; g++) {
        double extra = 0;
        for (uint32_t a = 0; a < n; a++)
            for (uint32_t b = 0; b < n; b++)
                extra += slope[(size_t)g * n + a] * slope[(size_t)g * n + b] * f->covariance[(size_t)a * n + b];
        su_reference_near("effect's error", f->effect_error[g], sqrt(f->effect_sd[g] * f->effect_sd[g] + extra), 1e-5);
    }
    for (uint32_t j = 0; j < f->columns; j++) /* a site lies on one route; all else differs between its people */
        assert_int_equal(f->of_groups[j], (int)j == m.x->intercept || !strncmp(m.x->names[j], "route=", 6));
    assert_int_equal(f->of_groups_count, 2);
    su_random_data_free(&d);
    su_random_fit_free(f);
    free(slope);
    free(theta);
    free(levels);
    model_close(&m);
}

/* What everyone's probability would be on a route, averaged over rows and over groups: a plain sum over a fine grid of u. */
static double slow_mean(const model *m, const double *theta, double sigma, const su_setting *settings)
{
    su_sparse s = su_sparse_new(m->x);
    double sum = 0;
    for (uint64_t i = 0; i < m->x->row_count; i++) {
        su_predictors_row(m->x, m->x->rows[i], settings, &s);
        double eta = su_sparse_dot(&s, theta);
        for (int k = -80; k <= 80; k++) {
            double u = k / 10.0;
            sum += exp(-u * u / 2) / sqrt(2 * M_PI) / 10 / (1 + exp(-(eta + sigma * u)));
        }
    }
    su_sparse_free(&s);
    return sum / (double)m->x->row_count;
}

static void test_population(void **state)
{
    (void)state;
    model m;
    if (!open_model(&m)) skip();
    uint32_t p = m.x->columns;
    double *theta = su_alloc_array(p + 1, sizeof *theta), sigma = 0.8, h = 1e-5;
    memcpy(theta, m.fit->beta, p * sizeof *theta);
    su_setting *settings = su_settings_new(m.x);
    assert_int_equal(su_settings_put(&m.data.ctx, m.x, SU_STR("route"), SU_STR("CMR"), settings), SU_OK);
    su_average a = su_average_new(p), slope = su_average_new(p), other = su_average_new(p), more = su_average_new(p), plain = su_average_new(p);
    const su_variable *conflict;
    assert_int_equal(su_frame_find(&m.data.ctx, m.data.frame, SU_STR("conflict"), &conflict), SU_OK);
    su_average_population(&m.units, theta, sigma, settings, NULL, &a);
    su_average_population(&m.units, theta, sigma, NULL, conflict, &slope);
    su_reference_near("mean", a.value, slow_mean(&m, theta, sigma, settings), 1e-9);
    for (uint32_t j = 0; j <= p; j += j + 9 < p ? 9 : 1) { /* gradients by central differences; the last is along log sigma */
        double keep = theta[j], up, down;
        theta[j] = keep + h;
        up = slow_mean(&m, theta, j < p ? sigma : sigma * exp(h), settings);
        su_average_population(&m.units, theta, j < p ? sigma : sigma * exp(h), NULL, conflict, &more);
        theta[j] = keep - h;
        down = slow_mean(&m, theta, j < p ? sigma : sigma * exp(-h), settings);
        su_average_population(&m.units, theta, j < p ? sigma : sigma * exp(-h), NULL, conflict, &other);
        theta[j] = keep;
        su_reference_within("gradient", a.gradient[j], (up - down) / (2 * h), 1e-8);
        su_reference_within("gradient of the slope", slope.gradient[j], (more.value - other.value) / (2 * h), 1e-8);
        if (j == p) break;
    }
    su_average_mean(&m.units, theta, settings, &plain);
    su_average_population(&m.units, theta, 1e-9, settings, NULL, &a);
    su_reference_near("no variation", a.value, plain.value, 1e-12);
    su_average *all[] = { &a, &slope, &other, &more, &plain };
    for (size_t i = 0; i < 5; i++) su_average_free(all[i]);
    free(settings);
    free(theta);
    model_close(&m);
}

/* Effects and margins of the command: differences of population averages. */
static void test_population_effects(void **state)
{
    (void)state;
    model m;
    if (!open_model(&m)) skip();
    static const char *const margins[] = { "route" }, *const profiles[] = { "route=CMR" };
    su_logit_reference references[16];
    su_logit_options o = { .formula = FORMULA,
                           .references = references,
                           .random = group_of(&m, "site"),
                           .effects = true,
                           .margins = margins,
                           .margin_count = 1,
                           .profiles = profiles,
                           .profile_count = 1 };
    for (size_t i = 0; i < m.data.reference_count; i++)
        if (strcmp(m.data.references[i].variable, "cost") != 0) references[o.reference_count++] = m.data.references[i];
    su_result *r;
    if (su_logit(&m.data.ctx, m.data.frame, &o, &r) != SU_OK) fail_msg("%s", m.data.ctx.message);
    double theta[64], sigma = su_result_get_fact(r, "sigma"), mean[2];
    for (uint32_t j = 0; j < m.x->columns; j++) theta[j] = su_result_get(r, "coefficients", j, "estimate");
    su_setting *settings = su_settings_new(m.x);
    for (int k = 0; k < 2; k++) {
        assert_int_equal(su_settings_put(&m.data.ctx, m.x, SU_STR("route"), su_str_of(k ? "CMR" : "EMR"), settings), SU_OK);
        mean[k] = slow_mean(&m, theta, sigma, settings);
    }
    for (size_t i = 0; i < 2; i++) {
        bool cmr = strcmp(su_result_get_text(r, "margins", i, "category"), "CMR") == 0;
        su_reference_near("margin", su_result_get(r, "margins", i, "mean"), mean[cmr], 1e-7);
    }
    su_reference_near("effect of route", su_result_get(r, "effects", 0, "effect"), mean[1] - mean[0], 1e-7);
    su_reference_near("averaged over the rest", su_result_get(r, "profiles", 0, "mean"), mean[1], 1e-7);
    assert_true(su_result_get(r, "effects", 0, "se") > 0.01 && su_result_get(r, "effects", 0, "se") < 0.1);
    assert_int_equal(su_result_rows(r, "profiles"), 1);
    su_result_free(r);
    free(settings);
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
        cmocka_unit_test(test_effect_error), cmocka_unit_test(test_boundary),
        cmocka_unit_test(test_population),
        cmocka_unit_test(test_population_effects),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
