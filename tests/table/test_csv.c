/* CSV: what is read, cell for cell. */
#include "table_test.h"

static void reads_plain_and_quoted_cells(void **state)
{
    (void)state;
    assert_csv("a,b\n1,2\n", "[a][b]\n[1][2]");
    assert_csv("a,b\r\n1,2\r\n3,4", "[a][b]\n[1][2]\n[3][4]");
    assert_csv("a,b\r1,2\r3,4\r", "[a][b]\n[1][2]\n[3][4]");
    assert_csv("a,b\n\"x, y\",\"say \"\"hi\"\"\"\n", "[a][b]\n[x, y][say \"hi\"]");
    assert_csv("a,b\n\"\",\"\"\"\"\n", "[a][b]\n[][\"]");
    assert_csv("a,b\n  1 , 2\t\n", "[a][b]\n[  1 ][ 2\t]");
    assert_csv("a,b\n5\" pipe,x\"y\"z\n", "[a][b]\n[5\" pipe][x\"y\"z]");
    assert_csv("a,b\n\"one\ntwo\",\"\r\n\"\n", "[a][b]\n[one\ntwo][\r\n]");
    assert_csv("a,b,c\n,,\n1,,\n", "[a][b][c]\n[][][]\n[1][][]");
}

static void header_only_and_one_column(void **state)
{
    (void)state;
    assert_csv("a,b", "[a][b]");
    assert_csv("a", "[a]");
    assert_csv("a\n", "[a]");
    assert_csv("a\nx\n\ny\n\"\"\n", "[a]\n[x]\n[y]\n[]");
}

static void empty_lines_are_no_rows(void **state)
{
    (void)state;
    su_raw_table *t = read_csv("\n\r\na,b\n\n1,2\r\n\r\n\r3,4\n\n\n");
    assert_shows(t, "[a][b]\n[1][2]\n[3][4]");
    assert_int_equal(t->row_line[0], 5);
    assert_int_equal(t->row_line[1], 8);
    su_raw_table_free(t);
}

static void rows_know_their_line(void **state)
{
    (void)state;
    su_raw_table *t = read_csv("a,b\n\"x\ny\r\nz\rw\",1\n2,3\n");
    assert_int_equal(t->row_count, 2);
    assert_int_equal(t->row_line[0], 2);
    assert_int_equal(t->row_line[1], 6);
    su_raw_table_free(t);
}

static void names_the_nameless(void **state)
{
    (void)state;
    assert_csv(",a\n0,x\n", "[column_1][a]\n[0][x]");
    assert_csv(",a,,\n0,x,1,2\n", "[column_1][a][column_3][column_4]\n[0][x][1][2]");
}

