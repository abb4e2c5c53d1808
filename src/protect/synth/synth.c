#include "block.h"

#include <suha/count.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_SECONDS 20.0
#define DEFAULT_RELUCTANCE 100.0
/* More sweeps bring the records closer to the tables and their noise, not to the truth: measured, docs/methods/projection.md. */
#define DEFAULT_SWEEPS 1.0
#define STEP 0.5        /* sweeps between two looks at the distance */
#define STANDSTILL 0.01 /* a step that gains less than this share of the noise is the last */
/* Floats a core of 2023 adds per second in su_synth_block_sum, with the work around a record counted as RECORD_FLOATS per table. */
#define FLOATS_PER_SECOND 9.0e9
#define RECORD_FLOATS 40.0
#define START_SWEEPS 0.25 /* what the first values cost, in sweeps */
#define CHECK_EVERY 4096u
/* Records looked at together: each thread takes some, then those that want to move are asked once more and moved, one after the other. Fixed,
 * so that the result does not depend on the threads. */
#define BATCH 64u
#define CREW_MAX 16u
#define SLICE 8u /* of a batch: what a thread looks at before it asks for more */
#define DISTANCE_CELLS (UINT64_C(1) << 22) /* of tables that are counted together */
#define ALONE_FLOATS 3000.0 /* with fewer to look at per record, handing tables from core to core takes longer than looking */

typedef struct search {
    su_context *ctx;
    const su_synthesis *problem;
    su_random *random;
    su_synth_packed packed;
    uint16_t **records; /* where they go in the end */
    uint32_t *order;    /* of the records, shuffled before every pass */
    uint32_t *columns;  /* order of the columns */
    bool *placed;       /* columns that have values */
    int64_t *excess;    /* per value of the current column: records that have it - one_way */
    su_synth_block block;
    su_crew *crew;
    su_synth_look near[BATCH];    /* where the records of a batch fall */
    su_synth_look look[CREW_MAX]; /* per worker; the first is also the look of what the caller does alone */
    uint32_t *wide[CREW_MAX];     /* per worker: a batch of records as the block reads them, one word per column, then a zero */
    double distance;   /* weighted squared distance to the tables, kept up to date in sweeps */
    double done, work; /* passes over a column, for progress */
} search;

/* ---- checks ------------------------------------------------------------------------------------------------------------------ */

static su_status check_table(su_context *ctx, const su_synthesis *p, size_t index)
{
    const su_target_table *t = &p->tables[index];
    uint64_t cells = 1;
    bool good = t->length >= 1 && t->length <= SU_MAX_LENGTH && isfinite(t->weight) && t->weight >= 0;
    for (uint32_t k = 0; good && k < t->length; k++) {
        good = t->columns[k] < p->column_count && (k == 0 || t->columns[k] > t->columns[k - 1]) &&
               !__builtin_mul_overflow(cells, (uint64_t)p->card[t->columns[k]], &cells);
    }
    if (!good || cells != t->cells) return su_fail(ctx, SU_USAGE, "target table %zu contradicts the columns of the synthesis", index);
    for (uint64_t i = 0; i < cells; i++)
        if (!isfinite(t->estimate[i])) return su_fail(ctx, SU_USAGE, "target table %zu has a cell that is not a number", index);
    return SU_OK;
}

