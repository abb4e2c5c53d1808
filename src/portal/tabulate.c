/* The one function that counts for the portal, and its sister for sets of attributes. query.h says what is promised. */
#include "cube.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MAX_SUMS 250000u /* lookups of one question */

static const su_figure nothing = { .low = NAN, .high = NAN };

/* ---- one cell from released counts -------------------------------------------------------------------------------------------------- */

/* Attributes that a cell has in any case, and filters of which it has one code each. */
typedef struct recipe {
    uint32_t fixed[SU_QUERY_MAX_BY + 1 + SU_QUERY_MAX_WHERE];
    size_t fixed_count;
    const su_filter *any[SU_QUERY_MAX_WHERE];
    size_t any_count;
} recipe;

static void add_attribute(uint32_t *list, size_t *n, uint32_t attribute)
{
    size_t at = *n;
    for (size_t i = 0; i < *n; i++)
        if (list[i] == attribute) return;
    for (; at > 0 && list[at - 1] > attribute; at--) list[at] = list[at - 1];
    list[at] = attribute;
    ++*n;
}

/* gate or K: the report says how many combinations of this length each rule left out. Without noise there is no gate. */
static su_reason why_hidden(const su_view *v, size_t length)
{
    if (!v->bounded) return SU_REASON_K;
    for (size_t i = 0; i < v->level_count; i++) {
        if (v->levels[i].length != length) continue;
        bool gate = v->levels[i].gated > 0, k = v->levels[i].below_k > 0;
        if (gate != k) return gate ? SU_REASON_GATE : SU_REASON_K;
    }
    return v->k > 1 ? SU_REASON_GATE_OR_K : SU_REASON_GATE;
}

static bool is_wide(const su_figure *n) { return isfinite(n->low) && isfinite(n->high) && n->high - n->low > n->count; }

static void add_part(su_figure *sum, const su_cube_count *part)
{
    bool first = !sum->known;
    sum->known = true;
    sum->count += part->count;
    sum->low = first ? part->low : sum->low + part->low;
    sum->high = first ? part->high : sum->high + part->high;
}

static su_figure settle(const su_view *v, su_figure n, size_t missing, size_t length)
{
    n.source = SU_SOURCE_AGGREGATES;
    if (!n.known) {
        n.state = SU_CELL_SUPPRESSED;
        n.reason = why_hidden(v, length);
    } else if (missing) {
        n.state = SU_CELL_UNCERTAIN;
        n.reason = SU_REASON_PARTS;
        n.high = NAN;
    } else if (is_wide(&n)) {
        n.state = SU_CELL_UNCERTAIN;
        n.reason = SU_REASON_WIDE;
    }
    return n;
}

static su_figure everybody(const su_view *v)
{
    su_figure n = nothing;
    n.known = isfinite(v->estimated);
    n.count = n.known ? round(fmax(0, v->estimated)) : 0;
    n.low = isfinite(v->estimated_low) ? fmax(0, floor(v->estimated_low * 10) / 10) : NAN; /* one decimal, outwards, as all interval ends */
    n.high = ceil(v->estimated_high * 10) / 10;
    return settle(v, n, 0, 0);
}

/* Why a recipe cannot be answered from released counts; NONE when it can. */
static su_reason obstacle(const su_cube *c, const recipe *r)
{
    uint32_t attributes[SU_QUERY_MAX_BY + 1 + 2 * SU_QUERY_MAX_WHERE], fields[SU_VIEW_MAX_LENGTH];
    size_t n = r->fixed_count;
    memcpy(attributes, r->fixed, n * sizeof *attributes);
    for (size_t i = 0; i < r->any_count; i++) {
        if (c->view->fields[r->any[i]->field].kind == SU_VIEW_SET) return SU_REASON_OVERLAP;
        add_attribute(attributes, &n, c->columns[r->any[i]->field].base + r->any[i]->code[0]);
    }
    if (n > c->length) return SU_REASON_LENGTH;
    for (size_t i = 0; i < n; i++) fields[i] = c->field_of[attributes[i]];
    return su_cube_together(c, fields, n) ? SU_REASON_NONE : SU_REASON_TABLE;
}

