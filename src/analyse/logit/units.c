/* Identical rows become one, and sums run over what is left. */
#include "logit/fit.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "numeric/matrix.h"

enum { TRIAL = 65536, CHUNKS = 16, SMALL = 20000, FLUSH = 32 };
static const uint64_t MOST_STORED = 128u << 20; /* bytes */

static uint64_t bits(double x)
{
    uint64_t u;
    x += 0.0; /* minus zero is zero */
    memcpy(&u, &x, sizeof u);
    return u;
}

static uint64_t key_of(const su_predictors_atom *a, uint32_t row)
{
    return a->factor ? a->position[su_frame_level(a->variable, row)] : bits(a->number[a->variable->ids ? a->variable->ids[row] : row]);
}

static uint64_t hash_of(const su_predictors *x, uint32_t row, double y)
{
    uint64_t h = bits(y) * 0x9E3779B97F4A7C15u;
    for (uint32_t a = 0; a < x->formula->atom_count; a++) h = (h ^ (h >> 29) ^ key_of(&x->atoms[a], row)) * 0xBF58476D1CE4E5B9u;
    return h ^ (h >> 32);
}

static bool same(const su_predictors *x, uint32_t a, uint32_t b)
{
    for (uint32_t i = 0; i < x->formula->atom_count; i++)
        if (key_of(&x->atoms[i], a) != key_of(&x->atoms[i], b)) return false;
    return true;
}

/* False when more than half of the first rows are different: then nothing is gained. */
static bool collapse(su_units *u, const double *weight)
{
    const su_predictors *x = u->x;
    size_t size = 1024;
    while (size < x->row_count * 2) size *= 2;
    uint32_t *slots = su_alloc_array(size, sizeof *slots);
    bool good = true;
    for (uint64_t i = 0; i < x->row_count && good; i++) {
        uint32_t row = x->rows[i];
        double w = weight ? weight[row] : 1;
        if (w == 0) continue;
        size_t at = hash_of(x, row, x->y[i]) & (size - 1);
        while (slots[at] && !(u->y[slots[at] - 1] == x->y[i] && same(x, u->row[slots[at] - 1], row))) at = (at + 1) & (size - 1);
        if (!slots[at]) {
            u->row[u->n] = row;
            u->y[u->n] = x->y[i];
            u->weight[u->n] = 0;
            slots[at] = (uint32_t)++u->n;
        }
        u->weight[slots[at] - 1] += w;
        good = !(i + 1 == TRIAL && u->n > TRIAL / 2);
    }
    free(slots);
    return good;
}

static void room(su_units *u, const su_predictors *x, su_family family)
{
    *u = (su_units) { .x = x, .family = family };
    u->row = su_alloc_array(x->row_count, sizeof *u->row);
    u->y = su_alloc_array(x->row_count, sizeof *u->y);
    u->weight = su_alloc_array(x->row_count, sizeof *u->weight);
}

static void each_row(su_units *u, const double *weight)
{
    u->n = 0;
    for (uint64_t i = 0; i < u->x->row_count; i++) {
        double w = weight ? weight[u->x->rows[i]] : 1;
        if (w == 0) continue;
        u->row[u->n] = u->x->rows[i];
        u->y[u->n] = u->x->y[i];
        u->weight[u->n++] = w;
    }
    if (weight) return;
    free(u->weight);
    u->weight = NULL;
}

/* Dictionaries of numbers are read in any order, which costs more than all sums together: for many units that is done once. */
static void store_rows(su_units *u)
{
    const su_predictors *x = u->x;
    uint32_t fixed = x->fixed_count, rest = x->term_count - fixed;
    bool plain = true;
    for (uint32_t t = 0; t < x->term_count; t++)
        for (uint32_t k = 0; !x->terms[t].fixed && k < x->terms[t].part_count; k++) plain &= x->atoms[x->terms[t].parts[k].atom].factor;
    if (!plain || u->n <= SMALL || u->n * (fixed * sizeof(double) + rest * sizeof(uint16_t)) > MOST_STORED) return;
    u->fixed = su_alloc_array(u->n, (fixed + 1) * sizeof *u->fixed);
    u->rest = su_alloc_array(u->n, (rest + 1) * sizeof *u->rest);
    su_sparse s = su_sparse_new(x);
    for (uint64_t i = 0; i < u->n; i++) {
        su_predictors_split(x, u->row[i], u->fixed + i * fixed, &s);
        for (uint32_t k = 0; k < rest; k++) u->rest[i * rest + k] = k < s.n ? (uint16_t)s.column[k] : UINT16_MAX;
    }
    su_sparse_free(&s);
}

