/* suggest: the draft of a mapping in the making, shared by suggest.c (one column, one field), suggest_choices.c (one column, a group of
 * flags), suggest_flags.c (a column of 0 and 1, a flag) and suggest_roles.c (numbers of people, record numbers). */
#ifndef SUHA_HARMONISE_SUGGEST_H
#define SUHA_HARMONISE_SUGGEST_H

#include "profile.h"

#define PLURAL(n) ((n) == 1 ? "" : "s")

typedef struct candidate {
    double score, name, content;
    int rule;
    bool by_word; /* a flag, by a word of the column's name */
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

/* Separators as a split row writes them: a blank is spelled out, for nobody sees it in a spreadsheet. */
su_str separator_cell(const char *separators);
void draft_row(draft *d, uint32_t column, su_str value, const char *target, const char *target_value, const char *rule,
               const char *coverage, const char *note);
/* A column whose values name the flags of one group ("Construction", "Domestic work"; also several, joined): one or row per value. False,
 * and nothing written, if it is no such column. */
bool draft_choices(draft *d, uint32_t column);
/* A column that counts people or names records: weight or record. False, and nothing written, if it does neither. */
bool draft_role(draft *d, uint32_t column);
/* Names, contacts, free text: values of such a column are never written into the draft. */
bool is_personal(const column_profile *p);
/* 0..1: a column of 0 and 1 against a flag, by their words; 0 where no telling word is common to both. */
double flag_score(draft *d, const column_profile *p, uint32_t field);
/* Words of a field's name (part -1) or title in a language that not every other field of its group has in the same place: what tells it
 * from the others. */
token_list own_words(draft *d, uint32_t field, int part);

#endif
