/* Tests of a monotone trend, and Sen's slope. */
#include <suha/flow.h>

#include <math.h>
#include <stdlib.h>

#include "numeric/special.h"

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* S, its variance, and the pairs that tau b needs, of the values that are numbers. */
typedef struct pairs {
    double s, variance, untied, all;
    size_t n;
} pairs;

static pairs count_pairs(const double *x, size_t n)
{
    double *v = su_alloc_array(n ? n : 1, sizeof *v);
    pairs out = { 0 };
    for (size_t i = 0; i < n; i++)
        if (!isnan(x[i])) v[out.n++] = x[i];
    for (size_t i = 0; i < out.n; i++)
        for (size_t j = i + 1; j < out.n; j++) out.s += (v[j] > v[i]) - (v[j] < v[i]);
    double m = (double)out.n, sum = m * (m - 1) * (2 * m + 5);
    out.all = out.untied = m * (m - 1) / 2;
    qsort(v, out.n, sizeof *v, by_value);
    for (size_t i = 0, j; i < out.n; i = j) {
        for (j = i + 1; j < out.n && v[j] == v[i]; j++) continue;
        double t = (double)(j - i);
        sum -= t * (t - 1) * (2 * t + 5);
        out.untied -= t * (t - 1) / 2;
    }
    out.variance = sum / 18;
    free(v);
    return out;
}

static su_mann_kendall judge(pairs p)
{
    su_mann_kendall k = { p.s, p.variance, NAN, NAN, NAN, p.n };
    if (p.variance > 0) {
        k.z = p.s == 0 ? 0 : (p.s > 0 ? p.s - 1 : p.s + 1) / sqrt(p.variance);
        k.p = 2 * su_normal_upper(fabs(k.z));
    }
    if (p.untied > 0) k.tau = p.s / sqrt(p.all * p.untied);
    return k;
}

su_mann_kendall su_mann_kendall_of(const double *x, size_t n)
{
    pairs p = count_pairs(x, n);
    if (p.n < 3) return (su_mann_kendall) { NAN, NAN, NAN, NAN, NAN, p.n };
    return judge(p);
}

su_mann_kendall su_mann_kendall_seasonal(const double *x, const unsigned *season, size_t n, unsigned period)
{
    double *part = su_alloc_array(n ? n : 1, sizeof *part);
    pairs sum = { 0 };
    for (unsigned s = 0; s < period; s++) {
        size_t m = 0;
        for (size_t i = 0; i < n; i++)
            if (season[i] == s) part[m++] = x[i];
        pairs p = count_pairs(part, m);
        sum = (pairs) { sum.s + p.s, sum.variance + p.variance, sum.untied + p.untied, sum.all + p.all, sum.n + p.n };
    }
    free(part);
    return judge(sum);
}

su_sen su_sen_slope(const double *x, const double *t, size_t n, double variance, double level)
{
    su_sen out = { NAN, NAN, NAN };
    size_t m = 0, most = n * (n - (n > 0)) / 2;
    if (n < 2 || n > SU_SEN_MOST) return out;
    double *slope = su_alloc_array(most, sizeof *slope);
    for (size_t i = 0; i < n; i++)
        for (size_t j = i + 1; j < n; j++) {
            double step = t ? t[j] - t[i] : (double)(j - i), s = (x[j] - x[i]) / step;
            if (step != 0 && !isnan(s)) slope[m++] = s;
        }
    qsort(slope, m, sizeof *slope, by_value);
    if (m) {
        out.slope = m % 2 ? slope[m / 2] : 0.5 * (slope[m / 2 - 1] + slope[m / 2]);
        double reach = su_normal_quantile(0.5 + level / 2) * sqrt(variance), low = ((double)m - reach) / 2, high = ((double)m + reach) / 2;
        if (variance > 0 && low >= 1 && high + 1 <= (double)m) {
            /* the low-th smallest and the (high + 1)-th smallest, ranks from 1, interpolated (Gilbert 1987, section 16.5) */
            size_t a = (size_t)floor(low), b = (size_t)floor(high);
            out.low = slope[a - 1] + (low - (double)a) * (slope[a] - slope[a - 1]);
            out.high = b < m ? slope[b] + (b + 1 < m ? (high - (double)b) * (slope[b + 1] - slope[b]) : 0) : slope[m - 1];
        }
    }
    free(slope);
    return out;
}
