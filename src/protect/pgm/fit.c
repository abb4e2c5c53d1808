/* fit: L-BFGS on the dual of regularised least squares (model.h). Nocedal & Wright, Numerical Optimization, algorithm 7.4. */
#include "kernels.h"
#include "model.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MEMORY 6u
#define DEFAULT_ENTROPY 1e-6
#define DECREASE 1e-4 /* Armijo */
#define SMALLEST_STEP 1e-12

typedef struct search {
    su_model *m;
    size_t n;
    double tau;
    double *y;           /* answers held to the total */
    uint8_t *impossible; /* cells that are 0 whatever the potentials; NULL = none */
    double *gradient, *direction, *scale;
    double *old, *old_gradient; /* potentials and gradient of the last point accepted */
    double *step[MEMORY], *change[MEMORY], rho[MEMORY];
    uint32_t kept, next;
    double value, error; /* G; sum of gradient^2 / variance */
} search;

static bool known(const search *s, size_t i) { return s->impossible && s->impossible[i]; }

/* Within the tables whose cells sum to the total and that are 0 where impossible, the nearest to the answer. Distances to it and to the
 * answer differ by a constant. */
static void hold_to_total(search *s)
{
    const su_model *m = s->m;
    for (size_t f = 0; f < m->factor_count; f++) {
        size_t first = m->factors[f].offset, cells = m->factors[f].cells;
        double excess = -m->total, variance = 0;
        for (size_t i = first; i < first + cells; i++) {
            if (known(s, i)) continue;
            excess += m->answer[i];
            variance += m->variance[i];
        }
        for (size_t i = first; i < first + cells; i++) s->y[i] = known(s, i) ? 0 : m->answer[i] - m->variance[i] * (excess / variance);
    }
}

/* G and its gradient at the model's potentials. */
static void evaluate(search *s)
{
    su_model *m = s->m;
    s->value = m->total * su_model_infer(m);
    s->error = 0;
    double value = 0, error = 0;
    for (size_t i = 0; i < s->n; i++) {
        s->gradient[i] = 0;
        if (known(s, i)) continue;
        double theta = m->potential[i], pull = s->tau * m->variance[i] * theta;
        double g = m->total * m->share[i] - s->y[i] + pull;
        value += theta * (0.5 * pull - s->y[i]);
        error += g * g / m->variance[i];
        s->gradient[i] = g;
    }
    s->value += value;
    s->error = error;
}

/* Inverse curvature of G along each potential if it were alone: theta moves by about (y - mu) / max(mu, y). */
static void set_scale(search *s)
{
    const su_model *m = s->m;
    for (size_t i = 0; i < s->n; i++) {
        double mu = m->total * m->share[i], size = mu > s->y[i] ? mu : s->y[i];
        s->scale[i] = 1 / (size + s->tau * m->variance[i] + 1e-9);
    }
}

static void choose_direction(search *s)
{
    double *d = s->direction, alpha[MEMORY];
    memcpy(d, s->gradient, s->n * sizeof *d);
    for (uint32_t k = 0; k < s->kept; k++) {
        uint32_t i = (s->next + MEMORY - 1 - k) % MEMORY;
        alpha[i] = s->rho[i] * su_dot(s->step[i], d, s->n);
        su_add_scaled(-alpha[i], s->change[i], s->n, d);
    }
    double gamma = 1;
    if (s->kept) {
        uint32_t i = (s->next + MEMORY - 1) % MEMORY;
        double weighted = 0;
        for (size_t j = 0; j < s->n; j++) weighted += s->change[i][j] * s->change[i][j] * s->scale[j];
        gamma = 1 / (s->rho[i] * weighted);
    }
    for (size_t j = 0; j < s->n; j++) d[j] *= gamma * s->scale[j];
    for (uint32_t k = s->kept; k-- > 0;) {
        uint32_t i = (s->next + MEMORY - 1 - k) % MEMORY;
        double beta = s->rho[i] * su_dot(s->change[i], d, s->n);
        su_add_scaled(alpha[i] - beta, s->step[i], s->n, d);
    }
    for (size_t j = 0; j < s->n; j++) d[j] = -d[j];
}

