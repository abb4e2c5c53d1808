/* Rubin's rules. */
#include <suha/impute.h>

#include <math.h>
#include <stdlib.h>

#include "numeric/matrix.h"
#include "numeric/special.h"

/* Barnard and Rubin 1999; complete infinite gives Rubin 1987. */
static double barnard_rubin(size_t m, double lambda, double complete)
{
    double old = lambda > 0 ? (double)(m - 1) / (lambda * lambda) : INFINITY;
    if (isinf(complete)) return old;
    double observed = (complete + 1) / (complete + 3) * complete * (1 - lambda);
    return isinf(old) ? observed : 1 / (1 / old + 1 / observed);
}

su_pooled su_pool(const double *estimates, const double *squares, size_t m, double complete_df)
{
    su_sum q = { 0 }, u = { 0 }, b = { 0 };
    double n = (double)m;
    for (size_t i = 0; i < m; i++) {
        su_sum_add(&q, estimates[i] / n);
        su_sum_add(&u, squares[i] / n);
    }
    su_pooled p = { .estimate = su_sum_of(&q), .within = su_sum_of(&u) };
    for (size_t i = 0; i < m; i++) su_sum_add(&b, (estimates[i] - p.estimate) * (estimates[i] - p.estimate) / (n - 1));
    p.between = su_sum_of(&b);
    p.total = p.within + (1 + 1 / n) * p.between;
    p.lambda = p.total > 0 ? (1 + 1 / n) * p.between / p.total : 0;
    p.riv = p.within > 0 ? (1 + 1 / n) * p.between / p.within : 0;
    p.df = barnard_rubin(m, p.lambda, complete_df);
    p.fmi = isinf(p.df) ? p.riv / (p.riv + 1) : (p.riv + 2 / (p.df + 3)) / (p.riv + 1);
    return p;
}

/* Reiter 2007 for a finite complete_df, Li, Raghunathan and Rubin 1991 otherwise. */
static double test_df(double t, double k, double r, double complete)
{
    if (isinf(complete))
        return t > 4 ? 4 + (t - 4) * (1 + (1 - 2 / t) / r) * (1 + (1 - 2 / t) / r) : t * (1 + 1 / k) * (1 + 1 / r) * (1 + 1 / r) / 2;
    if (t <= 4) return t; /* the limit of Reiter's formula at t = 4; below it he gives none */
    double a = r * t / (t - 2), v = (complete + 1) / (complete + 3) * complete, c0 = 1 / (t - 4), c1 = v - 2 * (1 + a),
           c2 = v - 4 * (1 + a);
    if (!(c2 > 0)) return 4;
    double z = 1 / c2 + c0 * (a * a * c1 / ((1 + a) * (1 + a) * c2)) +
               c0 * (8 * a * a * c1 / ((1 + a) * c2 * c2) + 4 * a * a / ((1 + a) * c2)) +
               c0 * (4 * a * a / (c2 * c1) + 16 * a * a * c1 / (c2 * c2 * c2)) + c0 * (8 * a * a / (c2 * c2));
    return 4 + 1 / z;
}

su_status su_pool_test(su_context *ctx, const double *estimates, const double *covariances, size_t m, size_t k, double complete_df,
                       su_pooled_test *out)
{
    double *q = su_alloc_array(k, sizeof *q), *u = su_alloc_array(k * k, sizeof *u), *b = su_alloc_array(k * k, sizeof *b);
    double *solved = su_alloc_array(k, sizeof *solved), n = (double)m, trace = 0, wald = 0;
    for (size_t i = 0; i < m; i++) {
        for (size_t j = 0; j < k; j++) q[j] += estimates[i * k + j] / n;
        for (size_t j = 0; j < k * k; j++) u[j] += covariances[i * k * k + j] / n;
    }
    for (size_t i = 0; i < m; i++)
        for (size_t j = 0; j < k; j++)
            for (size_t l = 0; l < k; l++) b[j * k + l] += (estimates[i * k + j] - q[j]) * (estimates[i * k + l] - q[l]) / (n - 1);
    su_status st = SU_OK;
    if (su_cholesky(u, k, 1e-12, NULL) < k) st = su_fail(ctx, SU_REFUSED, "the terms tested together cannot be told apart in these data");
    for (size_t j = 0; !st && j < k; j++) {
        for (size_t l = 0; l < k; l++) solved[l] = b[l * k + j];
        su_cholesky_solve(u, k, NULL, solved);
        trace += solved[j];
    }
    if (!st) {
        for (size_t j = 0; j < k; j++) solved[j] = q[j];
        su_cholesky_solve(u, k, NULL, solved);
        for (size_t j = 0; j < k; j++) wald += solved[j] * q[j];
        double r = (1 + 1 / n) * trace / (double)k;
        *out =
            (su_pooled_test) { wald / ((double)k * (1 + r)), (double)k, test_df((double)k * (n - 1), (double)k, r, complete_df), NAN, r };
        out->p = su_f_upper(out->f, out->df1, out->df2);
    }
    free(q);
    free(u);
    free(b);
    free(solved);
    return st;
}
