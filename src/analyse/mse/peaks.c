#include "mse/peaks.h"

#include <math.h>
#include <stdbool.h>

unsigned su_peaks_of(const double *mass, size_t bins, double least, su_peak out[SU_PEAKS_MAX])
{
    double top = 0, total = 0, peak = 0, valley = 0;
    size_t from = 0, highest = 0, lowest = 0;
    unsigned count = 0;
    bool rising = true;
    for (size_t i = 0; i < bins; i++) top = fmax(top, mass[i]), total += mass[i];
    for (size_t i = 0; i <= bins; i++) { /* up to a peak, then down to a valley of half its height or less, then up to twice the valley */
        double x = i < bins ? mass[i] : 0;
        if (rising) {
            if (x > peak) peak = x, highest = i;
            if (!(x < peak / 2) || !(peak > least * top) || count == SU_PEAKS_MAX) continue;
            if (count) out[count - 1].to = from - 1;
            out[count++] = (su_peak) { .from = from, .top = highest, .to = bins - 1 };
            rising = false, valley = x, lowest = i;
        } else {
            if (x < valley) valley = x, lowest = i;
            if (x > 2 * valley && x > least * top) rising = true, peak = x, highest = i, from = lowest;
        }
    }
    for (unsigned k = 0; k < count; k++)
        for (size_t i = out[k].from; i <= out[k].to; i++) out[k].share += mass[i] / total;
    return count;
}
