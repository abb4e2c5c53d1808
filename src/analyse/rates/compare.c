/* Groups compared: differences, ratios and odds ratios side by side, so that nobody mistakes one for another; tests of association. */
#include "numeric/special.h"
#include "rates/design.h"
#include "rates/outcome.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct comparing {
    su_context *ctx;
    su_frame *f;
    const su_design *d;
    const su_compare_options *o;
    su_result *r;
    su_outcome_columns c;
    su_estimand estimand;
    const uint32_t *group;
    uint32_t groups, reference; /* reference: 0-based */
    su_estimate all, *e;
    double *v; /* groups x groups */
    double level, df;
    su_result_table *comparisons, *tests;
} comparing;

static bool too_small(const comparing *run, const su_estimate *e)
{
    uint64_t k = run->o->min_cell, other = e->n - e->nonzero;
    return k && (e->n < k || (run->c.share && (e->nonzero < k || other < k)));
}

static su_interval own_interval(const comparing *run, const su_estimate *e)
{
    if (!run->c.share) return su_mean_interval(e->estimate, e->variance, e->df, run->level);
    if (!run->o->design_given) return su_binomial_interval(SU_CI_WILSON, (double)e->nonzero, (double)e->n, run->level);
    double deff = isfinite(run->all.deff_replace) ? run->all.deff_replace : 1;
    return su_proportion_interval(SU_CI_KORN_GRAUBARD, e->estimate, e->variance, e->df, (double)e->n, fmax(deff, run->all.kish),
                                  run->level);
}

static void groups_table(comparing *run)
{
    su_column_kind kind = run->c.share ? SU_COLUMN_PERCENT : SU_COLUMN_NUMBER;
    su_result_table *t = su_result_table_add(run->r, "groups", run->c.share ? "Rates of the groups" : "Means of the groups");
    su_result_column(t, "group", run->o->by->name, SU_COLUMN_TEXT);
    su_result_column(t, "n", "n", SU_COLUMN_INTEGER);
    if (run->c.share) su_result_column(t, "cases", "cases", SU_COLUMN_INTEGER);
    su_result_column(t, "estimate", "estimate", kind);
    su_result_column(t, "low", "low", kind);
    su_result_column(t, "high", "high", kind);
    su_result_column(t, "se", "SE", kind);
    su_result_column(t, "df", "df", SU_COLUMN_INTEGER);
    for (uint32_t g = 0; g < run->groups; g++) {
        const su_estimate *e = &run->e[g];
        su_interval i = own_interval(run, e);
        bool hide = too_small(run, e) || !e->n;
        if (hide && e->n)
            su_result_warn(run->r, "W_SUPPRESSED", "groups that rest on fewer than %llu cases or non-cases are not printed or compared",
                           (unsigned long long)run->o->min_cell);
        su_result_text(t, run->o->by->levels[g]);
        su_result_number(t, hide ? NAN : (double)e->n);
        if (run->c.share) su_result_number(t, hide ? NAN : (double)e->nonzero);
        su_result_number(t, hide ? NAN : e->estimate);
        su_result_number(t, hide ? NAN : i.low);
        su_result_number(t, hide ? NAN : i.high);
        su_result_number(t, hide ? NAN : sqrt(e->variance));
        su_result_number(t, hide ? NAN : e->df);
    }
    su_result_plot(run->r, SU_PLOT_INTERVALS, run->c.share ? "Rates of the groups" : "Means of the groups", t, "group", NULL, "estimate",
                   "low", "high");
}

static void comparison(comparing *run, uint32_t g, const char *measure, double x, su_interval i, double p, const char *method)
{
    su_buf name = { 0 };
    su_buf_printf(&name, "%s against %s", run->o->by->levels[g], run->o->by->levels[run->reference]);
    su_result_text(run->comparisons, name.p);
    su_result_text(run->comparisons, measure);
    su_result_number(run->comparisons, x);
    su_result_number(run->comparisons, i.low);
    su_result_number(run->comparisons, i.high);
    su_result_number(run->comparisons, p);
    su_result_text(run->comparisons, method);
    su_buf_free(&name);
}

