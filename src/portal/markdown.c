#include "markdown.h"

#include <string.h>

#define LONGEST_SPAN 4096u /* what opens must close within so many bytes: keeps the time linear */

static bool starts(su_str s, const char *with) { return s.n >= strlen(with) && memcmp(s.p, with, strlen(with)) == 0; }
static su_str after(su_str s, size_t n) { return (su_str) { s.p + n, s.n - n }; }

/* Where `mark` begins in s, or s.n. */
static size_t find(su_str s, const char *mark)
{
    const char *at = s.n ? memmem(s.p, s.n, mark, strlen(mark)) : NULL;
    return at ? (size_t)(at - s.p) : s.n;
}

static su_str nearby(su_str s) { return (su_str) { s.p, s.n < LONGEST_SPAN ? s.n : LONGEST_SPAN }; }

/* ---- inside a line ---- */

static bool address_ok(su_str a)
{
    if (starts(a, "https://")) return a.n > 8;
    if (a.n == 0 || starts(a, "//") || memchr(a.p, '\\', a.n)) return false;
    size_t path = 0;
    while (path < a.n && a.p[path] != '?' && a.p[path] != '#') path++;
    for (size_t i = 0; i < a.n; i++)
        if ((unsigned char)a.p[i] <= ' ') return false;
    return !memchr(a.p, ':', path);
}

static void put_inline(const su_markdown *m, su_str s, int depth, su_buf *out);

/* [text](address) at the start of s. Bytes used, 0 when it is no link. */
static size_t put_link(const su_markdown *m, su_str s, int depth, su_buf *out)
{
    s = nearby(s);
    size_t close = find(s, "](");
    if (close == s.n || memchr(s.p + 1, '[', close - 1)) return 0;
    su_str rest = after(s, close + 2);
    size_t end = find(rest, ")");
    su_str address = { rest.p, end };
    if (end == rest.n || !address_ok(address)) return 0;
    su_buf_text(out, "<a href=\"");
    if (m->address && !starts(address, "https://"))
        m->address(m->arg, address, out);
    else
        su_buf_html(out, address);
    su_buf_text(out, starts(address, "https://") ? "\" rel=\"noreferrer\">" : "\">");
    put_inline(m, (su_str) { s.p + 1, close - 1 }, depth + 1, out);
    su_buf_text(out, "</a>");
    return close + 2 + end + 1;
}

/* **text**, *text*, `text`, {{ words }} at the start of s. Bytes used, 0 when nothing closes it. */
static size_t put_span(const su_markdown *m, su_str s, const char *open, const char *close, const char *element, int depth, su_buf *out)
{
    size_t mark = strlen(open);
    su_str rest = nearby(after(s, mark));
    size_t end = find(rest, close);
    if (end == rest.n || end == 0) return 0;
    su_str inner = { rest.p, end };
    if (!element) {
        if (m->inline_) m->inline_(m->arg, su_str_trim(inner), out);
    } else {
        su_buf_printf(out, "<%s>", element);
        if (strcmp(element, "code") == 0)
            su_buf_html(out, inner);
        else
            put_inline(m, inner, depth + 1, out);
        su_buf_printf(out, "</%s>", element);
    }
    return mark + end + strlen(close);
}

static void put_inline(const su_markdown *m, su_str s, int depth, su_buf *out)
{
    while (s.n) {
        size_t used = 0;
        if (depth < 8) {
            if (starts(s, "{{"))
                used = put_span(m, s, "{{", "}}", NULL, depth, out);
            else if (starts(s, "**"))
                used = put_span(m, s, "**", "**", "strong", depth, out);
            else if (*s.p == '*')
                used = put_span(m, s, "*", "*", "em", depth, out);
            else if (*s.p == '`')
                used = put_span(m, s, "`", "`", "code", depth, out);
            else if (*s.p == '[')
                used = put_link(m, s, depth, out);
        }
        if (!used) {
            used = starts(s, "**") || starts(s, "{{") ? 2 : 1; /* a mark that opens nothing is text, whole */
            while (used < s.n && !memchr("{*`[", s.p[used], 4)) used++;
            su_buf_html(out, (su_str) { s.p, used });
        }
        s = after(s, used);
    }
}

/* ---- lines and paragraphs ---- */

typedef struct lines {
    su_str rest;
} lines;

