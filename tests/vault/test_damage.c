/* Damage and foreign files: an error that says what to do, and not a byte changed; never other records than those that were sealed. */
#include "vault_test.h"

#include <sqlite3.h>
#include <sys/stat.h>

static su_context ctx;
static su_random rng;

static int setup(void **state)
{
    (void)state;
    su_context_init(&ctx);
    su_test_random(&rng);
    return 0;
}

static const char *file_in(const char *dir)
{
    static char path[4][1200];
    static unsigned next;
    char *p = path[next++ % 4];
    snprintf(p, sizeof path[0], "%s/vault.db", dir);
    return p;
}

static const char *folder_with(const char *name, const void *bytes, size_t n)
{
    const char *dir = su_test_path(name);
    mkdir(dir, 0700);
    test_write(file_in(dir), bytes, n);
    return dir;
}

static bool same_bytes(const char *path, const su_buf *want)
{
    su_buf have = test_bytes(path);
    bool same = have.n == want->n && memcmp(have.p, want->p, have.n) == 0;
    su_buf_free(&have);
    return same;
}

static int files_in(const char *dir)
{
    int files;
    test_grep(dir, "no such text", &files);
    return files;
}

static void sql(const char *path, const char *text)
{
    sqlite3 *db = NULL;
    char *why = NULL;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    if (sqlite3_exec(db, text, NULL, NULL, &why) != SQLITE_OK) fail_msg("%s: %s", text, why);
    sqlite3_close(db);
}

/* Refused by both ways of opening, with this status, and left as it was. */
static void refused(const char *dir, su_status wanted, const char *says)
{
    su_vault *v = NULL;
    su_buf before = test_bytes(file_in(dir));
    for (int public = 0; public < 2; public ++) {
        su_context_init(&ctx);
        assert_status(public ? su_vault_open_public(&ctx, dir, &v) : su_vault_open(&ctx, dir, PASS, &v), wanted);
        assert_says(says);
        assert_null(v);
        assert_true(same_bytes(file_in(dir), &before));
        assert_int_equal(files_in(dir), 1);
    }
    su_buf_free(&before);
}

static void foreign_files(void **state)
{
    (void)state;
    uint8_t noise[9000];
    su_random_bytes(&rng, noise, sizeof noise);
    refused(folder_with("empty", "", 0), SU_INPUT, "empty file");
    refused(folder_with("text", "id,name\n1,Maria\n", 16), SU_INPUT, "not a Suha file");
    refused(folder_with("noise", noise, sizeof noise), SU_INPUT, "not a Suha file");
    const char *dir = su_test_path("database");
    mkdir(dir, 0700);
    sql(file_in(dir), "CREATE TABLE person(name TEXT); INSERT INTO person VALUES('Maria');");
    refused(dir, SU_INPUT, "no Suha vault");
    dir = su_test_path("walled");
    mkdir(dir, 0700);
    sql(file_in(dir), "PRAGMA journal_mode=WAL; CREATE TABLE person(name TEXT); INSERT INTO person VALUES('Maria');");
    refused(dir, SU_INPUT, "no Suha vault");
    dir = su_test_path("ledger-there");
    mkdir(dir, 0700);
    su_ledger *l = NULL;
    assert_ok(su_ledger_open(&ctx, file_in(dir), 5, &l));
    su_ledger_close(l);
    refused(dir, SU_INPUT, "no Suha vault");
    dir = su_test_path("folder-there");
    mkdir(dir, 0700), mkdir(file_in(dir), 0700);
    su_vault *v = NULL;
    assert_status(su_vault_open(&ctx, dir, PASS, &v), SU_INPUT);
    assert_says("not a regular file");
}

