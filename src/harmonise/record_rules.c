/* record_rules: suha:recordRules of a schema (docs/formats.md), and what a case table says to them. */
#include "report.h"
#include "schema.h"

#include <suha/rules.h>

#include <stdlib.h>
#include <string.h>

#define MAX_RULES 500
#define MAX_CODES 2000

static su_status fail_rule(schema_reader *r, size_t index, const su_record_rule *rule, const char *fmt, ...) SU_PRINTF(4, 5);

static su_status fail_rule(schema_reader *r, size_t index, const su_record_rule *rule, const char *fmt, ...)
{
    char text[1024];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    return su_fail(r->ctx, SU_INPUT, "%s, rule %zu%s%s%s of \"suha:recordRules\": %s", r->path, index + 1, rule->name ? " \"" : "",
                   rule->name ? rule->name : "", rule->name ? "\"" : "", text);
}

static bool is_coded(const su_field *f)
{
    return f->codelist && (f->type == SU_TYPE_CODE || f->type == SU_TYPE_FLAG || f->type == SU_TYPE_YEAR || f->type == SU_TYPE_CODE_SET);
}

static su_status read_codes(schema_reader *r, size_t index, const su_record_rule *rule, const su_field *f, json_t *list, uint16_t *values)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        json_t *code = json_array_get(list, i);
        if (!json_is_string(code)) return fail_rule(r, index, rule, "each of the codes of \"%s\" is a text", f->name);
        values[i] = su_codelist_find(f->codelist, su_str_of(json_string_value(code)));
        if (values[i] == 0)
            return fail_rule(r, index, rule, "\"%s\" is no code of \"%s\" (codelist %s)", json_string_value(code), f->name,
                             f->codelist->id);
        if (values[i] == f->negative)
            return fail_rule(r, index, rule,
                             "\"%s\" is the known \"no\" of \"%s\": when counting it is not told from a missing value, so no rule can rest "
                             "on it",
                             json_string_value(code), f->name);
    }
    return SU_OK;
}

/* {"column": NAME, "codes": [CODE, ...]} */
static su_status read_side(schema_reader *r, size_t index, const su_record_rule *rule, const char *key, json_t *side, uint32_t *field,
                           uint16_t **values, uint32_t *count)
{
    const char *column = json_string_value(json_object_get(side, "column"));
    json_t *codes = json_object_get(side, "codes");
    if (!column || !json_is_array(codes) || json_array_size(codes) == 0 || json_array_size(codes) > MAX_CODES)
        return fail_rule(r, index, rule, "\"%s\" must be an object with a \"column\" and a list of 1 to %d \"codes\"", key, MAX_CODES);
    int found = su_schema_field(r->schema, su_str_of(column));
    if (found < 0) return fail_rule(r, index, rule, "there is no column \"%s\"", column);
    const su_field *f = &r->schema->fields[found];
    if (!is_coded(f))
        return fail_rule(r, index, rule, "\"%s\" holds no codes; a rule is about columns of type code, code-set, flag or year", column);
    *field = (uint32_t)found;
    *count = (uint32_t)json_array_size(codes);
    *values = su_arena_array(&r->schema->arena, *count, sizeof **values);
    return read_codes(r, index, rule, f, codes, *values);
}

static su_status read_rule(schema_reader *r, size_t index, json_t *object)
{
    char where[64];
    su_record_rule *rule = &r->schema->rules[index];
    if (!json_is_object(object)) return fail_rule(r, index, rule, "must be an object with \"if\" and \"then\" or \"exclude\"");
    snprintf(where, sizeof where, "rule %zu of \"suha:recordRules\"", index + 1);
    su_status st = schema_text(r, where, object, "name", &rule->name);
    if (st != SU_OK) return st;
    json_t *then = json_object_get(object, "then"), *exclude = json_object_get(object, "exclude"), *soft = json_object_get(object, "soft");
    if (!then == !exclude) return fail_rule(r, index, rule, "give either \"then\" or \"exclude\"");
    if (soft && !json_is_boolean(soft)) return fail_rule(r, index, rule, "\"soft\" must be true or false");
    rule->soft = json_is_true(soft);
    rule->excludes = exclude != NULL;
    st = read_side(r, index, rule, "if", json_object_get(object, "if"), &rule->if_field, &rule->if_values, &rule->if_count);
    if (st == SU_OK)
        st = read_side(r, index, rule, exclude ? "exclude" : "then", exclude ? exclude : then, &rule->field, &rule->values, &rule->count);
    if (st != SU_OK) return st;
    if (rule->if_field == rule->field && r->schema->fields[rule->field].type != SU_TYPE_CODE_SET)
        return fail_rule(r, index, rule, "both sides are the column \"%s\", which has one value only", r->schema->fields[rule->field].name);
    if (!rule->excludes && rule->count > 1 && r->schema->fields[rule->field].type == SU_TYPE_CODE_SET)
        return fail_rule(r, index, rule, "\"then\" can ask for one code of the code set \"%s\" only; write one rule for each",
                         r->schema->fields[rule->field].name);
    if (!rule->name) rule->name = su_arena_printf(&r->schema->arena, "rule %zu", index + 1);
    return SU_OK;
}

