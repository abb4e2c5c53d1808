/* rowseed: row-seeded and value-seeded synthesis (docs/methods/k-anonymity.md). A record grows by one attribute at a time, drawn in proportion to the
 * number of sensitive rows that hold it and everything drawn before; attributes that fewer than K such rows hold are out. */
#include "kanon.h"

#include <stdlib.h>
#include <string.h>

#define ROWS_PER_TASK 256u

/* One record in the making. */
typedef struct walk {
    const su_row_bits *b;
    const su_tuple_graph *g;
    uint32_t *alive; /* attributes that may follow, ascending */
    uint64_t *weight;
    uint32_t alive_n;
    uint32_t chosen[SU_TUPLE_MAX], length;
    uint32_t index;  /* of what is chosen, in the level of its length; while the levels reach */
    su_row_set rows; /* that hold what is chosen; when the levels do not reach any more */
    uint32_t *bitmaps, *counts, *scan;
} walk;

static void walk_init(walk *w, const su_row_bits *b, const su_tuple_graph *g)
{
    size_t n = (size_t)b->universe->attribute_count + 1;
    *w = (walk) { .b = b, .g = g };
    w->alive = su_alloc_array(n, sizeof *w->alive);
    w->weight = su_alloc_array(n, sizeof *w->weight);
    w->bitmaps = su_alloc_array(n, sizeof *w->bitmaps);
    w->counts = su_alloc_array(n, sizeof *w->counts);
    w->scan = su_alloc_array(n, sizeof *w->scan);
    su_row_set_init(&w->rows, b);
}

static void walk_free(walk *w)
{
    free(w->alive);
    free(w->weight);
    free(w->bitmaps);
    free(w->counts);
    free(w->scan);
    su_row_set_free(&w->rows, w->b);
}

/* Weights from the counts of combinations with one attribute more: a merge, or a search each when few attributes are alive. */
static void weigh_by_level(walk *w)
{
    const su_tuple_level *l = &w->g->level[w->length];
    const uint32_t *count = w->g->level[w->length + 1].count;
    size_t e = l->first[w->index], end = l->first[w->index + 1];
    bool search = (end - e) > 8 * (size_t)w->alive_n;
    uint32_t n = 0;
    for (uint32_t i = 0; i < w->alive_n; i++) {
        uint32_t a = w->alive[i], child = SU_TUPLE_NONE;
        if (search)
            child = su_tuple_child(l, w->index, a);
        else {
            while (e < end && l->attribute[e] < a) e++;
            if (e < end && l->attribute[e] == a) child = l->child[e];
        }
        if (child == SU_TUPLE_NONE) continue;
        w->alive[n] = a;
        w->weight[n++] = count[child];
    }
    w->alive_n = n;
}

/* Goes through the rows once instead of once per attribute. */
static void scan_rows(walk *w)
{
    const su_row_lists *l = &w->b->lists;
    for (uint32_t i = 0; i < w->alive_n; i++) w->scan[w->alive[i]] = 0;
    for (size_t k = 0; k < w->rows.n; k++)
        for (uint64_t x = w->rows.bits[k]; x; x &= x - 1) {
            uint64_t row = (uint64_t)w->rows.word[k] * 64 + (uint64_t)__builtin_ctzll(x);
            for (uint64_t e = l->first[row]; e < l->first[row + 1]; e++) w->scan[l->items[e]]++;
        }
    for (uint32_t i = 0; i < w->alive_n; i++) w->counts[i] = w->scan[w->alive[i]];
}

static void weigh_by_rows(walk *w)
{
    const su_row_lists *l = &w->b->lists;
    uint64_t mean = l->first[l->row_count] / (l->row_count + 1) + 1;
    if (w->rows.rows * mean < (uint64_t)w->alive_n * w->rows.n)
        scan_rows(w);
    else {
        for (uint32_t i = 0; i < w->alive_n; i++) w->bitmaps[i] = w->b->bitmap[w->alive[i]];
        su_row_set_count(&w->rows, w->b, w->bitmaps, w->alive_n, w->counts);
    }
    uint32_t n = 0;
    for (uint32_t i = 0; i < w->alive_n; i++) {
        if (w->counts[i] < w->b->K) continue;
        w->alive[n] = w->alive[i];
        w->weight[n++] = w->counts[i];
    }
    w->alive_n = n;
}

