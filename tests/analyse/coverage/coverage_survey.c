/* Quantiles (Woodruff), replicate weights, the common odds ratio of Mantel and Haenszel, and median delays (Kaplan-Meier). */
#include "coverage.h"

#include <suha/official.h>
#include <suha/rates.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "numeric/special.h"

enum { PEOPLE = 20, MOST = 1000, DAYS = 900 };

typedef struct sample {
    double y[MOST], x[MOST], weight[MOST], unit[MOST];
    uint32_t stratum[MOST];
    su_frame *frame;
    su_design *design;
} sample;

/* Units of people who are alike (a tenth of the variance of a normal variable is shared) in five strata: x its exponential, y that it lies
 * below the 30 % point. No units: a simple sample. */
static void draw(simulation *s, sample *p, su_philox *r, int units, int people)
{
    static const char *const strata[] = { "a", "b", "c", "d", "e" };
    double common = 0, alike = units ? 0.1 : 0;
    for (int i = 0; i < people; i++) {
        if (units && i % PEOPLE == 0) common = su_philox_normal(r);
        double own = sqrt(alike) * common + sqrt(1 - alike) * su_philox_normal(r);
        p->x[i] = exp(own);
        p->y[i] = own < su_normal_quantile(0.3);
        p->weight[i] = 0.5 + 1.5 * su_philox_unit(r);
        p->unit[i] = units ? i / PEOPLE : i;
        p->stratum[i] = (uint32_t)(i / PEOPLE % 5) + 1;
    }
    p->frame = su_frame_new((uint64_t)people);
    su_design_options o = { .stages = 1 };
    if (units) {
        o.weight = su_frame_add_number(p->frame, "w", p->weight);
        o.psu[0] = su_frame_add_number(p->frame, "u", p->unit);
        o.strata[0] = su_frame_add_factor(p->frame, "h", p->stratum, strata, 5);
    }
    if (su_design_new(&s->ctx, p->frame, &o, &p->design)) abort();
}

static void drop(sample *p)
{
    su_design_free(p->design);
    su_frame_free(p->frame);
}

static void quantiles(simulation *s, sample *p)
{
    static const struct {
        int units, people;
        const char *text;
    } settings[] = { { 0, 50, "quantiles, simple sample of 50" },
                     { 0, 250, "quantiles, simple sample of 250" },
                     { 10, 200, "quantiles, 10 units in 5 strata" },
                     { 20, 400, "quantiles, 20 units in 5 strata" },
                     { 40, 800, "quantiles, 40 units in 5 strata" } };
    static const double at[] = { 0.5, 0.25, 0.9 };
    for (size_t k = 0; k < sizeof settings / sizeof *settings; k++) {
        cover c[] = { { .what = "median" }, { .what = "lower quartile" }, { .what = "upper tenth" } };
        su_philox r = simulation_stream(s);
        for (int64_t d = 0; d < s->draws; d++) {
            draw(s, p, &r, settings[k].units, settings[k].people);
            const su_variable *x = su_frame_add_number(p->frame, "x", p->x);
            su_outcome outcome = { x, NULL };
            su_rates_options o = { .outcomes = &outcome,
                                   .outcome_count = 1,
                                   .kind = SU_RATES_QUANTILE,
                                   .quantiles = at,
                                   .quantile_count = 3,
                                   .design_given = settings[k].units > 0 };
            su_result *out = NULL;
            if (su_rates_result(&s->ctx, p->frame, p->design, &o, &out)) out = NULL;
            bool warned = !out || su_result_has_warning(out, "W_FEW_UNITS");
            for (size_t m = 0; m < 3; m++) cover_row(&c[m], out, "quantiles", m, "low", "high", exp(su_normal_quantile(at[m])), warned);
            su_result_free(out);
            drop(p);
        }
        cover_print(s, settings[k].text, c, 3);
    }
}

static void replicates(simulation *s, sample *p)
{
    static const int counts[] = { 10, 20, 40 };
    static const struct {
        su_replicate_options how;
        const char *name;
    } kinds[] = { { { .method = SU_REPLICATE_JKN }, "JKn" },
                  { { .method = SU_REPLICATE_RAO_WU, .replicates = 200 }, "bootstrap of 200" },
                  { { .method = SU_REPLICATE_BRR }, "BRR" },
                  { { .method = SU_REPLICATE_FAY, .fay = 0.3 }, "Fay 0.3" } };
    for (size_t k = 0; k < 3; k++) {
        size_t used = counts[k] == 10 ? 4 : 2; /* balanced halves need two units a stratum */
        cover c[8] = { { 0 } };
        char names[8][64], text[64];
        su_philox r = simulation_stream(s);
        for (size_t m = 0; m < used; m++)
            for (size_t mean = 0; mean < 2; mean++) {
                snprintf(names[2 * m + mean], sizeof *names, "%s, %s", mean ? "mean" : "rate of 30 %", kinds[m].name);
                c[2 * m + mean].what = names[2 * m + mean];
            }
        for (int64_t d = 0; d < s->draws; d++) {
            draw(s, p, &r, counts[k], counts[k] * PEOPLE);
            su_outcome outcomes[] = { { su_frame_add_number(p->frame, "y", p->y), NULL },
                                      { su_frame_add_number(p->frame, "x", p->x), NULL } };
            for (size_t m = 0; m < used; m++) {
                su_replicate_options how = kinds[m].how;
                su_rates_options o = { .outcomes = outcomes, .outcome_count = 2, .design_given = true, .replicate_name = kinds[m].name };
                su_replicates *reps = NULL;
                su_result *out = NULL;
                how.seed = (uint64_t)d + 1;
                if (su_replicates_new(&s->ctx, p->design, &how, &reps)) abort();
                o.replicates = reps;
                if (su_rates_result(&s->ctx, p->frame, p->design, &o, &out)) out = NULL;
                bool warned = !out || su_result_has_warning(out, "W_FEW_UNITS");
                cover_row(&c[2 * m], out, "rates", 0, "low", "high", 0.3, warned);
                cover_row(&c[2 * m + 1], out, "means", 0, "low", "high", exp(0.5), warned);
                su_result_free(out);
                su_replicates_free(reps);
            }
            drop(p);
        }
        snprintf(text, sizeof text, "replicate weights, %d units in 5 strata", counts[k]);
        cover_print(s, text, c, 2 * used);
    }
}

