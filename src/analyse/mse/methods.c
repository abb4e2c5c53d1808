/* The searches as rows of the panel. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "mse/panel.h"
#include "numeric/special.h"

enum { TOP_MODELS = 10, LARGE_ORDER = 2 };

static double normal_of(double level) { return su_normal_quantile(1 - (1 - level) / 2); }

/* Limits of the bootstrap into a row; the interval of the chosen model alone when there is none. */
static void with_bootstrap(su_panel *p, su_panel_row *row, su_estimator estimator, const void *arg, uint32_t replicates, unsigned stream,
                           char note[256])
{
    if (!replicates) return;
    su_bootstrap b;
    uint64_t seed = p->opt.seed + ((uint64_t)stream << 56); /* each method its own resamples */
    su_bootstrap_run(p->ctx, p->o, estimator, arg, replicates, seed, &b);
    su_limits limits = su_bca_limits(&b, p->opt.level, seed);
    if (isfinite(limits.low)) {
        row->low = limits.low;
        row->high = limits.high;
        row->low_error = limits.low_error;
        row->high_error = limits.high_error;
        row->interval = "bootstrap BCa, search repeated";
    }
    if (b.failed) {
        snprintf(note, 256, "%zu resamples gave no estimate and were left out", b.failed);
        row->note = note;
        if (10 * b.failed > replicates)
            su_result_warn(p->result, "W_MSE_FAILED_RESAMPLES",
                           "%s: the search found no estimate in %zu of %u resamples; its interval is too narrow.", row->method, b.failed,
                           replicates);
    }
    free(b.sorted);
}

void su_panel_main(su_panel *p)
{
    char model[SU_MODEL_TEXT];
    su_model m = su_model_main(p->o->lists);
    su_fit f = su_fit_full(&p->l, &m);
    double z = normal_of(p->opt.level);
    su_model_print(&m, p->o->lists, model);
    su_panel_row row = { .id = "main",
                         .method = "independent lists",
                         .model = model,
                         .N = f.N,
                         .bic = su_fit_bic(&p->l, &f),
                         .interval = "Wald, log scale, with the chance of who is seen",
                         .verdict = true };
    if (f.code)
        row.note = "no estimate exists";
    else
        row.low = su_wald_total_limit(&p->l, &f, -z), row.high = su_wald_total_limit(&p->l, &f, z);
    su_panel_add(p, &row);
    double df = (double)p->o->cells - 1 - m.count;
    if (f.code || df <= 0) return;
    double fit = su_chi2_upper(f.deviance, df);
    su_result_fact(p->result, "df_main", "degrees of freedom of the independent-lists model", df);
    if (fit < 0.001)
        su_result_warn(p->result, "W_MSE_DEPENDENT_LISTS",
                       "the lists are not independent (deviance %.1f on %.0f degrees of freedom): which dependences a model takes in "
                       "decides the estimate.",
                       f.deviance, df);
    double bias = su_fit_bias(&p->l, &m, &f);
    if (fabs(bias) > 0.1 * f.N)
        su_result_warn(p->result, "W_MSE_BIAS",
                       "the independent-lists estimate has a small-sample bias of about %.0f people; too few people are on two lists.",
                       bias);
}

/* ---- stepwise ---- */

static double by_stepwise(const void *arg, su_mse_lattice *l)
{
    su_model m;
    return su_stepwise_p(l, *(const double *)arg, &m, NULL).N;
}

static void step_table(su_panel *p, const su_steps *steps)
{
    su_result_table *t = su_result_table_add(p->result, "steps", "Steps of the stepwise search");
    su_result_column(t, "pair", "pair", SU_COLUMN_TEXT);
    su_result_column(t, "names", "lists", SU_COLUMN_TEXT);
    su_result_column(t, "both", "on both", SU_COLUMN_INTEGER);
    su_result_column(t, "expected", "fitted before", SU_COLUMN_NUMBER);
    su_result_column(t, "p", "p", SU_COLUMN_P);
    su_result_column(t, "added", "added", SU_COLUMN_TEXT);
    su_result_column(t, "N", "estimate after", SU_COLUMN_NUMBER);
    for (unsigned i = 0; i < steps->count; i++) {
        char number[16], names[256];
        su_term_print(steps->step[i].term, p->o->lists, number, sizeof number);
        su_term_names(p->o, steps->step[i].term, names, sizeof names);
        su_result_text(t, number);
        su_result_text(t, names);
        su_result_integer(t, (int64_t)steps->step[i].seen);
        su_result_number(t, steps->step[i].expected);
        su_result_number(t, steps->step[i].p);
        su_result_text(t, steps->step[i].added ? "yes" : "no, stops");
        su_result_number(t, steps->step[i].N);
    }
}

