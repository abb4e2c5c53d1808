/* One worksheet into a raw table. Cells come row by row, sparse; the first row with a filled cell is the header. */
#include "xlsx.h"

#include "builder.h"
#include "header.h"

#include <stdlib.h>
#include <string.h>

#define MAX_ROWS (1u << 20)
#define MAX_GRID ((uint64_t)1 << 28)
#define MAX_MERGES 100000u
#define MAX_LISTED 20u

typedef struct range {
    uint32_t from_column, from_row, to_column, to_row;
} range;

/* A header row: texts end to end in one buffer, by column. */
typedef struct header_row {
    uint32_t number;
    su_str *cells;
    uint32_t count;
    size_t capacity;
} header_row;

typedef struct sheet_reader {
    xlsx_package *pkg;
    const xlsx_workbook *book;
    const xlsx_sheet_entry *sheet;
    unsigned header_rows;
    su_arena arena; /* header texts */
    header_row headers[2];
    uint32_t header_count; /* header rows begun */
    table_builder builder;
    uint32_t row;                      /* number of the row being read, from 1 */
    uint32_t cell_column, last_column; /* from 0; last_column is one behind the last cell */
    bool row_filled;
    /* the cell being read */
    char type[12];
    unsigned style;
    bool has_formula, has_value, in_value, in_inline, in_text;
    unsigned phonetic;
    su_buf text, number;
    size_t too_long;
    range *merges;
    size_t merge_count, merge_capacity;
    su_buf bad_cells;
    size_t bad_count; /* cells with error values */
    su_buf blank_formulas;
    size_t blank_count;
} sheet_reader;

static su_status fail_cell(const sheet_reader *r, const char *reason)
{
    char at[24];
    xlsx_cell_name(r->cell_column, r->row, at);
    return su_fail(r->pkg->ctx, SU_INPUT, "%s, sheet \"%s\", cell %s (line %u, column %u): %s", r->pkg->name, r->sheet->name, at, r->row,
                   r->cell_column + 1, reason);
}

static su_status fail_order(const sheet_reader *r)
{
    return fail_cell(
        r, "rows and cells are not in order. The file is damaged. Open it in a spreadsheet program, save it again and read that.");
}

static void list_cell(const sheet_reader *r, su_buf *list, size_t *count, su_str what)
{
    char at[24];
    if ((*count)++ >= MAX_LISTED) return;
    xlsx_cell_name(r->cell_column, r->row, at);
    su_buf_printf(list, "%s%s", list->n > 0 ? ", " : "", at);
    if (what.n > 0) su_buf_printf(list, " (%.*s)", (int)(what.n < 12 ? what.n : 12), what.p);
}

/* ---- placing a cell ---- */

static void put_header(sheet_reader *r, header_row *h, su_str text)
{
    h->cells = su_grow(h->cells, &h->capacity, (size_t)r->cell_column + 1, sizeof *h->cells);
    while (h->count <= r->cell_column) h->cells[h->count++] = (su_str) { "", 0 };
    h->cells[r->cell_column] = (su_str) { su_arena_strndup(&r->arena, text.p, text.n), text.n };
}

/* Header row of the row being read, NULL if it is data. The first filled row starts the header; a second one follows it directly. */
static header_row *header_of_row(sheet_reader *r)
{
    if (r->header_count == 0) {
        r->headers[0].number = r->row;
        r->headers[1].number = r->header_rows >= 2 ? r->row + 1 : 0;
        r->header_count = r->header_rows >= 2 ? 2 : 1;
    }
    for (uint32_t i = 0; i < r->header_count; i++)
        if (r->headers[i].number == r->row) return &r->headers[i];
    return NULL;
}

