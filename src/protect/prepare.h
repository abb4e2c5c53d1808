/* prepare: what is done to the records, one person at a time, before anything is counted: rules are kept, contributions are bounded. */
#ifndef SU_PROTECT_PREPARE_H
#define SU_PROTECT_PREPARE_H

#include <suha/protect.h>

typedef struct su_prepared {
    su_code_matrix matrix;     /* columns point into the caller's matrix where nothing had to be changed */
    su_matrix_column *columns; /* owned, with the codes that were copied: as sensitive as the data */
    void **copies;             /* in bytes where the caller's column has bytes */
    uint64_t repaired, left_out; /* records; never to be published */
} su_prepared;

/* The records to count. Of a person (m->units) at most r->options.contribution records stay, chosen uniformly at random and independently
 * of everybody else; then every record is repaired by itself (su_rules_repair). So a person coming or going changes at most that many
 * records, and a record at most one cell of a table. Advances `random` only when m has units. SU_USAGE when options.contribution is above 1
 * and the matrix does not say who is who, or the columns are not the plan's. O(rows * columns). */
su_status su_prepare(su_context *ctx, const su_release *r, const su_code_matrix *m, su_random *random, su_prepared *out) SU_MUST_CHECK;
void su_prepared_free(su_prepared *p); /* wipes */
/* Post-processing: synthetic records and published combinations that a rule makes impossible. Records are repaired; a code is filled in
 * only where the release shows it already, and never for a mechanism without differential privacy, whose promise is about parts of true
 * records. */
void su_obey_rules(su_release *r);

#endif
