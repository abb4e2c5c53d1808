/* target: whom the attackers look for, and what they ask the releases. */
#ifndef SU_PROTECT_TARGET_H
#define SU_PROTECT_TARGET_H

#include <suha/attack.h>

enum { SU_QUERIES = 32, SU_MOST_TARGETS = 50 };

typedef struct su_query {
    uint32_t length;
    su_attribute at[SU_MAX_LENGTH]; /* of counts: attributes, columns ascending */
    uint64_t columns;               /* of matches: columns (of the first 64) where a record must have the target's code, absent included */
} su_query;

typedef struct su_target {
    uint64_t row;
    const uint16_t *codes;      /* the whole record */
    su_query match[SU_QUERIES]; /* the first asks for the whole record */
    su_query count[SU_QUERIES]; /* combinations of the target: half of them its rarest in the data, the rest drawn from the others */
    size_t count_queries;
} su_target;

/* The `wanted` records with the largest sum of 1 / count over their attributes and pairs of attributes; ties to the earlier row. Queries of
 * matches are random subsets of the columns, half of them of at most three. Fills `targets`; memory is the arena's. */
void su_targets_choose(su_arena *arena, const su_code_matrix *m, uint32_t wanted, uint32_t length, su_random *random, su_target *targets);

#endif
