/* logit: unpenalised logistic regression by Fisher scoring, on a sparse design. */
#include <suha/utility.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_ITERATIONS = 60, MOST_HALVINGS = 30 };

/* ---- Cholesky, lower triangle in place ---- */

static bool factor(double *a, uint32_t p)
{
    for (uint32_t j = 0; j < p; j++) {
        double d = a[(size_t)j * p + j], whole = d;
        for (uint32_t k = 0; k < j; k++) d -= a[(size_t)j * p + k] * a[(size_t)j * p + k];
        if (!(d > 1e-11 * whole)) return false;
        double root = sqrt(d);
        a[(size_t)j * p + j] = root;
        for (uint32_t i = j + 1; i < p; i++) {
            double s = a[(size_t)i * p + j];
            for (uint32_t k = 0; k < j; k++) s -= a[(size_t)i * p + k] * a[(size_t)j * p + k];
            a[(size_t)i * p + j] = s / root;
        }
    }
    return true;
}

static void forward(const double *l, uint32_t p, uint32_t from, double *x)
{
    for (uint32_t i = from; i < p; i++) {
        double s = x[i];
        for (uint32_t k = from; k < i; k++) s -= l[(size_t)i * p + k] * x[k];
        x[i] = s / l[(size_t)i * p + i];
    }
}

static void backward(const double *l, uint32_t p, double *x)
{
    for (uint32_t i = p; i-- > 0;) {
        double s = x[i];
        for (uint32_t k = i + 1; k < p; k++) s -= l[(size_t)k * p + i] * x[k];
        x[i] = s / l[(size_t)i * p + i];
    }
}

/* ---- likelihood -------------------------------------------------------------------------------------------------------------------- */

static double linear(const su_design *d, const double *b, size_t row)
{
    double eta = 0;
    for (size_t e = d->start[row]; e < d->start[row + 1]; e++) eta += d->value[e] * b[d->index[e]];
    return eta;
}

static double log_likelihood(const su_design *d, const double *b)
{
    double sum = 0;
    for (size_t i = 0; i < d->rows; i++) {
        double eta = linear(d, b, i);
        sum += d->outcome[i] * eta - (eta > 0 ? eta + log1p(exp(-eta)) : log1p(exp(eta)));
    }
    return sum;
}

static void normal_equations(const su_design *d, const double *b, double *information, double *score)
{
    uint32_t p = d->terms;
    memset(information, 0, (size_t)p * p * sizeof *information);
    memset(score, 0, p * sizeof *score);
    for (size_t i = 0; i < d->rows; i++) {
        double fit = 1 / (1 + exp(-linear(d, b, i))), w = fit * (1 - fit), residual = d->outcome[i] - fit;
        for (size_t e = d->start[i]; e < d->start[i + 1]; e++) {
            double v = d->value[e];
            score[d->index[e]] += v * residual;
            double *line = information + (size_t)d->index[e] * p;
            for (size_t f = d->start[i]; f < d->start[i + 1]; f++) line[d->index[f]] += w * v * d->value[f];
        }
    }
}

/* ---- fit --------------------------------------------------------------------------------------------------------------------------- */

static void standard_errors(const double *l, uint32_t p, double *column, double *se)
{
    for (uint32_t j = 0; j < p; j++) {
        memset(column, 0, p * sizeof *column);
        column[j] = 1;
        forward(l, p, j, column);
        double sum = 0;
        for (uint32_t i = j; i < p; i++) sum += column[i] * column[i];
        se[j] = sqrt(sum);
    }
}

/* One step, halved until the likelihood does not fall. Returns the largest relative change. */
static double advance(const su_design *d, const double *step, double *b, double *next, double *loglik)
{
    double scale = 1, now = -INFINITY;
    for (int h = 0; h < MOST_HALVINGS; h++, scale /= 2) {
        for (uint32_t j = 0; j < d->terms; j++) next[j] = b[j] + scale * step[j];
        now = log_likelihood(d, next);
        if (now >= *loglik - 1e-10 * fabs(*loglik)) break;
    }
    double change = 0;
    for (uint32_t j = 0; j < d->terms; j++) {
        change = fmax(change, fabs(next[j] - b[j]) / (1 + fabs(b[j])));
        b[j] = next[j];
    }
    *loglik = now;
    return change;
}

void su_logit_fit(const su_design *d, su_logit *out)
{
    uint32_t p = d->terms;
    double *information = su_alloc_array((size_t)p * p + 1, sizeof *information);
    double *score = su_alloc_array((size_t)p + 1, sizeof *score), *next = su_alloc_array((size_t)p + 1, sizeof *next);
    memset(out->b, 0, p * sizeof *out->b);
    out->fitted = false;
    out->why = "separation: some terms tell every yes from every no, so the likelihood has no maximum";
    out->iterations = 0;
    out->loglik = log_likelihood(d, out->b);
    for (double change = INFINITY; out->iterations < MOST_ITERATIONS; out->iterations++) {
        normal_equations(d, out->b, information, score);
        if (!factor(information, p)) {
            if (out->iterations == 0) out->why = "some terms are combinations of others";
            break;
        }
        if (change <= 1e-10) {
            standard_errors(information, p, next, out->se);
            out->fitted = true;
            out->why = NULL;
            break;
        }
        forward(information, p, 0, score);
        backward(information, p, score);
        change = advance(d, score, out->b, next, &out->loglik);
    }
    for (uint32_t j = 0; !out->fitted && j < p; j++) out->b[j] = out->se[j] = NAN;
    if (!out->fitted) out->loglik = NAN;
    free(information);
    free(score);
    free(next);
}
