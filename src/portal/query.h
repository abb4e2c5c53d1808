/* query: one release, indexed, and the one function that counts in it. Pages and API call su_cube_tabulate; nobody else makes numbers.
 *
 * Where a number comes from. A cell is a set of attributes (column = code): those of `by`, of `where` and of `group` together.
 *   - At most R attributes (R: the release's length) of columns that were counted together: data/aggregates.csv, with the interval that was
 *     released. Several codes of one single-valued column are added up: counts by sum, interval ends by sum, which is wide enough however
 *     the errors hang together. If a part of such a sum was not released, the sum is a lower bound: its upper end is not known.
 *   - Otherwise: counted in the synthetic records. No interval is given, because none was released for such a number: noise, selection and
 *     the fit of the records all add error, and the bundle does not say how much.
 *   - At most R attributes, counted together, and not in the file: suppressed. Its number is not known and may be zero or not.
 * Percentages. With `group` the CTDC rule: 100 * count / records with at least one yes in the group. Otherwise 100 * count / records with a
 * value in every column of `by` (a flag that can only be yes: records with a yes in its group; without a group, all records). Denominators
 * are counted in the synthetic records; the interval of a percentage is that of its count and leaves the denominator's error out.
 *
 * A cube is immutable: any number of threads may ask it. */
#ifndef SU_PORTAL_QUERY_H
#define SU_PORTAL_QUERY_H

#include "i18n.h"
#include "view.h"

#define SU_QUERY_MAX_BY 3u
#define SU_QUERY_MAX_WHERE 16u
#define SU_QUERY_MAX_CODES 512u    /* codes in all filters together */
#define SU_QUERY_MAX_CELLS 100000u /* product of the lists of by and group */
#define SU_QUERY_MAX_LISTED 20000u /* cells in one answer */
#define SU_QUERY_FULL 4000u        /* up to here cells without a number are listed too; above they are only counted */
#define SU_QUERY_NO_GROUP (-1)

typedef struct su_cube su_cube;

/* SU_INPUT: data/microdata.csv or data/aggregates.csv does not fit datapackage.json (message: file, line, what). Borrows `view` and
 * `file`'s bytes for the call only; `view` must outlive the cube. Memory: aggregates about 40 bytes each, records 2 bytes per column and
 * n/8 per code of a short list. */
su_status su_cube_new(su_context *ctx, const su_view *view, su_view_file file, void *arg, su_cube **out) SU_MUST_CHECK;
void su_cube_free(su_cube *c);

/* ---- asking ------------------------------------------------------------------------------------------------------------------------- */

typedef struct su_filter {
    uint32_t field;       /* index into view->fields */
    const uint32_t *code; /* indices into the field's values, ascending, without repetition */
    size_t count;         /* any of them; at least 1 */
} su_filter;
typedef struct su_ask {
    uint32_t by[SU_QUERY_MAX_BY];
    size_t by_count;
    su_filter where[SU_QUERY_MAX_WHERE]; /* all of them */
    size_t where_count;
    int group; /* index into view->groups: its flags are one more dimension, the last one; SU_QUERY_NO_GROUP */
} su_ask;

/* What is wrong with a question, for a person: RFC 9457. */
typedef struct su_problem {
    unsigned status;       /* 0 = nothing */
    const char *type;      /* "unknown-column": word of the address /api#unknown-column */
    const char *parameter; /* by, where, group, attr, format, lang ...; NULL when it is no parameter's fault */
    char detail[400];      /* one sentence, valid UTF-8 */
} su_problem;
void su_problem_set(su_problem *p, unsigned status, const char *type, const char *parameter, const char *fmt, ...) SU_PRINTF(5, 6);
/* How many bytes of a visitor's word (UTF-8) an error repeats: for "%.*s". */
int su_shown_bytes(const char *word);

/* The parameters of an address, decoded (RFC 3986 percent-encoding, '+' is a blank). Lives in `arena`. */
typedef struct su_args {
    struct su_arg {
        const char *name, *value;
    } * list;
    size_t count;
} su_args;
/* `query` raw, without '?'; NULL = none. At most 4,096 bytes and 64 parameters. False with problem set: bad escape, NUL, not UTF-8. */
bool su_args_parse(const char *query, su_arena *arena, su_args *out, su_problem *problem);
const char *su_args_get(const su_args *args, const char *name); /* first value, NULL when absent */

/* by=a,b  where=column:code[|code...] (repeated: and)  group=name. In a where value `\` keeps the next of `\ : |` as it is. Other
 * parameters are not looked at. False with problem set: unknown column, code or group; a column named twice; too many. */
bool su_ask_parse(const su_cube *cube, const su_args *args, su_arena *arena, su_ask *out, su_problem *problem);
/* attr=column:code, repeated: a set of attributes as filters of one code each; by and group empty. At least 1, at most 16. */
bool su_ask_parse_set(const su_cube *cube, const su_args *args, su_arena *arena, su_ask *out, su_problem *problem);
/* The field of that name; -1 = none. Only columns that have values in this release. */
int su_cube_field(const su_cube *cube, const char *name);
int su_cube_code(const su_cube *cube, uint32_t field, su_str code); /* -1 = none */
/* Synthetic records that hold this code; NaN when the column has no values. */
double su_cube_value_records(const su_cube *cube, uint32_t field, uint32_t value);

