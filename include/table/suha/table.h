/* table: typed column tables, codelists, schemas, and the readers and writers of CSV and XLSX.
 *
 * Sensitivity is a type. su_raw_table is what an organisation sent; su_case_table is identifiable case data in a schema; su_code_matrix is
 * the view of coded columns that counting and protection work on. What may be published is su_release (suha/protect.h) and nothing else. */
#ifndef SUHA_TABLE_H
#define SUHA_TABLE_H

#include <suha/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- codelist ----------------------------------------------------------------------------------------------------- */

enum { SU_LANG_EN, SU_LANG_FR, SU_LANG_ES, SU_LANG_AR, SU_LANG_COUNT };

typedef struct su_code {
    const char *code;                 /* as published */
    const char *label[SU_LANG_COUNT]; /* NULL where there is none */
    const char *parent;               /* NULL if none */
    const char *note;
    bool has_min, has_max;
    int64_t min, max; /* band bounds, inclusive */
} su_code;

typedef struct su_codelist {
    const char *id;
    uint32_t count;
    su_code *codes;      /* print order; the value number of codes[i] is i + 1 */
    su_dict *keys;       /* folded code, label, alias; the codes as they stand where `exact` */
    uint16_t *key_value; /* value number per key id */
    bool exact;          /* cells are compared byte for byte: nothing is trimmed or folded */
} su_codelist;

/* docs/formats.md. `name` is used in messages. At most 65,000 codes. Errors (SU_INPUT, with line and column): no `code` or `label_en`
 * column, an empty one of them, two codes that fold to one key, a bound that is no integer, min above max, a parent that is neither a code
 * of this list nor declared in another one by the note `parent-list:ID`. Columns this page does not know are left alone. Everything lives
 * in `arena` but the dictionary: release with su_codelist_free. O(bytes). */
su_status su_codelist_parse(su_context *ctx, su_arena *arena, const char *id, const char *name, su_str csv,
                            su_codelist **out) SU_MUST_CHECK;
/* The years first..last (at most 65,000 of them; an empty list if last < first), each a code and a band of itself. */
su_codelist *su_codelist_years(su_arena *arena, const char *id, int first, int last);
/* A list of the strings given, in their order, each its own code and label and compared exactly. At most 65,000, all different. Copies. */
su_codelist *su_codelist_exact(su_arena *arena, const char *id, const su_str *codes, uint32_t count);
void su_codelist_free(su_codelist *list); /* the dictionary; the rest is the arena's. NULL is fine */
/* Value number (1..count) of the code that `cell` names, or 0. Folds the cell first, unless the list is exact. O(cell). */
uint16_t su_codelist_find(const su_codelist *list, su_str cell);
uint16_t su_codelist_band(const su_codelist *list, int64_t value); /* first code whose min..max holds value, or 0 */
/* Closest code for a "did you mean", or NULL when nothing is near: the key at the smallest Damerau-Levenshtein distance, at most a quarter
 * of the cell's length and at most 3, and of several codes at that distance the one whose key begins with more of the cell ("nambia" is
 * Namibia, not Gambia or Zambia); NULL if that does not decide either. Failing all, the only code with a key that begins with the cell and
 * a blank ("syria"). Borrows. O(keys * cell). */
const su_code *su_codelist_suggest(const su_codelist *list, su_str cell);

/* ---- cells: a value, or a reason why there is none ------------------------------------------------------------------- */

/* In coded columns: 0 = not recorded, 1..n = value number in the codelist, the rest are reasons. */
typedef uint16_t su_cell;
#define SU_CELL_NOT_RECORDED ((su_cell)0)
#define SU_CELL_UNKNOWN ((su_cell)0xFFFF)
#define SU_CELL_REFUSED ((su_cell)0xFFFE)
#define SU_CELL_NOT_APPLICABLE ((su_cell)0xFFFD)
#define SU_CELL_SUPPRESSED ((su_cell)0xFFFC)
#define SU_CELL_NEGATIVE ((su_cell)0xFFFB) /* a known "no" in a schema whose codelist cannot print it */
#define SU_CELL_FIRST_REASON ((su_cell)0xFFF0)
static inline bool su_cell_is_value(su_cell c) { return c != 0 && c < SU_CELL_FIRST_REASON; }
const char *su_cell_reason(su_cell c);                 /* "not recorded", "unknown", ...; NULL for a value */
bool su_cell_reason_parse(su_str label, su_cell *out); /* folded; "not-applicable" and "not applicable" are the same */

