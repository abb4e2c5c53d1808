/* The privacy ledger. Only events are stored, never changed: state, spent budget and cap are what a walk over the chain finds, and every
 * grant walks it inside the write transaction that records it. hash(n) = SHA-256(canonical(event n), hash(n-1)); in a vault each event
 * also has a MAC under the master key, and an audit entry. Whole numbers of pico-rho only. */
#include "vault_priv.h"

#include <suha/plant.h>

#include <math.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

struct su_ledger {
    sqlite3 *db;
    su_vault *v;    /* NULL: a file of its own */
    uint64_t *mine; /* entries reserved through this handle */
    size_t mine_count, mine_capacity;
};

enum { TEXT_MAX = 4096, INPUTS_MAX = 1 << 20 };
#define RHO_MAX ((uint64_t)1 << 62)

static const su_db_kind ledger_kind = {
    .noun = "privacy ledger", .application_id = 0x5348414C /* SHAL */, .version = 1, .wal = false, .sql = SU_LEDGER_TABLES
};

static const char *const state_words[] = { [SU_LEDGER_RESERVED] = "reserved",
                                           [SU_LEDGER_MEASURED] = "measured",
                                           [SU_LEDGER_RELEASED] = "released",
                                           [SU_LEDGER_FAILED] = "failed",
                                           [SU_LEDGER_CANCELLED] = "cancelled" };
enum { STATE_COUNT = sizeof state_words / sizeof *state_words };

const char *su_ledger_state_name(su_ledger_state s) { return (unsigned)s < STATE_COUNT ? state_words[s] : "unknown"; }

static bool may_follow(su_ledger_state from, su_ledger_state to)
{
    switch (from) {
    case SU_LEDGER_RESERVED:
        return to == SU_LEDGER_MEASURED || to == SU_LEDGER_FAILED || to == SU_LEDGER_CANCELLED;
    case SU_LEDGER_MEASURED:
        return to == SU_LEDGER_RELEASED || to == SU_LEDGER_FAILED;
    case SU_LEDGER_RELEASED:
    case SU_LEDGER_FAILED:
    case SU_LEDGER_CANCELLED:
        break;
    }
    return false;
}

/* ---- events ---- */

#define EVENT_MADE "made" /* amount = first cap, inputs = random id of the lineage */
#define EVENT_CAP "cap"   /* amount = new cap, who, output = why */
                          /* else a state's word: entry; "reserved" carries the charge, the others their output */
typedef struct event {
    uint64_t n;
    int64_t at, entry, amount;
    const char *what, *who, *mechanism, *unit, *inputs, *output;
    double epsilon, delta;
    uint8_t hash[SU_HASH], mac[SU_HASH];
} event;

static void canon_real(su_buf *b, double v)
{
    uint64_t bits;
    memcpy(&bits, &v, sizeof bits);
    su_canon_u64(b, bits);
}

static void event_hash(const event *e, const uint8_t previous[SU_HASH], uint8_t out[SU_HASH])
{
    su_buf b = { 0 };
    su_canon_text(&b, "suha-ledger-1");
    su_canon_u64(&b, e->n);
    su_canon_u64(&b, (uint64_t)e->at);
    su_canon_text(&b, e->what);
    su_canon_u64(&b, (uint64_t)e->entry);
    su_canon_u64(&b, (uint64_t)e->amount);
    canon_real(&b, e->epsilon);
    canon_real(&b, e->delta);
    const char *texts[] = { e->who, e->mechanism, e->unit, e->inputs, e->output };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) su_canon_text(&b, texts[i]);
    su_canon_bytes(&b, previous, SU_HASH);
    crypto_hash_sha256(out, (const uint8_t *)b.p, b.n);
    su_buf_free(&b);
}

