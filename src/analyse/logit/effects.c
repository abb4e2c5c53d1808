#include "logit/effects.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "numeric/matrix.h"
#include "numeric/special.h"

su_average su_average_new(uint32_t columns) { return (su_average) { 0, su_alloc_array((size_t)columns + 1, sizeof(double)) }; }

void su_average_free(su_average *a)
{
    free(a->gradient);
    *a = (su_average) { 0 };
}

void su_average_subtract(su_average *a, const su_average *b, uint32_t columns)
{
    a->value -= b->value;
    for (uint32_t j = 0; j < columns; j++) a->gradient[j] -= b->gradient[j];
}

/* Blocks keep the gradient's plain sums short. */
static void average(const su_units *u, const double *beta, const su_setting *settings, const su_variable *slope_of, su_average *out)
{
    enum { BLOCK = 4096 };
    uint32_t p = u->x->columns;
    su_sparse s = su_sparse_new(u->x), d = su_sparse_new(u->x);
    double *block = su_alloc_array(p, sizeof *block);
    su_sum value = { 0 }, total = { 0 };
    memset(out->gradient, 0, p * sizeof *out->gradient);
    for (uint64_t i = 0; i < u->n; i++) {
        double w = su_units_weight(u, i);
        su_predictors_row(u->x, u->row[i], settings, &s);
        double eta = su_sparse_dot(&s, beta) + su_predictors_offset(u->x, u->row[i], settings);
        su_mean m = su_family_mean(u->family, eta);
        su_sum_add(&total, w);
        if (slope_of) {
            su_predictors_slope(u->x, u->row[i], settings, slope_of, &d);
            double change = su_sparse_dot(&d, beta);
            su_sum_add(&value, w * m.slope * change);
            su_sparse_axpy(&s, w * su_family_curvature(u->family, eta) * change, block);
            su_sparse_axpy(&d, w * m.slope, block);
        } else {
            su_sum_add(&value, w * m.mu);
            su_sparse_axpy(&s, w * m.slope, block);
        }
        if ((i + 1) % BLOCK != 0 && i + 1 < u->n) continue;
        for (uint32_t j = 0; j < p; j++) out->gradient[j] += block[j];
        memset(block, 0, p * sizeof *block);
    }
    double weight = su_sum_of(&total);
    out->value = su_sum_of(&value) / weight;
    for (uint32_t j = 0; j < p; j++) out->gradient[j] /= weight;
    su_sparse_free(&s);
    su_sparse_free(&d);
    free(block);
}

enum { NODES = 40 };
typedef struct mixture {
    double sigma, shift[NODES], share[NODES]; /* sigma u, phi(u) du */
} mixture;

static mixture mixture_of(double sigma)
{
    double z[NODES], w[NODES];
    mixture m = { .sigma = sigma };
    su_gauss_hermite(NODES, z, w);
    for (int q = 0; q < NODES; q++) {
        m.shift[q] = sigma * M_SQRT2 * z[q];
        m.share[q] = w[q] / sqrt(M_PI);
    }
    return m;
}

/* The averaged mean, its first and second derivative, and those of the first two along log sigma. */
typedef struct averaged {
    double mean, slope, curve, mean_by_sigma, slope_by_sigma;
} averaged;

static averaged averaged_at(const mixture *m, double eta)
{
    averaged a = { 0 };
    for (int q = 0; q < NODES; q++) {
        double at = eta + m->shift[q];
        su_mean one = su_family_mean(SU_FAMILY_LOGIT, at);
        double curve = one.slope * (1 - 2 * one.mu);
        a.mean += m->share[q] * one.mu;
        a.slope += m->share[q] * one.slope;
        a.curve += m->share[q] * curve;
        a.mean_by_sigma += m->share[q] * one.slope * m->shift[q];
        a.slope_by_sigma += m->share[q] * curve * m->shift[q];
    }
    return a;
}

