/* classify: the attacker's shadow model. */
#ifndef SU_PROTECT_CLASSIFY_H
#define SU_PROTECT_CLASSIFY_H

#include <stdbool.h>
#include <stddef.h>

/* Ridge logistic regression on features standardised and weighted by how well each alone tells the training runs apart. Scores every run by
 * a model trained on the other half (runs 0..n/2-1 and n/2..n-1): score[i] = log-odds of membership, 0 where the training half has one kind
 * only. x: n rows of `features`; NULL rows are not allowed. O(n^2 features + n^3 iterations). */
void su_cross_classify(const double *x, size_t n, size_t features, const bool *member, double *score);

#endif
