/* Context messages, memory, arenas, buffers. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "su_test.h"

#include <sys/wait.h>

static void messages(void **state)
{
    (void)state;
    su_context ctx;
    su_context_init(&ctx);
    assert_int_equal(su_fail(&ctx, SU_INPUT, "line %d", 7), SU_INPUT);
    assert_string_equal(ctx.message, "line 7");
    assert_int_equal(su_fail_prefix(&ctx, "%s: ", "a.csv"), SU_INPUT);
    assert_string_equal(ctx.message, "a.csv: line 7");
    su_fail(&ctx, SU_IO, "again: %s", ctx.message); /* the old message as an argument of the new one */
    assert_string_equal(ctx.message, "again: a.csv: line 7");
    assert_int_equal(su_fail(NULL, SU_IO, "nobody listens"), SU_IO);
}

static void long_messages_are_cut_at_a_character(void **state)
{
    (void)state;
    for (size_t shift = 0; shift < 4; shift++) {
        su_context ctx;
        su_context_init(&ctx);
        su_buf b = { NULL, 0, 0 };
        for (size_t i = 0; i < shift; i++) su_buf_char(&b, '.');
        for (int i = 0; i < 2000; i++) su_buf_text(&b, "\xE2\x82\xAC");
        su_fail(&ctx, SU_INPUT, "%s", b.p);
        size_t n = strlen(ctx.message);
        assert_true(n < sizeof ctx.message && n > sizeof ctx.message - 5);
        assert_true(su_utf8_valid(ctx.message, n, NULL));
        su_fail_prefix(&ctx, "%s", "0123456789");
        n = strlen(ctx.message);
        assert_true(n > sizeof ctx.message - 5);
        assert_true(su_utf8_valid(ctx.message, n, NULL));
        assert_memory_equal(ctx.message, "0123456789", 10);
        su_fail_prefix(&ctx, "%s", b.p);
        assert_true(su_utf8_valid(ctx.message, strlen(ctx.message), NULL));
        su_buf_free(&b);
    }
}

static char logged[64];
static double at;
static void keep_line(void *user, const char *line)
{
    (void)user;
    snprintf(logged, sizeof logged, "%s", line);
}
static void keep_progress(void *user, const char *step, double done)
{
    (void)user, (void)step;
    at = done;
}

static void log_progress_cancel(void **state)
{
    (void)state;
    su_context ctx;
    su_context_init(&ctx);
    su_log(&ctx, "silent");
    su_progress(&ctx, "step", 0.5);
    assert_false(su_cancelled(&ctx));
    assert_false(su_cancelled(NULL));
    volatile int cancel = 0;
    ctx.cancel = &cancel;
    ctx.log = keep_line;
    ctx.progress = keep_progress;
    su_log(&ctx, "%d rows", 5);
    assert_string_equal(logged, "5 rows");
    su_progress(&ctx, "step", 7);
    assert_true(at == 1);
    assert_false(su_cancelled(&ctx));
    cancel = 1;
    assert_true(su_cancelled(&ctx));
}

static void arena(void **state)
{
    (void)state;
    su_random r;
    su_test_random(&r);
    su_arena a;
    su_arena_init(&a);
    enum { PIECES = 3000 };
    unsigned char *piece[PIECES];
    size_t size[PIECES], total = 0;
    for (size_t i = 0; i < PIECES; i++) {
        size[i] = su_random_below(&r, 20) ? su_random_below(&r, 200) : su_random_below(&r, 300000);
        piece[i] = su_arena_alloc(&a, size[i]);
        total += size[i];
        assert_int_equal((uintptr_t)piece[i] % 16, 0);
        for (size_t k = 0; k < size[i]; k++) {
            if (piece[i][k]) fail_msg("piece %zu is not zeroed", i);
        }
        memset(piece[i], (int)(i % 255) + 1, size[i]);
    }
    assert_true(a.used_total >= total);
    for (size_t i = 0; i < PIECES; i++) {
        for (size_t k = 0; k < size[i]; k++) {
            if (piece[i][k] != i % 255 + 1) fail_msg("piece %zu was overwritten", i);
        }
    }
    assert_string_equal(su_arena_strndup(&a, "abc", 2), "ab");
    assert_string_equal(su_arena_strndup(&a, NULL, 0), "");
    assert_string_equal(su_arena_printf(&a, "%d-%s", 5, "x"), "5-x");
    assert_non_null(su_arena_array(&a, 0, 8));
    su_arena_free(&a);
    assert_null(a.head);
    su_arena_free(&a);
    su_arena_free(NULL);
}