static void newer_and_tampered(void **state)
{
    (void)state;
    const char *dir = test_vault("newer");
    sql(file_in(dir), "PRAGMA user_version=2");
    refused(dir, SU_INPUT, "newer Suha");
    dir = test_vault("version-0");
    sql(file_in(dir), "PRAGMA user_version=0");
    refused(dir, SU_CRYPTO, "format number");
    dir = test_vault("trigger");
    sql(file_in(dir), "CREATE TRIGGER t AFTER INSERT ON record BEGIN DELETE FROM record; END");
    refused(dir, SU_CRYPTO, "table definitions");
    dir = test_vault("no-header");
    sql(file_in(dir), "DELETE FROM meta WHERE name = 'header'");
    refused(dir, SU_CRYPTO, "key header is damaged");
    dir = test_vault("short-header");
    sql(file_in(dir), "UPDATE meta SET value = substr(value, 1, 40) WHERE name = 'header'");
    refused(dir, SU_CRYPTO, "key header is damaged");
    dir = test_vault("header-v2");
    sql(file_in(dir), "UPDATE meta SET value = CAST(substr(value, 1, 8) || x'02' || substr(value, 10) AS BLOB) WHERE name = 'header'");
    refused(dir, SU_INPUT, "newer Suha");
    su_vault *v = NULL;
    dir = test_vault("wrong");
    su_buf before = test_bytes(file_in(dir));
    assert_status(su_vault_open(&ctx, dir, OTHER, &v), SU_CRYPTO);
    assert_true(same_bytes(file_in(dir), &before));
    assert_int_equal(files_in(dir), 1);
    su_buf_free(&before);
}

/* After a crash the log stands beside the file. A wrong passphrase must not even bring it home. */
static void wrong_passphrase_after_a_crash(void **state)
{
    (void)state;
    su_vault *v = NULL;
    const char *dir = test_vault("crashed");
    char log[1210];
    snprintf(log, sizeof log, "%s-wal", file_in(dir));
    pid_t child = fork();
    if (child == 0) {
        if (su_vault_open(&ctx, dir, PASS, &v) == SU_OK && su_vault_org_add(&ctx, v, "gamma", "Gamma", "state") == SU_OK) raise(SIGKILL);
        _exit(1);
    }
    waitpid(child, NULL, 0);
    su_buf before = test_bytes(file_in(dir)), before_log = test_bytes(log);
    assert_true(before_log.n > 0);
    assert_status(su_vault_open(&ctx, dir, OTHER, &v), SU_CRYPTO);
    assert_true(same_bytes(file_in(dir), &before));
    assert_true(same_bytes(log, &before_log));
    assert_ok(su_vault_open(&ctx, dir, PASS, &v));
    assert_status(su_vault_org_add(&ctx, v, "gamma", "Gamma", "state"), SU_REFUSED); /* it is there */
    su_vault_close(v);
    assert_int_equal(files_in(dir), 1);
    su_buf_free(&before);
    su_buf_free(&before_log);
}

/* ---- every row of every table, as one hash: what "nothing was changed" means for a verified vault ---- */

static su_sha256 logical(const char *path)
{
    static const char *const tables[] = { "meta", "organisation", "batch", "record", "audit", "ledger" };
    sqlite3 *db = NULL;
    su_buf all = { 0 };
    assert_int_equal(sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
        sqlite3_stmt *st = NULL;
        char text[64];
        int rc;
        snprintf(text, sizeof text, "SELECT * FROM %s ORDER BY 1", tables[i]);
        su_buf_printf(&all, "%s\n", tables[i]);
        rc = sqlite3_prepare_v2(db, text, -1, &st, NULL);
        while (rc == SQLITE_OK && sqlite3_step(st) == SQLITE_ROW)
            for (int c = 0; c < sqlite3_column_count(st); c++) {
                const void *p = sqlite3_column_blob(st, c);
                su_buf_printf(&all, "%d:", sqlite3_column_bytes(st, c));
                if (p) su_buf_add(&all, p, (size_t)sqlite3_column_bytes(st, c));
            }
        sqlite3_finalize(st);
    }
    sqlite3_close(db);
    su_sha256 hash = su_sha256_of(all.p, all.n);
    su_buf_free(&all);
    return hash;
}

