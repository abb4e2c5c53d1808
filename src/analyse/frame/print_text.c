/* A result as text for a terminal. */
#include "frame/result.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

int su_result_decimals(const su_result_table *t, size_t column)
{
    double most = 0;
    bool whole = true;
    for (size_t row = 0; row < su_result_table_rows(t); row++) {
        double x = fabs(t->cells[row * t->column_count + column].number);
        if (!isfinite(x)) continue;
        if (x > most) most = x;
        if (x != floor(x)) whole = false;
    }
    if (whole || most == 0) return 0;
    int decimals = 4 - (int)floor(log10(most));
    return decimals < 0 ? 0 : decimals > 8 ? 8 : decimals;
}

static void number_text(double x, int decimals, su_buf *out)
{
    double least = pow(10, -decimals);
    if (isinf(x))
        su_buf_text(out, x < 0 ? "-infinite" : "infinite");
    else if (x != 0 && (fabs(x) < 5 * least || fabs(x) >= 1e15))
        su_buf_printf(out, "%.3g", x);
    else
        su_buf_printf(out, "%.*f", decimals, x);
}

/* Percentages keep their digits where they are small: 0.054 % is not 0.1 %. */
static void percent_text(double x, su_buf *out)
{
    double p = 100 * x;
    if (isinf(p))
        su_buf_text(out, "infinite");
    else if (p != 0 && fabs(p) < 1)
        su_buf_printf(out, fabs(p) < 0.1 ? "%.2g %%" : "%.2f %%", p);
    else
        su_buf_printf(out, "%.1f %%", p);
}

static void p_text(double p, su_buf *out)
{
    if (p < 0.001)
        su_buf_text(out, "< 0.001");
    else
        su_buf_printf(out, p < 0.1 ? "%.3f" : "%.2f", p);
}

void su_result_cell_text(const su_result_cell *c, su_column_kind kind, int decimals, su_buf *out)
{
    if (c->empty) return;
    switch (kind) {
    case SU_COLUMN_TEXT:
        su_buf_text(out, c->text);
        break;
    case SU_COLUMN_INTEGER:
        su_buf_printf(out, "%lld", (long long)c->integer);
        break;
    case SU_COLUMN_NUMBER:
        number_text(c->number, decimals, out);
        break;
    case SU_COLUMN_PERCENT:
        percent_text(c->number, out);
        break;
    case SU_COLUMN_P:
        p_text(c->number, out);
        break;
    }
}

void su_result_number_text(double x, su_buf *out)
{
    if (isnan(x)) return;
    if (isinf(x))
        su_buf_text(out, x < 0 ? "-infinite" : "infinite");
    else if (x == floor(x) && fabs(x) < 1e15)
        su_buf_printf(out, "%.0f", x);
    else if (fabs(x) >= 1e5 && fabs(x) < 1e15)
        su_buf_printf(out, "%.1f", x);
    else
        su_buf_printf(out, "%.6g", x);
}

/* Characters, not bytes, fill a column. Wide scripts stay a little ragged. */
static size_t width_of(const char *text, size_t n)
{
    size_t width = 0;
    for (size_t i = 0; i < n; i++) width += ((unsigned char)text[i] & 0xC0) != 0x80;
    return width;
}

static void pad(su_buf *out, size_t n)
{
    for (size_t i = 0; i < n; i++) su_buf_char(out, ' ');
}

static void write_padded(su_buf *out, const char *text, size_t n, size_t width, bool left, bool last)
{
    size_t own = width_of(text, n), fill = own < width ? width - own : 0;
    if (!left) pad(out, fill);
    su_buf_add(out, text, n);
    if (left && !last) pad(out, fill);
}

static void print_table(const su_result_table *t, su_buf *out)
{
    size_t rows = su_result_table_rows(t), columns = t->column_count, n = (rows + 1) * columns;
    su_buf all = { 0 };
    size_t *start = su_alloc_array(n + 1, sizeof *start), *width = su_alloc_array(columns ? columns : 1, sizeof *width);
    for (size_t i = 0; i < n; i++) {
        size_t c = i % columns;
        start[i] = all.n;
        if (i < columns)
            su_buf_text(&all, t->columns[c].title);
        else
            su_result_cell_text(&t->cells[i - columns], t->columns[c].kind, su_result_decimals(t, c), &all);
        size_t w = all.n > start[i] ? width_of(all.p + start[i], all.n - start[i]) : 0;
        if (w > width[c]) width[c] = w;
    }
    start[n] = all.n;
    if (t->title && *t->title) su_buf_printf(out, "%s\n", t->title);
    for (size_t i = 0; i < n; i++) {
        size_t c = i % columns;
        su_buf_text(out, "  ");
        write_padded(out, all.p ? all.p + start[i] : "", start[i + 1] - start[i], width[c], t->columns[c].kind == SU_COLUMN_TEXT,
                     c + 1 == columns);
        if (c + 1 == columns) su_buf_char(out, '\n');
    }
    if (!rows) su_buf_text(out, "  (no rows)\n");
    if (all.p) su_wipe(all.p, all.n);
    su_buf_free(&all);
    free(start);
    free(width);
}

static void wrap(su_buf *out, const char *text, size_t indent, size_t first)
{
    enum { WIDTH = 110 };
    size_t at = first;
    for (const char *p = text; *p;) {
        size_t n = strcspn(p, " \n");
        size_t w = width_of(p, n);
        if (at > indent && at + 1 + w > WIDTH) {
            su_buf_char(out, '\n');
            pad(out, indent);
            at = indent;
        } else if (at > indent || (at == first && p != text)) {
            su_buf_char(out, ' ');
            at++;
        }
        su_buf_add(out, p, n);
        at += w;
        p += n;
        while (*p == ' ' || *p == '\n') p++;
    }
    su_buf_char(out, '\n');
}

static void print_facts(const su_result *r, su_buf *out)
{
    size_t width = 0;
    for (size_t i = 0; i < r->fact_count; i++) {
        size_t w = width_of(r->facts[i].title, strlen(r->facts[i].title));
        if (w > width) width = w;
    }
    for (size_t i = 0; i < r->fact_count; i++) {
        const su_result_fact_entry *f = &r->facts[i];
        su_buf_text(out, "  ");
        write_padded(out, f->title, strlen(f->title), width, true, false);
        su_buf_text(out, "  ");
        if (f->text)
            wrap(out, f->text, width + 4, width + 4);
        else {
            su_result_number_text(f->number, out);
            su_buf_char(out, '\n');
        }
    }
    if (r->fact_count) su_buf_char(out, '\n');
}

void su_result_print_text(const su_result *r, su_buf *out)
{
    su_buf_printf(out, "%s\n\n", r->title);
    print_facts(r, out);
    for (const su_result_table *t = r->tables; t; t = t->next) {
        print_table(t, out);
        su_buf_char(out, '\n');
    }
    for (size_t i = 0; i < r->warning_count; i++) {
        su_buf_printf(out, "  ! %s", r->warnings[i].code);
        wrap(out, r->warnings[i].text, 4, 4 + strlen(r->warnings[i].code));
    }
    if (r->warning_count) su_buf_char(out, '\n');
    if (r->method_count) su_buf_text(out, "Method.");
    su_buf all = { 0 };
    for (size_t i = 0; i < r->method_count; i++) su_buf_printf(&all, "%s%s", i ? " " : "", r->methods[i]);
    if (all.n) wrap(out, all.p, 0, 7);
    su_buf_free(&all);
    if (r->hash[0]) su_buf_printf(out, "hash %s\n", r->hash);
}
