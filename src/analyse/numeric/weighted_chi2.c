/* A weighted sum of chi squares, over an independent chi square. */
#include <math.h>
#include <stdbool.h>

#include "numeric/special.h"

double su_weighted_chi2_upper(const double *l, size_t m, double x, double nu)
{
    double most = 0, low, high;
    for (size_t i = 0; i < m; i++) most = fmax(most, l[i]);
    if (!(most > 0) || !(x > 0)) return NAN;
    bool finite = isfinite(nu);
    low = finite ? -nu / (2 * x) * (1 - 1e-12) : -1e9 / most;
    high = 0.5 / most * (1 - 1e-12);
    double t = 0, k = 0, k2 = 0;
    for (int round = 0; round < 300; round++) {
        t = 0.5 * (low + high);
        double k1 = finite ? -x / (1 + 2 * t * x / nu) : -x;
        for (size_t i = 0; i < m; i++) k1 += l[i] / (1 - 2 * t * l[i]);
        if (k1 > 0)
            high = t;
        else
            low = t;
    }
    k = finite ? -0.5 * nu * log1p(2 * t * x / nu) : -t * x;
    k2 = finite ? 2 * x * x / nu / ((1 + 2 * t * x / nu) * (1 + 2 * t * x / nu)) : 0;
    for (size_t i = 0; i < m; i++) {
        double u = 1 - 2 * t * l[i];
        k -= 0.5 * log(u);
        k2 += 2 * l[i] * l[i] / (u * u);
    }
    double w = copysign(sqrt(2 * fmax(-k, 0)), t), v = t * sqrt(k2);
    return fabs(w) < 1e-4 ? NAN : su_normal_upper(w + log(v / w) / w);
}
