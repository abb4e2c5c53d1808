/* level: the noisy counts of one length (docs/methods/sds.md, Aggregates).
 *
 * Candidates: for length 1 every attribute that a row still holds after its contribution was bounded (or the codelist), for longer ones
 * what the reported shorter ones allow. The bound Delta comes from the exact exponential mechanism; a row with more than Delta candidates
 * keeps Delta of them, drawn at random by a stream of its own. So one row moves at most Delta counts by 1, L2 sensitivity sqrt(Delta), and
 * noise of parameter unit * Delta costs 1 / (2 unit) in zCDP whatever Delta came out. */
#include "sds.h"

#include <suha/plant.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define CANDIDATES_MAX (UINT64_C(1) << 26)
#define ROWS_PER_TASK 512u
#define CELLS_PER_TASK 8192u

/* ---- candidates --------------------------------------------------------------------------------------------------- */

/* The parts without one of the last two attributes are the ones joined; here are the others. */
static bool parts_reported(const su_tuple_graph *g, uint64_t key, uint32_t length)
{
    for (uint32_t i = 0; i + 2 < length; i++)
        if (su_tuple_find(g, su_key_without(key, length, i), length - 1) == SU_TUPLE_NONE) return false;
    return true;
}

static bool pairs(const su_tuple_graph *g, su_tuple_level *out)
{
    const su_universe *u = g->universe;
    const uint32_t *count = g->level[1].count;
    for (uint32_t a = 0; a < u->attribute_count; a++)
        for (uint32_t b = u->first[u->column[a] + 1]; count[a] && b < u->attribute_count; b++) {
            if (!count[b]) continue;
            if (out->n == CANDIDATES_MAX) return false;
            su_tuple_add(out, su_key_with(su_key_with(0, 0, a), 1, b), 0);
        }
    return true;
}

/* Tuples of one attribute less that differ in their last attribute only, joined two by two (Agrawal, Srikant 1994). */
bool su_sds_candidates(const su_tuple_graph *g, uint32_t length, su_tuple_level *out)
{
    const su_tuple_level *shorter = &g->level[length - 1];
    if (length == 2) return pairs(g, out);
    const uint64_t last = ~((UINT64_C(1) << (64 - 16 * (length - 2))) - 1);
    for (size_t i = 0; i < shorter->n; i++)
        for (size_t j = i + 1; j < shorter->n && (shorter->key[i] & last) == (shorter->key[j] & last); j++) {
            uint32_t a = su_key_at(shorter->key[i], length - 2), b = su_key_at(shorter->key[j], length - 2);
            uint64_t key = su_key_with(shorter->key[i], length - 1, b);
            if (g->universe->column[a] == g->universe->column[b] || !parts_reported(g, key, length)) continue;
            if (out->n == CANDIDATES_MAX) return false;
            su_tuple_add(out, key, 0);
        }
    return true;
}

/* ---- counting with bounded contributions --------------------------------------------------------------------------- */

typedef struct worker {
    uint32_t *counts; /* [candidates] */
    uint32_t *found;  /* candidates of the row at hand */
    size_t capacity;
} worker;

typedef struct counting {
    const su_tuple_graph *g;
    const su_row_lists *rows;
    const su_tuple_level *candidates;
    su_bounded *b;
    worker *workers;
    uint64_t bound;
    const su_random *random;
} counting;

/* Appends the candidates among the tuples that continue tuple `prefix` of `depth` attributes with some of x; what is not reported leads
 * nowhere. */
static size_t find_candidates(const counting *c, worker *w, const uint16_t *x, uint64_t n, uint32_t prefix, uint32_t depth, size_t found)
{
    bool whole = depth + 1 == c->candidates->length;
    const su_tuple_level *l = whole ? c->candidates : &c->g->level[depth + 1];
    for (uint64_t i = 0; i < n; i++) {
        uint32_t at = depth ? su_tuple_step(l, prefix, x[i]) : whole || l->count[x[i]] ? x[i] : SU_TUPLE_NONE;
        if (at == SU_TUPLE_NONE) continue;
        if (!whole) {
            found = find_candidates(c, w, x + i + 1, n - i - 1, at, depth + 1, found);
            continue;
        }
        if (found == w->capacity) w->found = su_grow(w->found, &w->capacity, found + 1, sizeof *w->found);
        w->found[found++] = at;
    }
    return found;
}

static size_t of_row(const counting *c, worker *w, uint64_t row)
{
    return find_candidates(c, w, c->rows->items + c->rows->first[row], c->rows->first[row + 1] - c->rows->first[row], 0, 0, 0);
}

