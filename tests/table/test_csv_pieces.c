/* CSV in pieces (su_read_options.narrow) beside the same file read whole: the same table, fingerprint and message, and ids as wide as they
 * need. */
#include "table_test.h"

enum { WINDOW = 3 << 20 }; /* of src/table/csv_feed.c */

typedef struct outcome {
    su_context ctx;
    su_status status;
    su_raw_table *t;
} outcome;

static outcome read_as(const char *path, const su_read_options *opts, bool narrow)
{
    outcome o = { .t = NULL };
    su_read_options with = *opts;
    with.narrow = narrow;
    su_context_init(&o.ctx);
    o.status = su_table_read(&o.ctx, path, &with, &o.t);
    return o;
}

static uint32_t width_of(const su_raw_column *c) { return c->ids8 ? 1 : c->ids16 ? 2 : 4; }

static void assert_same_tables(const su_raw_table *a, const su_raw_table *b)
{
    assert_int_equal(a->column_count, b->column_count);
    assert_int_equal(a->row_count, b->row_count);
    assert_memory_equal(&a->fingerprint, &b->fingerprint, sizeof a->fingerprint);
    assert_string_equal(a->encoding, b->encoding);
    assert_string_equal(a->source, b->source);
    assert_int_equal(a->delimiter, b->delimiter);
    if (a->row_count) assert_memory_equal(a->row_line, b->row_line, a->row_count * sizeof *a->row_line);
    for (uint32_t c = 0; c < a->column_count; c++) {
        const su_raw_column *x = &a->columns[c], *y = &b->columns[c];
        assert_string_equal(x->name, y->name);
        assert_int_equal(su_dict_count(x->values), su_dict_count(y->values));
        for (uint32_t i = 0; i < su_dict_count(x->values); i++)
            assert_true(su_str_equal(su_dict_get(x->values, i), su_dict_get(y->values, i)));
        for (uint64_t r = 0; r < a->row_count; r++)
            if (x->ids[r] != su_raw_id(y, r)) fail_msg("column %u, row %llu", c, (unsigned long long)r);
        uint32_t distinct = su_dict_count(y->values), room[7];
        assert_int_equal(width_of(y), distinct <= 256 ? 1 : distinct <= 65536 ? 2 : 4);
        if (a->row_count >= 9) assert_memory_equal(su_raw_ids(y, 2, 7, room), x->ids + 2, sizeof room);
    }
}

/* Reads the bytes both ways; what comes of it is the same. */
static void both_ways(const char *p, size_t n, const su_read_options *opts, bool good)
{
    const char *path = su_test_path("cases.csv");
    su_context ctx;
    su_context_init(&ctx);
    assert_int_equal(su_file_write(&ctx, path, p, n, 0600), SU_OK);
    outcome whole = read_as(path, opts, false), pieces = read_as(path, opts, true);
    assert_int_equal(whole.status, pieces.status);
    assert_string_equal(whole.ctx.message, pieces.ctx.message);
    assert_int_equal(whole.status == SU_OK, good);
    if (good) assert_same_tables(whole.t, pieces.t);
    su_raw_table_free(whole.t);
    su_raw_table_free(pieces.t);
}

/* Rows of `columns` cells, all kinds of them, up to so many bytes. */
static void random_rows(su_buf *b, su_random *random, uint32_t columns, size_t bytes)
{
    static const char *const odd[] = { "",        "\"a \"\"b\"\" c\"", "\"two\nlines\"",   "\"three\r\nand\rmore\"",
                                       "\"a,b\"", "\xC3\xA9t\xC3\xA9", "\xF0\x9F\x8C\x9F", " x ",
                                       "\"\"" };
    static const char *const ends[] = { "\n", "\n", "\n", "\r\n", "\r", "\n\n", "\r\n\r\n" };
    while (b->n < bytes) {
        for (uint32_t c = 0; c < columns; c++) {
            if (c > 0) su_buf_char(b, ',');
            if (c == 1)
                su_buf_printf(b, "id%llu", (unsigned long long)su_random_below(random, 100000));
            else if (c == 2)
                su_buf_printf(b, "%llu", (unsigned long long)su_random_below(random, 300));
            else
                su_buf_text(b, odd[su_random_below(random, sizeof odd / sizeof *odd)]);
        }
        su_buf_text(b, ends[su_random_below(random, sizeof ends / sizeof *ends)]);
    }
}

