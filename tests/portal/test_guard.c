/* The request guard by itself: what passes, what is refused and why. */
#include "guard.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

typedef struct guard_case {
    const char *method, *target, *version, *headers;
    unsigned status;
} guard_case;

/* headers: "name:value|name:value"; \1 stands for a NUL inside a value, which C text cannot hold. */
static su_guard_verdict judge(const guard_case *c, bool loopback)
{
    su_guard_header h[80];
    char copy[2000], *save = NULL;
    size_t n = 0;
    snprintf(copy, sizeof copy, "%s", c->headers);
    for (char *p = strtok_r(copy, "|", &save); p && n < 80; p = strtok_r(NULL, "|", &save)) {
        char *colon = strchr(p, ':');
        h[n++] = (su_guard_header) { { p, (size_t)(colon - p) }, su_str_of(colon + 1) };
        for (char *q = colon + 1; *q; q++)
            if (*q == 1) *q = '\x7f';
    }
    su_guard_request r = { su_str_of(c->method), su_str_of(c->target), su_str_of(c->version), h, n, { NULL, 0 } };
    return su_guard_check(&r, &(su_guard_policy) { loopback });
}

static const guard_case cases[] = {
    { "GET", "/", "HTTP/1.1", "Host:localhost", 0 },
    { "GET", "/", "HTTP/1.0", "host:127.0.0.1:8080", 0 },
    { "HEAD", "/r/x/data/a.csv", "HTTP/1.1", "HOST:[::1]:80|Accept:*/*", 0 },
    { "GET", "/", "HTTP/1.1", "Host:LocalHost:1|Content-Length:0", 0 },
    { "GET", "/", "HTTP/1.1", "Host:127.255.0.9|X-Text:caf\xc3\xa9 \t ok", 0 },
    { "GET", "/", "HTTP/1.1", "", 400 },
    { "GET", "/", "HTTP/1.1", "Host:localhost|Host:localhost", 400 },
    { "GET", "/", "HTTP/1.1", "Host:localhost|Content-Length:5|Content-Length:6", 400 },
    { "GET", "/", "HTTP/1.1", "Host:localhost|content-length:0|Content-Length:0", 400 },
    { "POST", "/", "HTTP/1.1", "Host:localhost|Transfer-Encoding:chunked|Transfer-Encoding:chunked", 400 },
    { "POST", "/", "HTTP/1.1", "Host:localhost|Content-Length:5|Transfer-Encoding:chunked", 400 },
    { "POST", "/", "HTTP/1.1", "Host:localhost|Transfer-Encoding:gzip, chunked", 400 },
    { "POST", "/", "HTTP/1.1", "Host:localhost|Transfer-Encoding:xchunked", 400 },
    { "POST", "/", "HTTP/1.1", "Host:localhost|Transfer-Encoding:", 400 },
    { "POST", "/", "HTTP/1.1", "Host:localhost|Transfer-Encoding :chunked", 400 },
    { "GET", "/", "HTTP/1.1", "Host:localhost|X\x01Y:1", 400 },
    { "GET", "/", "HTTP/1.1", "Host:localhost|:1", 400 },
    { "GET", "/", "HTTP/1.1", "Host:localhost|X(Y):1", 400 },
    { "GET", "/", "HTTP/1.1", "Host:localhost|X:a\x01z", 400 },
    { "POST", "/", "HTTP/1.1", "Host:localhost|Content-Length:-1", 400 },
    { "POST", "/", "HTTP/1.1", "Host:localhost|Content-Length:+5", 400 },
    { "POST", "/", "HTTP/1.1", "Host:localhost|Content-Length:0x5", 400 },
    { "POST", "/", "HTTP/1.1", "Host:localhost|Content-Length:5, 5", 400 },
    { "POST", "/", "HTTP/1.1", "Host:localhost|Content-Length:99999999999999999999", 400 },
    { "GET", "/", "HTTP/1.1", "Host:localhost|Content-Length:5", 400 },
    { "GET", "/", "HTTP/1.1", "Host:localhost|Transfer-Encoding:chunked", 400 },
    { "POST", "/", "HTTP/1.1", "Host:localhost|Content-Length:5", 405 },
    { "POST", "/", "HTTP/1.1", "Host:localhost|Transfer-Encoding:Chunked", 405 },
    { "PUT", "/", "HTTP/1.1", "Host:localhost", 405 },
    { "OPTIONS", "/", "HTTP/1.1", "Host:localhost", 0 },
    { "OPTIONS", "/", "HTTP/1.1", "Host:localhost|Content-Length:5", 400 },
    { "TRACE", "/", "HTTP/1.1", "Host:localhost", 405 },
    { "get", "/", "HTTP/1.1", "Host:localhost", 405 },
    { "G T", "/", "HTTP/1.1", "Host:localhost", 400 },
    { "", "/", "HTTP/1.1", "Host:localhost", 400 },
    { "GET", "http://localhost/", "HTTP/1.1", "Host:localhost", 400 },
    { "GET", "*", "HTTP/1.1", "Host:localhost", 400 },
    { "GET", "", "HTTP/1.1", "Host:localhost", 400 },
    { "GET", "/a b", "HTTP/1.1", "Host:localhost", 400 },
    { "GET", "/\xc3\xa9", "HTTP/1.1", "Host:localhost", 400 },
    { "GET", "/", "HTTP/2.0", "Host:localhost", 505 },
    { "GET", "/", "HTTP/1.1 ", "Host:localhost", 505 },
    { "GET", "/", "HTTP/1.1", "Host:", 400 },
    { "GET", "/", "HTTP/1.1", "Host:localhost:", 400 },
    { "GET", "/", "HTTP/1.1", "Host:localhost:0", 400 },
    { "GET", "/", "HTTP/1.1", "Host:localhost:70000", 400 },
    { "GET", "/", "HTTP/1.1", "Host:localhost:8x", 400 },
    { "GET", "/", "HTTP/1.1", "Host:user@localhost", 400 },
    { "GET", "/", "HTTP/1.1", "Host:localhost/x", 400 },
    { "GET", "/", "HTTP/1.1", "Host:[::1", 400 },
};

