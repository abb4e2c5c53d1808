/* Every rule of docs/formats.md on small tables. */
#include "harmonise_test.h"

/* Every line gets one more cell: a row of blank cells is no row to harmonise. */
static toy_run run_numbered(const char *map, const char *data)
{
    su_buf csv = { 0 };
    for (const char *p = data, *end; *p != '\0'; p = end + 1) {
        end = strchr(p, '\n');
        su_buf_printf(&csv, "%.*s,row\n", (int)(end - p), p);
    }
    toy_run r = run(map, csv.p);
    su_buf_free(&csv);
    return r;
}

/* One source column c into one field: cells top to bottom, then what each must become. */
static void check(const char *map, const char *data, const char *field, const char *const *wanted, size_t n)
{
    toy_run r = run_numbered(map, data);
    assert_int_equal(r.table->row_count, n);
    for (size_t i = 0; i < n; i++)
        if (strcmp(got(&r, i, field), wanted[i]) != 0) fail_msg("%s row %zu: %s, not %s", field, i + 1, got(&r, i, field), wanted[i]);
    run_free(&r);
}
#define CHECK(map, data, field, ...)                                                                                                       \
    check(map, data, field, (const char *const[]) { __VA_ARGS__ }, sizeof((const char *const[]) { __VA_ARGS__ }) / sizeof(char *))

static void rename_looks_up_names_and_reasons(void **state)
{
    (void)state;
    CHECK("c,,gender,,rename,,\n", "c,k\nWoman,\nfemale,\nFEMME,\n M ,\n,\n-99,\nUnknown,\nrefused,\nn/a,\nhelicopter,\n", "gender",
          "Woman", "Woman", "Woman", "Man", "(not recorded)", "(not recorded)", "(unknown)", "(refused)", "(not applicable)",
          "(not recorded)");
    CHECK("c,,citizenship,,rename,,\n", "c,k\nNA,\nnamibia,\nMoldavie,\n", "citizenship", "NAM", "NAM", "MDA");
    CHECK("c,,year,,rename,,\n", "c,k\n2002.0,\n2002,\n1999,\n2002.5,\n-99.0,\n", "year", "2002", "2002", "(not recorded)",
          "(not recorded)", "(not recorded)");
    CHECK("c,,meansThreats,,rename,,\n", "c,k\n1,\n0,\n1.0,\n0.0,\nyes,\nNon,\n,\nperhaps,\n", "meansThreats", "1", "0", "1", "0", "1", "0",
          "(not recorded)", "(not recorded)");
    CHECK("c,,meansAbuse,,rename,,\n", "c,k\n1,\n0,\n1.00,\n0.0,\nno,\n\"\",\n", "meansAbuse", "1", "(negative)", "1", "(negative)",
          "(negative)", "(not recorded)");
}

static void value_goes_before_rename(void **state)
{
    (void)state;
    CHECK("c,F,gender,Man,value,,\nc,,gender,,rename,,\n", "c,k\nF,\nf,\nFemale,\nM,\n", "gender", "Man", "Man", "Woman", "Man");
    CHECK("c,1,gender,Femme,value,,\nc,2,gender,?refused,value,,\nc,3,gender,,value,,\nc,4,gender,-99,value,,\n",
          "c,k\n1,\n1.0,\n2,\n3,\n4,\n5,\nunknown,\nF,\n", "gender", "Woman", "Woman", "(refused)", "(not recorded)", "(not recorded)",
          "(not recorded)", "(unknown)", "(not recorded)");
    CHECK("c,1,gender,Woman,value,,\nc,*,gender,Other,value,,\n", "c,k\n1,\n7,\n,\nunknown,\n", "gender", "Woman", "Other",
          "(not recorded)", "(unknown)");
    CHECK("c,,gender,?unknown,value,,\nc,,gender,,rename,,\n", "c,k\n,\nF,\n", "gender", "(unknown)", "Woman");
}

