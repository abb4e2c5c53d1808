/* pld: the privacy loss of many discrete Gaussian tables as a distribution (docs/methods/accounting.md). Private to protect. */
#ifndef SU_PROTECT_PLD_H
#define SU_PROTECT_PLD_H

#include <suha/protect.h>

/* Upper bounds of the probabilities of the total loss on the grid first + j * step, j in 0..count-1, and of what lies above it. The loss
 * described dominates the true one: hockey-stick divergences taken from it are never below the true ones, for epsilon >= first. */
typedef struct su_pld {
    long double first, step;
    size_t count;
    double *mass;
    double above;
} su_pld;

/* Fine around `epsilon`, which the grid holds. False (nothing allocated): the answer would be below 1e-38, the noise so wide that summing
 * it up would take seconds, or the arguments make no sense; the caller uses the zCDP bound. */
bool su_pld_init(su_pld *d, const su_noise *noise, size_t count, double epsilon);
double su_pld_delta(const su_pld *d, double epsilon); /* at most 1; 1 when epsilon is below the grid */
void su_pld_free(su_pld *d);

#endif
