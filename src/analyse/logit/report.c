/* Tables of a fitted model. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "logit/session.h"
#include "numeric/matrix.h"
#include "numeric/special.h"

static double log_likelihood(const su_session *s) { return s->random ? s->random->loglik : s->fit->loglik; }

static unsigned parameters(const su_session *s)
{
    unsigned n = s->fit->rank + (s->random != NULL) + (s->o->family == SU_FAMILY_LINEAR);
    for (uint32_t j = 0; s->separation.separated && j < s->x->columns; j++) n += s->separation.infinite[j] != 0; /* as good as estimated */
    return n;
}

static void report_likelihood(su_session *s)
{
    su_result *r = s->result;
    double n = (double)s->rows_used, loglik = log_likelihood(s), k = parameters(s);
    if (s->o->family == SU_FAMILY_LINEAR) {
        su_result_fact(r, "residual_variance", "Residual variance", s->fit->dispersion);
        return;
    }
    const char *name = s->o->firth ? "Penalised log likelihood" : s->weight ? "Pseudo log likelihood" : "Log likelihood";
    su_result_fact(r, "loglik", name, loglik);
    if (s->o->conditional) n = (double)s->conditional.rows;
    if (!s->random) su_result_fact(r, "deviance", "Deviance", s->fit->deviance);
    if (!s->o->median) su_result_fact(r, "null_loglik", "Log likelihood of the constant alone", s->fit->null_loglik);
    if (s->weight || (s->binary && s->o->family == SU_FAMILY_POISSON)) return; /* no likelihood of these data */
    if (s->o->median) return; /* nor a maximum of it */
    if (!s->o->firth) {
        su_result_fact(r, "aic", "AIC", -2 * loglik + 2 * k);
        su_result_fact(r, "bic", "BIC", -2 * loglik + log(n) * k);
    }
    double chi2 = 2 * (s->fit->loglik - s->fit->null_loglik);
    int df = (int)s->fit->rank - (s->x->intercept >= 0);
    if (df <= 0 || s->separation.separated) return;
    su_result_fact(r, "lr_chi2", "Likelihood ratio chi square against the constant", chi2);
    su_result_fact(r, "lr_df", "its degrees of freedom", df);
    su_result_fact(r, "lr_p", "its p", su_chi2_upper(chi2, df));
}

/* What a conditional fit rests on. */
static void report_conditional(su_session *s)
{
    const su_conditional_facts *f = &s->conditional;
    su_result_fact_text(s->result, "conditional", "Compared within the groups of", s->o->conditional->name);
    su_result_fact(s->result, "groups", "Groups with both outcomes", (double)f->groups);
    su_result_fact(s->result, "informative", "Rows in them", (double)f->rows);
    if (f->dropped)
        su_result_warn(s->result, "W_CONDITIONAL_DROPPED",
                       "%llu rows in %llu groups of one outcome alone say nothing about what differs within groups and have no part.",
                       (unsigned long long)f->dropped, (unsigned long long)f->dropped_groups);
}

static void report_measures(su_session *s)
{
    bool means = s->o->family == SU_FAMILY_LOGIT || s->o->family == SU_FAMILY_PROBIT;
    if (!s->binary || s->random || s->separation.separated || !means) return;
    su_measures m = su_measures_of(&s->units, s->fit, s->weight != NULL);
    su_result *r = s->result;
    su_result_fact(r, "auc", "Area under the ROC curve", m.auc);
    su_result_fact(r, "brier", "Brier score", m.brier);
    if (!s->o->firth && !s->o->median) su_result_fact(r, "mcfadden", "McFadden's R2", m.mcfadden);
    su_result_fact(r, "tjur", "Tjur's R2", m.tjur);
    if (isnan(m.hosmer_lemeshow)) return;
    su_result_fact(r, "hosmer_lemeshow", "Hosmer-Lemeshow chi square", m.hosmer_lemeshow);
    su_result_fact(r, "hosmer_lemeshow_df", "its degrees of freedom", m.hosmer_lemeshow_df);
    su_result_fact(r, "hosmer_lemeshow_p", "its p", m.hosmer_lemeshow_p);
}

