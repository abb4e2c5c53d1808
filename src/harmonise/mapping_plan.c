/* From rows to a plan: which source columns fill each field, by which rule, in which order. Contradictions are refused here, not at run
 * time. */
#include <stdlib.h>
#include <string.h>

#include "lookup.h"
#include "mapping.h"

typedef struct planner {
    su_context *ctx;
    su_mapping *m;
    su_dict *pair_ids; /* (source, field) as 8 bytes */
} planner;

#define NAME_OF(source) (int)(source)->name.n, (source)->name.p

static const char *field_name(const su_mapping *m, int field) { return m->schema->fields[field].name; }

static map_pair *pair_of(planner *p, const map_row *row)
{
    su_mapping *m = p->m;
    uint32_t key[2] = { row->source, (uint32_t)row->field };
    uint32_t id = su_dict_add(p->pair_ids, (su_str) { (const char *)key, sizeof key });
    if (id == m->pair_count) {
        m->pairs = su_grow(m->pairs, &m->pair_capacity, m->pair_count + 1, sizeof *m->pairs);
        m->pairs[m->pair_count++] = (map_pair) { .source = row->source,
                                                 .field = row->field,
                                                 .base = RULE_NONE,
                                                 .wildcard = UINT32_MAX,
                                                 .first_row = (uint32_t)(row - m->rows),
                                                 .keys = su_dict_new() };
        map_target *t = &m->targets[row->field];
        t->pairs = su_grow(t->pairs, &t->pair_capacity, t->pair_count + 1, sizeof *t->pairs);
        t->pairs[t->pair_count++] = id;
    }
    return &m->pairs[id];
}

static su_status set_base(planner *p, map_pair *pair, const map_row *row)
{
    su_mapping *m = p->m;
    if (pair->base != RULE_NONE)
        return mapping_fail(p->ctx, m, row->line, MAP_RULE,
                            "two rules for one cell: line %u already says how %.*s fills %s (%s); keep one of them",
                            m->rows[pair->base_row].line, NAME_OF(&m->sources[row->source]), field_name(m, row->field),
                            map_rule_name(m->rows[pair->base_row].rule));
    pair->base = row->rule == RULE_SPLIT ? RULE_RENAME : row->rule;
    pair->base_row = (uint32_t)(row - m->rows);
    return SU_OK;
}

/* Value rows, and or rows with a value: one meaning per source value, but a code set may get several members from one. */
static su_status add_listed(planner *p, map_pair *pair, map_row *row)
{
    su_mapping *m = p->m;
    uint32_t index = (uint32_t)(row - m->rows);
    if (row->wildcard) {
        if (pair->wildcard != UINT32_MAX)
            return mapping_fail(p->ctx, m, row->line, MAP_SOURCE_VALUE,
                                "two rules for one cell: line %u already has a default (*) for %.*s and %s", m->rows[pair->wildcard].line,
                                NAME_OF(&m->sources[row->source]), field_name(m, row->field));
        pair->wildcard = index;
        return SU_OK;
    }
    uint32_t before = su_dict_count(pair->keys), id = su_dict_add(pair->keys, row->key);
    if (id == before) {
        pair->key_row = su_grow(pair->key_row, &pair->key_capacity, (size_t)id + 1, sizeof *pair->key_row);
        pair->key_row[id] = index;
    } else {
        map_row *last = &m->rows[pair->key_row[id]];
        bool set = m->schema->fields[row->field].type == SU_TYPE_CODE_SET;
        for (;; last = &m->rows[last->next]) {
            bool fits = set && su_cell_is_value(last->cell) && su_cell_is_value(row->cell) && last->cell != row->cell;
            if (!fits)
                return mapping_fail(p->ctx, m, row->line, MAP_SOURCE_VALUE,
                                    "two rules for one cell: line %u already says what \"%.*s\" in %.*s means for %s; keep one of them",
                                    last->line, (int)row->value.n, row->value.p, NAME_OF(&m->sources[row->source]),
                                    field_name(m, row->field));
            if (last->next == UINT32_MAX) break;
        }
        last->next = index;
    }
    pair->rows = su_grow(pair->rows, &pair->row_capacity, pair->row_count + 1, sizeof *pair->rows);
    pair->rows[pair->row_count++] = index;
    return SU_OK;
}

