/* Traits that some lists do not record: against closed forms, against numbers made from a known model, and against no missing values. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "tables.h"
#include "mse/incomplete.h"
#include "mse/overlap.h"

static su_overlaps *read_text(const char *text)
{
    static const char *const traits[] = { "X" };
    su_context ctx;
    su_raw_table *raw = NULL;
    su_overlaps *o = NULL;
    su_overlap_options options = { .covariates = traits, .covariate_count = 1, .incomplete = true };
    su_context_init(&ctx);
    if (su_csv_parse(&ctx, "test.csv", su_str_of(text), NULL, &raw) || su_overlaps_of_table(&ctx, raw, &options, &o))
        fail_msg("%s", ctx.message);
    su_raw_table_free(raw);
    return o;
}

static su_trait_model with_terms(const su_overlaps *o, const su_trait_term *terms, unsigned count)
{
    su_trait_model m = su_trait_model_base(o);
    for (unsigned i = 0; i < count; i++) m.term[m.count++] = terms[i];
    return m;
}

static double all_people(const su_overlaps *o, const su_trait_fit *f)
{
    double N = (double)o->n;
    for (size_t s = 0; s < f->strata; s++) N += f->unseen[s];
    return N;
}

/* A trait that A alone records and that goes with B alone cannot change the estimate of everybody: it stays that of the lists without it,
 * for two lists n_A n_B / n_AB (van der Heijden and others 2012, section 3: passive covariates). */
static void passive_trait(void **state)
{
    (void)state;
    su_overlaps *o = read_text("A,B,X,count\n1,0,u,120\n1,0,v,200\n1,1,u,60\n1,1,v,30\n0,1,,150\n");
    su_trait_term b_by_x = { 2, 0, -1 }, a_by_x = { 1, 0, -1 };
    su_trait_model m = with_terms(o, &b_by_x, 1);
    assert_true(su_incomplete_knows(o, &b_by_x));
    assert_false(su_incomplete_knows(o, &a_by_x)); /* off A nobody's X is known */
    assert_int_equal(o->partials, 1);
    su_trait_fit f = su_incomplete_fit(NULL, o, &m, true, 1);
    assert_int_equal(f.code, SU_EXISTS);
    su_reference_near("N", all_people(o, &f), (320.0 + 90) * (90 + 150) / 90, 1e-5);
    /* on A the share of u among those on B is 60 of 90, so of the 150 on B alone it is the same in this model */
    su_reference_near("u on B alone", f.completed[2], 150 * (60.0 / 90), 1e-5);
    su_trait_fit_free(&f);
    su_overlaps_free(o);
}

/* Expected numbers of a known model, people on C alone without their X: the model is found again, whoever lacks the value. */
static void known_model(void **state)
{
    (void)state;
    static const double size[2] = { 4e9, 9e9 }, rate[2][3] = { { 0.4, 0.2, 0.1 }, { 0.1, 0.3, 0.25 } };
    su_buf text = { 0 };
    su_buf_text(&text, "A,B,C,X,count\n");
    for (int v = 0; v < 2; v++) {
        for (unsigned w = 1; w < 8; w++) {
            double people = size[v];
            for (unsigned j = 0; j < 3; j++) people *= w >> j & 1 ? rate[v][j] : 1 - rate[v][j];
            su_buf_printf(&text, "%u,%u,%u,%s,%.0f\n", w & 1, w >> 1 & 1, w >> 2, w == 4 ? "" : v ? "v" : "u", people);
        }
    }
    su_overlaps *o = read_text(text.p);
    su_trait_term terms[] = { { 1, 0, -1 }, { 2, 0, -1 }, { 4, 0, -1 } };
    su_trait_model m = with_terms(o, terms, 3);
    su_trait_fit f = su_incomplete_fit(NULL, o, &m, true, 1);
    assert_int_equal(f.code, SU_EXISTS);
    for (int v = 0; v < 2; v++) {
        double unseen = size[v];
        for (int j = 0; j < 3; j++) unseen *= 1 - rate[v][j];
        su_reference_near(v ? "unseen v" : "unseen u", f.unseen[v], unseen, 2e-4);
    }
    /* leaving out the trait, or the people without it, gives other numbers */
    su_mse_lattice l;
    su_model plain = su_model_main(3);
    su_mse_lattice_init(&l, 3);
    su_mse_lattice_set_integers(&l, o->counts);
    assert_true(fabs(su_fit_full(&l, &plain).N / 13e9 - 1) > 0.02);
    su_mse_lattice_free(&l);
    su_trait_fit_free(&f);
    su_overlaps_free(o);
    su_buf_free(&text);
}

