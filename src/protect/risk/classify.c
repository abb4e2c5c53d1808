/* With more features than runs the dual is the small problem: f = K a with a of one number per training run. Newton's method on the
 * penalised likelihood, as iteratively reweighted least squares: (K + ridge W^-1) a = z (Hastie, Tibshirani, Friedman 2009, 5.8
 * and 18.3.5). */
#include "classify.h"

#include <suha/base.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { ITERATIONS = 8 };
#define RIDGE 0.1

typedef struct half {
    const double *x;
    size_t features, first, end; /* training runs */
    const bool *member;
    double *mean, *scale; /* per feature: standardised value times weight = (x - mean) * scale */
} half;

/* Weight: fourth power of the two-sample t statistic (up to a factor) among the training runs, so that one telling feature among many noisy
 * ones is not drowned. The weights sum to 1, so that the kernel has the same size whatever the number of features. */
static void weigh(half *h)
{
    double total = 0, n = (double)(h->end - h->first), members = 0;
    for (size_t i = h->first; i < h->end; i++) members += h->member[i];
    for (size_t j = 0; j < h->features; j++) {
        double sum = 0, squares = 0, in = 0;
        for (size_t i = h->first; i < h->end; i++) {
            double v = h->x[i * h->features + j];
            sum += v;
            in += h->member[i] ? v : 0;
        }
        h->mean[j] = sum / n;
        for (size_t i = h->first; i < h->end; i++) {
            double v = h->x[i * h->features + j] - h->mean[j];
            squares += v * v;
        }
        double variance = squares / n, gap = in / members - (sum - in) / (n - members);
        double weight = variance > 1e-18 * (1 + h->mean[j] * h->mean[j]) ? gap * gap / variance : 0;
        weight *= weight;
        h->scale[j] = weight > 0 ? sqrt(weight / variance) : 0;
        total += weight;
    }
    for (size_t j = 0; j < h->features; j++) h->scale[j] = total > 0 ? h->scale[j] / sqrt(total) : 0;
}

static double kernel(const half *h, size_t a, size_t b)
{
    const double *x = h->x + a * h->features, *y = h->x + b * h->features;
    double sum = 1; /* the intercept, penalised like the rest */
    for (size_t j = 0; j < h->features; j++) {
        double s = h->scale[j] * h->scale[j];
        if (s > 0) sum += s * (x[j] - h->mean[j]) * (y[j] - h->mean[j]);
    }
    return sum;
}

/* Solves a symmetric positive definite system in place; a is overwritten by its factor. */
static void solve(double *a, size_t n, double *b)
{
    for (size_t j = 0; j < n; j++) {
        for (size_t i = j; i < n; i++) {
            double s = a[i * n + j];
            for (size_t k = 0; k < j; k++) s -= a[i * n + k] * a[j * n + k];
            a[i * n + j] = i == j ? sqrt(fmax(s, 1e-12)) : s / a[j * n + j];
        }
    }
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < i; k++) b[i] -= a[i * n + k] * b[k];
        b[i] /= a[i * n + i];
    }
    for (size_t i = n; i-- > 0;) {
        for (size_t k = i + 1; k < n; k++) b[i] -= a[k * n + i] * b[k];
        b[i] /= a[i * n + i];
    }
}

/* a[i]: weight of training run i in the score. */
static void train(const half *h, double *a)
{
    size_t n = h->end - h->first;
    double *k = su_alloc_array(n * n, sizeof *k), *system = su_alloc_array(n * n, sizeof *system), *f = su_alloc_array(n, sizeof *f);
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j <= i; j++) k[i * n + j] = k[j * n + i] = kernel(h, h->first + i, h->first + j);
    for (int iteration = 0; iteration < ITERATIONS; iteration++) {
        memcpy(system, k, n * n * sizeof *k);
        for (size_t i = 0; i < n; i++) {
            double p = 1 / (1 + exp(-f[i])), w = fmax(p * (1 - p), 1e-6);
            system[i * n + i] += RIDGE / w;
            a[i] = f[i] + ((double)h->member[h->first + i] - p) / w;
        }
        solve(system, n, a);
        for (size_t i = 0; i < n; i++) {
            f[i] = 0;
            for (size_t j = 0; j < n; j++) f[i] += k[i * n + j] * a[j];
            f[i] = fmax(-30, fmin(30, f[i]));
        }
    }
    free(k);
    free(system);
    free(f);
}

void su_cross_classify(const double *x, size_t n, size_t features, const bool *member, double *score)
{
    half h = { .x = x, .features = features, .member = member };
    h.mean = su_alloc_array(features + 1, sizeof *h.mean);
    h.scale = su_alloc_array(features + 1, sizeof *h.scale);
    double *a = su_alloc_array(n + 1, sizeof *a);
    for (int fold = 0; fold < 2; fold++) {
        size_t members = 0, from = fold ? 0 : n / 2, to = fold ? n / 2 : n; /* runs to be scored */
        h.first = fold ? n / 2 : 0;
        h.end = fold ? n : n / 2;
        for (size_t i = from; i < to; i++) score[i] = 0;
        for (size_t i = h.first; i < h.end; i++) members += h.member[i];
        if (members == 0 || members == h.end - h.first) continue;
        weigh(&h);
        train(&h, a);
        for (size_t i = from; i < to; i++)
            for (size_t j = h.first; j < h.end; j++) score[i] += a[j - h.first] * kernel(&h, i, j);
    }
    free(h.mean);
    free(h.scale);
    free(a);
}