/* Completes and appends. previous: hash of the event before it. */
static su_status event_add(su_context *ctx, sqlite3 *db, const su_keyring *keys, event *e, const uint8_t previous[SU_HASH])
{
    const char **texts[] = { &e->who, &e->mechanism, &e->unit, &e->inputs, &e->output };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (!*texts[i]) *texts[i] = "";
    e->at = su_clock_unix();
    event_hash(e, previous, e->hash);
    if (keys) su_mac(keys->ledger, e->hash, SU_HASH, e->mac);
    return su_db_run(ctx, db, "writing the privacy ledger", "INSERT INTO ledger VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                     "iitiiddtttttbb", (int64_t)e->n, e->at, e->what, e->entry, e->amount, e->epsilon, e->delta, e->who, e->mechanism,
                     e->unit, e->inputs, e->output, e->hash, (size_t)SU_HASH, e->mac, keys ? (size_t)SU_HASH : (size_t)0);
}

su_status su_ledger_begin(su_context *ctx, sqlite3 *db, const su_keyring *keys, uint64_t cap_pico)
{
    static const uint8_t none[SU_HASH];
    uint8_t id[16];
    char hex[2 * sizeof id + 1];
    randombytes_buf(id, sizeof id);
    su_hex(id, sizeof id, hex);
    event e = { .n = 1, .what = EVENT_MADE, .amount = (int64_t)cap_pico, .inputs = hex };
    return event_add(ctx, db, keys, &e, none);
}

/* ---- the walk ---- */

typedef struct walk {
    su_ledger_entry *entries; /* entry id i stands at i - 1 */
    size_t count, capacity;
    uint64_t cap, spent;
    uint64_t checked, bad;
    uint64_t last; /* number and hash of the last event */
    uint8_t last_hash[SU_HASH];
} walk;

static void finding(su_context *ctx, walk *w, uint64_t n, const char *what)
{
    w->bad++;
    su_log(ctx, "privacy ledger, event %llu: %s", (unsigned long long)n, what);
}

static void add_entry(walk *w, su_arena *arena, const event *e)
{
    if (w->count == w->capacity) {
        w->capacity = w->capacity ? w->capacity * 2 : 16;
        su_ledger_entry *wider = su_arena_array(arena, w->capacity, sizeof *wider);
        if (w->count) memcpy(wider, w->entries, w->count * sizeof *wider);
        w->entries = wider;
    }
    w->entries[w->count++] = (su_ledger_entry) { .id = (uint64_t)e->entry,
                                                 .when = e->at,
                                                 .operator_ = su_arena_printf(arena, "%s", e->who),
                                                 .mechanism = su_arena_printf(arena, "%s", e->mechanism),
                                                 .unit = su_arena_printf(arena, "%s", e->unit),
                                                 .public_inputs = su_arena_printf(arena, "%s", e->inputs),
                                                 .output = "",
                                                 .rho_pico = (uint64_t)e->amount,
                                                 .epsilon = e->epsilon,
                                                 .delta = e->delta,
                                                 .state = SU_LEDGER_RESERVED };
}

static void take_state(su_context *ctx, walk *w, su_arena *arena, const event *e)
{
    int to = SU_LEDGER_MEASURED;
    while (to < STATE_COUNT && strcmp(e->what, state_words[to]) != 0) to++;
    su_ledger_entry *entry = e->entry >= 1 && (uint64_t)e->entry <= w->count ? &w->entries[e->entry - 1] : NULL;
    if (to == STATE_COUNT || !entry || !may_follow(entry->state, (su_ledger_state)to)) {
        finding(ctx, w, e->n, "does not follow from what stands before it");
        return;
    }
    entry->state = (su_ledger_state)to;
    if (*e->output) entry->output = su_arena_printf(arena, "%s", e->output);
    if (SU_PLANT(FREE_RETRY, to == SU_LEDGER_FAILED ||, ) to == SU_LEDGER_CANCELLED) w->spent -= entry->rho_pico;
}

static void take_event(su_context *ctx, walk *w, su_arena *arena, const event *e)
{
    bool amount_good = e->amount >= 0 && (uint64_t)e->amount <= RHO_MAX;
    if (!amount_good) {
        finding(ctx, w, e->n, "its amount makes no sense");
    } else if (strcmp(e->what, EVENT_MADE) == 0 || strcmp(e->what, EVENT_CAP) == 0) {
        w->cap = (uint64_t)e->amount;
        if ((e->n == 1) != (strcmp(e->what, EVENT_MADE) == 0)) finding(ctx, w, e->n, "the ledger's first event stands in a wrong place");
    } else if (strcmp(e->what, state_words[SU_LEDGER_RESERVED]) == 0) {
        if (e->entry != (int64_t)w->count + 1 || __builtin_add_overflow(w->spent, (uint64_t)e->amount, &w->spent)) {
            finding(ctx, w, e->n, "its entry number or charge makes no sense");
            return;
        }
        add_entry(w, arena, e);
    } else
        take_state(ctx, w, arena, e);
}