static void count_rows(void *arg, size_t task, unsigned number)
{
    counting *c = arg;
    worker *w = &c->workers[number];
    for (uint64_t row = task * ROWS_PER_TASK; row < c->rows->row_count && row < (task + 1) * ROWS_PER_TASK; row++) {
        size_t found = of_row(c, w, row);
        c->b->own[row] = (uint32_t)found;
        for (size_t i = 0; i < found; i++) w->counts[w->found[i]]++;
    }
}

/* Takes away what rows above the bound have too much: each place of the row's list is equally likely to go. */
static void drop_rows(void *arg, size_t task, unsigned number)
{
    counting *c = arg;
    worker *w = &c->workers[number];
    for (uint64_t row = task * ROWS_PER_TASK; row < c->rows->row_count && row < (task + 1) * ROWS_PER_TASK; row++) {
        if (c->b->own[row] <= c->bound) continue;
        size_t found = of_row(c, w, row);
        su_random stream;
        su_random_split(c->random, row, &stream);
        for (size_t left = found; left > c->bound; left--) {
            size_t gone = su_random_below(&stream, left);
            w->counts[w->found[gone]]++;
            w->found[gone] = w->found[left - 1];
        }
        su_random_wipe(&stream);
    }
}

/* Runs over all rows; afterwards counts[i] moves by sign * the workers' sum. The sum does not depend on who counted what. */
static void over_rows(su_context *ctx, counting *c, void (*task)(void *, size_t, unsigned), int sign)
{
    unsigned n = su_parallel_workers(ctx);
    size_t candidates = c->candidates->n;
    c->workers = su_alloc_array(n, sizeof *c->workers);
    for (unsigned i = 0; i < n; i++) c->workers[i].counts = su_alloc_array(candidates + 1, sizeof *c->workers[i].counts);
    su_parallel(ctx, (c->rows->row_count + ROWS_PER_TASK - 1) / ROWS_PER_TASK, task, c);
    for (unsigned i = 0; i < n; i++) {
        for (size_t k = 0; k < candidates; k++) c->b->counts[k] += (uint32_t)sign * c->workers[i].counts[k];
        su_wipe(c->workers[i].counts, candidates * sizeof *c->workers[i].counts);
        free(c->workers[i].counts);
        free(c->workers[i].found);
    }
    free(c->workers);
}