static su_status add_split(planner *p, const map_row *row)
{
    su_mapping *m = p->m;
    map_source *s = &m->sources[row->source];
    su_str separators = row->value.n == 0 ? SU_STR(";") : row->value;
    if (s->chained >= 0 && !type_is_text(m->schema->fields[s->chained].type))
        return mapping_fail(p->ctx, m, row->line, MAP_RULE, "@%.*s is coded already and is not split", NAME_OF(s));
    if (s->split_line != 0 && !su_str_equal(s->separators, separators))
        return mapping_fail(p->ctx, m, row->line, MAP_SOURCE_VALUE, "line %u already splits %.*s at other characters", s->split_line,
                            NAME_OF(s));
    s->separators = separators;
    s->split_line = row->line;
    return SU_OK;
}

/* A value that goes nowhere on purpose. It leaves the column partial: something of the source is lost. */
static su_status add_dropped(planner *p, const map_row *row)
{
    map_source *s = &p->m->sources[row->source];
    if (s->dropped == NULL) s->dropped = su_dict_new();
    uint32_t before = su_dict_count(s->dropped);
    if (su_dict_add(s->dropped, row->key) != before)
        return mapping_fail(p->ctx, p->m, row->line, MAP_SOURCE_VALUE, "\"%.*s\" of %.*s is dropped twice; remove one of the rows",
                            (int)row->value.n, row->value.p, NAME_OF(s));
    if (s->coverage < COVERAGE_PARTIAL) s->coverage = COVERAGE_PARTIAL;
    return SU_OK;
}

static su_status add_unique(planner *p, const map_row *row, int *slot)
{
    if (*slot >= 0)
        return mapping_fail(p->ctx, p->m, row->line, MAP_RULE, "a file has one %s column, and %.*s is it already", map_rule_name(row->rule),
                            NAME_OF(&p->m->sources[*slot]));
    *slot = (int)row->source;
    return SU_OK;
}

static su_status add_row(planner *p, map_row *row)
{
    su_mapping *m = p->m;
    map_source *source = row->source == UINT32_MAX ? NULL : &m->sources[row->source];
    if (source != NULL && row->rule != RULE_DROP && row->rule != RULE_MARGIN && source->use_line == 0) source->use_line = row->line;
    /* A value that the target cannot hold makes the column's coverage partial; a rule of coverage none makes it none. */
    map_coverage coverage = row->rule == RULE_VALUE && row->coverage == COVERAGE_NONE ? COVERAGE_PARTIAL : row->coverage;
    if (source != NULL && row->field >= 0 && coverage > source->coverage) source->coverage = coverage;
    su_status st = SU_OK;
    switch (row->rule) {
    case RULE_RENAME:
    case RULE_BAND:
    case RULE_YEAR:
    case RULE_COALESCE:
        return set_base(p, pair_of(p, row), row);
    case RULE_VALUE:
        return add_listed(p, pair_of(p, row), row);
    case RULE_OR: {
        map_pair *pair = pair_of(p, row);
        pair->has_or = true;
        return row->value.n == 0 ? set_base(p, pair, row) : add_listed(p, pair, row);
    }
    case RULE_SPLIT:
        st = add_split(p, row);
        return st != SU_OK || row->field < 0 ? st : set_base(p, pair_of(p, row), row);
    case RULE_CONSTANT: {
        map_target *t = &m->targets[row->field];
        if (t->mode == MODE_CONSTANT)
            return mapping_fail(p->ctx, m, row->line, MAP_TARGET_COLUMN, "two rules for one cell: line %u already gives %s a constant",
                                m->rows[t->constant].line, field_name(m, row->field));
        t->mode = MODE_CONSTANT;
        t->constant = (uint32_t)(row - m->rows);
        return SU_OK;
    }
    case RULE_DROP:
        if (row->value.n > 0) return add_dropped(p, row);
        source->drop_line = row->line;
        return SU_OK;
    case RULE_WEIGHT:
        return add_unique(p, row, &m->weight);
    case RULE_RECORD:
        return add_unique(p, row, &m->record);
    default:
        return SU_OK;
    }
}

