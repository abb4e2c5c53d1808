/* Rates, means, totals, ratios and quantiles of groups, as a result. */
#include "numeric/special.h"
#include "rates/design.h"
#include "rates/outcome.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define UNSTABLE_DF 8
#define COARSE_CV 0.30
enum { FEW_CASES = 5 };

typedef struct rates_run {
    su_context *ctx;
    su_frame *f;
    const su_design *d;
    const su_rates_options *o;
    su_result *r;
    double level;
    su_ci ci;
    uint32_t groups;
    const uint32_t *all, *group; /* the domain, and its groups */
    su_result_table *shares, *means, *totals, *ratios, *quantiles;
    bool facts_told;
    double effective_n, deff;
} rates_run;

/* One line: which estimate, and what it is compared with when its own variance says nothing. */
typedef struct line {
    const su_outcome_columns *c;
    const char *value, *group;
    const su_estimate *e, *parent;
    double unweighted;
    bool suppressed;
} line;

static su_result_table *table(rates_run *run, su_result_table **slot, const char *id, const char *title, su_column_kind kind)
{
    if (*slot) return *slot;
    su_result_table *t = *slot = su_result_table_add(run->r, id, title);
    su_result_column(t, "outcome", "outcome", SU_COLUMN_TEXT);
    su_result_column(t, "value", "value", SU_COLUMN_TEXT);
    su_result_column(t, "group", run->o->by ? run->o->by->name : "group", SU_COLUMN_TEXT);
    su_result_column(t, "n", "n", SU_COLUMN_INTEGER);
    if (kind == SU_COLUMN_PERCENT) su_result_column(t, "cases", "cases", SU_COLUMN_INTEGER);
    su_result_column(t, "estimate", "estimate", kind);
    su_result_column(t, "low", "low", kind);
    su_result_column(t, "high", "high", kind);
    su_result_column(t, "se", "SE", kind);
    if (run->d->weights || run->o->design_given) su_result_column(t, "unweighted", "unweighted", kind);
    su_result_column(t, "effective_n", "effective n", SU_COLUMN_NUMBER);
    su_result_column(t, "deff", "deff", SU_COLUMN_NUMBER);
    su_result_column(t, "df", "df", SU_COLUMN_INTEGER);
    su_result_column(t, "cv", "CV", SU_COLUMN_PERCENT);
    su_result_column(t, "flag", "flag", SU_COLUMN_TEXT);
    return t;
}

static double assumed_deff(const su_estimate *parent)
{
    double own = isfinite(parent->deff_replace) ? parent->deff_replace : 1, kish = isfinite(parent->kish) ? parent->kish : 1;
    return fmax(1, fmax(own, kish));
}

static su_interval share_interval(const rates_run *run, const line *l)
{
    const su_estimate *e = l->e;
    if (!run->o->design_given && !run->o->replicates) return su_binomial_interval(run->ci, (double)e->nonzero, (double)e->n, run->level);
    return su_proportion_interval(run->ci, e->estimate, e->variance, e->df, (double)e->n, assumed_deff(l->parent), run->level);
}

static void add_flag(su_buf *flags, const char *text) { su_buf_printf(flags, "%s%s", flags->n ? ", " : "", text); }