/* ---- schema ------------------------------------------------------------------------------------------------------------- */

typedef enum su_type { SU_TYPE_CODE, SU_TYPE_CODE_SET, SU_TYPE_FLAG, SU_TYPE_YEAR, SU_TYPE_INTEGER, SU_TYPE_DATE, SU_TYPE_TEXT } su_type;
typedef enum su_role { SU_ROLE_IDENTIFIER, SU_ROLE_QUASI_IDENTIFIER, SU_ROLE_SENSITIVE, SU_ROLE_ATTRIBUTE } su_role;

typedef struct su_missing {
    const char *value;
    su_cell reason;
} su_missing; /* value compared after folding */

typedef struct su_field {
    const char *name, *title, *description;
    const char *titles[SU_LANG_COUNT];
    su_type type;
    su_role role;
    bool released; /* privacy class: may be published after protection */
    bool required;
    const su_codelist *codelist; /* code, code-set, flag, year; NULL otherwise */
    int group;                   /* index into schema->groups, -1 if none */
    const char *separator;       /* code-set */
    uint16_t negative;           /* value number that means a known "no", 0 if none */
    bool has_min, has_max;
    int64_t min, max;
    const char *pattern; /* NULL if none */
    const char *const *aliases;
    uint32_t alias_count;
    const su_missing *missing;
    uint32_t missing_count;
    const char *missing_print; /* what a missing cell prints in files of this schema ("" or "-99") */
} su_field;

typedef struct su_group {
    const char *name, *title;
} su_group;

/* A public rule about one record (suha:recordRules, docs/formats.md): who has one of if_values in if_field has one of `values` in `field`, or,
 * where `excludes`, none of them. Values are value numbers, never a field's negative. soft: counted in reports, and nothing rests on it.
 * suha/rules.h has what follows from rules. */
typedef struct su_record_rule {
    const char *name; /* as given, else "rule N" */
    bool soft, excludes;
    uint32_t if_field, field;
    uint32_t if_count, count;
    uint16_t *if_values, *values;
} su_record_rule;

typedef struct su_schema {
    const char *name, *title, *description, *version;
    su_field *fields;
    uint32_t field_count;
    su_group *groups;
    uint32_t group_count;
    su_codelist **codelists;
    uint32_t codelist_count; /* every list a field uses, each once */
    su_record_rule *rules;
    uint32_t rule_count;     /* in file order */
    su_sha256 fingerprint;   /* of schema.json and every codelist it uses: the public domain */
    su_arena arena;
} su_schema;

/* Index of the field with this name or alias (folded), or -1. */
int su_schema_field(const su_schema *schema, su_str name);
void su_schema_free(su_schema *schema); /* its codelists, its arena, itself (from su_alloc). NULL is fine */
const char *su_type_name(su_type t);
const char *su_role_name(su_role r);

/* ---- raw table: as received, every cell text ------------------------------------------------------------------------------- */

/* Cells are kept exactly as they stand (nothing is trimmed); an absent cell is "". Names are distinct byte for byte. A column whose header
 * cell is empty is named column_N, N = its 1-based position. */
typedef struct su_raw_column {
    const char *name;
    su_dict *values;
    uint32_t *ids;            /* one per row; NULL in a column that was read `narrow`, */
    uint8_t *ids8;            /* where these have them while there are at most 256 distinct values, */
    uint16_t *ids16;          /* or these up to 65,536 */
} su_raw_column;

