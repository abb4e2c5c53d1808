#include "mse/panel.h"
#include "mse/heterogeneity.h"

#include <math.h>
#include <stdlib.h>

static const double FACTOR_TO_REFUSE = 2.0, SHARE_TO_WARN = 0.10;

su_mse_options su_mse_defaults(void)
{
    return (su_mse_options) { .seed = 1,
                              .replicates = 5000,
                              .best_replicates = 1000,
                              .most_models = 40000,
                              .threshold_p = 0.02,
                              .aic_wald_p = 0.05,
                              .starts = 20,
                              .level = 0.95,
                              .latent_sweeps = 20000,
                              .latent_chains = 8,
                              .latent_classes = 10,
                              .coverage = 200,
                              .sensitivity = true };
}

static void fill_defaults(su_mse_options *o)
{
    const su_mse_options d = su_mse_defaults();
    if (!o->methods) o->methods = (1u << SU_MSE_METHODS) - 1;
    if (!o->most_models) o->most_models = d.most_models;
    if (!(o->threshold_p > 0)) o->threshold_p = d.threshold_p;
    if (!(o->aic_wald_p > 0)) o->aic_wald_p = d.aic_wald_p;
    if (!o->starts) o->starts = d.starts;
    if (!(o->level > 0)) o->level = d.level;
    if (!o->latent_sweeps) o->latent_sweeps = d.latent_sweeps;
    if (!o->latent_chains) o->latent_chains = d.latent_chains;
    if (!o->latent_classes) o->latent_classes = d.latent_classes;
}

static bool panel_wants(const su_panel *p, su_mse_method method) { return p->opt.methods >> method & 1; }

void su_panel_columns(su_panel *p)
{
    su_result_table *t = p->table =
        su_result_table_add(p->result, "panel", "Estimates of all people, by method: no one of them is the answer");
    su_result_column(t, "id", "id", SU_COLUMN_TEXT);
    su_result_column(t, "method", "method", SU_COLUMN_TEXT);
    su_result_column(t, "N", "estimate", SU_COLUMN_NUMBER);
    su_result_column(t, "low", "low", SU_COLUMN_NUMBER);
    su_result_column(t, "high", "high", SU_COLUMN_NUMBER);
    su_result_column(t, "seen", "share seen", SU_COLUMN_PERCENT);
    su_result_column(t, "interval", "interval", SU_COLUMN_TEXT);
    su_result_column(t, "low_error", "Monte Carlo error of low", SU_COLUMN_NUMBER);
    su_result_column(t, "high_error", "of high", SU_COLUMN_NUMBER);
    su_result_column(t, "model", "model", SU_COLUMN_TEXT);
    su_result_column(t, "bic", "BIC", SU_COLUMN_NUMBER);
    su_result_column(t, "note", "note", SU_COLUMN_TEXT);
}

static void number_or_none(su_result_table *t, double x) { su_result_number(t, x != 0 ? x : NAN); }

void su_panel_add(su_panel *p, const su_panel_row *row)
{
    su_result_table *t = p->table;
    double n = (double)p->o->n;
    su_result_text(t, row->id);
    su_result_text(t, row->method);
    number_or_none(t, row->N);
    number_or_none(t, row->low);
    number_or_none(t, row->high);
    su_result_number(t, row->N > 0 ? n / row->N : NAN);
    su_result_text(t, row->interval ? row->interval : "");
    number_or_none(t, row->low_error);
    number_or_none(t, row->high_error);
    su_result_text(t, row->model ? row->model : "");
    number_or_none(t, row->bic);
    su_result_text(t, row->note ? row->note : "");
    if (row->high > p->bound_high) p->bound_high = row->high; /* false for NaN, true for endless */
    if (!row->verdict || !(row->N > 0) || !isfinite(row->N)) return;
    if (!p->methods || row->N < p->least) p->least = row->N, p->least_method = row->id;
    if (!p->methods || row->N > p->most) p->most = row->N, p->most_method = row->id;
    p->low = isfinite(row->low) && row->low > 0 ? fmin(p->low, row->low) : p->low;
    p->high = isfinite(row->high) && row->high > 0 ? fmax(p->high, row->high) : p->high;
    p->methods++;
}

