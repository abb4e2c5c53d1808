#include "record.h"
#include "seal.h"

#include <stdlib.h>
#include <string.h>

enum { VERSION = 1, FLAG_SYNTHETIC = 1, PAD_STEP = 128, PAD_MARK = 0x80, CODES_MAX = 65000 };

su_store_kind su_store_kind_of(su_type type)
{
    switch (type) {
    case SU_TYPE_CODE:
    case SU_TYPE_FLAG:
    case SU_TYPE_YEAR:
        return SU_STORE_CODE;
    case SU_TYPE_CODE_SET:
        return SU_STORE_SET;
    case SU_TYPE_INTEGER:
    case SU_TYPE_DATE:
    case SU_TYPE_TEXT:
        break;
    }
    return SU_STORE_TEXT;
}

/* ---- layout ---- */

void su_layout_of(const su_case_table *t, su_arena *arena, su_layout *out, uint32_t **columns)
{
    const su_schema *schema = t->schema;
    *out = (su_layout) { .schema = schema->name, .synthetic = t->synthetic };
    out->fields = su_arena_array(arena, schema->field_count, sizeof *out->fields);
    *columns = su_arena_array(arena, schema->field_count, sizeof **columns);
    for (uint32_t f = 0; f < schema->field_count; f++) {
        const su_field *field = &schema->fields[f];
        if (!t->columns[f].provided) continue;
        su_layout_field *to = &out->fields[out->field_count];
        *to = (su_layout_field) { .name = field->name, .kind = su_store_kind_of(field->type) };
        if (to->kind != SU_STORE_TEXT && field->codelist) {
            to->code_count = field->codelist->count;
            to->codes = su_arena_array(arena, to->code_count, sizeof *to->codes);
            for (uint32_t c = 0; c < to->code_count; c++) to->codes[c] = field->codelist->codes[c].code;
        }
        (*columns)[out->field_count++] = f;
    }
}

static void add_u32(su_buf *b, uint32_t v)
{
    uint8_t bytes[4];
    su_put_u32(bytes, v);
    su_buf_add(b, bytes, sizeof bytes);
}

static void add_text(su_buf *b, const char *text)
{
    size_t n = strlen(text);
    add_u32(b, (uint32_t)n);
    su_buf_add(b, text, n);
}

void su_layout_encode(const su_layout *layout, su_buf *out)
{
    su_buf_char(out, VERSION);
    su_buf_char(out, layout->synthetic ? FLAG_SYNTHETIC : 0);
    add_text(out, layout->schema);
    add_u32(out, layout->field_count);
    for (uint32_t f = 0; f < layout->field_count; f++) {
        const su_layout_field *field = &layout->fields[f];
        add_text(out, field->name);
        su_buf_char(out, (char)field->kind);
        add_u32(out, field->code_count);
        for (uint32_t c = 0; c < field->code_count; c++) add_text(out, field->codes[c]);
    }
}

/* A reader that never goes past its end: after the first short read everything reads as zero and `bad` stays set. */
typedef struct reader {
    const uint8_t *p;
    size_t left;
    bool bad;
} reader;

static const uint8_t *take(reader *r, size_t n)
{
    if (r->bad || n > r->left) {
        r->bad = true;
        return NULL;
    }
    const uint8_t *at = r->p;
    r->p += n;
    r->left -= n;
    return at;
}

static uint8_t take_u8(reader *r)
{
    const uint8_t *p = take(r, 1);
    return p ? *p : 0;
}

static uint16_t take_u16(reader *r)
{
    const uint8_t *p = take(r, 2);
    return p ? (uint16_t)(p[0] | p[1] << 8) : 0;
}

static uint32_t take_u32(reader *r)
{
    const uint8_t *p = take(r, 4);
    return p ? su_get_u32(p) : 0;
}

