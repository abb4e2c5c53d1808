/* protect: from coded case data to a release that may be published. No I/O.
 *
 * Unit of privacy: one record (one person), neighbouring = add or remove one record. Guarantee: rho-zCDP, stated as (epsilon, delta).
 * The shape of every output (columns, codes, order, number and names of tables) is a function of public inputs only: schema, mapping,
 * options.
 */
#ifndef SUHA_PROTECT_H
#define SUHA_PROTECT_H

#include <suha/count.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- exact samplers (Canonne, Kamath, Steinke 2020, arXiv 2004.00010; integers only) ----------------------------- */

/* sigma^2 = num/den, 1 <= den <= 2^16, 0 < sigma <= 10^6: the parameter of the law with probabilities in proportion to e^(-x^2 / 2
 * sigma^2), which on integers of L2 sensitivity 1 costs rho = 1/(2 sigma^2). Wrong parameters and products above 128 bits end the
 * process (abort): a wrapped number would be a wrong law. About 120 ns a draw. The bytes read from `r` per draw depend on the value
 * drawn. */
typedef struct su_variance {
    uint64_t num, den;
} su_variance;
int64_t su_sample_discrete_gaussian(su_random *r, su_variance v);
int64_t su_sample_discrete_laplace(su_random *r, uint64_t scale_num, uint64_t scale_den);
uint64_t su_sample_geometric(su_random *r, uint64_t t);                       /* number of failures, success probability 1 - exp(-1/t) */
bool su_sample_bernoulli_exp(su_random *r, __uint128_t num, __uint128_t den); /* true with probability exp(-num/den) */
void su_sample_discrete_gaussian_fill(su_random *r, su_variance v, int64_t *out, size_t n);

/* ---- accounting (spec privacy 1.12; docs/methods/accounting.md). Every bound is rounded to the safe side by at mos */
/* Arguments that make no sense (negative, NaN) give the answer that claims nothing: delta 1, rho 0, epsilon infinite. */

double su_zcdp_delta(double rho, double epsilon);          /* smallest delta by the CKS bound, rounded up; 0 <= result <= 1 */
double su_zcdp_rho(double epsilon, double delta);          /* largest rho with su_zcdp_delta(rho, epsilon) <= delta, rounded down */
double su_zcdp_epsilon(double rho, double delta);          /* smallest epsilon, rounded up */
double su_gaussian_delta(double sigma, double epsilon);    /* continuous Gaussian of sensitivity 1 (comparison only), rounded up */
double su_gaussian_rho(double epsilon, double delta);      /* mu^2/2 of the exact Gaussian curve (comparison only), rounded down */
double su_discrete_gaussian_pmf(su_variance v, int64_t x); /* to about 1e-15 relative */
double su_discrete_gaussian_variance(su_variance v);

/* ---- mechanisms -------------------------------------------------------------------------------------------------- */

/* The lists of this library live once: name on the command line, enum, whether a differential privacy bound holds, one line for a person. */
#define SU_MECHANISM_LIST(X) \
    X(RESIDUAL, "residual", true, "all R-way tables, exact noise, least squares, local search (docs/methods/residual-gls.md)")

#define SU_MECHANISM_ENUM(id, name, bound, about) SU_MECHANISM_##id,
typedef enum su_mechanism { SU_MECHANISM_LIST(SU_MECHANISM_ENUM) SU_MECHANISM_COUNT } su_mechanism;
#undef SU_MECHANISM_ENUM
const char *su_mechanism_name(su_mechanism m);
const char *su_mechanism_about(su_mechanism m);
bool su_mechanism_bound(su_mechanism m); /* false: k-anonymous, no differential privacy bound */
bool su_mechanism_parse(const char *name, su_mechanism *out);

/* ---- release ----------------------------------------------------------------------------------------------------- */

typedef struct su_release_options {
    double epsilon, delta;    /* delta 0 = the default 1e-9 */
    uint32_t length;          /* R in 1..4: tables of R columns are measured, combinations up to R are published */
    uint64_t k;               /* aggregates: counts below are not printed, on top of DP; 0 or 1 = none. Not applied to records */
    uint64_t max_table_cells; /* tables above are left out; their largest subsets are measured instead; 0 = 2^16 */
    double seconds;           /* time budget of the synthesis; 0 = 20 */
    bool domain_from_data;    /* --schema auto: no guarantee, said everywhere */
    su_mechanism mechanism;   /* default residual */
} su_release_options;

typedef struct su_release_table {
    uint32_t length, columns[SU_MAX_LENGTH];
    uint64_t cells;
    su_variance variance; /* parameter of the noise, not its variance: su_discrete_gaussian_variance gives that */
    double share;         /* of rho */
} su_release_table;
typedef struct su_dropped_table {
    uint32_t length;
    uint32_t columns[SU_MAX_LENGTH];
    uint64_t cells;
} su_dropped_table;
/* count: at most the count of every combination with one attribute less. ci: 95 % interval of the estimate before it was held at 0
 * and at those counts, widened where needed to hold the printed count; at least 0. Over all cells it holds the true count 95 times
 * in 100; the printed ones are selected for being large, so among them a little less. */
typedef struct su_aggregate {
    uint32_t length;
    su_attribute at[SU_MAX_LENGTH];
    uint64_t count;
    double ci_low, ci_high;
} su_aggregate;

