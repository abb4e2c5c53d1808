/* pgm: what mst and aim share: measuring one table after the other under one budget, the model, and the way from the model to a release. */
#ifndef SU_PROTECT_PGM_H
#define SU_PROTECT_PGM_H

#include "../dp/spend.h"
#include "../mechanism.h"
#include "domain.h"
#include "model.h"

/* kappa of su_model_fit. At 0.1 a potential of 1 moves a cell by a tenth of a standard deviation: below what noise does, and fits end four
 * times sooner than at 0.02 with the same error or less (docs/methods/aim.md). */
#define SU_PGM_ENTROPY 0.1

typedef struct su_pgm_table {
    su_column_set set; /* columns of the model */
    su_variance variance;
    size_t cells;
    uint64_t impossible; /* of the cells, by the rules */
    int64_t *noisy;
} su_pgm_table;

typedef struct su_pgm {
    su_context *ctx;
    su_crew *crew;
    su_release *r;
    su_random source; /* of streams; stream k is for the k-th use */
    uint64_t streams;
    su_spending spending; /* per record: of r->rho what a person of options.contribution records leaves */
    double rho;           /* all of it */
    su_domain domain;
    const su_rules *rules; /* the release's, for the model's columns and codes; NULL = none */
    su_model model;
    su_pgm_table *tables; /* measured after the one-way tables, in model codes */
    size_t table_count, table_capacity;
} su_pgm;

/* Stage 1 of both: one table per column, with shares of rho that grow with the number of codes; r->rho = all of rho, charged whether or not
 * the rest is used up. Refuses more than SU_MODEL_COLUMNS columns. Uses options.epsilon, delta, length. */
su_status su_pgm_plan(su_context *ctx, su_release *r);

/* Draws noise, counts the one-way tables, chooses the model's codes, and fits nothing yet. On failure nothing is left to free. */
su_status su_pgm_init(su_context *ctx, su_pgm *p, su_release *r, const su_code_matrix *m, su_random *random) SU_MUST_CHECK;
void su_pgm_free(su_pgm *p); /* wipes what came from the data */
/* The table of `set` with noise that was drawn before the data were read; charges the budget and gives it to the model. SU_INTERNAL when
 * the budget does not hold it. */
su_status su_pgm_measure(su_pgm *p, su_column_set set, su_variance variance) SU_MUST_CHECK;
/* A fresh stream. The caller wipes it. */
void su_pgm_stream(su_pgm *p, su_random *out);

/* What has to be chosen from: sets of columns and their exact tables. */
typedef struct su_candidate {
    su_column_set set;
    size_t cells;
    int64_t *counts;  /* exact: as sensitive as the data */
    double *expected; /* under the model, records */
    uint64_t weight;
} su_candidate;
typedef struct su_candidates {
    su_candidate *list;
    size_t count, cells;
    int64_t *counts; /* the blocks that the list points into */
    double *expected;
    double **pairs; /* as su_model_pairs wants them */
} su_candidates;
/* All pairs with at most `most` cells (fewer where memory would not do), and the single columns if `singles`. Counts them. */
su_status su_candidates_init(su_pgm *p, su_candidates *c, bool singles, uint64_t most) SU_MUST_CHECK;
void su_candidates_expect(su_pgm *p, su_candidates *c); /* fills `expected` from the fitted model */
void su_candidates_free(su_candidates *c);
/* Chooses among the `count` indices in `among` by the exponential mechanism (su_select) with scores
 *     weight * (su_misfit(counts, 256 expected rounded) - 256 bias cells rounded),
 * of sensitivity 256 * the largest weight, since expected, bias and weight do not depend on the data beyond what was paid for. Charges
 * epsilon^2 / 8 before the choice is made. */
su_status su_candidates_select(su_pgm *p, const su_candidates *c, const size_t *among, size_t count, double bias, uint64_t units,
                               size_t *chosen) SU_MUST_CHECK;

/* Stage 3: fits the model well, fills aggregates and records of the release, and lists the tables measured. */
su_status su_pgm_finish(su_pgm *p) SU_MUST_CHECK;

su_status su_run_mst(su_context *ctx, su_release *r, const su_code_matrix *m, su_random *random, const su_measured_hook *hook);
su_status su_run_aim(su_context *ctx, su_release *r, const su_code_matrix *m, su_random *random, const su_measured_hook *hook);

#endif