static void what_is_unmapped_is_counted_and_said(void **state)
{
    (void)state;
    toy_run r = run_numbered("c,,gender,,rename,,\n", "c,k\nF,\nWomann,\nWomann,\nxyzzy,\n-99,\n,\n");
    const su_column_report *c = column_of(&r, "c");
    assert_int_equal(c->distinct, 5);
    assert_int_equal(c->rows_filled, 5);
    assert_int_equal(c->rows_mapped, 1);
    assert_int_equal(c->rows_missing, 2);
    assert_int_equal(c->rows_unmapped, 3);
    assert_int_equal(c->unmapped_count, 2);
    assert_string_equal(c->unmapped[0].value, "Womann");
    assert_int_equal(c->unmapped[0].rows, 2);
    assert_string_equal(c->unmapped[0].suggestion, "Woman");
    assert_null(c->unmapped[1].suggestion);
    run_free(&r);
    /* Listed values only: what one of several targets takes is mapped; an empty target is a decision; coverage none is a loss. */
    r = run("c,labour,isForcedLabour,1,value,,\nc,sex,isSexualExploit,1,value,,\nc,nothing,isForcedLabour,,value,exact,\nc,begging,"
            "isForcedLabour,,value,none,\n",
            "c,k\nlabour,\nsex,\nnothing,\nbegging,\nlabor,\n");
    c = column_of(&r, "c");
    assert_int_equal(c->rows_mapped, 3);
    assert_int_equal(c->unmapped_count, 2);
    assert_string_equal(c->unmapped[0].value, "begging");
    assert_null(c->unmapped[0].suggestion);
    assert_string_equal(c->unmapped[1].value, "labor");
    assert_string_equal(c->unmapped[1].suggestion, "labour");
    assert_string_equal(c->targets, "isForcedLabour, isSexualExploit");
    assert_string_equal(c->coverage, "partial");
    run_free(&r);
}

static void or_joins_flags(void **state)
{
    (void)state;
    const char *data = "a,b\n1,0\n0,0\n0,\n,\n,1\nunknown,0\nunknown,\n0,refused\n1,what\n";
    CHECK("a,,meansThreats,,or,,\nb,,meansThreats,,or,,\n", data, "meansThreats", "1", "(not recorded)", "(not recorded)", "(not recorded)",
          "1", "(unknown)", "(unknown)", "(refused)", "1");
    CHECK("a,,meansThreats,known-negative,or,,\nb,,meansThreats,known-negative,or,,\n", data, "meansThreats", "1", "0", "0",
          "(not recorded)", "1", "0", "(unknown)", "0", "1");
    CHECK("a,,meansAbuse,,or,,\nb,,meansAbuse,Known negative,or,,\n", data, "meansAbuse", "1", "(negative)", "(negative)", "(not recorded)",
          "1", "(negative)", "(unknown)", "(negative)", "1");
    /* With a source_value that value is the yes; 0 and no stay a no; other values say nothing. */
    CHECK("a,police,meansThreats,known-negative,or,,\nb,,meansThreats,,or,,\n", "a,b\npolice,0\nboss,\nboss,0\nno,\n0.0,-99\n",
          "meansThreats", "1", "(not recorded)", "0", "0", "0");
    CHECK("a,boss,meansThreats,,or,,\na,police,meansThreats,,or,,\na,dunno,meansThreats,?unknown,value,,\n",
          "a,k\nBOSS,\npolice,\ndunno,\nneighbour,\n", "meansThreats", "1", "1", "(unknown)", "(not recorded)");
}

static void coalesce_takes_the_first_value(void **state)
{
    (void)state;
    CHECK("a,,citizenship,,coalesce,,\nb,,citizenship,,coalesce,,\nb,0,citizenship,?unknown,value,,\n",
          "a,b\nUA,MD\n,MD\nunknown,MD\nrefused,0\n,0\nfoo,MD\n-99,refused\n", "citizenship", "UKR", "MDA", "MDA", "(refused)", "(unknown)",
          "MDA", "(refused)");
    CHECK("a,,meansAbuse,,coalesce,,\nb,,meansAbuse,,coalesce,,\n", "a,b\n0,1\n,1\nunknown,0\n", "meansAbuse", "(negative)", "1",
          "(negative)");
    CHECK("a,,months,,coalesce,,\nb,,months,,coalesce,,\n", "a,b\n5,6\n,6.0\n601,7\n,\n", "months", "5", "6", "7", "(none)");
    CHECK("a,,kinds,,coalesce,,\nb,,kinds,,coalesce,,\n", "a,b\nalpha;b,c\n,c\nrefused,\n", "kinds", "a+b", "c", "(refused)");
}

