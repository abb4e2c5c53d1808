/* The numbers of logit_fms.json that follow from a fit: whole covariance matrices, p values, all profile limits, predictions under the
 * cluster variance, survey effects and rates; and lme4's fits. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "model.h"
#include "logit/effects.h"
#include "logit/measures.h"
#include "logit/profile.h"
#include "logit/random.h"
#include "numeric/matrix.h"
#include "numeric/special.h"

#define PREDICTORS "route + sex + age_group + region + conflict + company + duration + cost + edu"
#define MIXED "any_ind ~ route + sex + age_group + region + conflict + company + duration + edu"

static bool open_model(model *m, const char *formula)
{
    if (!fms_open(&m->data, "statistics/fms_synthetic.csv", "logit_fms.json")) return false;
    model_fit(m, formula, SU_FAMILY_LOGIT);
    return true;
}

static const su_variable *factor_of(model *m, const char *name)
{
    const su_variable *v;
    assert_int_equal(su_frame_find(&m->data.ctx, m->data.frame, su_str_of(name), &v), SU_OK);
    assert_int_equal(su_frame_as_factor(&m->data.ctx, m->data.frame, v, &v), SU_OK);
    return v;
}

static void near(const model *m, const char *path, double got, double tolerance)
{
    su_reference_near(path, got, su_reference_number(m->data.expected, path), tolerance);
}

static void near_at(const model *m, const char *path, size_t i, double got, double tolerance)
{
    char full[128];
    snprintf(full, sizeof full, "%s/%zu", path, i);
    near(m, full, got, tolerance);
}

static size_t place_of(const model *m, const char *names, uint32_t j)
{
    return fms_place(su_reference_at(m->data.expected, names), m->x->names[j]);
}

static void test_fit(void **state)
{
    (void)state;
    model m;
    if (!open_model(&m, "any_ind ~ " PREDICTORS)) skip();
    uint32_t p = m.x->columns;
    for (uint32_t i = 0; i < p; i++) {
        size_t at = place_of(&m, "logit/names", i);
        double se = sqrt(m.fit->bread[(size_t)i * p + i]), z = m.fit->beta[i] / se;
        near_at(&m, "logit/z", at, z, 1e-8);
        near_at(&m, "logit/p", at, 2 * su_normal_upper(fabs(z)), 1e-6); /* p moves by z^2 times what z moves by */
        for (uint32_t j = 0; j < p; j++) {
            char path[64];
            snprintf(path, sizeof path, "logit/vcov/%zu/%zu", at, place_of(&m, "logit/names", j));
            su_reference_within(path, m.fit->bread[(size_t)i * p + j], su_reference_number(m.data.expected, path),
                                1e-8 * se * sqrt(m.fit->bread[(size_t)j * p + j]));
        }
    }
    su_measures got = su_measures_of(&m.units, m.fit, false);
    near(&m, "logit/n", (double)m.x->row_count, 0);
    near(&m, "logit/hosmer_lemeshow/df", got.hosmer_lemeshow_df, 0);
    near(&m, "logit/hosmer_lemeshow/p", got.hosmer_lemeshow_p, 1e-8);
    double loglik = m.fit->loglik;
    model_refit(&m, "any_ind ~ " PREDICTORS " + country", SU_FAMILY_LOGIT);
    near(&m, "fixed_effects_aliased/rank", m.fit->rank, 0);
    model_refit(&m, "any_ind ~ " PREDICTORS " + route:sex + route:conflict", SU_FAMILY_LOGIT);
    near(&m, "interaction/loglik", m.fit->loglik, 1e-10);
    near(&m, "interaction/lr_chisq", 2 * (m.fit->loglik - loglik), 1e-8);
    near(&m, "interaction/lr_df", m.x->columns - p, 0);
    for (uint32_t j = 0; j < m.x->columns; j++)
        near_at(&m, "interaction/se", place_of(&m, "interaction/names", j), sqrt(m.fit->bread[(size_t)j * m.x->columns + j]), 1e-8);
    model_refit(&m, "any_ind ~ sex + age_group + region + conflict + company + duration + cost + edu + country", SU_FAMILY_LOGIT);
    for (uint32_t j = 0; j < m.x->columns; j++)
        near_at(&m, "fixed_effects/se", place_of(&m, "fixed_effects/names", j), sqrt(m.fit->bread[(size_t)j * m.x->columns + j]), 1e-8);
    model_close(&m);
}

