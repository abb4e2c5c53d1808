/* CSV: every error, word for word: where it is and what to do. */
#include "table_test.h"

static void assert_refused(su_str bytes, const su_read_options *opts, su_status status, const char *message)
{
    su_context ctx;
    su_raw_table *t = NULL;
    su_context_init(&ctx);
    assert_int_equal(su_csv_parse(&ctx, "cases.csv", bytes, opts, &t), status);
    assert_string_equal(ctx.message, message);
    assert_null(t);
}

static void names_line_and_column(void **state)
{
    (void)state;
    const struct {
        const char *text, *message;
    } cases[] = {
        { "", "cases.csv: the file is empty. A table needs at least a line with the column names." },
        { "\n\r\n\n", "cases.csv: the file is empty. A table needs at least a line with the column names." },
        { "\xEF\xBB\xBF", "cases.csv: the file is empty. A table needs at least a line with the column names." },
        { "sep=;\n", "cases.csv: the file is empty. A table needs at least a line with the column names." },
        { "a,b,c\n1,2,3\n1,2\n", "cases.csv, line 3, column 3: the row has 2 cells, the header has 3 (delimiter: comma). Add the missing "
                                 "cells (they may be empty), or put cells that hold a line break in double quotes." },
        { "a;b\n1;2\n\n\"x\ny\";2\n1\n",
          "cases.csv, line 6, column 2: the row has 1 cell, the header has 2 (delimiter: semicolon). Add the "
          "missing cells (they may be empty), or put cells that hold a line break in double quotes." },
        { "a\tb\n1\t2\t3\t4\n", "cases.csv, line 2, column 3: the row has 4 cells, the header has 2 (delimiter: tab). If the first lines "
                                "are a title, delete the lines above the column names; otherwise put cells that hold the delimiter in "
                                "double quotes." },
        { "a,b\n1,2\n3,4,5\n", "cases.csv, line 3, column 3: the row has 3 cells, the header has 2 (delimiter: comma). Put cells that hold "
                               "the delimiter in double quotes, or remove the cells that are too many." },
        { "Report\n2024\n\nsex,age\nF,1\n",
          "cases.csv, line 4, column 2: the row has 2 cells, the header has 1 (delimiter: comma). If the first lines are a title, delete "
          "the lines above the column names; otherwise put cells that hold the delimiter in double quotes." },
        { "text\nhello, world\n", "cases.csv, line 2, column 2: the row has 2 cells, the header has 1 (delimiter: comma). If the first "
                                  "lines are a title, delete the lines above the column names; otherwise put cells that hold the delimiter "
                                  "in double quotes." },
        { "a,b\n1,2\n3,é\"\né,\"x\n,,\n", "cases.csv, line 4, column 2, character 3: a quote is opened here and never closed. Close it, or "
                                          "write a quote that belongs to the text as \"\" inside a quoted cell." },
        { "\"a,b\n1,2\n", "cases.csv, line 1, column 1, character 1: a quote is opened here and never closed. Close it, or write a quote "
                          "that belongs to the text as \"\" inside a quoted cell." },
        { "a,b\n1,\"2\"x\n",
          "cases.csv, line 2, column 2, character 6: text after the closing quote of a cell (opened in line 2, character "
          "3). Write a quote that belongs to the text as \"\", or remove the quotes around the cell." },
        { "a,b\né,\"x\r\ny\" ,3\n", "cases.csv, line 3, column 2, character 3: text after the closing quote of a cell (opened in line 2, "
                                    "character 3). Write a quote that belongs to the text as \"\", or remove the quotes around the cell." },
        { "a,b,c,b\n", "cases.csv, line 1: the columns 2 and 4 are both named \"b\". Give every column a name of its own in the header and "
                       "read the file again." },
        { "\n\n,column_1\n", "cases.csv, line 3: the columns 1 and 2 are both named \"column_1\". Give every column a name of its own in "
                             "the header and read the file again." },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) assert_refused(su_str_of(cases[i].text), NULL, SU_INPUT, cases[i].message);
}