static su_status check(su_context *ctx, const su_synthesis *p)
{
    if (!isfinite(p->seconds) || !isfinite(p->reluctance) || !isfinite(p->sweeps) || !isfinite(p->noise))
        return su_fail(ctx, SU_USAGE, "effort, reluctance and noise must be numbers");
    if (p->record_count > UINT32_MAX) return su_fail(ctx, SU_USAGE, "at most 4,294,967,295 records can be synthesised at once");
    for (uint32_t j = 0; j < p->column_count; j++) {
        uint64_t sum = 0;
        bool good = p->card[j] >= 1 && p->card[j] <= UINT16_MAX + 1u;
        for (uint32_t v = 0; good && v < p->card[j]; v++)
            good = p->one_way[j][v] >= 0 && !__builtin_add_overflow(sum, (uint64_t)p->one_way[j][v], &sum);
        if (!good || sum != p->record_count)
            return su_fail(ctx, SU_USAGE, "the one-way counts of column %u do not sum to the number of records", j);
    }
    for (uint32_t j = 0; p->start && j < p->column_count; j++)
        for (uint64_t r = 0; r < p->record_count; r++)
            if (p->start[j][r] >= p->card[j]) return su_fail(ctx, SU_USAGE, "a record to start from has no such code in column %u", j);
    for (size_t t = 0; t < p->table_count; t++) {
        su_status status = check_table(ctx, p, t);
        if (status != SU_OK) return status;
    }
    return SU_OK;
}

/* ---- one column -------------------------------------------------------------------------------------------------------------- */

static uint32_t code_of(const search *s, uint64_t r, uint32_t column)
{
    uint64_t at = r * s->packed.stride + column;
    return s->packed.narrow ? ((const uint8_t *)s->packed.records)[at] : ((const uint16_t *)s->packed.records)[at];
}

static void set_code(search *s, uint64_t r, uint32_t column, uint32_t code)
{
    uint64_t at = r * s->packed.stride + column;
    if (s->packed.narrow)
        ((uint8_t *)s->packed.records)[at] = (uint8_t)code;
    else
        ((uint16_t *)s->packed.records)[at] = (uint16_t)code;
}

static uint32_t *wide_record(const search *s, unsigned worker, uint64_t i) { return s->wide[worker] + i * su_synth_wide_stride(&s->packed); }

static void shuffle(su_random *random, uint32_t *a, uint64_t n)
{
    for (uint64_t i = n; i > 1; i--) {
        uint64_t j = su_random_below(random, i);
        uint32_t keep = a[i - 1];
        a[i - 1] = a[j];
        a[j] = keep;
    }
}

static bool stopped(const search *s, uint64_t place) { return place % CHECK_EVERY == 0 && su_cancelled(s->ctx); }

static su_status open_column(search *s, uint32_t column)
{
    const su_synthesis *p = s->problem;
    double reluctance = p->reluctance > 0 ? p->reluctance : DEFAULT_RELUCTANCE;
    s->done++;
    su_progress(s->ctx, "making synthetic records", s->done / s->work);
    if (!su_synth_block_build(&s->block, p, column, s->placed, (float)reluctance))
        return su_fail(s->ctx, SU_USAGE, "the tables through column %u are too large to be held in memory", column);
    su_synth_look_fit(&s->look[0], &s->block);
    for (uint32_t v = 0; v < p->card[column]; v++) s->excess[v] = -p->one_way[column][v];
    shuffle(s->random, s->order, p->record_count);
    return SU_OK;
}

/* Puts the record, which is located, at a value; `from` UINT32_MAX when it has none yet. */
static void move(search *s, const su_synth_look *look, uint64_t r, uint32_t from, uint32_t to)
{
    if (from != UINT32_MAX) {
        su_synth_block_add(&s->block, look, from, -1);
        s->excess[from]--;
    }
    su_synth_block_add(&s->block, look, to, 1);
    s->excess[to]++;
    set_code(s, r, s->block.column, to);
}

/* The value among those still short of records where the record, whose sums are in the look, does most good. */
static uint32_t best_short(const search *s, const su_synth_look *look, float *f_best)
{
    const float *f = look->sum;
    uint32_t best = UINT32_MAX;
    for (uint32_t v = 0; v < s->problem->card[s->block.column]; v++)
        if (s->excess[v] < 0 && (best == UINT32_MAX || f[v] < f[best])) best = v;
    *f_best = best == UINT32_MAX ? 0 : f[best];
    return best;
}

/* Records at places first .. first + n - 1, n at most BATCH, that threads look at side by side, a slice each. */
typedef struct batch {
    search *s;
    uint64_t first, n;
    uint32_t wish[BATCH];
} batch;

