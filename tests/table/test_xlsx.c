/* XLSX: what is read, cell for cell. */
#include "xlsx_fixture.h"

#include <time.h>
#include <xlsxwriter.h>

#define HEAD "<row r='1'><c r='A1' t='inlineStr'><is><t>a</t></is></c><c r='B1' t='inlineStr'><is><t>b</t></is></c></row>"

static void every_kind_of_cell(void **state)
{
    (void)state;
    assert_workbook(
        (workbook) { .strings = "<si><t>name</t></si><si><r><t>rich </t></r><r><rPr><b/></rPr><t xml:space='preserve'>text </t></r></si>"
                                "<si><t>漢字</t><rPh sb='0' eb='2'><t>かんじ</t></rPh><phoneticPr "
                                "fontId='1'/></si><si/><si><t>a_x000D_&#10;b_x005F_c_x0000_</t></si>",
                     .sheet = "<sheetData>"
                              "<row r='1'><c r='A1' t='s'><v>0</v></c><c r='B1' "
                              "t='inlineStr'><is><t>in</t><r><t>line</t></r><rPh><t>no</t></rPh></is></c></row>"
                              "<row r='2'><c r='A2' t='s'><v>1</v></c><c r='B2'><v>42</v></c></row>"
                              "<row r='3'><c r='A3' t='s'><v>2</v></c><c r='B3' t='b'><v>1</v></c></row>"
                              "<row r='4'><c r='A4' t='s'><v>4</v></c><c r='B4' t='b'><v>0</v></c></row>"
                              "<row r='5'><c r='A5' t='str'><f>B2&amp;\"x\"</f><v> 42x</v></c><c r='B5'><f>1+1</f><v>2</v></c></row>"
                              "<row r='6'><c r='A6' t='s'><v>3</v></c><c r='B6' t='str'><f>\"\"</f><v></v></c></row>"
                              "<row r='7'><c r='A7' t='d'><v>2024-02-29</v></c></row>"
                              "</sheetData>" },
        NULL, "[name][inline]\n[rich text ][42]\n[漢字][TRUE]\n[a\r\nb_c_x0000_][FALSE]\n[ 42x][2]\n[2024-02-29][]");
}

static void numbers_print_short_and_exact(void **state)
{
    (void)state;
    const struct {
        const char *stored, *text;
    } cases[] = {
        { "0", "0" },
        { "-0", "0" },
        { "7", "7" },
        { "2002.0", "2002" },
        { "-12", "-12" },
        { "1E3", "1000" },
        { "0.1", "0.1" },
        { "0.30000000000000004", "0.30000000000000004" },
        { "1.5E-7", "1.5e-07" },
        { "123456789012345", "123456789012345" },
        { "1e15", "1e+15" },
        { "3.1415926535897931", "3.141592653589793" },
        { " 5 ", "5" },
        { "99.999999999999986", "99.99999999999999" },
        { "007", "7" },
    };
    su_buf sheet = { 0 }, wanted = { 0 };
    su_buf_text(&sheet, "<sheetData>" HEAD);
    su_buf_text(&wanted, "[a][b]");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        su_buf_printf(&sheet, "<row><c t='n'><v>%s</v></c><c><v>1</v></c></row>", cases[i].stored);
        su_buf_printf(&wanted, "\n[%s][1]", cases[i].text);
    }
    su_buf_text(&sheet, "</sheetData>");
    assert_workbook((workbook) { .sheet = sheet.p }, NULL, wanted.p);
    su_buf_free(&sheet);
    su_buf_free(&wanted);
}

typedef struct dated {
    unsigned style;
    const char *serial, *text;
} dated;

