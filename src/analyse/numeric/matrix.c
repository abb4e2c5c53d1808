#include "numeric/matrix.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <suha/base.h>

enum { MAX_SWEEPS = 60 }; /* Jacobi converges quadratically: six to ten sweeps are usual */

size_t su_cholesky(double *a, size_t n, double tolerance, bool *kept)
{
    size_t rank = 0;
    for (size_t j = 0; j < n; j++) {
        double *row = a + j * n, before = row[j];
        for (size_t k = 0; k < j; k++) {
            double s = row[k], d = a[k * n + k];
            for (size_t m = 0; m < k; m++) s -= row[m] * a[k * n + m];
            row[k] = d > 0 ? s / d : 0;
        }
        double s = before;
        for (size_t m = 0; m < j; m++) s -= row[m] * row[m];
        bool good = before > 0 && s > tolerance * before && isfinite(s);
        if (good) {
            row[j] = sqrt(s);
            rank++;
        } else {
            memset(row, 0, (j + 1) * sizeof *row); /* a zero pivot makes later rows skip this column */
        }
        if (kept) kept[j] = good;
        for (size_t m = j + 1; m < n; m++) row[m] = 0;
    }
    return rank;
}

void su_cholesky_solve(const double *l, size_t n, const bool *kept, double *b)
{
    for (size_t i = 0; i < n; i++) {
        if (kept && !kept[i]) {
            b[i] = 0;
            continue;
        }
        double s = b[i];
        for (size_t k = 0; k < i; k++) s -= l[i * n + k] * b[k];
        b[i] = s / l[i * n + i];
    }
    for (size_t i = n; i-- > 0;) {
        if (kept && !kept[i]) continue;
        double x = b[i] /= l[i * n + i];
        for (size_t k = 0; k < i; k++) b[k] -= l[i * n + k] * x;
    }
}

void su_cholesky_inverse(const double *l, size_t n, const bool *kept, double *out)
{
    double *column = su_alloc_array(n ? n : 1, sizeof *column);
    for (size_t j = 0; j < n; j++) {
        memset(column, 0, n * sizeof *column);
        if (!kept || kept[j]) {
            column[j] = 1;
            su_cholesky_solve(l, n, kept, column);
        }
        for (size_t i = 0; i < n; i++) out[i * n + j] = column[i];
    }
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < i; j++) out[i * n + j] = out[j * n + i] = (out[i * n + j] + out[j * n + i]) / 2;
    free(column);
}

double su_cholesky_log_determinant(const double *l, size_t n, const bool *kept)
{
    double sum = 0;
    for (size_t j = 0; j < n; j++)
        if (!kept || kept[j]) sum += 2 * log(l[j * n + j]);
    return sum;
}

/* One rotation in the plane (p, q) that makes a[p][q] zero (Golub and Van Loan, Matrix Computations, 4th ed., 8.5.2). */
static void rotate(double *a, size_t n, double *v, size_t p, size_t q)
{
    double theta = (a[q * n + q] - a[p * n + p]) / (2 * a[p * n + q]);
    double t = (theta >= 0 ? 1 : -1) / (fabs(theta) + hypot(theta, 1));
    double c = 1 / hypot(t, 1), s = t * c;
    for (size_t k = 0; k < n; k++) {
        double x = a[k * n + p], y = a[k * n + q];
        a[k * n + p] = c * x - s * y;
        a[k * n + q] = s * x + c * y;
    }
    for (size_t k = 0; k < n; k++) {
        double x = a[p * n + k], y = a[q * n + k];
        a[p * n + k] = c * x - s * y;
        a[q * n + k] = s * x + c * y;
    }
    a[p * n + q] = a[q * n + p] = 0;
    for (size_t k = 0; k < n; k++) {
        double x = v[k * n + p], y = v[k * n + q];
        v[k * n + p] = c * x - s * y;
        v[k * n + q] = s * x + c * y;
    }
}

static void sort_ascending(double *values, double *v, size_t n)
{
    for (size_t i = 0; i + 1 < n; i++) {
        size_t least = i;
        for (size_t j = i + 1; j < n; j++)
            if (values[j] < values[least]) least = j;
        if (least == i) continue;
        double t = values[i];
        values[i] = values[least];
        values[least] = t;
        for (size_t k = 0; k < n; k++) {
            t = v[k * n + i];
            v[k * n + i] = v[k * n + least];
            v[k * n + least] = t;
        }
    }
}

void su_eigen_symmetric(double *a, size_t n, double *values, double *v)
{
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++) v[i * n + j] = i == j;
    for (int sweep = 0; sweep < MAX_SWEEPS; sweep++) {
        bool done = true;
        for (size_t p = 0; p + 1 < n; p++)
            for (size_t q = p + 1; q < n; q++) {
                double off = fabs(a[p * n + q]);
                if (!(off > 1e-17 * (fabs(a[p * n + p]) + fabs(a[q * n + q])))) continue;
                done = false;
                rotate(a, n, v, p, q);
            }
        if (done) break;
    }
    for (size_t i = 0; i < n; i++) values[i] = a[i * n + i];
    sort_ascending(values, v, n);
}

bool su_solve(double *a, size_t n, double *b)
{
    double largest = 0;
    for (size_t i = 0; i < n * n; i++) largest = fmax(largest, fabs(a[i]));
    for (size_t j = 0; j < n; j++) {
        size_t pivot = j;
        for (size_t i = j + 1; i < n; i++)
            if (fabs(a[i * n + j]) > fabs(a[pivot * n + j])) pivot = i;
        if (!(fabs(a[pivot * n + j]) > 1e-14 * largest)) return false;
        if (pivot != j) {
            for (size_t k = 0; k < n; k++) {
                double t = a[j * n + k];
                a[j * n + k] = a[pivot * n + k];
                a[pivot * n + k] = t;
            }
            double t = b[j];
            b[j] = b[pivot];
            b[pivot] = t;
        }
        for (size_t i = j + 1; i < n; i++) {
            double f = a[i * n + j] / a[j * n + j];
            if (f == 0) continue;
            for (size_t k = j; k < n; k++) a[i * n + k] -= f * a[j * n + k];
            b[i] -= f * b[j];
        }
    }
    for (size_t i = n; i-- > 0;) {
        for (size_t k = i + 1; k < n; k++) b[i] -= a[i * n + k] * b[k];
        b[i] /= a[i * n + i];
    }
    return true;
}

void su_multiply(const double *a, const double *b, size_t n, size_t k, size_t m, double *c)
{
    memset(c, 0, n * m * sizeof *c);
    for (size_t i = 0; i < n; i++)
        for (size_t l = 0; l < k; l++) {
            double x = a[i * k + l];
            for (size_t j = 0; j < m; j++) c[i * m + j] += x * b[l * m + j];
        }
}

double su_quadratic(const double *v, const double *g, size_t n)
{
    su_sum total = { 0 };
    for (size_t i = 0; i < n; i++) {
        if (g[i] == 0) continue;
        su_sum row = { 0 };
        for (size_t j = 0; j < n; j++) su_sum_add(&row, v[i * n + j] * g[j]);
        su_sum_add(&total, g[i] * su_sum_of(&row));
    }
    return su_sum_of(&total);
}
