/* covariate: log-linear models of lists and traits of people together, one unseen number per stratum (Tilling and Sterne 1999, American
 * Journal of Epidemiology 149:392-400; used for victims in the Netherlands by Cruyff, van Dijk and van der Heijden 2017, Chance 30(3)).
 *
 * Rows are strata x histories, columns are 0 or 1 (the most frequent value of a trait is its reference), so the information is summed over
 * the few ones of each row. Columns without people are -infinity and leave with their rows, as in mse/lattice.h; existence by exact rank.
 */
#ifndef SU_MSE_COVARIATE_H
#define SU_MSE_COVARIATE_H

#include "mse/lattice.h"

/* A term: up to two lists, up to two traits. {0, -1, -1} is the intercept. */
typedef struct su_trait_term {
    unsigned lists;
    int first, second; /* traits, -1 = none */
} su_trait_term;

enum { SU_TRAIT_TERMS_MAX = 128, SU_TRAIT_COLUMNS_MAX = 256 };
typedef struct su_trait_model {
    unsigned count;
    su_trait_term term[SU_TRAIT_TERMS_MAX];
} su_trait_model;

typedef struct su_trait_fit {
    su_existence code;
    unsigned parameters;
    double log_likelihood, deviance, bic, aic;
    size_t strata;
    double *unseen;     /* per stratum */
    double *covariance; /* strata x strata, of the unseen (delta method) */
    double *completed;  /* strata x cells: people, those without a value shared out (mse/incomplete.h); NULL = nobody */
} su_trait_fit;

/* Lists by themselves and traits by themselves. */
su_trait_model su_trait_model_base(const su_overlaps *o);
/* covariance and unseen are filled only when `full`; free with su_trait_fit_free. SU_NOT_CONVERGED also for more columns than the limit. */
su_trait_fit su_trait_fit_model(const su_overlaps *o, const su_trait_model *m, bool full);
/* The same for any counts (strata x cells, not whole). fitted (strata x cells) may be NULL. */
su_trait_fit su_trait_fit_counts(const su_overlaps *o, const double *counts, const su_trait_model *m, bool full, double *fitted);
void su_trait_fit_free(su_trait_fit *f);
/* Forward by BIC (or AIC) over list:list, list:trait and trait:trait terms. */
su_trait_model su_trait_search(su_context *ctx, const su_overlaps *o, bool aic);
void su_trait_term_print(const su_overlaps *o, const su_trait_term *t, char *text, size_t size);

#endif
