#include "mse/latent_sampler.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "numeric/special.h"

su_latent_table su_latent_table_of(const su_overlaps *o, double share)
{
    su_latent_table t = { .lists = o->lists };
    t.cell = su_alloc_array(o->cells, sizeof *t.cell);
    t.people = su_alloc_array(o->cells, sizeof *t.people);
    for (size_t w = 1; w < o->cells; w++) {
        int64_t people = share < 1 ? (int64_t)floor((double)o->counts[w] * share + 0.5) : o->counts[w];
        if (!people) continue;
        t.cell[t.cells] = (uint16_t)w;
        t.people[t.cells++] = people;
        t.n += people;
    }
    return t;
}

void su_latent_table_free(su_latent_table *t)
{
    free(t->cell);
    free(t->people);
    *t = (su_latent_table) { 0 };
}

/* ---- probabilities ---- */

/* Share of a class times its probability of exactly this cell. */
static double class_cell(const su_latent_sampler *s, unsigned k, unsigned cell)
{
    double p = s->state.share[k];
    for (unsigned j = 0; j < s->table->lists; j++) p *= cell >> j & 1 ? s->state.on[k][j] : 1 - s->state.on[k][j];
    return p;
}

double su_latent_none(const su_latent_sampler *s)
{
    double none = 0;
    for (unsigned k = 0; k < s->classes; k++) none += class_cell(s, k, 0);
    return fmin(fmax(none, 1e-12), 1 - 1e-12);
}

/* ---- classes ---- */

static void assign(su_latent_sampler *s, int64_t people, unsigned cell, const double *weight)
{
    int64_t drawn[SU_LATENT_CLASSES_MAX];
    double p[SU_LATENT_CLASSES_MAX] = { 0 }, total = 0;
    for (unsigned k = 0; k < s->classes; k++) total += weight[k];
    for (unsigned k = 0; k < s->classes; k++) p[k] = weight[k] / total;
    su_philox_multinomial(&s->random, people, p, s->classes, drawn);
    for (unsigned k = 0; k < s->classes; k++) {
        if (!drawn[k]) continue;
        s->members[k] += drawn[k];
        for (unsigned bits = cell; bits; bits &= bits - 1) s->on_list[k][__builtin_ctz(bits)] += drawn[k];
    }
}

static void draw_classes(su_latent_sampler *s)
{
    double weight[SU_LATENT_CLASSES_MAX];
    memset(s->members, 0, sizeof s->members);
    memset(s->on_list, 0, sizeof s->on_list);
    for (size_t i = 0; i < s->table->cells; i++) {
        for (unsigned k = 0; k < s->classes; k++) weight[k] = class_cell(s, k, s->table->cell[i]);
        assign(s, s->table->people[i], s->table->cell[i], weight);
    }
    if (!s->unseen) return;
    for (unsigned k = 0; k < s->classes; k++) weight[k] = class_cell(s, k, 0);
    assign(s, s->unseen, 0, weight);
}

/* Log probability that the people of classes first..last and of those after part on the sticks as they do, the sticks integrated out. */
static double log_splits(const su_latent_sampler *s, unsigned first, unsigned last)
{
    double sum = 0;
    int64_t later = 0;
    for (unsigned k = last + 1; k < s->classes; k++) later += s->members[k];
    for (unsigned k = last + 1; k-- > first;) { /* the last class has no stick of its own */
        if (k + 1 < s->classes) sum += su_lbeta(1 + (double)s->members[k], s->state.concentration + (double)later);
        later += s->members[k];
    }
    return sum;
}

static void exchange_two(su_latent_sampler *s, unsigned a, unsigned b)
{
    int64_t row[SU_MSE_MAX_LISTS], people = s->members[a];
    memcpy(row, s->on_list[a], sizeof row);
    memcpy(s->on_list[a], s->on_list[b], sizeof row);
    memcpy(s->on_list[b], row, sizeof row);
    s->members[a] = s->members[b];
    s->members[b] = people;
}

