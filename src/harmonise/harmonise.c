/* The work from end to end: bind columns, find totals, fill fields, reject rows, expand weights, report. */
#include <stdlib.h>
#include <string.h>

#include "evaluate.h"
#include "hint.h"
#include "margins.h"
#include "report.h"

#define MAX_PEOPLE 50000000u

enum { WEIGHT_MISSING = -1, WEIGHT_BAD = -2 };

typedef struct work {
    evaluation e;
    const su_raw_table *raw;
    const su_mapping *m;
    const su_harmonise_options *opts;
    su_harmonise_report *report;
    int *columns;
    uint8_t *state;        /* row_state per source row */
    int64_t *weight_of;    /* per distinct value of the weight column, NULL without one */
    uint32_t *record_of;   /* per distinct value of the record column: id of its trimmed text in record_texts */
    su_dict *record_texts; /* "" is 0 */
} work;

/* "Sex" and "sex" in a mapping are one column, unless the file has both. */
static bool is_ambiguous(const work *w, const map_source *source)
{
    su_arena arena;
    size_t alike = 0;
    if (!source->respelled) return false;
    su_arena_init(&arena);
    su_str key = su_text_fold(&arena, source->name);
    for (uint32_t c = 0; c < w->raw->column_count; c++)
        alike += su_str_equal(su_text_fold(&arena, su_str_of(w->raw->columns[c].name)), key);
    su_arena_free(&arena);
    return alike > 1;
}

/* What is only dropped, whole or in part, may be absent. */
static bool is_optional(const map_source *s) { return s->use_line == 0 && (s->drop_line != 0 || s->dropped != NULL); }

/* Every source column must be there; a column to be dropped may be absent. All missing ones are named at once. */
static su_status bind_columns(work *w)
{
    const su_mapping *m = w->m;
    su_buf missing = { 0 };
    size_t count = 0;
    for (size_t s = 0; s < m->source_count; s++) {
        const map_source *source = &m->sources[s];
        w->columns[s] = source->chained >= 0 || is_ambiguous(w, source) ? -1 : su_raw_table_column(w->raw, source->name);
        if (w->columns[s] >= 0 || source->chained >= 0 || is_optional(source)) continue;
        if (count++ >= 10) continue;
        su_buf_printf(&missing, "%s\"%.*s\" (%s, line %u)", count > 1 ? ", " : "", (int)source->name.n, source->name.p, m->name,
                      source->use_line);
    }
    su_status st = SU_OK;
    if (count > 0) {
        if (count > 10) su_buf_text(&missing, ", ...");
        su_buf_text(&missing, ". Compare the header line with the mapping.");
        hint_table(w->raw, &missing);
        st = su_fail(w->e.ctx, SU_INPUT, "%s: %zu column%s of the mapping %s not in the file, or there more than once: %s", w->raw->source,
                     count, count == 1 ? "" : "s", count == 1 ? "is" : "are", missing.p);
    }
    su_buf_free(&missing);
    return st;
}

static bool is_blank(su_str text)
{
    su_arena scratch;
    text = su_str_trim(text);
    if (text.n == 0 || (unsigned char)text.p[0] < 0x80) return text.n == 0;
    su_arena_init(&scratch);
    bool blank = su_text_fold(&scratch, text).n == 0; /* blanks beyond ASCII, characters without an appearance */
    su_arena_free(&scratch);
    return blank;
}

/* Lines of delimiters, and rows that a spreadsheet only formatted: nobody stands in them. */
static void find_blank_rows(work *w)
{
    const su_raw_table *raw = w->raw;
    if (raw->column_count == 0) return;
    for (uint64_t r = 0; r < raw->row_count; r++) w->state[r] = ROW_BLANK;
    for (uint32_t c = 0; c < raw->column_count; c++) {
        const su_raw_column *column = &raw->columns[c];
        bool *blank = su_alloc_array(su_dict_count(column->values), sizeof *blank);
        for (uint32_t i = 0; i < su_dict_count(column->values); i++) blank[i] = is_blank(su_dict_get(column->values, i));
        uint64_t left = 0;
        for (uint64_t r = 0; r < raw->row_count; r++) {
            if (!blank[su_raw_id(column, r)]) w->state[r] = ROW_KEPT;
            left += w->state[r] == ROW_BLANK;
        }
        free(blank);
        w->report->rows_blank = left;
        if (left == 0) return;
    }
}

