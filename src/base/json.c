/* JSON writer (RFC 8259): commas, indentation and escapes in one place. */
#include <suha/base.h>

#include "utf8.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { DEPTH_MAX = sizeof(((su_json *)0)->first) / sizeof(bool) - 1 };

/* A writer that is used out of order would make a file that nobody can read: stop at the place of the mistake. */
static void must(bool right, const char *what)
{
    if (right) return;
    fprintf(stderr, "suha: internal error in JSON output: %s\n", what);
    abort();
}

void su_json_init(su_json *j, su_buf *out)
{
    memset(j, 0, sizeof *j);
    j->out = out;
    j->first[0] = true;
}

static void newline(su_json *j)
{
    if (j->compact) return;
    su_buf_char(j->out, '\n');
    for (int i = 0; i < j->depth; i++) su_buf_text(j->out, "  ");
}

/* Comma and line break before a key or an element. */
static void item(su_json *j)
{
    if (!j->first[j->depth]) su_buf_char(j->out, ',');
    j->first[j->depth] = false;
    if (j->depth > 0) newline(j);
}

static void value(su_json *j)
{
    if (j->after_key) {
        j->after_key = false;
        return;
    }
    must(j->depth == 0 ? j->first[0] : j->array[j->depth], "a value without a key, or a second document");
    item(j);
}

static void done(su_json *j)
{
    if (j->depth == 0 && !j->compact) su_buf_char(j->out, '\n');
}

static void open_container(su_json *j, bool array)
{
    value(j);
    must(j->depth < DEPTH_MAX, "nested too deep");
    j->depth++;
    j->first[j->depth] = true;
    j->array[j->depth] = array;
    su_buf_char(j->out, array ? '[' : '{');
}

void su_json_object(su_json *j) { open_container(j, false); }
void su_json_array(su_json *j) { open_container(j, true); }

void su_json_end(su_json *j)
{
    must(j->depth > 0 && !j->after_key, "end without a beginning, or after a key");
    bool empty = j->first[j->depth], array = j->array[j->depth];
    j->depth--;
    if (!empty) newline(j);
    su_buf_char(j->out, array ? ']' : '}');
    done(j);
}

static void quoted(su_buf *b, su_str s)
{
    su_buf_char(b, '"');
    for (size_t i = 0; i < s.n;) {
        uint32_t c = 0;
        size_t length = utf8_decode(s.p + i, s.n - i, &c);
        if (!length) {
            su_buf_text(b, "\xEF\xBF\xBD");
            i++;
            continue;
        }
        if (c == '"' || c == '\\') {
            su_buf_char(b, '\\');
            su_buf_char(b, (char)c);
        } else if (c == '\n')
            su_buf_text(b, "\\n");
        else if (c == '\r')
            su_buf_text(b, "\\r");
        else if (c == '\t')
            su_buf_text(b, "\\t");
        else if (c < 0x20 || c == 0x7F)
            su_buf_printf(b, "\\u%04x", (unsigned)c);
        else
            su_buf_add(b, s.p + i, length);
        i += length;
    }
    su_buf_char(b, '"');
}

void su_json_key(su_json *j, const char *key)
{
    must(j->depth > 0 && !j->array[j->depth] && !j->after_key, "a key outside an object");
    item(j);
    quoted(j->out, su_str_of(key));
    su_buf_text(j->out, j->compact ? ":" : ": ");
    j->after_key = true;
}

void su_json_str(su_json *j, su_str text)
{
    value(j);
    quoted(j->out, text);
    done(j);
}

static void literal(su_json *j, const char *text)
{
    value(j);
    su_buf_text(j->out, text);
    done(j);
}

void su_json_text(su_json *j, const char *text)
{
    if (text)
        su_json_str(j, su_str_of(text));
    else
        su_json_null(j);
}

void su_json_int(su_json *j, int64_t number)
{
    char text[24];
    snprintf(text, sizeof text, "%lld", (long long)number);
    literal(j, text);
}

/* The locale's decimal sign, which can be several bytes, becomes a point. */
static void decimal_point(const char *from, char *to)
{
    bool in_sign = false;
    for (; *from; from++) {
        if (strchr("0123456789+-e", *from)) {
            *to++ = *from;
            in_sign = false;
        } else if (!in_sign) {
            *to++ = '.';
            in_sign = true;
        }
    }
    *to = '\0';
}

void su_json_real(su_json *j, double number)
{
    if (!isfinite(number)) {
        su_json_null(j);
        return;
    }
    char text[48], plain[48];
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, number);
        if (strtod(text, NULL) == number) break;
    }
    decimal_point(text, plain);
    literal(j, plain);
}

void su_json_bool(su_json *j, bool yes) { literal(j, yes ? "true" : "false"); }
void su_json_null(su_json *j) { literal(j, "null"); }

void su_json_kv_text(su_json *j, const char *key, const char *text)
{
    su_json_key(j, key);
    su_json_text(j, text);
}

void su_json_kv_int(su_json *j, const char *key, int64_t number)
{
    su_json_key(j, key);
    su_json_int(j, number);
}

void su_json_kv_real(su_json *j, const char *key, double number)
{
    su_json_key(j, key);
    su_json_real(j, number);
}

void su_json_kv_bool(su_json *j, const char *key, bool yes)
{
    su_json_key(j, key);
    su_json_bool(j, yes);
}
