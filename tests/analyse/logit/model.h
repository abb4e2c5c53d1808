/* model: a fitted model of a shared file, for the tests of single methods. */
#ifndef SU_TEST_MODEL_H
#define SU_TEST_MODEL_H

#include "fms.h"
#include "logit/variance.h"

typedef struct model {
    fms data;
    su_arena arena;
    su_predictors *x;
    su_units units;
    su_fit *fit;
    su_variance_input input;
} model;

/* File and reference are opened already. */
SU_TEST_UNUSED static void model_fit(model *m, const char *formula, su_family family)
{
    su_context *ctx = &m->data.ctx;
    su_formula *f;
    su_logit_reference used[16];
    size_t n = 0;
    for (size_t i = 0; i < m->data.reference_count; i++)
        if (strstr(formula, m->data.references[i].variable)) used[n++] = m->data.references[i];
    su_predictors_options o = { .references = used, .reference_count = n, .any_number = family == SU_FAMILY_LINEAR };
    su_arena_init(&m->arena);
    if (su_formula_parse(ctx, &m->arena, su_str_of(formula), NULL, 0, &f) != SU_OK ||
        su_predictors_build(ctx, m->data.frame, f, &o, &m->x) != SU_OK)
        fail_msg("%s", ctx->message);
    su_units_init(&m->units, m->x, family, NULL);
    assert_int_equal(su_fit_new(ctx, &m->units, &m->fit), SU_OK);
    m->input = (su_variance_input) { .fit = m->fit, .x = m->x, .family = family };
}

SU_TEST_UNUSED static void model_refit(model *m, const char *formula, su_family family)
{
    su_fit_free(m->fit);
    su_units_free(&m->units);
    su_predictors_free(m->x);
    su_arena_free(&m->arena);
    model_fit(m, formula, family);
}

SU_TEST_UNUSED static void model_close(model *m)
{
    su_fit_free(m->fit);
    su_units_free(&m->units);
    su_predictors_free(m->x);
    su_arena_free(&m->arena);
    fms_close(&m->data);
}

#endif
