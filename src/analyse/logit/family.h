/* family: the mean, its slope and its variance at a value of the linear predictor (McCullagh and Nelder 1989). */
#ifndef SU_ANALYSE_FAMILY_H
#define SU_ANALYSE_FAMILY_H

#include <suha/logit.h>

typedef struct su_mean {
    double mu, slope, variance; /* mu(eta), d mu / d eta, V(mu) */
} su_mean;
su_mean su_family_mean(su_family family, double eta);
double su_family_curvature(su_family family, double eta); /* d2 mu / d eta2, for effects' gradients */
double su_family_link(su_family family, double mu);
/* Contribution of y at eta to the log likelihood (gaussian: -(y - eta)^2 / 2; poisson: without log y!). */
double su_family_loglik(su_family family, double y, double eta);
/* The same for a mean equal to y. */
double su_family_saturated(su_family family, double y);

#endif
