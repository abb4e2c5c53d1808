#include "budget.h"
#include "prior.h"
#include "residual.h"
#include "zeros.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define GROUPS (SU_RELEASE_LENGTH_MAX + 1) /* 0: tables inside no other; k: tables of length k inside larger ones */
#define ROUNDS 6

static const double STEPS[] = { 0, 0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4 };

typedef struct search {
    su_lattice lattice;
    double *precision[GROUPS]; /* [group][set]: of the residuals, if the group had all of the budget */
    double *variance;          /* per set, of the trial */
    double part[GROUPS];
} search;

static uint32_t group_of(const su_release_table *t) { return t->inside_larger ? t->length : 0; }

static void share_within_groups(su_release *r)
{
    double sum[GROUPS] = { 0 };
    for (size_t i = 0; i < r->table_count; i++) {
        su_release_table *t = &r->tables[i];
        double positive = su_zeros_positive(r, t);
        t->share = sqrt(r->options.prior ? su_prior_cells(r, t, positive) : positive);
        sum[group_of(t)] += t->share;
    }
    for (size_t i = 0; i < r->table_count; i++) {
        r->tables[i].share /= sum[group_of(&r->tables[i])] > 0 ? sum[group_of(&r->tables[i])] : 1;
    }
}

/* Sum over the lengths k of k log(mean variance of an estimate), were the budget divided as s->part says. The weight k because errors of the
 * longest tables, which are most, count in the fit of the records too. */
static double badness(search *s)
{
    const su_lattice *l = &s->lattice;
    for (uint32_t i = 0; i < l->set_count; i++) {
        s->variance[i] = 0;
        for (uint32_t g = 0; g < GROUPS; g++) {
            s->variance[i] += s->precision[g] ? s->part[g] * s->precision[g][i] : 0;
        }
    }
    su_precision_variances(l, s->variance);
    su_variance_join(l, s->variance);
    double sum = 0;
    for (uint32_t k = 1; k <= l->length; k++) {
        double level = 0;
        for (uint32_t i = l->first[k]; i < l->first[k + 1]; i++) {
            level += s->variance[i];
        }
        sum += k * log(level / fmax(1, l->first[k + 1] - l->first[k]));
    }
    return sum;
}

static void begin(search *s, const su_release *r)
{
    memset(s, 0, sizeof *s);
    su_lattice_init(&s->lattice, r);
    s->variance = su_alloc_array(s->lattice.set_count, sizeof *s->variance);
    for (size_t i = 0; i < r->table_count; i++) {
        uint32_t g = group_of(&r->tables[i]);
        if (!s->precision[g]) {
            s->precision[g] = su_alloc_array(s->lattice.set_count, sizeof **s->precision);
        }
        s->precision[g][s->lattice.table_set[i]] += r->tables[i].share;
    }
    for (uint32_t g = 0; g < GROUPS; g++) {
        if (s->precision[g]) {
            su_precision_gather(&s->lattice, s->precision[g]);
        }
    }
    s->part[0] = 1;
}

static void end(search *s)
{
    su_lattice_free(&s->lattice);
    free(s->variance);
    for (uint32_t g = 0; g < GROUPS; g++) {
        free(s->precision[g]);
    }
}

/* One length at a time, every step tried, until a round changes nothing. The tables inside no other keep at least half. */
static void divide(search *s)
{
    double best = badness(s);
    bool better = true;
    for (int round = 0; better && round < ROUNDS; round++) {
        better = false;
        for (uint32_t g = 1; g < GROUPS; g++) {
            double kept = s->part[g], free_part = s->part[0] + kept;
            for (size_t i = 0; s->precision[g] && i < sizeof STEPS / sizeof *STEPS && STEPS[i] <= free_part - 0.5; i++) {
                s->part[g] = STEPS[i];
                s->part[0] = free_part - STEPS[i];
                double now = badness(s);
                if (now < best - 1e-9) {
                    best = now;
                    kept = STEPS[i];
                    better = true;
                }
            }
            s->part[g] = kept;
            s->part[0] = free_part - kept;
        }
    }
}

/* Shares to 7 binary digits: tables fall into few groups of equal noise, which is what exact accounting costs time for. No share changes by
 * more than a part in 128. */
static void round_shares(su_release *r)
{
    double sum = 0;
    for (size_t i = 0; i < r->table_count; i++) {
        int exponent;
        double digits = frexp(r->tables[i].share, &exponent);
        r->tables[i].share = ldexp(rint(ldexp(digits, 7)), exponent - 7);
        sum += r->tables[i].share;
    }
    for (size_t i = 0; i < r->table_count; i++) {
        r->tables[i].share /= sum;
    }
}

void su_budget_divide(su_release *r)
{
    search s;
    size_t kept = 0;
    share_within_groups(r);
    begin(&s, r);
    divide(&s);
    for (size_t i = 0; i < r->table_count; i++) {
        su_release_table t = r->tables[i];
        t.share *= s.part[group_of(&t)];
        if (t.share > 0 || !t.inside_larger) {
            r->tables[kept++] = t;
        }
    }
    r->table_count = kept;
    end(&s);
    round_shares(r);
}
