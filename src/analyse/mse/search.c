#include "mse/search.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "numeric/matrix.h"
#include "numeric/philox.h"
#include "numeric/special.h"

double su_overlap_p(double seen, double expected)
{
    int64_t k = (int64_t)seen;
    if (!(expected > 0)) return seen > 0 ? 0 : 1;
    if (seen >= expected + 1) return su_poisson_upper(k, expected);
    double below = su_poisson_cdf(k, expected);
    return seen <= expected - 1 ? below : fmin(below, su_poisson_upper(k, expected));
}

enum { SU_PAIRS_MAX = 15 };

static void record(su_steps *steps, su_step step)
{
    if (steps && steps->count < SU_STEPS_MAX) steps->step[steps->count++] = step;
}

/* ---- forward by p ---- */

typedef struct candidate {
    unsigned term;
    double p;
} candidate;

static int compare_candidates(const void *a, const void *b)
{
    const candidate *x = a, *y = b;
    return x->p != y->p ? (x->p < y->p ? -1 : 1) : su_term_compare(x->term, y->term);
}

static unsigned absent_pairs(const su_mse_lattice *l, const su_model *m, candidate *out)
{
    unsigned count = 0;
    for (unsigned i = 0; i < l->lists; i++) {
        for (unsigned j = i + 1; j < l->lists; j++) {
            unsigned term = 1u << i | 1u << j;
            if (!su_model_has(m, term)) out[count++] = (candidate) { term, su_overlap_p(l->overlap[term], l->sum[term]) };
        }
    }
    return count;
}

/* The model with one more term, begun at the coefficients of the last fit. */
static su_fit refit_with(su_mse_lattice *l, su_model *m, unsigned term)
{
    double start[SU_TERMS_MAX] = { 0 };
    memcpy(start, l->beta, m->count * sizeof *start);
    su_model_add(m, term);
    return su_fit_fast(l, m, start);
}

su_fit su_stepwise_p(su_mse_lattice *l, double threshold, su_model *m, su_steps *steps)
{
    candidate pairs[SU_MSE_MAX_LISTS * SU_MSE_MAX_LISTS / 2];
    *m = su_model_main(l->lists);
    su_existence code = su_mse_lattice_existence(l, m);
    su_fit fit = su_fit_fast(l, m, NULL);
    if (code) fit.code = code;
    while (!fit.code) {
        unsigned count = absent_pairs(l, m, pairs);
        qsort(pairs, count, sizeof *pairs, compare_candidates);
        const candidate *next = NULL;
        for (unsigned i = 0; i < count && !next && (steps || pairs[i].p < threshold); i++) {
            su_model with = *m;
            if (su_model_add(&with, pairs[i].term) && su_mse_lattice_existence(l, &with) == SU_EXISTS) next = &pairs[i];
        }
        if (!next) break;
        su_step step = {
            .term = next->term, .seen = l->overlap[next->term], .expected = l->sum[next->term], .p = next->p, .N = NAN, .deviance = NAN
        };
        step.added = next->p < threshold;
        if (step.added) {
            fit = refit_with(l, m, next->term);
            if (steps) {
                su_fit full = su_fit_full(l, m);
                step.N = full.N;
                step.deviance = full.deviance;
                fit.code = full.code;
            }
        }
        record(steps, step);
        if (!step.added) break;
    }
    return steps && !fit.code ? su_fit_full(l, m) : fit;
}

/* ---- forward by AIC ---- */

/* Two-sided Wald p of the last term of a full fit; 1 when it is -infinity. */
static double wald_p(const su_mse_lattice *l, const su_model *m)
{
    double unit[SU_TERMS_MAX] = { 0 };
    unsigned last = l->kept_count - 1;
    if (l->kept[last] != m->count - 1) return 1;
    unit[last] = 1;
    su_cholesky_solve(l->information, l->kept_count, NULL, unit);
    return 2 * su_normal_upper(fabs(l->beta[m->count - 1]) / sqrt(unit[last]));
}