static inline void load_row(const su_units *u, uint64_t i, double *fixed, su_sparse *rest)
{
    if (!u->fixed) {
        su_predictors_split(u->x, u->row[i], fixed, rest);
        return;
    }
    uint32_t f = u->x->fixed_count, terms = u->x->term_count - f;
    const double *from = u->fixed + i * f;
    const uint16_t *columns = u->rest + i * terms;
    for (uint32_t k = 0; k < f; k++) fixed[k] = from[k];
    rest->n = 0;
    for (uint32_t k = 0; k < terms && columns[k] != UINT16_MAX; k++) {
        rest->column[rest->n] = columns[k];
        rest->value[rest->n++] = 1;
    }
}

void su_units_init(su_units *u, const su_predictors *x, su_family family, const double *weight)
{
    room(u, x, family);
    u->collapsed = collapse(u, weight);
    if (!u->collapsed) each_row(u, weight);
    store_rows(u);
}

void su_units_rows(su_units *u, const su_predictors *x, su_family family, const double *weight)
{
    room(u, x, family);
    each_row(u, weight);
}

void su_units_shrink(su_units *u)
{
    free(u->fixed);
    free(u->rest);
    u->fixed = NULL;
    u->rest = NULL;
}

void su_units_free(su_units *u)
{
    su_units_shrink(u);
    free(u->row);
    free(u->y);
    free(u->weight);
    *u = (su_units) { 0 };
}

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

/* ---- sums --------------------------------------------------------------------------------------------------------------------------- */

typedef struct job {
    const su_units *u;
    const double *beta, *delta;
    su_moments *parts;
    uint64_t chunk;
} job;

/* log of a product instead of a sum of logarithms: factors lie in (1, 2], and FLUSH of them in [1, 2^32]. */
typedef struct log_product {
    double product, sum;
    unsigned n;
} log_product;

static inline void log_product_flush(log_product *p)
{
    p->sum += log(p->product);
    p->product = 1;
    p->n = 0;
}

/* Sums of one chunk, in parts by kind of column: fixed columns (an entry in every row) are summed as short vectors. */
typedef double lanes __attribute__((vector_size(32)));
enum { LANES = 4 };

typedef struct tally {
    uint32_t p, n, groups;                     /* columns; fixed ones; vectors of them */
    lanes *fixed, *fixed_score, *both, *mixed; /* groups; groups; n x groups; p x groups */
    su_sparse rest;
    double *fixed_beta, *fixed_delta;
} tally;

static tally tally_open(const su_predictors *x, const double *beta, const double *delta)
{
    tally t = { .p = x->columns, .n = x->fixed_count, .groups = (x->fixed_count + LANES - 1) / LANES, .rest = su_sparse_new(x) };
    size_t groups = t.groups ? t.groups : 1, count = groups * (2 + (size_t)t.n + t.p);
    lanes *room = aligned_alloc(sizeof(lanes), count * sizeof(lanes));
    if (!room) su_out_of_memory(count * sizeof(lanes));
    memset(room, 0, count * sizeof(lanes));
    t.fixed = room;
    t.fixed_score = room + groups;
    t.both = room + 2 * groups;
    t.mixed = room + groups * (2 + (size_t)t.n);
    t.fixed_beta = su_alloc_array(groups * LANES, sizeof(double));
    t.fixed_delta = su_alloc_array(groups * LANES, sizeof(double));
    for (uint32_t i = 0; i < t.n; i++) {
        t.fixed_beta[i] = beta[x->fixed_column[i]];
        if (delta) t.fixed_delta[i] = delta[x->fixed_column[i]];
    }
    return t;
}

