/* From the CSV to rows: names of rules, columns, fields, codes. What the rows mean together is mapping_plan.c. */
#include <stdlib.h>
#include <string.h>

#include "lookup.h"
#include "mapping.h"
#include "mapping_cell.h"

#define MAX_MAPPING_BYTES (16u << 20)

static const char *const column_names[MAP_COLUMN_COUNT] = {
#define NAME_ITEM(id, text) [id] = text,
    MAPPING_COLUMNS(NAME_ITEM)
};
static const char *const rule_names[RULE_COUNT] = { MAPPING_RULES(NAME_ITEM) };
static const char *const coverage_names[COVERAGE_COUNT] = { MAPPING_COVERAGES(NAME_ITEM) };
#undef NAME_ITEM

const char *map_rule_name(map_rule r) { return r < RULE_COUNT ? rule_names[r] : "none"; }
const char *map_coverage_name(map_coverage c) { return coverage_names[c]; }
bool map_is_dropped(const map_source *s, su_str key) { return s->dropped != NULL && su_dict_find(s->dropped, key, NULL); }

typedef struct mapping_parser {
    su_context *ctx;
    su_mapping *m;
    const su_raw_table *raw;
    int at[MAP_COLUMN_COUNT]; /* column of the file, -1 if left out */
    su_dict *fields;          /* folded names and aliases of fields */
    uint32_t *field_of;
    size_t field_capacity;
    su_dict *source_names; /* "@" + folded name, or " " + folded name */
    lookup *lookups;       /* per field, made when first needed (field != NULL) */
} mapping_parser;

su_status mapping_fail(su_context *ctx, const su_mapping *m, uint32_t line, map_column column, const char *fmt, ...)
{
    char text[1400];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    return su_fail(ctx, SU_INPUT, "%s, line %u, column %d (%s): %s", m->name, line, (int)column + 1, column_names[column], text);
}

#define SHOWN(s) (int)((s).n < 120 ? (s).n : 120), (s).p

static su_str cell_of(const mapping_parser *p, uint64_t row, map_column column)
{
    if (p->at[column] < 0) return (su_str) { "", 0 };
    const su_raw_column *c = &p->raw->columns[p->at[column]];
    return su_str_trim(su_dict_get(c->values, c->ids[row]));
}

static su_str keep(su_mapping *m, su_str s) { return (su_str) { su_arena_strndup(&m->arena, s.p, s.n), s.n }; }

static void index_fields(mapping_parser *p)
{
    const su_schema *s = p->m->schema;
    for (int aliases = 0; aliases < 2; aliases++) {
        for (uint32_t f = 0; f < s->field_count; f++) {
            for (uint32_t a = 0; a < (aliases ? s->fields[f].alias_count : 1); a++) {
                su_str key = su_text_fold(&p->m->arena, su_str_of(aliases ? s->fields[f].aliases[a] : s->fields[f].name));
                uint32_t before = su_dict_count(p->fields), id = su_dict_add(p->fields, key);
                if (id != before) continue;
                p->field_of = su_grow(p->field_of, &p->field_capacity, (size_t)id + 1, sizeof *p->field_of);
                p->field_of[id] = f;
            }
        }
    }
}

static int find_field(const mapping_parser *p, su_str name)
{
    su_arena scratch;
    uint32_t id = 0;
    su_arena_init(&scratch);
    bool found = su_dict_find(p->fields, su_text_fold(&scratch, name), &id);
    su_arena_free(&scratch);
    return found ? (int)p->field_of[id] : -1;
}

/* "; did you mean X?" or nothing. */
static const char *near_field(mapping_parser *p, su_str name)
{
    const su_schema *s = p->m->schema;
    size_t best = name.n / 3 + 1;
    const char *found = NULL;
    bool tied = false;
    for (uint32_t f = 0; f < s->field_count; f++) {
        size_t d = su_text_distance(name, su_str_of(s->fields[f].name), best + 1);
        if (d == best && found != NULL) tied = true;
        if (d < best) {
            best = d;
            found = s->fields[f].name;
            tied = false;
        }
    }
    return found == NULL || tied ? "" : su_arena_printf(&p->m->arena, "; did you mean \"%s\"?", found);
}

