/* The ZIP around a workbook, and everything that is wrong with files people send instead. */
#include "xlsx.h"

#include <string.h>

#define DEFAULT_LIMIT ((uint64_t)1 << 30)
#define MAX_ENTRIES 10000
#define RATIO_FROM ((uint64_t)10 << 20)
#define RATIO_MAX 200u

static const unsigned char ole_magic[4] = { 0xD0, 0xCF, 0x11, 0xE0 };

static bool is_ole(su_str bytes) { return bytes.n >= 4 && memcmp(bytes.p, ole_magic, 4) == 0; }

bool xlsx_is(su_str bytes)
{
    return is_ole(bytes) || (bytes.n >= 4 && (memcmp(bytes.p, "PK\3\4", 4) == 0 || memcmp(bytes.p, "PK\5\6", 4) == 0));
}

/* [MS-OFFCRYPTO] 2.3.4.4: an encrypted workbook is a compound file with a stream of this name. */
static su_status fail_ole(su_context *ctx, const char *name, su_str bytes)
{
    static const char stream[] = "E\0n\0c\0r\0y\0p\0t\0e\0d\0P\0a\0c\0k\0a\0g\0e";
    if (memmem(bytes.p, bytes.n, stream, sizeof stream) != NULL)
        return su_fail(ctx, SU_INPUT,
                       "%s is protected by a password. Open it in the spreadsheet program, remove the password (File, Info, Protect "
                       "Workbook, Encrypt with Password: empty), save it to a safe place and read that file.",
                       name);
    return su_fail(ctx, SU_INPUT,
                   "%s is in the old Excel format (.xls). Open it in a spreadsheet program and save it as XLSX or CSV UTF-8.", name);
}

static su_status fail_bomb(xlsx_package *pkg, const char *detail)
{
    return su_fail(pkg->ctx, SU_INPUT,
                   "%s would unpack to far more than a workbook holds (%s): a \"zip bomb\", or a sheet formatted down to its last row. It "
                   "was not read. Delete the empty rows and columns and save again, or export the sheet as CSV UTF-8.",
                   pkg->name, detail);
}

static su_status check_entries(xlsx_package *pkg)
{
    zip_int64_t count = zip_get_num_entries(pkg->zip, 0);
    uint64_t total = 0;
    if (count > MAX_ENTRIES) return fail_bomb(pkg, "more than 10,000 parts");
    for (zip_int64_t i = 0; i < count; i++) {
        zip_stat_t st;
        if (zip_stat_index(pkg->zip, (zip_uint64_t)i, 0, &st) != 0) continue;
        if ((st.valid & ZIP_STAT_ENCRYPTION_METHOD) != 0 && st.encryption_method != ZIP_EM_NONE)
            return su_fail(pkg->ctx, SU_INPUT, "%s is a ZIP protected by a password. Save the workbook without one and read that file.",
                           pkg->name);
        uint64_t size = (st.valid & ZIP_STAT_SIZE) != 0 ? st.size : 0;
        uint64_t packed = (st.valid & ZIP_STAT_COMP_SIZE) != 0 ? st.comp_size : 0;
        if (__builtin_add_overflow(total, size, &total) || total > pkg->limit) return fail_bomb(pkg, "more bytes than the limit");
        if (size > RATIO_FROM && size / RATIO_MAX > packed) return fail_bomb(pkg, "one part shrinks more than 200 to 1");
    }
    return SU_OK;
}

static bool has_entry(const xlsx_package *pkg, const char *entry) { return zip_name_locate(pkg->zip, entry, ZIP_FL_NOCASE) >= 0; }

static su_status check_kind(xlsx_package *pkg)
{
    if (has_entry(pkg, "_rels/.rels") && !has_entry(pkg, "xl/workbook.bin")) return SU_OK;
    if (has_entry(pkg, "xl/workbook.bin"))
        return su_fail(pkg->ctx, SU_INPUT, "%s is a binary workbook (.xlsb). Open it and save it as XLSX or CSV UTF-8.", pkg->name);
    if (has_entry(pkg, "content.xml") && has_entry(pkg, "mimetype"))
        return su_fail(
            pkg->ctx, SU_INPUT,
            "%s is an OpenDocument file (.ods), which is not supported. Open it, choose Save As, and save it as XLSX or CSV UTF-8.",
            pkg->name);
    return su_fail(pkg->ctx, SU_INPUT, "%s is a ZIP archive, but not a workbook. Unpack it and read the file inside.", pkg->name);
}

su_status xlsx_open(xlsx_package *pkg, su_context *ctx, const char *name, su_str bytes, uint64_t max_bytes)
{
    zip_error_t error;
    *pkg = (xlsx_package) { .ctx = ctx, .name = name, .limit = max_bytes == 0 ? DEFAULT_LIMIT : max_bytes };
    if (is_ole(bytes)) return fail_ole(ctx, name, bytes);
    if (!xlsx_is(bytes)) return su_fail(ctx, SU_INPUT, "%s is not an XLSX workbook.", name);
    zip_error_init(&error);
    zip_source_t *source = zip_source_buffer_create(bytes.p, bytes.n, 0, &error);
    if (source != NULL) pkg->zip = zip_open_from_source(source, ZIP_RDONLY, &error);
    if (pkg->zip == NULL) {
        if (source != NULL) zip_source_free(source);
        zip_error_fini(&error);
        return su_fail(ctx, SU_INPUT,
                       "%s is damaged or incomplete: it begins like a workbook, but its table of contents at the end is missing or wrong. "
                       "Was the copy or download cut short? Copy it again from where it came.",
                       name);
    }
    zip_error_fini(&error);
    su_status status = check_entries(pkg);
    return status == SU_OK ? check_kind(pkg) : status;
}

void xlsx_close(xlsx_package *pkg)
{
    if (pkg->zip != NULL) zip_discard(pkg->zip);
    pkg->zip = NULL;
}
