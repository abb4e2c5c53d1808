#include "page.h"

#include <math.h>

void su_html(su_buf *out, const char *text) { su_buf_html(out, su_str_of(text)); }

void su_html_count(su_buf *out, uint64_t n)
{
    char digits[24];
    int len = snprintf(digits, sizeof digits, "%llu", (unsigned long long)n);
    for (int i = 0; i < len; i++) {
        if (i && (len - i) % 3 == 0) su_buf_char(out, ',');
        su_buf_char(out, digits[i]);
    }
}

void su_html_real(su_buf *out, double x)
{
    if (!isfinite(x))
        su_buf_text(out, "not stated");
    else if (x >= 999.5 && x < 1e15)
        su_html_count(out, (uint64_t)llround(x));
    else
        su_buf_printf(out, "%.4g", x);
}

void su_html_bytes(su_buf *out, size_t n)
{
    if (n < 1000)
        su_buf_printf(out, "%zu bytes", n);
    else if (n < 1000000)
        su_buf_printf(out, "%.1f kB", (double)n / 1e3);
    else
        su_buf_printf(out, "%.1f MB", (double)n / 1e6);
}
