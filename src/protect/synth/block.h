/* block: everything the target tables say about one column, laid out so that one record's alternatives lie side by side.
 *
 * For a table t through column j and a record with values x, the cells t(x with x_j = v), v = 0..card-1, are contiguous. The block
 * holds d = weight * (records in the cell - estimate) for all of them. Changing x_j from a to b then changes the sum of weighted squared
 * errors by   2 * (F[b] - F[a] + W),   F[v] = sum over tables of d at v,   W = sum of weights.
 * A column of two values keeps only d[1] - d[0]. Only one block exists at a time: it is rebuilt from the records (one addition per record
 * and table, as much as looking at each record once) before its column is searched, so nothing else has to be kept up to date. */
#ifndef SU_PROTECT_BLOCK_H
#define SU_PROTECT_BLOCK_H

#include "synth.h"

/* Up to eight neighbouring tables that share all other columns but the last, and whose last columns follow each other: located together. */
typedef struct su_synth_run {
    uint32_t first, count, fixed, last;
    uint32_t column[SU_MAX_LENGTH];
} su_synth_run;

typedef struct su_synth_block {
    const su_synthesis *problem;
    uint32_t column, width;          /* width: floats per setting of the other columns: 1 for two values, else card */
    uint32_t count, capacity;        /* tables in the block */
    uint32_t *table;                 /* their indices in the problem, by length, then by columns */
    uint32_t *start;                 /* where each begins in d */
    uint32_t *stride[SU_MAX_LENGTH]; /* what one step of its k-th other column adds; the last other column's step is `width` */
    float *weight;
    su_synth_run *runs;
    uint32_t run_count;
    float *d;
    uint64_t d_capacity, floats;
    float total_weight; /* W */
} su_synth_block;

/* One thread's look at one record. */
typedef struct su_synth_look {
    uint32_t *at; /* where the record falls, per table */
    float *sum;   /* F, card floats */
    uint32_t capacity, sum_capacity;
} su_synth_look;

/* Chooses the tables through `column` whose other columns are all in `placed`, and fills d from the estimates (records not counted yet).
 * `penalty` is added, as if so many records too many were there, to forbidden cells.
 * False when the block would hold more than 2^32 floats. */
bool su_synth_block_build(su_synth_block *b, const su_synthesis *problem, uint32_t column, const bool *placed, float penalty);
/* Finds where the record falls; the calls below refer to it. A record is one word per column, a zero, SU_SYNTH_PADDING readable words. */
#define SU_SYNTH_PADDING 8u
/* Records as they are kept: codes side by side, in bytes when every code fits one, with room for SU_SYNTH_PADDING codes more at the end. */
typedef struct su_synth_packed {
    bool narrow;     /* uint8_t, else uint16_t */
    uint64_t stride; /* codes of a record */
    void *records;
} su_synth_packed;
static inline uint64_t su_synth_wide_stride(const su_synth_packed *p) { return p->stride + 1 + SU_SYNTH_PADDING; }
/* The records order[first].., n of them (order NULL: first..), as the block reads them, one behind the other in su_synth_wide_stride words. */
void su_synth_widen(const su_synth_packed *p, const uint32_t *order, uint64_t first, uint64_t n, uint32_t *out);
void su_synth_look_fit(su_synth_look *look, const su_synth_block *b); /* room for this block */
void su_synth_look_free(su_synth_look *look);
void su_synth_block_locate(const su_synth_block *b, const uint32_t *record, su_synth_look *look);
void su_synth_block_add(su_synth_block *b, const su_synth_look *look, uint32_t value, float sign);
/* F[v] for every value, up to a constant. Returns look->sum. */
const float *su_synth_block_sum(const su_synth_block *b, su_synth_look *look);
/* F of one value, up to the same constant (and to rounding). */
float su_synth_block_value(const su_synth_block *b, const su_synth_look *look, uint32_t value);
/* Counts a record in the tables of part `part` of `parts`: parts of different numbers touch different memory. */
void su_synth_block_count(su_synth_block *b, const uint32_t *record, su_synth_look *look, unsigned part, unsigned parts);
void su_synth_block_free(su_synth_block *b);

#endif
