/* Shapes: bytes follow from (shape, rows, seed); columns and codes are those of the instruments; sizes are those of bench/RESULTS.md. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "../su_test.h"
#include <suha/generate.h>

static void generate(const char *shape, uint64_t rows, uint64_t seed, const char *path)
{
    su_context ctx;
    su_context_init(&ctx);
    if (su_generate(&ctx, shape, rows, seed, path)) fail_msg("%s", ctx.message);
}

static su_sha256 file_hash(const char *path)
{
    su_context ctx;
    su_buf b = { 0 };
    su_context_init(&ctx);
    if (su_file_read(&ctx, path, UINT64_C(1) << 30, &b)) fail_msg("%s", ctx.message);
    su_sha256 h = su_sha256_of(b.p, b.n);
    su_buf_free(&b);
    return h;
}

static bool same_bytes(const char *a, const char *b)
{
    su_sha256 x = file_hash(a), y = file_hash(b);
    return memcmp(&x, &y, sizeof x) == 0;
}

static su_raw_table *read_table(const char *path, const char *sheet)
{
    su_context ctx;
    su_raw_table *t = NULL;
    su_read_options options = { .sheet = sheet };
    su_context_init(&ctx);
    if (su_table_read(&ctx, path, &options, &t)) fail_msg("%s", ctx.message);
    return t;
}

static su_str cell(const su_raw_table *t, uint64_t row, uint32_t column)
{
    return su_dict_get(t->columns[column].values, t->columns[column].ids[row]);
}

static void bytes_follow_from_the_seed(void **state)
{
    (void)state;
    static const char *const files[] = { "harbour.csv", "hotline.xlsx", "refuge.csv" };
    size_t n;
    const su_shape *shapes = su_shapes(&n);
    assert_int_equal(n, 7);
    for (size_t i = 0; i < n; i++) {
        bool folder = strcmp(shapes[i].name, "orgs3") == 0;
        su_arena arena;
        su_arena_init(&arena);
        char *path[3];
        for (int k = 0; k < 3; k++) {
            path[k] = su_path_join(&arena, su_test_folder(), su_arena_printf(&arena, "%s-%d", shapes[i].name, k));
            /* A time in the workbook would show: ZIP and document times have a step of at most two seconds. */
            if (folder && k == 1) sleep(2);
            generate(shapes[i].name, 200, k < 2 ? 5 : 6, path[k]);
        }
        for (int f = 0; f < (folder ? 3 : 1); f++) {
            char *file[3];
            for (int k = 0; k < 3; k++) file[k] = folder ? su_path_join(&arena, path[k], files[f]) : path[k];
            assert_true(same_bytes(file[0], file[1]));
            assert_false(same_bytes(file[0], file[2]));
        }
        su_arena_free(&arena);
    }
}

/* Every cell is empty or a code of the instrument's list of as many values; flags may also be 0 where the instrument prints it. */
static void check_codes(const char *shape, const su_raw_table *t, const unsigned *values, uint32_t coded, const char *flag_off)
{
    su_context ctx;
    su_context_init(&ctx);
    for (uint32_t c = 0; c < coded; c++) {
        su_arena arena;
        su_buf bytes = { 0 };
        su_codelist *list = NULL;
        su_arena_init(&arena);
        char *name = su_arena_printf(&arena, "instruments/%s/codelists/values-%u.csv", shape, values[c]);
        if (su_file_read(&ctx, su_test_source(name), 1 << 20, &bytes)) fail_msg("%s", ctx.message);
        if (su_codelist_parse(&ctx, &arena, "values", name, (su_str) { bytes.p, bytes.n }, &list)) fail_msg("%s", ctx.message);
        assert_int_equal(list->count, values[c]);
        const su_dict *distinct = t->columns[c].values;
        for (uint32_t v = 0; v < su_dict_count(distinct); v++) {
            su_str text = su_dict_get(distinct, v);
            if (text.n && !su_codelist_find(list, text)) fail_msg("%s: %s holds %.*s", shape, t->columns[c].name, (int)text.n, text.p);
        }
        su_codelist_free(list);
        su_buf_free(&bytes);
        su_arena_free(&arena);
    }
    for (uint32_t c = coded; c < t->column_count; c++) {
        const su_dict *distinct = t->columns[c].values;
        for (uint32_t v = 0; v < su_dict_count(distinct); v++) {
            su_str text = su_dict_get(distinct, v);
            assert_true(text.n == 0 || su_str_equal(text, SU_STR("1")) || su_str_equal(text, su_str_of(flag_off)));
        }
    }
}

