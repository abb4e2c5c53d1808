/* The Global Estimates' arithmetic against the shared fixture, formulas, simulation and refusals. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <suha/estimate.h>

#include "analyse/reference.h"
#include "flow/expression.h"

static su_result *recipe(const char *csv, su_status expected, const char *words)
{
    su_context ctx;
    su_raw_table *t = NULL;
    su_estimate_options o = { 20000, 7, 0.95 };
    su_context_init(&ctx);
    if (su_csv_parse(&ctx, "recipe.csv", su_str_of(csv), NULL, &t)) fail_msg("%s", ctx.message);
    su_result *r = su_result_new("estimate", "");
    su_status st = su_estimate_recipe(&ctx, t, &o, r);
    if (st != expected || (words && !strstr(ctx.message, words)))
        fail_msg("status %d, '%s', expected '%s'", (int)st, ctx.message, words ? words : "");
    su_raw_table_free(t);
    return r;
}

static void fixture(void **state)
{
    (void)state;
    json_t *j = su_reference("gems_combination.json");
    if (!j) skip();
    su_result *r = recipe("id,value,se,cases,of,formula\nF,52000,6100,,,\nd,11.4,0.9,,,\nstock,,,,,F*d/60\n"
                          "labour,16000000,1300000,,,\nr,,,4820,9310,\nsexual,,,,,labour * r\n",
                          SU_OK, NULL);
    su_reference_near("stock", su_result_get(r, "results", 0, "value"), su_reference_number(j, "stock_delta/stock"), 1e-10);
    su_reference_near("se", su_result_get(r, "results", 0, "se"), su_reference_number(j, "stock_delta/se"), 1e-10);
    su_reference_near("cv", su_result_get(r, "results", 0, "cv"), su_reference_number(j, "stock_delta/cv"), 1e-10);
    su_reference_near("sexual", su_result_get(r, "results", 1, "value"), su_reference_number(j, "ratio_case_data/stock_sexual"), 1e-10);
    su_reference_near("cv", su_result_get(r, "results", 1, "cv"), su_reference_number(j, "ratio_case_data/cv"), 1e-10);
    su_reference_near("ratio", su_result_get(r, "inputs", 4, "value"), su_reference_number(j, "ratio_case_data/ratio"), 1e-10);
    assert_true(su_result_has_warning(r, "W_ASSISTED"));
    assert_string_equal(su_result_get_text(r, "results", 1, "note"), "case files count assisted persons");
    assert_string_equal(su_result_get_text(r, "results", 0, "note"), "");
    /* 2.5 % of the product's draws lie outside each end: Monte Carlo error of an end is about 1 % of the width at 20,000 draws */
    double low = su_result_get(r, "results", 0, "low"), high = su_result_get(r, "results", 0, "high");
    assert_true(fabs(high - low - 2 * 1.96 * 1397) < 250 && fabs((high + low) / 2 - 9880) < 180);
    su_result_free(r);
    json_decref(j);
}

static void flow_to_stock(void **state)
{
    (void)state;
    static double d[12] = { 1, 2, 3, 6, 12, 24, 36, 60, 48, 4, 8, 18 };
    su_context ctx;
    su_design_options design = { 0 };
    json_t *j = su_reference("gems_combination.json");
    if (!j) skip();
    su_context_init(&ctx);
    su_frame *f = su_frame_new(12);
    su_stock_options o = { .duration = su_frame_add_number(f, "d", d), .design = &design, .window = 60, .level = 0.95 };
    su_result *r = su_result_new("stock", "");
    if (su_stock(&ctx, f, &o, r)) fail_msg("%s", ctx.message);
    su_reference_near("mean", su_result_get(r, "estimates", 1, "estimate"), su_reference_number(j, "flow_stock/mean_duration"), 1e-10);
    su_reference_near("stock", su_result_get(r, "estimates", 2, "estimate"), su_reference_number(j, "flow_stock/avg_stock_at_point"),
                      1e-10);
    su_reference_near("ratio", su_result_get(r, "estimates", 3, "estimate"), su_reference_number(j, "flow_stock/ratio_stock_flow"), 1e-10);
    su_result_free(r);
    su_frame_free(f);
    json_decref(j);
}

/* Correlated inputs: the variance of a sum and of a difference, by hand and by simulation; shares of variance sum to 1. */
static void correlations(void **state)
{
    (void)state;
    su_result *r =
        recipe("id,value,se,correlates_with,correlation,formula\na,100,10,,,\nb,50,5,a,0.8,\nsum,,,,,a+b\ndiff,,,,,a-b\n", SU_OK, NULL);
    double sum = sqrt(100 + 25 + 2 * 0.8 * 50), diff = sqrt(100 + 25 - 2 * 0.8 * 50);
    assert_true(fabs(su_result_get(r, "results", 0, "se") - sum) < 1e-9 && fabs(su_result_get(r, "results", 1, "se") - diff) < 1e-9);
    for (size_t k = 0; k < 2; k++) {
        double width = su_result_get(r, "results", k, "high") - su_result_get(r, "results", k, "low");
        assert_true(fabs(width / (2 * 1.96) / (k ? diff : sum) - 1) < 0.04);
    }
    assert_true(fabs(su_result_get(r, "tornado", 0, "share") + su_result_get(r, "tornado", 1, "share") - 1) < 1e-9);
    su_result_free(r);
}

