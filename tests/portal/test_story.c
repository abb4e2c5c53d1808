/* Stories: every directive and condition against a small release written out here, so that the right answer can be seen by eye. */
#include "query.h"
#include "story.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <string.h>

/* 100 records: 60 women of whom 30 a=1, 20 b=1; 40 men of whom 38 a=1 and 3 b=1. Intervals are the count +- 4; x=Z is not published. */
#define FIELD(name, type, list, more)                                                                                                      \
    "{\"name\":\"" name "\",\"title\":\"T " name "\",\"suha:type\":\"" type "\",\"suha:provided\":true,\"suha:codelist\":\"" list          \
    "\"" more "}"
static const char package[] =
    "{\"name\":\"n\",\"title\":\"T\",\"suha:groups\":[{\"name\":\"g\",\"title\":\"G\"}],\"resources\":[{\"path\":\"data/microdata.csv\","
    "\"schema\":{\"fields\":[" FIELD("x", "code", "x.csv", "") "," FIELD("y", "year", "y.csv", "") "," FIELD(
        "a", "flag", "f.csv", ",\"suha:group\":\"g\"") "," FIELD("b", "flag", "f.csv", ",\"suha:group\":\"g\"") "]}}]}";
static const char report[] =
    "{\"suha:report\":1,\"schema\":\"s\",\"guarantee\":{\"holds\":true,\"epsilon\":1,\"odds_factor\":2.7},\"length\":2,"
    "\"records\":{\"synthetic\":100,\"estimated\":100,\"ci_low\":96,\"ci_high\":104},\"tables\":[{\"columns\":[\"x\",\"a\"]},"
    "{\"columns\":[\"x\",\"b\"]},{\"columns\":[\"y\"]}]}";
static const char counts[] =
    "combination,length,count,ci_low,ci_high\nx=W,1,60,56.0,64.0\nx=M,1,40,36.0,44.0\ny=2019,1,50,46.0,54.0\ny=2020,1,50,46.0,54.0\n"
    "a=1,1,68,64.0,72.0\nb=1,1,23,19.0,27.0\nx=W;a=1,2,30,26.0,34.0\nx=M;a=1,2,38,34.0,42.0\nx=W;b=1,2,20,16.0,24.0\n";
static su_buf microdata;
static su_context ctx;
static su_view *view;
static su_cube *cube;

static bool give(void *arg, const char *path, su_str *bytes)
{
    (void)arg;
    static const char *const files[][2] = { { "datapackage.json", package },
                                            { "protection/report.json", report },
                                            { "data/aggregates.csv", counts },
                                            { "x.csv", "code,label_en,label_fr\nW,Women,Femmes\nM,Men,Hommes\nZ,Others,Autres\n" },
                                            { "y.csv", "code,label_en\n2018,2018\n2019,2019\n2020,2020\n" },
                                            { "f.csv", "code,label_en\n1,Yes\n" } };
    if (strcmp(path, "data/microdata.csv") == 0) {
        *bytes = (su_str) { microdata.p, microdata.n };
        return true;
    }
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        if (strcmp(path, files[i][0]) == 0) {
            *bytes = su_str_of(files[i][1]);
            return true;
        }
    return false;
}

static int set_up(void **state)
{
    (void)state;
    su_context_init(&ctx);
    su_buf_text(&microdata, "x,y,a,b\n");
    for (int i = 0; i < 100; i++) {
        bool woman = i < 60;
        su_buf_printf(&microdata, "%s,%d,%s,%s\n", woman ? "W" : "M", i % 2 ? 2019 : 2020,
                      woman ? (i < 30 ? "1" : "") : (i < 98 ? "1" : ""), woman ? (i >= 40 ? "1" : "") : (i >= 97 ? "1" : ""));
    }
    su_status st = su_view_read(&ctx, "small", give, NULL, &view);
    if (!st) st = su_cube_new(&ctx, view, give, NULL, &cube);
    if (st) print_message("%s\n", ctx.message);
    return st ? -1 : 0;
}

static int tear_down(void **state)
{
    (void)state;
    su_cube_free(cube);
    su_view_free(view);
    su_buf_free(&microdata);
    return 0;
}

static void write_story(const char *text, su_locale l, su_buf *out)
{
    su_folder none = { .count = 0 };
    su_shown shown = { view, &none, cube, "n" };
    su_site site = { .shown = &shown, .count = 1 };
    su_arena arena;
    su_arena_init(&arena);
    su_page p = { .b = out, .arena = &arena, .l = l, .site = &site, .shown = &shown, .path = "/", .status = 200 };
    su_story_html(&p, su_str_of(text));
    su_arena_free(&arena);
}

/* The story's text without tags. */
static void is(const char *text, const char *wanted)
{
    su_buf html = { 0 }, plain = { 0 };
    write_story(text, SU_LOCALE_EN, &html);
    bool inside = false;
    for (size_t i = 0; i < html.n; i++) {
        if (html.p[i] == '<') inside = true;
        if (!inside) su_buf_char(&plain, html.p[i]);
        if (html.p[i] == '>') inside = false;
    }
    su_str got = su_str_trim((su_str) { plain.p ? plain.p : "", plain.n });
    if (got.n != strlen(wanted) || memcmp(got.p, wanted, got.n) != 0)
        fail_msg("\"%s\" gave \"%.*s\", not \"%s\"", text, (int)got.n, got.p, wanted);
    su_buf_free(&html);
    su_buf_free(&plain);
}

