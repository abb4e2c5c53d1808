/* The running portal, spoken to over raw sockets on an ephemeral loopback port. */
#include "client.h"

/* ---- requests that libraries let through -------------------------------------------------------------------------------------------- */

#define H "Host: localhost\r\n"
#define NEXT "GET /healthz HTTP/1.1\r\n" H "\r\n"
typedef struct malformed {
    const char *what, *bytes;
    size_t n;
    unsigned status;
} malformed;
#define BAD(what, bytes, status)                                                                                                           \
    {                                                                                                                                      \
        what, bytes, sizeof(bytes) - 1, status                                                                                             \
    }

/* Fourteen ways to hide a second request or to confuse a proxy. 400 (or 405 where the method alone is the fault), the hidden request is
 * never answered, and the connection is closed. The guard answers once; libmicrohttpd 0.9.75 repeats the head of its own refusal of a
 * Content-Length that is no number. */
static const malformed fourteen[] = {
    BAD("two Content-Length", "GET / HTTP/1.1\r\n" H "Content-Length: 0\r\nContent-Length: 44\r\n\r\n" NEXT, 400),
    BAD("two equal Content-Length", "POST / HTTP/1.1\r\n" H "Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc" NEXT, 400),
    BAD("Content-Length and chunked", "POST / HTTP/1.1\r\n" H "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" NEXT, 400),
    BAD("blank before the colon", "POST / HTTP/1.1\r\n" H "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n" NEXT, 400),
    BAD("two Transfer-Encoding", "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n" NEXT,
        400),
    BAD("unknown Transfer-Encoding", "POST / HTTP/1.1\r\n" H "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n" NEXT, 400),
    BAD("list in Content-Length", "GET / HTTP/1.1\r\n" H "Content-Length: 0, 44\r\n\r\n" NEXT, 400),
    BAD("signed Content-Length", "GET / HTTP/1.1\r\n" H "Content-Length: +0\r\n\r\n" NEXT, 400),
    BAD("no Host", "GET / HTTP/1.1\r\n\r\n" NEXT, 400),
    BAD("two Hosts", "GET / HTTP/1.1\r\n" H "Host: evil.example\r\n\r\n" NEXT, 400),
    BAD("foreign Host", "GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n" NEXT, 400),
    BAD("body on a GET", "GET / HTTP/1.1\r\n" H "Content-Length: 44\r\n\r\n" NEXT, 400),
    BAD("control byte in a name", "GET / HTTP/1.1\r\n" H "X\x01Y: 1\r\n\r\n" NEXT, 400),
    BAD("body on a POST", "POST / HTTP/1.1\r\n" H "Content-Length: 44\r\n\r\n" NEXT, 405),
};

static void fourteen_malformed_requests(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof fourteen / sizeof *fourteen; i++) {
        const malformed *m = &fourteen[i];
        bool closed = talk(m->bytes, m->n, SILENCE_MS);
        bool by_library = strstr(got.p, "wrong value for <b>Content-Length") != NULL;
        bool hidden = strstr(got.p, "HTTP/1.1 200") != NULL;
        if (status() != m->status || hidden || (answers() != 1 && !by_library) || !closed)
            fail_msg("%s: status %u, %d answers, closed %d", m->what, status(), answers(), closed);
        assert_string_equal(header("Connection"), "close");
    }
}

/* What no guard behind a parser can see (bare line feeds, folded lines, a NUL that cuts a value, broken request lines): an error or one
 * plain answer per request really sent, and the server lives on. */
