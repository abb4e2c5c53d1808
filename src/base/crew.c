/* Crews: one word says which loop it is, how many items it has and which comes next; whoever moves it on by one has that item. */
#include <suha/base.h>

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>

enum { AWAKE = 4000, ITEM_BITS = 20 }; /* turns of some 20 ns: falling asleep and being woken takes as long as a few dozen of them */
#define ITEM_MASK ((UINT64_C(1) << ITEM_BITS) - 1)

typedef struct hand {
    su_crew *crew;
    unsigned number;
    pthread_t thread;
} hand;

struct su_crew {
    atomic_uint_fast64_t next; /* number of the loop, of its items, of the next item */
    atomic_size_t done;
    void (*item)(void *arg, size_t i, unsigned worker);
    void *arg;
    atomic_uint asleep;
    atomic_bool over;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    hand *hands;
    unsigned size;
};

/* One turn of waiting, that leaves the core's units to a thread that shares it. */
static inline void rest(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

static uint64_t loop_of(uint64_t next) { return next >> 2 * ITEM_BITS; }
static size_t items_of(uint64_t next) { return (size_t)(next >> ITEM_BITS & ITEM_MASK); }
static size_t item_of(uint64_t next) { return (size_t)(next & ITEM_MASK); }

/* Takes items until the loop has none left. The loop cannot change while one of its items is taken and not done. */
static void work(su_crew *c, unsigned worker)
{
    uint64_t next = atomic_load(&c->next);
    while (item_of(next) < items_of(next)) {
        if (!atomic_compare_exchange_weak(&c->next, &next, next + 1)) continue;
        c->item(c->arg, item_of(next), worker);
        atomic_fetch_add_explicit(&c->done, 1, memory_order_release);
        next = atomic_load(&c->next);
    }
}

static void await_loop(su_crew *c, uint64_t seen)
{
    for (unsigned turns = 0; turns < AWAKE; turns++, rest())
        if (loop_of(atomic_load(&c->next)) != seen || atomic_load(&c->over)) return;
    pthread_mutex_lock(&c->lock);
    atomic_fetch_add(&c->asleep, 1);
    while (loop_of(atomic_load(&c->next)) == seen && !atomic_load(&c->over)) pthread_cond_wait(&c->wake, &c->lock);
    atomic_fetch_sub(&c->asleep, 1);
    pthread_mutex_unlock(&c->lock);
}

static void *serve(void *arg)
{
    hand *h = arg;
    su_crew *c = h->crew;
    uint64_t seen = 0;
    while (!atomic_load(&c->over)) {
        await_loop(c, seen);
        seen = loop_of(atomic_load(&c->next));
        work(c, h->number);
    }
    return NULL;
}

static void wake_all(su_crew *c)
{
    if (atomic_load(&c->asleep) == 0) return;
    pthread_mutex_lock(&c->lock);
    pthread_cond_broadcast(&c->wake);
    pthread_mutex_unlock(&c->lock);
}

su_crew *su_crew_start(su_context *ctx, unsigned most)
{
    unsigned wanted = su_parallel_workers(ctx);
    su_crew *c = su_alloc(sizeof *c);
    if (wanted > most) wanted = most > 0 ? most : 1;
    c->hands = su_alloc_array(wanted, sizeof *c->hands);
    pthread_mutex_init(&c->lock, NULL);
    pthread_cond_init(&c->wake, NULL);
    /* Signals belong to the thread of the caller, who knows what an interrupt means. */
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    for (c->size = 1; c->size < wanted; c->size++) {
        c->hands[c->size] = (hand) { .crew = c, .number = c->size };
        if (pthread_create(&c->hands[c->size].thread, NULL, serve, &c->hands[c->size]) != 0) break;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return c;
}

unsigned su_crew_size(const su_crew *crew) { return crew->size; }

void su_crew_do(su_crew *c, size_t n, void (*item)(void *arg, size_t i, unsigned worker), void *arg)
{
    if (c->size == 1 || n == 1) {
        for (size_t i = 0; i < n; i++) item(arg, i, 0);
        return;
    }
    uint64_t loop = loop_of(atomic_load(&c->next)) + 1;
    if (n > ITEM_MASK) abort();
    c->item = item;
    c->arg = arg;
    atomic_store(&c->done, 0);
    atomic_store(&c->next, loop << 2 * ITEM_BITS | (uint64_t)n << ITEM_BITS);
    wake_all(c);
    work(c, 0);
    for (unsigned turns = 0; atomic_load_explicit(&c->done, memory_order_acquire) < n; turns++) {
        rest();
        if (turns > AWAKE) sched_yield();
    }
}

void su_crew_end(su_crew *c)
{
    if (!c) return;
    atomic_store(&c->over, true);
    wake_all(c);
    for (unsigned i = 1; i < c->size; i++) pthread_join(c->hands[i].thread, NULL);
    pthread_cond_destroy(&c->wake);
    pthread_mutex_destroy(&c->lock);
    free(c->hands);
    free(c);
}