static void finds_the_delimiter(void **state)
{
    (void)state;
    const struct {
        const char *text;
        char delimiter;
        uint32_t columns;
    } cases[] = {
        { "a;b;c\n1;2;3\n", ';', 3 },
        { "a\tb\n1\t2\n", '\t', 2 },
        { "a|b\n1|2\n", '|', 2 },
        { "a;b", ';', 2 },
        { "a\tb\tc\n", '\t', 3 },
        { "alone\n1\n2\n", ',', 1 },
        { "name;amount\nA;1,5\nB;2,5\n", ';', 2 },  /* decimal commas */
        { "id;text, long\n1;a\n2;b, c\n", ';', 2 }, /* a comma in the header, not in every row */
        { "\"a;b;c\",d\n\"1;2;3\",4\n", ',', 2 },   /* delimiters in quotes do not count */
        { "a,b;c\n1,2;3\n4,5;6\n", ',', 2 },        /* equal in every respect: the first of , ; tab | */
        { "a|b,c,d\n1|2,3,4\n", ',', 3 },           /* more columns win */
        { "sep=;\na,x;b\n1,5;2\n", ';', 2 },
        { "SEP=|\r\na,b|c\r\n", '|', 2 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        su_raw_table *t = read_csv(cases[i].text);
        if (t->delimiter != cases[i].delimiter || t->column_count != cases[i].columns)
            fail_msg("case %zu: '%c' and %u columns", i, t->delimiter, t->column_count);
        su_raw_table_free(t);
    }
    su_read_options opts = { .delimiter = ':' };
    su_raw_table *t = read_csv_with(SU_STR("a,b:c\n1,2:3\n"), &opts);
    assert_shows(t, "[a,b][c]\n[1,2][3]");
    su_raw_table_free(t);
}

static void a_sep_line_counts_as_a_line(void **state)
{
    (void)state;
    su_raw_table *t = read_csv("sep=;\r\na;b\r\n1;2\r\n");
    assert_shows(t, "[a][b]\n[1][2]");
    assert_int_equal(t->row_line[0], 3);
    su_raw_table_free(t);
    assert_csv("sep=x\n1\n", "[sep=x]\n[1]");
    assert_csv("sep=;x\n1;2\n", "[sep=][x]\n[1][2]");
}

static void two_header_rows_are_joined(void **state)
{
    (void)state;
    su_read_options opts = { .header_rows = 2 };
    su_raw_table *t = read_csv_with(SU_STR("Place,,People,,same\nregion,town,men,women,same\nx,y,1,2,3\n"), &opts);
    assert_shows(t, "[Place / region][Place / town][People / men][People / women][same]\n[x][y][1][2][3]");
    assert_int_equal(t->row_line[0], 3);
    su_raw_table_free(t);
    t = read_csv_with(SU_STR(",a\nid,b\n1,2\n"), &opts);
    assert_shows(t, "[id][a / b]\n[1][2]");
    su_raw_table_free(t);
}

static void finds_columns_exactly_then_folded(void **state)
{
    (void)state;
    su_raw_table *t = read_csv("Age,AGE,Country of  birth\n1,2,3\n");
    assert_int_equal(su_raw_table_column(t, SU_STR("AGE")), 1);
    assert_int_equal(su_raw_table_column(t, SU_STR("age")), -1); /* could be either */
    assert_int_equal(su_raw_table_column(t, SU_STR("COUNTRY OF BIRTH")), 2);
    assert_int_equal(su_raw_table_column(t, SU_STR("none")), -1);
    su_raw_table_free(t);
    su_raw_table_free(NULL);
}

static void ids_count_distinct_cells(void **state)
{
    (void)state;
    su_raw_table *t = read_csv("a,b\nx,1\ny,1\nx,\"1\"\n,2\n");
    assert_int_equal(su_dict_count(t->columns[0].values), 3);
    assert_int_equal(su_dict_count(t->columns[1].values), 2);
    const uint32_t wanted[] = { 0, 1, 0, 2 };
    assert_memory_equal(t->columns[0].ids, wanted, sizeof wanted);
    su_raw_table_free(t);
}

static void fingerprint_is_of_the_bytes(void **state)
{
    (void)state;
    su_raw_table *t = read_csv("\xEF\xBB\xBF"
                               "a,b\n1,2\n");
    su_sha256 wanted = su_sha256_of("\xEF\xBB\xBF"
                                    "a,b\n1,2\n",
                                    11);
    assert_memory_equal(&t->fingerprint, &wanted, sizeof wanted);
    assert_string_equal(t->encoding, "UTF-8 with BOM");
    assert_string_equal(t->columns[0].name, "a");
    assert_string_equal(t->source, "cases.csv");
    assert_null(t->sheet);
    su_raw_table_free(t);
}

static void cells_up_to_one_mebibyte(void **state)
{
    (void)state;
    su_buf b = { 0 };
    su_buf_text(&b, "a,b\n");
    for (size_t i = 0; i < SU_MAX_CELL_BYTES; i++) su_buf_char(&b, 'x');
    su_buf_text(&b, ",y\n");
    su_raw_table *t = read_csv_with((su_str) { b.p, b.n }, NULL);
    assert_int_equal(cell(t, 0, 0).n, SU_MAX_CELL_BYTES);
    su_raw_table_free(t);
    su_buf_free(&b);
}

/* 10 MB in one line: 4,096 names of 2,500 characters. */
static void a_long_line_is_a_line(void **state)
{
    (void)state;
    su_buf b = { 0 };
    for (unsigned c = 0; c < SU_MAX_COLUMNS; c++) {
        su_buf_printf(&b, "%s%04u", c == 0 ? "" : ";", c);
        for (int i = 0; i < 2496; i++) su_buf_char(&b, 'n');
    }
    assert_true(b.n > 10000000);
    su_raw_table *t = read_csv_with((su_str) { b.p, b.n }, NULL);
    assert_int_equal(t->column_count, SU_MAX_COLUMNS);
    assert_int_equal(t->row_count, 0);
    assert_int_equal(t->delimiter, ';');
    su_raw_table_free(t);
    su_buf_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_plain_and_quoted_cells),
        cmocka_unit_test(header_only_and_one_column),
        cmocka_unit_test(empty_lines_are_no_rows),
        cmocka_unit_test(rows_know_their_line),
        cmocka_unit_test(names_the_nameless),
        cmocka_unit_test(finds_the_delimiter),
        cmocka_unit_test(a_sep_line_counts_as_a_line),
        cmocka_unit_test(two_header_rows_are_joined),
        cmocka_unit_test(finds_columns_exactly_then_folded),
        cmocka_unit_test(ids_count_distinct_cells),
        cmocka_unit_test(fingerprint_is_of_the_bytes),
        cmocka_unit_test(cells_up_to_one_mebibyte),
        cmocka_unit_test(a_long_line_is_a_line),
    };
    return cmocka_run_group_tests_name("table: csv", tests, NULL, NULL);
}
