/* base: text, arena, dictionary, buffers, JSON writer, files, random, hash, errors, progress, worker pool.
 *
 * No domain word belongs here. Conventions of the whole library (docs/conventions.md):
 *   arguments   context, self, inputs, options, outputs last; a length follows its array
 *   results     su_status; the reason in words is in the context (what, where, what to do next)
 *   ownership   borrows | copies | takes | returns owned; everything from an arena lives as long as the arena
 *   memory      exhaustion ends the process with a message (su_out_of_memory); inputs are bounded before they are read
 */
#ifndef SUHA_BASE_H
#define SUHA_BASE_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SU_VERSION "0.1.0"
#define SU_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#define SU_MUST_CHECK __attribute__((warn_unused_result))

/* ---- status and context --------------------------------------------------------------------------------------- */

typedef enum su_status {
    SU_OK = 0,
    SU_USAGE,     /* the caller asked for something that has no meaning (exit 2) */
    SU_REFUSED,   /* understood, and refused: budget, overwrite, guarantee (exit 1) */
    SU_INPUT,     /* a file's content is wrong; the message names file, line, column, value (exit 1) */
    SU_IO,        /* the operating system said no */
    SU_CRYPTO,    /* wrong passphrase, damaged or foreign sealed data */
    SU_CANCELLED, /* the user interrupted */
    SU_INTERNAL   /* a bug of ours: report it */
} su_status;

typedef struct su_context su_context;
struct su_context {
    su_status status;                                            /* last failure, SU_OK if none */
    char message[2048];                                          /* its reason, UTF-8, one or more lines */
    void (*log)(void *user, const char *line);                   /* notes for a person; NULL = silent. Never cell values of identifiers */
    void (*progress)(void *user, const char *step, double done); /* done in [0,1]; NULL = none */
    void *user;
    const volatile int *cancel; /* non-zero asks long work to stop with SU_CANCELLED; may be NULL */
    unsigned threads;           /* worker threads for parallel work; 0 = one per core */
};

void su_context_init(su_context *ctx);
/* ctx may be NULL in all of these: then nobody listens. Messages that do not fit are cut after a whole character.
 * Records the failure and returns `status`, so that `return su_fail(ctx, SU_INPUT, "...")` reads well. */
su_status su_fail(su_context *ctx, su_status status, const char *fmt, ...) SU_PRINTF(3, 4);
/* Puts text before the message already there: "import of hotline.xlsx: " ... Returns ctx->status. */
su_status su_fail_prefix(su_context *ctx, const char *fmt, ...) SU_PRINTF(2, 3);
void su_log(su_context *ctx, const char *fmt, ...) SU_PRINTF(2, 3);
void su_progress(su_context *ctx, const char *step, double done);
bool su_cancelled(const su_context *ctx);

/* ---- memory --------------------------------------------------------------------------------------------------- */

_Noreturn void su_out_of_memory(size_t asked);
void *su_alloc(size_t bytes);                    /* zeroed; never NULL */
void *su_alloc_array(size_t count, size_t size); /* zeroed, overflow-checked */
/* Room for `need` elements: doubles, new tail not zeroed, never NULL. Moves with realloc, so not for secrets
 * (su_buf wipes what it leaves). */
void *su_grow(void *old, size_t *capacity, size_t need, size_t size);
char *su_strdup(const char *s);
void su_wipe(void *p, size_t n); /* never optimised away */
void su_memory_return(void);     /* gives what was freed back to the system, as far as the allocator can */

typedef struct su_arena_block su_arena_block;
typedef struct su_arena {
    su_arena_block *head;
    size_t used_total;
} su_arena;
void su_arena_init(su_arena *a);
void su_arena_free(su_arena *a);                 /* wipes, then frees everything allocated from it */
void *su_arena_alloc(su_arena *a, size_t bytes); /* zeroed, 16-byte aligned */
void *su_arena_array(su_arena *a, size_t count, size_t size);
char *su_arena_strndup(su_arena *a, const char *p, size_t n); /* NUL-terminated copy */
char *su_arena_printf(su_arena *a, const char *fmt, ...) SU_PRINTF(2, 3);

/* ---- text ----------------------------------------------------------------------------------------------------- */

typedef struct su_str {
    const char *p;
    size_t n;
} su_str; /* borrowed bytes, no NUL promised */
#define SU_STR(literal) ((su_str) { (literal), sizeof(literal) - 1 })
su_str su_str_of(const char *c_string); /* NULL gives the empty string */
bool su_str_equal(su_str a, su_str b);
su_str su_str_trim(su_str s); /* ASCII blanks, U+00A0, U+FEFF at both ends */

