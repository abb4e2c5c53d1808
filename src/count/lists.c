/* Row lists from code columns. */
#include "lists.h"

#include <stdlib.h>
#include <string.h>

enum { STRETCH = 1024, CHUNK_ROWS = 8 * STRETCH, CHUNKS_PER_WORKER = 4, NARROW = 256 };

/* Rows that one thread reads: from, n of them. */
typedef struct chunk {
    uint64_t from, n;
    uint32_t *counts; /* of codes: columns one after the other, each with a cell more than its domain, for what must not occur */
    uint32_t place;   /* of its first item */
} chunk;

typedef struct building {
    const su_code_matrix *m;
    size_t cells; /* of counts */
    chunk *chunks;
    size_t chunk_count;
    const attribute_id *ids;
    lists *out;
} building;

/* Four counters for each code, in turns: nearly all cells hold code 0, and a counter waits for its own last addition. */
static void count_narrow(const uint16_t *codes, size_t n, uint32_t card, uint32_t four[4][NARROW + 1])
{
    size_t r = 0;
    for (; r + 4 <= n; r += 4)
        for (size_t k = 0; k < 4; k++) four[k][codes[r + k] < card ? codes[r + k] : card]++;
    for (; r < n; r++) four[0][codes[r] < card ? codes[r] : card]++;
}

static void count_column(const su_matrix_column *column, const chunk *part, uint32_t *at)
{
    uint32_t four[4][NARROW + 1] = { 0 };
    uint16_t room[STRETCH];
    for (uint64_t done = 0; done < part->n; done += STRETCH) {
        size_t n = part->n - done < STRETCH ? (size_t)(part->n - done) : STRETCH;
        const uint16_t *codes = su_matrix_codes(column, part->from + done, n, room);
        if (column->card <= NARROW)
            count_narrow(codes, n, column->card, four);
        else
            for (size_t r = 0; r < n; r++) at[codes[r] < column->card ? codes[r] : column->card]++;
    }
    for (uint32_t v = 0; v <= column->card && v <= NARROW; v++) at[v] += four[0][v] + four[1][v] + four[2][v] + four[3][v];
    su_wipe(room, sizeof room);
}

static void count_chunk(void *arg, size_t index, unsigned worker)
{
    (void)worker;
    const building *b = arg;
    uint32_t *at = b->chunks[index].counts;
    for (uint32_t c = 0; c < b->m->column_count; at += (size_t)b->m->columns[c++].card + 1)
        count_column(&b->m->columns[c], &b->chunks[index], at);
}

static void chunks_init(building *b, unsigned workers)
{
    uint64_t most = workers > 1 ? (uint64_t)CHUNKS_PER_WORKER * workers : 1, wanted = b->m->row_count / CHUNK_ROWS;
    b->chunk_count = (size_t)(wanted < 1 ? 1 : wanted < most ? wanted : most);
    b->chunks = su_alloc_array(b->chunk_count, sizeof *b->chunks);
    for (size_t k = 0; k < b->chunk_count; k++) {
        chunk *part = &b->chunks[k];
        part->from = b->m->row_count * k / b->chunk_count;
        part->n = b->m->row_count * (k + 1) / b->chunk_count - part->from;
        part->counts = su_alloc_array(b->cells + 16, sizeof *part->counts); /* a line of the cache away from others */
    }
}

/* counts[code] of all rows. */
static su_status count_codes(su_context *ctx, building *b, uint32_t *counts)
{
    su_parallel(ctx, b->chunk_count, count_chunk, b);
    for (size_t k = 0; k < b->chunk_count; k++)
        for (size_t i = 0; i < b->cells; i++) counts[i] += b->chunks[k].counts[i];
    for (uint32_t c = 0; c < b->m->column_count; c++) {
        const su_matrix_column *column = &b->m->columns[c];
        if (counts[column->card])
            return su_fail(ctx, SU_INTERNAL, "Column \"%s\" holds a code outside its codelist of %u values. Please report this.",
                           column->name ? column->name : "?", column->card ? column->card - 1 : 0);
        counts += (size_t)column->card + 1;
    }
    return SU_OK;
}

