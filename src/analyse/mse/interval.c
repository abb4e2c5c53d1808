#include "mse/interval.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "numeric/matrix.h"
#include "numeric/special.h"

double su_wald_limit(const su_mse_lattice *l, const su_fit *f, double z) { return l->n + f->unseen * exp(z * sqrt(f->variance)); }

double su_wald_total_limit(const su_mse_lattice *l, const su_fit *f, double z)
{
    return l->n + f->unseen * exp(z * sqrt(f->variance + 1 / f->unseen));
}

double su_N_error(const su_fit *f, bool poisson) { return sqrt(f->unseen * f->unseen * f->variance + (poisson ? f->unseen : 0)); }

/* ---- profile likelihood ---- */

typedef struct profile {
    su_mse_lattice *l;
    const su_model *m;
    double *count, *start, n, saturated; /* of the cells with people */
} profile;

/* Multinomial log likelihood with N - n unseen, up to a constant; Stirling's formula to second order beyond 100. */
static double at(profile *p, double N)
{
    double unseen = fmax(N - p->n, 0), c;
    p->count[0] = unseen;
    su_mse_lattice_set(p->l, p->count, true);
    su_fit f = su_fit_fast(p->l, p->m, p->start[0] != 0 ? p->start : NULL);
    if (f.code) return -INFINITY;
    memcpy(p->start, p->l->beta, p->m->count * sizeof *p->start);
    double saturated = p->saturated - unseen + (unseen > 0 ? unseen * log(unseen) : 0);
    if (unseen < 1.5)
        c = -N + 0.5 * log(2 * M_PI * N);
    else
        c = unseen - N - 0.5 * log(unseen / N);
    return f.log_likelihood - saturated + c;
}

/* Golden section on a bracket; the likelihood has one top. */
static double top_of(profile *p, double low, double high)
{
    const double ratio = 0.6180339887498949;
    double a = high - ratio * (high - low), b = low + ratio * (high - low), fa = at(p, a), fb = at(p, b);
    while (high - low > 1e-7 * fmax(1, low - p->n)) {
        if (fa >= fb) {
            high = b, b = a, fb = fa;
            fa = at(p, a = high - ratio * (high - low));
        } else {
            low = a, a = b, fa = fb;
            fb = at(p, b = low + ratio * (high - low));
        }
    }
    return (low + high) / 2;
}

/* Where the likelihood crosses `level` between an inner point above it and an outer one below. */
static double crossing(profile *p, double inner, double outer, double level)
{
    for (int i = 0; i < 60 && fabs(outer - inner) > 1e-9 * fmax(1, inner - p->n); i++) {
        double middle = (inner + outer) / 2;
        if (at(p, middle) >= level)
            inner = middle;
        else
            outer = middle;
    }
    return (inner + outer) / 2;
}

su_profile su_profile_interval(su_mse_lattice *l, const su_model *m, const su_fit *f, double level)
{
    su_profile out = { .N = NAN, .low = NAN, .high = NAN };
    profile p = { .l = l, .m = m, .n = l->n, .saturated = -l->n };
    if (f->code || !isfinite(f->N)) return out;
    p.count = su_alloc_array(l->cells, sizeof *p.count);
    p.start = su_alloc_array(SU_TERMS_MAX, sizeof *p.start);
    memcpy(p.count, l->count, l->cells * sizeof *p.count);
    for (unsigned i = 0; i < l->positive_count; i++) p.saturated += l->count[l->positive[i]] * log(l->count[l->positive[i]]);
    double spread = fmax(su_N_error(f, true), 1), low = fmax(p.n, f->N - spread), high = f->N + spread, limit = 1000 * p.n;
    out.N = top_of(&p, low, high);
    double drop = at(&p, out.N) - su_chi2_quantile(level, 1) / 2;
    out.low = at(&p, p.n) >= drop ? p.n : crossing(&p, out.N, p.n, drop);
    for (high = out.N + 2 * spread; high < limit && at(&p, high) >= drop;) high = out.N + 2 * (high - out.N);
    out.high = high < limit ? crossing(&p, out.N, high, drop) : INFINITY;
    p.count[0] = 0;
    su_mse_lattice_set(l, p.count, false);
    free(p.count);
    free(p.start);
    return out;
}

/* ---- bias, empty overlaps ---- */

double su_fit_bias(const su_mse_lattice *l, const su_model *m, const su_fit *f)
{
    unsigned p = l->kept_count;
    double *leverage = su_alloc_array(l->cells, sizeof *leverage), *x = su_alloc_array(p, sizeof *x), psi[SU_TERMS_MAX];
    double *inverse = su_alloc_array((size_t)p * p, sizeof *inverse);
    su_cholesky_inverse(l->information, p, NULL, inverse);
    for (size_t w = 0; w < l->cells; w++) {
        if (!l->active[w]) continue;
        for (unsigned i = 0; i < p; i++) x[i] = (w & m->term[l->kept[i]]) == m->term[l->kept[i]];
        leverage[w] = l->mu[w] * su_quadratic(inverse, x, p);
    }
    su_superset_sums(leverage, l->lists);
    double first = 0;
    for (unsigned i = 0; i < p; i++) {
        psi[i] = leverage[m->term[l->kept[i]]] - (i == 0);
        first -= inverse[i] * psi[i];
    }
    free(leverage), free(x), free(inverse);
    return 0.5 * f->unseen * first;
}

double su_empty_p(su_mse_lattice *l, const su_model *m, unsigned term)
{
    su_model without = *m;
    su_model_remove(&without, term);
    su_fit f = su_fit_fast(l, &without, NULL);
    return f.code ? NAN : exp(-l->sum[term]);
}