su_fit su_stepwise_aic(su_mse_lattice *l, double p_max, su_model *m, su_steps *steps)
{
    *m = su_model_main(l->lists);
    su_fit fit = su_fit_full(l, m);
    while (!fit.code) {
        su_model best = *m;
        su_fit best_fit = fit;
        su_step step = { .N = NAN, .deviance = NAN };
        for (unsigned i = 0; i < l->lists; i++) {
            for (unsigned j = i + 1; j < l->lists; j++) {
                unsigned term = 1u << i | 1u << j;
                su_model with = *m;
                if (su_model_has(m, term) || !su_model_add(&with, term) || su_mse_lattice_existence(l, &with)) continue;
                su_fit f = su_fit_fast(l, &with, NULL);
                f.log_likelihood -= l->factorials;
                if (f.code || su_fit_aic(&f) >= su_fit_aic(&best_fit)) continue;
                best = with;
                best_fit = f;
                step.term = term;
            }
        }
        if (!step.term) break;
        (void)su_fit_full(l, m);
        step.seen = l->overlap[step.term];
        step.expected = l->sum[step.term];
        best_fit = su_fit_full(l, &best);
        step.p = wald_p(l, &best);
        step.added = !best_fit.code && step.p <= p_max;
        if (step.added) {
            step.N = best_fit.N;
            step.deviance = best_fit.deviance;
            *m = best;
            fit = best_fit;
        }
        record(steps, step);
        if (!step.added) break;
    }
    return fit.code ? fit : su_fit_full(l, m);
}

/* ---- all models ---- */

bool su_space_init(su_space *s, unsigned lists, unsigned order, size_t most)
{
    *s = (su_space) { .lists = lists };
    if (lists > 6 || lists < 2) return false;
    for (s->order = order && order < lists ? order : lists - 1; s->order >= 1; s->order--)
        if ((s->count = su_models_enumerate(lists, s->order, most, &s->sets))) break;
    if (!s->count) return false;
    s->models = su_alloc_array(s->count, sizeof *s->models);
    for (size_t i = 0; i < s->count; i++) s->models[i] = su_model_of_set(s->sets[i], lists);
    return true;
}

void su_space_free(su_space *s)
{
    free(s->sets);
    free(s->models);
    *s = (su_space) { 0 };
}

enum { CHUNK = 128 };

typedef struct ranking {
    const su_space *space;
    su_mse_lattice *lattices; /* per worker */
    su_ranked *out;
} ranking;

static void rank_chunk(void *arg, size_t chunk, unsigned worker)
{
    ranking *r = arg;
    su_mse_lattice *l = &r->lattices[worker];
    size_t end = (chunk + 1) * CHUNK < r->space->count ? (chunk + 1) * CHUNK : r->space->count;
    for (size_t i = chunk * CHUNK; i < end; i++) {
        su_ranked *one = &r->out[i];
        *one = (su_ranked) { (uint32_t)i, INFINITY, NAN, 0 };
        if (su_mse_lattice_existence(l, &r->space->models[i])) continue;
        su_fit f = su_fit_fast(l, &r->space->models[i], NULL);
        if (f.code) continue;
        one->bic = su_fit_bic(l, &f);
        one->N = f.N;
    }
}

static int compare_ranked(const void *a, const void *b)
{
    const su_ranked *x = a, *y = b;
    return x->bic != y->bic ? (x->bic < y->bic ? -1 : 1) : x->model < y->model ? -1 : 1;
}

size_t su_space_rank(su_context *ctx, const su_space *s, const su_overlaps *o, su_ranked *out)
{
    unsigned workers = su_parallel_workers(ctx);
    ranking r = { s, su_alloc_array(workers, sizeof(su_mse_lattice)), out };
    size_t found = 0;
    double total = 0;
    for (unsigned w = 0; w < workers; w++) {
        su_mse_lattice_init(&r.lattices[w], o->lists);
        su_mse_lattice_set_integers(&r.lattices[w], o->counts);
    }
    su_fit known = su_fit_full(&r.lattices[0], &s->models[0]); /* for the factorials */
    double factorials = known.code ? 0 : r.lattices[0].factorials;
    su_parallel(ctx, (s->count + CHUNK - 1) / CHUNK, rank_chunk, &r);
    qsort(out, s->count, sizeof *out, compare_ranked);
    while (found < s->count && isfinite(out[found].bic)) out[found++].bic += 2 * factorials;
    for (size_t i = 0; i < found; i++) total += out[i].weight = exp((out[0].bic - out[i].bic) / 2);
    for (size_t i = 0; i < found; i++) out[i].weight /= total;
    for (unsigned w = 0; w < workers; w++) su_mse_lattice_free(&r.lattices[w]);
    free(r.lattices);
    return found;
}

