/* CSV: random texts against a slow and obvious reader, and random tables through a writer and back in every encoding. */
#include "table_test.h"

/* ---- the obvious reader: one character at a time, one state, strings appended byte by byte ---- */

typedef struct slow_cell {
    su_buf text;
    bool quoted;
} slow_cell;
typedef struct slow_row {
    slow_cell cells[32];
    unsigned count;
    unsigned line;
} slow_row;
typedef struct slow_table {
    slow_row rows[64];
    unsigned count;
    bool bad;
} slow_table;

static void slow_free(slow_table *t)
{
    for (unsigned r = 0; r < t->count; r++)
        for (unsigned c = 0; c < t->rows[r].count; c++) su_buf_free(&t->rows[r].cells[c].text);
    free(t);
}

static slow_table *slow_read(su_str s, char delimiter)
{
    slow_table *t = su_alloc(sizeof *t);
    enum { CELL_START, PLAIN, QUOTED, AFTER_QUOTE } state = CELL_START;
    unsigned line = 1;
    slow_row *row = NULL;
    for (size_t i = 0; i <= s.n; i++) {
        bool at_end = i == s.n;
        char c = at_end ? '\n' : s.p[i];
        bool line_end = c == '\n' || c == '\r';
        if (row == NULL) {
            if (at_end) break;
            row = &t->rows[t->count++];
            row->count = 1;
            row->line = line;
            state = CELL_START;
        }
        slow_cell *cell = &row->cells[row->count - 1];
        if (!at_end && (c == '\n' || (c == '\r' && !(i + 1 < s.n && s.p[i + 1] == '\n')))) line++;
        if (state == QUOTED) {
            if (at_end)
                t->bad = true;
            else if (c == '"')
                state = AFTER_QUOTE;
            else
                su_buf_char(&cell->text, c);
            continue;
        }
        if (state == AFTER_QUOTE && c == '"' && !at_end) {
            su_buf_char(&cell->text, '"');
            state = QUOTED;
        } else if (line_end) {
            if (c == '\r' && i + 1 < s.n && s.p[i + 1] == '\n') {
                i++;
                line++;
            }
            if (row->count == 1 && cell->text.n == 0 && !cell->quoted) t->count--;
            row = NULL;
        } else if (c == delimiter) {
            row->count++;
            state = CELL_START;
        } else if (state == AFTER_QUOTE) {
            t->bad = true;
        } else if (state == CELL_START && c == '"') {
            cell->quoted = true;
            state = QUOTED;
        } else {
            su_buf_char(&cell->text, c);
            state = PLAIN;
        }
    }
    if (t->count == 0) t->bad = true;
    for (unsigned r = 1; r < t->count; r++)
        if (t->rows[r].count != t->rows[0].count) t->bad = true;
    return t;
}

static const char *text_of(const slow_cell *c) { return c->text.p == NULL ? "" : c->text.p; }

static void name_columns(slow_table *t)
{
    if (t->count == 0) return;
    slow_row *head = &t->rows[0];
    for (unsigned c = 0; c < head->count; c++) {
        if (head->cells[c].text.n == 0) su_buf_printf(&head->cells[c].text, "column_%u", c + 1);
        for (unsigned b = 0; b < c; b++)
            if (strcmp(text_of(&head->cells[b]), text_of(&head->cells[c])) == 0) t->bad = true;
    }
}

static void compare(const slow_table *wanted, su_str text, uint64_t round)
{
    su_context ctx;
    su_raw_table *t = NULL;
    su_read_options opts = { .delimiter = ',' };
    su_context_init(&ctx);
    su_status status = su_csv_parse(&ctx, "random.csv", text, &opts, &t);
    if ((status != SU_OK) != wanted->bad)
        fail_msg("round %llu: %s by the reader, %s by the oracle: %s\n%.*s", (unsigned long long)round,
                 status == SU_OK ? "taken" : "refused", wanted->bad ? "refused" : "taken", ctx.message, (int)text.n, text.p);
    if (status != SU_OK) return;
    assert_int_equal(t->row_count + 1, wanted->count);
    assert_int_equal(t->column_count, wanted->rows[0].count);
    for (unsigned c = 0; c < t->column_count; c++) {
        assert_string_equal(t->columns[c].name, text_of(&wanted->rows[0].cells[c]));
        for (unsigned r = 1; r < wanted->count; r++) {
            su_str got = cell(t, r - 1, c);
            const slow_cell *want = &wanted->rows[r].cells[c];
            if (got.n != want->text.n || memcmp(got.p, text_of(want), got.n) != 0)
                fail_msg("round %llu, row %u, column %u: [%s], not [%s]", (unsigned long long)round, r, c, got.p, text_of(want));
        }
    }
    for (unsigned r = 1; r < wanted->count; r++) assert_int_equal(t->row_line[r - 1], wanted->rows[r].line);
    su_raw_table_free(t);
}

