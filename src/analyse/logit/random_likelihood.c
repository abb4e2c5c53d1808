#include "logit/random_likelihood.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "numeric/matrix.h"
#include "numeric/special.h"

enum { CHUNKS = 16, FLUSH = 24, MODE_STEPS = 60 };

void su_random_data_init(su_random_data *d, const su_predictors *x, const su_variable *group, unsigned nodes, uint32_t *levels)
{
    uint32_t *number = su_alloc_array((size_t)group->level_count + 1, sizeof *number);
    *d = (su_random_data) { .x = x, .nodes = nodes };
    for (uint64_t i = 0; i < x->row_count; i++) number[su_frame_level(group, x->rows[i])] = 1;
    for (uint32_t l = 1; l <= group->level_count; l++)
        if (number[l]) {
            levels[d->groups] = l;
            number[l] = d->groups++;
        }
    d->order = su_alloc_array(x->row_count, sizeof *d->order);
    d->start = su_alloc_array((size_t)d->groups + 2, sizeof *d->start);
    for (uint64_t i = 0; i < x->row_count; i++) d->start[number[su_frame_level(group, x->rows[i])] + 2]++;
    for (uint32_t g = 0; g < d->groups; g++) d->start[g + 2] += d->start[g + 1];
    for (uint64_t i = 0; i < x->row_count; i++) d->order[d->start[number[su_frame_level(group, x->rows[i])] + 1]++] = i;
    d->mode = su_alloc_array(d->groups, sizeof *d->mode);
    d->curvature = su_alloc_array(d->groups, sizeof *d->curvature);
    double z[SU_RANDOM_NODES], w[SU_RANDOM_NODES];
    su_gauss_hermite(nodes, z, w);
    for (unsigned q = 0; q < nodes; q++) {
        d->node[q] = M_SQRT2 * z[q];
        d->log_weight[q] = log(w[q]) + z[q] * z[q] - log(M_PI) / 2;
    }
    free(number);
}

void su_random_data_free(su_random_data *d)
{
    free(d->order);
    free(d->start);
    free(d->mode);
    free(d->curvature);
    *d = (su_random_data) { 0 };
}

typedef struct part {
    double loglik, *gradient, *information, *slopes;
} part;

typedef struct job {
    su_random_data *d;
    const double *theta;
    bool gradient, information;
    part *parts;
    uint32_t *first; /* group of each chunk */
} job;

/* Rows of one group at the current theta. */
typedef struct group_rows {
    uint64_t n;
    const uint64_t *at;
    double *eta, *odds, *y; /* odds = exp(eta) */
    double sum_y_eta, sum_y;
} group_rows;

static double logistic(double eta) { return eta >= 0 ? 1 / (1 + exp(-eta)) : exp(eta) / (1 + exp(eta)); }

/* The mode of log prod Bern - u^2/2 by Newton, which is concave; sums at it. */
static double find_mode(const group_rows *r, double s, double u, double *v, double *curve, double *residual)
{
    for (int step = 0; step < MODE_STEPS; step++) {
        double up = exp(fmax(fmin(s * u, 300), -300));
        *v = *curve = *residual = 0;
        for (uint64_t k = 0; k < r->n; k++) {
            double x = r->odds[k] * up, p = x / (1 + x), w = p / (1 + x);
            *residual += r->y[k] - p;
            *v += w;
            *curve += w * (1 - 2 * p);
        }
        double change = (s * *residual - u) / (1 + s * s * *v);
        if (fabs(change) < 1e-13 * (1 + fabs(u))) break;
        u += fmax(fmin(change, 2), -2);
    }
    return u;
}

/* log prod Bern(y; eta + s u) by products of 1 + odds. */
static double log_density(const group_rows *r, double s, double u)
{
    double up = exp(fmax(fmin(s * u, 300), -300)), product = 1, logs = 0;
    unsigned n = 0;
    for (uint64_t k = 0; k < r->n; k++) {
        double x = r->odds[k] * up;
        if (x > 1e10) {
            logs += log1p(x);
            continue;
        }
        product *= 1 + x;
        if (++n == FLUSH) {
            logs += log(product);
            product = 1;
            n = 0;
        }
    }
    return r->sum_y_eta + s * u * r->sum_y - logs - log(product) - u * u / 2;
}

