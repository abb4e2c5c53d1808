/* Parallel loops: every task exactly once, on any number of workers. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "su_test.h"

#include <stdatomic.h>

typedef struct seen {
    atomic_uint *times;
    atomic_uint worker_max;
} seen;

static void visit(void *arg, size_t i, unsigned worker)
{
    seen *s = arg;
    atomic_fetch_add(&s->times[i], 1);
    unsigned now = atomic_load(&s->worker_max);
    while (worker > now && !atomic_compare_exchange_weak(&s->worker_max, &now, worker)) continue;
}

static void every_task_once(void **state)
{
    (void)state;
    static const unsigned threads[] = { 0, 1, 2, 3, 8, 64 };
    static const size_t counts[] = { 0, 1, 2, 7, 1000 };
    for (size_t t = 0; t < sizeof threads / sizeof threads[0]; t++) {
        for (size_t c = 0; c < sizeof counts / sizeof counts[0]; c++) {
            su_context ctx;
            su_context_init(&ctx);
            ctx.threads = threads[t];
            seen s = { su_alloc_array(counts[c] + 1, sizeof *s.times), 0 };
            su_parallel(&ctx, counts[c], visit, &s);
            for (size_t i = 0; i < counts[c]; i++) assert_int_equal(atomic_load(&s.times[i]), 1);
            assert_true(atomic_load(&s.worker_max) < su_parallel_workers(&ctx));
            free(s.times);
        }
    }
    assert_int_equal(su_parallel_workers(NULL), 1);
}

static void inner(void *arg, size_t i, unsigned worker)
{
    (void)worker;
    su_context ctx;
    su_context_init(&ctx);
    ctx.threads = 2;
    seen s = { (atomic_uint *)arg + 10 * i, 0 };
    su_parallel(&ctx, 10, visit, &s);
}

static void loops_inside_loops(void **state)
{
    (void)state;
    su_context ctx;
    su_context_init(&ctx);
    ctx.threads = 3;
    atomic_uint *times = su_alloc_array(100, sizeof *times);
    su_parallel(&ctx, 10, inner, times);
    for (size_t i = 0; i < 100; i++) assert_int_equal(atomic_load(&times[i]), 1);
    free(times);
}

/* Plain memory, written by workers in one loop and read by others in the next: no item is done twice, late or after su_crew_do. */
typedef struct table {
    uint32_t *plain;
    uint32_t size, round, wrong[16];
} table;

static void advance(void *arg, size_t i, unsigned worker)
{
    table *t = arg;
    uint32_t other = t->plain[t->size * (t->round % 2) + (i + 1) % t->size];
    t->wrong[worker] += other != t->round;
    t->plain[t->size * ((t->round + 1) % 2) + i] = t->round + 1;
}

static void a_crew_does_every_item_of_every_loop_once(void **state)
{
    (void)state;
    static const unsigned threads[] = { 1, 2, 3, 7 };
    for (size_t k = 0; k < sizeof threads / sizeof threads[0]; k++) {
        su_context ctx;
        su_context_init(&ctx);
        ctx.threads = threads[k];
        su_crew *crew = su_crew_start(&ctx, 5);
        assert_true(su_crew_size(crew) <= 5 && su_crew_size(crew) <= threads[k]);
        for (uint32_t size = 1; size <= 40; size += 13) {
            table t = { su_alloc_array(2 * size, sizeof *t.plain), size, 0, { 0 } };
            for (; t.round < 3000; t.round++) su_crew_do(crew, size, advance, &t);
            for (uint32_t i = 0; i < size; i++) assert_int_equal(t.plain[i], 3000);
            for (size_t w = 0; w < 16; w++) assert_int_equal(t.wrong[w], 0);
            free(t.plain);
        }
        su_crew_do(crew, 0, advance, NULL);
        su_crew_end(crew);
    }
    su_crew_end(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(every_task_once), cmocka_unit_test(loops_inside_loops),
                                        cmocka_unit_test(a_crew_does_every_item_of_every_loop_once) };
    return cmocka_run_group_tests_name("parallel", tests, NULL, NULL);
}
