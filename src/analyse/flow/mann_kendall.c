/* Tests of a monotone trend, and Sen's slope. */
#include <suha/flow.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

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

/* ---- Sen's slope ----
 *
 * Order statistics of all pairwise slopes, which are computed again in every pass instead of kept: a pass finds the next DIGIT bits of the
 * wanted ones by counting, so memory does not grow with the number of pairs and the values are exactly those that sorting would give. */

enum { DIGIT = 16, BINS = 1 << DIGIT, PASSES = 64 / DIGIT, WANTED = 6 };

typedef struct slopes {
    const double *x, *t;
    size_t n;
} slopes;

/* A value as a whole number of the same order; minus zero is zero. */
static uint64_t key_of(double value)
{
    uint64_t bits;
    value += 0.0;
    memcpy(&bits, &value, sizeof bits);
    return bits >> 63 ? ~bits : bits | UINT64_C(1) << 63;
}

static double value_of(uint64_t key)
{
    uint64_t bits = key >> 63 ? key & ~(UINT64_C(1) << 63) : ~key;
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* bins[k * BINS + d]: slopes whose bits above `shift` + DIGIT are those of prefix[k] and whose next digit is d. */
static void count_digits(const slopes *s, int shift, const uint64_t *prefix, size_t prefixes, uint64_t *bins)
{
    memset(bins, 0, prefixes * BINS * sizeof *bins);
    for (size_t i = 0; i < s->n; i++)
        for (size_t j = i + 1; j < s->n; j++) {
            double step = s->t ? s->t[j] - s->t[i] : (double)(j - i), slope = (s->x[j] - s->x[i]) / step;
            if (step == 0 || isnan(slope)) continue;
            uint64_t key = key_of(slope), above = shift + DIGIT < 64 ? key >> (shift + DIGIT) : 0;
            for (size_t k = 0; k < prefixes; k++)
                if (above == prefix[k]) bins[k * BINS + (key >> shift & (BINS - 1))]++;
        }
}

/* The digit of the slope of rank *rank (from 0); *rank becomes its rank among those with the same digits so far. */
static uint64_t digit_at(const uint64_t *bins, uint64_t *rank)
{
    uint64_t digit = 0;
    while (*rank >= bins[digit]) *rank -= bins[digit++];
    return digit;
}

/* Gilbert 1987, section 16.5: of m slopes the low-th smallest and the (high + 1)-th smallest, ranks from 1, interpolated. */
typedef struct sen_ranks {
    uint64_t rank[WANTED]; /* from 0: the two in the middle, two at the lower limit, two at the upper */
    size_t count;
    double low, high; /* how far between the two */
} sen_ranks;

static sen_ranks ranks_of(uint64_t m, double variance, double level)
{
    sen_ranks r = { .rank = { m % 2 ? m / 2 : m / 2 - 1, m / 2 }, .count = 2 };
    double reach = su_normal_quantile(0.5 + level / 2) * sqrt(variance), low = ((double)m - reach) / 2, high = ((double)m + reach) / 2;
    if (!(variance > 0 && low >= 1 && high + 1 <= (double)m)) return r;
    uint64_t a = (uint64_t)floor(low), b = (uint64_t)floor(high);
    r.rank[2] = a - 1, r.rank[3] = a, r.low = low - (double)a;
    r.rank[4] = b, r.rank[5] = b + 1 < m ? b + 1 : b, r.high = high - (double)b;
    r.count = WANTED;
    return r;
}

su_sen su_sen_slope(const double *x, const double *t, size_t n, double variance, double level)
{
    su_sen out = { NAN, NAN, NAN };
    slopes s = { x, t, n };
    sen_ranks r = { .count = 0 };
    uint64_t *bins = NULL, prefix[WANTED] = { 0 }, key[WANTED] = { 0 }, m = 0;
    double value[WANTED] = { 0 };
    if (n < 2 || n > SU_SEN_MOST) return out;
    bins = su_alloc_array(WANTED * BINS, sizeof *bins);
    for (int pass = 0; pass < PASSES; pass++) {
        size_t prefixes = pass == 0;
        for (size_t k = 0; k < r.count; k++)
            if (k == 0 || key[k] != prefix[prefixes - 1]) prefix[prefixes++] = key[k];
        count_digits(&s, 64 - DIGIT * (pass + 1), prefix, prefixes, bins);
        for (size_t d = 0; pass == 0 && d < BINS; d++) m += bins[d];
        if (m == 0) goto out;
        if (pass == 0) r = ranks_of(m, variance, level);
        for (size_t k = 0; k < r.count; k++) {
            size_t own = 0;
            while (prefix[own] != key[k]) own++;
            key[k] = key[k] << DIGIT | digit_at(bins + own * BINS, &r.rank[k]);
        }
    }
    for (size_t k = 0; k < r.count; k++) value[k] = value_of(key[k]);
    out.slope = value[0] == value[1] ? value[0] : 0.5 * (value[0] + value[1]);
    if (r.count == WANTED) {
        out.low = value[2] + r.low * (value[3] - value[2]);
        out.high = value[4] + r.high * (value[5] - value[4]);
    }
out:
    free(bins);
    return out;
}
