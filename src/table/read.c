/* Reading a file, whatever its name says. */
#include <suha/table.h>

#include <string.h>
#include <sys/stat.h>

#include "csv_feed.h"
#include "xlsx.h"

#define MAX_FILE_BYTES UINT32_MAX

typedef struct foreign {
    const char *magic;
    size_t n;
    const char *what;
} foreign;

/* What people send instead. */
static const foreign foreigners[] = {
    { "%PDF-", 5, "a PDF document" },
    { "\x1F\x8B", 2, "a gzip archive. Unpack it first" },
    { "7z\xBC\xAF\x27\x1C", 6, "a 7-Zip archive. Unpack it first" },
    { "Rar!", 4, "a RAR archive. Unpack it first" },
    { "$FL2", 4, "an SPSS file" },
    { "<stata_dta>", 11, "a Stata file" },
    { "PAR1", 4, "a Parquet file" },
    { "<!DOCTYPE", 9, "a web page (some systems export tables as HTML under the name .xls)" },
    { "<html", 5, "a web page (some systems export tables as HTML under the name .xls)" },
    { "<?xml", 5, "an XML file" },
};

static su_status refuse_foreign(su_context *ctx, const char *name, su_str bytes)
{
    for (size_t i = 0; i < sizeof foreigners / sizeof foreigners[0]; i++) {
        const foreign *f = &foreigners[i];
        if (bytes.n >= f->n && memcmp(bytes.p, f->magic, f->n) == 0)
            return su_fail(ctx, SU_INPUT, "%s is %s. Open it in the program it comes from and save it as XLSX or CSV UTF-8.", name,
                           f->what);
    }
    return SU_OK;
}

/* Room for the whole file beforehand, so that reading it moves and wipes nothing. */
static void make_room(const char *path, su_buf *b)
{
    struct stat st;
    if (stat(path, &st) != 0 || !S_ISREG(st.st_mode) || st.st_size <= 0 || (uint64_t)st.st_size > MAX_FILE_BYTES) return;
    b->capacity = (size_t)st.st_size + 1;
    b->p = su_alloc(b->capacity);
}

/* A CSV in pieces. *out stays NULL where that is not possible, whatever the reason: then the file is read whole, which finds it too. */
static su_status read_in_pieces(su_context *ctx, const char *path, const su_read_options *opts, su_raw_table **out)
{
    csv_feed feed;
    su_context quiet = *ctx;
    const char *name = su_path_base(path);
    if (!csv_feed_open(&feed, path)) return SU_OK;
    bool small = feed.size <= (opts->max_bytes ? opts->max_bytes : MAX_FILE_BYTES);
    su_status status = SU_OK;
    if (small && !xlsx_is(feed.text) && refuse_foreign(&quiet, name, feed.text) == SU_OK)
        status = csv_parse_feed(&quiet, name, &feed, opts, out);
    csv_feed_close(&feed);
    if (status != SU_CANCELLED) return SU_OK;
    *ctx = quiet;
    return status;
}

su_status su_table_read(su_context *ctx, const char *path, const su_read_options *opts, su_raw_table **out)
{
    su_buf file = { 0 };
    const char *name = su_path_base(path);
    *out = NULL;
    if (opts && opts->narrow) {
        su_status status = read_in_pieces(ctx, path, opts, out);
        if (status != SU_OK || *out) return status;
    }
    make_room(path, &file);
    su_status status = su_file_read(ctx, path, MAX_FILE_BYTES, &file);
    su_str bytes = { file.p, file.n };
    if (status == SU_OK) status = refuse_foreign(ctx, name, bytes);
    if (status == SU_OK) status = xlsx_is(bytes) ? su_xlsx_parse(ctx, name, bytes, opts, out) : su_csv_parse(ctx, name, bytes, opts, out);
    su_buf_free(&file);
    return status;
}

su_status su_xlsx_sheets(su_context *ctx, su_arena *arena, const char *path, char ***names, size_t *count)
{
    su_buf file = { 0 };
    make_room(path, &file);
    su_status status = su_file_read(ctx, path, MAX_FILE_BYTES, &file);
    if (status == SU_OK) status = xlsx_sheet_names(ctx, arena, su_path_base(path), (su_str) { file.p, file.n }, names, count);
    su_buf_free(&file);
    return status;
}
