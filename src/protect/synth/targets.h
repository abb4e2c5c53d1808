/* targets: the reconciled tables and the gate as a problem for the synthesiser. Post-processing. */
#ifndef SU_PROTECT_TARGETS_H
#define SU_PROTECT_TARGETS_H

#include "../dp/gate.h"
#include "synth.h"

typedef struct su_targets {
    su_synthesis problem; /* seconds as in the options; everything else that has a default is 0 */
    su_target_table *tables;
    float *estimate;
    uint8_t *forbidden;
    int64_t *counts;
    const int64_t **one_way;
    uint32_t *card;
    double noise; /* weighted squared distance from the tables that the true table would have, in the mean */
} su_targets;

/* r->record_count records. Single values must have been gated: those not reported get no record, the others their estimates as whole
 * numbers, absent the rest. Cells that rules make impossible are forbidden. */
void su_targets_init(su_targets *t, const su_release *r, const su_lattice *l, const su_estimates *e, const uint32_t *count);
/* Forbids every cell whose combination is not reported. */
void su_targets_forbid(su_targets *t, const su_release *r, const su_lattice *l, const uint32_t *count);
void su_targets_free(su_targets *t);

#endif
