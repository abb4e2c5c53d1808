/* The real files under shared/data through the mappings under instruments/. Skipped, with a printed reason, where either is missing. */
#include "harmonise_test.h"

typedef struct real {
    su_context ctx;
    su_schema *schema;
    su_raw_table *raw;
    su_mapping *mapping;
    su_case_table *table;
    su_harmonise_report *report;
} real;

static void real_free(real *r)
{
    su_case_table_free(r->table);
    su_harmonise_report_free(r->report);
    su_mapping_free(r->mapping);
    su_raw_table_free(r->raw);
    su_schema_free(r->schema);
}

/* mapping "" = by names. False after printing why when a file is not there. */
static bool open_real(real *r, const char *schema, const char *mapping, const char *data, const su_harmonise_options *opts)
{
    const char *found = su_test_shared(data);
    char file[1024];
    su_str csv = { 0 };
    *r = (real) { .table = NULL };
    su_context_init(&r->ctx);
    if (found == NULL) return false;
    snprintf(file, sizeof file, "%s", found);
    su_buf name = { 0 };
    su_buf_printf(&name, "%s/mappings/%s.csv", schema, mapping);
    bool there = *mapping == '\0' || instrument_resource(NULL, name.p, &csv);
    if (!there) printf("# skipped: instruments/%s is not here\n", name.p);
    su_buf_free(&name);
    if (!there) return false;
    if (su_schema_load(&r->ctx, schema, instrument_resource, NULL, &r->schema) != SU_OK) fail_msg("%s", r->ctx.message);
    if (su_table_read(&r->ctx, file, NULL, &r->raw) != SU_OK) fail_msg("%s", r->ctx.message);
    if (*mapping != '\0' && su_mapping_parse(&r->ctx, mapping, csv, r->schema, &r->mapping) != SU_OK) fail_msg("%s", r->ctx.message);
    if (opts != NULL && su_harmonise(&r->ctx, r->raw, r->schema, r->mapping, opts, &r->table, &r->report) != SU_OK)
        fail_msg("%s", r->ctx.message);
    return true;
}

static const su_harmonise_options refuse = { .margins = SU_MARGINS_REFUSE, .max_rejected = 0 };
static const su_harmonise_options leave_out = { .margins = SU_MARGINS_EXCLUDE, .max_rejected = 0 };

/* Key "a,b,c" -> count, as a dictionary with an array. `without` drops keys with this first cell. */
typedef struct counts {
    su_dict *keys;
    uint64_t *n;
    uint64_t total;
} counts;

static counts count_by(real *r, const char *const *by, size_t n, const char *without)
{
    su_tabulation *t = NULL;
    if (su_tabulate(&r->ctx, r->table, by, n, NULL, &t) != SU_OK) fail_msg("%s", r->ctx.message);
    counts c = { .keys = su_dict_new(), .n = su_alloc_array(t->row_count, sizeof(uint64_t)) };
    for (size_t row = 0; row < t->row_count; row++) {
        su_buf key = { 0 };
        if (without != NULL && strcmp(t->keys[row * n], without) == 0) continue;
        for (size_t i = without == NULL ? 0 : 1; i < n; i++) su_buf_printf(&key, "%s,", t->keys[row * n + i]);
        c.n[su_dict_add(c.keys, (su_str) { key.p, key.n })] += t->counts[row];
        c.total += t->counts[row];
        su_buf_free(&key);
    }
    su_tabulation_free(t);
    return c;
}

static uint64_t count_of(const counts *c, su_str key)
{
    uint32_t id = 0;
    return su_dict_find(c->keys, key, &id) ? c->n[id] : 0;
}

static void counts_free(counts *c)
{
    su_dict_free(c->keys);
    free(c->n);
}