typedef struct su_raw_table {
    char *source; /* file name, for messages */
    char *sheet;  /* NULL for CSV */
    char *others; /* XLSX read without naming a sheet: the other sheets with cells, quoted: "B", "C"; NULL if there are none */
    uint32_t column_count;
    su_raw_column *columns; /* ids[r] indexes values: distinct strings of the column */
    uint64_t row_count;
    uint32_t *row_line;    /* line (CSV) or row number (XLSX) where each row starts, 1-based */
    su_sha256 fingerprint; /* of the file's bytes */
    char delimiter;        /* CSV: as sniffed; 0 for XLSX */
    const char *encoding;  /* "UTF-8", "UTF-8 with BOM", "UTF-16LE", "UTF-16BE", "Windows-1252"; XLSX: "UTF-8" */
} su_raw_table;

typedef struct su_read_options {
    const char *sheet;    /* XLSX: sheet name; NULL = the first visible sheet that has rows */
    unsigned header_rows; /* 0 or 1 = one header row; 2 = two merged header rows joined by " / ", see below */
    char delimiter;       /* 0 = sniff among , ; tab | */
    uint64_t max_bytes;   /* 0 = 4 GiB for CSV (also the most), 1 GiB uncompressed for XLSX */
    bool narrow;          /* su_table_read of a CSV: ids as narrow as they fit, and of the file only a few MiB in memory at a time */
} su_read_options;

void su_raw_table_free(su_raw_table *t);                     /* wipes */
void su_raw_column_drop(su_raw_column *c, uint64_t rows);    /* wipes and frees the ids of a column of so many rows; its values stay */
static inline uint32_t su_raw_id(const su_raw_column *c, uint64_t row)
{
    return c->ids8 ? c->ids8[row] : c->ids16 ? c->ids16[row] : c->ids[row];
}
/* Ids from..from+n-1: the column's own, or spread out into `room`, which has place for n. */
const uint32_t *su_raw_ids(const su_raw_column *c, uint64_t from, uint64_t n, uint32_t *room);
int su_raw_table_column(const su_raw_table *t, su_str name); /* exact, then folded; -1 if absent or ambiguous */
/* Reads CSV or XLSX by content, not by file name. Errors: SU_INPUT with file, line, column, reason, way forward; SU_IO.
 *
 * Two header rows: the name is "top / bottom", or the one that is not empty, or the one when both are equal. An XLSX cell of a merged
 * range has the range's text; a CSV has no merged ranges, so there an empty top cell takes the text to its left (as spreadsheets export
 * merged cells). */
su_status su_table_read(su_context *ctx, const char *path, const su_read_options *opts, su_raw_table **out) SU_MUST_CHECK;

#define SU_MAX_COLUMNS 4096u
#define SU_MAX_CELL_BYTES ((size_t)1 << 20)

/* CSV (RFC 4180) from memory (fuzz targets, uploads, codelists). `name` is used in messages. Borrows bytes. O(bytes).
 *
 * Where. "line" counts the lines of the file from 1, also those inside quotes; CR LF, LF and CR each end one. "column" counts cells of the
 * row from 1. "character" counts the characters of the line from 1; used where cells are not known yet (encoding) or do not say enough.
 * Rows. Every row has as many cells as the header. An empty line is no row, wherever it stands, also in a file of one column (an empty
 * cell of such a file is written ""). A line of delimiters only is a row of empty cells. A first line `sep=X` (Excel) states the
 * delimiter.
 * Quotes. A cell is quoted when its first character is '"'; elsewhere '"' is an ordinary character. After the closing quote only a
 * delimiter, the end of the line or of the file may follow.
 * Delimiter. Of , ; tab | the one that splits the header into most cells among those that split every one of the first 200 rows (of the
 * first 256 KiB) alike; if none does, the one that fits the largest share of rows; if none splits the header, the file has one column.
 * Encoding. A byte order mark decides. Without: NUL bytes mean UTF-16 if in the first 4 KiB they stand at only even or only odd places and
 * three quarters of the bytes at those places are below 08 (Latin, Greek, Cyrillic, Hebrew, Arabic); otherwise they are an error. Bytes
 * that are valid UTF-8 are UTF-8. Bytes that are not are Windows-1252 if valid multi-byte sequences are at most a tenth as many as the
 * bytes that fit none (in Western text accented letters stand between plain ones and form such a sequence by rare accident); otherwise the
 * file is UTF-8 with damage, or a mix: an error at the first bad byte. Refused as Windows-1252, because it would be misread: a file with
 * bytes that Windows-1252 leaves undefined (81 8D 8F 90 9D), and one where more than half of the bytes above 7F stand in runs of three or
 * more (Arabic, Cyrillic or Greek 8-bit text). */
