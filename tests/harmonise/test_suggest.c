/* Drafted mappings: they must parse, must be sensible as they are, and must not show what may not be shown. */
#include "harmonise_test.h"

static char *draft_of(su_schema *s, const char *data)
{
    su_context ctx;
    su_buf csv = { 0 };
    su_context_init(&ctx);
    su_raw_table *raw = csv_table("cases.csv", data);
    if (su_mapping_suggest(&ctx, raw, s, &csv) != SU_OK) fail_msg("%s", ctx.message);
    su_mapping *m = NULL;
    if (su_mapping_parse(&ctx, "draft.csv", (su_str) { csv.p, csv.n }, s, &m) != SU_OK)
        fail_msg("the draft is refused: %s\n%s", ctx.message, csv.p);
    su_case_table *t = NULL;
    su_harmonise_options opts = { .margins = SU_MARGINS_EXCLUDE, .max_rejected = UINT64_MAX };
    if (su_harmonise(&ctx, raw, s, m, &opts, &t, NULL) != SU_OK) fail_msg("the draft does not work: %s\n%s", ctx.message, csv.p);
    su_case_table_free(t);
    su_mapping_free(m);
    su_raw_table_free(raw);
    return csv.p;
}

static void has(const char *draft, const char *line)
{
    if (strstr(draft, line) == NULL) fail_msg("\"%s\" is not in\n%s", line, draft);
}

static void has_not(const char *draft, const char *text)
{
    if (strstr(draft, text) != NULL) fail_msg("\"%s\" is in\n%s", text, draft);
}

static void names_and_contents_find_their_fields(void **state)
{
    (void)state;
    su_schema *s = toy();
    char *d = draft_of(
        s,
        "GENDER,nationality,Threats,age,intake_date,nothing\nF,UA,1,30,2004-05-06,q1\nM,MD,0,8,2005-06-07,q2\nF,UA,0,44,2006-06-07,q1\n");
    has(d, "\nGENDER,,gender,,rename,exact,by name\n");
    has(d, "\nnationality,,citizenship,,rename,partial,");
    has(d, "\nThreats,,meansThreats,,rename,exact,by name\n");
    has(d, "\nage,,ageBand,,band,partial,");
    has(d, "\nintake_date,,year,,year,partial,");
    has(d, "\nnothing,,,,drop,none,nothing in the schema");
    free(d);
    su_schema_free(s);
}

static void values_to_decide_are_listed(void **state)
{
    (void)state;
    su_schema *s = toy();
    char *d = draft_of(s, "gender,ageBand,k\nF,Age 0-8,\nWomann,Age 9-17,\nWomann,Age 18+,\nzzz,Age 18+,\n*,Age 18+,\nTotal,Age 18+,\n");
    has(d, "\ngender,Womann,gender,Woman,value,partial,2 rows; a guess by spelling");
    has(d, "\ngender,zzz,gender,,value,none,\"1 row; decide");
    has(d, "\ngender,Total,,,margin,exact,");
    has(d, "\nageBand,Age 9-17,ageBand,9--17,value,exact,1 row; the column repeats a word");
    has_not(d, "gender,*");
    has_not(d, "gender,F,");
    free(d);
    su_schema_free(s);
}

static void choices_become_flags(void **state)
{
    (void)state;
    su_schema *s = toy();
    char *d = draft_of(s, "kind of exploitation,k\nForced labour; Sexual exploitation,\nForced labour,\nOther; Forced "
                          "labour,\nOther,\nSexual exploitation,\nbegging,\nunknown,\n");
    has(d, "\nkind of exploitation,;,,,split,exact,");
    has(d, "\nkind of exploitation,Forced labour,isForcedLabour,,or,partial,3 rows");
    has(d, "\nkind of exploitation,Sexual exploitation,isSexualExploit,,or,partial,2 rows");
    has(d, "\nkind of exploitation,Other,isOtherExploit,,or,partial,");
    has(d, "\nkind of exploitation,begging,isForcedLabour,,value,none,\"1 row; decide");
    has_not(d, "exploitation,unknown");
    free(d);
    su_schema_free(s);
}

static void a_comma_inside_a_name_cuts_nothing(void **state)
{
    (void)state;
    su_schema *s = toy();
    char *d = draft_of(
        s,
        "kind of exploitation,k\n\"Forced labour, any\",\n\"Sexual exploitation, any\",\n\"Forced labour, any\",\nOther exploitation,\n");
    has_not(d, ",split,");
    has(d, "\"Forced labour, any\",isForcedLabour,,or,");
    free(d);
    su_schema_free(s);
}

