/* The report as text for a person, and as JSON for a program. */
#include <string.h>

#include "report.h"
#include "words.h"

enum { SHOWN_VALUES = 20, SHOWN_REJECTS = 20, NAME_WIDTH = 34, TARGET_WIDTH = 38 };

static size_t widest(size_t least, size_t most, const su_harmonise_report *r, const char *(*text)(const su_column_report *))
{
    size_t width = least;
    for (size_t i = 0; i < r->column_count; i++) {
        size_t own = words_width(su_str_of(text(&r->columns[i])));
        if (own > width) width = own;
    }
    return width < most ? width : most;
}

static const char *source_text(const su_column_report *c) { return c->source; }
static const char *target_text(const su_column_report *c) { return c->targets; }

static void pad_count(su_buf *out, uint64_t n, size_t width)
{
    su_buf digits = { 0 };
    words_count(&digits, n);
    words_pad(out, (su_str) { digits.p, digits.n }, width, true);
    su_buf_free(&digits);
}

static void end_line(su_buf *out)
{
    while (out->n > 0 && out->p[out->n - 1] == ' ') out->p[--out->n] = '\0';
    su_buf_char(out, '\n');
}

static void write_columns(const su_harmonise_report *r, su_buf *out)
{
    size_t name = widest(6, NAME_WIDTH, r, source_text), target = widest(7, TARGET_WIDTH, r, target_text);
    if (r->column_count == 0) return;
    su_buf_text(out, "\nColumns of the file\n  ");
    words_pad(out, SU_STR("column"), name, false);
    su_buf_text(out, "  ");
    words_pad(out, SU_STR("becomes"), target, false);
    su_buf_text(out, "  coverage     values      mapped     missing    unmapped\n");
    for (size_t i = 0; i < r->column_count; i++) {
        const su_column_report *c = &r->columns[i];
        su_buf_text(out, "  ");
        words_pad(out, su_str_of(c->source), name, false);
        su_buf_text(out, "  ");
        words_pad(out, su_str_of(*c->targets == '\0' ? "-" : c->targets), target, false);
        su_buf_text(out, "  ");
        words_pad(out, su_str_of(c->coverage), 8, false);
        pad_count(out, c->distinct, 11);
        pad_count(out, c->rows_mapped, 12);
        pad_count(out, c->rows_missing, 12);
        pad_count(out, c->rows_unmapped, 12);
        end_line(out);
    }
}

static void write_unmapped(const su_harmonise_report *r, su_buf *out)
{
    bool headed = false;
    for (size_t i = 0; i < r->column_count; i++) {
        const su_column_report *c = &r->columns[i];
        if (c->rows_unmapped == 0) continue;
        if (!headed) su_buf_text(out, "\nValues that the mapping does not know (their cells are \"not recorded\")\n");
        headed = true;
        su_buf_printf(out, "  %s: in ", c->source);
        words_count(out, c->rows_unmapped);
        su_buf_text(out, c->rows_unmapped == 1 ? " row" : " rows");
        if (c->unmapped_count == 0) su_buf_text(out, "; values of this column are not shown");
        su_buf_char(out, '\n');
        for (size_t k = 0; k < c->unmapped_count && k < SHOWN_VALUES; k++) {
            const su_value_note *v = &c->unmapped[k];
            pad_count(out, v->rows, 12);
            su_buf_text(out, "  ");
            words_pad(out, su_str_of(v->value), v->suggestion == NULL ? words_width(su_str_of(v->value)) : NAME_WIDTH, false);
            if (v->suggestion != NULL) su_buf_printf(out, "  perhaps %s", v->suggestion);
            end_line(out);
        }
        if (c->unmapped_count > SHOWN_VALUES) su_buf_printf(out, "              and %zu more values\n", c->unmapped_count - SHOWN_VALUES);
    }
}