static void verdicts(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        su_guard_verdict v = judge(&cases[i], true);
        if (v.status != cases[i].status)
            fail_msg("%s %s %s: %u, not %u", cases[i].method, cases[i].target, cases[i].headers, v.status, cases[i].status);
        assert_int_equal(v.reason != NULL, v.status != 0);
    }
}

/* DNS rebinding: a foreign name that resolves to loopback is still a foreign name. */
static void only_loopback_names_on_loopback(void **state)
{
    (void)state;
    static const char *const foreign[] = { "evil.example",
                                           "127.evil.example",
                                           "127.0.0.1.evil.example",
                                           "localhost.evil.example",
                                           "10.0.0.1",
                                           "128.0.0.1",
                                           "127.0.0",
                                           "127.0.0.256",
                                           "127.0.0.1.",
                                           "0.0.0.0",
                                           "[::2]",
                                           "[::ffff:127.0.0.1]",
                                           "localhost.",
                                           "127.1",
                                           "0177.0.0.1",
                                           "127.0.0.0001",
                                           "127.0.0.1.1" };
    static const char *const own[] = { "localhost", "LOCALHOST:9", "127.0.0.1", "127.9.8.7:65535", "[::1]", "[::1]:8080" };
    for (size_t i = 0; i < sizeof foreign / sizeof *foreign; i++) {
        char header[100];
        snprintf(header, sizeof header, "Host:%s", foreign[i]);
        guard_case c = { "GET", "/", "HTTP/1.1", header, 0 };
        if (judge(&c, true).status != 400) fail_msg("%s passed", foreign[i]);
        assert_false(su_guard_host_is_loopback(su_str_of(foreign[i])));
        assert_int_equal(judge(&c, false).status, 0);
    }
    static const char *const no_hosts[] = { "Host:",    "Host:a:0",  "Host:a:70000", "Host:a/b",
                                            "Host:u@a", "Host:[::1", "Host:[::g]",   "Host:a b" };
    for (size_t i = 0; i < sizeof no_hosts / sizeof *no_hosts; i++)
        assert_int_equal(judge(&(guard_case) { "GET", "/", "HTTP/1.1", no_hosts[i], 0 }, false).status, 400);
    for (size_t i = 0; i < sizeof own / sizeof *own; i++) assert_true(su_guard_host_is_loopback(su_str_of(own[i])));
}

static void limits(void **state)
{
    (void)state;
    su_guard_header h[SU_GUARD_MAX_HEADERS + 1];
    for (size_t i = 0; i <= SU_GUARD_MAX_HEADERS; i++) h[i] = (su_guard_header) { SU_STR("X"), SU_STR("y") };
    h[0] = (su_guard_header) { SU_STR("Host"), SU_STR("localhost") };
    su_guard_request r = { SU_STR("GET"), SU_STR("/"), SU_STR("HTTP/1.1"), h, SU_GUARD_MAX_HEADERS, { NULL, 0 } };
    su_guard_policy p = { true };
    assert_int_equal(su_guard_check(&r, &p).status, 0);
    r.header_count++;
    assert_int_equal(su_guard_check(&r, &p).status, 400);
    r.header_count = 1;
    char target[SU_GUARD_MAX_TARGET + 2];
    memset(target, 'a', sizeof target);
    target[0] = '/';
    r.target = (su_str) { target, SU_GUARD_MAX_TARGET };
    assert_int_equal(su_guard_check(&r, &p).status, 0);
    r.target.n++;
    assert_int_equal(su_guard_check(&r, &p).status, 414);
    char query[SU_GUARD_MAX_QUERY + 1];
    memset(query, 'q', sizeof query);
    r.target = SU_STR("/");
    r.query = (su_str) { query, SU_GUARD_MAX_QUERY };
    assert_int_equal(su_guard_check(&r, &p).status, 0);
    r.query.n++;
    assert_int_equal(su_guard_check(&r, &p).status, 414);
    r.query = (su_str) { "a=\x7f", 3 };
    assert_int_equal(su_guard_check(&r, &p).status, 400);
    r.query = (su_str) { NULL, 0 };
    r.target = (su_str) { "/a\0b", 4 };
    assert_int_equal(su_guard_check(&r, &p).status, 400);
    h[0].value = (su_str) { "localhost\0.evil.example", 23 };
    r.target = SU_STR("/");
    assert_int_equal(su_guard_check(&r, &p).status, 400);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(verdicts), cmocka_unit_test(only_loopback_names_on_loopback),
                                        cmocka_unit_test(limits) };
    return cmocka_run_group_tests_name("portal: guard", tests, NULL, NULL);
}
