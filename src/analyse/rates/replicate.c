/* Replicate weights: jackknife, balanced repeated replication, Rao-Wu bootstrap. Wolter 2007 (doi:10.1007/978-0-387-35099-8);
 * Rao and Wu 1988 (doi:10.2307/2288945). A replicate is a factor per first-stage unit: estimates need the rows once. */
#include "numeric/philox.h"
#include "rates/design.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct su_replicates {
    uint32_t count, units;
    double *factor; /* count x units */
    double *scale;  /* per replicate */
    double *rows;   /* count x rows: the weights themselves, calibrated again; NULL = the design's times the factors */
    uint64_t row_count;
    bool mse;
};

static su_replicates *empty(uint32_t count, uint32_t units, bool mse)
{
    su_replicates *r = su_alloc(sizeof *r);
    r->count = count;
    r->units = units;
    r->mse = mse;
    r->factor = su_alloc_array(count, (size_t)units * sizeof *r->factor);
    r->scale = su_alloc_array(count, sizeof *r->scale);
    for (size_t i = 0; i < (size_t)count * units; i++) r->factor[i] = 1;
    return r;
}

void su_replicates_free(su_replicates *r)
{
    if (!r) return;
    free(r->factor);
    free(r->scale);
    free(r->rows);
    free(r);
}

uint32_t su_replicates_count(const su_replicates *r) { return r->count; }

static su_status at_least_two(su_context *ctx, const su_design *d, const char *method)
{
    const su_stage *s = &d->stage[0];
    for (uint32_t h = 0; h < s->strata; h++)
        if (s->first[h + 1] - s->first[h] < 2)
            return su_fail(ctx, SU_REFUSED,
                           "%s needs at least two primary sampling units in every stratum; '%s' has one. Merge it with another stratum",
                           method, d->strata ? d->strata->levels[su_frame_level(d->strata, s->row[h]) - 1] : "the sample");
    return SU_OK;
}

static su_status jackknife(su_context *ctx, const su_design *d, bool stratified, bool mse, su_replicates **out)
{
    const su_stage *s = &d->stage[0];
    if (s->units > 20000)
        return su_fail(ctx, SU_REFUSED, "a jackknife over %u units is slow and no better than linearisation; use that", s->units);
    if (!stratified && s->strata > 1)
        return su_fail(ctx, SU_REFUSED, "JK1 is for designs without strata; this one has %u: use JKn", s->strata);
    su_status st = at_least_two(ctx, d, "the jackknife");
    if (st) return st;
    *out = empty(s->units, s->units, mse);
    for (uint32_t h = 0; h < s->strata; h++) {
        uint32_t from = s->first[h], to = s->first[h + 1];
        double n = to - from;
        for (uint32_t u = from; u < to; u++) {
            (*out)->scale[u] = (n - 1) / n * (1 - su_stage_fraction(s, h));
            for (uint32_t v = from; v < to; v++) (*out)->factor[(size_t)u * s->units + v] = v == u ? 0 : n / (n - 1);
        }
    }
    return SU_OK;
}

/* Hadamard matrix of order n: Sylvester's doubling of Paley's matrices of order q + 1 for primes q = 3 mod 4. */
static bool prime(uint32_t q)
{
    for (uint32_t i = 2; i * i <= q; i++)
        if (q % i == 0) return false;
    return q > 1;
}

static uint32_t paley_core(uint32_t n)
{
    for (uint32_t core = n; core >= 1; core /= 2) {
        if (core == 1 || (core > 2 && prime(core - 1) && (core - 1) % 4 == 3)) return core;
        if (core % 2) return 0;
    }
    return 0;
}

static bool square_modulo(uint32_t x, uint32_t q)
{
    for (uint32_t i = 1; i <= q / 2; i++)
        if ((uint64_t)i * i % q == x) return true;
    return false;
}

/* Entry of the Paley matrix of order q + 1, signs such that column 0 is constant: all other columns then sum to zero. */
static int paley(uint32_t order, uint32_t i, uint32_t j)
{
    uint32_t q = order - 1;
    if (order == 1) return 1;
    if (i == 0 || j == 0) return -1;
    if (i == j) return 1;
    return square_modulo((j + q - i) % q, q) ? 1 : -1;
}

static int hadamard(uint32_t n, uint32_t core, uint32_t i, uint32_t j)
{
    int sign = 1;
    while (n > core) {
        n /= 2;
        if (i >= n && j >= n) sign = -sign;
        i %= n;
        j %= n;
    }
    return sign * paley(core, i, j);
}