static void write_fields(const su_harmonise_report *r, su_buf *out)
{
    if (r->field_count == 0) return;
    size_t width = 6;
    for (size_t i = 0; i < r->field_count; i++) {
        if (!r->fields[i].provided) continue;
        size_t own = words_width(su_str_of(r->fields[i].field));
        if (own > width) width = own < NAME_WIDTH ? own : NAME_WIDTH;
    }
    su_buf_printf(out, "\nColumns of %s\n  ", r->schema);
    words_pad(out, SU_STR("column"), width, false);
    su_buf_text(out, "      values     missing    known no\n");
    size_t empty = 0;
    for (size_t i = 0; i < r->field_count; i++) {
        const su_field_report *f = &r->fields[i];
        empty += !f->provided;
        if (!f->provided) continue;
        su_buf_text(out, "  ");
        words_pad(out, su_str_of(f->field), width, false);
        pad_count(out, f->values, 12);
        pad_count(out, f->missing, 12);
        pad_count(out, f->negative, 12);
        end_line(out);
    }
    if (empty == 0) return;
    su_buf_printf(out, "  Nothing in this file fills %zu of %zu columns:", empty, r->field_count);
    size_t at = 0;
    for (size_t i = 0; i < r->field_count; i++) {
        if (r->fields[i].provided) continue;
        size_t own = words_width(su_str_of(r->fields[i].field));
        if (at > 0 && at + own > 110) at = 0;
        su_buf_printf(out, "%s%s", at == 0 ? "\n    " : " ", r->fields[i].field);
        at += own + 1;
    }
    su_buf_char(out, '\n');
}

static void write_rejects(const su_harmonise_report *r, su_buf *out)
{
    if (r->reject_count == 0) return;
    su_buf_text(out, "\nRejected rows\n");
    for (size_t i = 0; i < r->reject_count && i < SHOWN_REJECTS; i++) {
        const su_reject *x = &r->rejects[i];
        su_buf_printf(out, "  line %u", x->line);
        if (*x->column != '\0') su_buf_printf(out, ", column \"%s\"", x->column);
        if (*x->value != '\0') {
            su_buf_text(out, ", value \"");
            su_str value = su_str_of(x->value);
            size_t own = words_width(value);
            words_pad(out, value, own < 60 ? own : 60, false);
            su_buf_char(out, '"');
        }
        su_buf_printf(out, ": %s\n", x->reason);
    }
    if (r->rows_rejected > SHOWN_REJECTS)
        su_buf_printf(out, "  and %llu more rows\n", (unsigned long long)(r->rows_rejected - SHOWN_REJECTS));
}

/* Soft rules that nobody breaks are no news. */
static void write_rules(const su_harmonise_report *r, su_buf *out)
{
    bool headed = false;
    for (size_t i = 0; i < r->rule_count; i++) {
        const su_rule_report *x = &r->rules[i];
        if (x->missing + x->against == 0) continue;
        if (!headed) su_buf_text(out, "\nRules of the schema that records do not follow\n");
        headed = true;
        su_buf_printf(out, "  %s%s: %s\n    of ", x->name, x->soft ? " (a note: nothing rests on it)" : "", x->text);
        words_count(out, x->rows);
        su_buf_text(out, " records that meet the condition, ");
        words_count(out, x->missing);
        su_buf_text(out, " say nothing about the other column, ");
        words_count(out, x->against);
        su_buf_text(out, " say otherwise\n");
        if (!x->soft)
            su_buf_text(out, "    a release fills in what is missing and leaves out what contradicts (docs/methods/structural-zeros.md)\n");
    }
}

void su_harmonise_report_text(const su_harmonise_report *r, su_buf *out)
{
    su_buf_printf(out, "%s", r->source);
    if (r->sheet != NULL) su_buf_printf(out, ", sheet \"%s\"", r->sheet);
    if (*r->encoding != '\0') su_buf_printf(out, " (%s)", r->encoding);
    su_buf_printf(out, " in the schema %s\n  rows read ", r->schema);
    words_count(out, r->rows_in);
    if (r->rows_margin > 0) {
        su_buf_text(out, ", totals ");
        words_count(out, r->rows_margin);
    }
    if (r->rows_blank > 0) {
        su_buf_text(out, ", blank ");
        words_count(out, r->rows_blank);
    }
    su_buf_text(out, ", rejected ");
    words_count(out, r->rows_rejected);
    su_buf_text(out, ", person rows ");
    words_count(out, r->rows_out);
    if (r->rows_expanded > 0) su_buf_text(out, " (counted by a column of numbers)");
    su_buf_char(out, '\n');
    if (*r->margins != '\0') su_buf_printf(out, "\n%s\n", r->margins);
    write_columns(r, out);
    write_unmapped(r, out);
    write_rejects(r, out);
    write_rules(r, out);
    write_fields(r, out);
}

