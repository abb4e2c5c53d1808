/* su_mapping_suggest: a mapping drafted from names and contents, for a person to correct. It says what it did not understand instead of
 * guessing. */
#include <stdlib.h>
#include <string.h>

#include "hint.h"
#include "mapping.h"
#include "mapping_cell.h"
#include "margins.h"
#include "profile.h"
#include "suggest.h"

#define MAX_DRAFTED 200u
#define SURE_NAME 0.95
#define ENOUGH 0.42
#define ALL_OF_IT 0.999

su_str separator_cell(const char *separators) { return strcmp(separators, " ") == 0 ? SU_STR("blank") : su_str_of(separators); }

void draft_row(draft *d, uint32_t column, su_str value, const char *target, const char *target_value, const char *rule,
               const char *coverage, const char *note)
{
    mapping_cell_write(d->csv, su_str_trim(su_str_of(d->profiles[column].column->name)));
    su_buf_char(d->csv, ',');
    mapping_cell_write(d->csv, value);
    su_buf_char(d->csv, ',');
    su_buf_csv(d->csv, su_str_of(target), ',');
    su_buf_char(d->csv, ',');
    su_buf_csv(d->csv, su_str_of(target_value), ',');
    su_buf_printf(d->csv, ",%s,%s,", rule, coverage);
    su_buf_csv(d->csv, su_str_of(note), ',');
    su_buf_char(d->csv, '\n');
}

/* ---- which column for which field ------------------------------------------------------------------------------------- */

/* A name that says it all wins; else names and contents together, contents counting less where they are common to many fields. */
static double pair_score(const draft *d, uint32_t c, uint32_t f, double name, double content)
{
    const su_field *field = &d->schema->fields[f];
    if (name >= SURE_NAME) return 0.9 * name + 0.1 * content;
    if (type_is_text(field->type)) return field->type == SU_TYPE_TEXT ? 0 : 0.5 * name + 0.1 * content;
    if (content < 0.5) return 0;
    double telling = field->type == SU_TYPE_FLAG ? 0.3 : d->profiles[c].numbers ? 0.6 : 1;
    return 0.55 * name + 0.45 * content * telling;
}

static void score_all(draft *d)
{
    for (uint32_t c = 0; c < d->columns; c++) {
        column_profile *p = &d->profiles[c];
        bool personal = is_personal(p);
        for (uint32_t f = 0; f < d->schema->field_count; f++) {
            candidate *x = &d->scores[(size_t)c * d->schema->field_count + f];
            double name = name_score(d->arena, p, &d->schema->fields[f]);
            bool sure = name >= SURE_NAME;
            double content = p->unique && !sure ? 0 : content_score(p, d->schema, &d->schema->fields[f], sure, &x->rule);
            x->name = name;
            x->content = content;
            x->score = personal && !sure ? 0 : pair_score(d, c, f, name, content);
            double word = personal || sure || content < ALL_OF_IT ? 0 : flag_score(d, p, f);
            x->by_word = word > 0 && ENOUGH + 0.4 * word > x->score;
            if (x->by_word) x->score = ENOUGH + 0.4 * word;
        }
    }
}

/* Best pair first; equal scores by column, then by field. */
static void assign(draft *d)
{
    for (;;) {
        double best = ENOUGH;
        uint32_t column = UINT32_MAX, field = 0;
        for (uint32_t c = 0; c < d->columns; c++) {
            if (d->field_of[c] >= 0) continue;
            for (uint32_t f = 0; f < d->schema->field_count; f++) {
                double score = d->scores[(size_t)c * d->schema->field_count + f].score;
                if (d->column_of[f] >= 0 || score <= best) continue;
                best = score;
                column = c;
                field = f;
            }
        }
        if (column == UINT32_MAX) return;
        d->field_of[column] = (int)field;
        d->column_of[field] = (int)column;
    }
}

/* ---- rows for one column ------------------------------------------------------------------------------------------------ */

static int compare_values(const void *a, const void *b)
{
    const profiled_value *x = a, *y = b;
    if (x->rows != y->rows) return x->rows < y->rows ? 1 : -1;
    size_t n = x->cell.text.n < y->cell.text.n ? x->cell.text.n : y->cell.text.n;
    int order = memcmp(x->cell.text.p, y->cell.text.p, n);
    return order != 0 ? order : (x->cell.text.n > y->cell.text.n) - (x->cell.text.n < y->cell.text.n);
}

static bool is_taken(const lookup *l, const column_profile *p, cell_text cell, int rule)
{
    su_cell code = 0;
    int64_t number = 0;
    if (rule == RULE_BAND) {
        looked found = lookup_band(l, cell, &code);
        bool counted = found == LOOKED_VALUE && integer_parse(cell.text, &number); /* 999 would be an old person */
        return found != LOOKED_NOTHING && !(counted && is_sentinel(number));
    }
    if (rule == RULE_YEAR) return lookup_year(l, cell, p->order, &code) != LOOKED_NOTHING;
    return lookup_code(l, cell, &code) != LOOKED_NOTHING;
}

