/* Growing byte buffers and the three ways text leaves us: CSV, CSV for spreadsheets, HTML. Buffers can hold case data, so what they
 * leave behind is wiped. */
#include <suha/base.h>

#include <stdlib.h>
#include <string.h>

void su_buf_free(su_buf *b)
{
    if (!b) return;
    su_wipe(b->p, b->n);
    free(b->p);
    *b = (su_buf) { NULL, 0, 0 };
}

/* Room for `more` bytes and a NUL. */
static void reserve(su_buf *b, size_t more)
{
    size_t need;
    if (__builtin_add_overflow(b->n, more, &need) || __builtin_add_overflow(need, (size_t)1, &need)) su_out_of_memory(SIZE_MAX);
    if (need <= b->capacity) return;
    size_t capacity = b->capacity < 64 ? 64 : b->capacity;
    while (capacity < need) {
        if (__builtin_mul_overflow(capacity, (size_t)2, &capacity)) {
            capacity = need;
            break;
        }
    }
    char *p = malloc(capacity); /* not realloc: it would leave a copy behind that nobody wipes */
    if (!p) su_out_of_memory(capacity);
    if (b->n) memcpy(p, b->p, b->n);
    p[b->n] = '\0';
    su_wipe(b->p, b->n);
    free(b->p);
    b->p = p;
    b->capacity = capacity;
}

void su_buf_add(su_buf *b, const void *p, size_t n)
{
    reserve(b, n);
    if (n) memcpy(b->p + b->n, p, n);
    b->n += n;
    b->p[b->n] = '\0';
}

void su_buf_text(su_buf *b, const char *c_string) { su_buf_add(b, c_string, strlen(c_string)); }

void su_buf_char(su_buf *b, char c)
{
    reserve(b, 1);
    b->p[b->n++] = c;
    b->p[b->n] = '\0';
}

void su_buf_printf(su_buf *b, const char *fmt, ...)
{
    va_list ap, again;
    va_start(ap, fmt);
    va_copy(again, ap);
    reserve(b, 64); /* most texts fit at once */
    size_t room = b->capacity - b->n;
    int n = vsnprintf(b->p + b->n, room, fmt, ap);
    va_end(ap);
    if (n > 0 && (size_t)n >= room) {
        b->p[b->n] = '\0';
        reserve(b, (size_t)n);
        vsnprintf(b->p + b->n, (size_t)n + 1, fmt, again);
    }
    va_end(again);
    if (n > 0) b->n += (size_t)n;
    b->p[b->n] = '\0';
}

static void quoted_cell(su_buf *b, su_str cell, const char *before)
{
    su_buf_char(b, '"');
    su_buf_text(b, before);
    for (size_t i = 0; i < cell.n; i++) {
        if (cell.p[i] == '"') su_buf_char(b, '"');
        su_buf_char(b, cell.p[i]);
    }
    su_buf_char(b, '"');
}

static bool needs_quotes(su_str cell, char delimiter)
{
    if (cell.n == 0) return false;
    /* Blanks at the ends survive most readers only inside quotes. */
    if (cell.p[0] == ' ' || cell.p[cell.n - 1] == ' ' || cell.p[0] == '\t' || cell.p[cell.n - 1] == '\t') return true;
    for (size_t i = 0; i < cell.n; i++) {
        char c = cell.p[i];
        if (c == delimiter || c == '"' || c == '\n' || c == '\r') return true;
    }
    return false;
}

void su_buf_csv(su_buf *b, su_str cell, char delimiter)
{
    if (needs_quotes(cell, delimiter))
        quoted_cell(b, cell, "");
    else
        su_buf_add(b, cell.p, cell.n);
}

void su_buf_csv_safe(su_buf *b, su_str cell, char delimiter)
{
    double number;
    bool formula = cell.n > 0 && memchr("=+-@\t\r", cell.p[0], 6) && !su_parse_f64(cell, &number);
    if (!formula)
        su_buf_csv(b, cell, delimiter);
    else if (needs_quotes(cell, delimiter))
        quoted_cell(b, cell, "'");
    else {
        su_buf_char(b, '\'');
        su_buf_add(b, cell.p, cell.n);
    }
}

void su_buf_escape(su_buf *b, const char *text, const char *special)
{
    for (; *text; text++) {
        const char *control = strchr("\tt\nn\rr", *text);
        if (control && (*text == '\t' || *text == '\n' || *text == '\r')) {
            su_buf_char(b, '\\');
            su_buf_char(b, control[1]);
            continue;
        }
        if (*text == '\\' || strchr(special, *text)) su_buf_char(b, '\\');
        su_buf_char(b, *text);
    }
}

void su_buf_html(su_buf *b, su_str text)
{
    for (size_t i = 0; i < text.n; i++) {
        switch (text.p[i]) {
        case '&':
            su_buf_text(b, "&amp;");
            break;
        case '<':
            su_buf_text(b, "&lt;");
            break;
        case '>':
            su_buf_text(b, "&gt;");
            break;
        case '"':
            su_buf_text(b, "&quot;");
            break;
        case '\'':
            su_buf_text(b, "&#39;");
            break;
        default:
            su_buf_char(b, text.p[i]);
        }
    }
}
