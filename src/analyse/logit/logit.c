#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "logit/session.h"
#include "numeric/matrix.h"
#include "numeric/special.h"

static const double MOVES = 1e-3; /* of a linear predictor by the last step: a finite maximum is reached to far below this */

static su_status check_options(su_context *ctx, const su_logit_options *o)
{
    bool varied = o->variance != SU_VARIANCE_DEFAULT || o->cluster[0];
    if (o->design && (o->weight || o->cluster[0] || o->random || varied))
        return su_fail(
            ctx, SU_USAGE,
            "The survey design brings weights, clusters and variance: --weight, --cluster, --variance and --random do not go with it.");
    if (o->random && (o->weight || varied || o->family != SU_FAMILY_LOGIT || o->firth || o->profile))
        return su_fail(ctx, SU_USAGE,
                       "--random is for the logit alone, without --weight, --cluster, --variance, --firth, --family or profile intervals.");
    if (o->firth && (o->design || o->weight || varied || o->family != SU_FAMILY_LOGIT))
        return su_fail(ctx, SU_USAGE,
                       "--firth is for the logit alone, without --weight, --cluster, --variance, a survey design or --family.");
    if (o->conditional && (o->design || o->weight || varied || o->random || o->firth || o->median || o->profile || o->likelihood_ratios ||
                           o->family != SU_FAMILY_LOGIT))
        return su_fail(ctx, SU_USAGE,
                       "--conditional is for the logit alone, without --weight, --cluster, --variance, --random, --firth, --median, profile "
                       "intervals, --lrt, --family or a survey design.");
    if (o->conditional && (o->effects || o->effects_at || o->margin_count || o->profile_count))
        return su_fail(ctx, SU_USAGE,
                       "A conditional logit compares within groups and has no level: it gives odds ratios, no effects, margins or predictions.");
    if (o->median && (o->firth || o->design || o->weight || varied || o->random || o->family != SU_FAMILY_LOGIT))
        return su_fail(ctx, SU_USAGE,
                       "--median is for the logit alone, without --firth, --weight, --cluster, --variance, --random, a survey design or "
                       "--family.");
    if (o->median && (o->profile || o->likelihood_ratios))
        return su_fail(ctx, SU_USAGE, "--median maximises no likelihood: profile intervals and likelihood ratios do not go with it.");
    if (o->profile && (o->design || o->weight || varied))
        return su_fail(ctx, SU_USAGE,
                       "Profile intervals are of a likelihood: they do not go with weights, robust variances or a survey design.");
    if (o->likelihood_ratios && (o->random || o->firth))
        return su_fail(ctx, SU_USAGE, "Likelihood ratio tests of whole terms do not go with --random or --firth.");
    if (o->replicates && !o->design) return su_fail(ctx, SU_USAGE, "Replicates are of a survey design, and none is given.");
    if (o->nodes > SU_RANDOM_NODES) return su_fail(ctx, SU_REFUSED, "At most %d quadrature nodes.", SU_RANDOM_NODES);
    if (o->level != 0 && !(o->level > 0 && o->level < 1))
        return su_fail(ctx, SU_REFUSED, "The level of intervals lies between 0 and 1, for example 0.95.");
    return SU_OK;
}

static bool is_special(const su_logit_options *o, const su_variable *v)
{
    const su_variable *special[] = { o->weight, o->cluster[0], o->cluster[1], o->random, o->conditional };
    for (size_t i = 0; i < sizeof special / sizeof *special; i++)
        if (special[i] && strcmp(special[i]->name, v->name) == 0) return true;
    return false;
}

/* "(missing)" becomes the last category of the variables named. */
static su_status name_missing(su_session *s)
{
    for (size_t i = 0; i < s->o->missing_level_count; i++) {
        const su_variable *found;
        su_status st = su_frame_find(s->ctx, s->frame, su_str_of(s->o->missing_levels[i]), &found);
        if (st) return st;
        if (found->kind != SU_VARIABLE_FACTOR)
            return su_fail(s->ctx, SU_INPUT, "%s holds numbers; only the missing values of a variable with categories can be a category.",
                           found->name);
        su_variable *v = &s->frame->variables[found - s->frame->variables];
        uint32_t *level = su_arena_array(&s->frame->arena, s->frame->rows, sizeof *level);
        const char **names = su_arena_array(&s->frame->arena, (size_t)v->level_count + 1, sizeof *names);
        for (uint64_t r = 0; r < s->frame->rows; r++) level[r] = su_frame_level(v, r) ? su_frame_level(v, r) : v->level_count + 1;
        for (uint32_t l = 0; l < v->level_count; l++) names[l] = v->levels[l];
        names[v->level_count] = "(missing)";
        v->ids = NULL;
        v->level = level;
        v->levels = names;
        v->level_count++;
        v->reason = NULL;
    }
    return SU_OK;
}