static void the_name_of_a_column_tells_its_group(void **state)
{
    (void)state;
    su_schema *s = toy();
    char *d = draft_of(
        s, "type of exploitation,remarks\nThreats,Abuse\nThreats,Threats\nForced labour,Abuse\nForced labour,Abuse\nThreats,Threats\n");
    has(d, "\ntype of exploitation,Forced labour,isForcedLabour,,or,");
    has(d, "\ntype of exploitation,Threats,isForcedLabour,,value,none,");
    has(d, "\nremarks,,,,drop,none,"); /* remarks are remarks, whatever words are in them */
    has_not(d, "remarks,Abuse");
    free(d);
    su_schema_free(s);
}

static void persons_are_left_out_and_not_shown(void **state)
{
    (void)state;
    su_schema *s = toy();
    su_buf data = { 0 };
    su_buf_text(&data, "case_no,first name,phone number,notes,running,sex\n");
    for (int i = 0; i < 40; i++)
        su_buf_printf(&data, "HB-%d,Wanda%d,+44%d,She said %d and went on to tell a long story about the journey,%d,%s\n", i, i % 7,
                      1000 + i, i, i, i % 2 ? "F" : "M");
    char *d = draft_of(s, data.p);
    has(d, "\ncase_no,,,,record,exact,");
    has(d, "\nfirst name,,,,drop,none,\"looks like names");
    has(d, "\nphone number,,,,drop,none,");
    has(d, "\nnotes,,,,drop,none,\"looks like names");
    has(d, "\nrunning,,,,drop,none,every row has a value of its own");
    has(d, "\nsex,,gender,,rename,partial,by content");
    has_not(d, "Wanda");
    has_not(d, "HB-1");
    has_not(d, "+44");
    has_not(d, "She said");
    free(d);
    su_buf_free(&data);
    su_schema_free(s);
}

static void counted_tables_get_weight_and_margins(void **state)
{
    (void)state;
    su_schema *s = toy();
    char *d = draft_of(s, "gender,citizenship,people\nF,UA,3\nM,UA,2\nTotal,UA,5\nF,Total,3\n");
    has(d, "\npeople,,,,weight,exact,");
    has(d, "\ngender,Total,,,margin,exact,");
    has(d, "\ncitizenship,Total,,,margin,exact,");
    free(d);
    su_schema_free(s);
}

static void somebodys_numbers_are_not_ages(void **state)
{
    (void)state;
    su_schema *s = toy();
    char *d = draft_of(s, "age band,k\n1,\n2,\n3,\n2,\n");
    has_not(d, ",band,");
    has_not(d, "UKR");
    free(d);
    su_schema_free(s);
}

static void odd_headers_do_no_harm(void **state)
{
    (void)state;
    su_schema *s = toy();
    char *d = draft_of(s, "@gender,gender,Gender,\"a,b\n\"\"c\"\"\",-\nF,F,M,x,1\nM,M,F,y,2\n");
    has(d, "\ngender,,gender,,rename,exact,by name\n");
    has_not(d, "\nGender,"); /* the file has gender too: a mapping could not tell them apart */
    has_not(d, "@");
    free(d);
    su_schema_free(s);
}

static void drafts_are_repeatable(void **state)
{
    (void)state;
    su_schema *s = toy();
    const char *data = "sex,country,age\nF,UA,30\nM,MD,8\nF,xx,44\n";
    char *a = draft_of(s, data), *b = draft_of(s, data);
    assert_string_equal(a, b);
    free(a);
    free(b);
    su_schema_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_and_contents_find_their_fields),
        cmocka_unit_test(values_to_decide_are_listed),
        cmocka_unit_test(choices_become_flags),
        cmocka_unit_test(a_comma_inside_a_name_cuts_nothing),
        cmocka_unit_test(the_name_of_a_column_tells_its_group),
        cmocka_unit_test(persons_are_left_out_and_not_shown),
        cmocka_unit_test(counted_tables_get_weight_and_margins),
        cmocka_unit_test(somebodys_numbers_are_not_ages),
        cmocka_unit_test(odd_headers_do_no_harm),
        cmocka_unit_test(drafts_are_repeatable),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