static void few_seen(su_panel *p)
{
    double seen = (double)p->o->n / p->most;
    if (seen < SHARE_TO_WARN)
        su_result_warn(
            p->result, "W_MSE_FEW_SEEN",
            "by the largest estimate only %.1f %% of all people are on a list; such estimates lean on the model far outside the data.",
            100 * seen);
}

/* Point estimates that agree prove little when a harmless change of the lists moves them: both count. */
static void verdict(su_panel *p)
{
    char text[640];
    su_result *r = p->result;
    if (!p->methods) {
        su_result_fact_text(r, "verdict", "verdict", "No method gives an estimate; no estimate is recommended.");
        return;
    }
    double factor = p->most / p->least, moved = fmax(p->sensitive_most, p->most) / fmin(p->sensitive_least, p->least);
    su_result_fact(r, "factor", "largest estimate over smallest", factor);
    if (isfinite(moved)) su_result_fact(r, "factor_sensitivity", "the same with lists left out or merged", moved);
    if (p->methods < 2) {
        snprintf(text, sizeof text, "One method alone gave a number: nothing is known about how much the choice of method matters.");
    } else if (factor > FACTOR_TO_REFUSE) {
        snprintf(text, sizeof text, "Models disagree by a factor of %.1f (%s %.0f, %s %.0f); no estimate is recommended.", factor,
                 p->least_method, p->least, p->most_method, p->most);
        su_result_warn(r, "W_MSE_DISAGREE",
                       "models disagree by a factor of %.1f; no estimate is recommended. Publish the range of the panel and why it is "
                       "wide, or nothing.",
                       factor);
    } else if (moved > FACTOR_TO_REFUSE) {
        snprintf(text, sizeof text,
                 "Models agree within a factor of %.2f on these lists (%.0f to %.0f), but leaving out or merging lists moves them by a "
                 "factor of %.1f (%.0f to %.0f); no "
                 "estimate is recommended.",
                 factor, p->least, p->most, moved, fmin(p->sensitive_least, p->least), fmax(p->sensitive_most, p->most));
        su_result_warn(r, "W_MSE_UNSTABLE",
                       "leaving out or merging lists moves the estimate by a factor of %.1f; no estimate is recommended.", moved);
    } else {
        char upwards[32] = "upwards, without an upper limit";
        if (p->range_high <= SU_RANGE_NO_LIMIT * (double)p->o->n) snprintf(upwards, sizeof upwards, "to %.0f people", p->range_high);
        snprintf(text, sizeof text,
                 "Models agree within a factor of %.2f (%.0f to %.0f), but each takes itself to be right. Publish the range of %.0f %s and why it is "
                 "wide, not one number.",
                 factor, p->least, p->most, p->range_low, upwards);
    }
    su_result_fact_text(r, "verdict", "verdict", text);
    few_seen(p);
    su_result_warn(r, "W_MSE_INTERVALS",
                   "each interval takes its own method to be right. In simulated tables of 1,000 people who differ in how easily they are seen "
                   "(standard deviation 1 of a log odds) 0 to 56 %% of them held the truth, not %.0f %%; the range of all of it, in the last "
                   "table, did in 99 %%. docs/methods/coverage.md has all.",
                   100 * p->opt.level);
}

static void two_lists(su_panel *p)
{
    su_bound b = su_chapman(p->o, p->opt.level);
    su_result_warn(p->result, "W_MSE_TWO_LISTS",
                   "two lists allow one model only: that being on one list has nothing to do with being on the other. Nothing in the data "
                   "can test it. For victims "
                   "of trafficking it is rarely true; the estimate is too low if referrals link the lists and too high if they reach "
                   "different people.");
    su_panel_add(p, &(su_panel_row) { .id = "chapman",
                                      .method = "Chapman, two lists",
                                      .model = "[1,2]",
                                      .N = b.N,
                                      .low = b.low,
                                      .high = b.high,
                                      .interval = "log-normal",
                                      .note = "assumes independent lists; untestable",
                                      .verdict = true });
    su_result_method(
        p->result,
        "With two lists Chapman's estimator (1951) was used; it assumes that the lists are independent, which two lists cannot test.");
}

static bool has_stepwise(su_panel *p)
{
    if (p->stepwise.count) return true;
    p->stepwise_fit = su_stepwise_p(&p->l, p->opt.threshold_p, &p->stepwise, NULL);
    return !p->stepwise_fit.code;
}