static su_status read_model(su_session *s)
{
    const su_logit_options *o = s->o;
    const char **names = su_arena_array(&s->arena, s->frame->count + 1, sizeof *names);
    size_t count = 0;
    for (uint32_t i = 0; i < s->frame->count; i++)
        if (!is_special(o, &s->frame->variables[i])) names[count++] = s->frame->variables[i].name;
    su_status st = su_formula_parse(s->ctx, &s->arena, su_str_of(o->formula), names, count, &s->formula);
    if (st != SU_OK) return st;
    const su_variable *needed[5];
    size_t n = 0;
    const su_variable *all[] = { o->weight, o->cluster[0], o->cluster[1], o->random, o->conditional };
    for (size_t i = 0; i < 5; i++)
        if (all[i]) needed[n++] = all[i];
    su_predictors_options p = { o->references, o->reference_count,
                                o->event,      o->family == SU_FAMILY_LINEAR || o->family == SU_FAMILY_POISSON,
                                needed,        n };
    if ((st = su_predictors_build(s->ctx, s->frame, s->formula, &p, &s->x)) != SU_OK) return st;
    s->rows_used = s->x->row_count;
    s->binary = true;
    for (uint64_t i = 0; i < s->x->row_count; i++) {
        s->binary &= s->x->y[i] == 0 || s->x->y[i] == 1;
        s->events += s->x->y[i] == 1;
        if (o->family == SU_FAMILY_POISSON && s->x->y[i] < 0)
            return su_formula_fail(s->ctx, SU_INPUT, s->formula->text, s->formula->outcome_at,
                                   "a Poisson outcome cannot be below zero, and it has the value %g.", s->x->y[i]);
    }
    return SU_OK;
}

static su_status read_weights(su_session *s)
{
    const su_logit_options *o = s->o;
    const double *design = o->design ? su_design_weights(o->design) : NULL;
    s->effective_n = (double)s->rows_used;
    if (!o->weight && !design) return SU_OK;
    s->weight = su_alloc_array(s->frame->rows, sizeof *s->weight);
    su_sum sum = { 0 }, squares = { 0 };
    for (uint64_t i = 0; i < s->rows_used; i++) {
        uint32_t row = s->x->rows[i];
        double w = design ? design[row] : su_frame_number(o->weight, row);
        if (!(w >= 0) || isinf(w))
            return su_fail(s->ctx, SU_INPUT, "Row %u: the weight is %g. Weights are numbers of 0 or more.", row + 1, w);
        s->weight[row] = w;
        su_sum_add(&sum, w);
        su_sum_add(&squares, w * w);
    }
    double total = su_sum_of(&sum);
    if (total <= 0) return su_fail(s->ctx, SU_INPUT, "All weights are 0 in the %llu rows used.", (unsigned long long)s->rows_used);
    s->effective_n = total * total / su_sum_of(&squares);
    for (uint64_t i = 0; i < s->rows_used; i++) s->weight[s->x->rows[i]] *= (double)s->rows_used / total;
    return SU_OK;
}

/* ---- separation --------------------------------------------------------------------------------------------------------------------- */

static su_status no_finite_maximum(su_session *s)
{
    for (uint32_t a = 0; a < s->formula->atom_count; a++) {
        const su_predictors_atom *atom = &s->x->atoms[a];
        for (uint32_t l = 1; atom->factor && l <= atom->level_count; l++) {
            bool any = false;
            for (uint64_t i = 0; i < s->x->row_count && !any; i++)
                any = s->x->y[i] != 0 && atom->position[su_frame_level(atom->variable, s->x->rows[i])] == l;
            if (!any)
                return su_fail(s->ctx, SU_REFUSED,
                               "The fit did not settle: no row with %s=%s has the outcome. Join this category with another one, or use the "
                               "logit with --firth.",
                               atom->variable->name, atom->names[l - 1]);
        }
    }
    return su_fail(
        s->ctx, SU_REFUSED,
        "The fit did not settle within %d steps. Divide numbers of very different size by round numbers, or leave out rare categories.",
        SU_FIT_ITERATIONS);
}

