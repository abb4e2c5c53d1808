/* protect: from coded case data to a release that may be published. No I/O.
 *
 * Unit of privacy: one person, neighbouring = add or remove all records of one person, of which at most options.contribution (default 1) are
 * used. Guarantee: rho-zCDP, stated as (epsilon, delta).
 * The shape of every output (columns, codes, order, number and names of tables) is a function of public inputs only: schema, mapping,
 * options.
 */
#ifndef SUHA_PROTECT_H
#define SUHA_PROTECT_H

#include <suha/count.h>
#include <suha/rules.h>

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

/* ---- accounting (docs/methods/accounting.md). Every bound is rounded to the safe side. */
/* Arguments that make no sense (negative, NaN) give the answer that claims nothing: delta 1, rho 0, epsilon infinite. */

double su_zcdp_delta(double rho, double epsilon);          /* smallest delta by the CKS bound, rounded up; 0 <= result <= 1 */
double su_zcdp_rho(double epsilon, double delta);          /* largest rho with su_zcdp_delta(rho, epsilon) <= delta, rounded down */
double su_zcdp_epsilon(double rho, double delta);          /* smallest epsilon, rounded up */
double su_gaussian_delta(double sigma, double epsilon);    /* continuous Gaussian of sensitivity 1 (comparison only), rounded up */
double su_gaussian_rho(double epsilon, double delta);      /* mu^2/2 of the exact Gaussian curve (comparison only), rounded down */
/* The same for what is really drawn: discrete Gaussian noise of these parameters on so many tables, each of sensitivity 1, all fixed in
 * advance. The smaller of the zCDP bound and of a pessimistic privacy loss distribution (never below the true value; above it by a part in
 * 10^4 of sigma for thousands of tables, by rounding for one variance and narrow noise). Milliseconds; parameters as su_variance. */
typedef struct su_noise {
    su_variance variance;
    uint64_t tables;
} su_noise;
double su_noise_delta(const su_noise *noise, size_t count, double epsilon);
double su_noise_epsilon(const su_noise *noise, size_t count, double delta);
double su_discrete_gaussian_pmf(su_variance v, int64_t x); /* to about 1e-15 relative */
double su_discrete_gaussian_variance(su_variance v);

/* Which bound an epsilon was quoted by: both hold, the smaller one is quoted. */
#define SU_ACCOUNTANT_LIST(X)                                                                     \
    X(ZCDP, "zcdp", "zero-concentrated differential privacy (Canonne, Kamath, Steinke 2020)") \
    X(PLD, "pld", "pessimistic privacy loss distribution of the discrete Gaussian noise")
#define SU_ACCOUNTANT_ENUM(id, name, about) SU_ACCOUNTANT_##id,
typedef enum su_accountant { SU_ACCOUNTANT_LIST(SU_ACCOUNTANT_ENUM) SU_ACCOUNTANT_COUNT } su_accountant;
#undef SU_ACCOUNTANT_ENUM
const char *su_accountant_name(su_accountant a);
const char *su_accountant_about(su_accountant a);

/* ---- mechanisms -------------------------------------------------------------------------------------------------- */

/* The lists of this library live once: name on the command line, enum, whether a differential privacy bound holds, one line for a person. */
#define SU_MECHANISM_LIST(X) \
    X(RESIDUAL, "residual", true, "all R-way tables, exact noise, least squares, local search (docs/methods/residual-gls.md)") \
    X(MST, "mst", true, "single columns and a tree of pairs chosen under the budget, graphical model (docs/methods/mst.md)") \
    X(AIM, "aim", true, "single columns, then the pairs that a graphical model misses most, round by round (docs/methods/aim.md)") \
    X(SDS, "sds", true, "noisy combinations and records made from them, as Synthetic Data Showcase (docs/methods/sds.md)") \
    X(ROW_SEEDED, "row-seeded", false, "K-anonymous parts of true records: no differential privacy bound (docs/methods/k-anonymity.md)") \
    X(VALUE_SEEDED, "value-seeded", false, "K-anonymous records from single counts: no differential privacy bound (docs/methods/k-anonymity.md)") \
    X(UNSEEDED, "unseeded", false, "K-anonymous records column by column: no differential privacy bound (docs/methods/k-anonymity.md)")

#define SU_MECHANISM_ENUM(id, name, bound, about) SU_MECHANISM_##id,
typedef enum su_mechanism { SU_MECHANISM_LIST(SU_MECHANISM_ENUM) SU_MECHANISM_COUNT } su_mechanism;
#undef SU_MECHANISM_ENUM
const char *su_mechanism_name(su_mechanism m);
const char *su_mechanism_about(su_mechanism m);
bool su_mechanism_bound(su_mechanism m); /* false: k-anonymous, no differential privacy bound */
bool su_mechanism_parse(const char *name, su_mechanism *out);

