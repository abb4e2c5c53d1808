/* All combinations with their counts, one length at a time. For length L, the search fixes L - 2 columns: a node is an ascending tuple of
 * columns, its groups are the row tails per tuple of values, and pairs.c counts the last two levels of every group. Nodes come in
 * the order of their columns and groups in the order of their values, so that only the pairs of one node need sorting, by column pair.
 *
 * Parallel work never changes the order: pieces are made side by side and reported one after the other. */
#include "pairs.h"

#include <stdlib.h>
#include <string.h>

typedef struct node {
    const struct node *up; /* one column fewer; NULL above the root */
    const group *groups;
    uint32_t count;
} node;

/* The children of a node: groups sorted by column, then by parent group, then by value. */
typedef struct level {
    split s;
    group *groups;
    size_t capacity;
    uint32_t *first; /* [column_count + 1] first group of each column */
} level;

/* Pairs found in some groups of one node, with the attributes that lead to these groups. */
typedef struct piece {
    attribute_id *prefix; /* [group * depth] */
    size_t prefix_capacity;
    pair_list pairs;
} piece;

/* What one task found: pieces in order of their nodes. Kept from task to task for its memory. */
typedef struct result {
    uint64_t found;
    piece *pieces;
    size_t n, capacity;
} result;

typedef struct worker {
    pair_counter counter;
    level levels[SU_MAX_LENGTH]; /* levels[d]: children of the node at depth d that this worker is in */
} worker;

typedef struct search {
    su_context *ctx;
    const lists *l;
    uint32_t length;
    void (*sink)(void *arg, const su_combination *c);
    void *arg;
    worker *workers;
    unsigned worker_count;
    result *results; /* one per task */
    size_t result_capacity;
    level top[2]; /* children of the root, and of the node of the first column at hand */
    node first_column;
    uint32_t *tables; /* [column_count^2 + 1] pairs per column pair, for sorting a node */
    const pair_count **order;
    const piece **order_piece;
    size_t order_capacity, order_piece_capacity;
} search;

static uint32_t depth_of(const search *s) { return s->length - 2; }

/* ---- reporting ---- */

/* Pairs of one node in the order of their columns; within a column pair they are already in the order of values. */
static void report(search *s, piece *const *pieces, size_t count)
{
    const size_t width = s->l->column_count;
    const su_attribute *attribute = s->l->attribute;
    size_t total = 0;
    for (size_t k = 0; k < count; k++) total += pieces[k]->pairs.n;
    if (!total) return;
    s->order = su_grow(s->order, &s->order_capacity, total, sizeof *s->order);
    s->order_piece = su_grow(s->order_piece, &s->order_piece_capacity, total, sizeof *s->order_piece);
    memset(s->tables, 0, (width * width + 1) * sizeof *s->tables);
    for (size_t k = 0; k < count; k++) {
        const pair_count *p = pieces[k]->pairs.p;
        for (size_t i = 0; i < pieces[k]->pairs.n; i++) {
            s->tables[attribute[p[i].first].column * width + attribute[p[i].second].column + 1]++;
        }
    }
    for (size_t t = 0; t < width * width; t++) s->tables[t + 1] += s->tables[t];
    for (size_t k = 0; k < count; k++) {
        const pair_count *p = pieces[k]->pairs.p;
        for (size_t i = 0; i < pieces[k]->pairs.n; i++) {
            uint32_t to = s->tables[attribute[p[i].first].column * width + attribute[p[i].second].column]++;
            s->order[to] = &p[i];
            s->order_piece[to] = pieces[k];
        }
    }
    su_combination c = { .length = s->length };
    const uint32_t depth = depth_of(s);
    for (size_t i = 0; i < total; i++) {
        const pair_count *p = s->order[i];
        const attribute_id *prefix = s->order_piece[i]->prefix + (size_t)p->group * depth;
        for (uint32_t d = 0; d < depth; d++) c.at[d] = attribute[prefix[d]];
        c.at[depth] = attribute[p->first];
        c.at[depth + 1] = attribute[p->second];
        c.count = p->count;
        s->sink(s->arg, &c);
    }
}

/* ---- searching ---- */

/* The attributes that lead to the groups from..to-1. */
static void fill_prefix(const search *s, const node *n, uint32_t from, uint32_t to, piece *out)
{
    const uint32_t depth = depth_of(s);
    out->prefix = su_grow(out->prefix, &out->prefix_capacity, (size_t)(to - from) * depth + 1, sizeof *out->prefix);
    for (uint32_t g = from; g < to; g++) {
        const node *at = n;
        uint32_t index = g;
        for (uint32_t d = depth; d-- > 0; at = at->up) {
            out->prefix[(size_t)(g - from) * depth + d] = at->groups[index].attribute;
            index = at->groups[index].parent;
        }
    }
}

