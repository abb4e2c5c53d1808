/* harmonise: an organisation's raw table and a mapping become a case table and a report. No I/O: resources come through a callback. */
#ifndef SUHA_HARMONISE_H
#define SUHA_HARMONISE_H

#include <suha/table.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Gives the bytes of an instrument's file ("ctdc-2024/schema.json", "codelists/iso-3166-1.csv"); false if there is none. Borrows. */
typedef bool (*su_resource_fn)(void *arg, const char *path, su_str *bytes);

/* Reads <name>/schema.json and the codelists it names (its own folder first, then codelists/). docs/formats.md. Returns owned:
 * su_schema_free. A schema with flags also gets the list `flag`, the words for yes and no, if the resources have it; it is vocabulary, not
 * domain, and not in the fingerprint unless a field uses it. SU_USAGE: no name; SU_INPUT: file, field and key of the mistake. O(bytes). */
su_status su_schema_load(su_context *ctx, const char *name, su_resource_fn resource, void *arg, su_schema **out) SU_MUST_CHECK;
/* A schema read off a table: every column a code, every distinct cell a value, exactly as it stands: "a", "A" and "a " are three values (""
 * and nothing else is missing). For `--schema auto`: the domain comes from the data, so no privacy guarantee can be stated for anything
 * built on it. Columns of more than 65,000 distinct values are refused. */
su_status su_schema_from_table(su_context *ctx, const su_raw_table *raw, su_schema **out) SU_MUST_CHECK;

typedef struct su_mapping su_mapping;
/* Parses and checks a mapping against a schema (rules, targets, codes, cycles, two rules for one cell). `name` is used in messages. Borrows
 * schema, which must outlive it. SU_INPUT: file, line and column of the mistake. */
su_status su_mapping_parse(su_context *ctx, const char *name, su_str csv, const su_schema *schema, su_mapping **out) SU_MUST_CHECK;
/* The mapping that needs no file: columns whose name or alias is a field's, each by the rule rename, or by band or year where the field's
 * bands or years take more of the column's rows. The very name of the field goes before the name in another spelling, and that before an
 * alias; two equally good columns, or none at all, are SU_INPUT. */
su_status su_mapping_by_name(su_context *ctx, const su_raw_table *raw, const su_schema *schema, su_mapping **out) SU_MUST_CHECK;
void su_mapping_free(su_mapping *m);
su_sha256 su_mapping_fingerprint(const su_mapping *m);
bool su_mapping_has_record(const su_mapping *m);
/* Drafts a mapping CSV for a person to edit: name and content of every column compared with every field; unmapped values listed with a
 * suggestion. The draft parses, and works without edits: what it does not understand is dropped with a note, or left as an empty value row
 * of coverage none, so that the report still lists it. Columns that look like names, contacts, identifiers or free text are dropped, and
 * none of their values is written. Deterministic. O(columns x fields x distinct values), 2,000 distinct values per column at most. */
su_status su_mapping_suggest(su_context *ctx, const su_raw_table *raw, const su_schema *schema, su_buf *csv) SU_MUST_CHECK;

typedef enum su_margins { SU_MARGINS_REFUSE, SU_MARGINS_EXCLUDE } su_margins;
typedef struct su_harmonise_options {
    /* Rows that look like totals of other rows: refuse with the list, or leave them out. Totals that a margin row of the mapping declares
     * are left out either way. */
    su_margins margins;
    uint64_t max_rejected; /* more rejected rows than this refuse the whole; UINT64_MAX = no limit */
    bool nameless;         /* leave the record ids out of the case table (all 0): for who only counts. Record numbers are checked all the same */
    bool narrow;           /* a narrow case table */
    su_raw_table *emptied; /* `raw` once more, if nobody reads its cells afterwards: the ids of a column go when they are mapped, and
                              the case table does not say which row is from where (source_rows NULL). NULL: it stays whole */
} su_harmonise_options;

