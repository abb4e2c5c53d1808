#include "db.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BUSY_MS = 20000, CACHE_KIB = 32768 };

static const char *file_of(sqlite3 *db)
{
    const char *path = db ? sqlite3_db_filename(db, "main") : NULL;
    return path && *path ? path : "the database";
}

su_status su_db_fail(su_context *ctx, sqlite3 *db, int rc, const char *doing)
{
    const char *file = file_of(db);
    switch (rc & 0xff) {
    case SQLITE_NOTADB:
        return su_fail(ctx, SU_INPUT,
                       "%s: not a Suha file, or its first bytes are damaged (%s). Check the path; if it is the right one, "
                       "restore a backup.",
                       file, doing);
    case SQLITE_CORRUPT:
    case SQLITE_FORMAT:
        return su_fail(ctx, SU_CRYPTO, "%s: damaged: its pages do not fit together (%s). Nothing was changed. Restore a backup.", file,
                       doing);
    /* our statements are fixed: what SQLite cannot make sense of is the file (all values are bound, none is in the text) */
    case SQLITE_ERROR:
        return su_fail(ctx, SU_CRYPTO, "%s: damaged (%s: %s). Nothing was changed. Restore a backup.", file, doing,
                       db ? sqlite3_errmsg(db) : "");
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return su_fail(ctx, SU_REFUSED, "%s: another program is writing to it (%s, waited %d s). Try again when it has finished.", file,
                       doing, BUSY_MS / 1000);
    case SQLITE_FULL:
        return su_fail(ctx, SU_IO, "%s: the disk is full (%s). Nothing of this step was kept. Make room and try again.", file, doing);
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_CANTOPEN:
        return su_fail(ctx, SU_IO, "%s: cannot be opened for writing (%s: %s). The file and its folder must belong to you and be writable.",
                       file, doing, sqlite3_errstr(rc));
    case SQLITE_CONSTRAINT:
        return su_fail(ctx, SU_CRYPTO, "%s: holds rows that contradict each other (%s). Run: suha vault verify", file, doing);
    case SQLITE_NOMEM:
        su_out_of_memory(0);
    case SQLITE_IOERR:
        if (sqlite3_system_errno(db) == ENOSPC)
            return su_fail(ctx, SU_IO, "%s: the disk is full (%s). Nothing of this step was kept. Make room and try again.", file, doing);
        return su_fail(ctx, SU_IO, "%s: the disk reports an error (%s: %s). Check the disk, then try again.", file, doing,
                       sqlite3_errstr(rc));
    default:
        return su_fail(ctx, SU_INTERNAL, "%s: unexpected database error %d while %s: %s. Please report this.", file, rc, doing,
                       sqlite3_errstr(rc));
    }
}

/* ---- statements ---- */

su_status su_db_exec(su_context *ctx, sqlite3 *db, const char *sql, const char *doing)
{
    int rc = sqlite3_exec(db, sql, NULL, NULL, NULL);
    return rc == SQLITE_OK ? SU_OK : su_db_fail(ctx, db, rc, doing);
}

static int bind_all(sqlite3_stmt *st, const char *types, va_list args)
{
    int rc = SQLITE_OK, at = 1;
    for (const char *p = types; *p && rc == SQLITE_OK; p++, at++) {
        switch (*p) {
        case 'i':
            rc = sqlite3_bind_int64(st, at, va_arg(args, int64_t));
            break;
        case 'd':
            rc = sqlite3_bind_double(st, at, va_arg(args, double));
            break;
        case 't': {
            const char *text = va_arg(args, const char *);
            rc = text ? sqlite3_bind_text(st, at, text, -1, SQLITE_STATIC) : sqlite3_bind_null(st, at);
            break;
        }
        case 'b': {
            const void *bytes = va_arg(args, const void *);
            size_t n = va_arg(args, size_t);
            rc = sqlite3_bind_blob64(st, at, bytes, n, SQLITE_STATIC);
            break;
        }
        default:
            rc = SQLITE_MISUSE;
        }
    }
    return rc;
}

su_status su_db_bind(su_context *ctx, sqlite3_stmt *st, const char *types, ...)
{
    va_list args;
    va_start(args, types);
    sqlite3_reset(st);
    int rc = bind_all(st, types, args);
    va_end(args);
    return rc == SQLITE_OK ? SU_OK : su_db_fail(ctx, sqlite3_db_handle(st), rc, "binding parameters");
}

