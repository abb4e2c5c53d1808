/* The privacy ledger: the cap holds against many processes and against death at any step; the chain shows every change. */
#include "vault_test.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <time.h>

static su_context ctx;
static su_random rng;

static int setup(void **state)
{
    (void)state;
    su_context_init(&ctx);
    su_test_random(&rng);
    return 0;
}

static su_ledger_entry entry_of(uint64_t rho)
{
    return (su_ledger_entry) { .operator_ = "Amal",
                               .mechanism = "residual 1",
                               .unit = "one person",
                               .public_inputs = "{\"R\":3}",
                               .rho_pico = rho,
                               .epsilon = 4.0,
                               .delta = 1e-9 };
}

/* A ledger of either home: a file, or a vault. */
typedef struct home {
    su_vault *v;
    su_ledger *l;
} home;

static su_status home_open(home *h, const char *vault_dir, const char *file, uint64_t cap)
{
    su_status s = SU_OK;
    *h = (home) { 0 };
    if (!vault_dir) return su_ledger_open(&ctx, file, cap, &h->l);
    if ((s = su_vault_open(&ctx, vault_dir, PASS, &h->v)) != SU_OK || (s = su_vault_ledger(&ctx, h->v, &h->l)) != SU_OK) return s;
    uint64_t have = 0, spent = 0;
    if ((s = su_ledger_cap(&ctx, h->l, &have, &spent)) != SU_OK || have) return s;
    return su_ledger_cap_set(&ctx, h->l, cap, "Amal", "decided by the board");
}

static void home_close(home *h)
{
    su_ledger_close(h->l);
    su_vault_close(h->v);
}

static uint64_t spent_of(su_ledger *l)
{
    uint64_t cap = 0, spent = 0;
    assert_ok(su_ledger_cap(&ctx, l, &cap, &spent));
    return spent;
}

static void first_run(const char *vault_dir, const char *file)
{
    home h;
    uint64_t id = 0;
    su_ledger_entry e = entry_of(400);
    assert_ok(home_open(&h, vault_dir, file, 1000));
    assert_ok(su_ledger_reserve(&ctx, h.l, &e, &id));
    assert_int_equal(id, 1);
    assert_status(su_ledger_advance(&ctx, h.l, 1, SU_LEDGER_RELEASED, "x"), SU_REFUSED); /* not measured yet */
    assert_says("is reserved and cannot become released");
    assert_ok(su_ledger_advance(&ctx, h.l, 1, SU_LEDGER_MEASURED, NULL));
    assert_status(su_ledger_advance(&ctx, h.l, 1, SU_LEDGER_CANCELLED, NULL), SU_REFUSED); /* noise was drawn */
    assert_status(su_ledger_advance(&ctx, h.l, 1, SU_LEDGER_RELEASED, NULL), SU_USAGE);
    assert_ok(su_ledger_advance(&ctx, h.l, 1, SU_LEDGER_RELEASED, "sha256:abc"));
    assert_status(su_ledger_advance(&ctx, h.l, 1, SU_LEDGER_FAILED, NULL), SU_REFUSED);
    assert_ok(su_ledger_reserve(&ctx, h.l, &e, &id));
    assert_status(su_ledger_reserve(&ctx, h.l, &e, &id), SU_REFUSED); /* 400 + 400 + 400 > 1000 */
    assert_says("budget does not allow");
    assert_ok(su_ledger_advance(&ctx, h.l, 2, SU_LEDGER_CANCELLED, NULL));
    assert_int_equal(spent_of(h.l), 400);
    assert_ok(su_ledger_reserve(&ctx, h.l, &e, &id));
    assert_int_equal(id, 3);
    assert_ok(su_ledger_advance(&ctx, h.l, 3, SU_LEDGER_FAILED, NULL));
    assert_int_equal(spent_of(h.l), 800); /* failed still charges */
    e.rho_pico = 200;
    assert_ok(su_ledger_reserve(&ctx, h.l, &e, &id)); /* to the last pico-rho */
    e.rho_pico = 1;
    assert_status(su_ledger_reserve(&ctx, h.l, &e, &id), SU_REFUSED);
    e.rho_pico = 0;
    assert_ok(su_ledger_reserve(&ctx, h.l, &e, &id)); /* a release without DP: logged, free */
    assert_status(su_ledger_advance(&ctx, h.l, 99, SU_LEDGER_FAILED, NULL), SU_USAGE);
    home_close(&h);
}