/* Styles: 0 General, 1 yyyy-mm-dd (14), 2 date-time (22), 3 time (20), 4 elapsed (46), 5.. custom. */
static const char date_styles[] =
    "<numFmts count='5'><numFmt numFmtId='164' formatCode='dd/mm/yyyy\\ hh:mm'/><numFmt numFmtId='165' formatCode='0.00&quot; days&quot;'/>"
    "<numFmt numFmtId='166' formatCode='[$-409]mmm\\-yy;@'/><numFmt numFmtId='167' formatCode='[Red]#,##0'/>"
    "<numFmt numFmtId='168' formatCode='h:mm AM/PM'/></numFmts>"
    "<cellStyleXfs><xf numFmtId='14'/></cellStyleXfs>"
    "<cellXfs><xf numFmtId='0'/><xf numFmtId='14'/><xf numFmtId='22'/><xf numFmtId='20'/><xf numFmtId='46'/><xf numFmtId='164'/>"
    "<xf numFmtId='165'/><xf numFmtId='166'/><xf numFmtId='167'/><xf numFmtId='168'/></cellXfs>";

static void check_dates(const char *book, const dated *cases, size_t count)
{
    su_buf sheet = { 0 }, wanted = { 0 };
    su_buf_text(&sheet, "<sheetData>" HEAD);
    su_buf_text(&wanted, "[a][b]");
    for (size_t i = 0; i < count; i++) {
        su_buf_printf(&sheet, "<row><c s='%u'><v>%s</v></c><c><v>1</v></c></row>", cases[i].style, cases[i].serial);
        su_buf_printf(&wanted, "\n[%s][1]", cases[i].text);
    }
    su_buf_text(&sheet, "</sheetData>");
    assert_workbook((workbook) { .book = book, .sheet = sheet.p, .styles = date_styles }, NULL, wanted.p);
    su_buf_free(&sheet);
    su_buf_free(&wanted);
}

static void dates_become_iso(void **state)
{
    (void)state;
    static const dated in_1900[] = {
        { 0, "43831", "43831" },
        { 1, "43831", "2020-01-01" },
        { 1, "43831.75", "2020-01-01" },
        { 2, "43831.75", "2020-01-01T18:00:00" },
        { 2, "43831", "2020-01-01" },
        { 2, "43831.999999", "2020-01-02" },
        { 3, "0.4375", "10:30:00" },
        { 3, "43831.4375", "2020-01-01T10:30:00" },
        { 4, "1.5", "36:00:00" },
        { 4, "0.5", "12:00:00" },
        { 5, "45351.4375", "2024-02-29T10:30:00" },
        { 6, "43831.5", "43831.5" },
        { 7, "43831", "2020-01-01" },
        { 8, "43831", "43831" },
        { 9, "0.75", "18:00:00" },
        { 1, "1", "1900-01-01" },
        { 1, "59", "1900-02-28" },
        { 1, "60", "60" },
        { 1, "61", "1900-03-01" },
        { 1, "0", "0" },
        { 1, "-5", "-5" },
        { 1, "2958465", "9999-12-31" },
        { 1, "2958466", "2958466" },
        { 1, "1e300", "1e+300" },
        { 99, "43831", "43831" },
    };
    static const dated in_1904[] = { { 1, "0", "1904-01-01" },
                                     { 1, "42369", "2020-01-01" },
                                     { 1, "2957003", "9999-12-31" },
                                     { 1, "2957004", "2957004" },
                                     { 2, "0.5", "1904-01-01T12:00:00" } };
    check_dates(NULL, in_1900, sizeof in_1900 / sizeof in_1900[0]);
    check_dates("<workbookPr date1904='1'/><sheets><sheet name='Cases' sheetId='1' r:id='r1'/></sheets>", in_1904,
                sizeof in_1904 / sizeof in_1904[0]);
}

/* Against the C library's calendar. */
static void dates_agree_with_gmtime(void **state)
{
    (void)state;
    enum { DAYS = 2000 };
    static dated cases[DAYS];
    static char serials[DAYS][16], texts[DAYS][16];
    for (int i = 0; i < DAYS; i++) {
        int64_t serial = 61 + (int64_t)i * 1479 + i % 7;
        time_t seconds = (time_t)((serial - 25569) * 86400);
        struct tm day;
        gmtime_r(&seconds, &day);
        snprintf(serials[i], sizeof serials[i], "%lld", (long long)serial);
        strftime(texts[i], sizeof texts[i], "%Y-%m-%d", &day);
        cases[i] = (dated) { 1, serials[i], texts[i] };
    }
    check_dates(NULL, cases, DAYS);
}

