/* session: one run of su_logit, from formula to tables. */
#ifndef SU_ANALYSE_LOGIT_SESSION_H
#define SU_ANALYSE_LOGIT_SESSION_H

#include "logit/conditional.h"
#include "logit/effects.h"
#include "logit/measures.h"
#include "logit/profile.h"
#include "logit/random.h"
#include "logit/separation.h"
#include "logit/variance.h"

typedef struct su_session {
    su_context *ctx;
    su_frame *frame;
    const su_logit_options *o;
    double level;
    su_arena arena;
    su_formula *formula;
    su_predictors *x;
    uint64_t rows_used; /* before rows that separation decides were set aside */
    uint64_t events;    /* rows used with y = 1 */
    double *weight;     /* one per row of the frame, mean 1 over the rows used; NULL = 1 */
    double effective_n; /* (sum w)^2 / sum w^2 */
    bool binary;        /* the outcome is 0 or 1 */
    su_units units;
    su_fit *fit;
    su_covariance covariance;
    su_separation separation;
    su_profile *profiles; /* per column, with --profile and --firth */
    su_random_fit *random;
    su_conditional_facts conditional;
    su_result *result;
} su_session;

/* Coefficient j and its variance, from the plain or the random intercept fit. */
double su_session_beta(const su_session *s, uint32_t j);
double su_session_variance(const su_session *s, uint32_t j, uint32_t k);
/* df for a combination of coefficients: the smallest of them (infinite = normal). */
double su_session_df(const su_session *s);
/* Quantile of t or the normal that makes intervals at the session's level. */
double su_session_quantile(const su_session *s, double df);
double su_session_p(double statistic, double df);

/* Tables (report.c). */
void su_report_fit(su_session *s);
void su_report_coefficients(su_session *s);
void su_report_data(su_session *s);
/* Whole terms (report_tests.c). */
void su_report_tests(su_session *s);
/* Effects, margins and profiles (report_effects.c). */
su_status su_report_effects(su_session *s) SU_MUST_CHECK;
su_status su_report_margins(su_session *s) SU_MUST_CHECK;
su_status su_report_profiles(su_session *s) SU_MUST_CHECK;
/* Shares of a population from its cells (poststratify.c). */
su_status su_report_poststratified(su_session *s) SU_MUST_CHECK;
/* Random intercept (report_random.c). */
void su_report_random(su_session *s);
/* Sentences for an annex (report_method.c). */
void su_report_method(su_session *s);

#endif
