/* zeros: cells that public rules make impossible (suha/rules.h; docs/methods/structural-zeros.md): not measured, known to be 0. */
#ifndef SU_PROTECT_ZEROS_H
#define SU_PROTECT_ZEROS_H

#include "residual.h"

enum { SU_CELL_POSSIBLE, SU_CELL_IMPOSSIBLE, SU_CELL_FORCED };

/* For a table of n ascending columns: which cells are impossible, and which of the others hold everybody who is in one of their parents,
 * since no other code of the column left out is possible. NULL when the rules say nothing about it. Owned: free. */
uint8_t *su_zeros_of(const su_release *r, const uint32_t *columns, uint32_t n, uint64_t cells);
/* Cells of the table in which every column has a value and somebody can be, at least 1; a column without codes counts 1. Fills
 * t->impossible. */
double su_zeros_positive(const su_release *r, su_release_table *t);
/* Sets the impossible cells of all tables to 0. */
void su_zeros_clear(const su_release *r, su_measurement *m);

/* The least squares under the condition that impossible cells are 0, exactly: values for those cells of the measured tables are found for
 * which the estimates without the condition are 0 there; they are the condition's Lagrange multipliers, and the estimates then are the best
 * linear unbiased ones among all that obey it. `estimate` computes plain estimates of `pins` (one value per pinned cell) added to the
 * tables, or, for without_tables, of the pins alone. Conjugate gradients; each step is one call. */
typedef struct su_pins {
    size_t n;
    size_t *cell;      /* place in the lattice's cells */
    double *precision; /* of the table */
    double *value;
} su_pins;
void su_pins_init(su_pins *p, const su_release *r, const su_lattice *l);
void su_pins_free(su_pins *p);
typedef void (*su_pinned_estimate)(void *arg, const su_pins *pins, bool without_tables);
void su_pins_solve(su_pins *p, const double *cell, su_pinned_estimate estimate, void *arg);
/* Sets the impossible cells of every set to 0: what is left there is rounding. */
void su_zeros_settle(const su_release *r, const su_lattice *l, double *cell);

#endif
