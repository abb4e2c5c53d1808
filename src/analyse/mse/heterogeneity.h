/* heterogeneity: log-linear models in which people differ in how easily lists meet them, or all lists are alike. A person on c lists adds
 * h(c) tau to the linear predictor: Rivest and Baillargeon 2007 (Biometrics 63:999), Darroch et al. 1993
 * (JASA 88:1137). The names are those of the capture-recapture tradition: M0 all lists alike, Mt lists differ, Mh
 * people differ, Mth both. */
#ifndef SU_MSE_HETEROGENEITY_H
#define SU_MSE_HETEROGENEITY_H

#include <suha/mse.h>

/* id, name, about */
#define SU_HETEROGENEITY_LIST(X)                                                                                                           \
    X(NONE, "", "people alike")                                                                                                            \
    X(CHAO, "Chao", "any differences: a lower bound")                                                                                      \
    X(POISSON, "Poisson2", "h(c) = 2^c - 1")                                                                                               \
    X(DARROCH, "Darroch", "h(c) = c^2 / 2: normal differences on the log-odds")                                                            \
    X(GAMMA, "Gamma3.5", "h(c) = log 3.5 - log(3.5 + c)")
#define SU_HETEROGENEITY_ENUM(id, name, about) SU_HETEROGENEITY_##id,
typedef enum su_heterogeneity { SU_HETEROGENEITY_LIST(SU_HETEROGENEITY_ENUM) SU_HETEROGENEITY_COUNT } su_heterogeneity;
#undef SU_HETEROGENEITY_ENUM

typedef struct su_closed_fit {
    double N, error; /* delta method with the spread of the unseen */
    double deviance, aic, bic;
    int df;
    bool converged;
} su_closed_fit;

/* counts[2^lists], counts[0] ignored; lists from 2 to 12. Chao's parameters below zero are left out one by one, the lowest first. Not
 * converged: N is NaN. O(steps * 2^lists * lists^2). */
su_closed_fit su_closed_population(unsigned lists, const int64_t *counts, bool lists_differ, su_heterogeneity people);
/* Log-normal limits of the unseen from the estimate and its error; NaN where the fit has not settled. */
void su_closed_limits(const su_closed_fit *f, double seen, double level, double *low, double *high);
/* Table "catchability" of all ten. *low, *high: the widest limits of the models in which lists and people differ (NaN: none has any). */
void su_report_catchability(const su_overlaps *o, double level, su_result *result, double *low, double *high);

#endif
