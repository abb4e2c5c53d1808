/* rules: from the rules of a schema to the pairs of codes that no record can hold. */
#include <suha/rules.h>

#include <stdlib.h>
#include <string.h>

#define MOST_PAIR_CELLS (UINT64_C(1) << 26)
#define MOST_STEPS 20000u
#define MOST_WORK (UINT64_C(1) << 31) /* codes read in one pass over all rules, for every code */
#define NO_RULE UINT32_MAX

/* ---- steps: the rules in codes of the columns ---------------------------------------------------------------------------------------- */

typedef struct builder {
    su_context *ctx;
    su_arena *arena;
    const su_schema *schema;
    const su_matrix_column *columns;
    su_rules *rules;
    size_t capacity;
    su_rule_step *steps;
    uint8_t **domain; /* [column][code]: still possible; NULL for columns that no rule speaks of */
} builder;

/* Code of a value number in a column of this field: one less above the negative; a member column has 0 and 1. */
static uint32_t code_of(const su_field *f, const su_matrix_column *c, uint16_t value)
{
    if (c->set_value) return c->set_value == value;
    return value - (f->negative && value > f->negative ? 1u : 0u);
}

static bool holds(const uint16_t *values, uint32_t count, uint16_t value)
{
    for (uint32_t i = 0; i < count; i++)
        if (values[i] == value) return true;
    return false;
}

/* The codes of column c that stand for one of the values; how many. */
static uint32_t codes_of(builder *b, uint32_t c, const uint16_t *values, uint32_t count, uint8_t **out)
{
    const su_matrix_column *column = &b->columns[c];
    uint32_t n = 0;
    *out = su_arena_array(b->arena, column->card, sizeof **out);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t code = code_of(&b->schema->fields[column->field], column, values[i]);
        if (code == 0 || code >= column->card || (*out)[code]) continue;
        (*out)[code] = 1;
        n++;
    }
    return n;
}

static void add_step(builder *b, uint32_t rule, uint32_t from, uint32_t to)
{
    const su_record_rule *r = &b->schema->rules[rule];
    su_rule_step s = { .a = from, .b = to, .rule = rule, .excludes = r->excludes };
    uint32_t card = b->columns[to].card;
    if (b->rules->step_count > MOST_STEPS) return; /* refused below */
    if (codes_of(b, from, r->if_values, r->if_count, &s.when) == 0) return;
    uint32_t n = codes_of(b, to, r->values, r->count, &s.then);
    if (n == 0) return;
    for (uint32_t v = 0; v < card; v++) {
        if (!r->excludes && n == 1 && s.then[v]) s.only = (uint16_t)v;
        if (r->excludes) s.then[v] = !s.then[v];
    }
    b->steps = su_grow(b->steps, &b->capacity, b->rules->step_count + 1, sizeof *b->steps);
    b->steps[b->rules->step_count++] = s;
}

/* A condition on a code set holds for each member named; an exclusion excludes each member named. */
static void list_steps(builder *b, uint32_t rule, uint32_t column_count)
{
    const su_record_rule *r = &b->schema->rules[rule];
    for (uint32_t a = 0; a < column_count; a++) {
        const su_matrix_column *from = &b->columns[a];
        if (from->field != r->if_field || (from->set_value && !holds(r->if_values, r->if_count, from->set_value))) continue;
        for (uint32_t c = 0; c < column_count; c++) {
            const su_matrix_column *to = &b->columns[c];
            if (c == a || to->field != r->field || (to->set_value && !holds(r->values, r->count, to->set_value))) continue;
            add_step(b, rule, a, c);
        }
    }
}

/* ---- propagation ---- */

static void reset(builder *b, uint32_t column, uint32_t code)
{
    for (uint32_t c = 0; c < b->rules->column_count; c++) {
        if (!b->domain[c]) continue;
        for (uint32_t v = 0; v < b->rules->card[c]; v++) b->domain[c][v] = c != column || v == code;
    }
}

/* Takes codes with mask[v] == drop out of a domain; 1 when something changed, 2 when nothing is left. */
static int narrow(uint8_t *domain, uint32_t card, const uint8_t *mask, uint8_t drop)
{
    bool changed = false, left = false;
    for (uint32_t v = 0; v < card; v++) {
        if (domain[v] && mask[v] == drop) {
            domain[v] = 0;
            changed = true;
        }
        left = left || domain[v];
    }
    return left ? changed : 2;
}

