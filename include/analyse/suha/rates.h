/* rates: proportions, means, totals, ratios and quantiles of a survey or a case file, with the uncertainty of its design.
 *
 * The design says how rows came into the file (weights, strata, clusters, finite populations). Every estimate is linearised, and its
 * variance is the variance of totals of the linearised variable between primary sampling units within strata. A row outside a domain
 * counts as zero and is never deleted. docs/methods/rates.md has formulas and sources. */
#ifndef SUHA_RATES_H
#define SUHA_RATES_H

#include <suha/analyse.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- design ----------------------------------------------------------------------------------------------------------------- */

enum { SU_STAGES_MOST = 4 };

/* What to do with a stratum of which one unit was sampled: its variance cannot be seen. */
#define SU_LONE_LIST(X)                                                                                                                    \
    X(FAIL, "fail", "refuse and name the strata")                                                                                          \
    X(CENTRE, "centre", "deviation from the mean of all units of the stage")                                                               \
    X(ADJUST, "adjust", "deviation from zero, as R's survey.lonely.psu = adjust")                                                          \
    X(AVERAGE, "average", "the mean variance of the other strata")                                                                         \
    X(CERTAINTY, "certainty", "no contribution: right only when the unit was certain to be in the sample")
#define SU_LONE_ENUM(id, name, about) SU_LONE_##id,
typedef enum su_lone { SU_LONE_LIST(SU_LONE_ENUM) SU_LONE_COUNT } su_lone;
#undef SU_LONE_ENUM
bool su_lone_parse(su_str name, su_lone *out);

typedef struct su_design_options {
    const su_variable *weight;                 /* number, >= 0, none missing; NULL = from fpc, else 1 for every row */
    const su_variable *strata[SU_STAGES_MOST]; /* per stage; NULL = none */
    const su_variable *psu[SU_STAGES_MOST];    /* per stage; stage 0 NULL = every row is a unit of its own */
    const su_variable *fpc[SU_STAGES_MOST];    /* per stage: size of the population of units, or (no value above 1) sampled fraction */
    unsigned stages;                           /* how many psu are given; 0 is treated as 1 */
    bool nest;                                 /* psu names start again in every stratum */
    su_lone lone;
} su_design_options;

typedef struct su_design su_design;

/* Copies what it needs of the frame. SU_INPUT, by name and row: a weight that is missing, negative or endless; all weights zero; a missing
 * stratum or unit; a unit in two strata without nest; fpc that varies in a stratum or is below the sample. Later stages count for the
 * variance only where fpc is given for all stages before them (otherwise units of the first stage are taken as drawn with replacement).
 * O(rows). */
su_status su_design_new(su_context *ctx, su_frame *f, const su_design_options *options, su_design **out) SU_MUST_CHECK;
void su_design_free(su_design *d); /* NULL is fine */

typedef struct su_design_facts {
    uint64_t rows, weighted; /* weighted: rows of weight above 0 */
    uint64_t psus, strata;
    double df; /* psus - strata, over weighted rows */
    double weight_sum;
    double kish;     /* n sum(w^2) / sum(w)^2: what unequal weights alone cost (Kish 1992) */
    unsigned stages; /* that the variance uses */
    bool weights, clusters, stratified, finite, calibrated;
} su_design_facts;
su_design_facts su_design_facts_of(const su_design *d);
const double *su_design_weights(const su_design *d); /* rows of them */

/* ---- weights ---------------------------------------------------------------------------------------------------------------- */

/* Known totals: of a factor's level (level 1..), or of a number (level 0). A margin of several factors is a factor of their combinations
 * (su_frame_interaction). */
typedef struct su_margin {
    const su_variable *variable;
    const double *totals; /* factor: level_count of them; number: one */
} su_margin;

