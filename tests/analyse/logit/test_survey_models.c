/* Models of survey designs against R's svyglm, regTermTest and predict.
 *
 * svyglm stops when a step gains less than 1e-8 of the deviance, and takes the information at the weights of the step before: its stored
 * standard errors are those of a fit that is not quite done (up to 2e-4 away). The redo below repeats R's steps slowly: with R's
 * tolerance it gives R's numbers to 1e-8, to the end ours to 1e-9. */
#include "analyse/rates/survey_world.h"

#include <suha/logit.h>

#include "numeric/matrix.h"
#include "numeric/special.h"

enum { MOST = 5 };

typedef struct redo {
    uint32_t p;
    uint64_t n;
    su_family family;
    double *x, *y, *w; /* n x p, w of mean 1 over all rows, as R has it; ours is over the rows used */
    double ours;       /* our weights over R's */
    double beta[MOST], naive[MOST * MOST], v[MOST * MOST], deviance;
} redo;

static double mean_of(su_family f, double eta)
{
    return f == SU_FAMILY_LOGIT ? 1 / (1 + exp(-eta)) : f == SU_FAMILY_POISSON ? exp(eta) : eta;
}
static double slope_of(su_family f, double mu) { return f == SU_FAMILY_LOGIT ? mu * (1 - mu) : f == SU_FAMILY_POISSON ? mu : 1; }

static double deviance_of(const redo *r, const double *eta)
{
    double sum = 0;
    for (uint64_t i = 0; i < r->n; i++) {
        double mu = mean_of(r->family, eta[i]), y = r->y[i];
        if (r->family == SU_FAMILY_LINEAR)
            sum += r->w[i] * (y - mu) * (y - mu);
        else if (r->family == SU_FAMILY_POISSON)
            sum += 2 * r->w[i] * ((y > 0 ? y * log(y / mu) : 0) - (y - mu));
        else
            sum -= 2 * r->w[i] * (y > 0 ? log(mu) : log(1 - mu));
    }
    return sum;
}

/* One weighted least squares; the working weights used are left in working. */
static void step(redo *r, double *eta, double *working)
{
    double a[MOST * MOST] = { 0 }, b[MOST] = { 0 };
    uint32_t p = r->p;
    for (uint64_t i = 0; i < r->n; i++) {
        double mu = mean_of(r->family, eta[i]), d = slope_of(r->family, mu), z = eta[i] + (r->y[i] - mu) / d;
        working[i] = r->w[i] * d; /* d^2 / V, canonical links */
        for (uint32_t j = 0; j < p; j++) {
            b[j] += working[i] * r->x[i * p + j] * z;
            for (uint32_t k = 0; k < p; k++) a[j * p + k] += working[i] * r->x[i * p + j] * r->x[i * p + k];
        }
    }
    assert_int_equal(su_cholesky(a, p, 1e-14, NULL), p);
    su_cholesky_solve(a, p, NULL, b);
    su_cholesky_inverse(a, p, NULL, r->naive);
    memcpy(r->beta, b, p * sizeof *b);
    for (uint64_t i = 0; i < r->n; i++) {
        eta[i] = 0;
        for (uint32_t j = 0; j < p; j++) eta[i] += r->x[i * p + j] * b[j];
    }
}

static void redo_fit(redo *r, double tolerance)
{
    double *eta = su_alloc_array(r->n, sizeof *eta), *working = su_alloc_array(r->n, sizeof *working), before = INFINITY;
    for (uint64_t i = 0; i < r->n; i++) {
        double y = r->y[i], start = (r->w[i] * y + 0.5) / (r->w[i] + 1);
        eta[i] = r->family == SU_FAMILY_LOGIT ? log(start / (1 - start)) : r->family == SU_FAMILY_POISSON ? log(y + 0.1) : y;
    }
    for (int round = 0; round < 50; round++) {
        step(r, eta, working);
        r->deviance = deviance_of(r, eta);
        if (fabs(r->deviance - before) / (fabs(r->deviance) + 0.1) < tolerance) break;
        before = r->deviance;
    }
    /* The scores: residuals at the end, working weights of the step before. */
    for (uint64_t i = 0; i < r->n; i++) {
        double mu = mean_of(r->family, eta[i]);
        working[i] *= (r->y[i] - mu) / slope_of(r->family, mu);
    }
    free(eta);
    free(r->y);
    r->y = working;
}