static bool meets(const uint8_t *domain, uint32_t card, const uint8_t *mask, uint8_t wanted)
{
    for (uint32_t v = 0; v < card; v++)
        if (domain[v] && mask[v] == wanted) return true;
    return false;
}

static int revise(builder *b, const su_rule_step *s)
{
    uint32_t card_a = b->rules->card[s->a], card_b = b->rules->card[s->b];
    int changed = 0;
    if (!meets(b->domain[s->a], card_a, s->when, 0)) changed = narrow(b->domain[s->b], card_b, s->then, 0);
    if (changed < 2 && !meets(b->domain[s->b], card_b, s->then, 1)) {
        int back = narrow(b->domain[s->a], card_a, s->when, 1);
        changed = back > changed ? back : changed;
    }
    return changed;
}

/* Arc consistency (Mackworth 1977): drops what no record can have together with the code the domains were reset to. NO_RULE, or the rule
 * that left nothing. */
static uint32_t propagate(builder *b)
{
    for (bool again = true; again;) {
        again = false;
        for (size_t i = 0; i < b->rules->step_count; i++) {
            int changed = revise(b, &b->rules->steps[i]);
            if (changed == 2) return b->rules->steps[i].rule;
            again = again || changed;
        }
    }
    return NO_RULE;
}

static su_status contradiction(const builder *b, uint32_t column, uint32_t code, uint32_t rule)
{
    const char *value = su_matrix_column_value(b->schema, &b->columns[column], code);
    su_buf text = { 0 };
    su_record_rule_text(b->schema, &b->schema->rules[rule], &text);
    su_status st = su_fail(b->ctx, SU_INPUT,
                           "the rules contradict each other: no record could have %s = %s. The last one that says so is \"%s\": %s. Change "
                           "one of the rules, or take the code out of the list",
                           b->columns[column].name, value ? value : "(absent)", b->schema->rules[rule].name, text.p);
    su_buf_free(&text);
    return st;
}

/* possible[a][va][offset of b + vb], for the columns that rules speak of. */
typedef struct closure {
    uint32_t *column, count; /* those columns */
    size_t *offset, codes;
    uint8_t *possible; /* codes * codes */
} closure;

static su_status close_rules(builder *b, closure *k)
{
    for (uint32_t i = 0; i < k->count; i++) {
        uint32_t a = k->column[i];
        for (uint32_t va = 0; va < b->rules->card[a]; va++) {
            reset(b, a, va);
            uint32_t rule = propagate(b);
            if (rule != NO_RULE) return contradiction(b, a, va, rule);
            uint8_t *row = k->possible + (k->offset[i] + va) * k->codes;
            for (uint32_t j = 0; j < k->count; j++) memcpy(row + k->offset[j], b->domain[k->column[j]], b->rules->card[k->column[j]]);
        }
    }
    return SU_OK;
}

static void add_pair(builder *b, const closure *k, uint32_t i, uint32_t j, size_t *capacity, su_rule_pair **pairs)
{
    uint32_t a = k->column[i], c = k->column[j], card_a = b->rules->card[a], card_b = b->rules->card[c];
    uint8_t *impossible = su_alloc_array((size_t)card_a * card_b, sizeof *impossible);
    bool any = false;
    for (uint32_t va = 0; va < card_a; va++)
        for (uint32_t vb = 0; vb < card_b; vb++) {
            size_t from = k->offset[i] + va, to = k->offset[j] + vb;
            bool possible = k->possible[from * k->codes + to] && k->possible[to * k->codes + from];
            impossible[(size_t)va * card_b + vb] = !possible;
            any = any || !possible;
        }
    if (any) {
        uint8_t *kept = su_arena_array(b->arena, (size_t)card_a * card_b, sizeof *kept);
        memcpy(kept, impossible, (size_t)card_a * card_b);
        *pairs = su_grow(*pairs, capacity, b->rules->pair_count + 1, sizeof **pairs);
        (*pairs)[b->rules->pair_count++] = (su_rule_pair) { a, c, kept };
    }
    free(impossible);
}

