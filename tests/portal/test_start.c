/* Starting, stopping, where it listens, what it logs, and bundles that are not served. */
#include "client.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/epoll.h>
#include <sys/syscall.h>

/* The library's calls come here: while `leaving` is set, a socket is taken out of a set of epoll slowly, so that others can come first. */
static atomic_bool leaving;

int epoll_ctl(int set, int what, int fd, struct epoll_event *event)
{
    if (what == EPOLL_CTL_DEL && atomic_load(&leaving)) usleep(20000);
    return (int)syscall(SYS_epoll_ctl, set, what, fd, event);
}

static void stamps_and_several_releases(void **state)
{
    (void)state;
    write_release("two", &(su_sample_options) { .seeded_noise = true, .seed = 3 }, NULL);
    write_release("three", &(su_sample_options) { .domain_from_data = true, .seed = 4, .rows = 5 }, NULL);
    const char *dirs[] = { in("one"), in("two"), in("three") };
    restart(dirs, 3);
    check_page("/", 200);
    assert_non_null(memmem(body().p, body().n, "/r/sample-2026-2026-3/", 22));
    check_page("/r/sample-2026-2026-2/", 200);
    assert_non_null(memmem(body().p, body().n, "NOT PRIVATE", 11));
    check_page("/r/sample-2026-2026-3/", 200);
    assert_non_null(memmem(body().p, body().n, "NO GUARANTEE", 12));
    assert_int_equal(get("GET", "/r/sample-2026-2026-2/data/microdata.csv", ""), 200);
    assert_string_equal(header("Content-Disposition"), "attachment; filename=\"NOT-PRIVATE-sample-2026-2026-2-microdata.csv\"");
}

static void hostile_texts_stay_text(void **state)
{
    (void)state;
    static const char *const hostile[] = { "<script>alert(1)</script>", "\"><svg onload=alert(1)>", "' onmouseover='x",
                                           "</title></svg><img src=x onerror=alert(1)>", "&lt;&#0;&" };
    for (size_t i = 0; i < sizeof hostile / sizeof *hostile; i++) {
        char name[20];
        snprintf(name, sizeof name, "h%zu", i);
        write_release(name, &(su_sample_options) { .hostile = hostile[i], .rows = 300, .seeded_noise = true }, hostile[i]);
        const char *dirs[] = { in(name) };
        restart(dirs, 1);
        static const char *const paths[] = { "/", "/r/sample-2026-2026/", "/r/sample-2026-2026/explore", "/r/sample-2026-2026/data",
                                             "/r/sample-2026-2026/protection" };
        for (size_t k = 0; k < sizeof paths / sizeof *paths; k++) {
            check_page(paths[k], 200);
            assert_null(memmem(body().p, body().n, "<img", 4));
            assert_null(memmem(body().p, body().n, "<svg onload", 11));
            assert_null(memmem(body().p, body().n, "<script>alert", 13));
        }
    }
}

static void refuse(const char *dir, const char *words)
{
    su_portal *other = NULL;
    const char *dirs[] = { dir };
    assert_int_equal(su_portal_start(&ctx, dirs, 1, NULL, &other), SU_INPUT);
    assert_null(other);
    if (!strstr(ctx.message, words)) fail_msg("\"%s\" does not say \"%s\"", ctx.message, words);
    su_context_init(&ctx);
}

static void foreign_and_damaged_folders(void **state)
{
    (void)state;
    refuse(folder, "is not a release of Suha");
    refuse(in("missing"), "is not a release of Suha");
    assert_int_equal(su_file_write(&ctx, in("one/data/microdata.csv"), "changed\n", 8, 0644), SU_OK);
    refuse(in("one"), "does not match");
    assert_int_equal(unlink(in("one/codebook.md")), 0);
    static const char *const sums[][2] = {
        { "", "is empty" },
        { "short\n", "line 1" },
        { "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855  ../../etc/passwd\n", "does not lie inside" },
        { "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855  /etc/passwd\n", "does not lie inside" },
        { "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855  a/.hidden\n", "does not lie inside" },
        { "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855  README.md\n", "does not list datapackage.json" },
        { "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855  "
          "a\ne3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855  a\n",
          "twice" }
    };
    for (size_t i = 0; i < sizeof sums / sizeof *sums; i++) {
        assert_int_equal(su_file_write(&ctx, in("one/SHA256SUMS"), sums[i][0], strlen(sums[i][0]), 0644), SU_OK);
        refuse(in("one"), sums[i][1]);
    }
}

