/* tabulate and combinations as JSON, and as tables for CSV, HXL and XLSX. */
#include "api.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- JSON --------------------------------------------------------------------------------------------------------------------------- */

/* Interval ends have one decimal, as released. */
static void put_tenths(su_json *j, const char *key, double x)
{
    su_json_key(j, key);
    if (!isfinite(x))
        su_json_null(j);
    else if (x == floor(x) && fabs(x) < 9e15)
        su_json_int(j, (int64_t)x);
    else
        su_json_real(j, x);
}

static void put_percent(su_json *j, const char *key, double x) { put_tenths(j, key, isfinite(x) ? round(x * 100) / 100 : NAN); }

static const char *reason_in(const su_api_call *call, su_reason r)
{
    const char *text = su_reason_text(r);
    return text ? su_tr(call->locale, text) : NULL;
}

static void put_count(su_json *j, const char *key, const su_figure *n)
{
    su_json_key(j, key);
    if (n->known)
        su_json_int(j, (int64_t)n->count);
    else
        su_json_null(j);
}

static void put_figure(su_json *j, const su_api_call *call, const su_figure *n)
{
    put_count(j, "count", n);
    put_tenths(j, "low", n->known ? n->low : NAN);
    put_tenths(j, "high", n->known ? n->high : NAN);
    su_json_kv_text(j, "state", su_state_key(n->state));
    su_json_kv_text(j, "source", su_source_key(n->source));
    su_json_kv_text(j, "reason", reason_in(call, n->reason));
    su_json_kv_text(j, "reason_code", su_reason_key(n->reason));
}

static void put_named_figure(su_json *j, const su_api_call *call, const char *key, const su_figure *n)
{
    su_json_key(j, key);
    su_json_object(j);
    put_figure(j, call, n);
    su_json_end(j);
}

static const char *code_of(const su_view *v, const su_dimension *d, uint32_t at)
{
    return d->field >= 0 ? v->fields[d->field].values[d->value[at]].code : v->fields[d->value[at]].name;
}

static const char *label_of(const su_view *v, su_locale l, const su_dimension *d, uint32_t at)
{
    return d->field >= 0 ? v->fields[d->field].values[d->value[at]].labels[l] : v->fields[d->value[at]].titles[l];
}

static const char *title_of(const su_view *v, su_locale l, const su_dimension *d, const su_ask *ask)
{
    return d->field >= 0 ? v->fields[d->field].titles[l] : su_tr(l, v->groups[ask->group].titles[l]);
}

static void put_cell(su_json *j, const su_api_call *call, const su_view *v, const su_tabulation *t, const su_cell *cell)
{
    su_json_object(j);
    su_json_key(j, "codes");
    su_json_array(j);
    for (size_t d = 0; d < t->dimensions; d++) su_json_text(j, code_of(v, &t->dimension[d], cell->at[d]));
    su_json_end(j);
    su_json_key(j, "labels");
    su_json_array(j);
    for (size_t d = 0; d < t->dimensions; d++) su_json_text(j, label_of(v, call->locale, &t->dimension[d], cell->at[d]));
    su_json_end(j);
    put_figure(j, call, &cell->n);
    put_percent(j, "percent", cell->percent);
    put_percent(j, "percent_low", cell->percent_low);
    put_percent(j, "percent_high", cell->percent_high);
    su_json_end(j);
}

static void put_question(su_json *j, const su_view *v, const su_ask *ask)
{
    su_json_key(j, "by");
    su_json_array(j);
    for (size_t i = 0; i < ask->by_count; i++) su_json_text(j, v->fields[ask->by[i]].name);
    su_json_end(j);
    su_json_kv_text(j, "group", ask->group >= 0 ? v->groups[ask->group].name : NULL);
    su_json_key(j, "where");
    su_json_array(j);
    for (size_t i = 0; i < ask->where_count; i++) {
        const su_view_field *f = &v->fields[ask->where[i].field];
        su_json_object(j);
        su_json_kv_text(j, "column", f->name);
        su_json_key(j, "codes");
        su_json_array(j);
        for (size_t k = 0; k < ask->where[i].count; k++) su_json_text(j, f->values[ask->where[i].code[k]].code);
        su_json_end(j);
        su_json_end(j);
    }
    su_json_end(j);
}

