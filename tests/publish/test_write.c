/* A bundle on disk: whole or not at all, and nothing left behind. */
#include "sample.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const su_bundle_info info = { .created = 1795000000 };
static char folder[256];
static su_sample sample;
static su_context ctx;

static int set_up(void **state)
{
    (void)state;
    su_context_init(&ctx);
    su_sample_folder(folder);
    su_sample_make(&(su_sample_options) { 0 }, &sample);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    su_sample_free(&sample);
    su_sample_remove(folder);
    return 0;
}

static const char *in(const char *name)
{
    static char path[4][512];
    static int at;
    at = (at + 1) % 4;
    snprintf(path[at], sizeof path[at], "%s/%s", folder, name);
    return path[at];
}

static int entries(const char *dir)
{
    int n = 0;
    DIR *d = opendir(dir);
    for (struct dirent *e; d && (e = readdir(d));) n += strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
    if (d) closedir(d);
    return n;
}

static void check_whole(const char *dir)
{
    su_arena arena;
    su_bundle_file *files;
    size_t count;
    su_arena_init(&arena);
    assert_int_equal(su_bundle_make(&ctx, &arena, sample.release, &info, &files, &count), SU_OK);
    for (size_t i = 0; i < count; i++) {
        su_buf b = { 0 };
        struct stat st;
        const char *path = su_path_join(&arena, dir, files[i].path);
        assert_int_equal(su_file_read(&ctx, path, 1 << 24, &b), SU_OK);
        assert_int_equal(b.n, files[i].bytes.n);
        assert_memory_equal(b.p, files[i].bytes.p, b.n);
        assert_int_equal(stat(path, &st), 0);
        assert_int_equal(st.st_mode & 0777, 0644);
        su_buf_free(&b);
    }
    su_arena_free(&arena);
}

static void new_and_empty_folders(void **state)
{
    (void)state;
    assert_int_equal(su_bundle_can_write(&ctx, in("new")), SU_OK);
    assert_int_equal(entries(folder), 0);
    assert_int_equal(su_bundle_write(&ctx, sample.release, &info, in("new///")), SU_OK);
    check_whole(in("new"));
    assert_int_equal(mkdir(in("empty"), 0700), 0);
    assert_int_equal(su_bundle_can_write(&ctx, in("empty")), SU_OK);
    assert_int_equal(su_bundle_write(&ctx, sample.release, &info, in("empty")), SU_OK);
    check_whole(in("empty"));
    struct stat st;
    assert_int_equal(stat(in("empty"), &st), 0);
    assert_int_equal(st.st_mode & 0777, 0755);
    assert_int_equal(entries(folder), 2);
}

static void sums_check_with_the_systems_tool(void **state)
{
    (void)state;
    char command[700];
    if (system("command -v sha256sum >/dev/null 2>&1") != 0) {
        print_message("skipped: no sha256sum\n");
        skip();
    }
    assert_int_equal(su_bundle_write(&ctx, sample.release, &info, in("r")), SU_OK);
    snprintf(command, sizeof command, "cd '%s' && sha256sum --status --strict -c SHA256SUMS", in("r"));
    assert_int_equal(system(command), 0);
}

static void refuse(const char *dir, su_status status, const char *words)
{
    int before = entries(folder);
    assert_int_equal(su_bundle_can_write(&ctx, dir), status);
    if (!strstr(ctx.message, words)) fail_msg("\"%s\" does not say \"%s\"", ctx.message, words);
    su_context_init(&ctx);
    assert_int_equal(su_bundle_write(&ctx, sample.release, &info, dir), status);
    assert_non_null(strstr(ctx.message, words));
    assert_int_equal(entries(folder), before);
    su_context_init(&ctx);
}

