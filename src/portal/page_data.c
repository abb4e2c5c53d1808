/* Data: files with size and checksum, citation, terms, and the codebook, searchable without script. */
#include "chart.h"
#include "page_parts.h"

#include <string.h>

#define MOST_CODES 400u

/* Files people look for, in the order they look for them; the rest is folded. */
static const char *const first_files[] = { "data/aggregates.csv",    "data/microdata.csv", "codebook.html", "protection/report.html",
                                           "protection/report.json", "datapackage.json",   "README.md",     "CITATION.cff" };
#define FIRST_FILES (sizeof first_files / sizeof *first_files)

static void put_file(su_page *p, const su_folder_file *f)
{
    const char *what = su_folder_purpose(f->path);
    put(p, "<li><a href=\"");
    su_page_text(p, su_page_address(p, p->shown, f->path));
    put(p, "\">");
    su_page_text(p, f->path);
    put(p, "</a> <span class=\"size\">");
    su_put_bytes(p->b, p->l, f->bytes.n);
    put(p, "</span>\n");
    if (what) {
        put(p, "<p>");
        su_say_with(p->b, p->l, what, NULL);
        put(p, "</p>\n");
    }
    su_buf_printf(p->b, "<code class=\"hash\" dir=\"ltr\">SHA-256 %s</code></li>\n", f->sha256);
}

static void put_files(su_page *p)
{
    const su_folder *folder = p->shown->folder;
    put(p, "<section aria-labelledby=\"files\">\n<h2 id=\"files\">");
    say(p, "Files");
    put(p, "</h2>\n<ul class=\"files\">\n");
    for (size_t i = 0; i < FIRST_FILES; i++) {
        const su_folder_file *f = su_folder_find(folder, first_files[i]);
        if (f) put_file(p, f);
    }
    put(p, "</ul>\n<details class=\"card\">\n<summary>");
    say(p, "Codelists and other files");
    put(p, "</summary>\n<ul class=\"files\">\n");
    for (size_t i = 0; i < folder->count; i++)
        if (!su_folder_purpose(folder->files[i].path)) put_file(p, &folder->files[i]);
    put(p, "</ul>\n</details>\n<p>");
    say(p, "To check what you downloaded: {a}SHA256SUMS{/a}. Programs can ask for any view of these data: {b}the API{/b}.",
        SU_PHTML("a", su_page_anchor(p, su_page_address(p, p->shown, "SHA256SUMS"))), SU_PHTML("/a", "</a>"),
        SU_PHTML("b", su_page_anchor(p, "/api")), SU_PHTML("/b", "</a>"));
    put(p, "</p>\n</section>\n");
}

static void put_citation(su_page *p)
{
    const su_view *v = p->shown->view;
    put(p, "<section aria-labelledby=\"cite\">\n<h2 id=\"cite\">");
    say(p, "Citation and terms");
    put(p, "</h2>\n<div class=\"card prose\">\n<blockquote><p dir=\"auto\">");
    if (v->publisher)
        su_page_text(p, v->publisher);
    else
        say(p, "Publisher not named");
    put(p, " (");
    su_buf_html(p->b, (su_str) { v->created, strnlen(v->created, 4) });
    put(p, "). <cite>");
    su_page_text(p, v->title);
    put(p, "</cite>. ");
    say(p, "Version {version}", SU_PTEXT("version", v->version));
    put(p, ".</p></blockquote>\n<p>");
    say(p, "Terms:");
    put(p, " ");
    if (v->licence_url) {
        put(p, "<a href=\"");
        su_page_text(p, v->licence_url);
        put(p, "\" rel=\"license noreferrer\">");
    }
    su_page_text(p, v->licence);
    put(p, v->licence_url ? "</a>. " : ". ");
    say(p, "Do not try to find persons in the records. No endorsement by any organisation is implied.");
    put(p, "</p>\n</div>\n</section>\n");
}

/* ---- codebook ---- */

static char folded(char c) { return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c; }

static bool holds(const char *text, const char *word)
{
    size_t n = strlen(word);
    for (; text && *text; text++) {
        size_t i = 0;
        while (i < n && folded(text[i]) == folded(word[i])) i++;
        if (i == n) return true;
    }
    return n == 0;
}

static bool value_matches(su_page *p, const su_view_value *x, const char *word)
{
    return holds(x->code, word) || holds(su_figure_label(p, x), word) || holds(x->label, word);
}

static bool field_matches(su_page *p, const su_view_field *f, const char *word)
{
    return holds(f->name, word) || holds(f->title, word) || holds(su_figure_title(p, f), word) || holds(f->description, word);
}