static void tally_close(tally *t)
{
    su_sparse_free(&t->rest);
    free(t->fixed);
    free(t->fixed_beta);
    free(t->fixed_delta);
}

static inline double tally_dot(const tally *t, const double *fixed_beta, const double *beta)
{
    double sum = su_sparse_dot(&t->rest, beta);
    const double *fixed = (const double *)t->fixed;
    for (uint32_t i = 0; i < t->n; i++) sum += fixed[i] * fixed_beta[i];
    return sum;
}

static inline void tally_add(tally *t, double residual, double working, su_moments *m)
{
    const double *fixed = (const double *)t->fixed;
    for (uint32_t g = 0; g < t->groups; g++) t->fixed_score[g] += residual * t->fixed[g];
    for (uint32_t i = 0; i < t->n; i++) {
        double x = working * fixed[i];
        for (uint32_t g = 0; g <= i / LANES; g++) t->both[i * t->groups + g] += x * t->fixed[g]; /* the lower triangle */
    }
    for (uint32_t a = 0; a < t->rest.n; a++) {
        uint32_t column = t->rest.column[a];
        double x = working * t->rest.value[a], *line = m->information + (size_t)column * t->p;
        lanes *mixed = t->mixed + (size_t)column * t->groups;
        m->score[column] += residual * t->rest.value[a];
        for (uint32_t g = 0; g < t->groups; g++) mixed[g] += x * t->fixed[g];
        for (uint32_t b = 0; b <= a; b++) line[t->rest.column[b]] += x * t->rest.value[b];
    }
}

/* Everything into the lower triangle of the information. */
static void tally_finish(const tally *t, const su_predictors *x, su_moments *m)
{
    const double *score = (const double *)t->fixed_score, *both = (const double *)t->both, *mixed = (const double *)t->mixed;
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

static void one_chunk(void *arg, size_t index, unsigned worker)
{
    (void)worker;
    const job *j = arg;
    const su_units *u = j->u;
    su_moments *m = &j->parts[index];
    uint64_t from = index * j->chunk, to = from + j->chunk < u->n ? from + j->chunk : u->n;
    bool offset = u->x->formula->offset_count > 0, logit = u->family == SU_FAMILY_LOGIT;
    tally t = tally_open(u->x, j->beta, j->delta);
    log_product product = { 1, 0, 0 };
    su_sum loglik = { 0 };
    for (uint64_t i = from; i < to; i++) {
        load_row(u, i, (double *)t.fixed, &t.rest);
        double eta = tally_dot(&t, t.fixed_beta, j->beta) + (offset ? su_predictors_offset(u->x, u->row[i], NULL) : 0);
        double y = u->y[i], w = su_units_weight(u, i), residual, working;
        if (logit) {
            double e = exp(-fabs(eta)), large = 1 / (1 + e), small = e * large, mu = eta >= 0 ? large : small;
            residual = w * (y - mu);
            working = w * small * large;
            if (w == 1) {
                product.product *= 1 + e;
                if (++product.n == FLUSH) log_product_flush(&product);
            } else {
                product.sum += w * log1p(e);
            }
            su_sum_add(&loglik, w * (eta > 0 ? (y - 1) * eta : y * eta));
        } else {
            su_mean mean = su_family_mean(u->family, eta);
            residual = w * (y - mean.mu) * mean.slope / mean.variance;
            working = w * mean.slope * mean.slope / mean.variance;
            su_sum_add(&loglik, w * su_family_loglik(u->family, y, eta));
        }
        if (j->delta) m->moved = fmax(m->moved, fabs(tally_dot(&t, t.fixed_delta, j->delta)));
        tally_add(&t, residual, working, m);
    }
    log_product_flush(&product);
    m->loglik = su_sum_of(&loglik) - product.sum;
    tally_finish(&t, u->x, m);
    tally_close(&t);
}

void su_units_moments(su_context *ctx, const su_units *u, const double *beta, const double *delta, su_moments *out)
{
    uint32_t p = u->x->columns;
    size_t chunks = u->n > SMALL ? CHUNKS : 1;
    job j = { u, beta, delta, su_alloc_array(chunks, sizeof(su_moments)), (u->n + chunks - 1) / chunks };
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
