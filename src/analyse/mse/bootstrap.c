#include "mse/bootstrap.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "numeric/philox.h"
#include "numeric/special.h"

enum { ERROR_ROUNDS = 200, FEWEST = 20 };
static const uint64_t ERROR_STREAM = 1ull << 62;

typedef struct run {
    su_context *ctx;
    const su_overlaps *o;
    su_estimator estimator;
    const void *arg;
    uint64_t seed;
    su_mse_lattice *lattices;
    size_t positive;   /* cells with people */
    uint16_t *cell;    /* those */
    double *share;     /* of n */
    double *jackknife; /* one per cell with people */
    double *replicate;
} run;

static void leave_one_out(run *r, size_t i, unsigned worker)
{
    su_mse_lattice *l = &r->lattices[worker];
    double *count = su_alloc_array(r->o->cells, sizeof *count);
    for (size_t w = 0; w < r->o->cells; w++) count[w] = (double)r->o->counts[w];
    count[r->cell[i]] -= 1;
    su_mse_lattice_set(l, count, false);
    r->jackknife[i] = r->estimator(r->arg, l);
    free(count);
}

static void resample(run *r, size_t i, unsigned worker)
{
    su_mse_lattice *l = &r->lattices[worker];
    su_philox random = su_philox_of(r->seed, i);
    int64_t *drawn = su_alloc_array(r->positive, sizeof *drawn);
    double *count = su_alloc_array(r->o->cells, sizeof *count);
    su_philox_multinomial(&random, r->o->n, r->share, r->positive, drawn);
    for (size_t k = 0; k < r->positive; k++) count[r->cell[k]] = (double)drawn[k];
    su_mse_lattice_set(l, count, false);
    r->replicate[i] = r->estimator(r->arg, l);
    free(drawn);
    free(count);
}

static void one_task(void *arg, size_t i, unsigned worker)
{
    run *r = arg;
    if (su_cancelled(r->ctx)) return;
    if (i < r->positive)
        leave_one_out(r, i, worker);
    else
        resample(r, i - r->positive, worker);
}

static double acceleration(const double *jackknife, const double *weight, size_t count)
{
    double total = 0, mean = 0, square = 0, cube = 0;
    for (size_t i = 0; i < count; i++) {
        if (!isfinite(jackknife[i])) continue;
        total += weight[i];
        mean += weight[i] * jackknife[i];
    }
    mean /= total;
    for (size_t i = 0; i < count; i++) {
        if (!isfinite(jackknife[i])) continue;
        double d = mean - jackknife[i];
        square += weight[i] * d * d;
        cube += weight[i] * d * d * d;
    }
    return square > 0 ? cube / (6 * pow(square, 1.5)) : 0;
}

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double z0_of(double below, double count) { return su_normal_quantile(fmin(fmax(below, 0.5), count - 0.5) / count); }

void su_bootstrap_sort(su_bootstrap *b)
{
    size_t below = 0;
    qsort(b->sorted, b->count, sizeof *b->sorted, compare_doubles);
    while (below < b->count && b->sorted[below] < b->estimate) below++;
    b->z0 = b->count ? z0_of((double)below, (double)b->count) : NAN;
}

