#include "block.h"

#include <stdlib.h>
#include <string.h>

/* The same code twice, for processors with and without AVX2; the one that runs is chosen when the program starts. */
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#define SU_CLONES __attribute__((target_clones("avx2", "default")))
#else
#define SU_CLONES
#endif

#define RUN_TABLES 3

typedef float floats8 __attribute__((vector_size(32), aligned(4), may_alias));
typedef uint32_t words8 __attribute__((vector_size(32), aligned(4), may_alias));

typedef uint8_t bytes8 __attribute__((vector_size(8), aligned(1), may_alias));
typedef uint16_t shorts8 __attribute__((vector_size(16), aligned(2), may_alias));

/* Eight codes at a time, past the record's end into the next one or the padding. */
SU_CLONES
void su_synth_widen(const su_synth_packed *p, const uint32_t *order, uint64_t first, uint64_t n, uint32_t *out)
{
    for (uint64_t i = 0; i < n; i++, out += p->stride + 1 + SU_SYNTH_PADDING) {
        uint64_t at = (order ? order[first + i] : first + i) * p->stride;
        const uint8_t *bytes = (const uint8_t *)p->records + at;
        const uint16_t *shorts = (const uint16_t *)p->records + at;
        if (p->narrow)
            for (uint64_t c = 0; c < p->stride; c += 8) *(words8 *)(out + c) = __builtin_convertvector(*(const bytes8 *)(bytes + c), words8);
        else
            for (uint64_t c = 0; c < p->stride; c += 8) *(words8 *)(out + c) = __builtin_convertvector(*(const shorts8 *)(shorts + c), words8);
        out[p->stride] = 0;
    }
}

static bool wanted(const su_target_table *t, uint32_t column, const bool *placed)
{
    bool through = false;
    for (uint32_t k = 0; k < t->length; k++) {
        if (t->columns[k] == column)
            through = true;
        else if (!placed[t->columns[k]])
            return false;
    }
    return through && t->weight > 0;
}

static void reserve(su_synth_block *b, size_t tables)
{
    if (tables > b->capacity) {
        su_synth_block_free(b);
        b->capacity = (uint32_t)tables;
        tables += SU_SYNTH_PADDING;
        b->table = su_alloc_array(tables, sizeof *b->table);
        b->start = su_alloc_array(tables, sizeof *b->start);
        b->weight = su_alloc_array(tables, sizeof *b->weight);
        b->runs = su_alloc_array(tables, sizeof *b->runs);
        for (uint32_t k = 0; k < SU_MAX_LENGTH; k++) b->stride[k] = su_alloc_array(tables, sizeof *b->stride[k]);
    }
}

void su_synth_look_fit(su_synth_look *look, const su_synth_block *b)
{
    uint32_t card = b->problem->card[b->column];
    if (b->capacity > look->capacity) {
        free(look->at);
        look->capacity = b->capacity;
        look->at = su_alloc_array((size_t)b->capacity + SU_SYNTH_PADDING, sizeof *look->at);
    }
    if (card > look->sum_capacity) {
        free(look->sum);
        look->sum_capacity = card;
        look->sum = su_alloc_array(card, sizeof *look->sum);
    }
}

void su_synth_look_free(su_synth_look *look)
{
    free(look->at);
    free(look->sum);
    memset(look, 0, sizeof *look);
}

/* Opens a run for the table, or lets it join the last one. */
static void add_to_runs(su_synth_block *b, uint32_t index, const uint32_t *others, uint32_t count)
{
    su_synth_run *run = b->run_count ? &b->runs[b->run_count - 1] : NULL;
    if (run && count && run->count < 8 && run->fixed == count - 1 && run->last + run->count == others[count - 1] &&
        memcmp(run->column, others, (count - 1) * sizeof *others) == 0) {
        run->count++;
        return;
    }
    run = &b->runs[b->run_count++];
    /* A table of this column alone is a run without other columns: it reads the zero behind the record. */
    *run = (su_synth_run) {
        .first = index, .count = 1, .fixed = count ? count - 1 : 0, .last = count ? others[count - 1] : b->problem->column_count
    };
    for (uint32_t k = 0; k + 1 < count; k++) run->column[k] = others[k];
}