/* The attribute chosen is out; the others are weighed anew. */
static void advance(walk *w, uint32_t attribute)
{
    uint32_t n = 0, levels = w->g->length;
    for (uint32_t i = 0; i < w->alive_n; i++)
        if (w->alive[i] != attribute) w->alive[n++] = w->alive[i];
    w->alive_n = n;
    if (w->length < levels) {
        w->index = w->length ? su_tuple_child(&w->g->level[w->length], w->index, attribute) : attribute;
        w->chosen[w->length] = attribute;
    }
    w->length++;
    if (!w->alive_n) return;
    if (w->length < levels) {
        weigh_by_level(w);
        return;
    }
    if (w->length == levels) {
        uint32_t bitmaps[SU_TUPLE_MAX];
        for (uint32_t i = 0; i < levels; i++) bitmaps[i] = w->b->bitmap[w->chosen[i]];
        su_row_set_of(&w->rows, w->b, bitmaps, levels);
    } else
        su_row_set_narrow(&w->rows, w->b, w->b->bitmap[attribute]);
    weigh_by_rows(w);
}

/* Draws the next attribute, SU_TUPLE_NONE when the record is complete. */
static uint32_t next(walk *w, su_random *random)
{
    uint64_t total = 0;
    for (uint32_t i = 0; i < w->alive_n; i++) total += w->weight[i];
    return total ? w->alive[su_draw_weighted(random, w->weight, total)] : SU_TUPLE_NONE;
}

/* ---- seeding ------------------------------------------------------------------------------------------------------ */

typedef struct seeding {
    walk *walks; /* one per worker */
    const su_row_bits *b;
    const su_random *random;
    uint16_t *items; /* record i from lists.first[i] on */
    uint32_t *length;
} seeding;

static void seed_rows(void *arg, size_t task, unsigned worker)
{
    seeding *s = arg;
    walk *w = &s->walks[worker];
    const su_row_lists *l = &s->b->lists;
    su_random stream;
    su_random_split(s->random, task, &stream);
    for (uint64_t row = task * ROWS_PER_TASK; row < l->row_count && row < (task + 1) * ROWS_PER_TASK; row++) {
        w->alive_n = w->length = 0;
        for (uint64_t e = l->first[row]; e < l->first[row + 1]; e++) {
            w->alive[w->alive_n] = l->items[e];
            w->weight[w->alive_n++] = s->b->count[l->items[e]];
        }
        for (uint32_t a = next(w, &stream); a != SU_TUPLE_NONE; a = next(w, &stream)) {
            s->items[l->first[row] + s->length[row]++] = (uint16_t)a;
            advance(w, a);
        }
    }
    su_random_wipe(&stream);
}

static void seed(su_context *ctx, const su_row_bits *b, walk *walks, su_random *random, su_made *out)
{
    const su_row_lists *l = &b->lists;
    su_random source;
    su_random_split(random, su_random_u64(random), &source);
    seeding s = { .walks = walks, .b = b, .random = &source };
    s.items = su_alloc_array(l->first[l->row_count] + 1, sizeof *s.items);
    s.length = su_alloc_array(l->row_count + 1, sizeof *s.length);
    su_parallel(ctx, (l->row_count + ROWS_PER_TASK - 1) / ROWS_PER_TASK, seed_rows, &s);
    for (uint64_t row = 0; row < l->row_count; row++) {
        if (!s.length[row]) continue;
        su_made_begin(out);
        for (uint32_t i = 0; i < s.length[row]; i++) su_made_push(out, s.items[l->first[row] + i]);
    }
    su_wipe(s.items, l->first[l->row_count] * sizeof *s.items);
    free(s.items);
    free(s.length);
    su_random_wipe(&source);
}

