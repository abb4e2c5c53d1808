/* CSV reader: one pass over the text, cell by cell, into dictionary-encoded columns. No memory is taken per cell. */
#include "csv.h"

#include "builder.h"
#include "csv_feed.h"
#include "header.h"

#include <stdlib.h>
#include <string.h>

#define CSV_MAX_BYTES UINT32_MAX
#define CHECK_ROWS 65536u
#define ROWS_FOR_A_GUESS 8192u

typedef enum cell_end { END_CELL, END_ROW, END_TEXT, END_ERROR } cell_end;

typedef struct csv_cell {
    const char *p;
    size_t n;
} csv_cell;

typedef struct csv_parser {
    su_context *ctx;
    const char *name;
    const char *start, *p, *end;
    const char *line_start;
    uint32_t line;
    uint32_t column; /* of the cell being read, from 1: for messages */
    char delimiter;
    su_buf scratch;  /* a quoted cell with "" inside, undone */
    bool stops[256]; /* bytes that end a cell outside quotes */
    csv_feed *feed;  /* where more text comes from; NULL: it is all there */
} csv_parser;

static uint32_t character_at(const csv_parser *r, const char *at)
{
    return csv_position_of((su_str) { r->line_start, (size_t)(r->end - r->line_start) }, (size_t)(at - r->line_start)).character;
}

/* Moves behind the line end at *p. */
static void pass_line_end(csv_parser *r)
{
    if (*r->p == '\r' && r->p + 1 < r->end && r->p[1] == '\n') r->p++;
    r->p++;
    r->line++;
    r->line_start = r->p;
}

static cell_end after_cell(csv_parser *r)
{
    if (r->p >= r->end) return END_TEXT;
    if (*r->p == r->delimiter) {
        r->p++;
        return END_CELL;
    }
    pass_line_end(r);
    return END_ROW;
}

static cell_end too_long(csv_parser *r, uint32_t line)
{
    su_fail(r->ctx, SU_INPUT, "%s, line %u, column %u: a cell of more than %zu bytes. Is a closing quote missing, or is this no CSV file?",
            r->name, line, r->column, SU_MAX_CELL_BYTES);
    return END_ERROR;
}

/* Lines inside quotes count too. */
static void count_lines(csv_parser *r, const char *from, const char *to)
{
    while (from < to) {
        const char *lf = memchr(from, '\n', (size_t)(to - from));
        const char *stop = lf == NULL ? to : lf;
        for (const char *cr = from; (cr = memchr(cr, '\r', (size_t)(stop - cr))) != NULL; cr++) {
            if (cr + 1 == lf) break; /* a CR LF is counted at its LF */
            r->line++;
            r->line_start = cr + 1;
        }
        if (lf == NULL) return;
        r->line++;
        r->line_start = lf + 1;
        from = lf + 1;
    }
}

static cell_end read_quoted(csv_parser *r, csv_cell *cell)
{
    const char *open = r->p++;
    uint32_t open_line = r->line;
    const char *open_line_start = r->line_start;
    const char *from = r->p;
    bool undone = false;
    r->scratch.n = 0;
    for (;;) {
        const char *quote = memchr(r->p, '"', (size_t)(r->end - r->p));
        if (quote == NULL) {
            su_fail(r->ctx, SU_INPUT,
                    "%s, line %u, column %u, character %u: a quote is opened here and never closed. Close it, or write a quote that "
                    "belongs to the text as \"\" inside a quoted cell.",
                    r->name, open_line, r->column, character_at(r, open));
            return END_ERROR;
        }
        count_lines(r, r->p, quote);
        r->p = quote + 1;
        bool doubled = r->p < r->end && *r->p == '"';
        if (!doubled && !undone) {
            *cell = (csv_cell) { from, (size_t)(quote - from) };
            break;
        }
        su_buf_add(&r->scratch, from, (size_t)(quote - from) + (doubled ? 1 : 0));
        if (!doubled) {
            *cell = (csv_cell) { r->scratch.p, r->scratch.n };
            break;
        }
        if (r->scratch.n > SU_MAX_CELL_BYTES) return too_long(r, open_line);
        undone = true;
        from = ++r->p;
    }
    if (cell->n > SU_MAX_CELL_BYTES) return too_long(r, open_line);
    if (r->p < r->end && !r->stops[(unsigned char)*r->p]) {
        uint32_t at = character_at(r, r->p), line = r->line;
        r->line_start = open_line_start;
        su_fail(r->ctx, SU_INPUT,
                "%s, line %u, column %u, character %u: text after the closing quote of a cell (opened in line %u, character %u). Write a "
                "quote that belongs to the text as \"\", or remove the quotes around the cell.",
                r->name, line, r->column, at, open_line, character_at(r, open));
        return END_ERROR;
    }
    return after_cell(r);
}