typedef struct su_release {
    su_arena arena;
    /* public inputs */
    const su_schema *schema; /* borrowed */
    su_release_options options;
    uint32_t column_count;
    su_matrix_column *columns; /* codes == NULL: names, field, card only */
    su_release_table *tables;
    size_t table_count; /* the workload measured */
    su_dropped_table *dropped;
    size_t dropped_count;           /* left out because of size, before anything was spent */
    double gate[SU_MAX_LENGTH + 1]; /* theta per length, fixed in advance */
    double rho;                     /* spent: sum of 1/(2 sigma_t^2) */
    double epsilon_stated;          /* su_zcdp_epsilon(rho, delta) <= options.epsilon */
    bool private_noise;             /* false: seeded; everything made from it is stamped NOT PRIVATE */
    /* protected outputs */
    double total_estimate, total_ci_low, total_ci_high; /* number of records, DP */
    su_aggregate *aggregates;
    size_t aggregate_count;                         /* by length, columns, values; only cells through the gate and K */
    uint64_t suppressed_by_gate[SU_MAX_LENGTH + 1]; /* per length: combinations whose parts were all reported and that failed */
    uint64_t suppressed_by_k[SU_MAX_LENGTH + 1];    /* per length: combinations through the gate and below K */
    uint64_t record_count;                          /* synthetic records */
    uint16_t **records;                             /* records[column][row]: codes */
} su_release;

/* Stage 1, public only: chooses workload, shares and variances; fills everything above "protected outputs". Nothing is spent. The
 * sum of 1/(2 sigma_t^2) is compared with su_zcdp_rho(epsilon, delta) in integers. Errors: SU_USAGE for options out of range
 * (epsilon not in (0, 100], NaN, length not in 1..4, delta not in (0, 1e-3]); SU_REFUSED when no table fits, when all tables
 * together have more than 2^26 cells, or when the noise would exceed a million. */
su_status su_release_plan(su_context *ctx, const su_schema *schema, const su_matrix_column *columns, uint32_t column_count,
                          const su_release_options *opts, su_release **out) SU_MUST_CHECK;
/* Stage 2: draws all noise into a buffer, then reads the data: cells[i] = counts + noise of table i. Adding or removing one record
 * moves one cell of every table by 1 (sensitivity 1 per table), so the cost is rho = sum of 1/(2 sigma_t^2); it falls due when this
 * is called, also when it then fails. Advances `random`, so two measurements never share noise. Same random, same bytes on any
 * number of threads. SU_USAGE when the columns are not the plan's. */
typedef struct su_measurement {
    size_t table_count, total_cells;
    int64_t **cells;
} su_measurement; /* cells[0] starts the one block */
su_status su_release_measure(su_context *ctx, su_release *r, const su_code_matrix *m, su_random *random,
                             su_measurement **out) SU_MUST_CHECK;
/* Pre-noise counts of the workload in measurement order: the pure function whose sensitivity the tests check. */
su_status su_release_measure_exact(su_context *ctx, const su_release *r, const su_code_matrix *m, su_measurement **out) SU_MUST_CHECK;
/* Stage 3, post-processing only: reconciliation (residual GLS), gate, intervals, consistent integer tables, synthetic records. No
 * record shows a value that did not pass the gate. K applies to the aggregates and not to the records. */
su_status su_release_finish(su_context *ctx, su_release *r, const su_measurement *noisy, su_random *random) SU_MUST_CHECK;
/* Stages 2 and 3 of whatever mechanism the plan names. `measured` (may be NULL) is called once, after the last look at the data: what
 * follows is post-processing. A failure after this was called costs the charge all the same. */
su_status su_release_run(su_context *ctx, su_release *r, const su_code_matrix *m, su_random *random, su_status (*measured)(void *arg),
                         void *arg) SU_MUST_CHECK;
void su_release_free(su_release *r);
void su_measurement_free(su_measurement *m);

/* ---- evaluation against the true data: not for publication (spec privacy 1.6) ------------------------------------ */
/* Shares are 0..1; a mean over nothing is NaN. */
typedef struct su_evaluation_level {
    uint64_t combinations_true, combinations_released, common;
    double mean_count, error_common; /* mean true count and mean |difference| over combinations present in both (SDS's metric) */
    double error_union;              /* mean |difference| over the union, missing = 0 */
    double suppressed, fabricated;   /* |true without released| / |true|, |released without true| / |true| */
    double max_error, coverage; /* coverage: share of published intervals that hold the true count (aggregates only; NaN for records) */
    double total_variation;     /* mean over tables of 1/2 |p - q|_1, absent included (records only); over an even sample of the tables when
                                 * all of them would take more than 3e9 readings, without tables of more than 2^24 cells; NaN at index 0 */
} su_evaluation_level;
/* Index = length of the combinations; index 0 = all lengths together. record_expansion: synthetic records / true records - 1. */
typedef struct su_evaluation {
    uint32_t length;
    su_evaluation_level aggregates[SU_MAX_LENGTH + 1], records[SU_MAX_LENGTH + 1];
    double record_expansion;
} su_evaluation;
/* `truth` is the matrix the release was made from (same columns), else SU_USAGE. Everything here is computed from true data and outside the
 * guarantee. O(work of su_count_combinations + records * tables). */
su_status su_release_evaluate(su_context *ctx, const su_release *r, const su_code_matrix *truth, su_evaluation *out) SU_MUST_CHECK;

#ifdef __cplusplus
}
#endif
#endif