static void front_matter(void **state)
{
    (void)state;
    su_str text = SU_STR("---\ntitle: A: b\norder: 2\n---\nbody");
    assert_true(su_str_equal(su_story_key(text, "title"), SU_STR("A: b")));
    assert_int_equal(su_story_key(text, "summary").n, 0);
    assert_int_equal(su_story_key(SU_STR("title: no"), "title").n, 0);
    is("---\ntitle: A\n---\nbody", "body");
    is("---\nno end", "--- no end");
}

static void numbers_with_their_intervals(void **state)
{
    (void)state;
    is("{{ people }}", "100 (96 to 104)");
    is("{{ count x:W }}", "60 (56 to 64)");
    is("{{ count x:W|M }}", "100 (92 to 108)");
    is("{{ count a:1 where x:W }}", "30 (26 to 34)");
    is("{{ years }}", "2019 to 2020");
    is("{{ label x:W }} and {{ label a:1 }}", "Women and T a");
    is("{{ largest x }}", "Women");
    is("{{ largest y }}", "2019 / 2020 (too close to tell which)");
    /* 60 of 100 with a value; the denominator's error is the widest half-width, 4: 56/104 to 64/96. */
    is("{{ percent x:W }}", "60% (54%–67%)");
    /* CTDC rule: a=1 among the women with a yes in the group: 30 with a, 20 with b, no overlap: 50. 30/50; 26/54 to 34/46. */
    is("{{ percent a:1 where x:W }}", "60% (48%–74%)");
}

static void what_was_not_published_is_no_number(void **state)
{
    (void)state;
    is("{{ count x:Z }}", "not published");
    is("{{ percent x:Z }}", "not published");
    is("{{ percent b:1 where x:M }}", "not published");
    is("{{ count a:1 where b:1 }}", "not published"); /* only synthetic records know: no interval, no number */
    is("{{ if known x:Z }}yes{{ else }}no{{ end }}", "no");
    is("{{ if known a:1 b:1 where x:M }}yes{{ else }}no{{ end }}", "no");
}

static void conditions_hold_only_when_intervals_do(void **state)
{
    (void)state;
    is("{{ if known x:W x:M }}yes{{ end }}", "yes");
    is("{{ if more x:W than x:M }}yes{{ else }}no{{ end }}", "yes"); /* 56 above 44 */
    is("{{ if more x:M than x:W }}yes{{ else }}no{{ end }}", "no");
    is("{{ if more y:2019 than y:2020 }}yes{{ else }}no{{ end }}", "no");      /* equal */
    is("{{ if more a:1 than b:1 where x:W }}yes{{ else }}no{{ end }}", "yes"); /* 26 above 24 */
    is("{{ if above 50 x:W }}yes{{ else }}no{{ end }}", "yes");
    is("{{ if above 55 x:W }}yes{{ else }}no{{ end }}", "no"); /* lower end 53.8 */
    is("{{ if below 68 x:W }}yes{{ else }}no{{ end }}", "yes");
    is("{{ if below 66 x:W }}yes{{ else }}no{{ end }}", "no");                   /* upper end 66.7 */
    is("{{ if higher a:1 where x:M than x:W }}yes{{ else }}no{{ end }}", "yes"); /* 34/44 = 77 above 34/46 = 74 */
    is("{{ if higher a:1 where x:W than x:M }}yes{{ else }}no{{ end }}", "no");
    is("{{ if higher b:1 where x:W than x:M }}yes{{ else }}no{{ end }}", "no"); /* one of them not published */
    is("{{ if single x }}yes{{ else }}no{{ end }}", "yes");
    is("{{ if single y }}yes{{ else }}no{{ end }}", "no");
    is("{{ if has x }}yes{{ end }}{{ if has nothing }}no{{ end }}", "yes");
    is("{{ if has x }}a{{ if has nothing }}b{{ else }}c{{ end }}d{{ else }}e{{ end }}", "acd");
    is("{{ if has nothing }}{{ if has x }}a{{ else }}b{{ end }}{{ else }}c{{ end }}", "c");
}

static void what_is_wrong_is_shown_to_the_author(void **state)
{
    (void)state;
    is("{{ count }}", "[count: no such column in this release]");
    is("{{ count x:Q }}", "[count x:Q: no such code in the public list]");
    is("{{ conut x:W }}", "[conut x:W: a directive that is not known]");
    is("{{ count x:W when x:M }}", "[count x:W when x:M: a word that means nothing here]");
    is("{{ count \"x:W }}", "[count &quot;x:W: a quote that does not close]");
    is("{{ if more x:W }}a{{ end }}", "[if more x:W: than is missing]");
    is("{{ if maybe x:W }}a{{ else }}b{{ end }}", "[if maybe x:W: a condition that is not known]b");
    is("{{ chart pie x }}", "[chart pie x: a chart that is not known]");
    is("a {{ end }} b {{ else }} c", "a  b  c");
}

static void charts_and_languages(void **state)
{
    (void)state;
    su_buf b = { 0 };
    write_story("{{ chart group g where x:W }}\n\n{{ chart column nothing }}\n\n{{ chart column x }}", SU_LOCALE_FR, &b);
    assert_non_null(strstr(b.p, "data-group=\"g\" data-where=\"where=x:W\""));
    assert_non_null(strstr(b.p, "Femmes"));
    assert_non_null(strstr(b.p, "non publié"));
    assert_null(strstr(b.p, "class=\"wrong\""));
    su_buf_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(front_matter),
        cmocka_unit_test(numbers_with_their_intervals),
        cmocka_unit_test(what_was_not_published_is_no_number),
        cmocka_unit_test(conditions_hold_only_when_intervals_do),
        cmocka_unit_test(what_is_wrong_is_shown_to_the_author),
        cmocka_unit_test(charts_and_languages),
    };
    return cmocka_run_group_tests_name("portal: story", tests, set_up, tear_down);
}
