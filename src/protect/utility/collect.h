/* collect: everything that is learnt about one side of a release in one walk over the union of combinations. */
#ifndef SU_PROTECT_COLLECT_H
#define SU_PROTECT_COLLECT_H

#include "evaluate.h"

#include <suha/utility.h>

typedef struct su_bucket {
    uint64_t n, length_sum, count_sum;
    double preservation_sum, error_sum;
} su_bucket;

/* The ten largest of a table, in order of count, ties in order of codes. */
typedef struct su_top {
    uint64_t count[SU_UTILITY_TOP];
    size_t cell[SU_UTILITY_TOP], n;
} su_top;

typedef struct su_collector {
    uint64_t k;
    su_tallies tallies;
    uint64_t leaked[SU_MAX_LENGTH + 1], largest;
    double released_sum[SU_MAX_LENGTH + 1], true_sum[SU_MAX_LENGTH + 1];
    su_bucket by_count[SU_UTILITY_BINS], by_length[SU_MAX_LENGTH + 1];
    struct {
        uint64_t n, missing;
        double error;
    } band[SU_UTILITY_BINS];
    size_t bands;
    /* the table being walked, and what came of those before it */
    uint32_t table_length;
    su_attribute table[SU_MAX_LENGTH];
    size_t cells, true_cells;
    su_top top_true, top_released;
    double agreement[3];
    uint64_t tables[3];
} su_collector;

void su_collect(void *arg, const su_meeting *m); /* arg: su_collector with k set, the rest zero */
void su_collect_finish(su_collector *c, uint32_t length, su_evaluation_level *basic, su_utility_side *out);

#endif
