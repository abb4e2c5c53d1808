/* A process that is killed at any moment leaves a vault that holds a batch or does not, and never a readable word on the disk. */
#include "vault_test.h"

#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>

enum { ROWS = 10000, KILLS = 12 };

static su_context ctx;
static su_random rng;

static int setup(void **state)
{
    (void)state;
    su_context_init(&ctx);
    su_test_random(&rng);
    return 0;
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* The child stands still at step `at` of sealing and says so through a pipe: killed there, on any machine, it leaves an open batch. */
typedef struct halt {
    int pipe[2], at, step;
} halt;

static void stand_still(void *user, const char *step, double done)
{
    halt *h = user;
    (void)done;
    if (strcmp(step, "sealing records") != 0 || h->step++ != h->at) return;
    if (write(h->pipe[1], "s", 1) == 1)
        for (;;) pause();
}

static pid_t import_in_child(const char *dir, const su_case_table *t, const su_batch_info *info, bool resume, halt *h)
{
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid) return pid;
    su_vault *v = NULL;
    uint64_t n;
    if (h) {
        ctx.user = h;
        ctx.progress = stand_still;
    }
    su_status s = su_vault_open(&ctx, dir, PASS, &v);
    if (s == SU_OK) s = su_vault_import(&ctx, v, "alpha", t, info, resume ? SU_IMPORT_RESUME : 0, &n, NULL);
    if (s != SU_OK) fprintf(stderr, "# child: %s\n", ctx.message);
    su_vault_close(v);
    _exit(s == SU_OK ? 0 : 1);
}

static void no_word_on_disk(const char *dir)
{
    int files = 0;
    assert_int_equal(test_grep(dir, PLANTED, &files), 0);
    assert_true(files >= 1);
    assert_int_equal(test_grep(dir, "Amal the operator", &files), 0);
    assert_int_equal(test_grep(dir, "secret-source.csv", &files), 0);
    assert_true(test_grep(dir, "test-schema", &files) >= 0);
}

/* Opens after the kill; returns whether the batch is there. */
static bool all_or_nothing(const char *dir, const su_schema *s)
{
    su_vault *v = NULL;
    su_vault_status st;
    su_case_table *back = NULL;
    uint64_t checked, bad;
    assert_ok(su_vault_open(&ctx, dir, PASS, &v));
    assert_ok(su_vault_status_get(&ctx, v, &st));
    assert_true(st.records == 0 || st.records == ROWS);
    assert_int_equal(st.batches, st.records ? 1 : 0);
    assert_ok(su_vault_read(&ctx, v, NULL, s, &back));
    assert_int_equal(back->row_count, st.records);
    su_case_table_free(back);
    assert_ok(su_vault_verify(&ctx, v, &checked, &bad));
    assert_int_equal(bad, 0);
    su_vault_close(v);
    return st.records > 0;
}

static void spot_check(const su_case_table *back, const su_case_table *t)
{
    for (int k = 0; k < 20; k++) {
        uint64_t r = su_random_below(&rng, t->row_count), at = test_find(back, su_dict_get(t->records, t->record_ids[r]));
        assert_true(at < back->row_count);
        for (uint32_t f = 0; f < t->schema->field_count; f++) assert_true(test_same_cell(t, r, back, at, f));
    }
}

/* Resumes or starts over; returns whether the kill had left an open batch. */
static bool finish(const char *dir, const su_case_table *t, const su_batch_info *info)
{
    su_vault *v = NULL;
    su_arena arena;
    su_batch *batches;
    size_t count;
    uint64_t n, checked, bad;
    su_case_table *back = NULL;
    su_arena_init(&arena);
    assert_ok(su_vault_open(&ctx, dir, PASS, &v));
    assert_ok(su_vault_batches(&ctx, v, &arena, &batches, &count));
    bool open = count == 1;
    if (open) {
        assert_string_equal(batches[0].state, "open");
        assert_true(batches[0].records % 4096 == 0 || batches[0].records == ROWS);
    }
    bool resume = su_random_below(&rng, 3) != 0;
    assert_ok(su_vault_import(&ctx, v, "alpha", t, info, resume ? SU_IMPORT_RESUME : 0, &n, NULL));
    assert_int_equal(n, open && !resume ? 2 : 1);
    assert_ok(su_vault_read(&ctx, v, NULL, t->schema, &back));
    assert_int_equal(back->row_count, ROWS);
    spot_check(back, t);
    assert_ok(su_vault_verify(&ctx, v, &checked, &bad));
    assert_int_equal(bad, 0);
    no_word_on_disk(dir);
    su_case_table_free(back);
    su_vault_close(v);
    su_arena_free(&arena);
    return open;
}