typedef enum su_calibration {
    SU_CALIBRATE_POSTSTRATIFY,
    SU_CALIBRATE_RAKE,
    SU_CALIBRATE_LINEAR,
    SU_CALIBRATE_RAKING,
    SU_CALIBRATE_LOGIT
} su_calibration;
typedef struct su_calibration_options {
    su_calibration method;
    bool intercept; /* linear, raking, logit: the total number of units is known too ... */
    double intercept_total;
    double low, high; /* bounds of new weight / old weight; 0, 0 = none. logit needs them */
    unsigned rounds;  /* 0 = 200 */
    double tolerance; /* largest relative change of a margin that counts as none; 0 = 1e-10 */
} su_calibration_options;

/* The weights meet the margins; later variances use the residuals of the calibration (Deville and Särndal 1992, doi:10.2307/2290268).
 * SU_INPUT: a missing value in a margin's variable, a level with population and no sample, a level without population; SU_REFUSED: no
 * convergence, weights that the bounds do not allow (both say by how much). Once per design. O(rows * margins * rounds). */
su_status su_design_calibrate(su_context *ctx, su_design *d, const su_margin *margins, size_t count, const su_calibration_options *options,
                              unsigned *rounds) SU_MUST_CHECK;
/* Weights above `most` become `most`, and what was cut is shared among the others in proportion, until none is above. The sum stays.
 * SU_REFUSED when `most` is below the mean weight. *trimmed = rows cut. */
su_status su_design_trim(su_context *ctx, su_design *d, double most, uint64_t *trimmed) SU_MUST_CHECK;
/* A factor whose levels are the combinations that occur: "a*b". In the frame's arena. */
su_status su_frame_interaction(su_context *ctx, su_frame *f, const su_variable *const *factors, size_t count,
                               const su_variable **out) SU_MUST_CHECK;

/* ---- estimates -------------------------------------------------------------------------------------------------------------- */

typedef enum su_statistic { SU_MEAN, SU_TOTAL, SU_RATIO } su_statistic;

typedef struct su_estimand {
    su_statistic statistic;
    const double *y;       /* one per row; NaN = outside the domain */
    const uint32_t *level; /* instead of y: 1 where it is `value`, 0 where it is another, outside where it is 0 */
    uint32_t value;
    const double *x;       /* ratio: sum w y / sum w x; NaN = outside */
    const uint32_t *group; /* 1..groups, 0 = outside; NULL = one group of all rows */
    uint32_t groups;
    /* instead of y, for su_design_estimate alone: writes y of rows from .. from + n, so that no column of it need be held */
    void (*read)(const void *arg, uint64_t from, uint32_t n, double *y);
    const void *arg;
} su_estimand;

typedef struct su_estimate {
    double estimate, variance; /* NaN for a group without rows */
    double df;                 /* units less strata among the weighted rows of the group */
    double deff;               /* variance / variance of a simple random sample without replacement of as many rows */
    double deff_replace;       /* ... with replacement */
    double weight_sum, kish;   /* of the group's rows */
    uint64_t n, nonzero;       /* weighted rows; those where y is not 0 */
    uint64_t psus;
} su_estimate;

/* count estimands; out has the groups of the first, then of the second ...: K estimates. covariance (K x K, row-major) may be NULL.
 * SU_REFUSED: a stratum with one unit under SU_LONE_FAIL (all are listed). O(count * rows), memory 8 * units * K but at most 100 MB:
 * beyond, the rows are read again. */
su_status su_design_estimate(su_context *ctx, const su_design *d, const su_estimand *estimands, size_t count, su_estimate *out,
                             double *covariance) SU_MUST_CHECK;

/* ---- replicate weights ------------------------------------------------------------------------------------------------------ */

