/* Philox 4x32-10 and the continuous draws. */
#include "numeric/philox.h"

#include "numeric/special.h"

#include <math.h>

su_philox su_philox_of(uint64_t seed, uint64_t stream)
{
    su_philox r = { .key = { (uint32_t)seed, (uint32_t)(seed >> 32) }, .counter = { 0, 0, (uint32_t)stream, (uint32_t)(stream >> 32) } };
    return r;
}

static void refill(su_philox *r)
{
    uint32_t a = r->counter[0], b = r->counter[1], c = r->counter[2], d = r->counter[3], k0 = r->key[0], k1 = r->key[1];
    for (int round = 0; round < 10; round++) {
        uint64_t left = (uint64_t)0xD2511F53U * a, right = (uint64_t)0xCD9E8D57U * c;
        uint32_t next_a = (uint32_t)(right >> 32) ^ b ^ k0, next_c = (uint32_t)(left >> 32) ^ d ^ k1;
        b = (uint32_t)right;
        d = (uint32_t)left;
        a = next_a;
        c = next_c;
        k0 += 0x9E3779B9U;
        k1 += 0xBB67AE85U;
    }
    r->block[0] = a;
    r->block[1] = b;
    r->block[2] = c;
    r->block[3] = d;
    r->at = 4;
    if (++r->counter[0] == 0) r->counter[1]++;
}

uint64_t su_philox_u64(su_philox *r)
{
    if (r->at < 2) refill(r);
    uint64_t low = r->block[4 - r->at], high = r->block[5 - r->at];
    r->at -= 2;
    return high << 32 | low;
}

double su_philox_unit(su_philox *r) { return ((double)(su_philox_u64(r) >> 12) + 0.5) * 0x1p-52; }

uint64_t su_philox_below(su_philox *r, uint64_t n)
{
    if (n < 2) return 0;
    uint64_t reject = -n % n; /* 2^64 modulo n: the values below it would be drawn once too often */
    for (;;) {
        uint64_t x = su_philox_u64(r);
        if (x >= reject) return x % n;
    }
}

/* By inversion: one word per draw, whatever the value. */
double su_philox_normal(su_philox *r) { return su_normal_quantile(su_philox_unit(r)); }

double su_philox_exponential(su_philox *r) { return -log(su_philox_unit(r)); }

double su_philox_gamma(su_philox *r, double shape)
{
    if (!(shape > 0)) return shape == 0 ? 0 : NAN;
    if (shape < 1) {
        double power = log(su_philox_unit(r)) / shape;
        return su_philox_gamma(r, shape + 1) * exp(power);
    }
    double d = shape - 1.0 / 3, c = 1 / sqrt(9 * d);
    for (;;) {
        double x = su_philox_normal(r), v = 1 + c * x;
        if (v <= 0) continue;
        v = v * v * v;
        double u = su_philox_unit(r);
        if (log(u) < 0.5 * x * x + d - d * v + d * log(v)) return d * v;
    }
}

double su_philox_beta(su_philox *r, double a, double b)
{
    /* Both gammas can underflow when a and b are tiny: then the larger of the two log-gammas decides. */
    double x = su_philox_gamma(r, a), y = su_philox_gamma(r, b);
    if (x + y > 0) return x / (x + y);
    return su_philox_unit(r) * (a + b) < a ? 1 : 0;
}