/* A row for each value the field does not take: with the code it probably means, or empty and marked as lost. */
static void draft_value(draft *d, uint32_t c, const su_field *f, const lookup *l, const profiled_value *v, int rule)
{
    const column_profile *p = &d->profiles[c];
    char note[160];
    su_cell code = 0;
    int64_t number = 0;
    if (rule == RULE_BAND && integer_parse(v->cell.text, &number)) {
        snprintf(note, sizeof note, "%llu row%s; looks like a code for unknown, not like a number: check it", (unsigned long long)v->rows,
                 PLURAL(v->rows));
        draft_row(d, c, v->cell.text, f->name, "?unknown", "value", "partial", note);
        return;
    }
    if (margin_is_word(v->cell.key, true)) {
        snprintf(note, sizeof note, "looks like a total of other rows (%llu row%s)", (unsigned long long)v->rows, PLURAL(v->rows));
        draft_row(d, c, v->cell.text, "", "", "margin", "exact", note);
        return;
    }
    su_str rest = without_common_word(p, v->cell.text);
    bool stripped =
        rest.n < v->cell.text.n && lookup_code(l, (cell_text) { rest, su_text_fold(d->arena, rest), rest }, &code) == LOOKED_VALUE;
    const su_code *near = stripped ? &f->codelist->codes[code - 1] : su_codelist_suggest(f->codelist, v->cell.text);
    if (near != NULL) {
        snprintf(note, sizeof note, "%llu row%s; %s", (unsigned long long)v->rows, PLURAL(v->rows),
                 stripped ? "the column repeats a word in every value" : "a guess by spelling: check it");
        draft_row(d, c, v->cell.text, f->name, near->code, "value", stripped ? "exact" : "partial", note);
    } else {
        snprintf(note, sizeof note, "%llu row%s; decide what it means, or leave it: not recorded, listed as unmapped",
                 (unsigned long long)v->rows, PLURAL(v->rows));
        draft_row(d, c, v->cell.text, f->name, "", "value", "none", note);
    }
}

static void draft_values(draft *d, uint32_t c, const su_field *f, int rule)
{
    column_profile *p = &d->profiles[c];
    lookup l;
    if (type_is_text(f->type)) return;
    lookup_init(&l, d->schema, f);
    profiled_value *open = su_alloc_array(p->value_count, sizeof *open);
    su_dict *seen = su_dict_new();
    uint32_t n = 0;
    for (uint32_t i = 0; i < p->value_count; i++)
        if (!is_taken(&l, p, p->values[i].cell, rule)) open[n++] = p->values[i];
    qsort(open, n, sizeof *open, compare_values);
    for (uint32_t i = 0, drafted = 0; i < n && drafted < MAX_DRAFTED; i++) {
        char buf[32];
        su_str key = open[i].cell.key, whole;
        if (integer_form(open[i].cell.text, buf, &whole)) key = whole; /* 5.0 and 5 are one value in a mapping */
        uint32_t before = su_dict_count(seen);
        if (key.n == 0 || su_dict_add(seen, key) < before || su_str_equal(open[i].cell.text, SU_STR("*"))) continue;
        draft_value(d, c, f, &l, &open[i], rule);
        drafted++;
    }
    su_dict_free(seen);
    free(open);
    lookup_free(&l);
}

static const char *why_drafted(const column_profile *p, const candidate *x)
{
    if (x->by_word) return "a guess by a word of its name: check it";
    if (x->name >= SURE_NAME) return p->last_key.n == 0 ? "by name" : "by the last part of its name: check whom it is about";
    return x->name > 0.3 ? "by name and content" : "by content";
}

static void draft_field(draft *d, uint32_t c)
{
    uint32_t field = (uint32_t)d->field_of[c];
    const su_field *f = &d->schema->fields[field];
    const candidate *x = &d->scores[(size_t)c * d->schema->field_count + field];
    char note[160];
    double taken = 0;
    bool members = f->type == SU_TYPE_CODE_SET;
    const char *separators = members ? best_separators(&d->profiles[c], d->schema, f, &taken) : "";
    bool cut = members && strcmp(separators, f->separator) != 0;
    bool listed = !members && x->content < ALL_OF_IT && !type_is_text(f->type);
    snprintf(note, sizeof note, "%s%s%s", why_drafted(&d->profiles[c], x), listed ? "; some values are not in the codelist" : "",
             cut ? "; cells hold several values" : "");
    draft_row(d, c, cut ? separator_cell(separators) : SU_STR(""), f->name, "", cut ? "split" : map_rule_name((map_rule)x->rule),
              x->name >= SURE_NAME ? "exact" : "partial", note);
    if (!members && f->role != SU_ROLE_IDENTIFIER) draft_values(d, c, f, x->rule);
}

