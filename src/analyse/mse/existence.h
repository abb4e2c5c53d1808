/* existence: is there an extended maximum likelihood estimate, and only one? Fienberg and Rinaldo 2012 (doi:10.1214/12-AOS986), as a rank
 * test. x: rows x columns of 0 and 1, the cells and parameters that are left after empty overlaps went; positive rows are those with
 * people.
 *
 * If the positive rows have full column rank, the estimate exists and is unique. Otherwise let K span their null space: the estimate
 * exists unless some direction K u raises no fitted value of an empty cell and lowers one. That is a linear program in few variables. */
#ifndef SU_MSE_EXISTENCE_H
#define SU_MSE_EXISTENCE_H

#include "mse/lattice.h"

/* Rank of a 0/1 matrix by elimination modulo 2^61 - 1. It is exact while no minor can reach the prime: by Hadamard's bound for 0/1
 * matrices, (r+1)^((r+1)/2) / 2^r < 2^61 for r <= 36. Beyond, a second prime joins, and the bound holds to 60. O(rows * columns * rank). */
size_t su_rank_01(const unsigned char *x, size_t rows, size_t columns);
su_existence su_existence_01(const unsigned char *x, size_t rows, size_t columns, const bool *positive);

#endif
