/* tuples: attributes numbered over the public domain, combinations packed into 64 bits, and the graph of combinations that the
 * synthesisers walk: from a combination to every reported one with one attribute more, without hashing. */
#ifndef SU_PROTECT_TUPLES_H
#define SU_PROTECT_TUPLES_H

#include <suha/protect.h>

#define SU_TUPLE_MAX 4u
#define SU_TUPLE_NONE UINT32_MAX
#define SU_ATTRIBUTES_MAX 65535u /* numbers from 1 must fit 16 bits */

/* Attributes of all columns, ascending by column, then value. */
typedef struct su_universe {
    uint32_t column_count, attribute_count;
    uint32_t *first;  /* [column_count + 1] first attribute of each column */
    uint32_t *column; /* [attribute_count] */
} su_universe;

void su_universe_init(su_universe *u, const su_matrix_column *columns, uint32_t column_count); /* at most SU_ATTRIBUTES_MAX attributes */
void su_universe_free(su_universe *u);
static inline su_attribute su_universe_attribute(const su_universe *u, uint32_t id)
{
    return (su_attribute) { (uint16_t)u->column[id], (uint16_t)(id - u->first[u->column[id]] + 1) };
}

/* Records as ascending lists of attributes: record i has items[first[i]] .. items[first[i + 1] - 1]. Case data: freed wiped. */
typedef struct su_row_lists {
    uint64_t row_count;
    uint64_t *first;
    uint16_t *items;
} su_row_lists;

/* Attributes with keep[id] false are left out; keep NULL keeps all. SU_INTERNAL for a code outside its column. O(rows * columns). */
su_status su_row_lists_init(su_context *ctx, su_row_lists *l, const su_code_matrix *m, const su_universe *u,
                            const bool *keep) SU_MUST_CHECK;
void su_row_lists_free(su_row_lists *l);

/* A key: attribute number + 1 in 16 bits each, the first attribute in the highest ones, so that keys of one length sort as tuples do. */
static inline uint64_t su_key_with(uint64_t key, uint32_t position, uint32_t id)
{
    return key | (uint64_t)(id + 1) << (48 - 16 * position);
}
static inline uint32_t su_key_at(uint64_t key, uint32_t position) { return (uint32_t)(key >> (48 - 16 * position) & 0xFFFF) - 1; }
/* The key without one position: one attribute shorter. */
uint64_t su_key_without(uint64_t key, uint32_t length, uint32_t position);

/* Combinations of one length, ascending by key. At length 1 the index is the attribute's number and all attributes are there (count 0: not
 * reported). */
typedef struct su_tuple_level {
    uint32_t length;
    size_t n, capacity, count_capacity;
    uint64_t *key;
    uint32_t *count;
    /* Tuples that begin with tuple i of the level below: group[i] .. group[i + 1] - 1, ascending by their last attribute. */
    uint32_t *group;
    uint16_t *last;
    /* Extensions of tuple i: entries first[i] .. first[i + 1] - 1, ascending by attribute; child is an index into the next level. */
    size_t *first;
    uint16_t *attribute;
    uint32_t *child;
} su_tuple_level;

typedef struct su_tuple_graph {
    const su_universe *universe;
    uint32_t length; /* levels 1..length */
    su_tuple_level level[SU_TUPLE_MAX + 1];
} su_tuple_graph;

void su_tuple_graph_init(su_tuple_graph *g, const su_universe *u);
void su_tuple_graph_free(su_tuple_graph *g); /* wipes */
void su_tuple_level_free(su_tuple_level *l);
void su_tuple_add(su_tuple_level *l, uint64_t key, uint32_t count);
void su_tuple_sort(const su_universe *u, su_tuple_level *l); /* by key; for levels not filled in order */
/* Builds the groups of a sorted level >= 2 whose tuples all begin with one of the level below; again after the level changed. O(n). */
void su_tuple_index(su_tuple_graph *g, su_tuple_level *l);
/* Index of the tuple that begins with tuple `prefix` of the level below and ends with `attribute`, or SU_TUPLE_NONE. O(log group). */
static inline uint32_t su_tuple_step(const su_tuple_level *l, uint32_t prefix, uint32_t attribute)
{
    uint32_t low = l->group[prefix], n = l->group[prefix + 1] - low;
    if (!n) return SU_TUPLE_NONE;
    const uint16_t *at = l->last + low;
    while (n > 1) {
        uint32_t half = n / 2;
        at += at[half] <= attribute ? half : 0;
        n -= half;
    }
    return *at == attribute ? (uint32_t)(at - l->last) : SU_TUPLE_NONE;
}
/* Index of a key of `length` attributes in its level. O(length log group). */
uint32_t su_tuple_find(const su_tuple_graph *g, uint64_t key, uint32_t length);
/* Builds the extensions of level length - 1 from the indexed level `length`: every tuple without one attribute must be there. O(n * length)
 * look-ups. Call for 2, 3, ... in turn; sets g->length. */
void su_tuple_graph_link(su_tuple_graph *g, uint32_t length);
/* Index of the extension of tuple `index` by an attribute, or SU_TUPLE_NONE. O(log extensions). */
uint32_t su_tuple_child(const su_tuple_level *l, uint32_t index, uint32_t attribute);

/* Order of the tuples of a level by columns, then values: the print order of aggregates. order has l->n elements; keys must ascend. */
void su_tuple_print_order(const su_universe *u, const su_tuple_level *l, uint32_t *order);

#endif
