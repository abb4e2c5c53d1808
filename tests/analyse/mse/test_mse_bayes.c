/* The Bayesian methods: dga against the R package's posterior, and against sums over all graphs written out; the
 * threshold method against published intervals. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "tables.h"
#include "mse/bootstrap.h"
#include "mse/dga.h"
#include "mse/threshold.h"
#include "numeric/philox.h"
#include "numeric/special.h"

/* Madigan and York 1997, the diabetes table as the help page of the R package has it, in the order of SPINA_BIFIDA. */
static const int64_t THREE[8] = { 0, 60, 49, 4, 247, 112, 142, 12 };

static double negative_binomial(const void *arg, double unseen, double n)
{
    const double *ab = arg, a = ab[0], b = ab[1], N = unseen + n;
    /* a Poisson mean with a gamma prior of shape a and scale b */
    return su_lgamma(N + a) - su_lgamma(N + 1) + N * log(b) - (N + a) * log(1 + b);
}

static void check_posterior(const su_dga *d, const json_t *want)
{
    static const char *const quantiles[] = { "0.025", "0.1", "0.25", "0.5", "0.75", "0.9", "0.975" };
    su_reference_near("mean", d->mean, su_reference_number(want, "mean"), 1e-8);
    su_reference_near("sd", d->sd, su_reference_number(want, "sd"), 1e-8);
    for (size_t i = 0; i < sizeof quantiles / sizeof *quantiles; i++) {
        char path[32];
        snprintf(path, sizeof path, "quantiles/%s", quantiles[i]);
        su_reference_near(path, su_dga_quantile(d, strtod(quantiles[i], NULL)), su_reference_number(want, path), 0);
    }
    su_reference_near("mode", (double)d->mode, su_reference_number(want, "mode"), 0);
    for (size_t i = 0; i < json_array_size(su_reference_at(want, "post_at/N")); i++) {
        char path[32];
        snprintf(path, sizeof path, "post_at/N/%zu", i);
        size_t at = (size_t)((int64_t)su_reference_number(want, path) - d->first) / (size_t)d->step;
        snprintf(path, sizeof path, "post_at/pr/%zu", i);
        su_reference_near(path, d->posterior[at], su_reference_number(want, path), 1e-7);
    }
    for (size_t i = 0; i < 5; i++) { /* "12,13,45": the graph with these cliques */
        char path[32];
        snprintf(path, sizeof path, "top_models/cliques/%zu", i);
        const char *text = json_string_value(su_reference_at(want, path));
        unsigned cliques = 0;
        double weight = NAN;
        for (const char *p = text; *p; p += strcspn(p, ","), p += *p == ',') cliques++;
        for (size_t g = 0; g < d->graphs; g++) {
            bool same = d->graph[g].cliques == cliques;
            for (const char *p = text; *p && same;) {
                char one[16];
                size_t n = strcspn(p, ",");
                snprintf(one, sizeof one, "%.*s", (int)n, p);
                bool found = false;
                for (unsigned c = 0; c < cliques; c++) found = found || d->graph[g].clique[c] == term_of(one);
                same = found;
                p += n + (p[n] == ',');
            }
            if (same) weight = d->weight[g];
        }
        snprintf(path, sizeof path, "top_models/prob/%zu", i);
        su_reference_near(text, weight, su_reference_number(want, path), 1e-7);
    }
}

static void graphs(void **state)
{
    (void)state;
    static const size_t want[] = { 0, 0, 2, 8, 61, 822, 18154 };
    su_graph *g;
    for (unsigned lists = 2; lists <= 6; lists++) {
        size_t count = su_graphs_enumerate(lists, &g);
        assert_int_equal(count, want[lists]);
        for (size_t i = 0; i < count; i++) assert_int_equal(g[i].cliques, g[i].separators + 1);
        free(g);
    }
}

static void posteriors(void **state)
{
    (void)state;
    json_t *ref = su_reference("mse_dga.json");
    if (!ref) skip();
    static const double ab[] = { 13.14, 55.17 };
    const struct {
        const char *key, *table;
        const int64_t *counts;
        unsigned lists;
        double (*prior)(const void *, double, double);
    } runs[] = {
        { "madigan_york_5list", NULL, SPINA_BIFIDA, 5, NULL },  { "madigan_york_3list_NBprior", NULL, THREE, 3, negative_binomial },
        { "madigan_york_3list_default", NULL, THREE, 3, NULL }, { "UKdat_5_max40000", "UKdat_5", NULL, 5, NULL },
        { "UKdat_5_max11n", "UKdat_5", NULL, 5, NULL },         { "Ned_5_max250000", "Ned_5", NULL, 5, NULL }
    };
    for (size_t i = 0; i < sizeof runs / sizeof *runs; i++) {
        const json_t *want = su_reference_at(ref, runs[i].key);
        su_overlaps *o = NULL;
        su_context ctx;
        su_dga d;
        su_context_init(&ctx);
        if (runs[i].table)
            o = read_table(runs[i].table);
        else
            assert_int_equal(su_overlaps_new(&ctx, runs[i].lists, NULL, runs[i].counts, &o), SU_OK);
        su_dga_options options = { .delta = su_reference_number(want, "delta"),
                                   .least = (int64_t)su_reference_number(want, "Nmissing_min"),
                                   .most = (int64_t)su_reference_number(want, "Nmissing_max"),
                                   .step = (int64_t)su_reference_number(want, "step"),
                                   .log_prior = runs[i].prior,
                                   .arg = ab };
        assert_int_equal(su_dga_run(&ctx, o, &options, &d), SU_OK);
        check_posterior(&d, want);
        su_dga_free(&d);
        su_overlaps_free(o);
    }
    json_decref(ref);
}