/* Terms of the chosen model that are -infinity, each with the chance that it is empty by accident. */
static void warn_empty_terms(su_panel *p, const su_model *m)
{
    for (unsigned i = 1; i < m->count; i++) {
        char names[256];
        if (p->l.overlap[m->term[i]] > 0) continue;
        su_term_names(p->o, m->term[i], names, sizeof names);
        su_result_warn(p->result, "W_MSE_EMPTY_TERM",
                       "the model has a term for %s, lists with nobody on both: its effect is minus infinity. Without the term such an "
                       "empty overlap would have "
                       "probability %.2g.",
                       names, su_empty_p(&p->l, m, m->term[i]));
    }
}

void su_panel_stepwise(su_panel *p)
{
    char model[SU_MODEL_TEXT], note[256], method[64];
    su_steps steps = { 0 };
    su_fit f = su_stepwise_p(&p->l, p->opt.threshold_p, &p->stepwise, &steps);
    double z = normal_of(p->opt.level);
    p->stepwise_fit = f;
    su_model_print(&p->stepwise, p->o->lists, model);
    snprintf(method, sizeof method, "stepwise, Poisson p < %g", p->opt.threshold_p);
    su_panel_row row = { .id = "stepwise",
                         .method = method,
                         .model = model,
                         .N = f.N,
                         .bic = su_fit_bic(&p->l, &f),
                         .interval = "Wald, log scale; ignores the search",
                         .verdict = true };
    if (f.code) {
        row.note = "no estimate exists";
    } else {
        row.low = su_wald_limit(&p->l, &f, -z), row.high = su_wald_limit(&p->l, &f, z);
        warn_empty_terms(p, &p->stepwise);
        with_bootstrap(p, &row, by_stepwise, &p->opt.threshold_p, p->opt.replicates, 1, note);
    }
    if (steps.count) step_table(p, &steps);
    su_panel_add(p, &row);
    su_result_method(p->result,
                     "The stepwise search starts from independent lists and adds the pair whose overlap is least likely under the model so "
                     "far, while that "
                     "probability is below %g (Chan, Silverman and Vincent 2021, doi:10.1080/01621459.2019.1708748); empty overlaps are "
                     "handled by extended "
                     "maximum likelihood (Fienberg and Rinaldo 2012, doi:10.1214/12-AOS986).",
                     p->opt.threshold_p);
}

void su_panel_stepwise_aic(su_panel *p)
{
    char model[SU_MODEL_TEXT];
    su_model m;
    su_fit f = su_stepwise_aic(&p->l, p->opt.aic_wald_p, &m, NULL);
    double bic = su_fit_bic(&p->l, &f);
    su_profile profile = su_profile_interval(&p->l, &m, &f, p->opt.level);
    su_model_print(&m, p->o->lists, model);
    su_panel_add(p, &(su_panel_row) { .id = "stepwise_aic",
                                      .method = "stepwise, AIC",
                                      .model = model,
                                      .N = f.N,
                                      .low = profile.low,
                                      .high = profile.high,
                                      .interval = "profile likelihood; ignores the search",
                                      .bic = bic,
                                      .note = f.code ? "no estimate exists" : NULL,
                                      .verdict = true });
}

/* ---- all models ---- */

typedef struct best_search {
    const su_space *space;
    const uint32_t *among; /* NULL = all */
    size_t count;
} best_search;

static double by_best(const void *arg, su_mse_lattice *l)
{
    const best_search *b = arg;
    uint32_t best;
    return su_space_best(l, b->space, b->among, b->count, &best).N;
}

