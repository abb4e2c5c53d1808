#include "chart.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define LONG_LIST 30u /* longer lists are ranked and read as places; shorter ones are scales whose order means something */
#define MOST_PAIRS 15u
#define MOST_GRID 12u /* a grid has at most so many rows, and half as many columns */

const char *su_figure_title(su_page *p, const su_view_field *f) { return f->titles[p->l]; }
const char *su_figure_label(su_page *p, const su_view_value *v) { return v->labels[p->l]; }
const char *su_figure_group(su_page *p, int group)
{
    const su_view_group *g = &p->shown->view->groups[group];
    return g->titles[p->l] != g->title ? g->titles[p->l] : su_tr(p->l, g->title);
}

/* What describes people stands before what describes records, such as the kind of source. */
static void add_people(const su_view *v, uint32_t field, su_roles *out)
{
    size_t at = out->people_count;
    while (at > 0 && v->fields[field].personal && !v->fields[out->people[at - 1]].personal) at--;
    if (at == SU_ROLES_PEOPLE) return;
    if (out->people_count < SU_ROLES_PEOPLE) out->people_count++;
    for (size_t i = out->people_count - 1; i > at; i--) out->people[i] = out->people[i - 1];
    out->people[at] = field;
}

void su_figure_roles(const su_view *v, su_roles *out)
{
    *out = (su_roles) { .year = -1, .origin = -1, .destination = -1 };
    for (size_t i = 0; i < v->field_count; i++) {
        const su_view_field *f = &v->fields[i];
        if (!f->provided || !f->value_count) continue;
        if (f->kind == SU_VIEW_YEAR && out->year < 0) out->year = (int)i;
        if (f->kind != SU_VIEW_CODE) continue;
        if (f->value_count < LONG_LIST) {
            add_people(v, (uint32_t)i, out);
        } else if (out->origin < 0)
            out->origin = (int)i;
        else if (out->destination < 0 && f->list && v->fields[out->origin].list && strcmp(f->list, v->fields[out->origin].list) == 0)
            out->destination = (int)i;
    }
}

/* ---- addresses ---- */

static bool unreserved(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || strchr("-._~", c); }

static void put_encoded(su_buf *b, const char *text, bool code)
{
    for (; *text; text++) {
        if (code && (*text == '\\' || *text == ':' || *text == '|')) su_buf_text(b, "%5C");
        if (unreserved(*text))
            su_buf_char(b, *text);
        else
            su_buf_printf(b, "%%%02X", (unsigned char)*text);
    }
}

static void put_filter(su_buf *b, const su_view *v, const su_filter *f, char before)
{
    const su_view_field *field = &v->fields[f->field];
    su_buf_printf(b, "%cwhere=", before);
    put_encoded(b, field->name, true);
    for (size_t i = 0; i < f->count; i++) {
        su_buf_text(b, i ? "%7C" : ":");
        put_encoded(b, field->values[f->code[i]].code, true);
    }
}

const char *su_figure_address(su_page *p, const su_ask *base, const char *page)
{
    su_buf b = { 0 };
    su_buf_printf(&b, "/r/%s/%s", p->shown->name, page);
    for (size_t i = 0; i < base->where_count; i++) put_filter(&b, p->shown->view, &base->where[i], i ? '&' : '?');
    const char *out = su_arena_strndup(p->arena, b.p, b.n);
    su_buf_free(&b);
    return out;
}

/* The filters and one value more: what a click on a bar means. NULL when the column is filtered already or the list is full. */
static const char *narrower(su_page *p, const su_ask *base, uint32_t field, uint32_t value)
{
    su_ask ask = *base;
    for (size_t i = 0; i < ask.where_count; i++)
        if (ask.where[i].field == field) return NULL;
    if (ask.where_count == SU_QUERY_MAX_WHERE) return NULL;
    ask.where[ask.where_count++] = (su_filter) { field, &value, 1 };
    return su_figure_address(p, &ask, "explore");
}

/* ---- bars of one dimension ---- */

static su_bar bar_of(su_page *p, const su_ask *base, const su_dimension *d, const su_cell *cell, size_t order)
{
    const su_view *v = p->shown->view;
    uint32_t member = d->value[cell->at[0]];
    const su_view_field *f = &v->fields[d->field >= 0 ? (uint32_t)d->field : member];
    su_bar x = {
        .n = cell->n, .percent = cell->percent, .percent_low = cell->percent_low, .percent_high = cell->percent_high, .order = order
    };
    if (d->field >= 0) {
        x.label = su_figure_label(p, &f->values[member]);
        x.code = f->values[member].code;
        x.address = narrower(p, base, (uint32_t)d->field, member);
    } else {
        x.label = su_page_without(su_figure_title(p, f), f->group >= 0 ? su_figure_group(p, f->group) : "");
        if (x.label == su_figure_title(p, f) && f->group >= 0) x.label = su_page_without(x.label, v->groups[f->group].title);
        x.code = f->name;
        x.address = f->value_count ? narrower(p, base, member, (uint32_t)f->value_count - 1) : NULL;
    }
    return x;
}

