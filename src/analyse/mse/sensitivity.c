/* What happens to the estimate when a list is left out, two lists are made one, links were missed, and when the fitted model is the truth.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "mse/panel.h"
#include "numeric/philox.h"
#include "numeric/special.h"

enum { COVERAGE_REPLICATES = 200 };
static const double SLIDER[] = { 0, 0.01, 0.02, 0.05, 0.10, 0.20 };
static const uint64_t COVERAGE_SEED = 0x434full << 48;

/* ---- lists ---- */

/* Best model by BIC: of all models up to five lists, of those that 20 random starts find beyond. */
static su_fit best_of(su_panel *p, su_mse_lattice *l, su_model *m)
{
    su_fit f = { .code = SU_NO_ESTIMATE, .N = NAN };
    su_space space;
    uint32_t best = 0;
    unsigned agree;
    if (l->lists <= 5 && su_space_init(&space, l->lists, p->opt.order, p->opt.most_models)) {
        f = su_space_best(l, &space, NULL, 0, &best);
        if (!f.code) *m = space.models[best];
        su_space_free(&space);
        return f;
    }
    return su_downhill_restarted(l, 2, p->opt.starts, p->opt.seed, m, &agree);
}

static void extend(su_panel *p, double N)
{
    if (!isfinite(N)) return;
    p->sensitive_least = isfinite(p->sensitive_least) ? fmin(p->sensitive_least, N) : N;
    p->sensitive_most = isfinite(p->sensitive_most) ? fmax(p->sensitive_most, N) : N;
}

static void sensitivity_row(su_panel *p, su_result_table *t, const char *what, su_overlaps *o)
{
    su_mse_lattice l;
    su_model m;
    char model[SU_MODEL_TEXT] = "";
    su_bound chao = su_chao_bound(o, p->opt.level);
    su_mse_lattice_init(&l, o->lists);
    su_mse_lattice_set_integers(&l, o->counts);
    su_result_text(t, what);
    su_result_integer(t, o->n);
    if (o->lists == 2) {
        double N = o->counts[3] ? su_chapman(o, p->opt.level).N : NAN;
        su_result_number(t, N);
        su_result_number(t, N);
        su_result_text(t, "Chapman");
        extend(p, N);
    } else {
        su_fit f = su_stepwise_p(&l, p->opt.threshold_p, &m, NULL);
        double N = f.code ? NAN : f.N;
        su_result_number(t, N);
        extend(p, N);
        f = best_of(p, &l, &m);
        if (!f.code) su_model_print(&m, o->lists, model);
        su_result_number(t, f.code ? NAN : f.N);
        su_result_text(t, model);
        extend(p, f.code ? NAN : f.N);
    }
    su_result_number(t, chao.N);
    su_mse_lattice_free(&l);
    su_overlaps_free(o);
}

void su_panel_sensitivity(su_panel *p)
{
    su_result_table *t = su_result_table_add(p->result, "sensitivity", "With a list left out, and with two lists made one");
    su_result_column(t, "change", "change", SU_COLUMN_TEXT);
    su_result_column(t, "n", "people seen", SU_COLUMN_INTEGER);
    su_result_column(t, "stepwise", "stepwise", SU_COLUMN_NUMBER);
    su_result_column(t, "best_bic", "best BIC", SU_COLUMN_NUMBER);
    su_result_column(t, "model", "its model (lists renumbered)", SU_COLUMN_TEXT);
    su_result_column(t, "chao", "Chao's bound", SU_COLUMN_NUMBER);
    p->sensitive_least = p->sensitive_most = NAN;
    for (unsigned i = 0; i < p->o->lists; i++) {
        su_buf what = { 0 };
        su_buf_printf(&what, "without %s", p->o->names[i]);
        sensitivity_row(p, t, what.p, su_overlaps_without(p->o, i));
        su_buf_free(&what);
    }
    for (unsigned i = 0; i < p->o->lists && !su_cancelled(p->ctx); i++) {
        for (unsigned j = i + 1; j < p->o->lists; j++) {
            su_buf what = { 0 };
            su_buf_printf(&what, "%s and %s as one", p->o->names[i], p->o->names[j]);
            sensitivity_row(p, t, what.p, su_overlaps_merged(p->o, i, j));
            su_buf_free(&what);
        }
    }
    su_result_method(p->result,
                     "Sensitivity: the stepwise and the best-BIC search were repeated without each list and with each two lists made one.");
}

