#include "mse/noised.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "mse/latent.h"
#include "numeric/philox.h"
#include "numeric/special.h"

enum { SUBSETS = 1 << SU_DGA_LISTS, GRID = 160, GRID_MAX = 1024, GRAPHS_EACH_SWEEP = 1000 };
static const double NEGLIGIBLE = -40;

typedef struct job {
    su_context *ctx;
    const su_overlaps *o;
    const su_noised_options *options;
    double delta;
    su_graph *graph;
    size_t graphs, grid;
    double *unseen, *log_width; /* grid values of m, and how many whole numbers each stands for */
    unsigned stride;            /* sweeps between draws of graph and unseen */
    su_noised *out;
} job;

typedef struct chain {
    const job *j;
    su_philox random;
    double y[SUBSETS]; /* true counts; y[0] is m */
    size_t at, graph;  /* place of m on the grid; the graph */
    double *margin;    /* subsets by grid */
    double *base, *weight;
} chain;

/* ---- the probability of a table with its unseen ---- */

static double prior_of(const job *j, unsigned a) { return j->delta * ldexp(1, (int)j->o->lists - __builtin_popcount(a)); }

/* People of the margin a who agree with `cell` on a's lists. */
static double margin_of(const double *y, size_t cells, unsigned a, unsigned cell)
{
    double sum = 0;
    for (unsigned w = 0; w < cells; w++) sum += (w & a) == (cell & a) ? y[w] : 0;
    return sum;
}

/* What depends on N alone: the one total that cliques less separators leave, the multinomial coefficient's numerator, the prior 1/N. */
static double of_all(const job *j, double N) { return su_lgamma(N + 1) - su_lgamma(N + j->delta * (double)j->o->cells) - log(fmax(N, 1)); }

static double noise_log(const su_mse_noise *noise, double x)
{
    return noise->law == SU_MSE_NOISE_GAUSSIAN ? -x * x / (2 * noise->scale * noise->scale) : -fabs(x) * noise->scale;
}

static double noise_sd(const su_mse_noise *noise)
{
    double a = exp(-noise->scale);
    return noise->law == SU_MSE_NOISE_GAUSSIAN ? noise->scale : sqrt(2 * a) / (1 - a);
}

/* ---- true counts ---- */

/* Change of the log probability when cell w goes from y to `to`. */
static double gain_of(const chain *c, unsigned w, double to)
{
    const job *j = c->j;
    const su_graph *g = &j->graph[c->graph];
    double from = c->y[w], N = 0, z = (double)j->o->counts[w], sum = su_lgamma(from + 1) - su_lgamma(to + 1);
    for (size_t v = 0; v < j->o->cells; v++) N += c->y[v];
    for (unsigned k = 0; k < g->cliques + g->separators; k++) {
        unsigned a = k < g->cliques ? g->clique[k] : g->separator[k - g->cliques];
        double people = margin_of(c->y, j->o->cells, a, w) + prior_of(j, a);
        double change = su_lgamma(people + to - from) - su_lgamma(people);
        sum += k < g->cliques ? change : -change;
    }
    sum += of_all(j, N + to - from) - of_all(j, N);
    return sum + noise_log(&j->options->noise, z - to) - noise_log(&j->options->noise, z - from);
}

static void draw_counts(chain *c, double step)
{
    for (unsigned w = 1; w < c->j->o->cells; w++) {
        double to = c->y[w] + floor(su_philox_normal(&c->random) * step + 0.5);
        if (to < 0 || to == c->y[w]) continue;
        if (log(su_philox_unit(&c->random)) < gain_of(c, w, to)) c->y[w] = to;
    }
}

/* ---- graph and unseen together ---- */

static void fill_margins(chain *c)
{
    const job *j = c->j;
    double seen = 0;
    c->y[0] = 0;
    for (unsigned w = 1; w < j->o->cells; w++) seen += c->y[w];
    for (size_t i = 0; i < j->grid; i++) c->base[i] = of_all(j, seen + j->unseen[i]) - su_lgamma(j->unseen[i] + 1) + j->log_width[i];
    for (unsigned a = 0; a < j->o->cells; a++) {
        double prior = prior_of(j, a), constant = -ldexp(1, __builtin_popcount(a)) * su_lgamma(prior), people[SUBSETS] = { 0 };
        double *row = c->margin + a * j->grid;
        for (unsigned w = 1; w < j->o->cells; w++) people[w & a] += c->y[w];
        for (unsigned cell = 1; cell < j->o->cells; cell++)
            if (!(cell & ~a)) constant += su_lgamma(people[cell] + prior);
        for (size_t i = 0; i < j->grid; i++) row[i] = constant + su_lgamma(people[0] + prior + j->unseen[i]);
    }
}

/* Log probability of the graph at each grid value; returns the largest. */
static double graph_row(const chain *c, const su_graph *g, double *row)
{
    size_t grid = c->j->grid;
    double top = -INFINITY;
    memcpy(row, c->base, grid * sizeof *row);
    for (unsigned k = 0; k < g->cliques; k++)
        for (size_t i = 0; i < grid; i++) row[i] += c->margin[g->clique[k] * grid + i];
    for (unsigned k = 0; k < g->separators; k++)
        for (size_t i = 0; i < grid; i++) row[i] -= c->margin[g->separator[k] * grid + i];
    for (size_t i = 0; i < grid; i++) top = fmax(top, row[i]);
    return top;
}

static size_t draw_index(su_philox *r, const double *weight, size_t count)
{
    double total = 0, sum = 0;
    for (size_t i = 0; i < count; i++) total += weight[i];
    double target = su_philox_unit(r) * total;
    for (size_t i = 0; i < count; i++)
        if ((sum += weight[i]) >= target) return i;
    return count - 1;
}

