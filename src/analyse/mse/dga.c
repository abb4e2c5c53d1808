#include "mse/dga.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "mse/lattice.h"
#include "mse/peaks.h"
#include "numeric/special.h"

enum { SUBSETS = 1 << SU_DGA_LISTS, BLOCK = 128, COARSE = 256 };
static const double NEGLIGIBLE = -50;

/* ---- graphs ---- */

static bool is_clique(unsigned set, const unsigned *neighbours)
{
    for (unsigned bits = set; bits; bits &= bits - 1) {
        unsigned v = (unsigned)__builtin_ctz(bits);
        if ((set & ~(1u << v)) & ~neighbours[v]) return false;
    }
    return true;
}

/* Takes out vertices whose neighbours are all joined, one by one; false when none is left to take: the graph has a chordless circle. The
 * probability is the product of p(vertex and neighbours) / p(neighbours); what does not cancel are cliques and separators. */
static bool factor_graph(unsigned lists, su_graph *g)
{
    unsigned neighbours[SU_DGA_LISTS] = { 0 }, left = (1u << lists) - 1, bit = 0;
    int power[SUBSETS] = { [0] = 1 }; /* the last vertex has no neighbours left: that empty set is nobody's separator */
    for (unsigned i = 0; i < lists; i++) {
        for (unsigned j = i + 1; j < lists; j++, bit++) {
            if (!(g->edges >> bit & 1)) continue;
            neighbours[i] |= 1u << j;
            neighbours[j] |= 1u << i;
        }
    }
    for (unsigned k = 0; k < lists; k++) {
        unsigned v = 0;
        while (v < lists && !(left >> v & 1 && is_clique(neighbours[v] & left, neighbours))) v++;
        if (v == lists) return false;
        left &= ~(1u << v);
        power[(neighbours[v] & left) | 1u << v]++;
        power[neighbours[v] & left]--;
    }
    for (unsigned a = 0; a < 1u << lists; a++) {
        for (int i = 0; i < power[a]; i++) g->clique[g->cliques++] = (uint16_t)a;
        for (int i = 0; i < -power[a]; i++) g->separator[g->separators++] = (uint16_t)a;
    }
    return true;
}

size_t su_graphs_enumerate(unsigned lists, su_graph **out)
{
    unsigned pairs = lists * (lists - 1) / 2;
    size_t count = 0, capacity = 0;
    *out = NULL;
    for (uint32_t edges = 0; edges < 1u << pairs; edges++) {
        su_graph g = { .edges = (uint16_t)edges };
        if (!factor_graph(lists, &g)) continue;
        *out = su_grow(*out, &capacity, count + 1, sizeof **out);
        (*out)[count++] = g;
    }
    return count;
}

/* ---- the marginal likelihood ---- */

typedef struct tables {
    unsigned lists;
    double n, delta;
    double constant[SUBSETS]; /* of margin A: cells that the unseen do not touch, less the prior's */
    double none[SUBSETS];     /* people on no list of A, plus the prior: what lgamma grows from */
    double total;             /* prior people in all cells */
} tables;

static void margins(const su_overlaps *o, double delta, tables *t)
{
    *t = (tables) { .lists = o->lists, .n = (double)o->n, .delta = delta, .total = delta * (double)o->cells };
    for (unsigned a = 0; a < o->cells; a++) {
        double margin[SUBSETS] = { 0 }, prior = delta * ldexp(1, (int)o->lists - __builtin_popcount(a));
        for (size_t w = 1; w < o->cells; w++) margin[w & a] += (double)o->counts[w];
        for (unsigned cell = 0; cell < o->cells; cell++) {
            if (cell & ~a) continue;
            if (cell) t->constant[a] += su_lgamma(margin[cell] + prior);
            t->constant[a] -= su_lgamma(prior);
        }
        t->none[a] = margin[0] + prior;
    }
}

