/* The Bayesian methods as rows of the panel. */
#include <math.h>
#include <stdlib.h>

#include "mse/bootstrap.h"
#include "mse/dga.h"
#include "mse/latent.h"
#include "mse/panel.h"
#include "mse/peaks.h"
#include "mse/threshold.h"

enum { CURVE_POINTS = 40, TOP_GRAPHS = 5, THIN = 10 };
static const double R_HAT_MOST = 1.05, BOUND = 11, CURVE_TAIL = 0.0005;

static void graph_text(const su_graph *g, unsigned lists, char text[SU_MODEL_TEXT])
{
    su_model m = su_model_main(lists);
    for (unsigned c = 0; c < g->cliques; c++) su_model_add(&m, g->clique[c]);
    su_model_print(&m, lists, text);
}

static void curve_table(su_panel *p, const su_dga *d)
{
    su_result_table *t = su_result_table_add(p->result, "posterior", "Posterior of all people, averaged over decomposable graphs");
    su_result_column(t, "series", "series", SU_COLUMN_TEXT);
    su_result_column(t, "N", "people", SU_COLUMN_NUMBER);
    su_result_column(t, "density", "probability per person", SU_COLUMN_NUMBER);
    size_t start = (size_t)((su_dga_quantile(d, CURVE_TAIL) - (double)d->first) / (double)d->step);
    size_t length = (size_t)((su_dga_quantile(d, 1 - CURVE_TAIL) - (double)d->first) / (double)d->step) - start + 1;
    size_t bins = length < CURVE_POINTS ? length : CURVE_POINTS;
    for (size_t b = 0; b < bins; b++) {
        size_t from = start + b * length / bins, to = start + (b + 1) * length / bins;
        double mass = 0;
        for (size_t i = from; i < to; i++) mass += d->posterior[i];
        su_result_text(t, "posterior");
        su_result_number(t, (double)d->first + (double)d->step * (double)(from + to - 1) / 2);
        su_result_number(t, mass / ((double)(to - from) * (double)d->step));
    }
    su_result_plot(p->result, SU_PLOT_CURVE, "Posterior of all people (decomposable graphs)", t, "series", "N", "density", NULL, NULL);
}

static void graph_table(su_panel *p, const su_dga *d)
{
    su_result_table *t = su_result_table_add(p->result, "graphs", "Most probable decomposable graphs");
    bool *used = su_alloc_array(d->graphs, sizeof *used);
    su_result_column(t, "graph", "graph", SU_COLUMN_TEXT);
    su_result_column(t, "probability", "probability", SU_COLUMN_PERCENT);
    for (size_t k = 0; k < TOP_GRAPHS && k < d->graphs; k++) {
        size_t best = d->graphs;
        char text[SU_MODEL_TEXT];
        for (size_t g = 0; g < d->graphs; g++)
            if (!used[g] && (best == d->graphs || d->weight[g] > d->weight[best])) best = g;
        used[best] = true;
        graph_text(&d->graph[best], p->o->lists, text);
        su_result_text(t, text);
        su_result_number(t, d->weight[best]);
    }
    free(used);
}