static void check_links(su_context *ctx, const su_ledger *l, walk *w, sqlite3_stmt *st, const event *e)
{
    uint8_t hash[SU_HASH], mac[SU_HASH];
    size_t hash_n = 0, mac_n = 0;
    const uint8_t *hash_there = su_db_blob(st, 12, &hash_n), *mac_there = NULL;
    event_hash(e, w->last_hash, hash);
    bool good = e->n == w->last + 1 && hash_n == SU_HASH && memcmp(hash, hash_there, SU_HASH) == 0;
    if (good && l->v && l->v->keys) {
        su_mac(l->v->keys->ledger, hash, SU_HASH, mac);
        mac_there = su_db_blob(st, 13, &mac_n);
        good = mac_n == SU_HASH && su_mac_equal(mac, mac_there);
    }
    w->checked++;
    if (!good) finding(ctx, w, e->n, "it, or one before it, was changed or removed");
    w->last = e->n;
    memset(w->last_hash, 0, SU_HASH);
    memcpy(w->last_hash, hash_there, hash_n < SU_HASH ? hash_n : SU_HASH);
}

/* In a vault the audit chain knows every event by its hash, so a tail that was cut off shows. */
static su_status check_audit(su_context *ctx, const su_ledger *l, walk *w)
{
    char detail[96], hex[2 * SU_HASH + 1];
    int64_t audited = 0, last = 0;
    if (!l->v) return SU_OK;
    su_status s = su_db_number(ctx, l->db, "comparing with the audit chain", &audited, "SELECT count(*) FROM audit WHERE event = ?", "t",
                               su_audit_word(SU_AUDIT_LEDGER));
    if (s != SU_OK || (w->last == 1 && audited == 0)) return s;
    su_hex(w->last_hash, SU_HASH, hex);
    snprintf(detail, sizeof detail, "event=%llu hash=%s", (unsigned long long)w->last, hex);
    s = su_db_number(ctx, l->db, "comparing with the audit chain", &last, "SELECT count(*) FROM audit WHERE event = ? AND detail = ?", "tt",
                     su_audit_word(SU_AUDIT_LEDGER), detail);
    if (s == SU_OK && (last != 1 || (uint64_t)audited != w->last - 1))
        finding(ctx, w, w->last, "the audit chain does not agree with the end of the ledger");
    return s;
}

static su_status walk_now(su_context *ctx, const su_ledger *l, su_arena *arena, walk *w)
{
    sqlite3_stmt *st = NULL;
    bool row = false;
    *w = (walk) { 0 };
    su_status s = su_db_query(ctx, l->db, &st,
                              "SELECT n, at, event, entry, amount, epsilon, delta, who, mechanism, unit, inputs, output, "
                              "hash, mac FROM ledger ORDER BY n",
                              "");
    while (s == SU_OK && (s = su_db_step(ctx, st, &row, "reading the privacy ledger")) == SU_OK && row) {
        event e = { .n = (uint64_t)sqlite3_column_int64(st, 0),
                    .at = sqlite3_column_int64(st, 1),
                    .what = su_db_text(st, 2),
                    .entry = sqlite3_column_int64(st, 3),
                    .amount = sqlite3_column_int64(st, 4),
                    .epsilon = sqlite3_column_double(st, 5),
                    .delta = sqlite3_column_double(st, 6),
                    .who = su_db_text(st, 7),
                    .mechanism = su_db_text(st, 8),
                    .unit = su_db_text(st, 9),
                    .inputs = su_db_text(st, 10),
                    .output = su_db_text(st, 11) };
        check_links(ctx, l, w, st, &e);
        take_event(ctx, w, arena, &e);
    }
    sqlite3_finalize(st);
    if (s == SU_OK && w->last == 0) finding(ctx, w, 0, "the ledger is empty: its first event was removed");
    return s == SU_OK ? check_audit(ctx, l, w) : s;
}

