/* What a random intercept adds to the report. */
#include <math.h>

#include "logit/session.h"
#include "numeric/special.h"

static void group_table(su_session *s)
{
    const su_random_fit *f = s->random;
    uint32_t smallest = s->o->smallest_cell ? s->o->smallest_cell : 10, hidden = 0;
    double z = su_session_quantile(s, su_session_df(s));
    su_result_table *t = su_result_table_add(s->result, "groups", "Groups (shrunken effects on the log-odds)");
    su_result_column(t, "group", "", SU_COLUMN_TEXT);
    su_result_column(t, "rows", "rows", SU_COLUMN_INTEGER);
    su_result_column(t, "effect", "effect", SU_COLUMN_NUMBER);
    su_result_column(t, "low", "from", SU_COLUMN_NUMBER);
    su_result_column(t, "high", "to", SU_COLUMN_NUMBER);
    su_result_column(t, "sd", "SD", SU_COLUMN_NUMBER);
    for (uint32_t g = 0; g < f->groups; g++) {
        if (f->sizes[g] < smallest) {
            hidden++;
            continue;
        }
        su_result_text(t, f->names[g]);
        su_result_integer(t, (int64_t)f->sizes[g]);
        su_result_number(t, f->effect[g]);
        su_result_number(t, f->boundary ? NAN : f->effect[g] - z * f->effect_error[g]); /* at 0 nothing is known, not all */
        su_result_number(t, f->boundary ? NAN : f->effect[g] + z * f->effect_error[g]);
        su_result_number(t, f->effect_sd[g]);
    }
    if (hidden)
        su_result_warn(s->result, "W_SMALL_GROUP", "%u groups of fewer than %u rows are in the model and not in the table.", hidden,
                       smallest);
}

void su_report_random(su_session *s)
{
    const su_random_fit *f = s->random;
    su_result *r = s->result;
    uint32_t p = s->x->columns;
    double v = f->sigma * f->sigma, se = f->boundary ? NAN : sqrt(f->covariance[(size_t)p * (p + 1) + p]),
           z = su_session_quantile(s, INFINITY);
    su_result_fact_text(r, "random", "Random intercept by", s->o->random->name);
    su_result_fact(r, "groups", "Groups", f->groups);
    su_result_fact(r, "sigma", "Standard deviation between groups", f->sigma);
    su_result_fact(r, "sigma_low", "from", f->boundary ? NAN : f->sigma * exp(-z * se));
    su_result_fact(r, "sigma_high", "to", f->boundary ? NAN : f->sigma * exp(z * se));
    su_result_fact(r, "log_sigma_se", "SE of its logarithm", se);
    su_result_fact(r, "icc", "Intraclass correlation (latent scale)", v / (v + M_PI * M_PI / 3));
    su_result_fact(r, "median_odds_ratio", "Median odds ratio between groups", exp(su_normal_quantile(0.75) * sqrt(2 * v)));
    su_result_fact(r, "largest_gradient", "Largest slope left at the maximum", f->largest_gradient);
    double chi2 = fmax(0, 2 * (f->loglik - s->fit->loglik));
    su_result_fact(r, "random_lr_chi2", "Likelihood ratio against no variation between groups", chi2);
    su_result_fact(r, "random_lr_p", "its p (half of chi square on 1 df)", chi2 > 0 ? su_chi2_upper(chi2, 1) / 2 : 1);
    if (f->boundary)
        su_result_warn(r, "W_RANDOM_BOUNDARY",
                       "No variation between groups was found beyond chance: its estimate is at the boundary, 0, and the model equals the "
                       "one without it.");
    if (!f->converged)
        su_result_warn(r, "W_NOT_CONVERGED", "The maximum was not reached to full accuracy; the largest slope left is %.2g.",
                       f->largest_gradient);
    if (f->groups < 10)
        su_result_warn(r, "W_FEW_GROUPS",
                       "Only %u groups: the variation between them is hardly known, and the intervals of traits of groups are too narrow.",
                       f->groups);
    else if (f->groups < 30)
        su_result_warn(r, "W_FEW_GROUPS",
                       "%u groups: intervals of 95 %% for traits and effects of groups are a little too short (92 to 93 %% of simulated ones at "
                       "20 groups held the truth).",
                       f->groups);
    group_table(s);
}
