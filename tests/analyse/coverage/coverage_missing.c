/* Coefficients pooled over imputations, where values are missing by what is seen; small areas of Fay and Herriot's model. */
#include "coverage.h"

#include <suha/area.h>
#include <suha/impute.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { IMPUTATIONS = 20 };
static const char *const GROUPS[] = { "a", "b", "c" };

static double plogis(double x) { return 1 / (1 + exp(-x)); }

typedef struct table {
    uint64_t n;
    double *y, *x, *copy;
    uint32_t *g;
} table;

/* A third of the numbers x is missing, more often for cases; a tenth of the groups. */
static su_frame *draw(table *t, su_philox *r)
{
    for (uint64_t i = 0; i < t->n; i++) {
        t->g[i] = 1 + (uint32_t)su_philox_below(r, 3);
        t->x[i] = su_philox_normal(r) + 0.5 * (t->g[i] == 2);
        t->y[i] = su_philox_unit(r) < plogis(-0.5 + 0.6 * t->x[i] + 0.5 * (t->g[i] == 2) - 0.5 * (t->g[i] == 3));
        if (su_philox_unit(r) < (t->y[i] > 0 ? 0.45 : 0.25)) t->x[i] = NAN;
        if (su_philox_unit(r) < 0.1) t->g[i] = 0;
    }
    su_frame *f = su_frame_new(t->n);
    su_frame_add_number(f, "y", t->y);
    su_frame_add_number(f, "x", t->x);
    su_frame_add_factor(f, "g", t->g, GROUPS, 3);
    return f;
}

/* The completed files one below the other, as `suha impute` writes them. */
static su_frame *stacked(const su_imputation *m, const table *t)
{
    su_frame *f = su_frame_new(t->n * IMPUTATIONS);
    double *y = su_arena_array(&f->arena, f->rows, sizeof *y), *x = su_arena_array(&f->arena, f->rows, sizeof *x);
    double *number = su_arena_array(&f->arena, f->rows, sizeof *number);
    uint32_t *g = su_arena_array(&f->arena, f->rows, sizeof *g);
    for (unsigned k = 0; k < IMPUTATIONS; k++) {
        uint64_t at = k * t->n;
        memcpy(y + at, t->y, t->n * sizeof *y);
        memcpy(x + at, t->x, t->n * sizeof *x);
        memcpy(g + at, t->g, t->n * sizeof *g);
        for (uint64_t i = 0; i < t->n; i++) number[at + i] = k + 1;
        for (uint64_t i = 0; i < m->variables[1].filled; i++) x[at + m->variables[1].rows[i]] = m->variables[1].number[k][i];
        for (uint64_t i = 0; i < m->variables[2].filled; i++) g[at + m->variables[2].rows[i]] = m->variables[2].level[k][i];
    }
    su_frame_add_number(f, "y", y);
    su_frame_add_number(f, "x", x);
    su_frame_add_number(f, "imp", number);
    su_frame_add_factor(f, "g", g, GROUPS, 3);
    return f;
}

void coverage_missing(simulation *s)
{
    static const uint64_t sizes[] = { 150, 500 };
    for (size_t k = 0; k < 2; k++) {
        cover c[] = { { .what = "pooled coefficient of a number, a third missing" },
                      { .what = "pooled coefficient of a category, a tenth missing" } };
        table t = { sizes[k], su_alloc_array(sizes[k], sizeof(double)), su_alloc_array(sizes[k], sizeof(double)), NULL,
                    su_alloc_array(sizes[k], sizeof(uint32_t)) };
        su_philox r = simulation_stream(s);
        for (int64_t d = 0; d < s->draws; d++) {
            su_frame *f = draw(&t, &r), *all = NULL;
            su_imputation *m = NULL;
            su_result *out = su_result_new("pool", "");
            su_impute_options o = { .imputations = IMPUTATIONS, .rounds = 10, .seed = s->seed + (uint64_t)d };
            su_pool_options pool = { .formula = "y ~ x + g", .level = 0.95 };
            bool good = !su_impute(&s->ctx, f, &o, &m);
            if (good) all = stacked(m, &t);
            good = good && !su_frame_find(&s->ctx, all, SU_STR("imp"), &pool.imputation) && !su_pool_formula(&s->ctx, all, &pool, out);
            cover_row(&c[0], good ? out : NULL, "coefficients", 1, "low", "high", 0.6, false);
            cover_row(&c[1], good ? out : NULL, "coefficients", 2, "low", "high", 0.5, false);
            su_result_free(out);
            su_imputation_free(m);
            su_frame_free(all);
            su_frame_free(f);
        }
        free(t.y);
        free(t.x);
        free(t.g);
        char text[64];
        snprintf(text, sizeof text, "%llu people, 20 imputations", (unsigned long long)sizes[k]);
        cover_print(s, text, c, 2);
    }
}

/* One predictor, sampling variances from 0.5 to 1.5; the last area has no sample. */
static void one_setting(simulation *s, int areas, double a)
{
    enum { MOST = 60 };
    cover c[] = { { .what = "area with a sample" }, { .what = "area without" } };
    su_philox r = simulation_stream(s);
    double y[MOST], v[MOST], x[MOST], truth[MOST];
    uint32_t id[MOST];
    char text[MOST][8];
    const char *names[MOST];
    for (int i = 0; i < areas; i++) {
        snprintf(text[i], sizeof text[i], "a%02d", i);
        names[i] = text[i];
        id[i] = (uint32_t)i + 1;
        v[i] = 0.5 + (double)i / (areas - 1);
    }
    for (int64_t d = 0; d < s->draws; d++) {
        for (int i = 0; i < areas; i++) {
            x[i] = su_philox_normal(&r);
            truth[i] = 10 + x[i] + sqrt(a) * su_philox_normal(&r);
            y[i] = i == areas - 1 ? NAN : truth[i] + sqrt(v[i]) * su_philox_normal(&r);
        }
        su_frame *f = su_frame_new((uint64_t)areas);
        su_frame_add_factor(f, "area", id, names, (uint32_t)areas);
        su_frame_add_number(f, "y", y);
        su_frame_add_number(f, "v", v);
        su_frame_add_number(f, "x", x);
        su_area_options o = {
            .area = &f->variables[0], .estimate = &f->variables[1], .variance = &f->variables[2], .predictor_count = 1, .level = 0.95
        };
        const su_variable *predictor = &f->variables[3];
        o.predictors = &predictor;
        su_result *out = su_result_new("smallarea", "");
        bool good = !su_small_areas(&s->ctx, f, &o, out),
             warned = !good || su_result_has_warning(out, "W_BOUNDARY") || su_result_has_warning(out, "W_AREAS_ALIKE");
        for (int i = 0; i < areas; i++)
            cover_row(&c[i == areas - 1], good ? out : NULL, "areas", (size_t)i, "low", "high", truth[i], warned);
        su_result_free(out);
        su_frame_free(f);
    }
    char setting[80];
    snprintf(setting, sizeof setting, "%d areas, variance between areas %g, of the samples 1", areas, a);
    cover_print(s, setting, c, 2);
}

void coverage_areas(simulation *s)
{
    static const double variances[] = { 0.1, 0.5, 1, 4 };
    for (int areas = 15; areas <= 45; areas += 30)
        for (size_t k = 0; k < 4; k++) one_setting(s, areas, variances[k]);
}
