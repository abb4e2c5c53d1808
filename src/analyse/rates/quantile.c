/* Quantiles of a weighted sample with Woodruff's interval. The rules are those of Hyndman and Fan 1996 (doi:10.1080/00031305.1996.10473566)
 * carried over to weights, and Shah and Vaish 2006. */
#include "numeric/matrix.h"
#include "numeric/special.h"
#include "rates/design.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *const names[] = {
#define NAME(id, name) name,
    SU_QUANTILE_RULES(NAME)
#undef NAME
};

bool su_quantile_rule_parse(su_str name, su_quantile_rule *out)
{
    for (int i = 0; i < SU_QUANTILE_RULE_COUNT; i++)
        if (su_str_equal(name, su_str_of(names[i]))) {
            *out = (su_quantile_rule)i;
            return true;
        }
    return false;
}

/* A value as a whole number of the same order, and its row. */
typedef struct point {
    uint64_t key;
    uint64_t row;
} point;

static uint64_t key_of(double x)
{
    uint64_t bits;
    x += 0.0; /* minus zero is zero */
    memcpy(&bits, &x, sizeof bits);
    return bits >> 63 ? ~bits : bits | UINT64_C(1) << 63;
}

/* Radix sort, 11 bits at a time: rows of equal value keep their order, as in R. Returns the sorted one of the two arrays. */
static point *sort_points(point *points, point *spare, size_t n)
{
    enum { BITS = 11, BINS = 1 << BITS, PASSES = 6 };
    static_assert(BITS * PASSES >= 64, "all bits are looked at");
    size_t(*count)[BINS] = su_alloc_array(PASSES, sizeof *count);
    for (size_t i = 0; i < n; i++)
        for (int pass = 0; pass < PASSES; pass++) count[pass][points[i].key >> (pass * BITS) & (BINS - 1)]++;
    for (int pass = 0; pass < PASSES; pass++) {
        int shift = pass * BITS;
        size_t at = 0;
        if (n && count[pass][points[0].key >> shift & (BINS - 1)] == n) continue; /* alike in all rows */
        for (int b = 0; b < BINS; b++) {
            size_t own = count[pass][b];
            count[pass][b] = at;
            at += own;
        }
        for (size_t i = 0; i < n; i++) spare[count[pass][points[i].key >> shift & (BINS - 1)]++] = points[i];
        point *other = points;
        points = spare;
        spare = other;
    }
    free(count);
    return points;
}

/* Rows in order of their values, with the weight before each. */
typedef struct curve {
    size_t n;
    double *x, *w, *below; /* value, its weight, weight before it */
    double total;
} curve;

static void curve_free(curve *c)
{
    free(c->x);
    free(c->w);
    free(c->below);
}

static void curve_of(const su_design *d, const double *y, point *points, size_t n, curve *c)
{
    su_sum sum = { 0 };
    point *spare = su_alloc_array(n, sizeof *spare), *sorted = sort_points(points, spare, n);
    *c = (curve) { .n = n };
    c->x = su_alloc_array(n, sizeof *c->x);
    c->w = su_alloc_array(n, sizeof *c->w);
    c->below = su_alloc_array(n, sizeof *c->below);
    for (size_t i = 0; i < n; i++) {
        c->x[i] = y[sorted[i].row];
        c->w[i] = d->weight[sorted[i].row];
        c->below[i] = su_sum_of(&sum);
        su_sum_add(&sum, c->w[i]);
    }
    c->total = su_sum_of(&sum);
    free(spare);
}

/* Share of the population that the rule puts at the k-th row. */
static double share_at(const curve *c, su_quantile_rule rule, size_t k)
{
    size_t last = c->n - 1;
    double before = c->below[k], through = before + c->w[k], total = c->total, wn = c->w[last];
    switch (rule) {
    case SU_QUANTILE_HF5:
        return (before + through) / 2 / total;
    case SU_QUANTILE_HF6:
        return through / (total + wn);
    case SU_QUANTILE_HF7:
        return total > wn ? before / (total - wn) : 1;
    case SU_QUANTILE_HF8:
        return (before / 3 + through * 2 / 3) / (total + wn / 3);
    case SU_QUANTILE_HF9:
        return (before * 3 / 8 + through * 5 / 8) / (total + wn / 4);
    case SU_QUANTILE_SHAH_VAISH: {
        double mean = total / (double)c->n;
        return (through / mean + 0.5 - c->w[k] / mean / 2) / ((double)c->n + 1);
    }
    default:
        return through / total;
    }
}

