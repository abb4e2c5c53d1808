#include "view.h"

#include <stdlib.h>
#include <string.h>

static void set_item(source_view *v, uint32_t i, su_str text)
{
    v->items[i].raw = text;
    v->items[i].text = su_str_trim(text);
    v->items[i].key = su_text_fold(&v->arena, text);
}

/* 3/4/2019: the column decides. Day first, unless something in it can only be month first and nothing can only be day first. */
static date_order order_of(const source_view *v)
{
    bool day_first = false, month_first = false;
    for (uint32_t i = 0; i < v->item_count; i++) {
        int hint = date_order_hint(v->items[i].text);
        day_first |= hint > 0;
        month_first |= hint < 0;
    }
    return month_first && !day_first ? DATE_MONTH_FIRST : DATE_DAY_FIRST;
}

static size_t utf8_length(unsigned char first) { return first < 0x80 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4; }

/* Length of the separator that starts at p, 0 if none does. */
static size_t separator_at(su_str separators, const char *p, size_t n)
{
    for (size_t i = 0; i < separators.n;) {
        size_t length = utf8_length((unsigned char)separators.p[i]);
        if (i + length > separators.n) length = separators.n - i;
        if (length <= n && memcmp(separators.p + i, p, length) == 0) return length;
        i += length;
    }
    return 0;
}

/* A cell that the mapping or a field's missingValues name as a whole is not cut: "N/A" stays itself when "/" separates. */
static bool stays_whole(const su_mapping *m, const map_source *source, const lookup *lookups, cell_text cell)
{
    if (map_is_dropped(source, cell.key)) return true;
    for (size_t i = 0; i < m->pair_count; i++) {
        const map_pair *pair = &m->pairs[i];
        su_cell reason = 0;
        if (&m->sources[pair->source] != source) continue;
        if (su_dict_find(pair->keys, cell.key, NULL)) return true;
        if (lookup_missing(&lookups[pair->field], cell, &reason) != LOOKED_NOTHING) return true;
    }
    return false;
}

typedef struct splitter {
    su_dict *members; /* trimmed member texts */
    uint32_t *item_of;
    size_t used, capacity;
} splitter;

static void add_member(splitter *s, su_str text)
{
    text = su_str_trim(text);
    if (text.n == 0) return;
    s->item_of = su_grow(s->item_of, &s->capacity, s->used + 1, sizeof *s->item_of);
    s->item_of[s->used++] = su_dict_add(s->members, text);
}

static void cut(splitter *s, su_str separators, su_str text)
{
    size_t start = 0;
    for (size_t i = 0; i < text.n;) {
        size_t length = separator_at(separators, text.p + i, text.n - i);
        if (length > 0) {
            add_member(s, (su_str) { text.p + start, i - start });
            start = i + length;
        }
        i += length > 0 ? length : 1;
    }
    add_member(s, (su_str) { text.p + start, text.n - start });
}

/* Cells so far stand in items; afterwards items are the distinct members. */
static void split_cells(source_view *v, const su_mapping *m)
{
    splitter s = { .members = su_dict_new() };
    const cell_text *cells = v->items;
    lookup *lookups = su_alloc_array(m->schema->field_count, sizeof *lookups);
    for (size_t i = 0; i < m->pair_count; i++) {
        const map_pair *pair = &m->pairs[i];
        if (&m->sources[pair->source] == v->source && lookups[pair->field].field == NULL)
            lookup_init(&lookups[pair->field], m->schema, &m->schema->fields[pair->field]);
    }
    v->first_item = su_arena_array(&v->arena, (size_t)v->cell_count + 1, sizeof *v->first_item);
    v->empty_reason = su_arena_array(&v->arena, v->cell_count, sizeof *v->empty_reason);
    for (uint32_t c = 0; c < v->cell_count; c++) {
        v->first_item[c] = (uint32_t)s.used;
        if (cells[c].key.n > 0 && stays_whole(m, v->source, lookups, cells[c]))
            add_member(&s, cells[c].text);
        else
            cut(&s, v->source->separators, cells[c].text);
    }
    v->first_item[v->cell_count] = (uint32_t)s.used;
    v->item_of = su_arena_array(&v->arena, s.used, sizeof *v->item_of);
    if (s.used > 0) memcpy(v->item_of, s.item_of, s.used * sizeof *v->item_of);
    v->item_count = su_dict_count(s.members);
    v->items = su_arena_array(&v->arena, v->item_count, sizeof *v->items);
    for (uint32_t i = 0; i < v->item_count; i++) {
        su_str text = su_dict_get(s.members, i);
        set_item(v, i, (su_str) { su_arena_strndup(&v->arena, text.p, text.n), text.n });
    }
    for (uint32_t f = 0; f < m->schema->field_count; f++)
        if (lookups[f].field != NULL) lookup_free(&lookups[f]);
    free(lookups);
    free(s.item_of);
    su_dict_free(s.members);
}

