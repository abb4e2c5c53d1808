/* The conditional logit against the sum over every choice of rows written out, and against R's clogit; missing values as a category. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "model.h"
#include "logit/conditional.h"

enum { N = 60, GROUPS = 12 };

static double y[N], a[N], b[N];
static uint32_t group[N];

static su_frame *people(su_random *r)
{
    static const char *const names[] = { "g1", "g2", "g3", "g4", "g5", "g6", "g7", "g8", "g9", "g10", "g11", "g12" };
    for (int i = 0; i < N; i++) {
        group[i] = (uint32_t)(i < 12 ? 1 : 2 + su_random_below(r, GROUPS - 1));
        a[i] = (double)su_random_below(r, 100) / 25;
        b[i] = (double)su_random_below(r, 2);
        y[i] = su_random_below(r, 100) < 20 + 10 * (unsigned)a[i];
    }
    su_frame *f = su_frame_new(N);
    su_frame_add_number(f, "y", y);
    su_frame_add_number(f, "a", a);
    su_frame_add_number(f, "b", b);
    su_frame_add_factor(f, "g", group, names, GROUPS);
    return f;
}

/* log of the likelihood at (u, v): every set of as many rows of the group. */
static double slow(double u, double v)
{
    double out = 0;
    for (uint32_t g = 1; g <= GROUPS; g++) {
        int at[N], n = 0, events = 0;
        double seen = 0, sum = 0;
        for (int i = 0; i < N; i++) {
            if (group[i] != g) continue;
            at[n++] = i;
            events += y[i] == 1;
            seen += y[i] * (u * a[i] + v * b[i]);
        }
        for (uint32_t set = 0; set < 1u << n; set++) {
            if (__builtin_popcount(set) != events) continue;
            double eta = 0;
            for (int k = 0; k < n; k++) eta += set >> k & 1 ? u * a[at[k]] + v * b[at[k]] : 0;
            sum += exp(eta);
        }
        out += seen - log(sum);
    }
    return out;
}

static void test_every_choice(void **state)
{
    (void)state;
    su_random r;
    su_test_random(&r);
    for (int round = 0; round < 5; round++) {
        su_context ctx;
        su_context_init(&ctx);
        su_frame *frame = people(&r);
        su_result *out;
        su_logit_options o = { .formula = "y ~ a + b" };
        assert_int_equal(su_frame_find(&ctx, frame, SU_STR("g"), &o.conditional), SU_OK);
        if (su_logit(&ctx, frame, &o, &out) != SU_OK) fail_msg("%s", ctx.message);
        assert_string_equal(su_result_get_text(out, "coefficients", 0, "note"), "left out: follows from the columns before it");
        double u = su_result_get(out, "coefficients", 1, "estimate"), v = su_result_get(out, "coefficients", 2, "estimate"), h = 1e-4;
        su_reference_near("log likelihood", su_result_get_fact(out, "loglik"), slow(u, v), 1e-11);
        su_reference_near("without predictors", su_result_get_fact(out, "null_loglik"), slow(0, 0), 1e-11);
        su_reference_within("slope along a", (slow(u + h, v) - slow(u - h, v)) / (2 * h), 0, 1e-6);
        su_reference_within("slope along b", (slow(u, v + h) - slow(u, v - h)) / (2 * h), 0, 1e-6);
        double aa = -(slow(u + h, v) - 2 * slow(u, v) + slow(u - h, v)) / (h * h),
               bb = -(slow(u, v + h) - 2 * slow(u, v) + slow(u, v - h)) / (h * h);
        double ab = -(slow(u + h, v + h) - slow(u + h, v - h) - slow(u - h, v + h) + slow(u - h, v - h)) / (4 * h * h);
        su_reference_near("standard error", su_result_get(out, "coefficients", 1, "se"), sqrt(bb / (aa * bb - ab * ab)), 1e-4);
        su_result_free(out);
        su_frame_free(frame);
    }
}

