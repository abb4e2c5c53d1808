/* Imputations of made data whose truth is known: no bias where complete cases have one, honest intervals, the same bytes on any number of
 * threads, and what must never be filled. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <suha/impute.h>

#include "analyse/reference.h"
#include "numeric/philox.h"

enum { N = 1500 };
static const char *const yes_no[2] = { "no", "yes" }, *const levels[4] = { "none", "primary", "secondary", "tertiary" };

typedef struct made {
    su_frame *f;
    double x[N], y[N], truth_y;
    uint32_t flag[N], school[N];
    double truth_flag, truth_school[4];
} made;

/* x always there; y, flag and school depend on x, and are missing mostly where x is high: complete cases are biased. */
static void make(made *m, uint64_t seed)
{
    su_philox r = su_philox_of(seed, 0);
    memset(m, 0, sizeof *m);
    for (size_t i = 0; i < N; i++) {
        m->x[i] = su_philox_normal(&r);
        m->y[i] = 10 + 2 * m->x[i] + su_philox_normal(&r);
        m->flag[i] = 1 + (su_philox_unit(&r) < 1 / (1 + exp(-(m->x[i] - 0.3))));
        double score = 0.9 * m->x[i] + log(1 / su_philox_unit(&r) - 1);
        m->school[i] = score < -1 ? 1 : score < 0.5 ? 2 : score < 2 ? 3 : 4;
        m->truth_y += m->y[i] / N;
        m->truth_flag += (m->flag[i] == 2) / (double)N;
        m->truth_school[m->school[i] - 1] += 1.0 / N;
        double gone = m->x[i] > 0 ? 0.4 : 0.05;
        if (su_philox_unit(&r) < gone) m->y[i] = NAN;
        if (su_philox_unit(&r) < gone) m->flag[i] = 0;
        if (su_philox_unit(&r) < gone) m->school[i] = 0;
    }
    m->f = su_frame_new(N);
    su_frame_add_number(m->f, "x", m->x);
    su_frame_add_number(m->f, "y", m->y);
    su_frame_add_factor(m->f, "flag", m->flag, yes_no, 2);
    su_frame_add_factor(m->f, "school", m->school, levels, 4);
}

static su_imputation *impute(su_frame *f, const su_impute_options *o, unsigned threads)
{
    su_context ctx;
    su_imputation *i = NULL;
    su_context_init(&ctx);
    ctx.threads = threads;
    if (su_impute(&ctx, f, o, &i)) fail_msg("%s", ctx.message);
    return i;
}

/* Mean of a number or share of a level over all rows, in imputation k. */
static double share(const su_imputation *im, uint32_t v, unsigned k, uint32_t level)
{
    const su_imputed *i = &im->variables[v];
    double sum = 0;
    for (uint64_t row = 0; row < im->frame->rows; row++) {
        double x = level ? su_frame_level(i->variable, row) == level : su_frame_number(i->variable, row);
        if (!isnan(x)) sum += x;
    }
    for (uint64_t j = 0; j < i->filled; j++) sum += level ? i->level[k][j] == level : i->number[k][j];
    return sum / (double)im->frame->rows;
}

static double pooled_share(const su_imputation *im, uint32_t v, uint32_t level)
{
    double sum = 0;
    for (unsigned k = 0; k < im->imputations; k++) sum += share(im, v, k, level);
    return sum / im->imputations;
}

