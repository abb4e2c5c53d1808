/* Association of two factors in a design: Rao-Scott and Wald tests. */
#include "numeric/matrix.h"
#include "numeric/special.h"
#include "rates/design.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_CELLS = 400 };

typedef struct table {
    uint32_t r, c, k; /* k = r * c */
    double *p, *v;    /* proportions and their covariance */
    double *t;        /* covariance of the totals over the square of their sum */
} table;

static su_status proportions(su_context *ctx, const su_design *d, const uint32_t *cell, table *t, su_association *out, double *df)
{
    double *ones = su_alloc_array((size_t)d->rows, sizeof *ones), *v = su_alloc_array((size_t)t->k * t->k, sizeof *v), *j = NULL,
           *jv = NULL;
    su_estimate *e = su_alloc_array(t->k, sizeof *e), all;
    for (uint64_t r = 0; r < d->rows; r++) ones[r] = cell[r] ? 1 : NAN;
    su_estimand totals = { .statistic = SU_TOTAL, .y = ones, .group = cell, .groups = t->k }, whole = { .statistic = SU_TOTAL, .y = ones };
    su_status st = su_design_estimate(ctx, d, &totals, 1, e, v);
    if (!st) st = su_design_estimate(ctx, d, &whole, 1, &all, NULL);
    if (st) goto out;
    *df = all.df;
    out->n = all.n;
    for (uint32_t i = 0; i < t->k; i++) {
        out->cells[i] = e[i].n ? e[i].estimate : 0;
        t->p[i] = out->cells[i] / all.estimate;
    }
    for (uint32_t i = 0; i < t->k * t->k; i++) t->t[i] = v[i] / all.estimate / all.estimate;
    j = su_alloc_array((size_t)t->k * t->k, sizeof *j);
    jv = su_alloc_array((size_t)t->k * t->k, sizeof *jv);
    for (uint32_t a = 0; a < t->k; a++)
        for (uint32_t b = 0; b < t->k; b++) j[a * t->k + b] = ((a == b) - t->p[a]) / all.estimate;
    su_multiply(j, v, t->k, t->k, t->k, jv);
    for (uint32_t a = 0; a < t->k; a++)
        for (uint32_t b = a + 1; b < t->k; b++) { /* transpose: v J' */
            double x = j[a * t->k + b];
            j[a * t->k + b] = j[b * t->k + a];
            j[b * t->k + a] = x;
        }
    su_multiply(jv, j, t->k, t->k, t->k, t->v);
out:
    free(ones);
    free(v);
    free(j);
    free(jv);
    free(e);
    return st;
}

static double pearson(const table *t, double n)
{
    double x2 = 0;
    for (uint32_t i = 0; i < t->r; i++)
        for (uint32_t j = 0; j < t->c; j++) {
            double row = 0, column = 0;
            for (uint32_t k = 0; k < t->c; k++) row += t->p[i * t->c + k];
            for (uint32_t k = 0; k < t->r; k++) column += t->p[k * t->c + j];
            double expected = row * column, miss = t->p[i * t->c + j] - expected;
            x2 += miss * miss / expected;
        }
    return n * x2;
}

/* out = A' S A for A (k x m), S (k x k). */
static void sandwich(const double *a, const double *s, size_t k, size_t m, double *out)
{
    double *sa = su_alloc_array(k * m, sizeof *sa);
    su_multiply(s, a, k, k, m, sa);
    for (size_t i = 0; i < m; i++)
        for (size_t j = 0; j < m; j++) {
            double sum = 0;
            for (size_t x = 0; x < k; x++) sum += a[x * m + i] * sa[x * m + j];
            out[i * m + j] = sum;
        }
    free(sa);
}

/* Columns that span the tables whose rows and columns sum to zero: what main effects leave. */
static void interactions(const table *t, double *c)
{
    size_t m = (size_t)(t->r - 1) * (t->c - 1);
    for (uint32_t i = 1; i < t->r; i++)
        for (uint32_t j = 1; j < t->c; j++) {
            size_t column = (size_t)(i - 1) * (t->c - 1) + j - 1;
            c[0 * m + column] = 1;
            c[(size_t)j * m + column] = -1;
            c[(size_t)i * t->c * m + column] = -1;
            c[((size_t)i * t->c + j) * m + column] = 1;
        }
}

