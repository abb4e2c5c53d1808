/* Log-linear fits, existence and stepwise searches against SparseMSE's numbers (mse_*.json of the shared reference). */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "tables.h"
#include "mse/existence.h"
#include "mse/search.h"
#include "numeric/special.h"

static double coefficient(const su_mse_lattice *l, const su_model *m, unsigned term)
{
    for (unsigned i = 0; i < m->count; i++)
        if (m->term[i] == term) return l->beta[i];
    return NAN;
}

/* "(Intercept)", "LA", "LA:NG" as a set of lists. */
static unsigned term_by_names(const su_overlaps *o, const char *names)
{
    unsigned term = 0;
    if (strcmp(names, "(Intercept)") == 0) return 0;
    for (const char *p = names; *p;) {
        size_t n = strcspn(p, ":");
        for (unsigned i = 0; i < o->lists; i++)
            if (strlen(o->names[i]) == n && memcmp(o->names[i], p, n) == 0) term |= 1u << i;
        p += n + (p[n] == ':');
    }
    return term;
}

static void add_pairs(su_model *m, const json_t *pairs)
{
    if (json_is_string(pairs)) assert_true(su_model_add(m, term_of(json_string_value(pairs))));
    for (size_t i = 0; i < json_array_size(pairs); i++) assert_true(su_model_add(m, term_of(json_string_value(json_array_get(pairs, i)))));
}

static void fixed_models(void **state)
{
    (void)state;
    json_t *ref = su_reference("mse_uk5_fixed_models.json");
    su_overlaps *o = read_table("UKdat_5");
    if (!ref || !o) skip();
    su_mse_lattice l;
    su_mse_lattice_init(&l, o->lists);
    su_mse_lattice_set_integers(&l, o->counts);
    const char *name, *key;
    json_t *want, *value;
    json_object_foreach(ref, name, want)
    {
        su_model m = su_model_main(o->lists);
        add_pairs(&m, json_object_get(want, "pairs"));
        su_fit f = su_fit_full(&l, &m);
        assert_int_equal(f.code, SU_EXISTS);
        json_object_foreach(json_object_get(want, "coef"), key, value)
            su_reference_near(key, coefficient(&l, &m, term_by_names(o, key)), su_reference_value(value), 1e-8);
        su_reference_near("N", f.N, su_reference_number(want, "N"), 1e-9);
        su_reference_near("deviance", f.deviance, su_reference_number(want, "deviance"), 1e-9);
        su_reference_near("log likelihood", f.log_likelihood, su_reference_number(want, "loglik"), 1e-9);
        su_reference_near("parameters", f.parameters, su_reference_number(want, "n_par_incl_empty"), 0);
        su_reference_near("AIC", su_fit_aic(&f), su_reference_number(want, "aic"), 1e-9);
        su_reference_near("BIC", su_fit_bic(&l, &f), su_reference_number(want, "bic_log_nobs"), 1e-9);
        su_reference_near("SE of N", f.unseen * sqrt(f.variance), su_reference_number(want, "se_N_delta"), 1e-8);
        double z = su_normal_quantile(0.975);
        su_reference_near("low", l.n + f.unseen * exp(-z * sqrt(f.variance)), su_reference_number(want, "lo95"), 1e-8);
        su_reference_near("high", l.n + f.unseen * exp(z * sqrt(f.variance)), su_reference_number(want, "hi95"), 1e-8);
    }
    su_mse_lattice_free(&l);
    su_overlaps_free(o);
    json_decref(ref);
}