static void second_run(const char *vault_dir, const char *file)
{
    home h;
    uint64_t id = 0, cap, spent, checked, bad;
    su_arena arena;
    su_ledger_entry *entries, e = entry_of(1);
    size_t n;
    su_arena_init(&arena);
    assert_ok(home_open(&h, vault_dir, file, 7)); /* the cap of an old ledger stays */
    assert_ok(su_ledger_cap(&ctx, h.l, &cap, &spent));
    assert_int_equal(cap, 1000);
    assert_int_equal(spent, 1000);
    assert_status(su_ledger_advance(&ctx, h.l, 4, SU_LEDGER_CANCELLED, NULL), SU_REFUSED); /* reserved by another run */
    assert_says("another run");
    assert_ok(su_ledger_advance(&ctx, h.l, 4, SU_LEDGER_FAILED, NULL));
    assert_status(su_ledger_cap_set(&ctx, h.l, 2000, "", "why"), SU_USAGE);
    assert_status(su_ledger_cap_set(&ctx, h.l, 2000, "Amal", ""), SU_USAGE);
    assert_ok(su_ledger_cap_set(&ctx, h.l, 500, "Amal", "less, after review"));
    e.rho_pico = 1;
    assert_status(su_ledger_reserve(&ctx, h.l, &e, &id), SU_REFUSED);
    assert_ok(su_ledger_cap_set(&ctx, h.l, 1001, "Amal", "a second year"));
    assert_ok(su_ledger_reserve(&ctx, h.l, &e, &id));
    assert_ok(su_ledger_entries(&ctx, h.l, &arena, &entries, &n));
    static const su_ledger_state states[] = { SU_LEDGER_RELEASED, SU_LEDGER_CANCELLED, SU_LEDGER_FAILED,
                                              SU_LEDGER_FAILED,   SU_LEDGER_RESERVED,  SU_LEDGER_RESERVED };
    assert_int_equal(n, 6);
    for (size_t i = 0; i < n; i++) assert_int_equal(entries[i].state, states[i]), assert_int_equal(entries[i].id, i + 1);
    assert_string_equal(entries[0].output, "sha256:abc");
    assert_string_equal(entries[0].operator_, "Amal");
    assert_string_equal(entries[0].public_inputs, "{\"R\":3}");
    assert_true(entries[0].delta == 1e-9 && entries[0].epsilon == 4.0);
    assert_ok(su_ledger_verify(&ctx, h.l, &checked, &bad));
    assert_int_equal(bad, 0);
    assert_true(checked > 10);
    if (h.v) {
        assert_ok(su_vault_verify(&ctx, h.v, &checked, &bad));
        assert_int_equal(bad, 0);
    }
    home_close(&h);
    su_arena_free(&arena);
}

