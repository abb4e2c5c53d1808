/* The formula's grammar: what terms a sentence makes, and what an error shows. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "su_test.h"
#include "logit/formula.h"

static const char *const names[] = { "y", "a", "b", "c" };

/* Terms joined by blanks. */
static void makes(const char *text, const char *expected)
{
    su_context ctx;
    su_arena arena;
    su_formula *f;
    su_buf got = { 0 };
    su_context_init(&ctx);
    su_arena_init(&arena);
    if (su_formula_parse(&ctx, &arena, su_str_of(text), names, 4, &f) != SU_OK) fail_msg("%s: %s", text, ctx.message);
    for (uint32_t i = 0; i < f->term_count; i++) su_buf_printf(&got, "%s%s", i ? " " : "", su_formula_term_name(&arena, f, f->terms[i]));
    if (strcmp(got.p ? got.p : "", expected) != 0) fail_msg("%s makes: %s\nexpected: %s", text, got.p ? got.p : "", expected);
    su_buf_free(&got);
    su_arena_free(&arena);
}

/* The caret stands under character `column` of the line shown, and the reason has these words. */
static void fails(const char *text, int column, const char *words)
{
    su_context ctx;
    su_arena arena;
    su_formula *f = NULL;
    su_context_init(&ctx);
    su_arena_init(&arena);
    assert_int_equal(su_formula_parse(&ctx, &arena, su_str_of(text), NULL, 0, &f), SU_USAGE);
    assert_null(f);
    if (!strstr(ctx.message, words)) fail_msg("%s: %s\nexpected: %s", text, ctx.message, words);
    const char *last = strrchr(ctx.message, '\n');
    assert_non_null(last);
    if ((int)strlen(last + 1) - 4 != column) fail_msg("%s\nthe caret is expected under character %d", ctx.message, column);
    su_arena_free(&arena);
}

static void test_terms(void **state)
{
    (void)state;
    makes("y ~ a", "(Intercept) a");
    makes("y~a+b:c", "(Intercept) a b:c");
    makes("y ~ b:c + a", "(Intercept) a b:c");
    makes("y ~ a*b", "(Intercept) a b a:b");
    makes("y ~ a*b*c", "(Intercept) a b c a:b a:c b:c a:b:c");
    makes("y ~ (a + b + c)^2", "(Intercept) a b c a:b a:c b:c");
    makes("y ~ a*(b + c) - a:c", "(Intercept) a b c a:b");
    makes("y ~ a - 1", "a");
    makes("y ~ 0 + a", "a");
    makes("y ~ a + b + a:b - b", "(Intercept) a a:b");
    makes("y ~ .", "(Intercept) a b c");
    makes("y ~ . - c + b:c", "(Intercept) a b b:c");
    makes("y ~ 1", "(Intercept)");
    makes("y ~ a:a", "(Intercept) a");
    makes("y ~ I(a^2) + log(b) + sqrt(c)", "(Intercept) a^2 log(b) sqrt(c)");
    makes("y ~ factor(a, ref=14-17) + `Age Band`", "(Intercept) a Age Band");
    makes("y ~ a + offset(log(b))", "(Intercept) a");
    makes("`the outcome` ~ a", "(Intercept) a");
}

static void test_errors(void **state)
{
    (void)state;
    fails("", 1, "the outcome is missing at the end");
    fails("y", 2, "a ~ is expected");
    fails("y ~", 4, "a variable is missing at the end");
    fails("y ~ a + + b", 9, "the name of a variable is expected here");
    fails("y ~ a b", 7, "+, -, * or : is expected here");
    fails("y ~ (a + b", 5, "the bracket of the group is never closed");
    fails("y ~ a)", 6, "this bracket was never opened");
    fails("y ~ a ~ b", 7, "a second ~");
    fails("y ~ a^2", 6, "written I(x^2)");
    fails("y ~ exp(a)", 5, "there is no function exp");
    fails("y ~ I(a)", 8, "I() takes a power");
    fails("y ~ I(a^77)", 9, "a whole number from 2 to 9");
    fails("y ~ `a", 5, "never ends");
    fails("y ~ 3*a", 5, "the only numbers here are 1");
    fails("y ~ factor(a, base=2)", 15, "only ref=CATEGORY is understood");
    fails("y ~ a + y", 9, "cannot explain itself");
    fails("y ~ \xC3\xA9t\xC3\xA9 + )", 11, "is expected here"); /* characters, not bytes */
    fails("y ~ .", 5, "no other variables");
}

/* No input of a few thousand signs takes long or much. */
static void test_bounds(void **state)
{
    (void)state;
    su_buf deep = { 0 }, wide = { 0 };
    su_buf_text(&deep, "y ~ ");
    for (int i = 0; i < 3000; i++) su_buf_char(&deep, '(');
    su_buf_text(&wide, "y ~ (a0");
    for (int i = 1; i < 20; i++) su_buf_printf(&wide, "+a%d", i);
    su_buf_text(&wide, ")^9");
    su_context ctx;
    su_arena arena;
    su_formula *f;
    su_context_init(&ctx);
    su_arena_init(&arena);
    assert_int_equal(su_formula_parse(&ctx, &arena, (su_str) { deep.p, deep.n }, NULL, 0, &f), SU_USAGE);
    assert_non_null(strstr(ctx.message, "brackets within more than 32 brackets"));
    assert_int_equal(su_formula_parse(&ctx, &arena, (su_str) { wide.p, wide.n }, NULL, 0, &f), SU_USAGE);
    assert_non_null(strstr(ctx.message, "more than 512 terms"));
    su_arena_free(&arena);
    su_buf_free(&deep);
    su_buf_free(&wide);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_terms),
        cmocka_unit_test(test_errors),
        cmocka_unit_test(test_bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