static void addresses_and_ports(void **state)
{
    (void)state;
    su_portal *other = NULL;
    const char *dirs[] = { in("one") };
    su_portal_options o = { .port = su_portal_port(portal) };
    assert_int_equal(su_portal_start(&ctx, dirs, 1, &o, &other), SU_IO);
    assert_non_null(strstr(ctx.message, "already in use"));
    o = (su_portal_options) { .address = "not an address" };
    assert_int_equal(su_portal_start(&ctx, dirs, 1, &o, &other), SU_USAGE);
    o = (su_portal_options) { .address = "192.0.2.1" };
    assert_int_equal(su_portal_start(&ctx, dirs, 1, &o, &other), SU_IO);
    assert_int_equal(su_portal_start(&ctx, dirs, 0, NULL, &other), SU_USAGE);
    assert_null(other);
    o = (su_portal_options) { .address = "localhost" };
    assert_int_equal(su_portal_start(&ctx, dirs, 1, &o, &other), SU_OK);
    assert_true(su_portal_port(other) > 0);
    su_portal_stop(other);
    su_portal_stop(NULL);
}

static char said[8192];

static void remember(void *user, const char *line)
{
    (void)user;
    size_t n = strlen(said);
    snprintf(said + n, sizeof said - n, "%s\n", line);
}

/* One of three was changed after publication: the console says which and why, and the others are served. */
static void a_damaged_bundle_is_left_out(void **state)
{
    (void)state;
    write_release("two", &(su_sample_options) { .rows = 300 }, NULL);
    write_release("bad", &(su_sample_options) { .rows = 300 }, NULL);
    su_buf b = { 0 };
    assert_int_equal(su_file_read(&ctx, in("bad/data/aggregates.csv"), 1 << 24, &b), SU_OK);
    b.p[b.n / 2] ^= 1;
    assert_int_equal(su_file_write(&ctx, in("bad/data/aggregates.csv"), b.p, b.n, 0644), SU_OK);
    su_buf_free(&b);
    const char *dirs[] = { in("one"), in("bad"), in("two") };
    said[0] = '\0';
    ctx.log = remember;
    restart(dirs, 3);
    ctx.log = NULL;
    assert_int_equal(su_portal_releases(portal), 2);
    assert_non_null(strstr(said, "not served: "));
    assert_non_null(strstr(said, "/bad/data/aggregates.csv is not the file that was published"));
    assert_int_equal(get("GET", "/r/sample-2026-2026-2/", ""), 200);
    assert_int_equal(get("GET", "/r/sample-2026-2026-3/", ""), 404);
    const char *only[] = { in("bad"), in("missing") };
    su_portal *other = NULL;
    assert_int_equal(su_portal_start(&ctx, only, 2, NULL, &other), SU_INPUT);
    assert_non_null(strstr(ctx.message, "/bad/data/aggregates.csv"));
}

