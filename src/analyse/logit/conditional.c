#include "logit/conditional.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "numeric/matrix.h"

enum { STEPS = 60, HALVINGS = 40, CENTRE_STEPS = 60 };
static const double SETTLED = 1e-16, LONGEST = 20; /* squared step in standard errors; a linear predictor that runs away */

/* Rows of groups with both outcomes, dense, one group after the other. */
typedef struct work {
    uint32_t p;
    uint64_t n, groups, *start, *events;
    double *x, *y;
    bool *kept;
    double *score, *information, loglik;
    /* of one group: P(k), its first and second derivatives */
    double *chance, *first, *second, *eta;
} work;

/* The factor's logarithm that makes the expected number of successes m. */
static double centre(const double *eta, uint64_t n, double m)
{
    double low = -INFINITY, high = INFINITY, s = log(m / ((double)n - m));
    for (int i = 0; i < CENTRE_STEPS; i++) {
        double sum = -m, slope = 0;
        for (uint64_t r = 0; r < n; r++) {
            double p = 1 / (1 + exp(-(eta[r] + s)));
            sum += p;
            slope += p * (1 - p);
        }
        *(sum > 0 ? &high : &low) = s;
        if (fabs(sum) < 1e-9 * m) break;
        double next = slope > 0 ? s - sum / slope : s;
        if (!(next > low && next < high)) next = isinf(low) ? high - 1 : isinf(high) ? low + 1 : (low + high) / 2;
        s = next;
    }
    return s;
}

/* One more trial: P, P' and P'' for k successes, k from the top so that k - 1 is still the old one. */
static void trial(work *w, uint64_t most, double p, const double *x)
{
    uint32_t c = w->p;
    double q = 1 - p, slope = p * q, bend = slope * (1 - 2 * p);
    for (uint64_t k = most + 1; k-- > 0;) {
        double *d = w->first + k * c, *h = w->second + k * c * c, before = k ? w->chance[k - 1] : 0, gain = before - w->chance[k];
        const double *d0 = k ? d - c : NULL, *h0 = k ? h - (size_t)c * c : NULL;
        for (uint32_t a = 0; a < c; a++) {
            double da = (d0 ? d0[a] : 0) - d[a];
            for (uint32_t b = 0; b <= a; b++) {
                double db = (d0 ? d0[b] : 0) - d[b];
                h[a * c + b] =
                    q * h[a * c + b] + (h0 ? p * h0[a * c + b] : 0) + slope * (da * x[b] + db * x[a]) + bend * gain * x[a] * x[b];
            }
        }
        for (uint32_t a = 0; a < c; a++) d[a] = q * d[a] + (d0 ? p * d0[a] : 0) + slope * gain * x[a];
        w->chance[k] = q * w->chance[k] + p * before;
    }
}

static void add_group(work *w, uint64_t g, const double *beta)
{
    uint64_t from = w->start[g], n = w->start[g + 1] - from, m = w->events[g];
    uint32_t c = w->p;
    for (uint64_t r = 0; r < n; r++) {
        w->eta[r] = 0;
        for (uint32_t a = 0; a < c; a++) w->eta[r] += w->x[(from + r) * c + a] * beta[a];
    }
    double s = centre(w->eta, n, (double)m), sum = (double)m * s;
    memset(w->chance, 0, (m + 1) * sizeof *w->chance);
    memset(w->first, 0, (m + 1) * c * sizeof *w->first);
    memset(w->second, 0, (m + 1) * c * c * sizeof *w->second);
    w->chance[0] = 1;
    for (uint64_t r = 0; r < n; r++) {
        const double *x = w->x + (from + r) * c;
        double e = w->eta[r] + s, p = 1 / (1 + exp(-e));
        trial(w, m, p, x);
        sum += w->y[from + r] * w->eta[r] - (e > 0 ? e + log1p(exp(-e)) : log1p(exp(e)));
        for (uint32_t a = 0; a < c; a++) {
            w->score[a] += (w->y[from + r] - p) * x[a];
            for (uint32_t b = 0; b <= a; b++) w->information[a * c + b] += p * (1 - p) * x[a] * x[b];
        }
    }
    double chance = w->chance[m];
    const double *d = w->first + m * c, *h = w->second + m * c * c;
    w->loglik += sum - log(chance);
    for (uint32_t a = 0; a < c; a++) {
        w->score[a] -= d[a] / chance;
        for (uint32_t b = 0; b <= a; b++) w->information[a * c + b] += h[a * c + b] / chance - d[a] * d[b] / (chance * chance);
    }
}