/* Rows whose outcome is decided have no part in the finite coefficients; what is left is fitted again. */
static su_status refit_undecided(su_session *s)
{
    uint64_t left = 0, unit = 0, events = 0;
    for (uint64_t i = 0; i < s->x->row_count; i++) {
        if (s->weight && s->weight[s->x->rows[i]] == 0) continue;
        if (s->separation.decided[unit++]) continue;
        s->x->rows[left] = s->x->rows[i];
        events += s->x->y[i] == 1;
        s->x->y[left++] = s->x->y[i];
    }
    s->x->row_count = left;
    su_units_free(&s->units);
    su_fit_free(s->fit);
    s->fit = NULL;
    if (left == 0 || events == 0 || events == left)
        return su_fail(s->ctx, SU_REFUSED,
                       "The predictors tell every outcome without error (complete separation): no odds ratio is finite. Use --firth, or "
                       "leave out the variables that repeat the outcome.");
    su_units_init(&s->units, s->x, s->o->family, s->weight);
    su_status st = su_fit_new(s->ctx, &s->units, &s->fit);
    for (uint32_t j = 0; st == SU_OK && j < s->x->columns; j++)
        if (s->separation.infinite[j]) s->fit->kept[j] = false;
    return st;
}

static su_status find_separation(su_session *s)
{
    if (s->fit->converged && s->fit->moved < MOVES) return SU_OK;
    if (s->o->family != SU_FAMILY_LOGIT && s->o->family != SU_FAMILY_PROBIT) return no_finite_maximum(s);
    su_units rows;
    su_units_rows(&rows, s->x, s->o->family, s->weight);
    su_status st = su_separation_find(s->ctx, &rows, s->fit->kept, &s->separation);
    double null_loglik = s->fit->null_loglik, null_deviance = s->fit->null_deviance;
    if (st == SU_OK && !s->separation.separated)
        st = no_finite_maximum(s);
    else if (st == SU_OK)
        st = refit_undecided(s);
    if (st == SU_OK) {
        s->fit->null_loglik = null_loglik; /* of all rows */
        s->fit->null_deviance = null_deviance;
    }
    su_units_free(&rows);
    if (st == SU_OK && (s->o->effects || s->o->effects_at || s->o->margin_count || s->o->profile_count || s->o->random || s->o->cells))
        return su_fail(s->ctx, SU_REFUSED,
                       "Some odds ratios are infinite (separation), so effects, predictions and random intercepts have no finite answer. "
                       "Add --firth for finite estimates.");
    return st;
}

/* ---- the run ------------------------------------------------------------------------------------------------------------------------ */

static su_status fit_model(su_session *s)
{
    su_units_init(&s->units, s->x, s->o->family, s->weight);
    if (s->o->conditional) return su_conditional_fit(s->ctx, s->x, s->o->conditional, &s->fit, &s->conditional);
    su_status st = su_fit_new(s->ctx, &s->units, &s->fit);
    if (st != SU_OK) return st;
    if (s->fit->rank >= s->rows_used)
        return su_fail(s->ctx, SU_REFUSED, "The model has %u columns and only %llu rows are complete. Drop terms or join categories.",
                       s->fit->rank, (unsigned long long)s->rows_used);
    if (s->o->firth) return su_firth_fit(s->ctx, &s->units, s->fit);
    if (s->o->median) return su_median_fit(s->ctx, &s->units, s->fit);
    return find_separation(s);
}

static su_status find_covariance(su_session *s)
{
    su_variance_input in = { s->fit, s->x, s->o->family, s->weight, { s->o->cluster[0], s->o->cluster[1] }, &s->units };
    s->covariance = su_covariance_new(s->x->columns);
    if (s->o->conditional) {
        memcpy(s->covariance.v, s->fit->bread, (size_t)s->x->columns * s->x->columns * sizeof *s->covariance.v);
        for (uint32_t j = 0; j < s->x->columns; j++) s->covariance.df[j] = INFINITY;
        s->covariance.kind = SU_VARIANCE_MODEL;
        snprintf(s->covariance.label, sizeof s->covariance.label, "inverse information of the conditional likelihood");
        return SU_OK;
    }
    if (s->o->random) {
        unsigned nodes = s->o->nodes ? s->o->nodes : 15;
        snprintf(s->covariance.label, sizeof s->covariance.label, "observed information of the random intercept model, %u node%s", nodes,
                 nodes == 1 ? " (Laplace)" : "s");
        su_status st = su_random_fit_new(s->ctx, s->x, s->fit, s->o->random, nodes, &s->random);
        for (uint32_t j = 0; st == SU_OK && j < s->x->columns; j++)
            if (s->random->of_groups[j]) s->covariance.df[j] = (double)s->random->groups - s->random->of_groups_count;
        return st;
    }
    if (s->o->design) su_units_shrink(&s->units); /* the linearised variable of every column needs the room */
    if (s->o->replicates) return su_covariance_of_replicates(s->ctx, &in, s->o->design, s->o->replicates, &s->covariance);
    if (s->o->design) return su_covariance_of_design(s->ctx, &in, s->o->design, &s->covariance);
    return su_covariance_of(s->ctx, &in, s->o->firth ? SU_VARIANCE_MODEL : s->o->variance, &s->covariance);
}

