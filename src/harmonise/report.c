#include "report.h"

#include <stdlib.h>
#include <string.h>

#define MAX_SUGGESTIONS 200u

su_harmonise_report *report_new(const su_raw_table *raw, const su_schema *schema)
{
    su_harmonise_report *r = su_alloc(sizeof *r);
    su_arena_init(&r->arena);
    const char *source = raw->source == NULL ? "" : raw->source, *encoding = raw->encoding == NULL ? "" : raw->encoding;
    r->source = su_arena_strndup(&r->arena, source, strlen(source));
    r->sheet = raw->sheet == NULL ? NULL : su_arena_strndup(&r->arena, raw->sheet, strlen(raw->sheet));
    r->encoding = su_arena_strndup(&r->arena, encoding, strlen(encoding));
    r->schema = su_arena_strndup(&r->arena, schema->name, strlen(schema->name));
    r->margins = "";
    r->rows_in = raw->row_count;
    return r;
}

void su_harmonise_report_free(su_harmonise_report *r)
{
    if (r == NULL) return;
    su_arena_free(&r->arena);
    free(r);
}

void report_reject(su_harmonise_report *r, uint32_t line, const char *column, su_str value, const char *reason)
{
    if (r->reject_count == MAX_REJECTS) return;
    if (r->rejects == NULL) r->rejects = su_arena_array(&r->arena, MAX_REJECTS, sizeof *r->rejects);
    r->rejects[r->reject_count++] = (su_reject) {
        .line = line,
        .column = column == NULL ? "" : su_arena_strndup(&r->arena, column, strlen(column)),
        .value = su_arena_strndup(&r->arena, value.p, value.n),
        .reason = su_arena_strndup(&r->arena, reason, strlen(reason)),
    };
}

bool report_hides(const su_mapping *m, size_t source)
{
    if (source >= m->source_count || (int)source == m->record) return true;
    for (size_t i = 0; i < m->pair_count; i++) {
        const su_field *f = &m->schema->fields[m->pairs[i].field];
        if (m->pairs[i].source == source && (f->role == SU_ROLE_IDENTIFIER || f->type == SU_TYPE_TEXT)) return true;
    }
    return false;
}

static const char *targets_of(su_harmonise_report *r, const su_mapping *m, size_t source)
{
    su_buf names = { 0 };
    for (size_t i = 0; i < m->pair_count; i++) {
        if (m->pairs[i].source != source) continue;
        if (names.n > 0) su_buf_text(&names, ", ");
        su_buf_text(&names, m->schema->fields[m->pairs[i].field].name);
    }
    const char *kept = names.n == 0 ? "" : su_arena_strndup(&r->arena, names.p, names.n);
    su_buf_free(&names);
    return kept;
}

static const char *coverage_of(const su_mapping *m, size_t source)
{
    if (source == SIZE_MAX) return "unmapped";
    const map_source *s = &m->sources[source];
    if ((int)source == m->record) return "record";
    if ((int)source == m->weight) return "weight";
    if (s->drop_line != 0) return "dropped";
    return s->use_line == 0 ? "unmapped" : map_coverage_name(s->coverage);
}

static void cell_items(const source_view *v, uint32_t cell, uint32_t *from, uint32_t *to)
{
    *from = v->first_item == NULL ? cell : v->first_item[cell];
    *to = v->first_item == NULL ? cell + 1 : v->first_item[cell + 1];
}

static void count_cell(const source_view *v, uint32_t cell, uint64_t rows, uint64_t *item_rows, su_column_report *out)
{
    uint32_t from = 0, to = 0;
    bool filled = false, unmapped = false, mapped = false;
    cell_items(v, cell, &from, &to);
    for (uint32_t k = from; k < to; k++) {
        uint32_t i = v->item_of == NULL ? k : v->item_of[k];
        if (v->items[i].key.n == 0) continue;
        filled = true;
        unmapped |= item_is_unmapped(v->state[i]);
        mapped |= (v->state[i] & (ITEM_VALUE | ITEM_STATED)) != 0;
        item_rows[i] += rows;
    }
    if (filled) out->rows_filled += rows;
    if (unmapped)
        out->rows_unmapped += rows;
    else if (mapped)
        out->rows_mapped += rows;
    else
        out->rows_missing += rows;
}