static su_status read_rule(mapping_parser *p, uint64_t row, map_row *out)
{
    su_str rule = cell_of(p, row, MAP_RULE), coverage = cell_of(p, row, MAP_COVERAGE);
    su_str rule_key = su_text_fold(&p->m->arena, rule), coverage_key = su_text_fold(&p->m->arena, coverage);
    out->rule = RULE_COUNT;
    for (map_rule r = 0; r < RULE_COUNT; r++)
        if (su_str_equal(rule_key, su_str_of(rule_names[r]))) out->rule = r;
    if (out->rule == RULE_COUNT)
        return mapping_fail(
            p->ctx, p->m, out->line, MAP_RULE,
            "\"%.*s\" is not a rule; use rename, value, or, coalesce, band, year, split, constant, drop, weight, record or margin",
            SHOWN(rule));
    out->coverage = coverage.n == 0 ? COVERAGE_EXACT : COVERAGE_COUNT;
    for (map_coverage c = 0; c < COVERAGE_COUNT; c++)
        if (su_str_equal(coverage_key, su_str_of(coverage_names[c]))) out->coverage = c;
    if (out->coverage == COVERAGE_COUNT)
        return mapping_fail(p->ctx, p->m, out->line, MAP_COVERAGE, "\"%.*s\" is none of exact, partial, none", SHOWN(coverage));
    return SU_OK;
}

static su_status read_source(mapping_parser *p, uint64_t row, map_row *out)
{
    su_mapping *m = p->m;
    bool guarded = false;
    su_str name = mapping_cell_read(cell_of(p, row, MAP_SOURCE_COLUMN), &guarded);
    out->source = UINT32_MAX;
    if (out->rule == RULE_CONSTANT) {
        if (name.n == 0) return SU_OK;
        return mapping_fail(p->ctx, m, out->line, MAP_SOURCE_COLUMN, "a constant comes from no column: leave source_column empty");
    }
    if (name.n == 0) return mapping_fail(p->ctx, m, out->line, MAP_SOURCE_COLUMN, "the source column is missing; only a constant has none");
    int chained = -1;
    if (name.p[0] == '@' && !guarded) {
        name = su_str_trim((su_str) { name.p + 1, name.n - 1 });
        chained = find_field(p, name);
        if (chained < 0)
            return mapping_fail(p->ctx, m, out->line, MAP_SOURCE_COLUMN, "\"@%.*s\" names no column of the schema %s%s", SHOWN(name),
                                m->schema->name, near_field(p, name));
        if (out->rule >= RULE_DROP)
            return mapping_fail(p->ctx, m, out->line, MAP_SOURCE_COLUMN, "the rule %s needs a column of the file, not @%.*s",
                                map_rule_name(out->rule), SHOWN(name));
    }
    su_buf key = { 0 };
    su_str folded = su_text_fold(&m->arena, chained >= 0 ? su_str_of(m->schema->fields[chained].name) : name);
    su_buf_char(&key, chained >= 0 ? '@' : ' ');
    su_buf_add(&key, folded.p, folded.n);
    uint32_t id = su_dict_add(p->source_names, (su_str) { key.p, key.n });
    su_buf_free(&key);
    if (id >= MAX_SOURCES) return mapping_fail(p->ctx, m, out->line, MAP_SOURCE_COLUMN, "more than %u source columns", MAX_SOURCES);
    if (id == m->source_count) {
        m->sources = su_grow(m->sources, &m->source_capacity, m->source_count + 1, sizeof *m->sources);
        m->sources[m->source_count++] = (map_source) { .name = keep(m, name), .chained = chained, .separators = { "", 0 } };
    }
    m->sources[id].respelled |= chained < 0 && !su_str_equal(m->sources[id].name, name);
    out->source = id;
    return SU_OK;
}

