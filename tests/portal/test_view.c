/* Reading a bundle's files: cells, escapes, and words for everything that is wrong. */
#include "cells.h"
#include "folder.h"
#include "page.h"
#include "view.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <string.h>

static su_context ctx;

static void cells_of_a_row(void **state)
{
    (void)state;
    su_cells c;
    bool more;
    su_cells_init(&c, "x.csv", SU_STR("a,b\r\n\"one, \"\"two\"\"\nthree\",\n,last"));
    assert_int_equal(su_cells_next(&ctx, &c, &more), SU_OK);
    assert_int_equal(c.count, 2);
    assert_int_equal(su_cells_find(&c, "b"), 1);
    assert_int_equal(su_cells_find(&c, "c"), -1);
    assert_int_equal(su_cells_next(&ctx, &c, &more), SU_OK);
    assert_string_equal(c.at[0], "one, \"two\"\nthree");
    assert_string_equal(c.at[1], "");
    assert_int_equal(su_cells_next(&ctx, &c, &more), SU_OK);
    assert_true(more);
    assert_string_equal(c.at[0], "");
    assert_string_equal(c.at[1], "last");
    assert_int_equal(su_cells_next(&ctx, &c, &more), SU_OK);
    assert_false(more);
    su_cells_free(&c);
}

static void cells_that_are_wrong(void **state)
{
    (void)state;
    static char commas[SU_CELLS_MAX];
    static const struct {
        su_str bytes;
        const char *words;
    } list[] = {
        { { "a\nb\n\"x", 6 }, "line 3: a quote that does not close" },
        { { "\"x\"y", 4 }, "line 1: text after a closing quote" },
        { { "a\"b", 3 }, "a quote inside" },
        { { "a\0b", 3 }, "zero byte" },
        { { "\"a\0b\"", 5 }, "zero byte" },
        { { commas, sizeof commas }, "too many columns" },
    };
    memset(commas, ',', sizeof commas);
    for (size_t i = 0; i < sizeof list / sizeof *list; i++) {
        su_cells c;
        bool more = true;
        su_status st = SU_OK;
        su_cells_init(&c, "x.csv", list[i].bytes);
        while (!st && more) st = su_cells_next(&ctx, &c, &more);
        assert_int_equal(st, SU_INPUT);
        if (!strstr(ctx.message, list[i].words) || !strstr(ctx.message, "x.csv")) fail_msg("%s", ctx.message);
        assert_int_equal(su_cells_find(&c, "x"), -1); /* found by fuzz_bundle: the cells of a broken row were looked at */
        su_cells_free(&c);
    }
}

/* ---- a small bundle in memory ------------------------------------------------------------------------------------------------------- */

#define FIELD(name, type, more) "{\"name\":\"" name "\",\"title\":\"T " name "\",\"suha:type\":\"" type "\",\"suha:provided\":true" more "}"
#define PACKAGE(fields)                                                                                                                    \
    "{\"name\":\"n-1\",\"title\":\"T\",\"suha:groups\":[{\"name\":\"g\",\"title\":\"G\"}],\"resources\":[{\"path\":\"data/"                \
    "microdata.csv\",\"schema\":{\"fields\":[" fields "]}}]}"
#define GOOD_PACKAGE                                                                                                                       \
    PACKAGE(FIELD("a;b", "code", ",\"suha:codelist\":\"codelists/l.csv\"") "," FIELD(                                                      \
        "f", "flag", ",\"suha:codelist\":\"codelists/y.csv\",\"suha:group\":\"g\""))
#define GOOD_REPORT                                                                                                                        \
    "{\"suha:report\":1,\"guarantee\":{\"holds\":true,\"epsilon\":2,\"promise\":[\"p\",3,\"q\"]},\"records\":{\"synthetic\":7},"           \
    "\"groups\":[{\"name\":\"g\",\"synthetic_records_with_an_answer\":4}]}"
#define HEAD_LINE "combination,length,count,ci_low,ci_high\n"
#define GOOD_COUNTS HEAD_LINE "a\\;b=x\\=1,1,5,3.5,6.5\n\"a\\;b=\"\"q\\\\\",1,2,,\nf=1,1,3,1.0,4.0\na\\;b=x\\=1;f=1,2,2,0.0,3.0\n"

typedef struct shelf {
    const char *package, *report, *counts;
} shelf;

static bool give(void *arg, const char *path, su_str *bytes)
{
    const shelf *s = arg;
    const char *text = strcmp(path, "datapackage.json") == 0         ? s->package
                       : strcmp(path, "protection/report.json") == 0 ? s->report
                       : strcmp(path, "data/aggregates.csv") == 0    ? s->counts
                       : strcmp(path, "codelists/l.csv") == 0        ? "code,label_en\nx=1,Ex\n\"\"\"q\\\",Queue\nz,\n"
                       : strcmp(path, "codelists/y.csv") == 0        ? "label_en,code\nYes,1\n"
                       : strcmp(path, "codelists/bad.csv") == 0      ? "nothing\n"
                                                                     : NULL;
    if (text) *bytes = su_str_of(text);
    return text != NULL;
}

