/* publish: a release becomes files. Takes const su_release * and nothing that could hold a case.
 *
 * A bundle is a Frictionless Data Package v2 with a protection report, a codebook, the public codelists, terms and checksums;
 * docs/bundle.md has the layout and every rule of its files. The names of all files, all CSV headers and the order of everything are
 * functions of public inputs (schema, options, info), never of the data.
 */
#ifndef SUHA_PUBLISH_H
#define SUHA_PUBLISH_H

#include <suha/protect.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct su_bundle_info {
    const char *name, *title, *version; /* NULL = derived from the schema and the day */
    const char *publisher;              /* NULL = nobody is named */
    int64_t created;                    /* unix seconds */
    double population_epsilon;          /* the ledger's total for this population including this release; 0 = not known */
    double population_delta;
    uint64_t releases_before;
    const char *ledger_note;           /* where the ledger lies, in words; NULL = nothing is said */
    const char *licence, *licence_url; /* terms of the data: SPDX identifier and https address; NULL = CC-BY-4.0 */
} su_bundle_info;

typedef struct su_bundle_file {
    const char *path, *media_type; /* path is relative, of [a-zA-Z0-9._-] and slashes */
    su_str bytes;
} su_bundle_file;

/* The files in memory, in `arena`, in the order of SHA256SUMS (by path) with SHA256SUMS last. Deterministic in (r, info). info may be NULL.
 * Errors: SU_USAGE when the release has no schema, no field that may be released, or a licence that is no SPDX identifier; SU_INPUT when a
 * code-set has codes that hold every separator a cell could use; SU_INTERNAL when a column of the release is not of a releasable field;
 * SU_CANCELLED. Time O(records log records * columns); memory about twice the files. */
su_status su_bundle_make(su_context *ctx, su_arena *arena, const su_release *r, const su_bundle_info *info, su_bundle_file **files,
                         size_t *count) SU_MUST_CHECK;
/* Writes the same files into `dir`: staged beside it, fsynced, renamed: there whole or not at all, and nothing is left behind on failure.
 * Refuses (SU_REFUSED) a dir that exists and is not empty; SU_IO with the operating system's reason for the rest. */
su_status su_bundle_write(su_context *ctx, const su_release *r, const su_bundle_info *info, const char *dir) SU_MUST_CHECK;
/* Checks that `dir` can become a bundle (absent or empty, not a mount point, parent writable and not full) before budget is spent. */
su_status su_bundle_can_write(su_context *ctx, const char *dir) SU_MUST_CHECK;

#ifdef __cplusplus
}
#endif
#endif