static su_status read_target(mapping_parser *p, uint64_t row, map_row *out)
{
    su_str name = cell_of(p, row, MAP_TARGET_COLUMN);
    bool free_standing = out->rule == RULE_DROP || out->rule == RULE_WEIGHT || out->rule == RULE_RECORD || out->rule == RULE_MARGIN;
    out->field = -1;
    if (name.n == 0) {
        if (free_standing || out->rule == RULE_SPLIT) return SU_OK;
        return mapping_fail(p->ctx, p->m, out->line, MAP_TARGET_COLUMN, "the rule %s needs a target column", map_rule_name(out->rule));
    }
    if (free_standing)
        return mapping_fail(p->ctx, p->m, out->line, MAP_TARGET_COLUMN, "the rule %s fills no column: leave target_column empty",
                            map_rule_name(out->rule));
    out->field = find_field(p, name);
    if (out->field < 0)
        return mapping_fail(p->ctx, p->m, out->line, MAP_TARGET_COLUMN, "\"%.*s\" is not a column of the schema %s%s", SHOWN(name),
                            p->m->schema->name, near_field(p, name));
    return SU_OK;
}

static const lookup *lookup_of(mapping_parser *p, int field)
{
    if (p->lookups[field].field == NULL) lookup_init(&p->lookups[field], p->m->schema, &p->m->schema->fields[field]);
    return &p->lookups[field];
}

/* target_value of value and constant rows: a code, label or alias; a reason; nothing. */
static su_status read_target_value(mapping_parser *p, su_str text, map_row *out)
{
    su_mapping *m = p->m;
    const su_field *f = &m->schema->fields[out->field];
    out->cell = SU_CELL_NOT_RECORDED;
    if (text.n == 0) return SU_OK;
    if (text.p[0] == '?') {
        su_str reason = { text.p + 1, text.n - 1 };
        if (su_cell_reason_parse(reason, &out->cell)) return SU_OK;
        return mapping_fail(p->ctx, m, out->line, MAP_TARGET_VALUE,
                            "\"%.*s\" is not a reason; use ?unknown, ?refused, ?not-applicable, ?negative or leave the cell empty",
                            SHOWN(text));
    }
    cell_text cell = { text, su_text_fold(&m->arena, text), text };
    if (!type_is_text(f->type)) {
        if (lookup_code(lookup_of(p, out->field), cell, &out->cell) != LOOKED_NOTHING) return SU_OK;
        const su_code *near = su_codelist_suggest(f->codelist, text);
        return mapping_fail(p->ctx, m, out->line, MAP_TARGET_VALUE, "\"%.*s\" is not in the codelist %s of column %s%s%s%s", SHOWN(text),
                            f->codelist->id, f->name, near == NULL ? "" : "; did you mean \"", near == NULL ? "" : near->code,
                            near == NULL ? "" : "\"?");
    }
    su_buf canonical = { 0 };
    looked found = lookup_text(lookup_of(p, out->field), cell, DATE_DAY_FIRST, &canonical, &out->cell);
    if (found == LOOKED_VALUE) out->text = keep(m, (su_str) { canonical.p, canonical.n });
    su_buf_free(&canonical);
    if (found != LOOKED_NOTHING) return SU_OK;
    return mapping_fail(p->ctx, m, out->line, MAP_TARGET_VALUE, "\"%.*s\" is not a valid %s for column %s", SHOWN(text),
                        su_type_name(f->type), f->name);
}

