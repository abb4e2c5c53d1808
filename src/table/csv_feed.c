#include "csv_feed.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CSV_WINDOW ((size_t)3 << 20)

/* Fills the window to its end or the file's. */
static bool fill(csv_feed *f)
{
    while (f->filled < CSV_WINDOW && !f->final) {
        ssize_t got = read(f->fd, f->window + f->filled, CSV_WINDOW - f->filled);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return false;
        f->final = got == 0;
        su_sha256_add(&f->hash, f->window + f->filled, (size_t)got);
        f->filled += (size_t)got;
        f->read += (uint64_t)got;
    }
    return true;
}

/* Takes the bytes from `from` on as text, but for a character of which the rest is still to come. */
static bool take(csv_feed *f, size_t from)
{
    enum { LONGEST = 4 };
    size_t bad = 0, n = f->filled - from;
    const char *p = f->window + from;
    f->text = (su_str) { p, n };
    if (memchr(p, '\0', n) != NULL) return false;
    if (su_utf8_valid(p, n, &bad)) return true;
    f->text.n = bad;
    return !f->final && n - bad < LONGEST;
}

bool csv_feed_open(csv_feed *f, const char *path)
{
    struct stat st;
    *f = (csv_feed) { .fd = -1 };
    if (stat(path, &st) != 0 || !S_ISREG(st.st_mode)) return false; /* a pipe that is opened and closed would lose its writer */
    f->fd = open(path, O_RDONLY | O_CLOEXEC);
    if (f->fd < 0) return false;
    su_sha256_begin(&f->hash);
    f->window = su_alloc(CSV_WINDOW);
    bool good = fill(f);
    if (good) {
        f->size = (uint64_t)st.st_size;
        f->marked = f->filled >= 3 && memcmp(f->window, "\xEF\xBB\xBF", 3) == 0;
        good = take(f, f->marked ? 3 : 0);
    }
    if (!good) csv_feed_close(f);
    return good;
}

bool csv_feed_more(csv_feed *f, const char *at)
{
    size_t from = (size_t)(at - f->window);
    f->filled -= from;
    memmove(f->window, at, f->filled);
    return fill(f) && take(f, 0);
}

void csv_feed_close(csv_feed *f)
{
    if (f->fd >= 0) close(f->fd);
    if (f->window != NULL) su_wipe(f->window, CSV_WINDOW);
    free(f->window);
    *f = (csv_feed) { .fd = -1 };
}
