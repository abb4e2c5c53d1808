/* Organisations: each has a random key, wrapped by the master key together with its id, name and kind, so that none of them can be
 * exchanged. Removing a wrapped key makes every record of that organisation unreadable, in this file. */
#include "vault_priv.h"

#include <sodium.h>
#include <string.h>

static const char *const kinds[] = { "case-management", "hotline", "state", "other" };
enum { KIND_COUNT = sizeof kinds / sizeof *kinds, NAME_MAX_BYTES = 256, WRAPPED = SU_KEY + SU_SEAL_OVERHEAD };

static su_status check(su_context *ctx, const char *id, const char *name, const char *kind)
{
    size_t n = id ? strlen(id) : 0, bad_at = 0;
    if (n < 1 || n > 64 || strspn(id, "abcdefghijklmnopqrstuvwxyz0123456789-") != n)
        return su_fail(ctx, SU_USAGE, "An organisation's id is 1 to 64 of a-z, 0-9 and '-', for example hope-shelter.");
    if (!name || !*name || strlen(name) > NAME_MAX_BYTES || !su_utf8_valid(name, strlen(name), &bad_at))
        return su_fail(ctx, SU_USAGE, "An organisation needs a name of 1 to %d bytes of UTF-8.", NAME_MAX_BYTES);
    for (int i = 0; i < KIND_COUNT; i++)
        if (kind && strcmp(kind, kinds[i]) == 0) return SU_OK;
    return su_fail(ctx, SU_USAGE, "An organisation's kind is one of case-management, hotline, state, other.");
}

static void wrap_ad(const su_vault *v, int64_t number, const char *id, const char *name, const char *kind, int64_t created, su_buf *out)
{
    su_canon_begin(out, "suha-organisation-1", v->id);
    su_canon_u64(out, (uint64_t)number);
    su_canon_text(out, id);
    su_canon_text(out, name);
    su_canon_text(out, kind);
    su_canon_u64(out, (uint64_t)created);
}

su_status su_vault_org_add(su_context *ctx, su_vault *v, const char *id, const char *name, const char *kind)
{
    su_buf ad = { 0 };
    uint8_t sealed[WRAPPED], *key = NULL;
    int64_t there = 0, number = 0, created = su_clock_unix();
    su_status s = su_vault_need_keys(ctx, v, "add an organisation");
    if (s != SU_OK || (s = check(ctx, id, name, kind)) != SU_OK) return s;
    if ((s = su_db_begin(ctx, v->db, "adding an organisation")) != SU_OK) return s;
    s = su_db_number(ctx, v->db, "looking for the organisation", &there, "SELECT count(*) FROM organisation WHERE id = ?", "t", id);
    if (s == SU_OK && there)
        s = su_fail(ctx, SU_REFUSED, "%s: there is an organisation with the id %s already. Choose another id.", v->file, id);
    if (s == SU_OK)
        s = su_db_number(ctx, v->db, "numbering the organisation", &number, "SELECT coalesce(max(number), 0) + 1 FROM organisation", "");
    if (s != SU_OK) goto out;
    key = su_secret_alloc(SU_KEY);
    randombytes_buf(key, SU_KEY);
    wrap_ad(v, number, id, name, kind, created, &ad);
    su_seal(v->keys->wrap, ad.p, ad.n, key, SU_KEY, sealed);
    s = su_db_run(ctx, v->db, "adding the organisation", "INSERT INTO organisation VALUES(?, ?, ?, ?, ?, ?)", "itttib", number, id, name,
                  kind, created, sealed, sizeof sealed);
    if (s == SU_OK) s = su_audit_add(ctx, v, SU_AUDIT_ORG_ADDED, "organisation=%s", id);
out:
    s = su_db_end(ctx, v->db, s, "adding an organisation");
    su_secret_free(key);
    su_buf_free(&ad);
    return s;
}