static void rao_scott(const table *t, double n, double nu, su_association *out)
{
    size_t m = (size_t)(t->r - 1) * (t->c - 1), k = t->k;
    double *c = su_alloc_array(k * m, sizeof *c), *simple = su_alloc_array(k * k, sizeof *simple),
           *bottom = su_alloc_array(m * m, sizeof *bottom);
    double *top = su_alloc_array(m * m, sizeof *top), *inverse = su_alloc_array(m * m, sizeof *inverse),
           *delta = su_alloc_array(m * m, sizeof *delta);
    double *values = su_alloc_array(m, sizeof *values), *work = su_alloc_array(m * m, sizeof *work);
    bool *kept = su_alloc_array(m, sizeof *kept);
    double trace = 0, square = 0;
    interactions(t, c);
    for (size_t i = 0; i < k; i++) simple[i * k + i] = t->p[i] > 0 ? 1 / t->p[i] / n : 0;
    sandwich(c, simple, k, m, bottom);
    for (size_t i = 0; i < k; i++)
        for (size_t j = 0; j < m; j++) c[i * m + j] *= t->p[i] > 0 ? 1 / t->p[i] : 0;
    sandwich(c, t->v, k, m, top);
    size_t rank = su_cholesky(bottom, m, 1e-10, kept);
    su_cholesky_inverse(bottom, m, kept, inverse);
    su_multiply(inverse, top, m, m, m, delta);
    for (size_t i = 0; i < m; i++) {
        trace += delta[i * m + i];
        for (size_t j = 0; j < m; j++) square += delta[i * m + j] * delta[j * m + i];
    }
    out->df1 = trace * trace / square;
    out->df2 = out->df1 * nu;
    out->f = out->pearson / trace;
    out->p = su_f_upper(out->f, out->df1, out->df2);
    out->chi_df = (double)rank;
    out->chi_p = su_chi2_upper(out->pearson / (trace / (double)rank), (double)rank);
    /* Eigenvalues of B^-1 T = those of L^-1 T L'^-1. */
    for (size_t i = 0; i < m; i++)
        for (size_t j = 0; j < m; j++) {
            double sum = top[i * m + j];
            for (size_t x = 0; x < i; x++) sum -= bottom[i * m + x] * work[x * m + j];
            work[i * m + j] = kept[i] ? sum / bottom[i * m + i] : 0;
        }
    for (size_t i = 0; i < m; i++)
        for (size_t j = 0; j < m; j++) {
            double sum = work[i * m + j];
            for (size_t x = 0; x < j; x++) sum -= bottom[j * m + x] * top[i * m + x];
            top[i * m + j] = kept[j] ? sum / bottom[j * m + j] : 0;
        }
    su_eigen_symmetric(top, m, values, work);
    out->saddlepoint_p = su_weighted_chi2_upper(values, m, out->pearson, out->df2);
    free(c);
    free(simple);
    free(bottom);
    free(top);
    free(inverse);
    free(delta);
    free(values);
    free(work);
    free(kept);
}

/* Koch, Freeman and Freeman 1975 (doi:10.2307/1402660): totals of cells against the product of their margins. */
static void wald(const table *t, double nu, su_association *out)
{
    size_t m = (size_t)(t->r - 1) * (t->c - 1), k = t->k;
    double *gradient = su_alloc_array(k * m, sizeof *gradient), *theta = su_alloc_array(m, sizeof *theta),
           *v = su_alloc_array(m * m, sizeof *v);
    double *solved = su_alloc_array(m, sizeof *solved);
    for (uint32_t i = 1; i < t->r; i++)
        for (uint32_t j = 1; j < t->c; j++) {
            size_t column = (size_t)(i - 1) * (t->c - 1) + j - 1;
            double row = 0, side = 0;
            for (uint32_t x = 0; x < t->c; x++) row += t->p[i * t->c + x];
            for (uint32_t x = 0; x < t->r; x++) side += t->p[x * t->c + j];
            theta[column] = t->p[i * t->c + j] - row * side;
            for (uint32_t a = 0; a < t->r; a++)
                for (uint32_t b = 0; b < t->c; b++)
                    gradient[((size_t)a * t->c + b) * m + column] =
                        (a == i && b == j) - (a == i ? side : 0) - (b == j ? row : 0) + row * side;
        }
    sandwich(gradient, t->t, k, m, v);
    memcpy(solved, theta, m * sizeof *solved);
    double w = 0, rank = (double)m;
    if (su_solve(v, m, solved))
        for (size_t i = 0; i < m; i++) w += theta[i] * solved[i];
    else
        w = NAN;
    out->wald = w / rank;
    out->wald_df1 = rank;
    out->wald_df2 = nu;
    out->wald_p = su_f_upper(out->wald, rank, nu);
    out->adjusted_df2 = nu - rank + 1;
    out->adjusted_wald = out->wald * out->adjusted_df2 / nu;
    out->adjusted_p = out->adjusted_df2 > 0 ? su_f_upper(out->adjusted_wald, rank, out->adjusted_df2) : NAN;
    free(gradient);
    free(theta);
    free(v);
    free(solved);
}

