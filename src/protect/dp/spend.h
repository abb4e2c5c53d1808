/* spend: a zCDP budget spent step by step, in integers of 2^-80. Costs are rounded up, the budget down. Adaptive: what is measured and with
 * how much noise may depend on earlier results, as long as every cost is charged before its result is seen and the sum stays below a cap
 * that was fixed before (a privacy filter: Whitehouse, Ramdas, Rogers, Wu 2023, arXiv 2203.05481; Rogers et al. 2016). */
#ifndef SU_PROTECT_SPEND_H
#define SU_PROTECT_SPEND_H

#include <suha/protect.h>

#define SU_SELECTION_UNITS (UINT64_C(1) << 20) /* a selection's epsilon is a whole number of 2^-20 */

typedef struct su_spending {
    unsigned __int128 budget, spent;
} su_spending;

void su_spending_init(su_spending *s, double rho); /* 0 < rho < 2^40 */
/* Lays aside what a person of so many records may add: what is spent from here on is counted per record, and a mechanism that is rho-zCDP
 * for one record is records^2 rho-zCDP for a group of them (Bun, Steinke 2016, arXiv 1605.02065, proposition 27). Nothing may have been
 * spent yet. */
void su_spending_group(su_spending *s, uint32_t records);
/* Smallest variance >= s2 that the sampler draws at full speed (17 significant bits). 0 < s2 <= 10^12. */
su_variance su_variance_above(double s2);
/* A table of sensitivity 1: 1/(2 variance). A selection with parameter epsilon = units / 2^20: epsilon^2 / 8 (bounded range: Cesar & Rogers
 * 2021, arXiv 2004.07223). False, and nothing spent, when the budget does not hold it. */
bool su_spend_table(su_spending *s, su_variance v);
bool su_spend_selection(su_spending *s, uint64_t units);
double su_spending_left(const su_spending *s); /* rounded down */
double su_spending_used(const su_spending *s); /* rounded up */

#endif
