/* The numbers of the mse_*.json reference files that the other suites do not read: standard errors, every candidate of every step, models
 * of unequal catchability, 80 % limits, quantiles over models. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "tables.h"
#include "mse/bootstrap.h"
#include "mse/heterogeneity.h"
#include "mse/interval.h"
#include "mse/search.h"
#include "numeric/matrix.h"
#include "numeric/special.h"

static void near(const json_t *want, const char *path, double got, double relative)
{
    su_reference_near(path, got, su_reference_number(want, path), relative);
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

/* Standard errors by inverting the information written out cell by cell. */
static double error_of(const su_mse_lattice *l, const su_model *m, unsigned term)
{
    static double x[SU_TERMS_MAX * SU_TERMS_MAX], inverse[SU_TERMS_MAX * SU_TERMS_MAX];
    size_t p = l->kept_count, at = p;
    for (size_t i = 0; i < p; i++) {
        if (m->term[l->kept[i]] == term) at = i;
        for (size_t j = 0; j < p; j++) {
            x[i * p + j] = 0;
            for (size_t w = 1; w < l->cells; w++)
                if (l->active[w] && (w & m->term[l->kept[i]]) == m->term[l->kept[i]] && (w & m->term[l->kept[j]]) == m->term[l->kept[j]])
                    x[i * p + j] += l->mu[w];
        }
    }
    assert_true(at < p && su_cholesky(x, p, 1e-14, NULL) == p);
    su_cholesky_inverse(x, p, NULL, inverse);
    return sqrt(inverse[at * p + at]);
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
        const json_t *pairs = json_object_get(want, "pairs");
        if (json_is_string(pairs)) assert_true(su_model_add(&m, term_of(json_string_value(pairs))));
        for (size_t i = 0; i < json_array_size(pairs); i++)
            assert_true(su_model_add(&m, term_of(json_string_value(json_array_get(pairs, i)))));
        su_fit f = su_fit_full(&l, &m);
        double z = su_normal_quantile(0.9);
        json_object_foreach(json_object_get(want, "se"), key, value)
            su_reference_near(key, error_of(&l, &m, term_by_names(o, key)), su_reference_value(value), 1e-8);
        near(want, "lo80", su_wald_limit(&l, &f, -z), 1e-9);
        near(want, "hi80", su_wald_limit(&l, &f, z), 1e-9);
        double removed = 0; /* cells that empty overlaps take out are no part of R's df */
        for (size_t w = 1; w < l.cells; w++) removed += !l.active[w];
        near(want, "df", (double)l.cells - 1 - removed - l.kept_count, 0);
        near(want, "bic_log_cells", su_fit_bic(&l, &f) + f.parameters * (log((double)l.cells - 1) - log(l.n)), 1e-9);
    }
    su_mse_lattice_free(&l);
    su_overlaps_free(o);
    json_decref(ref);
}

/* R's glm stops at a gain of 1e-8 in the deviance and takes the information of the step before: standard errors hold to some 1e-4. */
static void points(void **state)
{
    (void)state;
    json_t *ref = su_reference("mse_sparsemse_point.json");
    if (!ref) skip();
    const char *name, *key;
    json_t *table, *value;
    json_object_foreach(ref, name, table)
    {
        su_overlaps *o = read_table(name);
        su_mse_lattice l;
        su_model m = su_model_main(o->lists), all = m;
        su_mse_lattice_init(&l, o->lists);
        su_mse_lattice_set_integers(&l, o->counts);
        near(table, "lists", o->lists, 0);
        near(table, "n_observed", l.n, 0);
        for (unsigned i = 0; i < o->lists; i++)
            for (unsigned j = 0; j < i; j++) su_model_add(&all, 1u << i | 1u << j);
        near(table, "checkident_all_pairs", su_mse_lattice_existence(&l, &all), 0);
        su_fit f = su_fit_full(&l, &m);
        near(table, "main/df", (double)l.cells - 1 - f.parameters, 0);
        for (unsigned i = 0; i <= o->lists; i++) {
            char path[32];
            snprintf(path, sizeof path, "main/coef/%u", i);
            near(table, path, l.beta[i], 1e-6);
            snprintf(path, sizeof path, "main/se/%u", i);
            near(table, path, error_of(&l, &m, m.term[i]), 1e-3);
        }
        const json_t *run = su_reference_at(table, "stepwise_p02");
        su_steps steps = { 0 };
        f = su_stepwise_p(&l, 0.02, &m, &steps);
        near(run, "deviance", f.deviance, 1e-7);
        near(run, "aic_adj", su_fit_aic(&f), 1e-7);
        double z = su_normal_quantile(0.9);
        near(run, "estimate/10%", su_wald_limit(&l, &f, -z), 1e-4);
        near(run, "estimate/90%", su_wald_limit(&l, &f, z), 1e-4);
        double removed = 0;
        for (size_t w = 1; w < l.cells; w++) removed += !l.active[w];
        near(run, "df", (double)l.cells - 1 - removed - l.kept_count, 0);
        json_object_foreach(json_object_get(run, "se"), key, value)
            su_reference_near(key, error_of(&l, &m, term_by_names(o, key)), su_reference_value(value), 1e-3);
        json_object_foreach(json_object_get(run, "poisspempty"), key, value)
            su_reference_near(key, su_empty_p(&l, &m, term_by_names(o, key)), su_reference_value(value), 1e-6);
        su_mse_lattice_free(&l);
        su_overlaps_free(o);
    }
    json_decref(ref);
}

