#include "logit/variance.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "numeric/matrix.h"

enum { FEWEST_CLUSTERS = 10, MANY_CLUSTERS = 50, MOST_COLUMNS = 150 };

su_covariance su_covariance_new(uint32_t columns)
{
    su_covariance c = { .v = su_alloc_array((size_t)columns * columns, sizeof(double)), .df = su_alloc_array(columns, sizeof(double)) };
    for (uint32_t j = 0; j < columns; j++) c.df[j] = INFINITY;
    return c;
}

void su_covariance_free(su_covariance *c)
{
    free(c->v);
    free(c->df);
    *c = (su_covariance) { 0 };
}

su_row_score su_row_score_of(const su_variance_input *in, uint64_t i, su_sparse *s)
{
    uint32_t row = in->x->rows[i];
    su_predictors_row(in->x, row, NULL, s);
    su_mean m = su_family_mean(in->family, su_sparse_dot(s, in->fit->beta) + su_predictors_offset(in->x, row, NULL));
    double w = in->weight ? in->weight[row] : 1, ratio = m.slope / m.variance;
    return (su_row_score) { w * (in->x->y[i] - m.mu) * ratio, w * m.slope * ratio, m.variance / w };
}

static double sparse_quadratic(const su_sparse *s, const double *v, uint32_t p)
{
    double sum = 0;
    for (uint32_t a = 0; a < s->n; a++) {
        const double *line = v + (size_t)s->column[a] * p;
        double t = 0;
        for (uint32_t b = 0; b < s->n; b++) t += line[s->column[b]] * s->value[b];
        sum += t * s->value[a];
    }
    return sum;
}

/* v = B meat B. */
static void sandwich(const su_fit *f, const double *meat, double *v)
{
    uint32_t p = f->columns;
    double *half = su_alloc_array((size_t)p * p, sizeof *half);
    su_multiply(f->bread, meat, p, p, p, half);
    su_multiply(half, f->bread, p, p, p, v);
    free(half);
}

static void symmetric(double *m, uint32_t p)
{
    for (uint32_t a = 0; a < p; a++)
        for (uint32_t b = 0; b < a; b++) m[(size_t)b * p + a] = m[(size_t)a * p + b];
}

static void meat_of_rows(su_context *ctx, const su_variance_input *in, su_logit_variance kind, double *meat)
{
    uint32_t p = in->x->columns;
    bool leverage = kind == SU_VARIANCE_HC2 || kind == SU_VARIANCE_HC3;
    if (!leverage && in->units && !(in->units->collapsed && in->weight)) { /* the weights of rows that became one are known as a sum only */
        su_moments m = su_moments_new(p);
        su_units_squares(ctx, in->units, in->fit->beta, &m);
        memcpy(meat, m.information, (size_t)p * p * sizeof *meat);
        su_moments_free(&m);
        return;
    }
    su_sparse s = su_sparse_new(in->x);
    for (uint64_t i = 0; i < in->x->row_count; i++) {
        if ((i & 0xFFFF) == 0 && su_cancelled(ctx)) break;
        su_row_score r = su_row_score_of(in, i, &s);
        double square = r.residual * r.residual;
        if (leverage) {
            double free_part = fmax(1 - r.working * sparse_quadratic(&s, in->fit->bread, p), 1e-12);
            square /= kind == SU_VARIANCE_HC2 ? free_part : free_part * free_part;
        }
        for (uint32_t a = 0; a < s.n; a++) {
            double x = square * s.value[a], *line = meat + (size_t)s.column[a] * p;
            for (uint32_t b = 0; b <= a; b++) line[s.column[b]] += x * s.value[b];
        }
    }
    symmetric(meat, p);
    su_sparse_free(&s);
}

/* ---- clusters ----------------------------------------------------------------------------------------------------------------------- */

typedef struct grouping {
    uint32_t *of; /* per row used: 0..count-1 */
    uint32_t count;
} grouping;

static grouping group_by(const su_predictors *x, const su_variable *v)
{
    grouping g = { su_alloc_array(x->row_count, sizeof *g.of), 0 };
    uint32_t *number = su_alloc_array((size_t)v->level_count + 1, sizeof *number);
    for (uint64_t i = 0; i < x->row_count; i++) {
        uint32_t level = su_frame_level(v, x->rows[i]);
        if (!number[level]) number[level] = ++g.count;
        g.of[i] = number[level] - 1;
    }
    free(number);
    return g;
}

