/* Import and reading at the size of the largest public data set: 206,000 records, 26 coded columns and an identifier. CPU seconds. */
#include "vault_test.h"

enum { ROWS = 206000, COLUMNS = 26 };

int main(int argc, char **argv)
{
    su_context ctx;
    su_random r;
    su_arena arena;
    su_vault *v = NULL;
    su_schema s = { .name = "bench", .field_count = COLUMNS };
    uint64_t n = 0, checked = 0, bad = 0, rows = argc > 1 ? strtoull(argv[1], NULL, 10) : ROWS;
    su_buf codes = { 0 };
    struct stat st;
    su_context_init(&ctx);
    su_random_seeded(&r, 1);
    su_arena_init(&arena);
    for (int i = 1; i <= 60; i++) su_buf_printf(&codes, "c%d,code %d,\n", i, i);
    su_codelist *list = test_list(&arena, "codes", codes.p);
    s.fields = su_arena_array(&arena, COLUMNS, sizeof *s.fields);
    for (int f = 0; f < COLUMNS; f++)
        s.fields[f] = (su_field) { .name = su_arena_printf(&arena, "column%d", f), .type = SU_TYPE_CODE, .codelist = list };
    su_case_table *t = su_case_table_new(&s, rows), *back = NULL;
    for (uint32_t f = 0; f < COLUMNS; f++) {
        su_case_table_provide(t, f);
        for (uint64_t row = 0; row < rows; row++) t->columns[f].codes[row] = (su_cell)su_random_below(&r, 61);
    }
    for (uint64_t row = 0; row < rows; row++) {
        char id[32];
        snprintf(id, sizeof id, "case-%llu", (unsigned long long)row);
        t->record_ids[row] = su_dict_add(t->records, su_str_of(id));
    }
    const char *dir = test_vault("bench");
    su_batch_info info = test_info(t, "bench.csv");
    assert_ok(su_vault_open(&ctx, dir, PASS, &v));
    double at = su_clock_cpu();
    assert_ok(su_vault_import(&ctx, v, "alpha", t, &info, 0, &n, NULL));
    double import = su_clock_cpu() - at;
    at = su_clock_cpu();
    assert_ok(su_vault_read(&ctx, v, NULL, &s, &back));
    double reading = su_clock_cpu() - at;
    at = su_clock_cpu();
    assert_ok(su_vault_verify(&ctx, v, &checked, &bad));
    double verify = su_clock_cpu() - at;
    su_vault_close(v);
    assert_int_equal(stat(su_arena_printf(&arena, "%s/vault.db", dir), &st), 0);
    printf("%llu records x %d columns: import %.2f, read %.2f, verify %.2f CPU s; %.1f MiB on disk; %llu checked, %llu bad\n",
           (unsigned long long)rows, COLUMNS, import, reading, verify, (double)st.st_size / (1 << 20), (unsigned long long)checked,
           (unsigned long long)bad);
    su_case_table_free(t);
    su_case_table_free(back);
    su_codelist_free(list);
    su_buf_free(&codes);
    su_arena_free(&arena);
    return 0;
}
