#include "attack.h"

#include <math.h>
#include <string.h>

/* Continued fraction of the incomplete beta function (DLMF 8.17.22), evaluated by the method of Lentz. Converges fast for
 * x < (a+1)/(a+b+2), in about sqrt(max(a, b)) steps. */
static double beta_fraction(double a, double b, double x)
{
    const double tiny = 1e-300;
    double c = 1, d = 1 - (a + b) * x / (a + 1);
    d = 1 / (fabs(d) < tiny ? tiny : d);
    double value = d;
    for (int m = 1; m < 100000; m++) {
        double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
        double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
        for (int half = 0; half < 2; half++) {
            double term = half ? odd : even;
            d = 1 + term * d;
            c = 1 + term / c;
            d = 1 / (fabs(d) < tiny ? tiny : d);
            c = fabs(c) < tiny ? tiny : c;
            value *= d * c;
        }
        if (fabs(d * c - 1) < 1e-15) break;
    }
    return value;
}

double attack_binomial_above(uint64_t k, uint64_t n, double p)
{
    if (k == 0 || p >= 1) return 1;
    if (k > n || p <= 0) return 0;
    double a = (double)k, b = (double)(n - k) + 1; /* I_p(k, n-k+1) */
    double front = exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(p) + b * log1p(-p));
    if (p < (a + 1) / (a + b + 2)) return front * beta_fraction(a, b, p) / a;
    return 1 - front * beta_fraction(b, a, 1 - p) / b;
}

double attack_lower(uint64_t hits, uint64_t n, double alpha)
{
    double low = 0, high = hits ? (double)hits / (double)n : 0;
    for (int i = 0; i < 60 && hits; i++) {
        double middle = (low + high) / 2;
        if (attack_binomial_above(hits, n, middle) <= alpha)
            low = middle;
        else
            high = middle;
    }
    return low;
}

double attack_upper(uint64_t hits, uint64_t n, double alpha) { return 1 - attack_lower(n - hits, n, alpha); }

double attack_epsilon(uint64_t hits_one, uint64_t hits_other, uint64_t n, double delta, double alpha)
{
    double one = attack_lower(hits_one, n, alpha / 2) - delta, other = attack_upper(hits_other, n, alpha / 2);
    return one > other ? log(one / other) : 0;
}

void attack_see(attack_counts *c, unsigned side, int64_t value)
{
    int64_t held = value < -ATTACK_REACH ? -ATTACK_REACH : value > ATTACK_REACH ? ATTACK_REACH : value;
    c->seen[side][held + ATTACK_REACH]++;
    c->runs[side]++;
}

void attack_add(attack_counts *to, const attack_counts *from)
{
    for (unsigned side = 0; side < 2; side++) {
        to->runs[side] += from->runs[side];
        for (size_t i = 0; i < sizeof to->seen[0] / sizeof to->seen[0][0]; i++) to->seen[side][i] += from->seen[side][i];
    }
}

/* A cheap guess of what attack_epsilon will say, to choose where to ask it: which events are asked does not touch the bound, which pays
 * for all of them. */
static double promise(uint64_t hits_one, uint64_t hits_other, uint64_t n, double delta)
{
    double one = (double)hits_one, other = (double)hits_other;
    double low = (one - 6 * sqrt(one + 1)) / (double)n - delta, high = (other + 6 * sqrt(other) + 16) / (double)n;
    return low > high ? log(low / high) : 0;
}