/* At the limit the likelihood, maximised over the others, is chi2/2 below its top: fitted anew with the coefficient held. R interpolates a
 * spline through a dozen points of the profile, which puts its limits up to 3e-5 away. */
static void check_limit(model *m, uint32_t j, double at)
{
    uint32_t p = m->x->columns;
    bool *active = su_alloc_array(p, sizeof *active);
    double *beta = su_alloc_array(p, sizeof *beta);
    su_moments moments = su_moments_new(p);
    unsigned iterations;
    memcpy(active, m->fit->kept, p * sizeof *active);
    memcpy(beta, m->fit->beta, p * sizeof *beta);
    active[j] = false;
    beta[j] = at;
    assert_true(su_fit_maximise(&m->data.ctx, &m->units, active, beta, &moments, &iterations));
    su_reference_near("drop of the profile", 2 * (m->fit->loglik - moments.loglik), su_chi2_quantile(0.95, 1), 1e-7);
    su_moments_free(&moments);
    free(active);
    free(beta);
}

static void test_profile_limits(void **state)
{
    (void)state;
    model m;
    if (!open_model(&m, "any_ind ~ " PREDICTORS)) skip();
    for (uint32_t j = 0; j < m.x->columns; j++) {
        size_t at = place_of(&m, "logit/names", j);
        su_profile p = su_logit_profile_interval(&m.data.ctx, &m.units, m.fit, false, j, 0.95);
        check_limit(&m, j, p.low);
        check_limit(&m, j, p.high);
        near_at(&m, "logit/or_profile_lo", at, exp(p.low), 3e-5);
        near_at(&m, "logit/or_profile_hi", at, exp(p.high), 3e-5);
    }
    model_close(&m);
}

static void test_clusters(void **state)
{
    (void)state;
    static const struct {
        su_logit_variance kind;
        const char *name;
    } cr[] = { { SU_VARIANCE_CR0, "CR0" },
               { SU_VARIANCE_CR1, "CR1" },
               { SU_VARIANCE_CR1S, "CR1S" },
               { SU_VARIANCE_CR2, "CR2" },
               { SU_VARIANCE_CR3, "CR3" } };
    model m;
    if (!open_model(&m, "any_ind ~ " PREDICTORS)) skip();
    uint32_t p = m.x->columns;
    m.input.cluster[0] = factor_of(&m, "site");
    for (size_t k = 0; k < sizeof cr / sizeof *cr; k++) {
        su_covariance c = su_covariance_new(p);
        assert_int_equal(su_covariance_of(&m.data.ctx, &m.input, cr[k].kind, &c), SU_OK);
        for (uint32_t j = 0; j < p; j++) {
            char path[64];
            size_t at = place_of(&m, "logit/names", j);
            double se = sqrt(c.v[(size_t)j * p + j]);
            snprintf(path, sizeof path, "clubSandwich/%s/p_satt", cr[k].name);
            near_at(&m, path, at, su_t_two_sided(m.fit->beta[j] / se, c.df[j]), 1e-6); /* t^2 times what t moves by */
            if (cr[k].kind == SU_VARIANCE_CR0) near_at(&m, "robust/CL_site_HC0_nocadjust", at, se, 1e-8);
        }
        su_covariance_free(&c);
    }
    /* Two ways with the plain HC0 of the rows instead of the clusters of both (sandwich's multi0). */
    const su_variable *both[2] = { factor_of(&m, "site"), factor_of(&m, "quarter") }, *cell;
    assert_int_equal(su_frame_interaction(&m.data.ctx, m.data.frame, both, 2, &cell), SU_OK);
    su_covariance two = su_covariance_new(p), cells = su_covariance_new(p), rows = su_covariance_new(p);
    m.input.cluster[0] = both[0];
    m.input.cluster[1] = both[1];
    su_covariance_two_way(&m.input, SU_VARIANCE_HC0, two.v, two.clusters);
    m.input.cluster[0] = cell;
    m.input.cluster[1] = NULL;
    assert_int_equal(su_covariance_of(&m.data.ctx, &m.input, SU_VARIANCE_HC0, &cells), SU_OK);
    m.input.cluster[0] = NULL;
    assert_int_equal(su_covariance_of(&m.data.ctx, &m.input, SU_VARIANCE_HC0, &rows), SU_OK);
    for (uint32_t j = 0; j < p; j++) {
        size_t at = (size_t)j * p + j;
        near_at(&m, "robust/CL_twoway_multi0", place_of(&m, "logit/names", j), sqrt(two.v[at] + cells.v[at] - rows.v[at]), 1e-7);
    }
    su_covariance_free(&two);
    su_covariance_free(&cells);
    su_covariance_free(&rows);
    model_close(&m);
}

