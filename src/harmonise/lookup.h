/* lookup: what one source cell means in one target field. Works on distinct values, never on rows. */
#ifndef SUHA_HARMONISE_LOOKUP_H
#define SUHA_HARMONISE_LOOKUP_H

#include <regex.h>

#include <suha/table.h>

#include "dates.h"

typedef struct lookup {
    const su_field *field;
    const su_codelist *flags; /* the vocabulary of yes and no, NULL if the schema came without one */
    su_str *missing;          /* folded field->missing[i].value */
    bool has_pattern;
    regex_t pattern;
    su_arena arena;
} lookup;

typedef enum looked { LOOKED_NOTHING, LOOKED_VALUE, LOOKED_REASON } looked;

/* A source value trimmed, folded (callers keep that, so that it is made once), and as it stands: exact codelists look at nothing else. */
typedef struct cell_text {
    su_str text, key, raw;
} cell_text;

void lookup_init(lookup *l, const su_schema *schema, const su_field *field);
void lookup_free(lookup *l);

/* The reason the cell stands for in this field's missingValues. -99.0 is -99. */
looked lookup_missing(const lookup *l, cell_text cell, su_cell *out);
/* Coded fields: missingValues, then the codelist, then 2002.0 as 2002, then, for flags, the words for no: the negative code, or the reason
 * `negative` where the codelist has none. */
looked lookup_code(const lookup *l, cell_text cell, su_cell *out);
/* As lookup_code, but numbers go to the band that holds them (12.7 or 12,7 years are 12 completed years). */
looked lookup_band(const lookup *l, cell_text cell, su_cell *out);
/* As lookup_code, but dates, quarters and months go to their year. */
looked lookup_year(const lookup *l, cell_text cell, date_order order, su_cell *out);
/* Yes (LOOKED_VALUE, *out 1), no (LOOKED_REASON, SU_CELL_NEGATIVE) or a reason, in the vocabulary of flags: for members of a code set. */
looked lookup_yes(const lookup *l, cell_text cell, su_cell *out);
/* Integer, date and text fields: the canonical text, appended to `canonical`. */
looked lookup_text(const lookup *l, cell_text cell, date_order order, su_buf *canonical, su_cell *reason);

/* True for the types whose cells are texts: integer, date, text. */
bool type_is_text(su_type t);

#endif