static void warn_line(rates_run *run, const line *l, su_interval i, su_buf *flags)
{
    const su_estimate *e = l->e;
    double cv = sqrt(e->variance) / fabs(e->estimate);
    if (!e->n) add_flag(flags, "no rows");
    if (l->suppressed) add_flag(flags, "suppressed");
    if (!e->n || l->suppressed) return;
    if (e->df < UNSTABLE_DF && e->df > 0) {
        add_flag(flags, "unstable");
        su_result_warn(run->r, "W_FEW_UNITS",
                       "some variances rest on fewer than %d degrees of freedom (flag \"unstable\"): the intervals are right only roughly",
                       UNSTABLE_DF);
    }
    if (cv > COARSE_CV && isfinite(cv)) {
        add_flag(flags, "imprecise");
        su_result_warn(run->r, "W_LOW_PRECISION",
                       "some estimates have a standard error above %.0f %% of themselves (flag \"imprecise\"): do not rank by them",
                       100 * COARSE_CV);
    }
    uint64_t fewest = e->nonzero < e->n - e->nonzero ? e->nonzero : e->n - e->nonzero;
    if (l->c && l->c->share && fewest > 0 && fewest < FEW_CASES) {
        add_flag(flags, "few cases");
        su_result_warn(run->r, "W_FEW_CASES",
                       "some rates rest on fewer than %d cases or non-cases (flag \"few cases\"): there the default intervals hold the "
                       "true rate in 92 to 100 %% of simulated samples instead of 95, mostly wider than needed",
                       FEW_CASES);
    }
    if (l->c && l->c->share && (e->nonzero == 0 || e->nonzero == e->n)) {
        add_flag(flags, e->nonzero ? "all" : "none");
        su_result_warn(run->r, "W_ZERO_COUNT",
                       "some groups have no case, or only cases: the variance says nothing there, and the interval is that of as many "
                       "independent rows as the "
                       "design is worth elsewhere in the table");
    }
    if (isnan(i.low)) {
        add_flag(flags, e->df <= 0 ? "no interval: one sampling unit" : "no interval");
        su_result_warn(run->r, "W_NO_INTERVAL",
                       "some rows have no interval: one sampling unit has no spread, or the method chosen has none at 0 or 100 %%");
    }
}

static void write_line(rates_run *run, su_result_table *t, const line *l, su_interval i)
{
    const su_estimate *e = l->e;
    bool share = t == run->shares, hide = l->suppressed || !e->n, columns = run->d->weights || run->o->design_given;
    su_buf flags = { 0 };
    warn_line(run, l, i, &flags);
    double m = share ? su_proportion_effective_n(e->estimate, e->variance) : (double)e->n / e->deff_replace;
    if (!run->o->design_given && !run->o->replicates)
        m = (double)e->n;
    else if (share && !(m > 0))
        m = (double)e->n / assumed_deff(l->parent);
    double deff = !run->o->design_given && !run->o->replicates ? 1 : su_outcome_deff(run->d, e);
    su_result_text(t, l->c->name);
    su_result_text(t, l->value);
    su_result_text(t, l->group);
    if (l->suppressed && e->n < run->o->min_cell)
        su_result_number(t, NAN);
    else
        su_result_integer(t, (int64_t)e->n);
    if (share) su_result_number(t, hide ? NAN : (double)e->nonzero);
    su_result_number(t, hide ? NAN : e->estimate);
    su_result_number(t, hide ? NAN : i.low);
    su_result_number(t, hide ? NAN : i.high);
    su_result_number(t, hide ? NAN : sqrt(e->variance));
    if (columns) su_result_number(t, hide ? NAN : l->unweighted);
    su_result_number(t, hide ? NAN : m);
    su_result_number(t, hide ? NAN : deff);
    su_result_number(t, hide ? NAN : e->df);
    su_result_number(t, hide ? NAN : sqrt(e->variance) / fabs(e->estimate));
    su_result_text(t, flags.n ? flags.p : "");
    su_buf_free(&flags);
    if (isnan(run->effective_n) && !hide) {
        run->effective_n = m;
        run->deff = deff;
    }
}

/* Which groups rest on too few people; where one alone would be hidden, the next smallest goes with it, or the total would tell. */
static void suppress(const rates_run *run, bool share, const su_estimate *e, uint32_t groups, bool *hidden)
{
    uint32_t count = 0, next = UINT32_MAX;
    for (uint32_t g = 0; g < groups; g++) {
        uint64_t least = share ? (e[g].nonzero < e[g].n - e[g].nonzero ? e[g].nonzero : e[g].n - e[g].nonzero) : e[g].n;
        hidden[g] = e[g].n && least < run->o->min_cell;
        count += hidden[g];
    }
    for (uint32_t g = 0; g < groups && count == 1; g++)
        if (!hidden[g] && e[g].n && (next == UINT32_MAX || e[g].nonzero < e[next].nonzero)) next = g;
    if (next != UINT32_MAX) hidden[next] = true;
    if (count)
        su_result_warn(run->r, "W_SUPPRESSED", "groups that rest on fewer than %llu cases or non-cases are not printed%s",
                       (unsigned long long)run->o->min_cell,
                       next != UINT32_MAX ? ", and one more, so that the total does not give them away" : "");
}