static void existence_vectors(void **state)
{
    (void)state;
    json_t *ref = su_reference("mse_existence_vectors.json");
    if (!ref) skip();
    const json_t *cases = json_object_get(ref, "cases");
    size_t seen[4] = { 0 };
    for (size_t c = 0; c < json_array_size(cases); c++) {
        const json_t *one = json_array_get(cases, c);
        unsigned lists = (unsigned)su_reference_value(json_object_get(one, "lists"));
        const json_t *histories = json_object_get(one, "histories"), *counts = json_object_get(one, "counts");
        int64_t table[32] = { 0 };
        for (size_t i = 0; i < json_array_size(counts); i++)
            table[cell_of(json_string_value(json_array_get(histories, i)))] = (int64_t)su_reference_value(json_array_get(counts, i));
        su_model m = su_model_main(lists);
        add_pairs(&m, json_object_get(one, "pairs"));
        su_mse_lattice l;
        su_mse_lattice_init(&l, lists);
        su_mse_lattice_set_integers(&l, table);
        int want = (int)su_reference_value(json_object_get(one, "ierr"));
        su_fit f = su_fit_full(&l, &m);
        su_reference_near("code", f.code, su_reference_value(json_object_get(one, "ierr")), 0);
        if ((int)f.code != want) fail_msg("case %zu: code %d, SparseMSE says %d", c, (int)f.code, want);
        if (!want) {
            su_reference_near("N", f.N, su_reference_number(one, "N"), 1e-6);
            su_reference_within("deviance", f.deviance, su_reference_number(one, "deviance"), 1e-6);
        }
        assert_int_equal(su_mse_lattice_existence(&l, &m), want); /* now from the cache */
        seen[want]++;
        su_mse_lattice_free(&l);
    }
    assert_int_equal(seen[0] + seen[1] + seen[2], json_array_size(cases));
    assert_true(seen[0] && seen[1] && seen[2]);
    json_decref(ref);
}

/* Published: Artificial_3 with all pairs is not identifiable, with AB no estimate exists, with AC and BC one does. */
static void artificial(void **state)
{
    (void)state;
    su_overlaps *o = table_of(3, (const history_count[]) { { "100", 40 }, { "010", 30 }, { "001", 20 }, { "110", 6 }, { NULL, 0 } });
    const struct {
        const char *model;
        int code;
    } want[] = { { "[12,13,23]", SU_NOT_IDENTIFIABLE }, { "[12,3]", SU_NO_ESTIMATE }, { "[13,23]", SU_EXISTS }, { "", SU_EXISTS } };
    su_mse_lattice l;
    su_mse_lattice_init(&l, 3);
    su_mse_lattice_set_integers(&l, o->counts);
    for (size_t i = 0; i < sizeof want / sizeof *want; i++) {
        su_model m;
        assert_int_equal(su_model_parse(NULL, o, want[i].model, &m), SU_OK);
        assert_int_equal(su_mse_lattice_existence(&l, &m), want[i].code);
    }
    su_mse_lattice_free(&l);
    su_overlaps_free(o);
}

/* ---- an oracle for existence: the linear program of the definition, by trying every integer direction ---- */

/* Exact rank by fractions of whole numbers. */
static size_t slow_rank(const unsigned char *x, size_t rows, size_t columns)
{
    static __int128 a[64][32];
    size_t rank = 0;
    __int128 before = 1;
    for (size_t i = 0; i < rows; i++)
        for (size_t j = 0; j < columns; j++) a[i][j] = x[i * columns + j];
    for (size_t j = 0; j < columns && rank < rows; j++) {
        size_t p = rank;
        while (p < rows && a[p][j] == 0) p++;
        if (p == rows) continue;
        for (size_t k = 0; k < columns; k++) {
            __int128 swap = a[p][k];
            a[p][k] = a[rank][k];
            a[rank][k] = swap;
        }
        for (size_t i = rank + 1; i < rows; i++) {
            for (size_t k = columns; k-- > j;) a[i][k] = (a[i][k] * a[rank][j] - a[i][j] * a[rank][k]) / before;
        }
        before = a[rank++][j];
    }
    return rank;
}

static void rank_against_fractions(void **state)
{
    (void)state;
    su_random r;
    su_test_random(&r);
    unsigned char x[40 * 16];
    for (int trial = 0; trial < 2000; trial++) {
        size_t rows = 1 + su_random_below(&r, 40), columns = 1 + su_random_below(&r, 16), density = 1 + su_random_below(&r, 4);
        for (size_t i = 0; i < rows * columns; i++) x[i] = su_random_below(&r, 5) < density;
        size_t rank = slow_rank(x, rows, columns);
        assert_int_equal(su_rank_01(x, rows, columns), rank);
        unsigned char three[40 * 48]; /* the columns three times over: as many, and beyond 36 columns a second prime has its say */
        for (size_t i = 0; i < rows * 3 * columns; i++) three[i] = x[i / (3 * columns) * columns + i % columns];
        assert_int_equal(su_rank_01(three, rows, 3 * columns), rank);
    }
}