/* Every candidate of every step: its tail, and whether the model with it has an estimate. */
static void paths(void **state)
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
        su_model m = su_model_main(o->lists);
        su_mse_lattice_init(&l, o->lists);
        su_mse_lattice_set_integers(&l, o->counts);
        for (size_t s = 0; s < json_array_size(want); s++) {
            const json_t *step = json_array_get(want, s);
            su_fit_full(&l, &m);
            static double sums[1 << 12];
            memcpy(sums, l.sum, l.cells * sizeof *sums);
            size_t at = 0;
            near(step, "step", (double)s + 1, 0);
            for (unsigned i = 0; i < o->lists; i++)
                for (unsigned j = i + 1; j < o->lists; j++, at++) {
                    unsigned pair = 1u << i | 1u << j;
                    char path[32];
                    bool in = su_model_has(&m, pair);
                    su_model with = m;
                    su_model_add(&with, pair);
                    snprintf(path, sizeof path, "all_p/%zu", at);
                    near(step, path, in ? 1 : su_overlap_p(l.overlap[pair], sums[pair]), 1e-7);
                    snprintf(path, sizeof path, "ierr/%zu", at);
                    near(step, path, in ? 0 : su_mse_lattice_existence(&l, &with), 0);
                }
            if (json_is_true(json_object_get(step, "added")))
                assert_true(su_model_add(&m, term_of(json_string_value(json_object_get(step, "candidate")))));
        }
        su_mse_lattice_free(&l);
        su_overlaps_free(o);
    }
    json_decref(ref);
}

static void catchability(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        bool lists_differ;
        su_heterogeneity people;
    } models[] = { { "M0", false, SU_HETEROGENEITY_NONE },
                   { "Mt", true, SU_HETEROGENEITY_NONE },
                   { "Mh Chao (LB)", false, SU_HETEROGENEITY_CHAO },
                   { "Mh Poisson2", false, SU_HETEROGENEITY_POISSON },
                   { "Mh Darroch", false, SU_HETEROGENEITY_DARROCH },
                   { "Mh Gamma3.5", false, SU_HETEROGENEITY_GAMMA },
                   { "Mth Chao (LB)", true, SU_HETEROGENEITY_CHAO },
                   { "Mth Poisson2", true, SU_HETEROGENEITY_POISSON },
                   { "Mth Darroch", true, SU_HETEROGENEITY_DARROCH },
                   { "Mth Gamma3.5", true, SU_HETEROGENEITY_GAMMA } };
    json_t *ref = su_reference("mse_rcapture.json");
    if (!ref) skip();
    const char *name;
    json_t *table;
    json_object_foreach(ref, name, table)
    {
        su_overlaps *o = read_table(name);
        for (size_t i = 0; i < sizeof models / sizeof *models; i++) {
            const json_t *want = json_object_get(su_reference_at(table, "closedp"), models[i].name);
            if (!want) continue;
            su_closed_fit f = su_closed_population(o->lists, o->counts, models[i].lists_differ, models[i].people);
            printf("# %s %s: N %.6f (%.6f), deviance %.8f, df %d\n", name, models[i].name, f.N, f.error, f.deviance, f.df);
            near(want, "abundance", f.N, 1e-7);
            near(want, "stderr", f.error, 1e-3); /* R's glm: of the information of the step before the last */
            near(want, "deviance", f.deviance, 1e-8);
            near(want, "df", f.df, 0);
            near(want, "AIC", f.aic, 1e-8);
            near(want, "BIC", f.bic, 1e-8);
        }
        su_mse_lattice l;
        su_model m = su_model_main(o->lists);
        su_mse_lattice_init(&l, o->lists);
        su_mse_lattice_set_integers(&l, o->counts);
        su_fit f = su_fit_full(&l, &m);
        near(table, "main_profile/poisson_N", f.N, 1e-7);
        near(table, "main_profile/poisson_se", su_N_error(&f, true), 1e-4);
        near(table, "main_profile/deviance", f.deviance, 1e-8);
        near(table, "main_profile/aic", su_fit_aic(&f), 1e-8);
        near(table, "main_profile/bic", su_fit_bic(&l, &f), 1e-8);
        f = su_stepwise_aic(&l, 0.05, &m, NULL);
        su_profile p = su_profile_interval(&l, &m, &f, 0.95);
        near(table, "stepAIC_p05/profile_CI95/0", p.N, 1e-5); /* the likelihood is flat there */
        su_fit_full(&l, &m);
        const json_t *terms = su_reference_at(table, "stepAIC_p05/terms");
        for (size_t i = 0; i < json_array_size(terms); i++) {
            const char *text = json_string_value(json_array_get(terms, i));
            unsigned term = text[0] == 'I' ? 0 : text[0] == 'b' ? 1u << (text[4] - '1') : 1u << (text[6] - '1') | 1u << (text[8] - '1');
            char path[48];
            for (unsigned k = 0; k < m.count; k++) {
                if (m.term[k] != term) continue;
                snprintf(path, sizeof path, "stepAIC_p05/coef/%zu", i);
                near(table, path, l.beta[k], 1e-6);
            }
        }
        su_mse_lattice_free(&l);
        su_overlaps_free(o);
    }
    json_decref(ref);
}

