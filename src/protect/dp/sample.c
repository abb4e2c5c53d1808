/* sample: exact samplers in integers only (Canonne, Kamath, Steinke 2020, arXiv 2004.00010; docs/methods/noise.md).
 *
 * Nothing in this file is approximated: every random choice compares a uniform real number, read 64 bits at a time, with a rational
 * number. Products are checked and a product that would wrap ends the process: a wrapped product would be a wrong distribution, which
 * is a broken guarantee that nobody can see. tests/protect/test_sample.c refuses this file if it names a floating-point type or
 * function. Draws take a time that depends on their value (arXiv 2112.05307), so measure.c makes all of them before it reads data. */
#include <suha/plant.h>
#include <suha/protect.h>

#include <stdlib.h>

typedef unsigned __int128 u128;

#define LARGEST_DENOMINATOR (1u << 16)
#define LARGEST_SIGMA 1000000u

static _Noreturn void refuse(const char *what)
{
    fprintf(stderr, "suha: exact sampler: %s; stopped rather than draw from a wrong distribution\n", what);
    abort();
}

static u128 times(u128 a, u128 b)
{
    u128 product;
    if (SU_PLANT(WIDE_PRODUCT_WRAPS, (product = a * b, false), __builtin_mul_overflow(a, b, &product))) {
        refuse("a product does not fit 128 bits");
    }
    return product;
}

static uint64_t times64(uint64_t a, uint64_t b)
{
    uint64_t product;
    if (__builtin_mul_overflow(a, b, &product)) {
        refuse("a product does not fit 64 bits");
    }
    return product;
}

/* True with probability num/den exactly (always when num >= den). A uniform X in [0,1) is u/2^64 + X'/2^64 with a 64-bit u and a
 * uniform X' not drawn yet; X < num/den is settled by u alone but for one case in 2^64, where the same question is asked of X'. */
static bool bernoulli_ratio(su_random *r, u128 num, u128 den)
{
    if (num >= den) {
        return true;
    }
    if (den >> 127) {
        refuse("a probability has a denominator above 2^127");
    }
    for (;;) {
        uint64_t u = su_random_u64(r);
        u128 low = (u128)u * (uint64_t)den;
        u128 top = (u128)u * (uint64_t)(den >> 64) + (low >> 64); /* u*den = top*2^64 + bottom < 2^192 */
        if (top SU_PLANT(CKS_COMPARISON, >, >=) num) {
            return false;
        }
        u128 gap = num - top;
        if (gap >> 63) {
            return true;
        }
        u128 rest = (gap << 64) - (uint64_t)low; /* num*2^64 - u*den */
        if (rest >= den) {
            return true;
        }
        num = rest;
    }
}

/* The same for 64-bit numbers: one multiplication. */
static bool bernoulli_ratio64(su_random *r, uint64_t num, uint64_t den)
{
    if (num >= den) {
        return true;
    }
    for (;;) {
        u128 drawn = (u128)su_random_u64(r) * den;
        u128 bound = (u128)num << 64;
        if (drawn SU_PLANT(CKS_COMPARISON, >, >=) bound) {
            return false;
        }
        u128 rest = bound - drawn;
        if (rest >= den) {
            return true;
        }
        num = (uint64_t)rest;
    }
}

/* True with probability e^-(num/den), num <= den: von Neumann's alternating series. The number of successes in a row of chances
 * num/den, num/2den, num/3den, ... is even with that probability. */
static bool bernoulli_unit(su_random *r, u128 num, u128 den)
{
    unsigned k = 1;
    if (den <= UINT32_MAX) {
        while (bernoulli_ratio64(r, (uint64_t)num, (uint64_t)den * k)) {
            k++;
        }
    } else {
        while (bernoulli_ratio(r, num, times(den, k))) {
            k++;
        }
    }
    return k % 2 == 1;
}

