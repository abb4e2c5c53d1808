/* Simulated coverage of 95 % intervals: rates of simple samples, of clustered samples, of two groups, and of noisy counts. One line of JSON
 * per setting; bench/coverage.py makes the table of docs/methods/rates.md from it. Seed and number of draws are arguments. */
#include <suha/rates.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "numeric/philox.h"

enum { PEOPLE = 20, MOST = 4000 };

static bool holds(su_interval i, double p) { return i.low <= p + 1e-12 && p <= i.high + 1e-12; } /* false where there is none */

static void simple(uint64_t seed, int draws)
{
    static const double rates[] = { 0.005, 0.02, 0.1, 0.3, 0.5 };
    static const int sizes[] = { 50, 250, 1000 };
    static const su_ci methods[] = { SU_CI_WILSON, SU_CI_CLOPPER_PEARSON, SU_CI_JEFFREYS, SU_CI_MEAN };
    for (size_t n = 0; n < 3; n++)
        for (size_t k = 0; k < 5; k++) {
            su_philox r = su_philox_of(seed, 1000 + n * 10 + k);
            int held[4] = { 0 };
            for (int i = 0; i < draws; i++) {
                double x = (double)su_philox_binomial(&r, sizes[n], rates[k]);
                for (int m = 0; m < 4; m++) held[m] += holds(su_binomial_interval(methods[m], x, sizes[n], 0.95), rates[k]);
            }
            printf("{\"family\": \"simple\", \"setting\": \"n = %d\", \"p\": %g, \"wilson\": %.4f, \"clopper-pearson\": %.4f, "
                   "\"jeffreys\": %.4f, \"mean\": %.4f}\n",
                   sizes[n], rates[k], held[0] / (double)draws, held[1] / (double)draws, held[2] / (double)draws, held[3] / (double)draws);
        }
}

typedef struct survey {
    su_frame *frame;
    su_design *design;
    double y[MOST], weight[MOST], unit[MOST];
    uint32_t stratum[MOST], group[MOST];
} survey;

/* Five strata; people of a unit are alike (intraclass correlation), weights differ fourfold and tell nothing about the outcome. */
static void draw(survey *s, su_philox *r, int units, double p, double alike)
{
    int at = 0;
    for (int h = 0; h < 5; h++)
        for (int u = 0; u < units; u++) {
            double own = alike > 0 ? su_philox_beta(r, p * (1 - alike) / alike, (1 - p) * (1 - alike) / alike) : p;
            for (int i = 0; i < PEOPLE; i++, at++) {
                s->y[at] = su_philox_unit(r) < own;
                s->weight[at] = 0.5 + 1.5 * su_philox_unit(r);
                s->unit[at] = h * 1000 + u;
                s->stratum[at] = (uint32_t)h + 1;
                s->group[at] = 1 + (su_philox_unit(r) < 0.5);
            }
        }
}

static void clustered(uint64_t seed, int draws)
{
    static const char *const strata[] = { "a", "b", "c", "d", "e" };
    static const double rates[] = { 0.005, 0.02, 0.1, 0.3, 0.5 };
    static const int units[] = { 2, 4, 8 };
    static const su_ci methods[] = { SU_CI_KORN_GRAUBARD, SU_CI_LOGIT, SU_CI_BETA, SU_CI_WILSON };
    survey *s = su_alloc(sizeof *s);
    su_context ctx;
    su_context_init(&ctx);
    for (size_t u = 0; u < 3; u++)
        for (size_t k = 0; k < 5; k++) {
            su_philox r = su_philox_of(seed, 2000 + u * 10 + k);
            int held[4] = { 0 }, domain = 0, difference = 0;
            for (int i = 0; i < draws; i++) {
                uint64_t rows = (uint64_t)(5 * units[u] * PEOPLE);
                draw(s, &r, units[u], rates[k], 0.05);
                s->frame = su_frame_new(rows);
                su_design_options o = { .stages = 1, .weight = su_frame_add_number(s->frame, "w", s->weight) };
                o.strata[0] = su_frame_add_factor(s->frame, "h", s->stratum, strata, 5);
                o.psu[0] = su_frame_add_number(s->frame, "u", s->unit);
                su_estimand e[2] = { { .y = s->y }, { .y = s->y, .group = s->group, .groups = 2 } };
                su_estimate out[3];
                double v[9];
                if (su_design_new(&ctx, s->frame, &o, &s->design) || su_design_estimate(&ctx, s->design, e, 2, out, v)) {
                    fprintf(stderr, "%s\n", ctx.message);
                    exit(1);
                }
                double deff = fmax(out[0].kish, isfinite(out[0].deff_replace) ? out[0].deff_replace : 1);
                for (int m = 0; m < 4; m++)
                    held[m] +=
                        holds(su_proportion_interval(methods[m], out[0].estimate, out[0].variance, out[0].df, (double)out[0].n, deff, 0.95),
                              rates[k]);
                domain += holds(
                    su_proportion_interval(SU_CI_KORN_GRAUBARD, out[1].estimate, out[1].variance, out[1].df, (double)out[1].n, deff, 0.95),
                    rates[k]);
                difference += holds(su_mean_interval(out[1].estimate - out[2].estimate, v[4] + v[8] - 2 * v[5], out[0].df, 0.95), 0);
                su_design_free(s->design);
                su_frame_free(s->frame);
            }
            printf("{\"family\": \"clustered\", \"setting\": \"%d units in 5 strata\", \"p\": %g, \"korn-graubard\": %.4f, \"logit\": "
                   "%.4f, \"beta\": %.4f, \"wilson\": %.4f, "
                   "\"half of the people\": %.4f, \"difference\": %.4f}\n",
                   5 * units[u], rates[k], held[0] / (double)draws, held[1] / (double)draws, held[2] / (double)draws,
                   held[3] / (double)draws, domain / (double)draws, difference / (double)draws);
            fflush(stdout);
        }
    free(s);
}