static void check_profile(model *m, const char *block, size_t i, double link, double se)
{
    char path[64];
    double mu = 1 / (1 + exp(-link)), slope = mu * (1 - mu), z = su_normal_quantile(0.975);
    const struct {
        const char *name;
        double value;
    } parts[] = { { "link", link },
                  { "link_se", se },
                  { "p", mu },
                  { "lo_logit", 1 / (1 + exp(-(link - z * se))) },
                  { "hi_logit", 1 / (1 + exp(-(link + z * se))) },
                  { "se_delta", slope * se },
                  { "lo_delta", mu - z * slope * se },
                  { "hi_delta", mu + z * slope * se } };
    for (size_t k = 0; k < sizeof parts / sizeof *parts; k++) {
        snprintf(path, sizeof path, "profiles/%s/%s", block, parts[k].name);
        near_at(m, path, i, parts[k].value, 1e-8);
    }
}

static void test_predictions(void **state)
{
    (void)state;
    model m;
    if (!open_model(&m, "any_ind ~ " PREDICTORS)) skip();
    uint32_t p = m.x->columns;
    su_setting *settings = su_settings_new(m.x);
    double *gradient = su_alloc_array(p, sizeof *gradient);
    su_covariance c = su_covariance_new(p);
    m.input.cluster[0] = factor_of(&m, "site");
    assert_int_equal(su_covariance_of(&m.data.ctx, &m.input, SU_VARIANCE_HC1, &c), SU_OK);
    for (size_t i = 0; i < 4; i++) {
        char at[32], text[512] = "";
        snprintf(at, sizeof at, "profiles/profiles/%zu", i + 1);
        const char *key, *last;
        json_t *value;
        uint32_t set;
        size_t n = 0;
        json_object_foreach((json_t *)(uintptr_t)su_reference_at(m.data.expected, at), key, value) n +=
            (size_t)snprintf(text + n, sizeof text - n, "%s%s=%s", n ? ", " : "", key, json_string_value(value));
        su_settings_clear(m.x, settings);
        if (su_profile_parse(&m.data.ctx, m.x, su_str_of(text), settings, &set, &last)) fail_msg("%s: %s", text, m.data.ctx.message);
        double link = su_profile_link(m.x, m.fit->beta, settings, gradient);
        check_profile(&m, "model_vcov", i, link, sqrt(su_quadratic(m.fit->bread, gradient, p)));
        check_profile(&m, "cluster_HC1", i, link, sqrt(su_quadratic(c.v, gradient, p)));
    }
    static const char *const routes[] = { "EMR", "CMR" };
    su_average mean[2];
    for (size_t i = 0; i < 2; i++) {
        su_settings_clear(m.x, settings);
        assert_int_equal(su_settings_put(&m.data.ctx, m.x, SU_STR("route"), su_str_of(routes[i]), settings), SU_OK);
        mean[i] = su_average_new(p);
        su_average_mean(&m.units, m.fit->beta, settings, &mean[i]);
        near_at(&m, "predictive_margins_route_clusterHC1/p", i, mean[i].value, 1e-8);
        near_at(&m, "predictive_margins_route_clusterHC1/se", i, sqrt(su_quadratic(c.v, mean[i].gradient, p)), 1e-8);
    }
    /* margins 0.3.28 differentiates numerically: effects to 2e-12, standard errors to 1e-7 of ours. */
    su_average slope = su_average_new(p);
    const su_variable *conflict;
    assert_int_equal(su_frame_find(&m.data.ctx, m.data.frame, SU_STR("conflict"), &conflict), SU_OK);
    su_average_slope(&m.units, m.fit->beta, NULL, conflict, &slope);
    su_average_subtract(&mean[1], &mean[0], p);
    near_at(&m, "ame/margins_pkg_check/ame", 0, slope.value, 1e-8);
    near_at(&m, "ame/margins_pkg_check/ame", 1, mean[1].value, 1e-8);
    near_at(&m, "ame/margins_pkg_check/se", 0, sqrt(su_quadratic(m.fit->bread, slope.gradient, p)), 5e-7);
    near_at(&m, "ame/margins_pkg_check/se", 1, sqrt(su_quadratic(m.fit->bread, mean[1].gradient, p)), 5e-7);
    su_average_free(&slope);
    for (size_t i = 0; i < 2; i++) su_average_free(&mean[i]);
    su_covariance_free(&c);
    free(settings);
    free(gradient);
    model_close(&m);
}

