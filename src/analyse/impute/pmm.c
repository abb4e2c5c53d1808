/* Matching. Predictive mean matching: a draw of a linear regression predicts, and an observed number of one of the five nearest is taken
 * (Little 1988, doi:10.1080/07350015.1988.10509663; type 1 matching of van Buuren). Categories too many for a model of their own are given
 * the scores that the other columns predict best, and matched by them. */
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

static fit fit_new(uint32_t k)
{
    return (fit) { k,
                   su_alloc_array((size_t)k * k, sizeof(double)),
                   su_alloc_array(k, sizeof(double)),
                   su_alloc_array(k, sizeof(double)),
                   su_alloc_array(k, sizeof(double)),
                   su_alloc_array(k, sizeof(bool)) };
}

static void fit_free(fit *f) { free(f->l), free(f->beta), free(f->drawn), free(f->x), free(f->kept); }

/* For each missing row the observed row whose value it takes. y: by row of the file. */
static void find_donors(su_chain *c, const su_chain_variable *v, const su_chain_row *r, const double *y, uint32_t *from)
{
    uint32_t k = r->columns;
    fit f = fit_new(k);
    double residual = 0;
    regress(&f, v, y, r);
    donor *donors = su_alloc_array(v->observed_count, sizeof *donors);
    for (uint64_t i = 0; i < v->observed_count; i++) {
        uint32_t row = v->observed[i];
        su_chain_fill(r, row, f.x);
        donors[i] = (donor) { dot(f.beta, f.x, k), row };
        residual += (y[row] - donors[i].predicted) * (y[row] - donors[i].predicted);
    }
    double df = fmax((double)v->observed_count - k, 1), sigma = sqrt(residual / (2 * su_philox_gamma(&c->random, df / 2)));
    double *zero = su_alloc_array(k, sizeof *zero);
    su_chain_draw(&c->random, f.l, k, f.kept, zero, f.drawn);
    for (uint32_t j = 0; j < k; j++) f.drawn[j] = f.beta[j] + sigma * f.drawn[j];
    qsort(donors, v->observed_count, sizeof *donors, by_prediction);
    for (uint64_t i = 0; i < v->missing_count; i++) {
        su_chain_fill(r, v->missing[i], f.x);
        from[i] = take(donors, v->observed_count, dot(f.drawn, f.x, k), &c->random);
    }
    free(zero);
    free(donors);
    fit_free(&f);
}

void su_chain_pmm(su_chain *c, uint32_t target)
{
    const su_chain_variable *v = &c->data->variables[target];
    su_chain_row r = su_chain_row_of(c, target);
    uint32_t *from = su_alloc_array(v->missing_count + 1, sizeof *from);
    double *y = c->number[target];
    find_donors(c, v, &r, y, from);
    for (uint64_t i = 0; i < v->missing_count; i++) y[v->missing[i]] = y[from[i]] + v->delta / v->sd;
    free(from);
    su_chain_row_free(&r);
}

/* Mean 0 and variance 1 over the observed rows. */
static void standardise(double *score, const double *people, uint32_t categories)
{
    double n = 0, mean = 0, square = 0;
    for (uint32_t k = 0; k < categories; k++) n += people[k], mean += people[k] * score[k];
    mean /= n;
    for (uint32_t k = 0; k < categories; k++) square += people[k] * (score[k] - mean) * (score[k] - mean);
    double sd = sqrt(square / n);
    for (uint32_t k = 0; k < categories; k++) score[k] = people[k] > 0 && sd > 0 ? (score[k] - mean) / sd : 0;
}

/* Scores of categories by alternating least squares: regression of the scores on the columns, then the mean prediction of each category.
 * What stays is the first canonical variate (Young, de Leeuw and Takane 1976, doi:10.1007/BF02296971). y: scores by row. */
static void score_categories(su_chain *c, const su_chain_variable *v, const su_chain_row *r, const uint16_t *code, double *y)
{
    enum { ROUNDS = 8 };
    double *score = su_alloc_array(v->categories, sizeof *score), *people = su_alloc_array(v->categories, sizeof *people);
    for (uint64_t i = 0; i < v->observed_count; i++) people[code[v->observed[i]]]++;
    for (uint32_t k = 0; k < v->categories; k++) score[k] = su_philox_normal(&c->random);
    standardise(score, people, v->categories);
    for (int round = 0; round < ROUNDS; round++) {
        fit f = fit_new(r->columns);
        for (uint64_t i = 0; i < v->observed_count; i++) y[v->observed[i]] = score[code[v->observed[i]]];
        regress(&f, v, y, r);
        memset(score, 0, v->categories * sizeof *score);
        for (uint64_t i = 0; i < v->observed_count; i++) {
            uint32_t row = v->observed[i];
            su_chain_fill(r, row, f.x);
            score[code[row]] += dot(f.beta, f.x, r->columns) / people[code[row]];
        }
        standardise(score, people, v->categories);
        fit_free(&f);
    }
    for (uint64_t i = 0; i < v->observed_count; i++) y[v->observed[i]] = score[code[v->observed[i]]];
    free(score);
    free(people);
}

void su_chain_matched(su_chain *c, uint32_t target)
{
    const su_chain_variable *v = &c->data->variables[target];
    su_chain_row r = su_chain_row_of(c, target);
    uint32_t *from = su_alloc_array(v->missing_count + 1, sizeof *from);
    double *y = su_alloc_array(c->data->rows, sizeof *y);
    uint16_t *code = c->code[target];
    score_categories(c, v, &r, code, y);
    find_donors(c, v, &r, y, from);
    for (uint64_t i = 0; i < v->missing_count; i++) code[v->missing[i]] = code[from[i]];
    free(from);
    free(y);
    su_chain_row_free(&r);
}
