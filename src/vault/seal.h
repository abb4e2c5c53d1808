/* Keys and sealing. Everything secret is in guarded, locked memory (sodium_malloc) and wiped when it goes.
 *
 *   passphrase --Argon2id--> key-encryption key --unwraps--> master key --BLAKE2b--> one key per purpose (su_keyring)
 *                                                 purpose "wrap" --unwraps--> organisation key --BLAKE2b--> seal key, blind key
 * (su_org_keys)
 *
 * Associated data always begins with a word for its purpose and the vault id: no ciphertext can stand in another place. */
#ifndef SU_VAULT_SEAL_H
#define SU_VAULT_SEAL_H

#include <suha/vault.h>

enum {
    SU_KEY = 32, /* crypto_aead_xchacha20poly1305_ietf_KEYBYTES, crypto_kdf_KEYBYTES */
    SU_NONCE = 24,
    SU_TAG = 16,
    SU_SEAL_OVERHEAD = SU_NONCE + SU_TAG,
    SU_BLIND = 16, /* bytes of a blind index: 128-bit keyed BLAKE2b of a record id */
    SU_VAULT_ID = 16,
    SU_HASH = 32,
    SU_SALT = 16,
    SU_HEADER = 8 + 4 + SU_VAULT_ID + 8 + 4 + 8 + 8 + SU_SALT + SU_NONCE + SU_KEY + SU_TAG + SU_HASH
};

typedef struct su_keyring {
    uint8_t wrap[SU_KEY], audit[SU_KEY], head[SU_KEY], batch[SU_KEY], ledger[SU_KEY], shuffle[SU_KEY], master[SU_KEY];
} su_keyring;
typedef struct su_org_keys {
    uint8_t seal[SU_KEY], blind[SU_KEY];
} su_org_keys;

su_status su_seal_ready(su_context *ctx); /* initialises libsodium; call before anything else here */
void *su_secret_alloc(size_t n);          /* never NULL; release with su_secret_free */
void su_secret_free(void *p);

/* sealed = nonce | ciphertext | tag: n + SU_SEAL_OVERHEAD bytes. The nonce is random (192 bits: no counter to keep). */
void su_seal(const uint8_t key[SU_KEY], const void *ad, size_t ad_n, const uint8_t *plain, size_t n, uint8_t *sealed);
/* plain gets sealed_n - SU_SEAL_OVERHEAD bytes. False: wrong key, other place, or damage. */
bool su_unseal(const uint8_t key[SU_KEY], const void *ad, size_t ad_n, const uint8_t *sealed, size_t sealed_n, uint8_t *plain);
void su_mac(const uint8_t key[SU_KEY], const void *p, size_t n, uint8_t out[SU_HASH]); /* keyed BLAKE2b-256 */
bool su_mac_equal(const uint8_t a[SU_HASH], const uint8_t b[SU_HASH]);                 /* in constant time */
void su_blind(const uint8_t key[SU_KEY], su_str record, uint8_t out[SU_BLIND]);

/* The vault's header: one blob that says how the passphrase opens the master key (docs/rfc/0002-vault.md). */
su_status su_header_make(su_context *ctx, su_passphrase pass, su_vault_cost cost, const uint8_t id[SU_VAULT_ID], int64_t created,
                         const uint8_t master[SU_KEY], uint8_t header[SU_HEADER]);
/* Checks form and checksum without a key; id and created may be NULL. */
su_status su_header_check(su_context *ctx, const char *file, const uint8_t *header, size_t n, uint8_t id[SU_VAULT_ID], int64_t *created);
su_status su_header_open(su_context *ctx, const char *file, const uint8_t *header, size_t n, su_passphrase pass, su_keyring *keys);
su_status su_passphrase_check(su_context *ctx, su_passphrase pass); /* rules for a new one */

void su_keyring_derive(su_keyring *keys); /* from keys->master */
void su_org_keys_derive(const uint8_t org_key[SU_KEY], su_org_keys *keys);

/* Canonical bytes for associated data, hashes and MACs: little-endian numbers, length-prefixed strings. No case data goes in here. */
void su_canon_u64(su_buf *b, uint64_t v);
void su_canon_bytes(su_buf *b, const void *p, size_t n);
void su_canon_text(su_buf *b, const char *text);
void su_canon_begin(su_buf *b, const char *purpose, const uint8_t id[SU_VAULT_ID]);

static inline void su_put_u32(uint8_t *p, uint32_t v)
{
    for (int i = 0; i < 4; i++) p[i] = (uint8_t)(v >> 8 * i);
}
static inline void su_put_u64(uint8_t *p, uint64_t v)
{
    for (int i = 0; i < 8; i++) p[i] = (uint8_t)(v >> 8 * i);
}
static inline uint32_t su_get_u32(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}
static inline uint64_t su_get_u64(const uint8_t *p) { return (uint64_t)su_get_u32(p) | (uint64_t)su_get_u32(p + 4) << 32; }

#endif