/* Threads that work on the column at hand. The result does not depend on it. */
static unsigned hands(const search *s)
{
    return s->block.count * (RECORD_FLOATS + s->block.width) < ALONE_FLOATS ? 1 : su_crew_size(s->crew);
}

static void share_out(batch *b, uint64_t end, void (*slice)(void *arg, size_t index, unsigned worker))
{
    b->n = end - b->first < BATCH ? end - b->first : BATCH;
    size_t slices = (size_t)((b->n + SLICE - 1) / SLICE);
    if (hands(b->s) > 1)
        su_crew_do(b->s->crew, slices, slice, b);
    else
        for (size_t i = 0; i < slices; i++) slice(b, i, 0);
}

/* The records of a slice in words, in the first worker's room: all workers read them there. Returns the place of the last, plus 1. */
static uint64_t widen_slice(const batch *b, size_t index)
{
    const search *s = b->s;
    uint64_t from = index * SLICE, to = from + SLICE < b->n ? from + SLICE : b->n;
    su_synth_widen(&s->packed, s->order, b->first + from, to - from, wide_record(s, 0, from));
    return to;
}

static void locate_slice(void *arg, size_t index, unsigned worker)
{
    (void)worker;
    batch *b = arg;
    uint64_t to = widen_slice(b, index);
    for (uint64_t i = index * SLICE; i < to; i++) su_synth_block_locate(&b->s->block, wide_record(b->s, 0, i), &b->s->near[i]);
}

/* First values of a column: every record takes the value that the tables over the columns placed so far miss most, while it lasts. Where the
 * records fall does not change meanwhile, so that is found side by side. */
static su_status place_column(search *s, uint32_t column)
{
    su_status status = open_column(s, column);
    for (uint32_t i = 0; status == SU_OK && i < BATCH; i++) su_synth_look_fit(&s->near[i], &s->block);
    for (batch b = { .s = s }; status == SU_OK && b.first < s->problem->record_count; b.first += BATCH) {
        if (stopped(s, b.first)) return SU_CANCELLED;
        share_out(&b, s->problem->record_count, locate_slice);
        for (uint64_t i = 0; i < b.n; i++) {
            float f;
            su_synth_block_sum(&s->block, &s->near[i]);
            move(s, &s->near[i], s->order[b.first + i], UINT32_MAX, best_short(s, &s->near[i], &f));
        }
    }
    s->placed[column] = true;
    return status;
}

/* What the record at its place would gain by a value, with a price on values that have too many records: it keeps the one-way counts near
 * their targets without freezing them. */
static float cost(const search *s, const su_synth_look *look, uint32_t value)
{
    return look->sum[value] + s->block.total_weight * (float)s->excess[value];
}

/* The best value for a record, the others being as they are. */
static uint32_t best_value(const search *s, su_synth_look *look, const uint32_t *record)
{
    const su_synthesis *p = s->problem;
    uint32_t column = s->block.column, now = record[column], best = now;
    su_synth_block_locate(&s->block, record, look);
    su_synth_block_sum(&s->block, look);
    float least = cost(s, look, now) - 2 * s->block.total_weight;
    for (uint32_t v = 0; v < p->card[column]; v++) {
        if (v == now || p->one_way[column][v] == 0) continue;
        float here = cost(s, look, v);
        if (here < least) {
            least = here;
            best = v;
        }
    }
    return best;
}

/* Records that must perhaps leave their value. Few of them move, so threads add up the sums of all before anyone does. */
static void settle_slice(void *arg, size_t index, unsigned worker)
{
    (void)worker;
    batch *b = arg;
    search *s = b->s;
    for (uint64_t i = index * SLICE; i < b->n && i < (index + 1) * SLICE; i++) {
        uint32_t *record = wide_record(s, 0, i);
        if (s->excess[code_of(s, s->order[b->first + i], s->block.column)] <= 0) continue;
        su_synth_widen(&s->packed, s->order, b->first + i, 1, record);
        su_synth_block_locate(&s->block, record, &s->near[i]);
        if (hands(s) > 1) su_synth_block_sum(&s->block, &s->near[i]);
    }
}