static void test_line(comparing *run, const char *name, double statistic, double df1, double df2, double p)
{
    su_result_text(run->tests, name);
    su_result_number(run->tests, statistic);
    su_result_number(run->tests, df1);
    su_result_number(run->tests, df2);
    su_result_number(run->tests, p);
}

/* p of a Wald statistic x / se. */
static double wald_p(const comparing *run, double x, double se) { return su_t_two_sided(x / se, run->df); }

static su_interval on_log(const comparing *run, double x, double se)
{
    double t = su_t_quantile(0.5 + run->level / 2, run->df);
    return (su_interval) { x * exp(-t * se), x * exp(t * se) };
}

/* In a design: contrasts of the joint covariance. Where a rate is 0 or 1 its variance says nothing: the difference takes the distances of
 * both rates to the ends of their own intervals (Newcombe's hybrid; Zou and Donner 2008, doi:10.1002/sim.3095), and ratios have no
 * interval. */
static void compare_in_design(comparing *run, uint32_t g)
{
    uint32_t r = run->reference;
    size_t k = run->groups;
    double p1 = run->e[g].estimate, p2 = run->e[r].estimate, v1 = run->v[g * k + g], v2 = run->v[r * k + r], c = run->v[g * k + r];
    double variance = v1 + v2 - 2 * c;
    bool edge = run->c.share && (p1 <= 0 || p1 >= 1 || p2 <= 0 || p2 >= 1);
    su_interval i = su_mean_interval(p1 - p2, variance, run->df, run->level), none = { NAN, NAN };
    if (edge) {
        su_interval a = own_interval(run, &run->e[g]), b = own_interval(run, &run->e[r]);
        i = (su_interval) { p1 - p2 - hypot(p1 - a.low, b.high - p2), p1 - p2 + hypot(a.high - p1, p2 - b.low) };
        su_result_warn(
            run->r, "W_ZERO_COUNT",
            "a group has no case, or only cases: its ratios have no interval, and the difference rests on the groups' own intervals");
    }
    comparison(run, g, "difference", p1 - p2, i, edge ? NAN : wald_p(run, p1 - p2, sqrt(variance)),
               edge ? "hybrid of own intervals" : "linearised contrast, t");
    double log_variance = v1 / (p1 * p1) + v2 / (p2 * p2) - 2 * c / (p1 * p2), log_se = sqrt(log_variance);
    bool positive = p1 > 0 && p2 > 0;
    comparison(run, g, "ratio", p1 / p2, edge || !positive ? none : on_log(run, p1 / p2, log_se),
               edge || !positive ? NAN : wald_p(run, log(p1 / p2), log_se), "linearised on the log, t");
    if (!run->c.share) return;
    double s1 = p1 * (1 - p1), s2 = p2 * (1 - p2), odds = p1 / (1 - p1) / (p2 / (1 - p2));
    double odds_se = sqrt(v1 / (s1 * s1) + v2 / (s2 * s2) - 2 * c / (s1 * s2));
    comparison(run, g, "odds ratio", odds, edge ? none : on_log(run, odds, odds_se), edge ? NAN : wald_p(run, log(odds), odds_se),
               "linearised on the log, t");
}

static void compare_counts(comparing *run, uint32_t g)
{
    const su_estimate *a = &run->e[g], *b = &run->e[run->reference];
    su_two_rates t = su_two_rates_of((int64_t)a->nonzero, (int64_t)a->n, (int64_t)b->nonzero, (int64_t)b->n, run->level);
    double least = fmin(fmin((double)a->nonzero, (double)(a->n - a->nonzero)), fmin((double)b->nonzero, (double)(b->n - b->nonzero)));
    comparison(run, g, "difference", t.difference, t.newcombe, t.pearson_p, "Newcombe; p of Pearson's chi square");
    comparison(run, g, "ratio", t.ratio, t.ratio_log, t.pearson_p, "log; p of Pearson's chi square");
    if (least < 5)
        comparison(run, g, "odds ratio", t.fisher_odds_ratio, t.fisher, t.fisher_p, "Fisher, conditional");
    else
        comparison(run, g, "odds ratio", t.odds_ratio, t.woolf, t.pearson_p, "Woolf; p of Pearson's chi square");
    if (least < 5)
        su_result_warn(run->r, "W_SMALL_COUNTS",
                       "a cell of '%s' against '%s' is below 5: Fisher's conditional odds ratio and test are used", run->o->by->levels[g],
                       run->o->by->levels[run->reference]);
}

