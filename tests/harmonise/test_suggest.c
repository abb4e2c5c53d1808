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
    has_not(d, "\nGender,");       /* the file has gender too: a mapping could not tell them apart */
    has(d, "\n'@gender,,,,drop,"); /* a column of that name, not the target column */
    has_not(d, "\n@");
    free(d);
    su_schema_free(s);
}

static su_schema *instrument(const char *name)
{
    su_context ctx;
    su_schema *s = NULL;
    su_context_init(&ctx);
    if (su_schema_load(&ctx, name, instrument_resource, NULL, &s) != SU_OK) fail_msg("%s", ctx.message);
    return s;
}

/* The commonest columns of case files, in four languages, in every instrument that has the field. */
static void the_commonest_columns_are_found(void **state)
{
    (void)state;
    static const struct {
        const char *schema, *columns, *cells, *line;
    } cases[] = {
        { "ctdc-2024", "sex", "F\nM\nX\nF\n", "\nsex,,gender,,rename,exact," },
        { "ctdc-2024", "Sexe", "F\nM\nX\nF\n", "\nSexe,,gender,,rename,exact," },
        { "ctdc-2024", "Sexo", "F\nM\nX\nF\n", "\nSexo,,gender,,rename,exact," },
        { "ctdc-2024", "الجنس", "F\nM\nX\nF\n", "\nالجنس,,gender,,rename,exact," },
        { "ctdc-v6", "SEX", "F\nM\nX\nF\n", "\nSEX,,gender,,rename,exact," },
        { "htcds-2.0", "sexo", "F\nM\nF\n", "\nsexo,,prs_Gender,,rename,exact," },
        { "uk-nrm", "sexe", "F\nM\nF\n", "\nsexe,,gender,,rename,exact," },
        { "ctdc-2024", "age", "30\n17\nabt 30\n\n999\n-99\n45\n", "\nage,,ageBroad,,band,exact," },
        { "ctdc-2024", "Âge", "30\n17\n45\n", "\nÂge,,ageBroad,,band,exact," },
        { "ctdc-2024", "edad", "11\n17\n15\n", "\nedad,,ageBroad,,band,exact," },
        { "ctdc-v6", "العمر", "30\n17\n45\n", "\nالعمر,,ageBroad,,band,exact," },
        { "ctdc-2024", "année", "2019\n2020\n", "\nannée,,yearOfRegistration,,rename,exact," },
        { "ctdc-v6", "año", "2018\n2017\n", "\naño,,yearOfRegistration,,rename,exact," },
        { "ctdc-2024", "السنة", "2019\n2020\n", "\nالسنة,,yearOfRegistration,,rename,exact," },
        { "ctdc-2024", "victim/sex", "F\nM\nF\n", "\nvictim/sex,,gender,,rename,exact,by the last part" },
        { "ctdc-2024", "victim / Nationality", "UKR\nMDA\nFRA\n", "\nvictim / Nationality,,citizenship,,rename,exact," },
        { "ctdc-2024", "labour_exp", "0\n1\n-99\n1\n", "\nlabour_exp,,isForcedLabour,,rename," },
        { "ctdc-2024", "sexual_exp", "0\n1\n-99\n1\n", "\nsexual_exp,,isSexualExploit,,rename," },
        { "ctdc-2024", "withhold_docs", "0\n1\n-99\n1\n", "\nwithhold_docs,,meansWithholdDocs,,rename," },
        { "ctdc-2024", "long_hours", "0\n1\n-99\n1\n", "\nlong_hours,,meansExcessiveWorkHours,,rename,partial,a guess by a word" },
        { "ctdc-2024", "drugs", "0\n1\n-99\n1\n", "\ndrugs,,meansDrugsAlcohol,,rename,partial,a guess by a word" },
        { "ctdc-v6", "sexual_abuse", "0\n1\n0\n", "\nsexual_abuse,,meansOfControlSexualAbuse,,rename," },
        { "ctdc-2024", "d’âge tranche", "30\n17\n45\n", "\nd’âge tranche,,ageBroad,,band," },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        su_schema *s = instrument(cases[i].schema);
        su_buf csv = { 0 };
        su_buf_printf(&csv, "%s,zz\n", cases[i].columns);
        for (const char *p = cases[i].cells, *end; *p != '\0'; p = end + 1) {
            end = strchr(p, '\n');
            su_buf_printf(&csv, "%.*s,q\n", (int)(end - p), p);
        }
        char *d = draft_of(s, csv.p);
        has(d, cases[i].line);
        free(d);
        su_buf_free(&csv);
        su_schema_free(s);
    }
}

