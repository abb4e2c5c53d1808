#include "seal.h"

#include <sodium.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <errno.h>

_Static_assert(SU_KEY == crypto_aead_xchacha20poly1305_ietf_KEYBYTES && SU_NONCE == crypto_aead_xchacha20poly1305_ietf_NPUBBYTES &&
                   SU_TAG == crypto_aead_xchacha20poly1305_ietf_ABYTES && SU_KEY == crypto_kdf_KEYBYTES &&
                   SU_SALT == crypto_pwhash_SALTBYTES && SU_HASH == crypto_hash_sha256_BYTES && SU_BLIND >= crypto_generichash_BYTES_MIN,
               "libsodium's sizes");

static const uint8_t magic[8] = { 'S', 'U', 'H', 'A', 'V', 'L', 'T', 1 };
enum {
    H_FORMAT = 8,
    H_ID = 12,
    H_CREATED = 28,
    H_ALG = 36,
    H_OPS = 40,
    H_MEM = 48,
    H_SALT = 56,
    H_SEALED = 72,
    H_SUM = SU_HEADER - SU_HASH
};
_Static_assert(H_SEALED + SU_NONCE + SU_KEY + SU_TAG == H_SUM, "header layout");

/* A damaged or planted header must not make us ask for more memory or time than libsodium's strongest profile. */
enum { OPS_MAX = 16 };
#define MEM_MAX ((uint64_t)1 << 30)

su_status su_seal_ready(su_context *ctx)
{
    return sodium_init() >= 0 ? SU_OK
                              : su_fail(ctx, SU_INTERNAL,
                                        "libsodium cannot start: the system gives no random numbers. Nothing can "
                                        "be sealed.");
}

void *su_secret_alloc(size_t n)
{
    void *p = sodium_malloc(n);
    if (!p) su_out_of_memory(n);
    memset(p, 0, n);
    return p;
}

void su_secret_free(void *p) { sodium_free(p); }

void su_seal(const uint8_t key[SU_KEY], const void *ad, size_t ad_n, const uint8_t *plain, size_t n, uint8_t *sealed)
{
    randombytes_buf(sealed, SU_NONCE);
    crypto_aead_xchacha20poly1305_ietf_encrypt(sealed + SU_NONCE, NULL, plain, n, ad, ad_n, NULL, sealed, key);
}

bool su_unseal(const uint8_t key[SU_KEY], const void *ad, size_t ad_n, const uint8_t *sealed, size_t sealed_n, uint8_t *plain)
{
    if (sealed_n < SU_SEAL_OVERHEAD) return false;
    return crypto_aead_xchacha20poly1305_ietf_decrypt(plain, NULL, NULL, sealed + SU_NONCE, sealed_n - SU_NONCE, ad, ad_n, sealed, key) ==
           0;
}

void su_mac(const uint8_t key[SU_KEY], const void *p, size_t n, uint8_t out[SU_HASH])
{
    crypto_generichash(out, SU_HASH, p, n, key, SU_KEY);
}
bool su_mac_equal(const uint8_t a[SU_HASH], const uint8_t b[SU_HASH]) { return sodium_memcmp(a, b, SU_HASH) == 0; }

void su_blind(const uint8_t key[SU_KEY], su_str record, uint8_t out[SU_BLIND])
{
    crypto_generichash(out, SU_BLIND, (const uint8_t *)record.p, record.n, key, SU_KEY);
}

/* ---- canonical bytes ---- */

void su_canon_u64(su_buf *b, uint64_t v)
{
    uint8_t bytes[8];
    su_put_u64(bytes, v);
    su_buf_add(b, bytes, sizeof bytes);
}

void su_canon_bytes(su_buf *b, const void *p, size_t n)
{
    su_canon_u64(b, n);
    if (n) su_buf_add(b, p, n);
}

void su_canon_text(su_buf *b, const char *text) { su_canon_bytes(b, text ? text : "", text ? strlen(text) : 0); }

void su_canon_begin(su_buf *b, const char *purpose, const uint8_t id[SU_VAULT_ID])
{
    b->n = 0;
    su_canon_text(b, purpose);
    su_canon_bytes(b, id, SU_VAULT_ID);
}

