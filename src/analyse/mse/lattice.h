/* lattice: fast Poisson log-linear fits of overlap tables.
 *
 * The design is 0/1 on the lattice of subsets, so nothing is multiplied by a design matrix: the linear predictor is the sum over subsets of
 * the coefficients, the score and the information are sums over supersets of counts and fitted values, each by the fast zeta transform in
 * lists * 2^(lists-1) additions (Yates 1937; Kennes 1992). One Newton step costs 2^lists exponentials and one Cholesky factor.
 *
 * Extended maximum likelihood (Fienberg and Rinaldo 2012, doi:10.1214/12-AOS986; Chan, Silverman and Vincent 2021,
 * doi:10.1080/01621459.2019.1708748): a term whose overlap has no people is -infinity; the term and every cell that contains it leave the
 * fit, and it still counts as a parameter in AIC and BIC. */
#ifndef SU_MSE_LATTICE_H
#define SU_MSE_LATTICE_H

#include "mse/model.h"

/* Whether an estimate exists: the codes of SparseMSE. */
typedef enum su_existence {
    SU_EXISTS = 0,
    SU_NO_ESTIMATE = 1,      /* the extended likelihood has no maximum */
    SU_NOT_IDENTIFIABLE = 2, /* the maximum is there, and many N share it */
    SU_NEITHER = 3,
    SU_NOT_CONVERGED = 4 /* Newton's method failed: numbers too extreme for double precision */
} su_existence;

/* A table made ready for fits. Not shared between threads. */
typedef struct su_mse_lattice {
    unsigned lists;
    size_t cells;
    bool whole;       /* cell 0 takes part too (profile likelihood): count[0] is then the trial number of unseen */
    double *count;    /* of each cell */
    double *overlap;  /* people on all lists of w and perhaps others: N* */
    double n;         /* sum of counts */
    double saturated; /* log likelihood of the saturated model without the factorials; NAN until asked for */
    double factorials;
    uint64_t pattern;   /* of cells with people; exact for lists <= 6 */
    uint16_t *positive; /* those cells, small sets first */
    unsigned positive_count;
    double *start_weight, *start_score; /* superset sums of the starting fit, all cells active */
    bool started;
    double prior_variance; /* above 0: joint terms have a normal prior, nothing is dropped, and fits are posterior modes */
    /* of the last fit */
    double *eta, *mu, *sum;    /* sum[w]: fitted people on all lists of w */
    double *information;       /* factored */
    double beta[SU_TERMS_MAX]; /* parallel to the model's terms; -INFINITY = empty overlap */
    unsigned kept[SU_TERMS_MAX], kept_count;
    /* scratch */
    double *work, *work2;
    int32_t *euler;
    unsigned char *active;
    struct su_existence_cache *cache;
} su_mse_lattice;

typedef struct su_fit {
    su_existence code;
    unsigned parameters; /* with the -infinity ones */
    double unseen;       /* exp of the intercept */
    double N;
    double log_likelihood; /* without the factorials: compare only within a table; su_fit_full adds them */
    double variance;       /* of the intercept; only from su_fit_full */
    double deviance;       /* only from su_fit_full */
} su_fit;

void su_mse_lattice_init(su_mse_lattice *l, unsigned lists);
void su_mse_lattice_free(su_mse_lattice *l);
/* New counts (2^lists of them). Cell 0 takes part when whole. */
void su_mse_lattice_set(su_mse_lattice *l, const double *count, bool whole);
void su_mse_lattice_set_integers(su_mse_lattice *l, const int64_t *count);

/* Sums over supersets, in place; size 2^lists. */
void su_superset_sums(double *x, unsigned lists);

/* Existence by exact rank (mse/existence.h), with a shortcut and a cache. */
su_existence su_mse_lattice_existence(su_mse_lattice *l, const su_model *m);
/* Fits without asking whether the estimate exists. start: coefficients parallel to the model's terms to begin from, or NULL. Leaves mu,
 * sum, beta. About 10 microseconds for 63 cells and 7 terms. */
su_fit su_fit_fast(su_mse_lattice *l, const su_model *m, const double *start);
/* Existence first, then the fit to the last digit, with factored information, deviance, variance and full log likelihood. */
su_fit su_fit_full(su_mse_lattice *l, const su_model *m);
/* The posterior mode under prior_variance; leaves the factored information (with the prior's) in `information`. */
su_fit su_fit_posterior(su_mse_lattice *l, const su_model *m);
/* Log posterior, up to a constant, at coefficients parallel to the model's terms. */
double su_mse_lattice_log_posterior(su_mse_lattice *l, const su_model *m, const double *beta);
/* -2 log likelihood + parameters * log(people seen), with the log likelihood as in the fit. */
double su_fit_bic(const su_mse_lattice *l, const su_fit *f);
double su_fit_aic(const su_fit *f);

#endif