/* ---- answers ------------------------------------------------------------------------------------------------------------------------ */

typedef enum su_cell_state {
    SU_CELL_OK,         /* released count */
    SU_CELL_UNCERTAIN,  /* released, but the interval's half-width is above half of the count, or its upper end is not known */
    SU_CELL_SUPPRESSED, /* not released: no number, never 0 */
    SU_CELL_ABSENT,     /* no synthetic record has it: no number; the case records may hold some */
    SU_CELL_ESTIMATED   /* counted in the synthetic records: a number without an interval */
} su_cell_state;
typedef enum su_cell_source { SU_SOURCE_AGGREGATES, SU_SOURCE_RECORDS, SU_SOURCE_MIXED } su_cell_source;
/* Why a cell is as it is. Words: su_reason_text, an English message of web/po. */
typedef enum su_reason {
    SU_REASON_NONE,
    SU_REASON_GATE,      /* did not stand out from the noise */
    SU_REASON_K,         /* fewer than K */
    SU_REASON_GATE_OR_K, /* one of the two */
    SU_REASON_WIDE,      /* uncertain: the interval is wide */
    SU_REASON_PARTS,     /* uncertain: a part of the sum was not released */
    SU_REASON_LENGTH,    /* estimated: more attributes than were counted together */
    SU_REASON_TABLE,     /* estimated: these columns were not counted together */
    SU_REASON_OVERLAP,   /* estimated: any-of in a column whose records hold several codes */
    SU_REASON_PRODUCT,   /* estimated: too many sums */
    SU_REASON_NO_RECORD, /* absent */
    SU_REASON_ANSWERS,   /* estimated: a denominator, how many records have an answer */
    SU_REASONS
} su_reason;
const char *su_reason_text(su_reason r); /* one sentence; NULL for NONE */
const char *
su_reason_key(su_reason r); /* gate, k, gate-or-k, wide, parts, length, table, overlap, product, no-record, answers; NULL for NONE */
const char *su_state_key(su_cell_state s);
const char *su_source_key(su_cell_source s);

typedef struct su_figure {
    su_cell_state state;
    su_cell_source source;
    su_reason reason;
    bool known;       /* count holds a number; false for suppressed and absent */
    double count;     /* whole */
    double low, high; /* NaN: no interval; high alone NaN: upper end not known */
} su_figure;

typedef struct su_cell {
    uint32_t at[SU_QUERY_MAX_BY + 1]; /* per dimension an index into its values (by) or members (group) */
    su_figure n;
    double percent, percent_low, percent_high; /* NaN: none */
} su_cell;

typedef struct su_dimension {
    int field;             /* index into view->fields; -1: the group */
    const uint32_t *value; /* per member: index into the field's values; for the group: index into view->fields (a flag) */
    size_t count;
} su_dimension;

typedef struct su_tabulation {
    su_dimension dimension[SU_QUERY_MAX_BY + 1];
    size_t dimensions;
    su_cell *cells; /* `at` are indices into dimension[].value; ordered by the first dimension, then the next */
    size_t cell_count;
    size_t not_listed; /* cells without a number that are left out because the table is large (above SU_QUERY_FULL) */
    su_reason not_listed_reason;
    su_cell_source source; /* of the cells; of the total when there is no dimension */
    su_reason source_reason;
    su_figure total;       /* people who match `where` */
    su_figure denominator; /* of all percentages without `by`; with `by` and group: of the whole */
    /* With by and group: one denominator per combination of by (count = product of by's members), same order as the cells. NULL otherwise.
     */
    const double *denominators;
    size_t denominator_count;
} su_tabulation;

/* Answers from `arena`. False with problem set: more than SU_QUERY_MAX_CELLS cells or SU_QUERY_MAX_LISTED to list (413 is not used: 400
 * with parameter by). Time: aggregates O(cells * sums), records O(records * (where + 1) / 64 + min(records, cells * records / 64)). */
bool su_cube_tabulate(const su_cube *cube, const su_ask *ask, su_arena *arena, su_tabulation *out, su_problem *problem);

typedef struct su_neighbour {
    uint32_t field, value;
    su_figure n;    /* people with the whole set and this attribute */
    double percent; /* of the set's count; NaN: none */
} su_neighbour;
typedef struct su_company {
    su_figure set;
    su_neighbour *with; /* largest first; only what has a number */
    size_t count;
    size_t hidden; /* attributes that have no number together with the set */
    su_cell_source source;
    su_reason source_reason;
} su_company;
/* Of ask only `where` counts, one code each (su_ask_parse_set). From aggregates while the set plus one has at most R attributes. At most
 * `most` neighbours. */
void su_cube_combinations(const su_cube *cube, const su_ask *ask, size_t most, su_arena *arena, su_company *out);

#endif
