#include "propagation.h"
#include "kernels.h"

#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* A separator's sum below this, relative to the largest cell of its node, has lost digits: then every separator cell gets its own largest.
 */
#define TINY 1e-200
#define PART_CELLS ((size_t)1024)  /* at least; some microseconds of work */
#define MOST_PARTS ((size_t)4)     /* of a node: every part has sums of its own */
#define ALONE_CELLS ((size_t)4096) /* with fewer, calling others takes longer than the work */
#define CHUNK_CELLS ((size_t)256)  /* of a separator */
#define LOG_CELLS ((size_t)8)      /* a logarithm takes as long as the work on so many cells */
#define LANES 16u

/* ---- plan -------------------------------------------------------------------------------------------------------- */

/* Separators are cut too: a level of one large node would leave their logarithms to one thread. */
static void plan_chunks(su_propagation *p, uint32_t node_count)
{
    size_t capacity = 0, count = 0;
    for (uint32_t i = 0; i < node_count; i++) {
        su_node_plan *node = &p->nodes[i];
        node->chunk = count;
        for (size_t from = 0; from < node->up.cells; from += CHUNK_CELLS) {
            size_t to = from + CHUNK_CELLS < node->up.cells ? from + CHUNK_CELLS : node->up.cells;
            p->chunks = su_grow(p->chunks, &capacity, count + 1, sizeof *p->chunks);
            p->chunks[count++] = (su_separator_chunk) { .node = i, .from = from, .to = to };
        }
        node->chunk_count = count - node->chunk;
    }
}

/* Nodes come by depth, deepest first, so every level is a run of them. */
static void plan_nodes(su_propagation *p, const su_model *m)
{
    size_t separators = 0, parts = 0;
    p->nodes = su_alloc_array(m->tree.count, sizeof *p->nodes);
    for (uint32_t i = 0; i < m->tree.count; i++) {
        const su_tree_node *node = &m->tree.nodes[i];
        size_t cells = (size_t)node->cells, count = 1;
        while (count < MOST_PARTS && cells >= 2 * count * PART_CELLS) count *= 2; /* so that two or four threads have the same */
        p->nodes[i] =
            (su_node_plan) { .offset = p->cells, .cells = cells, .separator_offset = separators, .part = parts, .part_count = count };
        p->cells += cells;
        parts += count;
        if (node->parent == UINT32_MAX) continue;
        su_submap_init(&p->nodes[i].up, node->set, node->separator, m->card);
        su_submap_init(&p->nodes[i].down, m->tree.nodes[node->parent].set, node->separator, m->card);
        separators += p->nodes[i].up.cells;
    }
    for (uint32_t i = m->tree.count - 1; i-- > 0;) p->nodes[i].level = p->nodes[m->tree.nodes[i].parent].level + 1;
    p->parts = su_alloc_array(parts, sizeof *p->parts);
    for (uint32_t i = 0; i < m->tree.count; i++)
        for (size_t k = 0; k < p->nodes[i].part_count; k++) {
            size_t cells = p->nodes[i].cells, count = p->nodes[i].part_count;
            p->parts[p->nodes[i].part + k] = (su_node_part) { .node = i, .from = cells * k / count, .to = cells * (k + 1) / count };
        }
    p->log = su_alloc_array(p->cells, sizeof *p->log);
    p->belief = su_alloc_array(p->cells, sizeof *p->belief);
    plan_chunks(p, m->tree.count);
    p->sum = su_alloc_array(separators + 1, sizeof *p->sum);
    p->message = su_alloc_array(separators + 1, sizeof *p->message);
}

