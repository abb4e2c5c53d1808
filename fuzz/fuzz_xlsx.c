/* libFuzzer target: any bytes as a workbook. A first byte of 1 or 2 instead wraps the rest as the sheet or the shared strings of a sound
 * workbook, so that the fuzzer reaches the XML behind the compression. */
#include <suha/table.h>

#include <stdlib.h>
#include <zip.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define OFFICE "http://schemas.openxmlformats.org/officeDocument/2006/relationships"

typedef struct part {
    const char *name;
    su_str text;
} part;

static su_buf make_zip(const part *parts, size_t count)
{
    su_buf bytes = { 0 };
    char piece[4096];
    zip_source_t *source = zip_source_buffer_create(NULL, 0, 0, NULL);
    zip_t *zip = zip_open_from_source(source, ZIP_CREATE | ZIP_TRUNCATE, NULL);
    if (zip == NULL) abort();
    zip_source_keep(source);
    for (size_t i = 0; i < count; i++) {
        zip_int64_t at = zip_file_add(zip, parts[i].name, zip_source_buffer(zip, parts[i].text.p, parts[i].text.n, 0), 0);
        if (at < 0 || zip_set_file_compression(zip, (zip_uint64_t)at, ZIP_CM_STORE, 0) != 0) abort();
    }
    if (zip_close(zip) != 0 || zip_source_open(source) != 0) abort();
    for (zip_int64_t got; (got = zip_source_read(source, piece, sizeof piece)) > 0;) su_buf_add(&bytes, piece, (size_t)got);
    zip_source_close(source);
    zip_source_free(source);
    return bytes;
}

static su_buf wrap(su_str fuzzed, bool as_strings)
{
    static const char sheet[] = "<worksheet><sheetData><row><c t='s'><v>0</v></c><c t='s'><v>1</v></c></row></sheetData></worksheet>";
    static const char strings[] = "<sst><si><t>a</t></si><si><t>b</t></si></sst>";
    const part parts[] = {
        { "_rels/.rels", SU_STR("<R><Relationship Id='a' Type='" OFFICE "/officeDocument' Target='xl/workbook.xml'/></R>") },
        { "xl/workbook.xml", SU_STR("<workbook><sheets><sheet name='S' sheetId='1' id='a'/></sheets></workbook>") },
        { "xl/_rels/workbook.xml.rels",
          SU_STR("<R><Relationship Id='a' Type='" OFFICE "/worksheet' Target='s.xml'/><Relationship Id='b' Type='" OFFICE
                 "/sharedStrings' Target='t.xml'/><Relationship Id='c' Type='" OFFICE "/styles' Target='y.xml'/></R>") },
        { "xl/s.xml", as_strings ? SU_STR(sheet) : fuzzed },
        { "xl/t.xml", as_strings ? fuzzed : SU_STR(strings) },
        { "xl/y.xml", SU_STR("<s><cellXfs><xf numFmtId='0'/><xf numFmtId='14'/><xf numFmtId='22'/><xf numFmtId='46'/></cellXfs></s>") },
    };
    return make_zip(parts, sizeof parts / sizeof parts[0]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) return 0;
    su_context ctx;
    su_raw_table *t = NULL;
    su_buf wrapped = { 0 };
    su_context_init(&ctx);
    su_str bytes = { (const char *)data + 1, size - 1 };
    if (data[0] == 1 || data[0] == 2) {
        wrapped = wrap(bytes, data[0] == 2);
        bytes = (su_str) { wrapped.p, wrapped.n };
    }
    su_read_options opts = { .header_rows = 1 + (unsigned)size % 2, .max_bytes = 1u << 24 };
    su_status status = su_xlsx_parse(&ctx, "fuzz.xlsx", bytes, &opts, &t);
    if ((status == SU_OK) != (t != NULL)) abort();
    for (uint32_t c = 0; t != NULL && c < t->column_count; c++)
        for (uint64_t r = 0; r < t->row_count; r++)
            if (t->columns[c].ids[r] >= su_dict_count(t->columns[c].values)) abort();
    su_raw_table_free(t);
    su_buf_free(&wrapped);
    return 0;
}