/* ---- keys ---- */

void su_keyring_derive(su_keyring *keys)
{
    static const char purpose[crypto_kdf_CONTEXTBYTES] = { 'S', 'U', 'v', 'a', 'u', 'l', 't', '1' };
    uint8_t *const out[] = { keys->wrap, keys->audit, keys->head, keys->batch, keys->ledger, keys->shuffle };
    for (size_t i = 0; i < sizeof out / sizeof *out; i++) crypto_kdf_derive_from_key(out[i], SU_KEY, i + 1, purpose, keys->master);
}

void su_org_keys_derive(const uint8_t org_key[SU_KEY], su_org_keys *keys)
{
    static const char purpose[crypto_kdf_CONTEXTBYTES] = { 'S', 'U', 'o', 'r', 'g', 'k', 'y', '1' };
    crypto_kdf_derive_from_key(keys->seal, SU_KEY, 1, purpose, org_key);
    crypto_kdf_derive_from_key(keys->blind, SU_KEY, 2, purpose, org_key);
}

su_status su_passphrase_check(su_context *ctx, su_passphrase pass)
{
    size_t characters = 0;
    for (size_t i = 0; i < pass.n; i++) characters += ((uint8_t)pass.p[i] & 0xC0) != 0x80;
    if (characters == 0)
        return su_fail(ctx, SU_USAGE, "The passphrase is empty. Choose one of at least %d characters; four or five random words are good.",
                       SU_PASSPHRASE_MIN);
    if (characters < SU_PASSPHRASE_MIN)
        return su_fail(ctx, SU_USAGE, "The passphrase has %zu characters; at least %d are needed. Four or five random words are good.",
                       characters, SU_PASSPHRASE_MIN);
    if (pass.n > SU_PASSPHRASE_MAX)
        return su_fail(ctx, SU_USAGE, "The passphrase is longer than %d bytes. Choose a shorter one.", SU_PASSPHRASE_MAX);
    return SU_OK;
}

static su_status stretch(su_context *ctx, su_passphrase pass, const uint8_t *header, uint8_t kek[SU_KEY])
{
    uint64_t ops = su_get_u64(header + H_OPS), mem = su_get_u64(header + H_MEM);
    if (crypto_pwhash(kek, SU_KEY, pass.p, pass.n, header + H_SALT, ops, (size_t)mem, (int)su_get_u32(header + H_ALG)) != 0)
        return su_fail(ctx, SU_IO,
                       "Checking the passphrase needs %llu MiB of memory, which the system does not give. Close other programs "
                       "and try again.",
                       (unsigned long long)(mem >> 20));
    return SU_OK;
}

su_status su_header_make(su_context *ctx, su_passphrase pass, su_vault_cost cost, const uint8_t id[SU_VAULT_ID], int64_t created,
                         const uint8_t master[SU_KEY], uint8_t header[SU_HEADER])
{
    static const struct {
        uint64_t ops, mem;
    } costs[] = {
        [SU_VAULT_COST_MODERATE] = { crypto_pwhash_OPSLIMIT_MODERATE, crypto_pwhash_MEMLIMIT_MODERATE },
        [SU_VAULT_COST_INTERACTIVE] = { crypto_pwhash_OPSLIMIT_INTERACTIVE, crypto_pwhash_MEMLIMIT_INTERACTIVE },
        [SU_VAULT_COST_TEST] = { crypto_pwhash_OPSLIMIT_MIN, crypto_pwhash_MEMLIMIT_MIN },
    };
    if ((unsigned)cost >= sizeof costs / sizeof *costs) return su_fail(ctx, SU_USAGE, "unknown passphrase cost %d", (int)cost);
    uint8_t *kek = su_secret_alloc(SU_KEY);
    memcpy(header, magic, sizeof magic);
    su_put_u32(header + H_FORMAT, 1);
    memcpy(header + H_ID, id, SU_VAULT_ID);
    su_put_u64(header + H_CREATED, (uint64_t)created);
    su_put_u32(header + H_ALG, crypto_pwhash_ALG_ARGON2ID13);
    su_put_u64(header + H_OPS, costs[cost].ops);
    su_put_u64(header + H_MEM, costs[cost].mem);
    randombytes_buf(header + H_SALT, SU_SALT);
    su_status s = stretch(ctx, pass, header, kek);
    if (s == SU_OK) {
        su_seal(kek, header, H_SEALED, master, SU_KEY, header + H_SEALED); /* all that stands before it is associated data */
        crypto_hash_sha256(header + H_SUM, header, H_SUM);
    }
    su_secret_free(kek);
    return s;
}

