/* Reading: live records of closed batches, unsealed into a case table of today's schema. */
#include "vault_priv.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

/* Where a batch's columns and codes are in the schema of today. */
typedef struct column_map {
    uint32_t field;
    su_cell *cell; /* layout value number -> value number of today, 0 = the schema no longer has it */
    bool *gone;    /* layout value numbers that records use though the schema no longer has them */
} column_map;

typedef struct order_item {
    uint64_t key;
    uint32_t blind; /* the beginning of the blind index, for two keys that are equal by accident */
    uint32_t index;
} order_item;

typedef struct read_run {
    su_vault *v;
    const su_schema *schema;
    su_arena arena;
    su_batch_row *batches; /* those wanted */
    size_t batch_count;
    uint64_t total;  /* live records in them */
    uint32_t *place; /* row of the i-th record in order of id */
    uint64_t at;
    bool nameless; /* record ids stay 0 */
    su_dict *gone; /* "column = code" of codes that records use and the schema no longer has */
    su_case_table *t;
} read_run;

/* ---- which batches ---- */

/* A batch that was removed with all its records leaves no gap in the tables: only the audit chain knows how many there must be. */
static su_status check_complete(su_context *ctx, read_run *run, const su_batch_row *rows, size_t n)
{
    uint64_t events[SU_AUDIT_EVENT_COUNT] = { 0 }, checked = 0, bad = 0, closed = 0;
    su_status s = su_audit_verify(ctx, run->v, events, &checked, &bad);
    for (size_t i = 0; i < n; i++) closed += rows[i].closed;
    if (s == SU_OK && bad) return su_vault_damaged(ctx, run->v, "the audit chain does not hold");
    if (s == SU_OK && closed != events[SU_AUDIT_IMPORT_CLOSED])
        return su_vault_damaged(ctx, run->v, "the audit chain knows of other imports than stand here");
    return s;
}

static su_status choose(su_context *ctx, read_run *run, const char *org)
{
    su_batch_row *rows = NULL;
    size_t n = 0;
    char what[64];
    int64_t only = -1;
    su_status s = SU_OK;
    if (org) {
        su_org_row found = { 0 };
        if ((s = su_org_find(ctx, run->v, &run->arena, org, &found)) != SU_OK) return s;
        only = found.number;
        su_secret_free(found.keys);
    }
    if ((s = su_batch_rows(ctx, run->v, &run->arena, &rows, &n)) != SU_OK) return s;
    run->batches = su_arena_array(&run->arena, n ? n : 1, sizeof *run->batches);
    for (size_t i = 0; i < n; i++) {
        const su_batch_row *b = &rows[i];
        /* Checked before anything of the row is believed: a row with another schema's name would go unread in silence. */
        if (!su_batch_mac_holds(run->v, b)) {
            snprintf(what, sizeof what, "the entry of batch %lld", (long long)b->number);
            return su_vault_damaged(ctx, run->v, what);
        }
        if (!b->closed || strcmp(b->schema_name, run->schema->name) != 0 || (only >= 0 && b->organisation != only)) continue;
        run->batches[run->batch_count++] = *b;
        run->total += (uint64_t)(b->records - b->withdrawn);
    }
    return check_complete(ctx, run, rows, n);
}

/* ---- order of rows: by a keyed hash of the blind index, so that the place of a row says nothing about when or with whom it came ---- */

static int by_key(const void *a, const void *b)
{
    const order_item *x = a, *y = b;
    if (x->key != y->key) return x->key < y->key ? -1 : 1;
    return x->blind < y->blind ? -1 : x->blind > y->blind;
}

static su_status batch_count_wrong(su_context *ctx, const read_run *run, const su_batch_row *b, uint64_t found)
{
    char what[128];
    snprintf(what, sizeof what, "batch %lld should hold %lld live records and holds %llu", (long long)b->number,
             (long long)(b->records - b->withdrawn), (unsigned long long)found);
    return su_vault_damaged(ctx, run->v, what);
}

#define RECORDS_OF_BATCH " FROM record WHERE id BETWEEN ? AND ? AND live = 1 ORDER BY id"