static su_str take_text(reader *r)
{
    uint32_t n = take_u32(r);
    const uint8_t *p = take(r, n);
    return p ? (su_str) { (const char *)p, n } : (su_str) { "", 0 };
}

static const char *take_name(reader *r, su_arena *arena)
{
    su_str s = take_text(r);
    if (s.n && memchr(s.p, '\0', s.n)) r->bad = true;
    return r->bad ? "" : su_arena_strndup(arena, s.p, s.n);
}

bool su_layout_decode(su_arena *arena, const uint8_t *p, size_t n, su_layout *out, bool *newer)
{
    reader r = { p, n, false };
    *out = (su_layout) { .schema = "" };
    *newer = false;
    if (take_u8(&r) != VERSION) {
        *newer = n > 0 && p[0] > VERSION;
        return false;
    }
    uint8_t flags = take_u8(&r);
    out->synthetic = flags & FLAG_SYNTHETIC;
    out->schema = take_name(&r, arena);
    uint32_t fields = take_u32(&r);
    /* Each field takes at least 9 bytes and each code 4, so that what is allocated is bounded by what is there. */
    if (r.bad || (flags & ~FLAG_SYNTHETIC) || fields > r.left / 9) return false;
    out->fields = su_arena_array(arena, fields, sizeof *out->fields);
    for (uint32_t f = 0; f < fields; f++) {
        su_layout_field *field = &out->fields[f];
        field->name = take_name(&r, arena);
        field->kind = (su_store_kind)take_u8(&r);
        uint32_t codes = take_u32(&r);
        if (r.bad || field->kind < SU_STORE_CODE || field->kind > SU_STORE_TEXT || codes > CODES_MAX || codes > r.left / 4) return false;
        if (field->kind == SU_STORE_TEXT && codes) return false;
        field->code_count = codes;
        field->codes = su_arena_array(arena, codes, sizeof *field->codes);
        for (uint32_t c = 0; c < codes; c++) field->codes[c] = take_name(&r, arena);
        if (r.bad) return false;
    }
    out->field_count = fields;
    return !r.bad && r.left == 0;
}

/* ---- records ---- */

size_t su_record_padded(size_t n)
{
    size_t step = PAD_STEP;
    while (step * 16 <= n) step *= 2;
    return (n + step - 1) / step * step;
}

void su_scratch_need(su_scratch *s, size_t n)
{
    if (n <= s->capacity) return;
    uint8_t *wider = su_alloc(n * 2);
    su_scratch_free(s);
    *s = (su_scratch) { .p = wider, .capacity = n * 2 };
}

void su_scratch_free(su_scratch *s)
{
    if (s->p) su_wipe(s->p, s->capacity);
    free(s->p);
    *s = (su_scratch) { 0 };
}

static su_str text_of(const su_case_column *column, uint64_t row)
{
    return column->ids[row] ? su_dict_get(column->texts, column->ids[row]) : (su_str) { "", 0 };
}

static size_t value_size(const su_layout_field *field, const su_case_column *column, uint64_t row)
{
    switch (field->kind) {
    case SU_STORE_CODE:
        return 2;
    case SU_STORE_SET:
        return 8 * (size_t)su_store_words(field->code_count) + 2;
    case SU_STORE_TEXT:
        break;
    }
    return 4 + text_of(column, row).n;
}

static bool cell_fits(su_cell cell, uint32_t code_count) { return cell <= code_count || cell >= SU_CELL_FIRST_REASON; }

/* Bits that stand for no code. */
static bool set_fits(uint64_t last_word, uint32_t code_count)
{
    return (code_count && code_count % 64 == 0) || last_word >> code_count % 64 == 0;
}

static uint8_t *put_u16(uint8_t *p, uint16_t v)
{
    p[0] = (uint8_t)v;
    p[1] = (uint8_t)(v >> 8);
    return p + 2;
}

