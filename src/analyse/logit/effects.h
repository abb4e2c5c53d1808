/* effects: what a model says on the scale of the outcome: averages over the rows used, with any variable set to a value, and their
 * derivatives, each with its gradient, so that every covariance gives a standard error (delta method). Variables are set through the
 * design builder, so interactions and powers follow (Williams 2012, doi:10.1177/1536867X1201200209). */
#ifndef SU_ANALYSE_EFFECTS_H
#define SU_ANALYSE_EFFECTS_H

#include "logit/fit.h"

/* An average over units and its gradient to beta. */
typedef struct su_average {
    double value;
    double *gradient; /* columns, and one more for the log standard deviation of a random intercept */
} su_average;
su_average su_average_new(uint32_t columns); /* room for columns + 1 */
void su_average_free(su_average *a);

/* Weighted mean of mu with settings (NULL = as they are). O(units * terms). */
void su_average_mean(const su_units *u, const double *beta, const su_setting *settings, su_average *out);
/* Weighted mean of d mu / d variable, a number. */
void su_average_slope(const su_units *u, const double *beta, const su_setting *settings, const su_variable *variable, su_average *out);
/* The same of population averages: mu is int Lambda(eta + s u) phi(u) du of a random intercept with standard deviation s (40 nodes), theta the
 * coefficients and log s, gradients have columns + 1 entries. slope_of NULL: the mean. O(units * (terms + 40)). */
void su_average_population(const su_units *u, const double *theta, double sigma, const su_setting *settings, const su_variable *slope_of,
                           su_average *out);
/* a - b */
void su_average_subtract(su_average *a, const su_average *b, uint32_t columns);

/* The linear predictor where every variable is set. */
double su_profile_link(const su_predictors *x, const double *beta, const su_setting *settings, double *gradient);
bool su_settings_complete(const su_predictors *x, const su_setting *settings);
/* "route=CMR, sex=male"; a value with a comma stands between double quotes. *set = variables named. */
su_status su_profile_parse(su_context *ctx, const su_predictors *x, su_str text, su_setting *settings, uint32_t *set,
                           const char **last) SU_MUST_CHECK;

#endif