static void sparse_sheets_keep_their_grid(void **state)
{
    (void)state;
    su_raw_table *t = read_xlsx_with(
        make_workbook((workbook) { .sheet = "<sheetData><row r='1'/><row r='3'><c r='B3' t='str'><v>b</v></c><c r='D3' t='str'><v>d</v></c>"
                                            "<c r='F3' s='1'/></row><row r='4'><c r='A4'/></row><row r='7'><c r='A7'><v>1</v></c>"
                                            "<c r='D7'><v>2</v></c></row><row r='9'><c r='E9'><v>3</v></c></row>"
                                            "<row r='1000'><c r='A1000' s='3'/></row></sheetData>" }),
        NULL);
    assert_shows(t, "[column_1][b][column_3][d][column_5]\n[1][][][2][]\n[][][][][3]");
    assert_int_equal(t->row_line[0], 7);
    assert_int_equal(t->row_line[1], 9);
    assert_string_equal(t->sheet, "Cases");
    assert_string_equal(t->source, "cases.xlsx");
    assert_int_equal(t->delimiter, 0);
    su_raw_table_free(t);
    assert_workbook((workbook) { .sheet = "<sheetData>" HEAD "</sheetData>" }, NULL, "[a][b]");
}

static void merged_headers_are_joined(void **state)
{
    (void)state;
    static const char sheet[] =
        "<sheetData><row r='2'><c r='A2' t='str'><v>Id</v></c><c r='B2' t='str'><v>Place</v></c><c r='D2' t='str'><v>People</v></c></row>"
        "<row r='3'><c r='B3' t='str'><v>region</v></c><c r='C3' t='str'><v>town</v></c><c r='D3' t='str'><v>men</v></c>"
        "<c r='E3' t='str'><v>women</v></c><c r='F3' t='str'><v>note</v></c></row>"
        "<row r='4'><c r='A4'><v>1</v></c><c r='C4' t='str'><v>x</v></c><c r='F4' t='str'><v>y</v></c></row></sheetData>"
        "<mergeCells><mergeCell ref='A2:A3'/><mergeCell ref='B2:C2'/><mergeCell ref='D2:E2'/><mergeCell ref='A9:XFD9'/></mergeCells>";
    su_read_options two = { .header_rows = 2 };
    assert_workbook((workbook) { .sheet = sheet }, &two,
                    "[Id][Place / region][Place / town][People / men][People / women][note]\n[1][][x][][][y]");
    assert_workbook((workbook) { .sheet = sheet }, NULL,
                    "[Id][Place][column_3][People][column_5][column_6]\n[][region][town][men][women][note]\n[1][][x][][][y]");
}

static void sheets_are_found_by_name(void **state)
{
    (void)state;
    static const char book[] =
        "<sheets><sheet name='Hidden' sheetId='1' state='hidden' r:id='r1'/><sheet name='Chart' sheetId='2' r:id='r3'/>"
        "<sheet name='People ' sheetId='3' r:id='r2'/></sheets>";
    workbook w = { .book = book,
                   .sheet = "<sheetData><row><c t='str'><v>secret</v></c></row></sheetData>",
                   .sheet2 = "<sheetData><row><c t='str'><v>open</v></c></row></sheetData>" };
    su_read_options by_name = { .sheet = "people" }, hidden = { .sheet = "Hidden" }, none = { .sheet = "Nobody" },
                    chart = { .sheet = "Chart" };
    assert_workbook(w, NULL, "[open]");
    assert_workbook(w, &by_name, "[open]");
    assert_workbook(w, &hidden, "[secret]");
    assert_workbook_refused(
        w, &none, "cases.xlsx: there is no sheet \"Nobody\". Its sheets are: \"Hidden\" (hidden), \"People \". Name one of them.");
    assert_workbook_refused(w, &chart,
                            "cases.xlsx: there is no sheet \"Chart\". Its sheets are: \"Hidden\" (hidden), \"People \". Name one of them.");
    w.sheet2 = "<sheetData/>";
    assert_workbook(w, NULL, "[secret]"); /* no visible sheet has rows */
    assert_workbook_refused(w, &by_name, "cases.xlsx: the sheet \"People \" is empty. A table needs at least a row with the column names.");
    w.sheet = "";
    assert_workbook_refused(w, NULL, "cases.xlsx: every sheet is empty. A table needs at least a row with the column names.");
}