/* The shortcut by signs must agree with the rank test wherever it speaks: models of random sparse tables, both ways. */
static void shortcut_agrees(void **state)
{
    (void)state;
    su_random r;
    su_test_random(&r);
    int exist = 0, not = 0;
    for (int trial = 0; trial < 1500; trial++) {
        unsigned lists = 3 + (unsigned)su_random_below(&r, 3);
        size_t cells = (size_t)1 << lists;
        int64_t counts[32] = { 0 };
        for (size_t w = 1; w < cells; w++) counts[w] = su_random_below(&r, 3) ? 0 : (int64_t)su_random_below(&r, 9);
        for (unsigned i = 0; i < lists; i++) counts[1u << i] += (int64_t)su_random_below(&r, 2);
        su_model m = su_model_main(lists);
        for (unsigned term = 3; term + 1 < cells; term++)
            if (__builtin_popcount(term) <= 3 && __builtin_popcount(term) > 1 && su_random_below(&r, 4) == 0) su_model_add(&m, term);
        su_mse_lattice l;
        su_mse_lattice_init(&l, lists);
        su_mse_lattice_set_integers(&l, counts);
        su_existence fast = su_mse_lattice_existence(&l, &m), slow;
        unsigned char x[32 * 32];
        bool positive[32];
        size_t rows = 0, columns = l.kept_count;
        for (size_t w = 1; w < cells; w++) {
            if (!l.active[w]) continue;
            for (size_t j = 0; j < columns; j++) x[rows * columns + j] = (w & m.term[l.kept[j]]) == m.term[l.kept[j]];
            positive[rows++] = counts[w] > 0;
        }
        slow = columns ? su_existence_01(x, rows, columns, positive) : SU_NO_ESTIMATE;
        assert_int_equal(fast, slow);
        if (fast == SU_EXISTS) {
            su_fit f = su_fit_full(&l, &m);
            assert_int_equal(f.code, SU_EXISTS);
            for (unsigned i = 0; i < l.kept_count; i++) /* the likelihood equations: fitted overlaps are the observed ones */
                assert_true(fabs(l.sum[m.term[l.kept[i]]] - l.overlap[m.term[l.kept[i]]]) < 1e-7 * (1 + l.n));
        }
        fast == SU_EXISTS ? exist++ : not ++;
        su_mse_lattice_free(&l);
    }
    assert_true(exist > 100 && not > 100);
}

/* ---- searches ---- */

static void stepwise_paths(void **state)
{
    (void)state;
    json_t *ref = su_reference("mse_stepwise_path_p02.json");
    if (!ref) skip();
    const char *name;
    json_t *want;
    json_object_foreach(ref, name, want)
    {
        su_overlaps *o = read_table(name);
        su_mse_lattice l;
        su_model m;
        su_steps steps = { 0 };
        su_mse_lattice_init(&l, o->lists);
        su_mse_lattice_set_integers(&l, o->counts);
        su_stepwise_p(&l, 0.02, &m, &steps);
        assert_int_equal(steps.count, json_array_size(want));
        for (size_t s = 0; s < steps.count; s++) {
            const json_t *w = json_array_get(want, s);
            const su_step *got = &steps.step[s];
            assert_int_equal(got->term, term_of(json_string_value(json_object_get(w, "candidate"))));
            su_reference_near("p", got->p, su_reference_number(w, "p"), 1e-7);
            su_reference_near("mu", got->expected, su_reference_number(w, "mu"), 1e-7);
            su_reference_near("N*", got->seen, su_reference_number(w, "nstar"), 0);
            assert_int_equal(got->added, json_is_true(json_object_get(w, "added")));
            if (!got->added) continue;
            su_reference_near("N", got->N, su_reference_number(w, "N"), 1e-7);
            su_reference_near("deviance", got->deviance, su_reference_number(w, "deviance"), 1e-7);
        }
        su_mse_lattice_free(&l);
        su_overlaps_free(o);
    }
    json_decref(ref);
}

