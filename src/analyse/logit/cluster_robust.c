/* CR0, CR1 and CR3 without a matrix of the size of a cluster: (I - H_gg)^-1 acts in the space of the columns. With B = L L' and
 * L' S L = Q diag(l) Q', S = sum of W x x' over the cluster, it is I + Z L Q d(l) Q' L' Z'. CR2 is in cluster_cr2.c. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "logit/cluster.h"
#include "numeric/matrix.h"

static const double FULL = 1 - 1e-10; /* a direction that lies in one cluster alone: its power is left out (generalised inverse) */

static double *square(uint32_t p) { return su_alloc_array((size_t)p * p, sizeof(double)); }

/* d(l) of the power -1 (CR3) or 0, and of its square. */
static void powers(su_logit_variance kind, double l, double *once, double *twice)
{
    *once = *twice = 0;
    if (kind != SU_VARIANCE_CR3) return;
    double f = l > FULL ? 0 : 1 / (1 - l);
    *once = l < 1e-12 ? 1 : (f - 1) / l; /* the limit at 0 */
    *twice = l < 1e-12 ? 2 : (f * f - 1) / l;
}

/* out = S + S L Q diag(d) Q' L' S, given r = S L Q. */
static void between(const cluster_work *w, const double *r, const double *d, double *out)
{
    uint32_t p = w->p;
    memcpy(out, w->s, (size_t)p * p * sizeof *out);
    for (uint32_t e = 0; e < p; e++) {
        if (d[e] == 0) continue;
        for (uint32_t a = 0; a < p; a++) {
            double x = d[e] * r[(size_t)a * p + e];
            for (uint32_t b = 0; x != 0 && b < p; b++) out[(size_t)a * p + b] += x * r[(size_t)b * p + e];
        }
    }
}

/* Sums for Satterthwaite's df of every coefficient: P_ii = g'g - a'Ba with a = first B c, g'g = (Bc)' second (Bc). */
static void add_df(cluster_work *w)
{
    uint32_t p = w->p;
    su_multiply(w->first, w->bread, p, p, p, w->t); /* column c is a of coefficient c */
    for (uint32_t c = 0; c < p; c++) {
        double *k = w->k + (size_t)c * p * p;
        for (uint32_t i = 0; i < p; i++) w->column[i] = w->bread[(size_t)i * p + c];
        double own = su_quadratic(w->second, w->column, p);
        for (uint32_t i = 0; i < p; i++) w->column[i] = w->t[(size_t)i * p + c];
        double inner = su_quadratic(w->bread, w->column, p), pii = own - inner;
        w->diagonal[c] += pii;
        w->squares[c] += pii * pii - inner * inner;
        for (uint32_t i = 0; i < p; i++)
            for (uint32_t j = 0; j < p; j++) k[(size_t)i * p + j] += w->column[i] * w->column[j];
    }
}

void su_cluster_spectrum(cluster_work *w)
{
    uint32_t p = w->p;
    su_multiply(w->s, w->root, p, p, p, w->u);
    for (uint32_t a = 0; a < p; a++)
        for (uint32_t b = 0; b < p; b++) {
            double sum = 0;
            for (uint32_t i = 0; i < p; i++) sum += w->root[(size_t)i * p + a] * w->u[(size_t)i * p + b];
            w->t[(size_t)a * p + b] = sum;
        }
    su_eigen_symmetric(w->t, p, w->lambda, w->q);
}

/* CR0, CR1, CR1S and CR3: first, second and total of one cluster. */
static void one_cluster(const su_variance_input *in, su_logit_variance kind, const uint64_t *rows, uint64_t n, cluster_work *w,
                        su_sparse *s)
{
    uint32_t p = w->p;
    double *once = su_alloc_array(p, sizeof *once), *twice = su_alloc_array(p, sizeof *twice), *slq = square(p), *lq = square(p);
    memset(w->s, 0, (size_t)p * p * sizeof *w->s);
    memset(w->score, 0, p * sizeof *w->score);
    for (uint64_t i = 0; i < n; i++) {
        su_row_score r = su_row_score_of(in, rows[i], s);
        su_sparse_axpy(s, r.residual, w->score);
        for (uint32_t a = 0; a < s->n; a++)
            for (uint32_t b = 0; b < s->n; b++) w->s[(size_t)s->column[a] * p + s->column[b]] += r.working * s->value[a] * s->value[b];
    }
    su_cluster_spectrum(w);
    for (uint32_t e = 0; e < p; e++) powers(kind, w->lambda[e], &once[e], &twice[e]);
    su_multiply(w->root, w->q, p, p, p, lq);
    su_multiply(w->s, lq, p, p, p, slq);
    memcpy(w->total, w->score, p * sizeof *w->total);
    for (uint32_t e = 0; e < p; e++) {
        double dot = 0;
        for (uint32_t i = 0; i < p; i++) dot += lq[(size_t)i * p + e] * w->score[i];
        for (uint32_t i = 0; i < p; i++) w->total[i] += once[e] * dot * slq[(size_t)i * p + e];
    }
    between(w, slq, once, w->first);
    between(w, slq, twice, w->second);
    free(once);
    free(twice);
    free(slq);
    free(lq);
}

