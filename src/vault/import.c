/* Import: a batch is opened, its records are sealed in chunks, and one last transaction closes it. Readers see closed batches only, so a
 * kill at any moment leaves all of it or nothing; an open batch is resumed or swept by the next import. */
#include "known.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>

enum { CHUNK = 4096, LOCK_WAIT_MS = 60000, LOCK_STEP_MS = 50, LAYOUT_PAD = 256, INFO_PAD = 256 };

typedef struct import_run {
    su_vault *v;
    const su_case_table *t;
    const su_batch_info *info;
    const char *schema_name;
    su_org_row org;
    su_arena arena;
    su_layout layout;
    uint32_t *columns;
    uint64_t count;  /* records to be stored */
    uint64_t *rows;  /* of the table, per record */
    uint8_t *blinds; /* SU_BLIND per record */
    su_batch_row batch;
    uint64_t done; /* records sealed and committed */
    su_import_counts counts;
} import_run;

/* ---- what is asked for ---- */

static su_status check_records(su_context *ctx, const su_case_table *t)
{
    uint32_t known = su_dict_count(t->records);
    uint64_t *first_row = su_alloc_array((size_t)known + 1, sizeof *first_row);
    su_status s = SU_OK;
    for (uint64_t r = 0; r < t->row_count && s == SU_OK; r++) {
        uint32_t id = t->record_ids[r];
        if (id >= known || su_dict_get(t->records, id).n == 0)
            s = su_fail(ctx, SU_INPUT,
                        "row %llu has no record identifier, so it could never be withdrawn. Fill it in, or correct the "
                        "mapping's record rule.",
                        (unsigned long long)r + 1);
        else if (first_row[id])
            s = su_fail(ctx, SU_INPUT,
                        "rows %llu and %llu have the same record identifier. A record is one person: correct the "
                        "identifiers, or join the rows before the import.",
                        (unsigned long long)first_row[id], (unsigned long long)r + 1);
        else
            first_row[id] = r + 1;
    }
    free(first_row);
    return s;
}

static su_status check(su_context *ctx, const import_run *run)
{
    const su_case_table *t = run->t;
    if (!t->schema || strcmp(run->schema_name, t->schema->name) != 0)
        return su_fail(ctx, SU_USAGE, "the table is in schema %s, its provenance says %s", t->schema ? t->schema->name : "(none)",
                       run->schema_name);
    if (t->row_count == 0) return su_fail(ctx, SU_INPUT, "There are no records to import: every row was rejected, or the file is empty.");
    if (t->row_count > UINT32_MAX) return su_fail(ctx, SU_INPUT, "One import holds at most 4,294,967,295 records. Split the file.");
    if (!t->record_ids || !t->records) return su_fail(ctx, SU_USAGE, "the table has no record identifiers");
    return check_records(ctx, t);
}

/* ---- one import at a time: a lock on the folder, which the system takes back when the process dies ---- */

static su_status lock_folder(su_context *ctx, su_vault *v)
{
    const struct timespec step = { .tv_nsec = LOCK_STEP_MS * 1000000L };
    for (int waited = 0; flock(v->dir_fd, LOCK_EX | LOCK_NB) != 0; waited += LOCK_STEP_MS) {
        if (errno != EWOULDBLOCK && errno != EINTR)
            return su_fail(ctx, SU_IO, "%s: its folder cannot be locked: %s", v->file, strerror(errno));
        if (waited >= LOCK_WAIT_MS)
            return su_fail(ctx, SU_REFUSED, "%s: another import has been running for %d s. Try again when it has finished.", v->file,
                           LOCK_WAIT_MS / 1000);
        if (su_cancelled(ctx)) return su_fail(ctx, SU_CANCELLED, "Stopped while waiting for another import. Nothing was imported.");
        if (waited == 0) su_log(ctx, "another import is running; waiting for it");
        nanosleep(&step, NULL);
    }
    return SU_OK;
}

