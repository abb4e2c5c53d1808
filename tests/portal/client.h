/* A portal of a small release on an ephemeral loopback port, spoken to over raw sockets. */
#ifndef SU_PORTAL_CLIENT_H
#define SU_PORTAL_CLIENT_H

#include "markup.h"
#include "sample.h"

#include <suha/portal.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

/* Nobody waits so long: an answer that does not come by then does not come, on a slow machine either. */
enum { SILENCE_MS = 120000 };

static char folder[256];
static su_context ctx;
static su_portal *portal;
static su_buf got;

static char *in(const char *name)
{
    static char path[4][512];
    static int at;
    at = (at + 1) % 4;
    snprintf(path[at], sizeof path[at], "%s/%s", folder, name);
    return path[at];
}

static void write_release(const char *name, const su_sample_options *o, const char *title)
{
    su_sample s;
    su_bundle_info i = { .created = 1795000000, .title = title, .publisher = title };
    su_sample_make(o, &s);
    su_status st = su_bundle_write(&ctx, s.release, &i, in(name));
    if (st) print_message("%s\n", ctx.message);
    assert_int_equal(st, SU_OK);
    su_sample_free(&s);
}

static int set_up(void **state)
{
    (void)state;
    su_context_init(&ctx);
    su_sample_folder(folder);
    write_release("one", &(su_sample_options) { .rows = 900 }, NULL);
    const char *dirs[] = { in("one") };
    return su_portal_start(&ctx, dirs, 1, NULL, &portal);
}

static int tear_down(void **state)
{
    (void)state;
    su_portal_stop(portal);
    portal = NULL;
    su_buf_free(&got);
    su_sample_remove(folder);
    return 0;
}

/* Sends the bytes and reads until the server closes or is silent for `wait_ms`. Returns true when the server closed. */
static bool talk(const char *bytes, size_t n, int wait_ms)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(su_portal_port(portal)), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    struct timeval tv = { wait_ms / 1000, (wait_ms % 1000) * 1000 };
    char block[65536];
    bool closed = false;
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof tv);
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
    assert_int_equal(send(fd, bytes, n, MSG_NOSIGNAL), (ssize_t)n);
    got.n = 0;
    for (;;) {
        ssize_t k = recv(fd, block, sizeof block, 0);
        if (k <= 0) {
            closed = k == 0 || (errno != EAGAIN && errno != EWOULDBLOCK);
            break;
        }
        su_buf_add(&got, block, (size_t)k);
    }
    close(fd);
    su_buf_add(&got, "", 0);
    return closed;
}

static unsigned status(void) { return got.n > 12 ? (unsigned)strtoul(got.p + 9, NULL, 10) : 0; }

__attribute__((unused)) static int answers(void)
{
    int n = 0;
    for (const char *p = got.p; got.n && (p = strstr(p, "HTTP/1.")); p++) n++;
    return n;
}

static const char *header(const char *name)
{
    static char value[1024];
    char line[100];
    snprintf(line, sizeof line, "\r\n%s: ", name);
    const char *p = strcasestr(got.p, line), *end = strstr(got.p, "\r\n\r\n");
    if (!p || p > end) return NULL;
    p += strlen(line);
    snprintf(value, sizeof value, "%.*s", (int)strcspn(p, "\r"), p);
    return value;
}

static su_str body(void)
{
    const char *p = memmem(got.p, got.n, "\r\n\r\n", 4);
    assert_non_null(p);
    return (su_str) { p + 4, got.n - (size_t)(p + 4 - got.p) };
}

static unsigned get(const char *method, const char *path, const char *extra)
{
    char request[2048];
    int n = snprintf(request, sizeof request, "%s %s HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n%s\r\n", method, path, extra);
    talk(request, (size_t)n, SILENCE_MS);
    return status();
}

__attribute__((unused)) static void restart(const char *const *dirs, size_t n)
{
    su_portal_stop(portal);
    portal = NULL;
    su_status st = su_portal_start(&ctx, dirs, n, NULL, &portal);
    if (st) print_message("%s\n", ctx.message);
    assert_int_equal(st, SU_OK);
}

/* Scripts are the browser part's own files and data in JSON-LD: they are taken out, and nothing of the kind may be left. */
static void without_own_scripts(su_str page, su_buf *out)
{
    static const char *const own[] = { "<script type=\"module\" src=\"/assets/", "<script type=\"application/ld+json\">" };
    out->n = 0;
    for (size_t at = 0; at < page.n;) {
        bool mine = false;
        for (size_t i = 0; i < 2; i++) mine = mine || (page.n - at > strlen(own[i]) && memcmp(page.p + at, own[i], strlen(own[i])) == 0);
        const char *end = mine ? memmem(page.p + at, page.n - at, "</script>", 9) : NULL;
        if (end)
            at = (size_t)(end - page.p) + 9;
        else
            su_buf_char(out, page.p[at++]);
    }
    su_buf_add(out, "", 0);
}

static void check_page(const char *path, unsigned expected)
{
    su_buf rest = { 0 };
    if (get("GET", path, "") != expected) fail_msg("%s: %u", path, status());
    without_own_scripts(body(), &rest);
    const char *fault = su_markup_fault(rest.p, rest.n);
    if (fault) fail_msg("%s: %s", path, fault);
    assert_null(memmem(rest.p, rest.n, "<script", 7));
    su_buf_free(&rest);
}

#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

#endif