static su_status order_batch(su_context *ctx, read_run *run, const su_batch_row *b, order_item *items, uint64_t *at)
{
    sqlite3_stmt *st = NULL;
    bool row = false;
    uint64_t found = 0, expected = (uint64_t)(b->records - b->withdrawn);
    size_t n = 0;
    su_status s = su_db_query(ctx, run->v->db, &st, "SELECT blind" RECORDS_OF_BATCH, "ii", su_record_key(b->number, 1),
                              su_record_key(b->number, UINT32_MAX));
    while (s == SU_OK && (s = su_db_step(ctx, st, &row, "reading records")) == SU_OK && row && found++ < expected) {
        const uint8_t *blind = su_db_blob(st, 0, &n);
        order_item *item = &items[*at];
        uint8_t whole[SU_BLIND] = { 0 }, hash[crypto_shorthash_BYTES];
        memcpy(whole, blind, n < SU_BLIND ? n : SU_BLIND);
        crypto_shorthash(hash, whole, SU_BLIND, run->v->keys->shuffle); /* SipHash-2-4 with the first half of the key */
        item->key = su_get_u64(hash);
        item->blind = (uint32_t)whole[0] << 24 | (uint32_t)whole[1] << 16 | (uint32_t)whole[2] << 8 | whole[3];
        item->index = (uint32_t)(*at)++;
    }
    sqlite3_finalize(st);
    return s != SU_OK || found == expected ? s : batch_count_wrong(ctx, run, b, found);
}

static su_status order(su_context *ctx, read_run *run)
{
    uint64_t at = 0;
    if (run->total >= UINT32_MAX)
        return su_fail(ctx, SU_REFUSED, "The vault holds %llu records in this schema; at most 4,294,967,294 can be read at once.",
                       (unsigned long long)run->total);
    order_item *items = su_alloc_array(run->total + 1, sizeof *items);
    su_status s = SU_OK;
    for (size_t i = 0; i < run->batch_count && s == SU_OK; i++) s = order_batch(ctx, run, &run->batches[i], items, &at);
    if (s == SU_OK) {
        qsort(items, run->total, sizeof *items, by_key);
        run->place = su_alloc_array(run->total + 1, sizeof *run->place);
        for (uint64_t r = 0; r < run->total; r++) run->place[items[r].index] = (uint32_t)r;
    }
    free(items);
    return s;
}

/* ---- today's columns and codes ---- */

static uint16_t find_code(const su_codelist *list, uint32_t hint, const char *code)
{
    if (hint < list->count && strcmp(list->codes[hint].code, code) == 0) return (uint16_t)(hint + 1);
    return su_codelist_find(list, su_str_of(code)); /* moved, or renamed: the old code is an alias of the new one */
}

static int find_field(const su_schema *schema, const char *name)
{
    for (uint32_t f = 0; f < schema->field_count; f++)
        if (strcmp(schema->fields[f].name, name) == 0) return (int)f;
    return su_schema_field(schema, su_str_of(name));
}

static su_status map_column(su_context *ctx, read_run *run, const su_batch_row *b, const su_layout_field *from, column_map *to)
{
    int f = find_field(run->schema, from->name);
    if (f < 0)
        return su_fail(ctx, SU_INPUT,
                       "Batch %lld holds a column %s, which schema %s no longer has. Put the column back, or name %s among "
                       "the aliases of its successor.",
                       (long long)b->number, from->name, run->schema->name, from->name);
    const su_field *field = &run->schema->fields[f];
    to->field = (uint32_t)f;
    if (su_store_kind_of(field->type) != from->kind)
        return su_fail(ctx, SU_INPUT,
                       "Column %s of schema %s was of another type when batch %lld was sealed; now it is %s. Give the new "
                       "column another name.",
                       field->name, run->schema->name, (long long)b->number, su_type_name(field->type));
    if (from->kind == SU_STORE_TEXT) return SU_OK;
    to->cell = su_arena_array(&run->arena, (size_t)from->code_count + 1, sizeof *to->cell);
    to->gone = su_arena_array(&run->arena, (size_t)from->code_count + 1, sizeof *to->gone);
    for (uint32_t c = 0; c < from->code_count && field->codelist; c++) to->cell[c + 1] = find_code(field->codelist, c, from->codes[c]);
    return SU_OK;
}