/* Moves records of the batch away from values that have too many, while `surplus` are left; `any`: at any price. Returns what is left. A
 * value never comes to have too many here, so all records that matter have been looked at. */
static uint64_t settle_batch(batch *b, bool any, uint64_t surplus)
{
    search *s = b->s;
    bool added = hands(s) > 1; /* the sums are still those of the tables */
    for (uint64_t i = 0; surplus && i < b->n; i++) {
        uint32_t r = s->order[b->first + i], now = code_of(s, r, s->block.column);
        su_synth_look *look = &s->near[i];
        float f;
        if (s->excess[now] <= 0) continue;
        if (!added) su_synth_block_sum(&s->block, look);
        uint32_t best = best_short(s, look, &f);
        if (!any && f - look->sum[now] > 2 * s->block.total_weight) continue;
        s->distance += 2 * ((double)f - look->sum[now] + s->block.total_weight);
        move(s, look, r, now, best);
        surplus--;
        added = false;
    }
    return surplus;
}

/* Makes the one-way counts exact: first by the moves that cost little, then by any. */
static void settle(search *s)
{
    const su_synthesis *p = s->problem;
    uint64_t surplus = 0;
    for (uint32_t v = 0; v < p->card[s->block.column]; v++) surplus += s->excess[v] > 0 ? (uint64_t)s->excess[v] : 0;
    for (int any = 0; any < 2; any++)
        for (batch b = { .s = s }; surplus && b.first < p->record_count; b.first += BATCH) {
            share_out(&b, p->record_count, settle_slice);
            surplus = settle_batch(&b, any, surplus);
        }
}

static void count_part(void *arg, size_t part, unsigned worker)
{
    search *s = arg;
    for (uint64_t first = 0; first < s->problem->record_count; first += BATCH) {
        uint64_t n = s->problem->record_count - first < BATCH ? s->problem->record_count - first : BATCH;
        su_synth_widen(&s->packed, NULL, first, n, s->wide[worker]);
        for (uint64_t i = 0; i < n; i++)
            su_synth_block_count(&s->block, wide_record(s, worker, i), &s->look[worker], (unsigned)part, hands(s));
    }
}

static void look_at_slice(void *arg, size_t index, unsigned worker)
{
    (void)worker;
    batch *b = arg;
    uint64_t to = widen_slice(b, index);
    for (uint64_t i = index * SLICE; i < to; i++) b->wish[i] = best_value(b->s, &b->s->near[i], wide_record(b->s, 0, i));
}

/* Others of the batch have moved since the look: whether the wish is still better than what the record has is asked once more. */
static void grant(search *s, uint32_t r, const su_synth_look *look, uint32_t wish)
{
    uint32_t now = code_of(s, r, s->block.column);
    float gain = su_synth_block_value(&s->block, look, wish) - su_synth_block_value(&s->block, look, now);
    float weight = s->block.total_weight;
    if (gain + weight * (float)s->excess[wish] >= weight * ((float)s->excess[now] - 2)) return;
    s->distance += 2 * ((double)gain + weight);
    move(s, look, r, now, wish);
}

static su_status sweep_column(search *s, uint32_t column, uint64_t visits)
{
    su_status status = open_column(s, column);
    if (status != SU_OK) return status;
    for (unsigned i = 1; i < su_crew_size(s->crew); i++) su_synth_look_fit(&s->look[i], &s->block);
    for (uint32_t i = 0; i < BATCH; i++) su_synth_look_fit(&s->near[i], &s->block);
    for (uint64_t i = 0; i < s->problem->record_count; i++) s->excess[code_of(s, i, column)]++;
    su_crew_do(s->crew, hands(s), count_part, s);
    for (batch b = { .s = s }; b.first < visits; b.first += BATCH) {
        if (stopped(s, b.first)) return SU_CANCELLED;
        share_out(&b, visits, look_at_slice);
        for (uint64_t i = 0; i < b.n; i++) {
            uint32_t r = s->order[b.first + i];
            if (b.wish[i] != code_of(s, r, column)) grant(s, r, &s->near[i], b.wish[i]);
        }
    }
    settle(s);
    return SU_OK;
}