/* Killed at any time of an import; `whole` is how long one takes. */
static void kill_by_time(const char *dir, const su_case_table *t, const su_batch_info *info, double whole)
{
    double at = whole * 1.1 * (double)su_random_below(&rng, 1000) / 1000;
    struct timespec wait = { (time_t)at, (long)((at - (double)(time_t)at) * 1e9) };
    pid_t child = import_in_child(dir, t, info, false, NULL);
    nanosleep(&wait, NULL);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
}

static void kill_by_step(const char *dir, const su_case_table *t, const su_batch_info *info, int step)
{
    halt h = { .at = step };
    char said;
    assert_int_equal(pipe(h.pipe), 0);
    pid_t child = import_in_child(dir, t, info, false, &h);
    close(h.pipe[1]);
    assert_int_equal(read(h.pipe[0], &said, 1), 1);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    close(h.pipe[0]);
}

static void killed_imports(void **state)
{
    (void)state;
    su_schema *s = test_schema();
    su_case_table *t = test_table(&rng, s, ROWS, 1, -1);
    su_batch_info info = test_info(t, "secret-source.csv");
    int killed_before = 0, killed_after = 0, open_seen = 0, code = 0;
    double start = now();
    waitpid(import_in_child(test_vault("kill-none"), t, &info, false, NULL), &code, 0);
    double whole = now() - start;
    assert_int_equal(code, 0);
    for (int k = 0; k < KILLS; k++) {
        char name[32];
        snprintf(name, sizeof name, "kill-%d", k);
        const char *dir = test_vault(name);
        if (k % 2)
            kill_by_step(dir, t, &info, k / 2 % 3);
        else
            kill_by_time(dir, t, &info, whole);
        no_word_on_disk(dir);
        bool there = all_or_nothing(dir, s), open = !there && finish(dir, t, &info);
        if (k % 2) assert_true(open);
        killed_before += !there, killed_after += there, open_seen += open;
    }
    printf("# import %.2f s; killed %d times before it counted (%d with an open batch), %d times after\n", whole, killed_before, open_seen,
           killed_after);
    su_case_table_free(t);
    test_schema_free(s);
}

/* Killed again while resuming, again and again: every run that lives a little goes on where the last one stopped. Each lives a fifth longer
 * than the one before, so that a slow machine gets there too, and soon. */
static void killed_while_resuming(void **state)
{
    (void)state;
    su_schema *s = test_schema();
    su_case_table *t = test_table(&rng, s, ROWS, 1, F_NAME);
    su_batch_info info = test_info(t, "secret-source.csv");
    const char *dir = test_vault("again");
    bool there = false;
    int runs = 0;
    double life = 0.008;
    for (; !there && runs < 60; runs++, life *= 1.2) {
        int code = 0;
        pid_t child = import_in_child(dir, t, &info, true, NULL);
        struct timespec wait = { (time_t)life, (long)((life - (double)(time_t)life) * 1e9) };
        nanosleep(&wait, NULL);
        kill(child, SIGKILL);
        waitpid(child, &code, 0);
        there = all_or_nothing(dir, s);
    }
    printf("# there after %d runs\n", runs);
    assert_true(there);
    su_case_table_free(t);
    test_schema_free(s);
}

typedef struct watch {
    const char *dir;
    int seen, files;
    volatile int *cancel;
    double cancel_at;
} watch;

static void look(void *user, const char *step, double done)
{
    watch *w = user;
    if (strcmp(step, "sealing records") != 0) return;
    w->seen += test_grep(w->dir, PLANTED, &w->files);
    if (w->cancel_at > 0 && done >= w->cancel_at) *w->cancel = 1;
}