/* Counts the groups from..to-1 of a node of full depth. */
static void leaf(const search *s, worker *w, const node *n, uint32_t from, uint32_t to, result *out)
{
    pair_list *pairs = NULL;
    if (s->sink) {
        if (out->n == out->capacity) {
            size_t before = out->capacity;
            out->pieces = su_grow(out->pieces, &out->capacity, out->n + 1, sizeof *out->pieces);
            memset(out->pieces + before, 0, (out->capacity - before) * sizeof *out->pieces);
        }
        piece *p = &out->pieces[out->n];
        fill_prefix(s, n, from, to, p);
        pairs = &p->pairs;
        pairs->n = 0;
    }
    for (uint32_t g = from; g < to; g++) out->found += pairs_count(&w->counter, &n->groups[g], g - from, pairs);
    if (pairs && pairs->n) out->n++;
}

/* Splits every group of the node; `rest` attributes must be left after the one chosen. */
static void make_children(const search *s, worker *w, const node *n, uint32_t rest, level *out)
{
    const su_attribute *attribute = s->l->attribute;
    const uint32_t columns = s->l->column_count;
    out->s.run_count = out->s.place_count = 0;
    uint32_t *parents = su_alloc_array((size_t)n->count + 1, sizeof *parents); /* first run of each group */
    for (uint32_t g = 0; g < n->count; g++) {
        parents[g] = (uint32_t)out->s.run_count;
        split_group(&w->counter, &n->groups[g], rest, &out->s);
    }
    parents[n->count] = (uint32_t)out->s.run_count;
    if (!out->first) out->first = su_alloc_array((size_t)columns + 2, sizeof *out->first);
    memset(out->first, 0, ((size_t)columns + 2) * sizeof *out->first);
    for (size_t k = 0; k < out->s.run_count; k++) out->first[attribute[out->s.runs[k].attribute].column + 2]++;
    for (uint32_t c = 0; c < columns; c++) out->first[c + 2] += out->first[c + 1];
    out->groups = su_grow(out->groups, &out->capacity, out->s.run_count, sizeof *out->groups);
    for (uint32_t g = 0; g < n->count; g++) {
        for (uint32_t k = parents[g]; k < parents[g + 1]; k++) {
            const split_run *run = &out->s.runs[k];
            uint32_t to = out->first[attribute[run->attribute].column + 1]++;
            out->groups[to] = (group) { g, run->attribute, run->n, out->s.places + run->start };
        }
    }
    free(parents);
}

static node child_of(const level *children, const node *up, uint32_t column)
{
    return (node) { up, children->groups + children->first[column], children->first[column + 1] - children->first[column] };
}

static void descend(const search *s, worker *w, const node *n, uint32_t depth, result *out)
{
    if (n->count == 0 || su_cancelled(s->ctx)) return;
    if (depth == depth_of(s)) {
        leaf(s, w, n, 0, n->count, out);
        return;
    }
    level *children = &w->levels[depth];
    make_children(s, w, n, s->length - depth - 1, children);
    for (uint32_t c = 0; c < s->l->column_count; c++) {
        node child = child_of(children, n, c);
        descend(s, w, &child, depth + 1, out);
    }
}

/* One value of the first column when it is the only one before the pairs, otherwise one second column. */
static void task(void *arg, size_t i, unsigned worker_number)
{
    search *s = arg;
    worker *w = &s->workers[worker_number];
    if (depth_of(s) == 1) {
        leaf(s, w, &s->first_column, (uint32_t)i, (uint32_t)i + 1, &s->results[i]);
        return;
    }
    node child = child_of(&s->top[1], &s->first_column, (uint32_t)i);
    descend(s, w, &child, 2, &s->results[i]);
}

/* Room for the results of `count` tasks, emptied but for their memory. */
static void reset_results(search *s, size_t count)
{
    size_t before = s->result_capacity;
    s->results = su_grow(s->results, &s->result_capacity, count, sizeof *s->results);
    if (s->result_capacity > before) memset(s->results + before, 0, (s->result_capacity - before) * sizeof *s->results);
    for (size_t i = 0; i < count; i++) s->results[i].found = s->results[i].n = 0;
}

static uint64_t report_results(search *s, size_t count)
{
    uint64_t found = 0;
    size_t pieces = 0, n = 0;
    for (size_t i = 0; i < count; i++) {
        found += s->results[i].found;
        pieces += s->results[i].n;
    }
    if (!pieces) return found;
    piece **list = su_alloc_array(pieces, sizeof(piece *));
    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; k < s->results[i].n; k++) list[n++] = &s->results[i].pieces[k];
    }
    if (depth_of(s) <= 1)
        report(s, list, pieces); /* all of one node */
    else
        for (size_t k = 0; k < pieces; k++) report(s, list + k, 1);
    free(list);
    return found;
}