/* 80 bytes would end inside the 40th "é" after the "x": the message ends before it. */
static void long_names_are_cut_between_characters(void **state)
{
    (void)state;
    su_buf text = { 0 }, message = { 0 };
    for (int copy = 0; copy < 2; copy++) {
        su_buf_char(&text, 'x');
        for (int i = 0; i < 100; i++) su_buf_text(&text, "é");
        su_buf_char(&text, copy == 0 ? ';' : '\n');
    }
    su_buf_text(&message, "cases.csv, line 1: the columns 1 and 2 are both named \"x");
    for (int i = 0; i < 39; i++) su_buf_text(&message, "é");
    su_buf_text(&message, "\". Give every column a name of its own in the header and read the file again.");
    assert_refused((su_str) { text.p, text.n }, NULL, SU_INPUT, message.p);
    su_buf_free(&text);
    su_buf_free(&message);
}

static void refuses_what_is_no_text(void **state)
{
    (void)state;
    const struct {
        su_str bytes;
        const char *message;
    } cases[] = {
        { SU_STR("a,b\n1,2\n3,x\0y\n"),
          "cases.csv, line 3, character 4: a NUL byte, which no text file holds. The file is damaged or is no "
          "CSV file. Export it again from the system it comes from." },
        { SU_STR("\xEF\xBB\xBF"
                 "a\n\0\n"),
          "cases.csv, line 2, character 1: a NUL byte, which no text file holds. The file is damaged or is no CSV file. Export it again "
          "from the system it comes from." },
        { SU_STR("\xFF\xFE"
                 "a\0,\0\n\0\0\0"),
          "cases.csv, line 2, character 1: a NUL byte, which no text file holds. The file is damaged or is no CSV file. Export it again "
          "from the system it comes from." },
        { SU_STR("a,b\ncaf\xC3\xA9,th\xC3\xA9\n\xC3\xA9t\xC3\xA9,\xC3(\n"),
          "cases.csv, line 3, character 5: a byte that is not UTF-8 in a file that otherwise is. The text was damaged here, or two files "
          "of "
          "different encodings were joined. Correct this place, or export the file again as CSV UTF-8." },
        /* Nine strays to one sequence: still UTF-8 with damage. Ten to one is Windows-1252 (test_csv_random.c). */
        { SU_STR("a,b\n\xE9t\xE9 \xE9t\xE9 \xE9t\xE9 \xE9t\xE9 \xE9t,\xC9\xBB\n"),
          "cases.csv, line 2, character 1: a byte that is not UTF-8 in a file that otherwise is. The text was damaged here, or two files "
          "of "
          "different encodings were joined. Correct this place, or export the file again as CSV UTF-8." },
        { SU_STR("\xEF\xBB\xBF"
                 "a,b\n1,\xE9\n"),
          "cases.csv, line 2, character 3: a byte that is not UTF-8 in a file that otherwise is. The text was damaged here, or two files "
          "of "
          "different encodings were joined. Correct this place, or export the file again as CSV UTF-8." },
        { SU_STR("a,b\n\xE9t\xE9,caf\xE9 \x81\n"), "cases.csv, line 2, character 10: the file is neither UTF-8 nor Windows-1252 text. Open "
                                                   "it in the program it comes from and save it as CSV UTF-8." },
        { SU_STR("a,b\n1,\xE3\xD5\xD1\xC7\xE4\xED\n2,\xD3\xE6\xD1\xED\xC9\n"),
          "cases.csv, line 2, character 3: the file is not UTF-8 and looks like an older Arabic, Cyrillic or Greek encoding (such as "
          "Windows-1256), which cannot be told apart safely. Open it in the program it comes from and save it as CSV UTF-8." },
        { SU_STR("\xFE\xFF\0a\0"), "cases.csv: UTF-16 text with an odd number of bytes. The file was cut short. Copy or export it again." },
        { SU_STR("\xFE\xFF\0a\0\n\0b\xD8\0\0,"),
          "cases.csv, line 2, character 2: half a character (a UTF-16 surrogate by itself). The file "
          "is damaged. Export it again as CSV UTF-8." },
        { SU_STR("\xFE\xFF\0a\0\n\xDC\0"), "cases.csv, line 2, character 1: half a character (a UTF-16 surrogate by itself). The file is "
                                           "damaged. Export it again as CSV UTF-8." },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) assert_refused(cases[i].bytes, NULL, SU_INPUT, cases[i].message);
}