static void a_unix_socket(void **state)
{
    (void)state;
    struct sockaddr_un at = { .sun_family = AF_UNIX };
    const char *dirs[] = { in("one") };
    snprintf(at.sun_path, sizeof at.sun_path, "s"); /* the path of a socket is short, that of a temporary folder perhaps not */
    char *here = getcwd(NULL, 0);
    dirs[0] = realpath(dirs[0], NULL);
    assert_int_equal(chdir(folder), 0);
    su_portal_options o = { .unix_socket = at.sun_path };
    su_portal *other = NULL, *third = NULL;
    assert_int_equal(su_file_write(&ctx, at.sun_path, "x", 1, 0644), SU_OK);
    assert_int_equal(su_portal_start(&ctx, dirs, 1, &o, &other), SU_IO);
    assert_non_null(strstr(ctx.message, "is no socket"));
    assert_int_equal(unlink(at.sun_path), 0);
    assert_int_equal(su_portal_start(&ctx, dirs, 1, &o, &other), SU_OK);
    assert_int_equal(su_portal_port(other), 0);
    assert_int_equal(su_portal_start(&ctx, dirs, 1, &o, &third), SU_IO);
    assert_non_null(strstr(ctx.message, "Another server listens"));
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    char block[4096];
    static const char request[] = "GET /healthz HTTP/1.1\r\nHost: data.example.org\r\nConnection: close\r\n\r\n";
    assert_int_equal(connect(fd, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(send(fd, request, sizeof request - 1, MSG_NOSIGNAL), (ssize_t)sizeof request - 1);
    ssize_t n = recv(fd, block, sizeof block, MSG_WAITALL);
    assert_true(n > 12 && memcmp(block, "HTTP/1.1 200", 12) == 0);
    close(fd);
    su_portal_stop(other);
    assert_false(su_path_exists(at.sun_path));
    /* A socket that a dead server left is replaced. */
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
    close(fd);
    assert_int_equal(su_portal_start(&ctx, dirs, 1, &o, &other), SU_OK);
    su_portal_stop(other);
    o.unix_socket = "/nowhere/that/is/there/s";
    assert_int_equal(su_portal_start(&ctx, dirs, 1, &o, &other), SU_IO);
    char path[200];
    memset(path, 'a', sizeof path);
    path[199] = '\0';
    o.unix_socket = path;
    assert_int_equal(su_portal_start(&ctx, dirs, 1, &o, &other), SU_USAGE);
    assert_int_equal(chdir(here), 0);
    free(here);
    free((char *)(uintptr_t)dirs[0]);
}

static void restart_with_log(bool addresses)
{
    const char *dirs[] = { in("one") };
    char *log = in("log");
    su_portal_options o = { .access_log = log, .log_addresses = addresses };
    su_portal_stop(portal);
    portal = NULL;
    assert_int_equal(su_portal_start(&ctx, dirs, 1, &o, &portal), SU_OK);
}

static void the_access_log_names_nobody(void **state)
{
    (void)state;
    su_buf b = { 0 };
    restart_with_log(false);
    get("GET", "/healthz?who=Maria", "User-Agent: Secret/1\r\nReferer: http://secret.example/\r\n");
    get("GET", "/search/Maria", "");
    get("GET", "/api/v1/releases/Maria/tabulate", "");
    get("GET", "/r/sample-2026-2026/explore?where=gender:Maria", "");
    get("PUT", "/Maria", "");
    talk("GET /Maria HTTP/1.1\r\n\r\n", 23, SILENCE_MS);
    su_portal_stop(portal);
    portal = NULL;
    assert_int_equal(su_file_read(&ctx, in("log"), 1 << 20, &b), SU_OK);
    assert_null(memmem(b.p, b.n, "Maria", 5));
    assert_null(memmem(b.p, b.n, "ecret", 5));
    assert_null(memmem(b.p, b.n, "127.0.0.1", 9));
    assert_non_null(strstr(b.p, "Z GET /healthz 200 3 "));
    assert_non_null(strstr(b.p, "Z GET - 404 "));
    assert_non_null(strstr(b.p, "Z PUT - 405 "));
    assert_non_null(strstr(b.p, "Z - - 400 "));
    assert_int_equal(unlink(in("log")), 0);
    restart_with_log(true);
    get("GET", "/healthz", "");
    su_portal_stop(portal);
    portal = NULL;
    assert_int_equal(su_file_read(&ctx, in("log"), 1 << 20, &b), SU_OK);
    assert_non_null(strstr(b.p, " 127.0.0.1\n"));
    su_buf_free(&b);
    const char *dirs[] = { in("one") };
    su_portal_options o = { .access_log = folder };
    assert_int_equal(su_portal_start(&ctx, dirs, 1, &o, &portal), SU_IO);
    assert_non_null(strstr(ctx.message, "access log"));
}

/* Asks for a large file, reads a little, and the portal is stopped meanwhile: the rest still comes. */
static void *stop_it(void *arg)
{
    (void)arg;
    su_portal_stop(portal);
    return NULL;
}

static void answers_under_way_are_finished(void **state)
{
    (void)state;
    static const char request[] = "GET /r/sample-2026-2026/data/aggregates.csv HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    pthread_t thread;
    char block[4096];
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), small = 2048;
    size_t got_bytes = 0;
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(su_portal_port(portal)), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
    assert_int_equal(send(fd, request, sizeof request - 1, MSG_NOSIGNAL), (ssize_t)sizeof request - 1);
    ssize_t n = recv(fd, block, 512, 0);
    assert_true(n > 0);
    got_bytes += (size_t)n;
    assert_int_equal(pthread_create(&thread, NULL, stop_it, NULL), 0);
    while ((n = recv(fd, block, sizeof block, 0)) > 0) got_bytes += (size_t)n;
    assert_int_equal(n, 0);
    pthread_join(thread, NULL);
    portal = NULL;
    close(fd);
    su_buf b = { 0 };
    assert_int_equal(su_file_read(&ctx, in("one/data/aggregates.csv"), 1 << 24, &b), SU_OK);
    assert_true(got_bytes > b.n);
    su_buf_free(&b);
}

static int knock(void)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(su_portal_port(portal)), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
    return fd;
}

/* The threads of the server are awake because clients leave at the moment it is stopped. */
static void clients_leave_at_the_end(void **state)
{
    (void)state;
    enum { CLIENTS = 40 };
    int fd[CLIENTS];
    pthread_t thread;
    const char *dirs[] = { in("one") };
    restart(dirs, 1);
    for (int i = 0; i < CLIENTS; i++) fd[i] = knock();
    usleep(20000);
    atomic_store(&leaving, true);
    assert_int_equal(pthread_create(&thread, NULL, stop_it, NULL), 0);
    for (int i = 0; i < CLIENTS; i++) {
        close(fd[i]);
        usleep(1000);
    }
    pthread_join(thread, NULL);
    atomic_store(&leaving, false);
    portal = NULL;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(stamps_and_several_releases), T(hostile_texts_stay_text),        T(foreign_and_damaged_folders),
        T(addresses_and_ports),         T(a_damaged_bundle_is_left_out),   T(a_unix_socket),
        T(the_access_log_names_nobody), T(answers_under_way_are_finished), T(clients_leave_at_the_end),
    };
    return cmocka_run_group_tests_name("portal: start and stop", tests, NULL, NULL);
}
