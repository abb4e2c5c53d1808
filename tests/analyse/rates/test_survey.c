/* Design-based estimates against R's survey package: means, totals, ratios, domains, intervals, tables, quantiles. */
#include "analyse/rates/survey_world.h"
#include "numeric/special.h"

/* want[path/i]. */
static void near_at(const char *design, const json_t *want, const char *path, int i, double got)
{
    char full[128];
    snprintf(full, sizeof full, "%s/%d", path, i);
    near(design, want, full, got);
}

typedef void check(world *w, const char *design, const json_t *want);

static void in_every_design(check *c)
{
    if (!reference) skip();
    for (size_t i = 0; i < PLANS; i++) {
        world w;
        if (!world_of(&w, &plans[i])) skip();
        c(&w, plans[i].name, su_reference_at(reference, plans[i].name));
        world_free(&w);
    }
}

static void check_means(world *w, const char *design, const json_t *want)
{
    double *api = numbers(w, "api00"), *enroll = numbers(w, "enroll"), v[4];
    for (uint64_t r = 0; r < w->frame->rows; r++)
        if (isnan(enroll[r])) api[r] = NAN; /* R drops a row where any of the variables is missing */
    su_estimand both[2] = { { .y = api }, { .y = enroll } };
    su_estimate e[2];
    estimate(w, both, 2, e, v);
    near(design, want, "degf", su_design_facts_of(w->design).df);
    near(design, want, "mean_api00_enroll/est/0", e[0].estimate);
    near(design, want, "mean_api00_enroll/est/1", e[1].estimate);
    near(design, want, "mean_api00_enroll/vcov/0/0", v[0]);
    near(design, want, "mean_api00_enroll/vcov/0/1", v[1]);
    near(design, want, "mean_api00_enroll/vcov/1/0", v[2]);
    near(design, want, "mean_api00_enroll/vcov/1/1", v[3]);
    near(design, want, "mean_api00_enroll/deff/0", e[0].deff);
    near(design, want, "mean_api00_enroll/deff/1", e[1].deff);
    double df = su_design_facts_of(w->design).df;
    near(design, want, "mean_ci_t/df", df);
    for (int i = 0; i < 2; i++) {
        su_interval t = su_mean_interval(e[i].estimate, e[i].variance, df, 0.95),
                    z = su_mean_interval(e[i].estimate, e[i].variance, INFINITY, 0.95);
        near_at(design, want, "mean_api00_enroll/se", i, sqrt(e[i].variance));
        near_at(design, want, "mean_ci_t/lo", i, t.low);
        near_at(design, want, "mean_ci_t/hi", i, t.high);
        near_at(design, want, "mean_ci_z/lo", i, z.low);
        near_at(design, want, "mean_ci_z/hi", i, z.high);
    }
    both[0].y = numbers(w, "api00");
    estimate(w, both, 1, e, NULL);
    near(design, want, "mean_deff_replace", e[0].deff_replace);
}

static void check_levels(world *w, const char *design, const json_t *want)
{
    uint32_t *stype = levels(w, "stype");
    su_estimand mean[3], total[3];
    su_estimate e[3];
    double v[9];
    char path[64];
    for (uint32_t k = 0; k < 3; k++) {
        mean[k] = (su_estimand) { .level = stype, .value = k + 1 };
        total[k] = (su_estimand) { .statistic = SU_TOTAL, .level = stype, .value = k + 1 };
    }
    estimate(w, mean, 3, e, v);
    for (int i = 0; i < 3; i++) {
        snprintf(path, sizeof path, "mean_stype/est/%d", i);
        near(design, want, path, e[i].estimate);
        near_at(design, want, "mean_stype/se", i, sqrt(e[i].variance));
        near_at(design, want, "mean_stype/deff", i, e[i].deff);
        for (int j = 0; j < 3; j++) {
            snprintf(path, sizeof path, "mean_stype/vcov/%d/%d", i, j);
            near(design, want, path, v[i * 3 + j]);
        }
    }
    estimate(w, total, 3, e, v);
    for (int i = 0; i < 9; i++) {
        snprintf(path, sizeof path, "total_stype/vcov/%d/%d", i / 3, i % 3);
        su_reference_within(path, v[i], su_reference_number(want, path), 1e-8 * sqrt(v[i / 3 * 4] * v[i % 3 * 4]) + 1e-9);
    }
    for (int i = 0; i < 3; i++) {
        snprintf(path, sizeof path, "total_stype/est/%d", i);
        near(design, want, path, e[i].estimate);
        snprintf(path, sizeof path, "total_stype/se/%d", i);
        su_reference_within(path, sqrt(e[i].variance), su_reference_number(want, path), 1e-6 + 1e-8 * e[i].estimate);
        snprintf(path, sizeof path, "total_stype/deff/%d", i);
        su_reference_within(path, e[i].deff, su_reference_number(want, path), 1e-9 + 1e-8 * e[i].deff);
    }
}