/* The recipe has no obstacle. */
static su_figure from_counts(const su_cube *c, const recipe *r)
{
    su_figure sum = nothing;
    size_t pick[SU_QUERY_MAX_WHERE] = { 0 }, missing = 0, n = 0;
    if (r->fixed_count + r->any_count == 0) return everybody(c->view);
    for (bool more = true; more;) {
        uint32_t key[SU_QUERY_MAX_BY + 1 + 2 * SU_QUERY_MAX_WHERE];
        n = r->fixed_count;
        memcpy(key, r->fixed, n * sizeof *key);
        for (size_t i = 0; i < r->any_count; i++) add_attribute(key, &n, c->columns[r->any[i]->field].base + r->any[i]->code[pick[i]]);
        const su_cube_count *found = su_cube_find(c, key, n);
        if (found)
            add_part(&sum, found);
        else
            missing++;
        size_t i = 0;
        while (i < r->any_count && ++pick[i] == r->any[i]->count) pick[i++] = 0;
        more = i < r->any_count;
    }
    return settle(c->view, sum, missing, n);
}

static su_figure from_records(uint64_t count, su_reason why)
{
    su_figure n = nothing;
    n.source = SU_SOURCE_RECORDS;
    n.known = count > 0;
    n.count = (double)count;
    n.state = count ? SU_CELL_ESTIMATED : SU_CELL_ABSENT;
    n.reason = count ? why : SU_REASON_NO_RECORD;
    return n;
}

/* ---- the table ---------------------------------------------------------------------------------------------------------------------- */

typedef struct table {
    const su_cube *c;
    const su_ask *ask;
    su_arena *arena;
    su_tabulation *out;
    size_t cells;
    uint64_t *within;  /* records that match `where` */
    uint64_t *counted; /* cells counted in the records; NULL until one is needed */
    bool used_counts, used_records;
} table;

static const su_filter *filter_of(const su_ask *ask, uint32_t field)
{
    for (size_t i = 0; i < ask->where_count; i++)
        if (ask->where[i].field == field) return &ask->where[i];
    return NULL;
}

/* A column of `by` with one code per record is cut down to the codes that its filter lets through. */
static bool narrows(const su_cube *c, const su_ask *ask, uint32_t field)
{
    for (size_t i = 0; i < ask->by_count; i++)
        if (ask->by[i] == field) return c->view->fields[field].kind != SU_VIEW_SET;
    return false;
}

static void add_column(table *t, uint32_t field)
{
    su_dimension *d = &t->out->dimension[t->out->dimensions++];
    const su_filter *f = narrows(t->c, t->ask, field) ? filter_of(t->ask, field) : NULL;
    uint32_t *value = NULL;
    d->field = (int)field;
    d->count = f ? f->count : t->c->columns[field].values;
    d->value = f ? f->code : (value = su_arena_array(t->arena, d->count + 1, sizeof *value));
    for (size_t i = 0; value && i < d->count; i++) value[i] = (uint32_t)i;
}

static void add_group(table *t)
{
    const su_view *v = t->c->view;
    su_dimension *d = &t->out->dimension[t->out->dimensions++];
    uint32_t *member = su_arena_array(t->arena, v->field_count + 1, sizeof *member);
    *d = (su_dimension) { .field = -1, .value = member };
    for (uint32_t i = 0; i < v->field_count; i++)
        if (v->fields[i].kind == SU_VIEW_FLAG && v->fields[i].group == t->ask->group && t->c->columns[i].there &&
            su_cube_code(t->c, i, SU_STR("1")) >= 0)
            member[d->count++] = i;
}

