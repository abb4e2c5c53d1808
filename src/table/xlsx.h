/* xlsx: package (ZIP), XML, workbook parts, cell values, sheet. Private to the reach. ECMA-376 part 1 (SpreadsheetML) and part 2
 * (packages). */
#ifndef SUHA_TABLE_XLSX_H
#define SUHA_TABLE_XLSX_H

#include <suha/table.h>

#include <zip.h>

/* ---- package: xlsx_package.c ---- */

typedef struct xlsx_package {
    su_context *ctx;
    const char *name; /* of the file, for messages */
    zip_t *zip;
    uint64_t limit; /* uncompressed bytes that may be read in all */
    uint64_t used;
} xlsx_package;

/* ZIP or OLE compound file, by their first bytes. */
bool xlsx_is(su_str bytes);
/* Refuses what is no workbook of this kind (old .xls, encrypted, .ods, .xlsb, truncated) and what would unpack beyond the limits. */
su_status xlsx_open(xlsx_package *pkg, su_context *ctx, const char *name, su_str bytes, uint64_t max_bytes);
void xlsx_close(xlsx_package *pkg);

/* ---- XML: xlsx_xml.c ---- */

/* Names come without namespace prefix. attributes: name, value, ..., NULL. A handler that fails calls su_fail and returns its status:
 * parsing stops. */
typedef struct xml_handler {
    su_status (*start)(void *user, const char *name, const char **attributes);
    su_status (*end)(void *user, const char *name);
    void (*text)(void *user, const char *p, size_t n); /* may be NULL */
} xml_handler;

/* Streams one entry through a handler. A missing entry is an error when `required`, else nothing happens. No DTD, so no entities. */
su_status xlsx_xml(xlsx_package *pkg, const char *entry, bool required, const xml_handler *handler, void *user);
const char *xml_attribute(const char **attributes, const char *name); /* without prefix; NULL if absent */
bool xml_flag(const char *value);                                     /* "1", "true" */

/* ---- workbook: xlsx_workbook.c ---- */

typedef enum xlsx_format { FORMAT_NUMBER, FORMAT_DATE, FORMAT_DATE_TIME, FORMAT_TIME, FORMAT_ELAPSED } xlsx_format;

typedef struct xlsx_sheet_entry {
    const char *name, *relation, *entry;
    bool hidden;
} xlsx_sheet_entry;

typedef struct xlsx_workbook {
    su_arena arena;
    xlsx_sheet_entry *sheets; /* worksheets only, in workbook order */
    size_t sheet_count;
    bool date1904;
    const char *strings_entry, *styles_entry; /* NULL if there is none */
    xlsx_format *formats;                     /* by cell style index */
    size_t format_count;
    su_buf strings; /* all shared strings, end to end */
    size_t *string_ends;
    size_t string_count;
} xlsx_workbook;

su_status xlsx_workbook_read(xlsx_package *pkg, xlsx_workbook *book);       /* sheets, date system */
su_status xlsx_workbook_read_cells(xlsx_package *pkg, xlsx_workbook *book); /* shared strings and styles: before any sheet */
void xlsx_workbook_free(xlsx_workbook *book);
su_status xlsx_sheet_names(su_context *ctx, su_arena *arena, const char *name, su_str bytes, char ***names, size_t *count);

/* ---- values: xlsx_value.c ---- */

/* "BC12" to column 54 (from 0) and row 12 (from 1). Either may be left out of range by the caller's limits. */
bool xlsx_cell_reference(const char *text, uint32_t *column, uint32_t *row);
void xlsx_cell_name(uint32_t column, uint32_t row, char out[24]);
xlsx_format xlsx_format_of_code(const char *code);
xlsx_format xlsx_format_of_builtin(unsigned id);
/* A stored number as text, by its format. false if it is no number. */
bool xlsx_number_text(su_str stored, xlsx_format format, bool date1904, su_buf *out);
/* Undoes _xHHHH_ in place (ECMA-376 part 1, 22.9.2.19); bytes from `from` on. */
void xlsx_unescape(su_buf *text, size_t from);

/* ---- sheet: xlsx_sheet.c ---- */

/* Reads one sheet. *out is NULL when the sheet has no filled cell. */
su_status xlsx_sheet_read(xlsx_package *pkg, const xlsx_workbook *book, const xlsx_sheet_entry *sheet, unsigned header_rows,
                          su_raw_table **out);

#endif
