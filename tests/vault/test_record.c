/* Record encoding: what goes in comes out; any other bytes are refused without reading past their end. */
#include "vault_test.h"

#include "record.h"

typedef struct world {
    su_schema *schema;
    su_case_table *t;
    su_arena arena;
    su_layout layout;
    uint32_t *columns;
} world;

static void world_make(world *w, su_random *r, uint64_t rows, int without)
{
    su_arena_init(&w->arena);
    w->schema = test_schema();
    w->t = test_table(r, w->schema, rows, 1, without);
    su_layout_of(w->t, &w->arena, &w->layout, &w->columns);
}

static void world_free(world *w)
{
    su_case_table_free(w->t);
    test_schema_free(w->schema);
    su_arena_free(&w->arena);
}

static void layout_round_trip(void **state)
{
    (void)state;
    su_random r;
    world w;
    su_buf bytes = { 0 };
    su_layout back;
    bool newer = true;
    su_test_random(&r);
    world_make(&w, &r, 1, F_YEAR);
    su_layout_encode(&w.layout, &bytes);
    assert_true(su_layout_decode(&w.arena, (uint8_t *)bytes.p, bytes.n, &back, &newer));
    assert_false(newer);
    assert_int_equal(back.field_count, F_COUNT - 1);
    assert_string_equal(back.schema, "test-schema");
    for (uint32_t f = 0; f < back.field_count; f++) {
        assert_string_equal(back.fields[f].name, w.schema->fields[w.columns[f]].name);
        assert_int_equal(back.fields[f].kind, w.layout.fields[f].kind);
        assert_int_equal(back.fields[f].code_count, w.layout.fields[f].code_count);
        for (uint32_t c = 0; c < back.fields[f].code_count; c++) assert_string_equal(back.fields[f].codes[c], w.layout.fields[f].codes[c]);
    }
    for (size_t n = 0; n < bytes.n; n++) { /* no prefix is a layout */
        uint8_t *exact = su_alloc(n ? n : 1);
        memcpy(exact, bytes.p, n);
        assert_false(su_layout_decode(&w.arena, exact, n, &back, &newer));
        free(exact);
    }
    bytes.p[0] = 2;
    assert_false(su_layout_decode(&w.arena, (uint8_t *)bytes.p, bytes.n, &back, &newer));
    assert_true(newer);
    su_buf_free(&bytes);
    world_free(&w);
}

static void same_row(const world *w, uint64_t row, su_str id, const su_record_value *values)
{
    assert_true(su_str_equal(id, su_dict_get(w->t->records, w->t->record_ids[row])));
    for (uint32_t f = 0; f < w->layout.field_count; f++) {
        const su_case_column *c = &w->t->columns[w->columns[f]];
        if (c->codes) assert_int_equal(values[f].cell, c->codes[row]);
        if (c->sets) {
            assert_int_equal(values[f].cell, c->set_reason[row]);
            for (uint32_t bit = 0; bit < 128; bit++)
                assert_int_equal(values[f].set[bit / 8] >> bit % 8 & 1, c->sets[row * c->words + bit / 64] >> bit % 64 & 1);
        }
        if (c->texts) assert_true(su_str_equal(values[f].text, su_dict_get(c->texts, c->ids[row])));
    }
}

static void record_round_trip(void **state)
{
    (void)state;
    su_context ctx;
    su_random r;
    su_test_random(&r);
    su_context_init(&ctx);
    for (int without = -1; without < F_COUNT; without++) {
        world w;
        su_scratch bytes = { 0 };
        su_record_value values[F_COUNT];
        su_str id;
        bool newer;
        world_make(&w, &r, 120, without);
        for (uint64_t row = 0; row < w.t->row_count; row++) {
            assert_ok(su_record_encode(&ctx, w.t, &w.layout, w.columns, row, &bytes));
            assert_int_equal(bytes.n % 128, 0);
            uint8_t *exact = su_alloc(bytes.n); /* so that the sanitizer sees a read past the end */
            memcpy(exact, bytes.p, bytes.n);
            assert_true(su_record_decode(&w.layout, exact, bytes.n, &id, values, &newer));
            same_row(&w, row, id, values);
            free(exact);
        }
        su_scratch_free(&bytes);
        world_free(&w);
    }
}

