/* overlap: what the reader and the makers of overlap tables share. */
#ifndef SU_MSE_OVERLAP_H
#define SU_MSE_OVERLAP_H

#include <suha/mse.h>

/* A table of zeros without names, to be filled and sealed. */
su_overlaps *su_overlaps_blank(unsigned lists);
/* Sums n and takes the fingerprint; call when the counts are there. */
void su_overlaps_seal(su_overlaps *o);
/* People of one history with these values (one per covariate), added to those alike. O(partials). */
void su_overlaps_add_partial(su_overlaps *o, uint32_t cell, const uint32_t *level, int64_t people);

#endif