static void invisible_faults_do_no_harm(void **state)
{
    (void)state;
    static const malformed list[] = {
        BAD("bare line feeds", "GET /healthz HTTP/1.1\nHost: localhost\nConnection: close\n\n", 0),
        BAD("folded header", "GET /healthz HTTP/1.1\r\n" H "X: a\r\n b\r\nConnection: close\r\n\r\n", 0),
        BAD("NUL in a value", "GET /healthz HTTP/1.1\r\n" H "X: a\0b\r\nConnection: close\r\n\r\n", 0),
        BAD("no version", "GET /\r\n\r\n", 0),
        BAD("old version", "GET / HTTP/0.9\r\n\r\n", 0),
        BAD("new version", "GET / HTTP/2.0\r\n" H "Connection: close\r\n\r\n", 0),
        BAD("noise", "\x16\x03\x01\x02\r\n\r\n\r\n", 0),
        BAD("absolute address", "GET http://evil.example/ HTTP/1.1\r\n" H "Connection: close\r\n\r\n", 0),
        BAD("no colon", "GET / HTTP/1.1\r\n" H "Nothing\r\nConnection: close\r\n\r\n", 0),
    };
    for (size_t i = 0; i < sizeof list / sizeof *list; i++) {
        talk(list[i].bytes, list[i].n, 700);
        if (answers() > 1) fail_msg("%s: %d answers", list[i].what, answers());
        assert_true(status() == 0 || status() == 200 || status() == 400 || status() == 505);
        assert_int_equal(get("GET", "/healthz", ""), 200);
    }
    su_buf big = { 0 };
    su_buf_text(&big, "GET / HTTP/1.1\r\n" H);
    for (int i = 0; i < 3000; i++) su_buf_printf(&big, "X-%d: yyyyyyyyyyyyyyyyyyyyyyyyyyyy\r\n", i);
    su_buf_text(&big, "\r\n");
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    close(fd);
    talk(big.p, 20000, 700);
    assert_true(status() != 200);
    su_buf_free(&big);
    assert_int_equal(get("GET", "/healthz", ""), 200);
}

static void a_connection_serves_several_requests(void **state)
{
    (void)state;
    static const char two[] = NEXT "HEAD / HTTP/1.1\r\n" H "\r\n"
                                   "GET /healthz HTTP/1.1\r\n" H "Connection: close\r\n\r\n";
    assert_true(talk(two, sizeof two - 1, SILENCE_MS));
    assert_int_equal(answers(), 3);
}

/* ---- pages and files ---------------------------------------------------------------------------------------------------------------- */

static void house_headers_on_every_answer(void **state)
{
    (void)state;
    static const struct {
        const char *path;
        unsigned status;
        bool open; /* may be read from other sites */
    } list[] = {
        { "/", 200, false },
        { "/healthz", 200, false },
        { "/nowhere", 404, false },
        { "/r/sample-2026-2026/data/microdata.csv", 200, true },
        { "/api/v1/releases", 200, true },
        { "/api/v1/nowhere", 404, true },
        { "/catalog.jsonld", 200, true },
        { "/r/sample-2026-2026", 308, false },
    };
    for (size_t i = 0; i < sizeof list / sizeof *list; i++) {
        assert_int_equal(get("GET", list[i].path, ""), list[i].status);
        assert_non_null(
            strstr(header("Content-Security-Policy"), "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:"));
        assert_null(strstr(header("Content-Security-Policy"), "unsafe"));
        assert_null(strstr(header("Content-Security-Policy"), "http"));
        assert_string_equal(header("X-Content-Type-Options"), "nosniff");
        assert_string_equal(header("Referrer-Policy"), "no-referrer");
        assert_string_equal(header("Cross-Origin-Opener-Policy"), "same-origin");
        assert_string_equal(header("Cross-Origin-Resource-Policy"), list[i].open ? "cross-origin" : "same-origin");
        assert_int_equal(header("Access-Control-Allow-Origin") != NULL, list[i].open);
        assert_null(header("Set-Cookie"));
    }
    assert_string_equal(header("Location"), "/r/sample-2026-2026/");
    assert_int_equal(get("DELETE", "/", ""), 405);
    assert_string_equal(header("Allow"), "GET, HEAD, OPTIONS");
    assert_int_equal(get("OPTIONS", "/api/v1/releases", "Origin: https://example.org\r\nAccess-Control-Request-Method: GET\r\n"), 204);
    assert_string_equal(header("Access-Control-Allow-Origin"), "*");
    assert_string_equal(header("Access-Control-Allow-Methods"), "GET, HEAD, OPTIONS");
    assert_int_equal(get("OPTIONS", "/", ""), 204);
    assert_null(header("Access-Control-Allow-Origin"));
}

