/* XLSX: every error, word for word, and damaged workbooks of every kind. */
#include "xlsx_fixture.h"

#define HEAD "<row r='1'><c r='A1' t='str'><v>a</v></c><c r='B1' t='str'><v>b</v></c></row>"

static void error_cells_are_listed(void **state)
{
    (void)state;
    assert_workbook_refused(
        (workbook) { .sheet = "<sheetData>" HEAD "<row r='2'><c r='A2' t='e'><f>1/0</f><v>#DIV/0!</v></c></row><row r='5'><c r='BC5' "
                              "t='e'><v>#N/A</v></c></row></sheetData>" },
        NULL,
        "cases.xlsx, sheet \"Cases\": 2 cells with an error value: A2 (#DIV/0!), BC5 (#N/A). Correct or clear them, save and read again.");
    su_buf sheet = { 0 };
    su_buf_text(&sheet, "<sheetData>" HEAD);
    for (int i = 0; i < 30; i++) su_buf_text(&sheet, "<row><c t='e'><v>#REF!</v></c></row>");
    su_buf_text(&sheet, "</sheetData>");
    assert_workbook_refused(
        (workbook) { .sheet = sheet.p }, NULL,
        "cases.xlsx, sheet \"Cases\": 30 cells with an error value: A2 (#REF!), A3 (#REF!), A4 (#REF!), A5 (#REF!), A6 (#REF!), A7 "
        "(#REF!), A8 (#REF!), A9 (#REF!), A10 (#REF!), A11 (#REF!), A12 (#REF!), A13 (#REF!), A14 (#REF!), A15 (#REF!), A16 (#REF!), A17 "
        "(#REF!), A18 (#REF!), A19 (#REF!), A20 (#REF!), A21 (#REF!), .... Correct or clear them, save and read again.");
    su_buf_free(&sheet);
}

static void formulas_need_a_stored_value(void **state)
{
    (void)state;
    const char *const cells[] = { "<c r='B2'><f>A1</f></c>", "<c r='B2'><f>A1</f><v></v></c>", "<c r='B2'><f>A1</f><v/></c>",
                                  "<c r='B2' t='str'><f>A1</f></c>" };
    for (size_t i = 0; i < sizeof cells / sizeof cells[0]; i++) {
        su_buf sheet = { 0 };
        su_buf_printf(&sheet, "<sheetData>" HEAD "<row r='2'>%s</row></sheetData>", cells[i]);
        assert_workbook_refused((workbook) { .sheet = sheet.p }, NULL,
                                "cases.xlsx, sheet \"Cases\": 1 cell with a formula whose result is not stored in the file: B2. Open it in "
                                "a spreadsheet program, let it calculate, save and read again.");
        su_buf_free(&sheet);
    }
}