static su_status put_cell(sheet_reader *r, su_str text)
{
    if (text.n == 0) return SU_OK;
    if (r->cell_column >= SU_MAX_COLUMNS)
        return fail_cell(r, "beyond column 4,096. Delete columns that are not needed, or split the table.");
    if (r->row > MAX_ROWS) return fail_cell(r, "beyond row 1,048,576. Split the table.");
    if (text.n > SU_MAX_CELL_BYTES) return fail_cell(r, "a cell of more than 1 MiB. Shorten it.");
    header_row *h = header_of_row(r);
    if (h != NULL) {
        put_header(r, h, text);
        return SU_OK;
    }
    table_builder *b = &r->builder;
    if (!r->row_filled) {
        builder_row(b, r->row);
        r->row_filled = true;
    }
    builder_columns(b, r->cell_column + 1);
    if (b->row_count * b->column_count > MAX_GRID)
        return fail_cell(r, "more than 268 million cells from the first to here. Split the table.");
    builder_cell(b, r->cell_column, text.p, text.n);
    return SU_OK;
}

static su_status put_shared(sheet_reader *r, su_str stored)
{
    int64_t index = 0;
    const xlsx_workbook *book = r->book;
    if (!su_parse_i64(stored, &index) || index < 0 || (uint64_t)index >= book->string_count)
        return fail_cell(
            r,
            "it names a shared text that the file does not have. The file is damaged. Open it in a spreadsheet program and save it again.");
    size_t from = index == 0 ? 0 : book->string_ends[index - 1];
    return put_cell(r, (su_str) { book->strings.p == NULL ? "" : book->strings.p + from, book->string_ends[index] - from });
}

static su_status put_number(sheet_reader *r, su_str stored)
{
    xlsx_format format = r->style < r->book->format_count ? r->book->formats[r->style] : FORMAT_NUMBER;
    r->number.n = 0;
    if (!xlsx_number_text(stored, format, r->book->date1904, &r->number))
        return fail_cell(r,
                         "it is stored as a number but is none. The file is damaged. Open it in a spreadsheet program and save it again.");
    return put_cell(r, (su_str) { r->number.p, r->number.n });
}

/* ECMA-376 part 1, 18.18.11 (ST_CellType). */
static su_status finish_cell(sheet_reader *r)
{
    su_str text = { r->text.p == NULL ? "" : r->text.p, r->text.n };
    bool is_text = strcmp(r->type, "str") == 0;
    if (r->too_long > 0) return fail_cell(r, "a cell of more than 1 MiB. Shorten it.");
    if (r->has_formula && (!r->has_value || (text.n == 0 && !is_text))) {
        list_cell(r, &r->blank_formulas, &r->blank_count, (su_str) { "", 0 });
        return SU_OK;
    }
    if (strcmp(r->type, "inlineStr") == 0 || is_text) {
        xlsx_unescape(&r->text, 0);
        return put_cell(r, (su_str) { r->text.p, r->text.n });
    }
    text = su_str_trim(text);
    if (text.n == 0) return SU_OK;
    if (strcmp(r->type, "s") == 0) return put_shared(r, text);
    if (strcmp(r->type, "b") == 0) return put_cell(r, xml_flag(r->text.p) ? SU_STR("TRUE") : SU_STR("FALSE"));
    if (strcmp(r->type, "d") == 0) return put_cell(r, text);
    if (strcmp(r->type, "e") == 0) {
        list_cell(r, &r->bad_cells, &r->bad_count, text);
        return SU_OK;
    }
    return put_number(r, text);
}

/* ---- XML ---- */

static su_status start_row(sheet_reader *r, const char **attributes)
{
    const char *number = xml_attribute(attributes, "r");
    int64_t row = (int64_t)r->row + 1;
    r->cell_column = 0;
    if ((number != NULL && !su_parse_i64(su_str_of(number), &row)) || row <= (int64_t)r->row || row > UINT32_MAX / 2) return fail_order(r);
    r->row = (uint32_t)row;
    r->last_column = 0;
    r->row_filled = false;
    if (su_cancelled(r->pkg->ctx)) return su_fail(r->pkg->ctx, SU_CANCELLED, "Reading %s was interrupted.", r->pkg->name);
    return SU_OK;
}

