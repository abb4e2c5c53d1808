/* result: tables, facts, warnings, method sentences and plots, kept until they are printed. */
#include "frame/result.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *copy(su_result *r, const char *text) { return text ? su_arena_strndup(&r->arena, text, strlen(text)) : NULL; }

static const char *copy_formatted(su_result *r, const char *fmt, va_list args)
{
    va_list again;
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, fmt, again);
    va_end(again);
    if (n < 0) return "";
    char *text = su_arena_alloc(&r->arena, (size_t)n + 1);
    vsnprintf(text, (size_t)n + 1, fmt, args);
    return text;
}

su_result *su_result_new(const char *command, const char *title)
{
    su_result *r = su_alloc(sizeof *r);
    su_arena_init(&r->arena);
    r->command = copy(r, command);
    r->title = copy(r, title);
    return r;
}

void su_result_free(su_result *r)
{
    if (!r) return;
    for (su_result_table *t = r->tables; t; t = t->next) {
        free(t->columns);
        if (t->cells) su_wipe(t->cells, t->cell_count * sizeof *t->cells);
        free(t->cells);
    }
    free(r->facts);
    free(r->warnings);
    free(r->methods);
    free(r->plots);
    su_arena_free(&r->arena);
    free(r);
}

su_result_table *su_result_table_add(su_result *r, const char *id, const char *title)
{
    su_result_table *t = su_arena_alloc(&r->arena, sizeof *t);
    *t = (su_result_table) { .result = r, .id = copy(r, id), .title = copy(r, title) };
    if (r->last)
        r->last->next = t;
    else
        r->tables = t;
    r->last = t;
    return t;
}

void su_result_column(su_result_table *t, const char *name, const char *title, su_column_kind kind)
{
    t->columns = su_grow(t->columns, &t->column_capacity, t->column_count + 1, sizeof *t->columns);
    t->columns[t->column_count++] = (su_result_head) { copy(t->result, name), copy(t->result, title), kind };
}

static void add_cell(su_result_table *t, su_result_cell cell)
{
    t->cells = su_grow(t->cells, &t->cell_capacity, t->cell_count + 1, sizeof *t->cells);
    t->cells[t->cell_count++] = cell;
}

static su_column_kind next_kind(const su_result_table *t)
{
    return t->column_count ? t->columns[t->cell_count % t->column_count].kind : SU_COLUMN_TEXT;
}

void su_result_text(su_result_table *t, const char *text)
{
    add_cell(t, (su_result_cell) { .text = copy(t->result, text), .number = NAN, .empty = !text || !*text });
}

void su_result_number(su_result_table *t, double x)
{
    bool whole = next_kind(t) == SU_COLUMN_INTEGER && isfinite(x) && fabs(x) < 9e18;
    add_cell(t, (su_result_cell) { .number = x, .integer = whole ? (int64_t)llround(x) : 0, .empty = isnan(x) });
}

void su_result_integer(su_result_table *t, int64_t n) { add_cell(t, (su_result_cell) { .number = (double)n, .integer = n }); }

static void add_fact(su_result *r, const char *key, const char *title, double x, const char *text)
{
    r->facts = su_grow(r->facts, &r->fact_capacity, r->fact_count + 1, sizeof *r->facts);
    r->facts[r->fact_count++] = (su_result_fact_entry) { copy(r, key), copy(r, title), copy(r, text), x };
}

void su_result_fact(su_result *r, const char *key, const char *title, double x) { add_fact(r, key, title, x, NULL); }
void su_result_fact_text(su_result *r, const char *key, const char *title, const char *text)
{
    add_fact(r, key, title, NAN, text ? text : "");
}

void su_result_warn(su_result *r, const char *code, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    const char *text = copy_formatted(r, fmt, args);
    va_end(args);
    for (size_t i = 0; i < r->warning_count; i++)
        if (strcmp(r->warnings[i].code, code) == 0 && strcmp(r->warnings[i].text, text) == 0) return;
    r->warnings = su_grow(r->warnings, &r->warning_capacity, r->warning_count + 1, sizeof *r->warnings);
    r->warnings[r->warning_count++] = (su_result_warning) { copy(r, code), text };
}