void su_report_fit(su_session *s)
{
    su_result *r = s->result;
    su_result_fact_text(r, "formula", "Model", s->formula->text);
    if (s->x->event) su_result_fact_text(r, "event", "Counts as 1", s->x->event);
    su_result_fact(r, "n", "Rows used", (double)s->rows_used);
    su_result_fact(r, "rows", "Rows in the file", (double)s->frame->rows);
    if (s->binary) su_result_fact(r, "events", "of them with the outcome", (double)s->events);
    su_result_fact(r, "effective_n", "Effective n (unequal weights)", s->effective_n);
    su_result_fact(r, "design_effect", "Design effect of the weights", (double)s->rows_used / s->effective_n);
    su_result_fact_text(r, "method", "Variance", s->covariance.label);
    double df = su_session_df(s);
    su_result_fact(r, "df", "Degrees of freedom (the fewest)", isinf(df) ? NAN : df);
    for (int i = 0; i < 2; i++)
        if (s->covariance.clusters[i])
            su_result_fact(r, i ? "clusters_2" : "clusters", i ? "Clusters, second way" : "Clusters", s->covariance.clusters[i]);
    su_result_fact(r, "columns", "Columns of the model", s->fit->rank);
    su_result_fact(r, "iterations", "Iterations", s->random ? s->random->iterations : s->fit->iterations);
    report_likelihood(s);
    if (s->o->conditional)
        report_conditional(s);
    else
        report_measures(s);
    for (size_t i = 0; i < s->o->missing_level_count; i++)
        su_result_warn(r, "W_MISSING_LEVEL",
                       "Missing values of %s are a category. That describes who did not answer; as an adjustment it biases the other odds "
                       "ratios. See suha impute.",
                       s->o->missing_levels[i]);
    if (s->covariance.projected)
        su_result_warn(
            r, "W_VARIANCE_PROJECTED",
            "The two-way variance was not positive; its negative part was set to zero. With few clusters take one-way --variance cr2.");
    uint32_t least = s->covariance.clusters[0];
    if (s->covariance.clusters[1] && s->covariance.clusters[1] < least) least = s->covariance.clusters[1];
    if (least && least < 10) su_result_warn(r, "W_FEW_CLUSTERS", "Only %u clusters: intervals are rough, whatever the correction.", least);
    if (least >= 10 && least < 50 && s->covariance.clusters[1])
        su_result_warn(r, "W_FEW_CLUSTERS",
                       "%u clusters in one of two ways: intervals of 95 %% are a little too short (92 to 94 %% of simulated ones at 20 and 30 "
                       "clusters held the truth).",
                       least);
    if (!(df > 0))
        su_result_warn(r, "W_NO_DF", "The design leaves no degrees of freedom for %u columns: coefficients are given without intervals.",
                       s->fit->rank);
}

/* ---- coefficients ------------------------------------------------------------------------------------------------------------------- */

static bool ratio_scale(const su_session *s) { return s->o->family == SU_FAMILY_LOGIT || s->o->family == SU_FAMILY_POISSON; }

typedef struct coefficient {
    double beta, se, statistic, df, p, low, high, deff;
    char note[200];
} coefficient;

static coefficient coefficient_of(const su_session *s, uint32_t j)
{
    coefficient c = { NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN, "" };
    if (s->separation.separated && s->separation.infinite[j]) {
        bool up = s->separation.infinite[j] > 0;
        snprintf(c.note, sizeof c.note, "%s (separation)",
                 !ratio_scale(s) ? up ? "plus infinity" : "minus infinity"
                 : up            ? "infinite"
                                 : "zero");
        return c;
    }
    if (!s->fit->kept[j]) {
        snprintf(c.note, sizeof c.note, "left out: follows from the columns before it");
        return c;
    }
    c.beta = su_session_beta(s, j);
    c.se = sqrt(su_session_variance(s, j, j));
    c.df = s->covariance.df[j];
    double t = su_session_quantile(s, c.df), model = s->fit->bread[(size_t)j * s->x->columns + j] * s->fit->dispersion;
    c.statistic = c.beta / c.se;
    c.p = su_session_p(c.statistic, c.df);
    c.low = c.beta - t * c.se;
    c.high = c.beta + t * c.se;
    if (!s->random) c.deff = c.se * c.se / model;
    if (s->profiles) {
        c.low = s->profiles[j].low;
        c.high = s->profiles[j].high;
        c.p = s->profiles[j].p;
    }
    return c;
}

