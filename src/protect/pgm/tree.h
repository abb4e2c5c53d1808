/* tree: junction trees by greedy elimination (docs/methods/junction-tree.md). Public facts and sets only. */
#ifndef SU_PROTECT_TREE_H
#define SU_PROTECT_TREE_H

#include "submap.h"

/* An elimination of all columns, with the graph as it stood before every step, so that the size with one clique more can be had without
 * starting over. The column removed is the one whose clique (itself and its neighbours) has the fewest cells; ties to the smaller column.
 */
typedef struct su_elimination {
    uint32_t column_count;
    const uint32_t *card;    /* borrowed */
    uint32_t *order, *place; /* order[step] = column; place[column] = step */
    su_column_set *graph;    /* graph[step * column_count + column]: neighbours before that step */
    su_column_set *clique;   /* clique[step]: the column removed and its neighbours */
    uint64_t *cells;         /* cells[step]: of the maximal ones among clique[0 .. step - 1]; column_count + 1 of them */
} su_elimination;

/* At most SU_MODEL_COLUMNS columns. O(columns^2 * largest clique) and columns^2 * 16 bytes. */
void su_elimination_init(su_elimination *e, uint32_t column_count, const uint32_t *card, const su_column_set *cliques, size_t clique_count);
void su_elimination_free(su_elimination *e);
/* Cells of the maximal cliques, UINT64_MAX when they do not fit. */
uint64_t su_elimination_cells(const su_elimination *e);
/* The same if `more` were among the cliques. Equal to building anew: until the first column of `more` goes, the added edges change no
 * neighbourhood but those of the columns of `more`, which only grow, so every step before it is the same. */
uint64_t su_elimination_cells_with(const su_elimination *e, su_column_set more);

typedef struct su_tree_node {
    su_column_set set, separator; /* separator: shared with the parent; empty at the root and between parts that share nothing */
    uint32_t parent;              /* index of a later node; UINT32_MAX at the root, which is the last */
    uint64_t cells;
} su_tree_node;

typedef struct su_tree {
    su_tree_node *nodes; /* children before parents */
    uint32_t count;
} su_tree;

/* The maximal cliques of the elimination, joined so that the nodes that hold a column hang together. */
void su_tree_init(su_tree *t, const su_elimination *e);
void su_tree_free(su_tree *t);
/* The node with the fewest cells that holds `set`; UINT32_MAX if none does. */
uint32_t su_tree_holder(const su_tree *t, su_column_set set);

#endif