static inline cell_end read_cell(csv_parser *r, csv_cell *cell)
{
    const char *from = r->p;
    if (from < r->end && *from == '"') return read_quoted(r, cell);
    const char *p = from;
    while (p < r->end && !r->stops[(unsigned char)*p]) p++;
    r->p = p;
    *cell = (csv_cell) { from, (size_t)(p - from) };
    if (cell->n > SU_MAX_CELL_BYTES) return too_long(r, r->line);
    return after_cell(r);
}

static bool at_line_end(const csv_parser *r) { return *r->p == '\n' || *r->p == '\r'; }

static void use_text(csv_parser *r, su_str text)
{
    r->start = r->p = r->line_start = text.p;
    r->end = text.p + text.n;
}

static bool more_to_come(const csv_parser *r) { return r->feed != NULL && !r->feed->final; }

/* Whatever is wrong, reading the whole file will say it. */
static su_status not_this_way(csv_parser *r) { return su_fail(r->ctx, SU_INPUT, "%s, line %u: cannot be read in pieces", r->name, r->line); }

/* Moves to the next row and sees to it that it is whole. Between rows nothing points into the text but the place where it goes on. */
static su_status next_row(csv_parser *r)
{
    for (;;) {
        if (more_to_come(r) && (size_t)(r->end - r->p) < CSV_ROW_ROOM) {
            if (!csv_feed_more(r->feed, r->p)) return not_this_way(r);
            use_text(r, r->feed->text);
        }
        if (r->p >= r->end || !at_line_end(r)) return SU_OK;
        pass_line_end(r);
    }
}

/* A row that goes to the end of the text may go on behind it. */
static bool cut_off(const csv_parser *r) { return more_to_come(r) && r->p >= r->end; }

static const char *delimiter_name(char d)
{
    switch (d) {
    case '\t':
        return "tab";
    case ',':
        return "comma";
    case ';':
        return "semicolon";
    case '|':
        return "vertical bar";
    default:
        return "delimiter";
    }
}

/* One header row; cells are copied, because a later one may reuse the scratch. */
static su_status read_header_row(csv_parser *r, su_arena *arena, su_str **cells, uint32_t *count)
{
    size_t capacity = 0;
    su_str *list = NULL;
    su_status status = SU_OK;
    *count = 0;
    for (cell_end end = END_CELL; end == END_CELL;) {
        csv_cell cell = { 0 };
        r->column = *count + 1;
        end = read_cell(r, &cell);
        if (end == END_ERROR) {
            status = r->ctx->status;
            break;
        }
        if (*count == SU_MAX_COLUMNS) {
            status = su_fail(r->ctx, SU_INPUT,
                             "%s, line %u: more than %u columns (delimiter: %s). Split the table; if this is not its delimiter, save it "
                             "again with another one "
                             "(comma, semicolon or tab).",
                             r->name, r->line, SU_MAX_COLUMNS, delimiter_name(r->delimiter));
            break;
        }
        list = su_grow(list, &capacity, (size_t)*count + 1, sizeof *list);
        list[(*count)++] = (su_str) { su_arena_strndup(arena, cell.p, cell.n), cell.n };
    }
    if (status == SU_OK) {
        *cells = su_arena_array(arena, *count, sizeof **cells);
        memcpy(*cells, list, *count * sizeof *list);
    }
    free(list);
    return status;
}

