/* The first split of a search, of all rows at once: some threads count the attributes of some rows each, then put the tails in their
 * places. */
#include "pairs.h"

#include <stdlib.h>

enum { PART_ROWS = 8192, PARTS_PER_WORKER = 4 };

typedef struct part {
    uint64_t from, to;
    uint32_t *next; /* per attribute: its tails in these rows, then where the next one goes */
} part;

typedef struct everyone {
    const lists *l;
    uint32_t rest;
    part *parts;
    size_t part_count;
    const bool *kept; /* attributes */
    uint32_t *places;
} everyone;

/* Attributes of a row that leave `rest` others behind them. */
static uint32_t openers(const everyone *e, uint64_t row)
{
    uint32_t end = row + 1 < e->l->row_count ? e->l->rows[row + 1] : e->l->item_count, m = end - e->l->rows[row] - 1;
    return m > e->rest ? m - e->rest : 0;
}

static void count_part(void *arg, size_t index, unsigned worker)
{
    (void)worker;
    const everyone *e = arg;
    const part *p = &e->parts[index];
    for (uint64_t r = p->from; r < p->to; r++) {
        const attribute_id *x = e->l->items + e->l->rows[r];
        for (uint32_t i = 0, n = openers(e, r); i < n; i++) p->next[x[i]]++;
    }
}

static void place_part(void *arg, size_t index, unsigned worker)
{
    (void)worker;
    const everyone *e = arg;
    const part *p = &e->parts[index];
    for (uint64_t r = p->from; r < p->to; r++) {
        uint32_t at = e->l->rows[r];
        const attribute_id *x = e->l->items + at;
        for (uint32_t i = 0, n = openers(e, r); i < n; i++)
            if (e->kept[x[i]]) e->places[p->next[x[i]]++] = at + i + 1;
    }
}

/* Runs of the attributes that are not too rare; the parts' counts become places. */
static void make_runs(everyone *e, uint64_t min_count, bool *kept, split *s)
{
    size_t total = 0;
    s->run_count = 0;
    s->runs = su_grow(s->runs, &s->run_capacity, e->l->attribute_count, sizeof *s->runs);
    for (uint32_t x = 0; x < e->l->attribute_count; x++) {
        size_t n = 0;
        for (size_t k = 0; k < e->part_count; k++) n += e->parts[k].next[x];
        kept[x] = n > 0 && n >= min_count;
        if (!kept[x]) continue;
        s->runs[s->run_count++] = (split_run) { (attribute_id)x, (uint32_t)total, (uint32_t)n };
        for (size_t k = 0; k < e->part_count; k++) {
            uint32_t here = e->parts[k].next[x];
            e->parts[k].next[x] = (uint32_t)total;
            total += here;
        }
    }
    s->place_count = total;
    s->places = su_grow(s->places, &s->place_capacity, total, sizeof *s->places);
}

void split_everyone(su_context *ctx, const lists *l, uint64_t min_count, uint32_t rest, split *s)
{
    unsigned workers = su_parallel_workers(ctx);
    uint64_t most = workers > 1 ? (uint64_t)PARTS_PER_WORKER * workers : 1, wanted = l->row_count / PART_ROWS;
    everyone e = { .l = l, .rest = rest, .part_count = (size_t)(wanted < 1 ? 1 : wanted < most ? wanted : most) };
    bool *kept = su_alloc_array((size_t)l->attribute_count + 1, sizeof *kept);
    e.parts = su_alloc_array(e.part_count, sizeof *e.parts);
    for (size_t k = 0; k < e.part_count; k++) {
        e.parts[k].from = l->row_count * k / e.part_count;
        e.parts[k].to = l->row_count * (k + 1) / e.part_count;
        e.parts[k].next =
            su_alloc_array((size_t)l->attribute_count + 16, sizeof *e.parts[k].next); /* a line of the cache away from others */
    }
    su_parallel(ctx, e.part_count, count_part, &e);
    make_runs(&e, min_count, kept, s);
    e.kept = kept;
    e.places = s->places;
    su_parallel(ctx, e.part_count, place_part, &e);
    for (size_t k = 0; k < e.part_count; k++) free(e.parts[k].next);
    free(e.parts);
    free(kept);
}
