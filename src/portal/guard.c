#include "guard.h"

#include <string.h>
#include <strings.h>

static bool is(su_str s, const char *word) { return s.n == strlen(word) && strncasecmp(s.p, word, s.n) == 0; }

static bool is_digits(su_str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] < '0' || s.p[i] > '9') return false;
    return s.n > 0;
}

static bool is_token(su_str s)
{
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        bool letter = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
        if (!letter && (c == 0 || !strchr("!#$%&'*+-.^_`|~", c))) return false;
    }
    return s.n > 0;
}

/* Header values may hold blanks, tabs and bytes above 127; no other control byte. */
static bool is_value(su_str s)
{
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if ((c < 32 && c != '\t') || c == 127) return false;
    }
    return true;
}

static bool is_plain(su_str s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] <= 32 || (unsigned char)s.p[i] >= 127) return false;
    return true;
}

static bool is_target(su_str s) { return s.n > 0 && s.p[0] == '/' && is_plain(s); }

static bool is_port(su_str s)
{
    unsigned port = 0;
    if (!is_digits(s) || s.n > 5) return false;
    for (size_t i = 0; i < s.n; i++) port = port * 10 + (unsigned)(s.p[i] - '0');
    return port >= 1 && port <= 65535;
}

/* Splits host[:port]; false when it is neither a name, an IPv4 address nor a bracketed IPv6 address. */
static bool split_host(su_str host, su_str *name)
{
    size_t end = 0;
    if (host.n && host.p[0] == '[') {
        while (end < host.n && host.p[end] != ']') {
            char c = host.p[end];
            if (end && (c == 0 || !strchr("0123456789abcdefABCDEF:.", c))) return false;
            end++;
        }
        if (end == host.n) return false;
        end++;
    } else {
        while (end < host.n && host.p[end] != ':') {
            char c = host.p[end];
            bool plain = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '-' || c == '.' || c == '_';
            if (!plain) return false;
            end++;
        }
    }
    *name = (su_str) { host.p, end };
    if (end == 0) return false;
    return end == host.n || (host.p[end] == ':' && is_port((su_str) { host.p + end + 1, host.n - end - 1 }));
}

/* Dotted quad 127.a.b.c with four decimal parts; "127.evil.example" is a name, not an address. */
static bool is_loopback_quad(su_str s)
{
    unsigned part = 0, parts = 0, digits = 0;
    for (size_t i = 0; i <= s.n; i++) {
        if (i == s.n || s.p[i] == '.') {
            if (!digits || part > 255 || (parts == 0 && part != 127)) return false;
            parts++, part = 0, digits = 0;
        } else {
            if (s.p[i] < '0' || s.p[i] > '9' || ++digits > 3) return false;
            part = part * 10 + (unsigned)(s.p[i] - '0');
        }
    }
    return parts == 4;
}

bool su_guard_host_is_loopback(su_str host)
{
    su_str name;
    return split_host(host, &name) && (is(name, "localhost") || is(name, "[::1]") || is_loopback_quad(name));
}

static su_guard_verdict refuse(unsigned status, const char *reason) { return (su_guard_verdict) { status, reason }; }

typedef struct framing {
    unsigned lengths, encodings, hosts;
    su_str length, encoding, host;
} framing;

static su_guard_verdict check_headers(const su_guard_request *r, framing *f)
{
    if (r->header_count > SU_GUARD_MAX_HEADERS) return refuse(400, "Too many header lines.");
    for (size_t i = 0; i < r->header_count; i++) {
        const su_guard_header *h = &r->headers[i];
        if (!is_token(h->name)) return refuse(400, "A header name holds a byte that no name may hold.");
        if (!is_value(h->value)) return refuse(400, "A header value holds a control byte.");
        if (is(h->name, "Content-Length")) f->lengths++, f->length = h->value;
        if (is(h->name, "Transfer-Encoding")) f->encodings++, f->encoding = h->value;
        if (is(h->name, "Host")) f->hosts++, f->host = h->value;
    }
    return refuse(0, NULL);
}

static su_guard_verdict check_framing(const framing *f)
{
    if (f->lengths > 1) return refuse(400, "More than one Content-Length.");
    if (f->encodings > 1) return refuse(400, "More than one Transfer-Encoding.");
    if (f->lengths && f->encodings) return refuse(400, "Content-Length and Transfer-Encoding together.");
    if (f->encodings && !is(f->encoding, "chunked")) return refuse(400, "A Transfer-Encoding other than chunked.");
    if (f->lengths && (!is_digits(f->length) || f->length.n > 18)) return refuse(400, "Content-Length is not a number.");
    return refuse(0, NULL);
}

static bool has_body(const framing *f)
{
    bool zero = true;
    for (size_t i = 0; i < f->length.n; i++) zero = zero && f->length.p[i] == '0';
    return f->encodings || (f->lengths && !zero);
}

su_guard_verdict su_guard_check(const su_guard_request *r, const su_guard_policy *policy)
{
    framing f = { 0 };
    su_str name;
    if (!is_token(r->method)) return refuse(400, "The method is not a word.");
    if (r->target.n > SU_GUARD_MAX_TARGET || r->query.n > SU_GUARD_MAX_QUERY) return refuse(414, "The address asked for is too long.");
    if (!is_target(r->target) || !is_plain(r->query)) return refuse(400, "The address asked for is not a plain path.");
    if (!su_str_equal(r->version, SU_STR("HTTP/1.1")) && !su_str_equal(r->version, SU_STR("HTTP/1.0")))
        return refuse(505, "Only HTTP/1.0 and HTTP/1.1 are spoken here.");
    su_guard_verdict v = check_headers(r, &f);
    if (v.status) return v;
    v = check_framing(&f);
    if (v.status) return v;
    if (f.hosts != 1) return refuse(400, "Exactly one Host header is needed.");
    if (!split_host(f.host, &name)) return refuse(400, "The Host header is not a host.");
    if (policy->loopback && !su_guard_host_is_loopback(f.host)) return refuse(400, "This server answers to its loopback name only.");
    if (!su_str_equal(r->method, SU_STR("GET")) && !su_str_equal(r->method, SU_STR("HEAD")) && !su_str_equal(r->method, SU_STR("OPTIONS")))
        return refuse(405, "Only GET, HEAD and OPTIONS are answered.");
    if (has_body(&f)) return refuse(400, "A request for a page has no body.");
    return refuse(0, NULL);
}