static void comparisons_table(comparing *run)
{
    su_result_table *t = run->comparisons = su_result_table_add(run->r, "comparisons", "Comparisons");
    su_result_column(t, "groups", "groups", SU_COLUMN_TEXT);
    su_result_column(t, "measure", "measure", SU_COLUMN_TEXT);
    su_result_column(t, "estimate", "estimate", SU_COLUMN_NUMBER);
    su_result_column(t, "low", "low", SU_COLUMN_NUMBER);
    su_result_column(t, "high", "high", SU_COLUMN_NUMBER);
    su_result_column(t, "p", "p", SU_COLUMN_P);
    su_result_column(t, "method", "method", SU_COLUMN_TEXT);
    for (uint32_t g = 0; g < run->groups; g++) {
        if (g == run->reference || !run->e[g].n || too_small(run, &run->e[g]) || too_small(run, &run->e[run->reference])) continue;
        if (run->c.share && !run->o->design_given)
            compare_counts(run, g);
        else
            compare_in_design(run, g);
    }
}

/* ---- tests over all groups -------------------------------------------------------------------------------------------------- */

/* The outcome as a factor of yes and no. */
static su_variable yes_no(comparing *run)
{
    static const char *const names[] = { "no", "yes" };
    uint32_t *level = su_arena_array(&run->f->arena, (size_t)run->f->rows, sizeof *level);
    for (uint64_t r = 0; r < run->f->rows; r++) {
        const su_estimand *e = &run->estimand;
        if (e->level)
            level[r] = e->level[r] ? 1 + (e->level[r] == e->value) : 0;
        else
            level[r] = isnan(e->y[r]) ? 0 : 1 + (e->y[r] != 0);
    }
    return (su_variable) { .name = run->c.name, .kind = SU_VARIABLE_FACTOR, .level = level, .levels = names, .level_count = 2 };
}

static su_status association(comparing *run)
{
    su_association a;
    su_variable outcome = yes_no(run);
    su_status st = su_design_association(run->ctx, run->d, &outcome, run->o->by, run->o->within, &a);
    if (st) return st;
    if (run->o->design_given) {
        test_line(run, "Rao-Scott F, second order", a.f, a.df1, a.df2, a.p);
        test_line(run, "Rao-Scott chi square, first order", a.f * a.chi_df, a.chi_df, NAN, a.chi_p);
        test_line(run, "Wald, adjusted", a.adjusted_wald, a.wald_df1, a.adjusted_df2, a.adjusted_p);
    } else
        test_line(run, "Pearson chi square", a.pearson, a.chi_df, NAN, su_chi2_upper(a.pearson, a.chi_df));
    free(a.cells);
    return SU_OK;
}

static void trend(comparing *run)
{
    double *k = su_alloc_array(run->groups, sizeof *k), *n = su_alloc_array(run->groups, sizeof *n);
    for (uint32_t g = 0; g < run->groups; g++) {
        k[g] = (double)run->e[g].nonzero;
        n[g] = (double)run->e[g].n;
    }
    if (run->o->design_given) {
        /* The slope of the rates on the scores, weighted by the groups' sizes: a contrast. */
        double total = 0, mean = 0, slope = 0, variance = 0, spread = 0;
        for (uint32_t g = 0; g < run->groups; g++) {
            total += run->e[g].weight_sum;
            mean += run->e[g].weight_sum * run->o->scores[g];
        }
        mean /= total;
        for (uint32_t g = 0; g < run->groups; g++) spread += run->e[g].weight_sum * pow(run->o->scores[g] - mean, 2);
        for (uint32_t g = 0; g < run->groups; g++) {
            if (!run->e[g].n) continue;
            double a = run->e[g].weight_sum * (run->o->scores[g] - mean) / spread;
            slope += a * run->e[g].estimate;
            for (uint32_t h = 0; h < run->groups; h++)
                if (run->e[h].n)
                    variance += a * run->e[h].weight_sum * (run->o->scores[h] - mean) / spread * run->v[(size_t)g * run->groups + h];
        }
        test_line(run, "trend over the groups (slope), t", slope / sqrt(variance), run->df, NAN, wald_p(run, slope, sqrt(variance)));
    } else {
        double x = su_trend_chi2(k, n, run->o->scores, run->groups);
        test_line(run, "trend over the groups (Cochran-Armitage)", x, 1, NAN, su_chi2_upper(x, 1));
    }
    free(k);
    free(n);
}

