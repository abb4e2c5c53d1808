/* Logistic models of people in clusters, survey designs, random intercepts, two ways of clustering; comparisons under a design. */
#include "coverage.h"

#include <suha/logit.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "numeric/special.h"

enum { PEOPLE = 20, MOST = 4000 };

typedef struct sample {
    double y[MOST], x[MOST], z[MOST], w[MOST], unit[MOST], second[MOST];
    uint32_t cluster[MOST], stratum[MOST], half[MOST], other[MOST];
    const char *names[MOST];
    su_frame *frame;
} sample;

static const char *const FIVE[] = { "a", "b", "c", "d", "e" };

static double plogis(double x) { return 1 / (1 + exp(-x)); }

/* The outcome's rate is exact for everybody and people of a cluster are alike: a normal variable of which `alike` is shared. z is a
 * property of the cluster. */
static void draw(sample *s, su_philox *r, int clusters, double alike, int second_way)
{
    double shared[PEOPLE] = { 0 };
    for (int k = 0; k < second_way; k++) shared[k] = su_philox_normal(r);
    int at = 0;
    for (int g = 0; g < clusters; g++) {
        double common = su_philox_normal(r);
        for (int i = 0; i < PEOPLE; i++, at++) {
            s->x[at] = su_philox_normal(r);
            s->z[at] = g % 2;
            s->cluster[at] = (uint32_t)g + 1;
            s->other[at] = (uint32_t)i % (second_way ? (uint32_t)second_way : 1) + 1;
            s->half[at] = 1 + (su_philox_unit(r) < 0.5);
            s->unit[at] = g;
            s->stratum[at] = (uint32_t)(g % 5) + 1;
            s->w[at] = 0.5 + 1.5 * su_philox_unit(r);
            double both = second_way ? sqrt(alike) * shared[s->other[at] - 1] : 0, rest = 1 - alike - (second_way ? alike : 0);
            double own = sqrt(alike) * common + both + sqrt(rest) * su_philox_normal(r);
            s->y[at] = su_normal_cdf(own) < plogis(-1 + 0.5 * s->x[at] + 0.5 * s->z[at]);
        }
    }
    s->frame = su_frame_new((uint64_t)at);
    su_frame_add_number(s->frame, "y", s->y);
    su_frame_add_number(s->frame, "x", s->x);
    su_frame_add_number(s->frame, "z", s->z);
}

static void names(sample *s, su_arena *arena)
{
    for (int i = 0; i < MOST; i++) s->names[i] = su_arena_printf(arena, "c%03d", i);
}

static void clusters(simulation *s, sample *p)
{
    static const struct {
        int count, second;
        const char *text;
    } settings[] = { { 8, 0, "8 clusters of 20 (CR2)" },
                     { 20, 0, "20 clusters of 20 (CR2)" },
                     { 40, 0, "40 clusters of 20 (CR2)" },
                     { 80, 0, "80 clusters of 20 (HC1)" },
                     { 30, 20, "two ways, 30 by 20 (HC1)" } };
    for (size_t k = 0; k < sizeof settings / sizeof *settings; k++) {
        cover c[] = { { .what = "coefficient within clusters" }, { .what = "coefficient between clusters" } };
        su_philox r = simulation_stream(s);
        for (int64_t d = 0; d < s->draws; d++) {
            draw(p, &r, settings[k].count, 0.1, settings[k].second);
            su_logit_options o = { .formula = "y ~ x + z" };
            su_frame_add_factor(p->frame, "g", p->cluster, p->names, (uint32_t)settings[k].count);
            su_frame_add_factor(p->frame, "h", p->other, p->names, PEOPLE);
            if (su_frame_find(&s->ctx, p->frame, SU_STR("g"), &o.cluster[0])) abort();
            if (settings[k].second && su_frame_find(&s->ctx, p->frame, SU_STR("h"), &o.cluster[1])) abort();
            su_result *out = NULL;
            if (su_logit(&s->ctx, p->frame, &o, &out)) out = NULL;
            bool warned = !out || su_result_has_warning(out, "W_FEW_CLUSTERS");
            cover_row(&c[0], out, "coefficients", 1, "estimate_low", "estimate_high", 0.5, warned);
            cover_row(&c[1], out, "coefficients", 2, "estimate_low", "estimate_high", 0.5, warned);
            su_result_free(out);
            su_frame_free(p->frame);
        }
        cover_print(s, settings[k].text, c, 2);
    }
}

