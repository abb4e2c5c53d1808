#include "mse/latent.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "numeric/philox.h"

enum { CLASSES_MAX = 32 };
static const double GUESS_MOST = 20;

typedef struct sampler {
    const su_overlaps *o;
    const su_latent_options *options;
    su_philox random;
    size_t cells; /* with people */
    uint16_t *cell;
    int64_t *people;
    double on[CLASSES_MAX][SU_MSE_MAX_LISTS]; /* probability of being on a list, by class */
    double share[CLASSES_MAX], log_last, concentration;
    int64_t members[CLASSES_MAX], on_list[CLASSES_MAX][SU_MSE_MAX_LISTS];
    int64_t unseen;
} sampler;

/* Adds `people` of one cell to classes drawn by weight. */
static void assign(sampler *s, int64_t people, unsigned cell, const double *weight)
{
    int64_t drawn[CLASSES_MAX];
    double p[CLASSES_MAX] = { 0 }, total = 0;
    unsigned classes = s->options->classes;
    for (unsigned k = 0; k < classes; k++) total += weight[k];
    for (unsigned k = 0; k < classes; k++) p[k] = weight[k] / total;
    su_philox_multinomial(&s->random, people, p, classes, drawn);
    for (unsigned k = 0; k < classes; k++) {
        if (!drawn[k]) continue;
        s->members[k] += drawn[k];
        for (unsigned bits = cell; bits; bits &= bits - 1) s->on_list[k][__builtin_ctz(bits)] += drawn[k];
    }
}

static void draw_classes(sampler *s)
{
    double weight[CLASSES_MAX], off[CLASSES_MAX];
    unsigned classes = s->options->classes, lists = s->o->lists;
    memset(s->members, 0, sizeof s->members);
    memset(s->on_list, 0, sizeof s->on_list);
    for (unsigned k = 0; k < classes; k++) {
        off[k] = s->share[k];
        for (unsigned j = 0; j < lists; j++) off[k] *= 1 - s->on[k][j];
    }
    for (size_t i = 0; i < s->cells; i++) {
        for (unsigned k = 0; k < classes; k++) {
            weight[k] = s->share[k];
            for (unsigned j = 0; j < lists; j++) weight[k] *= s->cell[i] >> j & 1 ? s->on[k][j] : 1 - s->on[k][j];
        }
        assign(s, s->people[i], s->cell[i], weight);
    }
    if (s->unseen) assign(s, s->unseen, 0, off);
}

static void draw_rates(sampler *s)
{
    for (unsigned k = 0; k < s->options->classes; k++) {
        for (unsigned j = 0; j < s->o->lists; j++) {
            double on = (double)s->on_list[k][j], off = (double)(s->members[k] - s->on_list[k][j]);
            s->on[k][j] = fmin(fmax(su_philox_beta(&s->random, 1 + on, 1 + off), 1e-12), 1 - 1e-12);
        }
    }
}

/* Stick breaking: each class takes a beta share of what is left, the last one all of it. */
static void draw_shares(sampler *s)
{
    unsigned classes = s->options->classes;
    double left = 1;
    int64_t later = 0;
    s->log_last = 0;
    for (unsigned k = 0; k < classes; k++) later += s->members[k];
    for (unsigned k = 0; k + 1 < classes; k++) {
        later -= s->members[k];
        double stick = su_philox_beta(&s->random, 1 + (double)s->members[k], s->concentration + (double)later);
        stick = fmin(fmax(stick, 1e-300), 1 - 1e-15);
        s->share[k] = fmax(left * stick, 1e-300);
        s->log_last += log1p(-stick);
        left *= 1 - stick;
    }
    s->share[classes - 1] = fmax(left, 1e-300);
}