/* The ledger and the audit chain are read in one transaction: what another process adds between the two would look like damage. */
static su_status walk_chain(su_context *ctx, const su_ledger *l, su_arena *arena, walk *w)
{
    bool alone = sqlite3_get_autocommit(l->db) != 0;
    su_status s = alone ? su_db_exec(ctx, l->db, "BEGIN", "reading the privacy ledger") : SU_OK;
    if (s == SU_OK) s = walk_now(ctx, l, arena, w);
    if (alone) su_db_leave(l->db);
    return s;
}

/* The walk for everything but verification: a chain that does not hold is an error. */
static su_status walk_good(su_context *ctx, const su_ledger *l, su_arena *arena, walk *w)
{
    su_status s = walk_chain(ctx, l, arena, w);
    if (s == SU_OK && w->bad)
        s = su_fail(ctx, SU_CRYPTO,
                    "%s: the privacy ledger was changed or damaged (%llu of its events do not hold), so nothing can be "
                    "granted from it. Restore a backup of the file; what was released since then must be charged again.",
                    sqlite3_db_filename(l->db, "main"), (unsigned long long)w->bad);
    return s;
}

static su_status add_after(su_context *ctx, su_ledger *l, const walk *w, event *e)
{
    char hex[2 * SU_HASH + 1];
    e->n = w->last + 1;
    su_status s = event_add(ctx, l->db, l->v ? l->v->keys : NULL, e, w->last_hash);
    if (s != SU_OK || !l->v) return s;
    su_hex(e->hash, SU_HASH, hex);
    return su_audit_add(ctx, l->v, SU_AUDIT_LEDGER, "event=%llu hash=%s", (unsigned long long)e->n, hex);
}

/* ---- opening ---- */

static su_status fill(su_context *ctx, sqlite3 *db, void *arg) { return su_ledger_begin(ctx, db, NULL, *(uint64_t *)arg); }

su_status su_ledger_open(su_context *ctx, const char *path, uint64_t rho_cap_pico_if_new, su_ledger **out)
{
    su_ledger *l = su_alloc(sizeof *l);
    su_arena arena;
    su_arena_init(&arena);
    walk w;
    su_status s = su_seal_ready(ctx);
    if (s == SU_OK && rho_cap_pico_if_new > RHO_MAX) s = su_fail(ctx, SU_USAGE, "The budget is too large to be one.");
    if (s == SU_OK && !su_path_exists(path)) {
        s = su_db_create(ctx, &ledger_kind, path, fill, &rho_cap_pico_if_new);
        if (s == SU_REFUSED) s = SU_OK; /* another process made it in this very moment */
    }
    if (s == SU_OK) s = su_db_open(ctx, &ledger_kind, path, &l->db);
    if (s == SU_OK) s = walk_good(ctx, l, &arena, &w);
    if (s == SU_OK)
        *out = l;
    else
        su_ledger_close(l);
    su_arena_free(&arena);
    return s;
}

su_status su_vault_ledger(su_context *ctx, su_vault *v, su_ledger **out)
{
    (void)ctx;
    su_ledger *l = su_alloc(sizeof *l);
    l->v = v;
    l->db = v->db;
    *out = l;
    return SU_OK;
}

void su_ledger_close(su_ledger *l)
{
    if (!l) return;
    if (!l->v) sqlite3_close(l->db);
    free(l->mine);
    free(l);
}

/* ---- reading ---- */

su_status su_ledger_cap(su_context *ctx, su_ledger *l, uint64_t *cap_pico, uint64_t *spent_pico)
{
    su_arena arena;
    su_arena_init(&arena);
    walk w;
    su_status s = walk_good(ctx, l, &arena, &w);
    if (s == SU_OK) {
        *cap_pico = w.cap;
        *spent_pico = w.spent;
    }
    su_arena_free(&arena);
    return s;
}

