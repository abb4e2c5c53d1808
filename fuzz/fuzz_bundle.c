/* What the portal reads of a bundle, from hostile bytes to counts and rendered pages: refused with words, or rendered without a live tag of
 * the input's. */
#include "../src/portal/query.h"
#include "../src/portal/site.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char package[] =
    "{\"name\":\"n\",\"title\":\"T\",\"suha:groups\":[{\"name\":\"g\",\"title\":\"G\"}],\"resources\":[{\"path\":\"data/"
    "microdata.csv\",\"schema\":{\"fields\":["
    "{\"name\":\"a\",\"suha:type\":\"code\",\"suha:provided\":true,\"suha:codelist\":\"l\"},{\"name\":\"y\",\"suha:type\":\"year\",\"suha:"
    "provided\":true,\"suha:codelist\":\"l\"},"
    "{\"name\":\"f\",\"suha:type\":\"flag\",\"suha:provided\":true,\"suha:codelist\":\"l\",\"suha:group\":\"g\"}]}}]}";
static const char report[] =
    "{\"suha:report\":1,\"guarantee\":{\"holds\":true,\"epsilon\":2},\"groups\":[{\"name\":\"g\",\"synthetic_records_with_an_answer\":3}]}";
static const char counts[] = "combination,length,count,ci_low,ci_high\na=1,1,5,1.0,9.0\ny=1,1,5,1.0,9.0\nf=1,1,2,,\na=1;y=2,2,1,0.0,2.0\n";
static const char records[] = "a,y,f\n1,2,1\n2,,\n,1,1\n";
static const char list[] = "code,label_en\n1,One\n2,Two\n3,Three\n";

typedef struct shelf {
    su_str package, report, counts, records, list;
} shelf;

static bool give(void *arg, const char *path, su_str *bytes)
{
    const shelf *s = arg;
    if (strcmp(path, "datapackage.json") == 0)
        *bytes = s->package;
    else if (strcmp(path, "protection/report.json") == 0)
        *bytes = s->report;
    else if (strcmp(path, "data/aggregates.csv") == 0)
        *bytes = s->counts;
    else if (strcmp(path, "data/microdata.csv") == 0)
        *bytes = s->records;
    else
        *bytes = s->list;
    return true;
}

static void render(const su_view *view, const su_cube *cube)
{
    static const char *const paths[] = { "/", "/r/n/", "/r/n/explore", "/r/n/combinations", "/r/n/data", "/r/n/protection" };
    su_buf page = { 0 };
    su_folder none = { .count = 0 };
    su_shown shown = { .view = view, .folder = &none, .cube = cube, .name = "n" };
    su_site site = { .shown = &shown, .count = 1 };
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        su_site_request request = { paths[i], "", NULL };
        su_site_answer(&site, &request, &page);
        if (memmem(page.p, page.n, "<script>", 8) || memmem(page.p, page.n, "href=\"javascript:", 17)) abort();
    }
    su_buf_free(&page);
}

/* First byte: which of the five files the rest replaces. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1) return 0;
    shelf s = { SU_STR(package), SU_STR(report), SU_STR(counts), SU_STR(records), SU_STR(list) };
    su_str *one[] = { &s.package, &s.report, &s.counts, &s.records, &s.list };
    *one[data[0] % 5] = (su_str) { (const char *)data + 1, size - 1 };
    su_context ctx;
    su_view *view = NULL;
    su_cube *cube = NULL;
    su_context_init(&ctx);
    su_status st = su_view_read(&ctx, "fuzz", give, &s, &view);
    if ((st == SU_OK) != (view != NULL) || (st && !ctx.message[0])) abort();
    if (st) return 0;
    st = su_cube_new(&ctx, view, give, &s, &cube);
    if ((st == SU_OK) != (cube != NULL) || (st && !ctx.message[0])) abort();
    if (!st) render(view, cube);
    su_cube_free(cube);
    su_view_free(view);
    return 0;
}
