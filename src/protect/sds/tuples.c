#include "tuples.h"

#include <stdlib.h>
#include <string.h>

/* ---- domain and rows ---------------------------------------------------------------------------------------------- */

void su_universe_init(su_universe *u, const su_matrix_column *columns, uint32_t column_count)
{
    u->column_count = column_count;
    u->first = su_alloc_array((size_t)column_count + 1, sizeof *u->first);
    for (uint32_t c = 0; c < column_count; c++) u->first[c + 1] = u->first[c] + columns[c].card - 1;
    u->attribute_count = u->first[column_count];
    u->column = su_alloc_array((size_t)u->attribute_count + 1, sizeof *u->column);
    for (uint32_t c = 0; c < column_count; c++)
        for (uint32_t id = u->first[c]; id < u->first[c + 1]; id++) u->column[id] = c;
}

void su_universe_free(su_universe *u)
{
    free(u->first);
    free(u->column);
    memset(u, 0, sizeof *u);
}

su_status su_row_lists_init(su_context *ctx, su_row_lists *l, const su_code_matrix *m, const su_universe *u, const bool *keep)
{
    memset(l, 0, sizeof *l);
    for (uint32_t c = 0; c < m->column_count; c++)
        for (uint64_t i = 0; i < m->row_count; i++)
            if (m->columns[c].codes[i] >= m->columns[c].card)
                return su_fail(ctx, SU_INTERNAL, "Column %s holds a code outside its codelist. Nothing was released; please report this.",
                               m->columns[c].name);
    l->row_count = m->row_count;
    l->first = su_alloc_array(m->row_count + 1, sizeof *l->first);
    for (uint32_t c = 0; c < m->column_count; c++)
        for (uint64_t i = 0; i < m->row_count; i++) {
            uint32_t code = m->columns[c].codes[i];
            l->first[i + 1] += code && (!keep || keep[u->first[c] + code - 1]);
        }
    for (uint64_t i = 0; i < m->row_count; i++) l->first[i + 1] += l->first[i];
    l->items = su_alloc_array(l->first[m->row_count] + 1, sizeof *l->items);
    uint64_t *at = su_alloc_array(m->row_count + 1, sizeof *at);
    memcpy(at, l->first, m->row_count * sizeof *at);
    for (uint32_t c = 0; c < m->column_count; c++)
        for (uint64_t i = 0; i < m->row_count; i++) {
            uint32_t code = m->columns[c].codes[i];
            if (code && (!keep || keep[u->first[c] + code - 1])) l->items[at[i]++] = (uint16_t)(u->first[c] + code - 1);
        }
    free(at);
    return SU_OK;
}

void su_row_lists_free(su_row_lists *l)
{
    if (l->items) su_wipe(l->items, l->first[l->row_count] * sizeof *l->items);
    free(l->items);
    free(l->first);
    memset(l, 0, sizeof *l);
}

/* ---- keys --------------------------------------------------------------------------------------------------------- */

uint64_t su_key_without(uint64_t key, uint32_t length, uint32_t position)
{
    uint64_t out = 0;
    for (uint32_t i = 0, at = 0; i < length; i++)
        if (i != position) out = su_key_with(out, at++, su_key_at(key, i));
    return out;
}

/* ---- levels ------------------------------------------------------------------------------------------------------- */

void su_tuple_graph_init(su_tuple_graph *g, const su_universe *u)
{
    memset(g, 0, sizeof *g);
    g->universe = u;
    g->length = 1;
    for (uint32_t k = 1; k <= SU_TUPLE_MAX; k++) g->level[k].length = k;
    for (uint32_t id = 0; id < u->attribute_count; id++) su_tuple_add(&g->level[1], su_key_with(0, 0, id), 0);
}

void su_tuple_level_free(su_tuple_level *l)
{
    if (l->count) su_wipe(l->count, l->n * sizeof *l->count);
    free(l->key);
    free(l->count);
    free(l->group);
    free(l->last);
    free(l->first);
    free(l->attribute);
    free(l->child);
    memset(l, 0, sizeof *l);
}

void su_tuple_graph_free(su_tuple_graph *g)
{
    for (uint32_t k = 1; k <= SU_TUPLE_MAX; k++) su_tuple_level_free(&g->level[k]);
    memset(g, 0, sizeof *g);
}

void su_tuple_add(su_tuple_level *l, uint64_t key, uint32_t count)
{
    if (l->n == l->capacity) l->key = su_grow(l->key, &l->capacity, l->n + 1, sizeof *l->key);
    if (l->n == l->count_capacity) l->count = su_grow(l->count, &l->count_capacity, l->n + 1, sizeof *l->count);
    l->key[l->n] = key;
    l->count[l->n++] = count;
}

/* Stable counting sorts, the last position first. `of` gives the place of an attribute in the order wanted. */
static void sort_positions(const su_tuple_level *l, const uint32_t *of, uint32_t places, uint32_t *order)
{
    uint32_t *other = su_alloc_array(l->n + 1, sizeof *other);
    size_t *start = su_alloc_array((size_t)places + 1, sizeof *start);
    for (uint32_t position = l->length; position-- > 0;) {
        memset(start, 0, ((size_t)places + 1) * sizeof *start);
        for (size_t i = 0; i < l->n; i++) {
            uint32_t id = su_key_at(l->key[i], position);
            start[(of ? of[id] : id) + 1]++;
        }
        for (uint32_t p = 0; p < places; p++) start[p + 1] += start[p];
        for (size_t i = 0; i < l->n; i++) {
            uint32_t id = su_key_at(l->key[order[i]], position);
            other[start[of ? of[id] : id]++] = order[i];
        }
        memcpy(order, other, l->n * sizeof *order);
    }
    free(other);
    free(start);
}

