/* Variance between units within strata, stage by stage, without a second look at the rows.
 * Cochran 1977, chapter 11; Binder 1983 (doi:10.2307/1402588). */
#include "numeric/matrix.h"
#include "rates/design.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The same inside units of the stages before. */
static su_status check_later(su_context *ctx, const su_design *d)
{
    for (unsigned t = 1; t < d->stages; t++) {
        const su_stage *s = &d->stage[t];
        uint32_t found = 0, first = 0;
        for (uint32_t h = 0; h < s->strata; h++)
            if (s->first[h + 1] - s->first[h] == 1 && 1 - su_stage_fraction(s, h) >= SU_CENSUS && !found++) first = h;
        if (found)
            return su_fail(ctx, SU_REFUSED,
                           "at stage %u of sampling, %u %s only one unit sampled of several (the first around row %llu), so the variance "
                           "inside cannot be seen. Leave that "
                           "stage out (one column in --psu and --fpc), or say --lone centre, adjust, average or certainty",
                           t + 1, found, found == 1 ? "unit of the stage before has" : "units of the stage before have",
                           (unsigned long long)s->row[first] + 1);
    }
    return SU_OK;
}

su_status su_design_check_lone(su_context *ctx, const su_design *d)
{
    su_buf names = { 0 };
    uint32_t found = 0;
    const su_stage *s = &d->stage[0];
    if (d->lone != SU_LONE_FAIL) return SU_OK;
    for (uint32_t h = 0; h < s->strata; h++) {
        if (s->first[h + 1] - s->first[h] > 1 || 1 - su_stage_fraction(s, h) < SU_CENSUS) continue;
        if (found++ < 20 && d->strata)
            su_buf_printf(&names, "%s'%s'", names.n ? ", " : "", d->strata->levels[su_frame_level(d->strata, s->row[h]) - 1]);
    }
    su_status st = found ? SU_OK : check_later(ctx, d);
    if (found && !d->strata)
        st = su_fail(
            ctx, SU_REFUSED,
            d->clusters
                ? "the whole sample is one primary sampling unit: nothing can be said about its variance. Is --psu the right column?"
                : "the file has one row only: nothing can be said about its variance");
    else if (found)
        st = su_fail(ctx, SU_REFUSED,
                     "%u %s only one primary sampling unit, so the variance there cannot be seen: %s%s. Merge each with a stratum like it "
                     "(best), or say "
                     "--lone centre (deviation from the mean of all units), adjust, average, or certainty (only if the unit was certain to "
                     "be drawn)",
                     found, found == 1 ? "stratum has" : "strata have", names.p, found > 20 ? ", ..." : "");
    su_buf_free(&names);
    return st;
}

/* What the stage above multiplies: the product of sampled fractions. */
static double *fractions_above(const su_design *d, unsigned s)
{
    const su_stage *stage = &d->stage[s];
    double *out = su_alloc_array(stage->strata, sizeof *out);
    for (uint32_t h = 0; h < stage->strata; h++) {
        out[h] = 1;
        uint32_t stratum = h;
        for (unsigned t = s; t > 0; t--) {
            uint32_t unit = d->stage[t].parent[stratum];
            const su_stage *up = &d->stage[t - 1];
            uint32_t low = 0, high = up->strata; /* the stratum that holds the unit */
            while (high - low > 1) {
                uint32_t middle = low + (high - low) / 2;
                if (up->first[middle] <= unit)
                    low = middle;
                else
                    high = middle;
            }
            stratum = low;
            out[h] *= su_stage_fraction(up, stratum);
        }
    }
    return out;
}

static void means(const double *z, size_t k, uint32_t from, uint32_t to, double *out)
{
    for (size_t c = 0; c < k; c++) {
        su_sum sum = { 0 };
        for (uint32_t u = from; u < to; u++) su_sum_add(&sum, z[(size_t)u * k + c]);
        out[c] = su_sum_of(&sum) / (to - from);
    }
}

typedef struct pass {
    const double *za, *zb;
    size_t ka, kb;
    double *ca, *cb; /* centres */
    double *out;     /* of one stratum */
} pass;

static void deviations(pass *p, uint32_t from, uint32_t to)
{
    memset(p->out, 0, p->ka * p->kb * sizeof *p->out);
    if (p->ka == 1 && p->kb == 1) {
        double sum = 0;
        for (uint32_t u = from; u < to; u++) sum += (p->za[u] - p->ca[0]) * (p->zb[u] - p->cb[0]);
        p->out[0] = sum;
        return;
    }
    for (uint32_t u = from; u < to; u++)
        for (size_t i = 0; i < p->ka; i++) {
            double x = p->za[(size_t)u * p->ka + i] - p->ca[i];
            if (x == 0) continue;
            for (size_t j = 0; j < p->kb; j++) p->out[i * p->kb + j] += x * (p->zb[(size_t)u * p->kb + j] - p->cb[j]);
        }
}