static void band_and_year(void **state)
{
    (void)state;
    CHECK("c,,ageBand,,band,,\n", "c,k\n0,\n8,\n9,\n17.0,\n17.9,\n18,\n112,\n-1,\n-99,\nabt 30,\n9--17,\n9 – 17,\nadults,\n", "ageBand",
          "0--8", "0--8", "9--17", "9--17", "9--17", "18+", "18+", "(not recorded)", "(not recorded)", "(not recorded)", "9--17", "9--17",
          "18+");
    CHECK("c,,year,,year,,\n", "c,k\n2004-02-29,\n28/03/2005,\n2006,\n2007.0,\n2008-Q1,\n1999-01-01,\nsoon,\nunknown,\n", "year", "2004",
          "2005", "2006", "2007", "2008", "(not recorded)", "(not recorded)", "(unknown)");
    CHECK("c,9,ageBand,18+,value,,\nc,,ageBand,,band,,\n", "c,k\n9,\n9.0,\n10,\n", "ageBand", "18+", "18+", "9--17");
}

static void decimal_commas_and_groups_are_read(void **state)
{
    (void)state;
    CHECK("c,,year,,rename,,\n", "c,k\n\"2002,0\",\n2003.0,\n\"2004,00\",\n\"2004,5\",\n", "year", "2002", "2003", "2004",
          "(not recorded)");
    CHECK("c,,year,,year,,\n", "c,k\n\"2002,0\",\n\"2,003\",\n", "year", "2002", "2003");
    CHECK("c,,ageBand,,band,,\n", "c,k\n\"17,9\",\n\"18,0\",\n\"8,99\",\n\"1,200\",\n1 200,\n\"1,2,3\",\n", "ageBand", "9--17", "18+",
          "0--8", "18+", "18+", "(not recorded)");
    CHECK("c,,months,,rename,,\n", "c,k\n\"12,0\",\n\"12,5\",\n1.200,\n", "months", "12", "(none)", "(none)");
    CHECK("c,1,gender,Woman,value,,\n", "c,k\n\"1,0\",\n1.0,\n\"1,000\",\n", "gender", "Woman", "Woman", "(not recorded)");
}

static void a_value_may_go_nowhere_on_purpose(void **state)
{
    (void)state;
    const char *map = "c,labour,isForcedLabour,,or,,\nc,sex,isSexualExploit,,or,,\nc,other,,,drop,,no place for it\nc,7,,,drop,,\n";
    toy_run r = run(map, "c,k\nlabour,1\nOTHER,2\nsex,3\nothr,4\n7.0,5\n,6\n");
    const su_column_report *c = column_of(&r, "c");
    assert_string_equal(got(&r, 1, "isForcedLabour"), "(not recorded)");
    assert_string_equal(got(&r, 1, "isSexualExploit"), "(not recorded)");
    assert_int_equal(c->rows_mapped, 4);
    assert_int_equal(c->rows_missing, 1);
    assert_int_equal(c->rows_unmapped, 1);
    assert_int_equal(c->unmapped_count, 1);
    assert_string_equal(c->unmapped[0].value, "othr");
    assert_string_equal(c->coverage, "partial");
    run_free(&r);
    /* It goes before the codelist, before *, is one member of several, and stays whole where it holds the separator. */
    CHECK("c,,gender,,rename,,\nc,F,,,drop,,\n", "c,k\nF,\nFemale,\nM,\n", "gender", "(not recorded)", "Woman", "Man");
    CHECK("c,F,,,drop,,\nc,*,gender,Man,value,,\n", "c,k\nF,\nx,\n", "gender", "(not recorded)", "Man");
    CHECK("c,/,kinds,,split,,\nc,b,,,drop,,\nc,a/c,,,drop,,\n", "c,k\na/b,\nb,\na/c,\nc/a,\n", "kinds", "a", "(not recorded)",
          "(not recorded)", "a+c");
    CHECK("c,,months,,rename,,\nc,12,,,drop,,\n", "c,k\n12,\n13,\n", "months", "(none)", "13");
    /* A total that the mapping drops as a value is no total. */
    r = run("c,,gender,,rename,,\nc,Total,,,drop,,\n", "c,k\nF,1\nTotal,2\n");
    assert_int_equal(r.table->row_count, 2);
    run_free(&r);
    /* What is only dropped may be absent. */
    r = run("c,,gender,,rename,,\nz,x,,,drop,,\n", "c,k\nF,1\n");
    assert_int_equal(r.table->row_count, 1);
    run_free(&r);
}

