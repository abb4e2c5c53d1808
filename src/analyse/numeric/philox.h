/* philox: counter-based random numbers for simulation (never for privacy noise), so that a result does not depend on threads: replicate r of
 * seed s is the stream (s, r), whoever computes it. Philox 4x32-10, Salmon et al. 2011 (doi:10.1145/2063384.2063405). */
#ifndef SU_ANALYSE_PHILOX_H
#define SU_ANALYSE_PHILOX_H

#include <stddef.h>
#include <stdint.h>

typedef struct su_philox {
    uint32_t key[2], counter[4], block[4];
    unsigned at; /* unused words of block */
} su_philox;

su_philox su_philox_of(uint64_t seed, uint64_t stream);
uint64_t su_philox_u64(su_philox *r);
double su_philox_unit(su_philox *r);  /* in (0, 1), 53 bits, never 0 or 1 */
uint64_t su_philox_below(su_philox *r, uint64_t n); /* exact */
double su_philox_normal(su_philox *r);
double su_philox_exponential(su_philox *r);
double su_philox_gamma(su_philox *r, double shape); /* scale 1; Marsaglia and Tsang 2000 (doi:10.1145/358407.358414) */
double su_philox_beta(su_philox *r, double a, double b);
/* Exact; inversion where the mean is below 10, otherwise Hormann 1993 (doi:10.1016/0167-6687(93)90997-4, doi:10.1080/00949659308811496). */
int64_t su_philox_poisson(su_philox *r, double mean);
int64_t su_philox_binomial(su_philox *r, int64_t n, double p);
int64_t su_philox_negative_binomial(su_philox *r, double size, double p); /* failures before `size` successes */
/* counts[i] people in cell i, n in total, by conditional binomials. */
void su_philox_multinomial(su_philox *r, int64_t n, const double *probability, size_t cells, int64_t *counts);

#endif
