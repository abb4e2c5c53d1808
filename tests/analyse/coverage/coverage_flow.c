/* Two points, people seen once and twice, rates, changes, odds in case files, stocks, flow monitoring points, trends. */
#include "coverage.h"

#include <suha/estimate.h>
#include <suha/flow.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void two_points(simulation *s)
{
    static const double settings[][3] = { { 500, 0.1, 0.1 }, { 500, 0.3, 0.2 }, { 5000, 0.05, 0.05 }, { 5000, 0.3, 0.2 } };
    for (size_t k = 0; k < 4; k++) {
        cover c = { .what = "people at two points (Chapman)" };
        su_philox r = simulation_stream(s);
        double people = settings[k][0], p = settings[k][1], q = settings[k][2];
        for (int64_t d = 0; d < s->draws; d++) {
            double n1 = (double)su_philox_binomial(&r, (int64_t)people, p), both = (double)su_philox_binomial(&r, (int64_t)n1, q);
            double n2 = both + (double)su_philox_binomial(&r, (int64_t)(people - n1), q);
            su_flow_estimate e = { 0, 0, NAN, NAN };
            if (su_two_points(&s->ctx, n1, n2, both, 0.95, &e)) e.low = NAN;
            cover_add(&c, e.low, e.high, people, both < 7);
        }
        char text[80];
        snprintf(text, sizeof text, "%g people, %g %% and %g %% seen", people, 100 * p, 100 * q);
        cover_print(s, text, &c, 1);
    }
}

/* Everybody is seen a Poisson number of times, for which Chao's bound is the number itself. */
static void seen_twice(simulation *s)
{
    static const double settings[][2] = { { 300, 0.3 }, { 300, 1 }, { 3000, 0.3 } };
    for (size_t k = 0; k < 3; k++) {
        cover c = { .what = "Chao's bound, people alike" };
        su_philox r = simulation_stream(s);
        for (int64_t d = 0; d < s->draws; d++) {
            double seen[3] = { 0 };
            for (int i = 0; i < (int)settings[k][0]; i++) {
                int64_t times = su_philox_poisson(&r, settings[k][1]);
                seen[0] += times > 0;
                seen[1] += times == 1;
                seen[2] += times == 2;
            }
            su_flow_estimate e = { 0, 0, NAN, NAN };
            if (su_seen_once_twice(&s->ctx, seen[0], seen[1], seen[2], 0.95, &e)) e.low = NAN;
            cover_add(&c, e.low, e.high, settings[k][0], false);
        }
        char text[80];
        snprintf(text, sizeof text, "%g people, seen %g times on average", settings[k][0], settings[k][1]);
        cover_print(s, text, &c, 1);
    }
}

static void counts(simulation *s)
{
    static const double means[] = { 1, 5, 20, 100 };
    for (size_t k = 0; k < 4; k++) {
        cover c[] = { { .what = "rate of a count (exact Poisson)" },
                      { .what = "change of two counts (exact)" },
                      { .what = "change, dispersion 3 known from 30 periods" } };
        su_philox r = simulation_stream(s);
        double mean = means[k];
        for (int64_t d = 0; d < s->draws; d++) {
            su_flow_estimate e = { 0, 0, NAN, NAN };
            su_change change;
            double a = (double)su_philox_poisson(&r, mean), b = (double)su_philox_poisson(&r, 1.5 * mean);
            if (su_rate_of(&s->ctx, a, 10, 0.95, &e)) e.low = NAN;
            cover_add(&c[0], e.low, e.high, mean / 10, a < 10);
            su_change_input in = { .before = a, .after = b, .exposure_before = 1, .exposure_after = 1, .dispersion = 1, .df = INFINITY };
            if (su_change_of(&s->ctx, &in, 0.95, &change)) change.low = NAN;
            cover_add(&c[1], change.low, change.high, 1.5, a < 10 || b < 10);
            /* variance 3 times the mean: size mean/2 of the negative binomial */
            in.before = (double)su_philox_negative_binomial(&r, mean / 2, 1.0 / 3);
            in.after = (double)su_philox_negative_binomial(&r, 1.5 * mean / 2, 1.0 / 3);
            in.dispersion = 3 * 2 * su_philox_gamma(&r, 15) / 30;
            in.df = 30;
            if (su_change_of(&s->ctx, &in, 0.95, &change)) change.low = NAN;
            cover_add(&c[2], change.low, change.high, 1.5, in.before < 10 || in.after < 10);
        }
        char text[80];
        snprintf(text, sizeof text, "mean %g", mean);
        cover_print(s, text, c, 3);
    }
}