static void copies_a_and_b_are_the_same_people(void **state)
{
    (void)state;
    real a, b, joined;
    static const char *const by[] = { "yearOfRegistration", "gender", "ageBroad", "citizenship" };
    if (!open_real(&a, "ctdc-v6", "copy-a", "ctdc/clear_48801x10.csv", &refuse)) skip();
    if (!open_real(&b, "ctdc-v6", "copy-b", "ctdc/dados_app.csv", &refuse)) skip();
    if (!open_real(&joined, "ctdc-v6", "ctdc2020-joined", "ctdc/ctdc2020_joined_48801x12.csv", &refuse)) skip();
    assert_int_equal(a.table->row_count, 48801);
    assert_int_equal(b.table->row_count, 48773);
    counts x = count_by(&a, by, 4, "2019"), y = count_by(&b, by + 1, 3, NULL);
    assert_int_equal(x.total, 48773);
    assert_int_equal(su_dict_count(x.keys), su_dict_count(y.keys));
    for (uint32_t i = 0; i < su_dict_count(y.keys); i++) assert_int_equal(count_of(&x, su_dict_get(y.keys, i)), y.n[i]);
    counts u = count_by(&a, by, 4, NULL), v = count_by(&joined, by, 4, NULL);
    assert_int_equal(su_dict_count(u.keys), su_dict_count(v.keys));
    for (uint32_t i = 0; i < su_dict_count(v.keys); i++) assert_int_equal(count_of(&u, su_dict_get(v.keys, i)), v.n[i]);
    counts_free(&x);
    counts_free(&y);
    counts_free(&u);
    counts_free(&v);
    real_free(&a);
    real_free(&b);
    real_free(&joined);
}

static void copy_c_holds_a_part_of_them(void **state)
{
    (void)state;
    real c, joined;
    static const char *const by[] = { "yearOfRegistration", "datasource", "gender", "ageBroad", "citizenship" };
    if (!open_real(&c, "ctdc-v6", "copy-c", "ctdc/trafficking_cleaned_14299.csv", &refuse)) skip();
    if (!open_real(&joined, "ctdc-v6", "ctdc2020-joined", "ctdc/ctdc2020_joined_48801x12.csv", &refuse)) skip();
    assert_int_equal(c.table->row_count, 14299);
    counts x = count_by(&c, by, 5, NULL), y = count_by(&joined, by, 5, NULL);
    assert_int_equal(x.total, 14299);
    for (uint32_t i = 0; i < su_dict_count(x.keys); i++)
        if (x.n[i] > count_of(&y, su_dict_get(x.keys, i)))
            fail_msg("%s: %d in copy C, %d in the whole", su_dict_get(x.keys, i).p, (int)x.n[i], (int)count_of(&y, su_dict_get(x.keys, i)));
    counts_free(&x);
    counts_free(&y);
    real_free(&c);
    real_free(&joined);
}

static void copy_d_imports_with_its_code_lists(void **state)
{
    (void)state;
    real d;
    if (!open_real(&d, "ctdc-v6", "copy-d", "ctdc/sample_raw_schema.csv", &refuse)) skip();
    assert_int_equal(d.table->row_count, 104);
    for (size_t i = 0; i < d.report->column_count; i++)
        if (d.report->columns[i].rows_unmapped > 0) fail_msg("%s has unmapped values", d.report->columns[i].source);
    real_free(&d);
}

/* Sum of a column of numbers, by hand; rows whose `filter` column is not `wanted` are left out. */
static uint64_t sum_of(const su_raw_table *t, const char *column, const char *filter, const char *wanted)
{
    uint64_t sum = 0;
    int c = su_raw_table_column(t, su_str_of(column)), f = filter == NULL ? -1 : su_raw_table_column(t, su_str_of(filter));
    for (uint64_t r = 0; r < t->row_count; r++)
        if (f < 0 || strcmp(su_dict_get(t->columns[f].values, t->columns[f].ids[r]).p, wanted) == 0)
            sum += strtoull(su_dict_get(t->columns[c].values, t->columns[c].ids[r]).p, NULL, 10);
    return sum;
}

static void the_nrm_leaves_become_people(void **state)
{
    (void)state;
    real leaf;
    if (!open_real(&leaf, "uk-nrm", "nrm-leaf", "nrm/nrm_leaf_2022q2_2023q4.csv", &refuse)) skip();
    assert_int_equal(leaf.table->row_count, sum_of(leaf.raw, "people", NULL, NULL));
    assert_int_equal(leaf.report->rows_in, 11277);
    /* Every label is mapped, a reason, or listed with its count. */
    for (size_t i = 0; i < leaf.report->column_count; i++) {
        const su_column_report *c = &leaf.report->columns[i];
        uint64_t listed = 0;
        for (size_t k = 0; k < c->unmapped_count; k++) listed += c->unmapped[k].rows;
        assert_int_equal(c->rows_mapped + c->rows_missing + c->rows_unmapped, 11277);
        assert_true(listed >= c->rows_unmapped);
        if (strcmp(c->source, "nationality") == 0) assert_true(c->rows_mapped > 10000);
    }
    real_free(&leaf);
}

