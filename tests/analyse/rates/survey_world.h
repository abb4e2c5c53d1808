/* The California schools of the R package survey, in the designs of the reference file. */
#ifndef SU_TEST_SURVEY_WORLD_H
#define SU_TEST_SURVEY_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <suha/rates.h>

#include "analyse/reference.h"

typedef struct world {
    su_context ctx;
    su_raw_table *raw;
    su_frame *frame;
    su_design *design;
} world;

SU_TEST_UNUSED static const su_variable *column(world *w, const char *name)
{
    const su_variable *v = NULL;
    if (su_frame_find(&w->ctx, w->frame, su_str_of(name), &v)) fail_msg("%s", w->ctx.message);
    return v;
}

SU_TEST_UNUSED static const su_variable *factor(world *w, const char *name)
{
    const su_variable *v = NULL;
    if (su_frame_as_factor(&w->ctx, w->frame, column(w, name), &v)) fail_msg("%s", w->ctx.message);
    return v;
}

/* "stype", the file's columns; NULL = none. */
typedef struct plan {
    const char *name, *file, *strata, *psu1, *psu2, *weight, *fpc1, *fpc2;
} plan;

static const plan plans[] = {
    { "apistrat", "svy_apistrat.csv", "stype", NULL, NULL, "pw", "fpc", NULL },
    { "apistrat_nofpc", "svy_apistrat.csv", "stype", NULL, NULL, "pw", NULL, NULL },
    { "apiclus1", "svy_apiclus1.csv", NULL, "dnum", NULL, "pw", "fpc", NULL },
    { "apiclus1_nofpc", "svy_apiclus1.csv", NULL, "dnum", NULL, "pw", NULL, NULL },
    { "apiclus2", "svy_apiclus2.csv", NULL, "dnum", "snum", NULL, "fpc1", "fpc2" },
    { "apiclus2_wr", "svy_apiclus2.csv", NULL, "dnum", "snum", "pw", NULL, NULL },
};
enum { PLANS = sizeof plans / sizeof *plans };

SU_TEST_UNUSED static bool world_read(world *w, const char *file)
{
    char name[128];
    su_context_init(&w->ctx);
    snprintf(name, sizeof name, "statistics/%s", file);
    const char *path = su_test_shared(name);
    su_read_options read = { 0 };
    if (!path) return false;
    if (su_table_read(&w->ctx, path, &read, &w->raw)) fail_msg("%s", w->ctx.message);
    if (su_frame_of_table(&w->ctx, w->raw, NULL, &w->frame)) fail_msg("%s", w->ctx.message);
    return true;
}

SU_TEST_UNUSED static bool world_of(world *w, const plan *p)
{
    *w = (world) { 0 };
    if (!world_read(w, p->file)) return false;
    su_design_options o = { .stages = p->psu2 ? 2 : 1 };
    if (p->strata) o.strata[0] = column(w, p->strata);
    if (p->psu1) o.psu[0] = column(w, p->psu1);
    if (p->psu2) o.psu[1] = column(w, p->psu2);
    if (p->weight) o.weight = column(w, p->weight);
    if (p->fpc1) o.fpc[0] = column(w, p->fpc1);
    if (p->fpc2) o.fpc[1] = column(w, p->fpc2);
    if (su_design_new(&w->ctx, w->frame, &o, &w->design)) fail_msg("%s", w->ctx.message);
    return true;
}

SU_TEST_UNUSED static void world_free(world *w)
{
    su_design_free(w->design);
    su_frame_free(w->frame);
    su_raw_table_free(w->raw);
}

/* Copies in the frame's arena. */
SU_TEST_UNUSED static double *numbers(world *w, const char *name)
{
    const su_variable *v = column(w, name);
    double *y = su_arena_array(&w->frame->arena, w->frame->rows, sizeof *y);
    for (uint64_t r = 0; r < w->frame->rows; r++) y[r] = su_frame_number(v, r);
    return y;
}

SU_TEST_UNUSED static uint32_t *levels(world *w, const char *name)
{
    const su_variable *v = factor(w, name);
    uint32_t *l = su_arena_array(&w->frame->arena, w->frame->rows, sizeof *l);
    for (uint64_t r = 0; r < w->frame->rows; r++) l[r] = su_frame_level(v, r);
    return l;
}

SU_TEST_UNUSED static uint32_t level_named(world *w, const char *name, const char *level)
{
    const su_variable *v = factor(w, name);
    for (uint32_t i = 0; i < v->level_count; i++)
        if (strcmp(v->levels[i], level) == 0) return i + 1;
    fail_msg("%s has no level %s", name, level);
    return 0;
}

SU_TEST_UNUSED static void estimate(world *w, const su_estimand *e, size_t count, su_estimate *out, double *v)
{
    if (su_design_estimate(&w->ctx, w->design, e, count, out, v)) fail_msg("%s", w->ctx.message);
}

/* want[path], compared at 1e-8; what is 0 in theory may be dust. */
SU_TEST_UNUSED static void near(const char *design, const json_t *want, const char *path, double got)
{
    char what[256];
    double x = su_reference_number(want, path);
    snprintf(what, sizeof what, "%s %s", design, path);
    if (fabs(x) < 1e-12)
        su_reference_within(what, got, x, 1e-9);
    else
        su_reference_near(what, got, x, 1e-8);
}

/* What R's survey package says of them: set-up and tear-down of a group of tests. */
SU_TEST_UNUSED static json_t *reference;

SU_TEST_UNUSED static int load(void **state)
{
    (void)state;
    reference = su_reference("survey_api.json");
    return 0;
}

SU_TEST_UNUSED static int unload(void **state)
{
    (void)state;
    json_decref(reference);
    return 0;
}

#endif
