/* A bundle on disk: staged in a folder beside the target, made durable, then renamed. */
#include "publication.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <dirent.h>
#include <unistd.h>

#define SMALLEST_SPACE (1u << 20)

typedef struct place {
    char *dir, *parent, *base;
} place; /* dir without trailing slashes */

static su_status place_of(su_context *ctx, su_arena *arena, const char *dir, place *out)
{
    size_t n = dir ? strlen(dir) : 0;
    while (n > 1 && dir[n - 1] == '/') n--;
    if (n == 0) return su_fail(ctx, SU_USAGE, "No folder was given for the release.");
    out->dir = su_arena_strndup(arena, dir, n);
    char *slash = strrchr(out->dir, '/');
    out->base = slash ? slash + 1 : out->dir;
    out->parent = !slash              ? su_arena_strndup(arena, ".", 1)
                  : slash == out->dir ? su_arena_strndup(arena, "/", 1)
                                      : su_arena_strndup(arena, out->dir, (size_t)(slash - out->dir));
    if (!out->base[0] || strcmp(out->base, ".") == 0 || strcmp(out->base, "..") == 0)
        return su_fail(ctx, SU_USAGE, "\"%s\" is no name for the folder of a release. Give it a name of its own, such as release-2026.",
                       out->dir);
    return SU_OK;
}

static su_status os_error(su_context *ctx, const char *what, const char *path, const char *advice)
{
    return su_fail(ctx, SU_IO, "%s %s: %s. %s", what, path, strerror(errno), advice);
}

static su_status check_target(su_context *ctx, const place *at)
{
    struct stat target, parent;
    if (stat(at->parent, &parent) != 0)
        return os_error(ctx, "The release would go into", at->parent, "Make that folder first, or choose another.");
    if (!S_ISDIR(parent.st_mode)) return su_fail(ctx, SU_IO, "%s is not a folder, so %s cannot be made in it.", at->parent, at->base);
    if (lstat(at->dir, &target) != 0) {
        if (errno == ENOENT) return SU_OK;
        return os_error(ctx, "Cannot look at", at->dir, "Choose another folder for the release.");
    }
    if (!S_ISDIR(target.st_mode))
        return su_fail(ctx, SU_REFUSED, "%s exists and is not a folder. Nothing was changed; choose another name for the release.",
                       at->dir);
    if (target.st_dev != parent.st_dev)
        return su_fail(ctx, SU_REFUSED,
                       "%s is a mount point, which cannot be replaced in one step. Choose a folder inside it, such as %s/release.", at->dir,
                       at->dir);
    DIR *d = opendir(at->dir);
    if (!d) return os_error(ctx, "Cannot look into", at->dir, "Choose another folder for the release.");
    bool empty = true;
    for (struct dirent *e; empty && (e = readdir(d));) empty = strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0;
    closedir(d);
    if (!empty)
        return su_fail(ctx, SU_REFUSED,
                       "The folder %s is not empty. A release is never written over or among other files: choose a new folder.", at->dir);
    return SU_OK;
}

static char *stage_name(su_arena *arena, const place *at) { return su_arena_printf(arena, "%s/.%s.part-XXXXXX", at->parent, at->base); }

su_status su_bundle_can_write(su_context *ctx, const char *dir)
{
    su_arena arena;
    su_arena_init(&arena);
    place at;
    su_status st = place_of(ctx, &arena, dir, &at);
    if (!st) st = check_target(ctx, &at);
    if (st) goto out;
    struct statvfs space;
    if (statvfs(at.parent, &space) == 0 && (uint64_t)space.f_bavail * space.f_frsize < SMALLEST_SPACE) {
        st = su_fail(ctx, SU_IO, "The disk of %s is full: less than 1 MiB is free. Make room or choose another place.", at.parent);
        goto out;
    }
    /* Trying tells more than access(2): read-only mounts, quotas, ACLs. */
    char *probe = stage_name(&arena, &at);
    if (!mkdtemp(probe))
        st = os_error(ctx, "Nothing can be written in", at.parent,
                      "Choose another place for the release, or ask for the right to write there.");
    else
        rmdir(probe);
out:
    su_arena_free(&arena);
    return st;
}

static su_status sync_directory(su_context *ctx, const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return os_error(ctx, "Cannot open", path, "The release was not written.");
    int rc = fsync(fd);
    if (rc != 0 && (errno == EINVAL || errno == ENOTSUP)) rc = 0; /* file systems that cannot sync a folder */
    int kept = errno;
    close(fd);
    errno = kept;
    return rc == 0 ? SU_OK : os_error(ctx, "Cannot make durable", path, "The release was not written.");
}