/* ---- release ----------------------------------------------------------------------------------------------------- */

/* Parameters of the mechanism sds as Synthetic Data Showcase (pac-synth) has them; zero is its default everywhere. */
typedef enum su_sds_priority { SU_SDS_LONG, SU_SDS_SHORT, SU_SDS_EVEN } su_sds_priority; /* which lengths get less noise */
typedef enum su_sds_fabrication { SU_SDS_UNCONTROLLED, SU_SDS_BALANCED, SU_SDS_PROGRESSIVE, SU_SDS_MINIMISED } su_sds_fabrication;
typedef struct su_sds_options {
    double record_share;       /* of epsilon, for the number of records; 0 = 0.005 */
    double percentile_share;   /* of rho, for the contribution bounds; 0 = 0.01 */
    uint32_t percentile;       /* records that keep all their combinations, in 100; 0 = 99 */
    uint32_t weight_percentile; /* of the counts that weigh an attribute in long records; 0 = 95 */
    su_sds_priority priority;
    su_sds_fabrication fabrication;
    bool codelist_candidates; /* single values are looked for in the codelist instead of in the data: costs no delta */
    bool tight;               /* noise by the accounting of this library instead of the peer's looser one */
    bool synthetic_counts;    /* records: weights less what was made already */
    uint64_t records;         /* synthetic records to make; 0 = until the counts are used up */
    /* By length; index 0 is not used, and 0 leaves it to the modes above. */
    double sigma_proportion[SU_MAX_LENGTH + 1]; /* p_k: the noise of length k is p_k sigma */
    double adaptive[SU_MAX_LENGTH + 1];         /* k >= 2: eta_k in (0, 1], report above the 1 - eta_k/2 quantile of the noise */
    double fixed[SU_MAX_LENGTH + 1];            /* k >= 2: report above this noisy count */
} su_sds_options;

/* Records of an earlier release, in the columns and codes of this one: codes[column] has record_count of them, or is NULL where that release
 * did not show the column. Borrowed; must outlive the release. */
typedef struct su_public_records {
    uint64_t record_count;
    const uint16_t *const *codes;
} su_public_records;

#define SU_MAX_CONTRIBUTION 1000u
typedef struct su_release_options {
    double epsilon, delta;    /* delta 0 = the default 1e-9 */
    uint32_t length;          /* R in 1..4: tables of R columns are measured, combinations up to R are published */
    uint64_t k;               /* aggregates: counts below are not printed, on top of DP; 0 or 1 = none. Not applied to records */
    uint64_t max_table_cells; /* tables above are left out; their largest subsets are measured instead; 0 = 2^16 */
    double seconds;           /* time budget of the synthesis; 0 = 20; the replay of the fit may take as much as the fit again */
    bool domain_from_data;    /* --schema auto: no guarantee, said everywhere */
    su_mechanism mechanism;   /* default residual */
    double rho_most;          /* spend no more than this, even if epsilon allows it (what a ledger has left); 0 = no such limit */
    su_sds_options sds;
    bool mechanism_auto; /* `mechanism` is chosen by su_release_plan from public facts (docs/methods/aim.md) */
    double model_mib;    /* aim: most memory of the model's tables in MiB; 0 = 1. More: more relations held exactly, more time */
    uint32_t contribution; /* records of one person that may be used, at most SU_MAX_CONTRIBUTION; 0 = 1. rho is for the whole person: noise grows
                            * with it (docs/methods/contribution.md) */
    const su_public_records *prior; /* residual: published before, so free to use (docs/methods/public-prior.md); NULL = none */
    bool rare_values;    /* mst, aim: records may show values too rare to be reported (docs/methods/mst.md); default: they count as absent */
} su_release_options;

typedef struct su_release_table {
    uint32_t length, columns[SU_MAX_LENGTH];
    uint64_t cells;
    su_variance variance; /* parameter of the noise, not its variance: su_discrete_gaussian_variance gives that */
    double share;         /* of rho */
    bool inside_larger;   /* all its columns are in another table too: measured for the sake of the shorter combinations */
    uint64_t impossible;  /* cells that no record can be in by the schema's rules: not measured, known to be 0 */
} su_release_table;
typedef struct su_dropped_table {
    uint32_t length;
    uint32_t columns[SU_MAX_LENGTH];
    uint64_t cells;
} su_dropped_table;
/* count: of fitted tables of whole people (residual; docs/methods/projection.md) or of the estimates; at most the count of every combination
 * with one attribute less. ci: 95 % interval of the estimate before it was held at 0
 * and at those counts, widened where needed to hold the printed count; at least 0. Over all cells it holds the true count 95 times
 * in 100; the printed ones are selected for being large, so among them a little less. */
typedef struct su_aggregate {
    uint32_t length;
    su_attribute at[SU_MAX_LENGTH];
    uint64_t count;
    double ci_low, ci_high;
} su_aggregate;

