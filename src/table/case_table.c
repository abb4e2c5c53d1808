/* Case table: identifiable records in a schema, one typed column per field. */
#include <suha/table.h>

#include <stdlib.h>
#include <string.h>

typedef enum cell_kind { KIND_CODE, KIND_SET, KIND_TEXT } cell_kind;

static cell_kind kind_of(su_type type)
{
    switch (type) {
    case SU_TYPE_CODE:
    case SU_TYPE_FLAG:
    case SU_TYPE_YEAR:
        return KIND_CODE;
    case SU_TYPE_CODE_SET:
        return KIND_SET;
    default:
        return KIND_TEXT;
    }
}

static su_dict *new_texts(void)
{
    su_dict *d = su_dict_new();
    su_dict_add(d, (su_str) { "", 0 });
    return d;
}

static void wipe_free(void *p, uint64_t rows, size_t size)
{
    if (p != NULL) su_wipe(p, rows * size);
    free(p);
}

su_case_table *su_case_table_new(const su_schema *schema, uint64_t rows)
{
    su_case_table *t = su_alloc(sizeof *t);
    t->schema = schema;
    t->row_count = rows;
    t->columns = su_alloc_array(schema->field_count, sizeof *t->columns);
    t->record_ids = su_alloc_array(rows, sizeof *t->record_ids);
    t->records = new_texts();
    return t;
}

void su_case_table_drop(su_case_table *t, uint32_t field)
{
    su_case_column *c = &t->columns[field];
    wipe_free(c->codes, t->row_count, sizeof *c->codes);
    wipe_free(c->bytes, t->row_count, sizeof *c->bytes);
    wipe_free(c->sets, t->row_count, c->words * sizeof *c->sets);
    wipe_free(c->set_reason, t->row_count, sizeof *c->set_reason);
    wipe_free(c->ids, t->row_count, sizeof *c->ids);
    su_dict_free(c->texts);
    *c = (su_case_column) { 0 };
}

void su_case_table_free(su_case_table *t)
{
    if (t == NULL) return;
    for (uint32_t f = 0; f < t->schema->field_count; f++) su_case_table_drop(t, f);
    free(t->columns);
    wipe_free(t->record_ids, t->row_count, sizeof *t->record_ids);
    su_dict_free(t->records);
    free(t->source_rows);
    free(t);
}

void su_case_table_provide(su_case_table *t, uint32_t field)
{
    su_case_column *c = &t->columns[field];
    const su_field *f = &t->schema->fields[field];
    if (c->provided) return;
    c->provided = true;
    switch (kind_of(f->type)) {
    case KIND_CODE:
        if (t->narrow && f->codelist && f->codelist->count < SU_CELL_NARROW)
            c->bytes = su_alloc_array(t->row_count, sizeof *c->bytes);
        else
            c->codes = su_alloc_array(t->row_count, sizeof *c->codes);
        break;
    case KIND_SET:
        c->words = f->codelist == NULL ? 1 : (f->codelist->count + 63) / 64;
        if (c->words == 0) c->words = 1;
        c->sets = su_alloc_array(t->row_count, c->words * sizeof *c->sets);
        c->set_reason = su_alloc_array(t->row_count, sizeof *c->set_reason);
        break;
    case KIND_TEXT:
        c->ids = su_alloc_array(t->row_count, sizeof *c->ids);
        c->texts = new_texts();
        break;
    }
}

/* A longer copy; the old one is wiped, which realloc would not do. */
static void *lengthen(void *old, uint64_t rows, const void *more, uint64_t more_rows, size_t size)
{
    char *p = su_alloc_array(rows + more_rows, size);
    if (rows > 0) memcpy(p, old, rows * size);
    if (more != NULL && more_rows > 0) memcpy(p + rows * size, more, more_rows * size);
    wipe_free(old, rows, size);
    return p;
}

static uint32_t *lengthen_ids(uint32_t *old, uint64_t rows, su_dict *texts, const uint32_t *more, const su_dict *more_texts,
                              uint64_t more_rows)
{
    uint32_t *ids = lengthen(old, rows, NULL, more_rows, sizeof *ids);
    if (more == NULL) return ids;
    uint32_t count = su_dict_count(more_texts);
    uint32_t *to = su_alloc_array((size_t)count + 1, sizeof *to);
    for (uint32_t i = 0; i < count; i++) to[i] = su_dict_add(texts, su_dict_get(more_texts, i));
    for (uint64_t r = 0; r < more_rows; r++) ids[rows + r] = to[more[r]];
    free(to);
    return ids;
}

/* Either table may be narrow, or not. */
static void lengthen_codes(su_case_column *c, uint64_t rows, const su_case_column *more, uint64_t more_rows)
{
    if (c->bytes)
        c->bytes = lengthen(c->bytes, rows, NULL, more_rows, sizeof *c->bytes);
    else
        c->codes = lengthen(c->codes, rows, NULL, more_rows, sizeof *c->codes);
    for (uint64_t r = 0; more->provided && r < more_rows; r++) su_case_put(c, rows + r, su_case_cell(more, r));
}

