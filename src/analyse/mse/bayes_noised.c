/* The panel of a table whose counts carry noise: one method that knows the noise, and what it says about the true counts. */
#include <math.h>
#include <stdlib.h>

#include "mse/noised.h"
#include "mse/panel.h"

enum { CHAINS = 8, BURN_IN = 400, SWEEPS = 1200 };
static const double R_HAT_MOST = 1.05, BOUND = 11;

static double *sorted_copy(const double *x, size_t count, size_t stride)
{
    su_bootstrap all = { .sorted = su_alloc_array(count + 1, sizeof *all.sorted), .count = count };
    for (size_t i = 0; i < count; i++) all.sorted[i] = x[i * stride];
    su_bootstrap_sort(&all);
    return all.sorted;
}

static void count_table(su_panel *p, const su_noised *n)
{
    su_result_table *t = su_result_table_add(p->result, "overlaps", "Published counts, and what the true ones may have been");
    size_t all = n->chains * n->draws;
    double tail = (1 - p->opt.level) / 2;
    su_result_column(t, "lists", "on exactly these lists", SU_COLUMN_TEXT);
    su_result_column(t, "published", "published", SU_COLUMN_INTEGER);
    su_result_column(t, "people", "people (posterior mean)", SU_COLUMN_NUMBER);
    su_result_column(t, "low", "low", SU_COLUMN_NUMBER);
    su_result_column(t, "high", "high", SU_COLUMN_NUMBER);
    for (unsigned size = 1; size <= p->o->lists; size++) {
        for (size_t w = 1; w < p->o->cells; w++) {
            char names[512];
            double mean = 0;
            if ((unsigned)__builtin_popcountll(w) != size) continue;
            double *sorted = sorted_copy(n->count + w, all, n->cells);
            for (size_t i = 0; i < all; i++) mean += sorted[i] / (double)all;
            su_term_names(p->o, (unsigned)w, names, sizeof names);
            su_result_text(t, names);
            su_result_integer(t, p->o->counts[w]);
            su_result_number(t, mean);
            su_result_number(t, su_quantile_8(sorted, all, tail));
            su_result_number(t, su_quantile_8(sorted, all, 1 - tail));
            free(sorted);
        }
    }
}

static void noised_row(su_panel *p, const su_noised *n)
{
    size_t all = n->chains * n->draws;
    double tail = (1 - p->opt.level) / 2, *N = sorted_copy(n->N, all, 1);
    char note[160];
    su_panel_row row = { .id = "dga_noised",
                         .method = "decomposable graphs, noise in the likelihood",
                         .note = note,
                         .verdict = true };
    if (n->r_hat <= R_HAT_MOST) {
        row.N = su_quantile_8(N, all, 0.5);
        row.low = su_quantile_8(N, all, tail);
        row.high = su_quantile_8(N, all, 1 - tail);
        row.interval = "posterior, noise included";
        snprintf(note, sizeof note, "median; %u chains agree, R-hat %.3f", n->chains, n->r_hat);
    } else {
        snprintf(note, sizeof note, "no summary: chains disagree, R-hat %.2f", n->r_hat);
        su_result_warn(
            p->result, "W_MSE_CHAINS_DISAGREE",
            "the %u chains disagree (R-hat %.2f): the answer would depend on the seed, so none is given. More --sweeps may help.",
            n->chains, n->r_hat);
    }
    su_panel_add(p, &row);
    su_panel_humps(p, "modes", "Separate humps of the posterior", N, all);
    free(N);
}

static su_status check_noised(su_context *ctx, const su_overlaps *o, const su_mse_options *options)
{
    if (!(options->noise.scale > 0) || !isfinite(options->noise.scale))
        return su_fail(ctx, SU_REFUSED, "the noise must have a scale above 0");
    if ((options->methods & ~(1u << SU_MSE_DGA)) || options->model)
        return su_fail(ctx, SU_REFUSED,
                       "log-linear models and the other methods take noised counts for people: a combination that noise made 0 becomes an "
                       "effect of minus infinity, and the noise is in no interval. With --noise only the average over decomposable graphs "
                       "(dga) is made; leave out --methods and --model.");
    if (o->covariates)
        return su_fail(ctx, SU_REFUSED, "--covariates cannot be used with --noise: strata of noised counts are mostly noise");
    if (o->lists < 3 || o->lists > SU_DGA_LISTS)
        return su_fail(ctx, SU_REFUSED, "an overlap table with noise needs 3 to %d lists, and this one has %u", SU_DGA_LISTS, o->lists);
    if (o->n <= 0) return su_fail(ctx, SU_REFUSED, "the counts add up to %lld: there is nothing but noise in this table", (long long)o->n);
    return SU_OK;
}

su_status su_mse_noised(su_context *ctx, const su_overlaps *o, const su_mse_options *options, su_result *result)
{
    su_panel p = { .ctx = ctx, .opt = *options, .result = result, .low = INFINITY };
    su_noised n = { 0 };
    su_status st = check_noised(ctx, o, options);
    if (st) return st;
    double bound = options->dga_bound > 0 ? options->dga_bound : BOUND * (double)o->n;
    if (bound <= (double)o->n) return su_fail(ctx, SU_REFUSED, "--bound must lie above the %lld people published", (long long)o->n);
    uint32_t times = options->latent_sweeps > 20000 ? options->latent_sweeps / 20000 : 1;
    su_noised_options how = { .noise = options->noise,
                              .delta = options->dga_delta,
                              .most = bound - (double)o->n,
                              .chains = CHAINS,
                              .burn_in = BURN_IN * times,
                              .sweeps = SWEEPS * times,
                              .seed = options->seed };
    p.opt.level = options->level > 0 ? options->level : 0.95;
    p.o = su_overlaps_stratum(o, 0);
    su_progress(ctx, "graphs and true counts", 0);
    st = su_noised_run(ctx, o, &how, &n);
    if (!st) {
        size_t all = n.chains * n.draws;
        double *seen = sorted_copy(n.seen, all, 1), tail = (1 - p.opt.level) / 2;
        su_result_fact(result, "n", "people on at least one list, as published", (double)o->n);
        su_result_fact(result, "n_low", "the same without noise, at least", su_quantile_8(seen, all, tail));
        su_result_fact(result, "n_high", "and at most", su_quantile_8(seen, all, 1 - tail));
        su_result_fact(result, "lists", "lists used", o->lists);
        free(seen);
        count_table(&p, &n);
        su_panel_columns(&p);
        noised_row(&p, &n);
        su_result_fact_text(result, "verdict", "verdict",
                            "One method alone can use counts with noise: nothing is known about how much the choice of method matters. The "
                            "organisations that hold the lists can run all of them.");
        su_result_warn(
            result, "W_MSE_NOISED",
            "the counts carry noise. Lists that are empty, nested or duplicate, and links that were missed, cannot be seen through it.");
        su_result_method(result,
                         "The published counts carry %s noise of scale %g. True counts, unseen people and decomposable graphs were drawn "
                         "together (%u chains of %u sweeps after %u) under the graphs' model of Madigan and York (1997, "
                         "doi:10.1093/biomet/84.1.19) with that noise in the likelihood and at most %.0f people.",
                         options->noise.law == SU_MSE_NOISE_GAUSSIAN ? "discrete Gaussian" : "two-sided geometric", options->noise.scale,
                         n.chains, how.sweeps, how.burn_in, bound);
    }
    su_noised_free(&n);
    su_overlaps_free(p.o);
    return st;
}