typedef struct su_buf {
    char *p;
    size_t n, capacity;
} su_buf;                    /* growing bytes; p is NUL-terminated once non-empty */
void su_buf_free(su_buf *b); /* wipes, then frees; the buffer can be used again */
void su_buf_add(su_buf *b, const void *p, size_t n);
void su_buf_text(su_buf *b, const char *c_string);
void su_buf_char(su_buf *b, char c);
void su_buf_printf(su_buf *b, const char *fmt, ...) SU_PRINTF(2, 3);
void su_buf_csv(su_buf *b, su_str cell, char delimiter); /* one RFC 4180 cell, quoted when needed */
/* As su_buf_csv, but a cell that a spreadsheet would run as a formula (= + - @ tab CR first; numbers excepted) gets a leading '
 * (CWE-1236). For files people open in a spreadsheet and whose cells came from outside. */
void su_buf_csv_safe(su_buf *b, su_str cell, char delimiter);
/* text with a backslash before each of `special` and before \; tab, line feed and carriage return become \t, \n, \r. */
void su_buf_escape(su_buf *b, const char *text, const char *special);
void su_buf_html(su_buf *b, su_str text); /* escapes & < > " ' */

/* Strict: no overlong forms, no surrogates, nothing above U+10FFFF. bad_offset (may be NULL) is set when the answer is false. */
bool su_utf8_valid(const char *p, size_t n, size_t *bad_offset);
/* Folding for comparison: NFKC + case folding without the characters that have no appearance (soft hyphen, direction marks, zero-width
 * blanks, BOM: Unicode NFKC_Casefold), dash runs (category Pd and U+2212) to one '-', blank runs to one ' ', trimmed, blanks beside '-'
 * removed. Folding twice changes nothing. NUL-terminated, owned by arena. Invalid UTF-8 is copied byte by byte. O(bytes). */
su_str su_text_fold(su_arena *a, su_str s);
/* Strict numbers: the whole trimmed string must be the number. */
bool su_parse_i64(su_str s, int64_t *out);
bool su_parse_f64(su_str s, double *out); /* finite only; '.' decimal point, locale-independent */
/* min(cap, Damerau-Levenshtein distance) between characters, for "did you mean": insert, delete, replace, swap of neighbours (optimal
 * string alignment: no edit inside a swapped pair). O(characters of a * characters of b). */
size_t su_text_distance(su_str a, su_str b, size_t cap);

/* ---- dictionary: distinct strings to dense ids 0..n-1 in order of first appearance ----------------------------- */

typedef struct su_dict su_dict;
su_dict *su_dict_new(void);
void su_dict_free(su_dict *d);              /* wipes the strings */
uint32_t su_dict_add(su_dict *d, su_str s); /* copies; returns the id, old or new */
bool su_dict_find(const su_dict *d, su_str s, uint32_t *id);
su_str su_dict_get(const su_dict *d, uint32_t id); /* borrows; also NUL-terminated */
uint32_t su_dict_count(const su_dict *d);

/* ---- hash ----------------------------------------------------------------------------------------------------- */

uint64_t su_hash64(const void *p, size_t n); /* internal tables only, never a fingerprint */
typedef struct su_sha256 {
    uint8_t bytes[32];
} su_sha256;
su_sha256 su_sha256_of(const void *p, size_t n);
/* The same piece by piece. */
typedef struct su_sha256_run {
    uint64_t state[13];
} su_sha256_run;
void su_sha256_begin(su_sha256_run *run);
void su_sha256_add(su_sha256_run *run, const void *p, size_t n);
su_sha256 su_sha256_end(su_sha256_run *run);
void su_hex(const uint8_t *p, size_t n, char *out); /* 2n characters and a NUL */

/* ---- random ---------------------------------------------------------------------------------------------------- */

/* A stream of random bytes. The system source is ChaCha20 keyed by getrandom(2); a seeded source exists for tests and generators,
 * and every user of one must mark what it makes NOT PRIVATE (su_random_is_private tells). Streams of different `stream` numbers
 * from one source are independent, so work may be split over threads without changing a byte. A split derives the child's key from the
 * parent's key and stream (keyed BLAKE2b); it does not depend on what the parent has drawn, so each number is for one use only. */
typedef struct su_random {
    uint8_t key[32];
    uint64_t stream;
    uint64_t counter;
    uint8_t block[1024];
    uint32_t at;
    bool private_;
} su_random;
su_status su_random_system(su_context *ctx, su_random *r) SU_MUST_CHECK;
void su_random_seeded(su_random *r, uint64_t seed);
void su_random_split(const su_random *parent, uint64_t stream, su_random *child); /* child may be the parent */
bool su_random_is_private(const su_random *r);
void su_random_bytes(su_random *r, void *out, size_t n);
uint64_t su_random_u64(su_random *r);
uint64_t su_random_below(su_random *r, uint64_t n); /* uniform in [0,n), exact (rejection); n >= 1 */
void su_random_wipe(su_random *r);