static uint8_t *put_text(uint8_t *p, su_str text)
{
    su_put_u32(p, (uint32_t)text.n);
    if (text.n) memcpy(p + 4, text.p, text.n);
    return p + 4 + text.n;
}

/* NULL when a cell is outside its codelist. */
static uint8_t *put_value(uint8_t *p, const su_layout_field *field, const su_case_column *column, uint64_t row)
{
    switch (field->kind) {
    case SU_STORE_CODE:
        return cell_fits(column->codes[row], field->code_count) ? put_u16(p, column->codes[row]) : NULL;
    case SU_STORE_SET: {
        uint32_t words = su_store_words(field->code_count);
        const uint64_t *set = column->sets + row * column->words;
        if (words != column->words || !set_fits(set[words - 1], field->code_count)) return NULL;
        for (uint32_t w = 0; w < words; w++, p += 8) su_put_u64(p, set[w]);
        return put_u16(p, column->set_reason[row]);
    }
    case SU_STORE_TEXT:
        break;
    }
    return put_text(p, text_of(column, row));
}

su_status su_record_encode(su_context *ctx, const su_case_table *t, const su_layout *layout, const uint32_t *columns, uint64_t row,
                           su_scratch *out)
{
    su_str id = su_dict_get(t->records, t->record_ids[row]);
    size_t n = 1 + 4 + id.n;
    for (uint32_t f = 0; f < layout->field_count && n < SU_RECORD_MAX; f++)
        n += value_size(&layout->fields[f], &t->columns[columns[f]], row);
    if (n >= SU_RECORD_MAX)
        return su_fail(ctx, SU_INPUT,
                       "row %llu: one record holds more than %d MiB of text. Shorten it or leave free text out of the "
                       "mapping.",
                       (unsigned long long)row + 1, SU_RECORD_MAX >> 20);
    size_t padded = su_record_padded(n + 1);
    su_scratch_need(out, padded);
    uint8_t *p = out->p;
    *p++ = VERSION;
    p = put_text(p, id);
    for (uint32_t f = 0; f < layout->field_count; f++) {
        p = put_value(p, &layout->fields[f], &t->columns[columns[f]], row);
        if (!p)
            return su_fail(ctx, SU_INTERNAL, "row %llu, column %s: the cell is outside its codelist. Please report this.",
                           (unsigned long long)row + 1, layout->fields[f].name);
    }
    *p++ = PAD_MARK;
    memset(p, 0, (size_t)(out->p + padded - p));
    out->n = padded;
    return SU_OK;
}

bool su_record_decode(const su_layout *layout, const uint8_t *p, size_t n, su_str *id, su_record_value *values, bool *newer)
{
    reader r = { p, n, false };
    *newer = false;
    if (take_u8(&r) != VERSION) {
        *newer = n > 0 && p[0] > VERSION;
        return false;
    }
    *id = take_text(&r);
    for (uint32_t f = 0; f < layout->field_count && !r.bad; f++) {
        const su_layout_field *field = &layout->fields[f];
        uint32_t words = su_store_words(field->code_count);
        values[f] = (su_record_value) { 0 };
        switch (field->kind) {
        case SU_STORE_CODE:
            values[f].cell = take_u16(&r);
            if (!cell_fits(values[f].cell, field->code_count)) return false;
            break;
        case SU_STORE_SET:
            values[f].set = take(&r, 8 * (size_t)words);
            values[f].cell = take_u16(&r);
            if (r.bad || !set_fits(su_get_u64(values[f].set + 8 * (size_t)(words - 1)), field->code_count)) return false;
            if (values[f].cell != 0 && values[f].cell < SU_CELL_FIRST_REASON) return false;
            break;
        case SU_STORE_TEXT:
            values[f].text = take_text(&r);
            break;
        }
    }
    if (r.bad || take_u8(&r) != PAD_MARK || r.bad) return false;
    for (size_t i = 0; i < r.left; i++)
        if (r.p[i]) return false;
    return true;
}