/* Standard error of the missing part is about .5 / sqrt(350) of 23 % of the rows; four of them. */
static void removes_the_bias(void **state)
{
    (void)state;
    made m;
    make(&m, 11);
    su_impute_choice ordered = { &m.f->variables[3], SU_IMPUTE_ORDERED, 0 };
    for (int round = 0; round < 2; round++) {
        su_impute_options o = { &ordered, round ? 1 : 0, 10, 8, 5 };
        su_imputation *im = impute(m.f, &o, 2);
        double seen = 0, there = 0;
        for (size_t i = 0; i < N; i++)
            if (!isnan(m.y[i])) {
                seen += m.y[i];
                there++;
            }
        assert_true(m.truth_y - seen / there > 0.2); /* complete cases are too low */
        assert_true(fabs(pooled_share(im, 1, 0) - m.truth_y) < 0.06);
        assert_true(fabs(pooled_share(im, 2, 2) - m.truth_flag) < 0.03);
        for (uint32_t k = 1; k <= 4; k++) assert_true(fabs(pooled_share(im, 3, k) - m.truth_school[k - 1]) < 0.03);
        for (uint32_t v = 1; v < 4; v++) assert_true(im->variables[v].r_hat < 1.6);
        su_imputation_free(im);
    }
    su_frame_free(m.f);
}

/* Matching takes numbers that someone had. */
static void donors_are_observed(void **state)
{
    (void)state;
    made m;
    make(&m, 4);
    su_impute_options o = { NULL, 0, 2, 3, 9 };
    su_imputation *im = impute(m.f, &o, 1);
    for (uint64_t k = 0; k < im->variables[1].filled; k += 17) {
        bool found = false;
        for (size_t i = 0; i < N; i++) found |= fabs(m.y[i] - im->variables[1].number[0][k]) < 1e-9;
        assert_true(found);
    }
    su_imputation_free(im);
    su_frame_free(m.f);
}

static void same_on_any_threads(void **state)
{
    (void)state;
    made m;
    make(&m, 21);
    su_impute_options o = { NULL, 0, 3, 2, 77 };
    su_imputation *a = impute(m.f, &o, 1), *b = impute(m.f, &o, 3);
    for (unsigned k = 0; k < 3; k++)
        for (uint64_t i = 0; i < a->variables[1].filled; i++) assert_true(a->variables[1].number[k][i] == b->variables[1].number[k][i]);
    o.seed = 78;
    su_imputation *c = impute(m.f, &o, 1);
    size_t same = 0;
    for (uint64_t i = 0; i < a->variables[1].filled; i++) same += a->variables[1].number[0][i] == c->variables[1].number[0][i];
    assert_true(same < a->variables[1].filled / 2);
    su_imputation_free(a);
    su_imputation_free(b);
    su_imputation_free(c);
    su_frame_free(m.f);
}

/* Pooled 95 % intervals of a mean hold the truth of the population in about 95 % of small files. The bound is four standard errors. */
static void intervals_cover(void **state)
{
    (void)state;
    enum { FILES = 120, ROWS = 120 };
    int hits = 0;
    for (uint64_t file = 0; file < FILES; file++) {
        su_philox r = su_philox_of(5000 + file, 0);
        double x[ROWS], y[ROWS], q[10], u[10];
        su_frame *f = su_frame_new(ROWS);
        for (size_t i = 0; i < ROWS; i++) {
            x[i] = su_philox_normal(&r);
            y[i] = x[i] + su_philox_normal(&r);
            if (su_philox_unit(&r) < (x[i] > 0 ? 0.5 : 0.1)) y[i] = NAN;
        }
        su_frame_add_number(f, "x", x);
        su_frame_add_number(f, "y", y);
        su_impute_options o = { NULL, 0, 10, 3, file };
        su_imputation *im = impute(f, &o, 1);
        for (unsigned k = 0; k < 10; k++) {
            double square = 0;
            q[k] = share(im, 1, k, 0);
            for (size_t i = 0; i < ROWS; i++) square += isnan(y[i]) ? 0 : (y[i] - q[k]) * (y[i] - q[k]);
            for (uint64_t i = 0; i < im->variables[1].filled; i++)
                square += (im->variables[1].number[k][i] - q[k]) * (im->variables[1].number[k][i] - q[k]);
            u[k] = square / (ROWS - 1) / ROWS;
        }
        su_pooled p = su_pool(q, u, 10, ROWS - 1);
        hits += fabs(p.estimate) < 1.98 * sqrt(p.total);
        su_imputation_free(im);
        su_frame_free(f);
    }
    printf("# %d of %d intervals hold the truth\n", hits, FILES);
    assert_true(hits >= FILES * 0.95 - 4 * sqrt(FILES * 0.95 * 0.05));
}