/* After the rename the release is there; a parent that cannot be synced only delays its surviving a power cut. */
static void sync_parent(su_context *ctx, const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || fsync(fd) != 0) su_log(ctx, "note: %s could not be synced to the disk at once: %s", path, strerror(errno));
    if (fd >= 0) close(fd);
}

static bool put(void *arg, su_str bytes)
{
    const int *fd = arg;
    size_t done = 0;
    while (done < bytes.n) {
        ssize_t n = write(*fd, bytes.p + done, bytes.n - done);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return false;
        done += (size_t)n;
    }
    return true;
}

/* A file without bytes is the records, which are poured. */
static su_status write_one(su_context *ctx, const char *path, const su_bundle_file *file, const su_microdata *microdata)
{
    const char *advice = "The release was not written and nothing was left behind. Check the free space of the disk.";
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
    if (fd < 0) return os_error(ctx, "Cannot make", path, advice);
    bool ok = file->bytes.p ? put(&fd, file->bytes) : su_microdata_pour(microdata, put, &fd);
    ok = ok && fchmod(fd, 0644) == 0 && fsync(fd) == 0;
    int kept = errno;
    if (close(fd) != 0 && ok) {
        ok = false;
        kept = errno;
    }
    errno = kept;
    return ok ? SU_OK : os_error(ctx, "Cannot write", path, advice);
}

/* The folders of a bundle, parents first; files name no others. */
static const char *const folders[] = { "data", "codelists", "protection" };
#define FOLDER_COUNT (sizeof folders / sizeof *folders)

static su_status write_all(su_context *ctx, su_arena *arena, const char *stage, const su_bundle_file *files, size_t count,
                           const su_microdata *microdata)
{
    su_status st = SU_OK;
    for (size_t i = 0; i < FOLDER_COUNT; i++) {
        const char *path = su_path_join(arena, stage, folders[i]);
        if (mkdir(path, 0755) != 0 || chmod(path, 0755) != 0)
            return os_error(ctx, "Cannot make the folder", path, "The release was not written.");
    }
    for (size_t i = 0; i < count && !st; i++) {
        if (su_cancelled(ctx)) return su_fail(ctx, SU_CANCELLED, "Stopped on request; the release was not written.");
        st = write_one(ctx, su_path_join(arena, stage, files[i].path), &files[i], microdata);
    }
    for (size_t i = 0; i < FOLDER_COUNT && !st; i++) st = sync_directory(ctx, su_path_join(arena, stage, folders[i]));
    return st ? st : sync_directory(ctx, stage);
}

static void remove_stage(su_arena *arena, const char *stage, const su_bundle_file *files, size_t count)
{
    for (size_t i = 0; i < count; i++) unlink(su_path_join(arena, stage, files[i].path));
    for (size_t i = 0; i < FOLDER_COUNT; i++) rmdir(su_path_join(arena, stage, folders[i]));
    rmdir(stage);
}

su_status su_bundle_write(su_context *ctx, const su_release *r, const su_bundle_info *info, const char *dir)
{
    su_arena arena;
    su_arena_init(&arena);
    su_bundle_file *files = NULL;
    size_t count = 0;
    place at;
    char *stage = NULL;
    su_microdata *microdata = NULL;
    su_status st = place_of(ctx, &arena, dir, &at);
    if (!st) st = check_target(ctx, &at);
    if (!st) st = su_bundle_plan(ctx, &arena, r, info, &microdata, &files, &count);
    if (st) goto out;
    stage = stage_name(&arena, &at);
    if (!mkdtemp(stage)) {
        stage = NULL;
        st = os_error(ctx, "Nothing can be written in", at.parent, "Choose another place for the release.");
        goto out;
    }
    st = write_all(ctx, &arena, stage, files, count, microdata);
    if (!st && chmod(stage, 0755) != 0) st = os_error(ctx, "Cannot open to readers", stage, "The release was not written.");
    /* rename(2) replaces an empty folder and refuses any other: a race with another writer ends in an error, not in a mixture. */
    if (!st && rename(stage, at.dir) != 0) st = os_error(ctx, "Cannot put the release at", at.dir, "Choose a new, empty folder.");
    if (!st) {
        stage = NULL;
        sync_parent(ctx, at.parent);
    }
out:
    if (stage) remove_stage(&arena, stage, files, count);
    su_microdata_free(microdata);
    su_arena_free(&arena);
    return st;
}
