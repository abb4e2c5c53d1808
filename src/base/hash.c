/* Hashes: a fast one for tables inside the process, SHA-256 for everything that leaves it. */
#include <suha/base.h>

#include "hash.h"

#include <sodium.h>
#include <sys/auxv.h>
#include <sys/random.h>

uint64_t su_hash_secret[2];

__attribute__((constructor)) static void draw_secret(void)
{
    ssize_t got = getrandom(su_hash_secret, sizeof su_hash_secret, 0);
    if (got != (ssize_t)sizeof su_hash_secret) {
        const void *from_kernel = (const void *)getauxval(AT_RANDOM); /* 16 random bytes of every process */
        if (from_kernel) memcpy(su_hash_secret, from_kernel, sizeof su_hash_secret);
    }
    su_hash_secret[1] |= 1;
}

uint64_t su_hash64(const void *p, size_t n) { return hash_bytes(p, n); }

su_sha256 su_sha256_of(const void *p, size_t n)
{
    _Static_assert(sizeof((su_sha256 *)0)->bytes == crypto_hash_sha256_BYTES, "SHA-256 has 32 bytes");
    su_sha256 digest;
    crypto_hash_sha256(digest.bytes, p, n);
    return digest;
}

_Static_assert(sizeof(crypto_hash_sha256_state) <= sizeof(su_sha256_run), "room for the library's state");
static crypto_hash_sha256_state *state_of(su_sha256_run *run) { return (crypto_hash_sha256_state *)(void *)run->state; }

void su_sha256_begin(su_sha256_run *run) { crypto_hash_sha256_init(state_of(run)); }
void su_sha256_add(su_sha256_run *run, const void *p, size_t n) { crypto_hash_sha256_update(state_of(run), p, n); }

su_sha256 su_sha256_end(su_sha256_run *run)
{
    su_sha256 digest;
    crypto_hash_sha256_final(state_of(run), digest.bytes);
    return digest;
}

void su_hex(const uint8_t *p, size_t n, char *out)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < n; i++) {
        out[2 * i] = digits[p[i] >> 4];
        out[2 * i + 1] = digits[p[i] & 15];
    }
    out[2 * n] = '\0';
}