static void stepwise_points(void **state)
{
    (void)state;
    json_t *ref = su_reference("mse_sparsemse_point.json");
    if (!ref) skip();
    static const struct {
        const char *key;
        double p;
    } runs[] = { { "stepwise_p0.001", 0.001 }, { "stepwise_p0.01", 0.01 }, { "stepwise_p02", 0.02 }, { "stepwise_p0.05", 0.05 } };
    const char *name, *key;
    json_t *table, *value;
    json_object_foreach(ref, name, table)
    {
        su_overlaps *o = read_table(name);
        su_mse_lattice l, fast;
        su_model m;
        su_mse_lattice_init(&l, o->lists);
        su_mse_lattice_set_integers(&l, o->counts);
        su_mse_lattice_init(&fast, o->lists);
        su_mse_lattice_set_integers(&fast, o->counts);
        su_model main_effects = su_model_main(o->lists);
        su_fit f = su_fit_full(&l, &main_effects);
        su_reference_near("main N", f.N, su_reference_number(table, "main/N"), 1e-7);
        su_reference_near("main deviance", f.deviance, su_reference_number(table, "main/deviance"), 1e-7);
        su_reference_near("main AIC", su_fit_aic(&f), su_reference_number(table, "main/aic"), 1e-7);
        for (size_t i = 0; i < sizeof runs / sizeof *runs; i++) {
            const json_t *run = json_object_get(table, runs[i].key);
            if (!run) continue;
            su_steps steps = { 0 };
            f = su_stepwise_p(&l, runs[i].p, &m, &steps);
            assert_int_equal(f.code, SU_EXISTS);
            double z = su_normal_quantile(0.975), sd = sqrt(f.variance);
            su_reference_near("N", f.N, su_reference_number(run, "estimate/point est."), 1e-7);
            /* R's glm stops at a relative change of 1e-8 in the deviance: its standard errors hold to some 1e-5 (fixed_models has tight
             * ones) */
            su_reference_near("low", l.n + f.unseen * exp(-z * sd), su_reference_number(run, "estimate/2.5%"), 1e-4);
            su_reference_near("high", l.n + f.unseen * exp(z * sd), su_reference_number(run, "estimate/97.5%"), 1e-4);
            json_object_foreach(json_object_get(run, "coef"), key, value)
                su_reference_near(key, coefficient(&l, &m, term_by_names(o, key)), su_reference_value(value), 1e-6);
            f = su_stepwise_p(&fast, runs[i].p, &m, NULL);
            su_reference_near("fast N", f.N, su_reference_number(run, "estimate/point est."), 1e-7);
        }
        su_mse_lattice_free(&l);
        su_mse_lattice_free(&fast);
        su_overlaps_free(o);
    }
    json_decref(ref);
}

static void stepwise_aic(void **state)
{
    (void)state;
    json_t *ref = su_reference("mse_rcapture.json");
    if (!ref) skip();
    const char *name;
    json_t *table;
    json_object_foreach(ref, name, table)
    {
        su_overlaps *o = read_table(name);
        su_mse_lattice l;
        su_model m;
        su_steps steps = { 0 };
        su_mse_lattice_init(&l, o->lists);
        su_mse_lattice_set_integers(&l, o->counts);
        su_fit f = su_stepwise_aic(&l, 0.05, &m, &steps);
        const json_t *terms = su_reference_at(table, "stepAIC_p05/terms");
        assert_int_equal(m.count, json_array_size(terms));
        for (size_t i = o->lists + 1; i < m.count; i++) { /* "lambda3_6": in the order of the search */
            const char *text = json_string_value(json_array_get(terms, i));
            assert_int_equal(m.term[i], 1u << (text[6] - '1') | 1u << (text[8] - '1'));
        }
        su_reference_near("N", f.N, su_reference_number(table, "stepAIC_p05/poisson_N"), 1e-7);
        su_reference_near("deviance", f.deviance, su_reference_number(table, "stepAIC_p05/deviance"), 1e-7);
        su_reference_near("AIC", su_fit_aic(&f), su_reference_number(table, "stepAIC_p05/aic"), 1e-7);
        su_reference_near("BIC", su_fit_bic(&l, &f), su_reference_number(table, "stepAIC_p05/bic"), 1e-7);
        double poisson = sqrt(f.unseen + f.unseen * f.unseen * f.variance);
        su_reference_near("SE", poisson, su_reference_number(table, "stepAIC_p05/poisson_se"), 1e-4);
        su_mse_lattice_free(&l);
        su_overlaps_free(o);
    }
    json_decref(ref);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fixed_models),           cmocka_unit_test(existence_vectors), cmocka_unit_test(artificial),
        cmocka_unit_test(rank_against_fractions), cmocka_unit_test(shortcut_agrees),   cmocka_unit_test(stepwise_paths),
        cmocka_unit_test(stepwise_points),        cmocka_unit_test(stepwise_aic),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
