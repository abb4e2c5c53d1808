/* hash: the 64-bit mix that su_hash64 and the dictionary share. */
#ifndef SU_BASE_HASH_H
#define SU_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Drawn once per process before main, so that nobody can prepare a file of colliding strings. */
extern uint64_t su_hash_secret[2];

static inline uint64_t hash_mix(uint64_t a, uint64_t b)
{
    unsigned __int128 product = (unsigned __int128)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static inline uint64_t hash_read8(const unsigned char *p)
{
    uint64_t v;
    memcpy(&v, p, 8);
    return v;
}

static inline uint64_t hash_read4(const unsigned char *p)
{
    uint32_t v;
    memcpy(&v, p, 4);
    return v;
}

/* Folded 64x64 -> 128 bit products over 16-byte pieces, as in wyhash (Wang Yi, public domain). */
static inline uint64_t hash_bytes(const void *bytes, size_t n)
{
    const unsigned char *p = bytes;
    uint64_t seed = su_hash_secret[0], a = 0, b = 0;
    if (n > 16) {
        size_t left = n;
        for (; left > 16; left -= 16, p += 16) seed = hash_mix(hash_read8(p) ^ su_hash_secret[1], hash_read8(p + 8) ^ seed);
        a = hash_read8(p + left - 16);
        b = hash_read8(p + left - 8);
    } else if (n >= 8) {
        a = hash_read8(p);
        b = hash_read8(p + n - 8);
    } else if (n >= 4) {
        a = hash_read4(p);
        b = hash_read4(p + n - 4);
    } else if (n > 0) {
        a = (uint64_t)p[0] << 16 | (uint64_t)p[n / 2] << 8 | p[n - 1];
    }
    return hash_mix(su_hash_secret[1] ^ n, hash_mix(a ^ su_hash_secret[1], b ^ seed));
}

#endif