static void plan_factor(su_propagation *p, const su_model *m, size_t f)
{
    const su_factor *factor = &m->factors[f];
    su_factor_plan *plan = &p->factors[f];
    plan->host = su_tree_holder(&m->tree, factor->set);
    su_column_set host = m->tree.nodes[plan->host].set;
    size_t cells = (size_t)m->tree.nodes[plan->host].cells;
    for (size_t g = 0; g < m->factor_count; g++) {
        if (g == f || !su_set_within(factor->set, m->factors[g].set) || m->factors[g].cells > cells) continue;
        if (m->factors[g].cells == cells && (host != m->factors[g].set || plan->in_factor)) continue;
        plan->in_factor = true;
        plan->host = g;
        host = m->factors[g].set;
        cells = m->factors[g].cells;
    }
    su_submap_init(&plan->map, host, factor->set, m->card);
}

/* What every node takes in and gives out: the factors that hang there, and its children's separators. */
static void plan_lists(su_propagation *p, const su_model *m)
{
    size_t hung = 0, outputs = 0, sums = 0;
    p->hung = su_alloc_array(m->factor_count, sizeof *p->hung);
    p->outputs = su_alloc_array(m->factor_count + m->tree.count, sizeof *p->outputs);
    for (uint32_t i = 0; i < m->tree.count; i++) {
        su_node_plan *node = &p->nodes[i];
        node->hung = hung;
        node->output = outputs;
        for (size_t k = 0; k < m->factor_count; k++) {
            size_t f = p->by_size[k];
            if (p->factors[f].in_factor || p->factors[f].host != i) continue;
            p->hung[hung++] = f;
            p->outputs[outputs++] = (su_node_output) { .index = f, .node = i, .place = sums };
            sums += node->part_count * m->factors[f].cells;
        }
        for (uint32_t c = 0; c < i; c++) {
            if (m->tree.nodes[c].parent != i) continue;
            p->outputs[outputs++] = (su_node_output) { .child = true, .index = c, .node = i, .place = sums };
            sums += node->part_count * p->nodes[c].up.cells;
        }
        node->hung_count = hung - node->hung;
        node->output_count = outputs - node->output;
        node->up_part = sums;
        sums += i + 1 < m->tree.count ? node->part_count * node->up.cells : 0;
    }
    p->part_sums = su_alloc_array(sums, sizeof *p->part_sums);
}

static void plan_bars(su_propagation *p, const su_model *m)
{
    size_t count = 0, capacity = 0;
    for (uint32_t i = 0; m->bar_count && i < m->tree.count; i++) {
        su_node_plan *node = &p->nodes[i];
        uint8_t *impossible = su_alloc(node->cells);
        su_model_barred(m, m->tree.nodes[i].set, impossible);
        node->barred = count;
        for (size_t cell = 0; cell < node->cells; cell++) {
            if (!impossible[cell]) continue;
            p->barred = su_grow(p->barred, &capacity, count + 1, sizeof *p->barred);
            p->barred[count++] = (uint32_t)cell;
        }
        node->barred_count = count - node->barred;
        free(impossible);
    }
}

static su_propagation *propagation_new(const su_model *m)
{
    su_propagation *p = su_alloc(sizeof *p);
    plan_nodes(p, m);
    p->factors = su_alloc_array(m->factor_count, sizeof *p->factors);
    p->by_size = su_alloc_array(m->factor_count, sizeof *p->by_size);
    p->pushed = su_alloc_array(m->cells, sizeof *p->pushed);
    for (size_t f = 0; f < m->factor_count; f++) {
        size_t at = f;
        for (; at > 0 && su_set_size(m->factors[p->by_size[at - 1]].set) > su_set_size(m->factors[f].set); at--)
            p->by_size[at] = p->by_size[at - 1];
        p->by_size[at] = f;
        plan_factor(p, m, f);
    }
    plan_lists(p, m);
    plan_bars(p, m);
    return p;
}

