/* Separation and Firth's estimates against logit_separation.json (R: brglm2, lpSolve). */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "model.h"
#include "logit/profile.h"
#include "logit/separation.h"

static void compare_programs(const su_separation *s, const json_t *lp, const size_t *place, uint32_t p)
{
    assert_int_equal(s->separated, json_is_true(su_reference_at(lp, "separated")));
    su_reference_within("objective", s->objective, su_reference_number(lp, "objective"), 1e-6);
    for (uint32_t j = 0; j < p; j++) {
        char path[32];
        snprintf(path, sizeof path, "direction/%zu", place[j]);
        su_reference_within(path, s->direction[j], su_reference_number(lp, path), 1e-6);
        snprintf(path, sizeof path, "infinite/%zu", place[j]);
        assert_int_equal(s->infinite[j] != 0, json_is_true(su_reference_at(lp, path)));
    }
}

static void test_endometrial(void **state)
{
    (void)state;
    model m;
    json_t *e = su_reference("logit_separation.json");
    if (!e || !fms_open(&m.data, "statistics/endometrial.csv", NULL)) skip();
    model_fit(&m, "HG ~ NV + PI + EH", SU_FAMILY_LOGIT);
    const size_t place[] = { 0, 1, 2, 3 };
    assert_true(m.fit->moved > 0.1 || !m.fit->converged); /* what R calls converged */
    su_separation s;
    assert_int_equal(su_separation_find(&m.data.ctx, &m.units, m.fit->kept, &s), SU_OK);
    compare_programs(&s, su_reference_at(e, "endometrial_separation_lp"), place, 4);
    assert_int_equal(s.infinite[1], 1);
    assert_int_equal(s.decided_units, 13);
    assert_int_equal(su_firth_fit(&m.data.ctx, &m.units, m.fit), SU_OK);
    const json_t *f = su_reference_at(e, "endometrial_firth");
    su_reference_near("penalised log likelihood", m.fit->loglik, su_reference_number(f, "penalized_loglik"), 1e-6);
    for (uint32_t j = 0; j < 4; j++) {
        char path[32];
        su_profile p = su_logit_profile_interval(&m.data.ctx, &m.units, m.fit, true, j, 0.95);
        snprintf(path, sizeof path, "coef/%u", j);
        su_reference_near(path, m.fit->beta[j], su_reference_number(f, path), 1e-6);
        snprintf(path, sizeof path, "se/%u", j);
        su_reference_near(path, sqrt(m.fit->bread[j * 4 + j]), su_reference_number(f, path), 1e-6);
        snprintf(path, sizeof path, "profile_lo/%u", j);
        su_reference_near(path, p.low, su_reference_number(f, path), 1e-6);
        snprintf(path, sizeof path, "profile_hi/%u", j);
        su_reference_near(path, p.high, su_reference_number(f, path), 1e-6);
        snprintf(path, sizeof path, "plr_p/%u", j);
        su_reference_near(path, p.p, su_reference_number(f, path), 1e-6);
        for (uint32_t k = 0; k < 4; k++) {
            snprintf(path, sizeof path, "vcov/%u/%u", j, k);
            su_reference_near(path, m.fit->bread[j * 4 + k], su_reference_number(f, path), 1e-6);
        }
    }
    /* each as likely too high as too low */
    const json_t *b = su_reference_at(e, "endometrial_median_br");
    assert_int_equal(su_median_fit(&m.data.ctx, &m.units, m.fit), SU_OK);
    for (uint32_t j = 0; j < 4; j++) {
        char path[32];
        snprintf(path, sizeof path, "coef/%u", j);
        su_reference_near(path, m.fit->beta[j], su_reference_number(b, path), 1e-8);
        snprintf(path, sizeof path, "se/%u", j);
        su_reference_near(path, sqrt(m.fit->bread[j * 4 + j]), su_reference_number(b, path), 1e-8);
    }
    su_separation_free(&s);
    model_close(&m);
    json_decref(e);
}

/* y on x, a few rows. */
static void small(su_context *ctx, const double *y, const double *x, uint64_t n, su_frame **frame, su_arena *arena, su_predictors **p)
{
    su_formula *f;
    su_predictors_options o = { 0 };
    su_context_init(ctx);
    *frame = su_frame_new(n);
    su_frame_add_number(*frame, "y", y);
    su_frame_add_number(*frame, "x", x);
    su_arena_init(arena);
    assert_int_equal(su_formula_parse(ctx, arena, SU_STR("y ~ x"), NULL, 0, &f), SU_OK);
    if (su_predictors_build(ctx, *frame, f, &o, p) != SU_OK) fail_msg("%s", ctx->message);
}

/* A program may have several solutions of one objective: both directions are never on the wrong side, and gain the same. */
static void check_direction(const double *y, const double *x, uint64_t n, const json_t *e, const double *ours)
{
    double stored[2], gain[2] = { 0 };
    for (int j = 0; j < 2; j++) {
        char path[32];
        snprintf(path, sizeof path, "lp/direction/%d", j);
        stored[j] = su_reference_number(e, path);
    }
    for (uint64_t i = 0; i < n; i++) {
        double sign = y[i] > 0 ? 1 : -1, a = sign * (stored[0] + x[i] * stored[1]), b = sign * (ours[0] + x[i] * ours[1]);
        assert_true(a >= -1e-9 && b >= -1e-9);
        gain[0] += a;
        gain[1] += b;
    }
    su_reference_within("gain of the direction", gain[1], gain[0], 1e-9);
    for (int j = 0; j < 2; j++) su_reference_within("direction", ours[j], stored[j], 1e-6);
}

