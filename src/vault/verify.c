/* Verification: everything that can be checked, each finding a log line; goes on after a finding. */
#include "vault_priv.h"

#include <string.h>

typedef struct verify_run {
    su_vault *v;
    su_arena arena;
    su_dict *audited; /* details of the closed imports and withdrawals in the audit chain */
    uint64_t events[SU_AUDIT_EVENT_COUNT];
    uint64_t closed, withdrawn; /* found in the tables */
    uint64_t *checked, *bad;
} verify_run;

static void finding(su_context *ctx, verify_run *run, const char *fmt, ...) SU_PRINTF(3, 4);
static void finding(su_context *ctx, verify_run *run, const char *fmt, ...)
{
    char line[512];
    va_list args;
    va_start(args, fmt);
    vsnprintf(line, sizeof line, fmt, args);
    va_end(args);
    ++*run->bad;
    su_log(ctx, "%s", line);
}

/* Damage is a finding, not the end; what the system refuses (disk, memory, a lock) is. */
static su_status as_finding(su_context *ctx, verify_run *run, su_status s)
{
    if (s != SU_CRYPTO && s != SU_INPUT) return s;
    finding(ctx, run, "%s", ctx->message);
    ctx->status = SU_OK;
    ctx->message[0] = '\0';
    return SU_OK;
}

static su_status structure(su_context *ctx, verify_run *run)
{
    sqlite3_stmt *st = NULL;
    bool row = false;
    su_status s = su_db_query(ctx, run->v->db, &st, "PRAGMA integrity_check(20)", "");
    ++*run->checked;
    while (s == SU_OK && (s = su_db_step(ctx, st, &row, "checking its structure")) == SU_OK && row)
        if (strcmp(su_db_text(st, 0), "ok") != 0) finding(ctx, run, "the database's structure is damaged: %.200s", su_db_text(st, 0));
    sqlite3_finalize(st);
    return s;
}

static su_status collect_audited(su_context *ctx, verify_run *run)
{
    sqlite3_stmt *st = NULL;
    bool row = false;
    su_status s = su_db_query(ctx, run->v->db, &st, "SELECT detail FROM audit WHERE event IN (?, ?)", "tt",
                              su_audit_word(SU_AUDIT_IMPORT_CLOSED), su_audit_word(SU_AUDIT_WITHDRAWN));
    while (s == SU_OK && (s = su_db_step(ctx, st, &row, "reading the audit chain")) == SU_OK && row)
        su_dict_add(run->audited, su_str_of(su_db_text(st, 0)));
    sqlite3_finalize(st);
    return s;
}

/* ---- records ---- */

static void check_withdrawn(su_context *ctx, verify_run *run, const su_batch_row *b, sqlite3_stmt *st)
{
    char detail[16 + 2 * SU_BLIND] = "record=";
    size_t blind_n = 0, n = 0;
    uint32_t id = 0;
    const uint8_t *blind = su_db_blob(st, 1, &blind_n), *sealed = su_db_blob(st, 2, &n);
    uint8_t any = 0;
    for (size_t i = 0; i < n; i++) any |= sealed[i];
    if (blind_n == SU_BLIND) su_hex(blind, SU_BLIND, detail + strlen(detail));
    run->withdrawn++;
    if (any || !su_dict_find(run->audited, su_str_of(detail), &id))
        finding(ctx, run, "batch %lld, record %lld is marked withdrawn but %s", (long long)b->number,
                (long long)(sqlite3_column_int64(st, 0) & UINT32_MAX),
                any ? "its ciphertext was not overwritten" : "the audit chain does not know of it");
}

static void check_live(su_context *ctx, verify_run *run, const su_batch_row *b, const su_org_keys *keys, const su_layout *layout,
                       su_record_value *values, sqlite3_stmt *st, su_scratch *plain)
{
    uint8_t ad[SU_RECORD_AD];
    size_t blind_n = 0, n = 0;
    su_str id = { 0 };
    bool newer = false, good = false;
    int64_t key = sqlite3_column_int64(st, 0);
    const uint8_t *blind = su_db_blob(st, 1, &blind_n), *sealed = su_db_blob(st, 2, &n);
    uint8_t expected[SU_BLIND];
    if (blind_n == SU_BLIND && n >= SU_SEAL_OVERHEAD) {
        su_scratch_need(plain, n);
        su_record_ad(run->v, b->organisation, key, blind, ad);
        good = su_unseal(keys->seal, ad, sizeof ad, sealed, n, plain->p) &&
               su_record_decode(layout, plain->p, n - SU_SEAL_OVERHEAD, &id, values, &newer);
    }
    if (good) {
        su_blind(keys->blind, id, expected);
        good = memcmp(expected, blind, SU_BLIND) == 0;
    }
    if (!good) finding(ctx, run, "batch %lld, record %lld cannot be unsealed", (long long)b->number, (long long)(key & UINT32_MAX));
}

