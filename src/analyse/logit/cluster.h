/* cluster: work shared by the cluster-robust variances CR0 to CR3. */
#ifndef SU_ANALYSE_CLUSTER_H
#define SU_ANALYSE_CLUSTER_H

#include "logit/variance.h"

typedef struct cluster_work {
    uint32_t p;
    const double *bread;   /* B */
    double *information;   /* its inverse over the columns kept */
    double *root;          /* L with B = L L' */
    double *s, *t, *u, *q; /* p x p */
    double *lambda, *score, *column;
    double *first, *second;     /* Z'A Z and Z'A^2 Z in the metric of the working model */
    double *total;              /* adjusted score of the cluster */
    double *k;                  /* per coefficient: sum of a a' */
    double *diagonal, *squares; /* per coefficient: sums of P_ii, and of P_ii^2 - (a'Ba)^2 */
    double *meat;
} cluster_work;

/* lambda and q: eigenvalues and vectors of L' s L. */
void su_cluster_spectrum(cluster_work *w);
/* first, second and total of one cluster under CR2. Overwrites s, t, column. O(rows * terms * columns * nodes). */
void su_cluster_cr2(const su_variance_input *in, const uint64_t *rows, uint64_t n, cluster_work *w);

#endif