/* What to write instead of 1.200, which may be 1200 or 1 and a fifth. */
static const char *weight_advice(su_str text, char *buf, size_t size)
{
    char digits[32], separator = 0;
    snprintf(buf, size, "the number of people is not a whole number of 0 or more");
    if (without_groups(text, digits, &separator) && digits[0] != '-')
        snprintf(buf, size, "the number of people is not clear: write %s, without a separator", digits);
    return buf;
}

static void read_weights(work *w)
{
    if (w->m->weight < 0) return;
    const su_dict *values = w->raw->columns[w->columns[w->m->weight]].values;
    uint32_t n = su_dict_count(values);
    w->weight_of = su_alloc_array(n, sizeof *w->weight_of);
    for (uint32_t i = 0; i < n; i++) {
        su_str text = su_str_trim(su_dict_get(values, i));
        int64_t value = 0;
        char digits[32], separator = 0;
        bool unclear = without_groups(text, digits, &separator) && separator == '.'; /* 1.000 is 1000 to some, 1 to others */
        bool good = !unclear && integer_parse(text, &value) && value >= 0;
        w->weight_of[i] = good ? value : text.n == 0 ? WEIGHT_MISSING : WEIGHT_BAD;
    }
}

static su_status find_margins(work *w)
{
    margins found;
    su_buf text = { 0 };
    su_status st = SU_OK;
    margins_find(w->raw, w->m, w->columns, w->weight_of, w->state, ROW_MARGIN, &found);
    margins_describe(&found, w->raw, &text);
    w->report->rows_margin = found.rows;
    if (text.n > 0) w->report->margins = su_arena_strndup(&w->report->arena, text.p, text.n);
    bool exclude = w->opts->margins == SU_MARGINS_EXCLUDE || found.undeclared == 0;
    if (!exclude)
        st = su_fail(w->e.ctx, SU_REFUSED,
                     "%s: %s\nNothing was imported. Leave the totals out (--margins exclude), or remove them from the file. If one of "
                     "these values is "
                     "no total, say what it means in a value row of the mapping.",
                     w->raw->source, text.p);
    su_buf_free(&text);
    margins_free(&found);
    return st;
}

/* ---- rejects --------------------------------------------------------------------------------------------------------- */

static void reject(work *w, uint64_t row, size_t source, bool show, const char *reason)
{
    w->state[row] = ROW_REJECTED;
    w->report->rows_rejected++;
    const su_raw_column *column = source == SIZE_MAX || w->columns[source] < 0 ? NULL : &w->raw->columns[w->columns[source]];
    su_str value = column == NULL || !show ? (su_str) { "", 0 } : su_dict_get(column->values, su_raw_id(column, row));
    report_reject(w->report, w->raw->row_line[row], column == NULL ? NULL : column->name, value, reason);
}

static void index_records(work *w)
{
    if (w->m->record < 0) return;
    const su_dict *values = w->raw->columns[w->columns[w->m->record]].values;
    uint32_t n = su_dict_count(values);
    w->record_texts = su_dict_new();
    su_dict_add(w->record_texts, (su_str) { "", 0 });
    w->record_of = su_alloc_array(n, sizeof *w->record_of);
    for (uint32_t i = 0; i < n; i++) w->record_of[i] = su_dict_add(w->record_texts, su_str_trim(su_dict_get(values, i)));
}

static uint32_t record_id(const work *w, uint64_t row) { return w->record_of[su_raw_id(&w->raw->columns[w->columns[w->m->record]], row)]; }