/* ---- opening a batch ---- */

static void seal_part(import_run *run, const char *purpose, su_buf *plain, size_t pad, const uint8_t **out, size_t *out_n)
{
    su_buf ad = { 0 };
    static const uint8_t zero[INFO_PAD];
    if (pad) su_buf_add(plain, zero, (pad - plain->n % pad) % pad);
    *out_n = plain->n + SU_SEAL_OVERHEAD;
    uint8_t *sealed = su_arena_alloc(&run->arena, *out_n);
    su_batch_ad(run->v, &run->batch, purpose, &ad);
    su_seal(run->org.keys->seal, ad.p, ad.n, (const uint8_t *)plain->p, plain->n, sealed);
    su_wipe(plain->p, plain->n);
    su_buf_free(plain);
    su_buf_free(&ad);
    *out = sealed;
}

static su_status open_batch(su_context *ctx, import_run *run)
{
    const su_batch_info *info = run->info;
    su_vault *v = run->v;
    su_buf layout = { 0 }, provenance = { 0 };
    su_batch_row *b = &run->batch;
    *b = (su_batch_row) { .organisation = run->org.number,
                          .org_id = run->org.id,
                          .schema_name = run->schema_name,
                          .source = info->source,
                          .mapping = info->mapping,
                          .schema = info->schema,
                          .rows_in = (int64_t)info->rows_in,
                          .rejected = (int64_t)info->rejected,
                          .records = (int64_t)run->count,
                          .at = su_clock_unix() };
    su_status s = su_db_number(ctx, v->db, "numbering a batch", &b->number,
                               "SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'batch'), 0) + 1", "");
    if (s != SU_OK) return s;
    if (b->number >= INT32_MAX) return su_fail(ctx, SU_REFUSED, "%s: this vault has had as many imports as it can number.", v->file);
    su_layout_encode(&run->layout, &layout);
    seal_part(run, "suha-layout-1", &layout, 0, &b->layout, &b->layout_n);
    su_buf_text(&provenance, info->source_name ? info->source_name : "");
    su_buf_char(&provenance, '\0');
    su_buf_text(&provenance, info->who ? info->who : "");
    su_buf_char(&provenance, '\0');
    seal_part(run, "suha-info-1", &provenance, INFO_PAD, &b->info, &b->info_n);
    if ((s = su_batch_insert(ctx, v, b)) != SU_OK) return s;
    return su_audit_add(ctx, v, SU_AUDIT_IMPORT_BEGUN, "batch=%lld organisation=%s", (long long)b->number, run->org.id);
}

/* Takes up an open batch: what it holds must be the first rows of this very table. */
static su_status take_up(su_context *ctx, import_run *run, const su_batch_row *open)
{
    sqlite3_stmt *st = NULL;
    su_layout there;
    su_buf want = { 0 }, have = { 0 };
    bool row = false, same = su_batch_mac_holds(run->v, open);
    size_t n = 0;
    run->batch = *open;
    su_status s = su_batch_layout(ctx, run->v, run->org.keys, open, &run->arena, &there);
    if (s != SU_OK) goto out;
    su_layout_encode(&there, &have);
    su_layout_encode(&run->layout, &want);
    same = same && have.n == want.n && memcmp(have.p, want.p, have.n) == 0;
    s = su_db_query(ctx, run->v->db, &st, "SELECT id, blind FROM record WHERE id BETWEEN ? AND ? ORDER BY id", "ii",
                    su_record_key(open->number, 1), su_record_key(open->number, UINT32_MAX));
    while (s == SU_OK && same && (s = su_db_step(ctx, st, &row, "reading an unfinished import")) == SU_OK && row) {
        const uint8_t *blind = su_db_blob(st, 1, &n);
        same = run->done < run->count && sqlite3_column_int64(st, 0) == su_record_key(open->number, run->done + 1) && n == SU_BLIND &&
               memcmp(blind, run->blinds + run->done * SU_BLIND, SU_BLIND) == 0;
        run->done++;
    }
    if (s == SU_OK && !same)
        s = su_fail(ctx, SU_REFUSED,
                    "The unfinished import (batch %lld) does not hold the first rows of this table, so it cannot be "
                    "resumed. Import again without resuming: that removes it and starts over.",
                    (long long)open->number);
out:
    sqlite3_finalize(st);
    su_buf_free(&want);
    su_buf_free(&have);
    return s;
}

