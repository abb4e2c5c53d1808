/* peaks: the separate humps of a posterior, so that the middle between two is not taken for a summary. */
#ifndef SU_MSE_PEAKS_H
#define SU_MSE_PEAKS_H

#include <stddef.h>

enum { SU_PEAKS_MAX = 16 };

typedef struct su_peak {
    size_t from, top, to; /* bins from..to, the highest among them */
    double share;         /* of all mass */
} su_peak;

/* Humps of mass[bins], left to right; a new one begins where mass has fallen below half of the hump before and risen to twice the valley.
 * Bins below `least` times the highest are no hump. Returns how many, at most SU_PEAKS_MAX. */
unsigned su_peaks_of(const double *mass, size_t bins, double least, su_peak out[SU_PEAKS_MAX]);

#endif
