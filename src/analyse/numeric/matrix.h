/* matrix: dense, row-major, small (p <= 300), double. Symmetric matrices are stored whole. No allocation but what is said. */
#ifndef SU_ANALYSE_MATRIX_H
#define SU_ANALYSE_MATRIX_H

#include <stdbool.h>
#include <stddef.h>

/* Neumaier's sum (doi:10.1002/zamm.19740540106): error independent of the number of terms. */
typedef struct su_sum {
    double high, low;
} su_sum;
static inline void su_sum_add(su_sum *s, double x)
{
    double t = s->high + x;
    if ((s->high < 0 ? -s->high : s->high) >= (x < 0 ? -x : x))
        s->low += (s->high - t) + x;
    else
        s->low += (x - t) + s->high;
    s->high = t;
}
static inline double su_sum_of(const su_sum *s) { return s->high + s->low; }

/* Cholesky of the symmetric n x n matrix a in place (lower triangle L), columns in their order. A pivot below tolerance (relative to its
 * diagonal before elimination) marks the column as aliased: kept[j] = false, and its row and column of L are left out (zero). Returns the
 * rank. kept may be NULL when the matrix must have full rank. */
size_t su_cholesky(double *a, size_t n, double tolerance, bool *kept);
/* Solves L L' x = b in place over the kept columns; aliased entries become 0. */
void su_cholesky_solve(const double *l, size_t n, const bool *kept, double *b);
/* out = (L L')^-1 over the kept columns; rows and columns of aliased ones are 0. */
void su_cholesky_inverse(const double *l, size_t n, const bool *kept, double *out);
double su_cholesky_log_determinant(const double *l, size_t n, const bool *kept);
/* Eigenvalues (ascending) and eigenvectors (columns of v) of a symmetric matrix by cyclic Jacobi; a is overwritten. */
void su_eigen_symmetric(double *a, size_t n, double *values, double *v);
/* Solves a x = b by LU with partial pivoting, in place; false when singular (pivot below 1e-14 of the largest). */
bool su_solve(double *a, size_t n, double *b);
/* c (n x m) = a (n x k) * b (k x m); c must not overlap. */
void su_multiply(const double *a, const double *b, size_t n, size_t k, size_t m, double *c);
/* g' V g for a symmetric n x n V. */
double su_quadratic(const double *v, const double *g, size_t n);

#endif
