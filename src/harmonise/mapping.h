/* mapping: the checked form of a mapping file. Rows as written, and the plan made of them: which source columns fill each field, and
 * how. */
#ifndef SUHA_HARMONISE_MAPPING_H
#define SUHA_HARMONISE_MAPPING_H

#include <suha/harmonise.h>

/* clang-format off */
#define MAPPING_RULES(X)                                     \
    X(RULE_RENAME, "rename")                                 \
    X(RULE_VALUE, "value")                                   \
    X(RULE_OR, "or")                                         \
    X(RULE_COALESCE, "coalesce")                             \
    X(RULE_BAND, "band")                                     \
    X(RULE_YEAR, "year")                                     \
    X(RULE_SPLIT, "split")                                   \
    X(RULE_CONSTANT, "constant")                             \
    X(RULE_DROP, "drop")                                     \
    X(RULE_WEIGHT, "weight")                                 \
    X(RULE_RECORD, "record")                                 \
    X(RULE_MARGIN, "margin")
#define MAPPING_COVERAGES(X) X(COVERAGE_EXACT, "exact") X(COVERAGE_PARTIAL, "partial") X(COVERAGE_NONE, "none")
#define MAPPING_COLUMNS(X)                                   \
    X(MAP_SOURCE_COLUMN, "source_column")                    \
    X(MAP_SOURCE_VALUE, "source_value")                      \
    X(MAP_TARGET_COLUMN, "target_column")                    \
    X(MAP_TARGET_VALUE, "target_value")                      \
    X(MAP_RULE, "rule")                                      \
    X(MAP_COVERAGE, "coverage")                              \
    X(MAP_NOTE, "note")
/* clang-format on */

#define ENUM_ITEM(id, text) id,
typedef enum map_rule { MAPPING_RULES(ENUM_ITEM) RULE_COUNT, RULE_NONE = RULE_COUNT } map_rule;
typedef enum map_coverage { MAPPING_COVERAGES(ENUM_ITEM) COVERAGE_COUNT } map_coverage;
typedef enum map_column { MAPPING_COLUMNS(ENUM_ITEM) MAP_COLUMN_COUNT } map_column;
#undef ENUM_ITEM

#define MAX_SOURCES 20000u

typedef struct map_row {
    map_rule rule;
    map_coverage coverage;
    uint32_t line;
    uint32_t source; /* index into sources; UINT32_MAX for a constant */
    int field;       /* target field, -1 if none */
    su_str value;    /* source_value as written, trimmed */
    su_str key;      /* the same folded; for a source of the mapping itself: the folded code it names */
    bool wildcard;   /* value row with source_value * */
    su_cell cell;    /* coded targets: value number or reason that the row states */
    su_str text;     /* integer, date and text targets: canonical text, empty = none */
    uint32_t next;   /* next row of the same pair and key (code sets only), UINT32_MAX = none */
} map_row;

/* A source column, in order of first mention. */
typedef struct map_source {
    su_str name;           /* without the @ */
    bool respelled;        /* rows spell it in several ways (case, blanks, dashes) */
    int chained;           /* field of the mapping's own that it reads (@name), or -1 */
    su_str separators;     /* not empty: cells hold several values */
    uint32_t split_line;   /* of the split row, 0 if it comes from the field's own separator */
    uint32_t drop_line;    /* of the row that drops the whole column, 0 if none */
    su_dict *dropped;      /* folded values that go nowhere on purpose; NULL if there are none */
    uint32_t use_line;     /* of the first row that uses it, 0 if none */
    map_coverage coverage; /* weakest over its rows */
} map_source;

/* One source column for one field. */
typedef struct map_pair {
    uint32_t source;
    int field;
    map_rule base;                /* RULE_RENAME, _BAND, _YEAR, _COALESCE, _OR (a plain yes), or RULE_NONE: listed values only */
    uint32_t base_row, first_row; /* indices into rows */
    uint32_t *rows;               /* value rows and or rows with a source_value */
    size_t row_count, row_capacity;
    su_dict *keys;     /* folded source values of rows */
    uint32_t *key_row; /* first row per key */
    size_t key_capacity;
    uint32_t wildcard; /* the * row, UINT32_MAX = none */
    bool has_or;
} map_pair;

typedef enum map_mode { MODE_NONE, MODE_ONE, MODE_OR, MODE_COALESCE, MODE_CONSTANT } map_mode;

typedef struct map_target {
    map_mode mode;
    uint32_t *pairs; /* in row order */
    size_t pair_count, pair_capacity;
    bool known_negative;
    uint32_t constant; /* row of the constant */
} map_target;

struct su_mapping {
    const su_schema *schema; /* borrowed */
    const char *name;
    su_arena arena;
    map_row *rows;
    size_t row_count;
    map_source *sources;
    size_t source_count, source_capacity;
    map_pair *pairs;
    size_t pair_count, pair_capacity;
    map_target *targets; /* one per field of the schema */
    uint32_t *order;
    uint32_t order_count; /* filled fields, those that others read before their readers */
    int record, weight;   /* index into sources, -1 if none */
    su_sha256 fingerprint;
};

/* A drop row names this folded value of the source. */
bool map_is_dropped(const map_source *s, su_str key);
const char *map_rule_name(map_rule r);
const char *map_coverage_name(map_coverage c);

/* The plan from the rows (mapping_plan.c): pairs, modes, splits, order; refuses two rules for one cell, cycles, unfilled required
 * fields. */
su_status mapping_plan(su_context *ctx, su_mapping *m) SU_MUST_CHECK;
/* SU_INPUT with "<mapping>, line n, column k (name): ..." before the text. */
su_status mapping_fail(su_context *ctx, const su_mapping *m, uint32_t line, map_column column, const char *fmt, ...) SU_PRINTF(5, 6);

#endif
