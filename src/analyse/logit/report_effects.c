/* Tables on the scale of the outcome. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "logit/session.h"
#include "numeric/matrix.h"

typedef struct estimate {
    double value, se, low, high, p;
} estimate;

/* gradient: columns, and one more for the log standard deviation of the random intercept. */
static double standard_error(const su_session *s, const double *gradient)
{
    uint32_t p = s->x->columns;
    return sqrt(s->random ? su_quadratic(s->random->covariance, gradient, p + 1) : su_quadratic(s->covariance.v, gradient, p));
}

/* Averages of the plain fit, or over the population of groups of a random intercept. */
static void average_of(const su_session *s, const su_setting *settings, const su_variable *slope_of, su_average *out)
{
    uint32_t p = s->x->columns;
    if (s->random) {
        su_average_population(&s->units, s->random->theta, s->random->sigma, settings, slope_of, out);
        if (s->random->boundary) out->gradient[p] = 0;
    } else if (slope_of) {
        su_average_slope(&s->units, s->fit->beta, settings, slope_of, out);
    } else {
        su_average_mean(&s->units, s->fit->beta, settings, out);
    }
}

/* A difference or slope: symmetric. */
static estimate plain_estimate(const su_session *s, const su_average *a)
{
    double df = su_session_df(s), t = su_session_quantile(s, df), se = standard_error(s, a->gradient);
    return (estimate) { a->value, se, a->value - t * se, a->value + t * se, su_session_p(a->value / se, df) };
}

/* A mean: the interval is made on the scale of the link, so that a probability stays inside 0 and 1. */
static estimate mean_estimate(const su_session *s, const su_average *a)
{
    double df = su_session_df(s), t = su_session_quantile(s, df), se = standard_error(s, a->gradient);
    double link = su_family_link(s->o->family, a->value), width = t * se / su_family_mean(s->o->family, link).slope;
    estimate e = { a->value, se, su_family_mean(s->o->family, link - width).mu, su_family_mean(s->o->family, link + width).mu, NAN };
    return e;
}

static void effect_columns(su_result_table *t, bool at)
{
    if (at) su_result_column(t, "at", "at", SU_COLUMN_TEXT);
    su_result_column(t, "variable", "", SU_COLUMN_TEXT);
    su_result_column(t, "contrast", "", SU_COLUMN_TEXT);
    su_result_column(t, "effect", "change of the outcome", SU_COLUMN_NUMBER);
    su_result_column(t, "low", "from", SU_COLUMN_NUMBER);
    su_result_column(t, "high", "to", SU_COLUMN_NUMBER);
    su_result_column(t, "se", "SE", SU_COLUMN_NUMBER);
    su_result_column(t, "p", "p", SU_COLUMN_P);
}

static void effect_row(const su_session *s, su_result_table *t, const char *at, const char *variable, const char *what, const su_average *a)
{
    estimate e = plain_estimate(s, a);
    if (at) su_result_text(t, at);
    su_result_text(t, variable);
    su_result_text(t, what);
    su_result_number(t, e.value);
    su_result_number(t, e.low);
    su_result_number(t, e.high);
    su_result_number(t, e.se);
    su_result_number(t, e.p);
}

static void factor_effects(su_session *s, su_result_table *t, const char *at, uint32_t atom, su_setting *settings)
{
    const su_predictors_atom *a = &s->x->atoms[atom];
    su_average reference = su_average_new(s->x->columns), level = su_average_new(s->x->columns);
    su_settings_level(s->x, atom, a->reference, settings);
    average_of(s, settings, NULL, &reference);
    for (uint32_t l = 1; l <= a->level_count; l++) {
        if (l == a->reference) continue;
        su_settings_level(s->x, atom, l, settings);
        average_of(s, settings, NULL, &level);
        su_average_subtract(&level, &reference, s->x->columns + (s->random != NULL));
        effect_row(s, t, at, a->variable->name, su_arena_printf(&s->arena, "%s against %s", a->names[l - 1], a->names[a->reference - 1]),
                   &level);
    }
    su_average_free(&reference);
    su_average_free(&level);
}