void su_propagation_free(su_propagation *p, uint32_t node_count, size_t factor_count)
{
    if (!p) return;
    for (uint32_t i = 0; i < node_count; i++) {
        su_submap_free(&p->nodes[i].up);
        su_submap_free(&p->nodes[i].down);
    }
    for (size_t f = 0; f < factor_count; f++) su_submap_free(&p->factors[f].map);
    free(p->nodes);
    free(p->parts);
    free(p->chunks);
    free(p->factors);
    free(p->by_size);
    free(p->hung);
    free(p->outputs);
    free(p->barred);
    free(p->log);
    free(p->belief);
    free(p->pushed);
    free(p->sum);
    free(p->message);
    free(p->part_sums);
    free(p);
}

/* ---- sharing a loop ---------------------------------------------------------------------------------------------- */

/* One loop of a pass, over parts, nodes or outputs from `first` on. */
typedef struct pass {
    su_model *m;
    su_propagation *p;
    size_t first;
    double scale; /* of the root's cells */
} pass;

typedef struct lane {
    _Alignas(64) atomic_size_t next;
    size_t end;
} lane;

typedef struct lanes {
    pass own;
    void (*item)(pass *s, size_t i);
    lane lane[LANES];
    unsigned count;
} lanes;

/* Every worker begins with the items that it had in the loops before: what belongs to them is in its cache. Then it helps the others. */
static void run_lanes(void *arg, size_t index, unsigned worker)
{
    (void)index;
    lanes *l = arg;
    for (unsigned k = 0; k < l->count; k++) {
        lane *at = &l->lane[(worker + k) % l->count];
        for (size_t i; (i = atomic_fetch_add_explicit(&at->next, 1, memory_order_relaxed)) < at->end;) l->item(&l->own, i);
    }
}

/* Where the first k of `count` lanes end: parts of about as many cells for each. */
static size_t lane_end(const su_node_part *parts, size_t n, size_t cells, unsigned k, unsigned count)
{
    size_t i = 0, before = 0;
    if (!parts || k == count) return n * k / count;
    for (; i < n && (2 * before + parts[i].to - parts[i].from) * count <= 2 * cells * k; i++) before += parts[i].to - parts[i].from;
    return i;
}

/* Items first .. first + n - 1; `parts` when they are the parts of a level, else NULL. */
static void spread(const pass *s, size_t cells, const su_node_part *parts, size_t first, size_t n, void (*item)(pass *s, size_t i))
{
    unsigned workers = s->m->crew && cells >= ALONE_CELLS ? su_crew_size(s->m->crew) : 1;
    lanes l = { .own = *s, .item = item, .count = workers < LANES ? workers : LANES };
    l.own.first = first;
    if (workers == 1) {
        for (size_t i = 0; i < n; i++) item(&l.own, i);
        return;
    }
    for (unsigned k = 0; k < l.count; k++) {
        atomic_init(&l.lane[k].next, lane_end(parts, n, cells, k, l.count));
        l.lane[k].end = lane_end(parts, n, cells, k + 1, l.count);
    }
    su_crew_do(s->m->crew, l.count, run_lanes, &l);
}

/* to = the sums over the parts, in their order, of the first `n` cells; every part has `cells`. */
static void join_parts(const double *from, size_t cells, size_t parts, size_t n, double *to)
{
    memcpy(to, from, n * sizeof *to);
    for (size_t k = 1; k < parts; k++) su_add_scaled(1, from + k * cells, n, to);
}

static void sum_part(const su_submap *map, const double *belief, const su_node_part *part, size_t index, double *part_sums)
{
    double *to = part_sums + index * map->cells;
    memset(to, 0, map->cells * sizeof *to);
    su_submap_sum_part(map, belief, part->from, part->to, to);
}

/* ---- up ---------------------------------------------------------------------------------------------------------- */

/* Potentials of factors within factors, smaller ones first. */
static void push_potentials(su_propagation *p, const su_model *m)
{
    memcpy(p->pushed, m->potential, m->cells * sizeof *p->pushed);
    for (size_t i = 0; i < m->factor_count; i++) {
        size_t f = p->by_size[i];
        const su_factor_plan *plan = &p->factors[f];
        if (plan->in_factor)
            su_submap_add(&plan->map, p->pushed + m->factors[f].offset, p->pushed + m->factors[plan->host].offset, 0,
                          m->factors[plan->host].cells);
    }
}