static su_status mantel_haenszel(comparing *run)
{
    const su_variable *s = run->o->strata;
    if (!run->c.share)
        return su_fail(run->ctx, SU_REFUSED,
                       "--stratify (Mantel-Haenszel) compares rates, and the outcome is a number with a mean. Choose a value of it with "
                       "--outcome COL=VALUE, or leave --stratify out");
    if (run->groups != 2)
        return su_fail(run->ctx, SU_REFUSED, "--stratify (Mantel-Haenszel) compares a rate of two groups; '%s' has %u", run->o->by->name,
                       run->groups);
    if (run->o->design_given)
        su_result_warn(run->r, "W_UNWEIGHTED",
                       "the Mantel-Haenszel odds ratio counts rows: weights, strata and clusters of the survey do not enter it");
    double *tables = su_alloc_array(s->level_count, 4 * sizeof *tables);
    uint32_t second = run->reference;
    for (uint64_t r = 0; r < run->f->rows; r++) {
        const su_estimand *e = &run->estimand;
        uint32_t stratum = su_frame_level(s, r), g = run->group[r];
        double y = e->level ? (double)(e->level[r] == e->value) : e->y[r];
        if (!stratum || !g || (e->level && !e->level[r]) || isnan(y) || !(run->d->weight[r] > 0)) continue;
        tables[(stratum - 1) * 4 + (g - 1 == second ? 2 : 0) + (y == 0)]++;
    }
    su_mantel_haenszel mh = su_mantel_haenszel_of(tables, s->level_count, run->level);
    free(tables);
    comparison(run, 1 - second, "common odds ratio", mh.odds_ratio, mh.interval, mh.p, "Mantel-Haenszel; Robins-Breslow-Greenland");
    test_line(run, "Mantel-Haenszel chi square", mh.chi2, 1, NAN, mh.p);
    test_line(run, "Mantel-Haenszel chi square, continuity corrected", mh.chi2_corrected, 1, NAN, mh.p_corrected);
    test_line(run, "Breslow-Day: odds ratios differ between strata", mh.breslow_day, (double)s->level_count - 1, NAN, mh.breslow_day_p);
    return SU_OK;
}

static su_status tests_table(comparing *run)
{
    su_result_table *t = run->tests = su_result_table_add(run->r, "tests", "Tests");
    su_status st = SU_OK;
    bool hidden = false;
    su_result_column(t, "test", "test", SU_COLUMN_TEXT);
    su_result_column(t, "statistic", "statistic", SU_COLUMN_NUMBER);
    su_result_column(t, "df1", "df", SU_COLUMN_NUMBER);
    su_result_column(t, "df2", "df 2", SU_COLUMN_NUMBER);
    su_result_column(t, "p", "p", SU_COLUMN_P);
    for (uint32_t g = 0; g < run->groups; g++) hidden |= run->e[g].n && too_small(run, &run->e[g]);
    if (hidden) return SU_OK;
    if (run->groups > 3)
        su_result_warn(run->r, "W_MANY_COMPARISONS",
                       "%u groups are compared with the same one: the p values are not adjusted for their number; look at the test over "
                       "all groups first",
                       run->groups - 1);
    if (run->c.share) st = association(run);
    if (!st && run->o->scores) trend(run);
    if (!st && run->o->strata) st = mantel_haenszel(run);
    return st;
}

/* ---- the whole -------------------------------------------------------------------------------------------------------------- */

