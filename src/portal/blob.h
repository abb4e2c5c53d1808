/* blob: bytes on their way to clients: counted by reference, tagged by content, compressed once when somebody accepts that; and a cache of
 * rendered answers, least recently used out first. */
#ifndef SU_PORTAL_BLOB_H
#define SU_PORTAL_BLOB_H

#include <suha/base.h>

typedef struct su_blob su_blob;

/* Takes the bytes; `bytes` is empty afterwards. media_type borrows a literal. One reference. */
su_blob *su_blob_take(su_buf *bytes, const char *media_type);
/* Borrows bytes that outlive the blob; gzip.n 0: compressed when wanted; etag NULL: made from the bytes. */
su_blob *su_blob_borrow(su_str bytes, su_str gzip, const char *media_type, const char *etag);
su_blob *su_blob_retain(su_blob *b);
void su_blob_release(su_blob *b); /* NULL is fine */
/* The name to save it under; copied. NULL = none. Before others have the blob. */
void su_blob_set_download(su_blob *b, const char *name);
const char *su_blob_download(const su_blob *b);
su_str su_blob_bytes(const su_blob *b);
const char *su_blob_media_type(const su_blob *b);
const char *su_blob_etag(const su_blob *b); /* quoted, strong */
/* The gzip form (RFC 1952); n = 0 where it does not pay. Made at the first call; safe from any thread. */
su_str su_blob_gzip(su_blob *b);

/* ---- cache -------------------------------------------------------------------------------------------------------------------------- */

typedef struct su_cache su_cache;
/* most_bytes: of bodies, compressed forms and keys together. */
su_cache *su_cache_new(size_t most_bytes);
void su_cache_free(su_cache *c);
/* A new reference, or NULL. Thread-safe; O(1). */
su_blob *su_cache_get(su_cache *c, su_str key);
/* Keeps a reference of its own. Bodies above an eighth of the cache are not kept. Thread-safe. */
void su_cache_put(su_cache *c, su_str key, su_blob *b);
size_t su_cache_bytes(su_cache *c);
size_t su_cache_count(su_cache *c);

#endif