static void bar_part(const su_propagation *p, const su_node_plan *node, const su_node_part *part, double *log)
{
    const uint32_t *barred = p->barred + node->barred;
    size_t low = 0, high = node->barred_count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (barred[middle] < part->from)
            low = middle + 1;
        else
            high = middle;
    }
    for (; low < node->barred_count && barred[low] < part->to; low++) log[barred[low]] = -INFINITY;
}

/* A part's log beliefs: potentials and the children's messages. */
static void gather_part(pass *s, size_t i)
{
    su_propagation *p = s->p;
    su_node_part *part = &p->parts[s->first + i];
    const su_node_plan *node = &p->nodes[part->node];
    double *log = p->log + node->offset;
    memset(log + part->from, 0, (part->to - part->from) * sizeof *log);
    for (size_t k = 0; k < node->hung_count; k++) {
        size_t f = p->hung[node->hung + k];
        su_submap_add(&p->factors[f].map, p->pushed + s->m->factors[f].offset, log, part->from, part->to);
    }
    for (size_t k = node->hung_count; k < node->output_count; k++) {
        const su_node_plan *child = &p->nodes[p->outputs[node->output + k].index];
        su_submap_add(&child->down, p->message + child->separator_offset, log, part->from, part->to);
    }
    if (node->barred_count) bar_part(p, node, part, log);
    part->top = su_largest(log + part->from, part->to - part->from);
}

static void set_top(su_propagation *p, su_node_plan *node)
{
    node->top = -INFINITY;
    for (size_t k = 0; k < node->part_count; k++) node->top = fmax(node->top, p->parts[node->part + k].top);
    if (isinf(node->top)) node->top = 0; /* nothing is possible here */
}

/* exp does not reach 0, and what is impossible must. */
static void zero_impossible(const su_model *m, const double *log, size_t n, double *belief)
{
    for (size_t k = 0; m->bar_count && k < n; k++)
        if (isinf(log[k])) belief[k] = 0;
}

static void exp_part(pass *s, size_t i)
{
    su_propagation *p = s->p;
    su_node_part *part = &p->parts[s->first + i];
    const su_node_plan *node = &p->nodes[part->node];
    size_t at = node->offset + part->from, n = part->to - part->from;
    su_exp_shifted(p->log + at, node->top, n, p->belief + at);
    zero_impossible(s->m, p->log + at, n, p->belief + at);
    if (node->level == 0)
        part->sum = su_sum(p->belief + at, n);
    else
        sum_part(&node->up, p->belief + node->offset, part, s->first + i - node->part, p->part_sums + node->up_part);
}

/* belief becomes exp(log - largest of its separator cell); message the logarithm of the sums, however far apart they lie. */
static void up_exactly(const su_model *m, const su_node_plan *node, const double *beliefs, double *belief, double *sum, double *message)
{
    su_submap_max(&node->up, beliefs, message);
    for (size_t s = 0; s < node->up.cells; s++) message[s] = isinf(message[s]) ? 0 : -message[s];
    memcpy(belief, beliefs, node->cells * sizeof *belief);
    su_submap_add(&node->up, message, belief, 0, node->cells);
    su_exp_shifted(belief, 0, node->cells, belief);
    zero_impossible(m, beliefs, node->cells, belief);
    su_submap_sum(&node->up, belief, sum);
    for (size_t s = 0; s < node->up.cells; s++) message[s] = sum[s] > 0 ? log(sum[s]) - message[s] : -INFINITY;
}

