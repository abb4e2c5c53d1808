/* flow: counts over time and place. Count regression, trend tests, seasonal decomposition, origin-destination tables, overlaps of two
 * points, changes and rates. docs/methods/trend.md and flow.md have the formulas. Arrays are in time order; NaN is never a value here
 * unless said. Every function with a su_context returns SU_REFUSED with the reason in words when the data cannot answer the question. */
#ifndef SUHA_FLOW_H
#define SUHA_FLOW_H

#include <suha/analyse.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- count regression: log E(y) = x b + offset ---- */

typedef enum su_counts_family {
    SU_COUNT_POISSON,
    SU_COUNT_NEGATIVE_BINOMIAL /* variance mu + mu^2 / theta, theta by maximum likelihood */
} su_counts_family;

typedef enum su_counts_errors {
    SU_ERRORS_MODEL,     /* inverse information */
    SU_ERRORS_QUASI,     /* times Pearson's chi square over its degrees of freedom (Poisson only) */
    SU_ERRORS_HC0,       /* White's sandwich */
    SU_ERRORS_NEWEY_WEST /* Bartlett weights up to `lag`; rows in time order (doi:10.2307/1913610) */
} su_counts_errors;

typedef struct su_counts_design {
    const double *y;      /* rows; whole or not, not negative */
    const double *x;      /* rows by columns, row-major, the intercept included */
    const double *offset; /* rows, log of the exposure; NULL = none */
    const char *const *names;
    size_t rows, columns;
} su_counts_design;

typedef struct su_counts_options {
    su_counts_family family;
    su_counts_errors errors;
    unsigned lag;
} su_counts_options;

typedef struct su_counts_fit {
    size_t rows, columns;
    double *coefficients, *covariance; /* covariance: columns by columns */
    bool *kept;                        /* false: the column follows from those before it, its coefficient is 0 */
    double *fitted;                    /* rows */
    double theta, theta_error;         /* infinite and NaN for Poisson */
    double dispersion;                 /* Pearson's chi square / df, of either family */
    double deviance, log_likelihood, aic;
    size_t df;          /* rows - rank */
    bool overdispersed; /* negative binomial: theta did not run off to infinity */
} su_counts_fit;

/* Iteratively reweighted least squares; theta and the coefficients in turns (Venables and Ripley 2002, section 7.4). O(rows * columns^2) a
 * step. Refused: no rows, negative counts, all counts zero, no degrees of freedom left, no convergence. */
su_status su_counts_fit_new(su_context *ctx, const su_counts_design *d, const su_counts_options *o, su_counts_fit **out) SU_MUST_CHECK;
void su_counts_fit_free(su_counts_fit *f); /* NULL is fine */
/* The linear predictor of a new row and its standard error. */
double su_counts_predict(const su_counts_fit *f, const double *row, double offset, double *error);

/* ---- monotone trend ---- */

typedef struct su_mann_kendall {
    double s, variance, z, p, tau; /* variance with ties; z with continuity correction; tau b */
    size_t n;
} su_mann_kendall;
/* Mann 1945 (doi:10.2307/1907187), Kendall's variance with ties. NaN values are left out. O(n^2). n < 3 gives NaN. */
su_mann_kendall su_mann_kendall_of(const double *x, size_t n);
/* Hirsch, Slack and Smith 1982 (doi:10.1029/WR018i001p00107): S and its variance summed over seasons; season[i] in 0..period-1. */
su_mann_kendall su_mann_kendall_seasonal(const double *x, const unsigned *season, size_t n, unsigned period);
/* Sen's slope, the median of all pairwise slopes, with the interval of Gilbert 1987 from `variance` of Mann-Kendall's S.
 * Time t (NULL: 0, 1, 2 ...). Exact. O(n^2) time, four passes over the pairs; 3 MB whatever n is. NaN above SU_SEN_MOST periods. */
typedef struct su_sen {
    double slope, low, high;
} su_sen;
su_sen su_sen_slope(const double *x, const double *t, size_t n, double variance, double level);
enum { SU_SEN_MOST = 10000 };

/* ---- seasons ---- */

