/* Combinations against an oracle that writes every combination of every row into a list and sorts it. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "su_test.h"
#include "shape.h"

/* ---- the oracle ---- */

typedef struct found {
    su_combination *p;
    size_t n, capacity;
} found;

static void keep(void *arg, const su_combination *c)
{
    found *f = arg;
    f->p = su_grow(f->p, &f->capacity, f->n + 1, sizeof *f->p);
    f->p[f->n++] = *c;
}

/* Documented order: length, columns, values. */
static int in_order(const void *a, const void *b)
{
    const su_combination *x = a, *y = b;
    if (x->length != y->length) return x->length < y->length ? -1 : 1;
    for (uint32_t i = 0; i < x->length; i++) {
        if (x->at[i].column != y->at[i].column) return x->at[i].column < y->at[i].column ? -1 : 1;
    }
    for (uint32_t i = 0; i < x->length; i++) {
        if (x->at[i].value != y->at[i].value) return x->at[i].value < y->at[i].value ? -1 : 1;
    }
    return 0;
}

static void enumerate(const su_code_matrix *m, uint64_t row, uint32_t column, uint32_t length, su_combination *so_far, found *out)
{
    if (so_far->length) keep(out, so_far);
    if (so_far->length == length) return;
    for (uint32_t c = column; c < m->column_count; c++) {
        if (!m->columns[c].codes[row]) continue;
        so_far->at[so_far->length++] = (su_attribute) { (uint16_t)c, m->columns[c].codes[row] };
        enumerate(m, row, c + 1, length, so_far, out);
        so_far->length--;
    }
}

static void slow_combinations(const su_code_matrix *m, uint32_t length, uint64_t min_count, found *out)
{
    found all = { NULL, 0, 0 };
    for (uint64_t r = 0; r < m->row_count; r++) {
        su_combination start = { .length = 0, .count = 1 };
        enumerate(m, r, 0, length, &start, &all);
    }
    if (all.n) qsort(all.p, all.n, sizeof *all.p, in_order);
    for (size_t i = 0, k; i < all.n; i = k) {
        for (k = i; k < all.n && in_order(&all.p[i], &all.p[k]) == 0; k++) continue;
        all.p[i].count = k - i;
        if (all.p[i].count >= min_count) keep(out, &all.p[i]);
    }
    free(all.p);
}

static void compare(const su_code_matrix *m, uint32_t length, uint64_t min_count, unsigned threads)
{
    su_context ctx;
    su_context_init(&ctx);
    ctx.threads = threads;
    found slow = { NULL, 0, 0 }, fast = { NULL, 0, 0 };
    uint64_t totals[SU_MAX_LENGTH], totals_alone[SU_MAX_LENGTH], expected[SU_MAX_LENGTH] = { 0 };
    su_count_options o = { length, min_count };
    slow_combinations(m, length, min_count, &slow);
    for (size_t i = 0; i < slow.n; i++) expected[slow.p[i].length - 1]++;
    assert_int_equal(su_count_combinations(&ctx, m, &o, keep, &fast, totals), SU_OK);
    assert_int_equal(su_count_combinations(&ctx, m, &o, NULL, NULL, totals_alone), SU_OK);
    assert_int_equal(su_count_combinations(&ctx, m, &o, NULL, NULL, NULL), SU_OK);
    assert_int_equal(fast.n, slow.n);
    for (size_t i = 0; i < fast.n; i++) {
        if (in_order(&fast.p[i], &slow.p[i]) != 0 || fast.p[i].count != slow.p[i].count)
            fail_msg("combination %zu of %zu differs (R=%u K=%llu threads=%u)", i, fast.n, length, (unsigned long long)min_count, threads);
    }
    for (uint32_t k = 0; k < length; k++) {
        assert_int_equal(totals[k], expected[k]);
        assert_int_equal(totals_alone[k], expected[k]);
    }
    free(slow.p);
    free(fast.p);
}

/* ---- tests ---- */

static su_code_matrix *random_table(su_random *r, uint64_t rows, uint32_t columns, uint32_t values_max, double filled)
{
    uint32_t *values = su_alloc_array(columns, sizeof *values);
    for (uint32_t c = 0; c < columns; c++) values[c] = 1 + (uint32_t)su_random_below(r, values_max);
    su_code_matrix *m = shape_new(r, &(shape) { rows, columns, values, filled });
    free(values);
    return m;
}