/* V = covariance of the totals of x score A^-1. */
static void redo_covariance(world *w, redo *r)
{
    su_estimand e[MOST];
    su_estimate out[MOST];
    const double *weight = su_design_weights(w->design);
    for (uint32_t j = 0; j < r->p; j++) {
        double *z = su_arena_array(&w->frame->arena, r->n, sizeof *z);
        for (uint64_t i = 0; i < r->n; i++) {
            for (uint32_t k = 0; k < r->p; k++) z[i] += r->naive[j * r->p + k] * r->x[i * r->p + k];
            z[i] *= r->y[i] / weight[i];
        }
        e[j] = (su_estimand) { .statistic = SU_TOTAL, .y = z };
    }
    estimate(w, e, r->p, out, r->v);
}

/* Pupils in tens, the count of the Poisson model. */
static void add_tens(world *w)
{
    double *enroll = numbers(w, "enroll");
    for (uint64_t i = 0; i < w->frame->rows; i++) enroll[i] = floor(enroll[i] / 10);
    su_frame_add_number(w->frame, "tens", enroll);
}

/* names[]: numbers, or "stype" for its columns H and M. A row without an outcome has weight 0. */
static redo redo_of(world *w, const char *outcome, const char *const *names, su_family family, double tolerance)
{
    redo r = { .n = w->frame->rows, .family = family };
    double sum = 0, all = 0;
    r.w = su_alloc_array(r.n, sizeof *r.w);
    r.y = su_alloc_array(r.n, sizeof *r.y);
    r.x = su_alloc_array(r.n * MOST, sizeof *r.x);
    r.p = 1;
    for (const char *const *name = names; *name; name++) r.p += strcmp(*name, "stype") == 0 ? 2 : 1;
    uint64_t complete = 0;
    for (uint64_t i = 0; i < r.n; i++) {
        r.y[i] = strcmp(outcome, "sch.wide") == 0 ? su_frame_level(column(w, outcome), i) == level_named(w, outcome, "Yes")
                                                  : su_frame_number(column(w, outcome), i);
        r.w[i] = isnan(r.y[i]) ? 0 : su_design_weights(w->design)[i];
        all += su_design_weights(w->design)[i];
        complete += !isnan(r.y[i]);
        if (isnan(r.y[i])) r.y[i] = 1;
        sum += r.w[i];
    }
    r.ours = (double)complete / sum / ((double)r.n / all);
    for (uint64_t i = 0; i < r.n; i++) {
        uint32_t j = 0;
        r.w[i] *= (double)r.n / all;
        r.x[i * r.p + j++] = 1;
        for (const char *const *name = names; *name; name++) {
            if (strcmp(*name, "stype") != 0) {
                r.x[i * r.p + j++] = su_frame_number(column(w, *name), i);
                continue;
            }
            r.x[i * r.p + j++] = su_frame_level(column(w, *name), i) == level_named(w, *name, "H");
            r.x[i * r.p + j++] = su_frame_level(column(w, *name), i) == level_named(w, *name, "M");
        }
    }
    redo_fit(&r, tolerance);
    redo_covariance(w, &r);
    return r;
}

static void redo_free(redo *r)
{
    free(r->x);
    free(r->y);
    free(r->w);
}

typedef struct model {
    const char *block, *outcome, *formula;
    const char *names[4];
    su_family family;
} model;

static const model models[] = {
    { "glm_gauss", "api00", "api00 ~ ell + meals + mobility", { "ell", "meals", "mobility" }, SU_FAMILY_LINEAR },
    { "glm_logit", "sch.wide", "sch.wide ~ ell + meals + mobility", { "ell", "meals", "mobility" }, SU_FAMILY_LOGIT },
    { "glm_logit_stype", "sch.wide", "sch.wide ~ ell + meals + stype", { "ell", "meals", "stype" }, SU_FAMILY_LOGIT },
    { "glm_poisson", "tens", "tens ~ ell + meals + stype", { "ell", "meals", "stype" }, SU_FAMILY_POISSON },
};

static void compare_redo(const char *design, const json_t *e, const redo *r, double df)
{
    char path[64];
    near(design, e, "deviance", r->deviance);
    near(design, e, "df_resid", df);
    for (uint32_t j = 0; j < r->p; j++) {
        double se = sqrt(r->v[j * r->p + j]), t = r->beta[j] / se;
        const struct {
            const char *name;
            double value;
        } parts[] = { { "coef", r->beta[j] }, { "se", se }, { "t", t }, { "p", su_t_two_sided(t, df) } };
        for (size_t k = 0; k < sizeof parts / sizeof *parts; k++) {
            snprintf(path, sizeof path, "%s/%u", parts[k].name, j);
            near(design, e, path, parts[k].value);
        }
        for (uint32_t k = 0; k < r->p; k++) {
            snprintf(path, sizeof path, "vcov/%u/%u", j, k);
            su_reference_within(path, r->v[j * r->p + k], su_reference_number(e, path), 1e-8 * se * sqrt(r->v[k * r->p + k]));
        }
    }
}

