/* vault: sealed case records of several organisations, their keys, batches, withdrawals, audit chain; and the privacy ledger.
 *
 * A SQLite file whose every cell that could tell something about a person is ciphertext (XChaCha20-Poly1305, key per organisation,
 * wrapped by a master key that the passphrase unlocks through Argon2id). What stays readable: organisation ids and names, schema names,
 * counts, times, hashes, ciphertext lengths rounded up. No plaintext reaches the database, WAL, temp files or logs.
 * docs/rfc/0002-vault.md has the format and its threat model.
 *
 * Several processes may hold one vault open. One import runs at a time: a second one waits up to a minute, then gets SU_REFUSED. A
 * su_vault or su_ledger belongs to one thread at a time, and does not survive fork().
 */
#ifndef SUHA_VAULT_H
#define SUHA_VAULT_H

#include <suha/table.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct su_vault su_vault;
/* Caller keeps it in locked memory and wipes it. Taken byte by byte: no normalisation. */
typedef struct su_passphrase {
    const char *p;
    size_t n;
} su_passphrase;

#define SU_PASSPHRASE_MIN 8    /* characters (UTF-8), asked of a new passphrase */
#define SU_PASSPHRASE_MAX 1024 /* bytes */

typedef struct su_vault_status {
    uint32_t format;
    int64_t created;
    uint64_t organisations, batches, records, withdrawn, audit_entries; /* closed batches; records: live ones in them */
    const char *vault_id;                                               /* hex, borrowed from the vault */
    /* Hex of the last audit entry's hash. Noted down elsewhere, it shows a vault that was put back to an older copy. */
    char audit_head[65];
} su_vault_status;

/* What a guess at the passphrase costs: MODERATE 256 MiB and about 1 s (default), INTERACTIVE 64 MiB (demo), TEST nothing (tests only;
 * every open says so). */
typedef enum su_vault_cost { SU_VAULT_COST_MODERATE, SU_VAULT_COST_INTERACTIVE, SU_VAULT_COST_TEST } su_vault_cost;

/* DIR gets vault.db (0600) and nothing else; DIR is made when missing (0700). Refuses a DIR that holds a vault. While a vault is open,
 * and after a crash, SQLite's vault.db-wal and vault.db-shm (0600, ciphertext only) stand beside it. SU_USAGE for a passphrase that is
 * too short or too long. */
su_status su_vault_init(su_context *ctx, const char *dir, su_passphrase pass) SU_MUST_CHECK;
su_status su_vault_init_with(su_context *ctx, const char *dir, su_passphrase pass, su_vault_cost cost) SU_MUST_CHECK;
/* Errors: SU_CRYPTO wrong passphrase or damaged; SU_INPUT foreign file or newer format; SU_IO. Nothing is changed on failure. */
su_status su_vault_open(su_context *ctx, const char *dir, su_passphrase pass, su_vault **out) SU_MUST_CHECK;
/* Opens without a passphrase: status, organisations, batches, ledger (to read) and audit chain only; nothing sealed is readable, nothing
 * is written. */
su_status su_vault_open_public(su_context *ctx, const char *dir, su_vault **out) SU_MUST_CHECK;
void su_vault_close(su_vault *v); /* wipes keys; NULL is fine */
su_status su_vault_status_get(su_context *ctx, su_vault *v, su_vault_status *out) SU_MUST_CHECK;
/* Wraps the master key anew. The old passphrase opens this file no longer (but every older copy of it). */
su_status su_vault_passphrase_set(su_context *ctx, su_vault *v, su_passphrase pass, su_vault_cost cost) SU_MUST_CHECK;

typedef struct su_org {
    const char *id, *name, *kind;
    uint64_t batches, records, withdrawn;
} su_org; /* counted as in su_vault_status */
/* kind: "case-management", "hotline", "state", "other". id: [a-z0-9-]{1,64}. */
su_status su_vault_org_add(su_context *ctx, su_vault *v, const char *id, const char *name, const char *kind) SU_MUST_CHECK;
su_status su_vault_orgs(su_context *ctx, su_vault *v, su_arena *arena, su_org **out, size_t *count) SU_MUST_CHECK;

