/* The API for people, rendered from the same openapi.json that programs read. The document's own texts are English. */
#include "page.h"

#include <jansson.h>
#include <string.h>

static const char *text_of(const json_t *object, const char *key)
{
    const char *s = json_string_value(json_object_get(object, key));
    return s ? s : "";
}

/* "#/components/parameters/id" inside the document; the object itself when it is no reference. NULL when it leads nowhere. */
static const json_t *followed(const json_t *root, const json_t *object)
{
    const char *ref = json_string_value(json_object_get(object, "$ref"));
    if (!ref) return object;
    if (strncmp(ref, "#/", 2) != 0) return NULL;
    const json_t *at = root;
    for (ref += 2; at && *ref;) {
        size_t n = strcspn(ref, "/");
        char key[80];
        snprintf(key, sizeof key, "%.*s", (int)n, ref);
        at = json_object_get(at, key);
        ref += n + (ref[n] == '/');
    }
    return at;
}

static void put_english(su_page *p, const char *element, const char *text)
{
    if (!text[0]) return;
    su_buf_printf(p->b, "<%s lang=\"en\" dir=\"ltr\">", element);
    su_page_text(p, text);
    su_buf_printf(p->b, "</%s>\n", element);
}

static void put_parameters(su_page *p, const json_t *root, const json_t *list)
{
    size_t i;
    const json_t *one;
    if (!json_array_size(list)) return;
    put(p, "<dl class=\"parameters\">\n");
    json_array_foreach(list, i, one)
    {
        const json_t *parameter = followed(root, one);
        if (!parameter) continue;
        put(p, "<div><dt><code dir=\"ltr\">");
        su_page_text(p, text_of(parameter, "name"));
        put(p, "</code> <small>");
        if (json_is_true(json_object_get(parameter, "required")))
            say(p, "required");
        else
            say(p, "optional");
        put(p, "</small></dt>");
        put_english(p, "dd", text_of(parameter, "description"));
        put(p, "</div>\n");
    }
    put(p, "</dl>\n");
}

static void put_responses(su_page *p, const json_t *root, const json_t *responses)
{
    const char *status;
    json_t *one;
    put(p, "<ul class=\"responses\">\n");
    json_object_foreach((json_t *)(uintptr_t)responses, status, one)
    {
        const json_t *response = followed(root, one);
        put(p, "<li><code dir=\"ltr\">");
        su_page_text(p, status);
        put(p, "</code> ");
        put_english(p, "span", response ? text_of(response, "description") : "");
        put(p, "</li>\n");
    }
    put(p, "</ul>\n");
}

static void put_operation(su_page *p, const json_t *root, const char *path, const char *method, const json_t *operation)
{
    char name[8];
    size_t n = 0;
    for (; method[n] && n + 1 < sizeof name; n++) name[n] = (char)(method[n] & ~0x20);
    name[n] = 0;
    put(p, "<article class=\"operation card\">\n<h3><code dir=\"ltr\">");
    su_page_text(p, name);
    put(p, " ");
    su_page_text(p, path);
    put(p, "</code></h3>\n");
    put_english(p, "p", text_of(operation, "summary"));
    put_english(p, "p", text_of(operation, "description"));
    put_parameters(p, root, json_object_get(operation, "parameters"));
    put_responses(p, root, json_object_get(operation, "responses"));
    put(p, "</article>\n");
}

static void put_paths(su_page *p, const json_t *root)
{
    const char *path, *method;
    json_t *operations, *operation;
    json_object_foreach(json_object_get(root, "paths"), path, operations) json_object_foreach(operations, method, operation)
    {
        if (json_is_object(operation)) put_operation(p, root, path, method, operation);
    }
}

/* What each word after the # of a problem's type means: problems link here. */
static void put_problems(su_page *p, const json_t *root)
{
    size_t i;
    const json_t *one, *problem = json_object_get(json_object_get(json_object_get(root, "components"), "schemas"), "Problem");
    const json_t *type = json_object_get(json_object_get(problem, "properties"), "type"), *list = json_object_get(type, "examples");
    if (!json_array_size(list)) return;
    put(p, "<h2>");
    say(p, "Problems");
    put(p, "</h2>\n<ul>\n");
    json_array_foreach(list, i, one)
    {
        const char *text = json_string_value(one), *word = text ? strchr(text, '#') : NULL;
        if (!word) continue;
        put(p, "<li id=\"");
        su_page_text(p, word + 1);
        put(p, "\"><code dir=\"ltr\">");
        su_page_text(p, word + 1);
        put(p, "</code></li>\n");
    }
    put(p, "</ul>\n");
}

void su_page_api(su_page *p)
{
    json_error_t error;
    json_t *root = p->site->openapi.n ? json_loadb(p->site->openapi.p, p->site->openapi.n, 0, &error) : NULL;
    su_page_open(p, &(su_page_head) { .title = su_tr(p->l, "API"), .here = "/api" });
    put(p, "<div class=\"hero\">\n<h1>");
    say(p, "API");
    put(p, "</h1>\n<p class=\"lead\">");
    say(p, "Everything this site shows, for programs. No key is needed, and other sites may read it.");
    put(p, "</p>\n<p>");
    say(p,
        "The description for machines: {a}openapi.json{/a} (OpenAPI 3.1). The catalogue: {b}catalog.jsonld{/b} (DCAT). The texts below are "
        "English.",
        SU_PHTML("a", "<a href=\"/api/v1/openapi.json\">"), SU_PHTML("/a", "</a>"), SU_PHTML("b", "<a href=\"/catalog.jsonld\">"),
        SU_PHTML("/b", "</a>"));
    put(p, "</p>\n</div>\n<div class=\"text\">\n");
    put_english(p, "p", text_of(json_object_get(root, "info"), "description"));
    if (p->site->count) {
        const char *example = su_arena_printf(p->arena, "/api/v1/releases/%s/tabulate", p->site->shown[0].name);
        put(p, "<p>");
        say(p, "For example: {a}how many people are in the first release{/a}.",
            SU_PHTML("a", su_arena_printf(p->arena, "<a href=\"%s\">", example)), SU_PHTML("/a", "</a>"));
        put(p, "</p>\n");
    }
    if (root) {
        tag(p, "h2", "Requests");
        put_paths(p, root);
        put_problems(p, root);
    }
    put(p, "</div>\n");
    su_page_close(p);
    json_decref(root);
}
