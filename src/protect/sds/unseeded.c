/* unseeded: records built column by column (docs/methods/k-anonymity.md). The columns come in an order drawn for each record; a value is drawn in
 * proportion to the rows that hold it and everything drawn before, values that fewer than K rows hold count as "empty"; after an "empty"
 * only the rows that are really empty there stay. */
#include "kanon.h"

#include <stdlib.h>

#define ROWS_PER_TASK 64u

typedef struct scratch {
    su_row_set rows;
    uint32_t *columns, *bitmaps, *values, *counts, *scan;
    uint64_t *weight;
} scratch;

typedef struct building {
    const su_row_bits *b;
    const su_random *random;
    scratch *workers;
    uint64_t records;
    uint16_t *items; /* [record][column]: attribute + 1, 0 = empty */
} building;

static void scan_column(const su_row_bits *b, const su_row_set *s, uint32_t column, uint32_t *scan)
{
    const uint16_t *codes = b->codes[column];
    for (uint32_t v = 0; v <= b->universe->first[column + 1] - b->universe->first[column]; v++) scan[v] = 0;
    for (size_t k = 0; k < s->n; k++)
        for (uint64_t x = s->bits[k]; x; x &= x - 1) scan[codes[(uint64_t)s->word[k] * 64 + (uint64_t)__builtin_ctzll(x)]]++;
}

/* Draws the value of one column given the rows left (all of them when `whole`): an attribute, or SU_TUPLE_NONE for empty. */
static uint32_t draw_value(const su_row_bits *b, scratch *w, uint32_t column, bool whole, su_random *random)
{
    uint32_t first = b->universe->first[column], end = b->universe->first[column + 1], n = 0;
    uint64_t left = whole ? b->row_count : w->rows.rows;
    for (uint32_t a = first; a < end; a++) {
        if (b->bitmap[a] == SU_TUPLE_NONE) continue;
        w->values[n] = a;
        w->bitmaps[n++] = b->bitmap[a];
    }
    if (whole)
        for (uint32_t i = 0; i < n; i++) w->counts[i] = b->count[w->values[i]];
    else if (w->rows.rows < (uint64_t)n * w->rows.n) {
        scan_column(b, &w->rows, column, w->scan);
        for (uint32_t i = 0; i < n; i++) w->counts[i] = w->scan[w->values[i] - first + 1];
    } else
        su_row_set_count(&w->rows, b, w->bitmaps, n, w->counts);
    for (uint32_t i = 0; i < n; i++) {
        w->weight[i] = w->counts[i] >= b->K ? w->counts[i] : 0;
        left -= w->weight[i];
    }
    w->weight[n] = left; /* really empty, and values of small groups */
    w->values[n] = SU_TUPLE_NONE;
    uint64_t total = whole ? b->row_count : w->rows.rows;
    return total ? w->values[su_draw_weighted(random, w->weight, total)] : SU_TUPLE_NONE;
}

static void build_record(const su_row_bits *b, scratch *w, su_random *random, uint16_t *items)
{
    uint32_t columns = b->universe->column_count;
    for (uint32_t c = 0; c < columns; c++) w->columns[c] = c;
    for (uint32_t i = 0; i < columns; i++) {
        uint32_t j = i + (uint32_t)su_random_below(random, columns - i), c = w->columns[j];
        w->columns[j] = w->columns[i];
        uint32_t a = draw_value(b, w, c, i == 0, random);
        uint32_t bitmap = b->bitmap[a == SU_TUPLE_NONE ? b->universe->attribute_count + c : a];
        if (i == 0)
            su_row_set_of(&w->rows, b, &bitmap, 1);
        else
            su_row_set_narrow(&w->rows, b, bitmap);
        items[c] = a == SU_TUPLE_NONE ? 0 : (uint16_t)(a + 1);
    }
}

static void build_records(void *arg, size_t task, unsigned worker)
{
    building *t = arg;
    su_random stream;
    su_random_split(t->random, task, &stream);
    for (uint64_t i = task * ROWS_PER_TASK; i < t->records && i < (task + 1) * ROWS_PER_TASK; i++)
        build_record(t->b, &t->workers[worker], &stream, t->items + i * t->b->universe->column_count);
    su_random_wipe(&stream);
}

su_status su_unseeded(su_context *ctx, const su_row_bits *b, su_random *random, su_made *out)
{
    unsigned workers = su_parallel_workers(ctx);
    uint32_t columns = b->universe->column_count;
    size_t room = (size_t)b->universe->attribute_count + 2;
    su_random source;
    su_random_split(random, su_random_u64(random), &source);
    building t = { .b = b, .random = &source, .records = su_floor_k(b->row_count, b->K) };
    t.items = su_alloc_array(t.records * columns + 1, sizeof *t.items);
    t.workers = su_alloc_array(workers, sizeof *t.workers);
    for (unsigned i = 0; i < workers; i++) {
        scratch *w = &t.workers[i];
        su_row_set_init(&w->rows, b);
        w->columns = su_alloc_array((size_t)columns + 1, sizeof *w->columns);
        w->bitmaps = su_alloc_array(room, sizeof *w->bitmaps);
        w->values = su_alloc_array(room, sizeof *w->values);
        w->counts = su_alloc_array(room, sizeof *w->counts);
        w->scan = su_alloc_array(room, sizeof *w->scan);
        w->weight = su_alloc_array(room, sizeof *w->weight);
    }
    su_parallel(ctx, (t.records + ROWS_PER_TASK - 1) / ROWS_PER_TASK, build_records, &t);
    for (uint64_t i = 0; i < t.records; i++) {
        su_made_begin(out);
        for (uint32_t c = 0; c < columns; c++)
            if (t.items[i * columns + c]) su_made_push(out, t.items[i * columns + c] - 1u);
    }
    for (unsigned i = 0; i < workers; i++) {
        scratch *w = &t.workers[i];
        su_row_set_free(&w->rows, b);
        free(w->columns);
        free(w->bitmaps);
        free(w->values);
        free(w->counts);
        free(w->scan);
        free(w->weight);
    }
    su_wipe(t.items, t.records * columns * sizeof *t.items);
    free(t.items);
    free(t.workers);
    su_random_wipe(&source);
    return su_cancelled(ctx) ? su_fail(ctx, SU_CANCELLED, "Stopped before the synthetic records were complete.") : SU_OK;
}