/* The field this column would have filled, had another not come first; -1 if none. */
static int runner_up(const draft *d, uint32_t c)
{
    double best = ENOUGH;
    int found = -1;
    for (uint32_t f = 0; f < d->schema->field_count; f++) {
        const candidate *x = &d->scores[(size_t)c * d->schema->field_count + f];
        if (x->score > best && d->column_of[f] >= 0) {
            best = x->score;
            found = (int)f;
        }
    }
    return found;
}

static void draft_unplaced(draft *d, uint32_t c)
{
    const column_profile *p = &d->profiles[c];
    char note[300];
    int other = runner_up(d, c);
    if (p->filled == 0) {
        draft_row(d, c, SU_STR(""), "", "", "drop", "none", "empty");
    } else if (is_personal(p)) {
        draft_row(d, c, SU_STR(""), "", "", "drop", "none", "looks like names, contacts or free text: left out");
    } else if (p->unique) {
        draft_row(d, c, SU_STR(""), "", "", "drop", "none",
                  "every row has a value of its own: looks like an identifier or a running number");
    } else if (other >= 0) {
        snprintf(note, sizeof note, "could also be %.100s, which comes from \"%.100s\"%s", d->schema->fields[other].name,
                 d->profiles[d->column_of[other]].column->name,
                 d->schema->fields[other].type == SU_TYPE_FLAG ? "; the rule or joins several" : "");
        draft_row(d, c, SU_STR(""), "", "", "drop", "none", note);
    } else {
        draft_row(d, c, SU_STR(""), "", "", "drop", "none", "nothing in the schema has this name or these values");
    }
}

static bool is_running_number(const column_profile *p)
{
    return p->integers && p->unique &&
           (p->tokens.count == 0 || (p->key.n >= 7 && memcmp(p->key.p, "column_", 7) == 0) ||
            (p->key.n >= 7 && memcmp(p->key.p, "unnamed", 7) == 0));
}

su_status su_mapping_suggest(su_context *ctx, const su_raw_table *raw, const su_schema *schema, su_buf *csv)
{
    enum { MAX_PAIRS = 4000000 };
    su_arena arena;
    su_buf hint = { 0 };
    if ((uint64_t)raw->column_count * schema->field_count > MAX_PAIRS)
        return su_fail(ctx, SU_INPUT, "%s: %u columns are too many to compare with the %u of %s; write the mapping by hand", raw->source,
                       raw->column_count, schema->field_count, schema->name);
    su_arena_init(&arena);
    draft d = { .schema = schema, .arena = &arena, .csv = csv, .columns = raw->column_count };
    d.profiles = su_arena_array(&arena, raw->column_count, sizeof *d.profiles);
    d.scores = su_alloc_array((size_t)raw->column_count * schema->field_count, sizeof *d.scores);
    d.field_of = su_arena_array(&arena, raw->column_count, sizeof *d.field_of);
    d.column_of = su_arena_array(&arena, schema->field_count, sizeof *d.column_of);
    for (uint32_t c = 0; c < raw->column_count; c++) profile_column(&d.profiles[c], &arena, &raw->columns[c], raw->row_count);
    for (uint32_t c = 0; c < raw->column_count; c++) d.field_of[c] = -1;
    for (uint32_t f = 0; f < schema->field_count; f++) d.column_of[f] = -1;
    score_all(&d);
    assign(&d);
    su_buf_text(csv, "source_column,source_value,target_column,target_value,rule,coverage,note\n");
    su_dict *names = su_dict_new();
    for (uint32_t c = 0; c < raw->column_count; c++) {
        /* A mapping cannot tell columns of one folded name apart. */
        uint32_t known = su_dict_count(names);
        bool named = d.profiles[c].key.n > 0 && su_dict_add(names, d.profiles[c].key) == known;
        if (!named || su_raw_table_column(raw, su_str_trim(su_str_of(raw->columns[c].name))) != (int)c) continue;
        if (d.field_of[c] >= 0)
            draft_field(&d, c);
        else if (is_running_number(&d.profiles[c]))
            draft_row(&d, c, SU_STR(""), "", "", "drop", "none", "a running number of rows");
        else if (!draft_role(&d, c) && (is_personal(&d.profiles[c]) || !draft_choices(&d, c)))
            draft_unplaced(&d, c);
    }
    su_status st = SU_OK;
    if (su_dict_count(names) == 0)
        st = su_fail(ctx, SU_INPUT, "%s: no column has a name that a mapping could use; name the columns in the header line", raw->source);
    hint_header(raw, &hint);
    if (hint.n > 0) su_log(ctx, "%s:%s", raw->source, hint.p);
    su_buf_free(&hint);
    su_dict_free(names);
    free(d.scores);
    su_arena_free(&arena);
    return st;
}
