/* domain: the columns as the model sees them. Values too rare to be told from noise share one code (docs/methods/mst.md, step 2), and columns
 * are ordered by number of codes, so that the longest runs of cells lie last. Decided from noisy one-way tables: post-processing. */
#ifndef SU_PROTECT_DOMAIN_H
#define SU_PROTECT_DOMAIN_H

#include <suha/protect.h>

typedef struct su_domain_column {
    uint32_t source;     /* column of the release */
    uint32_t card;       /* codes of the model: code 0, then the values kept in their order, then the pool if it has a code of its own */
    uint32_t pool;       /* code of the pooled values; it may be 0. UINT32_MAX: nothing was pooled */
    uint32_t pooled;     /* number of source codes in the pool */
    uint16_t *to_model;  /* per source code */
    uint16_t *to_source; /* per model code; for the pool 0 */
    double *noisy;       /* per source code: the one-way answer */
    double *answer, *variance; /* per model code: sum of the answers, and of their variances */
} su_domain_column;

typedef struct su_domain {
    uint32_t column_count;
    su_domain_column *columns;
    su_code_matrix matrix; /* the data in model codes: as sensitive as the data */
} su_domain;

#define SU_KEEP_SIGMAS 3.0

/* noisy[c]: the one-way answers of release column c, each of variance[c]. A value is kept when its answer is at least SU_KEEP_SIGMAS
 * standard deviations. Where `rare` is false the pool is code 0: values that are not kept count as absent. Where it is true they have a
 * code of their own, or share code 0 if that is not kept itself. */
void su_domain_init(su_domain *d, const su_code_matrix *m, int64_t *const *noisy, const double *variance, bool rare);
void su_domain_free(su_domain *d); /* wipes the matrix */
/* Replaces each pool code in records of model column `column` (row_count codes, model to source codes on the way): absent where rare is
 * false, else a pooled source code, all of them in proportion to their answers (at least 0). */
void su_domain_restore(const su_domain *d, uint32_t column, bool rare, const bool *shown, su_random *random, uint64_t row_count,
                       uint16_t *codes);

#endif