su_status su_csv_parse(su_context *ctx, const char *name, su_str bytes, const su_read_options *opts, su_raw_table **out) SU_MUST_CHECK;

/* XLSX (ECMA-376, Transitional and Strict) from memory. Borrows bytes. O(uncompressed bytes).
 *
 * Cells. Text, rich text (runs joined, phonetic guides left out) and inline text as they stand, with _xHHHH_ undone. Integers without a
 * decimal point, other numbers in the shortest form that reads back. Booleans TRUE, FALSE. Numbers in a date format become ISO:
 * 2024-03-31, 2024-03-31T10:30:00 if the format shows a time and the time is not midnight, 10:30:00 for a time alone, 36:00:00 for an
 * elapsed time; a number without a calendar date (0, negative, 1900-02-29, beyond 9999) stays a number. Formulas give the value stored
 * beside them.
 * Errors, all listed by cell: error values (#N/A) and formulas without a stored value.
 * Rows without any filled cell are no rows; the first row with one is the header. Filled cells right of the header make columns named
 * column_N.
 * Sheet names match exactly, or folded if only one does. NULL = the first visible sheet that has rows, then the hidden ones; where other
 * sheets have cells too, the log says which one was read and names them.
 * Limits: uncompressed bytes, 10,000 entries, 200:1 for entries above 10 MB, 4,096 columns, 2^20 rows, 2^28 cells. */
su_status su_xlsx_parse(su_context *ctx, const char *name, su_str bytes, const su_read_options *opts, su_raw_table **out) SU_MUST_CHECK;
/* Sheets of a workbook: array of `count` names, in arena. */
su_status su_xlsx_sheets(su_context *ctx, su_arena *arena, const char *path, char ***names, size_t *count) SU_MUST_CHECK;

/* ---- case table: identifiable, in a schema ------------------------------------------------------------------------------------ */

typedef struct su_case_column {
    bool provided;  /* the mapping fills this column (public: decided by the mapping, never by cells) */
    su_cell *codes; /* code, flag, year: one per row; NULL in a narrow table where bytes has them */
    uint8_t *bytes; /* the same in a byte: a value as it stands, a reason by its last byte (su_case_cell) */
    uint64_t *sets; /* code-set: `words` per row, bit v-1 = value v */
    uint32_t words;
    su_cell *set_reason; /* code-set: reason where the set is empty, one per row */
    uint32_t *ids;
    su_dict *texts; /* integer, date, text: id 0 = none (texts[0] is ""), canonical text (ISO dates) */
} su_case_column;

typedef struct su_case_table {
    const su_schema *schema; /* borrowed */
    uint64_t row_count;
    su_case_column *columns; /* schema->field_count of them */
    uint32_t *record_ids;
    su_dict *records; /* source record identifier per row (file and line where the mapping names none); 0 = "" = none */
    bool synthetic;   /* generated for tests: carries no person */
    uint32_t *source_rows; /* row of the raw table that each row was made from; NULL when the table was not made from one */
    bool narrow; /* columns provided from now on take a byte a cell where the codelist has fewer than SU_CELL_NARROW values */
} su_case_table;

#define SU_CELL_NARROW 0xF0u
static inline su_cell su_case_cell(const su_case_column *c, uint64_t row)
{
    if (!c->bytes) return c->codes[row];
    return c->bytes[row] < SU_CELL_NARROW ? c->bytes[row] : (su_cell)(0xFF00u | c->bytes[row]);
}
static inline void su_case_put(su_case_column *c, uint64_t row, su_cell cell)
{
    if (c->bytes)
        c->bytes[row] = (uint8_t)cell;
    else
        c->codes[row] = cell;
}