static void columns_without_a_flag_of_their_own_are_left(void **state)
{
    (void)state;
    su_schema *s = instrument("ctdc-2024");
    char *d = draft_of(s, "forced_marriage,active\n0,1\n1,0\n-99,1\n");
    has(d, "\nforced_marriage,,,,drop,");
    has(d, "\nactive,,,,drop,");
    free(d);
    d = draft_of(s, "psych_abuse,phys_abuse\n0,1\n1,0\n-99,1\n");
    has(d, "\npsych_abuse,,meansAbusePsyPhySex,,rename,partial,");
    has(d, "could also be meansAbusePsyPhySex, which comes from \"\"psych_abuse\"\"; the rule or joins several");
    free(d);
    su_schema_free(s);
}

static void outliers_of_an_age_are_listed(void **state)
{
    (void)state;
    su_schema *s = instrument("ctdc-2024");
    char *d = draft_of(s, "age,k\n30,\n17,\nabt 30,\n999,\n999,\n-99,\n99,\n45,\n,1\n");
    has(d, "\nage,999,ageBroad,?unknown,value,partial,\"2 rows; looks like a code for unknown");
    has(d, "\nage,abt 30,ageBroad,,value,none,");
    has_not(d, "age,-99");
    has_not(d, "age,99,");
    free(d);
    su_schema_free(s);
}

static void people_are_counted_by_a_column(void **state)
{
    (void)state;
    static const char *const counts[] = {
        "Number of victims",  "people",     "nombre de victimes", "número de personas", "count", "n", "NRM referrals",
        "victims identified", "عدد الضحايا"
    };
    static const char *const others[] = { "Number of children", "phone number", "case number", "months", "previous number" };
    su_schema *s = toy();
    su_buf csv = { 0 }, line = { 0 };
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        csv.n = line.n = 0;
        su_buf_printf(&csv, "%s,gender\n\"1,200\",F\n3,M\n0,F\n3,X\n", counts[i]);
        su_buf_printf(&line, "\n%s,,,,weight,exact,each row counts this many people: check\n", counts[i]);
        char *d = draft_of(s, csv.p);
        has(d, line.p);
        free(d);
    }
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        csv.n = 0;
        su_buf_printf(&csv, "%s,gender\n12,F\n3,M\n0,F\n3,X\n", others[i]);
        char *d = draft_of(s, csv.p);
        has_not(d, ",weight,");
        free(d);
    }
    char *d = draft_of(s, "people,gender\n-1,F\n3,M\n");
    has_not(d, ",weight,"); /* nobody is counted by a negative number */
    free(d);
    d = draft_of(s, "count,people\n1,2\n1,3\n");
    has(d, "\ncount,,,,weight,");
    has(d, "\npeople,,,,drop,"); /* one weight in a file */
    free(d);
    su_buf_free(&csv);
    su_buf_free(&line);
    su_schema_free(s);
}

