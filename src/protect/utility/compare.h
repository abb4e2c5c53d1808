/* compare: the combinations of the true records met with the released ones, in one walk over the union. */
#ifndef SU_PROTECT_COMPARE_H
#define SU_PROTECT_COMPARE_H

#include <suha/protect.h>

/* Combinations of one length, compactly, in the order in which su_count_combinations and a release list them. */
typedef struct su_combinations {
    su_attribute *at; /* `length` attributes per combination */
    uint64_t *count;
    size_t n, at_capacity, count_capacity;
} su_combinations;

/* One combination of the union: the counts of both sides, 0 where a side does not have it. */
typedef struct su_meeting {
    uint32_t length;
    const su_attribute *at;
    uint64_t truly, released;
    const su_aggregate *aggregate; /* the published count, NULL for records and for combinations that are not published */
} su_meeting;
typedef void (*su_meeting_fn)(void *arg, const su_meeting *m);

uint32_t su_compare_length(const su_release *r); /* longest combinations that the release can have */
/* SU_USAGE unless the matrix has the columns of the release. */
su_status su_compare_columns(su_context *ctx, const su_release *r, const su_code_matrix *truth) SU_MUST_CHECK;
/* truths[1..length]; free with su_true_free also after failure. */
su_status su_true_combinations(su_context *ctx, const su_code_matrix *truth, uint32_t length, su_combinations *truths) SU_MUST_CHECK;
void su_true_free(su_combinations *truths);
/* The synthetic records as a matrix that borrows them; free its columns. */
su_code_matrix su_record_matrix(const su_release *r);
/* Calls `each` once per combination of the union, in order of length, columns and values. SU_USAGE when the aggregates are not in
 * order. */
su_status su_compare_aggregates(su_context *ctx, const su_release *r, const su_combinations *truths, su_meeting_fn each,
                                void *arg) SU_MUST_CHECK;
su_status su_compare_records(su_context *ctx, const su_release *r, const su_combinations *truths, su_meeting_fn each,
                             void *arg) SU_MUST_CHECK;
/* By columns, then by values. */
int su_compare_attributes(const su_attribute *a, const su_attribute *b, uint32_t length);

#endif