static void check_totals_and_ratios(world *w, const char *design, const json_t *want)
{
    double *enroll = numbers(w, "enroll"), *api00 = numbers(w, "api00"), *api99 = numbers(w, "api99");
    uint32_t *stype = levels(w, "stype");
    su_estimand total = { .statistic = SU_TOTAL, .y = enroll }, ratio = { .statistic = SU_RATIO, .y = api00, .x = api99 },
                by = { .statistic = SU_RATIO, .y = api00, .x = enroll, .group = stype, .groups = 3 };
    su_estimate e[3];
    char path[64];
    estimate(w, &total, 1, e, NULL);
    near(design, want, "total_enroll/est", e[0].estimate);
    near(design, want, "total_enroll/se", sqrt(e[0].variance));
    near(design, want, "total_enroll/deff", e[0].deff);
    near(design, want, "total_enroll/vcov/0/0", e[0].variance);
    estimate(w, &ratio, 1, e, NULL);
    near(design, want, "ratio_api00_api99/est", e[0].estimate);
    near(design, want, "ratio_api00_api99/se", sqrt(e[0].variance));
    estimate(w, &by, 1, e, NULL);
    for (int i = 0; i < 3; i++) {
        snprintf(path, sizeof path, "ratio_by_stype/est/%d", i);
        near(design, want, path, e[i].estimate);
        snprintf(path, sizeof path, "ratio_by_stype/se/%d", i);
        near(design, want, path, sqrt(e[i].variance));
    }
}

static void check_groups(world *w, const char *design, const json_t *want)
{
    double *api = numbers(w, "api00"), *enroll = numbers(w, "enroll"), v[9];
    uint32_t *stype = levels(w, "stype"), *wide = levels(w, "sch.wide"), *comp = levels(w, "comp.imp");
    uint32_t *cell = su_arena_array(&w->frame->arena, w->frame->rows, sizeof *cell);
    su_estimand by = { .y = api, .group = stype, .groups = 3 };
    su_estimate e[6];
    char path[80];
    estimate(w, &by, 1, e, v);
    for (int i = 0; i < 3; i++) {
        near_at(design, want, "by_mean_api00_stype/est", i, e[i].estimate);
        near_at(design, want, "by_mean_api00_stype/se", i, sqrt(e[i].variance));
        for (int j = 0; j < 3; j++) {
            snprintf(path, sizeof path, "by_mean_api00_stype/vcov/%d/%d", i, j);
            near(design, want, path, v[i * 3 + j]);
        }
    }
    near(design, want, "contrast_H_minus_E/est", e[1].estimate - e[0].estimate);
    near(design, want, "contrast_H_minus_E/se", sqrt(v[0] + v[4] - 2 * v[1]));
    for (uint64_t r = 0; r < w->frame->rows; r++) cell[r] = (comp[r] - 1) * 3 + stype[r];
    su_estimand share = { .level = wide, .value = level_named(w, "sch.wide", "Yes"), .group = cell, .groups = 6 };
    estimate(w, &share, 1, e, NULL);
    for (int i = 0; i < 6; i++) {
        snprintf(path, sizeof path, "by_prop_schwide_stype_compimp/est/%d", i);
        near(design, want, path, e[i].estimate);
        snprintf(path, sizeof path, "by_prop_schwide_stype_compimp/se/%d", i);
        near(design, want, path, sqrt(e[i].variance));
    }
    su_estimand total = { .statistic = SU_TOTAL, .y = enroll, .group = comp, .groups = 2 };
    estimate(w, &total, 1, e, NULL);
    for (int i = 0; i < 2; i++) {
        snprintf(path, sizeof path, "by_total_enroll_compimp/est/%d", i);
        near(design, want, path, e[i].estimate);
        snprintf(path, sizeof path, "by_total_enroll_compimp/se/%d", i);
        near(design, want, path, sqrt(e[i].variance));
    }
}