static void two_groups(uint64_t seed, int draws)
{
    static const double rates[][2] = { { 0.02, 0.05 }, { 0.1, 0.3 }, { 0.5, 0.5 } };
    static const int sizes[] = { 40, 200 };
    for (size_t n = 0; n < 2; n++)
        for (size_t k = 0; k < 3; k++) {
            su_philox r = su_philox_of(seed, 3000 + n * 10 + k);
            double p = rates[k][0], q = rates[k][1];
            int newcombe = 0, ratio = 0, odds = 0;
            for (int i = 0; i < draws; i++) {
                int64_t a = su_philox_binomial(&r, sizes[n], p), b = su_philox_binomial(&r, sizes[n], q);
                su_two_rates t = su_two_rates_of(a, sizes[n], b, sizes[n], 0.95);
                bool small = a < 5 || b < 5 || sizes[n] - a < 5 || sizes[n] - b < 5;
                newcombe += holds(t.newcombe, p - q);
                ratio += holds(t.ratio_log, p / q) || isnan(t.ratio_log.low);
                odds += holds(small ? t.fisher : t.woolf, p * (1 - q) / (q * (1 - p)));
            }
            printf("{\"family\": \"two groups\", \"setting\": \"n = %d each, rates %g and %g\", \"p\": %g, \"difference\": %.4f, "
                   "\"ratio\": %.4f, \"odds ratio\": %.4f}\n",
                   sizes[n], p, q, p, newcombe / (double)draws, ratio / (double)draws, odds / (double)draws);
        }
}

static int64_t geometric(su_philox *r, double epsilon)
{
    return (int64_t)floor(su_philox_exponential(r) / epsilon) - (int64_t)floor(su_philox_exponential(r) / epsilon);
}

static void noisy(uint64_t seed, int draws)
{
    static const double settings[][3] = { { 400, 0.1, 0.25 }, { 100, 0.1, 0.25 },   { 100, 0.1, 0.5 },   { 100, 0.4, 0.5 },
                                          { 50, 0.3, 0.1 },   { 2000, 0.05, 0.25 }, { 2000, 0.005, 0.1 } };
    for (size_t k = 0; k < 7; k++) {
        double n = settings[k][0], p = settings[k][1], v = su_noise_geometric(settings[k][2], 0.95).variance;
        su_philox r = su_philox_of(seed, 4000 + k);
        int naive = 0, aware = 0, flagged = 0;
        for (int i = 0; i < draws; i++) {
            double m = fmax(1, n + (double)geometric(&r, settings[k][2]));
            double x = fmin(m, fmax(0, (double)(su_philox_binomial(&r, (int64_t)n, p) + geometric(&r, settings[k][2]))));
            su_noisy_rate rate = su_noisy_rate_of(x, v, m, v, 0.95);
            naive += holds(su_binomial_interval(SU_CI_WILSON, x, m, 0.95), p);
            aware += holds(rate.population, p);
            flagged += rate.coarse;
        }
        printf("{\"family\": \"noisy counts\", \"setting\": \"n = %g, epsilon %g\", \"p\": %g, \"naive wilson\": %.4f, \"ours\": %.4f, "
               "\"share flagged\": %.4f}\n",
               n, settings[k][2], p, naive / (double)draws, aware / (double)draws, flagged / (double)draws);
    }
}

int main(int argc, char **argv)
{
    int64_t draws = 4000, seed = 20260607;
    if ((argc > 1 && !su_parse_i64(su_str_of(argv[1]), &draws)) || (argc > 2 && !su_parse_i64(su_str_of(argv[2]), &seed)) || draws < 1) {
        fputs("usage: coverage_rates [DRAWS [SEED]]\n", stderr);
        return 2;
    }
    simple((uint64_t)seed, (int)draws);
    clustered((uint64_t)seed, (int)draws);
    two_groups((uint64_t)seed, (int)draws);
    noisy((uint64_t)seed, (int)draws);
    return 0;
}