/* Columns as su_code_matrix_of makes them when every coded field is there. */
static uint32_t all_columns(const su_schema *s, su_matrix_column *columns)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < s->field_count; i++) {
        const su_field *f = &s->fields[i];
        if (!is_coded(f)) continue;
        bool set = f->type == SU_TYPE_CODE_SET;
        uint32_t positive = f->codelist->count - (f->negative ? 1 : 0);
        for (uint32_t v = 1; v <= (set ? f->codelist->count : 1); v++) {
            if (set && v == f->negative) continue;
            if (columns)
                columns[n] =
                    (su_matrix_column) { .name = f->name, .field = i, .set_value = set ? (uint16_t)v : 0, .card = set ? 2 : positive + 1 };
            n++;
        }
    }
    return n;
}

static su_status check_together(schema_reader *r)
{
    const su_rules *rules = NULL;
    su_arena arena;
    su_arena_init(&arena);
    su_matrix_column *columns = su_arena_array(&arena, all_columns(r->schema, NULL), sizeof *columns);
    uint32_t n = all_columns(r->schema, columns);
    su_status st = su_rules_of(r->ctx, &arena, r->schema, columns, n, &rules);
    su_arena_free(&arena);
    return st == SU_OK ? st : su_fail_prefix(r->ctx, "%s, \"suha:recordRules\": ", r->path);
}

su_status schema_rules_read(schema_reader *r, json_t *root)
{
    su_schema *s = r->schema;
    json_t *rules = json_object_get(root, "suha:recordRules");
    if (rules == NULL) return SU_OK;
    if (!json_is_array(rules) || json_array_size(rules) > MAX_RULES)
        return su_fail(r->ctx, SU_INPUT, "%s: \"suha:recordRules\" must be a list of at most %d rules", r->path, MAX_RULES);
    s->rules = su_arena_array(&s->arena, json_array_size(rules), sizeof *s->rules);
    for (size_t i = 0; i < json_array_size(rules); i++) {
        su_status st = read_rule(r, i, json_array_get(rules, i));
        if (st != SU_OK) return st;
        s->rule_count++;
    }
    return s->rule_count ? check_together(r) : SU_OK;
}

/* ---- a case table beside the rules ---- */

static bool holds(const su_record_rule *rule, bool condition, uint16_t value)
{
    const uint16_t *values = condition ? rule->if_values : rule->values;
    uint32_t count = condition ? rule->if_count : rule->count;
    for (uint32_t i = 0; i < count; i++)
        if (values[i] == value) return true;
    return false;
}

/* Does the row have one of the values? *known: it has some value, or a known no. */
static bool has(const su_case_table *t, const su_record_rule *rule, bool condition, uint64_t row, bool *known)
{
    uint32_t field = condition ? rule->if_field : rule->field;
    const su_case_column *c = &t->columns[field];
    *known = false;
    if (!c->provided) return false;
    if (!c->sets) {
        su_cell cell = su_case_cell(c, row);
        *known = su_cell_is_value(cell) || cell == SU_CELL_NEGATIVE;
        return su_cell_is_value(cell) && holds(rule, condition, cell);
    }
    bool found = false;
    for (uint32_t v = 1; v <= t->schema->fields[field].codelist->count; v++) {
        if (!(c->sets[row * c->words + (v - 1) / 64] >> (v - 1) % 64 & 1)) continue;
        *known = true;
        found = found || holds(rule, condition, (uint16_t)v);
    }
    return found;
}

void report_rules(su_harmonise_report *report, const su_case_table *t)
{
    const su_schema *s = t->schema;
    su_buf text = { 0 };
    report->rules = su_arena_array(&report->arena, s->rule_count, sizeof *report->rules);
    report->rule_count = s->rule_count;
    for (uint32_t i = 0; i < s->rule_count; i++) {
        const su_record_rule *rule = &s->rules[i];
        su_rule_report *to = &report->rules[i];
        text.n = 0;
        su_record_rule_text(s, rule, &text);
        *to = (su_rule_report) { .name = su_arena_strndup(&report->arena, rule->name, strlen(rule->name)),
                                 .text = su_arena_strndup(&report->arena, text.p, text.n),
                                 .soft = rule->soft };
        if (!t->columns[rule->field].provided) continue;
        for (uint64_t row = 0; row < t->row_count; row++) {
            bool known = false, unused = false;
            if (!has(t, rule, true, row, &unused)) continue;
            to->rows++;
            bool other = has(t, rule, false, row, &known);
            to->missing += !rule->excludes && !known;
            to->against += rule->excludes ? other : known && !other;
        }
    }
    su_buf_free(&text);
}
