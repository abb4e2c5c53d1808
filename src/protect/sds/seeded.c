/* seeded: records from aggregates (docs/methods/sds.md, Records). A record grows by one attribute at a time; the next is drawn in
 * proportion to a weight from the counts of the combinations it would complete, and only if all of those are reported.
 *
 * A candidate's combinations with the record so far are kept up to date: when attribute b joins, the new ones are those of b, the candidate
 * and a part of the record, and they stand in the extensions of (part with b). So each step merges sorted lists; nothing is hashed. */
#include "sds.h"

#include <stdlib.h>
#include <string.h>

/* A part of the record at hand: index in the level of its length. */
typedef struct part {
    uint32_t length, index;
} part;

typedef struct candidate {
    uint16_t attribute;
    uint32_t slot;  /* where its largest weights are */
    uint32_t whole; /* weight of the record with it, while that is a combination that aggregates can have */
    uint32_t kept;  /* number of weights kept */
    bool used_up;   /* one of its combinations was made as often as it may be: too long for `whole`, it is out */
} candidate;

typedef struct maker {
    const su_tuple_graph *g;
    const su_aggregate_seeded *o;
    uint32_t *available;              /* [attribute] left to use */
    uint32_t *made[SU_TUPLE_MAX + 1]; /* [level][index] how often it was made */
    candidate *alive;                 /* ascending by attribute */
    size_t alive_n;
    uint32_t weights; /* per candidate, so far */
    uint32_t *top;    /* [slot][room] largest weights, descending */
    uint32_t room;
    uint64_t *draw; /* weights of one draw */
    part *parts;
    size_t part_n, part_capacity;
    uint32_t length; /* of the record */
} maker;

/* ---- percentile of weights ---------------------------------------------------------------------------------------- */

/* Hyndman and Fan's definition 8, as the peer's library has it: at h = (n + 1/3) p + 1/3, between ranks floor(h) and floor(h) + 1. */
typedef struct rank {
    uint32_t whole, rest; /* h = whole + rest/300 */
} rank;

static rank rank_of(uint32_t n, uint32_t percent)
{
    uint64_t h = (uint64_t)(3 * (uint64_t)n + 1) * percent + 100;
    return (rank) { (uint32_t)(h / 300), (uint32_t)(h % 300) };
}

/* How many of the largest of n weights the percentile needs. */
static uint32_t needed(uint32_t n, uint32_t percent)
{
    uint32_t whole = rank_of(n, percent).whole;
    return whole >= n ? 1 : whole == 0 ? n : n - whole + 1;
}

static uint64_t percentile(const uint32_t *top, uint32_t n, uint32_t percent)
{
    rank h = rank_of(n, percent);
    if (h.whole >= n) return top[0];
    if (h.whole == 0) return top[n - 1];
    uint64_t low = top[n - h.whole], high = top[n - h.whole - 1];
    return (low * 300 + h.rest * (high - low) + 150) / 300;
}

/* Weights that an attribute of a record of all columns can have. */
static uint32_t most_weights(const su_tuple_graph *g)
{
    uint64_t sum = 0, term = 1, columns = g->universe->column_count;
    for (uint32_t k = 0; k < g->length && k < columns; k++) {
        sum += term;
        term = term * (columns - 1 - k) / (k + 1);
    }
    return sum < UINT32_MAX / 4 ? (uint32_t)sum : UINT32_MAX / 4;
}

static void insert_weight(maker *m, candidate *c, uint32_t weight)
{
    uint32_t *top = m->top + (size_t)c->slot * m->room;
    if (c->kept == m->room && weight <= top[c->kept - 1]) return;
    uint32_t at = c->kept < m->room ? c->kept++ : c->kept - 1;
    for (; at > 0 && top[at - 1] < weight; at--) top[at] = top[at - 1];
    top[at] = weight;
}

/* ---- one record ---------------------------------------------------------------------------------------------------- */

/* Count of a combination, less what was made of it if that is asked for; 0 forbids. */
static uint32_t weight_of(const maker *m, uint32_t length, uint32_t index)
{
    uint32_t count = m->g->level[length].count[index];
    if (!m->o->synthetic_counts) return count;
    uint32_t made = m->made[length][index];
    return count > made ? count - made : 0;
}

static void push_part(maker *m, uint32_t length, uint32_t index)
{
    if (m->part_n == m->part_capacity) m->parts = su_grow(m->parts, &m->part_capacity, m->part_n + 1, sizeof *m->parts);
    m->parts[m->part_n++] = (part) { length, index };
}

/* Candidates that stay are those among the extensions of part p. */
static void meet_extensions(maker *m, part p)
{
    const su_tuple_level *l = &m->g->level[p.length];
    size_t e = l->first[p.index], end = l->first[p.index + 1], n = 0;
    for (size_t i = 0; i < m->alive_n; i++) {
        candidate c = m->alive[i];
        while (e < end && l->attribute[e] < c.attribute) e++;
        if (e == end) break;
        if (l->attribute[e] != c.attribute) continue;
        uint32_t weight = weight_of(m, p.length + 1, l->child[e]);
        if (weight)
            insert_weight(m, &c, weight);
        else
            c.used_up = true;
        if (p.length == m->length) c.whole = weight;
        m->alive[n++] = c;
    }
    m->alive_n = n;
    m->weights++;
}