static int compare_indices(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static void model_table(su_panel *p)
{
    su_result_table *t = su_result_table_add(p->result, "models", "Best models by BIC");
    su_result_column(t, "model", "model", SU_COLUMN_TEXT);
    su_result_column(t, "N", "estimate", SU_COLUMN_NUMBER);
    su_result_column(t, "bic", "BIC", SU_COLUMN_NUMBER);
    su_result_column(t, "weight", "weight", SU_COLUMN_PERCENT);
    for (size_t i = 0; i < p->ranked_count && i < TOP_MODELS; i++) {
        char model[SU_MODEL_TEXT];
        su_model_print(&p->space.models[p->ranked[i].model], p->o->lists, model);
        su_result_text(t, model);
        su_result_number(t, p->ranked[i].N);
        su_result_number(t, p->ranked[i].bic);
        su_result_number(t, p->ranked[i].weight);
    }
    su_result_fact(p->result, "models_fitted", "models for which an estimate exists", (double)p->ranked_count);
    su_result_fact(p->result, "models_all", "models considered", (double)p->space.count);
}

static bool rank_models(su_panel *p)
{
    if (p->ranked) return p->ranked_count > 0;
    if (!su_space_init(&p->space, p->o->lists, p->opt.order, p->opt.most_models)) return false;
    p->ranked = su_alloc_array(p->space.count, sizeof *p->ranked);
    p->ranked_count = su_space_rank(p->ctx, &p->space, p->o, p->ranked);
    return p->ranked_count > 0;
}

static void too_many(su_panel *p)
{
    if (!su_result_has_warning(p->result, "W_MSE_TOO_MANY_MODELS"))
        su_result_warn(
            p->result, "W_MSE_TOO_MANY_MODELS",
            "%u lists have more than %zu models; the best of all and the average over all are left out. The downhill search stands in.",
            p->o->lists, p->opt.most_models);
}

void su_panel_best(su_panel *p)
{
    char model[SU_MODEL_TEXT], note[256], method[96];
    if (!rank_models(p)) {
        too_many(p);
        return;
    }
    const su_model *m = &p->space.models[p->ranked[0].model];
    size_t among = p->opt.n_top && p->opt.n_top < p->ranked_count ? p->opt.n_top : 0;
    uint32_t *indices = su_alloc_array(among + 1, sizeof *indices);
    for (size_t i = 0; i < among; i++) indices[i] = p->ranked[i].model;
    qsort(indices, among, sizeof *indices, compare_indices);
    best_search search = { &p->space, among ? indices : NULL, among };
    su_model_print(m, p->o->lists, model);
    p->best = *m;
    su_fit f = su_fit_full(&p->l, m);
    double z = normal_of(p->opt.level);
    snprintf(method, sizeof method,
             p->space.order + 1 >= p->o->lists ? "best of all %zu models, BIC" : "best of all %zu models of pairs, BIC", p->space.count);
    su_panel_row row = { .id = "best_bic",
                         .method = method,
                         .model = model,
                         .N = f.N,
                         .low = su_wald_limit(&p->l, &f, -z),
                         .high = su_wald_limit(&p->l, &f, z),
                         .bic = su_fit_bic(&p->l, &f),
                         .interval = "Wald, log scale; ignores the search",
                         .verdict = true };
    with_bootstrap(p, &row, by_best, &search, p->opt.best_replicates, 2, note);
    if (among && p->opt.best_replicates && !row.note) {
        snprintf(note, sizeof note, "the best %zu models competed in the resamples", among);
        row.note = note;
    }
    su_panel_add(p, &row);
    model_table(p);
    su_result_method(p->result,
                     "%zu hierarchical log-linear models were compared by BIC with the number of people seen as sample size (Silverman, "
                     "Chan and Vincent 2024, "
                     "doi:10.1007/s11222-023-10346-9).",
                     p->space.count);
    free(indices);
}

static double by_downhill(const void *arg, su_mse_lattice *l)
{
    su_model start = su_model_main(l->lists), m;
    return su_downhill(l, *(const unsigned *)arg, &start, &m).N;
}

void su_panel_downhill(su_panel *p)
{
    char model[SU_MODEL_TEXT], note[256], restarted[512] = "";
    unsigned order = p->opt.order ? p->opt.order : LARGE_ORDER, agree = 0;
    su_model start = su_model_main(p->o->lists), m, other;
    su_fit f = su_downhill(&p->l, order, &start, &m);
    double z = normal_of(p->opt.level), bic = f.code ? NAN : su_fit_bic(&p->l, &f);
    su_fit again = su_downhill_restarted(&p->l, order, p->opt.starts, p->opt.seed, &other, &agree);
    double lower = again.code ? NAN : su_fit_bic(&p->l, &again);
    su_model_print(&m, p->o->lists, model);
    su_panel_row row = { .id = "downhill",
                         .method = "downhill from independence, BIC",
                         .model = f.code ? NULL : model,
                         .N = f.N,
                         .interval = "Wald, log scale; ignores the search",
                         .verdict = true };
    if (f.code) {
        row.note = "no estimate exists";
    } else {
        f = su_fit_full(&p->l, &m);
        row.low = su_wald_limit(&p->l, &f, -z), row.high = su_wald_limit(&p->l, &f, z), row.bic = su_fit_bic(&p->l, &f);
        with_bootstrap(p, &row, by_downhill, &order, p->opt.replicates, 3, note);
    }
    su_panel_add(p, &row);
    if (again.code || !(lower < bic - 1e-6)) return;
    su_model_print(&other, p->o->lists, model);
    again = su_fit_full(&p->l, &other);
    snprintf(restarted, sizeof restarted, "%u of %u starts end here; the search from independence stopped at a local minimum", agree,
             p->opt.starts + 1);
    su_panel_add(p, &(su_panel_row) { .id = "downhill_restarted",
                                      .method = "downhill, random starts, BIC",
                                      .model = model,
                                      .N = again.N,
                                      .low = su_wald_limit(&p->l, &again, -z),
                                      .high = su_wald_limit(&p->l, &again, z),
                                      .interval = "Wald, log scale; ignores the search",
                                      .bic = su_fit_bic(&p->l, &again),
                                      .note = restarted,
                                      .verdict = true });
}

/* Of the models that carry all but a millionth of the weight: log of the unseen and its standard error. */
typedef struct mixture {
    size_t count;
    double *weight, *unseen, *error;
} mixture;

static mixture mixture_of(su_panel *p)
{
    size_t n = p->ranked_count;
    mixture m = { 0, su_alloc_array(n, sizeof(double)), su_alloc_array(n, sizeof(double)), su_alloc_array(n, sizeof(double)) };
    double sum = 0;
    for (size_t i = 0; i < n && sum < 1 - 1e-6; i++) { /* best first */
        su_fit f = su_fit_full(&p->l, &p->space.models[p->ranked[i].model]);
        sum += p->ranked[i].weight;
        if (f.code || !(f.variance > 0) || !(f.unseen > 0)) continue;
        m.weight[m.count] = p->ranked[i].weight;
        m.unseen[m.count] = log(f.unseen);
        m.error[m.count++] = sqrt(f.variance + 1 / f.unseen); /* the unseen themselves are a draw, as in su_N_error */
    }
    return m;
}

/* Quantile of the mixture of the models' normal laws of log unseen. */
static double mixture_quantile(const mixture *m, double wanted)
{
    double low = INFINITY, high = -INFINITY, all = 0;
    for (size_t i = 0; i < m->count; i++) {
        low = fmin(low, m->unseen[i] - 40 * m->error[i]);
        high = fmax(high, m->unseen[i] + 40 * m->error[i]);
        all += m->weight[i];
    }
    for (int k = 0; k < 200 && high - low > 1e-12; k++) {
        double middle = (low + high) / 2, below = 0;
        for (size_t i = 0; i < m->count; i++) below += m->weight[i] * su_normal_cdf((middle - m->unseen[i]) / m->error[i]);
        *(below < wanted * all ? &low : &high) = middle;
    }
    return exp((low + high) / 2);
}

void su_panel_average(su_panel *p)
{
    if (!rank_models(p)) {
        too_many(p);
        return;
    }
    double mean = 0, tail = (1 - p->opt.level) / 2;
    for (size_t i = 0; i < p->ranked_count; i++) mean += p->ranked[i].weight * p->ranked[i].N;
    mixture m = mixture_of(p);
    su_panel_add(p, &(su_panel_row) { .id = "average",
                                      .method = "average over models, BIC weights",
                                      .N = mean,
                                      .low = m.count ? (double)p->o->n + mixture_quantile(&m, tail) : NAN,
                                      .high = m.count ? (double)p->o->n + mixture_quantile(&m, 1 - tail) : NAN,
                                      .interval = "mixture of the models' Wald intervals",
                                      .verdict = true });
    free(m.weight);
    free(m.unseen);
    free(m.error);
}

su_status su_panel_fixed(su_panel *p)
{
    char text[SU_MODEL_TEXT], note[160];
    su_model m;
    su_status st = su_model_parse(p->ctx, p->o, p->opt.model, &m);
    if (st) return st;
    su_model_print(&m, p->o->lists, text);
    su_existence code = su_mse_lattice_existence(&p->l, &m);
    if (code)
        return su_fail(p->ctx, SU_REFUSED, "--model %s: %s. Take out a term; a pair of lists without people on both is the usual cause.",
                       text,
                       code == SU_NOT_IDENTIFIABLE ? "the data cannot tell its estimates apart (not identifiable)"
                                                   : "no maximum likelihood estimate exists");
    su_fit f = su_fit_full(&p->l, &m);
    if (f.code) return su_fail(p->ctx, SU_REFUSED, "--model %s: the fit did not converge.", text);
    double bic = su_fit_bic(&p->l, &f), df = (double)p->o->cells - 1 - m.count;
    warn_empty_terms(p, &m);
    f = su_fit_full(&p->l, &m);
    snprintf(note, sizeof note, "deviance %.2f on %.0f degrees of freedom, AIC %.2f, standard error %.0f, bias about %.0f", f.deviance, df,
             su_fit_aic(&f), su_N_error(&f, true), su_fit_bias(&p->l, &m, &f));
    su_profile profile = su_profile_interval(&p->l, &m, &f, p->opt.level);
    su_panel_add(p, &(su_panel_row) { .id = "fixed",
                                      .method = "your model",
                                      .model = text,
                                      .N = f.N,
                                      .low = profile.low,
                                      .high = profile.high,
                                      .interval = "profile likelihood",
                                      .bic = bic,
                                      .note = note,
                                      .verdict = true });
    return SU_OK;
}
