/* measures: how well a fitted model describes its rows. */
#ifndef SU_ANALYSE_MEASURES_H
#define SU_ANALYSE_MEASURES_H

#include "logit/fit.h"

typedef struct su_measures {
    double auc;      /* probability that a row with the event has the higher fitted mean (weighted; ties count half) */
    double brier;    /* mean squared error */
    double mcfadden; /* 1 - loglik / null loglik (McFadden 1974) */
    double tjur;     /* difference of mean fitted values, doi:10.1198/tast.2009.08210 */
    double hosmer_lemeshow, hosmer_lemeshow_p; /* 10 groups, quantiles of type 7; NaN when weighted or fewer than 3 groups */
    int hosmer_lemeshow_df;
} su_measures;

/* For outcomes 0 and 1. rows: units need not be the rows when identical ones were collapsed, their weights count them.
 * O(units log units). */
su_measures su_measures_of(const su_units *u, const su_fit *fit, bool weighted);

#endif