static void tags_and_heads(void **state)
{
    (void)state;
    char tag[100], extra[300];
    assert_int_equal(get("GET", "/", ""), 200);
    size_t whole = body().n;
    snprintf(tag, sizeof tag, "%s", header("ETag"));
    assert_int_equal(strlen(tag), 34);
    assert_int_equal(get("HEAD", "/", ""), 200);
    assert_int_equal(body().n, 0);
    assert_int_equal(strtoul(header("Content-Length"), NULL, 10), whole);
    const char *const match[] = { "If-None-Match: %s\r\n", "If-None-Match: \"x\", W/%s\r\n", "If-None-Match: *%.0s\r\n" };
    for (int i = 0; i < 3; i++) {
        snprintf(extra, sizeof extra, match[i], tag);
        assert_int_equal(get("GET", "/", extra), 304);
        assert_int_equal(body().n, 0);
        assert_string_equal(header("ETag"), tag);
    }
    tag[5] = tag[5] == 'a' ? 'b' : 'a';
    snprintf(extra, sizeof extra, "If-None-Match: %s\r\n", tag);
    assert_int_equal(get("GET", "/", extra), 200);
    assert_int_equal(body().n, whole);
}

static void files_are_the_bundles_bytes(void **state)
{
    (void)state;
    static const char *const files[][2] = {
        { "data/microdata.csv", "text/csv; charset=utf-8" }, { "codebook.html", "text/html; charset=utf-8" },
        { "datapackage.json", "application/json" },          { "README.md", "text/plain; charset=utf-8" },
        { "SHA256SUMS", "text/plain; charset=utf-8" },       { "style.css", "text/css; charset=utf-8" }
    };
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        char path[200];
        su_buf b = { 0 };
        snprintf(path, sizeof path, "one/%s", files[i][0]);
        assert_int_equal(su_file_read(&ctx, in(path), 1 << 24, &b), SU_OK);
        snprintf(path, sizeof path, "/r/sample-2026-2026/%s", files[i][0]);
        assert_int_equal(get("GET", path, ""), 200);
        assert_int_equal(body().n, b.n);
        assert_memory_equal(body().p, b.p, b.n);
        assert_string_equal(header("Content-Type"), files[i][1]);
        su_buf_free(&b);
    }
    assert_int_equal(get("GET", "/r/sample-2026-2026/data/aggregates.csv?x=1", ""), 200);
    assert_string_equal(header("Content-Disposition"), "attachment; filename=\"sample-2026-2026-aggregates.csv\"");
}

static void nothing_outside_the_list(void **state)
{
    (void)state;
    assert_int_equal(su_file_write(&ctx, in("one/extra.txt"), "secret", 6, 0644), SU_OK);
    static const char *const paths[] = { "/r/sample-2026-2026/extra.txt",
                                         "/r/sample-2026-2026/../one/README.md",
                                         "/r/sample-2026-2026/data/../README.md",
                                         "/r/sample-2026-2026/%2e%2e/README.md",
                                         "/r/sample-2026-2026/README%2emd",
                                         "/../../etc/passwd",
                                         "//etc/passwd",
                                         "/r/",
                                         "/r/other/",
                                         "/r/sample-2026-2026//README.md",
                                         "/r/sample-2026-2026/README.md/",
                                         "/r/sample-2026-2026/README.md%00.html",
                                         "/%2fetc%2fpasswd",
                                         "/R/sample-2026-2026/" };
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
        if (get("GET", paths[i], "") != 404) fail_msg("%s: %u", paths[i], status());
}