static const char *furnished(const char *name, su_schema *s, su_case_table **a, su_case_table **b)
{
    su_vault *v = NULL;
    su_ledger *l = NULL;
    uint64_t n, id;
    const char *dir = test_vault(name);
    *a = test_table(&rng, s, 60, 1, -1);
    *b = test_table(&rng, s, 20, 100, F_NAME);
    su_batch_info ia = test_info(*a, "a.csv"), ib = test_info(*b, "b.csv");
    su_ledger_entry e = { .operator_ = "Amal", .mechanism = "residual", .rho_pico = 5, .epsilon = 1, .delta = 1e-9 };
    assert_ok(su_vault_open(&ctx, dir, PASS, &v));
    assert_ok(su_vault_import(&ctx, v, "alpha", *a, &ia, 0, &n, NULL));
    assert_ok(su_vault_import(&ctx, v, "beta", *b, &ib, 0, &n, NULL));
    assert_ok(su_vault_withdraw(&ctx, v, "alpha", PLANTED "-60"));
    assert_ok(su_vault_ledger(&ctx, v, &l));
    assert_ok(su_ledger_cap_set(&ctx, l, 1000, "Amal", "first year"));
    assert_ok(su_ledger_reserve(&ctx, l, &e, &id));
    su_ledger_close(l);
    su_vault_close(v);
    return dir;
}

/* Withdrawn rows of `a` are left out of the comparison. */
static bool same_records(const su_case_table *back, const su_case_table *a, const su_case_table *b)
{
    if (back->row_count != 79) return false;
    for (uint64_t r = 0; r < back->row_count; r++) {
        su_str id = su_dict_get(back->records, back->record_ids[r]);
        const su_case_table *t = test_find(a, id) < a->row_count ? a : b;
        uint64_t at = test_find(t, id);
        if (at == t->row_count) return false;
        for (uint32_t f = 0; f < t->schema->field_count; f++)
            if (!test_same_cell(t, at, back, r, f)) return false;
    }
    return true;
}

static void one_bit(void **state)
{
    (void)state;
    enum { FLIPS = 700 };
    su_schema *s = test_schema();
    su_case_table *a, *b;
    int not_opened = 0, not_read = 0, found = 0, harmless = 0;
    const char *dir = furnished("whole", s, &a, &b);
    su_buf whole = test_bytes(file_in(dir));
    su_sha256 content = logical(file_in(dir));
    const char *flipped = su_test_path("flipped");
    mkdir(flipped, 0700);
    for (int k = 0; k < FLIPS; k++) {
        su_vault *v = NULL;
        su_case_table *back = NULL;
        uint64_t checked = 0, bad = 0;
        size_t at = k < 120 ? (size_t)k : su_random_below(&rng, whole.n); /* all of SQLite's own header, then anywhere */
        char mask = (char)(1u << su_random_below(&rng, 8));
        su_buf changed = { 0 };
        su_buf_add(&changed, whole.p, whole.n);
        changed.p[at] ^= mask;
        test_write(file_in(flipped), changed.p, changed.n);
        su_context_init(&ctx);
        su_status status = su_vault_open(&ctx, flipped, PASS, &v);
        if (status != SU_OK) {
            not_opened++;
            if (status != SU_CRYPTO && status != SU_INPUT && status != SU_IO)
                fail_msg("byte %zu, mask %d: status %d: %s", at, mask, (int)status, ctx.message);
            assert_true(strlen(ctx.message) > 30);
            assert_true(same_bytes(file_in(flipped), &changed));
        } else {
            su_context_init(&ctx);
            status = su_vault_read(&ctx, v, NULL, s, &back);
            if (status != SU_OK) {
                not_read++;
                if (status == SU_INTERNAL) fail_msg("byte %zu: %s", at, ctx.message);
            } else if (!same_records(back, a, b))
                fail_msg("bit flipped at byte %zu: other records were read", at);
            su_case_table_free(back);
            su_context_init(&ctx);
            assert_ok(su_vault_verify(&ctx, v, &checked, &bad));
            su_vault_close(v);
            found += bad > 0;
            if (bad == 0) { /* then nothing that is stored may be another */
                su_sha256 now = logical(file_in(flipped));
                if (memcmp(&now, &content, sizeof now) != 0 || status != SU_OK) fail_msg("bit flipped at byte %zu: verified as whole", at);
                harmless++;
            }
        }
        char side[1210];
        snprintf(side, sizeof side, "%s-wal", file_in(flipped)), unlink(side);
        snprintf(side, sizeof side, "%s-shm", file_in(flipped)), unlink(side);
        su_buf_free(&changed);
    }
    printf("# of %d flipped bits: %d not opened, %d not read, %d found by verification, %d in unused bytes\n", FLIPS, not_opened, not_read,
           found, harmless);
    assert_true(found > 50 && not_opened > 20);
    su_buf_free(&whole);
    su_case_table_free(a), su_case_table_free(b);
    test_schema_free(s);
}

