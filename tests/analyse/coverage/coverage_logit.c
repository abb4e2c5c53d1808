/* Logistic models of independent people: Wald, Firth, effects, predictions, risk ratios, risk differences. */
#include "coverage.h"

#include <suha/logit.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static const char *const YES[] = { "no", "yes" }, *const LEVELS[] = { "a", "b", "c" };

typedef struct people {
    uint64_t n;
    double *y, *x;
    uint32_t *b, *f;
    su_frame *frame;
} people;

static people people_new(uint64_t n)
{
    return (people) { n,
                      su_alloc_array(n, sizeof(double)),
                      su_alloc_array(n, sizeof(double)),
                      su_alloc_array(n, sizeof(uint32_t)),
                      su_alloc_array(n, sizeof(uint32_t)),
                      NULL };
}

static void people_free(people *p)
{
    free(p->y);
    free(p->x);
    free(p->b);
    free(p->f);
}

/* outcome: probability of a person. share: of those with b. */
static void people_draw(people *p, su_philox *r, double share, double (*outcome)(const people *, uint64_t, double), double base)
{
    for (uint64_t i = 0; i < p->n; i++) {
        p->b[i] = 1 + (su_philox_unit(r) < share);
        p->f[i] = 1 + (uint32_t)su_philox_below(r, 3);
        p->x[i] = su_philox_normal(r);
        p->y[i] = su_philox_unit(r) < outcome(p, i, base);
    }
    p->frame = su_frame_new(p->n);
    su_frame_add_number(p->frame, "y", p->y);
    su_frame_add_number(p->frame, "x", p->x);
    su_frame_add_factor(p->frame, "b", p->b, YES, 2);
    su_frame_add_factor(p->frame, "f", p->f, LEVELS, 3);
}

static double eta_of(const people *p, uint64_t i, double base, bool b)
{
    static const double f[] = { 0, 0, 0.5, -0.5 };
    return base + 0.7 * b + f[p->f[i]] + 0.3 * p->x[i];
}

static double plogis(double x) { return 1 / (1 + exp(-x)); }
static double logistic(const people *p, uint64_t i, double base) { return plogis(eta_of(p, i, base, p->b[i] == 2)); }
static double multiplied(const people *p, uint64_t i, double base) { return base * (p->b[i] == 2 ? 1.5 : 1); }
static double added(const people *p, uint64_t i, double base) { return base + (p->b[i] == 2 ? 0.1 : 0); }

/* Average effects over the people drawn, which is what the delta method's error is about. */
static void effects(const people *p, double base, double *of_b, double *of_x)
{
    *of_b = *of_x = 0;
    for (uint64_t i = 0; i < p->n; i++) {
        double mu = logistic(p, i, base);
        *of_b += (plogis(eta_of(p, i, base, true)) - plogis(eta_of(p, i, base, false))) / (double)p->n;
        *of_x += 0.3 * mu * (1 - mu) / (double)p->n;
    }
}

static void wald(simulation *s)
{
    static const struct {
        uint64_t n;
        double base;
        const char *text;
    } settings[] = { { 200, -1, "200 people, 31 % events" },
                     { 200, -3, "200 people, 7 % events" },
                     { 1000, -1, "1,000 people, 31 % events" },
                     { 1000, -4, "1,000 people, 3 % events" },
                     { 5000, -4, "5,000 people, 3 % events" } };
    static const char *const profile[] = { "b=yes,f=b,x=0" };
    for (size_t k = 0; k < sizeof settings / sizeof *settings; k++) {
        cover c[] = { { .what = "coefficient of 0/1" },
                      { .what = "coefficient of a number" },
                      { .what = "average effect of 0/1" },
                      { .what = "average effect of a number" },
                      { .what = "prediction for a profile" } };
        su_philox r = simulation_stream(s);
        people p = people_new(settings[k].n);
        double base = settings[k].base;
        for (int64_t d = 0; d < s->draws; d++) {
            people_draw(&p, &r, 0.4, logistic, base);
            su_logit_options o = { .formula = "y ~ b + f + x", .effects = true, .profiles = profile, .profile_count = 1 };
            su_result *out = NULL;
            double of_b, of_x;
            effects(&p, base, &of_b, &of_x);
            if (su_logit(&s->ctx, p.frame, &o, &out)) out = NULL;
            bool warned = !out || su_result_has_warning(out, "W_FEW_EVENTS") || su_result_has_warning(out, "W_SEPARATION");
            cover_row(&c[0], out, "coefficients", 1, "estimate_low", "estimate_high", 0.7, warned);
            cover_row(&c[1], out, "coefficients", 4, "estimate_low", "estimate_high", 0.3, warned);
            cover_row(&c[2], out, "effects", 0, "low", "high", of_b, warned);
            cover_row(&c[3], out, "effects", 3, "low", "high", of_x, warned);
            cover_row(&c[4], out, "profiles", 0, "low", "high", plogis(base + 1.2), warned);
            su_result_free(out);
            su_frame_free(p.frame);
        }
        people_free(&p);
        cover_print(s, settings[k].text, c, 5);
    }
}