/* Short pieces that meet in every way; biased so that a third or so of the texts are well-formed. */
static void reads_as_the_obvious_reader(void **state)
{
    (void)state;
    static const char *const pieces[] = { "a",  "b",    "bb",    ",",       ",",        ",",         "\n",       "\n", "\r\n", "\r",
                                          "\"", "\"\"", "\"x\"", "\"p,q\"", "\"l\nm\"", "\"l\r\n\"", "\"\"\"\"", "é",  " " };
    su_random random;
    su_test_random(&random);
    unsigned taken = 0;
    for (uint64_t round = 0; round < 100000; round++) {
        su_buf text = { 0 };
        uint64_t count = su_random_below(&random, 24);
        if (su_random_below(&random, 2) == 0) su_buf_text(&text, "h,i\n");
        for (uint64_t i = 0; i < count; i++) {
            if (text.n > 0 && su_random_below(&random, 3) == 0) su_buf_text(&text, "1,2\n");
            su_buf_text(&text, pieces[su_random_below(&random, sizeof pieces / sizeof pieces[0])]);
        }
        su_str s = { text.p == NULL ? "" : text.p, text.n };
        slow_table *wanted = slow_read(s, ',');
        if (!wanted->bad) name_columns(wanted);
        taken += wanted->bad ? 0 : 1;
        compare(wanted, s, round);
        slow_free(wanted);
        su_buf_free(&text);
    }
    print_message("# %u of 100000 random texts are well-formed\n", taken);
    assert_true(taken > 2000);
}

/* ---- tables to text and back ---- */

typedef enum encoding { PLAIN_UTF8, BOM_UTF8, LITTLE, LITTLE_BOM, BIG, BIG_BOM, ENCODINGS } encoding;
static const char *const encoding_names[ENCODINGS] = { "UTF-8", "UTF-8 with BOM", "UTF-16LE", "UTF-16LE", "UTF-16BE", "UTF-16BE" };

static void put_unit(su_buf *out, unsigned unit, bool big)
{
    su_buf_char(out, (char)(big ? unit >> 8 : unit & 0xFF));
    su_buf_char(out, (char)(big ? unit & 0xFF : unit >> 8));
}

/* The texts here hold one to four byte sequences that are valid. */
static void encode(su_str s, encoding e, su_buf *out)
{
    bool big = e == BIG || e == BIG_BOM;
    if (e == BOM_UTF8) su_buf_text(out, "\xEF\xBB\xBF");
    if (e == LITTLE_BOM || e == BIG_BOM) put_unit(out, 0xFEFF, big);
    if (e == PLAIN_UTF8 || e == BOM_UTF8) {
        su_buf_add(out, s.p, s.n);
        return;
    }
    for (size_t i = 0; i < s.n;) {
        unsigned char c = (unsigned char)s.p[i];
        unsigned n = c < 0x80 ? 1 : c < 0xE0 ? 2 : c < 0xF0 ? 3 : 4;
        unsigned code = n == 1 ? c : c & (0xFFu >> (n + 1));
        for (unsigned k = 1; k < n; k++) code = code << 6 | ((unsigned char)s.p[i + k] & 0x3F);
        i += n;
        if (code >= 0x10000) {
            put_unit(out, 0xD800 + ((code - 0x10000) >> 10), big);
            put_unit(out, 0xDC00 + ((code - 0x10000) & 0x3FF), big);
        } else {
            put_unit(out, code, big);
        }
    }
}

/* The last two would hide UTF-16 that has no mark, which is then refused (never misread). */
static void random_cell(su_random *random, bool any_script, su_buf *out)
{
    static const char *const pieces[] = { "x", "42", " ", ",", ";", "\t", "|", "\"", "\n", "\r\n", "é", "ش", "long text without end",
                                          "€", "😀" };
    uint64_t kinds = sizeof pieces / sizeof pieces[0] - (any_script ? 0 : 2);
    for (uint64_t n = su_random_below(random, 5); n > 0; n--) su_buf_text(out, pieces[su_random_below(random, kinds)]);
}

