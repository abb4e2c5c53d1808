/* budget: how it is divided among the tables of the residual mechanism (docs/methods/noise.md, "Shares"). Public facts only. */
#ifndef SU_PROTECT_BUDGET_H
#define SU_PROTECT_BUDGET_H

#include <suha/protect.h>

/* Sets r->tables[i].share (sum 1) from all candidates in r->tables and removes those that get none. Within a length shares follow the square
 * root of the positive cells. How much goes to the tables inside larger ones, length by length, is what makes
 *   sum over the lengths k of k log(mean variance of an estimate of k columns)
 * smallest; tables inside no other keep at least half. O(steps * sets * length). */
void su_budget_divide(su_release *r);

#endif
