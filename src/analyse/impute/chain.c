/* Design rows, augmentation and parameter draws that the models share. */
#include "impute/chain.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static uint32_t width_of(const su_chain_variable *v) { return v->category ? v->categories - 1 : 1; }

uint32_t su_chain_columns(const su_chain_data *d, uint32_t target)
{
    uint32_t columns = 1;
    for (uint32_t j = 0; j < d->count; j++)
        if (j != target && d->variables[j].used) columns += width_of(&d->variables[j]);
    return columns;
}

su_chain_row su_chain_row_of(const su_chain *c, uint32_t target)
{
    const su_chain_data *d = c->data;
    su_chain_row r = { .columns = 1, .part = su_alloc_array(d->count, sizeof *r.part) };
    for (uint32_t j = 0; j < d->count; j++) {
        const su_chain_variable *v = &d->variables[j];
        if (j == target || !v->used || width_of(v) == 0) continue;
        r.part[r.parts++] =
            (struct su_chain_part) { v->category ? NULL : c->number[j], v->category ? c->code[j] : NULL, r.columns, width_of(v) };
        r.columns += width_of(v);
    }
    return r;
}

void su_chain_row_free(su_chain_row *r) { free(r->part); }

su_augment su_augment_of(const su_chain_row *r, const su_chain_variable *v)
{
    uint32_t k = r->columns;
    su_augment a = { .columns = k };
    if (k < 2) return a;
    double *mean = su_alloc_array(k, sizeof *mean), *square = su_alloc_array(k, sizeof *square), *x = su_alloc_array(k, sizeof *x);
    double n = (double)v->observed_count;
    for (uint64_t i = 0; i < v->observed_count; i++) {
        su_chain_fill(r, v->observed[i], x);
        for (uint32_t j = 0; j < k; j++) {
            mean[j] += x[j];
            square[j] += x[j] * x[j];
        }
    }
    a.count = 2 * (k - 1);
    a.weight = (double)k / ((double)a.count * v->categories);
    a.x = su_alloc_array((size_t)a.count * k, sizeof *a.x);
    for (uint32_t j = 0; j < k; j++) mean[j] /= n;
    for (uint32_t j = 1; j < k; j++) {
        double sd = sqrt(fmax(square[j] / n - mean[j] * mean[j], 0));
        for (uint32_t side = 0; side < 2; side++) {
            double *row = a.x + (2 * (size_t)(j - 1) + side) * k;
            memcpy(row, mean, k * sizeof *row);
            row[j] += side ? sd : -sd;
        }
    }
    free(mean);
    free(square);
    free(x);
    return a;
}

void su_augment_free(su_augment *a) { free(a->x); }

void su_chain_draw(su_philox *random, const double *l, size_t n, const bool *kept, const double *mean, double *out)
{
    for (size_t i = 0; i < n; i++) out[i] = su_philox_normal(random);
    for (size_t i = n; i-- > 0;) {
        if (!kept[i]) {
            out[i] = 0;
            continue;
        }
        double z = out[i] /= l[i * n + i];
        for (size_t k = 0; k < i; k++) out[k] -= l[i * n + k] * z;
    }
    for (size_t i = 0; i < n; i++) out[i] += mean[i];
}
