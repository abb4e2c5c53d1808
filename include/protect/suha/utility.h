/* utility: a release beside the true records, in every number that helps to decide whether it is good enough (docs/methods/evaluation.md).
 * Everything here is computed from true data, outside the guarantee: not for publication. No I/O. */
#ifndef SUHA_UTILITY_H
#define SUHA_UTILITY_H

#include <suha/protect.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { SU_UTILITY_BINS = 64, SU_UTILITY_TOP = 10 };

/* ---- one side: the published counts, or the counts of the synthetic records ----------------------------------------------------- */

/* Synthetic Data Showcase's preservation of a set of n combinations (those of the true data with a count of k or more, and all released
 * ones): released count, length, min(released / true, 1), and |released - true| / true (1 where the true data have none). Means; 0 where n
 * is 0, as there. */
typedef struct su_preservation {
    uint64_t above, most; /* by count: above < released count <= most, and combinations that were not released in the first */
    uint64_t n;
    double mean_count, mean_length, preservation, proportional_error;
} su_preservation;

/* Shares are 0..1; a share or mean of nothing is NaN. */
typedef struct su_utility_level {
    uint64_t leaked;                             /* true count below k, and released with a count below k */
    double leakage;                              /* leaked / combinations in the true data */
    double fabricated_of_released;               /* |released without true| / |released|: the denominator of SDS's notebook */
    double mean_count_true, mean_count_released; /* over all combinations of either, as SDS prints them */
    su_preservation preservation;                /* `above` and `most` are 0 */
    uint64_t top_tables;                         /* lengths 1 and 2: tables with at least one combination in the true data */
    double top_agreement; /* mean over them of |10 largest true and 10 largest released| / min(10, true combinations); ties in code order */
} su_utility_level;

/* Combinations with above < true count <= most; the first band (0, 0] holds what only the release has. */
typedef struct su_utility_band {
    uint64_t above, most, n;
    double error_union, suppressed;
} su_utility_band;

typedef struct su_utility_side {
    su_utility_level level[SU_MAX_LENGTH + 1]; /* by length; 0 = all together (top_agreement NaN there and above length 2) */
    su_preservation by_count[SU_UTILITY_BINS]; /* (0,10], (10,20], (20,40], ... up to the largest released count */
    size_t bin_count;
    double combination_loss; /* SDS: mean over the bins of 1 - preservation, empty bins counted as 0 */
    su_utility_band band[SU_UTILITY_BINS];
    size_t band_count;
} su_utility_side;

/* ---- tables, records at risk, regression ------------------------------------------------------------------------------------------- */

typedef struct su_table_variation {
    uint32_t length, columns[2];
    double total_variation;
} su_table_variation;

/* Records of the true data that a combination of this length, and none shorter, singles out; a record with a unique combination is not
 * counted as rare (SDS). Index 0 = all lengths. */
typedef struct su_utility_risk {
    uint64_t unique_records, rare_records;
    uint64_t unique_combinations, rare_combinations; /* with a count of 1; below k (the unique ones included) */
} su_utility_risk;

/* b, se, fit: [0] true records, [1] synthetic records. */
typedef struct su_utility_term {
    bool intercept;
    uint32_t column;
    uint16_t value;
    double b[2], se[2]; /* NaN where that fit failed */
} su_utility_term;
typedef struct su_utility_regression {
    bool tried;
    uint32_t outcome; /* column; the outcome is "has outcome_value" */
    uint16_t outcome_value;
    bool fitted[2];
    uint64_t rows[2], yes[2];
    double loglik[2];
    unsigned iterations[2];
    char *note[2]; /* why there is no fit; NULL when there is one */
    su_utility_term *terms;
    size_t term_count;
    char *left_out;                                     /* terms that neither fit could hold, in words; NULL if none */
    double mean_difference, sign_agreement, ci_overlap; /* over the terms without the intercept, when both are fitted: mean |b1 - b0|, share
                                                         * with the same sign, share whose 95 % intervals meet */
} su_utility_regression;

/* What the schema's rules make impossible (suha/rules.h), and who has it all the same. */
typedef struct su_utility_zeros {
    bool any;                /* some rule speaks of these columns; else the rest is 0 */
    uint64_t pairs;          /* pairs of values, absent ones not counted, that no record can have */
    uint64_t aggregates;     /* published combinations that hold such a pair */
    double error;            /* mean published count over the impossible pairs: all of it is error */
    uint64_t records, truth; /* synthetic and true records that break a rule, in values or by an absent one that a rule asks for */
} su_utility_zeros;

typedef struct su_utility {
    su_arena arena;
    const su_release *release; /* borrowed */
    uint64_t k, true_records;
    su_evaluation basic;
    su_utility_side aggregates, records;
    su_table_variation *variations; /* all tables of one column, then of two (an even sample where there are too many) */
    size_t variation_count;
    su_utility_risk risk[SU_MAX_LENGTH + 1];
    su_utility_regression regression;
    su_utility_zeros zeros;
} su_utility;

typedef struct su_utility_options {
    uint64_t k;          /* reporting resolution of SDS's metrics; 0 = the release's own, or 10 if it has none */
    const char *outcome; /* column, or column=code; NULL = the first yes/no column of a group about exploitation, else the first yes/no
                          * column */
} su_utility_options;

/* `truth` as for su_release_evaluate. A regression that cannot be made is a note, not an error; an outcome that is no column is SU_USAGE.
 */
su_status su_utility_evaluate(su_context *ctx, const su_release *r, const su_code_matrix *truth, const su_utility_options *opts,
                              su_utility **out) SU_MUST_CHECK;
void su_utility_free(su_utility *u); /* wipes */

/* SDS's list of rare combinations: one call per combination of the synthetic records with a count below k and record (0-based, in the
 * release's order) that has it; by length, columns, values, record. `truly` is rounded down to a multiple of k. */
typedef struct su_rare_combination {
    uint32_t length;
    su_attribute at[SU_MAX_LENGTH];
    uint64_t record, released, truly;
} su_rare_combination;
su_status su_utility_rare(su_context *ctx, const su_release *r, const su_code_matrix *truth, uint64_t k,
                          void (*sink)(void *arg, const su_rare_combination *c), void *arg) SU_MUST_CHECK;

/* ---- logistic regression ----------------------------------------------------------------------------------------------------------- */

/* Rows of a design, sparse: entries start[i] .. start[i+1] of (index, value); index < terms, each at most once a row. */
typedef struct su_design {
    size_t rows;
    uint32_t terms;
    const size_t *start;
    const uint32_t *index;
    const double *value;
    const double *outcome; /* 0 or 1 */
} su_design;
typedef struct su_logit {
    bool fitted;
    double *b, *se; /* `terms` of them, the caller's; left NaN without a fit */
    double loglik;
    unsigned iterations;
    const char *why; /* static text when not fitted */
} su_logit;
/* Unpenalised maximum likelihood by iteratively reweighted least squares (Fisher scoring; McCullagh and Nelder 1989, 2.5), to a relative
 * change of 1e-10. `fitted` is false, with the reason, when the likelihood has no maximum (separation: Albert and Anderson 1984) or a
 * column is a combination of others. O(iterations * (rows * filled^2 + terms^3)). */
void su_logit_fit(const su_design *d, su_logit *out);

#ifdef __cplusplus
}
#endif
#endif