static void a_good_bundle(void **state)
{
    (void)state;
    shelf s = { GOOD_PACKAGE, GOOD_REPORT, GOOD_COUNTS };
    su_view *v;
    assert_int_equal(su_view_read(&ctx, "dir", give, &s, &v), SU_OK);
    assert_null(v->stamp);
    assert_int_equal(v->promise.count, 2);
    assert_int_equal(v->groups[0].answered, 4);
    const su_view_field *f = &v->fields[0];
    assert_int_equal(f->value_count, 3);
    assert_int_equal(f->published, 2);
    assert_string_equal(f->values[0].label, "Ex");
    assert_int_equal(f->values[0].n.count, 5);
    assert_float_equal(f->values[0].n.low, 3.5, 0);
    assert_int_equal(f->values[1].n.count, 2);
    assert_true(isnan(f->values[1].n.low));
    assert_string_equal(f->values[2].label, "z");
    assert_false(f->values[2].published);
    assert_int_equal(v->fields[1].values[0].n.count, 3);
    su_view_free(v);
}

static void a_guarantee_that_is_not_stated_does_not_hold(void **state)
{
    (void)state;
    static const char *const reports[] = { "{\"suha:report\":1,\"guarantee\":{}}", "{\"suha:report\":1,\"guarantee\":{\"holds\":\"true\"}}",
                                           "{\"suha:report\":1,\"guarantee\":{\"holds\":false,\"stamp\":\"\"}}" };
    for (size_t i = 0; i < 3; i++) {
        shelf s = { GOOD_PACKAGE, reports[i], GOOD_COUNTS };
        su_view *v;
        assert_int_equal(su_view_read(&ctx, "dir", give, &s, &v), SU_OK);
        assert_string_equal(v->stamp, "NO GUARANTEE");
        su_view_free(v);
    }
}

static void bundles_that_are_wrong(void **state)
{
    (void)state;
    static const struct {
        shelf s;
        const char *words;
    } list[] = {
        { { NULL, GOOD_REPORT, GOOD_COUNTS }, "dir/datapackage.json: the file is missing" },
        { { "{\n]", GOOD_REPORT, GOOD_COUNTS }, "dir/datapackage.json, line 2: not JSON" },
        { { "[]", GOOD_REPORT, GOOD_COUNTS }, "not an object" },
        { { "{\"name\":\"../x\"}", GOOD_REPORT, GOOD_COUNTS }, "its name is not of" },
        { { "{\"name\":\".x\"}", GOOD_REPORT, GOOD_COUNTS }, "its name is not of" },
        { { "{\"name\":\"x\",\"name\":\"y\"}", GOOD_REPORT, GOOD_COUNTS }, "not JSON" },
        { { "{\"name\":\"x\"}", GOOD_REPORT, GOOD_COUNTS }, "does not describe data/microdata.csv" },
        { { PACKAGE("{}"), GOOD_REPORT, GOOD_COUNTS }, "a field has no name" },
        { { PACKAGE("1"), GOOD_REPORT, GOOD_COUNTS }, "a field has no name" },
        { { PACKAGE(FIELD("a", "code", ",\"suha:codelist\":\"codelists/none.csv\"")), GOOD_REPORT, GOOD_COUNTS },
          "codelists/none.csv: the file is missing" },
        { { PACKAGE(FIELD("a", "code", ",\"suha:codelist\":\"codelists/bad.csv\"")), GOOD_REPORT, GOOD_COUNTS }, "no code and label_en" },
        { { GOOD_PACKAGE, "{}", GOOD_COUNTS }, "not a protection report" },
        { { GOOD_PACKAGE, GOOD_REPORT, "" }, "its header is not" },
        { { GOOD_PACKAGE, GOOD_REPORT, "combination,count\n" }, "its header is not" },
        { { GOOD_PACKAGE, GOOD_REPORT, HEAD_LINE "f=1,1,3,1.0\n" }, "five cells" },
        { { GOOD_PACKAGE, GOOD_REPORT, HEAD_LINE "f=1,1,-3,1.0,2.0\n" }, "line 2: the count is not a whole number" },
        { { GOOD_PACKAGE, GOOD_REPORT, HEAD_LINE "f,1,3,1.0,2.0\n" }, "line 2: not column=code" },
        { { GOOD_PACKAGE, GOOD_REPORT, HEAD_LINE "f=\xff,1,3,1.0,2.0\n" }, "not UTF-8" },
    };
    for (size_t i = 0; i < sizeof list / sizeof *list; i++) {
        su_view *v = (su_view *)&ctx;
        assert_int_equal(su_view_read(&ctx, "dir", give, (void *)(uintptr_t)&list[i].s, &v), SU_INPUT);
        assert_null(v);
        if (!strstr(ctx.message, list[i].words)) fail_msg("\"%s\" does not say \"%s\"", ctx.message, list[i].words);
    }
}

static void paths_inside_only(void **state)
{
    (void)state;
    static const char *const good[] = { "a", "a/b.csv", "A_b-9/x.y.z", "SHA256SUMS" };
    static const char *const bad[] = { "",     "/a",  "a/",  "a//b", "..",    "../a",        "a/../b", ".a",
                                       "a/.b", "./a", "a b", "a\\b", "a%2fb", "caf\xc3\xa9", "a\nb" };
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) assert_true(su_folder_path_ok(su_str_of(good[i])));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (su_folder_path_ok(su_str_of(bad[i]))) fail_msg("\"%s\" passed", bad[i]);
    assert_false(su_folder_path_ok((su_str) { "a\0b", 3 }));
}

static int set_up(void **state)
{
    (void)state;
    su_context_init(&ctx);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cells_of_a_row),         cmocka_unit_test(cells_that_are_wrong),
        cmocka_unit_test(a_good_bundle),          cmocka_unit_test(a_guarantee_that_is_not_stated_does_not_hold),
        cmocka_unit_test(bundles_that_are_wrong), cmocka_unit_test(paths_inside_only),
    };
    return cmocka_run_group_tests_name("portal: view", tests, set_up, NULL);
}