static void names_the_cell(void **state)
{
    (void)state;
    const struct {
        const char *rows, *message;
    } cases[] = {
        { HEAD "<row r='2'><c r='B2' t='s'><v>9</v></c></row>",
          "cases.xlsx, sheet \"Cases\", cell B2 (line 2, column 2): it names a shared text that the file does not have. The file is "
          "damaged. Open it in a spreadsheet program and save it again." },
        { HEAD "<row r='2'><c r='B2'><v>12x</v></c></row>", "cases.xlsx, sheet \"Cases\", cell B2 (line 2, column 2): it is stored as a "
                                                            "number but is none. The file is damaged. Open it in a "
                                                            "spreadsheet program and save it again." },
        { HEAD "<row r='2'><c r='FAN2'><v>1</v></c></row>", NULL }, /* the last column that may be */
        { HEAD "<row r='2'><c r='FAO2'><v>1</v></c></row>", "cases.xlsx, sheet \"Cases\", cell FAO2 (line 2, column 4097): beyond column "
                                                            "4,096. Delete columns that are not needed, or split the table." },
        { HEAD "<row r='1048577'><c r='A1048577'><v>1</v></c></row>",
          "cases.xlsx, sheet \"Cases\", cell A1048577 (line 1048577, column 1): beyond row 1,048,576. Split the table." },
        { HEAD "<row r='3'><c r='A3'><v>1</v></c></row><row r='3'/>",
          "cases.xlsx, sheet \"Cases\", cell A3 (line 3, column 1): rows and cells are not in order. The file is damaged. Open it in a "
          "spreadsheet program, save it again and read that." },
        { HEAD "<row r='2'><c r='B2'><v>1</v></c><c r='A2'><v>1</v></c></row>",
          "cases.xlsx, sheet \"Cases\", cell A2 (line 2, column 1): rows and cells are not in order. The file is damaged. Open it in a "
          "spreadsheet program, save it again and read that." },
        { HEAD "<row r='2'><c r='B3'><v>1</v></c></row>",
          "cases.xlsx, sheet \"Cases\", cell B2 (line 2, column 2): rows and cells are not in order. The file is damaged. Open it in a "
          "spreadsheet program, save it again and read that." },
        { "<row r='4'><c t='str'><v>x</v></c><c t='str'><v>y</v></c><c t='str'><v>x</v></c></row>",
          "cases.xlsx, sheet \"Cases\", line 4: the columns 1 and 3 are both named \"x\". Give every column a name of its own in the "
          "header "
          "and read the file again." },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        su_buf sheet = { 0 };
        su_buf_printf(&sheet, "<sheetData>%s</sheetData>", cases[i].rows);
        if (cases[i].message == NULL) {
            su_raw_table *t = read_xlsx_with(make_workbook((workbook) { .sheet = sheet.p }), NULL);
            assert_int_equal(t->column_count, SU_MAX_COLUMNS);
            su_raw_table_free(t);
        } else {
            assert_workbook_refused((workbook) { .sheet = sheet.p }, NULL, cases[i].message);
        }
        su_buf_free(&sheet);
    }
}

static void damaged_parts_are_refused(void **state)
{
    (void)state;
    assert_workbook_refused((workbook) { .sheet = "<sheetData><row></sheetData>" }, NULL,
                            "cases.xlsx: the part xl/worksheets/sheet1.xml is not well-formed XML (line 1: mismatched tag). Open the file "
                            "in a spreadsheet program, save it again and read that.");
    const part doctype[] = { { "_rels/.rels",
                               "<!DOCTYPE r [<!ENTITY a 'aaaaaaaa'><!ENTITY b '&a;&a;&a;'>]><Relationships>&b;</Relationships>", 0 } };
    assert_bytes_refused(make_zip(doctype, 1), NULL,
                         "cases.xlsx: the part _rels/.rels holds a document type definition, which no spreadsheet program writes. It was "
                         "not read: it may be made to harm.");
    const part no_book[] = { { "_rels/.rels", "<Relationships/>", 0 } };
    assert_bytes_refused(make_zip(no_book, 1), NULL,
                         "cases.xlsx: the archive names no workbook. The file is damaged or of another kind. Save it again as XLSX.");
    const part no_part[] = { { "_rels/.rels", TOP_RELS, 0 } };
    assert_bytes_refused(make_zip(no_part, 1), NULL,
                         "cases.xlsx: the part xl/workbook.xml is missing. The file is damaged or is no workbook. Save it again as XLSX.");
    su_buf deep = { 0 };
    for (int i = 0; i < 300; i++) su_buf_text(&deep, "<x>");
    assert_workbook_refused(
        (workbook) { .sheet = deep.p }, NULL,
        "cases.xlsx: the part xl/worksheets/sheet1.xml is nested too deeply for a workbook. The file is damaged or was made to harm.");
    su_buf_free(&deep);
    assert_workbook_refused((workbook) { .book = "<sheets/>" }, NULL,
                            "cases.xlsx holds no worksheet. If it is a text document, save its table as XLSX or CSV UTF-8.");
}

