#include "page.h"

#include <math.h>
#include <string.h>

#define PROMISE_FIRST 3u /* paragraphs of the promise that are shown unfolded */

/* The faint star beside the bright one: the old test of good eyes that gave Suha its name. */
static const char *const star = "<svg class=\"star\" viewBox=\"0 0 32 32\" aria-hidden=\"true\" focusable=\"false\"><path class=\"bright\" "
                                "d=\"M20 4l2 8 8 2-8 2-2 8-2-8-8-2 8-2z\"/>"
                                "<circle class=\"faint\" cx=\"8\" cy=\"25\" r=\"2.2\"/></svg>";

static void open_page(su_buf *b, const char *stamp, const char *title, bool home_link)
{
    su_buf_text(b, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" "
                   "content=\"width=device-width, initial-scale=1\">\n"
                   "<meta name=\"color-scheme\" content=\"light dark\">\n<title>");
    if (stamp) {
        su_html(b, stamp);
        su_buf_text(b, ": ");
    }
    su_html(b, title);
    su_buf_text(b, "</title>\n<link rel=\"icon\" href=\"/icon.svg\" type=\"image/svg+xml\">\n<link rel=\"stylesheet\" "
                   "href=\"/style.css\">\n</head>\n<body class=\"portal\">\n"
                   "<a class=\"skip\" href=\"#main\">Skip to the content</a>\n<header class=\"site\"><div class=\"inner\">\n");
    su_buf_text(b, home_link ? "<a class=\"brand\" href=\"/\">" : "<span class=\"brand\">");
    su_buf_text(b, star);
    su_buf_text(b, home_link ? "<span>Suha</span></a>" : "<span>Suha</span></span>");
    su_buf_text(b, "\n<p>Open data on human trafficking</p>\n</div></header>\n");
}

static void close_page(su_buf *b)
{
    su_buf_text(b, "</main>\n<footer class=\"site\"><div class=\"inner\"><p>Served by Suha " SU_VERSION
                   ". This site sets no cookies, runs no scripts, keeps no record of visits and "
                   "loads nothing from elsewhere.</p></div></footer>\n</body>\n</html>\n");
}

static void put_some(su_buf *b, const char *element, const su_view_words *w, size_t from, size_t to)
{
    for (size_t i = from; i < to && i < w->count; i++) {
        su_buf_printf(b, "<%s>", element);
        su_html(b, w->text[i]);
        su_buf_printf(b, "</%s>\n", element);
    }
}

static void put_words(su_buf *b, const char *element, const su_view_words *w) { put_some(b, element, w, 0, w->count); }

static void put_stamp(su_buf *b, const su_view *v)
{
    if (!v->stamp) return;
    su_buf_text(b, "<div class=\"stamp\" role=\"note\" aria-label=\"Warning\"><strong>");
    su_html(b, v->stamp);
    su_buf_text(b, "</strong>\n");
    put_words(b, "p", &v->warning);
    su_buf_text(b, "</div>\n");
}

/* ---- parts of a release page -------------------------------------------------------------------------------------------------------- */

static void open_key(su_buf *b, const char *name) { su_buf_printf(b, "<div><dt>%s</dt><dd>", name); }
static void close_key(su_buf *b, const char *note) { su_buf_printf(b, "<small>%s</small></dd></div>\n", note); }

static void put_keys(su_buf *b, const su_view *v)
{
    size_t provided = 0;
    uint64_t published = 0;
    for (size_t i = 0; i < v->field_count; i++) provided += v->fields[i].provided;
    for (size_t i = 0; i < v->level_count; i++) published += v->levels[i].published;
    su_buf_text(b, "<dl class=\"keys\">\n");
    open_key(b, "Case records");
    su_html_real(b, round(v->estimated));
    if (isfinite(v->estimated_low) && isfinite(v->estimated_high)) {
        su_buf_text(b, "<small>estimate; 95 % interval ");
        su_html_real(b, fmax(0, floor(v->estimated_low)));
        su_buf_text(b, " to ");
        su_html_real(b, ceil(v->estimated_high));
        su_buf_text(b, "</small></dd></div>\n");
    } else
        close_key(b, v->bounded ? "estimate" : "rounded down to a multiple of K");
    open_key(b, "Synthetic records");
    su_html_count(b, v->synthetic);
    close_key(b, v->bounded ? "nobody's rows" : "no differential privacy bound");
    open_key(b, "Columns");
    su_html_count(b, provided);
    close_key(b, "with public lists of codes");
    open_key(b, "Published counts");
    su_html_count(b, published);
    close_key(b, v->intervals ? "each with its interval" : "without intervals");
    open_key(b, !v->bounded ? "Epsilon (no bound)" : v->stamp ? "Epsilon (set, not guaranteed)" : "Epsilon");
    if (v->bounded)
        su_html_real(b, v->epsilon);
    else
        su_buf_text(b, "none");
    if (v->bounded && isfinite(v->delta))
        su_buf_printf(b, "<small>at delta %.2g</small></dd></div>\n", v->delta);
    else
        close_key(b, "");
    su_buf_text(b, "</dl>\n");
}

