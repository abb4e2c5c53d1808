/* suggest: the draft of a mapping in the making, shared by suggest.c (one column, one field) and suggest_choices.c (one column, a group of
 * flags). */
#ifndef SUHA_HARMONISE_SUGGEST_H
#define SUHA_HARMONISE_SUGGEST_H

#include "profile.h"

#define PLURAL(n) ((n) == 1 ? "" : "s")

typedef struct candidate {
    double score, name, content;
    int rule;
} candidate;

typedef struct draft {
    const su_schema *schema;
    su_arena *arena;
    su_buf *csv;
    uint32_t columns;
    column_profile *profiles;
    candidate *scores;         /* columns x fields */
    int *field_of, *column_of; /* the assignment, -1 = none */
    bool has_record, has_weight;
} draft;

void draft_row(draft *d, uint32_t column, su_str value, const char *target, const char *target_value, const char *rule,
               const char *coverage, const char *note);
/* A column whose values name the flags of one group ("Construction", "Domestic work"; also several, joined): one or row per value. False,
 * and nothing written, if it is no such column. */
bool draft_choices(draft *d, uint32_t column);

#endif