typedef struct ranked {
    uint32_t item;
    uint64_t rows;
    su_str text;
} ranked;

static int compare_ranked(const void *a, const void *b)
{
    const ranked *x = a, *y = b;
    if (x->rows != y->rows) return x->rows < y->rows ? 1 : -1;
    size_t n = x->text.n < y->text.n ? x->text.n : y->text.n;
    int order = n > 0 ? memcmp(x->text.p, y->text.p, n) : 0;
    return order != 0 ? order : (x->text.n > y->text.n) - (x->text.n < y->text.n);
}

/* Closest of the values that the mapping lists for a pair; none where two are equally close. */
static const char *suggest_listed(su_harmonise_report *r, const su_mapping *m, const map_pair *pair, su_str key)
{
    size_t best = key.n / 4 + 1 < 4 ? key.n / 4 + 1 : 4;
    const map_row *found = NULL;
    bool tied = false;
    for (size_t i = 0; i < pair->row_count; i++) {
        const map_row *row = &m->rows[pair->rows[i]];
        size_t d = su_text_distance(key, row->key, best + 1);
        if (d == 0 || d > best || (found == NULL && d == best)) continue;
        tied = d == best && !su_str_equal(found->key, row->key);
        best = d;
        found = row;
    }
    return found == NULL || tied ? NULL : su_arena_strndup(&r->arena, found->value.p, found->value.n);
}

static const char *suggestion_for(su_harmonise_report *r, const su_mapping *m, size_t source, cell_text cell)
{
    for (size_t i = 0; i < m->pair_count; i++) {
        const map_pair *pair = &m->pairs[i];
        const su_field *f = &m->schema->fields[pair->field];
        if (pair->source != source) continue;
        const char *found = pair->row_count > 0 ? suggest_listed(r, m, pair, cell.key) : NULL;
        if (found != NULL) return found;
        const su_code *code =
            f->codelist == NULL || pair->base == RULE_NONE || pair->base == RULE_OR ? NULL : su_codelist_suggest(f->codelist, cell.text);
        if (code != NULL) return su_arena_strndup(&r->arena, code->code, strlen(code->code));
    }
    return NULL;
}

static void list_unmapped(su_harmonise_report *r, const su_mapping *m, const source_view *v, const uint64_t *item_rows, size_t source,
                          su_column_report *out)
{
    ranked *list = su_alloc_array(v->item_count, sizeof *list);
    size_t n = 0;
    for (uint32_t i = 0; i < v->item_count; i++)
        if (item_rows[i] > 0 && item_is_unmapped(v->state[i])) list[n++] = (ranked) { i, item_rows[i], v->items[i].text };
    qsort(list, n, sizeof *list, compare_ranked);
    out->unmapped = su_arena_array(&r->arena, n, sizeof *out->unmapped);
    out->unmapped_count = n;
    for (size_t k = 0; k < n; k++)
        out->unmapped[k] = (su_value_note) {
            .value = su_arena_strndup(&r->arena, list[k].text.p, list[k].text.n),
            .rows = list[k].rows,
            .suggestion = k < MAX_SUGGESTIONS ? suggestion_for(r, m, source, v->items[list[k].item]) : NULL,
        };
    free(list);
}

static bool counts(uint8_t state) { return state != ROW_MARGIN && state != ROW_BLANK; }

uint32_t **report_cell_rows(const su_raw_table *raw, const uint8_t *state)
{
    uint32_t **rows = su_alloc_array(raw->column_count, sizeof *rows);
    for (uint32_t c = 0; c < raw->column_count; c++) {
        rows[c] = su_alloc_array(su_dict_count(raw->columns[c].values), sizeof *rows[c]);
        for (uint64_t r = 0; r < raw->row_count; r++) rows[c][su_raw_id(&raw->columns[c], r)] += counts(state[r]);
    }
    return rows;
}

static void report_view(su_harmonise_report *r, const evaluation *e, const uint8_t *state, size_t source, su_column_report *out)
{
    const source_view *v = &e->views[source];
    bool chained = v->column == NULL;
    uint32_t *cells = chained ? su_alloc_array(v->cell_count, sizeof *cells) : e->cell_rows[e->columns[source]];
    for (uint64_t row = 0; chained && row < e->raw->row_count; row++) cells[v->ids[row]] += counts(state[row]);
    uint64_t *items = su_alloc_array(v->item_count, sizeof *items);
    for (uint32_t c = 0; c < v->cell_count; c++) {
        if (cells[c] == 0) continue;
        out->distinct++;
        count_cell(v, c, cells[c], items, out);
    }
    if (!report_hides(e->mapping, source)) list_unmapped(r, e->mapping, v, items, source, out);
    free(items);
    if (chained) free(cells);
}

