/* Dictionary: open addressing with linear probing; a slot holds 32 bits of hash, so a string is compared only when it is almost
 * certainly the one. Ids and their order depend on the input alone, never on the hash. */
#include <suha/base.h>

#include "hash.h"

#include <stdlib.h>
#include <string.h>

typedef struct slot {
    uint32_t hash, id_plus_1;
} slot;

struct su_dict {
    slot *slots;
    uint32_t mask; /* number of slots - 1 */
    uint32_t count;
    su_str *strings;
    size_t string_capacity;
    char *at; /* free room of the newest chunk */
    size_t room;
    struct chunk *chunks;
};

struct chunk {
    struct chunk *next;
    size_t capacity;
    char bytes[];
};

enum { FIRST_SLOTS = 16, FIRST_CHUNK = 256, LARGEST_CHUNK = 1 << 18 };

su_dict *su_dict_new(void)
{
    su_dict *d = su_alloc(sizeof *d);
    d->mask = FIRST_SLOTS - 1;
    d->slots = su_alloc_array(FIRST_SLOTS, sizeof *d->slots);
    return d;
}

void su_dict_free(su_dict *d)
{
    if (!d) return;
    for (struct chunk *c = d->chunks, *next; c; c = next) {
        next = c->next;
        su_wipe(c->bytes, c->capacity);
        free(c);
    }
    free(d->strings);
    free(d->slots);
    free(d);
}

static const char *keep_string(su_dict *d, su_str s)
{
    size_t need = s.n + 1;
    if (need == 0) su_out_of_memory(SIZE_MAX);
    if (need > d->room) {
        size_t usual = d->chunks ? d->chunks->capacity * 2 : FIRST_CHUNK;
        if (usual > LARGEST_CHUNK) usual = LARGEST_CHUNK;
        size_t capacity = need > usual ? need : usual;
        if (capacity > SIZE_MAX - sizeof(struct chunk)) su_out_of_memory(SIZE_MAX);
        struct chunk *c = su_alloc(sizeof *c + capacity);
        c->capacity = capacity;
        c->next = d->chunks;
        d->chunks = c;
        d->at = c->bytes;
        d->room = capacity;
    }
    char *copy = d->at;
    if (s.n) memcpy(copy, s.p, s.n);
    copy[s.n] = '\0';
    d->at += need;
    d->room -= need;
    return copy;
}

static void enlarge(su_dict *d)
{
    if (d->mask >= UINT32_MAX / 2) su_out_of_memory(SIZE_MAX);
    uint32_t mask = d->mask * 2 + 1;
    slot *slots = su_alloc_array((size_t)mask + 1, sizeof *slots);
    for (uint32_t i = 0; i <= d->mask; i++) {
        if (!d->slots[i].id_plus_1) continue;
        uint32_t at = d->slots[i].hash & mask;
        while (slots[at].id_plus_1) at = (at + 1) & mask;
        slots[at] = d->slots[i];
    }
    free(d->slots);
    d->slots = slots;
    d->mask = mask;
}

/* Slot that holds s, or the empty slot where it belongs. */
static inline uint32_t locate(const su_dict *d, su_str s, uint32_t hash)
{
    uint32_t at = hash & d->mask;
    for (; d->slots[at].id_plus_1; at = (at + 1) & d->mask) {
        if (d->slots[at].hash != hash) continue;
        su_str have = d->strings[d->slots[at].id_plus_1 - 1];
        if (have.n == s.n && (s.n == 0 || memcmp(have.p, s.p, s.n) == 0)) break;
    }
    return at;
}

uint32_t su_dict_add(su_dict *d, su_str s)
{
    uint32_t hash = (uint32_t)hash_bytes(s.p, s.n);
    uint32_t at = locate(d, s, hash);
    if (d->slots[at].id_plus_1) return d->slots[at].id_plus_1 - 1;

    if ((uint64_t)(d->count + 1) * 2 > (uint64_t)d->mask + 1) {
        enlarge(d);
        at = locate(d, s, hash);
    }
    d->strings = su_grow(d->strings, &d->string_capacity, (size_t)d->count + 1, sizeof *d->strings);
    d->strings[d->count] = (su_str) { keep_string(d, s), s.n };
    d->slots[at] = (slot) { hash, ++d->count };
    return d->count - 1;
}

bool su_dict_find(const su_dict *d, su_str s, uint32_t *id)
{
    uint32_t at = locate(d, s, (uint32_t)hash_bytes(s.p, s.n));
    if (!d->slots[at].id_plus_1) return false;
    if (id) *id = d->slots[at].id_plus_1 - 1;
    return true;
}

su_str su_dict_get(const su_dict *d, uint32_t id) { return d->strings[id]; }

uint32_t su_dict_count(const su_dict *d) { return d->count; }
