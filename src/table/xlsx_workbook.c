/* The parts of a workbook around its sheets: relations, list of sheets, shared strings, number formats. */
#include "xlsx.h"

#include <stdlib.h>
#include <string.h>

#define MAX_SHEETS 4096u
#define MAX_FORMATS 200000u

/* ---- relations: which part is what ---- */

typedef struct relation {
    const char *id, *type, *entry;
} relation;
typedef struct relations {
    su_arena *arena;
    const char *folder; /* of the part the relations belong to, ends in '/' or is empty */
    relation *list;
    size_t count, capacity;
} relations;

/* Target of a relation as an entry name: relative to the folder, "." and ".." undone (ECMA-376 part 2, 9.3.2). */
static const char *resolve(su_arena *arena, const char *folder, const char *target)
{
    char *path = target[0] == '/' ? su_arena_printf(arena, "%s", target + 1) : su_arena_printf(arena, "%s%s", folder, target);
    char *to = path;
    for (const char *p = path; *p != '\0';) {
        size_t n = strcspn(p, "/");
        const char *next = p[n] == '/' ? p + n + 1 : p + n;
        if (n == 2 && p[0] == '.' && p[1] == '.') {
            if (to > path) to--; /* the slash */
            while (to > path && to[-1] != '/') to--;
        } else if (n > 1 || p[0] != '.') {
            size_t whole = (size_t)(next - p);
            memmove(to, p, whole);
            to += whole;
        }
        p = next;
    }
    *to = '\0';
    return path;
}

static su_status relation_start(void *user, const char *name, const char **attributes)
{
    relations *r = user;
    if (strcmp(name, "Relationship") != 0 || r->count >= MAX_SHEETS * 4) return SU_OK;
    const char *id = xml_attribute(attributes, "Id"), *type = xml_attribute(attributes, "Type"),
               *target = xml_attribute(attributes, "Target");
    const char *mode = xml_attribute(attributes, "TargetMode");
    if (id == NULL || type == NULL || target == NULL || (mode != NULL && strcmp(mode, "External") == 0)) return SU_OK;
    const char *kind = strrchr(type, '/');
    r->list = su_grow(r->list, &r->capacity, r->count + 1, sizeof *r->list);
    r->list[r->count++] = (relation) { .id = su_arena_printf(r->arena, "%s", id),
                                       .type = su_arena_printf(r->arena, "%s", kind == NULL ? type : kind + 1),
                                       .entry = resolve(r->arena, r->folder, target) };
    return SU_OK;
}

static su_status ignore_end(void *user, const char *name)
{
    (void)user, (void)name;
    return SU_OK;
}

static su_status read_relations(xlsx_package *pkg, su_arena *arena, const char *part, bool required, relations *out)
{
    static const xml_handler handler = { relation_start, ignore_end, NULL };
    const char *slash = strrchr(part, '/');
    int folder = slash == NULL ? 0 : (int)(slash - part) + 1;
    *out = (relations) { .arena = arena, .folder = su_arena_printf(arena, "%.*s", folder, part) };
    return xlsx_xml(pkg, su_arena_printf(arena, "%.*s_rels/%s.rels", folder, part, part + folder), required, &handler, out);
}

static const char *entry_of_type(const relations *r, const char *type)
{
    for (size_t i = 0; i < r->count; i++)
        if (strcmp(r->list[i].type, type) == 0) return r->list[i].entry;
    return NULL;
}

/* ---- workbook.xml ---- */

typedef struct workbook_reader {
    xlsx_workbook *book;
    size_t capacity;
    xlsx_sheet_entry *sheets;
    size_t count;
} workbook_reader;

