/* Case tables and code matrices: cells, text, joining, and what counting sees. */
#include "table_test.h"

/* A schema by hand: every type, flags with the "no" last and first, a set with a "none". */
typedef struct fixture {
    su_arena arena;
    su_codelist *sex, *yes_no, *no_yes, *means, *years;
    su_field fields[9];
    su_schema schema;
} fixture;

enum { SEX, FORCED, DEBT, MEANS, YEAR, AGE, BIRTH, NOTE, SECRET, FIELDS };

static int set_up(void **state)
{
    static const char *const aliases[] = { "sexe", "Geschlecht" };
    fixture *f = su_alloc(sizeof *f);
    su_arena_init(&f->arena);
    f->sex = make_codelist(&f->arena, "code,label_en\nF,Female\nM,Male\nX,Other\n");
    f->yes_no = make_codelist(&f->arena, "code,label_en\n1,Yes\n0,No\n");
    f->no_yes = make_codelist(&f->arena, "code,label_en\n0,No\n1,Yes\n");
    f->means = make_codelist(&f->arena, "code,label_en\ndebt,Debt\nnone,None\nthreat,Threat\n\"a,b\",With comma\n");
    f->years = su_codelist_years(&f->arena, "year", 2002, 2004);
    const su_field fields[FIELDS] = {
        [SEX] = { .name = "gender",
                  .type = SU_TYPE_CODE,
                  .role = SU_ROLE_QUASI_IDENTIFIER,
                  .released = true,
                  .codelist = f->sex,
                  .aliases = aliases,
                  .alias_count = 2,
                  .missing_print = "-99" },
        [FORCED] = { .name = "isForced", .type = SU_TYPE_FLAG, .released = true, .codelist = f->yes_no, .negative = 2 },
        [DEBT] = { .name = "isDebt", .type = SU_TYPE_FLAG, .released = true, .codelist = f->no_yes, .negative = 1 },
        [MEANS] = { .name = "means",
                    .type = SU_TYPE_CODE_SET,
                    .released = true,
                    .codelist = f->means,
                    .negative = 2,
                    .separator = "|;",
                    .missing_print = "" },
        [YEAR] = { .name = "year", .type = SU_TYPE_YEAR, .released = true, .codelist = f->years },
        [AGE] = { .name = "age", .type = SU_TYPE_INTEGER, .missing_print = "?" },
        [BIRTH] = { .name = "birth", .type = SU_TYPE_DATE },
        [NOTE] = { .name = "note", .type = SU_TYPE_TEXT, .role = SU_ROLE_IDENTIFIER },
        [SECRET] = { .name = "secret", .type = SU_TYPE_CODE, .released = false, .codelist = f->sex },
    };
    memcpy(f->fields, fields, sizeof fields);
    f->schema = (su_schema) { .name = "hand", .fields = f->fields, .field_count = FIELDS };
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    fixture *f = *state;
    su_codelist *lists[] = { f->sex, f->yes_no, f->no_yes, f->means, f->years };
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) su_codelist_free(lists[i]);
    su_arena_free(&f->arena);
    free(f);
    return 0;
}

/* Three rows with a bit of everything. */
static su_case_table *make_table(const fixture *f)
{
    su_case_table *t = su_case_table_new(&f->schema, 3);
    for (uint32_t i = 0; i < FIELDS; i++)
        if (i != BIRTH) su_case_table_provide(t, i);
    const su_cell sex[] = { 1, SU_CELL_UNKNOWN, 3 }, forced[] = { 1, 2, SU_CELL_NEGATIVE }, debt[] = { 1, 2, 0 }, year[] = { 3, 0, 1 },
                  secret[] = { 2, 2, 2 };
    memcpy(t->columns[SEX].codes, sex, sizeof sex);
    memcpy(t->columns[FORCED].codes, forced, sizeof forced);
    memcpy(t->columns[DEBT].codes, debt, sizeof debt);
    memcpy(t->columns[YEAR].codes, year, sizeof year);
    memcpy(t->columns[SECRET].codes, secret, sizeof secret);
    t->columns[MEANS].sets[0] = 1u << 0 | 1u << 2;
    t->columns[MEANS].sets[1] = 1u << 1;
    t->columns[MEANS].set_reason[2] = SU_CELL_REFUSED;
    t->columns[AGE].ids[0] = su_dict_add(t->columns[AGE].texts, SU_STR("31"));
    t->columns[NOTE].ids[1] = su_dict_add(t->columns[NOTE].texts, SU_STR("said \"no\", twice"));
    for (uint64_t r = 0; r < 3; r++) t->record_ids[r] = su_dict_add(t->records, su_str_of((const char *const[]) { "r1", "r2", "r1" }[r]));
    return t;
}