su_status su_header_check(su_context *ctx, const char *file, const uint8_t *header, size_t n, uint8_t id[SU_VAULT_ID], int64_t *created)
{
    uint8_t sum[SU_HASH];
    if (n >= H_ID && memcmp(header, magic, sizeof magic) == 0 && su_get_u32(header + H_FORMAT) > 1)
        return su_fail(ctx, SU_INPUT, "%s: its key header has format %u, made by a newer Suha: install that version.", file,
                       su_get_u32(header + H_FORMAT));
    bool whole = n == SU_HEADER && memcmp(header, magic, sizeof magic) == 0;
    if (whole) {
        crypto_hash_sha256(sum, header, H_SUM);
        whole = memcmp(sum, header + H_SUM, SU_HASH) == 0 && su_get_u32(header + H_FORMAT) == 1 &&
                su_get_u32(header + H_ALG) == crypto_pwhash_ALG_ARGON2ID13;
    }
    uint64_t ops = whole ? su_get_u64(header + H_OPS) : 0, mem = whole ? su_get_u64(header + H_MEM) : 0;
    if (!whole || ops < crypto_pwhash_OPSLIMIT_MIN || ops > OPS_MAX || mem < crypto_pwhash_MEMLIMIT_MIN || mem > MEM_MAX)
        return su_fail(ctx, SU_CRYPTO,
                       "%s: the key header is damaged (this is not about the passphrase). Nothing was changed. Restore a "
                       "backup.",
                       file);
    if (id) memcpy(id, header + H_ID, SU_VAULT_ID);
    if (created) *created = (int64_t)su_get_u64(header + H_CREATED);
    return SU_OK;
}

su_status su_header_open(su_context *ctx, const char *file, const uint8_t *header, size_t n, su_passphrase pass, su_keyring *keys)
{
    su_status s = su_header_check(ctx, file, header, n, NULL, NULL);
    if (s != SU_OK) return s;
    if (pass.n == 0) return su_fail(ctx, SU_USAGE, "The passphrase is empty. Give the passphrase of %s.", file);
    if (pass.n > SU_PASSPHRASE_MAX) return su_fail(ctx, SU_USAGE, "The passphrase is longer than %d bytes.", SU_PASSPHRASE_MAX);
    uint8_t *kek = su_secret_alloc(SU_KEY);
    if ((s = stretch(ctx, pass, header, kek)) != SU_OK) goto out;
    if (!su_unseal(kek, header, H_SEALED, header + H_SEALED, SU_NONCE + SU_KEY + SU_TAG, keys->master)) {
        s = su_fail(ctx, SU_CRYPTO,
                    "%s: the passphrase is wrong. Check Caps Lock and the keyboard layout and try again. Nobody can "
                    "recover a lost passphrase.",
                    file);
        goto out;
    }
    su_keyring_derive(keys);
    if (su_get_u64(header + H_MEM) < crypto_pwhash_MEMLIMIT_INTERACTIVE)
        su_log(ctx, "%s: this vault's passphrase protection is the one for tests: do not keep real records in it.", file);
out:
    su_secret_free(kek);
    return s;
}

su_status su_process_harden(su_context *ctx)
{
    struct rlimit none = { 0, 0 };
    if (setrlimit(RLIMIT_CORE, &none) != 0) return su_fail(ctx, SU_IO, "cannot turn off core dumps: %s", strerror(errno));
        /* The leak checker of a sanitizer build attaches to its own process, as a debugger does. */
#ifndef __SANITIZE_ADDRESS__
    if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) return su_fail(ctx, SU_IO, "cannot shut out debuggers: %s", strerror(errno));
#endif
    return SU_OK;
}