/* What the mechanism sds did at each length. Public: unit, grid. From noisy results: the rest. */
typedef struct su_sds_length {
    su_variance unit;     /* noise per record combination allowed: costs rho = den/(2 num) */
    uint64_t grid;        /* the largest contribution bound that was possible */
    uint64_t bound;       /* combinations that one record may count in */
    su_variance variance; /* of the noise: unit * bound */
    int64_t threshold;    /* reported: noisy counts above */
    uint64_t candidates;  /* combinations that could have been reported; length 1: all values of the codelists */
} su_sds_length;
typedef struct su_sds_facts {
    uint32_t lengths;
    double delta_threshold; /* part of delta that stands beside rho: single values that one record alone brings in */
    uint64_t record_scale_num, record_scale_den, percentile_epsilon_32; /* noise of the number of records; epsilon of a bound, 2^-32 */
    su_sds_length length[SU_MAX_LENGTH + 1];
} su_sds_facts;

typedef struct su_release {
    su_arena arena;
    /* public inputs */
    const su_schema *schema; /* borrowed */
    const su_rules *rules;   /* of these columns; NULL = none */
    su_release_options options;
    uint32_t column_count;
    su_matrix_column *columns; /* codes == NULL: names, field, card only */
    su_release_table *tables;
    size_t table_count; /* the workload measured */
    su_dropped_table *dropped;
    size_t dropped_count;           /* left out because of size, before anything was spent */
    double gate[SU_MAX_LENGTH + 1];        /* theta per length, fixed in advance: standard deviations of the estimate; mst and aim lower
                                            * gate[1] by what the noisy counts say of empty values (docs/methods/aim.md) */
    double least_count[SU_MAX_LENGTH + 1]; /* and at least so many fitted people; from 2 on su_release_finish may replace it and gate */
    double expected_invented[SU_MAX_LENGTH + 1]; /* per length: expected share, of the combinations reported, that nobody has; NaN = not known */
    su_sds_facts sds;               /* mechanism sds */
    double rho;                     /* spent: sum of 1/(2 sigma_t^2); infinite without a differential privacy bound */
    double epsilon_stated;          /* at options.delta, by the accountant below; at most options.epsilon */
    su_accountant accountant;
    const char *mechanism_reason;   /* options.mechanism_auto: why this mechanism, one sentence or two; else NULL */
    bool private_noise;             /* false: seeded; everything made from it is stamped NOT PRIVATE */
    /* protected outputs */
    double total_estimate, total_ci_low, total_ci_high; /* number of records, DP */
    su_aggregate *aggregates;
    size_t aggregate_count;                         /* by length, columns, values; only cells through the gate and K */
    double prior_weight[SU_MAX_LENGTH + 1];         /* options.prior: share that the new tables had in the estimates, per length; 1 = all */
    uint64_t suppressed_by_gate[SU_MAX_LENGTH + 1]; /* per length: combinations whose parts were all reported and that failed */
    uint64_t suppressed_by_k[SU_MAX_LENGTH + 1];    /* per length: combinations through the gate and below K */
    uint64_t record_count;                          /* synthetic records */
    uint16_t **records;                             /* records[column][row]: codes */
} su_release;

/* Stage 1, public only: chooses workload, shares and variances; fills everything above "protected outputs". Nothing is spent. The
 * noise is the smallest, at fixed shares, for which su_noise_delta of the variances chosen is at most delta; where that accountant has no
 * answer, the sum of 1/(2 sigma_t^2) is compared with su_zcdp_rho(epsilon, delta) in integers. Errors: SU_USAGE for options out of range
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
/* Stages 2 and 3 of whatever mechanism the plan names. First, person by person, contributions are bounded (m->units) and, record by record, what
 * breaks a rule is repaired (su_rules_repair): a record still is in at most one cell of every table, and in none that is impossible.
 * Synthetic records are repaired alike. `measured` (may be NULL) is called once, after the last look at the data: what follows is
 * post-processing, and the mechanism residual does not touch m any more. A failure after this was called costs the charge all the same.
 * SU_USAGE when options.contribution is above 1 and m has no units. */
su_status su_release_run(su_context *ctx, su_release *r, const su_code_matrix *m, su_random *random, su_status (*measured)(void *arg),
                         void *arg) SU_MUST_CHECK;
/* A copy of m with at most `most` records of each person (m->units, which must be there), chosen as su_release_run chooses them: what a
 * release with that contribution counts, to compare it with. Identifiable; su_code_matrix_free. */
su_status su_contribution_bound(su_context *ctx, const su_code_matrix *m, uint32_t most, su_random *random,
                                su_code_matrix **out) SU_MUST_CHECK;
void su_release_free(su_release *r);
void su_measurement_free(su_measurement *m);

/* ---- evaluation against the true data: not for publication (docs/methods/evaluation.md) ------------------------------------ */
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
