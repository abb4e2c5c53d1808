/* Logistic regression: closed forms, separation, the fit on real files against other programs; and the model that an evaluation compares.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "../su_test.h"

#include <suha/utility.h>

#include <math.h>

typedef struct model {
    su_design d;
    size_t *start, rows;
    uint32_t *index, terms;
    double *value, *outcome, *b, *se;
    su_logit fit;
} model;

/* x: rows of terms - 1 numbers; the first term is the intercept. */
static void fit(model *m, const double *x, const double *y, size_t rows, uint32_t terms)
{
    *m = (model) { .rows = rows, .terms = terms };
    m->start = su_alloc_array(rows + 1, sizeof *m->start);
    m->index = su_alloc_array(rows * terms, sizeof *m->index);
    m->value = su_alloc_array(rows * terms, sizeof *m->value);
    m->b = su_alloc_array(terms, sizeof *m->b);
    m->se = su_alloc_array(terms, sizeof *m->se);
    size_t n = 0;
    for (size_t r = 0; r < rows; r++) {
        m->start[r] = n;
        for (uint32_t t = 0; t < terms; t++) {
            double v = t ? x[r * (terms - 1) + t - 1] : 1;
            if (v == 0) continue;
            m->index[n] = t;
            m->value[n++] = v;
        }
    }
    m->start[rows] = n;
    m->d = (su_design) { rows, terms, m->start, m->index, m->value, y };
    m->fit = (su_logit) { .b = m->b, .se = m->se };
    su_logit_fit(&m->d, &m->fit);
}

static void drop(model *m)
{
    free(m->start);
    free(m->index);
    free(m->value);
    free(m->b);
    free(m->se);
}

static void near(double got, double want, double by)
{
    if (!(fabs(got - want) <= by)) fail_msg("%.10g, not %.10g", got, want);
}

/* Two by two: the coefficient is the log of the odds ratio, its variance the sum of the reciprocals. */
static void two_by_two(void **state)
{
    (void)state;
    static const int n[4] = { 13, 7, 5, 22 }; /* x=0: no, yes; x=1: no, yes */
    double x[64], y[64];
    size_t rows = 0;
    for (int c = 0; c < 4; c++)
        for (int i = 0; i < n[c]; i++, rows++) {
            x[rows] = c / 2;
            y[rows] = c % 2;
        }
    model m;
    fit(&m, x, y, rows, 2);
    assert_true(m.fit.fitted);
    near(m.b[0], log(7.0 / 13), 1e-10);
    near(m.b[1], log(22.0 * 13 / (5.0 * 7)), 1e-10);
    near(m.se[0], sqrt(1.0 / 13 + 1.0 / 7), 1e-9);
    near(m.se[1], sqrt(1.0 / 13 + 1.0 / 7 + 1.0 / 5 + 1.0 / 22), 1e-9);
    near(m.fit.loglik, 13 * log(13.0 / 20) + 7 * log(7.0 / 20) + 5 * log(5.0 / 27) + 22 * log(22.0 / 27), 1e-9);
    drop(&m);
}

/* Reference values: shared/reference/logit_separation.json (brglm2, detectseparation). */
static void separation_is_said(void **state)
{
    (void)state;
    static const double complete[6] = { 1, 2, 3, 4, 5, 6 }, complete_y[6] = { 0, 0, 0, 1, 1, 1 };
    static const double quasi[8] = { 1, 2, 3, 4, 4, 5, 6, 7 }, quasi_y[8] = { 0, 0, 0, 1, 0, 1, 1, 1 };
    static const double overlap[8] = { 1, 2, 3, 4, 4, 5, 6, 7 }, overlap_y[8] = { 0, 1, 0, 1, 0, 1, 1, 0 };
    static const double twice[12] = { 1, 1, 0, 0, 1, 1, 0, 0, 1, 1, 0, 0 }, twice_y[6] = { 0, 1, 1, 0, 1, 0 };
    model m;
    fit(&m, complete, complete_y, 6, 2);
    assert_false(m.fit.fitted);
    assert_non_null(strstr(m.fit.why, "separation"));
    assert_true(isnan(m.b[1]) && isnan(m.fit.loglik));
    drop(&m);
    fit(&m, quasi, quasi_y, 8, 2);
    assert_false(m.fit.fitted);
    drop(&m);
    fit(&m, overlap, overlap_y, 8, 2);
    assert_true(m.fit.fitted);
    near(m.b[0], -0.578364684675267, 1e-9);
    near(m.b[1], 0.144591171168817, 1e-9);
    drop(&m);
    fit(&m, twice, twice_y, 6, 3);
    assert_false(m.fit.fitted);
    assert_non_null(strstr(m.fit.why, "combinations of others"));
    drop(&m);
    double sums[3 * 40], y[40];
    for (int i = 0; i < 40; i++) { /* the third is a combination of the others but for rounding */
        sums[3 * i] = 0.1 * (i % 7);
        sums[3 * i + 1] = 0.3 * (i % 5);
        sums[3 * i + 2] = 0.7 * sums[3 * i] - 1.3 * sums[3 * i + 1];
        y[i] = i % 3 == 0;
    }
    fit(&m, sums, y, 40, 4);
    assert_false(m.fit.fitted);
    assert_non_null(strstr(m.fit.why, "combinations of others"));
    drop(&m);
}

