/* Sums over the units: log likelihood, score, information. Rows are taken a tile at a time. Columns with an entry in every row are summed
 * as short vectors, sixteen products kept in registers over the rows of a tile; categories touch only the columns they are in. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "logit/fit.h"
#include "numeric/matrix.h"

enum { CHUNKS = 16, FLUSH = 32, TILE = 64, LANES = 4 };

/* The same code twice, for processors with and without AVX2; products and sums are rounded alike in both. */
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#define SU_CLONES __attribute__((target_clones("avx2", "default")))
#else
#define SU_CLONES
#endif

typedef double lanes __attribute__((vector_size(32)));

su_moments su_moments_new(uint32_t columns)
{
    return (su_moments) { .score = su_alloc_array(columns, sizeof(double)),
                          .information = su_alloc_array((size_t)columns * columns, sizeof(double)) };
}

void su_moments_free(su_moments *m)
{
    free(m->score);
    free(m->information);
    *m = (su_moments) { 0 };
}

/* ---- a tile of rows ------------------------------------------------------------------------------------------------------------------ */

typedef struct tally {
    uint32_t p, n, groups, terms; /* columns; fixed ones; vectors of them; terms that are not fixed */
    uint32_t rows;                /* of the tile */
    lanes *x, *weighted;          /* TILE x groups: fixed columns, and times the working weight */
    lanes *beta, *delta;          /* groups, of the fixed columns */
    lanes *score, *both, *mixed;  /* groups; LANES * groups x groups; p x groups */
    uint32_t *column, *entries;   /* TILE x terms; TILE: how many of them */
    double *value;                /* TILE x terms */
    double eta[TILE], moved[TILE], residual[TILE], working[TILE];
} tally;

static void tally_open(tally *t, const su_predictors *x, const double *beta, const double *delta)
{
    *t = (tally) { .p = x->columns, .n = x->fixed_count, .groups = (x->fixed_count + LANES - 1) / LANES };
    if (!t->groups) t->groups = 1;
    t->terms = x->term_count - x->fixed_count + 1;
    size_t g = t->groups, count = g * (2 * TILE + 3 + LANES * g + t->p);
    lanes *room = aligned_alloc(sizeof(lanes), count * sizeof(lanes));
    if (!room) su_out_of_memory(count * sizeof(lanes));
    memset(room, 0, count * sizeof(lanes));
    t->x = room;
    t->weighted = t->x + TILE * g;
    t->beta = t->weighted + TILE * g;
    t->delta = t->beta + g;
    t->score = t->delta + g;
    t->both = t->score + g;
    t->mixed = t->both + LANES * g * g;
    t->column = su_alloc_array((size_t)TILE * t->terms, sizeof *t->column);
    t->value = su_alloc_array((size_t)TILE * t->terms, sizeof *t->value);
    t->entries = su_alloc_array(TILE, sizeof *t->entries);
    for (uint32_t i = 0; i < t->n; i++) {
        ((double *)t->beta)[i] = beta[x->fixed_column[i]];
        if (delta) ((double *)t->delta)[i] = delta[x->fixed_column[i]];
    }
}

static void tally_close(tally *t)
{
    free(t->x);
    free(t->column);
    free(t->value);
    free(t->entries);
}

static void tally_load(tally *t, const su_units *u, uint64_t from, uint64_t to)
{
    uint32_t rest = u->x->term_count - u->x->fixed_count;
    t->rows = (uint32_t)(to - from);
    for (uint32_t r = 0; r < t->rows; r++) {
        double *fixed = (double *)(t->x + (size_t)r * t->groups);
        su_sparse s = { 0, t->column + (size_t)r * t->terms, t->value + (size_t)r * t->terms };
        if (u->fixed) {
            const double *stored = u->fixed + (from + r) * t->n;
            const uint16_t *columns = u->rest + (from + r) * rest;
            for (uint32_t k = 0; k < t->n; k++) fixed[k] = stored[k];
            for (; s.n < rest && columns[s.n] != UINT16_MAX; s.n++) {
                s.column[s.n] = columns[s.n];
                s.value[s.n] = 1;
            }
        } else {
            su_predictors_split(u->x, u->row[from + r], fixed, &s);
        }
        t->entries[r] = s.n;
    }
}

/* out = x'b for every row of the tile. */
SU_CLONES static void tally_dot(const tally *t, const lanes *fixed, const double *b, double *out)
{
    for (uint32_t r = 0; r < t->rows; r++) {
        const lanes *x = t->x + (size_t)r * t->groups;
        const uint32_t *column = t->column + (size_t)r * t->terms;
        const double *value = t->value + (size_t)r * t->terms;
        lanes sum = { 0 };
        double other = 0;
        for (uint32_t g = 0; g < t->groups; g++) sum += x[g] * fixed[g];
        for (uint32_t k = 0; k < t->entries[r]; k++) other += value[k] * b[column[k]];
        out[r] = ((sum[0] + sum[1]) + (sum[2] + sum[3])) + other;
    }
}