static void choices_may_be_cut_at_blanks(void **state)
{
    (void)state;
    CHECK("c,blank,kinds,,split,,\n", "c,k\nalpha c,\nb,\n a  b ,\n", "kinds", "a+c", "b", "a+b");
    CHECK("c,Space,,,split,,\nc,forced_labour,isForcedLabour,,or,,\n", "c,k\nforced_labour sexual,\nsexual,\n", "isForcedLabour", "1",
          "(not recorded)");
}

static void split_tests_members(void **state)
{
    (void)state;
    const char *map = "c,\",&\",,,split,,\nc,Labour,isForcedLabour,,or,,\nc,Sexual,isSexualExploit,1,value,,\nc,Not "
                      "said,isOtherExploit,?unknown,value,,\n";
    const char *data = "c,k\n\"Sexual, Labour & Domestic\",\nLabour,\nNot said,\n,\n\" & labour,\",\nunknown,\n";
    CHECK(map, data, "isForcedLabour", "1", "1", "(not recorded)", "(not recorded)", "1", "(unknown)");
    CHECK(map, data, "isSexualExploit", "1", "(not recorded)", "(not recorded)", "(not recorded)", "(not recorded)", "(unknown)");
    CHECK(map, data, "isOtherExploit", "(not recorded)", "(not recorded)", "(unknown)", "(not recorded)", "(not recorded)", "(unknown)");
    toy_run r = run_numbered(map, data);
    const su_column_report *c = column_of(&r, "c");
    assert_int_equal(c->unmapped_count, 1);
    assert_string_equal(c->unmapped[0].value, "Domestic");
    assert_int_equal(c->rows_unmapped, 1);
    run_free(&r);
    CHECK("c,|,kinds,,split,,\n", "c,k\nalpha | Gamma,\nbeta,\nbeta|zeta,\nzeta,\nrefused,\n,\nb||b|,\n", "kinds", "a+c", "b", "b",
          "(not recorded)", "(refused)", "(not recorded)", "b");
    CHECK("c,,kinds,,rename,,\n", "c,k\nalpha; gamma,\nb,\n", "kinds", "a+c", "b");
    /* A cell that is known as a whole is not cut: N/A where / separates, and a listed value that holds the separator. */
    CHECK("c,/,kinds,,split,,\nc,b/c together,kinds,a,value,,\n", "c,k\nN/A,\na/b,\nB/C together,\n", "kinds", "(not applicable)", "a+b",
          "a");
    CHECK("c,؛,kinds,,split,,\n", "c,k\nalpha؛beta,\n", "kinds", "a+b");
}

static void one_value_may_give_a_set_several_members(void **state)
{
    (void)state;
    CHECK("c,both,kinds,a,value,,\nc,both,kinds,c,value,,\nc,one,kinds,b,value,,\n", "c,k\nboth,\none,\n", "kinds", "a+c", "b");
    CHECK("x,,kinds,a,or,,\ny,,kinds,b,or,,\nz,often,kinds,c,or,,\n", "x,y,z\n1,1,often\n0,yes,never\n0,0,\nunknown,,\n", "kinds", "a+b+c",
          "b", "(not recorded)", "(unknown)");
}

