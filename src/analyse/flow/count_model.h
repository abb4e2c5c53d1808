/* count_model: the parts of count regression that stand in files of their own. */
#ifndef SU_ANALYSE_COUNT_MODEL_H
#define SU_ANALYSE_COUNT_MODEL_H

#include <suha/flow.h>

/* f->covariance holds the inverse information; becomes what o->errors asks for. */
void su_counts_sandwich(const su_counts_design *d, const su_counts_options *o, su_counts_fit *f);

#endif