static void check_domain(world *w, const char *design, const json_t *want)
{
    uint32_t *stype = levels(w, "stype"), *wide = levels(w, "sch.wide"), *in = su_arena_array(&w->frame->arena, w->frame->rows, sizeof *in);
    uint32_t elementary = level_named(w, "stype", "E"), yes = level_named(w, "sch.wide", "Yes");
    for (uint64_t r = 0; r < w->frame->rows; r++) in[r] = stype[r] == elementary && wide[r] == yes;
    su_estimand both[2] = { { .y = numbers(w, "api00"), .group = in, .groups = 1 },
                            { .statistic = SU_TOTAL, .y = numbers(w, "enroll"), .group = in, .groups = 1 } };
    su_estimate e[2];
    estimate(w, both, 2, e, NULL);
    near(design, want, "domain_E_Yes/mean/est", e[0].estimate);
    near(design, want, "domain_E_Yes/mean/se", sqrt(e[0].variance));
    near(design, want, "domain_E_Yes/total/est", e[1].estimate);
    near(design, want, "domain_E_Yes/total/se", sqrt(e[1].variance));
    near(design, want, "domain_E_Yes/mean/vcov/0/0", e[0].variance);
    near(design, want, "domain_E_Yes/total/vcov/0/0", e[1].variance);
    near(design, want, "domain_E_Yes/degf", e[0].df);
    near(design, want, "domain_E_Yes/n", (double)e[0].n);
}

/* Twice the drop of the log likelihood, of n_eff rows, is t^2 there. */
static void likelihood_limit(double at, const su_estimate *e)
{
    double p = e->estimate, rows = (double)e->n, n = p * (1 - p) / e->variance * (rows - 1) / rows, t = su_t_quantile(0.975, e->df);
    su_reference_near("drop", 2 * n * (p * log(p / at) + (1 - p) * log((1 - p) / (1 - at))), t * t, 1e-10);
}