su_status su_panel_dga(su_panel *p)
{
    double n = (double)p->o->n, bound = p->opt.dga_bound > 0 ? p->opt.dga_bound : BOUND * n, tail = (1 - p->opt.level) / 2;
    char note[512];
    su_dga d, wide;
    if (p->o->lists > SU_DGA_LISTS) {
        su_result_warn(p->result, "W_MSE_TOO_MANY_GRAPHS",
                       "%u lists have too many decomposable graphs; the Bayesian average over graphs takes up to %d lists.", p->o->lists,
                       SU_DGA_LISTS);
        return SU_OK;
    }
    su_dga_options o = { .delta = p->opt.dga_delta, .most = (int64_t)(bound - n) };
    o.step = o.most / 1000000 + 1; /* a million points show every posterior; a table of a million people needs no single steps */
    su_status st = su_dga_run(p->ctx, p->o, &o, &d);
    if (st) return st;
    o.most *= 2;
    st = su_dga_run(p->ctx, p->o, &o, &wide);
    if (!st) {
        snprintf(note, sizeof note, "median; %s; with twice the bound (%.0f people) %.0f to %.0f",
                 d.peaks == 1 ? "one peak" : "several peaks", (double)p->o->n + (double)o.most, su_dga_quantile(&wide, tail),
                 su_dga_quantile(&wide, 1 - tail));
        double high = su_dga_quantile(&d, 1 - tail), wide_high = su_dga_quantile(&wide, 1 - tail);
        if (wide_high > 1.1 * high)
            su_result_warn(p->result, "W_MSE_PRIOR_BOUND",
                           "the Bayesian average depends on the largest number of people it may consider: its upper limit moves from %.0f "
                           "to %.0f when the bound is doubled.",
                           high, wide_high);
        if (d.peaks > 1)
            su_result_warn(p->result, "W_MSE_SEVERAL_PEAKS",
                           "the Bayesian average has %u separate peaks: graphs that fit alike give different numbers. Its middle is no "
                           "summary; look at the curve.",
                           d.peaks);
        su_panel_add(p, &(su_panel_row) { .id = "dga",
                                          .method = "decomposable graphs, Bayesian average",
                                          .N = su_dga_quantile(&d, 0.5),
                                          .low = su_dga_quantile(&d, tail),
                                          .high = high,
                                          .interval = "posterior",
                                          .note = note,
                                          .verdict = true });
        graph_table(p, &d);
        curve_table(p, &d);
        su_dga_free(&wide);
        su_result_method(p->result,
                         "All %zu decomposable graphical models were averaged exactly (Madigan and York 1997, doi:10.1093/biomet/84.1.19) "
                         "with %g prior people per cell "
                         "and at most %.0f people.",
                         d.graphs, p->opt.dga_delta > 0 ? p->opt.dga_delta : ldexp(1, -(int)p->o->lists), bound);
    }
    su_dga_free(&d);
    return st;
}

static void chain_table(su_panel *p, const su_latent *l, double *least, double *most)
{
    su_result_table *t = su_result_table_add(p->result, "chains", "Latent classes: what each chain says by itself");
    double *chain = su_alloc_array(l->draws + 1, sizeof *chain), tail = (1 - p->opt.level) / 2;
    su_result_column(t, "chain", "chain", SU_COLUMN_INTEGER);
    su_result_column(t, "median", "median", SU_COLUMN_NUMBER);
    su_result_column(t, "low", "low", SU_COLUMN_NUMBER);
    su_result_column(t, "high", "high", SU_COLUMN_NUMBER);
    for (unsigned c = 0; c < l->chains; c++) {
        su_bootstrap one = { .sorted = chain, .count = l->draws };
        for (size_t i = 0; i < l->draws; i++) chain[i] = l->N[c * l->draws + i];
        su_bootstrap_sort(&one);
        double median = su_quantile_8(chain, l->draws, 0.5);
        *least = c ? fmin(*least, median) : median;
        *most = c ? fmax(*most, median) : median;
        su_result_integer(t, c + 1);
        su_result_number(t, median);
        su_result_number(t, su_quantile_8(chain, l->draws, tail));
        su_result_number(t, su_quantile_8(chain, l->draws, 1 - tail));
    }
    free(chain);
}

/* Humps of draws on the logarithmic scale, each with its share: what a single median would hide. */
void su_panel_humps(su_panel *p, const char *id, const char *title, const double *sorted, size_t all)
{
    enum { BINS = 40 };
    double bin[BINS] = { 0 }, smooth[BINS];
    su_peak peak[SU_PEAKS_MAX];
    double first = log(su_quantile_8(sorted, all, 0.001)), width = (log(su_quantile_8(sorted, all, 0.999)) - first) / BINS;
    if (!(width > 0)) return;
    for (size_t i = 0; i < all; i++) {
        double at = floor((log(sorted[i]) - first) / width);
        bin[(size_t)fmin(fmax(at, 0), BINS - 1)] += 1;
    }
    for (int i = 0; i < BINS; i++) smooth[i] = (bin[i > 0 ? i - 1 : 0] + 2 * bin[i] + bin[i + 1 < BINS ? i + 1 : BINS - 1]) / 4;
    unsigned count = su_peaks_of(smooth, BINS, 0.1, peak);
    if (count < 2) return;
    su_result_table *t = su_result_table_add(p->result, id, title);
    su_result_column(t, "N", "around", SU_COLUMN_NUMBER);
    su_result_column(t, "low", "from", SU_COLUMN_NUMBER);
    su_result_column(t, "high", "to", SU_COLUMN_NUMBER);
    su_result_column(t, "share", "share of the draws", SU_COLUMN_PERCENT);
    for (unsigned k = 0; k < count; k++) {
        su_result_number(t, exp(first + width * ((double)peak[k].top + 0.5)));
        su_result_number(t, exp(first + width * (double)peak[k].from));
        su_result_number(t, exp(first + width * (double)(peak[k].to + 1)));
        su_result_number(t, peak[k].share);
    }
    su_result_warn(p->result, "W_MSE_SEVERAL_PEAKS",
                   "the posterior has %u separate humps: its median is no summary; see the table of humps.", count);
}