/* Halves the step until G falls enough. False when no step helps: the optimum to within rounding. */
static bool move(search *s, uint32_t *left)
{
    su_model *m = s->m;
    double slope = su_dot(s->gradient, s->direction, s->n), before = s->value, error = s->error, length = 1;
    memcpy(s->old, m->potential, s->n * sizeof *s->old);
    memcpy(s->old_gradient, s->gradient, s->n * sizeof *s->old);
    while (slope < 0 && *left > 0 && length > SMALLEST_STEP) {
        for (size_t j = 0; j < s->n; j++) m->potential[j] = s->old[j] + length * s->direction[j];
        evaluate(s);
        --*left;
        if (s->value <= before + DECREASE * length * slope) return true;
        /* The parabola through both values and the slope has its foot here. */
        double foot = -slope * length / (2 * (s->value - before - length * slope)) * length;
        length = foot > 0.1 * length && foot < 0.5 * length ? foot : foot <= 0.1 * length ? 0.1 * length : 0.5 * length;
    }
    memcpy(m->potential, s->old, s->n * sizeof *s->old);
    memcpy(s->gradient, s->old_gradient, s->n * sizeof *s->old);
    s->value = before;
    s->error = error;
    return false;
}

static void remember(search *s)
{
    double *step = s->step[s->next], *change = s->change[s->next];
    for (size_t j = 0; j < s->n; j++) {
        step[j] = s->m->potential[j] - s->old[j];
        change[j] = s->gradient[j] - s->old_gradient[j];
    }
    double curvature = su_dot(step, change, s->n);
    if (!(curvature > 0)) return;
    s->rho[s->next] = 1 / curvature;
    s->next = (s->next + 1) % MEMORY;
    s->kept = s->kept < MEMORY ? s->kept + 1 : MEMORY;
}

static double *search_init(search *s, su_model *m, double kappa)
{
    size_t n = m->cells;
    double least = INFINITY, *block = su_alloc_array(n, (6 + 2 * MEMORY) * sizeof *block), *at = block;
    *s = (search) { .m = m, .n = n };
    double **arrays[] = { &s->y, &s->gradient, &s->direction, &s->scale, &s->old, &s->old_gradient };
    for (size_t k = 0; k < 6; k++, at += n) *arrays[k] = at;
    for (uint32_t k = 0; k < MEMORY; k++) {
        s->step[k] = at, at += n;
        s->change[k] = at, at += n;
    }
    if (m->bar_count) {
        s->impossible = su_alloc(n);
        for (size_t f = 0; f < m->factor_count; f++) su_model_barred(m, m->factors[f].set, s->impossible + m->factors[f].offset);
    }
    for (size_t i = 0; i < n; i++) least = m->variance[i] < least ? m->variance[i] : least;
    s->tau = kappa / sqrt(least);
    return block;
}

void su_model_fit(su_model *m, const su_fit_options *options, su_fit *out)
{
    search s;
    double *block = search_init(&s, m, options->entropy > 0 ? options->entropy : DEFAULT_ENTROPY);
    double enough = options->tolerance * options->tolerance * (double)s.n;
    uint32_t left = options->most;
    hold_to_total(&s);
    evaluate(&s);
    while (left > 0 && s.error > enough) {
        set_scale(&s);
        choose_direction(&s);
        if (!move(&s, &left)) {
            if (s.kept == 0) break;
            s.kept = 0; /* once more with the diagonal alone */
            continue;
        }
        remember(&s);
    }
    su_model_infer(m);
    *out = (su_fit) { .evaluations = options->most - left, .gap = 0.5 * s.error, .converged = s.error <= enough };
    for (size_t i = 0; i < s.n; i++) {
        double off = m->total * m->share[i] - s.y[i];
        out->loss += 0.5 * off * off / m->variance[i];
    }
    free(block);
    free(s.impossible);
}