static bool is_binary(const su_session *s, const su_variable *v)
{
    for (uint64_t i = 0; i < s->x->row_count; i++) {
        double x = su_frame_number(v, s->x->rows[i]);
        if (x != 0 && x != 1) return false;
    }
    return true;
}

static su_status number_effects(su_session *s, su_result_table *t, const char *at, const su_variable *v, su_setting *settings)
{
    su_average one = su_average_new(s->x->columns), zero = su_average_new(s->x->columns);
    su_status st = SU_OK;
    average_of(s, settings, v, &one);
    effect_row(s, t, at, v->name, "per unit (derivative)", &one);
    if (is_binary(s, v)) {
        st = su_settings_put(s->ctx, s->x, su_str_of(v->name), SU_STR("0"), settings);
        if (st == SU_OK) average_of(s, settings, NULL, &zero);
        if (st == SU_OK) st = su_settings_put(s->ctx, s->x, su_str_of(v->name), SU_STR("1"), settings);
        if (st == SU_OK) average_of(s, settings, NULL, &one);
        su_average_subtract(&one, &zero, s->x->columns + (s->random != NULL));
        if (st == SU_OK) effect_row(s, t, at, v->name, "1 against 0", &one);
    }
    su_average_free(&one);
    su_average_free(&zero);
    return st;
}

static bool first_of_variable(const su_session *s, uint32_t atom)
{
    for (uint32_t a = 0; a < atom; a++)
        if (s->x->atoms[a].variable == s->x->atoms[atom].variable) return false;
    return true;
}

static bool only_offset(const su_session *s, uint32_t atom)
{
    for (uint32_t t = 0; t < s->x->term_count; t++)
        for (uint32_t a = 0; a < s->formula->atom_count; a++)
            if (s->x->atoms[a].variable == s->x->atoms[atom].variable && s->x->terms[t].mask >> a & 1) return false;
    return true;
}

/* All variables but `except`, with `fixed` already set. */
static su_status all_effects(su_session *s, su_result_table *t, const char *at, const su_variable *except, const su_setting *fixed)
{
    su_setting *settings = su_settings_new(s->x);
    su_status st = SU_OK;
    for (uint32_t a = 0; st == SU_OK && a < s->formula->atom_count && !su_cancelled(s->ctx); a++) {
        if (!first_of_variable(s, a) || only_offset(s, a) || s->x->atoms[a].variable == except) continue;
        memcpy(settings, fixed, s->formula->atom_count * sizeof *settings);
        if (s->x->atoms[a].factor)
            factor_effects(s, t, at, a, settings);
        else
            st = number_effects(s, t, at, s->x->atoms[a].variable, settings);
    }
    free(settings);
    return st;
}

static su_status find_atom(su_session *s, const char *name, const char *option, uint32_t *atom)
{
    for (uint32_t a = 0; a < s->formula->atom_count; a++)
        if (strcmp(s->x->atoms[a].variable->name, name) == 0) {
            *atom = a;
            if (s->x->atoms[a].factor) return SU_OK;
            return su_fail(s->ctx, SU_INPUT,
                           "%s %s: it is a number. Only variables with categories go here; factor(%s) in the formula makes it one.", option,
                           name, name);
        }
    return su_fail(s->ctx, SU_INPUT, "%s %s: it is not a variable of the model.", option, name);
}

su_status su_report_effects(su_session *s)
{
    if (!s->o->effects && !s->o->effects_at) return SU_OK;
    su_setting *settings = su_settings_new(s->x);
    su_result_table *t = su_result_table_add(s->result, "effects", "Average marginal effects");
    su_status st = SU_OK;
    uint32_t atom;
    effect_columns(t, s->o->effects_at != NULL);
    if (!s->o->effects_at) {
        st = all_effects(s, t, NULL, NULL, settings);
    } else if ((st = find_atom(s, s->o->effects_at, "--at", &atom)) == SU_OK) {
        const su_predictors_atom *a = &s->x->atoms[atom];
        for (uint32_t l = 1; st == SU_OK && l <= a->level_count; l++) {
            su_settings_level(s->x, atom, l, settings);
            st = all_effects(s, t, a->names[l - 1], a->variable, settings);
        }
    }
    free(settings);
    if (st == SU_OK) su_result_plot(s->result, SU_PLOT_INTERVALS, "Average marginal effects", t, "contrast", NULL, "effect", "low", "high");
    return st;
}