static void put_dimensions(su_json *j, const su_api_call *call, const su_view *v, const su_ask *ask, const su_tabulation *t)
{
    static const char *const kinds[] = { "code", "set", "flag", "year", "other" };
    su_json_key(j, "dimensions");
    su_json_array(j);
    for (size_t i = 0; i < t->dimensions; i++) {
        const su_dimension *d = &t->dimension[i];
        su_json_object(j);
        su_json_kv_text(j, "column", d->field >= 0 ? v->fields[d->field].name : NULL);
        su_json_kv_text(j, "title", title_of(v, call->locale, d, ask));
        su_json_kv_text(j, "kind", d->field >= 0 ? kinds[v->fields[d->field].kind] : "group");
        su_json_kv_int(j, "size", (int64_t)d->count);
        su_json_end(j);
    }
    su_json_end(j);
}

/* How to read the numbers; an English message. */
static const char *note_of(const su_view *v, const su_ask *ask)
{
    if (!v->intervals) return T("This release has no intervals. A cell without a number is not zero: it was left out for protection.");
    if (ask->group >= 0)
        return T("Percent of the records with at least one yes in the question group. The interval is that of the count; the denominator "
                 "is counted in the synthetic records. A cell without a number is not zero.");
    return T("Intervals are 95 % intervals as released. Percent of the records with a value in every column asked for; the interval is "
             "that of the count. A cell without a number is not zero.");
}

static void print_tabulation(const su_api_call *call, const su_shown *s, const su_ask *ask, const su_tabulation *t, su_buf *out)
{
    const su_view *v = s->view;
    su_json writer, *j = &writer;
    su_json_init(j, out);
    j->compact = true;
    su_json_object(j);
    su_json_kv_text(j, "release", s->name);
    put_question(j, v, ask);
    su_json_kv_text(j, "source", su_source_key(t->source));
    su_json_kv_text(j, "source_reason", reason_in(call, t->source_reason));
    put_named_figure(j, call, "total", &t->total);
    put_named_figure(j, call, "denominator", &t->denominator);
    su_json_key(j, "denominators");
    if (t->denominators) {
        su_json_array(j);
        for (size_t i = 0; i < t->denominator_count; i++) su_json_int(j, (int64_t)t->denominators[i]);
        su_json_end(j);
    } else {
        su_json_null(j);
    }
    put_dimensions(j, call, v, ask, t);
    su_json_key(j, "cells");
    su_json_array(j);
    for (size_t i = 0; i < t->cell_count; i++) put_cell(j, call, v, t, &t->cells[i]);
    su_json_end(j);
    su_json_key(j, "not_listed");
    su_json_object(j);
    su_json_kv_int(j, "count", (int64_t)t->not_listed);
    su_json_kv_text(j, "state", su_state_key(t->not_listed_reason == SU_REASON_NO_RECORD ? SU_CELL_ABSENT : SU_CELL_SUPPRESSED));
    su_json_kv_text(j, "reason", reason_in(call, t->not_listed_reason));
    su_json_end(j);
    su_json_kv_text(j, "note", su_tr(call->locale, note_of(v, ask)));
    su_json_end(j);
}

/* ---- tables ------------------------------------------------------------------------------------------------------------------------- */

#define FIGURES 9u /* columns of a figure with its percentages */
static const char *const figure_header[FIGURES] = { "count",        "ci_low", "ci_high", "percent", "percent_low",
                                                    "percent_high", "state",  "source",  "reason" };