static su_status query(su_context *ctx, sqlite3 *db, sqlite3_stmt **out, const char *sql, const char *types, va_list args)
{
    sqlite3_stmt *st = NULL;
    int rc = sqlite3_prepare_v2(db, sql, -1, &st, NULL);
    if (rc == SQLITE_OK) rc = bind_all(st, types, args);
    if (rc != SQLITE_OK) {
        sqlite3_finalize(st);
        return su_db_fail(ctx, db, rc, "preparing a statement");
    }
    *out = st;
    return SU_OK;
}

su_status su_db_query(su_context *ctx, sqlite3 *db, sqlite3_stmt **out, const char *sql, const char *types, ...)
{
    va_list args;
    va_start(args, types);
    su_status s = query(ctx, db, out, sql, types, args);
    va_end(args);
    return s;
}

su_status su_db_step(su_context *ctx, sqlite3_stmt *st, bool *row, const char *doing)
{
    int rc = sqlite3_step(st);
    *row = rc == SQLITE_ROW;
    return rc == SQLITE_ROW || rc == SQLITE_DONE ? SU_OK : su_db_fail(ctx, sqlite3_db_handle(st), rc, doing);
}

su_status su_db_run(su_context *ctx, sqlite3 *db, const char *doing, const char *sql, const char *types, ...)
{
    sqlite3_stmt *st = NULL;
    bool row = false;
    va_list args;
    va_start(args, types);
    su_status s = query(ctx, db, &st, sql, types, args);
    va_end(args);
    if (s == SU_OK) s = su_db_step(ctx, st, &row, doing);
    sqlite3_finalize(st);
    return s;
}

su_status su_db_number(su_context *ctx, sqlite3 *db, const char *doing, int64_t *out, const char *sql, const char *types, ...)
{
    sqlite3_stmt *st = NULL;
    bool row = false;
    va_list args;
    va_start(args, types);
    su_status s = query(ctx, db, &st, sql, types, args);
    va_end(args);
    if (s == SU_OK) s = su_db_step(ctx, st, &row, doing);
    if (s == SU_OK) *out = row ? sqlite3_column_int64(st, 0) : 0;
    sqlite3_finalize(st);
    return s;
}

su_status su_db_begin(su_context *ctx, sqlite3 *db, const char *doing) { return su_db_exec(ctx, db, "BEGIN IMMEDIATE", doing); }

su_status su_db_end(su_context *ctx, sqlite3 *db, su_status status, const char *doing)
{
    if (status == SU_OK) status = su_db_exec(ctx, db, "COMMIT", doing);
    if (status != SU_OK) su_db_leave(db);
    return status;
}

/* A failed COMMIT may leave the transaction open, and some errors end it by themselves. */
void su_db_leave(sqlite3 *db)
{
    if (!sqlite3_get_autocommit(db)) sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
}

bool su_db_checkpoint(sqlite3 *db, int wait_ms)
{
    sqlite3_busy_timeout(db, wait_ms);
    int rc = sqlite3_wal_checkpoint_v2(db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
    sqlite3_busy_timeout(db, BUSY_MS);
    return rc == SQLITE_OK;
}

const uint8_t *su_db_blob(sqlite3_stmt *st, int column, size_t *n)
{
    const void *p = sqlite3_column_blob(st, column);
    int bytes = sqlite3_column_bytes(st, column);
    *n = p && bytes > 0 ? (size_t)bytes : 0;
    return *n ? p : (const uint8_t *)"";
}

const char *su_db_text(sqlite3_stmt *st, int column)
{
    const unsigned char *p = sqlite3_column_text(st, column);
    return p ? (const char *)p : "";
}

/* ---- files ---- */

/* synchronous: a commit must be on the disk when it returns, also over a power cut. A charge to the privacy ledger precedes the noise it
 * pays for, and a withdrawal is a promise to a person; an import pays with some fifty fsyncs. secure_delete overwrites what is deleted;
 * mmap off keeps a failing disk an error instead of a signal; temporary b-trees stay in memory. */
static su_status configure(su_context *ctx, sqlite3 *db, const su_db_kind *kind)
{
    char sql[320];
    sqlite3_extended_result_codes(db, 1);
    sqlite3_busy_timeout(db, BUSY_MS);
    sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_FKEY, 1, NULL);
    sqlite3_limit(db, SQLITE_LIMIT_ATTACHED, 0);
    snprintf(sql, sizeof sql,
             "PRAGMA temp_store=MEMORY; PRAGMA mmap_size=0; PRAGMA secure_delete=ON; PRAGMA cell_size_check=ON; PRAGMA "
             "synchronous=%s; PRAGMA cache_size=-%d;",
             kind->wal ? "FULL" : "EXTRA", CACHE_KIB);
    return su_db_exec(ctx, db, sql, "opening it");
}