static double get(const su_result *r, const char *table, const char *term, const char *what)
{
    for (size_t i = 0; i < su_result_rows(r, table); i++)
        if (strcmp(su_result_get_text(r, table, i, "term"), term) == 0) return su_result_get(r, table, i, what);
    fail_msg("%s has no %s", table, term);
    return NAN;
}

/* Ours, against the redo that goes on to the end. */
static void compare_ours(world *w, const model *m, const redo *exact, su_result **out)
{
    static const char *const profiles[] = { "ell=5,meals=10,stype=E", "ell=50,meals=90,stype=H" };
    bool stype = strcmp(m->names[2], "stype") == 0;
    su_logit_options o = { .formula = m->formula,
                           .family = m->family,
                           .design = w->design,
                           .likelihood_ratios = true,
                           .profiles = profiles,
                           .profile_count = stype && m->family == SU_FAMILY_LOGIT ? 2 : 0 };
    if (su_logit(&w->ctx, w->frame, &o, out)) fail_msg("%s", w->ctx.message);
    for (uint32_t j = 0; j < exact->p; j++) {
        su_reference_near("estimate", su_result_get(*out, "coefficients", j, "estimate"), exact->beta[j], 1e-9);
        su_reference_near("se", su_result_get(*out, "coefficients", j, "se"), sqrt(exact->v[j * exact->p + j]), 1e-9);
    }
    if (m->family != SU_FAMILY_LINEAR)
        su_reference_near("deviance", su_result_get_fact(*out, "deviance"), exact->deviance * exact->ours, 1e-10);
}

static void quadratic_form(const redo *r, const double *x, double *eta, double *variance)
{
    *eta = *variance = 0;
    for (uint32_t j = 0; j < r->p; j++) {
        *eta += x[j] * r->beta[j];
        for (uint32_t k = 0; k < r->p; k++) *variance += x[j] * r->v[j * r->p + k] * x[k];
    }
}

/* Predictions for two schools (ell 5, meals 10, E; ell 50, meals 90, H): link and response with their delta standard errors. */
static void compare_predictions(const char *design, const json_t *all, const redo *r, const redo *exact, const su_result *ours)
{
    static const double x[2][MOST] = { { 1, 5, 10, 0, 0 }, { 1, 50, 90, 1, 0 } };
    char path[64];
    for (int i = 0; i < 2; i++) {
        double eta, v, p;
        quadratic_form(r, x[i], &eta, &v);
        p = 1 / (1 + exp(-eta));
        const double got[] = { eta, sqrt(v), p, sqrt(v) * p * (1 - p) };
        static const char *const names[] = { "link", "link_se", "response", "response_se" };
        for (int k = 0; k < 4; k++) {
            snprintf(path, sizeof path, "predict/%s/%d", names[k], i);
            near(design, all, path, got[k]);
        }
        quadratic_form(exact, x[i], &eta, &v);
        p = 1 / (1 + exp(-eta));
        su_reference_near("our prediction", su_result_get(ours, "profiles", (size_t)i, "mean"), p, 1e-9);
        su_reference_near("its standard error", su_result_get(ours, "profiles", (size_t)i, "se"), sqrt(v) * p * (1 - p), 1e-8);
    }
}

/* lambda: eigenvalues of V0^-1 V of the last two columns, by the quadratic formula. */
static void lambdas(const redo *r, double out[2])
{
    uint32_t p = r->p, a = p - 2, b = p - 1;
    double n[4] = { r->naive[a * p + a], r->naive[a * p + b], r->naive[b * p + a], r->naive[b * p + b] };
    double v[4] = { r->v[a * p + a], r->v[a * p + b], r->v[b * p + a], r->v[b * p + b] }, det = n[0] * n[3] - n[1] * n[2];
    double m[4] = { (n[3] * v[0] - n[1] * v[2]) / det, (n[3] * v[1] - n[1] * v[3]) / det, (n[0] * v[2] - n[2] * v[0]) / det,
                    (n[0] * v[3] - n[2] * v[1]) / det };
    double half = (m[0] + m[3]) / 2, root = sqrt(half * half - (m[0] * m[3] - m[1] * m[2]));
    out[0] = half + root;
    out[1] = half - root;
}

static double wald_f(const redo *r)
{
    uint32_t p = r->p, a = p - 2, b = p - 1;
    double x = r->beta[a], y = r->beta[b], v = r->v[a * p + a], c = r->v[a * p + b], u = r->v[b * p + b];
    return (x * x * u - 2 * x * y * c + y * y * v) / (v * u - c * c) / 2;
}