static void draw_unseen(sampler *s)
{
    double none = 0, most = s->options->most > 0 ? s->options->most : 20;
    for (unsigned k = 0; k < s->options->classes; k++) {
        double off = s->share[k];
        for (unsigned j = 0; j < s->o->lists; j++) off *= 1 - s->on[k][j];
        none += off;
    }
    none = fmin(fmax(none, 1e-12), 1 - 1e-12);
    for (int tries = 0; tries < 100; tries++) { /* truncated: drawn again, and left as it is if the sampler is far outside */
        int64_t drawn = su_philox_negative_binomial(&s->random, (double)s->o->n, 1 - none);
        if ((double)drawn > most * (double)s->o->n) continue;
        s->unseen = drawn;
        return;
    }
}

static void sweep(sampler *s)
{
    double shape = s->options->shape > 0 ? s->options->shape : 0.25, rate = s->options->rate > 0 ? s->options->rate : 0.25;
    draw_classes(s);
    draw_rates(s);
    draw_shares(s);
    s->concentration = fmax(su_philox_gamma(&s->random, shape + s->options->classes - 1) / (rate - s->log_last), 1e-10);
    draw_unseen(s);
}

static void sampler_init(sampler *s, const su_overlaps *o, const su_latent_options *options, unsigned chain)
{
    *s = (sampler) { .o = o, .options = options, .random = su_philox_of(options->seed, chain), .concentration = 1 };
    s->cell = su_alloc_array(o->cells, sizeof *s->cell);
    s->people = su_alloc_array(o->cells, sizeof *s->people);
    for (size_t w = 1; w < o->cells; w++) {
        if (!o->counts[w]) continue;
        s->cell[s->cells] = (uint16_t)w;
        s->people[s->cells++] = o->counts[w];
    }
    /* Chains start apart: each with a guess of its own between the people seen and 20 times as many, and rates near what that means. */
    double guess = (double)o->n * exp(su_philox_unit(&s->random) * log(GUESS_MOST));
    s->unseen = (int64_t)(guess - (double)o->n);
    for (unsigned k = 0; k < options->classes; k++) {
        s->share[k] = su_philox_exponential(&s->random);
        for (unsigned j = 0; j < o->lists; j++) {
            double people = 0;
            for (size_t i = 0; i < s->cells; i++) people += s->cell[i] >> j & 1 ? (double)s->people[i] : 0;
            s->on[k][j] = fmin(0.95, people / guess * exp(su_philox_normal(&s->random) / 2));
        }
    }
}

typedef struct job {
    su_context *ctx;
    const su_overlaps *o;
    const su_latent_options *options;
    su_latent *out;
} job;

static void run_chain(void *arg, size_t chain, unsigned worker)
{
    job *j = arg;
    sampler s;
    (void)worker;
    sampler_init(&s, j->o, j->options, (unsigned)chain);
    uint32_t thin = j->options->thin ? j->options->thin : 1;
    double *out = j->out->N + chain * j->out->draws;
    for (uint32_t i = 0; i < j->options->burn_in && !su_cancelled(j->ctx); i++) sweep(&s);
    for (size_t d = 0; d < j->out->draws && !su_cancelled(j->ctx); d++) {
        for (uint32_t i = 0; i < thin; i++) sweep(&s);
        out[d] = (double)(j->o->n + s.unseen);
    }
    free(s.cell);
    free(s.people);
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
    if (used.classes > CLASSES_MAX) used.classes = CLASSES_MAX;
    *out = (su_latent) { .chains = used.chains, .draws = used.sweeps / (used.thin ? used.thin : 1) };
    size_t all = out->chains * out->draws;
    job j = { ctx, o, &used, out };
    out->N = su_alloc_array(all + 1, sizeof *out->N);
    out->sorted = su_alloc_array(all + 1, sizeof *out->sorted);
    su_parallel(ctx, used.chains, run_chain, &j);
    for (size_t i = 0; i < all; i++) out->sorted[i] = log(fmax(out->N[i], 1));
    out->r_hat = su_split_r_hat(out->sorted, out->chains, out->draws);
    memcpy(out->sorted, out->N, all * sizeof *out->N);
    qsort(out->sorted, all, sizeof *out->sorted, compare_doubles);
}

void su_latent_free(su_latent *l)
{
    free(l->N);
    free(l->sorted);
    *l = (su_latent) { 0 };
}