static void new_tables_are_empty(void **state)
{
    const fixture *f = *state;
    su_case_table *t = su_case_table_new(&f->schema, 2);
    for (uint32_t i = 0; i < FIELDS; i++) assert_false(t->columns[i].provided);
    su_case_table_provide(t, SEX);
    su_case_table_provide(t, NOTE);
    assert_int_equal(t->columns[SEX].codes[1], SU_CELL_NOT_RECORDED);
    assert_int_equal(su_dict_get(t->columns[NOTE].texts, t->columns[NOTE].ids[1]).n, 0);
    assert_int_equal(su_dict_get(t->records, t->record_ids[1]).n, 0);
    t->columns[SEX].codes[0] = 2;
    su_case_table_provide(t, SEX);
    assert_int_equal(t->columns[SEX].codes[0], 2);
    su_case_table_free(t);
    su_case_table_free(NULL);
    t = su_case_table_new(&f->schema, 0);
    su_case_table_provide(t, MEANS);
    su_case_table_free(t);
}

static const char three_rows[] = "gender,isForced,isDebt,means,year,age,birth,note,secret\n"
                                 "F,1,0,debt|threat,2004,31,,,M\n"
                                 "-99,0,1,none,,?,,\"said \"\"no\"\", twice\",M\n"
                                 "X,,,,2002,?,,,M\n";

static void cells_print_as_the_schema_says(void **state)
{
    const fixture *f = *state;
    su_case_table *t = make_table(f);
    su_buf csv = { 0 };
    su_case_table_csv(t, &csv);
    assert_string_equal(csv.p, three_rows);
    su_buf_free(&csv);
    su_case_table_free(t);
}

static void the_csv_reads_back(void **state)
{
    const fixture *f = *state;
    su_case_table *t = make_table(f);
    su_buf csv = { 0 };
    su_arena arena;
    su_arena_init(&arena);
    t->columns[MEANS].sets[2] = 1u << 0 | 1u << 3;
    su_case_table_csv(t, &csv);
    su_raw_table *raw = read_csv_with((su_str) { csv.p, csv.n }, NULL);
    assert_int_equal(raw->row_count, 3);
    for (uint32_t c = 0; c < FIELDS; c++)
        for (uint64_t r = 0; r < 3; r++) assert_string_equal(cell(raw, r, c).p, su_case_cell_text(t, &arena, r, c).p);
    assert_string_equal(cell(raw, 2, MEANS).p, "debt|a,b");
    su_raw_table_free(raw);
    su_buf_free(&csv);
    su_arena_free(&arena);
    su_case_table_free(t);
}

static void an_empty_cell_alone_is_still_a_row(void **state)
{
    const fixture *f = *state;
    su_schema one = f->schema;
    one.field_count = 1;
    one.fields = &f->schema.fields[YEAR];
    su_case_table *t = su_case_table_new(&one, 2);
    su_buf csv = { 0 };
    su_case_table_csv(t, &csv);
    assert_string_equal(csv.p, "year\n\"\"\n\"\"\n");
    assert_csv(csv.p, "[year]\n[]\n[]");
    su_buf_free(&csv);
    su_case_table_free(t);
}