/* log of the multinomial coefficient and the prior of m, and the one total that cliques minus separators leave. */
static double base(const tables *t, const su_dga_options *o, double m)
{
    double prior = o->log_prior ? o->log_prior(o->arg, m, t->n) : -log(t->n + m);
    return su_lgamma(t->total) - su_lgamma(t->n + m + t->total) + su_lgamma(t->n + m + 1) - su_lgamma(m + 1) + prior;
}

static double log_of_graph(const su_graph *g, const double *margin)
{
    double sum = 0;
    for (unsigned c = 0; c < g->cliques; c++) sum += margin[g->clique[c]];
    for (unsigned s = 0; s < g->separators; s++) sum -= margin[g->separator[s]];
    return sum;
}

/* Best value of each graph on a grid of m; the best of all. */
static double coarse_pass(const tables *t, const su_dga_options *o, const su_dga *d, double *best)
{
    double top = -INFINITY;
    size_t stride = d->points / COARSE + 1;
    for (size_t g = 0; g < d->graphs; g++) best[g] = -INFINITY;
    for (size_t i = 0; i < d->points; i += stride) {
        double m = (double)(o->least + (int64_t)i * o->step), margin[SUBSETS], start = base(t, o, m);
        for (unsigned a = 0; a < 1u << t->lists; a++) margin[a] = t->constant[a] + su_lgamma(t->none[a] + m);
        for (size_t g = 0; g < d->graphs; g++) best[g] = fmax(best[g], start + log_of_graph(&d->graph[g], margin));
    }
    for (size_t g = 0; g < d->graphs; g++) top = fmax(top, best[g]);
    return top;
}

typedef struct block {
    double margin[SUBSETS][BLOCK], base[BLOCK];
} block;

/* lgamma grows by a logarithm from m to m + 1; every block starts anew, so rounding cannot pile up. */
static void fill_block(const tables *t, const su_dga_options *o, double first, size_t count, block *b)
{
    for (unsigned a = 0; a < 1u << t->lists; a++) {
        double x = t->none[a] + first;
        b->margin[a][0] = t->constant[a] + su_lgamma(x);
        for (size_t i = 1; i < count; i++) {
            double at = x + (double)i * (double)o->step;
            b->margin[a][i] = o->step == 1 ? b->margin[a][i - 1] + log(at - 1) : t->constant[a] + su_lgamma(at);
        }
    }
    for (size_t i = 0; i < count; i++) b->base[i] = base(t, o, first + (double)i * (double)o->step);
}

static void add_graph(const su_graph *g, const block *b, size_t count, double top, double *posterior, double *weight)
{
    double sum[BLOCK], total = 0;
    memcpy(sum, b->base, count * sizeof *sum);
    for (unsigned c = 0; c < g->cliques; c++)
        for (size_t i = 0; i < count; i++) sum[i] += b->margin[g->clique[c]][i];
    for (unsigned s = 0; s < g->separators; s++)
        for (size_t i = 0; i < count; i++) sum[i] -= b->margin[g->separator[s]][i];
    for (size_t i = 0; i < count; i++) {
        double x = sum[i] - top;
        if (x < NEGLIGIBLE) continue;
        x = exp(x);
        posterior[i] += x;
        total += x;
    }
    *weight += total;
}

typedef struct blocks {
    const tables *t;
    const su_dga_options *o;
    su_dga *d;
    const double *best;
    double top;
    double *weight; /* chunk by graph, so that sums do not depend on threads */
    size_t per_chunk;
} blocks;

static void run_chunk(void *arg, size_t chunk, unsigned worker)
{
    blocks *b = arg;
    block *work = su_alloc(sizeof *work);
    (void)worker;
    size_t end = (chunk + 1) * b->per_chunk < b->d->points ? (chunk + 1) * b->per_chunk : b->d->points;
    for (size_t at = chunk * b->per_chunk; at < end; at += BLOCK) {
        size_t count = end - at < BLOCK ? end - at : BLOCK;
        fill_block(b->t, b->o, (double)(b->o->least + (int64_t)at * b->o->step), count, work);
        for (size_t g = 0; g < b->d->graphs; g++)
            if (b->best[g] - b->top > NEGLIGIBLE)
                add_graph(&b->d->graph[g], work, count, b->top, b->d->posterior + at, &b->weight[chunk * b->d->graphs + g]);
    }
    free(work);
}

