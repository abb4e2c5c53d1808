#include "markup.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char fault[256];

static const char *complain(const char *what, const char *html, const char *at)
{
    snprintf(fault, sizeof fault, "%s at byte %zu: %.60s", what, (size_t)(at - html), at);
    return fault;
}

static bool is_name(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == ':'; }

static bool is_void(const char *name)
{
    static const char *const list[] = { "meta", "link", "br", "hr", "img", "input", NULL };
    for (int i = 0; list[i]; i++)
        if (strcmp(list[i], name) == 0) return true;
    return false;
}

static bool reference_ok(const char *p, const char *end)
{
    static const char *const list[] = { "&amp;", "&lt;", "&gt;", "&quot;", "&#39;", "&#x27;", NULL };
    for (int i = 0; list[i]; i++)
        if ((size_t)(end - p) >= strlen(list[i]) && memcmp(p, list[i], strlen(list[i])) == 0) return true;
    return false;
}

typedef struct walk {
    char stack[64][24];
    int depth;
    char ids[4000][40];
    int id_count;
} walk;

static const char *attribute(walk *w, const char *html, const char **at, const char *end)
{
    char name[40], value[40];
    size_t n = 0, m = 0;
    const char *p = *at;
    while (p < end && is_name(*p) && n + 1 < sizeof name) name[n++] = *p++;
    name[n] = 0;
    if (n == 0 || p + 1 >= end || p[0] != '=' || p[1] != '"') return complain("attribute without a quoted value", html, *at);
    for (p += 2; p < end && *p != '"'; p++) {
        if (*p == '<' || *p == '>') return complain("angle bracket in an attribute", html, p);
        if (*p == '&' && !reference_ok(p, end)) return complain("bare & in an attribute", html, p);
        if (m + 1 < sizeof value) value[m++] = *p;
    }
    value[m] = 0;
    if (p == end) return complain("attribute that does not close", html, *at);
    if (strncmp(name, "on", 2) == 0 || strcmp(name, "style") == 0) return complain("inline script or style", html, *at);
    if (strcmp(name, "href") == 0 && strncmp(value, "javascript:", 11) == 0) return complain("script address", html, *at);
    if (strcmp(name, "id") == 0) {
        for (int i = 0; i < w->id_count; i++)
            if (strcmp(w->ids[i], value) == 0) return complain("id used twice", html, *at);
        if (w->id_count < 4000) strcpy(w->ids[w->id_count++], value);
    }
    *at = p + 1;
    return NULL;
}

static const char *element(walk *w, const char *html, const char **at, const char *end)
{
    const char *start = *at, *p = start + 1;
    bool closing = p < end && *p == '/';
    char name[24];
    size_t n = 0;
    if (closing) p++;
    while (p < end && is_name(*p) && n + 1 < sizeof name) name[n++] = *p++;
    name[n] = 0;
    if (n == 0) return complain("tag without a name", html, start);
    if (strcmp(name, "script") == 0 || strcmp(name, "style") == 0) return complain("script or style element", html, start);
    bool self = false;
    while (p < end && *p != '>') {
        if (*p == ' ' || *p == '\n') {
            p++;
            continue;
        }
        if (*p == '/' && p + 1 < end && p[1] == '>') {
            self = true;
            p++;
            continue;
        }
        const char *why = attribute(w, html, &p, end);
        if (why) return why;
    }
    if (p == end) return complain("tag that does not close", html, start);
    *at = p + 1;
    if (closing) {
        if (w->depth == 0 || strcmp(w->stack[w->depth - 1], name) != 0) return complain("closing tag that does not match", html, start);
        w->depth--;
    } else if (!self && !is_void(name)) {
        if (w->depth == 64) return complain("nesting too deep", html, start);
        strcpy(w->stack[w->depth++], name);
    }
    return NULL;
}

const char *su_markup_fault(const char *html, size_t n)
{
    static const char doctype[] = "<!DOCTYPE html>\n";
    const char *p = html, *end = html + n, *why = NULL;
    if (n < sizeof doctype || memcmp(html, doctype, sizeof doctype - 1) != 0) return "no doctype";
    walk *w = calloc(1, sizeof *w);
    if (!w) abort();
    p += sizeof doctype - 1;
    while (p < end && !why) {
        if (*p == '<') {
            why = element(w, html, &p, end);
            continue;
        }
        if (*p == '>') why = complain("bare >", html, p);
        if (*p == '&' && !reference_ok(p, end)) why = complain("bare &", html, p);
        p++;
    }
    if (!why && w->depth) {
        snprintf(fault, sizeof fault, "element %s is not closed", w->stack[w->depth - 1]);
        why = fault;
    }
    free(w);
    return why;
}
