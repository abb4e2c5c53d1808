/* sds_world: what the tests of the Synthetic Data Showcase mechanisms share. */
#ifndef SU_TEST_SDS_WORLD_H
#define SU_TEST_SDS_WORLD_H

#include "sds.h"
#include "world.h"

/* Rows that hold all of `n` attributes: the slow and obvious count. */
uint64_t rows_with(const world *w, const su_attribute *at, uint32_t n);
/* Steps to the next set of `n` of `m` positions; false after the last. */
bool next_set(uint32_t *set, uint32_t n, uint32_t m);
/* Attributes of record i of a release; returns how many. */
uint32_t record_attributes(const su_release *r, uint64_t i, su_attribute *at);
/* Plans and runs; fails the test on any error. */
su_release *sds_release(const world *w, const su_release_options *o, uint64_t seed, unsigned threads);
void assert_same_release(const su_release *a, const su_release *b);

#endif