static void appending_joins_rows_texts_and_columns(void **state)
{
    const fixture *f = *state;
    su_context ctx;
    su_context_init(&ctx);
    su_case_table *t = make_table(f), *more = su_case_table_new(&f->schema, 2);
    su_case_table_provide(more, AGE);
    su_case_table_provide(more, BIRTH);
    su_case_table_provide(more, MEANS);
    more->columns[AGE].ids[0] = su_dict_add(more->columns[AGE].texts, SU_STR("60"));
    more->columns[AGE].ids[1] = su_dict_add(more->columns[AGE].texts, SU_STR("31"));
    more->columns[BIRTH].ids[1] = su_dict_add(more->columns[BIRTH].texts, SU_STR("1999-01-31"));
    more->columns[MEANS].sets[1] = 1u << 3;
    more->record_ids[1] = su_dict_add(more->records, SU_STR("r2"));
    t->synthetic = true;
    assert_int_equal(su_case_table_append(&ctx, t, more), SU_OK);
    assert_int_equal(su_case_table_append(&ctx, t, more), SU_OK);
    assert_int_equal(t->row_count, 7);
    assert_false(t->synthetic);
    su_buf csv = { 0 }, wanted = { 0 };
    su_buf_text(&wanted, three_rows);
    for (int i = 0; i < 2; i++) su_buf_text(&wanted, "-99,,,,,60,,,\n-99,,,\"a,b\",,31,1999-01-31,,\n");
    su_case_table_csv(t, &csv);
    assert_string_equal(csv.p, wanted.p);
    assert_int_equal(t->record_ids[4], t->record_ids[1]);
    assert_int_equal(t->columns[AGE].ids[4], t->columns[AGE].ids[0]);
    assert_int_equal(su_dict_get(t->records, t->record_ids[3]).n, 0);
    su_buf_free(&csv);
    su_buf_free(&wanted);
    su_schema other = f->schema;
    other.name = "other";
    other.fingerprint.bytes[0] = 1;
    su_case_table *foreign = su_case_table_new(&other, 1);
    assert_int_equal(su_case_table_append(&ctx, t, foreign), SU_USAGE);
    assert_string_equal(ctx.message, "Tables of two schemas (hand and other) cannot be joined. Import both with one schema.");
    assert_int_equal(t->row_count, 7);
    su_case_table_free(foreign);
    su_case_table_free(more);
    su_case_table_free(t);
}

static void the_matrix_holds_released_codes_only(void **state)
{
    const fixture *f = *state;
    su_context ctx;
    su_context_init(&ctx);
    su_case_table *t = make_table(f);
    su_code_matrix *m = NULL;
    assert_int_equal(su_code_matrix_of(&ctx, t, &m), SU_OK);
    su_case_table_free(t);
    const struct {
        const char *name;
        uint32_t field, card;
        uint16_t set_value, codes[3];
        const char *last;
    } wanted[] = {
        { "gender", SEX, 4, 0, { 1, 0, 3 }, "X" },         { "isForced", FORCED, 2, 0, { 1, 0, 0 }, "1" },
        { "isDebt", DEBT, 2, 0, { 0, 1, 0 }, "1" },        { "means_debt", MEANS, 2, 1, { 1, 0, 0 }, "1" },
        { "means_threat", MEANS, 2, 3, { 1, 0, 0 }, "1" }, { "means_a,b", MEANS, 2, 4, { 0, 0, 0 }, "1" },
        { "year", YEAR, 4, 0, { 3, 0, 1 }, "2004" },
    };
    assert_int_equal(m->column_count, sizeof wanted / sizeof wanted[0]);
    assert_int_equal(m->row_count, 3);
    for (uint32_t c = 0; c < m->column_count; c++) {
        const su_matrix_column *column = &m->columns[c];
        assert_string_equal(column->name, wanted[c].name);
        assert_int_equal(column->field, wanted[c].field);
        assert_int_equal(column->card, wanted[c].card);
        assert_int_equal(column->set_value, wanted[c].set_value);
        assert_memory_equal(column->codes, wanted[c].codes, sizeof wanted[c].codes);
        assert_string_equal(su_matrix_value(m, c, column->card - 1), wanted[c].last);
        assert_null(su_matrix_value(m, c, 0));
        assert_null(su_matrix_value(m, c, column->card));
    }
    assert_string_equal(su_matrix_value(m, 0, 1), "F");
    su_code_matrix_free(m);
    su_code_matrix_free(NULL);
}