static void firth(simulation *s)
{
    static const struct {
        uint64_t n;
        double base, share;
        const char *text;
    } settings[] = { { 40, -1, 0.2, "Firth, 40 people, 31 % events" },
                     { 100, -3, 0.2, "Firth, 100 people, 7 % events" },
                     { 300, -4, 0.4, "Firth, 300 people, 3 % events" } };
    for (size_t k = 0; k < sizeof settings / sizeof *settings; k++) {
        cover c[] = { { .what = "coefficient of 0/1, profile" }, { .what = "coefficient of a number, profile" } };
        su_philox r = simulation_stream(s);
        people p = people_new(settings[k].n);
        for (int64_t d = 0; d < s->draws / 2; d++) {
            people_draw(&p, &r, settings[k].share, logistic, settings[k].base);
            su_logit_options o = { .formula = "y ~ b + f + x", .firth = true };
            su_result *out = NULL;
            if (su_logit(&s->ctx, p.frame, &o, &out)) out = NULL;
            bool warned = !out || su_result_has_warning(out, "W_FEW_EVENTS");
            cover_row(&c[0], out, "coefficients", 1, "estimate_low", "estimate_high", 0.7, warned);
            cover_row(&c[1], out, "coefficients", 4, "estimate_low", "estimate_high", 0.3, warned);
            su_result_free(out);
            su_frame_free(p.frame);
        }
        people_free(&p);
        cover_print(s, settings[k].text, c, 2);
    }
}

static void other_families(simulation *s)
{
    static const struct {
        uint64_t n;
        double base;
        su_family family;
        const char *text;
    } settings[] = { { 200, 0.1, SU_FAMILY_POISSON, "risk ratio, 200 people, 10 % events" },
                     { 1000, 0.1, SU_FAMILY_POISSON, "risk ratio, 1,000 people, 10 % events" },
                     { 200, 0.1, SU_FAMILY_LINEAR, "risk difference, 200 people, 10 % events" },
                     { 1000, 0.1, SU_FAMILY_LINEAR, "risk difference, 1,000 people, 10 % events" } };
    for (size_t k = 0; k < sizeof settings / sizeof *settings; k++) {
        bool ratio = settings[k].family == SU_FAMILY_POISSON;
        cover c[] = { { .what = ratio ? "risk ratio of 0/1" : "risk difference of 0/1" } };
        su_philox r = simulation_stream(s);
        people p = people_new(settings[k].n);
        for (int64_t d = 0; d < s->draws; d++) {
            people_draw(&p, &r, 0.4, ratio ? multiplied : added, settings[k].base);
            su_logit_options o = { .formula = "y ~ b", .family = settings[k].family };
            su_result *out = NULL;
            if (su_logit(&s->ctx, p.frame, &o, &out)) out = NULL;
            cover_row(&c[0], out, "coefficients", 1, "estimate_low", "estimate_high", ratio ? log(1.5) : 0.1,
                      !out || su_result_has_warning(out, "W_FEW_EVENTS"));
            su_result_free(out);
            su_frame_free(p.frame);
        }
        people_free(&p);
        cover_print(s, settings[k].text, c, 1);
    }
}

void coverage_logit(simulation *s)
{
    wald(s);
    firth(s);
    other_families(s);
}
