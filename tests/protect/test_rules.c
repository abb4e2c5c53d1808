/* Record rules (docs/methods/structural-zeros.md): what follows from them, by trying all records, and what repair does. */
#include "prepare.h"
#include "ruled.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

static bool next_record(const world *w, uint16_t *record)
{
    for (uint32_t c = w->matrix.column_count; c-- > 0;) {
        if (++record[c] < w->columns[c].card) return true;
        record[c] = 0;
    }
    return false;
}

static const su_rules *rules_of(su_arena *arena, const ruled *x, const world *w, su_status expected)
{
    su_context ctx;
    const su_rules *rules = NULL;
    su_context_init(&ctx);
    su_status st = su_rules_of(&ctx, arena, &x->schema, w->columns, w->matrix.column_count, &rules);
    if (st != expected) fail_msg("%s", ctx.message);
    return rules;
}

/* Random rules: what is called impossible is so, by trying all records; a code is refused only if no record has it. */
static void test_closure_is_sound(void **state)
{
    (void)state;
    su_random random;
    su_random_seeded(&random, RULED_SEED);
    uint64_t impossible = 0, missed = 0, refused = 0;
    for (int i = 0; i < 400; i++) {
        world w;
        ruled x;
        su_arena arena;
        su_arena_init(&arena);
        world_init(&w, 1, (uint32_t[]) { 4, 3, 2, 4 }, 4, &random);
        ruled_init(&x, &w);
        for (uint64_t n = 1 + su_random_below(&random, MOST_RULES); n > 0; n--) {
            uint32_t a = (uint32_t)su_random_below(&random, 4), b = (a + 1 + (uint32_t)su_random_below(&random, 3)) % 4;
            uint32_t when = 2u << su_random_below(&random, w.columns[a].card - 1),
                     then = 2u << su_random_below(&random, w.columns[b].card - 1);
            ruled_add(&x, a, when | (2u << su_random_below(&random, w.columns[a].card - 1)), su_random_below(&random, 2), b, then);
        }
        bool seen[4][4] = { 0 }, pair[4][4][4][4] = { 0 };
        uint16_t record[4] = { 0 };
        do {
            if (!obeys(&x, record)) continue;
            for (uint32_t a = 0; a < 4; a++)
                for (uint32_t b = 0; b < 4; b++) pair[a][b][record[a]][record[b]] = seen[a][record[a]] = true;
        } while (next_record(&w, record));
        su_context ctx;
        const su_rules *rules = NULL;
        su_context_init(&ctx);
        su_status st = su_rules_of(&ctx, &arena, &x.schema, w.columns, 4, &rules);
        bool all_seen = true;
        for (uint32_t a = 0; a < 4; a++)
            for (uint32_t v = 0; v < w.columns[a].card; v++) all_seen = all_seen && seen[a][v];
        if (st) {
            assert_int_equal(st, SU_INPUT);
            assert_false(all_seen);
            assert_non_null(strstr(ctx.message, "contradict each other"));
            refused++;
        }
        for (uint32_t a = 0; !st && a < 4; a++)
            for (uint32_t b = 0; b < 4; b++)
                for (uint32_t va = 0; a != b && va < w.columns[a].card; va++)
                    for (uint32_t vb = 0; vb < w.columns[b].card; vb++) {
                        bool allowed = su_rules_allow(rules, a, va, b, vb);
                        assert_true(allowed || !pair[a][b][va][vb]);
                        impossible += !pair[a][b][va][vb];
                        missed += allowed && !pair[a][b][va][vb];
                    }
        su_arena_free(&arena);
        ruled_free(&x);
        world_free(&w);
    }
    print_message("# impossible pairs %llu, of these not found %llu; contradictory sets of rules %llu\n", (unsigned long long)impossible,
                  (unsigned long long)missed, (unsigned long long)refused);
    assert_true(impossible > 1000 && missed * 50 < impossible && refused > 10);
}

static void test_chain_and_words(void **state)
{
    (void)state;
    su_random random;
    world w;
    ruled x;
    su_arena arena;
    su_arena_init(&arena);
    su_random_seeded(&random, RULED_SEED + 1);
    chain(&x, &w, 1, &random);
    const su_rules *rules = rules_of(&arena, &x, &w, SU_OK);
    assert_false(su_rules_allow(rules, 0, 1, 3, 2));
    assert_false(su_rules_allow(rules, 3, 2, 0, 2));
    assert_false(su_rules_allow(rules, 0, 2, 2, 0)); /* absent is no answer */
    assert_true(su_rules_allow(rules, 0, 3, 3, 2));
    assert_true(su_rules_allow(rules, 0, 0, 1, 0));
    su_buf text = { 0 };
    su_record_rule_text(&x.schema, &x.rules[0], &text);
    assert_string_equal(text.p, "a = 1 or 2 implies b = 1");
    su_buf_free(&text);
    x.rules[0].soft = true; /* a note: nothing follows from it */
    rules = rules_of(&arena, &x, &w, SU_OK);
    assert_true(su_rules_allow(rules, 0, 1, 1, 0));
    x.rules[0].soft = false;
    ruled_add(&x, 0, 2, false, 3, 4);
    rules_of(&arena, &x, &w, SU_INPUT); /* a = 1 implies d = 2, which c = 1 excludes */
    su_arena_free(&arena);
    ruled_free(&x);
    world_free(&w);
}

