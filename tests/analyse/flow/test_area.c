/* Fay-Herriot against an R implementation and metafor, the boundary, and the refusals. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <suha/area.h>

#include "analyse/reference.h"
#include "numeric/special.h"

enum { MOST = 40 };
typedef struct file {
    size_t n;
    double y[MOST], psi[MOST], x[2 * MOST];
} file;

static double cell(const su_raw_table *t, const char *name, uint64_t row)
{
    double x = NAN;
    int c = su_raw_table_column(t, su_str_of(name));
    assert_true(c >= 0 && su_parse_f64(su_dict_get(t->columns[c].values, t->columns[c].ids[row]), &x));
    return x;
}

static bool file_read(const char *name, file *f)
{
    const char *path = su_test_shared(name);
    su_context ctx;
    su_raw_table *t = NULL;
    if (!path) return false;
    su_context_init(&ctx);
    assert_int_equal(su_table_read(&ctx, path, NULL, &t), SU_OK);
    f->n = t->row_count;
    for (uint64_t i = 0; i < t->row_count; i++) {
        f->y[i] = cell(t, "rate", i);
        f->psi[i] = cell(t, "psi", i);
        f->x[2 * i] = 1;
        f->x[2 * i + 1] = cell(t, "vuln", i);
    }
    su_raw_table_free(t);
    return true;
}

static su_area_fit *fit(const file *f, su_area_method method)
{
    su_context ctx;
    su_area_fit *out = NULL;
    su_area_data d = { f->y, f->psi, f->x, f->n, 2 };
    su_context_init(&ctx);
    if (su_area_fit_new(&ctx, &d, method, &out)) fail_msg("%s", ctx.message);
    return out;
}

static void check_list(const json_t *r, const char *where, const char *key, const double *got, size_t n, double tolerance)
{
    char at[96];
    for (size_t i = 0; i < n; i++) {
        snprintf(at, sizeof at, "%s/%s/%zu", where, key, i);
        su_reference_near(at, got[i], su_reference_number(r, at), tolerance);
    }
}

/* What the fit has by area and for beta; mse and g3 only where the expansion is known. R's A at the boundary is 1e-13, ours 0. */
static void check_fit(const json_t *r, const char *where, const su_area_fit *a, bool expansion)
{
    char at[96];
    const struct {
        const char *key;
        const double *got;
    } lists[] = { { "gamma", a->gamma }, { "eblup", a->estimate }, { "g1", a->g1 }, { "g2", a->g2 }, { "g3", a->g3 }, { "mse", a->mse } };
    for (size_t k = 0; k < (expansion ? 6 : 4); k++)
        for (size_t i = 0; i < a->areas; i++) {
            snprintf(at, sizeof at, "%s/%s/%zu", where, lists[k].key, i);
            double want = su_reference_number(r, at);
            su_reference_within(at, lists[k].got[i], want, 1e-12 + 1e-5 * fabs(want));
        }
    for (size_t j = 0; j < 2; j++) {
        snprintf(at, sizeof at, "%s/beta/%zu", where, j);
        su_reference_near(at, a->beta[j], su_reference_number(r, at), 1e-5);
        snprintf(at, sizeof at, "%s/metafor_beta/%zu", where, j);
        su_reference_near(at, a->beta[j], su_reference_number(r, at), 1e-5);
        snprintf(at, sizeof at, "%s/se_beta/%zu", where, j);
        su_reference_near(at, sqrt(a->covariance[j * 2 + j]), su_reference_number(r, at), 1e-5);
    }
    snprintf(at, sizeof at, "%s/QE", where);
    su_reference_near(at, a->heterogeneity, su_reference_number(r, at), 1e-9);
}

/* R's residual likelihood has log |X'X| / 2 beside ours. */
static double whole_likelihood(const file *f, const su_area_fit *a, bool residual)
{
    double xx[3] = { 0 };
    for (size_t i = 0; i < f->n; i++) {
        xx[0] += 1;
        xx[1] += f->x[2 * i + 1];
        xx[2] += f->x[2 * i + 1] * f->x[2 * i + 1];
    }
    return a->log_likelihood + (residual ? 0.5 * log(xx[0] * xx[2] - xx[1] * xx[1]) : 0);
}