/* Parts of the record with `attribute` in them, each made from one without; longer than the aggregates are, they have no index. */
static void join(maker *m, uint32_t attribute)
{
    size_t before = m->part_n;
    uint32_t limit = m->g->length;
    m->length++;
    m->available[attribute]--;
    push_part(m, 1, attribute);
    for (size_t i = 0; i < before; i++) {
        part p = m->parts[i];
        if (p.length < limit) push_part(m, p.length + 1, su_tuple_child(&m->g->level[p.length], p.index, attribute));
    }
    uint32_t column = m->g->universe->column[attribute];
    size_t n = 0;
    for (size_t i = 0; i < m->alive_n; i++)
        if (m->g->universe->column[m->alive[i].attribute] != column) m->alive[n++] = m->alive[i];
    m->alive_n = n;
    for (size_t i = before; i < m->part_n; i++)
        if (m->parts[i].length < limit) meet_extensions(m, m->parts[i]);
}

static uint32_t draw(maker *m, su_random *random)
{
    uint64_t total = 0;
    for (size_t i = 0; i < m->alive_n; i++) {
        const candidate *c = &m->alive[i];
        bool whole = m->length < m->g->length;
        const uint32_t *top = m->top + (size_t)c->slot * m->room;
        m->draw[i] = whole ? c->whole : c->used_up ? 0 : percentile(top, m->weights, m->o->weight_percentile);
        total += m->draw[i];
    }
    return total ? m->alive[su_draw_weighted(random, m->draw, total)].attribute : SU_TUPLE_NONE;
}

/* All attributes that are left. False when there are none. */
static bool begin(maker *m)
{
    m->alive_n = m->part_n = 0;
    m->length = 0;
    m->weights = 1;
    for (uint32_t a = 0; a < m->g->universe->attribute_count; a++) {
        uint32_t weight = m->available[a] ? weight_of(m, 1, a) : 0;
        if (!weight) continue;
        candidate c = { .attribute = (uint16_t)a, .slot = (uint32_t)m->alive_n, .whole = weight, .kept = 1 };
        m->top[(size_t)c.slot * m->room] = weight;
        m->alive[m->alive_n++] = c;
    }
    return m->alive_n > 0;
}

static bool make_record(maker *m, su_random *random, su_made *out)
{
    if (!begin(m)) return false;
    su_made_begin(out);
    for (uint32_t a = draw(m, random); a != SU_TUPLE_NONE; a = draw(m, random)) {
        su_made_push(out, a);
        join(m, a);
    }
    for (size_t i = 0; m->o->synthetic_counts && i < m->part_n; i++) m->made[m->parts[i].length][m->parts[i].index]++;
    return true;
}

/* ---- all records --------------------------------------------------------------------------------------------------- */

static void refill(maker *m)
{
    const su_tuple_graph *g = m->g;
    memcpy(m->available, g->level[1].count, g->level[1].n * sizeof *m->available);
    for (uint32_t k = 1; m->o->synthetic_counts && k <= g->length; k++) memset(m->made[k], 0, g->level[k].n * sizeof *m->made[k]);
}

su_status su_seed_from_aggregates(su_context *ctx, const su_tuple_graph *g, const su_aggregate_seeded *o, su_random *random, su_made *out)
{
    maker m = { .g = g, .o = o };
    uint32_t attributes = g->universe->attribute_count, most = most_weights(g);
    su_random stream;
    su_random_split(random, su_random_u64(random), &stream);
    m.room = needed(most, o->weight_percentile) + 2 < most ? needed(most, o->weight_percentile) + 2 : most;
    m.available = su_alloc_array((size_t)attributes + 1, sizeof *m.available);
    m.alive = su_alloc_array((size_t)attributes + 1, sizeof *m.alive);
    m.draw = su_alloc_array((size_t)attributes + 1, sizeof *m.draw);
    uint64_t pool = 0, reported = 0;
    for (uint32_t a = 0; a < attributes; a++) {
        pool += g->level[1].count[a];
        reported += g->level[1].count[a] > 0;
    }
    m.top = su_alloc_array((size_t)reported * m.room + 1, sizeof *m.top);
    for (uint32_t k = 1; o->synthetic_counts && k <= g->length; k++) m.made[k] = su_alloc_array(g->level[k].n + 1, sizeof *m.made[k]);
    refill(&m);
    while (!su_cancelled(ctx) && (!o->target || out->n < o->target)) {
        if (!make_record(&m, &stream, out)) {
            if (!o->target || !pool) break;
            refill(&m);
        }
        if (out->n % 1024 == 0) su_progress(ctx, "synthetic records", pool ? (double)out->item_count / (double)pool : 1);
    }
    for (uint32_t k = 1; k <= g->length; k++) free(m.made[k]);
    free(m.available);
    free(m.alive);
    free(m.draw);
    free(m.top);
    free(m.parts);
    su_random_wipe(&stream);
    return su_cancelled(ctx) ? su_fail(ctx, SU_CANCELLED, "Stopped before the synthetic records were complete.") : SU_OK;
}