/* The table definitions as one text, in a fixed order. */
static su_status definitions(su_context *ctx, sqlite3 *db, su_buf *out)
{
    sqlite3_stmt *st = NULL;
    bool row = false;
    su_status s = su_db_query(ctx, db, &st, "SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY type, name", "");
    while (s == SU_OK && (s = su_db_step(ctx, st, &row, "reading its table definitions")) == SU_OK && row)
        su_buf_printf(out, "%s|%s|%s|%s\n", su_db_text(st, 0), su_db_text(st, 1), su_db_text(st, 2), su_db_text(st, 3));
    sqlite3_finalize(st);
    return s;
}

static su_status definitions_expected(su_context *ctx, const su_db_kind *kind, su_buf *out)
{
    sqlite3 *db = NULL;
    int rc = sqlite3_open_v2(":memory:", &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_PRIVATECACHE, NULL);
    su_status s = rc == SQLITE_OK ? su_db_exec(ctx, db, kind->sql, "laying out tables") : su_db_fail(ctx, db, rc, "laying out tables");
    if (s == SU_OK) s = definitions(ctx, db, out);
    sqlite3_close(db);
    return s;
}

static su_status check_identity(su_context *ctx, sqlite3 *db, const su_db_kind *kind)
{
    su_buf have = { 0 }, want = { 0 };
    int64_t application = 0, version = 0;
    su_status s = su_db_number(ctx, db, "reading its identity", &application, "PRAGMA application_id", "");
    if (s == SU_OK) s = su_db_number(ctx, db, "reading its version", &version, "PRAGMA user_version", "");
    if (s != SU_OK) goto out;
    if (application != kind->application_id) {
        s = su_fail(ctx, SU_INPUT,
                    "%s: this is no Suha %s: another program's database or an empty file. It was left as it is. Check the "
                    "path.",
                    file_of(db), kind->noun);
        goto out;
    }
    if (version > kind->version) {
        s = su_fail(ctx, SU_INPUT,
                    "%s: a %s of format %lld; this program knows formats up to %d. It was made by a newer Suha: install "
                    "that version.",
                    file_of(db), kind->noun, (long long)version, kind->version);
        goto out;
    }
    if (version < 1) {
        s = su_fail(ctx, SU_CRYPTO, "%s: damaged: its format number is %lld. Restore a backup.", file_of(db), (long long)version);
        goto out;
    }
    if ((s = definitions(ctx, db, &have)) != SU_OK || (s = definitions_expected(ctx, kind, &want)) != SU_OK) goto out;
    if (have.n != want.n || memcmp(have.p, want.p, want.n) != 0)
        s = su_fail(ctx, SU_CRYPTO,
                    "%s: its table definitions were changed by another program or damaged. It was left as it is. Restore a "
                    "backup.",
                    file_of(db));
out:
    su_buf_free(&have);
    su_buf_free(&want);
    return s;
}

static su_status beside(su_context *ctx, const char *path, const char *suffix, char *out, size_t size)
{
    int n = snprintf(out, size, "%s%s", path, suffix);
    return n > 0 && (size_t)n < size ? SU_OK : su_fail(ctx, SU_USAGE, "%s: the path is too long. Use a shorter one.", path);
}