/* Bytes out of a table that is emptied: the same columns and codes; and back to words. */
static void a_matrix_can_take_the_cells(void **state)
{
    const fixture *f = *state;
    su_context ctx;
    su_context_init(&ctx);
    su_case_table *t = make_table(f);
    su_code_matrix *words = NULL, *bytes = NULL;
    assert_int_equal(su_code_matrix_of(&ctx, t, &words), SU_OK);
    assert_false(su_code_matrix_narrow(words));
    assert_int_equal(su_code_matrix_take(&ctx, t, &bytes), SU_OK);
    assert_true(su_code_matrix_narrow(bytes));
    for (uint32_t k = 0; k < f->schema.field_count; k++) {
        assert_false(t->columns[k].provided);
        assert_null(t->columns[k].codes);
        assert_null(t->columns[k].sets);
    }
    su_case_table_free(t);
    uint32_t units[3] = { 7, 7, 9 };
    bytes->units = units;
    su_code_matrix *back = su_code_matrix_widen(bytes);
    assert_false(su_code_matrix_narrow(back));
    assert_ptr_equal(back->units, units);
    assert_int_equal(bytes->column_count, words->column_count);
    for (uint32_t c = 0; c < words->column_count; c++) {
        uint16_t room[3];
        assert_string_equal(bytes->columns[c].name, words->columns[c].name);
        assert_int_equal(bytes->columns[c].card, words->columns[c].card);
        assert_int_equal(bytes->columns[c].set_value, words->columns[c].set_value);
        assert_null(bytes->columns[c].codes);
        assert_memory_equal(back->columns[c].codes, words->columns[c].codes, 3 * sizeof(uint16_t));
        assert_memory_equal(su_matrix_codes(&bytes->columns[c], 0, 3, room), words->columns[c].codes, 3 * sizeof(uint16_t));
        assert_ptr_equal(su_matrix_codes(&words->columns[c], 1, 2, room), words->columns[c].codes + 1);
        for (uint64_t r = 0; r < 3; r++) {
            assert_int_equal(su_matrix_code(&bytes->columns[c], r), words->columns[c].codes[r]);
            assert_int_equal(su_matrix_code(&words->columns[c], r), words->columns[c].codes[r]);
        }
    }
    su_code_matrix_free(back);
    su_code_matrix_free(bytes);
    su_code_matrix_free(words);
}

/* The cell text names the same value as the matrix, for every code of every list and every place of the negative. */
static void matrix_and_text_agree(void **state)
{
    const fixture *f = *state;
    su_context ctx;
    su_arena arena;
    su_context_init(&ctx);
    su_arena_init(&arena);
    for (uint16_t negative = 0; negative <= 4; negative++) {
        su_field field = { .name = "x", .type = SU_TYPE_CODE, .released = true, .codelist = f->means, .negative = negative };
        su_schema schema = { .name = "one", .fields = &field, .field_count = 1 };
        su_case_table *t = su_case_table_new(&schema, 5);
        su_code_matrix *m = NULL;
        su_case_table_provide(t, 0);
        for (uint16_t r = 0; r < 5; r++) t->columns[0].codes[r] = r;
        assert_int_equal(su_code_matrix_of(&ctx, t, &m), SU_OK);
        assert_int_equal(m->columns[0].card, negative == 0 ? 5 : 4);
        for (uint16_t r = 0; r < 5; r++) {
            uint16_t code = m->columns[0].codes[r];
            if (r == 0 || r == negative)
                assert_int_equal(code, 0);
            else
                assert_string_equal(su_matrix_value(m, 0, code), su_case_cell_text(t, &arena, r, 0).p);
        }
        su_code_matrix_free(m);
        su_case_table_free(t);
    }
    su_arena_free(&arena);
}

