#include "evaluate.h"

#include <stdlib.h>
#include <string.h>

typedef enum given { GIVES_NOTHING, GIVES_VALUE, GIVES_REASON, GIVES_FAILURE } given;

/* What one item gives one field. */
typedef struct item_result {
    given kind;
    su_cell cell;  /* value number or reason */
    uint32_t text; /* id of the text in the field's texts */
    uint32_t row;  /* listed row with further members (code sets), UINT32_MAX = none */
} item_result;

/* One pair's answers, per cell of its source: for coded fields v is a su_cell, for texts an id, for code sets the reason beside bits. */
typedef struct answers {
    uint32_t *v;
    uint64_t *bits;
    uint32_t words;
} answers;

typedef struct pair_work {
    evaluation *e;
    const map_pair *pair;
    const su_field *field;
    source_view *view;
    lookup look;
    su_dict *texts;
    su_buf scratch;
} pair_work;

static item_result from_row(pair_work *w, uint32_t index)
{
    const map_row *row = &w->e->mapping->rows[index];
    item_result r = { .kind = GIVES_REASON, .cell = row->cell, .row = UINT32_MAX };
    if (type_is_text(w->field->type)) {
        if (row->text.n > 0) {
            r.kind = GIVES_VALUE;
            r.text = su_dict_add(w->texts, row->text);
        }
    } else if (su_cell_is_value(row->cell)) {
        r.kind = GIVES_VALUE;
        r.row = row->next;
    }
    /* Coverage none and nothing to hold it: known to be lost, and so it stays in the list of unmapped values. */
    bool empty = r.kind == GIVES_REASON && r.cell == SU_CELL_NOT_RECORDED;
    if (empty && row->coverage == COVERAGE_NONE && row->key.n > 0) r.kind = GIVES_NOTHING;
    return r;
}

static bool listed_row(const pair_work *w, cell_text item, uint32_t *index)
{
    char buf[32];
    su_str whole;
    uint32_t id = 0;
    bool found =
        su_dict_find(w->pair->keys, item.key, &id) || (integer_form(item.text, buf, &whole) && su_dict_find(w->pair->keys, whole, &id));
    if (found) *index = w->pair->key_row[id];
    return found;
}

static bool is_dropped(const pair_work *w, cell_text item)
{
    char buf[32];
    su_str whole;
    const map_source *s = &w->e->mapping->sources[w->pair->source];
    return map_is_dropped(s, item.key) || (s->dropped != NULL && integer_form(item.text, buf, &whole) && map_is_dropped(s, whole));
}

static looked look_up(pair_work *w, cell_text item, item_result *r)
{
    date_order order = w->view->order;
    if (type_is_text(w->field->type)) {
        if (w->pair->base == RULE_NONE) return lookup_missing(&w->look, item, &r->cell);
        w->scratch.n = 0;
        looked found = lookup_text(&w->look, item, order, &w->scratch, &r->cell);
        if (found == LOOKED_VALUE) r->text = su_dict_add(w->texts, (su_str) { w->scratch.p, w->scratch.n });
        return found;
    }
    switch (w->pair->base) {
    case RULE_BAND:
        return lookup_band(&w->look, item, &r->cell);
    case RULE_YEAR:
        return lookup_year(&w->look, item, order, &r->cell);
    case RULE_RENAME:
    case RULE_COALESCE:
        return lookup_code(&w->look, item, &r->cell);
    default:
        break;
    }
    if (!w->pair->has_or) return lookup_missing(&w->look, item, &r->cell);
    bool set = w->field->type == SU_TYPE_CODE_SET;
    looked found = set ? lookup_yes(&w->look, item, &r->cell) : lookup_code(&w->look, item, &r->cell);
    bool yes = found == LOOKED_VALUE && (set || r->cell != w->field->negative);
    if (yes && w->pair->base == RULE_NONE) return LOOKED_NOTHING; /* only the listed values are a yes */
    if (yes && set) r->cell = w->e->mapping->rows[w->pair->base_row].cell;
    return found;
}