su_status su_db_open(su_context *ctx, const su_db_kind *kind, const char *path, sqlite3 **out)
{
    sqlite3 *db = NULL;
    char side[4096];
    struct stat st;
    su_status s = SU_OK;
    if (stat(path, &st) != 0)
        return su_fail(ctx, SU_IO, "%s: there is no %s here (%s). Check the path, or make one first.", path, kind->noun, strerror(errno));
    if (!S_ISREG(st.st_mode) || st.st_size == 0)
        return su_fail(ctx, SU_INPUT, "%s: %s, not a Suha %s. It was left as it is. Check the path, or restore a backup.", path,
                       S_ISREG(st.st_mode) ? "an empty file" : "not a regular file", kind->noun);
    /* SQLite would roll back a foreign journal on its first read, and so change a file that is none of ours. */
    if ((s = beside(ctx, path, "-journal", side, sizeof side)) != SU_OK) return s;
    if (kind->wal && stat(side, &st) == 0)
        return su_fail(ctx, SU_INPUT,
                       "%s: another program's journal stands beside it (%s), so this is no Suha %s. Both were left as they "
                       "are.",
                       path, side, kind->noun);
    if ((s = beside(ctx, path, "-wal", side, sizeof side)) != SU_OK) return s;
    bool unfinished = stat(side, &st) == 0 && st.st_size > 0;
    int rc = sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL);
    if (rc != SQLITE_OK) {
        s = su_db_fail(ctx, db, rc, "opening it");
        goto out;
    }
    if (unfinished) sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    if ((s = configure(ctx, db, kind)) != SU_OK || (s = check_identity(ctx, db, kind)) != SU_OK) goto out;
    *out = db;
    db = NULL;
out:
    sqlite3_close(db);
    return s;
}

void su_db_trust(sqlite3 *db) { sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, NULL); }

static su_status sync_folder(su_context *ctx, const char *path)
{
    char folder[4096];
    const char *base = su_path_base(path);
    size_t n = (size_t)(base - path);
    su_status s = SU_OK;
    if (n >= sizeof folder) return su_fail(ctx, SU_USAGE, "%s: the path is too long. Use a shorter one.", path);
    memcpy(folder, n ? path : ".", n ? n : 1);
    folder[n ? n : 1] = '\0';
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || fsync(fd) != 0) s = su_fail(ctx, SU_IO, "%s: %s", folder, strerror(errno));
    if (fd >= 0) close(fd);
    return s;
}

static su_status fill_new(su_context *ctx, const su_db_kind *kind, const char *part, su_db_fill *fill, void *arg)
{
    sqlite3 *db = NULL;
    char sql[128];
    su_status s = SU_OK;
    int rc = sqlite3_open_v2(part, &db, SQLITE_OPEN_READWRITE, NULL);
    if (rc != SQLITE_OK) {
        s = su_db_fail(ctx, db, rc, "making it");
        goto out;
    }
    if ((s = configure(ctx, db, kind)) != SU_OK || (s = su_db_begin(ctx, db, "making it")) != SU_OK) goto out;
    snprintf(sql, sizeof sql, "PRAGMA application_id=%d; PRAGMA user_version=%d;", kind->application_id, kind->version);
    s = su_db_exec(ctx, db, sql, "making it");
    if (s == SU_OK) s = su_db_exec(ctx, db, kind->sql, "laying out tables");
    if (s == SU_OK) s = fill(ctx, db, arg);
    s = su_db_end(ctx, db, s, "making it");
    if (s == SU_OK && kind->wal) s = su_db_exec(ctx, db, "PRAGMA journal_mode=WAL", "turning on its log");
out:
    sqlite3_close(db);
    return s;
}

su_status su_db_create(su_context *ctx, const su_db_kind *kind, const char *path, su_db_fill *fill, void *arg)
{
    char part[4096], suffix[32];
    su_status s = SU_OK;
    snprintf(suffix, sizeof suffix, ".new-%ld", (long)getpid());
    if ((s = beside(ctx, path, suffix, part, sizeof part)) != SU_OK) return s;
    unlink(part);
    int fd = open(part, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0) return su_fail(ctx, SU_IO, "%s: cannot be made: %s. The folder must exist and be writable for you.", path, strerror(errno));
    close(fd);
    if ((s = fill_new(ctx, kind, part, fill, arg)) != SU_OK) goto out;
    /* link refuses to replace; file systems without hard links (USB sticks) have the rename that does. */
    if (link(part, path) != 0 && (errno == EEXIST || renameat2(AT_FDCWD, part, AT_FDCWD, path, RENAME_NOREPLACE) != 0)) {
        if (errno == EEXIST)
            s = su_fail(ctx, SU_REFUSED, "%s exists already and was left as it is. Choose another place, or open the %s that is there.",
                        path, kind->noun);
        else
            s = su_fail(ctx, SU_IO, "%s: cannot be made: %s", path, strerror(errno));
        goto out;
    }
    s = sync_folder(ctx, path);
out:
    unlink(part);
    return s;
}