static void coefficient_row(const su_session *s, su_result_table *t, uint32_t j)
{
    coefficient c = coefficient_of(s, j);
    su_result_text(t, s->x->names[j]);
    if (ratio_scale(s)) {
        su_result_number(t, exp(c.beta));
        su_result_number(t, exp(c.low));
        su_result_number(t, isinf(c.high) ? NAN : exp(c.high));
    }
    su_result_number(t, c.p);
    su_result_number(t, c.beta);
    su_result_number(t, c.se);
    su_result_number(t, isinf(c.low) ? NAN : c.low);
    su_result_number(t, isinf(c.high) ? NAN : c.high);
    su_result_number(t, c.statistic);
    su_result_number(t, isinf(c.df) ? NAN : c.df);
    su_result_number(t, c.deff);
    if (s->profiles && (isinf(c.low) || isinf(c.high)))
        snprintf(c.note, sizeof c.note, "no limit %s", isinf(c.low) && isinf(c.high) ? "on either side" : isinf(c.low) ? "below" : "above");
    su_result_text(t, c.note);
}

static void warn_columns(su_session *s, const char *code, const char *words, bool infinite)
{
    su_buf names = { 0 };
    for (uint32_t j = 0; j < s->x->columns; j++) {
        bool is_infinite = s->separation.separated && s->separation.infinite[j];
        if (infinite ? !is_infinite : s->fit->kept[j] || is_infinite) continue;
        su_buf_printf(&names, "%s%s", names.n ? ", " : "", s->x->names[j]);
    }
    if (names.n) su_result_warn(s->result, code, words, names.p);
    su_buf_free(&names);
}

void su_report_coefficients(su_session *s)
{
    bool ratios = ratio_scale(s);
    const char *measure = s->o->family == SU_FAMILY_LOGIT ? "odds ratio" : s->binary ? "risk ratio" : "rate ratio";
    char title[64];
    snprintf(title, sizeof title, "%s%ss", ratios ? (char[]) { measure[0] - 32, 0 } : "C", ratios ? measure + 1 : "oefficient");
    su_result_table *t = su_result_table_add(s->result, "coefficients", title);
    su_result_column(t, "term", "", SU_COLUMN_TEXT);
    if (ratios) {
        su_result_column(t,
                         s->o->family == SU_FAMILY_LOGIT ? "odds_ratio"
                         : s->binary                     ? "risk_ratio"
                                                         : "rate_ratio",
                         measure, SU_COLUMN_NUMBER);
        su_result_column(t, "low", "from", SU_COLUMN_NUMBER);
        su_result_column(t, "high", "to", SU_COLUMN_NUMBER);
    }
    su_result_column(t, "p", "p", SU_COLUMN_P);
    su_result_column(t, "estimate", "coefficient", SU_COLUMN_NUMBER);
    su_result_column(t, "se", "SE", SU_COLUMN_NUMBER);
    su_result_column(t, "estimate_low", "from", SU_COLUMN_NUMBER);
    su_result_column(t, "estimate_high", "to", SU_COLUMN_NUMBER);
    su_result_column(t, "statistic", "z or t", SU_COLUMN_NUMBER);
    su_result_column(t, "df", "df", SU_COLUMN_NUMBER);
    su_result_column(t, "deff", "variance over model's", SU_COLUMN_NUMBER);
    su_result_column(t, "note", "", SU_COLUMN_TEXT);
    for (uint32_t j = 0; j < s->x->columns; j++) coefficient_row(s, t, j);
    if (ratios)
        su_result_plot(s->result, SU_PLOT_FOREST, title, t, "term", NULL,
                       s->o->family == SU_FAMILY_LOGIT ? "odds_ratio"
                       : s->binary                     ? "risk_ratio"
                                                       : "rate_ratio",
                       "low", "high");
    warn_columns(s, "W_ALIASED", "Left out because they follow from the columns before them (perfectly collinear): %s.", false);
    warn_columns(s, "W_SEPARATION",
                 "Separation: the data tell the outcome without error along %s. These coefficients are infinite in the direction shown; "
                 "the others are those of the "
                 "rows that are left, and remain valid. --firth gives finite estimates with limits.",
                 true);
    if (s->separation.separated)
        su_result_fact(s->result, "rows_decided", "Rows whose outcome is decided by separation", (double)s->separation.decided_units);
}