static void check_intervals(world *w, const char *design, const json_t *want)
{
    static const struct {
        const char *name;
        su_ci method;
        double tolerance;
    } methods[] = { { "xlogit", SU_CI_LOGIT, 1e-8 },
                    { "asin", SU_CI_ASIN, 1e-8 },
                    { "beta", SU_CI_BETA, 1e-8 },
                    { "mean", SU_CI_MEAN, 1e-8 },
                    { "likelihood", SU_CI_LIKELIHOOD, 1e-4 },
                    { "wilson_v45", SU_CI_WILSON, 1e-8 },
                    { "logit", SU_CI_LOGIT, 1e-7 } }; /* R fits a model until its deviance moves by 1e-8, and seeks
                                                       the ends of the likelihood interval to 1.2e-4 of a log odds */
    su_estimand share = { .level = levels(w, "sch.wide"), .value = level_named(w, "sch.wide", "No") };
    su_estimate e;
    char path[80], what[128];
    estimate(w, &share, 1, &e, NULL);
    near(design, want, "ciprop/mean/est", e.estimate);
    near(design, want, "ciprop/mean/var", e.variance);
    near(design, want, "ciprop/mean/df", e.df);
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++) {
        const json_t *all = su_reference_at(want, "ciprop");
        if (!json_object_get(all, methods[i].name)) continue;
        su_interval ci = su_proportion_interval(methods[i].method, e.estimate, e.variance, e.df, (double)e.n, 1, 0.95);
        const char *const parts[] = { "est", "var", "df" };
        double values[] = { e.estimate, e.variance, e.df };
        for (int k = 0; k < 3; k++) {
            snprintf(path, sizeof path, "ciprop/%s/%s", methods[i].name, parts[k]);
            if (json_object_get(json_object_get(all, methods[i].name), parts[k])) near(design, want, path, values[k]);
        }
        if (methods[i].method == SU_CI_LIKELIHOOD) {
            likelihood_limit(ci.low, &e);
            likelihood_limit(ci.high, &e);
        }
        snprintf(path, sizeof path, "ciprop/%s/lo", methods[i].name);
        snprintf(what, sizeof what, "%s %s", design, path);
        su_reference_near(what, ci.low, su_reference_number(want, path), methods[i].tolerance);
        snprintf(path, sizeof path, "ciprop/%s/hi", methods[i].name);
        snprintf(what, sizeof what, "%s %s", design, path);
        su_reference_near(what, ci.high, su_reference_number(want, path), methods[i].tolerance);
    }
    if (json_object_get(su_reference_at(want, "ciprop"), "wilson_v45"))
        near(design, want, "ciprop/wilson_v45/neff", su_proportion_effective_n(e.estimate, e.variance));
    su_estimand high = { .level = levels(w, "stype"), .value = level_named(w, "stype", "H") };
    estimate(w, &high, 1, &e, NULL);
    near(design, want, "ciprop_defaultdf_beta_H/est", e.estimate);
    near(design, want, "ciprop_defaultdf_logit_H/est", e.estimate);
    if (e.variance < 1e-20) return; /* a stratum: R's limits come from rounding there */
    su_interval beta = su_proportion_interval(SU_CI_BETA, e.estimate, e.variance, e.df, (double)e.n, 1, 0.95);
    su_interval logit = su_proportion_interval(SU_CI_LOGIT, e.estimate, e.variance, e.df, (double)e.n, 1, 0.95);
    near(design, want, "ciprop_defaultdf_beta_H/lo", beta.low);
    near(design, want, "ciprop_defaultdf_beta_H/hi", beta.high);
    su_reference_near(design, logit.low, su_reference_number(want, "ciprop_defaultdf_logit_H/lo"), 1e-6);
    su_reference_near(design, logit.high, su_reference_number(want, "ciprop_defaultdf_logit_H/hi"), 1e-6);
}

/* P(l1 chi2 + l2 chi2 > x chi2_ddf / ddf) by the saddlepoint, from what R prints: the eigenvalues follow from F, X2 and the df. */
static double saddlepoint(const json_t *want, bool cut)
{
    double x = su_reference_number(want, "chisq/Chisq/stat"), trace = x / su_reference_number(want, "chisq/F/stat");
    double ddf = su_reference_number(want, "chisq/F/par/ddf"), squares = trace * trace / su_reference_number(want, "chisq/F/par/ndf");
    double root = sqrt(2 * squares - trace * trace), l[3] = { (trace + root) / 2, (trace - root) / 2, -x / ddf };
    double df[3] = { 1, 1, cut ? floor(ddf) : ddf }, low = -ddf / (2 * x), high = 0.5 / l[0], k = 0, k2 = 0;
    for (int i = 0; i < 200; i++) {
        double t = 0.5 * (low + high), slope = 0;
        for (int j = 0; j < 3; j++) slope += df[j] * l[j] / (1 - 2 * t * l[j]);
        *(slope > 0 ? &high : &low) = t;
    }
    for (int j = 0; j < 3; j++) {
        double u = 1 - 2 * low * l[j];
        k -= 0.5 * df[j] * log(u);
        k2 += 2 * df[j] * l[j] * l[j] / (u * u);
    }
    double w = copysign(sqrt(-2 * k), low), v = low * sqrt(k2);
    return 0.5 * erfc((w + log(v / w) / w) / sqrt(2));
}

