/* A question from hostile bytes to an answer: refused with words and a parameter's name, or answered so that every number is what it may
 * be. The release is small and has a column of every kind. */
#include "../src/portal/api.h"
#include "../src/portal/query.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FIELD(name, type, more)                                                                                                            \
    "{\"name\":\"" name "\",\"suha:type\":\"" type "\",\"suha:provided\":true,\"suha:codelist\":\"" name "\"" more "}"
static const char package[] =
    "{\"name\":\"n\",\"suha:groups\":[{\"name\":\"g\",\"title\":\"G\"}],\"resources\":[{\"path\":\"data/microdata.csv\","
    "\"schema\":{\"fields\":[" FIELD("a", "code", "") "," FIELD("y", "year", "") "," FIELD("s", "code-set", "") "," FIELD(
        "f", "flag", ",\"suha:group\":\"g\"") "," FIELD("h", "flag", ",\"suha:group\":\"g\"") "]}}]}";
static const char report[] = "{\"suha:report\":1,\"guarantee\":{\"holds\":true,\"epsilon\":2},\"length\":2,\"records\":{\"estimated\":9},"
                             "\"tables\":[{\"columns\":[\"a\",\"y\"]},{\"columns\":[\"f\",\"a\"]},{\"columns\":[\"s\"]}]}";
static const char counts[] =
    "combination,length,count,ci_low,ci_high\na=1,1,5,1.0,9.0\na=2,1,4,,\ny=1,1,5,1.0,9.0\nf=1,1,2,1.5,2.5\ns=1,1,3,2.0,4.0\n"
    "a=1;y=2,2,1,0.0,2.0\na=1;f=1,2,2,1.0,3.0\n";
static const char records[] = "a,y,s,f,h\n1,2,1;2,1,\n2,1,3,,1\n,,,1,1\n1,,2,,\n";
static const char list[] = "code,label_en\n1,One\n2,Two\n3,Three\n";

static bool give(void *arg, const char *path, su_str *bytes)
{
    static const struct {
        const char *path;
        su_str bytes;
    } files[] = { { "datapackage.json", { package, sizeof package - 1 } },
                  { "protection/report.json", { report, sizeof report - 1 } },
                  { "data/aggregates.csv", { counts, sizeof counts - 1 } },
                  { "data/microdata.csv", { records, sizeof records - 1 } } };
    (void)arg;
    *bytes = (su_str) { list, sizeof list - 1 };
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        if (strcmp(path, files[i].path) == 0) *bytes = files[i].bytes;
    return true;
}

static void check_figure(const su_figure *n)
{
    bool unknown = n->state == SU_CELL_SUPPRESSED || n->state == SU_CELL_ABSENT;
    if (unknown == n->known || (n->known && n->count < 0) || (n->state != SU_CELL_OK) != (n->reason != SU_REASON_NONE)) abort();
    if (n->source == SU_SOURCE_RECORDS && (isfinite(n->low) || isfinite(n->high))) abort();
}

static void check_answer(const su_cube *cube, const char *query, su_arena *arena)
{
    su_args args;
    su_ask ask;
    su_problem problem = { .status = 0 };
    su_tabulation t;
    if (su_args_parse(query, arena, &args, &problem) && su_ask_parse(cube, &args, arena, &ask, &problem) &&
        su_cube_tabulate(cube, &ask, arena, &t, &problem)) {
        check_figure(&t.total);
        for (size_t i = 0; i < t.cell_count; i++) check_figure(&t.cells[i].n);
        return;
    }
    if (problem.status < 400 || !problem.type || !problem.detail[0] || !su_utf8_valid(problem.detail, strlen(problem.detail), NULL))
        abort();
}

static void check_call(const su_shown *shown, const char *path, const char *query, su_arena *arena)
{
    su_site site = { .shown = shown, .count = 1, .openapi = SU_STR("{}") };
    su_api_call call = { &site, arena, path, query, SU_LOCALE_EN, SU_API_JSON };
    su_api_reply reply;
    su_api_answer(&call, &reply);
    if (!reply.file && (reply.status < 200 || !reply.media_type || reply.body.n == 0)) abort();
    su_buf_free(&reply.body);
}

/* First byte: which address is asked; the rest is the question. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const paths[] = { "/api/v1/releases/n/tabulate", "/api/v1/releases/n/combinations", "/api/v1/releases/n",
                                         "/api/v1/releases" };
    static su_view *view;
    static su_cube *cube;
    su_context ctx;
    su_arena arena;
    su_context_init(&ctx);
    if (!view && (su_view_read(&ctx, "fuzz", give, NULL, &view) || su_cube_new(&ctx, view, give, NULL, &cube))) abort();
    if (size < 1) return 0;
    su_arena_init(&arena);
    char *query = su_arena_strndup(&arena, (const char *)data + 1, size - 1);
    su_folder none = { .count = 0 };
    su_shown shown = { .view = view, .folder = &none, .cube = cube, .name = "n" };
    check_answer(cube, query, &arena);
    check_call(&shown, paths[data[0] % 4], query, &arena);
    su_arena_free(&arena);
    return 0;
}