void su_tuple_sort(const su_universe *u, su_tuple_level *l)
{
    uint32_t *order = su_alloc_array(l->n + 1, sizeof *order), *count = su_alloc_array(l->n + 1, sizeof *count);
    uint64_t *key = su_alloc_array(l->n + 1, sizeof *key);
    for (size_t i = 0; i < l->n; i++) order[i] = (uint32_t)i;
    sort_positions(l, NULL, u->attribute_count, order);
    for (size_t i = 0; i < l->n; i++) {
        key[i] = l->key[order[i]];
        count[i] = l->count[order[i]];
    }
    if (l->n) {
        memcpy(l->key, key, l->n * sizeof *key);
        memcpy(l->count, count, l->n * sizeof *count);
    }
    su_wipe(count, l->n * sizeof *count);
    free(count);
    free(key);
    free(order);
}

/* Both levels ascend, so the groups follow one another. */
void su_tuple_index(su_tuple_graph *g, su_tuple_level *l)
{
    const su_tuple_level *below = &g->level[l->length - 1];
    free(l->group);
    free(l->last);
    l->group = su_alloc_array(below->n + 1, sizeof *l->group);
    l->last = su_alloc_array(l->n + 1, sizeof *l->last);
    size_t i = 0;
    for (size_t p = 0; p < below->n; p++) {
        l->group[p] = (uint32_t)i;
        for (; i < l->n && su_key_without(l->key[i], l->length, l->length - 1) == below->key[p]; i++)
            l->last[i] = (uint16_t)su_key_at(l->key[i], l->length - 1);
    }
    l->group[below->n] = (uint32_t)i;
}

uint32_t su_tuple_find(const su_tuple_graph *g, uint64_t key, uint32_t length)
{
    uint32_t index = su_key_at(key, 0);
    for (uint32_t k = 2; k <= length && index != SU_TUPLE_NONE; k++) index = su_tuple_step(&g->level[k], index, su_key_at(key, k - 1));
    return index;
}

/* ---- extensions --------------------------------------------------------------------------------------------------- */

/* Every tuple enters the list of each of its parents. Entries are filled in the order of their attributes, so the lists come out sorted. */
void su_tuple_graph_link(su_tuple_graph *g, uint32_t length)
{
    const su_tuple_level *to = &g->level[length];
    su_tuple_level *from = &g->level[length - 1];
    size_t entries = to->n * length;
    uint32_t attributes = g->universe->attribute_count;
    uint32_t *parent = su_alloc_array(entries + 1, sizeof *parent);
    size_t *by_attribute = su_alloc_array((size_t)attributes + 1, sizeof *by_attribute),
           *order = su_alloc_array(entries + 1, sizeof *order);
    from->first = su_alloc_array(from->n + 1, sizeof *from->first);
    from->attribute = su_alloc_array(entries + 1, sizeof *from->attribute);
    from->child = su_alloc_array(entries + 1, sizeof *from->child);
    for (size_t e = 0; e < entries; e++) {
        uint64_t key = to->key[e / length];
        parent[e] = su_tuple_find(g, su_key_without(key, length, (uint32_t)(e % length)), length - 1);
        from->first[parent[e] + 1]++;
        by_attribute[su_key_at(key, (uint32_t)(e % length)) + 1]++;
    }
    for (size_t i = 0; i < from->n; i++) from->first[i + 1] += from->first[i];
    for (uint32_t a = 0; a < attributes; a++) by_attribute[a + 1] += by_attribute[a];
    for (size_t e = 0; e < entries; e++) order[by_attribute[su_key_at(to->key[e / length], (uint32_t)(e % length))]++] = e;
    size_t *at = su_alloc_array(from->n + 1, sizeof *at);
    memcpy(at, from->first, from->n * sizeof *at);
    for (size_t i = 0; i < entries; i++) {
        size_t e = order[i], where = at[parent[e]]++;
        from->attribute[where] = (uint16_t)su_key_at(to->key[e / length], (uint32_t)(e % length));
        from->child[where] = (uint32_t)(e / length);
    }
    g->length = length;
    free(at);
    free(order);
    free(by_attribute);
    free(parent);
}

uint32_t su_tuple_child(const su_tuple_level *l, uint32_t index, uint32_t attribute)
{
    size_t low = l->first[index], high = l->first[index + 1];
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (l->attribute[middle] < attribute)
            low = middle + 1;
        else
            high = middle;
    }
    return low < l->first[index + 1] && l->attribute[low] == attribute ? l->child[low] : SU_TUPLE_NONE;
}

/* Tuples of the same columns stay in the order of their keys. */
void su_tuple_print_order(const su_universe *u, const su_tuple_level *l, uint32_t *order)
{
    for (size_t i = 0; i < l->n; i++) order[i] = (uint32_t)i;
    sort_positions(l, u->column, u->column_count, order);
}