static bool add_table(su_synth_block *b, uint32_t table)
{
    const su_target_table *t = &b->problem->tables[table];
    uint32_t others[SU_MAX_LENGTH], count = 0, i = b->count;
    for (uint32_t k = 0; k < t->length; k++)
        if (t->columns[k] != b->column) others[count++] = t->columns[k];
    uint64_t stride = b->width;
    for (uint32_t k = count; k-- > 0;) {
        b->stride[k][i] = (uint32_t)stride;
        stride *= b->problem->card[others[k]];
    }
    if (b->floats + stride > UINT32_MAX) return false;
    b->table[i] = table;
    b->start[i] = (uint32_t)b->floats;
    b->weight[i] = (float)t->weight;
    b->total_weight += b->weight[i];
    b->floats += stride;
    b->count++;
    add_to_runs(b, i, others, count);
    return true;
}

/* Walks the table in its own order and drops every cell at its place in the block. */
static void fill_table(su_synth_block *b, uint32_t i, float penalty)
{
    const su_target_table *t = &b->problem->tables[b->table[i]];
    const uint32_t *card = b->problem->card;
    uint32_t value[SU_MAX_LENGTH] = { 0 }, stride[SU_MAX_LENGTH] = { 0 }, own = 0, other = 0;
    uint64_t at = b->start[i];
    for (uint32_t k = 0; k < t->length; k++) {
        if (t->columns[k] == b->column)
            own = k;
        else
            stride[k] = b->stride[other++][i];
    }
    for (uint64_t cell = 0; cell < t->cells; cell++) {
        float d = -t->estimate[cell];
        if (t->forbidden && t->forbidden[cell]) d += penalty;
        d *= b->weight[i];
        if (b->width > 1)
            b->d[at + value[own]] = d;
        else
            b->d[at] += value[own] ? d : -d;
        for (uint32_t k = t->length; k-- > 0;) {
            at += stride[k];
            if (++value[k] < card[t->columns[k]]) break;
            at -= (uint64_t)stride[k] * value[k];
            value[k] = 0;
        }
    }
}

bool su_synth_block_build(su_synth_block *b, const su_synthesis *problem, uint32_t column, const bool *placed, float penalty)
{
    uint32_t card = problem->card[column];
    reserve(b, problem->table_count + 1);
    b->problem = problem;
    b->column = column;
    b->width = card == 2 ? 1 : card;
    b->count = b->run_count = 0;
    b->floats = 0;
    b->total_weight = 0;
    for (uint32_t length = 1; length <= SU_MAX_LENGTH; length++)
        for (size_t t = 0; t < problem->table_count; t++)
            if (problem->tables[t].length == length && wanted(&problem->tables[t], column, placed) && !add_table(b, (uint32_t)t))
                return false;
    if (b->floats > b->d_capacity) {
        free(b->d);
        b->d_capacity = b->floats;
        b->d = su_alloc_array(b->d_capacity, sizeof *b->d);
    } else if (b->floats) {
        memset(b->d, 0, b->floats * sizeof *b->d);
    }
    for (uint32_t i = 0; i < b->count; i++) fill_table(b, i, penalty);
    return true;
}

typedef struct arrays {
    const uint32_t *start, *stride[SU_MAX_LENGTH], *record;
    uint32_t *at, width;
} arrays;

/* Eight tables at a time. A shorter run writes past its end: into the next one, which is located after it, or the padding. */
static inline __attribute__((always_inline)) void locate_run(const arrays *a, const su_synth_run *run, uint32_t fixed)
{
    words8 sum = *(const words8 *)(a->start + run->first) + *(const words8 *)(a->record + run->last) * a->width;
    for (uint32_t k = 0; k < fixed; k++) sum += *(const words8 *)(a->stride[k] + run->first) * a->record[run->column[k]];
    *(words8 *)(a->at + run->first) = sum;
}