static void growing(void **state)
{
    (void)state;
    size_t capacity = 0;
    uint32_t *v = NULL;
    for (uint32_t i = 0; i < 100000; i++) {
        v = su_grow(v, &capacity, (size_t)i + 1, sizeof *v);
        assert_true(capacity > i);
        v[i] = i;
    }
    for (uint32_t i = 0; i < 100000; i++) assert_int_equal(v[i], i);
    free(v);
}

/* A size that does not fit ends the process with a message instead of wrapping. */
static void sizes_never_wrap(void **state)
{
    (void)state;
    for (int which = 0; which < 4; which++) {
        pid_t child = fork();
        if (child == 0) {
            if (!freopen("/dev/null", "w", stderr)) _exit(1);
            su_arena a;
            su_arena_init(&a);
            volatile size_t many = SIZE_MAX / 4;
            size_t capacity = 0;
            void *p = NULL;
            if (which == 0) p = su_alloc_array(many, 8);
            if (which == 1) p = su_arena_array(&a, many, 8);
            if (which == 2) p = su_grow(NULL, &capacity, many, 8);
            if (which == 3) p = su_arena_strndup(&a, "x", SIZE_MAX);
            _exit(p ? 2 : 3);
        }
        int status = 0;
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), 70);
    }
}

static void csv(void **state)
{
    (void)state;
    static const struct {
        const char *cell, *plain, *safe;
    } cases[] = {
        { "", "", "" },
        { "a", "a", "a" },
        { "a,b", "\"a,b\"", "\"a,b\"" },
        { "a;b", "a;b", "a;b" },
        { "say \"x\"", "\"say \"\"x\"\"\"", "\"say \"\"x\"\"\"" },
        { "two\nlines", "\"two\nlines\"", "\"two\nlines\"" },
        { " a", "\" a\"", "\" a\"" },
        { "=1+1", "=1+1", "'=1+1" },
        { "-99", "-99", "-99" },
        { "+3.5e2", "+3.5e2", "+3.5e2" },
        { "-1+2", "-1+2", "'-1+2" },
        { "@SUM(A1)", "@SUM(A1)", "'@SUM(A1)" },
        { "=a,b", "\"=a,b\"", "\"'=a,b\"" },
        { "\t=1", "\"\t=1\"", "\"'\t=1\"" },
        { "\r=1", "\"\r=1\"", "\"'\r=1\"" },
        { "-", "-", "'-" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        su_buf b = { NULL, 0, 0 };
        su_buf_csv(&b, su_str_of(cases[i].cell), ',');
        assert_string_equal(b.p, cases[i].plain);
        b.n = 0;
        su_buf_add(&b, "", 0);
        su_buf_csv_safe(&b, su_str_of(cases[i].cell), ',');
        assert_string_equal(b.p, cases[i].safe);
        su_buf_free(&b);
    }
}

static void html_and_printf(void **state)
{
    (void)state;
    su_buf b = { NULL, 0, 0 };
    su_buf_html(&b, SU_STR("<a href=\"x\">O'Neil & co</a>"));
    assert_string_equal(b.p, "&lt;a href=&quot;x&quot;&gt;O&#39;Neil &amp; co&lt;/a&gt;");
    size_t n = b.n;
    su_buf_printf(&b, "%0200d", 5);
    assert_int_equal(b.n, n + 200);
    assert_int_equal(b.p[b.n - 1], '5');
    assert_int_equal(b.p[b.n], '\0');
    su_buf_free(&b);
    assert_null(b.p);
    su_buf_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages),
        cmocka_unit_test(long_messages_are_cut_at_a_character),
        cmocka_unit_test(log_progress_cancel),
        cmocka_unit_test(arena),
        cmocka_unit_test(growing),
        cmocka_unit_test(sizes_never_wrap),
        cmocka_unit_test(csv),
        cmocka_unit_test(html_and_printf),
    };
    return cmocka_run_group_tests_name("memory", tests, NULL, NULL);
}
