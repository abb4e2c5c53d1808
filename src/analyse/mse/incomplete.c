#include "mse/incomplete.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "mse/overlap.h"
#include "numeric/philox.h"

enum { ROUNDS_MAX = 2000, RESAMPLES = 200 };
static const double FINE = 1e-10, ROUGH = 1e-7; /* largest move of a count in a round that ends them, as a share of all people */

static bool may_be(const su_overlaps *o, const su_overlap_partial *x, size_t stratum)
{
    for (int c = (int)o->covariates - 1; c >= 0; c--) {
        uint32_t level = (uint32_t)(stratum % o->covariate_levels[c]);
        stratum /= o->covariate_levels[c];
        if (x->level[c] != SU_OVERLAP_UNKNOWN && x->level[c] != level) return false;
    }
    return true;
}

bool su_incomplete_knows(const su_overlaps *o, const su_trait_term *t)
{
    const int trait[2] = { t->first, t->second };
    if (t->first < 0) return true;
    for (size_t w = 1; w < o->cells; w++) {
        if (t->lists && (w & t->lists) == t->lists) continue; /* off the list */
        for (size_t s = 0; s < o->strata; s++)
            if (o->stratum_counts[s * o->cells + w]) return true;
    }
    for (size_t i = 0; i < o->partials; i++) {
        const su_overlap_partial *x = &o->partial[i];
        bool known = x->people > 0 && !(t->lists && (x->cell & t->lists) == t->lists);
        for (int k = 0; k < 2; k++) known = known && (trait[k] < 0 || x->level[trait[k]] != SU_OVERLAP_UNKNOWN);
        if (known) return true;
    }
    return false;
}

/* Everybody: those with all values where they are, the others shared out by `weight` (strata x cells; NULL: by the strata's sizes alone).
 * Returns the log likelihood of what was seen, less the fitted total, when weight is given. */
static double share_out(const su_overlaps *o, const double *weight, double *counts)
{
    double sum = 0;
    for (size_t i = 0; i < o->strata * o->cells; i++) {
        counts[i] = (double)o->stratum_counts[i];
        if (weight && counts[i] > 0) sum += counts[i] * log(weight[i]);
    }
    double *size = su_alloc_array(o->strata, sizeof *size);
    for (size_t s = 0; s < o->strata; s++) {
        size[s] = 0.5;
        for (size_t w = 1; w < o->cells; w++) size[s] += (double)o->stratum_counts[s * o->cells + w];
    }
    for (size_t i = 0; i < o->partials; i++) {
        const su_overlap_partial *x = &o->partial[i];
        double total = 0;
        if (!x->people) continue;
        for (size_t s = 0; s < o->strata; s++)
            if (may_be(o, x, s)) total += weight ? weight[s * o->cells + x->cell] : size[s];
        for (size_t s = 0; s < o->strata; s++)
            if (may_be(o, x, s) && total > 0)
                counts[s * o->cells + x->cell] += (double)x->people * (weight ? weight[s * o->cells + x->cell] : size[s]) / total;
        if (weight) sum += (double)x->people * log(total);
    }
    free(size);
    return sum;
}

static su_trait_fit em(const su_overlaps *o, const su_trait_model *m, double *counts, bool full, double settled)
{
    size_t n = o->strata * o->cells;
    double *fitted = su_alloc_array(n, sizeof *fitted), *before = su_alloc_array(n, sizeof *before);
    su_trait_fit f = { .code = SU_NOT_CONVERGED };
    share_out(o, NULL, counts);
    for (int round = 0; round < ROUNDS_MAX; round++) {
        double total = 0, moved = 0;
        su_trait_fit_free(&f);
        f = su_trait_fit_counts(o, counts, m, false, fitted);
        if (f.code) break;
        for (size_t i = 0; i < n; i++) total += fitted[i];
        memcpy(before, counts, n * sizeof *before);
        f.log_likelihood = share_out(o, fitted, counts) - total;
        for (size_t i = 0; i < n; i++) moved = fmax(moved, fabs(counts[i] - before[i]));
        if (moved <= settled * (double)o->n) break;
        if (round + 1 == ROUNDS_MAX) f.code = SU_NOT_CONVERGED;
    }
    if (!f.code) {
        double likelihood = f.log_likelihood;
        su_existence code = f.code;
        if (full) {
            su_trait_fit_free(&f);
            f = su_trait_fit_counts(o, counts, m, true, fitted);
            code = f.code;
        }
        f.code = code;
        f.log_likelihood = likelihood;
        f.deviance = NAN;
        f.bic = f.parameters * log((double)o->n) - 2 * likelihood;
        f.aic = 2.0 * f.parameters - 2 * likelihood;
    }
    free(fitted);
    free(before);
    return f;
}