su_status su_ledger_entries(su_context *ctx, su_ledger *l, su_arena *arena, su_ledger_entry **out, size_t *count)
{
    walk w;
    su_status s = walk_good(ctx, l, arena, &w);
    *out = s == SU_OK ? w.entries : NULL;
    *count = s == SU_OK ? w.count : 0;
    return s;
}

su_status su_ledger_verify(su_context *ctx, su_ledger *l, uint64_t *checked, uint64_t *bad)
{
    su_arena arena;
    su_arena_init(&arena);
    walk w;
    su_status s = walk_chain(ctx, l, &arena, &w);
    *checked = w.checked;
    *bad = w.bad;
    su_arena_free(&arena);
    return s;
}

/* ---- writing ---- */

static su_status writable(su_context *ctx, const su_ledger *l)
{
    return l->v ? su_vault_need_keys(ctx, l->v, "write to its privacy ledger") : SU_OK;
}

static su_status check_text(su_context *ctx, const char *name, const char *text, size_t limit, bool needed)
{
    size_t n = text ? strlen(text) : 0, bad_at = 0;
    if (needed && n == 0) return su_fail(ctx, SU_USAGE, "The privacy ledger needs the %s.", name);
    if (n > limit) return su_fail(ctx, SU_USAGE, "The %s for the privacy ledger is longer than %zu bytes.", name, limit);
    if (n && !su_utf8_valid(text, n, &bad_at))
        return su_fail(ctx, SU_USAGE, "The %s for the privacy ledger is not valid UTF-8 (byte %zu).", name, bad_at);
    return SU_OK;
}

su_status su_ledger_cap_set(su_context *ctx, su_ledger *l, uint64_t cap_pico, const char *who, const char *why)
{
    su_arena arena;
    walk w;
    su_status s = writable(ctx, l);
    if (s == SU_OK) s = check_text(ctx, "name of who changes the budget", who, TEXT_MAX, true);
    if (s == SU_OK) s = check_text(ctx, "reason of the change", why, TEXT_MAX, true);
    if (s == SU_OK && cap_pico > RHO_MAX) s = su_fail(ctx, SU_USAGE, "The budget is too large to be one.");
    if (s != SU_OK || (s = su_db_begin(ctx, l->db, "setting the budget")) != SU_OK) return s;
    su_arena_init(&arena);
    if ((s = walk_good(ctx, l, &arena, &w)) == SU_OK) {
        event e = { .what = EVENT_CAP, .amount = (int64_t)cap_pico, .who = who, .output = why };
        s = add_after(ctx, l, &w, &e);
    }
    s = su_db_end(ctx, l->db, s, "setting the budget");
    su_arena_free(&arena);
    return s;
}

static su_status check_entry(su_context *ctx, const su_ledger_entry *entry)
{
    su_status s = check_text(ctx, "operator", entry->operator_, TEXT_MAX, true);
    if (s == SU_OK) s = check_text(ctx, "mechanism", entry->mechanism, TEXT_MAX, true);
    if (s == SU_OK) s = check_text(ctx, "unit of privacy", entry->unit, TEXT_MAX, false);
    if (s == SU_OK) s = check_text(ctx, "public inputs", entry->public_inputs, INPUTS_MAX, false);
    if (s != SU_OK) return s;
    if (entry->rho_pico > RHO_MAX) return su_fail(ctx, SU_USAGE, "The charge is too large to be one.");
    bool no_bound = isinf(entry->epsilon) && entry->epsilon > 0 && entry->delta == 1;
    if (no_bound) return SU_OK;
    if (!isfinite(entry->epsilon) || !isfinite(entry->delta) || entry->epsilon < 0 || entry->delta < 0 || entry->delta > 1)
        return su_fail(ctx, SU_USAGE, "The stated epsilon and delta must be finite numbers, not negative, delta at most 1.");
    return SU_OK;
}