static void zero(double *x, size_t n)
{
    for (size_t i = 0; i < n; i++) x[i] = 0;
}

/* Centres of stratum h and the factor of its sum of products; 0 = it adds nothing. */
static double centre(const su_design *d, const su_stage *stage, pass *p, uint32_t h, const double *grand_a, const double *grand_b)
{
    uint32_t from = stage->first[h], to = stage->first[h + 1];
    double f = 1 - su_stage_fraction(stage, h), n = to - from;
    if (f < SU_CENSUS) return 0;
    if (n > 1) {
        means(p->za, p->ka, from, to, p->ca);
        means(p->zb, p->kb, from, to, p->cb);
        return f * n / (n - 1);
    }
    if (d->lone != SU_LONE_CENTRE && d->lone != SU_LONE_ADJUST) return 0;
    zero(p->ca, p->ka);
    zero(p->cb, p->kb);
    if (d->lone == SU_LONE_CENTRE) {
        memcpy(p->ca, grand_a, p->ka * sizeof *p->ca);
        memcpy(p->cb, grand_b, p->kb * sizeof *p->cb);
    }
    return f;
}

static void stage_variance(const su_design *d, unsigned s, const double *za, size_t ka, const double *zb, size_t kb, double *covariance)
{
    const su_stage *stage = &d->stage[s];
    pass p = {
        za, zb, ka, kb, su_alloc_array(ka, sizeof(double)), su_alloc_array(kb, sizeof(double)), su_alloc_array(ka * kb, sizeof(double))
    };
    double *grand_a = su_alloc_array(ka, sizeof(double)), *grand_b = su_alloc_array(kb, sizeof(double));
    double *above = fractions_above(d, s);
    uint32_t usable = 0;
    double *sum = su_alloc_array(ka * kb, sizeof *sum);
    if (d->lone == SU_LONE_CENTRE) {
        means(za, ka, 0, stage->units, grand_a);
        means(zb, kb, 0, stage->units, grand_b);
    }
    for (uint32_t h = 0; h < stage->strata; h++) {
        double factor = centre(d, stage, &p, h, grand_a, grand_b) * above[h];
        usable += stage->first[h + 1] - stage->first[h] > 1 || 1 - su_stage_fraction(stage, h) < SU_CENSUS;
        if (factor == 0) continue;
        deviations(&p, stage->first[h], stage->first[h + 1]);
        for (size_t i = 0; i < ka * kb; i++) sum[i] += factor * p.out[i];
    }
    double share = d->lone == SU_LONE_AVERAGE ? (usable ? (double)stage->strata / usable : NAN) : 1;
    for (size_t i = 0; i < ka * kb; i++) covariance[i] += share * sum[i];
    free(sum);
    free(p.ca);
    free(p.cb);
    free(p.out);
    free(grand_a);
    free(grand_b);
    free(above);
}

/* Totals of the units of the stage before. */
static double *lift(const su_design *d, unsigned s, const double *z, size_t k)
{
    const su_stage *stage = &d->stage[s];
    double *up = su_alloc_array((size_t)d->stage[s - 1].units * k, sizeof *up);
    for (uint32_t h = 0; h < stage->strata; h++)
        for (uint32_t u = stage->first[h]; u < stage->first[h + 1]; u++)
            for (size_t c = 0; c < k; c++) up[(size_t)stage->parent[h] * k + c] += z[(size_t)u * k + c];
    return up;
}

su_status su_design_variance(su_context *ctx, const su_design *d, const double *za, size_t ka, const double *zb, size_t kb,
                             double *covariance)
{
    su_status st = su_design_check_lone(ctx, d);
    if (st) return st;
    const double *a = za, *b = zb;
    double *free_a = NULL, *free_b = NULL;
    for (unsigned s = d->stages; s-- > 0;) {
        stage_variance(d, s, a, ka, b, kb, covariance);
        if (s == 0) break;
        double *up_a = lift(d, s, a, ka), *up_b = a == b ? up_a : lift(d, s, b, kb);
        free(free_a);
        if (free_b != free_a) free(free_b);
        a = free_a = up_a;
        b = free_b = up_b;
    }
    free(free_a);
    if (free_b != free_a) free(free_b);
    return SU_OK;
}