static void refusals(void **state)
{
    (void)state;
    assert_int_equal(mkdir(in("full"), 0755), 0);
    assert_int_equal(su_file_write(&ctx, in("full/note.txt"), "x", 1, 0644), SU_OK);
    refuse(in("full"), SU_REFUSED, "not empty");
    refuse(in("full/note.txt"), SU_REFUSED, "not a folder");
    refuse(in("full/note.txt/x"), SU_IO, "not a folder");
    refuse(in("missing/x"), SU_IO, "No such file");
    assert_int_equal(symlink("full", in("link")), 0);
    refuse(in("link"), SU_REFUSED, "not a folder");
    refuse("", SU_USAGE, "No folder");
    refuse(in("."), SU_USAGE, "name of its own");
    refuse("/", SU_USAGE, "name of its own");
    assert_int_equal(entries(in("full")), 1);
}

/* A file that cannot grow, as on a full disk or over a quota. */
static void a_write_that_fails_leaves_nothing(void **state)
{
    (void)state;
    struct rlimit old, tiny;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    tiny = old;
    signal(SIGXFSZ, SIG_IGN);
    for (rlim_t limit = 0; limit < 30000; limit += 4999) {
        tiny.rlim_cur = limit;
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &tiny), 0);
        su_status st = su_bundle_write(&ctx, sample.release, &info, in("r"));
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
        assert_int_equal(st, SU_IO);
        assert_non_null(strstr(ctx.message, "nothing was left behind"));
        assert_int_equal(entries(folder), 0);
    }
    signal(SIGXFSZ, SIG_DFL);
    assert_int_equal(su_bundle_write(&ctx, sample.release, &info, in("r")), SU_OK);
}

static void stopped_on_request(void **state)
{
    (void)state;
    const volatile int stop = 1;
    ctx.cancel = &stop;
    assert_int_equal(su_bundle_write(&ctx, sample.release, &info, in("r")), SU_CANCELLED);
    assert_int_equal(entries(folder), 0);
}

/* In a child with mounts of its own: a small full disk, then a read-only one. Exit 0 = as it should be, 77 = mounts are not allowed here.
 */
static int on_small_disks(void)
{
    if (unshare(CLONE_NEWNS) != 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0) return 77;
    mkdir(in("disk"), 0755);
    if (mount("tmpfs", in("disk"), "tmpfs", 0, "size=2m") != 0) return 77;
    if (su_bundle_can_write(&ctx, in("disk")) != SU_REFUSED || !strstr(ctx.message, "mount point")) return 1;
    if (su_bundle_can_write(&ctx, in("disk/r")) != SU_OK) return 2;
    su_buf filler = { 0 };
    for (int i = 0; i < 2040 * 1024; i++) su_buf_char(&filler, 'x');
    if (su_file_write(&ctx, in("disk/filler"), filler.p, filler.n, 0644) != SU_OK) return 3;
    if (su_bundle_can_write(&ctx, in("disk/r")) != SU_IO || !strstr(ctx.message, "full")) return 4;
    if (su_bundle_write(&ctx, sample.release, &info, in("disk/r")) != SU_IO || !strstr(ctx.message, "No space left")) return 5;
    if (entries(in("disk")) != 1) return 6;
    unlink(in("disk/filler"));
    if (mount(NULL, in("disk"), NULL, MS_REMOUNT | MS_RDONLY, NULL) != 0) return 77;
    if (su_bundle_can_write(&ctx, in("disk/r")) != SU_IO || !strstr(ctx.message, "Read-only")) return 7;
    if (su_bundle_write(&ctx, sample.release, &info, in("disk/r")) != SU_IO) return 8;
    su_buf_free(&filler);
    return entries(in("disk")) == 0 ? 0 : 9;
}

static void full_and_read_only_disks(void **state)
{
    (void)state;
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) _exit(on_small_disks());
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) == 77) {
        print_message("skipped: mounting a small disk needs root\n");
        skip();
    }
    assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(new_and_empty_folders, set_up, tear_down),
        cmocka_unit_test_setup_teardown(sums_check_with_the_systems_tool, set_up, tear_down),
        cmocka_unit_test_setup_teardown(refusals, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_write_that_fails_leaves_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(stopped_on_request, set_up, tear_down),
        cmocka_unit_test_setup_teardown(full_and_read_only_disks, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("publish: files", tests, NULL, NULL);
}