/* ---- the whole --------------------------------------------------------------------------------------------------------------- */

/* Floats added when every record looks once at every value of every column. */
static double sweep_floats(const su_synthesis *p)
{
    double floats = 0;
    for (size_t t = 0; t < p->table_count; t++)
        for (uint32_t k = 0; k < p->tables[t].length; k++) floats += RECORD_FLOATS + p->card[p->tables[t].columns[k]];
    return floats * (double)p->record_count;
}

double su_synth_affordable(const su_synthesis *p)
{
    double floats = sweep_floats(p);
    return floats > 0 ? (p->seconds > 0 ? p->seconds : DEFAULT_SECONDS) * FLOATS_PER_SECOND / floats : 0;
}

static void search_init(su_context *ctx, search *s, const su_synthesis *p, su_random *random)
{
    uint32_t most = 1;
    *s = (search) { .ctx = ctx, .problem = p, .random = random, .packed = { .narrow = true, .stride = p->column_count } };
    for (uint32_t j = 0; j < p->column_count; j++) s->packed.narrow = s->packed.narrow && p->card[j] <= UINT8_MAX + 1u;
    s->packed.records = su_alloc_array(p->record_count * s->packed.stride + SU_SYNTH_PADDING, s->packed.narrow ? sizeof(uint8_t) : sizeof(uint16_t));
    for (unsigned i = 0; i < CREW_MAX; i++) s->wide[i] = su_alloc_array(BATCH * su_synth_wide_stride(&s->packed), sizeof *s->wide[i]);
    s->order = su_alloc_array(p->record_count + 1, sizeof *s->order);
    s->columns = su_alloc_array(p->column_count + 1, sizeof *s->columns);
    s->placed = su_alloc_array(p->column_count + 1, sizeof *s->placed);
    for (uint64_t r = 0; r < p->record_count; r++) s->order[r] = (uint32_t)r;
    /* Columns with many values first: they decide most, and later columns can still adapt to them. */
    for (uint32_t j = 0; j < p->column_count; j++) {
        uint32_t at = j;
        for (; at > 0 && p->card[s->columns[at - 1]] < p->card[j]; at--) s->columns[at] = s->columns[at - 1];
        s->columns[at] = j;
        if (p->card[j] > most) most = p->card[j];
    }
    s->excess = su_alloc_array(most, sizeof *s->excess);
}

static void give_records(const search *s)
{
    for (uint32_t j = 0; j < s->problem->column_count; j++)
        for (uint64_t r = 0; r < s->problem->record_count; r++) s->records[j][r] = (uint16_t)code_of(s, r, j);
}

static double table_distance(const su_target_table *t, const int64_t *count)
{
    double sum = 0;
    for (uint64_t i = 0; i < t->cells; i++) sum += ((double)count[i] - t->estimate[i]) * ((double)count[i] - t->estimate[i]);
    return t->weight * sum;
}

/* Adds the distance to tables from..to - 1, of so many cells. */
static su_status add_distance(search *s, const su_code_matrix *m, size_t from, size_t to, uint64_t cells)
{
    const su_target_table *tables = s->problem->tables;
    int64_t *block = su_alloc_array((size_t)cells, sizeof *block), *at = block;
    su_contingency_request *requests = su_alloc_array(to - from, sizeof *requests);
    for (size_t t = from; t < to; at += tables[t++].cells)
        requests[t - from] = (su_contingency_request) { .n = tables[t].length, .columns = tables[t].columns, .out = at };
    su_status status = su_contingency_many(s->ctx, m, requests, to - from);
    for (size_t t = from; status == SU_OK && t < to; t++) s->distance += table_distance(&tables[t], requests[t - from].out);
    free(block);
    free(requests);
    return status;
}

