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
    uint64_t releases_unbounded;       /* this and earlier ones made without a differential privacy bound: no total holds */
    const char *ledger_note;           /* where the ledger lies, in words; NULL = nothing is said */
    const char *unit;                  /* what one protected person is called, "victim"; NULL = "person" */
    const char *unit_column;           /* records with one value in this column are one person's; NULL = each record is a person */
    const char *prior_title, *prior_sha256; /* the earlier release that helped: its title, SHA-256 of its report.json; NULL = none */
    double prior_epsilon, prior_delta;
    const char *licence, *licence_url; /* terms of the data: SPDX identifier and https address; NULL = CC-BY-4.0 */
    const char *supersedes;            /* name, or name@version, of the release that this one replaces; NULL = none */
} su_bundle_info;

typedef struct su_bundle_file {
    const char *path, *media_type; /* path is relative, of [a-zA-Z0-9._-] and slashes */
    su_str bytes;
    su_sha256 hash; /* su_bundle_make: of the bytes */
} su_bundle_file;

/* The files in memory, in `arena`, in the order of SHA256SUMS (by path) with SHA256SUMS last. Deterministic in (r, info). info may be NULL.
 * Errors: SU_USAGE when the release has no schema, no field that may be released, or a licence that is no SPDX identifier; SU_INPUT when a
 * code-set has codes that hold every separator a cell could use; SU_INTERNAL when a column of the release is not of a releasable field;
 * SU_CANCELLED. Time O(records log records * columns); memory about twice the files. */
su_status su_bundle_make(su_context *ctx, su_arena *arena, const su_release *r, const su_bundle_info *info, su_bundle_file **files,
                         size_t *count) SU_MUST_CHECK;
/* Writes the same files into `dir`: staged beside it, fsynced, renamed: there whole or not at all, and nothing is left behind on failure.
 * Refuses (SU_REFUSED) a dir that exists and is not empty; SU_IO with the operating system's reason for the rest. The records go to the disk
 * piece by piece: besides the release 8 bytes a record, and the other files. */
su_status su_bundle_write(su_context *ctx, const su_release *r, const su_bundle_info *info, const char *dir) SU_MUST_CHECK;
/* Checks that `dir` can become a bundle (absent or empty, not a mount point, parent writable and not full) before budget is spent. */
su_status su_bundle_can_write(su_context *ctx, const char *dir) SU_MUST_CHECK;

/* ---- a bundle read back ------------------------------------------------------------------------------------------------------------ */

/* What protection/report.json says that is needed to read the rest. Strings live in the arena given. */
typedef struct su_bundle_facts {
    const char *schema;        /* name of the instrument, NULL if it has none */
    const char *schema_sha256; /* 64 hexadecimal digits */
    const char *title;
    uint32_t length;
    uint64_t k; /* 0 = no threshold */
    double epsilon, delta, rho, total, total_low, total_high;
    bool private_noise, domain_from_data;
    su_mechanism mechanism;
    bool several;          /* a person may have several records: unit names what one is called and by which column */
    uint32_t contribution; /* records of a person that were used at most; at least 1 */
    const char *unit;
} su_bundle_facts;

/* Reads the files of `dir` that hold data (datapackage.json, protection/report.json, data/microdata.csv, data/aggregates.csv) and compares
 * them with SHA256SUMS. SU_INPUT: not a bundle, or changed since; SU_IO. At most 1 GiB per file. */
su_status su_bundle_load(su_context *ctx, su_arena *arena, const char *dir, su_bundle_file **files, size_t *count) SU_MUST_CHECK;
su_status su_bundle_facts_of(su_context *ctx, su_arena *arena, const su_bundle_file *files, size_t count,
                             su_bundle_facts *out) SU_MUST_CHECK;
/* The release that the files describe, in the schema it was made with (borrowed; another is SU_INPUT by its fingerprint): columns, records
 * in the file's order, aggregates with their intervals as printed, epsilon, delta, rho, length, k. Tables, gate and what was suppressed stay
 * empty: a release read back is for comparing, not for publishing again. SU_INPUT: file, line, column, value. O(bytes). */
su_status su_bundle_parse(su_context *ctx, const su_bundle_file *files, size_t count, const su_schema *schema,
                          su_release **out) SU_MUST_CHECK;

#ifdef __cplusplus
}
#endif
#endif
