/* table_test: what the tests of this reach share. */
#ifndef TABLE_TEST_H
#define TABLE_TEST_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>
#include <suha/table.h>

#include "su_test.h"

#define UNUSED __attribute__((unused))

/* The whole table in one string: names, then rows; cells between [ and ], rows on lines. Owned by the caller. */
UNUSED static char *show(const su_raw_table *t)
{
    su_buf b = { 0 };
    for (uint32_t c = 0; c < t->column_count; c++) su_buf_printf(&b, "[%s]", t->columns[c].name);
    for (uint64_t r = 0; r < t->row_count; r++) {
        su_buf_char(&b, '\n');
        for (uint32_t c = 0; c < t->column_count; c++) {
            su_str cell = su_dict_get(t->columns[c].values, t->columns[c].ids[r]);
            su_buf_char(&b, '[');
            su_buf_add(&b, cell.p, cell.n);
            su_buf_char(&b, ']');
        }
    }
    return b.p;
}

UNUSED static su_str cell(const su_raw_table *t, uint64_t row, uint32_t column)
{
    return su_dict_get(t->columns[column].values, t->columns[column].ids[row]);
}

UNUSED static void assert_shows(const su_raw_table *t, const char *wanted)
{
    char *got = show(t);
    assert_string_equal(got, wanted);
    free(got);
}

UNUSED static su_raw_table *read_csv_with(su_str bytes, const su_read_options *opts)
{
    su_context ctx;
    su_raw_table *t = NULL;
    su_context_init(&ctx);
    if (su_csv_parse(&ctx, "cases.csv", bytes, opts, &t) != SU_OK) fail_msg("refused: %s", ctx.message);
    return t;
}

UNUSED static su_raw_table *read_csv(const char *text) { return read_csv_with(su_str_of(text), NULL); }

UNUSED static void assert_csv(const char *text, const char *wanted)
{
    su_raw_table *t = read_csv(text);
    assert_shows(t, wanted);
    su_raw_table_free(t);
}

/* A codelist from CSV text, in `arena`. */
UNUSED static su_codelist *make_codelist(su_arena *arena, const char *csv)
{
    su_context ctx;
    su_codelist *list = NULL;
    su_context_init(&ctx);
    if (su_codelist_parse(&ctx, arena, "list", "list.csv", su_str_of(csv), &list) != SU_OK) fail_msg("refused: %s", ctx.message);
    return list;
}

#endif