su_bar *su_figure_bars(su_page *p, const su_ask *base, const su_tabulation *t, su_chart *c, size_t *n)
{
    su_bar *bars = su_arena_array(p->arena, t->cell_count + 1, sizeof *bars);
    bool long_list = t->dimension[0].count >= LONG_LIST;
    *n = 0;
    c->hidden = t->not_listed;
    c->hidden_reason = t->not_listed_reason;
    for (size_t i = 0; i < t->cell_count; i++) {
        const su_cell *cell = &t->cells[i];
        if (long_list && !cell->n.known) {
            c->hidden++;
            if (c->hidden_reason == SU_REASON_NONE) c->hidden_reason = cell->n.reason;
            continue;
        }
        bars[*n] = bar_of(p, base, &t->dimension[0], cell, *n);
        ++*n;
    }
    return bars;
}

/* ---- notes: what percentages are of, and where the numbers come from ---- */

static const char *note_of(su_page *p, const su_tabulation *t, bool several)
{
    su_buf b = { 0 }, *old = p->b;
    p->b = &b;
    if (t->denominator.known && t->denominator.count > 0) {
        if (several)
            say(p, "Percent of the {n} people with at least one yes in this group; one person may have several, so the sum may pass 100.",
                SU_PCOUNT("n", t->denominator.count));
        else
            say(p, "Percent of the {n} people whose value is known.", SU_PCOUNT("n", t->denominator.count));
        put(p, " ");
    }
    if (t->source == SU_SOURCE_AGGREGATES)
        say(p, "Numbers: published counts.");
    else if (t->source == SU_SOURCE_RECORDS)
        say(p, "Numbers: counted in the synthetic records, without intervals.");
    else
        say(p, "Numbers: published counts where there are any, otherwise counted in the synthetic records.");
    const char *reason = t->source == SU_SOURCE_AGGREGATES ? NULL : su_reason_text(t->source_reason);
    if (reason) {
        put(p, " ");
        su_say_with(p->b, p->l, reason, NULL);
    }
    p->b = old;
    const char *out = su_arena_strndup(p->arena, b.p, b.n);
    su_buf_free(&b);
    return out;
}

static bool ask_for(su_page *p, const su_ask *base, const uint32_t *by, size_t by_count, int group, su_tabulation *t)
{
    su_problem problem = { 0 };
    su_ask ask = *base;
    for (size_t i = 0; i < by_count; i++) ask.by[i] = by[i];
    ask.by_count = by_count;
    ask.group = group;
    return p->shown->cube && su_cube_tabulate(p->shown->cube, &ask, p->arena, t, &problem);
}

bool su_figure_column(su_page *p, const su_ask *base, uint32_t field)
{
    const su_view_field *f = &p->shown->view->fields[field];
    su_tabulation t;
    size_t n;
    if (!f->provided || !ask_for(p, base, &field, 1, SU_QUERY_NO_GROUP, &t) || !t.cell_count) return false;
    const char *title = su_figure_title(p, f);
    su_chart c = { .title = title, .what = title, .note = note_of(p, &t, false), .ranked = f->value_count >= LONG_LIST };
    su_bar *bars = su_figure_bars(p, base, &t, &c, &n);
    if (f->kind == SU_VIEW_YEAR)
        su_chart_years(p, &c, bars, n);
    else
        su_chart_bars(p, &c, bars, n);
    return true;
}

bool su_figure_of_group(su_page *p, const su_ask *base, int group)
{
    su_tabulation t;
    size_t n;
    if (!ask_for(p, base, NULL, 0, group, &t) || !t.cell_count) return false;
    const char *title = su_figure_group(p, group);
    su_chart c = { .title = title, .what = title, .note = note_of(p, &t, true), .ranked = true };
    su_bar *bars = su_figure_bars(p, base, &t, &c, &n);
    su_chart_bars(p, &c, bars, n);
    return true;
}

bool su_figure_flags(su_page *p, const su_ask *base)
{
    const su_view *v = p->shown->view;
    su_bar *bars = su_arena_array(p->arena, v->field_count + 1, sizeof *bars);
    su_tabulation t;
    size_t n = 0;
    for (uint32_t i = 0; i < v->field_count; i++) {
        const su_view_field *f = &v->fields[i];
        if (f->kind != SU_VIEW_FLAG || f->group >= 0 || !f->provided || !ask_for(p, base, &i, 1, SU_QUERY_NO_GROUP, &t) || !t.cell_count)
            continue;
        bars[n] = bar_of(p, base, &t.dimension[0], &t.cells[t.cell_count - 1], n);
        bars[n].label = su_figure_title(p, f);
        bars[n].code = f->name;
        bars[n].percent = bars[n].percent_low = bars[n].percent_high = NAN;
        n++;
    }
    if (!n) return false;
    const char *title = su_tr(p->l, "Other yes-or-no questions");
    su_chart_bars(p, &(su_chart) { .title = title, .what = title, .ranked = true }, bars, n);
    return true;
}

