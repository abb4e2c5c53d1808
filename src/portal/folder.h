/* folder: a bundle's files, read into memory and checked against SHA256SUMS. Only what the sums list exists for the portal. */
#ifndef SU_PORTAL_FOLDER_H
#define SU_PORTAL_FOLDER_H

#include <suha/base.h>

#define SU_FOLDER_MAX_FILES 2000u
#define SU_FOLDER_MAX_FILE (512ull << 20)
#define SU_FOLDER_MAX_TOTAL (1ull << 30)

typedef struct su_folder_file {
    const char *path;
    su_buf bytes;
    char sha256[65];
} su_folder_file;
typedef struct su_folder {
    su_arena arena;
    const char *dir;
    su_folder_file *files;
    size_t count;
    su_buf sums;
} su_folder;

/* Errors: SU_INPUT a folder that is no bundle, a sum that does not match, a path that leads outside; SU_IO unreadable. */
su_status su_folder_read(su_context *ctx, const char *dir, su_folder *out) SU_MUST_CHECK;
void su_folder_free(su_folder *f);
const su_folder_file *su_folder_find(const su_folder *f, const char *path);
/* By the end of its name; application/octet-stream when that says nothing. */
const char *su_folder_media_type(const char *path);
/* What a file of every bundle is for: an English message of web/po; NULL for the others. */
const char *su_folder_purpose(const char *path);
/* Relative, of [A-Za-z0-9._-] parts between single slashes, no part beginning with a dot. */
bool su_folder_path_ok(su_str path);

#endif