static void every_table_survives_a_round_trip(void **state)
{
    (void)state;
    su_random random;
    su_test_random(&random);
    for (int round = 0; round < 3000; round++) {
        su_buf text = { 0 }, bytes = { 0 };
        char *cells[12][6] = { 0 };
        unsigned rows = (unsigned)su_random_below(&random, 12), columns = 1 + (unsigned)su_random_below(&random, 6);
        char delimiter = ",;\t|"[su_random_below(&random, 4)];
        encoding e = (encoding)su_random_below(&random, ENCODINGS);
        for (unsigned c = 0; c < columns; c++) su_buf_printf(&text, "%sc%u", c > 0 ? (char[]) { delimiter, '\0' } : "", c);
        su_buf_text(&text, "\r\n");
        for (unsigned r = 0; r < rows; r++) {
            for (unsigned c = 0; c < columns; c++) {
                su_buf value = { 0 };
                random_cell(&random, e != LITTLE && e != BIG, &value);
                if (c > 0) su_buf_char(&text, delimiter);
                if (value.n == 0 && columns == 1)
                    su_buf_text(&text, "\"\"");
                else
                    su_buf_csv(&text, (su_str) { value.p, value.n }, delimiter);
                cells[r][c] = su_strdup(value.p == NULL ? "" : value.p);
                su_buf_free(&value);
            }
            su_buf_text(&text, "\r\n");
        }
        encode((su_str) { text.p, text.n }, e, &bytes);
        su_read_options opts = { .delimiter = delimiter };
        su_raw_table *t = read_csv_with((su_str) { bytes.p, bytes.n }, &opts);
        assert_string_equal(t->encoding, encoding_names[e]);
        assert_int_equal(t->row_count, rows);
        assert_int_equal(t->column_count, columns);
        for (unsigned r = 0; r < rows; r++) {
            for (unsigned c = 0; c < columns; c++) {
                assert_string_equal(cell(t, r, c).p, cells[r][c]);
                free(cells[r][c]);
            }
        }
        su_raw_table_free(t);
        su_buf_free(&text);
        su_buf_free(&bytes);
    }
}

/* Two columns or more, and no delimiter hidden in a cell: then the delimiter is always found. */
static void the_delimiter_of_clean_tables_is_found(void **state)
{
    (void)state;
    su_random random;
    su_test_random(&random);
    for (int round = 0; round < 2000; round++) {
        su_buf text = { 0 };
        char delimiter = ",;\t|"[su_random_below(&random, 4)];
        unsigned rows = (unsigned)su_random_below(&random, 300), columns = 2 + (unsigned)su_random_below(&random, 5);
        for (unsigned r = 0; r <= rows; r++) {
            for (unsigned c = 0; c < columns; c++) {
                if (c > 0) su_buf_char(&text, delimiter);
                if (r == 0)
                    su_buf_printf(&text, "c%u", c);
                else if (su_random_below(&random, 2) == 0)
                    su_buf_printf(&text, "\"%u,;|\t\n%u\"", r, c);
                else
                    su_buf_printf(&text, "%u", r * c);
            }
            su_buf_char(&text, '\n');
        }
        su_raw_table *t = read_csv_with((su_str) { text.p, text.n }, NULL);
        assert_int_equal(t->delimiter, delimiter);
        assert_int_equal(t->row_count, rows);
        su_raw_table_free(t);
        su_buf_free(&text);
    }
}

static void windows_1252_is_read(void **state)
{
    (void)state;
    su_raw_table *t = read_csv_with(SU_STR("pr\xE9nom,prix\nZo\xEB,\x80 5 \x96 \x93p\xE8re\x94\n"), NULL);
    assert_string_equal(t->encoding, "Windows-1252");
    assert_shows(t, "[prénom][prix]\n[Zoë][€ 5 – “père”]");
    su_raw_table_free(t);
    /* One accidental pair (C9 BB, "É»") among many single bytes does not make it UTF-8. */
    t = read_csv_with(SU_STR("a,b\n\xE9t\xE9 \xE9t\xE9 \xE9t\xE9 \xE9t\xE9 \xE9t\xE9,\xC9\xBB\n"), NULL);
    assert_string_equal(t->encoding, "Windows-1252");
    assert_shows(t, "[a][b]\n[été été été été été][É»]");
    su_raw_table_free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_as_the_obvious_reader),
        cmocka_unit_test(every_table_survives_a_round_trip),
        cmocka_unit_test(the_delimiter_of_clean_tables_is_found),
        cmocka_unit_test(windows_1252_is_read),
    };
    return cmocka_run_group_tests_name("table: csv random", tests, NULL, NULL);
}