static su_status map_columns(su_context *ctx, read_run *run, const su_batch_row *b, const su_layout *layout, column_map **out)
{
    column_map *map = su_arena_array(&run->arena, (size_t)layout->field_count + 1, sizeof *map);
    bool *used = su_arena_array(&run->arena, (size_t)run->schema->field_count + 1, sizeof *used);
    for (uint32_t f = 0; f < layout->field_count; f++) {
        su_status s = map_column(ctx, run, b, &layout->fields[f], &map[f]);
        if (s != SU_OK) return s;
        if (used[map[f].field])
            return su_fail(ctx, SU_INPUT, "Batch %lld holds two columns that are one in schema %s now: %s. Take the alias away.",
                           (long long)b->number, run->schema->name, run->schema->fields[map[f].field].name);
        used[map[f].field] = true;
        if (!run->t->columns[map[f].field].provided) su_case_table_provide(run->t, map[f].field);
    }
    *out = map;
    return SU_OK;
}

/* ---- records ---- */

static su_cell translate(read_run *run, const su_layout_field *from, column_map *map, su_cell cell)
{
    if (!su_cell_is_value(cell)) return cell;
    su_cell now = map->cell[cell];
    if (now == 0 && !map->gone[cell]) {
        map->gone[cell] = true;
        su_dict_add(run->gone, su_str_of(su_arena_printf(&run->arena, "%s = %s", from->name, from->codes[cell - 1])));
    }
    return now;
}

static void store_set(read_run *run, const su_layout_field *from, column_map *map, const uint8_t *bits, su_case_column *column,
                      uint64_t row)
{
    uint64_t *set = column->sets + row * column->words;
    for (uint32_t w = 0; w < su_store_words(from->code_count); w++) {
        for (uint64_t left = su_get_u64(bits + 8 * (size_t)w); left; left &= left - 1) {
            su_cell now = translate(run, from, map, (su_cell)(w * 64 + (uint32_t)__builtin_ctzll(left) + 1));
            if (now && (now - 1u) / 64 < column->words) set[(now - 1u) / 64] |= 1ull << (now - 1u) % 64;
        }
    }
}

static void store(read_run *run, const su_layout *layout, column_map *map, const su_record_value *values, su_str id, uint64_t row)
{
    su_case_table *t = run->t;
    if (!run->nameless) t->record_ids[row] = su_dict_add(t->records, id);
    for (uint32_t f = 0; f < layout->field_count; f++) {
        const su_layout_field *from = &layout->fields[f];
        su_case_column *column = &t->columns[map[f].field];
        switch (from->kind) {
        case SU_STORE_CODE:
            su_case_put(column, row, translate(run, from, &map[f], values[f].cell));
            break;
        case SU_STORE_SET:
            store_set(run, from, &map[f], values[f].set, column, row);
            column->set_reason[row] = values[f].cell;
            break;
        case SU_STORE_TEXT:
            column->ids[row] = values[f].text.n ? su_dict_add(column->texts, values[f].text) : 0;
            break;
        }
    }
}

static su_status record_damaged(su_context *ctx, const read_run *run, const su_batch_row *b, int64_t key)
{
    char what[96];
    snprintf(what, sizeof what, "record %lld of batch %lld cannot be unsealed", (long long)(key & UINT32_MAX), (long long)b->number);
    return su_vault_damaged(ctx, run->v, what);
}

static su_status read_record(su_context *ctx, read_run *run, const su_batch_row *b, const su_org_keys *keys, const su_layout *layout,
                             column_map *map, sqlite3_stmt *st, su_record_value *values, su_scratch *plain)
{
    uint8_t ad[SU_RECORD_AD];
    size_t blind_n = 0, n = 0;
    su_str id = { 0 };
    bool newer = false;
    int64_t key = sqlite3_column_int64(st, 0);
    const uint8_t *blind = su_db_blob(st, 1, &blind_n), *sealed = su_db_blob(st, 2, &n);
    if (blind_n != SU_BLIND || n < SU_SEAL_OVERHEAD || run->at >= run->total) return record_damaged(ctx, run, b, key);
    su_scratch_need(plain, n);
    su_record_ad(run->v, b->organisation, key, blind, ad);
    if (!su_unseal(keys->seal, ad, sizeof ad, sealed, n, plain->p)) return record_damaged(ctx, run, b, key);
    if (!su_record_decode(layout, plain->p, n - SU_SEAL_OVERHEAD, &id, values, &newer))
        return newer ? su_fail(ctx, SU_INPUT, "%s: batch %lld was sealed by a newer Suha: install that version.", run->v->file,
                               (long long)b->number)
                     : record_damaged(ctx, run, b, key);
    store(run, layout, map, values, id, run->place[run->at++]);
    return SU_OK;
}