static void moments(su_context *ctx, work *w, const double *beta)
{
    uint32_t c = w->p;
    w->loglik = 0;
    memset(w->score, 0, c * sizeof *w->score);
    memset(w->information, 0, (size_t)c * c * sizeof *w->information);
    for (uint64_t g = 0; g < w->groups && !su_cancelled(ctx); g++) add_group(w, g, beta);
    for (uint32_t a = 0; a < c; a++)
        for (uint32_t b = 0; b < a; b++) w->information[b * c + a] = w->information[a * c + b];
}

/* Rows by group, and which columns vary within one. */
static void gather(work *w, const su_predictors *x, const su_variable *group, su_conditional_facts *facts)
{
    uint64_t levels = (uint64_t)group->level_count + 1, most = 0, longest = 0;
    uint64_t *size = su_alloc_array(levels, sizeof *size), *events = su_alloc_array(levels, sizeof *events),
             *at = su_alloc_array(levels, sizeof *at);
    *facts = (su_conditional_facts) { 0 };
    for (uint64_t i = 0; i < x->row_count; i++) {
        uint32_t l = su_frame_level(group, x->rows[i]);
        size[l]++;
        events[l] += x->y[i] == 1;
    }
    w->p = x->columns;
    w->start = su_alloc_array(levels + 1, sizeof *w->start);
    w->events = su_alloc_array(levels, sizeof *w->events);
    for (uint64_t l = 0; l < levels; l++) {
        bool both = events[l] && events[l] < size[l];
        at[l] = both ? w->n : UINT64_MAX;
        if (size[l] && !both) {
            facts->dropped += size[l];
            facts->dropped_groups++;
        }
        if (!both) continue;
        w->events[w->groups] = events[l];
        w->start[w->groups++] = w->n;
        w->n += size[l];
        most = events[l] > most ? events[l] : most;
        longest = size[l] > longest ? size[l] : longest;
    }
    w->start[w->groups] = w->n;
    facts->rows = w->n;
    facts->groups = w->groups;
    w->x = su_alloc_array(w->n * w->p + 1, sizeof *w->x);
    w->y = su_alloc_array(w->n + 1, sizeof *w->y);
    su_sparse s = su_sparse_new(x);
    for (uint64_t i = 0; i < x->row_count; i++) {
        uint32_t l = su_frame_level(group, x->rows[i]);
        if (at[l] == UINT64_MAX) continue;
        su_predictors_row(x, x->rows[i], NULL, &s);
        su_sparse_axpy(&s, 1, w->x + at[l] * w->p);
        w->y[at[l]++] = x->y[i];
    }
    su_sparse_free(&s);
    w->score = su_alloc_array(w->p, sizeof *w->score);
    w->information = su_alloc_array((size_t)w->p * w->p, sizeof *w->information);
    w->chance = su_alloc_array(most + 1, sizeof *w->chance);
    w->first = su_alloc_array((most + 1) * w->p, sizeof *w->first);
    w->second = su_alloc_array((most + 1) * w->p * w->p, sizeof *w->second);
    w->eta = su_alloc_array(longest + 1, sizeof *w->eta);
    free(size);
    free(events);
    free(at);
}

static void work_free(work *w)
{
    void *all[] = { w->start, w->events, w->x, w->y, w->score, w->information, w->chance, w->first, w->second, w->eta };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) free(all[i]);
}

/* Every column less its mean in the group: what is constant there becomes 0 and is not kept. */
static void within(work *w)
{
    for (uint64_t g = 0; g < w->groups; g++)
        for (uint32_t a = 0; a < w->p; a++) {
            su_sum sum = { 0 };
            double n = (double)(w->start[g + 1] - w->start[g]);
            for (uint64_t r = w->start[g]; r < w->start[g + 1]; r++) su_sum_add(&sum, w->x[r * w->p + a]);
            for (uint64_t r = w->start[g]; r < w->start[g + 1]; r++) w->x[r * w->p + a] -= su_sum_of(&sum) / n;
        }
}

