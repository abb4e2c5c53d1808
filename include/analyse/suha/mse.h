/* mse: multiple systems estimation. How many people are on none of the lists, from how the lists overlap.
 *
 * The answer is a panel of methods and never one number: on real tables of victims of trafficking the methods differ by a factor of two
 * and more, and the verdict says so. Methods and sources: docs/methods/mse.md. Cores: no files, no clock. */
#ifndef SUHA_MSE_H
#define SUHA_MSE_H

#include <suha/analyse.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SU_MSE_MAX_LISTS 12u
#define SU_MSE_MAX_STRATA 256u

/* ---- overlap tables ------------------------------------------------------------------------------------------------------------------- */

/* counts[w]: people who are on exactly the lists of w (bit i = list i); counts[0] is 0: nobody has seen them. With covariates there is a
 * table per stratum, counts being their sum. From su_overlaps_new and friends; freed with su_overlaps_free. */
/* People of one history some of whose traits are not known. */
#define SU_OVERLAP_UNKNOWN UINT32_MAX
typedef struct su_overlap_partial {
    uint32_t cell;
    int64_t people;
    uint32_t *level; /* per covariate, SU_OVERLAP_UNKNOWN = not known */
} su_overlap_partial;

typedef struct su_overlaps {
    unsigned lists;
    char **names;
    size_t cells; /* 2^lists */
    int64_t *counts;
    int64_t n; /* people on at least one list */
    su_sha256 fingerprint; /* of lists, counts and strata, not of the file's bytes: the order of rows does not matter */
    unsigned covariates; /* 0 without */
    char **covariate_names;
    unsigned *covariate_levels;  /* how many values each has */
    char ***covariate_values;    /* [covariate][level] */
    size_t strata;               /* product of the levels; the first covariate runs slowest */
    int64_t *stratum_counts;     /* strata x cells; people with every value known */
    size_t partials;             /* the others, none unless asked for by `incomplete` */
    su_overlap_partial *partial;
} su_overlaps;

typedef struct su_overlap_options {
    const char *const *lists; /* names of the list columns; NULL: every column with only 0 and 1 (yes, no, true, false) that is no covariate */
    size_t list_count;
    const char *count;              /* column with the number of people of a row; NULL: "count", "n", "freq", "frequency" or the only number
                                       column when there is one, otherwise one person per row */
    bool person_rows;               /* one person per row, whatever the columns are called */
    const char *const *covariates;
    size_t covariate_count;
    bool incomplete; /* an empty covariate is a value that this list does not record; otherwise it is an error */
    bool noised; /* counts carry noise: negative ones are read, and every combination of lists must have exactly one row */
} su_overlap_options;

/* An overlap table (list columns of 0 and 1 and a count; rows in any order, repeated rows add up, absent combinations are 0) or one row per
 * person. SU_INPUT names file, line, column and value of what is no 0 or 1, of a count that is no whole number, and of people on no list
 * in person rows (they cannot be: they are what is estimated; a row of zeros with a count of 0 or an empty count is passed over). */
su_status su_overlaps_of_table(su_context *ctx, const su_raw_table *table, const su_overlap_options *options, su_overlaps **out) SU_MUST_CHECK;
/* Copies names (NULL: A, B, C...) and counts[2^lists]; counts[0] must be 0. */
su_status su_overlaps_new(su_context *ctx, unsigned lists, const char *const *names, const int64_t *counts, su_overlaps **out) SU_MUST_CHECK;
void su_overlaps_free(su_overlaps *o); /* NULL is fine */
/* The table without list `list` (people only on it are gone), and with lists a and b made one ("A+B"). Returns owned; strata are kept. */
su_overlaps *su_overlaps_without(const su_overlaps *o, unsigned list);
su_overlaps *su_overlaps_merged(const su_overlaps *o, unsigned a, unsigned b);
/* The same table of one stratum. */
su_overlaps *su_overlaps_stratum(const su_overlaps *o, size_t stratum);

/* ---- the panel -------------------------------------------------------------------------------------------------------------------------- */

typedef enum su_mse_method {
    SU_MSE_MAIN,
    SU_MSE_STEPWISE_P,
    SU_MSE_STEPWISE_AIC,
    SU_MSE_BEST_BIC,
    SU_MSE_DOWNHILL,
    SU_MSE_AVERAGE,
    SU_MSE_CHAO,
    SU_MSE_DGA,
    SU_MSE_LATENT,
    SU_MSE_THRESHOLD,
    SU_MSE_FIXED,
    SU_MSE_METHODS
} su_mse_method;

/* Noise that was added to every count for privacy, one person being in one count. */
typedef enum su_mse_noise_law {
    SU_MSE_NO_NOISE,
    SU_MSE_NOISE_GAUSSIAN, /* discrete Gaussian: probability of x in proportion to exp(-x^2 / (2 scale^2)) */
    SU_MSE_NOISE_GEOMETRIC /* two-sided geometric: in proportion to exp(-|x| scale); scale is epsilon */
} su_mse_noise_law;
typedef struct su_mse_noise {
    su_mse_noise_law law;
    double scale;
} su_mse_noise;

typedef struct su_mse_options {
    uint32_t methods;       /* bits of su_mse_method; 0 = all of them */
    const char *model;      /* fixed model, NULL for none */
    uint64_t seed;
    uint32_t replicates;    /* bootstrap of the searches; 0 = no bootstrap */
    uint32_t best_replicates; /* the same for the best-BIC search over all models, which is the slowest */
    uint32_t n_top;         /* only the best n_top models compete in its resamples; 0 = all */
    unsigned order;         /* largest term in searches over all models; 0 = as large as stays within most_models */
    size_t most_models;     /* 0 = 40,000 */
    double threshold_p;     /* stepwise: add a pair while its p is below; 0 = 0.02 */
    double aic_wald_p;      /* stepwise AIC: a pair's Wald p must be at most; 0 = 0.05 */
    unsigned starts;        /* downhill: random starts beside the main-effects model; 0 = 20 */
    double level;           /* of intervals; 0 = 0.95 */
    double dga_bound;       /* largest population the Bayesian average considers; 0 = 11 n */
    double dga_delta;       /* Dirichlet prior per cell; 0 = 2^-lists */
    uint32_t latent_sweeps; /* per chain after burn-in; 0 = 20,000 */
    unsigned latent_chains; /* 0 = 8; fewer are refused */
    unsigned latent_classes; /* 0 = 10 */
    uint32_t coverage;      /* simulated tables to try the interval on; 0 = none */
    bool sensitivity;       /* leave one list out, merge two, linkage error */
    bool keep_flawed_lists; /* do not take out empty, full, nested and duplicate lists */
    su_mse_noise noise;     /* of the counts; with one, only the average over decomposable graphs is made, with the noise in its likelihood */
} su_mse_options;

su_mse_options su_mse_defaults(void);

/* Checks the data, runs the methods and fills the result: overlap table, pairs with what independence would give, checks, panel, best
 * models, sensitivity, coverage, verdict. Refuses (SU_REFUSED) fewer than two lists with people and tables without any overlap; with two
 * lists only Chapman's estimator is given, flagged. With covariates also the estimates by stratum. With noise: three to six lists, and every
 * other method asked for is refused, because a log-linear fit takes a false zero for an effect of minus infinity. */
su_status su_mse_panel(su_context *ctx, const su_overlaps *o, const su_mse_options *options, su_result *result) SU_MUST_CHECK;

#ifdef __cplusplus
}
#endif
#endif
