/* What the files of the vault share: the open vault, its tables, the audit chain, organisation keys, batch rows. */
#ifndef SU_VAULT_PRIV_H
#define SU_VAULT_PRIV_H

#include "db.h"
#include "record.h"
#include "seal.h"

struct su_vault {
    sqlite3 *db;
    char *file; /* DIR/vault.db, for messages */
    int dir_fd; /* of DIR: imports take a lock on it */
    uint8_t id[SU_VAULT_ID];
    char id_hex[2 * SU_VAULT_ID + 1];
    int64_t created;
    su_keyring *keys; /* NULL in public mode */
};

extern const su_db_kind su_vault_kind;

/* The same table in a vault and in a ledger file. The triggers stop a person with an SQLite shell from tidying up; whoever removes them
 * changes the definitions, and the file is not opened any more. */
#define SU_APPEND_ONLY(table)                                                                                                              \
    "CREATE TRIGGER " table "_keeps BEFORE UPDATE ON " table " BEGIN SELECT RAISE(ABORT, 'append-only'); END;"                             \
    "CREATE TRIGGER " table "_stays BEFORE DELETE ON " table " BEGIN SELECT RAISE(ABORT, 'append-only'); END;"
#define SU_LEDGER_TABLES                                                                                                                   \
    "CREATE TABLE ledger(n INTEGER PRIMARY KEY, at INTEGER NOT NULL, event TEXT NOT NULL, entry INTEGER NOT NULL,"                         \
    " amount INTEGER NOT NULL, epsilon REAL NOT NULL, delta REAL NOT NULL, who TEXT NOT NULL, mechanism TEXT NOT NULL,"                    \
    " unit TEXT NOT NULL, inputs TEXT NOT NULL, output TEXT NOT NULL, hash BLOB NOT NULL, mac BLOB NOT NULL) STRICT;" SU_APPEND_ONLY(      \
        "ledger")

su_status su_vault_need_keys(su_context *ctx, const su_vault *v, const char *to_do);
su_status su_vault_damaged(su_context *ctx, const su_vault *v, const char *what); /* SU_CRYPTO with a way forward */

/* ---- audit chain: events live once here; the word is what stands in the file ---- */
#define SU_AUDIT_EVENTS(X)                                                                                                                 \
    X(VAULT_MADE, "vault-made")                                                                                                            \
    X(ORG_ADDED, "organisation-added")                                                                                                     \
    X(IMPORT_BEGUN, "import-begun")                                                                                                        \
    X(IMPORT_CLOSED, "import-closed")                                                                                                      \
    X(IMPORT_SWEPT, "import-swept")                                                                                                        \
    X(WITHDRAWN, "record-withdrawn")                                                                                                       \
    X(PASSPHRASE, "passphrase-changed")                                                                                                    \
    X(COMPARED, "records-compared")                                                                                                        \
    X(LEDGER, "ledger")
typedef enum su_audit_event {
#define X(name, word) SU_AUDIT_##name,
    SU_AUDIT_EVENTS(X)
#undef X
        SU_AUDIT_EVENT_COUNT
} su_audit_event;
const char *su_audit_word(su_audit_event event);

typedef struct su_audit_head {
    uint64_t count;
    uint8_t hash[SU_HASH];
} su_audit_head;
su_status su_audit_last(su_context *ctx, sqlite3 *db, su_audit_head *out);
/* Appends inside the caller's transaction; refuses when the last entry is not the one that the sealed head names. */
su_status su_audit_add(su_context *ctx, su_vault *v, su_audit_event event, const char *fmt, ...) SU_PRINTF(4, 5);
/* Walks the chain, adds to *checked and *bad, and counts the entries per event. */
su_status su_audit_verify(su_context *ctx, su_vault *v, uint64_t events[SU_AUDIT_EVENT_COUNT], uint64_t *checked, uint64_t *bad);

/* First event of a new ledger: in a transaction of a database that is being made. keys is NULL for a ledger file. */
su_status su_ledger_begin(su_context *ctx, sqlite3 *db, const su_keyring *keys, uint64_t cap_pico);

/* ---- organisations ---- */
typedef struct su_org_row {
    int64_t number;
    const char *id;
    su_org_keys *keys;
} su_org_row; /* keys: release with su_secret_free */
su_status su_org_find(su_context *ctx, su_vault *v, su_arena *arena, const char *id, su_org_row *out); /* SU_INPUT: none */
su_status su_org_find_number(su_context *ctx, su_vault *v, su_arena *arena, int64_t number, su_org_row *out);

/* ---- batches ---- */
typedef struct su_batch_row {
    int64_t number, organisation, at, rows_in, rejected, records, withdrawn;
    const char *org_id, *schema_name;
    bool closed;
    su_sha256 source, mapping, schema;
    const uint8_t *info, *layout; /* sealed */
    size_t info_n, layout_n;
    uint8_t mac[SU_HASH];
} su_batch_row;
su_status su_batch_rows(su_context *ctx, su_vault *v, su_arena *arena, su_batch_row **out, size_t *count); /* in order of number */
bool su_batch_mac_holds(const su_vault *v, const su_batch_row *b);
su_status su_batch_insert(su_context *ctx, su_vault *v, su_batch_row *b);       /* MACs and inserts */
su_status su_batch_update(su_context *ctx, su_vault *v, const su_batch_row *b); /* state, records, withdrawn, at and the MAC */
su_status su_batch_sweep(su_context *ctx, su_vault *v, const su_batch_row *b);  /* removes an open batch, in the caller's transaction */
/* The audit detail of a closed import: verification expects exactly one for each closed batch. */
void su_batch_closed_detail(const su_batch_row *b, char out[256]);
/* Associated data of what a batch seals beside records: "suha-info-1", "suha-layout-1". */
void su_batch_ad(const su_vault *v, const su_batch_row *b, const char *purpose, su_buf *out);
su_status su_batch_layout(su_context *ctx, su_vault *v, const su_org_keys *keys, const su_batch_row *b, su_arena *arena, su_layout *out);
su_status su_batch_unseal_info(su_context *ctx, su_vault *v, const su_org_keys *keys, const su_batch_row *b, su_arena *arena,
                               const char **source_name, const char **who);

/* ---- records: id = batch << 32 | sequence, sequences from 1 ---- */
static inline int64_t su_record_key(int64_t batch, uint64_t sequence) { return batch << 32 | (int64_t)sequence; }
enum { SU_RECORD_AD = 8 + SU_VAULT_ID + 8 + 8 + 8 + SU_BLIND };
/* A record's ciphertext holds only in this vault, organisation, batch, place and under this blind index. */
void su_record_ad(const su_vault *v, int64_t organisation, int64_t key, const uint8_t blind[SU_BLIND], uint8_t out[SU_RECORD_AD]);

#endif