static void send_chunk(pass *s, size_t i)
{
    su_propagation *p = s->p;
    su_separator_chunk *chunk = &p->chunks[s->first + i];
    const su_node_plan *node = &p->nodes[chunk->node];
    size_t n = chunk->to - chunk->from;
    double *sum = p->sum + node->separator_offset + chunk->from, *message = p->message + node->separator_offset + chunk->from;
    chunk->least = INFINITY;
    join_parts(p->part_sums + node->up_part + chunk->from, node->up.cells, node->part_count, n, sum);
    for (size_t k = 0; k < n; k++) {
        chunk->least = sum[k] > 0 && sum[k] < chunk->least ? sum[k] : chunk->least;
        message[k] = sum[k] > 0 ? node->top + log(sum[k]) : -INFINITY;
    }
}

/* Once more for a node in which digits were lost. */
static void send_again(pass *s, size_t i)
{
    su_propagation *p = s->p;
    const su_node_plan *node = &p->nodes[s->first + i];
    double least = INFINITY;
    for (size_t k = 0; k < node->chunk_count; k++) least = fmin(least, p->chunks[node->chunk + k].least);
    if (least < TINY)
        up_exactly(s->m, node, p->log + node->offset, p->belief + node->offset, p->sum + node->separator_offset,
                   p->message + node->separator_offset);
}

/* ---- down -------------------------------------------------------------------------------------------------------- */

/* The node's cells are exp(belief - c_s) with sum S_s over separator cell s; times P(s) / S_s they are probabilities. */
static void scale_part(pass *s, size_t i)
{
    su_propagation *p = s->p;
    const su_node_part *part = &p->parts[s->first + i];
    const su_node_plan *node = &p->nodes[part->node];
    double *belief = p->belief + node->offset;
    if (node->level > 0) su_submap_scale(&node->up, p->sum + node->separator_offset, belief, part->from, part->to);
    for (size_t k = part->from; node->level == 0 && k < part->to; k++) belief[k] *= s->scale;
    for (size_t k = 0; k < node->output_count; k++) {
        const su_node_output *o = &p->outputs[node->output + k];
        const su_submap *map = o->child ? &p->nodes[o->index].down : &p->factors[o->index].map;
        sum_part(map, belief, part, s->first + i - node->part, p->part_sums + o->place);
    }
}

/* What the node's children need; nodes below wait for it. */
static void join_children(pass *s, size_t i)
{
    su_propagation *p = s->p;
    const su_node_plan *node = &p->nodes[s->first + i];
    for (size_t k = node->hung_count; k < node->output_count; k++) {
        const su_node_output *o = &p->outputs[node->output + k];
        const su_node_plan *child = &p->nodes[o->index];
        double *sum = p->sum + child->separator_offset, *shared = p->message + child->separator_offset;
        join_parts(p->part_sums + o->place, child->down.cells, node->part_count, child->down.cells, shared);
        for (size_t cell = 0; cell < child->down.cells; cell++) sum[cell] = sum[cell] > 0 ? shared[cell] / sum[cell] : 0;
    }
}

/* A factor that hangs in a node. */
static void join_factor(pass *s, size_t i)
{
    const su_node_output *o = &s->p->outputs[i];
    const su_factor *f = &s->m->factors[o->index];
    if (!o->child) join_parts(s->p->part_sums + o->place, f->cells, s->p->nodes[o->node].part_count, f->cells, s->m->share + f->offset);
}

/* A factor that hangs in one of more columns, whose shares are there. */
static void sum_factor(pass *s, size_t i)
{
    size_t f = s->p->by_size[s->first + i];
    const su_factor_plan *plan = &s->p->factors[f];
    if (plan->in_factor) su_submap_sum(&plan->map, s->m->share + s->m->factors[plan->host].offset, s->m->share + s->m->factors[f].offset);
}

/* ---- the whole --------------------------------------------------------------------------------------------------- */

static void build_plan(su_model *m)
{
    su_elimination_free(&m->elimination);
    su_tree_free(&m->tree);
    su_column_set *sets = su_alloc_array(m->factor_count, sizeof *sets);
    for (size_t f = 0; f < m->factor_count; f++) sets[f] = m->factors[f].set;
    su_elimination_init(&m->elimination, m->column_count, m->card, sets, m->factor_count);
    su_tree_init(&m->tree, &m->elimination);
    free(sets);
    m->plan = propagation_new(m);
}