static void other_kinds_of_file_are_named(void **state)
{
    (void)state;
    const part ods[] = { { "mimetype", "application/vnd.oasis.opendocument.spreadsheet", 0 }, { "content.xml", "<x/>", 0 } };
    assert_bytes_refused(
        make_zip(ods, 2), NULL,
        "cases.xlsx is an OpenDocument file (.ods), which is not supported. Open it, choose Save As, and save it as XLSX or CSV UTF-8.");
    const part xlsb[] = { { "_rels/.rels", "<x/>", 0 }, { "xl/workbook.bin", "x", 0 } };
    assert_bytes_refused(make_zip(xlsb, 2), NULL, "cases.xlsx is a binary workbook (.xlsb). Open it and save it as XLSX or CSV UTF-8.");
    const part zip[] = { { "cases.csv", "a,b", 0 } };
    assert_bytes_refused(make_zip(zip, 1), NULL, "cases.xlsx is a ZIP archive, but not a workbook. Unpack it and read the file inside.");
    su_buf ole = { 0 };
    su_buf_add(&ole, "\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1 some sectors", 21);
    su_buf encrypted = { 0 };
    su_buf_add(&encrypted, ole.p, ole.n);
    assert_bytes_refused(
        ole, NULL, "cases.xlsx is in the old Excel format (.xls). Open it in a spreadsheet program and save it as XLSX or CSV UTF-8.");
    su_buf_add(&encrypted, "E\0n\0c\0r\0y\0p\0t\0e\0d\0P\0a\0c\0k\0a\0g\0e\0", 32);
    assert_bytes_refused(encrypted, NULL,
                         "cases.xlsx is protected by a password. Open it in the spreadsheet program, remove the password (File, Info, "
                         "Protect Workbook, Encrypt with Password: empty), save it to a safe place and read that file.");
    su_buf text = { 0 };
    su_buf_text(&text, "a,b\n");
    assert_bytes_refused(text, NULL, "cases.xlsx is not an XLSX workbook.");
}

static const char truncated[] = "cases.xlsx is damaged or incomplete: it begins like a workbook, but its table of contents at the end is "
                                "missing or wrong. Was the copy or download cut short? Copy it again from where it came.";

static void truncated_files_are_named(void **state)
{
    (void)state;
    su_buf whole = make_workbook((workbook) { .sheet = "<sheetData>" HEAD "</sheetData>" });
    for (size_t n = 4; n < whole.n; n += 97) {
        su_buf cut = { 0 };
        su_buf_add(&cut, whole.p, n);
        assert_bytes_refused(cut, NULL, truncated);
    }
    su_buf_free(&whole);
}

static void bombs_are_not_unpacked(void **state)
{
    (void)state;
    size_t n = (size_t)16 << 20;
    char *blanks = su_alloc(n + 1);
    memset(blanks, ' ', n);
    const part dense[] = { { "_rels/.rels", TOP_RELS, 0 }, { "xl/workbook.xml", blanks, n } };
    su_buf bomb = make_zip(dense, 2);
    assert_true(bomb.n < 100000);
    double before = su_clock_cpu();
    assert_bytes_refused(bomb, NULL,
                         "cases.xlsx would unpack to far more than a workbook holds (one part shrinks more than 200 to 1): a \"zip bomb\", "
                         "or a sheet formatted down to its last row. It was not read. Delete the empty rows and columns and save again, or "
                         "export the sheet as CSV UTF-8.");
    assert_true(su_clock_cpu() - before < 0.5);
    su_read_options small = { .max_bytes = 1000 };
    assert_workbook_refused(
        (workbook) { .sheet = "<sheetData>" HEAD "</sheetData>" }, &small,
        "cases.xlsx would unpack to far more than a workbook holds (more bytes than the limit): a \"zip bomb\", or a sheet formatted down "
        "to its last row. It was not read. Delete the empty rows and columns and save again, or export the sheet as CSV UTF-8.");
    free(blanks);
    part *many = su_alloc_array(10001, sizeof *many);
    su_arena names;
    su_arena_init(&names);
    for (unsigned i = 0; i < 10001; i++) many[i] = (part) { su_arena_printf(&names, "x/%u", i), "x", 0 };
    assert_bytes_refused(
        make_zip(many, 10001), NULL,
        "cases.xlsx would unpack to far more than a workbook holds (more than 10,000 parts): a \"zip bomb\", or a sheet formatted down to "
        "its last row. It was not read. Delete the empty rows and columns and save again, or export the sheet as CSV UTF-8.");
    su_arena_free(&names);
    free(many);
}

