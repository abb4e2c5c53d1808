#include "mse/heterogeneity.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "numeric/matrix.h"
#include "numeric/special.h"

enum { COLUMNS = 32, STEPS = 200, HALVINGS = 40 };

typedef struct closed {
    unsigned lists, columns;
    size_t cells;
    const int64_t *count;
    bool lists_differ, used[COLUMNS];
    su_heterogeneity people;
    double beta[COLUMNS], information[COLUMNS * COLUMNS], score[COLUMNS], log_likelihood;
} closed;

/* Row of the design for the people on lists w. */
static void row_of(const closed *k, size_t w, double *x)
{
    double c = __builtin_popcountll(w);
    unsigned at = 0;
    x[at++] = 1;
    if (k->lists_differ)
        for (unsigned i = 0; i < k->lists; i++) x[at++] = w >> i & 1;
    else
        x[at++] = c;
    switch (k->people) {
    case SU_HETEROGENEITY_CHAO: /* a sequence that bends upwards from the second capture on */
        for (unsigned i = 3; i <= k->lists; i++) x[at++] = fmax(c - i + 1, 0);
        break;
    case SU_HETEROGENEITY_POISSON:
        x[at++] = exp2(c) - 1;
        break;
    case SU_HETEROGENEITY_DARROCH:
        x[at++] = c * c / 2;
        break;
    case SU_HETEROGENEITY_GAMMA:
        x[at++] = log(3.5) - log(3.5 + c);
        break;
    default:
        break;
    }
}

static void moments(closed *k, const double *beta)
{
    double x[COLUMNS];
    su_sum sum = { 0 };
    unsigned p = k->columns;
    memset(k->information, 0, sizeof k->information);
    memset(k->score, 0, sizeof k->score);
    for (size_t w = 1; w < k->cells; w++) {
        double eta = 0, n = (double)k->count[w];
        row_of(k, w, x);
        for (unsigned j = 0; j < p; j++)
            if (k->used[j]) eta += x[j] * beta[j];
        double mu = exp(fmin(eta, 700));
        su_sum_add(&sum, n * eta - mu);
        for (unsigned j = 0; j < p; j++) {
            if (!k->used[j] || x[j] == 0) continue;
            k->score[j] += (n - mu) * x[j];
            for (unsigned i = 0; i < p; i++)
                if (k->used[i]) k->information[j * p + i] += mu * x[j] * x[i];
        }
    }
    k->log_likelihood = su_sum_of(&sum);
}

/* Newton from beta; false when it does not settle or columns follow from each other. variance: of the intercept. */
static bool maximise(closed *k, double *variance)
{
    unsigned p = k->columns;
    size_t wanted = 0;
    double l[COLUMNS * COLUMNS], step[COLUMNS], trial[COLUMNS];
    bool kept[COLUMNS];
    for (unsigned j = 0; j < p; j++) wanted += k->used[j];
    moments(k, k->beta);
    for (int round = 0; round < STEPS; round++) {
        double decrement = 0, before = k->log_likelihood, length = 1;
        memcpy(l, k->information, sizeof l);
        if (su_cholesky(l, p, 1e-14, kept) != wanted) return false;
        memcpy(step, k->score, sizeof step);
        su_cholesky_solve(l, p, kept, step);
        for (unsigned j = 0; j < p; j++) decrement += step[j] * k->score[j];
        bool last = decrement < 1e-18 * fmax(1, fabs(before));
        for (int h = 0; h < HALVINGS; h++, length /= 2) {
            for (unsigned j = 0; j < p; j++) trial[j] = k->beta[j] + length * step[j];
            moments(k, trial);
            if (last || k->log_likelihood >= before - 1e-13 * fabs(before)) break;
        }
        memcpy(k->beta, trial, sizeof trial);
        if (!last) continue;
        double inverse[COLUMNS * COLUMNS];
        memcpy(l, k->information, sizeof l);
        if (su_cholesky(l, p, 1e-14, kept) != wanted) return false;
        su_cholesky_inverse(l, p, kept, inverse);
        *variance = inverse[0];
        return isfinite(*variance);
    }
    return false;
}

/* Chao's parameters are 0 or more; the lowest below 0 leaves, until none is. One that runs to minus infinity (nobody on so many lists)
 * keeps the fit from settling, and leaves too. */