static item_result evaluate_item(pair_work *w, uint32_t i)
{
    cell_text item = w->view->items[i];
    item_result r = { .row = UINT32_MAX };
    uint32_t row = 0;
    uint8_t state = 0;
    if (w->view->item_reason != NULL && w->view->item_reason[i] != 0) {
        r.kind = GIVES_REASON;
        r.cell = w->view->item_reason[i];
        state = ITEM_MISSING;
    } else if (listed_row(w, item, &row)) {
        r = from_row(w, row);
        bool stated = r.kind == GIVES_REASON && r.cell == SU_CELL_NOT_RECORDED;
        state = r.kind == GIVES_VALUE ? ITEM_VALUE : r.kind == GIVES_NOTHING ? 0 : stated ? ITEM_STATED : ITEM_MISSING;
    } else if (is_dropped(w, item)) {
        r.kind = GIVES_REASON;
        state = ITEM_STATED;
    } else {
        looked found = look_up(w, item, &r);
        if (found == LOOKED_NOTHING && w->pair->wildcard != UINT32_MAX) {
            r = from_row(w, w->pair->wildcard);
            state = r.kind == GIVES_VALUE ? ITEM_VALUE : r.kind == GIVES_NOTHING ? 0 : ITEM_STATED;
        } else if (found == LOOKED_NOTHING) {
            r.kind = w->pair->base == RULE_NONE ? GIVES_NOTHING : GIVES_FAILURE;
            state = r.kind == GIVES_FAILURE ? ITEM_FAILED : 0;
        } else {
            r.kind = found == LOOKED_VALUE ? GIVES_VALUE : GIVES_REASON;
            state = found == LOOKED_VALUE || r.cell == SU_CELL_NEGATIVE ? ITEM_VALUE : ITEM_MISSING;
        }
    }
    w->view->state[i] |= state;
    return r;
}

static bool is_no(const su_field *f, su_cell c) { return c == SU_CELL_NEGATIVE || (f->negative != 0 && c == f->negative); }

/* Yes before no before a reason before nothing: 0 nothing or not recorded, 1 reason, 2 no, 3 yes. */
static int rank_of(const su_field *f, su_cell c)
{
    if (c == SU_CELL_NOT_RECORDED) return 0;
    if (is_no(f, c)) return 2;
    return su_cell_is_value(c) ? 3 : 1;
}

static void add_to_set(const pair_work *w, const item_result *r, uint64_t *bits)
{
    su_cell value = r->cell;
    for (uint32_t row = r->row;; row = w->e->mapping->rows[row].next) {
        bits[(value - 1) / 64] |= (uint64_t)1 << ((value - 1) % 64);
        if (row == UINT32_MAX) return;
        value = w->e->mapping->rows[row].cell;
    }
}

static void answer_cell(const pair_work *w, const item_result *results, uint32_t cell, answers *a)
{
    const source_view *v = w->view;
    uint32_t from = v->first_item == NULL ? cell : v->first_item[cell], to = v->first_item == NULL ? cell + 1 : v->first_item[cell + 1];
    uint64_t *bits = a->bits == NULL ? NULL : a->bits + (size_t)cell * a->words;
    if (from == to) a->v[cell] = v->empty_reason[cell];
    for (uint32_t k = from; k < to; k++) {
        const item_result *r = &results[v->item_of == NULL ? k : v->item_of[k]];
        if (r->kind != GIVES_VALUE && r->kind != GIVES_REASON) continue;
        if (type_is_text(w->field->type)) {
            a->v[cell] = r->text;
        } else if (bits == NULL) {
            if (rank_of(w->field, r->cell) > rank_of(w->field, (su_cell)a->v[cell])) a->v[cell] = r->cell;
        } else if (r->kind == GIVES_VALUE) {
            add_to_set(w, r, bits);
        } else if (a->v[cell] == 0) {
            a->v[cell] = r->cell;
        }
    }
}

static bool any_bit(const uint64_t *bits, uint32_t words)
{
    for (uint32_t i = 0; i < words; i++)
        if (bits[i] != 0) return true;
    return false;
}