/* The archive says 1,000 bytes, 16 MB come out: what counts is what comes out. */
static void sizes_that_lie_do_not_help(void **state)
{
    (void)state;
    size_t n = (size_t)16 << 20;
    char *blanks = su_alloc(n + 1);
    memset(blanks, ' ', n);
    const part dense[] = { { "_rels/.rels", blanks, n } };
    su_buf bomb = make_zip(dense, 1);
    static const unsigned char lie[4] = { 0xE8, 3, 0, 0 };
    char *central = memmem(bomb.p, bomb.n, "PK\1\2", 4);
    assert_non_null(central);
    memcpy(bomb.p + 22, lie, sizeof lie); /* uncompressed size in the local and in the central header (APPNOTE.TXT 4.3.7, 4.3.12) */
    memcpy(central + 24, lie, sizeof lie);
    su_context ctx;
    su_raw_table *t = NULL;
    su_context_init(&ctx);
    assert_int_equal(su_xlsx_parse(&ctx, "cases.xlsx", (su_str) { bomb.p, bomb.n }, NULL, &t), SU_INPUT);
    assert_string_equal(ctx.message, "cases.xlsx: the part _rels/.rels unpacks to far more than the file states: a \"zip bomb\". It was "
                                     "not read. Ask where the file comes from.");
    assert_null(t);
    su_buf_free(&bomb);
    free(blanks);
}

/* A sheet of 2^20 rows whose cells walk over every column would need 2^32 places: refused before memory is taken. */
static void wide_and_long_grids_are_bounded(void **state)
{
    (void)state;
    su_buf sheet = { 0 };
    su_buf_text(&sheet, "<sheetData>" HEAD);
    for (int i = 0; i < 70000; i++) su_buf_text(&sheet, "<row><c><v>1</v></c></row>");
    su_buf_text(&sheet, "<row r='70002'><c r='FAN70002'><v>1</v></c></row></sheetData>");
    assert_workbook_refused((workbook) { .sheet = sheet.p }, NULL,
                            "cases.xlsx, sheet \"Cases\", cell FAN70002 (line 70002, column 4096): more than 268 million cells from the "
                            "first to here. Split the table.");
    su_buf_free(&sheet);
}

/* Bytes changed at random: refused or read, never anything else (run under the sanitizers). */
static void damaged_bytes_never_crash(void **state)
{
    (void)state;
    su_random random;
    su_test_random(&random);
    su_buf whole =
        make_workbook((workbook) { .sheet = "<sheetData>" HEAD "<row r='2'><c r='A2' s='1'><v>43831.5</v></c><c r='B2' "
                                            "t='s'><v>0</v></c></row></sheetData><mergeCells><mergeCell ref='A1:B1'/></mergeCells>",
                                   .strings = "<si><t>shared</t></si>",
                                   .styles = "<cellXfs><xf numFmtId='0'/><xf numFmtId='22'/></cellXfs>" });
    unsigned read = 0;
    for (int round = 0; round < 3000; round++) {
        su_context ctx;
        su_raw_table *t = NULL;
        su_read_options opts = { .header_rows = 1 + (unsigned)(round % 2) };
        su_buf bytes = { 0 };
        su_context_init(&ctx);
        su_buf_add(&bytes, whole.p, whole.n);
        for (uint64_t k = 1 + su_random_below(&random, 4); k > 0; k--)
            bytes.p[su_random_below(&random, bytes.n)] = (char)su_random_below(&random, 256);
        su_status status = su_xlsx_parse(&ctx, "cases.xlsx", (su_str) { bytes.p, bytes.n }, &opts, &t);
        assert_true(status == SU_OK || status == SU_INPUT);
        assert_true((status == SU_OK) == (t != NULL));
        read += status == SU_OK;
        su_raw_table_free(t);
        su_buf_free(&bytes);
    }
    print_message("# %u of 3000 damaged workbooks could still be read\n", read);
    su_buf_free(&whole);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(error_cells_are_listed),
        cmocka_unit_test(formulas_need_a_stored_value),
        cmocka_unit_test(names_the_cell),
        cmocka_unit_test(damaged_parts_are_refused),
        cmocka_unit_test(other_kinds_of_file_are_named),
        cmocka_unit_test(truncated_files_are_named),
        cmocka_unit_test(bombs_are_not_unpacked),
        cmocka_unit_test(sizes_that_lie_do_not_help),
        cmocka_unit_test(wide_and_long_grids_are_bounded),
        cmocka_unit_test(damaged_bytes_never_crash),
    };
    return cmocka_run_group_tests_name("table: xlsx errors", tests, NULL, NULL);
}