static void keeps_limits(void **state)
{
    (void)state;
    su_buf b = { 0 };
    su_buf_text(&b, "a,b\n1,2\n3,");
    for (size_t i = 0; i <= SU_MAX_CELL_BYTES + 1; i++) su_buf_char(&b, 'x');
    su_buf_text(&b, "\n");
    assert_refused((su_str) { b.p, b.n }, NULL, SU_INPUT,
                   "cases.csv, line 3, column 2: a cell of more than 1048576 bytes. Is a closing quote missing, or is this no CSV file?");
    b.p[10] = '"'; /* the same within quotes */
    b.p[b.n - 1] = '"';
    assert_refused((su_str) { b.p, b.n }, NULL, SU_INPUT,
                   "cases.csv, line 3, column 2: a cell of more than 1048576 bytes. Is a closing quote missing, or is this no CSV file?");
    b.n = 0;
    su_buf_text(&b, "a,b\n1,\"");
    for (size_t i = 0; i <= SU_MAX_CELL_BYTES; i++) su_buf_text(&b, "\"\"");
    su_buf_text(&b, "\"\n");
    assert_refused((su_str) { b.p, b.n }, NULL, SU_INPUT,
                   "cases.csv, line 2, column 2: a cell of more than 1048576 bytes. Is a closing quote missing, or is this no CSV file?");
    b.n = 0;
    for (unsigned c = 0; c <= SU_MAX_COLUMNS; c++) su_buf_printf(&b, "%s%u", c == 0 ? "" : "|", c);
    assert_refused(
        (su_str) { b.p, b.n }, NULL, SU_INPUT,
        "cases.csv, line 1: more than 4096 columns (delimiter: vertical bar). Split the table; if this is not its delimiter, save "
        "it again with another one (comma, semicolon or tab).");
    su_buf_free(&b);
    su_read_options small = { .max_bytes = 8 };
    assert_refused(SU_STR("a,b\n1,2\n3,4\n"), &small, SU_INPUT, "cases.csv: larger than the limit of 8 bytes. Split the file.");
}

static void refuses_options_without_meaning(void **state)
{
    (void)state;
    su_read_options quote = { .delimiter = '"' }, three = { .header_rows = 3 }, two = { .header_rows = 2 };
    assert_refused(SU_STR("a\n"), &quote, SU_USAGE,
                   "A quote, a line end or a character beyond ASCII cannot be the delimiter. Use , ; tab or |.");
    assert_refused(SU_STR("a\n"), &three, SU_USAGE, "A table has one or two header rows, not 3.");
    assert_refused(SU_STR("a,b\n\n"), &two, SU_INPUT,
                   "cases.csv, line 3: the file ends before the second header row. Read it with one header row.");
    assert_refused(SU_STR("a,b\nc\n"), &two, SU_INPUT,
                   "cases.csv, line 2, column 2: the row has 1 cell, the header has 2 (delimiter: comma). Add the missing cells (they may "
                   "be empty), or put cells that hold a line break in double quotes.");
    assert_refused(SU_STR("a,,b\nx,x,y\n"), &two, SU_INPUT,
                   "cases.csv, line 1: the columns 1 and 2 are both named \"a / x\". Give every column a name of its own in the header and "
                   "read the file again.");
}

static void a_cancelled_read_stops(void **state)
{
    (void)state;
    su_buf b = { 0 };
    su_context ctx;
    su_raw_table *t = NULL;
    const volatile int cancel = 1;
    su_context_init(&ctx);
    ctx.cancel = &cancel;
    su_buf_text(&b, "a\n");
    for (int i = 0; i < 70000; i++) su_buf_text(&b, "1\n");
    assert_int_equal(su_csv_parse(&ctx, "cases.csv", (su_str) { b.p, b.n }, NULL, &t), SU_CANCELLED);
    assert_null(t);
    su_buf_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_line_and_column),           cmocka_unit_test(long_names_are_cut_between_characters),
        cmocka_unit_test(refuses_what_is_no_text),         cmocka_unit_test(keeps_limits),
        cmocka_unit_test(refuses_options_without_meaning), cmocka_unit_test(a_cancelled_read_stops),
    };
    return cmocka_run_group_tests_name("table: csv errors", tests, NULL, NULL);
}