su_status su_report_margins(su_session *s)
{
    if (!s->o->margin_count) return SU_OK;
    su_result_table *t = su_result_table_add(s->result, "margins", "Predictive margins: the mean if everyone were in the category");
    su_result_column(t, "variable", "", SU_COLUMN_TEXT);
    su_result_column(t, "category", "", SU_COLUMN_TEXT);
    su_result_column(t, "mean", "mean", s->binary ? SU_COLUMN_PERCENT : SU_COLUMN_NUMBER);
    su_result_column(t, "low", "from", s->binary ? SU_COLUMN_PERCENT : SU_COLUMN_NUMBER);
    su_result_column(t, "high", "to", s->binary ? SU_COLUMN_PERCENT : SU_COLUMN_NUMBER);
    su_result_column(t, "se", "SE", SU_COLUMN_NUMBER);
    su_setting *settings = su_settings_new(s->x);
    su_average mean = su_average_new(s->x->columns);
    su_status st = SU_OK;
    for (size_t i = 0; st == SU_OK && i < s->o->margin_count; i++) {
        uint32_t atom;
        if ((st = find_atom(s, s->o->margins[i], "--margins", &atom)) != SU_OK) break;
        const su_predictors_atom *a = &s->x->atoms[atom];
        for (uint32_t l = 1; l <= a->level_count && !su_cancelled(s->ctx); l++) {
            su_settings_clear(s->x, settings);
            su_settings_level(s->x, atom, l, settings);
            average_of(s, settings, NULL, &mean);
            estimate e = mean_estimate(s, &mean);
            su_result_text(t, a->variable->name);
            su_result_text(t, a->names[l - 1]);
            su_result_number(t, e.value);
            su_result_number(t, e.low);
            su_result_number(t, e.high);
            su_result_number(t, e.se);
        }
    }
    su_average_free(&mean);
    free(settings);
    if (st == SU_OK) su_result_plot(s->result, SU_PLOT_INTERVALS, "Predictive margins", t, "category", NULL, "mean", "low", "high");
    return st;
}

/* ---- profiles ----------------------------------------------------------------------------------------------------------------------- */

typedef struct prediction {
    estimate conditional, average; /* average over the random intercept */
    double link, link_se;
    bool complete;
} prediction;

/* Everything set: the interval of the linear predictor, transformed. */
static void predict_complete(const su_session *s, const su_setting *settings, prediction *p)
{
    uint32_t n = s->x->columns;
    double *gradient = su_alloc_array((size_t)n + 1, sizeof *gradient), *beta = su_alloc_array(n, sizeof *beta);
    for (uint32_t j = 0; j < n; j++) beta[j] = su_session_beta(s, j);
    double eta = su_profile_link(s->x, beta, settings, gradient), se = standard_error(s, gradient),
           t = su_session_quantile(s, su_session_df(s));
    su_mean m = su_family_mean(s->o->family, eta);
    p->link = eta;
    p->link_se = se;
    p->conditional = (estimate) { m.mu, m.slope * se, su_family_mean(s->o->family, eta - t * se).mu,
                                  su_family_mean(s->o->family, eta + t * se).mu, NAN };
    if (s->random) {
        double by_eta, by_log_sigma, mean = su_population_average(eta, s->random->sigma, &by_eta, &by_log_sigma);
        double *g = su_alloc_array(n + 1, sizeof *g);
        for (uint32_t j = 0; j < n; j++) g[j] = by_eta * gradient[j];
        g[n] = s->random->boundary ? 0 : by_log_sigma;
        double error = sqrt(su_quadratic(s->random->covariance, g, n + 1)), width = t * error / (mean * (1 - mean)),
               link = log(mean / (1 - mean));
        p->average = (estimate) { mean, error, 1 / (1 + exp(width - link)), 1 / (1 + exp(-width - link)), NAN };
        free(g);
    }
    free(gradient);
    free(beta);
}