/* `first`: the row right below the header, or one under a header of a single cell. */
static su_status ragged(csv_parser *r, uint32_t line, uint32_t found, uint32_t expected, bool first)
{
    if (first && found > expected)
        return su_fail(r->ctx, SU_INPUT,
                       "%s, line %u, column %u: the row has %u cells, the header has %u (delimiter: %s). If the first lines are a title, "
                       "delete the lines above the column names; otherwise put cells that hold the delimiter in double quotes.",
                       r->name, line, expected + 1, found, expected, delimiter_name(r->delimiter));
    return su_fail(r->ctx, SU_INPUT, "%s, line %u, column %u: the row has %u cell%s, the header has %u (delimiter: %s). %s", r->name, line,
                   (found < expected ? found : expected) + 1, found, found == 1 ? "" : "s", expected, delimiter_name(r->delimiter),
                   found > expected ? "Put cells that hold the delimiter in double quotes, or remove the cells that are too many."
                                    : "Add the missing cells (they may be empty), or put cells that hold a line break in double quotes.");
}

static double share_read(const csv_parser *r)
{
    if (r->feed == NULL) return (double)(r->p - r->start) / (double)(r->end - r->start);
    uint64_t at = r->feed->read - (uint64_t)(r->end - r->p);
    return at < r->feed->size ? (double)at / (double)r->feed->size : 1; /* a file may grow while it is read */
}

static su_status read_rows(csv_parser *r, table_builder *b)
{
    uint32_t expected = b->column_count;
    for (;;) {
        su_status status = next_row(r);
        if (status != SU_OK || r->p >= r->end) return status;
        uint32_t line = r->line, column = 0;
        builder_row(b, line);
        cell_end end;
        do {
            csv_cell cell;
            r->column = column + 1;
            end = read_cell(r, &cell);
            if (end == END_ERROR) return r->ctx->status;
            if (column < expected) builder_cell(b, column, cell.p, cell.n);
            column++;
        } while (end == END_CELL);
        if (cut_off(r)) return not_this_way(r);
        if (column != expected) return ragged(r, line, column, expected, b->row_count == 1 || expected == 1);
        if (r->feed != NULL && b->row_count == ROWS_FOR_A_GUESS)
            builder_reserve(b, (uint64_t)((double)b->row_count / share_read(r) * 1.05));
        if (b->row_count % CHECK_ROWS == 0) {
            su_progress(r->ctx, "read", share_read(r));
            if (su_cancelled(r->ctx)) return su_fail(r->ctx, SU_CANCELLED, "Reading %s was interrupted.", r->name);
        }
    }
}

/* Exported merged cells: the text stands in the first, the others are empty. */
static void spread_right(su_str *cells, uint32_t count)
{
    for (uint32_t c = 1; c < count; c++)
        if (cells[c].n == 0) cells[c] = cells[c - 1];
}

static su_status read_header(csv_parser *r, unsigned header_rows, su_arena *arena, char ***names, uint32_t *count)
{
    su_str *top = NULL, *bottom = NULL;
    uint32_t top_count = 0;
    su_status status = next_row(r);
    if (status != SU_OK) return status;
    if (r->p >= r->end)
        return su_fail(r->ctx, SU_INPUT, "%s: the file is empty. A table needs at least a line with the column names.", r->name);
    uint32_t line = r->line;
    status = read_header_row(r, arena, &bottom, count);
    if (status == SU_OK && header_rows >= 2) {
        top = bottom;
        top_count = *count;
        status = next_row(r);
        if (status != SU_OK) return status;
        if (r->p >= r->end)
            return su_fail(r->ctx, SU_INPUT, "%s, line %u: the file ends before the second header row. Read it with one header row.",
                           r->name, r->line);
        uint32_t second = r->line;
        status = read_header_row(r, arena, &bottom, count);
        if (status == SU_OK && *count != top_count) status = ragged(r, second, *count, top_count, true);
        if (status == SU_OK) spread_right(top, top_count);
    }
    if (status == SU_OK && cut_off(r)) status = not_this_way(r);
    if (status != SU_OK) return status;
    char *where = su_arena_printf(arena, "%s, line %u", r->name, line);
    return header_names(r->ctx, where, top, bottom, *count, names);
}

