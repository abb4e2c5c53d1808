/* The audit chain. hash(n) = SHA-256(canonical(vault, n, at, event, detail, hash(n-1))): anyone can check the links. mac = BLAKE2b(audit
 * key, hash): nobody without the passphrase can write a chain of his own. The sealed head (count, last hash) in `meta` shows a tail that
 * was cut off. */
#include "vault_priv.h"

#include <sodium.h>
#include <string.h>

const char *su_audit_word(su_audit_event event)
{
    static const char *const words[] = {
#define X(name, word) [SU_AUDIT_##name] = word,
        SU_AUDIT_EVENTS(X)
#undef X
    };
    return words[event];
}

static void entry_hash(const uint8_t id[SU_VAULT_ID], uint64_t n, int64_t at, const char *event, const char *detail,
                       const uint8_t previous[SU_HASH], uint8_t out[SU_HASH])
{
    su_buf b = { 0 };
    su_canon_begin(&b, "suha-audit-1", id);
    su_canon_u64(&b, n);
    su_canon_u64(&b, (uint64_t)at);
    su_canon_text(&b, event);
    su_canon_text(&b, detail);
    su_canon_bytes(&b, previous, SU_HASH);
    crypto_hash_sha256(out, (const uint8_t *)b.p, b.n);
    su_buf_free(&b);
}

su_status su_audit_last(su_context *ctx, sqlite3 *db, su_audit_head *out)
{
    sqlite3_stmt *st = NULL;
    bool row = false;
    size_t n = 0;
    *out = (su_audit_head) { 0 };
    su_status s = su_db_query(ctx, db, &st, "SELECT n, hash FROM audit ORDER BY n DESC LIMIT 1", "");
    if (s == SU_OK) s = su_db_step(ctx, st, &row, "reading the audit chain");
    if (s == SU_OK && row) {
        const uint8_t *hash = su_db_blob(st, 1, &n);
        out->count = (uint64_t)sqlite3_column_int64(st, 0);
        memcpy(out->hash, hash, n < SU_HASH ? n : SU_HASH);
    }
    sqlite3_finalize(st);
    return s;
}

enum { HEAD_PLAIN = 8 + SU_HASH };

static su_status head_write(su_context *ctx, su_vault *v, const su_audit_head *head)
{
    uint8_t plain[HEAD_PLAIN], sealed[HEAD_PLAIN + SU_SEAL_OVERHEAD];
    su_buf ad = { 0 };
    su_put_u64(plain, head->count);
    memcpy(plain + 8, head->hash, SU_HASH);
    su_canon_begin(&ad, "suha-head-1", v->id);
    su_seal(v->keys->head, ad.p, ad.n, plain, sizeof plain, sealed);
    su_buf_free(&ad);
    return su_db_run(ctx, v->db, "sealing the audit chain's head", "INSERT OR REPLACE INTO meta VALUES('head', ?)", "b", sealed,
                     sizeof sealed);
}

/* *holds: the sealed head names exactly `head`. A vault in the making has neither. */
static su_status head_holds(su_context *ctx, su_vault *v, const su_audit_head *head, bool *holds)
{
    sqlite3_stmt *st = NULL;
    bool row = false;
    uint8_t plain[HEAD_PLAIN];
    size_t n = 0;
    su_buf ad = { 0 };
    su_status s = su_db_query(ctx, v->db, &st, "SELECT value FROM meta WHERE name = 'head'", "");
    if (s == SU_OK) s = su_db_step(ctx, st, &row, "reading the audit chain's head");
    if (s != SU_OK) goto out;
    *holds = !row && head->count == 0;
    if (row) {
        const uint8_t *sealed = su_db_blob(st, 0, &n);
        su_canon_begin(&ad, "suha-head-1", v->id);
        *holds = n == sizeof plain + SU_SEAL_OVERHEAD && su_unseal(v->keys->head, ad.p, ad.n, sealed, n, plain) &&
                 su_get_u64(plain) == head->count && memcmp(plain + 8, head->hash, SU_HASH) == 0;
    }
out:
    sqlite3_finalize(st);
    su_buf_free(&ad);
    return s;
}