/* Column 0 may hold one sign only; rows are replicates, columns 1.. the strata, so that each stratum is balanced on its own. */
static su_status balanced(su_context *ctx, const su_design *d, double rho, bool mse, su_replicates **out)
{
    const su_stage *s = &d->stage[0];
    uint32_t order = s->strata + 1;
    for (uint32_t h = 0; h < s->strata; h++)
        if (s->first[h + 1] - s->first[h] != 2)
            return su_fail(ctx, SU_REFUSED,
                           "balanced repeated replication needs exactly two primary sampling units in every stratum; '%s' has %u. Use JKn",
                           d->strata ? d->strata->levels[su_frame_level(d->strata, s->row[h]) - 1] : "the sample",
                           s->first[h + 1] - s->first[h]);
    if (s->strata > 2000)
        return su_fail(ctx, SU_REFUSED, "balanced repeated replication over %u strata is slow; use linearisation", s->strata);
    if (!(rho >= 0 && rho < 1)) return su_fail(ctx, SU_REFUSED, "Fay's factor %g must be at least 0 and below 1", rho);
    while (order > 2 && (order % 4 || !paley_core(order))) order++;
    uint32_t core = paley_core(order);
    *out = empty(order, s->units, mse);
    for (uint32_t i = 0; i < order; i++) {
        (*out)->scale[i] = 1 / (order * (1 - rho) * (1 - rho));
        for (uint32_t h = 0; h < s->strata; h++) {
            uint32_t chosen = s->first[h] + (hadamard(order, core, i, h + 1) > 0), other = 2 * s->first[h] + 1 - chosen;
            (*out)->factor[(size_t)i * s->units + chosen] = 2 - rho;
            (*out)->factor[(size_t)i * s->units + other] = rho;
        }
    }
    return SU_OK;
}

static su_status rao_wu(su_context *ctx, const su_design *d, const su_replicate_options *o, su_replicates **out)
{
    const su_stage *s = &d->stage[0];
    uint32_t count = o->replicates ? o->replicates : 500;
    if ((uint64_t)count * s->units > UINT64_C(40000000))
        return su_fail(ctx, SU_REFUSED, "%u bootstrap replicates of %u units do not fit; ask for fewer, or use linearisation", count,
                       s->units);
    su_status st = at_least_two(ctx, d, "the bootstrap");
    if (st) return st;
    *out = empty(count, s->units, o->mse);
    memset((*out)->factor, 0, (size_t)count * s->units * sizeof *(*out)->factor);
    for (uint32_t i = 0; i < count; i++) {
        su_philox r = su_philox_of(o->seed, i);
        (*out)->scale[i] = 1.0 / (count - (o->mse ? 0 : 1));
        for (uint32_t h = 0; h < s->strata; h++) {
            uint32_t n = s->first[h + 1] - s->first[h];
            double each = (double)n / (n - 1);
            for (uint32_t draw = 1; draw < n; draw++)
                (*out)->factor[(size_t)i * s->units + s->first[h] + (uint32_t)su_philox_below(&r, n)] += each;
        }
    }
    return SU_OK;
}

/* Every replicate of the weights before the calibration meets the margins on its own. */
static su_status calibrate_again(su_context *ctx, const su_design *d, su_replicates *r)
{
    su_status st = SU_OK;
    if ((uint64_t)r->count * d->rows > UINT64_C(200000000))
        return su_fail(ctx, SU_REFUSED, "%u replicates of %llu calibrated weights do not fit; ask for fewer, or use linearisation", r->count,
                       (unsigned long long)d->rows);
    r->row_count = d->rows;
    r->rows = su_alloc_array(r->count, (size_t)d->rows * sizeof *r->rows);
    for (uint32_t i = 0; i < r->count && !st; i++) {
        const double *factor = r->factor + (size_t)i * r->units;
        su_design own = *d;
        su_arena_init(&own.arena);
        own.weight = r->rows + (size_t)i * d->rows;
        own.before = NULL;
        own.terms = NULL;
        own.term_count = own.columns = 0;
        for (uint64_t k = 0; k < d->rows; k++) own.weight[k] = d->before[k] * factor[d->top[k]];
        st = su_design_calibrate(ctx, &own, d->margins, d->margin_count, &d->calibration, NULL);
        if (st) su_fail_prefix(ctx, "replicate %u of %u: ", i + 1, r->count);
        free(own.before);
        su_arena_free(&own.arena);
    }
    return st;
}

su_status su_replicates_new(su_context *ctx, const su_design *d, const su_replicate_options *o, su_replicates **out)
{
    su_status st = SU_USAGE;
    *out = NULL;
    switch (o->method) {
    case SU_REPLICATE_JK1:
        st = jackknife(ctx, d, false, o->mse, out);
        break;
    case SU_REPLICATE_JKN:
        st = jackknife(ctx, d, true, o->mse, out);
        break;
    case SU_REPLICATE_BRR:
        st = balanced(ctx, d, 0, o->mse, out);
        break;
    case SU_REPLICATE_FAY:
        st = balanced(ctx, d, o->fay, o->mse, out);
        break;
    case SU_REPLICATE_RAO_WU:
        st = rao_wu(ctx, d, o, out);
        break;
    }
    if (!st && d->before && (st = calibrate_again(ctx, d, *out))) {
        su_replicates_free(*out);
        *out = NULL;
    }
    return st;
}

void su_replicates_weights(const su_design *d, const su_replicates *r, uint32_t at, double *weights)
{
    const double *factor = r->factor + (size_t)at * r->units;
    if (r->rows) {
        memcpy(weights, r->rows + (size_t)at * r->row_count, (size_t)r->row_count * sizeof *weights);
        return;
    }
    for (uint64_t i = 0; i < d->rows; i++) weights[i] = d->weight[i] * factor[d->top[i]];
}

