#include "vault_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* AUTOINCREMENT: a batch number is part of what its records are sealed to, and must never come back after a sweep. */
const su_db_kind su_vault_kind = {
    .noun = "vault",
    .application_id = 0x53484156 /* SHAV */,
    .version = 1,
    .wal = true,
    .sql =
        "CREATE TABLE meta(name TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT, WITHOUT ROWID;"
        "CREATE TABLE organisation(number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, name TEXT NOT NULL, kind TEXT NOT NULL,"
        " created INTEGER NOT NULL, sealed_key BLOB NOT NULL) STRICT;"
        "CREATE TABLE batch(number INTEGER PRIMARY KEY AUTOINCREMENT, organisation INTEGER NOT NULL REFERENCES organisation(number),"
        " closed INTEGER NOT NULL, schema_name TEXT NOT NULL, source BLOB NOT NULL, mapping BLOB NOT NULL, schema BLOB NOT NULL,"
        " rows_in INTEGER NOT NULL, rejected INTEGER NOT NULL, records INTEGER NOT NULL, withdrawn INTEGER NOT NULL, at INTEGER NOT NULL,"
        " sealed_info BLOB NOT NULL, sealed_layout BLOB NOT NULL, mac BLOB NOT NULL) STRICT;"
        "CREATE TABLE record(id INTEGER PRIMARY KEY, live INTEGER NOT NULL, blind BLOB NOT NULL, sealed BLOB NOT NULL) STRICT;"
        "CREATE UNIQUE INDEX record_live ON record(blind) WHERE live = 1;"
        "CREATE TABLE audit(n INTEGER PRIMARY KEY, at INTEGER NOT NULL, event TEXT NOT NULL, detail TEXT NOT NULL, hash BLOB NOT NULL,"
        " mac BLOB NOT NULL) STRICT;" SU_APPEND_ONLY("audit") SU_LEDGER_TABLES,
};

su_status su_vault_need_keys(su_context *ctx, const su_vault *v, const char *to_do)
{
    return v->keys ? SU_OK : su_fail(ctx, SU_USAGE, "%s: opened without its passphrase, which is needed to %s.", v->file, to_do);
}

su_status su_vault_damaged(su_context *ctx, const su_vault *v, const char *what)
{
    return su_fail(ctx, SU_CRYPTO,
                   "%s: %s: damaged, or changed by another program. Nothing was changed. To see all of the damage: suha "
                   "vault verify. Then restore a backup.",
                   v->file, what);
}

/* ---- making ---- */

typedef struct new_vault {
    su_passphrase pass;
    su_vault_cost cost;
    su_vault *v;
} new_vault;

static su_status fill(su_context *ctx, sqlite3 *db, void *arg)
{
    new_vault *made = arg;
    su_vault *v = made->v;
    uint8_t header[SU_HEADER];
    v->db = db;
    su_status s = su_header_make(ctx, made->pass, made->cost, v->id, v->created, v->keys->master, header);
    if (s == SU_OK) s = su_db_run(ctx, db, "writing the key header", "INSERT INTO meta VALUES('header', ?)", "b", header, sizeof header);
    if (s == SU_OK) s = su_audit_add(ctx, v, SU_AUDIT_VAULT_MADE, "vault=%s", v->id_hex);
    if (s == SU_OK) s = su_ledger_begin(ctx, db, v->keys, 0);
    v->db = NULL;
    return s;
}

static su_status make_folder(su_context *ctx, const char *dir, bool *made)
{
    struct stat st;
    *made = mkdir(dir, 0700) == 0;
    if (*made) return SU_OK;
    if (errno != EEXIST)
        return su_fail(ctx, SU_IO, "%s: the folder cannot be made: %s. The folder above it must exist and be writable.", dir,
                       strerror(errno));
    if (stat(dir, &st) != 0 || !S_ISDIR(st.st_mode)) return su_fail(ctx, SU_IO, "%s: exists and is no folder. Choose another place.", dir);
    if (st.st_mode & 077) su_log(ctx, "%s: other users of this computer can look into this folder. Better: chmod 700 %s", dir, dir);
    return SU_OK;
}

su_status su_vault_init(su_context *ctx, const char *dir, su_passphrase pass)
{
    return su_vault_init_with(ctx, dir, pass, SU_VAULT_COST_MODERATE);
}

su_status su_vault_init_with(su_context *ctx, const char *dir, su_passphrase pass, su_vault_cost cost)
{
    su_arena arena;
    su_arena_init(&arena);
    su_vault v = { .dir_fd = -1 };
    bool made_folder = false;
    su_status s = su_seal_ready(ctx);
    if (s != SU_OK || (s = su_passphrase_check(ctx, pass)) != SU_OK || (s = make_folder(ctx, dir, &made_folder)) != SU_OK) goto out;
    v.file = su_path_join(&arena, dir, "vault.db");
    if (su_path_exists(v.file)) {
        s = su_fail(ctx, SU_REFUSED, "%s exists already and was left as it is. Open it with its passphrase, or choose another folder.",
                    v.file);
        goto out;
    }
    v.keys = su_secret_alloc(sizeof *v.keys);
    randombytes_buf(v.keys->master, SU_KEY);
    su_keyring_derive(v.keys);
    randombytes_buf(v.id, sizeof v.id);
    su_hex(v.id, sizeof v.id, v.id_hex);
    v.created = su_clock_unix();
    new_vault made = { pass, cost, &v };
    s = su_db_create(ctx, &su_vault_kind, v.file, fill, &made);
out:
    if (s != SU_OK && made_folder) rmdir(dir);
    su_secret_free(v.keys);
    su_arena_free(&arena);
    return s;
}