static answers answer_pair(evaluation *e, const map_pair *pair)
{
    const su_field *f = &e->mapping->schema->fields[pair->field];
    pair_work w = { .e = e, .pair = pair, .field = f, .view = &e->views[pair->source], .texts = e->table->columns[pair->field].texts };
    answers a = { .words = e->table->columns[pair->field].words };
    lookup_init(&w.look, e->mapping->schema, f);
    item_result *results = su_alloc_array(w.view->item_count, sizeof *results);
    for (uint32_t i = 0; i < w.view->item_count; i++) results[i] = evaluate_item(&w, i);
    a.v = su_alloc_array(w.view->cell_count, sizeof *a.v);
    if (f->type == SU_TYPE_CODE_SET) a.bits = su_alloc_array((size_t)w.view->cell_count * a.words, sizeof *a.bits);
    for (uint32_t c = 0; c < w.view->cell_count; c++) {
        answer_cell(&w, results, c, &a);
        if (a.bits != NULL && any_bit(a.bits + (size_t)c * a.words, a.words)) a.v[c] = 0;
    }
    if (w.scratch.p != NULL) su_wipe(w.scratch.p, w.scratch.n);
    su_buf_free(&w.scratch);
    free(results);
    lookup_free(&w.look);
    return a;
}

static void free_answers(answers *a)
{
    free(a->v);
    free(a->bits);
}

/* Without the policy a no says nothing when nobody says yes. */
static void forget_no(const su_field *f, answers *a, uint32_t cells)
{
    for (uint32_t c = 0; c < cells; c++)
        if (is_no(f, (su_cell)a->v[c])) a->v[c] = SU_CELL_NOT_RECORDED;
}

/* Rows from..from+n-1 of a column, and their cells. */
typedef struct row_block {
    uint64_t from, n;
    const uint32_t *cell;
} row_block;

static void join_flags(const su_field *f, const answers *a, const row_block *b, su_case_column *column)
{
    for (uint64_t i = 0; i < b->n; i++) {
        su_cell more = (su_cell)a->v[b->cell[i]];
        if (more != 0 && rank_of(f, more) > rank_of(f, su_case_cell(column, b->from + i))) su_case_put(column, b->from + i, more);
    }
}

/* A known no is an answer, whether or not the codelist can print it. */
static bool is_answer(su_cell c) { return su_cell_is_value(c) || c == SU_CELL_NEGATIVE; }

static void first_code(const answers *a, const row_block *b, su_case_column *column)
{
    for (uint64_t i = 0; i < b->n; i++) {
        su_cell more = (su_cell)a->v[b->cell[i]], have = su_case_cell(column, b->from + i);
        if (!is_answer(have) && (is_answer(more) || have == SU_CELL_NOT_RECORDED)) su_case_put(column, b->from + i, more);
    }
}

static void join_sets(const answers *a, const row_block *b, su_case_column *column, bool first_only)
{
    for (uint64_t i = 0; i < b->n; i++) {
        uint64_t r = b->from + i;
        uint64_t *set = column->sets + r * a->words;
        const uint64_t *more = a->bits + (size_t)b->cell[i] * a->words;
        bool had = any_bit(set, a->words);
        if (!(had && first_only))
            for (uint32_t k = 0; k < a->words; k++) set[k] |= more[k];
        if (had || any_bit(more, a->words))
            column->set_reason[r] = 0;
        else if (column->set_reason[r] == 0)
            column->set_reason[r] = (su_cell)a->v[b->cell[i]];
    }
}

static void first_text(const answers *a, const row_block *b, uint32_t *texts)
{
    for (uint64_t i = 0; i < b->n; i++)
        if (texts[b->from + i] == 0) texts[b->from + i] = a->v[b->cell[i]];
}

