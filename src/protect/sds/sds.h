/* sds: the mechanisms of Synthetic Data Showcase (docs/methods/sds.md, k-anonymity.md): differentially private aggregates and records made
 * from them, and the K-anonymous modes. docs/methods/sds.md, k-anonymity.md. */
#ifndef SU_PROTECT_SDS_H
#define SU_PROTECT_SDS_H

#include "../mechanism.h"
#include "tuples.h"

/* Stage 1, public facts only. su_sds_plan fills options.sds (defaults in the place of zeros), r->sds, rho, epsilon_stated and gate. */
su_status su_sds_plan(su_context *ctx, su_release *r) SU_MUST_CHECK;
su_status su_k_plan(su_context *ctx, su_release *r) SU_MUST_CHECK;

/* Stages 2 and 3. */
su_status su_sds_run(su_context *ctx, su_release *r, const su_code_matrix *m, su_random *random,
                     const su_measured_hook *hook) SU_MUST_CHECK;
su_status su_k_run(su_context *ctx, su_release *r, const su_code_matrix *m, su_random *random, const su_measured_hook *hook) SU_MUST_CHECK;

/* SU_USAGE when the columns are not the plan's. */
su_status su_sds_same_columns(su_context *ctx, const su_release *r, const su_code_matrix *m) SU_MUST_CHECK;

/* Smallest x found with P(N(0,1) > x) <= tail, rounded up; 0 < tail < 1. */
double su_sds_normal_upper(double tail);

/* The public points that a bound is chosen from: 0, 1, 2, ... and from 16 on steps of a sixteenth, the last one `most`. Even steps would
 * offer hundreds of bounds that are far too large, each a little likely. Returns how many; points NULL counts only. */
size_t su_bound_points(uint64_t most, uint64_t *points);
/* The exact exponential mechanism for the point that `percent` of 100 rows do not exceed (McSherry, Talwar 2007). at_most[i] = rows with a value not
 * above point i; n = all rows. Score -|100 at_most[i] - percent n|, sensitivity max(percent, 100 - percent) when one row comes or goes;
 * point i is drawn with probability in proportion to e^(epsilon score / (2 sensitivity)), epsilon = epsilon_32 / 2^32: epsilon-DP and, by
 * its bounded range, epsilon^2/8-zCDP (Cesar, Rogers 2021). Expected draws at most `points`. */
size_t su_dp_percentile(su_random *random, const uint64_t *at_most, size_t points, uint64_t n, uint32_t percent, uint64_t epsilon_32);

/* One level of noisy aggregates: what is done between two releases of the sequence. `candidates` is empty at the call for length 1 when
 * candidates come from the data; it is left with the tuples that stand above the threshold and their noisy counts. */
su_status su_sds_level(su_context *ctx, su_release *r, const su_row_lists *rows, su_tuple_graph *g, uint32_t length,
                       su_random *random) SU_MUST_CHECK;
/* Before noise: how often each candidate occurs when every row keeps at most `bound` of its own, chosen at random. counts has one place per
 * candidate. The pure function whose sensitivity the tests check: one row moves at most `bound` counts by 1. */
typedef struct su_bounded {
    uint64_t *point; /* bounds to choose from */
    size_t points;
    uint64_t *at_most; /* [points] rows with no more candidates than that */
    uint32_t *own;     /* [row_count] candidates in each row */
    uint32_t *counts;
} su_bounded;
su_status su_bounded_count(su_context *ctx, const su_tuple_graph *g, const su_row_lists *rows, const su_tuple_level *candidates,
                           uint64_t grid, su_bounded *out) SU_MUST_CHECK;
void su_bounded_drop(su_context *ctx, const su_tuple_graph *g, const su_row_lists *rows, const su_tuple_level *candidates, uint64_t bound,
                     const su_random *random, su_bounded *b);
void su_bounded_free(su_bounded *b, uint64_t row_count, size_t candidates);
/* Candidates of `length` >= 2 from the reported shorter ones: a reported combination and one attribute, every part reported. Pure
 * post-processing. False when there would be more than 2^26. */
bool su_sds_candidates(const su_tuple_graph *g, uint32_t length, su_tuple_level *out);

/* Records as lists of attributes, growing. */
typedef struct su_made {
    uint64_t *first;
    uint16_t *items;
    size_t n, first_capacity, item_count, item_capacity;
} su_made;
void su_made_begin(su_made *m);               /* a new, empty record */
void su_made_push(su_made *m, uint32_t item); /* one attribute of the last record */
void su_made_free(su_made *m);                /* wipes */
/* Fills r->records and r->record_count, longest records first. */
void su_made_publish(const su_made *m, const su_universe *u, su_release *r);

/* Records from aggregates alone (docs/methods/sds.md, Records). Post-processing of g. */
typedef struct su_aggregate_seeded {
    uint32_t weight_percentile; /* 1..100 */
    bool synthetic_counts;
    uint64_t target; /* records; 0 = until the counts are used up */
} su_aggregate_seeded;
su_status su_seed_from_aggregates(su_context *ctx, const su_tuple_graph *g, const su_aggregate_seeded *o, su_random *random,
                                  su_made *out) SU_MUST_CHECK;

/* Index drawn in proportion to weights; their sum is `total` >= 1. */
static inline uint32_t su_draw_weighted(su_random *random, const uint64_t *weight, uint64_t total)
{
    uint64_t left = su_random_below(random, total);
    uint32_t i = 0;
    while (left >= weight[i]) left -= weight[i++];
    return i;
}

#endif
