/* Parallel loops: threads made for the call, tasks handed out one by one. The caller's own thread is worker 0, so the work is done even
 * when no thread can be made. */
#include <suha/base.h>

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>

enum { WORKERS_MAX = 256 };

typedef struct loop {
    atomic_size_t next;
    size_t n;
    void (*task)(void *arg, size_t i, unsigned worker);
    void *arg;
} loop;

typedef struct worker {
    loop *work;
    unsigned number;
    pthread_t thread;
} worker;

unsigned su_parallel_workers(const su_context *ctx)
{
    unsigned threads = ctx ? ctx->threads : 1;
    if (threads == 0) {
        cpu_set_t cores;
        threads = sched_getaffinity(0, sizeof cores, &cores) == 0 ? (unsigned)CPU_COUNT(&cores) : 1;
    }
    return threads < 1 ? 1 : threads > WORKERS_MAX ? WORKERS_MAX : threads;
}

static void *run(void *arg)
{
    worker *w = arg;
    loop *work = w->work;
    for (;;) {
        size_t i = atomic_fetch_add_explicit(&work->next, 1, memory_order_relaxed);
        if (i >= work->n) return NULL;
        work->task(work->arg, i, w->number);
    }
}

void su_parallel(su_context *ctx, size_t n, void (*task)(void *arg, size_t i, unsigned worker), void *arg)
{
    unsigned count = su_parallel_workers(ctx);
    if (count > n) count = (unsigned)n;
    if (count <= 1) {
        for (size_t i = 0; i < n; i++) task(arg, i, 0);
        return;
    }
    loop work = { .n = n, .task = task, .arg = arg };
    worker *workers = su_alloc_array(count, sizeof *workers);
    /* Signals belong to the thread of the caller, who knows what an interrupt means. */
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    unsigned started = 1;
    for (; started < count; started++) {
        workers[started].work = &work;
        workers[started].number = started;
        if (pthread_create(&workers[started].thread, NULL, run, &workers[started]) != 0) break;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    workers[0].work = &work;
    run(&workers[0]);
    for (unsigned i = 1; i < started; i++) pthread_join(workers[i].thread, NULL);
    free(workers);
}