/* Organisations of unlike size whose shares differ around one half. */
static void odds(simulation *s)
{
    enum { MOST = 3000 };
    static const char *const kinds[] = { "no", "yes" };
    static const int settings[][2] = { { 6, 40 }, { 15, 40 }, { 30, 100 } };
    for (size_t k = 0; k < 3; k++) {
        cover c = { .what = "odds in a case file, organisations differ" };
        su_philox r = simulation_stream(s);
        uint32_t *kind = su_alloc_array(MOST, sizeof *kind), *who = su_alloc_array(MOST, sizeof *who);
        char text[80], names[30][8];
        const char *organisations[30];
        for (int i = 0; i < 30; i++) {
            snprintf(names[i], sizeof names[i], "o%02d", i);
            organisations[i] = names[i];
        }
        for (int64_t d = 0; d < s->draws; d++) {
            uint64_t at = 0;
            for (int g = 0; g < settings[k][0]; g++) {
                double share = su_philox_beta(&r, 10, 10);
                for (int i = 0; i < settings[k][1]; i++, at++) {
                    who[at] = (uint32_t)g + 1;
                    kind[at] = 1 + (su_philox_unit(&r) < share);
                }
            }
            su_frame *f = su_frame_new(at);
            su_frame_add_factor(f, "kind", kind, kinds, 2);
            su_frame_add_factor(f, "who", who, organisations, (uint32_t)settings[k][0]);
            su_odds_options o = { .kind = &f->variables[0],
                                  .numerator = SU_STR("yes"),
                                  .denominator = SU_STR("no"),
                                  .organisation = &f->variables[1],
                                  .level = 0.95 };
            su_result *out = su_result_new("odds", "");
            bool good = !su_case_odds(&s->ctx, f, &o, out);
            cover_row(&c, good ? out : NULL, "odds", 0, "low", "high", 1, good && su_result_has_warning(out, "W_ONE_ORGANISATION"));
            su_result_free(out);
            su_frame_free(f);
        }
        free(kind);
        free(who);
        snprintf(text, sizeof text, "%d organisations of %d cases", settings[k][0], settings[k][1]);
        cover_print(s, text, &c, 1);
    }
}

/* 100 units of 10 people; 10 % are in the situation, for a uniform part of 60 months; a network of 1 to 4 could report each. */
static void stock(simulation *s)
{
    enum { ROWS = 1000 };
    cover c[] = { { .what = "flow of the window" }, { .what = "stock on a day" } };
    su_philox r = simulation_stream(s);
    double is[ROWS], months[ROWS], family[ROWS], unit[ROWS];
    double flow_truth = ROWS * 0.1 * (1 + 0.5 + 1.0 / 3 + 0.25) / 4;
    for (int64_t d = 0; d < s->draws; d++) {
        for (int i = 0; i < ROWS; i++) {
            is[i] = su_philox_unit(&r) < 0.1;
            months[i] = 60 * su_philox_unit(&r);
            family[i] = 1 + (double)su_philox_below(&r, 4);
            unit[i] = i / 10;
        }
        su_frame *f = su_frame_new(ROWS);
        su_frame_add_number(f, "is", is);
        su_frame_add_number(f, "months", months);
        su_frame_add_number(f, "family", family);
        su_frame_add_number(f, "unit", unit);
        su_design_options how = { .stages = 1 };
        how.psu[0] = &f->variables[3];
        su_stock_options o = { .is_case = &f->variables[0],
                               .duration = &f->variables[1],
                               .family = &f->variables[2],
                               .design = &how,
                               .window = 60,
                               .level = 0.95 };
        su_result *out = su_result_new("stock", "");
        bool good = !su_stock(&s->ctx, f, &o, out);
        cover_row(&c[0], good ? out : NULL, "estimates", 0, "low", "high", flow_truth, false);
        for (size_t row = 0; good && row < su_result_rows(out, "estimates"); row++) {
            const char *what = su_result_get_text(out, "estimates", row, "what");
            if (what && !strcmp(what, "stock on a day")) cover_row(&c[1], out, "estimates", row, "low", "high", flow_truth / 2, false);
        }
        su_result_free(out);
        su_frame_free(f);
    }
    cover_print(s, "1,000 people in 100 units, 10 % in the situation", c, 2);
}