/* ---- missed links ---- */

/* The table before links were missed: a person on two lists or more lost one of the records, each alike, with probability e, and was then
 * counted as two people. Solved from the largest sets down. Cells that would need fewer than no people are set to 0; false when that takes
 * more than one person in a hundred. */
static bool undo_missed_links(const su_overlaps *o, double e, double *count)
{
    double short_of = 0;
    for (size_t w = 0; w < o->cells; w++) count[w] = (double)o->counts[w];
    for (unsigned size = o->lists; size >= 2; size--) {
        for (size_t w = 1; w < o->cells; w++) {
            if ((unsigned)__builtin_popcountll(w) != size) continue;
            double truth = count[w] / (1 - e), each = e * truth / size;
            count[w] = truth;
            for (size_t bits = w; bits; bits &= bits - 1) { /* the lost record alone, and the person without it */
                size_t list = bits & -bits;
                count[list] -= each;
                count[w & ~list] -= each;
            }
        }
    }
    for (size_t w = 1; w < o->cells; w++) {
        short_of += fmax(-count[w], 0);
        count[w] = fmax(count[w], 0);
    }
    return short_of <= 0.01 * (double)o->n;
}

void su_panel_linkage(su_panel *p)
{
    su_result_table *t = su_result_table_add(p->result, "linkage",
                                             "If links between records were missed: the stepwise model on the table as it would have been");
    double *count = su_alloc_array(p->o->cells, sizeof *count);
    su_result_column(t, "missed", "links missed", SU_COLUMN_PERCENT);
    su_result_column(t, "people", "people seen", SU_COLUMN_NUMBER);
    su_result_column(t, "N", "estimate", SU_COLUMN_NUMBER);
    for (size_t i = 0; i < sizeof SLIDER / sizeof *SLIDER; i++) {
        bool good = undo_missed_links(p->o, SLIDER[i], count);
        su_fit f = { .code = SU_NO_ESTIMATE, .N = NAN };
        if (good) {
            su_mse_lattice_set(&p->l, count, false);
            f.code = su_mse_lattice_existence(&p->l, &p->stepwise);
            if (!f.code) f = su_fit_fast(&p->l, &p->stepwise, NULL);
        }
        su_result_number(t, SLIDER[i]);
        su_result_number(t, good ? p->l.n : NAN);
        su_result_number(t, f.code ? NAN : f.N);
    }
    su_mse_lattice_set_integers(&p->l, p->o->counts);
    free(count);
}

/* ---- coverage ---- */

typedef struct simulated {
    double estimate, wald_low, wald_high, low, high;
    bool failed;
} simulated;

typedef struct coverage {
    su_panel *p;
    size_t cells;
    double truth, *probability; /* of every cell, the unseen first */
    simulated *table;
} coverage;

static double by_stepwise(const void *arg, su_mse_lattice *l)
{
    su_model m;
    return su_stepwise_p(l, *(const double *)arg, &m, NULL).N;
}