static bool maximise_chao(closed *k, double *variance)
{
    unsigned first = k->columns - (k->people == SU_HETEROGENEITY_CHAO ? k->lists - 2 : 0);
    double start = k->beta[0];
    for (;;) {
        bool settled = maximise(k, variance);
        unsigned lowest = first;
        for (unsigned j = first; j < k->columns; j++)
            if (k->beta[j] < k->beta[lowest]) lowest = j;
        if (first == k->columns || !(k->beta[lowest] < 0)) return settled;
        k->used[lowest] = false;
        for (unsigned j = 1; j < k->columns; j++) k->beta[j] = 0;
        k->beta[0] = start;
    }
}

su_closed_fit su_closed_population(unsigned lists, const int64_t *counts, bool lists_differ, su_heterogeneity people)
{
    closed k = { .lists = lists, .cells = (size_t)1 << lists, .count = counts, .lists_differ = lists_differ, .people = people };
    su_closed_fit out = { NAN, NAN, NAN, NAN, NAN, 0, false };
    double n = 0, variance, saturated = 0, factorials = 0, parameters = 0;
    k.columns = 1 + (lists_differ ? lists : 1) + (people == SU_HETEROGENEITY_CHAO ? lists - 2 : people != SU_HETEROGENEITY_NONE);
    for (unsigned j = 0; j < k.columns; j++) k.used[j] = true;
    for (size_t w = 1; w < k.cells; w++) {
        double c = (double)counts[w];
        n += c;
        saturated += (c > 0 ? c * log(c) : 0) - c;
        factorials += lgamma(c + 1);
    }
    k.beta[0] = log(fmax(n, 1) / (double)k.cells);
    if (!maximise_chao(&k, &variance)) return out;
    for (unsigned j = 0; j < k.columns; j++) parameters += k.used[j];
    double unseen = exp(k.beta[0]), log_likelihood = k.log_likelihood - factorials;
    out = (su_closed_fit) { .N = n + unseen,
                            .error = sqrt(unseen + unseen * unseen * variance),
                            .deviance = 2 * (saturated - k.log_likelihood),
                            .aic = 2 * parameters - 2 * log_likelihood,
                            .bic = parameters * log(n) - 2 * log_likelihood,
                            .df = (int)k.cells - 1 - (int)parameters,
                            .converged = true };
    return out;
}

void su_closed_limits(const su_closed_fit *f, double seen, double level, double *low, double *high)
{
    double unseen = f->N - seen, spread = log1p(f->error * f->error / (unseen * unseen));
    double reach = exp(su_normal_quantile(0.5 + level / 2) * sqrt(spread));
    bool settled = f->converged && unseen > 0;
    *low = settled ? seen + unseen / reach : NAN;
    *high = settled ? seen + unseen * reach : NAN;
}

void su_report_catchability(const su_overlaps *o, double level, su_result *result, double *low, double *high)
{
#define NAME(id, name, about) name,
    static const char *const names[] = { SU_HETEROGENEITY_LIST(NAME) };
#undef NAME
    su_result_table *t = su_result_table_add(result, "catchability", "If people or lists differ in how easily they meet");
    su_result_column(t, "model", "", SU_COLUMN_TEXT);
    su_result_column(t, "N", "N", SU_COLUMN_NUMBER);
    su_result_column(t, "low", "low", SU_COLUMN_NUMBER);
    su_result_column(t, "high", "high", SU_COLUMN_NUMBER);
    su_result_column(t, "se", "SE", SU_COLUMN_NUMBER);
    su_result_column(t, "deviance", "deviance", SU_COLUMN_NUMBER);
    su_result_column(t, "df", "df", SU_COLUMN_INTEGER);
    su_result_column(t, "aic", "AIC", SU_COLUMN_NUMBER);
    su_result_column(t, "bic", "BIC", SU_COLUMN_NUMBER);
    *low = *high = NAN;
    for (int people = 0; people < SU_HETEROGENEITY_COUNT; people++)
        for (int differ = 0; differ < 2; differ++) {
            char name[32];
            double from, to;
            su_closed_fit f = su_closed_population(o->lists, o->counts, differ, (su_heterogeneity)people);
            su_closed_limits(&f, (double)o->n, level, &from, &to);
            if (people && differ) *low = fmin(*low, from), *high = fmax(*high, to);
            snprintf(name, sizeof name, "M%s%s%s%s", differ ? "t" : people ? "" : "0", people ? "h" : "", people ? " " : "", names[people]);
            su_result_text(t, name);
            double row[] = { f.N, from, to, f.error, f.deviance };
            for (int k = 0; k < 5; k++) su_result_number(t, row[k]);
            su_result_integer(t, f.df);
            su_result_number(t, f.aic);
            su_result_number(t, f.bic);
        }
}
