/* Batch rows: the provenance of an import. What can be read without a key is authenticated by a MAC; the file's name and the person's
 * name are sealed. */
#include "vault_priv.h"

#include <string.h>

void su_record_ad(const su_vault *v, int64_t organisation, int64_t key, const uint8_t blind[SU_BLIND], uint8_t out[SU_RECORD_AD])
{
    memcpy(out, "suharec1", 8);
    memcpy(out + 8, v->id, SU_VAULT_ID);
    su_put_u64(out + 24, (uint64_t)organisation);
    su_put_u64(out + 32, (uint64_t)key >> 32);
    su_put_u64(out + 40, (uint64_t)key & UINT32_MAX);
    memcpy(out + 48, blind, SU_BLIND);
}

void su_batch_ad(const su_vault *v, const su_batch_row *b, const char *purpose, su_buf *out)
{
    su_canon_begin(out, purpose, v->id);
    su_canon_u64(out, (uint64_t)b->organisation);
    su_canon_u64(out, (uint64_t)b->number);
}

static void batch_mac(const su_vault *v, const su_batch_row *b, uint8_t out[SU_HASH])
{
    su_buf c = { 0 };
    su_canon_begin(&c, "suha-batch-1", v->id);
    const int64_t numbers[] = { b->number, b->organisation, b->closed, b->rows_in, b->rejected, b->records, b->withdrawn, b->at };
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) su_canon_u64(&c, (uint64_t)numbers[i]);
    su_canon_text(&c, b->schema_name);
    su_canon_bytes(&c, b->source.bytes, SU_HASH);
    su_canon_bytes(&c, b->mapping.bytes, SU_HASH);
    su_canon_bytes(&c, b->schema.bytes, SU_HASH);
    su_canon_bytes(&c, b->info, b->info_n);
    su_canon_bytes(&c, b->layout, b->layout_n);
    su_mac(v->keys->batch, c.p, c.n, out);
    su_buf_free(&c);
}

bool su_batch_mac_holds(const su_vault *v, const su_batch_row *b)
{
    uint8_t mac[SU_HASH];
    batch_mac(v, b, mac);
    return su_mac_equal(mac, b->mac);
}

static const uint8_t *copy_blob(su_arena *arena, sqlite3_stmt *st, int column, size_t *n)
{
    const uint8_t *p = su_db_blob(st, column, n);
    uint8_t *copy = su_arena_alloc(arena, *n + 1);
    if (*n) memcpy(copy, p, *n);
    return copy;
}

static void copy_hash(sqlite3_stmt *st, int column, uint8_t out[SU_HASH])
{
    size_t n = 0;
    const uint8_t *p = su_db_blob(st, column, &n);
    memset(out, 0, SU_HASH);
    memcpy(out, p, n < SU_HASH ? n : SU_HASH);
}

su_status su_batch_rows(su_context *ctx, su_vault *v, su_arena *arena, su_batch_row **out, size_t *count)
{
    sqlite3_stmt *st = NULL;
    bool row = false;
    int64_t expected = 0;
    su_batch_row *rows = NULL;
    size_t n = 0;
    /* One statement, one snapshot: the count of all rows comes with each of them. */
    su_status s = su_db_query(ctx, v->db, &st,
                              "SELECT (SELECT count(*) FROM batch), b.number, b.organisation, b.closed, b.rows_in, "
                              "b.rejected, b.records, b.withdrawn, b.at, b.schema_name, b.source, b.mapping, b.schema, "
                              "b.sealed_info, b.sealed_layout, b.mac, o.id FROM batch b LEFT JOIN organisation o ON "
                              "o.number = b.organisation ORDER BY b.number",
                              "");
    while (s == SU_OK && (s = su_db_step(ctx, st, &row, "reading the batches")) == SU_OK && row) {
        if (!rows) {
            expected = sqlite3_column_int64(st, 0);
            rows = su_arena_array(arena, expected > 0 ? (size_t)expected : 1, sizeof *rows);
        }
        if ((int64_t)n >= expected) {
            s = su_vault_damaged(ctx, v, "the table of batches");
            break;
        }
        su_batch_row *b = &rows[n++];
        *b = (su_batch_row) { .number = sqlite3_column_int64(st, 1),
                              .organisation = sqlite3_column_int64(st, 2),
                              .closed = sqlite3_column_int64(st, 3) != 0,
                              .rows_in = sqlite3_column_int64(st, 4),
                              .rejected = sqlite3_column_int64(st, 5),
                              .records = sqlite3_column_int64(st, 6),
                              .withdrawn = sqlite3_column_int64(st, 7),
                              .at = sqlite3_column_int64(st, 8),
                              .schema_name = su_arena_printf(arena, "%s", su_db_text(st, 9)),
                              .org_id = su_arena_printf(arena, "%s", su_db_text(st, 16)) };
        copy_hash(st, 10, b->source.bytes);
        copy_hash(st, 11, b->mapping.bytes);
        copy_hash(st, 12, b->schema.bytes);
        b->info = copy_blob(arena, st, 13, &b->info_n);
        b->layout = copy_blob(arena, st, 14, &b->layout_n);
        copy_hash(st, 15, b->mac);
    }
    sqlite3_finalize(st);
    *out = rows;
    *count = n;
    return s;
}