/* An `or` row states a policy, the value yes, or, for a code set, the member that a yes adds. */
static su_status read_or_value(mapping_parser *p, su_str text, map_row *out)
{
    su_mapping *m = p->m;
    const su_field *f = &m->schema->fields[out->field];
    if (f->type != SU_TYPE_FLAG && f->type != SU_TYPE_CODE_SET)
        return mapping_fail(p->ctx, m, out->line, MAP_RULE, "or joins flags and code sets, but %s is a %s; use coalesce or value", f->name,
                            su_type_name(f->type));
    su_str key = su_text_fold(&m->arena, text);
    bool policy = su_str_equal(key, SU_STR("known-negative")) || su_str_equal(key, SU_STR("known negative"));
    if (f->type == SU_TYPE_FLAG) {
        out->cell = su_codelist_find(f->codelist, SU_STR("1"));
        for (uint32_t v = 1; out->cell == 0 && v <= f->codelist->count; v++)
            if (v != f->negative) out->cell = (su_cell)v;
        m->targets[out->field].known_negative |= policy;
        if (policy || text.n == 0 || su_codelist_find(f->codelist, text) == out->cell) return SU_OK;
        return mapping_fail(p->ctx, m, out->line, MAP_TARGET_VALUE,
                            "\"%.*s\": for the rule or, write known-negative or leave the cell empty", SHOWN(text));
    }
    out->cell = su_codelist_find(f->codelist, text);
    if (out->cell == 0)
        return mapping_fail(p->ctx, m, out->line, MAP_TARGET_VALUE,
                            "\"%.*s\" is not in the codelist %s of column %s: state the member that a yes adds", SHOWN(text),
                            f->codelist->id, f->name);
    if (out->value.n == 0 && lookup_of(p, out->field)->flags == NULL)
        return mapping_fail(p->ctx, m, out->line, MAP_SOURCE_VALUE,
                            "there is no codelist \"flag\" to read a yes with: state the source_value that means yes");
    return SU_OK;
}

/* Values of @columns are codes: any name of the code will do. */
static su_status read_chained_value(mapping_parser *p, map_row *out)
{
    su_mapping *m = p->m;
    const map_source *source = &m->sources[out->source];
    const su_field *f = &m->schema->fields[source->chained];
    if (type_is_text(f->type) || out->wildcard || out->value.n == 0) return SU_OK;
    uint16_t value = su_codelist_find(f->codelist, out->value);
    if (value == 0)
        return mapping_fail(p->ctx, m, out->line, MAP_SOURCE_VALUE, "\"%.*s\" is not in the codelist %s of column %s", SHOWN(out->value),
                            f->codelist->id, f->name);
    out->key = su_text_fold(&m->arena, su_str_of(f->codelist->codes[value - 1].code));
    return SU_OK;
}

