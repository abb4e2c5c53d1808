/* Codelists: finding codes by every name, bands, suggestions, and what makes a list invalid. */
#include "table_test.h"

static const char countries[] = "code,label_en,label_fr,label_es,label_ar,aliases,note\n"
                                "SYR,Syrian Arab Republic,Syrie,Siria,سوريا,SY|760,\n"
                                "CIV,Côte d’Ivoire,Côte d’Ivoire,,,CI|Ivory Coast,west\n"
                                "USA,United States,États-Unis,,,US|America,\n";

static void finds_code_label_alias_in_any_spelling(void **state)
{
    (void)state;
    su_arena arena;
    su_arena_init(&arena);
    su_codelist *list = make_codelist(&arena, countries);
    assert_int_equal(list->count, 3);
    assert_string_equal(list->id, "list");
    const struct {
        const char *cell;
        unsigned value;
    } cases[] = {
        { "SYR", 1 },
        { "syr", 1 },
        { "  SYR ", 1 },
        { "Siria", 1 },
        { "سوريا", 1 },
        { "760", 1 },
        { "syrian   arab republic", 1 },
        { "IVORY COAST", 2 },
        { "CÔTE D’IVOIRE", 2 },
        { "États - unis", 3 },
        { "america", 3 },
        { "", 0 },
        { "SYRX", 0 },
        { "SY|760", 0 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        unsigned got = su_codelist_find(list, su_str_of(cases[i].cell));
        if (got != cases[i].value) fail_msg("\"%s\" gave %u, not %u", cases[i].cell, got, cases[i].value);
    }
    assert_string_equal(list->codes[1].label[SU_LANG_FR], "Côte d’Ivoire");
    assert_null(list->codes[1].label[SU_LANG_ES]);
    assert_null(list->codes[0].note);
    assert_string_equal(list->codes[1].note, "west");
    su_codelist_free(list);
    su_codelist_free(list);
    su_codelist_free(NULL);
    su_arena_free(&arena);
}

static void bands_hold_their_bounds(void **state)
{
    (void)state;
    su_arena arena;
    su_arena_init(&arena);
    su_codelist *list =
        make_codelist(&arena, "code,label_en,min,max\n0--8,0 to 8,0,8\n9--17,9 to 17,9,17\nx,no band,,\n48+,48 and over,48,\n");
    const struct {
        int64_t value;
        unsigned band;
    } cases[] = { { -1, 0 }, { 0, 1 }, { 8, 1 }, { 9, 2 }, { 17, 2 }, { 18, 0 }, { 47, 0 }, { 48, 4 }, { INT64_MAX, 4 } };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) assert_int_equal(su_codelist_band(list, cases[i].value), cases[i].band);
    su_codelist_free(list);
    su_arena_free(&arena);
}

static void years_are_codes(void **state)
{
    (void)state;
    su_arena arena;
    su_arena_init(&arena);
    su_codelist *list = su_codelist_years(&arena, "year", 2002, 2023);
    assert_int_equal(list->count, 22);
    assert_string_equal(list->codes[0].code, "2002");
    assert_int_equal(su_codelist_find(list, SU_STR("2023")), 22);
    assert_int_equal(su_codelist_find(list, SU_STR(" 2002 ")), 1);
    assert_int_equal(su_codelist_find(list, SU_STR("2024")), 0);
    assert_int_equal(su_codelist_band(list, 2003), 2);
    su_codelist_free(list);
    list = su_codelist_years(&arena, "year", 2003, 2002);
    assert_int_equal(list->count, 0);
    su_codelist_free(list);
    list = su_codelist_years(&arena, "year", INT32_MIN, INT32_MAX);
    assert_int_equal(list->count, 65000);
    su_codelist_free(list);
    su_arena_free(&arena);
}

static void suggests_the_nearest(void **state)
{
    (void)state;
    su_arena arena;
    su_arena_init(&arena);
    su_codelist *list = make_codelist(&arena, countries);
    assert_string_equal(su_codelist_suggest(list, SU_STR("Untied States"))->code, "USA");
    assert_string_equal(su_codelist_suggest(list, SU_STR("ivry coast"))->code, "CIV");
    assert_string_equal(su_codelist_suggest(list, SU_STR("Syrian Arab"))->code, "SYR");
    assert_null(su_codelist_suggest(list, SU_STR("Atlantis")));
    assert_null(su_codelist_suggest(list, SU_STR("XX")));
    assert_null(su_codelist_suggest(list, SU_STR("")));
    su_codelist_free(list);
    su_arena_free(&arena);
}