static void record_numbers_are_found_in_short_files(void **state)
{
    (void)state;
    static const char *const names[] = { "id", "ID", "case no", "numéro de dossier", "identifiant", "file number", "_uuid", "expediente" };
    su_schema *s = toy();
    su_buf csv = { 0 }, line = { 0 };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        csv.n = line.n = 0;
        su_buf_printf(&csv, "%s,gender\nA-1,F\nA-2,M\nA-3,M\n", names[i]);
        su_buf_printf(&line, "\n%s,,,,record,exact,", names[i]);
        char *d = draft_of(s, csv.p);
        has(d, line.p);
        free(d);
    }
    char *d = draft_of(s, "id,gender\nA-1,F\nA-1,M\n");
    has_not(d, ",record,"); /* twice the same */
    free(d);
    d = draft_of(s, "id,gender\nA-1,F\n,M\n");
    has_not(d, ",record,"); /* one is empty */
    free(d);
    d = draft_of(s, "phone number,gender\n1-1,F\n1-2,M\n");
    has_not(d, ",record,");
    free(d);
    su_buf_free(&csv);
    su_buf_free(&line);
    su_schema_free(s);
}

static void choices_are_cut_at_blanks_and_commas(void **state)
{
    (void)state;
    su_schema *s = instrument("ctdc-2024");
    char *d = draft_of(s, "exploitation,k\nforced_labour,\nforced_labour sexual,\nsexual,\nother,\nsexual other,\n");
    has(d, "\nexploitation,blank,,,split,exact,");
    has(d, "\nexploitation,forced_labour,isForcedLabour,,or,partial,2 rows");
    has(d, "\nexploitation,sexual,isSexualExploit,,or,partial,3 rows");
    free(d);
    d = draft_of(s, "exploitation,k\n\"forced_labour,sexual\",\nsexual,\n\"other,sexual\",\n");
    has(d, "\nexploitation,\",\",,,split,exact,");
    free(d);
    d = draft_of(s, "type of exploitation,k\nForced labour,\nSexual exploitation,\nForced labour,\n");
    has_not(d, ",split,"); /* answers of two words */
    has(d, ",Forced labour,isForcedLabour,,or,");
    free(d);
    d = draft_of(s, "type of labour,k\ndomestic work,\nagriculture,\nconstruction,\n");
    has_not(d, ",split,");
    free(d);
    su_schema_free(s);
    s = toy();
    d = draft_of(s, "kinds,k\nalpha beta,\nbeta,\ngamma alpha,\n");
    has(d, "\nkinds,blank,kinds,,split,exact,");
    free(d);
    d = draft_of(s, "kinds,k\nalpha;beta,\nbeta,\n");
    has(d, "\nkinds,,kinds,,rename,exact,");
    free(d);
    su_schema_free(s);
}

static void nothing_in_a_draft_runs_in_a_spreadsheet(void **state)
{
    (void)state;
    su_schema *s = toy();
    const char *data =
        "gender,\"=cmd|' /C calc'!A0\",+x\n\"=HYPERLINK(\"\"http://x\"\",\"\"F\"\")\",1,2\n@SUM(1),1,2\n-F,2,2\n+F,2,3\n'=1+1,2,3\nF,1,1\n";
    char *d = draft_of(s, data);
    for (const char *p = d; *p != '\0'; p = strchr(p, '\n') + 1) assert_null(strchr("=+-@\t\r", *p));
    assert_null(strstr(d, ",="));
    assert_null(strstr(d, ",\"="));
    assert_null(strstr(d, ",@"));
    assert_null(strstr(d, ",-F"));
    assert_null(strstr(d, ",+F"));
    has(d, "\n'=cmd|' /C calc'!A0,,,,drop,");
    has(d, "\n'+x,,,,drop,");
    has(d, ",'@SUM(1),gender,");
    has(d, ",''=1+1,gender,");
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
        cmocka_unit_test(the_commonest_columns_are_found),
        cmocka_unit_test(columns_without_a_flag_of_their_own_are_left),
        cmocka_unit_test(outliers_of_an_age_are_listed),
        cmocka_unit_test(people_are_counted_by_a_column),
        cmocka_unit_test(record_numbers_are_found_in_short_files),
        cmocka_unit_test(choices_are_cut_at_blanks_and_commas),
        cmocka_unit_test(nothing_in_a_draft_runs_in_a_spreadsheet),
        cmocka_unit_test(drafts_are_repeatable),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