typedef struct su_batch_info {         /* provenance of an import */
    const char *source_name;           /* file's base name. Sealed, as is who: "(sealed)" in public mode */
    su_sha256 source, mapping, schema; /* fingerprints */
    const char *schema_name, *who;
    uint64_t rows_in, rejected;
} su_batch_info;
typedef struct su_batch {
    uint64_t number;
    const char *org;
    su_batch_info info;
    uint64_t records; /* sealed so far (open) or by the whole import (closed) */
    int64_t when;
    const char *state;  /* "open" or "closed" */
    uint64_t withdrawn; /* of records */
} su_batch;

enum { SU_IMPORT_RESUME = 1, SU_IMPORT_SKIP_KNOWN = 2 };
typedef struct su_import_counts {
    uint64_t sealed;    /* records of the batch */
    uint64_t known;     /* left out: in the vault already */
    uint64_t withdrawn; /* left out: they were withdrawn */
    uint64_t returned;  /* sealed although they had been withdrawn */
} su_import_counts;

/* Seals and stores all records of `t` as one batch: all or nothing, also across kill -9 (a batch is sealed in chunks while its state is
 * "open" and counts only once it is "closed" in the last transaction). `how`, added up: SU_IMPORT_RESUME: an open batch of the same source,
 * mapping, schema and organisation goes on where it stopped. SU_IMPORT_SKIP_KNOWN: records that exist (same organisation and record id),
 * or did until they were withdrawn, are left out; their contents are not compared. Without it records that exist refuse the whole
 * import; one that was withdrawn is taken in again, and the log says so: consent may be given again. A source already imported (closed)
 * for this organisation and schema is refused. A record id twice in `t` is SU_INPUT. *number = the batch; counts may be NULL. Also sweeps
 * abandoned open batches of this organisation when not resuming. SU_CANCELLED leaves the batch open for a resume. O(records). */
su_status su_vault_import(su_context *ctx, su_vault *v, const char *org, const su_case_table *t, const su_batch_info *info, unsigned how,
                          uint64_t *number, su_import_counts *counts) SU_MUST_CHECK;
su_status su_vault_batches(su_context *ctx, su_vault *v, su_arena *arena, su_batch **out, size_t *count) SU_MUST_CHECK;
/* Marks a record withdrawn: later reads leave it out; its ciphertext is overwritten. SU_INPUT if there is no such record. */
su_status su_vault_withdraw(su_context *ctx, su_vault *v, const char *org, const char *record) SU_MUST_CHECK;
/* All live records of all organisations (org NULL) in a schema, columns in schema order. Order of rows is a keyed shuffle that depends
 * on the set of records alone, not on the order of import. Codes are matched by their text: a code list may grow or be put in another
 * order; a code or column that records use and the schema no longer has is SU_INPUT. `synthetic` only if every batch read is. No
 * records: a table of 0 rows. Fails closed (SU_CRYPTO) when the audit chain, a batch or one record does not hold, rather than give a
 * part. O(n log n). */
su_status su_vault_read(su_context *ctx, su_vault *v, const char *org, const su_schema *schema, su_case_table **out) SU_MUST_CHECK;
/* The same without record ids (all 0) and as a narrow table, for who only counts: the ids would take several times the room of the cells. */
su_status su_vault_read_cells(su_context *ctx, su_vault *v, const char *org, const su_schema *schema, su_case_table **out) SU_MUST_CHECK;
/* Adds to the audit chain that somebody compared the true records with a release, or attacked one: `what` ("evaluation" or "attack") of
 * `release`, by `who`. Its results are outside every guarantee, so it has to be known that they exist. */
su_status su_vault_note_compared(su_context *ctx, su_vault *v, const char *what, const char *release, const char *who) SU_MUST_CHECK;
/* Names of the schemas that live batches use, in arena, sorted. */
su_status su_vault_schemas(su_context *ctx, su_vault *v, su_arena *arena, char ***names, size_t *count) SU_MUST_CHECK;
/* Walks the database's structure, the audit chain, the ledger and every sealed record; *bad counts what does not hold, with a log line
 * each. In public mode only what needs no key (structure and the links of both chains). SU_OK with *bad > 0 is a damaged vault. */
