/* Whole files in, whole files out. */
#include <suha/base.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

static su_status too_big(su_context *ctx, const char *path, uint64_t limit)
{
    return su_fail(ctx, SU_INPUT, "%s is larger than the limit of %llu bytes. Split the file into smaller ones.", path,
                   (unsigned long long)limit);
}

static su_status cannot_open(su_context *ctx, const char *path, int why)
{
    const char *way = why == ENOENT || why == ENOTDIR ? " Check the spelling and the folder."
                      : why == EACCES                 ? " Ask its owner for the right to read it, or copy it to a folder of your own."
                                                      : "";
    if (!path[0]) return su_fail(ctx, SU_IO, "The name of a file is empty. Name the file.");
    return su_fail(ctx, SU_IO, "Cannot open %s: %s.%s", path, strerror(why), way);
}

su_status su_file_read(su_context *ctx, const char *path, uint64_t limit, su_buf *out)
{
    su_status status = SU_OK;
    struct stat st;
    char *piece = NULL;
    enum { PIECE = 1 << 18 };
    out->n = 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return cannot_open(ctx, path, errno);
    if (fstat(fd, &st) != 0) {
        status = su_fail(ctx, SU_IO, "Cannot read %s: %s.", path, strerror(errno));
        goto out;
    }
    if (S_ISDIR(st.st_mode)) {
        status = su_fail(ctx, SU_IO, "%s is a folder, not a file. Name a file inside it.", path);
        goto out;
    }
    if (S_ISREG(st.st_mode) && (uint64_t)st.st_size > limit) {
        status = too_big(ctx, path, limit);
        goto out;
    }
    /* Reads until the end, whatever the size was said to be: pipes have none and files may grow. */
    piece = su_alloc(PIECE);
    su_buf_add(out, "", 0);
    for (;;) {
        ssize_t got = read(fd, piece, PIECE);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) {
            status = su_fail(ctx, SU_IO, "Cannot read %s: %s.", path, strerror(errno));
            goto out;
        }
        if (got == 0) break;
        if ((uint64_t)got > limit - out->n) {
            status = too_big(ctx, path, limit);
            goto out;
        }
        su_buf_add(out, piece, (size_t)got);
    }
out:
    su_wipe(piece, piece ? PIECE : 0);
    free(piece);
    close(fd);
    if (status != SU_OK) su_buf_free(out);
    return status;
}

static int write_all(int fd, const char *p, size_t n)
{
    while (n) {
        ssize_t put = write(fd, p, n);
        if (put < 0 && errno == EINTR) continue;
        if (put < 0) return -1;
        p += put;
        n -= (size_t)put;
    }
    return 0;
}

/* Opens a new file of an unused name beside `path`. */
static int open_beside(const char *path, unsigned mode, su_buf *name)
{
    for (int attempt = 0; attempt < 16; attempt++) {
        uint8_t random[8];
        char hex[2 * sizeof random + 1];
        if (getrandom(random, sizeof random, 0) != (ssize_t)sizeof random) return -1;
        su_hex(random, sizeof random, hex);
        name->n = 0;
        su_buf_printf(name, "%s.%s.part", path, hex);
        int fd = open(name->p, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, (mode_t)mode);
        if (fd >= 0 || errno != EEXIST) return fd;
    }
    return -1;
}

/* The rename itself lasts only once the folder is on disk. */
static int sync_folder_of(const char *path)
{
    su_buf folder = { NULL, 0, 0 };
    const char *base = su_path_base(path);
    if (base == path)
        su_buf_text(&folder, ".");
    else
        su_buf_add(&folder, path, (size_t)(base - path));
    int fd = open(folder.p, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    su_buf_free(&folder);
    if (fd < 0) return -1;
    int result = fsync(fd);
    if (result != 0 && (errno == EINVAL || errno == ENOTSUP)) result = 0; /* some network file systems have no such call */
    close(fd);
    return result;
}

static su_status left_as_it_was(su_context *ctx, const char *path, int why)
{
    const char *way = why == ENOSPC || why == EDQUOT || why == EFBIG ? " Free some space on the disk and try again." : "";
    return su_fail(ctx, SU_IO, "Cannot write %s: %s. The file was left as it was.%s", path, strerror(why), way);
}

su_status su_file_write(su_context *ctx, const char *path, const void *p, size_t n, unsigned mode)
{
    su_status status = SU_OK;
    su_buf temporary = { NULL, 0, 0 };
    bool made = false;
    int fd = open_beside(path, mode, &temporary);
    if (fd < 0) {
        status =
            su_fail(ctx, SU_IO, "Cannot write %s: %s. Check that the folder exists and that you may write there.", path, strerror(errno));
        goto out;
    }
    made = true;
    if (write_all(fd, p, n) != 0 || fsync(fd) != 0) {
        status = left_as_it_was(ctx, path, errno);
        goto out;
    }
    int closed = close(fd);
    fd = -1;
    if (closed != 0 || rename(temporary.p, path) != 0) {
        status = left_as_it_was(ctx, path, errno);
        goto out;
    }
    made = false;
    if (sync_folder_of(path) != 0)
        status = su_fail(ctx, SU_IO, "Wrote %s, but cannot make sure that it would survive a power cut: %s.", path, strerror(errno));
out:
    if (fd >= 0) close(fd);
    if (made) unlink(temporary.p);
    su_buf_free(&temporary);
    return status;
}

bool su_path_exists(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0;
}

char *su_path_join(su_arena *a, const char *dir, const char *name)
{
    size_t n = strlen(dir);
    if (n == 0 || name[0] == '/') return su_arena_printf(a, "%s", name);
    return su_arena_printf(a, "%s%s%s", dir, dir[n - 1] == '/' ? "" : "/", name);
}

const char *su_path_base(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}