/* ---- the data ----------------------------------------------------------------------------------------------------------------------- */

static void categories(su_session *s)
{
    su_result_table *t = su_result_table_add(s->result, "categories", "Categories");
    uint32_t smallest = s->o->smallest_cell ? s->o->smallest_cell : 10;
    su_buf rare = { 0 };
    su_result_column(t, "variable", "", SU_COLUMN_TEXT);
    su_result_column(t, "category", "", SU_COLUMN_TEXT);
    su_result_column(t, "rows", "rows", SU_COLUMN_INTEGER);
    su_result_column(t, "role", "", SU_COLUMN_TEXT);
    for (uint32_t a = 0; a < s->formula->atom_count; a++) {
        const su_predictors_atom *atom = &s->x->atoms[a];
        for (uint32_t l = 0; atom->factor && l < atom->level_count; l++) {
            su_result_text(t, atom->name);
            su_result_text(t, atom->names[l]);
            su_result_integer(t, (int64_t)atom->rows[l]);
            su_result_text(t, l + 1 == atom->reference ? "reference" : "");
            if (atom->rows[l] < smallest) su_buf_printf(&rare, "%s%s=%s", rare.n ? ", " : "", atom->name, atom->names[l]);
        }
    }
    if (rare.n)
        su_result_warn(s->result, "W_SMALL_CATEGORY",
                       "Fewer than %u rows: %s. A published coefficient may describe single people; join categories first.", smallest,
                       rare.p);
    su_buf_free(&rare);
}

void su_report_data(su_session *s)
{
    categories(s);
    if (s->x->missing_count) {
        su_result_table *t = su_result_table_add(s->result, "missing", "Missing values");
        su_result_column(t, "variable", "", SU_COLUMN_TEXT);
        su_result_column(t, "reason", "", SU_COLUMN_TEXT);
        su_result_column(t, "rows", "rows", SU_COLUMN_INTEGER);
        for (uint32_t i = 0; i < s->x->missing_count; i++) {
            su_result_text(t, s->x->missing[i].variable);
            su_result_text(t, s->x->missing[i].reason);
            su_result_integer(t, (int64_t)s->x->missing[i].rows);
        }
    }
    uint64_t outside = 0; /* rows that the question is not about */
    for (uint32_t i = 0; i < s->x->missing_count; i++)
        if (strcmp(s->x->missing[i].reason, su_cell_reason(SU_CELL_NOT_APPLICABLE)) == 0 &&
            strcmp(s->x->missing[i].variable, s->formula->outcome) == 0)
            outside = s->x->missing[i].rows;
    uint64_t rows = s->frame->rows - outside, left = rows - s->rows_used;
    if (left * 20 > rows)
        su_result_warn(s->result, "W_LISTWISE", "%llu of %llu rows (%.1f %%) have a missing value and were left out. See suha impute.",
                       (unsigned long long)left, (unsigned long long)rows, 100.0 * (double)left / (double)rows);
    double least = fmin((double)s->events, (double)(s->rows_used - s->events));
    if (s->binary && s->o->family == SU_FAMILY_LOGIT && !s->o->firth && !s->o->median && least < 10.0 * (s->fit->rank - 1))
        su_result_warn(
            s->result, "W_FEW_EVENTS",
            "%.0f rows of the rarer outcome for %u columns: fewer than 10 a column, estimates are biased away from 1. --firth is safer.",
            least, s->fit->rank - 1);
}