/* STL with a periodic season (Cleveland and others 1990): seasonal and trend of n values, n >= 2 periods. */
su_status su_stl_periodic(su_context *ctx, const double *x, size_t n, unsigned period, double *seasonal, double *trend) SU_MUST_CHECK;
/* Classical decomposition: centred moving average (NaN at the ends) and one figure per season, mean 1 (product) or 0 (sum). */
su_status su_decompose(su_context *ctx, const double *x, size_t n, unsigned period, bool product, double *figure,
                       double *trend) SU_MUST_CHECK;

typedef struct su_holt_winters {
    double alpha, beta, gamma, sse;
    double level, slope;
    double *season; /* period, the next season's figure first */
    unsigned period;
    bool product;
    size_t predicted; /* one-step errors behind sse */
} su_holt_winters;
/* Smoothing parameters in [0, 1] by least squares of the one-step errors (Winters 1960, doi:10.1287/mnsc.6.3.324); start values from the
 * decomposition of the first two periods. */
su_status su_holt_winters_new(su_context *ctx, const double *x, size_t n, unsigned period, bool product,
                              su_holt_winters **out) SU_MUST_CHECK;
void su_holt_winters_free(su_holt_winters *h);
double su_holt_winters_ahead(const su_holt_winters *h, size_t steps); /* steps >= 1 */

/* ---- origin and destination ---- */

typedef struct su_fitted_margins {
    unsigned rounds;
    double worst; /* largest relative difference to a margin */
} su_fitted_margins;
/* Iterative proportional fitting of the table (rows by columns, row-major, changed in place) to its margins; a zero stays a zero (Deming
 * and Stephan 1940, doi:10.1214/aoms/1177731829). Refused, naming the row or column: negative or non-finite cells, margins whose sums
 * differ, a positive margin over zeros only, zeros that no table with these margins can have. Names may be NULL. */
su_status su_fit_margins(su_context *ctx, double *table, size_t rows, size_t columns, const double *row_totals, const double *column_totals,
                         const char *const *row_names, const char *const *column_names, su_fitted_margins *out) SU_MUST_CHECK;

/* ---- people seen twice, people never seen ---- */

typedef struct su_flow_estimate {
    double estimate, error, low, high;
} su_flow_estimate;
/* Chapman's estimate of all from n1 at one point, n2 at another, `both` at both; Seber's variance; interval by inverting the hypergeometric
 * law of `both` (mid-p), no upper end when nobody was seen twice; above 10,000 seen twice, and for fractions, lognormal in the unseen.
 * Refused: both above n1 or n2. */
su_status su_two_points(su_context *ctx, double n1, double n2, double both, double level, su_flow_estimate *out) SU_MUST_CHECK;
/* Chao's lower bound from people seen once and twice (doi:10.2307/2531532). twice = 0: the bias-corrected form. */
su_status su_seen_once_twice(su_context *ctx, double n, double once, double twice, double level, su_flow_estimate *out) SU_MUST_CHECK;

/* ---- change and rate ---- */

/* Ratio after / before of two counts with exposures; each count has variance `dispersion` times its mean (1 = Poisson: exact by the
 * binomial), or, with theta > 0, mean + mean^2 / theta. df of the dispersion's estimate, INFINITY when it is known. */
typedef struct su_change_input {
    double before, after, exposure_before, exposure_after;
    double dispersion, theta, df;
} su_change_input;
typedef struct su_change {
    double ratio, low, high, p;
    bool exact;
} su_change;
su_status su_change_of(su_context *ctx, const su_change_input *in, double level, su_change *out) SU_MUST_CHECK;
/* Exact Poisson interval of count / exposure by the gamma distribution (Garwood 1936, doi:10.1093/biomet/28.3-4.437); 0 is fine. */
su_status su_rate_of(su_context *ctx, double count, double exposure, double level, su_flow_estimate *out) SU_MUST_CHECK;

/* ---- flow monitoring points ---- */