static void check_small(const json_t *e)
{
    double y[16], x[16];
    const json_t *data = su_reference_at(e, "data");
    uint64_t n = json_array_size(data);
    for (uint64_t i = 0; i < n; i++) {
        y[i] = su_reference_number(json_array_get(data, i), "y");
        x[i] = su_reference_number(json_array_get(data, i), "x");
    }
    su_context ctx;
    su_frame *frame;
    su_arena arena;
    su_predictors *p;
    small(&ctx, y, x, n, &frame, &arena, &p);
    su_units u;
    su_units_init(&u, p, SU_FAMILY_LOGIT, NULL);
    su_fit *fit;
    assert_int_equal(su_fit_new(&ctx, &u, &fit), SU_OK);
    su_separation s;
    assert_int_equal(su_separation_find(&ctx, &u, fit->kept, &s), SU_OK);
    assert_int_equal(s.separated, json_is_true(su_reference_at(e, "lp/separated")));
    su_reference_within("objective", s.objective, su_reference_number(e, "lp/objective"), 1e-9);
    check_direction(y, x, n, e, s.direction);
    assert_int_equal(s.separated, !fit->converged || fit->moved > 0.01);
    for (uint32_t j = 0; j < 2; j++) assert_int_equal(s.infinite[j] != 0, s.separated);
    const char *key = s.separated ? "firth" : "ml";
    if (s.separated) assert_int_equal(su_firth_fit(&ctx, &u, fit), SU_OK);
    for (uint32_t j = 0; j < 2; j++) {
        char path[16];
        snprintf(path, sizeof path, "%s/%u", key, j);
        su_reference_near(path, fit->beta[j], su_reference_number(e, path), 1e-6);
    }
    su_separation_free(&s);
    su_fit_free(fit);
    su_units_free(&u);
    su_predictors_free(p);
    su_arena_free(&arena);
    su_frame_free(frame);
}

static void test_small(void **state)
{
    (void)state;
    json_t *e = su_reference("logit_separation.json");
    if (!e) skip();
    check_small(su_reference_at(e, "complete"));
    check_small(su_reference_at(e, "quasi"));
    check_small(su_reference_at(e, "overlap"));
    json_decref(e);
}

/* An empty cell of a 2 x 2 table: Firth adds a half to every cell. */
static void test_zero_cell(void **state)
{
    (void)state;
    static double y[67], x[67];
    int n = 0;
    for (int i = 0; i < 12; i++, n++) y[n] = 1, x[n] = 1;
    for (int i = 0; i < 30; i++, n++) y[n] = 1, x[n] = 0;
    for (int i = 0; i < 25; i++, n++) y[n] = 0, x[n] = 0;
    su_context ctx;
    su_frame *frame;
    su_arena arena;
    su_predictors *p;
    small(&ctx, y, x, 67, &frame, &arena, &p);
    su_units u;
    su_units_init(&u, p, SU_FAMILY_LOGIT, NULL);
    assert_int_equal(u.n, 3);
    su_fit *fit;
    assert_int_equal(su_fit_new(&ctx, &u, &fit), SU_OK);
    assert_int_equal(su_firth_fit(&ctx, &u, fit), SU_OK);
    su_reference_near("intercept", fit->beta[0], log(30.5 / 25.5), 1e-10);
    su_reference_near("slope", fit->beta[1], log((12.5 * 25.5) / (0.5 * 30.5)), 1e-10);
    json_t *e = su_reference("logit_separation.json");
    for (uint32_t j = 0; e && j < 2; j++) {
        char path[32];
        snprintf(path, sizeof path, "zero_cell_2x2/firth/%u", j);
        su_reference_near(path, fit->beta[j], su_reference_number(e, path), 1e-6);
    }
    if (e) su_reference_near("check", fit->beta[1], su_reference_number(e, "zero_cell_2x2/check"), 1e-6);
    json_decref(e);
    su_fit_free(fit);
    su_units_free(&u);
    su_predictors_free(p);
    su_arena_free(&arena);
    su_frame_free(frame);
}

/* Random rows: separated exactly when a direction exists, known by construction. Thousands of rows take the cutting planes' way. */
static void test_many_rows(void **state)
{
    (void)state;
    enum { N = 4000 };
    static double y[N], x[N];
    su_random r;
    su_test_random(&r);
    for (int separated = 0; separated < 2; separated++) {
        for (int i = 0; i < N; i++) {
            x[i] = (double)su_random_below(&r, 100000) / 1000 - 50;
            y[i] = separated ? x[i] > 7 : x[i] + (double)su_random_below(&r, 20) > 17;
        }
        su_context ctx;
        su_frame *frame;
        su_arena arena;
        su_predictors *p;
        small(&ctx, y, x, N, &frame, &arena, &p);
        su_units u;
        su_units_init(&u, p, SU_FAMILY_LOGIT, NULL);
        bool kept[2] = { true, true };
        su_separation s;
        assert_int_equal(su_separation_find(&ctx, &u, kept, &s), SU_OK);
        assert_int_equal(s.separated, separated);
        su_separation_free(&s);
        su_units_free(&u);
        su_predictors_free(p);
        su_arena_free(&arena);
        su_frame_free(frame);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_endometrial),
        cmocka_unit_test(test_small),
        cmocka_unit_test(test_zero_cell),
        cmocka_unit_test(test_many_rows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