/* Adds coefficient[k] x_k of the group's rows to out. */
static void add_rows(const su_predictors *x, const group_rows *r, const double *coefficient, su_sparse *s, double *out)
{
    for (uint64_t k = 0; k < r->n; k++) {
        su_predictors_row(x, x->rows[r->at[k]], NULL, s);
        su_sparse_axpy(s, coefficient[k], out);
    }
}

static void add_information(const su_predictors *x, const group_rows *r, double s, double u, double h, su_sparse *row, part *out)
{
    uint32_t p = x->columns;
    memset(out->slopes, 0, p * sizeof *out->slopes);
    for (uint64_t k = 0; k < r->n; k++) {
        double m = logistic(r->eta[k] + s * u), v = m * (1 - m);
        su_predictors_row(x, x->rows[r->at[k]], NULL, row);
        su_sparse_axpy(row, v, out->slopes);
        for (uint32_t a = 0; a < row->n; a++)
            for (uint32_t b = 0; b < row->n; b++)
                out->information[(size_t)row->column[a] * p + row->column[b]] += v * row->value[a] * row->value[b];
    }
    for (uint32_t a = 0; a < p; a++)
        for (uint32_t b = 0; out->slopes[a] != 0 && b < p; b++)
            out->information[(size_t)a * p + b] -= s * s / h * out->slopes[a] * out->slopes[b];
}

/* One group: log of the quadrature and its gradient. With t = H^-1/2 and u_q = mode + c_q t, the derivative to a parameter is
 * sum pi_q dg(u_q) + G1 d mode + G2 dt, G1 = sum pi_q g'(u_q), G2 = sum pi_q g'(u_q) c_q + 1/t, d mode = dg'/H, dt = -t^3/2 dH. */
static void one_group(const job *j, uint32_t g, group_rows *r, double *coefficient, su_sparse *row, part *out)
{
    su_random_data *d = j->d;
    uint32_t p = d->x->columns;
    double s = exp(j->theta[p]), v, curve, residual, share[SU_RANDOM_NODES], most = -INFINITY, sum = 0;
    double u = d->mode[g] = find_mode(r, s, d->mode[g], &v, &curve, &residual);
    double h = d->curvature[g] = 1 + s * s * v, t = 1 / sqrt(h);
    for (unsigned q = 0; q < d->nodes; q++) {
        share[q] = d->log_weight[q] + log_density(r, s, u + d->node[q] * t);
        most = fmax(most, share[q]);
    }
    for (unsigned q = 0; q < d->nodes; q++) sum += share[q] = exp(share[q] - most);
    out->loglik += most + log(sum) + log(t);
    if (j->information) add_information(d->x, r, s, u, h, row, out);
    if (!j->gradient) return;
    double up[SU_RANDOM_NODES], residuals[SU_RANDOM_NODES], direct = 0, g1 = 0, g2 = 1 / t;
    for (unsigned q = 0; q < d->nodes; q++) {
        share[q] /= sum;
        up[q] = exp(fmax(fmin(s * (u + d->node[q] * t), 300), -300));
        residuals[q] = 0;
    }
    for (uint64_t k = 0; k < r->n; k++) {
        double mean = 0;
        for (unsigned q = 0; q < d->nodes; q++) {
            double x = r->odds[k] * up[q], e = r->y[k] - x / (1 + x);
            residuals[q] += e;
            mean += share[q] * e;
        }
        coefficient[k] = mean;
    }
    for (unsigned q = 0; q < d->nodes; q++) {
        double at = u + d->node[q] * t, slope = s * residuals[q] - at;
        direct += share[q] * at * residuals[q];
        g1 += share[q] * slope;
        g2 += share[q] * slope * d->node[q];
    }
    double by_h = -t * t * t / 2 * g2, by_mode = g1 + by_h * s * s * s * curve;
    for (uint64_t k = 0; k < r->n; k++) {
        double m = logistic(r->eta[k] + s * u), w = m * (1 - m);
        coefficient[k] += by_mode * (-s * w / h) + by_h * s * s * w * (1 - 2 * m);
    }
    add_rows(d->x, r, coefficient, row, out->gradient);
    double mode_by_s = (residual - s * u * v) / h, h_by_s = 2 * s * v + s * s * u * curve;
    out->gradient[p] += s * (direct + by_mode * mode_by_s + by_h * h_by_s);
}