/* Lower bounds of -2 log likelihood. A model without the pairs e and f is part of the largest model without them, and a part never fits
 * better: so few fits rule out most models before they are fitted. */
typedef struct bounds {
    unsigned pairs;
    uint64_t pair[SU_PAIRS_MAX];
    double without[SU_PAIRS_MAX][SU_PAIRS_MAX]; /* [e][f] without both, [e][e] without e */
    double any;                                 /* the saturated model */
} bounds;

static double largest_without(su_mse_lattice *l, unsigned order, unsigned e, unsigned f, double otherwise)
{
    su_model m = su_model_main(l->lists);
    for (unsigned size = 2; size <= order; size++) {
        for (unsigned term = 1; term + 1 < 1u << l->lists; term++) {
            if ((unsigned)__builtin_popcount(term) != size || (term & e) == e || (term & f) == f) continue;
            if (m.count == SU_TERMS_MAX) return otherwise;
            m.term[m.count++] = (uint16_t)term;
        }
    }
    if (su_mse_lattice_existence(l, &m)) return otherwise;
    su_fit fit = su_fit_fast(l, &m, NULL);
    return fit.code ? otherwise : -2 * fit.log_likelihood - 1e-6;
}

static void bound_any(const su_mse_lattice *l, bounds *b)
{
    double saturated = -l->n;
    for (unsigned i = 0; i < l->positive_count; i++) saturated += l->count[l->positive[i]] * log(l->count[l->positive[i]]);
    *b = (bounds) { .any = -2 * saturated };
}

static void bound_pairs(su_mse_lattice *l, unsigned order, bounds *b)
{
    for (unsigned i = 0; i < l->lists; i++)
        for (unsigned j = i + 1; j < l->lists; j++) b->pair[b->pairs++] = 1u << i | 1u << j;
    for (unsigned e = 0; e < b->pairs; e++) {
        b->without[e][e] = largest_without(l, order, (unsigned)b->pair[e], (unsigned)b->pair[e], b->any);
        for (unsigned f = 0; f < e; f++) {
            double alone = fmax(b->without[e][e], b->without[f][f]);
            b->without[e][f] = largest_without(l, order, (unsigned)b->pair[e], (unsigned)b->pair[f], alone);
        }
    }
}

/* Least -2 log likelihood that a model can have; stops as soon as it is above `enough`. */
static double bound_of(const bounds *b, uint64_t set, double enough)
{
    unsigned missing[SU_PAIRS_MAX], count = 0;
    double most = b->any;
    for (unsigned e = 0; e < b->pairs; e++) {
        if (set >> b->pair[e] & 1) continue;
        missing[count++] = e;
        most = fmax(most, b->without[e][e]);
    }
    for (unsigned i = 1; i < count && most < enough; i++)
        for (unsigned j = 0; j < i; j++) most = fmax(most, b->without[missing[i]][missing[j]]);
    return most;
}

su_fit su_space_best(su_mse_lattice *l, const su_space *s, const uint32_t *among, size_t count, uint32_t *best)
{
    su_fit found = { .code = SU_NO_ESTIMATE, .N = NAN };
    double lowest = INFINITY, per_term = log(l->n);
    bounds b;
    bound_any(l, &b);
    if (!among) bound_pairs(l, s->order, &b); /* for a short list the bounds cost more than they save */
    for (size_t i = 0; i < (among ? count : s->count); i++) {
        uint32_t at = among ? among[i] : (uint32_t)i;
        const su_model *m = &s->models[at];
        if (m->count * per_term + b.any >= lowest) break; /* models come by number of terms */
        if (m->count * per_term + bound_of(&b, s->sets[at], lowest - m->count * per_term) >= lowest || su_mse_lattice_existence(l, m))
            continue;
        su_fit f = su_fit_fast(l, m, NULL);
        double bic = f.code ? INFINITY : su_fit_bic(l, &f);
        if (bic >= lowest) continue;
        lowest = bic;
        found = f;
        *best = at;
    }
    return found;
}