/* ---- real files ---- */

static su_raw_table *read_shared(const char *name)
{
    const char *path = su_test_shared(name);
    su_context ctx;
    su_raw_table *t = NULL;
    su_context_init(&ctx);
    if (path && su_table_read(&ctx, path, &(su_read_options) { 0 }, &t)) fail_msg("%s", ctx.message);
    return t;
}

static double number(const su_raw_table *t, uint32_t column, uint64_t row)
{
    double x;
    if (!su_parse_f64(su_dict_get(t->columns[column].values, t->columns[column].ids[row]), &x)) fail_msg("not a number");
    return x;
}

static void endometrial_is_separated(void **state)
{
    (void)state;
    su_raw_table *t = read_shared("statistics/endometrial.csv");
    if (!t) skip();
    double *x = su_alloc_array(t->row_count * 3, sizeof *x), *y = su_alloc_array(t->row_count, sizeof *y);
    for (uint64_t r = 0; r < t->row_count; r++) {
        for (uint32_t c = 0; c < 3; c++) x[r * 3 + c] = number(t, c, r);
        y[r] = number(t, 3, r);
    }
    model m;
    fit(&m, x, y, t->row_count, 4);
    assert_false(m.fit.fitted);
    assert_non_null(strstr(m.fit.why, "separation"));
    drop(&m);
    free(x);
    free(y);
    su_raw_table_free(t);
}

/* A published fit: isForcedLabour on all other columns but isSexualExploit, 91,043 rows. */
static void golden_fit_on_final_data(void **state)
{
    (void)state;
    static const double want[17][2] = { { -0.228568, 0.019422 }, { -0.035790, 0.003872 }, { -0.927224, 0.307928 }, { 1.200328, 0.029274 },
                                        { 0.586177, 0.025553 },  { 0.068575, 0.026503 },  { 0.907636, 0.052823 },  { -1.066985, 0.037971 },
                                        { 0.532397, 0.027176 },  { 2.311782, 0.071789 },  { 0.530246, 0.052863 },  { -0.385682, 0.042054 },
                                        { -0.345524, 0.059239 }, { -0.048140, 0.037853 }, { 0.987045, 0.031241 },  { -1.376902, 0.160903 },
                                        { -2.002096, 0.021304 } };
    su_raw_table *t = read_shared("ctdc/final_data.csv");
    if (!t) skip();
    assert_int_equal(t->row_count, 91043);
    double *x = su_alloc_array(t->row_count * 17, sizeof *x), *y = su_alloc_array(t->row_count, sizeof *y);
    for (uint64_t r = 0; r < t->row_count; r++) {
        uint32_t k = 0;
        for (uint32_t c = 0; c < t->column_count; c++) {
            if (strcmp(t->columns[c].name, "isForcedLabour") == 0)
                y[r] = number(t, c, r);
            else if (strcmp(t->columns[c].name, "isSexualExploit") != 0)
                x[r * 17 + k++] = number(t, c, r);
        }
        assert_int_equal(k, 17);
    }
    model m;
    fit(&m, x, y, t->row_count, 18);
    assert_true(m.fit.fitted);
    for (int j = 0; j < 17; j++) {
        near(m.b[j], want[j][0], 5.1e-7);
        near(m.se[j], want[j][1], 5.1e-7);
    }
    near(m.b[17], -0.428423, 5.1e-7);
    near(m.se[17], 0.033868, 5.1e-7);
    near(m.fit.loglik, -33965.560349, 5.1e-7);
    drop(&m);
    free(x);
    free(y);
    su_raw_table_free(t);
}

