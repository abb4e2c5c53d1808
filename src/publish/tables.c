/* The data files: synthetic records, counts, codelists. */
#include "publication.h"

#include <suha/plant.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

static void cell(su_buf *b, const char *text) { su_buf_csv(b, su_str_of(text), ','); }

/* Cells come from the public lists, printed so that no spreadsheet runs them; prepared once per value, not once per row. */
typedef struct value_texts {
    const char **text;
    uint32_t count;
} value_texts;

static value_texts texts_of(const su_publication *p, uint32_t column)
{
    value_texts t = { .count = p->r->columns[column].card };
    t.text = su_arena_array(p->arena, (size_t)t.count + 1, sizeof *t.text);
    for (uint32_t v = 1; v < t.count; v++) t.text[v] = su_value_code(p, column, v);
    return t;
}

/* Absent sorts last: 0 - 1 wraps to the largest code. */
static int by_codes(const void *x, const void *y, void *arg)
{
    const su_release *r = arg;
    uint32_t a = *(const uint32_t *)x, b = *(const uint32_t *)y;
    for (uint32_t c = 0; c < r->column_count; c++) {
        uint16_t u = (uint16_t)(r->records[c][a] - 1), v = (uint16_t)(r->records[c][b] - 1);
        if (u != v) return u < v ? -1 : 1;
    }
    return 0;
}

static void put_set(const su_publication *p, const su_pub_field *f, const value_texts *texts, uint64_t row, su_buf *joined, su_buf *b)
{
    joined->n = 0;
    bool any = false;
    for (uint32_t v = 0; v < f->field->codelist->count; v++) {
        uint32_t c = f->members[v];
        if (c == SU_NO_COLUMN || p->r->records[c][row] == 0) continue;
        if (any) su_buf_char(joined, f->separator);
        su_buf_text(joined, texts[c].text[1]);
        any = true;
    }
    if (any)
        su_buf_csv(b, (su_str) { joined->p, joined->n }, ',');
    else
        cell(b, f->field->missing_print ? f->field->missing_print : "");
}

struct su_microdata {
    const su_publication *p;
    value_texts *texts;
    uint32_t *order;
};

su_microdata *su_microdata_new(const su_publication *p)
{
    const su_release *r = p->r;
    su_microdata *m = su_alloc(sizeof *m);
    m->p = p;
    m->texts = su_arena_array(p->arena, (size_t)r->column_count + 1, sizeof *m->texts);
    for (uint32_t c = 0; c < r->column_count; c++) m->texts[c] = texts_of(p, c);
    m->order = su_alloc_array(r->record_count ? r->record_count : 1, sizeof *m->order);
    for (uint64_t i = 0; i < r->record_count; i++) m->order[i] = (uint32_t)i;
    qsort_r(m->order, r->record_count, sizeof *m->order, by_codes, (void *)(uintptr_t)r);
    return m;
}

void su_microdata_free(su_microdata *m)
{
    if (m) free(m->order);
    free(m);
}

static void put_header(const su_publication *p, su_buf *b)
{
    for (size_t i = 0; i < p->field_count; i++) {
        const su_pub_field *f = &p->fields[i];
        bool shown = SU_PLANT(HEADER_FROM_DATA,
                              f->column == SU_NO_COLUMN || su_planted_largest(p->r->records[f->column], p->r->record_count), true);
        if (i) su_buf_char(b, ',');
        if (shown) cell(b, f->name);
    }
    su_buf_char(b, '\n');
}

static void put_record(const su_microdata *m, uint32_t row, su_buf *joined, su_buf *b)
{
    const su_publication *p = m->p;
    size_t row_start = b->n;
    for (size_t i = 0; i < p->field_count; i++) {
        const su_pub_field *f = &p->fields[i];
        if (i) su_buf_char(b, ',');
        if (!f->provided) continue;
        if (f->members) {
            put_set(p, f, m->texts, row, joined, b);
            continue;
        }
        uint16_t code = p->r->records[f->column][row];
        if (code && code < m->texts[f->column].count)
            cell(b, m->texts[f->column].text[code]);
        else
            cell(b, f->field->missing_print ? f->field->missing_print : "");
    }
    if (b->n == row_start) su_buf_text(b, "\"\""); /* one empty column: a bare line would be no row at all */
    su_buf_char(b, '\n');
}