static double cell(const su_result *r, const char *table, const char *a, const char *x, const char *b, const char *y, const char *want)
{
    for (size_t i = 0; i < su_result_rows(r, table); i++)
        if (strcmp(su_result_get_text(r, table, i, a), x) == 0 && strcmp(su_result_get_text(r, table, i, b), y) == 0)
            return su_result_get(r, table, i, want);
    fail_msg("no row %s, %s in %s", x, y, table);
    return NAN;
}

static void test_survey(void **state)
{
    (void)state;
    fms f;
    if (!fms_open(&f, "statistics/fms_synthetic.csv", "logit_fms.json")) skip();
    model m = { .data = f };
    const su_variable *weight;
    assert_int_equal(su_frame_find(&m.data.ctx, m.data.frame, SU_STR("weight"), &weight), SU_OK);
    su_design_options d = { .weight = weight, .strata = { factor_of(&m, "country") }, .psu = { factor_of(&m, "site") }, .stages = 1 };
    su_design *design;
    assert_int_equal(su_design_new(&m.data.ctx, m.data.frame, &d, &design), SU_OK);
    near(&m, "svyglm/degf", su_design_facts_of(design).df, 0);
    su_logit_options o = { .formula = "any_ind ~ " PREDICTORS,
                           .references = f.references,
                           .reference_count = f.reference_count,
                           .design = design,
                           .effects = true };
    su_result *r;
    if (su_logit(&m.data.ctx, m.data.frame, &o, &r)) fail_msg("%s", m.data.ctx.message);
    near(&m, "svyglm/df_resid", su_result_get_fact(r, "df"), 0);
    const json_t *names = su_reference_at(m.data.expected, "svyglm/ame_weighted/names");
    for (size_t i = 0; i < json_array_size(names); i++) {
        const char *name = json_string_value(json_array_get(names, i));
        bool found = false;
        for (size_t k = 0; k < su_result_rows(r, "effects"); k++) {
            char own[128];
            const char *change = su_result_get_text(r, "effects", k, "contrast"),
                       *variable = su_result_get_text(r, "effects", k, "variable");
            size_t end = strcspn(change, " ");
            snprintf(own, sizeof own, "%s%.*s", variable, (int)end, change);
            bool derivative = strcmp(name, "conflict_derivative") == 0 && strcmp(variable, "conflict") == 0 && strstr(change, "derivative");
            bool discrete = strcmp(name, "conflict_discrete") == 0 && strcmp(variable, "conflict") == 0 && !strstr(change, "derivative");
            if (strcmp(own, name) != 0 && !derivative && !discrete) continue;
            near_at(&m, "svyglm/ame_weighted/ame", i, su_result_get(r, "effects", k, "effect"), 1e-8);
            near_at(&m, "svyglm/ame_weighted/se", i, su_result_get(r, "effects", k, "se"), 1e-8);
            found = true;
        }
        if (!found) fail_msg("no effect %s", name);
    }
    su_result_free(r);
    /* rates by route, and by route and age */
    const su_variable *by[2] = { factor_of(&m, "route"), factor_of(&m, "age_group") }, *cells;
    su_outcome outcome = { .variable = NULL };
    assert_int_equal(su_frame_find(&m.data.ctx, m.data.frame, SU_STR("any_ind"), &outcome.variable), SU_OK);
    su_rates_options ro = { .outcomes = &outcome, .outcome_count = 1, .by = by[0], .design_given = true };
    if (su_rates_result(&m.data.ctx, m.data.frame, design, &ro, &r)) fail_msg("%s", m.data.ctx.message);
    for (size_t i = 0; i < 2; i++) {
        const char *route = i ? "CMR" : "EMR";
        near_at(&m, "svy_rate_by_route/rate", i, cell(r, "rates", "group", route, "group", route, "estimate"), 1e-8);
        near_at(&m, "svy_rate_by_route/se", i, cell(r, "rates", "group", route, "group", route, "se"), 1e-8);
    }
    su_result_free(r);
    assert_int_equal(su_frame_interaction(&m.data.ctx, m.data.frame, by, 2, &cells), SU_OK);
    ro.by = cells;
    if (su_rates_result(&m.data.ctx, m.data.frame, design, &ro, &r)) fail_msg("%s", m.data.ctx.message);
    for (size_t i = 0; i < 6; i++) {
        char path[48], group[64];
        snprintf(path, sizeof path, "svy_rate_by_route_age/route/%zu", i);
        const char *route = json_string_value(su_reference_at(m.data.expected, path));
        snprintf(path, sizeof path, "svy_rate_by_route_age/age/%zu", i);
        snprintf(group, sizeof group, "%s*%s", route, json_string_value(su_reference_at(m.data.expected, path)));
        near_at(&m, "svy_rate_by_route_age/rate", i, cell(r, "rates", "group", group, "group", group, "estimate"), 1e-8);
        near_at(&m, "svy_rate_by_route_age/se", i, cell(r, "rates", "group", group, "group", group, "se"), 1e-8);
    }
    su_result_free(r);
    su_design_free(design);
    fms_close(&m.data);
}

