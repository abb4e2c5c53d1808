/* Multiple systems estimation: tables drawn from a model with one dependent pair, from independent lists, and from people who differ. */
#include "coverage.h"

#include <suha/mse.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LISTS = 4, CELLS = 1 << LISTS, METHODS = 10 };

static double plogis(double x) { return 1 / (1 + exp(-x)); }

/* Share of people in each cell. pair: log odds ratio of the first two lists. unlike: standard deviation of how easily a person is seen. */
static void cells(double level, double pair, double unlike, double *probability)
{
    static const double ease[LISTS] = { 0, -0.4, 0.3, -0.8 };
    double total = 0;
    memset(probability, 0, CELLS * sizeof *probability);
    for (int q = -20; q <= 20; q++) {
        double u = q / 5.0, weight = unlike > 0 ? exp(-u * u / 2) : q == 0;
        double part[CELLS], sum = 0;
        for (int w = 0; w < CELLS; w++) {
            part[w] = (w & 3) == 3 ? exp(pair) : 1;
            for (int i = 0; i < LISTS; i++) {
                double p = plogis(level + ease[i] + unlike * u);
                part[w] *= w >> i & 1 ? p : 1 - p;
            }
            sum += part[w];
        }
        for (int w = 0; w < CELLS; w++) probability[w] += weight * part[w] / sum;
        total += weight;
    }
    for (int w = 0; w < CELLS; w++) probability[w] /= total;
}

static const char *const IDS[METHODS] = { "main",    "stepwise", "stepwise_aic", "best_bic", "downhill",
                                          "average", "chao",     "dga",          "latent",   "threshold" };

static const char *const UNLIKE[] = { "Mth Chao", "Mth Poisson2", "Mth Darroch", "Mth Gamma3.5" };
enum { MODELS = sizeof UNLIKE / sizeof *UNLIKE, ALL = METHODS + MODELS + 1 };

/* The models in which people differ, and the whole range. */
static void beside_the_panel(cover *c, const su_result *out, double people, bool warned)
{
    for (size_t row = 0; row < su_result_rows(out, "catchability"); row++) {
        const char *id = su_result_get_text(out, "catchability", row, "model");
        for (int m = 0; m < MODELS; m++)
            if (id && !strcmp(id, UNLIKE[m])) cover_row(&c[m], out, "catchability", row, "low", "high", people, warned);
    }
    double low = su_result_get_fact(out, "range_low"), high = su_result_get_fact(out, "range_high");
    cover_add(&c[MODELS], low, isnan(high) && !isnan(low) ? INFINITY : high, people, warned);
}

static void one_setting(simulation *s, const char *text, int64_t people, double level, double pair, double unlike)
{
    cover c[ALL];
    double probability[CELLS];
    cells(level, pair, unlike, probability);
    su_philox r = simulation_stream(s);
    for (int m = 0; m < METHODS; m++) c[m] = (cover) { .what = IDS[m] };
    for (int m = 0; m < MODELS; m++) c[METHODS + m] = (cover) { .what = UNLIKE[m] };
    c[ALL - 1] = (cover) { .what = "all of it (the range printed last)" };
    for (int64_t d = 0; d < s->draws; d++) {
        int64_t counts[CELLS];
        su_philox_multinomial(&r, people, probability, CELLS, counts);
        counts[0] = 0;
        su_overlaps *o = NULL;
        su_result *out = su_result_new("mse", "");
        su_mse_options options = su_mse_defaults();
        options.methods = ((1u << SU_MSE_METHODS) - 1) & ~(1u << SU_MSE_FIXED) & ~(1u << SU_MSE_LATENT);
        if (d < s->draws / 10) options.methods |= 1u << SU_MSE_LATENT; /* the slowest by far */
        options.replicates = 500;
        options.best_replicates = 200;
        options.coverage = 0;
        options.sensitivity = false;
        options.latent_sweeps = 2000;
        options.seed = s->seed + (uint64_t)d;
        bool good = !su_overlaps_new(&s->ctx, LISTS, NULL, counts, &o) && !su_mse_panel(&s->ctx, o, &options, out);
        /* beside W_MSE_INTERVALS, which is always there */
        static const char *const codes[] = { "W_MSE_DISAGREE", "W_MSE_DEPENDENT_LISTS", "W_MSE_CHAINS_DISAGREE" };
        bool warned = false;
        for (size_t k = 0; good && k < sizeof codes / sizeof *codes; k++) warned |= su_result_has_warning(out, codes[k]);
        for (size_t row = 0; good && row < su_result_rows(out, "panel"); row++) {
            const char *id = su_result_get_text(out, "panel", row, "id");
            for (int m = 0; m < METHODS; m++)
                if (id && !strcmp(id, IDS[m])) cover_row(&c[m], out, "panel", row, "low", "high", (double)people, warned);
        }
        if (good) beside_the_panel(c + METHODS, out, (double)people, warned);
        su_overlaps_free(o);
        su_result_free(out);
    }
    cover_print(s, text, c, ALL);
}

void coverage_lists(simulation *s)
{
    one_setting(s, "4 lists, 1,000 people, independent", 1000, -1.2, 0, 0);
    one_setting(s, "4 lists, 1,000 people, one pair at odds ratio 4", 1000, -1.2, log(4), 0);
    one_setting(s, "4 lists, 5,000 people, one pair at odds ratio 4", 5000, -1.6, log(4), 0);
    one_setting(s, "4 lists, 1,000 people who differ (sd 1 of a log odds)", 1000, -1.2, 0, 1);
}