static void damaged_records_are_refused_or_whole(void **state)
{
    (void)state;
    su_context ctx;
    su_random r;
    world w;
    su_scratch bytes = { 0 };
    su_record_value values[F_COUNT];
    su_str id;
    bool newer;
    su_test_random(&r);
    su_context_init(&ctx);
    world_make(&w, &r, 40, -1);
    for (uint64_t row = 0; row < w.t->row_count; row++) {
        assert_ok(su_record_encode(&ctx, w.t, &w.layout, w.columns, row, &bytes));
        size_t content = bytes.n;
        while (content && bytes.p[content - 1] == 0) content--; /* up to and with the padding's mark */
        for (size_t n = 0; n < bytes.n; n += 1 + n / 40) {
            uint8_t *exact = su_alloc(n ? n : 1);
            memcpy(exact, bytes.p, n);
            assert_true(su_record_decode(&w.layout, exact, n, &id, values, &newer) == (n >= content));
            free(exact);
        }
        for (int k = 0; k < 200; k++) { /* random changes: refused or decoded, never a crash */
            uint8_t *exact = su_alloc(bytes.n);
            memcpy(exact, bytes.p, bytes.n);
            for (uint64_t c = su_random_below(&r, 4) + 1; c; c--)
                exact[su_random_below(&r, bytes.n)] ^= (uint8_t)(1 + su_random_below(&r, 255));
            if (su_record_decode(&w.layout, exact, bytes.n, &id, values, &newer))
                for (uint32_t f = 0; f < w.layout.field_count; f++)
                    if (w.layout.fields[f].kind == SU_STORE_CODE)
                        assert_true(values[f].cell <= w.layout.fields[f].code_count || values[f].cell >= SU_CELL_FIRST_REASON);
            free(exact);
        }
    }
    su_scratch_free(&bytes);
    world_free(&w);
}

static void lengths_say_little(void **state)
{
    (void)state;
    size_t distinct = 0, last = 0;
    for (size_t n = 1; n <= 1 << 20; n += n < 8192 ? 1 : 97) {
        size_t padded = su_record_padded(n);
        assert_true(padded >= n && padded >= last && padded % 128 == 0);
        assert_true(padded - n < 128 || (padded - n) * 8 <= n);
        distinct += padded != last;
        last = padded;
    }
    assert_true(distinct < 100); /* up to 1 MiB */
}

static void cell_outside_its_list_is_not_sealed(void **state)
{
    (void)state;
    su_context ctx;
    su_random r;
    world w;
    su_scratch bytes = { 0 };
    su_test_random(&r);
    su_context_init(&ctx);
    world_make(&w, &r, 1, -1);
    w.t->columns[F_SEX].codes[0] = 4;
    assert_status(su_record_encode(&ctx, w.t, &w.layout, w.columns, 0, &bytes), SU_INTERNAL);
    assert_says("column sex");
    w.t->columns[F_SEX].codes[0] = 3;
    w.t->columns[F_MEANS].sets[1] |= 1ull << 6; /* the 71st of 70 */
    assert_status(su_record_encode(&ctx, w.t, &w.layout, w.columns, 0, &bytes), SU_INTERNAL);
    assert_says("column means");
    su_scratch_free(&bytes);
    world_free(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(layout_round_trip),
        cmocka_unit_test(record_round_trip),
        cmocka_unit_test(damaged_records_are_refused_or_whole),
        cmocka_unit_test(lengths_say_little),
        cmocka_unit_test(cell_outside_its_list_is_not_sealed),
    };
    return cmocka_run_group_tests_name("vault: record", tests, NULL, NULL);
}