bool su_microdata_pour(const su_microdata *m, su_pour_fn pour, void *arg)
{
    enum { PIECE = 1 << 20 };
    su_buf joined = { 0 }, b = { 0 };
    bool good = true;
    put_header(m->p, &b);
    for (uint64_t k = 0; good && k < m->p->r->record_count; k++) {
        put_record(m, m->order[k], &joined, &b);
        if (b.n < PIECE) continue;
        good = pour(arg, (su_str) { b.p, b.n });
        b.n = 0;
    }
    good = good && pour(arg, (su_str) { b.p, b.n });
    su_buf_free(&joined);
    su_buf_free(&b);
    return good;
}

static bool append(void *arg, su_str piece)
{
    su_buf_add(arg, piece.p, piece.n);
    return true;
}

void su_emit_microdata(const su_publication *p, su_buf *b)
{
    su_microdata *m = su_microdata_new(p);
    su_microdata_pour(m, append, b);
    su_microdata_free(m);
}

/* Ends of an interval are widened to one decimal, never narrowed. */
static void interval_end(su_buf *b, double x, bool low)
{
    if (!isfinite(x)) return;
    double tenth = low ? floor(x * 10) / 10 : ceil(x * 10) / 10;
    if (tenth == 0) tenth = 0; /* no "-0.0" */
    su_buf_printf(b, "%.1f", tenth);
}

void su_emit_aggregates(const su_publication *p, su_buf *b)
{
    const su_release *r = p->r;
    su_buf name = { 0 };
    su_buf_text(b, "combination,length,count,ci_low,ci_high\n");
    for (size_t i = 0; i < r->aggregate_count; i++) {
        const su_aggregate *g = &r->aggregates[i];
        name.n = 0;
        for (uint32_t k = 0; k < g->length; k++) {
            const su_matrix_column *c = &r->columns[g->at[k].column];
            if (k) su_buf_char(&name, ';');
            su_buf_escape(&name, su_printed(p->arena, p->schema->fields[c->field].name), ";=");
            su_buf_char(&name, '=');
            su_buf_escape(&name, su_value_code(p, g->at[k].column, g->at[k].value), ";=");
        }
        su_buf_csv_safe(b, (su_str) { name.p, name.n }, ',');
        su_buf_printf(b, ",%u,%llu,", g->length, (unsigned long long)g->count);
        interval_end(b, g->ci_low, true);
        su_buf_char(b, ',');
        interval_end(b, g->ci_high, false);
        su_buf_char(b, '\n');
    }
    su_buf_free(&name);
}

void su_emit_codelist(const su_publication *p, const su_codelist *list, su_buf *b)
{
    su_buf_text(b, "code,label_en,label_fr,label_es,label_ar,parent,min,max,note\n");
    for (uint32_t i = 0; i < list->count; i++) {
        const su_code *c = &list->codes[i];
        cell(b, su_printed(p->arena, c->code));
        for (int l = 0; l < SU_LANG_COUNT; l++) {
            su_buf_char(b, ',');
            su_buf_csv_safe(b, su_str_of(c->label[l]), ',');
        }
        su_buf_char(b, ',');
        su_buf_csv_safe(b, su_str_of(c->parent), ',');
        su_buf_char(b, ',');
        if (c->has_min) su_buf_printf(b, "%lld", (long long)c->min);
        su_buf_char(b, ',');
        if (c->has_max) su_buf_printf(b, "%lld", (long long)c->max);
        su_buf_char(b, ',');
        su_buf_csv_safe(b, su_str_of(c->note), ',');
        su_buf_char(b, '\n');
    }
}