static void start_recipe(const table *t, recipe *r)
{
    *r = (recipe) { .fixed_count = 0 };
    for (size_t i = 0; i < t->ask->where_count; i++) {
        const su_filter *f = &t->ask->where[i];
        if (narrows(t->c, t->ask, f->field)) continue;
        if (f->count == 1)
            add_attribute(r->fixed, &r->fixed_count, t->c->columns[f->field].base + f->code[0]);
        else
            r->any[r->any_count++] = f;
    }
}

/* Releases are asked by `where` alone too: then nothing is narrowed. */
static su_figure total(const table *t)
{
    recipe r = { .fixed_count = 0 };
    for (size_t i = 0; i < t->ask->where_count; i++) {
        const su_filter *f = &t->ask->where[i];
        if (f->count == 1)
            add_attribute(r.fixed, &r.fixed_count, t->c->columns[f->field].base + f->code[0]);
        else
            r.any[r.any_count++] = f;
    }
    size_t sums = 1;
    for (size_t i = 0; i < r.any_count && sums <= MAX_SUMS; i++) sums *= r.any[i]->count;
    su_reason why = obstacle(t->c, &r);
    if (why == SU_REASON_NONE && sums > MAX_SUMS) why = SU_REASON_PRODUCT;
    return why == SU_REASON_NONE ? from_counts(t->c, &r) : from_records(su_cube_popcount(t->within, t->c->words), why);
}

static uint64_t counted(table *t, size_t cell)
{
    if (!t->counted) {
        t->counted = su_alloc_array(t->cells + 1, sizeof *t->counted);
        su_cube_count_cells(t->c, t->out->dimension, t->out->dimensions, t->within, t->counted);
    }
    return t->counted[cell];
}

static su_figure figure_of(table *t, const recipe *base, bool too_many, const uint32_t *at, size_t cell)
{
    recipe r = *base;
    for (size_t i = 0; i < t->out->dimensions; i++)
        add_attribute(r.fixed, &r.fixed_count, su_cube_attribute(t->c, &t->out->dimension[i], at[i]));
    su_reason why = obstacle(t->c, &r);
    if (why == SU_REASON_NONE && too_many) why = SU_REASON_PRODUCT;
    if (why == SU_REASON_NONE) {
        t->used_counts = true;
        return from_counts(t->c, &r);
    }
    t->used_records = true;
    if (t->out->source_reason == SU_REASON_NONE) t->out->source_reason = why;
    return from_records(counted(t, cell), why);
}

static void set_percent(su_cell *cell, double of)
{
    cell->percent = cell->percent_low = cell->percent_high = NAN;
    if (!cell->n.known || !(of > 0)) return;
    cell->percent = fmin(100, 100 * cell->n.count / of);
    if (isfinite(cell->n.low)) cell->percent_low = fmin(100, 100 * cell->n.low / of);
    if (isfinite(cell->n.high)) cell->percent_high = fmin(100, 100 * cell->n.high / of);
}

static bool fill_cells(table *t, su_problem *problem)
{
    su_tabulation *out = t->out;
    uint32_t at[SU_QUERY_MAX_BY + 1] = { 0 };
    size_t room = t->cells < SU_QUERY_MAX_LISTED ? t->cells : SU_QUERY_MAX_LISTED, sums = t->cells;
    size_t per_row = t->ask->group >= 0 ? out->dimension[out->dimensions - 1].count : t->cells;
    recipe base;
    start_recipe(t, &base);
    for (size_t i = 0; i < base.any_count && sums <= MAX_SUMS; i++) sums *= base.any[i]->count;
    out->cells = su_arena_array(t->arena, room + 1, sizeof *out->cells);
    for (size_t cell = 0; cell < t->cells; cell++) {
        su_cell one = { .n = figure_of(t, &base, sums > MAX_SUMS, at, cell) };
        memcpy(one.at, at, sizeof at);
        set_percent(&one, out->denominators ? out->denominators[cell / per_row] : out->denominator.count);
        if (!one.n.known && t->cells > SU_QUERY_FULL) {
            if (out->not_listed++ == 0) out->not_listed_reason = one.n.reason;
        } else if (out->cell_count == SU_QUERY_MAX_LISTED) {
            su_problem_set(problem, 400, "too-many-cells", "by",
                           "The answer would list more than %u cells. Add a condition or leave a column out.", SU_QUERY_MAX_LISTED);
            return false;
        } else {
            out->cells[out->cell_count++] = one;
        }
        for (size_t i = out->dimensions; i-- > 0;) {
            if (++at[i] < out->dimension[i].count) break;
            at[i] = 0;
        }
    }
    return true;
}

