/* count: exact counting kernels shared by protection and analysis. No I/O, no randomness. */
#ifndef SUHA_COUNT_H
#define SUHA_COUNT_H

#include <suha/table.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SU_MAX_LENGTH 8u

/* An attribute is (column, value >= 1). A combination is 1..R attributes of different columns, columns ascending. */
typedef struct su_attribute {
    uint16_t column, value;
} su_attribute;
typedef struct su_combination {
    uint32_t length;
    su_attribute at[SU_MAX_LENGTH];
    uint64_t count;
} su_combination;

typedef struct su_count_options {
    uint32_t length;    /* R: report lengths 1..R, 1 <= R <= SU_MAX_LENGTH */
    uint64_t min_count; /* K: smallest count reported, >= 1 */
} su_count_options;

/* Calls `sink` once per combination with count >= K. The calls and their order (by length, then columns, then values) do not depend on the
 * number of threads; all come from the calling thread. totals[l-1] = number of combinations of length l (may be NULL). sink may be NULL
 * (count only). A value outside its column's domain is SU_INTERNAL; more than 65,535 attributes that reach K, or 2^32 filled cells, are
 * SU_REFUSED; SU_CANCELLED leaves totals and calls incomplete.
 * Method: search by columns, groups of row tails per tuple of values, direct-address counters for the last two levels, prefixes below K
 * are not followed (Agrawal & Srikant, VLDB 1994). O(sum over rows of C(filled, l)) time for each length l.
 * Memory: the filled cells (2 bytes each, and 4 once per level of the search), A^2 counters per thread for A <= 1,536 attributes (above,
 * counters of size A), and with a sink the combinations that share a first column. */
su_status su_count_combinations(su_context *ctx, const su_code_matrix *m, const su_count_options *opts,
                                void (*sink)(void *arg, const su_combination *c), void *arg, uint64_t *totals) SU_MUST_CHECK;

/* Dense contingency table of `n` columns (ascending), last column fastest, including the absent cells (code 0).
 * out has prod(card) cells and is overwritten; n = 0 gives the number of rows. O(rows * n). */
void su_contingency(const su_code_matrix *m, const uint32_t *columns, uint32_t n, int64_t *out);

/* One table of a workload: what su_contingency takes. */
typedef struct su_contingency_request {
    uint32_t n;
    const uint32_t *columns;
    int64_t *out;
} su_contingency_request;

/* Fills `count` tables, the same numbers as su_contingency for each, on ctx->threads threads. When rows are mostly absent cells and tables
 * are many, it counts the combinations that occur once for all tables and derives the absent cells by inclusion and exclusion: all 2,951
 * tables of one to three of 26 columns cost about as much as su_count_combinations of length 3. Needs up to as much memory again as the
 * tables. After SU_CANCELLED or another failure the tables are not to be used. */
su_status su_contingency_many(su_context *ctx, const su_code_matrix *m, const su_contingency_request *tables, size_t count) SU_MUST_CHECK;

#ifdef __cplusplus
}
#endif
#endif