/* The fixed columns among themselves: LANES x LANES products at a time, on and below the diagonal. */
static inline void add_products(tally *t)
{
    uint32_t groups = t->groups;
    for (uint32_t i = 0; i < groups; i++)
        for (uint32_t j = 0; j <= i; j++) {
            lanes *to = t->both + (size_t)LANES * i * groups + j;
            lanes a = to[0], b = to[groups], c = to[2 * (size_t)groups], d = to[3 * (size_t)groups];
            for (uint32_t r = 0; r < t->rows; r++) {
                lanes x = t->x[(size_t)r * groups + j], w = t->weighted[(size_t)r * groups + i];
                a += w[0] * x;
                b += w[1] * x;
                c += w[2] * x;
                d += w[3] * x;
            }
            to[0] = a;
            to[groups] = b;
            to[2 * (size_t)groups] = c;
            to[3 * (size_t)groups] = d;
        }
}

SU_CLONES static void tally_add(tally *t, su_moments *m)
{
    uint32_t groups = t->groups;
    for (uint32_t r = 0; r < t->rows; r++) {
        const lanes *x = t->x + (size_t)r * groups;
        lanes *weighted = t->weighted + (size_t)r * groups;
        const uint32_t *column = t->column + (size_t)r * t->terms;
        const double *value = t->value + (size_t)r * t->terms;
        double residual = t->residual[r], working = t->working[r];
        for (uint32_t g = 0; g < groups; g++) {
            t->score[g] += residual * x[g];
            weighted[g] = working * x[g];
        }
        for (uint32_t a = 0; a < t->entries[r]; a++) {
            double v = working * value[a], *line = m->information + (size_t)column[a] * t->p;
            lanes *mixed = t->mixed + (size_t)column[a] * groups;
            m->score[column[a]] += residual * value[a];
            for (uint32_t g = 0; g < groups; g++) mixed[g] += value[a] * weighted[g];
            for (uint32_t b = 0; b <= a; b++) line[column[b]] += v * value[b];
        }
    }
    add_products(t);
}

/* Everything into the lower triangle of the information. */
static void tally_finish(const tally *t, const su_predictors *x, su_moments *m)
{
    const double *score = (const double *)t->score, *both = (const double *)t->both, *mixed = (const double *)t->mixed;
    size_t stride = (size_t)t->groups * LANES;
    for (uint32_t i = 0; i < t->n; i++) {
        uint32_t column = x->fixed_column[i];
        m->score[column] = score[i];
        for (uint32_t k = 0; k <= i; k++) m->information[(size_t)column * t->p + x->fixed_column[k]] = both[i * stride + k];
        for (uint32_t c = 0; c < t->p; c++) {
            double sum = mixed[c * stride + i];
            if (sum == 0) continue;
            uint32_t low = c < column ? c : column, high = c < column ? column : c;
            m->information[(size_t)high * t->p + low] = sum;
        }
    }
}

/* ---- residuals and weights ----------------------------------------------------------------------------------------------------------- */

typedef struct job {
    const su_units *u;
    const double *beta, *delta;
    bool squares;
    su_moments *parts;
    uint64_t chunk;
} job;

/* log of a product instead of a sum of logarithms: factors lie in (1, 2], and FLUSH of them in [1, 2^32]. */
typedef struct likelihood {
    double product, logs;
    unsigned n;
    su_sum sum;
} likelihood;

static inline void flush(likelihood *l)
{
    l->logs += log(l->product);
    l->product = 1;
    l->n = 0;
}

/* Without branches on the sign of eta, which nothing foretells: the mean is small, or 1 - small. */
static void logit_rows(tally *t, const su_units *u, uint64_t from, likelihood *l)
{
    double linear = 0;
    for (uint32_t r = 0; r < t->rows; r++) {
        double y = u->y[from + r], w = su_units_weight(u, from + r), eta = t->eta[r];
        double e = exp(-fabs(eta)), large = 1 / (1 + e), small = e * large;
        double mu = 0.5 + copysign(0.5, eta) - copysign(small, eta);
        t->residual[r] = w * (y - mu);
        t->working[r] = w * small * large;
        if (w == 1) {
            l->product *= 1 + e;
            if (++l->n == FLUSH) flush(l);
        } else {
            l->logs += w * log1p(e);
        }
        linear += w * (y * eta - (eta > 0 ? eta : 0));
    }
    su_sum_add(&l->sum, linear);
}

static void other_rows(tally *t, const su_units *u, uint64_t from, likelihood *l)
{
    for (uint32_t r = 0; r < t->rows; r++) {
        double y = u->y[from + r], w = su_units_weight(u, from + r);
        su_mean mean = su_family_mean(u->family, t->eta[r]);
        t->residual[r] = w * (y - mean.mu) * mean.slope / mean.variance;
        t->working[r] = w * mean.slope * mean.slope / mean.variance;
        su_sum_add(&l->sum, w * su_family_loglik(u->family, y, t->eta[r]));
    }
}

