/* Memory that is never NULL, and arenas. Exhaustion ends the process: inputs are bounded before they are read, so running out is
 * a matter of the machine, and no caller could do better than stop. */
#include <suha/base.h>

#include <stdlib.h>
#include <string.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

_Noreturn void su_out_of_memory(size_t asked)
{
    if (asked == SIZE_MAX)
        fputs("suha: out of memory (a size does not fit this machine). Use a smaller input.\n", stderr);
    else
        fprintf(stderr, "suha: out of memory (asked for %zu more bytes). Close other programs or use a machine with more memory.\n", asked);
    _Exit(70); /* EX_SOFTWARE; no atexit handler may touch half-made state */
}

void *su_alloc(size_t bytes)
{
    void *p = calloc(1, bytes ? bytes : 1);
    if (!p) su_out_of_memory(bytes);
    return p;
}

static size_t product(size_t count, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes)) su_out_of_memory(SIZE_MAX);
    return bytes;
}

void *su_alloc_array(size_t count, size_t size) { return su_alloc(product(count, size)); }

void *su_grow(void *old, size_t *capacity, size_t need, size_t size)
{
    if (need <= *capacity && old) return old;
    size_t wanted = *capacity < 16 ? 16 : *capacity;
    while (wanted < need) {
        if (__builtin_mul_overflow(wanted, (size_t)2, &wanted)) {
            wanted = need;
            break;
        }
    }
    size_t bytes = product(wanted, size);
    void *p = realloc(old, bytes ? bytes : 1);
    if (!p) su_out_of_memory(bytes);
    *capacity = wanted;
    return p;
}

char *su_strdup(const char *s)
{
    size_t n = strlen(s) + 1;
    return memcpy(su_alloc(n), s, n);
}

void su_wipe(void *p, size_t n)
{
    if (p && n) explicit_bzero(p, n);
}

void su_memory_return(void)
{
#ifdef __GLIBC__
    malloc_trim(0);
#endif
}

/* ---- arena ---- */

enum { ALIGN = 16, FIRST_BLOCK = 4096, LARGEST_BLOCK = 1 << 20 };

struct su_arena_block {
    su_arena_block *next;
    size_t capacity, used;
    size_t spare; /* keeps `bytes` 16-byte aligned */
    unsigned char bytes[];
};
_Static_assert(offsetof(su_arena_block, bytes) % ALIGN == 0, "arena memory must be aligned");

void su_arena_init(su_arena *a)
{
    a->head = NULL;
    a->used_total = 0;
}

void su_arena_free(su_arena *a)
{
    if (!a) return;
    for (su_arena_block *b = a->head, *next; b; b = next) {
        next = b->next;
        su_wipe(b->bytes, b->used);
        free(b);
    }
    su_arena_init(a);
}

static void *block_take(su_arena_block *b, size_t bytes)
{
    void *p = b->bytes + b->used;
    b->used += bytes;
    return p;
}

void *su_arena_alloc(su_arena *a, size_t bytes)
{
    if (bytes > SIZE_MAX / 2) su_out_of_memory(SIZE_MAX);
    bytes = bytes ? (bytes + ALIGN - 1) & ~(size_t)(ALIGN - 1) : ALIGN;
    a->used_total += bytes;
    su_arena_block *head = a->head;
    if (head && bytes <= head->capacity - head->used) return block_take(head, bytes);

    size_t usual = head ? head->capacity * 2 : FIRST_BLOCK;
    if (usual > LARGEST_BLOCK) usual = LARGEST_BLOCK;
    bool own = head && bytes > usual / 4; /* a big piece gets a block of its own, the head keeps its room */
    size_t capacity = own || bytes > usual ? bytes : usual;
    su_arena_block *b = su_alloc(sizeof *b + capacity);
    b->capacity = capacity;
    if (own) {
        b->next = head->next;
        head->next = b;
    } else {
        b->next = head;
        a->head = b;
    }
    return block_take(b, bytes);
}

void *su_arena_array(su_arena *a, size_t count, size_t size) { return su_arena_alloc(a, product(count, size)); }

char *su_arena_strndup(su_arena *a, const char *p, size_t n)
{
    if (n == SIZE_MAX) su_out_of_memory(SIZE_MAX);
    char *copy = su_arena_alloc(a, n + 1);
    if (n) memcpy(copy, p, n);
    return copy;
}

char *su_arena_printf(su_arena *a, const char *fmt, ...)
{
    va_list ap, again;
    va_start(ap, fmt);
    va_copy(again, ap);
    int n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    char *text = su_arena_alloc(a, n < 0 ? 1 : (size_t)n + 1);
    if (n > 0) vsnprintf(text, (size_t)n + 1, fmt, again);
    va_end(again);
    return text;
}