/* Weighted squared distance of the records to all tables, counted from the start. Uses the room for the records that are given out. */
static su_status count_distance(search *s)
{
    const su_synthesis *p = s->problem;
    su_status status = SU_OK;
    su_code_matrix m = { .row_count = p->record_count, .column_count = p->column_count };
    m.columns = su_alloc_array(p->column_count + 1, sizeof *m.columns);
    give_records(s);
    for (uint32_t j = 0; j < p->column_count; j++) m.columns[j] = (su_matrix_column) { .card = p->card[j], .codes = s->records[j] };
    s->distance = 0;
    for (size_t from = 0, to; status == SU_OK && from < p->table_count; from = to) {
        uint64_t cells = 0;
        for (to = from; to < p->table_count && (to == from || cells + p->tables[to].cells <= DISTANCE_CELLS); to++)
            cells += p->tables[to].cells;
        status = add_distance(s, &m, from, to, cells);
    }
    free(m.columns);
    return status;
}

static su_status place_all(search *s)
{
    const su_synthesis *p = s->problem;
    su_status status = SU_OK;
    for (uint32_t j = 0; status == SU_OK && j < p->column_count; j++) {
        if (!p->start) {
            status = place_column(s, s->columns[j]);
            continue;
        }
        for (uint64_t r = 0; r < p->record_count; r++) set_code(s, r, j, p->start[j][r]);
        s->placed[j] = true;
    }
    return status;
}

/* Half a sweep at a time, until the records are as far from the tables as the truth would be: closer means fitting the noise
 * (discrepancy principle, Morozov 1966). */
static bool goes_on(const search *s, double before)
{
    double noise = s->problem->noise;
    return noise <= 0 || isinf(before) || (s->distance > noise && before - s->distance > STANDSTILL * noise);
}

static su_status run(search *s)
{
    const su_synthesis *p = s->problem;
    double left = fmin(p->sweeps > 0 ? p->sweeps : DEFAULT_SWEEPS, fmax(0, su_synth_affordable(p) - (p->start ? 0 : START_SWEEPS)));
    double before = INFINITY;
    if (p->start) s->done = p->column_count;
    s->work = p->column_count * (1 + ceil(fmax(left, STEP) / STEP));
    su_status status = place_all(s);
    if (status == SU_OK && p->noise > 0) status = count_distance(s);
    /* Records to start from may have other one-way counts: their first step is taken even when nobody can be visited. */
    while (status == SU_OK && (left > 0 || (p->start && isinf(before))) && goes_on(s, before)) {
        uint64_t visits = (uint64_t)(fmin(fmax(left, 0), STEP) * (double)p->record_count);
        before = s->distance;
        left -= STEP;
        shuffle(s->random, s->columns, p->column_count);
        for (uint32_t j = 0; status == SU_OK && j < p->column_count; j++) status = sweep_column(s, s->columns[j], visits);
    }
    if (status == SU_CANCELLED) return su_fail(s->ctx, SU_CANCELLED, "stopped while making synthetic records");
    su_progress(s->ctx, "making synthetic records", 1);
    return status;
}

su_status su_synthesise(su_context *ctx, const su_synthesis *problem, su_random *random, uint16_t **records)
{
    search s;
    su_status status = check(ctx, problem);
    if (status != SU_OK || problem->record_count == 0) return status;
    search_init(ctx, &s, problem, random);
    s.crew = su_crew_start(ctx, CREW_MAX);
    s.records = records;
    status = run(&s);
    if (status == SU_OK) give_records(&s);
    su_crew_end(s.crew);
    su_synth_block_free(&s.block);
    for (unsigned i = 0; i < BATCH; i++) su_synth_look_free(&s.near[i]);
    for (unsigned i = 0; i < CREW_MAX; i++) {
        su_synth_look_free(&s.look[i]);
        free(s.wide[i]);
    }
    free(s.packed.records);
    free(s.order);
    free(s.columns);
    free(s.placed);
    free(s.excess);
    return status;
}