static uint32_t pair_line(const su_mapping *m, const map_pair *pair) { return m->rows[pair->first_row].line; }

/* How several source columns of one field go together. */
static su_status choose_mode(planner *p, int field)
{
    su_mapping *m = p->m;
    map_target *t = &m->targets[field];
    bool any_or = false, all_coalesce = true;
    if (t->pair_count == 0) return SU_OK;
    const map_pair *first = &m->pairs[t->pairs[0]], *last = &m->pairs[t->pairs[t->pair_count - 1]];
    if (t->mode == MODE_CONSTANT)
        return mapping_fail(p->ctx, m, pair_line(m, first), MAP_TARGET_COLUMN, "two rules for one cell: line %u gives %s a constant",
                            m->rows[t->constant].line, field_name(m, field));
    for (size_t i = 0; i < t->pair_count; i++) {
        any_or |= m->pairs[t->pairs[i]].has_or;
        all_coalesce &= m->pairs[t->pairs[i]].base == RULE_COALESCE;
    }
    for (size_t i = 0; any_or && i < t->pair_count; i++) {
        const map_pair *pair = &m->pairs[t->pairs[i]];
        if (!pair->has_or || (pair->base != RULE_NONE && pair->base != RULE_OR))
            return mapping_fail(p->ctx, m, pair_line(m, pair), MAP_RULE,
                                "two rules for one cell: %s is joined by the rule or elsewhere; use or for %.*s too", field_name(m, field),
                                NAME_OF(&m->sources[pair->source]));
    }
    t->mode = any_or ? MODE_OR : all_coalesce ? MODE_COALESCE : MODE_ONE;
    if (t->mode == MODE_ONE && t->pair_count > 1)
        return mapping_fail(
            p->ctx, m, pair_line(m, last), MAP_TARGET_COLUMN,
            "two rules for one cell: line %u fills %s from %.*s, this one from %.*s; join them with the rule coalesce%s, or remove one",
            pair_line(m, first), field_name(m, field), NAME_OF(&m->sources[first->source]), NAME_OF(&m->sources[last->source]),
            m->schema->fields[field].type == SU_TYPE_FLAG ? " or or" : "");
    return SU_OK;
}

/* Members of a split cell go to flags and code sets: a single answer cannot hold several. */
static su_status check_splits(planner *p)
{
    su_mapping *m = p->m;
    for (size_t i = 0; i < m->pair_count; i++) {
        const map_pair *pair = &m->pairs[i];
        map_source *s = &m->sources[pair->source];
        const su_field *f = &m->schema->fields[pair->field];
        bool members = f->type == SU_TYPE_CODE_SET && (pair->base == RULE_RENAME || pair->base == RULE_COALESCE);
        bool coded = s->chained >= 0 && !type_is_text(m->schema->fields[s->chained].type);
        if (members && s->separators.n == 0 && !coded) s->separators = su_str_of(f->separator);
    }
    for (size_t i = 0; i < m->pair_count; i++) {
        const map_pair *pair = &m->pairs[i];
        const map_source *s = &m->sources[pair->source];
        const su_field *f = &m->schema->fields[pair->field];
        bool several = s->separators.n > 0 || (s->chained >= 0 && m->schema->fields[s->chained].type == SU_TYPE_CODE_SET);
        if (several && f->type != SU_TYPE_FLAG && f->type != SU_TYPE_CODE_SET)
            return mapping_fail(p->ctx, m, pair_line(m, pair), MAP_TARGET_COLUMN,
                                "%.*s holds several values per cell, but %s is a %s and holds one; split columns fill flags and code sets",
                                NAME_OF(s), f->name, su_type_name(f->type));
    }
    return SU_OK;
}

/* A value either goes somewhere or nowhere. */
static su_status check_dropped(planner *p)
{
    su_mapping *m = p->m;
    for (size_t i = 0; i < m->row_count; i++) {
        const map_row *row = &m->rows[i];
        bool lists = (row->rule == RULE_VALUE || row->rule == RULE_OR || row->rule == RULE_MARGIN) && !row->wildcard;
        if (!lists || row->value.n == 0 || !map_is_dropped(&m->sources[row->source], row->key)) continue;
        return mapping_fail(p->ctx, m, row->line, MAP_SOURCE_VALUE,
                            "two rules for one cell: \"%.*s\" of %.*s has a meaning here and is dropped by another row; keep one of them",
                            (int)row->value.n, row->value.p, NAME_OF(&m->sources[row->source]));
    }
    return SU_OK;
}

