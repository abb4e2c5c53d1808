#include "pattern.h"

#include <string.h>

#define MAX_PATTERN 500

/* POSIX knows no \d, and inside brackets no backslash class at all, so they are spelled out; other escapes stay as they are outside
 * brackets and lose their backslash inside, where POSIX takes it literally. */
static void translate(const char *p, su_buf *out)
{
    bool bracket = false;
    for (; *p != '\0'; p++) {
        if (*p == '\\' && p[1] != '\0') {
            p++;
            const char *set = *p == 'd' ? "0-9" : *p == 'w' ? "A-Za-z0-9_" : *p == 's' ? " \t\r\n" : NULL;
            if (set != NULL && bracket) {
                su_buf_text(out, set);
            } else if (set != NULL) {
                su_buf_printf(out, "[%s]", set);
            } else {
                if (!bracket) su_buf_char(out, '\\');
                su_buf_char(out, *p);
            }
            continue;
        }
        if (*p == '[') bracket = true;
        if (*p == ']') bracket = false;
        su_buf_char(out, *p);
    }
}

bool pattern_compile(const char *text, regex_t *out, char *why, size_t size)
{
    if (strlen(text) > MAX_PATTERN) {
        snprintf(why, size, "is longer than %d bytes", MAX_PATTERN);
        return false;
    }
    su_buf whole = { 0 };
    su_buf_text(&whole, "^(");
    translate(text, &whole);
    su_buf_text(&whole, ")$");
    int code = regcomp(out, whole.p, REG_EXTENDED | REG_NOSUB);
    su_buf_free(&whole);
    if (code == 0) return true;
    char reason[200] = "";
    regerror(code, out, reason, sizeof reason);
    snprintf(why, size, "is not a regular expression this program can use (%s)", reason);
    return false;
}
