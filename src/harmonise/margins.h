/* margins: rows that are totals of other rows. Published tables mix them in; adding everything up counts people several times. */
#ifndef SUHA_HARMONISE_MARGINS_H
#define SUHA_HARMONISE_MARGINS_H

#include "mapping.h"

typedef struct margin_value {
    uint32_t column, value; /* raw column and the id of the value in it */
    bool declared;          /* by a margin row of the mapping */
    uint64_t rows, people;  /* people: sum of weights, or rows where the mapping names no weight */
} margin_value;

typedef struct margins {
    margin_value *values;
    size_t count, capacity;
    size_t undeclared;     /* how many of them no margin row of the mapping declares */
    uint64_t rows, people; /* rows with at least one such value */
    uint64_t all_rows, all_people;
    bool weighted;
} margins;

/* True for Total, all, tous, todos, الإجمالي, ...; loosely also for "Police total". Takes a folded text. */
bool margin_is_word(su_str key, bool loosely);
/* Marks the rows (state[r] = mark); rows whose state is not 0 are passed over. `columns` is the raw column per mapping source (-1: none);
 * `weight_of` the weight per distinct value of the weight column, negative where it is none, NULL without a weight. A value that the
 * mapping or a codelist knows is no margin, whatever it is called. */
void margins_find(const su_raw_table *raw, const su_mapping *m, const int *columns, const int64_t *weight_of, uint8_t *state, uint8_t mark,
                  margins *out);
/* What was found, for a person: which column, value, rows, people, and how far off a plain sum would be. "" if nothing. */
void margins_describe(const margins *found, const su_raw_table *raw, su_buf *out);
void margins_free(margins *found);

#endif