static void check_association(world *w, const char *design, const json_t *want)
{
    su_association a;
    char path[64];
    if (su_design_association(&w->ctx, w->design, factor(w, "sch.wide"), factor(w, "stype"), NULL, &a)) fail_msg("%s", w->ctx.message);
    for (int i = 0; i < 2; i++)
        for (int j = 0; j < 3; j++) {
            snprintf(path, sizeof path, "table/est/%d/%d", i, j);
            near(design, want, path, a.cells[i * 3 + j]);
        }
    near(design, want, "chisq/F/stat", a.f);
    near(design, want, "chisq/F/par/ndf", a.df1);
    near(design, want, "chisq/F/par/ddf", a.df2);
    near(design, want, "chisq/F/p", a.p);
    near(design, want, "chisq/Chisq/stat", a.pearson);
    near(design, want, "chisq/Chisq/par/df", a.chi_df);
    near(design, want, "chisq/Chisq/p", a.chi_p);
    near(design, want, "chisq/Wald/stat/0/0", a.wald);
    near(design, want, "chisq/Wald/par/ndf", a.wald_df1);
    near(design, want, "chisq/Wald/par/ddf", a.wald_df2);
    near(design, want, "chisq/Wald/p/0/0", a.wald_p);
    near(design, want, "chisq/adjWald/stat/0/0", a.adjusted_wald);
    near(design, want, "chisq/adjWald/par/ndf", a.wald_df1);
    near(design, want, "chisq/adjWald/par/ddf", a.adjusted_df2);
    near(design, want, "chisq/adjWald/p/0/0", a.adjusted_p);
    /* R's pFsum repeats the last eigenvalue ddf times, which cuts ddf to a whole number; ours keeps the fraction. */
    su_reference_near(design, saddlepoint(want, true), su_reference_number(want, "chisq/saddlepoint/p"), 1e-6);
    su_reference_near(design, saddlepoint(want, true), su_reference_number(want, "chisq/lincom/p"), 1e-6);
    near(design, want, "chisq/lincom/stat", a.pearson);
    near(design, want, "chisq/saddlepoint/stat", a.pearson);
    su_reference_near(design, a.saddlepoint_p, saddlepoint(want, false), 1e-6);
    free(a.cells);
}

static void check_quantiles(world *w, const char *design, const json_t *want)
{
    static const char *const rules[] = { "math", "school", "hf1", "hf2", "hf4", "hf7" };
    static const double p[] = { 0.25, 0.5, 0.75 };
    double *api = numbers(w, "api00");
    su_quantile q[3];
    char path[64];
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
        su_quantile_rule rule;
        assert_true(su_quantile_rule_parse(su_str_of(rules[i]), &rule));
        if (su_design_quantiles(&w->ctx, w->design, api, NULL, 0, rule, 0.95, p, 3, q)) fail_msg("%s", w->ctx.message);
        for (int k = 0; k < 3; k++) {
            const char *parts[] = { "q", "lo", "hi", "se" };
            double got[] = { q[k].estimate, q[k].low, q[k].high, q[k].se };
            snprintf(path, sizeof path, "quantile/%s/p/%d", rules[i], k);
            near(design, want, path, p[k]);
            for (int part = 0; part < 4; part++) {
                snprintf(path, sizeof path, "quantile/%s/%s/%d", rules[i], parts[part], k);
                near(design, want, path, got[part]);
            }
        }
    }
}

typedef struct place {
    double share, x;
} place;

static int by_share(const void *a, const void *b)
{
    const place *p = a, *q = b;
    return p->share < q->share ? -1 : p->share > q->share;
}

static int by_value(const void *a, const void *b)
{
    const place *p = a, *q = b;
    return p->x < q->x ? -1 : p->x > q->x ? 1 : by_share(a, b); /* rows in their order */
}

