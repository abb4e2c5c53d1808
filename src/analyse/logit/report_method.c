/* The methods paragraph. */
#include <math.h>

#include "logit/session.h"

void su_report_method(su_session *s)
{
    static const char *const models[] = { "logistic regression", "probit regression", "Poisson regression with a logarithmic link",
                                          "linear probability model" };
    su_result *r = s->result;
    const su_logit_options *o = s->o;
    su_result_method(r, "%s was related to its predictors by %s (%s) on %llu of %llu rows in which nothing is missing.",
                     s->formula->outcome, s->random ? "logistic regression with a normal random intercept" : models[o->family],
                     s->formula->text, (unsigned long long)s->rows_used, (unsigned long long)s->frame->rows);
    if (s->random)
        su_result_method(r,
                         "The random intercept is by %s (%u groups), integrated by adaptive Gauss-Hermite quadrature with %u nodes "
                         "(Pinheiro and Bates 1995).",
                         o->random->name, s->random->groups, s->random->nodes);
    if (o->conditional)
        su_result_method(r, "The likelihood is conditional on the number of outcomes in each of %llu groups of %s (Gail, Lubin and Rubinstein 1981).",
                         (unsigned long long)s->conditional.groups, o->conditional->name);
    if (o->firth)
        su_result_method(
            r,
            "Estimates maximise Firth's penalised likelihood (1993); limits and p values are from its profile (Heinze and Schemper 2002).");
    else if (o->median)
        su_result_method(r, "Estimates are median bias-reduced (Kenne Pagui, Salvan and Sartori 2017); limits are Wald's.");
    else if (o->profile)
        su_result_method(r, "Limits and p values are from the profile of the likelihood.");
    su_result_method(r, "Standard errors: %s. Intervals are at %g %%.", s->covariance.label, 100 * s->level);
    if (s->weight) su_result_method(r, "Rows are weighted; weights were scaled to mean 1.");
    if (o->family == SU_FAMILY_POISSON && s->binary)
        su_result_method(r, "With an outcome of 0 and 1 the exponentiated coefficients are risk ratios and need the robust variance (Zou "
                            "2004, doi:10.1093/aje/kwh090).");
    if (o->effects || o->effects_at)
        su_result_method(r, "Average marginal effects are mean changes of the predicted outcome over the rows, with variables set through "
                            "the model's design, by the delta method%s.",
                         s->random ? "; outcomes are averaged over the population of groups" : "");
    if (s->separation.separated)
        su_result_method(r, "Separated columns were found by a linear program (Konis 2007) and reported as infinite.");
}