static double mean_weight(const su_raw_table *t)
{
    uint64_t filled = 0;
    for (uint32_t c = 0; c < t->column_count; c++)
        for (uint64_t r = 0; r < t->row_count; r++) filled += cell(t, r, c).n > 0 && !su_str_equal(cell(t, r, c), SU_STR("0"));
    return (double)filled / (double)t->row_count;
}

static void check_header(const su_raw_table *t, const char *const *prefix, const unsigned *count, unsigned kinds, const char *format)
{
    uint32_t at = 0;
    for (unsigned k = 0; k < kinds; k++) {
        for (unsigned i = 1; i <= count[k]; i++, at++) {
            char want[16];
            if (strcmp(format, "plain") == 0)
                snprintf(want, sizeof want, "%s%u", prefix[k], i);
            else
                snprintf(want, sizeof want, "%s%02u", prefix[k], i);
            assert_true(at < t->column_count);
            assert_string_equal(t->columns[at].name, want);
        }
    }
    assert_int_equal(at, t->column_count);
}

static void benchmark_shapes_fit_their_instruments(void **state)
{
    (void)state;
    static const unsigned c17k[] = { 21, 4, 9, 60, 4, 60 }, m1x40[] = { 20, 9, 50, 50 }, nb6k[] = { 2, 6, 10 };
    static const char *const cf[] = { "c", "f" }, *const h[] = { "H" };
    char *path = su_strdup(su_test_path("shape.csv"));

    generate("c17k", 0, 1, path);
    su_raw_table *t = read_table(path, NULL);
    assert_int_equal(t->row_count, 17000);
    check_header(t, cf, (const unsigned[]) { 6, 20 }, 2, "%02u");
    check_codes("c17k", t, c17k, 6, "1");
    assert_true(mean_weight(t) > 8.7 && mean_weight(t) < 9.4);
    su_raw_table_free(t);

    generate("m1x40", 20000, 1, path);
    t = read_table(path, NULL);
    assert_int_equal(t->row_count, 20000);
    check_header(t, cf, (const unsigned[]) { 4, 36 }, 2, "%02u");
    check_codes("m1x40", t, m1x40, 4, "1");
    assert_true(mean_weight(t) > 11.5 && mean_weight(t) < 12.5);
    su_raw_table_free(t);

    generate("nb6k", 0, 1, path);
    t = read_table(path, NULL);
    assert_int_equal(t->row_count, 6000);
    check_header(t, h, (const unsigned[]) { 10 }, 1, "plain");
    check_codes("nb6k", t, nb6k, 3, "0");
    /* Means of the notebook's summary table, missing = 0: 0.99, 2.59, 4.54. */
    static const double means[] = { 1.0, 2.625, 4.583 };
    for (uint32_t c = 0; c < 3; c++) {
        int64_t sum = 0, value;
        for (uint64_t r = 0; r < t->row_count; r++) sum += su_parse_i64(cell(t, r, c), &value) ? value : 0;
        double mean = (double)sum / (double)t->row_count;
        assert_true(mean > means[c] - 0.2 && mean < means[c] + 0.2);
    }
    su_raw_table_free(t);
    free(path);
}