static void refuses_what_is_ambiguous_or_incomplete(void **state)
{
    (void)state;
    const struct {
        const char *csv, *message;
    } cases[] = {
        { "code,name\nA,a\n", "list.csv, line 1: a codelist needs a column named label_en (comma separated)." },
        { "label_en\na\n", "list.csv, line 1: a codelist needs a column named code (comma separated)." },
        { "code,label_en\nA,a\n,b\n", "list.csv, line 3, column 1 (code): \"\": the code is missing. Every row of a codelist needs one." },
        { "code,label_en\nA,a\n\nB,\n",
          "list.csv, line 4, column 2 (label_en): \"\": the English label is missing. Every code needs one." },
        { "code,label_en\nA,a\na,b\n", "list.csv, line 3, column 1 (code): \"a\" of the code a already names the code A (spelling "
                                       "differences of case, dashes and blanks "
                                       "do not count). Remove one of the two, so that a cell has one meaning." },
        { "code,label_en,aliases\nA,one,x|  Y \nB,two,z|y\n",
          "list.csv, line 3, column 3 (aliases): \"y\" of the code B already names the code A (spelling differences of case, dashes and "
          "blanks do not count). Remove one of the two, so that a cell has one meaning." },
        { "code,label_en,min,max\nA,a,ten,20\n",
          "list.csv, line 2, column 3 (min): \"ten\": a bound of a band must be a whole number or empty." },
        { "code,label_en,min,max\nA,a,10,2\n", "list.csv, line 2, column 3 (min): \"10\": the lower bound is above the upper bound." },
        { "code,label_en,parent\nA,a,B\n", "list.csv, line 2, column 3 (parent): \"B\": no code of this list. If it is a code of another "
                                           "list, write parent-list:ID in the note." },
        { "code,label_en\nA\n",
          "list.csv, line 2, column 2: the row has 1 cell, the header has 2 (delimiter: comma). Add the missing cells "
          "(they may be empty), or put cells that hold a line break in double quotes." },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        su_context ctx;
        su_arena arena;
        su_codelist *list = NULL;
        su_context_init(&ctx);
        su_arena_init(&arena);
        assert_int_equal(su_codelist_parse(&ctx, &arena, "list", "list.csv", su_str_of(cases[i].csv), &list), SU_INPUT);
        assert_string_equal(ctx.message, cases[i].message);
        assert_null(list);
        su_arena_free(&arena);
    }
}

static void a_tie_is_no_suggestion(void **state)
{
    (void)state;
    su_arena arena;
    su_arena_init(&arena);
    su_codelist *list =
        make_codelist(&arena, "code,label_en,aliases\nGMB,Gambia,\nNAM,Namibia,Namiba\nZMB,Zambia,\nAAA,abcdef,\nBBB,abcdeg,\n");
    assert_string_equal(su_codelist_suggest(list, SU_STR("Nambia"))->code, "NAM"); /* begins alike */
    assert_string_equal(su_codelist_suggest(list, SU_STR("gambbia"))->code, "GMB");
    assert_null(su_codelist_suggest(list, SU_STR("xambia"))); /* Gambia or Zambia */
    assert_null(su_codelist_suggest(list, SU_STR("abcdex")));
    assert_string_equal(su_codelist_suggest(list, SU_STR("abcdfe"))->code, "AAA");
    su_codelist_free(list);
    su_arena_free(&arena);
}

static void exact_lists_look_at_nothing_but_bytes(void **state)
{
    (void)state;
    static const char *const cells[] = { "A", "a", " a", "a ", "9--17", "9-17", "1", "1.0" };
    enum { COUNT = sizeof cells / sizeof *cells };
    su_str codes[COUNT];
    su_arena arena;
    su_arena_init(&arena);
    for (uint32_t i = 0; i < COUNT; i++) codes[i] = su_str_of(cells[i]);
    su_codelist *list = su_codelist_exact(&arena, "x", codes, COUNT);
    assert_int_equal(list->count, COUNT);
    for (uint32_t i = 0; i < COUNT; i++) {
        assert_int_equal(su_codelist_find(list, codes[i]), i + 1);
        assert_string_equal(list->codes[i].code, cells[i]);
        assert_string_equal(list->codes[i].label[SU_LANG_EN], cells[i]);
    }
    assert_int_equal(su_codelist_find(list, SU_STR("1.00")), 0);
    assert_int_equal(su_codelist_find(list, SU_STR("")), 0);
    assert_int_equal(su_codelist_band(list, 1), 0);
    su_codelist_free(list);
    su_arena_free(&arena);
}

static void one_code_may_repeat_its_own_names_and_name_parents(void **state)
{
    (void)state;
    su_arena arena;
    su_arena_init(&arena);
    su_codelist *list = make_codelist(
        &arena, "code,label_en,label_fr,aliases,parent,note\nall,All,all,ALL|all,,\nA,a,,,all,\nB,b,,,034,parent-list:un-m49\n");
    assert_int_equal(list->count, 3);
    assert_string_equal(list->codes[1].parent, "all");
    su_codelist_free(list);
    list = make_codelist(&arena, "code,label_en\n");
    assert_int_equal(list->count, 0);
    assert_int_equal(su_codelist_find(list, SU_STR("x")), 0);
    assert_null(su_codelist_suggest(list, SU_STR("something")));
    su_codelist_free(list);
    su_arena_free(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_code_label_alias_in_any_spelling),
        cmocka_unit_test(bands_hold_their_bounds),
        cmocka_unit_test(years_are_codes),
        cmocka_unit_test(suggests_the_nearest),
        cmocka_unit_test(a_tie_is_no_suggestion),
        cmocka_unit_test(exact_lists_look_at_nothing_but_bytes),
        cmocka_unit_test(refuses_what_is_ambiguous_or_incomplete),
        cmocka_unit_test(one_code_may_repeat_its_own_names_and_name_parents),
    };
    return cmocka_run_group_tests_name("table: codelist", tests, NULL, NULL);
}
