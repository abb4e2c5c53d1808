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

/* Codes of a column of the matrix while it is filled: bytes where they suffice and are wanted. */
typedef struct filled {
    uint16_t *codes;
    uint8_t *bytes;
} filled;

static filled room_for(su_code_matrix *m, uint32_t values, bool narrow)
{
    filled f = { NULL, NULL };
    if (narrow && SU_PLANT(DOMAIN_FROM_DATA, false, values <= UINT8_MAX))
        f.bytes = su_arena_array(&m->arena, m->row_count, sizeof *f.bytes);
    else
        f.codes = su_arena_array(&m->arena, m->row_count, sizeof *f.codes);
    return f;
}

static void put(const filled *f, uint64_t row, uint32_t code)
{
    if (f->bytes)
        f->bytes[row] = (uint8_t)code;
    else
        f->codes[row] = (uint16_t)code;
}

static void fill_codes(su_code_matrix *m, const su_case_table *t, uint32_t field, bool narrow)
{
    const su_field *f = &t->schema->fields[field];
    const su_case_column *cells = &t->columns[field];
    filled to = room_for(m, positive_codes(f), narrow);
    for (uint64_t r = 0; r < t->row_count; r++) {
        su_cell v = su_case_cell(cells, r);
        if (su_cell_is_value(v) && v != f->negative) put(&to, r, v - (f->negative != 0 && v > f->negative ? 1u : 0u));
    }
    uint32_t values = SU_PLANT(DOMAIN_FROM_DATA, su_planted_largest(to.codes, t->row_count), positive_codes(f));
    m->columns[m->column_count++] = (su_matrix_column) {
        .name = su_arena_strndup(&m->arena, f->name, strlen(f->name)),
        .field = field,
        .card = values + 1,
        .codes = to.codes,
        .bytes = to.bytes,
    };
}

static void fill_set(su_code_matrix *m, const su_case_table *t, uint32_t field, bool narrow)
{
    const su_field *f = &t->schema->fields[field];
    const su_case_column *c = &t->columns[field];
    for (uint32_t v = 1; v <= f->codelist->count; v++) {
        if (v == f->negative) continue;
        filled to = room_for(m, 1, narrow);
        const uint64_t *word = c->sets + (v - 1) / 64;
        for (uint64_t r = 0; r < t->row_count; r++) put(&to, r, word[r * c->words] >> ((v - 1) % 64) & 1);
        m->columns[m->column_count++] =
            (su_matrix_column) { .name = su_arena_printf(&m->arena, "%s_%s", f->name, f->codelist->codes[v - 1].code),
                                 .field = field,
                                 .set_value = (uint16_t)v,
                                 .card = 2,
                                 .codes = to.codes,
                                 .bytes = to.bytes };
    }
}

/* `taken` is t, when its columns may go. */
static su_status matrix_of(su_context *ctx, const su_case_table *t, su_case_table *taken, su_code_matrix **out)
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
            fill_set(m, t, f, taken != NULL);
        else
            fill_codes(m, t, f, taken != NULL);
        if (taken) su_case_table_drop(taken, f);
    }
    for (uint32_t f = 0; taken && f < schema->field_count; f++) su_case_table_drop(taken, f);
    *out = m;
    return SU_OK;
}

su_status su_code_matrix_of(su_context *ctx, const su_case_table *t, su_code_matrix **out) { return matrix_of(ctx, t, NULL, out); }
su_status su_code_matrix_take(su_context *ctx, su_case_table *t, su_code_matrix **out) { return matrix_of(ctx, t, t, out); }

const uint16_t *su_matrix_codes(const su_matrix_column *c, uint64_t from, uint64_t n, uint16_t *room)
{
    if (!c->bytes) return c->codes + from;
    for (uint64_t i = 0; i < n; i++) room[i] = c->bytes[from + i];
    return room;
}

bool su_code_matrix_narrow(const su_code_matrix *m)
{
    for (uint32_t c = 0; c < m->column_count; c++)
        if (m->columns[c].bytes) return true;
    return false;
}

su_code_matrix *su_code_matrix_widen(const su_code_matrix *m)
{
    su_code_matrix *x = su_alloc(sizeof *x);
    *x = (su_code_matrix) { .schema = m->schema, .row_count = m->row_count, .column_count = m->column_count, .units = m->units };
    su_arena_init(&x->arena);
    x->columns = su_arena_array(&x->arena, m->column_count, sizeof *x->columns);
    for (uint32_t c = 0; c < m->column_count; c++) {
        uint16_t *codes = su_arena_array(&x->arena, m->row_count, sizeof *codes);
        const uint16_t *from = su_matrix_codes(&m->columns[c], 0, m->row_count, codes);
        if (from != codes && m->row_count) memcpy(codes, from, m->row_count * sizeof *codes);
        x->columns[c] = m->columns[c];
        x->columns[c].codes = codes;
        x->columns[c].bytes = NULL;
    }
    return x;
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
