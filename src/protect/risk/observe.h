/* observe: what an attacker sees of one release, as numbers. */
#ifndef SU_PROTECT_OBSERVE_H
#define SU_PROTECT_OBSERVE_H

#include "target.h"

typedef struct su_view {
    su_code_matrix records;         /* columns made by hand; the release's or the control's records */
    const su_aggregate *aggregates; /* published counts; NULL = exact counts of the records */
    size_t aggregate_count;
} su_view;

/* Arrays are target by target, run by run, so that the features of one target's runs lie together. */
typedef struct su_observations {
    uint32_t runs, target_count, sensitive;
    const su_target *targets;
    bool *member;                            /* [target][run] */
    double *linkage, *closest, *inference;   /* [target][run]; more = rather a member, or the sensitive value given away */
    double *match, *count;                   /* [target][run][SU_QUERIES] */
    double *naive, *histogram, *correlation; /* [run][...]; correlation NULL when there are too many columns */
    size_t naive_n, histogram_n, correlation_n;
} su_observations;

void su_observations_init(su_arena *arena, su_observations *o, const su_code_matrix *m, const su_target *targets, uint32_t target_count,
                          uint32_t runs, uint32_t sensitive);
/* Fills the places of `run` in everything but member. */
void su_observe(su_observations *o, uint32_t run, const su_view *view);

#endif