/* The smallest N at which the weights of the models up to it reach p. */
static void quantiles_over_models(void **state)
{
    (void)state;
    json_t *ref = su_reference("mse_models_bic.json");
    if (!ref) skip();
    static const struct {
        const char *key, *table;
    } runs[] = { { "UKdat_5_maxorder4", "UKdat_5" }, { "Ned_5_maxorder4", "Ned_5" } };
    for (size_t i = 0; i < 2; i++) {
        su_overlaps *o = read_table(runs[i].table);
        su_space s;
        assert_true(su_space_init(&s, 5, 4, 40000));
        su_ranked *ranked = su_alloc_array(s.count, sizeof *ranked);
        size_t count = su_space_rank(NULL, &s, o, ranked);
        for (size_t k = 0; k < 5; k++) {
            char path[64];
            snprintf(path, sizeof path, "bic_weighted_model_quantiles/p/%zu", k);
            double p = su_reference_number(su_reference_at(ref, runs[i].key), path), best = INFINITY;
            for (size_t a = 0; a < count; a++) {
                double below = 0;
                for (size_t b = 0; b < count; b++) below += ranked[b].N <= ranked[a].N ? ranked[b].weight : 0;
                if (below >= p && ranked[a].N < best) best = ranked[a].N;
            }
            snprintf(path, sizeof path, "bic_weighted_model_quantiles/N/%zu", k);
            near(su_reference_at(ref, runs[i].key), path, best, 1e-6);
        }
        free(ranked);
        su_space_free(&s);
        su_overlaps_free(o);
    }
    /* numbers of hierarchical models with every list and terms of exactly the largest order given: those up to it less those below */
    const json_t *lists = su_reference_at(ref, "hiermodels_count_lists_by_order/lists");
    for (size_t i = 0; i < json_array_size(lists); i++) {
        unsigned t = (unsigned)strtoul(json_string_value(json_array_get(lists, i)), NULL, 10);
        size_t before = 0;
        for (unsigned order = 1; order <= 4; order++) {
            char path[64];
            uint64_t *sets = NULL;
            snprintf(path, sizeof path, "hiermodels_count_lists_by_order/n/%zu/%u", i, order - 1);
            if (t == 6 && order > 2) { /* not counted by either */
                su_reference_within(path, 0, su_reference_number(ref, path), 0);
                continue;
            }
            size_t upto = order == 1 ? 1 : order < t || t == 2 ? su_models_enumerate(t, order, 100000, &sets) : before;
            su_reference_within(path, (double)(upto - before), su_reference_number(ref, path), 0);
            before = upto;
            free(sets);
        }
    }
    json_decref(ref);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fixed_models),          cmocka_unit_test(points), cmocka_unit_test(paths), cmocka_unit_test(catchability),
        cmocka_unit_test(quantiles_over_models),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