/* Unweighted estimates: of the domain, then of the groups. */
static void plain_means(const rates_run *run, const su_estimand *e, double *out)
{
    size_t groups = (run->o->by ? run->groups : 0) + 1;
    double *sum = su_alloc_array(groups, 2 * sizeof *sum);
    for (uint64_t r = 0; r < run->f->rows; r++) {
        double y = e->level ? (double)(e->level[r] == e->value) : e->y[r], x = e->x ? e->x[r] : 1;
        if (!run->all[r] || !(run->d->weight[r] > 0) || (e->level && !e->level[r]) || isnan(y) || isnan(x)) continue;
        size_t own = run->o->by ? run->group[r] : 0;
        for (size_t at = 0;; at = own) {
            sum[2 * at] += y;
            sum[2 * at + 1] += x;
            if (at == own) break;
        }
    }
    for (size_t g = 0; g < groups; g++) out[g] = e->statistic == SU_TOTAL ? sum[2 * g] : sum[2 * g] / sum[2 * g + 1];
    free(sum);
}

static su_status estimate(rates_run *run, const su_estimand *e, su_estimate *out)
{
    return run->o->replicates ? su_replicates_estimate(run->ctx, run->d, run->o->replicates, e, 1, out, NULL)
                              : su_design_estimate(run->ctx, run->d, e, 1, out, NULL);
}

static void tell_facts(rates_run *run, const su_estimate *all)
{
    if (!run->facts_told)
        su_outcome_design_facts(run->r, run->d, all, run->level, run->o->within_text, run->o->design_given, run->o->nonprobability);
    run->facts_told = true;
}

/* One value of one outcome: the domain, then its groups. */
static su_status one_value(rates_run *run, const su_outcome_columns *c, const su_estimand *base, const char *value, su_result_table *t)
{
    su_estimand whole = *base, groups = *base;
    su_estimate all, *e = su_alloc_array(run->groups + 1, sizeof *e);
    bool *hidden = su_alloc_array(run->groups + 1, sizeof *hidden), share = t == run->shares;
    double *plain = su_alloc_array(run->groups + 1, sizeof *plain);
    whole.group = run->all;
    whole.groups = 1;
    su_status st = estimate(run, &whole, &all);
    if (!st && run->o->by) {
        groups.group = run->group;
        groups.groups = run->groups;
        st = estimate(run, &groups, e);
    }
    if (st) goto out;
    tell_facts(run, &all);
    plain_means(run, base, plain);
    if (run->o->min_cell) suppress(run, share, e, run->o->by ? run->groups : 0, hidden);
    bool hide_all = false;
    if (run->o->min_cell) suppress(run, share, &all, 1, &hide_all);
    for (uint32_t g = 0; g <= (run->o->by ? run->groups : 0); g++) {
        line l = { c, value, g ? run->o->by->levels[g - 1] : "all", g ? &e[g - 1] : &all, &all, NAN, g ? hidden[g - 1] : hide_all };
        if (l.e->n) l.unweighted = plain[g];
        su_interval i = share ? share_interval(run, &l) : su_mean_interval(l.e->estimate, l.e->variance, l.e->df, run->level);
        write_line(run, t, &l, i);
    }
out:
    free(e);
    free(hidden);
    free(plain);
    return st;
}