/* Four points, 26 weeks, variance 3 times the mean; a day of the week is not watched now and then, and a tenth of the weeks not at all. */
static void points(simulation *s)
{
    enum { POINTS = 4, WEEKS = 26, ROWS = POINTS * WEEKS };
    static const double means[][POINTS] = { { 5, 10, 20, 40 }, { 50, 100, 200, 400 } };
    static const char *const names[] = { "p1", "p2", "p3", "p4" };
    for (size_t k = 0; k < 2; k++) {
        cover c = { .what = "expected flow of a point" };
        su_philox r = simulation_stream(s);
        double count[ROWS], active[ROWS], flow[POINTS];
        uint32_t point[ROWS], week[ROWS];
        char text[WEEKS][8], setting[120];
        const char *weeks[WEEKS];
        for (int w = 0; w < WEEKS; w++) {
            snprintf(text[w], sizeof text[w], "w%02d", w);
            weeks[w] = text[w];
        }
        for (int64_t d = 0; d < s->draws / 4; d++) {
            for (int p = 0; p < POINTS; p++) flow[p] = 0;
            for (int i = 0; i < ROWS; i++) {
                int p = i / WEEKS, w = i % WEEKS;
                double mean = means[k][p] * (1 + 0.3 * sin(w / 4.0)), days = 5 + (double)su_philox_below(&r, 3);
                bool closed = su_philox_unit(&r) < 0.1;
                point[i] = (uint32_t)p + 1;
                week[i] = (uint32_t)w + 1;
                double seen = (double)su_philox_negative_binomial(&r, mean * days / 7 / 2, 1.0 / 3);
                flow[p] += mean;
                active[i] = closed ? 0 : days;
                count[i] = closed ? NAN : seen;
            }
            su_frame *f = su_frame_new(ROWS);
            su_frame_add_factor(f, "point", point, names, POINTS);
            su_frame_add_factor(f, "week", week, weeks, WEEKS);
            su_frame_add_number(f, "count", count);
            su_frame_add_number(f, "active", active);
            su_points_input in = { .point = &f->variables[0],
                                   .period = &f->variables[1],
                                   .count = &f->variables[2],
                                   .active = &f->variables[3],
                                   .open_days = 7,
                                   .level = 0.95 };
            su_result *out = su_result_new("flow", "");
            bool good = !su_flow_points(&s->ctx, f, &in, out);
            for (int p = 0; p < POINTS; p++) cover_row(&c, good ? out : NULL, "points", (size_t)p, "low", "high", flow[p], false);
            su_result_free(out);
            su_frame_free(f);
        }
        snprintf(setting, sizeof setting, "points of %g to %g people a week, six days watched, a tenth of the weeks not", means[k][0],
                 means[k][POINTS - 1]);
        cover_print(s, setting, &c, 1);
    }
}

void coverage_flow(simulation *s)
{
    two_points(s);
    seen_twice(s);
    counts(s);
    odds(s);
    stock(s);
    points(s);
}

void coverage_trend(simulation *s)
{
    enum { MOST = 120 };
    static const struct {
        int n;
        double mean, size;
        const char *text;
    } settings[] = { { 24, 50, 5, "24 months, mean 50, theta 5" },
                     { 60, 50, 5, "60 months, mean 50, theta 5" },
                     { 120, 5, 5, "120 months, mean 5, theta 5" },
                     { 60, 200, INFINITY, "60 months, mean 200, Poisson" } };
    for (size_t k = 0; k < 4; k++) {
        cover c[] = { { .what = "change per year" },
                      { .what = "level shift" },
                      { .what = "expected count, three months ahead" },
                      { .what = "a count, three months ahead" },
                      { .what = "Sen's slope" } };
        su_philox r = simulation_stream(s);
        double size = settings[k].size, slope = 0.05 / 12;
        for (int64_t d = 0; d < s->draws; d++) {
            double value[MOST];
            int64_t ordinal[MOST];
            unsigned season[MOST];
            int n = settings[k].n;
            double ahead = 0, count_ahead = 0;
            for (int i = 0; i < n + 3; i++) {
                double mean = settings[k].mean * exp(slope * i + 0.2 * sin(2 * acos(-1) * i / 12) + 0.3 * (i >= n / 2));
                double y =
                    isinf(size) ? (double)su_philox_poisson(&r, mean) : (double)su_philox_negative_binomial(&r, size, size / (size + mean));
                ahead = mean;
                count_ahead = y;
                if (i >= n) continue;
                value[i] = y;
                ordinal[i] = i + 2015 * 12;
                season[i] = (unsigned)i % 12;
            }
            su_series series = { .kind = 'm', .n = (size_t)n, .ordinal = ordinal, .value = value, .season = season, .period = 12 };
            su_trend_options o = { .family = SU_COUNT_NEGATIVE_BINOMIAL,
                                   .harmonics = 1,
                                   .ahead = 3,
                                   .has_break = true,
                                   .break_at = ordinal[n / 2],
                                   .count_name = "n",
                                   .level = 0.95 };
            su_result *out = su_result_new("trend", "");
            bool good = !su_trend(&s->ctx, &series, &o, out);
            cover_row(&c[0], good ? out : NULL, "changes", 0, "low", "high", expm1(12 * slope), false);
            cover_row(&c[1], good ? out : NULL, "changes", 2, "low", "high", expm1(0.3), false);
            cover_row(&c[2], good ? out : NULL, "forecast", 2, "low", "high", ahead, false);
            cover_row(&c[3], good ? out : NULL, "forecast", 2, "count_low", "count_high", count_ahead, false);
            su_result_free(out);
            /* a straight line with normal noise, in whole numbers */
            double t[MOST], line[MOST];
            for (int i = 0; i < n; i++) {
                t[i] = i;
                line[i] = round(settings[k].mean + 0.1 * i + sqrt(settings[k].mean) * su_philox_normal(&r));
            }
            su_mann_kendall m = su_mann_kendall_of(line, (size_t)n);
            su_sen sen = su_sen_slope(line, t, (size_t)n, m.variance, 0.95);
            cover_add(&c[4], sen.low, sen.high, 0.1, false);
        }
        cover_print(s, settings[k].text, c, 5);
    }
}
