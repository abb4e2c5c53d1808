/* CR2 without a matrix of the size of a cluster. With f the variance of a row on the scale of the outcome, its adjustment is
 * A = f^1/2 b^-1/2 f^1/2, b = f^2 - Y B Y', Y = f Z, Z = W^1/2 X (Pustejovsky and Tipton 2018, doi:10.1080/07350015.2016.1247004): a
 * diagonal less a matrix of low rank. b^-1/2 is a short sum of resolvents, sum c_k (b + t_k)^-1, exact to 1e-13 (method 3 of Hale, Higham
 * and Trefethen 2008, doi:10.1137/070700607), and a resolvent costs one solution in the columns (Woodbury). */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "logit/cluster.h"
#include "numeric/matrix.h"

enum { MOST_NODES = 80 };
static const double FULL = 1 - 1e-10; /* a direction that lies in one cluster alone has no power: generalised inverse */

typedef struct rational {
    unsigned n;
    double weight[MOST_NODES], shift[MOST_NODES];
} rational;

/* sn, cn and dn at u for parameter 1 - k2 by descending Landen steps (DLMF 22.20(ii)). */
static void jacobi(double u, double k2, double *sn, double *cn, double *dn)
{
    enum { STEPS = 24 };
    double a[STEPS], c[STEPS], b = sqrt(k2), power = 1;
    int n = 0;
    a[0] = 1;
    c[0] = sqrt(1 - k2);
    while (n + 1 < STEPS && fabs(c[n]) > 1e-17 * a[n]) {
        a[n + 1] = (a[n] + b) / 2;
        c[n + 1] = (a[n] - b) / 2;
        b = sqrt(a[n] * b);
        n++;
        power *= 2;
    }
    double phi = power * a[n] * u;
    for (int i = n; i > 0; i--) phi = (phi + asin(c[i] * sin(phi) / a[i])) / 2;
    *sn = sin(phi);
    *cn = cos(phi);
    *dn = sqrt(*cn * *cn + k2 * *sn * *sn);
}

static double quarter_period(double k2)
{
    double a = 1, b = sqrt(k2);
    while (fabs(a - b) > 1e-15 * a) {
        double mean = (a + b) / 2;
        b = sqrt(a * b);
        a = mean;
    }
    return M_PI / (a + b);
}

/* Nodes for a spectrum within [least, most]. The upper half mirrors the lower: there the cosine would lose digits. */
static rational inverse_root(double least, double most)
{
    rational r = { 0 };
    most = fmax(most, least * 1.0001);
    double k2 = least / most, k = sqrt(k2), period = quarter_period(k2), nodes = ceil(32 * (log(1 / k2) + 3) / (2 * M_PI * M_PI));
    r.n = (unsigned)fmin(fmax(nodes, 8), MOST_NODES);
    for (unsigned j = 0; j < r.n; j++) {
        bool mirror = j >= r.n / 2;
        double u = ((mirror ? r.n - 1 - j : j) + 0.5) * period / r.n, sn, cn, dn;
        jacobi(u, k2, &sn, &cn, &dn);
        double tangent = mirror ? cn / (k * sn) : sn / cn;
        double slope = mirror ? dn / (k * sn * sn) : dn / (cn * cn);
        r.shift[j] = least * tangent * tangent;
        r.weight[j] = 2 * period * sqrt(least) / (M_PI * r.n) * slope;
    }
    return r;
}

/* The rows of a cluster: sparse row, score multiplier, working weight W, variance f. */
typedef struct cluster_rows {
    uint64_t n;
    uint32_t terms;
    uint32_t *columns, *lengths;
    double *values, *residual, *working, *variance;
} cluster_rows;

static su_sparse row_of(const cluster_rows *c, uint64_t i)
{
    return (su_sparse) { c->lengths[i], c->columns + i * c->terms, c->values + i * c->terms };
}