static void quantiles_table(rates_run *run)
{
    su_result_table *t = run->quantiles = su_result_table_add(run->r, "quantiles", "Quantiles");
    su_result_column(t, "outcome", "outcome", SU_COLUMN_TEXT);
    su_result_column(t, "group", run->o->by ? run->o->by->name : "group", SU_COLUMN_TEXT);
    su_result_column(t, "n", "n", SU_COLUMN_INTEGER);
    su_result_column(t, "p", "share below", SU_COLUMN_NUMBER);
    su_result_column(t, "estimate", "quantile", SU_COLUMN_NUMBER);
    su_result_column(t, "low", "low", SU_COLUMN_NUMBER);
    su_result_column(t, "high", "high", SU_COLUMN_NUMBER);
    su_result_column(t, "se", "SE", SU_COLUMN_NUMBER);
}

static su_status quantiles(rates_run *run, const su_outcome_columns *c)
{
    const su_rates_options *o = run->o;
    if (c->share) return su_fail(run->ctx, SU_INPUT, "column '%s' has no quantiles: it is a yes or no, or a list of names", c->name);
    if (!run->quantiles) quantiles_table(run);
    su_estimand whole = { .y = c->estimands[0].y, .group = run->all, .groups = 1 };
    su_estimate all;
    su_status st = su_design_estimate(run->ctx, run->d, &whole, 1, &all, NULL);
    if (!st) tell_facts(run, &all);
    if (!st && isnan(run->effective_n)) {
        run->deff = su_outcome_deff(run->d, &all);
        run->effective_n = (double)all.n / all.deff_replace;
    }
    su_estimand by = { .y = c->estimands[0].y, .group = run->group, .groups = run->groups };
    su_estimate *e = su_alloc_array(run->groups, sizeof *e);
    su_quantile *q = su_alloc_array(o->quantile_count, sizeof *q);
    if (!st && o->by) st = su_design_estimate(run->ctx, run->d, &by, 1, e, NULL);
    for (uint32_t g = 0; g <= (o->by ? run->groups : 0) && !st; g++) {
        uint64_t n = g ? e[g - 1].n : all.n;
        bool hide = n < o->min_cell;
        if (hide) su_result_warn(run->r, "W_SUPPRESSED", "groups of fewer than %llu rows are not printed", (unsigned long long)o->min_cell);
        st = su_design_quantiles(run->ctx, run->d, c->estimands[0].y, g ? run->group : run->all, g ? g : 1, o->rule, run->level,
                                 o->quantiles, o->quantile_count, q);
        for (size_t k = 0; k < o->quantile_count && !st; k++) {
            su_result_text(run->quantiles, c->name);
            su_result_text(run->quantiles, g ? o->by->levels[g - 1] : "all");
            su_result_number(run->quantiles, hide ? NAN : (double)n);
            su_result_number(run->quantiles, q[k].p);
            su_result_number(run->quantiles, hide ? NAN : q[k].estimate);
            su_result_number(run->quantiles, hide ? NAN : q[k].low);
            su_result_number(run->quantiles, hide ? NAN : q[k].high);
            su_result_number(run->quantiles, hide ? NAN : q[k].se);
        }
    }
    free(e);
    free(q);
    return st;
}

static su_status one_outcome(rates_run *run, const su_outcome *outcome)
{
    const su_rates_options *o = run->o;
    su_outcome_columns c;
    const double *x = NULL;
    su_status st = su_outcome_read(run->ctx, run->f, run->d, outcome, run->all, &c);
    if (st) return st;
    su_outcome_warn_missing(run->r, run->f, run->d, &c, run->all);
    if (o->kind == SU_RATES_QUANTILE) return quantiles(run, &c);
    if (o->kind == SU_RATES_RATIO) {
        if (o->denominator->kind != SU_VARIABLE_NUMBER)
            return su_fail(run->ctx, SU_INPUT, "the denominator '%s' is not a column of numbers", o->denominator->name);
        x = su_outcome_numbers(run->f, o->denominator);
    }
    for (uint32_t k = 0; k < c.count && !st; k++) {
        su_estimand e = c.estimands[k];
        su_result_table *t;
        if (o->kind == SU_RATES_TOTAL) {
            e.statistic = SU_TOTAL;
            t = table(run, &run->totals, "totals", "Totals", SU_COLUMN_NUMBER);
        } else if (o->kind == SU_RATES_RATIO) {
            e.statistic = SU_RATIO;
            e.x = x;
            t = table(run, &run->ratios, "ratios", "Ratios", SU_COLUMN_NUMBER);
        } else
            t = c.share ? table(run, &run->shares, "rates", "Rates", SU_COLUMN_PERCENT)
                        : table(run, &run->means, "means", "Means", SU_COLUMN_NUMBER);
        st = one_value(run, &c, &e, c.values[k], t);
    }
    return st;
}

