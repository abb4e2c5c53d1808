#include "blob.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#define GZIP_LEAST 600u /* below, the packet is as small anyway */
#define GZIP_LEVEL 5

struct su_blob {
    atomic_uint references;
    su_buf own, own_gzip;
    su_str bytes, gzip;
    const char *media_type;
    char etag[40], *download;
    bool compressed;
    pthread_mutex_t lock;
};

static void make_tag(su_blob *b)
{
    char hex[65];
    su_sha256 hash = su_sha256_of(b->bytes.n ? b->bytes.p : "", b->bytes.n);
    su_hex(hash.bytes, 32, hex);
    snprintf(b->etag, sizeof b->etag, "\"%.32s\"", hex);
}

static su_blob *new_blob(const char *media_type)
{
    su_blob *b = su_alloc(sizeof *b);
    atomic_init(&b->references, 1);
    b->media_type = media_type;
    pthread_mutex_init(&b->lock, NULL);
    return b;
}

/* A growing buffer has up to twice the room it needs: what is kept gets just its own. */
su_blob *su_blob_take(su_buf *bytes, const char *media_type)
{
    su_blob *b = new_blob(media_type);
    b->own = (su_buf) { .p = su_alloc(bytes->n + 1), .n = bytes->n, .capacity = bytes->n + 1 };
    if (bytes->n) memcpy(b->own.p, bytes->p, bytes->n);
    su_buf_free(bytes);
    b->bytes = (su_str) { b->own.p, b->own.n };
    make_tag(b);
    return b;
}

su_blob *su_blob_borrow(su_str bytes, su_str gzip, const char *media_type, const char *etag)
{
    su_blob *b = new_blob(media_type);
    b->bytes = (su_str) { bytes.n ? bytes.p : "", bytes.n };
    b->gzip = gzip;
    b->compressed = gzip.n > 0;
    if (etag)
        snprintf(b->etag, sizeof b->etag, "%s", etag);
    else
        make_tag(b);
    return b;
}

su_blob *su_blob_retain(su_blob *b)
{
    atomic_fetch_add_explicit(&b->references, 1, memory_order_relaxed);
    return b;
}

void su_blob_release(su_blob *b)
{
    if (!b || atomic_fetch_sub_explicit(&b->references, 1, memory_order_acq_rel) != 1) return;
    pthread_mutex_destroy(&b->lock);
    su_buf_free(&b->own);
    su_buf_free(&b->own_gzip);
    free(b->download);
    free(b);
}

void su_blob_set_download(su_blob *b, const char *name)
{
    free(b->download);
    b->download = su_strdup(name);
}

const char *su_blob_download(const su_blob *b) { return b->download; }
su_str su_blob_bytes(const su_blob *b) { return b->bytes; }
const char *su_blob_media_type(const su_blob *b) { return b->media_type; }
const char *su_blob_etag(const su_blob *b) { return b->etag; }

static bool is_text(const char *media_type)
{
    return strncmp(media_type, "text/", 5) == 0 || strstr(media_type, "json") || strstr(media_type, "javascript") ||
           strstr(media_type, "svg");
}

