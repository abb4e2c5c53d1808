/* The mapping that needs no file: it is written out as CSV and parsed like any other, so that it obeys the same rules and has a
 * fingerprint. */
#include <stdlib.h>
#include <string.h>

#include "hint.h"
#include "mapping.h"
#include "mapping_cell.h"
#include "profile.h"

/* How well a column's name is a field's: not at all, an alias, the name but for case and blanks, the name itself. */
typedef enum likeness { NO_LIKENESS, BY_ALIAS, BY_FOLDED_NAME, BY_NAME } likeness;

typedef struct taker {
    uint32_t column, twin; /* twin: another column just as good, 0 = none (a twin is never the first column) */
    likeness how;
} taker;

static likeness compare_names(const char *column, const su_field *f)
{
    if (strcmp(column, f->name) == 0) return BY_NAME;
    su_arena scratch;
    su_arena_init(&scratch);
    bool same = su_str_equal(su_text_fold(&scratch, su_str_of(column)), su_text_fold(&scratch, su_str_of(f->name)));
    su_arena_free(&scratch);
    return same ? BY_FOLDED_NAME : BY_ALIAS;
}

/* The best-named column of each field; two equally good ones are a question for a person. */
static su_status choose_columns(su_context *ctx, const su_raw_table *raw, const su_schema *schema, taker *takers, size_t *found)
{
    for (uint32_t c = 0; c < raw->column_count; c++) {
        int field = su_schema_field(schema, su_str_of(raw->columns[c].name));
        if (field < 0) continue;
        likeness how = compare_names(raw->columns[c].name, &schema->fields[field]);
        taker *t = &takers[field];
        *found += t->how == NO_LIKENESS;
        if (how == t->how && t->twin == 0) t->twin = c;
        if (how > t->how) *t = (taker) { .column = c, .how = how };
    }
    for (uint32_t f = 0; f < schema->field_count; f++)
        if (takers[f].twin != 0)
            return su_fail(ctx, SU_INPUT, "%s: the columns \"%s\" and \"%s\" are both %s; write a mapping that says which one counts",
                           raw->source, raw->columns[takers[f].column].name, raw->columns[takers[f].twin].name, schema->fields[f].name);
    return SU_OK;
}

/* A column called "age" may hold ages where the field wants bands, a column called "year" dates: the cells tell. */
static const char *rule_for(const su_raw_table *raw, uint32_t column, const su_schema *schema, const su_field *field)
{
    su_arena scratch;
    column_profile profile;
    int rule = RULE_RENAME;
    if (field->codelist == NULL || field->codelist->exact || (field->type != SU_TYPE_CODE && field->type != SU_TYPE_YEAR))
        return map_rule_name(RULE_RENAME);
    su_arena_init(&scratch);
    profile_column(&profile, &scratch, &raw->columns[column], raw->row_count);
    content_score(&profile, schema, field, true, &rule);
    su_arena_free(&scratch);
    return map_rule_name((map_rule)rule);
}

su_status su_mapping_by_name(su_context *ctx, const su_raw_table *raw, const su_schema *schema, su_mapping **out)
{
    su_buf csv = { 0 }, name = { 0 }, hint = { 0 };
    taker *takers = su_alloc_array(schema->field_count, sizeof *takers);
    size_t found = 0;

    *out = NULL;
    su_status st = choose_columns(ctx, raw, schema, takers, &found);
    su_buf_text(&csv, "source_column,source_value,target_column,target_value,rule,coverage,note\n");
    for (uint32_t f = 0; f < schema->field_count && st == SU_OK; f++) {
        if (takers[f].how == NO_LIKENESS) continue;
        mapping_cell_write(&csv, su_str_of(raw->columns[takers[f].column].name));
        su_buf_text(&csv, ",,");
        su_buf_csv(&csv, su_str_of(schema->fields[f].name), ',');
        su_buf_printf(&csv, ",,%s,exact,same name\n", rule_for(raw, takers[f].column, schema, &schema->fields[f]));
    }
    if (st == SU_OK && found == 0) {
        hint_table(raw, &hint);
        st = su_fail(ctx, SU_INPUT,
                     "%s: none of its %u columns has the name of a column of %s; write a mapping (suha map suggest drafts one).%s",
                     raw->source, raw->column_count, schema->name, hint.n > 0 ? hint.p : "");
    }
    su_buf_printf(&name, "mapping by column names of %s", raw->source);
    if (st == SU_OK) st = su_mapping_parse(ctx, name.p, (su_str) { csv.p, csv.n }, schema, out);
    su_buf_free(&csv);
    su_buf_free(&name);
    su_buf_free(&hint);
    free(takers);
    return st;
}