typedef enum su_replication { SU_REPLICATE_JK1, SU_REPLICATE_JKN, SU_REPLICATE_BRR, SU_REPLICATE_FAY, SU_REPLICATE_RAO_WU } su_replication;
typedef struct su_replicate_options {
    su_replication method;
    double fay;          /* rho in [0, 1) */
    uint32_t replicates; /* Rao-Wu: 0 = 500 */
    uint64_t seed;
    bool mse; /* deviations from the full estimate instead of from the mean of the replicates */
} su_replicate_options;
typedef struct su_replicates su_replicates;
su_status su_replicates_new(su_context *ctx, const su_design *d, const su_replicate_options *options, su_replicates **out) SU_MUST_CHECK;
void su_replicates_free(su_replicates *r);
uint32_t su_replicates_count(const su_replicates *r);
/* The weights of all rows in replicate `at`. Calibrated weights are calibrated again in every replicate, which must go through all that the
 * full weights went through; one that cannot meet the margins makes su_replicates_new fail. */
void su_replicates_weights(const su_design *d, const su_replicates *r, uint32_t at, double *weights);
/* Scaled sum of outer products of K estimates per replicate (row-major replicates x K) around `full` or their mean. */
void su_replicates_covariance(const su_replicates *r, const double *estimates, const double *full, size_t k, double *covariance);
/* As su_design_estimate, by replicates (df, n and the rest as there). */
su_status su_replicates_estimate(su_context *ctx, const su_design *d, const su_replicates *r, const su_estimand *estimands, size_t count,
                                 su_estimate *out, double *covariance) SU_MUST_CHECK;

/* ---- intervals -------------------------------------------------------------------------------------------------------------- */

typedef struct su_interval {
    double low, high;
} su_interval;

#define SU_CI_LIST(X)                                                                                                                      \
    X(KORN_GRAUBARD, "korn-graubard", "Korn-Graubard with our rules where it fails (default for designs)")                                 \
    X(BETA, "beta", "Korn-Graubard as R's svyciprop has it")                                                                               \
    X(LOGIT, "logit", "Wald on the log-odds")                                                                                              \
    X(ASIN, "asin", "Wald on the arc sine of the square root")                                                                             \
    X(MEAN, "mean", "Wald")                                                                                                                \
    X(WILSON, "wilson", "Wilson's score interval (default without a design)")                                                              \
    X(WILSON_CC, "wilson-cc", "the same with continuity correction; without a design only")                                                \
    X(LIKELIHOOD, "likelihood", "Rao-Scott scaled likelihood ratio; designs only")                                                         \
    X(CLOPPER_PEARSON, "clopper-pearson", "exact binomial; without a design only")                                                         \
    X(AGRESTI_COULL, "agresti-coull", "Agresti and Coull; without a design only")                                                          \
    X(JEFFREYS, "jeffreys", "Jeffreys' prior, exact at 0 and n; without a design only")                                                    \
    X(POISSON, "poisson", "exact Poisson rate per row; without a design only")
#define SU_CI_ENUM(id, name, about) SU_CI_##id,
typedef enum su_ci { SU_CI_LIST(SU_CI_ENUM) SU_CI_COUNT } su_ci;
#undef SU_CI_ENUM
bool su_ci_parse(su_str name, su_ci *out);
const char *su_ci_name(su_ci method);
bool su_ci_needs_counts(su_ci method); /* without a design only */

/* k of n; without a design. NaN where the method has none (logit at 0). */
su_interval su_binomial_interval(su_ci method, double k, double n, double level);
/* p with variance v, df degrees of freedom, n rows of its domain; deff0 is the design effect assumed where v says nothing (p is 0 or 1).
 * df <= 0: NaN. */
su_interval su_proportion_interval(su_ci method, double p, double v, double df, double n, double deff0, double level);
double su_proportion_effective_n(double p, double v); /* p (1 - p) / v; NaN where v is 0 */
su_interval su_mean_interval(double estimate, double variance, double df, double level);

/* ---- quantiles -------------------------------------------------------------------------------------------------------------- */

#define SU_QUANTILE_RULES(X)                                                                                                               \
    X(MATH, "math")                                                                                                                        \
    X(SCHOOL, "school")                                                                                                                    \
    X(HF1, "hf1")                                                                                                                          \
    X(HF2, "hf2") X(HF3, "hf3") X(HF4, "hf4") X(HF5, "hf5") X(HF6, "hf6") X(HF7, "hf7") X(HF8, "hf8") X(HF9, "hf9")                        \
        X(SHAH_VAISH, "shahvaish")