static void random_tables(void **state)
{
    (void)state;
    su_random r;
    su_test_random(&r);
    static const unsigned threads[] = { 1, 2, 3, 7 };
    for (int k = 0; k < 160; k++) {
        uint32_t columns = 1 + (uint32_t)su_random_below(&r, 9), length = 1 + (uint32_t)su_random_below(&r, SU_MAX_LENGTH);
        uint64_t rows = su_random_below(&r, su_random_below(&r, 4) ? 40 : 200);
        su_code_matrix *m = random_table(&r, rows, columns, su_random_below(&r, 2) ? 3 : 30, su_random_below(&r, 3) ? 1 : 3);
        uint64_t min_count = su_random_below(&r, 2) ? 1 : 1 + su_random_below(&r, 12);
        compare(m, length, min_count, threads[k % 4]);
        shape_free(m);
    }
}

/* The shape of pooled case data, small enough for the oracle. */
static void case_shape(void **state)
{
    (void)state;
    su_random r;
    su_test_random(&r);
    su_code_matrix *m = shape_new(&r, &(shape) { 400, 26, shape_case_values, 1 });
    for (unsigned threads = 1; threads <= 4; threads++) {
        compare(m, 3, 1, threads);
        compare(m, 4, threads, threads);
    }
    compare(m, 5, 6, 2);
    shape_free(m);
}

/* Rows enough for several threads to make the lists and the first split together; a column too wide for four counters a code. */
static void many_rows(void **state)
{
    (void)state;
    su_random r;
    su_test_random(&r);
    static const uint32_t values[] = { 3, 300, 1, 60, 1, 255, 2 };
    su_code_matrix *m = shape_new(&r, &(shape) { 24577, 7, values, 0.5 });
    for (unsigned threads = 1; threads <= 3; threads++) {
        compare(m, 3, 1, threads);
        compare(m, 4, 40, threads);
    }
    shape_free(m);
}

/* More attributes than the matrix of counters takes, some in every row, most hardly ever. */
static void wide_domain(void **state)
{
    (void)state;
    su_random r;
    su_test_random(&r);
    static const uint32_t values[] = { 2000, 249, 1, 3000, 21, 65000, 2, 249 };
    for (uint64_t rows = 1; rows <= 5000; rows = rows * 9 + 1) {
        su_code_matrix *m = shape_new(&r, &(shape) { rows, 8, values, 2 });
        /* spread the values: without Zipf, so that thousands of attributes occur */
        for (uint32_t c = 0; c < 8; c++) {
            uint16_t *codes = (uint16_t *)(uintptr_t)m->columns[c].codes;
            for (uint64_t i = 0; i < rows; i++) {
                if (codes[i] && su_random_below(&r, 2)) codes[i] = (uint16_t)(1 + su_random_below(&r, values[c]));
            }
        }
        compare(m, 2, 1, 1);
        compare(m, 3, 2, 2);
        compare(m, 4, 1, 3);
        compare(m, 5, 3, 2);
        shape_free(m);
    }
}

/* Thousands of attributes that are not rare, so that K > 1 meets the counters for wide domains. */
static void wide_domain_of_frequent_values(void **state)
{
    (void)state;
    su_random r;
    su_test_random(&r);
    static const uint32_t values[] = { 1000, 1000, 3, 1000 };
    enum { ROWS = 20000 };
    su_code_matrix *m = shape_new(&r, &(shape) { ROWS, 4, values, 2 });
    for (uint64_t i = 0; i < ROWS; i++) {
        uint16_t code = (uint16_t)(1 + su_random_below(&r, 1000));
        for (uint32_t c = 0; c < 4; c++) { /* mostly the same value, so that pairs and triples repeat */
            uint16_t *codes = (uint16_t *)(uintptr_t)m->columns[c].codes;
            if (c != 2) codes[i] = su_random_below(&r, 4) ? code : (uint16_t)su_random_below(&r, 1001);
        }
    }
    for (uint64_t min_count = 1; min_count <= 8; min_count += 1 + min_count / 4) {
        compare(m, 2 + (uint32_t)min_count % 3, min_count, 1 + (unsigned)min_count % 2);
    }
    shape_free(m);
}

static void sixty_columns(void **state)
{
    (void)state;
    su_random r;
    su_test_random(&r);
    uint32_t values[60];
    for (uint32_t c = 0; c < 60; c++) values[c] = c % 5 ? 1 : 4;
    su_code_matrix *m = shape_new(&r, &(shape) { 120, 60, values, 0.4 });
    compare(m, 3, 1, 2);
    compare(m, 4, 1, 2);
    compare(m, 5, 4, 3);
    shape_free(m);
}

