#include "logit/measures.h"

#include <math.h>
#include <stdlib.h>

#include "numeric/matrix.h"
#include "numeric/special.h"

enum { GROUPS = 10 };

typedef struct point {
    double mu, y, w;
} point;

static int by_mu(const void *a, const void *b)
{
    double x = ((const point *)a)->mu, y = ((const point *)b)->mu;
    return (x > y) - (x < y);
}

static double area(const point *p, uint64_t n)
{
    su_sum pairs = { 0 }, zeros = { 0 }, ones = { 0 };
    for (uint64_t i = 0; i < n;) {
        double zero = 0, one = 0;
        uint64_t j = i;
        for (; j < n && p[j].mu == p[i].mu; j++) {
            one += p[j].w * p[j].y;
            zero += p[j].w * (1 - p[j].y);
        }
        su_sum_add(&pairs, one * (su_sum_of(&zeros) + zero / 2));
        su_sum_add(&zeros, zero);
        su_sum_add(&ones, one);
        i = j;
    }
    return su_sum_of(&pairs) / (su_sum_of(&zeros) * su_sum_of(&ones));
}

/* Value of rank r (from 0) among rows, weights being whole numbers of rows. */
static double at_rank(const point *p, uint64_t n, double r)
{
    double seen = 0;
    for (uint64_t i = 0; i < n; i++) {
        seen += p[i].w;
        if (r < seen) return p[i].mu;
    }
    return p[n - 1].mu;
}

static void hosmer_lemeshow(const point *p, uint64_t n, su_measures *m)
{
    double rows = 0, cuts[GROUPS + 1], chi2 = 0;
    int groups = 0;
    for (uint64_t i = 0; i < n; i++) rows += p[i].w;
    for (int g = 0; g <= GROUPS; g++) {
        double h = (rows - 1) * g / GROUPS, low = floor(h), a = at_rank(p, n, low), b = at_rank(p, n, fmin(low + 1, rows - 1));
        cuts[g] = a + (h - low) * (b - a);
    }
    uint64_t i = 0;
    for (int g = 0; g < GROUPS; g++) {
        if (g > 0 && cuts[g + 1] == cuts[g]) continue;
        double count = 0, events = 0, expected = 0;
        for (; i < n && (p[i].mu <= cuts[g + 1] || g == GROUPS - 1); i++) {
            count += p[i].w;
            events += p[i].w * p[i].y;
            expected += p[i].w * p[i].mu;
        }
        if (count == 0) continue;
        chi2 += (events - expected) * (events - expected) / (expected * (1 - expected / count));
        groups++;
    }
    m->hosmer_lemeshow = m->hosmer_lemeshow_p = NAN;
    m->hosmer_lemeshow_df = 0;
    if (groups < 3 || !isfinite(chi2)) return;
    m->hosmer_lemeshow = chi2;
    m->hosmer_lemeshow_df = groups - 2;
    m->hosmer_lemeshow_p = su_chi2_upper(chi2, groups - 2);
}

su_measures su_measures_of(const su_units *u, const su_fit *fit, bool weighted)
{
    su_measures m = { .mcfadden = 1 - fit->loglik / fit->null_loglik, .hosmer_lemeshow = NAN, .hosmer_lemeshow_p = NAN };
    point *p = su_alloc_array(u->n, sizeof *p);
    su_sparse s = su_sparse_new(u->x);
    su_sum square = { 0 }, total = { 0 }, one = { 0 }, zero = { 0 }, ones = { 0 };
    for (uint64_t i = 0; i < u->n; i++) {
        su_predictors_row(u->x, u->row[i], NULL, &s);
        double mu = su_family_mean(u->family, su_sparse_dot(&s, fit->beta) + su_predictors_offset(u->x, u->row[i], NULL)).mu;
        double w = su_units_weight(u, i), y = u->y[i];
        p[i] = (point) { mu, y, w };
        su_sum_add(&square, w * (y - mu) * (y - mu));
        su_sum_add(&total, w);
        su_sum_add(&ones, w * y);
        su_sum_add(&one, w * y * mu);
        su_sum_add(&zero, w * (1 - y) * mu);
    }
    double events = su_sum_of(&ones), weight = su_sum_of(&total);
    m.brier = su_sum_of(&square) / weight;
    m.tjur = su_sum_of(&one) / events - su_sum_of(&zero) / (weight - events);
    qsort(p, u->n, sizeof *p, by_mu);
    m.auc = area(p, u->n);
    if (!weighted) hosmer_lemeshow(p, u->n, &m);
    su_sparse_free(&s);
    free(p);
    return m;
}