/* Nodes first .. last - 1, the level that begins at `first`. */
typedef struct level {
    uint32_t first, last;
    size_t part, part_count, cells, chunk, chunk_count, up_cells, down_cells; /* cells: of the nodes; of separators above and below them */
} level;

static level level_at(const su_model *m, uint32_t first)
{
    const su_propagation *p = m->plan;
    level l = { .first = first, .last = first, .part = p->nodes[first].part, .chunk = p->nodes[first].chunk };
    for (; l.last < m->tree.count && p->nodes[l.last].level == p->nodes[first].level; l.last++) {
        l.part_count += p->nodes[l.last].part_count;
        l.cells += p->nodes[l.last].cells;
        l.chunk_count += p->nodes[l.last].chunk_count;
        l.up_cells += p->nodes[l.last].up.cells;
        for (size_t k = p->nodes[l.last].hung_count; k < p->nodes[l.last].output_count; k++)
            l.down_cells += p->nodes[p->outputs[p->nodes[l.last].output + k].index].down.cells;
    }
    return l;
}

static void go_up(su_model *m, pass *s)
{
    su_propagation *p = s->p;
    uint32_t root = m->tree.count - 1;
    push_potentials(p, m);
    for (uint32_t i = 0; i <= root;) {
        level l = level_at(m, i);
        const su_node_part *parts = p->parts + l.part;
        spread(s, l.cells, parts, l.part, l.part_count, gather_part);
        for (; i < l.last; i++) set_top(p, &p->nodes[i]);
        spread(s, l.cells, parts, l.part, l.part_count, exp_part);
        if (l.first == root) return;
        spread(s, l.up_cells * LOG_CELLS, NULL, l.chunk, l.chunk_count, send_chunk);
        bool lost = false;
        for (size_t k = 0; k < l.chunk_count; k++) lost = lost || p->chunks[l.chunk + k].least < TINY;
        if (lost) spread(s, l.cells, NULL, l.first, l.last - l.first, send_again);
    }
}

static void go_down(su_model *m, pass *s)
{
    su_propagation *p = s->p;
    const su_node_plan *root = &p->nodes[m->tree.count - 1];
    for (uint32_t end = m->tree.count; end > 0;) {
        uint32_t first = end - 1;
        while (first > 0 && p->nodes[first - 1].level == p->nodes[end - 1].level) first--;
        level l = level_at(m, first);
        spread(s, l.cells, p->parts + l.part, l.part, l.part_count, scale_part);
        spread(s, l.down_cells, NULL, l.first, l.last - l.first, join_children);
        end = first;
    }
    spread(s, m->cells, NULL, 0, root->output + root->output_count, join_factor);
    /* Factors of as many columns do not hang in each other. */
    for (size_t end = m->factor_count, first; end > 0; end = first) {
        size_t cells = 0;
        for (first = end;
             first > 0 && su_set_size(m->factors[p->by_size[first - 1]].set) == su_set_size(m->factors[p->by_size[end - 1]].set); first--)
            if (p->factors[p->by_size[first - 1]].in_factor) cells += m->factors[p->factors[p->by_size[first - 1]].host].cells;
        spread(s, cells, NULL, first, end - first, sum_factor);
    }
}

double su_model_infer(su_model *m)
{
    if (!m->plan) build_plan(m);
    su_propagation *p = m->plan;
    pass s = { .m = m, .p = p };
    go_up(m, &s);
    const su_node_plan *top = &p->nodes[m->tree.count - 1];
    double sum = 0;
    for (size_t k = 0; k < top->part_count; k++) sum += p->parts[top->part + k].sum;
    s.scale = 1 / sum;
    go_down(m, &s);
    return top->top + log(sum);
}