static void put_promise(su_buf *b, const su_shown *s)
{
    const su_view *v = s->view;
    su_buf_text(b, "<section aria-labelledby=\"promise\">\n<h2 id=\"promise\">What protects the people in these data</h2>\n<div "
                   "class=\"columns\">\n<div class=\"card prose\">\n"
                   "<h3>What is promised</h3>\n");
    if (v->stamp) {
        su_buf_text(b, "<p class=\"note\"><strong>");
        su_html(b, v->stamp);
        su_buf_text(b, v->bounded ? ".</strong> This is what the same release would promise with real noise.</p>\n" : ".</strong></p>\n");
    }
    put_some(b, "p", &v->promise, 0, PROMISE_FIRST);
    if (v->promise.count > PROMISE_FIRST) {
        su_buf_text(b, "<details>\n<summary>How it was done, and what weakens it</summary>\n");
        put_some(b, "p", &v->promise, PROMISE_FIRST, v->promise.count);
        su_buf_text(b, "</details>\n");
    }
    su_buf_text(b, "</div>\n<div class=\"card prose\">\n<h3>What it does not protect</h3>\n<ul>\n");
    put_words(b, "li", &v->limits);
    su_buf_text(b, "</ul>\n</div>\n</div>\n<details class=\"card\">\n<summary>What is missing on purpose</summary>\n<ul>\n");
    put_words(b, "li", &v->absent);
    su_buf_text(b, "</ul>\n</details>\n");
    if (su_folder_find(s->folder, "protection/report.html")) {
        su_buf_text(b, "<p><a href=\"/r/");
        su_html(b, s->name);
        su_buf_text(b, "/protection/report.html\">The whole protection report</a>: noise, gates and tables, one by one.</p>\n");
    }
    su_buf_text(b, "</section>\n");
}

static void put_charts(su_buf *b, const su_view *v)
{
    unsigned id = 0;
    su_buf_text(b, "<section aria-labelledby=\"glance\">\n<h2 id=\"glance\">The data at a glance</h2>\n<p>Every number here is from the "
                   "published counts; the thin lines are 95 % intervals. "
                   "Recorded cases are not a sample of all victims: they show who was found and helped.</p>\n");
    for (size_t i = 0; i < v->field_count; i++)
        if (v->fields[i].provided && v->fields[i].kind == SU_VIEW_YEAR) su_chart_field(v, &v->fields[i], id++, b);
    su_buf_text(b, "<div class=\"cards\">\n");
    for (size_t i = 0; i < v->field_count; i++)
        if (v->fields[i].provided && (v->fields[i].kind == SU_VIEW_CODE || v->fields[i].kind == SU_VIEW_SET))
            su_chart_field(v, &v->fields[i], id++, b);
    if (v->pair_count) su_chart_pairs(v, id++, b);
    for (int g = 0; g < (int)v->group_count; g++)
        if (su_chart_has_group(v, g)) su_chart_group(v, g, id++, b);
    if (su_chart_has_group(v, -1)) su_chart_group(v, -1, id++, b);
    su_buf_text(b, "</div>\n</section>\n");
}

/* Files people look for, in the order they look for them; the rest is folded. */
static const char *const purposes[][2] = {
    { "data/aggregates.csv", "Protected counts with intervals: for numbers you quote" },
    { "data/microdata.csv", "Synthetic records: for cross tables and models" },
    { "codebook.html", "Codebook: every field, code and rule" },
    { "protection/report.html", "Protection report, for people" },
    { "protection/report.json", "Protection report, for machines" },
    { "datapackage.json", "Description for machines (Data Package v2)" },
    { "README.md", "How to read the files" },
    { "CITATION.cff", "Citation, for reference managers" },
};
#define PURPOSES (sizeof purposes / sizeof *purposes)

static const char *purpose(const char *path)
{
    for (size_t i = 0; i < PURPOSES; i++)
        if (strcmp(purposes[i][0], path) == 0) return purposes[i][1];
    return NULL;
}

static void put_file(su_buf *b, const su_shown *s, const su_folder_file *f)
{
    const char *what = purpose(f->path);
    su_buf_text(b, "<li><a href=\"/r/");
    su_html(b, s->name);
    su_buf_char(b, '/');
    su_html(b, f->path);
    su_buf_text(b, "\">");
    su_html(b, f->path);
    su_buf_text(b, "</a> <span class=\"size\">");
    su_html_bytes(b, f->bytes.n);
    su_buf_text(b, "</span>\n");
    if (what) su_buf_printf(b, "<p>%s</p>\n", what);
    su_buf_printf(b, "<code class=\"hash\"><abbr title=\"SHA-256 of the file\">SHA-256</abbr> %s</code></li>\n", f->sha256);
}