static void draw_graph_and_unseen(chain *c)
{
    const job *j = c->j;
    double row[GRID_MAX];
    fill_margins(c);
    double best = graph_row(c, &j->graph[c->graph], row); /* where the chain is, most of the probability is near */
    for (size_t g = 0; g < j->graphs; g++) {
        double top = graph_row(c, &j->graph[g], row) - best;
        c->weight[g] = 0;
        if (top < NEGLIGIBLE) continue;
        if (top > -NEGLIGIBLE) { /* a far better graph: everything before it is nothing beside it */
            memset(c->weight, 0, g * sizeof *c->weight);
            best += top;
        }
        for (size_t i = 0; i < j->grid; i++) c->weight[g] += exp(row[i] - best);
    }
    c->graph = draw_index(&c->random, c->weight, j->graphs);
    double top = graph_row(c, &j->graph[c->graph], row);
    for (size_t i = 0; i < j->grid; i++) row[i] = exp(row[i] - top);
    c->at = draw_index(&c->random, row, j->grid);
    c->y[0] = j->unseen[c->at];
}

/* ---- chains ---- */

static void run_chain(void *arg, size_t number, unsigned worker)
{
    const job *j = arg;
    const su_overlaps *o = j->o;
    su_noised *out = j->out;
    chain c = { .j = j, .random = su_philox_of(j->options->seed, number) };
    double sd = noise_sd(&j->options->noise);
    (void)worker;
    c.margin = su_alloc_array(o->cells * j->grid, sizeof *c.margin);
    c.base = su_alloc_array(j->grid, sizeof *c.base);
    c.weight = su_alloc_array(j->graphs, sizeof *c.weight);
    for (unsigned w = 1; w < o->cells; w++) /* chains start apart */
        c.y[w] = floor(fmax(0, (double)o->counts[w] + sd * su_philox_normal(&c.random)) + 0.5);
    c.at = su_philox_below(&c.random, j->grid);
    c.y[0] = j->unseen[c.at];
    c.graph = su_philox_below(&c.random, j->graphs);
    for (uint32_t s = 0; s < j->options->burn_in + j->options->sweeps && !su_cancelled(j->ctx); s++) {
        if (s % j->stride == 0) draw_graph_and_unseen(&c);
        draw_counts(&c, fmax(sd, 1));
        draw_counts(&c, fmax(sd / 4, 1));
        if (s < j->options->burn_in) continue;
        size_t d = number * out->draws + s - j->options->burn_in;
        for (unsigned w = 1; w < o->cells; w++) out->seen[d] += c.y[w];
        memcpy(out->count + d * o->cells, c.y, o->cells * sizeof *c.y);
        /* anywhere among the whole numbers that the grid value stands for */
        double width = exp(j->log_width[c.at]);
        out->N[d] = out->seen[d] + fmax(0, floor(c.y[0] + width * (su_philox_unit(&c.random) - 0.5) + 0.5));
    }
    free(c.margin), free(c.base), free(c.weight);
}

/* Equal steps of log(m + 1), less the repeats near 0. */
static void make_grid(job *j, size_t points, double most)
{
    j->unseen = su_alloc_array(points + 1, sizeof *j->unseen);
    j->log_width = su_alloc_array(points + 1, sizeof *j->log_width);
    for (size_t i = 0; i < points; i++) {
        double m = floor(expm1(log1p(most) * (double)i / (double)(points - 1)) + 0.5);
        if (!j->grid || m > j->unseen[j->grid - 1]) j->unseen[j->grid++] = m;
    }
    for (size_t i = 0; i < j->grid; i++) {
        double below = i ? (j->unseen[i] - j->unseen[i - 1]) / 2 : 0.5,
               above = i + 1 < j->grid ? (j->unseen[i + 1] - j->unseen[i]) / 2 : 0.5;
        j->log_width[i] = log(below + above);
    }
}

su_status su_noised_run(su_context *ctx, const su_overlaps *o, const su_noised_options *options, su_noised *out)
{
    *out = (su_noised) { .chains = options->chains, .draws = options->sweeps, .cells = o->cells, .r_hat = NAN };
    if (o->lists < 2 || o->lists > SU_DGA_LISTS)
        return su_fail(ctx, SU_REFUSED, "an overlap table with noise takes 2 to %d lists, not %u", SU_DGA_LISTS, o->lists);
    size_t points = options->grid ? options->grid : GRID, all = out->chains * out->draws;
    job j = { .ctx = ctx, .o = o, .options = options, .out = out };
    j.delta = options->delta > 0 ? options->delta : ldexp(1, -(int)o->lists);
    j.graphs = su_graphs_enumerate(o->lists, &j.graph);
    j.stride = (unsigned)(1 + j.graphs / GRAPHS_EACH_SWEEP);
    make_grid(&j, points < GRID_MAX ? points : GRID_MAX, fmax(options->most, 1));
    out->N = su_alloc_array(all + 1, sizeof *out->N);
    out->seen = su_alloc_array(all + 1, sizeof *out->seen);
    out->count = su_alloc_array((all + 1) * o->cells, sizeof *out->count);
    su_parallel(ctx, out->chains, run_chain, &j);
    double *logs = su_alloc_array(all + 1, sizeof *logs);
    for (size_t i = 0; i < all; i++) logs[i] = log(fmax(out->N[i], 1));
    out->r_hat = su_split_r_hat(logs, out->chains, out->draws);
    free(logs), free(j.graph), free(j.unseen), free(j.log_width);
    return su_cancelled(ctx) ? su_fail(ctx, SU_CANCELLED, "stopped") : SU_OK;
}

void su_noised_free(su_noised *n)
{
    free(n->N), free(n->seen), free(n->count);
    *n = (su_noised) { 0 };
}