static bool same_import(const import_run *run, const su_batch_row *b)
{
    const su_batch_info *info = run->info;
    return strcmp(b->schema_name, run->schema_name) == 0 && memcmp(&b->source, &info->source, sizeof b->source) == 0 &&
           memcmp(&b->mapping, &info->mapping, sizeof b->mapping) == 0 && memcmp(&b->schema, &info->schema, sizeof b->schema) == 0 &&
           b->records == (int64_t)run->count;
}

static su_status choose_batch(su_context *ctx, import_run *run, bool resume)
{
    su_batch_row *rows = NULL, *open = NULL;
    size_t n = 0;
    char when[21];
    su_status s = su_batch_rows(ctx, run->v, &run->arena, &rows, &n);
    for (size_t i = 0; i < n && s == SU_OK; i++) {
        su_batch_row *b = &rows[i];
        if (b->organisation != run->org.number) continue;
        if (b->closed && strcmp(b->schema_name, run->schema_name) == 0 && memcmp(&b->source, &run->info->source, sizeof b->source) == 0) {
            su_clock_iso(b->at, when);
            s = su_fail(ctx, SU_REFUSED, "This very file was imported for %s at %s (batch %lld). Nothing was imported again.", run->org.id,
                        when, (long long)b->number);
        } else if (!b->closed && resume && same_import(run, b)) {
            open = b;
        } else if (!b->closed && !resume) {
            su_log(ctx, "removing what an unfinished import left (batch %lld)", (long long)b->number);
            s = su_batch_sweep(ctx, run->v, b);
        }
    }
    if (s != SU_OK) return s;
    if (open) return take_up(ctx, run, open);
    if (resume) su_log(ctx, "there is no unfinished import of this file to resume; starting a new one");
    return open_batch(ctx, run);
}

/* ---- records that are there already ---- */

static su_status refuse_known(su_context *ctx, const import_run *run, const su_known *state)
{
    uint64_t known = 0, first = 0;
    bool open = false;
    for (uint64_t i = run->done; i < run->count; i++) {
        if (state[i] != SU_KNOWN_LIVE && state[i] != SU_KNOWN_OPEN) continue;
        if (!known++) first = run->rows[i] + 1;
        open = open || state[i] == SU_KNOWN_OPEN;
    }
    if (!known) return SU_OK;
    return su_fail(ctx, SU_REFUSED,
                   "%llu of %llu records are in the vault already (the first is row %llu of the table). Nothing was "
                   "imported. %s",
                   (unsigned long long)known, (unsigned long long)run->count, (unsigned long long)first,
                   open ? "Some belong to an unfinished import: import without resuming to remove it."
                        : "Import with --skip-known to add the new ones only, or withdraw the older ones first. If the mapping names no "
                          "record column, records are told apart by their line number: name one with the rule record.");
}

/* Leaves out what finished imports brought, and those who withdrew: a full export still holds them. */
static su_status skip_known(su_context *ctx, import_run *run, const su_known *state)
{
    uint64_t kept = 0;
    for (uint64_t i = 0; i < run->count; i++) {
        run->counts.known += state[i] == SU_KNOWN_LIVE;
        run->counts.withdrawn += state[i] == SU_KNOWN_WITHDRAWN;
        if (state[i] == SU_KNOWN_LIVE || state[i] == SU_KNOWN_WITHDRAWN) continue;
        memmove(run->blinds + kept * SU_BLIND, run->blinds + i * SU_BLIND, SU_BLIND);
        run->rows[kept++] = run->rows[i];
    }
    run->count = kept;
    if (kept) return SU_OK;
    return su_fail(ctx, SU_REFUSED,
                   "There is nothing new in this file: %llu records are in the vault already, %llu were withdrawn. Nothing was imported.",
                   (unsigned long long)run->counts.known, (unsigned long long)run->counts.withdrawn);
}