/* windowBits 15 + 16: a gzip header without a time, so that the same bytes give the same bytes. */
static void compress_bytes(su_str from, su_buf *to)
{
    z_stream z = { .next_in = (Bytef *)(uintptr_t)from.p, .avail_in = (uInt)from.n };
    if (deflateInit2(&z, GZIP_LEVEL, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK) return;
    size_t room = deflateBound(&z, (uLong)from.n);
    Bytef *out = su_alloc(room);
    z.next_out = out;
    z.avail_out = (uInt)room;
    if (deflate(&z, Z_FINISH) == Z_STREAM_END && z.total_out < from.n) su_buf_add(to, out, z.total_out);
    deflateEnd(&z);
    free(out);
}

su_str su_blob_gzip(su_blob *b)
{
    pthread_mutex_lock(&b->lock);
    if (!b->compressed) {
        b->compressed = true;
        if (b->bytes.n >= GZIP_LEAST && b->bytes.n < UINT32_MAX / 2 && is_text(b->media_type)) compress_bytes(b->bytes, &b->own_gzip);
        b->gzip = (su_str) { b->own_gzip.p, b->own_gzip.n };
    }
    su_str gzip = b->gzip;
    pthread_mutex_unlock(&b->lock);
    return gzip;
}

/* ---- cache: a hash of chains, and a list from the newest use to the oldest ---- */

typedef struct entry entry;
struct entry {
    entry *chain, *newer, *older;
    su_blob *blob;
    uint64_t hash;
    size_t charge, key_n;
    char key[];
};

struct su_cache {
    pthread_mutex_t lock;
    entry **slots;
    size_t slot_count, count, bytes, most;
    entry *newest, *oldest;
};

#define SLOTS 16384u
#define OVERHEAD 256u

su_cache *su_cache_new(size_t most_bytes)
{
    su_cache *c = su_alloc(sizeof *c);
    pthread_mutex_init(&c->lock, NULL);
    c->slot_count = SLOTS;
    c->slots = su_alloc_array(c->slot_count, sizeof(entry *));
    c->most = most_bytes;
    return c;
}

static void unlink_use(su_cache *c, entry *e)
{
    *(e->newer ? &e->newer->older : &c->newest) = e->older;
    *(e->older ? &e->older->newer : &c->oldest) = e->newer;
    e->newer = e->older = NULL;
}

static void push_use(su_cache *c, entry *e)
{
    e->older = c->newest;
    if (c->newest) c->newest->newer = e;
    c->newest = e;
    if (!c->oldest) c->oldest = e;
}

static void drop(su_cache *c, entry *e)
{
    entry **at = &c->slots[e->hash & (c->slot_count - 1)];
    while (*at != e) at = &(*at)->chain;
    *at = e->chain;
    unlink_use(c, e);
    c->bytes -= e->charge;
    c->count--;
    su_blob_release(e->blob);
    free(e);
}

void su_cache_free(su_cache *c)
{
    if (!c) return;
    while (c->oldest) drop(c, c->oldest);
    pthread_mutex_destroy(&c->lock);
    free(c->slots);
    free(c);
}

static entry *find(su_cache *c, su_str key, uint64_t hash)
{
    for (entry *e = c->slots[hash & (c->slot_count - 1)]; e; e = e->chain)
        if (e->hash == hash && e->key_n == key.n && memcmp(e->key, key.p, key.n) == 0) return e;
    return NULL;
}

su_blob *su_cache_get(su_cache *c, su_str key)
{
    su_blob *b = NULL;
    uint64_t hash = su_hash64(key.p, key.n);
    pthread_mutex_lock(&c->lock);
    entry *e = find(c, key, hash);
    if (e) {
        unlink_use(c, e);
        push_use(c, e);
        b = su_blob_retain(e->blob);
    }
    pthread_mutex_unlock(&c->lock);
    return b;
}

/* A blob is charged for its compressed form too, which may come later: half of the body is more than text needs. */
void su_cache_put(su_cache *c, su_str key, su_blob *b)
{
    size_t charge = b->bytes.n + b->bytes.n / 2 + key.n + OVERHEAD;
    uint64_t hash = su_hash64(key.p, key.n);
    if (charge > c->most / 8) return;
    pthread_mutex_lock(&c->lock);
    if (!find(c, key, hash)) {
        while (c->oldest && c->bytes + charge > c->most) drop(c, c->oldest);
        entry *e = su_alloc(sizeof *e + key.n);
        *e = (entry) { .blob = su_blob_retain(b), .hash = hash, .charge = charge, .key_n = key.n };
        memcpy(e->key, key.p, key.n);
        e->chain = c->slots[hash & (c->slot_count - 1)];
        c->slots[hash & (c->slot_count - 1)] = e;
        push_use(c, e);
        c->bytes += charge;
        c->count++;
    }
    pthread_mutex_unlock(&c->lock);
}

size_t su_cache_bytes(su_cache *c)
{
    pthread_mutex_lock(&c->lock);
    size_t n = c->bytes;
    pthread_mutex_unlock(&c->lock);
    return n;
}

size_t su_cache_count(su_cache *c)
{
    pthread_mutex_lock(&c->lock);
    size_t n = c->count;
    pthread_mutex_unlock(&c->lock);
    return n;
}
