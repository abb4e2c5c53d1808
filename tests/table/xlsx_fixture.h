/* xlsx_fixture: workbooks made in memory, part by part, so that a test can write exactly what is wrong with them. */
#ifndef XLSX_FIXTURE_H
#define XLSX_FIXTURE_H

#include "table_test.h"

#include <zip.h>

typedef struct part {
    const char *name, *text;
    size_t n;
} part; /* n 0 = length of text */

/* A ZIP of these parts. */
UNUSED static su_buf make_zip(const part *parts, size_t count)
{
    zip_error_t error;
    zip_error_init(&error);
    zip_source_t *source = zip_source_buffer_create(NULL, 0, 0, &error);
    zip_t *zip = zip_open_from_source(source, ZIP_CREATE | ZIP_TRUNCATE, &error);
    assert_non_null(zip);
    zip_source_keep(source);
    for (size_t i = 0; i < count; i++) {
        size_t n = parts[i].n > 0 ? parts[i].n : strlen(parts[i].text);
        assert_true(zip_file_add(zip, parts[i].name, zip_source_buffer(zip, parts[i].text, n, 0), ZIP_FL_ENC_UTF_8) >= 0);
    }
    assert_int_equal(zip_close(zip), 0);
    su_buf bytes = { 0 };
    char piece[4096];
    assert_int_equal(zip_source_open(source), 0);
    for (zip_int64_t got; (got = zip_source_read(source, piece, sizeof piece)) > 0;) su_buf_add(&bytes, piece, (size_t)got);
    zip_source_close(source);
    zip_source_free(source);
    return bytes;
}

#define OFFICE "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
#define MAIN "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
#define TOP_RELS "<Relationships><Relationship Id='rId1' Type='" OFFICE "/officeDocument' Target='xl/workbook.xml'/></Relationships>"
#define BOOK_RELS                                                                                                                          \
    "<Relationships><Relationship Id='r1' Type='" OFFICE "/worksheet' Target='worksheets/sheet1.xml'/>"                                    \
    "<Relationship Id='r2' Type='" OFFICE "/worksheet' Target='/xl/worksheets/../worksheets/sheet2.xml'/>"                                 \
    "<Relationship Id='r3' Type='" OFFICE "/chartsheet' Target='chartsheets/sheet1.xml'/>"                                                 \
    "<Relationship Id='r4' Type='" OFFICE "/sharedStrings' Target='sharedStrings.xml'/>"                                                   \
    "<Relationship Id='r5' Type='" OFFICE "/styles' Target='styles.xml'/></Relationships>"

typedef struct workbook {
    const char *book;    /* inside <workbook>; NULL = one sheet "Cases" */
    const char *sheet;   /* first sheet: inside <worksheet> */
    const char *sheet2;  /* second sheet, NULL = none */
    const char *strings; /* inside <sst> */
    const char *styles;  /* inside <styleSheet> */
} workbook;

UNUSED static su_buf make_workbook(workbook w)
{
    su_arena a;
    su_arena_init(&a);
    const char *book = w.book != NULL ? w.book : "<sheets><sheet name='Cases' sheetId='1' r:id='r1'/></sheets>";
    const part parts[] = {
        { "_rels/.rels", TOP_RELS, 0 },
        { "xl/workbook.xml", su_arena_printf(&a, "<workbook xmlns='" MAIN "' xmlns:r='" OFFICE "'>%s</workbook>", book), 0 },
        { "xl/_rels/workbook.xml.rels", BOOK_RELS, 0 },
        { "xl/sharedStrings.xml", su_arena_printf(&a, "<sst>%s</sst>", w.strings == NULL ? "" : w.strings), 0 },
        { "xl/styles.xml", su_arena_printf(&a, "<styleSheet>%s</styleSheet>", w.styles == NULL ? "" : w.styles), 0 },
        { "xl/worksheets/sheet1.xml", su_arena_printf(&a, "<worksheet xmlns='" MAIN "'>%s</worksheet>", w.sheet == NULL ? "" : w.sheet),
          0 },
        { "xl/worksheets/sheet2.xml", su_arena_printf(&a, "<worksheet>%s</worksheet>", w.sheet2 == NULL ? "" : w.sheet2), 0 },
    };
    su_buf bytes = make_zip(parts, sizeof parts / sizeof parts[0]);
    su_arena_free(&a);
    return bytes;
}

UNUSED static su_raw_table *read_xlsx_with(su_buf bytes, const su_read_options *opts)
{
    su_context ctx;
    su_raw_table *t = NULL;
    su_context_init(&ctx);
    if (su_xlsx_parse(&ctx, "cases.xlsx", (su_str) { bytes.p, bytes.n }, opts, &t) != SU_OK) fail_msg("refused: %s", ctx.message);
    su_buf_free(&bytes);
    return t;
}

UNUSED static void assert_workbook(workbook w, const su_read_options *opts, const char *wanted)
{
    su_raw_table *t = read_xlsx_with(make_workbook(w), opts);
    assert_shows(t, wanted);
    su_raw_table_free(t);
}

UNUSED static void assert_bytes_refused(su_buf bytes, const su_read_options *opts, const char *message)
{
    su_context ctx;
    su_raw_table *t = NULL;
    su_context_init(&ctx);
    assert_int_equal(su_xlsx_parse(&ctx, "cases.xlsx", (su_str) { bytes.p, bytes.n }, opts, &t), SU_INPUT);
    assert_string_equal(ctx.message, message);
    assert_null(t);
    su_buf_free(&bytes);
}

UNUSED static void assert_workbook_refused(workbook w, const su_read_options *opts, const char *message)
{
    assert_bytes_refused(make_workbook(w), opts, message);
}

#endif