static const char *const kinds[] = { [SU_VIEW_CODE] = T("one code of a list"),
                                     [SU_VIEW_SET] = T("several codes of a list"),
                                     [SU_VIEW_FLAG] = T("yes or nothing"),
                                     [SU_VIEW_YEAR] = T("year"),
                                     [SU_VIEW_OTHER] = T("other") };

static void put_codes(su_page *p, const su_view_field *f, const char *word)
{
    size_t shown = 0;
    su_buf_printf(p->b, "<details%s><summary>", word[0] && !field_matches(p, f, word) ? " open=\"open\"" : "");
    say(p, "Codes: {n}", SU_PCOUNT("n", f->value_count));
    put(p, "</summary>\n<ul class=\"codes\">\n");
    for (size_t i = 0; i < f->value_count && shown < MOST_CODES; i++) {
        const su_view_value *x = &f->values[i];
        if (word[0] && !field_matches(p, f, word) && !value_matches(p, x, word)) continue;
        put(p, "<li><code dir=\"ltr\">");
        su_page_text(p, x->code);
        put(p, "</code> ");
        su_page_text(p, su_figure_label(p, x));
        put(p, "</li>\n");
        shown++;
    }
    put(p, "</ul></details>\n");
}

static bool put_field(su_page *p, const su_view_field *f, size_t index, const char *word)
{
    bool match = field_matches(p, f, word);
    for (size_t i = 0; i < f->value_count && !match; i++) match = value_matches(p, &f->values[i], word);
    if (!match) return false;
    su_buf_printf(p->b, "<article class=\"field\" id=\"c%zu\">\n<h3>", index);
    su_page_text(p, su_figure_title(p, f));
    put(p, " <code dir=\"ltr\">");
    su_page_text(p, f->name);
    put(p, "</code></h3>\n<p class=\"kind\">");
    su_say_with(p->b, p->l, kinds[f->kind], NULL);
    if (!f->provided) {
        put(p, " · ");
        say(p, "not provided in this release");
    }
    put(p, "</p>\n");
    if (f->description && f->description[0]) {
        put(p, "<p lang=\"en\" dir=\"ltr\">");
        su_page_text(p, f->description);
        put(p, "</p>\n");
    }
    if (f->value_count) put_codes(p, f, word);
    put(p, "</article>\n");
    return true;
}

static const char *search_word(su_page *p)
{
    su_args args = { 0 };
    su_problem problem = { 0 };
    const char *word = su_args_parse(p->query, p->arena, &args, &problem) ? su_args_get(&args, "q") : NULL;
    if (problem.status) p->status = problem.status;
    return word ? word : "";
}

static void put_codebook(su_page *p)
{
    const su_view *v = p->shown->view;
    const char *word = search_word(p);
    size_t found = 0;
    put(p, "<section aria-labelledby=\"codebook\">\n<h2 id=\"codebook\">");
    say(p, "Codebook");
    put(p, "</h2>\n<form class=\"search\" role=\"search\" method=\"get\" action=\"");
    su_page_text(p, su_page_address(p, p->shown, "data"));
    put(p, "#codebook\">\n");
    if (p->keep) su_buf_printf(p->b, "<input type=\"hidden\" name=\"lang\" value=\"%s\">\n", su_locale_tag(p->l));
    put(p, "<label for=\"q\">");
    say(p, "Search columns and codes");
    put(p, "</label> <input type=\"search\" id=\"q\" name=\"q\" value=\"");
    su_page_text(p, word);
    put(p, "\"> <button type=\"submit\">");
    say(p, "Search");
    put(p, "</button></form>\n<div class=\"codebook\">\n");
    for (size_t i = 0; i < v->field_count; i++) found += put_field(p, &v->fields[i], i, word);
    put(p, "</div>\n");
    if (!found) tag(p, "p", "No column and no code has this word.");
    put(p, "</section>\n");
}

void su_page_data(su_page *p)
{
    su_page_open(
        p, &(su_page_head) { .title = su_tr(p->l, "Data"), .here = su_page_address(p, p->shown, "data"), .jsonld = su_jsonld_dataset(p) });
    put(p, "<div class=\"hero\">\n<h1>");
    say(p, "Data");
    put(p, "</h1>\n<p class=\"lead\">");
    say(p, "Everything in this release, to download, quote and check.");
    put(p, "</p>\n<nav aria-label=\"");
    say(p, "On this page");
    put(p, "\"><ul><li><a href=\"#files\">");
    say(p, "Files");
    put(p, "</a></li><li><a href=\"#cite\">");
    say(p, "Citation and terms");
    put(p, "</a></li><li><a href=\"#codebook\">");
    say(p, "Codebook");
    put(p, "</a></li></ul></nav>\n</div>\n");
    put_files(p);
    put_citation(p);
    put_codebook(p);
    su_page_close(p);
}