/* Strata with base rates from 5 to 45 %, the same odds ratio in each, twice as many people in the first group. */
static void common_odds_ratio(simulation *s)
{
    static const struct {
        int strata, people;
        double odds_ratio;
    } settings[] = { { 5, 20, 1 }, { 5, 20, 3 }, { 5, 100, 3 }, { 40, 8, 2 } };
    for (size_t k = 0; k < sizeof settings / sizeof *settings; k++) {
        cover c = { .what = "common odds ratio (Mantel-Haenszel)" };
        su_philox r = simulation_stream(s);
        for (int64_t d = 0; d < s->draws; d++) {
            double tables[4 * 40];
            for (int h = 0; h < settings[k].strata; h++) {
                double q = 0.05 + 0.4 * h / (settings[k].strata - 1), odds = settings[k].odds_ratio * q / (1 - q);
                int64_t n = settings[k].people, a = su_philox_binomial(&r, 2 * n, odds / (1 + odds)), b = su_philox_binomial(&r, n, q);
                double *t = tables + 4 * h;
                t[0] = (double)a, t[1] = (double)(2 * n - a), t[2] = (double)b, t[3] = (double)(n - b);
            }
            su_mantel_haenszel m = su_mantel_haenszel_of(tables, (size_t)settings[k].strata, 0.95);
            cover_add(&c, m.interval.low, m.interval.high, settings[k].odds_ratio, false);
        }
        char text[96];
        snprintf(text, sizeof text, "%d strata of %d and %d people, odds ratio %g", settings[k].strata, 2 * settings[k].people,
                 settings[k].people, settings[k].odds_ratio);
        cover_print(s, text, &c, 1);
    }
}

/* Waiting times in whole days, Weibull of shape 1.3 around a median of 90; cases arrive through a year, and what is not decided at its end
 * is open. */
static void delays(simulation *s)
{
    static const int counts[] = { 30, 100, 400 };
    const char **names = su_alloc_array(DAYS, sizeof *names);
    su_arena arena;
    su_arena_init(&arena);
    for (int day = 0; day < DAYS; day++) {
        char text[24];
        su_period_print('d', 18000 + day, text);
        names[day] = su_arena_printf(&arena, "%s", text);
    }
    for (size_t k = 0; k < 3; k++) {
        cover c = { .what = "median days to decision (Kaplan-Meier)" };
        uint32_t received[400], decided[400];
        su_philox r = simulation_stream(s);
        for (int64_t d = 0; d < s->draws; d++) {
            for (int i = 0; i < counts[k]; i++) {
                int from = (int)su_philox_below(&r, 365), days = (int)(90.5 * pow(su_philox_exponential(&r) / log(2), 1 / 1.3));
                received[i] = (uint32_t)from + 1;
                decided[i] = from + days <= 365 ? (uint32_t)(from + days) + 1 : 0;
            }
            su_frame *f = su_frame_new((uint64_t)counts[k]);
            su_result *out = su_result_new("delays", "");
            su_delays_input in = { .until = 18000 + 365, .level = 0.95 };
            in.received = su_frame_add_factor(f, "received", received, names, DAYS);
            in.decided = su_frame_add_factor(f, "decided", decided, names, DAYS);
            bool good = !su_official_delays(&s->ctx, f, &in, out);
            double low = good ? su_result_get(out, "delays", 0, "low") : NAN, high = good ? su_result_get(out, "delays", 0, "high") : NAN;
            cover_add(&c, low, !isnan(low) && isnan(high) ? INFINITY : high, 90, !good || su_result_has_warning(out, "W_NO_MEDIAN"));
            su_result_free(out);
            su_frame_free(f);
        }
        char text[64];
        snprintf(text, sizeof text, "%d cases of a year", counts[k]);
        cover_print(s, text, &c, 1);
    }
    free(names);
    su_arena_free(&arena);
}

void coverage_survey(simulation *s)
{
    sample *p = su_alloc(sizeof *p);
    quantiles(s, p);
    replicates(s, p);
    common_odds_ratio(s);
    delays(s);
    free(p);
}
