/* SQLite as the vault and the ledger use it: how a file is made, opened and checked, statements with bound parameters, transactions,
 * errors in words. */
#ifndef SU_VAULT_DB_H
#define SU_VAULT_DB_H

#include <sqlite3.h>
#include <suha/base.h>

/* A kind of database file. Its identity is application_id + user_version, and its table definitions must be exactly `sql`: a file with
 * one trigger or view more is not ours. */
typedef struct su_db_kind {
    const char *noun; /* "vault", "privacy ledger": for messages */
    int application_id, version;
    const char *sql;
    bool wal; /* write-ahead log (readers go on while an import writes), or a rollback journal (one file at rest) */
} su_db_kind;

/* Makes `path` whole or not at all: written under another name, then linked. SU_REFUSED when path exists. */
typedef su_status su_db_fill(su_context *ctx, sqlite3 *db, void *arg);
su_status su_db_create(su_context *ctx, const su_db_kind *kind, const char *path, su_db_fill *fill, void *arg);

/* Opens and checks. Until su_db_trust, closing writes nothing to a file that a crash left unfinished, so that a failed open changes no
 * byte. */
su_status su_db_open(su_context *ctx, const su_db_kind *kind, const char *path, sqlite3 **out);
void su_db_trust(sqlite3 *db);

/* Turns the failure of an SQLite call into words and a way forward. `doing`: "reading the batches". Never shows parameters. */
su_status su_db_fail(su_context *ctx, sqlite3 *db, int rc, const char *doing);

su_status su_db_exec(su_context *ctx, sqlite3 *db, const char *sql, const char *doing);
/* Prepares and binds, one letter per parameter: i int64_t | d double | t const char * (NULL binds NULL) | b const void *, size_t. Bytes
 * are borrowed until the statement is reset or finalised. */
su_status su_db_query(su_context *ctx, sqlite3 *db, sqlite3_stmt **out, const char *sql, const char *types, ...);
su_status su_db_bind(su_context *ctx, sqlite3_stmt *st, const char *types, ...);
su_status su_db_step(su_context *ctx, sqlite3_stmt *st, bool *row, const char *doing);
/* su_db_query + one step that must give no row, for INSERT, UPDATE, DELETE. */
su_status su_db_run(su_context *ctx, sqlite3 *db, const char *doing, const char *sql, const char *types, ...);
/* First column of the first row as a number; 0 when there is none. */
su_status su_db_number(su_context *ctx, sqlite3 *db, const char *doing, int64_t *out, const char *sql, const char *types, ...);

su_status su_db_begin(su_context *ctx, sqlite3 *db, const char *doing); /* BEGIN IMMEDIATE: waits for other writers */
/* Commits when status is SU_OK, else rolls back. Returns the status that holds then. */
su_status su_db_end(su_context *ctx, sqlite3 *db, su_status status, const char *doing);

void su_db_leave(sqlite3 *db); /* ends a transaction that only read */

/* Moves the log into the database file and empties it. False when a reader was in the way for wait_ms: the next one does it. */
bool su_db_checkpoint(sqlite3 *db, int wait_ms);

const uint8_t *su_db_blob(sqlite3_stmt *st, int column, size_t *n); /* borrows until the next step; never NULL with *n > 0 */
const char *su_db_text(sqlite3_stmt *st, int column);               /* borrows; "" for NULL */

#endif