/* Pairs of classes exchange their places on the stick by Metropolis' rule. */
static void exchange_places(su_latent_sampler *s)
{
    for (unsigned k = 0; k < s->classes; k++) {
        unsigned other = (unsigned)su_philox_below(&s->random, s->classes), first = k < other ? k : other, last = k < other ? other : k;
        if (s->members[first] == s->members[last]) continue;
        double now = log_splits(s, first, last);
        exchange_two(s, first, last);
        if (!(log(su_philox_unit(&s->random)) < log_splits(s, first, last) - now)) exchange_two(s, first, last);
    }
}

static void draw_rates(su_latent_sampler *s)
{
    for (unsigned k = 0; k < s->classes; k++) {
        for (unsigned j = 0; j < s->table->lists; j++) {
            double on = (double)s->on_list[k][j], off = (double)(s->members[k] - s->on_list[k][j]);
            s->state.on[k][j] = fmin(fmax(su_philox_beta(&s->random, 1 + on, 1 + off), 1e-12), 1 - 1e-12);
        }
    }
}

/* Logarithm of a gamma variable, also where the variable itself would be 0. */
static double log_gamma_draw(su_philox *r, double shape)
{
    return shape < 1 ? log(su_philox_gamma(r, shape + 1)) + log(su_philox_unit(r)) / shape : log(su_philox_gamma(r, shape));
}

static void draw_shares(su_latent_sampler *s)
{
    double log_left = 0;
    int64_t later = 0;
    for (unsigned k = 0; k < s->classes; k++) later += s->members[k];
    for (unsigned k = 0; k + 1 < s->classes; k++) {
        later -= s->members[k];
        double mine = log_gamma_draw(&s->random, 1 + (double)s->members[k]);
        double rest = log_gamma_draw(&s->random, s->state.concentration + (double)later);
        double top = fmax(mine, rest), both = top + log(exp(mine - top) + exp(rest - top));
        s->state.share[k] = exp(log_left + mine - both);
        log_left += rest - both;
    }
    s->state.share[s->classes - 1] = exp(log_left);
    s->state.log_last = log_left;
}

void su_latent_draw_state(su_latent_sampler *s)
{
    draw_classes(s);
    exchange_places(s);
    draw_rates(s);
    draw_shares(s);
    s->state.concentration = fmax(su_philox_gamma(&s->random, s->shape + s->classes - 1) / (s->rate - s->state.log_last), 1e-300);
}

/* ---- unseen ---- */

/* The negative binomial below `most`, where nearly all of it lies above: log-concave, so from `most` down it lies under the geometric
 * series of its first two terms. */
static int64_t draw_below(su_philox *r, double n, double none, double most)
{
    double log_ratio = log(most) - log(n + most - 1) - log(none), top = su_lgamma(n + most) - su_lgamma(most + 1) + most * log(none);
    for (;;) {
        double below = floor(log(su_philox_unit(r)) / log_ratio), m = most - below;
        if (m < 0) continue;
        double at = su_lgamma(n + m) - su_lgamma(m + 1) + m * log(none);
        if (log(su_philox_unit(r)) <= at - top - below * log_ratio) return (int64_t)m;
    }
}

void su_latent_draw_unseen(su_latent_sampler *s)
{
    enum { TRIES = 16 };
    double none = su_latent_none(s), n = (double)s->table->n, most = floor(s->most * n);
    if (n < 2) { /* geometric, by inversion */
        s->unseen = (int64_t)fmin(most, floor(log1p(su_philox_unit(&s->random) * expm1((most + 1) * log(none))) / log(none)));
        return;
    }
    for (int tries = 0;; tries++) {
        s->unseen = su_philox_negative_binomial(&s->random, n, 1 - none);
        if ((double)s->unseen <= most) return;
        if (tries < TRIES || most / ((n + most - 1) * none) > 0.9999) continue;
        s->unseen = draw_below(&s->random, n, none, most);
        return;
    }
}
