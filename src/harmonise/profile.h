/* profile: what a raw column looks like, and how near its name and content come to a field. Everything that su_mapping_suggest guesses
 * from. */
#ifndef SUHA_HARMONISE_PROFILE_H
#define SUHA_HARMONISE_PROFILE_H

#include "lookup.h"

#define MAX_TOKENS 16u
#define MAX_PROFILED 2000u /* distinct values looked at */

typedef struct token_list {
    su_str at[MAX_TOKENS];
    uint32_t count;
} token_list;

typedef struct profiled_value {
    cell_text cell;
    uint64_t rows;
} profiled_value;

typedef struct column_profile {
    const su_raw_column *column;
    token_list tokens, last_tokens;
    su_str key, last_key; /* folded name; its part behind the last / ("" if it has none): "victim/sex" */
    uint64_t rows;        /* of the table */
    profiled_value *values;
    uint32_t value_count;      /* non-empty distinct values, the first MAX_PROFILED */
    uint32_t distinct;         /* all of them */
    uint64_t filled;           /* rows with a value */
    bool unique;               /* every filled row has a value of its own, and there are many */
    bool numbers;              /* nine of ten rows with a value hold a number */
    bool integers;             /* every value is an integer, 2002.0 included */
    bool mostly_integers;      /* more than half of the rows with a value hold an integer */
    bool binary;               /* every value is 0, 1 or a negative number (-99), and some is 1 */
    int64_t smallest, largest; /* integers; numbers such as 999 stand for something else and do not count */
    bool long_text;            /* sentences rather than values */
    char separators[8];        /* cells hold several values cut by these characters; "" if they do not */
    date_order order;
} column_profile;

void profile_column(column_profile *p, su_arena *arena, const su_raw_column *column, uint64_t rows);

/* Words of a name: cut at blanks, punctuation, camelCase and digits; folded; articles left out. */
token_list tokens_of(su_arena *arena, su_str name);
/* 1 the same, 0.85 one stem or one letter off, else 0. */
double word_similarity(su_str a, su_str b);
/* 99 is an age; 999 and 9999 are codes for "unknown". */
bool is_sentinel(int64_t n);
/* 0..1: how much two lists say the same; words with a common stem count nearly in full. */
double tokens_similarity(const token_list *a, const token_list *b);

/* Blanks, commas and the like at which multiple choices are cut, in the order in which they are tried. */
#define SEPARATORS ";|,&"
/* Takes the next member off `rest`, cut at the profile's separators; trimmed, may be empty. */
su_str next_member(const column_profile *p, su_str *rest);

/* 0..1: the name of a column, or its last part, against the names, aliases and titles (four languages) of a field. 1 = the same after
 * folding. */
double name_score(su_arena *arena, const column_profile *p, const su_field *f);
/* 0..1: share of the column's rows whose value the field would take; *rule is the rule that takes them: rename, band or year (as in
 * mapping.h). `named`: the column's name says that it is this field, so that small numbers may be ages too. */
double content_score(const column_profile *p, const su_schema *schema, const su_field *f, bool named, int *rule);
/* Code sets: the separators that let the field take most, "" when cells hold one member each; those of the field go before others. */
const char *best_separators(const column_profile *p, const su_schema *schema, const su_field *f, double *share);
/* A value with the column's common first word taken off: "Age 30-38" in a column where every value begins with "Age". */
su_str without_common_word(const column_profile *p, su_str text);

#endif
