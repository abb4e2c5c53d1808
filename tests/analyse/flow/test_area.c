/* Fay-Herriot against an R implementation and metafor, the boundary, and the refusals. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <suha/area.h>

#include "analyse/reference.h"

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
        check_list(r, all[k].name, "beta", a->beta, 2, 1e-6);
        check_list(r, all[k].name, "gamma", a->gamma, f.n, 1e-6);
        check_list(r, all[k].name, "eblup", a->estimate, f.n, 1e-6);
        check_list(r, all[k].name, "g1", a->g1, f.n, 1e-6);
        check_list(r, all[k].name, "g2", a->g2, f.n, 1e-5);
        if (all[k].mse) check_list(r, all[k].name, "mse", a->mse, f.n, 1e-5);
        snprintf(at, sizeof at, "%s/loglik", all[k].name);
        double determinant = 0, xx[3] = { 0 }; /* R's residual likelihood has log |X'X| / 2 beside ours */
        for (size_t i = 0; i < f.n; i++) {
            xx[0] += 1;
            xx[1] += f.x[2 * i + 1];
            xx[2] += f.x[2 * i + 1] * f.x[2 * i + 1];
        }
        determinant = all[k].method == SU_AREA_REML ? 0.5 * log(xx[0] * xx[2] - xx[1] * xx[1]) : 0;
        su_reference_near(at, a->log_likelihood + determinant, su_reference_number(r, at), 1e-7);
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
        const char *at;
    } moments[] = { { SU_AREA_DL, "boundary/DL/A" }, { SU_AREA_PM, "boundary/PM/A" } };
    for (size_t k = 0; k < 2; k++) {
        a = fit(&f, moments[k].method);
        su_reference_near(moments[k].at, a->a, su_reference_number(r, moments[k].at), 1e-5);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(interior),
        cmocka_unit_test(boundary),
        cmocka_unit_test(balanced),
        cmocka_unit_test(refusals),
    };
    return cmocka_run_group_tests_name("area", tests, NULL, NULL);
}