/* Levels that the rows looked at have; numbers them anew. */
static uint32_t used_levels(const su_design *d, const su_variable *v, const su_variable *other, const uint32_t *inside, uint32_t *number)
{
    uint32_t used = 0;
    for (uint64_t r = 0; r < d->rows; r++)
        if (d->weight[r] > 0 && (!inside || inside[r]) && su_frame_level(other, r)) number[su_frame_level(v, r)] = 1;
    number[0] = 0;
    for (uint32_t i = 1; i <= v->level_count; i++)
        if (number[i]) number[i] = ++used;
    return used;
}

su_status su_design_association(su_context *ctx, const su_design *d, const su_variable *rows, const su_variable *columns,
                                const uint32_t *inside, su_association *out)
{
    uint32_t *a = su_alloc_array((size_t)rows->level_count + 1, sizeof *a),
             *b = su_alloc_array((size_t)columns->level_count + 1, sizeof *b);
    uint32_t *cell = su_alloc_array((size_t)d->rows, sizeof *cell);
    table t = { .r = used_levels(d, rows, columns, inside, a), .c = used_levels(d, columns, rows, inside, b) };
    double nu = 0;
    su_status st = SU_OK;
    *out = (su_association) { .rows = t.r, .columns = t.c };
    t.k = t.r * t.c;
    if (t.r < 2 || t.c < 2)
        st = su_fail(ctx, SU_REFUSED,
                     "'%s' and '%s': a test of association needs at least two values of each among the rows looked at; '%s' has %u",
                     rows->name, columns->name, t.r < 2 ? rows->name : columns->name, t.r < 2 ? t.r : t.c);
    else if (t.r > MOST_CELLS || t.c > MOST_CELLS || t.k > MOST_CELLS)
        st = su_fail(ctx, SU_REFUSED, "'%s' by '%s' has %u cells; at most %d can be tested, merge levels", rows->name, columns->name, t.k,
                     MOST_CELLS);
    if (st) goto out;
    for (uint64_t r = 0; r < d->rows; r++) {
        uint32_t i = a[su_frame_level(rows, r)], j = b[su_frame_level(columns, r)];
        cell[r] = i && j && (!inside || inside[r]) ? (i - 1) * t.c + j : 0;
    }
    out->cells = su_alloc_array(t.k, sizeof *out->cells);
    t.p = su_alloc_array(t.k, sizeof *t.p);
    t.v = su_alloc_array((size_t)t.k * t.k, sizeof *t.v);
    t.t = su_alloc_array((size_t)t.k * t.k, sizeof *t.t);
    st = proportions(ctx, d, cell, &t, out, &nu);
    if (!st && !(nu > 0)) st = su_fail(ctx, SU_REFUSED, "the rows looked at leave no degree of freedom: too few sampling units");
    if (st) goto out;
    out->pearson = pearson(&t, (double)out->n);
    rao_scott(&t, (double)out->n, nu, out);
    wald(&t, nu, out);
out:
    free(a);
    free(b);
    free(cell);
    free(t.p);
    free(t.v);
    free(t.t);
    if (st) {
        free(out->cells);
        out->cells = NULL;
    }
    return st;
}