/* Linear predictors, residuals, working weights and log likelihood of the rows loaded. */
static void tally_values(tally *t, const su_units *u, uint64_t from, const double *beta, likelihood *l)
{
    tally_dot(t, t->beta, beta, t->eta);
    for (uint32_t r = 0; u->x->formula->offset_count && r < t->rows; r++) t->eta[r] += su_predictors_offset(u->x, u->row[from + r], NULL);
    if (u->family == SU_FAMILY_LOGIT)
        logit_rows(t, u, from, l);
    else
        other_rows(t, u, from, l);
}

static void one_chunk(void *arg, size_t index, unsigned worker)
{
    (void)worker;
    const job *j = arg;
    const su_units *u = j->u;
    su_moments *m = &j->parts[index];
    uint64_t from = index * j->chunk, to = from + j->chunk < u->n ? from + j->chunk : u->n;
    tally t;
    tally_open(&t, u->x, j->beta, j->delta);
    likelihood l = { .product = 1 };
    for (uint64_t i = from; i < to; i += TILE) {
        tally_load(&t, u, i, i + TILE < to ? i + TILE : to);
        tally_values(&t, u, i, j->beta, &l);
        for (uint32_t r = 0; j->squares && r < t.rows; r++)
            t.working[r] = t.residual[r] * t.residual[r] / (u->collapsed ? su_units_weight(u, i + r) : 1);
        if (j->delta) {
            tally_dot(&t, t.delta, j->delta, t.moved);
            for (uint32_t r = 0; r < t.rows; r++) m->moved = fmax(m->moved, fabs(t.moved[r]));
        }
        tally_add(&t, m);
    }
    flush(&l);
    m->loglik = su_sum_of(&l.sum) - l.logs;
    tally_finish(&t, u->x, m);
    tally_close(&t);
}

static void sums(su_context *ctx, job j, su_moments *out)
{
    uint32_t p = j.u->x->columns;
    size_t chunks = j.u->n > SU_UNITS_SMALL ? CHUNKS : 1;
    j.parts = su_alloc_array(chunks, sizeof(su_moments));
    j.chunk = (j.u->n + chunks - 1) / chunks;
    for (size_t c = 0; c < chunks; c++) j.parts[c] = su_moments_new(p);
    su_parallel(ctx, chunks, one_chunk, &j);
    memset(out->score, 0, p * sizeof(double));
    memset(out->information, 0, (size_t)p * p * sizeof(double));
    out->loglik = out->moved = 0;
    for (size_t c = 0; c < chunks; c++) { /* in their order, whoever computed them */
        out->loglik += j.parts[c].loglik;
        out->moved = fmax(out->moved, j.parts[c].moved);
        for (uint32_t k = 0; k < p; k++) out->score[k] += j.parts[c].score[k];
        for (size_t k = 0; k < (size_t)p * p; k++) out->information[k] += j.parts[c].information[k];
        su_moments_free(&j.parts[c]);
    }
    for (uint32_t a = 0; a < p; a++)
        for (uint32_t b = 0; b < a; b++) out->information[(size_t)b * p + a] = out->information[(size_t)a * p + b];
    free(j.parts);
}

void su_units_moments(su_context *ctx, const su_units *u, const double *beta, const double *delta, su_moments *out)
{
    sums(ctx, (job) { .u = u, .beta = beta, .delta = delta }, out);
}

void su_units_squares(su_context *ctx, const su_units *u, const double *beta, su_moments *out)
{
    sums(ctx, (job) { .u = u, .beta = beta, .squares = true }, out);
}

void su_units_group_sums(const su_units *u, const double *beta, const uint32_t *group, double *totals)
{
    uint32_t p = u->x->columns;
    tally t;
    tally_open(&t, u->x, beta, NULL);
    for (uint64_t i = 0; i < u->n; i += TILE) {
        likelihood unused = { .product = 1 };
        tally_load(&t, u, i, i + TILE < u->n ? i + TILE : u->n);
        tally_values(&t, u, i, beta, &unused);
        for (uint32_t r = 0; r < t.rows; r++) {
            const double *fixed = (const double *)(t.x + (size_t)r * t.groups), *value = t.value + (size_t)r * t.terms;
            const uint32_t *column = t.column + (size_t)r * t.terms;
            double *to = totals + (size_t)group[i + r] * p, residual = t.residual[r];
            for (uint32_t k = 0; k < t.n; k++) to[u->x->fixed_column[k]] += residual * fixed[k];
            for (uint32_t k = 0; k < t.entries[r]; k++) to[column[k]] += residual * value[k];
        }
    }
    tally_close(&t);
}