static su_status start_cell(sheet_reader *r, const char **attributes)
{
    const char *at = xml_attribute(attributes, "r"), *type = xml_attribute(attributes, "t"), *style = xml_attribute(attributes, "s");
    uint32_t column = r->last_column, row = r->row;
    int64_t style_number = 0;
    if (at != NULL && !xlsx_cell_reference(at, &column, &row)) return fail_order(r);
    r->cell_column = column;
    if (row != r->row || column < r->last_column) return fail_order(r);
    r->last_column = column + 1;
    snprintf(r->type, sizeof r->type, "%s", type == NULL ? "n" : type);
    r->style = style != NULL && su_parse_i64(su_str_of(style), &style_number) && style_number >= 0 && style_number < UINT32_MAX
                   ? (unsigned)style_number
                   : 0;
    r->has_formula = r->has_value = r->in_value = r->in_inline = r->in_text = false;
    r->phonetic = 0;
    r->too_long = 0;
    r->text.n = 0;
    if (r->text.p != NULL) r->text.p[0] = '\0';
    return SU_OK;
}

static void add_merge(sheet_reader *r, const char **attributes)
{
    const char *ref = xml_attribute(attributes, "ref");
    char from[24];
    range m = { 0 };
    const char *colon = ref == NULL ? NULL : strchr(ref, ':');
    if (colon == NULL || (size_t)(colon - ref) >= sizeof from || r->merge_count >= MAX_MERGES) return;
    memcpy(from, ref, (size_t)(colon - ref));
    from[colon - ref] = '\0';
    if (!xlsx_cell_reference(from, &m.from_column, &m.from_row) || !xlsx_cell_reference(colon + 1, &m.to_column, &m.to_row)) return;
    r->merges = su_grow(r->merges, &r->merge_capacity, r->merge_count + 1, sizeof *r->merges);
    r->merges[r->merge_count++] = m;
}

static su_status sheet_start(void *user, const char *name, const char **attributes)
{
    sheet_reader *r = user;
    if (strcmp(name, "c") == 0) return start_cell(r, attributes);
    if (strcmp(name, "row") == 0) return start_row(r, attributes);
    if (strcmp(name, "v") == 0) {
        r->in_value = r->has_value = true;
    } else if (strcmp(name, "f") == 0) {
        r->has_formula = true;
    } else if (strcmp(name, "is") == 0) {
        r->in_inline = r->has_value = true;
    } else if (strcmp(name, "rPh") == 0) {
        r->phonetic++;
    } else if (strcmp(name, "t") == 0) {
        r->in_text = r->in_inline && r->phonetic == 0;
    } else if (strcmp(name, "mergeCell") == 0) {
        add_merge(r, attributes);
    }
    return SU_OK;
}

static su_status sheet_end(void *user, const char *name)
{
    sheet_reader *r = user;
    if (strcmp(name, "v") == 0)
        r->in_value = false;
    else if (strcmp(name, "t") == 0)
        r->in_text = false;
    else if (strcmp(name, "is") == 0)
        r->in_inline = false;
    else if (strcmp(name, "rPh") == 0 && r->phonetic > 0)
        r->phonetic--;
    else if (strcmp(name, "c") == 0)
        return finish_cell(r);
    return SU_OK;
}

static void sheet_text(void *user, const char *p, size_t n)
{
    sheet_reader *r = user;
    if (!r->in_value && !r->in_text) return;
    if (r->text.n + n > SU_MAX_CELL_BYTES)
        r->too_long++;
    else
        su_buf_add(&r->text, p, n);
}

/* ---- the whole ---- */

/* Every cell of a merged range has the text of its first cell; only header rows ask for it. */
static void spread_merges(sheet_reader *r)
{
    for (size_t i = 0; i < r->merge_count; i++) {
        const range *m = &r->merges[i];
        su_str text = { "", 0 };
        for (uint32_t h = 0; h < r->header_count; h++)
            if (r->headers[h].number == m->from_row && m->from_column < r->headers[h].count) text = r->headers[h].cells[m->from_column];
        for (uint32_t h = 0; h < r->header_count && text.n > 0; h++) {
            if (r->headers[h].number < m->from_row || r->headers[h].number > m->to_row) continue;
            uint32_t last = m->to_column < SU_MAX_COLUMNS ? m->to_column : SU_MAX_COLUMNS - 1;
            for (r->cell_column = m->from_column; r->cell_column <= last; r->cell_column++) put_header(r, &r->headers[h], text);
        }
    }
}