su_status su_vault_verify(su_context *ctx, su_vault *v, uint64_t *checked, uint64_t *bad) SU_MUST_CHECK;

/* No core dumps and no debugger for this process (prctl PR_SET_DUMPABLE, RLIMIT_CORE). Call before a passphrase is read. */
su_status su_process_harden(su_context *ctx) SU_MUST_CHECK;

/* ---- privacy ledger (docs/rfc/0002-vault.md, docs/methods/accounting.md): append-only, hash-chained, one per population ---- */

typedef struct su_ledger su_ledger;
typedef enum su_ledger_state {
    SU_LEDGER_RESERVED,
    SU_LEDGER_MEASURED,
    SU_LEDGER_RELEASED,
    SU_LEDGER_FAILED,
    SU_LEDGER_CANCELLED
} su_ledger_state;
/* Charges and caps are zCDP rho in units of 1e-12 ("pico-rho"), each charge rounded up by the caller: sums are exact integers. At most
 * 2^62. */
typedef struct su_ledger_entry {
    uint64_t id;
    int64_t when;
    const char *operator_, *mechanism, *unit, *public_inputs, *output;
    uint64_t rho_pico;     /* charge: rho rounded up to a multiple of 1e-12 */
    double epsilon, delta; /* as stated for this release; epsilon infinite with delta 1: no differential privacy bound */
    su_ledger_state state;
} su_ledger_entry;

/* path: a SQLite file (0600); made when missing, with rho_cap. For a vault: su_vault_ledger. Errors as su_vault_open. */
su_status su_ledger_open(su_context *ctx, const char *path, uint64_t rho_cap_pico_if_new, su_ledger **out) SU_MUST_CHECK;
/* Borrows the vault's database: close the ledger first. A new vault's cap is 0: su_ledger_cap_set before the first release. In a vault
 * every ledger event is also an audit entry, authenticated by the master key. */
su_status su_vault_ledger(su_context *ctx, su_vault *v, su_ledger **out) SU_MUST_CHECK;
void su_ledger_close(su_ledger *l); /* NULL is fine */
su_status su_ledger_cap(su_context *ctx, su_ledger *l, uint64_t *cap_pico, uint64_t *spent_pico) SU_MUST_CHECK;
/* May go below what is spent (then nothing more is granted). who and why must not be empty: both are written to the chain. */
su_status su_ledger_cap_set(su_context *ctx, su_ledger *l, uint64_t cap_pico, const char *who, const char *why) SU_MUST_CHECK;
/* Refuses (SU_REFUSED) when spent + charge > cap; atomic between processes, on disk when it returns. Reserved entries count as spent; an
 * entry left reserved by a process that died counts as spent for ever (failed still charges: noise may have been seen). Uses operator_,
 * mechanism (both must not be empty), unit, public_inputs, rho_pico, epsilon, delta of `entry`. Refuses (SU_CRYPTO) when the chain does
 * not hold. */
su_status su_ledger_reserve(su_context *ctx, su_ledger *l, const su_ledger_entry *entry, uint64_t *id) SU_MUST_CHECK;
/* reserved->measured->released, either ->failed; reserved->cancelled frees the charge (nothing was drawn) and is granted only to the
 * su_ledger that reserved it. `output`: hash or name of what was made; needed for released, else may be NULL. */
su_status su_ledger_advance(su_context *ctx, su_ledger *l, uint64_t id, su_ledger_state to, const char *output) SU_MUST_CHECK;
su_status su_ledger_entries(su_context *ctx, su_ledger *l, su_arena *arena, su_ledger_entry **out, size_t *count) SU_MUST_CHECK;
/* Walks the chain and the states; *bad counts what does not hold, with a log line each. */
su_status su_ledger_verify(su_context *ctx, su_ledger *l, uint64_t *checked, uint64_t *bad) SU_MUST_CHECK;
const char *su_ledger_state_name(su_ledger_state s);

#ifdef __cplusplus
}
#endif
#endif
