#include "mse/latent.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "mse/latent_sampler.h"

enum { STEPS = 10 };
static const double GUESS_MOST = 20, STEP = 0.6;

typedef struct job {
    su_context *ctx;
    const su_overlaps *o;
    const su_latent_options *options;
    su_latent_table table[STEPS]; /* the table itself, and with fewer and fewer people */
    su_latent *out;
} job;

static void sampler_init(const job *j, unsigned chain, const su_latent_table *t, su_latent_sampler *s)
{
    const su_latent_options *o = j->options;
    double n = fmax((double)t->n, 1);
    *s = (su_latent_sampler) { .table = t, .classes = o->classes, .random = su_philox_of(o->seed, chain) };
    s->shape = o->shape > 0 ? o->shape : 0.25;
    s->rate = o->rate > 0 ? o->rate : 0.25;
    s->most = o->most > 0 ? o->most : 20;
    s->state.concentration = 1;
    /* Chains start apart: each with a guess of its own between the people seen and 20 times as many, and rates near what that means. */
    double guess = n * exp(su_philox_unit(&s->random) * log(GUESS_MOST));
    s->unseen = (int64_t)(guess - n);
    for (unsigned k = 0; k < o->classes; k++) {
        s->state.share[k] = su_philox_exponential(&s->random);
        for (unsigned list = 0; list < t->lists; list++) {
            double people = 0;
            for (size_t i = 0; i < t->cells; i++) people += t->cell[i] >> list & 1 ? (double)t->people[i] : 0;
            s->state.on[k][list] = fmin(0.95, fmax(people, 0.5) / guess * exp(su_philox_normal(&s->random) / 2));
        }
    }
}

static void sweeps(const job *j, su_latent_sampler *s, uint32_t count)
{
    for (uint32_t i = 0; i < count && !su_cancelled(j->ctx); i++) {
        su_latent_draw_state(s);
        su_latent_draw_unseen(s);
    }
}

/* With few people the posterior is flat and the sampler goes everywhere; people join in steps through the first half of the burn-in. */
static void start_chain(const job *j, unsigned chain, su_latent_sampler *s)
{
    uint32_t each = j->options->burn_in / 2 / (STEPS - 1);
    sampler_init(j, chain, &j->table[STEPS - 1], s);
    for (unsigned step = STEPS; step-- > 1;) {
        s->table = &j->table[step];
        if (!s->table->n) continue;
        su_latent_draw_unseen(s);
        sweeps(j, s, each);
    }
    s->table = &j->table[0];
    su_latent_draw_unseen(s);
    sweeps(j, s, j->options->burn_in - j->options->burn_in / 2);
}

static void run_chain(void *arg, size_t chain, unsigned worker)
{
    job *j = arg;
    su_latent_sampler s;
    (void)worker;
    start_chain(j, (unsigned)chain, &s);
    double *out = j->out->N + chain * j->out->draws;
    for (size_t d = 0; d < j->out->draws && !su_cancelled(j->ctx); d++) {
        sweeps(j, &s, j->options->thin ? j->options->thin : 1);
        out[d] = (double)(j->o->n + s.unseen);
    }
}

double su_split_r_hat(const double *x, unsigned chains, size_t draws)
{
    size_t half = draws / 2, groups = 2 * (size_t)chains;
    double mean_of_means = 0, between = 0, within = 0;
    double *mean = su_alloc_array(groups + 1, sizeof *mean);
    for (size_t g = 0; g < groups; g++) {
        const double *part = x + (g / 2) * draws + (g % 2) * (draws - half);
        for (size_t i = 0; i < half; i++) mean[g] += part[i];
        mean[g] /= (double)half;
        double square = 0;
        for (size_t i = 0; i < half; i++) square += (part[i] - mean[g]) * (part[i] - mean[g]);
        within += square / ((double)half - 1) / (double)groups;
        mean_of_means += mean[g] / (double)groups;
    }
    for (size_t g = 0; g < groups; g++) between += (mean[g] - mean_of_means) * (mean[g] - mean_of_means) / ((double)groups - 1);
    free(mean);
    if (!(within > 0)) return between > 0 ? INFINITY : 1;
    return sqrt(((double)half - 1) / (double)half + between / within);
}

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

void su_latent_run(su_context *ctx, const su_overlaps *o, const su_latent_options *options, su_latent *out)
{
    su_latent_options used = *options;
    if (used.classes > SU_LATENT_CLASSES_MAX) used.classes = SU_LATENT_CLASSES_MAX;
    *out = (su_latent) { .chains = used.chains, .draws = used.sweeps / (used.thin ? used.thin : 1) };
    size_t all = out->chains * out->draws;
    job j = { .ctx = ctx, .o = o, .options = &used, .out = out };
    for (unsigned step = 0; step < STEPS; step++) j.table[step] = su_latent_table_of(o, pow(STEP, step));
    out->N = su_alloc_array(all + 1, sizeof *out->N);
    out->sorted = su_alloc_array(all + 1, sizeof *out->sorted);
    su_parallel(ctx, used.chains, run_chain, &j);
    for (size_t i = 0; i < all; i++) out->sorted[i] = log(fmax(out->N[i], 1));
    out->r_hat = su_split_r_hat(out->sorted, out->chains, out->draws);
    memcpy(out->sorted, out->N, all * sizeof *out->N);
    qsort(out->sorted, all, sizeof *out->sorted, compare_doubles);
    for (unsigned step = 0; step < STEPS; step++) su_latent_table_free(&j.table[step]);
}

void su_latent_free(su_latent *l)
{
    free(l->N);
    free(l->sorted);
    *l = (su_latent) { 0 };
}
