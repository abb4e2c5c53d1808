/* Withdrawal: a person's record goes. Its ciphertext is overwritten with zero bytes of the same length, here and in SQLite's log; the
 * audit chain names it by blind index only. Older copies of the file still hold it: docs/rfc/0002-vault.md. */
#include "vault_priv.h"

#include <string.h>

static su_status mark(su_context *ctx, su_vault *v, int64_t key, const uint8_t blind[SU_BLIND])
{
    su_arena arena;
    su_arena_init(&arena);
    su_batch_row *rows = NULL, *b = NULL;
    size_t n = 0;
    char hex[2 * SU_BLIND + 1];
    su_status s = su_batch_rows(ctx, v, &arena, &rows, &n);
    for (size_t i = 0; i < n && s == SU_OK; i++)
        if (rows[i].number == key >> 32) b = &rows[i];
    if (s == SU_OK && (!b || !su_batch_mac_holds(v, b))) s = su_vault_damaged(ctx, v, "the batch of this record");
    if (s == SU_OK && !b->closed)
        s = su_fail(ctx, SU_REFUSED,
                    "This record belongs to an unfinished import (batch %lld). Import again without resuming, and without "
                    "this record: that removes it.",
                    (long long)b->number);
    if (s == SU_OK)
        s = su_db_run(ctx, v->db, "withdrawing a record", "UPDATE record SET live = 0, sealed = zeroblob(length(sealed)) WHERE id = ?", "i",
                      key);
    if (s == SU_OK) {
        b->withdrawn++;
        s = su_batch_update(ctx, v, b);
    }
    if (s == SU_OK) {
        su_hex(blind, SU_BLIND, hex);
        s = su_audit_add(ctx, v, SU_AUDIT_WITHDRAWN, "record=%s", hex);
    }
    su_arena_free(&arena);
    return s;
}

su_status su_vault_withdraw(su_context *ctx, su_vault *v, const char *org, const char *record)
{
    su_arena arena;
    su_arena_init(&arena);
    su_org_row row = { 0 };
    uint8_t blind[SU_BLIND];
    int64_t key = 0;
    su_status s = su_vault_need_keys(ctx, v, "withdraw a record");
    if (s != SU_OK || (s = su_org_find(ctx, v, &arena, org, &row)) != SU_OK) goto out;
    su_blind(row.keys->blind, su_str_of(record), blind);
    if ((s = su_db_begin(ctx, v->db, "withdrawing a record")) != SU_OK) goto out;
    s = su_db_number(ctx, v->db, "looking for the record", &key, "SELECT id FROM record WHERE blind = ? AND live = 1", "b", blind,
                     sizeof blind);
    if (s == SU_OK && key == 0)
        s = su_fail(ctx, SU_INPUT,
                    "%s has no record with this identifier in the vault, or it was withdrawn before. Identifiers are "
                    "compared exactly: check spelling, capital letters and blanks.",
                    row.id);
    if (s == SU_OK) s = mark(ctx, v, key, blind);
    if ((s = su_db_end(ctx, v->db, s, "withdrawing a record")) != SU_OK) goto out;
    if (!su_db_checkpoint(v->db, 5000))
        su_log(ctx,
               "the record is withdrawn; another program is reading, so its old ciphertext stays in %s-wal until that program has "
               "finished",
               v->file);
out:
    su_secret_free(row.keys);
    su_arena_free(&arena);
    return s;
}