/* Distinct pairs of attributes of c17k: 8,800 in the spec's measurements, so the sparsity is comparable. */
static void pairs_are_as_sparse_as_in_the_spec(void **state)
{
    (void)state;
    enum { CODES = 64, COLUMNS = 26 };
    char *path = su_strdup(su_test_path("pairs.csv"));
    generate("c17k", 0, 2, path);
    su_raw_table *t = read_table(path, NULL);
    bool *seen = su_alloc_array((size_t)COLUMNS * CODES * COLUMNS * CODES, sizeof *seen);
    size_t pairs = 0;
    for (uint64_t r = 0; r < t->row_count; r++)
        for (uint32_t a = 0; a < COLUMNS; a++)
            for (uint32_t b = a + 1; b < COLUMNS; b++) {
                if (!cell(t, r, a).n || !cell(t, r, b).n) continue;
                size_t x = a * CODES + t->columns[a].ids[r], y = b * CODES + t->columns[b].ids[r];
                bool *at = &seen[x * COLUMNS * CODES + y];
                pairs += !*at;
                *at = true;
            }
    print_message("# distinct pairs of attributes: %zu\n", pairs);
    assert_in_range(pairs, 8000, 9500);
    free(seen);
    free(path);
    su_raw_table_free(t);
}

static void mistakes_are_explained(void **state)
{
    (void)state;
    su_context ctx;
    su_context_init(&ctx);
    assert_int_equal(su_generate(&ctx, "c18k", 0, 1, su_test_path("x")), SU_USAGE);
    assert_non_null(strstr(ctx.message, "c18k"));
    assert_non_null(strstr(ctx.message, "c17k"));
    assert_int_equal(su_generate(&ctx, "orgs3", 5000000, 1, su_test_path("x")), SU_USAGE);
    assert_int_equal(su_generate(&ctx, "c17k", UINT64_MAX, 1, su_test_path("x")), SU_USAGE);
    assert_int_equal(su_generate(&ctx, "c17k", 10, 1, su_test_path("no/such/folder/x.csv")), SU_IO);
    assert_non_null(strstr(ctx.message, "no/such/folder"));
    assert_int_equal(su_generate(&ctx, "orgs3", 10, 1, su_test_path("no/such/folder")), SU_IO);
    volatile int cancel = 1;
    ctx.cancel = &cancel;
    char *path = su_strdup(su_test_path("cancelled.csv"));
    assert_int_equal(su_generate(&ctx, "c17k", 0, 1, path), SU_CANCELLED);
    assert_false(su_path_exists(path));
    assert_false(su_path_exists(su_test_path("cancelled.csv.part")));
    free(path);
}

/* Pairs: what is said of a victim is the same in all her rows, and her number of perpetrators varies. (tests/cli/test_units.py: `suha check
 * --strict` knows all codes.) */
static void pairs_hang_together(void **state)
{
    (void)state;
    enum { VICTIMS = 3000, OF_VICTIM = 8 };
    char *path = su_strdup(su_test_path("pairs.csv"));
    generate("vp17k", VICTIMS, 11, path);
    su_raw_table *t = read_table(path, NULL);
    assert_int_equal(t->column_count, 17);
    assert_string_equal(t->columns[0].name, "victimID");
    assert_int_equal(su_dict_count(t->columns[0].values), VICTIMS);
    uint64_t largest = 1, run = 1, single = 0;
    for (uint64_t r = 1; r < t->row_count; r++) {
        bool same = t->columns[0].ids[r] == t->columns[0].ids[r - 1];
        for (uint32_t c = 1; same && c < OF_VICTIM; c++) assert_int_equal(t->columns[c].ids[r], t->columns[c].ids[r - 1]);
        single += !same && run == 1;
        run = same ? run + 1 : 1;
        largest = run > largest ? run : largest;
    }
    assert_in_range(t->row_count, 1.6 * VICTIMS, 2.4 * VICTIMS);
    assert_in_range(largest, 6, 12);
    assert_in_range(single, VICTIMS / 4, VICTIMS * 3 / 4);
    su_raw_table_free(t);
    free(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pairs_hang_together),
        cmocka_unit_test(bytes_follow_from_the_seed),
        cmocka_unit_test(benchmark_shapes_fit_their_instruments),
        cmocka_unit_test(pairs_are_as_sparse_as_in_the_spec),
        cmocka_unit_test(mistakes_are_explained),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
