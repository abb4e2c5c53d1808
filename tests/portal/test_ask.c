/* Questions that are wrong, and bundles that do not fit: what is said about them. */
#include "world.h"

static void wrong_questions(void **state)
{
    (void)state;
    static const struct {
        const char *query, *type, *parameter, *words;
    } list[] = {
        { "by=yaer", "unknown-column", "by", "Did you mean \"year\"" },
        { "by=zzzzzzzz", "unknown-column", "by", "no column \"zzzzzzzz\"" },
        { "by=year,year", "column-twice", "by", "named twice" },
        { "by=year,a,b,s", "too-many-columns", "by", "At most 3 columns" },
        { "by=year,,a", "unknown-column", "by", "no column \"\"" },
        { "group=x", "unknown-group", "group", "no question group \"x\"" },
        { "where=a", "bad-condition", "where", "not of the form column:code" },
        { "where=:a0", "bad-condition", "where", "not of the form column:code" },
        { "where=a:zz", "unknown-code", "where", "has no code \"zz\"" },
        { "where=a:a0%7C", "unknown-code", "where", "has no code \"\"" },
        { "where=a:a0&where=a:a1", "contradiction", "where", "no code in common" },
        { "by=%F0%9F%8C%9F%F0%9F%8C%9F%F0%9F%8C%9F%F0%9F%8C%9F%F0%9F%8C%9F%F0%9F%8C%9F%F0%9F%8C%9F%F0%9F%8C%9F%F0%9F%8C%9F%F0%9F%8C%9F%F0%"
          "9F%8C%9F"
          "%F0%9F%8C%9F%F0%9F%8C%9F%F0%9F%8C%9Fabc%C3%A9%C3%A9",
          "unknown-column", "by", "abc\". Its columns are listed" }, /* cut before a character that has no room */
        { "where=a:%zz", "bad-encoding", "where", "no text" },
        { "where=a:%00", "bad-encoding", "where", "no text" },
        { "where=a:%ff", "bad-encoding", "where", "no text" },
        { "where=a:%4", "bad-encoding", "where", "no text" },
        { "where=s:s0&where=s:s1&where=s:s2&where=s:s3&where=s:s4&where=s:s0&where=s:s1&where=s:s2&where=s:s3&where=s:s4&where=s:s0&where="
          "s:s1&where="
          "s:s2&where=s:s3&where=s:s4&where=s:s0&where=s:s1",
          "too-many-conditions", "where", "At most 16 conditions" },
    };
    make_world(1);
    for (size_t i = 0; i < sizeof list / sizeof *list; i++) {
        su_arena arena;
        su_args args;
        su_ask ask;
        su_problem problem = { 0 };
        su_arena_init(&arena);
        bool ok = su_args_parse(list[i].query, &arena, &args, &problem) && su_ask_parse(cube, &args, &arena, &ask, &problem);
        if (ok || problem.status != 400) fail_msg("%s was accepted", list[i].query);
        assert_string_equal(problem.type, list[i].type);
        assert_string_equal(problem.parameter, list[i].parameter);
        if (!strstr(problem.detail, list[i].words))
            fail_msg("%s: \"%s\" does not say \"%s\"", list[i].query, problem.detail, list[i].words);
        su_arena_free(&arena);
    }
    free_world();
}

static void long_questions(void **state)
{
    (void)state;
    su_arena arena;
    su_args args;
    su_ask ask;
    su_problem problem;
    su_buf b = { 0 };
    make_world(1);
    su_arena_init(&arena);
    for (int i = 0; i < 5000; i++) su_buf_char(&b, 'x');
    assert_false(su_args_parse(b.p, &arena, &args, &problem));
    assert_int_equal(problem.status, 414);
    b.n = 0;
    for (int i = 0; i < 65; i++) su_buf_text(&b, "a=1&");
    assert_false(su_args_parse(b.p, &arena, &args, &problem));
    assert_string_equal(problem.type, "too-many-parameters");
    b.n = 0;
    su_buf_text(&b, "where=b:b0");
    for (int i = 0; i < 600; i++) su_buf_printf(&b, "|b%d", i % LONG_CODES);
    assert_true(su_args_parse(b.p, &arena, &args, &problem));
    assert_false(su_ask_parse(cube, &args, &arena, &ask, &problem));
    assert_string_equal(problem.type, "too-many-codes");
    assert_true(su_args_parse(NULL, &arena, &args, &problem));
    assert_int_equal(args.count, 0);
    assert_true(su_args_parse("&&a=1&&b&c=%20+%2B", &arena, &args, &problem));
    assert_int_equal(args.count, 3);
    assert_string_equal(su_args_get(&args, "b"), "");
    assert_string_equal(su_args_get(&args, "c"), "  +");
    assert_null(su_args_get(&args, "d"));
    su_arena_free(&arena);
    su_buf_free(&b);
    free_world();
}

static void bundles_that_do_not_fit(void **state)
{
    (void)state;
    static const struct {
        const char *aggregates, *microdata, *words;
    } list[] = {
        { "a=zz,1,5,1,9\n", "", "data/aggregates.csv, line 2: a code that is not in its codelist" },
        { "zz=a0,1,5,1,9\n", "", "a column that datapackage.json does not name" },
        { "a=a0;year=2010;s=s0;f1=1,4,5,1,9\n", "", "longer than the release says" },
        { "a=a0;year=2010;s=s0,3,5,x,9\n", "", "an interval end is not a number" },
        { "", "2010,zz,b0,s0,1,1,1\n", "data/microdata.csv, line 2, column a: a code that is not in its codelist" },
        { "", "2010,a0,b0,s0;s9,1,1,1\n", "column s: a code that is not in its codelist" },
        { "", "2010,a0,b0\n", "one cell per column" },
    };
    for (size_t i = 0; i < sizeof list / sizeof *list; i++) {
        memset(&w, 0, sizeof w);
        write_package();
        su_buf_printf(&w.aggregates, "combination,length,count,ci_low,ci_high\n%s", list[i].aggregates);
        su_buf_printf(&w.microdata, "year,a,b,s,f1,f2,f3\n%s", list[i].microdata);
        assert_int_equal(su_view_read(&ctx, "w", give, NULL, &view), SU_OK);
        cube = NULL;
        assert_int_equal(su_cube_new(&ctx, view, give, NULL, &cube), SU_INPUT);
        assert_null(cube);
        if (!strstr(ctx.message, list[i].words)) fail_msg("\"%s\" does not say \"%s\"", ctx.message, list[i].words);
        free_world();
        su_context_init(&ctx);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wrong_questions),
        cmocka_unit_test(long_questions),
        cmocka_unit_test(bundles_that_do_not_fit),
    };
    return cmocka_run_group_tests_name("portal: questions", tests, set_up, NULL);
}
