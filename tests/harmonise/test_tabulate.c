#include "harmonise_test.h"

#include <math.h>

static su_tabulation *table(toy_run *r, const char *const *by, size_t n, const char *group)
{
    su_tabulation *t = NULL;
    if (su_tabulate(&r->ctx, r->table, by, n, group, &t) != SU_OK) fail_msg("%s", r->ctx.message);
    return t;
}

static void row_is(const su_tabulation *t, size_t row, const char *keys, uint64_t count, uint64_t denominator)
{
    su_buf b = { 0 };
    for (uint32_t i = 0; i < t->by_count; i++) su_buf_printf(&b, "%s%s", i > 0 ? "," : "", t->keys[row * t->by_count + i]);
    assert_string_equal(b.p, keys);
    assert_int_equal(t->counts[row], count);
    assert_int_equal(t->denominators[row], denominator);
    su_buf_free(&b);
}

/* CTDC codebook v2024, section 6: {FL}, {SX}, {OT}, {}, {FL, SX} -> 50 / 50 / 25, the person without an answer left out (D = 4, not 5). */
static void percentages_follow_the_ctdc_rule(void **state)
{
    (void)state;
    toy_run r = run("c,;,,,split,,\nc,FL,isForcedLabour,,or,,\nc,SX,isSexualExploit,,or,,\nc,OT,isOtherExploit,,or,,\n",
                    "c,k\nFL,\nSX,\nOT,\n,\nFL;SX,\n");
    su_tabulation *t = table(&r, NULL, 0, "exploit");
    assert_int_equal(t->row_count, 3);
    assert_int_equal(t->by_count, 1);
    assert_string_equal(t->by[0], "exploit");
    row_is(t, 0, "isForcedLabour", 2, 4);
    row_is(t, 1, "isSexualExploit", 2, 4);
    row_is(t, 2, "isOtherExploit", 1, 4);
    assert_true(t->percent[0] == 50 && t->percent[1] == 50 && t->percent[2] == 25);
    su_tabulation_free(t);
    run_free(&r);
}

static void a_no_is_no_answer_to_the_group(void **state)
{
    (void)state;
    /* meansThreats has a printable 0, meansAbuse only the reason: neither puts a person into the denominator. */
    toy_run r = run("t,,meansThreats,,rename,,\na,,meansAbuse,,rename,,\n", "t,a\n1,1\n0,0\n0,\n1,\n,unknown\n");
    su_tabulation *t = table(&r, NULL, 0, "means");
    row_is(t, 0, "meansThreats", 2, 2);
    row_is(t, 1, "meansAbuse", 1, 2);
    su_tabulation_free(t);
    run_free(&r);
}

static void combinations_come_in_codelist_order(void **state)
{
    (void)state;
    toy_run r = run("g,,gender,,rename,,\na,,ageBand,,rename,,\n", "g,a\nM,18+\nF,18+\n,0--8\nunknown,0--8\nF,9--17\nF,18+\nX,\n");
    static const char *const by[] = { "gender", "AGEBAND" };
    su_tabulation *t = table(&r, by, 2, NULL);
    assert_int_equal(t->row_count, 6);
    row_is(t, 0, "Woman,9--17", 1, 7);
    row_is(t, 1, "Woman,18+", 2, 7);
    row_is(t, 2, "Man,18+", 1, 7);
    row_is(t, 3, "Other,(not recorded)", 1, 7);
    row_is(t, 4, "(not recorded),0--8", 1, 7);
    row_is(t, 5, "(unknown),0--8", 1, 7);
    assert_true(fabs(t->percent[1] - 200.0 / 7) < 1e-12);
    su_tabulation_free(t);
    run_free(&r);
}

