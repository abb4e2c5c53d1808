/* Code matrix: the coded, releasable columns of a case table, as counting and protection see them. */
#include <suha/plant.h>
#include <suha/table.h>

#include <stdlib.h>
#include <string.h>

static bool is_coded(su_type type)
{
    return type == SU_TYPE_CODE || type == SU_TYPE_FLAG || type == SU_TYPE_YEAR || type == SU_TYPE_CODE_SET;
}

/* Number of codes less the negative one, if the list has it. */
static uint32_t positive_codes(const su_field *f)
{
    bool has_negative = f->negative > 0 && f->negative <= f->codelist->count;
    return f->codelist->count - (has_negative ? 1 : 0);
}

static bool takes(const su_case_table *t, uint32_t field)
{
    const su_field *f = &t->schema->fields[field];
    return f->released && is_coded(f->type) && f->codelist != NULL && t->columns[field].provided;
}

static void fill_codes(su_code_matrix *m, const su_case_table *t, uint32_t field)
{
    const su_field *f = &t->schema->fields[field];
    const su_cell *cells = t->columns[field].codes;
    uint16_t *codes = su_arena_array(&m->arena, t->row_count, sizeof *codes);
    for (uint64_t r = 0; r < t->row_count; r++) {
        su_cell v = cells[r];
        if (!su_cell_is_value(v) || v == f->negative) continue;
        codes[r] = (uint16_t)(v - (f->negative != 0 && v > f->negative ? 1 : 0));
    }
    uint32_t values = SU_PLANT(DOMAIN_FROM_DATA, su_planted_largest(codes, t->row_count), positive_codes(f));
    m->columns[m->column_count++] = (su_matrix_column) {
        .name = su_arena_strndup(&m->arena, f->name, strlen(f->name)), .field = field, .card = values + 1, .codes = codes
    };
}

static void fill_set(su_code_matrix *m, const su_case_table *t, uint32_t field)
{
    const su_field *f = &t->schema->fields[field];
    const su_case_column *c = &t->columns[field];
    for (uint32_t v = 1; v <= f->codelist->count; v++) {
        if (v == f->negative) continue;
        uint16_t *codes = su_arena_array(&m->arena, t->row_count, sizeof *codes);
        const uint64_t *word = c->sets + (v - 1) / 64;
        for (uint64_t r = 0; r < t->row_count; r++) codes[r] = (uint16_t)(word[r * c->words] >> ((v - 1) % 64) & 1);
        m->columns[m->column_count++] =
            (su_matrix_column) { .name = su_arena_printf(&m->arena, "%s_%s", f->name, f->codelist->codes[v - 1].code),
                                 .field = field,
                                 .set_value = (uint16_t)v,
                                 .card = 2,
                                 .codes = codes };
    }
}

su_status su_code_matrix_of(su_context *ctx, const su_case_table *t, su_code_matrix **out)
{
    const su_schema *schema = t->schema;
    size_t columns = 0;
    *out = NULL;
    for (uint32_t f = 0; f < schema->field_count; f++)
        if (takes(t, f)) columns += schema->fields[f].type == SU_TYPE_CODE_SET ? positive_codes(&schema->fields[f]) : 1;
    if (columns == 0)
        return su_fail(ctx, SU_REFUSED,
                       "No column of this table may be published: the schema %s marks coded columns with suha:privacy = release, and the "
                       "mapping fills none of them. Map at least one such column.",
                       schema->name);
    if (columns > UINT16_MAX)
        return su_fail(ctx, SU_REFUSED, "The schema %s makes %zu columns of codes; at most %u can be counted.", schema->name, columns,
                       UINT16_MAX);
    su_code_matrix *m = su_alloc(sizeof *m);
    su_arena_init(&m->arena);
    m->schema = schema;
    m->row_count = t->row_count;
    m->columns = su_arena_array(&m->arena, columns, sizeof *m->columns);
    for (uint32_t f = 0; f < schema->field_count; f++) {
        if (!takes(t, f)) continue;
        if (schema->fields[f].type == SU_TYPE_CODE_SET)
            fill_set(m, t, f);
        else
            fill_codes(m, t, f);
    }
    *out = m;
    return SU_OK;
}

void su_code_matrix_free(su_code_matrix *m)
{
    if (m == NULL) return;
    su_arena_free(&m->arena);
    free(m);
}

const char *su_matrix_column_value(const su_schema *schema, const su_matrix_column *column, uint32_t value)
{
    if (schema == NULL || value == 0 || value >= column->card) return NULL;
    if (column->set_value != 0) return "1";
    const su_field *f = &schema->fields[column->field];
    uint32_t number = f->negative != 0 && value >= f->negative ? value + 1 : value;
    return f->codelist->codes[number - 1].code;
}

const char *su_matrix_value(const su_code_matrix *m, uint32_t column, uint32_t value)
{
    return su_matrix_column_value(m->schema, &m->columns[column], value);
}