SU_CLONES
static void locate_runs(const su_synth_block *b, const uint32_t *record, uint32_t *at, uint32_t from, uint32_t to)
{
    arrays a = { .start = b->start, .record = record, .at = at, .width = b->width };
    for (uint32_t k = 0; k < SU_MAX_LENGTH; k++) a.stride[k] = b->stride[k];
    const su_synth_run *run = b->runs + from, *end = b->runs + to;
    /* Runs come by length, so these are three loops over neighbours. */
    for (; run < end && run->fixed == 0; run++) locate_run(&a, run, 0);
    for (; run < end && run->fixed == 1; run++) locate_run(&a, run, 1);
    for (; run < end; run++) locate_run(&a, run, run->fixed);
}

void su_synth_block_locate(const su_synth_block *b, const uint32_t *record, su_synth_look *look)
{
    locate_runs(b, record, look->at, 0, b->run_count);
}

static void add_tables(su_synth_block *b, const uint32_t *at, uint32_t value, float sign, uint32_t from, uint32_t to)
{
    float *d = b->width > 1 ? b->d + value : b->d, step = b->width > 1 || value ? sign : -sign;
    for (uint32_t i = from; i < to; i++) d[at[i]] += step * b->weight[i];
}

void su_synth_block_add(su_synth_block *b, const su_synth_look *look, uint32_t value, float sign)
{
    add_tables(b, look->at, value, sign, 0, b->count);
}

/* Of about the same work each: finding a run takes as long as RUN_TABLES additions. */
static uint32_t first_run(const su_synth_block *b, unsigned part, unsigned parts)
{
    uint64_t work = (b->count + (uint64_t)RUN_TABLES * b->run_count) * part / parts;
    uint32_t low = 0, high = b->run_count;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (b->runs[middle].first + (uint64_t)RUN_TABLES * middle < work)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

void su_synth_block_count(su_synth_block *b, const uint32_t *record, su_synth_look *look, unsigned part, unsigned parts)
{
    uint32_t from = first_run(b, part, parts), to = first_run(b, part + 1, parts);
    if (from == to) return;
    locate_runs(b, record, look->at, from, to);
    add_tables(b, look->at, record[b->column], 1, b->runs[from].first, to < b->run_count ? b->runs[to].first : b->count);
}

/* Four sums side by side: a single one would wait for every addition. The order is fixed, so the result is. */
static float sum_of_one(const su_synth_block *b, const uint32_t *at, uint32_t value)
{
    const float *d = b->d + value;
    float sum[4] = { 0 };
    uint32_t i = 0;
    for (; i + 4 <= b->count; i += 4)
        for (uint32_t k = 0; k < 4; k++) sum[k] += d[at[i + k]];
    for (; i < b->count; i++) sum[0] += d[at[i]];
    return (sum[0] + sum[1]) + (sum[2] + sum[3]);
}

/* Value by value, so the result does not depend on the instruction set. */
SU_CLONES
static void sum_of_many(const su_synth_block *b, const uint32_t *at, uint32_t card, float *sum)
{
    memset(sum, 0, card * sizeof *sum);
    for (uint32_t i = 0; i < b->count; i++) {
        const float *d = b->d + at[i];
        uint32_t v = 0;
        for (; v + 8 <= card; v += 8) *(floats8 *)(sum + v) += *(const floats8 *)(d + v);
        for (; v < card; v++) sum[v] += d[v];
    }
}

const float *su_synth_block_sum(const su_synth_block *b, su_synth_look *look)
{
    if (b->width > 1) {
        sum_of_many(b, look->at, b->width, look->sum);
    } else {
        look->sum[0] = 0;
        if (b->problem->card[b->column] > 1) look->sum[1] = sum_of_one(b, look->at, 0);
    }
    return look->sum;
}

float su_synth_block_value(const su_synth_block *b, const su_synth_look *look, uint32_t value)
{
    if (b->width > 1) return sum_of_one(b, look->at, value);
    return value ? sum_of_one(b, look->at, 0) : 0;
}

void su_synth_block_free(su_synth_block *b)
{
    free(b->table);
    free(b->start);
    free(b->weight);
    free(b->runs);
    for (uint32_t k = 0; k < SU_MAX_LENGTH; k++) free(b->stride[k]);
    free(b->d);
    memset(b, 0, sizeof *b);
}