static void keep_line(void *user, const char *line) { su_buf_printf(user, "%s\n", line); }

static void other_sheets_are_named(void **state)
{
    (void)state;
    static const char book[] =
        "<sheets><sheet name='Notes' sheetId='1' state='hidden' r:id='r1'/><sheet name='Cases' sheetId='2' r:id='r2'/>"
        "</sheets>";
    static const char filled[] = "<sheetData><row><c t='str'><v>x</v></c></row></sheetData>";
    static const struct {
        const char *sheet, *others, *chosen;
    } cases[] = { { filled, "\"Notes\" (hidden)", NULL },
                  { "<sheetData><row r='1'><c r='A1' s='0'/></row></sheetData>", NULL, NULL }, /* formatted, not filled */
                  { "<sheetData><row><c t='inlineStr'><is><t>x</t></is></c>", "\"Notes\" (hidden)",
                    NULL }, /* damaged behind the first cell */
                  { filled, NULL, "Cases" } };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        su_context ctx;
        su_raw_table *t = NULL;
        su_buf log = { 0 };
        su_read_options opts = { .sheet = cases[i].chosen };
        su_context_init(&ctx);
        ctx.log = keep_line;
        ctx.user = &log;
        su_buf bytes = make_workbook((workbook) { .book = book, .sheet = cases[i].sheet, .sheet2 = filled });
        if (su_xlsx_parse(&ctx, "cases.xlsx", (su_str) { bytes.p, bytes.n }, &opts, &t) != SU_OK) fail_msg("%s", ctx.message);
        assert_int_equal(ctx.status, SU_OK);
        assert_string_equal(t->sheet, "Cases");
        if (cases[i].others == NULL) {
            assert_null(t->others);
            assert_int_equal(log.n, 0);
        } else {
            assert_string_equal(t->others, cases[i].others);
            assert_string_equal(log.p,
                                "cases.xlsx: the sheet \"Cases\" was read. The workbook also has \"Notes\" (hidden); to read another one, "
                                "name it (--sheet).\n");
        }
        su_raw_table_free(t);
        su_buf_free(&bytes);
        su_buf_free(&log);
    }
}

static void the_sheets_of_a_file_are_listed(void **state)
{
    (void)state;
    su_context ctx;
    su_arena arena;
    char **names = NULL;
    size_t count = 0;
    su_context_init(&ctx);
    su_arena_init(&arena);
    su_buf bytes = make_workbook((workbook) {
        .book = "<sheets><sheet name='One &amp; only' sheetId='1' r:id='r1'/><sheet name='Zwei' sheetId='2' r:id='r2'/></sheets>" });
    const char *path = su_test_path("two sheets.bin");
    assert_int_equal(su_file_write(&ctx, path, bytes.p, bytes.n, 0600), SU_OK);
    assert_int_equal(su_xlsx_sheets(&ctx, &arena, path, &names, &count), SU_OK);
    assert_int_equal(count, 2);
    assert_string_equal(names[0], "One & only");
    assert_string_equal(names[1], "Zwei");
    assert_int_equal(su_xlsx_sheets(&ctx, &arena, su_test_path("absent.xlsx"), &names, &count), SU_IO);
    su_buf_free(&bytes);
    su_arena_free(&arena);
}