static void simulate(void *arg, size_t i, unsigned worker)
{
    coverage *c = arg;
    simulated *out = &c->table[i];
    su_philox r = su_philox_of(c->p->opt.seed ^ COVERAGE_SEED, i);
    int64_t *drawn = su_alloc_array(c->cells, sizeof *drawn);
    su_overlaps *o = NULL;
    su_context alone;
    su_bootstrap b;
    su_model m;
    (void)worker;
    su_context_init(&alone);
    alone.threads = 1; /* tables run side by side already */
    alone.cancel = c->p->ctx ? c->p->ctx->cancel : NULL;
    su_philox_multinomial(&r, (int64_t)(c->truth + 0.5), c->probability, c->cells, drawn);
    drawn[0] = 0;
    *out = (simulated) { .failed = true };
    if (!su_cancelled(&alone) && !su_overlaps_new(&alone, c->p->o->lists, NULL, drawn, &o)) {
        su_bootstrap_run(&alone, o, by_stepwise, &c->p->opt.threshold_p, COVERAGE_REPLICATES, c->p->opt.seed + i, &b);
        if (isfinite(b.estimate) && b.count >= COVERAGE_REPLICATES / 2) {
            double tail = (1 - c->p->opt.level) / 2, z = su_normal_quantile(1 - tail);
            su_mse_lattice l;
            su_mse_lattice_init(&l, o->lists);
            su_mse_lattice_set_integers(&l, o->counts);
            su_stepwise_p(&l, c->p->opt.threshold_p, &m, NULL);
            su_fit f = su_fit_full(&l, &m);
            *out = (simulated) { .estimate = b.estimate,
                                 .wald_low = f.code ? NAN : su_wald_limit(&l, &f, -z),
                                 .wald_high = f.code ? NAN : su_wald_limit(&l, &f, z),
                                 .low = su_bca_limit(b.sorted, b.count, b.z0, b.acceleration, tail),
                                 .high = su_bca_limit(b.sorted, b.count, b.z0, b.acceleration, 1 - tail) };
            su_mse_lattice_free(&l);
        }
        free(b.sorted);
    }
    su_overlaps_free(o);
    free(drawn);
}

static void coverage_table(su_panel *p, const coverage *c)
{
    size_t used = 0, bca = 0, wald = 0;
    double bias = 0;
    for (size_t i = 0; i < p->opt.coverage; i++) {
        const simulated *s = &c->table[i];
        if (s->failed) continue;
        used++;
        bca += s->low <= c->truth && c->truth <= s->high;
        wald += s->wald_low <= c->truth && c->truth <= s->wald_high;
        bias += (s->estimate - c->truth) / c->truth;
    }
    su_result_table *t = su_result_table_add(p->result, "coverage",
                                             "How often the stepwise intervals hold the truth, if the fitted stepwise model is the truth");
    su_result_column(t, "interval", "interval", SU_COLUMN_TEXT);
    su_result_column(t, "coverage", "holds the truth", SU_COLUMN_PERCENT);
    su_result_column(t, "error", "simulation error", SU_COLUMN_PERCENT);
    su_result_column(t, "tables", "simulated tables", SU_COLUMN_INTEGER);
    su_result_column(t, "bias", "mean bias of the estimate", SU_COLUMN_PERCENT);
    for (int kind = 0; kind < 2 && used; kind++) {
        double share = (double)(kind ? wald : bca) / (double)used;
        su_result_text(t, kind ? "Wald, ignores the search" : "bootstrap BCa, search repeated");
        su_result_number(t, share);
        su_result_number(t, sqrt(share * (1 - share) / (double)used));
        su_result_integer(t, (int64_t)used);
        su_result_number(t, bias / (double)used);
        if (share < p->opt.level - 0.02)
            su_result_warn(
                p->result, "W_MSE_COVERAGE",
                "even if the fitted stepwise model were the truth, its %s interval would hold it in %.1f %% of tables, not %.0f %%.",
                kind ? "Wald" : "bootstrap", 100 * share, 100 * p->opt.level);
    }
}

void su_panel_coverage(su_panel *p)
{
    if (p->stepwise_fit.code || p->stepwise_fit.N > 1e9) return;
    coverage c = { .p = p, .cells = p->o->cells, .truth = p->stepwise_fit.N };
    su_fit f = su_fit_full(&p->l, &p->stepwise);
    c.probability = su_alloc_array(c.cells, sizeof *c.probability);
    c.table = su_alloc_array(p->opt.coverage, sizeof *c.table);
    for (size_t w = 0; w < c.cells; w++) c.probability[w] = (w ? p->l.mu[w] : f.unseen) / f.N;
    su_parallel(p->ctx, p->opt.coverage, simulate, &c);
    if (!su_cancelled(p->ctx)) coverage_table(p, &c);
    free(c.probability);
    free(c.table);
}
