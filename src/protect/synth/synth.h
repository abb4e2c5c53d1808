/* synth: records that agree with target tables, by local search (spec privacy 1.10.5; same family as Private-GSD, arXiv 2306.03257).
 * Post-processing: sees only what was already measured with noise. */
#ifndef SU_PROTECT_SYNTH_H
#define SU_PROTECT_SYNTH_H

#include <suha/protect.h>

typedef struct su_target_table {
    uint32_t length;                        /* number of columns, ascending, last column fastest                                                  */
    uint32_t columns[SU_MAX_LENGTH];
    uint64_t cells;
    const float *estimate;                  /* reconciled count per cell, absent cells (code 0) included                                            */
    const uint8_t *forbidden;               /* 1 = no record may fall here (gated or impossible); NULL = none                                         */
    double weight;                          /* relative weight of squared error, e.g. 1/sigma^2                                                    */
} su_target_table;

typedef struct su_synthesis {
    uint32_t column_count;
    const uint32_t *card;                   /* codes 0..card-1 per column                                                                          */
    uint64_t record_count;
    const int64_t *const *one_way;          /* one_way[column][code] >= 0, each column sums to record_count                                          */
    const su_target_table *tables; size_t table_count;
    double seconds;                         /* safety cap on CPU seconds, 0 = none; the stopping rule itself counts proposals, so a seed gives one result */
} su_synthesis;

/* records[column] has record_count codes, filled here. Honours ctx->cancel and ctx->progress. */
su_status su_synthesise(su_context *ctx, const su_synthesis *problem, su_random *random, uint16_t **records) SU_MUST_CHECK;

#endif