static su_status check_records(su_context *ctx, verify_run *run, const su_batch_row *b, const su_org_keys *keys, const su_layout *layout)
{
    sqlite3_stmt *st = NULL;
    bool row = false;
    su_scratch plain = { 0 };
    int64_t n = 0, withdrawn = 0;
    su_record_value *values = su_arena_array(&run->arena, (size_t)layout->field_count + 1, sizeof *values);
    su_status s = su_db_query(ctx, run->v->db, &st, "SELECT id, blind, sealed, live FROM record WHERE id BETWEEN ? AND ? ORDER BY id", "ii",
                              su_record_key(b->number, 0), su_record_key(b->number, UINT32_MAX));
    while (s == SU_OK && (s = su_db_step(ctx, st, &row, "reading records")) == SU_OK && row) {
        if (sqlite3_column_int64(st, 0) != su_record_key(b->number, (uint64_t)++n))
            finding(ctx, run, "batch %lld: a record is missing before record %lld", (long long)b->number,
                    (long long)(sqlite3_column_int64(st, 0) & UINT32_MAX));
        n = sqlite3_column_int64(st, 0) & UINT32_MAX;
        ++*run->checked;
        if (sqlite3_column_int64(st, 3) == 1) {
            check_live(ctx, run, b, keys, layout, values, st, &plain);
        } else {
            check_withdrawn(ctx, run, b, st);
            withdrawn++;
        }
    }
    sqlite3_finalize(st);
    su_scratch_free(&plain);
    if (s == SU_OK && (withdrawn != b->withdrawn || n > b->records || (b->closed && n != b->records)))
        finding(ctx, run, "batch %lld should hold %lld records, %lld of them withdrawn; it holds %lld and %lld", (long long)b->number,
                (long long)b->records, (long long)b->withdrawn, (long long)n, (long long)withdrawn);
    return s;
}

/* ---- batches and organisations ---- */

static su_status check_batch(su_context *ctx, verify_run *run, const su_batch_row *b)
{
    su_org_row org = { 0 };
    su_layout layout;
    const char *source = NULL, *who = NULL;
    char detail[256];
    uint32_t id = 0;
    ++*run->checked;
    run->closed += b->closed;
    if (!su_batch_mac_holds(run->v, b)) finding(ctx, run, "the entry of batch %lld was changed", (long long)b->number);
    su_batch_closed_detail(b, detail);
    if (b->closed && !su_dict_find(run->audited, su_str_of(detail), &id))
        finding(ctx, run, "batch %lld is not in the audit chain as it stands here", (long long)b->number);
    su_status s = su_org_find_number(ctx, run->v, &run->arena, b->organisation, &org);
    if (s == SU_OK) s = as_finding(ctx, run, su_batch_unseal_info(ctx, run->v, org.keys, b, &run->arena, &source, &who));
    if (s == SU_OK) s = su_batch_layout(ctx, run->v, org.keys, b, &run->arena, &layout);
    if (s == SU_OK) s = check_records(ctx, run, b, org.keys, &layout);
    su_secret_free(org.keys);
    return as_finding(ctx, run, s);
}

static su_status check_batches(su_context *ctx, verify_run *run)
{
    su_batch_row *rows = NULL;
    size_t n = 0;
    int64_t strays = 0;
    su_status s = su_batch_rows(ctx, run->v, &run->arena, &rows, &n);
    for (size_t i = 0; i < n && s == SU_OK; i++) s = check_batch(ctx, run, &rows[i]);
    if (s == SU_OK)
        s = su_db_number(ctx, run->v->db, "looking for stray records", &strays,
                         "SELECT count(*) FROM record WHERE id >> 32 NOT IN (SELECT number FROM batch)", "");
    if (s == SU_OK && strays) finding(ctx, run, "%lld records belong to no batch", (long long)strays);
    if (s == SU_OK && (run->withdrawn != run->events[SU_AUDIT_WITHDRAWN] || run->closed != run->events[SU_AUDIT_IMPORT_CLOSED]))
        finding(ctx, run, "there are %llu imports and %llu withdrawn records; the audit chain knows of %llu and %llu",
                (unsigned long long)run->closed, (unsigned long long)run->withdrawn,
                (unsigned long long)run->events[SU_AUDIT_IMPORT_CLOSED], (unsigned long long)run->events[SU_AUDIT_WITHDRAWN]);
    return s;
}

static su_status check_organisations(su_context *ctx, verify_run *run)
{
    sqlite3_stmt *st = NULL;
    bool row = false;
    su_status s = su_db_query(ctx, run->v->db, &st, "SELECT number FROM organisation ORDER BY number", "");
    while (s == SU_OK && (s = su_db_step(ctx, st, &row, "reading the organisations")) == SU_OK && row) {
        su_org_row org = { 0 };
        ++*run->checked;
        s = as_finding(ctx, run, su_org_find_number(ctx, run->v, &run->arena, sqlite3_column_int64(st, 0), &org));
        su_secret_free(org.keys);
    }
    sqlite3_finalize(st);
    return s;
}

static su_status check_ledger(su_context *ctx, verify_run *run)
{
    su_ledger *ledger = NULL;
    uint64_t checked = 0, bad = 0;
    su_status s = su_vault_ledger(ctx, run->v, &ledger);
    if (s == SU_OK) s = su_ledger_verify(ctx, ledger, &checked, &bad);
    *run->checked += checked;
    *run->bad += bad;
    su_ledger_close(ledger);
    return s;
}

su_status su_vault_verify(su_context *ctx, su_vault *v, uint64_t *checked, uint64_t *bad)
{
    verify_run run = { .v = v, .checked = checked, .bad = bad };
    su_status s = su_db_exec(ctx, v->db, "BEGIN", "checking the vault");
    *checked = *bad = 0;
    su_arena_init(&run.arena);
    run.audited = su_dict_new();
    if (s == SU_OK) s = as_finding(ctx, &run, structure(ctx, &run));
    if (s == SU_OK) s = as_finding(ctx, &run, su_audit_verify(ctx, v, run.events, checked, bad));
    if (s == SU_OK) s = as_finding(ctx, &run, check_ledger(ctx, &run));
    if (s == SU_OK && v->keys) {
        s = as_finding(ctx, &run, collect_audited(ctx, &run));
        if (s == SU_OK) s = as_finding(ctx, &run, check_organisations(ctx, &run));
        if (s == SU_OK) s = as_finding(ctx, &run, check_batches(ctx, &run));
    }
    su_db_leave(v->db);
    su_dict_free(run.audited);
    su_arena_free(&run.arena);
    return s;
}
