/* su_test: what the tests of all reaches share. Header only.
 *
 *   su_test_seed()        seed for random cases: SUHA_TEST_SEED or a fixed default; printed once, so that a failure can be repeated
 *   su_test_random(&r)    a random stream from that seed
 *   su_test_folder()      a fresh folder under $TMPDIR or /tmp, removed when the process ends
 *   su_test_path(name)    a path inside it (static, eight live at a time)
 *   su_test_shared(name)  path of a file of the shared real data, or NULL after printing why the test is skipped
 *   su_test_source(name)  path of a file of the source tree
 */
#ifndef SU_TEST_H
#define SU_TEST_H

#include <suha/base.h>

#include <ftw.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SU_TEST_UNUSED __attribute__((unused))

SU_TEST_UNUSED static uint64_t su_test_seed(void)
{
    static bool printed;
    const char *text = getenv("SUHA_TEST_SEED");
    int64_t given;
    uint64_t seed = text && su_parse_i64(su_str_of(text), &given) ? (uint64_t)given : 20260607u;
    if (!printed) {
        printf("# SUHA_TEST_SEED=%llu\n", (unsigned long long)seed);
        fflush(stdout);
        printed = true;
    }
    return seed;
}

SU_TEST_UNUSED static void su_test_random(su_random *r) { su_random_seeded(r, su_test_seed()); }

SU_TEST_UNUSED static const char *su_test_pooled(const char *a, const char *b)
{
    static char pool[8][1024];
    static unsigned next;
    char text[sizeof pool[0]]; /* a may be in the pool itself */
    int n = snprintf(text, sizeof text, "%s%s%s", a, b[0] ? "/" : "", b);
    if (n < 0 || (size_t)n >= sizeof text) abort();
    return memcpy(pool[next++ % 8], text, sizeof text);
}

static char su_test_folder_name[512];

SU_TEST_UNUSED static int su_test_remove(const char *path, const struct stat *st, int kind, struct FTW *where)
{
    (void)st, (void)kind, (void)where;
    return remove(path);
}

SU_TEST_UNUSED static void su_test_clean(void) { nftw(su_test_folder_name, su_test_remove, 16, FTW_DEPTH | FTW_PHYS); }

SU_TEST_UNUSED static const char *su_test_folder(void)
{
    if (su_test_folder_name[0]) return su_test_folder_name;
    const char *base = getenv("TMPDIR");
    int n = snprintf(su_test_folder_name, sizeof su_test_folder_name, "%s/suha-test-XXXXXX", base && base[0] ? base : "/tmp");
    if (n < 0 || (size_t)n >= sizeof su_test_folder_name || !mkdtemp(su_test_folder_name)) abort();
    atexit(su_test_clean);
    return su_test_folder_name;
}

SU_TEST_UNUSED static const char *su_test_path(const char *name) { return su_test_pooled(su_test_folder(), name); }

SU_TEST_UNUSED static const char *su_test_source(const char *name)
{
    const char *root = getenv("SUHA_SOURCE");
    return su_test_pooled(root && root[0] ? root : ".", name);
}

SU_TEST_UNUSED static const char *su_test_shared(const char *name)
{
    const char *given = getenv("SUHA_SHARED");
    const char *folder = given && given[0] ? given : su_test_source("../shared");
    const char *path = su_test_pooled(su_test_pooled(folder, "data"), name);
    if (su_path_exists(path)) return path;
    path = su_test_pooled(folder, name); /* SUHA_SHARED may name the data folder itself */
    if (su_path_exists(path)) return path;
    printf("# skipped: %s is not here (real data are not part of the project; set SUHA_SHARED to their folder)\n", path);
    return NULL;
}

#endif