static const char *const figure_hashtag[FIGURES] = { "#affected+trafficked+ind+dp+num",
                                                     "#affected+trafficked+ind+dp+ci_low+num",
                                                     "#affected+trafficked+ind+dp+ci_high+num",
                                                     "#indicator+share+pct",
                                                     "#indicator+share+ci_low+pct",
                                                     "#indicator+share+ci_high+pct",
                                                     "#meta+state",
                                                     "#meta+source",
                                                     "#meta+reason" };

static su_sheet_cell text_cell(const char *text) { return (su_sheet_cell) { .text = text ? text : "" }; }
static su_sheet_cell number_cell(double x) { return (su_sheet_cell) { .number = x }; }

static void figure_cells(const su_api_call *call, const su_figure *n, double percent, double low, double high, su_sheet_cell *out)
{
    out[0] = number_cell(n->known ? n->count : NAN);
    out[1] = number_cell(n->known ? n->low : NAN);
    out[2] = number_cell(n->known ? n->high : NAN);
    out[3] = number_cell(isfinite(percent) ? round(percent * 100) / 100 : NAN);
    out[4] = number_cell(isfinite(low) ? round(low * 100) / 100 : NAN);
    out[5] = number_cell(isfinite(high) ? round(high * 100) / 100 : NAN);
    out[6] = text_cell(su_state_key(n->state));
    out[7] = text_cell(su_source_key(n->source));
    out[8] = text_cell(reason_in(call, n->reason));
}

/* HXL 1.1: what a column of ours is called there. */
static const char *hashtag_of(const su_api_call *call, const su_view_field *f)
{
    if (f->kind == SU_VIEW_YEAR) return "#date+year+reported+code";
    if (strcasestr(f->name, "citizenship")) return "#country+citizenship+code+v_iso3";
    if (strcasestr(f->name, "countryOfExploitation")) return "#country+exploitation+code+v_iso3";
    if (strcmp(f->name, "gender") == 0) return "#respondee+gender+code";
    if (strncmp(f->name, "age", 3) == 0) return "#respondee+age_group+code";
    char *attribute = su_arena_printf(call->arena, "#indicator+%s+code", f->name);
    for (char *p = attribute + 11; *p && *p != '+'; p++) {
        if (*p >= 'A' && *p <= 'Z') *p = (char)(*p - 'A' + 'a');
        if (!((*p >= 'a' && *p <= 'z') || (*p >= '0' && *p <= '9'))) *p = '_';
    }
    return attribute;
}

/* The label column of a code column: a name in the place of the code. */
static const char *label_hashtag(const su_api_call *call, const char *hashtag)
{
    const char *code = strstr(hashtag, "+code");
    return su_arena_printf(call->arena, "%.*s+name", code ? (int)(code - hashtag) : (int)strlen(hashtag), hashtag);
}

static const char *const *notes_of(const su_api_call *call, const su_shown *s, const char *note, size_t *count)
{
    const su_view *v = s->view;
    const char **lines = su_arena_array(call->arena, 8, sizeof *lines);
    size_t n = 0;
    if (v->stamp) lines[n++] = v->stamp;
    lines[n++] = v->title;
    lines[n++] = su_arena_printf(call->arena, "%s %s", su_tr(call->locale, T("Version")), v->version);
    lines[n++] = note;
    lines[n++] = v->licence;
    if (v->publisher) lines[n++] = v->publisher;
    lines[n++] = su_arena_printf(call->arena, "%s%s%s", call->path, call->query[0] ? "?" : "", call->query);
    *count = n;
    return lines;
}

static bool print_sheet(const su_api_call *call, const su_shown *s, const char *what, const char *note, su_sheet *sheet, su_api_reply *out,
                        su_problem *problem)
{
    sheet->title = s->view->title;
    sheet->notes = notes_of(call, s, note, &sheet->note_count);
    out->media_type = su_sheet_media_type(call->format);
    out->download =
        su_arena_printf(call->arena, "%s%s-%s.%s", s->view->stamp ? "NOT-PRIVATE-" : "", s->name, what, su_sheet_extension(call->format));
    if (su_sheet_print(call->format, sheet, &out->body)) return true;
    su_problem_set(problem, 500, "no-room", NULL,
                   "The table could not be made: the server has no room for it. Try again later, or ask for CSV.");
    return false;
}

