/* The codebook, as Markdown and as HTML: every field of data/microdata.csv, every list once. */
#include "publication.h"

#include <string.h>

#define LONG_LIST 40u

static const char *const language[SU_LANG_COUNT] = { "en", "fr", "es", "ar" };

static const char *kind(su_type t)
{
    switch (t) {
    case SU_TYPE_CODE:
        return "one code";
    case SU_TYPE_CODE_SET:
        return "several codes in one cell";
    case SU_TYPE_FLAG:
        return "yes, or empty";
    case SU_TYPE_YEAR:
        return "year";
    case SU_TYPE_INTEGER:
        return "whole number";
    case SU_TYPE_DATE:
        return "date";
    case SU_TYPE_TEXT:
        return "text";
    }
    return "";
}

static const char *group_name(const su_publication *p, const su_pub_field *f)
{
    int g = f->field->group;
    if (g < 0 || (uint32_t)g >= p->schema->group_count) return NULL;
    const su_group *group = &p->schema->groups[g];
    return group->title && group->title[0] ? group->title : group->name;
}

static const char *const group_rule = "Several questions of one group may be answered yes by the same person. The percentage of one answer "
                                      "is 100 times the records with that yes, divided by the records "
                                      "with at least one yes in the group; records without any answer in the group are left out. Such "
                                      "percentages may add up to more than 100.";

static const char *const reading = "data/microdata.csv has one row per synthetic record: artificial rows whose counts together come close "
                                   "to the protected ones. data/aggregates.csv has the protected counts "
                                   "themselves, with intervals that hold the number in the case records in 95 of 100 cells before "
                                   "selection. Where the two differ, trust the counts.";

/* What a cell without a value prints, in words and quoted. */
static const char *missing_cell(const su_publication *p, const su_pub_field *f)
{
    const char *print = f->provided && f->field->missing_print ? f->field->missing_print : "";
    return print[0] ? su_arena_printf(p->arena, "%s: %s", print, su_missing_words(f))
                    : su_arena_printf(p->arena, "empty: %s", su_missing_words(f));
}

/* ---- Markdown ----------------------------------------------------------------------------------------------------------------------- */

static void md_row(su_buf *b, const char *name, const char *value)
{
    if (!value || !value[0]) return;
    su_buf_printf(b, "- %s: ", name);
    su_buf_md(b, value);
    su_buf_char(b, '\n');
}

static void md_field(const su_publication *p, const su_pub_field *f, su_buf *b)
{
    su_buf_text(b, "\n### ");
    su_buf_md(b, f->name);
    su_buf_text(b, "\n\n");
    su_buf_md(b, f->title);
    su_buf_text(b, "\n\n");
    if (f->field->description && f->field->description[0]) {
        su_buf_md(b, f->field->description);
        su_buf_text(b, "\n\n");
    }
    md_row(b, "Kind", kind(f->field->type));
    if (f->separator) md_row(b, "Codes in a cell are separated by", (char[2]) { f->separator, 0 });
    if (f->list >= 0) md_row(b, "Codes", p->lists[f->list].path);
    md_row(b, "Question group", group_name(p, f));
    md_row(b, "A cell without a value", missing_cell(p, f));
    if (!f->provided) md_row(b, "In this release", "not provided: the column is empty");
    for (int l = 1; l < SU_LANG_COUNT; l++)
        if (f->field->titles[l]) md_row(b, language[l], f->field->titles[l]);
}

static void md_list(const su_list_file *file, su_arena *arena, su_buf *b)
{
    su_buf_printf(b,
                  "\n### %s\n\nComplete public list, also in %s: %u codes, whether or not they occur.\n\n| code | label | fr | es | ar "
                  "|\n|---|---|---|---|---|\n",
                  file->slug, file->path, file->list->count);
    for (uint32_t i = 0; i < file->list->count; i++) {
        const su_code *c = &file->list->codes[i];
        su_buf_text(b, "| ");
        su_buf_md(b, su_printed(arena, c->code));
        for (int l = 0; l < SU_LANG_COUNT; l++) {
            su_buf_text(b, " | ");
            su_buf_md(b, c->label[l]);
        }
        su_buf_text(b, " |\n");
    }
}

void su_emit_codebook_md(const su_publication *p, su_buf *b)
{
    su_buf_text(b, "# Codebook: ");
    su_buf_md(b, p->title);
    su_buf_text(b, "\n\n");
    su_md_warning(p, b);
    if (p->schema->description && p->schema->description[0]) {
        su_buf_md(b, p->schema->description);
        su_buf_text(b, "\n\n");
    }
    su_buf_text(b, reading);
    su_buf_text(b, "\n\n## Percentages within a question group\n\n");
    su_buf_text(b, group_rule);
    su_buf_text(b, "\n\n");
    for (uint32_t g = 0; g < p->schema->group_count; g++) {
        if (!p->groups[g].fields) continue;
        su_buf_text(b, "- ");
        su_buf_md(b, p->groups[g].group->title ? p->groups[g].group->title : p->groups[g].group->name);
        su_buf_printf(b, ": %u fields, %s synthetic records with at least one yes\n", p->groups[g].fields,
                      su_grouped(p->arena, p->groups[g].answered));
    }
    su_buf_text(b, "\n## Fields\n");
    for (size_t i = 0; i < p->field_count; i++) md_field(p, &p->fields[i], b);
    su_buf_text(b, "\n## What is missing on purpose\n\n");
    for (size_t i = 0; i < p->absent.count; i++) {
        su_buf_text(b, "- ");
        su_buf_md(b, p->absent.text[i]);
        su_buf_char(b, '\n');
    }
    su_buf_text(b, "\n## Lists of codes\n");
    for (size_t i = 0; i < p->list_count; i++) md_list(&p->lists[i], p->arena, b);
}