/* df_c = (sum P_ii)^2 / sum P_ij^2, and sum over i and j of (a_i'B a_j)^2 = tr(B K B K). */
static void satterthwaite(const cluster_work *w, const bool *kept, double *df)
{
    uint32_t p = w->p;
    double *bk = square(p);
    for (uint32_t c = 0; c < p; c++) {
        if (!kept[c]) continue;
        su_multiply(w->bread, w->k + (size_t)c * p * p, p, p, p, bk);
        su_sum all = { 0 };
        for (uint32_t i = 0; i < p; i++)
            for (uint32_t j = 0; j < p; j++) su_sum_add(&all, bk[(size_t)i * p + j] * bk[(size_t)j * p + i]);
        df[c] = w->diagonal[c] * w->diagonal[c] / (su_sum_of(&all) + w->squares[c]);
    }
    free(bk);
}

void su_cluster_robust(su_context *ctx, const su_variance_input *in, su_logit_variance kind, const uint64_t *order, const uint64_t *start,
                       uint32_t clusters, su_covariance *out)
{
    uint32_t p = in->x->columns;
    cluster_work w = { .p = p, .bread = in->fit->bread };
    double **squares[] = { &w.information, &w.root, &w.s, &w.t, &w.u, &w.q, &w.first, &w.second, &w.meat };
    double **lines[] = { &w.lambda, &w.score, &w.column, &w.total, &w.diagonal, &w.squares };
    for (size_t i = 0; i < sizeof squares / sizeof *squares; i++) *squares[i] = square(p);
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) *lines[i] = su_alloc_array(p, sizeof(double));
    w.k = su_alloc_array((size_t)p * p * p, sizeof(double));
    bool *good = su_alloc_array(p, sizeof *good);
    memcpy(w.root, w.bread, (size_t)p * p * sizeof *w.root);
    su_cholesky(w.root, p, 1e-15, good);
    su_cholesky_inverse(w.root, p, good, w.information);
    su_sparse s = su_sparse_new(in->x);
    for (uint32_t g = 0; g < clusters && !su_cancelled(ctx); g++) {
        if (kind == SU_VARIANCE_CR2)
            su_cluster_cr2(in, order + start[g], start[g + 1] - start[g], &w);
        else
            one_cluster(in, kind, order + start[g], start[g + 1] - start[g], &w, &s);
        for (uint32_t a = 0; a < p; a++)
            for (uint32_t b = 0; b < p; b++) w.meat[(size_t)a * p + b] += w.total[a] * w.total[b];
        add_df(&w);
    }
    double n = (double)in->x->row_count, groups = clusters, factor = 1;
    if (kind == SU_VARIANCE_CR1 || kind == SU_VARIANCE_CR1S) factor = groups / (groups - 1);
    if (kind == SU_VARIANCE_CR1S) factor *= (n - 1) / (n - in->fit->rank);
    su_multiply(w.bread, w.meat, p, p, p, w.t);
    su_multiply(w.t, w.bread, p, p, p, out->v);
    for (size_t i = 0; i < (size_t)p * p; i++) out->v[i] *= factor;
    satterthwaite(&w, in->fit->kept, out->df);
    static const char *const names[] = { "CR0", "CR1", "CR1S", "CR2", "CR3" };
    snprintf(out->label, sizeof out->label, "cluster %s, t with Satterthwaite df", names[kind - SU_VARIANCE_CR0]);
    su_sparse_free(&s);
    free(good);
    free(w.k);
    for (size_t i = 0; i < sizeof squares / sizeof *squares; i++) free(*squares[i]);
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) free(*lines[i]);
}