#define SU_QUANTILE_ENUM(id, name) SU_QUANTILE_##id,
typedef enum su_quantile_rule { SU_QUANTILE_RULES(SU_QUANTILE_ENUM) SU_QUANTILE_RULE_COUNT } su_quantile_rule;
#undef SU_QUANTILE_ENUM
bool su_quantile_rule_parse(su_str name, su_quantile_rule *out);
typedef struct su_quantile {
    double p, estimate, low, high, se;
} su_quantile;
/* Quantiles p[0..count) of y over rows where group is `value` (group NULL: all), with Woodruff's interval (1952,
 * doi:10.1080/01621459.1952.10483443): limits for the share below, read back through the same rule. O(rows log rows). */
su_status su_design_quantiles(su_context *ctx, const su_design *d, const double *y, const uint32_t *group, uint32_t value,
                              su_quantile_rule rule, double level, const double *p, size_t count, su_quantile *out) SU_MUST_CHECK;

/* ---- tables ----------------------------------------------------------------------------------------------------------------- */

/* Association of two factors in a design: Rao and Scott (1984, doi:10.1214/aos/1176346391) and Wald tests. */
typedef struct su_association {
    double pearson;        /* X2 of the weighted table scaled to n */
    double f, df1, df2, p; /* second-order corrected */
    double chi_df, chi_p;  /* first-order: X2 / mean eigenvalue on chi_df */
    double wald, wald_df1, wald_df2, wald_p, adjusted_wald, adjusted_df2, adjusted_p;
    double saddlepoint_p; /* of the weighted sum of chi squares over an independent one, Kuonen 1999 */
    uint64_t n;
    double *cells; /* rows x columns weighted totals; owned by the caller: free() */
    uint32_t rows, columns;
} su_association;
/* group as in su_estimand: rows with 0 are outside. */
su_status su_design_association(su_context *ctx, const su_design *d, const su_variable *rows, const su_variable *columns,
                                const uint32_t *inside, su_association *out) SU_MUST_CHECK;

/* ---- comparing counts without a design -------------------------------------------------------------------------------------- */

/* k1 of n1 against k2 of n2. Intervals at `level`; NaN where there is none, and for Fisher's where the first cell can take more than 20,000
 * values. */
typedef struct su_two_rates {
    double difference, ratio, odds_ratio;
    su_interval wald, newcombe, ratio_log, woolf;
    double pearson, pearson_p, yates, yates_p;
    double fisher_p, fisher_odds_ratio; /* conditional maximum likelihood; infinite where a margin forces it */
    su_interval fisher;
} su_two_rates;
su_two_rates su_two_rates_of(int64_t k1, int64_t n1, int64_t k2, int64_t n2, double level);

typedef struct su_mantel_haenszel {
    double odds_ratio;
    su_interval interval; /* Robins, Breslow and Greenland 1986 (doi:10.2307/2531052) */
    double chi2, p, chi2_corrected, p_corrected;
    double breslow_day, breslow_day_p; /* homogeneity */
} su_mantel_haenszel;
/* tables: strata x { a, b, c, d }: group 1 with and without, group 2 with and without. */
su_mantel_haenszel su_mantel_haenszel_of(const double *tables, size_t strata, double level);
/* Trend in proportions (Cochran 1954, Armitage 1955): chi square on 1 df. */
double su_trend_chi2(const double *k, const double *n, const double *score, size_t groups);

/* ---- protected data --------------------------------------------------------------------------------------------------------- */

