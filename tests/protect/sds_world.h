/* sds_world: what the tests of the Synthetic Data Showcase mechanisms share. */
#ifndef SU_TEST_SDS_WORLD_H
#define SU_TEST_SDS_WORLD_H

#include "sds.h"
#include "world.h"

/* Steps to the next set of `n` of `m` positions; false after the last. */
bool next_set(uint32_t *set, uint32_t n, uint32_t m);
/* Attributes of record i of a release; returns how many. */
uint32_t record_attributes(const su_release *r, uint64_t i, su_attribute *at);

#endif