/* The threshold method against a Metropolis walk over the same posterior. */
static void threshold_against_walk(void **state)
{
    (void)state;
    const int64_t counts[8] = { 0, 90, 80, 60, 85, 12, 70, 9 };
    su_mse_lattice l;
    su_threshold got;
    su_threshold_options options = { .seed = 4 };
    su_mse_lattice_init(&l, 3);
    su_mse_lattice_set_integers(&l, counts);
    su_threshold_run(&l, &options, 0.95, &got);
    assert_true(got.good && got.effective > 5000);
    unsigned terms = got.model.count;
    assert_true(terms > 4); /* at least one pair is clear here */
    enum { STEPS = 400000 };
    double *N = su_alloc_array(STEPS, sizeof *N), here[SU_TERMS_MAX], next[SU_TERMS_MAX];
    su_philox r = su_philox_of(9, 0);
    l.prior_variance = 1;
    su_fit f = su_fit_posterior(&l, &got.model);
    assert_int_equal(f.code, SU_EXISTS);
    memcpy(here, l.beta, sizeof here);
    double at = su_mse_lattice_log_posterior(&l, &got.model, here);
    for (int i = 0; i < STEPS; i++) {
        for (unsigned j = 0; j < terms; j++) next[j] = here[j] + 0.06 * su_philox_normal(&r);
        double then = su_mse_lattice_log_posterior(&l, &got.model, next);
        if (log(su_philox_unit(&r)) < then - at) memcpy(here, next, terms * sizeof *here), at = then;
        N[i] = l.n + (double)su_philox_poisson(&r, exp(here[0]));
    }
    su_bootstrap walk = { .sorted = N, .count = STEPS };
    su_bootstrap_sort(&walk);
    su_reference_near("median", got.median, su_quantile_8(N, STEPS, 0.5), 0.01);
    su_reference_near("low", got.low, su_quantile_8(N, STEPS, 0.025), 0.02);
    su_reference_near("high", got.high, su_quantile_8(N, STEPS, 0.975), 0.03);
    free(N);
    su_mse_lattice_free(&l);
}

/* What the package's author publishes for the UK five lists: flat priors 12,188 [10,652, 13,947] by Markov chain; ours has normal priors,
 * so the interval must overlap it well and choose the same size of model. */
static void threshold_uk(void **state)
{
    (void)state;
    su_overlaps *o = read_table("UKdat_5");
    if (!o) skip();
    su_mse_lattice l;
    su_threshold got;
    su_threshold_options options = { .seed = 1 };
    su_mse_lattice_init(&l, 5);
    su_mse_lattice_set_integers(&l, o->counts);
    su_threshold_run(&l, &options, 0.95, &got);
    assert_true(got.good);
    su_reference_near("median", got.median, 12188, 0.03);
    su_reference_near("low", got.low, 10652, 0.04);
    su_reference_near("high", got.high, 13947, 0.04);
    su_mse_lattice_free(&l);
    su_overlaps_free(o);
}

/* The same for Kosovo: 13,971 [12,236, 16,389] is published; and the exact average's mean, 12,749.35, with its first graph's probability.
 */
static void kosovo(void **state)
{
    (void)state;
    su_overlaps *o = table_of(4, KOSOVO);
    su_context ctx;
    su_dga d;
    su_dga_options exact = { .most = 10 * o->n, .step = 1 };
    su_mse_lattice l;
    su_threshold got;
    su_threshold_options options = { .seed = 1 };
    double best = 0;
    su_mse_lattice_init(&l, 4);
    su_mse_lattice_set_integers(&l, o->counts);
    su_threshold_run(&l, &options, 0.95, &got);
    assert_true(got.good);
    su_reference_near("median", got.median, 13971, 0.03);
    su_reference_near("low", got.low, 12236, 0.04);
    su_reference_near("high", got.high, 16389, 0.04);
    su_context_init(&ctx);
    assert_int_equal(su_dga_run(&ctx, o, &exact, &d), SU_OK);
    for (size_t g = 0; g < d.graphs; g++) best = fmax(best, d.weight[g]);
    su_reference_near("mean", d.mean, 12749.3494762043, 1e-5); /* the reference's largest N differs a little */
    su_reference_near("probability of 123,134", best, 0.985513747540835, 1e-5);
    su_dga_free(&d);
    su_mse_lattice_free(&l);
    su_overlaps_free(o);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(graphs), cmocka_unit_test(posteriors), cmocka_unit_test(threshold_against_walk),
                                        cmocka_unit_test(threshold_uk), cmocka_unit_test(kosovo) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