/* An independent writer, and prefixes and strictness of other programs. */
static void reads_what_libxlsxwriter_writes(void **state)
{
    (void)state;
    su_context ctx;
    su_random random;
    su_raw_table *t = NULL;
    enum { ROWS = 300, COLUMNS = 7 };
    static char texts[ROWS][COLUMNS][40];
    const char *path = su_test_path("written.xlsx");
    su_context_init(&ctx);
    su_test_random(&random);
    lxw_workbook *book = workbook_new(path);
    lxw_worksheet *sheet = workbook_add_worksheet(book, "Fälle");
    for (lxw_row_t r = 0; r < ROWS; r++) {
        for (lxw_col_t c = 0; c < COLUMNS; c++) {
            char *text = texts[r][c];
            uint64_t kind = r == 0 ? 0 : su_random_below(&random, 4);
            int64_t number = (int64_t)su_random_below(&random, 1000000) - 500000;
            if (kind == 0)
                snprintf(text, sizeof texts[r][c], "%u <&> \"é\" ش\n%lld", (unsigned)c, (long long)number);
            else if (kind == 1)
                snprintf(text, sizeof texts[r][c], "%lld", (long long)number);
            else if (kind == 2)
                snprintf(text, sizeof texts[r][c], "%lld.25", (long long)number);
            if (kind == 0)
                worksheet_write_string(sheet, r, c, text, NULL);
            else if (kind <= 2)
                worksheet_write_number(sheet, r, c, strtod(text, NULL), NULL);
            if (c == 0 && kind == 3) worksheet_write_boolean(sheet, r, c, 1, NULL), snprintf(text, sizeof texts[r][c], "TRUE");
        }
    }
    assert_int_equal(workbook_close(book), LXW_NO_ERROR);
    if (su_table_read(&ctx, path, NULL, &t) != SU_OK) fail_msg("refused: %s", ctx.message);
    assert_int_equal(t->column_count, COLUMNS);
    assert_string_equal(t->sheet, "Fälle");
    for (uint64_t r = 0; r < t->row_count; r++)
        for (uint32_t c = 0; c < COLUMNS; c++) assert_string_equal(cell(t, r, c).p, texts[t->row_line[r] - 1][c]);
    assert_true(t->row_count >= ROWS - 2);
    su_raw_table_free(t);
}

static void namespaces_may_have_prefixes(void **state)
{
    (void)state;
    const part parts[] = {
        { "_rels/.rels",
          "<p:Relationships xmlns:p='x'><p:Relationship Id='a' "
          "Type='http://purl.oclc.org/ooxml/officeDocument/relationships/officeDocument' Target='/book/wb.xml'/></p:Relationships>",
          0 },
        { "book/wb.xml", "<x:workbook xmlns:x='y' xmlns:q='z'><x:sheets><x:sheet name='S' sheetId='1' q:id='k'/></x:sheets></x:workbook>",
          0 },
        { "book/_rels/wb.xml.rels",
          "<Relationships><Relationship Id='k' Type='http://purl.oclc.org/ooxml/officeDocument/relationships/worksheet' "
          "Target='./s/../one.xml'/></Relationships>",
          0 },
        { "book/one.xml",
          "<x:worksheet xmlns:x='y'><x:sheetData><x:row><x:c "
          "t='inlineStr'><x:is><x:t>h</x:t></x:is></x:c></x:row><x:row><x:c><x:v>1</x:v></x:c></x:row></x:sheetData></x:worksheet>",
          0 },
    };
    su_raw_table *t = read_xlsx_with(make_zip(parts, sizeof parts / sizeof parts[0]), NULL);
    assert_shows(t, "[h]\n[1]");
    su_raw_table_free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_of_cell),
        cmocka_unit_test(numbers_print_short_and_exact),
        cmocka_unit_test(dates_become_iso),
        cmocka_unit_test(dates_agree_with_gmtime),
        cmocka_unit_test(sparse_sheets_keep_their_grid),
        cmocka_unit_test(merged_headers_are_joined),
        cmocka_unit_test(sheets_are_found_by_name),
        cmocka_unit_test(other_sheets_are_named),
        cmocka_unit_test(the_sheets_of_a_file_are_listed),
        cmocka_unit_test(reads_what_libxlsxwriter_writes),
        cmocka_unit_test(namespaces_may_have_prefixes),
    };
    return cmocka_run_group_tests_name("table: xlsx", tests, NULL, NULL);
}
