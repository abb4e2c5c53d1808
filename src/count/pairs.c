/* Counting pairs. Three ways, the same result: a group of one row is its own answer; up to MATRIX_MAX attributes, a direct-address
 * matrix; beyond, one attribute after the other with a direct-address vector. */
#include "pairs.h"

#include <stdlib.h>
#include <string.h>

enum { MATRIX_MAX = 1536 }; /* 9 MiB of counters per worker */

void pair_counter_init(pair_counter *c, const lists *l, uint64_t min_count)
{
    memset(c, 0, sizeof *c);
    size_t n = l->attribute_count;
    c->l = l;
    c->min_count = min_count;
    if (n <= MATRIX_MAX) c->cells = su_alloc_array(n * n, sizeof *c->cells);
    c->single = su_alloc_array(n, sizeof *c->single);
    c->seen = su_alloc((n + 7) / 8 * 8);
    c->list = su_alloc_array(n, sizeof *c->list);
}

void split_free(split *s)
{
    free(s->runs);
    free(s->places);
    memset(s, 0, sizeof *s);
}

void pair_counter_free(pair_counter *c)
{
    free(c->cells);
    free(c->single);
    free(c->seen);
    free(c->list);
    split_free(&c->fallback);
}

/* Moves what was seen into c->list, ascending, and forgets it. */
static size_t take_seen(pair_counter *c)
{
    size_t n = 0, words = ((size_t)c->l->attribute_count + 7) / 8;
    for (size_t w = 0; w < words; w++) {
        uint64_t eight, none = 0;
        memcpy(&eight, c->seen + 8 * w, 8);
        if (!eight) continue;
        for (; eight; eight &= eight - 1) c->list[n++] = (attribute_id)(8 * w + (size_t)__builtin_ctzll(eight) / 8);
        memcpy(c->seen + 8 * w, &none, 8);
    }
    return n;
}

static pair_count *room_for(pair_list *out, size_t more)
{
    out->p = su_grow(out->p, &out->capacity, out->n + more, sizeof *out->p);
    return out->p + out->n;
}

static uint64_t pairs_of_one_row(const attribute_id *x, uint32_t group_index, pair_list *out)
{
    size_t m = 0, n = 0;
    while (x[m] != LIST_END) m++;
    if (!out) return m * (m - (m > 0)) / 2;
    pair_count *to = room_for(out, m * m / 2 + 1);
    for (size_t i = 0; i + 1 < m; i++) {
        for (size_t j = i + 1; j < m; j++) to[n++] = (pair_count) { group_index, x[i], x[j], 1 };
    }
    out->n += n;
    return n;
}

static uint64_t pairs_by_matrix(pair_counter *c, const group *g, uint32_t group_index, pair_list *out)
{
    const size_t width = c->l->attribute_count;
    const attribute_id *items = c->l->items;
    for (uint32_t r = 0; r < g->n; r++) {
        for (const attribute_id *x = items + g->at[r]; *x != LIST_END; x++) {
            uint32_t *row = c->cells + *x * width;
            c->seen[*x] = 1;
            for (const attribute_id *y = x + 1; *y != LIST_END; y++) row[*y]++;
        }
    }
    size_t seen = take_seen(c);
    uint64_t found = 0;
    for (size_t i = 0; i + 1 < seen; i++) {
        uint32_t *row = c->cells + c->list[i] * width;
        if (!out) {
            for (size_t j = i + 1; j < seen; j++) {
                found += row[c->list[j]] >= c->min_count;
                row[c->list[j]] = 0;
            }
            continue;
        }
        pair_count *to = room_for(out, seen - i);
        size_t n = 0;
        for (size_t j = i + 1; j < seen; j++) {
            uint32_t count = row[c->list[j]];
            row[c->list[j]] = 0;
            to[n] = (pair_count) { group_index, c->list[i], c->list[j], count };
            n += count >= c->min_count;
        }
        out->n += n;
        found += n;
    }
    return found;
}

void split_group(pair_counter *c, const group *g, uint32_t rest, split *s)
{
    const attribute_id *items = c->l->items;
    size_t total = 0;
    for (uint32_t r = 0; r < g->n; r++) {
        const attribute_id *x = items + g->at[r];
        size_t m = 0;
        while (x[m] != LIST_END) m++;
        for (size_t i = 0; i + rest < m; i++) {
            c->single[x[i]]++;
            c->seen[x[i]] = 1;
        }
        total += m > rest ? m - rest : 0;
    }
    size_t seen = take_seen(c);
    s->runs = su_grow(s->runs, &s->run_capacity, s->run_count + seen, sizeof *s->runs);
    s->places = su_grow(s->places, &s->place_capacity, s->place_count + total, sizeof *s->places);
    uint32_t next = (uint32_t)s->place_count;
    /* single[x] turns from a count into the next free place; what is too rare gets none. */
    for (size_t i = 0; i < seen; i++) {
        uint32_t n = c->single[c->list[i]];
        if (n < c->min_count) {
            c->single[c->list[i]] = UINT32_MAX;
            continue;
        }
        s->runs[s->run_count++] = (split_run) { c->list[i], next, n };
        c->single[c->list[i]] = next;
        next += n;
    }
    s->place_count = next;
    for (uint32_t r = 0; r < g->n; r++) {
        const attribute_id *x = items + g->at[r];
        size_t m = 0;
        while (x[m] != LIST_END) m++;
        for (size_t i = 0; i + rest < m; i++) {
            if (c->single[x[i]] != UINT32_MAX) s->places[c->single[x[i]]++] = g->at[r] + (uint32_t)i + 1;
        }
    }
    for (size_t i = 0; i < seen; i++) c->single[c->list[i]] = 0;
}

static uint64_t pairs_by_vector(pair_counter *c, const group *g, uint32_t group_index, pair_list *out)
{
    split *s = &c->fallback;
    s->run_count = s->place_count = 0;
    split_group(c, g, 1, s);
    uint64_t found = 0;
    for (size_t k = 0; k < s->run_count; k++) {
        const split_run *run = &s->runs[k];
        for (uint32_t r = 0; r < run->n; r++) {
            for (const attribute_id *y = c->l->items + s->places[run->start + r]; *y != LIST_END; y++) {
                c->single[*y]++;
                c->seen[*y] = 1;
            }
        }
        size_t seen = take_seen(c);
        pair_count *to = out ? room_for(out, seen) : NULL;
        size_t n = 0;
        for (size_t j = 0; j < seen; j++) {
            uint32_t count = c->single[c->list[j]];
            c->single[c->list[j]] = 0;
            if (count < c->min_count) continue;
            if (to) to[n] = (pair_count) { group_index, run->attribute, c->list[j], count };
            n++;
        }
        if (out) out->n += n;
        found += n;
    }
    return found;
}

uint64_t pairs_count(pair_counter *c, const group *g, uint32_t group_index, pair_list *out)
{
    if (g->n < c->min_count) return 0;
    if (g->n == 1) return pairs_of_one_row(c->l->items + g->at[0], group_index, out);
    return c->cells ? pairs_by_matrix(c, g, group_index, out) : pairs_by_vector(c, g, group_index, out);
}