su_status su_audit_add(su_context *ctx, su_vault *v, su_audit_event event, const char *fmt, ...)
{
    char detail[256];
    uint8_t hash[SU_HASH], mac[SU_HASH];
    su_audit_head head;
    bool holds = false;
    va_list args;
    va_start(args, fmt);
    vsnprintf(detail, sizeof detail, fmt, args);
    va_end(args);
    su_status s = su_audit_last(ctx, v->db, &head);
    if (s == SU_OK) s = head_holds(ctx, v, &head, &holds);
    if (s != SU_OK) return s;
    if (!holds) return su_vault_damaged(ctx, v, "the end of the audit chain is not the one that was sealed, so nothing may be added");
    int64_t at = su_clock_unix();
    const char *word = su_audit_word(event);
    entry_hash(v->id, head.count + 1, at, word, detail, head.hash, hash);
    su_mac(v->keys->audit, hash, sizeof hash, mac);
    s = su_db_run(ctx, v->db, "writing the audit chain", "INSERT INTO audit VALUES(?, ?, ?, ?, ?, ?)", "iittbb", (int64_t)(head.count + 1),
                  at, word, detail, hash, sizeof hash, mac, sizeof mac);
    if (s != SU_OK) return s;
    head.count++;
    memcpy(head.hash, hash, sizeof hash);
    return head_write(ctx, v, &head);
}

su_status su_audit_verify(su_context *ctx, su_vault *v, uint64_t events[SU_AUDIT_EVENT_COUNT], uint64_t *checked, uint64_t *bad)
{
    sqlite3_stmt *st = NULL;
    bool row = false, holds = true;
    su_audit_head head = { 0 };
    su_status s = su_db_query(ctx, v->db, &st, "SELECT n, at, event, detail, hash, mac FROM audit ORDER BY n", "");
    while (s == SU_OK && (s = su_db_step(ctx, st, &row, "reading the audit chain")) == SU_OK && row) {
        uint8_t hash[SU_HASH], mac[SU_HASH];
        size_t hash_n = 0, mac_n = 0;
        uint64_t n = (uint64_t)sqlite3_column_int64(st, 0);
        entry_hash(v->id, head.count + 1, sqlite3_column_int64(st, 1), su_db_text(st, 2), su_db_text(st, 3), head.hash, hash);
        const uint8_t *hash_there = su_db_blob(st, 4, &hash_n);
        bool good = n == head.count + 1 && hash_n == SU_HASH && memcmp(hash, hash_there, SU_HASH) == 0;
        if (good && v->keys) {
            const uint8_t *mac_there = su_db_blob(st, 5, &mac_n);
            su_mac(v->keys->audit, hash, sizeof hash, mac);
            good = mac_n == SU_HASH && su_mac_equal(mac, mac_there);
        }
        ++*checked;
        for (int e = 0; e < SU_AUDIT_EVENT_COUNT; e++) events[e] += strcmp(su_db_text(st, 2), su_audit_word((su_audit_event)e)) == 0;
        if (!good) {
            ++*bad;
            su_log(ctx, "audit entry %llu does not hold: it, or one before it, was changed or removed", (unsigned long long)n);
        }
        head.count = n;
        memset(head.hash, 0, SU_HASH);
        memcpy(head.hash, hash_there, hash_n < SU_HASH ? hash_n : SU_HASH);
    }
    sqlite3_finalize(st);
    if (s == SU_OK && v->keys) s = head_holds(ctx, v, &head, &holds);
    if (s == SU_OK && v->keys) ++*checked;
    if (s == SU_OK && (!holds || head.count == 0)) {
        ++*bad;
        su_log(ctx, "the audit chain does not end where it was sealed: entries at its end were removed or changed");
    }
    return s;
}