/* ---- denominators ------------------------------------------------------------------------------------------------------------------- */

/* Records that could have had this column's codes: query.h. NULL = all. */
static const uint64_t *could_answer(const su_cube *c, uint32_t field)
{
    const su_view_field *f = &c->view->fields[field];
    if (f->kind == SU_VIEW_FLAG && f->value_count == 1) return f->group >= 0 ? c->group_answered[f->group] : NULL;
    return c->columns[field].answered;
}

static void find_denominators(table *t)
{
    const su_cube *c = t->c;
    su_tabulation *out = t->out;
    uint64_t *who = su_alloc_array((size_t)c->words + 1, sizeof *who);
    memcpy(who, t->within, (size_t)c->words * sizeof *who);
    for (size_t i = 0; i < t->ask->by_count && t->ask->group < 0; i++) {
        const uint64_t *these = could_answer(c, t->ask->by[i]);
        for (uint64_t w = 0; these && w < c->words; w++) who[w] &= these[w];
    }
    for (uint64_t w = 0; t->ask->group >= 0 && w < c->words; w++) who[w] &= c->group_answered[t->ask->group][w];
    out->denominator = from_records(su_cube_popcount(who, c->words), SU_REASON_ANSWERS);
    if (t->ask->group >= 0 && t->ask->by_count) {
        size_t n = t->cells / (out->dimension[out->dimensions - 1].count ? out->dimension[out->dimensions - 1].count : 1);
        uint64_t *counts = su_alloc_array(n + 1, sizeof *counts);
        double *of = su_arena_array(t->arena, n + 1, sizeof *of);
        su_cube_count_cells(c, out->dimension, out->dimensions - 1, who, counts);
        for (size_t i = 0; i < n; i++) of[i] = (double)counts[i];
        out->denominators = of;
        out->denominator_count = n;
        free(counts);
    }
    free(who);
}

/* ---- the doors ---------------------------------------------------------------------------------------------------------------------- */

static uint64_t *matching(const su_cube *c, const su_ask *ask)
{
    uint64_t *bits = su_alloc_array((size_t)c->words + 1, sizeof *bits);
    for (uint64_t w = 0; w < c->words; w++) bits[w] = UINT64_MAX;
    if (c->records % 64) bits[c->words - 1] = ((uint64_t)1 << (c->records % 64)) - 1;
    for (size_t i = 0; i < ask->where_count; i++) su_cube_and_filter(c, &ask->where[i], bits);
    return bits;
}

bool su_cube_tabulate(const su_cube *c, const su_ask *ask, su_arena *arena, su_tabulation *out, su_problem *problem)
{
    table t = { .c = c, .ask = ask, .arena = arena, .out = out, .cells = 1 };
    *out = (su_tabulation) { .dimensions = 0 };
    *problem = (su_problem) { .status = 0 };
    for (size_t i = 0; i < ask->by_count; i++) add_column(&t, ask->by[i]);
    if (ask->group >= 0) add_group(&t);
    for (size_t i = 0; i < out->dimensions; i++)
        if (__builtin_mul_overflow(t.cells, out->dimension[i].count, &t.cells)) t.cells = SIZE_MAX;
    if (t.cells > SU_QUERY_MAX_CELLS) {
        su_problem_set(
            problem, 400, "too-many-cells", "by",
            "These columns make %zu cells; at most %u are counted at once. Leave a column out, or add a condition on one of them.", t.cells,
            SU_QUERY_MAX_CELLS);
        return false;
    }
    t.within = matching(c, ask);
    out->total = total(&t);
    bool ok = true;
    if (out->dimensions) {
        find_denominators(&t);
        ok = fill_cells(&t, problem);
        out->source = t.used_records ? (t.used_counts ? SU_SOURCE_MIXED : SU_SOURCE_RECORDS) : SU_SOURCE_AGGREGATES;
    } else {
        out->denominator = out->total;
        out->source = out->total.source;
        out->source_reason = out->total.source == SU_SOURCE_RECORDS ? out->total.reason : SU_REASON_NONE;
    }
    free(t.within);
    free(t.counted);
    return ok;
}

