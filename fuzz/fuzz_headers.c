/* What the portal reads in the headers of a request, from hostile bytes: Range, If-None-Match, Accept-Encoding, Accept-Language. A part
 * lies inside the file, a language is one of ours, and every answer is the same twice. */
#include "../src/portal/i18n.h"
#include "../src/portal/reply.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool right)
{
    if (!right) abort();
}

static void range(const char *text, uint64_t size)
{
    uint64_t from = 0, count = 0;
    unsigned status = su_range_parse(text, size, &from, &count);
    must(status == 0 || status == 206 || status == 416);
    if (status == 206) must(count > 0 && from < size && count <= size - from);
    if (size == 0) must(status != 206);
}

/* The first two bytes: how large the file is. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char tag[] = "\"0123456789abcdef0123456789abcdef\"";
    su_locale locale = SU_LOCALES;
    if (size < 2) return 0;
    char *text = su_alloc(size - 1);
    memcpy(text, data + 2, size - 2);
    range(text, (uint64_t)data[0] << (data[1] % 57));
    must(su_names_tag(text, tag) == su_names_tag(text, tag));
    must(strchr(text, '*') || memmem(text, strlen(text), tag, 33) || !su_names_tag(text, tag));
    must(su_accepts_gzip(text) == su_accepts_gzip(text));
    must(strcasestr(text, "gzip") || strchr(text, '*') || !su_accepts_gzip(text));
    must(su_locale_accept(text) < SU_LOCALES);
    if (su_locale_find(su_str_of(text), &locale)) must(locale < SU_LOCALES && strcmp(su_locale_tag(locale), text) == 0);
    free(text);
    return 0;
}