double attack_best(const attack_counts *c, double delta, double alpha)
{
    enum { VALUES = 2 * ATTACK_REACH + 1, ASKED = 6 };
    uint64_t n = c->runs[0] < c->runs[1] ? c->runs[0] : c->runs[1], above[2] = { 0, 0 };
    struct {
        double promise;
        uint64_t one, other;
    } asked[ASKED] = { { 0 } };
    size_t thresholds = 0;
    for (size_t i = VALUES; i-- > 1;) {
        if (!c->seen[0][i] && !c->seen[1][i]) continue;
        thresholds++;
        for (unsigned side = 0; side < 2; side++) above[side] += c->seen[side][i];
        for (unsigned event = 0; event < 4; event++) {
            unsigned side = event & 1;
            uint64_t one = event & 2 ? n - above[side] : above[side], other = event & 2 ? n - above[1 - side] : above[1 - side];
            double p = promise(one, other, n, delta);
            size_t least = 0;
            for (size_t k = 1; k < ASKED; k++) least = asked[k].promise < asked[least].promise ? k : least;
            if (p > asked[least].promise) asked[least].promise = p, asked[least].one = one, asked[least].other = other;
        }
    }
    double best = 0;
    for (size_t k = 0; k < ASKED; k++) {
        if (asked[k].promise > 0)
            best = fmax(best, attack_epsilon(asked[k].one, asked[k].other, n, delta, alpha / (4 * (double)thresholds)));
    }
    return best;
}

/* ---- one run ----------------------------------------------------------------------------------------------------- */

double attack_one_run_chance(uint64_t m, uint64_t r, uint64_t v, double epsilon, double delta)
{
    double q = 1 / (1 + exp(-epsilon)), beta = attack_binomial_above(v, r, q), sum = 0, alpha = 0;
    for (uint64_t i = 1; i <= v; i++) {
        double k = (double)(v - i), n = (double)r;
        sum += exp(lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1) + k * log(q) + (n - k) * log1p(-q));
        alpha = fmax(alpha, sum / (double)i);
    }
    return fmin(1, beta + 2 * (double)m * delta * alpha);
}

double attack_one_run_epsilon(uint64_t m, uint64_t r, uint64_t v, double delta, double alpha)
{
    double low = 0, high = 64;
    if (r == 0 || attack_one_run_chance(m, r, v, 0, delta) > alpha) return 0;
    for (int i = 0; i < 50; i++) {
        double middle = (low + high) / 2;
        if (attack_one_run_chance(m, r, v, middle, delta) <= alpha)
            low = middle;
        else
            high = middle;
    }
    return low;
}

/* ---- self-test --------------------------------------------------------------------------------------------------- */

static bool near(const char *what, double got, double want)
{
    if (fabs(got - want) <= 1e-9 * fabs(want)) return true;
    printf("attack: %s is %.15g, not %.15g\n", what, got, want);
    return false;
}

/* The binomial law added up term by term. */
static double slow_above(unsigned k, unsigned n, double p)
{
    double sum = 0;
    for (unsigned i = k; i <= n; i++) {
        double term = 1;
        for (unsigned j = 0; j < i; j++) term *= p * (double)(n - j) / (double)(j + 1);
        sum += term * pow(1 - p, n - i);
    }
    return sum;
}

bool attack_self_test(void)
{
    bool good = true;
    for (unsigned k = 0; k <= 20; k++)
        for (unsigned p = 1; p < 20; p++)
            good &= near("a binomial tail", attack_binomial_above(k, 20, p / 20.0), slow_above(k, 20, p / 20.0));
    good &= near("bound of all hits", attack_lower(50, 50, 0.01), pow(0.01, 1 / 50.0));
    good &= near("bound of no hit", attack_upper(0, 50, 0.01), 1 - pow(0.01, 1 / 50.0));
    good &= near("tail at the bound", attack_binomial_above(700123, 1000000, attack_lower(700123, 1000000, 1e-6)), 1e-6);
    /* Without delta the one-run bound is the binomial one, and r right guesses of r have chance q^r. */
    good &= near("one-run chance", attack_one_run_chance(100, 30, 30, 1, 0), pow(1 / (1 + exp(-1)), 30));
    good &= near("one-run bound", attack_one_run_epsilon(100, 30, 30, 0, 0.05), log(pow(0.05, 1 / 30.0) / (1 - pow(0.05, 1 / 30.0))));
    /* r = v = 1: alpha is the chance of 0 right of 1, so the delta term is 2 m delta (1 - q). */
    good &= near("one-run delta term", attack_one_run_chance(10, 1, 1, 1, 1e-3), 1 / (1 + exp(-1)) + 20e-3 / (1 + exp(1)));
    return good;
}