static bool tabulation_sheet(const su_api_call *call, const su_shown *s, const su_ask *ask, const su_tabulation *t, su_api_reply *out,
                             su_problem *problem)
{
    const su_view *v = s->view;
    size_t columns = 2 * t->dimensions + FIGURES, rows = t->cell_count;
    const char **header = su_arena_array(call->arena, columns, sizeof *header),
               **hashtag = su_arena_array(call->arena, columns, sizeof *hashtag);
    if (t->dimensions == 0) rows = 1;
    su_sheet_cell *cells = su_arena_array(call->arena, rows * columns + 1, sizeof *cells);
    for (size_t d = 0; d < t->dimensions; d++) {
        const su_dimension *one = &t->dimension[d];
        header[2 * d] = one->field >= 0 ? v->fields[one->field].name : v->groups[ask->group].name;
        header[2 * d + 1] = su_arena_printf(call->arena, "%s_label", header[2 * d]);
        hashtag[2 * d] = one->field >= 0 ? hashtag_of(call, &v->fields[one->field]) : "#indicator+code";
        hashtag[2 * d + 1] = label_hashtag(call, hashtag[2 * d]);
    }
    memcpy(header + 2 * t->dimensions, figure_header, sizeof figure_header);
    memcpy(hashtag + 2 * t->dimensions, figure_hashtag, sizeof figure_hashtag);
    for (size_t r = 0; r < rows && t->dimensions; r++) {
        su_sheet_cell *to = cells + r * columns;
        const su_cell *cell = &t->cells[r];
        for (size_t d = 0; d < t->dimensions; d++) {
            *to++ = text_cell(code_of(v, &t->dimension[d], cell->at[d]));
            *to++ = text_cell(label_of(v, call->locale, &t->dimension[d], cell->at[d]));
        }
        figure_cells(call, &cell->n, cell->percent, cell->percent_low, cell->percent_high, to);
    }
    if (t->dimensions == 0) figure_cells(call, &t->total, NAN, NAN, NAN, cells);
    su_sheet sheet = { .header = header, .hashtag = hashtag, .columns = columns, .rows = rows, .cells = cells };
    return print_sheet(call, s, "table", su_tr(call->locale, note_of(v, ask)), &sheet, out, problem);
}

bool su_api_tabulate(const su_api_call *call, const su_shown *s, const su_args *args, su_api_reply *out, su_problem *problem)
{
    su_ask ask;
    su_tabulation t;
    if (!su_ask_parse(s->cube, args, call->arena, &ask, problem) || !su_cube_tabulate(s->cube, &ask, call->arena, &t, problem))
        return false;
    if (call->format != SU_API_JSON) return tabulation_sheet(call, s, &ask, &t, out, problem);
    print_tabulation(call, s, &ask, &t, &out->body);
    return true;
}

/* ---- combinations ------------------------------------------------------------------------------------------------------------------- */

static const char *const set_note =
    T("Counts of the set with one more attribute, largest first. An attribute that is not listed has no number together with the set; "
      "that is not zero.");

static void put_attribute(su_json *j, const su_api_call *call, const su_view *v, uint32_t field, uint32_t value)
{
    const su_view_field *f = &v->fields[field];
    su_json_kv_text(j, "column", f->name);
    su_json_kv_text(j, "code", f->values[value].code);
    su_json_kv_text(j, "title", f->titles[call->locale]);
    su_json_kv_text(j, "label", f->values[value].labels[call->locale]);
}