/* Interviews and events by route and region, counted row by row. */
static void test_counts(void **state)
{
    (void)state;
    model m = { 0 };
    if (!fms_open(&m.data, "statistics/fms_synthetic.csv", "logit_fms.json")) skip();
    const su_variable *route = factor_of(&m, "route"), *region = factor_of(&m, "region"), *event;
    assert_int_equal(su_frame_find(&m.data.ctx, m.data.frame, SU_STR("any_ind"), &event), SU_OK);
    for (size_t i = 0; i < 12; i++) {
        char path[48];
        double n = 0, k = 0;
        snprintf(path, sizeof path, "counts_route_region/route/%zu", i);
        const char *at = json_string_value(su_reference_at(m.data.expected, path));
        snprintf(path, sizeof path, "counts_route_region/region/%zu", i);
        const char *from = json_string_value(su_reference_at(m.data.expected, path));
        for (uint64_t r = 0; r < m.data.frame->rows; r++) {
            if (strcmp(route->levels[su_frame_level(route, r) - 1], at) || strcmp(region->levels[su_frame_level(region, r) - 1], from))
                continue;
            n++;
            k += su_frame_number(event, r);
        }
        near_at(&m, "counts_route_region/n", i, n, 0);
        near_at(&m, "counts_route_region/k", i, k, 0);
    }
    fms_close(&m.data);
}

/* Sites within countries: lme4 finds a standard deviation of 0 between countries, so its fit is that of the sites alone. */
static void check_nested(const model *m, const su_random_fit *f)
{
    near(m, "glmer_nested/loglik", f->loglik, 1e-8);
    near(m, "glmer_nested/sd/0", f->sigma, 1e-3);
    for (uint32_t j = 0; j < f->columns; j++) {
        size_t at = place_of(m, "glmer_nested/names", j);
        near_at(m, "glmer_nested/coef", at, f->theta[j], 1e-3);
        near_at(m, "glmer_nested/se", at, sqrt(f->covariance[(size_t)j * (f->columns + 1) + j]), 1e-3);
    }
}

/* lme4 stops its optimiser at 1e-3; its standard errors are of a Hessian by differences and leave the variance parameter out. */
static void test_lme4(void **state)
{
    (void)state;
    static const unsigned nodes[] = { 1, 7, 25 };
    model m;
    if (!open_model(&m, MIXED)) skip();
    for (size_t k = 0; k < 3; k++) {
        su_random_fit *f;
        char path[64];
        if (su_random_fit_new(&m.data.ctx, m.x, m.fit, factor_of(&m, "site"), nodes[k], &f)) fail_msg("%s", m.data.ctx.message);
        double v = f->sigma * f->sigma;
#define AT(name) (snprintf(path, sizeof path, "glmer/nAGQ%u/" name, nodes[k]), path)
        near(&m, AT("loglik"), f->loglik, 1e-8);
        near(&m, AT("deviance_minus2ll"), -2 * f->loglik, 1e-8);
        near(&m, AT("sigma_site"), f->sigma, 1e-3);
        near(&m, AT("icc_latent"), v / (v + M_PI * M_PI / 3), 1e-3);
        for (uint32_t j = 0; j < f->columns; j++) {
            size_t at = place_of(&m, AT("names"), j);
            near_at(&m, AT("coef"), at, f->theta[j], 1e-3);
            near_at(&m, AT("se"), at, sqrt(f->covariance[(size_t)j * (f->columns + 1) + j]), 1e-3);
        }
        for (uint32_t g = 0; g < f->groups; g++) near_at(&m, AT("ranef"), g, f->effect[g], 1e-3);
#undef AT
        if (nodes[k] == 1) check_nested(&m, f);
        su_random_fit_free(f);
    }
    model_close(&m);
}

