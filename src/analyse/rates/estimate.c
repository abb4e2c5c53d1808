/* Estimates of a design: one pass over the rows for totals, one for the linearised totals of the units. Rows are read in blocks, so that
 * what a block needs stays in the nearest cache and sums of blocks are added without loss. */
#include "numeric/matrix.h"
#include "rates/block.h"
#include "rates/design.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MOST_CELLS ((size_t)8 << 20) /* of the table units x estimates held at once: 64 MB */

/* ---- totals ----------------------------------------------------------------------------------------------------------------- */

typedef struct totals {
    su_sum weight, y, x, square_weight;
    uint64_t n, nonzero;
} totals;

static void sum_totals(const su_design *d, const su_estimand *e, totals *t)
{
    uint32_t groups = su_estimand_groups(e);
    double *part = su_alloc_array((size_t)groups * 4, sizeof *part);
    su_block *b = su_alloc(sizeof *b);
    for (uint64_t from = 0; from < d->rows; from += SU_BLOCK) {
        su_block_read(d, e, from, b);
        memset(part, 0, (size_t)groups * 4 * sizeof *part);
        for (uint32_t i = 0; i < b->n; i++) {
            if (!b->group[i]) continue;
            uint32_t g = b->group[i] - 1;
            double w = b->weight[i];
            part[4 * g] += w;
            part[4 * g + 1] += w * b->y[i];
            part[4 * g + 2] += w * b->x[i];
            part[4 * g + 3] += w * w;
            t[g].n++;
            t[g].nonzero += b->y[i] != 0;
        }
        for (uint32_t g = 0; g < groups; g++) {
            if (part[4 * g] == 0) continue;
            su_sum_add(&t[g].weight, part[4 * g]);
            su_sum_add(&t[g].y, part[4 * g + 1]);
            su_sum_add(&t[g].x, part[4 * g + 2]);
            su_sum_add(&t[g].square_weight, part[4 * g + 3]);
        }
    }
    free(part);
    free(b);
}

static void estimate_of(const su_estimand *e, const totals *t, su_estimate *out, su_influence *z)
{
    double w = su_sum_of(&t->weight), y = su_sum_of(&t->y), x = su_sum_of(&t->x);
    *out = (su_estimate) { .n = t->n, .nonzero = t->nonzero, .weight_sum = w };
    out->kish = t->n ? (double)t->n * su_sum_of(&t->square_weight) / (w * w) : NAN;
    z->mean = y / w;
    switch (e->statistic) {
    case SU_MEAN:
        out->estimate = y / w;
        *z = (su_influence) { y / w, 1 / w, y / w }; /* x is 1 */
        break;
    case SU_TOTAL:
        out->estimate = y;
        *z = (su_influence) { 0, 1, y / w };
        break;
    case SU_RATIO:
        out->estimate = y / x;
        *z = (su_influence) { y / x, 1 / x, y / w };
        break;
    }
    if (!t->n || !isfinite(out->estimate))
        *out = (su_estimate) { .estimate = NAN, .variance = NAN, .n = t->n, .weight_sum = w, .kish = NAN };
    if (!isfinite(z->scale) || !isfinite(z->slope)) *z = (su_influence) { 0, 0, 0 };
}

/* ---- linearised totals of units --------------------------------------------------------------------------------------------- */

typedef struct job {
    const su_design *d;
    const su_estimand *estimands;
    size_t count, columns;
    const su_influence *z;      /* per column */
    const double *coefficients; /* of the calibration: columns of X x columns; NULL = none */
} job;

/* sum of w0 X e per column of the estimates: what the calibration explains. */
static double *explained(const job *j)
{
    const su_design *d = j->d;
    double *sums = su_alloc_array((size_t)d->columns * j->columns, sizeof *sums);
    su_block *b = su_alloc(sizeof *b);
    size_t first = 0;
    for (size_t k = 0; k < j->count; first += su_estimand_groups(&j->estimands[k++]))
        for (uint64_t from = 0; from < d->rows; from += SU_BLOCK) {
            su_block_read(d, &j->estimands[k], from, b);
            for (uint32_t i = 0; i < b->n; i++) {
                if (!b->group[i]) continue;
                size_t column = first + b->group[i] - 1;
                uint64_t r = from + i;
                double e = d->before[r] * (b->y[i] - j->z[column].slope * b->x[i]) * j->z[column].scale;
                for (uint32_t t = 0; t < d->term_count; t++) {
                    const su_calibration_term *term = &d->terms[t];
                    size_t row = term->column + (term->level ? term->level[r] - 1 : 0);
                    sums[row * j->columns + column] += e * (term->level ? 1 : term->value[r]);
                }
            }
        }
    free(b);
    double *coefficients = su_alloc_array((size_t)d->columns * j->columns, sizeof *coefficients);
    su_design_residual_solve(d, sums, j->columns, coefficients);
    free(sums);
    return coefficients;
}

/* What the calibration explains of every row is taken out of every column: also of rows outside the domain. */
static void subtract_explained(const job *j, size_t low, size_t high, double *out)
{
    const su_design *d = j->d;
    size_t width = high - low;
    for (uint64_t r = 0; r < d->rows; r++) {
        double *z = out + (size_t)d->leaf[r] * width;
        for (uint32_t t = 0; t < d->term_count; t++) {
            const su_calibration_term *term = &d->terms[t];
            const double *b = j->coefficients + (term->column + (term->level ? term->level[r] - 1 : 0)) * j->columns + low;
            double x = d->weight[r] * (term->level ? 1 : term->value[r]);
            for (size_t c = 0; c < width; c++) z[c] -= x * b[c];
        }
    }
}

