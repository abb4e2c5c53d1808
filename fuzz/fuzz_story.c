/* A story's text, from hostile bytes to HTML: no live tag of the input's, no address that runs. */
#include "../src/portal/story.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char package[] =
    "{\"name\":\"n\",\"title\":\"T\",\"suha:groups\":[{\"name\":\"g\",\"title\":\"G\"}],\"resources\":[{\"path\":\"data/microdata.csv\","
    "\"schema\":{\"fields\":[{\"name\":\"x\",\"suha:type\":\"code\",\"suha:provided\":true,\"suha:codelist\":\"l\"},"
    "{\"name\":\"f\",\"suha:type\":\"flag\",\"suha:provided\":true,\"suha:codelist\":\"l\",\"suha:group\":\"g\"}]}}]}";
static const char report[] = "{\"suha:report\":1,\"guarantee\":{\"holds\":true,\"epsilon\":2},\"length\":2}";
static const char counts[] = "combination,length,count,ci_low,ci_high\nx=1,1,5,1.0,9.0\nf=1,1,2,1.0,3.0\nx=1;f=1,2,1,0.0,2.0\n";
static const char list[] = "code,label_en\n1,One\n2,Two\n";
static const char records[] = "x,f\n1,1\n1,\n2,1\n";

static bool give(void *arg, const char *path, su_str *bytes)
{
    (void)arg;
    *bytes = strcmp(path, "datapackage.json") == 0         ? SU_STR(package)
             : strcmp(path, "protection/report.json") == 0 ? SU_STR(report)
             : strcmp(path, "data/aggregates.csv") == 0    ? SU_STR(counts)
             : strcmp(path, "data/microdata.csv") == 0     ? SU_STR(records)
                                                           : SU_STR(list);
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static su_view *view;
    static su_cube *cube;
    su_context ctx;
    su_context_init(&ctx);
    if (!view && (su_view_read(&ctx, "fuzz", give, NULL, &view) || su_cube_new(&ctx, view, give, NULL, &cube))) abort();
    size_t bad;
    if (size > 20000 || !su_utf8_valid((const char *)data, size, &bad)) return 0; /* stories are checked when they are built in */
    su_folder none = { .count = 0 };
    su_shown shown = { view, &none, cube, "n" };
    su_site site = { .shown = &shown, .count = 1 };
    su_arena arena;
    su_buf out = { 0 };
    su_arena_init(&arena);
    su_page p = { .b = &out, .arena = &arena, .site = &site, .shown = &shown, .path = "/", .status = 200 };
    su_story_html(&p, (su_str) { (const char *)data, size });
    if (out.n && (memmem(out.p, out.n, "<script", 7) || memmem(out.p, out.n, "href=\"javascript:", 17) || memmem(out.p, out.n, "<img", 4)))
        abort();
    su_buf_free(&out);
    su_arena_free(&arena);
    return 0;
}