static void interior(void **state)
{
    (void)state;
    static const struct {
        su_area_method method;
        const char *name;
        bool mse;
    } all[] = { { SU_AREA_REML, "interior/REML", true },
                { SU_AREA_ML, "interior/ML", true },
                { SU_AREA_DL, "interior/DL", false },
                { SU_AREA_PM, "interior/PM", false } };
    file f;
    json_t *r = su_reference("small_area.json");
    if (!r || !file_read("statistics/fay_herriot_interior.csv", &f)) skip();
    for (size_t k = 0; k < sizeof all / sizeof *all; k++) {
        char at[64];
        su_area_fit *a = fit(&f, all[k].method);
        snprintf(at, sizeof at, "%s/A", all[k].name);
        su_reference_near(at, a->a, su_reference_number(r, at), 1e-5);
        check_fit(r, all[k].name, a, all[k].mse);
        check_list(r, all[k].name, "beta", a->beta, 2, 1e-6);
        check_list(r, all[k].name, "gamma", a->gamma, f.n, 1e-6);
        check_list(r, all[k].name, "eblup", a->estimate, f.n, 1e-6);
        check_list(r, all[k].name, "g1", a->g1, f.n, 1e-6);
        check_list(r, all[k].name, "g2", a->g2, f.n, 1e-5);
        if (all[k].mse) check_list(r, all[k].name, "mse", a->mse, f.n, 1e-5);
        snprintf(at, sizeof at, "%s/loglik", all[k].name);
        su_reference_near(at, whole_likelihood(&f, a, all[k].method == SU_AREA_REML), su_reference_number(r, at), 1e-7);
        assert_false(a->boundary);
        assert_true(a->a_low < a->a && a->a < a->a_high);
        snprintf(at, sizeof at, "%s/QE", all[k].name);
        su_reference_near(at, a->heterogeneity, su_reference_number(r, at), 1e-9);
        if (all[k].method == SU_AREA_REML) {
            double mse, x[2] = { 1, 65 };
            su_reference_near("out of sample", su_area_predict(a, x, &mse), su_reference_number(r, "interior/out_of_sample_vuln65/pred"),
                              1e-6);
            su_reference_near("its mse", mse, su_reference_number(r, "interior/out_of_sample_vuln65/mse"), 1e-6);
        }
        su_area_fit_free(a);
    }
    json_decref(r);
}

static void boundary(void **state)
{
    (void)state;
    file f;
    json_t *r = su_reference("small_area.json");
    if (!r || !file_read("statistics/fay_herriot_boundary.csv", &f)) skip();
    su_area_fit *a = fit(&f, SU_AREA_REML);
    assert_true(a->boundary && a->a == 0 && a->a_low == 0 && a->a_high > 1);
    check_list(r, "boundary/REML", "eblup", a->estimate, f.n, 1e-9);
    check_list(r, "boundary/REML", "mse", a->mse, f.n, 1e-9);
    su_area_fit *safe = fit(&f, SU_AREA_ADJUSTED);
    assert_true(safe->a > 0 && safe->a < a->a_high && !safe->boundary);
    double plain = 0, larger = 0;
    for (size_t i = 0; i < f.n; i++) {
        plain += a->mse[i];
        larger += safe->mse[i];
    }
    assert_true(larger > 1.5 * plain); /* what the boundary hides */
    su_area_fit_free(a);
    su_area_fit_free(safe);
    static const struct {
        su_area_method method;
        const char *name;
        bool mse;
    } all[] = { { SU_AREA_REML, "boundary/REML", true },
                { SU_AREA_ML, "boundary/ML", true },
                { SU_AREA_DL, "boundary/DL", false },
                { SU_AREA_PM, "boundary/PM", false } };
    for (size_t k = 0; k < sizeof all / sizeof *all; k++) {
        char at[64];
        a = fit(&f, all[k].method);
        snprintf(at, sizeof at, "%s/A", all[k].name);
        double want = su_reference_number(r, at);
        su_reference_within(at, a->a, want, 1e-12 + 1e-5 * want);
        check_fit(r, all[k].name, a, all[k].mse);
        snprintf(at, sizeof at, "%s/loglik", all[k].name);
        su_reference_near(at, whole_likelihood(&f, a, all[k].method == SU_AREA_REML), su_reference_number(r, at), 1e-7);
        if (all[k].method == SU_AREA_REML) {
            double mse, x[2] = { 1, 65 };
            su_reference_near("out of sample", su_area_predict(a, x, &mse), su_reference_number(r, "boundary/out_of_sample_vuln65/pred"),
                              1e-6);
            su_reference_near("its mse", mse, su_reference_number(r, "boundary/out_of_sample_vuln65/mse"), 1e-6);
        }
        su_area_fit_free(a);
    }
    json_decref(r);
}