/* Columns low..high of the table units x estimates. */
static void unit_totals(const job *j, size_t low, size_t high, double *out)
{
    const su_design *d = j->d;
    size_t width = high - low, first = 0;
    su_block *b = su_alloc(sizeof *b);
    memset(out, 0, (size_t)d->stage[d->stages - 1].units * width * sizeof *out);
    for (size_t k = 0; k < j->count; first += su_estimand_groups(&j->estimands[k++])) {
        if (first >= high || first + su_estimand_groups(&j->estimands[k]) <= low) continue;
        for (uint64_t from = 0; from < d->rows; from += SU_BLOCK) {
            su_block_read(d, &j->estimands[k], from, b);
            for (uint32_t i = 0; i < b->n; i++) {
                size_t column = first + b->group[i] - 1;
                if (!b->group[i] || column < low || column >= high) continue;
                const su_influence *z = &j->z[column];
                out[(size_t)d->leaf[from + i] * width + (column - low)] += b->weight[i] * (b->y[i] - z->slope * b->x[i]) * z->scale;
            }
        }
    }
    free(b);
    if (j->coefficients) subtract_explained(j, low, high, out);
}

/* ---- variance --------------------------------------------------------------------------------------------------------------- */

static void copy_block(const double *part, size_t ka, size_t kb, size_t row, size_t column, size_t k, double *covariance)
{
    for (size_t i = 0; i < ka; i++)
        for (size_t c = 0; c < kb; c++) {
            covariance[(row + i) * k + column + c] = part[i * kb + c];
            covariance[(column + c) * k + row + i] = part[i * kb + c];
        }
}

/* All pairs of chunks of columns; without a covariance only the chunks with themselves, one column at a time in the sums of products. */
static su_status all_variances(su_context *ctx, const job *j, su_estimate *out, double *covariance)
{
    size_t units = j->d->stage[j->d->stages - 1].units, k = j->columns;
    size_t width = MOST_CELLS / (units ? units : 1);
    if (covariance && width < k) width /= 2;
    if (!covariance && width > 64) width = 64; /* products of all pairs of columns are formed: fewer columns, fewer that nobody asked for */
    if (width < 1) width = 1;
    if (width > k) width = k;
    double *a = su_alloc_array(units * width, sizeof *a), *b = NULL, *part = su_alloc_array(width * width, sizeof *part);
    su_status st = SU_OK;
    for (size_t low = 0; low < k && !st; low += width) {
        size_t ka = k - low < width ? k - low : width;
        unit_totals(j, low, low + ka, a);
        memset(part, 0, width * width * sizeof *part);
        st = su_design_variance(ctx, j->d, a, ka, a, ka, part);
        for (size_t i = 0; i < ka && !st; i++)
            if (!isnan(out[low + i].estimate)) out[low + i].variance = part[i * ka + i];
        if (!covariance || st) continue;
        copy_block(part, ka, ka, low, low, k, covariance);
        for (size_t other = low + width; other < k && !st; other += width) {
            size_t kb = k - other < width ? k - other : width;
            if (!b) b = su_alloc_array(units * width, sizeof *b);
            unit_totals(j, other, other + kb, b);
            memset(part, 0, width * width * sizeof *part);
            st = su_design_variance(ctx, j->d, a, ka, b, kb, part);
            copy_block(part, ka, kb, low, other, k, covariance);
        }
        if (su_cancelled(ctx)) st = su_fail(ctx, SU_CANCELLED, "interrupted");
    }
    free(a);
    free(b);
    free(part);
    return st;
}

su_status su_design_estimate(su_context *ctx, const su_design *d, const su_estimand *estimands, size_t count, su_estimate *out,
                             double *covariance)
{
    job j = { .d = d, .estimands = estimands, .count = count };
    for (size_t k = 0; k < count; k++) j.columns += su_estimand_groups(&estimands[k]);
    su_influence *z = su_alloc_array(j.columns ? j.columns : 1, sizeof *z);
    double *coefficients = NULL;
    size_t first = 0;
    for (size_t k = 0; k < count; first += su_estimand_groups(&estimands[k++])) {
        totals *t = su_alloc_array(su_estimand_groups(&estimands[k]), sizeof *t);
        sum_totals(d, &estimands[k], t);
        for (uint32_t g = 0; g < su_estimand_groups(&estimands[k]); g++) estimate_of(&estimands[k], &t[g], &out[first + g], &z[first + g]);
        free(t);
    }
    j.z = z;
    if (d->before) j.coefficients = coefficients = explained(&j);
    su_status st = su_design_check_lone(ctx, d);
    bool rows = !covariance && su_rows_are_units(d, j.columns);
    first = 0;
    for (size_t k = 0; k < count && !st && rows; first += su_estimand_groups(&estimands[k++]))
        su_row_variances(d, &estimands[k], &z[first], &out[first]);
    if (!st && !rows) st = all_variances(ctx, &j, out, covariance);
    first = 0;
    for (size_t k = 0; k < count && !st; first += su_estimand_groups(&estimands[k++]))
        su_spread_and_units(d, &estimands[k], &z[first], &out[first]);
    free(coefficients);
    free(z);
    return st;
}