static void read_rows(const su_variance_input *in, const uint64_t *rows, uint64_t n, cluster_rows *c)
{
    uint32_t terms = in->x->term_count + 1;
    *c = (cluster_rows) { 0,
                          terms,
                          su_alloc_array(n, terms * sizeof *c->columns),
                          su_alloc_array(n, sizeof *c->lengths),
                          su_alloc_array(n, terms * sizeof *c->values),
                          su_alloc_array(n, sizeof *c->residual),
                          su_alloc_array(n, sizeof *c->working),
                          su_alloc_array(n, sizeof *c->variance) };
    for (uint64_t i = 0; i < n; i++) {
        su_sparse s = row_of(c, c->n);
        su_row_score r = su_row_score_of(in, rows[i], &s);
        if (!(r.working > 0)) continue; /* weight 0, or a mean of 0 or 1 in all digits: no information */
        c->lengths[c->n] = s.n;
        c->residual[c->n] = r.residual;
        c->variance[c->n] = r.variance;
        c->working[c->n++] = r.working;
    }
}

static void free_rows(cluster_rows *c)
{
    free(c->columns);
    free(c->lengths);
    free(c->values);
    free(c->residual);
    free(c->working);
    free(c->variance);
}

/* out = sum of W f^power x x' over the cluster, each divided by f^2 + shift where `divide`. */
static void cross_products(const cluster_rows *c, int power, double shift, bool divide, uint32_t p, double *out)
{
    memset(out, 0, (size_t)p * p * sizeof *out);
    for (uint64_t i = 0; i < c->n; i++) {
        double v = c->variance[i], f = c->working[i] * pow(v, power);
        if (divide) f /= v * v + shift;
        su_sparse s = row_of(c, i);
        for (uint32_t a = 0; a < s.n; a++)
            for (uint32_t b = 0; b < s.n; b++) out[(size_t)s.column[a] * p + s.column[b]] += f * s.value[a] * s.value[b];
    }
}

/* g = K S2 with K = (B^-1 - S1)^-1, S1 = Y'E^-1 Y, S2 = Y'E^-1 Z, E = f^2 + shift. */
static void resolvent(const cluster_work *w, const cluster_rows *c, double shift, double *g)
{
    uint32_t p = w->p;
    bool *kept = su_alloc_array(p, sizeof *kept);
    cross_products(c, 2, shift, true, p, w->s);
    cross_products(c, 1, shift, true, p, w->t);
    for (size_t i = 0; i < (size_t)p * p; i++) w->s[i] = w->information[i] - w->s[i];
    su_cholesky(w->s, p, 1e-15, kept);
    for (uint32_t j = 0; j < p; j++) {
        for (uint32_t i = 0; i < p; i++) w->column[i] = w->t[(size_t)i * p + j];
        su_cholesky_solve(w->s, p, kept, w->column);
        for (uint32_t i = 0; i < p; i++) g[(size_t)i * p + j] = w->column[i];
    }
    free(kept);
}

/* The null directions of b are f^-1 Z L q. null (p x p) is such that their part of row i of F is at_zero f^-1 W^1/2 x_i' null. False when
 * there is none. */
static bool null_part(const cluster_work *w, const cluster_rows *c, double *null)
{
    uint32_t p = w->p, from = p;
    while (from > 0 && w->lambda[from - 1] > FULL) from--;
    uint32_t d = p - from;
    if (d == 0) return false;
    double *basis = su_alloc_array((size_t)p * d, sizeof *basis), *gram = su_alloc_array((size_t)d * d, sizeof *gram);
    double *cube = su_alloc_array((size_t)p * p, sizeof *cube), *half = su_alloc_array((size_t)p * d, sizeof *half);
    double *right = su_alloc_array((size_t)d * p, sizeof *right), *one = su_alloc_array(d, sizeof *one);
    bool *kept = su_alloc_array(d, sizeof *kept);
    for (uint32_t i = 0; i < p; i++)
        for (uint32_t e = 0; e < d; e++)
            for (uint32_t k = 0; k < p; k++) basis[(size_t)i * d + e] += w->root[(size_t)i * p + k] * w->q[(size_t)k * p + from + e];
    cross_products(c, -2, 0, false, p, cube);
    su_multiply(cube, basis, p, p, d, half);
    for (uint32_t a = 0; a < d; a++)
        for (uint32_t b = 0; b < d; b++)
            for (uint32_t i = 0; i < p; i++) gram[(size_t)a * d + b] += basis[(size_t)i * d + a] * half[(size_t)i * d + b];
    su_cholesky(gram, d, 1e-12, kept);
    cross_products(c, -1, 0, false, p, cube);
    for (uint32_t a = 0; a < d; a++)
        for (uint32_t j = 0; j < p; j++)
            for (uint32_t i = 0; i < p; i++) right[(size_t)a * p + j] += basis[(size_t)i * d + a] * cube[(size_t)i * p + j];
    for (uint32_t j = 0; j < p; j++) {
        for (uint32_t a = 0; a < d; a++) one[a] = right[(size_t)a * p + j];
        su_cholesky_solve(gram, d, kept, one);
        for (uint32_t a = 0; a < d; a++) right[(size_t)a * p + j] = one[a];
    }
    su_multiply(basis, right, p, d, p, null);
    free(basis);
    free(gram);
    free(cube);
    free(half);
    free(right);
    free(one);
    free(kept);
    return true;
}