static int most_first(const void *x, const void *y)
{
    const su_neighbour *a = x, *b = y;
    if (a->n.count != b->n.count) return a->n.count > b->n.count ? -1 : 1;
    if (a->field != b->field) return a->field < b->field ? -1 : 1;
    return a->value < b->value ? -1 : a->value > b->value;
}

static bool in_set(const su_ask *ask, uint32_t field, uint32_t value, bool several)
{
    for (size_t i = 0; i < ask->where_count; i++)
        if (ask->where[i].field == field && (!several || ask->where[i].code[0] == value)) return true;
    return false;
}

/* The codes of one column together with the set. */
static void add_neighbours(table *t, const recipe *set, uint32_t field, su_company *out)
{
    const su_cube *c = t->c;
    uint32_t values = c->columns[field].values;
    bool several = c->view->fields[field].kind == SU_VIEW_SET;
    uint64_t *counts = NULL;
    for (uint32_t v = 0; v < values; v++) {
        if (in_set(t->ask, field, v, several)) continue;
        recipe r = *set;
        add_attribute(r.fixed, &r.fixed_count, c->columns[field].base + v);
        su_reason why = obstacle(c, &r);
        su_neighbour one = { .field = field, .value = v, .percent = NAN };
        if (why == SU_REASON_NONE) {
            t->used_counts = true;
            one.n = from_counts(c, &r);
        } else {
            t->used_records = true;
            if (out->source_reason == SU_REASON_NONE) out->source_reason = why;
            if (!counts) {
                uint32_t *value = su_arena_array(t->arena, values, sizeof *value);
                for (uint32_t i = 0; i < values; i++) value[i] = i;
                su_dimension d = { (int)field, value, values };
                counts = su_alloc_array(values, sizeof *counts);
                su_cube_count_cells(c, &d, 1, t->within, counts);
            }
            one.n = from_records(counts[v], why);
        }
        if (one.n.known && out->set.known && out->set.count > 0) one.percent = fmin(100, 100 * one.n.count / out->set.count);
        if (one.n.known)
            out->with[out->count++] = one;
        else
            out->hidden++;
    }
    free(counts);
}

void su_cube_combinations(const su_cube *c, const su_ask *ask, size_t most, su_arena *arena, su_company *out)
{
    table t = { .c = c, .ask = ask, .arena = arena, .within = matching(c, ask) };
    recipe set = { .fixed_count = 0 };
    for (size_t i = 0; i < ask->where_count; i++)
        add_attribute(set.fixed, &set.fixed_count, c->columns[ask->where[i].field].base + ask->where[i].code[0]);
    *out = (su_company) { .set = total(&t) };
    out->with = su_arena_array(arena, c->attributes + 1, sizeof *out->with);
    for (uint32_t i = 0; i < c->view->field_count; i++)
        if (c->columns[i].there && !(in_set(ask, i, 0, false) && c->view->fields[i].kind != SU_VIEW_SET)) add_neighbours(&t, &set, i, out);
    qsort(out->with, out->count, sizeof *out->with, most_first);
    if (out->count > most) out->count = most;
    out->source = t.used_records ? (t.used_counts ? SU_SOURCE_MIXED : SU_SOURCE_RECORDS) : SU_SOURCE_AGGREGATES;
    free(t.within);
}
