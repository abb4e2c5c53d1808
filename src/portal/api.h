/* api: /api/v1 and /catalog.jsonld. web/openapi.json is its contract; every answer of the tests is checked against that. */
#ifndef SU_PORTAL_API_H
#define SU_PORTAL_API_H

#include "http.h"
#include "query.h"
#include "site.h"

typedef enum su_api_format { SU_API_JSON, SU_API_CSV, SU_API_HXL, SU_API_XLSX, SU_API_FORMATS } su_api_format;

typedef struct su_api_call {
    const su_site *site;
    su_arena *arena; /* of this request */
    const char *path, *query;
    su_locale locale;     /* by Accept-Language; ?lang decides otherwise */
    su_api_format format; /* by Accept; ?format decides otherwise */
} su_api_call;

typedef struct su_api_reply {
    unsigned status;
    const char *media_type, *download; /* download: in the call's arena, NULL = none */
    su_buf body;                       /* owned by the caller */
    /* Instead of a body: a file of a release, byte for byte. */
    const su_folder_file *file;
    size_t file_release;
    bool foreign; /* no such address */
} su_api_reply;

bool su_api_is_mine(const char *path);           /* /api/..., except the page /api, and /catalog.jsonld */
su_api_format su_api_accept(const char *accept); /* RFC 9110 12.5.1; JSON when nothing else is wanted more */
void su_api_answer(su_api_call *call, su_api_reply *out);

/* api_tables.c, sheet.c, catalogue.c: print into out->body. False with problem set. */
bool su_api_tabulate(const su_api_call *call, const su_shown *s, const su_args *args, su_api_reply *out, su_problem *problem);
bool su_api_combinations(const su_api_call *call, const su_shown *s, const su_args *args, su_api_reply *out, su_problem *problem);
void su_catalogue(const su_site *site, su_buf *out);

/* A table on its way to a spreadsheet: cells are text or numbers. */
typedef struct su_sheet_cell {
    const char *text; /* NULL: number */
    double number;    /* NaN: empty */
} su_sheet_cell;
typedef struct su_sheet {
    const char *const *header, *const *hashtag; /* columns each */
    size_t columns, rows;
    const su_sheet_cell *cells;       /* rows * columns */
    const char *title, *const *notes; /* of the XLSX's second sheet */
    size_t note_count;
} su_sheet;
bool su_sheet_print(su_api_format format, const su_sheet *sheet,
                    su_buf *out); /* CSV, HXL, XLSX; false: the system gave no temporary file */
const char *su_sheet_media_type(su_api_format format);
const char *su_sheet_extension(su_api_format format);

/* What the pages show too. */
int su_release_superseded(const su_site *site, size_t release); /* index of the release that it replaces, -1 = none here */

#endif