static void note_merged_data(const sheet_reader *r)
{
    for (size_t i = 0; i < r->merge_count; i++) {
        const range *m = &r->merges[i];
        if (m->from_row <= r->headers[r->header_count - 1].number) continue;
        char at[24];
        xlsx_cell_name(m->from_column, m->from_row, at);
        su_log(r->pkg->ctx, "%s, sheet \"%s\": merged cells below the header, the first at %s. Their text counts for the first cell only.",
               r->pkg->name, r->sheet->name, at);
        return;
    }
}

static su_status fail_listed(const sheet_reader *r)
{
    if (r->bad_count > 0)
        return su_fail(r->pkg->ctx, SU_INPUT,
                       "%s, sheet \"%s\": %zu cell%s with an error value: %s%s. Correct or clear them, save and read again.", r->pkg->name,
                       r->sheet->name, r->bad_count, r->bad_count == 1 ? "" : "s", r->bad_cells.p,
                       r->bad_count > MAX_LISTED ? ", ..." : "");
    if (r->blank_count > 0)
        return su_fail(r->pkg->ctx, SU_INPUT,
                       "%s, sheet \"%s\": %zu cell%s with a formula whose result is not stored in the file: %s%s. Open it in a spreadsheet "
                       "program, let it calculate, save and read again.",
                       r->pkg->name, r->sheet->name, r->blank_count, r->blank_count == 1 ? "" : "s", r->blank_formulas.p,
                       r->blank_count > MAX_LISTED ? ", ..." : "");
    return SU_OK;
}

/* Both header rows as wide as the table; columns without any text at the right end are none. */
static uint32_t widen_headers(sheet_reader *r)
{
    uint32_t width = r->builder.column_count;
    for (uint32_t h = 0; h < r->header_count; h++)
        for (uint32_t c = 0; c < r->headers[h].count; c++)
            if (r->headers[h].cells[c].n > 0 && c >= width) width = c + 1;
    for (uint32_t h = 0; h < r->header_count; h++) {
        header_row *row = &r->headers[h];
        row->cells = su_grow(row->cells, &row->capacity, (size_t)width + 1, sizeof *row->cells);
        while (row->count < width) row->cells[row->count++] = (su_str) { "", 0 };
    }
    return width;
}

static su_status make_table(sheet_reader *r, su_raw_table **out)
{
    char **names = NULL;
    if (r->header_count == 2) spread_merges(r);
    uint32_t width = widen_headers(r);
    builder_columns(&r->builder, width);
    if (r->builder.row_count * width > MAX_GRID)
        return fail_cell(r, "more than 268 million cells from the first to here. Split the table.");
    char *where = su_arena_printf(&r->arena, "%s, sheet \"%s\", line %u", r->pkg->name, r->sheet->name, r->headers[0].number);
    const su_str *top = r->header_count == 2 ? r->headers[0].cells : NULL;
    su_status status = header_names(r->pkg->ctx, where, top, r->headers[r->header_count - 1].cells, width, &names);
    if (status != SU_OK) return status;
    note_merged_data(r);
    *out = builder_finish(&r->builder, names, r->pkg->name);
    (*out)->sheet = su_strdup(r->sheet->name);
    free(names);
    return SU_OK;
}

su_status xlsx_sheet_read(xlsx_package *pkg, const xlsx_workbook *book, const xlsx_sheet_entry *sheet, unsigned header_rows,
                          su_raw_table **out)
{
    static const xml_handler handler = { sheet_start, sheet_end, sheet_text };
    sheet_reader r = { .pkg = pkg, .book = book, .sheet = sheet, .header_rows = header_rows };
    su_arena_init(&r.arena);
    *out = NULL;
    su_status status = xlsx_xml(pkg, sheet->entry, true, &handler, &r);
    if (status == SU_OK) status = fail_listed(&r);
    if (status == SU_OK && r.header_count > 0) status = make_table(&r, out);
    builder_free(&r.builder);
    for (int h = 0; h < 2; h++) free(r.headers[h].cells);
    free(r.merges);
    su_buf_free(&r.text);
    su_buf_free(&r.number);
    su_buf_free(&r.bad_cells);
    su_buf_free(&r.blank_formulas);
    su_arena_free(&r.arena);
    return status;
}
