/* impute: multiple imputation by chained equations, and pooling. docs/methods/impute.md has the formulas and what they do not claim.
 *
 * Missing values are drawn m times from models of each variable given all others; every analysis is made m times and pooled. Missing at
 * random given the variables of the file is assumed, and nothing in the file can show it: the MNAR slider says what if not. */
#ifndef SUHA_IMPUTE_H
#define SUHA_IMPUTE_H

#include <suha/analyse.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SU_IMPUTE_LIST(X)                                                                                                                  \
    X(AUTO, "auto", "by the variable: two values logit, a factor multinomial, a number pmm")                                               \
    X(LOGIT, "logit", "Bayesian logistic regression, two categories")                                                                      \
    X(MULTINOMIAL, "multinomial", "Bayesian multinomial logistic regression")                                                              \
    X(ORDERED, "ordered", "proportional odds, categories in their order")                                                                  \
    X(PMM, "pmm", "predictive mean matching, a number seen in one of 5 donors")                                                            \
    X(MATCHED, "matched", "many categories: one seen in one of 5 donors, nearest by the scores that the other columns predict best") \
    X(EXCLUDE, "exclude", "neither imputed nor used (identifiers, text)")
#define SU_IMPUTE_ENUM(id, name, about) SU_IMPUTE_##id,
typedef enum su_impute_method { SU_IMPUTE_LIST(SU_IMPUTE_ENUM) SU_IMPUTE_METHODS } su_impute_method;
#undef SU_IMPUTE_ENUM
const char *su_impute_method_name(su_impute_method m);

typedef struct su_impute_choice {
    const su_variable *variable;
    su_impute_method method;
    double delta; /* MNAR slider: added to the log-odds of the second category, to the linear predictor of ordered categories, or to the
                     number itself; 0 = missing at random */
} su_impute_choice;

typedef struct su_impute_options {
    const su_impute_choice *choices; /* variables not named: AUTO, delta 0 */
    size_t choice_count;
    unsigned imputations, rounds; /* 0 = 20, 10 */
    uint64_t seed;
} su_impute_options;

/* One variable of the file. */
typedef struct su_imputed {
    const su_variable *variable;
    su_impute_method method;          /* EXCLUDE: not used */
    const char *note;                 /* why it is excluded or unusual; NULL */
    uint64_t missing, not_applicable; /* cells without a value; of these the ones where none belongs, which stay empty */
    const uint32_t *rows;             /* of the missing cells that are filled, ascending */
    uint64_t filled;
    double **number;  /* by imputation: `filled` values; NULL for factors */
    uint16_t **level; /* by imputation: levels 1..level_count; NULL for numbers */
    double r_hat;     /* of the chains' means over the second half of the rounds; NaN for one imputation */
    double delta;
} su_imputed;

typedef struct su_imputation {
    su_arena arena;
    const su_frame *frame;
    unsigned imputations, rounds;
    uint64_t seed, complete; /* rows with no missing value in a used variable */
    su_imputed *variables;   /* frame->count of them */
} su_imputation;

/* Every used variable predicts every other (van Buuren and Groothuis-Oudshoorn 2011, doi:10.18637/jss.v045.i03): the outcome, weights and
 * design variables belong among them. Perfect prediction is met by augmented rows (White, Daniel and Royston 2010,
 * doi:10.1016/j.csda.2010.04.005). The same numbers on any number of threads. SU_REFUSED: nothing missing, a variable without any value,
 * too few values for its predictors, more than 30 categories, more than 200 predictor columns. O(imputations * rounds * rows * columns^2 *
 * categories). */
su_status su_impute(su_context *ctx, su_frame *f, const su_impute_options *o, su_imputation **out) SU_MUST_CHECK;
void su_imputation_free(su_imputation *i); /* NULL is fine */
/* Tables "missing" (reasons by variable), "patterns", "imputed" (observed beside imputed, R-hat). */
void su_impute_report(const su_imputation *i, su_result *out);

/* ---- pooling ---- */

/* Rubin 1987 with the degrees of freedom of Barnard and Rubin 1999 (doi:10.1093/biomet/86.4.948). */
typedef struct su_pooled {
    double estimate, within, between, total; /* Q, U, B, T */
    double df, lambda, riv, fmi;             /* share of T due to missing values, relative increase, fraction of missing information */
} su_pooled;
/* m estimates with squared standard errors; complete_df INFINITY when it is unknown (a normal analysis). m >= 2. */
su_pooled su_pool(const double *estimates, const double *squares, size_t m, double complete_df);
/* Wald test that k coefficients are zero at once: D1 of Li, Raghunathan and Rubin 1991 with Reiter's 2007 df (doi:10.1093/biomet/asm028).
 * estimates: m by k; covariances: m by k by k. SU_REFUSED when the mean covariance is singular. */
typedef struct su_pooled_test {
    double f, df1, df2, p, riv;
} su_pooled_test;
su_status su_pool_test(su_context *ctx, const double *estimates, const double *covariances, size_t m, size_t k, double complete_df,
                       su_pooled_test *out) SU_MUST_CHECK;

typedef struct su_pool_options {
    const char *formula;
    bool linear;                              /* an outcome that is a number; otherwise logistic */
    const char *event;                        /* outcome category that counts as 1 */
    const su_variable *imputation;            /* number of the completion; 0 = the incomplete original, left out */
    const su_variable *weight, *strata, *psu; /* design-based variance in each completion; NULL */
    const su_variable *cluster;               /* or a cluster-robust one */
    const char *const *tests;                 /* terms tested at once by D1: names of variables */
    size_t test_count;
    double level;
} su_pool_options;
/* Fits the formula in every completion of a stacked file and pools the coefficients (log-odds, never odds ratios). Tables
 * "coefficients", "tests". */
su_status su_pool_formula(su_context *ctx, su_frame *f, const su_pool_options *o, su_result *out) SU_MUST_CHECK;
/* Pools a file of estimates: one row per completion and term. complete_df may be INFINITY. */
su_status su_pool_estimates(su_context *ctx, su_frame *f, const su_variable *term, const su_variable *estimate, const su_variable *error,
                            double complete_df, double level, su_result *out) SU_MUST_CHECK;

#ifdef __cplusplus
}
#endif
#endif