/* ---- two dimensions ---- */

static int largest_cell(const void *x, const void *y)
{
    const su_cell *a = x, *b = y;
    if (a->n.known != b->n.known) return a->n.known ? -1 : 1;
    if (a->n.known && a->n.count != b->n.count) return a->n.count > b->n.count ? -1 : 1;
    for (int i = 0; i < 2; i++)
        if (a->at[i] != b->at[i]) return a->at[i] < b->at[i] ? -1 : 1;
    return 0;
}

bool su_figure_pairs(su_page *p, const su_ask *base, uint32_t from, uint32_t to)
{
    const su_view *v = p->shown->view;
    su_tabulation t;
    if (!ask_for(p, base, (uint32_t[]) { from, to }, 2, SU_QUERY_NO_GROUP, &t) || !t.cell_count) return false;
    qsort(t.cells, t.cell_count, sizeof *t.cells, largest_cell);
    su_bar bars[MOST_PAIRS];
    size_t n = 0, hidden = t.not_listed;
    for (size_t i = 0; i < t.cell_count; i++) {
        const su_cell *cell = &t.cells[i];
        if (!cell->n.known) hidden++;
        if (!cell->n.known || n == MOST_PAIRS) continue;
        const su_view_value *a = &v->fields[from].values[t.dimension[0].value[cell->at[0]]],
                            *b = &v->fields[to].values[t.dimension[1].value[cell->at[1]]];
        const char *arrow = strcmp(su_locale_dir(p->l), "rtl") == 0 ? "←" : "→";
        bars[n] = (su_bar) { .label = su_arena_printf(p->arena, "%s %s %s", su_figure_label(p, a), arrow, su_figure_label(p, b)),
                             .code = su_arena_printf(p->arena, "%s, %s", a->code, b->code),
                             .n = cell->n,
                             .percent = NAN,
                             .percent_low = NAN,
                             .percent_high = NAN,
                             .order = n };
        n++;
    }
    const char *title = su_arena_printf(p->arena, "%s, %s", su_figure_title(p, &v->fields[from]), su_figure_title(p, &v->fields[to]));
    su_chart c = { .title = title, .what = title, .note = note_of(p, &t, false), .ranked = true, .most = MOST_PAIRS, .hidden = hidden };
    c.hidden_reason = t.not_listed ? t.not_listed_reason : SU_REASON_NONE;
    su_chart_bars(p, &c, bars, n);
    return true;
}

bool su_figure_grid(su_page *p, const su_ask *base, uint32_t row, uint32_t column)
{
    const su_view_field *r = &p->shown->view->fields[row], *k = &p->shown->view->fields[column];
    su_tabulation t;
    if (r->value_count > MOST_GRID || k->value_count > MOST_GRID / 2) return false;
    if (!ask_for(p, base, (uint32_t[]) { row, column }, 2, SU_QUERY_NO_GROUP, &t) || !t.cell_count) return false;
    size_t rows = t.dimension[0].count, columns = t.dimension[1].count;
    su_bar *cells = su_arena_array(p->arena, rows * columns + 1, sizeof *cells);
    const char **row_label = su_arena_array(p->arena, rows + 1, sizeof *row_label),
               **column_label = su_arena_array(p->arena, columns + 1, sizeof *column_label);
    for (size_t i = 0; i < rows; i++) row_label[i] = su_figure_label(p, &r->values[t.dimension[0].value[i]]);
    for (size_t i = 0; i < columns; i++) column_label[i] = su_figure_label(p, &k->values[t.dimension[1].value[i]]);
    for (size_t i = 0; i < rows * columns; i++)
        cells[i].n = (su_figure) { .state = SU_CELL_SUPPRESSED, .reason = t.not_listed_reason, .low = NAN, .high = NAN };
    for (size_t i = 0; i < t.cell_count; i++) cells[t.cells[i].at[0] * columns + t.cells[i].at[1]].n = t.cells[i].n;
    const char *title = su_arena_printf(p->arena, "%s × %s", su_figure_title(p, r), su_figure_title(p, k));
    su_chart_grid(p, &(su_chart) { .title = title, .what = su_figure_title(p, r), .note = note_of(p, &t, false) }, cells, row_label, rows,
                  column_label, columns);
    return true;
}