/* ---- HTML --------------------------------------------------------------------------------------------------------------------------- */

static void html(su_buf *b, const char *text) { su_buf_html(b, su_str_of(text)); }

static void html_pair(su_buf *b, const char *name, const char *value)
{
    if (!value || !value[0]) return;
    su_buf_printf(b, "<dt>%s</dt><dd>", name);
    html(b, value);
    su_buf_text(b, "</dd>\n");
}

static void html_field(const su_publication *p, const su_pub_field *f, su_buf *b)
{
    su_buf_text(b, "<section class=\"field\">\n<h3><code>");
    html(b, f->name);
    su_buf_text(b, "</code> ");
    html(b, f->title);
    su_buf_text(b, "</h3>\n");
    if (f->field->description && f->field->description[0]) {
        su_buf_text(b, "<p>");
        html(b, f->field->description);
        su_buf_text(b, "</p>\n");
    }
    su_buf_text(b, "<dl>\n");
    html_pair(b, "Kind", kind(f->field->type));
    if (f->separator) html_pair(b, "Between codes", (char[2]) { f->separator, 0 });
    if (f->list >= 0) {
        const su_list_file *list = &p->lists[f->list];
        su_buf_printf(b, "<dt>Codes</dt><dd><a href=\"#list-%s\">%s</a>, %u codes</dd>\n", list->slug, list->slug, list->list->count);
    }
    html_pair(b, "Question group", group_name(p, f));
    html_pair(b, "Without a value", missing_cell(p, f));
    if (!f->provided) html_pair(b, "In this release", "not provided: the column is empty");
    su_buf_text(b, "</dl>\n");
    bool any = false;
    for (int l = 1; l < SU_LANG_COUNT; l++) {
        if (!f->field->titles[l]) continue;
        su_buf_printf(b, "%s<span lang=\"%s\" dir=\"auto\">", any ? " · " : "<p class=\"languages\">", language[l]);
        html(b, f->field->titles[l]);
        su_buf_text(b, "</span>");
        any = true;
    }
    su_buf_text(b, any ? "</p>\n</section>\n" : "</section>\n");
}

static void html_list(const su_list_file *file, su_arena *arena, su_buf *b)
{
    bool folded = file->list->count > LONG_LIST;
    su_buf_printf(b,
                  "<section id=\"list-%s\">\n<h3>%s</h3>\n<p><a href=\"%s\">%s</a>: the complete public list of %u codes, whether or not "
                  "they occur.</p>\n",
                  file->slug, file->slug, file->path, file->path, file->list->count);
    if (folded) su_buf_printf(b, "<details>\n<summary>Show the %u codes</summary>\n", file->list->count);
    su_buf_text(b, "<div class=\"scroll\" tabindex=\"0\">\n<table>\n<thead><tr><th scope=\"col\">code</th><th scope=\"col\">label</th><th "
                   "scope=\"col\">fr</th><th scope=\"col\">es</th>"
                   "<th scope=\"col\">ar</th></tr></thead>\n<tbody>\n");
    for (uint32_t i = 0; i < file->list->count; i++) {
        const su_code *c = &file->list->codes[i];
        su_buf_text(b, "<tr><th scope=\"row\"><code>");
        html(b, su_printed(arena, c->code));
        su_buf_text(b, "</code></th>");
        for (int l = 0; l < SU_LANG_COUNT; l++) {
            if (l == 0)
                su_buf_text(b, "<td>");
            else
                su_buf_printf(b, "<td lang=\"%s\" dir=\"auto\">", language[l]);
            html(b, c->label[l]);
            su_buf_text(b, "</td>");
        }
        su_buf_text(b, "</tr>\n");
    }
    su_buf_text(b, folded ? "</tbody>\n</table>\n</div>\n</details>\n</section>\n" : "</tbody>\n</table>\n</div>\n</section>\n");
}

void su_emit_codebook_html(const su_publication *p, su_buf *b)
{
    su_html_open(p, b, SU_STYLE_FILE, "Codebook");
    if (p->schema->description && p->schema->description[0]) {
        su_buf_text(b, "<p class=\"lead\">");
        html(b, p->schema->description);
        su_buf_text(b, "</p>\n");
    }
    su_buf_printf(b, "<p>%s</p>\n<h2>Percentages within a question group</h2>\n<p>%s</p>\n<ul>\n", reading, group_rule);
    for (uint32_t g = 0; g < p->schema->group_count; g++) {
        if (!p->groups[g].fields) continue;
        su_buf_text(b, "<li>");
        html(b, p->groups[g].group->title ? p->groups[g].group->title : p->groups[g].group->name);
        su_buf_printf(b, ": %u fields, %s synthetic records with at least one yes</li>\n", p->groups[g].fields,
                      su_grouped(p->arena, p->groups[g].answered));
    }
    su_buf_text(b, "</ul>\n<h2>Fields</h2>\n");
    for (size_t i = 0; i < p->field_count; i++) html_field(p, &p->fields[i], b);
    su_buf_text(b, "<h2>What is missing on purpose</h2>\n<ul>\n");
    su_html_words(b, "li", &p->absent);
    su_buf_text(b, "</ul>\n<h2>Lists of codes</h2>\n");
    for (size_t i = 0; i < p->list_count; i++) html_list(&p->lists[i], p->arena, b);
    su_html_close(p, b);
}