static void one_chunk(void *arg, size_t index, unsigned worker)
{
    (void)worker;
    const job *j = arg;
    const su_random_data *d = j->d;
    const su_predictors *x = d->x;
    uint64_t largest = 1;
    for (uint32_t g = j->first[index]; g < j->first[index + 1]; g++)
        if (d->start[g + 1] - d->start[g] > largest) largest = d->start[g + 1] - d->start[g];
    group_rows r = { .eta = su_alloc_array(largest, sizeof *r.eta),
                     .odds = su_alloc_array(largest, sizeof *r.odds),
                     .y = su_alloc_array(largest, sizeof *r.y) };
    double *coefficient = su_alloc_array(largest, sizeof *coefficient);
    su_sparse row = su_sparse_new(x);
    for (uint32_t g = j->first[index]; g < j->first[index + 1]; g++) {
        r.at = d->order + d->start[g];
        r.n = d->start[g + 1] - d->start[g];
        r.sum_y = r.sum_y_eta = 0;
        for (uint64_t k = 0; k < r.n; k++) {
            su_predictors_row(x, x->rows[r.at[k]], NULL, &row);
            r.eta[k] = su_sparse_dot(&row, j->theta) + su_predictors_offset(x, x->rows[r.at[k]], NULL);
            r.odds[k] = exp(fmax(fmin(r.eta[k], 300), -300));
            r.y[k] = x->y[r.at[k]];
            r.sum_y += r.y[k];
            r.sum_y_eta += r.y[k] * r.eta[k];
        }
        one_group(j, g, &r, coefficient, &row, &j->parts[index]);
    }
    free(r.eta);
    free(r.odds);
    free(r.y);
    free(coefficient);
    su_sparse_free(&row);
}

double su_random_loglik(su_context *ctx, su_random_data *d, const double *theta, double *gradient, double *information)
{
    uint32_t p = d->x->columns, first[CHUNKS + 1] = { 0 };
    part parts[CHUNKS];
    for (uint32_t c = 0, g = 0; c < CHUNKS; c++) { /* chunks of about equally many rows */
        while (g < d->groups && d->start[g] < d->x->row_count * (c + 1) / CHUNKS) g++;
        first[c + 1] = c + 1 == CHUNKS ? d->groups : g;
    }
    for (int c = 0; c < CHUNKS; c++)
        parts[c] = (part) { 0, su_alloc_array(p + 1, sizeof(double)), information ? su_alloc_array((size_t)p * p, sizeof(double)) : NULL,
                            su_alloc_array(p, sizeof(double)) };
    job j = { d, theta, gradient != NULL, information != NULL, parts, first };
    su_parallel(ctx, CHUNKS, one_chunk, &j);
    double loglik = 0;
    if (gradient) memset(gradient, 0, (p + 1) * sizeof *gradient);
    if (information) memset(information, 0, (size_t)p * p * sizeof *information);
    for (int c = 0; c < CHUNKS; c++) {
        loglik += parts[c].loglik;
        for (uint32_t k = 0; gradient && k <= p; k++) gradient[k] += parts[c].gradient[k];
        for (size_t k = 0; information && k < (size_t)p * p; k++) information[k] += parts[c].information[k];
        free(parts[c].gradient);
        free(parts[c].information);
        free(parts[c].slopes);
    }
    return loglik;
}
