#include "clients.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>

#define LOOK_MILLISECONDS 250

struct su_client {
    su_client *next, *before;
    int fd;
    atomic_llong deadline; /* milliseconds of su_clients_clock */
};

struct su_clients {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t ended;
    bool end;
    su_client *first;
};

double su_clients_clock(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static long long milliseconds(double seconds) { return (long long)(seconds * 1000); }

/* A socket that is shut down makes the HTTP library close it: it sees an end of input, or an error when it writes. */
static void cut_off_late(su_clients *c)
{
    long long now = milliseconds(su_clients_clock());
    for (su_client *one = c->first; one; one = one->next)
        if (atomic_load_explicit(&one->deadline, memory_order_relaxed) < now) shutdown(one->fd, SHUT_RDWR);
}

static void *look(void *arg)
{
    su_clients *c = arg;
    pthread_mutex_lock(&c->lock);
    while (!c->end) {
        struct timespec until;
        clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_nsec += LOOK_MILLISECONDS * 1000000L;
        if (until.tv_nsec >= 1000000000L) until.tv_sec++, until.tv_nsec -= 1000000000L;
        pthread_cond_timedwait(&c->ended, &c->lock, &until);
        cut_off_late(c);
    }
    pthread_mutex_unlock(&c->lock);
    return NULL;
}

su_status su_clients_start(su_context *ctx, su_clients **out)
{
    su_clients *c = su_alloc(sizeof *c);
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_mutex_init(&c->lock, NULL);
    pthread_cond_init(&c->ended, &monotonic);
    pthread_condattr_destroy(&monotonic);
    *out = NULL;
    if (pthread_create(&c->thread, NULL, look, c) != 0) {
        pthread_cond_destroy(&c->ended);
        pthread_mutex_destroy(&c->lock);
        free(c);
        return su_fail(ctx, SU_IO, "The web server could not be started: the system gives no more threads.");
    }
    *out = c;
    return SU_OK;
}

void su_clients_stop(su_clients *c)
{
    if (!c) return;
    pthread_mutex_lock(&c->lock);
    c->end = true;
    pthread_cond_signal(&c->ended);
    pthread_mutex_unlock(&c->lock);
    pthread_join(c->thread, NULL);
    pthread_cond_destroy(&c->ended);
    pthread_mutex_destroy(&c->lock);
    while (c->first) {
        su_client *next = c->first->next;
        free(c->first);
        c->first = next;
    }
    free(c);
}

su_client *su_client_enter(su_clients *c, int fd)
{
    su_client *one = su_alloc(sizeof *one);
    one->fd = fd;
    su_client_allow(one, SU_CLIENT_HEAD_SECONDS);
    pthread_mutex_lock(&c->lock);
    one->next = c->first;
    if (c->first) c->first->before = one;
    c->first = one;
    pthread_mutex_unlock(&c->lock);
    return one;
}

void su_client_leave(su_clients *c, su_client *one)
{
    if (!one) return;
    pthread_mutex_lock(&c->lock);
    *(one->before ? &one->before->next : &c->first) = one->next;
    if (one->next) one->next->before = one->before;
    pthread_mutex_unlock(&c->lock);
    free(one);
}

void su_client_allow(su_client *one, double seconds)
{
    if (one) atomic_store_explicit(&one->deadline, milliseconds(su_clients_clock() + seconds), memory_order_relaxed);
}
