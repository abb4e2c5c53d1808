/* One part of a package through expat. Document types are refused, so there are no entities to expand and nothing to fetch. */
#include "xlsx.h"

#include <expat.h>
#include <string.h>

#define PIECE (1 << 16)
#define MAX_DEPTH 256u
#define RATIO_FROM ((uint64_t)10 << 20)
#define RATIO_MAX 200u

typedef struct xml_run {
    xlsx_package *pkg;
    const xml_handler *handler;
    void *user;
    XML_Parser parser;
    unsigned depth;
    su_status status;
    const char *entry;
} xml_run;

static const char *without_prefix(const char *name)
{
    const char *colon = strrchr(name, ':');
    return colon == NULL ? name : colon + 1;
}

const char *xml_attribute(const char **attributes, const char *name)
{
    for (; attributes[0] != NULL; attributes += 2)
        if (strcmp(without_prefix(attributes[0]), name) == 0) return attributes[1];
    return NULL;
}

bool xml_flag(const char *value) { return value != NULL && (strcmp(value, "1") == 0 || strcmp(value, "true") == 0); }

static void stop(xml_run *run, su_status status)
{
    if (run->status == SU_OK) run->status = status;
    XML_StopParser(run->parser, XML_FALSE);
}

static void on_start(void *arg, const XML_Char *name, const XML_Char **attributes)
{
    xml_run *run = arg;
    if (run->status != SU_OK) return;
    if (++run->depth > MAX_DEPTH) {
        stop(run, su_fail(run->pkg->ctx, SU_INPUT,
                          "%s: the part %s is nested too deeply for a workbook. The file is damaged or was made to harm.", run->pkg->name,
                          run->entry));
        return;
    }
    su_status status = run->handler->start(run->user, without_prefix(name), attributes);
    if (status != SU_OK) stop(run, status);
}

static void on_end(void *arg, const XML_Char *name)
{
    xml_run *run = arg;
    if (run->status != SU_OK) return;
    run->depth--;
    su_status status = run->handler->end(run->user, without_prefix(name));
    if (status != SU_OK) stop(run, status);
}

static void on_text(void *arg, const XML_Char *p, int n)
{
    xml_run *run = arg;
    if (run->status == SU_OK && run->handler->text != NULL) run->handler->text(run->user, p, (size_t)n);
}

static void on_doctype(void *arg, const XML_Char *name, const XML_Char *system_id, const XML_Char *public_id, int internal)
{
    xml_run *run = arg;
    (void)name, (void)system_id, (void)public_id, (void)internal;
    stop(run, su_fail(run->pkg->ctx, SU_INPUT,
                      "%s: the part %s holds a document type definition, which no spreadsheet program writes. It was not read: it may be "
                      "made to harm.",
                      run->pkg->name, run->entry));
}

/* The sizes stated in the archive are claims; this counts what comes out. */
static su_status count_bytes(xml_run *run, uint64_t packed, uint64_t *unpacked, uint64_t got)
{
    xlsx_package *pkg = run->pkg;
    *unpacked += got;
    pkg->used += got;
    bool too_many = pkg->used > pkg->limit, too_dense = *unpacked > RATIO_FROM && *unpacked / RATIO_MAX > packed;
    if (!too_many && !too_dense) return SU_OK;
    return su_fail(
        pkg->ctx, SU_INPUT,
        "%s: the part %s unpacks to far more than the file states: a \"zip bomb\". It was not read. Ask where the file comes from.",
        pkg->name, run->entry);
}

static su_status fail_damaged(xml_run *run)
{
    return su_fail(run->pkg->ctx, SU_INPUT,
                   "%s: the part %s is damaged. Open the file in a spreadsheet program, save it again and read that.", run->pkg->name,
                   run->entry);
}

static su_status feed(xml_run *run, zip_file_t *file, uint64_t packed)
{
    uint64_t unpacked = 0;
    for (;;) {
        void *piece = XML_GetBuffer(run->parser, PIECE);
        if (piece == NULL) su_out_of_memory(PIECE);
        zip_int64_t got = zip_fread(file, piece, PIECE);
        if (got < 0) return fail_damaged(run);
        su_status status = count_bytes(run, packed, &unpacked, (uint64_t)got);
        if (status != SU_OK) return status;
        if (su_cancelled(run->pkg->ctx)) return su_fail(run->pkg->ctx, SU_CANCELLED, "Reading %s was interrupted.", run->pkg->name);
        enum XML_Status parsed = XML_ParseBuffer(run->parser, (int)got, got == 0);
        if (run->status != SU_OK) return run->status;
        if (parsed != XML_STATUS_OK) {
            return su_fail(run->pkg->ctx, SU_INPUT,
                           "%s: the part %s is not well-formed XML (line %lu: %s). Open the file in a spreadsheet program, save it again "
                           "and read that.",
                           run->pkg->name, run->entry, (unsigned long)XML_GetCurrentLineNumber(run->parser),
                           XML_ErrorString(XML_GetErrorCode(run->parser)));
        }
        if (got == 0) return SU_OK;
    }
}

su_status xlsx_xml(xlsx_package *pkg, const char *entry, bool required, const xml_handler *handler, void *user)
{
    xml_run run = { .pkg = pkg, .handler = handler, .user = user, .entry = entry };
    su_status status = SU_OK;
    zip_file_t *file = NULL;
    zip_stat_t st;
    zip_int64_t index = zip_name_locate(pkg->zip, entry, ZIP_FL_NOCASE);
    if (index < 0) {
        if (!required) return SU_OK;
        return su_fail(pkg->ctx, SU_INPUT, "%s: the part %s is missing. The file is damaged or is no workbook. Save it again as XLSX.",
                       pkg->name, entry);
    }
    run.parser = XML_ParserCreate(NULL);
    if (run.parser == NULL) su_out_of_memory(PIECE);
    XML_SetUserData(run.parser, &run);
    XML_SetElementHandler(run.parser, on_start, on_end);
    XML_SetCharacterDataHandler(run.parser, on_text);
    XML_SetStartDoctypeDeclHandler(run.parser, on_doctype);
    if (zip_stat_index(pkg->zip, (zip_uint64_t)index, 0, &st) != 0 || (file = zip_fopen_index(pkg->zip, (zip_uint64_t)index, 0)) == NULL) {
        status = fail_damaged(&run);
        goto out;
    }
    status = feed(&run, file, (st.valid & ZIP_STAT_COMP_SIZE) != 0 ? st.comp_size : 0);
out:
    if (file != NULL) zip_fclose(file);
    XML_ParserFree(run.parser);
    return status;
}
