/* synth: records that agree with target tables, by local search (docs/methods/projection.md; same family as Private-GSD, arXiv 2306.03257;
 * docs/methods/projection.md). Post-processing: sees only what was already measured with noise. */
#ifndef SU_PROTECT_SYNTH_H
#define SU_PROTECT_SYNTH_H

#include <suha/protect.h>

typedef struct su_target_table {
    uint32_t length; /* number of columns, ascending, last column fastest */
    uint32_t columns[SU_MAX_LENGTH];
    uint64_t cells;           /* product of the cards */
    const float *estimate;    /* count per cell, absent cells (code 0) included; negative estimates are welcome */
    const uint8_t *forbidden; /* 1 = no record should fall here (not reported, or impossible); NULL = none */
    double weight;            /* of the squared error: 1/variance of the table's measurement */
} su_target_table;

typedef struct su_synthesis {
    uint32_t column_count;
    const uint32_t *card;          /* codes 0..card-1 per column, card <= 65536 */
    uint64_t record_count;         /* below 2^32 */
    const int64_t *const *one_way; /* one_way[column][code] >= 0, each column sums to record_count */
    const su_target_table *tables;
    size_t table_count;
    double seconds;               /* effort of the search in CPU seconds of a core of 2023, 0 = 20. Counted, not measured: there
                                   * is no clock in the result, a seed gives one result on every machine of one float format */
    double sweeps;                /* most looks at every record in every column; 0 = 1 */
    double noise;                 /* the search ends when the weighted squared distance to the tables is down to this (what the truth
                                   * itself would have), or hardly falls any more; 0 = it goes on */
    const uint16_t *const *start; /* start[column][record]: records to improve, may be the ones filled; NULL = build them */
    double reluctance;            /* a forbidden cell counts as if it held so many records too many; 0 = 100. More: fewer
                                   * combinations that are not in the data, more missing ones (docs/methods/projection.md) */
} su_synthesis;

/* records[column] has record_count codes, filled here. Their one-way counts are exactly those of the problem; a code whose one_way is 0
 * never appears. The weighted squared distance to the tables is driven down by choosing, record by record and column by column, the best
 * value. Forbidden cells are avoided, not excluded: one_way alone is a promise. Time O(records * sum over columns of (tables through it *
 * card)). Memory: a record takes one byte a cell where no column has more than 256 codes, else two, and 4 for its place in the order; the
 * tables through one column take 4 bytes a cell; with `noise`, tables of 4 million cells (or one larger table) at a time 16 a cell.
 * Honours ctx->cancel and ctx->progress. Until it succeeds, what is in records is nothing. Errors: SU_USAGE when the problem contradicts
 * itself, SU_CANCELLED. */
/* Sweeps, the start counted as a quarter, that p->seconds pay for. */
double su_synth_affordable(const su_synthesis *p);
su_status su_synthesise(su_context *ctx, const su_synthesis *problem, su_random *random, uint16_t **records) SU_MUST_CHECK;

#endif