static void check_record(work *w, uint64_t row, uint32_t *first_line)
{
    uint32_t id = record_id(w, row);
    char reason[120];
    if (id == 0) {
        reject(w, row, (size_t)w->m->record, false, "the record number is empty");
    } else if (first_line[id] != 0) {
        snprintf(reason, sizeof reason, "the record number is already on line %u", first_line[id]);
        reject(w, row, (size_t)w->m->record, false, reason);
    } else {
        first_line[id] = w->raw->row_line[row];
    }
}

static bool cell_is_filled(const su_case_column *c, uint64_t row)
{
    if (c->ids != NULL) return c->ids[row] != 0;
    if (c->sets == NULL) return su_cell_is_value(su_case_cell(c, row)) || su_case_cell(c, row) == SU_CELL_NEGATIVE;
    for (uint32_t i = 0; i < c->words; i++)
        if (c->sets[row * c->words + i] != 0) return true;
    return false;
}

static void check_required(work *w, uint64_t row)
{
    const su_schema *s = w->m->schema;
    for (uint32_t f = 0; f < s->field_count; f++) {
        if (!s->fields[f].required || cell_is_filled(&w->e.table->columns[f], row)) continue;
        const map_target *t = &w->m->targets[f];
        size_t source = t->pair_count == 0 ? SIZE_MAX : w->m->pairs[t->pairs[0]].source;
        char reason[300];
        snprintf(reason, sizeof reason, "%.200s is required and has no valid value", s->fields[f].name);
        reject(w, row, source, source != SIZE_MAX && !report_hides(w->m, source), reason);
        return;
    }
}

static su_status reject_rows(work *w)
{
    uint32_t *first_line = w->record_texts == NULL ? NULL : su_alloc_array(su_dict_count(w->record_texts), sizeof *first_line);
    const su_raw_column *weights = w->weight_of == NULL ? NULL : &w->raw->columns[w->columns[w->m->weight]];
    bool required = false;
    char advice[120];
    for (uint32_t f = 0; f < w->m->schema->field_count; f++) required |= w->m->schema->fields[f].required;
    for (uint64_t r = 0; r < w->raw->row_count; r++) {
        if (w->state[r] != ROW_KEPT) continue;
        if (first_line != NULL) check_record(w, r, first_line);
        int64_t weight = weights == NULL || w->state[r] != ROW_KEPT ? 1 : w->weight_of[su_raw_id(weights, r)];
        if (weight == WEIGHT_MISSING) reject(w, r, (size_t)w->m->weight, true, "the number of people is empty");
        if (weight == WEIGHT_BAD)
            reject(w, r, (size_t)w->m->weight, true, weight_advice(su_dict_get(weights->values, su_raw_id(weights, r)), advice, sizeof advice));
        if (required && w->state[r] == ROW_KEPT) check_required(w, r);
    }
    free(first_line);
    if (w->report->rows_rejected <= w->opts->max_rejected) return SU_OK;
    const su_reject *first = &w->report->rejects[0];
    return su_fail(w->e.ctx, SU_REFUSED,
                   "%s: %llu rows are rejected, more than the %llu allowed. The first: line %u, column \"%s\": %s. Nothing was imported; "
                   "correct the file, or allow more rejected rows",
                   w->raw->source, (unsigned long long)w->report->rows_rejected, (unsigned long long)w->opts->max_rejected, first->line,
                   first->column, first->reason);
}

/* ---- from source rows to person rows -------------------------------------------------------------------------------- */

static uint64_t people_of(const work *w, uint64_t row)
{
    if (w->state[row] != ROW_KEPT) return 0;
    if (w->weight_of == NULL) return 1;
    return (uint64_t)w->weight_of[su_raw_id(&w->raw->columns[w->columns[w->m->weight]], row)];
}

static su_status count_people(work *w, uint64_t *out)
{
    uint64_t total = 0;
    for (uint64_t r = 0; r < w->raw->row_count; r++) {
        if (__builtin_add_overflow(total, people_of(w, r), &total) || (w->weight_of != NULL && total > MAX_PEOPLE))
            return su_fail(w->e.ctx, SU_REFUSED,
                           "%s, line %u: the column \"%s\" counts more than %u people so far; is it really a number of people?",
                           w->raw->source, w->raw->row_line[r], w->raw->columns[w->columns[w->m->weight]].name, MAX_PEOPLE);
    }
    *out = total;
    return SU_OK;
}