/* Numbers the kept attributes; ids[code] per column in the layout of counts, LIST_END for those not kept. */
static su_status number_attributes(su_context *ctx, const su_code_matrix *m, uint64_t min_count, const uint32_t *counts, attribute_id *ids,
                                   lists *out)
{
    uint64_t kept = 0, items = 0;
    const uint32_t *at = counts;
    for (uint32_t c = 0; c < m->column_count; at += (size_t)m->columns[c++].card + 1) {
        for (uint32_t v = 1; v < m->columns[c].card; v++) {
            if (at[v] < min_count) continue;
            kept++;
            items += at[v];
        }
    }
    if (kept > ATTRIBUTES_MAX)
        return su_fail(ctx, SU_REFUSED,
                       "The table has %llu different values over all its columns; combinations are counted for at most %u. "
                       "Leave out or coarsen columns with many values.",
                       (unsigned long long)kept, ATTRIBUTES_MAX);
    if (items + m->row_count >= UINT32_MAX)
        return su_fail(ctx, SU_REFUSED,
                       "The table has %llu filled cells; combinations are counted for at most 4,294,967,294 cells and rows. "
                       "Split the table.",
                       (unsigned long long)items);

    out->attribute = su_alloc_array(kept + 1, sizeof *out->attribute);
    out->count = su_alloc_array(kept + 1, sizeof *out->count);
    out->first = su_alloc_array((size_t)m->column_count + 1, sizeof *out->first);
    out->items = su_alloc_array(items + m->row_count + 1, sizeof *out->items);
    out->rows = su_alloc_array(m->row_count + 1, sizeof *out->rows);
    at = counts;
    for (uint32_t c = 0; c < m->column_count; c++) {
        out->first[c] = out->attribute_count;
        if (m->columns[c].card) ids[0] = LIST_END;
        for (uint32_t v = 1; v < m->columns[c].card; v++) {
            ids[v] = LIST_END;
            if (at[v] < min_count) continue;
            ids[v] = (attribute_id)out->attribute_count;
            out->attribute[out->attribute_count] = (su_attribute) { (uint16_t)c, (uint16_t)v };
            out->count[out->attribute_count++] = at[v];
        }
        at += (size_t)m->columns[c].card + 1;
        ids += (size_t)m->columns[c].card + 1;
    }
    out->first[m->column_count] = out->attribute_count;
    return SU_OK;
}

/* Where the items of every chunk begin. */
static void place_chunks(building *b)
{
    uint32_t next = 0;
    for (size_t k = 0; k < b->chunk_count; k++) {
        chunk *part = &b->chunks[k];
        part->place = next;
        next += (uint32_t)part->n;
        for (size_t i = 0; i < b->cells; i++) next += b->ids[i] != LIST_END ? part->counts[i] : 0;
    }
    b->out->item_count = next;
}

/* Columns are read in stretches of rows that stay in the cache while their lists grow side by side. */
static void fill_chunk(void *arg, size_t index, unsigned worker)
{
    (void)worker;
    const building *b = arg;
    const su_code_matrix *m = b->m;
    const chunk *part = &b->chunks[index];
    size_t width = (size_t)m->column_count + 1;
    attribute_id *scratch = su_alloc_array(STRETCH * width, sizeof *scratch);
    uint32_t length[STRETCH], next = part->place;
    uint16_t room[STRETCH];
    for (uint64_t done = 0; done < part->n; done += STRETCH) {
        size_t n = part->n - done < STRETCH ? (size_t)(part->n - done) : STRETCH;
        memset(length, 0, sizeof length);
        const attribute_id *id = b->ids;
        for (uint32_t c = 0; c < m->column_count; c++) {
            const uint16_t *codes = su_matrix_codes(&m->columns[c], part->from + done, n, room);
            for (size_t r = 0; r < n; r++) { /* writes always, advances when there is something: no branch to guess */
                attribute_id x = id[codes[r]];
                scratch[r * width + length[r]] = x;
                length[r] += x != LIST_END;
            }
            id += (size_t)m->columns[c].card + 1;
        }
        for (size_t r = 0; r < n; r++) {
            b->out->rows[part->from + done + r] = next;
            memcpy(b->out->items + next, scratch + r * width, length[r] * sizeof *scratch);
            next += length[r];
            b->out->items[next++] = LIST_END;
        }
    }
    su_wipe(room, sizeof room);
    su_wipe(scratch, STRETCH * width * sizeof *scratch);
    free(scratch);
}

static void building_free(building *b)
{
    for (size_t k = 0; k < b->chunk_count; k++) {
        su_wipe(b->chunks[k].counts, b->cells * sizeof *b->chunks[k].counts); /* case data: counts of small groups */
        free(b->chunks[k].counts);
    }
    free(b->chunks);
}

su_status lists_build(su_context *ctx, const su_code_matrix *m, uint64_t min_count, lists *out)
{
    memset(out, 0, sizeof *out);
    if (m->row_count >= UINT32_MAX || m->column_count >= UINT16_MAX)
        return su_fail(ctx, SU_REFUSED,
                       "The table has %llu rows and %u columns; combinations are counted for at most 4,294,967,294 rows and 65,534 "
                       "columns. Split the table.",
                       (unsigned long long)m->row_count, m->column_count);
    out->column_count = m->column_count;
    out->row_count = m->row_count;
    building b = { .m = m, .out = out };
    for (uint32_t c = 0; c < m->column_count; c++) b.cells += (size_t)m->columns[c].card + 1;
    uint32_t *counts = su_alloc_array(b.cells, sizeof *counts);
    attribute_id *ids = su_alloc_array(b.cells, sizeof *ids);
    chunks_init(&b, su_parallel_workers(ctx));
    su_status status = count_codes(ctx, &b, counts);
    if (status == SU_OK) status = number_attributes(ctx, m, min_count, counts, ids, out);
    if (status == SU_OK) {
        b.ids = ids;
        place_chunks(&b);
        su_parallel(ctx, b.chunk_count, fill_chunk, &b);
    }
    building_free(&b);
    free(counts);
    free(ids);
    if (status != SU_OK) lists_free(out);
    return status;
}

void lists_free(lists *l)
{
    if (l->items) su_wipe(l->items, l->item_count * sizeof *l->items); /* case data */
    free(l->items);
    free(l->attribute);
    free(l->count);
    free(l->first);
    free(l->rows);
    memset(l, 0, sizeof *l);
}