/* The likelihood of what was seen, written out: no small move of the fitted model's own kind makes it higher. Here: two people without a
 * value among many with one change the fit by next to nothing, and nobody without a value by nothing at all. */
static void nobody_missing(void **state)
{
    (void)state;
    const char *complete = "A,B,C,X,count\n1,0,0,u,80\n1,0,0,v,40\n0,1,0,u,60\n0,1,0,v,75\n0,0,1,u,30\n0,0,1,v,66\n1,1,0,u,20\n1,1,0,v,9\n"
                           "1,0,1,u,11\n1,0,1,v,8\n0,1,1,u,9\n0,1,1,v,21\n1,1,1,u,5\n1,1,1,v,3\n";
    su_buf text = { 0 };
    su_overlaps *o = read_text(complete);
    su_trait_term term = { 2, 0, -1 };
    su_trait_model m = with_terms(o, &term, 1);
    su_trait_fit plain = su_trait_fit_model(o, &m, true), f = su_incomplete_fit(NULL, o, &m, true, 1);
    for (int s = 0; s < 2; s++) su_reference_near("unseen", f.unseen[s], plain.unseen[s], 1e-9);
    su_reference_near("BIC", f.bic, plain.bic, 1e-9);
    /* the resampled spread is near the delta method's */
    for (int s = 0; s < 2; s++) su_reference_near("spread", sqrt(f.covariance[s * 3]), sqrt(plain.covariance[s * 3]), 0.25);
    su_trait_fit_free(&f);
    su_buf_printf(&text, "%s0,0,1,,2\n", complete);
    su_overlaps *two = read_text(text.p);
    f = su_incomplete_fit(NULL, two, &m, true, 1);
    su_reference_near("nearly the same", all_people(two, &f), all_people(o, &plain), 0.02);
    assert_true(f.completed[4] > 30 && f.completed[4] < 32); /* C alone, u: some of the two */
    su_trait_fit_free(&f);
    su_trait_fit_free(&plain);
    su_overlaps_free(o);
    su_overlaps_free(two);
    su_buf_free(&text);
}

static void reading(void **state)
{
    (void)state;
    su_overlaps *o = read_text("A,B,C,X,count\n1,0,0,10,5\n1,1,0,9,4\n0,1,0,,3\n0,1,0,,2\n0,1,1,,7\n0,0,1,zz,1\n");
    assert_int_equal(o->covariate_levels[0], 3);
    assert_string_equal(o->covariate_values[0][0], "9");
    assert_string_equal(o->covariate_values[0][2], "zz");
    assert_int_equal(o->partials, 2);
    assert_int_equal(o->partial[0].people, 5);
    assert_int_equal(o->n, 22);
    su_overlaps *merged = su_overlaps_merged(o, 1, 2); /* B and C as one: both partial rows meet */
    assert_int_equal(merged->partials, 1);
    assert_int_equal(merged->partial[0].people, 12);
    assert_int_equal(merged->n, 22);
    su_overlaps_free(merged);
    su_overlaps_free(o);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(passive_trait), cmocka_unit_test(known_model), cmocka_unit_test(nobody_missing),
                                        cmocka_unit_test(reading) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