static su_status prepare(comparing *run)
{
    const su_compare_options *o = run->o;
    uint64_t missing = 0, used = 0;
    su_status st = su_outcome_read(run->ctx, run->f, run->d, &o->outcome, o->within, &run->c);
    if (st) return st;
    if (run->c.count > 2)
        return su_fail(run->ctx, SU_INPUT, "column '%s' has %u values; choose the one to compare: --outcome %s=%s", run->c.name,
                       run->c.count, run->c.name, run->c.values[0]);
    run->estimand = run->c.estimands[run->c.count - 1];
    run->group = su_outcome_groups(run->f, o->by, o->within, &missing);
    run->groups = o->by->level_count;
    run->e = su_alloc_array(run->groups, sizeof *run->e);
    run->v = su_alloc_array(run->groups, (size_t)run->groups * sizeof *run->v);
    run->estimand.group = run->group;
    run->estimand.groups = run->groups;
    uint32_t *any = su_arena_array(&run->f->arena, (size_t)run->f->rows, sizeof *any);
    for (uint64_t r = 0; r < run->f->rows; r++) any[r] = run->group[r] != 0;
    su_estimand whole = run->estimand;
    whole.group = any;
    whole.groups = 1;
    st = su_design_estimate(run->ctx, run->d, &whole, 1, &run->all, NULL);
    if (!st) st = su_design_estimate(run->ctx, run->d, &run->estimand, 1, run->e, run->v);
    if (st) return st;
    for (uint32_t g = 0; g < run->groups; g++) used += run->e[g].n > 0;
    if (used < 2)
        return su_fail(run->ctx, SU_REFUSED, "only %llu group of '%s' has rows with a value of '%s': there is nothing to compare",
                       (unsigned long long)used, o->by->name, run->c.name);
    if (run->c.share && (run->all.nonzero == 0 || run->all.nonzero == run->all.n))
        return su_fail(run->ctx, SU_REFUSED, "'%s' is the same in all %llu rows looked at: there is nothing to compare", run->c.name,
                       (unsigned long long)run->all.n);
    for (uint32_t g = run->groups; g-- > 0;)
        if (run->e[g].n && (!o->reference || strcmp(o->by->levels[g], o->reference) == 0)) run->reference = g;
    if (o->reference && strcmp(o->by->levels[run->reference], o->reference) != 0)
        return su_fail(run->ctx, SU_INPUT, "no row has '%s' in column '%s', which was to be the reference", o->reference, o->by->name);
    /* As R's svyttest: the contrast of two groups costs one degree of freedom more. */
    run->df = o->design_given || !run->c.share ? run->all.df - (run->c.share ? 0 : 1) : INFINITY;
    if (missing)
        su_result_warn(run->r, "W_MISSING", "%llu rows have no value of '%s' and are left out", (unsigned long long)missing, o->by->name);
    return SU_OK;
}

su_status su_compare_result(su_context *ctx, su_frame *f, const su_design *d, const su_compare_options *o, su_result **out)
{
    comparing run = { .ctx = ctx, .f = f, .d = d, .o = o, .level = o->level > 0 ? o->level : 0.95 };
    run.r = su_result_new("compare", "Comparison of groups");
    *out = NULL;
    su_status st = prepare(&run);
    if (st) goto out;
    su_outcome_design_facts(run.r, d, &run.all, run.level, o->within_text, o->design_given, o->nonprobability);
    su_result_fact_text(run.r, "outcome", "Outcome", run.c.name);
    if (run.c.share) su_result_fact_text(run.r, "value", "Value counted", run.c.values[run.c.count - 1]);
    su_result_fact_text(run.r, "reference", "Reference group", o->by->levels[run.reference]);
    su_result_fact(run.r, "effective_n", "Effective n", o->design_given ? (double)run.all.n / run.all.deff_replace : (double)run.all.n);
    su_result_fact(run.r, "deff", "Design effect", o->design_given ? su_outcome_deff(d, &run.all) : 1);
    su_result_fact_text(run.r, "method", "Method",
                        o->design_given ? "linearised contrasts, Rao-Scott" : "Newcombe, Woolf or Fisher, Pearson");
    su_outcome_warn_missing(run.r, f, d, &run.c, o->within);
    groups_table(&run);
    comparisons_table(&run);
    st = tests_table(&run);
    su_result_method(run.r,
                     "Each group is compared with '%s' by the difference, the ratio and (for rates) the odds ratio, with %.0f %% "
                     "intervals. A ratio of two is "
                     "\"twice the rate\", a difference of 0.10 is \"ten percentage points more\"; an odds ratio is neither.",
                     o->by->levels[run.reference], 100 * run.level);
out:
    free(run.e);
    free(run.v);
    if (st)
        su_result_free(run.r);
    else
        *out = run.r;
    return st;
}