/* Noise of a released count: its variance, and the smallest h with P(|noise| <= h) >= level (for whole numbers). */
typedef struct su_noise_law {
    double variance, half_width, coverage;
} su_noise_law;
su_noise_law su_noise_geometric(double epsilon, double level);       /* two-sided geometric of sensitivity 1 */
su_noise_law su_noise_discrete_gaussian(double sigma, double level); /* parameter sigma */
/* Of two noisy counts: p = k / n. Population: sampling and noise (Wilson at the effective n). Noise only: Fieller 1954; low > high where
 * the denominator is not away from zero. */
typedef struct su_noisy_rate {
    double p, se_noise, se; /* of noise alone (delta method); of sampling and noise */
    double effective_n;
    su_interval population, noise_only;
    bool coarse; /* noise sd above half of a count: the rate says little, the interval says how little */
} su_noisy_rate;
su_noisy_rate su_noisy_rate_of(double k, double k_variance, double n, double n_variance, double level);
/* Combining M copies: partially synthetic (Reiter 2003) and fully synthetic (Raghunathan et al. 2003, not below zero). */
typedef struct su_combined {
    double estimate, within, between, partial, partial_df, full, full_adjusted;
} su_combined;
su_combined su_synthetic_combine(const double *q, const double *u, size_t m);

/* ---- what the commands print ---- */

typedef enum su_rates_kind { SU_RATES_AUTO, SU_RATES_TOTAL, SU_RATES_RATIO, SU_RATES_QUANTILE } su_rates_kind;

typedef struct su_outcome {
    const su_variable *variable; /* number of 0 and 1 only: share of 1; other numbers: mean; factor: share of `value`, or of every level */
    const char *value;           /* NULL = as said */
} su_outcome;

typedef struct su_rates_options {
    const su_outcome *outcomes;
    size_t outcome_count;
    su_rates_kind kind;
    const su_variable *denominator; /* ratio */
    const su_variable *by;          /* factor; NULL = no groups */
    const uint32_t *within;         /* rows: 0 = outside the domain; NULL = all */
    const char *within_text;        /* for people */
    su_ci ci;
    bool ci_given;                   /* false: Wilson without a design, Korn-Graubard with one */
    bool design_given;               /* any of weights, strata, units, populations, margins */
    bool nonprobability;             /* intervals are labelled "model-based, not probability" */
    double level;                    /* 0 = 0.95 */
    uint64_t min_cell;               /* rows that rest on fewer cases (or non-cases) are not printed; 0 = all are */
    const su_replicates *replicates; /* NULL = linearisation */
    const char *replicate_name;
    const double *quantiles;
    size_t quantile_count;
    su_quantile_rule rule;
} su_rates_options;

/* Table "rates" (shares), "means", "totals", "ratios" or "quantiles": for each outcome all rows of the domain, then each group. Warnings:
 * W_FEW_UNITS, W_LOW_PRECISION, W_ZERO_COUNT, W_MISSING, W_SUPPRESSED, W_NOT_PROBABILITY, W_NO_INTERVAL. SU_INPUT: a value that does not
 * occur, an outcome without values; SU_REFUSED as su_design_estimate. */
su_status su_rates_result(su_context *ctx, su_frame *f, const su_design *d, const su_rates_options *o, su_result **out) SU_MUST_CHECK;

typedef struct su_compare_options {
    su_outcome outcome;
    const su_variable *by;     /* factor: groups to compare */
    const char *reference;     /* level of `by`; NULL = the first */
    const su_variable *strata; /* factor: Mantel-Haenszel; NULL = none */
    const double *scores;      /* trend: one per level of `by`; NULL = none */
    const uint32_t *within;
    const char *within_text;
    bool design_given, nonprobability;
    double level;
    uint64_t min_cell;
} su_compare_options;
/* Tables "groups", "comparisons" (difference, ratio and odds ratio of each group to the reference), "tests". SU_INPUT, SU_REFUSED: a
 * constant outcome, fewer than two groups. */
su_status su_compare_result(su_context *ctx, su_frame *f, const su_design *d, const su_compare_options *o, su_result **out) SU_MUST_CHECK;

#ifdef __cplusplus
}
#endif
#endif
