/* kanon: the K-anonymous modes (docs/methods/k-anonymity.md). No differential privacy bound: every attribute set
 * they show occurs in at least K records, and that is all they promise. */
#ifndef SU_PROTECT_KANON_H
#define SU_PROTECT_KANON_H

#include "rowset.h"
#include "sds.h"

/* Records of `sensitive` as far as groups of K hold them, then records from the counts that are left over, then what is too much is taken
 * away (row_seeded); without the first step (value_seeded). Every record's attribute set occurs in at least K rows; no attribute occurs
 * more often than its count rounded down to a multiple of K. counts: all combinations of up to counts->length attributes that at least K
 * rows hold, linked. */
su_status su_row_seeded(su_context *ctx, const su_row_bits *b, const su_tuple_graph *counts, bool seeded, su_random *random,
                        su_made *out) SU_MUST_CHECK;
/* As many records as there are, rounded down to a multiple of K, each built column by column in an order of its own. */
su_status su_unseeded(su_context *ctx, const su_row_bits *b, su_random *random, su_made *out) SU_MUST_CHECK;

static inline uint64_t su_floor_k(uint64_t n, uint64_t K) { return n / K * K; }

#endif