/* first = Y'F, second = F'f^2 F, total = F'(f r W^-1/2), where F = b^-1/2 Z row by row. */
static void apply(cluster_work *w, const cluster_rows *c, const rational *r, const double *g, const double *null, double at_zero)
{
    uint32_t p = w->p;
    size_t square = (size_t)p * p;
    double *f = su_alloc_array(p, sizeof *f);
    memset(w->first, 0, square * sizeof *w->first);
    memset(w->second, 0, square * sizeof *w->second);
    memset(w->total, 0, p * sizeof *w->total);
    for (uint64_t i = 0; i < c->n; i++) {
        double root = sqrt(c->working[i]), v = c->variance[i];
        su_sparse s = row_of(c, i);
        memset(f, 0, p * sizeof *f);
        for (unsigned k = 0; k < r->n; k++) {
            double share = r->weight[k] / (v * v + r->shift[k]) * root;
            su_sparse_axpy(&s, share, f);
            for (uint32_t a = 0; a < s.n; a++) {
                const double *line = g + k * square + (size_t)s.column[a] * p;
                double x = share * v * s.value[a];
                for (uint32_t j = 0; j < p; j++) f[j] += x * line[j];
            }
        }
        for (uint32_t a = 0; null && a < s.n; a++)
            for (uint32_t j = 0; j < p; j++) f[j] -= at_zero / v * root * s.value[a] * null[(size_t)s.column[a] * p + j];
        for (uint32_t a = 0; a < s.n; a++)
            for (uint32_t j = 0; j < p; j++) w->first[(size_t)s.column[a] * p + j] += v * root * s.value[a] * f[j];
        double share = c->residual[i] * v / root;
        for (uint32_t a = 0; a < p; a++) {
            double x = f[a] * v * v;
            w->total[a] += share * f[a];
            for (uint32_t b = 0; x != 0 && b < p; b++) w->second[(size_t)a * p + b] += x * f[b];
        }
    }
    free(f);
}

void su_cluster_cr2(const su_variance_input *in, const uint64_t *rows, uint64_t n, cluster_work *w)
{
    uint32_t p = w->p;
    cluster_rows c;
    read_rows(in, rows, n, &c);
    double low = INFINITY, high = 0, at_zero = 0;
    for (uint64_t i = 0; i < c.n; i++) {
        low = fmin(low, c.variance[i]);
        high = fmax(high, c.variance[i]);
    }
    cross_products(&c, 0, 0, false, p, w->s);
    su_cluster_spectrum(w);
    double largest = 0;
    for (uint32_t e = 0; e < p; e++)
        if (w->lambda[e] <= FULL) largest = fmax(largest, w->lambda[e]);
    rational r = inverse_root((1 - largest) * low * low, high * high);
    double *g = su_alloc_array((size_t)r.n * p * p, sizeof *g), *null = su_alloc_array((size_t)p * p, sizeof *null);
    bool has_null = null_part(w, &c, null);
    for (unsigned k = 0; k < r.n; k++) {
        resolvent(w, &c, r.shift[k], g + (size_t)k * p * p);
        at_zero += r.weight[k] / r.shift[k];
    }
    apply(w, &c, &r, g, has_null ? null : NULL, at_zero);
    free(g);
    free(null);
    free_rows(&c);
}
