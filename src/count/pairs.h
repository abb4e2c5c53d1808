/* pairs: the two innermost levels of the search: all pairs of attributes in a group of row tails. */
#ifndef SU_COUNT_PAIRS_H
#define SU_COUNT_PAIRS_H

#include "lists.h"

/* A group: the tails of some rows. at[i] is a place in items: the attributes from there to LIST_END are still to be chosen from. */
typedef struct group {
    uint32_t parent;        /* index of the group this one was split from */
    attribute_id attribute; /* the attribute all its rows share, chosen last */
    uint32_t n;
    const uint32_t *at;
} group;

typedef struct pair_count {
    uint32_t group;
    attribute_id first, second;
    uint32_t count;
} pair_count;

typedef struct pair_list {
    pair_count *p;
    size_t n, capacity;
} pair_list;

typedef struct split_run {
    attribute_id attribute;
    uint32_t start, n;
} split_run;

/* Tails of a group after each attribute it holds: run k owns places[start .. start + n). */
typedef struct split {
    split_run *runs;
    size_t run_count, run_capacity;
    uint32_t *places;
    size_t place_count, place_capacity;
} split;

/* Working memory of one worker. */
typedef struct pair_counter {
    const lists *l;
    uint64_t min_count;
    uint32_t *cells;    /* matrix of attribute_count squared, all zero between calls; NULL if too wide */
    uint32_t *single;   /* [attribute_count], all zero between calls */
    uint8_t *seen;      /* [attribute_count rounded up to 8], all zero between calls */
    attribute_id *list; /* [attribute_count] */
    split fallback;
} pair_counter;

void pair_counter_init(pair_counter *c, const lists *l, uint64_t min_count);
void pair_counter_free(pair_counter *c);

/* Appends to `out` every pair that at least min_count tails of g hold, ascending by first, then second attribute; out NULL counts only.
 * Returns their number. */
uint64_t pairs_count(pair_counter *c, const group *g, uint32_t group_index, pair_list *out);

/* Appends to s the tails of g after each attribute, ascending by attribute; tails with fewer than `rest` attributes left are dropped,
 * then attributes with fewer than min_count tails. */
void split_group(pair_counter *c, const group *g, uint32_t rest, split *s);
/* The same for all rows, what s holds before being forgotten: everyone.c. */
void split_everyone(su_context *ctx, const lists *l, uint64_t min_count, uint32_t rest, split *s);
void split_free(split *s);

#endif