typedef struct su_value_note {
    const char *value;
    uint64_t rows;
    const char *suggestion; /* may be NULL */
} su_value_note;
typedef struct su_column_report {
    const char *source;   /* source column name; "" for constants */
    const char *targets;  /* target columns, comma separated; "" when dropped or unmapped */
    const char *coverage; /* exact, partial, none; dropped; record; weight; unmapped: no row of the mapping mentions it */
    /* Source rows, blank rows and totals of other rows not counted. For a column that fills a field, each row is one of mapped (a value, a
     * known no, or a stated "not recorded"), missing (empty, or a reason) and unmapped (some value of the cell was not understood). */
    uint64_t distinct, rows_filled, rows_mapped, rows_missing, rows_unmapped;
    /* By rows descending, then by value; suggestions for the first 200. Empty for identifiers, record numbers and texts, whose values are
     * never shown. */
    su_value_note *unmapped;
    size_t unmapped_count;
} su_column_report;
/* column "" when no single column is to blame; value "" where it must not be shown. A row is rejected when its record number is empty or
 * there twice (the first stays), when its weight is no whole number of 0 or more, or when a required field has no value. Nothing else
 * rejects a row. */
typedef struct su_reject {
    uint32_t line;
    const char *column, *value, *reason;
} su_reject;
typedef struct su_field_report {
    const char *field;
    bool provided;
    uint64_t values, missing, negative;
} su_field_report;

/* A rule of the schema (suha:recordRules) beside the person rows: rows that meet its condition; of those, rows where the other column has no
 * value, and rows where it says otherwise. */
typedef struct su_rule_report {
    const char *name, *text;
    bool soft;
    uint64_t rows, missing, against;
} su_rule_report;

typedef struct su_harmonise_report {
    su_arena arena;
    const char *source, *sheet, *encoding, *schema;
    /* rows_in = kept + rejected + margin + blank; blank: every cell of the row is empty or blank; expanded: person rows made by a weight */
    uint64_t rows_in, rows_out, rows_rejected, rows_margin, rows_blank, rows_expanded;
    su_column_report *columns;
    size_t column_count; /* in source order; then the @columns that chained rules read */
    su_field_report *fields;
    size_t field_count; /* in schema order */
    su_reject *rejects;
    size_t reject_count; /* first 1,000; by line */
    su_rule_report *rules;
    size_t rule_count;   /* in file order */
    const char *margins; /* what the margin detector found, in words; "" if nothing */
} su_harmonise_report;

/* The work. A row all of whose cells are blank (trimmed, in every source column) is skipped and counted: no person, no reject. Values are
 * mapped once per distinct cell, not once per row. mapping may be NULL: su_mapping_by_name; opts may be NULL: margins
 * refused, any number of rejects. Same input, same report bytes. Record ids: the record column's cell, else file and line ("3fa9c1d2:17");
 * with a weight, person k of a row is "<id>#k". At most 50 million people come from weights. On refusal *out is NULL and *report, when not
 * NULL, still tells what was seen: SU_INPUT a source column is missing, SU_REFUSED margins, too many rejects or too many people,
 * SU_CANCELLED. O(rows x columns + distinct values). */
su_status su_harmonise(su_context *ctx, const su_raw_table *raw, const su_schema *schema, const su_mapping *mapping,
                       const su_harmonise_options *opts, su_case_table **out, su_harmonise_report **report) SU_MUST_CHECK;
void su_harmonise_report_free(su_harmonise_report *r);
void su_harmonise_report_text(const su_harmonise_report *r, su_buf *out); /* for a person */
void su_harmonise_report_json(const su_harmonise_report *r, su_json *j);  /* one object */

/* Counts by the columns named (8 at most): one row per observed combination, in codelist order, then "not recorded", then the other
 * reasons; missing cells print as the field's missing_print, or as the reason in parentheses. denominators is the number of rows, percent
 * 100 n / rows. With `group`, one row per combination and member of the question group: n, D_G and 100 n / D_G, where D_G counts the rows
 * of the combination with at least one yes in the group (CTDC codebook v2024, section 6); the member's name is one more key, and
 * by[by_count - 1] is the group. percent is NaN where nobody answered. SU_USAGE: no such column or group. */
typedef struct su_tabulation {
    uint32_t by_count;
    char **by;
    size_t row_count;
    char **keys; /* row_count x by_count */
    uint64_t *counts, *denominators;
    double *percent;
    su_arena arena;
} su_tabulation;
su_status su_tabulate(su_context *ctx, const su_case_table *t, const char *const *by, size_t by_count, const char *group,
                      su_tabulation **out) SU_MUST_CHECK;
void su_tabulation_free(su_tabulation *t);

#ifdef __cplusplus
}
#endif
#endif
