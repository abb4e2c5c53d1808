/* suha:recordRules: reading them, mistakes, contradictions, and records beside them. */
#include "harmonise_test.h"

#include <suha/rules.h>

/* The toy schema with these rules. */
static su_status load(su_context *ctx, const char *rules, su_schema **out)
{
    static char text[sizeof toy_schema + 4000];
    toy_file files[8];
    const char *at = strstr(toy_schema, " \"fields\"");
    assert_non_null(at);
    snprintf(text, sizeof text, "%.*s \"suha:recordRules\": %s,\n%s", (int)(at - toy_schema), toy_schema, rules, at);
    memcpy(files, toy_files, sizeof files);
    files[0].text = text;
    su_context_init(ctx);
    return su_schema_load(ctx, "toy", toy_resource, files, out);
}

#define SIDE(column, codes) "{\"column\": \"" column "\", \"codes\": [" codes "]}"

static void rules_are_read(void **state)
{
    (void)state;
    su_context ctx;
    su_schema *s = NULL, *plain = toy();
    assert_int_equal(
        load(&ctx,
             "[{\"name\": \"children\", \"if\": " SIDE("ageBand", "\"0--8\", \"9 to 17\"") ", \"exclude\": " SIDE(
                 "adult", "\"1\"") "}, {\"if\": " SIDE("kinds", "\"a\", \"b\"") ", \"then\": " SIDE("meansAbuse",
                                                                                                    "\"Yes\"") ", \"soft\": true}]",
             &s),
        SU_OK);
    assert_int_equal(s->rule_count, 2);
    const su_record_rule *r = &s->rules[0];
    assert_string_equal(r->name, "children");
    assert_true(r->excludes && !r->soft);
    assert_int_equal(r->if_count, 2);
    assert_int_equal(r->if_values[1], 2); /* by its label */
    assert_string_equal(s->fields[r->field].name, "adult");
    assert_string_equal(s->rules[1].name, "rule 2");
    assert_true(s->rules[1].soft);
    su_buf text = { 0 };
    su_record_rule_text(s, r, &text);
    assert_string_equal(text.p, "ageBand = 0--8 or 9--17 excludes adult = 1");
    su_buf_free(&text);
    assert_int_equal(plain->rule_count, 0);
    assert_memory_not_equal(s->fingerprint.bytes, plain->fingerprint.bytes, 32); /* rules are part of the public domain */
    su_schema_free(s);
    su_schema_free(plain);
}

static void mistakes_name_file_and_rule(void **state)
{
    (void)state;
    static const struct {
        const char *rules, *says[3];
    } cases[] = {
        { "{}", { "toy/schema.json", "suha:recordRules", "list" } },
        { "[7]", { "toy/schema.json", "rule 1", "object" } },
        { "[{\"if\": " SIDE("adult", "\"1\"") "}]", { "rule 1", "either \"then\" or \"exclude\"", "" } },
        { "[{\"name\": \"x\", \"if\": " SIDE("adult", "\"1\"") ", \"then\": " SIDE("ages", "\"1\"") "}]",
          { "rule 1 \"x\"", "no column \"ages\"", "toy/schema.json" } },
        { "[{\"if\": " SIDE("adult", "\"1\"") ", \"then\": " SIDE("gender", "\"Robot\"") "}]",
          { "rule 1", "\"Robot\" is no code of \"gender\"", "codelist gender" } },
        { "[{\"if\": " SIDE("adult", "\"1\"") ", \"then\": " SIDE("months", "\"1\"") "}]", { "rule 1", "\"months\" holds no codes", "" } },
        { "[{\"if\": " SIDE("adult", "\"0\"") ", \"then\": " SIDE("gender", "\"Man\"") "}]", { "rule 1", "known \"no\"", "adult" } },
        { "[{\"if\": " SIDE("adult", "") ", \"then\": " SIDE("gender", "\"Man\"") "}]", { "rule 1", "\"if\" must be an object", "codes" } },
        { "[{\"if\": " SIDE("gender", "\"Man\"") ", \"then\": " SIDE("gender", "\"Other\"") "}]", { "rule 1", "one value only", "" } },
        { "[{\"if\": " SIDE("adult", "\"1\"") ", \"then\": " SIDE("kinds", "\"a\", \"b\"") "}]",
          { "rule 1", "one code of the code set", "" } },
        { "[{\"if\": " SIDE("adult", "\"1\"") ", \"then\": " SIDE("gender", "\"Man\"") ", \"soft\": \"yes\"}]",
          { "rule 1", "\"soft\" must be true or false", "" } },
        /* Contradictions: nobody could be an adult, or have kind a. */
        { "[{\"name\": \"p\", \"if\": " SIDE("adult", "\"1\"") ", \"then\": " SIDE(
              "gender", "\"Man\"") "}, {\"name\": \"q\", \"if\": " SIDE("adult", "\"1\"") ", \"then\": " SIDE("gender", "\"Other\"") "}]",
          { "toy/schema.json", "contradict each other: no record could have adult = 1", "\"q\"" } },
        { "[{\"if\": " SIDE("kinds", "\"a\"") ", \"then\": " SIDE("kinds", "\"b\"") "}, {\"if\": " SIDE(
              "kinds", "\"a\"") ", \"exclude\": " SIDE("kinds", "\"b\"") "}]",
          { "contradict each other", "kinds", "rule 2" } },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        su_context ctx;
        su_schema *s = NULL;
        if (load(&ctx, cases[i].rules, &s) != SU_INPUT) fail_msg("rules %zu are not refused", i);
        for (int k = 0; k < 3; k++)
            if (!strstr(ctx.message, cases[i].says[k])) fail_msg("rules %zu: \"%s\" does not say \"%s\"", i, ctx.message, cases[i].says[k]);
        assert_null(s);
    }
}

