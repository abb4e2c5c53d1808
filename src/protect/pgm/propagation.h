/* propagation: what belief propagation needs for one tree. Private to the model. */
#ifndef SU_PROTECT_PROPAGATION_H
#define SU_PROTECT_PROPAGATION_H

#include "model.h"

typedef struct su_node_plan {
    size_t offset, cells, separator_offset; /* place in belief and in the arrays of separators' cells */
    su_submap up, down;                     /* from this node, and from its parent, to their separator */
} su_node_plan;

/* Where a factor hangs: in the smallest factor or node that holds it. */
typedef struct su_factor_plan {
    bool in_factor;
    size_t host;
    su_submap map;
} su_factor_plan;

typedef struct su_propagation {
    su_node_plan *nodes;
    su_factor_plan *factors;
    size_t *by_size; /* factors, fewest columns first */
    size_t cells;    /* of all nodes */
    double *belief;  /* log while messages go up, then probabilities of the node's cells */
    double *kept;    /* one node's log beliefs */
    double *pushed;  /* potentials of a factor and of those that hang in it */
    double *sum;     /* per separator cell: sum of exp(belief - largest) over the node, then what the node is scaled by */
    double *message; /* per separator cell: largest + log(sum) */
} su_propagation;

su_propagation *su_propagation_new(const su_model *m);
void su_propagation_free(su_propagation *p, uint32_t node_count, size_t factor_count);

#endif