static void gather_column(const su_case_column *from, su_case_column *to, const uint32_t *origin, uint64_t rows)
{
    if (from->ids == NULL && from->sets == NULL)
        for (uint64_t r = 0; r < rows; r++) su_case_put(to, r, su_case_cell(from, origin[r]));
    if (from->ids != NULL) {
        for (uint64_t r = 0; r < rows; r++) to->ids[r] = from->ids[origin[r]];
        for (uint32_t i = 0; i < su_dict_count(from->texts); i++) su_dict_add(to->texts, su_dict_get(from->texts, i));
    }
    if (from->sets == NULL) return;
    for (uint64_t r = 0; r < rows; r++) {
        to->set_reason[r] = from->set_reason[origin[r]];
        memcpy(to->sets + r * to->words, from->sets + (size_t)origin[r] * from->words, to->words * sizeof *to->sets);
    }
}

/* One row per person, in source order. Nothing is copied when every source row is a person. */
static su_case_table *make_people(work *w, uint64_t people, uint32_t **origin)
{
    uint64_t n = 0;
    *origin = su_alloc_array(people, sizeof **origin);
    for (uint64_t r = 0; r < w->raw->row_count; r++)
        for (uint64_t k = people_of(w, r); k > 0; k--) (*origin)[n++] = (uint32_t)r;
    bool same = people == w->raw->row_count;
    for (uint64_t r = 0; same && r < people; r++) same = (*origin)[r] == r;
    if (same) return w->e.table;
    su_case_table *t = su_case_table_new(w->m->schema, people);
    t->narrow = w->e.table->narrow;
    for (uint32_t f = 0; f < w->m->schema->field_count; f++) {
        if (!w->e.table->columns[f].provided) continue;
        su_case_table_provide(t, f);
        gather_column(&w->e.table->columns[f], &t->columns[f], *origin, people);
        su_case_table_drop(w->e.table, f);
    }
    su_case_table_free(w->e.table);
    w->e.table = NULL;
    return t;
}

/* The file's own number, or the line; people counted by a weight get #1, #2, ... behind it. */
/* Without a record column a row is named after its file and line, "3fa9c1d2:17": lines alone would be the same in an organisation's next
 * file. */
static void name_records(const work *w, su_case_table *t, const uint32_t *origin)
{
    enum { FILE_BYTES = 4 };
    uint64_t nth = 0;
    su_buf name = { 0 };
    char file[2 * FILE_BYTES + 1];
    su_hex(w->raw->fingerprint.bytes, FILE_BYTES, file);
    for (uint64_t r = 0; r < t->row_count; r++) {
        uint32_t row = origin[r];
        su_str text = { "", 0 };
        char line[sizeof file + 12];
        if (w->record_of != NULL)
            text = su_dict_get(w->record_texts, record_id(w, row));
        else
            text = (su_str) { line, (size_t)snprintf(line, sizeof line, "%s:%u", file, w->raw->row_line[row]) };
        if (w->weight_of != NULL) {
            nth = r > 0 && origin[r - 1] == row ? nth + 1 : 1;
            name.n = 0;
            su_buf_add(&name, text.p, text.n);
            su_buf_printf(&name, "#%llu", (unsigned long long)nth);
            text = (su_str) { name.p, name.n };
        }
        t->record_ids[r] = su_dict_add(t->records, text);
    }
    if (name.p != NULL) su_wipe(name.p, name.capacity);
    su_buf_free(&name);
}

/* What is read once more after the fields are filled: who is rejected, and what a message about it shows. */
static void keep_columns(work *w)
{
    const su_mapping *m = w->m;
    const int roles[] = { m->record, m->weight };
    w->e.emptied = w->opts->emptied;
    w->e.kept = su_alloc_array(w->raw->column_count, sizeof *w->e.kept);
    for (size_t i = 0; i < sizeof roles / sizeof *roles; i++)
        if (roles[i] >= 0) w->e.kept[w->columns[roles[i]]] = true;
    for (uint32_t f = 0; f < m->schema->field_count; f++) {
        if (!m->schema->fields[f].required || m->targets[f].pair_count == 0) continue;
        int column = w->columns[m->pairs[m->targets[f].pairs[0]].source];
        if (column >= 0) w->e.kept[column] = true;
    }
}