static void put_files(su_buf *b, const su_shown *s)
{
    su_buf_text(b, "<section aria-labelledby=\"files\">\n<h2 id=\"files\">Downloads</h2>\n<ul class=\"files\">\n");
    for (size_t i = 0; i < PURPOSES; i++) {
        const su_folder_file *f = su_folder_find(s->folder, purposes[i][0]);
        if (f) put_file(b, s, f);
    }
    su_buf_text(b, "</ul>\n<details class=\"card\">\n<summary>Codelists and other files</summary>\n<ul class=\"files\">\n");
    for (size_t i = 0; i < s->folder->count; i++)
        if (!purpose(s->folder->files[i].path)) put_file(b, s, &s->folder->files[i]);
    su_buf_text(b, "</ul>\n</details>\n</section>\n");
}

static void put_citation(su_buf *b, const su_view *v)
{
    su_buf_text(b,
                "<section aria-labelledby=\"cite\">\n<h2 id=\"cite\">Citation and terms</h2>\n<div class=\"card prose\">\n<blockquote><p>");
    su_html(b, v->publisher ? v->publisher : "Publisher not named");
    su_buf_text(b, " (");
    su_buf_html(b, (su_str) { v->created, strnlen(v->created, 4) });
    su_buf_text(b, "). ");
    su_html(b, v->title);
    su_buf_text(b, ", version ");
    su_html(b, v->version);
    su_buf_text(b, ". Data set with differential privacy.</p></blockquote>\n<p>Terms: ");
    if (v->licence_url) {
        su_buf_text(b, "<a href=\"");
        su_html(b, v->licence_url);
        su_buf_text(b, "\" rel=\"license noreferrer\">");
    }
    su_html(b, v->licence);
    su_buf_text(b, v->licence_url ? "</a>. " : ". ");
    su_buf_text(b, "Do not try to find persons in the records. No endorsement by any organisation is implied.</p>\n</div>\n</section>\n");
}

static void put_day(su_buf *b, const su_view *v)
{
    su_buf_text(b, "<p class=\"eyebrow\">Version ");
    su_html(b, v->version);
    if (v->created[0]) {
        su_buf_text(b, " · <time datetime=\"");
        su_html(b, v->created);
        su_buf_text(b, "\">");
        su_buf_html(b, (su_str) { v->created, strnlen(v->created, 10) });
        su_buf_text(b, "</time>");
    }
    if (v->publisher) {
        su_buf_text(b, " · ");
        su_html(b, v->publisher);
    }
    su_buf_text(b, "</p>\n");
}

void su_page_release(const su_shown *s, bool alone, su_buf *b)
{
    const su_view *v = s->view;
    open_page(b, NULL, v->title, !alone);
    put_stamp(b, v);
    su_buf_text(b, "<main id=\"main\">\n<div class=\"hero\">\n");
    put_day(b, v);
    su_buf_text(b, "<h1>");
    su_html(b, v->title);
    su_buf_text(b, "</h1>\n");
    if (v->description[0]) {
        su_buf_text(b, "<p class=\"lead\">");
        su_html(b, v->description);
        su_buf_text(b, "</p>\n");
    }
    put_keys(b, v);
    su_buf_text(b, "<nav aria-label=\"On this page\"><ul><li><a href=\"#promise\">Protection</a></li><li><a "
                   "href=\"#glance\">Charts</a></li><li><a href=\"#files\">Downloads</a></li>"
                   "<li><a href=\"#cite\">Citation</a></li></ul></nav>\n</div>\n");
    put_promise(b, s);
    put_charts(b, v);
    put_files(b, s);
    put_citation(b, v);
    close_page(b);
}

/* ---- list of releases, 404 ---------------------------------------------------------------------------------------------------------- */

void su_page_index(const su_shown *shown, size_t count, su_buf *b)
{
    open_page(b, NULL, "Releases", false);
    su_buf_text(b, "<main id=\"main\">\n<div class=\"hero\">\n<h1>Releases</h1>\n<p class=\"lead\">Counts and synthetic records about "
                   "people who were trafficked. Each release says what it promises "
                   "to the people in it, and what it does not.</p>\n</div>\n<ul class=\"releases\">\n");
    for (size_t i = 0; i < count; i++) {
        const su_view *v = shown[i].view;
        su_buf_text(b, "<li class=\"card\">\n");
        if (v->stamp) {
            su_buf_text(b, "<p class=\"badge\">");
            su_html(b, v->stamp);
            su_buf_text(b, "</p>\n");
        }
        put_day(b, v);
        su_buf_text(b, "<h2><a href=\"/r/");
        su_html(b, shown[i].name);
        su_buf_text(b, "/\">");
        su_html(b, v->title);
        su_buf_text(b, "</a></h2>\n<p>");
        su_html_count(b, v->synthetic);
        su_buf_text(b, " synthetic records, epsilon ");
        su_html_real(b, v->epsilon);
        su_buf_text(b, "</p>\n</li>\n");
    }
    su_buf_text(b, "</ul>\n");
    close_page(b);
}

void su_page_missing(su_buf *b)
{
    open_page(b, NULL, "Not here", true);
    su_buf_text(b, "<main id=\"main\">\n<div class=\"hero\">\n<h1>This page is not here</h1>\n<p class=\"lead\">The address may have "
                   "changed. <a href=\"/\">See what is published.</a></p>\n</div>\n");
    close_page(b);
}
