/* publication: one release on its way to files. Everything the emitters share is worked out once, here; an emitter only prints. */
#ifndef SU_PUBLISH_PUBLICATION_H
#define SU_PUBLISH_PUBLICATION_H

#include <suha/publish.h>

#define SU_NO_COLUMN UINT32_MAX
#define SU_STYLE_FILE "style.css"

/* A public codelist that goes into codelists/. */
typedef struct su_list_file {
    const su_codelist *list;
    const char *slug, *path;
} su_list_file;

/* A column of data/microdata.csv. */
typedef struct su_pub_field {
    const su_field *field;
    const char *name;  /* as printed in headers */
    const char *title; /* never NULL */
    bool provided;
    int list;          /* index into lists, -1 = none */
    char separator;    /* code-set: between members of a cell */
    uint32_t column;   /* column of the release, SU_NO_COLUMN for code-sets and what is not provided */
    uint32_t *members; /* code-set: column per value - 1, or SU_NO_COLUMN */
} su_pub_field;

typedef struct su_pub_group {
    const su_group *group;
    uint64_t answered;
    uint32_t fields;
} su_pub_group;

/* Sentences for people; words.c. Each array is of `count` paragraphs. */
typedef struct su_words {
    const char **text;
    size_t count;
} su_words;

typedef struct su_publication {
    su_arena *arena;
    const su_release *r;
    const su_schema *schema;
    const su_bundle_info *info;
    const char *name, *title, *version, *publisher; /* publisher may be NULL */
    const char *licence, *licence_url, *licence_title;
    const char *created, *day; /* 2026-11-21T19:27:00Z, 2026-11-21 */
    const char *stamp;         /* NULL, "NOT PRIVATE", "NO GUARANTEE" or "NO DIFFERENTIAL PRIVACY BOUND" */
    bool bounded;              /* the mechanism has a differential privacy bound */
    su_pub_field *fields;
    size_t field_count; /* released fields in schema order */
    su_list_file *lists;
    size_t list_count;
    su_pub_group *groups;                      /* schema->group_count of them */
    su_words warning, promise, limits, absent; /* warning is empty exactly when stamp is NULL */
} su_publication;

su_status su_publication_init(su_context *ctx, su_publication *p, su_arena *arena, const su_release *r,
                              const su_bundle_info *info) SU_MUST_CHECK;
void su_publication_words(su_publication *p); /* fills warning, promise, limits, absent */

/* Parts of it for the mechanisms of words_peer.c. */
void su_words_sds_how(su_publication *p);
void su_words_k_warning(su_publication *p);
void su_words_k(su_publication *p); /* promise, limits, absent */

/* What one protected person is called, and how many records of one were used at most. */
static inline const char *su_unit(const su_publication *p) { return p->info->unit ? p->info->unit : "person"; }
static inline uint32_t su_contribution(const su_publication *p) { return p->r->options.contribution ? p->r->options.contribution : 1; }

const char *su_unit_words(const su_publication *p);      /* "one record (...)", "one victim (...)" */
const char *su_neighbour_words(const su_publication *p); /* "add or remove one record" */

/* Code or column name as every file prints it: with a leading ' where a spreadsheet would run it as a formula (CWE-1236). */
const char *su_printed(su_arena *arena, const char *text);
const char *su_value_code(const su_publication *p, uint32_t column, uint32_t value); /* code of a value of a release column */
const char *su_citation(const su_publication *p);
const char *su_grouped(su_arena *arena, uint64_t n);  /* 12345 -> 12,345 */
const char *su_short_real(su_arena *arena, double x); /* four significant digits */
/* The same, rounded up: for epsilon and what follows from it, so that no printed promise is stronger than the real one. */
const char *su_upper_real(su_arena *arena, double x);
const char *su_json_quoted(su_arena *arena, const char *text); /* "text", also valid YAML */
void su_buf_md(su_buf *b, const char *text);                   /* Markdown with every mark-up character disarmed, on one line */
bool su_has_intervals(const su_publication *p);                /* the aggregates are printed with intervals */
void su_md_warning(const su_publication *p, su_buf *b);        /* the stamp and the warning as a quotation; nothing when there is none */
void su_html_open(const su_publication *p, su_buf *b, const char *style_path, const char *heading);
void su_html_close(const su_publication *p, su_buf *b);
void su_html_words(su_buf *b, const char *element, const su_words *w); /* element: "p" or "li" */

/* Emitters: print one file. */
void su_emit_microdata(const su_publication *p, su_buf *b);
/* data/microdata.csv piece by piece, as often as wanted: the same bytes. `pour` returns false to stop. */
typedef struct su_microdata su_microdata;
typedef bool (*su_pour_fn)(void *arg, su_str piece);
su_microdata *su_microdata_new(const su_publication *p); /* borrows p */
bool su_microdata_pour(const su_microdata *m, su_pour_fn pour, void *arg);
void su_microdata_free(su_microdata *m); /* NULL is fine */
#define SU_MICRODATA_FILE "data/microdata.csv"
/* su_bundle_make, but the bytes of data/microdata.csv are not made (its bytes.p is NULL; n and hash are there): pour them. */
su_status su_bundle_plan(su_context *ctx, su_arena *arena, const su_release *r, const su_bundle_info *info, su_microdata **microdata,
                         su_bundle_file **files, size_t *count) SU_MUST_CHECK;
void su_emit_aggregates(const su_publication *p, su_buf *b);
void su_emit_codelist(const su_publication *p, const su_codelist *list, su_buf *b);
void su_emit_codebook_md(const su_publication *p, su_buf *b);
void su_emit_codebook_html(const su_publication *p, su_buf *b);
void su_emit_report_json(const su_publication *p, su_buf *b);
void su_emit_report_html(const su_publication *p, su_buf *b);
void su_emit_readme(const su_publication *p, su_buf *b);
void su_emit_citation(const su_publication *p, su_buf *b);
void su_emit_notice(const su_publication *p, su_buf *b);
void su_emit_datapackage(const su_publication *p, const su_bundle_file *files, size_t count, su_buf *b);

/* What a missing cell of this field means, in words. */
const char *su_missing_words(const su_pub_field *f);

#endif