/* A column that fills nothing: how much there would have been. */
static void report_plain(const evaluation *e, uint32_t column, bool understood, su_column_report *out)
{
    const su_raw_column *c = &e->raw->columns[column];
    uint32_t n = su_dict_count(c->values);
    const uint32_t *cells = e->cell_rows[column];
    for (uint32_t i = 0; i < n; i++) {
        bool empty = su_str_trim(su_dict_get(c->values, i)).n == 0;
        out->distinct += cells[i] > 0;
        *(empty ? &out->rows_missing : &out->rows_filled) += cells[i];
        if (!empty && understood) out->rows_mapped += cells[i];
    }
}

void report_columns(su_harmonise_report *r, const evaluation *e, const uint8_t *state)
{
    const su_mapping *m = e->mapping;
    size_t *source_of = su_alloc_array(e->raw->column_count, sizeof *source_of);
    size_t chained = 0;
    for (uint32_t c = 0; c < e->raw->column_count; c++) source_of[c] = SIZE_MAX;
    for (size_t s = 0; s < m->source_count; s++) {
        if (e->columns[s] >= 0) source_of[e->columns[s]] = s;
        chained += m->sources[s].chained >= 0;
    }
    r->columns = su_arena_array(&r->arena, e->raw->column_count + chained, sizeof *r->columns);
    for (uint32_t c = 0; c < e->raw->column_count; c++) {
        su_column_report *out = &r->columns[r->column_count++];
        size_t s = source_of[c];
        const char *name = e->raw->columns[c].name;
        out->source = su_arena_strndup(&r->arena, name, strlen(name));
        out->targets = s == SIZE_MAX ? "" : targets_of(r, m, s);
        out->coverage = coverage_of(m, s);
        if (s != SIZE_MAX && e->views[s].source != NULL)
            report_view(r, e, state, s, out);
        else
            report_plain(e, c, s != SIZE_MAX && ((int)s == m->record || (int)s == m->weight), out);
    }
    for (size_t s = 0; s < m->source_count; s++) {
        if (m->sources[s].chained < 0 || e->views[s].source == NULL) continue;
        su_column_report *out = &r->columns[r->column_count++];
        out->source = su_arena_printf(&r->arena, "@%s", m->schema->fields[m->sources[s].chained].name);
        out->targets = targets_of(r, m, s);
        out->coverage = coverage_of(m, s);
        report_view(r, e, state, s, out);
    }
    free(source_of);
}

static void count_field(const su_field *f, const su_case_column *c, uint64_t rows, su_field_report *out)
{
    for (uint64_t r = 0; r < rows; r++) {
        su_cell cell = 0;
        if (c->ids != NULL)
            cell = c->ids[r] != 0;
        else if (c->sets == NULL)
            cell = su_case_cell(c, r);
        if (c->sets != NULL) {
            cell = c->set_reason[r];
            for (uint32_t w = 0; w < c->words; w++)
                if (c->sets[r * c->words + w] != 0) cell = 1;
        }
        bool no = cell == SU_CELL_NEGATIVE || (c->ids == NULL && c->sets == NULL && f->negative != 0 && cell == f->negative);
        out->negative += no;
        out->values += !no && su_cell_is_value(cell);
        out->missing += !no && !su_cell_is_value(cell);
    }
}

void report_fields(su_harmonise_report *r, const su_case_table *t)
{
    const su_schema *s = t->schema;
    r->fields = su_arena_array(&r->arena, s->field_count, sizeof *r->fields);
    r->field_count = s->field_count;
    for (uint32_t f = 0; f < s->field_count; f++) {
        su_field_report *out = &r->fields[f];
        out->field = su_arena_strndup(&r->arena, s->fields[f].name, strlen(s->fields[f].name));
        out->provided = t->columns[f].provided;
        if (out->provided)
            count_field(&s->fields[f], &t->columns[f], t->row_count, out);
        else
            out->missing = t->row_count;
    }
}