/* A flag that x decides without error has no finite logit; augmented rows keep the draws in range. What does not apply stays empty. */
static void separation_and_not_applicable(void **state)
{
    (void)state;
    enum { ROWS = 200 };
    double x[ROWS];
    uint32_t flag[ROWS];
    su_cell reason[ROWS];
    for (size_t i = 0; i < ROWS; i++) {
        x[i] = (double)i / ROWS - 0.5;
        flag[i] = i % 7 == 0 ? 0 : 1 + (x[i] > 0);
        reason[i] = i % 14 == 0 ? SU_CELL_NOT_APPLICABLE : SU_CELL_REFUSED;
    }
    su_frame *f = su_frame_new(ROWS);
    su_frame_add_number(f, "x", x);
    su_frame_add_factor(f, "flag", flag, yes_no, 2)->reason = reason;
    su_impute_options o = { NULL, 0, 5, 2, 1 };
    su_imputation *im = impute(f, &o, 1);
    const su_imputed *v = &im->variables[1];
    assert_true(v->missing == 29 && v->not_applicable == 15 && v->filled == 14);
    size_t right = 0;
    for (uint64_t k = 0; k < v->filled; k++) {
        assert_true(v->rows[k] % 14 == 7);
        for (unsigned j = 0; j < 5; j++) right += v->level[j][k] == 1u + (x[v->rows[k]] > 0);
    }
    assert_true(right > 60); /* of 70 */
    su_imputation_free(im);
    su_frame_free(f);
}

/* The slider moves what is imputed, and only that. */
static void slider(void **state)
{
    (void)state;
    made m;
    make(&m, 8);
    su_impute_choice choices[2] = { { &m.f->variables[2], SU_IMPUTE_AUTO, 2 }, { &m.f->variables[1], SU_IMPUTE_AUTO, -3 } };
    su_impute_options plain = { NULL, 0, 8, 3, 3 }, shifted = { choices, 2, 8, 3, 3 };
    su_imputation *a = impute(m.f, &plain, 2), *b = impute(m.f, &shifted, 2);
    assert_true(pooled_share(b, 2, 2) > pooled_share(a, 2, 2) + 0.03);
    double part = (double)a->variables[1].filled / N, moved = pooled_share(b, 1, 0) - pooled_share(a, 1, 0);
    assert_true(fabs(moved + 3 * part) < 0.25 * 3 * part);
    su_imputation_free(a);
    su_imputation_free(b);
    su_frame_free(m.f);
}

static void refuse(su_frame *f, const su_impute_options *o, const char *words)
{
    su_context ctx;
    su_imputation *im = NULL;
    su_context_init(&ctx);
    assert_true(su_impute(&ctx, f, o, &im) != SU_OK);
    assert_null(im);
    if (!strstr(ctx.message, words)) fail_msg("'%s' does not say '%s'", ctx.message, words);
}