void su_replicates_covariance(const su_replicates *r, const double *estimates, const double *full, size_t k, double *covariance)
{
    double *centre = su_alloc_array(k, sizeof *centre);
    memset(covariance, 0, k * k * sizeof *covariance);
    for (size_t j = 0; j < k; j++) {
        if (r->mse)
            centre[j] = full[j];
        else
            for (uint32_t i = 0; i < r->count; i++) centre[j] += estimates[(size_t)i * k + j] / r->count;
    }
    for (uint32_t i = 0; i < r->count; i++)
        for (size_t a = 0; a < k; a++)
            for (size_t b = 0; b < k; b++)
                covariance[a * k + b] +=
                    r->scale[i] * (estimates[(size_t)i * k + a] - centre[a]) * (estimates[(size_t)i * k + b] - centre[b]);
    free(centre);
}

/* ---- estimates: totals of units once, then a product with the factors ------------------------------------------------------- */

/* sums of w y and w x per unit, for the groups of one estimand: units x groups x 2. */
static double *unit_sums(const su_design *d, const su_estimand *e, uint32_t groups)
{
    double *sums = su_alloc_array((size_t)d->stage[0].units * groups, 2 * sizeof *sums);
    for (uint64_t r = 0; r < d->rows; r++) {
        uint32_t group = e->group ? e->group[r] : 1;
        double y = e->level ? (double)(e->level[r] == e->value) : e->y[r], x = e->x ? e->x[r] : 1;
        if (!group || (e->level && !e->level[r]) || isnan(y) || isnan(x)) continue;
        double *at = sums + ((size_t)d->top[r] * groups + group - 1) * 2;
        at[0] += d->weight[r] * y;
        at[1] += d->weight[r] * x;
    }
    return sums;
}

/* Calibrated again, a row's weight is no product any more: the rows are read once per replicate. */
static void row_estimates(const su_design *d, const su_replicates *r, const su_estimand *e, uint32_t groups, double *all, size_t stride)
{
    double *sums = su_alloc_array(groups, 2 * sizeof *sums);
    for (uint32_t at = 0; at < r->count; at++) {
        const double *weight = r->rows + (size_t)at * r->row_count;
        memset(sums, 0, groups * 2 * sizeof *sums);
        for (uint64_t i = 0; i < d->rows; i++) {
            uint32_t group = e->group ? e->group[i] : 1;
            double y = e->level ? (double)(e->level[i] == e->value) : e->y[i], x = e->x ? e->x[i] : 1;
            if (!group || (e->level && !e->level[i]) || isnan(y) || isnan(x)) continue;
            sums[2 * (group - 1)] += weight[i] * y;
            sums[2 * (group - 1) + 1] += weight[i] * x;
        }
        for (uint32_t g = 0; g < groups; g++)
            all[(size_t)at * stride + g] = e->statistic == SU_TOTAL ? sums[2 * g] : sums[2 * g] / sums[2 * g + 1];
    }
    free(sums);
}

su_status su_replicates_estimate(su_context *ctx, const su_design *d, const su_replicates *r, const su_estimand *estimands, size_t count,
                                 su_estimate *out, double *covariance)
{
    size_t k = 0, first = 0;
    for (size_t i = 0; i < count; i++) k += estimands[i].group ? estimands[i].groups : 1;
    su_status st = su_design_estimate(ctx, d, estimands, count, out, NULL);
    if (st) return st;
    double *all = su_alloc_array((size_t)r->count * k, sizeof *all), *v = su_alloc_array(k * k, sizeof *v),
           *full = su_alloc_array(k, sizeof *full);
    for (size_t i = 0; i < count; i++) {
        uint32_t groups = estimands[i].group ? estimands[i].groups : 1;
        if (r->rows) {
            row_estimates(d, r, &estimands[i], groups, all + first, k);
            first += groups;
            continue;
        }
        double *sums = unit_sums(d, &estimands[i], groups);
        for (uint32_t at = 0; at < r->count; at++)
            for (uint32_t g = 0; g < groups; g++) {
                double y = 0, x = 0;
                for (uint32_t u = 0; u < r->units; u++) {
                    double f = r->factor[(size_t)at * r->units + u];
                    y += f * sums[((size_t)u * groups + g) * 2];
                    x += f * sums[((size_t)u * groups + g) * 2 + 1];
                }
                all[(size_t)at * k + first + g] = estimands[i].statistic == SU_TOTAL ? y : y / x;
            }
        free(sums);
        first += groups;
    }
    for (size_t j = 0; j < k; j++) full[j] = out[j].estimate;
    su_replicates_covariance(r, all, full, k, v);
    for (size_t j = 0; j < k; j++) {
        double change = v[j * k + j] / out[j].variance;
        out[j].variance = v[j * k + j];
        out[j].deff *= change;
        out[j].deff_replace *= change;
    }
    if (covariance) memcpy(covariance, v, k * k * sizeof *v);
    free(all);
    free(v);
    free(full);
    return SU_OK;
}