/* ---- the spread between resamples of people ---- */

typedef struct resampling {
    su_context *ctx;
    const su_overlaps *o;
    const su_trait_model *m;
    uint64_t seed;
    double *unseen; /* resample by stratum; NaN = no estimate */
} resampling;

static void resample(void *arg, size_t number, unsigned worker)
{
    resampling *b = arg;
    const su_overlaps *o = b->o;
    size_t n = o->strata * o->cells, all = n + o->partials;
    double *p = su_alloc_array(all, sizeof *p), *counts = su_alloc_array(n, sizeof *counts), *unseen = b->unseen + number * o->strata;
    int64_t *drawn = su_alloc_array(all, sizeof *drawn);
    su_overlap_partial *partial = su_alloc_array(o->partials + 1, sizeof *partial);
    su_philox r = su_philox_of(b->seed, number);
    su_overlaps copy = *o; /* borrows all but the counts */
    (void)worker;
    for (size_t i = 0; i < n; i++) p[i] = (double)o->stratum_counts[i] / (double)o->n;
    for (size_t i = 0; i < o->partials; i++) p[n + i] = (double)o->partial[i].people / (double)o->n;
    su_philox_multinomial(&r, o->n, p, all, drawn);
    for (size_t i = 0; i < o->partials; i++) {
        partial[i] = o->partial[i];
        partial[i].people = drawn[n + i];
    }
    copy.stratum_counts = drawn;
    copy.partial = partial;
    su_trait_fit f = { .code = SU_NOT_CONVERGED };
    if (!su_cancelled(b->ctx)) f = em(&copy, b->m, counts, true, ROUGH);
    for (size_t s = 0; s < o->strata; s++) unseen[s] = f.code ? NAN : f.unseen[s];
    su_trait_fit_free(&f);
    free(p), free(counts), free(drawn), free(partial);
}

static bool spread(su_context *ctx, const su_overlaps *o, const su_trait_model *m, uint64_t seed, double *covariance)
{
    resampling b = { .ctx = ctx, .o = o, .m = m, .seed = seed };
    size_t strata = o->strata, good = 0;
    double *mean = su_alloc_array(strata, sizeof *mean);
    b.unseen = su_alloc_array(RESAMPLES * strata, sizeof *b.unseen);
    su_parallel(ctx, RESAMPLES, resample, &b);
    memset(covariance, 0, strata * strata * sizeof *covariance);
    for (size_t i = 0; i < RESAMPLES; i++) {
        if (isnan(b.unseen[i * strata])) continue;
        good++;
        for (size_t s = 0; s < strata; s++) mean[s] += b.unseen[i * strata + s];
    }
    for (size_t i = 0; i < RESAMPLES && good > RESAMPLES / 2; i++) {
        const double *x = b.unseen + i * strata;
        if (isnan(x[0])) continue;
        for (size_t s = 0; s < strata; s++)
            for (size_t t = 0; t < strata; t++)
                covariance[s * strata + t] += (x[s] - mean[s] / (double)good) * (x[t] - mean[t] / (double)good) / ((double)good - 1);
    }
    free(mean), free(b.unseen);
    return good > RESAMPLES / 2;
}

su_trait_fit su_incomplete_fit(su_context *ctx, const su_overlaps *o, const su_trait_model *m, bool full, uint64_t seed)
{
    double *counts = su_alloc_array(o->strata * o->cells, sizeof *counts);
    su_trait_fit f = em(o, m, counts, full, full ? FINE : ROUGH);
    if (!f.code && full && !spread(ctx, o, m, seed, f.covariance)) f.code = SU_NO_ESTIMATE;
    if (!f.code && full)
        f.completed = counts;
    else
        free(counts);
    return f;
}