static void pages(void **state)
{
    (void)state;
    static const char *const paths[] = { "/",
                                         "/r/sample-2026-2026/",
                                         "/r/sample-2026-2026/explore",
                                         "/r/sample-2026-2026/combinations",
                                         "/glossary",
                                         "/r/sample-2026-2026/data",
                                         "/r/sample-2026-2026/protection",
                                         "/about",
                                         "/accessibility",
                                         "/api" };
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        check_page(paths[i], 200);
        assert_null(memmem(body().p, body().n, "NOT PRIVATE", 11));
        assert_non_null(strstr(header("Vary"), "Accept-Language"));
        assert_string_equal(header("Cache-Control"), "no-cache");
    }
    check_page("/x", 404);
    check_page("/r/other/", 404);
    assert_int_equal(get("GET", "/?lang=ar", ""), 200);
    assert_non_null(memmem(body().p, body().n, "dir=\"rtl\"", 9));
    assert_int_equal(get("GET", "/", "Accept-Language: fr\r\n"), 200);
    assert_non_null(memmem(body().p, body().n, "<html lang=\"fr\"", 15));
    assert_int_equal(get("GET", "/", "Accept-Language: en\r\n"), 200);
    assert_non_null(memmem(body().p, body().n, "<html lang=\"en\"", 15));
}

/* The same answer whole, as a part, compressed and not at all. */
static void parts_of_a_file(void **state)
{
    (void)state;
    static const char path[] = "/r/sample-2026-2026/data/microdata.csv";
    char tag[100], extra[300];
    su_buf whole = { 0 };
    assert_int_equal(get("GET", path, ""), 200);
    su_buf_add(&whole, body().p, body().n);
    snprintf(tag, sizeof tag, "%s", header("ETag"));
    assert_string_equal(header("Accept-Ranges"), "bytes");
    assert_int_equal(get("GET", path, "Range: bytes=10-29\r\n"), 206);
    assert_int_equal(body().n, 20);
    assert_memory_equal(body().p, whole.p + 10, 20);
    snprintf(extra, sizeof extra, "bytes 10-29/%zu", whole.n);
    assert_string_equal(header("Content-Range"), extra);
    assert_int_equal(get("GET", path, "Range: bytes=-7\r\n"), 206);
    assert_memory_equal(body().p, whole.p + whole.n - 7, 7);
    assert_int_equal(get("GET", path, "Range: bytes=99999999-\r\n"), 416);
    snprintf(extra, sizeof extra, "bytes */%zu", whole.n);
    assert_string_equal(header("Content-Range"), extra);
    snprintf(extra, sizeof extra, "Range: bytes=0-3\r\nIf-Range: %s\r\n", tag);
    assert_int_equal(get("GET", path, extra), 206);
    assert_int_equal(get("GET", path, "Range: bytes=0-3\r\nIf-Range: \"other\"\r\n"), 200);
    assert_int_equal(get("GET", path, "Accept-Encoding: gzip;q=0\r\n"), 200);
    assert_null(header("Content-Encoding"));
    assert_int_equal(get("GET", path, "Accept-Encoding: br, gzip\r\n"), 200);
    assert_string_equal(header("Content-Encoding"), "gzip");
    assert_true(body().n < whole.n);
    assert_memory_equal(body().p, "\x1f\x8b", 2);
    assert_string_not_equal(header("ETag"), tag);
    snprintf(extra, sizeof extra, "Accept-Encoding: gzip\r\nIf-None-Match: %s\r\n", header("ETag"));
    assert_int_equal(get("GET", path, extra), 304);
    snprintf(extra, sizeof extra, "If-None-Match: %s\r\n", tag);
    assert_int_equal(get("GET", path, extra), 304);
    su_buf_free(&whole);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(fourteen_malformed_requests),
        T(invisible_faults_do_no_harm),
        T(a_connection_serves_several_requests),
        T(house_headers_on_every_answer),
        T(tags_and_heads),
        T(files_are_the_bundles_bytes),
        T(nothing_outside_the_list),
        T(pages),
        T(parts_of_a_file),
    };
    return cmocka_run_group_tests_name("portal: server", tests, NULL, NULL);
}