static void tell_return(su_context *ctx, import_run *run, const su_known *state)
{
    for (uint64_t i = run->done; i < run->count; i++) run->counts.returned += state[i] == SU_KNOWN_WITHDRAWN;
    if (run->counts.returned)
        su_log(ctx,
               "%llu of these records had been withdrawn and count again from now on. If nobody gave consent again, withdraw them now.",
               (unsigned long long)run->counts.returned);
}

/* One transaction: what is known, and the batch for what is to be stored. */
static su_status begin(su_context *ctx, import_run *run, unsigned how)
{
    su_known *state = su_alloc_array((size_t)run->count + 1, sizeof *state);
    su_status s = su_db_begin(ctx, run->v->db, "opening a batch");
    if (s == SU_OK) {
        if (how & SU_IMPORT_SKIP_KNOWN) {
            s = su_known_find(ctx, run->v, run->blinds, run->count, state);
            if (s == SU_OK) s = skip_known(ctx, run, state);
        }
        if (s == SU_OK) s = choose_batch(ctx, run, how & SU_IMPORT_RESUME);
        if (s == SU_OK) s = su_known_find(ctx, run->v, run->blinds, run->count, state);
        if (s == SU_OK) s = refuse_known(ctx, run, state);
        s = su_db_end(ctx, run->v->db, s, "opening a batch");
    }
    if (s == SU_OK) tell_return(ctx, run, state);
    free(state);
    return s;
}

/* ---- sealing ---- */

static su_status seal_row(su_context *ctx, import_run *run, sqlite3_stmt *insert, uint64_t row, su_scratch *plain, su_scratch *sealed)
{
    uint8_t ad[SU_RECORD_AD];
    bool none = false;
    const uint8_t *blind = run->blinds + row * SU_BLIND;
    int64_t key = su_record_key(run->batch.number, row + 1);
    su_status s = su_record_encode(ctx, run->t, &run->layout, run->columns, run->rows[row], plain);
    if (s != SU_OK) return s;
    su_scratch_need(sealed, plain->n + SU_SEAL_OVERHEAD);
    su_record_ad(run->v, run->org.number, key, blind, ad);
    su_seal(run->org.keys->seal, ad, sizeof ad, plain->p, plain->n, sealed->p);
    s = su_db_bind(ctx, insert, "ibb", key, blind, (size_t)SU_BLIND, sealed->p, plain->n + SU_SEAL_OVERHEAD);
    return s == SU_OK ? su_db_step(ctx, insert, &none, "storing records") : s;
}

static su_status seal_chunk(su_context *ctx, import_run *run, uint64_t end, su_scratch *plain, su_scratch *sealed)
{
    sqlite3_stmt *insert = NULL;
    su_status s = su_db_begin(ctx, run->v->db, "storing records");
    if (s != SU_OK) return s;
    s = su_db_query(ctx, run->v->db, &insert, "INSERT INTO record VALUES(?, 1, ?, ?)", "");
    for (uint64_t r = run->done; r < end && s == SU_OK; r++) s = seal_row(ctx, run, insert, r, plain, sealed);
    sqlite3_finalize(insert);
    s = su_db_end(ctx, run->v->db, s, "storing records");
    if (s == SU_OK) run->done = end;
    return s;
}

