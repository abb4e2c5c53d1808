/* Contingency tables against counting every cell by reading every row. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "su_test.h"
#include "shape.h"

static size_t cells_of(const su_code_matrix *m, const uint32_t *columns, uint32_t n)
{
    size_t cells = 1;
    for (uint32_t k = 0; k < n; k++) cells *= m->columns[columns[k]].card;
    return cells;
}

/* For each cell, the rows whose codes are its coordinates. */
static void check_table(const su_code_matrix *m, const uint32_t *columns, uint32_t n, const int64_t *out)
{
    size_t cells = cells_of(m, columns, n);
    for (size_t cell = 0; cell < cells; cell++) {
        uint32_t value[SU_MAX_LENGTH];
        size_t rest = cell;
        for (uint32_t k = n; k-- > 0;) {
            value[k] = (uint32_t)(rest % m->columns[columns[k]].card);
            rest /= m->columns[columns[k]].card;
        }
        int64_t rows = 0;
        for (uint64_t r = 0; r < m->row_count; r++) {
            uint32_t k = 0;
            while (k < n && m->columns[columns[k]].codes[r] == value[k]) k++;
            rows += k == n;
        }
        if (out[cell] != rows) {
            fail_msg("cell %zu of a table of %u columns is %lld, not %lld", cell, n, (long long)out[cell], (long long)rows);
        }
    }
}

static uint32_t draw_columns(su_random *r, const su_code_matrix *m, uint32_t longest, uint32_t *columns)
{
    uint32_t n = 0, wanted = (uint32_t)su_random_below(r, longest + 1);
    for (uint32_t c = 0; c < m->column_count && n < wanted; c++) {
        if (su_random_below(r, m->column_count - c) < wanted - n) columns[n++] = c;
    }
    return n;
}

typedef struct workload {
    su_contingency_request *tables;
    size_t count;
} workload;

static workload draw_workload(su_random *r, const su_code_matrix *m, size_t count, uint32_t longest)
{
    workload w = { su_alloc_array(count, sizeof *w.tables), 0 };
    for (size_t i = 0; i < count; i++) {
        uint32_t *columns = su_alloc_array(longest + 1, sizeof *columns);
        uint32_t n = draw_columns(r, m, longest, columns);
        size_t cells = cells_of(m, columns, n);
        if (cells > 3000) {
            free(columns);
            continue;
        }
        int64_t *out = su_alloc_array(cells, sizeof *out);
        memset(out, 0x5A, cells * sizeof *out); /* must be overwritten */
        w.tables[w.count++] = (su_contingency_request) { n, columns, out };
    }
    return w;
}

static void free_workload(workload *w)
{
    for (size_t i = 0; i < w->count; i++) {
        free((void *)(uintptr_t)w->tables[i].columns);
        free(w->tables[i].out);
    }
    free(w->tables);
}

/* Tables of a matrix in bytes beside those of the same codes in words, counted one by one. */
static void check_bytes(su_random *r, const su_code_matrix *m, size_t count, uint32_t longest, unsigned threads)
{
    su_context ctx;
    su_context_init(&ctx);
    ctx.threads = threads;
    workload w = draw_workload(r, m, count, longest);
    su_code_matrix *bytes = shape_narrow(m);
    assert_int_equal(su_contingency_many(&ctx, bytes, w.tables, w.count), SU_OK);
    for (size_t i = 0; i < w.count; i++) {
        size_t cells = cells_of(m, w.tables[i].columns, w.tables[i].n);
        int64_t *words = su_alloc_array(cells, sizeof *words);
        su_contingency(m, w.tables[i].columns, w.tables[i].n, words);
        assert_memory_equal(words, w.tables[i].out, cells * sizeof *words);
        su_contingency(bytes, w.tables[i].columns, w.tables[i].n, w.tables[i].out);
        assert_memory_equal(words, w.tables[i].out, cells * sizeof *words);
        free(words);
    }
    shape_free(bytes);
    free_workload(&w);
}

static void check_workload(su_random *r, const su_code_matrix *m, size_t count, uint32_t longest, unsigned threads)
{
    su_context ctx;
    su_context_init(&ctx);
    ctx.threads = threads;
    workload w = draw_workload(r, m, count, longest);
    assert_int_equal(su_contingency_many(&ctx, m, w.tables, w.count), SU_OK);
    for (size_t i = 0; i < w.count; i++) {
        size_t cells = cells_of(m, w.tables[i].columns, w.tables[i].n);
        int64_t *alone = su_alloc_array(cells, sizeof *alone), total = 0;
        su_contingency(m, w.tables[i].columns, w.tables[i].n, alone);
        assert_memory_equal(alone, w.tables[i].out, cells * sizeof *alone);
        for (size_t k = 0; k < cells; k++) total += alone[k];
        assert_int_equal(total, m->row_count);
        if (i % 16 == 0) check_table(m, w.tables[i].columns, w.tables[i].n, alone);
        free(alone);
    }
    free_workload(&w);
}

/* Few tables go row by row, many over sparse rows by combinations: both sides of the choice, and dense rows. */
static void random_workloads(void **state)
{
    (void)state;
    su_random r;
    su_test_random(&r);
    static const double filled[] = { 0, 0.3, 1, 9 };
    for (int k = 0; k < 40; k++) {
        uint32_t columns = 1 + (uint32_t)su_random_below(&r, 12), values[12];
        for (uint32_t c = 0; c < columns; c++) values[c] = su_random_below(&r, 3) ? 1 : 1 + (uint32_t)su_random_below(&r, 12);
        uint64_t rows = su_random_below(&r, 3) ? 1 + su_random_below(&r, 3000) : 3;
        su_code_matrix *m = shape_new(&r, &(shape) { rows, columns, values, filled[k % 4] });
        check_workload(&r, m, k % 5 ? 120 : 3, 1 + (uint32_t)su_random_below(&r, 5), 1 + (unsigned)k % 3);
        check_bytes(&r, m, k % 5 ? 120 : 3, 1 + (uint32_t)su_random_below(&r, 5), 1 + (unsigned)k % 3);
        shape_free(m);
    }
}