/* ---- the model of an evaluation ---- */

enum { ROWS = 400 };

typedef struct people {
    su_field fields[5];
    su_group groups[2];
    su_schema schema;
    su_matrix_column columns[5];
    uint16_t codes[5][ROWS];
    uint16_t *records[5];
    su_code_matrix m;
    su_release r;
} people;

/* age (3 values), means, forced, sexual (both of the group about exploitation), rare (only with forced). */
static void make(people *p)
{
    static const char *const names[5] = { "age", "means", "forced", "sexual", "rare" };
    su_random random;
    su_test_random(&random);
    memset(p, 0, sizeof *p);
    p->groups[0] = (su_group) { "meansOfControl", "Means" };
    p->groups[1] = (su_group) { "typeOfExploit", "Type" };
    for (uint32_t c = 0; c < 5; c++) {
        p->fields[c] = (su_field) { .name = names[c], .group = c == 1 ? 0 : c == 2 || c == 3 ? 1 : -1 };
        p->columns[c] = (su_matrix_column) { .name = names[c], .field = c, .card = c ? 2 : 4, .codes = p->codes[c] };
        p->records[c] = p->codes[c];
    }
    for (int i = 0; i < ROWS; i++) {
        for (uint32_t c = 0; c < 4; c++) p->codes[c][i] = (uint16_t)su_random_below(&random, c ? 2 : 4);
        p->codes[4][i] = (uint16_t)(p->codes[2][i] && su_random_below(&random, 8) == 0);
    }
    p->schema = (su_schema) { .fields = p->fields, .field_count = 5, .groups = p->groups, .group_count = 2 };
    p->m = (su_code_matrix) { .schema = &p->schema, .row_count = ROWS, .column_count = 5, .columns = p->columns };
    p->r = (su_release) { .schema = &p->schema,
                          .options = { .length = 1 },
                          .column_count = 5,
                          .columns = p->columns,
                          .record_count = ROWS,
                          .records = p->records };
}

static void same_records_same_model(void **state)
{
    (void)state;
    people p;
    su_context ctx;
    su_utility *u = NULL;
    su_context_init(&ctx);
    make(&p);
    assert_int_equal(su_utility_evaluate(&ctx, &p.r, &p.m, NULL, &u), SU_OK);
    const su_utility_regression *g = &u->regression;
    assert_true(g->tried && g->fitted[0] && g->fitted[1]);
    assert_int_equal(g->outcome, 2);    /* the first yes/no column of the group about exploitation, not means */
    assert_int_equal(g->term_count, 5); /* intercept, three ages but the most frequent code, means; sexual is the outcome's own group */
    assert_non_null(strstr(g->left_out, "rare"));
    for (size_t t = 0; t < g->term_count; t++) {
        near(g->terms[t].b[0], g->terms[t].b[1], 0);
        assert_true(t == 0 || g->terms[t].column <= 1);
    }
    near(g->mean_difference, 0, 0);
    near(g->sign_agreement, 1, 0);
    near(g->ci_overlap, 1, 0);
    su_utility_free(u);
    assert_int_equal(su_utility_evaluate(&ctx, &p.r, &p.m, &(su_utility_options) { .outcome = "means" }, &u), SU_OK);
    assert_int_equal(u->regression.outcome, 1);
    su_utility_free(u);
    assert_int_equal(su_utility_evaluate(&ctx, &p.r, &p.m, &(su_utility_options) { .outcome = "nothing" }, &u), SU_USAGE);
    assert_non_null(strstr(ctx.message, "nothing"));
    assert_int_equal(su_utility_evaluate(&ctx, &p.r, &p.m, &(su_utility_options) { .outcome = "age" }, &u), SU_USAGE);
    assert_non_null(strstr(ctx.message, "age=CODE"));
    memset(p.codes[2], 0, sizeof p.codes[2]);
    assert_int_equal(su_utility_evaluate(&ctx, &p.r, &p.m, NULL, &u), SU_OK);
    assert_non_null(strstr(u->regression.note[0], "same in all true"));
    su_utility_free(u);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_by_two),
        cmocka_unit_test(separation_is_said),
        cmocka_unit_test(endometrial_is_separated),
        cmocka_unit_test(golden_fit_on_final_data),
        cmocka_unit_test(same_records_same_model),
    };
    return cmocka_run_group_tests_name("protect: utility logit", tests, NULL, NULL);
}