static void nothing_readable_while_importing(void **state)
{
    (void)state;
    su_schema *s = test_schema();
    su_case_table *t = test_table(&rng, s, ROWS, 1, -1);
    su_batch_info info = test_info(t, "secret-source.csv"), other = test_info(t, "other.csv");
    su_vault *v = NULL;
    volatile int cancel = 0;
    uint64_t n;
    int files;
    watch w = { .dir = test_vault("watch"), .cancel = &cancel, .cancel_at = 0.5 };
    ctx.user = &w;
    ctx.progress = look;
    ctx.cancel = &cancel;
    assert_ok(su_vault_open(&ctx, w.dir, PASS, &v));
    assert_status(su_vault_import(&ctx, v, "alpha", t, &info, 0, &n, NULL), SU_CANCELLED);
    assert_says("records; none of them counts yet");
    assert_int_equal(w.seen, 0);
    assert_true(w.files >= 3); /* vault.db, its log, its shared memory */
    cancel = 0;
    w.cancel_at = 0;
    assert_status(su_vault_withdraw(&ctx, v, "alpha", PLANTED "-1"), SU_REFUSED);
    assert_says("unfinished import");
    /* another file: its records are in the open batch */
    assert_status(su_vault_import(&ctx, v, "alpha", t, &other, SU_IMPORT_RESUME, &n, NULL), SU_REFUSED);
    assert_says("unfinished import");
    t->records = (su_dict_free(t->records), su_dict_new()); /* the same file, says its hash, but other records: not resumed */
    for (uint64_t r = 0; r < ROWS; r++) {
        char id[32];
        snprintf(id, sizeof id, "x%llu", (unsigned long long)r);
        t->record_ids[r] = su_dict_add(t->records, su_str_of(id));
    }
    assert_status(su_vault_import(&ctx, v, "alpha", t, &info, SU_IMPORT_RESUME, &n, NULL), SU_REFUSED);
    assert_says("cannot be resumed");
    assert_ok(su_vault_import(&ctx, v, "alpha", t, &info, 0, &n, NULL));
    assert_int_equal(w.seen, 0);
    su_vault_close(v);
    assert_int_equal(test_grep(w.dir, PLANTED, &files), 0);
    assert_int_equal(test_grep(w.dir, "test-schema", &files), 1); /* the search does find what is there */
    su_case_table_free(t);
    test_schema_free(s);
}

/* A disk that fills up in the middle: an error in words, nothing counts, and the next try succeeds. */
static void disk_full(void **state)
{
    (void)state;
    su_schema *s = test_schema();
    su_case_table *t = test_table(&rng, s, ROWS, 1, -1);
    su_batch_info info = test_info(t, "secret-source.csv");
    const char *dir = test_vault("full");
    pid_t child = fork();
    if (child == 0) {
        su_vault *v = NULL;
        uint64_t n;
        struct rlimit limit = { 1500000, 1500000 };
        signal(SIGXFSZ, SIG_IGN);
        su_status st = su_vault_open(&ctx, dir, PASS, &v);
        setrlimit(RLIMIT_FSIZE, &limit);
        if (st == SU_OK) st = su_vault_import(&ctx, v, "alpha", t, &info, 0, &n, NULL);
        fprintf(stderr, "# %s\n", ctx.message);
        su_vault_close(v);
        _exit(st == SU_IO && strstr(ctx.message, "disk") ? 0 : 1);
    }
    int code = -1;
    waitpid(child, &code, 0);
    assert_int_equal(code, 0);
    assert_false(all_or_nothing(dir, s));
    finish(dir, t, &info);
    su_case_table_free(t);
    test_schema_free(s);
}

/* Making a vault is all or nothing too. */
static void killed_while_making(void **state)
{
    (void)state;
    for (int k = 0; k < 12; k++) {
        char name[32];
        su_vault *v = NULL;
        snprintf(name, sizeof name, "making-%d", k);
        const char *dir = su_test_path(name);
        pid_t child = fork();
        if (child == 0) {
            su_status s = su_vault_init_with(&ctx, dir, PASS, SU_VAULT_COST_TEST);
            _exit(s == SU_OK ? 0 : 1);
        }
        struct timespec wait = { 0, (long)k * 700000 };
        nanosleep(&wait, NULL);
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
        char path[1200];
        snprintf(path, sizeof path, "%s/vault.db", dir);
        if (!su_path_exists(path)) assert_ok(su_vault_init_with(&ctx, dir, PASS, SU_VAULT_COST_TEST));
        assert_ok(su_vault_open(&ctx, dir, PASS, &v));
        su_vault_close(v);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(killed_imports, setup),
        cmocka_unit_test_setup(killed_while_resuming, setup),
        cmocka_unit_test_setup(nothing_readable_while_importing, setup),
        cmocka_unit_test_setup(disk_full, setup),
        cmocka_unit_test_setup(killed_while_making, setup),
    };
    return cmocka_run_group_tests_name("vault: crash", tests, NULL, NULL);
}