su_case_table *su_case_table_new(const su_schema *schema, uint64_t rows); /* all cells not recorded, no column provided */
void su_case_table_free(su_case_table *t);                                /* wipes */
void su_case_table_provide(su_case_table *t, uint32_t field);             /* allocates the column's cells; no effect if they stand */
void su_case_table_drop(su_case_table *t, uint32_t field);    /* wipes and frees the column's cells: it is provided no longer */
/* Appends the rows of `more` (same schema, SU_USAGE otherwise); a column is provided if either provides it. O(rows of both). */
su_status su_case_table_append(su_context *ctx, su_case_table *t, const su_case_table *more) SU_MUST_CHECK;
/* Text of a cell as files of this schema print it: the code; the members of a set in codelist order joined by the field's first separator;
 * the text; for any reason and for columns not provided the field's missing_print. Borrows or uses arena. */
su_str su_case_cell_text(const su_case_table *t, su_arena *arena, uint64_t row, uint32_t field);
/* The whole table as CSV: comma, LF, header of field names. Identifiable: for tests and for the owner of the data. Appends to out. */
void su_case_table_csv(const su_case_table *t, su_buf *out);

/* ---- code matrix: what counting and protection see ------------------------------------------------------------------------------- */

/* Columns of codes 0..card-1; 0 = absent: any reason, and the field's negative value (the known "no" of a flag). 1..card-1 are the other
 * values in codelist order: the value number v of the codelist, less one above the negative. So a flag with the codes 1,0 and negative 0
 * has card 2, and so has one with the codes 0,1. A code-set of m codes is m columns of card 2 (less its negative), named field_code. The
 * domain comes from the schema only. */
typedef struct su_matrix_column {
    const char *name;
    uint32_t field;     /* in the schema */
    uint16_t set_value; /* code-set: value number of the member; 0 for other columns */
    uint32_t card;
    const uint16_t *codes; /* row_count of them; NULL where bytes has them */
    const uint8_t *bytes;  /* the same, a byte each (su_code_matrix_take); else NULL */
} su_matrix_column;

typedef struct su_code_matrix {
    const su_schema *schema; /* borrowed; NULL when made by hand */
    uint64_t row_count;
    uint32_t column_count;
    su_matrix_column *columns;
    su_arena arena;
    const uint32_t *units; /* per row the number of the person it is about; NULL = each row is a person of its own. Borrowed */
} su_code_matrix;

/* Released, provided columns of type code, flag, year and code-set in schema order. Copies the codes. SU_REFUSED if there is none.
 * O(rows * columns). */
su_status su_code_matrix_of(su_context *ctx, const su_case_table *t, su_code_matrix **out) SU_MUST_CHECK;
/* The same in a byte a cell, for columns of at most 256 codes, out of a table nobody needs any more: each column of `t` is wiped and freed
 * when its codes are taken, and the table is left without cells. On failure it is untouched. */
su_status su_code_matrix_take(su_context *ctx, su_case_table *t, su_code_matrix **out) SU_MUST_CHECK;
/* A copy in which every column has `codes`; units borrowed as in m. Free it before m. */
su_code_matrix *su_code_matrix_widen(const su_code_matrix *m);
bool su_code_matrix_narrow(const su_code_matrix *m); /* some column has bytes */
static inline uint16_t su_matrix_code(const su_matrix_column *c, uint64_t row) { return c->bytes ? c->bytes[row] : c->codes[row]; }
/* Codes from..from+n-1: the column's own, or its bytes spread out into `room`, which has place for n. */
const uint16_t *su_matrix_codes(const su_matrix_column *c, uint64_t from, uint64_t n, uint16_t *room);
void su_code_matrix_free(su_code_matrix *m);
/* Name of a value, 1 <= value < card: codelist code, "1" for a member column; NULL otherwise and for a matrix without schema. Borrows. */
const char *su_matrix_value(const su_code_matrix *m, uint32_t column, uint32_t value);
/* The same without the matrix. */
const char *su_matrix_column_value(const su_schema *schema, const su_matrix_column *column, uint32_t value);

#ifdef __cplusplus
}
#endif
#endif
