/* count: exact counting kernels shared by protection and analysis. No I/O, no randomness. */
#ifndef SUHA_COUNT_H
#define SUHA_COUNT_H

#include <suha/table.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SU_MAX_LENGTH 8u

/* An attribute is (column, value >= 1). A combination is 1..R attributes of different columns, columns ascending. */
typedef struct su_attribute { uint16_t column, value; } su_attribute;
typedef struct su_combination { uint32_t length; su_attribute at[SU_MAX_LENGTH]; uint64_t count; } su_combination;

typedef struct su_count_options {
    uint32_t length;                        /* R: report lengths 1..R, 1 <= R <= SU_MAX_LENGTH                                     */
    uint64_t min_count;                     /* K: smallest count reported, >= 1                                                   */
} su_count_options;

/* Calls `sink` once per combination with count >= K; the set of calls does not depend on the number of threads, their order is by length, then
 * by columns, then by values. totals[l-1] = number of combinations of length l (may be NULL). sink may be NULL (count only).
 * Method: projected depth-first search with direct-address counters for the last two levels (spec privacy 1.2): O(increments + touched) time,
 * O(A^2 + data) memory for A attributes plus, when a sink is given, the reported combinations of one length. */
su_status su_count_combinations(su_context *ctx, const su_code_matrix *m, const su_count_options *opts,
                                void (*sink)(void *arg, const su_combination *c), void *arg, uint64_t *totals) SU_MUST_CHECK;

/* Dense contingency table of `n` columns (ascending), last column fastest, including the absent cells (code 0).
 * out has prod(card) cells and is overwritten. O(rows * n). */
void su_contingency(const su_code_matrix *m, const uint32_t *columns, uint32_t n, int64_t *out);

#ifdef __cplusplus
}
#endif
#endif