static su_status run(work *w, su_case_table **out)
{
    uint64_t people = 0;
    uint32_t *origin = NULL;
    if (w->raw->row_count > UINT32_MAX)
        return su_fail(w->e.ctx, SU_INPUT, "%s: has more than %u rows; split the file", w->raw->source, UINT32_MAX);
    su_status st = bind_columns(w);
    if (st != SU_OK) return st;
    find_blank_rows(w);
    read_weights(w);
    st = find_margins(w);
    w->e.cell_rows = report_cell_rows(w->raw, w->state);
    if (st != SU_OK) {
        report_columns(w->report, &w->e, w->state);
        return st;
    }
    index_records(w);
    w->e.table = su_case_table_new(w->m->schema, w->raw->row_count);
    w->e.table->narrow = w->opts->narrow;
    keep_columns(w);
    st = evaluate(&w->e);
    if (st != SU_OK) return st;
    report_columns(w->report, &w->e, w->state);
    st = reject_rows(w);
    if (st == SU_OK) st = count_people(w, &people);
    if (st != SU_OK) return st;
    su_case_table *t = make_people(w, people, &origin);
    w->e.table = NULL;
    if (!w->opts->nameless) name_records(w, t, origin);
    if (w->e.emptied == NULL)
        t->source_rows = origin;
    else
        free(origin);
    w->report->rows_out = people;
    w->report->rows_expanded = w->weight_of == NULL ? 0 : people;
    report_fields(w->report, t);
    report_rules(w->report, t);
    *out = t;
    return SU_OK;
}

su_status su_harmonise(su_context *ctx, const su_raw_table *raw, const su_schema *schema, const su_mapping *mapping,
                       const su_harmonise_options *opts, su_case_table **out, su_harmonise_report **report)
{
    static const su_harmonise_options defaults = { .margins = SU_MARGINS_REFUSE, .max_rejected = UINT64_MAX };
    su_mapping *by_name = NULL;
    su_status st = SU_OK;

    *out = NULL;
    if (report != NULL) *report = NULL;
    if (mapping == NULL) {
        st = su_mapping_by_name(ctx, raw, schema, &by_name);
        if (st != SU_OK) return st;
        mapping = by_name;
    }
    work w = { .raw = raw, .m = mapping, .opts = opts == NULL ? &defaults : opts, .report = report_new(raw, schema) };
    w.columns = su_alloc_array(mapping->source_count, sizeof *w.columns);
    w.state = su_alloc_array(raw->row_count, sizeof *w.state);
    w.e = (evaluation) { .ctx = ctx, .raw = raw, .mapping = mapping, .columns = w.columns };
    w.e.views = su_alloc_array(mapping->source_count, sizeof *w.e.views);
    if (mapping->schema != schema)
        st = su_fail(ctx, SU_USAGE, "the mapping %s was read for the schema %s, not for %s", mapping->name, mapping->schema->name,
                     schema->name);
    else
        st = run(&w, out);
    for (size_t s = 0; s < mapping->source_count; s++)
        if (w.e.views[s].source != NULL) view_free(&w.e.views[s]);
    free(w.e.views);
    for (uint32_t c = 0; w.e.cell_rows != NULL && c < raw->column_count; c++) free(w.e.cell_rows[c]);
    free(w.e.cell_rows);
    free(w.e.kept);
    su_case_table_free(w.e.table);
    free(w.columns);
    free(w.state);
    free(w.weight_of);
    free(w.record_of);
    su_dict_free(w.record_texts);
    if (report != NULL)
        *report = w.report;
    else
        su_harmonise_report_free(w.report);
    su_mapping_free(by_name);
    return st;
}
