/* harmonise: an organisation's raw table and a mapping become a case table and a report. No I/O: resources come through a callback. */
#ifndef SUHA_HARMONISE_H
#define SUHA_HARMONISE_H

#include <suha/table.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Gives the bytes of an instrument's file ("ctdc-2024/schema.json", "codelists/iso-3166-1.csv"); false if there is none. Borrows. */
typedef bool (*su_resource_fn)(void *arg, const char *path, su_str *bytes);

/* Reads <name>/schema.json and the codelists it names (its own folder first, then codelists/). docs/formats.md. Returns owned: su_schema_free. */
su_status su_schema_load(su_context *ctx, const char *name, su_resource_fn resource, void *arg, su_schema **out) SU_MUST_CHECK;
/* A schema read off a table: every column a code, every distinct cell a value ("" and nothing else missing). For `--schema auto`: the domain comes from
 * the data, so no privacy guarantee can be stated for anything built on it. Columns of more than 65,000 distinct values are refused. */
su_status su_schema_from_table(su_context *ctx, const su_raw_table *raw, su_schema **out) SU_MUST_CHECK;

typedef struct su_mapping su_mapping;
/* Parses and checks a mapping against a schema (rules, targets, codes, cycles, two rules for one cell). `name` is used in messages. */
su_status su_mapping_parse(su_context *ctx, const char *name, su_str csv, const su_schema *schema, su_mapping **out) SU_MUST_CHECK;
/* The mapping that needs no file: columns whose name or alias is a field's. */
su_status su_mapping_by_name(su_context *ctx, const su_raw_table *raw, const su_schema *schema, su_mapping **out) SU_MUST_CHECK;
void su_mapping_free(su_mapping *m);
su_sha256 su_mapping_fingerprint(const su_mapping *m);
bool su_mapping_has_record(const su_mapping *m);
/* Drafts a mapping CSV for a person to edit: name and content of every column compared with every field; unmapped values listed with a suggestion.
 * Deterministic. */
su_status su_mapping_suggest(su_context *ctx, const su_raw_table *raw, const su_schema *schema, su_buf *csv) SU_MUST_CHECK;

typedef enum su_margins { SU_MARGINS_REFUSE, SU_MARGINS_EXCLUDE } su_margins;
typedef struct su_harmonise_options {
    su_margins margins;                     /* rows that look like totals of other rows: refuse with the list, or leave them out            */
    uint64_t max_rejected;                  /* more rejected rows than this refuse the whole; UINT64_MAX = no limit                         */
} su_harmonise_options;

typedef struct su_value_note { const char *value; uint64_t rows; const char *suggestion; } su_value_note;   /* suggestion may be NULL           */
typedef struct su_column_report {
    const char *source;                     /* source column name; "" for constants                                                         */
    const char *targets;                    /* target columns, comma separated; "" when dropped or unmapped                                  */
    const char *coverage;                   /* exact, partial, none, dropped, unmapped                                                      */
    uint64_t distinct, rows_filled, rows_mapped, rows_missing, rows_unmapped;
    su_value_note *unmapped; size_t unmapped_count;      /* by rows descending, then by value                                                */
} su_column_report;
typedef struct su_reject { uint32_t line; const char *column, *value, *reason; } su_reject;
typedef struct su_field_report { const char *field; bool provided; uint64_t values, missing, negative; } su_field_report;

typedef struct su_harmonise_report {
    su_arena arena;
    const char *source, *sheet, *encoding, *schema;
    uint64_t rows_in, rows_out, rows_rejected, rows_margin, rows_expanded;   /* expanded: person rows made by a weight                          */
    su_column_report *columns; size_t column_count;                          /* in source order                                                  */
    su_field_report *fields; size_t field_count;                             /* in schema order                                                  */
    su_reject *rejects; size_t reject_count;                                 /* first 1,000; by line                                              */
    const char *margins;                                                     /* what the margin detector found, in words; "" if nothing           */
} su_harmonise_report;

/* The work. Values are mapped once per distinct cell, not once per row. mapping may be NULL: su_mapping_by_name. Same input, same report bytes.
 * On refusal (margins, too many rejects, missing source column) *out is NULL and *report, when not NULL, still tells what was seen. */
su_status su_harmonise(su_context *ctx, const su_raw_table *raw, const su_schema *schema, const su_mapping *mapping,
                       const su_harmonise_options *opts, su_case_table **out, su_harmonise_report **report) SU_MUST_CHECK;
void su_harmonise_report_free(su_harmonise_report *r);
void su_harmonise_report_text(const su_harmonise_report *r, su_buf *out);    /* for a person                                                      */
void su_harmonise_report_json(const su_harmonise_report *r, su_json *j);     /* one object                                                        */

/* Counts by the columns named; with `group`, one row per member of the question group: n, D_G and 100 n / D_G, where D_G counts the rows with at
 * least one yes in the group (CTDC codebook v2024, section 6). */
typedef struct su_tabulation { uint32_t by_count; char **by; size_t row_count; char **keys; /* row_count x by_count */ uint64_t *counts; uint64_t *denominators; double *percent; su_arena arena; } su_tabulation;
su_status su_tabulate(su_context *ctx, const su_case_table *t, const char *const *by, size_t by_count, const char *group, su_tabulation **out) SU_MUST_CHECK;
void su_tabulation_free(su_tabulation *t);

#ifdef __cplusplus
}
#endif
#endif