static su_status grant(su_context *ctx, su_ledger *l, const su_ledger_entry *entry, su_arena *arena, uint64_t *id)
{
    walk w;
    uint64_t total = 0;
    su_status s = walk_good(ctx, l, arena, &w);
    if (s != SU_OK) return s;
    if (w.cap == 0 && entry->rho_pico)
        return su_fail(ctx, SU_REFUSED, "No privacy budget has been set for this data. Decide on one and set it: "
                                        "suha ledger VAULT --cap-epsilon E --why TEXT");
    if (__builtin_add_overflow(w.spent, entry->rho_pico, &total) || total > w.cap)
        return su_fail(ctx, SU_REFUSED,
                       "The privacy budget does not allow this release: it costs rho %.6g, %.6g of %.6g is spent. Ask for "
                       "less, or raise the budget with a reason (suha ledger VAULT --cap-epsilon E --why TEXT).",
                       (double)entry->rho_pico * 1e-12, (double)w.spent * 1e-12, (double)w.cap * 1e-12);
    *id = w.count + 1;
    event e = { .what = state_words[SU_LEDGER_RESERVED],
                .entry = (int64_t)*id,
                .amount = (int64_t)entry->rho_pico,
                .epsilon = entry->epsilon,
                .delta = entry->delta,
                .who = entry->operator_,
                .mechanism = entry->mechanism,
                .unit = entry->unit,
                .inputs = entry->public_inputs };
    return add_after(ctx, l, &w, &e);
}

su_status su_ledger_reserve(su_context *ctx, su_ledger *l, const su_ledger_entry *entry, uint64_t *id)
{
    su_arena arena;
    su_status s = writable(ctx, l);
    if (s != SU_OK || (s = check_entry(ctx, entry)) != SU_OK) return s;
    if ((s = su_db_begin(ctx, l->db, "reserving budget")) != SU_OK) return s;
    su_arena_init(&arena);
    s = su_db_end(ctx, l->db, grant(ctx, l, entry, &arena, id), "reserving budget");
    if (s == SU_OK) {
        l->mine = su_grow(l->mine, &l->mine_capacity, l->mine_count + 1, sizeof *l->mine);
        l->mine[l->mine_count++] = *id;
    }
    su_arena_free(&arena);
    return s;
}

static bool reserved_here(const su_ledger *l, uint64_t id)
{
    for (size_t i = 0; i < l->mine_count; i++)
        if (l->mine[i] == id) return true;
    return false;
}

static su_status move(su_context *ctx, su_ledger *l, uint64_t id, su_ledger_state to, const char *output, su_arena *arena)
{
    walk w;
    su_status s = walk_good(ctx, l, arena, &w);
    if (s != SU_OK) return s;
    if (id < 1 || id > w.count) return su_fail(ctx, SU_USAGE, "The privacy ledger has no entry %llu.", (unsigned long long)id);
    su_ledger_state from = w.entries[id - 1].state;
    if (!may_follow(from, to))
        return su_fail(ctx, SU_REFUSED, "Entry %llu of the privacy ledger is %s and cannot become %s.", (unsigned long long)id,
                       state_words[from], state_words[to]);
    if (to == SU_LEDGER_CANCELLED && !reserved_here(l, id))
        return su_fail(ctx, SU_REFUSED,
                       "Entry %llu was reserved by another run, which may have seen noisy results: it stays charged. Mark "
                       "it failed instead.",
                       (unsigned long long)id);
    event e = { .what = state_words[to], .entry = (int64_t)id, .output = output };
    return add_after(ctx, l, &w, &e);
}

su_status su_ledger_advance(su_context *ctx, su_ledger *l, uint64_t id, su_ledger_state to, const char *output)
{
    su_arena arena;
    su_status s = writable(ctx, l);
    if (s != SU_OK) return s;
    if ((unsigned)to >= STATE_COUNT) return su_fail(ctx, SU_USAGE, "unknown ledger state %d", (int)to);
    if ((s = check_text(ctx, "name or hash of the output", output, TEXT_MAX, to == SU_LEDGER_RELEASED)) != SU_OK) return s;
    if ((s = su_db_begin(ctx, l->db, "writing the privacy ledger")) != SU_OK) return s;
    su_arena_init(&arena);
    s = su_db_end(ctx, l->db, move(ctx, l, id, to, output, &arena), "writing the privacy ledger");
    su_arena_free(&arena);
    return s;
}
