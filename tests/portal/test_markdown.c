/* Markdown to HTML: what it can do, written out, and hostile text that stays text. */
#include "markdown.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

static void inside(void *arg, su_str words, su_buf *out)
{
    (void)arg;
    su_buf_text(out, "<i-");
    su_buf_html(out, words);
    su_buf_text(out, ">");
}
static void alone(void *arg, su_str words, su_buf *out)
{
    (void)arg;
    su_buf_text(out, "<b-");
    su_buf_html(out, words);
    su_buf_text(out, ">\n");
}

static void is(const char *text, const char *wanted)
{
    su_buf out = { 0 };
    su_markdown_html(&(su_markdown) { NULL, inside, alone, NULL }, su_str_of(text), &out);
    assert_string_equal(out.p ? out.p : "", wanted);
    su_buf_free(&out);
}

static void what_it_can_do(void **state)
{
    (void)state;
    is("", "");
    is("\n\n\n", "");
    is("one\ntwo\n\nthree", "<p>one two</p>\n<p>three</p>\n");
    is("## A *b*\n### C", "<h2>A <em>b</em></h2>\n<h3>C</h3>\n");
    is("- a\n- b\n  more\n\n1. x\n2. y", "<ul><li>a</li>\n<li>b more</li>\n</ul>\n<ol><li>x</li>\n<li>y</li>\n</ol>\n");
    is("> said\n> so", "<blockquote><p>said so</p></blockquote>\n");
    is("**a** and `x < *y*`", "<p><strong>a</strong> and <code>x &lt; *y*</code></p>\n");
    is("[site](https://example.org/a?b=1&c=2)", "<p><a href=\"https://example.org/a?b=1&amp;c=2\" rel=\"noreferrer\">site</a></p>\n");
    is("[**here**](explore?where=a:b)", "<p><a href=\"explore?where=a:b\"><strong>here</strong></a></p>\n");
    is("x {{ percent a:b }} y", "<p>x <i-percent a:b> y</p>\n");
    is("{{ chart column c }}", "<b-chart column c>\n");
    is("{{ a }} {{ b }}", "<p><i-a> <i-b></p>\n");
}

static void what_it_leaves_alone(void **state)
{
    (void)state;
    is("<script>alert(1)</script>", "<p>&lt;script&gt;alert(1)&lt;/script&gt;</p>\n");
    is("[x](javascript:alert(1))", "<p>[x](javascript:alert(1))</p>\n");
    is("[x](//evil.example/)", "<p>[x](//evil.example/)</p>\n");
    is("[x](data:text/html,y)", "<p>[x](data:text/html,y)</p>\n");
    is("[x](http://a/)", "<p>[x](http://a/)</p>\n");
    is("[x](/a\" onclick=\"y)", "<p>[x](/a&quot; onclick=&quot;y)</p>\n");
    is("**open and *open `open {{ open [open", "<p>**open and *open `open {{ open [open</p>\n");
    is("****", "<p>****</p>\n");
    is("{{}}", "<b->\n");
    is("#### four", "<p>#### four</p>\n");
}

static void anything_in_linear_time(void **state)
{
    (void)state;
    su_buf text = { 0 }, out = { 0 };
    for (int i = 0; i < 60000; i++) su_buf_text(&text, i % 3 ? "[*" : "{{");
    su_markdown_html(&(su_markdown) { 0 }, (su_str) { text.p, text.n }, &out);
    assert_true(out.n >= text.n);
    su_buf_free(&text);
    su_buf_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_it_can_do),
        cmocka_unit_test(what_it_leaves_alone),
        cmocka_unit_test(anything_in_linear_time),
    };
    return cmocka_run_group_tests_name("portal: markdown", tests, NULL, NULL);
}