static bool maximise(su_context *ctx, work *w, su_fit *f)
{
    uint32_t p = w->p;
    double *step = su_alloc_array(p, sizeof *step), *beta = su_alloc_array(p, sizeof *beta);
    bool *good = su_alloc_array(p, sizeof *good), last = false;
    moments(ctx, w, f->beta);
    f->null_loglik = w->loglik;
    memcpy(f->factor, w->information, (size_t)p * p * sizeof *f->factor);
    f->rank = (uint32_t)su_cholesky(f->factor, p, SU_FIT_PIVOT, f->kept);
    for (f->iterations = 0; f->rank && f->iterations < STEPS && !last; f->iterations++) {
        double decrement = 0, before = w->loglik, length = 1;
        for (uint32_t a = 0; a < p; a++) {
            step[a] = f->kept[a] ? w->score[a] : 0;
            for (uint32_t b = 0; b < p; b++)
                f->factor[(size_t)a * p + b] = f->kept[a] && f->kept[b] ? w->information[(size_t)a * p + b] : 0;
        }
        if (su_cholesky(f->factor, p, 1e-14, good) != f->rank) break;
        su_cholesky_solve(f->factor, p, good, step);
        for (uint32_t a = 0; a < p; a++) decrement += step[a] * w->score[a];
        last = decrement < SETTLED;
        for (int h = 0; h < HALVINGS; h++, length /= 2) {
            for (uint32_t a = 0; a < p; a++) beta[a] = f->beta[a] + length * step[a];
            moments(ctx, w, beta);
            if (last || w->loglik >= before - 1e-13 * fabs(before)) break;
        }
        memcpy(f->beta, beta, p * sizeof *beta);
    }
    if (last) {
        for (uint32_t a = 0; a < p; a++)
            for (uint32_t b = 0; b < p; b++)
                f->factor[(size_t)a * p + b] = f->kept[a] && f->kept[b] ? w->information[(size_t)a * p + b] : 0;
        su_cholesky(f->factor, p, 1e-14, good);
        su_cholesky_inverse(f->factor, p, good, f->bread);
    }
    for (uint64_t r = 0; r < w->n && last; r++) { /* separation: settled nowhere, far out */
        double eta = 0;
        for (uint32_t a = 0; a < p; a++) eta += w->x[r * p + a] * f->beta[a];
        last = fabs(eta) < LONGEST;
    }
    free(step);
    free(beta);
    free(good);
    return last;
}

su_status su_conditional_fit(su_context *ctx, const su_predictors *x, const su_variable *group, su_fit **out, su_conditional_facts *facts)
{
    work w = { 0 };
    su_status st = SU_OK;
    su_fit *f = su_alloc(sizeof *f);
    uint32_t p = x->columns;
    *out = NULL;
    f->columns = p;
    f->beta = su_alloc_array(p, sizeof *f->beta);
    f->kept = su_alloc_array(p, sizeof *f->kept);
    f->bread = su_alloc_array((size_t)p * p, sizeof *f->bread);
    f->factor = su_alloc_array((size_t)p * p, sizeof *f->factor);
    gather(&w, x, group, facts);
    within(&w);
    if (!w.groups)
        st = su_fail(ctx, SU_REFUSED, "No group of %s has rows with the outcome and rows without: nothing can be compared within groups.",
                     group->name);
    f->converged = !st && maximise(ctx, &w, f);
    if (!st && !f->rank)
        st = su_fail(ctx, SU_REFUSED, "No predictor varies within the groups of %s: nothing is left to estimate.", group->name);
    if (!st && !f->converged)
        st = su_cancelled(ctx) ? su_fail(ctx, SU_CANCELLED, "Stopped.")
                               : su_fail(ctx, SU_REFUSED,
                                         "The conditional likelihood has no finite maximum: within groups the predictors tell the outcome "
                                         "without error. Join rare categories.");
    f->loglik = w.loglik;
    f->deviance = -2 * w.loglik;
    f->null_deviance = -2 * f->null_loglik;
    f->dispersion = 1;
    work_free(&w);
    if (st)
        su_fit_free(f);
    else
        *out = f;
    return st;
}