static void random_files(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 6; seed++) {
        printf("# seed %llu\n", (unsigned long long)seed);
        su_random random;
        su_random_seeded(&random, seed);
        su_buf b = { 0 };
        if (seed % 2) su_buf_text(&b, "\xEF\xBB\xBF");
        if (seed == 4) su_buf_text(&b, "sep=,\r\n\n");
        su_buf_text(&b, "a,b,c,d\n");
        if (seed == 5) su_buf_text(&b, "a,,c,e\n");
        random_rows(&b, &random, 4, seed == 6 ? 2000 : (size_t)WINDOW * 5 / 2);
        both_ways(b.p, b.n, &(su_read_options) { .header_rows = seed == 5 ? 2 : 1 }, true);
        su_buf_free(&b);
    }
}

/* The end of the window at every byte of a row that has everything in it. */
static void every_cut(void **state)
{
    (void)state;
    static const char probe[] = "\"\xC3\xA9\"\"\r\n\",\xF0\x9F\x8C\x9F,\"x\"\r\n\r\n\ry,\"\",z\r\n";
    for (size_t at = 0; at <= sizeof probe; at++) {
        su_buf b = { 0 };
        su_buf_text(&b, "a,b,c\n");
        while (b.n + at + 40 < WINDOW) su_buf_text(&b, "one,two,\"three\"\n");
        while (b.n + at + 5 < WINDOW) su_buf_char(&b, 'w');
        su_buf_text(&b, ",,\r\n");
        su_buf_add(&b, probe, sizeof probe - 1);
        su_buf_text(&b, at % 2 ? "last,row,here" : "last,row,here\r");
        both_ways(b.p, b.n, &(su_read_options) { 0 }, true);
        su_buf_free(&b);
    }
}

/* What is wrong far behind the first piece is said in the same words; what cannot be read in pieces is read all the same. */
static void late_surprises(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t n;
        bool good;
    } late[] = {
        { "one,two\n", 8, false },
        { "one,two,three,four\n", 19, false },
        { "one,\"two,three\n", 15, false },
        { "one,\"two\"x,three\n", 17, false },
        { "one,t\0o,three\n", 14, false },
        { "one,\xE9,three\n", 12, true },
        { "\xC3\xA9,\xC3\xA9,\xC3\n", 9, false },
        { "one,two,\xC3", 9, true },
        { "one,two,three", 13, true },
    };
    for (size_t i = 0; i < sizeof late / sizeof *late; i++) {
        su_buf b = { 0 };
        su_buf_text(&b, "a,b,c\n");
        while (b.n < (size_t)WINDOW * 3 / 2) su_buf_text(&b, "one,two,three\n");
        su_buf_add(&b, late[i].bytes, late[i].n);
        both_ways(b.p, b.n, &(su_read_options) { 0 }, late[i].good);
        su_buf_free(&b);
    }
    su_buf b = { 0 };
    su_buf_text(&b, "a,b,c\n");
    for (int i = 0; i < 4; i++) { /* a row that no window holds, cells within their limit */
        for (uint32_t k = 0; k < (1u << 20) - 10; k++) su_buf_char(&b, 'x');
        su_buf_text(&b, i < 2 ? "," : "\n1,2,");
    }
    su_buf_text(&b, "\n");
    both_ways(b.p, b.n, &(su_read_options) { 0 }, true);
    su_buf_free(&b);
    both_ways("\xFF\xFE"
              "a\0,\0b\0\n\0"
              "1\0,\0"
              "2\0\n\0",
              18, &(su_read_options) { 0 }, true);
    both_ways("", 0, &(su_read_options) { 0 }, false);
    both_ways("a,a\n1,2\n", 8, &(su_read_options) { 0 }, false);
    both_ways("%PDF-1.7 ...", 12, &(su_read_options) { 0 }, false);
    both_ways("a,b\n1,2\n", 8, &(su_read_options) { .max_bytes = 5 }, false);
    both_ways("a,b\n1,2\n", 8, &(su_read_options) { .header_rows = 3 }, false);
    both_ways("a,b\n", 4, &(su_read_options) { 0 }, true);
}

static void columns_let_go(void **state)
{
    (void)state;
    su_raw_table *t = read_csv_with(SU_STR("a,b\n1,2\n3,4\n"), &(su_read_options) { .narrow = true });
    su_raw_column_drop(&t->columns[0], t->row_count);
    assert_null(t->columns[0].ids8);
    assert_int_equal(su_dict_count(t->columns[0].values), 2);
    assert_int_equal(su_raw_id(&t->columns[1], 1), 1);
    su_raw_table_free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(random_files), cmocka_unit_test(every_cut), cmocka_unit_test(late_surprises),
                                        cmocka_unit_test(columns_let_go) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