static void append_column(su_case_table *t, const su_case_table *more, uint32_t field)
{
    su_case_column *c = &t->columns[field];
    const su_case_column *m = &more->columns[field];
    uint64_t rows = t->row_count, more_rows = more->row_count;
    if (!c->provided && !m->provided) return;
    su_case_table_provide(t, field);
    switch (kind_of(t->schema->fields[field].type)) {
    case KIND_CODE:
        lengthen_codes(c, rows, m, more_rows);
        break;
    case KIND_SET:
        c->sets = lengthen(c->sets, rows, m->sets, more_rows, c->words * sizeof *c->sets);
        c->set_reason = lengthen(c->set_reason, rows, m->set_reason, more_rows, sizeof *c->set_reason);
        break;
    case KIND_TEXT:
        c->ids = lengthen_ids(c->ids, rows, c->texts, m->ids, m->texts, more_rows);
        break;
    }
}

static bool same_schema(const su_schema *a, const su_schema *b)
{
    return a == b || (a->field_count == b->field_count && memcmp(&a->fingerprint, &b->fingerprint, sizeof a->fingerprint) == 0);
}

su_status su_case_table_append(su_context *ctx, su_case_table *t, const su_case_table *more)
{
    uint64_t total = 0;
    if (!same_schema(t->schema, more->schema))
        return su_fail(ctx, SU_USAGE, "Tables of two schemas (%s and %s) cannot be joined. Import both with one schema.", t->schema->name,
                       more->schema->name);
    if (__builtin_add_overflow(t->row_count, more->row_count, &total) || total > UINT32_MAX)
        return su_fail(ctx, SU_USAGE, "Joined, the tables would have more than %u rows. Work on parts of them.", UINT32_MAX);
    for (uint32_t f = 0; f < t->schema->field_count; f++) append_column(t, more, f);
    t->record_ids = lengthen_ids(t->record_ids, t->row_count, t->records, more->record_ids, more->records, more->row_count);
    free(t->source_rows); /* rows of one file only */
    t->source_rows = NULL;
    t->row_count = total;
    t->synthetic = t->synthetic && more->synthetic;
    return SU_OK;
}

static su_str set_text(const su_case_column *c, const su_field *f, su_arena *arena, uint64_t row)
{
    const uint64_t *set = c->sets + row * c->words;
    char separator = f->separator == NULL || f->separator[0] == '\0' ? ';' : f->separator[0];
    su_buf text = { 0 };
    for (uint32_t v = 0; v < f->codelist->count; v++) {
        if ((set[v / 64] >> (v % 64) & 1) == 0) continue;
        if (text.n > 0) su_buf_char(&text, separator);
        su_buf_text(&text, f->codelist->codes[v].code);
    }
    su_str result = { text.n == 0 ? "" : su_arena_strndup(arena, text.p, text.n), text.n };
    if (text.p != NULL) su_wipe(text.p, text.n);
    su_buf_free(&text);
    return result;
}

su_str su_case_cell_text(const su_case_table *t, su_arena *arena, uint64_t row, uint32_t field)
{
    const su_field *f = &t->schema->fields[field];
    const su_case_column *c = &t->columns[field];
    su_str text = { "", 0 };
    if (c->provided) {
        switch (kind_of(f->type)) {
        case KIND_CODE:
            if (su_cell_is_value(su_case_cell(c, row))) text = su_str_of(f->codelist->codes[su_case_cell(c, row) - 1].code);
            break;
        case KIND_SET:
            text = set_text(c, f, arena, row);
            break;
        case KIND_TEXT:
            text = su_dict_get(c->texts, c->ids[row]);
            break;
        }
    }
    return text.n > 0 ? text : su_str_of(f->missing_print);
}

void su_case_table_csv(const su_case_table *t, su_buf *out)
{
    uint32_t fields = t->schema->field_count;
    su_arena scratch;
    su_arena_init(&scratch);
    for (uint32_t f = 0; f < fields; f++) {
        if (f > 0) su_buf_char(out, ',');
        su_buf_csv(out, su_str_of(t->schema->fields[f].name), ',');
    }
    su_buf_char(out, '\n');
    for (uint64_t row = 0; row < t->row_count; row++) {
        for (uint32_t f = 0; f < fields; f++) {
            if (f > 0) su_buf_char(out, ',');
            su_str cell = su_case_cell_text(t, &scratch, row, f);
            /* Alone on its line an empty cell would be an empty line, which is no row. */
            if (cell.n == 0 && fields == 1)
                su_buf_text(out, "\"\"");
            else
                su_buf_csv(out, cell, ',');
        }
        su_buf_char(out, '\n');
        if (scratch.used_total > (1u << 20)) su_arena_free(&scratch);
    }
    su_arena_free(&scratch);
}