static void fill_constant(evaluation *e, uint32_t field)
{
    const map_row *row = &e->mapping->rows[e->mapping->targets[field].constant];
    su_case_column *column = &e->table->columns[field];
    uint64_t rows = e->table->row_count;
    uint32_t text = column->texts == NULL ? 0 : su_dict_add(column->texts, row->text);
    for (uint64_t r = 0; r < rows; r++) {
        if (column->ids != NULL)
            column->ids[r] = text;
        else if (column->sets == NULL)
            su_case_put(column, r, row->cell);
        if (column->sets == NULL) continue;
        if (su_cell_is_value(row->cell))
            column->sets[r * column->words + (row->cell - 1u) / 64] |= (uint64_t)1 << ((row->cell - 1u) % 64);
        else
            column->set_reason[r] = row->cell;
    }
}

static void need_view(evaluation *e, uint32_t source)
{
    source_view *v = &e->views[source];
    const map_source *s = &e->mapping->sources[source];
    if (v->source != NULL) return;
    if (s->chained >= 0)
        view_of_field(v, e->mapping, s, e->table);
    else
        view_of_column(v, e->mapping, s, &e->raw->columns[e->columns[source]]);
}

static void fill_rows(const map_target *t, const su_field *f, const answers *a, const source_view *v, uint64_t rows, su_case_column *column)
{
    uint32_t room[ID_BLOCK];
    row_block b = { .from = 0 };
    for (; b.from < rows; b.from += b.n) {
        b.n = rows - b.from < ID_BLOCK ? rows - b.from : ID_BLOCK;
        b.cell = view_cells(v, b.from, b.n, room);
        if (a->bits != NULL)
            join_sets(a, &b, column, t->mode == MODE_COALESCE);
        else if (column->ids != NULL)
            first_text(a, &b, column->ids);
        else if (t->mode == MODE_OR)
            join_flags(f, a, &b, column);
        else
            first_code(a, &b, column);
    }
}

static void fill_field(evaluation *e, uint32_t field)
{
    const map_target *t = &e->mapping->targets[field];
    const su_field *f = &e->mapping->schema->fields[field];
    su_case_column *column = &e->table->columns[field];
    su_case_table_provide(e->table, field);
    if (t->mode == MODE_CONSTANT) {
        fill_constant(e, field);
        return;
    }
    for (size_t i = 0; i < t->pair_count; i++) {
        const map_pair *pair = &e->mapping->pairs[t->pairs[i]];
        need_view(e, pair->source);
        source_view *v = &e->views[pair->source];
        answers a = answer_pair(e, pair);
        if (t->mode == MODE_OR && !t->known_negative) forget_no(f, &a, v->cell_count);
        fill_rows(t, f, &a, v, e->table->row_count, column);
        free_answers(&a);
    }
}

/* Per raw column how many fields are filled when it was read for the last time. */
static uint32_t *last_uses(const evaluation *e)
{
    const su_mapping *m = e->mapping;
    uint32_t *last = su_alloc_array(e->raw->column_count, sizeof *last);
    for (uint32_t i = 0; i < m->order_count; i++) {
        const map_target *t = &m->targets[m->order[i]];
        for (size_t k = 0; k < t->pair_count; k++) {
            int column = e->columns[m->pairs[t->pairs[k]].source];
            if (column >= 0) last[column] = i + 1;
        }
    }
    return last;
}

static void let_go(evaluation *e, const uint32_t *last, uint32_t filled)
{
    if (e->emptied == NULL) return;
    for (uint32_t c = 0; c < e->raw->column_count; c++)
        if (last[c] == filled && !e->kept[c]) su_raw_column_drop(&e->emptied->columns[c], e->raw->row_count);
}

su_status evaluate(evaluation *e)
{
    const su_mapping *m = e->mapping;
    su_status st = SU_OK;
    uint32_t *last = last_uses(e);
    let_go(e, last, 0);
    for (uint32_t i = 0; i < m->order_count && st == SU_OK; i++) {
        if (su_cancelled(e->ctx)) st = su_fail(e->ctx, SU_CANCELLED, "cancelled while harmonising %s", e->raw->source);
        su_progress(e->ctx, "harmonise", (double)i / (double)m->order_count);
        if (st == SU_OK) fill_field(e, m->order[i]);
        let_go(e, last, i + 1);
    }
    if (st == SU_OK) su_progress(e->ctx, "harmonise", 1);
    free(last);
    return st;
}