static int by_u64(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* Combinations of two groupings that occur. */
static grouping group_both(const su_predictors *x, const grouping *a, const grouping *b)
{
    uint64_t n = x->row_count, *keys = su_alloc_array(n, sizeof *keys), distinct = 0;
    for (uint64_t i = 0; i < n; i++) keys[i] = (uint64_t)a->of[i] * b->count + b->of[i];
    qsort(keys, n, sizeof *keys, by_u64);
    for (uint64_t i = 0; i < n; i++)
        if (i == 0 || keys[i] != keys[i - 1]) keys[distinct++] = keys[i];
    grouping g = { su_alloc_array(n, sizeof *g.of), (uint32_t)distinct };
    for (uint64_t i = 0; i < n; i++) {
        uint64_t key = (uint64_t)a->of[i] * b->count + b->of[i];
        g.of[i] = (uint32_t)((uint64_t *)bsearch(&key, keys, distinct, sizeof *keys, by_u64) - keys);
    }
    free(keys);
    return g;
}

/* meat += factor * sum over groups of (sum of scores)(sum of scores)' */
static void add_cluster_meat(const su_variance_input *in, const grouping *g, double factor, double *meat)
{
    uint32_t p = in->x->columns;
    double *sums = su_alloc_array((size_t)g->count * p, sizeof *sums);
    su_sparse s = su_sparse_new(in->x);
    if (in->units && !in->units->collapsed && in->units->n == in->x->row_count) /* decoded already, in the order of the rows */
        su_units_group_sums(in->units, in->fit->beta, g->of, sums);
    else
        for (uint64_t i = 0; i < in->x->row_count; i++) {
            su_row_score r = su_row_score_of(in, i, &s);
            su_sparse_axpy(&s, r.residual, sums + (size_t)g->of[i] * p);
        }
    for (uint32_t c = 0; c < g->count; c++) {
        const double *u = sums + (size_t)c * p;
        for (uint32_t a = 0; a < p; a++) {
            if (u[a] == 0) continue;
            for (uint32_t b = 0; b <= a; b++) meat[(size_t)a * p + b] += factor * u[a] * u[b];
        }
    }
    symmetric(meat, p);
    su_sparse_free(&s);
    free(sums);
}

static double cluster_factor(const su_variance_input *in, su_logit_variance kind, uint32_t groups)
{
    double n = (double)in->x->row_count, k = in->fit->rank, g = groups;
    return g / (g - 1) * (kind == SU_VARIANCE_HC0 ? 1 : (n - 1) / (n - k));
}

static bool project_positive(double *v, uint32_t p)
{
    double *copy = su_alloc_array((size_t)p * p, sizeof *copy), *values = su_alloc_array(p, sizeof *values);
    double *vectors = su_alloc_array((size_t)p * p, sizeof *vectors);
    memcpy(copy, v, (size_t)p * p * sizeof *copy);
    su_eigen_symmetric(copy, p, values, vectors);
    bool negative = values[0] < -1e-12 * values[p - 1];
    if (negative) {
        memset(v, 0, (size_t)p * p * sizeof *v);
        for (uint32_t e = 0; e < p; e++)
            for (uint32_t a = 0; values[e] > 0 && a < p; a++)
                for (uint32_t b = 0; b < p; b++)
                    v[(size_t)a * p + b] += values[e] * vectors[(size_t)a * p + e] * vectors[(size_t)b * p + e];
    }
    free(copy);
    free(values);
    free(vectors);
    return negative;
}

static su_status one_cluster_only(su_context *ctx, const su_variable *v)
{
    return su_fail(ctx, SU_REFUSED, "All rows used are in one cluster of %s: there is no variation between clusters to measure.", v->name);
}

void su_covariance_two_way(const su_variance_input *in, su_logit_variance kind, double *v, uint32_t clusters[2])
{
    uint32_t p = in->x->columns;
    grouping a = group_by(in->x, in->cluster[0]), b = group_by(in->x, in->cluster[1]), both = group_both(in->x, &a, &b);
    double *meat = su_alloc_array((size_t)p * p, sizeof *meat);
    add_cluster_meat(in, &a, cluster_factor(in, kind, a.count), meat);
    add_cluster_meat(in, &b, cluster_factor(in, kind, b.count), meat);
    add_cluster_meat(in, &both, -cluster_factor(in, kind, both.count), meat);
    sandwich(in->fit, meat, v);
    clusters[0] = a.count;
    clusters[1] = b.count;
    free(meat);
    free(a.of);
    free(b.of);
    free(both.of);
}

static su_status two_way(su_context *ctx, const su_variance_input *in, su_logit_variance kind, su_covariance *out)
{
    uint32_t p = in->x->columns;
    if (kind == SU_VARIANCE_DEFAULT) kind = SU_VARIANCE_HC1;
    if (kind != SU_VARIANCE_HC0 && kind != SU_VARIANCE_HC1) return su_fail(ctx, SU_USAGE, "Two-way clusters take --variance hc0 or hc1.");
    out->kind = kind;
    su_covariance_two_way(in, kind, out->v, out->clusters);
    uint32_t least = out->clusters[0] < out->clusters[1] ? out->clusters[0] : out->clusters[1];
    if (least < 2) return one_cluster_only(ctx, in->cluster[out->clusters[0] < 2 ? 0 : 1]);
    out->projected = project_positive(out->v, p);
    for (uint32_t j = 0; j < p; j++) out->df[j] = least - 1;
    snprintf(out->label, sizeof out->label, "two-way cluster %s, t with %u df", kind == SU_VARIANCE_HC0 ? "HC0" : "HC1", least - 1);
    return SU_OK;
}

static void sort_by_group(const grouping *g, uint64_t n, uint64_t **order, uint64_t **start)
{
    *order = su_alloc_array(n, sizeof **order);
    *start = su_alloc_array((size_t)g->count + 2, sizeof **start);
    for (uint64_t i = 0; i < n; i++) (*start)[g->of[i] + 2]++;
    for (uint32_t c = 0; c < g->count; c++) (*start)[c + 2] += (*start)[c + 1];
    for (uint64_t i = 0; i < n; i++) (*order)[(*start)[g->of[i] + 1]++] = i;
}

static su_status plain_clusters(su_context *ctx, const su_variance_input *in, su_logit_variance kind, const grouping *g, su_covariance *out)
{
    uint32_t p = in->x->columns;
    if (g->count < FEWEST_CLUSTERS)
        return su_fail(ctx, SU_REFUSED,
                       "%s has %u clusters: with fewer than %d the normal approximation of this variance is far off. Take --variance cr2, "
                       "which has its own degrees of freedom.",
                       in->cluster[0]->name, g->count, FEWEST_CLUSTERS);
    double *meat = su_alloc_array((size_t)p * p, sizeof *meat);
    add_cluster_meat(in, g, cluster_factor(in, kind, g->count), meat);
    sandwich(in->fit, meat, out->v);
    snprintf(out->label, sizeof out->label, "cluster %s", kind == SU_VARIANCE_HC0 ? "HC0 with G/(G-1)" : "HC1");
    free(meat);
    return SU_OK;
}

static su_status clustered(su_context *ctx, const su_variance_input *in, su_logit_variance kind, su_covariance *out)
{
    if (kind == SU_VARIANCE_HC2 || kind == SU_VARIANCE_HC3 || kind == SU_VARIANCE_MODEL)
        return su_fail(ctx, SU_USAGE, "This variance is for rows without clusters. With --cluster take cr2, cr3, cr1, cr0, hc1 or hc0.");
    if (in->cluster[1]) return two_way(ctx, in, kind, out);
    grouping g = group_by(in->x, in->cluster[0]);
    bool wide = in->x->columns > MOST_COLUMNS;
    if (kind == SU_VARIANCE_DEFAULT) kind = g.count < MANY_CLUSTERS && !wide ? SU_VARIANCE_CR2 : SU_VARIANCE_HC1;
    out->kind = kind;
    out->clusters[0] = g.count;
    su_status st = SU_OK;
    if (g.count < 2) {
        st = one_cluster_only(ctx, in->cluster[0]);
    } else if (kind == SU_VARIANCE_HC0 || kind == SU_VARIANCE_HC1) {
        st = plain_clusters(ctx, in, kind, &g, out);
    } else if (wide) {
        st = su_fail(ctx, SU_REFUSED, "Satterthwaite degrees of freedom take at most %d columns; the model has %u. Take --variance hc1.",
                     MOST_COLUMNS, in->x->columns);
    } else {
        uint64_t *order, *start;
        sort_by_group(&g, in->x->row_count, &order, &start);
        su_cluster_robust(ctx, in, kind, order, start, g.count, out);
        free(order);
        free(start);
    }
    free(g.of);
    return st;
}

su_status su_covariance_of(su_context *ctx, const su_variance_input *in, su_logit_variance kind, su_covariance *out)
{
    uint32_t p = in->x->columns;
    double n = (double)in->x->row_count, k = in->fit->rank;
    if (in->cluster[0]) return clustered(ctx, in, kind, out);
    if (kind == SU_VARIANCE_DEFAULT) {
        kind = in->weight && in->family == SU_FAMILY_LOGIT ? SU_VARIANCE_HC0 : SU_VARIANCE_MODEL;
        if (in->family == SU_FAMILY_POISSON) kind = SU_VARIANCE_HC0;
        if (in->family == SU_FAMILY_LINEAR) kind = SU_VARIANCE_HC1;
    }
    out->kind = kind;
    if (kind >= SU_VARIANCE_CR0) return su_fail(ctx, SU_USAGE, "This variance needs clusters: add --cluster VARIABLE.");
    if (in->family == SU_FAMILY_LINEAR)
        for (uint32_t j = 0; j < p; j++) out->df[j] = n - k;
    if (kind == SU_VARIANCE_MODEL) {
        for (size_t i = 0; i < (size_t)p * p; i++) out->v[i] = in->fit->bread[i] * in->fit->dispersion;
        snprintf(out->label, sizeof out->label, "model-based (inverse information)");
        return SU_OK;
    }
    double *meat = su_alloc_array((size_t)p * p, sizeof *meat);
    meat_of_rows(ctx, in, kind, meat);
    sandwich(in->fit, meat, out->v);
    for (size_t i = 0; kind == SU_VARIANCE_HC1 && i < (size_t)p * p; i++) out->v[i] *= n / (n - k);
    snprintf(out->label, sizeof out->label, "heteroskedasticity-robust HC%d", (int)(kind - SU_VARIANCE_HC0));
    free(meat);
    return su_cancelled(ctx) ? su_fail(ctx, SU_CANCELLED, "Stopped.") : SU_OK;
}
