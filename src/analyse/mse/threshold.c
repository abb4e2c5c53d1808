#include "mse/threshold.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "numeric/matrix.h"
#include "numeric/philox.h"

enum { DEGREES = 5, DRAWS = 20000 };

typedef struct weighted {
    double N, weight;
} weighted;

typedef struct posterior {
    size_t draws;
    weighted *draw;
    double mean[SU_TERMS_MAX], sd[SU_TERMS_MAX]; /* of coefficients */
    double effective;
} posterior;

/* Proposals at mode + L'^-1 z * sqrt(nu / chi2): t with the posterior's curvature. */
static void propose(const su_mse_lattice *l, const double *mode, unsigned p, su_philox *r, double *beta, double *log_density)
{
    double z[SU_TERMS_MAX], square = 0, chi = 2 * su_philox_gamma(r, DEGREES / 2.0), scale = sqrt(DEGREES / chi);
    for (unsigned i = 0; i < p; i++) {
        z[i] = su_philox_normal(r) * scale;
        square += z[i] * z[i];
    }
    for (unsigned i = p; i-- > 0;) { /* L' x = z */
        z[i] /= l->information[i * p + i];
        for (unsigned k = 0; k < i; k++) z[k] -= l->information[i * p + k] * z[i];
    }
    for (unsigned i = 0; i < p; i++) beta[i] = mode[i] + z[i];
    *log_density = -0.5 * ((double)DEGREES + p) * log1p(square / DEGREES);
}

/* l holds the fit at the mode with its factored information. */
static void sample(su_mse_lattice *l, const su_model *m, size_t draws, uint64_t seed, uint64_t stream, posterior *out)
{
    unsigned p = l->kept_count;
    double mode[SU_TERMS_MAX], beta[SU_TERMS_MAX], top = -INFINITY, total = 0, square = 0, first[SU_TERMS_MAX] = { 0 },
                                                   second[SU_TERMS_MAX] = { 0 };
    double *coefficients = su_alloc_array(draws * p, sizeof *coefficients);
    su_philox r = su_philox_of(seed, stream);
    *out = (posterior) { .draws = draws, .draw = su_alloc_array(draws, sizeof *out->draw) };
    for (unsigned i = 0; i < p; i++) mode[i] = l->beta[i];
    for (size_t d = 0; d < draws; d++) {
        double density = 0;
        propose(l, mode, p, &r, beta, &density);
        memcpy(coefficients + d * p, beta, p * sizeof *beta);
        double at = su_mse_lattice_log_posterior(l, m, beta) - density;
        out->draw[d].weight = isfinite(at) ? at : -INFINITY;
        out->draw[d].N = l->n + (double)su_philox_poisson(&r, fmin(exp(beta[0]), 1e12));
        top = fmax(top, out->draw[d].weight);
    }
    for (size_t d = 0; d < draws; d++) {
        double w = out->draw[d].weight = exp(out->draw[d].weight - top);
        total += w;
        square += w * w;
        for (unsigned i = 0; i < p; i++) {
            double x = coefficients[d * p + i] - mode[i];
            first[i] += w * x;
            second[i] += w * x * x;
        }
    }
    for (unsigned i = 0; i < p; i++) {
        double mean = first[i] / total;
        out->mean[i] = mode[i] + mean;
        out->sd[i] = sqrt(fmax(0, second[i] / total - mean * mean));
    }
    out->effective = total * total / square;
    for (size_t d = 0; d < draws; d++) out->draw[d].weight /= total;
    free(coefficients);
}

static int compare_weighted(const void *a, const void *b)
{
    const weighted *x = a, *y = b;
    return (x->N > y->N) - (x->N < y->N);
}

static double quantile(const posterior *p, double share)
{
    double sum = 0;
    for (size_t d = 0; d < p->draws; d++)
        if ((sum += p->draw[d].weight) >= share) return p->draw[d].N;
    return p->draw[p->draws - 1].N;
}

static bool fit_and_sample(su_mse_lattice *l, const su_model *m, const su_threshold_options *o, uint64_t stream, posterior *out)
{
    su_fit f = su_fit_posterior(l, m);
    if (f.code) return false;
    sample(l, m, o->draws ? o->draws : DRAWS, o->seed, stream, out);
    return true;
}

void su_threshold_run(su_mse_lattice *l, const su_threshold_options *options, double level, su_threshold *out)
{
    double keep = options->keep > 0 ? options->keep : 2, tail = (1 - level) / 2;
    posterior p;
    su_model all = su_model_main(l->lists);
    *out = (su_threshold) { .model = su_model_main(l->lists) };
    for (unsigned i = 0; i < l->lists; i++)
        for (unsigned j = i + 1; j < l->lists; j++) su_model_add(&all, 1u << i | 1u << j);
    l->prior_variance = options->prior_variance > 0 ? options->prior_variance : 1;
    if (fit_and_sample(l, &all, options, 1, &p)) {
        for (unsigned i = l->lists + 1; i < all.count; i++)
            if (fabs(p.mean[i]) >= keep * p.sd[i]) su_model_add(&out->model, all.term[i]);
        free(p.draw);
        if (fit_and_sample(l, &out->model, options, 2, &p)) {
            qsort(p.draw, p.draws, sizeof *p.draw, compare_weighted);
            for (size_t d = 0; d < p.draws; d++) out->mean += p.draw[d].weight * p.draw[d].N;
            out->median = quantile(&p, 0.5);
            out->low = quantile(&p, tail);
            out->high = quantile(&p, 1 - tail);
            out->effective = p.effective;
            out->good = true;
            free(p.draw);
        }
    }
    l->prior_variance = 0;
}