static void refusals(void **state)
{
    (void)state;
    made m;
    make(&m, 2);
    su_impute_choice pmm = { &m.f->variables[3], SU_IMPUTE_PMM, 0 }, delta = { &m.f->variables[3], SU_IMPUTE_AUTO, 1 },
                     all[3] = { { &m.f->variables[1], SU_IMPUTE_EXCLUDE, 0 },
                                { &m.f->variables[2], SU_IMPUTE_EXCLUDE, 0 },
                                { &m.f->variables[3], SU_IMPUTE_EXCLUDE, 0 } };
    refuse(m.f, &(su_impute_options) { &pmm, 1, 2, 2, 1 }, "pmm is for numbers");
    refuse(m.f, &(su_impute_options) { &delta, 1, 2, 2, 1 }, "no direction");
    refuse(m.f, &(su_impute_options) { all, 3, 2, 2, 1 }, "excluded");
    su_frame_free(m.f);
    double x[3] = { 1, 2, 3 }, y[3] = { 1, NAN, 2 };
    su_frame *f = su_frame_new(3);
    su_frame_add_number(f, "x", x);
    refuse(f, &(su_impute_options) { NULL, 0, 2, 2, 1 }, "nothing is missing");
    su_frame_add_number(f, "y", y);
    x[1] = 2.5;
    refuse(f, &(su_impute_options) { &(su_impute_choice) { &f->variables[1], SU_IMPUTE_PMM, 0 }, 1, 2, 2, 1 }, "too few");
    su_frame_free(f);
}

/* Forty districts in no order, along x; gone mostly where x is high. Complete cases have too few of the districts of high x, matched ones
 * do not, and a model by category takes no more than 30. */
static void many_categories(void **state)
{
    (void)state;
    enum { DISTRICTS = 40, HIGH = 24 };
    static char text[DISTRICTS][8];
    static uint32_t district[N];
    const char *names[DISTRICTS];
    double x[N], truth = 0, complete = 0, present = 0, pooled = 0, low = 0;
    su_philox r = su_philox_of(31, 0);
    su_context ctx;
    su_imputation *refused = NULL;
    for (unsigned k = 0; k < DISTRICTS; k++) {
        snprintf(text[k], sizeof text[k], "d%02u", k);
        names[k] = text[k];
    }
    for (size_t i = 0; i < N; i++) {
        x[i] = su_philox_normal(&r);
        unsigned place = (unsigned)fmin(fmax(20 + 9 * (x[i] + 0.4 * su_philox_normal(&r)), 0), DISTRICTS - 1);
        bool gone = su_philox_unit(&r) < (x[i] > 0 ? 0.4 : 0.05);
        truth += (place >= HIGH) / (double)N;
        complete += !gone && place >= HIGH;
        present += !gone;
        district[i] = gone ? 0 : 1 + place * 7 % DISTRICTS;
    }
    su_frame *f = su_frame_new(N);
    su_frame_add_number(f, "x", x);
    su_frame_add_factor(f, "district", district, names, DISTRICTS);
    su_impute_options o = { .imputations = 5, .rounds = 3, .seed = 2 };
    su_imputation *im = impute(f, &o, 1), *again = impute(f, &o, 3);
    assert_int_equal(im->variables[1].method, SU_IMPUTE_MATCHED);
    for (unsigned place = 0; place < DISTRICTS; place++) {
        double part = pooled_share(im, 1, 1 + place * 7 % DISTRICTS);
        assert_true(part == pooled_share(again, 1, 1 + place * 7 % DISTRICTS));
        *(place >= HIGH ? &pooled : &low) += part;
    }
    assert_true(fabs(pooled + low - 1) < 1e-9);
    assert_true(complete / present < truth - 0.04);
    su_reference_within("districts of high x", pooled, truth, 0.02);
    su_context_init(&ctx);
    o.choices = &(su_impute_choice) { .variable = &f->variables[1], .method = SU_IMPUTE_MULTINOMIAL };
    o.choice_count = 1;
    assert_int_equal(su_impute(&ctx, f, &o, &refused), SU_REFUSED);
    assert_non_null(strstr(ctx.message, "district=matched"));
    su_imputation_free(im);
    su_imputation_free(again);
    su_frame_free(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(many_categories),
        cmocka_unit_test(removes_the_bias),
        cmocka_unit_test(donors_are_observed),
        cmocka_unit_test(same_on_any_threads),
        cmocka_unit_test(intervals_cover),
        cmocka_unit_test(separation_and_not_applicable),
        cmocka_unit_test(slider),
        cmocka_unit_test(refusals),
    };
    return cmocka_run_group_tests_name("impute", tests, NULL, NULL);
}
