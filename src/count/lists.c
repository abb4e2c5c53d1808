/* Row lists from code columns. */
#include "lists.h"

#include <stdlib.h>
#include <string.h>

/* counts[code] per column, all columns one after the other. */
static su_status count_codes(su_context *ctx, const su_code_matrix *m, uint32_t **counts)
{
    size_t cells = 0;
    for (uint32_t c = 0; c < m->column_count; c++) cells += (size_t)m->columns[c].card + 1;
    uint32_t *at = *counts = su_alloc_array(cells, sizeof *at);
    for (uint32_t c = 0; c < m->column_count; c++) {
        const su_matrix_column *column = &m->columns[c];
        uint32_t bad = column->card; /* one cell more than the domain, for what must not occur */
        if (column->bytes)
            for (uint64_t r = 0; r < m->row_count; r++) at[column->bytes[r] < bad ? column->bytes[r] : bad]++;
        else
            for (uint64_t r = 0; r < m->row_count; r++) at[column->codes[r] < bad ? column->codes[r] : bad]++;
        if (at[bad])
            return su_fail(ctx, SU_INTERNAL, "Column \"%s\" holds a code outside its codelist of %u values. Please report this.",
                           column->name ? column->name : "?", column->card ? column->card - 1 : 0);
        at += (size_t)column->card + 1;
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

/* Columns are read in stretches of rows that stay in the cache while their lists grow side by side. */
static void fill_rows(const su_code_matrix *m, const attribute_id *ids, lists *out)
{
    enum { STRETCH = 1024 };
    size_t width = (size_t)m->column_count + 1;
    attribute_id *scratch = su_alloc_array(STRETCH * width, sizeof *scratch);
    uint32_t length[STRETCH], next = 0;
    uint16_t room[STRETCH];
    for (uint64_t from = 0; from < m->row_count; from += STRETCH) {
        size_t n = m->row_count - from < STRETCH ? (size_t)(m->row_count - from) : STRETCH;
        memset(length, 0, sizeof length);
        const attribute_id *id = ids;
        for (uint32_t c = 0; c < m->column_count; c++) {
            const uint16_t *codes = su_matrix_codes(&m->columns[c], from, n, room);
            for (size_t r = 0; r < n; r++) { /* writes always, advances when there is something: no branch to guess */
                attribute_id x = id[codes[r]];
                scratch[r * width + length[r]] = x;
                length[r] += x != LIST_END;
            }
            id += (size_t)m->columns[c].card + 1;
        }
        for (size_t r = 0; r < n; r++) {
            out->rows[from + r] = next;
            memcpy(out->items + next, scratch + r * width, length[r] * sizeof *scratch);
            next += length[r];
            out->items[next++] = LIST_END;
        }
    }
    out->item_count = next;
    su_wipe(room, sizeof room);
    su_wipe(scratch, STRETCH * width * sizeof *scratch);
    free(scratch);
}

su_status lists_build(su_context *ctx, const su_code_matrix *m, uint64_t min_count, lists *out)
{
    uint32_t *counts = NULL;
    attribute_id *ids = NULL;
    memset(out, 0, sizeof *out);
    if (m->row_count >= UINT32_MAX || m->column_count >= UINT16_MAX)
        return su_fail(ctx, SU_REFUSED,
                       "The table has %llu rows and %u columns; combinations are counted for at most 4,294,967,294 rows and 65,534 "
                       "columns. Split the table.",
                       (unsigned long long)m->row_count, m->column_count);
    out->column_count = m->column_count;
    out->row_count = m->row_count;
    su_status status = count_codes(ctx, m, &counts);
    if (status != SU_OK) goto out;
    size_t cells = 0;
    for (uint32_t c = 0; c < m->column_count; c++) cells += (size_t)m->columns[c].card + 1;
    ids = su_alloc_array(cells, sizeof *ids);
    status = number_attributes(ctx, m, min_count, counts, ids, out);
    if (status != SU_OK) goto out;
    fill_rows(m, ids, out);
out:
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