static su_status read_values(mapping_parser *p, uint64_t row, map_row *out)
{
    su_mapping *m = p->m;
    su_str value = mapping_cell_read(cell_of(p, row, MAP_SOURCE_VALUE), NULL), target = cell_of(p, row, MAP_TARGET_VALUE);
    bool wants_value =
        out->rule == RULE_VALUE || out->rule == RULE_OR || out->rule == RULE_SPLIT || out->rule == RULE_MARGIN || out->rule == RULE_DROP;
    if (value.n > 0 && !wants_value)
        return mapping_fail(p->ctx, m, out->line, MAP_SOURCE_VALUE,
                            "the rule %s looks at every cell: leave source_value empty, or use the rule value", map_rule_name(out->rule));
    if (out->rule == RULE_MARGIN && value.n == 0)
        return mapping_fail(p->ctx, m, out->line, MAP_SOURCE_VALUE, "state the value that marks a total, for example Total");
    if (out->rule == RULE_DROP && su_str_equal(value, SU_STR("*")))
        return mapping_fail(
            p->ctx, m, out->line, MAP_SOURCE_VALUE,
            "name each value that goes nowhere: \"*\" would hide every misspelling; to drop the whole column leave the cell "
            "empty");
    out->value = keep(m, value);
    out->key = su_text_fold(&m->arena, value);
    if (out->rule == RULE_SPLIT && (su_str_equal(out->key, SU_STR("blank")) || su_str_equal(out->key, SU_STR("space"))))
        out->value = SU_STR(" ");
    out->wildcard = out->rule == RULE_VALUE && su_str_equal(value, SU_STR("*"));
    bool wants_target = out->rule == RULE_VALUE || out->rule == RULE_CONSTANT || out->rule == RULE_OR;
    if (!wants_target && target.n > 0)
        return mapping_fail(p->ctx, m, out->line, MAP_TARGET_VALUE, "the rule %s takes no target_value: leave the cell empty",
                            map_rule_name(out->rule));
    if (out->rule == RULE_CONSTANT && target.n == 0)
        return mapping_fail(p->ctx, m, out->line, MAP_TARGET_VALUE, "a constant needs a value");
    su_status st = SU_OK;
    if (out->rule == RULE_VALUE || out->rule == RULE_CONSTANT) st = read_target_value(p, target, out);
    if (out->rule == RULE_OR) st = read_or_value(p, target, out);
    if (st == SU_OK && (out->rule == RULE_BAND || out->rule == RULE_YEAR)) {
        const su_field *f = &m->schema->fields[out->field];
        if (type_is_text(f->type) || f->type == SU_TYPE_FLAG || f->type == SU_TYPE_CODE_SET)
            st = mapping_fail(p->ctx, m, out->line, MAP_RULE, "the rule %s needs a coded target column, but %s is a %s",
                              map_rule_name(out->rule), f->name, su_type_name(f->type));
        bool bands = false;
        for (uint32_t v = 0; f->codelist != NULL && v < f->codelist->count; v++)
            bands |= f->codelist->codes[v].has_min || f->codelist->codes[v].has_max;
        if (st == SU_OK && out->rule == RULE_BAND && !bands)
            st = mapping_fail(p->ctx, m, out->line, MAP_RULE, "the codelist %s of column %s has no bands (columns min and max)",
                              f->codelist->id, f->name);
    }
    if (st == SU_OK && out->source != UINT32_MAX && m->sources[out->source].chained >= 0) st = read_chained_value(p, out);
    return st;
}

static su_status read_rows(mapping_parser *p)
{
    su_mapping *m = p->m;
    m->rows = su_arena_array(&m->arena, p->raw->row_count, sizeof *m->rows);
    for (uint64_t r = 0; r < p->raw->row_count; r++) {
        bool blank = true;
        for (map_column c = 0; c < MAP_COLUMN_COUNT; c++) blank = blank && cell_of(p, r, c).n == 0;
        if (blank) continue;
        map_row *row = &m->rows[m->row_count++];
        row->line = p->raw->row_line[r];
        row->next = UINT32_MAX;
        row->text = row->value = row->key = (su_str) { "", 0 };
        su_status st = read_rule(p, r, row);
        if (st == SU_OK) st = read_source(p, r, row);
        if (st == SU_OK) st = read_target(p, r, row);
        if (st == SU_OK) st = read_values(p, r, row);
        if (st != SU_OK) return st;
    }
    if (m->row_count > 0) return SU_OK;
    return su_fail(p->ctx, SU_INPUT,
                   "%s: the mapping has a header line and no rows: it says nothing about any column. Write a row for each column, or let "
                   "`suha map suggest` draft them",
                   m->name);
}

static su_status locate_columns(mapping_parser *p)
{
    for (map_column c = 0; c < MAP_COLUMN_COUNT; c++) p->at[c] = su_raw_table_column(p->raw, su_str_of(column_names[c]));
    static const map_column needed[] = { MAP_SOURCE_COLUMN, MAP_TARGET_COLUMN, MAP_RULE };
    for (size_t i = 0; i < sizeof needed / sizeof *needed; i++)
        if (p->at[needed[i]] < 0)
            return su_fail(p->ctx, SU_INPUT,
                           "%s, line 1: a mapping needs a column %s; its header line is "
                           "source_column,source_value,target_column,target_value,rule,coverage,note",
                           p->m->name, column_names[needed[i]]);
    return SU_OK;
}

