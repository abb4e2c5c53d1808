/* lattice: every set of columns inside a measured table, the empty set included, with its place in one array of cells.
 *
 * Sets are ordered by length, then lexicographically by columns: the print order of aggregates. A set's cells are its contingency table
 * with the last column fastest, code 0 (absent) included; the empty set has one cell, the total. */
#ifndef SU_PROTECT_LATTICE_H
#define SU_PROTECT_LATTICE_H

#include <suha/protect.h>

#define SU_RELEASE_LENGTH_MAX 4u

/* Rank of a set among all sets of its length: sum of C(column[i], i+1), the combinatorial number system. */
typedef struct su_ranking {
    uint32_t column_count;
    uint64_t *choose;
} su_ranking;

void su_ranking_init(su_ranking *k, uint32_t column_count);
void su_ranking_free(su_ranking *k);
/* C(column_count, length), UINT64_MAX when it does not fit. */
uint64_t su_ranking_count(const su_ranking *k, uint32_t length);
uint64_t su_ranking_of(const su_ranking *k, const uint32_t *columns, uint32_t length);

/* Steps `columns` to the next set in lexicographic order; false after the last. Start from 0, 1, 2, ... */
bool su_subset_next(uint32_t *columns, uint32_t length, uint32_t column_count);
/* Product of the cards, UINT64_MAX when it does not fit. */
uint64_t su_subset_cells(const su_matrix_column *all, const uint32_t *columns, uint32_t length);

typedef struct su_subset {
    uint32_t length;
    uint32_t columns[SU_RELEASE_LENGTH_MAX];
    uint32_t card[SU_RELEASE_LENGTH_MAX];
    uint32_t parent[SU_RELEASE_LENGTH_MAX]; /* index of the set without columns[j] */
    size_t cells, offset;                   /* place in the array of all cells */
} su_subset;

typedef struct su_member {
    uint32_t set, axis;
} su_member;

typedef struct su_lattice {
    uint32_t column_count, length;
    su_subset *sets;
    uint32_t set_count;
    uint32_t first[SU_RELEASE_LENGTH_MAX + 2]; /* sets of length k are first[k] .. first[k+1]-1 */
    size_t cells;                              /* of all sets together */
    uint32_t *table_set;                       /* set of each measured table */
    size_t *member_first;
    su_member *members; /* sets that hold column i: members[member_first[i] .. member_first[i+1]-1] */
} su_lattice;

/* O(sets * length) time and memory plus one index of C(columns, length) words. */
void su_lattice_init(su_lattice *l, const su_release *r);
void su_lattice_free(su_lattice *l);

#endif