su_status su_batch_insert(su_context *ctx, su_vault *v, su_batch_row *b)
{
    batch_mac(v, b, b->mac);
    return su_db_run(ctx, v->db, "opening a batch", "INSERT INTO batch VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                     "iiitbbbiiiiibbb", b->number, b->organisation, (int64_t)b->closed, b->schema_name, b->source.bytes, (size_t)SU_HASH,
                     b->mapping.bytes, (size_t)SU_HASH, b->schema.bytes, (size_t)SU_HASH, b->rows_in, b->rejected, b->records, b->withdrawn,
                     b->at, b->info, b->info_n, b->layout, b->layout_n, b->mac, (size_t)SU_HASH);
}

su_status su_batch_update(su_context *ctx, su_vault *v, const su_batch_row *b)
{
    uint8_t mac[SU_HASH];
    batch_mac(v, b, mac);
    return su_db_run(ctx, v->db, "updating a batch",
                     "UPDATE batch SET closed = ?, records = ?, withdrawn = ?, at = ?, mac = ? WHERE "
                     "number = ?",
                     "iiiibi", (int64_t)b->closed, b->records, b->withdrawn, b->at, mac, sizeof mac, b->number);
}

su_status su_batch_sweep(su_context *ctx, su_vault *v, const su_batch_row *b)
{
    su_status s = su_db_run(ctx, v->db, "removing an unfinished import", "DELETE FROM record WHERE id BETWEEN ? AND ?", "ii",
                            su_record_key(b->number, 1), su_record_key(b->number, UINT32_MAX));
    if (s == SU_OK)
        s = su_db_run(ctx, v->db, "removing an unfinished import", "DELETE FROM batch WHERE number = ? AND closed = 0", "i", b->number);
    if (s == SU_OK) s = su_audit_add(ctx, v, SU_AUDIT_IMPORT_SWEPT, "batch=%lld", (long long)b->number);
    return s;
}

void su_batch_closed_detail(const su_batch_row *b, char out[256])
{
    char source[2 * SU_HASH + 1];
    su_hex(b->source.bytes, SU_HASH, source);
    snprintf(out, 256, "batch=%lld organisation=%.64s records=%lld source=%s", (long long)b->number, b->org_id, (long long)b->records,
             source);
}

/* Unseals what a batch holds beside its records, into arena (which wipes). NULL when it does not open. */
static uint8_t *open_part(su_vault *v, const su_org_keys *keys, const su_batch_row *b, const char *purpose, const uint8_t *sealed, size_t n,
                          su_arena *arena)
{
    su_buf ad = { 0 };
    uint8_t *plain = n >= SU_SEAL_OVERHEAD ? su_arena_alloc(arena, n - SU_SEAL_OVERHEAD + 1) : NULL;
    su_batch_ad(v, b, purpose, &ad);
    if (plain && !su_unseal(keys->seal, ad.p, ad.n, sealed, n, plain)) plain = NULL;
    su_buf_free(&ad);
    return plain;
}

static su_status part_damaged(su_context *ctx, const su_vault *v, const su_batch_row *b, const char *part)
{
    char what[96];
    snprintf(what, sizeof what, "the %s of batch %lld cannot be unsealed", part, (long long)b->number);
    return su_vault_damaged(ctx, v, what);
}