/* Every record by itself: obeys after, is left alone when it obeyed before, and all its pairs are possible. */
static void test_repair(void **state)
{
    (void)state;
    su_random random;
    world w;
    ruled x;
    su_arena arena;
    su_arena_init(&arena);
    su_random_seeded(&random, RULED_SEED + 2);
    chain(&x, &w, 1, &random);
    const su_rules *rules = rules_of(&arena, &x, &w, SU_OK);
    uint16_t record[4] = { 0 };
    uint64_t filled = 0, emptied = 0;
    do {
        uint16_t changed[4], *columns[4] = { &changed[0], &changed[1], &changed[2], &changed[3] };
        memcpy(changed, record, sizeof changed);
        uint64_t n = su_rules_repair(rules, columns, 1, NULL);
        assert_int_equal(n, !obeys(&x, record));
        assert_true(n || memcmp(changed, record, sizeof changed) == 0);
        assert_true(obeys(&x, changed));
        assert_false(su_rules_broken(rules, columns, 0));
        assert_int_equal(su_rules_broken(rules, (uint16_t *[]) { &record[0], &record[1], &record[2], &record[3] }, 0), !obeys(&x, record));
        for (uint32_t c = 0; c < 4; c++) {
            assert_true(changed[c] == record[c] || changed[c] == 0 || record[c] == 0);
            filled += changed[c] > record[c];
            emptied += changed[c] < record[c];
        }
    } while (next_record(&w, record));
    assert_true(filled > 0 && emptied > 0);
    uint16_t one[4] = { 1, 0, 0, 0 }, *columns[4] = { &one[0], &one[1], &one[2], &one[3] };
    su_rules_repair(rules, columns, 1, NULL);
    assert_memory_equal(one, ((uint16_t[]) { 1, 1, 1, 0 }), sizeof one);
    uint8_t none[8] = { 0 };
    const uint8_t *may[4] = { none, none, none, none };
    memcpy(one, (uint16_t[]) { 1, 0, 0, 0 }, sizeof one);
    su_rules_repair(rules, columns, 1, may);
    assert_memory_equal(one, ((uint16_t[]) { 0, 0, 0, 0 }), sizeof one);
    su_arena_free(&arena);
    ruled_free(&x);
    world_free(&w);
}

/* Records in bytes are repaired as records in words are, over more rows than one stretch. */
static void test_bytes_are_repaired_alike(void **state)
{
    (void)state;
    enum { ROWS = 9000 };
    su_context ctx;
    su_context_init(&ctx);
    su_random random;
    su_random_seeded(&random, RULED_SEED + 8);
    world w;
    ruled x;
    chain(&x, &w, ROWS, &random);
    su_release *r = plan_of(&x, &w, SU_MECHANISM_RESIDUAL, 2);
    su_prepared words, bytes;
    su_code_matrix narrow = w.matrix;
    su_matrix_column columns[4];
    uint8_t *codes[4];
    narrow.columns = columns;
    for (uint32_t c = 0; c < 4; c++) {
        codes[c] = su_alloc_array(ROWS, 1);
        for (uint64_t i = 0; i < ROWS; i++) codes[c][i] = (uint8_t)w.codes[c][i];
        columns[c] = w.columns[c];
        columns[c].codes = NULL;
        columns[c].bytes = codes[c];
    }
    assert_int_equal(su_prepare(&ctx, r, &w.matrix, &random, &words), SU_OK);
    assert_int_equal(su_prepare(&ctx, r, &narrow, &random, &bytes), SU_OK);
    assert_true(words.repaired > ROWS / 10);
    assert_int_equal(words.repaired, bytes.repaired);
    for (uint32_t c = 0; c < 4; c++)
        for (uint64_t i = 0; i < ROWS; i++) {
            assert_int_equal(su_matrix_code(&bytes.matrix.columns[c], i), su_matrix_code(&words.matrix.columns[c], i));
            assert_int_equal(codes[c][i], w.codes[c][i]); /* the caller's own stay as they are */
        }
    su_prepared_free(&words);
    su_prepared_free(&bytes);
    for (uint32_t c = 0; c < 4; c++) free(codes[c]);
    su_release_free(r);
    ruled_free(&x);
    world_free(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_closure_is_sound),
        cmocka_unit_test(test_chain_and_words),
        cmocka_unit_test(test_repair),
        cmocka_unit_test(test_bytes_are_repaired_alike),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