static su_status workbook_start(void *user, const char *name, const char **attributes)
{
    workbook_reader *r = user;
    if (strcmp(name, "workbookPr") == 0) {
        r->book->date1904 = xml_flag(xml_attribute(attributes, "date1904"));
    } else if (strcmp(name, "sheet") == 0 && r->count < MAX_SHEETS) {
        const char *title = xml_attribute(attributes, "name"), *id = xml_attribute(attributes, "id"),
                   *state = xml_attribute(attributes, "state");
        if (title == NULL || id == NULL) return SU_OK;
        r->sheets = su_grow(r->sheets, &r->capacity, r->count + 1, sizeof *r->sheets);
        r->sheets[r->count++] = (xlsx_sheet_entry) { .name = su_arena_printf(&r->book->arena, "%s", title),
                                                     .relation = su_arena_printf(&r->book->arena, "%s", id),
                                                     .hidden = state != NULL && strcmp(state, "visible") != 0 };
    }
    return SU_OK;
}

/* Keeps worksheets only: chart and dialog sheets hold no table. */
static void keep_worksheets(xlsx_workbook *book, const workbook_reader *r, const relations *rels)
{
    book->sheets = su_arena_array(&book->arena, r->count, sizeof *book->sheets);
    for (size_t i = 0; i < r->count; i++) {
        for (size_t k = 0; k < rels->count; k++) {
            if (strcmp(rels->list[k].id, r->sheets[i].relation) != 0 || strcmp(rels->list[k].type, "worksheet") != 0) continue;
            book->sheets[book->sheet_count] = r->sheets[i];
            book->sheets[book->sheet_count++].entry = rels->list[k].entry;
            break;
        }
    }
}

su_status xlsx_workbook_read(xlsx_package *pkg, xlsx_workbook *book)
{
    static const xml_handler handler = { workbook_start, ignore_end, NULL };
    relations top = { 0 }, rels = { 0 };
    workbook_reader reader = { .book = book };
    const char *part = NULL;
    memset(book, 0, sizeof *book);
    su_arena_init(&book->arena);
    su_status status = read_relations(pkg, &book->arena, "", true, &top);
    if (status != SU_OK) goto out;
    part = entry_of_type(&top, "officeDocument");
    if (part == NULL) {
        status = su_fail(pkg->ctx, SU_INPUT,
                         "%s: the archive names no workbook. The file is damaged or of another kind. Save it again as XLSX.", pkg->name);
        goto out;
    }
    status = xlsx_xml(pkg, part, true, &handler, &reader);
    if (status == SU_OK) status = read_relations(pkg, &book->arena, part, true, &rels);
    if (status != SU_OK) goto out;
    keep_worksheets(book, &reader, &rels);
    book->strings_entry = entry_of_type(&rels, "sharedStrings");
    book->styles_entry = entry_of_type(&rels, "styles");
    if (book->sheet_count == 0)
        status =
            su_fail(pkg->ctx, SU_INPUT, "%s holds no worksheet. If it is a text document, save its table as XLSX or CSV UTF-8.", pkg->name);
out:
    free(top.list);
    free(rels.list);
    free(reader.sheets);
    return status;
}

/* ---- styles.xml ---- */

typedef struct styles_reader {
    struct custom {
        unsigned id;
        xlsx_format format;
    } * customs;
    size_t custom_count, custom_capacity;
    xlsx_workbook *book;
    size_t format_capacity;
    bool in_cells;
} styles_reader;

static unsigned number_of(const char *text)
{
    int64_t value = 0;
    return text != NULL && su_parse_i64(su_str_of(text), &value) && value >= 0 && value <= INT32_MAX ? (unsigned)value : 0;
}

static su_status styles_start(void *user, const char *name, const char **attributes)
{
    styles_reader *r = user;
    if (strcmp(name, "numFmt") == 0) {
        const char *code = xml_attribute(attributes, "formatCode");
        if (code == NULL || r->custom_count >= MAX_FORMATS) return SU_OK;
        r->customs = su_grow(r->customs, &r->custom_capacity, r->custom_count + 1, sizeof *r->customs);
        r->customs[r->custom_count].id = number_of(xml_attribute(attributes, "numFmtId"));
        r->customs[r->custom_count++].format = xlsx_format_of_code(code);
    } else if (strcmp(name, "cellXfs") == 0) {
        r->in_cells = true;
    } else if (strcmp(name, "xf") == 0 && r->in_cells && r->book->format_count < MAX_FORMATS) {
        unsigned id = number_of(xml_attribute(attributes, "numFmtId"));
        xlsx_format format = xlsx_format_of_builtin(id);
        for (size_t i = 0; i < r->custom_count; i++)
            if (r->customs[i].id == id) format = r->customs[i].format;
        r->book->formats = su_grow(r->book->formats, &r->format_capacity, r->book->format_count + 1, sizeof *r->book->formats);
        r->book->formats[r->book->format_count++] = format;
    }
    return SU_OK;
}