static void designs(simulation *s, sample *p)
{
    static const int counts[] = { 10, 20, 40 };
    for (size_t k = 0; k < 3; k++) {
        cover c[] = { { .what = "coefficient within units" },
                      { .what = "coefficient between units" },
                      { .what = "difference of two groups" },
                      { .what = "ratio of two groups" },
                      { .what = "odds ratio of two groups" } };
        su_philox r = simulation_stream(s);
        for (int64_t d = 0; d < s->draws; d++) {
            draw(p, &r, counts[k], 0.1, 0);
            su_frame_add_number(p->frame, "w", p->w);
            su_frame_add_number(p->frame, "u", p->unit);
            su_frame_add_factor(p->frame, "h", p->stratum, FIVE, 5);
            su_frame_add_factor(p->frame, "half", p->half, FIVE, 2);
            su_design_options how = { .stages = 1 };
            const su_variable *half, *y;
            su_design *design = NULL;
            su_result *out = NULL;
            if (su_frame_find(&s->ctx, p->frame, SU_STR("w"), &how.weight) || su_frame_find(&s->ctx, p->frame, SU_STR("u"), &how.psu[0]) ||
                su_frame_find(&s->ctx, p->frame, SU_STR("h"), &how.strata[0]) || su_frame_find(&s->ctx, p->frame, SU_STR("half"), &half) ||
                su_frame_find(&s->ctx, p->frame, SU_STR("y"), &y) || su_design_new(&s->ctx, p->frame, &how, &design))
                abort();
            su_logit_options o = { .formula = "y ~ x + z", .design = design };
            if (su_logit(&s->ctx, p->frame, &o, &out)) out = NULL;
            bool few = !out || su_result_has_warning(out, "W_FEW_UNITS") || su_result_has_warning(out, "W_FEW_CLUSTERS");
            cover_row(&c[0], out, "coefficients", 1, "estimate_low", "estimate_high", 0.5, few);
            cover_row(&c[1], out, "coefficients", 2, "estimate_low", "estimate_high", 0.5, few);
            su_result_free(out);
            out = NULL;
            su_compare_options compare = { .outcome = { y, NULL }, .by = half, .design_given = true, .level = 0.95 };
            if (su_compare_result(&s->ctx, p->frame, design, &compare, &out)) out = NULL;
            few = !out || su_result_has_warning(out, "W_FEW_UNITS");
            for (size_t m = 0; m < 3; m++) cover_row(&c[2 + m], out, "comparisons", m, "low", "high", m != 0, few);
            su_result_free(out);
            su_design_free(design);
            su_frame_free(p->frame);
        }
        char text[64];
        snprintf(text, sizeof text, "survey, %d units in 5 strata", counts[k]);
        cover_print(s, text, c, 5);
    }
}

/* Truth: coefficients given the group; the groups' own effects are held by their intervals on average over groups. */
static void random_intercept(simulation *s, sample *p)
{
    static const int counts[] = { 10, 20, 50 };
    for (size_t k = 0; k < 3; k++) {
        cover c[] = { { .what = "coefficient within groups" }, { .what = "coefficient between groups" }, { .what = "effect of a group" } };
        su_philox r = simulation_stream(s);
        double effect[50];
        for (int64_t d = 0; d < s->draws / 2; d++) {
            draw(p, &r, counts[k], 0, 0);
            for (int g = 0; g < counts[k]; g++) effect[g] = 0.7 * su_philox_normal(&r);
            for (int i = 0; i < counts[k] * PEOPLE; i++)
                p->y[i] = su_philox_unit(&r) < plogis(-1 + 0.5 * p->x[i] + 0.5 * p->z[i] + effect[p->cluster[i] - 1]);
            su_frame_add_factor(p->frame, "g", p->cluster, p->names, (uint32_t)counts[k]);
            su_logit_options o = { .formula = "y ~ x + z" };
            su_result *out = NULL;
            if (su_frame_find(&s->ctx, p->frame, SU_STR("g"), &o.random)) abort();
            if (su_logit(&s->ctx, p->frame, &o, &out)) out = NULL;
            bool warned = !out || su_result_has_warning(out, "W_FEW_GROUPS") || su_result_has_warning(out, "W_RANDOM_BOUNDARY");
            cover_row(&c[0], out, "coefficients", 1, "estimate_low", "estimate_high", 0.5, warned);
            cover_row(&c[1], out, "coefficients", 2, "estimate_low", "estimate_high", 0.5, warned);
            for (int g = 0; g < counts[k]; g++) cover_row(&c[2], out, "groups", (size_t)g, "low", "high", effect[g], warned);
            su_result_free(out);
            su_frame_free(p->frame);
        }
        char text[64];
        snprintf(text, sizeof text, "random intercept, %d groups of 20", counts[k]);
        cover_print(s, text, c, 3);
    }
}

void coverage_clusters(simulation *s)
{
    sample *p = su_alloc(sizeof *p);
    su_arena arena;
    su_arena_init(&arena);
    names(p, &arena);
    clusters(s, p);
    designs(s, p);
    random_intercept(s, p);
    su_arena_free(&arena);
    free(p);
}