static void groups_within_columns(void **state)
{
    (void)state;
    toy_run r =
        run("g,,gender,,rename,,\nl,,isForcedLabour,,rename,,\ns,,isSexualExploit,,rename,,\n", "g,l,s\nF,1,\nF,,1\nF,,\nM,1,1\nX,,\n");
    static const char *const by[] = { "gender" };
    su_tabulation *t = table(&r, by, 1, "exploit");
    assert_int_equal(t->row_count, 9);
    row_is(t, 0, "Woman,isForcedLabour", 1, 2);
    row_is(t, 1, "Woman,isSexualExploit", 1, 2);
    row_is(t, 2, "Woman,isOtherExploit", 0, 2);
    row_is(t, 3, "Man,isForcedLabour", 1, 1);
    row_is(t, 6, "Other,isForcedLabour", 0, 0);
    assert_true(t->percent[0] == 50 && t->percent[2] == 0 && isnan(t->percent[6]));
    su_tabulation_free(t);
    run_free(&r);
}

static void texts_numbers_and_sets_can_be_counted(void **state)
{
    (void)state;
    toy_run r = run("k,,kinds,,rename,,\nm,,months,,rename,,\n", "k,m\na;b,10\nb,9\na,\nrefused,10\na;b,9\n,9\n");
    static const char *const kinds[] = { "kinds" }, *const months[] = { "months" };
    su_tabulation *t = table(&r, kinds, 1, NULL);
    assert_int_equal(t->row_count, 5);
    row_is(t, 0, "a;b", 2, 6);
    row_is(t, 1, "a", 1, 6);
    row_is(t, 2, "b", 1, 6);
    su_tabulation_free(t);
    t = table(&r, months, 1, NULL);
    assert_int_equal(t->row_count, 3);
    row_is(t, 0, "9", 3, 6);
    row_is(t, 1, "10", 2, 6);
    row_is(t, 2, "(not recorded)", 1, 6);
    su_tabulation_free(t);
    run_free(&r);
}

static void a_column_nothing_fills_counts_as_missing(void **state)
{
    (void)state;
    toy_run r = run("g,,gender,,rename,,\n", "g,k\nF,\nM,\n");
    static const char *const by[] = { "citizenship" };
    su_tabulation *t = table(&r, by, 1, NULL);
    assert_int_equal(t->row_count, 1);
    row_is(t, 0, "(not recorded)", 2, 2);
    su_tabulation_free(t);
    t = table(&r, NULL, 0, NULL);
    assert_int_equal(t->row_count, 1);
    assert_int_equal(t->counts[0], 2);
    su_tabulation_free(t);
    run_free(&r);
}

static void mistakes_are_named(void **state)
{
    (void)state;
    toy_run r = run("g,,gender,,rename,,\n", "g,k\nF,\n");
    su_tabulation *t = NULL;
    static const char *const wrong[] = { "gendre" }, *const twice[] = { "gender", "Gender" }, *const many[] = { "a", "b", "c", "d", "e",
                                                                                                                "f", "g", "h", "i" };
    assert_says(&r.ctx, su_tabulate(&r.ctx, r.table, wrong, 1, NULL, &t), SU_USAGE, "gendre", "toy");
    assert_says(&r.ctx, su_tabulate(&r.ctx, r.table, twice, 2, NULL, &t), SU_USAGE, "Gender", "twice");
    assert_says(&r.ctx, su_tabulate(&r.ctx, r.table, many, 9, NULL, &t), SU_USAGE, "at most 8");
    assert_says(&r.ctx, su_tabulate(&r.ctx, r.table, NULL, 0, "purpose", &t), SU_USAGE, "purpose", "question group");
    assert_null(t);
    run_free(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(percentages_follow_the_ctdc_rule),
        cmocka_unit_test(a_no_is_no_answer_to_the_group),
        cmocka_unit_test(combinations_come_in_codelist_order),
        cmocka_unit_test(groups_within_columns),
        cmocka_unit_test(texts_numbers_and_sets_can_be_counted),
        cmocka_unit_test(a_column_nothing_fills_counts_as_missing),
        cmocka_unit_test(mistakes_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