/* Contradictions between notes do not matter: nothing rests on them. */
static void notes_may_contradict(void **state)
{
    (void)state;
    su_context ctx;
    su_schema *s = NULL;
    assert_int_equal(load(&ctx,
                          "[{\"if\": " SIDE("adult", "\"1\"") ", \"then\": " SIDE("gender", "\"Man\"") "}, {\"soft\": true, \"if\": " SIDE(
                              "adult", "\"1\"") ", \"then\": " SIDE("gender", "\"Other\"") "}]",
                          &s),
                     SU_OK);
    su_schema_free(s);
}

/* The report counts who meets a condition, who says nothing about the other column, and who says otherwise. */
static void records_are_counted(void **state)
{
    (void)state;
    su_context ctx;
    su_schema *s = NULL;
    su_raw_table *raw = NULL;
    su_case_table *cases = NULL;
    su_harmonise_report *report = NULL;
    static const char csv[] = "adult,gender,ageBand,kinds\n"
                              "1,Man,18+,a\n"      /* obeys */
                              "1,,9--17,b\n"       /* gender missing; and a child */
                              "1,Woman,0--8,a;c\n" /* another gender; a child */
                              "0,Woman,0--8,c\n"   /* condition not met */
                              "1,unknown,,\n";     /* missing with a reason */
    assert_int_equal(
        load(&ctx,
             "[{\"name\": \"men\", \"if\": " SIDE("adult", "\"1\"") ", \"then\": " SIDE(
                 "gender", "\"Man\"") "},"
                                      " {\"name\": \"grown\", \"if\": " SIDE("ageBand", "\"0--8\", \"9--17\"") ", \"exclude\": " SIDE(
                                          "adult", "\"1\"") "},"
                                                            " {\"name\": \"set\", \"soft\": true, \"if\": " SIDE(
                                                                "kinds", "\"c\"") ", \"exclude\": " SIDE("kinds", "\"a\"") "}]",
             &s),
        SU_OK);
    assert_int_equal(su_csv_parse(&ctx, "people.csv", su_str_of(csv), NULL, &raw), SU_OK);
    if (su_harmonise(&ctx, raw, s, NULL, NULL, &cases, &report)) fail_msg("%s", ctx.message);
    static const uint64_t expected[3][3] = { { 4, 2, 1 }, { 3, 0, 2 }, { 2, 0, 1 } };
    assert_int_equal(report->rule_count, 3);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(report->rules[i].rows, expected[i][0]);
        assert_int_equal(report->rules[i].missing, expected[i][1]);
        assert_int_equal(report->rules[i].against, expected[i][2]);
    }
    su_buf text = { 0 };
    su_harmonise_report_text(report, &text);
    assert_non_null(strstr(text.p, "men: adult = 1 implies gender = Man"));
    assert_non_null(strstr(text.p, "of 4 records that meet the condition, 2 say nothing about the other column, 1 say otherwise"));
    assert_non_null(strstr(text.p, "set (a note: nothing rests on it)"));
    su_buf_free(&text);
    su_json j;
    su_buf json = { 0 };
    su_json_init(&j, &json);
    su_harmonise_report_json(report, &j);
    assert_non_null(strstr(json.p, "ageBand = 0--8 or 9--17 excludes adult = 1"));
    su_buf_free(&json);
    su_harmonise_report_free(report);
    su_case_table_free(cases);
    su_raw_table_free(raw);
    su_schema_free(s);
}

/* The shipped rules are notes: real files do not follow them (instruments/ctdc-v6/README.md). */
static void shipped_rules_are_notes(void **state)
{
    (void)state;
    static const char *const names[] = { "ctdc-v6", "ctdc-2024" };
    for (size_t i = 0; i < 2; i++) {
        su_context ctx;
        su_schema *s = NULL;
        su_context_init(&ctx);
        if (su_schema_load(&ctx, names[i], instrument_resource, NULL, &s)) fail_msg("%s", ctx.message);
        assert_true(s->rule_count >= 6);
        for (uint32_t k = 0; k < s->rule_count; k++) assert_true(s->rules[k].soft && !s->rules[k].excludes);
        su_schema_free(s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rules_are_read),      cmocka_unit_test(mistakes_name_file_and_rule), cmocka_unit_test(notes_may_contradict),
        cmocka_unit_test(records_are_counted), cmocka_unit_test(shipped_rules_are_notes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
