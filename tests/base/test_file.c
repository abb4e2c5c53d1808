/* Files: read whole, written whole or not at all; messages name the file. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "su_test.h"

#include <dirent.h>

static unsigned files_in(const char *folder)
{
    unsigned count = 0;
    DIR *d = opendir(folder);
    for (struct dirent *e; d && (e = readdir(d));) count += e->d_name[0] != '.';
    if (d) closedir(d);
    return count;
}

static void what_is_written_is_read(void **state)
{
    (void)state;
    su_context ctx;
    su_context_init(&ctx);
    su_random r;
    su_test_random(&r);
    const char *path = su_test_path("round.bin");
    static const size_t sizes[] = { 0, 1, 63, 64, 65536, 262144, 262145, 1000003 };
    for (size_t k = 0; k < sizeof sizes / sizeof sizes[0]; k++) {
        size_t n = sizes[k];
        char *bytes = su_alloc(n + 1);
        su_random_bytes(&r, bytes, n);
        su_buf back = { NULL, 0, 0 };
        assert_int_equal(su_file_write(&ctx, path, bytes, n, 0640), SU_OK);
        assert_int_equal(su_file_read(&ctx, path, n, &back), SU_OK);
        assert_int_equal(back.n, n);
        assert_memory_equal(back.p, bytes, n);
        assert_int_equal(back.p[n], '\0');
        if (n) {
            assert_int_equal(su_file_read(&ctx, path, n - 1, &back), SU_INPUT);
            assert_non_null(strstr(ctx.message, "round.bin"));
            assert_null(back.p);
        }
        su_buf_free(&back);
        free(bytes);
    }
    assert_int_equal(files_in(su_test_folder()), 1); /* no temporary left */
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07137, 0); /* never more than was asked for; the umask may take away */
}

static void failures_name_the_file(void **state)
{
    (void)state;
    su_context ctx;
    su_context_init(&ctx);
    su_buf b = { NULL, 0, 0 };
    assert_int_equal(su_file_read(&ctx, su_test_path("absent.csv"), 10, &b), SU_IO);
    assert_non_null(strstr(ctx.message, "absent.csv"));
    assert_int_equal(su_file_read(&ctx, su_test_folder(), 10, &b), SU_IO);
    assert_non_null(strstr(ctx.message, "folder"));
    assert_int_equal(su_file_write(&ctx, su_test_path("no/such/file.csv"), "x", 1, 0644), SU_IO);
    assert_non_null(strstr(ctx.message, "no/such/file.csv"));
    assert_int_equal(ctx.status, SU_IO);
}

static void old_file_is_replaced_and_links_are_not_followed(void **state)
{
    (void)state;
    su_context ctx;
    su_context_init(&ctx);
    const char *target = su_test_path("target"), *name = su_test_path("link");
    assert_int_equal(su_file_write(&ctx, target, "old", 3, 0644), SU_OK);
    assert_int_equal(symlink(target, name), 0);
    assert_int_equal(su_file_write(&ctx, name, "new", 3, 0644), SU_OK);
    su_buf b = { NULL, 0, 0 };
    assert_int_equal(su_file_read(&ctx, target, 10, &b), SU_OK);
    assert_string_equal(b.p, "old");
    assert_int_equal(su_file_read(&ctx, name, 10, &b), SU_OK);
    assert_string_equal(b.p, "new");
    su_buf_free(&b);
    unsigned before = files_in(su_test_folder());
    assert_int_equal(mkdir(su_test_path("folder"), 0755), 0);
    assert_int_equal(su_file_write(&ctx, su_test_path("folder"), "x", 1, 0644), SU_IO); /* the rename fails */
    assert_int_equal(files_in(su_test_folder()), before + 1);
}

static void paths(void **state)
{
    (void)state;
    su_arena a;
    su_arena_init(&a);
    assert_string_equal(su_path_join(&a, "a", "b"), "a/b");
    assert_string_equal(su_path_join(&a, "a/", "b"), "a/b");
    assert_string_equal(su_path_join(&a, "/", "b"), "/b");
    assert_string_equal(su_path_join(&a, "", "b"), "b");
    assert_string_equal(su_path_join(&a, "a", "/b"), "/b");
    assert_string_equal(su_path_base("a/b.csv"), "b.csv");
    assert_string_equal(su_path_base("b.csv"), "b.csv");
    assert_string_equal(su_path_base("a/"), "");
    assert_true(su_path_exists(su_test_folder()));
    assert_false(su_path_exists(su_test_path("nothing")));
    su_arena_free(&a);
}

static void time_can_be_fixed(void **state)
{
    (void)state;
    char text[21];
    su_clock_iso(0, text);
    assert_string_equal(text, "1970-01-01T00:00:00Z");
    su_clock_iso(1795289220, text);
    assert_string_equal(text, "2026-11-21T19:27:00Z");
    su_clock_iso(951826154, text);
    assert_string_equal(text, "2000-02-29T12:09:14Z");
    su_clock_iso(INT64_MAX, text);
    assert_string_equal(text, "9999-12-31T23:59:59Z");
    su_clock_iso(INT64_MIN, text);
    assert_string_equal(text, "0000-01-01T00:00:00Z");
    setenv("SOURCE_DATE_EPOCH", "1234567890", 1);
    assert_int_equal(su_clock_unix(), 1234567890);
    setenv("SOURCE_DATE_EPOCH", "yesterday", 1);
    assert_true(su_clock_unix() > 1700000000);
    unsetenv("SOURCE_DATE_EPOCH");
    assert_true(su_clock_unix() > 1700000000);
    assert_true(su_clock_cpu() > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read),
        cmocka_unit_test(failures_name_the_file),
        cmocka_unit_test(old_file_is_replaced_and_links_are_not_followed),
        cmocka_unit_test(paths),
        cmocka_unit_test(time_can_be_fixed),
    };
    return cmocka_run_group_tests_name("file", tests, NULL, NULL);
}