void su_panel_latent(su_panel *p)
{
    su_latent_options o = { .classes = p->opt.latent_classes,
                            .chains = p->opt.latent_chains,
                            .burn_in = p->opt.latent_sweeps / 2,
                            .sweeps = p->opt.latent_sweeps,
                            .thin = THIN,
                            .seed = p->opt.seed ^ 0x4c43ull << 48 };
    su_latent l;
    double least = NAN, most = NAN, tail = (1 - p->opt.level) / 2;
    char note[256];
    su_latent_run(p->ctx, p->o, &o, &l);
    size_t all = l.chains * l.draws;
    if (su_cancelled(p->ctx)) {
        su_latent_free(&l);
        return;
    }
    chain_table(p, &l, &least, &most);
    su_panel_humps(p, "modes", "Latent classes: separate humps of all chains together", l.sorted, all);
    bool mixed = l.r_hat <= R_HAT_MOST;
    su_panel_row row = { .id = "latent", .method = "latent classes", .note = note, .verdict = true };
    if (mixed) {
        row.N = su_quantile_8(l.sorted, all, 0.5);
        row.low = su_quantile_8(l.sorted, all, tail);
        row.high = su_quantile_8(l.sorted, all, 1 - tail);
        row.interval = "posterior";
        snprintf(note, sizeof note, "median; %u chains agree, R-hat %.3f", l.chains, l.r_hat);
    } else {
        snprintf(note, sizeof note, "no summary: chains disagree, R-hat %.2f; their medians run from %.0f to %.0f", l.r_hat, least, most);
        su_result_warn(p->result, "W_MSE_CHAINS_DISAGREE",
                       "the %u chains of the latent class sampler disagree (R-hat %.2f, medians %.0f to %.0f): its answer would depend on "
                       "the seed, so none is given. "
                       "More --sweeps may help.",
                       l.chains, l.r_hat, least, most);
    }
    su_panel_add(p, &row);
    su_result_fact(p->result, "latent_r_hat", "R-hat of the latent class chains", l.r_hat);
    su_latent_free(&l);
    su_result_method(p->result,
                     "Latent classes: a Dirichlet process mixture of up to %u classes within which lists are independent (Manrique-Vallier "
                     "2016, doi:10.1111/biom.12502), %u "
                     "chains of %u sweeps after %u; no summary is given when R-hat is above %.2f.",
                     o.classes, o.chains, o.sweeps, o.burn_in, R_HAT_MOST);
}

void su_panel_threshold(su_panel *p)
{
    su_threshold_options o = { .seed = p->opt.seed ^ 0x5448ull << 48 };
    su_threshold t;
    char model[SU_MODEL_TEXT], note[160];
    su_threshold_run(&p->l, &o, p->opt.level, &t);
    su_model_print(&t.model, p->o->lists, model);
    su_panel_row row = { .id = "threshold",
                         .method = "threshold, Bayesian",
                         .model = model,
                         .interval = "posterior of the chosen model",
                         .note = "no posterior mode was found",
                         .verdict = true };
    if (t.good) {
        row.N = t.median;
        row.low = t.low;
        row.high = t.high;
        snprintf(note, sizeof note, "median; importance sample worth %.0f draws", t.effective);
        row.note = note;
        if (t.effective < 1000)
            su_result_warn(p->result, "W_MSE_IMPORTANCE",
                           "the importance sample of the threshold method is worth only %.0f draws; its interval is rough.", t.effective);
    }
    su_panel_add(p, &row);
    su_result_method(p->result, "The threshold method fits all pairs with standard normal priors on their effects, keeps those whose "
                                "posterior mean is at least 2 standard deviations from "
                                "0, and fits again (Silverman 2020, doi:10.1111/rssa.12505), by importance sampling.");
}