/* R 4.2.2, survival 3.5-3: clogit(any_ind ~ sex + age_group + conflict + edu + strata(site), method = "exact"), eps 1e-12. */
static void test_clogit(void **state)
{
    (void)state;
    static const struct {
        const char *term;
        double estimate, se;
    } want[] = {
        { "sex=male", 0.19837458128839577, 0.114143108398787 },        { "age_group=18-24", -0.00573086809775299, 0.107026748787533 },
        { "age_group=14-17", 0.25062620603010421, 0.167798423281821 }, { "conflict", 0.19641063402834999, 0.102313425277513 },
        { "edu=primary", 0.04265257168256645, 0.148189787114188 },     { "edu=secondary", -0.23246793210685968, 0.139317319529472 },
        { "edu=tertiary", -0.44858112416496193, 0.186321379775030 }
    };
    fms f;
    if (!fms_open(&f, "statistics/fms_synthetic.csv", "logit_fms.json")) skip();
    su_logit_reference references[3];
    size_t n = 0;
    for (size_t i = 0; i < f.reference_count; i++)
        if (strcmp(f.references[i].variable, "sex") == 0 || strcmp(f.references[i].variable, "age_group") == 0 ||
            strcmp(f.references[i].variable, "edu") == 0)
            references[n++] = f.references[i];
    su_logit_options o = { .formula = "any_ind ~ route + sex + age_group + conflict + edu",
                           .references = references,
                           .reference_count = n };
    su_result *r;
    assert_int_equal(su_frame_find(&f.ctx, f.frame, SU_STR("site"), &o.conditional), SU_OK);
    assert_int_equal(su_frame_as_factor(&f.ctx, f.frame, o.conditional, &o.conditional), SU_OK);
    if (su_logit(&f.ctx, f.frame, &o, &r) != SU_OK) fail_msg("%s", f.ctx.message);
    su_reference_near("loglik", su_result_get_fact(r, "loglik"), -1132.24108580509, 1e-11);
    su_reference_near("null", su_result_get_fact(r, "null_loglik"), -1142.48834835058, 1e-11);
    for (size_t k = 0; k < sizeof want / sizeof *want; k++)
        for (size_t i = 0; i < su_result_rows(r, "coefficients"); i++) {
            if (strcmp(su_result_get_text(r, "coefficients", i, "term"), want[k].term) != 0) continue;
            su_reference_near(want[k].term, su_result_get(r, "coefficients", i, "estimate"), want[k].estimate, 1e-9);
            su_reference_near("its error", su_result_get(r, "coefficients", i, "se"), want[k].se, 1e-9);
        }
    assert_true(su_result_has_warning(r, "W_ALIASED")); /* a site lies on one route */
    su_result_free(r);
    o.effects = true;
    assert_int_equal(su_logit(&f.ctx, f.frame, &o, &r), SU_USAGE);
    assert_non_null(strstr(f.ctx.message, "has no level"));
    fms_close(&f);
}

static void test_refusals(void **state)
{
    (void)state;
    static const char *const names[] = { "p", "q" };
    static double one[8] = { 1, 1, 1, 1, 0, 0, 0, 0 }, x[8] = { 1, 2, 3, 4, 1, 2, 3, 4 }, same[8] = { 1, 1, 1, 1, 2, 2, 2, 2 },
                  mixed[8] = { 0, 0, 1, 1, 0, 0, 1, 1 };
    static uint32_t g[8] = { 1, 1, 1, 1, 2, 2, 2, 2 };
    su_context ctx;
    su_context_init(&ctx);
    su_frame *f = su_frame_new(8);
    su_frame_add_number(f, "one", one);
    su_frame_add_number(f, "x", x);
    su_frame_add_number(f, "same", same);
    su_frame_add_number(f, "mixed", mixed);
    su_logit_options o = { .conditional = su_frame_add_factor(f, "g", g, names, 2) };
    su_result *r;
    static const struct {
        const char *formula, *words;
    } wrong[] = { { "one ~ x", "No group of g" }, { "mixed ~ same", "No predictor varies" }, { "mixed ~ x", "no finite maximum" } };
    for (size_t i = 0; i < 3; i++) {
        o.formula = wrong[i].formula;
        assert_int_equal(su_logit(&ctx, f, &o, &r), SU_REFUSED);
        assert_non_null(strstr(ctx.message, wrong[i].words));
    }
    su_frame_free(f);
}

/* Rows without an answer are a category: the fit is that of a file in which "(missing)" was written there. */
static void test_missing_level(void **state)
{
    (void)state;
    static const char *const with[] = { "no", "yes", "(missing)" };
    static uint32_t given[N], full[N];
    su_random r;
    su_test_random(&r);
    su_context ctx;
    su_context_init(&ctx);
    su_frame *frame = people(&r);
    for (int i = 0; i < N; i++) {
        given[i] = (uint32_t)su_random_below(&r, 3);
        full[i] = given[i] ? given[i] : 3;
    }
    su_frame_add_factor(frame, "answer", given, with, 2);
    su_frame_add_factor(frame, "written", full, with, 3);
    const char *named[] = { "answer" };
    su_logit_options o = { .formula = "y ~ a + written" };
    su_result *want, *got;
    assert_int_equal(su_logit(&ctx, frame, &o, &want), SU_OK);
    o = (su_logit_options) { .formula = "y ~ a + answer", .missing_levels = named, .missing_level_count = 1 };
    if (su_logit(&ctx, frame, &o, &got) != SU_OK) fail_msg("%s", ctx.message);
    for (size_t j = 0; j < 4; j++)
        su_reference_near("estimate", su_result_get(got, "coefficients", j, "estimate"), su_result_get(want, "coefficients", j, "estimate"),
                          1e-12);
    assert_string_equal(su_result_get_text(got, "coefficients", 3, "term"), "answer=(missing)");
    assert_true(su_result_has_warning(got, "W_MISSING_LEVEL"));
    assert_true(su_result_get_fact(got, "n") == N);
    su_result_free(want);
    su_result_free(got);
    named[0] = "a";
    assert_int_equal(su_logit(&ctx, frame, &o, &got), SU_INPUT);
    assert_non_null(strstr(ctx.message, "holds numbers"));
    su_frame_free(frame);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_choice),
        cmocka_unit_test(test_clogit),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_missing_level),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