static void constants_and_chains(void **state)
{
    (void)state;
    CHECK(",,citizenship,Ukraine,constant,,\n,,kinds,b,constant,,\n,,months,12,constant,,\n", "c,k\nx,\ny,\n", "citizenship", "UKR", "UKR");
    CHECK(",,citizenship,?unknown,constant,,\n,,kinds,b,constant,,\n,,months,12,constant,,\n", "c,k\nx,\n", "citizenship", "(unknown)");
    CHECK(",,kinds,b,constant,,\n", "c,k\nx,\ny,\n", "kinds", "b", "b");
    CHECK(",,months,12.0,constant,,\n", "c,k\nx,\ny,\n", "months", "12", "12");
    const char *map =
        "@ageBand,0 to 8,adult,0,value,,\n@ageBand,9--17,adult,0,value,,\n@ageBand,adults,adult,1,value,,\nage,,ageBand,,band,,\n";
    CHECK(map, "age,k\n3,\n30,\nunknown,\n,\nx,\n", "adult", "0", "1", "(unknown)", "(not recorded)", "(not recorded)");
    CHECK("c,,kinds,,rename,,\n@kinds,Alpha,isForcedLabour,,or,,\n@kinds,b,isSexualExploit,1,value,,\n@kinds,c,isSexualExploit,,value,,\n",
          "c,k\na;b,\nc,\nrefused,\n,\n", "isSexualExploit", "1", "(not recorded)", "(refused)", "(not recorded)");
    CHECK("c,,phone,,rename,,\n@phone,*,adult,1,value,,\n", "c,k\n123,\n,\n", "adult", "1", "(not recorded)");
}

static void numbers_dates_and_texts(void **state)
{
    (void)state;
    CHECK("c,,months,,rename,,\n", "c,k\n12,\n 12.0 ,\n600,\n601,\n-1,\n1.5,\n,\nunknown,\n+7,\n", "months", "12", "12", "600", "(none)",
          "(none)", "(none)", "(none)", "(none)", "7");
    CHECK("c,,interviewed,,rename,,\n", "c,k\n2004-02-29,\n2004-02-30,\n1/2/2004,\n2004/12/31 23:59,\n2004,\n", "interviewed", "2004-02-29",
          "(none)", "2004-02-01", "2004-12-31", "(none)");
    CHECK("c,,interviewed,,rename,,\n", "c,k\n1/2/2004,\n12/31/2004,\n", "interviewed", "2004-01-02", "2004-12-31");
    CHECK("c,,interviewed,,rename,,\n", "c,k\n1/2/2004,\n12/31/2004,\n31/12/2004,\n", "interviewed", "2004-02-01", "(none)", "2004-12-31");
    CHECK("c,,phone,,rename,,\n", "c,k\n+4412345,\n0123,\n12 34,\nx123,\n123x,\n", "phone", "+4412345", "(none)", "(none)", "(none)",
          "(none)");
    toy_run r = run("c,,months,,rename,,\n", "c,k\n12,\nmany,\n");
    assert_int_equal(column_of(&r, "c")->rows_unmapped, 1);
    assert_string_equal(column_of(&r, "c")->unmapped[0].value, "many");
    run_free(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rename_looks_up_names_and_reasons),
        cmocka_unit_test(value_goes_before_rename),
        cmocka_unit_test(what_is_unmapped_is_counted_and_said),
        cmocka_unit_test(or_joins_flags),
        cmocka_unit_test(coalesce_takes_the_first_value),
        cmocka_unit_test(band_and_year),
        cmocka_unit_test(decimal_commas_and_groups_are_read),
        cmocka_unit_test(a_value_may_go_nowhere_on_purpose),
        cmocka_unit_test(choices_may_be_cut_at_blanks),
        cmocka_unit_test(split_tests_members),
        cmocka_unit_test(one_value_may_give_a_set_several_members),
        cmocka_unit_test(constants_and_chains),
        cmocka_unit_test(numbers_dates_and_texts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
