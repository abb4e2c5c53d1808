/* Predictive mean matching: a draw of a linear regression predicts, and an observed number of one of the five nearest is taken
 * (Little 1988, doi:10.1080/07350015.1988.10509663; type 1 matching of van Buuren). */
#include "impute/chain.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "numeric/matrix.h"

#define RIDGE 1e-5

typedef struct donor {
    double predicted;
    uint32_t row;
} donor;

static int by_prediction(const void *a, const void *b)
{
    const donor *x = a, *y = b;
    if (x->predicted != y->predicted) return x->predicted < y->predicted ? -1 : 1;
    return (x->row > y->row) - (x->row < y->row);
}

static double dot(const double *a, const double *b, size_t n)
{
    double s = 0;
    for (size_t j = 0; j < n; j++) s += a[j] * b[j];
    return s;
}

/* A row of one of the donors nearest to `wanted`, each as likely. */
static uint32_t take(const donor *donors, size_t n, double wanted, su_philox *random)
{
    size_t low = 0, high = n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (donors[middle].predicted < wanted)
            low = middle + 1;
        else
            high = middle;
    }
    size_t left = low, right = low, most = n < SU_CHAIN_DONORS ? n : SU_CHAIN_DONORS; /* donors[left..right) are taken */
    while (right - left < most) {
        bool lower = right == n || (left > 0 && wanted - donors[left - 1].predicted <= donors[right].predicted - wanted);
        if (lower)
            left--;
        else
            right++;
    }
    return donors[left + su_philox_below(random, right - left)].row;
}

typedef struct fit {
    uint32_t k;
    double *l, *beta, *drawn, *x;
    bool *kept;
} fit;

static void regress(fit *f, const su_chain_variable *v, const double *y, const su_chain_row *r)
{
    uint32_t k = f->k;
    for (uint64_t i = 0; i < v->observed_count; i++) {
        su_chain_fill(r, v->observed[i], f->x);
        double value = y[v->observed[i]];
        for (uint32_t a = 0; a < k; a++) {
            f->beta[a] += value * f->x[a];
            for (uint32_t b = 0; b <= a; b++) f->l[a * k + b] += f->x[a] * f->x[b];
        }
    }
    for (uint32_t a = 0; a < k; a++) {
        f->l[a * k + a] *= 1 + RIDGE;
        for (uint32_t b = 0; b < a; b++) f->l[b * k + a] = f->l[a * k + b];
    }
    (void)su_cholesky(f->l, k, 1e-9, f->kept);
    su_cholesky_solve(f->l, k, f->kept, f->beta);
}

void su_chain_pmm(su_chain *c, uint32_t target)
{
    const su_chain_variable *v = &c->data->variables[target];
    su_chain_row r = su_chain_row_of(c, target);
    uint32_t k = r.columns;
    fit f = { k,
              su_alloc_array((size_t)k * k, sizeof(double)),
              su_alloc_array(k, sizeof(double)),
              su_alloc_array(k, sizeof(double)),
              su_alloc_array(k, sizeof(double)),
              su_alloc_array(k, sizeof(bool)) };
    double *y = c->number[target], residual = 0;
    regress(&f, v, y, &r);
    donor *donors = su_alloc_array(v->observed_count, sizeof *donors);
    for (uint64_t i = 0; i < v->observed_count; i++) {
        uint32_t row = v->observed[i];
        su_chain_fill(&r, row, f.x);
        donors[i] = (donor) { dot(f.beta, f.x, k), row };
        residual += (y[row] - donors[i].predicted) * (y[row] - donors[i].predicted);
    }
    double df = fmax((double)v->observed_count - k, 1), sigma = sqrt(residual / (2 * su_philox_gamma(&c->random, df / 2)));
    double *zero = su_alloc_array(k, sizeof *zero);
    su_chain_draw(&c->random, f.l, k, f.kept, zero, f.drawn);
    for (uint32_t j = 0; j < k; j++) f.drawn[j] = f.beta[j] + sigma * f.drawn[j];
    qsort(donors, v->observed_count, sizeof *donors, by_prediction);
    for (uint64_t i = 0; i < v->missing_count; i++) {
        su_chain_fill(&r, v->missing[i], f.x);
        y[v->missing[i]] = y[take(donors, v->observed_count, dot(f.drawn, f.x, k), &c->random)] + v->delta / v->sd;
    }
    free(zero);
    free(donors);
    free(f.l);
    free(f.beta);
    free(f.drawn);
    free(f.x);
    free(f.kept);
    su_chain_row_free(&r);
}