static su_status check_options(su_context *ctx, const su_read_options *opts)
{
    if (opts->delimiter == '"' || opts->delimiter == '\n' || opts->delimiter == '\r' || (unsigned char)opts->delimiter >= 0x80)
        return su_fail(ctx, SU_USAGE, "A quote, a line end or a character beyond ASCII cannot be the delimiter. Use , ; tab or |.");
    if (opts->header_rows > 2) return su_fail(ctx, SU_USAGE, "A table has one or two header rows, not %u.", opts->header_rows);
    return SU_OK;
}

/* The parser stands at the text's beginning, feed or not. */
static su_status parse(csv_parser *r, const su_read_options *opts, su_raw_table **out)
{
    su_str text = { r->p, (size_t)(r->end - r->p) };
    table_builder b = { .narrow = opts->narrow };
    char **names = NULL;
    uint32_t count = 0;
    su_arena scratch;
    su_arena_init(&scratch);
    char stated = opts->delimiter;
    size_t skip = csv_sep_line(text, &stated);
    r->start = r->p = r->line_start = text.p + skip;
    if (skip > 0) r->line++;
    r->delimiter = opts->delimiter != 0 ? opts->delimiter : stated != 0 ? stated : csv_sniff((su_str) { r->p, (size_t)(r->end - r->p) });
    r->stops['\n'] = r->stops['\r'] = r->stops[(unsigned char)r->delimiter] = true;

    su_status status = read_header(r, opts->header_rows, &scratch, &names, &count);
    if (status == SU_OK) {
        builder_columns(&b, count);
        status = read_rows(r, &b);
    }
    if (status == SU_OK) {
        *out = builder_finish(&b, names, r->name);
        (*out)->delimiter = r->delimiter;
        free(names);
        names = NULL;
    }
    su_buf_free(&r->scratch);
    header_names_free(names, count);
    builder_free(&b);
    su_arena_free(&scratch);
    return status;
}

su_status su_csv_parse(su_context *ctx, const char *name, su_str bytes, const su_read_options *opts, su_raw_table **out)
{
    static const su_read_options usual = { 0 };
    csv_text text = { 0 };
    csv_parser r = { .ctx = ctx, .name = name, .line = 1 };
    *out = NULL;
    if (opts == NULL) opts = &usual;
    if (bytes.p == NULL) bytes = (su_str) { "", 0 };
    uint64_t limit = opts->max_bytes == 0 || opts->max_bytes > CSV_MAX_BYTES ? CSV_MAX_BYTES : opts->max_bytes;
    su_status status = check_options(ctx, opts);
    if (status == SU_OK && bytes.n > limit)
        status = su_fail(ctx, SU_INPUT, "%s: larger than the limit of %llu bytes. Split the file.", name, (unsigned long long)limit);
    if (status == SU_OK) status = csv_decode(ctx, name, bytes, &text);
    if (status == SU_OK) {
        use_text(&r, text.text);
        status = parse(&r, opts, out);
    }
    if (status == SU_OK) {
        (*out)->encoding = text.encoding;
        (*out)->fingerprint = su_sha256_of(bytes.p, bytes.n);
    }
    su_buf_free(&text.owned);
    return status;
}

su_status csv_parse_feed(su_context *ctx, const char *name, csv_feed *feed, const su_read_options *opts, su_raw_table **out)
{
    csv_parser r = { .ctx = ctx, .name = name, .line = 1, .feed = feed };
    *out = NULL;
    su_status status = check_options(ctx, opts);
    if (status != SU_OK) return status;
    use_text(&r, feed->text);
    status = parse(&r, opts, out);
    if (status != SU_OK) return status;
    (*out)->encoding = feed->marked ? "UTF-8 with BOM" : "UTF-8";
    (*out)->fingerprint = su_sha256_end(&feed->hash);
    return SU_OK;
}
