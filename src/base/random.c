/* Random streams: ChaCha20 (RFC 8439 core with the original 64-bit nonce and counter) run as a generator. A stream is (key, nonce); a
 * split derives a new key with keyed BLAKE2b, so children of children never meet. */
#include <suha/base.h>

#include <errno.h>
#include <sodium.h>
#include <string.h>
#include <sys/random.h>

static void store_le64(uint8_t out[8], uint64_t v)
{
    for (int i = 0; i < 8; i++) out[i] = (uint8_t)(v >> (8 * i));
}

static void start(su_random *r, uint64_t stream, bool is_private)
{
    r->stream = stream;
    r->counter = 0;
    r->at = sizeof r->block;
    r->private_ = is_private;
}

su_status su_random_system(su_context *ctx, su_random *r)
{
    su_wipe(r, sizeof *r);
    if (sodium_init() < 0) return su_fail(ctx, SU_CRYPTO, "The cryptography library (libsodium) could not start on this machine.");
    size_t have = 0;
    while (have < sizeof r->key) {
        ssize_t got = getrandom(r->key + have, sizeof r->key - have, 0);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) {
            su_wipe(r, sizeof *r);
            return su_fail(ctx, SU_IO, "The operating system gave no random bytes (getrandom: %s). Nothing was protected or written.",
                           strerror(errno));
        }
        have += (size_t)got;
    }
    start(r, 0, true);
    return SU_OK;
}

void su_random_seeded(su_random *r, uint64_t seed)
{
    static const char label[] = "suha seeded random, not private";
    uint8_t message[sizeof label + 8];
    memset(r, 0, sizeof *r);
    int started = sodium_init(); /* chooses the fast code; the bytes are the same without it */
    (void)started;
    memcpy(message, label, sizeof label);
    store_le64(message + sizeof label, seed);
    crypto_generichash(r->key, sizeof r->key, message, sizeof message, NULL, 0);
    start(r, 0, false);
}

void su_random_split(const su_random *parent, uint64_t stream, su_random *child)
{
    static const char label[] = "suha random stream";
    uint8_t message[sizeof label + 16], key[sizeof child->key];
    memcpy(message, label, sizeof label);
    store_le64(message + sizeof label, parent->stream);
    store_le64(message + sizeof label + 8, stream);
    crypto_generichash(key, sizeof key, message, sizeof message, parent->key, sizeof parent->key);
    bool is_private = parent->private_;
    memset(child, 0, sizeof *child);
    memcpy(child->key, key, sizeof key);
    start(child, stream, is_private);
    su_wipe(key, sizeof key);
}

bool su_random_is_private(const su_random *r) { return r->private_; }

static void refill(su_random *r)
{
    uint8_t nonce[8];
    store_le64(nonce, r->stream);
    memset(r->block, 0, sizeof r->block);
    crypto_stream_chacha20_xor_ic(r->block, r->block, sizeof r->block, nonce, r->counter, r->key);
    r->counter += sizeof r->block / 64;
    r->at = 0;
}

void su_random_bytes(su_random *r, void *out, size_t n)
{
    uint8_t *to = out;
    while (n) {
        if (r->at == sizeof r->block) refill(r);
        size_t take = sizeof r->block - r->at;
        if (take > n) take = n;
        memcpy(to, r->block + r->at, take);
        r->at += (uint32_t)take;
        to += take;
        n -= take;
    }
}

uint64_t su_random_u64(su_random *r)
{
    uint64_t v;
    if (sizeof r->block - r->at >= sizeof v) {
        memcpy(&v, r->block + r->at, sizeof v);
        r->at += sizeof v;
    } else {
        su_random_bytes(r, &v, sizeof v);
    }
    return v;
}
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "a seed must mean the same numbers everywhere: swap bytes in su_random_u64");

/* Lemire, "Fast random integer generation in an interval" (doi:10.1145/3230636): exact, one multiplication in nearly all cases. */
uint64_t su_random_below(su_random *r, uint64_t n)
{
    unsigned __int128 product = (unsigned __int128)su_random_u64(r) * n;
    if ((uint64_t)product < n) {
        uint64_t excess = n ? (uint64_t)-n % n : 0; /* 2^64 mod n */
        while ((uint64_t)product < excess) product = (unsigned __int128)su_random_u64(r) * n;
    }
    return (uint64_t)(product >> 64);
}

void su_random_wipe(su_random *r)
{
    if (r) su_wipe(r, sizeof *r);
}