/* Shah and Vaish's rule: places (S_k + 1/2 - w_k / 2) / (n + 1) with weights of mean 1. R normalises them in the sum S and forgets to in w_k / 2
 * (survey 4.1-1, qrule_shahvaish), so that its quantiles are off; `slip` does the same. */
static place *shah_vaish(const world *w, const double *y, bool slip, size_t *n)
{
    place *all = su_alloc_array(w->frame->rows, sizeof *all);
    double total = 0, sum = 0;
    const double *weight = su_design_weights(w->design);
    *n = w->frame->rows;
    for (size_t i = 0; i < *n; i++) {
        all[i] = (place) { (double)i, y[i] };
        total += weight[i];
    }
    qsort(all, *n, sizeof *all, by_value);
    for (size_t i = 0; i < *n; i++) {
        double raw = weight[(size_t)all[i].share], one = raw * (double)*n / total;
        sum += one;
        all[i].share = (sum + 0.5 - (slip ? raw : one) / 2) / ((double)*n + 1);
    }
    qsort(all, *n, sizeof *all, by_share);
    return all;
}

static double place_at(const place *all, size_t n, double p)
{
    double x = all[0].x;
    for (size_t i = 0; i < n && all[i].share <= p + 1e-12; i++) x = all[i].x;
    return x;
}

static void check_shah_vaish(world *w, const char *design, const json_t *want)
{
    static const double p[] = { 0.25, 0.5, 0.75 };
    double *api = numbers(w, "api00"), *below = su_arena_array(&w->frame->arena, w->frame->rows, sizeof *below);
    for (int slip = 0; slip < 2; slip++) {
        size_t n;
        place *all = shah_vaish(w, api, slip, &n);
        for (int k = 0; k < 3; k++) {
            double q = place_at(all, n, p[k]);
            su_estimand share = { .y = below };
            su_estimate e;
            for (size_t i = 0; i < n; i++) below[i] = api[i] <= q;
            estimate(w, &share, 1, &e, NULL);
            su_interval i = su_mean_interval(e.estimate, e.variance, e.df, 0.95);
            double low = place_at(all, n, i.low), high = place_at(all, n, i.high), se = (high - low) / (2 * su_t_quantile(0.975, e.df));
            if (slip) {
                near_at(design, want, "quantile/shahvaish/p", k, p[k]);
                near_at(design, want, "quantile/shahvaish/q", k, q);
                near_at(design, want, "quantile/shahvaish/lo", k, low);
                near_at(design, want, "quantile/shahvaish/hi", k, high);
                near_at(design, want, "quantile/shahvaish/se", k, se);
                continue;
            }
            su_quantile ours;
            if (su_design_quantiles(&w->ctx, w->design, api, NULL, 0, SU_QUANTILE_SHAH_VAISH, 0.95, &p[k], 1, &ours)) fail_msg("%s", w->ctx.message);
            su_reference_near("Shah and Vaish", ours.estimate, q, 1e-12);
            su_reference_near("from", ours.low, low, 1e-12);
            su_reference_near("to", ours.high, high, 1e-12);
            su_reference_near("se", ours.se, se, 1e-9);
        }
        free(all);
    }
}

static void check_spread_and_t(world *w, const char *design, const json_t *want)
{
    double *api = numbers(w, "api00"), *square = su_arena_array(&w->frame->arena, w->frame->rows, sizeof *square), v[4];
    su_estimand mean = { .y = api };
    su_estimate e[2];
    estimate(w, &mean, 1, e, NULL);
    double n = (double)e[0].n;
    for (uint64_t r = 0; r < w->frame->rows; r++) square[r] = (api[r] - e[0].estimate) * (api[r] - e[0].estimate) * n / (n - 1);
    mean.y = square;
    estimate(w, &mean, 1, e, NULL);
    near(design, want, "var_api00/est", e[0].estimate);
    near(design, want, "var_api00/se", sqrt(e[0].variance));
    su_estimand by = { .y = api, .group = levels(w, "comp.imp"), .groups = 2 };
    estimate(w, &by, 1, e, v);
    near(design, want, "ttest/diff", e[1].estimate - e[0].estimate);
    double t = (e[1].estimate - e[0].estimate) / sqrt(v[0] + v[3] - 2 * v[1]), df = su_design_facts_of(w->design).df - 1;
    near(design, want, "ttest/t", t);
    near(design, want, "ttest/df", df);
    near(design, want, "ttest/p", su_t_two_sided(t, df));
}