static void column_json(const su_column_report *c, su_json *j)
{
    su_json_object(j);
    su_json_kv_text(j, "source", c->source);
    su_json_kv_text(j, "targets", c->targets);
    su_json_kv_text(j, "coverage", c->coverage);
    su_json_kv_int(j, "distinct", (int64_t)c->distinct);
    su_json_kv_int(j, "rows_filled", (int64_t)c->rows_filled);
    su_json_kv_int(j, "rows_mapped", (int64_t)c->rows_mapped);
    su_json_kv_int(j, "rows_missing", (int64_t)c->rows_missing);
    su_json_kv_int(j, "rows_unmapped", (int64_t)c->rows_unmapped);
    su_json_key(j, "unmapped");
    su_json_array(j);
    for (size_t k = 0; k < c->unmapped_count; k++) {
        su_json_object(j);
        su_json_kv_text(j, "value", c->unmapped[k].value);
        su_json_kv_int(j, "rows", (int64_t)c->unmapped[k].rows);
        su_json_kv_text(j, "suggestion", c->unmapped[k].suggestion);
        su_json_end(j);
    }
    su_json_end(j);
    su_json_end(j);
}

static void field_json(const su_field_report *f, su_json *j)
{
    su_json_object(j);
    su_json_kv_text(j, "field", f->field);
    su_json_kv_bool(j, "provided", f->provided);
    su_json_kv_int(j, "values", (int64_t)f->values);
    su_json_kv_int(j, "missing", (int64_t)f->missing);
    su_json_kv_int(j, "negative", (int64_t)f->negative);
    su_json_end(j);
}

static void reject_json(const su_reject *x, su_json *j)
{
    su_json_object(j);
    su_json_kv_int(j, "line", x->line);
    su_json_kv_text(j, "column", x->column);
    su_json_kv_text(j, "value", x->value);
    su_json_kv_text(j, "reason", x->reason);
    su_json_end(j);
}

static void rule_json(const su_rule_report *x, su_json *j)
{
    su_json_object(j);
    su_json_kv_text(j, "name", x->name);
    su_json_kv_text(j, "rule", x->text);
    su_json_kv_bool(j, "soft", x->soft);
    su_json_kv_int(j, "rows", (int64_t)x->rows);
    su_json_kv_int(j, "missing", (int64_t)x->missing);
    su_json_kv_int(j, "against", (int64_t)x->against);
    su_json_end(j);
}

void su_harmonise_report_json(const su_harmonise_report *r, su_json *j)
{
    su_json_object(j);
    su_json_kv_text(j, "source", r->source);
    su_json_kv_text(j, "sheet", r->sheet);
    su_json_kv_text(j, "encoding", r->encoding);
    su_json_kv_text(j, "schema", r->schema);
    su_json_kv_int(j, "rows_in", (int64_t)r->rows_in);
    su_json_kv_int(j, "rows_out", (int64_t)r->rows_out);
    su_json_kv_int(j, "rows_rejected", (int64_t)r->rows_rejected);
    su_json_kv_int(j, "rows_margin", (int64_t)r->rows_margin);
    su_json_kv_int(j, "rows_blank", (int64_t)r->rows_blank);
    su_json_kv_int(j, "rows_expanded", (int64_t)r->rows_expanded);
    su_json_kv_text(j, "margins", r->margins);
    su_json_key(j, "columns");
    su_json_array(j);
    for (size_t i = 0; i < r->column_count; i++) column_json(&r->columns[i], j);
    su_json_end(j);
    su_json_key(j, "fields");
    su_json_array(j);
    for (size_t i = 0; i < r->field_count; i++) field_json(&r->fields[i], j);
    su_json_end(j);
    su_json_key(j, "rules");
    su_json_array(j);
    for (size_t i = 0; i < r->rule_count; i++) rule_json(&r->rules[i], j);
    su_json_end(j);
    su_json_key(j, "rejects");
    su_json_array(j);
    for (size_t i = 0; i < r->reject_count; i++) reject_json(&r->rejects[i], j);
    su_json_end(j);
    su_json_end(j);
}
