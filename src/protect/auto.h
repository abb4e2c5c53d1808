/* auto: which mechanism fits, from public facts only. */
#ifndef SU_PROTECT_AUTO_H
#define SU_PROTECT_AUTO_H

#include <suha/protect.h>

/* Sets r->options.mechanism and r->mechanism_reason for a release whose options and columns are filled in. Reads columns' numbers of codes,
 * epsilon, delta, length and limits; no data. Plans the mechanism residual to see how much noise it would put on a table of two columns. */
void su_mechanism_choose(su_release *r);

#endif