static void describe(rates_run *run)
{
    const su_rates_options *o = run->o;
    int percent = (int)lround(100 * run->level);
    if (run->shares)
        su_result_method(run->r, "Intervals (%d %%) of rates are by the method %s%s.", percent, su_ci_name(run->ci),
                         o->design_given ? ", on the t distribution with the degrees of freedom of the group" : "");
    if (run->means || run->totals || run->ratios)
        su_result_method(
            run->r, "Intervals (%d %%) of means, totals and ratios are on the t distribution with the degrees of freedom of the group.",
            percent);
    if (run->quantiles) su_result_method(run->r, "Intervals (%d %%) of quantiles are Woodruff's.", percent);
    if (o->replicates)
        su_result_method(run->r, "Variances are by replicates (%s, %u of them) instead of linearisation.", o->replicate_name,
                         su_replicates_count(o->replicates));
    su_result_fact_text(run->r, "method", "Method of intervals", run->shares ? su_ci_name(run->ci) : run->quantiles ? "woodruff" : "t");
    su_result_fact(run->r, "effective_n", "Effective n", run->effective_n);
    su_result_fact(run->r, "deff", "Design effect", run->deff);
    su_result_table *tables[] = { run->shares, run->means, run->totals, run->ratios };
    static const char *const titles[] = { "Rates with intervals", "Means with intervals", "Totals with intervals",
                                          "Ratios with intervals" };
    const char *label = o->outcome_count > 1 ? (o->by ? "outcome+value+group" : "outcome+value") : o->by ? "value+group" : "value";
    for (int i = 0; i < 4; i++)
        if (tables[i]) su_result_plot(run->r, SU_PLOT_INTERVALS, titles[i], tables[i], label, NULL, "estimate", "low", "high");
}

su_status su_rates_result(su_context *ctx, su_frame *f, const su_design *d, const su_rates_options *o, su_result **out)
{
    uint64_t unused = 0, without = 0;
    rates_run run = { .ctx = ctx, .f = f, .d = d, .o = o, .level = o->level > 0 ? o->level : 0.95, .effective_n = NAN, .deff = NAN };
    *out = NULL;
    run.ci = o->ci_given ? o->ci : o->design_given || o->replicates ? SU_CI_KORN_GRAUBARD : SU_CI_WILSON;
    if (su_ci_needs_counts(run.ci) && (o->design_given || o->replicates))
        return su_fail(
            ctx, SU_REFUSED,
            "--ci %s is for counts without weights, strata or clusters; with them use korn-graubard, logit, wilson, beta, asin or mean",
            su_ci_name(run.ci));
    run.r = su_result_new("rates", "Rates");
    run.all = su_outcome_groups(f, NULL, o->within, &unused);
    run.group = o->by ? su_outcome_groups(f, o->by, o->within, &without) : run.all;
    run.groups = o->by ? o->by->level_count : 1;
    if (without)
        su_result_warn(run.r, "W_MISSING", "%llu rows of the domain have no value of '%s': they count in \"all\" and in no group",
                       (unsigned long long)without, o->by->name);
    su_status st = SU_OK;
    for (size_t i = 0; i < o->outcome_count && !st; i++) st = one_outcome(&run, &o->outcomes[i]);
    if (!st) {
        describe(&run);
        *out = run.r;
    } else
        su_result_free(run.r);
    return st;
}