/* Half of the next row's weight belongs to this one: the nearest row, and of two equally near ones the even one, counted from 1. */
static double nearest_row(const curve *c, double p)
{
    double target = p * c->total, near = 1e-12 * c->total;
    size_t low = 0, high = c->n - 1;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (c->below[middle] + c->w[middle] + c->w[middle + 1] / 2 >= target - near)
            high = middle;
        else
            low = middle + 1;
    }
    bool between = low + 1 < c->n && fabs(c->below[low] + c->w[low] + c->w[low + 1] / 2 - target) <= near;
    return between && low % 2 == 0 ? c->x[low + 1] : c->x[low];
}

/* Steps: the value whose share first reaches p; where it reaches it exactly, the rule says what the value or the middle is. */
static double step(const curve *c, su_quantile_rule rule, double p)
{
    double target = p * c->total, near = 1e-12 * c->total;
    size_t low = 0, high = c->n - 1;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (c->below[middle] + c->w[middle] >= target - near)
            high = middle;
        else
            low = middle + 1;
    }
    bool exact = fabs(c->below[low] + c->w[low] - target) <= near && low + 1 < c->n;
    if (exact && (rule == SU_QUANTILE_SCHOOL || rule == SU_QUANTILE_HF2)) return (c->x[low] + c->x[low + 1]) / 2;
    return c->x[low];
}

static double read_back(const curve *c, su_quantile_rule rule, double p)
{
    if (rule == SU_QUANTILE_HF3) return nearest_row(c, p);
    if (rule == SU_QUANTILE_MATH || rule == SU_QUANTILE_SCHOOL || rule == SU_QUANTILE_HF1 || rule == SU_QUANTILE_HF2)
        return step(c, rule, p);
    size_t low = 0, high = c->n; /* first value with a share above p; equal is equal whatever the rounding */
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (share_at(c, rule, middle) > p + 1e-12)
            high = middle;
        else
            low = middle + 1;
    }
    if (low == 0) return c->x[0];
    if (low == c->n || rule == SU_QUANTILE_SHAH_VAISH) return c->x[low - 1];
    double a = share_at(c, rule, low - 1), b = share_at(c, rule, low);
    return c->x[low - 1] + (c->x[low] - c->x[low - 1]) * (b > a ? (p - a) / (b - a) : 0);
}

/* Degrees of freedom are those of the rows in the group. */
static su_status one(su_context *ctx, const su_design *d, const double *below, const uint32_t *group, uint32_t groups, uint32_t value,
                     const curve *c, su_quantile_rule rule, double level, su_quantile *q)
{
    su_estimate *e = su_alloc_array(groups, sizeof *e);
    su_estimand share = { .statistic = SU_MEAN, .y = below, .group = group, .groups = groups };
    su_status st = su_design_estimate(ctx, d, &share, 1, e, NULL);
    const su_estimate *own = &e[value - 1];
    su_interval i = su_mean_interval(own->estimate, own->variance, own->df, level);
    q->low = q->high = q->se = NAN;
    if (!st && !isnan(i.low)) {
        q->low = read_back(c, rule, fmax(i.low, 0));
        q->high = read_back(c, rule, fmin(i.high, 1));
        q->se = (q->high - q->low) / (2 * su_t_quantile(0.5 + level / 2, own->df));
    }
    free(e);
    return st;
}

su_status su_design_quantiles(su_context *ctx, const su_design *d, const double *y, const uint32_t *group, uint32_t value,
                              su_quantile_rule rule, double level, const double *p, size_t count, su_quantile *out)
{
    su_status st = SU_OK;
    size_t n = 0;
    point *points = su_alloc_array((size_t)d->rows, sizeof *points);
    double *below = su_alloc_array((size_t)d->rows, sizeof *below);
    uint32_t *inside = su_alloc_array((size_t)d->rows, sizeof *inside);
    curve c = { 0 };
    for (uint64_t r = 0; r < d->rows; r++) {
        if ((group && group[r] != value) || isnan(y[r]) || !(d->weight[r] > 0)) continue;
        points[n++] = (point) { key_of(y[r]), r };
        inside[r] = 1;
    }
    if (n) curve_of(d, y, points, n, &c);
    for (size_t k = 0; k < count && !st; k++) {
        out[k] = (su_quantile) { p[k], NAN, NAN, NAN, NAN };
        if (!n) continue;
        out[k].estimate = read_back(&c, rule, p[k]);
        for (uint64_t r = 0; r < d->rows; r++) below[r] = inside[r] ? (double)(y[r] <= out[k].estimate) : NAN;
        st = one(ctx, d, below, inside, 1, 1, &c, rule, level, &out[k]);
    }
    curve_free(&c);
    free(points);
    free(below);
    free(inside);
    return st;
}
