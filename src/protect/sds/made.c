/* made: synthetic records on their way from lists of attributes to columns of codes. */
#include "sds.h"

#include <stdlib.h>

void su_made_begin(su_made *m)
{
    if (m->n + 2 > m->first_capacity) m->first = su_grow(m->first, &m->first_capacity, m->n + 2, sizeof *m->first);
    m->first[m->n] = m->item_count;
    m->first[++m->n] = m->item_count;
}

void su_made_push(su_made *m, uint32_t item)
{
    if (m->item_count == m->item_capacity) m->items = su_grow(m->items, &m->item_capacity, m->item_count + 1, sizeof *m->items);
    m->items[m->item_count++] = (uint16_t)item;
    m->first[m->n] = m->item_count;
}

void su_made_free(su_made *m)
{
    if (m->items) su_wipe(m->items, m->item_capacity * sizeof *m->items);
    free(m->items);
    free(m->first);
    *m = (su_made) { NULL };
}

void su_made_publish(const su_made *m, const su_universe *u, su_release *r)
{
    uint64_t *start = su_alloc_array((size_t)u->column_count + 2, sizeof *start); /* by columns that are empty */
    r->record_count = m->n;
    r->records = su_arena_array(&r->arena, u->column_count, sizeof *r->records);
    for (uint32_t c = 0; c < u->column_count; c++) r->records[c] = su_arena_array(&r->arena, m->n, sizeof *r->records[c]);
    for (size_t i = 0; i < m->n; i++) start[u->column_count - (m->first[i + 1] - m->first[i]) + 1]++;
    for (uint32_t k = 0; k < u->column_count; k++) start[k + 1] += start[k];
    for (size_t i = 0; i < m->n; i++) {
        uint64_t row = start[u->column_count - (m->first[i + 1] - m->first[i])]++;
        for (uint64_t k = m->first[i]; k < m->first[i + 1]; k++) {
            su_attribute a = su_universe_attribute(u, m->items[k]);
            r->records[a.column][row] = a.value;
        }
    }
    free(start);
}