static su_status read_batch(su_context *ctx, read_run *run, const su_batch_row *b)
{
    sqlite3_stmt *st = NULL;
    su_org_row org = { 0 };
    su_layout layout;
    column_map *map = NULL;
    su_scratch plain = { 0 };
    bool row = false;
    su_status s = su_org_find_number(ctx, run->v, &run->arena, b->organisation, &org);
    if (s != SU_OK || (s = su_batch_layout(ctx, run->v, org.keys, b, &run->arena, &layout)) != SU_OK) goto out;
    if ((s = map_columns(ctx, run, b, &layout, &map)) != SU_OK) goto out;
    su_record_value *values = su_arena_array(&run->arena, (size_t)layout.field_count + 1, sizeof *values);
    run->t->synthetic = run->t->synthetic && layout.synthetic;
    s = su_db_query(ctx, run->v->db, &st, "SELECT id, blind, sealed" RECORDS_OF_BATCH, "ii", su_record_key(b->number, 1),
                    su_record_key(b->number, UINT32_MAX));
    while (s == SU_OK && (s = su_db_step(ctx, st, &row, "reading records")) == SU_OK && row) {
        if (run->at % 4096 == 0) {
            su_progress(ctx, "reading records", run->total ? (double)run->at / (double)run->total : 1.0);
            if (su_cancelled(ctx)) s = su_fail(ctx, SU_CANCELLED, "Stopped while reading the vault. Nothing was changed.");
        }
        if (s == SU_OK) s = read_record(ctx, run, b, org.keys, &layout, map, st, values, &plain);
    }
out:
    sqlite3_finalize(st);
    su_scratch_free(&plain);
    su_secret_free(org.keys);
    return s;
}

/* Names columns and codes of the codelist, which are public; not how many records have them, nor which. */
static su_status codes_gone(su_context *ctx, read_run *run)
{
    enum { NAMED = 5 };
    su_buf names = { 0 };
    uint32_t n = su_dict_count(run->gone);
    for (uint32_t i = 0; i < n && i < NAMED; i++) su_buf_printf(&names, "%s%s", i ? ", " : "", su_dict_get(run->gone, i).p);
    if (n > NAMED) su_buf_text(&names, ", ...");
    su_status s = su_fail(ctx, SU_INPUT,
                          "Schema %s no longer has %u code%s that sealed records use (%s). Put them back into the codelist, "
                          "or name them as aliases of the codes that took their place.",
                          run->schema->name, n, n == 1 ? "" : "s", names.p);
    su_buf_free(&names);
    return s;
}

static su_status read_all(su_context *ctx, read_run *run, const char *org)
{
    su_status s = choose(ctx, run, org);
    if (s != SU_OK || (s = order(ctx, run)) != SU_OK) return s;
    run->t = su_case_table_new(run->schema, run->total);
    run->t->narrow = run->nameless;
    run->t->synthetic = run->total > 0;
    for (size_t i = 0; i < run->batch_count && s == SU_OK; i++)
        if (run->batches[i].records > run->batches[i].withdrawn) s = read_batch(ctx, run, &run->batches[i]);
    return s == SU_OK && su_dict_count(run->gone) ? codes_gone(ctx, run) : s;
}

static su_status read_records(su_context *ctx, su_vault *v, const char *org, const su_schema *schema, bool nameless, su_case_table **out)
{
    read_run run = { .v = v, .schema = schema, .nameless = nameless };
    su_status s = su_vault_need_keys(ctx, v, "read records");
    if (s != SU_OK) return s;
    su_arena_init(&run.arena);
    run.gone = su_dict_new();
    /* One snapshot for all statements: an import or a withdrawal at the same time is seen whole or not at all. */
    if ((s = su_db_exec(ctx, v->db, "BEGIN", "reading records")) == SU_OK) s = read_all(ctx, &run, org);
    su_db_leave(v->db);
    if (s == SU_OK) {
        *out = run.t;
        run.t = NULL;
    }
    su_case_table_free(run.t);
    free(run.place);
    su_dict_free(run.gone);
    su_arena_free(&run.arena);
    return s;
}

su_status su_vault_read(su_context *ctx, su_vault *v, const char *org, const su_schema *schema, su_case_table **out)
{
    return read_records(ctx, v, org, schema, false, out);
}

su_status su_vault_read_cells(su_context *ctx, su_vault *v, const char *org, const su_schema *schema, su_case_table **out)
{
    return read_records(ctx, v, org, schema, true, out);
}