su_status su_batch_layout(su_context *ctx, su_vault *v, const su_org_keys *keys, const su_batch_row *b, su_arena *arena, su_layout *out)
{
    bool newer = false;
    uint8_t *plain = open_part(v, keys, b, "suha-layout-1", b->layout, b->layout_n, arena);
    if (!plain) return part_damaged(ctx, v, b, "column list");
    if (su_layout_decode(arena, plain, b->layout_n - SU_SEAL_OVERHEAD, out, &newer) && strcmp(out->schema, b->schema_name) == 0)
        return SU_OK;
    if (newer)
        return su_fail(ctx, SU_INPUT, "%s: batch %lld was sealed by a newer Suha: install that version.", v->file, (long long)b->number);
    return part_damaged(ctx, v, b, "column list");
}

/* info = source name NUL who NUL, padded with zero bytes */
su_status su_batch_unseal_info(su_context *ctx, su_vault *v, const su_org_keys *keys, const su_batch_row *b, su_arena *arena,
                               const char **source_name, const char **who)
{
    uint8_t *plain = open_part(v, keys, b, "suha-info-1", b->info, b->info_n, arena);
    size_t n = plain ? b->info_n - SU_SEAL_OVERHEAD : 0;
    const uint8_t *first = n ? memchr(plain, 0, n) : NULL;
    if (!first || !memchr(first + 1, 0, n - (size_t)(first + 1 - plain))) return part_damaged(ctx, v, b, "provenance");
    *source_name = (const char *)plain;
    *who = (const char *)first + 1;
    return SU_OK;
}

su_status su_vault_batches(su_context *ctx, su_vault *v, su_arena *arena, su_batch **out, size_t *count)
{
    su_batch_row *rows = NULL;
    su_org_row org = { 0 };
    size_t n = 0;
    su_status s = su_batch_rows(ctx, v, arena, &rows, &n);
    su_batch *batches = s == SU_OK ? su_arena_array(arena, n ? n : 1, sizeof *batches) : NULL;
    for (size_t i = 0; i < n && s == SU_OK; i++) {
        const su_batch_row *b = &rows[i];
        int64_t sealed = b->records;
        batches[i] = (su_batch) { .number = (uint64_t)b->number,
                                  .org = b->org_id,
                                  .when = b->at,
                                  .state = b->closed ? "closed" : "open",
                                  .withdrawn = (uint64_t)b->withdrawn };
        batches[i].info = (su_batch_info) { .source_name = "(sealed)",
                                            .who = "(sealed)",
                                            .source = b->source,
                                            .mapping = b->mapping,
                                            .schema = b->schema,
                                            .schema_name = b->schema_name,
                                            .rows_in = (uint64_t)b->rows_in,
                                            .rejected = (uint64_t)b->rejected };
        if (!b->closed)
            s = su_db_number(ctx, v->db, "counting an open batch", &sealed, "SELECT count(*) FROM record WHERE id BETWEEN ? AND ?", "ii",
                             su_record_key(b->number, 1), su_record_key(b->number, UINT32_MAX));
        batches[i].records = (uint64_t)sealed;
        if (s != SU_OK || !v->keys) continue;
        if (!su_batch_mac_holds(v, b)) {
            s = part_damaged(ctx, v, b, "entry");
            break;
        }
        if (!org.keys || org.number != b->organisation) {
            su_secret_free(org.keys);
            org.keys = NULL;
            s = su_org_find_number(ctx, v, arena, b->organisation, &org);
        }
        if (s == SU_OK) s = su_batch_unseal_info(ctx, v, org.keys, b, arena, &batches[i].info.source_name, &batches[i].info.who);
    }
    su_secret_free(org.keys);
    *out = batches;
    *count = s == SU_OK ? n : 0;
    return s;
}

su_status su_vault_schemas(su_context *ctx, su_vault *v, su_arena *arena, char ***names, size_t *count)
{
    sqlite3_stmt *st = NULL;
    bool row = false;
    char **list = NULL;
    size_t n = 0;
    su_status s = su_db_query(ctx, v->db, &st,
                              "SELECT DISTINCT schema_name, (SELECT count(*) FROM batch) FROM batch WHERE closed = 1 AND "
                              "records > withdrawn ORDER BY 1",
                              "");
    while (s == SU_OK && (s = su_db_step(ctx, st, &row, "reading the schemas")) == SU_OK && row) {
        if (!list) list = su_arena_array(arena, (size_t)sqlite3_column_int64(st, 1), sizeof *list);
        list[n++] = su_arena_printf(arena, "%s", su_db_text(st, 0));
    }
    sqlite3_finalize(st);
    *names = list;
    *count = n;
    return s;
}