#define IN_EVERY_DESIGN(name)                                                                                                              \
    static void test_##name(void **s)                                                                                                      \
    {                                                                                                                                      \
        (void)s;                                                                                                                           \
        in_every_design(check_##name);                                                                                                     \
    }
IN_EVERY_DESIGN(means)
IN_EVERY_DESIGN(levels)
IN_EVERY_DESIGN(totals_and_ratios)
IN_EVERY_DESIGN(groups)
IN_EVERY_DESIGN(domain)
IN_EVERY_DESIGN(intervals)
IN_EVERY_DESIGN(association)
IN_EVERY_DESIGN(quantiles)
IN_EVERY_DESIGN(shah_vaish)
IN_EVERY_DESIGN(spread_and_t)

static void test_unweighted(void **state)
{
    (void)state;
    plan p = { "unweighted_apistrat", "svy_apistrat.csv", NULL, NULL, NULL, NULL, NULL, NULL };
    world w;
    if (!reference || !world_of(&w, &p)) skip();
    su_estimand mean = { .y = numbers(&w, "api00") };
    su_estimate e;
    estimate(&w, &mean, 1, &e, NULL);
    near(p.name, su_reference_at(reference, p.name), "mean/est", e.estimate);
    near(p.name, su_reference_at(reference, p.name), "mean/se", sqrt(e.variance));
    near(p.name, su_reference_at(reference, p.name), "mean/vcov/0/0", e.variance);
    world_free(&w);
}

/* A domain of two schools: the number is R's, and so are its degrees of freedom. */
static void test_tiny_domain(void **state)
{
    (void)state;
    world w;
    if (!reference || !world_of(&w, &plans[0])) skip();
    const json_t *want = su_reference_at(reference, "edge/empty_or_tiny_domain");
    uint32_t *stype = levels(&w, "stype"), *wide = levels(&w, "sch.wide"), *comp = levels(&w, "comp.imp"), in[200];
    uint32_t e_level = level_named(&w, "stype", "E"), no = level_named(&w, "sch.wide", "No"), yes = level_named(&w, "comp.imp", "Yes");
    for (uint64_t r = 0; r < w.frame->rows; r++) in[r] = stype[r] == e_level && wide[r] == no && comp[r] == yes;
    su_estimand mean = { .y = numbers(&w, "api00"), .group = in, .groups = 1 };
    su_estimate e;
    estimate(&w, &mean, 1, &e, NULL);
    near("tiny domain", want, "n", (double)e.n);
    near("tiny domain", want, "mean", e.estimate);
    near("tiny domain", want, "se", sqrt(e.variance));
    near("tiny domain", want, "degf", e.df);
    for (uint64_t r = 0; r < w.frame->rows; r++) in[r] = 0;
    estimate(&w, &mean, 1, &e, NULL); /* nobody: no number, no crash */
    assert_true(isnan(e.estimate) && isnan(e.variance) && e.n == 0);
    world_free(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_means),       cmocka_unit_test(test_levels),      cmocka_unit_test(test_totals_and_ratios),
        cmocka_unit_test(test_groups),      cmocka_unit_test(test_domain),      cmocka_unit_test(test_intervals),
        cmocka_unit_test(test_association), cmocka_unit_test(test_quantiles),   cmocka_unit_test(test_spread_and_t),
        cmocka_unit_test(test_shah_vaish),  cmocka_unit_test(test_unweighted),  cmocka_unit_test(test_tiny_domain),
    };
    return cmocka_run_group_tests_name("survey", tests, load, unload);
}
