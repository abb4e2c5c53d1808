/* The three organisations: what the exports hold is exactly what instruments/ctdc-2024/mappings/README.md says. Harmonising them with the
 * example mappings leaves nothing unmapped but what was planted to be found. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "../su_test.h"
#include <suha/generate.h>
#include <suha/harmonise.h>

#define ROWS 20000

static char *folder;

static int make_folder(void **state)
{
    (void)state;
    su_context ctx;
    su_context_init(&ctx);
    folder = su_strdup(su_test_path("orgs3"));
    if (su_generate(&ctx, "orgs3", ROWS, 1, folder)) fail_msg("%s", ctx.message);
    return 0;
}

static int forget_folder(void **state)
{
    (void)state;
    free(folder);
    return 0;
}

static su_raw_table *read_export(const char *name, const char *sheet)
{
    su_context ctx;
    su_raw_table *t = NULL;
    su_read_options options = { .sheet = sheet };
    su_context_init(&ctx);
    if (su_table_read(&ctx, su_test_pooled(folder, name), &options, &t)) fail_msg("%s", ctx.message);
    return t;
}

/* Files of the instruments, read once and kept. */
static bool resource(void *arg, const char *path, su_str *bytes)
{
    su_arena *arena = arg;
    su_context ctx;
    su_buf b = { 0 };
    su_context_init(&ctx);
    if (su_file_read(&ctx, su_test_source(su_arena_printf(arena, "instruments/%s", path)), 1 << 24, &b)) return false;
    *bytes = (su_str) { su_arena_strndup(arena, b.p ? b.p : "", b.n), b.n };
    su_buf_free(&b);
    return true;
}

typedef struct planted {
    const char *column, *value;
    double most;
} planted;

/* `planted` ends with a NULL column; `most` is the largest share of rows that may hold the value. */
static void check_export(const char *file, const char *sheet, const char *mapping_file, uint64_t rows, const planted *expected)
{
    su_context ctx;
    su_arena arena;
    su_schema *schema = NULL;
    su_mapping *mapping = NULL;
    su_case_table *cases = NULL;
    su_harmonise_report *report = NULL;
    su_str csv;
    su_context_init(&ctx);
    su_arena_init(&arena);
    su_raw_table *raw = read_export(file, sheet);
    assert_int_equal(raw->row_count, rows);
    if (su_schema_load(&ctx, "ctdc-2024", resource, &arena, &schema)) fail_msg("%s", ctx.message);
    assert_true(resource(&arena, su_arena_printf(&arena, "ctdc-2024/mappings/%s", mapping_file), &csv));
    if (su_mapping_parse(&ctx, mapping_file, csv, schema, &mapping)) fail_msg("%s", ctx.message);
    su_harmonise_options options = { .margins = SU_MARGINS_REFUSE, .max_rejected = 0 };
    if (su_harmonise(&ctx, raw, schema, mapping, &options, &cases, &report)) fail_msg("%s: %s", file, ctx.message);
    assert_int_equal(report->rows_out, rows);

    size_t met = 0, wanted = 0;
    for (size_t c = 0; c < report->column_count; c++) {
        const su_column_report *column = &report->columns[c];
        if (strcmp(column->coverage, "unmapped") == 0) fail_msg("%s: no rule for column %s", file, column->source);
        for (size_t u = 0; u < column->unmapped_count; u++) {
            const su_value_note *note = &column->unmapped[u];
            const planted *p = expected;
            while (p->column && (strcmp(p->column, column->source) != 0 || strcmp(p->value, note->value) != 0)) p++;
            if (!p->column)
                fail_msg("%s: %s holds \"%s\" in %llu rows, which nothing maps", file, column->source, note->value,
                         (unsigned long long)note->rows);
            assert_true((double)note->rows <= p->most * (double)rows);
            met++;
        }
    }
    for (const planted *p = expected; p->column; p++) wanted++;
    assert_int_equal(met, wanted);
    su_harmonise_report_free(report);
    su_case_table_free(cases);
    su_mapping_free(mapping);
    su_schema_free(schema);
    su_raw_table_free(raw);
    su_arena_free(&arena);
}

