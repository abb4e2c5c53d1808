/* A table as CSV, HXL CSV or XLSX. */
#include "api.h"

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xlsxwriter.h>

const char *su_sheet_media_type(su_api_format format)
{
    return format == SU_API_XLSX ? "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet" : "text/csv; charset=utf-8";
}

const char *su_sheet_extension(su_api_format format) { return format == SU_API_XLSX ? "xlsx" : format == SU_API_HXL ? "hxl.csv" : "csv"; }

static void put_number(su_buf *out, double x)
{
    char text[40];
    if (!isfinite(x)) return;
    snprintf(text, sizeof text, "%.2f", x);
    size_t n = strlen(text);
    while (n > 1 && text[n - 1] == '0') text[--n] = '\0';
    if (text[n - 1] == '.') text[n - 1] = '\0';
    su_buf_text(out, text);
}

static void put_row(su_buf *out, const char *const *texts, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (i) su_buf_char(out, ',');
        su_buf_csv_safe(out, su_str_of(texts[i]), ',');
    }
    su_buf_char(out, '\n');
}

static void print_csv(const su_sheet *s, bool hxl, su_buf *out)
{
    put_row(out, s->header, s->columns);
    if (hxl) put_row(out, s->hashtag, s->columns);
    for (size_t r = 0; r < s->rows; r++) {
        for (size_t c = 0; c < s->columns; c++) {
            const su_sheet_cell *cell = &s->cells[r * s->columns + c];
            if (c) su_buf_char(out, ',');
            if (cell->text)
                su_buf_csv_safe(out, su_str_of(cell->text), ',');
            else
                put_number(out, cell->number);
        }
        su_buf_char(out, '\n');
    }
}

/* ---- XLSX --------------------------------------------------------------------------------------------------------------------------- */

static void fill_table(lxw_worksheet *w, lxw_format *bold, const su_sheet *s)
{
    for (size_t c = 0; c < s->columns; c++) worksheet_write_string(w, 0, (lxw_col_t)c, s->header[c], bold);
    for (size_t r = 0; r < s->rows; r++)
        for (size_t c = 0; c < s->columns; c++) {
            const su_sheet_cell *cell = &s->cells[r * s->columns + c];
            if (cell->text) {
                if (cell->text[0]) worksheet_write_string(w, (lxw_row_t)r + 1, (lxw_col_t)c, cell->text, NULL);
            } else if (isfinite(cell->number)) {
                worksheet_write_number(w, (lxw_row_t)r + 1, (lxw_col_t)c, cell->number, NULL);
            }
        }
    worksheet_freeze_panes(w, 1, 0);
    worksheet_set_column(w, 0, (lxw_col_t)(s->columns - 1), 16, NULL);
}

/* libxlsxwriter prints dates with gmtime, whose answer is shared by all threads: one workbook at a time. */
static pthread_mutex_t one_workbook = PTHREAD_MUTEX_INITIALIZER;

/* The library writes files only: a temporary one without a name, which it finds below /proc. */
static bool print_xlsx(const su_sheet *s, su_buf *out)
{
    char path[64];
    FILE *f = tmpfile();
    if (!f) return false;
    snprintf(path, sizeof path, "/proc/self/fd/%d", fileno(f));
    lxw_workbook *book = workbook_new(path);
    bool ok = book != NULL;
    if (book) {
        lxw_doc_properties about = { .title = (char *)(uintptr_t)s->title, .created = 1577836800 };
        workbook_set_properties(book, &about);
        lxw_format *bold = workbook_add_format(book);
        format_set_bold(bold);
        fill_table(workbook_add_worksheet(book, "Table"), bold, s);
        lxw_worksheet *notes = workbook_add_worksheet(book, "About");
        for (size_t i = 0; i < s->note_count; i++) worksheet_write_string(notes, (lxw_row_t)i, 0, s->notes[i], NULL);
        worksheet_set_column(notes, 0, 0, 100, NULL);
        ok = workbook_close(book) == LXW_NO_ERROR;
    }
    char block[16384];
    ok = ok && fseek(f, 0, SEEK_SET) == 0;
    for (size_t n; ok && (n = fread(block, 1, sizeof block, f)) > 0;) su_buf_add(out, block, n);
    fclose(f);
    return ok && out->n > 0;
}

bool su_sheet_print(su_api_format format, const su_sheet *sheet, su_buf *out)
{
    bool ok = true;
    if (format == SU_API_XLSX) {
        pthread_mutex_lock(&one_workbook);
        ok = print_xlsx(sheet, out);
        pthread_mutex_unlock(&one_workbook);
    } else {
        print_csv(sheet, format == SU_API_HXL, out);
    }
    return ok;
}