static su_status styles_end(void *user, const char *name)
{
    styles_reader *r = user;
    if (strcmp(name, "cellXfs") == 0) r->in_cells = false;
    return SU_OK;
}

/* ---- sharedStrings.xml ---- */

typedef struct strings_reader {
    xlsx_workbook *book;
    size_t capacity;
    size_t from; /* where the string being read begins */
    bool in_item, in_text;
    unsigned phonetic; /* depth inside rPh, whose text is a reading aid */
} strings_reader;

static su_status strings_start(void *user, const char *name, const char **attributes)
{
    strings_reader *r = user;
    (void)attributes;
    if (strcmp(name, "si") == 0) {
        r->in_item = true;
        r->from = r->book->strings.n;
    } else if (strcmp(name, "rPh") == 0) {
        r->phonetic++;
    } else if (strcmp(name, "t") == 0) {
        r->in_text = r->in_item && r->phonetic == 0;
    }
    return SU_OK;
}

static su_status strings_end(void *user, const char *name)
{
    strings_reader *r = user;
    xlsx_workbook *book = r->book;
    if (strcmp(name, "t") == 0) {
        r->in_text = false;
    } else if (strcmp(name, "rPh") == 0) {
        if (r->phonetic > 0) r->phonetic--;
    } else if (strcmp(name, "si") == 0 && r->in_item) {
        r->in_item = false;
        xlsx_unescape(&book->strings, r->from);
        book->string_ends = su_grow(book->string_ends, &r->capacity, book->string_count + 1, sizeof *book->string_ends);
        book->string_ends[book->string_count++] = book->strings.n;
    }
    return SU_OK;
}

static void strings_text(void *user, const char *p, size_t n)
{
    strings_reader *r = user;
    if (r->in_text) su_buf_add(&r->book->strings, p, n);
}

su_status xlsx_workbook_read_cells(xlsx_package *pkg, xlsx_workbook *book)
{
    static const xml_handler strings_handler = { strings_start, strings_end, strings_text };
    static const xml_handler styles_handler = { styles_start, styles_end, NULL };
    su_status status = SU_OK;
    styles_reader styles = { .book = book };
    strings_reader strings = { .book = book };
    if (book->styles_entry != NULL) status = xlsx_xml(pkg, book->styles_entry, false, &styles_handler, &styles);
    if (status == SU_OK && book->strings_entry != NULL) status = xlsx_xml(pkg, book->strings_entry, true, &strings_handler, &strings);
    free(styles.customs);
    return status;
}

void xlsx_workbook_free(xlsx_workbook *book)
{
    su_buf_free(&book->strings);
    free(book->string_ends);
    free(book->formats);
    su_arena_free(&book->arena);
    memset(book, 0, sizeof *book);
}

su_status xlsx_sheet_names(su_context *ctx, su_arena *arena, const char *name, su_str bytes, char ***names, size_t *count)
{
    xlsx_package pkg = { 0 };
    xlsx_workbook book = { 0 };
    *names = NULL;
    *count = 0;
    su_status status = xlsx_open(&pkg, ctx, name, bytes, 0);
    if (status == SU_OK) status = xlsx_workbook_read(&pkg, &book);
    if (status == SU_OK) {
        *names = su_arena_array(arena, book.sheet_count, sizeof **names);
        *count = book.sheet_count;
        for (size_t i = 0; i < book.sheet_count; i++)
            (*names)[i] = su_arena_strndup(arena, book.sheets[i].name, strlen(book.sheets[i].name));
    }
    xlsx_workbook_free(&book);
    xlsx_close(&pkg);
    return status;
}