static void harbour_maps_but_for_what_was_planted(void **state)
{
    (void)state;
    static const planted expected[] = { { "age", "abt 30", 0.006 }, { "nationality", "XX", 0.006 }, { NULL, NULL, 0 } };
    check_export("harbour.csv", NULL, "example-harbour.csv", ROWS * 9 / 20, expected);
}

static void hotline_maps_but_for_what_was_planted(void **state)
{
    (void)state;
    static const planted expected[] = { { NULL, NULL, 0 } };
    check_export("hotline.xlsx", "Calls", "example-hotline.csv", ROWS / 4, expected);
}

static void refuge_maps_but_for_what_was_planted(void **state)
{
    (void)state;
    static const planted expected[] = {
        { "prs_Citizenship", "Atlantide", 0.006 },
        { NULL, NULL, 0 },
    };
    check_export("refuge.csv", NULL, "example-refuge.csv", ROWS * 3 / 10, expected);
}

static double share(const su_raw_table *t, const char *if_column, const char *if_value, const char *then_column, const char *then_value)
{
    int a = su_raw_table_column(t, su_str_of(if_column)), b = su_raw_table_column(t, su_str_of(then_column));
    uint64_t of = 0, n = 0;
    assert_true(a >= 0 && b >= 0);
    for (uint64_t r = 0; r < t->row_count; r++) {
        if (!su_str_equal(su_dict_get(t->columns[a].values, t->columns[a].ids[r]), su_str_of(if_value))) continue;
        of++;
        n += su_str_equal(su_dict_get(t->columns[b].values, t->columns[b].ids[r]), su_str_of(then_value));
    }
    assert_true(of > 0);
    return (double)n / (double)of;
}

static void people_are_plausible(void **state)
{
    (void)state;
    su_raw_table *t = read_export("harbour.csv", NULL);
    assert_true(share(t, "sector", "construction", "sex", "M") > 0.8);
    assert_true(share(t, "sector", "domestic work", "sex", "F") > 0.8);
    assert_true(share(t, "sex_type", "prostitution", "sex", "F") > 0.75);
    assert_true(share(t, "labour_exp", "1", "sex_type", "prostitution") < share(t, "sexual_exp", "1", "sex_type", "prostitution") / 2);
    /* A sector only with labour exploitation, a sex type only with sexual exploitation. */
    assert_true(share(t, "sector", "agriculture", "labour_exp", "1") == 1);
    assert_true(share(t, "sex_type", "pornography", "sexual_exp", "1") == 1);
    assert_int_equal(su_dict_count(t->columns[0].values), t->row_count);
    su_raw_table_free(t);

    t = read_export("refuge.csv", NULL);
    assert_int_equal(t->delimiter, ';');
    assert_string_equal(t->encoding, "UTF-8 with BOM");
    assert_int_equal(su_dict_count(t->columns[0].values), t->row_count);
    assert_true(share(t, "prs_Citizenship", "Haïti", "x_ExploitationCountry", "Haïti") > 0.5);
    su_raw_table_free(t);

    t = read_export("hotline.xlsx", "Calls");
    double of_children = share(t, "Age band", "9–17", "Recruiter", "family member");
    assert_true(of_children > 3 * share(t, "Age band", "30–38", "Recruiter", "family member"));
    su_raw_table_free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(harbour_maps_but_for_what_was_planted),
        cmocka_unit_test(hotline_maps_but_for_what_was_planted),
        cmocka_unit_test(refuge_maps_but_for_what_was_planted),
        cmocka_unit_test(people_are_plausible),
    };
    return cmocka_run_group_tests(tests, make_folder, forget_folder);
}