static void cut_short(void **state)
{
    (void)state;
    su_schema *s = test_schema();
    su_case_table *a, *b;
    const char *dir = furnished("uncut", s, &a, &b), *cut = su_test_path("cut");
    su_buf whole = test_bytes(file_in(dir));
    mkdir(cut, 0700);
    for (int k = 0; k < 40; k++) {
        su_vault *v = NULL;
        su_case_table *back = NULL;
        uint64_t checked, bad = 0;
        test_write(file_in(cut), whole.p, 1 + su_random_below(&rng, whole.n - 1));
        su_context_init(&ctx);
        if (su_vault_open(&ctx, cut, PASS, &v) != SU_OK) continue;
        bool read = su_vault_read(&ctx, v, NULL, s, &back) == SU_OK;
        if (read) assert_true(same_records(back, a, b));
        assert_ok(su_vault_verify(&ctx, v, &checked, &bad));
        assert_true(bad > 0);
        su_case_table_free(back);
        su_vault_close(v);
    }
    su_buf_free(&whole);
    su_case_table_free(a), su_case_table_free(b);
    test_schema_free(s);
}

/* ---- a writer without the passphrase: what he does shows ---- */

typedef struct attack {
    const char *what, *sql;
    bool read_refused, write_refused;
} attack;

#define UNLOCK "DROP TRIGGER audit_keeps; DROP TRIGGER audit_stays; DROP TRIGGER ledger_keeps; DROP TRIGGER ledger_stays;"
#define LOCK(table)                                                                                                                        \
    "CREATE TRIGGER " table "_keeps BEFORE UPDATE ON " table " BEGIN SELECT RAISE(ABORT, 'append-only'); END;"                             \
    "CREATE TRIGGER " table "_stays BEFORE DELETE ON " table " BEGIN SELECT RAISE(ABORT, 'append-only'); END;"
#define RECORD(batch, n) "((" #batch " << 32) | " #n ")"