static void laws(void **state)
{
    (void)state;
    su_result *r =
        recipe("id,value,se,distribution,alternative,formula\na,10,8,lognormal,,\ns,0.3,0.1,beta,0.6,\nx,,,,,a\ny,,,,,s\n", SU_OK, NULL);
    assert_true(su_result_get(r, "results", 0, "low") > 0);
    double low = su_result_get(r, "results", 1, "low"), high = su_result_get(r, "results", 1, "high");
    assert_true(fabs(low - 0.1251) < 0.006 && fabs(high - 0.5125) < 0.008); /* Beta(6, 14), R qbeta: .1258 and .5123 */
    assert_true(fabs(su_result_get(r, "alternatives", 0, "change") - 1) < 1e-12);
    su_result_free(r);
    r = recipe("id,value,se,formula\na,2,3,\nx,,,a*2\n", SU_OK, NULL);
    assert_true(su_result_has_warning(r, "W_NEGATIVE_DRAWS") && su_result_has_warning(r, "W_NO_SOURCE"));
    su_result_free(r);
}

static void refusals(void **state)
{
    (void)state;
    static const struct {
        const char *csv, *words;
        su_status status;
    } all[] = {
        { "name,value\na,1\n", "no column 'id'", SU_INPUT },
        { "id,value,formula\na,1,\na,2,\n", "line 3: the id 'a' is there twice", SU_INPUT },
        { "id,value,formula\na,1 000,\nx,,a\n", "line 2, column 'value'", SU_INPUT },
        { "id,value,formula\na,1,\nx,,a * (a + \n", "line 3, column 'formula'", SU_INPUT },
        { "id,value,formula\na,1,\nx,,a * b\n", "no row has this id", SU_INPUT },
        { "id,value,formula\nx,,y\ny,,x\n", "leads back to itself", SU_INPUT },
        { "id,value,se,formula\na,1,-2,\nx,,,a\n", "cannot be negative", SU_INPUT },
        { "id,value,se,distribution,formula\na,1,1,cauchy,\nx,,,,a\n", "'cauchy' is not known", SU_INPUT },
        { "id,value,se,distribution,formula\na,1.5,0.1,beta,\nx,,,,a\n", "between 0 and 1", SU_INPUT },
        { "id,value,formula\na,1,\n", "no row has a formula", SU_INPUT },
        { "id,value,se,correlates_with,correlation,formula\na,1,1,,,\nb,1,1,a,1.4,\nx,,,,,a+b\n", "not between -1 and 1", SU_INPUT },
        { "id,value,se,formula\na,1,1,\nx,,,log(a)\n", "lognormal", SU_REFUSED },
    };
    for (size_t k = 0; k < sizeof all / sizeof *all; k++) su_result_free(recipe(all[k].csv, all[k].status, all[k].words));
}

static int lookup(const void *arg, su_str name)
{
    (void)arg;
    return name.n == 1 && name.p[0] >= 'a' && name.p[0] <= 'c' ? name.p[0] - 'a' : -1;
}

static void expressions(void **state)
{
    (void)state;
    static const double value[3] = { 2, 3, 5 }, slope[3] = { 1, 0, 0 };
    static const struct {
        const char *text;
        double value, derivative;
    } good[] = { { "a + b * c", 17, 1 },         { "(a + b) * c", 25, 5 },    { "-a * -b", 6, 3 },
                 { "a - b - c", -6, 1 },         { "c / a / 5", 0.5, -0.25 }, { "sqrt(a * 8) + log(1)", 4, 1 },
                 { "exp(0 * a) * 1e2", 100, 0 }, { "2.5e-1*a", 0.5, 0.25 },   { "a*a*a/b", 8.0 / 3, 4 } };
    su_expression e;
    size_t at;
    const char *why;
    double d;
    for (size_t k = 0; k < sizeof good / sizeof *good; k++) {
        assert_true(su_expression_parse(su_str_of(good[k].text), lookup, NULL, &e, &at, &why));
        double x = su_expression_value(&e, value, slope, &d);
        /* sqrt(8 a)' = 4 / sqrt(8 a) = 1; exp(0 a)' = 0 */
        if (fabs(x - good[k].value) > 1e-12 || fabs(d - good[k].derivative) > 1e-6) fail_msg("%s: %g, %g", good[k].text, x, d);
    }
    static const struct {
        const char *text;
        size_t at;
    } bad[] = { { "", 0 },      { "a +", 3 },  { "a b", 2 },   { "(a", 2 }, { "sin(a)", 0 },
                { "a + d", 4 }, { "1..2", 0 }, { "a ^ b", 2 }, { "a)", 1 } };
    for (size_t k = 0; k < sizeof bad / sizeof *bad; k++) {
        assert_false(su_expression_parse(su_str_of(bad[k].text), lookup, NULL, &e, &at, &why));
        if (at != bad[k].at || !why) fail_msg("'%s' fails at %zu, expected %zu", bad[k].text, at, bad[k].at);
    }
    char deep[400];
    memset(deep, '(', sizeof deep);
    assert_false(su_expression_parse((su_str) { deep, sizeof deep }, lookup, NULL, &e, &at, &why));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fixture), cmocka_unit_test(flow_to_stock), cmocka_unit_test(correlations),
        cmocka_unit_test(laws),    cmocka_unit_test(refusals),      cmocka_unit_test(expressions),
    };
    return cmocka_run_group_tests_name("estimate", tests, NULL, NULL);
}
