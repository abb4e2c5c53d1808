/* XLSX reader: opens the package, chooses the sheet, reads it. */
#include "xlsx.h"

#include <string.h>

static su_status fail_no_sheet(const xlsx_package *pkg, const xlsx_workbook *book, const char *wanted, const char *why)
{
    su_buf list = { 0 };
    for (size_t i = 0; i < book->sheet_count && list.n < 1000; i++)
        su_buf_printf(&list, "%s\"%s\"%s", i > 0 ? ", " : "", book->sheets[i].name, book->sheets[i].hidden ? " (hidden)" : "");
    su_status status = su_fail(pkg->ctx, SU_INPUT, "%s: %s \"%s\". Its sheets are: %s. Name one of them.", pkg->name, why, wanted, list.p);
    su_buf_free(&list);
    return status;
}

static su_status find_sheet(const xlsx_package *pkg, const xlsx_workbook *book, const char *wanted, const xlsx_sheet_entry **out)
{
    for (size_t i = 0; i < book->sheet_count; i++) {
        if (strcmp(book->sheets[i].name, wanted) != 0) continue;
        *out = &book->sheets[i];
        return SU_OK;
    }
    su_arena scratch;
    su_arena_init(&scratch);
    su_str folded = su_text_fold(&scratch, su_str_of(wanted));
    size_t found = 0;
    for (size_t i = 0; i < book->sheet_count; i++) {
        if (!su_str_equal(su_text_fold(&scratch, su_str_of(book->sheets[i].name)), folded)) continue;
        *out = &book->sheets[i];
        found++;
    }
    su_arena_free(&scratch);
    if (found == 1) return SU_OK;
    return fail_no_sheet(pkg, book, wanted, found == 0 ? "there is no sheet" : "several sheets could be meant by");
}

static su_status stop_at_value(void *user, const char *name, const char **attributes)
{
    bool *filled = user;
    (void)attributes;
    *filled = strcmp(name, "v") == 0 || strcmp(name, "is") == 0;
    return *filled ? SU_REFUSED : SU_OK; /* enough seen: ends the reading */
}

static su_status pass_end(void *user, const char *name)
{
    (void)user, (void)name;
    return SU_OK;
}

/* Looks no further than the first value. What is wrong with a sheet that nobody asked for is nobody's failure. */
static bool has_cells(const xlsx_package *pkg, const xlsx_sheet_entry *sheet)
{
    static const xml_handler handler = { stop_at_value, pass_end, NULL };
    su_context quiet;
    xlsx_package probe = *pkg;
    bool filled = false;
    su_context_init(&quiet);
    quiet.cancel = pkg->ctx == NULL ? NULL : pkg->ctx->cancel;
    probe.ctx = &quiet;
    (void)xlsx_xml(&probe, sheet->entry, true, &handler, &filled);
    return filled;
}

/* A person who named no sheet learns which one it was, and which others there are. */
static void name_others(const xlsx_package *pkg, const xlsx_workbook *book, const xlsx_sheet_entry *taken, su_raw_table *t)
{
    enum { MOST = 1000 };
    su_buf list = { 0 };
    for (size_t i = 0; i < book->sheet_count && list.n < MOST; i++) {
        const xlsx_sheet_entry *sheet = &book->sheets[i];
        if (sheet == taken || !has_cells(pkg, sheet)) continue;
        su_buf_printf(&list, "%s\"%s\"%s", list.n > 0 ? ", " : "", sheet->name, sheet->hidden ? " (hidden)" : "");
    }
    if (list.n > 0) {
        t->others = su_strdup(list.p);
        su_log(pkg->ctx, "%s: the sheet \"%s\" was read. The workbook also has %s; to read another one, name it (--sheet).", pkg->name,
               taken->name, t->others);
    }
    su_buf_free(&list);
}

static su_status read_first(xlsx_package *pkg, const xlsx_workbook *book, unsigned header_rows, su_raw_table **out)
{
    su_status status = SU_OK;
    for (int hidden = 0; hidden <= 1; hidden++)
        for (size_t i = 0; i < book->sheet_count && status == SU_OK && *out == NULL; i++)
            if (book->sheets[i].hidden == (hidden == 1)) {
                status = xlsx_sheet_read(pkg, book, &book->sheets[i], header_rows, out);
                if (*out != NULL) name_others(pkg, book, &book->sheets[i], *out);
            }
    if (status == SU_OK && *out == NULL)
        status = su_fail(pkg->ctx, SU_INPUT, "%s: every sheet is empty. A table needs at least a row with the column names.", pkg->name);
    return status;
}

su_status su_xlsx_parse(su_context *ctx, const char *name, su_str bytes, const su_read_options *opts, su_raw_table **out)
{
    static const su_read_options usual = { 0 };
    xlsx_package pkg = { 0 };
    xlsx_workbook book = { 0 };
    const xlsx_sheet_entry *sheet = NULL;
    *out = NULL;
    if (opts == NULL) opts = &usual;
    if (opts->header_rows > 2) return su_fail(ctx, SU_USAGE, "A table has one or two header rows, not %u.", opts->header_rows);
    su_status status = xlsx_open(&pkg, ctx, name, bytes, opts->max_bytes);
    if (status == SU_OK) status = xlsx_workbook_read(&pkg, &book);
    if (status == SU_OK && opts->sheet != NULL) status = find_sheet(&pkg, &book, opts->sheet, &sheet);
    if (status == SU_OK) status = xlsx_workbook_read_cells(&pkg, &book);
    if (status != SU_OK) goto out;
    if (sheet == NULL) {
        status = read_first(&pkg, &book, opts->header_rows, out);
    } else {
        status = xlsx_sheet_read(&pkg, &book, sheet, opts->header_rows, out);
        if (status == SU_OK && *out == NULL)
            status = su_fail(ctx, SU_INPUT, "%s: the sheet \"%s\" is empty. A table needs at least a row with the column names.", name,
                             sheet->name);
    }
    if (status == SU_OK) (*out)->fingerprint = su_sha256_of(bytes.p, bytes.n);
out:
    xlsx_workbook_free(&book);
    xlsx_close(&pkg);
    return status;
}