/* The first bound that is not below `value`. */
static size_t first_point(const su_bounded *b, uint32_t value)
{
    size_t low = 0, high = b->points;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (b->point[middle] < value)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

su_status su_bounded_count(su_context *ctx, const su_tuple_graph *g, const su_row_lists *rows, const su_tuple_level *candidates,
                           uint64_t grid, su_bounded *out)
{
    counting c = { .g = g, .rows = rows, .candidates = candidates, .b = out };
    *out = (su_bounded) { .points = su_bound_points(grid, NULL) };
    out->point = su_alloc_array(out->points, sizeof *out->point);
    out->at_most = su_alloc_array(out->points, sizeof *out->at_most);
    su_bound_points(grid, out->point);
    out->own = su_alloc_array(rows->row_count + 1, sizeof *out->own);
    out->counts = su_alloc_array(candidates->n + 1, sizeof *out->counts);
    over_rows(ctx, &c, count_rows, 1);
    for (uint64_t i = 0; i < rows->row_count; i++) {
        size_t at = first_point(out, out->own[i]);
        if (at < out->points) out->at_most[at]++;
    }
    for (size_t i = 1; i < out->points; i++) out->at_most[i] += out->at_most[i - 1];
    return su_cancelled(ctx) ? su_fail(ctx, SU_CANCELLED, "Stopped while combinations were counted.") : SU_OK;
}

void su_bounded_drop(su_context *ctx, const su_tuple_graph *g, const su_row_lists *rows, const su_tuple_level *candidates, uint64_t bound,
                     const su_random *random, su_bounded *b)
{
    counting c = { .g = g, .rows = rows, .candidates = candidates, .b = b, .bound = bound, .random = random };
    over_rows(ctx, &c, drop_rows, -1);
}

void su_bounded_free(su_bounded *b, uint64_t row_count, size_t candidates)
{
    if (b->own) su_wipe(b->own, row_count * sizeof *b->own);
    if (b->counts) su_wipe(b->counts, candidates * sizeof *b->counts);
    if (b->at_most) su_wipe(b->at_most, b->points * sizeof *b->at_most);
    free(b->point);
    free(b->own);
    free(b->counts);
    free(b->at_most);
    *b = (su_bounded) { 0 };
}

/* ---- noise and threshold ------------------------------------------------------------------------------------------- */

typedef struct noise {
    const su_random *source;
    su_variance variance;
    int64_t *out;
    size_t n;
} noise;

static void draw_noise(void *arg, size_t task, unsigned number)
{
    (void)number;
    noise *z = arg;
    size_t from = task * CELLS_PER_TASK, n = z->n - from < CELLS_PER_TASK ? z->n - from : CELLS_PER_TASK;
    su_random stream;
    su_random_split(z->source, task, &stream);
    su_sample_discrete_gaussian_fill(&stream, z->variance, z->out + from, n);
    su_random_wipe(&stream);
}

/* A count is reported when it is above this. For length 1 with candidates from the data, a value that one row alone brings in has count 1
 * and P(1 + Z > T) = P(Z >= T) <= P(N(0, s^2) >= T - 1) for the discrete Gaussian Z (Canonne, Kamath, Steinke 2020, proposition 25), so
 * T = 1 + s x with P(N > x) = 1 - (1 - delta/2)^(1/Delta), rounded up, keeps all of the at most Delta such values out but for delta/2. */
static int64_t threshold(const su_release *r, uint32_t length, uint64_t bound, double sd)
{
    if (length > 1 && r->options.sds.fixed[length] > 0) return (int64_t)floor(r->options.sds.fixed[length]);
    if (length > 1) return (int64_t)floor(r->gate[length] * sd);
    if (r->options.sds.codelist_candidates) return (int64_t)ceil(r->gate[1] * sd);
    double tail = -expm1(log1p(-r->sds.delta_threshold) / (double)bound) * (1 - 1e-12);
    return (int64_t)ceil(1 + sd * su_sds_normal_upper(tail));
}

/* Keeps the tuples above the threshold in `l`; at length 1 the others stay with count 0. */
static void keep_above(su_tuple_level *l, const uint32_t *counts, const int64_t *z, int64_t above, bool seen_only)
{
    size_t n = 0;
    for (size_t i = 0; i < l->n; i++) {
        int64_t noisy = (int64_t)counts[i] + z[i];
        bool kept = noisy > above && noisy > 0 && (!seen_only || counts[i] > 0);
        uint32_t count = !kept ? 0 : noisy < UINT32_MAX ? (uint32_t)noisy : UINT32_MAX;
        if (l->length == 1)
            l->count[i] = count;
        else if (kept) {
            l->key[n] = l->key[i];
            l->count[n++] = count;
        }
    }
    if (l->length > 1) l->n = n;
}

static void report(su_context *ctx, su_release *r, su_tuple_level *l, const su_bounded *b, uint64_t bound, const su_random *source)
{
    su_sds_length *f = &r->sds.length[l->length];
    double sd = sqrt((double)f->unit.num / (double)f->unit.den * (double)bound) * (1 + 1e-15);
    int64_t *z = su_alloc_array(l->n + 1, sizeof *z);
    noise draw = { source, { f->unit.num * SU_PLANT(SQRT_DELTA_FORGOTTEN, 1, bound), f->unit.den }, z, l->n };
    f->bound = bound;
    f->variance = draw.variance;
    f->threshold = bound ? threshold(r, l->length, bound, sd) : 0;
    bool seen_only = l->length == 1 && !r->options.sds.codelist_candidates;
    if (bound) {
        su_parallel(ctx, (l->n + CELLS_PER_TASK - 1) / CELLS_PER_TASK, draw_noise, &draw);
        keep_above(l, b->counts, z, f->threshold, seen_only);
    } else
        keep_above(l, b->counts, z, INT64_MAX, seen_only);
    su_wipe(z, l->n * sizeof *z);
    free(z);
}

/* Three streams of the level: the bound, the choice of what rows keep, the noise. */
su_status su_sds_level(su_context *ctx, su_release *r, const su_row_lists *rows, su_tuple_graph *g, uint32_t length, su_random *random)
{
    su_tuple_level *l = &g->level[length];
    su_bounded b;
    su_random source, stream;
    su_random_split(random, su_random_u64(random), &source);
    if (length > 1) su_tuple_index(g, l);
    size_t candidates = l->n;
    uint64_t grid = SU_PLANT(GRID_FROM_DATA, su_planted_longest(rows->first, rows->row_count), r->sds.length[length].grid);
    su_status status = su_bounded_count(ctx, g, rows, l, grid, &b);
    if (!status) {
        su_random_split(&source, 0, &stream);
        size_t chosen =
            su_dp_percentile(&stream, b.at_most, b.points, rows->row_count, r->options.sds.percentile, r->sds.percentile_epsilon_32);
        uint64_t bound = b.point[chosen];
        su_random_split(&source, 1, &stream);
        su_bounded_drop(ctx, g, rows, l, bound, &stream, &b);
        su_random_split(&source, 2, &stream);
        report(ctx, r, l, &b, bound, &stream);
        if (length > 1) su_tuple_index(g, l);
        if (su_cancelled(ctx)) status = su_fail(ctx, SU_CANCELLED, "Stopped while combinations were counted.");
    }
    su_random_wipe(&stream);
    su_random_wipe(&source);
    su_bounded_free(&b, rows->row_count, candidates);
    return status;
}