/* ---- downhill ---- */

static bool boundary(const su_model *m, unsigned term)
{
    for (unsigned bits = term; bits; bits &= bits - 1)
        if (!su_model_has(m, term & ~(bits & -bits))) return false;
    return true;
}

static bool generator(const su_model *m, unsigned term)
{
    for (unsigned i = 0; i < m->count; i++)
        if (m->term[i] != term && (m->term[i] & term) == term) return false;
    return true;
}

typedef struct descent {
    su_mse_lattice *l;
    su_model here, best;
    double beta[SU_TERMS_MAX]; /* of here */
    double lowest;
    su_fit fit;
    double best_beta[SU_TERMS_MAX];
} descent;

static void try_neighbour(descent *d, const su_model *m)
{
    double start[SU_TERMS_MAX];
    if (su_mse_lattice_existence(d->l, m)) return;
    for (unsigned i = 0, j = 0; i < m->count; i++) { /* terms keep their order, so one walk matches them */
        while (j < d->here.count && d->here.term[j] != m->term[i]) j++;
        start[i] = j < d->here.count ? d->beta[j] : 0;
    }
    su_fit f = su_fit_fast(d->l, m, isfinite(d->lowest) ? start : NULL);
    double bic = f.code ? INFINITY : su_fit_bic(d->l, &f);
    if (!(bic < d->lowest)) return;
    d->lowest = bic;
    d->best = *m;
    d->fit = f;
    memcpy(d->best_beta, d->l->beta, m->count * sizeof *d->best_beta);
}

su_fit su_downhill(su_mse_lattice *l, unsigned order, const su_model *start, su_model *m)
{
    descent d = { .l = l, .here = *start, .lowest = INFINITY, .fit = { .code = SU_NO_ESTIMATE, .N = NAN } };
    try_neighbour(&d, start);
    if (!isfinite(d.lowest)) return d.fit;
    for (double before = INFINITY; d.lowest < before - 1e-9;) {
        before = d.lowest;
        d.here = d.best;
        memcpy(d.beta, d.best_beta, sizeof d.beta);
        for (unsigned term = 1; term + 1 < 1u << l->lists; term++) {
            unsigned size = (unsigned)__builtin_popcount(term);
            if (size < 2 || size > order) continue;
            su_model next = d.here;
            if (su_model_has(&d.here, term)) {
                if (!generator(&d.here, term)) continue;
                su_model_remove(&next, term);
            } else if (!boundary(&d.here, term) || !su_model_add(&next, term)) {
                continue;
            }
            try_neighbour(&d, &next);
        }
    }
    *m = d.best;
    return d.fit;
}

su_fit su_downhill_restarted(su_mse_lattice *l, unsigned order, unsigned starts, uint64_t seed, su_model *m, unsigned *agree)
{
    su_model main_effects = su_model_main(l->lists), end;
    su_fit best = su_downhill(l, order, &main_effects, m);
    double lowest = best.code ? INFINITY : su_fit_bic(l, &best);
    *agree = best.code ? 0 : 1;
    for (unsigned s = 0; s < starts; s++) {
        su_philox r = su_philox_of(seed, s);
        su_model start = main_effects;
        for (unsigned i = 0; i < l->lists; i++)
            for (unsigned j = i + 1; j < l->lists; j++)
                if (su_philox_below(&r, 2)) su_model_add(&start, 1u << i | 1u << j);
        su_fit f = su_downhill(l, order, &start, &end);
        if (f.code) continue;
        double bic = su_fit_bic(l, &f);
        if (fabs(bic - lowest) < 1e-6) {
            ++*agree;
        } else if (bic < lowest) {
            best = f;
            lowest = bic;
            *m = end;
            *agree = 1;
        }
    }
    return best;
}