/* ---- consolidation and suppression --------------------------------------------------------------------------------- */

/* Records from what the counts, rounded down, still have to give. */
static void consolidate(su_context *ctx, const su_row_bits *b, walk *w, su_random *random, su_made *out)
{
    uint32_t attributes = b->universe->attribute_count;
    uint64_t *available = su_alloc_array((size_t)attributes + 1, sizeof *available), left = 0, all = 1;
    for (size_t i = 0; i < out->item_count; i++) available[out->items[i]]++;
    for (uint32_t a = 0; a < attributes; a++) {
        uint64_t target = su_floor_k(b->count[a], b->K);
        available[a] = target > available[a] ? target - available[a] : 0;
        left += available[a];
    }
    all += left;
    while (left && !su_cancelled(ctx)) {
        w->alive_n = w->length = 0;
        for (uint32_t a = 0; a < attributes; a++) {
            if (!available[a]) continue;
            w->alive[w->alive_n] = a;
            w->weight[w->alive_n++] = b->count[a];
        }
        su_made_begin(out);
        for (uint32_t a = next(w, random); a != SU_TUPLE_NONE; a = next(w, random)) {
            su_made_push(out, a);
            available[a]--;
            left--;
            advance(w, a);
        }
        if (out->n % 1024 == 0) su_progress(ctx, "synthetic records", 1 - (double)left / (double)all);
    }
    free(available);
}

/* Takes attributes that occur too often out of records in random order, and records that are left with nothing. */
static void suppress(const su_row_bits *b, su_random *random, su_made *m)
{
    uint32_t attributes = b->universe->attribute_count;
    uint64_t *excess = su_alloc_array((size_t)attributes + 1, sizeof *excess), *order = su_alloc_array(m->n + 1, sizeof *order);
    bool *gone = su_alloc_array(m->item_count + 1, sizeof *gone);
    for (size_t i = 0; i < m->item_count; i++) excess[m->items[i]]++;
    for (uint32_t a = 0; a < attributes; a++) {
        uint64_t target = su_floor_k(b->count[a], b->K);
        excess[a] = excess[a] > target ? excess[a] - target : 0;
    }
    for (size_t i = 0; i < m->n; i++) order[i] = i;
    for (size_t i = m->n; i > 1; i--) {
        size_t j = su_random_below(random, i);
        uint64_t swap = order[i - 1];
        order[i - 1] = order[j];
        order[j] = swap;
    }
    for (size_t i = 0; i < m->n; i++)
        for (uint64_t e = m->first[order[i]]; e < m->first[order[i] + 1]; e++)
            if (excess[m->items[e]]) {
                excess[m->items[e]]--;
                gone[e] = true;
            }
    size_t records = 0, items = 0;
    for (size_t i = 0; i < m->n; i++) {
        size_t start = items;
        for (uint64_t e = m->first[i], end = m->first[i + 1]; e < end; e++)
            if (!gone[e]) m->items[items++] = m->items[e];
        if (items > start) m->first[records++] = start;
    }
    if (m->n) m->first[records] = items;
    m->n = records;
    m->item_count = items;
    free(excess);
    free(order);
    free(gone);
}

su_status su_row_seeded(su_context *ctx, const su_row_bits *b, const su_tuple_graph *counts, bool seeded, su_random *random, su_made *out)
{
    unsigned workers = su_parallel_workers(ctx);
    walk *walks = su_alloc_array(workers, sizeof *walks);
    su_random stream;
    for (unsigned i = 0; i < workers; i++) walk_init(&walks[i], b, counts);
    if (seeded) seed(ctx, b, walks, random, out);
    su_random_split(random, su_random_u64(random), &stream);
    consolidate(ctx, b, &walks[0], &stream, out);
    if (seeded) suppress(b, &stream, out);
    su_random_wipe(&stream);
    for (unsigned i = 0; i < workers; i++) walk_free(&walks[i]);
    free(walks);
    return su_cancelled(ctx) ? su_fail(ctx, SU_CANCELLED, "Stopped before the synthetic records were complete.") : SU_OK;
}