static void a_set_may_have_many_members(void **state)
{
    (void)state;
    su_context ctx;
    su_arena arena;
    su_context_init(&ctx);
    su_arena_init(&arena);
    su_codelist *list = su_codelist_years(&arena, "n", 1, 130);
    su_field field = { .name = "s", .type = SU_TYPE_CODE_SET, .released = true, .codelist = list };
    su_schema schema = { .name = "one", .fields = &field, .field_count = 1 };
    su_case_table *t = su_case_table_new(&schema, 130), *more = su_case_table_new(&schema, 1);
    su_code_matrix *m = NULL;
    su_case_table_provide(t, 0);
    assert_int_equal(t->columns[0].words, 3);
    for (uint64_t r = 0; r < 130; r++) t->columns[0].sets[r * 3 + r / 64] = (uint64_t)1 << (r % 64);
    assert_int_equal(su_case_table_append(&ctx, t, more), SU_OK);
    assert_string_equal(su_case_cell_text(t, &arena, 129, 0).p, "130");
    assert_int_equal(su_case_cell_text(t, &arena, 130, 0).n, 0);
    assert_int_equal(su_code_matrix_of(&ctx, t, &m), SU_OK);
    assert_int_equal(m->column_count, 130);
    for (uint32_t c = 0; c < 130; c++)
        for (uint64_t r = 0; r < 131; r++) assert_int_equal(m->columns[c].codes[r], c == r);
    su_code_matrix_free(m);
    su_case_table_free(t);
    su_case_table_free(more);
    su_codelist_free(list);
    su_arena_free(&arena);
}

static void nothing_to_publish_is_refused(void **state)
{
    const fixture *f = *state;
    su_context ctx;
    su_context_init(&ctx);
    su_case_table *t = su_case_table_new(&f->schema, 1);
    su_code_matrix *m = NULL;
    su_case_table_provide(t, SECRET);
    su_case_table_provide(t, NOTE);
    assert_int_equal(su_code_matrix_of(&ctx, t, &m), SU_REFUSED);
    assert_string_equal(
        ctx.message,
        "No column of this table may be published: the schema hand marks coded columns with suha:privacy = release, and the mapping "
        "fills none of them. Map at least one such column.");
    assert_null(m);
    assert_int_equal(su_code_matrix_take(&ctx, t, &m), SU_REFUSED);
    assert_null(m);
    assert_true(t->columns[SECRET].provided); /* untouched */
    su_case_table_free(t);
}

static void names_of_fields_types_roles_reasons(void **state)
{
    const fixture *f = *state;
    su_cell reason = 0;
    assert_int_equal(su_schema_field(&f->schema, SU_STR("gender")), SEX);
    assert_int_equal(su_schema_field(&f->schema, SU_STR(" GENDER")), SEX);
    assert_int_equal(su_schema_field(&f->schema, SU_STR("geschlecht")), SEX);
    assert_int_equal(su_schema_field(&f->schema, SU_STR("nothing")), -1);
    assert_string_equal(su_type_name(SU_TYPE_CODE_SET), "code-set");
    assert_string_equal(su_role_name(SU_ROLE_QUASI_IDENTIFIER), "quasi-identifier");
    const su_cell reasons[] = { SU_CELL_NOT_RECORDED,   SU_CELL_UNKNOWN,    SU_CELL_REFUSED,
                                SU_CELL_NOT_APPLICABLE, SU_CELL_SUPPRESSED, SU_CELL_NEGATIVE };
    for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++) {
        assert_false(su_cell_is_value(reasons[i]));
        reason = 7;
        assert_true(su_cell_reason_parse(su_str_of(su_cell_reason(reasons[i])), &reason));
        assert_int_equal(reason, reasons[i]);
    }
    assert_true(su_cell_reason_parse(SU_STR(" Not-Applicable "), &reason));
    assert_int_equal(reason, SU_CELL_NOT_APPLICABLE);
    assert_false(su_cell_reason_parse(SU_STR("lost"), &reason));
    assert_null(su_cell_reason(1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(new_tables_are_empty, set_up, tear_down),
        cmocka_unit_test_setup_teardown(cells_print_as_the_schema_says, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_csv_reads_back, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_empty_cell_alone_is_still_a_row, set_up, tear_down),
        cmocka_unit_test_setup_teardown(appending_joins_rows_texts_and_columns, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_matrix_holds_released_codes_only, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_matrix_can_take_the_cells, set_up, tear_down),
        cmocka_unit_test_setup_teardown(matrix_and_text_agree, set_up, tear_down),
        cmocka_unit_test(a_set_may_have_many_members),
        cmocka_unit_test_setup_teardown(nothing_to_publish_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(names_of_fields_types_roles_reasons, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("table: case table", tests, NULL, NULL);
}