bool su_sample_bernoulli_exp(su_random *r, u128 num, u128 den)
{
    if (den == 0) {
        refuse("a rate has denominator 0");
    }
    while (num > den) {
        if (!bernoulli_unit(r, 1, 1)) {
            return false;
        }
        num -= den;
    }
    return bernoulli_unit(r, num, den);
}

uint64_t su_sample_geometric(su_random *r, uint64_t t)
{
    if (t == 0) {
        refuse("a geometric law needs t >= 1");
    }
    uint64_t low;
    do {
        low = su_random_below(r, t);
    } while (!bernoulli_unit(r, low, t));
    uint64_t high = 0;
    while (bernoulli_unit(r, 1, 1)) {
        high++;
    }
    uint64_t value;
    if (__builtin_add_overflow(times64(t, high), low, &value)) {
        refuse("a geometric draw does not fit 64 bits");
    }
    return value;
}

int64_t su_sample_discrete_laplace(su_random *r, uint64_t scale_num, uint64_t scale_den)
{
    if (scale_num == 0 || scale_den == 0) {
        refuse("a discrete Laplace law needs a positive scale");
    }
    for (;;) {
        uint64_t magnitude = su_sample_geometric(r, scale_num) / scale_den;
        bool negative = su_random_below(r, 2) == 1;
        if (negative && magnitude == 0) {
            continue; /* else 0 would be drawn twice as often */
        }
        if (magnitude > INT64_MAX) {
            refuse("a discrete Laplace draw does not fit 63 bits");
        }
        return negative ? -(int64_t)magnitude : (int64_t)magnitude;
    }
}

/* Largest s with s*s <= n, for n < 2^63 (Newton from above). */
static uint64_t root_floor(uint64_t n)
{
    if (n < 2) {
        return n;
    }
    uint64_t s = (uint64_t)1 << ((64 - (unsigned)__builtin_clzll(n) + 1) / 2);
    for (;;) {
        uint64_t next = (s + n / s) / 2;
        if (next >= s) {
            return s;
        }
        s = next;
    }
}

/* What every draw of one variance p/q shares: t = floor(sigma) + 1, q*t and the denominator 2 p q t^2 of the acceptance rate
 * (|Y| - sigma^2/t)^2 / (2 sigma^2) = (|Y| q t - p)^2 / (2 p q t^2). */
typedef struct gaussian {
    uint64_t t, qt, p;
    u128 den;
} gaussian;

static gaussian gaussian_of(su_variance v)
{
    if (v.den == 0 || v.den > LARGEST_DENOMINATOR || v.num == 0) {
        refuse("a variance must be num/den with num >= 1 and 1 <= den <= 65536");
    }
    if ((u128)v.num > times((u128)LARGEST_SIGMA * LARGEST_SIGMA, v.den)) {
        refuse("a standard deviation above 10^6");
    }
    gaussian g;
    g.t = root_floor(v.num / v.den) + 1; /* the root of a floor has the floor of the root */
    g.qt = times64(v.den, g.t);
    g.p = v.num;
    g.den = times(times(2 * (u128)v.num, g.qt), g.t);
    return g;
}

static int64_t gaussian_draw(su_random *r, const gaussian *g)
{
    for (;;) {
        int64_t y = su_sample_discrete_laplace(r, g->t, 1);
        u128 scaled = times((u128)(y < 0 ? -y : y), g->qt);
        u128 apart = scaled > g->p ? scaled - g->p : g->p - scaled;
        if (su_sample_bernoulli_exp(r, times(apart, apart), g->den)) {
            return y;
        }
    }
}

int64_t su_sample_discrete_gaussian(su_random *r, su_variance v)
{
    gaussian g = gaussian_of(v);
    return gaussian_draw(r, &g);
}

void su_sample_discrete_gaussian_fill(su_random *r, su_variance v, int64_t *out, size_t n)
{
    gaussian g = gaussian_of(v);
    for (size_t i = 0; i < n; i++) {
        out[i] = SU_PLANT(FLOAT_NOISE, su_planted_float_noise(su_random_u64(r), su_random_u64(r), v.num, v.den), gaussian_draw(r, &g));
    }
}