static su_status check_sources(planner *p)
{
    su_mapping *m = p->m;
    for (size_t i = 0; i < m->source_count; i++) {
        const map_source *s = &m->sources[i];
        if (s->drop_line != 0 && s->use_line != 0)
            return mapping_fail(p->ctx, m, s->drop_line, MAP_RULE, "%.*s is dropped here, but line %u uses it; keep one of the two",
                                NAME_OF(s), s->use_line);
        if (s->chained >= 0 && m->targets[s->chained].mode == MODE_NONE)
            return mapping_fail(p->ctx, m, s->use_line, MAP_SOURCE_COLUMN, "@%.*s is read here, but no row of this mapping fills %s",
                                NAME_OF(s), field_name(m, s->chained));
    }
    for (uint32_t f = 0; f < m->schema->field_count; f++)
        if (m->schema->fields[f].required && m->targets[f].mode == MODE_NONE)
            return su_fail(p->ctx, SU_INPUT, "%s: the schema %s requires the column %s, and no row of this mapping fills it", m->name,
                           m->schema->name, m->schema->fields[f].name);
    return SU_OK;
}

enum { UNSEEN, OPEN, DONE };

/* Depth first over "reads": a field after the fields it reads. An explicit stack, for a mapping may chain a thousand fields. */
static su_status order_from(planner *p, uint32_t start, uint8_t *state, uint32_t *stack, size_t *next_pair)
{
    su_mapping *m = p->m;
    size_t depth = 0;
    stack[depth++] = start;
    state[start] = OPEN;
    next_pair[start] = 0;
    while (depth > 0) {
        uint32_t f = stack[depth - 1];
        const map_target *t = &m->targets[f];
        if (next_pair[f] == t->pair_count) {
            state[f] = DONE;
            m->order[m->order_count++] = f;
            depth--;
            continue;
        }
        const map_pair *pair = &m->pairs[t->pairs[next_pair[f]++]];
        int read = m->sources[pair->source].chained;
        if (read < 0 || state[read] == DONE) continue;
        if (state[read] == OPEN)
            return mapping_fail(p->ctx, m, pair_line(m, pair), MAP_SOURCE_COLUMN,
                                "a cycle: %s is made from @%s, which in the end is made from %s", field_name(m, (int)f),
                                field_name(m, read), field_name(m, (int)f));
        state[read] = OPEN;
        next_pair[read] = 0;
        stack[depth++] = (uint32_t)read;
    }
    return SU_OK;
}

static su_status order_fields(planner *p)
{
    su_mapping *m = p->m;
    uint32_t n = m->schema->field_count;
    uint8_t *state = su_alloc_array(n, sizeof *state);
    uint32_t *stack = su_alloc_array((size_t)n + 1, sizeof *stack);
    size_t *next_pair = su_alloc_array(n, sizeof *next_pair);
    su_status st = SU_OK;
    m->order = su_arena_array(&m->arena, n, sizeof *m->order);
    for (uint32_t f = 0; f < n && st == SU_OK; f++)
        if (m->targets[f].mode != MODE_NONE && state[f] == UNSEEN) st = order_from(p, f, state, stack, next_pair);
    free(state);
    free(stack);
    free(next_pair);
    return st;
}

su_status mapping_plan(su_context *ctx, su_mapping *m)
{
    planner p = { .ctx = ctx, .m = m, .pair_ids = su_dict_new() };
    su_status st = SU_OK;
    for (size_t i = 0; i < m->row_count && st == SU_OK; i++) st = add_row(&p, &m->rows[i]);
    for (uint32_t f = 0; f < m->schema->field_count && st == SU_OK; f++) st = choose_mode(&p, (int)f);
    if (st == SU_OK) st = check_splits(&p);
    if (st == SU_OK) st = check_dropped(&p);
    if (st == SU_OK) st = check_sources(&p);
    if (st == SU_OK) st = order_fields(&p);
    su_dict_free(p.pair_ids);
    return st;
}