/* ZIP archives and OLE files: what spreadsheet programs save by themselves. */
static bool is_spreadsheet(su_str bytes)
{
    return bytes.n >= 4 && (memcmp(bytes.p, "PK\x03\x04", 4) == 0 || memcmp(bytes.p, "\xD0\xCF\x11\xE0", 4) == 0);
}

/* The header names are known, so the delimiter can be seen in the first line; guessing from the body could be led astray by values. */
static char header_delimiter(su_str csv)
{
    static const char candidates[] = ",;\t";
    size_t best = 0;
    char found = ',';
    for (const char *c = candidates; *c != '\0'; c++) {
        size_t n = 0;
        for (size_t i = 0; i < csv.n && csv.p[i] != '\n' && csv.p[i] != '\r'; i++) n += csv.p[i] == *c;
        if (n > best) {
            best = n;
            found = *c;
        }
    }
    return found;
}

su_status su_mapping_parse(su_context *ctx, const char *name, su_str csv, const su_schema *schema, su_mapping **out)
{
    su_status st = SU_OK;
    su_raw_table *raw = NULL;
    su_mapping *m = su_alloc(sizeof *m);
    mapping_parser p = { .ctx = ctx, .m = m, .fields = su_dict_new(), .source_names = su_dict_new() };

    *out = NULL;
    su_arena_init(&m->arena);
    m->schema = schema;
    m->name = su_arena_strndup(&m->arena, name, strlen(name));
    m->record = m->weight = -1;
    m->targets = su_arena_array(&m->arena, schema->field_count, sizeof *m->targets);
    m->fingerprint = su_sha256_of(csv.p, csv.n);
    p.lookups = su_alloc_array(schema->field_count, sizeof *p.lookups);
    if (csv.n > MAX_MAPPING_BYTES) {
        st = su_fail(ctx, SU_INPUT, "%s: is larger than %u MiB: this is no mapping", name, MAX_MAPPING_BYTES >> 20);
        goto out;
    }
    if (is_spreadsheet(csv)) {
        st = su_fail(ctx, SU_INPUT, "%s: is a spreadsheet file (XLSX, XLS or ODS), not CSV. Open it and save the mapping as CSV (UTF-8)",
                     name);
        goto out;
    }
    su_read_options opts = { .delimiter = header_delimiter(csv) };
    st = su_csv_parse(ctx, name, csv, &opts, &raw);
    if (st != SU_OK) goto out;
    p.raw = raw;
    index_fields(&p);
    st = locate_columns(&p);
    if (st == SU_OK) st = read_rows(&p);
    if (st == SU_OK) st = mapping_plan(ctx, m);
out:
    for (uint32_t f = 0; f < schema->field_count; f++)
        if (p.lookups[f].field != NULL) lookup_free(&p.lookups[f]);
    free(p.lookups);
    free(p.field_of);
    su_dict_free(p.fields);
    su_dict_free(p.source_names);
    su_raw_table_free(raw);
    if (st != SU_OK)
        su_mapping_free(m);
    else
        *out = m;
    return st;
}

void su_mapping_free(su_mapping *m)
{
    if (m == NULL) return;
    for (size_t i = 0; i < m->pair_count; i++) {
        free(m->pairs[i].rows);
        free(m->pairs[i].key_row);
        su_dict_free(m->pairs[i].keys);
    }
    for (size_t i = 0; i < m->source_count; i++) su_dict_free(m->sources[i].dropped);
    for (uint32_t f = 0; m->targets != NULL && f < m->schema->field_count; f++) free(m->targets[f].pairs);
    free(m->pairs);
    free(m->sources);
    su_arena_free(&m->arena);
    free(m);
}

su_sha256 su_mapping_fingerprint(const su_mapping *m) { return m->fingerprint; }
bool su_mapping_has_record(const su_mapping *m) { return m->record >= 0; }