/* Countries with a random intercept and one trait, k of n people each, a row per person; lme4 counts the likelihood from the saturated
 * model. The prediction for a country without survey: at its own u = 0, and averaged over u. */
static void check_countries(const char *file, const json_t *e)
{
    enum { MOST = 200000, AREAS = 64 };
    model m = { 0 };
    static double y[MOST], x[MOST];
    static uint32_t area[MOST];
    const char *names[AREAS];
    if (!fms_open(&m.data, file, NULL)) return;
    const su_frame *f = m.data.frame;
    const su_variable *v[4];
    static const char *const columns[] = { "area", "vuln", "n", "k" };
    for (int i = 0; i < 4; i++) assert_int_equal(su_frame_find(&m.data.ctx, f, su_str_of(columns[i]), &v[i]), SU_OK);
    uint64_t rows = 0;
    double saturated = 0;
    assert_true(f->rows <= AREAS);
    for (uint64_t a = 0; a < f->rows; a++) {
        double n = su_frame_number(v[2], a), k = su_frame_number(v[3], a);
        names[a] = v[0]->levels[su_frame_level(v[0], a) - 1];
        saturated += (k > 0 ? k * log(k / n) : 0) + (n - k) * log1p(-k / n);
        for (double i = 0; i < n; i++, rows++) {
            assert_true(rows < MOST);
            y[rows] = i < k;
            x[rows] = su_frame_number(v[1], a) / 10;
            area[rows] = (uint32_t)a + 1;
        }
    }
    su_frame *people = su_frame_new(rows), *countries = m.data.frame;
    su_frame_add_number(people, "y", y);
    su_frame_add_number(people, "vuln", x);
    su_frame_add_factor(people, "area", area, names, (uint32_t)f->rows);
    m.data.frame = people;
    model_fit(&m, "y ~ vuln", SU_FAMILY_LOGIT);
    su_random_fit *r;
    if (su_random_fit_new(&m.data.ctx, m.x, m.fit, factor_of(&m, "area"), 25, &r)) fail_msg("%s", m.data.ctx.message);
    su_reference_near("loglik", r->loglik - saturated, su_reference_number(e, "loglik"), 1e-6);
    su_reference_near("sigma", r->sigma, su_reference_number(e, "sigma"), 1e-3);
    for (uint32_t j = 0; j < 2; j++) {
        char path[32];
        snprintf(path, sizeof path, "coef/%u", j);
        su_reference_near(path, r->theta[j], su_reference_number(e, path), 1e-4);
        snprintf(path, sizeof path, "se/%u", j);
        su_reference_near(path, sqrt(r->covariance[j * 3 + j]), su_reference_number(e, path), 1e-3);
    }
    for (uint32_t g = 0; g < r->groups; g++) {
        char path[32];
        snprintf(path, sizeof path, "ranef/%u", g);
        su_reference_within(path, r->effect[g], su_reference_number(e, path), 1e-3);
    }
    double eta = r->theta[0] + 6.5 * r->theta[1], by_eta, by_log_sigma;
    su_reference_near("u = 0", 1 / (1 + exp(-eta)), su_reference_number(e, "pred_vuln65_cond_u0"), 1e-4);
    su_reference_near("averaged", su_population_average(eta, r->sigma, &by_eta, &by_log_sigma),
                      su_reference_number(e, "pred_vuln65_marginal_GH40"), 1e-4);
    su_random_fit_free(r);
    su_frame_free(countries);
    model_close(&m);
}

static void test_countries(void **state)
{
    (void)state;
    json_t *all = su_reference("small_area.json");
    if (!all) skip();
    check_countries("statistics/fay_herriot_interior.csv", su_reference_at(all, "interior/glmm_country"));
    check_countries("statistics/fay_herriot_boundary.csv", su_reference_at(all, "boundary/glmm_country"));
    json_decref(all);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fit),         cmocka_unit_test(test_profile_limits), cmocka_unit_test(test_clusters),
        cmocka_unit_test(test_predictions), cmocka_unit_test(test_survey),         cmocka_unit_test(test_counts),
        cmocka_unit_test(test_lme4),        cmocka_unit_test(test_countries),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