static void print_company(const su_api_call *call, const su_shown *s, const su_ask *ask, const su_company *c, su_buf *out)
{
    su_json writer, *j = &writer;
    su_json_init(j, out);
    j->compact = true;
    su_json_object(j);
    su_json_kv_text(j, "release", s->name);
    su_json_key(j, "set");
    su_json_array(j);
    for (size_t i = 0; i < ask->where_count; i++) {
        su_json_object(j);
        put_attribute(j, call, s->view, ask->where[i].field, ask->where[i].code[0]);
        su_json_end(j);
    }
    su_json_end(j);
    put_named_figure(j, call, "figure", &c->set);
    su_json_key(j, "with");
    su_json_array(j);
    for (size_t i = 0; i < c->count; i++) {
        su_json_object(j);
        put_attribute(j, call, s->view, c->with[i].field, c->with[i].value);
        put_figure(j, call, &c->with[i].n);
        put_percent(j, "percent", c->with[i].percent);
        su_json_end(j);
    }
    su_json_end(j);
    su_json_kv_int(j, "hidden", (int64_t)c->hidden);
    su_json_kv_text(j, "source", su_source_key(c->source));
    su_json_kv_text(j, "source_reason", reason_in(call, c->source_reason));
    su_json_kv_text(j, "note", su_tr(call->locale, set_note));
    su_json_end(j);
}

static bool company_sheet(const su_api_call *call, const su_shown *s, const su_company *c, su_api_reply *out, su_problem *problem)
{
    enum { NAMES = 4, COLUMNS = NAMES + FIGURES };
    static const char *const names[NAMES] = { "column", "column_title", "code", "label" };
    static const char *const tags[NAMES] = { "#indicator+column+code", "#indicator+column+name", "#indicator+code", "#indicator+name" };
    const char **header = su_arena_array(call->arena, COLUMNS, sizeof *header),
               **hashtag = su_arena_array(call->arena, COLUMNS, sizeof *hashtag);
    su_sheet_cell *cells = su_arena_array(call->arena, (c->count + 1) * COLUMNS, sizeof *cells), *to = cells;
    memcpy(header, names, sizeof names);
    memcpy(hashtag, tags, sizeof tags);
    memcpy(header + NAMES, figure_header, sizeof figure_header);
    memcpy(hashtag + NAMES, figure_hashtag, sizeof figure_hashtag);
    /* The set itself is the first row, without a column. */
    for (int i = 0; i < NAMES; i++) *to++ = text_cell("");
    figure_cells(call, &c->set, NAN, NAN, NAN, to);
    for (size_t i = 0; i < c->count; i++) {
        const su_view_field *f = &s->view->fields[c->with[i].field];
        to = cells + (i + 1) * COLUMNS;
        *to++ = text_cell(f->name);
        *to++ = text_cell(f->titles[call->locale]);
        *to++ = text_cell(f->values[c->with[i].value].code);
        *to++ = text_cell(f->values[c->with[i].value].labels[call->locale]);
        figure_cells(call, &c->with[i].n, c->with[i].percent, NAN, NAN, to);
    }
    su_sheet sheet = { .header = header, .hashtag = hashtag, .columns = COLUMNS, .rows = c->count + 1, .cells = cells };
    return print_sheet(call, s, "combination", su_tr(call->locale, set_note), &sheet, out, problem);
}

bool su_api_combinations(const su_api_call *call, const su_shown *s, const su_args *args, su_api_reply *out, su_problem *problem)
{
    su_ask ask;
    su_company company;
    int64_t most = 20;
    const char *given = su_args_get(args, "most");
    if (given && (!su_parse_i64(su_str_of(given), &most) || most < 1 || most > 1000)) {
        su_problem_set(problem, 400, "bad-number", "most", "most is a whole number from 1 to 1000.");
        return false;
    }
    if (!su_ask_parse_set(s->cube, args, call->arena, &ask, problem)) return false;
    su_cube_combinations(s->cube, &ask, (size_t)most, call->arena, &company);
    if (call->format != SU_API_JSON) return company_sheet(call, s, &company, out, problem);
    print_company(call, s, &ask, &company, &out->body);
    return true;
}