/* All combinations of s->length >= 2 attributes; returns their number. */
static uint64_t search_length(search *s)
{
    const lists *l = s->l;
    worker *w = &s->workers[0];
    group everyone = { 0, LIST_END, (uint32_t)l->row_count, l->rows };
    node root = { NULL, &everyone, 1 };
    if (depth_of(s) == 0) {
        reset_results(s, 1);
        leaf(s, w, &root, 0, 1, &s->results[0]);
        return report_results(s, 1);
    }
    uint64_t found = 0;
    make_children(s, w, &root, s->length - 1, &s->top[0]);
    for (uint32_t c = 0; c < l->column_count && !su_cancelled(s->ctx); c++) {
        s->first_column = child_of(&s->top[0], &root, c);
        if (s->first_column.count == 0) continue;
        size_t tasks = s->first_column.count;
        if (depth_of(s) > 1) {
            make_children(s, w, &s->first_column, s->length - 2, &s->top[1]);
            tasks = l->column_count;
        }
        reset_results(s, tasks);
        su_parallel(s->ctx, tasks, task, s);
        if (su_cancelled(s->ctx)) break; /* results may be incomplete */
        found += report_results(s, tasks);
        su_progress(s->ctx, "counting combinations", (double)(c + 1) / l->column_count);
    }
    return found;
}

static uint64_t report_attributes(const lists *l, void (*sink)(void *arg, const su_combination *c), void *arg)
{
    su_combination c = { .length = 1 };
    for (uint32_t x = 0; sink && x < l->attribute_count; x++) {
        c.at[0] = l->attribute[x];
        c.count = l->count[x];
        sink(arg, &c);
    }
    return l->attribute_count;
}

static void level_free(level *v)
{
    split_free(&v->s);
    free(v->groups);
    free(v->first);
}

static void search_free(search *s)
{
    for (unsigned i = 0; i < s->worker_count; i++) {
        pair_counter_free(&s->workers[i].counter);
        for (size_t d = 0; d < SU_MAX_LENGTH; d++) level_free(&s->workers[i].levels[d]);
    }
    for (size_t i = 0; i < s->result_capacity; i++) {
        for (size_t k = 0; k < s->results[i].capacity; k++) {
            piece *p = &s->results[i].pieces[k];
            free(p->prefix);
            su_wipe(p->pairs.p, p->pairs.capacity * sizeof *p->pairs.p); /* case data: counts of small groups */
            free(p->pairs.p);
        }
        free(s->results[i].pieces);
    }
    level_free(&s->top[0]);
    level_free(&s->top[1]);
    free(s->workers);
    free(s->results);
    free(s->tables);
    free(s->order);
    free(s->order_piece);
}

su_status su_count_combinations(su_context *ctx, const su_code_matrix *m, const su_count_options *opts,
                                void (*sink)(void *arg, const su_combination *c), void *arg, uint64_t *totals)
{
    if (opts->length < 1 || opts->length > SU_MAX_LENGTH)
        return su_fail(ctx, SU_USAGE, "The reporting length must be 1 to %u attributes, not %u.", SU_MAX_LENGTH, opts->length);
    if (opts->min_count < 1) return su_fail(ctx, SU_USAGE, "The smallest count reported must be at least 1.");
    lists l;
    search s = { .ctx = ctx, .l = &l, .sink = sink, .arg = arg };
    for (uint32_t k = 0; totals && k < opts->length; k++) totals[k] = 0;
    su_status status = lists_build(ctx, m, opts->min_count, &l);
    if (status != SU_OK) return status;

    s.worker_count = su_parallel_workers(ctx);
    s.workers = su_alloc_array(s.worker_count, sizeof *s.workers);
    for (unsigned i = 0; i < s.worker_count; i++) pair_counter_init(&s.workers[i].counter, &l, opts->min_count);
    s.tables = su_alloc_array((size_t)l.column_count * l.column_count + 1, sizeof *s.tables);

    for (uint32_t length = 1; length <= opts->length && length <= l.column_count; length++) {
        s.length = length;
        uint64_t found = length == 1 ? report_attributes(&l, sink, arg) : search_length(&s);
        if (totals) totals[length - 1] = found;
        if (su_cancelled(ctx)) {
            status = su_fail(ctx, SU_CANCELLED, "Counting was interrupted.");
            break;
        }
    }
    search_free(&s);
    lists_free(&l);
    return status;
}
