/* view: what a release page shows, taken from a bundle's own public files: datapackage.json, data/aggregates.csv, protection/report.json,
 * codelists. Untrusted input: sizes are bounded, wrong shapes are refused with the file and the reason, and every text is escaped when it
 * is printed. */
#ifndef SU_PORTAL_VIEW_H
#define SU_PORTAL_VIEW_H

#include "i18n.h"

#define SU_VIEW_MAX_FIELDS 1000u
#define SU_VIEW_MAX_CODES 65000u
#define SU_VIEW_MAX_LENGTH 8u     /* columns of one table, attributes of one released count */
#define SU_VIEW_MAX_TABLES 200000u

typedef enum su_view_kind { SU_VIEW_CODE, SU_VIEW_SET, SU_VIEW_FLAG, SU_VIEW_YEAR, SU_VIEW_OTHER } su_view_kind;

/* low, high: NaN when not given. */
typedef struct su_view_count {
    uint64_t count;
    double low, high;
} su_view_count;
typedef struct su_view_value {
    const char *code, *label;
    const char *labels[SU_LOCALES]; /* never NULL: English, then the code, where a language has none */
    bool published;
    su_view_count n;
} su_view_value;

typedef struct su_view_field {
    const char *name, *title, *description;
    const char *titles[SU_LOCALES]; /* never NULL: `title` where a language has none */
    su_view_kind kind;
    bool provided;
    bool personal; /* what others may know of a person (role quasi-identifier): says who and where */
    char separator;      /* code-set: between the members of a cell */
    const char *missing; /* what a cell without a value holds, besides nothing */
    int group; /* index into groups, -1 = none */
    su_view_value *values;
    size_t value_count; /* the whole public list, in its order */
    size_t published;   /* values with a published count */
    su_dict *codes;     /* code -> index of values */
    const char *list;   /* path of its codelist, NULL = none */
} su_view_field;

typedef struct su_view_group {
    const char *name, *title;
    const char *titles[SU_LOCALES]; /* never NULL: `title` where a language has none */
    uint64_t answered;
} su_view_group;
/* A table that protection measured, or left out because of its size: columns as indices into fields, ascending. */
typedef struct su_view_table {
    uint32_t field[SU_VIEW_MAX_LENGTH];
    uint32_t length;
} su_view_table;
typedef struct su_view_words {
    const char **text;
    size_t count;
} su_view_words;
typedef struct su_view_level {
    uint32_t length;
    uint64_t published, gated, below_k;
} su_view_level;

typedef struct su_view {
    su_arena arena;
    const char *name, *title, *description, *version, *created, *publisher, *licence, *licence_url;
    const char *schema;     /* name of its instrument; NULL = not stated */
    const char *supersedes; /* name of the release that this one replaces, with "@version" if the publisher gave one; NULL = none */
    const char *stamp;      /* NULL when the guarantee holds */
    const char *unit;       /* what the promise is for, in the report's words, where it is not one record; NULL = one record */
    su_view_words warning, promise, limits, absent;
    bool bounded, intervals; /* differential privacy; counts with intervals */
    double epsilon, delta, rho, odds, population_epsilon, population_delta;
    double estimated, estimated_low, estimated_high;
    uint64_t synthetic, k, releases_before, tables;
    uint32_t length; /* attributes of a released count at most, 1 to SU_VIEW_MAX_LENGTH */
    su_view_table *measured, *left_out;
    size_t measured_count, left_out_count; /* measured_count 0: the mechanism names no tables */
    su_view_field *fields;
    size_t field_count;
    su_view_group *groups;
    size_t group_count;
    su_view_level *levels;
    size_t level_count;
} su_view;

/* Gives the bytes of a file of the bundle; false if there is none. Borrows. */
typedef bool (*su_view_file)(void *arg, const char *path, su_str *bytes);

su_status su_view_read(su_context *ctx, const char *source, su_view_file file, void *arg, su_view **out) SU_MUST_CHECK;
void su_view_free(su_view *v);

#endif
