/* Variances of count regression that do not believe the model. */
#include "flow/count_model.h"

#include <math.h>
#include <stdlib.h>

#include "numeric/matrix.h"

/* meat += weight * (a b' + b a'), or a a' when b is NULL */
static void add_outer(double *meat, const double *a, const double *b, size_t p, double weight)
{
    for (size_t j = 0; j < p; j++)
        for (size_t k = 0; k < p; k++) meat[j * p + k] += weight * (b ? a[j] * b[k] + b[j] * a[k] : a[j] * a[k]);
}

void su_counts_sandwich(const su_counts_design *d, const su_counts_options *o, su_counts_fit *f)
{
    size_t n = d->rows, p = d->columns;
    if (o->errors == SU_ERRORS_MODEL) return;
    if (o->errors == SU_ERRORS_QUASI) {
        for (size_t j = 0; j < p * p; j++) f->covariance[j] *= f->dispersion;
        return;
    }
    double *score = su_alloc_array(n * p, sizeof *score), *meat = su_alloc_array(p * p, sizeof *meat);
    double *half = su_alloc_array(p * p, sizeof *half);
    for (size_t i = 0; i < n; i++) {
        double m = f->fitted[i], e = (d->y[i] - m) / (isinf(f->theta) ? 1 : 1 + m / f->theta);
        for (size_t j = 0; j < p; j++) score[i * p + j] = e * d->x[i * p + j];
        add_outer(meat, score + i * p, NULL, p, 1);
    }
    size_t lag = o->errors == SU_ERRORS_NEWEY_WEST ? o->lag : 0;
    for (size_t k = 1; k <= lag && k < n; k++)
        for (size_t i = k; i < n; i++) add_outer(meat, score + i * p, score + (i - k) * p, p, 1 - (double)k / (double)(lag + 1));
    su_multiply(f->covariance, meat, p, p, p, half);
    double *bread = su_alloc_array(p * p, sizeof *bread);
    for (size_t j = 0; j < p * p; j++) bread[j] = f->covariance[j];
    su_multiply(half, bread, p, p, p, f->covariance);
    free(bread);
    free(half);
    free(meat);
    free(score);
}