/* Unwraps the key of the row that `st` stands on: number, id, name, kind, created, sealed_key. */
static su_status unwrap(su_context *ctx, su_vault *v, su_arena *arena, sqlite3_stmt *st, su_org_row *out)
{
    su_buf ad = { 0 };
    size_t n = 0;
    char what[160];
    su_status s = SU_OK;
    uint8_t *key = su_secret_alloc(SU_KEY);
    out->number = sqlite3_column_int64(st, 0);
    out->id = su_arena_strndup(arena, su_db_text(st, 1), strlen(su_db_text(st, 1)));
    wrap_ad(v, out->number, out->id, su_db_text(st, 2), su_db_text(st, 3), sqlite3_column_int64(st, 4), &ad);
    const uint8_t *sealed = su_db_blob(st, 5, &n);
    if (n != WRAPPED || !su_unseal(v->keys->wrap, ad.p, ad.n, sealed, n, key)) {
        snprintf(what, sizeof what, "the entry of organisation %.64s cannot be unsealed", out->id);
        s = su_vault_damaged(ctx, v, what);
    } else {
        out->keys = su_secret_alloc(sizeof *out->keys);
        su_org_keys_derive(key, out->keys);
    }
    su_secret_free(key);
    su_buf_free(&ad);
    return s;
}

static su_status find(su_context *ctx, su_vault *v, su_arena *arena, sqlite3_stmt *st, bool *found, su_org_row *out)
{
    su_status s = su_db_step(ctx, st, found, "reading the organisation");
    if (s == SU_OK && *found) s = unwrap(ctx, v, arena, st, out);
    sqlite3_finalize(st);
    return s;
}

#define ORG_COLUMNS "SELECT number, id, name, kind, created, sealed_key FROM organisation "

su_status su_org_find(su_context *ctx, su_vault *v, su_arena *arena, const char *id, su_org_row *out)
{
    sqlite3_stmt *st = NULL;
    bool found = false;
    su_status s = su_db_query(ctx, v->db, &st, ORG_COLUMNS "WHERE id = ?", "t", id);
    if (s == SU_OK) s = find(ctx, v, arena, st, &found, out);
    if (s == SU_OK && !found)
        s = su_fail(ctx, SU_INPUT, "%s: there is no organisation with the id %.64s. Add it first: suha org add", v->file, id ? id : "");
    return s;
}

su_status su_org_find_number(su_context *ctx, su_vault *v, su_arena *arena, int64_t number, su_org_row *out)
{
    sqlite3_stmt *st = NULL;
    bool found = false;
    su_status s = su_db_query(ctx, v->db, &st, ORG_COLUMNS "WHERE number = ?", "i", number);
    if (s == SU_OK) s = find(ctx, v, arena, st, &found, out);
    if (s == SU_OK && !found) s = su_vault_damaged(ctx, v, "a batch belongs to no organisation");
    return s;
}

su_status su_vault_orgs(su_context *ctx, su_vault *v, su_arena *arena, su_org **out, size_t *count)
{
    sqlite3_stmt *st = NULL;
    bool row = false;
    su_org *orgs = NULL;
    size_t n = 0, capacity = 0;
    su_status s = su_db_query(ctx, v->db, &st,
                              "SELECT o.number, o.id, o.name, o.kind, o.created, o.sealed_key, count(b.number), "
                              "coalesce(sum(b.records - b.withdrawn), 0), coalesce(sum(b.withdrawn), 0) FROM organisation "
                              "o LEFT JOIN batch b ON b.organisation = o.number AND b.closed = 1 GROUP BY o.number ORDER "
                              "BY o.id",
                              "");
    while (s == SU_OK && (s = su_db_step(ctx, st, &row, "reading the organisations")) == SU_OK && row) {
        su_org_row keyed = { 0 };
        if (v->keys && (s = unwrap(ctx, v, arena, st, &keyed)) != SU_OK) break;
        su_secret_free(keyed.keys);
        if (n == capacity) {
            capacity = capacity ? capacity * 2 : 16;
            su_org *wider = su_arena_array(arena, capacity, sizeof *wider);
            if (n) memcpy(wider, orgs, n * sizeof *orgs);
            orgs = wider;
        }
        orgs[n++] = (su_org) { .id = su_arena_printf(arena, "%s", su_db_text(st, 1)),
                               .name = su_arena_printf(arena, "%s", su_db_text(st, 2)),
                               .kind = su_arena_printf(arena, "%s", su_db_text(st, 3)),
                               .batches = (uint64_t)sqlite3_column_int64(st, 6),
                               .records = (uint64_t)sqlite3_column_int64(st, 7),
                               .withdrawn = (uint64_t)sqlite3_column_int64(st, 8) };
    }
    sqlite3_finalize(st);
    *out = orgs;
    *count = n;
    return s;
}