static unsigned count_peaks(const su_dga *d)
{
    enum { BINS = 200 };
    double bin[BINS] = { 0 };
    su_peak peak[SU_PEAKS_MAX];
    for (size_t i = 0; i < d->points; i++) bin[i * BINS / d->points] += d->posterior[i];
    return su_peaks_of(bin, BINS, 0.05, peak);
}

static void summarise(su_dga *d)
{
    double total = 0, mean = 0, square = 0, top = -1;
    for (size_t i = 0; i < d->points; i++) total += d->posterior[i];
    for (size_t i = 0; i < d->points; i++) {
        double p = d->posterior[i] /= total, x = (double)((int64_t)i * d->step);
        mean += p * x;
        square += p * x * x;
        if (p > top) top = p, d->mode = d->first + (int64_t)i * d->step;
    }
    for (size_t g = 0; g < d->graphs; g++) d->weight[g] /= total;
    d->mean = (double)d->first + mean;
    d->sd = sqrt(fmax(0, square - mean * mean));
    d->peaks = count_peaks(d);
}

su_status su_dga_run(su_context *ctx, const su_overlaps *o, const su_dga_options *options, su_dga *out)
{
    enum { CHUNKS = 64 };
    tables t;
    *out = (su_dga) { 0 };
    if (o->lists < 2 || o->lists > SU_DGA_LISTS)
        return su_fail(ctx, SU_REFUSED, "the average over decomposable graphs takes 2 to %d lists, not %u", SU_DGA_LISTS, o->lists);
    if (options->least < 0 || options->step < 1 || options->most < options->least ||
        (options->most - options->least) / options->step > 20000000)
        return su_fail(ctx, SU_REFUSED,
                       "the largest number of people (--bound) must lie above the %lld who were seen, and below 20 million more",
                       (long long)o->n);
    margins(o, options->delta > 0 ? options->delta : ldexp(1, -(int)o->lists), &t);
    out->points = (size_t)((options->most - options->least) / options->step) + 1;
    out->first = o->n + options->least;
    out->step = options->step;
    out->posterior = su_alloc_array(out->points, sizeof *out->posterior);
    out->graphs = su_graphs_enumerate(o->lists, &out->graph);
    out->weight = su_alloc_array(out->graphs, sizeof *out->weight);
    double *best = su_alloc_array(out->graphs, sizeof *best);
    blocks b = { .t = &t, .o = options, .d = out, .best = best };
    b.top = coarse_pass(&t, options, out, best);
    b.weight = su_alloc_array(CHUNKS * out->graphs, sizeof *b.weight);
    b.per_chunk = ((out->points + CHUNKS - 1) / CHUNKS + BLOCK - 1) / BLOCK * BLOCK;
    su_parallel(ctx, (out->points + b.per_chunk - 1) / b.per_chunk, run_chunk, &b);
    for (size_t c = 0; c < CHUNKS; c++)
        for (size_t g = 0; g < out->graphs; g++) out->weight[g] += b.weight[c * out->graphs + g];
    summarise(out);
    free(b.weight);
    free(best);
    return SU_OK;
}

void su_dga_free(su_dga *d)
{
    free(d->posterior), free(d->graph), free(d->weight);
    *d = (su_dga) { 0 };
}

double su_dga_quantile(const su_dga *d, double p)
{
    double sum = 0;
    for (size_t i = 0; i < d->points; i++)
        if ((sum += d->posterior[i]) >= p - 1e-12) return (double)(d->first + (int64_t)i * d->step);
    return d->points ? (double)(d->first + (int64_t)(d->points - 1) * d->step) : NAN;
}
