/* world: small imaginary data sets for the tests of protect. Everything follows from the generator given. */
#ifndef SU_TEST_PROTECT_WORLD_H
#define SU_TEST_PROTECT_WORLD_H

#include <suha/protect.h>

#define WORLD_SPARE 16

typedef struct world {
    su_code_matrix matrix; /* columns[c].codes has room for WORLD_SPARE records more than made */
    su_matrix_column columns[16];
    uint16_t *codes[16];
} world;

/* Columns with the cards given; values correlated through four hidden groups, code 0 in about a third of the cells of each column. */
void world_init(world *w, uint64_t rows, const uint32_t *card, uint32_t column_count, su_random *random);
/* Adds one record, at most WORLD_SPARE times. */
void world_append(world *w, const uint16_t *record);
void world_free(world *w);

/* Plan or fail the test. */
su_release *world_plan(const world *w, double epsilon, uint32_t length, uint64_t max_table_cells);

/* The same from options; and plan and run, all on a seed. */
su_release *world_plan_of(const world *w, const su_release_options *o);
su_release *world_release(const world *w, const su_release_options *o, uint64_t seed, unsigned threads);
/* Records that hold all of n attributes: the slow and obvious count. */
uint64_t world_count(const world *w, const su_attribute *at, uint32_t n);
void world_same_release(const su_release *a, const su_release *b); /* tables, counts, intervals, records, total */
/* Fails unless got is want, to 1e-9 of its size and 1; NaN is NaN. */
void world_near(double got, double want);

#endif
