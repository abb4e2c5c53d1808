#include "known.h"

#include <stdlib.h>
#include <string.h>

static int by_bytes(const void *a, const void *b) { return memcmp(a, b, SU_BLIND); }

/* The blind indexes of all records that were withdrawn, sorted. */
static su_status withdrawn(su_context *ctx, su_vault *v, uint8_t **out, size_t *count)
{
    sqlite3_stmt *st = NULL;
    size_t capacity = 0, n = 0;
    bool row = false;
    uint8_t *all = NULL;
    su_status s = su_db_query(ctx, v->db, &st,
                              "SELECT r.blind FROM batch b JOIN record r ON r.id BETWEEN b.number << 32 AND (b.number << 32) + 4294967295 "
                              "WHERE b.withdrawn > 0 AND r.live = 0",
                              "");
    while (s == SU_OK && (s = su_db_step(ctx, st, &row, "looking for withdrawn records")) == SU_OK && row) {
        const uint8_t *blind = su_db_blob(st, 0, &n);
        if (n != SU_BLIND) continue; /* `suha vault verify` names it */
        all = su_grow(all, &capacity, (*count + 1) * SU_BLIND, 1);
        memcpy(all + (*count)++ * SU_BLIND, blind, SU_BLIND);
    }
    sqlite3_finalize(st);
    if (s == SU_OK && *count) qsort(all, *count, SU_BLIND, by_bytes);
    *out = all;
    return s;
}

su_status su_known_find(su_context *ctx, su_vault *v, const uint8_t *blinds, uint64_t n, su_known *state)
{
    sqlite3_stmt *st = NULL;
    uint8_t *gone = NULL;
    size_t gone_count = 0;
    bool row = false;
    int64_t any = 0;
    memset(state, 0, (size_t)n * sizeof *state);
    su_status s = su_db_number(ctx, v->db, "looking for records", &any, "SELECT 1 FROM record LIMIT 1", "");
    if (s != SU_OK || !any) return s;
    if ((s = withdrawn(ctx, v, &gone, &gone_count)) != SU_OK) goto out;
    s = su_db_query(ctx, v->db, &st, "SELECT b.closed FROM record r JOIN batch b ON b.number = r.id >> 32 WHERE r.blind = ? AND r.live = 1",
                    "");
    for (uint64_t i = 0; i < n && s == SU_OK; i++) {
        const uint8_t *blind = blinds + i * SU_BLIND;
        if ((s = su_db_bind(ctx, st, "b", blind, (size_t)SU_BLIND)) != SU_OK) break;
        if ((s = su_db_step(ctx, st, &row, "looking for records")) != SU_OK) break;
        if (row)
            state[i] = sqlite3_column_int64(st, 0) ? SU_KNOWN_LIVE : SU_KNOWN_OPEN;
        else if (gone_count && bsearch(blind, gone, gone_count, SU_BLIND, by_bytes))
            state[i] = SU_KNOWN_WITHDRAWN;
    }
out:
    sqlite3_finalize(st);
    free(gone);
    return s;
}
