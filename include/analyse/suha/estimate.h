/* estimate: totals put together from several sources, after the published outline of the Global Estimates of Modern Slavery.
 *
 * A recipe is a CSV that anyone can read: one row per input (value, standard error, source, adjustment) or per result (a formula over the
 * ids of other rows). docs/methods/estimate.md has the columns, the laws of the draws and the limits. */
#ifndef SUHA_ESTIMATE_H
#define SUHA_ESTIMATE_H

#include <suha/rates.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct su_estimate_options {
    uint32_t draws; /* 0 = 10,000 */
    uint64_t seed;
    double level;
} su_estimate_options;
/* Columns of the recipe (only id is needed; others may be absent): id, label, value, se, distribution (normal, lognormal, beta, fixed),
 * cases, of, dispersion, basis, source, adjustment, correlates_with, correlation, alternative, alternative_source, formula. Value of each
 * result, its standard error by the delta method, its interval by simulation, what drives it (tornado), what another source would change.
 * Tables "results", "tornado", "alternatives", "inputs". SU_INPUT names line and column: no or double id, a formula that cannot be read
 * (with a caret), an unknown id, a circle of formulas, a value that is no number, a standard error below zero, a law that does not fit the
 * value, a correlation outside [-1, 1]. SU_REFUSED: correlations that contradict each other; more than 500 rows. */
su_status su_estimate_recipe(su_context *ctx, const su_raw_table *recipe, const su_estimate_options *o, su_result *out) SU_MUST_CHECK;

typedef struct su_stock_options {
    const su_variable *is_case;  /* 1 = a person in the situation within the window; NULL: every row is one */
    const su_variable *duration; /* months within the window; cut to 0..window */
    const su_variable *family;   /* people who could have reported that person (multiplicity); NULL = 1 */
    const su_design_options *design;
    double window, level;
} su_stock_options;
/* Flow over the window, mean duration, and the stock on a day, sum of w d / window, with design-based standard errors. Table "estimates".
 */
su_status su_stock(su_context *ctx, su_frame *f, const su_stock_options *o, su_result *out) SU_MUST_CHECK;

/* Odds of one kind of case to another in a case file, for the recipe's columns cases, of, dispersion. */
typedef struct su_odds_options {
    const su_variable *kind;         /* factor */
    su_str numerator, denominator;   /* two of its values */
    const su_variable *by;           /* groups, a factor; NULL */
    const su_variable *organisation; /* a factor; NULL: no dispersion and no leave-one-out bounds */
    const su_variable *count;        /* cases in a row; NULL = 1 */
    double level;
} su_odds_options;
/* By group: cases a and b, odds, dispersion (Pearson chi square of the organisations' shares over their number less one, at least 1),
 * standard error of the logarithm sqrt(dispersion (1/a + 1/b)), interval, and the lowest and highest odds when one organisation is left
 * out. Table "odds". SU_REFUSED: a value that does not occur. */
su_status su_case_odds(su_context *ctx, const su_frame *f, const su_odds_options *o, su_result *out) SU_MUST_CHECK;

#ifdef __cplusplus
}
#endif
#endif