static su_status predict(su_session *s, const char *text, su_setting *settings, prediction *p)
{
    uint32_t set;
    const char *last;
    *p = (prediction) { .link = NAN, .link_se = NAN };
    su_settings_clear(s->x, settings);
    su_status st = su_profile_parse(s->ctx, s->x, su_str_of(text), settings, &set, &last);
    if (st != SU_OK) return st;
    for (size_t i = 0; set == 1 && last && i < s->o->refuse_alone_count; i++)
        if (strcasecmp(last, s->o->refuse_alone[i]) == 0)
            return su_fail(s->ctx, SU_REFUSED,
                           "A prediction from %s alone is refused: it would describe people by their origin, not by their situation. Add "
                           "what the model knows about the journey.",
                           last);
    p->complete = su_settings_complete(s->x, settings);
    if (p->complete) {
        predict_complete(s, settings, p);
        return SU_OK;
    }
    su_average mean = su_average_new(s->x->columns);
    average_of(s, settings, NULL, &mean);
    p->conditional = mean_estimate(s, &mean);
    su_average_free(&mean);
    return SU_OK;
}

static void profile_columns(const su_session *s, su_result_table *t)
{
    su_column_kind kind = s->binary ? SU_COLUMN_PERCENT : SU_COLUMN_NUMBER;
    su_result_column(t, "profile", "", SU_COLUMN_TEXT);
    su_result_column(t, "kind", "", SU_COLUMN_TEXT);
    su_result_column(t, "mean", s->binary ? "probability" : "mean", kind);
    su_result_column(t, "low", "from", kind);
    su_result_column(t, "high", "to", kind);
    su_result_column(t, "se", "SE", SU_COLUMN_NUMBER);
    su_result_column(t, "delta_low", "from (delta)", kind);
    su_result_column(t, "delta_high", "to (delta)", kind);
    su_result_column(t, "link", "linear predictor", SU_COLUMN_NUMBER);
    su_result_column(t, "link_se", "its SE", SU_COLUMN_NUMBER);
}

static void profile_row(const su_session *s, su_result_table *t, const char *text, const char *kind, const estimate *e, const prediction *p)
{
    double width = su_session_quantile(s, su_session_df(s)) * e->se;
    su_result_text(t, text);
    su_result_text(t, kind);
    su_result_number(t, e->value);
    su_result_number(t, e->low);
    su_result_number(t, e->high);
    su_result_number(t, e->se);
    su_result_number(t, e->value - width);
    su_result_number(t, e->value + width);
    su_result_number(t, p ? p->link : NAN);
    su_result_number(t, p ? p->link_se : NAN);
}

su_status su_report_profiles(su_session *s)
{
    if (!s->o->profile_count) return SU_OK;
    su_result_table *t = su_result_table_add(s->result, "profiles", "Predictions for profiles");
    profile_columns(s, t);
    su_setting *settings = su_settings_new(s->x);
    su_status st = SU_OK;
    bool averaged = false;
    for (size_t i = 0; st == SU_OK && i < s->o->profile_count; i++) {
        prediction p;
        if ((st = predict(s, s->o->profiles[i], settings, &p)) != SU_OK) break;
        averaged |= !p.complete;
        profile_row(s, t, s->o->profiles[i],
                    !p.complete  ? s->random ? "averaged over the rest and over groups" : "averaged over the rest"
                    : s->random ? "typical group (u = 0)"
                                : "profile",
                    &p.conditional, &p);
        if (s->random && p.complete) profile_row(s, t, s->o->profiles[i], "population-averaged", &p.average, NULL);
    }
    free(settings);
    if (st != SU_OK) return st;
    su_result_plot(s->result, SU_PLOT_INTERVALS, "Predictions for profiles", t, "profile", NULL, "mean", "low", "high");
    if (averaged)
        su_result_warn(
            s->result, "W_PROFILE_AVERAGED",
            "Some profiles leave variables open: there the prediction is the mean over the rows of the data with the named variables set.");
    su_result_warn(s->result, "W_PROFILE_NOT_PERSON",
                   "A prediction describes a group with these traits in these data. It is no statement about a person and no basis for a "
                   "decision on one.");
    return SU_OK;
}
