/* The request guard on arbitrary heads: no crash, the same verdict twice, and nothing that could smuggle gets through. */
#include "../src/portal/guard.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *next(const char **p, const char *end, char stop, size_t *n)
{
    const char *start = *p, *at = memchr(start, stop, (size_t)(end - start));
    *n = (size_t)((at ? at : end) - start);
    *p = at ? at + 1 : end;
    return start;
}

static bool named(const su_guard_header *h, const char *name)
{
    return h->name.n == strlen(name) && strncasecmp(h->name.p, name, h->name.n) == 0;
}

/* Input: method LF target LF version LF (name : value LF)*. First byte: the policy. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1) return 0;
    su_guard_header headers[SU_GUARD_MAX_HEADERS + 8];
    su_guard_policy policy = { data[0] & 1 };
    const char *p = (const char *)data + 1, *end = (const char *)data + size;
    su_guard_request r = { .headers = headers };
    r.method.p = next(&p, end, '\n', &r.method.n);
    r.target.p = next(&p, end, '\n', &r.target.n);
    r.version.p = next(&p, end, '\n', &r.version.n);
    while (p < end && r.header_count < sizeof headers / sizeof *headers) {
        su_guard_header *h = &headers[r.header_count++];
        size_t n;
        const char *line = next(&p, end, '\n', &n), *colon = memchr(line, ':', n);
        h->name = (su_str) { line, colon ? (size_t)(colon - line) : n };
        h->value = colon ? (su_str) { colon + 1, n - (size_t)(colon + 1 - line) } : (su_str) { line, 0 };
    }
    su_guard_verdict v = su_guard_check(&r, &policy), w = su_guard_check(&r, &policy);
    if (v.status != w.status || v.reason != w.reason || (v.status == 0) != (v.reason == NULL)) abort();
    if (v.status) return 0;
    unsigned hosts = 0, lengths = 0;
    for (size_t i = 0; i < r.header_count; i++) {
        hosts += named(&headers[i], "Host");
        lengths += named(&headers[i], "Content-Length");
        if (named(&headers[i], "Transfer-Encoding") || memchr(headers[i].value.p, 0, headers[i].value.n) ||
            memchr(headers[i].name.p, ' ', headers[i].name.n))
            abort();
        if (named(&headers[i], "Host") && policy.loopback && !su_guard_host_is_loopback(headers[i].value)) abort();
    }
    if (hosts != 1 || lengths > 1 || r.target.n == 0 || r.target.p[0] != '/') abort();
    return 0;
}