/* ---- opening ---- */

static su_status read_header(su_context *ctx, su_vault *v, uint8_t header[SU_HEADER], size_t *n)
{
    sqlite3_stmt *st = NULL;
    bool row = false;
    su_status s = su_db_query(ctx, v->db, &st, "SELECT value FROM meta WHERE name = 'header'", "");
    if (s == SU_OK) s = su_db_step(ctx, st, &row, "reading the key header");
    if (s != SU_OK) goto out;
    const uint8_t *bytes = (const uint8_t *)"";
    *n = 0;
    if (row) bytes = su_db_blob(st, 0, n);
    s = su_header_check(ctx, v->file, bytes, *n, v->id, &v->created);
    if (s == SU_OK) memcpy(header, bytes, SU_HEADER);
out:
    sqlite3_finalize(st);
    return s;
}

static su_status open_vault(su_context *ctx, const char *dir, const su_passphrase *pass, su_vault **out)
{
    uint8_t header[SU_HEADER];
    size_t n = 0;
    su_arena arena;
    su_arena_init(&arena);
    su_vault *v = su_alloc(sizeof *v);
    v->dir_fd = -1;
    v->file = su_strdup(su_path_join(&arena, dir, "vault.db"));
    su_status s = su_seal_ready(ctx);
    if (s != SU_OK) goto out;
    if (pass && pass->n == 0) {
        s = su_fail(ctx, SU_USAGE, "The passphrase is empty. Give the passphrase of %s.", v->file);
        goto out;
    }
    if ((s = su_db_open(ctx, &su_vault_kind, v->file, &v->db)) != SU_OK || (s = read_header(ctx, v, header, &n)) != SU_OK) goto out;
    if (pass) {
        v->keys = su_secret_alloc(sizeof *v->keys);
        if ((s = su_header_open(ctx, v->file, header, n, *pass, v->keys)) != SU_OK) goto out;
        su_db_trust(v->db);
    }
    if ((v->dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0) {
        s = su_fail(ctx, SU_IO, "%s: %s", dir, strerror(errno));
        goto out;
    }
    su_hex(v->id, sizeof v->id, v->id_hex);
    *out = v;
    v = NULL;
out:
    su_vault_close(v);
    su_arena_free(&arena);
    return s;
}

su_status su_vault_open(su_context *ctx, const char *dir, su_passphrase pass, su_vault **out) { return open_vault(ctx, dir, &pass, out); }
su_status su_vault_open_public(su_context *ctx, const char *dir, su_vault **out) { return open_vault(ctx, dir, NULL, out); }

void su_vault_close(su_vault *v)
{
    if (!v) return;
    sqlite3_close(v->db);
    if (v->dir_fd >= 0) close(v->dir_fd);
    su_secret_free(v->keys);
    free(v->file);
    free(v);
}

su_status su_vault_status_get(su_context *ctx, su_vault *v, su_vault_status *out)
{
    sqlite3_stmt *st = NULL;
    bool row = false;
    su_audit_head head;
    *out = (su_vault_status) { .format = (uint32_t)su_vault_kind.version, .created = v->created, .vault_id = v->id_hex };
    su_status s = su_db_query(ctx, v->db, &st,
                              "SELECT (SELECT count(*) FROM organisation), count(*), coalesce(sum(records - withdrawn), "
                              "0), coalesce(sum(withdrawn), 0) FROM batch WHERE closed = 1",
                              "");
    if (s == SU_OK) s = su_db_step(ctx, st, &row, "counting");
    if (s != SU_OK) goto out;
    out->organisations = (uint64_t)sqlite3_column_int64(st, 0);
    out->batches = (uint64_t)sqlite3_column_int64(st, 1);
    out->records = (uint64_t)sqlite3_column_int64(st, 2);
    out->withdrawn = (uint64_t)sqlite3_column_int64(st, 3);
    if ((s = su_audit_last(ctx, v->db, &head)) != SU_OK) goto out;
    out->audit_entries = head.count;
    su_hex(head.hash, SU_HASH, out->audit_head);
out:
    sqlite3_finalize(st);
    return s;
}

su_status su_vault_passphrase_set(su_context *ctx, su_vault *v, su_passphrase pass, su_vault_cost cost)
{
    uint8_t header[SU_HEADER];
    su_status s = su_vault_need_keys(ctx, v, "change it");
    if (s != SU_OK || (s = su_passphrase_check(ctx, pass)) != SU_OK) return s;
    if ((s = su_header_make(ctx, pass, cost, v->id, v->created, v->keys->master, header)) != SU_OK) return s;
    if ((s = su_db_begin(ctx, v->db, "changing the passphrase")) != SU_OK) return s;
    s = su_db_run(ctx, v->db, "writing the key header", "UPDATE meta SET value = ? WHERE name = 'header'", "b", header, sizeof header);
    if (s == SU_OK) s = su_audit_add(ctx, v, SU_AUDIT_PASSPHRASE, "header=renewed");
    return su_db_end(ctx, v->db, s, "changing the passphrase");
}

su_status su_vault_note_compared(su_context *ctx, su_vault *v, const char *what, const char *release, const char *who)
{
    su_status s = su_vault_need_keys(ctx, v, "compare its records with a release");
    if (s != SU_OK || (s = su_db_begin(ctx, v->db, "noting the comparison")) != SU_OK) return s;
    s = su_audit_add(ctx, v, SU_AUDIT_COMPARED, "what=%s release=%.200s who=%.100s", what, release, who);
    return su_db_end(ctx, v->db, s, "noting the comparison");
}
