/* All combinations with their counts, one length at a time. For length L, the search fixes L - 2 columns: a node is an ascending tuple of
 * columns, its groups are the row tails per tuple of values, and pairs.c counts the last two levels of every group. Nodes come in
 * the order of their columns and groups in the order of their values, so that only the pairs of one node need sorting, by column pair.
 *
 * Parallel work never changes the order: pieces are made side by side and reported one after the other. */
#include "pairs.h"

#include <stdlib.h>
#include <string.h>

#define BATCH_VALUES 64u

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
    node root, first_column;
    struct search *pairs; /* length 3: the search for pairs, which goes side by side with it; NULL once that is done */
    uint32_t first_group; /* where one column stands before the pairs: the first of the root's groups that are shared out now */
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
    for (uint32_t g = 0; n->up && g < n->count; g++) {
        parents[g] = (uint32_t)out->s.run_count;
        split_group(&w->counter, &n->groups[g], rest, &out->s);
    }
    if (!n->up) split_everyone(s->ctx, s->l, w->counter.min_count, rest, &out->s); /* the root is one group */
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

static void all_pairs(search *s, worker *w) { leaf(s, w, &s->root, 0, 1, &s->results[0]); }

/* One value of a first column, when that is the only one before the pairs; before them all, the pairs themselves: one long task. */
static void one_value(void *arg, size_t i, unsigned worker_number)
{
    search *s = arg;
    if (s->pairs && i-- == 0) {
        all_pairs(s->pairs, &s->workers[worker_number]);
        return;
    }
    uint32_t g = s->first_group + (uint32_t)i, column = s->l->attribute[s->top[0].groups[g].attribute].column;
    node n = child_of(&s->top[0], &s->root, column);
    leaf(s, &s->workers[worker_number], &n, g - s->top[0].first[column], g - s->top[0].first[column] + 1, &s->results[i]);
}

/* One second column. */
static void one_column(void *arg, size_t i, unsigned worker_number)
{
    search *s = arg;
    worker *w = &s->workers[worker_number];
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

static uint64_t report_results(search *s, const result *results, size_t count)
{
    uint64_t found = 0;
    size_t pieces = 0, n = 0;
    for (size_t i = 0; i < count; i++) {
        found += results[i].found;
        pieces += results[i].n;
    }
    if (!pieces) return found;
    piece **list = su_alloc_array(pieces, sizeof(piece *));
    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; k < results[i].n; k++) list[n++] = &results[i].pieces[k];
    }
    if (depth_of(s) <= 1)
        report(s, list, pieces); /* all of one node */
    else
        for (size_t k = 0; k < pieces; k++) report(s, list + k, 1);
    free(list);
    return found;
}

/* Columns from `from` on whose values are shared out together: flags have one value each, and alone they would keep one worker busy. */
static uint32_t batch_end(const search *s, uint32_t from)
{
    const uint32_t *first = s->top[0].first;
    uint32_t end = from + 1;
    while (end < s->l->column_count && first[end + 1] - first[from] <= BATCH_VALUES) end++;
    return end;
}

/* Combinations of three. */
static uint64_t search_values(search *s)
{
    const uint32_t *first = s->top[0].first;
    uint64_t found = 0;
    for (uint32_t c = 0, end; c < s->l->column_count && !su_cancelled(s->ctx); c = end) {
        end = batch_end(s, c);
        s->first_group = first[c];
        reset_results(s, first[end] - first[c]);
        su_parallel(s->ctx, (s->pairs != NULL) + first[end] - first[c], one_value, s);
        if (su_cancelled(s->ctx)) break; /* results may be incomplete */
        if (s->pairs) s->pairs->results[0].found = report_results(s->pairs, s->pairs->results, 1);
        s->pairs = NULL;
        for (uint32_t k = c; k < end; k++) found += report_results(s, s->results + (first[k] - first[c]), first[k + 1] - first[k]);
        su_progress(s->ctx, "counting combinations", (double)end / s->l->column_count);
    }
    return found;
}

/* Combinations of four and more. */
static uint64_t search_columns(search *s)
{
    uint64_t found = 0;
    for (uint32_t c = 0; c < s->l->column_count && !su_cancelled(s->ctx); c++) {
        s->first_column = child_of(&s->top[0], &s->root, c);
        if (s->first_column.count == 0) continue;
        make_children(s, &s->workers[0], &s->first_column, s->length - 2, &s->top[1]);
        reset_results(s, s->l->column_count);
        su_parallel(s->ctx, s->l->column_count, one_column, s);
        if (su_cancelled(s->ctx)) break; /* results may be incomplete */
        found += report_results(s, s->results, s->l->column_count);
        su_progress(s->ctx, "counting combinations", (double)(c + 1) / s->l->column_count);
    }
    return found;
}

/* All combinations of s->length >= 2 attributes; returns their number. */
static uint64_t search_length(search *s)
{
    if (depth_of(s) == 0) {
        all_pairs(s, &s->workers[0]);
        return report_results(s, s->results, 1);
    }
    make_children(s, &s->workers[0], &s->root, s->length - 1, &s->top[0]);
    return depth_of(s) == 1 ? search_values(s) : search_columns(s);
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

static void results_free(search *s)
{
    for (size_t i = 0; i < s->result_capacity; i++) {
        for (size_t k = 0; k < s->results[i].capacity; k++) {
            piece *p = &s->results[i].pieces[k];
            free(p->prefix);
            su_wipe(p->pairs.p, p->pairs.capacity * sizeof *p->pairs.p); /* case data: counts of small groups */
            free(p->pairs.p);
        }
        free(s->results[i].pieces);
    }
    free(s->results);
    free(s->order);
    free(s->order_piece);
}

static void search_free(search *s)
{
    for (unsigned i = 0; i < s->worker_count; i++) {
        pair_counter_free(&s->workers[i].counter);
        for (size_t d = 0; d < SU_MAX_LENGTH; d++) level_free(&s->workers[i].levels[d]);
    }
    results_free(s);
    level_free(&s->top[0]);
    level_free(&s->top[1]);
    free(s->workers);
    free(s->tables);
}

/* All lengths, in their order. Pairs are counted beside the triples where there are any: alone they would keep one worker busy. */
static void search_lengths(search *s, uint32_t length, uint64_t *totals)
{
    group everyone = { 0, LIST_END, (uint32_t)s->l->row_count, s->l->rows };
    s->root = (node) { NULL, &everyone, 1 };
    search pairs = *s;
    pairs.length = 2;
    reset_results(&pairs, 1);
    bool beside = length > 2;
    uint64_t found[SU_MAX_LENGTH] = { report_attributes(s->l, s->sink, s->arg) };
    for (s->length = beside ? 3 : 2; s->length <= length && !su_cancelled(s->ctx); s->length++) {
        search *at = s->length == 2 ? &pairs : s;
        s->pairs = s->length == 3 ? &pairs : NULL;
        found[s->length - 1] = search_length(at);
        if (s->length == 3) found[1] = pairs.results[0].found;
    }
    for (uint32_t k = 0; totals && k < length; k++) totals[k] = found[k];
    results_free(&pairs);
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
    search_lengths(&s, opts->length < l.column_count ? opts->length : l.column_count, totals);
    if (su_cancelled(ctx)) status = su_fail(ctx, SU_CANCELLED, "Counting was interrupted.");
    search_free(&s);
    lists_free(&l);
    return status;
}
