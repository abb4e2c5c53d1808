/* What all documents of a bundle share: escaping, head, stamp, foot. */
#include "publication.h"

#include <string.h>

void su_buf_md(su_buf *b, const char *text)
{
    for (; text && *text; text++) {
        char c = *text;
        if (c == '<')
            su_buf_text(b, "&lt;");
        else if (c == '>')
            su_buf_text(b, "&gt;");
        else if (c == '&')
            su_buf_text(b, "&amp;");
        else if (c == '\n' || c == '\r' || c == '\t')
            su_buf_char(b, ' ');
        else {
            if (strchr("\\`*_[]|#~!", c)) su_buf_char(b, '\\');
            su_buf_char(b, c);
        }
    }
}

void su_md_warning(const su_publication *p, su_buf *b)
{
    if (!p->stamp) return;
    su_buf_printf(b, "> **%s**\n>\n", p->stamp);
    for (size_t i = 0; i < p->warning.count; i++) {
        su_buf_text(b, "> ");
        su_buf_md(b, p->warning.text[i]);
        su_buf_text(b, i + 1 < p->warning.count ? "\n>\n" : "\n\n");
    }
}

static void html(su_buf *b, const char *text) { su_buf_html(b, su_str_of(text)); }

void su_html_words(su_buf *b, const char *element, const su_words *w)
{
    for (size_t i = 0; i < w->count; i++) {
        su_buf_printf(b, "<%s>", element);
        html(b, w->text[i]);
        su_buf_printf(b, "</%s>\n", element);
    }
}

void su_html_open(const su_publication *p, su_buf *b, const char *style_path, const char *heading)
{
    su_buf_text(b, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                   "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<meta name=\"color-scheme\" content=\"light "
                   "dark\">\n<title>");
    if (p->stamp) {
        html(b, p->stamp);
        su_buf_text(b, ": ");
    }
    html(b, heading);
    su_buf_text(b, ": ");
    html(b, p->title);
    su_buf_printf(b, "</title>\n<link rel=\"stylesheet\" href=\"%s\">\n</head>\n<body class=\"document\">\n", style_path);
    if (p->stamp) {
        su_buf_text(b, "<div class=\"stamp\" role=\"note\"><strong>");
        html(b, p->stamp);
        su_buf_text(b, "</strong>\n");
        su_html_words(b, "p", &p->warning);
        su_buf_text(b, "</div>\n");
    }
    su_buf_text(b, "<main>\n<p class=\"eyebrow\">");
    html(b, p->title);
    su_buf_text(b, "</p>\n<h1>");
    html(b, heading);
    su_buf_text(b, "</h1>\n");
}

void su_html_close(const su_publication *p, su_buf *b)
{
    su_buf_text(b, "</main>\n<footer><p>");
    html(b, su_citation(p));
    su_buf_text(b, "</p><p>Terms: ");
    html(b, p->licence_title);
    su_buf_text(b, ".</p></footer>\n</body>\n</html>\n");
}