void su_average_population(const su_units *u, const double *theta, double sigma, const su_setting *settings, const su_variable *slope_of,
                           su_average *out)
{
    uint32_t p = u->x->columns;
    mixture m = mixture_of(sigma);
    su_sparse s = su_sparse_new(u->x), d = su_sparse_new(u->x);
    su_sum value = { 0 }, total = { 0 }, along = { 0 };
    memset(out->gradient, 0, ((size_t)p + 1) * sizeof *out->gradient);
    for (uint64_t i = 0; i < u->n; i++) {
        double w = su_units_weight(u, i);
        su_predictors_row(u->x, u->row[i], settings, &s);
        averaged a = averaged_at(&m, su_sparse_dot(&s, theta) + su_predictors_offset(u->x, u->row[i], settings));
        su_sum_add(&total, w);
        if (slope_of) {
            su_predictors_slope(u->x, u->row[i], settings, slope_of, &d);
            double change = su_sparse_dot(&d, theta);
            su_sum_add(&value, w * a.slope * change);
            su_sum_add(&along, w * a.slope_by_sigma * change);
            su_sparse_axpy(&s, w * a.curve * change, out->gradient);
            su_sparse_axpy(&d, w * a.slope, out->gradient);
        } else {
            su_sum_add(&value, w * a.mean);
            su_sum_add(&along, w * a.mean_by_sigma);
            su_sparse_axpy(&s, w * a.slope, out->gradient);
        }
    }
    double weight = su_sum_of(&total);
    out->value = su_sum_of(&value) / weight;
    out->gradient[p] = su_sum_of(&along);
    for (uint32_t j = 0; j <= p; j++) out->gradient[j] /= weight;
    su_sparse_free(&s);
    su_sparse_free(&d);
}

void su_average_mean(const su_units *u, const double *beta, const su_setting *settings, su_average *out)
{
    average(u, beta, settings, NULL, out);
}

void su_average_slope(const su_units *u, const double *beta, const su_setting *settings, const su_variable *variable, su_average *out)
{
    average(u, beta, settings, variable, out);
}

double su_profile_link(const su_predictors *x, const double *beta, const su_setting *settings, double *gradient)
{
    su_sparse s = su_sparse_new(x);
    su_predictors_row(x, x->rows[0], settings, &s);
    double eta = su_sparse_dot(&s, beta) + su_predictors_offset(x, x->rows[0], settings);
    memset(gradient, 0, x->columns * sizeof *gradient);
    su_sparse_axpy(&s, 1, gradient);
    su_sparse_free(&s);
    return eta;
}

bool su_settings_complete(const su_predictors *x, const su_setting *settings)
{
    for (uint32_t a = 0; a < x->formula->atom_count; a++)
        if (!settings[a].set) return false;
    return true;
}

static size_t next_pair(su_str text, size_t at, su_str *key, su_str *value)
{
    size_t equals = at, end;
    while (equals < text.n && text.p[equals] != '=' && text.p[equals] != ',') equals++;
    *key = su_str_trim((su_str) { text.p + at, equals - at });
    if (equals >= text.n || text.p[equals] == ',') {
        *value = (su_str) { NULL, 0 };
        return equals < text.n ? equals + 1 : equals;
    }
    size_t start = equals + 1;
    while (start < text.n && text.p[start] == ' ') start++;
    if (start < text.n && text.p[start] == '"') {
        end = ++start;
        while (end < text.n && text.p[end] != '"') end++;
        *value = (su_str) { text.p + start, end - start };
        while (end < text.n && text.p[end] != ',') end++;
    } else {
        end = start;
        while (end < text.n && text.p[end] != ',') end++;
        *value = su_str_trim((su_str) { text.p + start, end - start });
    }
    return end < text.n ? end + 1 : end;
}

su_status su_profile_parse(su_context *ctx, const su_predictors *x, su_str text, su_setting *settings, uint32_t *set, const char **last)
{
    *set = 0;
    *last = NULL;
    for (size_t at = 0; at < text.n;) {
        su_str key, value;
        at = next_pair(text, at, &key, &value);
        if (!value.p || key.n == 0)
            return su_fail(ctx, SU_USAGE,
                           "Profile '%.*s': VARIABLE=VALUE is expected, separated by commas, for example route=CMR,sex=male.", (int)text.n,
                           text.p);
        su_status s = su_settings_put(ctx, x, key, value, settings);
        if (s != SU_OK) return s;
        ++*set;
        for (uint32_t a = 0; a < x->formula->atom_count; a++)
            if (su_str_equal(su_str_of(x->atoms[a].variable->name), key)) *last = x->atoms[a].variable->name;
    }
    if (*set == 0) return su_fail(ctx, SU_USAGE, "An empty profile. Write VARIABLE=VALUE,... for example route=CMR,sex=male.");
    return SU_OK;
}