static bool next_line(lines *l, su_str *line)
{
    if (!l->rest.n) return false;
    size_t n = find(l->rest, "\n");
    *line = su_str_trim((su_str) { l->rest.p, n });
    l->rest = after(l->rest, n < l->rest.n ? n + 1 : n);
    return true;
}

/* "12. " at the start: bytes of the marker, 0 if there is none. */
static size_t number_mark(su_str s)
{
    size_t n = 0;
    while (n < s.n && n < 3 && s.p[n] >= '0' && s.p[n] <= '9') n++;
    return n && n + 1 < s.n && s.p[n] == '.' && s.p[n + 1] == ' ' ? n + 2 : 0;
}

typedef enum kind { BLANK, PARAGRAPH, HEADING2, HEADING3, BULLET, NUMBER, QUOTE } kind;

static kind kind_of(su_str *line)
{
    size_t number = number_mark(*line);
    kind k = line->n == 0            ? BLANK
             : starts(*line, "## ")  ? HEADING2
             : starts(*line, "### ") ? HEADING3
             : starts(*line, "- ")   ? BULLET
             : starts(*line, "> ")   ? QUOTE
             : number                ? NUMBER
                                     : PARAGRAPH;
    static const size_t mark[] = { [HEADING2] = 3, [HEADING3] = 4, [BULLET] = 2, [QUOTE] = 2, [NUMBER] = 0, [BLANK] = 0, [PARAGRAPH] = 0 };
    *line = after(*line, k == NUMBER ? number : mark[k]);
    return k;
}

static const char *const elements[] = {
    [BLANK] = NULL, [PARAGRAPH] = "p", [HEADING2] = "h2", [HEADING3] = "h3", [BULLET] = "ul", [NUMBER] = "ol", [QUOTE] = "blockquote"
};

/* Whether the text is one directive and nothing else. */
static bool lone_directive(su_str s, su_str *words)
{
    if (!starts(s, "{{") || s.n < 4) return false;
    size_t end = find(after(s, 2), "}}");
    if (end + 4 != s.n) return false;
    *words = su_str_trim((su_str) { s.p + 2, end });
    return true;
}

/* Lines of one kind, gathered: a list's items are parted by a zero byte, which no line holds. */
static void put_block(const su_markdown *m, kind k, su_str text, su_buf *out)
{
    su_str words;
    if (k == BLANK || !text.n) return;
    if (k == PARAGRAPH && lone_directive(text, &words)) {
        if (m->block) m->block(m->arg, words, out);
        return;
    }
    su_buf_printf(out, "<%s>", elements[k]);
    if (k == BULLET || k == NUMBER) {
        while (text.n) {
            const char *end = memchr(text.p, 0, text.n);
            size_t n = end ? (size_t)(end - text.p) : text.n;
            su_buf_text(out, "<li>");
            put_inline(m, (su_str) { text.p, n }, 0, out);
            su_buf_text(out, "</li>\n");
            text = after(text, end ? n + 1 : n);
        }
    } else if (k == QUOTE) {
        su_buf_text(out, "<p>");
        put_inline(m, text, 0, out);
        su_buf_text(out, "</p>");
    } else
        put_inline(m, text, 0, out);
    su_buf_printf(out, "</%s>\n", elements[k]);
}

void su_markdown_html(const su_markdown *m, su_str text, su_buf *out)
{
    lines l = { text };
    su_str line;
    su_buf block = { 0 };
    kind open = BLANK;
    while (next_line(&l, &line)) {
        kind k = kind_of(&line);
        if (memchr(line.p ? line.p : "", 0, line.n)) continue; /* a line with a zero byte is no text */
        bool list = k == BULLET || k == NUMBER;
        /* A line without a mark goes on with the item or quote before it. */
        bool same = k == open || (k == PARAGRAPH && (open == BULLET || open == NUMBER || open == QUOTE));
        if (!same || k == HEADING2 || k == HEADING3) {
            put_block(m, open, (su_str) { block.p, block.n }, out);
            block.n = 0;
            open = k;
        }
        if (block.n) su_buf_char(&block, list ? '\0' : ' ');
        su_buf_add(&block, line.p, line.n);
    }
    put_block(m, open, (su_str) { block.p, block.n }, out);
    su_buf_free(&block);
}