static su_status find_pairs(builder *b)
{
    su_rules *r = b->rules;
    closure k = { .column = su_alloc_array(r->column_count, sizeof *k.column),
                  .offset = su_alloc_array(r->column_count, sizeof *k.offset) };
    su_rule_pair *pairs = NULL;
    size_t capacity = 0;
    for (uint32_t c = 0; c < r->column_count; c++) {
        if (!b->domain[c]) continue;
        k.column[k.count] = c;
        k.offset[k.count++] = k.codes;
        k.codes += r->card[c];
    }
    su_status st = SU_OK;
    uint64_t work = 0;
    for (size_t i = 0; i < r->step_count; i++) work += r->card[r->steps[i].a] + r->card[r->steps[i].b];
    if (k.codes * k.codes > MOST_PAIR_CELLS || r->step_count > MOST_STEPS || work * k.codes > MOST_WORK) {
        st =
            su_fail(b->ctx, SU_REFUSED,
                    "the rules of the schema %s are too many for columns of so many codes (%zu rules between single columns, %zu codes; at "
                    "most 8,192 codes and %u rules)",
                    b->schema->name, r->step_count, k.codes, MOST_STEPS);
    } else {
        k.possible = su_alloc_array(k.codes, k.codes);
        st = close_rules(b, &k);
    }
    for (uint32_t i = 0; !st && i < k.count; i++)
        for (uint32_t j = i + 1; j < k.count; j++) add_pair(b, &k, i, j, &capacity, &pairs);
    r->pairs = su_arena_array(b->arena, r->pair_count, sizeof *r->pairs);
    if (r->pair_count) memcpy(r->pairs, pairs, r->pair_count * sizeof *pairs);
    free(pairs);
    free(k.possible);
    free(k.column);
    free(k.offset);
    return st;
}

su_status su_rules_of(su_context *ctx, su_arena *arena, const su_schema *schema, const su_matrix_column *columns, uint32_t column_count,
                      const su_rules **out)
{
    builder b = { .ctx = ctx, .arena = arena, .schema = schema, .columns = columns };
    *out = NULL;
    if (!schema || schema->rule_count == 0) return SU_OK;
    b.rules = su_arena_alloc(arena, sizeof *b.rules);
    b.rules->column_count = column_count;
    b.rules->card = su_arena_array(arena, column_count, sizeof *b.rules->card);
    for (uint32_t c = 0; c < column_count; c++) b.rules->card[c] = columns[c].card;
    for (uint32_t i = 0; i < schema->rule_count; i++)
        if (!schema->rules[i].soft) list_steps(&b, i, column_count);
    su_status st = SU_OK;
    if (b.rules->step_count) {
        b.rules->steps = su_arena_array(arena, b.rules->step_count, sizeof *b.rules->steps);
        memcpy(b.rules->steps, b.steps, b.rules->step_count * sizeof *b.steps);
        b.domain = su_alloc_array(column_count, sizeof *b.domain);
        for (size_t i = 0; i < b.rules->step_count; i++) {
            const su_rule_step *s = &b.rules->steps[i];
            if (!b.domain[s->a]) b.domain[s->a] = su_alloc(columns[s->a].card);
            if (!b.domain[s->b]) b.domain[s->b] = su_alloc(columns[s->b].card);
        }
        st = find_pairs(&b);
        for (uint32_t c = 0; c < column_count; c++) free(b.domain[c]);
        free(b.domain);
    }
    free(b.steps);
    if (!st && b.rules->step_count) *out = b.rules;
    return st;
}

/* ---- words ---- */

static void say_values(const su_schema *schema, uint32_t field, const uint16_t *values, uint32_t count, su_buf *out)
{
    su_buf_printf(out, "%s = ", schema->fields[field].name);
    for (uint32_t i = 0; i < count; i++)
        su_buf_printf(out, "%s%s", i ? " or " : "", schema->fields[field].codelist->codes[values[i] - 1].code);
}

void su_record_rule_text(const su_schema *schema, const su_record_rule *rule, su_buf *out)
{
    say_values(schema, rule->if_field, rule->if_values, rule->if_count, out);
    su_buf_text(out, rule->excludes ? " excludes " : " implies ");
    say_values(schema, rule->field, rule->values, rule->count, out);
}
