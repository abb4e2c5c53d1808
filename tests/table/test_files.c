/* Files: reading by content, and the real files of ../shared/data where they are. */
#include "table_test.h"

static void write_file(const char *path, const void *p, size_t n)
{
    su_context ctx;
    su_context_init(&ctx);
    assert_int_equal(su_file_write(&ctx, path, p, n, 0600), SU_OK);
}

static void content_decides_not_the_name(void **state)
{
    (void)state;
    su_context ctx;
    su_raw_table *t = NULL;
    su_context_init(&ctx);
    const char *path = su_test_path("really a csv.xlsx");
    write_file(path, "a;b\n1;2\n", 8);
    assert_int_equal(su_table_read(&ctx, path, NULL, &t), SU_OK);
    assert_shows(t, "[a][b]\n[1][2]");
    assert_string_equal(t->source, "really a csv.xlsx");
    su_raw_table_free(t);
}

static void what_is_no_table_is_named(void **state)
{
    (void)state;
    const struct {
        const char *bytes;
        size_t n;
        const char *message;
    } cases[] = {
        { "%PDF-1.7 ...", 12, "sent.csv is a PDF document. Open it in the program it comes from and save it as XLSX or CSV UTF-8." },
        { "<html><table>", 13,
          "sent.csv is a web page (some systems export tables as HTML under the name .xls). Open it in the program it comes from and save "
          "it as XLSX or CSV UTF-8." },
        { "PK\3\4 and then nothing", 21,
          "sent.csv is damaged or incomplete: it begins like a workbook, but its table of contents at the end is missing or wrong. Was the "
          "copy or download cut short? Copy it again from where it came." },
        { "\xD0\xCF\x11\xE0", 4,
          "sent.csv is in the old Excel format (.xls). Open it in a spreadsheet program and save it as XLSX or CSV UTF-8." },
        { "", 0, "sent.csv: the file is empty. A table needs at least a line with the column names." },
    };
    const char *path = su_test_path("sent.csv");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        su_context ctx;
        su_raw_table *t = NULL;
        su_context_init(&ctx);
        write_file(path, cases[i].bytes, cases[i].n);
        assert_int_equal(su_table_read(&ctx, path, NULL, &t), SU_INPUT);
        assert_string_equal(ctx.message, cases[i].message);
        assert_null(t);
    }
    su_context ctx;
    su_raw_table *t = NULL;
    su_context_init(&ctx);
    assert_int_equal(su_table_read(&ctx, su_test_path("absent.csv"), NULL, &t), SU_IO);
    assert_int_equal(su_table_read(&ctx, su_test_folder(), NULL, &t), SU_IO);
}

typedef struct real {
    const char *path, *sheet;
    unsigned header_rows;
    uint64_t rows;
    uint32_t columns;
    char delimiter;
} real;

/* Rows and columns as shared/data/README.md and an independent reader (Python's csv module) count them. */
static const real reals[] = {
    { "adult/adult_encoded_private-pgm.csv", NULL, 1, 48842, 14, ',' },
    { "arx/adult.csv", NULL, 1, 30162, 9, ';' },
    { "arx/adult_hierarchy_age.csv", NULL, 1, 99, 5, ';' },
    { "arx/adult_hierarchy_education.csv", NULL, 1, 15, 4, ';' },
    { "arx/adult_hierarchy_marital-status.csv", NULL, 1, 6, 3, ';' },
    { "arx/adult_hierarchy_native-country.csv", NULL, 1, 40, 3, ';' },
    { "arx/adult_hierarchy_occupation.csv", NULL, 1, 13, 3, ';' },
    { "arx/adult_hierarchy_race.csv", NULL, 1, 4, 2, ';' },
    { "arx/adult_hierarchy_salary-class.csv", NULL, 1, 1, 2, ';' },
    { "arx/adult_hierarchy_sex.csv", NULL, 1, 1, 2, ';' },
    { "arx/adult_hierarchy_workclass.csv", NULL, 1, 7, 3, ';' },
    { "arx/test_dirty.csv", NULL, 1, 7, 3, ';' },
    { "ctdc/clear_48801x10.csv", NULL, 1, 48801, 11, ',' },
    { "ctdc/ctdc2020_joined_48801x12.csv", NULL, 1, 48801, 12, ',' },
    { "ctdc/dados_app.csv", NULL, 1, 48773, 15, ',' },
    { "ctdc/final_data.csv", NULL, 1, 91043, 19, ',' },
    { "ctdc/sample_raw_schema.csv", NULL, 1, 104, 17, ',' },
    { "ctdc/sample_raw_schema_mrm.csv", NULL, 1, 208, 18, ',' },
    { "ctdc/trafficking_cleaned_14299.csv", NULL, 1, 14299, 10, ',' },
    { "flows/countrynames.csv", NULL, 1, 257, 22, ',' },
    { "flows/frontex.csv", NULL, 1, 34273, 5, ',' },
    { "flows/irreg_darien_nat.csv", NULL, 1, 2387, 4, ',' },
    { "mmp/iom_mmp_2025-06.csv", NULL, 1, 19669, 12, ',' },
    { "mse/UKdat.csv", NULL, 1, 25, 7, ',' },
    { "mse/mse_boot_UKdat_5_1000.csv", NULL, 1, 1000, 19, ',' },
    { "nrm/nrm_cube_with_margins_2023q4_nonzero.csv", NULL, 1, 6979, 7, ',' },
    { "nrm/nrm_leaf_2022q2_2023q4.csv", NULL, 1, 11277, 8, ',' },
    { "nrm/nrm_reasonable_grounds.csv", NULL, 1, 50, 12, ',' },
    { "nrm/nrm_referrals_longitudinal.csv", NULL, 1, 885, 5, ',' },
    { "sdc/testdata.csv", NULL, 1, 4580, 15, ',' },
    { "statistics/fms_synthetic.csv", NULL, 1, 2400, 18, ',' },
    { "statistics/svy_apiclus2.csv", NULL, 1, 126, 24, ',' },
    { "dtm/DTM_Libya_R54_Migrant_Dataset_PUBLIC.xlsx", "Summary", 1, 118, 10, 0 },
    { "dtm/DTM_Libya_R54_Migrant_Dataset_PUBLIC.xlsx", "Baladiya Main", 2, 100, 11, 0 },
    { "dtm/DTM_Libya_R54_Migrant_Dataset_PUBLIC.xlsx", "Muhalla Main", 2, 663, 40, 0 },
    { "dtm/DTM_Libya_R54_Migrant_Dataset_PUBLIC.xlsx", "Nationalities", 1, 3830, 13, 0 },
    { "htcds/HTCDS Excel Spreadsheet v2.0.xlsx", NULL, 2, 1000, 39, 0 },
    { "htcds/htcds_xlsform.xlsx", "survey", 1, 34, 5, 0 },
    { "htcds/htcds_xlsform.xlsx", "choices", 1, 331, 3, 0 },
    { "htcds/htcds_xlsform.xlsx", "settings", 1, 1, 1, 0 },
    { "ctdc/human_traffick_data_definitions.xlsx", "table", 1, 17, 3, 0 },
    { "ctdc/human_traffick_data_definitions.xlsx", "relationship", 1, 7, 2, 0 },
};

