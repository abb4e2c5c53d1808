/* interval: standard errors, profile likelihood, bias and lower bounds of one model. */
#ifndef SU_MSE_INTERVAL_H
#define SU_MSE_INTERVAL_H

#include "mse/lattice.h"

typedef struct su_profile {
    double N;                     /* where the multinomial profile likelihood is largest */
    double low, high;             /* high is INFINITY when the likelihood does not fall far enough below 1000 n */
} su_profile;

/* n + unseen * exp(-+ z sqrt(variance)). */
double su_wald_limit(const su_mse_lattice *l, const su_fit *f, double z);
/* The same with the Poisson part: limits for how many people there are, not for how many are to be expected given those seen. */
double su_wald_total_limit(const su_mse_lattice *l, const su_fit *f, double z);
/* Delta method, the number seen held fixed; with `poisson` the spread of the unseen is added (Rcapture). */
double su_N_error(const su_fit *f, bool poisson);
/* Profile likelihood of N (Cormack 1992, Biometrics 48:567-576): the model is fitted to all 2^lists cells with N - n in the empty one, and N
 * is in while twice the log likelihood is within the chi-squared quantile of its largest value. Leaves l as it was set, its last fit gone.
 */
su_profile su_profile_interval(su_mse_lattice *l, const su_model *m, const su_fit *f, double level);
/* Bias of N of order 1 after a su_fit_full of m (McCullagh and Nelder 1989, section 15.2). */
double su_fit_bias(const su_mse_lattice *l, const su_model *m, const su_fit *f);
/* exp(-fitted people in an empty overlap, without the term): how likely the emptiness is by itself. */
double su_empty_p(su_mse_lattice *l, const su_model *m, unsigned term);

#endif