static void find_profiles(su_session *s)
{
    if (!s->o->firth && !s->o->profile) return;
    s->profiles = su_alloc_array(s->x->columns, sizeof *s->profiles);
    for (uint32_t j = 0; j < s->x->columns && !su_cancelled(s->ctx); j++)
        if (s->fit->kept[j]) s->profiles[j] = su_logit_profile_interval(s->ctx, &s->units, s->fit, s->o->firth, j, s->level);
}

static su_status report(su_session *s)
{
    su_report_fit(s);
    su_report_coefficients(s);
    su_report_tests(s);
    su_status st = su_report_effects(s);
    if (st == SU_OK) st = su_report_margins(s);
    if (st == SU_OK) st = su_report_profiles(s);
    if (st == SU_OK) st = su_report_poststratified(s);
    if (st != SU_OK) return st;
    if (s->random) su_report_random(s);
    su_report_data(s);
    su_report_method(s);
    return su_cancelled(s->ctx) ? su_fail(s->ctx, SU_CANCELLED, "Stopped.") : SU_OK;
}

static void session_free(su_session *s)
{
    su_units_free(&s->units);
    su_fit_free(s->fit);
    su_covariance_free(&s->covariance);
    su_separation_free(&s->separation);
    su_random_fit_free(s->random);
    su_predictors_free(s->x);
    free(s->profiles);
    free(s->weight);
    su_arena_free(&s->arena);
}

su_status su_logit(su_context *ctx, su_frame *f, const su_logit_options *o, su_result **out)
{
    *out = NULL;
    su_session s = { .ctx = ctx, .frame = f, .o = o, .level = o->level != 0 ? o->level : 0.95 };
    su_arena_init(&s.arena);
    static const char *const titles[] = { "Logistic regression", "Probit regression", "Poisson regression", "Linear probability model" };
    su_status st = check_options(ctx, o);
    if (st == SU_OK) st = name_missing(&s);
    if (st == SU_OK) st = read_model(&s);
    if (st == SU_OK) st = read_weights(&s);
    if (st == SU_OK) st = fit_model(&s);
    if (st == SU_OK) st = find_covariance(&s);
    if (st == SU_OK) {
        find_profiles(&s);
        s.result = su_result_new("logit", titles[o->family]);
        st = report(&s);
    }
    if (st == SU_OK)
        *out = s.result;
    else
        su_result_free(s.result);
    session_free(&s);
    return st;
}

/* ---- what the tables ask ------------------------------------------------------------------------------------------------------------ */

double su_session_beta(const su_session *s, uint32_t j) { return s->random ? s->random->theta[j] : s->fit->beta[j]; }

double su_session_variance(const su_session *s, uint32_t j, uint32_t k)
{
    uint32_t p = s->x->columns;
    return s->random ? s->random->covariance[(size_t)j * (p + 1) + k] : s->covariance.v[(size_t)j * p + k];
}

double su_session_df(const su_session *s)
{
    double least = INFINITY;
    for (uint32_t j = 0; j < s->x->columns; j++)
        if (s->fit->kept[j]) least = fmin(least, s->covariance.df[j]);
    return least;
}

double su_session_quantile(const su_session *s, double df)
{
    if (!(df > 0)) return NAN;
    double p = 1 - (1 - s->level) / 2;
    return isinf(df) ? su_normal_quantile(p) : su_t_quantile(p, df);
}

double su_session_p(double statistic, double df)
{
    if (!(df > 0)) return NAN;
    return isinf(df) ? 2 * su_normal_upper(fabs(statistic)) : su_t_two_sided(statistic, df);
}