static su_raw_table *read_real(const char *name, const su_read_options *opts)
{
    const char *path = su_test_shared(name);
    su_context ctx;
    su_raw_table *t = NULL;
    if (path == NULL) return NULL;
    su_context_init(&ctx);
    if (su_table_read(&ctx, path, opts, &t) != SU_OK) fail_msg("%s", ctx.message);
    return t;
}

static void real_files_are_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof reals / sizeof reals[0]; i++) {
        const real *r = &reals[i];
        su_read_options opts = { .sheet = r->sheet, .header_rows = r->header_rows };
        su_raw_table *t = read_real(r->path, &opts);
        if (t == NULL) continue;
        if (t->row_count != r->rows || t->column_count != r->columns || t->delimiter != r->delimiter)
            fail_msg("%s: %llu rows, %u columns, delimiter '%c'", r->path, (unsigned long long)t->row_count, t->column_count, t->delimiter);
        su_raw_table_free(t);
    }
}

static void real_cells_stand_where_they_should(void **state)
{
    (void)state;
    su_read_options muhalla = { .sheet = "Muhalla Main", .header_rows = 2 };
    su_raw_table *t = read_real("dtm/DTM_Libya_R54_Migrant_Dataset_PUBLIC.xlsx", &muhalla);
    if (t != NULL) {
        assert_string_equal(t->columns[4].name, "General Info / ADM4_Muhalla_AR");
        assert_string_equal(t->columns[39].name, "Priority needs and associated problem / Priority Need 3 - Problem");
        assert_string_equal(cell(t, 0, 4).p, "الفجر الجديد");
        assert_string_equal(cell(t, 0, 11).p, "900");
        assert_int_equal(t->row_line[0], 3);
        su_raw_table_free(t);
    }
    t = read_real("mmp/iom_mmp_2025-06.csv", NULL);
    if (t != NULL) {
        uint64_t embedded = 0;
        for (uint64_t r = 0; r < t->row_count; r++)
            for (uint32_t c = 0; c < t->column_count; c++) embedded += memchr(cell(t, r, c).p, '\n', cell(t, r, c).n) != NULL;
        assert_int_equal(embedded, 1);
        assert_int_equal(t->row_line[t->row_count - 1], t->row_count + 2);
        su_raw_table_free(t);
    }
    t = read_real("ctdc/clear_48801x10.csv", NULL);
    if (t != NULL) {
        assert_string_equal(t->columns[0].name, "column_1");
        assert_string_equal(cell(t, 0, 1).p, "2002.0");
        su_raw_table_free(t);
    }
}

static void a_real_ragged_file_is_refused(void **state)
{
    (void)state;
    const char *ragged = su_test_shared("arx/test-import.csv"), *ods = su_test_shared("htcds/HTCDS Field Standards 2.0.ods");
    su_context ctx;
    su_raw_table *t = NULL;
    su_context_init(&ctx);
    if (ragged != NULL) {
        assert_int_equal(su_table_read(&ctx, ragged, NULL, &t), SU_INPUT);
        assert_string_equal(ctx.message,
                            "test-import.csv, line 2, column 4: the row has 3 cells, the header has 4 (delimiter: semicolon). Add the "
                            "missing cells (they may be empty), or put cells that hold a line break in double quotes.");
    }
    if (ods != NULL) {
        assert_int_equal(su_table_read(&ctx, ods, NULL, &t), SU_INPUT);
        assert_non_null(strstr(ctx.message, "OpenDocument"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(content_decides_not_the_name),  cmocka_unit_test(what_is_no_table_is_named),
        cmocka_unit_test(real_files_are_read),           cmocka_unit_test(real_cells_stand_where_they_should),
        cmocka_unit_test(a_real_ragged_file_is_refused),
    };
    return cmocka_run_group_tests_name("table: files", tests, NULL, NULL);
}