/* ---- files ------------------------------------------------------------------------------------------------------ */

/* Replaces what `out` holds by the whole file; SU_INPUT above limit bytes, SU_IO otherwise; on failure out is empty. */
su_status su_file_read(su_context *ctx, const char *path, uint64_t limit, su_buf *out) SU_MUST_CHECK;
/* Writes to a temporary beside `path`, fsyncs, renames, fsyncs the folder: the file is there whole or not at all; a symbolic link is
 * replaced, not followed. mode e.g. 0644, less the umask. For public data only. */
su_status su_file_write(su_context *ctx, const char *path, const void *p, size_t n, unsigned mode) SU_MUST_CHECK;
bool su_path_exists(const char *path);
char *su_path_join(su_arena *a, const char *dir, const char *name);
const char *su_path_base(const char *path);

/* ---- JSON writer (streaming; commas and indentation are its business). Reading: jansson. --------------------------- */

/* compact: set it after su_json_init for output without blanks and line ends. Otherwise two blanks per level and a newline at the end.
 * Writing out of order (a value without its key, an end too many) is a bug and stops the process. At most 63 levels. */
typedef struct su_json {
    su_buf *out;
    int depth;
    bool first[64], array[64];
    bool after_key, compact;
} su_json;
void su_json_init(su_json *j, su_buf *out);
void su_json_object(su_json *j);
void su_json_array(su_json *j);
void su_json_end(su_json *j); /* closes the innermost object or array */
void su_json_key(su_json *j, const char *key);
void su_json_text(su_json *j, const char *value); /* NULL writes null; invalid UTF-8 becomes U+FFFD */
void su_json_str(su_json *j, su_str value);
void su_json_int(su_json *j, int64_t value);
void su_json_real(su_json *j, double value); /* shortest form that reads back; NaN and infinities write null */
void su_json_bool(su_json *j, bool value);
void su_json_null(su_json *j);
/* key and value in one call */
void su_json_kv_text(su_json *j, const char *key, const char *value);
void su_json_kv_int(su_json *j, const char *key, int64_t value);
void su_json_kv_real(su_json *j, const char *key, double value);
void su_json_kv_bool(su_json *j, const char *key, bool value);

/* ---- time -------------------------------------------------------------------------------------------------------- */

int64_t su_clock_unix(void);                           /* seconds; honours SOURCE_DATE_EPOCH for reproducible output */
void su_clock_iso(int64_t unix_seconds, char out[21]); /* 2026-11-21T19:27:00Z */
double su_clock_cpu(void);                             /* CPU seconds of this process */

/* ---- parallel work ------------------------------------------------------------------------------------------------ */

/* Runs task(arg, i, worker) for i in [0,n) on ctx->threads workers; the calling thread is worker 0. Tasks must write to places of their
 * own, so that the result does not depend on the number of workers. All n tasks run, also after ctx->cancel: long tasks ask su_cancelled
 * themselves and the caller asks once more before it uses the result. Tasks call neither su_fail nor su_log on the shared context.
 * Threads are made for the call (some 50 microseconds each): hand out tasks that are worth it. May be nested. */
void su_parallel(su_context *ctx, size_t n, void (*task)(void *arg, size_t i, unsigned worker), void *arg);
unsigned su_parallel_workers(const su_context *ctx); /* how many `worker` numbers may occur */

/* A crew: threads that stay, for many short loops (some microseconds of work per item) where su_parallel would spend its time on making
 * threads. Between loops they wait awake for some microseconds, then asleep. An item is taken by whoever is free, so a thread that the
 * system does not run holds up nobody; the caller works too. Not for use by two threads at once, nor nested. */
typedef struct su_crew su_crew;
su_crew *su_crew_start(su_context *ctx, unsigned most); /* at most `most` and ctx->threads workers, the caller counted */
unsigned su_crew_size(const su_crew *crew);             /* workers, the caller (worker 0) counted */
/* Runs item(arg, i, worker) for i in [0,n) and returns when all are done. n below 2^20. */
void su_crew_do(su_crew *crew, size_t n, void (*item)(void *arg, size_t i, unsigned worker), void *arg);
void su_crew_end(su_crew *crew); /* NULL is fine */

#ifdef __cplusplus
}
#endif
#endif