static void edges(void **state)
{
    (void)state;
    su_random r;
    su_test_random(&r);
    static const uint32_t values[] = { 3, 1, 5 };
    for (uint32_t length = 1; length <= SU_MAX_LENGTH; length++) {
        su_code_matrix *none = shape_new(&r, &(shape) { 0, 3, values, 1 }); /* no row */
        compare(none, length, 1, 2);
        shape_free(none);
        su_code_matrix *absent = shape_new(&r, &(shape) { 50, 3, values, 0 }); /* nothing recorded */
        compare(absent, length, 1, 2);
        shape_free(absent);
        su_code_matrix *one = shape_new(&r, &(shape) { 50, 1, values, 9 }); /* one column */
        compare(one, length, 1, 2);
        compare(one, length, 1000, 2);
        shape_free(one);
        su_code_matrix *full = shape_new(&r, &(shape) { 60, 3, values, 9 }); /* length beyond the columns, every cell filled */
        compare(full, length, 1, 2);
        compare(full, length, 5, 1);
        shape_free(full);
        su_code_matrix empty = { 0 }; /* no column */
        compare(&empty, length, 1, 1);
    }
}

static void wrong_use(void **state)
{
    (void)state;
    su_context ctx;
    su_context_init(&ctx);
    uint16_t codes[] = { 0, 1, 2, 3 };
    su_matrix_column column = { .name = "gender", .card = 3, .codes = codes };
    su_code_matrix m = { .row_count = 3, .column_count = 1, .columns = &column };
    su_count_options o = { 0, 1 };
    assert_int_equal(su_count_combinations(&ctx, &m, &o, NULL, NULL, NULL), SU_USAGE);
    o.length = SU_MAX_LENGTH + 1;
    assert_int_equal(su_count_combinations(&ctx, &m, &o, NULL, NULL, NULL), SU_USAGE);
    o = (su_count_options) { 1, 0 };
    assert_int_equal(su_count_combinations(&ctx, &m, &o, NULL, NULL, NULL), SU_USAGE);
    o = (su_count_options) { 1, 1 };
    assert_int_equal(su_count_combinations(&ctx, &m, &o, NULL, NULL, NULL), SU_OK);
    m.row_count = 4; /* the last code is outside the domain */
    assert_int_equal(su_count_combinations(&ctx, &m, &o, NULL, NULL, NULL), SU_INTERNAL);
    assert_non_null(strstr(ctx.message, "gender"));
}

static void too_wide(void **state)
{
    (void)state;
    su_context ctx;
    su_context_init(&ctx);
    enum { ROWS = 40000 };
    static uint16_t codes[ROWS];
    for (uint32_t i = 0; i < ROWS; i++) codes[i] = (uint16_t)(i + 1);
    su_matrix_column columns[2] = { { .name = "a", .card = ROWS + 1, .codes = codes }, { .name = "b", .card = ROWS + 1, .codes = codes } };
    su_code_matrix m = { .row_count = ROWS, .column_count = 2, .columns = columns };
    uint64_t totals[2];
    su_count_options o = { 2, 1 };
    assert_int_equal(su_count_combinations(&ctx, &m, &o, NULL, NULL, totals), SU_REFUSED);
    assert_non_null(strstr(ctx.message, "80000"));
    o.min_count = 2; /* rare values do not count against the limit */
    assert_int_equal(su_count_combinations(&ctx, &m, &o, NULL, NULL, totals), SU_OK);
    assert_int_equal(totals[0], 0);
    m.row_count = 30000;
    o.min_count = 1;
    assert_int_equal(su_count_combinations(&ctx, &m, &o, NULL, NULL, totals), SU_OK);
    assert_int_equal(totals[0], 60000);
    assert_int_equal(totals[1], 30000);
}

static void stops_when_asked(void **state)
{
    (void)state;
    su_random r;
    su_test_random(&r);
    su_code_matrix *m = shape_new(&r, &(shape) { 2000, 26, shape_case_values, 1 });
    su_context ctx;
    su_context_init(&ctx);
    volatile int cancel = 1;
    ctx.cancel = &cancel;
    su_count_options o = { 5, 1 };
    assert_int_equal(su_count_combinations(&ctx, m, &o, NULL, NULL, NULL), SU_CANCELLED);
    shape_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_tables),    cmocka_unit_test(case_shape),
        cmocka_unit_test(many_rows),
        cmocka_unit_test(wide_domain),      cmocka_unit_test(wide_domain_of_frequent_values),
        cmocka_unit_test(sixty_columns),    cmocka_unit_test(edges),
        cmocka_unit_test(wrong_use),        cmocka_unit_test(too_wide),
        cmocka_unit_test(stops_when_asked),
    };
    return cmocka_run_group_tests_name("combinations", tests, NULL, NULL);
}