static su_status after_methods(su_panel *p)
{
    if (p->opt.sensitivity) {
        su_progress(p->ctx, "other lists", 0);
        su_panel_sensitivity(p);
        if (has_stepwise(p)) su_panel_linkage(p);
    }
    if (p->opt.coverage && has_stepwise(p)) {
        su_progress(p->ctx, "simulated coverage", 0.5);
        su_panel_coverage(p);
    }
    su_progress(p->ctx, "simulated coverage", 1);
    return su_cancelled(p->ctx) ? su_fail(p->ctx, SU_CANCELLED, "stopped") : SU_OK;
}

typedef struct part {
    su_mse_method method;
    const char *step;
    void (*run)(su_panel *p);
} part;

static su_status run_methods(su_panel *p)
{
    static const part parts[] = {
        { SU_MSE_MAIN, "independent lists", su_panel_main },
        { SU_MSE_STEPWISE_P, "stepwise search and its bootstrap", su_panel_stepwise },
        { SU_MSE_STEPWISE_AIC, "stepwise search by AIC", su_panel_stepwise_aic },
        { SU_MSE_BEST_BIC, "all models and their bootstrap", su_panel_best },
        { SU_MSE_DOWNHILL, "downhill search and its bootstrap", su_panel_downhill },
        { SU_MSE_AVERAGE, "average over models", su_panel_average },
        { SU_MSE_CHAO, "Chao's bound", su_panel_chao },
        { SU_MSE_LATENT, "latent classes", su_panel_latent },
        { SU_MSE_THRESHOLD, "threshold method", su_panel_threshold },
    };
    size_t count = sizeof parts / sizeof *parts;
    for (size_t i = 0; i < count; i++) {
        if (!panel_wants(p, parts[i].method)) continue;
        su_progress(p->ctx, parts[i].step, (double)i / (double)count);
        parts[i].run(p);
        if (su_cancelled(p->ctx)) return su_fail(p->ctx, SU_CANCELLED, "stopped");
    }
    su_status st = SU_OK;
    if (panel_wants(p, SU_MSE_DGA)) {
        su_progress(p->ctx, "decomposable graphs", 1);
        st = su_panel_dga(p);
    }
    return !st && p->opt.model && panel_wants(p, SU_MSE_FIXED) ? su_panel_fixed(p) : st;
}

su_status su_mse_panel(su_context *ctx, const su_overlaps *o, const su_mse_options *options, su_result *result)
{
    if (options->noise.law) return su_mse_noised(ctx, o, options, result);
    su_panel p = { .ctx = ctx, .opt = *options, .result = result, .low = INFINITY, .sensitive_least = NAN, .sensitive_most = NAN };
    p.unlike_low = p.unlike_high = NAN;
    fill_defaults(&p.opt);
    su_status st = su_mse_check(ctx, o, p.opt.keep_flawed_lists, result, &p.o);
    if (!st && p.opt.model && p.o->lists > 2) { /* a slip in it is said now, not after the bootstrap */
        su_model wanted;
        st = su_model_parse(ctx, p.o, p.opt.model, &wanted);
    }
    if (st) {
        su_overlaps_free(p.o);
        return st;
    }
    su_mse_lattice_init(&p.l, p.o->lists);
    su_mse_lattice_set_integers(&p.l, p.o->counts);
    su_panel_columns(&p);
    if (p.o->lists == 2)
        two_lists(&p);
    else
        st = run_methods(&p);
    if (!st && o->covariates && p.o->lists == o->lists) {
        su_progress(ctx, "models with traits", 0);
        su_panel_strata(&p, o);
    } else if (o->covariates) {
        su_result_warn(result, "W_MSE_NO_STRATA",
                       "estimates by traits are left out because lists were taken out; name the lists that are good with --lists.");
    }
    if (!st && p.o->lists > 2) st = after_methods(&p);
    if (!st && p.o->lists > 2) su_report_catchability(p.o, p.opt.level, result, &p.unlike_low, &p.unlike_high);
    if (!st) {
        su_panel_range(&p);
        verdict(&p);
        su_result_plot(result, SU_PLOT_INTERVALS, "How much the methods disagree", p.table, "method", NULL, "N", "low", "high");
    }
    su_space_free(&p.space);
    free(p.ranked);
    su_mse_lattice_free(&p.l);
    su_overlaps_free(p.o);
    return st;
}
