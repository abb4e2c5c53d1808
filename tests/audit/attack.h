/* attack: from what an attacker got right to a lower bound of epsilon. Exact binomial bounds, no normal approximation. */
#ifndef SU_AUDIT_ATTACK_H
#define SU_AUDIT_ATTACK_H

#include <suha/base.h>

/* P(Binomial(n, p) >= k), to about 1e-12 relative. */
double attack_binomial_above(uint64_t k, uint64_t n, double p);
/* Clopper, Pearson 1934: the chance of a success is below `lower`, or above `upper`, with probability at most alpha each. */
double attack_lower(uint64_t hits, uint64_t n, double alpha);
double attack_upper(uint64_t hits, uint64_t n, double alpha);

/* (epsilon, delta) says P(event | one) <= e^epsilon P(event | other) + delta. With confidence 1 - alpha epsilon is at least the result,
 * given that the event was seen in hits_one of n runs with the one, in hits_other of n with the other. 0 when nothing follows. */
double attack_epsilon(uint64_t hits_one, uint64_t hits_other, uint64_t n, double delta, double alpha);

/* Counts of a whole-number statistic over runs with the one and with the other; values beyond the ends are counted at the ends. */
#define ATTACK_REACH 4096
typedef struct attack_counts {
    uint64_t runs[2];
    uint64_t seen[2][2 * ATTACK_REACH + 1];
} attack_counts;
void attack_see(attack_counts *c, unsigned side, int64_t value);
void attack_add(attack_counts *to, const attack_counts *from);
/* Best lower bound over all events "at least t" and "below t", either side in either place; alpha is divided by their number. */
double attack_best(const attack_counts *c, double delta, double alpha);

/* One-run audit (Steinke, Nasr, Jagielski 2023, arXiv 2305.08846, theorem 5.2): m records were put in or left out by fair coins, and of r
 * guesses which it was v were right. Probability of that, at most, under (epsilon, delta); and the smallest epsilon at which it is above
 * alpha: with confidence 1 - alpha epsilon is at least that. */
double attack_one_run_chance(uint64_t m, uint64_t r, uint64_t v, double epsilon, double delta);
double attack_one_run_epsilon(uint64_t m, uint64_t r, uint64_t v, double delta, double alpha);

/* Checks the functions above against numbers known otherwise; false after printing what is wrong. */
bool attack_self_test(void);

#endif
