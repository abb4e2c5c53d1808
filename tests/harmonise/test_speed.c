/* 206,000 rows of 26 columns must be harmonised in half a CPU second: the work is per distinct value, a row costs one gather per column. */
#include "harmonise_test.h"

enum { ROWS = 206000, CODES = 6, FLAGS = 20 };

#if defined(__SANITIZE_ADDRESS__) || !defined(__OPTIMIZE__)
#define MEASURED false
#else
#define MEASURED true
#endif

static void a_large_file_is_quick(void **state)
{
    (void)state;
    su_context ctx;
    su_random rnd;
    su_buf schema = { 0 }, list = { 0 }, map = { 0 }, data = { 0 };
    su_context_init(&ctx);
    su_test_random(&rnd);
    su_buf_text(&list, "code,label_en\n");
    for (int v = 0; v < 60; v++) su_buf_printf(&list, "v%d,Value %d\n", v, v);
    su_buf_text(&schema, "{\"missingValues\": [\"\", \"-99\"], \"fields\": [");
    su_buf_text(&map, MAP_HEADER "id,,,,record,,\n");
    su_buf_text(&data, "id");
    for (int c = 0; c < CODES + FLAGS; c++) {
        if (c < CODES)
            su_buf_printf(&schema, "%s{\"name\": \"t%d\", \"suha:type\": \"code\", \"suha:codelist\": \"l\"}", c > 0 ? "," : "", c);
        else
            su_buf_printf(&schema, ",{\"name\": \"t%d\", \"suha:type\": \"flag\"}", c);
        if (c < CODES + FLAGS - 1)
            su_buf_printf(&map, "s%d,,t%d,,rename,,\n", c, c);
        else
            su_buf_printf(&map, "s%d,,t%d,known-negative,or,,\ns%d,,t%d,known-negative,or,,\n", c, c, c - 1, c);
        su_buf_printf(&data, ",s%d", c);
    }
    su_buf_text(&schema, "]}");
    for (int r = 0; r < ROWS; r++) {
        su_buf_printf(&data, "\nHB-%06d", r);
        for (int c = 0; c < CODES + FLAGS; c++) {
            uint64_t v = su_random_below(&rnd, c < CODES ? 60 : 3);
            if (c < CODES)
                su_buf_printf(&data, ",v%d", (int)v);
            else
                su_buf_text(&data, v == 0 ? ",0" : v == 1 ? ",1" : ",-99");
        }
    }
    const toy_file files[] = {
        { "big/schema.json", schema.p }, { "codelists/l.csv", list.p }, { "codelists/flag.csv", toy_flag }, { NULL, NULL }
    };
    su_schema *s = NULL;
    su_mapping *m = NULL;
    su_case_table *t = NULL;
    su_harmonise_report *report = NULL;
    if (su_schema_load(&ctx, "big", toy_resource, (void *)(uintptr_t)files, &s) != SU_OK) fail_msg("%s", ctx.message);
    if (su_mapping_parse(&ctx, "map.csv", (su_str) { map.p, map.n }, s, &m) != SU_OK) fail_msg("%s", ctx.message);
    su_raw_table *raw = csv_table("big.csv", data.p);
    double start = su_clock_cpu();
    assert_int_equal(su_harmonise(&ctx, raw, s, m, NULL, &t, &report), SU_OK);
    double spent = su_clock_cpu() - start;
    printf("# %d rows x %d columns harmonised in %.3f CPU s\n", ROWS, CODES + FLAGS, spent);
    assert_int_equal(t->row_count, ROWS);
    if (MEASURED) assert_true(spent < 0.5);
    su_harmonise_report_free(report);
    su_case_table_free(t);
    su_mapping_free(m);
    su_raw_table_free(raw);
    su_schema_free(s);
    su_buf_free(&schema);
    su_buf_free(&list);
    su_buf_free(&map);
    su_buf_free(&data);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(a_large_file_is_quick) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
