/* model: a distribution over all columns that agrees with noisy tables of some of them, of maximum entropy otherwise: a graphical model
 * (Private-PGM, McKenna, Sheldon, Miklau 2019, arXiv 1901.09136; docs/methods/junction-tree.md). Post-processing: sees noisy tables only.
 *
 * The probability of a record is in proportion to exp(sum over factors of potential[its cell]). One factor per set of columns measured. */
#ifndef SU_PROTECT_MODEL_H
#define SU_PROTECT_MODEL_H

#include "tree.h"

#include <suha/base.h>

typedef struct su_factor {
    su_column_set set;
    size_t cells, offset; /* place in the arrays of all factors' cells */
} su_factor;

/* A pair of columns a < b of which some codes cannot stand together. */
typedef struct su_bar {
    uint32_t a, b;
    uint8_t *impossible; /* card[a] * card[b], b fastest */
} su_bar;

typedef struct su_model {
    uint32_t column_count;
    uint32_t *card;
    su_crew *crew; /* borrowed; NULL: one thread. Any crew gives the same bits */
    su_bar *bars;
    size_t bar_count, bar_capacity;
    double total; /* number of records that the model stands for, > 0 */
    su_factor *factors;
    size_t factor_count, factor_capacity, cells, cells_capacity;
    double *answer, *variance, *potential; /* per cell of every factor: measured, its variance, theta */
    double *share;                         /* probability of every factor's cell under the potentials; filled by su_model_infer */
    su_elimination elimination;
    su_tree tree;                /* of the factors' sets */
    struct su_propagation *plan; /* index maps and buffers for this tree */
} su_model;

/* Copies card. At most SU_MODEL_COLUMNS columns; cards at least 1. */
void su_model_init(su_model *m, uint32_t column_count, const uint32_t *card);
void su_model_free(su_model *m);

/* No record holds codes v of a and w of b with impossible[v * card[b] + w] != 0 (copied): such cells have probability exactly 0 in every node
 * of the tree that holds both columns. Where none does, the model does not know of it. Some record must remain possible. Invalidates the
 * plan. */
void su_model_bar(su_model *m, uint32_t a, uint32_t b, const uint8_t *impossible);
/* impossible[cell] = 1 for the cells of the table of `set` in which a barred pair stands, else 0. False when there is none. */
bool su_model_barred(const su_model *m, su_column_set set, uint8_t *impossible);
/* A noisy table of `set`: answer and variance per cell. A second table of the same set is averaged in, weighted by 1/variance. Potentials
 * of a new set are 0, all others are kept, so fitting goes on from where it was. Invalidates the plan. */
void su_model_measure(su_model *m, su_column_set set, const double *answer, const double *variance);
/* Builds tree and index maps if a set was added; then belief propagation. Sets share, returns the logarithm of the normaliser.
 * One pass: O(cells of the cliques), one exp per cell, on the crew. */
double su_model_infer(su_model *m);
/* Numbers of records (total * probability) in the cells of `set`, which must lie within a node of the tree; after su_model_infer. */
void su_model_marginal(const su_model *m, su_column_set set, double *out);
/* The same for all pairs a < b: out[b * (b - 1) / 2 + a], card[a] * card[b] cells, b fastest; also pairs that no clique holds. Exact. NULL
 * entries are not wanted. On the crew. Time about sum over b of card[b] * cells of the cliques on the way. */
void su_model_pairs(const su_model *m, double **out);

typedef struct su_fit_options {
    double entropy;   /* kappa >= 0: pull towards maximum entropy, see su_model_fit; 0 = 1e-6 */
    double tolerance; /* stop when the root mean square error of the optimality conditions is below this share of a standard deviation */
    uint32_t most;    /* evaluations at most */
} su_fit_options;
typedef struct su_fit {
    uint32_t evaluations;
    double loss; /* 1/2 sum (mu - answer)^2 / variance, tables held to the total */
    double gap;  /* duality gap of the problem below, in units of the loss */
    bool converged;
} su_fit;
/* Finds the potentials:  minimise over distributions p   1/2 sum (N p_t - answer_t)^2 / variance_t  -  tau N H(p),
 * tau = kappa / smallest standard deviation. Through its dual, which is smooth, convex and unconstrained (the potentials are its
 * variables): G(theta) = N log Z(theta) - <theta, answer> + tau/2 <theta, variance theta> by L-BFGS with a diagonal that knows the scale of
 * every cell and a line search whose step returns to 1 each time. Starts from the present potentials. The gap is sum (gradient^2 /
 * variance) / 2: no estimate of the optimum is needed. */
void su_model_fit(su_model *m, const su_fit_options *options, su_fit *out);

#endif