static void case_shape(void **state)
{
    (void)state;
    su_random r;
    su_test_random(&r);
    su_code_matrix *m = shape_new(&r, &(shape) { 3000, 26, shape_case_values, 1 });
    check_workload(&r, m, 600, 3, 2);
    shape_free(m);
}

/* Combinations of more rows than a block of rows, by words and by bytes; columns of 256 codes (the last byte) and of 257. */
static void more_rows_than_a_block(void **state)
{
    (void)state;
    su_random r;
    su_test_random(&r);
    uint32_t values[22];
    for (uint32_t c = 0; c < 22; c++) values[c] = c == 0 ? 255 : c == 1 ? 256 : 1;
    su_code_matrix *m = shape_new(&r, &(shape) { (1u << 18) + 777, 22, values, 1 });
    uint16_t *full = (uint16_t *)(uintptr_t)m->columns[0].codes;
    full[m->row_count - 1] = 255;
    su_contingency_request *t = su_alloc_array(231, sizeof *t);
    uint32_t (*columns)[2] = su_alloc_array(231, sizeof *columns);
    size_t n = 0;
    for (uint32_t a = 0; a < 22; a++)
        for (uint32_t b = a + 1; b < 22; b++, n++) {
            columns[n][0] = a;
            columns[n][1] = b;
            t[n] = (su_contingency_request) { 2, columns[n], su_alloc_array(cells_of(m, columns[n], 2), sizeof(int64_t)) };
        }
    su_context ctx;
    su_context_init(&ctx);
    su_code_matrix *bytes = shape_narrow(m);
    assert_non_null(bytes->columns[0].bytes);
    assert_non_null(bytes->columns[1].codes);
    const su_code_matrix *both[] = { m, bytes };
    for (int k = 0; k < 2; k++) {
        assert_int_equal(su_contingency_many(&ctx, both[k], t, n), SU_OK);
        for (size_t i = 0; i < n; i += 10) {
            size_t cells = cells_of(m, columns[i], 2);
            int64_t *slow = su_alloc_array(cells, sizeof *slow);
            for (uint64_t row = 0; row < m->row_count; row++)
                slow[(size_t)m->columns[columns[i][0]].codes[row] * m->columns[columns[i][1]].card + m->columns[columns[i][1]].codes[row]]++;
            assert_memory_equal(slow, t[i].out, cells * sizeof *slow);
            free(slow);
        }
    }
    for (size_t i = 0; i < n; i++) free(t[i].out);
    free(t);
    free(columns);
    shape_free(bytes);
    shape_free(m);
}

static void edges(void **state)
{
    (void)state;
    su_context ctx;
    su_context_init(&ctx);
    uint16_t codes[] = { 0, 1, 2, 1 };
    su_matrix_column columns[] = {
        { .name = "a", .card = 3, .codes = codes },
        { .name = "nothing but absent", .card = 1, .codes = (uint16_t[4]) { 0 } },
        { .name = "no domain at all", .card = 0, .codes = NULL },
    };
    su_code_matrix m = { .row_count = 4, .column_count = 2, .columns = columns };
    int64_t out[8], many[8];
    su_contingency(&m, NULL, 0, out);
    assert_int_equal(out[0], 4);
    static const uint32_t both[] = { 0, 1 };
    static const int64_t expected[] = { 1, 2, 1 };
    su_contingency(&m, both, 2, out);
    assert_memory_equal(out, expected, sizeof expected);

    su_contingency_request requests[64];
    for (size_t i = 0; i < 64; i++) requests[i] = (su_contingency_request) { 2, both, many };
    ctx.threads = 1; /* one place for all answers */
    assert_int_equal(su_contingency_many(&ctx, &m, requests, 64), SU_OK);
    assert_memory_equal(many, expected, sizeof expected);
    assert_int_equal(su_contingency_many(&ctx, &m, NULL, 0), SU_OK);

    m.row_count = 0;
    m.column_count = 3;
    static const uint32_t all[] = { 0, 1, 2 };
    for (size_t i = 0; i < 64; i++) requests[i] = (su_contingency_request) { 3, all, many };
    many[0] = 77;
    assert_int_equal(su_contingency_many(&ctx, &m, requests, 64), SU_OK);
    assert_int_equal(many[0], 77); /* a table without cells writes nothing */
    for (size_t i = 0; i < 64; i++) requests[i].n = 2;
    assert_int_equal(su_contingency_many(&ctx, &m, requests, 64), SU_OK);
    assert_int_equal(many[0] + many[1] + many[2], 0);
}

static void stops_when_asked(void **state)
{
    (void)state;
    su_random r;
    su_test_random(&r);
    su_code_matrix *m = shape_new(&r, &(shape) { 500, 26, shape_case_values, 1 });
    su_context ctx;
    su_context_init(&ctx);
    volatile int cancel = 1;
    ctx.cancel = &cancel;
    for (size_t count = 1; count <= 400; count += 399) {
        workload w = draw_workload(&r, m, count, 3);
        assert_int_equal(su_contingency_many(&ctx, m, w.tables, w.count), SU_CANCELLED);
        free_workload(&w);
    }
    shape_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_workloads),
        cmocka_unit_test(case_shape),
        cmocka_unit_test(more_rows_than_a_block),
        cmocka_unit_test(edges),
        cmocka_unit_test(stops_when_asked),
    };
    return cmocka_run_group_tests_name("contingency", tests, NULL, NULL);
}