/* With equal variances everything is known in closed form. */
static void balanced(void **state)
{
    (void)state;
    file f = { .n = 12 };
    double mean = 0, square = 0;
    for (size_t i = 0; i < 12; i++) {
        f.y[i] = (double)((i * 7) % 12);
        f.psi[i] = 2;
        mean += f.y[i] / 12;
    }
    for (size_t i = 0; i < 12; i++) square += (f.y[i] - mean) * (f.y[i] - mean) / 11;
    double x[12];
    for (size_t i = 0; i < 12; i++) x[i] = 1;
    su_context ctx;
    su_context_init(&ctx);
    su_area_data d = { f.y, f.psi, x, 12, 1 };
    for (int method = SU_AREA_REML; method <= SU_AREA_PM; method++) {
        su_area_fit *a = NULL;
        assert_int_equal(su_area_fit_new(&ctx, &d, (su_area_method)method, &a), SU_OK);
        double expected = method == SU_AREA_ML ? square * 11 / 12 - 2 : square - 2;
        assert_true(fabs(a->a - expected) < 1e-9 * expected);
        assert_true(fabs(a->beta[0] - mean) < 1e-12);
        su_area_fit_free(a);
    }
}

static void refusals(void **state)
{
    (void)state;
    su_context ctx;
    su_context_init(&ctx);
    double y[4] = { 1, 2, 3, 4 }, psi[4] = { 1, 0, 1, 1 }, x[8] = { 1, 5, 1, 5, 1, 5, 1, 5 };
    su_area_fit *a = NULL;
    assert_int_equal(su_area_fit_new(&ctx, &(su_area_data) { y, psi, x, 4, 2 }, SU_AREA_REML, &a), SU_REFUSED);
    assert_non_null(strstr(ctx.message, "area 2"));
    psi[1] = 1;
    assert_int_equal(su_area_fit_new(&ctx, &(su_area_data) { y, psi, x, 4, 2 }, SU_AREA_REML, &a), SU_REFUSED);
    assert_non_null(strstr(ctx.message, "follow from each other"));
    assert_int_equal(su_area_fit_new(&ctx, &(su_area_data) { y, psi, x, 3, 2 }, SU_AREA_REML, &a), SU_REFUSED);
    assert_non_null(strstr(ctx.message, "3 areas"));
}

/* An area without a sample: t with 2 (A + x'Vx)^2 over the variance of A, 2 / sum (A + psi)^-2, as degrees of freedom. */
static void extrapolated(void **state)
{
    (void)state;
    enum { N = 9 };
    static const double y[N] = { 3, 8, 1, 9, 4, 12, 2, 7, NAN }, v[N] = { 1, 2, 1, 1, 3, 1, 2, 1, 1 }, x[N] = { 1, 2, 1, 3, 2, 4, 1, 2, 3 };
    static const uint32_t id[N] = { 1, 2, 3, 4, 5, 6, 7, 8, 9 };
    static const char *const names[N] = { "a", "b", "c", "d", "e", "f", "g", "h", "i" };
    su_context ctx;
    su_context_init(&ctx);
    su_frame *f = su_frame_new(N);
    su_frame_add_factor(f, "area", id, names, N);
    su_frame_add_number(f, "y", y);
    su_frame_add_number(f, "v", v);
    su_frame_add_number(f, "x", x);
    const su_variable *predictor = &f->variables[3];
    su_area_options o = { .area = &f->variables[0], .estimate = &f->variables[1], .variance = &f->variables[2], .predictors = &predictor,
                          .predictor_count = 1, .level = 0.95 };
    su_result *out = su_result_new("smallarea", "");
    if (su_small_areas(&ctx, f, &o, out)) fail_msg("%s", ctx.message);
    double a = su_result_get_fact(out, "a"), mse = su_result_get(out, "areas", N - 1, "mse"), sum = 0;
    for (int i = 0; i + 1 < N; i++) sum += pow(a + v[i], -2);
    double reach = su_result_get(out, "areas", N - 1, "high") - su_result_get(out, "areas", N - 1, "estimate"), df = 2 * mse * mse / (2 / sum);
    assert_true(a > 0.1 && df > 1 && df < 30);
    assert_true(su_result_has_warning(out, "W_AREAS_ALIKE") == (a < 12.0 / 8)); /* the mean of v */
    assert_true(fabs(su_t_two_sided(reach / sqrt(mse), df) - 0.05) < 1e-10);
    reach = su_result_get(out, "areas", 0, "high") - su_result_get(out, "areas", 0, "estimate"); /* with a sample: normal */
    assert_true(fabs(reach / sqrt(su_result_get(out, "areas", 0, "mse")) - 1.959963984540054) < 1e-10);
    su_result_free(out);
    su_frame_free(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(extrapolated),
        cmocka_unit_test(interior),
        cmocka_unit_test(boundary),
        cmocka_unit_test(balanced),
        cmocka_unit_test(refusals),
    };
    return cmocka_run_group_tests_name("area", tests, NULL, NULL);
}