static void compare_term(world *w, const char *design, const json_t *all, const redo *r, const redo *exact, const su_result *ours)
{
    static const char *const names[] = { "ell", "meals", NULL };
    double df = su_reference_number(all, "glm_logit_stype/df_resid"), l[2], f = wald_f(r);
    near(design, all, "regTermTest_stype/F", f);
    near(design, all, "regTermTest_stype/df", 2);
    near(design, all, "regTermTest_stype/ddf", df);
    near(design, all, "regTermTest_stype/p", su_f_upper(f, 2, df));
    redo without = redo_of(w, "sch.wide", names, SU_FAMILY_LOGIT, 1e-8), sharp = redo_of(w, "sch.wide", names, SU_FAMILY_LOGIT, 0);
    double chi2 = without.deviance - r->deviance;
    lambdas(r, l);
    near(design, all, "regTermTest_stype_LRT/chisq", chi2);
    near(design, all, "regTermTest_stype_LRT/ddf", df);
    near(design, all, "regTermTest_stype_LRT/lambda/0", l[0]);
    near(design, all, "regTermTest_stype_LRT/lambda/1", l[1]);
    su_reference_near(design, su_weighted_chi2_upper(l, 2, chi2, df), su_reference_number(all, "regTermTest_stype_LRT/p"),
                      1e-6); /* a saddlepoint: the file states 1e-5 */
    lambdas(exact, l);
    chi2 = sharp.deviance - exact->deviance;
    su_reference_near("our F", get(ours, "tests", "stype", "statistic"), wald_f(exact), 1e-8);
    su_reference_near("our ratio", get(ours, "likelihood_ratios", "stype", "statistic"), chi2, 1e-9);
    su_reference_near("its design effect", get(ours, "likelihood_ratios", "stype", "design_effect"), (l[0] + l[1]) / 2, 1e-8);
    su_reference_near("its p", get(ours, "likelihood_ratios", "stype", "p"), su_weighted_chi2_upper(l, 2, chi2, df), 1e-7);
    redo_free(&without);
    redo_free(&sharp);
}

static void test_designs(void **state)
{
    (void)state;
    json_t *all = su_reference("survey_api.json");
    if (!all) skip();
    for (size_t i = 0; i < PLANS; i++) {
        const json_t *want = su_reference_at(all, plans[i].name);
        for (size_t k = 0; k < sizeof models / sizeof *models; k++) {
            world w;
            if (!world_of(&w, &plans[i])) skip();
            add_tens(&w);
            redo r = redo_of(&w, models[k].outcome, models[k].names, models[k].family, 1e-8),
                 exact = redo_of(&w, models[k].outcome, models[k].names, models[k].family, 0);
            su_result *ours;
            const json_t *e = su_reference_at(want, models[k].block);
            printf("# %s %s\n", plans[i].name, models[k].block);
            compare_ours(&w, &models[k], &exact, &ours);
            compare_redo(plans[i].name, e, &r, su_result_get(ours, "coefficients", 0, "df"));
            if (strcmp(models[k].block, "glm_logit_stype") == 0) {
                compare_predictions(plans[i].name, want, &r, &exact, ours);
                compare_term(&w, plans[i].name, want, &r, &exact, ours);
            }
            su_result_free(ours);
            redo_free(&r);
            redo_free(&exact);
            world_free(&w);
        }
    }
    json_decref(all);
}

/* A model fitted with the weights of every jackknife replicate. */
static void test_replicates(void **state)
{
    (void)state;
    json_t *all = su_reference("survey_api.json");
    world w;
    if (!all || !world_of(&w, &plans[2])) skip();
    su_replicates *replicates;
    su_replicate_options ro = { .method = SU_REPLICATE_JK1 };
    assert_int_equal(su_replicates_new(&w.ctx, w.design, &ro, &replicates), SU_OK);
    su_logit_options o = { .formula = "sch.wide ~ ell + meals + mobility", .design = w.design, .replicates = replicates };
    su_result *r;
    if (su_logit(&w.ctx, w.frame, &o, &r)) fail_msg("%s", w.ctx.message);
    for (int j = 0; j < 4; j++) {
        char path[64];
        snprintf(path, sizeof path, "rep/JK1_logit/coef/%d", j);
        near("JK1", all, path, su_result_get(r, "coefficients", (size_t)j, "estimate"));
        snprintf(path, sizeof path, "rep/JK1_logit/se/%d", j);
        su_reference_near(path, su_result_get(r, "coefficients", (size_t)j, "se"), su_reference_number(all, path), 1e-5);
    }
    su_result_free(r);
    su_replicates_free(replicates);
    world_free(&w);
    json_decref(all);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_designs),
        cmocka_unit_test(test_replicates),
    };
    return cmocka_run_group_tests_name("survey models", tests, NULL, NULL);
}
