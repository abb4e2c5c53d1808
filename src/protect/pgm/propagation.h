/* propagation: what belief propagation needs for one tree. Private to the model.
 *
 * A pass goes through the levels of the tree, deepest first, and back. Nodes are cut into parts, by their cells alone; whatever is summed
 * over a node is summed part by part while the part is near, then over parts in their order. So the crew's size changes no bit. */
#ifndef SU_PROTECT_PROPAGATION_H
#define SU_PROTECT_PROPAGATION_H

#include "model.h"

typedef struct su_node_plan {
    size_t offset, cells, separator_offset; /* place in belief and in the arrays of separators' cells */
    su_submap up, down;                     /* from this node, and from its parent, to their separator */
    uint32_t level;                         /* edges to the root */
    size_t part, part_count;                /* its parts */
    size_t chunk, chunk_count;              /* its separator's chunks */
    size_t up_part;                         /* place in part_sums of what goes up: part_count times the separator's cells */
    size_t output, output_count;            /* what is summed over it on the way down */
    size_t hung, hung_count;                /* factors that hang here: place in the list below */
    size_t barred, barred_count;            /* cells that are impossible, ascending: place in the list below */
    double top;                             /* largest log belief */
} su_node_plan;

/* Cells from..to - 1 of a node. */
typedef struct su_node_part {
    uint32_t node;
    size_t from, to;
    double top, sum; /* largest log belief; at the root, sum of the cells */
} su_node_part;

/* Cells from..to - 1 of the separator above a node. */
typedef struct su_separator_chunk {
    uint32_t node;
    size_t from, to;
    double least; /* positive sum */
} su_separator_chunk;

/* A table of some of a node's columns, summed on the way down: of a factor that hangs in it or of a child's separator. */
typedef struct su_node_output {
    bool child;
    size_t index; /* of the factor, or of the child */
    uint32_t node;
    size_t place; /* in part_sums: part_count times its cells */
} su_node_output;

/* Where a factor hangs: in the smallest factor or node that holds it. */
typedef struct su_factor_plan {
    bool in_factor;
    size_t host;
    su_submap map;
} su_factor_plan;

typedef struct su_propagation {
    su_node_plan *nodes;
    su_node_part *parts;        /* by node */
    su_separator_chunk *chunks; /* by node */
    su_node_output *outputs;    /* by node; children last */
    su_factor_plan *factors;
    size_t *by_size; /* factors, fewest columns first */
    size_t *hung;    /* factors that hang in nodes, by node, then as in by_size */
    uint32_t *barred;
    size_t cells;      /* of all nodes */
    double *log;       /* log beliefs while messages go up; -infinity where impossible */
    double *belief;    /* in the end, probabilities of the node's cells */
    double *pushed;    /* potentials of a factor and of those that hang in it */
    double *sum;       /* per separator cell: sum of exp(belief - largest) over the node, then what the node is scaled by */
    double *message;   /* per separator cell: largest + log(sum) */
    double *part_sums; /* sums over parts */
} su_propagation;

void su_propagation_free(su_propagation *p, uint32_t node_count, size_t factor_count);

#endif