typedef struct su_points_input {
    const su_variable *point, *period; /* factors */
    const su_variable *count;          /* number; missing = not observed. Rows of one point and period are summed */
    const su_variable *active, *open;  /* days (or hours) observed, and in the period; active NULL: all of it; open NULL: open_days */
    double open_days, level;
    bool print_weeks;
} su_points_input;
/* Flow of each point and period, count / coverage, with the variance of an over-dispersed count; periods without observation are filled
 * from a negative binomial regression on point and period, and flagged. Totals by point and never across points: a person passes several.
 * Tables "points" and, with print_weeks, "weeks". */
su_status su_flow_points(su_context *ctx, su_frame *f, const su_points_input *in, su_result *out) SU_MUST_CHECK;

/* ---- a series of periods ---- */

/* "2024-03", "2024-Q1", "2024-W07" (ISO 8601 weeks), "2024-03-31", "2024" or a whole number. The ordinal counts periods (months, quarters,
 * weeks, days, years, as it stands); season is 0-based within the year (month, quarter, week) or 0. */
typedef struct su_period {
    char kind; /* 'm', 'q', 'w', 'd', 'y', 'n' */
    int64_t ordinal;
    unsigned season;
    unsigned days; /* in the period; 0 for 'n' */
} su_period;
bool su_period_parse(su_str text, su_period *out);
void su_period_print(char kind, int64_t ordinal, char out[24]);
unsigned su_period_seasons(char kind); /* 12, 4, 52, and 7 for days; 0 = no season */
bool su_period_of(char kind, int64_t ordinal, su_period *out);

/* Only rows where the variable has this value (a factor's level, folded, or a number). */
typedef struct su_filter {
    const su_variable *variable;
    su_str value;
} su_filter;

bool su_filter_row(const su_filter *filters, size_t count, uint64_t row); /* every filter agrees */
/* The level that says "Total", "All" ... (rows that are sums of others), 1-based; 0 = none. */
uint32_t su_margin_level(const su_variable *v);
/* SU_REFUSED when the variable never has the value (the nearest one is named); corrects the spelling to the level's. */
su_status su_filter_check(su_context *ctx, su_filter *filter) SU_MUST_CHECK;

typedef struct su_series_input {
    const su_variable *time, *within;             /* within: month or quarter beside a year; NULL */
    const su_variable *count;                     /* number; NULL: each row counts one */
    const su_variable *exposure, *shift, *season; /* numbers, one value per period; NULL */
    unsigned period;                              /* seasons a year; 0: from the time's kind */
    const su_filter *filters;
    size_t filter_count;
    bool exclude_margins; /* leave out rows that are totals of others; false: refuse to sum over them */
    bool absent_zero;     /* a period without rows is a zero (registers list only what happened); false: it is a gap */
} su_series_input;

typedef struct su_series {
    char kind;
    size_t n;
    int64_t *ordinal; /* increasing */
    double *value;
    double *exposure, *shift;        /* NULL where not given */
    unsigned *season;                /* 0-based */
    unsigned period;                 /* seasons a year, 0 = none */
    size_t absent;                   /* periods between first and last without rows */
    uint64_t rows, missing, margins; /* rows summed; left out for want of a count; left out as totals */
    su_arena arena;
} su_series;

/* Sums the count by period. SU_INPUT names the first row whose time cannot be read; SU_REFUSED when rows are totals of others ("Total" in a
 * column that no filter names), when times of two kinds are mixed, and when exposure, shift or season differ within a period. */
su_status su_series_of(su_context *ctx, const su_frame *f, const su_series_input *in, su_series **out) SU_MUST_CHECK;
void su_series_free(su_series *s);

typedef struct su_trend_options {
    su_counts_family family;
    su_counts_errors errors;
    unsigned lag, harmonics, ahead;
    bool calendar_exposure; /* without an exposure: offset log(days of the period) */
    bool holt_winters, product, decompose, print_series;
    const char *count_name, *shift_name;
    bool has_break;
    int64_t break_at; /* level shift from this ordinal on */
    double level;
} su_trend_options;
/* Model, percentage changes, trend tests, decomposition and forecast of a series. Tables "coefficients", "changes", "tests", "seasons",
 * "series" and "forecast". */
su_status su_trend(su_context *ctx, const su_series *s, const su_trend_options *o, su_result *out) SU_MUST_CHECK;

#ifdef __cplusplus
}
#endif
#endif