bool su_result_has_warning(const su_result *r, const char *code)
{
    for (size_t i = 0; i < r->warning_count; i++)
        if (strcmp(r->warnings[i].code, code) == 0) return true;
    return false;
}

void su_result_method(su_result *r, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    r->methods = su_grow(r->methods, &r->method_capacity, r->method_count + 1, sizeof *r->methods);
    r->methods[r->method_count++] = copy_formatted(r, fmt, args);
    va_end(args);
}

void su_result_plot(su_result *r, su_plot_kind kind, const char *title, const su_result_table *t, const char *label, const char *x,
                    const char *estimate, const char *low, const char *high)
{
    r->plots = su_grow(r->plots, &r->plot_capacity, r->plot_count + 1, sizeof *r->plots);
    su_result_plot_entry *plot = &r->plots[r->plot_count++];
    *plot = (su_result_plot_entry) { .kind = kind, .title = copy(r, title), .table = t };
    plot->x = su_result_column_index(t, x);
    plot->estimate = su_result_column_index(t, estimate);
    plot->low = su_result_column_index(t, low);
    plot->high = su_result_column_index(t, high);
    for (const char *p = label; p && *p && plot->label_count < SU_LABELS_MOST; p += strcspn(p, "+"), p += *p == '+') {
        const char *name = su_arena_strndup(&r->arena, p, strcspn(p, "+"));
        plot->labels[plot->label_count++] = su_result_column_index(t, name);
    }
}

void su_result_hash(su_result *r, const su_sha256 *data, const char *specification, uint64_t seed)
{
    su_buf all = { 0 };
    char hex[65] = "";
    if (data) su_hex(data->bytes, sizeof data->bytes, hex);
    su_buf_printf(&all, "suha " SU_VERSION "\n%s\n%s\n%s\n%llu\n", r->command, hex, specification, (unsigned long long)seed);
    su_sha256 hash = su_sha256_of(all.p, all.n);
    su_hex(hash.bytes, sizeof hash.bytes, r->hash);
    r->specification = copy(r, specification);
    r->seed = seed;
    su_buf_free(&all);
}

/* ---- looking things up ---- */

const su_result_table *su_result_find(const su_result *r, const char *id)
{
    for (const su_result_table *t = r->tables; t; t = t->next)
        if (strcmp(t->id, id) == 0) return t;
    return NULL;
}

int su_result_column_index(const su_result_table *t, const char *name)
{
    if (!name) return -1;
    for (size_t i = 0; i < t->column_count; i++)
        if (strcmp(t->columns[i].name, name) == 0) return (int)i;
    return -1;
}

static const su_result_cell *cell_of(const su_result *r, const char *table, size_t row, const char *column, su_column_kind *kind)
{
    const su_result_table *t = su_result_find(r, table);
    int at = t ? su_result_column_index(t, column) : -1;
    if (at < 0 || row >= su_result_table_rows(t)) return NULL;
    *kind = t->columns[at].kind;
    return &t->cells[row * t->column_count + (size_t)at];
}

double su_result_get(const su_result *r, const char *table, size_t row, const char *column)
{
    su_column_kind kind;
    const su_result_cell *c = cell_of(r, table, row, column, &kind);
    return c ? c->number : NAN;
}

const char *su_result_get_text(const su_result *r, const char *table, size_t row, const char *column)
{
    su_column_kind kind;
    const su_result_cell *c = cell_of(r, table, row, column, &kind);
    return c ? c->text : NULL;
}

size_t su_result_rows(const su_result *r, const char *table)
{
    const su_result_table *t = su_result_find(r, table);
    return t ? su_result_table_rows(t) : 0;
}

double su_result_get_fact(const su_result *r, const char *key)
{
    for (size_t i = 0; i < r->fact_count; i++)
        if (strcmp(r->facts[i].key, key) == 0) return r->facts[i].number;
    return NAN;
}