static void the_cube_without_its_margins_is_the_leaves(void **state)
{
    (void)state;
    real cube, leaf;
    static const char *const by[] = { "quarter",     "firstResponderType", "gender",  "majorityStatusAtExploit",
                                      "citizenship", "isLabour",           "isSexual" };
    if (!open_real(&cube, "uk-nrm", "nrm-cube", "nrm/nrm_cube_with_margins_2023q4_nonzero.csv", &leave_out)) skip();
    if (!open_real(&leaf, "uk-nrm", "nrm-leaf", "nrm/nrm_leaf_2022q2_2023q4.csv", &refuse)) skip();
    assert_int_equal(cube.table->row_count, sum_of(leaf.raw, "people", "quarter", "2023-Q4"));
    assert_int_equal(cube.report->rows_margin, 5320);
    assert_non_null(strstr(cube.report->margins, "9.5 times"));
    counts x = count_by(&cube, by, 7, NULL), y = count_by(&leaf, by, 7, NULL);
    for (uint32_t i = 0; i < su_dict_count(x.keys); i++) assert_int_equal(count_of(&y, su_dict_get(x.keys, i)), x.n[i]);
    counts_free(&x);
    counts_free(&y);
    real_free(&cube);
    real_free(&leaf);
}

static void the_cube_is_refused_without_a_word_about_its_margins(void **state)
{
    (void)state;
    real cube;
    su_mapping *m = NULL;
    if (!open_real(&cube, "uk-nrm", "", "nrm/nrm_cube_with_margins_2023q4_nonzero.csv", NULL)) skip();
    assert_int_equal(
        su_mapping_parse(&cube.ctx, "plain.csv",
                         SU_STR(MAP_HEADER "People,,,,weight,,\nGender,,gender,,rename,,\nNationality,,citizenship,,rename,,\n"),
                         cube.schema, &m),
        SU_OK);
    su_status st = su_harmonise(&cube.ctx, cube.raw, cube.schema, m, &refuse, &cube.table, &cube.report);
    assert_says(&cube.ctx, st, SU_REFUSED, "5,320 of 6,979", "Gender", "Total", "9.5 times");
    su_mapping_free(m);
    real_free(&cube);
}

static void drafts_for_real_files_work_as_they_are(void **state)
{
    (void)state;
    static const struct {
        const char *schema, *data;
        uint32_t filled;
    } cases[] = {
        { "ctdc-v6", "ctdc/clear_48801x10.csv", 9 },
        { "ctdc-v6", "ctdc/dados_app.csv", 7 },
        { "ctdc-v6", "ctdc/trafficking_cleaned_14299.csv", 9 },
        { "ctdc-v6", "ctdc/ctdc2020_joined_48801x12.csv", 11 },
        { "ctdc-v6", "ctdc/sample_raw_schema.csv", 9 },
        { "ctdc-2024", "ctdc/final_data.csv", 15 },
        { "uk-nrm", "nrm/nrm_leaf_2022q2_2023q4.csv", 9 },
        { "uk-nrm", "nrm/nrm_cube_with_margins_2023q4_nonzero.csv", 8 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        real r;
        su_buf csv = { 0 };
        uint32_t filled = 0;
        if (!open_real(&r, cases[i].schema, "", cases[i].data, NULL)) skip();
        assert_int_equal(su_mapping_suggest(&r.ctx, r.raw, r.schema, &csv), SU_OK);
        if (su_mapping_parse(&r.ctx, "draft.csv", (su_str) { csv.p, csv.n }, r.schema, &r.mapping) != SU_OK)
            fail_msg("%s: %s", cases[i].data, r.ctx.message);
        if (su_harmonise(&r.ctx, r.raw, r.schema, r.mapping, &leave_out, &r.table, &r.report) != SU_OK)
            fail_msg("%s: %s", cases[i].data, r.ctx.message);
        for (uint32_t f = 0; f < r.schema->field_count; f++) filled += r.table->columns[f].provided;
        if (filled < cases[i].filled)
            fail_msg("%s: the draft fills %u columns of %u expected\n%s", cases[i].data, filled, cases[i].filled, csv.p);
        su_buf_free(&csv);
        real_free(&r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(copies_a_and_b_are_the_same_people),
        cmocka_unit_test(copy_c_holds_a_part_of_them),
        cmocka_unit_test(copy_d_imports_with_its_code_lists),
        cmocka_unit_test(the_nrm_leaves_become_people),
        cmocka_unit_test(the_cube_without_its_margins_is_the_leaves),
        cmocka_unit_test(the_cube_is_refused_without_a_word_about_its_margins),
        cmocka_unit_test(drafts_for_real_files_work_as_they_are),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