static void states_and_sums(void **state)
{
    (void)state;
    struct stat st;
    first_run(NULL, su_test_path("states.ledger"));
    second_run(NULL, su_test_path("states.ledger"));
    assert_int_equal(stat(su_test_path("states.ledger"), &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    const char *dir = test_vault("states");
    first_run(dir, NULL);
    second_run(dir, NULL);
}

static void what_makes_no_sense(void **state)
{
    (void)state;
    su_ledger *l = NULL;
    su_ledger_entry good = entry_of(1), e;
    uint64_t id;
    const char *path = su_test_path("sense.ledger");
    assert_status(su_ledger_open(&ctx, path, UINT64_MAX, &l), SU_USAGE);
    assert_false(su_path_exists(path));
    assert_ok(su_ledger_open(&ctx, path, (uint64_t)1 << 62, &l));
    e = good, e.operator_ = NULL;
    assert_status(su_ledger_reserve(&ctx, l, &e, &id), SU_USAGE);
    e = good, e.mechanism = "";
    assert_status(su_ledger_reserve(&ctx, l, &e, &id), SU_USAGE);
    e = good, e.epsilon = 0.0 / 0.0;
    assert_status(su_ledger_reserve(&ctx, l, &e, &id), SU_USAGE);
    e = good, e.delta = 1.5;
    assert_status(su_ledger_reserve(&ctx, l, &e, &id), SU_USAGE);
    e = good, e.rho_pico = UINT64_MAX;
    assert_status(su_ledger_reserve(&ctx, l, &e, &id), SU_USAGE);
    e = good, e.unit = "\xc3";
    assert_status(su_ledger_reserve(&ctx, l, &e, &id), SU_USAGE);
    assert_ok(su_ledger_reserve(&ctx, l, &good, &id));
    e = good, e.rho_pico = (uint64_t)1 << 62; /* the sum passes the cap, not 64 bits */
    assert_status(su_ledger_reserve(&ctx, l, &e, &id), SU_REFUSED);
    e.rho_pico--;
    assert_ok(su_ledger_reserve(&ctx, l, &e, &id));
    assert_int_equal(spent_of(l), (uint64_t)1 << 62);
    su_ledger_close(l);
    static const su_ledger_state all[] = { SU_LEDGER_RESERVED, SU_LEDGER_MEASURED, SU_LEDGER_RELEASED, SU_LEDGER_FAILED,
                                           SU_LEDGER_CANCELLED };
    static const char *const words[] = { "reserved", "measured", "released", "failed", "cancelled" };
    for (int i = 0; i < 5; i++) assert_string_equal(su_ledger_state_name(all[i]), words[i]);
}

/* ---- many processes want the same budget ---- */

static void race(const char *vault_dir, const char *file)
{
    enum { PROCESSES = 8, TRIES = 12, CAP = 4000 };
    int pipes[2];
    pid_t pids[PROCESSES];
    uint64_t granted = 0, sum = 0, one;
    home h;
    assert_int_equal(pipe(pipes), 0);
    for (int p = 0; p < PROCESSES; p++) {
        pids[p] = fork();
        assert_true(pids[p] >= 0);
        if (pids[p]) continue;
        su_random mine;
        su_random_split(&rng, (uint64_t)p + 1, &mine);
        int code = home_open(&h, vault_dir, file, CAP) == SU_OK ? 0 : 1; /* the file is made in this race, too */
        for (int k = 0; k < TRIES && !code; k++) {
            uint64_t id, rho = 1 + su_random_below(&mine, 120);
            su_ledger_entry e = entry_of(rho);
            su_status s = su_ledger_reserve(&ctx, h.l, &e, &id);
            if (s == SU_OK && write(pipes[1], &rho, sizeof rho) != sizeof rho) code = 2;
            if (s != SU_OK && (s != SU_REFUSED || !strstr(ctx.message, "budget"))) code = 3;
        }
        if (code) fprintf(stderr, "# process %d: %s\n", p, ctx.message);
        home_close(&h);
        _exit(code);
    }
    close(pipes[1]);
    while (read(pipes[0], &one, sizeof one) == sizeof one) granted++, sum += one;
    close(pipes[0]);
    for (int p = 0; p < PROCESSES; p++) {
        int code = -1;
        waitpid(pids[p], &code, 0);
        assert_int_equal(code, 0);
    }
    assert_ok(home_open(&h, vault_dir, file, CAP));
    uint64_t cap, spent, checked, bad;
    assert_ok(su_ledger_cap(&ctx, h.l, &cap, &spent));
    printf("# %llu grants, %llu of %llu spent\n", (unsigned long long)granted, (unsigned long long)spent, (unsigned long long)cap);
    assert_int_equal(cap, CAP);
    assert_true(spent <= CAP);
    assert_int_equal(spent, sum);
    assert_true(CAP - spent < 120); /* the budget was what stopped them */
    assert_ok(su_ledger_verify(&ctx, h.l, &checked, &bad));
    assert_int_equal(bad, 0);
    home_close(&h);
}

static void many_processes(void **state)
{
    (void)state;
    race(NULL, su_test_path("race.ledger"));
    const char *dir = test_vault("race");
    home h;
    assert_ok(home_open(&h, dir, NULL, 4000));
    home_close(&h);
    race(dir, NULL);
}

/* ---- death at every step ---- */

/* A release as a program makes it: reserve, draw noise, measured, write the file, released. Dies after `steps` of them. */
static void release_and_die(const char *vault_dir, const char *file, const char *made, int steps)
{
    home h;
    uint64_t id;
    su_ledger_entry e = entry_of(10);
    if (home_open(&h, vault_dir, file, 100000) != SU_OK) _exit(2);
    if (steps-- == 0) _exit(0);
    if (su_ledger_reserve(&ctx, h.l, &e, &id) != SU_OK) _exit(3);
    if (steps-- == 0) _exit(0);
    if (su_ledger_advance(&ctx, h.l, id, SU_LEDGER_MEASURED, NULL) != SU_OK) _exit(4);
    if (steps-- == 0) _exit(0);
    int fd = open(made, O_WRONLY | O_CREAT | O_APPEND, 0600);
    if (fd < 0 || write(fd, "r", 1) != 1) _exit(5);
    if (steps-- == 0) raise(SIGKILL);
    if (su_ledger_advance(&ctx, h.l, id, SU_LEDGER_RELEASED, "r") != SU_OK) _exit(6);
    raise(SIGKILL);
}

static uint64_t releases_made(const char *made)
{
    struct stat st;
    return stat(made, &st) == 0 ? (uint64_t)st.st_size : 0;
}

static void death_at_every_step(void **state)
{
    (void)state;
    for (int in_vault = 0; in_vault < 2; in_vault++) {
        const char *dir = in_vault ? test_vault("steps") : NULL, *file = su_test_path("steps.ledger"),
                   *made = su_test_path(in_vault ? "made-v" : "made-f");
        home h;
        for (int steps = 0; steps <= 4; steps++) {
            int code = 0;
            pid_t child = fork();
            if (child == 0) release_and_die(dir, file, made, steps);
            waitpid(child, &code, 0);
            assert_true(WIFSIGNALED(code) || WEXITSTATUS(code) == 0);
            assert_ok(home_open(&h, dir, file, 100000));
            assert_int_equal(spent_of(h.l), 10 * (uint64_t)steps); /* one charge per run that got as far as reserving */
            assert_true(spent_of(h.l) >= 10 * releases_made(made));
            home_close(&h);
        }
        assert_int_equal(releases_made(made), 2);
    }
}

/* Killed at random moments, in the middle of writes. */
static void death_at_any_moment(void **state)
{
    (void)state;
    for (int in_vault = 0; in_vault < 2; in_vault++) {
        const char *dir = in_vault ? test_vault("moments") : NULL, *file = su_test_path("moments.ledger"),
                   *made = su_test_path(in_vault ? "moments-v" : "moments-f");
        home h;
        int k = 0;
        for (; k < 20 || (releases_made(made) == 0 && k < 40); k++) { /* where nothing was made, lives grow by a second */
            pid_t child = fork();
            if (child == 0) {
                su_ledger_entry e = entry_of(10);
                uint64_t id;
                if (home_open(&h, dir, file, 10000000) != SU_OK) _exit(1);
                int fd = open(made, O_WRONLY | O_CREAT | O_APPEND, 0600);
                for (;;) {
                    if (su_ledger_reserve(&ctx, h.l, &e, &id) != SU_OK ||
                        su_ledger_advance(&ctx, h.l, id, SU_LEDGER_MEASURED, NULL) != SU_OK)
                        _exit(1);
                    if (write(fd, "r", 1) != 1 || su_ledger_advance(&ctx, h.l, id, SU_LEDGER_RELEASED, "r") != SU_OK) _exit(1);
                }
            }
            struct timespec wait = { k < 20 ? 0 : k - 19, (long)(5 + su_random_below(&rng, 70)) * 1000000 };
            nanosleep(&wait, NULL);
            int code = 0;
            kill(child, SIGKILL);
            waitpid(child, &code, 0);
            assert_true(WIFSIGNALED(code));
            uint64_t checked, bad;
            assert_ok(home_open(&h, dir, file, 10000000));
            assert_ok(su_ledger_verify(&ctx, h.l, &checked, &bad));
            assert_int_equal(bad, 0);
            assert_true(spent_of(h.l) >= 10 * releases_made(made));
            home_close(&h);
        }
        printf("# %llu releases in %d short lives\n", (unsigned long long)releases_made(made), k);
        assert_true(releases_made(made) > 0);
    }
}

/* ---- changes show ---- */

static void sql(const char *path, const char *text)
{
    sqlite3 *db = NULL;
    char *why = NULL;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    if (sqlite3_exec(db, text, NULL, NULL, &why) != SQLITE_OK) fail_msg("%s: %s", text, why);
    sqlite3_close(db);
}

#define UNLOCK "DROP TRIGGER ledger_keeps; DROP TRIGGER ledger_stays;"
#define LOCK                                                                                                                               \
    ";CREATE TRIGGER ledger_keeps BEFORE UPDATE ON ledger BEGIN SELECT RAISE(ABORT, 'append-only'); END;"                                  \
    "CREATE TRIGGER ledger_stays BEFORE DELETE ON ledger BEGIN SELECT RAISE(ABORT, 'append-only'); END;"

static void changes_show(void **state)
{
    (void)state;
    static const char *const changes[] = { UNLOCK "UPDATE ledger SET amount = 1 WHERE n = 2" LOCK,
                                           UNLOCK "UPDATE ledger SET amount = 100000 WHERE n = 1" LOCK,
                                           UNLOCK "DELETE FROM ledger WHERE n = 2" LOCK,
                                           UNLOCK "DELETE FROM ledger WHERE n = 1" LOCK,
                                           UNLOCK "DELETE FROM ledger" LOCK,
                                           UNLOCK "UPDATE ledger SET event = 'cancelled' WHERE event = 'failed'" LOCK,
                                           UNLOCK "UPDATE ledger SET who = 'Zoe' WHERE n = 3" LOCK,
                                           UNLOCK "UPDATE ledger SET epsilon = 0.1 WHERE n = 3" LOCK,
                                           UNLOCK "UPDATE ledger SET at = at + 1 WHERE n = 4" LOCK,
                                           UNLOCK "UPDATE ledger SET n = n + 5 WHERE n = 4" LOCK };
    su_ledger_entry e = entry_of(100);
    for (size_t k = 0; k < sizeof changes / sizeof *changes; k++) {
        char name[32];
        su_ledger *l = NULL, *late = NULL;
        uint64_t id, checked, bad = 0;
        snprintf(name, sizeof name, "change-%zu.ledger", k);
        const char *path = su_test_path(name);
        assert_ok(su_ledger_open(&ctx, path, 1000, &l));
        assert_ok(su_ledger_reserve(&ctx, l, &e, &id));
        assert_ok(su_ledger_reserve(&ctx, l, &e, &id));
        assert_ok(su_ledger_advance(&ctx, l, 1, SU_LEDGER_FAILED, NULL));
        sql(path, changes[k]);
        su_status s = su_ledger_reserve(&ctx, l, &e, &id);
        if (s != SU_CRYPTO) fail_msg("%s: reserve gives %d: %s", changes[k], (int)s, ctx.message);
        assert_says("was changed or damaged");
        assert_ok(su_ledger_verify(&ctx, l, &checked, &bad));
        assert_true(bad > 0);
        su_ledger_close(l);
        assert_status(su_ledger_open(&ctx, path, 1000, &late), SU_CRYPTO);
        assert_null(late);
    }
    const char *path = su_test_path("guarded.ledger");
    su_ledger *l = NULL;
    sqlite3 *db = NULL;
    assert_ok(su_ledger_open(&ctx, path, 1000, &l));
    su_ledger_close(l);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK); /* an SQLite shell is told no */
    assert_int_not_equal(sqlite3_exec(db, "UPDATE ledger SET amount = 5", NULL, NULL, NULL), SQLITE_OK);
    assert_int_not_equal(sqlite3_exec(db, "DELETE FROM ledger", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
    sql(path, UNLOCK);
    assert_status(su_ledger_open(&ctx, path, 1000, &l), SU_CRYPTO); /* and taking the guard away is seen */
    test_write(su_test_path("nothing.ledger"), "", 0);
    assert_status(su_ledger_open(&ctx, su_test_path("nothing.ledger"), 1000, &l), SU_INPUT); /* an emptied file is no new budget */
    test_write(su_test_path("text.ledger"), "rho,who\n", 8);
    assert_status(su_ledger_open(&ctx, su_test_path("text.ledger"), 1000, &l), SU_INPUT);
}

/* Someone who can write the vault's file, knows the format, and makes a fitting chain of his own: the MAC is what he lacks. */
static void a_fitting_chain_is_not_enough(void **state)
{
    (void)state;
    home h;
    uint64_t id;
    su_ledger_entry e = entry_of(100);
    const char *dir = test_vault("forger"), *other = test_vault("forger-own");
    char path[1200], from[1200], text[2600];
    assert_ok(home_open(&h, dir, NULL, 100));
    assert_ok(su_ledger_reserve(&ctx, h.l, &e, &id));
    home_close(&h);
    assert_ok(home_open(&h, other, NULL, 1000000)); /* his own vault, his own chain, all hashes right */
    home_close(&h);
    snprintf(path, sizeof path, "%s/vault.db", dir);
    snprintf(from, sizeof from, "%s/vault.db", other);
    snprintf(text, sizeof text, "ATTACH '%s' AS his; " UNLOCK "DELETE FROM ledger; INSERT INTO ledger SELECT * FROM his.ledger" LOCK, from);
    sql(path, text);
    su_vault *v = NULL;
    su_ledger *l = NULL;
    assert_ok(su_vault_open(&ctx, dir, PASS, &v));
    assert_ok(su_vault_ledger(&ctx, v, &l));
    assert_status(su_ledger_reserve(&ctx, l, &e, &id), SU_CRYPTO);
    su_ledger_close(l);
    su_vault_close(v);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(states_and_sums, setup),
        cmocka_unit_test_setup(what_makes_no_sense, setup),
        cmocka_unit_test_setup(many_processes, setup),
        cmocka_unit_test_setup(death_at_every_step, setup),
        cmocka_unit_test_setup(death_at_any_moment, setup),
        cmocka_unit_test_setup(changes_show, setup),
        cmocka_unit_test_setup(a_fitting_chain_is_not_enough, setup),
    };
    return cmocka_run_group_tests_name("vault: ledger", tests, NULL, NULL);
}