static void view_texts(source_view *v, const su_mapping *m, const su_dict *texts)
{
    v->cell_count = v->item_count = su_dict_count(texts);
    v->items = su_arena_array(&v->arena, v->item_count, sizeof *v->items);
    for (uint32_t i = 0; i < v->item_count; i++) set_item(v, i, su_dict_get(texts, i));
    v->order = order_of(v);
    if (v->source->separators.n > 0) split_cells(v, m);
    v->state = su_arena_alloc(&v->arena, v->item_count);
}

void view_of_column(source_view *v, const su_mapping *m, const map_source *source, const su_raw_column *column)
{
    *v = (source_view) { .source = source, .column = column };
    su_arena_init(&v->arena);
    view_texts(v, m, column->values);
}

/* Reasons get cells of their own behind the codes. */
static void view_codes(source_view *v, const su_field *f, const su_case_column *column, uint64_t rows)
{
    enum { REASONS = 0x10000 - SU_CELL_FIRST_REASON };
    uint32_t codes = f->codelist->count;
    v->cell_count = v->item_count = codes + 1 + REASONS;
    v->items = su_arena_array(&v->arena, v->item_count, sizeof *v->items);
    v->item_reason = su_arena_array(&v->arena, v->item_count, sizeof *v->item_reason);
    for (uint32_t i = 0; i < v->item_count; i++)
        set_item(v, i, i > 0 && i <= codes ? su_str_of(f->codelist->codes[i - 1].code) : (su_str) { "", 0 });
    for (uint32_t i = 0; i < REASONS; i++) v->item_reason[codes + 1 + i] = (su_cell)(SU_CELL_FIRST_REASON + i);
    v->owned_ids = su_alloc_array(rows, sizeof *v->owned_ids);
    for (uint64_t r = 0; r < rows; r++) {
        su_cell c = su_case_cell(column, r);
        v->owned_ids[r] = c < SU_CELL_FIRST_REASON ? c : codes + 1 + (uint32_t)(c - SU_CELL_FIRST_REASON);
    }
}

static void view_sets(source_view *v, const su_field *f, const su_case_column *column, uint64_t rows)
{
    size_t bytes = column->words * sizeof *column->sets + sizeof(su_cell), used = 0, capacity = 0;
    char *key = su_alloc(bytes);
    su_dict *sets = su_dict_new();
    uint32_t *members = NULL;
    v->owned_ids = su_alloc_array(rows, sizeof *v->owned_ids);
    for (uint64_t r = 0; r < rows; r++) {
        memcpy(key, column->sets + r * column->words, bytes - sizeof(su_cell));
        memcpy(key + bytes - sizeof(su_cell), &column->set_reason[r], sizeof(su_cell));
        v->owned_ids[r] = su_dict_add(sets, (su_str) { key, bytes });
    }
    v->cell_count = su_dict_count(sets);
    v->item_count = f->codelist->count;
    v->items = su_arena_array(&v->arena, v->item_count, sizeof *v->items);
    for (uint32_t i = 0; i < v->item_count; i++) set_item(v, i, su_str_of(f->codelist->codes[i].code));
    v->first_item = su_arena_array(&v->arena, (size_t)v->cell_count + 1, sizeof *v->first_item);
    v->empty_reason = su_arena_array(&v->arena, v->cell_count, sizeof *v->empty_reason);
    for (uint32_t c = 0; c < v->cell_count; c++) {
        const char *set = su_dict_get(sets, c).p;
        v->first_item[c] = (uint32_t)used;
        memcpy(&v->empty_reason[c], set + bytes - sizeof(su_cell), sizeof(su_cell));
        for (uint32_t i = 0; i < v->item_count; i++) {
            uint64_t word = 0;
            memcpy(&word, set + i / 64 * sizeof word, sizeof word);
            if ((word >> (i % 64) & 1) == 0) continue;
            members = su_grow(members, &capacity, used + 1, sizeof *members);
            members[used++] = i;
        }
    }
    v->first_item[v->cell_count] = (uint32_t)used;
    v->item_of = su_arena_array(&v->arena, used, sizeof *v->item_of);
    if (used > 0) memcpy(v->item_of, members, used * sizeof *members);
    free(members);
    su_dict_free(sets);
    free(key);
}

void view_of_field(source_view *v, const su_mapping *m, const map_source *source, const su_case_table *t)
{
    const su_field *f = &m->schema->fields[source->chained];
    const su_case_column *column = &t->columns[source->chained];
    *v = (source_view) { .source = source };
    su_arena_init(&v->arena);
    if (type_is_text(f->type)) {
        v->ids = column->ids;
        view_texts(v, m, column->texts);
        return;
    }
    if (f->type == SU_TYPE_CODE_SET)
        view_sets(v, f, column, t->row_count);
    else
        view_codes(v, f, column, t->row_count);
    v->ids = v->owned_ids;
    v->state = su_arena_alloc(&v->arena, v->item_count);
}

void view_free(source_view *v)
{
    free(v->owned_ids);
    v->owned_ids = NULL;
    su_arena_free(&v->arena);
}