static const attack attacks[] = {
    { "two ciphertexts exchanged",
      "UPDATE record SET sealed = (SELECT r.sealed FROM record r WHERE r.id = " RECORD(1, 2) ") WHERE id = " RECORD(1, 1), true, false },
    { "a record moved", "UPDATE record SET id = " RECORD(1, 100) " WHERE id = " RECORD(1, 1), true, false },
    { "a record moved to another organisation", "UPDATE record SET id = " RECORD(2, 21) " WHERE id = " RECORD(1, 1), true, false },
    { "a record removed", "DELETE FROM record WHERE id = " RECORD(1, 5), true, false },
    { "a blind index changed", "UPDATE record SET blind = x'000102030405060708090a0b0c0d0e0f' WHERE id = " RECORD(1, 5), true, false },
    { "a record hidden", "UPDATE record SET live = 0 WHERE id = " RECORD(1, 5), true, false },
    { "a withdrawal forged",
      "UPDATE record SET live = 0, sealed = zeroblob(length(sealed)) WHERE id = " RECORD(
          1, 5) "; UPDATE batch SET withdrawn = withdrawn + 1 WHERE number = 1",
      true, false },
    { "a withdrawn record back", "UPDATE record SET live = 1 WHERE id = " RECORD(1, 60), true, false },
    { "a batch removed", "DELETE FROM record WHERE id >> 32 = 2; DELETE FROM batch WHERE number = 2", true, false },
    { "a batch's schema renamed", "UPDATE batch SET schema_name = 'other' WHERE number = 1", true, false },
    { "a batch reopened", "UPDATE batch SET closed = 0 WHERE number = 1", true, false },
    { "a batch given to another", "UPDATE batch SET organisation = 2 WHERE number = 1", true, false },
    { "organisation names exchanged", "UPDATE organisation SET name = 'Beta Line' WHERE number = 1", true, false },
    { "an organisation's key exchanged",
      "UPDATE organisation SET sealed_key = (SELECT o.sealed_key FROM organisation o WHERE o.number = "
      "2)",
      true, false },
    { "an audit entry rewritten", UNLOCK "UPDATE audit SET detail = 'organisation=delta' WHERE n = 2;" LOCK("audit") LOCK("ledger"), true,
      false },
    { "the audit chain's tail cut", UNLOCK "DELETE FROM audit WHERE n = (SELECT max(n) FROM audit);" LOCK("audit") LOCK("ledger"), true,
      true },
    { "the audit chain cut with its sealed head",
      UNLOCK "DELETE FROM audit WHERE n > 2; DELETE FROM meta WHERE name = "
             "'head';" LOCK("audit") LOCK("ledger"),
      true, true },
    { "a charge lowered", UNLOCK "UPDATE ledger SET amount = 1 WHERE event = 'reserved';" LOCK("audit") LOCK("ledger"), false, false },
    { "a charge removed", UNLOCK "DELETE FROM ledger WHERE event = 'reserved';" LOCK("audit") LOCK("ledger"), false, false },
};

static void what_an_intruder_does_shows(void **state)
{
    (void)state;
    su_schema *s = test_schema();
    su_case_table *a, *b;
    const char *dir = furnished("attacked", s, &a, &b), *victim = su_test_path("victim");
    su_buf whole = test_bytes(file_in(dir));
    mkdir(victim, 0700);
    for (size_t k = 0; k < sizeof attacks / sizeof *attacks; k++) {
        su_vault *v = NULL;
        su_case_table *back = NULL;
        uint64_t checked, bad = 0;
        test_write(file_in(victim), whole.p, whole.n);
        sql(file_in(victim), attacks[k].sql);
        su_context_init(&ctx);
        if (su_vault_open(&ctx, victim, PASS, &v) != SU_OK) fail_msg("%s: %s", attacks[k].what, ctx.message);
        su_status read = su_vault_read(&ctx, v, NULL, s, &back);
        if (attacks[k].read_refused != (read == SU_CRYPTO)) fail_msg("%s: reading gives %d: %s", attacks[k].what, (int)read, ctx.message);
        if (attacks[k].write_refused) assert_status(su_vault_org_add(&ctx, v, "gamma", "Gamma", "state"), SU_CRYPTO);
        assert_ok(su_vault_verify(&ctx, v, &checked, &bad));
        if (bad == 0) fail_msg("%s: not found by verification", attacks[k].what);
        su_case_table_free(back);
        su_vault_close(v);
    }
    su_buf_free(&whole);
    su_case_table_free(a), su_case_table_free(b);
    test_schema_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(foreign_files, setup),
        cmocka_unit_test_setup(newer_and_tampered, setup),
        cmocka_unit_test_setup(wrong_passphrase_after_a_crash, setup),
        cmocka_unit_test_setup(one_bit, setup),
        cmocka_unit_test_setup(cut_short, setup),
        cmocka_unit_test_setup(what_an_intruder_does_shows, setup),
    };
    return cmocka_run_group_tests_name("vault: damage", tests, NULL, NULL);
}