static su_status close_batch(su_context *ctx, import_run *run)
{
    char detail[256];
    su_status s = su_db_begin(ctx, run->v->db, "finishing the import");
    if (s != SU_OK) return s;
    run->batch.closed = true;
    run->batch.at = su_clock_unix();
    su_batch_closed_detail(&run->batch, detail);
    s = su_batch_update(ctx, run->v, &run->batch);
    if (s == SU_OK) s = su_audit_add(ctx, run->v, SU_AUDIT_IMPORT_CLOSED, "%s", detail);
    return su_db_end(ctx, run->v->db, s, "finishing the import");
}

static su_status seal_all(su_context *ctx, import_run *run)
{
    su_scratch plain = { 0 }, sealed = { 0 };
    uint64_t total = run->count;
    su_status s = SU_OK;
    while (s == SU_OK && run->done < total) {
        su_progress(ctx, "sealing records", (double)run->done / (double)total);
        if (su_cancelled(ctx))
            s = su_fail(ctx, SU_CANCELLED,
                        "Stopped after %llu of %llu records; none of them counts yet. Resume the import, or import "
                        "again to start over.",
                        (unsigned long long)run->done, (unsigned long long)total);
        else
            s = seal_chunk(ctx, run, total - run->done > CHUNK ? run->done + CHUNK : total, &plain, &sealed);
    }
    su_scratch_free(&plain);
    su_scratch_free(&sealed);
    return s == SU_OK ? close_batch(ctx, run) : s;
}

/* A batch that can never be finished must not stay: its table holds what cannot be sealed. */
static void drop_batch(su_context *ctx, import_run *run)
{
    su_context quiet;
    su_context_init(&quiet);
    su_status s = su_db_begin(&quiet, run->v->db, "removing a failed import");
    if (s != SU_OK) return;
    s = su_batch_sweep(&quiet, run->v, &run->batch);
    if (su_db_end(&quiet, run->v->db, s, "removing a failed import") != SU_OK)
        su_log(ctx, "what was sealed stays until the next import: %s", quiet.message);
}

static void list_records(import_run *run)
{
    run->count = run->t->row_count;
    run->blinds = su_alloc_array(run->count, SU_BLIND);
    run->rows = su_alloc_array(run->count, sizeof *run->rows);
    for (uint64_t r = 0; r < run->count; r++) {
        run->rows[r] = r;
        su_blind(run->org.keys->blind, su_dict_get(run->t->records, run->t->record_ids[r]), run->blinds + r * SU_BLIND);
    }
}

su_status su_vault_import(su_context *ctx, su_vault *v, const char *org, const su_case_table *t, const su_batch_info *info, unsigned how,
                          uint64_t *number, su_import_counts *counts)
{
    import_run run = { .v = v, .t = t, .info = info };
    su_arena_init(&run.arena);
    bool locked = false;
    run.schema_name = info->schema_name ? info->schema_name : t->schema ? t->schema->name : "";
    su_status s = su_vault_need_keys(ctx, v, "import records");
    if (s != SU_OK || (s = check(ctx, &run)) != SU_OK || (s = su_org_find(ctx, v, &run.arena, org, &run.org)) != SU_OK) goto out;
    su_layout_of(t, &run.arena, &run.layout, &run.columns);
    list_records(&run);
    if ((s = lock_folder(ctx, v)) != SU_OK) goto out;
    locked = true;
    if ((s = begin(ctx, &run, how)) != SU_OK) goto out;
    s = seal_all(ctx, &run);
    if (s == SU_INPUT || s == SU_INTERNAL) drop_batch(ctx, &run);
    if (s != SU_OK) goto out;
    *number = (uint64_t)run.batch.number;
    run.counts.sealed = run.count;
    if (counts) *counts = run.counts;
    su_db_checkpoint(v->db, 500);
    su_progress(ctx, "sealing records", 1.0);
out:
    if (locked) flock(v->dir_fd, LOCK_UN);
    su_secret_free(run.org.keys);
    free(run.blinds);
    free(run.rows);
    su_arena_free(&run.arena);
    return s;
}