void su_bootstrap_run(su_context *ctx, const su_overlaps *o, su_estimator estimator, const void *arg, uint32_t replicates, uint64_t seed,
                      su_bootstrap *out)
{
    unsigned workers = su_parallel_workers(ctx);
    run r = { .ctx = ctx, .o = o, .estimator = estimator, .arg = arg, .seed = seed };
    *out = (su_bootstrap) { .estimate = NAN, .z0 = NAN, .acceleration = NAN };
    r.lattices = su_alloc_array(workers, sizeof *r.lattices);
    r.cell = su_alloc_array(o->cells, sizeof *r.cell);
    r.share = su_alloc_array(o->cells, sizeof *r.share);
    for (size_t w = 1; w < o->cells; w++) {
        if (!o->counts[w]) continue;
        r.share[r.positive] = (double)o->counts[w] / (double)o->n;
        r.cell[r.positive++] = (uint16_t)w;
    }
    r.jackknife = su_alloc_array(o->cells, sizeof *r.jackknife);
    r.replicate = su_alloc_array((size_t)replicates + 1, sizeof *r.replicate);
    for (unsigned w = 0; w < workers; w++) su_mse_lattice_init(&r.lattices[w], o->lists);
    su_mse_lattice_set_integers(&r.lattices[0], o->counts);
    out->estimate = estimator(arg, &r.lattices[0]);
    if (isfinite(out->estimate)) {
        double *weight = su_alloc_array(o->cells, sizeof *weight);
        su_parallel(ctx, r.positive + replicates, one_task, &r);
        for (size_t i = 0; i < r.positive; i++) {
            weight[i] = (double)o->counts[r.cell[i]];
            out->failed += !isfinite(r.jackknife[i]);
        }
        out->acceleration = acceleration(r.jackknife, weight, r.positive);
        out->sorted = r.replicate;
        for (size_t i = 0; i < replicates && !su_cancelled(ctx); i++) {
            if (isfinite(r.replicate[i]))
                out->sorted[out->count++] = r.replicate[i];
            else
                out->failed++;
        }
        r.replicate = NULL;
        su_bootstrap_sort(out);
        free(weight);
    }
    for (unsigned w = 0; w < workers; w++) su_mse_lattice_free(&r.lattices[w]);
    free(r.lattices), free(r.cell), free(r.share), free(r.jackknife), free(r.replicate);
}

/* ---- limits ---- */

double su_quantile_8(const double *sorted, size_t count, double p)
{
    double at = ((double)count + 1.0 / 3) * p + 1.0 / 3;
    if (!count || isnan(at)) return NAN;
    if (at <= 1) return sorted[0];
    if (at >= (double)count) return sorted[count - 1];
    size_t below = (size_t)at;
    double part = at - (double)below;
    return sorted[below - 1] + part * (sorted[below] - sorted[below - 1]);
}

static double adjusted(double z0, double acceleration, double p)
{
    double z = z0 + su_normal_quantile(p);
    return su_normal_cdf(z0 + z / (1 - acceleration * z));
}

double su_bca_limit(const double *sorted, size_t count, double z0, double acceleration, double p)
{
    return su_quantile_8(sorted, count, adjusted(z0, acceleration, p));
}

su_limits su_bca_limits(const su_bootstrap *b, double level, uint64_t seed)
{
    su_limits out = { NAN, NAN, NAN, NAN };
    double tail = (1 - level) / 2, sum[2] = { 0 }, square[2] = { 0 };
    if (b->count < FEWEST) return out;
    out.low = su_bca_limit(b->sorted, b->count, b->z0, b->acceleration, tail);
    out.high = su_bca_limit(b->sorted, b->count, b->z0, b->acceleration, 1 - tail);
    uint32_t *times = su_alloc_array(b->count, sizeof *times);
    double *again = su_alloc_array(b->count, sizeof *again);
    for (int round = 0; round < ERROR_ROUNDS; round++) {
        su_philox random = su_philox_of(seed, ERROR_STREAM + (uint64_t)round);
        size_t at = 0, below = 0;
        memset(times, 0, b->count * sizeof *times);
        for (size_t i = 0; i < b->count; i++) times[su_philox_below(&random, b->count)]++;
        for (size_t i = 0; i < b->count; i++) {
            if (b->sorted[i] < b->estimate) below += times[i];
            for (uint32_t k = 0; k < times[i]; k++) again[at++] = b->sorted[i];
        }
        double z0 = z0_of((double)below, (double)b->count);
        for (int end = 0; end < 2; end++) {
            double limit = su_bca_limit(again, b->count, z0, b->acceleration, end ? 1 - tail : tail) - (end ? out.high : out.low);
            sum[end] += limit;
            square[end] += limit * limit;
        }
    }
    out.low_error = sqrt(fmax(0, square[0] - sum[0] * sum[0] / ERROR_ROUNDS) / (ERROR_ROUNDS - 1));
    out.high_error = sqrt(fmax(0, square[1] - sum[1] * sum[1] / ERROR_ROUNDS) / (ERROR_ROUNDS - 1));
    free(times);
    free(again);
    return out;
}
