/* separation: some combination of predictors tells 0 from 1 without error on its side, and the likelihood has no finite maximum
 * (Albert and Anderson 1984, doi:10.1093/biomet/71.1.1). Found by a linear program (Konis 2007): maximise sum s_k x_k'b subject to
 * s_k x_k'b >= 0 and |b| <= 1, s = +1 where y = 1 and -1 where y = 0; an optimum above 0 separates, and b says along which columns. */
#ifndef SU_ANALYSE_SEPARATION_H
#define SU_ANALYSE_SEPARATION_H

#include "logit/fit.h"

enum { SU_SEPARATION_COLUMNS = 64 };

typedef struct su_separation {
    bool separated;
    double objective;      /* of the first program, rows counted by their weights */
    double *direction;     /* of the first program, columns */
    signed char *infinite; /* per column: +1, -1 or 0, over all programs */
    bool *decided;         /* per unit: its outcome is predicted without error */
    uint64_t decided_units;
} su_separation;

/* Programs are solved on few rows at a time, adding violated ones (cutting planes), and again on the rows left undecided, until none
 * separates. SU_REFUSED: more than 64 columns. */
su_status su_separation_find(su_context *ctx, const su_units *u, const bool *kept, su_separation *out) SU_MUST_CHECK;
void su_separation_free(su_separation *s);

#endif
